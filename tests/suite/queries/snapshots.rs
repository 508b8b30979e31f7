//! A person's own folder of checks, and what they have approved.

use std::fs;

use watertight::query::shipped::CHECKS;
use watertight::query::verify::run;
use watertight::query::{DEFAULT_BUDGET, snapshot, verify};

use super::{NETWORK, World, checks, estate};

#[test]
fn a_folder_of_checks_has_helpers_and_unique_ids() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("lib")).unwrap();
    fs::create_dir_all(dir.path().join("ours")).unwrap();
    fs::write(dir.path().join("lib/web.dl"), ".decl web(s: symbol)\nweb(S) :- subnet(S, _, \"web\").").unwrap();
    let check = ".violation no_web severity=low title=\"No web\" \"`{s}`\"\n.decl no_web(s: symbol)\nno_web(S) :- web(S).";
    fs::write(dir.path().join("ours/no_web.dl"), check).unwrap();
    let all = verify::checks(Some(dir.path()), &estate()).unwrap();
    assert_eq!(all.len(), CHECKS.len() + 1);
    let report = run(&all, &World::new(NETWORK), DEFAULT_BUDGET);
    assert_eq!(report.checks.iter().find(|check| check.id == "no_web").unwrap().findings[0].message, "`web`");

    fs::write(dir.path().join("no_web.dl"), check).unwrap();
    let twice = verify::checks(Some(dir.path()), &estate()).unwrap_err();
    assert!(twice.contains("`no_web` is already a check"), "{twice}");
    assert!(verify::checks(Some(&dir.path().join("missing")), &estate()).unwrap_err().contains("cannot read the folder"));
}

#[test]
fn what_moves_is_shown_until_it_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("new/snapshots");
    let checks = checks();
    let before = run(&checks, &World::new(NETWORK), DEFAULT_BUDGET);

    // Nothing is approved yet: every check and every finding is new.
    let first = snapshot::compare(&dir, &before).unwrap();
    assert!(first.unapproved());
    assert!(first.moves.iter().any(|row| row.added && row.line == "proven\tsubnet=db"));
    snapshot::write_pending(&dir, &first).unwrap();
    assert_eq!(fs::read_to_string(dir.join("subnet_without_nsg.snap.new")).unwrap(), "# subnet_without_nsg medium\nproven\tsubnet=db\n");
    assert_eq!(snapshot::accept(&dir).unwrap().len(), checks.len());
    assert!(!snapshot::compare(&dir, &before).unwrap().unapproved());
    assert_eq!(snapshot::accept(&dir).unwrap(), [] as [&str; 0]);

    // One finding goes, another comes, and one check is dropped.
    let world = NETWORK.replace("subnet_nsg(\"web\"", "subnet_nsg(\"db\"");
    let mut after = run(&checks, &World::new(&world), DEFAULT_BUDGET);
    after.checks.retain(|check| check.id != "connection_refused");
    let moved = snapshot::compare(&dir, &after).unwrap();
    let lines: Vec<String> = moved.moves.iter().map(|row| format!("{} {} {}", row.check, row.sign(), row.line)).collect();
    assert_eq!(
        lines,
        [
            "connection_refused - # connection_refused high",
            "subnet_without_nsg - proven\tsubnet=db",
            "subnet_without_nsg + proven\tsubnet=web",
        ]
    );
    assert!(moved.to_text().contains("+ proven  subnet=web\n"), "{}", moved.to_text());
    snapshot::write_pending(&dir, &moved).unwrap();

    // Back to what is approved: nothing is pending any more.
    snapshot::write_pending(&dir, &snapshot::compare(&dir, &before).unwrap()).unwrap();
    assert!(fs::read_dir(&dir).unwrap().all(|entry| !entry.unwrap().path().to_str().unwrap().ends_with(".new")));

    snapshot::write_pending(&dir, &moved).unwrap();
    assert_eq!(snapshot::accept(&dir).unwrap(), ["connection_refused", "subnet_without_nsg"]);
    assert!(!dir.join("connection_refused.snap").exists());
    assert!(!snapshot::compare(&dir, &after).unwrap().unapproved());
    assert!(snapshot::accept(&dir.join("missing")).is_err());
}

#[test]
fn names_cannot_break_the_lines_of_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let world = "inside(\"a\\nproven\\tb\\\\\"). exposed(\"a\\nproven\\tb\\\\\", \"blob\", \"internet\", \"proven\").";
    let report = run(&checks(), &World::new(world), DEFAULT_BUDGET);
    let comparison = snapshot::compare(dir.path(), &report).unwrap();
    assert!(comparison.moves.iter().any(|row| row.line == "proven\tstore=a\\nproven\\tb\\\\\tpart=blob"), "{:?}", comparison.moves);
    snapshot::write_pending(dir.path(), &comparison).unwrap();
    snapshot::accept(dir.path()).unwrap();
    assert!(!snapshot::compare(dir.path(), &report).unwrap().unapproved());
}
