//! The answer to one flow: every pair of addresses its ends stand for, every way between them, and what that proves together.

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::candidates::takes_service_endpoint;
use crate::explain::filters;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::stores;
use crate::explain::walk::{Home, Target, Trail, Walk};
use crate::explain::way::{Answer, Assumption, End, Flow, Kind, Reason, Step, Way};
use crate::explain::world::{World, free_addresses};
use crate::facts::network::PublicSku;
use crate::model::{Prefix, Set, Span, Stage, Sym, Tri, Verdict, Via, net};
use crate::rules::outbound::PublicSource;

/// The ways between one pair of addresses, one of which a packet takes.
pub type Pair = Vec<Way>;

/// How the pairs of a flow add up (decisions on ends that stand for many).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// One of them is enough.
    One,
    /// All of them must get through.
    All,
}

/// All pairs of a flow: `one of` groups, in each of which `all` pairs count.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// The groups.
    pub groups: Vec<Vec<Pair>>,
}

/// What a flow's ways let through together.
pub fn span(pairs: &Pairs) -> Span {
    let mut total = Span::NONE;
    for group in &pairs.groups {
        let mut all = Span { sure: Set::ALL, may: Set::EMPTY };
        for pair in group {
            let one = pair.iter().fold(Span::NONE, |span, way| span.or(way.span()));
            all = Span { sure: all.sure.and(one.sure), may: all.may.or(one.may) };
        }
        if !group.is_empty() {
            total = total.or(all);
        }
    }
    total
}

/// Answers one flow.
pub fn answer(world: &World<'_>, flow: &Flow) -> Answer {
    let pairs = pairs(world, flow);
    judge(&pairs, flow.traffic)
}

/// The ends of a machine: its interfaces' places, grouped by configuration, and whether the guest sends by it for sure (ADR-15).
pub fn places(world: &World<'_>, end: End) -> Vec<(Vec<Host>, bool)> {
    let index = world.index;
    let of_nic = |nic: Sym, sure: bool| {
        let mut configs: Vec<Sym> = index.ip_configs_by_nic.get(nic).iter().map(|config| config.ip_config).collect();
        configs.sort_by_key(|config| config.as_str());
        configs.into_iter().map(move |config| (world.hosts_of_config(config), sure))
    };
    match end {
        End::Nic(nic) => of_nic(nic, true).collect(),
        End::Machine(machine) => {
            let mut nics: Vec<Sym> = index.nics_by_machine.get(machine).iter().map(|row| row.nic).collect();
            nics.sort_by_key(|nic| nic.as_str());
            let single = nics.len() == 1;
            nics.into_iter().flat_map(|nic| of_nic(nic, single || index.nic_primary.has(nic))).collect()
        }
        End::Subnet(subnet) => {
            let mut cuts = Vec::new();
            filters::cuts(world, Sym::EMPTY, subnet, &mut cuts);
            cuts.extend(world.all_cuts());
            let hosts = free_addresses(world, subnet, &cuts).into_iter().map(|ip| Host::imagined(world, subnet, ip)).collect();
            vec![(hosts, true)]
        }
        _ => Vec::new(),
    }
}

/// All pairs of a flow and the ways between them.
pub fn pairs(world: &World<'_>, flow: &Flow) -> Pairs {
    if let Some(pairs) = stores::pairs(world, flow) {
        return pairs;
    }
    if let End::Unmodelled(resource) = flow.to {
        return one(unmodelled(resource));
    }
    match flow.from {
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => from_places(world, flow),
        End::Internet(source) => from_internet(world, flow, source),
        End::Site(site) => from_site(world, flow, site),
        End::Ip(ip) => from_ip(world, flow, ip),
        End::Unmodelled(resource) | End::Store(resource, _, _) => one(unmodelled(resource)),
        _ => one(no_source(flow.from)),
    }
}

/// A single way, as the pairs of a flow.
pub fn one(way: Way) -> Pairs {
    Pairs { groups: vec![vec![vec![way]]] }
}

