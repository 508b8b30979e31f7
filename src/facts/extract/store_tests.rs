//! What stores and other services become.

use serde_json::{Value, json};

use super::tests::{NET, has, lacks, rows};

const RESOURCES: &str = "/subscriptions/s/resourcegroups/rg/providers";

fn resource(kind_and_name: &str, more: Value, properties: Value) -> Value {
    let mut body = json!({"id": format!("{RESOURCES}/{kind_and_name}"), "location": "westeurope", "properties": properties});
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    body
}

/// The rows with `~` for the path of the resource `kind_and_name`.
fn rows_of(kind_and_name: &str, bodies: Value) -> Vec<String> {
    let path = format!("{RESOURCES}/{}", kind_and_name.to_lowercase());
    rows(bodies).into_iter().map(|row| row.replace(&path, "@")).collect()
}

#[test]
fn a_storage_account_says_the_same_in_both_spellings() {
    let account = |properties: Value| {
        let id = format!("{NET}/storageAccounts/Acc").replace("network", "storage");
        rows(json!([{"id": id, "kind": "StorageV2", "sku": {"name": "Standard_RAGRS"}, "location": "eastus", "properties": properties}]))
    };
    let subnet = format!("{NET}/virtualNetworks/v/subnets/s");
    let rest = account(json!({"supportsHttpsTrafficOnly": false, "networkAcls": {"defaultAction": "Deny", "bypass": "Logging, Metrics",
        "ipRules": [{"value": "203.0.113.0/24", "action": "Allow"}], "virtualNetworkRules": [{"id": subnet, "state": "provisioning"}]}}));
    let tool = account(json!({"enableHttpsTrafficOnly": false, "networkRuleSet": {"defaultAction": "Deny", "bypass": "Logging, Metrics",
        "ipRules": [{"ipAddressOrRange": "203.0.113.0-203.0.113.255"}],
        "virtualNetworkRules": [{"virtualNetworkResourceId": subnet, "state": "Provisioning"}]}}));
    // What is stated is kept as it is spelled, for checks that look at the spelling.
    let meant = |rows: &[String]| rows.iter().filter(|row| !row.starts_with("property(")).cloned().collect::<Vec<_>>();
    assert_eq!(meant(&rest), meant(&tool));
    let store = "/subscriptions/s/resourcegroups/rg/providers/microsoft.storage/storageaccounts/acc";
    has(&rest, &format!("store_access({store}, enabled, no, false, true, false)"));
    has(&rest, &format!("store_ip_rule({store}/iprules/0, {store}, 203.0.113.0, 203.0.113.255)"));
    has(&rest, &format!("store_subnet_rule({store}/virtualnetworkrules/0, {store}, ~/virtualnetworks/v/subnets/s, maybe)"));
    has(&rest, &format!("store_part({store}, blob, secondary, acc-secondary.blob.core.windows.net, )"));
    lacks(&rest, &format!("store_part({store}, file, secondary"));
}

/// covers: J-02
#[test]
fn a_type_without_an_extractor_still_has_its_place_and_its_connections() {
    let rows = rows(json!([{
        "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Sql/managedInstances/m",
        "properties": {
            "subnetId": format!("{NET}/virtualNetworks/v/subnets/mi"),
            "privateEndpointConnections": [{"name": "c", "properties": {"privateEndpoint": {"id": format!("{NET}/privateEndpoints/e")},
                "privateLinkServiceConnectionState": {"status": "Removed"}}}],
        },
    }]));
    let instance = "/subscriptions/s/resourcegroups/rg/providers/microsoft.sql/managedinstances/m";
    has(&rows, &format!("gap({instance}, microsoft.sql/managedinstances, this type is not modelled)"));
    has(&rows, &format!("device({instance}, other, ~/virtualnetworks/v/subnets/mi)"));
    has(
        &rows,
        &format!("provider_connection({instance}/privateendpointconnections/c, {instance}, ~/privateendpoints/e, disconnected, true)"),
    );
    has(&rows, &format!("child_type({instance}, microsoft.sql/managedinstances/privateendpointconnections)"));
}

