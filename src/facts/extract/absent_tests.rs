//! What is there without its body, or without the id that says whom it concerns: it may concern anybody.

use serde_json::{Value, json};

use super::tests::{NET, body, has, lacks, rows};

const MANAGER: &str = "networkManagers/m";

/// covers: AVN-01, AVN-03
#[test]
fn an_admin_rule_or_collection_without_a_body_may_be_for_anybody() {
    let collection = format!("{MANAGER}/securityAdminConfigurations/s/ruleCollections/c");
    let group = |group: Value| rows(json!([body(&collection, json!({"appliesToGroups": group}))]));
    let anybody = "admin_collection(~/networkmanagers/m/securityadminconfigurations/s/rulecollections/c, ~/networkmanagers/m/securityadminconfigurations/s, )";
    has(&group(Value::Null), anybody);
    has(&group(json!([{}])), anybody);
    has(&group(json!([{"networkGroupId": null}])), anybody);
    has(&rows(json!([body(&collection, Value::Null)])), anybody);
    lacks(&group(json!([])), "admin_collection(");

    let rule = format!("{collection}/rules/r");
    for direction in ["inbound", "outbound"] {
        let lost = rows(json!([body(&rule, Value::Null)]));
        assert!(lost.iter().any(|row| row.starts_with("admin_rule(") && row.contains(&format!("{direction}, 0, unknown"))), "{lost:#?}");
    }
    for source in [
        json!({"addressPrefix": null, "addressPrefixType": "IPPrefix"}),
        json!({"addressPrefix": "10.0.0.0/8", "addressPrefixType": "Magic"}),
    ] {
        let said = rows(json!([body(
            &rule,
            json!({"priority": 1, "direction": "Inbound", "access": "Deny", "protocol": "Tcp", "sources": [source]})
        )]));
        let unknown = |row: &&String| row.starts_with("admin_rule(") && row.contains(super::UNKNOWN_TAG);
        assert_eq!(said.iter().filter(unknown).count(), 1, "{said:#?}");
    }
}

/// covers: AVN-02, AVN-12
#[test]
fn a_membership_or_deployment_without_a_name_may_be_any() {
    let vnet = format!("{NET}/virtualNetworks/v/providers/Microsoft.Network");
    let row = |kind: &str, properties: Value| rows(json!([{"id": format!("{vnet}/{kind}/default"), "properties": properties}]));
    let of = "~/virtualnetworks/v, ~/virtualnetworks/v)";
    for listed in [json!({}), json!({"groupMemberships": [{}]}), Value::Null] {
        has(&row("networkGroupMemberships", listed), &format!("group_member(, {of}"));
    }
    lacks(&row("networkGroupMemberships", json!({"groupMemberships": []})), "group_member(");
    let applied = row("effectiveSecurityAdminRules", json!({"effectiveSecurityAdminConfigurations": [{"id": null}]}));
    assert!(
        applied.iter().any(|row| row.starts_with("manager_applied(") && row.contains("effectivesecurityadminrules/default")),
        "{applied:#?}"
    );
    // Which others are in force there is not told.
    lacks(&applied, "manager_listing(");
    let none = row("effectiveConnectivityConfigurations", json!({"effectiveConnectivityConfigurations": []}));
    has(&none, "manager_listing(~/virtualnetworks/v, connectivity)");
    let member = format!("{MANAGER}/networkGroups/g/staticMembers/x");
    has(
        &rows(json!([body(&member, Value::Null)])),
        "group_policy(~/networkmanagers/m/networkgroups/g/staticmembers/x, ~/networkmanagers/m/networkgroups/g)",
    );
}

