//! What a SQL server's clients lose that are sent on to the port of their database (SQL-12).

use crate::explain::packet::{StepExt, step};
use crate::explain::point;
use crate::explain::way::{Answer, End, Flow, Kind, Step};
use crate::explain::world::World;
use crate::facts::store_facts::Service;
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Stage, Sym, Verdict, Via};

/// Adds to the ways of a client that gets through to a SQL server, and not to all ports that the server may send it on to, a step that says so.
/// The verdict stays: with the connection policy `Proxy` the first port is enough, and which policy is in force stands in no export.
///
/// ```datalog
/// .decl redirected(via: symbol, ports: symbol)
/// partial(F, S, V) :- reaches_store(F, S, "sqlserver", V, "proven"), redirected(V, P), !reaches(F, S, V, "tcp", P, _). // sql.2
/// ```
pub fn annotate(world: &World<'_>, flow: &Flow, answer: &mut Answer) {
    let End::Store(store, ..) = flow.to else { return };
    let server = world.index.store.one(store).is_some_and(|row| row.service == Service::Sql);
    if !server || answer.verdict != Verdict::Allowed || !flow.traffic.within(Set::tcp()) {
        return;
    }
    for way in &mut answer.ways {
        if !way.span().sure.meets(flow.traffic) {
            continue;
        }
        if let Some(partial) = partial(world, flow, store, way.via) {
            let delivered = way.steps.len().saturating_sub(1);
            way.steps.insert(delivered, partial);
        }
    }
}

fn partial(world: &World<'_>, flow: &Flow, store: Sym, via: Via) -> Option<Step> {
    let ports = if via == Via::PrivateEndpoint { (1433, u16::MAX) } else { (11000, 11999) };
    let redirected = Set::of(Proto::Tcp, ports, ANY_PORT);
    let pairs = point::told(world, &Flow { traffic: redirected, ..*flow });
    let ways = pairs.groups.iter().flatten().flatten().filter(|way| way.via == via);
    let passing = ways.fold(Set::EMPTY, |passing, way| passing.or(way.span().may));
    let refused = redirected.minus(passing);
    if refused.is_empty() {
        return None;
    }
    let text = format!(
        "the server may send its clients on to {redirected}, and {refused} does not get through: that takes the connection policy Proxy"
    );
    Some(step(Stage::Delivered, Span::ALL, "sql.2", text).by(store, "connectionPolicy").kind(Kind::Rule))
}
