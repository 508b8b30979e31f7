//! Through a gateway: to a site, to a network on the other side, or back into the network it came from (GW-08 to GW-13, PEER-10).

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::explain::candidates::{Candidate, choose};
use crate::explain::gateway_doubts::unlisted_step;
use crate::explain::packet::{Host, Packet, StepExt, short, step};
use crate::explain::walk::{Home, Target, Trail, Walk, tri_span};
use crate::explain::way::{Kind, Step, Way};
use crate::explain::world::{World, leads_to_site};
use crate::facts::network::{Connection, GatewayKind};
use crate::model::{Prefix, Span, Stage, Sym, Tri, Via};
use crate::rules::route::{Entry, Hop, Origin};

/// What a gateway's routes say of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// A site, a network, or a virtual hub.
    pub target: Sym,
    /// Whether it is surely there.
    pub sure: Tri,
}

impl World<'_> {
    /// What is behind the gateways that `vnet` uses, for an address: all targets with the longest prefix (GW-09).
    pub fn behind_gateway(&self, vnet: Sym, ip: IpAddr) -> Vec<Behind> {
        let network = self.network(vnet);
        let matching = || network.gateway.routes.iter().filter(|(prefix, _, _)| prefix.contains(&ip));
        let longest = matching().map(|(prefix, _, _)| prefix.prefix_len()).max();
        let mut found: Vec<Behind> = matching()
            .filter(|(prefix, _, _)| Some(prefix.prefix_len()) == longest)
            .map(|(_, target, sure)| Behind { target: *target, sure: *sure })
            .collect();
        found.sort_by_key(|behind| (behind.target.as_str(), std::cmp::Reverse(behind.sure)));
        found.dedup_by_key(|behind| behind.target);
        found
    }

    /// The route to the gateway that somebody saw on the subnet for the address, by a prefix that is longer than any of what is known to be behind it: the gateway
    /// has learned of somebody who is not in the input (RTE-07, GW-06).
    pub fn seen_announced(&self, subnet: Sym, vnet: Sym, ip: IpAddr) -> Option<Entry> {
        let network = self.network(vnet);
        let context = self.context(subnet);
        let is_seen = |e: &&Entry| e.origin == Origin::Gateway && e.prefix.contains(&ip) && self.index.observed_routes.has(e.source);
        let seen = context.entries.iter().filter(is_seen).max_by_key(|e| e.prefix.prefix_len()).copied()?;
        let known = network.gateway.routes.iter().map(|(prefix, ..)| prefix).filter(|prefix| prefix.contains(&ip));
        known.map(Prefix::prefix_len).all(|known| known < seen.prefix.prefix_len()).then_some(seen)
    }

    /// Whether another connection of the gateways that `vnet` uses may have learned a longer prefix than the input has (GW-04).
    pub fn may_learn_more(&self, vnet: Sym) -> bool {
        let learned = self.network(vnet).gateway.unknown_routes;
        let gateways: BTreeSet<Sym> = self.gateway_rooms(vnet).iter().map(|(gateway, _)| *gateway).collect();
        let links = |gateway: Sym| self.index.connections_by_gateway.get(gateway).len();
        // A gateway of circuits has one at least, exported or not.
        let least = |gateway: Sym| if self.gateway_kind(gateway) == GatewayKind::Vpn { 0 } else { 1 };
        let connections: usize = gateways.iter().map(|gateway| links(*gateway).max(least(*gateway))).sum();
        !learned.is_empty() && (connections > 1 || self.is_missing_gateway(learned))
    }

    /// Where the instances of the gateways that `vnet` uses stand: the gateway and its subnet, sorted.
    pub fn gateway_rooms(&self, vnet: Sym) -> Vec<(Sym, Sym)> {
        let gateways = self.network(vnet).gateway.gateways.clone();
        let mut rooms: Vec<(Sym, Sym)> =
            gateways.iter().flat_map(|gateway| self.index.gateway_subnets.get(*gateway)).map(|row| (row.gateway, row.subnet)).collect();
        rooms.sort_by_key(|(gateway, subnet)| (gateway.as_str(), subnet.as_str()));
        rooms.dedup();
        rooms
    }

    /// A packet as it leaves an instance of a gateway in `subnet`.
    fn instance(&self, subnet: Sym) -> Host {
        let own = self.network(self.vnet_of(subnet)).own.first().map_or(IpAddr::from([0, 0, 0, 0]), |own| own.network());
        Host::imagined(self, subnet, own)
    }

    /// The network that a gateway in `room` passes a packet for `ip` on to by itself: its own, or one it is peered with.
    fn passed_on(&self, room: Sym, ip: IpAddr) -> Option<(Sym, bool)> {
        let choice = choose(self, room, ip);
        let network = |candidate: &Candidate| match candidate {
            Candidate::Route(entry) => match entry.hop {
                Hop::Local => Some(self.vnet_of(room)),
                Hop::Peering(vnet) => Some(vnet),
                _ => None,
            },
            _ => None,
        };
        let found = choice.candidates.iter().find_map(network)?;
        Some((found, choice.certain && !self.is_contested(room, ip)))
    }

    /// Whether a site or client behind the gateways of the network has the address with a prefix as long as that of the network itself, or longer: a gateway
    /// delivers to the longest match, and which of the two it takes is not told (GW-09, RTE-09).
    fn is_contested(&self, room: Sym, ip: IpAddr) -> bool {
        let network = self.network(self.vnet_of(room));
        let lengths = |prefixes: &mut dyn Iterator<Item = &Prefix>| prefixes.filter(|p| p.contains(&ip)).map(Prefix::prefix_len).max();
        let spaces = network.peers.iter().filter(|peer| peer.usable.hi()).flat_map(|peer| peer.prefixes.iter().map(|(prefix, _)| prefix));
        let near = lengths(&mut network.own.iter().chain(spaces));
        let joined = |target: Sym| self.index.vnet.has(target) || self.index.virtual_hub.has(target);
        let behind = lengths(&mut network.gateway.routes.iter().filter(|(_, target, _)| !joined(*target)).map(|(prefix, _, _)| prefix));
        behind.is_some() && behind >= near
    }

    /// Whether a reply from `subnet` of `vnet` to `ip`, handed to the gateway, comes to the network `home`.
    pub fn gateway_leads_to(&self, subnet: Sym, vnet: Sym, ip: IpAddr, home: Sym) -> Tri {
        let mut best = Tri::No;
        let rooms = self.gateway_rooms(vnet);
        for (_, room) in &rooms {
            if let Some((network, certain)) = self.passed_on(*room, ip) {
                best = best.or(Tri::from_bool(network == home).and(if certain { Tri::Yes } else { Tri::Maybe }));
            }
        }
        for behind in self.behind_gateway(vnet, ip) {
            if self.index.virtual_hub.has(behind.target) {
                best = best.or(self.hub_leads_to(vnet, behind.target, ip, home).and(behind.sure));
            } else if self.index.vnet.has(behind.target) {
                for (_, room) in self.gateway_rooms(behind.target) {
                    let there = self.passed_on(room, ip);
                    best = best.or(there
                        .map_or(Tri::No, |(network, certain)| {
                            Tri::from_bool(network == home).and(if certain { Tri::Yes } else { Tri::Maybe })
                        })
                        .and(behind.sure));
                }
            }
        }
        let gateway = &self.network(vnet).gateway;
        if !gateway.lent_by_one_of.is_empty() {
            best = best.and(Tri::Maybe);
        }
        // What nobody told us may lead there as well.
        let known = gateway.unknown_routes.is_empty() && !gateway.is_empty() && self.seen_announced(subnet, vnet, ip).is_none();
        if known { best } else { best.or(Tri::Maybe) }
    }

    /// Whether a reply from `subnet` of `vnet` to `ip`, handed to the gateway, comes to the site: all that has the address behind the gateway is there (GW-09).
    pub fn gateway_leads_to_site(&self, subnet: Sym, vnet: Sym, ip: IpAddr, site: Sym) -> Tri {
        let joined = |target: Sym| self.index.vnet.has(target) || self.index.virtual_hub.has(target);
        let there = |behind: &Behind| match joined(behind.target) {
            true => Tri::Maybe,
            false => self.is_at_site(site, behind.target, ip).and(behind.sure),
        };
        let behind: Vec<Tri> = self.behind_gateway(vnet, ip).iter().map(there).collect();
        let gateway = &self.network(vnet).gateway;
        let unknown = gateway.is_empty() || behind.is_empty() && !gateway.unknown_routes.is_empty();
        if unknown || self.may_learn_more(vnet) || self.seen_announced(subnet, vnet, ip).is_some() {
            return Tri::Maybe;
        }
        let all = |wanted: Tri| behind.iter().all(|there| *there == wanted);
        match () {
            () if all(Tri::No) => Tri::No,
            () if all(Tri::Yes) => Tri::Yes,
            () => Tri::Maybe,
        }
    }

    /// The kind of a gateway.
    fn gateway_kind(&self, gateway: Sym) -> GatewayKind {
        self.index.gateway.one(gateway).map_or(GatewayKind::Unknown, |row| row.kind)
    }
}

