//! What carries bytes between two nodes of the graph of ways out: flows that either end opens, and what moves without one.
//!
//! Bytes go with any flow, and against it on a connection alone: what is sent by UDP brings nothing back.

use crate::engine::exfil::Graph;
use crate::engine::{account, channels};
use crate::explain::attacker;
use crate::explain::packet::short;
use crate::explain::point::{assumed, judge, pairs, span, unread};
use crate::explain::way::{Assumption, End, Flow, Mode, Reason};
use crate::explain::world::World;
use crate::facts::store_facts::Service;
use crate::model::{Set, Span, Sym, Via};

/// An edge, at its best: what surely carries bytes, and what may.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub span: Span,
    pub sure_via: Via,
    pub may_via: Via,
    pub assumptions: Vec<Assumption>,
}

impl Graph<'_, '_> {
    /// What carries bytes from one node to another.
    pub(super) fn edge(&self, from: End, to: End) -> Option<Edge> {
        let mut edge = self.evaluate(from, to)?;
        if let Some(unread) = unread(self.world, &between(from, to), Mode::Configured) {
            edge = doubted(edge, unread.code, unread.resource, unread.text);
        }
        if let Some(doubt) = self.doubt_of(to) {
            edge.span = edge.span.doubted();
            edge.assumptions.push(doubt);
        }
        Some(edge)
    }

    /// Whether nothing surely rests at a node for others: who is there perhaps keeps what it is given to itself.
    pub(super) fn may_keep(&self, to: End) -> bool {
        matches!(to, End::Subnet(_)) && self.rests(to) || self.app(to).is_some()
    }

    /// Why not.
    fn doubt_of(&self, to: End) -> Option<Assumption> {
        let (code, resource, text) = match to {
            _ if !self.may_keep(to) => return None,
            End::Subnet(subnet) => {
                ("W-DELEGATED", subnet, format!("what the service that {} is delegated to has there is not in the input", short(subnet)))
            }
            _ => ("W-UNSUPPORTED", self.app(to)?, "whether the app passes on what it is given is not known".to_owned()),
        };
        Some(Assumption { code: code.to_owned(), resource, text })
    }

    /// An app inside runs code of its own: bytes it is given rest there for others only where it means them to.
    pub(super) fn app(&self, to: End) -> Option<Sym> {
        let End::Store(store, ..) = to else { return None };
        let app = self.world.index.store.one(store).is_some_and(|row| row.service == Service::Web);
        (app && self.world.inside(store)).then_some(store)
    }

    fn evaluate(&self, from: End, to: End) -> Option<Edge> {
        let flow = |from: End, to: End, traffic: Set| self.flow_of(from, to, traffic);
        if let End::PrivateEndpoint(endpoint) = to
            && self.nameless.contains(&endpoint)
            && !matches!(from, End::Store(..) | End::Unmodelled(_))
        {
            let text = format!("what private endpoint {} is connected to is not in the input", short(endpoint));
            return self.flow(from, to).map(|edge| doubted(edge, "W-MISSING", endpoint, text));
        }
        if matches!(to, End::PrivateEndpoint(_)) && !self.strangers.holds(to) {
            // A stranger's, by which data is taken out of a store: what gets there from elsewhere is data on its way to that store.
            return if let End::Store(store, part, _) = from { self.pulled(store, part, to) } else { None };
        }
        let by_itself = match (from, to) {
            (End::Store(..), End::Store(..)) => either(self.between_stores(from, to), self.declared(from, to)),
            (End::Store(store, part, _), End::Internet(_) | End::External(_)) => {
                let moved = either(self.sent(from, to), channels::replicated(self.world, store, part, to));
                either(self.pulled(store, part, to), either(moved, self.declared(from, to)))
            }
            // A subnet that is named is whoever may be in it: others do not let it in by that.
            (End::Store(store, part, _), End::Unmodelled(id)) if self.world.index.store_subnet_rules_by_subnet.has(id) => {
                self.pulled(store, part, to)
            }
            (End::Store(store, part, _), End::Unmodelled(_)) => {
                either(self.pulled(store, part, to), either(self.taken(from, to), self.declared(from, to)))
            }
            (End::Store(store, part, _), End::Network(_)) => {
                either(self.pulled(store, part, to), self.strangers.pull(self.world, from, to, &flow))
            }
            (End::Store(store, part, _), End::PrivateEndpoint(_)) => self.pulled(store, part, to),
            (End::Store(..), _) => self.taken(from, to),
            (End::Unmodelled(_), _) | (_, End::Unmodelled(_)) if self.residents.holds(from) || self.residents.holds(to) => None,
            (End::Machine(_) | End::Nic(_) | End::Subnet(_), to) if self.strangers.holds(to) => {
                self.strangers.edge(self.world, from, to, &flow)
            }
            (_, End::Network(_)) => None,
            (_, End::Unmodelled(target)) => self.to_foreign_target(from, target),
            (_, End::Store(..) | End::External(_)) => self.flow(from, to),
            _ => either(self.flow(from, to), self.taken(from, to)),
        };
        let (sent, taken) = (Set::tcp_udp(), Set::tcp());
        let led_on = either(self.fronts.edge(self.world, from, to, sent, &flow), self.fronts.edge(self.world, to, from, taken, &flow));
        either(either(by_itself, led_on), self.residents.edge(self.world, &self.strangers, from, to, &flow))
    }

