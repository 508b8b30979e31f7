//! The lints: complete, documented, and each with an estate in which it fires and one that is nearly the same in which it does not.

use std::collections::{BTreeMap, BTreeSet};

use watertight::facts::platform::Platform;
use watertight::query::lint::{self, Finding};
use watertight::query::relations::{Table, catalog};
use watertight::query::verify::Check;

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

/// Case of a lint, what makes it fire, what comes near and must not. `{account}` is the id of a storage account.
const CASES: &[(&str, &str, &str)] = &[
    // covers: L-010
    (
        "l010",
        r#"private_endpoint("e", "s", "r"). consented("e", "c", "d", "blob", "disconnected", "proven")."#,
        r#"private_endpoint("e", "s", "r"). consented("e", "c", "d", "blob", "rejected", "proven")."#,
    ),
    // covers: L-011
    (
        "l011",
        r#"consented("e", "c", "d", "blob", "rejected", "proven")."#,
        r#"private_endpoint("e", "s", "r"). consented("e", "c", "d", "blob", "pending", "proven")."#,
    ),
    // covers: L-012, PE-01
    (
        "l012",
        r#"private_endpoint_connection("c", "e", "d", "blob", false, "approved", true).
           private_endpoint_connection("c2", "e", "x", "vault", true, "approved", true)."#,
        // One connection for two groups.
        r#"private_endpoint("e", "s", "r"). private_endpoint_connection("c", "e", "d", "blob", false, "approved", true).
           private_endpoint_connection("c", "e", "d", "file", false, "approved", true)."#,
    ),
    ("l012", r#"private_endpoint("e", "s", "r")."#, ""),
    // covers: L-013, PE-05
    (
        "l013",
        r#"private_endpoint_connection("c", "e", "d", "blob", false, "approved", true). store("d", "storage", "storage", "r")."#,
        r#"private_endpoint_connection("c", "e", "d", "blob", false, "approved", true). store("d", "storage", "storagev2", "r")."#,
    ),
    // covers: L-014
    (
        "l014",
        r#"private_endpoint_connection("c", "e", "d", "blob", false, "unknown", true). resource("e", "k", "e", "r", "s1", "t1", "g").
           resource("d", "k", "d", "r", "s2", "t2", "g")."#,
        r#"private_endpoint_connection("c", "e", "d", "blob", true, "pending", true). resource("e", "k", "e", "r", "s1", "t1", "g").
           resource("d", "k", "d", "r", "s2", "t2", "g")."#,
    ),
    // covers: L-015
    (
        "l015",
        r#"subnet_nsg("p", "g"). private_endpoint("e", "p", "r"). subnet_private_endpoint_policy("p", "routetableenabled")."#,
        r#"subnet_nsg("p", "g"). private_endpoint("e", "p", "r"). subnet_private_endpoint_policy("p", "networksecuritygroupenabled").
           subnet_nsg("a", "g")."#,
    ),
    (
        "l015_placed",
        r#"era("2019"). private_endpoint("e", "p", "r"). subnet_private_endpoint_policy("p", "enabled")."#,
        r#"private_endpoint("e", "p", "r"). subnet_private_endpoint_policy("p", "enabled")."#,
    ),
    // covers: L-016
    (
        "l016",
        r#"{near} route("rt", "t", "10.1.9.4/32", "virtualappliance", 10.1.0.9)."#,
        r#"{near} route("rt", "t", "10.1.9.4/32", "virtualappliance", 10.1.0.9). appliance("n", "yes"). ip_config("i", "n", "x", true).
           ip_config_address("i", 10.1.0.9). route("other", "t", "10.2.0.0/16", "virtualappliance", 10.1.0.8)."#,
    ),
    (
        "l016",
        r#"{near} route("rt", "t", "10.1.9.0/24", "virtualappliance", 10.1.0.9). subnet_private_endpoint_policy("p", "routetableenabled")."#,
        r#"{near} route("rt", "t", "10.1.9.0/24", "virtualappliance", 10.1.0.9)."#,
    ),
    (
        "l016_short",
        r#"{near} route("rt", "t", "0.0.0.0/0", "virtualappliance", 10.1.0.9). subnet_private_endpoint_policy("p", "enabled")."#,
        r#"{near} route("rt", "t", "10.1.9.4/32", "virtualappliance", 10.1.0.9). route("out", "t", "0.0.0.0/0", "internet", "")."#,
    ),
    ("l016_short", r#"{near} route("rt", "t", "10.1.9.0/24", "virtualappliance", 10.1.0.9)."#, r#"{near}"#),
    // covers: L-017, PE-36
    (
        "l017",
        r#"inside("d"). property("d", "properties.isHnsEnabled", "", "true"). consented("e", "c", "d", "blob", "approved", "proven")."#,
        r#"inside("d"). property("d", "properties.isHnsEnabled", "", "true"). consented("e", "c", "d", "blob", "approved", "proven").
           consented("f", "c2", "d", "dfs", "pending", "proven")."#,
    ),
    // covers: L-018
    (
        "l018",
        r#"inside("d"). store_part("d", "blob", "secondary", "h", "r"). consented("e", "c", "d", "blob", "approved", "proven")."#,
        r#"inside("d"). store_part("d", "blob", "secondary", "h", "r"). consented("e", "c", "d", "blob", "approved", "proven").
           consented("f", "c2", "d", "blob_secondary", "approved", "proven")."#,
    ),
    // covers: L-019, PE-08
    (
        "l019",
        r#"private_endpoint("e", "p", "westus"). subnet("p", "v", "p"). vnet("v", "eastus")."#,
        r#"private_endpoint("e", "p", "eastus"). subnet("p", "v", "p"). vnet("v", "eastus")."#,
    ),
    (
        "l019",
        r#"private_endpoint("e", "p", ""). subnet("p", "v", "p"). resource("e", "k", "e", "r", "s1", "t", "g").
           resource("v", "k", "v", "r", "s2", "t", "g")."#,
        r#"private_endpoint("e", "p", ""). subnet("p", "v", "p"). resource("e", "k", "e", "r", "s1", "t", "g").
           resource("v", "k", "v", "r", "s1", "t", "g")."#,
    ),
    // covers: L-020
    (
        "l020",
        r#"inside("e"). consented("e", "c", "theirs", "blob", "pending", "proven")."#,
        r#"inside("e"). inside("d"). inside("pls"). consented("e", "c", "d", "blob", "approved", "proven").
           consented("e", "c2", "theirs", "blob", "rejected", "proven").
           consented("e", "c3", "Mine.alias", "", "approved", "proven"). property("pls", "properties.alias", "", "mine.alias").
           private_endpoint_connection("c3", "e", "Mine.alias", "", true, "approved", true)."#,
    ),
    // covers: L-021
    (
        "l021",
        r#"inside("d"). consented("x", "c", "d", "", "approved", "proven")."#,
        r#"inside("d"). consented("x", "c", "d", "", "pending", "proven"). inside("e"). private_endpoint("e", "p", "r").
           consented("e", "c2", "d", "blob", "approved", "proven")."#,
    ),
    // covers: L-022
    (
        "l022",
        r#"consented("x", "c", "d", "", "pending", "proven")."#,
        r#"private_endpoint("e", "p", "r"). consented("e", "c", "d", "blob", "unknown", "unproven")."#,
    ),
    // covers: L-023
    (
        "l023",
        r#"private_endpoint("e", "p", "r"). private_endpoint("f", "q", "r"). subnet("p", "v", "p"). subnet("q", "v", "q").
           private_endpoint_connection("c", "e", "d", "blob", false, "approved", true).
           private_endpoint_connection("c2", "f", "d", "blob", false, "approved", true)."#,
        r#"private_endpoint("e", "p", "r"). private_endpoint("f", "q", "r"). subnet("p", "v", "p"). subnet("q", "w", "q").
           private_endpoint_connection("c", "e", "d", "blob", false, "approved", true).
           private_endpoint_connection("c2", "f", "d", "blob", false, "approved", true)."#,
    ),
    // covers: L-024
    (
        "l024",
        r#"private_endpoint_connection("c", "e", "{account}", "vault", false, "approved", true)."#,
        r#"private_endpoint_connection("c", "e", "{account}", "blob", false, "approved", true).
           private_endpoint_connection("c2", "f", "/subscriptions/s1/resourcegroups/g/providers/microsoft.new/things/t", "x", false, "approved", true)."#,
    ),
    // covers: L-030
    (
        "l030",
        r#"resource("pls", "microsoft.network/privatelinkservices", "pls", "r", "s", "t", "g"). property("lb", "sku.name", "", "basic").
           property("pls", "properties.loadBalancerFrontendIpConfigurations[].id", "0", "lb/frontends/f")."#,
        r#"resource("pls", "microsoft.network/privatelinkservices", "pls", "r", "s", "t", "g"). property("lb", "sku.name", "", "standard").
           property("pls", "properties.loadBalancerFrontendIpConfigurations[].id", "0", "lb/frontends/f").
           resource("lb", "microsoft.network/loadbalancers", "lb", "r", "s", "t", "g").
           resource("direct", "microsoft.network/privatelinkservices", "direct", "r", "s", "t", "g").
           property("direct", "properties.destinationIPAddress", "", "10.0.0.4")."#,
    ),
    ("l030", r#"resource("pls", "microsoft.network/privatelinkservices", "pls", "r", "s", "t", "g")."#, ""),
    // covers: L-031
    (
        "l031",
        r#"property("pls", "properties.ipConfigurations[].properties.subnet.id", "0", "a"). subnet("a", "v", "a").
           property("a", "properties.privateLinkServiceNetworkPolicies", "", "enabled")."#,
        r#"property("pls", "properties.ipConfigurations[].properties.subnet.id", "0", "a"). subnet("a", "v", "a").
           property("a", "properties.privateLinkServiceNetworkPolicies", "", "disabled")."#,
    ),
    // covers: L-032, PLS-12
    (
        "l032",
        r#"property("pls", "properties.enableProxyProtocol", "", "true")."#,
        r#"property("pls", "properties.enableProxyProtocol", "", "false")."#,
    ),
    // covers: L-033
    (
        "l033",
        r#"property("pls", "properties.visibility.subscriptions[]", "0", "*"). property("pls", "properties.autoApproval.subscriptions[]", "0", "*")."#,
        r#"property("pls", "properties.visibility.subscriptions[]", "0", "*")."#,
    ),
    (
        "l033_visible",
        r#"property("pls", "properties.visibility.subscriptions[]", "0", "*")."#,
        r#"property("pls", "properties.visibility.subscriptions[]", "0", "s1")."#,
    ),
    // covers: L-034
    (
        "l034",
        r#"property("pls", "properties.visibility.subscriptions[]", "0", "s1"). property("pls", "properties.autoApproval.subscriptions[]", "0", "s2")."#,
        r#"property("pls", "properties.visibility.subscriptions[]", "0", "s1").
           property("pls", "properties.autoApproval.subscriptions[]", "0", "/subscriptions/s1")."#,
    ),
    // covers: L-035
    (
        "l035",
        r#"resource("pls", "microsoft.network/privatelinkservices", "pls", "r", "s", "t", "g"). inside("pls").
           consented("x", "c", "pls", "", "approved", "proven")."#,
        r#"resource("pls", "microsoft.network/privatelinkservices", "pls", "r", "s", "t", "g"). inside("pls").
           consented("x", "c", "pls", "", "pending", "proven")."#,
    ),
    (
        "l035",
        r#"inside("pls"). property("pls", "properties.visibility.subscriptions[]", "0", "sx").
           property("pls", "properties.autoApproval.subscriptions[]", "0", "sx")."#,
        r#"inside("pls"). inside("/subscriptions/s1"). property("pls", "properties.visibility.subscriptions[]", "0", "s1").
           property("pls", "properties.autoApproval.subscriptions[]", "0", "s1"). property("pls", "properties.autoApproval.subscriptions[]", "1", "sx")."#,
    ),
    // covers: L-050
    ("l050", r#"mixed_servers("v", "h", "proven")."#, r#"vnet_dns("v", 0, 10.0.0.4). vnet_dns("v", 1, 10.0.0.5)."#),
    // covers: L-051
    (
        "l051",
        r#"private_dns_zone("z", "n"). private_dns_zone("y", "n"). zone_link("k", "z", "v", true, false, false). zone_link("l", "y", "v", true, false, false)."#,
        r#"private_dns_zone("z", "n"). private_dns_zone("y", "n"). zone_link("k", "z", "v", true, false, false). zone_link("l", "y", "w", true, false, false)."#,
    ),
    // covers: L-052
    (
        "l052",
        r#"{loop} property("{rule}", "properties.domainName", "", "corp.example.")."#,
        r#"{loop} property("{rule}", "properties.domainName", "", "blob.corp.example.").
           private_dns_zone("z", "corp.example"). zone_link("k", "z", "/subscriptions/s/v/n1", true, false, false)."#,
    ),
    (
        "l052",
        r#"{loop} property("{rule}", "properties.domainName", "", "corp.example."). property("{rule}", "properties.forwardingRuleState", "", "enabled")."#,
        r#"{loop} property("{rule}", "properties.domainName", "", "corp.example."). property("{rule}", "properties.forwardingRuleState", "", "disabled")."#,
    ),
    // covers: L-053
    (
        "l053",
        r#"{near} private_dns_zone("z", "privatelink.blob.core.windows.net"). zone_record("z/a/d", "z", "d", "a", "10.1.9.5")."#,
        r#"{near} private_dns_zone("z", "privatelink.blob.core.windows.net"). zone_record("z/a/d", "z", "d", "a", "10.1.9.4").
           store_part("d", "blob", "primary", "d.blob.core.windows.net", "eastus"). private_dns_zone("own", "corp.example").
           zone_record("own/a/x", "own", "x", "a", "10.1.9.77")."#,
    ),
    // The address is that of an endpoint for another account.
    (
        "l053",
        r#"{near} private_dns_zone("z", "privatelink.blob.core.windows.net"). zone_record("z/a/o", "z", "o", "a", "10.1.9.4").
           store_part("o", "blob", "primary", "o.blob.core.windows.net", "eastus")."#,
        r#"{near} private_dns_zone("z", "privatelink.blob.core.windows.net")."#,
    ),
    // covers: L-054
    (
        "l054",
        r#"{near} resolves("v", "d", "blob", "d.blob.core.windows.net", "public")."#,
        r#"{near} resolves("v", "d", "blob", "d.blob.core.windows.net", "private"). vnet("far", "eastus").
           resolves("far", "d", "blob", "d.blob.core.windows.net", "public")."#,
    ),
    // covers: L-055
    ("l055", r#"private_dns_zone("z", "blob.core.windows.net")."#, r#"private_dns_zone("z", "privatelink.blob.core.windows.net")."#),
    // covers: L-056, DNS-31
    (
        "l056",
        r#"zone_group("g", "e", "z"). zone_group("h", "f", "z"). private_endpoint_connection("c", "e", "d", "blob", false, "approved", true).
           private_endpoint_connection("c2", "f", "d", "blob", false, "approved", true)."#,
        r#"zone_group("g", "e", "z"). zone_group("h", "f", "y"). private_endpoint_connection("c", "e", "d", "blob", false, "approved", true).
           private_endpoint_connection("c2", "f", "d", "blob", false, "approved", true)."#,
    ),
    // covers: L-057
    (
        "l057",
        r#"{named} zone_record("z/soa", "z", "@", "soa", "")."#,
        r#"{named} zone_record("z/soa", "z", "@", "soa", ""). zone_record("z/a/d", "z", "d", "a", "10.1.9.4")."#,
    ),
    // covers: L-058
    (
        "l058",
        r#"{hidden} exposed("d", "blob", "internet", "proven"). resolves("w", "d", "blob", "d.blob.core.windows.net", "nxdomain")."#,
        r#"{hidden} exposed("d", "blob", "internet", "proven"). resolves("w", "d", "blob", "d.blob.core.windows.net", "public")."#,
    ),
    (
        "l058",
        r#"{hidden} exposed("d", "blob", "any-azure", "proven"). resolves("w", "d", "blob", "d.blob.core.windows.net", "nxdomain")."#,
        // Nobody there could reach it anyway.
        r#"{hidden} resolves("w", "d", "blob", "d.blob.core.windows.net", "nxdomain")."#,
    ),
    // covers: L-059
    ("l059", r#"zone_link("k", "z", "v", true, false, true)."#, r#"zone_link("k", "z", "v", true, true, false)."#),
    // covers: L-060
    (
        "l060",
        r#"inside("d"). exposed("d", "blob", "internet", "proven"). consented("e", "c", "d", "blob", "approved", "proven")."#,
        r#"inside("d"). exposed("d", "blob", "any-azure", "proven"). consented("e", "c", "d", "blob", "approved", "proven")."#,
    ),
    (
        "l060",
        r#"inside("x"). property("x", "properties.publicNetworkAccess", "", "enabled"). consented("e", "c", "x", "account", "approved", "proven")."#,
        r#"inside("x"). property("x", "properties.publicNetworkAccess", "", "disabled"). consented("e", "c", "x", "account", "approved", "proven")."#,
    ),
    // covers: L-061
    (
        "l061",
        r#"sensitive("d"). exposed("d", "blob", "internet", "proven")."#,
        r#"sensitive("d"). exposed("d", "blob", "any-azure", "proven"). exposed("x", "blob", "internet", "proven")."#,
    ),
    // covers: L-062
    (
        "l062",
        r#"{cosmos} consented("e", "c", "db", "sql", "approved", "proven")."#,
        r#"{cosmos} consented("e", "c", "db", "sql", "approved", "proven"). property("db", "properties.ipRules[].ipAddressOrRange", "0", "192.0.2.1")."#,
    ),
    // covers: L-063
    (
        "l063",
        r#"inside("eh"). resource("eh/networkrulesets/default", "microsoft.eventhub/namespaces/networkrulesets", "default", "r", "s", "t", "g").
           property("eh/networkrulesets/default", "properties.defaultAction", "", "deny")."#,
        r#"inside("eh"). resource("eh/networkrulesets/default", "microsoft.eventhub/namespaces/networkrulesets", "default", "r", "s", "t", "g").
           property("eh/networkrulesets/default", "properties.defaultAction", "", "deny").
           property("eh/networkrulesets/default", "properties.ipRules[].ipMask", "0", "192.0.2.1")."#,
    ),
    (
        "l063",
        r#"inside("eh"). inside("sb"). resource("sb", "microsoft.servicebus/namespaces", "sb", "r", "s", "t", "g"). property("sb", "sku.name", "", "standard")."#,
        r#"inside("eh"). inside("sb"). resource("sb", "microsoft.servicebus/namespaces", "sb", "r", "s", "t", "g"). property("sb", "sku.name", "", "premium").
           resource("eh", "microsoft.eventhub/namespaces", "eh", "r", "s", "t", "g"). property("eh", "sku.name", "", "standard")."#,
    ),
    // covers: L-064
    (
        "l064",
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.ipSecurityRestrictions[].vnetSubnetResourceId", "0", "a").
           consented("e", "c", "w", "sites", "approved", "proven")."#,
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.ipSecurityRestrictions[].vnetSubnetResourceId", "0", "a")."#,
    ),
    (
        "l064_open",
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.ipSecurityRestrictions[].action", "0", "allow").
           property("w/config/web", "properties.siteConfig.ipSecurityRestrictionsDefaultAction", "", "allow")."#,
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.ipSecurityRestrictions[].action", "0", "deny").
           property("w/config/web", "properties.siteConfig.ipSecurityRestrictionsDefaultAction", "", "allow")."#,
    ),
    // covers: L-065
    (
        "l065",
        r#"inside("q"). store("q", "sql", "v12.0", "r"). store_ip_rule("q/firewallrules/azure", "q", 0.0.0.0, 0.0.0.0)."#,
        r#"inside("q"). store("q", "sql", "v12.0", "r"). store_ip_rule("q/firewallrules/azure", "q", 0.0.0.0, 0.0.0.0).
           property("q", "properties.publicNetworkAccess", "", "disabled"). store_ip_rule("p/firewallrules/x", "p", 192.0.2.1, 192.0.2.1)."#,
    ),
    (
        "l065",
        r#"inside("pg"). property("pg/firewallrules/x", "properties.startIpAddress", "", "0.0.0.0"). property("pg/firewallrules/x", "properties.endIpAddress", "", "0.0.0.0")."#,
        r#"inside("pg"). property("pg/firewallrules/x", "properties.startIpAddress", "", "192.0.2.1"). property("pg/firewallrules/x", "properties.endIpAddress", "", "192.0.2.9")."#,
    ),
    (
        "l065",
        r#"{cosmos} property("db", "properties.ipRangeFilter", "", "192.0.2.1,0.0.0.0")."#,
        r#"{cosmos} property("db", "properties.ipRangeFilter", "", "192.0.2.1")."#,
    ),
    // covers: L-066
    (
        "l066",
        r#"{member} property("nsp/resourceassociations/x", "properties.accessMode", "", "learning")."#,
        r#"{member} property("nsp/resourceassociations/x", "properties.accessMode", "", "enforced")."#,
    ),
    (
        "l066_alone",
        r#"inside("d"). property("d", "properties.publicNetworkAccess", "", "securedbyperimeter")."#,
        r#"inside("d"). {member} property("d", "properties.publicNetworkAccess", "", "securedbyperimeter")."#,
    ),
    // covers: L-067
    ("l067", r#"{sensitive}"#, r#"{sensitive} property("d", "properties.allowedCopyScope", "", "aad")."#),
    (
        "l067_relied",
        r#"{sensitive} property("d", "properties.allowedCopyScope", "", "aad"). exposed("d", "blob", "internet", "proven")."#,
        r#"{sensitive} property("d", "properties.allowedCopyScope", "", "aad"). exposed("d", "blob", "trusted-services", "proven")."#,
    ),
    // covers: L-068
    (
        "l068",
        r#"{sensitive} store("d", "storage", "storagev2", "r"). exposed("d", "blob", "trusted-services", "proven")."#,
        r#"{sensitive} store("d", "storage", "classic", "r"). exposed("d", "blob", "trusted-services", "proven")."#,
    ),
    // covers: L-069
    (
        "l069",
        r#"inside("d"). property("d", "properties.publicNetworkAccess", "", "disabled"). property("d", "properties.networkAcls.defaultAction", "", "allow")."#,
        r#"inside("d"). property("d", "properties.publicNetworkAccess", "", "disabled"). property("d", "properties.networkAcls.defaultAction", "", "deny")."#,
    ),
    // covers: L-070
    (
        "l070",
        r#"inside("d"). {by_subnet} {nat} store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1)."#,
        r#"inside("d"). {by_subnet} {nat} store_ip_rule("i", "d", 20.0.0.2, 20.0.0.2)."#,
    ),
    (
        "l070",
        r#"inside("d"). {nat} store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1). endpoint_covers("a", "d", "microsoft.storage", "maybe")."#,
        r#"inside("d"). {nat} store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1). endpoint_covers("a", "d", "microsoft.storage", "no")."#,
    ),
    // covers: L-071
    (
        "l071",
        r#"subnet_service_endpoint("a", "microsoft.storage", "*"). subnet_service_endpoint("a", "microsoft.storage.global", "*")."#,
        r#"subnet_service_endpoint("a", "microsoft.storage", "*"). subnet_service_endpoint("b", "microsoft.storage.global", "*")."#,
    ),
    // covers: L-072
    (
        "l072",
        r#"inside("q"). store("q", "sql", "v12.0", "r"). store_subnet_rule("x", "q", "/subscriptions/s2/vnets/v/subnets/a", "yes").
           resource("q", "k", "q", "r", "s1", "t1", "g"). resource("other", "k", "o", "r", "s2", "t2", "g")."#,
        r#"inside("q"). store("q", "storage", "storagev2", "r"). store_subnet_rule("x", "q", "/subscriptions/s2/vnets/v/subnets/a", "yes").
           resource("q", "k", "q", "r", "s1", "t1", "g"). resource("other", "k", "o", "r", "s2", "t2", "g")."#,
    ),
    // covers: L-073
    (
        "l073",
        r#"subnet_route_table("a", "t"). route("rt", "t", "0.0.0.0/0", "virtualappliance", 10.0.0.4). subnet_prefix("a", 10.1.1.0/24).
           subnet_service_endpoint("a", "microsoft.sql", "")."#,
        // The appliance's own subnet may have it.
        r#"subnet_route_table("a", "t"). route("rt", "t", "0.0.0.0/0", "virtualappliance", 10.1.1.4). subnet_prefix("a", 10.1.1.0/24).
           subnet_service_endpoint("a", "microsoft.sql", "")."#,
    ),
    // covers: L-074
    (
        "l074",
        r#"inside("d"). subnet("a", "v", "a"). store("d", "storage", "storagev2", "r"). store_subnet_rule("r", "d", "a", "yes"). endpoint_covers("a", "d", "", "no")."#,
        r#"inside("d"). {by_subnet}"#,
    ),
    (
        "l074_waits",
        r#"inside("q"). subnet("a", "v", "a"). store_subnet_rule("q/virtualnetworkrules/r", "q", "a", "yes"). endpoint_covers("a", "q", "", "no").
           property("q/virtualnetworkrules/r", "properties.ignoreMissingVnetServiceEndpoint", "", "true")."#,
        r#"inside("q"). subnet("a", "v", "a"). store_subnet_rule("q/virtualnetworkrules/r", "q", "a", "yes"). endpoint_covers("a", "q", "", "no").
           property("q/virtualnetworkrules/r", "properties.ignoreMissingVnetServiceEndpoint", "", "false")."#,
    ),
    (
        "l074_waits",
        r#"inside("kv"). subnet("a", "v", "a"). store_subnet_rule("kv/virtualnetworkrules/0", "kv", "a", "yes"). endpoint_covers("a", "kv", "", "no").
           property("kv", "properties.networkAcls.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint", "0", "true")."#,
        r#"inside("kv"). subnet("a", "v", "a"). store_subnet_rule("kv/virtualnetworkrules/1", "kv", "a", "yes"). endpoint_covers("a", "kv", "", "no").
           property("kv", "properties.networkAcls.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint", "0", "true")."#,
    ),
    // covers: L-075
    (
        "l075",
        r#"inside("d"). store_ip_rule("r", "d", 10.0.0.0, 10.0.0.255)."#,
        r#"inside("d"). store_ip_rule("r", "d", 192.0.2.0, 192.0.2.255)."#,
    ),
    (
        "l075",
        r#"inside("d"). store_ip_rule("r", "d", 2001:db8::1, 2001:db8::1)."#,
        r#"inside("d"). store_ip_rule("d/ipv6rules/0", "d", 2001:db8::1, 2001:db8::1)."#,
    ),
    (
        "l075",
        r#"inside("d"). resource("d", "microsoft.storage/storageaccounts", "d", "r", "s", "t", "g"). property("d", "properties.networkAcls.ipRules[].value", "0", "192.0.2.1/32")."#,
        r#"inside("d"). resource("d", "microsoft.storage/storageaccounts", "d", "r", "s", "t", "g"). property("d", "properties.networkAcls.ipRules[].value", "0", "192.0.2.0/30")."#,
    ),
    // covers: L-076
    (
        "l076",
        r#"inside("d"). subnet("a", "v", "a"). store_subnet_rule("r", "d", "a", "no")."#,
        r#"inside("d"). {by_subnet} store_subnet_rule("r2", "d", "/subscriptions/sx/vnets/w/subnets/b", "yes")."#,
    ),
    (
        "l076",
        r#"inside("d"). vnet("/v", "r"). child_type("/v", "microsoft.network/virtualnetworks/subnets"). store_subnet_rule("r", "d", "/v/subnets/a", "yes")."#,
        r#"inside("d"). vnet("/v", "r"). child_type("/v", "microsoft.network/virtualnetworks/subnets"). store_subnet_rule("r", "d", "/v/subnets/a", "yes").
           subnet("/v/subnets/a", "/v", "a")."#,
    ),
    // covers: L-077
    (
        "l077",
        r#"{by_subnet} leaks_directly("a", "external:storage", "service-endpoint", "proven")."#,
        r#"{by_subnet} leaks_directly("a", "external:storage", "service-endpoint", "proven"). subnet_endpoint_policy("a", "sep")."#,
    ),
    (
        "l077",
        r#"{by_subnet} leaks_directly("a", "external:storage", "service-endpoint", "unproven")."#,
        r#"{by_subnet} leaks_directly("a", "external:storage", "public", "proven")."#,
    ),
    // covers: L-078
    (
        "l078",
        r#"subnet_service_endpoint("a", "microsoft.keyvault", "*"). store("kv", "keyvault", "", "r")."#,
        r#"subnet_service_endpoint("a", "microsoft.keyvault", "*"). store("kv", "keyvault", "", "r"). store_subnet_rule("r", "kv", "a", "yes")."#,
    ),
    (
        "l078_open",
        r#"subnet_service_endpoint("a", "microsoft.storage", "*"). store("d", "storage", "storagev2", "r"). inside("d"). exposed("d", "blob", "internet", "proven")."#,
        r#"subnet_service_endpoint("a", "microsoft.storage", "*"). store("d", "storage", "storagev2", "r"). inside("d").
           exposed("d", "blob", "internet", "proven"). store_subnet_rule("r", "e", "a", "yes"). store("e", "storage", "storagev2", "r")."#,
    ),
    // covers: L-079
    (
        "l079",
        r#"inside("q"). store("q", "sql", "v12.0", "r")."#,
        r#"inside("q"). store("q", "sql", "v12.0", "r"). property("q", "properties.publicNetworkAccess", "", "disabled"). store("d", "storage", "", "r")."#,
    ),
    // covers: L-080
    (
        "l080",
        r#"{policy} endpoint_policy_scope("def", "sep", "global", "/services/azure")."#,
        r#"{policy} endpoint_policy_scope("def", "sep", "global", "/services/azure"). endpoint_policy_scope("def2", "sep", "microsoft.storage", "/subscriptions/s1")."#,
    ),
    (
        "l080",
        r#"{policy}"#,
        // Another policy of the subnet filters.
        r#"{policy} subnet_endpoint_policy("a", "sep2"). endpoint_policy("sep2", "eastus"). endpoint_policy_scope("def2", "sep2", "microsoft.storage", "/subscriptions/s1/x")."#,
    ),
    // covers: L-081
    ("l081", r#"subnet("a", "v", "a"). subnet_endpoint_policy("a", "sep")."#, r#"{policy}"#),
    // covers: L-082, SEP-13
    ("l082", r#"{policy} vnet("v", "westus")."#, r#"{policy} vnet("v", "eastus")."#),
    (
        "l082",
        r#"{policy} resource("sep", "k", "n", "eastus", "s1", "t", "g"). resource("v", "k", "n", "eastus", "s2", "t", "g")."#,
        r#"{policy} resource("sep", "k", "n", "eastus", "s1", "t", "g"). resource("v", "k", "n", "eastus", "s1", "t", "g")."#,
    ),
    // covers: L-083, SEP-18
    (
        "l083",
        r#"{policy} {scope} subnet_delegation("a", "microsoft.sql/managedinstances")."#,
        r#"{policy} {scope} subnet_delegation("a", "microsoft.sql/managedinstances"). endpoint_policy_scope("def", "sep", "global", "/services/azure")."#,
    ),
    (
        "l083",
        r#"{policy} {scope} device("r1", "other", "a"). resource("r1", "microsoft.cache/redis", "r1", "r", "s", "t", "g")."#,
        r#"{policy} {scope} device("r1", "other", "a"). resource("r1", "microsoft.cache/redis", "r1", "r", "s", "t", "g").
           endpoint_policy_scope("def", "sep", "global", "/services/azure/rediscache")."#,
    ),
    // covers: L-084
    (
        "l084",
        r#"inside("sep"). endpoint_policy_scope("def", "sep", "microsoft.storage", "/subscriptions/sx")."#,
        r#"inside("sep"). inside("/subscriptions/s1"). endpoint_policy_scope("def", "sep", "microsoft.storage", "/subscriptions/s1").
           endpoint_policy_scope("def2", "sep", "global", "/services/azure")."#,
    ),
    // covers: L-085
    (
        "l085",
        r#"endpoint_policy_scope("def", "sep", "microsoft.storage", "/subscriptions/s1")."#,
        r#"endpoint_policy_scope("def", "sep", "microsoft.storage", "/subscriptions/s1/resourcegroups/g")."#,
    ),
    (
        "l085_some",
        r#"{policy} inside("b"). subnet_service_endpoint("b", "microsoft.storage", "*")."#,
        r#"inside("b"). subnet_service_endpoint("b", "microsoft.storage", "*")."#,
    ),
    // covers: L-086
    (
        "l086",
        r#"inside("d"). exposed("d", "blob", "internet", "proven"). property("d", "properties.networkAcls.defaultAction", "", "allow"). store_ip_rule("r", "d", 192.0.2.1, 192.0.2.1)."#,
        r#"inside("d"). property("d", "properties.networkAcls.defaultAction", "", "deny"). store_ip_rule("r", "d", 192.0.2.1, 192.0.2.1)."#,
    ),
    (
        "l086",
        r#"inside("d"). store_ip_rule("r", "d", 192.0.2.1, 192.0.2.1). store_ip_rule("q", "d", 192.0.2.0, 192.0.2.255)."#,
        r#"inside("d"). store_ip_rule("r", "d", 192.0.2.1, 192.0.2.1). store_ip_rule("q", "e", 192.0.2.0, 192.0.2.255). store_ip_rule("p", "d", 192.0.2.2, 192.0.2.255)."#,
    ),
    (
        "l086",
        r#"inside("eh"). resource("eh/rs/default", "microsoft.eventhub/namespaces/networkrulesets", "default", "r", "s", "t", "g").
           property("eh/rs/default", "properties.defaultAction", "", "allow"). property("eh/rs/default", "properties.ipRules[].ipMask", "0", "192.0.2.1")."#,
        r#"inside("eh"). resource("eh/rs/default", "microsoft.eventhub/namespaces/networkrulesets", "default", "r", "s", "t", "g").
           property("eh/rs/default", "properties.defaultAction", "", "allow")."#,
    ),
    (
        "l086",
        r#"{cosmos} property("db", "properties.isVirtualNetworkFilterEnabled", "", "false"). property("db", "properties.virtualNetworkRules[].id", "0", "a")."#,
        r#"{cosmos} property("db", "properties.isVirtualNetworkFilterEnabled", "", "true"). property("db", "properties.virtualNetworkRules[].id", "0", "a")."#,
    ),
    // covers: L-087
    (
        "l087",
        r#"inside("d"). store("d", "storage", "storagev2", "eastus"). store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1). public_ip_address("pip", 20.0.0.1).
           resource("pip", "microsoft.network/publicipaddresses", "pip", "eastus", "s", "t", "g")."#,
        r#"inside("d"). store("d", "storage", "storagev2", "westeurope"). store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1). public_ip_address("pip", 20.0.0.1).
           resource("pip", "microsoft.network/publicipaddresses", "pip", "eastus", "s", "t", "g")."#,
    ),
    (
        "l087",
        r#"inside("d"). store("d", "storage", "storagev2", "eastus"). store_ip_rule("i", "d", 20.0.0.9, 20.0.0.9). address_tag(20.0.0.9, "azurecloud.eastus")."#,
        r#"inside("d"). store("d", "storage", "storagev2", "eastus"). store_ip_rule("i", "d", 20.0.0.9, 20.0.0.9). address_tag(20.0.0.9, "azurecloud.westus")."#,
    ),
    // covers: L-088
    (
        "l088",
        r#"inside("q"). store("q", "sql", "v12.0", "westus"). store_subnet_rule("r", "q", "a", "yes"). endpoint_covers("a", "q", "microsoft.sql", "no")."#,
        r#"inside("q"). {by_subnet}"#,
    ),
    // covers: L-089
    (
        "l089",
        r#"{by_subnet} {site}"#,
        r#"{by_subnet} {site} store_ip_rule("i", "d", 203.0.113.10, 203.0.113.10). site_nat("hq", 203.0.113.10)."#,
    ),
    ("l089", r#"{by_subnet} {site} store_ip_rule("i", "d", 203.0.113.10, 203.0.113.10)."#, r#"{by_subnet}"#),
    // covers: L-090
    (
        "l090",
        r#"counted("virtual-network-rules", "microsoft.sql/servers", "q", 129)."#,
        r#"counted("virtual-network-rules", "microsoft.sql/servers", "q", 128)."#,
    ),
    (
        "l090_many",
        r#"counted("virtual-network-rules", "microsoft.storage/storageaccounts", "d", 201)."#,
        r#"counted("virtual-network-rules", "microsoft.storage/storageaccounts", "d", 401)."#,
    ),
    // covers: L-091
    (
        "l091",
        r#"counted("store-places", "microsoft.network/virtualnetworks", "v", 201)."#,
        r#"counted("store-places", "microsoft.network/virtualnetworks", "v", 200)."#,
    ),
    // covers: L-092
    (
        "l092",
        r#"counted("endpoints", "microsoft.network/virtualnetworks", "v", 1001)."#,
        r#"counted("endpoints", "microsoft.network/virtualnetworks", "v", 1001). property("v", "properties.privateEndpointVNetPolicies", "", "basic")."#,
    ),
    (
        "l092",
        r#"counted("endpoints-of-peers", "microsoft.network/virtualnetworks", "v", 20001). property("v", "properties.privateEndpointVNetPolicies", "", "basic")."#,
        r#"counted("nat-addresses", "microsoft.network/privatelinkservices", "pls", 8)."#,
    ),
    // covers: L-093
    (
        "l093",
        r#"counted("registration-zones", "microsoft.network/virtualnetworks", "v", 2)."#,
        r#"counted("registration-zones", "microsoft.network/virtualnetworks", "v", 1)."#,
    ),
    // covers: L-094
    (
        "l094",
        r#"counted("policies", "microsoft.network/virtualnetworks/subnets", "a", 101)."#,
        r#"counted("ip-rules", "microsoft.keyvault/vaults", "kv", 1000)."#,
    ),
    // covers: L-095
    (
        "l095",
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "*", "*", "*", "internet", "*")."#,
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "*", "*", "*", "internet", "*").
           nsg_rule("g/0", "g", "outbound", 100, "allow", "tcp", "virtualnetwork", "*", "storage.eastus", "443")."#,
    ),
    (
        "l095",
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "tcp", "virtualnetwork", "*", "*", "400-500").
           nsg_rule("g/0", "g", "outbound", 120, "allow", "*", "*", "*", "storage", "*")."#,
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "udp", "*", "*", "internet", "*").
           nsg_rule("g/2", "g", "outbound", 120, "deny", "tcp", "*", "*", "internet", "80").
           nsg_rule("g/3", "g", "inbound", 130, "deny", "*", "*", "*", "internet", "*")."#,
    ),
    // covers: L-096
    ("l096", r#"{egress} subnet("a", "v", "a")."#, r#"{egress} {policy} {scope}"#),
    // covers: L-097
    (
        "l097",
        r#"{probe} property("m", "properties.testConfigurations[].protocol", "0", "icmp"). private_endpoint("/e", "p", "r")."#,
        r#"{probe} property("m", "properties.testConfigurations[].protocol", "0", "tcp"). private_endpoint("/e", "p", "r")."#,
    ),
    (
        "l097",
        r#"{probe} property("m", "properties.testConfigurations[].protocol", "0", "icmp"). store_part("d", "blob", "primary", "d.blob.core.windows.net", "r")."#,
        r#"{probe} property("m", "properties.testConfigurations[].protocol", "0", "icmp"). store_part("o", "blob", "primary", "o.blob.core.windows.net", "r")."#,
    ),
    // covers: L-098
    (
        "l098",
        r#"inside("{account}"). property("{account}/objectreplicationpolicies/p", "properties.destinationAccount", "", "/subscriptions/sx/x")."#,
        r#"inside("{account}"). property("{account}/objectreplicationpolicies/p", "properties.destinationAccount", "", "{account}").
           inside("/subscriptions/s1/o"). property("{account}/objectreplicationpolicies/q", "properties.destinationAccount", "", "/subscriptions/s1/o")."#,
    ),
    (
        "l098",
        r#"inside("q"). store_outbound_rule("r", "q", "theirs.blob.core.windows.net")."#,
        r#"inside("q"). inside("d"). store_outbound_rule("r", "q", "d.blob.core.windows.net"). store_part("d", "blob", "primary", "d.blob.core.windows.net", "r")."#,
    ),
    (
        "l098_tenant",
        r#"{sensitive} property("d", "properties.allowCrossTenantReplication", "", "true")."#,
        r#"{sensitive} property("d", "properties.allowCrossTenantReplication", "", "false")."#,
    ),
    // covers: L-099
    (
        "l099",
        r#"gap("x", "microsoft.search/searchservices", "this type is not modelled")."#,
        r#"gap("v", "microsoft.network/virtualnetworks", "`summarizedGatewayPrefixes` is not modelled")."#,
    ),
    (
        "l099",
        r#"store("d", "storage", "storagev2", "r"). gap("d", "microsoft.storage/storageaccounts", "`customDomain` is not modelled")."#,
        r#"store("d", "storage", "storagev2", "r")."#,
    ),
];

/// What stands in braces in the estates of [`CASES`].
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
    let cased: BTreeSet<&str> = CASES.iter().map(|(case, ..)| *case).collect();
    assert_eq!(cased, check.program.violations.iter().map(|violation| violation.id.as_str()).collect());
    let mut wrong = Vec::new();
    for (case, fires, near) in CASES {
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