// covers: COS-01, COS-03, COS-04, DNS-36
#[test]
fn a_cosmos_account_has_a_filter_once_it_has_rules() {
    let name = "Microsoft.DocumentDB/databaseAccounts/c";
    let account = |properties: Value| rows_of(name, json!([resource(name, json!({"kind": "GlobalDocumentDB"}), properties)]));
    let open = account(json!({"documentEndpoint": "https://c.documents.azure.com:443/", "ipRules": [],
        "isVirtualNetworkFilterEnabled": false, "virtualNetworkRules": [{"id": format!("{NET}/virtualNetworks/v/subnets/s")}]}));
    has(&open, "store_access(@, enabled, yes, false, false, false)");
    has(&open, "store_part(@, sql, primary, c.documents.azure.com, westeurope)");
    lacks(&open, "store_subnet_rule");
    let listed = account(json!({"ipRangeFilter": "20.0.0.1,0.0.0.0, 20.1.0.0/16", "publicNetworkAccess": "Disabled"}));
    has(&listed, "store_access(@, disabled, no, false, false, false)");
    has(&listed, "store_ip_rule(@/iprangefilter/1, @, 0.0.0.0, 0.0.0.0)");
    has(&listed, "store_ip_rule(@/iprangefilter/2, @, 20.1.0.0, 20.1.255.255)");
    let regions = json!([{"locationName": "West Europe"}, {"locationName": "North Europe"}]);
    let graph = account(json!({"locations": regions, "capabilities": [{"name": "EnableGremlin"}], "networkAclBypass": "AzureServices",
        "isVirtualNetworkFilterEnabled": true, "virtualNetworkRules": [{"id": format!("{NET}/virtualNetworks/v/subnets/s")}],
        "networkAclBypassResourceIds": ["/subscriptions/s/resourceGroups/rg/providers/Microsoft.Synapse/workspaces/w"]}));
    has(&graph, "store_part(@, sql.northeurope, primary, c-northeurope.documents.azure.com, northeurope)");
    has(&graph, "store_part(@, gremlin, primary, c.gremlin.cosmos.azure.com, westeurope)");
    has(&graph, "store_access(@, enabled, no, true, false, false)");
    has(&graph, "store_subnet_rule(@/virtualnetworkrules/0, @, ~/virtualnetworks/v/subnets/s, yes)");
    has(&graph, "store_resource_rule(@, , /subscriptions/s/resourcegroups/rg/providers/microsoft.synapse/workspaces/w)");
    lacks(&graph, "gap");
}

// covers: SQL-10, SND-02, M-03
#[test]
fn a_server_says_whether_it_is_restricted_to_hosts_or_nobody_knows() {
    let name = "Microsoft.Sql/servers/s";
    let server = |body: Value| rows_of(name, json!([resource(name, json!({}), body)]));
    let said = |value: Value| server(json!({"restrictOutboundNetworkAccess": value}));
    for open in [server(json!({})), said(Value::Null), said(json!("disabled"))] {
        has(&open, "store_access(@, enabled, no, false, false, false)");
        lacks(&open, "store_switch(");
    }
    has(&said(json!("Enabled")), "store_access(@, enabled, no, false, false, true)");
    lacks(&said(json!("Enabled")), "store_switch(");
    for unknown in [said(json!("zap")), said(json!(5)), said(json!(true)), said(json!([])), server(Value::Null)] {
        has(&unknown, "store_switch(@, outbound, maybe)");
    }
    has(&said(json!("zap")), "gap(@, microsoft.sql/servers, `restrictOutboundNetworkAccess` has the unknown value `zap`)");
}

// covers: SQL-10, M-03
#[test]
fn the_name_of_an_outbound_rule_is_all_it_says() {
    let name = "Microsoft.Sql/servers/s/outboundFirewallRules/x.blob.core.windows.net";
    for body in [json!({"provisioningState": "Ready"}), Value::Null] {
        let rows = rows_of(name, json!([resource(name, json!({}), body)]));
        has(&rows, &format!("store_outbound_rule(@, {RESOURCES}/microsoft.sql/servers/s, x.blob.core.windows.net)"));
    }
}

// covers: ST-09, M-03
#[test]
fn a_rule_for_a_resource_that_names_none_may_be_for_any() {
    let name = "Microsoft.Storage/storageAccounts/a";
    let rules = json!([{"tenantId": "t", "resourceId": "zap"}]);
    let rows = rows_of(name, json!([resource(name, json!({}), json!({"networkAcls": {"resourceAccessRules": rules}}))]));
    has(&rows, "store_resource_rule(@, t, )");
    has(
        &rows,
        "gap(@, microsoft.storage/storageaccounts, `properties.networkAcls.resourceAccessRules` has a rule whose `resourceId` is no id of a resource)",
    );
}

