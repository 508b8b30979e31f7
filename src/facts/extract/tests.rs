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
    let set = |public: Value| {
        let mut set = body(
            "virtualMachineScaleSets/x",
            json!({"virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [{"name": "Nic", "properties": {
                "primary": true, "ipConfigurations": [{"name": "ip", "properties": {
                    "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}, "publicIPAddressConfiguration": public,
                    "loadBalancerBackendAddressPools": [{"id": format!("{NET}/loadBalancers/l/backendAddressPools/b")}],
                }}],
            }}]}}}),
        );
        set["id"] = json!(format!("{NET}/virtualMachineScaleSets/x").replace("network", "compute"));
        rows(json!([set]))
    };
    // One that says nothing of itself may be none.
    let empty = set(json!({}));
    lacks(&empty, "ip_config_public_ip(");
    assert!(empty.iter().any(|row| row.starts_with("unread(") && row.contains("publicIPAddressConfiguration")), "{empty:#?}");
    let rows = set(json!({"name": "p"}));
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
fn a_missing_list_is_not_an_empty_one() {
    for (kind, list) in [("networkSecurityGroups", "securityRules"), ("routeTables", "routes")] {
        let row = format!("unlisted(~/{kind}/g, microsoft.network/{kind}/{list})").to_lowercase();
        has(&rows(json!([body(&format!("{kind}/g"), json!({}))])), &row);
        lacks(&rows(json!([body(&format!("{kind}/g"), json!({list: []}))])), "unlisted(");
    }
    // The platform's own rules are what they are, whatever stands there (NSG-04).
    has(
        &rows(json!([body("networkSecurityGroups/g", json!({"securityRules": [], "defaultSecurityRules": "x"}))])),
        "nsg(~/networksecuritygroups/g)",
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
    // A group that is not told leaves open all that one may say.
    has(&nic(json!(17)), "nic_nsg(~/networkinterfaces/n, ~/networkinterfaces/n/unknown-networksecuritygroup)");
    lacks(&nic(json!(17)), "unread(");

    let others = rows(json!([
        body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.0.0/24", "routeTable": {"id": 5}})),
        body("virtualNetworks/w", json!({"addressSpace": {"addressPrefixes": ["10.1.0.0/16", 5]}})),
        body("virtualNetworkGateways/g", json!({"gatewayType": "Vpn", "enableBgp": {}})),
        body("routeTables/t/routes/r", json!("x")),
        body("loadBalancers/l", json!({"backendAddressPools": [{"name": "p", "properties": "x"}], "inboundNatRules": ["x"]})),
    ]));
    has(&others, "subnet_route_table(~/virtualnetworks/v/subnets/s, ~/virtualnetworks/v/subnets/s/unknown-routetable)");
    lacks(&others, "unread(~/virtualnetworks/v/subnets/s");
    has(&others, "unread(~/virtualnetworks/w, properties.addressSpace.addressPrefixes.1)");
    has(&others, "unread(~/virtualnetworkgateways/g, properties.enableBgp)");
    // What others name and miss leaves enough open by itself.
    lacks(&others, "load_balancer");
    lacks(&others, "unread(~/routetables");
    let rules = rows(json!([body("loadBalancers/l", json!({"inboundNatRules": ["x"]}))]));
    lacks(&rules, "load_balancer");
    lacks(&rules, "unread(");
    // Who is in a pool need not say so itself.
    has(&others, "unread(~/loadbalancers/l/backendaddresspools/p, properties)");
    assert!(others.iter().any(|row| row.starts_with("route(~/routetables/t/routes/r, ~/routetables/t, ")), "{others:#?}");
    for lost in ["enableBgp", "routeTable.id", "addressPrefixes.1"] {
        assert!(others.iter().any(|row| row.starts_with("gap(") && row.contains(&format!("{lost}` is not"))), "{lost} {others:#?}");
    }
    has(
        &others,
        "gap(~/loadbalancers/l, microsoft.network/loadbalancers, `properties.inboundNatRules` holds something that is no resource)",
    );
    let pool = "~/loadbalancers/l/backendaddresspools/p, microsoft.network/loadbalancers/backendaddresspools";
    has(&others, &format!("gap({pool}, `properties` is not an object)"));
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
