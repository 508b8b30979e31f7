//! Strangers that are joined to our networks: consumers of our Private Link services, and networks we are peered with.

use crate::engine::exfil::Edge;
use crate::explain::private_link;
use crate::explain::way::{Assumption, End, Way};
use crate::explain::world::World;
use crate::explain::{foreign, point};
use crate::facts::private_link::PrivateLinkService;
use crate::model::{Set, Span, Sym, Tri, Via};
use crate::rules::{consent, private_link as links};

/// Who may connect to what of ours.
pub(super) struct Strangers {
    /// A service, who consumes it, and whether the connection is approved (PLS-15).
    consumers: Vec<(PrivateLinkService, End, Tri)>,
    /// Networks outside that ours are peered with.
    networks: Vec<Sym>,
}

impl Strangers {
    /// Those of an estate.
    pub(super) fn new(world: &World<'_>) -> Strangers {
        let mut services: Vec<PrivateLinkService> =
            world.index.private_link_service.rows().filter(|row| world.inside(row.service)).copied().collect();
        services.sort_by_key(|row| row.service.as_str());
        let consumers = services.into_iter().flat_map(|service| {
            let each = consumers(world, service.service);
            each.into_iter().map(move |(end, approved)| (service, end, approved))
        });
        Strangers { consumers: consumers.collect(), networks: foreign::networks(world) }
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
    pub(super) fn edge(&self, world: &World<'_>, from: End, to: End) -> Option<Edge> {
        let mut best = match to {
            End::Network(network) if self.networks.contains(&network) => of_ways(foreign::ways(world, from, network)),
            _ => None,
        };
        for (service, end, approved) in self.consumers.iter().filter(|(_, end, _)| *end == to) {
            let through = private_link::pulled(world, service, from);
            let span = if approved.lo() { through } else { through.doubted() };
            if span.is_none() || !approved.hi() {
                continue;
            }
            let text = format!("whether {} reaches it through {} is not known", crate::explain::reach::text(*end), service.service);
            let assumptions = if span.sure.is_empty() { vec![assumption("W-MISSING", service.service, text)] } else { Vec::new() };
            let via = Via::PrivateLinkService;
            best = super::exfil::either(best, Some(Edge { span, sure_via: via, may_via: via, assumptions }));
        }
        best
    }
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
        found.push((End::PrivateEndpoint(row.endpoint), approved));
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

/// The edge that ways make together: one of them is enough.
fn of_ways(ways: Vec<Way>) -> Option<Edge> {
    let asked = Set::tcp_udp();
    let open: Vec<&Way> = ways.iter().filter(|way| way.span().may.meets(asked)).collect();
    let span = open.iter().fold(Span::NONE, |span, way| span.or(way.span())).within(asked);
    let first = open.first()?;
    let sure = open.iter().find(|way| way.span().sure.meets(asked));
    let assumptions = if sure.is_some() { Vec::new() } else { point::assumed(open.iter().copied(), span.may) };
    Some(Edge { span, sure_via: sure.map_or(first.via, |way| way.via), may_via: first.via, assumptions })
}
