//! The security groups a packet meets at one interface, as steps.

use crate::explain::admin::{govern, overrule};
use crate::explain::packet::{Host, Packet, StepExt, short, step};
use crate::explain::way::{Kind, Step};
use crate::explain::world::{Heeds, World};
use crate::facts::network::Direction;
use crate::facts::selector::Selector;
use crate::model::{Prefix, Proto, Set, Span, Stage, Sym, Tri, net};
use crate::rules::filter::{Met, SourcePorts, first_match};
use crate::rules::tag::{Party, Place};

/// The groups on the way out of `host`: the interface's, then the subnet's (NSG-01).
pub fn outbound(world: &World<'_>, host: &Host, source: Party<'_>, destination: Party<'_>, ports: SourcePorts, asked: Set) -> Vec<Step> {
    let own_asgs = own_asgs(world, host, source.place);
    let own = Party { place: source.place, asgs: &own_asgs };
    steps(world, host, Direction::Outbound, own, destination, ports, asked)
}

/// The groups on the way into `host`: the subnet's, then the interface's (NSG-01).
pub fn inbound(world: &World<'_>, host: &Host, packet: &Packet, asked: Set) -> Vec<Step> {
    let own_asgs = own_asgs(world, host, packet.destination().place);
    let own = Party { place: packet.destination().place, asgs: &own_asgs };
    steps(world, host, Direction::Inbound, own, packet.source(), packet.ports, asked)
}

/// The application security groups that the filters of an interface go by: for a packet that an address configuration sends or takes itself, those it is in
/// surely count (NSG-09).
fn own_asgs(world: &World<'_>, host: &Host, place: Place) -> Vec<(Sym, Tri)> {
    let mut asgs = world.asgs_of_nic(host.nic);
    if matches!(place, Place::At(ip) if ip == host.ip) {
        let mine = world.asgs_of(host.ip_config);
        asgs.iter_mut().filter(|(asg, _)| mine.contains(&(*asg, Tri::Yes))).for_each(|(_, sure)| *sure = Tri::Yes);
    }
    asgs
}

/// One of several is true and nobody knows which: what all of them let through is sure, what one lets through is possible. A step that only some
/// of them meet, such as a rule for one of several sources, stops only those.
pub fn whichever(each: Vec<Vec<Step>>) -> Vec<Step> {
    let count = each.len();
    let stages = |steps: &[Step]| steps.iter().map(|step| step.stage).collect::<Vec<_>>();
    let alike = each.windows(2).all(|pair| stages(&pair[0]) == stages(&pair[1]));
    let mut merged: Vec<Merged> = Vec::new();
    for (list, met) in each.into_iter().enumerate() {
        for (n, step) in met.into_iter().enumerate() {
            // Steps of one place in the lists belong together; where the lists differ, those of one stage and resource do.
            let same = |other: &&mut Merged| other.last < list && (other.first.stage, other.first.resource) == (step.stage, step.resource);
            let known = if alike { merged.get_mut(n) } else { merged.iter_mut().find(same) };
            match known {
                None => merged.push(Merged { span: step.span, first: step, lists: 1, last: list }),
                Some(known) => {
                    known.span = Span { sure: known.span.sure.and(step.span.sure), may: known.span.may.or(step.span.may) };
                    (known.lists, known.last) = (known.lists + 1, list);
                }
            }
        }
    }
    let settled = |Merged { first, mut span, lists, .. }: Merged| {
        if lists < count {
            span.may = Set::ALL;
        }
        let code = if span != first.span && first.code.is_empty() { "W-UNSUPPORTED" } else { first.code };
        Step { span, code, ..first }
    };
    merged.into_iter().map(settled).collect()
}

/// A step that several lists may have.
struct Merged {
    first: Step,
    span: Span,
    /// How many lists have it, and the last of them.
    lists: usize,
    last: usize,
}

