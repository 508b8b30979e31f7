//! Parts of load balancers as exports hold them: in the load balancer's body, as rows of their own, in both.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use watertight::facts::extract::extract;
use watertight::ingest::{self, Input};

use crate::cli::watertight;
use crate::conventions::{machine, network, resource, subnet, verdict, vnet};
use crate::ingest::{estate, lines};

const FRONT: &str = "frontendIPConfigurations/f";

fn part(path: &str) -> String {
    network(&format!("loadBalancers/lb/{path}"))
}

fn reference(path: &str) -> Value {
    json!({ "id": part(path) })
}

/// A rule for port 80 of the frontend `f`, that goes on at `port` of the members of `pool`.
fn rule(port: u16, pool: &str) -> Value {
    json!({ "protocol": "Tcp", "frontendPort": 80, "backendPort": port, "enableFloatingIP": false,
        "frontendIPConfiguration": reference(FRONT), "backendAddressPool": reference(&format!("backendAddressPools/{pool}")) })
}

fn named(name: &str, properties: Value) -> Value {
    json!({ "name": name, "properties": properties })
}

/// The members of a pool: the interfaces of these machines.
fn members(of: &[&str]) -> Value {
    let each = of.iter().map(|name| json!({ "id": network(&format!("networkInterfaces/{name}-nic/ipConfigurations/c")) }));
    json!({ "backendIPConfigurations": each.collect::<Vec<Value>>() })
}

/// An internal load balancer with a frontend, a pool in which `web` is, and these rules.
fn balancer(rules: Value) -> Value {
    let front = json!({ "privateIPAddress": "10.0.9.9", "subnet": { "id": network("virtualNetworks/v/subnets/c") } });
    let mut balancer = resource(
        &network("loadBalancers/lb"),
        json!({
            "frontendIPConfigurations": [named("f", front)],
            "backendAddressPools": [named("p", members(&["web"]))],
            "loadBalancingRules": rules,
        }),
    );
    balancer["sku"] = json!({ "name": "Standard" });
    balancer
}

/// A client, `web` that is open at port 8080 alone, and `db` that is open nowhere.
fn around() -> Vec<Value> {
    let group = |port: Option<u16>| {
        let rule = |priority: u16, access: &str, port: Value| {
            json!({ "name": access, "properties": { "priority": priority, "direction": "Inbound", "access": access, "protocol": "*",
                "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": port } })
        };
        let open = port.map(|port| rule(100, "Allow", json!(port.to_string())));
        let name = if port.is_some() { "open" } else { "closed" };
        let rules: Vec<Value> = open.into_iter().chain([rule(200, "Deny", json!("*"))]).collect();
        resource(&network(&format!("networkSecurityGroups/{name}")), json!({ "securityRules": rules }))
    };
    let room = |name: &str, prefix: &str, group: &str| {
        let mut room = subnet(name, prefix);
        if !group.is_empty() {
            room["properties"]["networkSecurityGroup"] = json!({ "id": network(&format!("networkSecurityGroups/{group}")) });
        }
        room
    };
    let rooms = json!([room("a", "10.0.1.0/24", "open"), room("b", "10.0.2.0/24", "closed"), room("c", "10.0.9.0/24", "")]);
    let mut all = vec![vnet("v", "10.0.0.0/16", rooms), group(Some(8080)), group(None)];
    all.extend(machine("web", "v/subnets/a", "10.0.1.4"));
    all.extend(machine("db", "v/subnets/b", "10.0.2.4"));
    all.extend(machine("client", "v/subnets/c", "10.0.9.4"));
    all
}

/// From the client to port 80 of the frontend, whatever the order.
fn at_frontend(more: &[Value]) -> String {
    let mut estate = [around(), more.to_vec()].concat();
    let found = verdict(&json!(estate), "vm:client", "ip:10.0.9.9", "80");
    estate.reverse();
    assert_eq!(verdict(&json!(estate), "vm:client", "ip:10.0.9.9", "80"), found);
    found
}

/// The row of a part by itself.
fn own(path: &str, properties: Value) -> Value {
    resource(&part(path), properties)
}

/// covers: ILB-02, IN-04, M-03
#[test]
fn an_own_row_of_a_rule_counts_and_not_the_copy_in_its_load_balancer() {
    let copy = |port: u16| balancer(json!([named("r", rule(port, "p"))]));
    assert_eq!(at_frontend(&[copy(8080)]), "allowed");
    assert_eq!(at_frontend(&[copy(80)]), "denied");
    assert_eq!(at_frontend(&[copy(80), own("loadBalancingRules/r", rule(8080, "p"))]), "allowed");
    assert_eq!(at_frontend(&[copy(8080), own("loadBalancingRules/r", rule(80, "p"))]), "denied");
    // Newer versions of the interface say twice which pools there are.
    let mut twice = rule(80, "p");
    twice["backendAddressPools"] = json!([reference("backendAddressPools/p")]);
    let to_db = [own("backendAddressPools/q", members(&["db"])), own("loadBalancingRules/r", rule(8080, "q"))];
    assert_eq!(at_frontend(&[&[balancer(json!([named("r", twice)]))], &to_db[..]].concat()), "denied");
    // Of a load balancer that lists nothing the rows are all there is.
    let mut bare = copy(80);
    let lists = bare["properties"].as_object_mut().unwrap();
    let front = lists.remove("frontendIPConfigurations").unwrap()[0]["properties"].clone();
    let pool = lists.remove("backendAddressPools").unwrap()[0]["properties"].clone();
    lists.remove("loadBalancingRules");
    let rows = [own(FRONT, front), own("backendAddressPools/p", pool)];
    assert_eq!(at_frontend(&[&[bare.clone(), own("loadBalancingRules/r", rule(80, "p"))], &rows[..]].concat()), "denied");
    assert_ne!(at_frontend(&[&[bare, own("loadBalancingRules/r", rule(8080, "p"))], &rows[..]].concat()), "denied");
}