/// A way that ends at something whose behaviour is not modelled.
pub fn unmodelled(resource: Sym) -> Way {
    let text = format!("how {} sends and answers is not modelled", short(resource));
    let unknown = step(Stage::Route, Span::UNKNOWN, "reach.9", text).by(resource, "").kind(Kind::Assumption).code("W-UNSUPPORTED");
    Way { via: Via::Public, steps: vec![unknown] }
}

fn no_source(end: End) -> Way {
    let text = match end {
        End::PrivateEndpoint(_) => "a private endpoint never opens a flow".to_owned(),
        _ => "it never opens a flow of its own".to_owned(),
    };
    Way { via: Via::Public, steps: vec![step(Stage::Route, Span::NONE, "reach.8", text).kind(Kind::Default)] }
}

/// The destinations of a flow, as the packet's address and whom it is for. Inner lists count together, outer ones one by one.
fn destinations(world: &World<'_>, flow: &Flow, from: &Host) -> Vec<Vec<(IpAddr, Target)>> {
    match flow.to {
        // One family at a time: an address of the other is no destination of this one (ADR-14).
        End::Ip(ip) | End::Internet(Some(ip)) if ip.is_ipv4() != from.ip.is_ipv4() => Vec::new(),
        End::Ip(ip) => vec![vec![(ip, Target::Anyone)]],
        End::PrivateEndpoint(endpoint) => {
            let family = |ip: &IpAddr| ip.is_ipv4() == from.ip.is_ipv4();
            let addresses = world.endpoint_addresses(endpoint).into_iter().filter(family);
            addresses.map(|ip| vec![(ip, Target::Endpoint(endpoint))]).collect()
        }
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => places(world, flow.to)
            .into_iter()
            .map(|(hosts, _)| hosts.into_iter().filter(|h| h.ip.is_ipv4() == from.ip.is_ipv4()).map(|h| (h.ip, Target::Host(h))).collect())
            .filter(|group: &Vec<_>| !group.is_empty())
            .collect(),
        End::Internet(Some(ip)) => vec![vec![(ip, Target::Internet)]],
        End::Internet(None) => {
            let v6 = from.ip.is_ipv6();
            let addresses = world.internet_from(from.nic, from.subnet, v6, || internet_addresses(world, from));
            addresses.iter().map(|ip| vec![(*ip, Target::Internet)]).collect()
        }
        End::Site(site) => {
            let mut cuts = Vec::new();
            filters::cuts(world, from.nic, from.subnet, &mut cuts);
            cuts.extend(world.all_cuts());
            site_representatives(world, site, &cuts).into_iter().map(|ip| vec![(ip, Target::Site(site))]).collect()
        }
        _ => Vec::new(),
    }
}

/// The addresses of the internet that make a difference to what a packet of `from` meets; front ends of Azure are destinations of their own:
/// `external:…`.
fn internet_addresses(world: &World<'_>, from: &Host) -> Vec<IpAddr> {
    let mut cuts = Vec::new();
    filters::cuts(world, from.nic, from.subnet, &mut cuts);
    cuts.extend(world.transit_cuts());
    let front_end = |ip: IpAddr| {
        takes_service_endpoint(world, from.subnet, ip)
            || world.platform.tags_holding(ip).iter().any(|tag| !tag.as_str().starts_with("azurecloud"))
    };
    let named: Vec<Sym> = world.named_tags(from.nic, from.subnet);
    let explicit: Vec<Prefix> = cuts.iter().copied().filter(|cut| !named.iter().any(|tag| tag_has(world, *tag, cut))).collect();
    let mut seen = rustc_hash::FxHashSet::default();
    let addresses = public_representatives(world, &cuts, from.ip.is_ipv6()).into_iter();
    addresses
        .filter(|ip| {
            // Addresses that the same prefixes and the same tags hold get the same answer: one of them is enough.
            let prefixes: Vec<usize> = (0..explicit.len()).filter(|n| explicit[*n].contains(ip)).collect();
            seen.insert((prefixes, world.platform.tags_holding(*ip)))
        })
        .filter(|ip| !front_end(*ip))
        .collect()
}

