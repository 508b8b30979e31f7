//! The query language: its messages, its evaluation, the shipped checks and the snapshots of what they find.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use watertight::facts::gap::Gap;
use watertight::facts::{Fact, Index};
use watertight::model::Sym;
use watertight::query::relations::{Table, catalog};
use watertight::query::verify::{self, Check, Outcome, run};
use watertight::query::{
    DEFAULT_BUDGET, Declaration, FactRelations, Program, Relations, Report, Value, error, evaluate, function, library, render, shipped,
    snapshot,
};
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
            let cell = |(term, (_, kind)): (&Term, &(String, watertight::query::Type))| match term {
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

// ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn every_mistake_is_underlined() {
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(root().join("tests/diagnostics")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "dl") {
            continue;
        }
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let error = Check::compile(vec![source(&format!("{stem}.dl"), &text)], &estate()).expect_err(&stem);
        let code = format!("query::{stem}");
        assert!(error.errors.iter().any(|error| error.code == code), "{stem}.dl does not show {code}:\n{}", error.render());
        seen.insert(code);
        insta::with_settings!({ snapshot_path => root().join("tests/snapshots/diagnostics"), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(stem.as_str(), error.render());
        });
    }
    // These need more than a file: see the tests below.
    seen.extend(["query::too_large", "query::budget", "query::relation"].map(str::to_owned));
    let codes: BTreeSet<String> = error::CODES.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(seen, codes, "each code has a file");
}

#[test]
fn hostile_programs_are_refused_without_a_panic() {
    let deep = format!(".decl a(x: symbol)\na(X) :- {}", "(".repeat(100_000));
    let wide = format!(".decl a(x: symbol)\na(X) :- {} subnet(X, _, _).", "subnet(X, _, _), ".repeat(5_000));
    let huge = " ".repeat(5 << 20);
    let long = "a".repeat(1 << 20);
    let cases = [
        (deep.as_str(), "query::syntax"),
        (&wide, "query::too_large"),
        (&huge, "query::too_large"),
        (&long, "query::syntax"),
        ("\0\0\0", "query::syntax"),
        ("\u{1b}[31m", "query::syntax"),
        (".decl a(x: symbol)\na(\"\\", "query::syntax"),
        (".", "query::syntax"),
        (".decl", "query::syntax"),
        ("a(99999999999999999999).", "query::syntax"),
        ("a(10.0.0.0/99).", "query::syntax"),
        ("a(1.2.3).", "query::syntax"),
        ("a :- é.", "query::syntax"),
        ("unknown(X) :- subnet(X, _, _).", "query::unknown_relation"),
    ];
    for (text, code) in cases {
        let shown = refused(text);
        assert!(shown.starts_with(&format!("error[{code}]")), "{code}: {}", shown.chars().take(300).collect::<String>());
        assert!(shown.len() < 2_000, "a message stays short");
        assert!(!shown.contains(['\0', '\u{1b}']), "a message draws nothing on the terminal");
    }
    let binary = Source::new("binary.dl", &[0xff, 0xfe, 0x00, b'a', b'(', 0x80]);
    assert!(Program::compile(&[binary], &estate()).is_err());
}

proptest::proptest! {
    /// Pieces of programs in any order, with anything between them, are refused or evaluated.
    #[test]
    fn no_text_makes_the_compiler_panic(pieces in proptest::collection::vec((0..PIECES.len(), "\\PC{0,3}", 0..4u8), 0..60)) {
        let text: String = pieces.iter().map(|(at, noise, how)| if *how == 0 { noise.as_str() } else { PIECES[*at] }).collect();
        let sources = [source("noise.dl", &text)];
        match Program::compile(&sources, &estate()) {
            Ok(program) => drop(evaluate(&program, &World::new(NETWORK), 10_000)),
            Err(errors) => errors.iter().for_each(|error| drop(error.render(&sources))),
        }
    }
}

