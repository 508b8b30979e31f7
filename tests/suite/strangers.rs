//! Ways out that strangers make: consumers of our services, networks we are peered with; and what is said where nothing leaves.

use watertight::engine::blockers::blockers;
use watertight::engine::exfil::{Path, paths};
use watertight::explain::way::End;
use watertight::explain::world::World;
use watertight::facts::Index;
use watertight::model::{Stage, Sym};

use crate::evaluators::platform;
use crate::scenario_format::statements;

const SERVICE: &str = r#"
    vnet("p", 10.0.0.0/16). subnet("be", "p", 10.0.1.0/24). vm("b", "be", 10.0.1.5). subnet("nat", "p", 10.0.2.0/24). subnet_private_link_open("nat").
    nsg("g"). subnet_nsg("be", "g"). nsg_rule("g/no", "g", outbound, 100, deny, "*", "*", "*", "internet", "*").
    balancer("lb", standard, 10.0.1.100, "be"). balance("lb", tcp, 443, 443). ip_config_pool("b-ip", "lb-pool").
    private_link_service("/subscriptions/s1/pls", "pls.guid"). private_link_frontend("/subscriptions/s1/pls", "lb-fe").
    private_link_nat("pls/nat", "/subscriptions/s1/pls", "nat", 10.0.2.4).
    boundary_subscription("s1"). boundary_subscription("").
"#;

fn out(facts: &str, machine: &str, more: &str) -> Vec<Path> {
    let index: Index = [facts, more].iter().flat_map(|text| statements(&text.replace('\n', " ")).unwrap()).collect();
    let world = World::new(&index, platform());
    paths(&world, Some(&[End::Machine(Sym::new(machine))]), None)
}

// covers: PLS-06, PLS-08, PLS-15, X-15
#[test]
fn anybody_who_is_approved_at_once_takes_data_out() {
    let to = |paths: &[Path]| paths.iter().map(|path| (path.to, path.proven, path.hops.len())).collect::<Vec<_>>();
    let visible = r#"private_link_visible("/subscriptions/s1/pls", "*")."#;
    let approved = r#"private_link_auto_approval("/subscriptions/s1/pls", "*")."#;
    assert_eq!(to(&out(SERVICE, "b", visible)), [], "requests wait, nothing flows");
    assert_eq!(to(&out(SERVICE, "b", approved)), [], "nobody sees it");
    assert_eq!(to(&out(SERVICE, "b", &format!("{visible} {approved}"))), [(End::Network(Sym::EMPTY), true, 1)]);
    let ours = approved.replace('*', "s1");
    assert_eq!(to(&out(SERVICE, "b", &format!("{visible} {ours}"))), [], "only our own subscription is approved");
    let theirs = approved.replace('*', "sx");
    assert_eq!(to(&out(SERVICE, "b", &format!("{visible} {theirs}"))), [(End::Network("/subscriptions/sx".into()), true, 1)]);
}

// covers: PLS-10, PE-37, X-15
#[test]
fn an_approved_endpoint_of_a_stranger_takes_data_out() {
    let connected = |state: &str| format!(r#"provider_connection("c", "/subscriptions/s1/pls", "/subscriptions/sx/pe", {state}, true)."#);
    let found = out(SERVICE, "b", &connected("approved"));
    let sinks: Vec<End> = found.iter().map(|path| path.to).collect();
    assert_eq!(sinks, [End::PrivateEndpoint("/subscriptions/sx/pe".into())]);
    assert!(out(SERVICE, "b", &connected("pending")).is_empty());
}

// covers: X-16
#[test]
fn a_network_of_strangers_that_ours_is_peered_with_is_outside() {
    let facts = r#"
        vnet("v", 10.0.0.0/16). subnet("s", "v", 10.0.1.0/24). vm("a", "s", 10.0.1.4).
        nsg("g"). subnet_nsg("s", "g"). nsg_rule("g/no", "g", outbound, 100, deny, "*", "*", "*", "internet", "*").
        vnet("/subscriptions/sx/x", 10.9.0.0/16). peered("v", "/subscriptions/sx/x").
        boundary_subscription("").
    "#;
    let sinks: Vec<End> = out(facts, "a", "").iter().map(|path| path.to).collect();
    assert_eq!(sinks, [End::Network("/subscriptions/sx/x".into())]);
    let closed = r#"nsg_rule("g/o", "g", outbound, 90, deny, "*", "*", "*", "*", "*"). nsg_rule("g/i", "g", inbound, 90, deny, "*", "*", "*", "*", "*")."#;
    assert!(out(facts, "a", closed).is_empty());
}

// covers: X-04, X-30
#[test]
fn where_nothing_leaves_the_gates_that_hold_are_listed() {
    let facts = r#"
        vnet("v", 10.0.0.0/16). subnet("s", "v", 10.0.1.0/24). vm("a", "s", 10.0.1.4). vm("b", "s", 10.0.1.5).
        nsg("g"). subnet_nsg("s", "g"). nsg_rule("g/no", "g", outbound, 100, deny, "*", "*", "*", "internet", "*").
    "#;
    let index: Index = statements(&facts.replace('\n', " ")).unwrap().into_iter().collect();
    let world = World::new(&index, platform());
    let source = [End::Machine("a".into())];
    assert!(paths(&world, Some(&source), None).is_empty());
    let found = blockers(&world, &source, Some(&[End::Internet(None)]));
    let gates: Vec<(End, Stage, &str)> = found.iter().map(|gate| (gate.at, gate.stage, gate.rule.as_str())).collect();
    // The neighbour is reached, and refused at the same gate.
    assert_eq!(gates, [(source[0], Stage::NsgOutbound, "no"), (End::Machine("b".into()), Stage::NsgOutbound, "no")]);
}
