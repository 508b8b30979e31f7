//! Service endpoints, their policies, and what the account makes of them.

use watertight::explain::way::Mode;
use watertight::facts::private_access::Consent;
use watertight::facts::store_facts::{Instance, PublicAccess, Service};
use watertight::model::{Proto, Set, Stage, Sym, Tri, Via};

use super::estate::*;

/// `a1` denies all but the subnet `a`, which has the storage endpoint.
fn secured() -> Estate {
    let mut estate = Estate::new();
    estate.deny(account("a1"));
    estate.subnet_rule(account("a1"), "n1/a", Tri::Yes);
    estate.service_endpoint("n1/a", "microsoft.storage");
    estate
}

/// Another tenant's account that admits the subnet `a`.
fn rogue(estate: &mut Estate) {
    estate.store(account("rx"), Service::Storage, "eastus", STRANGER);
    estate.part(account("rx"), "blob", Instance::Primary, "rx.blob.core.windows.net", "eastus");
    estate.deny(account("rx"));
    estate.subnet_rule(account("rx"), "n1/a", Tri::Yes);
}

// covers: SE-02, SE-04, SE-08, SE-11, SE-12, SE-22, SE-31, DNS-27, FW-07, ST-13, R-04
#[test]
fn a_subnet_with_endpoint_and_rule_gets_in_and_nobody_else() {
    let estate = secured();
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::ServiceEndpoint));
    assert_eq!(estate.flow(machine("n1/b"), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
    assert_eq!(estate.flow(inet(), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
    let ways = estate.ways(machine("n1/a"), account("a1"), "blob", Instance::Primary, Mode::Configured);
    assert_eq!(outcome(&ways, Set::of_proto(Proto::Icmp)).stage, Stage::StorageFirewall, "the front end answers TCP alone");
    let mut alone = Estate::new();
    alone.service_endpoint("n1/a", "microsoft.storage");
    assert_eq!(alone.flow(inet(), account("a1"), "blob", 443), allowed(Via::Public), "an endpoint alone restricts nothing");
    assert_eq!(alone.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::ServiceEndpoint));
}

// covers: FW-07, SE-10, SE-21, SE-25, ST-12, FW-04
#[test]
fn a_rule_needs_its_endpoint_its_state_and_an_open_switch() {
    let mut bare = Estate::new();
    bare.deny(account("a1"));
    bare.subnet_rule(account("a1"), "n1/a", Tri::Yes);
    assert_eq!(bare.flow(machine("n1/a"), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));

    let mut gone = Estate::new();
    gone.deny(account("a1"));
    gone.subnet_rule(account("a1"), "n1/a", Tri::No);
    gone.service_endpoint("n1/a", "microsoft.storage");
    assert_eq!(gone.flow(machine("n1/a"), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::ServiceEndpoint));

    let mut off = secured();
    off.access(account("a1"), |a| a.public = PublicAccess::Disabled);
    assert_eq!(off.flow(machine("n1/a"), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::ServiceEndpoint));
    let ways = off.ways(machine("n1/a"), account("a1"), "blob", Instance::Primary, Mode::Configured);
    let refused = ways[0].steps.iter().find(|s| s.stage == Stage::StorageFirewall && s.span.is_none()).unwrap();
    assert_eq!(refused.rule, "publicNetworkAccess=Disabled");
}

// covers: SE-15, SE-16, SE-17, SE-19, ST-13
#[test]
fn endpoints_reach_as_far_as_their_service() {
    let mut estate = Estate::new();
    estate.service_endpoint("n1/a", "microsoft.storage");
    for name in ["a3", "a4"] {
        estate.deny(account(name));
        estate.subnet_rule(account(name), "n1/a", Tri::Yes);
    }
    assert_eq!(estate.flow(machine("n1/a"), account("a3"), "blob", 443), allowed(Via::ServiceEndpoint), "the pair");
    assert_eq!(estate.flow(machine("n1/a"), account("a4"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
    estate.service_endpoint("n1/a", "microsoft.storage.global");
    assert_eq!(estate.flow(machine("n1/a"), account("a4"), "blob", 443), allowed(Via::ServiceEndpoint));

    let mut secondary = secured();
    secondary.part(account("a1"), "blob", Instance::Secondary, "a1-secondary.blob.core.windows.net", "westus");
    let ways = secondary.ways(machine("n1/a"), account("a1"), "blob", Instance::Secondary, Mode::Configured);
    assert_eq!(outcome(&ways, tcp(443)), allowed(Via::ServiceEndpoint));
}

// covers: SEP-03, SEP-04, SEP-05, SEP-08, SEP-14, SEP-15, M-01
#[test]
fn a_policy_lets_the_listed_accounts_through_wherever_they_stand() {
    let mut estate = secured();
    rogue(&mut estate);
    assert_eq!(estate.flow(machine("n1/a"), account("rx"), "blob", 443), allowed(Via::ServiceEndpoint), "no policy, any account");

    let listed = account("a1");
    let mut policy = estate.clone();
    policy.policy(&[("microsoft.storage", listed.as_str())]);
    assert_eq!(policy.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::ServiceEndpoint));
    for other in ["a2", "rx", "a4"] {
        let refused = policy.flow(machine("n1/a"), account(other), "blob", 443);
        assert_eq!(refused, denied(Stage::ServiceEndpointPolicy, Via::ServiceEndpoint), "{other}");
    }
    assert_eq!(policy.flow(machine("n1/b"), account("a2"), "blob", 443), allowed(Via::Public), "another subnet");

    let mut group = estate.clone();
    group.policy(&[("microsoft.storage", "/subscriptions/s1/resourcegroups/rg1")]);
    assert_eq!(group.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::ServiceEndpoint));
    assert_eq!(group.flow(machine("n1/a"), account("a2"), "blob", 443).stage, Stage::ServiceEndpointPolicy, "rg1 is not rg10");

    let mut foreign = estate.clone();
    foreign.policy(&[("microsoft.storage", "/subscriptions/sx")]);
    assert_eq!(foreign.flow(machine("n1/a"), account("rx"), "blob", 443), allowed(Via::ServiceEndpoint));

    let mut unlisted = Estate::new();
    unlisted.deny(account("a1"));
    unlisted.service_endpoint("n1/a", "microsoft.storage");
    unlisted.policy(&[("microsoft.storage", listed.as_str())]);
    assert_eq!(unlisted.flow(machine("n1/a"), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::ServiceEndpoint));
}

// covers: SEP-06, SEP-07, SEP-09, SEP-10, SEP-11, SEP-12
#[test]
fn what_lists_no_account_filters_none() {
    let mut estate = secured();
    rogue(&mut estate);
    let mut alias = estate.clone();
    alias.policy(&[("global", "/services/azure")]);
    assert_eq!(alias.flow(machine("n1/a"), account("rx"), "blob", 443), allowed(Via::ServiceEndpoint));
    let mut both = estate.clone();
    both.policy(&[("global", "/services/azure"), ("microsoft.storage", account("a1").as_str())]);
    assert_eq!(both.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::ServiceEndpoint));
    assert_eq!(both.flow(machine("n1/a"), account("a2"), "blob", 443).stage, Stage::ServiceEndpointPolicy);
    let mut empty = estate.clone();
    empty.policy(&[]);
    let unsure = empty.flow(machine("n1/a"), account("rx"), "blob", 443);
    assert_eq!(unsure, unproven(Stage::ServiceEndpointPolicy, Via::ServiceEndpoint));
    let mut inert = Estate::new();
    inert.policy(&[("microsoft.storage", account("a1").as_str())]);
    assert_eq!(inert.flow(machine("n1/a"), account("a2"), "blob", 443), allowed(Via::Public), "no endpoint, no filter");

    let mut secondary = estate.clone();
    secondary.policy(&[("microsoft.storage", account("a1").as_str())]);
    secondary.part(account("a1"), "blob", Instance::Secondary, "a1-secondary.blob.core.windows.net", "westus");
    let ways = secondary.ways(machine("n1/a"), account("a1"), "blob", Instance::Secondary, Mode::Configured);
    assert_eq!(outcome(&ways, tcp(443)), allowed(Via::ServiceEndpoint), "the account's other front end is the same account");
}

// covers: PE-33, PE-34
#[test]
fn policies_do_not_touch_private_endpoints() {
    let mut estate = secured();
    let zone = estate.pe1_z1(Consent::Approved);
    estate.policy(&[("microsoft.storage", account("a1").as_str())]);
    estate.endpoint("pe2", "n1/p", "10.1.9.8", account("a2"), "blob", Consent::Approved);
    estate.record(zone, "a2", "10.1.9.8");
    assert_eq!(estate.flow(machine("n1/a"), account("a2"), "blob", 443), allowed(Via::PrivateEndpoint));
    assert_eq!(estate.flow(machine("n1/a"), account("a3"), "blob", 443), denied(Stage::ServiceEndpointPolicy, Via::ServiceEndpoint));
}

// covers: SE-16, SE-20, SE-26, SQL-02, SQL-05
#[test]
fn a_sql_server_takes_its_subnets_in_its_own_region_and_addresses_until_then() {
    let server = |estate: &mut Estate, region: &str| -> Sym {
        let id = Sym::new("/subscriptions/s1/resourcegroups/rg1/providers/microsoft.sql/servers/s");
        estate.store(id, Service::Sql, region, TENANT);
        estate.part(id, "sqlserver", Instance::Primary, "s.database.windows.net", region);
        estate.subnet_rule(id, "n1/a", Tri::Yes);
        estate.ip_rule(id, "20.0.0.1", "20.0.0.1");
        id
    };
    let mut before = Estate::new();
    let id = server(&mut before, "eastus");
    // Nothing shows the list of private endpoints of the server; without a zone the public answer is the same either way.
    assert_eq!(before.flow(machine("n1/a"), id, "sqlserver", 1433), allowed(Via::Public));
    let mut after = before.clone();
    after.service_endpoint("n1/a", "microsoft.sql");
    assert_eq!(after.flow(machine("n1/a"), id, "sqlserver", 1433), allowed(Via::ServiceEndpoint));
    assert_eq!(after.flow(machine("n1/a"), id, "sqlserver", 11005).stage, Stage::SqlFirewall, "redirected connections are not proven");
    let mut far = Estate::new();
    let id = server(&mut far, "westus");
    far.service_endpoint("n1/a", "microsoft.sql");
    assert_eq!(
        far.flow(machine("n1/a"), id, "sqlserver", 1433),
        allowed(Via::Public),
        "not covered: an address, and there is a rule for it"
    );
}