// covers: MSG-01, MSG-03, MSG-04, ACR-01, ACR-03
#[test]
fn tiers_count_and_rule_sets_are_children() {
    let name = "Microsoft.EventHub/namespaces/h";
    let hubs = rows_of(
        name,
        json!([
            resource(
                name,
                json!({"sku": {"name": "Standard", "tier": "Standard"}}),
                json!({"serviceBusEndpoint": "https://h.servicebus.windows.net:443/"})
            ),
            resource(
                &format!("{name}/networkRuleSets/default"),
                json!({}),
                json!({
                    "trustedServiceAccessEnabled": true, "ipRules": [{"ipMask": "20.0.0.0/31", "action": "Allow"}],
                    "virtualNetworkRules": [{"subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}}],
                })
            ),
        ]),
    );
    has(&hubs, "store(@, eventhub, standard, westeurope)");
    has(&hubs, "store_part(@, namespace, primary, h.servicebus.windows.net, westeurope)");
    has(&hubs, "store_rule_set(@/networkrulesets/default, @, , enabled, yes, true)");
    has(&hubs, "store_ip_rule(@/networkrulesets/default/iprules/0, @, 20.0.0.0, 20.0.0.1)");
    has(&hubs, "store_subnet_rule(@/networkrulesets/default/virtualnetworkrules/0, @, ~/virtualnetworks/v/subnets/s, yes)");
    let name = "Microsoft.ContainerRegistry/registries/r";
    let registry = rows_of(
        name,
        json!([resource(
            name,
            json!({"sku": {"name": "Premium", "tier": "Premium"}}),
            json!({"loginServer": "r.azurecr.io",
            "dataEndpointEnabled": true, "dataEndpointHostNames": ["r.westeurope.data.azurecr.io"], "networkRuleBypassOptions": "None",
            "networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": "20.0.0.1"}]}})
        )]),
    );
    has(&registry, "store(@, acr, premium, westeurope)");
    has(&registry, "store_part(@, registry.westeurope, primary, r.westeurope.data.azurecr.io, westeurope)");
    has(&registry, "store_access(@, enabled, no, false, false, false)");
    has(&registry, "store_ip_rule(@/iprules/0, @, 20.0.0.1, 20.0.0.1)");
}

// covers: APP-01, APP-03, APP-04, APP-05, APP-06, DNS-37
#[test]
fn access_restrictions_are_two_ordered_lists() {
    let name = "Microsoft.Web/sites/w";
    let app = rows_of(
        name,
        json!([
            resource(
                name,
                json!({"kind": "app"}),
                json!({"defaultHostName": "w.azurewebsites.net", "publicNetworkAccess": null,
                "virtualNetworkSubnetId": format!("{NET}/virtualNetworks/v/subnets/apps"), "siteConfig": {"ipSecurityRestrictions": null}})
            ),
            resource(&format!("{name}/slots/staging"), json!({}), json!({})),
            resource(&format!("{name}/config/appsettings"), json!({}), json!({"A": "b"})),
            resource(
                &format!("{name}/config/web"),
                json!({}),
                json!({
                    "ipSecurityRestrictions": [
                        {"name": "Deny all", "ipAddress": "Any", "action": "Deny", "priority": 2_147_483_647},
                        {"name": "door", "ipAddress": "AzureFrontDoor.Backend", "tag": "ServiceTag", "action": "Allow", "priority": 200,
                         "headers": {"x-azure-fdid": ["1"]}},
                        {"name": "net", "vnetSubnetResourceId": format!("{NET}/virtualNetworks/v/subnets/s"), "action": "Allow", "priority": 100},
                        {"name": "two", "ipAddress": "20.0.0.1/32,20.0.0.3/32", "action": "Allow", "priority": 150},
                    ],
                    "scmIpSecurityRestrictions": [], "scmIpSecurityRestrictionsDefaultAction": "Deny",
                })
            ),
        ]),
    );
    has(&app, "store_access(@, unset, maybe, false, false, false)");
    has(&app, "store_part(@, scm, primary, w.scm.azurewebsites.net, westeurope)");
    has(&app, "store_part(@/slots/staging, sites, primary, w-staging.azurewebsites.net, westeurope)");
    has(&app, "device(@, other, ~/virtualnetworks/v/subnets/apps)");
    let main = "@/config/web/ipsecurityrestrictions";
    has(&app, &format!("store_rule_set({main}, @, sites, unset, no, false)"));
    has(&app, "store_rule_set(@/config/web/scmipsecurityrestrictions, @, scm, unset, no, false)");
    has(&app, &format!("store_list_rule({main}/0-net, {main}, 0, true, , ~/virtualnetworks/v/subnets/s, true)"));
    has(&app, &format!("store_list_rule({main}/1-two, {main}, 1, true, 20.0.0.1/32,20.0.0.3/32, , true)"));
    has(&app, &format!("store_list_rule({main}/2-door, {main}, 2, true, azurefrontdoor.backend, , false)"));
    has(&app, &format!("store_list_rule({main}/3-deny all, {main}, 3, false, *, , true)"));
    lacks(&app, "gap");
    let use_main = rows_of(
        name,
        json!([resource(
            &format!("{name}/config/web"),
            json!({}),
            json!({"scmIpSecurityRestrictionsUseMain": true,
            "ipSecurityRestrictions": [{"ipAddress": "AnyVnets", "action": "Allow"}, {"ipAddress": "1.2.3.4.5", "action": "Maybe"}]})
        )]),
    );
    let scm = "@/config/web/scmipsecurityrestrictions";
    has(&use_main, &format!("store_list_rule({scm}/0, {scm}, 0, true, , *, true)"));
    has(&use_main, &format!("store_list_rule({scm}/1?, {scm}, 1, false, (unknown), , false)"));
}

