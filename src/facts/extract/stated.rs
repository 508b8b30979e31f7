//! What resources state and no rule of a packet's way asks for: rows of `property`, for checks.

use serde_json::Value;

use crate::facts::extract::out::{Out, get, properties as body_of};
use crate::facts::gap::Property;
use crate::model::{Sym, ids};

/// The paths that are kept, by resource type (lower case); `*` is every type.
///
/// A path is written as rows have it. `[]` behind a segment goes into each item of a list; where a segment has several names, `|` stands between them and
/// rows have the first. Names are compared without case.
pub const KEPT: &[(&str, &[&str])] = &[
    ("*", &["properties.publicNetworkAccess"]),
    (
        "microsoft.documentdb/databaseaccounts",
        &[
            "properties.ipRangeFilter",
            "properties.ipRules[].ipAddressOrRange",
            "properties.isVirtualNetworkFilterEnabled",
            "properties.virtualNetworkRules[].id",
            "properties.virtualNetworkRules[].ignoreMissingVNetServiceEndpoint",
        ],
    ),
    ("microsoft.dbformariadb/servers/firewallrules", RANGE),
    ("microsoft.dbformysql/flexibleservers/firewallrules", RANGE),
    ("microsoft.dbformysql/servers/firewallrules", RANGE),
    ("microsoft.dbforpostgresql/flexibleservers/firewallrules", RANGE),
    ("microsoft.dbforpostgresql/servers/firewallrules", RANGE),
    ("microsoft.eventhub/namespaces", &["sku.name"]),
    ("microsoft.eventhub/namespaces/networkrulesets", MESSAGING),
    (
        "microsoft.keyvault/vaults",
        &["properties.networkAcls.defaultAction", "properties.networkAcls.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint"],
    ),
    (
        "microsoft.network/dnsforwardingrulesets/forwardingrules",
        &["properties.domainName", "properties.forwardingRuleState", "properties.targetDnsServers[].ipAddress"],
    ),
    ("microsoft.network/dnsforwardingrulesets/virtualnetworklinks", &["properties.virtualNetwork.id"]),
    (
        "microsoft.network/dnsresolvers/inboundendpoints",
        &["properties.ipConfigurations[].privateIpAddress", "properties.ipConfigurations[].subnet.id"],
    ),
    ("microsoft.network/loadbalancers", &["sku.name"]),
    ("microsoft.network/networksecurityperimeters/resourceassociations", &["properties.accessMode", "properties.privateLinkResource.id"]),
    (
        "microsoft.network/networkwatchers/connectionmonitors",
        &[
            "properties.endpoints[].address",
            "properties.endpoints[].name",
            "properties.endpoints[].resourceId",
            "properties.testConfigurations[].name",
            "properties.testConfigurations[].protocol",
            "properties.testGroups[].destinations[]",
            "properties.testGroups[].testConfigurations[]",
        ],
    ),
    (
        "microsoft.network/privatelinkservices",
        &[
            "properties.alias",
            "properties.autoApproval.subscriptions[]",
            "properties.destinationIPAddress",
            "properties.enableProxyProtocol",
            "properties.ipConfigurations[].properties.subnet.id",
            "properties.loadBalancerFrontendIpConfigurations[].id",
            "properties.visibility.subscriptions[]",
        ],
    ),
    ("microsoft.network/virtualnetworks", &["properties.privateEndpointVNetPolicies"]),
    ("microsoft.network/virtualnetworks/subnets", &["properties.privateLinkServiceNetworkPolicies"]),
    ("microsoft.servicebus/namespaces", &["sku.name"]),
    ("microsoft.servicebus/namespaces/networkrulesets", MESSAGING),
    ("microsoft.sql/servers/virtualnetworkrules", &["properties.ignoreMissingVnetServiceEndpoint"]),
    (
        "microsoft.storage/storageaccounts",
        &[
            "properties.allowCrossTenantReplication",
            "properties.allowedCopyScope",
            "properties.isHnsEnabled",
            "properties.networkAcls|networkRuleSet.defaultAction",
            "properties.networkAcls|networkRuleSet.ipRules[].value|ipAddressOrRange",
        ],
    ),
    ("microsoft.storage/storageaccounts/objectreplicationpolicies", &["properties.destinationAccount", "properties.sourceAccount"]),
    ("microsoft.synapse/workspaces/firewallrules", RANGE),
    ("microsoft.web/sites", RESTRICTIONS),
    ("microsoft.web/sites/config", RESTRICTIONS),
    ("microsoft.web/sites/slots", RESTRICTIONS),
    ("microsoft.web/sites/slots/config", RESTRICTIONS),
];

/// A firewall rule from one address to another.
const RANGE: &[&str] = &["properties.endIpAddress", "properties.startIpAddress"];

/// The rules of a namespace.
const MESSAGING: &[&str] = &[
    "properties.defaultAction",
    "properties.ipRules[].ipMask",
    "properties.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint",
    "properties.virtualNetworkRules[].subnet.id",
];

/// The rules of an app, on itself or in its configuration called `web`.
const RESTRICTIONS: &[&str] = &[
    "properties.siteConfig.ipSecurityRestrictions[].action",
    "properties.siteConfig.ipSecurityRestrictions[].vnetSubnetResourceId",
    "properties.siteConfig.ipSecurityRestrictionsDefaultAction",
    "properties.siteConfig.scmIpSecurityRestrictions[].vnetSubnetResourceId",
];

