//! A network as its subnets see it, put together from the rows around it.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::network::{Connection, ConnectionKind, Gateway, LearnedRoute, Peering, PeeringPrefix};
use crate::model::{Prefix, Sym, Tri};
use crate::rules::gateway::{GatewayInput, GatewayRoutes, Link, offered, one_of};
use crate::rules::peering::{Joint, Peer, Remote, claimed, peer};
use crate::rules::route::{ManagerRoutes, Network};

/// The rows around one network.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Its address space.
    pub own: Vec<Prefix>,
    /// Its sides of its peerings.
    pub sides: Vec<Peering>,
    /// The other sides.
    pub reciprocal: Vec<Peering>,
    /// The recorded address spaces of its peers.
    pub recorded: Vec<PeeringPrefix>,
    /// Sides of peerings that nothing of IPv4 passes.
    pub only_v6: Vec<Sym>,
    /// The peers that are in the input.
    pub known: Vec<Sym>,
    /// Those of whose peerings the input lists all.
    pub listed: Vec<Sym>,
    /// Connected sides of others, where the network's own peerings are not in the input.
    pub claims: Vec<Peering>,
    /// Whether the export lacks the network's own list of peerings, and those of all others (M-03).
    pub untold: bool,
    /// The address spaces of the peers.
    pub remote_space: Vec<(Sym, Prefix)>,
    /// For each peer, the spaces of its own peers.
    pub beyond: Vec<(Sym, Arc<Spaces>)>,
    /// What its own gateways offer.
    pub gateway: GatewayRoutes,
    /// What the gateways of its peers offer.
    pub remote_gateways: Vec<(Sym, GatewayRoutes)>,
    /// What network managers join with it (PEER-14).
    pub managed: Vec<Peer>,
    /// What network managers may add to the tables of its subnets (RTE-24).
    pub manager_routes: ManagerRoutes,
    /// Resources of kinds that are not modelled and change its routes.
    pub clouds: Vec<Sym>,
    /// Whether something of a kind that is not modelled filters in it.
    pub filters_clouded: bool,
    /// Whether the network itself is in the input.
    pub in_input: bool,
}

/// The spaces of the peers of a network: of a hub thousands, which every one of its spokes looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spaces {
    /// With the network each belongs to. Sorted.
    rows: Vec<(Sym, Prefix)>,
    /// The addresses of all of them, in as few prefixes as there can be.
    all: Vec<Prefix>,
}

impl Spaces {
    /// Those of these rows.
    pub fn of(mut rows: Vec<(Sym, Prefix)>) -> Spaces {
        rows.sort_unstable();
        rows.dedup();
        let all = Prefix::aggregate(&rows.iter().map(|(_, prefix)| *prefix).collect());
        Spaces { rows, all }
    }

    /// The addresses of the others, and perhaps of the network's own space `own`.
    fn beside(&self, vnet: Sym, own: &[Prefix]) -> Vec<Prefix> {
        let from = self.rows.partition_point(|(of, _)| *of < vnet);
        let mut theirs = self.rows[from..].iter().take_while(|(of, _)| *of == vnet);
        if theirs.all(|(_, prefix)| own.iter().any(|own| own.contains(prefix))) {
            return self.all.clone();
        }
        Prefix::aggregate(&self.rows.iter().filter(|(of, _)| *of != vnet).map(|(_, prefix)| *prefix).collect())
    }
}

