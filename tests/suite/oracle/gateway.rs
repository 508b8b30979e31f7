//! Through a gateway: out of a network, into it, from one network to another (GW-08 to GW-12, PEER-09, PEER-10).

use watertight::explain::way::End;
use watertight::facts::network::{Connection, ConnectionKind, GatewayKind, LearnedRoute};
use watertight::model::{Stage, Sym, Tri, Verdict, Via};

use super::filter::Place;
use super::packet::{Addr, Outcome, Packet, any_of, check};
use super::route::Hop;
use super::store::Seen;
use super::walk::{Back, Origin, Target, Trip, Walk};
use super::world::{World, name_of};

/// What a gateway has for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Behind {
    Site(Sym),
    Network(Sym),
    Hub(Sym),
}

impl World<'_> {
    fn rooms(&self, gateway: Sym) -> Vec<Sym> {
        self.gateway_subnets.iter().filter(|g| g.gateway == gateway).map(|g| g.subnet).collect()
    }

    fn is_vpn(&self, gateway: Sym) -> bool {
        self.gateways.iter().any(|g| g.gateway == gateway && g.kind == GatewayKind::Vpn)
    }

    /// Everything with the longest prefix behind the gateways of a network, and whether something unknown is there besides.
    fn behind(&self, vnet: Sym, dst: Addr) -> (Vec<(Behind, Tri)>, bool) {
        let holds = |p: &watertight::model::Prefix| self.in_prefix(dst, *p).hi();
        let mut unknown = false;
        for route in self.gateway_routes(vnet) {
            unknown |= route.prefix.is_none();
        }
        let mut hubs: Vec<(u8, Behind, Tri)> = Vec::new();
        for route in self.hub_announces(vnet) {
            if let Some(prefix) = route.prefix.filter(holds) {
                hubs.push((prefix.prefix_len(), Behind::Hub(route.gateway), route.sure));
            }
        }
        let mut longest: Vec<(u8, Behind, Tri)> = Vec::new();
        for gateways in self.gateways_at_once(vnet) {
            let mut all = hubs.clone();
            for (gateway, usable) in gateways {
                self.behind_one(gateway, usable, dst, &mut all);
            }
            let best = all.iter().map(|(length, _, _)| *length).max();
            longest.extend(all.into_iter().filter(|(length, _, _)| Some(*length) == best));
        }
        let mut found: Vec<(Behind, Tri)> = Vec::new();
        for (_, behind, sure) in longest {
            match found.iter_mut().find(|(b, _)| *b == behind) {
                Some((_, known)) => *known = known.or(sure),
                None => found.push((behind, sure)),
            }
        }
        found.sort();
        (found, unknown)
    }

    /// What one gateway has for an address, with the length of each prefix.
    fn behind_one(&self, gateway: Sym, usable: Tri, dst: Addr, all: &mut Vec<(u8, Behind, Tri)>) {
        let holds = |p: &watertight::model::Prefix| self.in_prefix(dst, *p).hi();
        for c in self.connections.iter().filter(|c| c.gateway == gateway && c.kind == ConnectionKind::Ipsec) {
            let sure = c.connected.or(Tri::Maybe).and(usable).and(self.has_tunnels(gateway));
            all.extend(self.set_up_for(c.peer).into_iter().filter(holds).map(|p| (p.prefix_len(), Behind::Site(c.peer), sure)));
            if self.default_sites.iter().any(|d| d.gateway == gateway && d.site == c.peer) {
                all.push((0, Behind::Site(c.peer), sure));
            }
        }
        for (prefix, site, sure) in self.told_by(gateway).into_iter().filter(|(p, _, _)| holds(p)) {
            all.extend(site.map(|site| (prefix.prefix_len(), Behind::Site(site), sure.and(usable))));
        }
        for pool in self.client_pools.iter().filter(|p| p.gateway == gateway && holds(&p.prefix)) {
            all.push((pool.prefix.prefix_len(), Behind::Site(gateway), usable.and(self.has_tunnels(gateway))));
        }
        for (prefix, network, sure) in self.networks_across(gateway).into_iter().filter(|(p, _, _)| holds(p)) {
            all.push((prefix.prefix_len(), Behind::Network(network), sure.and(usable)));
        }
    }

    /// How many connections the gateways of a network have at least: one for circuits has one, whether it was exported or not.
    fn links_of(&self, vnet: Sym) -> usize {
        let links = |gateway: Sym| self.connections.iter().filter(|c| c.gateway == gateway).count();
        self.gateways_of(vnet).iter().map(|(g, _)| if self.is_vpn(*g) { links(*g) } else { links(*g).max(1) }).sum()
    }

    /// The addresses that a gateway is set up to send over a connection to a local network gateway: what a person says besides of the site it does not know.
    pub fn set_up_for(&self, peer: Sym) -> Vec<watertight::model::Prefix> {
        self.local_prefixes.iter().filter(|p| p.site == peer).map(|p| p.prefix).collect()
    }

    /// Whether what the gateways of `vnet` get from `subnet` for an address arrives at the site (GW-09).
    pub fn gateways_answer_site(&self, subnet: Sym, vnet: Sym, site: Sym, to: Addr) -> Tri {
        let (behind, unknown) = self.behind(vnet, to);
        if unknown && (behind.is_empty() || self.links_of(vnet) > 1) || self.saw_more_announced(subnet, vnet, to) {
            return Tri::Maybe;
        }
        let mut each = Vec::new();
        for (behind, sure) in behind {
            each.push(match behind {
                Behind::Site(other) if self.is_at(site, other, to) => sure,
                // Two that list one address may be one.
                Behind::Site(_) if !self.is_nowhere(site) && !self.site_space(site).into_iter().any(|p| self.in_prefix(to, p).hi()) => {
                    Tri::No
                }
                _ => Tri::Maybe,
            });
        }
        match (each.contains(&Tri::Yes), each.contains(&Tri::Maybe), each.contains(&Tri::No)) {
            (true, false, false) => Tri::Yes,
            (false, false, _) => Tri::No,
            _ => Tri::Maybe,
        }
    }

    /// The network that a gateway in `room` passes a packet on to by its own routes, and whether that is certain.
    fn passes_on(&self, room: Sym, dst: Addr) -> Option<(Sym, Tri)> {
        let candidates = self.candidates(room, dst);
        let network = candidates.iter().find_map(|c| match c.hop {
            Hop::Local => self.vnet_of(room),
            Hop::Peering(peering) => self.peerings.iter().find(|p| p.peering == peering).map(|p| p.remote),
            _ => None,
        })?;
        let certain = candidates.len() == 1 && candidates[0].sure.lo() && !self.also_behind(room, dst);
        Some((network, if certain { Tri::Yes } else { Tri::Maybe }))
    }

    /// Whether a site or a client has the address by a prefix no shorter than those of the networks that the gateway in `room` is joined with (GW-09).
    fn also_behind(&self, room: Sym, dst: Addr) -> bool {
        let Some(vnet) = self.vnet_of(room) else { return false };
        let mut near = self.space(vnet);
        for p in self.peerings.iter().filter(|p| p.vnet == vnet && self.is_connected(p).hi()) {
            near.extend(self.remote_space(p).into_iter().map(|(prefix, _)| prefix));
        }
        let mut far = Vec::new();
        for (gateway, _) in self.gateways_of(vnet) {
            let links = self.connections.iter().filter(|c| c.gateway == gateway && c.kind == ConnectionKind::Ipsec);
            far.extend(links.flat_map(|c| self.set_up_for(c.peer)));
            far.extend(self.told_by(gateway).into_iter().filter_map(|(prefix, site, _)| site.map(|_| prefix)));
            far.extend(self.client_pools.iter().filter(|p| p.gateway == gateway).map(|p| p.prefix));
        }
        let longest =
            |all: &[watertight::model::Prefix]| all.iter().filter(|p| self.in_prefix(dst, **p).hi()).map(|p| p.prefix_len()).max();
        longest(&far).is_some() && longest(&far) >= longest(&near)
    }

    /// Whether somebody saw a route to the gateway for the address that is longer than all that is known to be announced (RTE-07).
    fn saw_more_announced(&self, subnet: Sym, vnet: Sym, dst: Addr) -> bool {
        let to_gateway = |word: Sym| word.as_str() == "virtualnetworkgateway";
        let rows = self.seen_at(subnet).unwrap_or_default().into_iter().filter(|r| to_gateway(r.source) && to_gateway(r.hop));
        let seen: Vec<_> = rows.map(|r| r.prefix).filter(|p| self.in_prefix(dst, *p).hi()).collect();
        let known: Vec<_> =
            self.gateway_routes(vnet).into_iter().filter_map(|r| r.prefix).filter(|p| self.in_prefix(dst, *p).hi()).collect();
        seen.iter().any(|s| known.iter().all(|k| k.prefix_len() < s.prefix_len()))
    }

    /// Whether a gateway is one for tunnels, where the input has it.
    pub fn has_tunnels(&self, gateway: Sym) -> Tri {
        let other = self.gateways.iter().any(|g| g.gateway == gateway && g.kind != GatewayKind::Vpn);
        if other { Tri::Maybe } else { Tri::Yes }
    }

    /// Whether what `vnet` hands to its gateways for `to` comes to the network `home`.
    pub fn gateways_bring_home(&self, subnet: Sym, vnet: Sym, to: Addr, home: Sym) -> Tri {
        let mut best = Tri::No;
        for (gateway, _) in self.gateways_of(vnet) {
            for room in self.rooms(gateway) {
                if let Some((network, sure)) = self.passes_on(room, to) {
                    let sure = if self.is_vpn(gateway) { sure } else { sure.and(Tri::Maybe) };
                    let sure = if self.has_several_lenders(vnet) { sure.and(Tri::Maybe) } else { sure };
                    best = best.or(Tri::from_bool(network == home).and(sure));
                }
            }
        }
        let (behind, unknown) = self.behind(vnet, to);
        for (behind, sure) in behind {
            match behind {
                Behind::Hub(hub) => best = best.or(self.hub_brings_home(vnet, hub, to, home).and(sure)),
                Behind::Network(network) => {
                    for (gateway, _) in self.gateways_of(network) {
                        for room in self.rooms(gateway) {
                            let there = self.passes_on(room, to);
                            best = best.or(there.map_or(Tri::No, |(n, s)| Tri::from_bool(n == home).and(s)).and(sure));
                        }
                    }
                }
                Behind::Site(_) => {}
            }
        }
        if unknown || self.saw_more_announced(subnet, vnet, to) { best.or(Tri::Maybe) } else { best }
    }

    /// Whether routes of the site are learned, so that it may have more addresses than are listed (GW-04).
    pub fn learns_more_of(&self, site: Sym) -> bool {
        self.connections
            .iter()
            .filter(|c| self.ends_at(c, site))
            .any(|c| self.may_learn_over(c) && !self.is_all_told(c.gateway) || self.is_blank_site(c))
            || self.is_nowhere(site)
    }

    /// Whether the input has no address of a site that is connected.
    pub fn is_nowhere(&self, site: Sym) -> bool {
        self.site_space(site).is_empty() && self.connections.iter().any(|c| self.ends_at(c, site))
    }

    /// Whether BGP may tell the gateway of a connection more than is set up: always over one for circuits, or of which nobody says what it is.
    fn may_learn_over(&self, c: &Connection) -> bool {
        let lost = !self.gateways.iter().any(|g| g.gateway == c.gateway);
        let speaks = self.local_gateways.iter().any(|l| l.site == c.peer && l.bgp);
        match c.kind {
            ConnectionKind::Ipsec => {
                c.bgp || self.both_speak_bgp(c) || lost && speaks || !self.local_gateways.iter().any(|l| l.site == c.peer)
            }
            ConnectionKind::VnetToVnet => c.bgp,
            ConnectionKind::ExpressRoute | ConnectionKind::Unknown => true,
            ConnectionKind::VpnClient => false,
        }
    }

    /// Whether the other end of a connection is the site: that of one between gateways is a network, whoever else dials in there.
    pub fn ends_at(&self, c: &Connection, site: Sym) -> bool {
        let between = c.kind == ConnectionKind::VnetToVnet || self.gateways.iter().any(|g| g.gateway == c.peer);
        !between && self.same_site(c.peer, site)
    }

    /// The connections at whose other end somebody may have told a gateway a route: his by his address, else every one over which it listens.
    pub fn tellers(&self, row: &LearnedRoute) -> Vec<&Connection> {
        let known = self.gateways.iter().any(|g| g.gateway == row.gateway);
        let all: Vec<&Connection> =
            self.connections.iter().filter(|c| known && c.gateway == row.gateway && self.may_learn_over(c)).collect();
        let his = |c: &&&Connection| self.local_speakers.iter().any(|s| s.site == c.peer && Some(s.address) == row.peer);
        let named: Vec<&Connection> = all.iter().filter(his).copied().collect();
        let says = |c: &&Connection| self.local_speakers.iter().any(|s| s.site == c.peer);
        if named.is_empty() && row.peer.is_some() && all.iter().all(says) {
            return Vec::new(); // each says that it speaks from somewhere else
        }
        if named.is_empty() { all } else { named }
    }

    /// Whether somebody looked at what the gateway learned, and of every route one end alone can have told it.
    pub fn is_all_told(&self, gateway: Sym) -> bool {
        let told = |row: &&LearnedRoute| row.gateway == gateway;
        let outside = |row: &LearnedRoute| row.origin.as_str() == "ebgp";
        let settled = |row: &LearnedRoute| match outside(row) {
            true => self.tellers(row).len() == 1,
            false => self.learned.iter().filter(told).any(|o| o.prefix == row.prefix && outside(o)),
        };
        let rows: Vec<&LearnedRoute> = self.learned.iter().filter(told).collect();
        // Of what its other instance has from outside who told it counts there.
        self.looked_at.iter().any(|l| l.gateway == gateway) && rows.into_iter().all(settled)
    }

    /// The sites that told the gateway of prefixes, and how surely; nobody where that came from nobody who is known.
    pub fn told_by(&self, gateway: Sym) -> Vec<(watertight::model::Prefix, Option<Sym>, Tri)> {
        let mut all = Vec::new();
        for row in self.learned.iter().filter(|row| row.gateway == gateway && self.looked_at.iter().any(|l| l.gateway == gateway)) {
            let again = |o: &LearnedRoute| o.gateway == gateway && o.prefix == row.prefix && o.origin.as_str() == "ebgp";
            let from = self.tellers(row);
            let outside = row.origin.as_str() == "ebgp";
            if !outside && self.learned.iter().any(again) {
                continue;
            }
            if from.is_empty() || !outside {
                all.push((row.prefix, None, Tri::Maybe));
                continue;
            }
            let circuits = self.gateways.iter().any(|g| g.gateway == gateway && g.kind == GatewayKind::ExpressRoute);
            for c in &from {
                let sure = match c.kind {
                    ConnectionKind::Ipsec => c.connected.or(Tri::Maybe),
                    ConnectionKind::ExpressRoute if circuits => c.connected.or(Tri::Maybe),
                    ConnectionKind::ExpressRoute => Tri::Maybe,
                    _ => continue,
                };
                all.push((row.prefix, Some(c.peer), if from.len() == 1 { sure } else { Tri::Maybe }));
            }
        }
        all
    }

    /// Whether a connection leads to a local network gateway that the input tells nothing of.
    pub fn is_blank_site(&self, c: &Connection) -> bool {
        let told = self.local_gateways.iter().any(|l| l.site == c.peer)
            || self.gateways.iter().any(|g| g.gateway == c.peer)
            || self.sites.iter().any(|s| s.site == c.peer);
        c.kind == ConnectionKind::Ipsec && !c.peer.is_empty() && !told
    }
}

