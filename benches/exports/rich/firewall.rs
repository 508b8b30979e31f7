//! An Azure Firewall: two policies, rules of all three kinds, IP groups.

use serde_json::{Value, json};

use super::super::row::{child, reference};
use super::{Estate, Hub};

const POLICY: &str = "Microsoft.Network/firewallPolicies";
const GROUP: &str = "Microsoft.Network/firewallPolicies/ruleCollectionGroups";
const IP_GROUP: &str = "Microsoft.Network/ipGroups";
const FIREWALL: &str = "Microsoft.Network/azureFirewalls";

/// In the hub's /24 number 2.
pub(super) fn add(estate: &mut Estate, hub: &Hub, n: u8) {
    let home = &hub.home;
    let (inside, (public, outside)) = (hub.address(2, 4), estate.public_ip(home, "pip-afw"));
    let subnet = estate.subnet(hub, "AzureFirewallSubnet", format!("{}/26", hub.address(2, 0)));
    for spoke in hub.spokes.iter().step_by(3) {
        estate.route(spoke, &inside);
    }

    let spaces: Vec<&str> = hub.spokes.iter().map(|spoke| spoke.space.as_str()).collect();
    let site = super::edge::site_prefixes(n);
    for (name, addresses) in [("ipg-spokes", json!(spaces)), ("ipg-office", json!(site))] {
        estate.rows.push(home.row(IP_GROUP, name, json!({ "ipAddresses": addresses })));
    }
    let (spokes, office) = (home.id(IP_GROUP, "ipg-spokes"), home.id(IP_GROUP, "ipg-office"));

    let floor = [collection(
        "never",
        100,
        "Deny",
        vec![network("files", json!({ "sourceAddresses": ["10.0.0.0/8"], "destinationAddresses": ["*"] }), &["445", "3389"])],
    )];
    let between = vec![
        network("web", json!({ "sourceIpGroups": [spokes], "destinationIpGroups": [spokes] }), &["443", "8080-8090"]),
        network("office", json!({ "sourceIpGroups": [spokes], "destinationIpGroups": [office] }), &["22", "443"]),
        network("storage", json!({ "sourceIpGroups": [spokes], "destinationAddresses": ["Storage"] }), &["443"]),
    ];
    let names = vec![json!({
        "ruleType": "ApplicationRule", "name": "packages", "sourceIpGroups": [spokes], "sourceAddresses": [],
        "protocols": [{ "protocolType": "Https", "port": 443 }, { "protocolType": "Http", "port": 80 }],
        "targetFqdns": ["packages.example.org", "*.mirror.example.net"],
    })];
    let estate_rules = [collection("between", 200, "Allow", between), collection("names", 300, "Allow", names)];
    let target = hub.spokes.iter().find_map(|spoke| spoke.nics.first()).map(|nic| estate.configuration(*nic).1);
    let inbound: Vec<Value> = target.map(|target| publish(&outside, &target)).into_iter().collect();
    let groups = [
        ("afwp-floor", "floor", 100, floor.to_vec()),
        ("afwp-hub", "estate", 200, estate_rules.to_vec()),
        ("afwp-hub", "inbound", 100, inbound),
    ];
    for (policy, base) in [("afwp-floor", None), ("afwp-hub", Some("afwp-floor"))] {
        let listed: Vec<Value> = groups
            .iter()
            .filter(|(of, ..)| *of == policy)
            .map(|(of, name, ..)| reference(&home.id(GROUP, &format!("{of}/{name}"))))
            .collect();
        let mut properties = json!({ "threatIntelMode": "Alert", "sku": { "tier": "Standard" }, "ruleCollectionGroups": listed });
        if let Some(base) = base {
            properties["basePolicy"] = reference(&home.id(POLICY, base));
        }
        estate.rows.push(home.row(POLICY, policy, properties));
    }
    for (policy, name, priority, collections) in groups {
        let properties = json!({ "priority": priority, "ruleCollections": collections });
        estate.rows.push(home.row(GROUP, &format!("{policy}/{name}"), properties));
    }

    let configuration = json!({
        "subnet": reference(&subnet), "publicIPAddress": reference(&public), "privateIPAddress": inside,
        "privateIPAllocationMethod": "Dynamic",
    });
    let properties = json!({
        "sku": { "name": "AZFW_VNet", "tier": "Standard" }, "firewallPolicy": reference(&home.id(POLICY, "afwp-hub")),
        "ipConfigurations": [child(&home.id(FIREWALL, "afw"), "azureFirewallIpConfigurations", "default", configuration)],
    });
    estate.rows.push(home.row(FIREWALL, "afw", properties));
}

fn collection(name: &str, priority: u32, action: &str, rules: Vec<Value>) -> Value {
    json!({
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": name, "priority": priority, "action": { "type": action },
        "rules": rules,
    })
}

/// A network rule for TCP; `ends` are its sources and destinations.
fn network(name: &str, mut ends: Value, ports: &[&str]) -> Value {
    ends["ruleType"] = "NetworkRule".into();
    ends["name"] = name.into();
    ends["ipProtocols"] = json!(["TCP"]);
    ends["destinationPorts"] = json!(ports);
    ends
}

/// The firewall's public address leads to a machine.
fn publish(outside: &str, target: &str) -> Value {
    let rule = json!({
        "ruleType": "NatRule", "name": "web", "ipProtocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": [outside],
        "destinationPorts": ["443"], "translatedAddress": target, "translatedPort": "8443",
    });
    json!({
        "ruleCollectionType": "FirewallPolicyNatRuleCollection", "name": "publish", "priority": 100, "action": { "type": "DNAT" },
        "rules": [rule],
    })
}
