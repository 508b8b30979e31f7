//! What load balancers, firewalls, gateways and the like become.

use serde_json::{Value, json};

use super::tests::{NET, body, has, lacks, rows};

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
    let rule = "~/loadbalancers/l/inboundnatrules/r, microsoft.network/loadbalancers/inboundnatrules";
    has(&rows, &format!("gap({rule}, a rule of the load balancer lacks its protocol)"));
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
    // A frontend of which nobody knows the address: as good as one that was not exported. The rules are for it too, perhaps.
    let cut = listed(id("frontendIPConfigurations/g"));
    let g = format!("{l}/frontendipconfigurations/g");
    let kind = "microsoft.network/loadbalancers/frontendipconfigurations";
    has(&cut, &format!("gap({g}, {kind}, it names neither a subnet nor a public address)"));
    lacks(&cut, &format!("load_balancer_frontend({g}"));
    has(&cut, &format!("load_balancing_rule({l}/loadbalancingrules/web, {g}, unknown, 0, 0, false, true, )"));
}

/// covers: SND-01, IN-08, IN-10, AFW-01
#[test]
fn a_front_of_a_device_without_a_body_may_have_any_address() {
    for (kind, list, whole) in [
        ("applicationGateways", "frontendIPConfigurations", "device(~/applicationgateways/g, application-gateway, )"),
        ("bastionHosts", "ipConfigurations", "device(~/bastionhosts/g, bastion, )"),
        ("azureFirewalls", "ipConfigurations", "azure_firewall(~/azurefirewalls/g, , ~/azurefirewalls/g/unknown-firewallpolicy, false)"),
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

/// What stands in a hub is known from either side, be it exported or not. covers: VW-04
#[test]
fn a_hub_and_what_stands_in_it_tell_of_each_other() {
    let at = |of: &str| json!({"id": format!("{NET}/{of}")});
    let hub = |body_of: serde_json::Value| {
        let mut all = json!({"virtualWan": at("virtualWans/w")});
        all.as_object_mut().expect("an object").extend(body_of.as_object().expect("an object").clone());
        rows(json!([body("virtualHubs/h", all)]))
    };
    has(&hub(json!({"azureFirewall": at("azureFirewalls/fw")})), "hub_guard(~/virtualhubs/h, ~/azurefirewalls/fw)");
    has(
        &hub(json!({"securityPartnerProvider": at("securityPartnerProviders/p")})),
        "hub_guard(~/virtualhubs/h, ~/securitypartnerproviders/p)",
    );
    has(&hub(json!({"azureFirewall": 17})), "hub_guard(~/virtualhubs/h, ~/virtualhubs/h/unknown-azurefirewall)");
    lacks(&hub(json!({})), "hub_guard(");
    let appliance = rows(json!([body("networkVirtualAppliances/nva", json!({"virtualHub": at("virtualHubs/h")}))]));
    has(&appliance, "hub_guard(~/virtualhubs/h, ~/networkvirtualappliances/nva)");
    has(&appliance, "gap(~/networkvirtualappliances/nva, microsoft.network/networkvirtualappliances, this type is not modelled)");
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

/// covers: GW-01
#[test]
fn a_pool_of_clients_that_is_not_told_leaves_the_gateway_open() {
    let gateway =
        |clients: Value| rows(json!([body("virtualNetworkGateways/g", json!({"gatewayType": "Vpn", "vpnClientConfiguration": clients}))]));
    for untold in [
        json!({"vpnClientAddressPool": {}}),
        json!({"vpnClientAddressPool": {"addressPrefixes": null}}),
        json!({"vpnClientRootCertificates": [{"name": "root"}]}),
        json!({"vpnClientAddressPool": null, "aadTenant": "https://login.microsoftonline.com/t"}),
    ] {
        has(&gateway(untold), "gateway(~/virtualnetworkgateways/g, unknown, false)");
    }
    for none in
        [json!(null), json!({}), json!({"vpnClientProtocols": ["OpenVPN"]}), json!({"vpnClientAddressPool": {"addressPrefixes": []}})]
    {
        has(&gateway(none), "gateway(~/virtualnetworkgateways/g, vpn, false)");
    }
}

/// covers: GW-01, VW-01, SND-04
#[test]
fn a_gateway_of_a_hub_is_known_from_either_side() {
    let hub = json!({"id": format!("{NET}/virtualHubs/h")});
    let gateway = |kind: &str, properties: Value| rows(json!([body(&format!("{kind}/g"), properties)]));
    for (kind, list, connection, link) in [
        ("vpnGateways", "connections", "vpnconnections", "vpnGateway"),
        ("expressRouteGateways", "expressRouteConnections", "expressrouteconnections", "expressRouteGateway"),
        ("p2sVpnGateways", "p2SConnectionConfigurations", "p2sconnectionconfigurations", "p2SVpnGateway"),
    ] {
        let id = format!("~/{}/g", kind.to_lowercase());
        for homeless in [Value::Null, json!({}), json!({"virtualHub": null}), json!({"virtualHub": {}})] {
            has(&gateway(kind, homeless), &format!("hub_branch({id}, )"));
        }
        let there = rows(json!([body(
            "virtualHubs/h",
            json!({"virtualWan": {"id": format!("{NET}/virtualWans/w")}, link: {"id": format!("{NET}/{kind}/g")}})
        )]));
        has(&there, &format!("hub_branch({id}, ~/virtualhubs/h)"));
        let unconnected = format!("child_type({id}, microsoft.network/{}/{connection})", kind.to_lowercase());
        has(&gateway(kind, json!({"virtualHub": hub, list: []})), &unconnected);
        for told in [Value::Null, json!([{"name": "c", "properties": {}}])] {
            lacks(&gateway(kind, json!({"virtualHub": hub, list: told})), "child_type(");
        }
    }
    // One that says nothing may stand in any subnet for gateways.
    has(&gateway("virtualNetworkGateways", Value::Null), "gateway(~/virtualnetworkgateways/g, unknown, false)");
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

/// To whom an application gateway passes on what it takes. covers: IN-08
#[test]
fn the_rules_of_an_application_gateway_lead_to_pools() {
    let part = |list: &str, name: &str| json!({"id": format!("{NET}/applicationGateways/g/{list}/{name}")});
    let named = |list: &str, name: &str, body: Value| json!({"id": part(list, name)["id"], "name": name, "properties": body});
    let heard = json!({"frontendIPConfiguration": part("frontendIPConfigurations", "f"), "frontendPort": part("frontendPorts", "443")});
    let with = |mut body: Value, extra: Value| {
        body.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        body
    };
    let listening = |listener: Value, rules: Value, pool: Value| {
        rows(json!([body(
            "applicationGateways/g",
            json!({
                "frontendIPConfigurations": [named("frontendIPConfigurations", "f", json!({"publicIPAddress": {"id": format!("{NET}/publicIPAddresses/p")}}))],
                "frontendPorts": [named("frontendPorts", "443", json!({"port": 443}))],
                "httpListeners": [named("httpListeners", "l", listener)],
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
    let gateway = |rules: Value, pool: Value| listening(heard.clone(), rules, pool);
    let (g, pip) = ("~/applicationgateways/g", "~/publicipaddresses/p");
    let members = json!({"backendAddresses": [{"ipAddress": "10.0.4.4"}, {"fqdn": "Web.example"}, {"ipAddress": "api.example"}]});
    let bound = |extra: Value| with(json!({"httpListener": part("httpListeners", "l")}), extra);
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
    // One basic rule leads every request to its pool; by a path map the request decides, and so it does where a rule is of a kind that nobody knows.
    has(&basic, &format!("proxy_pass({g}, {pip}, , 443, {g}/backendaddresspools/b)"));
    lacks(&by_path, "proxy_pass(");
    let mut strange = to("b");
    strange["ruleType"] = json!("PathBasedRouting");
    lacks(&gateway(strange, members.clone()), "proxy_pass(");
    // Whatever else a rule or a listener says may refuse some of what comes.
    for word in ["entraJWTValidationConfig", "authConfigs", "somethingNew"] {
        lacks(&gateway(with(to("b"), json!({word: {"id": "/an/id"}})), members.clone()), "proxy_pass(");
    }
    for choosy in [json!({"hostNames": ["web.example"]}), json!({"requireServerNameIndication": true}), json!({"somethingNew": 1})] {
        lacks(&listening(with(heard.clone(), choosy), to("b"), members.clone()), "proxy_pass(");
    }
    let plain =
        json!({"ruleType": "Basic", "priority": 10, "provisioningState": "Succeeded", "authConfigs": [], "entraJWTValidationConfig": null});
    let open = json!({"protocol": "Http", "provisioningState": "Succeeded", "hostNames": [], "requireServerNameIndication": false,
        "requestRoutingRules": [part("requestRoutingRules", "r")]});
    has(
        &listening(with(heard.clone(), open), with(to("b"), plain), members.clone()),
        &format!("proxy_pass({g}, {pip}, , 443, {g}/backendaddresspools/b)"),
    );
    // What it does not tell may be anything; what it sends elsewhere goes to nobody.
    has(&gateway(to("gone"), members.clone()), &format!("proxy_rule({g}, {pip}, , 443, , 8080)"));
    has(&gateway(bound(json!({})), members.clone()), &format!("proxy_rule({g}, {pip}, , 443, , 0)"));
    has(&gateway(to("b"), json!({})), &format!("proxy_member({g}/backendaddresspools/b, , )"));
    lacks(&gateway(bound(json!({"redirectConfiguration": part("redirectConfigurations", "r")})), members), "proxy_rule(");
    let configuration = json!({"name": "c", "properties": {"subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}, "applicationGatewayBackendAddressPools": [part("backendAddressPools", "b")]}});
    let nic = rows(json!([body("networkInterfaces/n", json!({"ipConfigurations": [configuration]}))]));
    has(&nic, &format!("ip_config_proxy_pool(~/networkinterfaces/n/ipconfigurations/c, {g}/backendaddresspools/b)"));
}
