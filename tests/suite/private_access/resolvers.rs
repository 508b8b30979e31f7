//! Who answers names besides Azure's resolver and its private zones: inbound endpoints, rulesets, firewalls, public zones, hosts files; and how services of
//! other types are called.

use watertight::facts::azure_firewall::*;
use watertight::facts::dns::*;
use watertight::facts::gap::Resource;
use watertight::facts::network::*;
use watertight::facts::platform::Platform;
use watertight::facts::private_access::*;
use watertight::model::{Sym, Tri, Via};
use watertight::rules::dns::{Ambiguity, Answer, View, names};

use super::estate::*;

const A1: &str = "a1.blob.core.windows.net";

fn at(vnet: &str) -> View {
    View::Vnet { vnet: network(vnet), nic: Sym::EMPTY }
}

fn id(rest: &str) -> Sym {
    Sym::new(&format!("/subscriptions/s1/resourcegroups/dns/providers/microsoft.network/{rest}"))
}

/// The blobs of `a1` behind an endpoint, its zone linked to `n2` alone, and a resolver of `n2` that answers at 10.2.6.4.
fn hub() -> Estate {
    let mut estate = Estate::new();
    let zone = estate.zone(BLOB_ZONE, "n2");
    estate.record(zone, "a1", "10.1.9.4");
    estate.endpoint("pe1", "n1/p", "10.1.9.4", account("a1"), "blob", Consent::Approved);
    let resolver = id("dnsresolvers/r");
    estate.add(DnsResolver { resolver, vnet: network("n2") });
    let endpoint = id("dnsresolvers/r/inboundendpoints/in");
    estate.add(DnsInbound { endpoint, resolver, subnet: network("n2/c"), address: ip("10.2.6.4"), settled: true });
    estate
}

fn server(estate: &mut Estate, vnet: &str, position: u16, address: &str) {
    estate.add(VnetDns { vnet: network(vnet), position, server: ip(address) });
}

/// A ruleset linked to `vnet` with one rule, added to those it has.
fn rule(estate: &mut Estate, vnet: &str, domain: &str, target: &str) -> ForwardingRule {
    let ruleset = id("dnsforwardingrulesets/s");
    let link = id("dnsforwardingrulesets/s/virtualnetworklinks/l");
    let rule = Sym::new(&format!("{ruleset}/forwardingrules/{domain}"));
    let row = ForwardingRule { rule, ruleset, domain: domain.into(), enabled: Tri::Yes };
    estate.index.insert(ForwardingRuleset { ruleset, location: "eastus".into() }.into());
    estate.index.insert(RulesetLink { link, ruleset, vnet: network(vnet), usable: true }.into());
    estate.index.insert(row.into());
    estate.index.insert(ForwardingTarget { rule, position: 0, server: ip(target), port: 53 }.into());
    row
}

// covers: DNS-20, DNS-33
#[test]
fn an_inbound_endpoint_answers_with_the_zones_of_its_own_network() {
    let mut estate = hub();
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Public, "the zone is not linked to the client's network");
    server(&mut estate, "n1", 0, "10.2.6.4");
    assert_eq!(estate.resolve(at("n1"), A1).addresses, [ip("10.1.9.4")]);
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::PrivateEndpoint));
    let row = *estate.index.dns_inbound_by_address.one(ip("10.2.6.4")).unwrap();
    estate.index.remove(row.into());
    estate.add(DnsInbound { settled: false, ..row });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Unknown, "it is still being made");
}

// covers: DNS-20
#[test]
fn a_firewall_answers_for_others_where_its_settings_say_so() {
    let mut estate = hub();
    server(&mut estate, "n1", 0, "10.2.8.4");
    let (firewall, policy) = (id("azurefirewalls/fw"), id("firewallpolicies/p"));
    estate.add(Device { device: firewall, kind: DeviceKind::AzureFirewall, subnet: network("n2/c") });
    estate.add(DeviceAddress { device: firewall, address: ip("10.2.8.4"), subnet: network("n2/c") });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Unknown, "its policy is not in the input");
    estate.add(AzureFirewall { firewall, hub: Sym::EMPTY, policy, forced: false });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Unknown, "nor is it now");
    estate.add(FirewallPolicy { policy, base: Sym::EMPTY, listed: true });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::ServFail, "its policy makes it no proxy");
    estate.add(FirewallDnsProxy { owner: policy });
    assert_eq!(estate.resolve(at("n1"), A1).addresses, [ip("10.1.9.4")]);

    let mut elsewhere = estate.clone();
    elsewhere.add(FirewallDnsServer { owner: policy, position: 0, server: ip("1.1.1.1") });
    assert_eq!(elsewhere.resolve(at("n1"), A1).answer, Answer::Public);
    elsewhere.add(FirewallDnsServer { owner: policy, position: 1, server: ip("168.63.129.16") });
    let first = elsewhere.resolve(at("n1"), A1);
    assert_eq!((first.answer, first.ambiguity), (Answer::Public, Ambiguity::Servers));
}