const PIECES: &[&str] = &[
    ".decl a(x: symbol)\n",
    ".decl b(x: symbol, n: number)\n",
    "a(X) :- ",
    "b(X, N) :- ",
    "a(\"s\").",
    "subnet(X, _, Y)",
    "vnet_dns(X, N, A)",
    ", ",
    ", ",
    ", !",
    ".\n",
    ".\n",
    "X = Y",
    "N < 5",
    "within(A, 10.0.0.0/8)",
    "concat(X, Y, Z)",
    "a(Z)",
    "b(X, 3)",
    "reaches(X, Y, _, _, _, _)",
    "\"",
    ".violation a severity=low title=\"t\" \"{x}\"\n",
    "(",
    ")",
    "{",
    "\\",
    "::",
    "1.2.3.4/",
    "//",
    "_",
    "é",
    " ",
];

#[test]
fn a_long_chain_of_relations_is_no_recursion() {
    let mut text = ".decl r0(x: symbol)\nr0(X) :- r19999(X).\n".to_owned();
    for at in 1..20_000 {
        let body = if at == 1 { "subnet(X, _, _)".to_owned() } else { format!("r{}(X)", at - 1) };
        text.push_str(&format!(".decl r{at}(x: symbol)\nr{at}(X) :- {body}.\n"));
    }
    assert_eq!(rows(&text, "subnet(\"s\", \"v\", \"web\")."), ["s"]);
}

#[test]
fn a_rule_that_multiplies_gives_up_at_the_budget() {
    let sources = [source("test.dl", ".decl pairs(a: symbol, b: symbol)\npairs(A, B) :- subnet(A, _, _), subnet(B, _, _), A != B.")];
    let program = Program::compile(&sources, &estate()).unwrap();
    let world: String = (0..100).map(|at| format!("subnet(\"s{at}\", \"v\", \"n\").\n")).collect();
    assert_eq!(evaluate(&program, &World::new(&world), DEFAULT_BUDGET).unwrap().rows(0).len(), 9_900);
    let error = evaluate(&program, &World::new(&world), 5_000).unwrap_err();
    assert_eq!(error.code, "query::budget");
    assert!(error.render(&sources).contains("look at more than 5000 rows"), "{}", error.render(&sources));
}

#[test]
fn a_relation_that_cannot_answer_says_why() {
    struct Shy;
    impl Relations for Shy {
        fn declarations(&self) -> Vec<Declaration> {
            estate()
        }
        fn rows(&self, _: &str, _: &[Option<Value>]) -> Result<Vec<Vec<Value>>, String> {
            Err("bind `source`".to_owned())
        }
    }
    let sources = [source("test.dl", ".decl all(a: symbol)\nall(A) :- leaks(A, _, _, _).")];
    let program = Program::compile(&sources, &estate()).unwrap();
    let error = evaluate(&program, &Shy, DEFAULT_BUDGET).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("query::relation", "`leaks` cannot be read here: bind `source`"));
}

#[test]
fn suggestions_name_the_nearest_relation() {
    for (written, near) in [("subnets", "subnet("), ("nsg_rules", "nsg_rule("), ("start_with", "starts_with(")] {
        let shown = refused(&format!(".decl a(x: symbol)\na(X) :- {written}(X)."));
        assert!(shown.contains(&format!("did you mean `{near}")), "{shown}");
    }
    assert!(refused(".decl a(x: symbol)\na(X) :- qqqqqqqqqqqq(X).").contains("`watertight schema` lists all relations"));
}

// ── evaluation ──────────────────────────────────────────────────────────────────────────────────────────────────────

const NETWORK: &str = r#"
    vnet("hub", "westeurope"). vnet("spoke", "westeurope").
    subnet("web", "hub", "web"). subnet("db", "spoke", "db").
    subnet_prefix("web", 10.0.1.0/24). subnet_prefix("db", 10.1.0.0/16).
    subnet_nsg("web", "g").
    vnet_dns("hub", 0, 10.1.0.4).
    vnet_dns("hub", 1, 8.8.8.8).