impl Walk<'_, '_> {
    /// Handed to the gateways of `vnet` from `subnet` (GW-09).
    pub fn through_gateway(&self, subnet: Sym, vnet: Sym, gateway: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        if let Target::Front(_) | Target::External(_) = self.target {
            if world.hubs.iter().any(|h| h.hub == gateway) {
                return self.hub_to_front(vnet, gateway, packet);
            }
            return self.to_front_by_site(vnet, gateway, packet);
        }
        // Into a network that the gateway itself is joined with (PEER-10).
        let mut back = Vec::new();
        let mut contested = false;
        for (gateway, _) in world.gateways_of(vnet) {
            for room in world.rooms(gateway) {
                contested |= world.also_behind(room, packet.dst);
                if room == subnet || trip.gateways.contains(&gateway) || world.passes_on(room, packet.dst).is_none() {
                    continue;
                }
                let sure = if world.is_vpn(gateway) && !world.has_several_lenders(vnet) { Tri::Yes } else { Tri::Maybe };
                let place = Place { subnet: room, nic: None, endpoint: None };
                let mut onward = trip.clone();
                onward.from_gateway = true;
                onward.gateways.push(gateway);
                back.push(check(sure, Stage::Gateway, &name_of(gateway), "W-UDR-VNG", || self.forward(place, packet, &onward)));
            }
        }
        if !back.is_empty() {
            if contested {
                back.push(self.behind_the_gateway(subnet, vnet, gateway, packet, trip));
                return any_of(back).doubted(Stage::Gateway, name_of(gateway), "W-OVERLAP");
            }
            return any_of(back);
        }
        self.behind_the_gateway(subnet, vnet, gateway, packet, trip)
    }

