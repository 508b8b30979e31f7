//! Virtual network gateways, their connections, and the sites they lead to.

use serde_json::Value;

use crate::facts::extract::out::{Out, get, is_set, properties};
use crate::facts::network::{
    CircuitPublicPrefix, Connection, ConnectionKind, ConnectionLimit, DevicePublicIp, Gateway, GatewayClientPool, GatewayDefaultSite,
    GatewayKind, GatewayRemoteNetworks, GatewaySubnet, LocalGateway, LocalGatewayPeer, LocalGatewayPrefix,
};
use crate::model::{Sym, Tri};

/// `microsoft.network/virtualnetworkgateways`.
pub(super) fn gateway<'a>(out: &mut Out<'a>, body: &'a Value) {
    let gateway = out.id();
    let kind = out.word(body, "gatewayType", GatewayKind::parse, GatewayKind::Unknown).unwrap_or(GatewayKind::Unknown);
    let bgp = out.flag(body, "enableBgp").unwrap_or(false);
    out.fact(Gateway { gateway, kind, bgp });
    for configuration in out.objects(body, "ipConfigurations") {
        let body = properties(configuration);
        if let Some(subnet) = out.link(body, "subnet") {
            out.fact(GatewaySubnet { gateway, subnet });
        }
        if let Some(public_ip) = out.named(body, "publicIPAddress") {
            out.fact(DevicePublicIp { device: gateway, public_ip });
        }
    }
    if let Some(clients) = out.object(body, "vpnClientConfiguration") {
        // Groups of clients have pools of their own; who is in which is not modelled.
        let groups = out.objects(clients, "vngClientConnectionConfigurations").iter().map(properties);
        for clients in groups.chain([clients]).collect::<Vec<_>>() {
            let pool = out.object(clients, "vpnClientAddressPool");
            // Azure names the protocols of a gateway without clients too; who says how they prove who they are has some.
            if pool.is_none_or(|pool| get(pool, "addressPrefixes").is_none()) && (pool.is_some() || admits_clients(clients)) {
                out.lacks("vpnClientConfiguration.vpnClientAddressPool.addressPrefixes");
            }
            for prefix in pool.map(|pool| out.prefixes(pool, "addressPrefixes")).unwrap_or_default() {
                out.fact(GatewayClientPool { gateway, prefix });
            }
        }
        out.not_modelled(clients, "properties.vpnClientConfiguration.", &["vngClientConnectionConfigurations"]);
    }
    if let Some(site) = out.binding(body, "gatewayDefaultSite") {
        out.fact(GatewayDefaultSite { gateway, site });
    }
    if out.flag(body, "allowRemoteVnetTraffic").unwrap_or(false) {
        out.fact(GatewayRemoteNetworks { gateway });
    }
    out.object(body, "customRoutes");
    out.items(body, "natRules");
    // Networks of a virtual WAN on the same circuit are among the routes that a circuit's gateway learns, none of which the export holds.
    out.not_modelled(body, "properties.", &["customRoutes", "natRules"]);
}

/// Whether a configuration says by what clients are let in.
fn admits_clients(clients: &Value) -> bool {
    ["vpnClientRootCertificates", "radiusServerAddress", "radiusServers", "aadTenant"].iter().any(|by| get(clients, by).is_some_and(is_set))
}

/// `microsoft.network/expressroutecircuits`: what its Microsoft peering shows outside (GW-15).
pub(super) fn circuit<'a>(out: &mut Out<'a>, body: &'a Value) {
    let circuit = out.id();
    for peering in out.objects(body, "peerings") {
        shown(out, circuit, properties(peering));
    }
}

/// `microsoft.network/expressroutecircuits/peerings`.
pub(super) fn circuit_peering<'a>(out: &mut Out<'a>, body: &'a Value) {
    let circuit = out.parent();
    shown(out, circuit, body);
}

