//! What a virtual network gateway gives its network: routes to sites on premises.

use std::net::IpAddr;

use crate::facts::Index;
use crate::facts::network::{Connection, ConnectionKind, Gateway, GatewayKind, LearnedRoute, Subnet};
use crate::model::{Prefix, Sym, Tri, ids};

/// What the gateways of one network offer to it and to those who may use them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayRoutes {
    /// The gateways, sorted by name; empty where the network has none.
    pub gateways: Vec<Sym>,
    /// Whether a UDR may name it as next hop: yes for VPN alone, maybe with ExpressRoute in play, no without any gateway (RTE-16).
    pub as_next_hop: Tri,
    /// Prefixes, the site behind each, and whether the route is surely there (GW-03).
    pub routes: Vec<(Prefix, Sym, Tri)>,
    /// A gateway or connection whose routes are not in the input: anything could be behind it (GW-04). Empty: none.
    pub unknown_routes: Sym,
    /// The peerings that would each lend gateways: of several one holds at most, and which of them is not known (PEER-08). Empty: no such choice.
    pub lent_by_one_of: Vec<Sym>,
}

impl GatewayRoutes {
    /// Nothing of it is sure any more.
    pub fn doubt(&mut self) {
        self.as_next_hop = self.as_next_hop.min(Tri::Maybe);
        self.routes.iter_mut().for_each(|route| route.2 = route.2.min(Tri::Maybe));
    }

    /// What is behind the addresses of a block, as far as nothing tells them apart: what has the longest prefix that holds all of it.
    fn behind(&self, block: Prefix) -> impl Iterator<Item = Sym> {
        let holding = move || self.routes.iter().filter(move |(prefix, ..)| prefix.contains(&block));
        let longest = holding().map(|(prefix, ..)| prefix.prefix_len()).max();
        holding().filter(move |(prefix, ..)| Some(prefix.prefix_len()) == longest).map(|(_, site, _)| *site)
    }

    /// Whether the input has no gateway and no route of one: what leads to one all the same leads nobody knows where.
    pub fn is_empty(&self) -> bool {
        self.gateways.is_empty() && self.routes.is_empty()
    }
}

/// What one of several peerings lends: what any of them would is possible, and nothing is sure (PEER-08, CNV-05).
pub fn one_of(mut lent: Vec<(Sym, GatewayRoutes)>) -> GatewayRoutes {
    // Of those that lend the same the first by name stands for all.
    lent.sort_by_key(|(peering, _)| peering.as_str());
    let mut apart: Vec<(Sym, GatewayRoutes)> = Vec::new();
    for (peering, offer) in lent {
        if apart.iter().all(|(_, other)| *other != offer) {
            apart.push((peering, offer));
        }
    }
    let lent = match <[_; 1]>::try_from(apart) {
        Ok([(_, only)]) => return only,
        Err(several) => several,
    };
    let mut out = GatewayRoutes { lent_by_one_of: lent.iter().map(|(peering, _)| *peering).collect(), ..GatewayRoutes::default() };
    out.gateways = lent.iter().flat_map(|(_, offer)| offer.gateways.iter().copied()).collect();
    Sym::sort(&mut out.gateways);
    out.gateways.dedup();
    out.as_next_hop = lent.iter().map(|(_, offer)| offer.as_next_hop).max().unwrap_or(Tri::No);
    let unknown = lent.iter().map(|(_, offer)| offer.unknown_routes).filter(|unknown| !unknown.is_empty());
    out.unknown_routes = unknown.min_by_key(|unknown| unknown.as_str()).unwrap_or_default();
    // Where one has a longer prefix than another, that other has what it has there by its shorter one.
    for (block, ..) in lent.iter().flat_map(|(_, offer)| &offer.routes) {
        let there = lent.iter().flat_map(|(_, offer)| offer.behind(*block));
        out.routes.extend(there.map(|site| (*block, site, Tri::Maybe)));
    }
    out.routes.sort_unstable();
    out.routes.dedup();
    out.doubt();
    out
}

