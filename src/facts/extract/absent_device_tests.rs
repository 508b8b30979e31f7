//! What devices, gateways and hubs do not say of themselves, and what a part that was left out may have said.

use serde_json::{Value, json};

use super::tests::{NET, body, has, lacks, rows};

/// covers: VW-01, VW-04, MSG-01, APP-01
#[test]
fn hubs_and_rule_sets_without_a_body_leave_open_what_they_say() {
    let connection = rows(json!([body("virtualHubs/h/hubVirtualNetworkConnections/c", Value::Null)]));
    has(&connection, "unread(~/virtualhubs/h/hubvirtualnetworkconnections/c, properties.remoteVirtualNetwork)");
    for (properties, kind, next) in [
        (Value::Null, "unknown", "virtualhubs/h/routingintent/i"),
        (json!({}), "unknown", "virtualhubs/h/routingintent/i"),
        (json!({"routingPolicies": [{"destinations": ["Internet"]}]}), "internet", "virtualhubs/h/routingintent/i"),
        (json!({"routingPolicies": [{"nextHop": format!("{NET}/azureFirewalls/f")}]}), "unknown", "azurefirewalls/f"),
    ] {
        let intent = rows(json!([body("virtualHubs/h/routingIntent/i", properties)]));
        has(&intent, "hub_doubt(~/virtualhubs/h/routingintent/i, ~/virtualhubs/h)");
        has(&intent, &format!("hub_policy(~/virtualhubs/h, {kind}, ~/{next})"));
    }
    for id in ["eventhub/namespaces/e/networkRuleSets/default", "web/sites/w/config/web"] {
        let id = format!("/subscriptions/s/resourcegroups/rg/providers/microsoft.{id}");
        let set = rows(json!([{"id": id, "properties": null}]));
        let open = |row: &&String| row.starts_with("store_rule_set(") && row.contains("unknown, maybe");
        assert!(set.iter().any(|row| open(&row)), "{set:#?}");
    }
}

