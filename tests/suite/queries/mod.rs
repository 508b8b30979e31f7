//! The query language: its messages, its evaluation, the shipped checks and the snapshots of what they find.

mod derived;
mod evaluation;
mod limits;
mod lint_cases;
mod lints;
mod messages;
mod report;
mod shipped;
mod snapshots;

use std::collections::BTreeMap;
use std::path::PathBuf;

use watertight::query::relations::{Table, catalog};
use watertight::query::verify::Check;
use watertight::query::{DEFAULT_BUDGET, Declaration, Program, Relations, Type, Value, evaluate, library, verify};
use watertight::syntax::ast::Term;
use watertight::syntax::{Source, parse};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every declared relation: facts and derived ones.
fn estate() -> Vec<Declaration> {
    catalog().into_iter().chain(library::derived()).collect()
}

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), text: text.to_owned() }
}

/// Relations whose rows a test writes as facts.
struct World(BTreeMap<String, Table>);

impl World {
    fn new(text: &str) -> World {
        let (tree, errors) = parse(&source("world", text), 0);
        assert!(errors.is_empty(), "{}", errors[0].render(&[source("world", text)]));
        let estate = estate();
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for fact in tree.rules {
            let name = &fact.head.name.text;
            let declaration = estate.iter().find(|declaration| declaration.name == *name).unwrap_or_else(|| panic!("no relation {name}"));
            assert_eq!(declaration.columns.len(), fact.head.terms.len(), "columns of {name}");
            let cell = |(term, (_, kind)): (&Term, &(String, Type))| match term {
                Term::Constant(constant, _) => kind.constant(constant).unwrap_or_else(|| panic!("{name}: {constant:?} is no {kind}")),
                other => panic!("{name}: {other:?} is no constant"),
            };
            let row = fact.head.terms.iter().zip(&declaration.columns).map(cell).collect();
            tables.entry(name.clone()).or_default().insert(row);
        }
        World(tables)
    }
}

impl Relations for World {
    fn declarations(&self) -> Vec<Declaration> {
        estate()
    }
    fn rows(&self, relation: &str, bound: &[Option<Value>]) -> Result<Vec<Vec<Value>>, String> {
        Ok(self.0.get(relation).map(|table| table.clone().matching(bound)).unwrap_or_default())
    }
}

/// What `text` derives for the first relation it declares, over `world`, a row a line.
fn rows(text: &str, world: &str) -> Vec<String> {
    let sources = [source("test.dl", text)];
    let program = Program::compile(&sources, &estate()).unwrap_or_else(|errors| panic!("{}", errors[0].render(&sources)));
    let answers = evaluate(&program, &World::new(world), DEFAULT_BUDGET).unwrap_or_else(|error| panic!("{}", error.render(&sources)));
    let line = |row: &Vec<Value>| row.iter().map(Value::to_string).collect::<Vec<_>>().join(" ");
    answers.rows(0).iter().map(line).collect()
}

/// The first message of a program that must not compile.
fn refused(text: &str) -> String {
    let sources = [source("test.dl", text)];
    match Program::compile(&sources, &estate()) {
        Ok(_) => panic!("this compiles: {text}"),
        Err(errors) => errors[0].render(&sources),
    }
}

/// The shipped checks, compiled.
fn checks() -> Vec<Check> {
    verify::shipped(&estate()).unwrap_or_else(|errors| panic!("{}", errors[0].render()))
}

/// Two networks with a subnet each.
const NETWORK: &str = r#"
    vnet("hub", "westeurope"). vnet("spoke", "westeurope").
    subnet("web", "hub", "web"). subnet("db", "spoke", "db").
    subnet_prefix("web", 10.0.1.0/24). subnet_prefix("db", 10.1.0.0/16).
    subnet_nsg("web", "g").
    vnet_dns("hub", 0, 10.1.0.4).
    vnet_dns("hub", 1, 8.8.8.8).
"#;
