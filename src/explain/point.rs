//! The answer to one flow: every pair of addresses its ends stand for, every way between them, and what that proves together.

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::filters;
use crate::explain::gateway::unlisted_step;
use crate::explain::outsiders;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::stores;
use crate::explain::walk::{Home, Target, Trail, Walk};
use crate::explain::way::{Answer, Assumption, End, Flow, Kind, Mode, Reason, Step, Way};
use crate::explain::world::{Outward, World};
use crate::facts::network::PublicSku;
use crate::model::traffic::ANY_PORT;
use crate::model::{Set, Span, Stage, Sym, Verdict, Via, net};
use crate::rules::azure_firewall::Named;
use crate::rules::filter::SourcePorts;
use crate::rules::outbound::PublicSource;
use crate::rules::route::PLATFORM_ADDRESS;

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

/// Where a guest sends from: the places one address configuration stands for, and whether the guest surely uses its interface (ADR-15).
pub type Sender = (Vec<Host>, bool);

/// The places of a machine, an interface or a subnet, by address configuration (ADR-05, ADR-07).
pub fn places(world: &World<'_>, end: End) -> Vec<Sender> {
    let index = world.index;
    let of_nic = |nic: Sym| {
        let sure = is_used(world, nic);
        let mut configs: Vec<Sym> = index.ip_configs_by_nic.get(nic).iter().map(|config| config.ip_config).collect();
        configs.retain(|config| world.is_endpoint_config(*config));
        configs.sort_by_key(|config| config.as_str());
        configs.into_iter().map(move |config| (world.hosts_of_config(config), sure))
    };
    match end {
        End::Nic(nic) => of_nic(nic).collect(),
        End::Machine(machine) => {
            let mut nics: Vec<Sym> = index.nics_by_machine.get(machine).iter().map(|row| row.nic).collect();
            nics.sort_by_key(|nic| nic.as_str());
            nics.into_iter().flat_map(of_nic).collect()
        }
        End::Subnet(subnet) => {
            let hosts = world.free_addresses(subnet).into_iter().map(|ip| Host::imagined(world, subnet, ip)).collect();
            vec![(hosts, true)]
        }
        _ => Vec::new(),
    }
}

/// Whether the guest surely sends by the interface: its only one, or the primary one, which has the default route (ADR-15).
fn is_used(world: &World<'_>, nic: Sym) -> bool {
    let index = world.index;
    let Some(machine) = index.nic_machine.one(nic).map(|row| row.machine) else { return true };
    index.nics_by_machine.get(machine).len() == 1 || index.nic_primary.has(nic)
}

/// All pairs of a flow and the ways between them.
pub fn pairs(world: &World<'_>, flow: &Flow) -> Pairs {
    if let Some(pairs) = stores::pairs(world, flow) {
        return pairs;
    }
    if let End::Unmodelled(resource) = flow.to {
        return one(unmodelled(resource));
    }
    let mut pairs = of_ends(world, flow);
    for end in [flow.from, flow.to] {
        // What a site has besides may be anything, where that is too much to look at one by one (GW-04).
        if let End::Site(site) = end
            && world.unlisted_addresses(site).is_none()
        {
            let unknown = Way { via: Via::Gateway, steps: vec![unlisted_step(site, &Seen::SomePublic)] };
            pairs.groups.push(vec![vec![unknown]]);
        }
    }
    pairs
}

fn of_ends(world: &World<'_>, flow: &Flow) -> Pairs {
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
    let unknown = step(Stage::Route, Span::UNKNOWN, "reach.9", text).by(resource, "").kind(Kind::Assumption);
    Way { via: Via::Public, steps: vec![unknown.code(if is_front_door(resource) { "W-L7" } else { "W-UNSUPPORTED" })] }
}

/// Services that take requests from the internet and open flows of their own to their origins (IN-09).
fn is_front_door(resource: Sym) -> bool {
    let kind = crate::model::ids::id_type(resource.as_str()).unwrap_or_default();
    let kinds = ["microsoft.network/frontdoors", "microsoft.network/trafficmanagerprofiles", "microsoft.apimanagement/service"];
    kinds.contains(&kind.as_str()) || kind.starts_with("microsoft.cdn/profiles")
}