// covers: AFW-01, AFW-04
#[test]
fn rules_of_a_firewall_that_were_not_exported_may_be_about_anything() {
    let collection = |rules: Value| {
        let mut collection =
            json!({"name": "c", "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "priority": 100, "action": {"type": "Deny"}});
        if !rules.is_null() {
            collection["rules"] = rules;
        }
        json!({"priority": 200, "ruleCollections": [collection]})
    };
    let rows =
        |group: Value, groups: Value| rows(json!([body("firewallPolicies/p/ruleCollectionGroups/g", group), body("ipGroups/i", groups)]));
    let bare = rows(json!({"priority": 200}), json!({}));
    lacks(&bare, "firewall_group(");
    lacks(&bare, "ip_group(");
    has(&bare, "firewall_policy_group(~/firewallpolicies/p, ~/firewallpolicies/p/rulecollectiongroups/g)");
    let unlisted = rows(collection(Value::Null), json!({"ipAddresses": []}));
    has(&unlisted, "ip_group(~/ipgroups/i)");
    assert_eq!(unlisted.iter().filter(|row| row.starts_with("firewall_rule(") && row.contains("(unknown)")).count(), 2, "{unlisted:#?}");
    let rule = |ports: Value| json!([{"ruleType": "NetworkRule", "name": "r", "ipProtocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": ["*"], "destinationPorts": ports}]);
    let ports = |ports: Value| rows(collection(rule(ports)), json!({})).into_iter().filter(|row| row.starts_with("gap(")).count();
    assert_eq!((ports(json!(["443"])), ports(json!([]))), (1, 2), "a rule for TCP lists ports");
}

/// covers: OUT-05, SND-01
#[test]
fn an_outbound_rule_without_frontends_may_have_any() {
    let l = "~/loadbalancers/l";
    let pool = json!({"name": "b", "properties": {}});
    let named = json!({"id": format!("{NET}/loadBalancers/l/backendAddressPools/b")});
    let front = json!({"name": "f", "properties": {"publicIPAddress": {"id": format!("{NET}/publicIPAddresses/p")}}});
    let rule = json!({"name": "o", "properties": {"protocol": "Tcp", "backendAddressPool": named}});
    let all = rows(json!([body(
        "loadBalancers/l",
        json!({"frontendIPConfigurations": [front], "backendAddressPools": [pool], "outboundRules": [rule]})
    )]));
    has(&all, &format!("outbound_rule({l}/outboundrules/o, {l}/backendaddresspools/b, unknown)"));
    has(&all, &format!("outbound_rule_frontend({l}/outboundrules/o, {l}/frontendipconfigurations/f)"));
    has(&all, &format!("outbound_rule_frontend({l}/outboundrules/o, )"));
}

/// covers: IN-04, SND-01
#[test]
fn a_balancing_rule_that_says_nothing_of_pools_may_be_for_any() {
    let (l, front) = ("~/loadbalancers/l", format!("{NET}/loadBalancers/l/frontendIPConfigurations/f"));
    let rule = |pools: Value| {
        let mut rule = json!({"frontendIPConfiguration": {"id": front}, "protocol": "Tcp", "frontendPort": 80, "backendPort": 8080});
        rule.as_object_mut().expect("an object").extend(pools.as_object().expect("an object").clone());
        rows(json!([body(
            "loadBalancers/l",
            json!({
                "frontendIPConfigurations": [{"id": front, "name": "f", "properties": {"publicIPAddress": {"id": format!("{NET}/publicIPAddresses/p")}}}],
                "backendAddressPools": [{"name": "b", "properties": {}}],
                "loadBalancingRules": [{"name": "r", "properties": rule}]
            })
        )]))
    };
    let row = |protocol: &str| {
        format!("load_balancing_rule({l}/loadbalancingrules/r, {l}/frontendipconfigurations/f, {protocol}, 80, 8080, false, true, )")
    };
    has(&rule(json!({})), &row("unknown"));
    has(&rule(json!({})), &format!("load_balancing_rule_pool({l}/loadbalancingrules/r, {l}/backendaddresspools/b)"));
    has(&rule(json!({"backendAddressPools": []})), &row("tcp"));
    lacks(&rule(json!({"backendAddressPools": []})), "load_balancing_rule_pool(");
    // By itself it may be for a pool that is told elsewhere.
    let id = "loadBalancers/l/loadBalancingRules/r";
    let alone = rows(json!([body(id, json!({"frontendIPConfiguration": {"id": front}, "protocol": "Tcp", "frontendPort": 80}))]));
    has(&alone, &format!("load_balancing_rule_pool({l}/loadbalancingrules/r, {l}/loadbalancingrules/r/unknown-backendaddresspool)"));
}

/// covers: IN-05, IN-06, SND-02
#[test]
fn a_member_that_does_not_say_who_it_is_may_be_anybody() {
    let l = "~/loadbalancers/l";
    let balancer = |pool: Value, target: Value| {
        rows(json!([body(
            "loadBalancers/l",
            json!({
                "backendAddressPools": [{"name": "b", "properties": {"loadBalancerBackendAddresses": [pool]}}],
                "inboundNatRules": [{"name": "n", "properties": {"backendIPConfiguration": target}}]
            })
        )]))
    };
    let anybody = |of: &str| format!("ip_config_pool({l}/{of}/unknown-backendipconfiguration, {l}/{of})");
    for pool in [json!({"name": "m"}), json!({"name": "m", "properties": null}), json!({"name": "m", "properties": {"ipAddress": null}})] {
        has(&balancer(pool, Value::Null), &anybody("backendaddresspools/b"));
    }
    let known = balancer(json!({"name": "m", "properties": {"ipAddress": "10.0.0.4"}}), Value::Null);
    lacks(&known, "ip_config_pool(");
    for target in [json!(5), json!({}), json!({"id": null}), json!("zap")] {
        let said = balancer(json!({"name": "m", "properties": {"ipAddress": "10.0.0.4"}}), target);
        has(&said, &anybody("inboundnatrules/n"));
    }
    // A rule for one port may have no target yet; one for several has a pool, and it was left out.
    let nat = |list: &str, port: &str| rows(json!([body("loadBalancers/l", json!({list: [{"name": "n", "properties": {port: 50000}}]}))]));
    has(&nat("inboundNatRules", "frontendPortRangeStart"), &anybody("inboundnatrules/n"));
    lacks(&nat("inboundNatRules", "frontendPort"), "ip_config_pool(");
    lacks(&nat("inboundNatPools", "frontendPortRangeStart"), "ip_config_pool(");
}

/// covers: IN-06, ILB-01, SND-04
#[test]
fn a_balancer_without_any_part_was_cut() {
    let balancer = |properties: Value| rows(json!([body("loadBalancers/l", properties)]));
    lacks(&balancer(json!({})), "load_balancer(");
    lacks(&balancer(json!({"provisioningState": "Succeeded", "backendAddressPools": null})), "load_balancer(");
    has(&balancer(json!({"backendAddressPools": []})), "load_balancer(~/loadbalancers/l, basic, false)");
}

/// covers: GW-01, GW-02, SND-01
#[test]
fn a_site_that_does_not_say_which_addresses_it_has_was_cut() {
    let site = |properties: Value| rows(json!([body("localNetworkGateways/hq", properties)]));
    lacks(&site(json!({"gatewayIpAddress": "203.0.113.10"})), "local_gateway(");
    lacks(&site(json!({"localNetworkAddressSpace": {"addressPrefixes": null}})), "local_gateway(");
    // Whether anybody speaks BGP with it the connection says.
    lacks(&site(json!({"bgpSettings": {"asn": 65010}})), "local_gateway(");
    has(&site(json!({"localNetworkAddressSpace": {"addressPrefixes": []}})), "local_gateway(~/localnetworkgateways/hq, false)");
    let speaks = json!({"localNetworkAddressSpace": {"addressPrefixes": []}, "bgpSettings": {"asn": 65010}});
    has(&site(speaks), "local_gateway(~/localnetworkgateways/hq, true)");
}

/// covers: ADR-14
#[test]
fn a_public_address_says_of_which_family_it_is() {
    let of = |properties: Value| rows(json!([body("publicIPAddresses/p", properties)]));
    has(&of(json!({"publicIPAddressVersion": "IPv6"})), "public_ip_family(~/publicipaddresses/p, yes)");
    has(&of(json!({"publicIPAddressVersion": "IPv5"})), "public_ip_family(~/publicipaddresses/p, maybe)");
    for known in
        [json!({}), json!({"publicIPAddressVersion": "IPv4"}), json!({"publicIPAddressVersion": "IPv6", "ipAddress": "2603:1030::9"})]
    {
        lacks(&of(known), "public_ip_family(");
    }
}

/// covers: IN-01, SND-04
#[test]
fn a_static_address_that_is_not_told_is_there_all_the_same() {
    let of = |properties: Value| rows(json!([body("publicIPAddresses/p", properties)]));
    let untold = "public_ip_untold(~/publicipaddresses/p)";
    for method in [json!("Static"), json!("static"), json!("Odd"), json!(7), Value::Null] {
        has(&of(json!({"publicIPAllocationMethod": method})), untold);
    }
    for known in [json!({"publicIPAllocationMethod": "Dynamic"}), json!({"publicIPAllocationMethod": "Static", "ipAddress": "20.1.2.3"})] {
        lacks(&of(known), untold);
    }
}

/// covers: OUT-07, SND-02
#[test]
fn a_scale_set_of_an_unknown_kind_may_have_machines_of_its_own() {
    let of = |mode: &str| {
        let mut set = body("virtualMachineScaleSets/x", json!({"orchestrationMode": mode}));
        set["id"] = json!(format!("{NET}/virtualMachineScaleSets/x").replace("network", "compute"));
        rows(json!([set]))
    };
    assert!(of("Other").iter().any(|row| row.starts_with("nic_machine(")));
    lacks(&of("Uniform"), "nic_machine(");
}

/// covers: OUT-04, SND-06
#[test]
fn a_public_address_without_an_id_is_there_and_not_known() {
    let subnet = json!({"id": format!("{NET}/virtualNetworks/v/subnets/s")});
    for reference in [json!({}), json!({"id": null}), json!({"id": ""})] {
        let configuration = json!({"name": "c", "properties": {"subnet": subnet, "publicIPAddress": reference}});
        let nic = rows(json!([body("networkInterfaces/n", json!({"ipConfigurations": [configuration]}))]));
        assert!(nic.iter().any(|row| row.starts_with("unread(~/networkinterfaces/n, ")), "{reference}: {nic:#?}");
    }
}

/// covers: AFW-01, SND-06
#[test]
fn a_policy_of_a_firewall_without_an_id_is_one_that_is_not_in_the_input() {
    let firewall = |policy: Value| rows(json!([body("azureFirewalls/f", json!({"firewallPolicy": policy}))]));
    for nobody in [json!({}), json!({"id": ""}), json!({"id": null})] {
        has(&firewall(nobody), "azure_firewall(~/azurefirewalls/f, , ~/azurefirewalls/f/unknown-firewallpolicy, false)");
    }
}

/// covers: AFW-01, ILB-08, OUT-02, SND-04, SND-06
#[test]
fn an_empty_reference_says_that_there_is_something() {
    for nobody in [json!({}), json!({"id": ""})] {
        let subnet = rows(json!([body("virtualNetworks/v/subnets/s", json!({"addressPrefix": "10.0.0.0/24", "natGateway": nobody}))]));
        has(&subnet, "subnet_nat_gateway(~/virtualnetworks/v/subnets/s, ~/virtualnetworks/v/subnets/s/unknown-natgateway)");
        let policy = rows(json!([body("firewallPolicies/p", json!({"basePolicy": nobody}))]));
        assert!(policy.iter().any(|row| row.starts_with("firewall_policy(") && row.contains("/unknown-basepolicy")), "{policy:#?}");
        let rule = json!({"protocol": "Tcp", "frontendPort": 80, "backendPort": 80, "probe": nobody});
        let balancer = rows(json!([body("loadBalancers/l", json!({"loadBalancingRules": [{"name": "r", "properties": rule}]}))]));
        assert!(balancer.iter().any(|row| row.starts_with("load_balancing_rule(") && row.contains("/unknown-probe")), "{balancer:#?}");
        let configuration = json!({"name": "c", "properties": {"publicIPAddress": nobody}});
        let firewall = rows(json!([body("azureFirewalls/f", json!({"ipConfigurations": [configuration]}))]));
        assert!(firewall.iter().any(|row| row.starts_with("gap(~/azurefirewalls/f") && row.contains("publicIPAddress")), "{firewall:#?}");
    }
}

/// Of the two lists that say where a connection's prefixes go an empty one says that nothing is in it; where neither is there they go to the default table.
///
/// covers: VW-02, SND-05
#[test]
fn the_tables_that_a_connection_of_a_hub_tells_of_its_network() {
    let connection = |tables: Value| {
        let vnet = json!({"id": format!("{NET}/virtualNetworks/v")});
        let properties = json!({"remoteVirtualNetwork": vnet, "routingConfiguration": {"propagatedRouteTables": tables}});
        rows(json!([body("virtualHubs/h/hubVirtualNetworkConnections/c", properties)]))
    };
    let at = "~/virtualhubs/h/hubvirtualnetworkconnections/c";
    for absent in
        [json!({}), json!({"ids": null}), json!({"labels": null}), json!({"ids": null, "labels": null}), json!({"other": 1}), Value::Null]
    {
        let said = connection(absent);
        has(&said, &format!("hub_label({at}, default)"));
        has(&said, &format!("hub_propagation({at}, ~/virtualhubs/h/hubroutetables/defaultroutetable)"));
        lacks(&said, "hub_doubt(");
    }
    for half in [json!({"ids": []}), json!({"labels": [], "ids": null})] {
        let said = connection(half);
        has(&said, &format!("hub_doubt({at}, ~/virtualhubs/h)"));
        lacks(&said, "hub_label(");
        lacks(&said, "hub_propagation(");
    }
    for told in [json!({"ids": [], "labels": []}), json!({"labels": ["red"]})] {
        lacks(&connection(told), "hub_doubt(");
    }
}

/// A firewall has a policy or rules of its own: one that tells of neither is not one without rules.
///
/// covers: AFW-01, SND-05
#[test]
fn a_firewall_that_tells_of_no_rules_has_some_that_are_not_known() {
    let firewall = |properties: Value| rows(json!([body("azureFirewalls/fw", properties)]));
    let unknown = "azure_firewall(~/azurefirewalls/fw, , ~/azurefirewalls/fw/unknown-firewallpolicy, false)";
    let classic = "azure_firewall(~/azurefirewalls/fw, , , false)";
    has(&firewall(json!({})), unknown);
    has(&firewall(json!({"firewallPolicy": null, "sku": {"name": "AZFW_VNet"}})), unknown);
    has(&firewall(json!({"networkRuleCollections": []})), classic);
    has(
        &firewall(
            json!({"firewallPolicy": null, "natRuleCollections": [], "networkRuleCollections": [], "applicationRuleCollections": []}),
        ),
        classic,
    );
}

// covers: SEP-01, SE-15
#[test]
fn an_empty_list_of_a_subnet_or_a_policy_says_that_there_is_none() {
    let subnet = rows(json!([body("virtualNetworks/v/subnets/s", json!({"serviceEndpointPolicies": []}))]));
    has(&subnet, "child_type(~/virtualnetworks/v/subnets/s, microsoft.network/serviceendpointpolicies)");
    lacks(&rows(json!([body("virtualNetworks/v/subnets/s", json!({"serviceEndpointPolicies": null}))])), "child_type(");
    let policy = rows(json!([body("serviceEndpointPolicies/p", json!({"subnets": []}))]));
    has(&policy, "child_type(~/serviceendpointpolicies/p, microsoft.network/virtualnetworks/subnets)");
    lacks(&rows(json!([body("serviceEndpointPolicies/p", json!({}))])), "child_type(");
    // An entry that cannot be read may be a policy, of this subnet alone.
    for list in [json!([null]), json!(7)] {
        let doubt = rows(json!([body("virtualNetworks/v/subnets/s", json!({"serviceEndpointPolicies": list}))]));
        let attached =
            |row: &&String| row.starts_with("subnet_endpoint_policy(~/virtualnetworks/v/subnets/s, ") && row.contains("unknown-");
        assert!(doubt.iter().any(|row| attached(&row)), "{doubt:#?}");
        assert!(doubt.iter().any(|row| row.starts_with("child_type(") && row.ends_with("virtualnetworks/subnets)")), "{doubt:#?}");
        lacks(&doubt, "unread(");
    }
    let on = |endpoint: Value| rows(json!([body("virtualNetworks/v/subnets/s", json!({"serviceEndpoints": [endpoint]}))]));
    let none = on(json!({"service": "Microsoft.Sql", "locations": []}));
    has(&none, "subnet_service_endpoint(~/virtualnetworks/v/subnets/s, microsoft.sql, none)");
    has(&on(json!({"service": "Microsoft.Sql"})), "subnet_service_endpoint(~/virtualnetworks/v/subnets/s, microsoft.sql, )");
}

// covers: M-03, DNS-09, PE-11
#[test]
fn what_azure_counts_and_names_of_others_is_kept() {
    let zone = |properties: Value| rows(json!([body("privateDnsZones/example.com", properties)]));
    has(&zone(json!({"numberOfRecordSets": 5, "numberOfVirtualNetworkLinks": "2"})), "zone_size(~/privatednszones/example.com, 5, 2)");
    lacks(&zone(json!({})), "zone_size(");
    let many = zone(json!({"numberOfRecordSets": "many", "numberOfVirtualNetworkLinks": 2}));
    has(&many, "zone_size(~/privatednszones/example.com, 0, 2)");
    has(&many, "gap(~/privatednszones/example.com, microsoft.network/privatednszones, `properties.numberOfRecordSets` is not a number)");
    let public = rows(json!([body("dnsZones/example.com", json!({"numberOfRecordSets": 4}))]));
    has(&public, "zone_size(~/dnszones/example.com, 4, 0)");
    let id = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/c/privateEndpointConnections/x";
    let link = rows(json!([{"id": id, "properties": {"groupId": "Sql", "privateLinkServiceConnectionState": {"status": "Approved"}}}]));
    assert!(link.iter().any(|row| row.starts_with("provider_connection_group(") && row.ends_with(", sql)")), "{link:#?}");
}
