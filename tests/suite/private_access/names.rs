//! What names resolve to, and where that leads.

use watertight::explain::effective_dns::effective_dns;
use watertight::explain::transport::ClientKind;
use watertight::explain::way::Mode;
use watertight::facts::config::{DnsServer, DnsServerRecord, SiteForwarder};
use watertight::facts::gap::ChildType;
use watertight::facts::network::{NicDns, VnetDns};
use watertight::facts::private_access::*;
use watertight::facts::store_facts::{Instance, Service};
use watertight::model::{Stage, Sym, Tri, Via};
use watertight::rules::dns::{Ambiguity, Answer, Reach, View};

use super::estate::*;

const A1: &str = "a1.blob.core.windows.net";
const A2: &str = "a2.blob.core.windows.net";

fn n1() -> View {
    View::Vnet { vnet: network("n1"), nic: Sym::EMPTY }
}

fn n2() -> View {
    View::Vnet { vnet: network("n2"), nic: Sym::EMPTY }
}

// covers: PE-18, PE-19, PE-28, PE-31, DNS-03, DNS-10, DNS-14, DNS-15, DNS-25, DNS-29, ST-03, SQL-09, KV-05
#[test]
fn one_name_is_private_inside_and_public_outside() {
    let mut estate = Estate::new();
    estate.pe1_z1(Consent::Approved);
    let inside = estate.resolve(n1(), A1);
    assert_eq!((inside.answer, inside.addresses.as_slice()), (Answer::Addresses, &[ip("10.1.9.4")][..]));
    assert_eq!(inside.chain, [A1, "a1.privatelink.blob.core.windows.net"]);
    assert_eq!(estate.resolve(View::Internet, A1).answer, Answer::Public);
    assert_eq!(estate.resolve(n2(), A1).answer, Answer::Public);
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::PrivateEndpoint));
    assert_eq!(estate.flow(inet(), account("a1"), "blob", 443), allowed(Via::Public));
    estate.deny(account("a1"));
    assert_eq!(estate.flow(machine("n1/b"), account("a1"), "blob", 443), allowed(Via::PrivateEndpoint), "any subnet of the network");
    assert_eq!(estate.flow(inet(), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
    assert_eq!(estate.flow(machine("n2/c"), account("a1"), "blob", 443), denied(Stage::StorageFirewall, Via::Public));
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 22), denied(Stage::PrivateEndpoint, Via::PrivateEndpoint));
}

// covers: PE-10, PE-11, PE-15, DNS-14, DNS-28
#[test]
fn without_consent_there_is_no_alias_and_no_way() {
    let mut estate = Estate::new();
    estate.pe1_z1(Consent::Pending);
    assert_eq!(estate.resolve(n1(), A1).answer, Answer::Public);
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::Public));
    // A record that a person wrote for the public name still leads there, and there is no fallback.
    let zone = estate.zone("blob.core.windows.net", "n1");
    estate.record(zone, "a1", "10.1.9.4");
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443), denied(Stage::Consent, Via::PrivateEndpoint));
}

// covers: PE-03, PE-29
#[test]
fn a_blob_endpoint_gives_no_file_access() {
    let mut estate = Estate::new();
    estate.pe1_z1(Consent::Approved);
    estate.deny(account("a1"));
    assert_eq!(estate.resolve(n1(), "a1.file.core.windows.net").answer, Answer::Public);
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "file", 445), denied(Stage::StorageFirewall, Via::Public));
    let dialled = estate.ways(machine("n1/a"), account("a1"), "file", Instance::Primary, Mode::Adversarial);
    assert_eq!(outcome(&dialled, tcp(445)), denied(Stage::StorageFirewall, Via::Public));
}

