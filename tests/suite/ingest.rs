//! Files to facts: every shape of input that exporters write, broken ones too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};
use watertight::diag::{Diagnostic, Severity};
use watertight::facts::catalog::Fact;
use watertight::facts::estate::Estate;
use watertight::facts::extract::extract;
use watertight::facts::store;
use watertight::ingest::{self, Change, Input, Loaded};
use watertight::model::Sym;

fn input(name: &str, text: &str) -> Input {
    Input { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// Reads one document. Whoever reads it as facts, body by body, must know the same.
fn read(text: &str) -> Loaded {
    let inputs = || vec![input("a.json", text)];
    let (whole, said) = Estate::from_loaded(ingest::read(inputs()));
    let streamed = ingest::read_as_facts(inputs(), extract);
    assert!(streamed.resources.iter().all(|r| r.body.is_null() || r.inherits != (false, false)), "a body is kept");
    let (streamed, also_said) = Estate::from_loaded(streamed);
    let places = |estate: &Estate| estate.origins().map(|(id, source)| (id, source.clone())).collect::<Vec<_>>();
    assert_eq!(lines(whole.facts()), lines(streamed.facts()));
    assert_eq!(places(&whole), places(&streamed));
    assert_eq!(format!("{said:?}"), format!("{also_said:?}"));
    ingest::read(inputs())
}

fn ids(loaded: &Loaded) -> Vec<&str> {
    loaded.resources.iter().map(|r| r.id.as_str()).collect()
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|d| d.code).collect()
}

/// The facts as text: relation and cells.
fn lines(facts: impl IntoIterator<Item = Fact>) -> BTreeSet<String> {
    facts.into_iter().map(|fact| format!("{} {}", fact.relation().name, fact.cells().join(" "))).collect()
}

fn estate(loaded: Loaded) -> Estate {
    Estate::from_loaded(loaded).0
}

fn id(tail: &str) -> String {
    format!("/subscriptions/S/resourceGroups/RG/providers/Microsoft.Network/{tail}")
}

fn vnet() -> Value {
    json!({
        "id": id("virtualNetworks/Hub"), "name": "Hub", "type": "Microsoft.Network/virtualNetworks", "location": "West Europe", "tenantId": "T",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {"name": "Web", "properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": id("networkSecurityGroups/g")}}},
                {"id": id("virtualNetworks/hub/subnets/db"), "name": "db", "properties": {"addressPrefixes": ["10.0.2.0/24"]}},
            ],
            "virtualNetworkPeerings": [],
        },
    })
}

#[test]
fn children_of_a_body_are_resources_of_their_own() {
    let loaded = read(&json!([vnet()]).to_string());
    let hub = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/virtualnetworks/hub";
    assert_eq!(ids(&loaded), [hub.to_owned(), format!("{hub}/subnets/db"), format!("{hub}/subnets/web")]);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let web = &loaded.resources[2];
    assert!(web.embedded);
    assert_eq!((web.location.as_str(), web.tenant.as_str(), web.group.as_str()), ("westeurope", "t", "rg"));
    assert_eq!(web.source.pointer, "/0/properties/subnets/0");
    let facts = lines(estate(loaded).facts());
    assert!(facts.contains(&format!("subnet_prefix {hub}/subnets/web 10.0.1.0/24")), "{facts:#?}");
    assert!(facts.contains(&format!("child_type {hub} microsoft.network/virtualnetworks/virtualnetworkpeerings")));
}