impl Walk<'_, '_> {
    /// The packet is handed to the gateway of `at`'s network.
    pub fn to_gateway(&self, at: &Host, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let mut trail = trail;
        trail.via = trail.via.or(Some(Via::Gateway));
        trail.steps.extend(self.world.perhaps_lent(at.vnet));
        let contested = self.world.gateway_rooms(at.vnet).iter().any(|(_, room)| self.world.is_contested(*room, packet.dst));
        if self.back_into_networks(at, packet, &trail, contested, ways) {
            if !contested {
                return;
            }
            trail = trail.and(overlapping(at.vnet, packet.dst));
        }
        let behind = self.world.behind_gateway(at.vnet, packet.dst);
        if behind.is_empty() {
            ways.push(self.nothing_behind(at, packet, trail));
            return;
        }
        if let Some(seen) = self.world.seen_announced(at.subnet, at.vnet, packet.dst) {
            let text = format!(
                "the route {} seen at {} leads to the gateway: who is behind it is not in the input",
                seen.prefix,
                short(seen.source)
            );
            let unknown = step(Stage::Gateway, Span::UNKNOWN, "gateway.2", text).by(at.subnet, "").kind(Kind::Assumption);
            ways.push(trail.and(unknown.code("W-BGP-UNKNOWN")).end(Via::Gateway));
            return;
        }
        let several = behind.len() > 1 || self.world.may_learn_more(at.vnet);
        for Behind { target, sure } in behind {
            let mut trail = trail.clone();
            if several {
                let text = format!("several sites have {}: which of them the gateway chooses is not known", packet.dst);
                let unsure = step(Stage::Gateway, Span::UNKNOWN, "gateway.6", text).by(target, "").kind(Kind::Assumption);
                trail = trail.and(unsure.code("W-OVERLAP"));
            }
            if self.world.index.virtual_hub.has(target) {
                self.through_hub(at, target, packet, trail, ways);
            } else if self.world.index.vnet.has(target) {
                self.across(at, target, sure, packet, trail, ways);
            } else {
                self.to_site(at, target, sure, packet, trail, ways);
            }
        }
    }