/// One gateway with its connections, and for each the addresses behind the peer.
pub struct GatewayInput<'a> {
    /// The gateway.
    pub gateway: &'a Gateway,
    /// Its connections.
    pub connections: Vec<Link<'a>>,
    /// Addresses of its point-to-site clients.
    pub clients: Vec<Prefix>,
    /// Networks behind other gateways, with their addresses; `None` where that is not derived.
    pub networks: Option<Vec<(Prefix, Sym, Tri)>>,
    /// What it learned by BGP; `None` where nobody looked.
    pub learned: Option<Vec<LearnedRoute>>,
}

/// A connection and what is known of its peer.
pub struct Link<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// The prefixes behind the peer.
    pub behind: Vec<Prefix>,
    /// The peer speaks BGP.
    pub speaks_bgp: bool,
    /// The peer is in the input; what is behind one that is not, nobody knows (SND-04).
    pub known: bool,
    /// The addresses from which the peer speaks BGP, as far as that is told.
    pub speaks_from: Vec<IpAddr>,
}

impl Link<'_> {
    /// Whether routes may be learned over the connection.
    pub fn learns(&self, gateway: &Gateway) -> bool {
        let Connection { kind, bgp, .. } = self.connection;
        match kind {
            ConnectionKind::Ipsec => *bgp || gateway.bgp && self.speaks_bgp || !self.known,
            ConnectionKind::VnetToVnet => *bgp,
            ConnectionKind::ExpressRoute | ConnectionKind::Unknown => true,
            ConnectionKind::VpnClient => false,
        }
    }
}

/// A connection with what the input tells of the site at its other end.
pub fn link<'a>(index: &Index, connection: &'a Connection) -> Link<'a> {
    let peer = connection.peer;
    let site = index.local_gateway.one(peer);
    let behind = index.local_gateway_prefixes.get(peer).iter().map(|row| row.prefix).collect();
    let speaks_from = index.local_gateway_peers.get(peer).iter().map(|row| row.address).collect();
    Link { connection, behind, speaks_bgp: site.is_some_and(|site| site.bgp), known: site.is_some(), speaks_from }
}

/// Who told a gateway a route that it learned (GW-04).
pub enum Teller<'l, 'a> {
    /// The other instance of the gateway, which has it from outside: whose it is stands there.
    Repeats,
    /// Nobody who is in the input.
    Nobody,
    /// Whoever is at the other end of one of these.
    Perhaps(Vec<&'l Link<'a>>),
    /// Whoever is at the other end of this one.
    Surely(&'l Link<'a>),
}

/// Who told a gateway a route, one of all that it learned: whoever speaks from the address that it came from, else one of those of whom the gateway learns any.
/// Where each of them says that it speaks from elsewhere, it was none of them.
pub fn teller<'l, 'a>(route: &LearnedRoute, all: &[LearnedRoute], gateway: &Gateway, links: &'l [Link<'a>]) -> Teller<'l, 'a> {
    let outside = |row: &LearnedRoute| row.origin.as_str() == EXTERNAL;
    if !outside(route) {
        let repeats = all.iter().any(|other| other.prefix == route.prefix && outside(other));
        return if repeats { Teller::Repeats } else { Teller::Nobody };
    }
    let listening: Vec<&Link<'_>> = links.iter().filter(|link| link.learns(gateway)).collect();
    let of_peer = |link: &&Link<'_>| route.peer.is_some_and(|peer| link.speaks_from.contains(&peer));
    let named: Vec<&Link<'_>> = listening.iter().copied().filter(of_peer).collect();
    let elsewhere = route.peer.is_some() && listening.iter().all(|link| !link.speaks_from.is_empty());
    let from = match () {
        () if !named.is_empty() => named,
        () if elsewhere => Vec::new(),
        () => listening,
    };
    match from.as_slice() {
        [] => Teller::Nobody,
        [one] => Teller::Surely(one),
        _ => Teller::Perhaps(from),
    }
}