/// The network (PEER-02 to PEER-05, PEER-08, NSG-20).
pub fn assemble(vnet: Sym, around: &Around) -> Network {
    let mut own = around.own.clone();
    own.sort_unstable();
    own.dedup();
    // A hub has thousands of peers.
    let reciprocal = grouped(around.reciprocal.iter().map(|other| (other.vnet, *other)));
    let recorded = grouped(around.recorded.iter().map(|row| (row.peering, *row)));
    let space = grouped(around.remote_space.iter().copied());
    let (known, listed): (FxHashSet<Sym>, FxHashSet<Sym>) =
        (around.known.iter().copied().collect(), around.listed.iter().copied().collect());
    let mut peers: Vec<_> = around
        .sides
        .iter()
        .map(|side| {
            let reciprocal = reciprocal.get(&side.remote).map_or(&[][..], Vec::as_slice);
            let recorded = recorded.get(&side.peering).map_or(&[][..], Vec::as_slice);
            let space = space.get(&side.remote).map_or(&[][..], Vec::as_slice);
            let only_v6 = around.only_v6.contains(&side.peering) || reciprocal.iter().any(|other| around.only_v6.contains(&other.peering));
            let remote = match (known.contains(&side.remote), listed.contains(&side.remote)) {
                (false, _) => Remote::Missing,
                (true, false) => Remote::Unlisted,
                (true, true) => Remote::Listed,
            };
            peer(side, recorded, reciprocal, remote, space, only_v6)
        })
        .collect();
    let space_of = |vnet: Sym| space.get(&vnet).map_or(&[][..], Vec::as_slice);
    let claimed = |side: &Peering| claimed(side, space_of(side.vnet), around.only_v6.contains(&side.peering));
    peers.extend(around.claims.iter().map(claimed));
    peers.extend(around.untold.then(|| Peer::somebody(vnet)));
    join_managed(&mut peers, &around.managed);
    peers.sort_unstable();
    let mut beyond: Vec<Prefix> = peers
        .iter()
        .filter(|peer| peer.forwarded && peer.usable.hi())
        .flat_map(|peer| around.beyond.iter().filter(|(through, _)| *through == peer.vnet))
        .flat_map(|(_, spaces)| spaces.beside(vnet, &own))
        .collect();
    beyond.sort_unstable();
    beyond.dedup();
    let mut gateway = around.gateway.clone();
    if gateway.gateways.is_empty() {
        let lent: Vec<(Sym, GatewayRoutes)> =
            peers.iter().filter(|peer| peer.remote_gateway && peer.usable.hi()).map(|peer| (peer.peering, lent_by(peer, around))).collect();
        let missing = gateway.unknown_routes;
        if !lent.is_empty() {
            gateway = one_of(lent);
        }
        if !missing.is_empty() {
            gateway.unknown_routes = missing;
        }
    }
    let mut clouds = around.clouds.clone();
    // What belongs to a network without an address space nobody knows, nor what leads away from one that is not in the input (M-03).
    clouds.extend(Some(vnet).filter(|_| !around.in_input || own.is_empty()));
    Sym::sort(&mut clouds);
    Network {
        vnet,
        own,
        peers,
        beyond,
        gateway,
        manager_routes: around.manager_routes.clone(),
        clouded: clouds.first().copied().unwrap_or_default(),
        filters_clouded: around.filters_clouded,
        in_input: around.in_input,
    }
}

/// Rows by their key, in their order.
pub(super) fn grouped<R>(rows: impl Iterator<Item = (Sym, R)>) -> FxHashMap<Sym, Vec<R>> {
    let mut groups: FxHashMap<Sym, Vec<R>> = FxHashMap::default();
    rows.for_each(|(key, row)| groups.entry(key).or_default().push(row));
    groups
}

/// What the gateways of a peer offer to a network that uses them.
fn lent_by(peer: &Peer, around: &Around) -> GatewayRoutes {
    let offered = around.remote_gateways.iter().find(|(remote, _)| *remote == peer.vnet);
    let mut gateway = offered.map_or_else(GatewayRoutes::default, |(_, offered)| offered.clone());
    // Only where there is a gateway does Azure let a network use it: one that is not in the input may lead anywhere (PEER-08).
    if gateway.gateways.is_empty() && gateway.unknown_routes.is_empty() {
        gateway.unknown_routes = peer.vnet;
        gateway.as_next_hop = Tri::Maybe;
    }
    if !peer.usable.lo() {
        gateway.doubt();
    }
    gateway
}

/// Adds what a network manager joins: what it made of peerings is already there where the export is whole, and a peering takes precedence
/// over a connected group (PEER-12, PEER-14).
fn join_managed(peers: &mut Vec<Peer>, managed: &[Peer]) {
    let own = peers.clone();
    for link in managed {
        let same = own.iter().filter(|peer| peer.vnet == link.vnet);
        let stands = same.clone().map(|peer| peer.usable).max().unwrap_or(Tri::No);
        if link.joint == Joint::Peering && stands.hi() || stands.lo() {
            continue;
        }
        // A peering that is down beside one that a manager keeps up: one of the two is out of date.
        let usable = if same.count() > 0 && link.joint == Joint::Peering { link.usable.and(Tri::Maybe) } else { link.usable };
        peers.push(Peer { usable, whole: usable, ..link.clone() });
    }
}

