//! Load balancers on the way: frontends as destinations and as next hops, and the members behind them.
//!
//! A rule translates the destination port, so what the members' filters say is said of other traffic than the client sends: the steps behind a
//! frontend are found for the traffic the members get, and then read back.

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::balancer::{Backend, Branch, Member, Probe};
use crate::explain::filters;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::public_address::any_place;
use crate::explain::walk::{Target, Trail, Walk};
use crate::explain::way::{Kind, Step, Way};
use crate::facts::load_balancing::BalancerSku;
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Stage, Sym, Via};
use crate::rules::outbound::PublicSource;
use crate::rules::route::PLATFORM_ADDRESS;

/// How a packet gets to one place behind a frontend: the frontend, the place, the destinations its filters may see, the way so far.
type Arrive<'f> = dyn Fn(&Walk<'_, '_>, Sym, &Host, &[IpAddr], Trail) -> Way + 'f;

/// What is known of a member beside its ways.
struct Reached {
    /// What its ways let through while nothing but the filters and routes around the member counts.
    sure: Set,
    /// Whether the probe surely does not get through to it (ILB-08).
    deaf: bool,
    /// Whether an administrator has taken it out.
    down: bool,
    /// Whether its pool lists instances that it stands for, and not it.
    one_of_many: bool,
    /// How many places its ways stand for that nobody told apart yet: all must let a flow through.
    places: usize,
}

impl Walk<'_, '_> {
    /// The packet is for an internal frontend in `vnet` (ILB-01 to ILB-08).
    pub fn to_frontend(&self, frontend: Sym, vnet: Sym, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let refused = self.across_regions(frontend, vnet, &trail);
        let trail = trail.maybe(refused);
        let arrive = |walk: &Walk<'_, '_>, _: Sym, host: &Host, seen: &[IpAddr], trail: Trail| {
            let mut trail = trail;
            let packet = Packet { dst: host.ip, ..packet.clone() };
            trail.steps.extend(walk.admitted(host, &packet, std::slice::from_ref(&packet.src), seen));
            if walk.session {
                trail.steps.extend(walk.way_back(host, &packet, &trail));
            }
            trail.end(Via::LoadBalancer)
        };
        self.behind(frontend, packet, &trail, &arrive, ways);
    }

    /// The packet is for a public frontend, with one of the sources that `source` allows (IN-03 to IN-06).
    pub fn to_public_frontend(&self, frontend: Sym, packet: &Packet, source: &PublicSource, trail: Trail, ways: &mut Vec<Way>) {
        self.behind(frontend, packet, &trail, &by_public(packet, source), ways);
    }

    fn public_ip_of(&self, frontend: Sym) -> Sym {
        self.world.index.load_balancer_frontend.one(frontend).map_or(Sym::EMPTY, |row| row.public_ip)
    }

    /// From the internet to one machine by a public frontend; ports are those the machine sees. Empty where no rule leads there.
    pub fn in_by_frontend(&self, frontend: Sym, host: &Host, packet: &Packet, source: &PublicSource) -> Vec<Way> {
        let mut ways = Vec::new();
        let trail = Trail::default();
        if let Some(opaque) = self.opaque(frontend) {
            return vec![trail.and(opaque).end(Via::LoadBalancer)];
        }
        // With a floating address members also see the frontend's.
        let address = self.world.index.public_ip_address.one(self.public_ip_of(frontend)).map_or(host.ip, |row| row.address);
        let packet = Packet { dst: address, ..packet.clone() };
        let here = |backend: &Backend| match &backend.what {
            Member::Places(places) => places.contains(host),
            Member::Anybody => true,
            Member::Frontend(_) | Member::Missing => false,
        };
        let mut branches: Vec<Branch> = self.world.branches(frontend);
        if host.ip_config.is_empty() {
            // A machine that could be placed at an address which a pool lists is its member.
            let listed = Sym::new(&host.ip.to_string());
            let members = branches.iter_mut().flat_map(|branch| &mut branch.backends).filter(|backend| backend.name == listed);
            members.for_each(|backend| backend.what = Member::Places(vec![host.clone()]));
        }
        branches.retain(|branch| branch.backends.iter().any(here));
        let asked = |branch: &Branch| branch.takes.at_member().may.meets(self.asked);
        if branches.iter().any(asked) {
            branches.retain(asked);
        }
        for branch in branches {
            let at_member = branch.takes.at_member();
            let shared = branch.nat && branch.takes.width() < branch.backends.len();
            let unseen = branch.floating && address == host.ip;
            let taken = self.taken(frontend, &branch, if shared || unseen { at_member.doubted() } else { at_member });
            let trail = Trail { steps: vec![taken], ..Trail::default() }.maybe(self.chained(frontend));
            ways.extend(self.members(frontend, &branch, &packet, &trail, &by_public(&packet, source)));
        }
        ways
    }

