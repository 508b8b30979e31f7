//! Which next hop wins: the effective routes of a network with a route table, and the choice for one destination.
//!
//! A [`Context`] is shared by every subnet with the same network and table. Routes of single private endpoints and of service
//! endpoints are not in it: they are looked at where such a destination is asked for.

use std::net::IpAddr;

use crate::facts::network::{HopKind, Route};
use crate::facts::platform::Platform;
use crate::facts::selector::{Selector, UNKNOWN_TAG};
use crate::model::{Prefix, Ranges, Sym, Tri, net};
use crate::rules::front_end_route::unions;
use crate::rules::gateway::GatewayRoutes;
use crate::rules::peering::{Joint, Peer};

/// What a network is to its subnets, whatever their route tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    /// The network.
    pub vnet: Sym,
    /// Its own address space.
    pub own: Vec<Prefix>,
    /// What its peerings give it.
    pub peers: Vec<Peer>,
    /// Address spaces of the peers of those peers that forward for others: perhaps in the tag `VirtualNetwork` (NSG-20).
    pub beyond: Vec<Prefix>,
    /// What its gateway, or the one it uses in a peered network, offers (RTE-04, PEER-08).
    pub gateway: GatewayRoutes,
    /// What network managers may add to the tables of its subnets (RTE-24).
    pub manager_routes: ManagerRoutes,
    /// Something of a kind that is not modelled gives the network routes; its id, else empty.
    pub clouded: Sym,
    /// Something of a kind that is not modelled filters in the network.
    pub filters_clouded: bool,
    /// The network itself is in the input.
    pub in_input: bool,
}

/// What network managers may add to the route tables of a network's subnets.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManagerRoutes {
    /// Routes, sorted; their table is the collection they stand in.
    pub routes: Vec<Route>,
    /// The tables may keep no routes of gateways.
    pub drops_gateway_routes: bool,
    /// A collection that may keep what stays in a subnet or the network from its other routes; else empty.
    pub stays_local: Sym,
}

impl ManagerRoutes {
    /// Whether they may be why another route, perhaps one that a gateway announces, does not count.
    pub fn unsettle(&self, announced: bool) -> bool {
        !self.routes.is_empty() || !self.stays_local.is_empty() || announced && self.drops_gateway_routes
    }
}

/// The route table of a subnet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// None is associated.
    None,
    /// The table, and whether it keeps the gateway's routes.
    Known {
        /// The table.
        table: Sym,
        /// `disableBgpRoutePropagation` is not set (RTE-04).
        gateway_routes: bool,
        /// Its routes.
        routes: Vec<Route>,
        /// Routes of which it is known whether they beat what gateways announce (RTE-11).
        overrides: Vec<(Sym, bool)>,
    },
    /// It is referenced and not in the input: any next hop is possible (SND-03).
    Missing(Sym),
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Hop {
    /// Delivered inside the network.
    Local,
    /// Delivered in the peered network.
    Peering(Sym),
    /// To the address of an appliance.
    Appliance(IpAddr),
    /// To the virtual network gateway.
    Gateway,
    /// To the internet or a public front end of Azure.
    Internet,
    /// Dropped.
    None,
    /// Not known: anywhere.
    Unknown,
}

/// Who put a route there, best first where prefixes are equal (RTE-08, RTE-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Origin {
    User,
    UserRegionalTag,
    UserServiceTag,
    UserRegionalCloudTag,
    UserCloudTag,
    Gateway,
    SystemLocal,
    SystemPeering,
    SystemGroup,
    SystemInternet,
    SystemNone,
}

impl Origin {
    /// Whether a person put it there.
    pub fn is_user(self) -> bool {
        self <= Origin::UserCloudTag
    }
    /// Local and peering routes of the platform beat gateway routes of any length (RTE-09).
    pub fn is_preferred(self) -> bool {
        matches!(self, Origin::SystemLocal | Origin::SystemPeering | Origin::SystemGroup)
    }
}

/// One effective route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// What it covers.
    pub prefix: Prefix,
    /// Who put it there.
    pub origin: Origin,
    /// Where it leads.
    pub hop: Hop,
    /// Whether it is surely there.
    pub sure: Tri,
    /// The route, peering, site or gateway it comes from; empty for a default of the platform.
    pub source: Sym,
    /// The prefix only bounds it: it may cover any longer prefix inside (an unknown service tag, unknown learned routes).
    pub open: bool,
}