fn steps(
    world: &World<'_>,
    host: &Host,
    direction: Direction,
    own: Party<'_>,
    remote: Party<'_>,
    ports: SourcePorts,
    asked: Set,
) -> Vec<Step> {
    let nic = world.index.nic_nsg.one(host.nic).map(|row| row.nsg);
    let subnet = world.index.subnet_nsg.one(host.subnet).map(|row| row.nsg).filter(|_| !is_of_firewall(world, host.subnet));
    let order = match direction {
        Direction::Outbound => [nic, subnet],
        Direction::Inbound => [subnet, nic],
    };
    let stage = stage(direction);
    let mut out: Vec<Step> = Vec::new();
    let mut notes: Vec<Step> = Vec::new();
    for nsg in order.into_iter().flatten() {
        let (met, by_tag) = group(world, nsg, direction, own, remote, ports, host.subnet, asked);
        let open = !asked.within(met.span.sure) && asked.meets(met.span.may);
        let doubt = if by_tag && open { doubt_of_tag(world, host.subnet, &met, own, remote) } else { None };
        notes.extend(if by_tag { everything_is_network(world, host.subnet, &met, remote) } else { None });
        out.push(met);
        out.extend(doubt);
    }
    if out.is_empty() {
        let where_ = if host.nic.is_empty() { short(host.subnet) } else { short(host.nic) };
        out.push(step(stage, Span::ALL, "filter.2", format!("no NSG on {where_} or its subnet")).kind(Kind::Absence).by(host.subnet, ""));
    }
    if !world.index.subnet.has(host.subnet) {
        let text = format!("subnet {} is not in the input: whether a group filters there is not known", short(host.subnet));
        // On the way out it is the place itself that is not known, and with it its routes.
        let stage = if direction == Direction::Outbound { Stage::Route } else { stage };
        out.push(step(stage, Span::UNKNOWN, "filter.3", text).by(host.subnet, "").kind(Kind::Absence).code("W-MISSING"));
    }
    doubt_platform_subnets(world, host, own, &mut out);
    let governed = govern(world, host, direction, own, remote, ports, asked);
    out = out.into_iter().map(|met| overrule(met, governed.always, asked)).collect();
    out.splice(0..0, governed.step);
    out.extend(notes);
    out.extend(world.shares_address(host.nic, stage));
    if let Some(cloud) =
        world.index.clouded.get(host.vnet).iter().filter(|row| row.what.as_str() == "filters").min_by_key(|row| row.resource.as_str())
    {
        let text = format!("`{}` may add rules that are not modelled", short(cloud.resource));
        out.push(step(stage, Span::UNKNOWN, "filter.4", text).by(cloud.resource, "").kind(Kind::Assumption).code("W-UNSUPPORTED"));
        // Admin rules come before the groups and may also overrule them.
        out.iter_mut().for_each(|step| step.span = Span::UNKNOWN);
    }
    out
}

/// Where an Azure Firewall stands no group of a person's filters (NSG-12).
fn is_of_firewall(world: &World<'_>, subnet: Sym) -> bool {
    world.index.subnet.one(subnet).is_some_and(|row| row.name.as_str() == "azurefirewallsubnet")
}

/// Groups on subnets whose instances Azure manages count only perhaps (NSG-12, ADR-09), and none filters ICMP of IPv6 (ADR-14).
fn doubt_platform_subnets(world: &World<'_>, host: &Host, own: Party<'_>, out: &mut [Step]) {
    let gateway = world.heeds_routes(host.subnet) == Heeds::NoDefault;
    let delegated = host.nic.is_empty() && world.index.subnet_delegations.has(host.subnet);
    let v6 = matches!(own.place, Place::At(ip) if ip.is_ipv6());
    for met in out {
        if (gateway || delegated) && met.span != Span::ALL {
            met.span.may = Set::ALL;
            met.kind = Kind::Assumption;
            met.code = if gateway { "W-GWSUBNET" } else { "W-DELEGATED" };
        }
        if v6 {
            met.span = met.span.or(Span::exactly(Set::of_proto(Proto::Icmp)));
        }
    }
}

