//! Scale sets as exports hold them: profiles, the ids of their instances in other resources, rows of the instances.

use serde_json::{Value, json};

use crate::conventions::{id, machine, network, resource, said, subnet, verdict, vnet};

fn set() -> String {
    id("Microsoft.Compute/virtualMachineScaleSets/s")
}

fn pool() -> String {
    network("loadBalancers/lb/backendAddressPools/p")
}

/// What an export calls the address configuration of an instance.
fn instance(number: usize) -> String {
    format!("{}/virtualMachines/{number}/networkInterfaces/nic/ipConfigurations/ip", set())
}

/// A scale set in a subnet without default outbound access; `pools` is what its profile names.
fn scale_set(mode: Value, pools: Value) -> Value {
    let ip = json!({ "name": "ip", "properties": { "subnet": { "id": network("virtualNetworks/v/subnets/a") }, "loadBalancerBackendAddressPools": pools } });
    let nic = json!({ "name": "nic", "properties": { "primary": true, "ipConfigurations": [ip] } });
    resource(
        &set(),
        json!({ "orchestrationMode": mode, "virtualMachineProfile": { "networkProfile": { "networkInterfaceConfigurations": [nic] } } }),
    )
}

/// A network, and a public load balancer with a rule in and a rule out, whose pool lists `members`.
fn around(members: Value) -> Vec<Value> {
    let rule = json!({ "name": "in", "properties": { "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "*", "sourceAddressPrefix": "*",
        "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*" } });
    let mut room = subnet("a", "10.0.0.0/24");
    room["properties"]["defaultOutboundAccess"] = json!(false);
    room["properties"]["networkSecurityGroup"] = json!({ "id": network("networkSecurityGroups/g") });
    let (front, address) = (network("loadBalancers/lb/frontendIPConfigurations/f"), network("publicIPAddresses/pip"));
    let mut public = resource(&address, json!({ "ipAddress": "20.1.2.3", "publicIPAllocationMethod": "Static" }));
    let mut balancer = resource(
        &network("loadBalancers/lb"),
        json!({
            "frontendIPConfigurations": [{ "name": "f", "properties": { "publicIPAddress": { "id": address } } }],
            "backendAddressPools": [{ "name": "p", "properties": { "backendIPConfigurations": members } }],
            "loadBalancingRules": [{ "name": "r", "properties": { "protocol": "Tcp", "frontendPort": 443, "backendPort": 443, "disableOutboundSnat": true,
                "frontendIPConfiguration": { "id": front }, "backendAddressPool": { "id": pool() } } }],
            "outboundRules": [{ "name": "o", "properties": { "protocol": "All", "frontendIPConfigurations": [{ "id": front }],
                "backendAddressPool": { "id": pool() } } }],
        }),
    );
    public["sku"] = json!({ "name": "Standard" });
    balancer["sku"] = json!({ "name": "Standard" });
    let group = resource(&network("networkSecurityGroups/g"), json!({ "securityRules": [rule] }));
    vec![vnet("v", "10.0.0.0/16", json!([room])), group, public, balancer]
}

/// In to the scale set, in at the frontend, out; the same whatever the order.
fn answers(mut estate: Vec<Value>) -> [String; 3] {
    let ask = |estate: &Vec<Value>| {
        [("internet", "vmss:s"), ("internet", "ip:20.1.2.3"), ("vmss:s", "internet:8.8.8.8")]
            .map(|(from, to)| verdict(&json!(estate), from, to, "443"))
    };
    let found = ask(&estate);
    estate.reverse();
    assert_eq!(ask(&estate), found);
    found
}

/// covers: ADR-08, IN-06, OUT-05
#[test]
fn a_pool_that_lists_instances_has_their_scale_set_as_a_member() {
    let (named, listed) = (json!([{ "id": pool() }]), json!([{ "id": instance(0) }, { "id": instance(1).to_uppercase() }]));
    let of = |named: &Value, listed: &Value| answers([around(listed.clone()), vec![scale_set(json!("Uniform"), named.clone())]].concat());
    assert_eq!(of(&named, &listed), ["allowed"; 3]);
    assert_eq!(of(&named, &json!([])), ["allowed"; 3]);
    assert_eq!(of(&json!([]), &json!([])), ["denied"; 3]);
    assert_eq!(of(&json!([]), &listed), ["unproven"; 3]);
    assert_eq!(of(&json!([]), &json!([{ "id": instance(0).replace("/ip", "/other") }])), ["denied", "unproven", "denied"]);
}

