//! Resources that call in their own name: resource instance rules and the services Azure trusts.

use crate::facts::store_facts::StoreResourceRule;
use crate::model::{Sym, Tri};

/// Services whose fixed operations pass the bypass for resources of the same tenant (ST-08, group 1).
const TRUSTED: [&str; 14] = [
    "microsoft.databox/jobs",
    "microsoft.dataprotection/backupvaults",
    "microsoft.eventgrid/domains",
    "microsoft.eventgrid/systemtopics",
    "microsoft.eventgrid/topics",
    "microsoft.eventhub/namespaces",
    "microsoft.hdinsight/clusters",
    "microsoft.importexport/jobs",
    "microsoft.insights/components",
    "microsoft.insights/diagnosticsettings",
    "microsoft.network/networkwatchers",
    "microsoft.network/networkwatchers/flowlogs",
    "microsoft.recoveryservices/vaults",
    "microsoft.storagesync/storagesyncservices",
];

/// Machines, apps and accounts, which the bypass never admits (ST-08).
const UNTRUSTED: [&str; 6] = [
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.storage/storageaccounts",
    "microsoft.web/sites",
    "microsoft.web/sites/slots",
    "microsoft.network/networkinterfaces",
];

/// Whether the bypass admits a caller of type `kind` whose tenant is the store's or not.
///
/// Of the many services that pass only with a managed identity and a role on the data nobody sees whether they have it: maybe (ST-08, group 2; M-12).
pub fn trusted(kind: Sym, same_tenant: Tri) -> Tri {
    if TRUSTED.contains(&kind.as_str()) {
        same_tenant
    } else if UNTRUSTED.contains(&kind.as_str()) {
        Tri::No
    } else {
        same_tenant.and(Tri::Maybe)
    }
}

/// Whether the rule names the caller: every segment equal, `*` stands for any (ST-09). A rule of which nobody knows whom it names may name it (M-03).
pub fn named(rule: &StoreResourceRule, resource: Sym, tenant: Sym) -> Tri {
    let same_tenant = if rule.tenant.is_empty() || tenant.is_empty() { Tri::Maybe } else { Tri::from_bool(rule.tenant == tenant) };
    let (pattern, id) = (rule.resource.as_str(), resource.as_str());
    let equal = |a: &str, b: &str| {
        a.split('/').count() == b.split('/').count() && a.split('/').zip(b.split('/')).all(|(want, is)| want == "*" || want == is)
    };
    let matches = if pattern.is_empty() {
        Tri::Maybe
    } else if equal(pattern, id) {
        Tri::Yes
    } else if pattern.contains('*') {
        // A star that stands for several segments: the type and name behind the provider must still agree.
        match (pattern.split_once("/providers/"), id.split_once("/providers/")) {
            (Some((_, want)), Some((_, is))) if equal(want, is) && pattern.split('/').count() != id.split('/').count() => Tri::Maybe,
            _ => Tri::No,
        }
    } else {
        Tri::No
    };
    matches.and(same_tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: ST-09
    #[test]
    fn a_resource_rule_names_one_resource_or_all_of_a_type() {
        let f = Sym::new("/subscriptions/s1/resourcegroups/r/providers/microsoft.datafactory/factories/f");
        let rule = |resource: &str| StoreResourceRule { store: "a".into(), tenant: "t1".into(), resource: resource.into() };
        assert_eq!(named(&rule(f.as_str()), f, "t1".into()), Tri::Yes);
        assert_eq!(named(&rule(f.as_str()), f, "tx".into()), Tri::No);
        assert_eq!(named(&rule(f.as_str()), f, Sym::EMPTY), Tri::Maybe);
        let all = rule("/subscriptions/*/resourcegroups/*/providers/microsoft.datafactory/factories/*");
        assert_eq!(named(&all, f, "t1".into()), Tri::Yes);
        let group = rule("/subscriptions/s1/resourcegroups/other/providers/microsoft.datafactory/factories/*");
        assert_eq!(named(&group, f, "t1".into()), Tri::No);
        assert_eq!(named(&rule("/subscriptions/*/providers/microsoft.datafactory/factories/*"), f, "t1".into()), Tri::Maybe);
    }

    // covers: ST-08
    #[test]
    fn machines_are_not_trusted_and_identities_are_not_seen() {
        assert_eq!(trusted("microsoft.recoveryservices/vaults".into(), Tri::Yes), Tri::Yes);
        assert_eq!(trusted("microsoft.recoveryservices/vaults".into(), Tri::No), Tri::No);
        assert_eq!(trusted("microsoft.compute/virtualmachines".into(), Tri::Yes), Tri::No);
        assert_eq!(trusted("microsoft.storage/storageaccounts".into(), Tri::Yes), Tri::No);
        assert_eq!(trusted("microsoft.datafactory/factories".into(), Tri::Yes), Tri::Maybe);
    }
}
