//! `reach`, `whatif` and `diff` on the example estate: rows, and that they are the same however they come about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{Said, watertight};

const CONTOSO: &str = "facts/examples/contoso";
const CHANGES: [&str; 2] = ["facts/examples/changes/approve-consent.json", "facts/examples/changes/nsg-rule.json"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(args: &[&str]) -> Said {
    watertight(root(), args, "")
}

/// The rows of a listing.
fn rows(args: &[&str]) -> Vec<Value> {
    let all: Vec<&str> = args.iter().chain(&["--format", "ndjson"]).copied().collect();
    let said = run(&all);
    assert!(said.code < 2, "{}", said.err);
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_have_the_widest_ends_and_split_at_what_is_sure() {
    let listing = run(&["reach", CONTOSO, "--from", "vnet:web-vnet"]);
    insta::assert_snapshot!("reach_from_web", listing.out);
}

#[test]
fn selectors_and_ports_narrow_the_listing() {
    let all = rows(&["reach", CONTOSO]);
    let from = rows(&["reach", CONTOSO, "--from", "vm:payroll-app"]);
    assert!(!from.is_empty() && from.iter().all(|row| all.contains(row)), "a filter shows rows of the whole listing");
    let from_subnet: Vec<&Value> = all.iter().filter(|row| row["from"] == from[0]["from"]).collect();
    assert_eq!(from.iter().collect::<Vec<_>>(), from_subnet);

    let one = rows(&["reach", CONTOSO, "--from", "vm:payroll-app", "--to", "vm:payroll-db", "--proto", "tcp", "--port", "1433"]);
    assert_eq!(one.len(), 1);
    assert_eq!(one[0]["traffic"], json!([{"proto": "tcp", "ports": "1433"}]));
    assert!(rows(&["reach", CONTOSO, "--from", "vm:payroll-app", "--to", "vm:payroll-db", "--port", "22"]).is_empty());
    // One of the two interfaces of a subnet is not the subnet.
    let web = rows(&["reach", CONTOSO, "--from", "vm:web02", "--to", "onprem:hq"]);
    assert_eq!(web[0]["from"]["kind"], "nic");
}

/// covers: SND-02, SND-04
#[test]
fn a_machine_whose_interface_was_not_exported_has_rows() {
    let net = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network";
    let machine = |name: &str| {
        let nic = json!({"id": format!("{net}/networkInterfaces/{name}-nic")});
        let id = format!("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{name}");
        json!({"id": id, "location": "westeurope", "properties": {"networkProfile": {"networkInterfaces": if name == "c" { json!([]) } else { json!([nic]) }}}})
    };
    let subnet = json!({"name": "s", "properties": {"addressPrefix": "10.0.1.0/24"}});
    let network = json!({"id": format!("{net}/virtualNetworks/v"), "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet], "virtualNetworkPeerings": []}});
    let place = json!({"privateIPAddress": "10.0.1.4", "primary": true, "subnet": {"id": format!("{net}/virtualNetworks/v/subnets/s")}});
    let nic = json!({"id": format!("{net}/networkInterfaces/a-nic"), "location": "westeurope",
        "properties": {"virtualMachine": {"id": machine("a")["id"]}, "ipConfigurations": [{"name": "c", "properties": place}]}});
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("estate.json");
    fs::write(&file, json!([network, machine("a"), machine("b"), machine("c"), nic]).to_string()).unwrap();
    let file = file.to_str().unwrap();
    for (from, to) in [("vm:a", "vm:b"), ("vm:b", "vm:a"), ("vm:a", "vm:c"), ("vm:c", "vm:a")] {
        let found = rows(&["reach", file, "--from", from, "--to", to]);
        assert!(!found.is_empty() && found.iter().all(|row| row["certainty"] == "unproven"), "{from} {to} {found:#?}");
    }
    for from in ["vm:b", "vm:c"] {
        assert!(!rows(&["reach", file, "--from", from]).is_empty());
    }
    let all = rows(&["reach", file]);
    for id in ["/networkinterfaces/b-nic", "/virtualmachines/c"] {
        for side in ["from", "to"] {
            assert!(all.iter().any(|row| row[side]["id"].as_str().is_some_and(|found| found.ends_with(id))), "{id} {all:#?}");
        }
    }
}

/// Apps, what stands in a subnet and what runs code open flows as machines do: the listing says of each what it says where that one is named.
///
/// covers: APP-07, SE-22, R-07
#[test]
fn resources_that_open_flows_are_listed() {
    let rg = "/subscriptions/aaaaaaaa-0000-4000-8000-000000000001/resourceGroups/rg/providers";
    let body = |id: &str, properties: Value| json!({"id": format!("{rg}/{id}"), "location": "westeurope", "properties": properties});
    let subnet = |name: &str, prefix: &str| json!({"name": name, "properties": {"addressPrefix": prefix}});
    let subnet_id = format!("{rg}/Microsoft.Network/virtualNetworks/v/subnets/apps");
    let estate = json!([
        body(
            "Microsoft.Network/virtualNetworks/v",
            json!({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet("apps", "10.0.1.0/24")]})
        ),
        body("Microsoft.Web/sites/w1", json!({"virtualNetworkSubnetId": subnet_id, "siteConfig": {}})),
        body("Microsoft.Automation/automationAccounts/runs", json!({})),
        body("Microsoft.Storage/storageAccounts/a1", json!({"networkAcls": {"defaultAction": "Allow"}, "publicNetworkAccess": "Enabled"})),
    ]);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("estate.json");
    fs::write(&file, estate.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let all = rows(&["reach", file]);
    for name in ["web:w1", "Microsoft.Automation/automationAccounts/runs"] {
        let from = if name.contains('/') { format!("{rg}/{name}") } else { name.to_owned() };
        let named = rows(&["reach", file, "--from", &from]);
        let id = named[0]["from"]["id"].clone();
        let listed: Vec<Value> = all.iter().filter(|row| row["from"]["id"] == id).cloned().collect();
        assert_eq!(listed, named, "{name}");
        let sure = |row: &&Value| row["to"]["part"] == "blob" && row["certainty"] == "proven";
        assert!(listed.iter().any(|row| sure(&row)), "{name}: {listed:#?}");
    }
    let senders = |kind: &str| all.iter().filter(|row| row["from"]["kind"] == kind).count();
    assert_eq!(senders("storage"), 0, "an account opens no flows");
}

#[test]
fn paths_name_the_appliance_between() {
    let rows = rows(&["reach", CONTOSO, "--from", "vm:orders01", "--to", "vm:batch01", "--paths"]);
    assert_eq!((rows.len(), &rows[0]["certainty"]), (1, &json!("unproven")));
    let hops = rows[0]["hops"].as_array().unwrap();
    assert_eq!(hops.len(), 2);
    assert!(hops[0]["to"]["id"].as_str().unwrap().ends_with("/fw01-nic"));
    assert_eq!((&hops[0]["via"], &hops[1]["via"]), (&json!("peering"), &json!("peering")));
    assert_eq!(rows[0]["assumptions"][0]["code"], "W-NVA");
}

/// Rows agree with what `check` says of the same flow.
/// covers: IN-08
#[test]
fn a_way_over_an_application_gateway_names_its_listener() {
    let network = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network";
    let gate = format!("{network}/applicationGateways/gate");
    let of_gate = |part: &str| json!({"id": format!("{gate}/{part}")});
    let named = |part: &str, properties: Value| json!([{"name": part.rsplit('/').next(), "id": format!("{gate}/{part}"), "properties": properties}]);
    let subnet = |name: &str, prefix: &str| json!({"id": format!("{network}/virtualNetworks/v/subnets/{name}"), "name": name, "properties": {"addressPrefix": prefix}});
    let of_subnet = |name: &str| json!({"id": format!("{network}/virtualNetworks/v/subnets/{name}")});
    let machine = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web";
    let resource =
        |id: &str, properties: Value| json!({"id": id, "name": id.rsplit('/').next(), "location": "westeurope", "properties": properties});
    let estate = json!([
        resource(
            &format!("{network}/virtualNetworks/v"),
            json!({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [subnet("s", "10.0.1.0/24"), subnet("agw", "10.0.3.0/24")]})
        ),
        resource(
            &format!("{network}/networkInterfaces/web-nic"),
            json!({"virtualMachine": {"id": machine},
            "ipConfigurations": [{"name": "c", "properties": {"privateIPAddress": "10.0.1.4", "subnet": of_subnet("s")}}]})
        ),
        resource(machine, json!({"networkProfile": {"networkInterfaces": [{"id": format!("{network}/networkInterfaces/web-nic")}]}})),
        resource(
            &format!("{network}/publicIPAddresses/pip"),
            json!({"ipAddress": "20.0.0.5", "ipConfiguration": of_gate("frontendIPConfigurations/fe")})
        ),
        resource(
            &gate,
            json!({
            "gatewayIPConfigurations": [{"name": "g", "properties": {"subnet": of_subnet("agw")}}],
            "frontendIPConfigurations": named("frontendIPConfigurations/fe", json!({"publicIPAddress": {"id": format!("{network}/publicIPAddresses/pip")}})),
            "frontendPorts": named("frontendPorts/p", json!({"port": 443})),
            "httpListeners": named("httpListeners/l", json!({"frontendIPConfiguration": of_gate("frontendIPConfigurations/fe"), "frontendPort": of_gate("frontendPorts/p"), "protocol": "Https"})),
            "backendAddressPools": named("backendAddressPools/b", json!({"backendAddresses": [{"ipAddress": "10.0.1.4"}]})),
            "backendHttpSettingsCollection": named("backendHttpSettingsCollection/h", json!({"port": 8080})),
            "requestRoutingRules": [{"name": "r", "properties": {"httpListener": of_gate("httpListeners/l"),
                "backendAddressPool": of_gate("backendAddressPools/b"), "backendHttpSettings": of_gate("backendHttpSettingsCollection/h")}}]})
        ),
    ]);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("estate.json");
    fs::write(&file, estate.to_string()).unwrap();
    let asked = ["reach", file.to_str().unwrap(), "--from", "internet", "--to", "vm:web", "--paths"];
    let rows = rows(&asked);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let sent: Vec<&Value> = rows[0]["hops"].as_array().unwrap().iter().map(|hop| &hop["traffic"]).collect();
    assert_eq!(sent, [&json!([{"proto": "tcp", "ports": "443"}]), &json!([{"proto": "tcp", "ports": "8080"}])]);
    assert_eq!(rows[0]["traffic"], json!([{"proto": "tcp", "ports": "8080"}]));
    let text = run(&asked).out;
    assert!(text.contains("internet -[public]-> gate -[vnet-local]-> "), "{text}");
}

/// Two rules let in one half of the internet each, from one half of the source ports: no address gets in from whatever port.
/// covers: NSG-07, IN-01
#[test]
fn source_ports_of_several_addresses_do_not_add_up_to_a_proven_row() {
    let network = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network";
    let id = |kind: &str, name: &str| json!({"id": format!("{network}/{kind}/{name}")});
    let rule = |name: &str, priority: u16, from: &str, ports: &str| {
        json!({"name": name, "properties": {"priority": priority, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
            "sourceAddressPrefix": from, "sourcePortRange": ports, "destinationAddressPrefix": "*", "destinationPortRange": "443"}})
    };
    let resource = |kind: &str, name: &str, properties: Value| json!({"id": format!("{network}/{kind}/{name}"), "name": name, "location": "westeurope", "properties": properties});
    let machine = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web";
    let mut address = resource("publicIPAddresses", "pip", json!({"ipAddress": "20.0.0.5"}));
    address["sku"] = json!({"name": "Standard"});
    let estate = json!([
        resource(
            "virtualNetworks",
            "v",
            json!({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "s", "id": format!("{network}/virtualNetworks/v/subnets/s"),
            "properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": id("networkSecurityGroups", "g")}}]})
        ),
        resource(
            "networkSecurityGroups",
            "g",
            json!({"securityRules": [rule("low", 100, "0.0.0.0/1", "0-32767"), rule("high", 110, "128.0.0.0/1", "32768-65535")]})
        ),
        resource(
            "networkInterfaces",
            "nic",
            json!({"virtualMachine": {"id": machine}, "ipConfigurations": [{"name": "c", "properties": {
            "privateIPAddress": "10.0.1.4", "subnet": id("virtualNetworks/v/subnets", "s"), "publicIPAddress": id("publicIPAddresses", "pip")}}]})
        ),
        address,
        json!({"id": machine, "name": "web", "location": "westeurope", "properties": {"networkProfile": {"networkInterfaces": [id("networkInterfaces", "nic")]}}}),
    ]);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("estate.json");
    fs::write(&file, estate.to_string()).unwrap();
    let all = rows(&["reach", file.to_str().unwrap(), "--from", "internet", "--to", "vm:web"]);
    let said: Vec<String> = all.iter().map(|row| format!("{} {}", row["certainty"], row["traffic"])).collect();
    let low = r#""proven" [{"proto":"tcp","ports":"443","source_ports":"0-32767"}]"#;
    let high = r#""unproven" [{"proto":"tcp","ports":"443","source_ports":"32768-65535"}]"#;
    assert_eq!(said, [low, high]);
}

/// Absence of a row means denied: where a value could not be read every pair that was asked for is listed.
/// covers: SND-02
#[test]
fn no_pair_is_left_out_where_a_value_could_not_be_read() {
    let folder = TempDir::new().unwrap();
    for entry in fs::read_dir(root().join(CONTOSO)).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        fs::copy(&entry, folder.path().join(entry.file_name().unwrap())).unwrap();
    }
    let input = folder.path().to_str().unwrap();
    let ask = |from: &str, to: &str| rows(&["reach", input, "--from", from, "--to", to]);
    let refused = ("vm:payroll-app", "vm:batch01");
    assert!(ask(refused.0, refused.1).is_empty());

    let id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network";
    let named = json!([{"id": format!("{id}/privateEndpoints/unseen"), "name": "unseen", "properties": {}}]);
    fs::write(folder.path().join("unseen.json"), named.to_string()).unwrap();
    assert!(ask(refused.0, refused.1).is_empty(), "an endpoint leads to no machine");
    let to_store = ask(refused.0, "storage:contosologs/blob");
    assert!(!to_store.is_empty() && to_store.iter().all(|row| row["certainty"] == "unproven"), "{to_store:?}");

    let joined = json!([{"id": format!("{id}/virtualHubs/h/hubVirtualNetworkConnections/c"), "name": "c", "properties": {}}]);
    fs::write(folder.path().join("joined.json"), joined.to_string()).unwrap();
    let unread = ask(refused.0, refused.1);
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert_eq!((&unread[0]["certainty"], &unread[0]["assumptions"][0]["code"]), (&json!("unproven"), &json!("W-MISSING")));
}