// covers: APP-01, APP-05, M-03
#[test]
fn a_list_of_restrictions_that_is_not_there_was_left_out() {
    let name = "Microsoft.Web/sites/w";
    let of = |properties| rows_of(name, json!([resource(&format!("{name}/config/web"), json!({}), properties)]));
    let (main, scm) = ("@/config/web/ipsecurityrestrictions", "@/config/web/scmipsecurityrestrictions");
    let half = of(json!({"ipSecurityRestrictions": [], "ipSecurityRestrictionsDefaultAction": "Allow", "ScmIpSecurityRestrictions": null}));
    has(&half, &format!("store_rule_set({main}, @, sites, unset, yes, false)"));
    has(&half, &format!("store_rule_set({scm}, @, scm, unset, yes, false)"));
    lacks(&half, "gap");
    let none = of(json!({"ipSecurityRestrictionsDefaultAction": "Allow", "scmIpSecurityRestrictionsDefaultAction": "Deny"}));
    has(&none, &format!("store_rule_set({main}, @, sites, unset, maybe, false)"));
    has(&none, &format!("store_rule_set({scm}, @, scm, unset, maybe, false)"));
    let main_only = of(json!({"ipSecurityRestrictions": []}));
    has(&main_only, &format!("store_rule_set({main}, @, sites, unset, yes, false)"));
    has(&main_only, &format!("store_rule_set({scm}, @, scm, unset, maybe, false)"));
    lacks(&main_only, "unread_rule(");
}

