//! The effective routes of a subnet and which of them win, as a set of candidates.

use std::net::IpAddr;

use watertight::facts::network::{EndpointPolicies, HopKind, Peering, Route};
use watertight::facts::selector::Selector;
use watertight::model::{Prefix, Sym, Tri};

use super::address::service_tag;
use super::packet::Addr;
use super::world::World;

/// Where a route sends a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// Delivered inside the own network.
    Local,
    /// Over the peering.
    Peering(Sym),
    /// To the appliance at the address.
    Appliance(IpAddr),
    /// To the network's gateway, because a person said so.
    GatewayByRule,
    /// To this gateway, because it announced the prefix.
    Gateway(Sym),
    Internet,
    /// Straight to the private endpoint.
    Endpoint(Sym),
    Drop,
    /// Nobody knows: a table that is not in the input, a word we do not know.
    Unknown,
}

/// One route that could win.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub hop: Hop,
    /// Whether it surely holds the destination and surely exists.
    pub sure: Tri,
    /// For the reason: `10.0.0.0/16` or a tag.
    pub text: String,
    pub length: u8,
    pub rank: Rank,
    /// A system route of the kind that beats gateway routes (RTE-09).
    pub preferred: bool,
    pub code: &'static str,
}

/// Which route wins at equal length (RTE-08, RTE-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Explicit,
    RegionalTag,
    ServiceTag,
    RegionalCloud,
    Cloud,
    Gateway,
    System,
}

