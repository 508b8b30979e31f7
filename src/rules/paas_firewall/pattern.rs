//! The patterns that services without a section of their own follow.

use crate::facts::store_facts::{PublicAccess, Service};
use crate::model::Tri;
use crate::rules::paas_firewall::messaging::closer;
use crate::rules::paas_firewall::{Decision, Firewall, Item, NO_MATCH, Source, by_rules, by_trust, settle};

/// A default action with rules for addresses and subnets, as storage has them, without its rule of the same region (GEN-01): Cognitive Services, Relay.
pub fn default_action(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    let (public, default, trusted) = match (firewall.store.service, firewall.rule_set) {
        (Service::Relay, Some(set)) => (closer(access.public, set.public), set.default_allow, set.trusted),
        (Service::Relay, None) if firewall.rule_set_complete => (access.public, Tri::Yes, false),
        (Service::Relay, None) => {
            let missing = Decision { admitted: Tri::Maybe, item: Item::Missing { list: firewall.lists.set } };
            return settle(NO_MATCH, access.public, Tri::No, missing);
        }
        _ => (access.public, access.default_allow, access.trusted),
    };
    let bypass = if public == PublicAccess::SecuredByPerimeter { NO_MATCH } else { by_trust(firewall, trusted, source) };
    settle(bypass, public, default, by_rules(firewall, source))
}

/// A list of addresses: an empty one admits everybody, any other whom it names (GEN-02): Search, Event Grid, Redis; and a switch alone: App Configuration.
///
/// ```datalog
/// listed(S) :- store_ip_rule(_, S, _, _).
/// admits(S, "*") :- store(S, "search", _, _), !listed(S), !closed(S).                                            // pattern.1
/// ```
pub fn open_list(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    if firewall.ip_rules.is_empty() && !firewall.ip_complete {
        let missing = Decision { admitted: Tri::Maybe, item: Item::Missing { list: firewall.lists.ip } };
        return settle(NO_MATCH, access.public, Tri::No, missing);
    }
    let default = match (firewall.ip_rules.is_empty(), firewall.unread.any()) {
        (true, false) => Tri::Yes,
        (true, true) => Tri::Maybe,
        (false, _) => Tri::No,
    };
    let bypass = by_trust(firewall, access.trusted && access.public != PublicAccess::SecuredByPerimeter, source);
    settle(bypass, access.public, default, by_rules(firewall, source))
}

/// The switch for public access closes; what else a service looks at is not modelled (GEN-04, GEN-05).
pub fn switch_only(firewall: &Firewall<'_>) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    settle(NO_MATCH, access.public, Tri::No, Decision { admitted: Tri::Maybe, item: Item::Unmodelled })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Item, Source, Unread, admit};
    use crate::facts::store_facts::{PublicAccess, Service};
    use crate::model::Tri;

    // covers: GEN-01, GEN-05
    #[test]
    fn a_default_action_with_rules_knows_no_rule_of_the_same_region() {
        let mut account = store(Service::Cognitive);
        account.ip_rules = ips(&[("20.0.0.1", "20.0.0.1")]);
        account.subnet_rules = subnets(&[("a", Tri::Yes)]);
        assert_eq!(admit(&account, &internet("198.51.100.7")).admitted, Tri::No);
        assert_eq!(admit(&account, &azure("20.0.0.1")).admitted, Tri::Yes);
        assert_eq!(admit(&account, &Source::SameRegionAzure).admitted, Tri::Maybe);
        assert_eq!(admit(&account, &endpoint("a", "t1")).admitted, Tri::Yes);
        assert_eq!(admit(&account, &endpoint("a", "tx")).admitted, Tri::No);
        let off = with(&account, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &endpoint("a", "t1")).admitted, Tri::No);
    }

    // covers: GEN-02, GEN-05, M-03
    #[test]
    fn an_empty_list_admits_everybody() {
        for service in [Service::Search, Service::EventGrid, Service::AppConfig, Service::Redis] {
            let mut open = store(service);
            assert_eq!(admit(&open, &internet("198.51.100.7")).admitted, Tri::Yes, "{service:?}");
            let off = with(&open, |a| a.public = PublicAccess::Disabled);
            assert_eq!(admit(&off, &internet("198.51.100.7")).admitted, Tri::No);
            open.unread = Unread::Any;
            assert_eq!(admit(&open, &internet("198.51.100.7")).admitted, Tri::Maybe, "the list has something in it");
        }
        let mut listed = store(Service::Redis);
        listed.ip_complete = false;
        assert_eq!(admit(&listed, &internet("198.51.100.7")).admitted, Tri::Maybe);
        listed.ip_rules = ips(&[("20.0.0.1", "20.0.0.9")]);
        assert_eq!(admit(&listed, &internet("198.51.100.7")).admitted, Tri::No);
        assert_eq!(admit(&listed, &azure("20.0.0.5")).admitted, Tri::Yes);
    }

    // covers: GEN-03, FW-09, SE-18
    #[test]
    fn database_servers_deny_whom_no_range_names() {
        for service in [Service::Database, Service::Flexible, Service::Synapse, Service::DataLake] {
            let mut server = store(service);
            assert_eq!(admit(&server, &internet("198.51.100.7")).admitted, Tri::No);
            server.ip_rules = ips(&[("0.0.0.0", "0.0.0.0"), ("20.0.0.1", "20.0.0.9")]);
            assert_eq!(admit(&server, &azure("20.200.0.1")).admitted, Tri::Yes);
            assert_eq!(admit(&server, &internet("198.51.100.7")).admitted, Tri::No);
            server.ip_complete = false;
            assert_eq!(admit(&server, &internet("198.51.100.7")).admitted, Tri::Maybe);
        }
        let off = with(&store(Service::DataLake), |a| a.default_allow = Tri::Yes);
        assert_eq!(admit(&off, &internet("198.51.100.7")).admitted, Tri::Yes, "its firewall is off");
    }

    // covers: GEN-04, GEN-05
    #[test]
    fn of_other_services_only_the_switch_is_understood() {
        let hsm = store(Service::Other);
        assert_eq!(admit(&hsm, &internet("198.51.100.7")).item, Item::Unmodelled);
        let off = with(&hsm, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &internet("198.51.100.7")).admitted, Tri::No);
    }
}