    /// The packet is handed on by the load balancer that has the next hop's address (NVA-03).
    pub fn through_balancer(&self, frontend: Sym, vnet: Sym, address: IpAddr, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let refused = self.across_regions(frontend, vnet, &trail);
        let trail = trail.maybe(refused).maybe(self.chained(frontend)).maybe(self.world.frontend_shares_address(frontend));
        if let Some(opaque) = self.opaque(frontend) {
            ways.push(trail.and(opaque).end(Via::Appliance));
            return;
        }
        let branches: Vec<Branch> = self.world.branches(frontend).into_iter().filter(|branch| !branch.nat).collect();
        let handed: Vec<Span> = branches.iter().map(forwarded).collect();
        if !handed.iter().any(|span| span.may.meets(self.asked)) {
            ways.push(trail.and(self.no_rule(frontend)).end(Via::Appliance));
            return;
        }
        for (branch, span) in branches.iter().zip(handed).filter(|(_, span)| span.may.meets(self.asked)) {
            let text = format!("rule {} of load balancer {} hands it on", short(branch.rule), self.balancer_of(frontend));
            let mut hands = step(Stage::LoadBalancer, span, "balancer.5", text).by(frontend, short(branch.rule)).at_fact(branch.rule);
            hands = if self.asked.within(span.sure) { hands.kind(Kind::Fact) } else { hands.kind(Kind::Assumption).code("W-UNSUPPORTED") };
            let trail = trail.clone().and(hands);
            let several = branch.backends.len() > 1;
            let mut reached: Vec<(std::ops::Range<usize>, Reached)> = Vec::new();
            for backend in &branch.backends {
                let from = ways.len();
                let places: &[Host] = match &backend.what {
                    Member::Places(places) => places,
                    Member::Frontend(_) | Member::Missing | Member::Anybody => &[],
                };
                let mut sure = Set::ALL;
                for place in places {
                    // Replies to the frontend come back to the same member where an HA ports rule keeps the two directions together.
                    let shared = if !several || branch.takes.is_every_port() { address } else { place.ip };
                    let start = ways.len();
                    self.through_host(place, shared, packet, trail.clone(), ways);
                    sure = sure.and(surely(&ways[start..]));
                }
                if places.is_empty() {
                    ways.push(trail.clone().and(self.nobody(frontend, backend)).end(Via::Appliance));
                    sure = Set::EMPTY;
                }
                let deaf = self.is_deaf(branch, places);
                reached.push((
                    from..ways.len(),
                    Reached { sure, deaf, down: backend.down, one_of_many: backend.one_of_many, places: places.len() },
                ));
            }
            if reached.is_empty() {
                ways.push(trail.clone().and(self.no_member(frontend, branch)).end(Via::Appliance));
            }
            let all: Vec<&Reached> = reached.iter().map(|(_, member)| member).collect();
            let doubts: Vec<Vec<Step>> = all.iter().map(|member| self.doubts(frontend, branch, member, &all, true)).collect();
            for ((range, _), doubts) in reached.iter().zip(doubts) {
                ways[range.clone()].iter_mut().for_each(|way| way.steps.extend(doubts.iter().cloned()));
            }
        }
    }

