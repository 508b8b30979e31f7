//! The clauses in the comments of the sources: what they name exists, with as many columns.
//!
//! A clause is the specification of the function below it. It may name relations of the catalog, of `queries/lib/derived.dl`, functions of the query
//! language, and what some other clause defines; a `.decl` in a fence says what a question brings along.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use watertight::query::relations::catalog;
use watertight::query::{function, library};
use watertight::syntax::ast::{Atom, Literal};
use watertight::syntax::{Source, parse};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources can be listed").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The text of each fence, with the place of its first line.
fn fences() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    paths.sort();
    let mut fences = Vec::new();
    for path in paths {
        let mut open: Option<(String, String)> = None;
        for (number, line) in fs::read_to_string(&path).expect("a source is text").lines().enumerate() {
            let line = line.trim_start();
            let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
            match (text.trim(), &mut open) {
                ("```datalog", None) => {
                    let shown = path.strip_prefix(&src).unwrap_or(&path).display();
                    open = Some((format!("{shown}:{}", number + 2), String::new()));
                }
                ("```", Some(_)) => fences.extend(open.take()),
                (_, Some((_, fence))) => {
                    fence.push_str(text);
                    fence.push('\n');
                }
                _ => {}
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", path.display());
    }
    fences
}

/// What the clauses of one fence say.
struct Clauses {
    at: String,
    /// Names with their number of columns.
    given: Vec<(String, usize)>,
    heads: Vec<Atom>,
    bodies: Vec<Atom>,
}

fn read((at, text): (String, String)) -> Clauses {
    let source = Source { name: at.clone(), text };
    let (tree, errors) = parse(&source, 0);
    assert!(errors.is_empty(), "{}", errors[0].render(std::slice::from_ref(&source)));
    let given = tree.declarations.into_iter().map(|one| (one.name.text, one.columns.len())).collect();
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    for rule in tree.rules {
        heads.push(rule.head);
        bodies.extend(rule.body.into_iter().filter_map(|literal| if let Literal::Atom { atom, .. } = literal { Some(atom) } else { None }));
    }
    Clauses { at, given, heads, bodies }
}

/// What is wrong with `clauses`: a name with the numbers of columns it may have.
fn wrong(clauses: &[Clauses], known: &BTreeMap<String, BTreeSet<usize>>) -> Vec<String> {
    let mut columns = known.clone();
    let heads = clauses.iter().flat_map(|fence| &fence.heads).map(|head| (head.name.text.clone(), head.terms.len()));
    for (name, count) in clauses.iter().flat_map(|fence| fence.given.clone()).chain(heads) {
        columns.entry(name).or_default().insert(count);
    }
    let mut wrong = Vec::new();
    for fence in clauses {
        for head in &fence.heads {
            // What the catalog declares is given, but a clause may say how a derived relation comes about.
            if let Some(counts) = known.get(&head.name.text)
                && !counts.contains(&head.terms.len())
            {
                wrong.push(format!(
                    "{}: `{}` is declared with {counts:?} columns and defined with {}",
                    fence.at,
                    head.name.text,
                    head.terms.len()
                ));
            }
        }
        for atom in &fence.bodies {
            match columns.get(&atom.name.text) {
                None => wrong.push(format!("{}: there is no `{}`", fence.at, atom.name.text)),
                Some(counts) if !counts.contains(&atom.terms.len()) => {
                    wrong.push(format!("{}: `{}` has {counts:?} columns, not {}", fence.at, atom.name.text, atom.terms.len()));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}

fn declared() -> BTreeMap<String, BTreeSet<usize>> {
    let relations = catalog().into_iter().chain(library::derived()).map(|one| (one.name, one.columns.len()));
    let functions = function::FUNCTIONS.iter().map(|one| (one.name.to_owned(), one.params.len()));
    let mut known: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (name, columns) in relations.chain(functions).chain([("service_tag".to_owned(), 2)]) {
        known.entry(name).or_default().insert(columns);
    }
    known
}

#[test]
fn clauses_name_only_what_exists() {
    let clauses: Vec<Clauses> = fences().into_iter().map(read).collect();
    assert!(clauses.len() > 20, "the fences are found");
    let wrong = wrong(&clauses, &declared());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_clause_that_drifted_is_found() {
    let fence = |text: &str| vec![read(("x.rs:1".to_owned(), text.to_owned()))];
    let said = |text: &str| wrong(&fence(text), &declared());
    assert_eq!(said("near(S) :- subnet(S, V, _), here(V).\nhere(V) :- vnet(V, _)."), [] as [&str; 0]);
    assert_eq!(said("near(S) :- subnets(S, _, _)."), ["x.rs:1: there is no `subnets`"]);
    assert_eq!(said("near(S) :- subnet(S, _)."), ["x.rs:1: `subnet` has {3} columns, not 2"]);
    assert_eq!(said("exposed(S, \"internet\") :- vnet(S, _)."), ["x.rs:1: `exposed` is declared with {4} columns and defined with 2"]);
}
