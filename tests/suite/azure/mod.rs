//! What Azure itself answered, recorded by the tests of its command line tools and libraries, against what we answer:
//! `docs/azure-differences.md`, rewritten with `UPDATE=1` where the recordings are there.

mod differences;
mod questions;
mod recording;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use differences::{ASKED, CAUSES, Cause, EXPLAINED};
use questions::{Answers, answers};
use recording::probes;

const PAGE: &str = "docs/azure-differences.md";

fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)
}

fn cause(scenario: &str, number: usize) -> Option<Cause> {
    EXPLAINED.iter().find(|(listed, at, _)| (*listed, *at) == (scenario, number)).map(|(.., cause)| *cause)
}

/// `az-watcher-vm-2021-05-26-78a135`, 4 is `Azure CLI, watcher-vm 2021-05-26 #4`.
fn title(scenario: &str, number: usize) -> String {
    let tools = [
        ("az-", "Azure CLI"),
        ("fluent-net-", "management library for .NET"),
        ("sdk-net-", "SDK for .NET"),
        ("xplat-", "cross-platform CLI"),
    ];
    let (prefix, tool) = tools.iter().find(|(prefix, _)| scenario.starts_with(prefix)).expect("a recording of a known tool");
    let name = &scenario[prefix.len()..];
    // What a date is followed by tells two recordings of one day apart; there are none.
    let dated = name.rsplit_once('-').filter(|(rest, hash)| hash.len() == 6 && rest.chars().last().is_some_and(|c| c.is_ascii_digit()));
    format!("{tool}, {} #{number}", dated.map_or(name, |(rest, _)| rest))
}

/// An answer as a cell: the beginning of a long one.
fn cell(words: &str) -> String {
    const SHOWN: usize = 240;
    let all = words.chars().count();
    let shown: String = words.chars().take(SHOWN).collect();
    let rest = if all > SHOWN { format!("… ({} more characters)", all - SHOWN) } else { String::new() };
    format!("{}{rest}", shown.replace('|', "\\|"))
}

/// What was compared and what came of it.
#[derive(Default)]
struct Tally {
    /// By operation: compared, equal.
    compared: BTreeMap<String, (usize, usize)>,
    /// By reason: how often a question cannot be put to us.
    left: BTreeMap<&'static str, usize>,
    /// By cause: rows of the page.
    rows: BTreeMap<Cause, Vec<String>>,
}

impl Tally {
    fn page(&self) -> String {
        let mut page = String::from(
            "# Azure's own answers and ours\n\nWritten by `UPDATE=1 cargo test --test suite azure`, which fails where an answer differs that is not explained here, or where one that is does \
             not differ any more.\n\nThe tests of Azure's command line tools and libraries record what Azure answers. Those recordings that hold the configuration of the moment as well were \
             put to `watertight`: IP flow verify and connectivity checks to `explain`, next hops and effective routes to `effective routes`, effective rules, security group views \
             and configuration diagnostics to `effective rules`. Rules are compared field by field, and what their tags stand for wherever Azure tells. Resources that a recording \
             never read are taken from the deployment that made them.\n\n| question | asked | equal | explained | open |\n|---|---|---|---|---|\n",
        );
        let mut row = |name: &str, asked: usize, equal: usize| {
            page.push_str(&format!("| {name} | {asked} | {equal} | {} | 0 |\n", asked - equal));
        };
        for (operation, (asked, equal)) in &self.compared {
            row(operation, *asked, *equal);
        }
        let sum = |pick: fn(&(usize, usize)) -> usize| self.compared.values().map(pick).sum::<usize>();
        row("all", sum(|both| both.0), sum(|both| both.1));
        page.push_str("\nNot asked:\n\n");
        for (reason, many) in &self.left {
            page.push_str(&format!("- {many}: {reason}\n"));
        }
        for (cause, title, why) in CAUSES {
            let rows = &self.rows[cause];
            page.push_str(&format!(
                "\n## {title}\n\n{why}\n\n| recording | question | Azure | ours |\n|---|---|---|---|\n{}",
                rows.concat()
            ));
        }
        page
    }
}

#[test]
fn every_difference_from_azure_is_explained() {
    let Some(probes) = probes() else { return };
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    for probe in &probes {
        let listed = cause(&probe.scenario, probe.number);
        let Answers { question, azure, ours } = match answers(probe) {
            Ok(answers) => answers,
            Err(reason) => {
                *tally.left.entry(reason).or_default() += 1;
                assert!(listed.is_none(), "{} {} is not asked", probe.scenario, probe.number);
                continue;
            }
        };
        let (asked, equal) = tally.compared.entry(probe.operation.clone()).or_default();
        *asked += 1;
        let here = format!("{} {} {question}", probe.scenario, probe.number);
        match listed {
            None if azure == ours => *equal += 1,
            None => wrong.push(format!("{here}\n  azure  {azure}\n  ours   {ours}")),
            Some(_) if azure == ours => wrong.push(format!("{here}: equal, though a difference is listed: {azure}")),
            Some(cause) => {
                let row = format!("| {} | {question} | {} | {} |\n", title(&probe.scenario, probe.number), cell(&azure), cell(&ours));
                tally.rows.entry(cause).or_default().push(row);
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
    let asked: Vec<(&str, usize)> = tally.compared.iter().map(|(operation, (asked, _))| (operation.as_str(), *asked)).collect();
    assert_eq!(asked, ASKED);
    let explained: usize = tally.rows.values().map(Vec::len).sum();
    assert_eq!(explained, EXPLAINED.len(), "a listed difference belongs to no recording");
    let page = tally.page();
    if std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty()) {
        std::fs::write(page_path(), &page).expect("the page can be written");
    }
    let found = std::fs::read_to_string(page_path()).unwrap_or_default();
    assert!(found == page, "{PAGE} is not what the comparison says: run `UPDATE=1 cargo test --test suite azure`");
}

/// Where the recordings are not there, the page and the list still agree.
#[test]
fn the_page_of_differences_names_what_is_listed() {
    let page = std::fs::read_to_string(page_path()).expect("the page is there");
    let rows: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).filter(|cell| cell.contains(" #")).collect();
    let listed: BTreeSet<String> = EXPLAINED.iter().map(|(scenario, number, _)| title(scenario, *number)).collect();
    assert_eq!(rows, listed.iter().map(String::as_str).collect());
    assert_eq!(listed.len(), EXPLAINED.len(), "a difference is listed twice");
    let asked: usize = ASKED.iter().map(|(_, asked)| asked).sum();
    let total = format!("| all | {asked} | {} | {} | 0 |", asked - EXPLAINED.len(), EXPLAINED.len());
    assert!(page.contains(&total), "{total}");
    assert!(
        CAUSES
            .iter()
            .all(|(cause, title, _)| page.contains(&format!("\n## {title}\n")) && EXPLAINED.iter().any(|(.., used)| used == cause))
    );
}