fn shown<'a>(out: &mut Out<'a>, circuit: Sym, peering: &'a Value) {
    let is = |text: Option<&str>, word: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(word));
    if !is(out.text(peering, "peeringType"), "MicrosoftPeering") || is(out.text(peering, "state"), "Disabled") {
        return;
    }
    if let Some(config) = out.object(peering, "microsoftPeeringConfig") {
        for prefix in out.prefixes(config, "advertisedPublicPrefixes") {
            out.fact(CircuitPublicPrefix { circuit, prefix });
        }
    }
}

/// `microsoft.network/connections` (GW-02, GW-03).
pub(super) fn connection<'a>(out: &mut Out<'a>, body: &'a Value) {
    let connection = out.id();
    let kind = out.word(body, "connectionType", ConnectionKind::parse, ConnectionKind::Unknown).unwrap_or(ConnectionKind::Unknown);
    let gateway = out.link(body, "virtualNetworkGateway1").unwrap_or_default();
    let peers = ["localNetworkGateway2", "virtualNetworkGateway2", "peer"];
    let peer = peers.iter().find_map(|name| out.link(body, name)).unwrap_or_default();
    for (end, missing) in [("virtualNetworkGateway1", gateway.is_empty()), ("the other end", peer.is_empty())] {
        // The clients of a point-to-site connection are no resource.
        if missing && kind != ConnectionKind::VpnClient {
            out.gap(format!("{end} of the connection is not known"));
        }
    }
    let connected = match out.text(body, "connectionStatus") {
        Some(status) if status.eq_ignore_ascii_case("Connected") => Tri::Yes,
        Some(status) if status.eq_ignore_ascii_case("NotConnected") => Tri::No,
        _ => Tri::Maybe,
    };
    let bgp = out.flag(body, "enableBgp").unwrap_or(false);
    let limits =
        ["ingressNatRules", "egressNatRules", "trafficSelectorPolicies", "usePolicyBasedTrafficSelectors", "expressRouteGatewayBypass"];
    // What translates or restricts the traffic of a connection leaves all of it unproven (GW-14).
    let lists = ["ingressNatRules", "egressNatRules", "trafficSelectorPolicies"];
    for list in lists {
        out.items(body, list);
    }
    let switches = ["usePolicyBasedTrafficSelectors", "expressRouteGatewayBypass"];
    let off: Vec<&str> = switches.into_iter().filter(|switch| out.flag(body, switch) == Some(false)).collect();
    let set: Vec<&str> = limits.into_iter().filter(|name| !off.contains(name) && get(body, name).is_some_and(is_set)).collect();
    let connected = if set.is_empty() { connected } else { Tri::Maybe };
    out.fact(Connection { connection, kind, gateway, peer, connected, bgp });
    for name in set {
        out.fact(ConnectionLimit { connection, property: Sym::new(name) });
    }
    let limits: Vec<&str> = limits.into_iter().filter(|name| !off.contains(name)).collect();
    out.not_modelled(body, "properties.", &limits);
}

/// `microsoft.network/localnetworkgateways`.
pub(super) fn local_gateway<'a>(out: &mut Out<'a>, body: &'a Value) {
    let site = out.id();
    let settings = out.object(body, "bgpSettings");
    out.fact(LocalGateway { site, bgp: settings.is_some_and(is_set) });
    if let Some(address) = settings.and_then(|settings| out.address(settings, "bgpPeeringAddress")) {
        out.fact(LocalGatewayPeer { site, address });
    }
    // A site says which addresses it has, be it none: they were left out on the way.
    if get(body, "localNetworkAddressSpace").is_none_or(|space| space.is_object() && get(space, "addressPrefixes").is_none()) {
        out.lacks("localNetworkAddressSpace");
    }
    if let Some(space) = out.object(body, "localNetworkAddressSpace") {
        for prefix in out.prefixes(space, "addressPrefixes") {
            out.fact(LocalGatewayPrefix { site, prefix });
        }
    }
}
