//! Load balancers: which rule takes a packet at a frontend, and whom it is handed to.

mod pooled;
mod takers;

use std::net::IpAddr;

use watertight::facts::load_balancing::{BalancerProtocol, BalancerSku, LoadBalancingRule};
use watertight::model::{Proto, Stage, Sym, Tri, Verdict, Via};

use super::filter::Place;
use super::packet::{Addr, Called, Outcome, Packet, all_of, any_of, check};
use super::walk::{Back, Origin, Target, Trip, Walk};
use super::world::name_of;

/// A rule that takes a packet.
#[derive(Clone, Debug)]
struct Taker {
    rule: Sym,
    /// Whether it surely takes it.
    sure: bool,
    /// The port the members get.
    port: u16,
    floating: bool,
    probe: Sym,
    /// Pools of members; a NAT rule itself stands for its targets.
    pools: Vec<Sym>,
    /// How many ports of the frontend a NAT rule has; 0 for a load balancing rule.
    width: u32,
}

/// A member of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    what: What,
    down: bool,
    /// Whether the pool lists it by names of instances, and its profile does not say so: that is known of some.
    of_some: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// A machine's configuration.
    Config { config: Sym, nic: Sym, subnet: Sym },
    /// A frontend in a region.
    Frontend(Sym),
    /// An interface without a machine, or an address that nobody has.
    Nobody,
    /// Not in the input.
    Missing,
    /// Any machine, for all that the input says.
    Anybody,
}

/// What becomes of a packet that a member gets: its configuration, and the packet with the port already translated.
type Arrive<'f> = &'f dyn Fn(Sym, Sym, Place, Packet) -> Outcome;

impl Walk<'_, '_> {
    /// At an internal frontend (ILB-01 to ILB-08).
    pub fn at_frontend(&self, frontend: Sym, vnet: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let arrive = |_: Sym, _: Sym, place: Place, inside: Packet| {
            let rule = self.first_route(place.subnet, packet.src);
            let answers = self.answers_by(place.nic, place.subnet, packet.src);
            let back = |flags| self.reply(Back::of(inside.dst, flags), place.subnet, packet.src, &trip.passed, self.origin).and(answers);
            self.world.filter_in(place, &inside, || self.with_way_back(&rule, back, Via::LoadBalancer))
        };
        let near = self.same_region(frontend, vnet, trip).and(self.world.is_alone_at_its_address(frontend));
        let outcome = check(near, Stage::LoadBalancer, "sku=Basic", "W-MISSING", || self.behind(frontend, packet, &arrive));
        self.device(outcome, Via::LoadBalancer)
    }

    /// A Basic load balancer is not met across global peering (PEER-11).
    fn same_region(&self, frontend: Sym, vnet: Sym, trip: &Trip) -> Tri {
        let world = self.world;
        let Some(from) = trip.from.filter(|&from| from != vnet) else { return Tri::Yes };
        let (here, there) = (world.vnet_region(from), world.vnet_region(vnet));
        match world.sku_of(frontend) {
            BalancerSku::Standard => Tri::Yes,
            _ if here == there && !here.is_empty() => Tri::Yes,
            BalancerSku::Basic if !here.is_empty() && !there.is_empty() => Tri::No,
            _ => Tri::Maybe,
        }
    }

    /// At a public frontend (IN-03 to IN-06).
    pub fn at_public_frontend(&self, frontend: Sym, packet: Packet) -> Outcome {
        let arrive = |front: Sym, config: Sym, place: Place, inside: Packet| self.in_by(front, config, place, inside, packet.src);
        self.behind(frontend, packet, &arrive)
    }

    /// In front of a machine that a public frontend leads to: closed until a group opens it (IN-03).
    fn in_by(&self, frontend: Sym, _config: Sym, place: Place, inside: Packet, client: Addr) -> Outcome {
        let world = self.world;
        let open = match world.closed_by_default(frontend) {
            _ if !world.groups_at(place).is_empty() => Tri::Yes,
            closed if world.vnet_of(place.subnet).is_none() => closed.negated().or(Tri::Maybe),
            closed => closed.negated(),
        };
        let nowhere = matches!(inside.dst, Addr::Known(ip) if ip.is_unspecified()) && world.is_untold(place.subnet);
        check(open, Stage::NsgInbound, "secure by default", "W-MISSING", || {
            if nowhere {
                return self.at_no_address(place, client);
            }
            let rule = self.first_route(place.subnet, client);
            let back = |flags| {
                self.reply(Back::of(inside.dst, flags), place.subnet, client, &[], Origin::Internet).and(self.answers_by(
                    place.nic,
                    place.subnet,
                    client,
                ))
            };
            world.filter_in(place, &inside, || self.with_way_back(&rule, back, Via::LoadBalancer))
        })
    }