#[test]
fn the_listing_says_what_single_flows_say() {
    let names = ["vm:payroll-app", "vm:orders01", "vm:web01", "vm:batch01", "internet", "onprem:hq"];
    let stores = ["storage:contosopayroll/blob", "storage:contosologs/blob", "external:storage"];
    let mut flows = String::new();
    let mut pairs = Vec::new();
    for from in names {
        for to in names.iter().chain(&stores).filter(|to| **to != from) {
            if matches!((from, *to), ("internet" | "onprem:hq", "external:storage") | ("internet", "internet")) {
                continue;
            }
            pairs.push((from, *to));
            flows.push_str(&format!("{{\"from\":\"{from}\",\"to\":\"{to}\",\"proto\":\"tcp\",\"port\":443}}\n"));
        }
    }
    let said = watertight(root(), &["check", CONTOSO, "--flows", "-"], &flows);
    let asked: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(asked.len(), pairs.len());
    for ((from, to), answer) in pairs.into_iter().zip(asked) {
        // The rows of the pair alone: their ends may be wider in the whole listing, never their verdict.
        let mine = rows(&["reach", CONTOSO, "--from", from, "--to", to, "--proto", "tcp", "--port", "443"]);
        let verdict = match () {
            () if mine.iter().any(|row| row["certainty"] == "proven") => "allowed",
            () if !mine.is_empty() => "unproven",
            () => "denied",
        };
        assert_eq!(answer["verdict"], verdict, "{from} {to}");
    }
}