#[test]
fn every_envelope_holds_the_same_resources() {
    let row = vnet();
    let expected = lines(estate(read(&json!([row]).to_string())).facts());
    let columns: Vec<Value> = row.as_object().unwrap().keys().map(|name| json!({"name": name, "type": "string"})).collect();
    let cells: Vec<&Value> = row.as_object().unwrap().values().collect();
    let mut powershell = row.clone();
    let map = powershell.as_object_mut().unwrap();
    for (rest, shell) in
        [("id", "ResourceId"), ("type", "ResourceType"), ("name", "Name"), ("location", "Location"), ("properties", "Properties")]
    {
        let value = map.remove(rest).unwrap();
        map.insert(shell.to_owned(), value);
    }
    for document in [
        json!(row).to_string(),
        json!({"value": [row]}).to_string(),
        json!({"totalRecords": 1, "count": 1, "resultTruncated": "false", "facets": [], "data": [row]}).to_string(),
        json!({"count": 1, "data": {"columns": columns, "rows": [cells]}}).to_string(),
        json!({"data": {"rows": [cells], "columns": columns}, "count": 1}).to_string(),
        json!([{"request": {"query": "x"}, "response": {"data": [row]}}]).to_string(),
        json!([powershell]).to_string(),
        json!([{"value": [row]}]).to_string(),
        format!("{row}\n\n{row}\n"),
        format!("\u{feff}[ // mine\n {row}, /* end */ ]"),
    ] {
        let loaded = read(&document);
        assert!(loaded.diagnostics.is_empty(), "{document}: {:?}", loaded.diagnostics);
        assert_eq!(lines(estate(loaded).facts()), expected, "{document}");
    }
}

#[test]
fn flattened_output_of_the_command_line_tool_is_read() {
    let flat = json!([{
        "id": id("networkSecurityGroups/g"), "name": "g", "location": "westeurope", "resourceGroup": "RG",
        "type": "Microsoft.Network/networkSecurityGroups", "resourceGuid": "x",
        "securityRules": [{
            "id": id("networkSecurityGroups/g/securityRules/a"), "name": "a", "resourceGroup": "RG", "access": "Allow", "direction": "Inbound",
            "priority": 100, "protocol": "Tcp", "sourceAddressPrefix": "INTERNET", "sourceAddressPrefixes": [], "destinationAddressPrefix": "*",
            "sourcePortRange": "*", "destinationPortRange": "", "destinationPortRanges": ["80", "8000-8100"],
        }],
    }]);
    let loaded = read(&flat.to_string());
    assert_eq!(codes(&loaded.diagnostics), [""; 0]);
    assert_eq!(loaded.resources[1].source.pointer, "/0/securityRules/0");
    let group = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/networksecuritygroups/g";
    let facts = lines(estate(loaded).facts());
    assert!(
        facts.contains(&format!("nsg_rule {group}/securityrules/a {group} inbound 100 allow tcp internet * * 80,8000-8100")),
        "{facts:#?}"
    );
}

#[test]
fn nothing_is_dropped_in_silence() {
    let loaded = read(&json!([{"name": "no id", "properties": {}}, 7, {"id": "x"}, {"id": id("natGateways/n"), "type": "t"}]).to_string());
    assert_eq!(codes(&loaded.diagnostics), ["ingest::not_a_resource"; 4]);
    assert_eq!(loaded.diagnostics[1].pointer, "/1");
    assert_eq!(loaded.diagnostics[3].severity, Severity::Warning);
    let estate = estate(loaded);
    assert_eq!((estate.counts().resources, estate.counts().with_gaps), (1, 1));

    let loaded = read(&json!({"count": 1, "skip_token": "abc", "data": [vnet()]}).to_string());
    assert_eq!(codes(&loaded.diagnostics), ["ingest::truncated"]);
    let loaded = read(&json!({"resultTruncated": "true", "data": []}).to_string());
    assert_eq!(codes(&loaded.diagnostics), ["ingest::truncated"]);
}

