//! Load balancers: which rule takes a packet at a frontend, whom it is handed to, and what being in a pool means for the way out.

use std::net::IpAddr;

use watertight::explain::way::Mode;
use watertight::facts::load_balancing::{BalancerProtocol, BalancerSku, InboundNatRule, LoadBalancerFrontend, LoadBalancingRule};
use watertight::facts::network::PublicSku;
use watertight::model::{Proto, Stage, Sym, Tri, Verdict, Via};

use super::Ask;
use super::address::Owner;
use super::egress::WayOut;
use super::ends::Start;
use super::filter::Place;
use super::packet::{Addr, Called, Outcome, Packet, all_of, any_of, check};
use super::walk::{Origin, Target, Trip, Walk};
use super::world::{World, name_of};

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
}

/// What becomes of a packet that a member gets: its configuration, and the packet with the port already translated.
type Arrive<'f> = &'f dyn Fn(Sym, Sym, Place, Packet) -> Outcome;

impl Walk<'_, '_> {
    /// At an internal frontend (ILB-01 to ILB-08).
    pub fn at_frontend(&self, frontend: Sym, vnet: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let arrive = |_: Sym, _: Sym, place: Place, inside: Packet| {
            let rule = self.first_route(place.subnet, packet.src);
            let answers = self.answers_by(place.nic, place.subnet, packet.src);
            let back = || self.reply(place.subnet, packet.src, &trip.passed, self.origin).and(answers);
            self.world.filter_in(place, &inside, || self.with_way_back(&rule, back, Via::LoadBalancer))
        };
        let near = self.same_region(frontend, vnet, trip);
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
            let back = || self.reply(place.subnet, client, &[], Origin::Internet).and(self.answers_by(place.nic, place.subnet, client));
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
            What::Frontend(_) | What::Missing => true,
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
            let mine = |m: &Member| matches!(m.what, What::Config { config: c, .. } if c == config);
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
        let mut hairpin = false;
        let mut reached: Vec<(Outcome, bool, bool)> = Vec::new();
        for member in &members {
            let outcome = match member.what {
                What::Nobody | What::Missing if matches!(self.target, Target::Config(_)) => continue, // another member is asked for
                What::Nobody => Outcome::denied(Stage::LoadBalancer, "nobody"),
                What::Missing => Outcome::unproven(Stage::LoadBalancer, "member", "W-MISSING"),
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
                    if matches!(self.target, Target::Config(wanted) if wanted != config) {
                        continue; // another member is asked for
                    }
                    let place = Place { subnet, nic: Some(nic), endpoint: None };
                    let each = places.iter().map(|ip| {
                        if itself(ip) {
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
            reached.push((outcome, self.is_deaf(taker.probe, member), member.down));
        }
        if reached.is_empty() {
            return Outcome::denied(Stage::LoadBalancer, name_of(taker.rule));
        }
        let mut outcome = choice(reached, matches!(self.target, Target::Config(_)));
        if hairpin && members.len() > 1 {
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
        let near = self.same_region(frontend, vnet, trip);
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
                        What::Missing | What::Frontend(_) => Outcome::unproven(Stage::LoadBalancer, "member", "W-MISSING"),
                        What::Config { nic, subnet, .. } => self.through_interface(nic, subnet, shared, packet, trip),
                    };
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

impl World<'_> {
    pub fn front(&self, frontend: Sym) -> Option<&LoadBalancerFrontend> {
        self.fronts.iter().find(|f| f.frontend == frontend)
    }

    /// The internal frontend at an address of a network.
    pub fn frontend_at(&self, vnet: Sym, ip: IpAddr) -> Option<Sym> {
        self.fronts.iter().find(|f| f.address == Some(ip) && self.vnet_of(f.subnet) == Some(vnet)).map(|f| f.frontend)
    }

    fn sku_of(&self, frontend: Sym) -> BalancerSku {
        let balancer = self.front(frontend).map(|f| f.balancer);
        self.balancers.iter().find(|b| Some(b.balancer) == balancer).map_or(BalancerSku::Unknown, |b| b.sku)
    }

    fn is_global(&self, frontend: Sym) -> bool {
        let balancer = self.front(frontend).map(|f| f.balancer);
        self.balancers.iter().any(|b| Some(b.balancer) == balancer && b.global)
    }

    /// Whether a public frontend is closed while no group opens it (IN-03).
    fn closed_by_default(&self, frontend: Sym) -> Tri {
        let public = self.front(frontend).map(|f| f.public_ip);
        let address = self.public_ips.iter().find(|p| Some(p.public_ip) == public).map_or(PublicSku::Unknown, |p| p.sku);
        match self.sku_of(frontend) {
            BalancerSku::Standard | BalancerSku::Gateway => Tri::Yes,
            _ if matches!(address, PublicSku::Standard | PublicSku::StandardV2) => Tri::Yes,
            BalancerSku::Basic => Tri::No,
            BalancerSku::Unknown => {
                if address == PublicSku::Basic {
                    Tri::No
                } else {
                    Tri::Maybe
                }
            }
        }
    }

    /// Whether a load balancing rule takes the packet.
    fn takes(&self, rule: &LoadBalancingRule, packet: &Packet, internal: bool) -> Tri {
        match rule.protocol {
            BalancerProtocol::Unknown => return Tri::Maybe,
            BalancerProtocol::Tcp if packet.proto != Proto::Tcp => return Tri::No,
            BalancerProtocol::Udp if packet.proto != Proto::Udp => return Tri::No,
            _ => {}
        }
        match rule.frontend_port {
            0 if internal => Tri::Yes,
            0 => Tri::Maybe,
            port => Tri::from_bool(port == packet.dport),
        }
    }

    fn nat_takes(&self, rule: &InboundNatRule, packet: &Packet) -> Tri {
        match rule.protocol {
            BalancerProtocol::Unknown => return Tri::Maybe,
            BalancerProtocol::Tcp if packet.proto != Proto::Tcp => return Tri::No,
            BalancerProtocol::Udp if packet.proto != Proto::Udp => return Tri::No,
            _ => {}
        }
        Tri::from_bool((rule.first_port..=rule.last_port).contains(&packet.dport))
    }

    /// Every rule of a frontend that may carry the protocol, with the port that members get; 0: the same as at the frontend.
    fn all_rules(&self, frontend: Sym, proto: Proto) -> Vec<Taker> {
        let carries = |p: BalancerProtocol| match p {
            BalancerProtocol::Tcp => proto == Proto::Tcp,
            BalancerProtocol::Udp => proto == Proto::Udp,
            BalancerProtocol::All | BalancerProtocol::Unknown => proto.has_ports(),
        };
        let mut all = Vec::new();
        for r in self.balancing_rules.iter().filter(|r| r.frontend == frontend && carries(r.protocol)) {
            let every = r.frontend_port == 0 || r.protocol == BalancerProtocol::Unknown;
            let told = r.protocol != BalancerProtocol::Unknown;
            let port = match (every, r.backend_port) {
                (true, _) if told => 0,
                (true, port) => port,
                (false, 0) => r.frontend_port,
                (false, port) => port,
            };
            let pools = self.rule_pools.iter().filter(|p| p.rule == r.rule).map(|p| p.pool).collect();
            all.push(Taker { rule: r.rule, sure: true, port, floating: r.floating, probe: r.probe, pools, width: 0 });
        }
        for r in self.nat_rules.iter().filter(|r| r.frontend == frontend && carries(r.protocol)) {
            let mut pools: Vec<Sym> = self.nat_rule_pools.iter().filter(|p| p.rule == r.rule).map(|p| p.pool).collect();
            pools.push(r.rule);
            let width = match r.protocol {
                BalancerProtocol::Unknown => 65536,
                _ => u32::from(r.last_port.saturating_sub(r.first_port)) + 1,
            };
            all.push(Taker { rule: r.rule, sure: true, port: r.backend_port, floating: r.floating, probe: Sym::EMPTY, pools, width });
        }
        all
    }

    /// Whether the input says at which ports members get what a rule takes.
    fn knows_ports(&self, rule: Sym) -> bool {
        let balancing = self.balancing_rules.iter().filter(|r| r.rule == rule).map(|r| r.protocol);
        let nat = self.nat_rules.iter().filter(|r| r.rule == rule).map(|r| r.protocol);
        balancing.chain(nat).all(|protocol| protocol != BalancerProtocol::Unknown)
    }

    /// One port for every part of the range that some rule of a group or of a manager tells apart.
    fn told_apart(&self) -> Vec<u16> {
        let groups = self.nsg_rules.iter().flat_map(|r| r.destination_ports.items());
        let managers = self.admin_rules.iter().flat_map(|r| r.destination_ports.items());
        let mut ports: Vec<u16> = groups.chain(managers).flat_map(|(low, high)| [low, high.saturating_add(1)]).chain([0]).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Whether the input says what a rule takes; a rule for every port is one of an internal frontend.
    fn knows(&self, rule: Sym, internal: bool) -> bool {
        let balancing = self.balancing_rules.iter().filter(|r| r.rule == rule);
        let nat = self.nat_rules.iter().filter(|r| r.rule == rule);
        balancing.into_iter().all(|r| r.protocol != BalancerProtocol::Unknown && (internal || r.frontend_port != 0))
            && nat.into_iter().all(|r| r.protocol != BalancerProtocol::Unknown)
    }

    /// Whether a rule without a port of its own for members takes the port.
    fn in_ports(&self, rule: Sym, port: u16) -> bool {
        let unknown = |p: BalancerProtocol| p == BalancerProtocol::Unknown;
        self.balancing_rules.iter().any(|r| r.rule == rule && (r.frontend_port == 0 || unknown(r.protocol) || r.frontend_port == port))
            || self.nat_rules.iter().any(|r| r.rule == rule && (unknown(r.protocol) || (r.first_port..=r.last_port).contains(&port)))
    }

    /// The rules that take the packet. Two at once cannot be: then none of them is sure, but a NAT rule for fewer ports comes first.
    fn takers(&self, frontend: Sym, packet: &Packet) -> Vec<Taker> {
        let internal = self.front(frontend).is_some_and(|f| !f.subnet.is_empty());
        let mut found: Vec<(Taker, Tri)> = Vec::new();
        for mut taker in self.all_rules(frontend, packet.proto) {
            let tri = match self.balancing_rules.iter().find(|r| r.rule == taker.rule && taker.width == 0) {
                Some(rule) => self.takes(rule, packet, internal),
                None => self.nat_rules.iter().find(|r| r.rule == taker.rule).map_or(Tri::No, |rule| self.nat_takes(rule, packet)),
            };
            if taker.port == 0 && self.knows_ports(taker.rule) {
                taker.port = packet.dport;
            }
            if tri.hi() {
                found.push((taker, tri));
            }
        }
        let mut out = Vec::new();
        for (taker, tri) in &found {
            let (mut sure, mut there) = (tri.lo(), true);
            if let Some(nat) = self.nat_rules.iter().find(|r| r.rule == taker.rule && taker.width > 0) {
                // The members have one port each, from the first on (IN-05).
                let members = self.members_behind(frontend, taker.rule, &taker.pools).len();
                let first = if nat.protocol == BalancerProtocol::Unknown { 0 } else { nat.first_port };
                sure &= usize::from(packet.dport.saturating_sub(first)) < members;
            }
            for (other, theirs) in found.iter().filter(|(other, _)| other.rule != taker.rule) {
                match (taker.width, other.width) {
                    (1.., 1..) if taker.width < other.width => {}
                    (1.., 1..) if other.width < taker.width => {
                        there &= !theirs.lo();
                        sure = false;
                    }
                    _ => sure = false,
                }
            }
            if there {
                out.push(Taker { sure, ..taker.clone() });
            }
        }
        out
    }

    /// The members of pools (IN-06), each once.
    /// The members of a rule; one that says nothing has some, even where nobody says who.
    fn members_behind(&self, frontend: Sym, rule: Sym, pools: &[Sym]) -> Vec<Member> {
        let mut all = self.members_of(frontend, pools);
        let mut silent = self.balancing_rules.iter().filter(|r| r.rule == rule).map(|r| r.protocol);
        let mut silent_nat = self.nat_rules.iter().filter(|r| r.rule == rule).map(|r| r.protocol);
        let unknown = |p: BalancerProtocol| p == BalancerProtocol::Unknown;
        if all.is_empty() && (silent.any(unknown) || silent_nat.any(unknown)) {
            all.push(Member { what: What::Missing, down: false });
        }
        if self.an_interface_is_hidden() && self.balancing_rules.iter().any(|r| r.rule == rule) {
            all.push(Member { what: What::Missing, down: false });
        }
        all
    }

    fn members_of(&self, frontend: Sym, pools: &[Sym]) -> Vec<Member> {
        let mut all: Vec<Member> = Vec::new();
        let mut add = |what: What, down: bool| {
            if what == What::Missing || !all.iter().any(|m| m.what == what) {
                all.push(Member { what, down });
            }
        };
        for &pool in pools {
            let down = |name: &str| self.members_down.iter().any(|d| d.pool == pool && d.member.as_str() == name);
            for p in self.config_pools.iter().filter(|p| p.pool == pool) {
                let config = self.configs.iter().find(|c| c.ip_config == p.ip_config);
                let what = match config.filter(|c| self.nic(c.nic).is_some()) {
                    None => What::Missing,
                    Some(c) if self.is_attached(c.nic) => What::Config { config: c.ip_config, nic: c.nic, subnet: c.subnet },
                    Some(_) => What::Nobody,
                };
                add(what, down(p.ip_config.as_str()));
            }
            for a in self.pool_addresses.iter().filter(|a| a.pool == pool) {
                add(self.whoever_has(a.address, a.vnet, frontend), down(&a.address.to_string()));
            }
            for r in self.pool_regions.iter().filter(|r| r.pool == pool) {
                let known = self.front(r.frontend).is_some();
                add(if known { What::Frontend(r.frontend) } else { What::Missing }, down(r.frontend.as_str()));
            }
            if !self.pools.iter().any(|p| p.pool == pool) && !self.nat_rules.iter().any(|r| r.rule == pool) {
                add(What::Missing, false);
            }
        }
        all
    }

    fn whoever_has(&self, ip: IpAddr, vnet: Sym, frontend: Sym) -> What {
        let own = self.front(frontend).and_then(|f| self.vnet_of(f.subnet));
        let mut homes: Vec<Sym> = self
            .config_addresses
            .iter()
            .filter(|a| a.address == ip)
            .filter_map(|a| self.configs.iter().find(|c| c.ip_config == a.ip_config))
            .filter_map(|c| self.vnet_of(c.subnet))
            .collect();
        homes.sort();
        homes.dedup();
        let only = if homes.len() == 1 { homes.first().copied() } else { None };
        let Some(vnet) = Some(vnet).filter(|v| !v.is_empty()).or(own).or(only).filter(|&v| self.has_vnet(v)) else { return What::Missing };
        match self.owner(vnet, ip) {
            Owner::Config { config, nic, subnet } => What::Config { config, nic, subnet },
            Owner::Nobody => What::Nobody,
            _ => What::Missing,
        }
    }

    /// Whether the network of the subnet is not in the input, or its range is not.
    fn is_untold(&self, subnet: Sym) -> bool {
        self.vnet_of(subnet).is_none() || self.subnet_space(subnet).is_empty()
    }

    fn member_places(&self, config: Sym, subnet: Sym) -> Vec<IpAddr> {
        let places = self.possible_addresses(config, subnet);
        if places.is_empty() && self.is_untold(subnet) { vec![IpAddr::from([0, 0, 0, 0])] } else { places }
    }

    /// The pools and NAT rules that lead to a configuration.
    fn pools_with(&self, config: Sym) -> Vec<Sym> {
        let vnet = self.configs.iter().find(|c| c.ip_config == config).and_then(|c| self.vnet_of(c.subnet));
        let mine = self.addresses_of(config);
        let mut all: Vec<Sym> = self.config_pools.iter().filter(|p| p.ip_config == config).map(|p| p.pool).collect();
        all.extend(
            self.pool_addresses.iter().filter(|a| mine.contains(&a.address) && (a.vnet.is_empty() || Some(a.vnet) == vnet)).map(|a| a.pool),
        );
        all
    }

    /// Of a NAT rule that was exported twice, the row that says nothing says nothing.
    pub fn forget_empty_nat_rules(&mut self) {
        let told: Vec<Sym> = self.nat_rules.iter().filter(|r| r.protocol != BalancerProtocol::Unknown).map(|r| r.rule).collect();
        self.nat_rules.retain(|r| r.protocol != BalancerProtocol::Unknown || !told.contains(&r.rule));
    }

    /// The frontends with a rule that leads to a configuration.
    pub fn frontends_before(&self, config: Sym) -> Vec<Sym> {
        let pools = self.pools_with(config);
        let mut all: Vec<Sym> = Vec::new();
        for r in &self.balancing_rules {
            if self.rule_pools.iter().any(|p| p.rule == r.rule && pools.contains(&p.pool)) {
                all.push(r.frontend);
            }
        }
        for r in &self.nat_rules {
            if pools.contains(&r.rule) || self.nat_rule_pools.iter().any(|p| p.rule == r.rule && pools.contains(&p.pool)) {
                all.push(r.frontend);
            }
        }
        Sym::sort(&mut all);
        all.dedup();
        all.retain(|&f| self.front(f).is_some());
        all
    }

    /// Whether a configuration is in a pool that the input does not hold.
    pub fn in_missing_pool(&self, config: Sym) -> bool {
        self.pools_with(config).iter().any(|&pool| !self.knows_pool(pool))
    }

    /// Whether the input tells of a pool or NAT rule, and by which frontends its load balancer is met: every one has some.
    pub fn knows_pool(&self, pool: Sym) -> bool {
        let fronted = |balancer: Sym| self.fronts.iter().any(|f| f.balancer == balancer);
        self.pools.iter().any(|p| p.pool == pool && fronted(p.balancer)) || self.nat_rules.iter().any(|r| r.rule == pool)
    }

    /// Whether the address of a configuration is one of IPv4, where it is known.
    pub fn inside_v4(&self, config: Sym) -> Option<bool> {
        let own = self.addresses_of(config);
        let of = self.configs.iter().find(|c| c.ip_config == config).map_or(Sym::EMPTY, |c| c.subnet);
        own.first().or(self.possible_addresses(config, of).first()).map(IpAddr::is_ipv4)
    }

    /// The ways from the internet to a configuration by public frontends.
    pub fn in_by_frontends(&self, start: Start, client: IpAddr, config: Sym, ask: &Ask) -> Vec<Outcome> {
        let mut ways = Vec::new();
        for frontend in self.frontends_before(config) {
            let public = self.front(frontend).map_or(Sym::EMPTY, |f| f.public_ip);
            if public.is_empty() {
                continue;
            }
            let known = self.public_addresses_of(public);
            let fits = match known.first() {
                Some(first) => Tri::from_bool(first.is_ipv4() == client.is_ipv4()),
                None => self.has_family(public, client.is_ipv4(), self.inside_v4(config)),
            };
            if fits.hi() {
                let packet = self.packet(start, Addr::SomePublic, None, ask);
                let outcome = self.walker(start, Target::Config(config), ask).in_by_frontend(frontend, config, packet);
                let doubted = fits == Tri::Maybe;
                ways.push(if doubted { outcome.doubted(Stage::Nat, name_of(public), "W-MISSING") } else { outcome });
            }
        }
        if self.in_missing_pool(config) {
            ways.push(Outcome::unproven(Stage::LoadBalancer, name_of(config), "W-MISSING"));
        }
        ways
    }

    /// Who dials any address also dials the frontends in front of a machine.
    pub fn by_frontends(&self, start: Start, config: Sym, ask: &Ask) -> Vec<Outcome> {
        if ask.mode != Mode::Adversarial {
            return Vec::new();
        }
        let mut addresses: Vec<IpAddr> = Vec::new();
        for frontend in self.frontends_before(config) {
            let Some(front) = self.front(frontend) else { continue };
            addresses.extend(front.address.or_else(|| self.public_addresses_of(front.public_ip).first().copied()));
        }
        addresses.sort();
        addresses.dedup();
        addresses.retain(|ip| start.family_of(*ip));
        addresses.into_iter().map(|ip| self.walk(start, Target::Config(config), Addr::Known(ip), Some(config), ask)).collect()
    }

    /// The way out by load balancers: outbound rules, then rules that also translate (OUT-05); and whether an earlier one leaves this to doubt.
    pub fn balancer_way_out(&self, config: Sym, packet: &Packet) -> (Option<WayOut>, bool) {
        let v4 = packet.is_v4();
        if self.in_missing_pool(config) {
            return (Some(WayOut::maybe(Stage::Nat, name_of(config), "W-MISSING", Vec::new())), false);
        }
        let mut pools = self.pools_with(config);
        if let (Addr::Known(ip), true) = (packet.src, self.addresses_of(config).is_empty()) {
            // Whoever has an address that a pool lists is its member.
            pools.extend(self.pool_addresses.iter().filter(|row| row.address == ip).map(|row| row.pool));
        }
        let mut doubt = false;
        let mut explicit: Vec<(Vec<Addr>, bool, bool)> = Vec::new();
        for rule in self.outbound_rules.iter().filter(|r| pools.contains(&r.pool)) {
            let frontends: Vec<Sym> = self.outbound_fronts.iter().filter(|f| f.rule == rule.rule).map(|f| f.frontend).collect();
            if let Some((sources, clean)) = self.front_sources(&frontends, v4) {
                let carries = match rule.protocol {
                    BalancerProtocol::Tcp => packet.proto == Proto::Tcp,
                    BalancerProtocol::Udp => packet.proto == Proto::Udp,
                    _ => true,
                };
                explicit.push((sources, clean && rule.protocol != BalancerProtocol::Unknown, carries));
            }
        }
        let mut implicit: Vec<(Vec<Addr>, bool, bool)> = Vec::new();
        for rule in self.balancing_rules.iter().filter(|r| r.snat) {
            let mine = self.rule_pools.iter().any(|p| p.rule == rule.rule && pools.contains(&p.pool));
            if let Some((sources, clean)) = self.front_sources(&[rule.frontend], v4).filter(|_| mine) {
                implicit.push((sources, clean && rule.protocol != BalancerProtocol::Unknown, true));
            }
        }
        for kind in [explicit, implicit] {
            let carrying: Vec<_> = kind.iter().filter(|(_, _, carries)| *carries).collect();
            if !carrying.is_empty() {
                let sources: Vec<Addr> = carrying.iter().flat_map(|(sources, _, _)| sources.clone()).collect();
                let sure = !doubt && carrying.iter().all(|(_, clean, _)| *clean);
                let rule = "load balancer".to_owned();
                let way = if sure { WayOut::by(rule, sources) } else { WayOut::maybe(Stage::Nat, rule, "W-UNSUPPORTED", sources) };
                return (Some(way), doubt);
            }
            doubt |= !kind.is_empty();
        }
        (None, doubt)
    }

    /// The public addresses of frontends, and whether nothing else stands in their way; nothing where all are internal (ILB-06).
    fn front_sources(&self, frontends: &[Sym], v4: bool) -> Option<(Vec<Addr>, bool)> {
        let (mut sources, mut unknown, mut perhaps, mut clean) = (Vec::new(), false, false, true);
        for &frontend in frontends {
            clean &= !self.chains.iter().any(|c| c.end == frontend);
            let Some(front) = self.front(frontend) else {
                perhaps = true;
                continue;
            };
            let known = self.public_addresses_of(front.public_ip);
            if known.is_empty() && !front.public_ip.is_empty() {
                let fits = self.has_family(front.public_ip, v4, None);
                unknown |= fits == Tri::Yes;
                perhaps |= fits == Tri::Maybe;
            }
            sources.extend(known.into_iter().take(1).filter(|a| a.is_ipv4() == v4).map(Addr::Known));
            for range in self.front_ranges.iter().filter(|r| r.frontend == frontend) {
                let found: Vec<_> = self.public_ip_ranges.iter().filter(|p| p.public_ip_prefix == range.public_ip_prefix).collect();
                perhaps |= found.is_empty();
                for p in found.iter().filter(|p| p.prefix.network().is_ipv4() == v4) {
                    sources.extend(self.representatives(p.prefix.network(), p.prefix.broadcast()).into_iter().map(Addr::Known));
                }
            }
        }
        clean &= !perhaps || unknown || !sources.is_empty();
        if unknown || perhaps {
            sources.push(Addr::SomePublic);
        }
        (!sources.is_empty()).then_some((sources, clean))
    }

    /// Whether being in a pool takes default outbound access away (OUT-06).
    pub fn barred_by_pool(&self, config: Sym) -> Tri {
        let mut best = Tri::No;
        for p in self.config_pools.iter().filter(|p| p.ip_config == config) {
            let Some(pool) = self.pools.iter().find(|row| row.pool == p.pool) else { continue };
            best = best.or(match self.balancers.iter().find(|b| b.balancer == pool.balancer).map(|b| b.sku) {
                Some(BalancerSku::Basic) => Tri::No,
                Some(BalancerSku::Standard) => {
                    let internal = self.fronts.iter().any(|f| f.balancer == pool.balancer && !f.subnet.is_empty());
                    let says = |protocol| protocol != BalancerProtocol::Unknown;
                    let named = |r: Sym| self.balancing_rules.iter().any(|b| b.rule == r && says(b.protocol));
                    let used = self.rule_pools.iter().any(|r| r.pool == p.pool && named(r.rule))
                        || self.outbound_rules.iter().any(|r| r.pool == p.pool && says(r.protocol));
                    if internal || used { Tri::Yes } else { Tri::Maybe }
                }
                _ => Tri::Maybe,
            });
        }
        best
    }
}