#[test]
fn the_order_of_inputs_and_the_number_of_workers_never_show() {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(CONTOSO)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    // The statements are not found beside single files.
    let folder = TempDir::new().unwrap();
    fs::copy(root().join(CONTOSO).join("watertight.toml"), folder.path().join("watertight.toml")).unwrap();
    for verb in ["reach", "verify"] {
        let mut outs = BTreeSet::new();
        for (reversed, workers) in [(false, "1"), (true, "2"), (false, "3")] {
            let mut names: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
            if reversed {
                names.reverse();
            }
            let args: Vec<&str> = [verb, "--format", "json", "--workers", workers].into_iter().chain(names).collect();
            outs.insert(watertight(folder.path(), &args, "").out);
        }
        assert_eq!(outs.len(), 1, "{verb}");
    }
}

/// Every row that a change can move, as `diff` sees it.
fn everything(input: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for relation in ["reach", "exfil"] {
        all.extend(rows(&[relation, input]).into_iter().map(|row| tagged(relation, row)));
    }
    let report: Value = serde_json::from_str(&run(&["verify", input, "--format", "json"]).out).unwrap();
    for check in report["checks"].as_array().unwrap() {
        for finding in check["findings"].as_array().unwrap() {
            let mut row = json!({"check": check["id"], "severity": check["severity"]});
            for key in ["witness", "certainty", "message", "assumptions"] {
                if let Some(value) = finding.get(key).filter(|value| **value != json!([])) {
                    row[key] = value.clone();
                }
            }
            all.insert(tagged("violation", row));
        }
    }
    all
}

