//! Changes of an estate: what they add and remove.

use proptest::prelude::*;
use serde_json::{Value, json};
use watertight::facts::estate::Estate;
use watertight::ingest::{self, Change};

use crate::ingest::{codes, estate, id, input, lines, read, vnet};

fn change(document: Value) -> Vec<Change> {
    let (changes, diagnostics) = ingest::read_change(&input("change.json", &document.to_string()));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    changes
}

#[test]
fn a_change_moves_exactly_what_it_touches() {
    let mut estate = estate(read(&json!([vnet()]).to_string()));
    let before = lines(estate.facts());

    let mut smaller = vnet();
    smaller["properties"]["subnets"].as_array_mut().unwrap().pop();
    let delta = estate.apply(change(json!([smaller])));
    assert!(delta.added.is_empty() && delta.diagnostics.is_empty());
    let removed = lines(delta.removed);
    assert!(removed.iter().all(|line| line.contains("/subnets/db")), "{removed:#?}");
    assert_eq!(&before - &removed, lines(estate.facts()));

    let delta = estate.apply(change(json!([vnet()])));
    assert_eq!(lines(delta.added), removed);
    assert_eq!(lines(estate.facts()), before);

    let delta = estate.apply(change(json!([{"id": id("virtualNetworks/HUB"), "deleted": true}])));
    assert_eq!(lines(delta.removed), before);
    assert!(estate.is_empty());

    let delta = estate.apply(change(json!([vnet(), {"id": id("virtualNetworks/hub/subnets/db"), "deleted": true}])));
    assert_eq!(lines(delta.added), &before - &removed);
    let delta = estate.apply(change(json!([{"id": id("x/y"), "deleted": true}])));
    assert_eq!(codes(&delta.diagnostics), ["change::unknown_resource"]);
}

#[test]
fn a_part_of_a_body_is_not_deleted_by_itself() {
    let config = id("networkInterfaces/n/ipConfigurations/c");
    let nic = json!({"id": id("networkInterfaces/n"), "properties": {"ipConfigurations": [{"id": config, "name": "c", "properties": {
        "privateIPAddress": "10.0.1.4", "subnet": {"id": id("virtualNetworks/hub/subnets/db")}
    }}]}});
    let mut estate = estate(read(&json!([vnet(), nic]).to_string()));
    let delta = estate.apply(change(json!([{"id": config, "deleted": true}])));
    assert!(delta.added.is_empty() && delta.removed.is_empty());
    let [said] = delta.diagnostics.as_slice() else { panic!("{:?}", delta.diagnostics) };
    let holder = id("networkInterfaces/n").to_lowercase();
    assert_eq!(said.note.as_deref(), Some(format!("it is a part of `{holder}` and stays there").as_str()));
    assert_eq!(said.help.as_deref(), Some("put that resource as a whole, without the part"));
}

#[test]
fn a_change_replaces_the_whole_resource() {
    for lists in [json!({}), json!({"subnets": null}), json!({"subnets": 5})] {
        let mut other = vnet();
        let properties = other["properties"].as_object_mut().unwrap();
        properties.remove("subnets");
        properties.remove("virtualNetworkPeerings");
        properties.extend(lists.as_object().unwrap().clone());
        let mut changed = estate(read(&json!([vnet()]).to_string()));
        let (changes, _) = ingest::read_change(&input("change.json", &json!([other]).to_string()));
        changed.apply(changes);
        assert_eq!(lines(changed.facts()), lines(estate(read(&json!([other]).to_string())).facts()), "{lists}");
    }
    // What came as an entry of its own stays.
    let own = json!({"id": id("virtualNetworks/hub/subnets/own"), "properties": {"addressPrefix": "10.0.9.0/24"}});
    let mut changed = estate(read(&json!([vnet(), own]).to_string()));
    let mut bare = vnet();
    bare["properties"].as_object_mut().unwrap().remove("subnets");
    changed.apply(change(json!([bare])));
    let after = lines(changed.facts());
    assert!(after.iter().any(|line| line.contains("/subnets/own")) && !after.iter().any(|line| line.contains("/subnets/db")), "{after:#?}");
}