    /// To a site, a network or a hub that the routes of the gateways lead to.
    fn behind_the_gateway(&self, subnet: Sym, vnet: Sym, gateway: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let (found, unknown) = world.behind(vnet, packet.dst);
        if world.saw_more_announced(subnet, vnet, packet.dst) {
            return Outcome::unproven(Stage::Gateway, name_of(gateway), "W-BGP-UNKNOWN");
        }
        let links = world.links_of(vnet);
        if found.is_empty() {
            let name = name_of(gateway);
            return if unknown { Outcome::unproven(Stage::Gateway, name, "W-BGP-UNKNOWN") } else { Outcome::denied(Stage::Gateway, name) };
        }
        let lost = world.unseen_gateways(vnet);
        let is_lost = |name: Sym| lost.contains(&name) || world.default_sites.iter().any(|d| d.site == name);
        let unseen = || world.gateway_routes(vnet).iter().any(|route| route.prefix.is_none() && is_lost(route.gateway));
        let several = found.len() > 1 || (unknown && links > 1) || unseen();
        let each = found.into_iter().map(|(behind, sure)| match behind {
            Behind::Hub(hub) => self.through_hub(vnet, hub, packet, trip),
            Behind::Network(network) => self.across(vnet, network, sure, packet, trip),
            Behind::Site(site) => self.to_site(vnet, site, sure, packet, trip),
        });
        let outcome = any_of(each.collect());
        if several { outcome.doubted(Stage::Gateway, "", "W-OVERLAP") } else { outcome }
    }

