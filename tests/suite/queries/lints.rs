//! The lints: complete, documented, and each with an estate in which it fires and one that is nearly the same in which it does not.

use std::collections::{BTreeMap, BTreeSet};

use watertight::facts::platform::Platform;
use watertight::query::lint::{self, Finding};
use watertight::query::relations::{Table, catalog};
use watertight::query::verify::Check;

use super::lint_cases::cases;
use super::{World, estate};

pub(super) fn program() -> Check {
    lint::compile(&estate()).unwrap_or_else(|error| panic!("{}", error.render()))
}

/// The facts of `text` with what is true of Azure.
fn world(text: &str) -> World {
    let mut world = World::new(text);
    let declared = catalog();
    let mut rows: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for (relation, cells) in Platform::builtin().cells() {
        rows.entry(relation).or_default().push(cells);
    }
    for (relation, rows) in rows {
        let kinds = &declared.iter().find(|one| one.name == relation).unwrap().columns;
        let rows = rows.iter().map(|cells| cells.iter().zip(kinds).map(|(cell, (_, kind))| kind.read(cell)).collect());
        world.0.insert(relation.to_owned(), Table::new(rows));
    }
    world
}

pub(super) fn findings(check: &Check, text: &str) -> Vec<Finding> {
    lint::run(check, &world(text)).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn every_lint_says_what_is_wrong_and_what_to_do() {
    let check = program();
    let violations = &check.program.violations;
    for violation in violations {
        let id = &violation.id;
        let digits = id.get(1..4).unwrap_or_default();
        assert!(id.starts_with('l') && digits.bytes().all(|b| b.is_ascii_digit()), "{id}");
        assert!(id.len() == 4 || id.as_bytes()[4] == b'_', "{id}");
        assert!(violation.reference.starts_with("https://learn.microsoft.com/"), "{id}");
        assert!(violation.certainty.is_some(), "{id} says how sure it is");
        assert!(!violation.title.ends_with('.') && violation.title.len() <= 100, "{id}: {}", violation.title);
        assert!(violation.repair.ends_with('.') && violation.repair.len() > 20, "{id}: {}", violation.repair);
        let columns = &check.program.declared[violation.relation].columns;
        assert!(columns.len() > 1, "{id}: the resource comes first");
        let known = include_str!("../rule_ids.txt");
        assert!(!violation.rules.is_empty(), "{id} names its rules");
        for rule in violation.rules.split(", ") {
            assert!(known.lines().any(|line| line == rule), "{id}: no rule {rule}");
        }
    }
    let wanted: BTreeSet<String> = [10..=24, 30..=35, 50..=99].into_iter().flatten().map(|n| format!("L-{n:03}")).collect();
    assert_eq!(lint::lints(&check).into_iter().map(|lint| lint.id).collect::<BTreeSet<String>>(), wanted);
}

/// A network with an approved private endpoint `e` at 10.1.9.4 for `d`, and a subnet `a` with a route table.
const NEAR_ENDPOINT: &str = r#"
    vnet("v", "eastus"). vnet_prefix("v", 10.1.0.0/16). subnet("p", "v", "p"). subnet("a", "v", "a"). subnet_prefix("p", 10.1.9.0/24).
    private_endpoint("e", "p", "eastus"). private_endpoint_address("e", "static", "blob", 10.1.9.4, "").
    consented("e", "c", "d", "blob", "approved", "proven"). store("d", "storage", "storagev2", "eastus"). subnet_route_table("a", "t").
"#;

/// A storage account `d` that admits subnet `a`, which has the service endpoint.
const BY_SUBNET: &str = r#"
    vnet("v", "eastus"). subnet("a", "v", "a"). subnet_service_endpoint("a", "microsoft.storage", "").
    store("d", "storage", "storagev2", "eastus"). store_subnet_rule("r", "d", "a", "yes"). endpoint_covers("a", "d", "microsoft.storage", "yes").
    inside("a"). inside("d").
"#;

const ACCOUNT: &str = "/subscriptions/s1/resourcegroups/g/providers/microsoft.storage/storageaccounts/d";

/// What stands in braces in the estates of the cases.
const PARTS: &[(&str, &str)] = &[
    ("{near}", NEAR_ENDPOINT),
    ("{by_subnet}", BY_SUBNET),
    ("{account}", ACCOUNT),
    ("{rule}", "/subscriptions/s/resourcegroups/g/providers/microsoft.network/dnsforwardingrulesets/rs/forwardingrules/u"),
    (
        "{loop}",
        r#"property("/subscriptions/s/resourcegroups/g/providers/microsoft.network/dnsresolvers/r/inboundendpoints/in",
             "properties.ipConfigurations[].subnet.id", "0", "/subscriptions/s/v/n1/subnets/in").
           property("/subscriptions/s/resourcegroups/g/providers/microsoft.network/dnsresolvers/r/inboundendpoints/in",
             "properties.ipConfigurations[].privateIpAddress", "0", "10.1.5.4").
           property("/subscriptions/s/resourcegroups/g/providers/microsoft.network/dnsforwardingrulesets/rs/virtualnetworklinks/l",
             "properties.virtualNetwork.id", "", "/subscriptions/s/v/n1").
           property("{rule}", "properties.targetDnsServers[].ipAddress", "0", "10.1.5.4")."#,
    ),
    (
        "{named}",
        r#"vnet("v", "eastus"). subnet("p", "v", "p"). private_endpoint("e", "p", "eastus"). consented("e", "c", "{account}", "blob", "approved", "proven").
           private_endpoint_connection("c", "e", "{account}", "blob", false, "approved", true).
           private_endpoint_address("e", "custom-dns", "", 10.1.9.4, "d.blob.core.windows.net").
           private_dns_zone("z", "privatelink.blob.core.windows.net"). zone_link("k", "z", "v", true, false, false)."#,
    ),
    (
        "{hidden}",
        r#"vnet("w", "eastus"). inside("d"). store("d", "storage", "storagev2", "eastus"). store_part("d", "blob", "primary", "d.blob.core.windows.net", "eastus").
           consented("e", "c", "d", "blob", "approved", "proven"). private_dns_zone("z", "privatelink.blob.core.windows.net").
           zone_link("k", "z", "w", true, false, false)."#,
    ),
    ("{cosmos}", r#"inside("db"). resource("db", "microsoft.documentdb/databaseaccounts", "db", "r", "s", "t", "g")."#),
    ("{app}", r#"resource("w/config/web", "microsoft.web/sites/config", "web", "r", "s", "t", "g")."#),
    (
        "{member}",
        r#"resource("nsp/resourceassociations/x", "microsoft.network/networksecurityperimeters/resourceassociations", "x", "r", "s", "t", "g").
           property("nsp/resourceassociations/x", "properties.privateLinkResource.id", "", "d")."#,
    ),
    ("{sensitive}", r#"sensitive("d"). resource("d", "microsoft.storage/storageaccounts", "d", "r", "s", "t", "g")."#),
    ("{nat}", r#"subnet_nat_gateway("a", "nat"). nat_gateway_public_ip("nat", "pip"). public_ip_address("pip", 20.0.0.1)."#),
    (
        "{policy}",
        r#"subnet("a", "v", "a"). subnet_service_endpoint("a", "microsoft.storage", "*"). subnet_endpoint_policy("a", "sep"). endpoint_policy("sep", "eastus")."#,
    ),
    ("{scope}", r#"endpoint_policy_scope("own", "sep", "microsoft.storage", "/subscriptions/s1/resourcegroups/g")."#),
    (
        "{site}",
        r#"connection("cn", "ipsec", "gw", "onp", "yes", false). local_gateway("onp", false). gateway_subnet("gw", "gs"). subnet("gs", "v", "gatewaysubnet")."#,
    ),
    (
        "{egress}",
        r#"subnet_nsg("a", "g"). nsg_rule("g/0", "g", "outbound", 100, "allow", "*", "virtualnetwork", "*", "storage", "*").
           nsg_rule("g/1", "g", "outbound", 110, "deny", "*", "virtualnetwork", "*", "internet", "*")."#,
    ),
    (
        "{probe}",
        r#"property("m", "properties.testConfigurations[].name", "0", "ping"). property("m", "properties.testGroups[].testConfigurations[]", "0.0", "ping").
           property("m", "properties.testGroups[].destinations[]", "0.0", "there"). property("m", "properties.testGroups[].destinations[]", "0.1", "host").
           property("m", "properties.endpoints[].name", "0", "there"). property("m", "properties.endpoints[].resourceId", "0", "/e").
           property("m", "properties.endpoints[].name", "1", "host"). property("m", "properties.endpoints[].address", "1", "d.blob.core.windows.net")."#,
    ),
];

fn spelled(text: &str) -> String {
    // Parts hold parts.
    let once = |text: String| PARTS.iter().fold(text, |text, (name, part)| text.replace(name, part));
    once(once(text.to_owned()))
}

#[test]
fn every_lint_fires_and_nearly_fires() {
    let check = program();
    let cased: BTreeSet<&str> = cases().map(|(case, ..)| *case).collect();
    assert_eq!(cased, check.program.violations.iter().map(|violation| violation.id.as_str()).collect());
    let mut wrong = Vec::new();
    for (case, fires, near) in cases() {
        let violation = check.program.violations.iter().find(|violation| violation.id == *case).unwrap();
        for (text, wanted) in [(fires, true), (near, false)] {
            let found = findings(&check, &spelled(text));
            let id = format!("L-{}", &case[1..4]);
            let fired = found.iter().any(|finding| finding.id == id && finding.repair == violation.repair);
            if fired != wanted {
                wrong.push(format!("{case} {} on {text}", if wanted { "does not fire" } else { "fires" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not in the input leaves a finding open: case, estate, whether it is proven.
const OPEN: &[(&str, &str, bool)] = &[
    ("L-012", r#"private_endpoint("e", "s", "r"). gap("e", "k", "what")."#, false),
    ("L-015", r#"subnet_nsg("p", "g"). private_endpoint("e", "p", "r"). subnet_private_endpoint_policy("p", "unknown")."#, false),
    ("L-016", r#"{near} route("rt", "t", "10.1.9.4/32", "virtualappliance", 10.1.0.9)."#, false),
    (
        "L-016",
        r#"{near} route("rt", "t", "10.1.9.4/32", "virtualappliance", 10.1.0.9). appliance("n", "no"). ip_config("i", "n", "x", true).
           ip_config_address("i", 10.1.0.9)."#,
        true,
    ),
    (
        "L-017",
        r#"inside("d"). property("d", "properties.isHnsEnabled", "", "true"). consented("e", "c", "d", "blob", "approved", "proven").
           store("d", "storage", "storagev2", "r"). consented("x", "c2", "d", "", "approved", "proven")."#,
        false,
    ),
    ("L-020", r#"inside("e"). consented("e", "c", "theirs", "blob", "unknown", "unproven")."#, false),
    ("L-021", r#"inside("d"). inside("x"). consented("x", "c", "d", "", "approved", "proven")."#, false),
    ("L-021", r#"inside("d"). consented("x", "c", "d", "", "unknown", "unproven")."#, false),
    ("L-031", r#"property("pls", "properties.ipConfigurations[].properties.subnet.id", "0", "a"). subnet("a", "v", "a")."#, false),
    ("L-053", r#"private_dns_zone("z", "privatelink.blob.core.windows.net"). zone_record("z/a/d", "z", "d", "a", "10.9.9.5")."#, false),
    (
        "L-054",
        r#"{near} vnet("w", "eastus"). peering("p", "v", "w", "unknown", true, true, false, false, false, true).
           resolves("w", "d", "blob", "d.blob.core.windows.net", "public")."#,
        false,
    ),
    ("L-057", r#"{named}"#, false),
    ("L-066", r#"inside("d"). property("d", "properties.publicNetworkAccess", "", "securedbyperimeter")."#, false),
    (
        "L-074",
        r#"inside("d"). subnet("a", "v", "a"). store_subnet_rule("r", "d", "a", "yes"). endpoint_covers("a", "d", "", "no"). gap("a", "k", "what")."#,
        false,
    ),
    ("L-076", r#"inside("d"). vnet("/v", "r"). store_subnet_rule("r", "d", "/v/subnets/a", "yes")."#, false),
    ("L-078", r#"inside("d"). subnet_service_endpoint("a", "microsoft.sql", ""). store("q", "sql", "v12.0", "r")."#, false),
    ("L-080", r#"{policy}"#, false),
    (
        "L-087",
        r#"inside("d"). store("d", "storage", "storagev2", "eastus"). store_ip_rule("i", "d", 20.0.0.9, 20.0.0.9). address_tag(20.0.0.9, "azurecloud.eastus")."#,
        false,
    ),
    ("L-089", r#"{by_subnet} {site} store_ip_rule("i", "d", 203.0.113.10, 203.0.113.10)."#, false),
    (
        "L-095",
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "*", "*", "*", "internet", "*").
           nsg_rule("g/0", "g", "outbound", 100, "allow", "tcp", "*", "*", "20.60.0.0/16", "443")."#,
        false,
    ),
];

#[test]
fn what_the_input_does_not_say_is_unproven() {
    let check = program();
    for (id, text, proven) in OPEN {
        let found = findings(&check, &spelled(text));
        let certain: BTreeSet<bool> = found.iter().filter(|finding| finding.id == *id).map(|finding| finding.proven).collect();
        assert_eq!(certain, BTreeSet::from([*proven]), "{id} on {text}");
    }
}

#[test]
fn a_finding_names_its_resource_first_and_the_others_as_related() {
    let text = r#"resource("/pls", "microsoft.network/privatelinkservices", "pls", "r", "s", "t", "g"). inside("/pls").
        consented("/x/pe", "c", "/pls", "", "approved", "proven")."#;
    let found = findings(&program(), text);
    let finding = found.iter().find(|finding| finding.id == "L-035").unwrap();
    assert_eq!((finding.resource.as_str(), finding.related.as_slice()), ("/pls", ["/x/pe".to_owned()].as_slice()));
    let json: serde_json::Value = serde_json::from_str(&lint::to_json(&found, &[])).unwrap();
    assert_eq!(json["schema"], "watertight.lint/1");
    let row = json["findings"].as_array().unwrap().iter().find(|row| row["id"] == "L-035").unwrap();
    assert_eq!((&row["severity"], &row["resource"], &row["related"][0]), (&"high".into(), &"/pls".into(), &"/x/pe".into()));
    assert!(row["message"].as_str().unwrap().contains("/x/pe") && row["repair"].as_str().unwrap().ends_with('.'));
}

#[test]
fn a_rule_inside_a_body_is_no_related_resource() {
    let rule = |known: &str| format!(r#"inside("/d"). store_ip_rule("/d/iprules/0", "/d", 10.0.0.1, 10.0.0.1). {known}"#);
    let related = |text: String| -> Vec<String> {
        let found = findings(&program(), &text);
        found.iter().find(|finding| finding.id == "L-075").unwrap().related.clone()
    };
    assert_eq!(related(rule("")), [] as [&str; 0]);
    assert_eq!(related(rule(r#"resource("/d/iprules/0", "k", "0", "r", "s", "t", "g")."#)), ["/d/iprules/0"]);
}
