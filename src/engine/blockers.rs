//! Why data cannot leave: for a source without any way to a sink, what refuses at each place the data can get to.

use crate::engine::exfil::Graph;
use crate::explain::point;
use crate::explain::way::{End, Flow, Mode};
use crate::explain::world::World;
use crate::model::{Set, Stage, Sym, Verdict};

/// One thing that must stay as it is for the data to stay inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// Where the data is.
    pub from: End,
    /// Where it cannot get.
    pub to: End,
    /// The place inside from which the last step is refused.
    pub at: End,
    /// The first stage that refuses.
    pub stage: Stage,
    /// The resource that decides; empty where none does.
    pub resource: Sym,
    /// The item inside it.
    pub rule: String,
    /// In plain words.
    pub text: String,
}

/// What keeps the data of `sources` from every one of `sinks` that it cannot reach, in the order of the sources, the sinks and the places.
pub fn blockers(world: &World<'_>, sources: &[End], sinks: Option<&[End]>) -> Vec<Blocker> {
    let graph = Graph::new(world);
    let all = graph.sinks();
    let mut out = Vec::new();
    for &from in sources {
        let reached = graph.reached(from);
        for &to in sinks.unwrap_or(all).iter().filter(|to| **to != from && !reached.contains(to)) {
            if !graph.routes(from, Some(&[to])).is_empty() {
                continue;
            }
            out.extend(reached.iter().filter_map(|at| refusal(world, from, *at, to)));
        }
    }
    out
}

/// The first gate between one place and the sink; for a store, between the sink and the store: strangers come and take.
fn refusal(world: &World<'_>, from: End, at: End, to: End) -> Option<Blocker> {
    let (sender, receiver) = match (at, to) {
        (End::Store(..), End::External(_)) => (End::Internet(None), at),
        (End::Store(..), _) => (to, at),
        _ => (at, to),
    };
    if matches!(receiver, End::Network(_)) || matches!(sender, End::Network(_) | End::External(_) | End::PrivateEndpoint(_)) {
        return None;
    }
    let flow = Flow { from: sender, to: receiver, traffic: Set::tcp_udp(), mode: Mode::Adversarial, session: true };
    let answer = point::answer(world, &flow);
    if answer.verdict != Verdict::Denied {
        return None;
    }
    let reason = answer.reason;
    Some(Blocker { from, to, at, stage: reason.stage, resource: reason.resource, rule: reason.rule, text: reason.text })
}