#[test]
fn a_fact_that_two_resources_say_stays_until_both_are_gone() {
    let nic = json!({"id": id("networkInterfaces/n"), "properties": {"virtualMachine": {"id": id("virtualMachines/vm")}}});
    let vm_id = id("virtualMachines/vm").replace("Microsoft.Network", "Microsoft.Compute");
    let mut nic = nic;
    nic["properties"]["virtualMachine"]["id"] = json!(vm_id);
    let vm = json!({"id": vm_id, "properties": {"networkProfile": {"networkInterfaces": [{"id": id("networkInterfaces/N")}]}}});
    let mut estate = estate(read(&json!([nic, vm]).to_string()));
    let delta = estate.apply(change(json!([{"id": vm_id, "deleted": true}])));
    assert!(!lines(delta.removed).iter().any(|line| line.starts_with("nic_machine")));
    let delta = estate.apply(change(json!([{"id": id("networkInterfaces/n"), "deleted": true}])));
    assert!(lines(delta.removed).iter().any(|line| line.starts_with("nic_machine")));
    assert!(estate.is_empty());
}

#[test]
fn an_own_entry_is_not_changed_by_the_copy_in_the_parent() {
    let own = json!({"id": id("virtualNetworks/hub/subnets/web"), "properties": {"addressPrefix": "10.0.9.0/24"}});
    let mut parent = vnet();
    parent["properties"]["subnets"] = json!([{"name": "web", "properties": {"addressPrefix": "10.0.1.0/24"}}]);
    let mut estate = estate(read(&json!([parent, own]).to_string()));
    let before = lines(estate.facts());
    let delta = estate.apply(change(json!([parent])));
    assert_eq!(codes(&delta.diagnostics), ["change::own_entry_stays"]);
    assert_eq!(lines(estate.facts()), before);
    assert!(before.iter().any(|line| line.contains("10.0.9.0/24")), "{before:#?}");
    let mut empty = vnet();
    empty["properties"]["subnets"] = json!([]);
    estate.apply(change(json!([empty])));
    assert_eq!(lines(estate.facts()), lines(self::estate(read(&json!([empty, own]).to_string())).facts()));
}

#[test]
fn an_own_entry_and_the_copy_in_a_changed_parent_that_contradict_each_other_are_named() {
    let own = json!({"id": id("virtualNetworks/hub/subnets/web"), "properties": {"addressPrefix": "10.0.1.0/24"}});
    let group = json!({"id": id("networkSecurityGroups/g")});
    let web = json!({"name": "web", "properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": group}});
    let mut filtered = vnet();
    filtered["properties"]["subnets"] = json!([web]);
    let mut bare = vnet();
    bare["properties"].as_object_mut().unwrap().remove("subnets");
    let mut estate = estate(read(&json!([bare, own]).to_string()));
    let delta = estate.apply(change(json!([filtered])));
    assert_eq!(codes(&delta.diagnostics), ["ingest::contradicting_copies"]);
    assert!(lines(estate.facts()).iter().any(|line| line.contains("two copies contradict each other")));
}

