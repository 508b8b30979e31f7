//! One resource that stands in the input more than once, or in its parent.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use watertight::facts::extract::extract;
use watertight::ingest;

use crate::ingest::{estate, id, input, lines, read, vnet};

/// Of two full copies that say different things neither counts; what one leaves out, and what decides nothing, is no contradiction.
///
/// covers: SND-02
#[test]
fn copies_that_contradict_each_other_prove_nothing() {
    let group =
        |rules: Value| json!({"id": id("networkSecurityGroups/g"), "location": "westeurope", "properties": {"securityRules": rules}});
    let rule = |name: &str, access: &str, etag: &str| {
        json!({"id": id(&format!("networkSecurityGroups/g/securityRules/{name}")), "name": name, "etag": etag, "properties": {
            "priority": 100, "direction": "Inbound", "access": access, "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*",
            "destinationAddressPrefix": "*", "destinationPortRange": "443", "provisioningState": etag,
        }})
    };
    let account = |action: Value| {
        json!({"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a", "location": "westeurope", "kind": "StorageV2",
            "properties": {"networkAcls": {"defaultAction": action, "ipRules": [{"value": "20.0.0.1"}, {"value": "20.0.0.2"}]}}})
    };
    let turned = |mut account: Value| {
        account["properties"]["networkAcls"]["ipRules"].as_array_mut().unwrap().reverse();
        account["properties"]["statusOfPrimary"] = json!("available");
        account
    };
    let allow = || rule("in", "Allow", "1");
    let of_hub = |part: &str, properties: Value| json!({"id": id(&format!("virtualHubs/h/{part}")), "location": "westeurope", "properties": properties});
    let intent = |word: &str| {
        of_hub("routingIntent/i", json!({"routingPolicies": [{"name": "p", "destinations": [word], "nextHop": id("azureFirewalls/fw")}]}))
    };
    let table = |label: &str| of_hub("hubRouteTables/t", json!({"labels": [label], "routes": []}));
    let link = |open: bool| {
        let vnet = json!({"id": id("virtualNetworks/v")});
        of_hub("hubVirtualNetworkConnections/c", json!({"remoteVirtualNetwork": vnet, "enableInternetSecurity": open}))
    };
    // The copies, how often something contradicts, and the relation of which no row is left.
    let cases: Vec<(Value, Value, usize, &str)> = vec![
        (group(json!([allow()])), group(json!([rule("in", "Allow", "2")])), 0, ""),
        (group(json!([allow()])), group(json!([rule("in", "Deny", "1")])), 1, ""),
        (group(json!([allow()])), group(json!([allow(), rule("other", "Deny", "1")])), 1, "nsg"),
        (group(json!([allow()])), group(json!([])), 1, "nsg"),
        (group(json!([allow(), rule("in", "Deny", "1")])), group(json!([allow()])), 1, ""),
        (account(json!("Deny")), account(json!("Allow")), 1, "store_access"),
        (
            intent("Internet"),
            intent("PrivateTraffic"),
            1,
            "hub_policy /subscriptions/s/resourcegroups/rg/providers/microsoft.network/virtualhubs/h private",
        ),
        (table("red"), table("blue"), 1, "hub_table"),
        (link(true), link(false), 1, "hub_connection"),
        (account(json!("Deny")), account(Value::Null), 0, ""),
        (account(json!("Deny")), turned(account(json!("Deny"))), 0, ""),
    ];
    for (one, other, expected, gone) in cases {
        let mut seen = BTreeSet::new();
        for order in [[&one, &other], [&other, &one]] {
            let files = order.iter().map(|body| input(if **body == one { "one.json" } else { "two.json" }, &json!([body]).to_string()));
            let loaded = ingest::read_as_facts(files.collect(), extract);
            let said: Vec<_> = loaded.diagnostics.iter().filter(|d| d.code == "ingest::contradicting_copies").cloned().collect();
            assert_eq!(said.len(), expected, "{one} {other}");
            let facts = lines(estate(loaded).facts());
            let gaps = facts.iter().filter(|line| line.starts_with("gap") && line.contains("contradict")).count();
            assert_eq!(gaps, expected, "{facts:?}");
            assert!(gone.is_empty() || !facts.iter().any(|line| line.starts_with(&format!("{gone} "))), "{facts:?}");
            if expected == 1 && gone.is_empty() {
                let rules: Vec<&String> = facts.iter().filter(|line| line.starts_with("nsg_rule")).collect();
                assert!(rules.iter().any(|line| line.contains("allow")) && rules.iter().any(|line| line.contains("deny")), "{rules:?}");
            }
            seen.insert(facts);
        }
        assert_eq!(seen.len(), 1, "the order of the files shows");
    }
}

