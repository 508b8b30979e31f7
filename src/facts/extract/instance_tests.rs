//! What is said of instances of scale sets, and what they say.

use serde_json::{Value, json};

use super::tests::{NET, body, has, lacks, rows};

const SETS: &str = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachinescalesets";

/// An instance of set `x`, or what is below it, as others write its id.
fn id(below: &str) -> String {
    format!("/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/virtualMachineScaleSets/X/virtualMachines/{below}")
}

const NAME: &str = "0/networkInterfaces/Nic/ipConfigurations/Ip";

/// covers: ADR-08, IN-05, IN-06, IN-08
#[test]
fn whoever_names_an_instance_means_its_scale_set() {
    let (config, lower) = (json!({"id": id(NAME)}), format!("{SETS}/x/virtualmachines/0/networkinterfaces/nic/ipconfigurations/ip"));
    let means = format!("instance_config({lower}, {SETS}/x/networkinterfaceconfigurations/nic/ipconfigurations/ip)");
    let pool = |body: Value| json!([{"name": "p", "properties": body}]);
    let balancer = |list: &str, part: Value| rows(json!([body("loadBalancers/l", json!({ list: pool(part) }))]));
    for (list, part, of) in [
        ("backendAddressPools", json!({"backendIPConfigurations": [config]}), "backendaddresspools/p"),
        (
            "backendAddressPools",
            json!({"loadBalancerBackendAddresses": [{"properties": {"networkInterfaceIPConfiguration": config}}]}),
            "backendaddresspools/p",
        ),
        ("inboundNatRules", json!({"frontendPort": 50000, "backendPort": 22, "backendIPConfiguration": config}), "inboundnatrules/p"),
    ] {
        let found = balancer(list, part);
        has(&found, &format!("ip_config_pool({lower}, ~/loadbalancers/l/{of})"));
        has(&found, &means);
    }
    let gateway = json!({"backendAddressPools": pool(json!({"backendIPConfigurations": [config]}))});
    has(&rows(json!([body("applicationGateways/g", gateway)])), &means);
    let ordinary = json!([{"id": format!("{NET}/networkInterfaces/n/ipConfigurations/c")}]);
    lacks(&balancer("backendAddressPools", json!({"backendIPConfigurations": ordinary})), "instance_config(");
}

/// covers: ADR-08, IN-02
#[test]
fn a_public_address_of_an_instance_says_whose_it_is() {
    let of = |properties: Value| rows(json!([{"id": id(&format!("{NAME}/publicIPAddresses/Pub")), "properties": properties}]));
    let config = format!("{SETS}/x/virtualmachines/0/networkinterfaces/nic/ipconfigurations/ip");
    for holder in [Value::Null, json!({"id": id(NAME)})] {
        let found = of(json!({"ipAddress": "20.1.2.3", "ipConfiguration": holder}));
        has(&found, &format!("public_ip({config}/publicipaddresses/pub, unknown)"));
        has(&found, &format!("public_ip_address({config}/publicipaddresses/pub, 20.1.2.3)"));
        has(&found, &format!("public_ip_holder({config}/publicipaddresses/pub, {config})"));
        has(&found, &format!("instance_config({config}, {SETS}/x/networkinterfaceconfigurations/nic/ipconfigurations/ip)"));
    }
}

/// covers: ADR-08, SND-02
#[test]
fn an_instance_has_the_interfaces_of_its_scale_set() {
    let of = |properties: Value| rows(json!([{"id": id("0"), "properties": properties}]));
    let nic = |id: String| json!({"networkProfile": {"networkInterfaces": [{"id": id}]}});
    let told = of(nic(id("0/networkInterfaces/Nic")));
    has(&told, &format!("nic_machine({SETS}/x/networkinterfaceconfigurations/nic, {SETS}/x)"));
    lacks(&told, "gap(");
    lacks(&told, "machine(");
    // That of a flexible scale set is a machine beside it.
    let flexible = of(nic(format!("{NET}/networkInterfaces/n")));
    let machine = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/0";
    has(&flexible, &format!("nic_machine(~/networkinterfaces/n, {machine})"));
    has(&flexible, &format!("machine_scale_set({machine}, {SETS}/x)"));
    // What cannot be read leaves open which interfaces it has.
    for body in [json!({"networkProfile": 7}), json!({"latestModelApplied": 7}), json!({"networkProfile": {"networkInterfaces": [7]}})] {
        has(&of(body), &format!("nic_machine({SETS}/x/virtualmachines/0/networkinterfaces, {SETS}/x)"));
    }
}