fn tag_has(world: &World<'_>, tag: Sym, prefix: &Prefix) -> bool {
    world.platform.tag(tag).is_some_and(|prefixes| prefixes.binary_search(prefix).is_ok())
}

fn from_places(world: &World<'_>, flow: &Flow) -> Pairs {
    let mut out = Pairs::default();
    for (hosts, sure_nic) in places(world, flow.from) {
        // Every place a source with an unknown address may be at counts (ADR-06, ADR-16); destinations that stand for many are one of them.
        let mut by_destination: Vec<Vec<Pair>> = Vec::new();
        for host in &hosts {
            for (n, group) in destinations(world, flow, host).into_iter().enumerate() {
                if by_destination.len() <= n {
                    by_destination.push(Vec::new());
                }
                for (ip, target) in group {
                    by_destination[n].push(send(world, flow, host, ip, target, sure_nic));
                }
            }
        }
        out.groups.extend(by_destination);
    }
    if out.groups.is_empty() {
        out = one(no_address(flow));
    }
    out
}

fn no_address(flow: &Flow) -> Way {
    let text = match flow.to {
        End::PrivateEndpoint(_) => "the private endpoint has no known address".to_owned(),
        _ => "one of the ends has no address in the input".to_owned(),
    };
    let (span, code) = match flow.to {
        End::PrivateEndpoint(_) => (Span::UNKNOWN, "W-MISSING"),
        _ => (Span::NONE, ""),
    };
    Way { via: Via::VnetLocal, steps: vec![step(Stage::Route, span, "address.2", text).kind(Kind::Absence).code(code)] }
}

/// The ways of one packet from one place.
fn send(world: &World<'_>, flow: &Flow, from: &Host, to: IpAddr, target: Target, sure_nic: bool) -> Pair {
    if let Target::Host(host) = &target
        && host == from
    {
        return vec![Way {
            via: Via::VnetLocal,
            steps: vec![step(Stage::Delivered, Span::ALL, "reach.7", "it is the same address".to_owned())],
        }];
    }
    let dst_asgs = match &target {
        Target::Host(host) => world.asgs_of(host.ip_config),
        _ => owner_asgs(world, to, from.vnet),
    };
    let packet = Packet { dst_asgs, ..Packet::new(Seen::At(from.ip), world.asgs_of(from.ip_config), to) };
    let walk = Walk {
        world,
        asked: flow.traffic,
        session: flow.session,
        target,
        home: Home::Network(from.vnet),
        origin: Some(from.ip),
        sources: RefCell::default(),
    };
    let mut ways = walk.from(from, &packet);
    let inside = world.index.subnet_prefixes.get(from.subnet).iter().any(|row| row.prefix.contains(&to));
    if !sure_nic && !inside {
        let text = format!("{} is perhaps a secondary interface: whether the guest sends by it is not known", short(from.nic));
        let unsure = step(Stage::Route, Span::UNKNOWN, "address.8", text).by(from.nic, "").kind(Kind::Assumption).code("W-UNSUPPORTED");
        ways.iter_mut().for_each(|way| way.steps.insert(0, unsure.clone()));
    }
    ways
}

/// The groups of whoever has the address in the source's network, for rules that name groups on the other side (NSG-09).
fn owner_asgs(world: &World<'_>, ip: IpAddr, vnet: Sym) -> Vec<(Sym, Tri)> {
    let owners = world.owners(ip, vnet);
    let mut asgs: Vec<(Sym, Tri)> = owners.hosts.iter().flat_map(|host| world.asgs_of(host.ip_config)).collect();
    asgs.sort();
    asgs.dedup();
    asgs
}