fn tagged(relation: &str, row: Value) -> String {
    let mut row = row;
    row["relation"] = json!(relation);
    sorted(&row).to_string()
}

/// The value with its keys in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            Value::Object(keys.into_iter().map(|key| (key.clone(), sorted(&map[key]))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[test]
fn whatif_is_the_difference_of_the_two_estates() {
    let folder = TempDir::new().unwrap();
    for (n, changes) in [&CHANGES[..1], &CHANGES[1..], &CHANGES[..]].into_iter().enumerate() {
        // The estate after the change, as a person would export it then.
        let after = folder.path().join(n.to_string());
        copy_changed(&after, changes);
        let after = after.to_str().unwrap();
        let whatif: Vec<&str> = ["whatif", CONTOSO, "--change"].into_iter().chain(changes.iter().copied()).collect();
        let moved = rows(&whatif);
        assert_eq!(moved, rows(&["diff", CONTOSO, after]));
        let (old, new) = (everything(CONTOSO), everything(after));
        let mut wanted: Vec<(String, String)> = old.difference(&new).map(|row| ("-".to_owned(), row.clone())).collect();
        wanted.extend(new.difference(&old).map(|row| ("+".to_owned(), row.clone())));
        wanted.sort();
        let mut found: Vec<(String, String)> = Vec::new();
        for mut row in moved {
            let change = row.as_object_mut().unwrap().shift_remove("change").unwrap();
            found.push((change.as_str().unwrap().to_owned(), sorted(&row).to_string()));
        }
        found.sort();
        assert_eq!(found, wanted);
        assert!(!found.is_empty());
    }
}