#[test]
fn rules_that_are_not_understood_may_match_anything() {
    for (name, value) in [
        ("sourceAddressPrefix", json!("1234")),
        ("protocol", json!("Quic")),
        ("destinationPortRange", json!("http")),
        ("priority", json!("first")),
        ("access", json!(1)),
        ("direction", Value::Null),
    ] {
        let mut rule = json!({"access": "Allow", "direction": "Inbound", "priority": 100, "protocol": "Tcp", "sourceAddressPrefix": "10.0.0.0/8",
            "destinationAddressPrefix": "*", "sourcePortRange": "*", "destinationPortRange": "80"});
        rule[name] = value;
        let loaded = read(&json!([{"id": id("networkSecurityGroups/g/securityRules/a"), "properties": rule}]).to_string());
        let (estate, _) = Estate::from_loaded(loaded);
        let facts = lines(estate.facts());
        let rules: Vec<&String> = facts.iter().filter(|line| line.starts_with("nsg_rule")).collect();
        assert!(!rules.is_empty() && rules.iter().all(|rule| rule.contains("(unknown)")), "{name}: {facts:#?}");
        assert!(facts.iter().any(|line| line.starts_with("gap")), "{name}");
    }
}

#[test]
fn broken_files_keep_what_stood_before_the_break() {
    let whole = json!([vnet(), vnet()]).to_string();
    let one = json!([vnet()]).to_string().len();
    for end in [one + 5, one + 40, whole.len() - 1] {
        let loaded = read(&whole[..end]);
        assert_eq!(loaded.resources.len(), 3, "cut at {end}");
        assert_eq!(codes(&loaded.diagnostics), ["ingest::broken_json"], "cut at {end}");
        let message = loaded.diagnostics[0].render(false);
        assert!(message.contains("--> a.json:1:"), "{message}");
    }
    assert_eq!(read(&whole[..one + 40]).diagnostics[0].pointer, "/1");
    for text in ["{\"value\": [", "[{]", "\"", "{\"id\": 1", "[\u{0}]", "{\"data\": {\"rows\": [[1]", "nonsense"] {
        let loaded = read(text);
        assert_eq!(codes(&loaded.diagnostics), ["ingest::broken_json"], "{text}");
    }
    let loaded = ingest::read(vec![Input { name: "b".into(), bytes: b"[\n \"\xff\"]".to_vec() }]);
    assert_eq!(loaded.diagnostics[0].line, Some((2, 3)));
    assert_eq!(codes(&read("").diagnostics), ["ingest::empty_file"]);
}