fn from_internet(world: &World<'_>, flow: &Flow, source: Option<IpAddr>) -> Pairs {
    let index = world.index;
    let mut targets: Vec<(Host, Sym)> = Vec::new();
    match flow.to {
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => {
            for (hosts, _) in places(world, flow.to) {
                for host in hosts {
                    if let Some(row) = index.ip_config_public_ip.one(host.ip_config) {
                        targets.push((host, row.public_ip));
                    }
                }
            }
            if targets.is_empty() {
                return one(closed("it has no public address", end_id(flow.to)));
            }
        }
        End::Ip(ip) if net::is_public(ip) => return to_public_literal(world, flow, source, ip),
        End::Internet(_) => return one(closed("both ends are outside", Sym::EMPTY)),
        _ => return one(closed("the internet does not lead to a private address", end_id(flow.to))),
    }
    let mut out = Pairs::default();
    for (host, public_ip) in targets {
        let sku = index.public_ip.one(public_ip).map_or(PublicSku::Unknown, |row| row.sku);
        for client in clients(world, source, &host) {
            let walk = internet_walk(world, flow, Target::Host(host.clone()));
            let packet = from_client(client, host.ip);
            let source = PublicSource::OneOf(vec![net::host(client)]);
            let mut ways = Vec::new();
            walk.public_in(&host, public_ip, sku, &packet, &source, Trail::default(), &mut ways);
            out.groups.push(vec![ways]);
        }
    }
    out
}

fn internet_walk<'w, 'a>(world: &'w World<'a>, flow: &Flow, target: Target) -> Walk<'w, 'a> {
    Walk { world, asked: flow.traffic, session: flow.session, target, home: Home::Internet, origin: None, sources: RefCell::default() }
}

fn from_client(client: IpAddr, dst: IpAddr) -> Packet {
    Packet::new(Seen::At(client), Vec::new(), dst)
}

/// The addresses of the internet that make a difference to the filters in front of `host`.
fn clients(world: &World<'_>, source: Option<IpAddr>, host: &Host) -> Vec<IpAddr> {
    if let Some(ip) = source {
        return vec![ip];
    }
    let mut cuts = Vec::new();
    filters::cuts(world, host.nic, host.subnet, &mut cuts);
    public_representatives(world, &cuts, host.ip.is_ipv6())
}

fn to_public_literal(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, ip: IpAddr) -> Pairs {
    let walk = internet_walk(world, flow, Target::Anyone);
    let mut sources = vec![source.unwrap_or(IpAddr::from([198, 51, 100, 7]))];
    if source.is_none() {
        for row in world.index.public_ips_by_address.get(ip) {
            for config in world.index.ip_configs_by_public_ip.get(row.public_ip) {
                for host in world.hosts_of_config(config.ip_config) {
                    sources.extend(clients(world, None, &host));
                }
            }
        }
        sources.sort();
        sources.dedup();
    }
    let mut out = Pairs::default();
    for client in sources {
        let mut ways = Vec::new();
        let packet = from_client(client, ip);
        walk.at_public_address(&packet, &PublicSource::OneOf(vec![net::host(client)]), Trail::default(), &mut ways);
        out.groups.push(vec![ways]);
    }
    out
}

fn closed(why: &str, resource: Sym) -> Way {
    Way { via: Via::Public, steps: vec![step(Stage::Nat, Span::NONE, "inbound.3", why.to_owned()).by(resource, "").kind(Kind::Absence)] }
}

fn end_id(end: End) -> Sym {
    match end {
        End::Machine(id) | End::Nic(id) | End::Subnet(id) | End::Site(id) | End::PrivateEndpoint(id) | End::Unmodelled(id) => id,
        End::Store(id, _, _) => id,
        _ => Sym::EMPTY,
    }
}

