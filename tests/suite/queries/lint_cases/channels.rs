//! Cases of the lints of `queries/lints/channels.dl`.

use super::Case;

pub(super) const CASES: &[Case] = &[
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
];
