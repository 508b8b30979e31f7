//! What a person saw on the platform and gives beside the export.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::watertight;

const NET: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Network";

/// An estate with a gateway whose learned routes are not in it, and one interface.
fn estate() -> Value {
    let subnet = |name: &str, prefix: &str| json!({ "name": name, "properties": { "addressPrefix": prefix } });
    let vm = NET.replace("Microsoft.Network", "Microsoft.Compute/virtualMachines/a");
    json!([
        { "id": format!("{NET}/virtualNetworks/v"), "location": "westeurope", "properties":
            { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "virtualNetworkPeerings": [], "subnets": [subnet("s", "10.0.1.0/24"), subnet("GatewaySubnet", "10.0.255.0/27")] } },
        { "id": format!("{NET}/virtualNetworkGateways/er"), "location": "westeurope", "properties":
            { "gatewayType": "ExpressRoute", "ipConfigurations": [{ "name": "c", "properties": { "subnet": { "id": format!("{NET}/virtualNetworks/v/subnets/GatewaySubnet") } } }] } },
        { "id": vm, "location": "westeurope", "properties": { "networkProfile": { "networkInterfaces": [{ "id": format!("{NET}/networkInterfaces/a-nic") }] } } },
        { "id": format!("{NET}/networkInterfaces/a-nic"), "location": "westeurope", "properties": { "virtualMachine": { "id": vm }, "ipConfigurations": [
            { "name": "c", "properties": { "primary": true, "privateIPAddress": "10.0.1.4", "subnet": { "id": format!("{NET}/virtualNetworks/v/subnets/s") } } }] } },
    ])
}

/// As `az network nic show-effective-route-table` prints it.
fn routes() -> Value {
    let route = |source: &str, state: &str, prefix: &str, hop: &str, address: &[&str]| json!({ "source": source, "state": state, "addressPrefix": [prefix], "nextHopType": hop, "nextHopIpAddress": address, "name": null });
    json!({ "nextLink": null, "value": [
        route("Default", "Active", "10.0.0.0/16", "VnetLocal", &[]),
        route("VirtualNetworkGateway", "Active", "172.16.0.0/12", "VirtualNetworkGateway", &["20.0.0.4"]),
        route("Default", "Invalid", "0.0.0.0/0", "Internet", &[]),
        route("User", "Active", "0.0.0.0/0", "VirtualAppliance", &["10.0.1.9"]),
    ]})
}

struct Folder(TempDir);

impl Folder {
    fn new(seen: &[Value]) -> Folder {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("estate.json"), estate().to_string()).unwrap();
        for (n, seen) in seen.iter().enumerate() {
            fs::write(folder.path().join(format!("seen{n}.json")), seen.to_string()).unwrap();
        }
        Folder(folder)
    }

    fn said(&self, verb: &[&str], options: &[&str]) -> (Value, String) {
        let input = self.0.path().display().to_string();
        let said = watertight(self.0.path(), &[verb, &[&input, "--format", "json"], options].concat(), "");
        assert_eq!(said.code, 0, "{}", said.err);
        (serde_json::from_str(&said.out).unwrap(), said.err)
    }
}

fn seen(kind: &str, output: Value) -> Value {
    json!({ "resource": format!("{NET}/networkInterfaces/a-nic"), "kind": kind, "output": output })
}

/// covers: RTE-07
#[test]
fn observed_routes_are_believed_and_printed_back() {
    let printed = |folder: &Folder| folder.said(&["effective", "routes"], &["--at", "vm:a"]);
    let bare = Folder::new(&[]);
    assert_eq!(printed(&bare).0["value"].as_array().unwrap().len(), 6, "derived: the network, the internet, four reserved ranges");

    // The whole answer of the command, or its list alone.
    for output in [routes(), routes()["value"].clone()] {
        let folder = Folder::new(&[seen("effective-routes", output)]);
        let (document, messages) = printed(&folder);
        assert_eq!(messages, "");
        let line = |route: &Value| {
            let text = |key: &str| route[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {} {}", text("source"), text("state"), route["addressPrefix"][0].as_str().unwrap(), text("nextHopType"))
        };
        let lines: Vec<String> = document["value"].as_array().unwrap().iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "User Active 0.0.0.0/0 VirtualAppliance",
                "Default Active 10.0.0.0/16 VnetLocal",
                "VirtualNetworkGateway Active 172.16.0.0/12 VirtualNetworkGateway",
            ]
        );
        let (said, _) = folder.said(&["explain"], &["--from", "vm:a", "--to", "ip:10.0.9.9", "--port", "443"]);
        assert_eq!(said["verdict"], "denied", "nobody has it, and no learned route is longer: {said:#}");
        let (chosen, _) = folder.said(&["effective", "routes"], &["--at", "vm:a", "--dst", "8.8.8.8"]);
        assert_eq!(chosen["selected"][0]["nextHopIpAddress"], json!(["10.0.1.9"]));
        let (said, _) = folder.said(&["explain"], &["--from", "vm:a", "--to", "internet:8.8.8.8", "--port", "443"]);
        assert_eq!(said["assumptions"][0]["code"], "W-NVA-UNKNOWN", "it goes to an appliance that nobody exported: {said:#}");
    }
    let (said, _) = bare.said(&["explain"], &["--from", "vm:a", "--to", "internet:8.8.8.8", "--port", "443"]);
    assert_eq!(said["assumptions"][0]["code"], "W-BGP-UNKNOWN", "{said:#}");
}

