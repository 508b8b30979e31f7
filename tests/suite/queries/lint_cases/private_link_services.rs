//! Cases of the lints of `queries/lints/private_link_services.dl`.

use super::Case;

pub(super) const CASES: &[Case] = &[
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
    // An endpoint of a subscription inside that was not exported.
    (
        "l035",
        r#"resource("pls", "microsoft.network/privatelinkservices", "pls", "r", "s", "t", "g"). inside("pls"). inside("/subscriptions/s1").
           consented("/subscriptions/sx/pe", "c", "pls", "", "approved", "proven")."#,
        r#"resource("pls", "microsoft.network/privatelinkservices", "pls", "r", "s", "t", "g"). inside("pls"). inside("/subscriptions/s1").
           consented("/subscriptions/s1/pe", "c", "pls", "", "approved", "proven")."#,
    ),
    (
        "l035",
        r#"inside("pls"). property("pls", "properties.visibility.subscriptions[]", "0", "sx").
           property("pls", "properties.autoApproval.subscriptions[]", "0", "sx")."#,
        r#"inside("pls"). inside("/subscriptions/s1"). property("pls", "properties.visibility.subscriptions[]", "0", "s1").
           property("pls", "properties.autoApproval.subscriptions[]", "0", "s1"). property("pls", "properties.autoApproval.subscriptions[]", "1", "sx")."#,
    ),
];