"#;

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

// ── the shipped checks ──────────────────────────────────────────────────────────────────────────────────────────────

fn checks() -> Vec<Check> {
    verify::shipped(&estate()).unwrap_or_else(|errors| panic!("{}", errors[0].render()))
}

#[test]
fn every_file_of_the_folder_is_in_the_binary() {
    let mut files = BTreeSet::new();
    let mut open = vec![root().join("queries")];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    let derived = "queries/lib/derived.dl";
    let embedded = shipped::CHECKS.iter().map(|(path, _)| (*path).to_owned()).chain([derived.to_owned()]).collect();
    assert_eq!(files, embedded);
}

#[test]
fn every_shipped_check_is_complete() {
    let topics = ["exfiltration", "exposure", "segmentation", "private-link"];
    for check in checks() {
        let violation = &check.program.violations[0];
        let path = Path::new(&check.sources[0].name);
        assert_eq!(path.file_stem().unwrap().to_str(), Some(violation.id.as_str()));
        assert!(topics.iter().any(|topic| path.starts_with(Path::new("queries").join(topic))), "{path:?}");
        assert!(violation.reference.starts_with("https://learn.microsoft.com/"), "{}", violation.id);
        assert!(violation.certainty.is_some(), "{} says how sure it is", violation.id);
        assert!(!violation.title.ends_with('.') && violation.title.len() <= 80, "{}", violation.title);
        assert_eq!(check.program.violations.len(), 1);
    }
}

#[test]
fn every_derived_relation_is_explained_and_no_fact_has_its_name() {
    let facts = catalog();
    for declaration in library::derived() {
        assert!(declaration.doc.ends_with('.'), "{}: {}", declaration.name, declaration.doc);
        assert!(facts.iter().all(|fact| fact.name != declaration.name), "{}", declaration.name);
    }
    assert_eq!(library::derived().len(), 9);
}

