//! Everything that answers flows, behind one small trait: the oracle, and whatever is held against it.
//!
//! A new engine is one more line in [`all`]; scenarios and properties then run on it.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use watertight::engine::bounds::Bounds;
use watertight::engine::exfil::Graph;
use watertight::explain::way::{End, Flow, Mode};
use watertight::facts::platform::Platform;
use watertight::facts::{Fact, Index};
use watertight::model::traffic::ANY_PORT;
use watertight::model::{Proto, Set, Stage, Verdict, Via};

use crate::oracle::leak::Leak;
use crate::oracle::world::World;
use crate::oracle::{Ask, answer};

/// What an evaluator says about a flow.
#[derive(Clone, Debug)]
pub struct Said {
    pub verdict: Verdict,
    pub stage: Stage,
    pub via: Option<Via>,
    /// The name of the deciding rule, a prefix, a property.
    pub rule: String,
    pub codes: Vec<String>,
}

/// Something that holds the facts of an estate and answers flows on it.
pub trait Evaluator {
    /// For messages.
    fn name(&self) -> &'static str;
    /// Forgets everything and takes these facts.
    fn load(&mut self, facts: &BTreeSet<Fact>);
    /// Takes a change.
    fn edit(&mut self, added: &[Fact], removed: &[Fact]);
    /// Answers; `None` where it does not answer such flows.
    fn answer(&mut self, ask: &Ask) -> Option<Said>;
    /// The verdict on a copy that `driver` starts, and where it was decided.
    fn copy(&mut self, from: End, to: End, driver: End) -> Option<(Verdict, Stage)>;
    /// All leaks; `None` where it does not look for any.
    fn leaks(&mut self) -> Option<BTreeSet<Leak>> {
        None
    }
}

/// Every evaluator there is. The first is the oracle.
pub fn all() -> Vec<Box<dyn Evaluator>> {
    vec![Box::new(Oracle::default()), Box::new(Point::default())]
}

/// Platform truth for tests: small made-up service tags, the rest as shipped.
pub fn platform() -> &'static Platform {
    static PLATFORM: OnceLock<Platform> = OnceLock::new();
    PLATFORM.get_or_init(|| {
        Platform::with_service_tags(include_bytes!("../scenarios/service-tags.json")).expect("the tags of the scenarios can be read")
    })
}

/// The oracle as an evaluator: it keeps the facts and starts anew each time.
#[derive(Default)]
struct Oracle {
    facts: BTreeSet<Fact>,
}

impl Evaluator for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn load(&mut self, facts: &BTreeSet<Fact>) {
        self.facts = facts.clone();
    }

    fn edit(&mut self, added: &[Fact], removed: &[Fact]) {
        for fact in removed {
            self.facts.remove(fact);
        }
        self.facts.extend(added);
    }

    fn answer(&mut self, ask: &Ask) -> Option<Said> {
        let said = answer(&self.facts, platform(), ask);
        let codes = said.codes.iter().map(|c| (*c).to_owned()).collect();
        Some(Said { verdict: said.verdict, stage: said.stage, via: said.via, rule: said.rule, codes })
    }

    fn copy(&mut self, from: End, to: End, driver: End) -> Option<(Verdict, Stage)> {
        let outcome = World::new(&self.facts, platform()).copied(from, to, driver);
        Some((outcome.verdict, outcome.stage))
    }

    fn leaks(&mut self) -> Option<BTreeSet<Leak>> {
        Some(World::new(&self.facts, platform()).leaks())
    }
}

/// The evaluation of single points, over the mirror of the facts.
#[derive(Default)]
struct Point {
    index: Index,
}

impl Evaluator for Point {
    fn name(&self) -> &'static str {
        "point"
    }

    fn load(&mut self, facts: &BTreeSet<Fact>) {
        self.index = facts.iter().copied().collect();
    }

    fn edit(&mut self, added: &[Fact], removed: &[Fact]) {
        for fact in removed {
            self.index.remove(*fact);
        }
        for fact in added {
            self.index.insert(*fact);
        }
    }

    fn answer(&mut self, ask: &Ask) -> Option<Said> {
        let world = watertight::explain::world::World::new(&self.index, platform());
        let sport = ask.sport.map_or(ANY_PORT, |port| (port, port));
        let flow = Flow {
            from: ask.from,
            to: ask.to,
            traffic: Set::of(ask.proto, (ask.dport, ask.dport), sport),
            mode: ask.mode,
            session: ask.session,
        };
        let said = watertight::explain::point::answer(&world, &flow);
        Some(Said {
            verdict: said.verdict,
            stage: said.reason.stage,
            via: said.via,
            rule: said.reason.rule,
            codes: said.assumptions.into_iter().map(|a| a.code).collect(),
        })
    }

    fn copy(&mut self, from: End, to: End, driver: End) -> Option<(Verdict, Stage)> {
        let world = watertight::explain::world::World::new(&self.index, platform());
        let traffic = Set::of(Proto::Tcp, (443, 443), ANY_PORT);
        let flow = Flow { from, to, traffic, mode: Mode::Configured, session: true };
        let said = watertight::explain::copy::answer(&world, &flow, driver);
        Some((said.verdict, said.reason.stage))
    }

    fn leaks(&mut self) -> Option<BTreeSet<Leak>> {
        let world = watertight::explain::world::World::new(&self.index, platform());
        let paths = watertight::engine::exfil::paths(&world, None, None);
        // The commands search within the bounds of a session: they must find the same.
        let bounds = Bounds::of(self.index.facts(), &Arc::new(platform().clone()), 1).expect("a session");
        let within = Graph::new(&world).bounded_by(bounds.as_ref()).paths(None, None);
        assert!(within == paths, "other ways within the bounds: {within:#?} instead of {paths:#?}");
        let reasonless = paths.iter().find(|path| !path.proven && path.assumptions.is_empty());
        assert!(reasonless.is_none(), "not proven, and nothing says why: {reasonless:#?}");
        Some(paths.into_iter().map(|p| Leak { from: p.from, to: p.to, length: p.hops.len(), proven: p.proven }).collect())
    }
}
