//! Flows whose destination is a store, a private endpoint, a name or any store outside: the pairs of `point`, over the ways of `store`.

use std::cell::RefCell;
use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::explain::attacker::{Attacker, attackers, is_ours, suffixes};
use crate::explain::likeness::{self, Likeness};
use crate::explain::packet::{Host, StepExt, short, step};
use crate::explain::point::{
    Pair, Pairs, by_any_interface, has_unseen_interfaces, holders, is_public_only, no_address, no_source, nowhere, one, places, secondary,
    site_representatives, sites_with, unlisted,
};
use crate::explain::services::{From, FromPlace};
use crate::explain::store::{self, Target, endpoint_ways, ways};
use crate::explain::transport::{Arrival, Client, ClientKind, ServiceClass, Transport};
use crate::explain::way::{End, Flow, Kind, Place, Step, Way};
use crate::explain::world::World;
use crate::explain::{callers, dns_reach, named};
use crate::facts::store_facts::{Instance, Service};
use crate::model::{Set, Span, Stage, Sym, Tri, Via};
use crate::rules::azure_firewall::Named;
use crate::rules::dns::{self, Reach, Resolution, View};
use crate::rules::paas_firewall::Source;
use crate::rules::perimeter::Callee;
use crate::rules::{endpoint_policy, service_endpoint};

/// The pairs of a flow to a store, an endpoint or a name; `None` for any other destination.
pub fn pairs(world: &World<'_>, flow: &Flow) -> Option<Pairs> {
    match flow.to {
        End::Store(..) | End::External(_) | End::PrivateEndpoint(_) | End::Fqdn(_) => {}
        _ => return None,
    }
    if let End::Store(resource, _, _) | End::Unmodelled(resource) = flow.from {
        let ways = match flow.to {
            End::Store(store, part, instance) => return Some(callers::pairs(world, flow, resource, &Target { store, part, instance })),
            End::Fqdn(name) if world.index.store_parts_by_host.has(name) => {
                let part = world.index.store_parts_by_host.one(name)?;
                let target = Target { store: part.store, part: part.part, instance: part.instance };
                return Some(callers::pairs(world, flow, resource, &target));
            }
            End::External(service) => server_ways(world, resource, service)?,
            End::Fqdn(name) => named_ways(world, resource, name)?,
            _ if is_public_only(world, resource) => return Some(one(no_source(flow.from))),
            _ => return Some(one(crate::explain::point::unmodelled(resource))),
        };
        return Some(Pairs { groups: vec![vec![ways]] });
    }
    let clients = clients(world, flow);
    let unlisted = match flow.from {
        End::Ip(ip) if holders(world, ip).is_empty() => unlisted(world, ip),
        _ => Vec::new(),
    };
    if clients.is_empty() {
        let mut pairs = one(nobody(world, flow));
        pairs.groups.extend(unlisted.into_iter().map(|way| vec![vec![way]]));
        return Some(pairs);
    }
    let pair = |(client, from, sure): (Client, From, bool)| {
        let doubt = match &from {
            From::Host(host) if !sure && !is_near(world, &client, flow.to) => Some(secondary(host)),
            _ => None,
        };
        let mut ways = to(world, flow, &client, from);
        if let Some(doubt) = doubt {
            ways.iter_mut().for_each(|way| way.steps.insert(0, doubt.clone()));
        }
        ways
    };
    let each = clients.into_iter().map(|group| Pairs { groups: vec![group.into_iter().map(pair).collect()] }).collect();
    let mut pairs = match flow.from {
        End::Machine(_) | End::Nic(_) => by_any_interface(flow, each),
        _ => Pairs { groups: each.into_iter().flat_map(|pairs| pairs.groups).collect() },
    };
    pairs.groups.extend(unlisted.into_iter().map(|way| vec![vec![way]]));
    Some(pairs)
}

/// Where a packet is sent from: subnet, address configuration (none where nobody is listed) and address.
type Standing = (Sym, Sym, IpAddr);

/// Who sends, the host name it asks for, the kind of a front end, and whether a service endpoint covers it.
type Approach = (Standing, Named, likeness::Kind, Tri);

/// How machines get to public front ends, remembered for one kind of traffic: by sender, host name where a
/// firewall compares it, what nothing tells apart from the front end, and coverage.
#[derive(Default)]
pub struct Arrivals {
    likeness: Likeness,
    known: RefCell<FxHashMap<Approach, store::Arriving>>,
}

