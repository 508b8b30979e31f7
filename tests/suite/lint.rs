//! `lint` on the example estate: what it finds, in every format, and that it only answers.

use std::path::Path;

use serde_json::Value;

use crate::cli::{Said, watertight};

fn lint(args: &[&str]) -> Said {
    let all: Vec<&str> = ["lint", "facts/examples/contoso"].iter().chain(args).copied().collect();
    watertight(Path::new(env!("CARGO_MANIFEST_DIR")), &all, "")
}

#[test]
fn the_example_has_its_misconfigurations() {
    let said = lint(&[]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    insta::assert_snapshot!("lint_contoso", said.out);
}

#[test]
fn every_finding_of_the_document_has_all_its_fields() {
    let document: Value = serde_json::from_str(&lint(&["--format", "json"]).out).unwrap();
    assert_eq!(document["schema"], "watertight.lint/1");
    assert!(document["gaps"].is_array());
    let findings = document["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        let text = |name: &str| finding[name].as_str().unwrap_or_else(|| panic!("{name} of {finding}"));
        assert!(text("id").starts_with("L-") && text("resource").starts_with("/subscriptions/"), "{finding}");
        assert!(["high", "medium", "low", "info"].contains(&text("severity")), "{finding}");
        assert!(!text("message").is_empty() && text("repair").ends_with('.'), "{finding}");
        assert!(finding["related"].as_array().unwrap().iter().all(|id| id.as_str().unwrap().starts_with('/')), "{finding}");
        assert_eq!(finding["assumptions"].is_array(), text("certainty") == "unproven", "{finding}");
    }
    let lines: Vec<Value> = lint(&["--format", "ndjson"]).out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(&lines, findings);
}

#[test]
fn the_same_estate_gives_the_same_bytes() {
    let one = lint(&["--format", "json", "--workers", "1"]);
    assert_eq!(one.out, lint(&["--format", "json", "--workers", "3"]).out);
}

#[test]
fn what_it_cannot_do_is_exit_code_2() {
    assert_eq!(lint(&["--format", "junit"]).code, 2);
    assert_eq!(watertight(Path::new(env!("CARGO_MANIFEST_DIR")), &["lint", "no-such-file.json"], "").code, 2);
}