/// covers: IN-06, ILB-02
#[test]
fn an_own_row_of_a_pool_says_who_is_in_it() {
    let balancer = || balancer(json!([named("r", rule(8080, "p"))]));
    assert_eq!(at_frontend(&[balancer(), own("backendAddressPools/p", members(&["web"]))]), "allowed");
    assert_eq!(at_frontend(&[balancer(), own("backendAddressPools/p", members(&["db"]))]), "denied");
    // Members by address beside those by interface in the copy: the row has its own.
    let by_address = json!({ "loadBalancerBackendAddresses": [named("m", json!({ "ipAddress": "10.0.2.4", "virtualNetwork": { "id": network("virtualNetworks/v") } }))] });
    assert_eq!(at_frontend(&[balancer(), own("backendAddressPools/p", by_address)]), "denied");
}

/// The rows that `whatif` prints of who can be reached from the internet.
fn moved(estate: &[Value], change: &Value) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let [before, after] = ["estate.json", "change.json"].map(|name| folder.path().join(name).display().to_string());
    fs::write(&before, json!(estate).to_string()).unwrap();
    fs::write(&after, change.to_string()).unwrap();
    let said = watertight(folder.path(), &["whatif", &before, "--change", &after, "--format", "ndjson"], "");
    assert_eq!(said.code, 0, "{}", said.err);
    said.out.lines().filter(|row| row.contains(r#""from":{"kind":"internet"}"#)).map(str::to_owned).collect()
}

/// What an estate says after a change is what it says where it is loaded so.
fn same_as_loaded(before: &[Value], change: &Value, after: &[Value]) {
    let load = |bodies: &[Value]| {
        estate(ingest::read_as_facts(vec![Input { name: "a.json".to_owned(), bytes: json!(bodies).to_string().into_bytes() }], extract))
    };
    let (changes, said) = ingest::read_change(&Input { name: "c.json".to_owned(), bytes: change.to_string().into_bytes() });
    assert!(said.is_empty(), "{said:?}");
    let mut moving = load(before);
    moving.apply(changes);
    assert_eq!(lines(moving.facts()), lines(load(after).facts()));
}

/// The load balancer with a public address in place of the private one; the address is another resource.
fn public(mut balancer: Value) -> Vec<Value> {
    let address = network("publicIPAddresses/pip");
    balancer["properties"]["frontendIPConfigurations"][0]["properties"] = json!({ "publicIPAddress": { "id": address } });
    let mut public_ip = resource(&address, json!({ "ipAddress": "20.1.2.3", "publicIPAllocationMethod": "Static" }));
    public_ip["sku"] = json!({ "name": "Standard" });
    vec![balancer, public_ip]
}

/// covers: IN-04, IN-06
#[test]
fn a_change_of_one_part_changes_the_load_balancer() {
    let rules = |port: u16| balancer(json!([named("r", rule(port, "p"))]));
    let estate = |balancer: Value| [around(), public(balancer)].concat();
    let row = |path: &str, properties: Value| json!([own(path, properties)]);
    let after = |balancer: Value, change: &Value| [estate(balancer), change.as_array().unwrap().clone()].concat();
    let put = row("loadBalancingRules/r", rule(8080, "p"));
    let gone = json!([{ "id": part("loadBalancingRules/r"), "deleted": true }]);
    let pool = row("backendAddressPools/p", members(&["db"]));
    same_as_loaded(&estate(rules(80)), &put, &after(rules(80), &put));
    same_as_loaded(&estate(rules(8080)), &pool, &after(rules(8080), &pool));
    assert_eq!(moved(&estate(rules(8080)), &put), Vec::<String>::new());
    let [opens, closes, leaves] =
        [(rules(80), &put), (rules(8080), &gone), (rules(8080), &pool)].map(|(old, new)| moved(&estate(old), new));
    let sign = |rows: &[String], sign: &str| rows.len() == 1 && rows[0].contains(sign) && rows[0].contains("/subnets/a");
    assert!(sign(&opens, "\"+\""), "{opens:#?}");
    assert!(sign(&closes, "\"-\""), "{closes:#?}");
    assert!(sign(&leaves, "\"-\""), "{leaves:#?}");
    // The load balancer as a whole brings its parts, and rows of their own stay.
    let (without, kept) = (balancer(json!([])), own("loadBalancingRules/r", rule(8080, "p")));
    same_as_loaded(&after(rules(80), &json!([])), &json!([public(without.clone())[0]]), &estate(without.clone()));
    let both = [estate(rules(80)), vec![kept.clone()]].concat();
    same_as_loaded(&both, &json!([public(without.clone())[0]]), &[estate(without), vec![kept]].concat());
}

/// covers: IN-04, ILB-02, SND-02
#[test]
fn a_value_that_cannot_be_read_is_of_its_load_balancer_alone() {
    let mut other = balancer(json!([named("r", rule(8080, "p"))]));
    let text = other.to_string().replace("loadBalancers/lb", "loadBalancers/other").replace("10.0.9.9", "10.0.9.8");
    other = serde_json::from_str(&text).unwrap();
    let ask = |bodies: &[Value]| {
        let estate = json!([around(), bodies.to_vec(), vec![other.clone()]].concat());
        [
            ("ip:10.0.9.9", "80"),
            ("ip:10.0.9.9", "443"),
            ("ip:10.0.9.8", "80"),
            ("ip:10.0.9.8", "443"),
            ("vm:web", "8080"),
            ("vm:db", "8080"),
        ]
        .map(|(to, port)| verdict(&estate, "vm:client", to, port))
    };
    let rules = |rule: Value| balancer(json!([named("r", rule)]));
    assert_eq!(ask(&[rules(rule(8080, "p"))]), ["allowed", "denied", "allowed", "denied", "allowed", "denied"]);
    for (key, value) in [("backendPort", json!("x")), ("frontendIPConfiguration", json!(5)), ("enableFloatingIP", json!(7))] {
        let mut lost = rule(8080, "p");
        lost[key] = value;
        let wanted = ["unproven", "unproven", "allowed", "denied", "allowed", "denied"];
        assert_eq!(ask(&[rules(lost.clone())]), wanted, "{key}");
        // In a row of its own it is for any of the parts that the load balancer lists.
        assert_eq!(ask(&[rules(rule(8080, "p")), own("loadBalancingRules/r", lost)]), wanted, "{key}");
    }
    for entry in [json!("r"), json!({ "name": 5 }), json!({ "name": "s", "properties": 5 })] {
        let rules = json!([named("r", rule(8080, "p")), entry]);
        assert_eq!(ask(&[balancer(rules)]), ["unproven", "unproven", "allowed", "denied", "allowed", "denied"]);
    }
    let mut lost = rules(rule(8080, "p"));
    lost["properties"]["frontendIPConfigurations"][0]["properties"]["privateIPAddress"] = json!(5);
    let found = ask(&[lost]);
    assert_eq!((&found[2..], found[0].as_str()), (&["allowed", "denied", "allowed", "denied"].map(str::to_owned)[..], "unproven"));
}

/// covers: IN-04, SND-02
#[test]
fn copies_of_a_part_that_contradict_each_other_leave_it_open() {
    let copy = |port: u16| {
        balancer(json!([
            named("r", rule(port, "p")),
            named("s", {
                let mut s = rule(8080, "p");
                s["frontendPort"] = json!(81);
                s
            })
        ]))
    };
    let load = |one: &Value, other: &Value| {
        let file = |name: &str, bodies: Value| Input { name: name.to_owned(), bytes: bodies.to_string().into_bytes() };
        ingest::read_as_facts(vec![file("a.json", json!([one])), file("b.json", json!([other])), file("c.json", json!(around()))], extract)
    };
    let mut seen = BTreeSet::new();
    for (one, other) in [(copy(80), copy(8080)), (copy(8080), copy(80))] {
        let loaded = load(&one, &other);
        let said: Vec<_> = loaded.diagnostics.iter().filter(|said| said.code == "ingest::contradicting_copies").collect();
        assert_eq!(said.len(), 1);
        let facts = lines(estate(loaded).facts());
        let of = |relation: &str, name: &str| {
            facts.iter().filter(|line| line.starts_with(relation) && line.contains(&format!("rules/{name} "))).cloned().collect::<Vec<_>>()
        };
        assert!(of("load_balancing_rule ", "r").iter().all(|line| line.contains(" unknown 0 0 ")), "{facts:#?}");
        assert!(of("load_balancing_rule ", "s").iter().all(|line| line.contains(" tcp 81 8080 ")), "{facts:#?}");
        assert!(facts.iter().any(|line| line.starts_with("load_balancer ")));
        seen.insert(facts);
    }
    assert_eq!(seen.len(), 1, "the order of the files shows");
    // A rule that only one of two copies lists is there, perhaps.
    let facts = lines(estate(load(&copy(80), &balancer(json!([])))).facts());
    assert!(!facts.iter().any(|line| line.starts_with("load_balancer ")), "{facts:#?}");
    assert!(
        facts
            .iter()
            .any(|line| line.starts_with("load_balancing_rule ") && line.contains("/loadbalancers/lb /") && line.contains(" unknown 0 0 ")),
        "{facts:#?}"
    );
}
