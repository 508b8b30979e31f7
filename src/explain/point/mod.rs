//! The answer to one flow: every pair of addresses its ends stand for, every way between them, and what that proves together.

mod inbound;
mod judge;
mod literal;
mod onprem;
mod proxied;
mod translated;

pub use judge::{Pair, Pairs, assumed, judge, one, span};
pub use literal::{holders, sites_with, unlisted};
pub use onprem::{over_a_hub, site_representatives};
pub use proxied::PASSED_ON;

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::filters;
use crate::explain::gateway_doubts::unlisted_step;
use crate::explain::named;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::stores;
use crate::explain::walk::{Home, Target, Walk};
use crate::explain::way::{Answer, End, Flow, Kind, Mode, Step, Way};
use crate::explain::world::{Outward, World, machines_of, nics_of, share_guest};
use crate::facts::Index;
use crate::facts::gap::Unread;
use crate::facts::network::MachineKind;
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Stage, Sym, Via};
use crate::rules::azure_firewall::Named;
use crate::rules::route::PLATFORM_ADDRESS;

use inbound::{from_internet, ours};
use judge::whole_bands;
use literal::{from_ip, stands_in_for};
use onprem::from_site;

/// Answers one flow.
pub fn answer(world: &World<'_>, flow: &Flow) -> Answer {
    judge(&pairs(world, flow), flow.traffic)
}

/// The pairs, and another that may let everything through where a value of the input could not be read (SND-02).
pub fn doubted(world: &World<'_>, flow: &Flow, mut pairs: Pairs) -> Pairs {
    if let Some(unread) = unread(world, flow, flow.mode) {
        let via = pairs.groups.iter().flatten().flatten().next().map_or(Via::Public, |way| way.via);
        pairs.groups.push(vec![vec![Way { via, steps: vec![unread] }]]);
    }
    pairs
}

/// What stands before every way where a value of the input could not be read, for a client of the mode.
///
/// A private endpoint is one more address, with an interface of its own: nobody is led there who asks for a machine by the machine's own addresses, or for what
/// is outside. A client that dials whatever leads to the machine may get there by it too.
pub fn unread(world: &World<'_>, flow: &Flow, mode: Mode) -> Option<Step> {
    let index = world.index;
    let apart = mode == Mode::Configured
        && matches!(flow.from, End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Site(_) | End::Internet(_))
        && matches!(flow.to, End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Site(_) | End::Internet(None) | End::External(_));
    let (row, text) = first_unread(index, &|row| !(apart && index.private_endpoint.has(row.resource)))?;
    Some(step(Stage::Route, Span::UNKNOWN, "reach.10", text).by(row.resource, row.what.as_str()).kind(Kind::Assumption).code("W-MISSING"))
}

/// The first value by resource that could not be read, of those that count, and that in words.
pub fn first_unread(index: &Index, counts: &dyn Fn(&Unread) -> bool) -> Option<(Unread, String)> {
    let row = index.unread.rows().filter(|row| counts(row)).min_by_key(|row| (row.resource.as_str(), row.what.as_str()))?;
    let of = if row.resource.is_empty() { String::new() } else { format!(" of {}", short(row.resource)) };
    Some((*row, format!("`{}`{of} could not be read: what it would change is not known", row.what)))
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
        Sym::sort(&mut configs);
        configs.into_iter().map(move |config| (world.hosts_of_config(config), sure))
    };
    match end {
        End::Nic(nic) => of_nic(nic).collect(),
        End::Machine(machine) => {
            let mut nics: Vec<Sym> = nics_of(index, machine).collect();
            Sym::sort(&mut nics);
            nics.into_iter().flat_map(of_nic).collect()
        }
        End::Subnet(subnet) => {
            let hosts = world.free_addresses(subnet).into_iter().map(|ip| Host::imagined(world, subnet, ip)).collect();
            vec![(hosts, true)]
        }
        _ => Vec::new(),
    }
}

/// Whether the guest surely sends by the interface: its only one, or the primary one, which has the default route (ADR-15). Of two that both say so neither is.
pub fn is_used(world: &World<'_>, nic: Sym) -> bool {
    let index = world.index;
    let Some(machine) = index.nic_machine.one(nic).map(|row| row.machine) else { return true };
    let all = || index.nics_by_machine.get(machine).iter().map(|row| row.nic).filter(|other| share_guest(nic, *other));
    all().count() == 1 || all().filter(|nic| index.nic_primary.has(*nic)).eq([nic])
}

/// All pairs of a flow and the ways between them.
pub fn pairs(world: &World<'_>, flow: &Flow) -> Pairs {
    let mut pairs = told(world, flow);
    if let (End::Ip(address), Mode::Configured) = (flow.to, flow.mode) {
        named::by_address(world, address, &mut pairs);
    }
    doubted(world, flow, pairs)
}

/// The pairs that the input tells of.
pub fn told(world: &World<'_>, flow: &Flow) -> Pairs {
    let mut pairs = as_read(world, flow);
    // Where no way is told, nothing is known of what becomes of it.
    pairs.groups.iter_mut().flatten().filter(|ways| ways.is_empty()).for_each(|ways| ways.push(untold()));
    if let Some(unread) = unread(world, flow, Mode::Configured) {
        pairs.groups.iter_mut().flatten().flatten().for_each(|way| way.steps.insert(0, unread.clone()));
    }
    pairs
}