    /// On premises, and perhaps out to the internet there, with the addresses a person stated.
    fn to_front_by_site(&self, vnet: Sym, gateway: Sym, packet: Packet) -> Outcome {
        let world = self.world;
        let unknown = world.gateway_routes(vnet).iter().any(|r| r.prefix.is_none());
        let stated = world.site_nats.iter().map(|n| Addr::Known(n.address));
        let nats = if world.site_nats.is_empty() { vec![Addr::SomePublic] } else { stated.collect() };
        let seen = nats.into_iter().map(|addr| Seen::Public { addr, azure: false });
        let each: Vec<Outcome> = seen.map(|seen| self.front_end(packet, seen, Via::Gateway)).collect();
        let refused = !each.is_empty() && each.iter().all(|o| o.verdict == Verdict::Denied);
        match each.first() {
            Some(first) if refused && !unknown => first.clone(),
            _ => Outcome::unproven(Stage::Gateway, name_of(gateway), "on-premises"),
        }
    }

    /// Into another network, over a connection of its own gateways.
    fn across(&self, vnet: Sym, network: Sym, sure: Tri, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let here: Vec<Sym> = world.gateways_of(vnet).into_iter().map(|(g, _)| g).collect();
        let mut ways = Vec::new();
        for (gateway, _) in world.gateways_of(network) {
            if here.contains(&gateway) || trip.gateways.contains(&gateway) {
                continue;
            }
            for room in world.rooms(gateway) {
                let mut onward = trip.clone();
                onward.from_gateway = true;
                onward.gateways.extend(here.iter().copied());
                onward.gateways.push(gateway);
                let place = Place { subnet: room, nic: None, endpoint: None };
                let joins =
                    |c: &Connection| (here.contains(&c.gateway) && c.peer == gateway) || (c.gateway == gateway && here.contains(&c.peer));
                let odd = |c: &Connection| joins(c) && !(world.is_vpn(c.gateway) && world.is_vpn(c.peer));
                let code = if world.connections.iter().any(odd) { "W-UNSUPPORTED" } else { "W-CONN-STATE" };
                ways.push(check(sure, Stage::Gateway, &name_of(gateway), code, || self.forward(place, packet, &onward)));
            }
        }
        any_of(ways)
    }

