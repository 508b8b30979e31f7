//! What single bodies become, where the wording of the exports is a trap.

use serde_json::{Value, json};

use super::extract;
use crate::facts::Fact;
use crate::ingest::{self, Input};

const NET: &str = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network";

/// The rows of all resources in `bodies` as text, without `resource` rows.
fn rows(bodies: Value) -> Vec<String> {
    let loaded = ingest::read(vec![Input { name: "t.json".to_owned(), bytes: bodies.to_string().into_bytes() }]);
    let facts = loaded.resources.iter().flat_map(|resource| extract(resource).facts);
    let mut rows: Vec<String> = facts
        .filter(|fact| !matches!(fact, Fact::Resource(_)))
        .map(|fact| format!("{}({})", fact.relation().name, fact.cells().join(", ").replace(NET, "~")))
        .collect();
    rows.sort();
    rows.dedup();
    rows
}

fn body(kind_and_name: &str, properties: Value) -> Value {
    json!({"id": format!("{NET}/{kind_and_name}"), "location": "westeurope", "properties": properties})
}

fn has(rows: &[String], row: &str) {
    assert!(rows.iter().any(|r| r == row), "no {row} in {rows:#?}");
}

fn lacks(rows: &[String], start: &str) {
    assert!(!rows.iter().any(|r| r.starts_with(start)), "{start} in {rows:#?}");
}

#[test]
fn what_is_absent_has_its_documented_meaning() {
    let rows = rows(json!([
        body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.0.0/24", "defaultOutboundAccess": null})),
        body("virtualNetworks/v/virtualNetworkPeerings/p", json!({"remoteVirtualNetwork": {"id": format!("{NET}/virtualNetworks/w")}})),
        body("routeTables/t", json!({})),
        body("publicIPAddresses/i", json!({"ipAddress": "20.0.0.1"})),
    ]));
    lacks(&rows, "subnet_default_outbound");
    lacks(&rows, "subnet_private_endpoint_policy");
    lacks(&rows, "gap");
    has(
        &rows,
        "peering(~/virtualnetworks/v/virtualnetworkpeerings/p, ~/virtualnetworks/v, ~/virtualnetworks/w, unknown, true, true, false, false, false, true)",
    );
    has(&rows, "route_table(~/routetables/t, true)");
    has(&rows, "public_ip(~/publicipaddresses/i, basic)");
}

#[test]
fn a_private_endpoint_interface_is_the_platforms() {
    let rows = rows(json!([body(
        "networkInterfaces/n",
        json!({
            "privateEndpoint": {"id": format!("{NET}/privateEndpoints/e")}, "enableIPForwarding": true,
            "networkSecurityGroup": {"id": format!("{NET}/networkSecurityGroups/g")},
            "ipConfigurations": [{"name": "C", "properties": {
                "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/S")}, "privateIPAddress": "10.0.0.4",
                "privateLinkConnectionProperties": {"groupId": "Blob", "fqdns": ["A.blob.core.windows.net."]},
            }}],
        })
    )]));
    has(&rows, "nic(~/networkinterfaces/n, private-endpoint, false)");
    lacks(&rows, "nic_nsg");
    has(&rows, "ip_config(~/networkinterfaces/n/ipconfigurations/c, ~/networkinterfaces/n, ~/virtualnetworks/v/subnets/s, true)");
    has(&rows, "ip_config_link(~/networkinterfaces/n/ipconfigurations/c, blob, a.blob.core.windows.net)");
}

