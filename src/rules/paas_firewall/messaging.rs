//! The firewall of a namespace of Event Hubs or Service Bus.

use crate::facts::store_facts::{PublicAccess, Service};
use crate::model::Tri;
use crate::rules::paas_firewall::{Decision, Firewall, Item, NO_FIREWALL, NO_MATCH, Source, better, by_rules, by_trust, doubted, settle};

/// The switch on either object; without any rule everybody, whatever the default action says; else the default action, rules for subnets, rules for
/// addresses and the trusted services (MSG-01 … MSG-06).
///
/// The lower tiers have no rules at all (MSG-04). A rule set that is not in the input may hold anything (M-03).
///
/// ```datalog
/// ruled(S) :- store_ip_rule(_, S, _, _).
/// ruled(S) :- store_subnet_rule(_, S, _, _).
/// admits(S, "*") :- store_rule_set(_, S, _, "enabled", _, _), !ruled(S), !closed(S).                             // messaging.1
/// admits(S, "*") :- store_rule_set(_, S, _, "enabled", "yes", _), !closed(S).                                    // messaging.2
/// ```
pub fn admit(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    let bare = match firewall.store.service {
        Service::EventHub => ["basic"].contains(&firewall.store.kind.as_str()),
        _ => ["basic", "standard"].contains(&firewall.store.kind.as_str()),
    };
    if bare {
        return NO_FIREWALL;
    }
    let decision = match firewall.rule_set {
        None if firewall.rule_set_complete => settle(NO_MATCH, access.public, Tri::Yes, NO_MATCH),
        None => {
            let missing = Decision { admitted: Tri::Maybe, item: Item::Missing { list: firewall.lists.set } };
            settle(NO_MATCH, access.public, Tri::No, missing)
        }
        Some(set) => {
            let ruled = !firewall.ip_rules.is_empty() || !firewall.subnet_rules.is_empty();
            let default = match (ruled, firewall.unread.any()) {
                (true, _) => set.default_allow,
                (false, false) => Tri::Yes,
                // A rule that could not be read makes the default action count.
                (false, true) => set.default_allow.or(Tri::Maybe),
            };
            let matched = better(by_rules(firewall, source), by_trust(firewall, set.trusted, source));
            settle(NO_MATCH, closer(access.public, set.public), default, matched)
        }
    };
    // A tier that nobody knows may be one of those that are always open.
    if ["basic", "standard", "premium"].contains(&firewall.store.kind.as_str()) { decision } else { doubted(decision) }
}

/// The switch that closes, of two objects that both have one (MSG-02).
pub(super) fn closer(one: PublicAccess, other: PublicAccess) -> PublicAccess {
    let closes = |public: &PublicAccess| matches!(public, PublicAccess::Disabled | PublicAccess::SecuredByPerimeter);
    let found = [one, other].into_iter().find(closes);
    found.unwrap_or(if one == PublicAccess::Unknown { one } else { other })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Firewall, Item, Source, Unread, admit};
    use crate::facts::store_facts::{PublicAccess, Service, StoreRuleSet};
    use crate::model::{Sym, Tri};

    fn namespace(service: Service, tier: &str, default_allow: Tri) -> Firewall<'static> {
        let mut firewall = store(service);
        firewall.store.kind = tier.into();
        let store = firewall.store.store;
        let rule_set =
            StoreRuleSet { rule_set: "r".into(), store, part: Sym::EMPTY, public: PublicAccess::Enabled, default_allow, trusted: false };
        firewall.rule_set = Some(rule_set);
        firewall
    }

    // covers: MSG-01, MSG-02, MSG-03
    #[test]
    fn deny_counts_only_once_there_is_a_rule() {
        let mut hubs = namespace(Service::EventHub, "standard", Tri::No);
        assert_eq!(admit(&hubs, &internet("198.51.100.7")).admitted, Tri::Yes);
        hubs.subnet_rules = subnets(&[("a", Tri::Yes)]);
        assert_eq!(admit(&hubs, &internet("198.51.100.7")).admitted, Tri::No);
        assert_eq!(admit(&hubs, &endpoint("a", "t1")).admitted, Tri::Yes);
        let mut allow = namespace(Service::EventHub, "standard", Tri::Yes);
        allow.ip_rules = ips(&[("192.0.2.10", "192.0.2.10")]);
        assert_eq!(admit(&allow, &internet("198.51.100.7")).admitted, Tri::Yes, "the rules have no effect");
        if let Some(set) = &mut allow.rule_set {
            set.public = PublicAccess::Disabled;
        }
        assert_eq!(admit(&allow, &internet("192.0.2.10")).item, Item::PublicAccess(PublicAccess::Disabled));
        hubs.subnet_rules = &[];
        hubs.unread = Unread::Any;
        assert_eq!(admit(&hubs, &internet("198.51.100.7")).admitted, Tri::Maybe);
    }

    // covers: MSG-04
    #[test]
    fn the_lower_tiers_are_always_open() {
        for (service, tier, open) in [
            (Service::EventHub, "basic", Tri::Yes),
            (Service::EventHub, "standard", Tri::No),
            (Service::ServiceBus, "standard", Tri::Yes),
            (Service::ServiceBus, "premium", Tri::No),
            (Service::ServiceBus, "", Tri::Maybe),
        ] {
            let mut closed = with(&namespace(service, tier, Tri::No), |a| a.public = PublicAccess::Disabled);
            closed.ip_rules = ips(&[("192.0.2.10", "192.0.2.10")]);
            assert_eq!(admit(&closed, &internet("198.51.100.7")).admitted, open, "{service:?} {tier}");
        }
    }

    // covers: MSG-02, M-03
    #[test]
    fn trusted_services_come_last_and_a_missing_rule_set_is_unknown() {
        let vault = Source::Caller {
            resource: "/subscriptions/s1/resourcegroups/r/providers/microsoft.eventgrid/topics/t".into(),
            kind: "microsoft.eventgrid/topics".into(),
            tenant: "t1".into(),
        };
        let mut hubs = namespace(Service::EventHub, "standard", Tri::No);
        hubs.ip_rules = ips(&[("192.0.2.10", "192.0.2.10")]);
        if let Some(set) = &mut hubs.rule_set {
            set.trusted = true;
        }
        assert_eq!(admit(&hubs, &vault).admitted, Tri::Yes);
        assert_eq!(admit(&with(&hubs, |a| a.public = PublicAccess::Disabled), &vault).admitted, Tri::No);
        hubs.rule_set = None;
        assert_eq!(admit(&hubs, &internet("198.51.100.7")).admitted, Tri::Yes, "no rule set and none exists");
        hubs.rule_set_complete = false;
        assert_eq!(admit(&hubs, &internet("198.51.100.7")).admitted, Tri::Maybe);
    }
}
