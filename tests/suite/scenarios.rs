//! Runs every scenario under `tests/scenarios/` on every evaluator: from nothing, in reverse order, and with every fact removed and put back.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use watertight::facts::Fact;

use crate::evaluators::{Evaluator, all};
use crate::scenario_format::{Claim, Expected, Scenario, parse, states};

/// Every scenario file, sorted.
pub fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder of the scenarios can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

pub fn read(path: &Path) -> Scenario {
    let text = fs::read_to_string(path).expect("a scenario can be read");
    parse(&text).unwrap_or_else(|message| panic!("{}: {message}", path.display()))
}

#[test]
fn every_scenario_holds_on_every_evaluator() {
    let mut wrong = Vec::new();
    let mut evaluators = all();
    for path in files() {
        let scenario = read(&path);
        assert!(scenario.steps.iter().any(|s| !s.expected.is_empty()), "{} expects nothing", path.display());
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&path).display().to_string();
        for evaluator in &mut evaluators {
            run(evaluator.as_mut(), &scenario, &name, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} expectations fail:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_removal_of_a_scenario_removes_something() {
    for path in files() {
        let scenario = read(&path);
        let mut facts: BTreeSet<Fact> = BTreeSet::new();
        for step in &scenario.steps {
            for fact in &step.removed {
                assert!(facts.remove(fact), "{}: {fact:?} is not there to be removed", path.display());
            }
            facts.extend(step.added.iter().copied());
        }
    }
}

fn run(evaluator: &mut dyn Evaluator, scenario: &Scenario, name: &str, wrong: &mut Vec<String>) {
    let states = states(scenario);
    for (step, facts) in scenario.steps.iter().zip(&states) {
        evaluator.load(facts);
        judge(evaluator, &step.expected, name, "from nothing", wrong);
        let all: Vec<Fact> = facts.iter().copied().collect();
        evaluator.load(&BTreeSet::new());
        for fact in all.iter().rev() {
            evaluator.edit(&[*fact], &[]);
        }
        judge(evaluator, &step.expected, name, "in reverse order", wrong);
        for fact in &all {
            evaluator.edit(&[], &[*fact]);
            evaluator.edit(&[*fact], &[]);
        }
        judge(evaluator, &step.expected, name, "with every fact removed and put back", wrong);
    }
    // The steps as edits, one after the other.
    evaluator.load(&BTreeSet::new());
    for step in &scenario.steps {
        evaluator.edit(&step.added, &step.removed);
        judge(evaluator, &step.expected, name, "step by step", wrong);
    }
}

fn judge(evaluator: &mut dyn Evaluator, expected: &[Expected], name: &str, how: &str, wrong: &mut Vec<String>) {
    for line in expected {
        if let Some(found) = differs(evaluator, &line.claim) {
            wrong.push(format!("{name}:{} ({}, {how})\n  expected  {}\n  found     {found}", line.line, evaluator.name(), line.text));
        }
    }
}

/// What was found instead, where it is not what is claimed.
fn differs(evaluator: &mut dyn Evaluator, claim: &Claim) -> Option<String> {
    match claim {
        Claim::Flow { ask, verdict, stage, via, rule, codes } => {
            let said = evaluator.answer(ask)?;
            let found_via = said.via.map_or("-", |v| v.as_str());
            let same = said.verdict.as_str() == verdict
                && stage.as_ref().is_none_or(|s| s == said.stage.as_str())
                && via.as_ref().is_none_or(|v| v == found_via)
                && rule.as_ref().is_none_or(|r| *r == said.rule)
                && codes.iter().all(|c| said.codes.contains(c));
            (!same).then(|| {
                let (verdict, stage) = (said.verdict.as_str(), said.stage.as_str());
                format!("{verdict} at {stage} via {found_via} by \"{}\" because {}", said.rule, said.codes.join(","))
            })
        }
        Claim::Copy { from, to, driver, verdict, stage } => {
            let said = evaluator.copy(*from, *to, *driver)?;
            let same = said.0.as_str() == verdict && stage.as_ref().is_none_or(|s| s == said.1.as_str());
            (!same).then(|| format!("{} at {}", said.0.as_str(), said.1.as_str()))
        }
        Claim::Leak { from, to, certainty, hops } => {
            let leaks = evaluator.leaks()?;
            let found = leaks.iter().find(|l| l.from == *from && l.to == *to);
            let word = match found {
                None => "no leak",
                Some(l) if l.proven => "leaks",
                Some(_) => "may leak",
            };
            let length = found.map(|l| l.length);
            let same = word == certainty && (hops.is_none() || *hops == length);
            (!same).then(|| format!("{word} in {length:?} hops"))
        }
    }
}