#[test]
fn a_uniform_scale_set_has_one_interface_for_all() {
    let mut set = body(
        "virtualMachineScaleSets/x",
        json!({"virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [{"name": "Nic", "properties": {
            "primary": true, "ipConfigurations": [{"name": "ip", "properties": {
                "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}, "publicIPAddressConfiguration": {"name": "p"},
                "loadBalancerBackendAddressPools": [{"id": format!("{NET}/loadBalancers/l/backendAddressPools/b")}],
            }}],
        }}]}}}),
    );
    set["id"] = json!(format!("{NET}/virtualMachineScaleSets/x").replace("network", "compute"));
    let rows = rows(json!([set]));
    let nic = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachinescalesets/x/networkinterfaceconfigurations/nic";
    has(&rows, &format!("nic({nic}, machine, false)"));
    has(&rows, &format!("ip_config_pool({nic}/ipconfigurations/ip, ~/loadbalancers/l/backendaddresspools/b)"));
    has(&rows, &format!("ip_config_public_ip({nic}/ipconfigurations/ip, {nic}/ipconfigurations/ip/publicipaddressconfiguration)"));
    lacks(&rows, "ip_config_address");
}

#[test]
fn rules_unite_singular_plural_and_groups() {
    let rule = |more: Value| {
        let mut properties = json!({"access": "Deny", "direction": "Outbound", "priority": 200, "protocol": "*", "sourcePortRange": "*",
            "destinationPortRange": "", "destinationPortRanges": ["443", "80-81"], "destinationAddressPrefix": "VIRTUAL_NETWORK",
            "sourceAddressPrefix": "10.0.0.9", "sourceAddressPrefixes": ["10.1.2.3/16", ""]});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rows(json!([body("networkSecurityGroups/g/securityRules/r", properties)]))
    };
    let start = "nsg_rule(~/networksecuritygroups/g/securityrules/r, ~/networksecuritygroups/g, outbound, 200, deny, *, ";
    has(&rule(json!({})), &format!("{start}10.0.0.9/32,10.1.0.0/16, *, virtualnetwork, 80-81,443)"));
    let asg = json!([{"id": format!("{NET}/applicationSecurityGroups/A")}]);
    let only_group = json!({"sourceAddressPrefix": null, "sourceAddressPrefixes": [], "sourceApplicationSecurityGroups": asg});
    has(&rule(only_group), &format!("{start}asg:~/applicationsecuritygroups/a, *, virtualnetwork, 80-81,443)"));
    has(&rule(json!({"sourceAddressPrefix": "", "sourceAddressPrefixes": []})), &format!("{start}, *, virtualnetwork, 80-81,443)"));
    let rows = rule(json!({"destinationAddressPrefix": null}));
    has(&rows, &format!("{start}10.0.0.9/32,10.1.0.0/16, *, (unknown), 80-81,443)"));
    has(
        &rows,
        "gap(~/networksecuritygroups/g/securityrules/r, microsoft.network/networksecuritygroups/securityrules, `properties.destinationAddressPrefix` is missing)",
    );
}

