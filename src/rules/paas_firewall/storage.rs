//! The firewall of a storage account.

use crate::facts::store_facts::PublicAccess;
use crate::model::Tri;
use crate::rules::paas_firewall::{Decision, Firewall, Item, NO_MATCH, Source, caller, ip_rule, same, settle, subnet_rule};

/// Trusted and named callers first, then the switch, the default action, rules for subnets and rules for addresses (ST-01 … ST-14).
///
/// A subnet of any tenant may be named (ST-13, SE-20). What comes from the account's own region without a service endpoint matches no rule (ST-11). A
/// classic account has no firewall (ST-14).
///
/// ```datalog
/// admits(S, R) :- store(S, "storage", _, _), store_resource_rule(S, _, R), !locked(S).                           // storage.1
/// locked(S) :- store_access(S, "securedbyperimeter", _, _, _, _).
/// ```
pub fn admit(firewall: &Firewall<'_>, source: &Source) -> Decision {
    if firewall.store.kind.as_str() == "classic" {
        return Decision { admitted: Tri::Yes, item: Item::NoFirewall };
    }
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    let mut bypass = NO_MATCH;
    let matched = match source {
        Source::ServiceEndpoint { subnet, tenant, .. } => subnet_rule(firewall, *subnet, *tenant, false),
        Source::SameRegionAzure => NO_MATCH,
        Source::Public { .. } | Source::AnyPublic { .. } => ip_rule(firewall, source),
        Source::Caller { resource, kind, tenant } => {
            // Without a perimeter the third position of the switch locks out the trusted services too (NSP-03).
            if access.public != PublicAccess::SecuredByPerimeter {
                if access.trusted {
                    bypass = Decision { admitted: caller::trusted(*kind, same(firewall, *tenant, *resource)), item: Item::Trusted };
                }
                for rule in firewall.resource_rules {
                    let admitted = caller::named(rule, *resource, *tenant);
                    if admitted > bypass.admitted {
                        bypass = Decision { admitted, item: Item::Resource { resource: rule.resource } };
                    }
                }
            }
            ip_rule(firewall, source)
        }
    };
    settle(bypass, access.public, access.default_allow, matched)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fixture::*;
    use super::super::{Item, Origin, Source, admit};
    use crate::facts::store_facts::{PublicAccess, Service, StoreResourceRule};
    use crate::model::{Sym, Tri};

    // covers: ST-02, ST-04, ST-05, ST-06, FW-04
    #[test]
    fn the_switch_beats_the_default_action_which_beats_the_rules() {
        let deny = store(Service::Storage);
        let refused = admit(&deny, &internet("198.51.100.7"));
        assert_eq!((refused.admitted, refused.item), (Tri::No, Item::Default(Tri::No)), "selected networks without any");
        let allow = with(&deny, |a| a.default_allow = Tri::Yes);
        let open = admit(&allow, &internet("198.51.100.7"));
        assert_eq!((open.admitted, open.item), (Tri::Yes, Item::Default(Tri::Yes)));
        for public in [PublicAccess::Disabled, PublicAccess::SecuredByPerimeter] {
            let mut off = with(&allow, |a| a.public = public);
            off.subnet_rules = subnets(&[("a", Tri::Yes)]);
            for source in [internet("198.51.100.7"), endpoint("a", "t1"), Source::SameRegionAzure] {
                let refused = admit(&off, &source);
                assert_eq!((refused.admitted, refused.item), (Tri::No, Item::PublicAccess(public)));
            }
        }
    }

    // covers: ST-07, ST-11, ST-12, ST-13, FW-06, FW-07, SE-08, SE-09, SE-10, SE-25, SE-27
    #[test]
    fn subnets_match_subnet_rules_and_addresses_match_address_rules() {
        let mut deny = store(Service::Storage);
        deny.subnet_rules = subnets(&[("a", Tri::Yes), ("gone", Tri::No), ("changing", Tri::Maybe)]);
        deny.ip_rules = ips(&[("20.0.0.1", "20.0.0.1")]);
        for (source, admitted) in [
            (endpoint("a", "another-tenant"), Tri::Yes),
            (endpoint("b", "t1"), Tri::No),
            (endpoint("gone", "t1"), Tri::No),
            (endpoint("changing", "t1"), Tri::Maybe),
            (azure("20.0.0.1"), Tri::Yes),
            (azure("20.0.0.2"), Tri::No),
            (Source::SameRegionAzure, Tri::No),
            (Source::Public { addresses: vec![], certain: false, origin: Origin::Azure }, Tri::Maybe),
            (Source::AnyPublic { except: Arc::default(), origin: Origin::Internet }, Tri::Yes),
        ] {
            assert_eq!(admit(&deny, &source).admitted, admitted, "{source:?}");
        }
    }

    // covers: ST-08, ST-09, R-07, NSP-03
    #[test]
    fn trusted_and_named_callers_pass_a_closed_account_but_not_a_locked_one() {
        let vault = |tenant: &str| Source::Caller {
            resource: "/subscriptions/s2/resourcegroups/r/providers/microsoft.recoveryservices/vaults/v".into(),
            kind: "microsoft.recoveryservices/vaults".into(),
            tenant: tenant.into(),
        };
        let closed = with(&store(Service::Storage), |a| (a.public, a.trusted) = (PublicAccess::Disabled, true));
        assert_eq!(admit(&closed, &vault("t1")).admitted, Tri::Yes);
        assert_eq!(admit(&closed, &vault("tx")).admitted, Tri::No);
        assert_eq!(admit(&with(&closed, |a| a.trusted = false), &vault("t1")).admitted, Tri::No);
        assert_eq!(admit(&with(&closed, |a| a.public = PublicAccess::SecuredByPerimeter), &vault("t1")).admitted, Tri::No);

        let factory =
            |name: &str| Sym::new(&format!("/subscriptions/s1/resourcegroups/r/providers/microsoft.datafactory/factories/{name}"));
        let caller =
            |name: &str| Source::Caller { resource: factory(name), kind: "microsoft.datafactory/factories".into(), tenant: "t1".into() };
        let rules = [StoreResourceRule { store: "a1".into(), tenant: "t1".into(), resource: factory("f") }];
        let mut named = with(&closed, |a| a.trusted = false).clone();
        named.resource_rules = Box::leak(Box::new(rules));
        assert_eq!(admit(&named, &caller("f")).item, Item::Resource { resource: factory("f") });
        assert_eq!(admit(&named, &caller("g")).admitted, Tri::No);
    }

    // covers: ST-14
    #[test]
    fn a_classic_account_has_no_firewall() {
        let mut classic = store(Service::Storage);
        classic.store.kind = "classic".into();
        assert_eq!(admit(&classic, &internet("198.51.100.7")).item, Item::NoFirewall);
    }
}