/// The same, as if everything in the input had been read.
fn as_read(world: &World<'_>, flow: &Flow) -> Pairs {
    if flow.traffic.within(reserved_by_hosts()) && !flow.traffic.is_empty() {
        let text = "the source port 65330 of UDP belongs to the host: what a guest sends from it is dropped".to_owned();
        let dropped = step(Stage::Route, Span::NONE, "route.12", text).kind(Kind::Default);
        return one(Way { via: Via::VnetLocal, steps: vec![dropped] });
    }
    if let End::Internet(Some(ip)) = flow.from
        && let Some(way) = ours(world, ip)
    {
        return one(way);
    }
    if let End::Ip(ip) = flow.from
        && let Some(interface) = stands_in_for(world, ip)
    {
        return one(unmodelled(interface));
    }
    let mut pairs = by_known_interfaces(world, flow);
    // Whoever sends nothing sends nothing to an interface that nobody knows either.
    let sends = |end: End| match end {
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => places(world, end).iter().any(|(hosts, _)| !hosts.is_empty()),
        end => !matches!(end, End::PrivateEndpoint(_)),
    };
    let lost = lacks_interface(world.index, flow.from) || lacks_interface(world.index, flow.to) && sends(flow.from);
    let said = |way: &Way| way.steps.iter().any(|step| step.label == NOT_IN_INPUT && step.span.may.meets(flow.traffic));
    if lost && !pairs.groups.iter().flatten().flatten().any(said) {
        pairs.groups.push(vec![vec![no_address(world, flow)]]);
    }
    pairs
}

/// Whether the end is a machine with an interface that is not in the input: the guest may send and answer by that one (SND-04).
fn lacks_interface(index: &Index, end: End) -> bool {
    matches!(end, End::Machine(machine) if has_unseen_interfaces(index, machine))
}

/// The pairs of the interfaces that are in the input.
fn by_known_interfaces(world: &World<'_>, flow: &Flow) -> Pairs {
    let over_nat = || translated::between(world, flow).map(|way| vec![vec![way]]);
    if let Some(mut pairs) = stores::pairs(world, flow) {
        if matches!(flow.to, End::PrivateEndpoint(_)) {
            pairs.groups.extend(over_nat());
        }
        return pairs;
    }
    if let End::Unmodelled(resource) = flow.to {
        return one(unmodelled(resource));
    }
    let mut pairs = of_ends(world, flow);
    for end in [flow.from, flow.to] {
        let End::Site(site) = end else { continue };
        match world.unlisted_addresses(site) {
            Some(cells) => anonymous(&mut pairs, site, &cells),
            // What a site has besides may be anything, where that is too much to look at one by one (GW-04).
            None => pairs.groups.push(vec![vec![Way { via: Via::Gateway, steps: vec![unlisted_step(site)] }]]),
        }
    }
    pairs.groups.extend(over_nat());
    pairs
}

/// Addresses that stand for what a site perhaps has are nobody's: no step names one.
fn anonymous(pairs: &mut Pairs, site: Sym, cells: &[IpAddr]) {
    let is_cell = |word: &str| {
        let figures = word.starts_with(|first: char| first.is_ascii_digit());
        figures && word.parse().is_ok_and(|ip: IpAddr| cells.contains(&ip))
    };
    if cells.is_empty() {
        return;
    }
    for step in pairs.groups.iter_mut().flatten().flatten().flat_map(|way| &mut way.steps) {
        if step.text.split(' ').any(is_cell) {
            let some = format!("an unlisted address of {}", short(site));
            let words: Vec<&str> = step.text.split(' ').map(|word| if is_cell(word) { some.as_str() } else { word }).collect();
            step.text = words.join(" ");
        }
    }
}

/// What no guest can send (ADR-13).
fn reserved_by_hosts() -> Set {
    Set::of(Proto::Udp, ANY_PORT, (65330, 65330))
}

fn of_ends(world: &World<'_>, flow: &Flow) -> Pairs {
    match flow.from {
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => from_places(world, flow),
        End::Internet(source) => from_internet(world, flow, source),
        End::Site(site) => from_site(world, flow, site, None),
        End::Ip(ip) => from_ip(world, flow, ip),
        End::Store(store, _, _) if is_public_only(world, store) => from_service(world, flow, store),
        End::Unmodelled(resource) | End::Store(resource, _, _) => one(unmodelled(resource)),
        _ => one(no_source(flow.from)),
    }
}

/// Whether a resource has no place in a network: it calls from public addresses alone (PE-16).
pub fn is_public_only(world: &World<'_>, resource: Sym) -> bool {
    // One that something puts into a subnet sends from there as well.
    !world.index.device.has(resource) && world.index.store.one(resource).is_some_and(|row| world.platform.is_public_only(row.service))
}

