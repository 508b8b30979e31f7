//! An appliance with a leg on either side, behind an internal load balancer that takes everything.

use serde_json::json;

use super::super::row::{child, reference, standard};
use super::balancers::BALANCER;
use super::{Estate, Hub};

/// In the hub's /24s number 3 (outside) and 4 (inside).
pub(super) fn add(estate: &mut Estate, hub: &Hub) {
    let home = &hub.home;
    let outer = estate.subnet(hub, "outer", format!("{}/27", hub.address(3, 0)));
    let inner = estate.subnet(hub, "inner", format!("{}/27", hub.address(4, 0)));
    let front = hub.address(4, 10);
    for spoke in hub.spokes.iter().skip(1).step_by(3) {
        estate.route(spoke, &front);
    }
    let places = [(outer, hub.address(3, 4)), (inner.clone(), hub.address(4, 4))];
    estate.rows.extend(home.machine("vm-pair", true, &places));
    let member = estate.rows.len() - 1;

    let balancer = home.id(BALANCER, "lbi-pair");
    let part = |list: &str, name: &str| format!("{balancer}/{list}/{name}");
    let (pool, frontend) = (part("backendAddressPools", "pair"), part("frontendIPConfigurations", "inside"));
    let probe = child(&balancer, "probes", "ssh", json!({ "protocol": "Tcp", "port": 22, "intervalInSeconds": 5, "numberOfProbes": 2 }));
    let rule = json!({
        "protocol": "All", "frontendPort": 0, "backendPort": 0, "enableFloatingIP": false, "disableOutboundSnat": true,
        "frontendIPConfiguration": reference(&frontend), "backendAddressPool": reference(&pool),
        "probe": reference(&part("probes", "ssh")),
    });
    let fronts = json!({ "privateIPAddress": front, "privateIPAllocationMethod": "Static", "subnet": reference(&inner) });
    let members = json!([reference(&estate.configuration(member).0)]);
    let properties = json!({
        "frontendIPConfigurations": [child(&balancer, "frontendIPConfigurations", "inside", fronts)],
        "backendAddressPools": [child(&balancer, "backendAddressPools", "pair", json!({ "backendIPConfigurations": members }))],
        "loadBalancingRules": [child(&balancer, "loadBalancingRules", "everything", rule)],
        "probes": [probe], "inboundNatRules": [], "outboundRules": [],
    });
    estate.rows.push(home.row_with(BALANCER, "lbi-pair", standard(), properties));
    estate.join(member, "loadBalancerBackendAddressPools", &pool);
}
