//! Addresses that lead on: whoever connects there gets to a machine that stands behind.
//!
//! The frontends of load balancers are not among them: a flow to a machine dials those by itself.

use std::cell::RefCell;
use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::edges::{Edge, both, doubted, either};
use crate::explain::filters;
use crate::explain::packet::{Host, Packet, Seen, short};
use crate::explain::point::places;
use crate::explain::private_link;
use crate::explain::walk::Target;
use crate::explain::way::End;
use crate::explain::world::World;
use crate::facts::azure_firewall::FirewallTranslation;
use crate::facts::private_link::PrivateLinkService;
use crate::model::{Set, Span, Sym, Via, net};
use crate::rules::private_link as links;

/// What somebody connects to who is led on to a machine.
#[derive(Clone, Debug)]
enum Front {
    /// A public address of its own.
    Own(End),
    /// A public address that says by itself that it belongs to the machine.
    Said(End),
    /// A public address of its own that the input does not tell.
    Somewhere(Sym),
    /// A private endpoint that leads to a Private Link service in front of it.
    Endpoint(End, PrivateLinkService),
    /// An address of a firewall that hands what comes there to the machine, or perhaps to another (AFW-06).
    Translated(End, Sym),
}

/// A device that takes flows at its addresses and opens others, to whom a request decides or nobody knows.
#[derive(Clone, Debug)]
struct Proxy {
    device: Sym,
    addresses: Vec<End>,
    subnets: Vec<Sym>,
    /// The machines that are in none of its pools.
    strangers: FxHashSet<End>,
}

/// Some address of the internet.
const ANYWHERE: End = End::Internet(None);

/// A flow of some traffic that the first end opens to the second.
pub(super) type FlowOf<'f> = dyn Fn(End, End, Set) -> Option<Edge> + 'f;

/// Whether routes may surely lead from an end to an address; no is sure.
pub(super) type Routed<'f> = dyn Fn(End, IpAddr) -> bool + 'f;

/// What stands in front of the machines of an estate.
pub(super) struct Fronts {
    before: FxHashMap<End, Vec<Front>>,
    proxies: Vec<Proxy>,
    /// Private endpoints in front of services that lead to an address instead of a load balancer (PLS-16).
    direct: Vec<(End, PrivateLinkService)>,
    /// Whether the rows of the dataflow follow all of it: a machine's own public addresses only.
    pub(super) followed: bool,
    /// For each public address in front of a machine one that nobody has and that rules, routes and tags do not tell from it.
    stand_ins: FxHashMap<End, End>,
    /// Who surely gets packets out to such an address.
    senders: RefCell<FxHashMap<(End, End), bool>>,
    flows: RefCell<FxHashMap<(End, End, Set), Option<Edge>>>,
}

impl Fronts {
    /// Those of an estate; `machines` are the nodes of the graph.
    pub(super) fn new(world: &World<'_>, machines: impl Iterator<Item = End>) -> Fronts {
        let index = world.index;
        let services = services(world);
        let translations = translations(world);
        let mut before: FxHashMap<End, Vec<Front>> = FxHashMap::default();
        let mut proxies = proxies(world);
        for machine in machines {
            let hosts: Vec<Host> = places(world, machine).into_iter().flat_map(|(hosts, _)| hosts).collect();
            for proxy in &mut proxies {
                if !hosts.iter().any(|host| world.may_pass_to(proxy.device, host)) {
                    proxy.strangers.insert(machine);
                }
            }
            let mut fronts: Vec<Front> = hosts.iter().flat_map(|host| own_addresses(world, host)).collect();
            for (endpoint, service, behind) in &services {
                let anybody = || index.private_link_frontends.get(service.service).iter().any(|row| world.leads_to_anybody(row.frontend));
                if hosts.iter().any(|host| behind.contains(host) || service.destination == Some(host.ip)) || anybody() {
                    fronts.push(Front::Endpoint(*endpoint, *service));
                }
            }
            if !translations.is_empty() {
                let at: Vec<_> = hosts.iter().flat_map(|host| world.addresses_before(host).into_iter().chain([host.ip])).collect();
                let led = translations.iter().filter(|(_, _, to)| to.iter().any(|address| at.contains(address)));
                fronts.extend(led.map(|(address, firewall, _)| Front::Translated(*address, *firewall)));
            }
            if !fronts.is_empty() {
                before.insert(machine, fronts);
            }
        }
        let direct = services.into_iter().filter(|(_, service, _)| service.destination.is_some());
        let direct: Vec<_> = direct.map(|(endpoint, service, _)| (endpoint, service)).collect();
        let own = |front: &Front| matches!(front, Front::Own(_));
        let followed = proxies.is_empty()
            && world.hidden_balancers().is_empty()
            && world.pool_of_anybody().is_empty()
            && world.untold_pools().is_empty()
            && direct.is_empty()
            && before.values().flatten().all(own);
        let owned = before.values().flatten().filter_map(|front| if let Front::Own(address) = front { Some(*address) } else { None });
        let stand_ins = stand_ins(world, owned);
        Fronts { before, proxies, direct, followed, stand_ins, senders: RefCell::default(), flows: RefCell::default() }
    }

