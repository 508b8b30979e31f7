//! Store firewalls behind whole ways, and who is exposed.

use watertight::explain::exposure::{Exposed, exposure};
use watertight::explain::store::{Target, caller_ways, endpoint_ways};
use watertight::explain::transport::{Client, ClientKind};
use watertight::explain::way::{Mode, Way};
use watertight::facts::config::{BoundarySubscription, SiteNat};
use watertight::facts::gap::Resource;
use watertight::facts::network::PublicIpAddress;
use watertight::facts::private_access::{CompleteType, Consent, ProviderConnection};
use watertight::facts::store_facts::*;
use watertight::model::{Stage, Sym, Tri, Via};

use super::estate::*;

fn vault_of(estate: &mut Estate) -> Sym {
    let vault = Sym::new("/subscriptions/s1/resourcegroups/rg1/providers/microsoft.keyvault/vaults/kv1");
    estate.store(vault, Service::KeyVault, "eastus", TENANT);
    estate.part(vault, "vault", Instance::Primary, "kv1.vault.azure.net", "eastus");
    vault
}

fn resource(estate: &mut Estate, kind: &str, name: &str) -> Sym {
    let id = Sym::new(&format!("/subscriptions/s1/resourcegroups/rg1/providers/{kind}/{name}"));
    estate.add(Resource {
        id,
        kind: kind.into(),
        name: name.into(),
        location: "eastus".into(),
        subscription: "s1".into(),
        tenant: TENANT.into(),
        group: "rg1".into(),
    });
    id
}

// covers: M-11
#[test]
fn a_refusal_says_which_error_its_client_gets() {
    let mut estate = Estate::new();
    let vault = vault_of(&mut estate);
    let server = Sym::new("/subscriptions/s1/resourcegroups/rg1/providers/microsoft.sql/servers/q");
    estate.store(server, Service::Sql, "eastus", TENANT);
    estate.part(server, "sqlserver", Instance::Primary, "q.database.windows.net", "eastus");
    for list in ["firewallrules", "virtualnetworkrules", "privateendpointconnections"] {
        estate.add(CompleteType { kind: Sym::new(&format!("microsoft.sql/servers/{list}")) });
    }
    estate.add(CompleteType { kind: "microsoft.keyvault/vaults/privateendpointconnections".into() });
    estate.service_endpoint("n1/a", "microsoft.sql");
    estate.deny(account("a1"));
    estate.deny(vault);
    let refused = |estate: &Estate, client: Client, store: Sym, part: &str| {
        let ways = estate.ways(client, store, part, Instance::Primary, Mode::Configured);
        let step = ways[0].steps.iter().find(|step| step.span.may.is_empty()).expect("it is refused");
        step.text.rsplit(": the client gets ").next().unwrap().to_owned()
    };
    assert_eq!(refused(&estate, inet(), account("a1"), "blob"), "HTTP 403 or 404");
    assert_eq!(refused(&estate, inet(), vault, "vault"), "HTTP 403");
    assert_eq!(refused(&estate, inet(), server, "sqlserver"), "error 40615");
    assert_eq!(refused(&estate, machine("n1/a"), server, "sqlserver"), "error 40914");
    estate.access(server, |access| access.public = PublicAccess::Disabled);
    assert_eq!(refused(&estate, machine("n1/a"), server, "sqlserver"), "error 47073");
}