// covers: DNS-08, DNS-19
#[test]
fn rules_come_after_zones_and_the_longest_one_counts() {
    let mut estate = hub();
    rule(&mut estate, "n1", "blob.core.windows.net", "10.2.6.4");
    assert_eq!(estate.resolve(at("n1"), A1).addresses, [ip("10.1.9.4")], "the rule asks the resolver of the other network");

    let mut longer = estate.clone();
    rule(&mut longer, "n1", "a1.blob.core.windows.net", "8.8.8.8");
    assert_eq!(longer.resolve(at("n1"), A1).answer, Answer::Public);

    let mut zone = estate.clone();
    let own = zone.zone("core.windows.net", "n1");
    zone.record(own, "a1.blob", "10.1.9.77");
    assert_eq!(zone.resolve(at("n1"), A1).addresses, [ip("10.1.9.77")], "a zone is asked first, however short its name");

    let row = rule(&mut estate, "n1", "blob.core.windows.net", "10.2.6.4"); // the same again
    estate.index.remove(row.into());
    estate.add(ForwardingRule { enabled: Tri::No, ..row });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Public, "a rule that is switched off is none");
    estate.add(ForwardingRule { enabled: Tri::Maybe, ..row });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Unknown);
}

// covers: DNS-18
#[test]
fn a_rule_for_all_names_leaves_azures_own_alone() {
    let mut estate = hub();
    rule(&mut estate, "n1", "", "172.16.0.53");
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Public);
    assert_eq!(estate.resolve(at("n1"), "www.example.com").answer, Answer::Unknown, "nobody knows what that server says");
    rule(&mut estate, "n1", "windows.net", "172.16.0.53");
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Unknown, "a rule of its own does apply");
}

// covers: DNS-19, M-03
#[test]
fn rules_and_links_that_nobody_exported_leave_the_answer_open() {
    let mut estate = hub();
    let ruleset = id("dnsforwardingrulesets/s");
    estate.add(ForwardingRuleset { ruleset, location: "eastus".into() });
    let unknown = estate.resolve(at("n1"), A1);
    assert_eq!((unknown.answer, unknown.decider), (Answer::Unknown, ruleset));
    estate.add(CompleteType { kind: "microsoft.network/dnsforwardingrulesets/virtualnetworklinks".into() });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Public, "it is linked nowhere");
    estate.add(RulesetLink { link: "l".into(), ruleset, vnet: network("n1"), usable: true });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Unknown, "its rules are missing");
    estate.add(CompleteType { kind: "microsoft.network/dnsforwardingrulesets/forwardingrules".into() });
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Public);

    let mut far = hub();
    rule(&mut far, "n1", "blob.core.windows.net", "10.2.6.4");
    far.index.remove(ForwardingRuleset { ruleset, location: "eastus".into() }.into());
    far.add(ForwardingRuleset { ruleset, location: "westeurope".into() });
    assert_eq!(far.resolve(at("n1"), A1).answer, Answer::Unknown, "a ruleset of another region cannot be linked");
    let mut azure = hub();
    rule(&mut azure, "n1", "blob.core.windows.net", "168.63.129.16");
    assert_eq!(azure.resolve(at("n1"), A1).answer, Answer::Unknown, "no legal target");
}