/// covers: PE-11, PE-12
#[test]
fn what_is_deployed_has_a_state_and_what_is_planned_asks_for_one() {
    let target = format!("{NET}/privateLinkServices/p");
    let endpoint = |whole: Value, part: Value| {
        let mut connection = json!({"privateLinkServiceId": target});
        connection.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        let mut properties = json!({"subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")},
            "privateLinkServiceConnections": [{"name": "c", "properties": connection}]});
        properties.as_object_mut().unwrap().extend(whole.as_object().unwrap().clone());
        rows(json!([body("privateEndpoints/e", properties)]))
    };
    let state = |rows: &[String], word: &str| {
        let of = |row: &&String| row.starts_with("private_endpoint_connection(") && row.contains(&format!(", false, {word}, true)"));
        assert_eq!(rows.iter().filter(of).count(), 1, "{word} {rows:#?}");
    };
    state(&endpoint(json!({}), json!({})), "requested");
    state(&endpoint(json!({"provisioningState": "Succeeded"}), json!({})), "unknown");
    state(&endpoint(json!({}), json!({"provisioningState": "Succeeded"})), "unknown");
    let nowhere = endpoint(json!({}), json!({"privateLinkServiceId": null}));
    has(&nowhere, "unread(~/privateendpoints/e, properties.privateLinkServiceConnections.0.privateLinkServiceId)");
    let account = "/subscriptions/s/resourcegroups/rg/providers/microsoft.storage/storageaccounts/a/privateEndpointConnections/c";
    let listed = rows(json!([{"id": account, "properties": null}]));
    assert!(listed.iter().any(|row| row.starts_with("provider_connection(") && row.ends_with("/a, , unknown, true)")), "{listed:#?}");
}