/// Something that opens no flows as the source of one (PE-16).
pub fn no_source(end: End) -> Way {
    let text = match end {
        End::PrivateEndpoint(_) => "a private endpoint never opens a flow".to_owned(),
        _ => "it never opens a flow of its own".to_owned(),
    };
    let stage = if matches!(end, End::PrivateEndpoint(_)) { Stage::PrivateEndpoint } else { Stage::Route };
    Way { via: Via::Public, steps: vec![step(stage, Span::NONE, "reach.8", text).kind(Kind::Default)] }
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
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => {
            let family = |host: &Host| host.ip.is_ipv4() == from.ip.is_ipv4();
            let places = places(world, flow.to).into_iter().map(|(hosts, _)| hosts.into_iter().filter(family).collect::<Vec<Host>>());
            let places: Vec<Vec<Host>> = places.filter(|hosts| !hosts.is_empty()).collect();
            let direct = |hosts: &Vec<Host>| hosts.iter().map(|host| (host.ip, Target::Host(host.clone()))).collect();
            let mut groups: Vec<Vec<(IpAddr, Target)>> = places.iter().map(direct).collect();
            if flow.mode == Mode::Adversarial {
                // Who dials any address also dials the frontends that the machine is behind.
                for hosts in &places {
                    let dialled = world.addresses_before(&hosts[0]).into_iter().filter(|ip| ip.is_ipv4() == from.ip.is_ipv4());
                    groups.extend(dialled.map(|ip| hosts.iter().map(|host| (ip, Target::Host(host.clone()))).collect()));
                }
            }
            groups
        }
        End::Internet(Some(ip)) => vec![vec![(ip, Target::Internet)]],
        End::Internet(None) => {
            let addresses = world.outsiders(from, Outward::To);
            addresses.iter().map(|ip| vec![(*ip, Target::Internet)]).collect()
        }
        End::Site(site) => {
            let listed = site_representatives(world, site);
            let unlisted = world.unlisted_addresses(site).unwrap_or_default();
            let family = |ip: &IpAddr| ip.is_ipv4() == from.ip.is_ipv4();
            listed.into_iter().chain(unlisted.iter().copied()).filter(family).map(|ip| vec![(ip, Target::Site(site))]).collect()
        }
        _ => Vec::new(),
    }
}

fn from_places(world: &World<'_>, flow: &Flow) -> Pairs {
    from_senders(world, flow, places(world, flow.from))
}

fn from_senders(world: &World<'_>, flow: &Flow, senders: Vec<Sender>) -> Pairs {
    let mut each: Vec<(Pairs, bool)> = Vec::new();
    for (hosts, sure) in &senders {
        // Every place a source with an unknown address may be at counts (ADR-06, ADR-16); destinations that stand for many are one of them.
        let mut by_destination: Vec<Vec<Pair>> = Vec::new();
        for host in hosts {
            for (n, group) in destinations(world, flow, host).into_iter().enumerate() {
                if by_destination.len() <= n {
                    by_destination.push(Vec::new());
                }
                for (ip, target) in group {
                    let mut ways = send(world, flow, host, ip, target, Named::Unknown);
                    let near = world.index.subnet_prefixes.get(host.subnet).iter().any(|row| row.prefix.contains(&ip));
                    if !sure && !near {
                        ways.iter_mut().for_each(|way| way.steps.insert(0, secondary(host)));
                    }
                    by_destination[n].push(ways);
                }
            }
        }
        each.push((Pairs { groups: by_destination }, *sure));
    }
    let mut out = Pairs::default();
    // Whichever of its interfaces the guest uses, the flow gets through where it does by each of them.
    let by_each = |(pairs, _): &(Pairs, bool)| {
        let mut certain = pairs.clone();
        let ways = certain.groups.iter_mut().flatten().flatten();
        ways.for_each(|way| way.steps.retain(|step| step.label != SECONDARY));
        !whole_bands(flow.traffic, span(&certain).sure).is_empty()
    };
    let all_agree = each.len() > 1 && each.iter().all(by_each);
    for (mut pairs, _) in each {
        if all_agree {
            pairs.groups.iter_mut().flatten().flatten().for_each(|way| way.steps.retain(|step| step.label != SECONDARY));
        }
        out.groups.append(&mut pairs.groups);
    }
    if out.groups.is_empty() { one(no_address(world, flow)) } else { out }
}

/// The rule about interfaces that a guest perhaps does not use.
const SECONDARY: &str = "address.8";

