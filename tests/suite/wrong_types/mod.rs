//! Values of the wrong type, one at a time, anywhere in a body: a message that names the place, and no verdict turns into its opposite (SND-02, SND-06).
//!
//! Exports come from other people's tools. What stands where something else was expected may have meant anything, so it is never read as if it were absent: whatever
//! depends on it is unproven.

mod estates;
mod mutate;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use watertight::cli::estate::answer;
use watertight::cli::flows::{Question, Resolver};
use watertight::config::{Config, Names};
use watertight::diag::Diagnostic;
use watertight::explain::way::{End, Flow};
use watertight::explain::world::World;
use watertight::facts::estate::Estate;
use watertight::facts::extract::extract;
use watertight::facts::platform::Platform;
use watertight::facts::{Fact, Index};
use watertight::ingest::{Input, read_as_facts};
use watertight::model::Verdict;

use mutate::{Mutation, mutations};

/// Of so many mutations one is tried.
const STEP: usize = 5;

/// An estate and flows that are asked about.
pub struct Case {
    pub name: String,
    /// What a document lists.
    pub bodies: Vec<Value>,
    /// Lines as `check --flows` takes them.
    pub flows: Vec<String>,
    /// `watertight.toml`, empty where there is none.
    pub stated: String,
    pub platform: &'static Platform,
}

/// A case with its answers, before anything is wrong with it.
struct Known<'a> {
    case: &'a Case,
    facts: BTreeSet<Fact>,
    asked: Vec<(Flow, Option<End>)>,
    verdicts: Vec<Verdict>,
}

fn load(bodies: &[Value]) -> (Estate, Vec<Diagnostic>) {
    let bytes = serde_json::to_vec(bodies).unwrap();
    Estate::from_loaded(read_as_facts(vec![Input { name: "estate.json".to_owned(), bytes }], extract))
}

fn index(case: &Case, estate: &Estate) -> Index {
    let mut index: Index = estate.said().collect();
    if !case.stated.is_empty() {
        let config = Config::parse("watertight.toml", case.stated.clone()).unwrap();
        for fact in config.facts(&index).0 {
            index.insert(fact);
        }
    }
    index
}

fn verdicts(index: &Index, platform: &'static Platform, asked: &[(Flow, Option<End>)]) -> Vec<Verdict> {
    let world = World::new(index, platform);
    asked.iter().map(|(flow, driver)| answer(&world, flow, *driver).map_or(Verdict::Unproven, |said| said.verdict)).collect()
}

