//! Each limit as the service states it: so many are fine, one more is said.

use super::lints::{findings, program};

const STORES: &str = "microsoft.storage/storageaccounts";
const VNET: &str = "microsoft.network/virtualnetworks";
const SUBSCRIPTION: &str = "microsoft.resources/subscriptions";
const SERVICE: &str = "microsoft.network/privatelinkservices";
const DEFINITION: &str = "microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions";

/// What is counted, at what type of resource, how many it may have, and which lint says that there are more.
const LIMITS: &[(&str, &str, u64, &str)] = &[
    // covers: SE-29
    ("virtual-network-rules", STORES, 200, "L-090"),
    ("virtual-network-rules", STORES, 400, "L-090"),
    ("virtual-network-rules", "microsoft.sql/servers", 128, "L-090"),
    ("virtual-network-rules", "microsoft.keyvault/vaults", 200, "L-090"),
    ("virtual-network-rules", "microsoft.documentdb/databaseaccounts", 64, "L-090"),
    ("virtual-network-rules", "microsoft.eventhub/namespaces", 128, "L-090"),
    ("virtual-network-rules", "microsoft.servicebus/namespaces", 128, "L-090"),
    ("store-places", VNET, 200, "L-091"),
    // covers: SEP-17
    ("policies", SUBSCRIPTION, 500, "L-094"),
    ("policies", "microsoft.network/virtualnetworks/subnets", 100, "L-094"),
    ("resources", DEFINITION, 200, "L-094"),
    // covers: PLS-14
    ("nat-addresses", SERVICE, 8, "L-092"),
    ("services", "microsoft.network/loadbalancers", 8, "L-092"),
    ("endpoints", SERVICE, 1000, "L-092"),
    ("services", SUBSCRIPTION, 800, "L-092"),
    ("visible-subscriptions", SERVICE, 100, "L-092"),
    ("approved-subscriptions", SERVICE, 100, "L-092"),
    ("endpoints", VNET, 1000, "L-092"),
    ("endpoints-of-peers", VNET, 4000, "L-092"),
    ("endpoints", SUBSCRIPTION, 64000, "L-092"),
];

#[test]
fn one_more_than_the_limit_is_said() {
    let check = program();
    for (what, kind, most, id) in LIMITS {
        let said = |count: u64| {
            let found = findings(&check, &format!("counted(\"{what}\", \"{kind}\", \"x\", {count})."));
            let of = found.into_iter().filter(|finding| finding.id == *id);
            of.map(|finding| (finding.severity, finding.message.clone())).collect::<Vec<_>>()
        };
        let (at, over) = (said(*most), said(most + 1));
        let [(_, message)] = &over[..] else { panic!("{what} of {kind}: {over:?}") };
        assert!(message.contains(&format!("{}", most + 1)) && message.contains(&format!("{most}")), "{message}");
        assert_ne!(at, over, "{what} of {kind} at its limit");
        // A softer word at the limit is for the one that some accounts have lower.
        assert!(at.is_empty() || *most == 400, "{what} of {kind} at its limit: {at:?}");
    }
}

// covers: PE-39
#[test]
fn a_network_of_high_scale_has_higher_limits() {
    let check = program();
    let high = r#"property("x", "properties.privateEndpointVNetPolicies", "", "basic")."#;
    for (what, normal, raised) in [("endpoints", 1000, 5000), ("endpoints-of-peers", 4000, 20000)] {
        let over = |count: u64, more: &str| {
            let found = findings(&check, &format!("counted(\"{what}\", \"{VNET}\", \"x\", {count}). {more}"));
            found.iter().any(|finding| finding.id == "L-092")
        };
        assert!(over(normal + 1, "") && !over(normal + 1, high) && !over(raised, high) && over(raised + 1, high), "{what}");
    }
}