    /// Whether something may lead on to the machine from afar.
    pub(super) fn lead_to(&self, machine: End) -> bool {
        self.proxies.iter().any(|proxy| !proxy.strangers.contains(&machine)) || self.before.contains_key(&machine)
    }

    /// Whether one of two machines surely gets to the other by something in front of it.
    pub(super) fn surely_join(&self, world: &World<'_>, a: End, b: End, routed: &Routed<'_>, flow: &FlowOf<'_>) -> bool {
        let sure = |edge: Option<Edge>| edge.is_some_and(|edge| !edge.span.sure.is_empty());
        [(a, b), (b, a)]
            .into_iter()
            .any(|(caller, to)| self.may_surely_lead(caller, to, routed, flow) && sure(self.edge(world, caller, to, Set::tcp_udp(), flow)))
    }

    /// A quick look whether the caller surely gets to something in front of the machine; no is sure. Who surely sends to a public address surely sends
    /// to any that is like it, so that callers are asked once, and not once for each address.
    fn may_surely_lead(&self, caller: End, machine: End, routed: &Routed<'_>, flow: &FlowOf<'_>) -> bool {
        self.before.get(&machine).into_iter().flatten().any(|front| match front {
            Front::Own(address) => self.stand_ins.get(address).is_none_or(|other| self.surely_sends(caller, *other, routed, flow)),
            Front::Endpoint(..) => true,
            // Which address it is, or to whom it leads, is never sure; nor is it behind a proxy.
            Front::Said(_) | Front::Somewhere(_) | Front::Translated(..) => false,
        })
    }

    fn surely_sends(&self, caller: End, to: End, routed: &Routed<'_>, flow: &FlowOf<'_>) -> bool {
        let known = self.senders.borrow().get(&(caller, to)).copied();
        known.unwrap_or_else(|| {
            let leads = |to: End| if let End::Ip(ip) = to { routed(caller, ip) } else { true };
            let sends = leads(to) && flow(caller, to, Set::tcp_udp()).is_some_and(|edge| !edge.span.sure.is_empty());
            self.senders.borrow_mut().insert((caller, to), sends);
            sends
        })
    }

    /// Whether something leads on to whoever: then a machine's own flows are not all there is.
    pub(super) fn is_empty(&self) -> bool {
        self.proxies.is_empty() && self.before.is_empty() && self.direct.is_empty()
    }

    /// What of some traffic a flow of `caller` carries that ends at `to` by way of something in front of it.
    pub(super) fn edge(&self, world: &World<'_>, caller: End, to: End, traffic: Set, flow: &FlowOf<'_>) -> Option<Edge> {
        if self.is_empty() || !matches!(caller, End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Site(_) | End::Internet(None)) {
            return None;
        }
        let flow = |from: End, to: End| self.flow(world, from, to, traffic, flow);
        match to {
            End::Machine(_) | End::Nic(_) | End::Subnet(_) => self.to_machine(world, caller, to, &flow),
            End::Site(site) => {
                let each = self.direct.iter().map(|(endpoint, service)| {
                    let beyond = through(world, service, &Target::Site(site));
                    both(flow(caller, *endpoint)?, &beyond)
                });
                each.fold(None, either)
            }
            _ => None,
        }
    }