/// What each check must say to three estates: one in which it fires, one that is nearly the same, one that leaves it open.
const CASES: &[(&str, &str, &str, &str)] = &[
    (
        "service_endpoint_reaches_foreign_accounts",
        r#"subnet_service_endpoint("s", "microsoft.storage", "*"). leaks_directly("s", "external:storage", "service-endpoint", "proven")."#,
        // The same sink over the public path is not the endpoint's doing.
        r#"subnet_service_endpoint("s", "microsoft.storage", "*"). leaks_directly("s", "external:storage", "public", "proven")."#,
        r#"subnet_service_endpoint("s", "microsoft.storage.global", "*"). leaks_directly("s", "external:storage", "service-endpoint", "unproven")."#,
    ),
    (
        "sensitive_store_leaks",
        r#"store("d", "storage", "storagev2", "r"). sensitive("d"). leaks("d", "internet", 2, "proven")."#,
        // On premises is no stranger; a store that is not sensitive may leak.
        r#"store("d", "storage", "storagev2", "r"). store("e", "storage", "storagev2", "r"). sensitive("d").
           leaks("d", "onprem:hq", 2, "proven"). leaks("e", "internet", 2, "proven")."#,
        r#"store("d", "storage", "storagev2", "r"). sensitive("d"). leaks("d", "external:storage", 1, "unproven")."#,
    ),
    (
        "store_open_to_internet",
        r#"inside("d"). exposed("d", "blob", "internet", "proven")."#,
        r#"inside("d"). exposed("d", "blob", "any-azure", "proven"). exposed("foreign", "blob", "internet", "proven")."#,
        r#"inside("d"). exposed("d", "blob", "internet", "unproven")."#,
    ),
    (
        "sql_admits_all_azure",
        r#"store("d", "sql", "v12.0", "r"). inside("d"). exposed("d", "sqlserver", "any-azure", "proven")."#,
        r#"store("d", "sql", "v12.0", "r"). inside("d"). exposed("d", "sqlserver", "internet", "proven")."#,
        r#"store("d", "sql", "v12.0", "r"). inside("d"). exposed("d", "sqlserver", "any-azure", "unproven")."#,
    ),
    (
        "management_port_open",
        r#"reaches("internet", "n", "public", "tcp", "20-25", "proven")."#,
        r#"reaches("internet", "n", "public", "tcp", "443", "proven"). reaches("internet", "n", "public", "udp", "22", "proven").
           reaches("onprem:hq", "n", "gateway", "tcp", "22", "proven")."#,
        r#"reaches("internet", "n", "public", "tcp", "*", "unproven")."#,
    ),
    (
        "public_endpoint_beside_private",
        r#"inside("d"). exposed("d", "blob", "internet", "proven"). consented("e", "c", "d", "blob", "approved", "proven")."#,
        // Another part, and a connection that nobody approved.
        r#"inside("d"). exposed("d", "blob", "internet", "proven"). consented("e", "c", "d", "file", "approved", "proven").
           consented("f", "c2", "d", "blob", "pending", "proven")."#,
        r#"inside("d"). exposed("d", "blob", "internet", "proven"). consented("e", "c", "d", "blob", "approved", "unproven")."#,
    ),
    (
        "subnet_without_nsg",
        r#"subnet("s", "v", "web")."#,
        r#"subnet("s", "v", "web"). subnet_nsg("s", "g"). subnet("t", "v", "gatewaysubnet")."#,
        r#"subnet("s", "v", "web"). gap("s", "microsoft.network/virtualnetworks/subnets", "networkSecurityGroup cannot be read")."#,
    ),
    (
        "nsg_allows_any_inbound",
        r#"nsg_rule("r", "g", "inbound", 100, "allow", "*", "internet", "*", "*", "*")."#,
        r#"nsg_rule("r1", "g", "inbound", 100, "allow", "*", "virtualnetwork", "*", "*", "*").
           nsg_rule("r2", "g", "inbound", 101, "allow", "tcp", "internet", "*", "*", "443").
           nsg_rule("r3", "g", "inbound", 102, "deny", "*", "*", "*", "*", "*").
           nsg_rule("r4", "g", "outbound", 103, "allow", "*", "*", "*", "*", "*")."#,
        r#"nsg_rule("r", "g", "inbound", 100, "allow", "*", "*", "*", "*", "*"). gap("r", "rule", "destination cannot be read")."#,
    ),
    (
        "peering_half_open",
        r#"vnet("a", "r"). vnet("b", "r"). peering("p", "a", "b", "initiated", true, true, false, false, false, true)."#,
        r#"vnet("a", "r"). vnet("b", "r"). peering("p", "a", "b", "connected", true, true, false, false, false, true).
           peering("q", "b", "a", "unknown", true, true, false, false, false, true)."#,
        r#"vnet("a", "r"). peering("p", "a", "b", "unknown", true, true, false, false, false, true)."#,
    ),
    (
        "storage_rule_without_service_endpoint",
        r#"store("d", "storage", "storagev2", "r"). store_subnet_rule("x", "d", "s", "yes"). subnet("s", "v", "web").
           subnet_service_endpoint("s", "microsoft.keyvault", "*")."#,
        r#"store("d", "storage", "storagev2", "r"). store_subnet_rule("x", "d", "s", "yes"). subnet("s", "v", "web").
           subnet_service_endpoint("s", "microsoft.storage.global", "*")."#,
        r#"store("d", "storage", "storagev2", "r"). store_subnet_rule("x", "d", "s", "yes")."#,
    ),
    (
        "route_to_nobody",
        r#"subnet_route_table("s", "t"). route("r", "t", "0.0.0.0/0", "virtualappliance", 10.0.0.9). subnet_prefix("hub", 10.0.0.0/24)."#,
        // One hop is a load balancer's frontend, the other table is attached to nothing.
        r#"subnet_route_table("s", "t"). route("r", "t", "0.0.0.0/0", "virtualappliance", 10.0.0.4). subnet_prefix("hub", 10.0.0.0/24).
           device_address("lb", 10.0.0.4, "hub"). route("r2", "unused", "0.0.0.0/0", "virtualappliance", 10.0.0.9).
           route("r3", "t", "10.9.0.0/16", "none", "")."#,
        r#"subnet_route_table("s", "t"). route("r", "t", "0.0.0.0/0", "virtualappliance", 10.0.0.9). subnet_prefix("hub", 10.0.0.0/24).
           ip_config("i", "n", "hub", true)."#,
    ),
    (
        "name_resolves_to_nxdomain",
        r#"inside("d"). name_answer("v", "d", "blob", "d.blob.core.windows.net", "nxdomain")."#,
        r#"inside("d"). name_answer("v", "d", "blob", "d.blob.core.windows.net", "private").
           name_answer("v", "foreign", "blob", "foreign.blob.core.windows.net", "nxdomain")."#,
        r#"inside("d"). name_answer("v", "d", "blob", "d.blob.core.windows.net", "nxdomain"). vnet_dns("v", 0, 10.0.0.4)."#,
    ),
    (
        "dangling_private_record",
        r#"name_answer("v", "d", "blob", "d.blob.core.windows.net", "dangling")."#,
        r#"name_answer("v", "d", "blob", "d.blob.core.windows.net", "private")."#,
        r#"name_answer("v", "d", "blob", "d.blob.core.windows.net", "dangling"). vnet_dns("v", 0, 10.0.0.4)."#,
    ),
    (
        "connection_waits_for_consent",
        r#"consented("e", "c", "d", "blob", "pending", "proven")."#,
        r#"consented("e", "c", "d", "blob", "approved", "proven"). consented("f", "c2", "d", "blob", "rejected", "proven")."#,
        r#"consented("e", "c", "d", "blob", "pending", "unproven")."#,
    ),
    (
        "connection_refused",
        r#"consented("e", "c", "d", "blob", "disconnected", "proven"). consented("f", "c2", "d", "blob", "rejected", "unproven")."#,
        r#"consented("e", "c", "d", "blob", "approved", "proven"). consented("f", "c2", "d", "blob", "pending", "proven")."#,
        r#"consented("e", "c", "d", "blob", "rejected", "unproven")."#,
    ),
    (
        "approved_foreign_connection",
        r#"inside("d"). consented("foreign", "c", "d", "blob", "approved", "proven")."#,
        r#"inside("d"). inside("e"). consented("e", "c", "d", "blob", "approved", "proven").
           consented("foreign", "c2", "d", "blob", "pending", "proven"). consented("e", "c3", "theirs", "blob", "approved", "proven")."#,
        r#"inside("d"). consented("foreign", "c", "d", "blob", "approved", "unproven")."#,
    ),
];

