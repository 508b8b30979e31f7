//! What holds of every answer, whatever the estate: defaults of absent properties, spelling, order, what is out of scope, the codes of warnings.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use watertight::facts::extract::extract;
use watertight::ingest::{self, Input};

use crate::cli::watertight;

const RG: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers";

pub fn id(tail: &str) -> String {
    format!("{RG}/{tail}")
}

pub fn network(tail: &str) -> String {
    id(&format!("Microsoft.Network/{tail}"))
}

pub fn resource(id: &str, properties: Value) -> Value {
    json!({ "id": id, "location": "westeurope", "properties": properties })
}

pub fn vnet(name: &str, prefix: &str, subnets: Value) -> Value {
    resource(
        &network(&format!("virtualNetworks/{name}")),
        json!({ "addressSpace": { "addressPrefixes": [prefix] }, "subnets": subnets, "virtualNetworkPeerings": [] }),
    )
}

pub fn subnet(name: &str, prefix: &str) -> Value {
    json!({ "name": name, "properties": { "addressPrefix": prefix } })
}

/// A machine with one interface: two resources.
pub fn machine(name: &str, subnet: &str, address: &str) -> [Value; 2] {
    let (vm, nic) = (id(&format!("Microsoft.Compute/virtualMachines/{name}")), network(&format!("networkInterfaces/{name}-nic")));
    let configuration = json!({ "name": "c", "properties":
        { "primary": true, "privateIPAddress": address, "subnet": { "id": network(&format!("virtualNetworks/{subnet}")) } } });
    [
        resource(&vm, json!({ "networkProfile": { "networkInterfaces": [{ "id": nic }] } })),
        resource(&nic, json!({ "virtualMachine": { "id": vm }, "ipConfigurations": [configuration] })),
    ]
}

/// What a command says of an estate, as JSON.
pub fn said(estate: &Value, verb: &[&str], options: &[&str]) -> Value {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("estate.json"), estate.to_string()).unwrap();
    let file = folder.path().join("estate.json").display().to_string();
    let args: Vec<&str> = [verb, &[&file, "--format", "json"], options].concat();
    let said = watertight(folder.path(), &args, "");
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn explain(estate: &Value, from: &str, to: &str, port: &str) -> Value {
    said(estate, &["explain"], &["--from", from, "--to", to, "--port", port])
}

pub fn verdict(estate: &Value, from: &str, to: &str, port: &str) -> String {
    explain(estate, from, to, port)["verdict"].as_str().unwrap().to_owned()
}

/// The codes of what an answer assumes.
fn codes(said: &Value) -> Vec<&str> {
    said["assumptions"].as_array().unwrap().iter().map(|assumption| assumption["code"].as_str().unwrap()).collect()
}

/// The facts of a body, as text.
fn facts(kind: &str, properties: &Value) -> BTreeSet<String> {
    let body = resource(&network(kind), properties.clone()).to_string();
    let loaded = ingest::read(vec![Input { name: "a.json".to_owned(), bytes: body.into_bytes() }]);
    let facts = loaded.resources.iter().flat_map(|resource| extract(resource).facts);
    facts.map(|fact| format!("{} {}", fact.relation().name, fact.cells().join(" "))).filter(|line| !line.starts_with("property ")).collect()
}

/// Mail that leaves is allowed and noted.
///
/// covers: OUT-14, SND-11
#[test]
fn what_is_to_be_noted_stands_beside_what_is_allowed() {
    let [vm, nic] = machine("vm", "v/subnets/s", "10.0.0.4");
    let estate = json!([vnet("v", "10.0.0.0/16", json!([subnet("s", "10.0.0.0/24")])), vm, nic]);
    let said = explain(&estate, "vm:vm", "internet:8.8.8.8", "25");
    assert_eq!((said["verdict"].as_str(), codes(&said)), (Some("allowed"), vec!["W-SMTP"]));
    let said = explain(&estate, "vm:vm", "internet:8.8.8.8", "443");
    assert_eq!((said["verdict"].as_str(), said.get("assumptions")), (Some("allowed"), None));
}