// covers: MSG-01, MSG-02, COS-03
#[test]
fn a_refusal_names_what_the_service_has_and_where_it_stands() {
    let id = |kind: &str| Sym::new(&format!("/subscriptions/s1/resourcegroups/rg1/providers/{kind}/x"));
    let refused = |estate: &mut Estate, store: Sym, service: Service, part: &str| {
        estate.part(store, part, Instance::Primary, "x.example.com", "eastus");
        estate.add(CompleteType { kind: Sym::new(&format!("{}/privateendpointconnections", service.kinds()[0])) });
        let ways = estate.ways(inet(), store, part, Instance::Primary, Mode::Configured);
        let step = ways[0].steps.iter().find(|step| step.span.may.is_empty()).expect("it is refused");
        (step.resource, step.rule.clone(), step.source)
    };
    let namespace = id("microsoft.eventhub/namespaces");
    let rule_set = Sym::new(&format!("{namespace}/networkrulesets/default"));
    for (of_set, of_store, rule, source) in [
        (PublicAccess::Enabled, PublicAccess::Enabled, "defaultAction=Deny", rule_set),
        (PublicAccess::Disabled, PublicAccess::Enabled, "publicNetworkAccess=Disabled", rule_set),
        (PublicAccess::Enabled, PublicAccess::Disabled, "publicNetworkAccess=Disabled", Sym::EMPTY),
    ] {
        let mut estate = Estate::new();
        estate.store(namespace, Service::EventHub, "eastus", TENANT);
        let untold = *estate.index.store.one(namespace).unwrap();
        estate.index.remove(untold.into());
        estate.add(Store { kind: "standard".into(), ..untold });
        estate.access(namespace, |access| access.public = of_store);
        estate.add(StoreRuleSet { rule_set, store: namespace, part: Sym::EMPTY, public: of_set, default_allow: Tri::No, trusted: false });
        estate.ip_rule(namespace, "20.0.0.1", "20.0.0.1");
        assert_eq!(refused(&mut estate, namespace, Service::EventHub, "namespace"), (namespace, rule.to_owned(), source));
    }
    // An account of Cosmos DB has no such property: its rules say whether it filters.
    let account = id("microsoft.documentdb/databaseaccounts");
    let mut estate = Estate::new();
    estate.store(account, Service::Cosmos, "eastus", TENANT);
    estate.deny(account);
    assert_eq!(refused(&mut estate, account, Service::Cosmos, "sql"), (account, String::new(), Sym::EMPTY));
}

fn call(estate: &Estate, from: Sym, store: Sym, part: &str) -> Outcome {
    let ways: Vec<Way> = caller_ways(&estate.world(), from, &Target { store, part: part.into(), instance: Instance::Primary });
    outcome(&ways, tcp(443))
}