// covers: PE-04
#[test]
fn the_secondary_needs_an_endpoint_of_its_own() {
    let mut estate = Estate::new();
    let zone = estate.pe1_z1(Consent::Approved);
    estate.deny(account("a1"));
    estate.part(account("a1"), "blob", Instance::Secondary, "a1-secondary.blob.core.windows.net", "westus");
    let name = "a1-secondary.blob.core.windows.net";
    assert_eq!(estate.resolve(n1(), name).answer, Answer::Public);
    estate.endpoint("pe1s", "n1/p", "10.1.9.5", account("a1"), "blob_secondary", Consent::Approved);
    assert_eq!(estate.resolve(n1(), name).answer, Answer::NxDomain);
    estate.record(zone, "a1-secondary", "10.1.9.5");
    assert_eq!(estate.resolve(n1(), name).addresses, [ip("10.1.9.5")]);
    let ways = estate.ways(machine("n1/a"), account("a1"), "blob", Instance::Secondary, Mode::Configured);
    assert_eq!(outcome(&ways, tcp(443)), allowed(Via::PrivateEndpoint));
}

// covers: DNS-24, DNS-14, DNS-09, M-05, PE-32
#[test]
fn an_endpoint_elsewhere_makes_a_name_vanish_where_the_zone_is_linked() {
    let mut trap = Estate::new();
    let zone = trap.pe1_z1(Consent::Approved);
    assert_eq!(trap.resolve(n1(), A2).answer, Answer::Public, "no endpoint, no alias");

    let mut pending = trap.clone();
    pending.endpoint("pe2", "n2/c", "10.2.1.9", account("a2"), "blob", Consent::Pending);
    assert_eq!(pending.resolve(n1(), A2).answer, Answer::Public);

    let mut file = trap.clone();
    file.endpoint("pe2", "n2/c", "10.2.1.9", account("a2"), "file", Consent::Approved);
    assert_eq!(file.resolve(n1(), A2).answer, Answer::Public);

    trap.endpoint("pe2", "n2/c", "10.2.1.9", account("a2"), "blob", Consent::Approved);
    assert_eq!(trap.resolve(n1(), A2).answer, Answer::NxDomain);
    assert_eq!(trap.flow(machine("n1/a"), account("a2"), "blob", 443).stage, Stage::Dns);
    let adversary = trap.ways(machine("n1/a"), account("a2"), "blob", Instance::Primary, Mode::Adversarial);
    assert_eq!(outcome(&adversary, tcp(443)), allowed(Via::Public));
    // Every way is complete: the refused name is followed by all the rest.
    let refused = trap.ways(machine("n1/a"), account("a2"), "blob", Instance::Primary, Mode::Configured);
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|way| way.steps[0].stage == Stage::Dns && way.steps.last().unwrap().stage == Stage::Delivered));

    trap.endpoint("pe3", "n1/p", "10.1.9.8", account("a2"), "blob", Consent::Approved);
    trap.record(zone, "a2", "10.1.9.8");
    assert_eq!(trap.flow(machine("n1/a"), account("a2"), "blob", 443), allowed(Via::PrivateEndpoint));
}

// covers: DNS-13
#[test]
fn a_link_can_send_missing_names_to_public_dns() {
    let mut estate = Estate::new();
    let zone = estate.pe1_z1(Consent::Approved);
    estate.endpoint("pe2", "n2/c", "10.2.1.9", account("a2"), "blob", Consent::Approved);
    let old = *estate.index.zone_links_by_zone.one(zone).unwrap();
    estate.index.remove(old.into());
    estate.add(ZoneLink { redirect: true, ..old });
    assert_eq!(estate.resolve(n1(), A2).answer, Answer::Public);
    assert_eq!(estate.flow(machine("n1/a"), account("a2"), "blob", 443), allowed(Via::Public));
}

// covers: DNS-11, DNS-12
#[test]
fn links_in_progress_do_not_count_and_two_zones_of_one_name_prove_nothing() {
    let mut estate = Estate::new();
    let zone = estate.pe1_z1(Consent::Approved);
    let mut broken = estate.clone();
    let old = *broken.index.zone_links_by_zone.one(zone).unwrap();
    broken.index.remove(old.into());
    broken.add(ZoneLink { usable: false, ..old });
    assert_eq!(broken.resolve(n1(), A1).answer, Answer::Public);

    let twin = Sym::new("/subscriptions/s1/resourcegroups/y/providers/microsoft.network/privatednszones/privatelink.blob.core.windows.net");
    estate.add(PrivateDnsZone { zone: twin, name: BLOB_ZONE.into() });
    estate.add(ZoneLink { zone: twin, link: "twin".into(), ..old });
    let both = estate.resolve(n1(), A1);
    assert_eq!((both.answer, both.addresses.as_slice()), (Answer::Addresses, &[ip("10.1.9.4")][..]));
    assert_eq!(both.ambiguity, Ambiguity::Zones);
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443).stage, Stage::Dns, "one of them is not in force");
}

