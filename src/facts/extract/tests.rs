//! What single bodies become, where the wording of the exports is a trap.

use serde_json::{Value, json};

use super::extract;
use crate::facts::Fact;
use crate::ingest::{self, Input};

pub(super) const NET: &str = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network";

/// The rows of all resources in `bodies` as text, without `resource` rows.
pub(super) fn rows(bodies: Value) -> Vec<String> {
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

pub(super) fn body(kind_and_name: &str, properties: Value) -> Value {
    json!({"id": format!("{NET}/{kind_and_name}"), "location": "westeurope", "properties": properties})
}

pub(super) fn has(rows: &[String], row: &str) {
    assert!(rows.iter().any(|r| r == row), "no {row} in {rows:#?}");
}

pub(super) fn lacks(rows: &[String], start: &str) {
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

// covers: ADR-15
#[test]
fn an_interface_says_whether_it_is_the_first_of_its_machine() {
    let machine = json!({"id": format!("{NET}/virtualMachines/m")});
    let rows = rows(json!([
        body("networkInterfaces/one", json!({"primary": true, "virtualMachine": machine})),
        body("networkInterfaces/two", json!({"primary": false, "virtualMachine": machine})),
        body("networkInterfaces/three", json!({"primary": true})),
    ]));
    assert_eq!(rows.iter().filter(|row| row.starts_with("nic_primary(")).collect::<Vec<_>>(), ["nic_primary(~/networkinterfaces/one)"]);
}

// covers: PE-07, PE-06
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
    has(
        &rule(json!({"sourceAddressPrefix": "", "sourceAddressPrefixes": []})),
        &format!("{start}(unknown), *, virtualnetwork, 80-81,443)"),
    );
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
    has(&rows, "load_balancer(~/loadbalancers/l, basic, false)");
    let frontend = "~/loadbalancers/l/frontendipconfigurations/f";
    has(&rows, &format!("load_balancer_frontend({frontend}, ~/loadbalancers/l, ~/virtualnetworks/v/subnets/s, 10.0.0.9, )"));
    // A rule without its ports and protocol takes anything, perhaps, and says so; without a frontend at any.
    has(&rows, &format!("inbound_nat_rule(~/loadbalancers/l/inboundnatrules/r, {frontend}, unknown, 0, 65535, 0, false)"));
    has(&rows, "gap(~/loadbalancers/l, microsoft.network/loadbalancers, a rule of the load balancer lacks its protocol)");
}

/// covers: SND-01, IN-04, IN-05, OUT-05
#[test]
fn a_part_of_a_load_balancer_without_a_body_may_be_for_anything() {
    let l = "~/loadbalancers/l";
    let id = |path: &str| json!({"id": format!("{NET}/loadBalancers/l/{path}")});
    let subnet = json!({"subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}});
    let listed = |frontend: serde_json::Value| {
        rows(json!([body(
            "loadBalancers/l",
            json!({
                "frontendIPConfigurations": [{"name": "f", "properties": &subnet}, frontend],
                "backendAddressPools": [{"name": "b"}, {"name": "c"}],
                "loadBalancingRules": [id("loadBalancingRules/web")],
                "inboundNatRules": [id("inboundNatRules/r")],
                "outboundRules": [id("outboundRules/o")],
            })
        )]))
    };
    let all = listed(json!({"name": "g", "properties": &subnet}));
    for frontend in ["f", "g"] {
        let frontend = format!("{l}/frontendipconfigurations/{frontend}");
        has(&all, &format!("load_balancing_rule({l}/loadbalancingrules/web, {frontend}, unknown, 0, 0, false, true, )"));
        has(&all, &format!("inbound_nat_rule({l}/inboundnatrules/r, {frontend}, unknown, 0, 65535, 0, false)"));
        has(&all, &format!("outbound_rule_frontend({l}/outboundrules/o, {frontend})"));
    }
    for pool in ["b", "c"] {
        let pool = format!("{l}/backendaddresspools/{pool}");
        has(&all, &format!("load_balancing_rule_pool({l}/loadbalancingrules/web, {pool})"));
        has(&all, &format!("inbound_nat_rule_pool({l}/inboundnatrules/r, {pool})"));
        has(&all, &format!("outbound_rule({l}/outboundrules/o, {pool}, unknown)"));
    }
    // A frontend of which nobody knows the address: as good as a load balancer that was not exported.
    let cut = listed(id("frontendIPConfigurations/g"));
    has(&cut, &format!("gap({l}, microsoft.network/loadbalancers, `properties.frontendIPConfigurations.g` is missing)"));
    lacks(&cut, "load_balancer(");
    lacks(&cut, "load_balancer_pool(");
}

/// covers: SND-01, IN-08, IN-10, AFW-01
#[test]
fn a_front_of_a_device_without_a_body_may_have_any_address() {
    for (kind, list, whole) in [
        ("applicationGateways", "frontendIPConfigurations", "device(~/applicationgateways/g, application-gateway, )"),
        ("bastionHosts", "ipConfigurations", "device(~/bastionhosts/g, bastion, )"),
        ("azureFirewalls", "ipConfigurations", "azure_firewall(~/azurefirewalls/g, , , false)"),
    ] {
        let of = |front: serde_json::Value| rows(json!([body(&format!("{kind}/g"), json!({ list: [front] }))]));
        let public_ip = json!({"name": "f", "properties": {"publicIPAddress": {"id": format!("{NET}/publicIPAddresses/p")}}});
        has(&of(public_ip), whole);
        let cut = of(json!({"id": format!("{NET}/{kind}/g/{list}/f")}));
        lacks(&cut, whole);
        let lower = format!("{NET}/{kind}/g").to_lowercase();
        let gap = format!("gap({lower}, microsoft.network/{}, `properties.{list}` is missing)", kind.to_lowercase());
        has(&cut, &gap.replace(&NET.to_lowercase(), "~"));
    }
}

/// covers: PEER-02
#[test]
fn a_side_of_a_peering_without_a_body_does_not_say_with_whom_it_is() {
    let peering = "~/virtualnetworks/v/virtualnetworkpeerings/p";
    let expected = format!(
        "peering({peering}, ~/virtualnetworks/v, {peering}/unknown-remotevirtualnetwork, unknown, true, true, false, false, false, true)"
    );
    let id = format!("{NET}/virtualNetworks/v/virtualNetworkPeerings/p");
    for part in
        [json!({"id": &id}), json!({"id": &id, "properties": null}), json!({"id": &id, "properties": {"remoteVirtualNetwork": null}})]
    {
        let rows = rows(json!([body("virtualNetworks/v", json!({"virtualNetworkPeerings": [part]}))]));
        has(&rows, &expected);
    }
}

/// covers: IN-04, IN-05, IN-06, OUT-05, ILB-08
#[test]
fn parts_of_a_load_balancer_are_read_wherever_they_stand() {
    let part = |path: &str| json!({"id": format!("{NET}/loadBalancers/l/{path}")});
    let rows = rows(json!([
        body(
            "loadBalancers/l",
            json!({
                "loadBalancingRules": [{"name": "web", "properties": {"frontendIPConfiguration": part("frontendIPConfigurations/f"),
                    "protocol": "Tcp", "frontendPort": 80, "backendPort": "8080", "enableFloatingIP": true, "disableOutboundSnat": true,
                    "probe": part("probes/p"), "backendAddressPools": [part("backendAddressPools/b")]}}],
                "probes": [{"name": "p", "properties": {"port": 8080}}],
                "inboundNatPools": [{"name": "np", "properties": {"frontendIPConfiguration": part("frontendIPConfigurations/f"),
                    "protocol": "Tcp", "frontendPortRangeStart": 50000, "frontendPortRangeEnd": 50099, "backendPort": 22}}],
            })
        ),
        body(
            "loadBalancers/l/frontendIPConfigurations/f",
            json!({"publicIPAddress": {"id": format!("{NET}/publicIPAddresses/p")},
            "gatewayLoadBalancer": {"id": format!("{NET}/loadBalancers/g/frontendIPConfigurations/f")}})
        ),
        body(
            "loadBalancers/l/backendAddressPools/b",
            json!({"loadBalancerBackendAddresses": [
                {"name": "one", "properties": {"ipAddress": "10.0.0.4", "adminState": "Down",
                    "virtualNetwork": {"id": format!("{NET}/virtualNetworks/v")}}},
                {"name": "two", "properties": {"loadBalancerFrontendIPConfiguration": part("frontendIPConfigurations/r")}},
            ]})
        ),
        body(
            "loadBalancers/l/outboundRules/o",
            json!({"protocol": "All", "backendAddressPool": part("backendAddressPools/b"),
            "frontendIPConfigurations": [part("frontendIPConfigurations/f")]})
        ),
    ]));
    let l = "~/loadbalancers/l";
    has(
        &rows,
        &format!(
            "load_balancing_rule({l}/loadbalancingrules/web, {l}/frontendipconfigurations/f, tcp, 80, 8080, true, false, {l}/probes/p)"
        ),
    );
    has(&rows, &format!("load_balancing_rule_pool({l}/loadbalancingrules/web, {l}/backendaddresspools/b)"));
    has(&rows, &format!("load_balancer_probe({l}/probes/p, 8080)"));
    has(&rows, &format!("inbound_nat_rule({l}/inboundnatpools/np, {l}/frontendipconfigurations/f, tcp, 50000, 50099, 22, false)"));
    has(&rows, &format!("load_balancer_frontend({l}/frontendipconfigurations/f, {l}, , , ~/publicipaddresses/p)"));
    has(&rows, &format!("gateway_chain({l}/frontendipconfigurations/f, ~/loadbalancers/g/frontendipconfigurations/f)"));
    has(&rows, &format!("load_balancer_address({l}/backendaddresspools/b, 10.0.0.4, ~/virtualnetworks/v)"));
    has(&rows, &format!("load_balancer_member_down({l}/backendaddresspools/b, 10.0.0.4)"));
    has(&rows, &format!("load_balancer_region({l}/backendaddresspools/b, {l}/frontendipconfigurations/r)"));
    has(&rows, &format!("outbound_rule({l}/outboundrules/o, {l}/backendaddresspools/b, all)"));
    has(&rows, &format!("outbound_rule_frontend({l}/outboundrules/o, {l}/frontendipconfigurations/f)"));
}

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

/// covers: RTE-24
#[test]
fn routes_of_a_manager_are_read_in_the_words_of_its_documents() {
    let collection = "networkManagers/m/routingConfigurations/c/ruleCollections/rc";
    let rule =
        |name: &str, to: Value, next: Value| body(&format!("{collection}/rules/{name}"), json!({"destination": to, "nextHop": next}));
    let to = |kind: &str, text: &str| json!({"type": kind, "destinationAddress": text});
    let rows = rows(json!([
        body(
            collection,
            json!({"appliesTo": [{"networkGroupId": format!("{NET}/networkManagers/m/networkGroups/g")}],
                   "disableBgpRoutePropagation": "True", "localRouteSetting": "DirectRoutingWithinSubnet"})
        ),
        rule("all", to("AddressPrefix", "0.0.0.0/0"), json!({"nextHopType": "VirtualAppliance", "nextHopAddress": "10.0.0.4"})),
        rule("tag", to("ServiceTag", "Storage"), json!({"nextHopType": "NoNextHop"})),
        rule("odd", json!(7), json!({"nextHopType": "Internet"})),
    ]));
    let rc = "~/networkmanagers/m/routingconfigurations/c/rulecollections/rc";
    has(&rows, &format!("routing_collection({rc}, ~/networkmanagers/m/networkgroups/g, false, directroutingwithinsubnet)"));
    has(&rows, &format!("routing_rule({rc}/rules/all, {rc}, 0.0.0.0/0, virtualappliance, 10.0.0.4)"));
    has(&rows, &format!("routing_rule({rc}/rules/tag, {rc}, storage, none, )"));
    has(&rows, &format!("routing_rule({rc}/rules/odd, {rc}, (unknown), internet, )"));
}

/// covers: ADR-05
#[test]
fn an_interface_that_was_cut_counts_as_not_exported() {
    let machine = json!({"id": "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/m"});
    // An interface has an address configuration, and that a subnet: what lacks one was cut on the way.
    for cut in [json!([]), Value::Null, json!([{"name": "c", "properties": {"privateIPAddress": "10.0.0.4"}}])] {
        let rows = rows(json!([body("networkInterfaces/n", json!({"virtualMachine": machine, "ipConfigurations": cut}))]));
        lacks(&rows, "nic(");
        assert!(rows.iter().any(|row| row.starts_with("nic_machine(~/networkinterfaces/n, ")), "{rows:#?}");
        assert!(rows.iter().any(|row| row.starts_with("gap(~/networkinterfaces/n, ")), "{rows:#?}");
    }
}

/// What a subnet names as standing in it is known to stand there, be it exported or not. covers: RTE-04, NVA-11, GW-14
#[test]
fn a_subnet_tells_of_gateways_and_a_connection_of_its_limits() {
    let standing = |of: &str| json!({"id": format!("{NET}/{of}/ipConfigurations/default")});
    let rows = rows(json!([
        body("virtualNetworks/v/subnets/GatewaySubnet", json!({"ipConfigurations": [standing("virtualNetworkGateways/GW")]})),
        body("virtualNetworks/v/subnets/RouteServerSubnet", json!({"ipConfigurations": [standing("virtualHubs/rs")]})),
        body("virtualNetworks/v/subnets/s", json!({"ipConfigurations": [standing("networkInterfaces/n")]})),
        body(
            "connections/c",
            json!({"connectionType": "IPsec", "virtualNetworkGateway1": {"id": format!("{NET}/virtualNetworkGateways/gw")},
                   "localNetworkGateway2": {"id": format!("{NET}/localNetworkGateways/hq")}, "connectionStatus": "Connected",
                   "usePolicyBasedTrafficSelectors": true, "expressRouteGatewayBypass": "False", "ingressNatRules": []})
        ),
    ]));
    has(&rows, "gateway_subnet(~/virtualnetworkgateways/gw, ~/virtualnetworks/v/subnets/gatewaysubnet)");
    has(&rows, "route_server(~/virtualhubs/rs, ~/virtualnetworks/v/subnets/routeserversubnet)");
    has(&rows, "connection_limit(~/connections/c, usePolicyBasedTrafficSelectors)");
    assert_eq!(rows.iter().filter(|row| row.starts_with("connection_limit")).count(), 1);
    has(&rows, "subnet_ip_config(~/virtualnetworks/v/subnets/s, ~/networkinterfaces/n/ipconfigurations/default)");
    assert_eq!(rows.iter().filter(|row| row.contains("networkinterfaces")).count(), 1);
}

/// Clients of a gateway have addresses of the pool of all, or of the pool of their group. covers: GW-01
#[test]
fn every_pool_of_a_gateways_clients_is_read() {
    let pool = |prefix: &str| json!({"addressPrefixes": [prefix]});
    let rows = rows(json!([body(
        "virtualNetworkGateways/g",
        json!({"gatewayType": "Vpn", "vpnClientConfiguration": {"vpnClientAddressPool": pool("172.30.0.0/24"),
            "vngClientConnectionConfigurations": [{"name": "c", "properties": {"vpnClientAddressPool": pool("172.30.5.0/24")}}]}})
    )]));
    has(&rows, "gateway_client_pool(~/virtualnetworkgateways/g, 172.30.0.0/24)");
    has(&rows, "gateway_client_pool(~/virtualnetworkgateways/g, 172.30.5.0/24)");
}

/// What lacks its body, or a list that every one of its type has, may be anything. covers: GW-02, IN-08, SND-02
#[test]
fn what_was_cut_off_on_the_way_may_be_anything() {
    let bare = rows(json!([{"id": format!("{NET}/connections/c"), "type": "Microsoft.Network/connections"}]));
    has(&bare, "connection(~/connections/c, unknown, , , maybe, false)");
    let proxy = |body: Value| rows(json!([self::body("applicationGateways/a", body)]));
    has(&proxy(json!({})), "listener(~/applicationgateways/a, , , 0)");
    lacks(&proxy(json!({"httpListeners": []})), "listener(");
}

/// Nothing is proven by the rest of a resource of which a value was lost. covers: SND-02
#[test]
fn a_value_that_cannot_be_read_takes_the_resource_back() {
    let configuration = json!({"name": "c", "properties": {"subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}, "privateIPAddress": "10.0.0.4"}});
    let machine = json!({"id": "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/m"});
    let nic = |group: Value| {
        rows(json!([body(
            "networkInterfaces/n",
            json!({"virtualMachine": machine, "networkSecurityGroup": group, "ipConfigurations": [configuration]})
        )]))
    };
    has(&nic(Value::Null), "nic(~/networkinterfaces/n, machine, false)");
    lacks(&nic(Value::Null), "unread(");
    has(&nic(json!(17)), "unread(~/networkinterfaces/n, properties.networkSecurityGroup)");

    let others = rows(json!([
        body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.0.0/24", "routeTable": {"id": 5}})),
        body("virtualNetworks/w", json!({"addressSpace": {"addressPrefixes": ["10.1.0.0/16", 5]}})),
        body("virtualNetworkGateways/g", json!({"gatewayType": "Vpn", "enableBgp": {}})),
        body("routeTables/t/routes/r", json!("x")),
        body("loadBalancers/l", json!({"backendAddressPools": [{"name": "p", "properties": "x"}], "inboundNatRules": ["x"]})),
    ]));
    has(&others, "unread(~/virtualnetworks/v/subnets/s, properties.routeTable.id)");
    has(&others, "unread(~/virtualnetworks/w, properties.addressSpace.addressPrefixes.1)");
    has(&others, "unread(~/virtualnetworkgateways/g, properties.enableBgp)");
    // What others name and miss leaves enough open by itself.
    lacks(&others, "load_balancer");
    lacks(&others, "unread(~/routetables");
    let rules = rows(json!([body("loadBalancers/l", json!({"inboundNatRules": ["x"]}))]));
    lacks(&rules, "load_balancer");
    lacks(&rules, "unread(");
    // Who is in a pool need not say so itself.
    has(&others, "unread(~/loadbalancers/l, properties.backendAddressPools.0.properties)");
    assert!(others.iter().any(|row| row.starts_with("route(~/routetables/t/routes/r, ~/routetables/t, ")), "{others:#?}");
    for lost in ["enableBgp", "routeTable.id", "addressPrefixes.1", "backendAddressPools.0.properties", "inboundNatRules.0"] {
        assert!(others.iter().any(|row| row.starts_with("gap(") && row.contains(&format!("{lost}` is not"))), "{lost} {others:#?}");
    }
}

/// A rule that names nothing is none that Azure takes: what it named was lost. covers: NSG-08
#[test]
fn a_rule_that_names_nothing_may_match_anything() {
    let rule = |extra: Value| {
        let mut properties = json!({"priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "Tcp", "sourceAddressPrefix": "10.0.0.4",
            "destinationAddressPrefix": "*", "sourcePortRange": "*", "destinationPortRange": "443"});
        properties.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        rows(json!([body("networkSecurityGroups/g/securityRules/r", properties)]))
    };
    lacks(&rule(json!({})), "gap(");
    for (extra, field) in [
        (json!({"sourceAddressPrefix": "", "sourceAddressPrefixes": []}), "sourceAddressPrefix"),
        (json!({"destinationPortRange": "", "destinationPortRanges": []}), "destinationPortRange"),
    ] {
        let lost = rule(extra);
        assert!(lost.iter().any(|row| row.starts_with("gap(") && row.contains(&format!("`properties.{field}` is missing"))), "{lost:#?}");
    }
    lacks(&rule(json!({"protocol": "Icmp", "destinationPortRange": ""})), "gap(");
}

/// To whom an application gateway passes on what it takes. covers: IN-08
#[test]
fn the_rules_of_an_application_gateway_lead_to_pools() {
    let part = |list: &str, name: &str| json!({"id": format!("{NET}/applicationGateways/g/{list}/{name}")});
    let named = |list: &str, name: &str, body: Value| json!({"id": part(list, name)["id"], "name": name, "properties": body});
    let gateway = |rules: Value, pool: Value| {
        rows(json!([body(
            "applicationGateways/g",
            json!({
                "frontendIPConfigurations": [named("frontendIPConfigurations", "f", json!({"publicIPAddress": {"id": format!("{NET}/publicIPAddresses/p")}}))],
                "frontendPorts": [named("frontendPorts", "443", json!({"port": 443}))],
                "httpListeners": [named("httpListeners", "l", json!({"frontendIPConfiguration": part("frontendIPConfigurations", "f"), "frontendPort": part("frontendPorts", "443")}))],
                "backendAddressPools": [named("backendAddressPools", "b", pool)],
                "backendHttpSettingsCollection": [named("backendHttpSettingsCollection", "s", json!({"port": 8080}))],
                "urlPathMaps": [named("urlPathMaps", "m", json!({
                    "defaultRedirectConfiguration": part("redirectConfigurations", "r"),
                    "pathRules": [{"name": "one", "properties": {"backendAddressPool": part("backendAddressPools", "b"), "backendHttpSettings": part("backendHttpSettingsCollection", "s")}}]
                }))],
                "requestRoutingRules": [named("requestRoutingRules", "r", rules)],
            })
        )]))
    };
    let (g, pip) = ("~/applicationgateways/g", "~/publicipaddresses/p");
    let members = json!({"backendAddresses": [{"ipAddress": "10.0.4.4"}, {"fqdn": "Web.example"}, {"ipAddress": "api.example"}]});
    let bound = |extra: Value| {
        let mut rule = json!({"httpListener": part("httpListeners", "l")});
        rule.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        rule
    };
    let to = |pool: &str| {
        bound(
            json!({"backendAddressPool": part("backendAddressPools", pool), "backendHttpSettings": part("backendHttpSettingsCollection", "s")}),
        )
    };
    let basic = gateway(to("b"), members.clone());
    has(&basic, &format!("proxy_rule({g}, {pip}, , 443, {g}/backendaddresspools/b, 8080)"));
    has(&basic, &format!("proxy_member({g}/backendaddresspools/b, 10.0.4.4, )"));
    has(&basic, &format!("proxy_member({g}/backendaddresspools/b, , web.example)"));
    has(&basic, &format!("proxy_member({g}/backendaddresspools/b, , api.example)"));
    let by_path = gateway(bound(json!({"urlPathMap": part("urlPathMaps", "m")})), members.clone());
    has(&by_path, &format!("proxy_rule({g}, {pip}, , 443, {g}/backendaddresspools/b, 8080)"));
    // What it does not tell may be anything; what it sends elsewhere goes to nobody.
    has(&gateway(to("gone"), members.clone()), &format!("proxy_rule({g}, {pip}, , 443, , 8080)"));
    has(&gateway(bound(json!({})), members.clone()), &format!("proxy_rule({g}, {pip}, , 443, , 0)"));
    has(&gateway(to("b"), json!({})), &format!("proxy_member({g}/backendaddresspools/b, , )"));
    lacks(&gateway(bound(json!({"redirectConfiguration": part("redirectConfigurations", "r")})), members), "proxy_rule(");
    let configuration = json!({"name": "c", "properties": {"subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}, "applicationGatewayBackendAddressPools": [part("backendAddressPools", "b")]}});
    let nic = rows(json!([body("networkInterfaces/n", json!({"ipConfigurations": [configuration]}))]));
    has(&nic, &format!("ip_config_proxy_pool(~/networkinterfaces/n/ipconfigurations/c, {g}/backendaddresspools/b)"));
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