// covers: GEN-01, GEN-02, GEN-03, GEN-04, GEN-06, SQL-11, SE-18
#[test]
fn other_services_become_stores_unless_they_stand_in_a_network() {
    let rows = rows(json!([
        resource("Microsoft.CognitiveServices/accounts/ai", json!({"kind": "OpenAI"}), json!({"networkAcls": {"defaultAction": "Deny"}})),
        resource(
            "Microsoft.Search/searchServices/idx",
            json!({}),
            json!({"networkRuleSet": {"ipRules": [{"value": "20.0.0.1"}], "bypass": "AzureServices"}})
        ),
        resource("Microsoft.EventGrid/topics/t", json!({}), json!({"inboundIpRules": [{"ipMask": "20.0.0.2", "action": "Allow"}]})),
        resource("Microsoft.Cache/redis/r", json!({}), json!({"enableNonSslPort": true})),
        resource("Microsoft.Cache/redis/r/firewallRules/one", json!({}), json!({"startIP": "20.0.0.3", "endIP": "20.0.0.4"})),
        resource("Microsoft.Cache/redis/inside", json!({}), json!({"subnetId": format!("{NET}/virtualNetworks/v/subnets/s")})),
        resource("Microsoft.DBforPostgreSQL/flexibleServers/pg", json!({}), json!({"network": {"publicNetworkAccess": "Disabled"}})),
        resource(
            "Microsoft.DBforPostgreSQL/flexibleServers/inside",
            json!({}),
            json!({"network": {"delegatedSubnetResourceId": format!("{NET}/virtualNetworks/v/subnets/s")}})
        ),
        resource("Microsoft.Synapse/workspaces/dwh", json!({}), json!({"firewallRules": []})),
        resource("Microsoft.Sql/managedInstances/mi", json!({}), json!({"subnetId": format!("{NET}/virtualNetworks/v/subnets/s")})),
        resource("Microsoft.KeyVault/managedHSMs/h", json!({}), json!({"publicNetworkAccess": "Disabled"})),
        resource(
            "Microsoft.DataLakeStore/accounts/l",
            json!({}),
            json!({"firewallState": "Enabled", "firewallAllowAzureIps": "Enabled",
            "virtualNetworkRules": [{"name": "a", "properties": {"subnetId": format!("{NET}/virtualNetworks/v/subnets/s")}}]})
        ),
    ]));
    let at = |rest: &str| rest.replace('@', RESOURCES);
    for row in [
        "store(@/microsoft.cognitiveservices/accounts/ai, cognitive, openai, westeurope)",
        "store_part(@/microsoft.cognitiveservices/accounts/ai, account, primary, ai.openai.azure.com, westeurope)",
        "store_access(@/microsoft.search/searchservices/idx, enabled, maybe, true, false, false)",
        "store_ip_rule(@/microsoft.eventgrid/topics/t/inboundiprules/0, @/microsoft.eventgrid/topics/t, 20.0.0.2, 20.0.0.2)",
        "store_access(@/microsoft.cache/redis/r, enabled, maybe, false, true, false)",
        "store_ip_rule(@/microsoft.cache/redis/r/firewallrules/one, @/microsoft.cache/redis/r, 20.0.0.3, 20.0.0.4)",
        "store_access(@/microsoft.dbforpostgresql/flexibleservers/pg, disabled, no, false, false, false)",
        "store_part(@/microsoft.synapse/workspaces/dwh, sqlondemand, primary, dwh-ondemand.sql.azuresynapse.net, westeurope)",
        "child_type(@/microsoft.synapse/workspaces/dwh, microsoft.synapse/workspaces/firewallrules)",
        "store(@/microsoft.keyvault/managedhsms/h, paas, , westeurope)",
        "store_access(@/microsoft.datalakestore/accounts/l, enabled, no, false, false, false)",
        "store_subnet_rule(@/microsoft.datalakestore/accounts/l/virtualnetworkrules/a, @/microsoft.datalakestore/accounts/l, ~/virtualnetworks/v/subnets/s, yes)",
        "device(@/microsoft.cache/redis/inside, other, ~/virtualnetworks/v/subnets/s)",
    ] {
        has(&rows, &at(row));
    }
    for start in [
        "store(@/microsoft.cache/redis/inside",
        "store(@/microsoft.dbforpostgresql/flexibleservers/inside",
        "store(@/microsoft.sql/managedinstances",
    ] {
        lacks(&rows, &at(start));
    }
}

// covers: SND-02, ACR-01, MSG-04
#[test]
fn a_tier_that_contradicts_itself_or_that_nobody_knows_is_not_told() {
    let of = |sku: Value| {
        let registry = "/subscriptions/s/resourcegroups/rg/providers/microsoft.containerregistry/registries/r";
        let hubs = "/subscriptions/s/resourcegroups/rg/providers/microsoft.eventhub/namespaces/h";
        rows(json!([
            {"id": registry, "location": "westeurope", "sku": sku, "properties": {}},
            {"id": hubs, "location": "westeurope", "sku": sku, "properties": {}},
        ]))
    };
    for (sku, tier) in [
        (json!({"name": "Premium", "tier": "premium"}), "premium"),
        (json!({"name": "Basic"}), "basic"),
        (json!("Standard"), "standard"),
        (json!({"name": "Basic", "tier": "Premium"}), ""),
        (json!({"name": "Foo"}), ""),
        (Value::Null, ""),
    ] {
        let rows = of(sku.clone());
        let stores: Vec<&String> = rows.iter().filter(|row| row.starts_with("store(")).collect();
        assert!(stores.iter().all(|row| row.ends_with(&format!(", {tier}, westeurope)"))) && stores.len() == 2, "{sku}: {rows:#?}");
    }
}