/// covers: DNS-10, DNS-28, NSP-01, SE-01
#[test]
fn names_perimeters_and_service_endpoints_without_an_id_may_be_for_anybody() {
    for properties in [Value::Null, json!({}), json!({"virtualNetwork": {}})] {
        let link = rows(json!([body("privateDnsZones/z/virtualNetworkLinks/l", properties)]));
        has(&link, "zone_link(~/privatednszones/z/virtualnetworklinks/l, ~/privatednszones/z, , true, false, false)");
    }
    let network = json!({"id": format!("{NET}/virtualNetworks/v")});
    let odd = rows(json!([body("privateDnsZones/z/virtualNetworkLinks/l", json!({"virtualNetwork": network, "resolutionPolicy": "Odd"}))]));
    for redirect in [false, true] {
        let link = "~/privatednszones/z/virtualnetworklinks/l, ~/privatednszones/z, ~/virtualnetworks/v";
        has(&odd, &format!("zone_link({link}, true, false, {redirect})"));
    }
    for properties in [Value::Null, json!({}), json!({"aRecords": [{}]})] {
        has(&rows(json!([body("privateDnsZones/z/A/x", properties)])), "zone_record(~/privatednszones/z/a/x, ~/privatednszones/z, x, a, )");
    }
    let none = rows(json!([body("privateDnsZones/z/A/x", json!({"aRecords": []}))]));
    has(&none, "zone_record(~/privatednszones/z/a/x, ~/privatednszones/z, x, other, )");
    let association = rows(json!([body("networkSecurityPerimeters/p/resourceAssociations/a", Value::Null)]));
    let of = "~/networksecurityperimeters/p/resourceassociations/a, ~/networksecurityperimeters/p";
    has(&association, &format!("perimeter_association({of}, , , unknown, true)"));
    for endpoint in [json!({"locations": ["*"]}), json!({"service": null, "locations": ["*"]}), json!({"service": "", "locations": ["*"]})]
    {
        let subnet =
            rows(json!([body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.0.0/24", "serviceEndpoints": [endpoint]}))]));
        has(&subnet, "clouded(~/virtualnetworks/v, routes, ~/virtualnetworks/v/subnets/s)");
    }
}

/// covers: SE-18
#[test]
fn rules_of_a_data_lake_store_stand_in_rows_of_their_own_as_well() {
    let store = "/subscriptions/s/resourcegroups/rg/providers/microsoft.datalakestore/accounts/a";
    let child = |kind: &str, properties: Value| rows(json!([{"id": format!("{store}/{kind}/r"), "properties": properties}]));
    let range = json!({"startIpAddress": "20.0.0.1", "endIpAddress": "20.0.0.9"});
    has(&child("firewallRules", range), &format!("store_ip_rule({store}/firewallrules/r, {store}, 20.0.0.1, 20.0.0.9)"));
    let subnet = child("virtualNetworkRules", json!({"subnetId": format!("{NET}/virtualNetworks/v/subnets/s")}));
    has(&subnet, &format!("store_subnet_rule({store}/virtualnetworkrules/r, {store}, ~/virtualnetworks/v/subnets/s, yes)"));
}

// covers: PE-01, X-15, M-03
#[test]
fn a_private_endpoint_without_its_connection_has_one_all_the_same() {
    let endpoint = |properties: Value| rows(json!([body("privateEndpoints/e", properties)]));
    let unknown =
        "private_endpoint_connection(~/privateendpoints/e/privatelinkserviceconnections, ~/privateendpoints/e, , , false, unknown, false)";
    for properties in [Value::Null, json!({}), json!({"privateLinkServiceConnections": [], "manualPrivateLinkServiceConnections": null})] {
        let found = endpoint(properties);
        has(&found, unknown);
        has(&found, "unread(~/privateendpoints/e, properties.privateLinkServiceConnections)");
    }
    let connection = json!({"name": "c", "properties": {"privateLinkServiceId": format!("{NET}/privateLinkServices/s")}});
    lacks(&endpoint(json!({"manualPrivateLinkServiceConnections": [connection]})), "unread(");
}

// covers: SE-18, M-03
#[test]
fn a_data_lake_store_of_a_listing_has_unknown_rules() {
    let id = "/subscriptions/s/resourcegroups/rg/providers/microsoft.datalakestore/accounts/a";
    let of = |properties: Value| rows(json!([{"id": id, "properties": properties}]));
    let listing = of(json!({"endpoint": "a.azuredatalakestore.net"}));
    has(&listing, &format!("store_access({id}, enabled, maybe, false, false, false)"));
    lacks(&listing, "child_type(");
    let whole = json!({"firewallState": "Enabled", "firewallAllowAzureIps": "Disabled", "firewallRules": [], "virtualNetworkRules": []});
    has(&of(whole.clone()), &format!("child_type({id}, microsoft.datalakestore/accounts/firewallrules)"));
    has(&of(whole.clone()), &format!("child_type({id}, microsoft.datalakestore/accounts/virtualnetworkrules)"));
    // Whether Azure is let in counts as a rule for addresses.
    let mut unsure = whole;
    unsure["firewallAllowAzureIps"] = Value::Null;
    lacks(&of(unsure.clone()), &format!("child_type({id}, microsoft.datalakestore/accounts/firewallrules)"));
    lacks(&of(unsure), "store_ip_rule(");
}

// covers: SND-02, FW-05, NSP-09, M-03
#[test]
fn a_rule_that_could_not_be_read_is_noted_with_whose_it_is() {
    let of = |id: &str, properties: Value| {
        let id = format!("/subscriptions/s/resourcegroups/rg/providers/microsoft.{id}");
        rows(json!([{"id": id, "properties": properties}]))
    };
    let provider = "/subscriptions/s/resourcegroups/rg/providers/microsoft.";
    for (child, properties, holder) in [
        ("sql/servers/q/firewallRules/r", json!({"startIpAddress": "20.0.0.1"}), "sql/servers/q"),
        ("sql/servers/q/firewallRules/r", Value::Null, "sql/servers/q"),
        ("sql/servers/q/virtualNetworkRules/r", json!({}), "sql/servers/q"),
        ("network/networkSecurityPerimeters/p/profiles/f/accessRules/r", Value::Null, "network/networksecurityperimeters/p/profiles/f"),
        (
            "network/networkSecurityPerimeters/p/profiles/f/accessRules/r",
            json!({"direction": "Inbound", "subscriptions": []}),
            "network/networksecurityperimeters/p/profiles/f",
        ),
        ("storage/storageAccounts/a", json!({"networkAcls": {"ipRules": [{"action": "Allow"}]}}), "storage/storageaccounts/a"),
        ("storage/storageAccounts/a", json!({"publicNetworkAccess": "Sometimes"}), "storage/storageaccounts/a"),
        ("documentdb/databaseAccounts/a", json!({"ipRangeFilter": "here"}), "documentdb/databaseaccounts/a"),
        ("datalakestore/accounts/a", json!({"virtualNetworkRules": [{"name": "r"}]}), "datalakestore/accounts/a"),
        ("web/sites/w/config/web", json!({"ipSecurityRestrictions": [{"action": "Deny"}]}), "web/sites/w"),
        ("web/sites/w/config/web", json!({"ipSecurityRestrictions": 7}), "web/sites/w"),
        ("keyvault/vaults/v", Value::Null, "keyvault/vaults/v"),
        ("keyvault/vaults/v", json!({"networkAcls": {"ipRules": [{}]}}), "keyvault/vaults/v"),
        ("keyvault/vaults/v", json!({"networkAcls": {"virtualNetworkRules": [{}]}}), "keyvault/vaults/v"),
        ("web/sites/w/config/web", json!({"ipSecurityRestrictions": [{}]}), "web/sites/w"),
    ] {
        let found = of(child, properties);
        let row = format!("unread_rule({provider}{holder}, ").replace(NET, "~");
        assert!(found.iter().any(|found| found.starts_with(&row)), "{child}: no {row}\n{found:#?}");
        lacks(&found, "unread(");
    }
    // A state that is not known leaves open whether the subnet is let in, and nobody else.
    let rule = "sql/servers/q/virtualNetworkRules/r";
    for state in [json!("Foo"), json!(7)] {
        let found = of(rule, json!({"virtualNetworkSubnetId": format!("{NET}/virtualNetworks/v/subnets/s"), "state": state}));
        let row = format!("store_subnet_rule({provider}{}, {provider}sql/servers/q, ", rule.to_lowercase()).replace(NET, "~");
        assert!(found.iter().any(|found| found.starts_with(&row) && found.ends_with("maybe)")), "no {row}\n{found:#?}");
        lacks(&found, "unread");
    }
    let listed =
        json!({"direction": "Inbound", "addressPrefixes": [], "serviceTags": [], "subscriptions": [], "networkSecurityPerimeters": []});
    lacks(&of("network/networkSecurityPerimeters/p/profiles/f/accessRules/r", listed), "unread_rule(");
    let rule = json!({"networkAcls": {"resourceAccessRules": [{"tenantId": "t"}]}});
    has(&of("storage/storageAccounts/a", rule), &format!("store_resource_rule({provider}storage/storageaccounts/a, t, )"));
    let restriction = of("web/sites/w/config/web", json!({"ipSecurityRestrictions": [{"ipAddress": "20.0.0.1/32", "priority": 1}]}));
    let either = |allow: &str| restriction.iter().any(|row| row.starts_with("store_list_rule(") && row.contains(&format!(", {allow}, ")));
    assert!(either("true") && either("false"), "{restriction:#?}");
}

// covers: DNS-19, SND-02
#[test]
fn a_forwarding_rule_or_link_without_a_body_may_be_for_anything() {
    let set = "~/dnsforwardingrulesets/s";
    for properties in [Value::Null, json!({"forwardingRuleState": "Enabled"})] {
        let rule = rows(json!([body("dnsForwardingRulesets/s/forwardingRules/r", properties.clone())]));
        has(&rule, &format!("unread_rule({set}, `properties.domainName` is missing)"));
        let link = rows(json!([body("dnsForwardingRulesets/s/virtualNetworkLinks/l", properties)]));
        has(&link, &format!("ruleset_link({set}/virtualnetworklinks/l, {set}, , true)"));
    }
}

// covers: SND-02
#[test]
fn a_service_endpoint_without_anything_may_be_for_any_service() {
    let subnet = |endpoints: Value| {
        rows(json!([body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.1.0/24", "serviceEndpoints": endpoints}))]))
    };
    has(&subnet(json!([{}])), "clouded(~/virtualnetworks/v, routes, ~/virtualnetworks/v/subnets/s)");
    lacks(&subnet(json!([])), "clouded(");
}

/// covers: M-16
#[test]
fn an_account_says_what_it_is_switched_to_and_one_without_a_body_does_not() {
    let account = |properties: Value| {
        let id = "/subscriptions/s/resourcegroups/rg/providers/microsoft.storage/storageaccounts/a";
        rows(json!([{"id": id, "kind": "StorageV2", "location": "westeurope", "properties": properties}]))
    };
    let switched = |rows: &[String]| -> Vec<String> {
        let rows = rows.iter().filter_map(|row| row.strip_prefix("store_switch("));
        rows.filter_map(|row| row.split_once(", ")).map(|(_, rest)| rest.trim_end_matches(')').to_owned()).collect()
    };
    assert_eq!(switched(&account(json!({"supportsHttpsTrafficOnly": true}))), [""; 0]);
    assert_eq!(switched(&account(json!({"isSftpEnabled": true, "isNfsV3Enabled": false}))), ["sftp, yes"]);
    assert_eq!(switched(&account(json!({"isSftpEnabled": null, "enableNfsV3": "True"}))), ["nfsv3, yes"]);
    let wrong = account(json!({"isSftpEnabled": 1, "isNfsV3Enabled": {}, "supportsHttpsTrafficOnly": []}));
    assert_eq!(switched(&wrong), ["http, maybe", "nfsv3, maybe", "sftp, maybe"]);
    lacks(&wrong, "unread(");
    assert_eq!(switched(&account(Value::Null)), ["http, maybe", "nfsv3, maybe", "sftp, maybe"]);
}

/// covers: SND-07, ADR-09
#[test]
fn a_subnet_names_who_stands_in_it_in_many_lists() {
    let gone = |path: &str| json!([{ "id": format!("{NET}/{path}") }]);
    let said = rows(json!([body(
        "virtualNetworks/v/subnets/s",
        json!({
            "addressPrefix": "10.0.0.0/24",
            "applicationGatewayIPConfigurations": gone("applicationGateways/a/gatewayIPConfigurations/c"),
            "ipConfigurationProfiles": gone("networkProfiles/p/containerNetworkInterfaceConfigurations/n/ipConfigurationProfiles/c"),
            "privateEndpoints": gone("privateEndpoints/e"),
            "delegations": [{"name": "d", "properties": {"serviceName": null}}],
            "serviceAssociationLinks": [{"name": "l", "properties": {"linkedResourceType": "Microsoft.Web/serverFarms"}}],
            "resourceNavigationLinks": [{"name": "l", "properties": {"linkedResourceType": "Microsoft.Cache/redis"}}],
        })
    )]));
    let subnet = "~/virtualnetworks/v/subnets/s";
    for occupant in [
        "applicationgateways/a/gatewayipconfigurations/c",
        "networkprofiles/p/containernetworkinterfaceconfigurations/n/ipconfigurationprofiles/c",
        "privateendpoints/e",
    ] {
        has(&said, &format!("subnet_ip_config({subnet}, ~/{occupant})"));
    }
    for service in ["", "microsoft.web/serverfarms", "microsoft.cache/redis"] {
        has(&said, &format!("subnet_delegation({subnet}, {service})"));
    }
    has(&said, &format!("gap({subnet}, microsoft.network/virtualnetworks/subnets, the service of a delegation is missing)"));
}

/// covers: DNS-37
#[test]
fn an_account_whose_endpoints_are_not_named_is_called_as_accounts_are() {
    let account = |endpoints: Value| {
        let id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a1";
        rows(json!([{"id": id, "kind": "StorageV2", "location": "westeurope", "properties": {"primaryEndpoints": endpoints}}]))
    };
    let blob = "a1, blob, primary, a1.blob.core.windows.net, westeurope)";
    for said in [account(json!({})), account(json!({"blob": ""})), account(Value::Null)] {
        assert!(said.iter().any(|row| row.starts_with("store_part(") && row.ends_with(blob)), "{said:#?}");
    }
    let named = account(json!({"file": "https://a1.z1.file.storage.azure.net/"}));
    assert!(!named.iter().any(|row| row.starts_with("store_part(") && row.ends_with(blob)), "{named:#?}");
}

/// covers: SND-02, SND-06, SEP-01
#[test]
fn a_reference_without_an_id_is_one_to_somebody() {
    let subnet = |part: Value| {
        let mut properties = json!({"addressPrefix": "10.0.0.0/24"});
        properties.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        rows(json!([body("virtualNetworks/v/subnets/s", properties)]))
    };
    for nobody in [json!({}), json!({"id": null}), json!({"id": ""})] {
        let of = "~/virtualnetworks/v/subnets/s";
        has(&subnet(json!({"networkSecurityGroup": nobody})), &format!("subnet_nsg({of}, {of}/unknown-networksecuritygroup)"));
        has(&subnet(json!({"routeTable": nobody})), &format!("subnet_route_table({of}, {of}/unknown-routetable)"));
        let policies = subnet(json!({"serviceEndpointPolicies": [nobody]}));
        has(&policies, &format!("subnet_endpoint_policy({of}, {of}/unknown-serviceendpointpolicies)"));
        assert!(policies.iter().any(|row| row.starts_with("gap(")), "{policies:#?}");
        let configuration = json!({"name": "c", "properties": {"privateIPAddress": "10.0.0.4", "primary": true,
            "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}, "applicationSecurityGroups": [nobody]}});
        let nic = rows(json!([body("networkInterfaces/n", json!({"ipConfigurations": [configuration]}))]));
        assert!(nic.iter().any(|row| row.starts_with("gap(")), "{nic:#?}");
    }
    lacks(&subnet(json!({"networkSecurityGroup": null, "routeTable": null, "serviceEndpointPolicies": []})), "unknown-");
}

/// covers: ADR-14, SND-02
#[test]
fn an_interface_has_an_address_of_ipv4_that_may_not_be_told() {
    let of = |address: &str, family: Value| {
        json!({"name": address, "properties": {"privateIPAddress": address, "privateIPAddressVersion": family,
            "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}}})
    };
    let nic = |configurations: Value| rows(json!([body("networkInterfaces/n", json!({"ipConfigurations": configurations}))]));
    for family in [json!("IPv6"), json!("ipv6"), Value::Null] {
        let six = nic(json!([of("fd00::4", family.clone())]));
        has(&six, "gap(~/networkinterfaces/n, microsoft.network/networkinterfaces, `properties.ipConfigurations` holds none of IPv4)");
        lacks(&six, "nic(");
        lacks(&six, "ip_config(");
        has(&nic(json!([of("fd00::4", family), of("10.0.0.4", json!("IPv4"))])), "nic(~/networkinterfaces/n, detached, false)");
    }
}

/// covers: SEP-05, SEP-11
#[test]
fn a_definition_that_does_not_say_what_it_lists_may_list_any_account() {
    let definition = "serviceEndpointPolicies/p/serviceEndpointPolicyDefinitions/d";
    let of = "~/serviceendpointpolicies/p/serviceendpointpolicydefinitions/d, ~/serviceendpointpolicies/p";
    let storage = json!({"service": "Microsoft.Storage"});
    has(&rows(json!([body(definition, storage)])), &format!("endpoint_policy_scope({of}, microsoft.storage, unknown)"));
    has(&rows(json!([body(definition, Value::Null)])), &format!("endpoint_policy_scope({of}, , unknown)"));
    let none = json!({"service": "Microsoft.Storage", "serviceResources": []});
    has(&rows(json!([body(definition, none)])), &format!("endpoint_policy_scope({of}, microsoft.storage, )"));
    // An item that cannot be read leaves open accounts, and nothing else.
    let account = "/subscriptions/s/resourcegroups/rg/providers/microsoft.storage/storageaccounts/a";
    for resources in [json!([account, null]), json!([5, account])] {
        let found = rows(json!([body(definition, json!({"service": "Microsoft.Storage", "serviceResources": resources}))]));
        has(&found, &format!("endpoint_policy_scope({of}, microsoft.storage, {account})"));
        has(&found, &format!("endpoint_policy_scope({of}, , unknown)"));
        lacks(&found, "unread(");
    }
}

/// covers: PEER-16, AVN-12
#[test]
fn a_configuration_that_does_not_say_whom_it_joins_may_join_anybody() {
    let configuration = format!("{MANAGER}/connectivityConfigurations/c");
    let anybody = "connectivity_group(~/networkmanagers/m/connectivityconfigurations/c, , true, true, true)";
    for groups in [json!({}), json!({"appliesToGroups": [{}]})] {
        let mut all = json!({"connectivityTopology": "Mesh"});
        all.as_object_mut().unwrap().extend(groups.as_object().unwrap().clone());
        has(&rows(json!([body(&configuration, all)])), anybody);
    }
    let none = json!({"connectivityTopology": "Mesh", "appliesToGroups": []});
    lacks(&rows(json!([body(&configuration, none)])), "connectivity_group(");
}

/// Whether a peering is in sync is not told where nothing says so and a space was recorded: then the two are compared.
///
/// covers: PEER-04, SND-05
#[test]
fn a_peering_that_does_not_say_that_it_is_in_sync() {
    let side = |mut properties: Value| {
        properties["remoteVirtualNetwork"] = json!({"id": format!("{NET}/virtualNetworks/w")});
        properties["peeringState"] = json!("Connected");
        rows(json!([body("virtualNetworks/v/virtualNetworkPeerings/p", properties)]))
    };
    let said = |sync: bool| {
        format!(
            "peering(~/virtualnetworks/v/virtualnetworkpeerings/p, ~/virtualnetworks/v, ~/virtualnetworks/w, connected, {sync}, true, false, false, false, true)"
        )
    };
    let space = json!({"addressPrefixes": ["10.1.0.0/16"]});
    has(&side(json!({"remoteAddressSpace": space})), &said(false));
    has(&side(json!({"remoteAddressSpace": space, "peeringSyncLevel": null})), &said(false));
    has(&side(json!({"remoteAddressSpace": space, "peeringSyncLevel": "FullyInSync"})), &said(true));
    has(&side(json!({"peeringSyncLevel": "RemoteNotInSync"})), &said(false));
    has(&side(json!({"remoteAddressSpace": {}})), &said(true));
}

// covers: ADR-08, SND-07
#[test]
fn a_machine_without_a_network_profile_says_so() {
    let compute = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.Compute";
    let of = |kind: &str, properties: Value| rows(json!([{"id": format!("{compute}/{kind}/m"), "properties": properties}]));
    let lacking = |found: &[String]| found.iter().any(|row| row.starts_with("gap(") && row.ends_with("is missing)"));
    for profile in [Value::Null, json!({}), json!({"networkInterfaces": null}), json!({"networkInterfaces": []})] {
        let found = of("virtualMachines", json!({"networkProfile": profile}));
        assert!(lacking(&found) && found.iter().any(|row| row.starts_with("machine(")), "{found:#?}");
    }
    let none = [json!({}), json!({"networkInterfaceConfigurations": null}), json!({"networkInterfaceConfigurations": []})];
    for profile in none.map(|profile| json!({"networkProfile": profile})).into_iter().chain([Value::Null, json!({})]) {
        let found = of("virtualMachineScaleSets", json!({"orchestrationMode": "Uniform", "virtualMachineProfile": profile}));
        assert!(lacking(&found) && found.iter().any(|row| row.starts_with("machine(")), "{found:#?}");
    }
    lacks(&of("virtualMachineScaleSets", json!({"orchestrationMode": "Flexible"})), "gap(");
    let nic = json!({"id": format!("{NET}/networkInterfaces/n")});
    lacks(&of("virtualMachines", json!({"networkProfile": {"networkInterfaces": [nic]}})), "gap(");
}

// covers: NSG-09, SND-04
#[test]
fn an_interface_that_lost_its_subnet_keeps_its_groups() {
    let group = json!({"id": format!("{NET}/applicationSecurityGroups/g")});
    let configuration = json!({"name": "c", "properties": {"privateIPAddress": "10.0.0.4", "applicationSecurityGroups": [group]}});
    let found = rows(json!([body("networkInterfaces/n", json!({"ipConfigurations": [configuration]}))]));
    has(&found, "ip_config_asg(~/networkinterfaces/n/ipconfigurations/c, ~/applicationsecuritygroups/g)");
    lacks(&found, "ip_config(");
    lacks(&found, "ip_config_address(");
}
