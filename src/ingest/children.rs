//! Which lists inside a body hold resources of their own.

use serde_json::{Map, Value};

/// The lists in `properties` of a resource of type `kind` that hold its children: the property's name and the child's type segment, as Azure
/// writes them.
pub fn child_lists(kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own: &[(&str, &str)] = match kind {
        "microsoft.network/virtualnetworks" => &[("subnets", "subnets"), ("virtualNetworkPeerings", "virtualNetworkPeerings")],
        "microsoft.network/virtualhubs" => &[("virtualNetworkConnections", "hubVirtualNetworkConnections")],
        "microsoft.network/loadbalancers" => &[
            ("frontendIPConfigurations", "frontendIPConfigurations"),
            ("backendAddressPools", "backendAddressPools"),
            ("loadBalancingRules", "loadBalancingRules"),
            ("probes", "probes"),
            ("inboundNatRules", "inboundNatRules"),
            ("inboundNatPools", "inboundNatPools"),
            ("outboundRules", "outboundRules"),
        ],
        "microsoft.network/networksecuritygroups" => &[("securityRules", "securityRules")],
        "microsoft.network/routetables" => &[("routes", "routes")],
        "microsoft.network/privateendpoints" => &[("privateDnsZoneGroups", "privateDnsZoneGroups")],
        "microsoft.network/privatednszones" => &[("virtualNetworkLinks", "virtualNetworkLinks")],
        "microsoft.network/serviceendpointpolicies" => &[("serviceEndpointPolicyDefinitions", "serviceEndpointPolicyDefinitions")],
        "microsoft.sql/servers" => &[
            ("firewallRules", "firewallRules"),
            ("virtualNetworkRules", "virtualNetworkRules"),
            ("outboundFirewallRules", "outboundFirewallRules"),
        ],
        "microsoft.cache/redis" | "microsoft.synapse/workspaces" => &[("firewallRules", "firewallRules")],
        "microsoft.dbforpostgresql/servers" | "microsoft.dbformysql/servers" | "microsoft.dbformariadb/servers" => {
            &[("firewallRules", "firewallRules"), ("virtualNetworkRules", "virtualNetworkRules")]
        }
        "microsoft.dbforpostgresql/flexibleservers" | "microsoft.dbformysql/flexibleservers" => &[("firewallRules", "firewallRules")],
        _ => &[],
    };
    own.iter().copied().chain([("privateEndpointConnections", "privateEndpointConnections")])
}

/// The key of `map` that is `name` in any case.
pub(super) fn key_of<'a>(map: &'a Map<String, Value>, name: &'a str) -> Option<&'a str> {
    if map.contains_key(name) {
        return Some(name);
    }
    map.keys().map(String::as_str).find(|key| key.eq_ignore_ascii_case(name))
}
