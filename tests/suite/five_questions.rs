//! The five questions that people ask first, each on an estate of its own: the answer, its proof, and that the repair settles it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::watertight;

const QUESTIONS: &str = "facts/examples/questions";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The estate of a question, and the same after a change.
struct Question {
    folder: String,
    after: TempDir,
}

fn array(path: &Path) -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

impl Question {
    fn new(name: &str, change: &str) -> Question {
        let from: PathBuf = root().join(QUESTIONS).join(name);
        let changes = array(&root().join(QUESTIONS).join("changes").join(format!("{change}.json")));
        let mut estate = array(&from.join("estate.json"));
        estate.retain(|resource| changes.iter().all(|change| change["id"] != resource["id"]));
        estate.extend(changes);
        let after = TempDir::new().unwrap();
        fs::write(after.path().join("estate.json"), Value::Array(estate).to_string()).unwrap();
        fs::copy(from.join("watertight.toml"), after.path().join("watertight.toml")).unwrap();
        Question { folder: format!("{QUESTIONS}/{name}"), after }
    }

    fn said(folder: &str, verb: &str, options: &[&str], format: &str) -> String {
        // `effective dns` is two words, and the input follows them.
        let args: Vec<&str> = verb.split(' ').chain([folder, "--format", format]).chain(options.iter().copied()).collect();
        let said = watertight(root(), &args, "");
        assert!(said.code < 2, "{}", said.err);
        said.out
    }

    fn rows(&self, verb: &str, options: &[&str]) -> Vec<Value> {
        Question::said(&self.folder, verb, options, "ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn document(&self, verb: &str, options: &[&str]) -> Value {
        serde_json::from_str(&Question::said(&self.folder, verb, options, "json")).unwrap()
    }

    fn document_after(&self, verb: &str, options: &[&str]) -> Value {
        serde_json::from_str(&Question::said(self.after.path().to_str().unwrap(), verb, options, "json")).unwrap()
    }
}

/// The last segments of what the lint finds, resource and related; its severity and repair are there.
fn found(document: &Value, id: &str) -> Vec<Vec<String>> {
    let short = |value: &Value| value.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let findings = document["findings"].as_array().unwrap().iter().filter(|finding| finding["id"] == id);
    let line = |finding: &Value| {
        assert!(finding["repair"].as_str().is_some_and(|repair| repair.ends_with('.')), "{finding}");
        assert_eq!(finding["certainty"], "proven", "{finding}");
        [&finding["resource"]].into_iter().chain(finding["related"].as_array().unwrap()).map(short).collect()
    };
    findings.map(line).collect()
}

/// Each premise of the proof: its text, and that it ends in a place of the input or in a stated kind.
fn premises(document: &Value) -> Vec<String> {
    let premises = document["proof"]["premises"].as_array().unwrap_or_else(|| panic!("{document:#}"));
    for premise in premises {
        assert!(premise["source"]["file"].is_string() || premise["kind"] != "fact", "{premise}");
    }
    premises.iter().map(|premise| premise["text"].as_str().unwrap().to_owned()).collect()
}

// covers: L-077, SEP-03, X-11
#[test]
fn which_subnets_can_write_to_an_account_outside_our_tenant() {
    let question = Question::new("writes-outside", "writes-outside");
    let rows = question.rows("reach", &["--from", "vnet:shop", "--to", "external:storage"]);
    let [row] = &rows[..] else { panic!("one subnet: {rows:?}") };
    assert!(row["from"]["id"].as_str().unwrap().ends_with("/subnets/app"), "{row}");
    assert_eq!((&row["via"], &row["certainty"]), (&"service-endpoint".into(), &"proven".into()));

    let proof = question.document("explain", &["--from", "subnet:shop/app", "--to", "external:storage"]);
    assert!(premises(&proof).iter().any(|text| text.contains("no endpoint policy limits")), "{proof:#}");
    assert_eq!(found(&question.document("lint", &[]), "L-077"), [["app"]]);

    // A policy that lists the account of ours.
    assert!(found(&question.document_after("lint", &[]), "L-077").is_empty());
    let closed = question.document_after("explain", &["--from", "subnet:shop/app", "--to", "external:storage"]);
    assert_eq!((&closed["verdict"], &closed["reason"]["stage"]), (&"denied".into(), &"service-endpoint-policy".into()), "{closed:#}");
    let ours = question.document_after("explain", &["--from", "subnet:shop/app", "--to", "storage:shopdata/blob"]);
    assert_eq!(ours["verdict"], "allowed", "{ours:#}");
}

// covers: L-061, ST-04
#[test]
fn which_accounts_answer_the_internet() {
    let question = Question::new("answers-the-internet", "answers-the-internet");
    let rows = question.rows("reach", &["--from", "internet"]);
    let [row] = &rows[..] else { panic!("one account: {rows:?}") };
    assert!(row["to"]["id"].as_str().unwrap().ends_with("/website"), "{row}");
    assert_eq!(row["certainty"], "proven");

    let proof = question.document("explain", &["--from", "internet", "--to", "storage:website/blob"]);
    assert!(premises(&proof).iter().any(|text| text.contains("default action admits everybody")), "{proof:#}");
    assert_eq!(found(&question.document("lint", &[]), "L-061"), [["website"]]);

    assert!(found(&question.document_after("lint", &[]), "L-061").is_empty());
    let closed = question.document_after("explain", &["--from", "internet", "--to", "storage:website/blob"]);
    assert_eq!((&closed["verdict"], &closed["reason"]["stage"]), (&"denied".into(), &"storage-firewall".into()), "{closed:#}");
}

// covers: L-021, PE-37, X-13
#[test]
fn which_approved_connections_come_from_outside() {
    let question = Question::new("connections-from-outside", "connections-from-outside");
    assert_eq!(found(&question.document("lint", &[]), "L-021"), [["ledger", "partner-pe"]]);

    let report = question.document("verify", &[]);
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "approved_foreign_connection").unwrap();
    let [finding] = &check["findings"].as_array().unwrap()[..] else { panic!("{check:#}") };
    let because = &finding["because"][0];
    assert_eq!(because["stage"], "consent");
    assert!(because["text"].as_str().unwrap().contains("partner-pe is approved"), "{because}");
    assert!(because["source"]["pointer"].as_str().unwrap().ends_with("/privateEndpointConnections/1"), "{because}");