/// The effective routes of every subnet with this network and route table, sorted by prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context {
    /// The network it belongs to.
    pub network: std::sync::Arc<Network>,
    /// The entries.
    pub entries: Vec<Entry>,
    /// The missing route table, or what else makes any next hop possible; empty where all is known.
    pub unknown: Sym,
    /// A gateway whose learned routes are not in the input, and whose routes this table keeps; else empty (GW-04).
    pub unknown_routes: Sym,
    /// Routes of which it is known whether they beat what gateways announce (RTE-11).
    pub overrides: Vec<(Sym, bool)>,
    /// Prefixes that UDRs surely put into the tag `VirtualNetwork` (NSG-20).
    pub tag_sure: Vec<Prefix>,
    /// Prefixes that UDRs or gateway routes perhaps put there.
    pub tag_maybe: Vec<Prefix>,
    /// All that is in the tag, as far as the routes are known.
    pub tag: VirtualNetwork,
    /// The lengths of the entries' prefixes, sorted; those of version 6 among them.
    pub lengths: Vec<u8>,
    /// The routes that are for a service tag, each with the tag and whether the route is surely there.
    pub by_tag: Vec<(Sym, Sym, Tri)>,
    /// Prefixes for which there is no route and which routes of one hop hold together, as if there were one.
    pub unions: Vec<Entry>,
}

/// What the tag `VirtualNetwork` holds on the subnets of a context (NSG-20, NSG-21).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualNetwork {
    /// The addresses surely in it.
    sure: Ranges,
    /// Those perhaps in it.
    maybe: Ranges,
    /// The prefixes in it that have public addresses, and whether surely: few, where there are any.
    pub public: Vec<(Prefix, Tri)>,
}

impl VirtualNetwork {
    pub(super) fn of(network: &Network, tag_sure: &[Prefix], tag_maybe: &[Prefix]) -> VirtualNetwork {
        let with = |sure: Tri| move |prefix: &Prefix| (*prefix, sure);
        let mut all: Vec<(Prefix, Tri)> = network.own.iter().chain(tag_sure).map(with(Tri::Yes)).collect();
        all.extend(tag_maybe.iter().chain(&network.beyond).map(with(Tri::Maybe)));
        for peer in network.peers.iter().filter(|peer| peer.own_access) {
            all.extend(peer.prefixes.iter().map(|(prefix, there)| (*prefix, peer.usable.and(*there))));
            if peer.open && peer.usable.hi() {
                all.extend(defaults().map(|prefix| (prefix, Tri::Maybe)));
            }
        }
        all.sort_unstable();
        all.dedup();
        let having = |sure: Tri| all.iter().filter(move |(_, known)| *known == sure).map(|(prefix, _)| prefix).collect();
        let public = all.iter().filter(|(prefix, sure)| sure.hi() && net::overlaps_public(prefix)).copied().collect();
        VirtualNetwork { sure: having(Tri::Yes), maybe: having(Tri::Maybe), public }
    }
}

/// The reserved ranges that lead nowhere unless something else is said (RTE-03).
pub const RESERVED: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/// The four reserved ranges.
pub fn reserved() -> impl Iterator<Item = Prefix> {
    RESERVED.iter().map(|text| text.parse().expect("a literal prefix"))
}

/// Everything, by family.
pub(super) fn defaults() -> [Prefix; 2] {
    [Prefix::V4(ipnet::Ipv4Net::default()), Prefix::V6(ipnet::Ipv6Net::default())]
}

/// Tables up to this length are walked; in longer ones each length of prefix is looked for.
const FEW: usize = 64;