/// The doubt about a flow that leaves its subnet by what may be a secondary interface (ADR-15).
pub fn secondary(host: &Host) -> Step {
    let text = format!("{} is perhaps a secondary interface: whether the guest sends by it is not known", short(host.nic));
    step(Stage::Route, Span::UNKNOWN, SECONDARY, text).by(host.nic, "").kind(Kind::Assumption).code("W-UNSUPPORTED")
}

/// A flow one of whose ends has no address: nobody is there, or what has it is not in the input.
pub fn no_address(world: &World<'_>, flow: &Flow) -> Way {
    let index = world.index;
    // A dynamic address in a subnet whose range is not in the input may be any address.
    let rangeless = |subnet: Sym| !index.subnet_prefixes.has(subnet);
    let blind =
        |nic: Sym| index.ip_configs_by_nic.get(nic).iter().any(|row| !index.ip_config_address.has(row.ip_config) && rangeless(row.subnet));
    let missing = |end: End| match end {
        End::Subnet(subnet) => rangeless(subnet),
        End::Machine(machine) => index.nics_by_machine.get(machine).iter().any(|row| !index.nic.has(row.nic) || blind(row.nic)),
        End::Nic(nic) => blind(nic),
        _ => false,
    };
    let sends = match flow.from {
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => places(world, flow.from).iter().any(|(hosts, _)| !hosts.is_empty()),
        _ => true,
    };
    let unknown = missing(flow.from) || missing(flow.to) && sends;
    let text = match unknown {
        true => "an interface of one of the ends is not in the input".to_owned(),
        false => "one of the ends has no address in the input".to_owned(),
    };
    let (span, code) = if unknown { (Span::UNKNOWN, "W-MISSING") } else { (Span::NONE, "") };
    Way {
        via: Via::VnetLocal,
        steps: vec![step(Stage::Route, span, "address.2", text).by(Sym::EMPTY, "no-endpoint").kind(Kind::Absence).code(code)],
    }
}

/// A flow one of whose ends has some address of a subnet that is not in the input: nothing can be compared with it.
pub fn nowhere(host: &Host) -> Way {
    let text = format!("{} has no address in the input, nor is its subnet {} there", short(host.nic), short(host.subnet));
    let missing = step(Stage::Route, Span::UNKNOWN, "address.2", text).by(host.subnet, "").kind(Kind::Assumption).code("W-MISSING");
    Way { via: Via::VnetLocal, steps: vec![missing] }
}

/// The ways of one packet from one place, which calls the destination `name`.
pub fn send(world: &World<'_>, flow: &Flow, from: &Host, to: IpAddr, target: Target, name: Named) -> Pair {
    if let Target::Host(host) = &target
        && host == from
        && !host.ip_config.is_empty()
    {
        return vec![Way {
            via: Via::VnetLocal,
            steps: vec![step(Stage::Delivered, Span::ALL, "reach.7", "it is the same address".to_owned())],
        }];
    }
    let ends = [Some(from), if let Target::Host(host) = &target { Some(host) } else { None }];
    if let Some(lost) = ends.into_iter().flatten().find(|host| host.is_nowhere(world)) {
        return vec![nowhere(lost)];
    }
    if let Some(way) = to_platform(world, flow.traffic, from, to) {
        return vec![way];
    }
    let dst_asgs = match &target {
        Target::Host(host) => world.asgs_of(host.ip_config),
        _ => world.asgs_at(to),
    };
    let packet = Packet { dst_asgs, name, ..Packet::new(Seen::At(from.ip), world.asgs_of(from.ip_config), to) };
    let walk = Walk {
        world,
        asked: flow.traffic,
        session: flow.session,
        target,
        home: Home::Network(from.vnet),
        origin: Some(from.ip),
        sources: RefCell::default(),
    };
    walk.from(from, &packet)
}

/// The platform's own addresses answer whatever the rules say, but for rules that name their tag (NSG-11).
pub fn to_platform(world: &World<'_>, traffic: Set, from: &Host, to: IpAddr) -> Option<Way> {
    let tag = match to.to_string().as_str() {
        PLATFORM_ADDRESS => "azureplatformdns",
        "169.254.169.254" => "azureplatformimds",
        _ => return None,
    };
    let groups = world.index.nic_nsg.get(from.nic).iter().map(|row| row.nsg);
    let groups = groups.chain(world.index.subnet_nsg.get(from.subnet).iter().map(|row| row.nsg));
    let mut steps: Vec<Step> = groups.filter_map(|nsg| filters::naming(world, nsg, Sym::new(tag), from, to, traffic)).collect();
    let text = format!("{to} is the platform's own address, which the host itself answers");
    steps.push(step(Stage::Delivered, Span::ALL, "filter.5", text).kind(Kind::Default));
    Some(Way { via: Via::VnetLocal, steps })
}