    fn to_site(&self, vnet: Sym, site: Sym, sure: Tri, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let inside = matches!(packet.dst, Addr::Known(ip) if world.vnet_prefixes.iter().any(|p| p.prefix.contains(&ip)));
        if inside || matches!(self.target, Target::Config(_) | Target::Slot(_) | Target::Endpoint(..)) {
            return Outcome::unproven(Stage::Gateway, name_of(site), "W-UNSUPPORTED");
        }
        if let Target::Site(wanted) = self.target
            && !world.is_at(wanted, site, packet.dst)
        {
            // Where two list the address the one may be part of the other.
            let both = world.is_nowhere(wanted) || world.site_space(wanted).into_iter().any(|p| world.in_prefix(packet.dst, p).hi());
            return match both {
                true => Outcome::unproven(Stage::Gateway, name_of(site), "W-OVERLAP"),
                false => Outcome::denied(Stage::Gateway, name_of(site)),
            };
        }
        let gateways: Vec<Sym> = world.gateways_of(vnet).into_iter().map(|(g, _)| g).collect();
        let linked = |g: &&Sym| **g == site || world.connections.iter().any(|c| c.gateway == **g && c.peer == site);
        let answers = gateways.iter().find(linked).or(gateways.first());
        let rooms: Vec<Sym> = answers.map(|&g| world.rooms(g)).unwrap_or_default();
        let back = |flags| {
            let told = |room: Sym| self.is_told_of(room, site, packet.src);
            rooms.first().map_or(Tri::Yes, |&room| {
                self.reply(Back::of(packet.dst, flags), room, packet.src, &trip.passed, self.origin).and(told(room))
            })
        };
        let rule = rooms.first().map_or(String::new(), |&room| self.first_route(room, packet.src));
        let arrived = || {
            let listed = world.site_space(site).into_iter().any(|p| p.prefix_len() > 0 && world.in_prefix(packet.dst, p).hi());
            let delivered = self.with_way_back(&rule, back, Via::Gateway);
            let forced = !listed && world.is_public_addr(packet.dst).lo();
            if forced { delivered.doubted(Stage::Gateway, name_of(site), "W-UNSUPPORTED") } else { delivered }
        };
        let outcome = check(sure, Stage::Gateway, &name_of(site), "W-CONN-STATE", arrived);
        let Origin::Site(from) = self.origin else { return outcome };
        // From one site to another only what the gateway passes on by BGP (GW-11).
        let speaks = |wanted: Sym| {
            world.connections.iter().any(|c| gateways.contains(&c.gateway) && world.ends_at(c, wanted) && c.bgp && world.is_vpn(c.gateway))
        };
        if trip.passed.is_empty() && !(speaks(from) && speaks(site)) {
            return outcome.doubted(Stage::Gateway, name_of(site), "W-BGP-UNKNOWN");
        }
        outcome
    }

