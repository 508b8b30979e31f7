//! Recorded estates, where they lie beside the repository, and facts that are read back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;
use watertight::facts::catalog::Fact;
use watertight::facts::estate::Estate;
use watertight::facts::store;
use watertight::ingest::{self, Input, Loaded};
use watertight::model::Sym;

use crate::ingest::{codes, lines, shared};

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn load(path: &Path) -> Loaded {
    let (inputs, mut diagnostics) = ingest::collect(&[path.to_owned()], &mut std::io::empty());
    let mut loaded = ingest::read(inputs);
    diagnostics.append(&mut loaded.diagnostics);
    loaded.diagnostics = diagnostics;
    loaded
}

/// The ids that a document names as resources, found in the dumbest way: every object with an id of a resource and `properties`, at the top, in
/// `value` and `data`, and in the lists that hold children.
fn plain_ids(value: &Value, found: &mut BTreeSet<Sym>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| plain_ids(item, found)),
        Value::Object(map) => {
            let id = ["id", "ResourceId", "Id"].iter().find_map(|key| map.get(*key).and_then(Value::as_str));
            match id.filter(|id| id.to_lowercase().trim_start_matches('/').starts_with("subscriptions/")) {
                Some(id) => {
                    found.insert(watertight::model::ids::normal_id(id));
                    if let Some(Value::Array(children)) = map.get("resources").filter(|_| map.contains_key("ResourceId")) {
                        children.iter().for_each(|child| plain_ids(child, found));
                    }
                }
                None => {
                    for key in ["value", "data", "response", "responses", "body", "200", "201"] {
                        map.get(key).into_iter().for_each(|value| plain_ids(value, found));
                    }
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_recorded_scenario_loads_without_loss() {
    let Some(path) = shared("data/deployed-state") else { return };
    let folders = folders(&path);
    assert!(folders.len() > 300);
    for folder in folders {
        let loaded = load(&folder);
        let known: BTreeSet<Sym> = loaded.resources.iter().map(|r| r.id).collect();
        let mut expected = BTreeSet::new();
        let (inputs, _) = ingest::collect(std::slice::from_ref(&folder), &mut std::io::empty());
        for input in inputs {
            let text = String::from_utf8(input.bytes).unwrap();
            plain_ids(&serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap(), &mut expected);
        }
        let lost: Vec<&Sym> = expected.difference(&known).collect();
        assert!(lost.is_empty(), "{}: {lost:?}", folder.display());
        assert!(!codes(&loaded.diagnostics).contains(&"ingest::broken_json"), "{}", folder.display());
        let resources = loaded.resources.len();
        let (estate, _) = Estate::from_loaded(loaded);
        let counts = estate.counts();
        assert_eq!(counts.resources, resources);
        assert_eq!(counts.understood + counts.with_gaps + counts.inert, resources, "{}", folder.display());
        let rows = estate.facts().filter(|fact| matches!(fact, Fact::Resource(_))).count();
        assert_eq!(rows, resources, "{}: each resource has one row", folder.display());
    }
}

#[test]
fn rest_and_command_line_output_say_the_same() {
    let Some(path) = shared("data/deployed-state") else { return };
    let mut compared = 0;
    for folder in folders(&path) {
        let (state, cli): (Vec<Input>, Vec<Input>) = ingest::collect(std::slice::from_ref(&folder), &mut std::io::empty())
            .0
            .into_iter()
            .partition(|input| input.name.ends_with("/state.json"));
        let cli: Vec<Input> =
            cli.into_iter().filter(|input| input.name.rsplit('/').next().is_some_and(|name| name.starts_with("cli-"))).collect();
        if state.is_empty() || cli.is_empty() {
            continue;
        }
        let rest = ingest::read(state);
        for input in cli {
            let name = input.name.clone();
            for resource in ingest::read(vec![input]).resources {
                let Some(other) = rest.resources.iter().find(|other| other.id == resource.id && other.embedded == resource.embedded) else {
                    continue;
                };
                let facts = |resource| lines(watertight::facts::extract::extract(resource).facts);
                let (left, right) = (facts(other), facts(&resource));
                let differing: Vec<_> = left
                    .symmetric_difference(&right)
                    .filter(|line| !line.starts_with("resource "))
                    // Some lists of the command line tool leave a list of children out, or the configuration of apps.
                    .filter(|line| !(["child_type ", "app_routes_all "].iter().any(|name| line.starts_with(name)) && left.contains(*line)))
                    .collect();
                assert!(differing.is_empty(), "{name}: {}\n{differing:#?}", resource.id);
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn facts_come_back_from_a_folder() {
    let Some(path) = shared("vectors") else { return };
    for folder in folders(&path).into_iter().step_by(9) {
        let loaded = load(&folder.join("estate.json"));
        let (estate, _) = Estate::from_loaded(loaded);
        let target = tempfile::tempdir().unwrap();
        store::write_folder(target.path(), estate.facts(), estate.origins()).unwrap();
        let again = load(target.path());
        assert!(again.diagnostics.is_empty(), "{:?}", again.diagnostics);
        assert!(again.resources.is_empty());
        let (back, _) = Estate::from_loaded(again);
        assert_eq!(lines(back.facts()), lines(estate.facts()));
        for (id, source) in estate.origins() {
            assert_eq!(back.origin(id), Some(source), "{id}");
        }
        assert_eq!(back.counts(), estate.counts());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_survives_a_facts_file(cells in proptest::collection::vec(".*", 3)) {
        let fact = Fact::from(watertight::facts::gap::Tag { resource: Sym::new(&format!("/{}", cells[0])), key: Sym::new(&cells[1]), value: Sym::new(&cells[2]) });
        let target = tempfile::tempdir().unwrap();
        store::write_folder(target.path(), [fact], []).unwrap();
        let loaded = load(target.path());
        prop_assert_eq!(loaded.facts, vec![fact]);
    }
}