/// An absent property of deployed state means what Azure's interface fills in: the same facts as the default written out, and others than its opposite.
///
/// covers: SND-05
#[test]
fn an_absent_property_means_its_default() {
    let peering = json!({ "remoteVirtualNetwork": { "id": network("virtualNetworks/b") }, "peeringState": "Connected" });
    let interface = json!({ "virtualMachine": { "id": id("Microsoft.Compute/virtualMachines/vm") },
        "ipConfigurations": [{ "name": "c", "properties": { "subnet": { "id": network("virtualNetworks/v/subnets/s") } } }] });
    let range = json!({ "addressPrefix": "10.0.1.0/24" });
    let rule = json!({ "frontendIPConfiguration": { "id": network("loadBalancers/l/frontendIPConfigurations/f") },
        "backendAddressPool": { "id": network("loadBalancers/l/backendAddressPools/p") }, "protocol": "Tcp", "frontendPort": 80, "backendPort": 80 });
    let cases = [
        ("virtualNetworks/a/virtualNetworkPeerings/p", &peering, "allowVirtualNetworkAccess", json!(true), json!(false)),
        ("virtualNetworks/a/virtualNetworkPeerings/p", &peering, "allowForwardedTraffic", json!(false), json!(true)),
        ("virtualNetworks/a/virtualNetworkPeerings/p", &peering, "allowGatewayTransit", json!(false), json!(true)),
        ("virtualNetworks/a/virtualNetworkPeerings/p", &peering, "useRemoteGateways", json!(false), json!(true)),
        ("virtualNetworks/a/virtualNetworkPeerings/p", &peering, "peerCompleteVnets", json!(true), json!(false)),
        ("networkInterfaces/n", &interface, "enableIPForwarding", json!(false), json!(true)),
        ("routeTables/t", &json!({}), "disableBgpRoutePropagation", json!(false), json!(true)),
        ("virtualNetworks/a/subnets/s", &range, "privateLinkServiceNetworkPolicies", json!("Enabled"), json!("Disabled")),
        ("loadBalancers/l/loadBalancingRules/r", &rule, "disableOutboundSnat", json!(false), json!(true)),
    ];
    for (kind, body, property, default, other) in cases {
        let with = |value: Value| {
            let mut body = body.clone();
            body[property] = value;
            facts(kind, &body)
        };
        let absent = facts(kind, body);
        assert!(!absent.is_empty(), "{kind}");
        assert_eq!(absent, with(default), "{property} of {kind}");
        assert_eq!(absent, with(Value::Null), "{property} of {kind}");
        assert_ne!(absent, with(other), "{property} of {kind} is not read");
    }

    // In deployed state no filter of a subnet applies to a private endpoint unless the subnet says so.
    let endpoint = resource(
        &network("privateEndpoints/pe"),
        json!({ "subnet": { "id": network("virtualNetworks/v/subnets/p") }, "ipConfigurations": [{ "properties": { "privateIPAddress": "10.0.2.4" } }],
            "privateLinkServiceConnections": [{ "name": "l", "properties": { "groupIds": ["blob"], "privateLinkServiceId": id("Microsoft.Storage/storageAccounts/a"),
                "privateLinkServiceConnectionState": { "status": "Approved" }, "provisioningState": "Succeeded" } }] }),
    );
    let group = resource(
        &network("networkSecurityGroups/g"),
        json!({ "securityRules": [{ "name": "no", "properties": { "priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "*",
            "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*" } }] }),
    );
    for (policies, expected) in [(Value::Null, "allowed"), (json!("Disabled"), "allowed"), (json!("Enabled"), "denied")] {
        let mut filtered = subnet("p", "10.0.2.0/24");
        filtered["properties"]["networkSecurityGroup"] = json!({ "id": network("networkSecurityGroups/g") });
        filtered["properties"]["privateEndpointNetworkPolicies"] = policies.clone();
        let mut estate = vec![vnet("v", "10.0.0.0/16", json!([subnet("s", "10.0.1.0/24"), filtered])), endpoint.clone(), group.clone()];
        estate.extend(machine("a", "v/subnets/s", "10.0.1.4"));
        let options = ["--from", "vm:a", "--to", "pe:pe", "--port", "443", "--mode", "adversarial", "--session", "false"];
        assert_eq!(said(&Value::Array(estate), &["explain"], &options)["verdict"], expected, "{policies}");
    }
}