/// What is not understood is said, and then the routes are derived; of what is not told nobody knows where it leads.
///
/// covers: RTE-07
#[test]
fn half_understood_observations_do_not_count() {
    let mut broken = routes();
    broken["value"][3]["addressPrefix"] = json!(["everything"]);
    let untold = [json!({ "value": [] }), json!({ "value": [{ "source": "Default" }] })].map(|output| (output, "W-MISSING"));
    for (output, code) in [broken, json!(7)].map(|output| (output, "W-BGP-UNKNOWN")).into_iter().chain(untold) {
        let folder = Folder::new(&[seen("effective-routes", output.clone())]);
        let (said, _) = folder.said(&["explain"], &["--from", "vm:a", "--to", "internet:8.8.8.8", "--port", "443"]);
        assert_eq!(said["verdict"], "unproven", "{output}");
        assert_eq!(said["assumptions"][0]["code"], code, "{output}");
        let gaps = said["gaps"].as_array().unwrap();
        assert!(
            gaps.iter().any(|gap| gap["resource"].as_str().unwrap().ends_with("/a-nic/observedroutes/effective")),
            "{output}: {gaps:?}"
        );
    }
    let folder = Folder::new(&[seen("learned-routes", routes()), seen("effective-rules", json!({ "value": [] }))]);
    let (_, messages) = folder.said(&["effective", "routes"], &["--at", "vm:a"]);
    let (said, _) = folder.said(&["explain"], &["--from", "vm:a", "--to", "vm:a", "--port", "443"]);
    assert_eq!(gaps(&said), ["a-nic/observedstates/effective-rules", "a-nic/observedstates/learned-routes"]);
    let mut elsewhere = seen("effective-routes", routes());
    elsewhere["resource"] = json!(NET.replace("Microsoft.Network", "Microsoft.Compute/virtualMachines/a"));
    let (said, at_a_machine) = Folder::new(&[elsewhere]).said(&["explain"], &["--from", "vm:a", "--to", "vm:a", "--port", "443"]);
    assert_eq!(gaps(&said), ["a/observedstates/effective-routes"]);
    assert!(at_a_machine.contains("`effective-routes` of something else than a network interface is not read yet"), "{at_a_machine}");
    let told = ["`learned-routes` of something else than a virtual network gateway", "an observed state of kind `effective-rules`"];
    for what in told {
        assert!(messages.contains(&format!("{what} is not read yet")), "{messages}");
    }
}

/// The last three segments of each gap's resource.
fn gaps(said: &Value) -> Vec<String> {
    let of = |gap: &Value| {
        let id = gap["resource"].as_str().unwrap().to_owned();
        let at = id.rmatch_indices('/').nth(2).map_or(0, |(at, _)| at + 1);
        id[at..].to_owned()
    };
    said["gaps"].as_array().unwrap().iter().map(of).collect()
}

/// What was seen at somebody who is not in the input says nothing of anybody who is, and is named.
///
/// covers: RTE-07, SND-04
#[test]
fn routes_of_an_interface_that_was_not_exported() {
    let mut elsewhere = seen("effective-routes", routes());
    elsewhere["resource"] = json!(format!("{NET}/networkInterfaces/gone"));
    let ask = |folder: &Folder| folder.said(&["explain"], &["--from", "vm:a", "--to", "internet:8.8.8.8", "--port", "443"]).0;
    let (bare, with) = (ask(&Folder::new(&[])), ask(&Folder::new(&[elsewhere])));
    assert_eq!((&bare["verdict"], &bare["assumptions"]), (&with["verdict"], &with["assumptions"]));
    assert_eq!((gaps(&bare), gaps(&with)), (Vec::new(), vec!["gone/observedroutes/effective".to_owned()]));
    assert!(gaps(&ask(&Folder::new(&[seen("effective-routes", routes())]))).is_empty());
}