/// Who sends from one place, and the ways from there to front ends.
struct Caller<'w, 'a> {
    client: Client,
    at: Standing,
    transport: FromPlace<'w, 'a>,
    name: Named,
    traffic: Set,
}

impl<'w, 'a> Caller<'w, 'a> {
    /// The source of a flow, a machine, which sends from one place, or a subnet, where who is not listed sends from any that is free; `None` for any other.
    fn all(world: &'w World<'a>, flow: &Flow) -> Option<Vec<Caller<'w, 'a>>> {
        match flow.from {
            End::Machine(machine) if has_unseen_interfaces(world.index, machine) => return None,
            End::Machine(_) | End::Nic(_) | End::Subnet(_) => {}
            _ => return None,
        }
        let mut groups = clients(world, flow).into_iter();
        let (Some(group), None) = (groups.next(), groups.next()) else { return None };
        let several = group.len() != 1 && !matches!(flow.from, End::Subnet(_));
        let caller = |(client, from, sure): (Client, From, bool)| {
            let From::Host(host) = from else { return None };
            if several || !sure || host.is_nowhere(world) {
                return None;
            }
            let name = if world.index.firewall_rule_names.is_empty() { Named::Unknown } else { client.name };
            let at = (host.subnet, host.ip_config, host.ip);
            let transport = FromPlace { world, from: From::Host(host), session: flow.session };
            Some(Caller { client, at, transport, name, traffic: flow.traffic })
        };
        group.into_iter().map(caller).collect()
    }

    fn arriving(&self, class: &ServiceClass, covered: Tri, arrivals: &Arrivals) -> store::Arriving {
        let key = (self.at, self.name, arrivals.likeness.kind(self.transport.world, class), covered);
        if let Some(known) = arrivals.known.borrow().get(&key) {
            debug_assert_eq!(*known, self.arrived(class, covered), "something tells {class:?} apart from others of its kind");
            return known.clone();
        }
        let found = self.arrived(class, covered);
        arrivals.known.borrow_mut().insert(key, found.clone());
        found
    }

    fn arrived(&self, class: &ServiceClass, covered: Tri) -> store::Arriving {
        let ways = self.transport.to_service(&self.client, class, covered, self.traffic).into_iter();
        ways.map(|(way, arrival)| (way.span(), arrival)).collect()
    }

    /// What gets to any store of a service outside the boundary. As soon as some of it surely does, the rest is not looked at.
    fn carried_outside(mut self, service: Service, arrivals: &Arrivals) -> Span {
        let world = self.transport.world;
        let ports = ports(world, service).within(self.traffic);
        let mut total = Span::NONE;
        for Attacker { name, class, covered, certain } in attackers(world, &self.client, service) {
            (self.client.name, self.name) = (name, name);
            for (span, arrival) in self.arriving(&class, covered, arrivals).iter() {
                let policy = match arrival {
                    Arrival::Showing(Source::ServiceEndpoint { subnet, .. }) => {
                        policy_for_foreign(world, service, class.region, *subnet).span
                    }
                    _ => Span::ALL,
                };
                total = total.or(span.and(policy).and(if certain { ports } else { ports.doubted() }));
                if !total.sure.is_empty() {
                    return total;
                }
            }
        }
        let over_endpoints = over_foreign_endpoints(world, &self.transport, &self.client, service, self.traffic);
        over_endpoints.iter().fold(total, |total, way| total.or(way.span()))
    }
}

/// What the pairs of an adversarial flow from a machine or a subnet to a store let through, without the ways that say why; `None` where a machine has several
/// places to send from, or it is neither: then the pairs must be looked at. `arrivals` belongs to one traffic.
pub fn carried(world: &World<'_>, flow: &Flow, arrivals: &Arrivals) -> Option<Span> {
    let End::Store(id, part, instance) = flow.to else { return None };
    let target = Target { store: id, part, instance };
    let carried = |caller: Caller| {
        let arriving = |class: &ServiceClass, covered: Tri| caller.arriving(class, covered, arrivals);
        store::carried(world, &caller.transport, &caller.client, &target, flow.traffic, &arriving)
    };
    from_each(Caller::all(world, flow)?.into_iter().map(carried))
}

