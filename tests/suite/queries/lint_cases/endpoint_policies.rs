//! Cases of the lints of `queries/lints/endpoint_policies.dl`.

use super::Case;

pub(super) const CASES: &[Case] = &[
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
];