    fn to_machine(&self, world: &World<'_>, caller: End, machine: End, flow: &dyn Fn(End, End) -> Option<Edge>) -> Option<Edge> {
        let mut best = None;
        for front in self.before.get(&machine).into_iter().flatten() {
            let edge = match front {
                Front::Own(address) | Front::Said(address) => flow(caller, *address),
                Front::Somewhere(public_ip) => {
                    let out = flow(caller, ANYWHERE);
                    let led = out.and_then(|out| both(out, &flow(ANYWHERE, machine)?));
                    led.map(|edge| {
                        doubted(
                            edge,
                            "W-MISSING",
                            *public_ip,
                            format!("which address {} is stands nowhere in the input", short(*public_ip)),
                        )
                    })
                }
                Front::Endpoint(endpoint, service) => flow(caller, *endpoint).and_then(|edge| {
                    let hosts = places(world, machine).into_iter().flat_map(|(hosts, _)| hosts);
                    let each = hosts.map(|host| through(world, service, &Target::Host(host)));
                    each.fold(None, |best, behind| either(best, both(edge.clone(), &behind)))
                }),
                Front::Translated(address, firewall) => flow(caller, *address).map(|edge| {
                    let text = format!("which rule of firewall {} takes it, and so to whom it goes, depends on the flow", short(*firewall));
                    doubted(edge, "W-UNSUPPORTED", *firewall, text)
                }),
            };
            best = either(best, edge);
        }
        for proxy in self.proxies.iter().filter(|proxy| !proxy.strangers.contains(&machine)) {
            let there = proxy.addresses.iter().fold(None, |best, address| either(best, flow(caller, *address)));
            let Some(there) = there else { continue };
            let mut on = proxy.subnets.iter().fold(None, |best, subnet| either(best, flow(End::Subnet(*subnet), machine)));
            if proxy.subnets.is_empty() {
                on = Some(unknown()); // where it stands nobody tells
            }
            let text = format!("to whom {} passes on what it takes is not known", short(proxy.device));
            let led = on.and_then(|on| both(there, &on)).map(|edge| doubted(edge, "W-L7", proxy.device, text));
            best = either(best, led);
        }
        best
    }

    /// A quick look whether the caller's own groups keep it from a public address: most do, and nothing else needs to be asked then.
    fn is_refused(&self, world: &World<'_>, caller: End, to: End) -> bool {
        let End::Ip(ip) = to else { return false };
        if !net::is_public(ip) || !matches!(caller, End::Machine(_) | End::Nic(_) | End::Subnet(_)) {
            return false;
        }
        let asked = Set::tcp_udp();
        let refused = |host: &Host| {
            let packet = Packet { dst_asgs: world.asgs_at(ip), ..Packet::new(Seen::At(host.ip), world.asgs_of(host.ip_config), ip) };
            let met = filters::outbound(world, host, packet.source(), packet.destination(), packet.ports, asked);
            !met.iter().fold(Span::ALL, |span, step| span.and(step.span)).may.meets(asked)
        };
        places(world, caller).iter().flat_map(|(hosts, _)| hosts).all(refused)
    }

    fn flow(&self, world: &World<'_>, from: End, to: End, traffic: Set, flow: &FlowOf<'_>) -> Option<Edge> {
        if let Some(known) = self.flows.borrow().get(&(from, to, traffic)) {
            return known.clone();
        }
        let found = match (from, to) {
            (ANYWHERE, ANYWHERE) => Some(unknown()),
            _ if self.is_refused(world, from, to) => None,
            _ => flow(from, to, traffic),
        };
        self.flows.borrow_mut().insert((from, to, traffic), found.clone());
        found
    }
}

/// Of which nothing is known.
fn unknown() -> Edge {
    Edge { span: Span::UNKNOWN, sure_via: Via::Public, may_via: Via::Public, assumptions: Vec::new() }
}

/// What a service passes on to whom it is meant for.
fn through(world: &World<'_>, service: &PrivateLinkService, target: &Target) -> Edge {
    let via = Via::PrivateLinkService;
    Edge { span: private_link::through(world, service, target), sure_via: via, may_via: via, assumptions: Vec::new() }
}

/// The public addresses of a place itself, by its own words or by those of the address alone.
fn own_addresses(world: &World<'_>, host: &Host) -> Vec<Front> {
    let index = world.index;
    let front = |public_ip: Sym, own: fn(End) -> Front| {
        index.public_ip_address.one(public_ip).map_or(Front::Somewhere(public_ip), |row| own(End::Ip(row.address)))
    };
    let rows = index.ip_config_public_ip.get(host.ip_config).iter();
    let named = rows.map(|row| front(row.public_ip, Front::Own));
    let said = world.all_unclaimed(host.ip_config).into_iter().map(|public_ip| front(public_ip, Front::Said));
    named.chain(said).collect()
}

/// For each address one that nobody has, and that nothing in the estate or in the list of service tags tells from it: few in all.
fn stand_ins(world: &World<'_>, addresses: impl Iterator<Item = End>) -> FxHashMap<End, End> {
    let bounds = world.bounds();
    let mut kinds: FxHashMap<_, Option<IpAddr>> = FxHashMap::default();
    let like = |end: End| {
        let End::Ip(ip) = end else { return None };
        let tags = world.platform.tags_holding(ip);
        let free = |other: IpAddr| !world.index.public_ips_by_address.has(other) && world.platform.tags_holding(other) == tags;
        let other = *kinds.entry((bounds.piece(ip)?, tags.clone())).or_insert_with(|| bounds.like(ip, free));
        Some((end, End::Ip(other?)))
    };
    addresses.filter_map(like).collect()
}