impl Context {
    /// Builds the table (RTE-01 to RTE-06, RTE-15 to RTE-18).
    ///
    /// ```datalog
    /// local_route(V, P)       :- vnet_prefix(V, P).                                        // route.1
    /// peering_route(V, P, W)  :- joined(V, W), vnet_prefix(W, P).                          // route.2
    /// user_route(S, P, H)     :- subnet_route_table(S, T), route(_, T, P, H, _).           // route.3
    /// ```
    pub fn new(network: std::sync::Arc<Network>, table: &Table, platform: &Platform) -> Context {
        let mut context = Context {
            entries: Vec::new(),
            unknown: network.clouded,
            unknown_routes: Sym::EMPTY,
            overrides: Vec::new(),
            tag_sure: Vec::new(),
            tag_maybe: Vec::new(),
            tag: VirtualNetwork::default(),
            lengths: Vec::new(),
            by_tag: Vec::new(),
            unions: Vec::new(),
            network,
        };
        context.add_system_routes();
        context.add_gateway_routes(match table {
            Table::Known { gateway_routes: false, .. } => Tri::No,
            // Whether a table that is not in the input keeps them is not known either (SND-03).
            Table::Missing(_) => Tri::Maybe,
            Table::None | Table::Known { .. } if context.network.manager_routes.drops_gateway_routes => Tri::Maybe,
            Table::None | Table::Known { .. } => Tri::Yes,
        });
        match table {
            Table::None => {}
            Table::Missing(table) => context.unknown = *table,
            Table::Known { routes, overrides, .. } => {
                context.overrides.clone_from(overrides);
                context.overrides.sort_unstable();
                routes.iter().for_each(|route| context.add_user_route(route, Tri::Yes, platform));
            }
        }
        context.add_manager_routes(table, platform);
        context.tag_gateway_routes();
        context.add_reserved();
        context.settle();
        context
    }

    /// Puts the entries in order, and derives from them what is looked up often.
    pub(super) fn settle(&mut self) {
        self.entries.sort_unstable();
        self.entries.dedup();
        self.lengths = self.entries.iter().map(|e| e.prefix.prefix_len()).collect();
        self.lengths.sort_unstable();
        self.lengths.dedup();
        self.by_tag.sort_unstable();
        self.by_tag.dedup();
        self.unions = unions(&self.entries);
        self.tag = VirtualNetwork::of(&self.network, &self.tag_sure, &self.tag_maybe);
    }

    pub(super) fn push(&mut self, prefix: Prefix, origin: Origin, hop: Hop, sure: Tri, source: Sym) {
        self.entries.push(Entry { prefix, origin, hop, sure, source, open: false });
    }

    fn add_system_routes(&mut self) {
        let network = self.network.clone();
        for prefix in &network.own {
            self.push(*prefix, Origin::SystemLocal, Hop::Local, Tri::Yes, Sym::EMPTY);
        }
        for peer in &network.peers {
            for (prefix, sure) in &peer.prefixes {
                let sure = peer.usable.and(*sure);
                if sure.hi() {
                    let origin = if peer.joint == Joint::Group { Origin::SystemGroup } else { Origin::SystemPeering };
                    self.push(*prefix, origin, Hop::Peering(peer.vnet), sure, peer.peering);
                }
            }
            if peer.open && peer.usable.hi() {
                let origin = if peer.joint == Joint::Group { Origin::SystemGroup } else { Origin::SystemPeering };
                let anything =
                    |prefix| Entry { prefix, origin, hop: Hop::Peering(peer.vnet), sure: Tri::Maybe, source: peer.peering, open: true };
                self.entries.extend(defaults().map(anything));
            }
        }
        for prefix in defaults() {
            self.push(prefix, Origin::SystemInternet, Hop::Internet, Tri::Yes, Sym::EMPTY);
        }
    }

    /// Static sites and learned routes; a table with propagation off keeps none of them (RTE-04).
    fn add_gateway_routes(&mut self, kept: Tri) {
        let network = self.network.clone();
        let prefixes = network.gateway.routes.iter().map(|(prefix, _, _)| *prefix);
        if kept == Tri::No {
            self.tag_maybe.extend(prefixes);
            if !network.gateway.unknown_routes.is_empty() {
                self.tag_maybe.extend(defaults());
            }
            return;
        }
        for (prefix, site, sure) in &network.gateway.routes {
            let sure = sure.and(kept);
            self.push(*prefix, Origin::Gateway, Hop::Gateway, sure, *site);
        }
        self.unknown_routes = network.gateway.unknown_routes;
        if !self.unknown_routes.is_empty() {
            self.tag_maybe.extend(defaults());
        }
    }

