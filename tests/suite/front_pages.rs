//! What a newcomer reads first holds: commands, links, rule ids, and the example estate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("a folder of the repository can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no .{ending}");
    found
}

#[test]
fn the_readme_begins_with_a_verification_and_the_tests() {
    let readme = read("README.md");
    let mut fenced = false;
    let mut commands = Vec::new();
    for line in readme.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced && line.starts_with("cargo ") {
            commands.push(line);
        }
    }
    assert_eq!(&commands[..2], ["cargo run --release -- verify facts/examples/contoso", "cargo test"]);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages: Vec<PathBuf> = files(".", "md");
    pages.extend(files("docs", "md"));
    pages.extend(files("docs/semantics", "md"));
    for page in pages {
        let text = read(&page);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().expect("split gives at least one part");
            if target.starts_with("http") || path.is_empty() {
                continue;
            }
            let folder = page.parent().expect("a page lies in a folder");
            assert!(folder.join(path).exists(), "{}: `{target}` leads nowhere", page.display());
        }
    }
}

#[test]
fn every_rule_is_stated_once() {
    let mut stated: BTreeMap<String, PathBuf> = BTreeMap::new();
    for page in files("docs/semantics", "md") {
        for line in read(&page).lines() {
            let Some(id) = line.strip_prefix("- **").and_then(|rest| rest.split("**").next()) else { continue };
            let (area, number) = id.split_once('-').unwrap_or_else(|| panic!("`{id}` is no rule id"));
            assert!(area.chars().all(|c| c.is_ascii_uppercase()) && number.len() == 2, "`{id}` is no rule id");
            if let Some(first) = stated.insert(id.to_owned(), page.clone()) {
                panic!("{id} stands in {} and {}", first.display(), page.display());
            }
        }
    }
    assert!(stated.len() > 200);
}

/// The resources of one example file, whatever its form.
fn resources(path: &Path) -> Vec<Value> {
    let document: Value = serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows = ["data", "value"].into_iter().find_map(|key| document.get(key)).unwrap_or(&document);
    rows.as_array().unwrap_or_else(|| panic!("{} holds no list", path.display())).clone()
}

fn id(resource: &Value) -> String {
    resource["id"].as_str().expect("a resource has an id").to_lowercase()
}

fn example() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for path in files("facts/examples/contoso", "json") {
        for resource in resources(&path) {
            assert!(all.insert(id(&resource), resource).is_none(), "{} repeats a resource", path.display());
        }
    }
    all
}

#[test]
fn the_example_refers_to_nothing_that_it_lacks() {
    fn walk(value: &Value, own: &mut BTreeSet<String>, named: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(id) = map.get("id").and_then(Value::as_str) {
                    if map.contains_key("name") {
                        own.insert(id.to_lowercase())
                    } else {
                        named.insert(id.to_lowercase())
                    };
                }
                map.values().for_each(|value| walk(value, own, named));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, own, named)),
            _ => {}
        }
    }
    let (mut own, mut named) = (BTreeSet::new(), BTreeSet::new());
    example().values().for_each(|resource| walk(resource, &mut own, &mut named));
    assert_eq!(named.difference(&own).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn the_changes_are_about_resources_of_the_example() {
    let example = example();
    for path in files("facts/examples/changes", "json") {
        for resource in resources(&path) {
            assert!(example.contains_key(&id(&resource)), "{}: {}", path.display(), id(&resource));
        }
    }
    let [changed] = &resources(Path::new("facts/examples/changes/nsg-rule.json"))[..] else { panic!("one group changes") };
    let rules = |group: &Value| group["properties"]["securityRules"].as_array().expect("a group has rules").clone();
    let (before, after) = (rules(&example[&id(changed)]), rules(changed));
    let different: Vec<&Value> = after.iter().filter(|rule| !before.contains(rule)).collect();
    assert_eq!(different.len(), 1);
    assert_eq!(different[0]["name"], "allow-storage");
}