    /// Over private endpoints to a resource outside the boundary that is no store of the input.
    fn to_foreign_target(&self, from: End, target: Sym) -> Option<Edge> {
        let to_it = self.endpoints.iter().filter(|(_, end)| *end == End::Unmodelled(target));
        let best = to_it.fold(None, |best, (endpoint, _)| either(best, self.flow(from, End::PrivateEndpoint(*endpoint))))?;
        Some(beyond(self.world, target, best))
    }

    /// What settings send by themselves.
    fn declared(&self, from: End, to: End) -> Option<Edge> {
        channels::declared(self.world, from, to, &|from, to| self.flow(from, to))
    }

    /// What moves between two stores without a machine: replication, and what a SQL server reads and writes by its own features. Copies need
    /// somebody who starts them and reaches both, so they are no edge of their own.
    fn between_stores(&self, from: End, to: End) -> Option<Edge> {
        let replicated = match from {
            End::Store(store, part, _) => channels::replicated(self.world, store, part, to),
            _ => None,
        };
        either(either(self.sent(from, to), self.sent(to, from)), either(replicated, account::shared(self.world, from, to)))
    }

    /// What a SQL server may send by itself.
    fn sent(&self, from: End, to: End) -> Option<Edge> {
        let End::Store(store, _, _) = from else { return None };
        if let End::Internet(None) = to {
            // A host on its list that is nobody's here is a way out like any other.
            let hosts = attacker::hosts_elsewhere(self.world, store).into_iter();
            return hosts.fold(None, |best, host| either(best, self.flow(from, End::Fqdn(host))));
        }
        let server = self.world.index.store.one(store).is_some_and(|row| row.service == Service::Sql);
        if server && !matches!(to, End::Internet(_)) { self.flow(from, to) } else { None }
    }

    /// A flow that `from` opens towards `to`.
    pub(super) fn flow(&self, from: End, to: End) -> Option<Edge> {
        self.flow_of(from, to, Set::tcp_udp())
    }

    /// What `to` takes from `from` by opening a connection.
    fn taken(&self, from: End, to: End) -> Option<Edge> {
        self.flow_of(to, from, Set::tcp())
    }

    /// A flow of some traffic that `from` opens towards `to`.
    pub(super) fn flow_of(&self, from: End, to: End, traffic: Set) -> Option<Edge> {
        let flow = Flow { traffic, ..between(from, to) };
        let pairs = pairs(self.world, &flow);
        let total = span(&pairs, traffic);
        if total.is_none() {
            return None;
        }
        let ways: Vec<_> = pairs.groups.iter().flatten().flatten().collect();
        let via = |wanted: &dyn Fn(Span) -> bool| ways.iter().find(|way| wanted(way.span())).map_or(Via::Public, |way| way.via);
        let may_via = via(&|span| span.may.meets(traffic));
        let sure_via = ways.iter().find(|way| way.span().sure.meets(traffic)).map_or(may_via, |way| way.via);
        let mut assumptions = Vec::new();
        if total.sure.is_empty() {
            let open = ways.into_iter().filter(|way| way.span().may.meets(traffic));
            assumptions = assumed(open, total.may);
            if assumptions.is_empty() {
                // Each step lets something through, and not the same.
                let Reason { resource, text, .. } = judge(&pairs, traffic).reason;
                assumptions.push(Assumption { code: "W-UNSUPPORTED".to_owned(), resource, text });
            }
        }
        Some(Edge { span: total, sure_via, may_via, assumptions })
    }
}

/// The better of two edges, where there are any.
pub(super) fn either(a: Option<Edge>, b: Option<Edge>) -> Option<Edge> {
    match (a, b) {
        (Some(a), Some(b)) => Some(stronger(a, b)),
        (a, b) => a.or(b),
    }
}

/// Anything that may carry bytes, by somebody for whom names are no barrier.
pub(super) fn between(from: End, to: End) -> Flow {
    Flow { from, to, traffic: Set::tcp_udp(), mode: Mode::Adversarial, session: true }
}

/// The better of two edges: sure before possible.
fn stronger(a: Edge, b: Edge) -> Edge {
    let span = a.span.or(b.span);
    let better = if a.span.sure.is_empty() && !b.span.sure.is_empty() { b } else { a };
    Edge { span, ..better }
}

/// The edge where both carry the bytes, one after the other.
pub(super) fn both(a: Edge, b: &Edge) -> Option<Edge> {
    let span = a.span.and(b.span);
    let mut assumptions: Vec<Assumption> = a.assumptions.into_iter().chain(b.assumptions.iter().cloned()).collect();
    if span.sure.is_empty() && assumptions.is_empty() {
        let text = "what surely gets there is not what is surely passed on".to_owned();
        assumptions.push(Assumption { code: "W-UNSUPPORTED".to_owned(), resource: Sym::EMPTY, text });
    }
    (!span.is_none()).then_some(Edge { span, assumptions, ..a })
}

/// The edge with something that is not known of it.
pub(super) fn doubted(edge: Edge, code: &str, resource: Sym, text: String) -> Edge {
    let doubt = Assumption { code: code.to_owned(), resource, text };
    Edge { span: edge.span.doubted(), assumptions: edge.assumptions.into_iter().chain([doubt]).collect(), ..edge }
}

/// An edge to something outside: in doubt where that is outside only because it is not in the input.
pub(super) fn beyond(world: &World<'_>, id: Sym, edge: Edge) -> Edge {
    if world.outside(id).lo() {
        return edge;
    }
    doubted(edge, "W-MISSING", id, world.perhaps_outside(id))
}