// covers: ST-01, ST-05, ST-11
#[test]
fn selected_networks_without_any_admit_nobody() {
    let mut estate = Estate::new();
    estate.deny(account("a1"));
    for client in [inet(), machine("n1/a"), machine("n2/c"), outside(ClientKind::Internet(None))] {
        assert_eq!(estate.flow(client, account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
    }
}

// covers: ST-11, FW-06, SE-14, SE-27, R-05
#[test]
fn address_rules_admit_addresses_but_not_those_of_the_accounts_own_region() {
    let mut estate = Estate::new();
    for name in ["a1", "a4"] {
        estate.deny(account(name));
        estate.ip_rule(account(name), "20.0.0.1", "20.0.0.1");
    }
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
    assert_eq!(estate.flow(machine("n1/a"), account("a4"), "blob", 443), allowed(Via::Public));

    let site = outside(ClientKind::Site("hq".into()));
    assert_eq!(estate.flow(site, account("a1"), "blob", 443), unproven(Stage::StorageFirewall, Via::Public), "its address is not stated");
    estate.add(SiteNat { site: "hq".into(), address: ip("203.0.113.10") });
    assert_eq!(estate.flow(site, account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
    estate.ip_rule(account("a1"), "203.0.113.0", "203.0.113.255");
    assert_eq!(estate.flow(site, account("a1"), "blob", 443), allowed(Via::Public));
}

// covers: KV-02, KV-03, ST-08, ST-09, NSP-03, R-07
#[test]
fn trusted_services_and_named_resources_pass_closed_stores() {
    let mut estate = Estate::new();
    let vault = vault_of(&mut estate);
    let backup = resource(&mut estate, "microsoft.recoveryservices/vaults", "rsv1");
    estate.access(vault, |a| a.public = PublicAccess::Disabled);
    assert_eq!(estate.flow(inet(), vault, "vault", 443), denied(Stage::KeyvaultFirewall, Via::Public));
    assert_eq!(call(&estate, backup, vault, "vault"), allowed(Via::Public));
    estate.access(vault, |a| a.public = PublicAccess::SecuredByPerimeter);
    assert_eq!(call(&estate, backup, vault, "vault"), denied(Stage::KeyvaultFirewall, Via::Public));

    estate.access(account("a1"), |a| (a.public, a.trusted) = (PublicAccess::Disabled, false));
    let (f, g) =
        (resource(&mut estate, "microsoft.datafactory/factories", "f"), resource(&mut estate, "microsoft.datafactory/factories", "g"));
    estate.add(StoreResourceRule { store: account("a1"), tenant: TENANT.into(), resource: f });
    assert_eq!(call(&estate, f, account("a1"), "blob"), allowed(Via::Public));
    assert_eq!(call(&estate, g, account("a1"), "blob"), denied(Stage::StorageFirewall, Via::Public));
    estate.access(account("a2"), |a| a.public = PublicAccess::SecuredByPerimeter);
    assert_eq!(call(&estate, backup, account("a2"), "blob"), denied(Stage::StorageFirewall, Via::Public));
    assert_eq!(estate.flow(machine("n2/c"), account("a2"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
}

// covers: M-03, SQL-02
#[test]
fn a_sql_server_without_rules_refuses_if_rules_were_exported() {
    let mut estate = Estate::new();
    let add = |estate: &mut Estate, name: &str| -> Sym {
        let id = Sym::new(&format!("/subscriptions/s1/resourcegroups/rg1/providers/microsoft.sql/servers/{name}"));
        estate.store(id, Service::Sql, "eastus", TENANT);
        estate.part(id, "sqlserver", Instance::Primary, &format!("{name}.database.windows.net"), "eastus");
        id
    };
    let s = add(&mut estate, "s");
    assert_eq!(estate.flow(inet(), s, "sqlserver", 1433), unproven(Stage::SqlFirewall, Via::Public));
    let other = add(&mut estate, "sref");
    estate.ip_rule(other, "203.0.113.10", "203.0.113.10");
    assert_eq!(estate.flow(inet(), s, "sqlserver", 1433), denied(Stage::SqlFirewall, Via::Public));
}

// covers: PE-13, PE-16, PE-17, PE-29, PE-30
#[test]
fn the_address_of_an_endpoint_answers_for_its_own_part_alone() {
    let mut estate = Estate::new();
    let endpoint = estate.endpoint("pe1", "n1/p", "10.1.9.4", account("a1"), "blob", Consent::Approved);
    let pending = estate.endpoint("pe2", "n1/p", "10.1.9.5", account("a2"), "blob", Consent::Pending);
    let ask = |estate: &Estate, endpoint: Sym, port: u16| {
        let open = estate.transport();
        outcome(&endpoint_ways(&estate.world(), &open, &machine("n1/a"), endpoint, None, tcp(port)), tcp(port))
    };
    assert_eq!(ask(&estate, endpoint, 443), allowed(Via::PrivateEndpoint));
    assert_eq!(ask(&estate, endpoint, 445), denied(Stage::PrivateEndpoint, Via::PrivateEndpoint));
    assert_eq!(ask(&estate, pending, 443), denied(Stage::Consent, Via::PrivateEndpoint));
}

// covers: R-06, FW-09, PE-37, SE-20
#[test]
fn strangers_are_listed_with_what_lets_them_in() {
    let who = |estate: &Estate, store: Sym, part: &str| -> Vec<(Exposed, Tri)> {
        exposure(&estate.world(), store, part.into()).into_iter().map(|e| (e.who, e.admitted)).collect()
    };
    let mut estate = Estate::new();
    estate.add(BoundarySubscription { subscription: "s1".into() });
    let open = who(&estate, account("a1"), "blob");
    assert_eq!(open[..3], [(Exposed::Internet, Tri::Yes), (Exposed::AnyAzure, Tri::Yes), (Exposed::AnyAzureSameRegion, Tri::Yes)]);

    estate.access(account("a1"), |a| (a.default_allow, a.trusted) = (Tri::No, false));
    assert_eq!(who(&estate, account("a1"), "blob"), []);
    let theirs = Sym::new("/subscriptions/sx/subnets/x");
    estate.add(StoreSubnetRule { rule: "r".into(), store: account("a1"), subnet: theirs, effective: Tri::Yes });
    estate.add(PublicIpAddress { public_ip: "p".into(), address: ip("20.0.0.1") });
    estate.ip_rule(account("a1"), "20.0.0.1", "20.0.0.1");
    let unseen = Sym::new("/subscriptions/sx/privateendpoints/x");
    let connection = "c".into();
    estate.add(ProviderConnection { connection, target: account("a1"), endpoint: unseen, state: Consent::Approved, settled: true });
    let listed = who(&estate, account("a1"), "blob");
    assert_eq!(listed, [(Exposed::ForeignSubnet(theirs), Tri::Yes), (Exposed::ForeignEndpoint(unseen), Tri::Maybe)]);
    estate.ip_rule(account("a1"), "203.0.113.7", "203.0.113.7");
    assert_eq!(who(&estate, account("a1"), "blob")[0], (Exposed::Internet, Tri::Yes));
}
