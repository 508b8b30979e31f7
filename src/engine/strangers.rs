//! Strangers that are joined to our networks: consumers of our Private Link services, and networks we are peered with or know of.

use crate::engine::edges::{Edge, beyond, either};
use crate::engine::fronts::FlowOf;
use crate::explain::packet::short;
use crate::explain::point::has_unseen_interfaces;
use crate::explain::way::{Assumption, End, Way};
use crate::explain::world::World;
use crate::explain::{foreign, point, private_link};
use crate::facts::private_link::PrivateLinkService;
use crate::model::{Set, Span, Sym, Tri, Via};
use crate::rules::lead::{self, Lead};
use crate::rules::private_endpoint::group;
use crate::rules::{consent, private_link as links};

/// Who may connect to what of ours.
pub(super) struct Strangers {
    /// A service, who consumes it, and whether the connection is approved (PLS-15).
    consumers: Vec<(PrivateLinkService, End, Tri)>,
    /// Networks outside that packets of ours may get to.
    networks: Vec<Sym>,
    /// Private endpoints in front of each of our services, by service.
    doors: Vec<(Sym, Sym)>,
}

impl Strangers {
    /// Those of an estate.
    pub(super) fn new(world: &World<'_>) -> Strangers {
        let index = world.index;
        let mut services: Vec<PrivateLinkService> =
            index.private_link_service.rows().filter(|row| world.ours(row.service)).copied().collect();
        services.sort_by_key(|row| row.service.as_str());
        let doors = index.private_endpoint_connections.rows().filter(|_| !services.is_empty());
        let mut doors: Vec<(Sym, Sym)> = doors.map(|row| (links::target(index, row.target), row.endpoint)).collect();
        doors.retain(|(target, _)| index.private_link_service.has(*target));
        doors.sort_by_key(|(service, endpoint)| (service.as_str(), endpoint.as_str()));
        let consumers = services.into_iter().flat_map(|service| {
            let each = consumers(world, service.service);
            each.into_iter().map(move |(end, approved)| (service, end, approved))
        });
        Strangers { consumers: consumers.collect(), networks: foreign::networks(world), doors }
    }

    /// Where data ends up with them.
    pub(super) fn sinks(&self) -> Vec<End> {
        let networks = self.networks.iter().map(|network| End::Network(*network));
        let mut sinks: Vec<End> = self.consumers.iter().map(|(_, end, _)| *end).chain(networks).collect();
        sinks.sort_by_cached_key(|end| crate::explain::reach::text(*end));
        sinks.dedup();
        sinks
    }

    /// Whether the end is one of them.
    pub(super) fn holds(&self, end: End) -> bool {
        matches!(end, End::Network(_)) || self.consumers.iter().any(|(_, sink, _)| *sink == end)
    }

    /// What gets from a machine to one of them, whoever opens the flow.
    pub(super) fn edge(&self, world: &World<'_>, from: End, to: End, flow: &FlowOf<'_>) -> Option<Edge> {
        let mut best = match to {
            End::Network(network) => self.to_network(world, from, network, flow),
            _ => None,
        };
        for (service, end, approved) in self.consumers.iter().filter(|(_, end, _)| *end == to) {
            let through = private_link::pulled(world, service, from).within(Set::tcp());
            let span = if approved.lo() { through } else { through.doubted() };
            if span.is_none() || !approved.hi() {
                continue;
            }
            let text = format!("whether {} reaches it through {} is not known", crate::explain::reach::text(*end), service.service);
            let assumptions = if span.sure.is_empty() { vec![assumption("W-MISSING", service.service, text)] } else { Vec::new() };
            let via = Via::PrivateLinkService;
            best = either(best, Some(Edge { span, sure_via: via, may_via: via, assumptions }));
        }
        // An interface that is not in the input may stand next to any of them (SND-04).
        if let End::Machine(machine) = from
            && has_unseen_interfaces(world.index, machine)
        {
            let text = format!("an interface of {} is not in the input", short(machine));
            let assumptions = vec![assumption("W-MISSING", machine, text)];
            let span = Span::UNKNOWN.within(Set::tcp_udp());
            best = either(best, Some(Edge { span, sure_via: Via::Public, may_via: Via::Public, assumptions }));
        }
        best
    }