/// covers: ADR-08
#[test]
fn an_instance_of_an_older_model_tells_its_interfaces_itself() {
    let of = |profile: Value| {
        rows(json!([{"id": id("0"), "properties": {"latestModelApplied": false, "networkProfileConfiguration": profile,
            "networkProfile": {"networkInterfaces": [{"id": id("0/networkInterfaces/Nic")}]}}}]))
    };
    let subnet = json!({"id": format!("{NET}/virtualNetworks/v/subnets/s")});
    let told = of(json!({"networkInterfaceConfigurations": [{"name": "Nic", "properties": {
        "primary": true, "ipConfigurations": [{"name": "Ip", "properties": {"subnet": subnet}}]}}]}));
    let nic = format!("{SETS}/x/virtualmachines/0/networkinterfaceconfigurations/nic");
    has(&told, &format!("nic_machine({nic}, {SETS}/x)"));
    has(&told, &format!("ip_config({nic}/ipconfigurations/ip, {nic}, ~/virtualnetworks/v/subnets/s, true)"));
    has(
        &told,
        &format!("instance_config({SETS}/x/virtualmachines/0/networkinterfaces/nic/ipconfigurations/ip, {nic}/ipconfigurations/ip)"),
    );
    lacks(&told, "gap(");
    for profile in [Value::Null, json!({}), json!({"networkInterfaceConfigurations": []})] {
        let untold = of(profile);
        has(&untold, &format!("nic_machine({SETS}/x/virtualmachines/0/networkinterfaces, {SETS}/x)"));
        assert!(untold.iter().any(|row| row.starts_with("gap(") && row.contains("latestModelApplied")), "{untold:#?}");
    }
}

/// covers: ADR-08, ADR-15
#[test]
fn an_interface_of_an_instance_belongs_to_the_scale_set() {
    let found = rows(json!([{"id": id("0/networkInterfaces/Nic"), "properties": {"primary": true, "virtualMachine": {"id": id("0")}}}]));
    let nic = format!("{SETS}/x/virtualmachines/0/networkinterfaces/nic");
    has(&found, &format!("nic_machine({nic}, {SETS}/x)"));
    has(&found, &format!("nic_primary({nic})"));
}

/// covers: ADR-08, OUT-07, SND-02
#[test]
fn a_scale_set_of_an_unknown_mode_has_no_interfaces_that_are_told() {
    let subnet = json!({"id": format!("{NET}/virtualNetworks/v/subnets/s")});
    let configurations = json!([{"name": "nic", "properties": {"ipConfigurations": [{"name": "ip", "properties": {"subnet": subnet}}]}}]);
    let profile = json!({"networkProfile": {"networkInterfaceConfigurations": configurations}});
    let of = |mode: Value| {
        rows(json!([{"id": format!("{SETS}/x"), "properties": {"orchestrationMode": mode, "virtualMachineProfile": profile}}]))
    };
    for mode in [json!("Mixed"), json!(7), json!(true), json!(["Uniform"]), json!({"mode": "Uniform"})] {
        let found = of(mode.clone());
        has(&found, &format!("nic_machine({SETS}/x/networkinterfaces, {SETS}/x)"));
        lacks(&found, "ip_config(");
        lacks(&found, "nic(");
        assert!(found.iter().any(|row| row.starts_with("gap(") && row.contains("orchestrationMode")), "{mode}: {found:#?}");
    }
    for mode in [Value::Null, json!(""), json!("Uniform"), json!("uniform")] {
        let found = of(mode.clone());
        assert!(found.iter().any(|row| row.starts_with("ip_config(")), "{mode}: {found:#?}");
        lacks(&found, "gap(");
    }
    lacks(&of(json!("flexible")), "ip_config(");
}
