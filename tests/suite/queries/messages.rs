//! Every mistake in a program has a message that points at it; no text makes the compiler panic.

use std::collections::BTreeSet;
use std::fs;

use watertight::query::verify::Check;
use watertight::query::{DEFAULT_BUDGET, Declaration, Program, Relations, Value, error, evaluate};
use watertight::syntax::Source;

use super::{NETWORK, World, estate, refused, root, rows, source};

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
    let many: String = (0..20_000).map(|at| format!(".decl r{at}(x: symbol)\n")).collect();
    let near: String = (0..5_000).map(|at| format!(".decl relation_with_a_long_name_{at}(x: symbol)\n")).collect::<String>()
        + &format!(
            ".decl a(x: symbol)\na(X) :- {}X = 1.",
            (0..190).map(|at| format!("relation_with_a_long_name_x{at}(X), ")).collect::<String>()
        );
    let arguments = format!(".decl a(x: symbol)\na({}).", "X, ".repeat(300_000));
    let garbage = "\u{7}".repeat(1 << 20);
    let commented = format!("{}\n{}a(X) :- b(X).", "// far above", ".decl a(x: symbol)\n".repeat(50_000));
    let cases = [
        (many.as_str(), "query::unknown_relation"),
        (&near, "query::unknown_relation"),
        (&arguments, "query::arity"),
        (&garbage, "query::syntax"),
        (&commented, "query::redeclared"),
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