    fn to_network(&self, world: &World<'_>, from: End, network: Sym, flow: &FlowOf<'_>) -> Option<Edge> {
        let mut best = None;
        if self.networks.contains(&network) {
            let [opened, taken] = foreign::ways(world, from, network);
            best = either(of_ways(opened, Set::tcp_udp()), of_ways(taken, Set::tcp()));
            for subnet in subnets(world, network) {
                best = either(best, either(flow(from, subnet, Set::tcp_udp()), flow(subnet, from, Set::tcp())));
            }
            for (service, endpoint) in &self.doors {
                let Some(row) = world.index.private_link_service.one(*service) else { continue };
                let behind = private_link::pulled(world, row, from).within(Set::tcp());
                if behind.is_none() {
                    continue;
                }
                let there = of_ways(foreign::ways_to_endpoint(world, network, *endpoint), Set::tcp());
                let led = there.map(|edge| Edge { span: edge.span.and(behind), ..edge }).filter(|edge| !edge.span.is_none());
                best = either(best, led);
            }
            best = best.map(|edge| beyond(world, network, edge));
        }
        best
    }

    /// What a network outside takes out of a store over a private endpoint, or otherwise by itself.
    pub(super) fn pull(&self, world: &World<'_>, store: End, to: End, flow: &FlowOf<'_>) -> Option<Edge> {
        let (End::Store(id, part, instance), End::Network(network)) = (store, to) else { return None };
        let mut best = None;
        if self.networks.contains(&network) {
            for subnet in subnets(world, network) {
                best = either(best, flow(subnet, store, Set::tcp()));
            }
            for Lead { connection, certain } in lead::leads(world.index, id, group(part, instance)) {
                let there = of_ways(foreign::ways_to_endpoint(world, network, connection.endpoint), Set::tcp());
                best = either(best, there.map(|edge| if certain { edge } else { Edge { span: edge.span.doubted(), ..edge } }));
            }
            best = best.map(|edge| beyond(world, network, edge));
        }
        best
    }
}

/// The subnets of a network of the input as ends, sorted.
fn subnets(world: &World<'_>, network: Sym) -> Vec<End> {
    let mut found: Vec<Sym> = world.index.subnets_by_vnet.get(network).iter().map(|row| row.subnet).collect();
    Sym::sort(&mut found);
    found.into_iter().map(End::Subnet).collect()
}

fn assumption(code: &str, resource: Sym, text: String) -> Assumption {
    Assumption { code: code.to_owned(), resource, text }
}

/// Who outside is connected to a service, or is when it asks (PLS-07, PLS-08, PE-37).
fn consumers(world: &World<'_>, service: Sym) -> Vec<(End, Tri)> {
    let index = world.index;
    let mut found: Vec<(End, Tri)> = Vec::new();
    for row in index.provider_connections_by_target.get(service).iter().filter(|row| !world.inside(row.endpoint)) {
        let own = index.private_endpoint_connections.get(row.endpoint).iter();
        let seen = own.filter(|own| links::target(index, own.target) == service).map(|own| consent::of(index, own).admitted).max();
        let approved = seen.unwrap_or_else(|| consent::says(row.state, row.settled));
        // One that is not in the input is perhaps one of ours.
        found.push((End::PrivateEndpoint(row.endpoint), approved.min(world.outside(row.endpoint))));
    }
    for subscription in links::approved_at_once(index, service) {
        let id = if subscription.is_empty() { Sym::EMPTY } else { Sym::new(&format!("/subscriptions/{subscription}")) };
        if id.is_empty() || !world.inside(id) {
            found.push((End::Network(id), Tri::Yes));
        }
    }
    found.retain(|(_, approved)| approved.hi());
    found
}

/// The edge that ways make together for some traffic: one of them is enough.
fn of_ways(ways: Vec<Way>, asked: Set) -> Option<Edge> {
    let open: Vec<&Way> = ways.iter().filter(|way| way.span().may.meets(asked)).collect();
    let span = open.iter().fold(Span::NONE, |span, way| span.or(way.span())).within(asked);
    let first = open.first()?;
    let sure = open.iter().find(|way| way.span().sure.meets(asked));
    let assumptions = if sure.is_some() { Vec::new() } else { point::assumed(open.iter().copied(), span.may) };
    Some(Edge { span, sure_via: sure.map_or(first.via, |way| way.via), may_via: first.via, assumptions })
}