/// From a site on premises: in at the gateway, then by the routes of the gateway's subnet.
fn from_site(world: &World<'_>, flow: &Flow, site: Sym) -> Pairs {
    let mut out = Pairs::default();
    let mut cuts = Vec::new();
    cuts.extend(world.all_cuts());
    for entrance in world.entrances(site) {
        filters::cuts(world, Sym::EMPTY, entrance.subnet, &mut cuts);
        for source in site_representatives(world, site, &cuts) {
            let at = Host::imagined(world, entrance.subnet, source);
            for group in destinations(world, flow, &at) {
                let pairs = group.into_iter().map(|(ip, target)| {
                    let dst_asgs = match &target {
                        Target::Host(host) => world.asgs_of(host.ip_config),
                        _ => Vec::new(),
                    };
                    let packet = Packet { dst_asgs, ..Packet::new(Seen::At(source), Vec::new(), ip) };
                    let walk = Walk {
                        world,
                        asked: flow.traffic,
                        session: flow.session,
                        target,
                        home: Home::Site,
                        origin: Some(source),
                        sources: RefCell::default(),
                    };
                    let mut ways = Vec::new();
                    walk.onward(
                        &at,
                        &packet,
                        Trail { steps: vec![entrance.step.clone()], via: Some(Via::Gateway), ..Trail::default() },
                        &mut ways,
                    );
                    ways
                });
                out.groups.push(pairs.collect());
            }
        }
    }
    if out.groups.is_empty() {
        let text = "no connection of a gateway leads to the site".to_owned();
        out = one(Way {
            via: Via::Gateway,
            steps: vec![step(Stage::Gateway, Span::NONE, "gateway.3", text).by(site, "").kind(Kind::Absence)],
        });
    }
    out
}

/// A literal source address: whoever has it.
fn from_ip(world: &World<'_>, flow: &Flow, ip: IpAddr) -> Pairs {
    let mut configs: Vec<Sym> = world.index.ip_configs_by_address.get(ip).iter().map(|row| row.ip_config).collect();
    configs.sort_by_key(|config| config.as_str());
    let hosts: Vec<Host> = configs.into_iter().flat_map(|config| world.hosts_of_config(config)).filter(|host| host.ip == ip).collect();
    let [host] = hosts.as_slice() else {
        if net::is_public(ip) && hosts.is_empty() {
            return from_internet(world, flow, Some(ip));
        }
        let text = format!("{} address configurations have {ip}: name the interface instead", hosts.len());
        return one(Way {
            via: Via::VnetLocal,
            steps: vec![step(Stage::Route, Span::UNKNOWN, "address.9", text).kind(Kind::Assumption).code("W-MISSING")],
        });
    };
    from_places(world, &Flow { from: End::Nic(host.nic), ..*flow })
}

/// One address of each piece that `cuts` make of public space, modelled public addresses left out (IN-01).
pub fn public_representatives(world: &World<'_>, cuts: &[Prefix], v6: bool) -> Vec<IpAddr> {
    let everything: Prefix = if v6 { "2000::/3" } else { "0.0.0.0/0" }.parse().expect("a literal prefix");
    let universe = if v6 { vec![everything] } else { net::public(everything) };
    representatives(&universe, cuts, |ip| !world.index.public_ips_by_address.has(ip))
}

/// One address of each piece that `cuts` make of the site's addresses.
pub fn site_representatives(world: &World<'_>, site: Sym, cuts: &[Prefix]) -> Vec<IpAddr> {
    representatives(&world.site_prefixes(site), cuts, |_| true)
}

fn representatives(universe: &[Prefix], cuts: &[Prefix], wanted: impl Fn(IpAddr) -> bool) -> Vec<IpAddr> {
    let mut out: Vec<IpAddr> = Vec::new();
    for block in universe {
        let inside: Vec<Prefix> = cuts.iter().filter(|cut| block.contains(*cut)).copied().collect();
        let mut bounds: Vec<u128> = vec![net::number(block.network())];
        for cut in &inside {
            bounds.push(net::number(cut.network()));
            if net::number(cut.broadcast()) < net::number(block.broadcast()) {
                bounds.push(net::number(cut.broadcast()) + 1);
            }
        }
        bounds.sort_unstable();
        bounds.dedup();
        let v4 = block.addr().is_ipv4();
        for (n, bound) in bounds.iter().enumerate() {
            let end = bounds.get(n + 1).copied().unwrap_or(net::number(block.broadcast()).saturating_add(1));
            // The first address of the piece that nobody in the input has; a few tries are enough unless all of them are taken.
            let free = (*bound..end.max(bound + 1)).take(64).map(|n| net::address(n, v4)).find(|ip| wanted(*ip));
            out.extend(free);
        }
    }
    out
}