/// What a service calls by itself is not modelled, but it gets nowhere that the internet does not (PE-16).
fn from_service(world: &World<'_>, flow: &Flow, service: Sym) -> Pairs {
    let unknown = unmodelled(service);
    if !matches!(flow.to, End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Ip(_)) {
        return one(unknown);
    }
    let mut pairs = from_internet(world, flow, None);
    pairs.groups.iter_mut().flatten().flatten().for_each(|way| {
        way.steps.splice(0..0, unknown.steps.iter().cloned());
    });
    pairs
}

/// Something on the way that lets packets in and has nowhere to hand them on to, such as a firewall of a hub without its addresses (SND-01).
fn untold() -> Way {
    let text =
        "something on the way is in the input only in part, and where it hands this on is not told: export its resource whole".to_owned();
    Way { via: Via::Public, steps: vec![step(Stage::Route, Span::UNKNOWN, "reach.10", text).kind(Kind::Assumption).code("W-UNSUPPORTED")] }
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
        End::Store(store, ..) => format!("{} has no place in a network to open a flow from", short(store)),
        _ => "it never opens a flow of its own".to_owned(),
    };
    let stage = if matches!(end, End::PrivateEndpoint(_) | End::Store(..)) { Stage::PrivateEndpoint } else { Stage::Route };
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
    let out = by_any_interface(flow, each.into_iter().map(|(pairs, _)| pairs).collect());
    if out.groups.is_empty() { one(no_address(world, flow)) } else { out }
}

/// All pairs of several senders of one guest: whichever of its interfaces it uses, the flow gets through where it does by each of them.
pub fn by_any_interface(flow: &Flow, each: Vec<Pairs>) -> Pairs {
    let by_each = |pairs: &Pairs| {
        let mut certain = pairs.clone();
        let ways = certain.groups.iter_mut().flatten().flatten();
        ways.for_each(|way| way.steps.retain(|step| step.label != SECONDARY));
        !whole_bands(flow.traffic, span(&certain, flow.traffic).sure).is_empty()
    };
    let all_agree = each.len() > 1 && each.iter().all(by_each);
    let mut out = Pairs { groups: each.into_iter().flat_map(|pairs| pairs.groups).collect() };
    if all_agree {
        out.groups.iter_mut().flatten().flatten().for_each(|way| way.steps.retain(|step| step.label != SECONDARY));
    }
    out
}

/// The rule about interfaces that a guest perhaps does not use.
const SECONDARY: &str = "address.8";

/// The doubt about a flow that leaves its subnet by what may be a secondary interface (ADR-15).
pub fn secondary(host: &Host) -> Step {
    let text = format!("{} is perhaps a secondary interface: whether the guest sends by it is not known", short(host.nic));
    step(Stage::Route, Span::UNKNOWN, SECONDARY, text).by(host.nic, "").kind(Kind::Assumption).code("W-UNSUPPORTED")
}

/// The rule by which an end has no address, or one that the input does not tell.
const NOT_IN_INPUT: &str = "address.2";

/// Whether a machine has interfaces that are not in the input: every machine has one.
pub fn has_unseen_interfaces(index: &Index, machine: Sym) -> bool {
    let machines = machines_of(index, machine).into_iter().map(|machine| index.nics_by_machine.get(machine));
    machines.into_iter().any(|nics| nics.is_empty() || nics.iter().any(|row| !index.nic.has(row.nic)))
}

/// A flow one of whose ends has no address: nobody is there, or what has it is not in the input.
pub fn no_address(world: &World<'_>, flow: &Flow) -> Way {
    let index = world.index;
    let missing = |end: End| match end {
        End::Subnet(subnet) => Some(subnet).filter(|subnet| !index.subnet_prefixes.has(*subnet)),
        End::Machine(machine) => {
            let nic = nics_of(index, machine).filter(|nic| !index.nic.has(*nic)).min_by_key(|nic| nic.as_str());
            nic.or_else(|| Some(machine).filter(|machine| has_unseen_interfaces(index, *machine)))
        }
        End::Nic(nic) => Some(nic).filter(|nic| !index.nic.has(*nic)),
        _ => None,
    };
    let sends = match flow.from {
        End::Machine(_) | End::Nic(_) | End::Subnet(_) => places(world, flow.from).iter().any(|(hosts, _)| !hosts.is_empty()),
        _ => true,
    };
    let lost = missing(flow.from).or_else(|| missing(flow.to).filter(|_| sends));
    let unknown = lost.is_some();
    let is_set = |id: &Sym| index.machine.one(*id).is_some_and(|row| row.kind == MachineKind::FlexibleScaleSet);
    let text = match lost {
        Some(set) if is_set(&set) => format!("no machine of the flexible scale set {} is in the input", short(set)),
        Some(_) => "an interface of one of the ends is not in the input".to_owned(),
        None => "one of the ends has no address in the input".to_owned(),
    };
    let (span, code) = if unknown { (Span::UNKNOWN, "W-MISSING") } else { (Span::NONE, "") };
    Way {
        via: Via::VnetLocal,
        steps: vec![
            step(Stage::Route, span, NOT_IN_INPUT, text).by(lost.unwrap_or_default(), "no-endpoint").kind(Kind::Absence).code(code),
        ],
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
        sender: from.ip_config,
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
