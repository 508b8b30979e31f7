//! Small estates of the kinds of resources whose values decide about others, each with flows that are proven.

use serde_json::{Value, json};
use watertight::facts::platform::Platform;

use super::Case;

const NET: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Network";

fn id(tail: &str) -> Value {
    json!({ "id": format!("{NET}/{tail}") })
}

/// A body of `Microsoft.Network`.
fn net(tail: &str, properties: Value) -> Value {
    other(&format!("{NET}/{tail}"), properties)
}

fn other(id: &str, properties: Value) -> Value {
    json!({ "id": id, "location": "westeurope", "tenantId": "11111111-1111-4111-8111-111111111111", "properties": properties })
}

fn provider(tail: &str) -> String {
    NET.replace("Microsoft.Network", tail)
}

fn vnet(name: &str, prefix: &str, subnets: &[(&str, &str)], peerings: Value) -> Value {
    let subnets: Vec<Value> =
        subnets.iter().map(|(name, prefix)| json!({ "name": name, "properties": { "addressPrefix": prefix } })).collect();
    let space = json!({ "addressPrefixes": [prefix] });
    net(&format!("virtualNetworks/{name}"), json!({ "addressSpace": space, "subnets": subnets, "virtualNetworkPeerings": peerings }))
}

/// A machine with one interface.
fn machine(name: &str, subnet: &str, address: &str) -> [Value; 2] {
    let vm = provider(&format!("Microsoft.Compute/virtualMachines/{name}"));
    let nic = format!("networkInterfaces/{name}-nic");
    let place = json!({ "primary": true, "privateIPAddress": address, "subnet": id(subnet) });
    [
        other(&vm, json!({ "networkProfile": { "networkInterfaces": [id(&nic)] } })),
        net(&nic, json!({ "virtualMachine": { "id": vm }, "ipConfigurations": [{ "name": "c", "properties": place }] })),
    ]
}

fn case(name: &str, bodies: Vec<Value>, flows: &[(&str, &str, u16)]) -> Case {
    let line = |(from, to, port): &(&str, &str, u16)| json!({ "from": from, "to": to, "proto": "tcp", "port": port }).to_string();
    let flows = flows.iter().map(line).collect();
    Case { name: name.to_owned(), bodies, flows, stated: String::new(), platform: Platform::builtin() }
}

pub fn all() -> Vec<Case> {
    vec![filters(), hubs(), managers(), perimeters(), parts(), balancers(), names(), observed()]
}