    /// Whoever is behind the frontend gets the packet by the rule that takes it.
    fn behind(&self, frontend: Sym, packet: Packet, arrive: Arrive<'_>) -> Outcome {
        let world = self.world;
        if world.sku_of(frontend) == BalancerSku::Gateway {
            return Outcome::unproven(Stage::LoadBalancer, "sku=Gateway", "W-UNSUPPORTED");
        }
        let outcome = match packet.proto {
            Proto::Icmp if self.hides(frontend) => Outcome::denied(Stage::LoadBalancer, "no-rule"),
            Proto::Icmp => Outcome::unproven(Stage::LoadBalancer, "icmp", "W-UNSUPPORTED"), // ILB-02
            Proto::Esp | Proto::Ah => Outcome::denied(Stage::LoadBalancer, "no-rule"),
            Proto::Tcp | Proto::Udp => {
                let takers = world.takers(frontend, &packet);
                let each = takers.iter().map(|taker| {
                    // At which port the members get it may be unknown: one that lets it in is enough.
                    let ports = if taker.port == 0 { world.told_apart() } else { vec![taker.port] };
                    let each = ports.into_iter().map(|port| self.members(frontend, &Taker { port, ..taker.clone() }, packet, arrive));
                    let outcome = any_of(each.collect());
                    let outcome =
                        if taker.sure { outcome } else { outcome.doubted(Stage::LoadBalancer, name_of(taker.rule), "unsure-rule") };
                    outcome.beside(Stage::LoadBalancer)
                });
                let each: Vec<Outcome> = each.collect();
                if each.is_empty() { Outcome::denied(Stage::LoadBalancer, "no-rule") } else { any_of(each) }
            }
        };
        if world.chains.iter().any(|c| c.end == frontend) { outcome.doubted(Stage::Appliance, "", "W-NVA") } else { outcome }
    }

    /// Whether one machine is asked for that no rule of the frontend leads to.
    fn hides(&self, frontend: Sym) -> bool {
        let world = self.world;
        let Target::Config(wanted) = self.target else { return false };
        let rules = [Proto::Tcp, Proto::Udp].into_iter().flat_map(|proto| world.all_rules(frontend, proto));
        let mut members = rules.flat_map(|rule| world.members_behind(frontend, rule.rule, &rule.pools));
        !members.any(|member| match member.what {
            What::Config { config, .. } => config == wanted,
            What::Nobody => false,
            What::Frontend(_) | What::Missing | What::Anybody => true,
        })
    }

    /// From the internet to one machine, by the rules of one frontend that lead to it; the port is the machine's own.
    pub fn in_by_frontend(&self, frontend: Sym, config: Sym, packet: Packet) -> Outcome {
        let world = self.world;
        if world.sku_of(frontend) == BalancerSku::Gateway {
            return Outcome::unproven(Stage::LoadBalancer, "sku=Gateway", "W-UNSUPPORTED");
        }
        if !packet.proto.has_ports() {
            return Outcome::denied(Stage::LoadBalancer, "no-rule");
        }
        let arrive = |front: Sym, config: Sym, place: Place, inside: Packet| self.in_by(front, config, place, inside, packet.src);
        let public = world.front(frontend).map_or(Sym::EMPTY, |f| f.public_ip);
        let address = world.public_addresses_of(public).first().copied();
        let mut ways = Vec::new();
        for taker in world.all_rules(frontend, packet.proto) {
            let members = world.members_behind(frontend, taker.rule, &taker.pools);
            let mine = |m: &Member| matches!(m.what, What::Config { config: c, .. } if c == config) || m.what == What::Anybody;
            let single = taker.port != 0;
            let hit = if single { taker.port == packet.dport } else { world.in_ports(taker.rule, packet.dport) };
            if !members.iter().any(mine) || !hit {
                continue;
            }
            // Of fewer ports than members some have none (IN-05).
            let whole = taker.width == 0 || taker.width as usize >= members.len();
            let sure = world.knows(taker.rule, false) && whole && !(taker.floating && address.is_none());
            let sent = Packet { dst: address.map_or(Addr::SomePublic, Addr::Known), ..packet };
            let outcome = self.members(frontend, &Taker { port: packet.dport, ..taker.clone() }, sent, &arrive);
            ways.push(if sure { outcome } else { outcome.doubted(Stage::LoadBalancer, name_of(taker.rule), "unsure-rule") });
        }
        let outcome = if ways.is_empty() { Outcome::denied(Stage::LoadBalancer, "no-rule") } else { any_of(ways) };
        if world.chains.iter().any(|c| c.end == frontend) { outcome.doubted(Stage::Appliance, "", "W-NVA") } else { outcome }
    }