    /// Gateway routes that are in effect put their prefixes into the tag. One that a route of the same prefix takes the place of is not (RTE-10):
    /// it does perhaps (NSG-20).
    fn tag_gateway_routes(&mut self) {
        let peers = &self.network.peers;
        let unseen = || peers.iter().filter(|peer| !peer.own_access && peer.usable.hi());
        let of_peer = |prefix: &Prefix| unseen().any(|peer| peer.open || peer.prefixes.iter().any(|(there, _)| there == prefix));
        let of_user = |prefix: &Prefix| {
            let users = self.entries.iter().filter(|e| e.origin.is_user() && e.sure.hi());
            users.into_iter().any(|e| e.prefix == *prefix || e.open && e.prefix.contains(prefix))
        };
        let gateway = self.entries.iter().filter(|e| e.origin == Origin::Gateway);
        let (sure, maybe): (Vec<&Entry>, Vec<&Entry>) = gateway.partition(|e| e.sure.lo() && !of_user(&e.prefix) && !of_peer(&e.prefix));
        let prefixes = |entries: Vec<&Entry>| entries.into_iter().map(|e| e.prefix).collect::<Vec<Prefix>>();
        let (sure, maybe) = (prefixes(sure), prefixes(maybe));
        self.tag_sure.extend(sure);
        self.tag_maybe.extend(maybe);
    }

    /// What a network manager may put into the table; of one destination the table's own route stands (RTE-24).
    fn add_manager_routes(&mut self, table: &Table, platform: &Platform) {
        let network = self.network.clone();
        let own: &[Route] = if let Table::Known { routes, .. } = table { routes } else { &[] };
        for route in &network.manager_routes.routes {
            if !own.iter().any(|known| known.destination == route.destination) {
                self.add_user_route(route, Tri::Maybe, platform);
            }
        }
        let source = network.manager_routes.stays_local;
        if !source.is_empty() {
            let stays = |prefix| Entry { prefix, origin: Origin::User, hop: Hop::Local, sure: Tri::Maybe, source, open: true };
            self.entries.extend(network.own.iter().copied().map(stays));
        }
    }

    /// A route that is there as surely as `there` says.
    pub(super) fn add_user_route(&mut self, route: &Route, there: Tri, platform: &Platform) {
        let hops: Vec<(Hop, Tri)> = match (route.hop, route.hop_address) {
            (HopKind::VnetLocal, _) => vec![(Hop::Local, Tri::Yes)],
            (HopKind::Internet, _) => vec![(Hop::Internet, Tri::Yes)],
            (HopKind::None, _) => vec![(Hop::None, Tri::Yes)],
            (HopKind::VirtualAppliance, Some(address)) => vec![(Hop::Appliance(address), Tri::Yes)],
            (HopKind::VirtualAppliance | HopKind::Unknown, _) => vec![(Hop::Unknown, Tri::Yes)],
            (HopKind::VirtualNetworkGateway, _) => match self.network.gateway.as_next_hop {
                Tri::Yes => vec![(Hop::Gateway, Tri::Yes)],
                Tri::No => vec![(Hop::None, Tri::Yes)],
                Tri::Maybe => vec![(Hop::None, Tri::Yes), (Hop::Gateway, Tri::Yes)],
            },
        };
        for selector in route.destination.items() {
            if let Selector::Tag(tag) = selector {
                self.by_tag.push((route.route, tag, there));
            }
            let (origin, prefixes) = match selector {
                Selector::Prefix(prefix) => (Origin::User, vec![(prefix, Tri::Yes)]),
                Selector::Any => (Origin::User, defaults().map(|p| (p, Tri::Yes)).to_vec()),
                Selector::Tag(tag) => (tag_origin(tag), tag_prefixes(tag, platform)),
                Selector::Asg(_) => (Origin::User, Vec::new()), // an ASG is no destination of a route; extraction reports it
            };
            for (prefix, known) in prefixes {
                for (hop, sure) in &hops {
                    let (sure, open) = (known.and(*sure).and(there), known == Tri::Maybe);
                    self.entries.push(Entry { prefix, origin, hop: *hop, sure, source: route.route, open });
                }
                match route.hop {
                    HopKind::VirtualAppliance | HopKind::VirtualNetworkGateway if origin == Origin::User && there.lo() => {
                        self.tag_sure.push(prefix);
                    }
                    HopKind::Internet => {}
                    _ => self.tag_maybe.push(prefix),
                }
            }
        }
    }

    /// The reserved ranges lead nowhere, unless the network holds them or a default route of somebody else takes them (RTE-03).
    fn add_reserved(&mut self) {
        let other_default = self
            .entries
            .iter()
            .filter(|e| e.prefix == defaults()[0] && e.origin != Origin::SystemInternet && !(e.open && e.origin.is_preferred()))
            .map(|e| e.sure)
            .max()
            .unwrap_or(Tri::No);
        let missing = if self.unknown.is_empty() && self.unknown_routes.is_empty() { Tri::No } else { Tri::Maybe };
        let sure = other_default.or(missing).negated();
        if !sure.hi() {
            return;
        }
        for range in reserved() {
            if self.network.own.iter().any(|own| own.contains(&range)) {
                continue; // equal: it is local already; larger: the range is gone
            }
            self.push(range, Origin::SystemNone, Hop::None, sure, Sym::EMPTY);
        }
    }