/// Two peered networks, a group, a route table, a way out.
fn filters() -> Case {
    let peering = |to: &str| {
        json!([{ "name": format!("to-{to}"), "properties": { "peeringState": "Connected", "peeringSyncLevel": "FullyInSync",
            "remoteVirtualNetwork": id(&format!("virtualNetworks/{to}")), "allowVirtualNetworkAccess": true } }])
    };
    let rule = |name: &str, priority: u32, access: &str, port: &str| {
        json!({ "name": name, "properties": { "priority": priority, "access": access, "direction": "Inbound", "protocol": "Tcp",
            "sourceAddressPrefix": "10.1.0.0/16", "destinationAddressPrefix": "*", "sourcePortRange": "*", "destinationPortRange": port } })
    };
    let mut left = vnet("v", "10.1.0.0/16", &[("s", "10.1.1.0/24")], peering("w"));
    left["properties"]["subnets"][0]["properties"]["routeTable"] = id("routeTables/t");
    left["properties"]["subnets"][0]["properties"]["natGateway"] = id("natGateways/n");
    let mut right = vnet("w", "10.2.0.0/16", &[("t", "10.2.1.0/24")], peering("v"));
    right["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = id("networkSecurityGroups/g");
    let mut bodies = vec![
        left,
        right,
        net("networkSecurityGroups/g", json!({ "securityRules": [rule("web", 100, "Allow", "443"), rule("rest", 200, "Deny", "*")] })),
        net(
            "routeTables/t",
            json!({ "routes": [{ "name": "hole", "properties": { "addressPrefix": "198.51.100.0/24", "nextHopType": "None" } }] }),
        ),
        net("natGateways/n", json!({ "publicIpAddresses": [id("publicIPAddresses/p")] })),
        net("publicIPAddresses/p", json!({ "ipAddress": "20.0.0.9" })),
    ];
    bodies.extend(machine("a", "virtualNetworks/v/subnets/s", "10.1.1.4"));
    bodies.extend(machine("b", "virtualNetworks/w/subnets/t", "10.2.1.4"));
    let flows = [("vm:a", "vm:b", 443), ("vm:a", "vm:b", 22), ("vm:a", "internet:8.8.8.8", 443), ("vm:a", "internet:198.51.100.7", 443)];
    case("filters", bodies, &flows)
}

/// A virtual WAN with a firewall in its hub.
fn hubs() -> Case {
    let table = "virtualHubs/h/hubRouteTables/defaultRouteTable";
    let connection = |name: &str, net_name: &str| {
        let routing = json!({ "associatedRouteTable": id(table), "propagatedRouteTables": { "labels": ["default"], "ids": [id(table)] },
            "vnetRoutes": { "staticRoutes": [] } });
        let remote = id(&format!("virtualNetworks/{net_name}"));
        let properties = json!({ "remoteVirtualNetwork": remote, "enableInternetSecurity": true, "routingConfiguration": routing });
        net(&format!("virtualHubs/h/hubVirtualNetworkConnections/{name}"), properties)
    };
    let rule = json!({ "ruleType": "NetworkRule", "name": "web", "ipProtocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": ["*"],
        "destinationPorts": ["443"] });
    let collection = json!({ "name": "c", "priority": 100, "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "action": { "type": "Allow" }, "rules": [rule] });
    let policies = json!([
        { "name": "private", "destinations": ["PrivateTraffic"], "nextHop": format!("{NET}/azureFirewalls/fw") },
        { "name": "public", "destinations": ["Internet"], "nextHop": format!("{NET}/azureFirewalls/fw") },
    ]);
    let addresses = json!({ "privateIPAddress": "10.9.0.132", "publicIPs": { "count": 1, "addresses": [{ "address": "20.9.0.1" }] } });
    let mut bodies = vec![
        net("virtualWans/wan", json!({ "type": "Standard" })),
        net(
            "virtualHubs/h",
            json!({ "virtualWan": id("virtualWans/wan"), "addressPrefix": "10.9.0.0/24", "routeTable": { "routes": [] } }),
        ),
        net(table, json!({ "labels": ["default"], "routes": [] })),
        connection("cv", "v"),
        connection("cw", "w"),
        net("virtualHubs/h/routingIntent/i", json!({ "routingPolicies": policies })),
        net(
            "azureFirewalls/fw",
            json!({ "sku": { "name": "AZFW_Hub", "tier": "Standard" }, "virtualHub": id("virtualHubs/h"), "firewallPolicy": id("firewallPolicies/p"),
                "hubIPAddresses": addresses }),
        ),
        net(
            "firewallPolicies/p",
            json!({ "threatIntelMode": "Off", "ruleCollectionGroups": [id("firewallPolicies/p/ruleCollectionGroups/g")] }),
        ),
        net("firewallPolicies/p/ruleCollectionGroups/g", json!({ "priority": 100, "ruleCollections": [collection] })),
        vnet("v", "10.1.0.0/16", &[("s", "10.1.1.0/24")], json!([])),
        vnet("w", "10.2.0.0/16", &[("t", "10.2.1.0/24")], json!([])),
    ];
    bodies.extend(machine("a", "virtualNetworks/v/subnets/s", "10.1.1.4"));
    bodies.extend(machine("b", "virtualNetworks/w/subnets/t", "10.2.1.4"));
    case(
        "hubs",
        bodies,
        &[("vm:a", "vm:b", 443), ("vm:a", "vm:b", 22), ("vm:a", "internet:8.8.8.8", 443), ("vm:a", "internet:8.8.8.8", 80)],
    )
}

/// A mesh by a network manager, and an admin rule that closes a port in it.
fn managers() -> Case {
    let manager = "networkManagers/m";
    let group = format!("{manager}/networkGroups/g");
    let admin = format!("{manager}/securityAdminConfigurations/a");
    let joined = format!("{manager}/connectivityConfigurations/j");
    let groups = json!([{ "networkGroupId": format!("{NET}/{group}") }]);
    let meshed = json!([{ "networkGroupId": format!("{NET}/{group}"), "groupConnectivity": "DirectlyConnected", "isGlobal": "False", "useHubGateway": "False" }]);
    let rule = json!({ "direction": "Inbound", "priority": 10, "access": "Deny", "protocol": "Tcp", "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": ["22"], "sources": [{ "addressPrefix": "*", "addressPrefixType": "IPPrefix" }],
        "destinations": [{ "addressPrefix": "*", "addressPrefixType": "IPPrefix" }] });
    let mut bodies = vec![
        net(manager, json!({ "networkManagerScopes": { "subscriptions": ["/subscriptions/00000000-0000-4000-8000-000000000001"] } })),
        net(&group, json!({ "memberType": "VirtualNetwork" })),
        net(&joined, json!({ "connectivityTopology": "Mesh", "isGlobal": "False", "hubs": [], "appliesToGroups": meshed })),
        net(&admin, json!({ "applyOnNetworkIntentPolicyBasedServices": ["None"] })),
        net(&format!("{admin}/ruleCollections/c"), json!({ "appliesToGroups": groups })),
        net(&format!("{admin}/ruleCollections/c/rules/r"), rule),
    ];
    for (name, prefix, subnet) in [("v", "10.1.0.0/16", "10.1.1.0/24"), ("w", "10.2.0.0/16", "10.2.1.0/24")] {
        let here = format!("{NET}/virtualNetworks/{name}");
        bodies.push(vnet(name, prefix, &[("s", subnet)], json!([])));
        bodies.push(net(&format!("{group}/staticMembers/{name}"), json!({ "resourceId": here })));
        let member = json!({ "groupMemberships": [{ "networkGroupId": format!("{NET}/{group}") }] });
        bodies.push(other(&format!("{here}/providers/Microsoft.Network/networkGroupMemberships/default"), member));
        let listed = |configuration: &str| json!([{ "id": format!("{NET}/{configuration}/snapshots/1") }]);
        let rules = json!({ "effectiveSecurityAdminConfigurations": listed(&admin) });
        bodies.push(other(&format!("{here}/providers/Microsoft.Network/effectiveSecurityAdminRules/default"), rules));
        let joins = json!({ "effectiveConnectivityConfigurations": listed(&joined) });
        bodies.push(other(&format!("{here}/providers/Microsoft.Network/effectiveConnectivityConfigurations/default"), joins));
    }
    bodies.extend(machine("a", "virtualNetworks/v/subnets/s", "10.1.1.4"));
    bodies.extend(machine("b", "virtualNetworks/w/subnets/s", "10.2.1.4"));
    case("managers", bodies, &[("vm:a", "vm:b", 443), ("vm:a", "vm:b", 22)])
}

/// An account and a vault in a perimeter with one rule.
fn perimeters() -> Case {
    let perimeter = "networkSecurityPerimeters/p";
    let profile = format!("{perimeter}/profiles/default");
    let account = provider("Microsoft.Storage/storageAccounts/acc");
    let associated = |resource: &str| {
        json!({ "privateLinkResource": { "id": resource }, "profile": id(&profile), "accessMode": "Enforced", "hasProvisioningIssues": "no",
            "provisioningState": "Succeeded" })
    };
    let rule = json!({ "direction": "Inbound", "addressPrefixes": ["203.0.113.0/24"], "fullyQualifiedDomainNames": [], "subscriptions": [],
        "provisioningState": "Succeeded" });
    let mut store = other(
        &account,
        json!({ "publicNetworkAccess": "SecuredByPerimeter", "privateEndpointConnections": [],
        "networkAcls": { "defaultAction": "Deny", "bypass": "None", "ipRules": [], "virtualNetworkRules": [] } }),
    );
    store["kind"] = "StorageV2".into();
    let bodies = vec![
        net(perimeter, json!({ "perimeterGuid": "22222222-2222-4222-8222-222222222222", "provisioningState": "Succeeded" })),
        net(&profile, json!({})),
        net(&format!("{profile}/accessRules/r"), rule),
        net(&format!("{perimeter}/resourceAssociations/acc"), associated(&account)),
        store,
    ];
    let flows = [("internet:203.0.113.7", "storage:acc/blob", 443), ("internet:198.51.100.7", "storage:acc/blob", 443)];
    case("perimeters", bodies, &flows)
}

/// A load balancer whose parts are rows of their own.
fn parts() -> Case {
    let balancer = "loadBalancers/lb";
    let (front, pool) = (format!("{balancer}/frontendIPConfigurations/f"), format!("{balancer}/backendAddressPools/p"));
    let rule = json!({ "protocol": "Tcp", "frontendPort": 80, "backendPort": 8080, "frontendIPConfiguration": id(&front),
        "backendAddressPool": id(&pool), "enableFloatingIP": false, "probe": id(&format!("{balancer}/probes/q")) });
    let nat = json!({ "protocol": "Tcp", "frontendPort": 2222, "backendPort": 22, "frontendIPConfiguration": id(&front),
        "backendIPConfiguration": id("networkInterfaces/b-nic/ipConfigurations/c") });
    let mut whole = net(balancer, json!({}));
    whole["sku"] = json!({ "name": "Standard", "tier": "Regional" });
    let mut bodies = vec![
        vnet("v", "10.1.0.0/16", &[("s", "10.1.1.0/24"), ("t", "10.1.2.0/24")], json!([])),
        whole,
        net(&front, json!({ "privateIPAddress": "10.1.2.9", "subnet": id("virtualNetworks/v/subnets/t") })),
        net(&pool, json!({ "backendIPConfigurations": [id("networkInterfaces/b-nic/ipConfigurations/c")] })),
        net(&format!("{balancer}/loadBalancingRules/r"), rule),
        net(&format!("{balancer}/probes/q"), json!({ "protocol": "Tcp", "port": 8080 })),
        net(&format!("{balancer}/inboundNatRules/n"), nat),
    ];
    bodies.extend(machine("a", "virtualNetworks/v/subnets/s", "10.1.1.4"));
    bodies.extend(machine("b", "virtualNetworks/v/subnets/t", "10.1.2.4"));
    case("parts", bodies, &[("vm:a", "ip:10.1.2.9", 80), ("vm:a", "ip:10.1.2.9", 2222), ("vm:a", "ip:10.1.2.9", 443), ("vm:a", "vm:b", 22)])
}

/// A public load balancer and an internal one whose parts stand in their bodies.
fn balancers() -> Case {
    let front = |of: &str| id(&format!("loadBalancers/{of}/frontendIPConfigurations/f"));
    let pool = |of: &str| id(&format!("loadBalancers/{of}/backendAddressPools/p"));
    let member = |name: &str| id(&format!("networkInterfaces/{name}-nic/ipConfigurations/c"));
    let named = |name: &str, properties: Value| json!([{ "name": name, "properties": properties }]);
    let rule = |of: &str| {
        named(
            "r",
            json!({ "protocol": "Tcp", "frontendPort": 80, "backendPort": 8080, "frontendIPConfiguration": front(of), "disableOutboundSnat": true,
                "backendAddressPool": pool(of), "enableFloatingIP": false, "probe": id(&format!("loadBalancers/{of}/probes/q")) }),
        )
    };
    let nat = json!({ "protocol": "Tcp", "frontendPort": 2222, "backendPort": 22, "frontendIPConfiguration": front("lb"), "backendIPConfiguration": member("b") });
    let out = json!({ "protocol": "All", "frontendIPConfigurations": [front("lb")], "backendAddressPool": pool("lb") });
    let balancer = |of: &str, place: Value, members: Value, more: Value| {
        let mut balancer = net(
            &format!("loadBalancers/{of}"),
            json!({ "frontendIPConfigurations": named("f", place), "backendAddressPools": named("p", json!({ "backendIPConfigurations": members })),
                "loadBalancingRules": rule(of), "probes": named("q", json!({ "protocol": "Tcp", "port": 8080 })) }),
        );
        balancer["properties"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        balancer["sku"] = json!({ "name": "Standard", "tier": "Regional" });
        balancer
    };
    let mut network = vnet("v", "10.1.0.0/16", &[("s", "10.1.1.0/24")], json!([]));
    network["properties"]["subnets"][0]["properties"]["defaultOutboundAccess"] = json!(false);
    network["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = id("networkSecurityGroups/g");
    let open = json!({ "priority": 100, "access": "Allow", "direction": "Inbound", "protocol": "*", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*",
        "sourcePortRange": "*", "destinationPortRange": "*" });
    let mut public = net("publicIPAddresses/p", json!({ "ipAddress": "20.0.0.9" }));
    public["sku"] = json!({ "name": "Standard" });
    let mut bodies = vec![
        balancer(
            "lb",
            json!({ "publicIPAddress": id("publicIPAddresses/p") }),
            json!([member("a")]),
            json!({ "inboundNatRules": named("n", nat), "outboundRules": named("o", out) }),
        ),
        balancer(
            "in",
            json!({ "privateIPAddress": "10.1.1.9", "subnet": id("virtualNetworks/v/subnets/s") }),
            json!([member("b")]),
            json!({}),
        ),
        net("loadBalancers/in/loadBalancingRules/r", rule("in")[0]["properties"].clone()),
        network,
        net("networkSecurityGroups/g", json!({ "securityRules": named("in", open) })),
        public,
    ];
    for (name, address) in [("a", "10.1.1.4"), ("b", "10.1.1.5"), ("c", "10.1.1.6")] {
        bodies.extend(machine(name, "virtualNetworks/v/subnets/s", address));
    }
    let flows = [
        ("internet", "ip:20.0.0.9", 80),
        ("internet", "ip:20.0.0.9", 2222),
        ("internet", "ip:20.0.0.9", 443),
        ("internet", "vm:a", 8080),
        ("internet", "vm:a", 22),
        ("internet", "vm:b", 22),
        ("internet", "vm:c", 22),
        ("vm:a", "internet:8.8.8.8", 443),
        ("vm:c", "internet:8.8.8.8", 443),
        ("vm:c", "ip:10.1.1.9", 80),
        ("vm:c", "ip:10.1.1.9", 443),
    ];
    case("balancers", bodies, &flows)
}

/// A private endpoint with its names, and an account that admits one network and one resource.
fn names() -> Case {
    let account = provider("Microsoft.Storage/storageAccounts/acc");
    let zone = "privateDnsZones/privatelink.blob.core.windows.net";
    let state = json!({ "status": "Approved" });
    let connection = json!([{ "name": "c", "properties": { "provisioningState": "Succeeded", "privateEndpoint": id("privateEndpoints/pe"),
        "privateLinkServiceConnectionState": state } }]);
    let mut store = other(
        &account,
        json!({ "publicNetworkAccess": "Enabled", "supportsHttpsTrafficOnly": true, "privateEndpointConnections": connection,
            "primaryEndpoints": { "blob": "https://acc.blob.core.windows.net/", "file": "https://acc.file.core.windows.net/" },
            "networkAcls": { "defaultAction": "Deny", "bypass": "AzureServices", "ipRules": [{ "value": "203.0.113.0/24", "action": "Allow" }],
                "virtualNetworkRules": [{ "id": format!("{NET}/virtualNetworks/w/subnets/t"), "action": "Allow", "state": "Succeeded" }],
                "resourceAccessRules": [{ "tenantId": "11111111-1111-4111-8111-111111111111",
                    "resourceId": provider("Microsoft.DataFactory/factories/f") }] } }),
    );
    (store["kind"], store["sku"]) = ("StorageV2".into(), json!({ "name": "Standard_LRS" }));
    let link = json!({ "name": "c", "properties": { "privateLinkServiceId": account, "groupIds": ["blob"], "provisioningState": "Succeeded",
        "privateLinkServiceConnectionState": state } });
    let mut other_net = vnet("w", "10.2.0.0/16", &[("t", "10.2.1.0/24")], json!([]));
    other_net["properties"]["subnets"][0]["properties"]["serviceEndpoints"] =
        json!([{ "service": "Microsoft.Storage", "locations": ["westeurope"], "provisioningState": "Succeeded" }]);
    let mut bodies = vec![
        vnet("v", "10.1.0.0/16", &[("s", "10.1.1.0/24"), ("p", "10.1.9.0/24")], json!([])),
        other_net,
        net(
            "privateEndpoints/pe",
            json!({ "subnet": id("virtualNetworks/v/subnets/p"), "networkInterfaces": [], "provisioningState": "Succeeded",
                "privateLinkServiceConnections": [link], "manualPrivateLinkServiceConnections": [],
                "customDnsConfigs": [{ "fqdn": "acc.blob.core.windows.net", "ipAddresses": ["10.1.9.4"] }] }),
        ),
        net(zone, json!({})),
        net(&format!("{zone}/A/acc"), json!({ "ttl": 10, "aRecords": [{ "ipv4Address": "10.1.9.4" }] })),
        net(
            &format!("{zone}/virtualNetworkLinks/l"),
            json!({ "virtualNetwork": id("virtualNetworks/v"), "registrationEnabled": false, "virtualNetworkLinkState": "Completed",
                "provisioningState": "Succeeded" }),
        ),
        store,
    ];
    bodies.extend(machine("a", "virtualNetworks/v/subnets/s", "10.1.1.4"));
    bodies.extend(machine("b", "virtualNetworks/w/subnets/t", "10.2.1.4"));
    let flows = [
        ("vm:a", "storage:acc/blob", 443),
        ("vm:a", "storage:acc/file", 443),
        ("vm:b", "storage:acc/blob", 443),
        ("internet:203.0.113.7", "storage:acc/blob", 443),
        ("internet:198.51.100.7", "storage:acc/blob", 443),
    ];
    case("names", bodies, &flows)
}

/// Routes that somebody saw, in a network with a gateway.
fn observed() -> Case {
    let route = |source: &str, prefix: &str, hop: &str| json!({ "source": source, "state": "Active", "addressPrefix": [prefix], "nextHopType": hop, "nextHopIpAddress": [] });
    let gateway = json!([{ "name": "c", "properties": { "subnet": id("virtualNetworks/v/subnets/GatewaySubnet") } }]);
    let seen = [
        route("Default", "10.1.0.0/16", "VnetLocal"),
        route("Default", "0.0.0.0/0", "Internet"),
        route("Default", "172.16.0.0/12", "None"),
    ];
    let output = json!({ "nextLink": null, "value": seen });
    let mut bodies = vec![
        vnet("v", "10.1.0.0/16", &[("s", "10.1.1.0/24"), ("GatewaySubnet", "10.1.255.0/27")], json!([])),
        net("virtualNetworkGateways/gw", json!({ "gatewayType": "ExpressRoute", "ipConfigurations": gateway })),
    ];
    bodies.extend(machine("a", "virtualNetworks/v/subnets/s", "10.1.1.4"));
    let resource = format!("{NET}/networkInterfaces/a-nic");
    bodies.push(json!({ "resource": resource, "kind": "effective-routes", "output": output }));
    case("observed", bodies, &[("vm:a", "internet:8.8.8.8", 443), ("vm:a", "ip:172.16.0.1", 443)])
}