// covers: SND-02, ST-08, KV-02, ACR-02
#[test]
fn a_bypass_with_a_word_that_nobody_knows_admits_somebody() {
    for (kind, properties) in [
        ("microsoft.storage/storageaccounts", json!({"networkAcls": {"defaultAction": "Deny", "bypass": "Logging, Foo"}})),
        ("microsoft.keyvault/vaults", json!({"networkAcls": {"defaultAction": "Deny", "bypass": "Foo"}})),
        ("microsoft.containerregistry/registries", json!({"networkRuleBypassOptions": "Foo"})),
        ("microsoft.documentdb/databaseaccounts", json!({"networkAclBypass": "Foo"})),
        ("microsoft.cognitiveservices/accounts", json!({"networkAcls": {"defaultAction": "Deny", "bypass": "Foo"}})),
    ] {
        let id = format!("/subscriptions/s/resourcegroups/rg/providers/{kind}/x");
        let rows = rows(json!([{"id": id, "location": "westeurope", "properties": properties}]));
        has(&rows, &format!("store_resource_rule({id}, , )"));
        assert!(rows.iter().any(|row| row.starts_with("gap(") && row.contains("Foo")), "{rows:#?}");
    }
}

/// covers: SND-02, FW-05
#[test]
fn a_list_of_rules_that_cannot_be_read_leaves_the_switches_standing() {
    let vault = "/subscriptions/s/resourcegroups/rg/providers/microsoft.keyvault/vaults/x";
    let of = |kind: &str, rules: Value| {
        let mut acls = json!({"defaultAction": "Deny", "bypass": "AzureServices"});
        acls.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
        let id = format!("/subscriptions/s/resourcegroups/rg/providers/{kind}/x");
        rows(json!([{"id": id, "location": "westeurope", "properties": {"publicNetworkAccess": "Enabled", "networkAcls": acls}}]))
    };
    let in_vault = |rules: Value| of("microsoft.keyvault/vaults", rules);
    for rules in [json!("x"), json!({"id": vault}), json!([vault])] {
        let found = in_vault(json!({"virtualNetworkRules": rules}));
        has(&found, &format!("store_access({vault}, enabled, no, true, false, false)"));
        let unread = |row: &String| row.starts_with(&format!("unread_rule({vault}, properties.networkAcls.virtualNetworkRules"));
        assert!(found.iter().any(unread), "{found:#?}");
        lacks(&found, "unread(");
    }
    let bypass = in_vault(json!({"bypass": 5}));
    has(&bypass, &format!("store_access({vault}, enabled, no, false, false, false)"));
    has(&bypass, &format!("store_resource_rule({vault}, , )"));
    // An entry of an account of Cosmos DB decides whether it filters at all.
    let account = of("microsoft.documentdb/databaseaccounts", json!({}));
    assert!(account.iter().any(|row| row.starts_with("store_access(") && row.contains("enabled, yes")), "{account:#?}");
    let id = "/subscriptions/s/resourcegroups/rg/providers/microsoft.documentdb/databaseaccounts/x";
    has(
        &rows(json!([{"id": id, "location": "westeurope", "properties": {"ipRules": "x"}}])),
        &format!("store_access({id}, unknown, maybe, false, false, false)"),
    );
}

/// covers: SND-02, PE-11
#[test]
fn who_is_connected_to_a_store_concerns_that_store_alone() {
    let id = "/subscriptions/s/resourcegroups/rg/providers/microsoft.keyvault/vaults/x";
    let of = |list: Value| rows(json!([{"id": id, "location": "westeurope", "properties": {"privateEndpointConnections": list}}]));
    let anybody = format!("provider_connection({id}/privateendpointconnections, {id}, , unknown, false)");
    for list in [json!("x"), json!(5), json!({"id": id}), json!(["x"])] {
        let found = of(list);
        has(&found, &anybody);
        has(&found, &format!("store_access({id}, enabled, yes, true, false, false)"));
        lacks(&found, "unread(");
        lacks(&found, "child_type(");
    }
    // An entry without a name is no resource.
    let endpoint = json!({"privateEndpoint": {"id": format!("{NET}/privateEndpoints/e")}, "privateLinkServiceConnectionState": {"status": "Approved"}});
    has(&of(json!([{"properties": endpoint}])), &anybody);
}