fn from_internet(world: &World<'_>, flow: &Flow, source: Option<IpAddr>) -> Pairs {
    let index = world.index;
    let mut out = Pairs::default();
    match flow.to {
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => {
            for (hosts, _) in places(world, flow.to) {
                let Some(config) = hosts.first().map(|host| host.ip_config) else { continue };
                for row in index.ip_config_public_ip.get(config) {
                    out.groups.extend(in_by(world, flow, source, &hosts, row.public_ip));
                }
                out.groups.extend(in_by_balancers(world, flow, source, &hosts));
                if !config.is_empty() {
                    out.groups.extend(in_by_firewalls(world, flow, source, &hosts));
                }
            }
        }
        End::Ip(ip) | End::Internet(Some(ip)) if net::is_public(ip) => return to_public_literal(world, flow, source, ip),
        End::Internet(None) => {
            let text = "both ends are outside".to_owned();
            return one(Way { via: Via::Public, steps: vec![step(Stage::Delivered, Span::ALL, "outbound.3", text).kind(Kind::Default)] });
        }
        _ => return one(closed("the internet does not lead to a private address", end_id(flow.to))),
    }
    if out.groups.is_empty() {
        let missing = matches!(flow.to, End::Machine(m) if index.nics_by_machine.get(m).iter().any(|row| !index.nic.has(row.nic)));
        return one(if missing { no_address(world, flow) } else { closed("it has no public address", end_id(flow.to)) });
    }
    out
}

/// In by the public frontends of the load balancers that the places are behind (IN-04, IN-05). The ports asked for are those the machine sees: it is
/// the machine that the flow is to. A pool that is not in the input may be of any load balancer.
fn in_by_balancers(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, hosts: &[Host]) -> Vec<Vec<Pair>> {
    let mut out = Vec::new();
    let Some(first) = hosts.first() else { return out };
    for frontend in world.frontends_before(first) {
        let public_ip = world.index.load_balancer_frontend.one(frontend).map_or(Sym::EMPTY, |row| row.public_ip);
        if public_ip.is_empty() {
            continue;
        }
        let to = |client: IpAddr, host: &Host| {
            let walk = internet_walk(world, flow, Target::Host(host.clone()));
            walk.in_by_frontend(frontend, host, &from_client(client, host.ip), &PublicSource::OneOf(vec![net::host(client)]))
        };
        let found = by_clients(world, source, hosts, public_ip, &to);
        out.extend(found.into_iter().filter(|group| group.iter().any(|pair| !pair.is_empty())));
    }
    let missing = world.missing_pool(first);
    if !missing.is_empty() {
        let text = format!("pool {} is not in the input: its load balancer perhaps passes it on", short(missing));
        let unknown = step(Stage::LoadBalancer, Span::UNKNOWN, "inbound.4", text).by(missing, "").kind(Kind::Assumption);
        out.push(vec![vec![Way { via: Via::LoadBalancer, steps: vec![unknown.code("W-MISSING")] }]]);
    }
    out
}

/// In by one public address of the places: one group for each client that makes a difference.
fn in_by(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, hosts: &[Host], public_ip: Sym) -> Vec<Vec<Pair>> {
    let index = world.index;
    let sku = index.public_ip.one(public_ip).map_or(PublicSku::Unknown, |row| row.sku);
    let to = |client: IpAddr, host: &Host| {
        let walk = internet_walk(world, flow, Target::Host(host.clone()));
        let mut ways = Vec::new();
        let source = PublicSource::OneOf(vec![net::host(client)]);
        walk.public_in(host, public_ip, sku, &from_client(client, host.ip), &source, Trail::default(), &mut ways);
        ways
    };
    by_clients(world, source, hosts, public_ip, &to)
}