    /// From a site into the network of a gateway (GW-08).
    pub fn enter_by_gateway(&self, site: Sym, packet: Packet) -> Outcome {
        let world = self.world;
        let mut ways = Vec::new();
        let mut links: Vec<(Sym, Tri, bool, &str)> = Vec::new();
        let known = |c: &Connection| world.ends_at(c, site) || world.overlaps(site, c.peer);
        for c in world.connections.iter().filter(|c| world.may_lead_to(c, site) && !known(c)) {
            ways.push(Outcome::unproven(Stage::Gateway, name_of(c.gateway), "W-MISSING"));
        }
        for c in world.connections.iter().filter(|c| known(c)) {
            let fits = match world.gateways.iter().find(|g| g.gateway == c.gateway).map(|g| g.kind) {
                Some(GatewayKind::Vpn) => c.kind == ConnectionKind::Ipsec,
                Some(GatewayKind::ExpressRoute) => c.kind == ConnectionKind::ExpressRoute && c.connected.lo(),
                _ => false,
            };
            // A site of unknown addresses is perhaps where another is.
            let same = world.ends_at(c, site) || !world.is_nowhere(site);
            let (most, code) = if same { (Tri::Yes, "W-CONN-STATE") } else { (Tri::Maybe, "W-OVERLAP") };
            links.push((c.gateway, c.connected.or(Tri::Maybe).and(most), fits, code));
        }
        if world.client_pools.iter().any(|p| p.gateway == site) {
            links.push((site, Tri::Yes, world.is_vpn(site), "W-CONN-STATE"));
        }
        for (gateway, up, fits, code) in links {
            let rooms = world.rooms(gateway);
            if !fits || rooms.is_empty() {
                ways.push(Outcome::unproven(Stage::Gateway, name_of(gateway), "W-UNSUPPORTED"));
                continue;
            }
            for room in rooms {
                let place = Place { subnet: room, nic: None, endpoint: None };
                let trip = Trip { from_gateway: true, ..Trip::default() };
                let told = self.is_told_of(room, site, packet.dst);
                ways.push(check(up, Stage::Gateway, &name_of(gateway), code, || {
                    check(told, Stage::Gateway, "", "W-BGP-UNKNOWN", || self.forward(place, packet, &trip))
                }));
            }
        }
        if ways.is_empty() {
            return Outcome::denied(Stage::Gateway, "no connection");
        }
        let outcome = any_of(ways);
        self.device(outcome, Via::Gateway)
    }