/// The example with the resources of `changes` in place of its own.
fn copy_changed(folder: &Path, changes: &[&str]) {
    fs::create_dir(folder).unwrap();
    let new: Vec<Value> = changes
        .iter()
        .flat_map(|path| serde_json::from_str::<Vec<Value>>(&fs::read_to_string(root().join(path)).unwrap()).unwrap())
        .collect();
    let id = |resource: &Value| resource["id"].as_str().unwrap().to_lowercase();
    for entry in fs::read_dir(root().join(CONTOSO)).unwrap() {
        let path = entry.unwrap().path();
        let to = folder.join(path.file_name().unwrap());
        if path.extension().is_none_or(|extension| extension != "json") {
            fs::copy(&path, to).unwrap();
            continue;
        }
        let mut document: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let key = ["data", "value"].into_iter().find(|key| document.get(key).is_some());
        let list = match key {
            Some(key) => document[key].as_array_mut().unwrap(),
            None => document.as_array_mut().unwrap(),
        };
        for resource in list {
            if let Some(changed) = new.iter().find(|changed| id(changed) == id(resource)) {
                *resource = changed.clone();
            }
        }
        fs::write(to, document.to_string()).unwrap();
    }
}

#[test]
fn a_change_file_says_what_it_moves() {
    insta::assert_snapshot!("whatif_nsg_rule", run(&["whatif", CONTOSO, "--change", CHANGES[1]]).out);
    insta::assert_snapshot!("whatif_approve_consent", run(&["whatif", CONTOSO, "--change", CHANGES[0]]).out);
}

#[test]
fn only_a_new_violation_fails_a_change() {
    let folder = TempDir::new().unwrap();
    let after = folder.path().join("after");
    copy_changed(&after, &CHANGES[1..]);
    let after = after.to_str().unwrap();
    assert_eq!(run(&["diff", CONTOSO, after]).code, 0, "it only closes");
    assert_eq!(run(&["diff", after, CONTOSO]).code, 1, "it opens");
    let nothing = folder.path().join("nothing.json");
    fs::write(&nothing, "[]").unwrap();
    let said = run(&["whatif", CONTOSO, "--change", nothing.to_str().unwrap(), "--format", "json"]);
    assert_eq!((said.code, &serde_json::from_str::<Value>(&said.out).unwrap()["rows"]), (0, &json!([])));
}