    /// The members of one rule. A flow goes to any of those that are up: it gets through where it does at all of them.
    fn members(&self, frontend: Sym, taker: &Taker, packet: Packet, arrive: Arrive<'_>) -> Outcome {
        let world = self.world;
        let members = world.members_behind(frontend, taker.rule, &taker.pools);
        let internal = world.front(frontend).is_some_and(|f| f.public_ip.is_empty());
        let inside = Packet { dport: taker.port, ..packet };
        let (mut hairpin, mut many) = (false, false);
        let mut reached: Vec<(Outcome, bool, bool)> = Vec::new();
        for member in &members {
            // Whoever is asked for may be it.
            let asked = if let Target::Config(wanted) = self.target { world.configs.iter().find(|c| c.ip_config == wanted) } else { None };
            let what = match (&member.what, asked) {
                (What::Anybody, Some(c)) => What::Config { config: c.ip_config, nic: c.nic, subnet: c.subnet },
                (what, _) => what.clone(),
            };
            let outcome = match what {
                What::Nobody | What::Missing if matches!(self.target, Target::Config(_)) => continue, // another member is asked for
                What::Nobody => Outcome::denied(Stage::LoadBalancer, "nobody"),
                What::Missing | What::Anybody => Outcome::unproven(Stage::LoadBalancer, "member", "W-MISSING"),
                What::Frontend(regional) if world.is_global(frontend) && !world.is_global(regional) => {
                    self.behind(regional, inside, arrive)
                }
                What::Frontend(_) => Outcome::unproven(Stage::LoadBalancer, "member", "W-MISSING"),
                What::Config { config, nic, subnet } => {
                    // No two machines have the same address, though that of neither is told.
                    let told = world.addresses_of(config);
                    let met = |ip: &IpAddr| told.contains(ip) && packet.src == Addr::Known(*ip);
                    let itself = |ip: &IpAddr| internal && (met(ip) || packet.src_config == Some(config));
                    let places = world.member_places(config, subnet);
                    hairpin |= places.iter().any(itself);
                    many |= places.iter().any(itself) && world.is_of_many(config);
                    if matches!(self.target, Target::Config(wanted) if wanted != config) {
                        continue; // another member is asked for
                    }
                    let place = Place { subnet, nic: Some(nic), endpoint: None };
                    let each = places.iter().map(|ip| {
                        if matches!(packet.dst, Addr::Known(front) if front.is_ipv4() != ip.is_ipv4()) {
                            return Outcome::denied(Stage::LoadBalancer, "family"); // ADR-14
                        }
                        if itself(ip) && !world.is_of_many(config) {
                            return Outcome::denied(Stage::LoadBalancer, "hairpin"); // ILB-05
                        }
                        let own = Packet { dst: Addr::Known(*ip), dst_config: Some(config), ..inside };
                        let seen = if taker.floating { vec![own, Packet { dst: packet.dst, ..own }] } else { vec![own] };
                        let outcome = all_of(seen.into_iter().map(|seen| arrive(frontend, config, place, seen)).collect());
                        // What filters there, nobody knows of a subnet that is not in the input.
                        let unseen = world.vnet_of(subnet).is_none();
                        if unseen { outcome.doubted(Stage::NsgInbound, name_of(subnet), "W-MISSING") } else { outcome }
                    });
                    let outcome = all_of(each.collect());
                    if places.len() > 1 { outcome.beside(Stage::NsgInbound) } else { outcome } // which address it has is not known
                }
            };
            let known = member.what != What::Anybody && !member.of_some;
            let outcome = if known { outcome } else { outcome.doubted(Stage::LoadBalancer, "member", "W-MISSING") };
            reached.push((outcome, self.is_deaf(taker.probe, member), member.down));
        }
        if reached.is_empty() {
            return Outcome::denied(Stage::LoadBalancer, name_of(taker.rule));
        }
        let mut outcome = choice(reached, matches!(self.target, Target::Config(_)));
        if hairpin && (members.len() > 1 || many) {
            outcome = outcome.doubted(Stage::LoadBalancer, "hairpin", "W-HAIRPIN");
        }
        let unknown_probe = !taker.probe.is_empty() && !world.probes.iter().any(|p| p.probe == taker.probe);
        if unknown_probe { outcome.doubted(Stage::LoadBalancer, name_of(taker.probe), "W-MISSING") } else { outcome }
    }

    /// Whether the probe surely does not get in (ILB-08).
    fn is_deaf(&self, probe: Sym, member: &Member) -> bool {
        let world = self.world;
        let Some(port) = world.probes.iter().find(|p| p.probe == probe).map(|p| p.port) else { return false };
        let What::Config { config, nic, subnet } = member.what else { return false };
        let place = Place { subnet, nic: Some(nic), endpoint: None };
        let refused = |ip: &IpAddr| {
            let platform = Addr::Known(IpAddr::from([168, 63, 129, 16]));
            let (dst, dst_config) = (Addr::Known(*ip), Some(config));
            let asks = Packet {
                src: platform,
                src_config: None,
                dst,
                dst_config,
                proto: Proto::Tcp,
                dport: port,
                sport: None,
                called: Called::Unknown,
                part: None,
            };
            ip.is_ipv4() && world.filter_in(place, &asks, || Outcome::delivered(Via::LoadBalancer)).verdict == Verdict::Denied
        };
        let places = world.member_places(config, subnet);
        !places.is_empty() && places.iter().all(refused)
    }

