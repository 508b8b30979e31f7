//! What stands beside the network in an export: permissions, keys, management, disks. None of it opens or closes a way, and nothing of it is called a gap.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use watertight::facts::Fact;
use watertight::facts::estate::Estate;
use watertight::ingest::{self, Input};

const NET: &str = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network";
const ACCOUNT: &str = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a1";

/// The rows that decide: all but the resources themselves and what is kept for checks.
fn deciding(document: &Value) -> BTreeSet<Fact> {
    let loaded = ingest::read(vec![Input { name: "a.json".to_owned(), bytes: document.to_string().into_bytes() }]);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let estate = Estate::from_loaded(loaded).0;
    estate.facts().filter(|fact| !matches!(fact, Fact::Resource(_) | Fact::Property(_))).collect()
}

fn account(more: &Value) -> Value {
    let mut properties = json!({"networkAcls": {"defaultAction": "Deny", "bypass": "None"}, "publicNetworkAccess": "Enabled"});
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"id": ACCOUNT, "name": "a1", "type": "Microsoft.Storage/storageAccounts", "kind": "StorageV2", "location": "westeurope",
        "sku": {"name": "Standard_LRS"}, "properties": properties})
}

// covers: M-12, ST-15
#[test]
fn keys_tokens_and_anonymous_access_change_no_row() {
    let plain = deciding(&json!([account(&json!({}))]));
    assert!(!plain.iter().any(|fact| matches!(fact, Fact::Gap(_))), "{plain:#?}");
    for more in [
        json!({"allowSharedKeyAccess": false}),
        json!({"allowBlobPublicAccess": true}),
        json!({"allowBlobPublicAccess": false, "defaultToOAuthAuthentication": true}),
        json!({"sasPolicy": {"sasExpirationPeriod": "1.00:00:00", "expirationAction": "Block"}, "keyPolicy": {"keyExpirationPeriodInDays": 30}}),
    ] {
        assert_eq!(deciding(&json!([account(&more)])), plain, "{more}");
    }
    // The next thing to it in the same body does decide.
    assert_ne!(deciding(&json!([account(&json!({"networkAcls": {"defaultAction": "Allow", "bypass": "None"}}))])), plain);
}

// covers: ST-10
#[test]
fn a_bypass_for_logs_and_metrics_trusts_nobody() {
    let with = |bypass: &str| deciding(&json!([account(&json!({"networkAcls": {"defaultAction": "Deny", "bypass": bypass}}))]));
    let none = with("None");
    assert_eq!(with("Logging, Metrics"), none);
    assert_eq!(with("Logging"), none);
    assert_ne!(with("Logging, Metrics, AzureServices"), none);
}

// covers: M-13, SE-28
#[test]
fn roles_locks_and_policies_are_of_the_control_plane() {
    let of = |kind: &str, properties: Value| json!({"id": format!("{ACCOUNT}/providers/{kind}/x"), "name": "x", "type": kind, "properties": properties});
    let plain = deciding(&json!([account(&json!({}))]));
    let around = json!([
        account(&json!({})),
        of("Microsoft.Authorization/roleAssignments", json!({"principalId": "p", "roleDefinitionId": "owner"})),
        of("Microsoft.Authorization/locks", json!({"level": "CanNotDelete"})),
        of("Microsoft.Authorization/policyAssignments", json!({"enforcementMode": "Default"})),
        // Who may add a rule for a subnet is a permission: the rule is the fact.
        of(
            "Microsoft.Authorization/roleDefinitions",
            json!({"permissions": [{"actions": [
            "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"]}]})
        ),
    ]);
    assert_eq!(deciding(&around), plain);
    // An account has endpoints for data, and none by which it is managed.
    let parts: BTreeSet<String> =
        plain.iter().filter_map(|fact| if let Fact::StorePart(row) = fact { Some(row.part.to_string()) } else { None }).collect();
    assert_eq!(parts, ["blob", "dfs", "file", "queue", "table", "web"].map(str::to_owned).into());
}

// covers: SE-24, ST-14
#[test]
fn a_disk_is_no_way_to_an_account() {
    let machine = |disk: Value| {
        let id = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/m";
        json!({"id": id, "name": "m", "type": "Microsoft.Compute/virtualMachines", "location": "westeurope", "properties": {
            "storageProfile": {"osDisk": disk}, "networkProfile": {"networkInterfaces": [{"id": format!("{NET}/networkInterfaces/n")}]}}})
    };
    let none = deciding(&json!([account(&json!({})), machine(json!({}))]));
    let unmanaged = machine(json!({"vhd": {"uri": "https://a1.blob.core.windows.net/vhds/os.vhd"}}));
    assert_eq!(deciding(&json!([account(&json!({})), unmanaged])), none, "the account's firewall does not see the disk");
    let id = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/disks/d";
    let managed = machine(json!({"managedDisk": {"id": id}}));
    let disk = json!({"id": id, "name": "d", "type": "Microsoft.Compute/disks", "location": "westeurope", "properties": {"networkAccessPolicy": "AllowAll"}});
    assert_eq!(deciding(&json!([account(&json!({})), managed, disk])), none);
}