/// What [`carried`] says, for a flow to any store of a service outside the boundary.
pub fn carried_outside(world: &World<'_>, flow: &Flow, arrivals: &Arrivals) -> Option<Span> {
    let End::External(service) = flow.to else { return None };
    from_each(Caller::all(world, flow)?.into_iter().map(|caller| caller.carried_outside(service, arrivals)))
}

/// What gets through from each of several places, nobody knows which; `None` where that cannot be told because only a part of what surely does was looked for.
fn from_each(each: impl Iterator<Item = Span>) -> Option<Span> {
    let each: Vec<Span> = each.collect();
    let all = each.iter().copied().reduce(|one, other| Span { sure: one.sure.and(other.sure), may: one.may.or(other.may) })?;
    let is_told = each.len() == 1 || !all.sure.is_empty() || each.iter().any(|span| span.sure.is_empty());
    is_told.then_some(all)
}

/// What gets from a machine or a subnet to the public front ends of a service in a region, way by way and wherever it is sent from, with what it shows whoever
/// stands behind them; `None` as for [`carried`], and where it depends on the host name.
pub fn arrived(world: &World<'_>, flow: &Flow, service: Service, region: Sym, arrivals: &Arrivals) -> Option<store::Arriving> {
    if !world.index.firewall_rule_names.is_empty() {
        return None;
    }
    let class = ServiceClass { service, tag: service.tag(), region };
    let arriving = |caller: &Caller| {
        let covered = service_endpoint::of(world.index, world.platform, caller.client.subnet, service, region).covered;
        caller.arriving(&class, covered, arrivals)
    };
    match Caller::all(world, flow)?.as_slice() {
        [caller] => Some(arriving(caller)),
        callers => Some(callers.iter().flat_map(|caller| arriving(caller).to_vec()).collect()),
    }
}

fn nobody(world: &World<'_>, flow: &Flow) -> Way {
    if matches!(flow.from, End::Machine(_) | End::Nic(_) | End::Subnet(_)) {
        return no_address(world, flow);
    }
    if let End::PrivateEndpoint(_) = flow.from {
        return no_source(flow.from);
    }
    let text = "the source has no address that opens a flow".to_owned();
    Way { via: Via::Public, steps: vec![step(Stage::Route, Span::NONE, "reach.8", text).by(Sym::EMPTY, "no-endpoint").kind(Kind::Absence)] }
}

/// Who sends: one of the groups, all of each.
fn clients(world: &World<'_>, flow: &Flow) -> Vec<Vec<(Client, From, bool)>> {
    let name = name_of(world, flow.to);
    let outside = |kind| Client::nowhere(kind, name);
    match flow.from {
        End::Internet(address) => vec![vec![(outside(ClientKind::Internet(address)), From::Outside, true)]],
        End::Ip(ip) => {
            let hosts: Vec<_> =
                holders(world, ip).into_iter().flat_map(|(hosts, sure)| hosts.into_iter().map(move |h| machine(h, sure, name))).collect();
            if !hosts.is_empty() {
                return vec![hosts];
            }
            let (sites, joined) = sites_with(world, ip);
            let of_site = |site: Sym| (outside(ClientKind::Site(site)), From::Site(entered(world, site, &[ip])), true);
            match (joined.is_empty(), sites.first()) {
                (false, _) => vec![joined.into_iter().map(of_site).collect()],
                (true, _) if crate::model::net::is_public(ip) => {
                    vec![vec![(outside(ClientKind::Internet(Some(ip))), From::Outside, true)]]
                }
                (true, Some(site)) => vec![vec![of_site(*site)]],
                (true, None) => Vec::new(),
            }
        }
        End::Site(site) => {
            let hosts = site_hosts(world, site);
            if hosts.is_empty() {
                return vec![vec![(outside(ClientKind::Site(site)), From::Site(Vec::new()), true)]];
            }
            hosts.into_iter().map(|host| vec![(outside(ClientKind::Site(site)), From::Site(vec![host]), true)]).collect()
        }
        _ => places(world, flow.from)
            .into_iter()
            .map(|(hosts, sure)| hosts.into_iter().map(|host| machine(host, sure, name)).collect::<Vec<_>>())
            .filter(|group| !group.is_empty())
            .collect(),
    }
}