/// covers: SND-02, DNS-37
#[test]
fn a_host_that_is_none_is_said_to_be_none() {
    let account = |blob: Value| {
        rows_of(
            "Microsoft.Storage/storageAccounts/a",
            json!([resource(
                "Microsoft.Storage/storageAccounts/a",
                json!({"kind": "StorageV2"}),
                json!({"primaryEndpoints": {"blob": blob}})
            )]),
        )
    };
    let odd = account(json!("zap"));
    has(&odd, "store_part(@, blob, primary, ?, westeurope)");
    has(&odd, "gap(@, microsoft.storage/storageaccounts, `blob` has the value `zap`, which is no host name)");
    lacks(&account(json!("https://a.blob.core.windows.net/")), "gap(");
    // Whichever way it is none, it leaves open what this account is called, and nothing of anybody else.
    for odd in [json!(5), json!(false), json!("https://")] {
        let odd = account(odd);
        has(&odd, "store_part(@, blob, primary, ?, westeurope)");
        lacks(&odd, "unread(");
    }
    lacks(&account(json!("")), "store_part(@, blob, primary, ?");
}

/// covers: SND-02, ST-09, COS-02
#[test]
fn a_rule_for_resources_that_cannot_be_read_admits_no_machine() {
    let account = |rules: Value| {
        let properties = json!({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Deny", "resourceAccessRules": rules}});
        let body = resource("Microsoft.Storage/storageAccounts/a", json!({"kind": "StorageV2"}), properties);
        rows_of("Microsoft.Storage/storageAccounts/a", json!([body]))
    };
    let good = json!({"tenantId": "t", "resourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DataFactory/factories/f"});
    for rules in [json!([{"tenantId": 5, "resourceId": "/x/y"}, good]), json!([null, good]), json!(["x", good]), json!("x")] {
        let found = account(rules);
        has(&found, "store_access(@, enabled, no, true, false, false)");
        has(&found, "store_resource_rule(@, , )");
        lacks(&found, "unread(");
    }
    has(
        &account(json!([null, good])),
        "store_resource_rule(@, t, /subscriptions/s/resourcegroups/rg/providers/microsoft.datafactory/factories/f)",
    );
    lacks(&account(json!([good])), "store_resource_rule(@, , )");
}

/// covers: SND-02, COS-03
#[test]
fn a_filter_for_subnets_that_cannot_be_read_leaves_the_others() {
    let account = |filter: Value| {
        let subnet = format!("{NET}/virtualNetworks/v/subnets/s");
        let properties = json!({"publicNetworkAccess": "Enabled", "isVirtualNetworkFilterEnabled": filter,
            "ipRules": [{"ipAddressOrRange": "198.51.100.7"}], "virtualNetworkRules": [{"id": subnet}]});
        rows_of(
            "Microsoft.DocumentDB/databaseAccounts/c",
            json!([resource("Microsoft.DocumentDB/databaseAccounts/c", json!({}), properties)]),
        )
    };
    let rule = |effective: &str| format!("store_subnet_rule(@/virtualnetworkrules/0, @, ~/virtualnetworks/v/subnets/s, {effective})");
    for (filter, effective) in [(json!(1), "maybe"), (json!({}), "maybe"), (json!(true), "yes")] {
        let found = account(filter);
        has(&found, "store_access(@, enabled, no, false, false, false)");
        has(&found, &rule(effective));
        lacks(&found, "unread(");
    }
}

/// covers: SND-02
#[test]
fn a_store_with_a_body_that_is_none_concerns_itself_alone() {
    for (kind, service) in [("KeyVault/vaults", "keyvault"), ("Storage/storageAccounts", "storage"), ("Sql/servers", "sql")] {
        for body in [json!("x"), json!(5), json!([])] {
            let id = format!("Microsoft.{kind}/k");
            let found = rows_of(&id, json!([resource(&id, json!({}), body)]));
            assert!(found.iter().any(|row| row.starts_with(&format!("store(@, {service},"))), "{found:#?}");
            assert!(found.iter().any(|row| row.starts_with("store_access(@, unknown, maybe,")), "{found:#?}");
            lacks(&found, "unread(");
        }
    }
}