/// A row of which a word is missing or unknown may lead anywhere, and does not make the others less certain where they are longer.
///
/// covers: RTE-07, SND-02
#[test]
fn a_row_that_is_not_told_whole_may_lead_anywhere() {
    let verdict = |field: &str, word: Value, to: &str| {
        let mut seen_routes = routes();
        seen_routes["value"][0][field] = word;
        let folder = Folder::new(&[seen("effective-routes", seen_routes)]);
        folder.said(&["explain"], &["--from", "vm:a", "--to", to, "--port", "443"]).0
    };
    let near = "ip:10.0.9.9";
    assert_eq!(verdict("state", json!("Active"), near)["verdict"], "denied", "nobody has it");
    assert_eq!(verdict("state", json!("Invalid"), near)["assumptions"][0]["code"], "W-NVA-UNKNOWN", "to the appliance");
    let unreadable = [("state", json!(5)), ("source", json!([])), ("nextHopType", json!({})), ("nextHopIpAddress", json!(5))];
    let unknown = [("state", json!("Pending")), ("state", Value::Null), ("source", Value::Null), ("nextHopType", Value::Null)];
    for (field, word) in unknown.into_iter().chain(unreadable) {
        let said = verdict(field, word.clone(), near);
        assert_eq!(said["verdict"], "unproven", "{field} {word}");
        assert!(said["gaps"].as_array().unwrap().iter().any(|gap| gap["what"].as_str().unwrap().contains("an observed route")), "{said:#}");
    }
    // Longer rows that were read keep their answer.
    let mut seen_routes = routes();
    for (field, word) in [("nextHopIpAddress", json!([5])), ("state", json!(7)), ("nextHopType", json!(false))] {
        seen_routes["value"][3][field] = word;
        let folder = Folder::new(&[seen("effective-routes", seen_routes.clone())]);
        let ask = |to: &str| folder.said(&["explain"], &["--from", "vm:a", "--to", to, "--port", "443"]).0;
        assert_eq!((&ask(near)["verdict"], &ask("internet:8.8.8.8")["verdict"]), (&json!("denied"), &json!("unproven")), "{field}");
        assert!(gaps(&ask(near)).iter().all(|gap| gap == "a-nic/observedroutes/effective"));
    }
    // A row without a prefix may be longer than any other.
    assert_eq!(verdict("addressPrefix", Value::Null, "internet:8.8.8.8")["assumptions"][0]["code"], "W-MISSING");
}

/// covers: RTE-07, SND-04
#[test]
fn a_route_to_a_gateway_that_was_not_exported() {
    let bare: Vec<Value> =
        estate().as_array().unwrap().iter().filter(|row| !row["id"].as_str().unwrap().ends_with("/er")).cloned().collect();
    let folder = Folder::new(&[seen("effective-routes", routes())]);
    fs::write(folder.0.path().join("estate.json"), Value::from(bare).to_string()).unwrap();
    let (said, _) = folder.said(&["explain"], &["--from", "vm:a", "--to", "ip:172.16.0.4", "--port", "443"]);
    assert_eq!((said["verdict"].as_str(), said["assumptions"][0]["code"].as_str()), (Some("unproven"), Some("W-MISSING")), "{said:#}");
}

/// covers: RTE-09, RTE-10
#[test]
fn a_gateways_route_of_a_networks_own_prefix_is_invalid() {
    let mut both = routes();
    let route = json!({ "source": "VirtualNetworkGateway", "state": "Active", "addressPrefix": ["10.0.0.0/16"], "nextHopType": "VirtualNetworkGateway", "nextHopIpAddress": ["20.0.0.4"], "name": null });
    both["value"].as_array_mut().unwrap().push(route);
    let folder = Folder::new(&[seen("effective-routes", both)]);
    let (document, _) = folder.said(&["effective", "routes"], &["--at", "vm:a", "--dst", "10.0.1.9"]);
    let state = |hop: &str| {
        let own = |row: &&Value| row["addressPrefix"] == json!(["10.0.0.0/16"]) && row["nextHopType"] == hop;
        document["value"].as_array().unwrap().iter().find(own).unwrap()["state"].clone()
    };
    assert_eq!((state("VnetLocal"), state("VirtualNetworkGateway")), (json!("Active"), json!("Invalid")), "{document:#}");
    assert_eq!(document["selected"][0]["nextHopType"], "VnetLocal");
}

