//! What `docs/case-studies.md` quotes is what the commands say, where the recordings are at hand.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::watertight;
use crate::ingest::shared;

/// One section: its file at the origin, and its commands with what is quoted of their output.
struct Case {
    origin: String,
    commands: Vec<(String, Vec<String>)>,
}

fn cases(page: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut console = false;
    for line in page.lines() {
        if let Some(origin) = line.strip_prefix("Origin: ") {
            let file = origin.split('`').find(|word| word.ends_with(".json") || word.ends_with(".yaml")).expect("a file at the origin");
            cases.push(Case { origin: file.to_owned(), commands: Vec::new() });
        } else if line.starts_with("```") {
            console = line == "```console";
        } else if console {
            let commands = &mut cases.last_mut().expect("a case before its commands").commands;
            match line.strip_prefix("$ watertight ") {
                Some(command) => commands.push((command.to_owned(), Vec::new())),
                None => commands.last_mut().expect("a command before its output").1.push(line.to_owned()),
            }
        }
    }
    cases
}

/// Words with one blank between them: columns are as wide as their longest cell, which may be a path.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The folder with the recordings, and that of one of them: the list of origins names both.
fn recording(origin: &str) -> Option<PathBuf> {
    let data = shared("data")?;
    let list = fs::read_to_string(data.join("INDEX.md")).ok()?;
    let row = list.lines().find(|row| row.contains(origin)).unwrap_or_else(|| panic!("no recording of {origin}"));
    let folder = row.trim_start_matches('|').split('|').next().expect("the first column").trim();
    Some(data.join(folder))
}

#[test]
fn the_page_has_five_cases_with_commands_and_reasons() {
    let page = include_str!("../../docs/case-studies.md");
    let cases = cases(page);
    assert_eq!(cases.len(), 5);
    assert_eq!(page.matches("Why a person would agree: ").count(), 5);
    for case in &cases {
        assert!(case.commands.len() > 2, "{}", case.origin);
        for (command, quoted) in &case.commands {
            assert!(command.contains(" estate") && quoted.iter().any(|line| line != "…"), "{command}");
        }
    }
}

#[test]
fn what_the_page_quotes_is_what_the_commands_say() {
    let page = include_str!("../../docs/case-studies.md");
    for case in cases(page) {
        let Some(folder) = recording(&case.origin) else { return };
        let folder = folder.to_str().expect("a path in UTF-8").to_owned();
        for (command, quoted) in case.commands {
            let args: Vec<&str> = command.split(' ').map(|word| if word == "estate" { folder.as_str() } else { word }).collect();
            let said = watertight(Path::new(env!("CARGO_MANIFEST_DIR")), &args, "");
            assert!(said.code < 2, "{command}: {}", said.err);
            let lines: Vec<String> = said.out.lines().map(squeezed).collect();
            let mut rest = lines.iter();
            for line in quoted.iter().filter(|line| *line != "…") {
                let wanted = squeezed(line);
                assert!(rest.any(|line| line.starts_with(&wanted)), "{command}\nis not said, or not there: {wanted}\n{}", said.out);
            }
        }
    }
}
