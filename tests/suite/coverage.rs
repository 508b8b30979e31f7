//! Which rule of the specification is held by which test: `docs/coverage.md`, rewritten with `UPDATE=1`.
//!
//! A test names its rules in a line `covers: RTE-09, NSG-01`: in a scenario's prose, or in a comment of a Rust file under `tests/` or `src/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const RULE_IDS: &str = include_str!("rule_ids.txt");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, endings, found);
        } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)) {
            found.push(path);
        }
    }
}

/// Rule id to the files that name it.
fn covered() -> BTreeMap<String, BTreeSet<String>> {
    let mut paths = Vec::new();
    files(&root().join("tests"), &["md", "rs"], &mut paths);
    files(&root().join("src"), &["rs"], &mut paths);
    let mut covered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in paths.iter().filter(|p| !p.ends_with("coverage.rs") && !p.ends_with("scenario_format.rs")) {
        let name = path.strip_prefix(root()).unwrap_or(path).display().to_string();
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            let line = line.trim_start().trim_start_matches('/').trim_start();
            let Some(ids) = line.strip_prefix("covers: ") else { continue };
            for id in ids.split(',').map(|id| id.trim().trim_end_matches('.')) {
                covered.entry(id.to_owned()).or_default().insert(name.clone());
            }
        }
    }
    covered
}

fn known() -> BTreeSet<&'static str> {
    RULE_IDS.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect()
}

#[test]
fn every_id_a_test_names_is_a_rule() {
    let known = known();
    let wrong: Vec<String> =
        covered().into_iter().filter(|(id, _)| !known.contains(id.as_str())).map(|(id, f)| format!("{id}: {f:?}")).collect();
    assert!(wrong.is_empty(), "not in tests/suite/rule_ids.txt:\n{}", wrong.join("\n"));
}

#[test]
fn the_coverage_page_is_fresh() {
    let covered = covered();
    let mut page = String::from("# Rules and the tests that hold them\n\n");
    page.push_str(
        "Written by `UPDATE=1 cargo test`; the ids are those of the rule books, each stands beside the code that implements it.\n\n",
    );
    page.push_str("| rule | tests |\n|---|---|\n");
    let mut without = Vec::new();
    for id in RULE_IDS.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        match covered.get(id) {
            Some(files) => {
                let links: Vec<String> = files
                    .iter()
                    .map(|f| {
                        let name = f.rsplit('/').next().unwrap_or(f).trim_end_matches(".md").replace('-', " ");
                        format!("[{name}](../{f})")
                    })
                    .collect();
                page.push_str(&format!("| {id} | {} |\n", links.join("<br>")));
            }
            None => without.push(id),
        }
    }
    page.push_str(&format!("\n## Rules without a test of their own\n\n{}\n", without.join(", ")));
    let path = root().join("docs/coverage.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(root().join("docs")).expect("the folder of the documentation can be made");
        fs::write(&path, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/coverage.md is not fresh: run `UPDATE=1 cargo test --test suite coverage`");
}
