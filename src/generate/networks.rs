//! Virtual networks, their subnets and peerings, and what a network brings for its subnets: routes, ways out, endpoint policies, application groups.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::dice::Dice;
use super::plan::{Net, Plan, slice};
use super::rows::{Rows, child, reference};

/// The application security groups of every network.
pub(super) const APPLICATIONS: [&str; 3] = ["web", "app", "data"];

/// Which group filters a subnet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// One of its own.
    Own,
    /// The one of the network.
    Shared,
    /// None.
    None,
}

/// What was drawn for one subnet.
pub(super) struct SubnetDraw {
    /// Its name.
    pub(super) name: String,
    /// Its group.
    pub(super) filter: Filter,
    /// Whether private endpoints stand here, and no machines.
    pub(super) for_endpoints: bool,
    /// Whether it is delegated to a service, and holds no machines.
    pub(super) delegated: bool,
    /// Service endpoints.
    pub(super) endpoints: Vec<&'static str>,
    /// Length of its prefix.
    length: u8,
    routed: bool,
    behind_nat: bool,
    policy: bool,
}

/// What was drawn for one network: everything that more than one of its rows speak of.
pub(super) struct Drawn {
    /// Its workload subnets.
    pub(super) subnets: Vec<SubnetDraw>,
    /// Whether some interfaces have a group of their own.
    pub(super) nic_filter: bool,
    nat_gateway: bool,
    ipv6: bool,
}

/// Draws what the network's subnets are like.
pub(super) fn draw(plan: &Plan, net: &Net, dice: &mut Dice) -> Drawn {
    let nat_gateway = !net.is_hub && dice.chance(15);
    let policies = dice.chance(40);
    let subnets = (0..net.subnets).map(|n| {
        let for_endpoints = n % 10 == 9;
        let mut endpoints = Vec::new();
        if !for_endpoints && dice.chance(30) {
            endpoints.push("Microsoft.Storage");
            endpoints.extend(dice.chance(50).then_some("Microsoft.KeyVault"));
            endpoints.extend(dice.chance(30).then_some("Microsoft.Sql"));
        }
        SubnetDraw {
            name: net.subnet_name(n),
            filter: dice.weighted(&[(80, Filter::Own), (15, Filter::Shared), (5, Filter::None)]),
            for_endpoints,
            delegated: !for_endpoints && dice.chance(2),
            policy: policies && !endpoints.is_empty() && dice.chance(50),
            endpoints,
            length: dice.weighted(&[(80, 24), (15, 25), (5, 27)]),
            routed: plan.hub(net).is_some() && !for_endpoints && dice.chance(85),
            behind_nat: nat_gateway && dice.chance(50),
        }
    });
    let subnets = subnets.collect();
    Drawn { subnets, nic_filter: dice.chance(50), nat_gateway, ipv6: !net.is_hub && dice.chance(5) }
}