    /// A gateway passes on what is for its own network or one it is peered with, without a site in between (PEER-10); whether it did.
    fn back_into_networks(&self, at: &Host, packet: &Packet, trail: &Trail, contested: bool, ways: &mut Vec<Way>) -> bool {
        let mut done = false;
        for (gateway, room) in self.world.gateway_rooms(at.vnet) {
            if room == at.subnet || trail.gateways.contains(&gateway) || self.world.passed_on(room, packet.dst).is_none() {
                continue;
            }
            let vpn = self.world.gateway_kind(gateway) == GatewayKind::Vpn;
            let text = format!("gateway {} passes it on into a network it is joined with", short(gateway));
            let mut by =
                step(Stage::Gateway, if vpn { Span::ALL } else { Span::UNKNOWN }, "gateway.9", text).by(gateway, "").at_fact(gateway);
            if !vpn {
                by = by.kind(Kind::Assumption).code("W-UDR-VNG");
            }
            let mut trail = trail.clone().and(by);
            if contested {
                trail = trail.and(overlapping(gateway, packet.dst));
            }
            trail.gateways.push(gateway);
            self.onward(&self.world.instance(room), packet, trail, ways);
            done = true;
        }
        done
    }

    /// No route of the gateway holds the address.
    fn nothing_behind(&self, at: &Host, packet: &Packet, trail: Trail) -> Way {
        let gateway = &self.world.network(at.vnet).gateway;
        let learned = gateway.unknown_routes;
        // A route that was seen may lead to a gateway that was not exported, or to a site of which the gateway learned (RTE-07, SND-04).
        let (source, code) = match () {
            () if gateway.is_empty() => (if learned.is_empty() { at.vnet } else { learned }, "W-MISSING"),
            () if !learned.is_empty() => (learned, self.world.doubt_of_routes(learned)),
            () if self.world.seen_announced(at.subnet, at.vnet, packet.dst).is_some() => (at.vnet, "W-BGP-UNKNOWN"),
            () => {
                let text = format!("no site behind the gateway is known to have {}", packet.dst);
                let gateway = gateway.gateways.iter().copied().min_by_key(|gateway| gateway.as_str()).unwrap_or_default();
                let nothing = step(Stage::Gateway, Span::NONE, "gateway.2", text).by(gateway, "").kind(Kind::Absence);
                return trail.and(nothing).end(Via::Gateway);
            }
        };
        let text = match source == at.vnet || gateway.is_empty() || self.world.is_missing_gateway(source) {
            true => format!("what is behind the gateway of {} is not in the input", short(source)),
            false => format!("no site behind the gateway is known to have {}", packet.dst),
        };
        let unknown = step(Stage::Gateway, Span::UNKNOWN, "gateway.2", text).by(source, "").kind(Kind::Assumption);
        trail.and(unknown.code(code)).end(Via::Gateway)
    }