impl<'a> Known<'a> {
    fn new(case: &'a Case) -> Known<'a> {
        let (estate, _) = load(&case.bodies);
        let index = index(case, &estate);
        let names = Names::new(&index);
        let mut resolver = Resolver::new(&names, case.platform);
        let mut asked = Vec::new();
        for line in &case.flows {
            let question = Question::read(line.as_bytes());
            let flow = resolver.flow(&question).unwrap_or_else(|why| panic!("{}: {line}: {why}", case.name));
            asked.push((flow, resolver.driver(&question).unwrap()));
        }
        let verdicts = verdicts(&index, case.platform, &asked);
        Known { case, facts: estate.facts().collect(), asked, verdicts }
    }

    /// What is wrong with what is said of the estate with one value in place of another.
    fn fault(&self, mutation: &Mutation) -> Option<String> {
        let bodies = mutation.applied(&self.case.bodies);
        let (estate, said) = load(&bodies);
        let facts: BTreeSet<Fact> = estate.facts().collect();
        // A gap says by itself what is not understood, and a statement is compared as it stands.
        let counts = |fact: &&Fact| !matches!(fact, Fact::Gap(_) | Fact::Property(_));
        let read = self.facts.symmetric_difference(&facts).any(|fact| counts(&fact));
        if facts == self.facts {
            return None; // nothing reads it
        }
        let now = verdicts(&index(self.case, &estate), self.case.platform, &self.asked);
        let flips: Vec<String> = (0..now.len())
            .filter(|at| now[*at] != self.verdicts[*at] && now[*at] != Verdict::Unproven)
            .map(|at| format!("{} was {} and is {}", self.case.flows[at], self.verdicts[at].as_str(), now[at].as_str()))
            .collect();
        if mutation.is_absence() {
            return None;
        }
        let named = said.iter().any(|said| !said.message.is_empty() && mutation.is_near(&said.pointer));
        let mut fault = flips.first().cloned().unwrap_or_default();
        if read && !named {
            fault.push_str(" and no message names the place");
        }
        (!fault.is_empty()).then(|| format!("{}: {mutation}: {fault}", self.case.name))
    }
}

/// Every `step`th mutation, from `from` on.
fn faults(case: &Case, from: usize, step: usize) -> (usize, Vec<String>) {
    let known = Known::new(case);
    let mut tried = 0;
    let mut faults = Vec::new();
    for mutation in mutations(&case.bodies).into_iter().skip(from).step_by(step) {
        tried += 1;
        faults.extend(known.fault(&mutation));
    }
    (tried, faults)
}

/// covers: SND-02
#[test]
fn a_value_of_another_type_turns_no_verdict() {
    let mut all = Vec::new();
    for (n, case) in estates::all().iter().enumerate() {
        let known = Known::new(case);
        for wanted in [Verdict::Allowed, Verdict::Denied] {
            assert!(known.verdicts.contains(&wanted), "{}: {:?}: no flow is {}", case.name, known.verdicts, wanted.as_str());
        }
        assert!(!known.verdicts.contains(&Verdict::Unproven), "{}: {:?}", case.name, known.verdicts);
        let (tried, faults) = faults(case, n, STEP);
        assert!(tried > 30, "{}: {tried}", case.name);
        all.extend(faults);
    }
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

/// The same for all of them, by hand: some minutes.
#[test]
fn every_value_of_another_type() {
    if std::env::var("WATERTIGHT_STEP").is_err() || std::env::var("WATERTIGHT_FOLDERS").is_ok() {
        return;
    }
    let all: Vec<String> = estates::all().iter().flat_map(|case| faults(case, 0, 1).1).collect();
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

/// The estate of a folder with the flows of its `checks.ndjson`.
fn vector(folder: &Path) -> Option<Case> {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let Ok(Value::Array(bodies)) = serde_json::from_str(&text("estate.json")) else { return None };
    let mut flows = Vec::new();
    for line in text("checks.ndjson").lines().filter(|line| !line.trim().is_empty()) {
        let mut check: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        match check.remove("check").unwrap().as_str() {
            Some("flow") => {}
            Some("copy") => drop(check.insert("op".to_owned(), "copy".into())),
            _ => continue,
        }
        for key in ["via", "stage", "profile", "expect", "blockers"] {
            check.remove(key);
        }
        flows.push(Value::Object(check).to_string());
    }
    let tags = std::fs::read(folder.join("service-tags.json"));
    let platform = tags.map_or(Platform::builtin(), |tags| Box::leak(Box::new(Platform::with_service_tags(&tags).unwrap())));
    let name = folder.file_name()?.to_string_lossy().into_owned();
    (!flows.is_empty()).then_some(Case { name, bodies, flows, stated: text("watertight.toml"), platform })
}

/// A bigger sample, by hand: `WATERTIGHT_FOLDERS=DIR WATERTIGHT_STEP=7 cargo test --test suite wrong_types::folders -- --nocapture`.
#[test]
fn folders() {
    let Ok(of) = std::env::var("WATERTIGHT_FOLDERS") else { return };
    let number = |name: &str, usual: usize| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (from, step) = (number("WATERTIGHT_FROM", 0), number("WATERTIGHT_STEP", 1));
    let mut folders: Vec<_> = std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut all = Vec::new();
    for folder in folders {
        let Some(case) = vector(&folder) else { continue };
        let start = std::time::Instant::now();
        let (tried, faults) = faults(&case, from, step);
        println!("{}: {tried} tried, {} faults, {:?}", case.name, faults.len(), start.elapsed());
        for fault in &faults {
            println!("  {fault}");
        }
        all.extend(faults);
    }
    assert!(all.is_empty(), "{} faults", all.len());
}
