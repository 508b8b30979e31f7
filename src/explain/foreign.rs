//! Networks outside the boundary that are joined to ours: whoever stands in them answers and asks.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};

use crate::explain::packet::{Host, Packet, Seen};
use crate::explain::point::places;
use crate::explain::walk::{Home, Target, Trail, Walk};
use crate::explain::way::{End, Way};
use crate::explain::world::World;
use crate::model::{Prefix, Set, Sym, Via, net};

/// The networks outside the boundary that packets of ours may get to, sorted: those that a network inside is peered with, and those of the input.
pub fn networks(world: &World<'_>) -> Vec<Sym> {
    let rows = world.index.peering.rows().filter(|row| world.ours(row.vnet) && !world.inside(row.remote));
    let known = world.index.vnet.rows().map(|row| row.vnet).filter(|vnet| !world.inside(*vnet));
    let mut found: Vec<Sym> = rows.map(|row| row.remote).chain(known).collect();
    Sym::sort(&mut found);
    found.dedup();
    found
}

/// The ways of bytes between a machine and a network outside: first those of flows that the machine opens to it, then those of flows that are opened to the
/// machine from there.
pub fn ways(world: &World<'_>, machine: End, network: Sym) -> [Vec<Way>; 2] {
    let hosts: Vec<Host> = places(world, machine).into_iter().flat_map(|(hosts, _)| hosts).collect();
    let (mut opened, mut taken) = (Vec::new(), Vec::new());
    for host in &hosts {
        let joined = joined(world, host.vnet, network);
        for address in addresses(world, host, network) {
            let out = Walk { home: Home::Network(host.vnet), ..walk(world, Target::Network(network)) };
            opened.extend(out.from(host, &Packet::new(Seen::At(host.ip), world.asgs_of(host.ip_config), address)));
            if !joined {
                continue; // who is further away comes by what packets to it pass as well
            }
            let into = Walk { home: Home::Network(network), ..walk(world, Target::Host(host.clone())) };
            let packet = Packet { dst_asgs: world.asgs_of(host.ip_config), ..Packet::new(Seen::At(address), Vec::new(), host.ip) };
            // What the peering lets through it lets through in both directions.
            let steps = into.peering_steps(host, network, &packet, &Trail::default());
            into.arrive(host, &packet, Trail { steps, ..Trail::default() }, Via::Peering, &mut taken);
        }
    }
    [opened, taken]
}

/// The ways of bytes from a network outside to a private endpoint in a network that it is peered with (PE-18, PE-20).
pub fn ways_to_endpoint(world: &World<'_>, network: Sym, endpoint: Sym) -> Vec<Way> {
    let Some(row) = world.index.private_endpoint.one(endpoint) else { return Vec::new() };
    let mut ways = Vec::new();
    for ip in world.endpoint_addresses(endpoint) {
        let host = Host::imagined(world, row.subnet, ip);
        if !joined(world, host.vnet, network) {
            continue;
        }
        for address in addresses(world, &host, network) {
            let walk = Walk { home: Home::Network(network), ..walk(world, Target::Anyone) };
            let packet = Packet::new(Seen::At(address), Vec::new(), ip);
            let steps = walk.peering_steps(&host, network, &packet, &Trail::default());
            walk.to_endpoint(endpoint, &packet, Trail { steps, ..Trail::default() }, Via::PrivateEndpoint, &mut ways);
        }
    }
    ways
}

fn joined(world: &World<'_>, ours: Sym, network: Sym) -> bool {
    world.network(ours).peers.iter().any(|peer| peer.vnet == network && peer.usable.hi())
}

fn walk<'w, 'a>(world: &'w World<'a>, target: Target) -> Walk<'w, 'a> {
    let home = Home::Internet; // the caller says where the sender is
    Walk { world, asked: Set::tcp_udp(), session: true, target, home, origin: None, sender: Sym::EMPTY, sources: RefCell::default() }
}

/// One address of the remote network for each part that the filters of ours tell apart: as the peering with it records them, else as any does or as the
/// network itself says.
fn addresses(world: &World<'_>, host: &Host, network: Sym) -> Vec<IpAddr> {
    let index = world.index;
    let ours = world.network(host.vnet);
    let peers = ours.peers.iter().filter(|peer| peer.vnet == network && peer.usable.hi());
    let recorded = peers.flat_map(|peer| &peer.prefixes).filter(|(_, sure)| sure.hi()).map(|(prefix, _)| *prefix);
    let mut prefixes: Vec<Prefix> = recorded.collect();
    if prefixes.is_empty() {
        let peerings = index.peerings_by_remote.get(network).iter();
        prefixes.extend(peerings.flat_map(|row| index.peering_prefixes.get(row.peering)).map(|row| row.prefix));
        prefixes.extend(index.vnet_prefixes.get(network).iter().map(|row| row.prefix));
        prefixes.sort_unstable();
        prefixes.dedup();
    }
    if prefixes.is_empty() && ours.peers.iter().any(|peer| peer.vnet == network && peer.usable.hi() && peer.open) {
        // Nobody tells which addresses it has: any may be one that no network of the input has (SND-04).
        let all = net::everything(net::host(host.ip));
        let told = |ip: IpAddr| index.vnet_prefixes.rows().any(|row| row.prefix.contains(&ip));
        return world.bounds().pieces(all.network(), all.broadcast(), |ip| is_of_a_network(ip) && !told(ip));
    }
    let near = prefixes.into_iter().filter(|prefix| prefix.addr().is_ipv4() == host.ip.is_ipv4());
    near.flat_map(|prefix| world.bounds().pieces(prefix.network(), prefix.broadcast(), |_| true)).collect()
}

/// Whether a network may have the address at all.
fn is_of_a_network(ip: IpAddr) -> bool {
    let reserved = |v4: Ipv4Addr| v4.octets()[0] == 0 || v4.is_link_local();
    !ip.is_unspecified() && !ip.is_loopback() && !net::is_many(ip) && !matches!(ip, IpAddr::V4(v4) if reserved(v4))
}