    /// Everything behind a frontend, for the traffic that is sent to it.
    fn behind(&self, frontend: Sym, packet: &Packet, trail: &Trail, arrive: &Arrive<'_>, ways: &mut Vec<Way>) {
        let trail = trail.clone().maybe(self.chained(frontend)).maybe(self.world.frontend_shares_address(frontend));
        if let Some(opaque) = self.opaque(frontend) {
            ways.push(trail.and(opaque).end(Via::LoadBalancer));
            return;
        }
        let branches = self.world.branches(frontend);
        let icmp = Set::of_proto(Proto::Icmp);
        let meets = |branch: &&Branch| branch.takes.at_frontend().may.meets(self.asked);
        let leads = |backend: &Backend| match (&backend.what, &self.target) {
            (Member::Places(places), Target::Host(host)) => places.contains(host),
            _ => true,
        };
        // Whatever it answers, it hands nothing to a machine that is none of its members.
        let meant = !matches!(self.target, Target::Host(_)) || branches.iter().flat_map(|branch| &branch.backends).any(leads);
        let pings = meant && self.asked.meets(icmp);
        if !branches.iter().any(|branch| meets(&branch)) && !pings {
            ways.push(trail.clone().and(self.no_rule(frontend)).end(Via::LoadBalancer));
        }
        for branch in branches.iter().filter(meets) {
            let taken = self.taken(frontend, branch, self.own_share(branch, &branches));
            let inner = Walk {
                world: self.world,
                asked: branch.takes.handed(self.asked),
                session: self.session,
                target: self.target.clone(),
                home: self.home,
                origin: self.origin,
                sender: self.sender,
                sources: RefCell::default(),
            };
            let start = Trail { steps: Vec::new(), ..trail.clone() };
            for mut way in inner.members(frontend, branch, packet, &start, arrive) {
                way.steps.iter_mut().for_each(|step| step.span = branch.takes.sent(step.span));
                let head = trail.steps.iter().chain([&taken]).cloned();
                way.steps.splice(0..0, head);
                ways.push(way);
            }
        }
        if pings {
            let text = format!("whether frontend {} answers ICMP is not documented", short(frontend));
            let perhaps = step(Stage::LoadBalancer, Span::exactly(icmp).doubted(), "balancer.2", text).by(frontend, "icmp");
            ways.push(trail.and(perhaps.kind(Kind::Assumption).code("W-UNSUPPORTED")).end(Via::LoadBalancer));
        }
    }

    /// What a rule takes and no other rule of the frontend takes perhaps: of two that Azure would refuse side by side nobody knows which counts. A
    /// NAT rule for one port comes before the pool of ports it was made from.
    fn own_share(&self, branch: &Branch, all: &[Branch]) -> Span {
        let own = branch.takes.at_frontend();
        let others = all.iter().filter(|other| other.rule != branch.rule);
        let (mut sure, mut may) = (own.sure, own.may);
        if branch.nat {
            // Each member has one port, from the first on; who has which is not known (IN-05).
            sure = sure.and(branch.takes.first_ports(branch.backends.len()));
        }
        for other in others {
            let (mine, theirs) = (branch.takes.width(), other.takes.width());
            match branch.nat && other.nat {
                true if mine < theirs => {}
                true if theirs < mine => {
                    may = may.minus(other.takes.at_frontend().sure);
                    sure = sure.minus(other.takes.at_frontend().may);
                }
                _ => sure = sure.minus(other.takes.at_frontend().may),
            }
        }
        Span { sure, may }
    }

    fn taken(&self, frontend: Sym, branch: &Branch, span: Span) -> Step {
        let text = format!("rule {} of load balancer {} takes {}", short(branch.rule), self.balancer_of(frontend), span.may);
        let taken = step(Stage::LoadBalancer, span, "balancer.1", text).by(frontend, short(branch.rule)).at_fact(branch.rule);
        if self.asked.and(span.may).within(span.sure) { taken.kind(Kind::Fact) } else { taken.kind(Kind::Assumption).code("W-UNSUPPORTED") }
    }