// covers: DNS-22
#[test]
fn a_rule_that_leads_back_to_its_own_resolver_answers_nothing() {
    let mut estate = hub();
    rule(&mut estate, "n2", "corp.example", "10.2.6.4");
    let looped = estate.resolve(at("n2"), "x.corp.example");
    assert_eq!((looped.answer, looped.code), (Answer::ServFail, "DNS_LOOP"));
    let zone = estate.zone("corp.example", "n2");
    estate.record(zone, "x", "10.2.1.9");
    assert_eq!(estate.resolve(at("n2"), "x.corp.example").addresses, [ip("10.2.1.9")], "a linked zone ends it");
}

// covers: DNS-23
#[test]
fn a_rule_for_what_only_an_alias_leads_to_proves_nothing() {
    let mut estate = hub();
    rule(&mut estate, "n1", BLOB_ZONE, "10.2.6.4");
    let unknown = estate.resolve(at("n1"), A1);
    assert_eq!((unknown.answer, unknown.addresses.as_slice()), (Answer::Unknown, &[ip("10.1.9.4")][..]));
    assert_eq!(estate.resolve(at("n1"), "a1.privatelink.blob.core.windows.net").addresses, [ip("10.1.9.4")], "asked for by its name");
}

// covers: DNS-07
#[test]
fn clients_of_a_gateway_ask_the_servers_of_its_network() {
    let mut estate = hub();
    let gateway = id("virtualnetworkgateways/gw");
    estate.add(GatewaySubnet { gateway, subnet: network("n2/c") });
    assert_eq!(estate.resolve(View::Site(gateway), A1).answer, Answer::Public, "without any they ask the internet");
    server(&mut estate, "n2", 0, "10.2.6.4");
    assert_eq!(estate.resolve(View::Site(gateway), A1).addresses, [ip("10.1.9.4")]);
}

// covers: DNS-06
#[test]
fn a_hosts_file_is_asked_before_anybody() {
    let mut estate = hub();
    let (nic, machine) = (Sym::new("vm1-nic"), Sym::new("vm1"));
    estate.add(NicMachine { nic, machine });
    estate.add(LocalRecord { at: machine, name: "A1.blob.core.windows.net".into(), address: ip("10.1.9.4") });
    assert_eq!(estate.resolve(View::Vnet { vnet: network("n1"), nic }, A1).addresses, [ip("10.1.9.4")]);
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Public, "its neighbours have another one");
}

// covers: DNS-34
#[test]
fn a_public_zone_of_the_input_knows_all_of_its_names() {
    let mut estate = hub();
    let zone = id("dnszones/example.com");
    estate.add(PublicDnsZone { zone, name: "example.com".into() });
    let record = |name: &str, kind: RecordType, value: &str| ZoneRecord {
        record: Sym::new(&format!("{zone}/{}/{name}", kind.as_str())),
        zone,
        name: name.into(),
        kind,
        value: value.into(),
    };
    assert_eq!(estate.resolve(View::Internet, "www.example.com").answer, Answer::Unknown, "its records are not in the input");
    estate.add(record("@", RecordType::Soa, ""));
    estate.add(record("www", RecordType::A, "203.0.113.80"));
    estate.add(record("files", RecordType::Cname, A1));
    estate.add(record("*.apps", RecordType::A, "203.0.113.81"));
    estate.add(record("lab", RecordType::Ns, ""));
    estate.add(record("vm", RecordType::A, "/subscriptions/s1/pip"));
    for view in [View::Internet, at("n1")] {
        assert_eq!(estate.resolve(view, "www.example.com").addresses, [ip("203.0.113.80")]);
        assert_eq!(estate.resolve(view, "x.apps.example.com").addresses, [ip("203.0.113.81")]);
        assert_eq!(estate.resolve(view, "gone.example.com").answer, Answer::NxDomain);
        assert_eq!(estate.resolve(view, "x.lab.example.com").answer, Answer::Unknown, "left to other servers");
        assert_eq!(estate.resolve(view, "vm.example.com").answer, Answer::Unknown, "the address is not in the input");
        assert_eq!(estate.resolve(view, "files.example.com").answer, Answer::Public);
    }
    assert_eq!(estate.resolve(at("n2"), "files.example.com").addresses, [ip("10.1.9.4")], "the alias is followed where the client asks");
    estate.add(PublicIpAddress { public_ip: "/subscriptions/s1/pip".into(), address: ip("203.0.113.82") });
    assert_eq!(estate.resolve(View::Internet, "vm.example.com").addresses, [ip("203.0.113.82")]);
    let private = estate.zone("example.com", "n1");
    estate.record(private, "www", "10.1.1.80");
    assert_eq!(estate.resolve(at("n1"), "www.example.com").addresses, [ip("10.1.1.80")]);
}

