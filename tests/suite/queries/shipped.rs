//! The shipped checks: complete, and each with a case that fires, a near miss and one that stays open.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use watertight::query::relations::catalog;
use watertight::query::shipped::{CHECKS, LINTS};
use watertight::query::verify::{Check, Outcome, run};
use watertight::query::{DEFAULT_BUDGET, library};

use super::{NETWORK, World, checks, root};

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
    let embedded = CHECKS.iter().chain(LINTS).map(|(path, _)| (*path).to_owned()).chain([derived.to_owned()]).collect();
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
    assert_eq!(library::derived().len(), 15);
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
        r#"nic("n", "machine", false). reaches("internet", "n", "public", "tcp", "20-25", "proven")."#,
        // The subnet says what its interfaces say.
        r#"nic("n", "machine", false). reaches("internet", "s", "public", "tcp", "22", "proven").
           reaches("internet", "n", "public", "tcp", "443", "proven"). reaches("internet", "n", "public", "udp", "22", "proven").
           reaches("onprem:hq", "n", "gateway", "tcp", "22", "proven")."#,
        r#"nic("n", "machine", false). reaches("internet", "n", "public", "tcp", "*", "unproven")."#,
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
        r#"inside("d"). zone_answer("z", "d", "d.blob.core.windows.net", "nxdomain", "proven")."#,
        r#"inside("d"). zone_answer("z", "d", "d.blob.core.windows.net", "private", "proven").
           zone_answer("z", "foreign", "foreign.blob.core.windows.net", "nxdomain", "proven")."#,
        r#"inside("d"). zone_answer("z", "d", "d.blob.core.windows.net", "nxdomain", "unproven")."#,
    ),
    (
        "dangling_private_record",
        r#"zone_answer("z", "d", "d.blob.core.windows.net", "dangling", "proven")."#,
        r#"zone_answer("z", "d", "d.blob.core.windows.net", "private", "proven")."#,
        r#"zone_answer("z", "d", "d.blob.core.windows.net", "dangling", "unproven")."#,
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
    ("name_resolves_to_nxdomain", r#"inside("d"). zone_answer("z", "d", "d.net", "unknown", "unproven")."#, Outcome::Unproven),
    ("name_resolves_to_nxdomain", r#"inside("d"). zone_answer("z", "d", "d.net", "nodata", "proven")."#, Outcome::Fail),
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