    /// The candidates for a destination; more than one where something unknown decides between them (CNV-05).
    ///
    /// `covers` says whether a prefix holds the destination. Sorted; never empty: without any route the packet is dropped.
    ///
    /// ```datalog
    /// matches(S, D, P, H) :- packet(_, _, D), subnet_route_table(S, T), route(_, T, Text, H, _), prefix_of(Text, P), within(D, P).
    /// beaten(S, D, P)     :- matches(S, D, P, _), matches(S, D, Q, _), within(Q, P), Q != P.
    /// hop(S, D, H)        :- matches(S, D, P, H), !beaten(S, D, P).                        // route.4
    /// ```
    pub fn select(&self, covers: impl Fn(&Prefix) -> Tri) -> Vec<Entry> {
        self.choose(self.matching(covers, |_| false))
    }

    /// [`Self::select`] for one address.
    pub fn select_address(&self, ip: IpAddr) -> Vec<Entry> {
        if self.entries.len() <= FEW {
            return self.select(|prefix| Tri::from_bool(prefix.contains(&ip)));
        }
        let longest = net::host(ip).prefix_len();
        let lengths = self.lengths.iter().filter(|length| **length <= longest);
        let prefixes = lengths.map(|length| Prefix::new(ip, *length).expect("no longer than the address").trunc());
        let matching = prefixes.flat_map(|prefix| {
            let from = self.entries.partition_point(|e| e.prefix < prefix);
            self.entries[from..].iter().take_while(move |e| e.prefix == prefix).filter(|e| e.sure.hi()).copied()
        });
        self.choose(matching.collect())
    }

    /// The choice among routes that all match.
    pub fn choose(&self, mut matching: Vec<Entry>) -> Vec<Entry> {
        // Networks that are joined share no addresses: what is our own is not that of a network nobody knows.
        let ours = matching.iter().any(|e| e.origin == Origin::SystemLocal && e.sure.lo());
        matching.retain(|e| !(ours && e.open && e.origin.is_preferred()));
        // A user's route takes the place of a preferred one with the same prefix; whether the gateway's longer routes then count is not
        // told by the export (RTE-11).
        let replaced = |e: &Entry| matching.iter().any(|user| user.origin.is_user() && user.prefix == e.prefix && user.sure.lo());
        let surely_preferred = matching.iter().any(|e| e.origin.is_preferred() && e.sure.lo() && !replaced(e));
        // Unless the route itself says so: then it beats them, or it is one route among others.
        let takes_place =
            |user: &&Entry| user.origin.is_user() && matching.iter().any(|e| e.origin.is_preferred() && !e.open && e.prefix == user.prefix);
        let stated = |user: &Entry| self.overrides.iter().find(|(route, _)| *route == user.source).map(|(_, wins)| *wins);
        let wins: Vec<Option<bool>> = matching.iter().filter(takes_place).map(stated).collect();
        let beats_gateway = !wins.is_empty() && wins.iter().all(|wins| *wins == Some(true));
        let plain = !wins.is_empty() && wins.iter().all(|wins| *wins == Some(false));
        let perhaps_preferred = matching.iter().any(|e| e.origin.is_preferred()) && !plain;
        let gateways_count = !surely_preferred && !beats_gateway;
        let mut left: Vec<Entry> = matching.into_iter().filter(|e| e.origin != Origin::Gateway || gateways_count).collect();
        // Networks with the same addresses cannot be peered; where the input shows it, either may have them (PEER-04, RTE-23).
        let standing = |origin: Origin| if origin.is_preferred() { Origin::SystemLocal } else { origin };
        let rank = |e: &Entry| (std::cmp::Reverse(e.prefix.prefix_len()), standing(e.origin));
        let best = |entries: &[Entry], only_without_gateway: bool| {
            entries.iter().filter(|e| e.sure.lo() && (!only_without_gateway || e.origin != Origin::Gateway)).map(rank).min()
        };
        // A preferred route that only perhaps counts perhaps removes the gateway's routes: then the next best is a candidate as well.
        let bound = best(&left, perhaps_preferred);
        left.retain(|e| e.open || bound.is_none_or(|bound| rank(e) <= bound));
        let gateway_may_win = gateways_count
            && !self.unknown_routes.is_empty()
            && left.iter().filter(|e| e.sure.lo()).all(|e| e.origin > Origin::Gateway || e.prefix.prefix_len() < e.prefix.max_prefix_len());
        if gateway_may_win
            && !left.iter().any(|e| e.hop == Hop::Gateway)
            && let Some(like) = left.first().map(|e| e.prefix)
        {
            left.push(Entry {
                prefix: net::everything(like),
                origin: Origin::Gateway,
                hop: Hop::Gateway,
                sure: Tri::Maybe,
                source: self.unknown_routes,
                open: true,
            });
        }
        if !self.unknown.is_empty() {
            left.iter_mut().for_each(|e| e.sure = Tri::Maybe);
            if let Some(like) = left.first().map(|e| e.prefix) {
                left.push(Entry {
                    prefix: net::everything(like),
                    origin: Origin::User,
                    hop: Hop::Unknown,
                    sure: Tri::Maybe,
                    source: self.unknown,
                    open: true,
                });
            }
        }
        left.sort_unstable();
        left
    }