    /// Whether the site is told of the network that has the address: a peer that does not use the gateway is not (PEER-09).
    /// Where it learns by BGP, a summary stands for the gateway's own network (GW-07).
    fn is_told_of(&self, room: Sym, site: Sym, dst: Addr) -> Tri {
        let world = self.world;
        let (Some(vnet), Addr::Known(ip)) = (world.vnet_of(room), dst) else { return Tri::Yes };
        if world.in_space(vnet, ip) {
            let summaries: Vec<_> = world.gateway_summaries.iter().filter(|row| row.vnet == vnet).collect();
            let left_out = !summaries.is_empty() && !summaries.iter().any(|row| row.prefix.contains(&ip));
            let told = !left_out || !world.connections.iter().filter(|c| world.ends_at(c, site)).any(|c| world.may_learn_over(c));
            return if told { Tri::Yes } else { Tri::Maybe };
        }
        let ours: Vec<Sym> = world.gateways_of(vnet).into_iter().map(|(g, _)| g).collect();
        let mut peers = Vec::new();
        for p in world.peerings.iter().filter(|p| p.vnet == vnet && world.is_connected(p).hi()) {
            if world.remote_space(p).iter().any(|(prefix, _)| prefix.contains(&ip)) {
                let uses = world.gateways_of(p.remote).iter().any(|(g, _)| ours.contains(g));
                peers.push(uses && !world.has_several_lenders(p.remote));
            }
        }
        if peers.is_empty() || peers.contains(&true) { Tri::Yes } else { Tri::Maybe }
    }
}

