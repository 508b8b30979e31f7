//! What is derived can be asked for: each kind of derived row is there in an estate that shows it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::watertight;

/// A kind of derived row, and a condition that a row of it meets in the example estate.
const KINDS: &[(&str, &str)] = &[
    ("what names resolve to", r#"name_answer(_, _, _, _, "private")"#),
    ("what zones hide", r#"zone_answer(_, _, _, "nxdomain", "proven")"#),
    ("consent", r#"consented(_, _, _, _, "approved", "proven")"#),
    ("ways over endpoints", r#"subnet(F, _, _), store(D, _, _, _), reaches_store(F, D, _, "private-endpoint", "proven")"#),
    ("what service endpoints cover", r#"subnet(N, _, _), store(D, _, _, _), endpoint_covers(N, D, "microsoft.storage", "yes")"#),
    ("ways out", r#"leaks_directly(_, _, "public", "proven")"#),
    ("whom firewalls admit", r#"exposed(_, _, "internet", "proven")"#),
    ("who reaches whom", r#"subnet(F, _, _), subnet(T, _, _), F != T, reaches(F, T, _, "tcp", _, "proven")"#),
    ("where data can end up", r#"leaks(_, _, N, "proven"), N > 1"#),
];

// covers: M-09
#[test]
fn every_kind_of_derived_row_is_asked_for_by_a_query() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = TempDir::new().unwrap();
    let mut text = r#".violation derived severity=info title="A kind of derived row" reference="https://learn.microsoft.com/azure" "{kind}"
        .decl derived(kind: symbol)
    "#
    .to_owned();
    for (kind, condition) in KINDS {
        text.push_str(&format!("derived(\"{kind}\") :- {condition}.\n"));
    }
    fs::write(folder.path().join("derived.dl"), text).unwrap();
    let queries = folder.path().to_str().unwrap();
    let said = watertight(root, &["verify", "facts/examples/contoso", "--queries", queries, "--format", "json"], "");
    assert!(said.code < 2, "{}{}", said.out, said.err);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    let check = answer["checks"].as_array().unwrap().iter().find(|check| check["id"] == "derived").unwrap();
    let found: BTreeSet<&str> = check["findings"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect();
    assert_eq!(found, KINDS.iter().map(|(kind, _)| *kind).collect());
}