    /// The load balancer is a next hop: it hands the packet to an appliance among its members (NVA-03).
    pub fn through_frontend(&self, frontend: Sym, vnet: Sym, hop: IpAddr, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let near = self.same_region(frontend, vnet, trip).and(self.world.is_alone_at_its_address(frontend));
        let outcome = check(near, Stage::LoadBalancer, "sku=Basic", "W-MISSING", || {
            if world.sku_of(frontend) == BalancerSku::Gateway {
                return Outcome::unproven(Stage::LoadBalancer, "sku=Gateway", "W-UNSUPPORTED");
            }
            let mut ways = Vec::new();
            for rule in world.balancing_rules.iter().filter(|r| r.frontend == frontend) {
                let every = rule.protocol == BalancerProtocol::All && rule.frontend_port == 0;
                let taken = match packet.proto {
                    Proto::Icmp if every => Tri::Maybe,
                    Proto::Tcp | Proto::Udp => {
                        world.takes(rule, &packet, true).min(if every || same_port(rule) { Tri::Yes } else { Tri::Maybe })
                    }
                    _ => Tri::No,
                };
                if !taken.hi() {
                    continue;
                }
                let pools: Vec<Sym> = world.rule_pools.iter().filter(|p| p.rule == rule.rule).map(|p| p.pool).collect();
                let members = world.members_behind(frontend, rule.rule, &pools);
                let shared = (members.len() == 1 || every).then_some(hop);
                let each = members.iter().map(|member| {
                    let outcome = match member.what {
                        What::Nobody => Outcome::denied(Stage::LoadBalancer, "nobody"),
                        What::Missing | What::Anybody | What::Frontend(_) => Outcome::unproven(Stage::LoadBalancer, "member", "W-MISSING"),
                        What::Config { nic, subnet, .. } => self.through_interface(nic, subnet, shared, packet, trip),
                    };
                    let outcome = if member.of_some { outcome.doubted(Stage::LoadBalancer, "member", "W-MISSING") } else { outcome };
                    (outcome, self.is_deaf(rule.probe, member), member.down)
                });
                let each: Vec<_> = each.collect();
                let outcome = if each.is_empty() { Outcome::denied(Stage::LoadBalancer, "no member") } else { choice(each, false) };
                let outcome = if taken.lo() { outcome } else { outcome.doubted(Stage::LoadBalancer, name_of(rule.rule), "unsure-rule") };
                ways.push(outcome.beside(Stage::LoadBalancer));
            }
            if ways.is_empty() { Outcome::denied(Stage::LoadBalancer, "no-rule") } else { any_of(ways) }
        });
        if world.chains.iter().any(|c| c.end == frontend) { outcome.doubted(Stage::Appliance, "", "W-NVA") } else { outcome }
    }
}

fn same_port(rule: &LoadBalancingRule) -> bool {
    rule.backend_port == rule.frontend_port || rule.backend_port == 0 || rule.frontend_port == 0
}

/// Members, each with whether the probe cannot ask it and whether an administrator took it out; `wanted`: the one among them that is asked for.
fn choice(reached: Vec<(Outcome, bool, bool)>, wanted: bool) -> Outcome {
    let some_hear = reached.iter().any(|(_, deaf, _)| !deaf);
    let all_allow = reached.iter().filter(|(_, deaf, _)| !(*deaf && some_hear)).all(|(o, _, _)| o.verdict == Verdict::Allowed);
    let worn = |(outcome, deaf, down): (Outcome, bool, bool)| {
        let outcome = if down { outcome.doubted(Stage::LoadBalancer, "adminState=Down", "W-UNSUPPORTED") } else { outcome };
        if deaf { outcome.doubted(Stage::LoadBalancer, "probe", "W-LB-PROBE") } else { outcome }
    };
    let each: Vec<Outcome> = reached.into_iter().map(worn).collect();
    let some_allow = each.iter().any(|o| o.verdict == Verdict::Allowed);
    let no_way = each.iter().all(|o| o.verdict == Verdict::Denied);
    if wanted || no_way || (all_allow && some_allow) {
        return any_of(each);
    }
    if each.iter().any(|o| o.verdict == Verdict::Unproven) {
        return all_of(each).beside(Stage::LoadBalancer);
    }
    any_of(each).doubted(Stage::LoadBalancer, "members", "some")
}