/// covers: ADR-08, SND-02
#[test]
fn a_scale_set_of_an_unknown_mode_proves_nothing() {
    for mode in [json!("Mixed"), json!(5), json!([])] {
        let estate = [around(json!([{ "id": instance(0) }])), vec![scale_set(mode, json!([{ "id": pool() }]))]].concat();
        assert_eq!(answers(estate.clone()), ["unproven"; 3]);
        let gaps = said(&json!(estate), &["reach"], &["--from", "internet", "--to", "vmss:s"])["gaps"].clone();
        let named =
            |gap: &Value| gap["resource"] == json!(set().to_lowercase()) && gap["what"].as_str().unwrap().contains("orchestrationMode");
        assert!(gaps.as_array().unwrap().iter().any(named), "{gaps}");
    }
    let absent = [around(json!([])), vec![scale_set(Value::Null, json!([{ "id": pool() }]))]].concat();
    assert_eq!(answers(absent), ["allowed"; 3]);
}

/// A row of an instance, and one of its interface.
fn rows_of(number: usize) -> [Value; 2] {
    let (vm, nic) = (format!("{}/virtualMachines/{number}", set()), instance(number).replace("/ipConfigurations/ip", ""));
    let ip = json!({ "name": "ip", "properties": { "primary": true, "privateIPAddress": format!("10.0.0.{}", 4 + number),
        "subnet": { "id": network("virtualNetworks/v/subnets/a") }, "loadBalancerBackendAddressPools": [{ "id": pool() }] } });
    [
        resource(&vm, json!({ "latestModelApplied": true, "networkProfile": { "networkInterfaces": [{ "id": nic }] } })),
        resource(&nic, json!({ "primary": true, "virtualMachine": { "id": vm }, "ipConfigurations": [ip] })),
    ]
}

/// covers: ADR-08, ADR-15
#[test]
fn rows_of_instances_change_nothing_that_their_scale_set_says() {
    let whole = [around(json!([{ "id": instance(0) }])), vec![scale_set(json!("Uniform"), json!([{ "id": pool() }]))]].concat();
    let [[zero, of_zero], [one, of_one]] = [0, 1].map(rows_of);
    assert_eq!(answers([whole.clone(), vec![zero.clone(), one.clone()]].concat()), ["allowed"; 3]);
    assert_eq!(answers([whole.clone(), vec![zero.clone(), of_zero.clone(), one, of_one]].concat()), ["allowed"; 3]);
    // Without their scale set they have an interface that the input does not hold, and may be in any pool.
    let [vm, nic] = machine("web", "v/subnets/a", "10.0.0.9");
    let ask = |rows: Vec<Value>| {
        verdict(&json!([around(json!([])), vec![vm.clone(), nic.clone()], rows].concat()), "internet", "ip:20.1.2.3", "443")
    };
    assert_eq!(ask(Vec::new()), "denied");
    assert_eq!(ask(vec![zero]), "unproven");
    let [older, _] = rows_of(0);
    let model = |rows: Vec<Value>| [whole.clone(), rows].concat();
    let mut older = older;
    older["properties"]["latestModelApplied"] = json!(false);
    assert_eq!(verdict(&json!(model(vec![older])), "internet", "ip:20.1.2.3", "443"), "unproven");
}

/// covers: ADR-08, SND-04
#[test]
fn a_flexible_scale_set_is_asked_for_by_its_name() {
    let flexible = resource(&set(), json!({ "orchestrationMode": "Flexible" }));
    let members = |count: usize| {
        let each = (0..count).flat_map(|number| {
            let mut rows = machine(&format!("m{number}"), "v/subnets/a", &format!("10.0.0.{}", 20 + number));
            rows[0]["properties"]["virtualMachineScaleSet"] = json!({ "id": set().to_uppercase() });
            rows
        });
        each.chain(machine("web", "v/subnets/a", "10.0.0.9")).collect::<Vec<Value>>()
    };
    let ask = |count: usize, with_set: bool, to: &str| {
        let set = if with_set { vec![flexible.clone()] } else { Vec::new() };
        verdict(&json!([around(json!([])), members(count), set].concat()), "vm:web", to, "443")
    };
    for name in ["vmss:s", &set()] {
        assert_eq!([0, 1, 2].map(|count| ask(count, true, name)), ["unproven", "allowed", "allowed"], "{name}");
        assert_eq!(ask(2, false, name), "allowed");
    }
    let estate = json!([around(json!([])), members(2), vec![flexible.clone()]].concat());
    assert_eq!(verdict(&estate, "vmss:s", "internet:8.8.8.8", "443"), "denied");
    let alone = said(
        &json!([around(json!([])), members(0), vec![flexible]].concat()),
        &["explain"],
        &["--from", "vm:web", "--to", "vmss:s", "--port", "443"],
    );
    insta::assert_snapshot!(alone["reason"]["text"].as_str().unwrap(), @"no machine of the flexible scale set s is in the input");
}
