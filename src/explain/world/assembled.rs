//! Networks and route tables, put together from the tables for the rules that compile them.

use std::sync::Arc;

use crate::facts::Index;
use crate::facts::gap::PEERINGS;
use crate::facts::network::{GatewaySubnet, Peering};
use crate::model::{Prefix, Sym};
use crate::rules::between;
use crate::rules::gateway::{GATEWAY_SUBNET, GatewayRoutes, ends, may_stand_in, parent_of};
use crate::rules::manager;
use crate::rules::network::{Around, AroundGateways, Spaces, assemble, assemble_gateways};
use crate::rules::peering::claims;
use crate::rules::route::{Network, Table};

/// The network; `beyond` tells the spaces of the peers of others.
pub(super) fn network(index: &Index, vnet: Sym, beyond: &dyn Fn(Sym) -> Arc<Spaces>) -> Network {
    let mut around = Around { own: prefixes_of(index, vnet), gateway: gateways(index, vnet), ..Around::default() };
    for side in index.peerings_by_vnet.get(vnet) {
        let remote = side.remote;
        around.sides.push(*side);
        // A hub has many peers and its peers few: look on the side with fewer rows.
        let (there, here) = (index.peerings_by_vnet.get(remote), index.peerings_by_remote.get(vnet));
        let other = if there.len() < here.len() { there } else { here };
        around.reciprocal.extend(other.iter().filter(|row| row.vnet == remote && row.remote == vnet));
        around.recorded.extend(index.peering_prefixes.get(side.peering));
        let both = around.sides.last().into_iter().chain(&around.reciprocal).map(|row| row.peering);
        let only_v6: Vec<Sym> = both.filter(|peering| index.peering_only_v6.has(*peering)).collect();
        around.only_v6.extend(only_v6);
        if around.reciprocal.last().is_none_or(|other| other.vnet != remote) {
            around.reciprocal.extend(there.iter().filter(|row| row.is_nameless()));
        }
        around.known.extend(index.vnet.one(remote).map(|row| row.vnet));
        around.listed.extend(Some(remote).filter(|remote| lists_peerings(index, *remote)));
        around.remote_space.extend(prefixes_of(index, remote).into_iter().map(|prefix| (remote, prefix)));
        if side.forwarded {
            around.beyond.push((remote, beyond(remote)));
        }
        if side.use_remote_gateways {
            around.remote_gateways.push((remote, gateways(index, remote)));
        }
    }
    around.claims = claims_on(index, vnet);
    around.only_v6.extend(around.claims.iter().map(|side| side.peering).filter(|side| index.peering_only_v6.has(*side)));
    for side in around.claims.clone() {
        around.remote_space.extend(prefixes_of(index, side.vnet).into_iter().map(|prefix| (side.vnet, prefix)));
        around.beyond.push((side.vnet, beyond(side.vnet)));
        around.remote_gateways.push((side.vnet, gateways(index, side.vnet)));
    }
    around.managed = manager::links(index, vnet);
    for peer in around.managed.iter().filter(|peer| peer.remote_gateway) {
        around.remote_gateways.push((peer.vnet, gateways(index, peer.vnet)));
    }
    around.clouds = index.clouded.get(vnet).iter().filter(|row| row.what.as_str() == "routes").map(|row| row.resource).collect();
    around.clouds.extend(Some(manager::unread_routes(index, vnet)).filter(|resource| !resource.is_empty()));
    around.manager_routes = manager::routes(index, vnet);
    around.in_input = index.vnet.has(vnet);
    around.untold = !index.tells_peerings_of(vnet);
    around.filters_clouded = index.clouded.get(vnet).iter().any(|row| row.what.as_str() == "filters");
    assemble(vnet, &around)
}

/// Whether the input lists the peerings of the network, be it as an empty list (M-03).
fn lists_peerings(index: &Index, vnet: Sym) -> bool {
    let sides = index.peerings_by_vnet.get(vnet);
    if sides.iter().any(Peering::is_nameless) {
        return false;
    }
    !sides.is_empty() || index.child_type.get(vnet).iter().any(|row| row.kind.as_str() == PEERINGS)
}

/// The sides of others that one of the network's own may answer, where the input does not list those.
fn claims_on(index: &Index, vnet: Sym) -> Vec<Peering> {
    if lists_peerings(index, vnet) {
        return Vec::new();
    }
    claims(index.peerings_by_vnet.get(vnet), false, index.peerings_by_remote.get(vnet).iter().copied())
}