// covers: M-03, DNS-17
#[test]
fn records_that_nobody_exported_leave_the_answer_open() {
    let mut estate = Estate::new();
    let zone = zone_id(BLOB_ZONE);
    estate.add(PrivateDnsZone { zone, name: BLOB_ZONE.into() });
    estate.add(ZoneLink { link: "l".into(), zone, vnet: network("n1"), usable: true, registration: false, redirect: false });
    let endpoint = estate.endpoint("pe1", "n1/p", "10.1.9.4", account("a1"), "blob", Consent::Approved);
    assert_eq!(estate.resolve(n1(), A1).answer, Answer::Unknown);
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443).stage, Stage::Dns);
    estate.add(ZoneGroup { group: "g".into(), endpoint, zone });
    assert_eq!(estate.resolve(n1(), A1).answer, Answer::Addresses, "the zone group will write it");
    assert_eq!(estate.resolve(n1(), A1).addresses, [ip("10.1.9.4")]);
    // Records of another zone show that records were exported: now it is either planned or missing.
    let other = estate.zone("corp.example", "n2");
    estate.record(other, "x", "10.2.1.4");
    assert_eq!(estate.resolve(n1(), A1).answer, Answer::Unknown);
    estate.add(ZoneRecord { record: "soa".into(), zone, name: "@".into(), kind: RecordType::Soa, value: Sym::EMPTY });
    assert_eq!(estate.resolve(n1(), A1).answer, Answer::NxDomain);
}

// covers: PE-11, M-03
#[test]
fn a_list_of_connections_that_nobody_exported_breaks_none() {
    let mut estate = Estate::new();
    let vault = Sym::new("/subscriptions/s1/resourcegroups/rg1/providers/microsoft.keyvault/vaults/kv1");
    estate.store(vault, Service::KeyVault, "eastus", TENANT);
    estate.part(vault, "vault", Instance::Primary, "kv1.vault.azure.net", "eastus");
    estate.endpoint("pek", "n1/p", "10.1.9.6", vault, "vault", Consent::Approved);
    let vaults = estate.zone("privatelink.vaultcore.azure.net", "n1");
    estate.record(vaults, "kv1", "10.1.9.6");
    assert_eq!(estate.flow(machine("n1/a"), vault, "vault", 443), allowed(Via::PrivateEndpoint));
    let theirs = *estate.index.provider_connections_by_target.one(vault).unwrap();
    estate.index.remove(theirs.into());
    assert_eq!(estate.flow(machine("n1/a"), vault, "vault", 443).stage, Stage::Dns, "its list is missing: unknown");
    estate.add(ChildType { parent: vault, kind: "microsoft.keyvault/vaults/privateendpointconnections".into() });
    assert_eq!(estate.resolve(n1(), "kv1.vault.azure.net").answer, Answer::Public, "its list lacks the connection: gone");
}

// covers: DNS-30, DNS-37, §2.5
#[test]
fn a_zone_counts_by_its_name_alone() {
    let mut estate = Estate::new();
    let vault = Sym::new("/subscriptions/s1/resourcegroups/rg1/providers/microsoft.keyvault/vaults/kv1");
    estate.store(vault, Service::KeyVault, "eastus", TENANT);
    estate.part(vault, "vault", Instance::Primary, "kv1.vault.azure.net", "eastus");
    estate.deny(vault);
    estate.endpoint("pek", "n1/p", "10.1.9.6", vault, "vault", Consent::Approved);
    let wrong = estate.zone("privatelink.vault.azure.net", "n1");
    estate.record(wrong, "kv1", "10.1.9.6");
    assert_eq!(estate.resolve(n1(), "kv1.vault.azure.net").answer, Answer::Public);
    assert_eq!(estate.flow(machine("n1/a"), vault, "vault", 443), denied(Stage::KeyvaultFirewall, Via::Public));
    estate.zone("blob.core.windows.net", "n1");
    assert_eq!(estate.resolve(n1(), A2).answer, Answer::NxDomain, "the zone captures every account");
}

