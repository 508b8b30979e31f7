//! One network manager: a group of the first spokes of each hub, and admin rules in force there.

use serde_json::json;

use super::super::row::VNET;
use super::Estate;

const MANAGER: &str = "Microsoft.Network/networkManagers";
const GROUP: &str = "Microsoft.Network/networkManagers/networkGroups";
const CONFIGURATION: &str = "Microsoft.Network/networkManagers/securityAdminConfigurations";
/// Members of each group.
const MEMBERS: usize = 5;

pub(super) fn add(estate: &mut Estate) {
    let Some(home) = estate.hubs.first().map(|hub| hub.home.clone()) else { return };
    let scopes = json!({ "managementGroups": ["/providers/Microsoft.Management/managementGroups/estate"], "subscriptions": [] });
    estate.rows.push(home.row(
        MANAGER,
        "manager",
        json!({ "networkManagerScopes": scopes, "networkManagerScopeAccesses": ["SecurityAdmin"] }),
    ));
    let configuration = "manager/guard";
    estate.rows.push(home.row(CONFIGURATION, configuration, json!({ "applyOnNetworkIntentPolicyBasedServices": ["None"] })));
    for hub in estate.hubs.clone() {
        let group = format!("manager/first-{}", hub.name);
        estate.rows.push(home.row(GROUP, &group, json!({ "memberType": "VirtualNetwork" })));
        for spoke in hub.spokes.iter().take(MEMBERS) {
            let vnet = spoke.home.id(VNET, &spoke.name);
            let member = home.row(&format!("{GROUP}/staticMembers"), &format!("{group}/{}", spoke.name), json!({ "resourceId": vnet }));
            let membership = json!({ "networkGroupId": home.id(GROUP, &group), "memberType": "VirtualNetwork" });
            let memberships = json!({ "groupMemberships": [membership] });
            let snapshot = format!("{}/snapshots/1", home.id(CONFIGURATION, configuration));
            let effective = json!({ "effectiveSecurityAdminConfigurations": [{ "id": snapshot }] });
            estate.rows.push(member);
            estate.rows.push(home.extension(&vnet, "Microsoft.Network/networkGroupMemberships", memberships));
            estate.rows.push(home.extension(&vnet, "Microsoft.Network/effectiveSecurityAdminRules", effective));
        }
        let collection = format!("{configuration}/{}", hub.name);
        let kind = format!("{CONFIGURATION}/ruleCollections");
        let groups = json!([{ "networkGroupId": home.id(GROUP, &group) }]);
        estate.rows.push(home.row(&kind, &collection, json!({ "appliesToGroups": groups })));
        for (n, (name, access, direction, port)) in [
            ("no-telnet", "Deny", "Inbound", "23"),
            ("monitoring", "AlwaysAllow", "Inbound", "9100"),
            ("no-mail", "Deny", "Outbound", "25"),
        ]
        .into_iter()
        .enumerate()
        {
            let far = |near: bool| if near == (direction == "Inbound") { "10.0.0.0/8" } else { "*" };
            let rule = json!({
                "access": access, "direction": direction, "protocol": "Tcp", "priority": 10 * (n + 1),
                "sources": [{ "addressPrefix": far(true), "addressPrefixType": "IPPrefix" }],
                "destinations": [{ "addressPrefix": far(false), "addressPrefixType": "IPPrefix" }],
                "sourcePortRanges": ["0-65535"], "destinationPortRanges": [port],
            });
            let row = home.row_with(&format!("{kind}/rules"), &format!("{collection}/{name}"), json!({ "kind": "Custom" }), rule);
            estate.rows.push(row);
        }
    }
}