/// A reference whose id nobody knows yet is a reference all the same: what it leads to is missing, not absent.
///
/// covers: SND-06
#[test]
fn a_reference_without_an_id_is_not_an_absent_one() {
    let estate = |reference: Value| {
        let mut space = subnet("s", "10.0.1.0/24");
        space["properties"]["networkSecurityGroup"] = reference;
        let mut estate = vec![vnet("v", "10.0.0.0/16", json!([space]))];
        estate.extend(machine("a", "v/subnets/s", "10.0.1.4"));
        estate.extend(machine("b", "v/subnets/s", "10.0.1.5"));
        Value::Array(estate)
    };
    assert_eq!(verdict(&estate(Value::Null), "vm:a", "vm:b", "443"), "allowed");
    let missing = explain(&estate(json!({ "id": network("networkSecurityGroups/later") })), "vm:a", "vm:b", "443");
    assert_eq!((&missing["verdict"], &missing["assumptions"][0]["code"]), (&"unproven".into(), &"W-MISSING".into()));
    let unknown = explain(&estate(json!({ "id": null })), "vm:a", "vm:b", "443");
    assert_eq!((&unknown["verdict"], &unknown["assumptions"][0]["code"]), (&"unproven".into(), &"W-MISSING".into()), "{unknown:#}");
    // An address that Azure has not given yet may be any of the subnet's.
    let mut estate = estate(Value::Null);
    estate[2]["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = Value::Null;
    estate.as_array_mut().unwrap().push(resource(
        &network("networkSecurityGroups/g"),
        json!({ "securityRules": [{ "name": "half", "properties": { "priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "*",
            "sourceAddressPrefix": "10.0.1.0/25", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*" } }] }),
    ));
    estate[0]["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = json!({ "id": network("networkSecurityGroups/g") });
    assert_eq!(verdict(&estate, "vm:a", "vm:b", "443"), "unproven");
}

/// What runs inside a machine, and whether it runs, is no matter of the network.
///
/// covers: SND-08
#[test]
fn a_machine_that_is_switched_off_is_reached_like_any_other() {
    let estate = |state: &str| {
        let mut estate = vec![vnet("v", "10.0.0.0/16", json!([subnet("s", "10.0.1.0/24")]))];
        let [mut vm, nic] = machine("b", "v/subnets/s", "10.0.1.5");
        vm["properties"]["instanceView"] = json!({ "statuses": [{ "code": format!("PowerState/{state}") }] });
        vm["properties"]["extended"] = json!({ "instanceView": { "powerState": { "code": format!("PowerState/{state}") } } });
        estate.extend(machine("a", "v/subnets/s", "10.0.1.4"));
        estate.extend([vm, nic]);
        Value::Array(estate)
    };
    let running = explain(&estate("running"), "vm:a", "vm:b", "443");
    assert_eq!(running["verdict"], "allowed");
    let stopped = explain(&estate("deallocated"), "vm:a", "vm:b", "443");
    let bare = |mut said: Value| {
        said["proof"] = Value::Null; // it names the file
        said
    };
    assert_eq!(bare(stopped), bare(running));
}

/// The same estate in another order, with ids, tags, words and truth values spelled in other ways, has the same answers.
///
/// covers: SND-09, ADR-10
#[test]
fn order_and_spelling_do_not_matter() {
    let group = |allow: &str, inbound: &str, tag: &str, port: Value| {
        resource(
            &network("networkSecurityGroups/g"),
            json!({ "securityRules": [{ "name": "r", "properties": { "priority": 100, "direction": inbound, "access": allow, "protocol": "TCP",
                "sourceAddressPrefix": tag, "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": port } }] }),
        )
    };
    let table = |hop: &str, off: Value| {
        let routes = json!([{ "name": "none", "properties": { "addressPrefix": "0.0.0.0/0", "nextHopType": hop } }]);
        resource(&network("routeTables/t"), json!({ "disableBgpRoutePropagation": off, "routes": routes }))
    };
    let gateway = resource(
        &network("virtualNetworkGateways/gw"),
        json!({ "gatewayType": "Vpn", "ipConfigurations": [{ "name": "c", "properties": { "subnet": { "id": network("virtualNetworks/v/subnets/GatewaySubnet") } } }] }),
    );
    let site =
        resource(&network("localNetworkGateways/hq"), json!({ "localNetworkAddressSpace": { "addressPrefixes": ["192.168.0.0/16"] } }));
    let link = resource(
        &network("connections/c"),
        json!({ "connectionType": "IPsec", "connectionStatus": "Connected", "virtualNetworkGateway1": { "id": network("virtualNetworkGateways/gw") },
            "localNetworkGateway2": { "id": network("localNetworkGateways/hq") } }),
    );
    let estate = |special: &str, group: Value, table: Value| {
        let mut rooms = [subnet("s", "10.0.1.0/24"), subnet(special, "10.0.255.0/27")];
        rooms[0]["properties"]["networkSecurityGroup"] = json!({ "id": network("networkSecurityGroups/g") });
        // On the gateway's subnet, and only there, a default route counts perhaps.
        rooms[1]["properties"]["routeTable"] = json!({ "id": network("routeTables/t") });
        let mut estate = vec![vnet("v", "10.0.0.0/16", json!(rooms)), group, table, gateway.clone(), site.clone(), link.clone()];
        estate.extend(machine("a", "v/subnets/s", "10.0.1.4"));
        estate
    };
    let answers = |estate: &[Value]| {
        let estate = Value::Array(estate.to_vec());
        ["22", "80"].map(|port| {
            let said = explain(&estate, "onprem:hq", "vm:a", port);
            (said["verdict"].clone(), said["reason"].clone(), said["assumptions"].clone(), said["gaps"].clone())
        })
    };
    let plain = estate("GatewaySubnet", group("Deny", "Inbound", "VirtualNetwork", json!("22")), table("None", json!(false)));
    let expected = answers(&plain);
    assert_eq!(expected.each_ref().map(|said| &said.0), [&json!("denied"), &json!("allowed")], "{expected:#?}");

    let mut spelled = estate("GATEWAYSUBNET", group("deny", "INBOUND", "virtualNETWORK", json!("22")), table("none", json!("False")));
    let last = spelled.len() - 1;
    spelled[last]["id"] = spelled[last]["id"].as_str().unwrap().replace("resourceGroups", "RESOURCEGROUPS").into();
    let room = spelled[last].pointer_mut("/properties/ipConfigurations/0/properties/subnet/id").unwrap();
    *room = room.as_str().unwrap().to_uppercase().into();
    spelled.reverse();
    assert_eq!(answers(&spelled), expected);

    // A subnet of any other name is routed by its table: what makes the difference is the name.
    let other = estate("rooms", group("Deny", "Inbound", "VirtualNetwork", json!("22")), table("None", json!(false)));
    assert_ne!(answers(&other)[1].0, "allowed");
}

/// Of several policies of which nobody can read the definitions the same one is named, in whatever order they stand.
///
/// covers: SND-09, SEP-05
#[test]
fn which_of_several_is_named_does_not_depend_on_their_order() {
    let policy = |name: &str| {
        let listed = json!({ "service": "Microsoft.Storage", "serviceResources": ["/subscriptions/other/foo"] });
        let definitions = json!([{ "name": "d", "properties": listed }]);
        resource(&network(&format!("serviceEndpointPolicies/{name}")), json!({ "serviceEndpointPolicyDefinitions": definitions }))
    };
    let mut room = subnet("s", "10.0.1.0/24");
    room["properties"]["serviceEndpoints"] = json!([{ "service": "Microsoft.Storage", "locations": ["*"] }]);
    let attached = ["first", "second"].map(|name| json!({ "id": network(&format!("serviceEndpointPolicies/{name}")) }));
    room["properties"]["serviceEndpointPolicies"] = json!(attached);
    let mut estate = vec![policy("second"), policy("first"), vnet("v", "10.0.0.0/16", json!([room]))];
    estate.extend(machine("a", "v/subnets/s", "10.0.1.4"));
    let named = |estate: &[Value]| {
        let said = explain(&Value::Array(estate.to_vec()), "vm:a", "external:storage", "443");
        assert_eq!(said["verdict"], "unproven", "{said:#}");
        said["assumptions"].clone()
    };
    let one = named(&estate);
    assert!(one.to_string().contains("serviceendpointpolicies/first"), "{one:#}");
    estate.reverse();
    assert_eq!(named(&estate), one);
    estate.swap(3, 4);
    assert_eq!(named(&estate), one);
}

/// Every case says which rules it is about and who says so, and so does every file of platform truth.
///
/// covers: CNV-01
#[test]
fn every_claim_has_a_source() {
    let named = |path: &Path, mark: &str| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().any(|line| line.strip_prefix(mark).is_some_and(|rest| rest.trim().len() > 3))
    };
    let scenarios = crate::scenarios::files();
    assert!(scenarios.len() > 100);
    for path in scenarios {
        assert!(named(&path, "Source: ") && named(&path, "covers: "), "{}", path.display());
    }
    let facts = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("facts")).unwrap().flatten().map(|entry| entry.path());
    let facts: Vec<_> = facts.filter(|path| path.extension().is_some_and(|ending| ending == "facts")).collect();
    assert!(facts.len() > 5);
    for path in facts {
        assert!(named(&path, "# source: "), "{}", path.display());
    }
}

/// The codes of the network are those that the rule books list. Three of them are remarks that leave no answer open.
///
/// covers: SND-11, SND-01
#[test]
fn the_codes_of_warnings_are_a_closed_set() {
    const CODES: &[&str] = &[
        "W-ASYM",
        "W-ASYM-IN",
        "W-AVNM-DYN",
        "W-BGP-UNKNOWN",
        "W-CONN-STATE",
        "W-DELEGATED",
        "W-DUP-PRIO",
        "W-ER-V2V",
        "W-FWD-OFF",
        "W-GWSUBNET",
        "W-HAIRPIN",
        "W-L7",
        "W-LB-PROBE",
        "W-MISSING",
        "W-NVA",
        "W-NVA-UNKNOWN",
        "W-OVERLAP",
        "W-PEER-NOACCESS",
        "W-SE-UDR",
        "W-UDR-VNG",
        "W-UNSUPPORTED",
        "W-VPN-NAT",
        "W-VWAN",
    ];
    const REMARKS: &[&str] = &["W-ASG-VNET", "W-SMTP", "W-TAG-ALL"];
    let mut written: BTreeSet<String> = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            for part in fs::read_to_string(entry.path()).unwrap_or_default().split("\"W-").skip(1) {
                let code = part.split('"').next().unwrap_or_default();
                // Numbers are rules of the firewalls of web sites.
                if !code.starts_with(|c: char| c.is_ascii_digit()) {
                    written.insert(format!("W-{code}"));
                }
            }
        }
    }
    written.retain(|code| !REMARKS.contains(&code.as_str()));
    let known: BTreeSet<String> = CODES.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(written, known);
}

/// Whatever leaves an answer open names a code and the resource it is about.
///
/// covers: SND-11
#[test]
fn what_is_unproven_names_a_code_and_a_resource() {
    let mut bound = subnet("s", "10.0.1.0/24");
    bound["properties"]["routeTable"] = json!({ "id": network("routeTables/elsewhere") });
    let mut estate = vec![vnet("v", "10.0.0.0/16", json!([bound]))];
    estate.extend(machine("a", "v/subnets/s", "10.0.1.4"));
    let said = explain(&Value::Array(estate), "vm:a", "internet:8.8.8.8", "443");
    assert_eq!(said["verdict"], "unproven");
    let assumptions = said["assumptions"].as_array().unwrap();
    assert!(!assumptions.is_empty());
    for assumption in assumptions {
        assert_eq!(assumption["code"], "W-MISSING", "{assumption}");
        assert!(!assumption["resource"].as_str().unwrap().is_empty(), "{assumption}");
    }
    assert!(assumptions.iter().any(|assumption| assumption["resource"].as_str().unwrap().ends_with("/routetables/elsewhere")), "{said:#}");
}

/// Rules that translate what passes a connection leave all of it open, by their own code.
///
/// covers: GW-14
#[test]
fn a_connection_that_translates_proves_nothing() {
    let estate = |more: Value| {
        let mut connection = json!({ "connectionType": "IPsec", "connectionStatus": "Connected", "virtualNetworkGateway1": { "id": network("virtualNetworkGateways/gw") },
            "localNetworkGateway2": { "id": network("localNetworkGateways/hq") } });
        connection.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut estate = vec![
            vnet("v", "10.0.0.0/16", json!([subnet("s", "10.0.1.0/24"), subnet("GatewaySubnet", "10.0.255.0/27")])),
            resource(
                &network("virtualNetworkGateways/gw"),
                json!({ "gatewayType": "Vpn", "ipConfigurations": [{ "name": "c", "properties": { "subnet": { "id": network("virtualNetworks/v/subnets/GatewaySubnet") } } }] }),
            ),
            resource(&network("localNetworkGateways/hq"), json!({ "localNetworkAddressSpace": { "addressPrefixes": ["192.168.0.0/16"] } })),
            resource(&network("connections/c"), connection),
        ];
        estate.extend(machine("a", "v/subnets/s", "10.0.1.4"));
        Value::Array(estate)
    };
    for (from, to) in [("vm:a", "onprem:hq"), ("onprem:hq", "vm:a")] {
        assert_eq!(verdict(&estate(json!({})), from, to, "443"), "allowed");
        assert_eq!(verdict(&estate(json!({ "ingressNatRules": [] })), from, to, "443"), "allowed");
        for rules in ["ingressNatRules", "egressNatRules"] {
            let said = explain(&estate(json!({ rules: [{ "id": network("virtualNetworkGateways/gw/natRules/n") }] })), from, to, "443");
            assert_eq!(said["verdict"], "unproven", "{from} {rules}");
            assert!(codes(&said).contains(&"W-VPN-NAT") && !codes(&said).contains(&"W-CONN-STATE"), "{from} {rules}: {said:#}");
        }
        let down = explain(&estate(json!({ "connectionStatus": "Connecting" })), from, to, "443");
        assert!(codes(&down).contains(&"W-CONN-STATE") && !codes(&down).contains(&"W-VPN-NAT"), "{from}: {down:#}");
    }
}

/// What a firewall in a hub does without its policy's parent is open, and the answer names the parent.
///
/// covers: AFW-01, VW-04
#[test]
fn a_hub_firewall_without_its_parent_policy_names_it() {
    let hub = network("virtualHubs/h");
    let firewall = network("azureFirewalls/fw");
    let link = |vnet: &str| {
        resource(
            &format!("{hub}/hubVirtualNetworkConnections/{vnet}"),
            json!({ "remoteVirtualNetwork": { "id": network(&format!("virtualNetworks/{vnet}")) }, "enableInternetSecurity": true }),
        )
    };
    let estate = |parent: Value| {
        let mut policy = json!({ "ruleCollectionGroups": [] });
        policy["basePolicy"] = parent;
        let mut estate = vec![
            resource(&network("virtualWans/w"), json!({ "type": "Standard" })),
            resource(
                &hub,
                json!({ "virtualWan": { "id": network("virtualWans/w") }, "addressPrefix": "10.9.0.0/24", "azureFirewall": { "id": firewall } }),
            ),
            resource(
                &format!("{hub}/routingIntent/i"),
                json!({ "routingPolicies": [{ "name": "p", "destinations": ["PrivateTraffic"], "nextHop": firewall }] }),
            ),
            resource(
                &firewall,
                json!({ "sku": { "name": "AZFW_Hub", "tier": "Standard" }, "virtualHub": { "id": hub },
                    "hubIPAddresses": { "privateIPAddress": "10.9.0.132" }, "firewallPolicy": { "id": network("firewallPolicies/child") } }),
            ),
            resource(&network("firewallPolicies/child"), policy),
            vnet("v", "10.1.0.0/16", json!([subnet("s", "10.1.1.0/24")])),
            vnet("w", "10.2.0.0/16", json!([subnet("t", "10.2.1.0/24")])),
            link("v"),
            link("w"),
            resource(&format!("{hub}/hubRouteTables/defaultRouteTable"), json!({ "labels": ["default"], "routes": [] })),
        ];
        estate.extend(machine("a", "v/subnets/s", "10.1.1.4"));
        estate.extend(machine("b", "w/subnets/t", "10.2.1.4"));
        Value::Array(estate)
    };
    let alone = explain(&estate(Value::Null), "vm:a", "vm:b", "443");
    assert_eq!((&alone["verdict"], &alone["reason"]["stage"]), (&"denied".into(), &"azure-firewall".into()), "{alone:#}");
    let said = explain(&estate(json!({ "id": network("firewallPolicies/base") })), "vm:a", "vm:b", "443");
    assert_eq!(said["verdict"], "unproven", "{said:#}");
    let named: Vec<&str> =
        said["assumptions"].as_array().unwrap().iter().filter_map(|assumption| assumption["resource"].as_str()).collect();
    assert!(named.iter().any(|resource| resource.ends_with("/firewallpolicies/base")), "{named:?}");
}

/// Effective routes and rules have the fields of `az network nic show-effective-route-table` and `list-effective-nsg`, at an interface and at a subnet.
///
/// covers: RTE-10, NSG-01, NSG-21
#[test]
fn effective_answers_have_the_fields_of_the_platform() {
    let group = |name: &str| {
        let rule = json!({ "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefixes": ["10.9.0.0/16", "VirtualNetwork"],
            "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRanges": ["22", "8080-8090"] });
        resource(&network(&format!("networkSecurityGroups/{name}")), json!({ "securityRules": [{ "name": "some", "properties": rule }] }))
    };
    let mut room = subnet("s", "10.0.1.0/24");
    room["properties"]["networkSecurityGroup"] = json!({ "id": network("networkSecurityGroups/outer") });
    room["properties"]["routeTable"] = json!({ "id": network("routeTables/t") });
    let routes = json!([{ "name": "away", "properties": { "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.1.9" } }]);
    let [vm, mut nic] = machine("a", "v/subnets/s", "10.0.1.4");
    nic["properties"]["networkSecurityGroup"] = json!({ "id": network("networkSecurityGroups/inner") });
    let estate = json!([
        vnet("v", "10.0.0.0/16", json!([room])),
        resource(&network("routeTables/t"), json!({ "routes": routes })),
        group("outer"),
        group("inner"),
        vm,
        nic
    ]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();

    for (at, associations) in [("nic:a-nic", &["subnet", "networkInterface"][..]), ("subnet:v/s", &["subnet"])] {
        let document = said(&estate, &["effective", "rules"], &["--at", at]);
        let groups = document["value"].as_array().unwrap();
        let found: Vec<String> = groups.iter().flat_map(|group| keys(&group["association"])).collect();
        assert_eq!(found, associations);
        for group in groups {
            assert_eq!(keys(group), set(&["association", "effectiveSecurityRules", "networkSecurityGroup", "tagMap"]));
            let rules = group["effectiveSecurityRules"].as_array().unwrap();
            assert_eq!(rules.len(), 7);
            let some = rules.iter().find(|rule| rule["name"] == "securityRules/some").unwrap();
            let expected = json!({
                "name": "securityRules/some", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
                "sourceAddressPrefix": "10.9.0.0/16", "sourceAddressPrefixes": ["10.9.0.0/16", "VirtualNetwork"],
                "expandedSourceAddressPrefix": ["10.9.0.0/16", "0.0.0.0/0", "10.0.0.0/16", "168.63.129.16/32"],
                "destinationAddressPrefix": "0.0.0.0/0", "destinationAddressPrefixes": ["0.0.0.0/0"],
                "sourcePortRange": "0-65535", "sourcePortRanges": ["0-65535"], "destinationPortRange": "22-22", "destinationPortRanges": ["22-22", "8080-8090"],
            });
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(&some[key], value, "{key} at {at}");
            }
            assert_eq!(keys(some), keys(&expected));
        }

        let document = said(&estate, &["effective", "routes"], &["--at", at]);
        let mut lines = Vec::new();
        for route in document["value"].as_array().unwrap() {
            let fields = keys(route);
            assert!(set(&["addressPrefix", "nextHopIpAddress", "nextHopType", "source", "state"]).is_subset(&fields), "{route}");
            let text = |key: &str| route[key].as_str().unwrap();
            lines.push(format!(
                "{} {} {} {}{}",
                text("source"),
                text("state"),
                route["addressPrefix"],
                text("nextHopType"),
                route["nextHopIpAddress"]
            ));
        }
        lines.sort();
        // The default route of a person takes the None routes with it, and puts the platform's own out of action.
        assert_eq!(
            lines,
            [
                "Default Active [\"10.0.0.0/16\"] VnetLocal[]",
                "Default Invalid [\"0.0.0.0/0\"] Internet[]",
                "User Active [\"0.0.0.0/0\"] VirtualAppliance[\"10.0.1.9\"]",
            ]
        );
    }
}

/// A client that gets through to a SQL server, and not to the ports it may be sent on to, is told so; the verdict stays.
///
/// covers: SQL-12
#[test]
fn a_client_of_a_sql_server_that_cannot_follow_a_redirect_is_told() {
    let server = id("Microsoft.Sql/servers/d");
    let estate = |filter: Option<&str>| {
        let mut web = subnet("s", "10.0.1.0/24");
        web["properties"]["networkSecurityGroup"] = json!({ "id": network("networkSecurityGroups/g") });
        let rule = |name: &str, priority: u32, access: &str, ports: &str| {
            json!({ "name": name, "properties": { "priority": priority, "direction": "Outbound", "access": access, "protocol": "*", "sourceAddressPrefix": "*",
                "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": ports } })
        };
        let rules: Vec<Value> =
            filter.iter().flat_map(|ports| [rule("sql", 100, "Allow", ports), rule("rest", 200, "Deny", "*")]).collect();
        let mut estate = vec![
            vnet("v", "10.0.0.0/16", json!([web])),
            resource(&network("networkSecurityGroups/g"), json!({ "securityRules": rules })),
            resource(&server, json!({ "publicNetworkAccess": "Enabled" })),
            resource(&format!("{server}/firewallRules/azure"), json!({ "startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0" })),
        ];
        estate.extend(machine("a", "v/subnets/s", "10.0.1.4"));
        Value::Array(estate)
    };
    let proof = |filter: Option<&str>| {
        let said = explain(&estate(filter), "vm:a", "sql:d", "1433");
        assert_eq!(said["verdict"], "allowed", "{said}");
        said["proof"].to_string()
    };
    assert!(!proof(None).contains("Proxy"));
    assert!(proof(Some("1433")).contains("tcp/11000-11999 does not get through"), "{}", proof(Some("1433")));
    let half: Value = estate(Some("1433-11500"));
    assert!(explain(&half, "vm:a", "sql:d", "1433")["proof"].to_string().contains("and tcp/11501-11999 does not"));
}
