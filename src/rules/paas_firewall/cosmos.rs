//! The firewall of a Cosmos DB account.

use crate::model::Tri;
use crate::rules::paas_firewall::{Decision, Firewall, Item, NO_MATCH, Source, better, by_rules, by_trust, caller, settle};

/// The switch; without a filter everybody, unless a private endpoint closes the account by itself; else the rules for subnets and addresses, then the bypass
/// (COS-01 … COS-08).
///
/// What a service endpoint marks never meets a rule for addresses (COS-05). The rule 0.0.0.0 admits whatever comes from Azure (COS-04, FW-09). Whether an
/// approved private endpoint closes an account without a filter is documented and not always seen: it may (COS-07).
///
/// ```datalog
/// admits(S, "*") :- store(S, "cosmos", _, _), store_access(S, _, "yes", _, _, _), !closed(S), !connected(S).     // cosmos.1
/// connected(S) :- provider_connection(_, S, _, "approved", true).
/// ```
pub fn admit(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    if access.default_allow.hi() && firewall.connected.hi() {
        // Whom the private endpoint shuts out it does before any rule or bypass is asked (COS-02).
        return settle(NO_MATCH, access.public, Tri::No, Decision { admitted: Tri::Maybe, item: Item::PrivateEndpoint });
    }
    let mut matched = by_rules(firewall, source);
    if let Source::Caller { resource, tenant, .. } = source
        && access.trusted
    {
        for rule in firewall.resource_rules {
            let admitted = caller::named(rule, *resource, *tenant);
            matched = better(matched, Decision { admitted, item: Item::Resource { resource: rule.resource } });
        }
    }
    // Which operations of which services pass unnamed is documented for few.
    let trust = by_trust(firewall, access.trusted, source);
    matched = better(matched, Decision { admitted: trust.admitted.and(Tri::Maybe), ..trust });
    settle(NO_MATCH, access.public, access.default_allow, matched)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fixture::*;
    use super::super::{Item, Origin, Source, admit};
    use crate::facts::store_facts::{PublicAccess, Service, StoreResourceRule};
    use crate::model::Tri;

    // covers: COS-01, COS-02, COS-03, COS-06, COS-07
    #[test]
    fn an_account_without_a_filter_is_open_until_a_private_endpoint_may_close_it() {
        let open = with(&store(Service::Cosmos), |a| a.default_allow = Tri::Yes);
        assert_eq!(admit(&open, &internet("198.51.100.7")).admitted, Tri::Yes);
        let mut connected = open.clone();
        connected.connected = Tri::Yes;
        let decision = admit(&connected, &internet("198.51.100.7"));
        assert_eq!((decision.admitted, decision.item), (Tri::Maybe, Item::PrivateEndpoint));
        let off = with(&open, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &endpoint("a", "t1")).item, Item::PublicAccess(PublicAccess::Disabled));
        assert_eq!(admit(&store(Service::Cosmos), &internet("198.51.100.7")).admitted, Tri::No, "a filter without rules");
    }

    // covers: COS-04, COS-05, COS-08, SE-20
    #[test]
    fn a_service_endpoint_meets_rules_for_subnets_alone() {
        let mut filtered = store(Service::Cosmos);
        filtered.ip_rules = ips(&[("20.0.0.1", "20.0.0.1"), ("0.0.0.0", "0.0.0.0")]);
        for (source, admitted) in [
            (azure("20.0.0.1"), Tri::Yes),
            (azure("20.9.9.9"), Tri::Yes),
            (Source::SameRegionAzure, Tri::Yes),
            (Source::AnyPublic { except: Arc::default(), origin: Origin::Azure }, Tri::Yes),
            (internet("198.51.100.7"), Tri::No),
            (endpoint("a", "t1"), Tri::No),
        ] {
            assert_eq!(admit(&filtered, &source).admitted, admitted, "{source:?}");
        }
        filtered.subnet_rules = subnets(&[("a", Tri::Yes)]);
        assert_eq!(admit(&filtered, &endpoint("a", "t1")).admitted, Tri::Yes);
        assert_eq!(admit(&filtered, &endpoint("a", "tx")).admitted, Tri::No);
    }

    // covers: COS-01, R-07
    #[test]
    fn a_named_resource_passes_with_the_bypass_alone() {
        let id = "/subscriptions/s1/resourcegroups/r/providers/microsoft.synapse/workspaces/w";
        let caller = Source::Caller { resource: id.into(), kind: "microsoft.synapse/workspaces".into(), tenant: "t1".into() };
        let rules = [StoreResourceRule { store: "a1".into(), tenant: "t1".into(), resource: id.into() }];
        let mut account = store(Service::Cosmos);
        account.resource_rules = &rules;
        assert_eq!(admit(&account, &caller).admitted, Tri::No);
        let bypass = with(&store(Service::Cosmos), |a| a.trusted = true);
        assert_eq!(admit(&bypass, &caller).admitted, Tri::Maybe);
        if let Some(access) = &mut account.access {
            access.trusted = true;
        }
        assert_eq!(admit(&account, &caller).admitted, Tri::Yes);
        if let Some(access) = &mut account.access {
            access.public = PublicAccess::Disabled;
        }
        assert_eq!(admit(&account, &caller).admitted, Tri::No);
    }
}
