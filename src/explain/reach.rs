//! Who reaches what: the answers to all pairs of ends, as rows with the widest ends for which they hold.
//!
//! Every pair of interfaces, stores, sites and the internet is evaluated as `point` evaluates one flow; a row of every interface of a subnet
//! becomes a row of the subnet.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::explain::callers;
use crate::explain::point::{self, PASSED_ON, Pairs};
use crate::explain::shared::{Places, shared};
use crate::explain::way::{Assumption, End, Flow, Mode, Way};
use crate::explain::world::{World, machines_of, site_ids};
use crate::facts::Index;
use crate::facts::platform::Platform;
use crate::facts::store_facts::Service;
use crate::model::{Set, Span, Stage, Sym, Via};

/// What a listing asks for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Only from these; `None` for every interface of a machine, every site, the internet, and every resource that opens flows of its own.
    pub from: Option<&'a [End]>,
    /// Only to these; `None` for the same but those resources, all stores and the attacker's stores.
    pub to: Option<&'a [End]>,
    /// Only this traffic.
    pub traffic: Set,
    /// Whether ways over different appliances are told apart, with their legs.
    pub paths: bool,
    /// Which rows of a subnet and of its interfaces are given.
    pub ends: Ends,
    /// Only rows of which an end is one of these, or of a subnet of theirs.
    pub touching: Option<&'a FxHashSet<End>>,
}

/// How interfaces and the subnet they are in share rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The subnet where the row holds for every interface in it, else the single interfaces.
    Widest,
    /// The interfaces always, and the subnet as well where the row holds for every interface in it.
    All,
}

/// One leg of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Where it starts.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// How the two are joined.
    pub via: Via,
    /// What is sent on it, where that is other traffic than the row's: at its end a flow of its own begins.
    pub traffic: Option<Set>,
}

/// `from` reaches `to` with `traffic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The source.
    pub from: End,
    /// The destination.
    pub to: End,
    /// How the two are joined.
    pub via: Via,
    /// What gets through.
    pub traffic: Set,
    /// Whether that is proven.
    pub proven: bool,
    /// The legs, where they were asked for.
    pub legs: Vec<Leg>,
    /// What is taken for granted, sorted; empty where proven.
    pub assumptions: Vec<Assumption>,
}

/// What tells the rows of one pair of ends apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    via: Via,
    proven: bool,
    traffic: Set,
    /// What is between the ends, each with how it is reached, then how the destination is, without its end; empty where nobody asked.
    path: Between,
}

/// What is between the ends of a way, each with how it is reached and what it is sent where that differs, then how the destination is, without its end.
type Between = Vec<(Option<End>, Via, Option<Set>)>;

/// What one pair of ends has.
type Found = (Key, Vec<Assumption>);

/// The interfaces of each subnet that send and answer.
type Members = FxHashMap<Sym, BTreeSet<End>>;

/// The rows of the listing, in the order of their texts. Sources are shared out over `workers` threads; that never shows in the rows.
pub fn rows(index: &Index, platform: &Platform, ask: &Ask<'_>, workers: NonZeroUsize) -> Vec<Row> {
    let members = members(index);
    let (from, to) = (sources(index, platform, ask.from, &members), destinations(index, ask.to, &members));
    let touching = ask.touching.map(|ends| whole_subnets(ends, &members));
    let wanted = |from: End, to: End| touching.as_ref().is_none_or(|ends| ends.contains(&from) || ends.contains(&to));
    let work = |places: &Places| {
        let world = World::new(index, platform);
        let of_source = |at: usize| {
            let to = to.iter().filter(|to| worth(from[at], **to) && wanted(from[at], **to));
            to.flat_map(|to| pair(&world, from[at], *to, ask).into_iter().map(|(key, why)| (from[at], *to, key, why))).collect()
        };
        places.each().map(|at| (at, of_source(at))).collect()
    };
    let narrow: Vec<Vec<Line>> = shared(from.len(), workers, work, work);
    let wide = widen(narrow.into_iter().flatten().collect(), &members, ask.ends);
    let mut rows: Vec<Row> = wide.into_iter().map(row).collect();
    rows.sort_by_cached_key(|row| {
        let assumptions: Vec<String> = row.assumptions.iter().map(|a| format!("{} {} {}", a.code, a.resource, a.text)).collect();
        let sent = |leg: &Leg| leg.traffic.map_or_else(String::new, |traffic| traffic.to_string());
        let legs: Vec<String> = row.legs.iter().map(|leg| format!("{} {}", text(leg.to), sent(leg))).collect();
        (text(row.from), text(row.to), row.via.as_str(), !row.proven, row.traffic.to_string(), legs, assumptions)
    });
    rows
}