    /// Over a connection between gateways, or over a circuit that two of them share, into another network (GW-10, GW-12).
    fn across(&self, at: &Host, vnet: Sym, sure: Tri, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let here: Vec<Sym> = self.world.gateway_rooms(at.vnet).into_iter().map(|(gateway, _)| gateway).collect();
        let rooms = self.world.gateway_rooms(vnet);
        for (gateway, room) in rooms.iter().filter(|(gateway, _)| !here.contains(gateway)) {
            if trail.gateways.contains(gateway) {
                continue;
            }
            let theirs = self.world.index.connections_by_gateway.get(*gateway).iter();
            let links = here.iter().flat_map(|gateway| self.world.index.connections_by_gateway.get(*gateway)).chain(theirs);
            let between: Vec<&Connection> = links.filter(|row| row.peer == *gateway || here.contains(&row.peer)).collect();
            let code = match () {
                // They share a circuit.
                () if between.is_empty() => "W-ER-V2V",
                () if between.iter().any(|row| self.world.index.connection_limits.has(row.connection)) => "W-VPN-NAT",
                () if between.iter().any(|row| self.world.is_odd(row)) => "W-UNSUPPORTED",
                () => "W-CONN-STATE",
            };
            let text = format!("a connection leads to gateway {} of network {}", short(*gateway), short(vnet));
            let by = step(Stage::Gateway, tri_span(sure), "gateway.10", text).by(*gateway, short(vnet)).at_fact(*gateway).kind(Kind::Fact);
            let by = if sure.lo() { by } else { by.kind(Kind::Assumption).code(code) };
            let mut trail = trail.clone().and(by);
            trail.gateways.extend(here.iter().copied());
            trail.gateways.push(*gateway);
            self.onward(&self.world.instance(*room), packet, trail, ways);
        }
    }

    /// To a site on premises (GW-09).
    fn to_site(&self, at: &Host, site: Sym, sure: Tri, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let mut trail = trail;
        let gateway = self.gateway_to(at, site);
        let inside = self.world.index.vnet_prefixes.rows().any(|row| row.prefix.contains(&packet.dst));
        let elsewhere = matches!(&self.target, Target::Host(_) | Target::Endpoint(_) | Target::Internet | Target::Network(_));
        if inside || elsewhere {
            // Whoever it is for is not at the site, but the site may know a way there.
            let text = format!("{} goes to site {}: whether it is passed on there is not known", packet.dst, short(site));
            let unknown = step(Stage::Gateway, Span::UNKNOWN, "gateway.2", text).by(gateway, short(site)).kind(Kind::Assumption);
            ways.push(trail.and(unknown.code("W-UNSUPPORTED")).end(Via::Gateway));
            return;
        }
        if let Target::Site(wanted) = self.target {
            match self.world.is_at_site(wanted, site, packet.dst) {
                Tri::Yes => {}
                Tri::Maybe if self.world.is_blank_site(wanted) => trail = trail.and(unlisted_step(wanted)),
                Tri::Maybe => trail = trail.and(shared(wanted, site, packet.dst)),
                Tri::No => {
                    let text = format!("{} is at site {}", packet.dst, short(site));
                    ways.push(trail.and(step(Stage::Gateway, Span::NONE, "gateway.2", text).by(gateway, short(site))).end(Via::Gateway));
                    return;
                }
            }
        }
        if let Home::Site(from) = self.home
            && trail.appliances.is_empty()
        {
            trail = trail.and(self.between_sites(from, site, gateway));
        }
        let text = format!("gateway {} delivers it to site {}", short(gateway), short(site));
        let mut by = step(Stage::Gateway, tri_span(sure), "gateway.1", text).by(gateway, short(site)).at_fact(site).kind(Kind::Fact);
        if !sure.lo() {
            by = by.code(self.world.doubt_of_site(site)).kind(Kind::Assumption);
        }
        trail = trail.and(by);
        // Of a public address that only a default route sends on premises nobody knows whether it leaves there again (RTE-20, R-04).
        if self.world.is_forced_out(at.vnet, site, packet.dst) {
            let text = format!("whether {} leaves site {} for the internet is not known", packet.dst, short(site));
            let unknown = step(Stage::Gateway, Span::UNKNOWN, "gateway.5", text).by(gateway, short(site)).kind(Kind::Assumption);
            trail = trail.and(unknown.code("W-UNSUPPORTED"));
        }
        if self.session {
            trail.steps.extend(self.way_back_from_site(at, site, packet, &trail));
        }
        ways.push(trail.end(Via::Gateway));
    }

