//! `verify` on the example estate: what it finds, why, and what `--snapshot` makes of it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{Said, watertight};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

const CONTOSO: &str = "facts/examples/contoso";

fn verify(args: &[&str]) -> Said {
    let all: Vec<&str> = ["verify"].iter().chain(args).copied().collect();
    watertight(root(), &all, "")
}

fn json(args: &[&str]) -> Value {
    let all: Vec<&str> = args.iter().chain(&["--format", "json"]).copied().collect();
    let said = verify(&all);
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.err))
}

/// The checks that do not pass: result, id, and each message with the number of lines of its proof.
fn summary(document: &Value) -> String {
    let mut out = String::new();
    for check in document["checks"].as_array().unwrap().iter().filter(|check| check["result"] != "pass") {
        out.push_str(&format!(
            "{} {} {}\n",
            check["severity"].as_str().unwrap(),
            check["id"].as_str().unwrap(),
            check["result"].as_str().unwrap()
        ));
        for finding in check["findings"].as_array().unwrap() {
            let witness: Vec<&str> =
                finding["witness"].as_object().unwrap().values().map(|v| v.as_str().unwrap_or("#").rsplit('/').next().unwrap()).collect();
            let lines = finding["because"].as_array().map_or(0, Vec::len);
            out.push_str(&format!("  {} {} ({lines} reasons)\n", finding["certainty"].as_str().unwrap(), witness.join(" ")));
        }
    }
    out
}

#[test]
fn the_example_has_the_findings_that_the_readme_tells_of() {
    let said = verify(&[CONTOSO]);
    assert_eq!(said.code, 1, "{}", said.err);
    insta::assert_snapshot!(summary(&json(&[CONTOSO])));
}

/// The lines of one check in the text, without the indent.
fn part<'a>(text: &'a str, check: &str) -> Vec<&'a str> {
    let start = text.lines().skip_while(|line| !line.contains(&format!("  {check}: ")));
    start.take_while(|line| !line.trim_start().starts_with("https://")).map(str::trim).collect()
}

#[test]
fn each_finding_ends_in_lines_of_the_export() {
    let said = verify(&[CONTOSO]);
    for check in ["service_endpoint_reaches_foreign_accounts", "connection_waits_for_consent"] {
        insta::assert_snapshot!(check, part(&said.out, check).join("\n"));
    }
    let hidden = part(&said.out, "name_resolves_to_nxdomain");
    assert!(
        hidden.iter().any(|line| line.starts_with("because dns: link contoso-hub") && line.contains("dns.json:/data/3(72)")),
        "{hidden:?}"
    );
    assert!(hidden.iter().any(|line| line.starts_with("because dns: one more network is told the same")), "{hidden:?}");
    // A proof never says that a rule perhaps decides what is proven.
    assert!(!said.out.contains("perhaps"), "{}", said.out);
}

#[test]
fn every_format_has_every_finding() {
    let document = json(&[CONTOSO]);
    let count: usize = document["checks"].as_array().unwrap().iter().map(|check| check["findings"].as_array().unwrap().len()).sum();
    let sarif: Value = serde_json::from_str(&verify(&[CONTOSO, "--format", "sarif"]).out).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), count);
    let junit = verify(&[CONTOSO, "--format", "junit"]).out;
    assert_eq!(junit.lines().filter(|line| line.starts_with("proven: ") || line.starts_with("unproven: ")).count(), count);
    let markdown = verify(&[CONTOSO, "--format", "markdown"]).out;
    assert_eq!(markdown.lines().filter(|line| line.starts_with("- ")).count(), count);
    assert_eq!(verify(&[CONTOSO, "--format", "csv"]).code, 2);
}

#[test]
fn what_is_approved_does_not_fail_and_what_moves_does() {
    let folder = TempDir::new().unwrap();
    let approved = folder.path().join("approved");
    let dir = approved.to_str().unwrap();
    assert_eq!(watertight(root(), &["accept", "--snapshot", dir], "").code, 2);
    assert_eq!(verify(&[CONTOSO, "--snapshot", dir]).code, 1);
    let accepted = watertight(root(), &["accept", "--snapshot", dir], "");
    assert_eq!(accepted.code, 0, "{}", accepted.err);
    assert!(accepted.err.lines().any(|line| line.trim() == "subnet_without_nsg"));
    assert_eq!(verify(&[CONTOSO, "--snapshot", dir]).code, 0);

    // A finding that goes away is to be approved as well.
    let file = approved.join("connection_waits_for_consent.snap");
    let before = fs::read_to_string(&file).unwrap();
    fs::write(&file, before.lines().take(1).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let moved = verify(&[CONTOSO, "--snapshot", dir, "--format", "json"]);
    assert_eq!(moved.code, 1);
    let document: Value = serde_json::from_str(&moved.out).unwrap();
    let rows = document["unapproved"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["check"], &rows[0]["change"]), (&"connection_waits_for_consent".into(), &"+".into()));
    watertight(root(), &["accept", "--snapshot", dir], "");
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    assert_eq!(verify(&[CONTOSO, "--snapshot", dir]).code, 0);
}

