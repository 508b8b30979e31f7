//! The edge of a hub: one more site behind its VPN gateway, clients, an application gateway.

use serde_json::{Value, json};

use super::super::row::{child, reference};
use super::{Estate, Hub};

const GATEWAY: &str = "Microsoft.Network/virtualNetworkGateways";
const SITE: &str = "Microsoft.Network/localNetworkGateways";
const APPLICATION_GATEWAY: &str = "Microsoft.Network/applicationGateways";

/// What stands on premises behind the gateway of hub number `n`: beyond what is given to networks.
pub(super) fn site_prefixes(n: u8) -> [String; 2] {
    [format!("172.31.{n}.0/25"), format!("172.31.{n}.192/26")]
}

pub(super) fn add(estate: &mut Estate, hub: &Hub, n: u8) {
    site(estate, hub, n);
    application_gateway(estate, hub);
}

/// A site with two prefixes and a tunnel that is up, and clients who dial in.
fn site(estate: &mut Estate, hub: &Hub, n: u8) {
    let home = &hub.home;
    let gateway = home.id(GATEWAY, &format!("vpn-{}", hub.name));
    let row = estate.rows.iter_mut().find(|row| row["id"] == gateway.as_str()).expect("a hub has a VPN gateway");
    row["properties"]["vpnClientConfiguration"] = json!({
        "vpnClientAddressPool": { "addressPrefixes": [format!("172.30.{n}.0/24")] }, "vpnClientProtocols": ["OpenVPN"],
        "vpnAuthenticationTypes": ["AAD"],
    });
    let properties = json!({
        "localNetworkAddressSpace": { "addressPrefixes": site_prefixes(n) }, "gatewayIpAddress": "203.0.113.9",
    });
    estate.rows.push(home.row(SITE, "site-office", properties));
    let properties = json!({
        "connectionType": "IPsec", "connectionStatus": "Connected", "enableBgp": false, "usePolicyBasedTrafficSelectors": false,
        "virtualNetworkGateway1": reference(&gateway), "localNetworkGateway2": reference(&home.id(SITE, "site-office")),
    });
    estate.rows.push(home.row("Microsoft.Network/connections", "cn-site-office", properties));
}

/// In the hub's /24 number 5, in front of the first machine of every second spoke.
fn application_gateway(estate: &mut Estate, hub: &Hub) {
    let home = &hub.home;
    let (public, _) = estate.public_ip(home, "pip-agw");
    let subnet = reference(&estate.subnet(hub, "application-gateway", format!("{}/24", hub.address(5, 0))));
    let gateway = home.id(APPLICATION_GATEWAY, "agw");
    let part = |list: &str, name: &str| reference(&format!("{gateway}/{list}/{name}"));
    let targets: Vec<Value> = hub
        .spokes
        .iter()
        .step_by(2)
        .filter_map(|spoke| spoke.nics.first())
        .map(|nic| json!({ "ipAddress": estate.configuration(*nic).1 }))
        .collect();
    let fronts = [
        ("public", json!({ "publicIPAddress": reference(&public) })),
        ("private", json!({ "privateIPAddress": hub.address(5, 10), "privateIPAllocationMethod": "Static", "subnet": subnet })),
    ];
    let listeners: Vec<Value> = fronts
        .iter()
        .map(|(front, _)| {
            let listener = json!({
                "frontendIPConfiguration": part("frontendIPConfigurations", front), "frontendPort": part("frontendPorts", "https"),
                "protocol": "Https",
            });
            child(&gateway, "httpListeners", front, listener)
        })
        .collect();
    let rules: Vec<Value> = (1..)
        .zip(&fronts)
        .map(|(n, (front, _))| {
            let rule = json!({
                "ruleType": "Basic", "priority": n * 10, "httpListener": part("httpListeners", front),
                "backendAddressPool": part("backendAddressPools", "web"), "backendHttpSettings": part("backendHttpSettingsCollection", "web"),
            });
            child(&gateway, "requestRoutingRules", front, rule)
        })
        .collect();
    let settings = json!({ "port": 8443, "protocol": "Https", "requestTimeout": 30 });
    let properties = json!({
        "sku": { "name": "Standard_v2", "tier": "Standard_v2", "capacity": 2 },
        "gatewayIPConfigurations": [child(&gateway, "gatewayIPConfigurations", "home", json!({ "subnet": subnet }))],
        "frontendIPConfigurations": fronts.iter().map(|(name, body)| child(&gateway, "frontendIPConfigurations", name, body.clone())).collect::<Vec<_>>(),
        "frontendPorts": [child(&gateway, "frontendPorts", "https", json!({ "port": 443 }))],
        "backendAddressPools": [child(&gateway, "backendAddressPools", "web", json!({ "backendAddresses": targets }))],
        "backendHttpSettingsCollection": [child(&gateway, "backendHttpSettingsCollection", "web", settings)],
        "httpListeners": listeners, "requestRoutingRules": rules,
    });
    estate.rows.push(home.row(APPLICATION_GATEWAY, "agw", properties));
}
