//! Data flows one way: who may use whom, read from the `use` lines and paths of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Each room and the rooms it may use.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("diag", &["model"]),
    ("syntax", &["model"]),
    ("generate", &["model"]),
    // A folder of facts is an input too, and extraction reads resources: the two share the border between resources and rows.
    ("ingest", &["diag", "facts", "model"]),
    ("facts", &["diag", "ingest", "model"]),
    ("rules", &["facts", "model"]),
    ("explain", &["facts", "model", "rules"]),
    ("engine", &["explain", "facts", "model", "rules"]),
    ("config", &["diag", "explain", "facts", "model"]),
    ("query", &["config", "engine", "explain", "facts", "model", "rules", "syntax"]),
    ("report", &["config", "engine", "explain", "facts", "model", "query"]),
    ("cli", &["config", "diag", "engine", "explain", "facts", "generate", "ingest", "model", "query", "report"]),
];

fn used(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a room is a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            used(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a source file is text");
            for part in text.split("crate::").skip(1) {
                found.insert(part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect());
            }
        }
    }
}

#[test]
fn no_room_uses_one_that_comes_after_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rooms: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    for (room, allowed) in &rooms {
        let mut found = BTreeSet::new();
        used(&src.join(room), &mut found);
        for other in found.iter().filter(|other| rooms.contains_key(other.as_str()) && other.as_str() != *room) {
            assert!(allowed.contains(&other.as_str()), "`{room}` uses `{other}`: data would flow backwards");
        }
    }
}

#[test]
fn every_folder_is_a_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = fs::read_dir(src).expect("the sources").flatten().filter(|entry| entry.path().is_dir());
    for folder in folders {
        let name = folder.file_name().to_string_lossy().into_owned();
        assert!(MAY_USE.iter().any(|(room, _)| *room == name), "`{name}` is not in the table of rooms");
    }
}

#[test]
fn only_the_rules_and_the_workers_know_differential() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in ["explain", "report", "query", "cli", "facts", "ingest", "config", "model", "diag", "syntax", "generate"] {
        let mut text = String::new();
        collect(&src.join(room), &mut text);
        assert!(!text.contains("differential_dataflow::") && !text.contains("timely::"), "`{room}` knows about workers");
    }
}

fn collect(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a room is a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, text);
        } else {
            text.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
