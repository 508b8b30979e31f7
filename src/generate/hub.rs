//! What stands in a hub: an appliance that forwards and a VPN gateway with two sites.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::networks::public_ip;
use super::plan::{Net, Plan, slice};
use super::rows::{Rows, child, reference};

/// The subnets of a hub: the gateway's, the appliance's, and one for shared services.
pub(super) fn subnets(net: &Net) -> Vec<Value> {
    let subnets = [("GatewaySubnet", slice(net.space, 26, 0)), ("nva", slice(net.space, 26, 1)), ("shared", net.slot(1))];
    let filter = reference(net.id("Microsoft.Network/networkSecurityGroups", "nsg-nva"));
    subnets
        .into_iter()
        .map(|(name, prefix)| {
            let mut properties = json!({ "provisioningState": "Succeeded", "addressPrefix": prefix.to_string(), "serviceEndpoints": [] });
            if name == "nva" {
                properties["networkSecurityGroup"] = filter.clone();
            }
            child(&net.vnet_id(), "subnets", name, properties)
        })
        .collect()
}

/// Writes the appliance, the gateway and the sites.
pub(super) fn write<W: Write>(plan: &Plan, net: &Net, rows: &mut Rows<'_, W>) -> io::Result<()> {
    appliance(net, rows)?;
    let pip = format!("pip-vpn-{}", net.name());
    public_ip(net, &pip, "Standard", 1, rows)?;
    let kind = "Microsoft.Network/virtualNetworkGateways";
    let gateway = format!("vpn-{}", net.name());
    let config = json!({
        "provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic", "subnet": reference(net.subnet_id("GatewaySubnet")),
        "publicIPAddress": reference(net.id("Microsoft.Network/publicIPAddresses", &pip)),
    });
    let properties = json!({
        "provisioningState": "Succeeded", "gatewayType": "Vpn", "vpnType": "RouteBased", "enableBgp": false, "activeActive": false,
        "sku": { "name": "VpnGw2AZ", "tier": "VpnGw2AZ", "capacity": 2 },
        "ipConfigurations": [child(&net.id(kind, &gateway), "ipConfigurations", "default", config)],
    });
    rows.push(net, kind, &gateway, properties)?;
    // The second line is down more often than not: the routes stay, the proof does not.
    for (n, status) in ["Connected", "NotConnected"].into_iter().enumerate() {
        let site = format!("site-{}-{n}", net.name());
        let prefix = format!("192.168.{}.0/24", (net.group * 2 + n + plan.seed as usize % 64) % 256);
        let properties = json!({
            "provisioningState": "Succeeded", "localNetworkAddressSpace": { "addressPrefixes": [prefix] },
            "gatewayIpAddress": format!("203.0.113.{}", n + 1),
        });
        rows.push(net, "Microsoft.Network/localNetworkGateways", &site, properties)?;
        let properties = json!({
            "provisioningState": "Succeeded", "connectionType": "IPsec", "connectionStatus": status, "enableBgp": false,
            "usePolicyBasedTrafficSelectors": false, "virtualNetworkGateway1": reference(net.id(kind, &gateway)),
            "localNetworkGateway2": reference(net.id("Microsoft.Network/localNetworkGateways", &site)),
        });
        rows.push(net, "Microsoft.Network/connections", &format!("cn-{site}"), properties)?;
    }
    Ok(())
}

/// A virtual machine that forwards; its filter lets everything through, as those of appliances do.
fn appliance<W: Write>(net: &Net, rows: &mut Rows<'_, W>) -> io::Result<()> {
    let kind = "Microsoft.Network/networkSecurityGroups";
    let rules = ["Inbound", "Outbound"].map(|direction| {
        let properties = json!({
            "provisioningState": "Succeeded", "priority": 100, "direction": direction, "access": "Allow", "protocol": "*",
            "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*",
        });
        child(&net.id(kind, "nsg-nva"), "securityRules", &format!("all-{}", direction.to_lowercase()), properties)
    });
    rows.push(net, kind, "nsg-nva", json!({ "provisioningState": "Succeeded", "securityRules": rules }))?;

    let (nic, machine) = ("nic-nva", "vm-nva");
    let config = json!({
        "provisioningState": "Succeeded", "privateIPAddress": net.appliance().to_string(), "privateIPAllocationMethod": "Static",
        "privateIPAddressVersion": "IPv4", "primary": true, "subnet": reference(net.subnet_id("nva")),
    });
    let properties = json!({
        "provisioningState": "Succeeded", "enableIPForwarding": true, "primary": true,
        "ipConfigurations": [child(&net.id("Microsoft.Network/networkInterfaces", nic), "ipConfigurations", "ipconfig1", config)],
        "virtualMachine": reference(net.id("Microsoft.Compute/virtualMachines", machine)),
    });
    rows.push(net, "Microsoft.Network/networkInterfaces", nic, properties)?;
    super::machines::machine(net, machine, nic, rows)
}