#[test]
fn big_and_deep_nonsense_is_refused_quickly() {
    let start = std::time::Instant::now();
    let nested = "[".repeat(10_000_000);
    assert_eq!(codes(&read(&nested).diagnostics), ["ingest::broken_json"]);
    let objects = "{\"a\":".repeat(2_000_000);
    assert_eq!(codes(&read(&objects).diagnostics), ["ingest::broken_json"]);
    let deep = format!("[{{\"id\": \"/subscriptions/s\", \"properties\": {}{}}}]", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(codes(&read(&deep).diagnostics), ["ingest::broken_json"]);
    let noise: Vec<u8> = (0u32..10_000_000).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    assert_eq!(ingest::read(vec![Input { name: "noise".into(), bytes: noise }]).diagnostics.len(), 1);
    let numbers = format!("[{}1]", "1,".repeat(1_000_000));
    let loaded = read(&numbers);
    assert!(loaded.diagnostics.len() <= 100, "{}", loaded.diagnostics.len());
    assert!(loaded.diagnostics.iter().any(|d| d.note.as_deref().is_some_and(|note| note.contains("more of this kind"))));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn big_lists_load_in_order_and_one_bad_entry_costs_only_itself() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let rows: Vec<String> = (0..3000)
        .map(|n| match n {
            1500 => format!("{{\"id\": \"{}\", \"properties\": {deep}}}", id("virtualNetworks/deep")),
            _ => {
                json!({"id": id(&format!("virtualNetworks/v{n:04}")), "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
                    .to_string()
            }
        })
        .collect();
    let loaded = read(&format!("{{\"value\": [{}]}}", rows.join(",")));
    assert_eq!(codes(&loaded.diagnostics), ["ingest::broken_json"]);
    assert_eq!(loaded.diagnostics[0].pointer, "/value/1500");
    assert_eq!(loaded.resources.len(), 2999);
    let last = loaded.resources.last().unwrap();
    assert_eq!((last.name.as_str(), last.source.pointer.as_str()), ("v2999", "/value/2999"));
}

/// Bytes that are no text are never passed over, also behind a document that is whole, or in front of any.
#[test]
fn bytes_that_are_no_text_are_named() {
    let whole =
        json!([{ "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v", "properties": {} }]).to_string();
    for (bytes, resources) in [([whole.as_bytes(), b"\n\xff\xfe"].concat(), 1), (b"\xff\xff\xff".to_vec(), 0)] {
        let loaded = ingest::read(vec![Input { name: "a.json".to_owned(), bytes }]);
        assert_eq!((codes(&loaded.diagnostics), loaded.resources.len()), (vec!["ingest::broken_json"], resources));
    }
}

#[test]
fn wrong_types_are_named_and_the_rest_is_used() {
    let mut body = vnet();
    body["properties"]["addressSpace"] = json!({"addressPrefixes": ["10.0.0.0/16", 5, "ten"]});
    body["properties"]["dhcpOptions"] = json!({"dnsServers": "10.0.0.4"});
    body["tags"] = json!("none");
    let (estate, diagnostics) = Estate::from_loaded(read(&json!([body]).to_string()));
    assert_eq!(codes(&diagnostics), ["extract::wrong_type"; 4]);
    let pointers: Vec<&str> = diagnostics.iter().map(|said| said.pointer.as_str()).collect();
    let prefixes = "/0/properties/addressSpace/addressPrefixes";
    assert_eq!(pointers, ["/0/tags", &format!("{prefixes}/1"), &format!("{prefixes}/2"), "/0/properties/dhcpOptions/dnsServers"]);
    assert!(lines(estate.facts()).iter().any(|line| line.starts_with("vnet_prefix")));
}

#[test]
fn other_formats_are_named() {
    for (document, what) in [
        (
            json!({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "resources": []}),
            "ARM template",
        ),
        (json!({"$schema": "https://x/2019-04-01/deploymentParameters.json#", "parameters": {}}), "parameters"),
        (json!({"format_version": "1.2", "planned_values": {}}), "Terraform"),
        (json!({"version": 4, "lineage": "x", "resources": []}), "Terraform"),
        (json!({"status": "Succeeded", "changes": []}), "what-if"),
        (json!({"status": "Succeeded", "properties": {"changes": []}}), "what-if"),
        (json!({"predictedResources": [], "diagnostics": []}), "bicep"),
    ] {
        let loaded = read(&document.to_string());
        assert_eq!(codes(&loaded.diagnostics), ["ingest::unsupported_format"], "{document}");
        assert!(loaded.diagnostics[0].message.contains(what), "{document}");
    }
    let tags = json!({"changeNumber": 1, "cloud": "Public", "values": []}).to_string();
    let loaded = ingest::read(vec![input("b.json", &tags), input("a.json", &tags)]);
    assert_eq!(loaded.service_tags.unwrap().0, "b.json");
    assert_eq!(codes(&loaded.diagnostics), ["ingest::several_service_tags"]);
}

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
    let own = json!({"id": id("virtualNetworks/hub/subnets/WEB"), "properties": {"addressPrefix": "10.0.9.0/24"}});
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
    let mut estate = estate(read(&json!([vnet(), own]).to_string()));
    let before = lines(estate.facts());
    let delta = estate.apply(change(json!([vnet()])));
    assert_eq!(codes(&delta.diagnostics), ["change::own_entry_stays"]);
    assert_eq!(lines(estate.facts()), before);
    let mut empty = vnet();
    empty["properties"]["subnets"] = json!([]);
    let delta = estate.apply(change(json!([empty])));
    assert!(lines(delta.removed).iter().all(|line| line.contains("/subnets/db")));
}

// ---- real exports

pub fn shared(path: &str) -> Option<PathBuf> {
    let repository = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let path = Path::new(&repository).join("../shared").join(path);
    path.is_dir().then_some(path)
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn load(path: &Path) -> Loaded {
    let (inputs, mut diagnostics) = ingest::collect(&[path.to_owned()], &mut std::io::empty());
    let mut loaded = ingest::read(inputs);
    diagnostics.append(&mut loaded.diagnostics);
    loaded.diagnostics = diagnostics;
    loaded
}

/// The ids that a document names as resources, found in the dumbest way: every object with an id of a resource and `properties`, at the top, in
/// `value` and `data`, and in the lists that hold children.
fn plain_ids(value: &Value, found: &mut BTreeSet<Sym>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| plain_ids(item, found)),
        Value::Object(map) => {
            let id = ["id", "ResourceId", "Id"].iter().find_map(|key| map.get(*key).and_then(Value::as_str));
            match id.filter(|id| id.to_lowercase().trim_start_matches('/').starts_with("subscriptions/")) {
                Some(id) => {
                    found.insert(watertight::model::ids::normal_id(id));
                    if let Some(Value::Array(children)) = map.get("resources").filter(|_| map.contains_key("ResourceId")) {
                        children.iter().for_each(|child| plain_ids(child, found));
                    }
                }
                None => {
                    for key in ["value", "data", "response", "responses", "body", "200", "201"] {
                        map.get(key).into_iter().for_each(|value| plain_ids(value, found));
                    }
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_recorded_scenario_loads_without_loss() {
    let Some(path) = shared("data/deployed-state") else { return };
    let folders = folders(&path);
    assert!(folders.len() > 300);
    for folder in folders {
        let loaded = load(&folder);
        let known: BTreeSet<Sym> = loaded.resources.iter().map(|r| r.id).collect();
        let mut expected = BTreeSet::new();
        let (inputs, _) = ingest::collect(std::slice::from_ref(&folder), &mut std::io::empty());
        for input in inputs {
            let text = String::from_utf8(input.bytes).unwrap();
            plain_ids(&serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap(), &mut expected);
        }
        let lost: Vec<&Sym> = expected.difference(&known).collect();
        assert!(lost.is_empty(), "{}: {lost:?}", folder.display());
        assert!(!codes(&loaded.diagnostics).contains(&"ingest::broken_json"), "{}", folder.display());
        let resources = loaded.resources.len();
        let (estate, _) = Estate::from_loaded(loaded);
        let counts = estate.counts();
        assert_eq!(counts.resources, resources);
        assert_eq!(counts.understood + counts.with_gaps + counts.inert, resources, "{}", folder.display());
        let rows = estate.facts().filter(|fact| matches!(fact, Fact::Resource(_))).count();
        assert_eq!(rows, resources, "{}: each resource has one row", folder.display());
    }
}

#[test]
fn rest_and_command_line_output_say_the_same() {
    let Some(path) = shared("data/deployed-state") else { return };
    let mut compared = 0;
    for folder in folders(&path) {
        let (state, cli): (Vec<Input>, Vec<Input>) = ingest::collect(std::slice::from_ref(&folder), &mut std::io::empty())
            .0
            .into_iter()
            .partition(|input| input.name.ends_with("/state.json"));
        let cli: Vec<Input> =
            cli.into_iter().filter(|input| input.name.rsplit('/').next().is_some_and(|name| name.starts_with("cli-"))).collect();
        if state.is_empty() || cli.is_empty() {
            continue;
        }
        let rest = ingest::read(state);
        for input in cli {
            let name = input.name.clone();
            for resource in ingest::read(vec![input]).resources {
                let Some(other) = rest.resources.iter().find(|other| other.id == resource.id && other.embedded == resource.embedded) else {
                    continue;
                };
                let facts = |resource| lines(watertight::facts::extract::extract(resource).facts);
                let (left, right) = (facts(other), facts(&resource));
                let differing: Vec<_> = left
                    .symmetric_difference(&right)
                    .filter(|line| !line.starts_with("resource "))
                    // Some lists of the command line tool leave a list of children out, or the configuration of apps.
                    .filter(|line| !(["child_type ", "app_routes_all "].iter().any(|name| line.starts_with(name)) && left.contains(*line)))
                    .collect();
                assert!(differing.is_empty(), "{name}: {}\n{differing:#?}", resource.id);
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn facts_come_back_from_a_folder() {
    let Some(path) = shared("vectors") else { return };
    for folder in folders(&path).into_iter().step_by(9) {
        let loaded = load(&folder.join("estate.json"));
        let (estate, _) = Estate::from_loaded(loaded);
        let target = tempfile::tempdir().unwrap();
        store::write_folder(target.path(), estate.facts(), estate.origins()).unwrap();
        let again = load(target.path());
        assert!(again.diagnostics.is_empty(), "{:?}", again.diagnostics);
        assert!(again.resources.is_empty());
        let (back, _) = Estate::from_loaded(again);
        assert_eq!(lines(back.facts()), lines(estate.facts()));
        for (id, source) in estate.origins() {
            assert_eq!(back.origin(id), Some(source), "{id}");
        }
        assert_eq!(back.counts(), estate.counts());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_rows_and_files_does_not_matter(order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle(), cut in 1..8usize) {
        let mut rows = vec![vnet()];
        for n in 0..4 {
            rows.push(json!({"id": id("virtualNetworks/hub/subnets/web"), "properties": {"addressPrefix": format!("10.0.{n}.0/24")}}));
            rows.push(json!({"id": id(&format!("networkInterfaces/n{}", n % 2)), "location": format!("r{n}"), "properties": {"a": n, "ipConfigurations":
                [{"name": "c", "properties": {"subnet": {"id": id("virtualNetworks/hub/subnets/web")}, "privateIPAddress": format!("10.0.1.{n}")}}]}}));
        }
        let result = |rows: Vec<Value>, cut: usize| {
            let (left, right) = rows.split_at(cut);
            let inputs = vec![input("a.json", &Value::from(left.to_vec()).to_string()), input("b.json", &Value::from(right.to_vec()).to_string())];
            lines(estate(ingest::read(inputs)).facts())
        };
        let shuffled: Vec<Value> = order.iter().map(|&at| rows[at].clone()).collect();
        prop_assert_eq!(result(rows, 4), result(shuffled, cut));
    }

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
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), flip in any::<u8>()) {
        let _ = ingest::read(vec![Input { name: "x".into(), bytes: bytes.clone() }]);
        let _ = store::read_file("nsg_rule", "nsg_rule.facts", &bytes);
        let mut text = json!({"data": [vnet()]}).to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = flip;
        let (estate, diagnostics) = Estate::from_loaded(ingest::read(vec![Input { name: "x".into(), bytes: text.clone() }]));
        for diagnostic in diagnostics {
            let _ = watertight::diag::Text::new(text.as_slice()).locate(&diagnostic.pointer);
            let _ = diagnostic.render(true);
        }
        drop(estate);
    }

    #[test]
    fn any_text_survives_a_facts_file(cells in proptest::collection::vec(".*", 3)) {
        let fact = Fact::from(watertight::facts::gap::Tag { resource: Sym::new(&format!("/{}", cells[0])), key: Sym::new(&cells[1]), value: Sym::new(&cells[2]) });
        let target = tempfile::tempdir().unwrap();
        store::write_folder(target.path(), [fact], []).unwrap();
        let loaded = load(target.path());
        prop_assert_eq!(loaded.facts, vec![fact]);
    }
}
