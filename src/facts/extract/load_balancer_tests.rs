//! Parts of load balancers that cannot be read.

use serde_json::{Value, json};

use super::tests::{NET, body, has, lacks, rows};

/// A value that cannot be read is of its rule alone, and that may be for any frontend and pool of its load balancer; one of a rule of which nobody lists the
/// frontends may be for any at all.
///
/// covers: IN-04, IN-05, OUT-05, SND-02
#[test]
fn a_rule_that_cannot_be_read_may_be_for_anything_beside_it() {
    let l = "~/loadbalancers/l";
    let named = |tail: &str| json!({"id": format!("{NET}/loadBalancers/l/{tail}")});
    let (f, p) = (named("frontendIPConfigurations/f"), named("backendAddressPools/p"));
    let front = |address: Value| json!({"subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}, "privateIPAddress": address});
    let balancer = |list: &str, rule: Value, g: Value| {
        let fronts = json!([{"name": "f", "properties": front(json!("10.0.0.8"))}, {"name": "g", "properties": front(g)}]);
        let all = json!({"frontendIPConfigurations": fronts, "backendAddressPools": [{"name": "p"}, {"name": "q"}], list: [rule]});
        rows(json!([body("loadBalancers/l", all)]))
    };
    let lists = [
        ("loadBalancingRules", "backendAddressPool", "frontendIPConfiguration"),
        ("inboundNatRules", "backendAddressPool", "frontendIPConfiguration"),
        ("inboundNatPools", "backendAddressPool", "frontendIPConfiguration"),
        ("outboundRules", "backendAddressPool", "frontendIPConfigurations"),
    ];
    for (list, pool, front) in lists {
        let fronts = if list == "outboundRules" { json!([f]) } else { f.clone() };
        let rule = |lost: &str, value: Value| {
            let mut rule =
                json!({"protocol": "Tcp", "frontendPort": 80, "frontendPortRangeStart": 80, "frontendPortRangeEnd": 80, "backendPort": 80});
            (rule[pool], rule[front]) = (p.clone(), fronts.clone());
            rule[lost] = value;
            json!({"name": "r", "properties": rule})
        };
        let id = format!("{l}/{}/r", list.to_lowercase());
        let whole = balancer(list, rule("protocol", json!("Tcp")), json!("10.0.0.9"));
        let lost = balancer(list, rule(front, json!(5)), json!("10.0.0.9"));
        for unread in [&lost, &balancer(list, json!({"name": "r", "properties": 5}), json!("10.0.0.9"))] {
            lacks(unread, "unread(");
            has(unread, &format!("load_balancer({l}, basic, false)"));
            for part in ["f", "g"] {
                let meant = |row: &&String| row.contains(&format!("({id}, {l}/frontendipconfigurations/{part}"));
                assert!(unread.iter().any(|row| meant(&row)), "{part} of {list} {unread:#?}");
            }
            for part in ["p", "q"] {
                let meant = |row: &&String| row.contains(&format!("({id}, {l}/backendaddresspools/{part}"));
                assert!(unread.iter().any(|row| meant(&row)), "{part} of {list} {unread:#?}");
            }
            assert!(unread.iter().all(|row| !row.contains(", tcp, ")), "{unread:#?}");
        }
        assert!(!whole.iter().any(|row| row.contains(&format!("({id}, {l}/frontendipconfigurations/g"))), "{whole:#?}");
        let alone = rows(json!([body(&format!("loadBalancers/l/{list}/r"), rule(front, json!(5))["properties"].clone())]));
        has(&alone, &format!("unread({id}, properties.{front})"));
        // So may one that leaves out for which it is; how an outbound rule leaves is open without that.
        let nameless = rows(json!([body(&format!("loadBalancers/l/{list}/r"), json!({"protocol": "Tcp", pool: p, "backendPort": 80}))]));
        match list {
            "outboundRules" => has(&nameless, &format!("outbound_rule_frontend({id}, )")),
            _ => has(&nameless, &format!("unread({id}, properties.{front})")),
        }
        // A frontend that cannot be read takes nothing else with it.
        let hidden = balancer(list, rule("protocol", json!("Tcp")), json!("ten"));
        lacks(&hidden, "unread(");
        lacks(&hidden, &format!("load_balancer_frontend({l}/frontendipconfigurations/g"));
        has(&hidden, &format!("device({l}/frontendipconfigurations/g, other, ~/virtualnetworks/v/subnets/s)"));
        assert_eq!(
            hidden.iter().filter(|row| row.contains(&id)).collect::<Vec<_>>(),
            whole.iter().filter(|row| row.contains(&id)).collect::<Vec<_>>()
        );
    }
    let probe = rows(json!([body("loadBalancers/l", json!({"probes": [{"name": "p", "properties": {"port": "x"}}]}))]));
    lacks(&probe, "unread(");
    has(&probe, &format!("load_balancer({l}, basic, false)"));
}

/// An entry of a list of rules of which not even the name can be read is a rule for anybody.
///
/// covers: IN-04, SND-02
#[test]
fn an_entry_that_is_no_rule_may_be_one_for_anybody() {
    let front = json!({"name": "f", "properties": {"privateIPAddress": "10.0.0.8", "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/s")}}});
    let balancer =
        |rules: Value| rows(json!([body("loadBalancers/l", json!({"frontendIPConfigurations": [front], "loadBalancingRules": rules}))]));
    for rules in [json!(["x"]), json!([null]), json!([{"name": 5}]), json!({}), json!(5)] {
        let said = balancer(rules);
        lacks(&said, "unread(");
        lacks(&said, "load_balancer(");
        has(&said, "load_balancing_rule(~/loadbalancers/l, ~/loadbalancers/l/frontendipconfigurations/f, unknown, 0, 0, false, true, )");
        has(&said, "load_balancing_rule_pool(~/loadbalancers/l, ~/loadbalancers/l/unknown-backendaddresspool)");
    }
    let nameless = balancer(json!([{"properties": {"protocol": "Tcp", "frontendPort": 80, "backendPort": 80}}]));
    has(&nameless, "load_balancer(~/loadbalancers/l, basic, false)");
    assert!(
        nameless.iter().any(|row| row.starts_with(
            "load_balancing_rule(~/loadbalancers/l/loadbalancingrules/0, ~/loadbalancers/l/frontendipconfigurations/f, unknown"
        )),
        "{nameless:#?}"
    );
}