/// The verdict over all pairs.
pub fn judge(pairs: &Pairs, asked: Set) -> Answer {
    let span = span(pairs);
    let sure = whole_bands(asked, span.sure);
    let verdict = if !asked.meets(span.may) {
        Verdict::Denied
    } else if !sure.is_empty() {
        Verdict::Allowed
    } else {
        Verdict::Unproven
    };
    let traffic = match verdict {
        Verdict::Allowed => sure,
        Verdict::Unproven => asked.and(span.may),
        Verdict::Denied => asked,
    };
    let ways: Vec<&Way> = pairs.groups.iter().flatten().flatten().collect();
    let deciding = match verdict {
        Verdict::Allowed => ways.iter().find(|way| !whole_bands(asked, way.span().sure).is_empty()),
        Verdict::Unproven => ways.iter().find(|way| way.span().may.meets(asked)),
        Verdict::Denied => ways.first(),
    };
    let steps = deciding.map_or(&[] as &[Step], |way| way.steps.as_slice());
    let reason = reason(verdict, steps, asked, traffic);
    let mut assumptions: Vec<Assumption> = Vec::new();
    if verdict == Verdict::Unproven {
        let open = ways.iter().filter(|way| way.span().may.meets(asked));
        for unsure in open.flat_map(|way| &way.steps).filter(|s| !s.code.is_empty() && !traffic.within(s.span.sure)) {
            assumptions.push(Assumption { code: unsure.code.to_owned(), resource: unsure.resource, text: unsure.text.clone() });
        }
        assumptions.sort_by(|a, b| (&a.code, a.resource.as_str(), &a.text).cmp(&(&b.code, b.resource.as_str(), &b.text)));
        assumptions.dedup();
        if assumptions.is_empty() {
            assumptions.push(Assumption { code: "W-UNSUPPORTED".to_owned(), resource: reason.resource, text: reason.text.clone() });
        }
    }
    Answer { verdict, via: deciding.map(|way| way.via), reason, assumptions, traffic, ways: ways.into_iter().cloned().collect() }
}

/// The bands of `asked` that surely pass for every source port that is asked for.
fn whole_bands(asked: Set, sure: Set) -> Set {
    let mut out = Set::EMPTY;
    for band in asked.and(sure).bands() {
        let piece = band.sports.iter().fold(Set::EMPTY, |set, sports| set.or(Set::of(band.proto, band.dports, *sports)));
        let wanted = asked.and(Set::of(band.proto, band.dports, crate::model::traffic::ANY_PORT));
        if wanted.within(piece) {
            out = out.or(piece);
        }
    }
    out
}

fn reason(verdict: Verdict, steps: &[Step], asked: Set, traffic: Set) -> Reason {
    let of = |step: &Step| Reason { stage: step.stage, resource: step.resource, rule: step.rule.clone(), text: step.text.clone() };
    let mut left = asked;
    for step in steps {
        let decides = match verdict {
            Verdict::Denied => {
                left = left.and(step.span.may);
                left.is_empty()
            }
            Verdict::Unproven => !traffic.within(step.span.sure),
            Verdict::Allowed => false,
        };
        if decides {
            return of(step);
        }
    }
    match steps.last() {
        Some(last) if verdict != Verdict::Allowed => of(last),
        last => Reason {
            stage: Stage::Delivered,
            resource: last.map_or(Sym::EMPTY, |last| last.resource),
            rule: String::new(),
            text: "every step of the way lets it through".to_owned(),
        },
    }
}
