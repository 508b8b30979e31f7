//! Ways out that strangers make: consumers of our services, networks we are peered with; and what is said where nothing leaves.

use std::sync::Arc;

use watertight::engine::blockers::blockers;
use watertight::engine::bounds::Bounds;
use watertight::engine::exfil::{Graph, Path, paths};
use watertight::explain::way::End;
use watertight::explain::world::World;
use watertight::facts::Index;
use watertight::facts::store_facts::Instance;
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
    // Where an interface stands that is not in the input nobody knows.
    let perhaps = out(facts, "a", &format!(r#"{closed} nic_machine("a-other", "a")."#));
    assert!(perhaps.iter().all(|path| !path.proven));
    assert!(perhaps.iter().any(|path| path.to == End::Network("/subscriptions/sx/x".into())));
}

// covers: X-16, SND-04
#[test]
fn a_peering_of_which_nothing_was_exported_may_lead_to_strangers() {
    let peering = "/subscriptions/s1/providers/microsoft.network/virtualnetworks/v/virtualnetworkpeerings/p";
    let facts = format!(
        r#"
        vnet("v", 10.0.0.0/16). subnet("s", "v", 10.0.1.0/24). vm("a", "s", 10.0.1.4).
        nsg("g"). subnet_nsg("s", "g"). nsg_rule("g/no", "g", outbound, 100, deny, "*", "*", "*", "internet", "*").
        peering("{peering}", "v", "{peering}/unknown-remotevirtualnetwork", unknown, true, true, false, false, false, true).
        boundary_subscription(""). boundary_subscription("s1").
    "#
    );
    let found = out(&facts, "a", "");
    let network = End::Network(format!("{peering}/unknown-remotevirtualnetwork").as_str().into());
    let path = found.iter().find(|path| path.to == network).expect("its network is a place where data may end up");
    assert!(!path.proven);
    assert!(path.assumptions.iter().any(|assumption| assumption.text.starts_with("which network a peering leads to is not in the input")));
    let closed = r#"nsg_rule("g/o", "g", outbound, 90, deny, "*", "*", "*", "*", "*"). nsg_rule("g/i", "g", inbound, 90, deny, "*", "*", "*", "*", "*")."#;
    assert!(!out(&facts, "a", closed).iter().any(|path| path.to == network));
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

/// A machine in a network without a way to the internet.
const SPOKE: &str = r#"
    vnet("v", 10.0.0.0/16). subnet("s", "v", 10.0.1.0/24). vm("a", "s", 10.0.1.4).
    nsg("g"). subnet_nsg("s", "g"). nsg_rule("g/no", "g", outbound, 100, deny, "*", "*", "*", "internet", "*").
    boundary_subscription("").
"#;

// covers: X-16
#[test]
fn strangers_behind_a_firewall_are_outside_too() {
    let hub = r#"
        vnet("hub", 10.1.0.0/16). subnet("fws", "hub", 10.1.0.0/26). peered("v", "hub"). route_table("rt"). subnet_route_table("s", "rt").
        route("rt/x", "rt", 10.9.0.0/16, virtualappliance, 10.1.0.4). firewall("fw", "fws", 10.1.0.4, "p"). policy("p"). group("fg", "p", 200).
        peering("hub-x", "hub", "/subscriptions/sx/providers/microsoft.network/virtualnetworks/x", connected, true, true, false, false, false, true).
        peering_prefix("hub-x", 10.9.0.0/16, true).
    "#;
    let allow = r#"firewall_collection("net", "fg", 100, allow). network_rule("r", "net", 10.0.0.0/8, 10.9.0.0/16, tcp, 443)."#;
    let sinks = |more: &str| out(SPOKE, "a", &format!("{hub}{more}")).iter().map(|path| path.to).collect::<Vec<End>>();
    assert_eq!(sinks(""), [], "the firewall denies what no rule allows");
    assert_eq!(sinks(allow), [End::Network("/subscriptions/sx/providers/microsoft.network/virtualnetworks/x".into())]);
}

// covers: X-16, GW-01
#[test]
fn clients_of_a_gateway_are_outside() {
    let gateway = r#"
        subnet("gw", "v", 10.0.255.0/27). gateway("vpn", vpn, false). gateway_subnet("vpn", "gw"). gateway_client_pool("vpn", 192.168.77.0/24).
        storage("a1", deny). private("pe", "s", 10.0.1.9, "a1", blob).
    "#;
    let found = out(SPOKE, "a", gateway);
    assert_eq!(found.iter().map(|path| (path.to, path.proven)).collect::<Vec<_>>(), [(End::Site("vpn".into()), true)]);
    let index: Index = [SPOKE, gateway].iter().flat_map(|text| statements(&text.replace('\n', " ")).unwrap()).collect();
    let world = World::new(&index, platform());
    let store = paths(&world, Some(&[End::Store("a1".into(), "blob".into(), Instance::Primary)]), Some(&[End::Site("vpn".into())]));
    assert_eq!(store.iter().map(|path| path.hops.len()).collect::<Vec<_>>(), [1]);
}

// covers: X-13, X-16, PE-18, PE-20
#[test]
fn strangers_next_to_a_private_endpoint_take_what_is_behind_it() {
    let facts = r#"
        storage("a1", deny). private("pe", "s", 10.0.1.9, "a1", blob).
        peering("v-x", "v", "/subscriptions/sx/x", connected, true, true, false, false, false, true). peering_prefix("v-x", 10.9.0.0/16, true).
    "#;
    let index: Index = [SPOKE, facts].iter().flat_map(|text| statements(&text.replace('\n', " ")).unwrap()).collect();
    let world = World::new(&index, platform());
    let store = [End::Store("a1".into(), "blob".into(), Instance::Primary)];
    let found = paths(&world, Some(&store), Some(&[End::Network("/subscriptions/sx/x".into())]));
    assert_eq!(found.iter().map(|path| path.hops.len()).collect::<Vec<_>>(), [1]);
}

// covers: PLS-16, X-16
#[test]
fn direct_connect_leads_to_a_site() {
    let facts = r#"
        private("pe", "s", 10.0.1.9, "pls", "").
        vnet("p", 10.1.0.0/16). subnet("nat", "p", 10.1.2.0/24). subnet_private_link_open("nat").
        subnet("gw", "p", 10.1.255.0/27). hybrid("vpn", "gw", "hq", 192.168.0.0/16).
        private_link_service("pls", "", "westeurope", 192.168.4.4, true). private_link_nat("pls/1", "pls", "nat", 10.1.2.4). private_link_nat("pls/2", "pls", "nat", 10.1.2.5).
    "#;
    let found = out(SPOKE, "a", facts);
    assert_eq!(found.iter().map(|path| (path.to, path.hops.len())).collect::<Vec<_>>(), [(End::Site("hq".into()), 1)]);
}

/// What leaks to a sink within the bounds of the session, as `verify` and `exfil` search.
fn bounded(facts: &str, to: End) -> Vec<(End, bool)> {
    let facts: Vec<_> = statements(&facts.replace('\n', " ")).unwrap();
    let index: Index = facts.iter().copied().collect();
    let world = World::new(&index, platform());
    let bounds = Bounds::of(facts, &Arc::new(platform().clone()), 1).unwrap().expect("every relation is followed");
    let found = Graph::new(&world).bounded_by(Some(&bounds)).paths(None, Some(&[to]));
    found.iter().map(|path| (path.to, path.proven)).collect()
}

// covers: X-16, GW-04
#[test]
fn a_circuit_is_a_place_to_leave_for() {
    let facts = r#"
        subnet("gw", "v", 10.0.255.0/27). gateway("er", expressroute, false). gateway_subnet("er", "gw").
        connection("c", expressroute, "er", "circuit", yes, false).
    "#;
    let circuit = End::Site("circuit".into());
    assert_eq!(bounded(&format!("{SPOKE}{facts}"), circuit), [(circuit, false)]);
}

// covers: X-16
#[test]
fn other_services_of_the_platform_are_part_of_the_internet() {
    let facts = r#"nsg_rule("g/yes", "g", outbound, 90, allow, tcp, "*", "*", "azureactivedirectory", 443)."#;
    assert_eq!(bounded(&format!("{SPOKE}{facts}"), End::Internet(None)), [(End::Internet(None), true)]);
    assert_eq!(bounded(SPOKE, End::Internet(None)), []);
    let stores = facts.replace("azureactivedirectory", "storage");
    assert_eq!(bounded(&format!("{SPOKE}{stores}"), End::Internet(None)), [], "the front ends of stores are sinks of their own");
}