/// The host name a client asks for; it cannot be told from an address.
fn name_of(world: &World<'_>, to: End) -> Named {
    match to {
        End::Fqdn(name) => Named::Host(name),
        End::Store(store, part, instance) => {
            let row = world.index.store_parts.get(store).iter().find(|row| row.part == part && row.instance == instance);
            let host = row.and_then(|row| dns::names::host(world.index, world.platform, row));
            host.map_or(Named::Unknown, |host| Named::Host(Sym::new(&host)))
        }
        _ => Named::Unknown,
    }
}

fn machine(host: Host, sure: bool, name: Named) -> (Client, From, bool) {
    let kind = ClientKind::Machine;
    let client = Client { subnet: host.subnet, vnet: host.vnet, nic: host.nic, ip_config: host.ip_config, kind, name };
    (client, From::Host(host), sure)
}

/// Whether the interface's own subnet holds the private endpoint: no route of the guest decides then (ADR-15).
fn is_near(world: &World<'_>, client: &Client, to: End) -> bool {
    let End::PrivateEndpoint(endpoint) = to else { return false };
    world.index.private_endpoint.one(endpoint).is_some_and(|row| row.subnet == client.subnet)
}

fn to(world: &World<'_>, flow: &Flow, client: &Client, from: From) -> Pair {
    if let From::Host(host) = &from
        && host.is_nowhere(world)
    {
        return vec![nowhere(host)];
    }
    let transport = FromPlace { world, from, session: flow.session };
    match flow.to {
        End::Store(id, part, instance) => ways(world, &transport, client, &Target { store: id, part, instance }, flow.mode, flow.traffic),
        End::PrivateEndpoint(endpoint) => endpoint_ways(world, &transport, client, endpoint, None, flow.traffic),
        End::External(service) => to_external(world, &transport, client, service, flow.traffic),
        End::Fqdn(name) => named::to_name(world, flow, &transport, client, name),
        _ => Vec::new(),
    }
}

/// Any store of the service outside the boundary: the attacker's, so its own firewall and consent stand open.
pub fn to_external(world: &World<'_>, transport: &dyn Transport, client: &Client, service: Service, traffic: Set) -> Pair {
    if client.kind != ClientKind::Machine {
        let text = "it is outside already".to_owned();
        return vec![Way { via: Via::Public, steps: vec![step(Stage::Delivered, Span::ALL, "exfil.1", text).kind(Kind::Default)] }];
    }
    let mut out = Vec::new();
    for Attacker { name, class, covered, certain } in attackers(world, client, service) {
        let client = &Client { name, ..*client };
        for (mut way, source) in transport.to_service(client, &class, covered, traffic) {
            way.via = Via::Public;
            if let Arrival::Showing(Source::ServiceEndpoint { subnet, .. }) = source {
                way.via = Via::ServiceEndpoint;
                way.steps.push(policy_for_foreign(world, service, class.region, subnet));
            }
            let answers = step(Stage::Delivered, ports(world, service), "exfil.1", "a store of the attacker's answers".to_owned());
            way.steps.push(if certain { answers } else { perhaps_theirs(answers, name) });
            out.push(way);
        }
    }
    out.extend(over_foreign_endpoints(world, transport, client, service, traffic));
    out
}

/// The same of a store that a firewall's rule names and that is none of ours.
fn perhaps_theirs(mut answers: Step, name: Named) -> Step {
    let host = if let Named::Host(host) = name { host.as_str() } else { "" };
    answers.span = answers.span.doubted();
    answers.text = format!("a rule names {host}, which is no store inside the boundary: whether the attacker may use it is not known");
    answers.by(Sym::EMPTY, host).kind(Kind::Assumption).code("W-MISSING")
}

/// The ways over private endpoints that lead to a store of the service outside the boundary: those of the input, and those that such a store of the input says
/// are connected to it (X-15, PE-37).
fn over_foreign_endpoints(world: &World<'_>, transport: &dyn Transport, client: &Client, service: Service, traffic: Set) -> Vec<Way> {
    let endpoints = world.endpoints_outside().iter().filter(|(of, ..)| *of == service);
    let each = endpoints.flat_map(|(_, endpoint, target)| {
        let mut ways = endpoint_ways(world, transport, client, *endpoint, None, traffic);
        if target.is_empty() {
            let text = format!("what private endpoint {} is connected to is not in the input", short(*endpoint));
            let span = Span { sure: Set::EMPTY, may: Set::tcp_udp() };
            let perhaps = step(Stage::PrivateEndpoint, span, "exfil.1", text).by(*endpoint, "").kind(Kind::Assumption).code("W-MISSING");
            ways.iter_mut().for_each(|way| way.steps.push(perhaps.clone()));
        } else {
            doubt_outside(world, *target, &mut ways);
        }
        ways
    });
    let mut all: Vec<Way> = each.collect();
    for (_, part) in world.parts_outside().iter().filter(|(of, _)| *of == service) {
        let target = Target { store: part.store, part: part.part, instance: part.instance };
        let mut ways = store::unlisted_ways(world, transport, client, &target, traffic);
        doubt_outside(world, part.store, &mut ways);
        all.append(&mut ways);
    }
    all
}