#[test]
fn every_check_fires_and_nearly_fires_and_stays_open() {
    let checks = checks();
    let cased: BTreeSet<&str> = CASES.iter().map(|(id, ..)| *id).collect();
    assert_eq!(cased, checks.iter().map(Check::id).collect());
    for (id, fires, near, open) in CASES {
        for (world, expected) in [(fires, Outcome::Fail), (near, Outcome::Pass), (open, Outcome::Unproven)] {
            let report = run(&checks, &World::new(world), DEFAULT_BUDGET);
            let result = report.checks.iter().find(|check| check.id == *id).unwrap();
            assert_eq!(result.outcome, expected, "{id} on {world}: {:?}", result.findings);
        }
    }
}

/// More ways in which a check stays open or says nothing: check, estate, outcome.
const CORNERS: &[(&str, &str, Outcome)] = &[
    ("peering_half_open", r#"peering("p", "a", "b", "disconnected", true, true, false, false, false, true)."#, Outcome::Fail),
    (
        "peering_half_open",
        r#"peering("p", "a", "b", "unknown", true, true, false, false, false, true).
           vnet("b", "r")."#,
        Outcome::Fail,
    ),
    (
        "peering_half_open",
        r#"peering("p", "a", "b", "connected", true, true, false, false, false, true).
           vnet("b", "r")."#,
        Outcome::Unproven,
    ),
    ("peering_half_open", r#"peering("p", "a", "b", "connected", true, true, false, false, false, true)."#, Outcome::Pass),
    (
        "nsg_allows_any_inbound",
        r#"nsg_rule("r", "g", "inbound", 100, "allow", "tcp", "10.0.0.0/8,::/0", "*", "*", "1-65535")."#,
        Outcome::Fail,
    ),
    (
        "route_to_nobody",
        r#"subnet_route_table("s", "t"). route("r", "t", "0.0.0.0/0", "virtualappliance", 10.9.0.9). subnet_prefix("hub", 10.0.0.0/24)."#,
        Outcome::Unproven,
    ),
    (
        "route_to_nobody",
        r#"subnet_route_table("s", "t"). route("r", "t", "0.0.0.0/0", "virtualappliance", 10.0.0.9). subnet_prefix("hub", 10.0.0.0/24).
           subnet_delegation("hub", "paloaltonetworks.cloudngfw/firewalls")."#,
        Outcome::Unproven,
    ),
    (
        "storage_rule_without_service_endpoint",
        r#"store("d", "keyvault", "", "r"). store_subnet_rule("x", "d", "s", "yes"). subnet("s", "v", "web")."#,
        Outcome::Pass,
    ),
    (
        "storage_rule_without_service_endpoint",
        r#"store("d", "storage", "storagev2", "r"). store_subnet_rule("x", "d", "s", "yes"). subnet("s", "v", "web"). gap("s", "k", "w")."#,
        Outcome::Unproven,
    ),
    ("name_resolves_to_nxdomain", r#"inside("d"). name_answer("v", "d", "blob", "d.net", "unknown")."#, Outcome::Unproven),
    ("name_resolves_to_nxdomain", r#"inside("d"). name_answer("v", "d", "blob", "d.net", "nodata")."#, Outcome::Fail),
    ("connection_waits_for_consent", r#"consented("e", "c", "d", "blob", "unknown", "proven")."#, Outcome::Unproven),
    ("approved_foreign_connection", r#"inside("d"). consented("foreign", "c", "d", "blob", "unknown", "unproven")."#, Outcome::Unproven),
];

#[test]
fn what_the_input_does_not_say_stays_open() {
    let checks = checks();
    for (id, world, expected) in CORNERS {
        let report = run(&checks, &World::new(world), DEFAULT_BUDGET);
        let result = report.checks.iter().find(|check| check.id == *id).unwrap();
        assert_eq!(result.outcome, *expected, "{id} on {world}: {:?}", result.findings);
    }
}

#[test]
fn overlaps_between_checks_are_the_reviewed_ones() {
    let checks = checks();
    let mut lines = String::new();
    for (id, fires, near, open) in CASES {
        for (world, name) in [(fires, "fires"), (near, "near"), (open, "open")] {
            for check in run(&checks, &World::new(world), DEFAULT_BUDGET).checks {
                for finding in check.findings {
                    lines.push_str(&format!("{id}/{name}: {} {}: {}\n", check.id, finding.certainty(), finding.message));
                }
            }
        }
    }
    insta::with_settings!({ snapshot_path => root().join("tests/snapshots/queries"), prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("overlaps", lines);
    });
}

#[test]
fn a_witness_with_a_proven_reason_is_proven() {
    let world = r#"inside("d"). exposed("d", "blob", "internet", "unproven"). exposed("d", "blob", "internet", "proven")."#;
    let report = run(&checks(), &World::new(world), DEFAULT_BUDGET);
    let check = report.checks.iter().find(|check| check.id == "store_open_to_internet").unwrap();
    assert_eq!((check.outcome, check.findings.len()), (Outcome::Fail, 1));
}

#[test]
fn a_check_that_cannot_be_evaluated_is_unproven_and_says_why() {
    let report = run(&checks(), &World::new(NETWORK), 0);
    let check = report.checks.iter().find(|check| check.id == "subnet_without_nsg").unwrap();
    assert_eq!(check.outcome, Outcome::Unproven);
    assert!(check.error.contains("query::budget"), "{}", check.error);
    assert!(report.broken() && report.violated());
}

// ── the report ──────────────────────────────────────────────────────────────────────────────────────────────────────

const VNET: &str = "/subscriptions/x/resourcegroups/r/providers/microsoft.network/virtualnetworks/hub";

fn report() -> (Report, Vec<Gap>) {
    let world = format!(
        r#"subnet("{VNET}/subnets/web", "{VNET}", "web"). vnet("{VNET}", "westeurope").
           resource("{VNET}", "microsoft.network/virtualnetworks", "Hub", "westeurope", "x", "", "r").
           resource("{VNET}/subnets/web", "microsoft.network/virtualnetworks/subnets", "Web", "westeurope", "x", "", "r").
           inside("d<&>"). exposed("d<&>", "blob", "internet", "unproven")."#
    );
    let gaps = vec![Gap { resource: Sym::new("g"), kind: Sym::new("t"), what: Sym::new("this type is not modelled") }];
    (run(&checks(), &World::new(&world), DEFAULT_BUDGET), gaps)
}

#[test]
fn the_report_reads_as_reviewed_in_every_format() {
    let (report, gaps) = report();
    let origin = |id: &str| id.ends_with("/web").then(|| ("net.json".to_owned(), 12));
    let formats = [
        ("json", render::to_json(&report, &gaps, None)),
        ("text", render::to_text(&report, &gaps, None, false)),
        ("junit", render::to_junit(&report)),
        ("markdown", render::to_markdown(&report, None)),
        ("sarif", render::to_sarif(&report, &origin)),
    ];
    insta::with_settings!({ snapshot_path => root().join("tests/snapshots/queries"), prepend_module_to_snapshot => false, omit_expression => true }, {
        for (name, text) in formats {
            insta::assert_snapshot!(format!("report_{name}"), text);
        }
    });
}

#[test]
fn the_json_has_the_promised_form() {
    let (report, gaps) = report();
    let document: serde_json::Value = serde_json::from_str(&render::to_json(&report, &gaps, None)).unwrap();
    assert_eq!(document["schema"], "watertight.verify/1");
    assert_eq!(document["gaps"][0]["type"], "t");
    let checks = document["checks"].as_array().unwrap();
    assert!(checks.is_sorted_by_key(|check| check["id"].as_str().unwrap().to_owned()));
    let failed = checks.iter().find(|check| check["id"] == "subnet_without_nsg").unwrap();
    assert_eq!(failed["result"], "fail");
    assert_eq!(failed["findings"][0]["witness"]["subnet"], format!("{VNET}/subnets/web"));
    assert_eq!(failed["findings"][0]["certainty"], "proven");
    let open = checks.iter().find(|check| check["result"] == "unproven").unwrap();
    assert!(open["findings"][0]["assumptions"].is_array());
}

// ── own checks and snapshots ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_folder_of_checks_has_helpers_and_unique_ids() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("lib")).unwrap();
    fs::create_dir_all(dir.path().join("ours")).unwrap();
    fs::write(dir.path().join("lib/web.dl"), ".decl web(s: symbol)\nweb(S) :- subnet(S, _, \"web\").").unwrap();
    let check = ".violation no_web severity=low title=\"No web\" \"`{s}`\"\n.decl no_web(s: symbol)\nno_web(S) :- web(S).";
    fs::write(dir.path().join("ours/no_web.dl"), check).unwrap();
    let all = verify::checks(Some(dir.path()), &estate()).unwrap();
    assert_eq!(all.len(), shipped::CHECKS.len() + 1);
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
