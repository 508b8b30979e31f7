//! Every shape in which exporters write, and what has none.

use proptest::prelude::*;
use serde_json::{Value, json};
use watertight::diag::Severity;
use watertight::facts::estate::Estate;
use watertight::ingest;

use crate::ingest::{codes, estate, id, ids, input, lines, read, vnet};

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
}