#[test]
fn what_an_own_entry_leaves_out_is_told_by_the_copy_in_the_changed_parent() {
    let own = json!({"id": id("virtualNetworks/hub/subnets/web"), "properties": {"addressPrefix": "10.0.1.0/24"}});
    let with = |policies: &str| {
        let web = json!({"name": "web", "properties": {"addressPrefix": "10.0.1.0/24", "privateEndpointNetworkPolicies": policies}});
        json!({"id": id("virtualNetworks/hub"), "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [web]}})
    };
    let mut estate = estate(read(&json!([with("Enabled"), own]).to_string()));
    let delta = estate.apply(change(json!([with("Disabled")])));
    assert_eq!(codes(&delta.diagnostics), Vec::<&str>::new());
    let loaded = lines(self::estate(read(&json!([with("Disabled"), own]).to_string())).facts());
    assert_eq!(lines(estate.facts()), loaded);
    assert!(!lines(delta.added).is_empty() && !lines(delta.removed).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_change_leads_where_loading_the_changed_estate_leads(steps in proptest::collection::vec((0..6usize, 0..4usize), 1..12)) {
        // Version `at` of resource `which`: a network with `at` subnets, an interface, a rule, a machine.
        let resource = |which: usize, at: usize| match which {
            0 | 1 => json!({"id": id(&format!("virtualNetworks/v{which}")), "location": format!("r{at}"), "properties": {
                "addressSpace": {"addressPrefixes": [format!("10.{at}.0.0/16")]},
                "subnets": (0..at).map(|n| json!({"name": format!("s{n}"), "properties": {"addressPrefix": format!("10.{at}.{n}.0/24")}})).collect::<Vec<_>>()}}),
            2 => json!({"id": id("virtualNetworks/v0/virtualNetworkPeerings/p"), "properties":
                {"remoteVirtualNetwork": {"id": id(&format!("virtualNetworks/v{at}"))}, "peeringState": "Connected"}}),
            3 => json!({"id": id("networkInterfaces/n"), "properties": {"virtualMachine": {"id": id(&format!("x/m{at}"))}}}),
            4 => json!({"id": id("networkInterfaces/m"), "properties": {"enableIPForwarding": at.is_multiple_of(2)}}),
            _ => json!({"id": id("networkSecurityGroups/g"), "properties": {"securityRules": []}, "tags": {"v": at.to_string()}}),
        };
        let mut held = std::collections::BTreeMap::new();
        let mut moving = Estate::default();
        for (which, at) in steps {
            let before = lines(moving.facts());
            let step = if at == 3 {
                held.remove(&which);
                if which == 0 {
                    held.remove(&2);
                }
                json!([{"id": resource(which, 0)["id"], "deleted": true}])
            } else {
                held.insert(which, resource(which, at));
                json!([resource(which, at)])
            };
            let delta = moving.apply(change(step));
            let loaded = lines(estate(read(&Value::from(held.values().cloned().collect::<Vec<_>>()).to_string())).facts());
            prop_assert_eq!(&lines(moving.facts()), &loaded);
            prop_assert_eq!(lines(delta.added), &loaded - &before);
            prop_assert_eq!(lines(delta.removed), &before - &loaded);
        }
    }

    #[test]
    fn an_own_entry_beside_changed_parents_is_what_loading_makes_of_it(own in 0..5usize, steps in proptest::collection::vec(0..7usize, 1..8)) {
        let web = |properties: Value| json!({"name": "web", "properties": properties});
        let group = json!({"id": id("networkSecurityGroups/g")});
        // What the parent says of the child: nothing, that there are no children, or a copy that tells more or less.
        let parent = |at: usize| {
            let mut properties = json!({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}});
            let subnets = match at {
                0 => None,
                1 => Some(json!([])),
                2 => Some(json!([web(json!({"addressPrefix": "10.0.1.0/24"}))])),
                3 => Some(json!([web(json!({"addressPrefix": "10.0.1.0/24", "privateEndpointNetworkPolicies": "Enabled"}))])),
                4 => Some(json!([web(json!({"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": group}))])),
                5 => Some(json!([web(json!({"addressPrefix": "10.0.2.0/24", "defaultOutboundAccess": false}))])),
                _ => Some(json!([{"name": "web"}])),
            };
            if let Some(subnets) = subnets {
                properties["subnets"] = subnets;
            }
            json!({"id": id("virtualNetworks/hub"), "location": format!("r{}", at % 2), "properties": properties})
        };
        let mut own = match own {
            0 => json!({"properties": {"addressPrefix": "10.0.1.0/24"}}),
            1 => json!({"properties": {"addressPrefix": "10.0.1.0/24", "privateEndpointNetworkPolicies": "Disabled"}}),
            2 => json!({"properties": {}}),
            3 => json!({}),
            _ => json!({"properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": group}, "location": "r7"}),
        };
        own["id"] = json!(id("virtualNetworks/hub/subnets/web"));
        let mut moving = estate(read(&json!([parent(0), own]).to_string()));
        for at in steps {
            let before = lines(moving.facts());
            let (changes, _) = ingest::read_change(&input("change.json", &json!([parent(at)]).to_string()));
            let delta = moving.apply(changes);
            let loaded = lines(estate(read(&json!([parent(at), own]).to_string())).facts());
            prop_assert_eq!(&lines(moving.facts()), &loaded, "parent {}", at);
            prop_assert_eq!(lines(delta.added), &loaded - &before);
            prop_assert_eq!(lines(delta.removed), &before - &loaded);
        }
    }
}