// covers: DNS-34
#[test]
fn a_security_policy_may_answer_anything() {
    let mut estate = hub();
    estate.add(Clouded { vnet: network("n2"), what: "names".into(), resource: id("dnsresolverpolicies/p/virtualnetworklinks/l") });
    assert_eq!(estate.resolve(at("n2"), A1).answer, Answer::Unknown);
    assert_eq!(estate.resolve(at("n1"), A1).answer, Answer::Public);
}

// covers: DNS-10, DNS-17
#[test]
fn what_azure_writes_into_a_zone_counts_where_its_records_were_not_exported() {
    let mut estate = Estate::new();
    let zone = zone_id(BLOB_ZONE);
    estate.add(PrivateDnsZone { zone, name: BLOB_ZONE.into() });
    estate.add(ZoneLink { link: "l".into(), zone, vnet: network("n1"), usable: true, registration: true, redirect: false });
    estate.endpoint("pe1", "n1/p", "10.1.9.4", account("a1"), "blob", Consent::Approved);
    let name = Sym::new("a1.privatelink.blob.core.windows.net");
    estate.add(ZoneGroupRecord { group: "g".into(), zone, name, address: ip("10.1.9.4") });
    assert_eq!(estate.resolve(at("n1"), A1).addresses, [ip("10.1.9.4")]);

    let (machine, nic, ip_config) = (Sym::new("vm1"), Sym::new("vm1-nic"), Sym::new("vm1-nic/c"));
    estate.add(resource(machine, "microsoft.compute/virtualmachines", "vm1"));
    estate.add(NicMachine { nic, machine });
    estate.add(IpConfig { ip_config, nic, subnet: network("n1/a"), primary: true });
    estate.add(IpConfigAddress { ip_config, address: ip("10.1.1.4") });
    let registered = estate.resolve(at("n1"), "vm1.privatelink.blob.core.windows.net");
    assert_eq!((registered.answer, registered.addresses.as_slice()), (Answer::Unknown, &[ip("10.1.1.4")][..]));
}

fn resource(id: Sym, kind: &str, name: &str) -> Resource {
    let text = Sym::new;
    Resource {
        id,
        kind: text(kind),
        name: text(name),
        location: text("eastus"),
        subscription: text("s1"),
        tenant: text(TENANT),
        group: text("rg1"),
    }
}

// covers: DNS-36, DNS-37, PE-06
#[test]
fn every_regional_name_needs_its_own_record() {
    let mut estate = Estate::new();
    let account = Sym::new("/subscriptions/s1/resourcegroups/rg1/providers/microsoft.documentdb/databaseaccounts/c1");
    estate.add(resource(account, "microsoft.documentdb/databaseaccounts", "c1"));
    let zone = estate.zone("privatelink.documents.azure.com", "n1");
    estate.record(zone, "c1", "10.1.9.4");
    assert_eq!(estate.resolve(at("n1"), "c1.documents.azure.com").answer, Answer::Unknown, "its connections are not in the input");
    estate.endpoint("pe1", "n1/p", "10.1.9.4", account, "sql", Consent::Approved);
    assert_eq!(estate.resolve(at("n1"), "c1.documents.azure.com").addresses, [ip("10.1.9.4")]);
    assert_eq!(estate.resolve(at("n1"), "c1-westus.documents.azure.com").answer, Answer::NxDomain);
    estate.record(zone, "c1-westus", "10.1.9.5");
    assert_eq!(estate.resolve(at("n1"), "c1-westus.documents.azure.com").addresses, [ip("10.1.9.5")]);
    assert_eq!(estate.resolve(at("n2"), "c1-westus.documents.azure.com").answer, Answer::Public);
    assert_eq!(estate.resolve(at("n1"), "c2.documents.azure.com").answer, Answer::Unknown, "whose it is, nobody knows");
}