    fn balancer_of(&self, frontend: Sym) -> &'static str {
        short(self.world.index.load_balancer_frontend.one(frontend).map_or(frontend, |row| row.balancer))
    }

    /// What a gateway load balancer's appliances do is unknown, and so is a load balancer of a SKU that is.
    fn opaque(&self, frontend: Sym) -> Option<Step> {
        if self.world.balancer_sku(frontend) != BalancerSku::Gateway {
            return None;
        }
        let text = format!("{} is a gateway load balancer: what its appliances do is not modelled", self.balancer_of(frontend));
        let unknown = step(Stage::LoadBalancer, Span::UNKNOWN, "balancer.3", text).by(frontend, "sku=Gateway");
        Some(unknown.kind(Kind::Assumption).code("W-UNSUPPORTED"))
    }

    /// A gateway load balancer in the way of `end`, a frontend or an address configuration (IN-11).
    pub fn chained(&self, end: Sym) -> Option<Step> {
        let chain = self.world.index.gateway_chain.get(end).iter().min_by_key(|row| row.frontend.as_str())?;
        let text = format!("what comes by {} first passes a gateway load balancer", short(end));
        let unknown = step(Stage::Appliance, Span::UNKNOWN, "balancer.3", text).by(chain.frontend, "");
        Some(unknown.at_fact(end).kind(Kind::Assumption).code("W-NVA"))
    }

    /// Frontends of Basic load balancers are not reachable across global peering (PEER-11).
    fn across_regions(&self, frontend: Sym, vnet: Sym, trail: &Trail) -> Option<Step> {
        let sku = self.world.balancer_sku(frontend);
        if trail.from.is_empty() || trail.from == vnet || sku == BalancerSku::Standard {
            return None;
        }
        let region = |vnet: Sym| self.world.index.vnet.one(vnet).map_or(Sym::EMPTY, |row| row.location);
        let (here, there) = (region(trail.from), region(vnet));
        if here == there && !here.is_empty() {
            return None;
        }
        let known = !here.is_empty() && !there.is_empty() && sku == BalancerSku::Basic;
        let text = format!("a Basic load balancer is not reachable across global peering, from {} to {}", short(trail.from), short(vnet));
        let (span, code) = if known { (Span::NONE, "") } else { (Span::UNKNOWN, "W-MISSING") };
        Some(step(Stage::LoadBalancer, span, "balancer.6", text).by(frontend, "sku=Basic").code(code))
    }

    /// The ways to the members of one rule, for the traffic that they get.
    fn members(&self, frontend: Sym, branch: &Branch, packet: &Packet, trail: &Trail, arrive: &Arrive<'_>) -> Vec<Way> {
        let mut reached = Vec::new();
        let internal = self.public_ip_of(frontend).is_empty();
        // Machines whose addresses are not told stand at the same ones here, and yet no two of them have the same.
        let told = |place: &Host| self.world.index.ip_config_address.has(place.ip_config);
        let sender = trail.appliances.iter().rev().find(|passed| passed.translated).map_or(self.sender, |passed| passed.exit.ip_config);
        let same = |place: &Host| !sender.is_empty() && place.ip_config == sender;
        let itself = |place: &Host| internal && (same(place) || told(place) && packet.src == Seen::At(place.ip));
        // Of the instances of a scale set another one may be chosen.
        let alone = |place: &Host| !self.world.stands_for_many(place.ip_config);
        let one_asked_for = matches!(&self.target, Target::Host(_));
        for backend in &branch.backends {
            let wanted = |place: &&Host| !matches!(&self.target, Target::Host(host) if host != *place);
            let mut each: Vec<Vec<Way>> = Vec::new();
            let mut deaf = false;
            match &backend.what {
                Member::Places(places) if places.is_empty() && one_asked_for => {}
                Member::Places(places) if places.is_empty() => {
                    each.push(vec![trail.clone().and(self.nobody(frontend, backend)).end(Via::LoadBalancer)]);
                }
                Member::Places(places) => {
                    deaf = self.is_deaf(branch, places);
                    for place in places.iter().filter(wanted) {
                        if let Some(other) = self.of_other_family(frontend, place, packet) {
                            each.push(vec![trail.clone().and(other).end(Via::LoadBalancer)]);
                            continue;
                        }
                        if itself(place) && alone(place) {
                            each.push(vec![trail.clone().and(self.to_itself(frontend, place)).end(Via::LoadBalancer)]);
                            continue;
                        }
                        let seen = if branch.floating { vec![place.ip, packet.dst] } else { vec![place.ip] };
                        each.push(vec![arrive(self, frontend, place, &seen, trail.clone())]);
                    }
                }
                Member::Frontend(regional) if self.is_global(frontend) && !self.is_global(*regional) => {
                    let mut ways = Vec::new();
                    self.behind(*regional, packet, trail, arrive, &mut ways);
                    each.push(ways);
                }
                Member::Anybody if one_asked_for => {
                    let Target::Host(host) = &self.target else { continue };
                    let seen = if branch.floating { vec![host.ip, packet.dst] } else { vec![host.ip] };
                    let mut trail = trail.clone().and(self.nobody(frontend, backend));
                    trail.steps.extend(self.of_other_family(frontend, host, packet));
                    each.push(vec![arrive(self, frontend, host, &seen, trail)]);
                }
                Member::Frontend(_) | Member::Missing if one_asked_for => {}
                Member::Frontend(_) | Member::Missing | Member::Anybody => {
                    each.push(vec![trail.clone().and(self.nobody(frontend, backend)).end(Via::LoadBalancer)]);
                }
            }
            let ways = any_place(each);
            if !ways.is_empty() {
                let sure = surely(&ways);
                reached.push((ways, Reached { sure, deaf, down: backend.down, one_of_many: backend.one_of_many, places: 1 }));
            }
        }
        if reached.is_empty() {
            return vec![trail.clone().and(self.no_member(frontend, branch)).end(Via::LoadBalancer)];
        }
        let all: Vec<&Reached> = reached.iter().map(|(_, member)| member).collect();
        // A flow that is meant for one member gets there by one choice or another.
        let choice = !one_asked_for;
        let mut doubts: Vec<Vec<Step>> = all.iter().map(|member| self.doubts(frontend, branch, member, &all, choice)).collect();
        let several = branch.backends.len() > 1;
        let me = |place: &Host| itself(place) && (several || !alone(place));
        if branch.backends.iter().any(|backend| matches!(&backend.what, Member::Places(places) if places.iter().any(me))) {
            let text = format!("the sender is a member of rule {} itself, and may be chosen", short(branch.rule));
            let hairpin = step(Stage::LoadBalancer, Span::UNKNOWN, "balancer.4", text).by(frontend, "hairpin").kind(Kind::Assumption);
            doubts.iter_mut().for_each(|steps| steps.push(hairpin.clone().code("W-HAIRPIN")));
        }
        let mut out = Vec::new();
        for ((ways, _), doubts) in reached.into_iter().zip(doubts) {
            for mut way in ways {
                way.steps.splice(0..0, doubts.iter().cloned());
                out.push(way);
            }
        }
        out
    }

    fn is_global(&self, frontend: Sym) -> bool {
        let index = self.world.index;
        let balancer = index.load_balancer_frontend.one(frontend).and_then(|row| index.load_balancer.one(row.balancer));
        balancer.is_some_and(|row| row.global)
    }

    /// Whether the groups in front of every place a member may be at surely refuse the probe (ILB-08, NSG-11).
    fn is_deaf(&self, branch: &Branch, places: &[Host]) -> bool {
        let Probe::Port(port) = branch.probe else { return false };
        let Ok(platform) = PLATFORM_ADDRESS.parse::<IpAddr>() else { return false };
        let asked = Set::of(Proto::Tcp, (port, port), ANY_PORT);
        let refused = |place: &Host| {
            let probe = Packet { dst_asgs: self.world.asgs_of(place.ip_config), ..Packet::new(Seen::At(platform), Vec::new(), place.ip) };
            let met = filters::inbound(self.world, place, &probe, asked);
            !met.iter().fold(Span::ALL, |span, step| span.and(step.span)).may.meets(asked)
        };
        !places.is_empty() && places.iter().all(|place| place.ip.is_ipv4() && refused(place))
    }

    /// What makes a member doubtful: a probe, an administrator, the choice among several (where not this one is asked for).
    fn doubts(&self, frontend: Sym, branch: &Branch, member: &Reached, all: &[&Reached], choice: bool) -> Vec<Step> {
        let mut out = Vec::new();
        let rule = short(branch.rule);
        let unsure = |text: String, code| {
            step(Stage::LoadBalancer, Span::UNKNOWN, "balancer.4", text).by(frontend, rule).kind(Kind::Assumption).code(code)
        };
        if let Probe::Unknown(probe) = branch.probe {
            out.push(unsure(format!("probe {} of rule {rule} is not in the input", short(probe)), "W-MISSING"));
        }
        if member.deaf {
            out.push(unsure(format!("the group in front of a member of rule {rule} denies the probe: it counts as down"), "W-LB-PROBE"));
        }
        if member.down {
            out.push(unsure(format!("a member of rule {rule} has adminState=Down"), "W-UNSUPPORTED"));
        }
        if member.one_of_many {
            let text =
                format!("rule {rule} leads to instances of a scale set whose profile does not say so: which ones are there is not known");
            out.push(unsure(text, "W-MISSING"));
        }
        if !choice {
            return out;
        }
        // The rule hands a flow to any member that is up: only what all of them let through is sure.
        let some_hear = all.iter().any(|other| !other.deaf);
        let counted = all.iter().filter(|other| !(other.deaf && some_hear));
        let shared = counted.fold(Set::ALL, |set, other| set.and(other.sure));
        if (all.len() > 1 && all.iter().any(|other| other.sure != shared)) || member.places > 1 {
            let text = format!("rule {rule} chooses among {} members, and not all of them let the same through", all.len());
            let chosen = step(Stage::LoadBalancer, Span { sure: shared, may: Set::ALL }, "balancer.7", text);
            out.push(chosen.by(frontend, rule).kind(Kind::Assumption).code("W-UNSUPPORTED"));
        }
        out
    }

    fn no_rule(&self, frontend: Sym) -> Step {
        let text = format!("no rule of load balancer {} takes it at frontend {}", self.balancer_of(frontend), short(frontend));
        step(Stage::LoadBalancer, Span::NONE, "balancer.1", text).by(frontend, "no-rule").kind(Kind::Absence)
    }

    fn no_member(&self, frontend: Sym, branch: &Branch) -> Step {
        let text = format!("nobody is behind rule {} of load balancer {}", short(branch.rule), self.balancer_of(frontend));
        step(Stage::LoadBalancer, Span::NONE, "balancer.1", text).by(frontend, short(branch.rule)).kind(Kind::Absence)
    }

    /// A member that answers nothing, or that is not in the input.
    fn nobody(&self, frontend: Sym, backend: &Backend) -> Step {
        let (span, text) = match &backend.what {
            Member::Places(_) => (Span::NONE, format!("nothing answers at member {}", short(backend.name))),
            Member::Anybody => (Span::UNKNOWN, format!("who all is in {} is not in the input: any machine may be", short(backend.name))),
            Member::Frontend(_) | Member::Missing => (Span::UNKNOWN, format!("member {} is not in the input", short(backend.name))),
        };
        let nobody = step(Stage::LoadBalancer, span, "balancer.1", text).by(frontend, short(backend.name)).kind(Kind::Absence);
        if span == Span::NONE { nobody } else { nobody.kind(Kind::Assumption).code("W-MISSING") }
    }

    /// A rule hands packets on to members of their own family (ADR-14).
    fn of_other_family(&self, frontend: Sym, place: &Host, packet: &Packet) -> Option<Step> {
        (place.ip.is_ipv6() != packet.dst.is_ipv6()).then(|| {
            let text = format!("{} has an address of the other family there", short(place.name(self.world)));
            step(Stage::LoadBalancer, Span::NONE, "balancer.11", text).by(frontend, "family").kind(Kind::Default)
        })
    }

    fn to_itself(&self, frontend: Sym, place: &Host) -> Step {
        let text = format!("{} cannot reach itself through its own load balancer", short(place.name(self.world)));
        step(Stage::LoadBalancer, Span::NONE, "balancer.4", text).by(frontend, "hairpin").kind(Kind::Default)
    }
}