/// Says of the ways to a store that is outside the boundary only perhaps what that depends on.
fn doubt_outside(world: &World<'_>, store: Sym, ways: &mut [Way]) {
    if world.outside(store).lo() {
        return;
    }
    let perhaps = step(Stage::PrivateEndpoint, Span::UNKNOWN, "exfil.1", world.perhaps_outside(store)).by(store, "");
    let perhaps = perhaps.kind(Kind::Assumption).code("W-MISSING");
    ways.iter_mut().for_each(|way| way.steps.push(perhaps.clone()));
}

/// The ways of a SQL server to any store of the service outside the boundary, by its own features (SQL-10, X-23); `None` for a resource whose own calls
/// nobody lists.
fn server_ways(world: &World<'_>, server: Sym, service: Service) -> Option<Pair> {
    let row = world.index.store.one(server)?;
    if row.service != Service::Sql {
        return None;
    }
    let mut steps = store::perimeter::leaving(world, server, Callee::Outside(&suffixes(world, service), &|host| is_ours(world, host)));
    if !matches!(service, Service::Storage | Service::Sql) {
        // Whether any of its features calls such a service nobody lists; where it may call none of them that does not matter.
        let closed = steps.iter().any(|step| step.span.is_none());
        return closed.then(|| vec![Way { via: Via::Public, steps }]);
    }
    let text = "a store of the attacker's answers, and the server's own features read and write it".to_owned();
    steps.push(step(Stage::Delivered, ports(world, service), "exfil.2", text).kind(Kind::Default));
    Some(vec![Way { via: Via::Public, steps }])
}

/// The ways of a resource to a host name; `None` for a resource whose own calls nobody lists, and a name that no store of the input bears.
fn named_ways(world: &World<'_>, resource: Sym, name: Sym) -> Option<Pair> {
    let row = world.index.store.one(resource).filter(|row| row.service == Service::Sql)?;
    let mut steps = store::perimeter::leaving(world, row.store, Callee::Resource(Sym::EMPTY, Some(name.as_str())));
    let text = format!("what answers at {name} is not in the input");
    steps.push(step(Stage::Delivered, Span::UNKNOWN, "exfil.2", text).kind(Kind::Assumption).code("W-MISSING"));
    Some(vec![Way { via: Via::Public, steps }])
}

/// What an endpoint policy of the subnet does to an account outside the boundary (SEP-02, SEP-03, SEP-05, SEP-10, X-11).
fn policy_for_foreign(world: &World<'_>, service: Service, region: Sym, subnet: Sym) -> Step {
    let free =
        |text: &str| step(Stage::ServiceEndpointPolicy, Span::ALL, "endpoint_policy.2", text.to_owned()).by(subnet, "").kind(Kind::Absence);
    if service != Service::Storage || !world.index.subnet_endpoint_policies.has(subnet) {
        return free("no endpoint policy limits where the service endpoint leads");
    }
    if endpoint_policy::looks_at(world.index, world.platform, subnet, region) == Tri::No {
        return free("endpoint policies of the first version look at two regions only, and this is another");
    }
    let effective = endpoint_policy::effective_on(world.index, subnet);
    let outside = world.scopes_outside(subnet);
    let (span, code) = match (effective, outside) {
        (Tri::No, _) | (_, Tri::Yes) => (Span::ALL, ""),
        (Tri::Maybe, _) | (_, Tri::Maybe) if endpoint_policy::is_missing(world.index, subnet) => (Span::UNKNOWN, "W-MISSING"),
        (Tri::Maybe, _) | (_, Tri::Maybe) => (Span::UNKNOWN, "SEP_DENY"),
        (Tri::Yes, Tri::No) => (Span::NONE, ""),
    };
    let text = match (effective, outside) {
        (Tri::No, _) => "the endpoint policies attached to it limit nothing",
        (_, Tri::Yes) => "an endpoint policy admits a scope outside the boundary",
        (_, Tri::Maybe) => "whether an endpoint policy admits a scope outside the boundary is not known",
        (Tri::Maybe, _) => "whether the endpoint policies attached to it limit anything is not known",
        _ => "its endpoint policies admit no account outside the boundary",
    };
    let policy = endpoint_policy::first(world.index, subnet);
    step(Stage::ServiceEndpointPolicy, span, "endpoint_policy.2", text.to_owned())
        .by(policy, "")
        .at_fact(policy)
        .kind(Kind::Fact)
        .code(code)
}

