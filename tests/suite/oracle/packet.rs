//! A packet, and what becomes of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use watertight::facts::store_facts::Service;
use watertight::model::{Prefix, Proto, Stage, Sym, Tri, Verdict, Via};

use super::OracleAnswer;

/// An address in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addr {
    /// This one.
    Known(IpAddr),
    /// Some public address that nobody knows: default outbound access (OUT-07), an address not in the export.
    SomePublic,
    /// The public front end of a service in a region (M-14).
    Front(Service, Sym),
}

/// What the sender calls the destination: the host name in its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// It knows the address only.
    Unknown,
    Host(Sym),
    /// Some name of its own below a suffix.
    Below(Sym),
}

/// One packet. The configurations say whose address it is while that is not translated away.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub src: Addr,
    pub src_config: Option<Sym>,
    pub dst: Addr,
    pub dst_config: Option<Sym>,
    pub proto: Proto,
    pub dport: u16,
    /// `None` after a translation: any port (decision 14).
    pub sport: Option<u16>,
    pub called: Called,
    /// Of a public end whose address is not known: the addresses that it is one of, where a list of rules is asked for them alone.
    pub part: Option<Prefix>,
}

impl Packet {
    /// Whether the packet is of a family with four bytes; front ends are reached over IPv4.
    pub fn is_v4(&self) -> bool {
        match self.dst {
            Addr::Known(ip) => ip.is_ipv4(),
            Addr::SomePublic | Addr::Front(..) => true,
        }
    }
}

/// What becomes of a packet on one way, or on several taken together.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub verdict: Verdict,
    pub stage: Stage,
    pub via: Option<Via>,
    pub rule: String,
    pub codes: BTreeSet<&'static str>,
    pub stages: BTreeSet<Stage>,
    /// Those of them at which some way was surely refused, whatever was in doubt before.
    pub refused: BTreeSet<Stage>,
    pub vias: BTreeSet<Via>,
}

impl Outcome {
    /// It arrives.
    pub fn delivered(via: Via) -> Outcome {
        Outcome {
            verdict: Verdict::Allowed,
            stage: Stage::Delivered,
            via: Some(via),
            rule: String::new(),
            codes: BTreeSet::new(),
            stages: BTreeSet::new(),
            refused: BTreeSet::new(),
            vias: BTreeSet::from([via]),
        }
    }

    /// It is surely lost here.
    pub fn denied(stage: Stage, rule: impl Into<String>) -> Outcome {
        Outcome {
            verdict: Verdict::Denied,
            stage,
            via: None,
            rule: rule.into(),
            codes: BTreeSet::new(),
            stages: BTreeSet::from([stage]),
            refused: BTreeSet::from([stage]),
            vias: BTreeSet::new(),
        }
    }

    /// Nobody can tell from here on.
    pub fn unproven(stage: Stage, rule: impl Into<String>, code: &'static str) -> Outcome {
        Outcome { verdict: Verdict::Unproven, codes: BTreeSet::from([code]), refused: BTreeSet::new(), ..Outcome::denied(stage, rule) }
    }

    /// The same with a doubt at an earlier stage. What is surely lost later stays lost.
    pub fn doubted(mut self, stage: Stage, rule: impl Into<String>, code: &'static str) -> Outcome {
        if self.verdict != Verdict::Denied {
            self.verdict = Verdict::Unproven;
            self.stage = stage;
            self.rule = rule.into();
            self.codes.insert(code);
            self.stages = BTreeSet::from([stage]);
        }
        self
    }

    /// Refused in the end at `stage`, whatever was in doubt on the way; ways that were refused before stay refused where they were.
    pub fn refused_at(self, stage: Stage, rule: impl Into<String>) -> Outcome {
        let mut outcome = Outcome::denied(stage, rule);
        outcome.refused.extend(self.refused);
        outcome.stages.extend(&outcome.refused);
        outcome
    }

    /// The same with one more stage that another judge may name.
    pub fn beside(mut self, stage: Stage) -> Outcome {
        if self.verdict != Verdict::Allowed {
            self.stages.insert(stage);
        }
        self
    }

