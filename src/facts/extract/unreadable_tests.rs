//! Values that cannot be read, or that contradict each other: they may be anything.

use serde_json::{Value, json};

use super::tests::{NET, body, has, lacks, rows};

/// Azure lets no group of another subscription filter: which one does stands nowhere.
///
/// covers: NSG-15, SND-04
#[test]
fn a_group_of_another_subscription_is_none_that_the_input_holds() {
    let of = |group: &str| {
        let group = json!({"id": group});
        let configuration = json!({"name": "c", "properties": {"privateIPAddress": "10.0.1.4", "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}}});
        let subnet = json!({"name": "s", "properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": group}});
        rows(json!([
            body("virtualNetworks/v", json!({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]})),
            body("networkInterfaces/n", json!({"networkSecurityGroup": group, "ipConfigurations": [configuration]}))
        ]))
    };
    let own = of(&format!("{NET}/networkSecurityGroups/G"));
    has(&own, "subnet_nsg(~/virtualnetworks/v/subnets/s, ~/networksecuritygroups/g)");
    has(&own, "nic_nsg(~/networkinterfaces/n, ~/networksecuritygroups/g)");
    let other = of("/subscriptions/other/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/G");
    has(&other, "subnet_nsg(~/virtualnetworks/v/subnets/s, ~/virtualnetworks/v/subnets/s/unknown-networksecuritygroup)");
    has(&other, "nic_nsg(~/networkinterfaces/n, ~/networkinterfaces/n/unknown-networksecuritygroup)");
    let what = "`networkSecurityGroup` is of another subscription, where no group can be that filters here";
    has(&other, &format!("gap(~/networkinterfaces/n, microsoft.network/networkinterfaces, {what})"));
}

/// Of an address and a family that contradict each other one is wrong: the resource counts as one that could not be read.
///
/// covers: ADR-14, SND-02
#[test]
fn an_address_of_another_family_than_it_says() {
    let public =
        |version: &str| rows(json!([body("publicIPAddresses/p", json!({"ipAddress": "20.0.0.5", "publicIPAddressVersion": version}))]));
    lacks(&public("ipv4"), "unread(");
    has(&public("IPv6"), "unread(~/publicipaddresses/p, properties.publicIPAddressVersion)");
    let interface = |version: &str| {
        let configuration = json!({"name": "c", "properties": {"privateIPAddress": "10.0.0.4", "privateIPAddressVersion": version,
            "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}}});
        rows(json!([body("networkInterfaces/n", json!({"ipConfigurations": [configuration]}))]))
    };
    lacks(&interface("IPv4"), "unread(");
    has(&interface("IPv6"), "unread(~/networkinterfaces/n, properties.ipConfigurations.0.properties.privateIPAddressVersion)");
}

/// covers: APP-01, APP-06, SND-02
#[test]
fn a_restriction_with_an_unknown_tag_may_match_anybody() {
    let site = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/w";
    let rule = json!({"ipAddress": "198.51.100.0/24", "action": "Allow", "priority": 100, "tag": "Other", "name": "r"});
    let config = json!({"id": format!("{site}/config/web"), "type": "Microsoft.Web/sites/config", "name": "web",
        "properties": {"ipSecurityRestrictions": [rule]}});
    let found = rows(json!([config]));
    assert!(
        found.iter().any(|row| row.starts_with("store_list_rule(") && row.contains("(unknown)") && row.ends_with("false)")),
        "{found:#?}"
    );
    assert!(found.iter().any(|row| row.starts_with("unread_rule(") && row.contains("the tag `other`")), "{found:#?}");
}

/// covers: PEER-02, SND-02
#[test]
fn a_word_that_is_no_state_of_a_peering_is_another_than_none() {
    let state = |state: Value| {
        let remote = json!({"id": format!("{NET}/virtualNetworks/w")});
        rows(json!([body("virtualNetworks/v/virtualNetworkPeerings/p", json!({"remoteVirtualNetwork": remote, "peeringState": state}))]))
    };
    let side = |word: &str| {
        format!(
            "peering(~/virtualnetworks/v/virtualnetworkpeerings/p, ~/virtualnetworks/v, ~/virtualnetworks/w, {word}, true, true, false, false, false, true)"
        )
    };
    for other in [json!("Sideways"), json!("Updating"), json!("Unknown "), json!(5), json!(["Connected"])] {
        let said = state(other.clone());
        has(&said, &side(if other == "Unknown " { "unknown" } else { "other" }));
    }
    has(&state(json!(null)), &side("unknown"));
    has(&state(json!("connected")), &side("connected"));
}

/// covers: GW-07, SND-02
#[test]
fn a_summary_is_a_list_or_an_address_space() {
    let network = |summary: Value| {
        let space = json!({"addressPrefixes": ["10.0.0.0/16"]});
        rows(json!([body("virtualNetworks/v", json!({"addressSpace": space, "summarizedGatewayPrefixes": summary}))]))
    };
    for said in [json!(["10.0.0.0/17"]), json!({"addressPrefixes": ["10.0.0.0/17"]})] {
        has(&network(said), "gateway_summary(~/virtualnetworks/v, 10.0.0.0/17)");
    }
    for unreadable in [json!(7), json!("nonsense"), json!(["nonsense"]), json!({"addressPrefixes": 7})] {
        let said = network(unreadable);
        assert!(said.iter().any(|row| row.starts_with("unread(~/virtualnetworks/v, properties.summarizedGatewayPrefixes")), "{said:#?}");
    }
    lacks(&network(json!(null)), "unread(");
}

/// covers: NSG-08, NSG-09, SND-02
#[test]
fn an_item_of_a_rule_that_cannot_be_read_beside_others_may_be_anything() {
    let rule = |part: Value| {
        let mut all = json!({"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourcePortRange": "*",
            "sourceAddressPrefixes": ["10.0.0.0/25"], "destinationAddressPrefix": "*", "destinationPortRanges": ["80"]});
        all.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        rows(json!([body("networkSecurityGroups/g/securityRules/r", all)]))
    };
    let doubted = |said: &[String]| said.iter().any(|row| row.starts_with("nsg_rule(") && row.contains(super::UNKNOWN_TAG));
    for part in [
        json!({"sourceApplicationSecurityGroups": [{}]}),
        json!({"sourceApplicationSecurityGroups": [null]}),
        json!({"sourceApplicationSecurityGroups": [{"id": ""}]}),
        json!({"sourceAddressPrefixes": [null, "10.0.0.0/25"]}),
        json!({"destinationPortRanges": [null, "80"]}),
        json!({"sourcePortRanges": [null, "80"], "sourcePortRange": null}),
    ] {
        let said = rule(part.clone());
        assert!(doubted(&said), "{part} in {said:#?}");
    }
    let whole = rule(json!({"sourceApplicationSecurityGroups": [], "sourceAddressPrefix": null, "destinationPortRange": ""}));
    assert!(!doubted(&whole), "{whole:#?}");
}

/// covers: IN-06, OUT-05, OUT-06, SND-02
#[test]
fn a_pool_that_cannot_be_read_may_be_anybodys() {
    let balancer =
        |pools: Value| rows(json!([body("loadBalancers/l", json!({"frontendIPConfigurations": [], "backendAddressPools": pools}))]));
    has(&balancer(json!(12345)), "unread(~/loadbalancers/l, properties.backendAddressPools)");
    has(&balancer(json!(["p"])), "unread(~/loadbalancers/l, properties.backendAddressPools)");
    let listed = balancer(json!([{"name": "p", "properties": {"backendIPConfigurations": 12345}}]));
    has(&listed, "unread(~/loadbalancers/l/backendaddresspools/p, properties.backendIPConfigurations)");
    lacks(&balancer(json!([])), "unread(");
}

/// covers: AVN-12, SND-02
#[test]
fn a_policy_that_can_only_fill_groups_does_whatever_its_effect_is_called() {
    let policy = |mode: &str, effect: Value| {
        let group = format!("{NET}/networkManagers/m/networkGroups/g");
        let then = json!({"effect": effect, "details": {"networkGroupId": group}});
        let all = json!({"mode": mode, "policyRule": {"if": {}, "then": then}});
        rows(json!([{"id": "/subscriptions/s/providers/Microsoft.Authorization/policyDefinitions/p", "properties": all}]))
    };
    let fills = |said: &[String]| said.iter().any(|row| row.starts_with("group_policy(") && row.contains("networkgroups/g"));
    for effect in [json!("addToNetworkGroup"), json!("[parameters('effect')]"), json!(null)] {
        assert!(fills(&policy("Microsoft.Network.Data", effect)));
    }
    assert!(!fills(&policy("Microsoft.Network.Data", json!("Disabled"))));
    assert!(!fills(&policy("All", json!("[parameters('effect')]"))));
    let cut = json!({"id": "/subscriptions/s/providers/Microsoft.Authorization/policyDefinitions/p", "properties": {"mode": "Microsoft.Network.Data"}});
    assert!(rows(json!([cut])).iter().any(|row| row.starts_with("group_policy(") && row.ends_with(", )")));
}

/// covers: SND-04, IN-05, IN-11, OUT-05, RTE-20, VW-02
#[test]
fn a_reference_without_an_id_is_one_to_something_unknown() {
    let balancer = rows(json!([body(
        "loadBalancers/l",
        json!({
            "frontendIPConfigurations": [{"name": "f", "properties": {"publicIPPrefix": {}, "gatewayLoadBalancer": {}}}],
            "backendAddressPools": [{"name": "p"}],
            "loadBalancingRules": [{"name": "r", "properties": {"backendAddressPool": {}}}],
            "inboundNatRules": [{"name": "n", "properties": {"backendIPConfiguration": {}}}, {"name": "m", "properties": {"backendAddressPool": {}}}],
        }),
    )]));
    let frontend = "~/loadbalancers/l/frontendipconfigurations/f";
    let [rule, n, m] = ["loadbalancingrules/r", "inboundnatrules/n", "inboundnatrules/m"].map(|part| format!("~/loadbalancers/l/{part}"));
    has(&balancer, &format!("load_balancer_frontend_range({frontend}, {frontend}/unknown-publicipprefix)"));
    has(&balancer, &format!("gateway_chain({frontend}, {frontend}/unknown-gatewayloadbalancer)"));
    has(&balancer, &format!("load_balancing_rule_pool({rule}, {rule}/unknown-backendaddresspool)"));
    has(&balancer, &format!("load_balancing_rule_pool({rule}, ~/loadbalancers/l/backendaddresspools/p)"));
    has(&balancer, &format!("ip_config_pool({n}/unknown-backendipconfiguration, {n})"));
    has(&balancer, &format!("inbound_nat_rule_pool({m}, {m}/unknown-backendaddresspool)"));

    let others = rows(json!([
        body("virtualNetworkGateways/g", json!({"gatewayType": "Vpn", "gatewayDefaultSite": {}})),
        body("firewallPolicies/p", json!({"ruleCollectionGroups": [{}]})),
        body(
            "virtualHubs/h/hubVirtualNetworkConnections/c",
            json!({"remoteVirtualNetwork": {"id": format!("{NET}/virtualNetworks/v")}, "routingConfiguration": {"associatedRouteTable": {}}}),
        ),
        {"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/m", "type": "Microsoft.Compute/virtualMachines",
         "name": "m", "properties": {"virtualMachineScaleSet": {}}},
    ]));
    has(&others, "gateway_default_site(~/virtualnetworkgateways/g, ~/virtualnetworkgateways/g/unknown-gatewaydefaultsite)");
    has(&others, "firewall_policy_group(~/firewallpolicies/p, ~/firewallpolicies/p/unknown-rulecollectiongroup)");
    let table = "~/virtualhubs/h/hubvirtualnetworkconnections/c/unknown-associatedroutetable";
    has(
        &others,
        &format!("hub_connection(~/virtualhubs/h/hubvirtualnetworkconnections/c, ~/virtualhubs/h, ~/virtualnetworks/v, false, {table})"),
    );
    assert!(others.iter().any(|row| row.starts_with("unread(") && row.ends_with("properties.virtualMachineScaleSet)")), "{others:#?}");
}

/// covers: AFW-03, AFW-06, SND-02
#[test]
fn a_nat_collection_that_cannot_be_read_does_what_it_does_perhaps() {
    let of = |collection: Value| {
        let mut collection = collection;
        collection["name"] = json!("nat");
        collection["rules"] = json!([{"ruleType": "NatRule", "name": "in", "ipProtocols": ["TCP"], "sourceAddresses": ["*"],
            "destinationAddresses": ["20.0.0.1"], "destinationPorts": ["8443"], "translatedAddress": "10.0.6.4", "translatedPort": "443"}]);
        rows(json!([body("firewallPolicies/p/ruleCollectionGroups/g", json!({"priority": 200, "ruleCollections": [collection]}))]))
    };
    let nat = "FirewallPolicyNatRuleCollection";
    let group = "~/firewallpolicies/p/rulecollectiongroups/g";
    let states = |rows: &[String], priority: u32, action: &str| {
        rows.contains(&format!("firewall_collection({group}/rulecollections/nat, {group}, {priority}, {action})"))
    };
    let known = of(json!({"ruleCollectionType": nat, "priority": 100, "action": {"type": "DNAT"}}));
    assert!(states(&known, 100, "allow") && !states(&known, 100, "deny"), "{known:#?}");
    for action in [json!({"type": "Zap"}), json!({"type": "Allow"}), json!({}), Value::Null] {
        let found = of(json!({"ruleCollectionType": nat, "priority": 100, "action": action}));
        assert!(states(&found, 100, "allow") && states(&found, 100, "deny"), "{action}: {found:#?}");
    }
    for collection in [
        json!({"ruleCollectionType": nat, "action": {"type": "DNAT"}}),
        json!({"ruleCollectionType": nat, "priority": "x", "action": {"type": "DNAT"}}),
        json!({"ruleCollectionType": "Zap", "priority": 100, "action": {"type": "DNAT"}}),
    ] {
        let found = of(collection.clone());
        assert!(states(&found, 0, "allow") && states(&found, 0, "deny"), "{collection}: {found:#?}");
    }
}

/// What a pool gave a network or a subnet is of its space: where that is not told, none of the space is known in full.
///
/// covers: ADR-01, ADR-03
#[test]
fn an_allocation_that_is_not_told_leaves_the_space_open() {
    let of = |allocation: Value| {
        let space = json!({"addressPrefixes": ["10.0.0.0/16"], "ipamPoolPrefixAllocations": [allocation]});
        let subnet = json!({"name": "s", "properties": {"addressPrefixes": ["10.0.1.0/24"], "ipamPoolPrefixAllocations": [allocation]}});
        rows(json!([body("virtualNetworks/v", json!({"addressSpace": space, "subnets": [subnet]}))]))
    };
    let told = of(json!({"allocatedAddressPrefixes": ["10.5.0.0/24"]}));
    for prefix in ["10.0.0.0/16", "10.5.0.0/24"] {
        has(&told, &format!("vnet_prefix(~/virtualnetworks/v, {prefix})"));
    }
    has(&told, "subnet_prefix(~/virtualnetworks/v/subnets/s, 10.5.0.0/24)");
    has(&of(json!({"allocatedAddressPrefixes": []})), "vnet_prefix(~/virtualnetworks/v, 10.0.0.0/16)");
    for untold in [json!({"numberOfIpAddresses": "256"}), json!({"allocatedAddressPrefixes": null}), json!({})] {
        let untold = of(untold);
        lacks(&untold, "vnet_prefix(");
        lacks(&untold, "subnet_prefix(");
        assert!(untold.iter().any(|row| row.starts_with("gap(") && row.contains("not known in full")), "{untold:#?}");
    }
}

/// covers: APP-07, SE-22, SND-02
#[test]
fn where_an_app_stands_may_be_told_by_a_child_or_not_be_readable() {
    let site = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/w";
    let path = site.to_lowercase();
    let subnet = format!("{NET}/virtualNetworks/v/subnets/s");
    let of = |properties: Value| rows(json!([{"id": site, "type": "Microsoft.Web/sites", "name": "w", "properties": properties}]));
    has(&of(json!({"virtualNetworkSubnetId": subnet})), &format!("device({path}, other, ~/virtualnetworks/v/subnets/s)"));
    for absent in [Value::Null, json!("")] {
        lacks(&of(json!({"virtualNetworkSubnetId": absent})), "device(");
    }
    for unreadable in [json!(5), json!("junk"), json!({})] {
        has(&of(json!({"virtualNetworkSubnetId": unreadable})), &format!("device({path}, other, {path}/unknown-virtualnetworksubnetid)"));
    }
    lacks(&of(json!({"hostingEnvironmentProfile": {}})), "store(");
    let child = |kind: &str, name: &str| {
        rows(json!([{"id": format!("{site}/{name}/c"), "type": kind, "name": "w/c", "properties": {"subnetResourceId": subnet}}]))
    };
    let stands = format!("device({path}, other, ~/virtualnetworks/v/subnets/s)");
    has(&child("Microsoft.Web/sites/networkConfig", "networkConfig"), &stands);
    lacks(&child("Microsoft.Web/sites/virtualNetworkRules", "virtualNetworkRules"), &stands);
    let workflow = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Logic/workflows/l";
    let path = workflow.to_lowercase();
    for environment in
        [json!({"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Logic/integrationServiceEnvironments/e"}), json!({})]
    {
        let found = rows(json!([{"id": workflow, "type": "Microsoft.Logic/workflows", "name": "l",
            "properties": {"integrationServiceEnvironment": environment}}]));
        has(&found, &format!("device({path}, other, {path}/unknown-integrationserviceenvironment)"));
    }
}

/// covers: M-03, SND-02
#[test]
fn a_private_endpoint_to_what_is_no_resource_leads_anywhere() {
    let of = |target: Value| {
        let connection = json!({"name": "c", "properties": {"privateLinkServiceId": target, "groupIds": ["blob"]}});
        rows(json!([body(
            "privateEndpoints/e",
            json!({"subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")},
            "privateLinkServiceConnections": [connection]})
        )]))
    };
    let store = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a";
    for known in [json!(store), json!("service.0000.westeurope.azure.privatelinkservice")] {
        lacks(&of(known), "unread(");
    }
    for unknown in [json!("/subscriptions/x"), json!("zap"), Value::Null] {
        assert!(of(unknown.clone()).iter().any(|row| row.starts_with("unread(~/privateendpoints/e, ")), "{unknown}");
    }
}

/// A reference that cannot be read is to somebody, as one without an id is.
///
/// covers: SND-02, SND-03
#[test]
fn a_route_table_that_cannot_be_read_concerns_its_subnet_alone() {
    for table in [json!(5), json!(["x"]), json!("zap"), json!({"id": 5}), json!({"id": "zap"}), json!({"id": null}), json!({})] {
        let said = rows(json!([body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.0.0/24", "routeTable": table}))]));
        has(&said, "subnet_route_table(~/virtualnetworks/v/subnets/s, ~/virtualnetworks/v/subnets/s/unknown-routetable)");
        lacks(&said, "unread(");
    }
}

/// covers: IN-03, OUT-04, SND-02
#[test]
fn a_sku_that_cannot_be_read_leaves_open_that_alone() {
    for sku in [json!("Standard"), json!(["Standard"]), json!(5), json!({"name": 5}), json!({"name": "Odd"})] {
        let found = rows(json!([{"id": format!("{NET}/publicIPAddresses/p"), "sku": sku, "properties": {"ipAddress": "20.0.0.4"}}]));
        has(&found, "public_ip(~/publicipaddresses/p, unknown)");
        has(&found, "public_ip_address(~/publicipaddresses/p, 20.0.0.4)");
        lacks(&found, "unread(");
        let gateway = rows(json!([{"id": format!("{NET}/natGateways/n"), "sku": sku, "properties": {}}]));
        has(&gateway, "nat_gateway(~/natgateways/n, unknown)");
    }
    let bare = rows(json!([{"id": format!("{NET}/publicIPAddresses/p"), "sku": {}, "properties": {}}]));
    has(&bare, "public_ip(~/publicipaddresses/p, basic)");
}

// covers: NSG-03, NSG-13
#[test]
fn a_priority_with_a_fraction_of_zero_is_whole_and_an_empty_policy_is_no_word() {
    let rule = |priority: Value| {
        let properties = json!({"priority": priority, "direction": "Inbound", "access": "Deny", "protocol": "Tcp", "sourcePortRange": "*",
            "destinationPortRange": "443", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*"});
        rows(json!([body("networkSecurityGroups/g/securityRules/r", properties)]))
    };
    assert_eq!(rule(json!(100.0)), rule(json!(100)));
    assert_eq!(rule(json!(1e2)), rule(json!(100)));
    assert!(rule(json!(100.5)).iter().any(|row| row.starts_with("gap(")));
    let subnet = |word: Value| {
        rows(json!([body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.0.0/24", "privateEndpointNetworkPolicies": word}))]))
    };
    for word in ["", " ", "Foo"] {
        let found = subnet(json!(word));
        has(&found, "subnet_private_endpoint_policy(~/virtualnetworks/v/subnets/s, unknown)");
        assert!(found.iter().any(|row| row.starts_with("gap(")), "{found:#?}");
    }
    lacks(&subnet(Value::Null), "subnet_private_endpoint_policy(");
}

/// covers: SND-02, SE-01
#[test]
fn service_endpoints_that_cannot_be_read_concern_their_network_alone() {
    let service = json!("Microsoft.Storage");
    for endpoints in [json!("x"), json!(["x"]), json!([{"service": service, "locations": "x"}]), json!([{"service": 5}])] {
        let found =
            rows(json!([body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.0.0/24", "serviceEndpoints": endpoints}))]));
        has(&found, "clouded(~/virtualnetworks/v, routes, ~/virtualnetworks/v/subnets/s)");
        lacks(&found, "unread(");
        has(&found, "subnet_prefix(~/virtualnetworks/v/subnets/s, 10.0.0.0/24)");
    }
}

/// Nobody knows what a DNS server answers of which the address cannot be read; nothing else depends on it.
///
/// covers: DNS-02, DNS-05, SND-02
#[test]
fn a_dns_server_without_an_address_is_there_all_the_same() {
    let network = |servers: Value| rows(json!([body("virtualNetworks/v", json!({"dhcpOptions": {"dnsServers": servers}}))]));
    for (servers, position) in [(json!(["10.0.0.4", "ten"]), 1), (json!("10.0.0.4"), 0), (json!([null]), 0), (json!([["10.0.0.4"]]), 0)] {
        let found = network(servers);
        has(&found, &format!("vnet_dns(~/virtualnetworks/v, {position}, 0.0.0.0)"));
        lacks(&found, "unread(");
    }
    lacks(&network(json!(["", " "])), "vnet_dns(");
    let configuration = json!({"name": "c", "properties": {"privateIPAddress": "10.0.1.4", "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}}});
    let nic = rows(json!([body("networkInterfaces/n", json!({"dnsSettings": {"dnsServers": [4]}, "ipConfigurations": [configuration]}))]));
    has(&nic, "nic_dns(~/networkinterfaces/n, 0, 0.0.0.0)");
    lacks(&nic, "unread(");
}