/// What a gateway learned from beyond a connection, in Azure's word.
const EXTERNAL: &str = "ebgp";

/// Whether gateways of the kind have such connections.
pub fn suits(connection: ConnectionKind, gateway: GatewayKind) -> bool {
    match connection {
        ConnectionKind::Ipsec | ConnectionKind::VnetToVnet | ConnectionKind::VpnClient => gateway == GatewayKind::Vpn,
        ConnectionKind::ExpressRoute => gateway == GatewayKind::ExpressRoute,
        ConnectionKind::Unknown => gateway != GatewayKind::Unknown,
    }
}

/// The name of the subnet that virtual network gateways stand in, in lower case (ADR-10).
pub const GATEWAY_SUBNET: &str = "gatewaysubnet";

/// The gateways that a connection names, each with what to call it: itself, or the connection where the name is not known.
pub fn ends(connection: &Connection) -> impl Iterator<Item = (Sym, Sym)> {
    let far = (connection.kind == ConnectionKind::VnetToVnet).then_some(connection.peer);
    let source = connection.connection;
    std::iter::once(connection.gateway).chain(far).map(move |gateway| (gateway, if gateway.is_empty() { source } else { gateway }))
}

/// Whether a gateway that is not in the input, and of which nobody says where it stands, may stand in the subnet: gateways stand in subnets of one name, in
/// networks of their own subscription.
pub fn may_stand_in(gateway: Sym, subnet: &Subnet) -> bool {
    let subscription = |id: Sym| ids::id_parts(id.as_str()).subscription;
    let (theirs, ours) = (subscription(gateway), subscription(subnet.vnet));
    subnet.name.as_str() == GATEWAY_SUBNET && (theirs == ours || theirs.is_empty() || ours.is_empty())
}

/// The network that a subnet's id says it is in.
pub fn parent_of(subnet: Sym) -> Sym {
    ids::parent_id(subnet.as_str()).map_or(Sym::EMPTY, Sym::new)
}

