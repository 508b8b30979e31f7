//! The evaluation of one flow.

use crate::explain::way::{Answer, Assumption, Flow, Reason};
use crate::explain::world::World;
use crate::model::{Stage, Sym, Verdict};

/// Not available: every flow is unproven.
pub fn answer(_world: &World, flow: &Flow) -> Answer {
    let text = "the evaluation of flows is not available in this build".to_owned();
    Answer {
        verdict: Verdict::Unproven,
        via: None,
        reason: Reason { stage: Stage::Route, resource: Sym::EMPTY, rule: String::new(), text: text.clone() },
        assumptions: vec![Assumption { code: "W-BUILD".to_owned(), resource: Sym::EMPTY, text }],
        traffic: flow.traffic,
        ways: Vec::new(),
    }
}
