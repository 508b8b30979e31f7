//! Networks behind other gateways: connections from gateway to gateway, and circuits that gateways share (GW-10, GW-12).

use crate::facts::Index;
use crate::facts::network::{Connection, ConnectionKind, GatewayKind};
use crate::model::{Prefix, Sym, Tri};
use crate::rules::gateway::suits;

/// The prefixes that connections of `gateway`, which stands in `vnet`, lead to in other networks: the gateway, the prefix, the network, and whether
/// it is surely there.
///
/// ```datalog
/// across(G, H) :- connection(_, "vnet2vnet", G, H, "yes", _), connection(_, "vnet2vnet", H, G, "yes", _),
///                 gateway(G, "vpn", _), gateway(H, "vpn", _).                                                   // between.1
/// across(G, H) :- connection(_, "expressroute", G, C, "yes", _), connection(_, "expressroute", H, C, "yes", _),
///                 gateway_remote_networks(G), gateway_remote_networks(H),
///                 gateway(G, "expressroute", _), gateway(H, "expressroute", _).                                 // between.2
/// ```
pub fn networks_behind(index: &Index, vnet: Sym, gateway: Sym) -> Vec<(Sym, Prefix, Sym, Tri)> {
    let mut out: Vec<(Sym, Prefix, Sym, Tri)> = Vec::new();
    for (other, sure, tells) in others(index, gateway) {
        for row in index.gateway_subnets.get(other) {
            let there = index.subnet.one(row.subnet).map_or(Sym::EMPTY, |subnet| subnet.vnet);
            if there == vnet {
                continue;
            }
            out.extend(index.vnet_prefixes.get(there).iter().map(|row| (gateway, row.prefix, there, sure)));
            // Networks that use the gateway there in transit: the gateway tells of them where routes are told at all.
            for spoke in spokes(index, there) {
                let alone = !uses_several(index, spoke);
                let sure = sure.and(if tells && alone { Tri::Yes } else { Tri::Maybe });
                let foreign = index.vnet_prefixes.get(spoke).iter().filter(|_| spoke != vnet);
                out.extend(foreign.map(|row| (gateway, row.prefix, there, sure)));
            }
        }
    }
    // Of two ways to one network the better counts.
    out.sort_by_key(|(here, prefix, there, sure)| (here.as_str(), *prefix, there.as_str(), std::cmp::Reverse(*sure)));
    out.dedup_by_key(|(here, prefix, there, _)| (*here, *prefix, *there));
    out
}

/// The gateways that connections lead to, how surely, and whether routes are told over them.
fn others(index: &Index, gateway: Sym) -> Vec<(Sym, Tri, bool)> {
    let mut found = Vec::new();
    // Only a VPN gateway has a tunnel to another: of others, and of those of an unknown kind, one of the two is not what it seems (SND-02).
    let suits = |id: Sym| index.gateway.one(id).is_none_or(|row| suits(ConnectionKind::VnetToVnet, row.kind));
    let told = |other: Sym| if suits(gateway) && suits(other) { Tri::Yes } else { Tri::Maybe };
    let up = |row: &Connection| row.connected.max(Tri::Maybe);
    let between = |row: &&Connection| row.kind == ConnectionKind::VnetToVnet;
    for mine in index.connections_by_gateway.get(gateway).iter().filter(between) {
        // Each of the two gateways needs a connection of its own (GW-10).
        let theirs = index.connections_by_gateway.get(mine.peer).iter().filter(between).find(|row| row.peer == gateway);
        let sure = theirs.map_or(Tri::Maybe, |row| up(row).and(up(mine)).and(told(mine.peer)));
        found.push((mine.peer, sure, mine.bgp && theirs.is_some_and(|row| row.bgp)));
    }
    for theirs in index.connections_by_peer.get(gateway).iter().filter(between) {
        if !found.iter().any(|(other, ..)| *other == theirs.gateway) {
            found.push((theirs.gateway, Tri::Maybe, theirs.bgp));
        }
    }
    let circuit = |row: &&Connection| row.kind == ConnectionKind::ExpressRoute;
    let open = |gateway: Sym| index.gateway_remote_networks.has(gateway);
    let is_circuit_gateway = |id: Sym| index.gateway.one(id).is_some_and(|row| row.kind == GatewayKind::ExpressRoute);
    for mine in index.connections_by_gateway.get(gateway).iter().filter(circuit) {
        for theirs in index.connections_by_peer.get(mine.peer).iter().filter(circuit) {
            if theirs.gateway == gateway || mine.peer.is_empty() || !is_circuit_gateway(theirs.gateway) {
                continue;
            }
            // The default of the flag is documented in two ways, and of two kinds of gateway on one circuit one is not what it seems (GW-12).
            let both = open(gateway) && open(theirs.gateway) && is_circuit_gateway(gateway);
            let allowed = if both { Tri::Yes } else { Tri::Maybe };
            found.push((theirs.gateway, allowed.and(up(mine)).and(up(theirs)), true));
        }
    }
    found
}

/// The networks that use the gateways of `vnet` in transit (PEER-08).
pub fn spokes(index: &Index, vnet: Sym) -> Vec<Sym> {
    let uses = index.peerings_by_remote.get(vnet).iter().filter(|side| side.use_remote_gateways);
    let offers = |spoke: Sym| index.peerings_by_vnet.get(vnet).iter().any(|side| side.remote == spoke && side.gateway_transit);
    let mut found: Vec<Sym> = uses.map(|side| side.vnet).filter(|spoke| offers(*spoke)).collect();
    Sym::sort(&mut found);
    found
}

/// Whether a network has several peerings by which it would use the gateways of others: Azure takes one of them (PEER-08).
fn uses_several(index: &Index, spoke: Sym) -> bool {
    let mut remotes = index.peerings_by_vnet.get(spoke).iter().filter(|side| side.use_remote_gateways).map(|side| side.remote);
    let first = remotes.next();
    remotes.any(|remote| Some(remote) != first)
}