/// Inbound or outbound, as a stage.
pub fn stage(direction: Direction) -> Stage {
    match direction {
        Direction::Inbound => Stage::NsgInbound,
        Direction::Outbound => Stage::NsgOutbound,
    }
}

/// Why a rule decides only perhaps: what the tag `VirtualNetwork` holds on a subnet follows from its routes, and those are not all known (NSG-20, SND-03).
fn doubt_of_tag(world: &World<'_>, subnet: Sym, met: &Step, own: Party<'_>, remote: Party<'_>) -> Option<Step> {
    let context = world.context(subnet);
    let (source, code) = match (context.unknown, context.unknown_routes) {
        (Sym::EMPTY, Sym::EMPTY) => return None,
        (Sym::EMPTY, learned) => (learned, world.doubt_of_routes(learned)),
        (table, _) => (table, "W-MISSING"),
    };
    let unsure = |party: Party<'_>| match party.place {
        Place::At(ip) => context.in_virtual_network(&net::host(ip)) == Tri::Maybe,
        Place::In(_) | Place::Service(_) | Place::SomePublic | Place::Part(..) => true,
    };
    let text = format!("what VirtualNetwork holds on {} depends on routes that are not in the input: {}", short(subnet), short(source));
    let doubt = || step(met.stage, met.span, "filter.8", text).by(source, "").kind(Kind::Assumption).code(code);
    (unsure(own) || unsure(remote)).then(doubt)
}

/// A remark on a rule that names public addresses by the tag `VirtualNetwork`: it is everything where a default route leads to an appliance or a gateway
/// (NSG-21).
fn everything_is_network(world: &World<'_>, subnet: Sym, met: &Step, remote: Party<'_>) -> Option<Step> {
    let public = match remote.place {
        Place::At(ip) => net::is_public(ip),
        Place::Service(_) | Place::SomePublic | Place::Part(..) => true,
        Place::In(_) => false,
    };
    let all = || world.context(subnet).tag.public.iter().any(|(prefix, sure)| prefix.prefix_len() == 0 && sure.lo());
    (public && all()).then(|| {
        let text = format!("VirtualNetwork is every address on {}: a default route leads to an appliance or a gateway", short(subnet));
        step(met.stage, Span::ALL, "filter.9", text).by(subnet, met.rule.clone()).at_fact(met.source).code("W-TAG-ALL")
    })
}