/// A segment that may be missing: the configuration of an app states its rules without it.
const OPTIONAL: &str = "siteConfig";

/// The kept paths of the resource as rows.
pub(super) fn properties(out: &mut Out<'_>) {
    let kind = out.resource.kind.as_str();
    let resource = out.resource;
    for (_, paths) in KEPT.iter().filter(|(of, _)| *of == kind || *of == "*") {
        for path in *paths {
            walk(out, &resource.body, path, &mut Vec::new(), &mut String::new());
        }
    }
}

/// Follows the segments of `path` that are left; `at` holds the positions in the lists so far, `shown` the path so far.
fn walk(out: &mut Out<'_>, value: &Value, path: &str, at: &mut Vec<String>, shown: &mut String) {
    let (segment, rest) = path.split_once('.').unwrap_or((path, ""));
    let (names, list) = segment.strip_suffix("[]").map_or((segment, false), |names| (names, true));
    let first = names.split('|').next().unwrap_or(names);
    let length = shown.len();
    if !shown.is_empty() {
        shown.push('.');
    }
    shown.push_str(first);
    let found = match first {
        "properties" if length > 0 => Some(body_of(value)),
        OPTIONAL => Some(get(value, OPTIONAL).unwrap_or(value)),
        _ => names.split('|').find_map(|name| get(value, name)),
    };
    match found {
        Some(Value::Array(items)) if list => {
            shown.push_str("[]");
            for (position, item) in items.iter().enumerate() {
                at.push(position.to_string());
                step(out, item, rest, at, shown);
                at.pop();
            }
        }
        Some(value) if !list => step(out, value, rest, at, shown),
        _ => {}
    }
    shown.truncate(length);
}

fn step(out: &mut Out<'_>, value: &Value, rest: &str, at: &mut Vec<String>, shown: &mut String) {
    if !rest.is_empty() {
        return walk(out, value, rest, at, shown);
    }
    let value = match value {
        Value::String(text) if is_id(text) => ids::normal_id(text),
        Value::String(text) => Sym::lower(text.trim()),
        Value::Bool(_) | Value::Number(_) => Sym::new(&value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => return,
    };
    if !value.is_empty() {
        let (path, place) = (Sym::new(shown), Sym::new(&at.join(".")));
        out.fact(Property { resource: out.id(), path, place, value });
    }
}

/// Whether the text is a resource id, with or without its first slash (M-01).
fn is_id(text: &str) -> bool {
    let text = text.trim().trim_start_matches('/');
    text.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("subscriptions/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::Fact;
    use crate::facts::extract::extract;
    use crate::ingest::{self, Input};

    fn stated(kind: &str, mut body: Value) -> Vec<String> {
        let (provider, kinds) = kind.split_once('/').unwrap();
        let path: Vec<String> = kinds.split('/').map(|kind| format!("{kind}/x")).collect();
        body["id"] = json!(format!("/subscriptions/s/resourcegroups/rg/providers/{provider}/{}", path.join("/")));
        let loaded = ingest::read(vec![Input { name: "t.json".to_owned(), bytes: json!([body]).to_string().into_bytes() }]);
        let row = |fact| if let Fact::Property(row) = fact { Some(format!("{} {} {}", row.path, row.place, row.value)) } else { None };
        let mut rows: Vec<String> = loaded.resources.iter().flat_map(|one| extract(one).facts).filter_map(row).collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn lists_are_followed_and_say_where() {
        let body = json!({"properties": {"TestGroups": [{"destinations": ["A", "b"]}, {"destinations": ["c"]}]}});
        let path = "properties.testGroups[].destinations[]";
        let wanted = [("0.0", "a"), ("0.1", "b"), ("1.0", "c")].map(|(place, value)| format!("{path} {place} {value}"));
        assert_eq!(stated("microsoft.network/networkwatchers/connectionmonitors", body), wanted);
    }

    #[test]
    fn other_names_and_flattened_bodies_are_the_same() {
        let body = json!({"properties": {"networkRuleSet": {"ipRules": [{"ipAddressOrRange": "192.0.2.1/32"}]}}});
        let rows = stated("microsoft.storage/storageaccounts", body);
        assert_eq!(rows, ["properties.networkAcls.ipRules[].value 0 192.0.2.1/32"]);
        let body = json!({"properties": {"ipConfigurations": [{"subnet": {"id": "/Subscriptions/S/x"}}], "enableProxyProtocol": true}});
        let rows = stated("microsoft.network/privatelinkservices", body);
        assert_eq!(
            rows,
            ["properties.enableProxyProtocol  true", "properties.ipConfigurations[].properties.subnet.id 0 /subscriptions/s/x"]
        );
        let body = json!({"properties": {"ipSecurityRestrictions": [{"action": "Allow"}]}});
        assert_eq!(stated("microsoft.web/sites/config", body), ["properties.siteConfig.ipSecurityRestrictions[].action 0 allow"]);
    }

    #[test]
    fn values_of_the_wrong_shape_are_left_to_the_extractors() {
        assert!(stated("microsoft.network/loadbalancers", json!({"sku": "basic", "properties": {}})).is_empty());
        assert!(stated("microsoft.web/sites", json!({"properties": {"publicNetworkAccess": null}})).is_empty());
    }
}