#[test]
fn the_fuller_body_and_the_own_body_win_in_any_order() {
    let parent = vnet();
    let group = json!({"id": id("networkSecurityGroups/g")});
    let own =
        json!({"id": id("virtualNetworks/hub/subnets/WEB"), "properties": {"addressPrefix": "10.0.9.0/24", "networkSecurityGroup": group}});
    let bare = json!({"id": id("virtualNetworks/hub"), "name": "hub", "type": "Microsoft.Network/virtualNetworks"});
    let documents = [parent, own, bare];
    let mut seen = BTreeSet::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let loaded = read(&Value::from(order.map(|at| documents[at].clone()).to_vec()).to_string());
        assert!(loaded.diagnostics.is_empty());
        assert_eq!(loaded.resources.len(), 3);
        seen.insert(lines(estate(loaded).facts()));
    }
    assert_eq!(seen.len(), 1);
    let facts = seen.pop_first().unwrap();
    assert!(facts.iter().any(|line| line.starts_with("subnet_prefix") && line.ends_with("10.0.9.0/24")));
    assert!(facts.iter().any(|line| line.starts_with("vnet_prefix")));
    assert!(facts.iter().any(|line| line.starts_with("resource") && line.contains("/subnets/web") && line.contains("westeurope")));
}

/// A child knows its parent's region and tenant wherever the two stand, in whatever order they were read.
#[test]
fn what_the_parent_says_reaches_children_that_became_facts_before_it() {
    let zone = json!({"id": id("privateDnsZones/z"), "location": "global", "tenantId": "T", "properties": {}});
    let link = json!({"id": id("privateDnsZones/z/virtualNetworkLinks/l"), "location": "global",
        "properties": {"virtualNetwork": {"id": id("virtualNetworks/hub")}}});
    let record = json!({"id": id("privateDnsZones/z/A/x"), "properties": {"aRecords": [{"ipv4Address": "10.0.0.4"}]}});
    for documents in [[&zone, &link, &record], [&record, &link, &zone]] {
        let loaded = ingest::read_as_facts(vec![input("a.json", &json!(documents).to_string())], extract);
        let facts = lines(estate(loaded).facts());
        let rows: Vec<&String> = facts.iter().filter(|line| line.starts_with("resource ")).collect();
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|line| line.contains(" global ") && line.contains(" t ")), "{rows:#?}");
    }
}

/// The tenant of a body may still be its parent's when the body becomes facts: only the resource's own row is completed later, everybody else says that it
/// is wanted.
#[test]
fn no_extractor_looks_at_the_tenant_behind_our_backs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/facts/extract");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let using: Vec<PathBuf> = names.filter(|path| std::fs::read_to_string(path).unwrap().contains("resource.tenant")).collect();
    let allowed = ["mod.rs", "out.rs"];
    assert!(using.iter().all(|path| allowed.iter().any(|name| path.ends_with(name))), "{using:?}");
}