/// Writes the network and what it brings.
pub(super) fn write<W: Write>(plan: &Plan, net: &Net, drawn: &Drawn, dice: &mut Dice, rows: &mut Rows<'_, W>) -> io::Result<()> {
    let name = net.name();
    let mut spaces = vec![net.space.to_string()];
    if drawn.ipv6 {
        spaces.push(format!("fd00:db8:{:x}::/48", net.index));
    }
    let subnets: Vec<Value> =
        if net.is_hub { super::hub::subnets(net) } else { (0..net.subnets).map(|n| subnet(net, drawn, n, dice)).collect() };
    let peerings: Vec<Value> = plan.peerings(net).iter().map(|peering| self::peering(plan, net, peering)).collect();
    let properties = json!({
        "provisioningState": "Succeeded", "addressSpace": { "addressPrefixes": spaces }, "dhcpOptions": { "dnsServers": [] },
        "subnets": subnets, "virtualNetworkPeerings": peerings, "enableDdosProtection": false,
    });
    rows.push(net, "Microsoft.Network/virtualNetworks", &name, properties)?;

    for application in APPLICATIONS {
        let asg = format!("asg-{name}-{application}");
        rows.push(net, "Microsoft.Network/applicationSecurityGroups", &asg, json!({ "provisioningState": "Succeeded" }))?;
    }
    if let Some(hub) = plan.hub(net).filter(|_| !net.is_hub) {
        rows.push(net, "Microsoft.Network/routeTables", &format!("rt-{name}"), routes(net, hub, dice))?;
    }
    if drawn.nat_gateway {
        let pip = format!("pip-nat-{name}");
        public_ip(net, &pip, "Standard", 0, rows)?;
        let sku = [("sku", json!({ "name": "Standard", "tier": "Regional" }))];
        let addresses = json!([reference(net.id("Microsoft.Network/publicIPAddresses", &pip))]);
        let properties = json!({ "provisioningState": "Succeeded", "idleTimeoutInMinutes": 4, "publicIpAddresses": addresses });
        rows.push_with(net, "Microsoft.Network/natGateways", &format!("nat-{name}"), &sku, properties)?;
    }
    if drawn.subnets.iter().any(|subnet| subnet.policy) {
        let kind = "Microsoft.Network/serviceEndpointPolicies";
        let policy = format!("sep-{name}");
        let own = super::stores::account_id(net, 0);
        // Half of the policies let a whole subscription through, which is wider than it looks.
        let scope = if dice.chance(50) { own } else { format!("/subscriptions/{}", net.subscription()) };
        let definition = json!({ "service": "Microsoft.Storage", "serviceResources": [scope] });
        let definitions = [child(&net.id(kind, &policy), "serviceEndpointPolicyDefinitions", "storage", definition)];
        rows.push(net, kind, &policy, json!({ "provisioningState": "Succeeded", "serviceEndpointPolicyDefinitions": definitions }))?;
    }
    Ok(())
}

/// Writes a public address, number `n` of the network's.
pub(super) fn public_ip<W: Write>(net: &Net, name: &str, sku: &str, n: usize, rows: &mut Rows<'_, W>) -> io::Result<()> {
    let properties = json!({
        "provisioningState": "Succeeded", "ipAddress": net.public_address(n).to_string(), "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": if sku == "Basic" { "Dynamic" } else { "Static" }, "idleTimeoutInMinutes": 4,
    });
    rows.push_with(net, "Microsoft.Network/publicIPAddresses", name, &[("sku", json!({ "name": sku, "tier": "Regional" }))], properties)
}

/// The id of the group that filters a subnet.
pub(super) fn filter_id(net: &Net, subnet: &SubnetDraw) -> Option<String> {
    let name = match subnet.filter {
        Filter::Own => format!("nsg-{}-{}", net.name(), subnet.name),
        Filter::Shared => format!("nsg-{}", net.name()),
        Filter::None => return None,
    };
    Some(net.id("Microsoft.Network/networkSecurityGroups", &name))
}

fn subnet(net: &Net, drawn: &Drawn, n: usize, dice: &mut Dice) -> Value {
    let draw = &drawn.subnets[n];
    let prefix = slice(net.slot(n), draw.length, 0).to_string();
    let mut properties = json!({ "provisioningState": "Succeeded" });
    if drawn.ipv6 {
        properties["addressPrefixes"] = json!([prefix, format!("fd00:db8:{:x}:{n:x}::/64", net.index)]);
    } else {
        properties["addressPrefix"] = prefix.into();
    }
    if let Some(filter) = filter_id(net, draw) {
        properties["networkSecurityGroup"] = reference(filter);
    }
    if draw.routed {
        properties["routeTable"] = reference(net.id("Microsoft.Network/routeTables", &format!("rt-{}", net.name())));
    }
    if draw.behind_nat {
        properties["natGateway"] = reference(net.id("Microsoft.Network/natGateways", &format!("nat-{}", net.name())));
    }
    if draw.policy {
        let policy = net.id("Microsoft.Network/serviceEndpointPolicies", &format!("sep-{}", net.name()));
        properties["serviceEndpointPolicies"] = json!([reference(policy)]);
    }
    properties["serviceEndpoints"] = draw.endpoints.iter().map(|service| endpoint(net, service, dice)).collect();
    if draw.delegated {
        properties["delegations"] = json!([{ "name": "web", "properties": { "serviceName": "Microsoft.Web/serverFarms" } }]);
    }
    let policies = [(60, "Disabled"), (15, "Enabled"), (15, "NetworkSecurityGroupEnabled"), (10, "RouteTableEnabled")];
    properties["privateEndpointNetworkPolicies"] = if draw.for_endpoints { dice.weighted(&policies) } else { "Disabled" }.into();
    match dice.below(10) {
        0 => properties["defaultOutboundAccess"] = false.into(),
        1 => properties["defaultOutboundAccess"] = true.into(),
        _ => {}
    }
    child(&net.vnet_id(), "subnets", &draw.name, properties)
}