/// The ports at which stores of a service answer (M-16).
fn ports(world: &World<'_>, service: Service) -> Span {
    crate::rules::egress::front_ports(world.platform, service)
}

/// The answer to a name at a place, as `effective dns` asks for it.
pub fn resolve_at(world: &World<'_>, place: Place, name: Sym) -> Resolution {
    let resolve = |view: View, reach: &dyn Fn(IpAddr) -> Reach| dns::resolve(world.index, world.platform, reach, &view, name.as_str());
    match place {
        Place::Vnet(vnet) => resolve(View::Vnet { vnet, nic: Sym::EMPTY }, &|server| dns_reach::in_network(world, vnet, server)),
        Place::Subnet(subnet) => {
            let host = Host::first_in(world, subnet);
            let from = host.map_or(From::Outside, From::Host);
            resolve(View::Vnet { vnet: world.vnet_of(subnet), nic: Sym::EMPTY }, &|server| {
                dns_reach::reach(world, &from, Sym::EMPTY, server)
            })
        }
        Place::Nic(nic) => {
            let subnet = world.index.ip_configs_by_nic.one(nic).map_or(Sym::EMPTY, |config| config.subnet);
            let host = places(world, End::Nic(nic)).into_iter().flat_map(|(hosts, _)| hosts).next();
            let from = host.map_or(From::Outside, From::Host);
            resolve(View::Vnet { vnet: world.vnet_of(subnet), nic }, &|server| dns_reach::reach(world, &from, Sym::EMPTY, server))
        }
        Place::Machine(machine) => {
            let nic = world.index.nics_by_machine.get(machine).iter().map(|row| row.nic).min_by_key(|nic| nic.as_str());
            match nic {
                Some(nic) => resolve_at(world, Place::Nic(nic), name),
                None => Resolution::unknown("the machine has no network interface in the input"),
            }
        }
        Place::Site(site) => {
            let from = From::Site(site_hosts(world, site));
            resolve(View::Site(site), &|server| dns_reach::reach(world, &from, site, server))
        }
        Place::Internet => resolve(View::Internet, &|_| Reach::Open),
    }
}

/// Where the packets of a site come in, one for each of its addresses that make a difference.
fn site_hosts(world: &World<'_>, site: Sym) -> Vec<(Host, Step)> {
    let sources = site_representatives(world, site);
    if !sources.is_empty() {
        return entered(world, site, &sources);
    }
    // Nobody knows the site's addresses: nor where its packets go from here.
    let nowhere = Host::imagined(world, Sym::EMPTY, IpAddr::from([0, 0, 0, 0]));
    world.entrances(site).into_iter().map(|entrance| (nowhere.clone(), entrance.step)).collect()
}

/// Where packets of a site with one of `sources` come in.
fn entered(world: &World<'_>, site: Sym, sources: &[IpAddr]) -> Vec<(Host, Step)> {
    let at = |subnet: Sym, ip: &IpAddr| Host::imagined(world, subnet, *ip);
    let each = world.entrances(site).into_iter();
    each.flat_map(|entrance| sources.iter().map(|ip| (at(entrance.subnet, ip), entrance.step.clone())).collect::<Vec<_>>()).collect()
}

/// The stores' parts of the input, in the order of their names.
pub fn all_parts(world: &World<'_>) -> Vec<(Sym, Sym, Instance)> {
    let mut parts: Vec<(Sym, Sym, Instance)> = world.index.store_parts.rows().map(|row| (row.store, row.part, row.instance)).collect();
    parts.sort_by_key(|(store, part, instance)| (store.as_str(), part.as_str(), *instance));
    parts
}