/// The text that ends are ordered by.
pub fn text(end: End) -> String {
    match end {
        End::Machine(id) | End::Nic(id) | End::Subnet(id) | End::Site(id) | End::PrivateEndpoint(id) | End::Unmodelled(id) => {
            id.as_str().to_owned()
        }
        End::Fqdn(name) => name.as_str().to_owned(),
        End::Store(id, part, instance) => format!("{id} {part} {}", instance.as_str()),
        End::Ip(ip) => ip.to_string(),
        End::Internet(None) => "internet".to_owned(),
        End::Internet(Some(ip)) => format!("internet:{ip}"),
        End::Network(id) if id.is_empty() => "external:network".to_owned(),
        End::Network(id) => id.as_str().to_owned(),
        End::External(service) => format!("external:{}", service.as_str()),
    }
}

/// The interfaces of machines in each subnet.
fn members(index: &Index) -> Members {
    let mut members = Members::default();
    for config in index.ip_config.rows() {
        if index.is_attached(config.nic) {
            members.entry(config.subnet).or_default().insert(End::Nic(config.nic));
        }
    }
    members
}

/// `ends` and whatever shares a subnet with one of them: the rows of a subnet depend on all that is in it.
fn whole_subnets(ends: &FxHashSet<End>, members: &Members) -> FxHashSet<End> {
    let mut whole = ends.clone();
    loop {
        let shared = members.values().filter(|inside| inside.iter().any(|end| whole.contains(end)));
        let more: Vec<End> = shared.flatten().filter(|end| !whole.contains(*end)).copied().collect();
        if more.is_empty() {
            return whole;
        }
        whole.extend(more);
    }
}

/// Every end in a network and around it: interfaces of machines, sites, the internet.
pub fn network_ends(index: &Index) -> Vec<End> {
    let nics = index.nic.rows().filter(|nic| index.is_attached(nic.nic)).map(|nic| End::Nic(nic.nic));
    nics.chain(unseen(index)).chain(sites(index)).chain([End::Internet(None)]).collect()
}

/// The interfaces of machines that are not in the input, and machines of which it holds no interface: every machine has one (SND-04).
fn unseen(index: &Index) -> impl Iterator<Item = End> {
    let nics = index.nic_machine.rows().filter(|row| !index.nic.has(row.nic)).map(|row| End::Nic(row.nic));
    // A flexible scale set is there by its machines (ADR-08).
    let known = |machine: Sym| index.nics_by_machine.has(machine) || machines_of(index, machine) != [machine];
    let machines = index.machine.rows().filter(move |row| !known(row.machine)).map(|row| End::Machine(row.machine));
    nics.chain(machines)
}

/// The sites on premises, each once whatever describes it.
pub fn sites(index: &Index) -> Vec<End> {
    site_ids(index).into_iter().map(End::Site).collect()
}

/// The attacker's stores.
pub fn external() -> impl Iterator<Item = End> {
    Service::EXTERNAL.into_iter().map(End::External)
}

fn sources(index: &Index, platform: &Platform, asked: Option<&[End]>, members: &Members) -> Vec<End> {
    let all = || network_ends(index).into_iter().chain(callers::all(index, platform)).collect();
    narrowed(index, asked.map_or_else(all, <[End]>::to_vec), members)
}

fn destinations(index: &Index, asked: Option<&[End]>, members: &Members) -> Vec<End> {
    let all = || {
        let parts = index.store_parts.rows().map(|row| End::Store(row.store, row.part, row.instance));
        network_ends(index).into_iter().chain(parts).chain(external()).collect()
    };
    narrowed(index, asked.map_or_else(all, <[End]>::to_vec), members)
}

/// The ends to evaluate, in the order of their texts: interfaces for subnets and machines that have some.
fn narrowed(index: &Index, ends: Vec<End>, members: &Members) -> Vec<End> {
    let mut out: Vec<End> = Vec::new();
    for end in ends {
        let inner: Vec<End> = match end {
            End::Subnet(subnet) => members.get(&subnet).into_iter().flatten().copied().collect(),
            End::Machine(machine) => index.nics_by_machine.get(machine).iter().map(|row| End::Nic(row.nic)).collect(),
            _ => Vec::new(),
        };
        if inner.is_empty() { out.push(end) } else { out.extend(inner) }
    }
    out.sort_by_cached_key(|end| text(*end));
    out.dedup();
    out
}

/// Whether a pair says anything: an end reaches itself, and what is outside is outside already.
fn worth(from: End, to: End) -> bool {
    let outside = |end| matches!(end, End::Internet(_) | End::External(_));
    from != to && !(outside(from) && outside(to)) && !matches!((from, to), (End::Site(_), End::External(_)))
}