/// Private endpoints that lead to a Private Link service of the input, with who may stand behind its load balancer; sorted by endpoint.
fn services(world: &World<'_>) -> Vec<(End, PrivateLinkService, Vec<Host>)> {
    let index = world.index;
    let mut behind: FxHashMap<Sym, Vec<Host>> = FxHashMap::default();
    for row in index.private_link_service.rows() {
        let frontends = index.private_link_frontends.get(row.service).iter();
        behind.insert(row.service, frontends.flat_map(|row| world.hosts_behind(row.frontend)).collect());
    }
    if behind.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(End, PrivateLinkService, Vec<Host>)> = Vec::new();
    let mut rows: Vec<_> = index.private_endpoint_connections.rows().map(|row| (row.endpoint, row.target)).collect();
    rows.sort_by_key(|(endpoint, _)| endpoint.as_str());
    rows.dedup();
    for (endpoint, target) in rows {
        if let Some(service) = links::service(index, target) {
            found.push((End::PrivateEndpoint(endpoint), service, behind[&service.service].clone()));
        }
    }
    found
}

/// The addresses of firewalls that translate, and to which addresses each does.
fn translations(world: &World<'_>) -> Vec<(End, Sym, Vec<IpAddr>)> {
    let index = world.index;
    let mut found = Vec::new();
    for row in index.azure_firewall.rows() {
        let firewall = world.firewall(row.firewall);
        let targets = firewall.rules.iter().filter_map(|rule| rule.translation.as_ref());
        let to: Vec<_> =
            targets.flat_map(|to| to.address.map_or_else(|| world.held(row.firewall, to.fqdn.as_str()).addresses, |ip| vec![ip])).collect();
        if !to.is_empty() {
            found.extend(addresses(world, row.firewall).into_iter().map(|address| (address, row.firewall, to.clone())));
        }
    }
    found.sort_by_key(|(address, firewall, _)| (firewall.as_str(), *address));
    found
}

/// Every address of a device: any on the internet where one is public and not in the input.
fn addresses(world: &World<'_>, device: Sym) -> Vec<End> {
    let index = world.index;
    let public = index.device_public_ips.get(device).iter().map(|row| public_address(world, row.public_ip));
    let hub = index.firewall_hub_addresses.get(device).iter().map(|row| End::Ip(row.address));
    let private = index.device_addresses.get(device).iter().map(|row| End::Ip(row.address));
    public.chain(hub).chain(private).collect()
}

fn public_address(world: &World<'_>, public_ip: Sym) -> End {
    world.index.public_ip_address.one(public_ip).map_or(ANYWHERE, |row| End::Ip(row.address))
}

/// What passes on by a request, and firewalls of which a policy is missing, an address is not told, or a name that they translate to is not known.
fn proxies(world: &World<'_>) -> Vec<Proxy> {
    let index = world.index;
    let unsettled = |device: Sym| {
        index.azure_firewall.has(device) && {
            let firewall = world.firewall(device);
            let open = |to: &FirewallTranslation| to.address.is_none() && !world.held(device, to.fqdn.as_str()).certain;
            !firewall.missing.is_empty() || firewall.rules.iter().filter_map(|rule| rule.translation.as_ref()).any(open)
        }
    };
    let mut devices: Vec<Sym> = world.proxies().iter().map(|proxy| proxy.device).collect();
    devices.extend(index.device.rows().map(|row| row.device).filter(|device| unsettled(*device)));
    let named = world.takers_named();
    Sym::sort(&mut devices);
    devices.dedup();
    let proxy = |device: Sym| {
        let rows = index.device.get(device).iter().map(|row| row.subnet);
        let mut subnets: Vec<Sym> = rows.chain(index.device_addresses.get(device).iter().map(|row| row.subnet)).collect();
        subnets.retain(|subnet| !subnet.is_empty());
        Sym::sort(&mut subnets);
        subnets.dedup();
        let mut addresses = addresses(world, device);
        addresses.extend(named.iter().filter(|(of, _)| *of == device).map(|(_, public_ip)| public_address(world, *public_ip)));
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            addresses.extend(subnets.iter().copied().map(End::Subnet)); // it listens at one of them, which it does not say
        }
        Proxy { device, addresses, subnets, strangers: FxHashSet::default() }
    };
    devices.into_iter().map(proxy).collect()
}