/// What ways surely let through together.
fn surely(ways: &[Way]) -> Set {
    ways.iter().fold(Set::EMPTY, |set, way| set.or(way.span().sure))
}

/// What passes a rule where the load balancer is a next hop: the packet is for somebody else, so no port is translated (NVA-03).
fn forwarded(branch: &Branch) -> Span {
    let taken = branch.takes.at_frontend();
    if branch.takes.is_every_port() {
        return Span { may: taken.may.or(Set::of_proto(Proto::Icmp)), ..taken };
    }
    if branch.takes.at_member() == taken { taken } else { taken.doubted() }
}

/// The arrival from public space.
fn by_public<'f>(packet: &'f Packet, source: &'f PublicSource) -> impl Fn(&Walk<'_, '_>, Sym, &Host, &[IpAddr], Trail) -> Way + 'f {
    move |walk, frontend, host, seen, trail| {
        let (public_ip, sku) = (walk.public_ip_of(frontend), walk.world.public_frontend_sku(frontend));
        walk.from_outside(host, public_ip, sku, packet, source, seen, trail).end(Via::LoadBalancer)
    }
}

impl Trail {
    /// The trail with one more step, where there is one.
    fn maybe(self, step: Option<Step>) -> Trail {
        match step {
            Some(step) => self.and(step),
            None => self,
        }
    }
}