fn endpoint(net: &Net, service: &str, dice: &mut Dice) -> Value {
    let pair = match net.location {
        "westeurope" => "northeurope",
        "northeurope" => "westeurope",
        "eastus" => "westus",
        _ => "eastus",
    };
    match service {
        "Microsoft.Storage" if dice.chance(30) => json!({ "provisioningState": "Succeeded", "service": service }),
        "Microsoft.Storage" => json!({ "provisioningState": "Succeeded", "service": service, "locations": [net.location, pair] }),
        "Microsoft.Sql" => json!({ "provisioningState": "Succeeded", "service": service, "locations": [net.location] }),
        _ => json!({ "provisioningState": "Succeeded", "service": service, "locations": ["*"] }),
    }
}

fn peering(plan: &Plan, net: &Net, peering: &super::plan::Peering) -> Value {
    let remote = &plan.nets[peering.remote];
    let space = json!({ "addressPrefixes": [remote.space.to_string()] });
    let properties = json!({
        "provisioningState": "Succeeded", "peeringState": peering.state, "peeringSyncLevel": "FullyInSync",
        "remoteVirtualNetwork": reference(remote.vnet_id()), "allowVirtualNetworkAccess": true,
        "allowForwardedTraffic": net.is_hub || remote.is_hub, "allowGatewayTransit": peering.offers_gateway,
        "useRemoteGateways": peering.uses_gateway, "peerCompleteVnets": true, "remoteAddressSpace": space,
        "remoteVirtualNetworkAddressSpace": space,
    });
    child(&net.vnet_id(), "virtualNetworkPeerings", &format!("to-{}", remote.name()), properties)
}

/// Everything to the hub's appliance, with an exception each for the internet and for nowhere.
fn routes(net: &Net, hub: &Net, dice: &mut Dice) -> Value {
    // One table in fifty names an appliance that was removed.
    let appliance = if dice.chance(2) { hub.address(2, 9) } else { hub.appliance() }.to_string();
    let default = if dice.chance(20) { ("Internet", None) } else { ("VirtualAppliance", Some(&appliance)) };
    let blocked = format!("192.168.{}.0/24", dice.below(256));
    let routes = [
        ("default", "0.0.0.0/0", default.0, default.1),
        ("estate", "10.0.0.0/8", "VirtualAppliance", Some(&appliance)),
        ("more", "172.16.0.0/12", "VirtualAppliance", Some(&appliance)),
        ("updates", "13.64.0.0/11", "Internet", None),
        ("closed", blocked.as_str(), "None", None),
    ];
    let table = net.id("Microsoft.Network/routeTables", &format!("rt-{}", net.name()));
    let routes: Vec<Value> = routes
        .into_iter()
        .map(|(name, prefix, hop, address)| {
            let mut properties = json!({ "provisioningState": "Succeeded", "addressPrefix": prefix, "nextHopType": hop });
            if let Some(address) = address {
                properties["nextHopIpAddress"] = address.as_str().into();
            }
            child(&table, "routes", name, properties)
        })
        .collect();
    json!({ "provisioningState": "Succeeded", "disableBgpRoutePropagation": dice.chance(30), "routes": routes })
}
