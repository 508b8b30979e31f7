//! Through a gateway, out of a network and into it (GW-08, GW-09).

use watertight::facts::network::{ConnectionKind, GatewayKind};
use watertight::model::{Stage, Sym, Tri, Verdict, Via};

use super::filter::Place;
use super::packet::{Addr, Outcome, Packet, any_of, check, one_of};
use super::store::Seen;
use super::walk::{Target, Trip, Walk};
use super::world::name_of;

impl Walk<'_, '_> {
    /// Through a gateway to the site that has the address (GW-09).
    pub fn through_gateway(&self, gateway: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let mut best: Option<u8> = None;
        let mut found: Vec<(Sym, Tri)> = Vec::new();
        let mut unknown = false;
        let mut offer = |site: Sym, length: u8, sure: Tri| {
            if best.is_none_or(|b| length > b) {
                best = Some(length);
                found.clear();
            }
            if best == Some(length) && !found.contains(&(site, sure)) {
                found.push((site, sure));
            }
        };
        for c in world.connections.iter().filter(|c| c.gateway == gateway) {
            unknown |= c.kind != ConnectionKind::Ipsec || c.bgp;
            if c.kind == ConnectionKind::Ipsec {
                for prefix in world.site_space(c.peer).into_iter().filter(|&p| world.in_prefix(packet.dst, p).hi()) {
                    offer(c.peer, prefix.prefix_len(), c.connected.or(Tri::Maybe)); // GW-03
                }
            }
        }
        for pool in world.client_pools.iter().filter(|p| p.gateway == gateway && world.in_prefix(packet.dst, p.prefix).hi()) {
            offer(gateway, pool.prefix.prefix_len(), Tri::Yes);
        }
        if let Target::Front(_) | Target::External(_) = self.target {
            // On premises, and perhaps out to the internet there, with the addresses a person stated.
            let nats = world.site_nats.iter().map(|n| Seen::Public { addr: Addr::Known(n.address), azure: false });
            let each: Vec<Outcome> = nats.map(|seen| self.front_end(packet, seen, Via::Gateway)).collect();
            let refused = !each.is_empty() && each.iter().all(|o| o.verdict == Verdict::Denied);
            return match each.first() {
                Some(first) if refused && !unknown => first.clone(),
                _ => Outcome::unproven(Stage::Gateway, name_of(gateway), "on-premises"),
            };
        }
        let several = world.connections.iter().filter(|c| c.gateway == gateway).count() > 1;
        // What is listed is surely there (GW-04), but another connection may have learned a longer prefix.
        if unknown && (found.is_empty() || several) {
            return Outcome::unproven(Stage::Gateway, name_of(gateway), "W-BGP-UNKNOWN");
        }
        if matches!(packet.dst, Addr::Known(ip) if world.vnet_prefixes.iter().any(|p| p.prefix.contains(&ip))) {
            return Outcome::unproven(Stage::Gateway, name_of(gateway), "W-UNSUPPORTED"); // between networks over the gateway (PEER-10)
        }
        if found.is_empty() {
            return Outcome::denied(Stage::Gateway, name_of(gateway));
        }
        let each = found.into_iter().map(|(site, sure)| {
            check(sure, Stage::Gateway, &name_of(site), "W-CONN-STATE", || self.arrive_at_site(gateway, site, packet, trip))
        });
        let outcome = one_of(each.collect(), Stage::Gateway, "W-OVERLAP");
        // From one site to another only what the gateway passes on by BGP, which nobody told us (GW-11).
        if trip.from_gateway { outcome.doubted(Stage::Gateway, name_of(gateway), "W-BGP-UNKNOWN") } else { outcome }
    }

    fn arrive_at_site(&self, gateway: Sym, site: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        match self.target {
            Target::Site(wanted) if !world.same_site(wanted, site) => return Outcome::denied(Stage::Gateway, name_of(site)),
            Target::Config(_) | Target::Slot(_) => return Outcome::denied(Stage::Gateway, name_of(site)),
            Target::Front(_) | Target::External(_) | Target::Endpoint(..) | Target::Address | Target::Site(_) => {}
        }
        if matches!(self.target, Target::Endpoint(..)) {
            return Outcome::denied(Stage::Gateway, name_of(site));
        }
        let rooms: Vec<Sym> = world.gateway_subnets.iter().filter(|g| g.gateway == gateway).map(|g| g.subnet).collect();
        let back = || rooms.iter().map(|&room| self.reply(room, packet.src, &trip.passed, self.origin)).min().unwrap_or(Tri::Maybe);
        let rule = rooms.first().map_or(String::new(), |&room| self.first_route(room, packet.src));
        self.with_way_back(&rule, back, Via::Gateway)
    }

    /// From a site into the network of a gateway (GW-08).
    pub fn enter_by_gateway(&self, site: Sym, packet: Packet) -> Outcome {
        let world = self.world;
        let mut ways = Vec::new();
        let mut links: Vec<(Sym, Tri, bool)> = world
            .connections
            .iter()
            .filter(|c| world.same_site(site, c.peer))
            .map(|c| (c.gateway, c.connected.or(Tri::Maybe), c.kind == ConnectionKind::Ipsec))
            .collect();
        if world.client_pools.iter().any(|p| p.gateway == site) {
            links.push((site, Tri::Yes, true));
        }
        for (gateway, up, modelled) in links {
            let vpn = world.gateways.iter().any(|g| g.gateway == gateway && g.kind == GatewayKind::Vpn);
            let rooms: Vec<Sym> = world.gateway_subnets.iter().filter(|g| g.gateway == gateway).map(|g| g.subnet).collect();
            if !modelled || !vpn || rooms.is_empty() {
                ways.push(Outcome::unproven(Stage::Gateway, name_of(gateway), "W-UNSUPPORTED"));
                continue;
            }
            for room in rooms {
                let place = Place { subnet: room, nic: None, endpoint: None };
                let trip = Trip { from_gateway: true, ..Trip::default() };
                ways.push(check(up, Stage::Gateway, &name_of(gateway), "W-CONN-STATE", || self.forward(place, packet, &trip)));
            }
        }
        if ways.is_empty() {
            return Outcome::denied(Stage::Gateway, "no connection");
        }
        let outcome = any_of(ways);
        self.device(outcome, Via::Gateway)
    }
}