/// The routes that the gateways of one network offer.
///
/// ```datalog
/// behind(G, P, S) :- connection(_, "ipsec", G, S, "yes", _), local_gateway_prefix(S, P).                                       // gateway.1
/// behind(G, P, S) :- learned_route(G, P, "ebgp", A), local_gateway_peer(S, A), connection(_, "ipsec", G, S, "yes", _).         // gateway.11
/// ```
pub fn offered(gateways: &[GatewayInput<'_>]) -> GatewayRoutes {
    let mut out = GatewayRoutes::default();
    for input in gateways {
        let gateway = input.gateway;
        out.gateways.push(gateway.gateway);
        let sure_hop = if gateway.kind == GatewayKind::Vpn { Tri::Yes } else { Tri::Maybe };
        out.as_next_hop = if out.gateways.len() == 1 { sure_hop } else { out.as_next_hop.min(sure_hop).max(Tri::Maybe) };
        let circuits = gateway.kind == GatewayKind::ExpressRoute && input.learned.is_some();
        if gateway.kind != GatewayKind::Vpn && !circuits {
            out.unknown_routes = gateway.gateway;
        }
        // Only a VPN gateway has clients: of another, or of one of an unknown kind, that is not proven (SND-02).
        let passes = if suits(ConnectionKind::VpnClient, gateway.kind) { Tri::Yes } else { Tri::Maybe };
        out.routes.extend(input.networks.iter().flatten());
        out.routes.extend(input.clients.iter().map(|prefix| (*prefix, gateway.gateway, passes)));
        let sure = |connection: &Connection| match connection.kind {
            // Only a VPN gateway has such a connection: of another, or of one of an unknown kind, one of the two is not what it seems.
            ConnectionKind::Ipsec if gateway.kind == GatewayKind::Vpn => connection.connected.max(Tri::Maybe),
            ConnectionKind::ExpressRoute if circuits => connection.connected.max(Tri::Maybe),
            _ => Tri::Maybe,
        };
        for link @ Link { connection, behind, known, .. } in &input.connections {
            out.routes.extend(behind.iter().map(|prefix| (*prefix, connection.peer, sure(connection))));
            let told = match connection.kind {
                ConnectionKind::Ipsec => *known && (!link.learns(gateway) || input.learned.is_some()),
                ConnectionKind::VnetToVnet => *known && input.networks.is_some() && !connection.bgp,
                ConnectionKind::ExpressRoute => circuits,
                ConnectionKind::VpnClient | ConnectionKind::Unknown => false,
            };
            if !told {
                out.unknown_routes = connection.connection;
            }
        }
        let all = input.learned.as_deref().unwrap_or_default();
        for route in all {
            let (from, most) = match teller(route, all, gateway, &input.connections) {
                Teller::Repeats => continue,
                Teller::Nobody => {
                    out.unknown_routes = gateway.gateway;
                    continue;
                }
                Teller::Perhaps(links) => (links, Tri::Maybe),
                Teller::Surely(link) => (vec![link], Tri::Yes),
            };
            let sites = from.iter().filter(|link| matches!(link.connection.kind, ConnectionKind::Ipsec | ConnectionKind::ExpressRoute));
            out.routes.extend(sites.map(|link| (route.prefix, link.connection.peer, sure(link.connection).min(most))));
        }
    }
    Sym::sort(&mut out.gateways);
    out.routes.sort_unstable();
    out.routes.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// covers: GW-02, GW-03, GW-04
    #[test]
    fn a_connected_static_site_is_sure_and_bgp_is_not() {
        let gateway = Gateway { gateway: Sym::new("gw"), kind: GatewayKind::Vpn, bgp: true };
        let connection = |connected, bgp| Connection {
            connection: Sym::new("c"),
            kind: ConnectionKind::Ipsec,
            gateway: gateway.gateway,
            peer: Sym::new("hq"),
            connected,
            bgp,
        };
        let prefix: Prefix = "172.16.0.0/16".parse().unwrap();
        let offer = |connection: &Connection, known| {
            let link = Link { connection, behind: vec![prefix], speaks_bgp: false, known, speaks_from: vec![] };
            offered(&[GatewayInput { gateway: &gateway, connections: vec![link], clients: vec![], networks: None, learned: None }])
        };
        let routes = |connection: &Connection| offer(connection, true);
        let up = routes(&connection(Tri::Yes, false));
        assert_eq!((up.routes[0].2, up.unknown_routes), (Tri::Yes, Sym::EMPTY));
        assert_eq!(routes(&connection(Tri::No, false)).routes[0].2, Tri::Maybe);
        assert!(!routes(&connection(Tri::Yes, true)).unknown_routes.is_empty());
        assert!(!offer(&connection(Tri::Yes, false), false).unknown_routes.is_empty());
        assert!(offered(&[]).routes.is_empty());
    }

    #[test]
    fn of_several_peerings_that_lend_the_same_the_first_by_name_is_named_whatever_their_order() {
        let of = |gateway: &str| GatewayRoutes { gateways: vec![Sym::new(gateway)], ..GatewayRoutes::default() };
        let [first, second, third] = [("p1", of("a")), ("p2", of("b")), ("p3", of("a"))].map(|(peering, offer)| (Sym::new(peering), offer));
        let named = |lent: [&(Sym, GatewayRoutes); 3]| one_of(lent.map(Clone::clone).to_vec()).lent_by_one_of;
        for order in [[&first, &second, &third], [&third, &second, &first], [&third, &first, &second]] {
            assert_eq!(named(order), [first.0, second.0]);
        }
        assert!(one_of(vec![third, first.clone()]) == first.1);
    }
}