/// covers: RTE-07, SE-01
#[test]
fn a_service_endpoint_that_nobody_saw_is_not_proven() {
    let subnet = format!("{NET}/virtualNetworks/v/subnets/s");
    let mut estate = estate();
    estate[0]["properties"]["subnets"][0]["properties"]["serviceEndpoints"] =
        json!([{ "service": "Microsoft.Storage", "locations": ["westeurope"] }]);
    estate.as_array_mut().unwrap().push(json!({
        "id": NET.replace("Microsoft.Network", "Microsoft.Storage/storageAccounts/sa"), "location": "westeurope", "kind": "StorageV2",
        "properties": {
            "publicNetworkAccess": "Enabled", "primaryEndpoints": { "blob": "https://sa.blob.core.windows.net/" }, "privateEndpointConnections": [],
            "networkAcls": { "bypass": "None", "defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": [{ "id": subnet, "action": "Allow", "state": "Succeeded" }] },
        },
    }));
    let verdict = |observed: &[Value]| {
        let folder = Folder::new(observed);
        fs::write(folder.0.path().join("estate.json"), estate.to_string()).unwrap();
        folder.said(&["explain"], &["--from", "vm:a", "--to", "storage:sa/blob", "--port", "443"]).0["verdict"].clone()
    };
    assert_eq!(verdict(&[]), "allowed");
    assert_eq!(verdict(&[seen("effective-routes", routes())]), "unproven");
}

/// Of two tables of one interface that differ one is out of date: which one nobody knows.
///
/// covers: RTE-07, SND-02
#[test]
fn two_tables_of_one_interface_that_contradict_each_other() {
    let route = |prefix: &str, hop: &str| json!({ "source": "Default", "state": "Active", "addressPrefix": [prefix], "nextHopType": hop, "nextHopIpAddress": [], "name": null });
    let table =
        |hop: &str| json!({ "value": [route("0.0.0.0/0", "Internet"), route("8.0.0.0/8", hop), route("10.0.0.0/16", "VnetLocal")] });
    let verdict = |hops: &[&str], to: &str| {
        let seen: Vec<Value> = hops.iter().map(|hop| seen("effective-routes", table(hop))).collect();
        Folder::new(&seen).said(&["explain"], &["--from", "vm:a", "--to", to, "--port", "443"]).0["verdict"].clone()
    };
    let far = "internet:8.8.8.8";
    assert_eq!((verdict(&["None"], far), verdict(&["Internet"], far)), (json!("denied"), json!("allowed")));
    assert_eq!(
        (verdict(&["None", "None"], far), verdict(&["Internet", "Internet"], far)),
        (json!("denied"), json!("allowed")),
        "the same twice"
    );
    assert_eq!((verdict(&["Internet", "None"], far), verdict(&["None", "Internet"], far)), (json!("unproven"), json!("unproven")));
    assert_eq!(verdict(&["None", "Internet"], "internet:9.9.9.9"), "allowed", "where both agree nothing is in doubt");
}

/// covers: RTE-10, RTE-13
#[test]
fn a_persons_route_for_just_the_address_leaves_an_endpoints_invalid() {
    let subnet = json!({ "id": format!("{NET}/virtualNetworks/v/subnets/s") });
    let store = NET.replace("Microsoft.Network", "Microsoft.Storage/storageAccounts/sa");
    let state = |prefix: &str| {
        let mut estate = estate();
        estate[0]["properties"]["subnets"][0]["properties"]["routeTable"] = json!({ "id": format!("{NET}/routeTables/t") });
        let route = json!({ "addressPrefix": prefix, "nextHopType": "None" });
        estate.as_array_mut().unwrap().extend([
            json!({ "id": format!("{NET}/routeTables/t"), "properties": { "routes": [{ "name": "r", "properties": route }] } }),
            json!({ "id": format!("{NET}/privateEndpoints/e"), "properties": {
                "subnet": subnet, "customDnsConfigs": [{ "fqdn": "sa.blob.core.windows.net", "ipAddresses": ["10.0.1.7"] }],
                "privateLinkServiceConnections": [{ "name": "c", "properties": {
                    "privateLinkServiceId": store, "groupIds": ["blob"], "privateLinkServiceConnectionState": { "status": "Approved" } } }] } }),
        ]);
        let folder = Folder::new(&[]);
        fs::write(folder.0.path().join("estate.json"), estate.to_string()).unwrap();
        let (document, _) = folder.said(&["effective", "routes"], &["--at", "vm:a"]);
        let rows = document["value"].as_array().unwrap();
        rows.iter().find(|row| row["nextHopType"] == "InterfaceEndpoint").unwrap()["state"].clone()
    };
    assert_eq!((state("10.0.1.0/24"), state("10.0.1.7/32")), (json!("Active"), json!("Invalid")));
}

