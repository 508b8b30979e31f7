//! Cases of the lints of `queries/lints/limits.dl`.

use super::Case;

pub(super) const CASES: &[Case] = &[
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
];