/// The rows of one pair of ends.
fn pair(world: &World<'_>, from: End, to: End, ask: &Ask<'_>) -> Vec<Found> {
    let flow = Flow { from, to, traffic: ask.traffic, mode: Mode::Configured, session: true };
    let path = |way: &Way| if ask.paths { path(world, from, to, way) } else { Vec::new() };
    found(&point::pairs(world, &flow), ask.traffic, &path)
}

/// What the ways of a flow let through, by how they join its ends.
fn found(pairs: &Pairs, asked: Set, path: &dyn Fn(&Way) -> Between) -> Vec<Found> {
    let total = point::span(pairs, asked);
    if total.may.is_empty() {
        return Vec::new();
    }
    let mut kinds: Vec<(Via, Between)> = Vec::new();
    let mut kind = |way: &Way| {
        let kind = (way.via, path(way));
        kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            kinds.push(kind);
            kinds.len() - 1
        })
    };
    // The groups and pairs of ways, with the kind of each way and what gets through it.
    let mut ways: Vec<(usize, Span, &Way)> = Vec::new();
    let mut groups: Vec<Vec<Vec<(usize, Span)>>> = Vec::new();
    for group in &pairs.groups {
        let mut spans = Vec::new();
        for pair in group {
            let open = pair.iter().map(|way| (way, way.span().within(asked))).filter(|(_, span)| !span.may.is_empty());
            let open: Vec<(usize, Span, &Way)> = open.map(|(way, span)| (kind(way), span, way)).collect();
            spans.push(open.iter().map(|(kind, span, _)| (*kind, *span)).collect());
            ways.extend(open);
        }
        groups.push(spans);
    }
    // What is sure of each kind alone; where different addresses of one end take different ways, the rest is sure of all of them together.
    let alone: Vec<Span> = (0..kinds.len()).map(|wanted| span_of(&groups, wanted)).collect();
    let shared = total.sure.minus(alone.iter().fold(Set::EMPTY, |set, span| set.or(span.sure)));
    let mut out = Vec::new();
    for (n, ((via, path), span)) in kinds.into_iter().zip(alone).enumerate() {
        let of_kind = || ways.iter().filter(|(kind, _, _)| *kind == n);
        let part = of_kind().fold(Set::EMPTY, |set, (_, span, _)| set.or(span.sure)).and(shared);
        let sure = span.sure.either(part);
        let rest = span.may.minus(sure);
        let key = |proven, traffic| Key { via, proven, traffic, path: path.clone() };
        if !sure.is_empty() {
            out.push((key(true, sure), Vec::new()));
        }
        if !rest.is_empty() {
            let open = of_kind().filter(|(_, span, _)| span.may.meets(rest)).map(|(_, _, way)| *way);
            out.push((key(false, rest), assumptions(open, rest)));
        }
    }
    out
}

/// What the ways of one kind let through, as `point::span` adds them up.
fn span_of(groups: &[Vec<Vec<(usize, Span)>>], wanted: usize) -> Span {
    let mut total = Span::NONE;
    for group in groups.iter().filter(|group| !group.is_empty()) {
        let mut all = Span { sure: Set::ALL, may: Set::EMPTY };
        for pair in group {
            let one = pair.iter().filter(|(kind, _)| *kind == wanted).fold(Span::NONE, |span, (_, way)| span.either(*way));
            all = Span { sure: all.sure.and(one.sure), may: all.may.or(one.may) };
        }
        total = total.either(all);
    }
    total
}

/// What `ways` take for granted where they let `traffic` through: sorted, never empty.
pub fn assumptions<'w>(ways: impl Iterator<Item = &'w Way> + Clone, traffic: Set) -> Vec<Assumption> {
    let assumption = |code: &str, step: &crate::explain::way::Step| Assumption {
        code: if code.is_empty() { "W-UNSUPPORTED".to_owned() } else { code.to_owned() },
        resource: step.resource,
        text: step.text.clone(),
    };
    let unsure = || ways.clone().flat_map(|way| &way.steps).filter(|step| !traffic.within(step.span.sure));
    let mut found: Vec<Assumption> = unsure().filter(|step| !step.code.is_empty()).map(|step| assumption(step.code, step)).collect();
    if found.is_empty() {
        found.extend(unsure().take(1).map(|step| assumption("", step)));
    }
    Assumption::tidy(&mut found);
    found
}