impl World<'_> {
    /// Behind a peer that nobody exported any site may be that a person stated, and behind one that nobody names any at all.
    pub fn may_lead_to(&self, c: &Connection, site: Sym) -> bool {
        let stated = |s: Sym| self.sites.iter().any(|row| row.site == s);
        let listed = |s: Sym| self.local_gateways.iter().any(|row| row.site == s);
        if c.peer.is_empty() {
            return c.kind != ConnectionKind::VpnClient;
        }
        c.kind == ConnectionKind::Ipsec && stated(site) && !listed(c.peer) && !stated(c.peer)
    }

    /// Whether a gateway brings in what the site sends (GW-02, VW-01).
    pub fn is_joined(&self, site: Sym) -> bool {
        let leads = |c: &Connection| self.ends_at(c, site) || self.overlaps(site, c.peer) || self.may_lead_to(c, site);
        self.connections.iter().any(leads) || self.client_pools.iter().any(|p| p.gateway == site) || self.is_branch(site)
    }

    /// Whether the site is a VPN site of a virtual WAN, or has addresses of one.
    pub fn is_branch(&self, site: Sym) -> bool {
        let branch = |id: Sym| id.as_str().contains("/providers/microsoft.network/vpnsites/");
        self.local_gateways.iter().any(|l| branch(l.site) && (l.site == site || self.same_site(l.site, site)))
    }

    /// Whether a connection that translates addresses may carry what goes between the two ends (GW-14).
    pub fn may_translate(&self, a: End, b: End) -> bool {
        let translates = |c: &Connection| {
            let mut limits = self.connection_limits.iter().filter(|l| l.connection == c.connection);
            limits.any(|l| l.property.as_str().ends_with("gressNatRules"))
        };
        let behind = |c: &Connection, end: End| match end {
            End::Site(site) => self.same_site(c.peer, site),
            End::Ip(ip) => !self.vnet_prefixes.iter().any(|p| p.prefix.contains(&ip)),
            _ => false,
        };
        let outside = |end: End| matches!(end, End::Internet(_));
        let way = |c: &Connection, far: End, near: End| behind(c, far) && !outside(near);
        self.connections.iter().any(|c| translates(c) && (way(c, a, b) || way(c, b, a)))
    }

    /// What of the estate may have an address that nobody lists, by the stage at which that shows.
    pub fn who_else_has(&self, ip: std::net::IpAddr) -> Vec<Outcome> {
        let mut all = Vec::new();
        let mut found = |stage, code| all.push(Outcome::unproven(stage, "unlisted", code));
        for vnet in self.vnets.iter().map(|v| v.vnet).filter(|&v| !self.in_space(v, ip)) {
            for route in self.gateway_routes(vnet) {
                let hub = self.hubs.iter().any(|h| h.hub == route.gateway);
                if route.prefix.is_none_or(|p| hub && p.contains(&ip)) {
                    found(Stage::Gateway, route.code);
                }
            }
            for p in self.peerings.iter().filter(|p| p.vnet == vnet && self.is_connected(p).hi() && !self.has_vnet(p.remote)) {
                let space = self.remote_space(p);
                if p.forwarded || space.is_empty() || space.iter().any(|(prefix, _)| prefix.contains(&ip)) {
                    found(Stage::Route, "W-MISSING");
                }
            }
        }
        for vnet in self.vnets.iter().map(|v| v.vnet).filter(|&v| self.in_space(v, ip)) {
            if self.hides_a_subnet(vnet) && !self.subnets.iter().any(|s| self.subnet_space(s.subnet).iter().any(|p| p.contains(&ip))) {
                found(Stage::Route, "W-MISSING");
            }
        }
        let away = ["virtualnetworkgateway", "vnetpeering", "vnetglobalpeering", "connectedgroup"];
        let leads = |r: &watertight::facts::network::ObservedRoute| {
            r.prefix.contains(&ip) && r.source.as_str() != "user" && away.contains(&r.hop.as_str())
        };
        if self.seen_routes.iter().any(leads) && !self.vnet_prefixes.iter().any(|p| p.prefix.contains(&ip)) {
            found(Stage::Route, "W-UNSUPPORTED");
        }
        all
    }

    /// Whether the two ends of a connection are set to speak BGP.
    pub fn both_speak_bgp(&self, c: &Connection) -> bool {
        self.gateways.iter().any(|g| g.gateway == c.gateway && g.bgp) && self.local_gateways.iter().any(|l| l.site == c.peer && l.bgp)
    }

    /// Whether a local network gateway has addresses of a site that a person stated, or of one of which nobody knows any.
    pub fn overlaps(&self, site: Sym, peer: Sym) -> bool {
        let known = self.local_gateways.iter().any(|l| l.site == peer);
        let stated = known && self.sites.iter().any(|s| s.site == site);
        let theirs: Vec<_> = self.local_prefixes.iter().filter(|p| p.site == peer).map(|p| p.prefix).collect();
        known && self.is_nowhere(site)
            || stated && self.site_space(site).iter().any(|a| theirs.iter().any(|b| watertight::model::net::overlap(a, b)))
    }
}
