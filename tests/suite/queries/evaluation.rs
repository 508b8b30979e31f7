//! What rules derive.

use std::collections::BTreeSet;

use watertight::facts::{Fact, Index};
use watertight::query::relations::catalog;
use watertight::query::{DEFAULT_BUDGET, Declaration, EstateRelations, FactRelations, Program, Relations, Value, evaluate, function};

use super::{NETWORK, World, estate, rows, source};

#[test]
fn rules_of_one_head_are_united_and_rows_are_sorted_and_come_once() {
    let text = r#".decl named(id: symbol, kind: symbol)
        named(S, "subnet") :- subnet(S, _, _).
        named(V, "vnet") :- vnet(V, _).
        named("web", "subnet").   # again
        "#;
    assert_eq!(rows(text, NETWORK), ["db subnet", "hub vnet", "spoke vnet", "web subnet"]);
}

#[test]
fn negation_means_that_no_row_fits() {
    assert_eq!(rows(".decl bare(s: symbol)\nbare(S) :- !subnet_nsg(S, _), subnet(S, _, _).", NETWORK), ["db"]);
    assert_eq!(rows(".decl bare(s: symbol)\nbare(S) :- subnet(S, V, _), !vnet(V, \"westeurope\").", NETWORK), [] as [&str; 0]);
}

#[test]
fn comparisons_filter_and_equality_gives_values() {
    assert_eq!(rows(".decl later(a: address)\nlater(A) :- vnet_dns(_, N, A), N >= 1, N < 5.", NETWORK), ["8.8.8.8"]);
    assert_eq!(rows(".decl same(a: symbol)\nsame(A) :- X = A, subnet(X, _, N), N = \"web\".", NETWORK), ["web"]);
    assert_eq!(rows(".decl pair(a: symbol, b: symbol)\npair(A, B) :- subnet(A, _, _), subnet(B, _, _), A < B.", NETWORK), ["db web"]);
    assert_eq!(rows(".decl dns(v: symbol)\ndns(V) :- vnet_dns(V, _, A), A = \"8.8.8.8\".", NETWORK), ["hub"]);
}

#[test]
fn a_variable_that_stands_twice_is_one_value() {
    assert_eq!(rows(".decl self(s: symbol)\nself(S) :- subnet(S, _, S).", NETWORK), ["db", "web"]);
}

#[test]
fn networks_are_compared_by_their_addresses() {
    let text = ".decl at(a: address, s: symbol)\nat(A, S) :- vnet_dns(_, _, A), subnet_prefix(S, P), within(A, P).";
    assert_eq!(rows(text, NETWORK), ["10.1.0.4 db"]);
    assert_eq!(rows(".decl in(s: symbol)\nin(S) :- subnet_prefix(S, P), overlaps(P, 10.1.128.0/17).", NETWORK), ["db"]);
    assert_eq!(rows(".decl in(s: symbol)\nin(S) :- subnet_prefix(S, P), !within(P, \"10.0.0.0/15\").", NETWORK), [] as [&str; 0]);
    assert_eq!(rows(".decl six(a: prefix)\nsix(fd00::1/16). six(::1).", NETWORK), ["::1/128", "fd00::/16"]);
}

#[test]
fn functions_do_what_their_sentences_say() {
    let cases = [
        ("before(\"a.b.c\", \".\", X)", vec!["a"]),
        ("before(\"abc\", \".\", X)", vec![]),
        ("prefix_of(\"10.1.0.0/16\", P), text_of(P, X)", vec!["10.1.0.0/16"]),
        ("prefix_of(\"storage\", P), text_of(P, X)", vec![]),
        ("type_of(\"/subscriptions/s/resourceGroups/R/providers/N.n/T/a/U/b\", X)", vec!["n.n/t/u"]),
        ("without_end(\"a.net\", \".net\", X)", vec!["a"]),
        ("without_end(\"a.com\", \".net\", X)", vec![]),
        ("without_start(\"/subscriptions/s1\", \"/subscriptions/\", X)", vec!["s1"]),
        ("concat(\"a\", \"b\", X)", vec!["ab"]),
        ("X = \"a\", contains(\"xay\", X)", vec!["a"]),
        ("X = \"a\", contains(\"xyz\", X)", vec![]),
        ("X = \"a\", starts_with(\"ab\", X), !ends_with(\"ab\", X)", vec!["a"]),
        ("X = \"a\", ends_with(\"ba\", X)", vec!["a"]),
        ("item(\"a,b,,c\", X), !item(\"c,d\", X)", vec!["a", "b"]),
        ("lower(\"AbC\", X)", vec!["abc"]),
        ("name_of(\"/subscriptions/s/resourceGroups/R/providers/n/t/Web\", X)", vec!["web"]),
        (
            "parent_of(\"/subscriptions/s/resourcegroups/r/providers/n/t/a/u/b\", X)",
            vec!["/subscriptions/s/resourcegroups/r/providers/n/t/a"],
        ),
        ("text_of(10.0.0.4, X)", vec!["10.0.0.4"]),
        ("text_of(7, X)", vec!["7"]),
        ("weaker(\"proven\", \"unproven\", X)", vec!["unproven"]),
        ("weaker(\"proven\", \"proven\", X)", vec!["proven"]),
        ("X = \"a\", has_port(\"22,8000-8100\", 8050), !has_port(\"22\", 23), has_port(\"*\", 1), !has_port(\"\", 1)", vec!["a"]),
        ("X = \"a\", within(10.0.0.4, 10.0.0.0/8), overlaps(10.0.0.0/8, 10.1.0.0/16)", vec!["a"]),
    ];
    let mut unseen: BTreeSet<&str> = function::FUNCTIONS.iter().map(|function| function.name).collect();
    for (body, expected) in cases {
        assert_eq!(rows(&format!(".decl r(x: symbol)\nr(X) :- {body}."), ""), expected, "{body}");
        unseen.retain(|name| !body.contains(&format!("{name}(")));
    }
    assert!(unseen.is_empty(), "without a case: {unseen:?}");
}