/// What is between the ends of a way and how each is reached, then how the destination is: appliances, and what takes the flow and opens another.
fn path(world: &World<'_>, from: End, to: End, way: &Way) -> Between {
    let mut out = Between::new();
    let mut at = from;
    for step in way.steps.iter().filter(|step| step.stage == Stage::Appliance) {
        let between = match step.label {
            PASSED_ON => End::Unmodelled(step.resource),
            _ if world.index.nic.has(step.resource) => End::Nic(step.resource),
            _ => continue,
        };
        if out.last().is_none_or(|(last, ..)| *last != Some(between)) {
            let outside = if matches!(from, End::Internet(_)) && at == from { Via::Public } else { way.via };
            out.push((Some(between), joined(world, at, between).unwrap_or(outside), step.taken));
            at = between;
        }
    }
    // Behind an appliance the way as a whole is named after it, and the last leg after what it does.
    let unknown = if matches!(at, End::Unmodelled(_)) { Via::Appliance } else { Via::Public };
    let last = match way.via {
        Via::Appliance => joined(world, at, to).unwrap_or(unknown),
        via => via,
    };
    out.push((None, last, None));
    out
}

/// How two ends are joined where nothing stands between them; nothing where one of them is outside.
fn joined(world: &World<'_>, from: End, to: End) -> Option<Via> {
    let vnet = |end: End| match end {
        End::Nic(nic) => world.index.ip_configs_by_nic.one(nic).map(|config| world.vnet_of(config.subnet)),
        End::Subnet(subnet) => Some(world.vnet_of(subnet)),
        End::PrivateEndpoint(endpoint) => world.index.private_endpoint.one(endpoint).map(|row| world.vnet_of(row.subnet)),
        End::Unmodelled(device) => {
            let rooms = world.index.device.get(device).iter().map(|row| row.subnet).filter(|room| !room.is_empty());
            rooms.map(|room| world.vnet_of(room)).min_by_key(|vnet| vnet.as_str())
        }
        _ => None,
    };
    match (from, to) {
        (End::Site(_), _) | (_, End::Site(_)) => Some(Via::Gateway),
        _ => Some(if vnet(from)? == vnet(to)? { Via::VnetLocal } else { Via::Peering }),
    }
}

type Line = (End, End, Key, Vec<Assumption>);

/// Rows of every interface of a subnet become a row of the subnet: first as a source, then as a destination.
fn widen(rows: Vec<Line>, members: &Members, ends: Ends) -> Vec<Line> {
    let by_source = rows.into_iter().map(|(from, to, key, why)| ((to, key), from, why));
    let rows = widen_one(by_source, members, ends);
    let by_destination = rows.into_iter().map(|((to, key), from, why)| ((from, key), to, why));
    widen_one(by_destination, members, ends).into_iter().map(|((from, key), to, why)| (from, to, key, why)).collect()
}

/// Widens one side; the other side with the key stays.
fn widen_one(
    rows: impl Iterator<Item = ((End, Key), End, Vec<Assumption>)>,
    members: &Members,
    ends: Ends,
) -> Vec<((End, Key), End, Vec<Assumption>)> {
    let mut groups: BTreeMap<(End, Key), BTreeMap<End, Vec<Assumption>>> = BTreeMap::new();
    for (fixed, end, why) in rows {
        groups.entry(fixed).or_default().entry(end).or_default().extend(why);
    }
    let mut of: FxHashMap<End, Vec<Sym>> = FxHashMap::default();
    for (subnet, nics) in members {
        nics.iter().for_each(|nic| of.entry(*nic).or_default().push(*subnet));
    }
    let mut out = Vec::new();
    for (fixed, group) in groups {
        let subnets: BTreeSet<Sym> = group.keys().filter_map(|end| of.get(end)).flatten().copied().collect();
        // An interface does not reach itself, so its own subnet is whole without it.
        let whole = |subnet: &&Sym| members[*subnet].iter().all(|nic| *nic == fixed.0 || group.contains_key(nic));
        let whole: FxHashSet<Sym> = subnets.iter().filter(whole).copied().collect();
        for subnet in &whole {
            let mut why: Vec<Assumption> = members[subnet].iter().filter_map(|nic| group.get(nic)).flatten().cloned().collect();
            Assumption::tidy(&mut why);
            out.push((fixed.clone(), End::Subnet(*subnet), why));
        }
        for (end, mut why) in group {
            let absorbed = of.get(&end).is_some_and(|subnets| subnets.iter().all(|subnet| whole.contains(subnet)));
            if !absorbed || ends == Ends::All {
                Assumption::tidy(&mut why);
                out.push((fixed.clone(), end, why));
            }
        }
    }
    out
}

fn row((from, to, key, assumptions): Line) -> Row {
    let mut legs = Vec::new();
    let mut at = from;
    for (between, via, traffic) in &key.path {
        let end = between.unwrap_or(to);
        legs.push(Leg { from: at, to: end, via: *via, traffic: *traffic });
        at = end;
    }
    Row { from, to, via: key.via, traffic: key.traffic, proven: key.proven, legs, assumptions }
}
