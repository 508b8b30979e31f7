//! The estates that the benches run on: understood whole, holding what they claim to hold, and answered the same on any number of workers.

#[path = "../../benches/exports/mod.rs"]
mod exports;

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use watertight::facts::Index;
use watertight::facts::estate::Estate;
use watertight::facts::extract::{INERT, is_modelled};
use watertight::ingest::{Input, read};

use crate::cli::watertight;

const RICH: &str = "rich.json";
const PRIVATE: &str = "private.json";

/// Both estates, small.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(RICH), exports::rich(40)).unwrap();
    fs::write(folder.path().join(PRIVATE), exports::private(16)).unwrap();
    folder
}

/// The tables of an export, all of whose types are understood.
fn index(bytes: Vec<u8>) -> Index {
    let loaded = read(vec![Input { name: "export".to_owned(), bytes }]);
    for resource in &loaded.resources {
        let kind = resource.kind.as_str();
        assert!(is_modelled(kind) || INERT.iter().any(|(inert, _)| *inert == kind), "{} is not understood", resource.id);
    }
    let (estate, diagnostics) = Estate::from_loaded(loaded);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    estate.facts().collect()
}

#[test]
fn every_resource_is_understood() {
    for bytes in [exports::rich(40), exports::private(16)] {
        let gaps: BTreeSet<String> = index(bytes).gaps.rows().map(|gap| format!("{}: {}", gap.resource, gap.what)).collect();
        assert_eq!(gaps, BTreeSet::new());
    }
}

#[test]
fn the_same_bytes_every_time() {
    assert!(exports::rich(40) == exports::rich(40));
    assert!(exports::private(16) == exports::private(16));
}

/// What is added stands in the hub and in every spoke.
#[test]
fn a_rich_estate_has_what_grown_estates_have() {
    let plain = index(exports::hub_spoke(40));
    let rich = index(exports::rich(40));
    assert_eq!((plain.azure_firewall.len(), rich.azure_firewall.len()), (0, 1));
    assert_eq!((plain.load_balancer.len(), rich.load_balancer.len()), (0, 5), "one before the appliance, one in every spoke");
}

/// The path of one of them, for the command line.
fn path(folder: &TempDir, estate: &str) -> String {
    folder.path().join(estate).display().to_string()
}

/// Every endpoint whose connection is approved answers, the others do not, by the public name and from every spoke that has no way out of its own.
#[test]
fn only_what_is_approved_is_reached() {
    let folder = folder();
    let hosts = [
        "stpe*.blob.core.windows.net",
        "kvpe*.vault.azure.net",
        "sqlpe*.database.windows.net",
        "cosmospe*.documents.azure.com",
        "evhpe*.servicebus.windows.net",
        "sbuspe*.servicebus.windows.net",
        "crpe*.azurecr.io",
        "apppe*.azurewebsites.net",
    ];
    let flow = |from: usize, n: usize| {
        let host = hosts[n % hosts.len()].replace('*', &format!("{n:05}"));
        let port = if host.starts_with("sql") { 1433 } else { 443 };
        let expect = if n.is_multiple_of(3) { "allowed" } else { "denied" };
        json!({ "from": format!("vm:vm-{from:05}"), "to": format!("fqdn:{host}"), "port": port, "expect": expect }).to_string()
    };
    let flows: Vec<String> = [0, 14].into_iter().flat_map(|from| (0..16).map(move |n| (from, n))).map(|(from, n)| flow(from, n)).collect();
    let said = watertight(folder.path(), &["check", &path(&folder, PRIVATE), "--flows", "-"], &flows.join("\n"));
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
}

#[test]
fn answers_are_the_same_on_any_number_of_workers() {
    let folder = folder();
    for estate in [RICH, PRIVATE] {
        let estate = &path(&folder, estate);
        for verb in ["verify", "exfil"] {
            let on = |workers: &str| watertight(folder.path(), &[verb, estate, "--format", "json", "--strict", "--workers", workers], "");
            let (one, three) = (on("1"), on("3"));
            assert!(one.code < 2, "{verb} of {estate}: {}", one.err);
            assert!(one.code == three.code && one.out == three.out, "{verb} of {estate} depends on the number of workers");
            let answer: Value = serde_json::from_str(&one.out).unwrap();
            let found = if verb == "verify" { &answer["checks"] } else { &answer["rows"] };
            assert!(found.as_array().is_some_and(|rows| !rows.is_empty()), "{verb} of {estate} finds nothing");
        }
    }
}