// covers: M-02
#[test]
fn one_account_is_the_same_in_every_shape_of_export() {
    let rest = account(&json!({"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7", "action": "Allow"}]}}));
    let as_rest = deciding(&json!({"value": [rest.clone()]}));
    // A row of Resource Graph: the type in lower case, tenant, subscription and group as columns.
    let mut row = rest.clone();
    row["type"] = json!("microsoft.storage/storageaccounts");
    row["id"] = json!(ACCOUNT.to_lowercase());
    for (column, value) in [("tenantId", "t1"), ("subscriptionId", "s1"), ("resourceGroup", "rg")] {
        row[column] = json!(value);
    }
    assert_eq!(deciding(&json!({"data": [row.clone()], "count": 1, "totalRecords": 1})), as_rest);
    assert_eq!(deciding(&json!([row])), as_rest);
    // The command line tool puts the properties beside the id.
    let mut flat = json!({"id": ACCOUNT, "name": "a1", "resourceGroup": "rg", "type": "Microsoft.Storage/storageAccounts", "kind": "StorageV2", "location": "westeurope",
        "sku": {"name": "Standard_LRS"}, "publicNetworkAccess": "Enabled"});
    flat["networkRuleSet"] = json!({"defaultAction": "Deny", "ipRules": [{"ipAddressOrRange": "203.0.113.7", "action": "Allow"}]});
    assert_eq!(deciding(&json!([flat])), as_rest);

    // Record sets come from a table of their own.
    let zone = format!("{NET}/privateDnsZones/privatelink.blob.core.windows.net");
    let a = json!({"aRecords": [{"ipv4Address": "10.0.1.9"}], "ttl": 10});
    let rest = json!([{"id": format!("{zone}/A/a1"), "name": "a1", "type": "Microsoft.Network/privateDnsZones/A", "properties": a}]);
    let graph = json!({"data": [{"id": format!("{zone}/a/a1").to_lowercase(), "name": "a1", "type": "microsoft.network/privatednszones/a",
        "tenantId": "t1", "subscriptionId": "s1", "resourceGroup": "rg", "properties": a}]});
    assert_eq!(deciding(&graph), deciding(&rest));
    assert!(deciding(&rest).iter().any(|fact| matches!(fact, Fact::ZoneRecord(_))));
}

// covers: PE-39
#[test]
fn the_high_scale_mode_of_a_network_changes_limits_only() {
    let vnet = |policies: &str| {
        deciding(
            &json!([{"id": format!("{NET}/virtualNetworks/v"), "name": "v", "type": "Microsoft.Network/virtualNetworks", "location": "westeurope",
            "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [], "virtualNetworkPeerings": [],
                "privateEndpointVNetPolicies": policies}}]),
        )
    };
    let (mut high, usual) = (vnet("Basic"), vnet("Disabled"));
    // How its endpoints are routed to is a rule of its own (RTE-14).
    high.retain(|fact| !matches!(fact, Fact::VnetBasicEndpointPolicies(_)));
    assert_eq!(high, usual);
}

// covers: X-25, ACR-04
#[test]
fn settings_that_send_are_rows_and_those_that_are_off_are_none() {
    const GROUP: &str = "/subscriptions/s1/resourceGroups/rg/providers";
    let of = |id: &str, kind: &str, properties: Value| json!({"id": format!("{GROUP}/{id}"), "name": "x", "type": kind, "location": "westeurope", "properties": properties});
    let sent = |document: Value| {
        let cut = |id: watertight::model::Sym| id.as_str().rsplit('/').next().unwrap_or_default().to_owned();
        let rows = deciding(&document).into_iter().filter_map(|fact| match fact {
            Fact::DeclaredCopy(row) => Some(format!("{} {} {:?}", cut(row.source), cut(row.destination), row.in_force)),
            _ => None,
        });
        rows.collect::<Vec<String>>()
    };
    let setting = |on: bool| {
        let id = "Microsoft.KeyVault/vaults/k/providers/Microsoft.Insights/diagnosticSettings/x";
        of(
            id,
            "Microsoft.Insights/diagnosticSettings",
            json!({"storageAccountId": ACCOUNT, "logs": [{"category": "AuditEvent", "enabled": on}], "metrics": [],
            "eventHubAuthorizationRuleId": format!("{GROUP}/Microsoft.EventHub/namespaces/n/authorizationRules/r")}),
        )
    };
    assert_eq!(sent(json!([setting(true)])), ["k a1 Yes", "k n Yes"]);
    assert_eq!(sent(json!([setting(false)])), [] as [&str; 0]);
    let hub = |on: bool| {
        of(
            "Microsoft.EventHub/namespaces/n/eventhubs/h",
            "Microsoft.EventHub/namespaces/eventhubs",
            json!({"captureDescription": {"enabled": on,
            "destination": {"name": "EventHubArchive.AzureBlockBlob", "properties": {"storageAccountResourceId": ACCOUNT}}}}),
        )
    };
    assert_eq!(sent(json!([hub(true)])), ["n a1 Yes"]);
    assert_eq!(sent(json!([hub(false)])), [] as [&str; 0]);
    let pipeline = of(
        "Microsoft.ContainerRegistry/registries/r/exportPipelines/x",
        "Microsoft.ContainerRegistry/registries/exportPipelines",
        json!({"target": {"type": "AzureStorageBlobContainer", "uri": "https://theirs.blob.core.windows.net/images"}}),
    );
    assert_eq!(sent(json!([pipeline])), ["r theirs Yes"]);
    let registry = |status: &str| {
        let mut registry = of(
            "Microsoft.ContainerRegistry/registries/r",
            "Microsoft.ContainerRegistry/registries",
            json!({"loginServer": "r.azurecr.io",
            "policies": {"exportPolicy": {"status": status}}}),
        );
        registry["sku"] = json!({"name": "Premium"});
        deciding(&json!([registry])).iter().any(|fact| matches!(fact, Fact::StoreExportOff(_)))
    };
    assert_eq!([registry("disabled"), registry("enabled")], [true, false]);
}