#[test]
fn an_absent_value_is_the_empty_text() {
    let world = r#"route("r1", "t", "*", "internet", ""). route("r2", "t", "*", "virtualappliance", 10.0.0.4)."#;
    assert_eq!(rows(".decl hop(r: symbol)\nhop(R) :- route(R, _, _, _, A), A != \"\".", world), ["r2"]);
    assert_eq!(rows(".decl hop(r: symbol)\nhop(R) :- route(R, _, _, _, A), !within(A, 0.0.0.0/0).", world), ["r1"]);
}

#[test]
fn a_relation_that_needs_a_bound_column_is_asked_last() {
    struct Demanding(World);
    impl Relations for Demanding {
        fn declarations(&self) -> Vec<Declaration> {
            estate()
        }
        fn rows(&self, relation: &str, bound: &[Option<Value>]) -> Result<Vec<Vec<Value>>, String> {
            assert!(relation != "reaches" || bound[0].is_some() || bound[1].is_some(), "asked for everything");
            self.0.rows(relation, bound)
        }
    }
    let text = ".decl r(a: symbol, b: symbol)\nr(A, B) :- reaches(A, B, _, _, _, _), reaches(B, _, _, _, _, _), subnet(A, _, _).";
    let program = Program::compile(&[source("test.dl", text)], &estate()).unwrap();
    let world = format!(
        "{NETWORK} reaches(\"web\", \"db\", \"peering\", \"tcp\", \"*\", \"proven\"). reaches(\"db\", \"web\", \"peering\", \"tcp\", \"*\", \"proven\")."
    );
    let answers = evaluate(&program, &Demanding(World::new(&world)), DEFAULT_BUDGET).unwrap();
    assert_eq!(answers.rows(0).len(), 2);
}

#[test]
fn facts_of_an_index_are_relations() {
    let facts = [
        ("subnet", vec!["/subscriptions/x/s", "/subscriptions/x/v", "web"]),
        ("subnet_prefix", vec!["/subscriptions/x/s", "10.0.0.0/24"]),
        ("route", vec!["r", "t", "0.0.0.0/0", "internet", ""]),
    ];
    let index: Index = facts.iter().map(|(relation, cells)| Fact::read(relation, cells).unwrap().unwrap()).collect();
    let relations = FactRelations::new(&index);
    assert_eq!(relations.declarations(), catalog());
    let found = relations.rows("subnet", &[Some(Value::text("/Subscriptions/X/S")), None, None]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0][2], Value::text("web"));
    assert_eq!(relations.rows("subnet_prefix", &[None, Some(Value::Prefix("10.0.0.0/24".parse().unwrap()))]).unwrap().len(), 1);
    assert_eq!(relations.rows("route", &[None, None, None, None, None]).unwrap()[0][4], Value::text(""));
    assert_eq!(relations.rows("vnet", &[None, None]).unwrap().len(), 0);
    assert!(relations.rows("no_such", &[]).is_err());
}

#[test]
fn a_query_lists_its_outputs_with_named_columns() {
    let text = ".decl zones(v: symbol)\n.decl webs(s: symbol, v: symbol)\nwebs(S, V) :- subnet(S, V, \"web\"), vnet(V, _).\nzones(V) :- vnet(V, _).";
    let world = World::new(NETWORK);
    let listed = |text: &str| {
        let program = Program::compile(&[source("test.dl", text)], &estate()).unwrap();
        let answers = evaluate(&program, &world, DEFAULT_BUDGET).unwrap();
        let line = |(relation, row): (&str, Vec<(&str, Value)>)| {
            let row: Vec<String> = row.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{relation}: {}", row.join(" "))
        };
        answers.listing(&program).into_iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(listed(text), ["webs: s=web v=hub", "zones: v=hub", "zones: v=spoke"]);
    assert_eq!(listed(&format!("{text}\n.output webs")), ["webs: s=web v=hub"]);
}

#[test]
fn derived_relations_are_asked_once_and_narrowed_to_what_is_bound() {
    let asked = std::cell::Cell::new(0);
    let derive = |relation: &str, _: &[Option<Value>]| match relation {
        "inside" => {
            asked.set(asked.get() + 1);
            Ok(vec![vec![Value::text("web")], vec![Value::text("web")], vec![Value::text("db")]])
        }
        "sensitive" => Ok(vec![vec![]]),
        _ => Err("not here".to_owned()),
    };
    let index: Index = [Fact::read("subnet", &["web", "hub", "web"]).unwrap().unwrap()].into_iter().collect();
    let relations = EstateRelations::new(FactRelations::new(&index), Box::new(derive));
    assert_eq!(relations.declarations(), estate());
    for _ in 0..2 {
        assert_eq!(relations.rows("inside", &[Some(Value::text("web"))]).unwrap(), [[Value::text("web")]]);
    }
    assert_eq!(asked.get(), 1);
    assert_eq!(relations.rows("subnet", &[None, None, None]).unwrap().len(), 1);
    assert_eq!(relations.rows("exposed", &[None, None, None, None]).unwrap_err(), "not here");
    assert!(relations.rows("sensitive", &[None]).unwrap_err().contains("bug"));
}
