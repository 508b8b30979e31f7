//! Cases of the lints of `queries/lints/private_endpoints.dl`.

use super::Case;

pub(super) const CASES: &[Case] = &[
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
    (
        "l012",
        r#"private_endpoint("e", "s", "r"). private_endpoint_connection("e/privatelinkserviceconnections", "e", "", "", false, "unknown", false)."#,
        r#"private_endpoint("e", "s", "r"). private_endpoint_connection("e/privatelinkserviceconnections/c", "e", "", "", false, "unknown", false)."#,
    ),
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
];