// covers: DNS-28
#[test]
fn an_address_of_somebody_else_is_no_way() {
    let mut estate = Estate::new();
    let zone = estate.pe1_z1(Consent::Approved);
    estate.endpoint("pe2", "n1/p", "10.1.9.8", account("a2"), "blob", Consent::Approved);
    estate.record(zone, "a2", "10.1.9.4");
    assert_eq!(estate.flow(machine("n1/a"), account("a2"), "blob", 443), denied(Stage::PrivateEndpoint, Via::PrivateEndpoint));
    estate.endpoint("pe3", "n1/p", "10.1.9.9", account("a3"), "blob", Consent::Approved);
    estate.record(zone, "a3", "10.1.77.77");
    assert_eq!(estate.flow(machine("n1/a"), account("a3"), "blob", 443), denied(Stage::Dns, Via::PrivateEndpoint));
    estate.endpoint("pe4", "n1/p", "10.1.9.10", account("a4"), "blob", Consent::Approved);
    estate.record(zone, "a4", "192.168.7.7");
    assert_eq!(estate.flow(machine("n1/a"), account("a4"), "blob", 443), unproven(Stage::Dns, Via::PrivateEndpoint));
}

// covers: DNS-28, R-01
#[test]
fn of_several_addresses_the_client_may_take_the_wrong_one() {
    let mut estate = Estate::new();
    let zone = estate.pe1_z1(Consent::Approved);
    let second = Sym::new("second");
    estate.add(ZoneRecord { record: second, zone, name: "a1".into(), kind: RecordType::A, value: "10.1.77.77".into() });
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443), unproven(Stage::Dns, Via::PrivateEndpoint));
}

// covers: DNS-01, DNS-02, DNS-04, DNS-05, DNS-20, DNS-32
#[test]
fn the_servers_of_the_client_decide() {
    let mut estate = Estate::new();
    estate.pe1_z1(Consent::Approved);
    let nic = Sym::new("vm1-nic");
    let at = |estate: &Estate| estate.resolve(View::Vnet { vnet: network("n1"), nic }, A1).answer;
    estate.add(NicDns { nic, position: 0, server: ip("8.8.8.8") });
    assert_eq!(at(&estate), Answer::Public);
    assert_eq!(estate.resolve(n1(), A1).answer, Answer::Addresses, "its neighbours ask Azure");
    estate.add(VnetDns { vnet: network("n1"), position: 0, server: ip("10.2.5.5") });
    assert_eq!(estate.resolve(n1(), A1).answer, Answer::Unknown);
    assert_eq!(estate.flow(machine("n1/a"), account("a1"), "blob", 443).stage, Stage::Dns);

    let mut described = estate.clone();
    described.add(DnsServer { address: ip("10.2.5.5"), forwards: "azure-dns".into(), at: network("n1") });
    assert_eq!(described.resolve(n1(), A1).addresses, [ip("10.1.9.4")]);
    described.add(VnetDns { vnet: network("n1"), position: 1, server: ip("168.63.129.16") });
    assert_eq!(described.resolve(n1(), A1).answer, Answer::Addresses, "both say the same");
    described.add(VnetDns { vnet: network("n1"), position: 2, server: ip("1.1.1.1") });
    let first = described.resolve(n1(), A1);
    assert_eq!((first.answer, first.ambiguity), (Answer::Addresses, Ambiguity::Servers), "they disagree: the first one's answer");
    described.add(VnetDns { vnet: network("n2"), position: 0, server: ip("10.2.99.99") });
    described.add(VnetDns { vnet: network("n2"), position: 1, server: ip("10.2.5.5") });
    assert_eq!(described.resolve(n2(), A1).addresses, [ip("10.1.9.4")], "who gives no answer is passed over");

    let mut own = estate.clone();
    own.add(DnsServer { address: ip("10.2.5.5"), forwards: "internet".into(), at: Sym::EMPTY });
    assert_eq!(own.resolve(n1(), A1).answer, Answer::Public);
    own.add(DnsServerRecord { server: ip("10.2.5.5"), name: "A1.blob.core.windows.net.".into(), address: ip("10.1.9.4") });
    assert_eq!(own.flow(machine("n1/a"), account("a1"), "blob", 443), allowed(Via::PrivateEndpoint));

    let mut far = Estate::new();
    far.pe1_z1(Consent::Approved);
    far.add(VnetDns { vnet: network("n1"), position: 0, server: ip("10.2.99.99") });
    assert_eq!(far.flow(machine("n1/a"), account("a1"), "blob", 443).stage, Stage::Dns);
}