    /// The same, joined by `via`: the first device on the way, or how a store's front end is met.
    pub fn joined(mut self, via: Via) -> Outcome {
        self.via = Some(via);
        self.vias = BTreeSet::from([via]);
        self
    }

    /// The same, joined by `via` where it may arrive at all.
    pub fn joined_if_open(self, via: Via) -> Outcome {
        if self.verdict == Verdict::Denied { self } else { self.joined(via) }
    }

    /// What the world outside is told.
    pub fn answer(self) -> OracleAnswer {
        let Outcome { verdict, stage, via, rule, codes, stages, vias, refused: _ } = self;
        OracleAnswer { verdict, stage, via, rule, codes, stages, vias }
    }

    /// The same with a remark, unless nothing gets through.
    pub fn noted(mut self, code: &'static str) -> Outcome {
        if self.verdict != Verdict::Denied {
            self.codes.insert(code);
        }
        self
    }

    pub fn with_stages_of(mut self, all: &[Outcome]) -> Outcome {
        for outcome in all.iter().filter(|o| o.verdict != Verdict::Allowed) {
            self.stages.extend(&outcome.stages);
        }
        for outcome in all {
            self.refused.extend(&outcome.refused);
        }
        for outcome in all.iter().filter(|o| o.verdict != Verdict::Denied) {
            self.vias.extend(&outcome.vias);
        }
        self
    }
}

/// One check on the way: refused, passed, or passed with a doubt.
pub fn check(tri: Tri, stage: Stage, rule: &str, code: &'static str, rest: impl FnOnce() -> Outcome) -> Outcome {
    match tri {
        Tri::No => Outcome::denied(stage, rule),
        Tri::Yes => rest(),
        Tri::Maybe => rest().doubted(stage, rule, code),
    }
}

/// The sender chooses: one way that works is enough. Where none does, the one that got furthest tells why.
pub fn any_of(all: Vec<Outcome>) -> Outcome {
    let best = |verdict| all.iter().find(|o| o.verdict == verdict).cloned();
    let furthest = || all.iter().rev().max_by_key(|o| o.stage).cloned();
    match best(Verdict::Allowed).or_else(|| best(Verdict::Unproven)).or_else(furthest) {
        Some(best) => best.with_stages_of(&all),
        None => Outcome::denied(Stage::Route, "no-endpoint"),
    }
}

/// One of these is true and nobody knows which: all must agree.
pub fn all_of(all: Vec<Outcome>) -> Outcome {
    let count = |verdict| all.iter().filter(|o| o.verdict == verdict).count();
    let worst = |verdict| all.iter().find(|o| o.verdict == verdict).cloned();
    let answer = if count(Verdict::Denied) == all.len() {
        worst(Verdict::Denied)
    } else {
        worst(Verdict::Unproven)
            .or_else(|| worst(Verdict::Denied).map(|o| Outcome { verdict: Verdict::Unproven, codes: BTreeSet::from(["some"]), ..o }))
            .or_else(|| worst(Verdict::Allowed))
    };
    match answer {
        Some(answer) => answer.with_stages_of(&all),
        None => Outcome::denied(Stage::Route, "no-endpoint"),
    }
}

/// Azure chooses among candidates (CNV-05): two or more are never certain, not even where they agree.
pub fn one_of(all: Vec<Outcome>, stage: Stage, code: &'static str) -> Outcome {
    if all.len() < 2 {
        return any_of(all);
    }
    let allowed_via = all.iter().find(|o| o.verdict != Verdict::Denied).and_then(|o| o.via);
    if all.iter().all(|o| o.verdict == Verdict::Denied) {
        return all_of(all);
    }
    let rule = all[0].rule.clone();
    let mut outcome = Outcome::unproven(stage, rule, code).with_stages_of(&all);
    outcome.codes.extend(all.iter().flat_map(|o| o.codes.iter()));
    outcome.via = allowed_via;
    outcome
}