    /// The gateway that is connected to the site, else the first by name.
    pub fn gateway_to(&self, at: &Host, site: Sym) -> Sym {
        let gateways = &self.world.network(at.vnet).gateway.gateways;
        let leads = |row: &Connection| row.peer == site && leads_to_site(self.world.index, row);
        let connected = |gateway: &&Sym| **gateway == site || self.world.index.connections_by_gateway.get(**gateway).iter().any(leads);
        gateways.iter().min_by_key(|gateway| (!connected(gateway), gateway.as_str())).copied().unwrap_or_default()
    }

    /// From one site to another a VPN gateway passes what BGP told it, over connections that both speak it (GW-11).
    ///
    /// ```datalog
    /// tells(G, A, B) :- gateway(G, "vpn", _), connection(_, _, G, A, _, true), connection(_, _, G, B, _, true).   // gateway.12
    /// ```
    fn between_sites(&self, from: Sym, to: Sym, gateway: Sym) -> Step {
        let speaks = |site: Sym| {
            let rows = self.world.index.connections_by_gateway.get(gateway).iter().filter(|row| leads_to_site(self.world.index, row));
            rows.filter(|row| row.bgp).any(|row| self.world.is_within(row.peer, site))
        };
        let passes = self.world.gateway_kind(gateway) == GatewayKind::Vpn && speaks(from) && speaks(to);
        let text = match passes {
            true => format!("gateway {} tells each of the two sites of the other by BGP", short(gateway)),
            false => format!("whether the gateway joins two sites is not known: to {}", short(to)),
        };
        let by = step(Stage::Gateway, if passes { Span::ALL } else { Span::UNKNOWN }, "gateway.12", text).by(gateway, "");
        if passes { by.kind(Kind::Fact) } else { by.kind(Kind::Assumption).code("W-BGP-UNKNOWN") }
    }

    /// What on premises knows the way to: the networks of the gateway and those that use it (GW-07, PEER-09).
    pub fn advertised(&self, room: Sym, packet: &Packet) -> Option<Step> {
        let site = if let Home::Site(site) = self.home { site } else { Sym::EMPTY };
        self.world.untold(self.world.vnet_of(room), site, packet.dst)
    }
}

/// The doubt about an address that a network and a site behind its gateway both have.
fn overlapping(of: Sym, ip: IpAddr) -> Step {
    let text = format!("a network and a site behind the gateway both have {ip}: which of them the gateway chooses is not known");
    step(Stage::Gateway, Span::UNKNOWN, "gateway.6", text).by(of, "").kind(Kind::Assumption).code("W-OVERLAP")
}

/// The doubt about an address that two sites list.
fn shared(wanted: Sym, site: Sym, ip: IpAddr) -> Step {
    let text =
        format!("sites {} and {} both have {ip}: whether it arrives at the one by the other is not known", short(wanted), short(site));
    step(Stage::Gateway, Span::UNKNOWN, "gateway.6", text).by(site, "").kind(Kind::Assumption).code("W-OVERLAP")
}
