//! Types that never matter for what reaches what: reviewed, each with its reason.

/// Types (lower case, sorted) whose resources get their `resource` row and no gap, and why.
///
/// A type is on the list only if no configuration of it can open, close or divert a flow, or name an address. When in doubt it is not.
pub const INERT: &[(&str, &str)] = &[
    ("microsoft.advisor/recommendations", "advice, no configuration"),
    ("microsoft.alertsmanagement/actionrules", "monitoring"),
    ("microsoft.alertsmanagement/smartdetectoralertrules", "monitoring"),
    ("microsoft.appconfiguration/configurationstores/keyvalues", "reached through its store"),
    ("microsoft.authorization/locks", "control plane"),
    ("microsoft.authorization/policyassignments", "control plane"),
    ("microsoft.authorization/policyexemptions", "control plane"),
    ("microsoft.authorization/policysetdefinitions", "control plane"),
    ("microsoft.authorization/roleassignments", "permissions, not the network (M-12)"),
    ("microsoft.authorization/roledefinitions", "permissions, not the network (M-12)"),
    ("microsoft.billing/billingaccounts", "billing"),
    ("microsoft.compute/availabilitysets", "placement of machines"),
    ("microsoft.compute/disks", "no network address"),
    ("microsoft.compute/galleries", "images"),
    ("microsoft.compute/galleries/images", "images"),
    ("microsoft.compute/galleries/images/versions", "images"),
    ("microsoft.compute/images", "images"),
    ("microsoft.compute/proximityplacementgroups", "placement of machines"),
    ("microsoft.compute/snapshots", "no network address"),
    ("microsoft.compute/sshpublickeys", "credentials"),
    ("microsoft.compute/virtualmachines/extensions", "software inside a machine"),
    ("microsoft.compute/virtualmachines/runcommands", "software inside a machine"),
    ("microsoft.compute/virtualmachinescalesets/extensions", "software inside a machine"),
    ("microsoft.containerregistry/registries/scopemaps", "permissions, not the network (M-12)"),
    ("microsoft.containerregistry/registries/tokens", "permissions, not the network (M-12)"),
    ("microsoft.costmanagement/exports", "billing"),
    ("microsoft.dbformariadb/servers/databases", "reached through its server"),
    ("microsoft.dbformariadb/servers/securityalertpolicies", "monitoring"),
    ("microsoft.dbformysql/flexibleservers/administrators", "permissions, not the network (M-12)"),
    ("microsoft.dbformysql/flexibleservers/configurations", "settings of the engine"),
    ("microsoft.dbformysql/flexibleservers/databases", "reached through its server"),
    ("microsoft.dbformysql/servers/administrators", "permissions, not the network (M-12)"),
    ("microsoft.dbformysql/servers/databases", "reached through its server"),
    ("microsoft.dbformysql/servers/securityalertpolicies", "monitoring"),
    ("microsoft.dbforpostgresql/flexibleservers/administrators", "permissions, not the network (M-12)"),
    ("microsoft.dbforpostgresql/flexibleservers/configurations", "settings of the engine"),
    ("microsoft.dbforpostgresql/flexibleservers/databases", "reached through its server"),
    ("microsoft.dbforpostgresql/servers/administrators", "permissions, not the network (M-12)"),
    ("microsoft.dbforpostgresql/servers/databases", "reached through its server"),
    ("microsoft.documentdb/databaseaccounts/sqldatabases", "reached through its account"),
    ("microsoft.documentdb/databaseaccounts/sqldatabases/containers", "reached through its account"),
    ("microsoft.documentdb/databaseaccounts/sqlroleassignments", "permissions, not the network (M-12)"),
    ("microsoft.documentdb/databaseaccounts/sqlroledefinitions", "permissions, not the network (M-12)"),
    ("microsoft.eventhub/namespaces/authorizationrules", "permissions, not the network (M-12)"),
    ("microsoft.eventhub/namespaces/eventhubs/consumergroups", "reached through its namespace"),
    ("microsoft.insights/actiongroups", "monitoring"),
    ("microsoft.insights/activitylogalerts", "monitoring"),
    ("microsoft.insights/autoscalesettings", "number of instances"),
    ("microsoft.insights/components", "monitoring"),
    ("microsoft.insights/datacollectionrules", "monitoring"),
    ("microsoft.insights/metricalerts", "monitoring"),
    ("microsoft.insights/scheduledqueryrules", "monitoring"),
    ("microsoft.insights/webtests", "monitoring"),
    ("microsoft.insights/workbooks", "monitoring"),
    ("microsoft.keyvault/vaults/accesspolicies", "permissions, not the network (M-12)"),
    ("microsoft.keyvault/vaults/keys", "reached through its vault"),
    ("microsoft.keyvault/vaults/secrets", "reached through its vault"),
    ("microsoft.maintenance/configurationassignments", "time of updates"),
    ("microsoft.maintenance/maintenanceconfigurations", "time of updates"),
    ("microsoft.managedidentity/userassignedidentities", "an identity, not the network (M-12)"),
    ("microsoft.network/ddosprotectionplans", "protection of public addresses, no filter of flows"),
    ("microsoft.network/firewallpolicies/firewallpolicydrafts", "a draft, not in force"),
    ("microsoft.network/firewallpolicies/rulecollectiongroups/rulecollectiongroupdrafts", "a draft, not in force"),
    ("microsoft.network/networkintentpolicies", "made by a service, forbids changes and filters nothing"),
    ("microsoft.network/networkwatchers", "monitoring"),
    ("microsoft.network/networkwatchers/connectionmonitors", "monitoring"),
    ("microsoft.network/networkwatchers/flowlogs", "monitoring"),
    ("microsoft.network/networkwatchers/packetcaptures", "monitoring"),
    ("microsoft.operationalinsights/workspaces", "monitoring"),
    ("microsoft.operationalinsights/workspaces/savedsearches", "monitoring"),
    ("microsoft.operationsmanagement/solutions", "monitoring"),
    ("microsoft.policyinsights/remediations", "control plane"),
    ("microsoft.portal/dashboards", "monitoring"),
    ("microsoft.resources/deployments", "the record of a deployment; what it made are resources of their own"),
    ("microsoft.resources/subscriptions", "a container"),
    ("microsoft.resources/subscriptions/resourcegroups", "a container"),
    ("microsoft.resources/tags", "tags"),
    ("microsoft.resources/templatespecs", "a template"),
    ("microsoft.resources/templatespecs/versions", "a template"),
    ("microsoft.security/autoprovisioningsettings", "monitoring"),
    ("microsoft.security/pricings", "billing"),
    ("microsoft.security/securitycontacts", "monitoring"),
    ("microsoft.servicebus/namespaces/authorizationrules", "permissions, not the network (M-12)"),
    ("microsoft.servicebus/namespaces/queues", "reached through its namespace"),
    ("microsoft.servicebus/namespaces/topics", "reached through its namespace"),
    ("microsoft.servicebus/namespaces/topics/subscriptions", "reached through its namespace"),
    ("microsoft.sql/servers/administrators", "permissions, not the network (M-12)"),
    ("microsoft.sql/servers/auditingsettings", "monitoring"),
    ("microsoft.sql/servers/azureadonlyauthentications", "permissions, not the network (M-12)"),
    ("microsoft.sql/servers/databases", "reached through its server"),
    ("microsoft.sql/servers/databases/transparentdataencryption", "encryption at rest"),
    ("microsoft.sql/servers/elasticpools", "reached through its server"),
    ("microsoft.sql/servers/securityalertpolicies", "monitoring"),
    ("microsoft.sql/servers/vulnerabilityassessments", "monitoring"),
    ("microsoft.storage/storageaccounts/blobservices", "reached through its account"),
    ("microsoft.storage/storageaccounts/blobservices/containers", "reached through its account"),
    ("microsoft.storage/storageaccounts/fileservices", "reached through its account"),
    ("microsoft.storage/storageaccounts/fileservices/shares", "reached through its account"),
    ("microsoft.storage/storageaccounts/managementpolicies", "life of blobs"),
    ("microsoft.storage/storageaccounts/queueservices", "reached through its account"),
    ("microsoft.storage/storageaccounts/queueservices/queues", "reached through its account"),
    ("microsoft.storage/storageaccounts/tableservices", "reached through its account"),
    ("microsoft.storage/storageaccounts/tableservices/tables", "reached through its account"),
    ("microsoft.web/serverfarms", "capacity; the apps on it are resources of their own"),
    ("microsoft.web/sites/basicpublishingcredentialspolicies", "permissions, not the network (M-12)"),
];

/// Why the type (lower case) never matters; `None` where it may.
pub fn reason(kind: &str) -> Option<&'static str> {
    if let Some((_, reason)) = INERT.iter().find(|(inert, _)| *inert == kind) {
        return Some(reason);
    }
    // Every service can be asked what could be connected to it.
    kind.ends_with("/privatelinkresources").then_some("what could be connected, not what is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_is_both_inert_and_modelled_or_there_twice() {
        for (kind, reason) in INERT {
            assert!(!super::super::is_modelled(kind), "{kind}");
            assert!(!reason.is_empty() && *kind == kind.to_lowercase());
            assert_eq!(INERT.iter().filter(|(other, _)| other == kind).count(), 1, "{kind}");
        }
    }
}