impl World<'_> {
    /// All routes of the subnet that hold, or may hold, the destination.
    fn matching_routes(&self, subnet: Sym, vnet: Sym, dst: Addr) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = Vec::new();
        let mut system = |hop, prefix: Prefix, sure: Tri, preferred: bool| {
            let sure = sure.and(self.in_prefix(dst, prefix));
            let rank = Rank::System;
            all.push(Candidate { hop, sure, text: prefix.to_string(), length: prefix.prefix_len(), rank, preferred, code: "" });
        };
        let seen = self.seen_at(subnet);
        for row in seen.iter().flatten() {
            let everywhere = self.was_seen_everywhere(subnet, row);
            match (row.source.as_str(), row.hop.as_str()) {
                ("default", "vnetlocal") => system(Hop::Local, row.prefix, everywhere, true),
                ("default", "internet") => system(Hop::Internet, row.prefix, everywhere, false),
                ("default", "none") => system(Hop::Drop, row.prefix, everywhere, false),
                ("default", "vnetpeering" | "vnetglobalpeering" | "connectedgroup") => {
                    let there = |p: &&Peering| p.vnet == vnet && self.remote_space(p).iter().any(|(space, _)| space.contains(&row.prefix));
                    let over: Vec<&Peering> = self.peerings.iter().chain(&self.managed_peerings).filter(there).collect();
                    match over.as_slice() {
                        [one] => system(Hop::Peering(one.peering), row.prefix, everywhere, true),
                        _ => system(Hop::Unknown, row.prefix, Tri::Maybe, true),
                    }
                }
                ("user" | "virtualnetworkgateway", _) | ("default", "interfaceendpoint" | "virtualnetworkserviceendpoint") => {}
                _ => system(Hop::Unknown, row.prefix, Tri::Maybe, true),
            }
        }
        let derived = seen.is_none();
        for prefix in self.space(vnet).into_iter().filter(|_| derived) {
            system(Hop::Local, prefix, Tri::Yes, true);
        }
        for peering in self.peerings.iter().filter(|p| p.vnet == vnet && derived) {
            let joined = self.route_over(peering, subnet);
            for (prefix, sure) in self.remote_space(peering) {
                system(Hop::Peering(peering.peering), prefix, sure.and(joined), true);
            }
        }
        for route in &mut all {
            if let Hop::Peering(peering) = route.hop
                && self.peerings.iter().any(|p| p.peering == peering && self.is_half_listed(p))
            {
                route.code = "W-MISSING";
            }
        }
        let mut system = |hop, prefix: Prefix, sure: Tri, preferred: bool| {
            let sure = sure.and(self.in_prefix(dst, prefix));
            let rank = Rank::System;
            all.push(Candidate { hop, sure, text: prefix.to_string(), length: prefix.prefix_len(), rank, preferred, code: "" });
        };
        let longest = seen.iter().flatten().filter(|row| self.in_prefix(dst, row.prefix).hi()).max_by_key(|row| row.prefix.prefix_len());
        let peerings = ["vnetpeering", "vnetglobalpeering", "connectedgroup"];
        let seen_to = |home: Option<Sym>| match longest {
            Some(row) if row.hop.as_str() == "interfaceendpoint" => true,
            Some(row) if row.hop.as_str() == "vnetlocal" => home == Some(vnet),
            Some(row) if peerings.contains(&row.hop.as_str()) => home != Some(vnet),
            _ => false,
        };
        for (endpoint, ip, sure) in self.endpoint_routes(vnet) {
            if Addr::Known(ip) == dst {
                let kept = self.keeps_endpoint_route(subnet, endpoint, ip);
                let home = self.endpoints.iter().find(|e| e.endpoint == endpoint).and_then(|e| self.vnet_of(e.subnet));
                // What was seen says otherwise (RTE-07).
                let kept = if seen.is_some() && !seen_to(home) { kept.and(Tri::Maybe) } else { kept };
                system(Hop::Endpoint(endpoint), watertight::model::net::host(ip), sure.and(kept), true);
            }
        }
        for private in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"] {
            let private: Prefix = private.parse().expect("a literal prefix");
            if derived && !self.none_route_is_gone(subnet, vnet, private) {
                system(Hop::Drop, private, Tri::Yes, false);
            }
        }
        for all in ["0.0.0.0/0", "::/0"].into_iter().filter(|_| derived) {
            system(Hop::Internet, all.parse().expect("literal"), Tri::Yes, false);
        }
        // What the gateway gave when somebody looked.
        for row in seen.iter().flatten().filter(|row| row.source.as_str() == "virtualnetworkgateway") {
            let gateway = self.gateways_of(vnet).first().map_or(Sym::EMPTY, |(gateway, _)| *gateway);
            let hop = if row.hop.as_str() == "virtualnetworkgateway" { Hop::Gateway(gateway) } else { Hop::Unknown };
            let known = if hop == Hop::Unknown { Tri::Maybe } else { self.was_seen_everywhere(subnet, row) };
            all.push(Candidate {
                hop,
                sure: known.and(self.in_prefix(dst, row.prefix)),
                text: row.prefix.to_string(),
                length: row.prefix.prefix_len(),
                rank: Rank::Gateway,
                preferred: false,
                code: "unsure-route",
            });
        }
        for (route, _) in self.user_routes(subnet) {
            let (hop, there) = (hop_of(&route), self.is_there(subnet, &route));
            for item in route.destination.items() {
                match item {
                    Selector::Prefix(prefix) => all.push(Candidate {
                        hop,
                        sure: self.in_prefix(dst, prefix).and(there),
                        text: prefix.to_string(),
                        length: prefix.prefix_len(),
                        rank: Rank::Explicit,
                        preferred: false,
                        code: "unsure-route",
                    }),
                    Selector::Tag(tag) => all.extend(self.tag_candidates(hop, tag, dst)),
                    Selector::Any | Selector::Asg(_) => {}
                }
            }
        }
        if self.gateway_routes_on(subnet) {
            for route in self.gateway_routes(vnet) {
                if let Some(prefix) = route.prefix {
                    all.push(Candidate {
                        hop: Hop::Gateway(route.gateway),
                        sure: route.sure.and(self.in_prefix(dst, prefix)),
                        text: prefix.to_string(),
                        length: prefix.prefix_len(),
                        rank: Rank::Gateway,
                        preferred: false,
                        code: route.code,
                    });
                }
            }
        }
        all.retain(|c| c.sure.hi());
        self.join_parts(dst, &mut all);
        self.join_own_tags(subnet, dst, &mut all);
        all
    }

    /// A front end belongs to the tags of its service and of the cloud by what it is (M-14): a route by one of them holds it, by whichever prefix, and one by
    /// the tag of another region does not.
    fn join_own_tags(&self, subnet: Sym, dst: Addr, all: &mut Vec<Candidate>) {
        let Addr::Front(service, region) = dst else { return };
        let own = service_tag(service);
        let mut wholes: Vec<(Candidate, u8)> = Vec::new();
        for (route, _) in self.user_routes(subnet) {
            for item in route.destination.items() {
                let Selector::Tag(tag) = item else { continue };
                let (base, place) = tag.as_str().split_once('.').unwrap_or((tag.as_str(), ""));
                let named = if place == region.as_str() { Some(region) } else { self.platform.tag_region(place) };
                let is_own = (base == own || base == "azurecloud") && (place.is_empty() || named == Some(region));
                let elsewhere = !place.is_empty() && !region.is_empty() && named.is_some_and(|named| named != region);
                let listed = |c: &Candidate| {
                    c.code == "unsure-route" && self.tag_candidates(c.hop, tag, dst).iter().any(|t| t.text == c.text && t.rank == c.rank)
                };
                if is_own || (base == own || base == "azurecloud") && elsewhere {
                    let mut parts: Vec<Candidate> = all.iter().filter(|c| listed(c)).cloned().collect();
                    if parts.is_empty() {
                        // It is in the tag though not in what is published of it.
                        parts = self.tag_candidates(hop_of(&route), tag, dst).into_iter().filter(|c| !c.text.contains(':')).collect();
                    }
                    all.retain(|c| !listed(c));
                    let lengths = || parts.iter().map(|c| c.length);
                    if let (true, Some(shortest), Some(longest)) = (is_own, lengths().min(), lengths().max()) {
                        // Of a tag that is not known the prefixes may be as short as one that is not everything, and as long as an address.
                        let (shortest, longest) = if self.platform.tag(tag).is_some() { (shortest, longest) } else { (1, 32) };
                        wholes.push((Candidate { sure: Tri::Yes, length: shortest, text: tag.to_string(), ..parts[0].clone() }, longest));
                    }
                }
            }
        }
        let plain = all.len();
        let explicit = self.explicit_routes(subnet);
        for (n, (whole, longest)) in wholes.iter().enumerate() {
            // One that was joined of several is taken by one of these, which is longer.
            let made_of = |c: &Candidate| {
                let around = c.text.parse::<Prefix>().ok().filter(|_| c.rank == Rank::Explicit && c.code == "unsure-route");
                explicit
                    .iter()
                    .filter(|(_, hop)| *hop == c.hop)
                    .any(|(p, _)| around.is_some_and(|around| around.contains(p) && around != *p) && p.prefix_len() >= whole.length)
            };
            let joined = |c: &Candidate| !explicit.iter().any(|(p, _)| p.to_string() == c.text) && made_of(c);
            let between = all[..plain].iter().any(|c| c.sure.lo() && (c.length >= whole.length && c.length <= *longest || joined(c)));
            let overlaps = wholes.iter().enumerate().any(|(m, (other, end))| m != n && other.length <= *longest && whole.length <= *end);
            let doubtful = Candidate { sure: Tri::Maybe, length: *longest, ..whole.clone() };
            all.push(if between || overlaps { doubtful } else { whole.clone() });
        }
    }

    /// The prefixes that user routes name themselves, each with where it leads.
    fn explicit_routes(&self, subnet: Sym) -> Vec<(Prefix, Hop)> {
        let mut found = Vec::new();
        for (route, _) in self.user_routes(subnet) {
            for item in route.destination.items() {
                if let Selector::Prefix(prefix) = item {
                    found.push((prefix, hop_of(&route)));
                }
            }
        }
        found
    }

    /// Of a front end nobody knows the address: explicit routes of one hop that together hold every address of some prefix around it are one route for that prefix.
    fn join_parts(&self, dst: Addr, all: &mut Vec<Candidate>) {
        let around = match dst {
            Addr::Known(_) => return,
            Addr::Front(service, region) => self.front_prefixes(service, region).and_then(|all| all.first().map(|p| p.network())),
            Addr::SomePublic => None,
        };
        let anything: Prefix = "0.0.0.0/0".parse().expect("literal");
        let around: Vec<Prefix> = match around {
            Some(ip) => (0..32).rev().map(|length| Prefix::new(ip, length).expect("a length of IPv4").trunc()).collect(),
            None => vec![anything],
        };
        let explicit: Vec<Candidate> = all.iter().filter(|c| c.rank == Rank::Explicit && c.code == "unsure-route").cloned().collect();
        let of = |c: &Candidate| c.text.parse::<Prefix>().expect("an explicit route has a prefix");
        for prefix in around.into_iter().filter(|prefix| self.in_prefix(dst, *prefix) == Tri::Yes) {
            if explicit.iter().any(|c| of(c) == prefix) {
                continue;
            }
            for one in &explicit {
                let parts: Vec<Candidate> = explicit.iter().filter(|c| c.hop == one.hop && prefix.contains(&of(c))).cloned().collect();
                let held: Vec<Prefix> = parts.iter().map(of).collect();
                if parts.iter().all(|c| c.sure == Tri::Maybe) && watertight::model::net::subtract(&[prefix], &held).is_empty() {
                    all.retain(|c| !(c.rank == Rank::Explicit && c.hop == one.hop && prefix.contains(&of(c))));
                    all.push(Candidate { sure: Tri::Yes, text: prefix.to_string(), length: prefix.prefix_len(), ..one.clone() });
                    return;
                }
            }
        }
    }

    /// A route by tag is one route a prefix (RTE-15); of a tag that is not known any public address may be meant.
    fn tag_candidates(&self, hop: Hop, tag: Sym, dst: Addr) -> Vec<Candidate> {
        let rank = match tag.as_str().split_once('.') {
            Some(("azurecloud", _)) => Rank::RegionalCloud,
            Some(_) => Rank::RegionalTag,
            None if tag.as_str() == "azurecloud" => Rank::Cloud,
            None => Rank::ServiceTag,
        };
        let candidate = |sure, length, text| Candidate { hop, sure, text, length, rank, preferred: false, code: "unsure-route" };
        match self.platform.tag(tag) {
            Some(prefixes) => prefixes.iter().map(|&p| candidate(self.in_prefix(dst, p), p.prefix_len(), p.to_string())).collect(),
            // Its length is not known either: it may win over anything but an explicit route to the one address.
            None => vec![candidate(self.public_v4(dst).and(Tri::Maybe), 32, tag.to_string())],
        }
    }

    fn public_v4(&self, dst: Addr) -> Tri {
        if matches!(dst, Addr::Known(ip) if ip.is_ipv6()) { Tri::No } else { self.is_public_addr(dst) }
    }

    /// Whether the None route of a private range is not there (RTE-03).
    fn none_route_is_gone(&self, subnet: Sym, vnet: Sym, private: Prefix) -> bool {
        let covered = self.space(vnet).iter().any(|p| p.contains(&private));
        let own_default = self.user_routes(subnet).iter().any(|(r, _)| {
            r.destination.items().iter().any(|i| matches!(i, Selector::Prefix(p) if *p == "0.0.0.0/0".parse::<Prefix>().expect("literal")))
        });
        let default_announced = self.gateway_routes_on(subnet)
            && self.gateway_routes(vnet).iter().any(|r| r.sure.lo() && r.prefix.is_some_and(|p| p.prefix_len() == 0));
        covered || own_default || default_announced
    }

    /// The addresses that have a route of their own in the network (PE-20): endpoints here and in networks peered with it.
    fn endpoint_routes(&self, vnet: Sym) -> Vec<(Sym, IpAddr, Tri)> {
        let mut all = Vec::new();
        for endpoint in &self.endpoints {
            let near = |home: Sym| {
                let peered = self.peerings.iter().filter(|p| p.vnet == vnet && p.remote == home).map(|p| self.is_connected(p));
                peered.chain((home == vnet).then_some(Tri::Yes)).max().unwrap_or(Tri::No)
            };
            // The id of a subnet that nobody exported may tell its network; else it may be one of any.
            let joined = match self.vnet_of(endpoint.subnet) {
                Some(home) => near(home),
                None => match endpoint.subnet.as_str().split_once("/subnets/") {
                    Some((home, _)) => near(Sym::new(home)).and(Tri::Maybe),
                    None => Tri::Maybe,
                },
            };
            let rivals = self.rival_subnets(endpoint.endpoint).into_iter().map(|subnet| match self.vnet_of(subnet) {
                Some(home) => near(home).and(Tri::Maybe),
                None => subnet.as_str().split_once("/subnets/").map_or(Tri::Maybe, |(home, _)| near(Sym::new(home)).and(Tri::Maybe)),
            });
            let joined = rivals.chain([joined]).max().unwrap_or(joined);
            for (link, ip) in self.endpoint_ips(endpoint.endpoint) {
                all.push((endpoint.endpoint, ip, joined.and(self.consent(link))));
            }
        }
        all
    }

    /// Whether the /32 of an endpoint stands against the subnet's own routes (RTE-13, PE-21).
    fn keeps_endpoint_route(&self, subnet: Sym, endpoint: Sym, ip: IpAddr) -> Tri {
        let Some(home) = self.endpoints.iter().find(|e| e.endpoint == endpoint).map(|e| e.subnet) else { return Tri::Maybe };
        let space = self.vnet_of(home).map(|v| self.space(v)).unwrap_or_default();
        let around = space.iter().filter(|p| p.contains(&ip)).map(|p| p.prefix_len()).max();
        let mut overridden = Tri::No;
        for (route, _) in self.user_routes(subnet) {
            for item in route.destination.items() {
                if let Selector::Prefix(prefix) = item
                    && prefix.contains(&ip)
                    && around.is_none_or(|around| prefix.prefix_len() >= around)
                {
                    if around.is_none() {
                        overridden = overridden.or(Tri::Maybe);
                        continue;
                    }
                    // With VnetLocal the /32 goes, but the route may not take its place (RTE-14).
                    let basic = self.basic_policies.iter().any(|b| Some(b.vnet) == self.vnet_of(home));
                    let takes = if route.hop == HopKind::VnetLocal && !basic { Tri::Maybe } else { self.is_there(subnet, &route) };
                    overridden = overridden.or(takes);
                }
            }
        }
        // A route that nobody could read may be for the address alone, and then no policy matters.
        let unreadable =
            |route: &watertight::facts::network::Route| route.destination.items().contains(&Selector::Tag(Sym::new("(unknown)")));
        let limit = if self.user_routes(subnet).iter().any(|(route, _)| unreadable(route)) { Tri::Maybe } else { Tri::Yes };
        limit.min(match self.endpoint_policy_of(home) {
            EndpointPolicies::Enabled | EndpointPolicies::RouteTable => overridden.negated(),
            EndpointPolicies::Unknown => overridden.and(Tri::Maybe).negated(),
            EndpointPolicies::Disabled | EndpointPolicies::Nsg => Tri::Yes,
        })
    }

    /// Peerings with networks that nobody exported and of whose addresses nothing is known.
    pub fn peers_of_unknown_space(&self, subnet: Sym) -> Vec<Sym> {
        let mine = self.peerings.iter().filter(|p| Some(p.vnet) == self.vnet_of(subnet));
        let unknown = mine.filter(|p| self.has_unknown_space(p));
        unknown.filter(|p| self.route_over(p, subnet).hi()).map(|p| p.peering).collect()
    }

    /// The routes that may be taken to a destination: one that is sure, or several none of which is.
    pub fn candidates(&self, subnet: Sym, dst: Addr) -> Vec<Candidate> {
        let Some(vnet) = self.vnet_of(subnet) else {
            return vec![unknown_hop("W-MISSING")];
        };
        let mut all = self.matching_routes(subnet, vnet, dst);
        all.sort_by(|a, b| (b.length, a.rank, &a.text).cmp(&(a.length, b.rank, &b.text)));
        // Preferred system routes beat what gateways say, however long (RTE-09). Where a user route of the same prefix put them
        // out of action, a longer gateway route may come back (RTE-11).
        let standing = |c: &Candidate| c.preferred && !all.iter().any(|u| u.rank < Rank::Gateway && u.sure.lo() && u.length == c.length);
        let barred = all.iter().any(|c| standing(c) && c.sure.lo());
        // Unless the route itself says whether it beats what gateways announce (RTE-11).
        let replacing = self.user_routes(subnet).into_iter().filter(|(r, _)| {
            let same = |p: Prefix| all.iter().any(|c| c.preferred && c.text == p.to_string());
            r.destination.items().iter().any(|i| matches!(i, Selector::Prefix(p) if same(*p)))
        });
        let says = |r: Sym| self.overrides.iter().find(|o| o.route == r).map(|o| o.wins);
        let said: Vec<Option<bool>> = replacing.map(|(r, _)| says(r.route)).collect();
        let beats = !said.is_empty() && said.iter().all(|s| *s == Some(true));
        let plain = !said.is_empty() && said.iter().all(|s| *s == Some(false));
        let barred = barred || beats;
        let doubted = all.iter().any(|c| c.preferred) && !plain;
        let mut won: Vec<Candidate> = Vec::new();
        let mut best: Option<(u8, Rank)> = None;
        for candidate in &all {
            if best.is_some_and(|b| b != (candidate.length, candidate.rank)) {
                break;
            }
            if candidate.rank == Rank::Gateway && barred {
                continue;
            }
            let unsure = candidate.rank == Rank::Gateway && doubted;
            if candidate.sure.lo() && !unsure {
                best = Some((candidate.length, candidate.rank));
            }
            let duplicate = won.iter().any(|w| w.hop == candidate.hop && w.sure >= candidate.sure);
            if !duplicate {
                won.push(candidate.clone());
            }
        }
        // What nobody told us a gateway learned may be anything that no preferred route covers (GW-04).
        let exact = won.first().is_some_and(|w| w.rank == Rank::Explicit && w.length == host_length(dst) && w.sure.lo());
        if self.gateway_routes_on(subnet) && !barred && !exact {
            for route in self.gateway_routes(vnet).into_iter().filter(|r| r.prefix.is_none()) {
                let hop = Hop::Gateway(route.gateway);
                if !won.iter().any(|w| w.hop == hop) {
                    won.push(Candidate { hop, code: route.code, ..unknown_hop("") });
                }
            }
        }
        if self.table_is_missing(subnet) {
            won.push(unknown_hop("W-MISSING"));
        }
        // Nothing is closer than a route of the address itself.
        let exact = won.first().is_some_and(|w| w.length == host_length(dst) && w.sure.lo());
        let ours = exact || matches!(dst, Addr::Known(ip) if self.in_space(vnet, ip));
        for peering in self.peers_of_unknown_space(subnet).into_iter().filter(|_| !ours && self.seen_at(subnet).is_none()) {
            won.push(Candidate { hop: Hop::Peering(peering), ..unknown_hop("W-MISSING") });
        }
        won.dedup_by(|a, b| a.hop == b.hop);
        won
    }
}

fn hop_of(route: &Route) -> Hop {
    match route.hop {
        HopKind::VnetLocal => Hop::Local,
        HopKind::Internet => Hop::Internet,
        HopKind::None => Hop::Drop,
        HopKind::VirtualNetworkGateway => Hop::GatewayByRule,
        HopKind::VirtualAppliance => route.hop_address.map_or(Hop::Unknown, Hop::Appliance),
        HopKind::Unknown => Hop::Unknown,
    }
}

fn unknown_hop(code: &'static str) -> Candidate {
    Candidate { hop: Hop::Unknown, sure: Tri::Maybe, text: String::new(), length: 0, rank: Rank::Explicit, preferred: false, code }
}

fn host_length(dst: Addr) -> u8 {
    if matches!(dst, Addr::Known(ip) if ip.is_ipv6()) { 128 } else { 32 }
}