/// One group for each client of a public address that makes a difference to the filters in front of the places.
fn by_clients(
    world: &World<'_>,
    source: Option<IpAddr>,
    hosts: &[Host],
    public_ip: Sym,
    to: &dyn Fn(IpAddr, &Host) -> Pair,
) -> Vec<Vec<Pair>> {
    let v6 = world.index.public_ip_address.one(public_ip).is_some_and(|row| row.address.is_ipv6());
    let clients = match (source, hosts.first()) {
        (Some(ip), _) => vec![ip],
        (None, Some(host)) => world.outsiders(&Host { ip: family(v6), ..host.clone() }, Outward::From).to_vec(),
        (None, None) => Vec::new(),
    };
    let of_family = clients.into_iter().filter(|client| client.is_ipv6() == v6);
    of_family.map(|client| hosts.iter().map(|host| to(client, host)).collect()).collect()
}

/// In by the NAT rules of Azure Firewalls that lead to the places (IN-11). The ports asked for are those the machine sees.
fn in_by_firewalls(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, hosts: &[Host]) -> Vec<Vec<Pair>> {
    let mut firewalls: Vec<Sym> = world.index.azure_firewall.rows().map(|row| row.firewall).collect();
    firewalls.retain(|firewall| hosts.iter().all(|host| world.firewall_may_lead_to(*firewall, host.ip)));
    firewalls.sort_by_key(|firewall| firewall.as_str());
    let mut out = Vec::new();
    for firewall in firewalls {
        let to =
            |client: IpAddr, host: &Host| internet_walk(world, flow, Target::Host(host.clone())).in_by_firewall(firewall, host, client);
        let clients = match source {
            Some(ip) => vec![ip],
            None => outsiders::before_firewalls(world),
        };
        for client in clients.into_iter().filter(IpAddr::is_ipv4) {
            let pairs: Vec<Pair> = hosts.iter().map(|host| to(client, host)).collect();
            if pairs.iter().all(|ways| !ways.is_empty()) {
                out.push(pairs);
            }
        }
    }
    out
}

/// Any address of a family.
fn family(v6: bool) -> IpAddr {
    net::address(0, !v6)
}

fn internet_walk<'w, 'a>(world: &'w World<'a>, flow: &Flow, target: Target) -> Walk<'w, 'a> {
    Walk { world, asked: flow.traffic, session: flow.session, target, home: Home::Internet, origin: None, sources: RefCell::default() }
}

fn from_client(client: IpAddr, dst: IpAddr) -> Packet {
    Packet::new(Seen::At(client), Vec::new(), dst)
}