#[test]
fn changed_default_rules_are_ignored_and_named() {
    let default = |access: &str| {
        json!({"name": "DenyAllInBound", "properties": {"direction": "Inbound", "priority": 65500, "access": access, "protocol": "*",
            "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "sourcePortRange": "*", "destinationPortRange": "*"}})
    };
    lacks(&rows(json!([body("networkSecurityGroups/g", json!({"defaultSecurityRules": [default("Deny")]}))])), "gap");
    let changed = rows(json!([body("networkSecurityGroups/g", json!({"defaultSecurityRules": [default("Allow")]}))]));
    assert!(changed.iter().any(|row| row.starts_with("gap") && row.contains("DenyAllInBound")), "{changed:#?}");
    lacks(&changed, "nsg_rule");
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
    assert_eq!(rest, tool);
    let store = "/subscriptions/s/resourcegroups/rg/providers/microsoft.storage/storageaccounts/acc";
    has(&rest, &format!("store_access({store}, enabled, no, false, true, false)"));
    has(&rest, &format!("store_ip_rule({store}/iprules/0, {store}, 203.0.113.0, 203.0.113.255)"));
    has(&rest, &format!("store_subnet_rule({store}/virtualnetworkrules/0, {store}, ~/virtualnetworks/v/subnets/s, maybe)"));
    has(&rest, &format!("store_part({store}, blob, secondary, acc-secondary.blob.core.windows.net, )"));
    lacks(&rest, &format!("store_part({store}, file, secondary"));
}

#[test]
fn record_sets_are_read_in_every_spelling() {
    for list in ["aRecords", "ARecords", "arecords"] {
        let rows = rows(json!([body("privateDnsZones/Z.net/A/WWW", json!({list: [{"ipv4Address": "10.0.0.4"}]}))]));
        has(&rows, "zone_record(~/privatednszones/z.net/a/www, ~/privatednszones/z.net, www, a, 10.0.0.4)");
    }
    let rows = rows(json!([
        body("privateDnsZones/z.net/CNAME/x", json!({"cnameRecord": {"cname": "Y.net."}})),
        body("privateDnsZones/z.net/SOA/@", json!({"soaRecord": {}})),
        body("privateDnsZones/z.net/TXT/t", json!({"txtRecords": []})),
    ]));
    has(&rows, "zone_record(~/privatednszones/z.net/cname/x, ~/privatednszones/z.net, x, cname, y.net)");
    has(&rows, "zone_record(~/privatednszones/z.net/soa/@, ~/privatednszones/z.net, @, soa, )");
    has(&rows, "zone_record(~/privatednszones/z.net/txt/t, ~/privatednszones/z.net, t, other, )");
}

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
    has(&rows, &format!("provider_connection({instance}/privateendpointconnections/c, {instance}, ~/privateendpoints/e, unknown, true)"));
    has(&rows, &format!("child_type({instance}, microsoft.sql/managedinstances/privateendpointconnections)"));
}

#[test]
fn pools_are_known_from_either_side() {
    let ip_config = format!("{NET}/networkInterfaces/n/ipConfigurations/c");
    let rows = rows(json!([body(
        "loadBalancers/l",
        json!({
            "frontendIPConfigurations": [{"name": "f", "properties": {"privateIPAddress": "10.0.0.9",
                "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}}}],
            "backendAddressPools": [{"name": "b", "properties": {"backendIPConfigurations": [{"id": ip_config}]}}],
            "inboundNatRules": [{"name": "r", "properties": {"backendIPConfiguration": {"id": ip_config}}}],
        })
    )]));
    has(&rows, "ip_config_pool(~/networkinterfaces/n/ipconfigurations/c, ~/loadbalancers/l/backendaddresspools/b)");
    has(&rows, "ip_config_pool(~/networkinterfaces/n/ipconfigurations/c, ~/loadbalancers/l/inboundnatrules/r)");
    has(&rows, "device(~/loadbalancers/l, load-balancer, ~/virtualnetworks/v/subnets/s)");
    has(&rows, "device_address(~/loadbalancers/l, 10.0.0.9, ~/virtualnetworks/v/subnets/s)");
}

/// covers: AFW-01, AFW-03, AFW-06
#[test]
fn a_firewall_policy_holds_groups_that_stand_elsewhere() {
    let rows = rows(json!([
        body(
            "azureFirewalls/fw",
            json!({
                "sku": {"name": "AZFW_VNet"}, "threatIntelMode": "Deny", "firewallPolicy": {"id": format!("{NET}/firewallPolicies/p")},
                "ipConfigurations": [{"name": "ip", "properties": {
                    "privateIPAddress": "10.0.1.4", "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/azurefirewallsubnet")},
                    "publicIPAddress": {"id": format!("{NET}/publicIPAddresses/i")},
                }}],
                "managementIpConfiguration": {"properties": {"publicIPAddress": {"id": format!("{NET}/publicIPAddresses/m")}}},
            }),
        ),
        body(
            "firewallPolicies/p",
            json!({
                "basePolicy": {"id": format!("{NET}/firewallPolicies/base")}, "threatIntelMode": "Deny", "intrusionDetection": {"mode": "Alert"},
                "ruleCollectionGroups": [{"id": format!("{NET}/firewallPolicies/p/ruleCollectionGroups/g")}],
                "snat": {"privateRanges": ["IANAPrivateRanges", "20.1.0.0/16"], "autoLearnPrivateRanges": "Disabled"},
                "dnsSettings": {"enableProxy": true, "servers": ["10.0.2.4"]},
            }),
        ),
        body(
            "firewallPolicies/p/ruleCollectionGroups/g",
            json!({"priority": 200, "ruleCollections": [
                {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "Net", "priority": 300, "action": {"type": "Deny"}, "rules": [
                    {"ruleType": "NetworkRule", "name": "R1", "ipProtocols": ["TCP", "Any"], "sourceAddresses": ["10.0.0.0-10.0.0.2"],
                     "destinationAddresses": ["Storage.WestEurope"], "destinationPorts": ["443", "8000-8010"],
                     "destinationIpGroups": [format!("{NET}/ipGroups/web")], "destinationFqdns": ["One.example.com"]},
                ]},
                {"ruleCollectionType": "FirewallPolicyNatRuleCollection", "name": "nat", "priority": 100, "action": {"type": "Dnat"}, "rules": [
                    {"ruleType": "NatRule", "name": "in", "ipProtocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": ["20.0.0.1"],
                     "destinationPorts": ["8443"], "translatedAddress": "10.0.6.4", "translatedPort": "443"},
                ]},
                {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "app", "priority": 400, "action": {"type": "Allow"}, "rules": [
                    {"ruleType": "ApplicationRule", "name": "web", "protocols": [{"protocolType": "Https"}, {"protocolType": "Http", "port": 8080}],
                     "targetFqdns": ["*.example.com"], "fqdnTags": ["WindowsUpdate"], "sourceAddresses": ["*"]},
                ]},
            ]}),
        ),
        body("ipGroups/web", json!({"ipAddresses": ["93.184.216.0/24", "10.0.0.4-10.0.0.5"]})),
    ]));
    lacks(&rows, "gap");
    has(&rows, "azure_firewall(~/azurefirewalls/fw, , ~/firewallpolicies/p, true)");
    lacks(&rows, "device_public_ip(~/azurefirewalls/fw, ~/publicipaddresses/m");
    has(&rows, "device_public_ip(~/azurefirewalls/fw, ~/publicipaddresses/i)");
    has(&rows, "firewall_policy(~/firewallpolicies/p, ~/firewallpolicies/base, true)");
    has(&rows, "firewall_inspection(~/firewallpolicies/p, threat-intelligence)");
    lacks(&rows, "firewall_inspection(~/azurefirewalls/fw");
    lacks(&rows, "firewall_inspection(~/firewallpolicies/p, intrusion-detection");
    has(&rows, "firewall_private_range(~/firewallpolicies/p, 100.64.0.0/10)");
    has(&rows, "firewall_private_range(~/firewallpolicies/p, 20.1.0.0/16)");
    lacks(&rows, "firewall_learns_ranges");
    has(&rows, "firewall_dns_proxy(~/firewallpolicies/p)");
    has(&rows, "firewall_dns_server(~/firewallpolicies/p, 0, 10.0.2.4)");
    let group = "~/firewallpolicies/p/rulecollectiongroups/g";
    let r1 = format!("{group}/rulecollections/net/rules/r1");
    has(&rows, &format!("firewall_policy_group(~/firewallpolicies/p, {group})"));
    has(&rows, &format!("firewall_group({group}, ~/firewallpolicies/p, 200)"));
    has(&rows, &format!("firewall_collection({group}/rulecollections/net, {group}, 300, deny)"));
    has(&rows, &format!("firewall_collection({group}/rulecollections/nat, {group}, 100, allow)"));
    has(&rows, &format!("firewall_rule({r1}, {group}/rulecollections/net, network, 0, 10.0.0.0/31,10.0.0.2/32, storage.westeurope)"));
    has(&rows, &format!("firewall_rule_traffic({r1}, tcp, 443,8000-8010)"));
    has(&rows, &format!("firewall_rule_traffic({r1}, *, 443,8000-8010)"));
    has(&rows, &format!("firewall_rule_ip_group({r1}, destination, ~/ipgroups/web)"));
    has(&rows, &format!("firewall_rule_name({r1}, fqdn, one.example.com)"));
    has(&rows, &format!("firewall_translation({group}/rulecollections/nat/rules/in, 10.0.6.4, , 443)"));
    has(&rows, &format!("firewall_rule_traffic({group}/rulecollections/app/rules/web, tcp, 443)"));
    has(&rows, &format!("firewall_rule_traffic({group}/rulecollections/app/rules/web, tcp, 8080)"));
    has(&rows, &format!("firewall_rule_name({group}/rulecollections/app/rules/web, fqdn-tag, windowsupdate)"));
    has(&rows, "ip_group_prefix(~/ipgroups/web, 10.0.0.4/31)");
}

/// covers: AFW-01, AFW-08
#[test]
fn a_classic_firewall_holds_its_own_rules() {
    let rows = rows(json!([body(
        "azureFirewalls/fw",
        json!({
            "threatIntelMode": "Deny", "additionalProperties": {"Network.SNAT.PrivateRanges": "IANAPrivateRanges, 8.8.8.8/32", "Surprise": "x"},
            "networkRuleCollections": [{"name": "net", "properties": {"priority": 100, "action": {"type": "Allow"}, "rules": [
                {"name": "r", "protocols": ["UDP"], "sourceAddresses": ["*"], "destinationAddresses": ["*"], "destinationPorts": ["53"]},
            ]}}],
        }),
    )]));
    has(&rows, "azure_firewall(~/azurefirewalls/fw, , , false)");
    has(&rows, "firewall_inspection(~/azurefirewalls/fw, threat-intelligence)");
    has(&rows, "firewall_private_range(~/azurefirewalls/fw, 8.8.8.8/32)");
    has(&rows, "gap(~/azurefirewalls/fw, microsoft.network/azurefirewalls, `properties.additionalProperties.Surprise` is not modelled)");
    let collection = "~/azurefirewalls/fw/networkrulecollections/net";
    has(&rows, &format!("firewall_collection({collection}, ~/azurefirewalls/fw, 100, allow)"));
    has(&rows, &format!("firewall_rule({collection}/rules/r, {collection}, network, 0, *, *)"));
    has(&rows, &format!("firewall_rule_traffic({collection}/rules/r, udp, 53)"));
}

/// covers: SND-02
#[test]
fn what_is_not_understood_in_a_firewall_rule_makes_it_match_perhaps() {
    let rows = rows(json!([body(
        "firewallPolicies/p/ruleCollectionGroups/g",
        json!({"priority": "first", "ruleCollections": [
            {"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Maybe"}, "rules": [
                {"ruleType": "StrangeRule", "name": "s", "sourceAddresses": ["10.0.0.0/8"]},
                {"ruleType": "NetworkRule", "name": "n", "ipProtocols": ["TCP"], "sourceAddresses": [], "destinationAddresses": ["*"],
                 "destinationPorts": ["443"]},
            ]},
        ]}),
    )]));
    let c = "~/firewallpolicies/p/rulecollectiongroups/g/rulecollections/c";
    for action in ["allow", "deny"] {
        has(&rows, &format!("firewall_collection({c}, ~/firewallpolicies/p/rulecollectiongroups/g, 0, {action})"));
    }
    has(&rows, &format!("firewall_rule({c}/rules/s, {c}, network, 0, (unknown), (unknown))"));
    has(&rows, &format!("firewall_rule({c}/rules/n, {c}, network, 1, (unknown), *)"));
    assert!(rows.iter().filter(|row| row.starts_with("gap(")).count() >= 4, "{rows:#?}");
}