/// The spaces of the peers of `vnet`, also of those that it perhaps has, with the network each belongs to.
pub(super) fn spaces(index: &Index, vnet: Sym) -> Spaces {
    let mut out = Vec::new();
    for side in index.peerings_by_vnet.get(vnet) {
        let recorded = index.peering_prefixes.get(side.peering).iter().map(|row| row.prefix);
        out.extend(recorded.chain(prefixes_of(index, side.remote)).map(|prefix| (side.remote, prefix)));
    }
    for side in claims_on(index, vnet) {
        out.extend(prefixes_of(index, side.vnet).into_iter().map(|prefix| (side.vnet, prefix)));
    }
    out.extend(
        manager::links(index, vnet).into_iter().flat_map(|peer| peer.prefixes.into_iter().map(move |(prefix, _)| (peer.vnet, prefix))),
    );
    Spaces::of(out)
}

fn prefixes_of(index: &Index, vnet: Sym) -> Vec<Prefix> {
    index.vnet_prefixes.get(vnet).iter().map(|row| row.prefix).collect()
}

/// What the gateways that stand in the subnets of `vnet` offer.
fn gateways(index: &Index, vnet: Sym) -> GatewayRoutes {
    let mut around = AroundGateways::default();
    for subnet in index.subnets_by_vnet.get(vnet) {
        for row in index.gateways_by_subnet.get(subnet.subnet) {
            around.gateways.extend(index.gateway.get(row.gateway));
            around.missing.extend(Some(row.gateway).filter(|gateway| !index.gateway.has(*gateway)));
        }
        if subnet.name.as_str() == GATEWAY_SUBNET {
            let unplaced = |gateway: Sym| !index.gateway_subnets.has(gateway);
            let named = index.connection.rows().flat_map(ends).filter(|(gateway, _)| unplaced(*gateway)).map(|(_, source)| source);
            let own = index.gateway.rows().map(|row| row.gateway).filter(|gateway| unplaced(*gateway));
            around.missing.extend(named.chain(own).filter(|source| may_stand_in(*source, subnet)));
        }
    }
    // One whose subnet was not exported has a place there, and whatever that says of its routes is not known.
    let lost = index.gateway_subnets.rows().filter(|row| !index.subnet.has(row.subnet) && parent_of(row.subnet) == vnet);
    around.missing.extend(lost.map(|row| row.gateway));
    for gateway in &around.gateways {
        around.connections.extend(index.connections_by_gateway.get(gateway.gateway));
        around.default_sites.extend(index.gateway_default_sites.get(gateway.gateway).iter().map(|row| (row.gateway, row.site)));
        around.looked_at.extend(index.learned_routes.get(gateway.gateway).iter().map(|row| row.gateway));
        around.learned.extend(index.learned_route.get(gateway.gateway));
        around.clients.extend(index.gateway_client_pools.get(gateway.gateway).iter().map(|row| (row.gateway, row.prefix)));
    }
    let stated = around.default_sites.iter().map(|(_, site)| *site);
    around.known_sites.extend(stated.filter(|site| index.local_gateway.has(*site)));
    for connection in &around.connections {
        around.behind.extend(index.local_gateway_prefixes.get(connection.peer).iter().map(|row| (row.site, row.prefix)));
        around.speaks_from.extend(index.local_gateway_peers.get(connection.peer).iter().map(|row| (row.site, row.address)));
        let peer = index.local_gateway.get(connection.peer);
        around.bgp_peers.extend(peer.iter().filter(|site| site.bgp).map(|site| site.site));
        around.known_sites.extend(peer.iter().map(|site| site.site));
        // A network without an address space may have any (SND-04).
        let spaced =
            |vnet: Sym| index.vnet_prefixes.has(vnet) && between::spokes(index, vnet).iter().all(|spoke| index.vnet_prefixes.has(*spoke));
        let stands = |row: &GatewaySubnet| index.subnet.one(row.subnet).is_some_and(|subnet| spaced(subnet.vnet));
        if index.gateway.has(connection.peer) && index.gateway_subnets.get(connection.peer).iter().any(stands) {
            around.known_gateways.push(connection.peer);
        }
    }
    around.networks = Some(around.gateways.iter().flat_map(|row| between::networks_behind(index, vnet, row.gateway)).collect());
    for subnet in index.subnets_by_vnet.get(vnet) {
        around.route_servers.extend(index.route_servers_by_subnet.get(subnet.subnet).iter().map(|row| row.server));
    }
    around.hubs = crate::rules::hub::offered(index, vnet);
    assemble_gateways(&around)
}

pub(super) fn table_input(index: &Index, table: Sym) -> Table {
    if table.is_empty() {
        return Table::None;
    }
    match index.route_table.one(table) {
        None => Table::Missing(table),
        Some(_) if !index.tells_routes_of(table) => Table::Missing(table),
        Some(row) => {
            let mut routes = index.routes.get(table).to_vec();
            routes.sort_unstable();
            let overrides = index.route_bgp_overrides.get(table).iter().map(|row| (row.route, row.wins)).collect();
            Table::Known { table, gateway_routes: row.gateway_routes, routes, overrides }
        }
    }
}