/// What a resource's own body leaves out, the copy in its parent tells; what both say, the own one does.
///
/// covers: SND-02, M-03
#[test]
fn an_own_body_that_says_less_takes_the_rest_from_its_parent() {
    let link = |name: &str| json!({"id": id(name)});
    let subnet = json!({"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": link("networkSecurityGroups/g"),
        "routeTable": link("routeTables/t"), "privateEndpointNetworkPolicies": "Enabled"});
    let peering =
        json!({"remoteVirtualNetwork": link("virtualNetworks/w"), "peeringState": "Disconnected", "allowVirtualNetworkAccess": false});
    let network = |subnet: &Value| {
        json!({"id": id("virtualNetworks/v"), "location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "s", "properties": subnet}], "virtualNetworkPeerings": [{"name": "p", "properties": peering}]}})
    };
    let rule = json!({"priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "Tcp", "sourceAddressPrefix": "10.0.0.4",
        "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "443"});
    let group = json!({"id": id("networkSecurityGroups/g"), "location": "westeurope", "properties": {"securityRules": [{"name": "r", "properties": rule}]}});
    let own = |below: &str, properties: Value| json!({"id": id(below), "properties": properties});
    let facts = |documents: &[&Value]| {
        let mut seen = BTreeSet::new();
        for turned in [false, true] {
            let mut files: Vec<Value> = documents.iter().map(|one| (*one).clone()).collect();
            if turned {
                files.reverse();
            }
            let files = files.iter().enumerate().map(|(n, one)| input(&format!("{n}.json"), &json!([one]).to_string()));
            let all = lines(estate(ingest::read_as_facts(files.collect(), extract)).facts());
            seen.insert(all.into_iter().filter(|line| !line.starts_with("resource ")).collect::<Vec<_>>());
        }
        assert_eq!(seen.len(), 1, "the order of the files shows");
        seen.pop_first().unwrap()
    };
    let (network_alone, whole) = (facts(&[&network(&subnet)]), network(&subnet));
    let (below, side) = ("virtualNetworks/v/subnets/s", "virtualNetworks/v/virtualNetworkPeerings/p");
    let group_of = |name: &str| link(&format!("networkSecurityGroups/{name}"));
    let named = json!({"networkSecurityGroup": group_of("g"), "routeTable": link("routeTables/t")});
    for thin in [own(below, json!({})), own(below, named), own(side, json!({"remoteVirtualNetwork": link("virtualNetworks/w")}))] {
        assert_eq!(facts(&[&whole, &thin]), network_alone, "{thin}");
    }
    // A body that tells where the subnet is and names no group says that there is none, and the copy that there is one: neither counts.
    let contested = |found: &[String]| {
        let told = found.iter().any(|line| line.starts_with("gap ") && line.contains("/subnets/s") && line.contains("contradict"));
        told && !found.iter().any(|line| line.starts_with("subnet "))
    };
    for thin in [
        json!({"addressPrefix": "10.0.1.0/24"}),
        json!({"AddressPrefix": "10.0.1.0/24", "networkSecurityGroup": null, "routeTable": link("routeTables/t")}),
        json!({"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": group_of("g"), "provisioningState": "Succeeded"}),
    ] {
        let found = facts(&[&whole, &own(below, thin.clone())]);
        assert!(contested(&found), "{thin}: {found:#?}");
    }
    let elsewhere = json!({"addressPrefixes": ["10.0.9.0/24"], "networkSecurityGroup": group_of("h"), "routeTable": link("routeTables/t")});
    let said = own(below, elsewhere);
    let found = facts(&[&whole, &said]);
    let starts = |relation: &str| found.iter().filter(|line| line.starts_with(&format!("{relation} "))).collect::<Vec<_>>();
    assert!(starts("subnet_prefix").len() == 1 && starts("subnet_prefix")[0].ends_with("10.0.9.0/24"), "{found:#?}");
    assert!(starts("subnet_nsg").len() == 1 && starts("subnet_nsg")[0].ends_with("/h"), "{found:#?}");
    assert!(starts("subnet_route_table")[0].ends_with("/t"), "{found:#?}");

    let group_alone = facts(&[&group]);
    for thin in [
        json!({"priority": 100, "direction": "Inbound"}),
        json!({"sourceAddressPrefixes": [], "sourceApplicationSecurityGroups": null}),
        json!({"sourceAddressPrefixes": ["10.0.0.4"], "sourcePortRanges": ["*"]}),
    ] {
        assert_eq!(facts(&[&group, &own("networkSecurityGroups/g/securityRules/r", thin.clone())]), group_alone, "{thin}");
    }

    // Two copies that clash in what the own body leaves out: neither counts.
    let mut other = subnet.clone();
    other["privateEndpointNetworkPolicies"] = json!("Disabled");
    let thin = json!({"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": group_of("g"), "routeTable": link("routeTables/t")});
    let clash = facts(&[&whole, &network(&other), &own(below, thin)]);
    assert!(contested(&clash), "{clash:#?}");

    // The first of three copies leaves out what the other two clash in, or they spell it in two ways.
    let mut first = subnet.clone();
    first.as_object_mut().unwrap().remove("privateEndpointNetworkPolicies");
    first["serviceEndpoints"] = json!([]);
    let thin = json!({"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": group_of("g"), "routeTable": link("routeTables/t")});
    let clash = facts(&[&network(&first), &whole, &network(&other), &own(below, thin.clone())]);
    assert!(contested(&clash), "{clash:#?}");
    other["PrivateEndpointNetworkPolicies"] = other.as_object_mut().unwrap().remove("privateEndpointNetworkPolicies").unwrap();
    let clash = facts(&[&whole, &network(&other), &own(below, thin)]);
    assert!(contested(&clash), "{clash:#?}");
}