/// Why nobody knows the rules of a group that is named.
pub fn why_unknown(world: &World<'_>, nsg: Sym) -> &'static str {
    match () {
        () if !world.index.nsg.has(nsg) => "not in the input",
        () if !world.index.tells_rules_of(nsg) => "in the input without its list `securityRules`",
        () => "of another region, where no group can be that filters here",
    }
}

/// What one group lets through with the rule that decides it, and whether that rule names the tag `VirtualNetwork`, or `Internet`, which is the rest.
#[expect(clippy::too_many_arguments, reason = "a filter sees both ends, where it stands and what is asked")]
pub fn group(
    world: &World<'_>,
    nsg: Sym,
    direction: Direction,
    own: Party<'_>,
    remote: Party<'_>,
    ports: SourcePorts,
    subnet: Sym,
    asked: Set,
) -> (Step, bool) {
    let stage = stage(direction);
    let Some(program) = world.program(nsg, direction).filter(|_| world.is_group_of(nsg, subnet)) else {
        let text = format!("NSG {} is {}: the rules are not known", short(nsg), why_unknown(world, nsg));
        return (step(stage, Span::UNKNOWN, "filter.3", text).by(nsg, "").kind(Kind::Assumption).code("W-MISSING"), false);
    };
    let context = world.context(subnet);
    let met_by = |remote| program.met(own, remote, ports, &context, world.platform).map(|met| one_network(world, met)).collect();
    let mut met: Vec<Met<'_>> = met_by(remote);
    let mut span = first_match(met.iter().copied());
    if !asked.within(span.sure) && asked.meets(span.may) {
        // Rules that name parts of what is behind a public front end may together name all of it.
        let named = met.iter().flat_map(|met| &met.rule.remote);
        let prefixes = named.filter_map(|selector| if let Selector::Prefix(prefix) = selector { Some(*prefix) } else { None });
        let parts = remote.place.parts(prefixes, world.platform).into_iter();
        let each: Vec<Vec<Met<'_>>> = parts.map(|ip| met_by(Party { place: Place::Part(ip, &remote.place), ..remote })).collect();
        let spans = each.iter().map(|met| first_match(met.iter().copied()));
        let whole = spans.reduce(|a, b| Span { sure: a.sure.and(b.sure), may: a.may.or(b.may) }).unwrap_or(span);
        if asked.within(whole.sure) || !asked.meets(whole.may) {
            met = each.into_iter().next().unwrap_or(met);
        }
        span = whole;
    }
    let (deciding, code) = deciding(&met, span, asked);
    let Some(deciding) = deciding else {
        return (step(stage, span, "filter.1", format!("no rule of NSG {} names it", short(nsg))).by(nsg, ""), false);
    };
    let rule = deciding.rule;
    let word = match (asked.within(span.sure), asked.meets(span.may)) {
        (true, _) => "allows",
        (false, false) => "denies",
        _ => "perhaps decides",
    };
    let name = short(rule.id);
    let text = format!("NSG {} {word} it by rule {} {name}", short(nsg), rule.priority);
    let kind = if rule.default { Kind::Default } else { Kind::Fact };
    let source = if rule.default { nsg } else { rule.id };
    let tag = |selector: &Selector| match selector {
        Selector::Tag(tag) if tag.as_str() == "internet" => !code.is_empty(),
        Selector::Tag(tag) => matches!(tag.as_str(), "virtualnetwork" | "virtual_network"),
        _ => false,
    };
    let by_tag = rule.own.iter().chain(&rule.remote).any(tag);
    (step(stage, span, "filter.1", text).by(nsg, name).at_fact(source).kind(kind).code(code), by_tag)
}

/// A rule whose application security groups have members in several networks is one that Azure refuses: it counts only perhaps (NSG-09).
fn one_network<'a>(world: &World<'_>, met: Met<'a>) -> Met<'a> {
    let mut vnets: Vec<Sym> = Vec::new();
    for selector in met.rule.own.iter().chain(&met.rule.remote) {
        if let Selector::Asg(asg) = selector {
            vnets.extend(world.networks_of_asg(*asg));
        }
    }
    vnets.sort_unstable();
    vnets.dedup();
    if vnets.len() > 1 { Met { traffic: met.traffic.doubted(), ..met } } else { met }
}

/// What the rules of a group that name `tag`, and no others, do to packets for one of the platform's own addresses; `None` where none does.
pub fn naming(world: &World<'_>, nsg: Sym, tag: Sym, from: &Host, to: std::net::IpAddr, asked: Set) -> Option<Step> {
    let stage = stage(Direction::Outbound);
    let Some(program) = world.program(nsg, Direction::Outbound).filter(|_| world.is_group_of(nsg, from.subnet)) else {
        let text = format!("NSG {} is {}: whether a rule names {tag} is not known", short(nsg), why_unknown(world, nsg));
        return Some(step(stage, Span::UNKNOWN, "filter.3", text).by(nsg, "").kind(Kind::Assumption).code("W-MISSING"));
    };
    let context = world.context(from.subnet);
    let own_asgs = world.asgs_of_nic(from.nic);
    let own = Party { place: Place::At(from.ip), asgs: &own_asgs };
    let remote = Party { place: Place::At(to), asgs: &[] };
    let met = program.met(own, remote, SourcePorts::Kept, &context, world.platform);
    let met: Vec<Met<'_>> = met.filter(|met| met.rule.remote.contains(&Selector::Tag(tag))).collect();
    let first = met.first()?;
    let named = met.iter().fold(Span::NONE, |span, met| span.or(met.traffic));
    let passed = first_match(met.iter().copied());
    let span = Span { sure: passed.sure.or(Set::ALL.minus(named.may)), may: passed.may.or(Set::ALL.minus(named.sure)) };
    let deciding = met.iter().find(|met| met.traffic.may.meets(asked)).unwrap_or(first);
    let text = format!("NSG {} has a rule for {tag}: {}", short(nsg), short(deciding.rule.id));
    let decided = step(stage, span, "filter.5", text).by(nsg, short(deciding.rule.id)).at_fact(deciding.rule.id).kind(Kind::Fact);
    Some(if span.sure == span.may { decided } else { decided.code("W-UNSUPPORTED") })
}

/// The rule that settles the asked traffic, and a code where none surely does.
fn deciding<'a>(met: &[Met<'a>], span: Span, asked: Set) -> (Option<Met<'a>>, &'static str) {
    let names = |m: &&Met<'a>| m.traffic.may.meets(asked);
    if asked.within(span.sure) {
        let allows = met.iter().find(|m| m.rule.allow && m.traffic.sure.meets(asked));
        return (allows.copied(), "");
    }
    if !asked.meets(span.may) {
        let denies = met.iter().filter(names).find(|m| !m.rule.allow && m.traffic.sure.meets(asked));
        return (denies.copied(), "");
    }
    // The first rule that names the traffic only perhaps, else the first that names part of it.
    let unsure = met.iter().filter(names).find(|m| !asked.within(m.traffic.sure)).or_else(|| met.iter().find(names));
    let duplicate = met.windows(2).any(|pair| pair[0].rule.priority == pair[1].rule.priority && pair[0].rule.allow != pair[1].rule.allow);
    (unsure.copied(), if duplicate { "W-DUP-PRIO" } else { "W-UNSUPPORTED" })
}