fn to_public_literal(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, ip: IpAddr) -> Pairs {
    let walk = internet_walk(world, flow, Target::Anyone);
    let mut sources = vec![source.unwrap_or(IpAddr::from([198, 51, 100, 7]))];
    if source.is_none() {
        for row in world.index.public_ips_by_address.get(ip) {
            for config in world.index.ip_configs_by_public_ip.get(row.public_ip) {
                for host in world.hosts_of_config(config.ip_config) {
                    sources.extend(world.outsiders(&host, Outward::From).iter());
                }
            }
            for frontend in world.frontends_of_public_ip(row.public_ip) {
                for host in world.hosts_behind(frontend) {
                    sources.extend(world.outsiders(&host, Outward::From).iter());
                }
            }
            if world.index.devices_by_public_ip.get(row.public_ip).iter().any(|row| world.index.azure_firewall.has(row.device)) {
                sources.extend(outsiders::before_firewalls(world));
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
    let nobody = step(Stage::Route, Span::NONE, "inbound.3", why.to_owned()).by(resource, "no-endpoint");
    Way { via: Via::Public, steps: vec![nobody.kind(Kind::Absence)] }
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
    if let End::Ip(ip) | End::Internet(Some(ip)) = flow.to
        && net::is_public(ip)
        && !world.index.vnet_prefixes.rows().any(|row| row.prefix.contains(&ip))
    {
        return from_site_outside(world, flow, site, ip);
    }
    let mut out = Pairs::default();
    let entrances = world.entrances(site);
    for entrance in &entrances {
        if entrance.subnet.is_empty() {
            let text = "in which subnet the gateway stands is not in the input".to_owned();
            let nowhere = step(Stage::Gateway, Span::UNKNOWN, "gateway.3", text).kind(Kind::Assumption).code("W-UNSUPPORTED");
            out.groups.push(vec![vec![Way { via: Via::Gateway, steps: vec![entrance.step.clone(), nowhere] }]]);
            continue;
        }
        let listed = site_representatives(world, site).into_iter().map(|ip| (ip, true));
        let unlisted = world.unlisted_addresses(site).unwrap_or_default();
        for (source, known) in listed.chain(unlisted.iter().map(|ip| (*ip, false))) {
            let at = Host::imagined(world, entrance.subnet, source);
            for group in destinations(world, flow, &at) {
                let pairs = group.into_iter().map(|(ip, target)| {
                    let dst_asgs = match &target {
                        Target::Host(host) => world.asgs_of(host.ip_config),
                        _ => world.asgs_at(ip),
                    };
                    let packet = Packet { dst_asgs, ..Packet::new(Seen::At(source), Vec::new(), ip) };
                    let walk = Walk {
                        world,
                        asked: flow.traffic,
                        session: flow.session,
                        target,
                        home: Home::Site(site),
                        origin: Some(source),
                        sources: RefCell::default(),
                    };
                    let mut ways = Vec::new();
                    let mut entered = Trail { steps: vec![entrance.step.clone()], via: Some(Via::Gateway), ..Trail::default() };
                    entered.steps.extend(walk.advertised(entrance.subnet, &packet));
                    if !known {
                        entered.steps.push(unlisted_step(site, &packet.src));
                    }
                    walk.onward(&at, &packet, entered, &mut ways);
                    ways
                });
                out.groups.push(pairs.collect());
            }
        }
    }
    if out.groups.is_empty() {
        let unlisted = !entrances.is_empty() && (world.site_prefixes(site).is_empty() || world.unlisted_addresses(site).is_none());
        let (span, code, text) = if unlisted {
            (Span::UNKNOWN, "W-BGP-UNKNOWN", "which addresses the site has is not in the input")
        } else if entrances.is_empty() {
            (Span::NONE, "", "no connection of a gateway leads to the site")
        } else {
            return one(no_address(world, flow));
        };
        let kind = if unlisted { Kind::Assumption } else { Kind::Absence };
        let none = step(Stage::Gateway, span, "gateway.3", text.to_owned()).by(site, "").kind(kind).code(code);
        out = one(Way { via: Via::Gateway, steps: vec![none] });
    }
    out
}

/// From a site to a public address: by the site's own way out, with the addresses a person stated for it.
fn from_site_outside(world: &World<'_>, flow: &Flow, site: Sym, ip: IpAddr) -> Pairs {
    let mut addresses = world.site_sources(site);
    addresses.retain(|prefix| prefix.addr().is_ipv4() == ip.is_ipv4());
    let source = if addresses.is_empty() { PublicSource::SomeAzure } else { PublicSource::OneOf(addresses) };
    let walk = internet_walk(world, flow, Target::Anyone);
    let packet = Packet { ports: SourcePorts::Translated, ..Packet::new(Seen::SomePublic, Vec::new(), ip) };
    let mut ways = Vec::new();
    walk.at_public_address(&packet, &source, Trail::default(), &mut ways);
    Pairs { groups: vec![vec![ways]] }
}

/// A literal source address: whoever has it, else a machine that could be placed there, else a site or the internet.
fn from_ip(world: &World<'_>, flow: &Flow, ip: IpAddr) -> Pairs {
    let senders = holders(world, ip);
    if !senders.is_empty() {
        // The address may be taken in several networks: all of them must agree.
        let each: Vec<Pairs> = senders.into_iter().map(|sender| from_senders(world, flow, vec![sender])).collect();
        return all_agree(each);
    }
    let index = world.index;
    let named = index.local_gateway.rows().map(|row| row.site).chain(index.site.rows().map(|row| row.site));
    let mut sites: Vec<Sym> = named.filter(|site| world.site_prefixes(*site).iter().any(|p| p.contains(&ip))).collect();
    sites.sort_by_key(|site| site.as_str());
    match sites.first() {
        Some(site) => from_site(world, flow, *site),
        None if net::is_public(ip) => from_internet(world, flow, Some(ip)),
        None => one(closed("nobody in the input has the source address", Sym::EMPTY)),
    }
}

/// Who sends with a literal address: the configurations that have it, else the places in subnets that hold it.
pub fn holders(world: &World<'_>, ip: IpAddr) -> Vec<Sender> {
    let mut configs: Vec<Sym> = world.index.ip_configs_by_address.get(ip).iter().map(|row| row.ip_config).collect();
    configs.retain(|config| world.is_endpoint_config(*config));
    configs.sort_by_key(|config| config.as_str());
    let hosts = configs.into_iter().flat_map(|config| world.hosts_of_config(config)).filter(|host| host.ip == ip);
    let mut found: Vec<Sender> = hosts.map(|host| (vec![host.clone()], is_used(world, host.nic))).collect();
    if found.is_empty() {
        let mut subnets: Vec<Sym> =
            world.index.subnet_prefixes.rows().filter(|row| row.prefix.contains(&ip)).map(|row| row.subnet).collect();
        subnets.retain(|subnet| world.index.subnet.has(*subnet));
        subnets.sort_by_key(|subnet| subnet.as_str());
        subnets.dedup();
        found.extend(subnets.into_iter().map(|subnet| (vec![Host::imagined(world, subnet, ip)], true)));
    }
    found
}

/// One of several is true and nobody knows which: every one of them must let a flow through.
fn all_agree(mut each: Vec<Pairs>) -> Pairs {
    if each.len() < 2 {
        return each.pop().unwrap_or_default();
    }
    let sure = each.iter().map(|pairs| span(pairs).sure).fold(Set::ALL, Set::and);
    let mut all = Pairs { groups: each.into_iter().flat_map(|pairs| pairs.groups).collect() };
    let text = "several in the input have the address: name the interface instead".to_owned();
    let unsure = step(Stage::Route, Span { sure, may: Set::ALL }, "address.9", text).kind(Kind::Assumption).code("W-OVERLAP");
    all.groups.iter_mut().flatten().flatten().for_each(|way| way.steps.insert(0, unsure.clone()));
    all
}

/// One address of each piece of the site's addresses that the estate tells apart.
pub fn site_representatives(world: &World<'_>, site: Sym) -> Vec<IpAddr> {
    let prefixes = world.site_prefixes(site);
    prefixes.iter().flat_map(|prefix| world.bounds().pieces(prefix.network(), prefix.broadcast(), |_| true)).collect()
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
    // With whatever source port it was asked for: what only some of them pass is not proven.
    let whole = traffic.bands().iter().fold(Set::EMPTY, |set, band| set.or(asked.and(Set::of(band.proto, band.dports, ANY_PORT))));
    let ways: Vec<&Way> = pairs.groups.iter().flatten().flatten().collect();
    let passes = |way: &&&Way| !whole_bands(asked, way.span().sure).is_empty();
    let open = |way: &&&Way| way.span().may.meets(asked);
    let deciding = match verdict {
        Verdict::Allowed => ways.iter().find(passes),
        // Of ways that all count, one that is refused leaves the rest unproven.
        Verdict::Unproven => ways
            .iter()
            .find(|way| open(way) && !passes(way))
            .or_else(|| ways.iter().find(|way| !open(way)))
            .or_else(|| ways.iter().find(open)),
        Verdict::Denied => ways.first(),
    };
    let steps = deciding.map_or(&[] as &[Step], |way| way.steps.as_slice());
    let reason = reason(verdict, steps, asked, whole);
    let mut assumptions: Vec<Assumption> = Vec::new();
    if verdict == Verdict::Unproven {
        let open = ways.iter().filter(|way| way.span().may.meets(asked));
        for unsure in open.flat_map(|way| &way.steps).filter(|s| !s.code.is_empty() && !whole.within(s.span.sure)) {
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

/// What ways that may let `traffic` through take for granted, sorted.
pub fn assumed<'w>(ways: impl Iterator<Item = &'w Way>, traffic: Set) -> Vec<Assumption> {
    let mut assumptions: Vec<Assumption> = Vec::new();
    for unsure in ways.flat_map(|way| &way.steps).filter(|step| !step.code.is_empty() && !step.span.sure.meets(traffic)) {
        assumptions.push(Assumption { code: unsure.code.to_owned(), resource: unsure.resource, text: unsure.text.clone() });
    }
    assumptions.sort_by(|a, b| (&a.code, a.resource.as_str(), &a.text).cmp(&(&b.code, b.resource.as_str(), &b.text)));
    assumptions.dedup();
    assumptions
}

/// The bands of `asked` that surely pass for every source port that is asked for.
fn whole_bands(asked: Set, sure: Set) -> Set {
    let mut out = Set::EMPTY;
    for band in asked.and(sure).bands() {
        let piece = band.sports.iter().fold(Set::EMPTY, |set, sports| set.or(Set::of(band.proto, band.dports, *sports)));
        let wanted = asked.and(Set::of(band.proto, band.dports, ANY_PORT));
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
