//! Cases of the lints of `queries/lints/dns.dl`.

use super::Case;

pub(super) const CASES: &[Case] = &[
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
    // The store of the endpoint has another name; those of its regions go on behind it.
    (
        "l053",
        r#"{near} private_dns_zone("z", "privatelink.blob.core.windows.net"). zone_record("z/a/zz", "z", "zz", "a", "10.1.9.4").
           store("d", "storage", "storagev2", "eastus"). store_part("d", "blob", "primary", "d.blob.core.windows.net", "eastus")."#,
        r#"{near} private_dns_zone("z", "privatelink.blob.core.windows.net"). zone_record("z/a/d", "z", "d", "a", "10.1.9.4").
           zone_record("z/a/e", "z", "d-eastus", "a", "10.1.9.4"). zone_record("z/a/x", "z", "*", "a", "10.1.9.4").
           store("d", "storage", "storagev2", "eastus"). store_part("d", "blob", "primary", "d.blob.core.windows.net", "eastus")."#,
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
];