    // The owner rejects it; our own endpoint goes on.
    let after = question.document_after("lint", &[]);
    assert!(found(&after, "L-021").is_empty());
    assert_eq!(found(&after, "L-011"), [["ledger", "partner-pe"]]);
}

// covers: L-054, DNS-25, DNS-29
#[test]
fn which_names_resolve_differently_where() {
    let question = Question::new("names-that-differ", "names-that-differ");
    let own = format!("{QUESTIONS}/queries");
    let report = question.document("verify", &["--queries", &own]);
    let differs = |report: &Value| report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "name_differs").unwrap().clone();
    let check = differs(&report);
    let [finding] = &check["findings"].as_array().unwrap()[..] else { panic!("{check:#}") };
    let witness = &finding["witness"];
    assert_eq!((&witness["here"], &witness["there"]), (&"public".into(), &"private".into()));
    assert!(witness["vnet"].as_str().unwrap().ends_with("/office") && witness["other"].as_str().unwrap().ends_with("/shop"), "{witness}");
    let texts: Vec<&str> = finding["because"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("no private zone answers")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("link shop makes the zone answer")), "{texts:?}");
    assert_eq!(found(&question.document("lint", &[]), "L-054"), [["ledger-pe", "office"]]);

    let name = "ledger.blob.core.windows.net";
    assert_eq!(question.document("effective dns", &["--at", "vnet:office", "--name", name])["answer"], "public");
    assert_eq!(question.document_after("effective dns", &["--at", "vnet:office", "--name", name])["addresses"][0], "10.20.9.4");
    assert!(found(&question.document_after("lint", &[]), "L-054").is_empty());
    assert_eq!(differs(&question.document_after("verify", &["--queries", &own]))["findings"].as_array().unwrap().len(), 0);
}

// covers: L-077, SEP-04, SEP-05
#[test]
fn what_would_a_strict_endpoint_policy_break() {
    let strict = format!("{QUESTIONS}/changes/a-strict-endpoint-policy.json");
    let wide = format!("{QUESTIONS}/changes/an-endpoint-policy-with-all-of-ours.json");
    let question = Question::new("a-strict-endpoint-policy", "a-strict-endpoint-policy");
    let lost = |change: &str| -> Vec<String> {
        let rows = question.rows("whatif", &["--change", change]);
        let reach = rows.iter().filter(|row| row["relation"] == "reach");
        reach
            .map(|row| {
                assert_eq!(row["change"], "-", "a policy opens nothing: {row}");
                let to = row["to"]["id"].as_str().map_or("external", |id| id.rsplit('/').next().unwrap());
                to.to_owned()
            })
            .collect()
    };
    assert_eq!(lost(&strict), ["external", "shoplogs"]);

    let broken = question.document_after("explain", &["--from", "vm:app01", "--to", "storage:shoplogs/blob"]);
    assert_eq!((&broken["verdict"], &broken["reason"]["stage"]), (&"denied".into(), &"service-endpoint-policy".into()), "{broken:#}");
    assert_eq!(broken["reason"]["rule"], "strict", "{broken:#}");

    // With both accounts on the list nothing of ours breaks, and strangers' accounts are out of reach.
    assert_eq!(lost(&wide), ["external"]);
    assert_eq!(found(&question.document("lint", &[]), "L-077"), [["app"]]);
    assert!(found(&question.document_after("lint", &[]), "L-077").is_empty());
}