// covers: DNS-08, DNS-20
#[test]
fn servers_that_forward_in_a_circle_answer_nothing() {
    let mut estate = Estate::new();
    estate.add(VnetDns { vnet: network("n1"), position: 0, server: ip("10.2.5.5") });
    estate.add(DnsServer { address: ip("10.2.5.5"), forwards: "10.2.5.6".into(), at: Sym::EMPTY });
    estate.add(DnsServer { address: ip("10.2.5.6"), forwards: "10.2.5.5".into(), at: Sym::EMPTY });
    let looped = estate.resolve(n1(), A1);
    assert_eq!((looped.answer, looped.code), (Answer::ServFail, "DNS_LOOP"));
    let zone = estate.zone("corp.example", "n2");
    let alias = |name: &str, to: &str| ZoneRecord {
        record: Sym::new(&format!("cname/{name}")),
        zone,
        name: name.into(),
        kind: RecordType::Cname,
        value: to.into(),
    };
    estate.add(alias("x", "y.corp.example"));
    estate.add(alias("y", "x.corp.example."));
    assert_eq!(estate.resolve(n2(), "x.corp.example").code, "DNS_LOOP");
}

// covers: DNS-21, DNS-26, R-05
#[test]
fn a_site_asks_its_forwarders() {
    let mut estate = Estate::new();
    estate.pe1_z1(Consent::Approved);
    let site = Sym::new("hq");
    assert_eq!(estate.resolve(View::Site(site), A1).answer, Answer::Public);
    let forwarder = |suffix: &str, chases_cname: Tri| SiteForwarder { site, suffix: suffix.into(), server: ip("10.1.5.4"), chases_cname };
    estate.add(DnsServer { address: ip("10.1.5.4"), forwards: "azure-dns".into(), at: network("n1") });

    let mut private = estate.clone();
    private.add(forwarder(BLOB_ZONE, Tri::No));
    assert_eq!(private.resolve(View::Site(site), A1).answer, Answer::Public, "the server does not follow aliases itself");
    let mut unstated = estate.clone();
    unstated.add(forwarder(BLOB_ZONE, Tri::Maybe));
    assert_eq!(unstated.resolve(View::Site(site), A1).answer, Answer::Unknown, "nobody says whether it does");
    let mut chasing = estate.clone();
    chasing.add(forwarder(BLOB_ZONE, Tri::Yes));
    assert_eq!(chasing.resolve(View::Site(site), A1).answer, Answer::Addresses);

    estate.add(forwarder("blob.core.windows.net", Tri::No));
    assert_eq!(estate.resolve(View::Site(site), A1).addresses, [ip("10.1.9.4")]);
    assert_eq!(estate.flow(outside(ClientKind::Site(site)), account("a1"), "blob", 443), allowed(Via::PrivateEndpoint));
}

// covers: DNS-35
#[test]
fn names_of_azure_that_are_in_no_input_are_unknown() {
    let estate = Estate::new();
    for (name, answer) in [
        ("nobody.blob.core.windows.net", Answer::Unknown),
        ("nobody.documents.azure.com", Answer::Unknown),
        ("example.com", Answer::Public),
        ("x.corp.local", Answer::Unknown),
        ("A1.BLOB.core.windows.net.", Answer::Public),
    ] {
        assert_eq!(estate.resolve(n1(), name).answer, answer, "{name}");
    }
}

#[test]
fn effective_dns_prints_its_document() {
    let mut estate = Estate::new();
    estate.pe1_z1(Consent::Approved);
    let document = effective_dns(&estate.world(), &|_| Reach::Open, "vnet:n1", &n1(), A1);
    assert_eq!(document["schema"], "watertight.effective-dns/1");
    assert_eq!(document["answer"], "addresses");
    assert_eq!(document["addresses"][0], "10.1.9.4");
    assert_eq!(document["chain"][1], "a1.privatelink.blob.core.windows.net");
}