    /// Membership of the addresses of `block` in the tag `VirtualNetwork` of subnets with this context (NSG-20, NSG-21).
    ///
    /// `block` is an address or a prefix that no prefix mentioned here cuts.
    pub fn in_virtual_network(&self, block: &Prefix) -> Tri {
        if self.tag.sure.hold(block) || *block == platform_address() {
            Tri::Yes
        } else if self.tag.maybe.hold(block) || !self.unknown.is_empty() {
            Tri::Maybe
        } else {
            Tri::No
        }
    }

    /// Membership of the addresses of `block` in the tag `Internet` of subnets with this context (NSG-22).
    pub fn in_internet(&self, block: &Prefix) -> Tri {
        let own = || self.network.own.iter().any(|own| own.contains(block));
        if !net::is_public(block.network()) || own() || *block == platform_address() {
            return Tri::No;
        }
        let listed = !net::perhaps_internet_v4().any(|range| range.contains(block));
        self.in_virtual_network(block).negated().max(Tri::Maybe).min(if listed { Tri::Yes } else { Tri::Maybe })
    }

    /// Every prefix whose bounds change an answer of this context.
    pub fn cuts(&self) -> impl Iterator<Item = Prefix> + '_ {
        let network = &self.network;
        self.entries
            .iter()
            .map(|e| e.prefix)
            .chain(self.tag_sure.iter().copied())
            .chain(self.tag_maybe.iter().copied())
            .chain(network.beyond.iter().copied())
            .chain(network.peers.iter().flat_map(|peer| peer.prefixes.iter().map(|(prefix, _)| *prefix)))
    }
}

/// The virtual address of the platform: DNS, health probes, agents (NSG-11).
pub const PLATFORM_ADDRESS: &str = "168.63.129.16";

/// [`PLATFORM_ADDRESS`] as a prefix.
pub fn platform_address() -> Prefix {
    net::host(IpAddr::from([168, 63, 129, 16]))
}

/// How a route by service tag ranks where its prefix equals another's (RTE-15).
fn tag_origin(tag: Sym) -> Origin {
    match tag.as_str().split_once('.') {
        None if tag.as_str() == "azurecloud" => Origin::UserCloudTag,
        None => Origin::UserServiceTag,
        Some(("azurecloud", _)) => Origin::UserRegionalCloudTag,
        Some(_) => Origin::UserRegionalTag,
    }
}

/// The prefixes of a tag in a route; one that is not known may be any public IPv4 prefix (RTE-15).
pub fn tag_prefixes(tag: Sym, platform: &Platform) -> Vec<(Prefix, Tri)> {
    match platform.tag(tag) {
        Some(prefixes) => prefixes.iter().map(|prefix| (*prefix, Tri::Yes)).collect(),
        // A destination that nobody could read may be any prefix at all.
        None if tag.as_str() == UNKNOWN_TAG => defaults().map(|prefix| (prefix, Tri::Maybe)).to_vec(),
        None => net::public(defaults()[0]).into_iter().map(|prefix| (prefix, Tri::Maybe)).collect(),
    }
}