/// As `az network vnet-gateway list-learned-routes` prints it.
fn learned(rows: &[(&str, &str)]) -> Value {
    let row = |(network, origin): &(&str, &str)| json!({ "network": network, "localAddress": "10.0.255.4", "origin": origin, "weight": 32768, "nextHop": if *origin == "Network" { "" } else { "192.168.0.1" }, "sourcePeer": "192.168.0.1", "asPath": "65010" });
    json!({ "resource": format!("{NET}/virtualNetworkGateways/er"), "kind": "learned-routes", "output": { "value": rows.iter().map(row).collect::<Vec<_>>() } })
}

/// A circuit's connection, so that somebody can have told the gateway anything.
fn over_a_circuit(learned: &[Value]) -> Folder {
    let connection = json!({ "id": format!("{NET}/connections/c"), "location": "westeurope", "properties": { "connectionType": "ExpressRoute", "connectionStatus": "Connected",
        "virtualNetworkGateway1": { "id": format!("{NET}/virtualNetworkGateways/er") }, "peer": { "id": format!("{NET}/expressRouteCircuits/ring") } } });
    Folder::new(&[&[connection], learned].concat())
}

/// What somebody saw that a gateway learned is all it learned.
///
/// covers: GW-04, RTE-04
#[test]
fn learned_routes_settle_what_a_gateway_announces() {
    let ask = |folder: &Folder, to: &str| folder.said(&["explain"], &["--from", "vm:a", "--to", to, "--port", "443"]).0;
    let verdict = |folder: &Folder, to: &str| ask(folder, to)["verdict"].as_str().unwrap().to_owned();
    let bare = over_a_circuit(&[]);
    assert_eq!(verdict(&bare, "ip:172.16.0.4"), "unproven");
    let told = over_a_circuit(&[learned(&[("10.0.0.0/16", "Network"), ("172.16.0.0/12", "EBgp")])]);
    for (to, wanted) in
        [("ip:172.16.0.4", "allowed"), ("onprem:ring", "allowed"), ("ip:192.168.7.7", "denied"), ("internet:8.8.8.8", "allowed")]
    {
        assert_eq!(verdict(&told, to), wanted, "{to}");
    }
    assert!(gaps(&ask(&told, "ip:172.16.0.4")).iter().all(|gap| !gap.contains("learned")));
    let (document, _) = told.said(&["effective", "routes"], &["--at", "vm:a", "--dst", "172.16.0.4"]);
    assert_eq!(document["selected"][0]["nextHopType"], "VirtualNetworkGateway", "{document:#}");
    // Two that contradict each other, and one of which not every row can be read, tell nothing.
    let mut torn = learned(&[("172.16.0.0/12", "EBgp")]);
    torn["output"]["value"][0]["network"] = Value::Null;
    for folder in [over_a_circuit(&[torn]), over_a_circuit(&[learned(&[("172.16.0.0/12", "EBgp")]), learned(&[("172.17.0.0/16", "EBgp")])])]
    {
        let said = ask(&folder, "internet:8.8.8.8");
        assert_eq!(said["verdict"], "unproven");
        assert_eq!(gaps(&said), ["er/learnedroutes/bgp"], "{said:#}");
    }
    // What a gateway learned that nobody exported.
    let mut elsewhere = learned(&[("172.16.0.0/12", "EBgp")]);
    elsewhere["resource"] = json!(format!("{NET}/virtualNetworkGateways/gone"));
    assert_eq!(gaps(&ask(&over_a_circuit(&[elsewhere]), "internet:8.8.8.8")), ["gone/learnedroutes/bgp"]);
}