#[test]
fn facts_verify_as_the_exports_they_came_from() {
    let folder = TempDir::new().unwrap();
    let facts = folder.path().join("facts");
    let facts = facts.to_str().unwrap();
    assert_eq!(watertight(root(), &["facts", CONTOSO, "-o", facts], "").code, 0);
    for verb in ["verify", "reach"] {
        let of = |input: &str| watertight(root(), &[verb, input, "--format", "json"], "");
        let (exports, again) = (of(CONTOSO), of(facts));
        assert_eq!(exports.code, again.code);
        assert_eq!(exports.out, again.out, "{verb}");
    }
}

#[test]
fn checks_of_ones_own_are_added() {
    let folder = TempDir::new().unwrap();
    let check = r#".violation office_reaches_orders severity=low title="The office reaches the orders network" "`{nic}`"
.decl office_reaches_orders(nic: symbol, certainty: symbol)
office_reaches_orders(N, C) :- nic(N, _, _), contains(N, "orders01"), reaches("onprem:hq", N, "gateway", "tcp", "22,8443", C).
"#;
    fs::write(folder.path().join("office_reaches_orders.dl"), check).unwrap();
    let queries = folder.path().to_str().unwrap();
    let document = json(&[CONTOSO, "--queries", queries]);
    let mine = document["checks"].as_array().unwrap().iter().find(|check| check["id"] == "office_reaches_orders").unwrap();
    assert_eq!(mine["result"], "fail");
    assert_eq!(mine["findings"][0]["because"][0]["stage"], "gateway");

    fs::write(folder.path().join("office_reaches_orders.dl"), check.replace("nic(N", "nick(N")).unwrap();
    let broken = verify(&[CONTOSO, "--queries", queries]);
    assert_eq!((broken.code, broken.out.as_str()), (2, ""));
    assert!(broken.err.contains("nick"), "{}", broken.err);
}

/// covers: SND-09
#[test]
fn the_name_of_a_site_does_not_depend_on_how_its_id_is_spelled() {
    let folder = TempDir::new().unwrap();
    let (input, queries) = (folder.path().join("estate"), folder.path().join("queries"));
    fs::create_dir(&input).unwrap();
    fs::create_dir(&queries).unwrap();
    for path in fs::read_dir(root().join(CONTOSO)).unwrap().map(|entry| entry.unwrap().path()) {
        // Without the statement the site is known by its id alone.
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).unwrap().replace("localNetworkGateways/hq", "LOCALNETWORKGATEWAYS/HQ");
            fs::write(input.join(path.file_name().unwrap()), text).unwrap();
        }
    }
    let check = r#".violation office_sends severity=low title="The office sends" "`{to}`"
.decl office_sends(to: symbol, certainty: symbol)
office_sends(T, C) :- reaches("onprem:hq", T, "gateway", "tcp", P, C).
"#;
    fs::write(queries.join("office_sends.dl"), check).unwrap();
    let document = json(&[input.to_str().unwrap(), "--queries", queries.to_str().unwrap()]);
    let mine = document["checks"].as_array().unwrap().iter().find(|check| check["id"] == "office_sends").unwrap();
    assert_eq!(mine["result"], "fail");
}

#[test]
fn a_statement_in_the_input_folder_counts_where_no_nearer_one_does() {
    let folder = TempDir::new().unwrap();
    for name in ["one", "other"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        for entry in fs::read_dir(root().join(CONTOSO)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join(name).join(path.file_name().unwrap())).unwrap();
        }
    }
    let site = |args: &[&str]| watertight(folder.path(), args, "");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let label = ["reach", "--from", "label:sensitive"];
    let ask = |inputs: &[String]| site(&label.iter().copied().chain(inputs.iter().map(String::as_str)).collect::<Vec<_>>());
    assert_eq!(ask(&[path("one")]).code, 0);
    let twice = ask(&[path("one"), path("other")]);
    assert_eq!(twice.code, 2);
    assert!(twice.err.contains("which of them counts"), "{}", twice.err);
    fs::write(folder.path().join("watertight.toml"), "[labels]\nother = [\"internet\"]\n").unwrap();
    assert_eq!(ask(&[path("one")]).code, 2, "the current folder's file knows no such label");
}
