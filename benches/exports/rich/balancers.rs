//! Load balancers over machines that are there already: public ones in every second spoke, internal ones in the others.

use serde_json::{Value, json};

use super::super::row::{child, reference, standard};
use super::{Estate, Hub, Spoke};

pub(super) const BALANCER: &str = "Microsoft.Network/loadBalancers";

pub(super) fn add(estate: &mut Estate, hub: &Hub, _: u8) {
    for (n, spoke) in hub.spokes.iter().enumerate() {
        let members: Vec<usize> = spoke.nics.iter().take(2).copied().collect();
        match (members.as_slice(), n % 2) {
            ([], _) => {}
            (members, 0) => public(estate, spoke, members),
            (members, _) => internal(estate, spoke, members),
        }
    }
}

/// 443 to both, 50022 to the first, and both go out by the front.
fn public(estate: &mut Estate, spoke: &Spoke, members: &[usize]) {
    let name = format!("lbe-{}", spoke.name);
    let balancer = spoke.home.id(BALANCER, &name);
    let (address, _) = estate.public_ip(&spoke.home, &format!("pip-{name}"));
    let part = |list: &str, name: &str| reference(&format!("{balancer}/{list}/{name}"));
    let (front, pool) = (part("frontendIPConfigurations", "front"), part("backendAddressPools", "pool"));
    let nat = json!({
        "protocol": "Tcp", "frontendPort": 50022, "backendPort": 22, "enableFloatingIP": false, "frontendIPConfiguration": front,
        "backendIPConfiguration": reference(&estate.configuration(members[0]).0),
    });
    let outbound =
        json!({ "protocol": "All", "allocatedOutboundPorts": 1024, "frontendIPConfigurations": [front], "backendAddressPool": pool });
    let properties = json!({
        "frontendIPConfigurations": [child(&balancer, "frontendIPConfigurations", "front", json!({ "publicIPAddress": reference(&address) }))],
        "backendAddressPools": [child(&balancer, "backendAddressPools", "pool", pooled(estate, members))],
        "loadBalancingRules": [child(&balancer, "loadBalancingRules", "web", rule(&front, &pool, &part("probes", "web"), 443, 8443))],
        "probes": [child(&balancer, "probes", "web", json!({ "protocol": "Tcp", "port": 8443, "intervalInSeconds": 5, "numberOfProbes": 2 }))],
        "inboundNatRules": [child(&balancer, "inboundNatRules", "ssh", nat)],
        "outboundRules": [child(&balancer, "outboundRules", "out", outbound)],
    });
    estate.rows.push(spoke.home.row_with(BALANCER, &name, standard(), properties));
    for member in members {
        estate.join(*member, "loadBalancerBackendAddressPools", &format!("{balancer}/backendAddressPools/pool"));
    }
    estate.join(members[0], "loadBalancerInboundNatRules", &format!("{balancer}/inboundNatRules/ssh"));
}

/// 1433 to both, at host 20 of the first one's subnet.
fn internal(estate: &mut Estate, spoke: &Spoke, members: &[usize]) {
    let name = format!("lbi-{}", spoke.name);
    let balancer = spoke.home.id(BALANCER, &name);
    let first = &estate.rows[members[0]]["properties"]["ipConfigurations"][0]["properties"];
    let subnet = first["subnet"].clone();
    let (_, address) = estate.configuration(members[0]);
    let network = address.rsplit_once('.').map_or("", |(network, _)| network);
    let part = |list: &str, name: &str| reference(&format!("{balancer}/{list}/{name}"));
    let (front, pool) = (part("frontendIPConfigurations", "front"), part("backendAddressPools", "pool"));
    let place = json!({ "privateIPAddress": format!("{network}.20"), "privateIPAllocationMethod": "Static", "subnet": subnet });
    let properties = json!({
        "frontendIPConfigurations": [child(&balancer, "frontendIPConfigurations", "front", place)],
        "backendAddressPools": [child(&balancer, "backendAddressPools", "pool", pooled(estate, members))],
        "loadBalancingRules": [child(&balancer, "loadBalancingRules", "sql", rule(&front, &pool, &part("probes", "sql"), 1433, 1433))],
        "probes": [child(&balancer, "probes", "sql", json!({ "protocol": "Tcp", "port": 1433, "intervalInSeconds": 5, "numberOfProbes": 2 }))],
        "inboundNatRules": [], "outboundRules": [],
    });
    estate.rows.push(spoke.home.row_with(BALANCER, &name, standard(), properties));
    for member in members {
        estate.join(*member, "loadBalancerBackendAddressPools", &format!("{balancer}/backendAddressPools/pool"));
    }
}

fn pooled(estate: &Estate, members: &[usize]) -> Value {
    let members: Vec<Value> = members.iter().map(|member| reference(&estate.configuration(*member).0)).collect();
    json!({ "backendIPConfigurations": members })
}

fn rule(front: &Value, pool: &Value, probe: &Value, frontend_port: u16, backend_port: u16) -> Value {
    json!({
        "protocol": "Tcp", "frontendPort": frontend_port, "backendPort": backend_port, "enableFloatingIP": false,
        "disableOutboundSnat": true, "frontendIPConfiguration": front, "backendAddressPool": pool, "backendAddressPools": [pool],
        "probe": probe,
    })
}