/// Every prefix that the groups on the way of a place and its routes compare addresses with, and the service tags that the groups name.
pub fn compared(world: &World<'_>, nic: Sym, subnet: Sym) -> (Vec<Prefix>, Vec<Sym>) {
    let groups = world.index.nic_nsg.get(nic).iter().map(|row| row.nsg);
    let groups = groups.chain(world.index.subnet_nsg.get(subnet).iter().map(|row| row.nsg));
    let (mut prefixes, mut tags) = (Vec::new(), Vec::new());
    for nsg in groups {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let Some(program) = world.program(nsg, direction) else { continue };
            for selector in program.rules.iter().flat_map(|rule| rule.own.iter().chain(&rule.remote)) {
                match selector {
                    Selector::Prefix(prefix) => prefixes.push(*prefix),
                    Selector::Tag(tag) => tags.push(*tag),
                    Selector::Any | Selector::Asg(_) => {}
                }
            }
        }
    }
    for direction in [Direction::Inbound, Direction::Outbound] {
        world.admin_program(world.vnet_of(subnet), subnet, direction).compared(&mut prefixes, &mut tags);
    }
    prefixes.extend(world.context(subnet).cuts());
    prefixes.sort_unstable();
    prefixes.dedup();
    tags.sort_unstable();
    tags.dedup();
    (prefixes, tags)
}

/// Every prefix that a group on the way of `host` compares addresses with.
pub fn cuts(world: &World<'_>, nic: Sym, subnet: Sym) -> Vec<Prefix> {
    let (mut cuts, tags) = compared(world, nic, subnet);
    cuts.extend(tags.into_iter().flat_map(|tag| world.platform.tag(tag).unwrap_or_default()));
    cuts
}