// covers: DNS-14, PE-11
#[test]
fn an_endpoint_to_a_resource_outside_the_input_gives_its_name_an_alias() {
    let mut estate = Estate::new();
    let theirs = Sym::new("/subscriptions/sx/resourcegroups/rg/providers/microsoft.storage/storageaccounts/foreign");
    let zone = estate.zone(BLOB_ZONE, "n1");
    estate.record(zone, "foreign", "10.1.9.9");
    let endpoint = estate.endpoint("pe1", "n1/p", "10.1.9.9", theirs, "blob", Consent::Approved);
    let provider = *estate.index.provider_connections_by_endpoint.one(endpoint).unwrap();
    estate.index.remove(provider.into());
    assert_eq!(estate.resolve(at("n1"), "foreign.blob.core.windows.net").addresses, [ip("10.1.9.9")]);
    assert_eq!(estate.resolve(at("n2"), "foreign.blob.core.windows.net").answer, Answer::Public);
}

/// A public name, and the name of its private record.
const NAMES: [(&str, &str, &str, &str); 50] = [
    ("microsoft.storage/storageaccounts", "blob", "x.blob.core.windows.net", "x.privatelink.blob.core.windows.net"),
    (
        "microsoft.storage/storageaccounts",
        "blob_secondary",
        "x-secondary.blob.core.windows.net",
        "x-secondary.privatelink.blob.core.windows.net",
    ),
    ("microsoft.storage/storageaccounts", "table", "x.table.core.windows.net", "x.privatelink.table.core.windows.net"),
    ("microsoft.storage/storageaccounts", "queue", "x.queue.core.windows.net", "x.privatelink.queue.core.windows.net"),
    ("microsoft.storage/storageaccounts", "file", "x.file.core.windows.net", "x.privatelink.file.core.windows.net"),
    ("microsoft.storage/storageaccounts", "web", "x.z13.web.core.windows.net", "x.privatelink.web.core.windows.net"),
    ("microsoft.storage/storageaccounts", "dfs", "x.dfs.core.windows.net", "x.privatelink.dfs.core.windows.net"),
    ("microsoft.sql/servers", "sqlserver", "x.database.windows.net", "x.privatelink.database.windows.net"),
    ("microsoft.sql/managedinstances", "managedinstance", "x.abc.database.windows.net", "x.privatelink.abc.database.windows.net"),
    ("microsoft.synapse/workspaces", "sql", "x.sql.azuresynapse.net", "x.privatelink.sql.azuresynapse.net"),
    ("microsoft.synapse/workspaces", "sqlondemand", "x-ondemand.sql.azuresynapse.net", "x-ondemand.privatelink.sql.azuresynapse.net"),
    ("microsoft.synapse/workspaces", "dev", "x.dev.azuresynapse.net", "x.privatelink.dev.azuresynapse.net"),
    ("microsoft.synapse/privatelinkhubs", "web", "web.azuresynapse.net", "web.privatelink.azuresynapse.net"),
    ("microsoft.documentdb/databaseaccounts", "sql", "x-westus.documents.azure.com", "x-westus.privatelink.documents.azure.com"),
    ("microsoft.documentdb/databaseaccounts", "mongodb", "x.mongo.cosmos.azure.com", "x.privatelink.mongo.cosmos.azure.com"),
    ("microsoft.keyvault/vaults", "vault", "x.vault.azure.net", "x.privatelink.vaultcore.azure.net"),
    ("microsoft.keyvault/managedhsms", "managedhsm", "x.managedhsm.azure.net", "x.privatelink.managedhsm.azure.net"),
    ("microsoft.containerregistry/registries", "registry", "x.azurecr.io", "x.privatelink.azurecr.io"),
    ("microsoft.containerregistry/registries", "registry", "x.eastus.data.azurecr.io", "x.eastus.data.privatelink.azurecr.io"),
    ("microsoft.eventhub/namespaces", "namespace", "x.servicebus.windows.net", "x.privatelink.servicebus.windows.net"),
    ("microsoft.eventgrid/topics", "topic", "x.eastus-1.eventgrid.azure.net", "x.eastus-1.privatelink.eventgrid.azure.net"),
    ("microsoft.web/sites", "sites", "x.azurewebsites.net", "x.privatelink.azurewebsites.net"),
    ("microsoft.web/sites", "sites", "x.scm.azurewebsites.net", "x.scm.privatelink.azurewebsites.net"),
    ("microsoft.web/staticsites", "staticsites", "x.5.azurestaticapps.net", "x.privatelink.5.azurestaticapps.net"),
    ("microsoft.dbforpostgresql/servers", "postgresqlserver", "x.postgres.database.azure.com", "x.privatelink.postgres.database.azure.com"),
    ("microsoft.dbformysql/flexibleservers", "mysqlserver", "x.mysql.database.azure.com", "x.privatelink.mysql.database.azure.com"),
    ("microsoft.dbformariadb/servers", "mariadbserver", "x.mariadb.database.azure.com", "x.privatelink.mariadb.database.azure.com"),
    ("microsoft.containerservice/managedclusters", "management", "x.eastus.azmk8s.io", "x.privatelink.eastus.azmk8s.io"),
    ("microsoft.search/searchservices", "searchservice", "x.search.windows.net", "x.privatelink.search.windows.net"),
    ("microsoft.appconfiguration/configurationstores", "configurationstores", "x.azconfig.io", "x.privatelink.azconfig.io"),
    ("microsoft.cognitiveservices/accounts", "account", "x.cognitiveservices.azure.com", "x.privatelink.cognitiveservices.azure.com"),
    ("microsoft.cognitiveservices/accounts", "account", "x.openai.azure.com", "x.privatelink.openai.azure.com"),
    ("microsoft.insights/privatelinkscopes", "azuremonitor", "x.oms.opinsights.azure.com", "x.privatelink.oms.opinsights.azure.com"),
    ("microsoft.machinelearningservices/workspaces", "amlworkspace", "x.api.azureml.ms", "x.privatelink.api.azureml.ms"),
    ("microsoft.datafactory/factories", "datafactory", "x.eastus.datafactory.azure.net", "x.eastus.privatelink.datafactory.azure.net"),
    ("microsoft.datafactory/factories", "portal", "adf.azure.com", "adf.privatelink.adf.azure.com"),
    ("microsoft.cache/redis", "rediscache", "x.redis.cache.windows.net", "x.privatelink.redis.cache.windows.net"),
    ("microsoft.signalrservice/webpubsub", "webpubsub", "x.webpubsub.azure.com", "x.privatelink.webpubsub.azure.com"),
    ("microsoft.devices/iothubs", "iothub", "x.azure-devices.net", "x.privatelink.azure-devices.net"),
    (
        "microsoft.devices/provisioningservices",
        "iotdps",
        "x.azure-devices-provisioning.net",
        "x.privatelink.azure-devices-provisioning.net",
    ),
    ("microsoft.recoveryservices/vaults", "azurebackup", "x.weu.backup.windowsazure.com", "x.privatelink.weu.backup.windowsazure.com"),
    ("microsoft.batch/batchaccounts", "batchaccount", "x.eastus.batch.azure.com", "x.eastus.privatelink.batch.azure.com"),
    ("microsoft.batch/batchaccounts", "nodemanagement", "x.eastus.service.batch.azure.com", "x.eastus.service.privatelink.batch.azure.com"),
    (
        "microsoft.automation/automationaccounts",
        "webhook",
        "x.webhook.weu.azure-automation.net",
        "x.webhook.weu.privatelink.azure-automation.net",
    ),
    ("microsoft.purview/accounts", "account", "x.purview.azure.com", "x.privatelink.purview.azure.com"),
    ("microsoft.databricks/workspaces", "databricks_ui_api", "adb-1.5.azuredatabricks.net", "adb-1.5.privatelink.azuredatabricks.net"),
    ("microsoft.apimanagement/service", "gateway", "x.azure-api.net", "x.privatelink.azure-api.net"),
    ("microsoft.kusto/clusters", "cluster", "x.eastus.kusto.windows.net", "x.privatelink.eastus.kusto.windows.net"),
    ("microsoft.keyvault/vaults", "vault", "x.vault.usgovcloudapi.net", "x.privatelink.vaultcore.usgovcloudapi.net"),
    ("microsoft.network/privatelinkservices", "", "x.example.com", ""),
];

// covers: DNS-37, §2.5
#[test]
fn every_service_has_its_private_name() {
    for (kind, group, host, private) in NAMES {
        let names = names::private_names(Platform::builtin(), kind.into(), group.into(), host);
        let expected: Vec<&str> = [private].into_iter().filter(|name| !name.is_empty()).collect();
        assert_eq!(names, expected, "{kind} {group}");
    }
}