/// The rows around the gateways of one network.
#[derive(Clone, Debug, Default)]
pub struct AroundGateways {
    /// The gateways.
    pub gateways: Vec<Gateway>,
    /// Their connections.
    pub connections: Vec<Connection>,
    /// Addresses behind peers: the peer and a prefix.
    pub behind: Vec<(Sym, Prefix)>,
    /// Peers that speak BGP.
    pub bgp_peers: Vec<Sym>,
    /// Local network gateways at the other end of connections, and default sites, that are in the input.
    pub known_sites: Vec<Sym>,
    /// Gateways at the other end that are in the input, with a place.
    pub known_gateways: Vec<Sym>,
    /// Addresses of point-to-site clients: the gateway and a prefix.
    pub clients: Vec<(Sym, Prefix)>,
    /// Default sites: the gateway and the site (RTE-20).
    pub default_sites: Vec<(Sym, Sym)>,
    /// Addresses from which peers speak BGP: the peer and an address.
    pub speaks_from: Vec<(Sym, IpAddr)>,
    /// Gateways of which somebody looked at what they learned.
    pub looked_at: Vec<Sym>,
    /// What those learned.
    pub learned: Vec<LearnedRoute>,
    /// Networks behind other gateways: the gateway here, a prefix, the network, whether it is surely there; `None` where that is not derived.
    pub networks: Option<Vec<(Sym, Prefix, Sym, Tri)>>,
    /// Route servers in the network.
    pub route_servers: Vec<Sym>,
    /// Gateways that stand in the network, or may, and are not in the input (SND-02).
    pub missing: Vec<Sym>,
    /// What the hubs of a virtual WAN give the network besides.
    pub hubs: GatewayRoutes,
}

/// What the gateways offer.
pub fn assemble_gateways(around: &AroundGateways) -> GatewayRoutes {
    let mut gateways = around.gateways.clone();
    gateways.sort_unstable();
    gateways.dedup();
    let inputs: Vec<GatewayInput<'_>> = gateways
        .iter()
        .map(|gateway| GatewayInput {
            gateway,
            connections: around
                .connections
                .iter()
                .filter(|connection| connection.gateway == gateway.gateway)
                .map(|connection| {
                    let behind = around.behind.iter().filter(|(peer, _)| *peer == connection.peer).map(|(_, prefix)| *prefix);
                    let default = around.default_sites.contains(&(gateway.gateway, connection.peer));
                    let everything = default.then(|| "0.0.0.0/0".parse().expect("a literal prefix"));
                    let behind = behind.chain(everything).collect();
                    let speaks_bgp = around.bgp_peers.contains(&connection.peer);
                    let between = connection.kind == ConnectionKind::VnetToVnet;
                    let known = if between { &around.known_gateways } else { &around.known_sites };
                    let speaks_from = around.speaks_from.iter().filter(|(peer, _)| *peer == connection.peer).map(|(_, ip)| *ip).collect();
                    Link { connection, behind, speaks_bgp, known: known.contains(&connection.peer), speaks_from }
                })
                .collect(),
            networks: around.networks.as_ref().map(|all| {
                all.iter().filter(|(here, ..)| *here == gateway.gateway).map(|(_, prefix, vnet, sure)| (*prefix, *vnet, *sure)).collect()
            }),
            clients: around.clients.iter().filter(|(of, _)| *of == gateway.gateway).map(|(_, prefix)| *prefix).collect(),
            learned: around
                .looked_at
                .contains(&gateway.gateway)
                .then(|| around.learned.iter().filter(|row| row.gateway == gateway.gateway).copied().collect()),
        })
        .collect();
    let mut out = offered(&inputs);
    // What the peers of a route server tell it is not in the input (NVA-11).
    let server = around.route_servers.iter().max_by_key(|server| std::cmp::Reverse(server.as_str()));
    out.unknown_routes = server.copied().unwrap_or(out.unknown_routes);
    if let Some(missing) = around.missing.iter().min_by_key(|gateway| gateway.as_str()) {
        out.unknown_routes = *missing;
        out.as_next_hop = Tri::Maybe;
    }
    // A default site that was not exported was not without its connection: where that leads, everything may go (RTE-20).
    let lost = |(gateway, site): &&(Sym, Sym)| {
        !around.known_sites.contains(site) && !around.connections.iter().any(|row| row.gateway == *gateway && row.peer == *site)
    };
    if let Some((_, site)) = around.default_sites.iter().filter(lost).min_by_key(|(_, site)| site.as_str()) {
        out.unknown_routes = *site;
    }
    out.routes.extend(&around.hubs.routes);
    out.routes.sort_unstable();
    out.routes.dedup();
    out.as_next_hop = out.as_next_hop.max(around.hubs.as_next_hop);
    if !around.hubs.unknown_routes.is_empty() {
        out.unknown_routes = around.hubs.unknown_routes;
    }
    out
}
