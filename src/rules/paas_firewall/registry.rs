//! The firewall of a container registry.

use crate::facts::store_facts::PublicAccess;
use crate::model::Tri;
use crate::rules::paas_firewall::{Decision, Firewall, Item, NO_FIREWALL, Source, by_rules, by_trust, doubted, settle};

/// Trusted services, then the switch, the default action and the rules; only the premium tier has any of them (ACR-01, ACR-02).
///
/// Layers come from an endpoint of their own or from storage of Azure's (ACR-03): the first is a part of the registry with the same firewall.
///
/// ```datalog
/// bare(S) :- store(S, "acr", "basic", _).
/// bare(S) :- store(S, "acr", "classic", _).
/// bare(S) :- store(S, "acr", "standard", _).
/// admits(S, "*") :- bare(S), store_access(S, "enabled", _, _, _, _).                                             // registry.2
/// ```
pub fn admit(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    let rules = || settle(by_trust(firewall, access.trusted, source), access.public, access.default_allow, by_rules(firewall, source));
    match firewall.store.kind.as_str() {
        "premium" => rules(),
        // The switch exists on Premium only, and closes every type: of a registry that says both nobody knows which of the two holds (GEN-05).
        "basic" | "classic" | "standard" if access.public != PublicAccess::Enabled => {
            Decision { admitted: Tri::Maybe, item: Item::PublicAccess(access.public) }
        }
        "basic" | "classic" | "standard" => NO_FIREWALL,
        _ => doubted(rules()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Item, Source, admit};
    use crate::facts::store_facts::{PublicAccess, Service};
    use crate::model::Tri;

    // covers: ACR-01, ACR-02
    #[test]
    fn only_premium_registries_have_a_firewall() {
        let mut registry = store(Service::Acr);
        registry.store.kind = "premium".into();
        registry.ip_rules = ips(&[("20.0.0.1", "20.0.0.1")]);
        registry.subnet_rules = subnets(&[("a", Tri::Yes)]);
        assert_eq!(admit(&registry, &internet("198.51.100.7")).admitted, Tri::No);
        assert_eq!(admit(&registry, &azure("20.0.0.1")).admitted, Tri::Yes);
        assert_eq!(admit(&registry, &endpoint("a", "t1")).admitted, Tri::Yes);
        let vault = Source::Caller {
            resource: "/subscriptions/s1/resourcegroups/r/providers/microsoft.recoveryservices/vaults/v".into(),
            kind: "microsoft.recoveryservices/vaults".into(),
            tenant: "t1".into(),
        };
        let off = with(&registry, |a| (a.public, a.trusted) = (PublicAccess::Disabled, true));
        assert_eq!(admit(&off, &endpoint("a", "t1")).item, Item::PublicAccess(PublicAccess::Disabled));
        assert_eq!(admit(&off, &vault).admitted, Tri::Yes, "trusted services come first");
        let mut basic = off.clone();
        basic.store.kind = "standard".into();
        assert_eq!(admit(&basic, &internet("198.51.100.7")).admitted, Tri::Maybe, "a switch that its tier does not have");
        let basic_on = with(&basic, |a| a.public = PublicAccess::Enabled);
        assert_eq!(admit(&basic_on, &internet("198.51.100.7")).item, Item::NoFirewall);
        basic.store.kind = "".into();
        assert_eq!(admit(&basic, &internet("198.51.100.7")).admitted, Tri::Maybe);
    }
}
