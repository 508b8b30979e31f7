//! The firewall of a key vault.

use crate::facts::store_facts::PublicAccess;
use crate::model::Tri;
use crate::rules::paas_firewall::{Decision, Firewall, Item, NO_MATCH, Origin, Source, by_trust, ip_rule, settle, subnet_rule};

/// The perimeter's switch locks everybody out; else trusted services pass, even a closed vault; then the switch, the default action and the rules
/// (KV-01 … KV-05).
///
/// Sources in the vault's region show ordinary public addresses (KV-04). A subnet of any tenant may be named (SE-20).
///
/// ```datalog
/// admits_trusted(S) :- store(S, "keyvault", _, _), store_access(S, P, _, true, _, _), P != "securedbyperimeter". // keyvault.1
/// ```
pub fn admit(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    let mut bypass = NO_MATCH;
    let matched = match source {
        Source::ServiceEndpoint { subnet, tenant, .. } => subnet_rule(firewall, *subnet, *tenant, false),
        Source::SameRegionAzure => ip_rule(firewall, &Source::Public { addresses: Vec::new(), certain: false, origin: Origin::Azure }),
        Source::Public { .. } | Source::AnyPublic { .. } => ip_rule(firewall, source),
        Source::Caller { .. } => {
            if access.public != PublicAccess::SecuredByPerimeter {
                bypass = by_trust(firewall, access.trusted, source);
            }
            ip_rule(firewall, source)
        }
    };
    settle(bypass, access.public, access.default_allow, matched)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Item, Source, admit};
    use crate::facts::store_facts::{PublicAccess, Service};
    use crate::model::Tri;

    // covers: KV-01, KV-02, KV-03
    #[test]
    fn trusted_services_pass_a_disabled_vault_but_no_perimeter() {
        let vault = |tenant: &str| Source::Caller {
            resource: "/subscriptions/s1/resourcegroups/r/providers/microsoft.recoveryservices/vaults/v".into(),
            kind: "microsoft.recoveryservices/vaults".into(),
            tenant: tenant.into(),
        };
        let off = with(&store(Service::KeyVault), |a| (a.public, a.trusted) = (PublicAccess::Disabled, true));
        assert_eq!(admit(&off, &vault("t1")).item, Item::Trusted);
        assert_eq!(admit(&off, &internet("198.51.100.7")).item, Item::PublicAccess(PublicAccess::Disabled));
        assert_eq!(admit(&with(&off, |a| a.public = PublicAccess::SecuredByPerimeter), &vault("t1")).admitted, Tri::No);
    }

    // covers: KV-02, KV-04, SE-20, SE-26
    #[test]
    fn rules_admit_subnets_of_any_tenant_and_addresses_of_any_region() {
        let mut deny = store(Service::KeyVault);
        deny.subnet_rules = subnets(&[("a", Tri::Yes)]);
        deny.ip_rules = ips(&[("20.0.0.1", "20.0.0.1")]);
        assert_eq!(admit(&deny, &endpoint("a", "tx")).admitted, Tri::Yes);
        assert_eq!(admit(&deny, &azure("20.0.0.1")).admitted, Tri::Yes);
        assert_eq!(admit(&deny, &Source::SameRegionAzure).admitted, Tri::Maybe);
        assert_eq!(admit(&with(&deny, |a| a.default_allow = Tri::Yes), &internet("198.51.100.7")).admitted, Tri::Yes);
    }
}
