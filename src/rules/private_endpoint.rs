//! What a private endpoint is at the end of the way: its addresses, and what answers behind them.

use std::net::IpAddr;

use crate::facts::Index;
use crate::facts::platform::Platform;
use crate::facts::private_access::AddressSource;
use crate::facts::service::{Service, sub_resource};
use crate::facts::store_facts::{Instance, Store, StorePart, StoreSwitch, Switch};
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Sym, Tri, ids};

/// The sub-resource that a private endpoint names for one endpoint of a store: `blob`, `blob_secondary` (PE-04, M-07).
///
/// The name of one region and the deployment site of an app come with the main endpoint: `sql` for `sql.westus`, `sites` for `scm`.
pub fn group(part: Sym, instance: Instance) -> Sym {
    let main = sub_resource(part);
    match instance {
        Instance::Primary => main,
        Instance::Secondary => Sym::new(&format!("{main}_secondary")),
    }
}

/// The region of the front end of a part; empty where it may stand in one of several (DNS-36).
///
/// ```datalog
/// elsewhere(D, P) :- store_part(D, P, _, _, R), store_region(D, S), R != S.                                      // pe.7
/// ```
pub fn region(index: &Index, part: &StorePart) -> Sym {
    let several = index.store_regions.get(part.store).iter().any(|row| row.region != part.location);
    // The name of one region leads there.
    if several && sub_resource(part.part) == part.part { Sym::EMPTY } else { part.location }
}

/// Whether every endpoint of the store belongs to the sub-resource `group`, so that a connection of which only the store's side is known must be for it.
pub fn only_group(index: &Index, store: Sym, group_of_store: Sym) -> bool {
    let slots = format!("{store}/slots/");
    let app = index.store.one(store).is_some_and(|row| row.service == Service::Web);
    index.store_parts.get(store).iter().all(|part| group(part.part, part.instance) == group_of_store)
        && !(app && index.store.rows().any(|row| row.service == Service::Web && row.store.as_str().starts_with(&slots)))
}

/// What private endpoints name for the sub-resource `group` of `target`: itself, and for a slot of an app also the app, with the slot in the group (DNS-37).
pub fn anchors(target: Sym, group: Sym) -> impl Iterator<Item = (Sym, Sym)> {
    let slot = target.as_str().split_once("/slots/").map(|(app, slot)| (Sym::new(app), Sym::new(&format!("{group}-{slot}"))));
    std::iter::once((target, group)).chain(slot)
}

/// Whether what an endpoint says of the sub-resource `of` is about `group`; either may name none.
fn fits(group: Sym, of: Sym) -> bool {
    group.is_empty() || of.is_empty() || of == group
}

/// The address configurations of the interfaces of `endpoint` for the sub-resource `group`; all of them where it is empty.
fn configs(index: &Index, endpoint: Sym, group: Sym) -> impl Iterator<Item = Sym> {
    let all = index.private_endpoint_nics.get(endpoint).iter().flat_map(|row| index.ip_configs_by_nic.get(row.nic));
    let own = all.filter(move |config| {
        let links = index.ip_config_links.get(config.ip_config);
        links.is_empty() || links.iter().any(|link| fits(group, link.group))
    });
    own.map(|config| config.ip_config)
}

/// The addresses of `endpoint` for the sub-resource `group`, sorted; every address where `group` is empty (PE-06).
///
/// The interface knows best, then the DNS configuration on the endpoint, then the addresses it asked for. Empty where the input has none.
///
/// ```datalog
/// has_nic_address(E) :- private_endpoint_nic(E, N), ip_config(C, N, _, _), ip_config_address(C, _).
/// has_dns_address(E) :- private_endpoint_address(E, "custom-dns", _, _, _).
/// endpoint_address(E, A) :- private_endpoint_nic(E, N), ip_config(C, N, _, _), ip_config_address(C, A).          // pe.2
/// endpoint_address(E, A) :- private_endpoint_address(E, "custom-dns", _, A, _), !has_nic_address(E).             // pe.3
/// endpoint_address(E, A) :- private_endpoint_address(E, "static", _, A, _), !has_nic_address(E), !has_dns_address(E). // pe.4
/// ```
pub fn addresses(index: &Index, endpoint: Sym, group: Sym) -> Vec<IpAddr> {
    let own = configs(index, endpoint, group).flat_map(|config| index.ip_config_address.get(config));
    let mut found: Vec<IpAddr> = own.map(|row| row.address).collect();
    for source in [AddressSource::CustomDns, AddressSource::Static] {
        if found.is_empty() {
            let rows = index.private_endpoint_addresses.get(endpoint).iter();
            found.extend(rows.filter(|a| a.source == source && fits(group, a.group)).map(|a| a.address));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether `endpoint` may have an address for the sub-resource `group` that the input does not tell: none is known, or fewer than its interface has
/// configurations (PE-06, ADR-06).
///
/// ```datalog
/// has_address(E) :- endpoint_address(E, _).
/// has_untold_address(E) :- private_endpoint(E, _, _), !has_address(E).                                           // pe.9
/// has_untold_address(E) :- private_endpoint_nic(E, N), ip_config(C, N, _, _), !ip_config_address(C, _).          // pe.10
/// ```
///
/// An address that only the endpoint tells counts for a configuration that tells none.
pub fn has_untold_address(index: &Index, endpoint: Sym, group: Sym) -> bool {
    let known = addresses(index, endpoint, group).len();
    known == 0 || known < configs(index, endpoint, group).count()
}

/// The addresses of `endpoint` for one of the public names of the sub-resource `group`, sorted: those that say so, else all of the sub-resource's (DNS-36).
pub fn addresses_of_name(index: &Index, endpoint: Sym, group: Sym, name: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for nic in index.private_endpoint_nics.get(endpoint) {
        for config in index.ip_configs_by_nic.get(nic.nic) {
            if index.ip_config_links.get(config.ip_config).iter().any(|link| link.fqdn.as_str() == name) {
                found.extend(index.ip_config_address.get(config.ip_config).iter().map(|a| a.address));
            }
        }
    }
    if found.is_empty() {
        let rows = index.private_endpoint_addresses.get(endpoint).iter();
        found.extend(rows.filter(|row| row.fqdn.as_str() == name).map(|row| row.address));
    }
    if found.is_empty() {
        return addresses(index, endpoint, group);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The private endpoints that own `address`, in the order of their ids; networks may overlap, so there may be several (PLS-04).
pub fn owners(index: &Index, address: IpAddr) -> Vec<Sym> {
    let nics = index.ip_configs_by_address.get(address).iter().filter_map(|a| index.ip_config.one(a.ip_config));
    let mut found: Vec<Sym> = nics.flat_map(|c| index.private_endpoints_by_nic.get(c.nic)).map(|e| e.endpoint).collect();
    let written = index.private_endpoint_addresses.rows().filter(|row| row.address == address).map(|row| row.endpoint);
    found.extend(written.filter(|&endpoint| addresses(index, endpoint, Sym::EMPTY).contains(&address)));
    Sym::sort(&mut found);
    found.dedup();
    found
}

/// What answers behind a private endpoint whose target is not in the input: surely the ports of the sub-resource, where they are known (M-16).
pub fn unseen_target(platform: &Platform, target: Sym, group: Sym) -> Span {
    let part = base_part(group);
    let kind = ids::id_type(target.as_str()).unwrap_or_default();
    let named: Vec<Service> = Service::ALL.into_iter().filter(|service| service.parts().contains(&part.as_str())).collect();
    // Services share the names of some sub-resources: where the id does not say which one it is, what one of them answers is possible.
    let of_kind = |service: &Service| service.kinds().contains(&kind.as_str());
    let told = named.iter().any(of_kind);
    let mut served = named.into_iter().filter(|service| !told || of_kind(service));
    let first = served.next().unwrap_or(Service::Other);
    if platform.ports_of(first, part).is_empty() {
        return Span { sure: Set::EMPTY, may: Set::tcp_udp() };
    }
    let start = stranger(platform, first, part, true);
    served
        .map(|service| stranger(platform, service, part, true))
        .fold(start, |span, other| Span { sure: span.sure.and(other.sure), may: span.may.or(other.may) })
}

/// What a part of a store of which the input holds nothing answers: whether it also answers plain HTTP, SFTP or NFS stands on the account (M-16).
pub fn stranger(platform: &Platform, service: Service, part: Sym, private: bool) -> Span {
    let known = front_end(platform, service, Sym::EMPTY, part, false, private);
    let usual = front_end(platform, service, Sym::new("filestorage"), part, true, private);
    let possible = if service == Service::Storage { usual.or(switched(platform, part, |_| Tri::Maybe)) } else { usual };
    Span { sure: known.sure, may: known.may.or(possible.may) }
}

/// `blob_secondary` is served like `blob`.
pub fn base_part(group: Sym) -> Sym {
    group.as_str().strip_suffix("_secondary").map_or(group, Sym::new)
}

/// What the front end of a store's part answers: TCP at the service's ports, and nothing else (M-16, PE-17, SE-12).
///
/// `kind` is the account kind, `plain_http` whether the port without encryption answers too. A SQL server may redirect its clients to further ports (SQL-12),
/// which differ for private endpoints, and so may Cosmos DB; a premium file share may speak NFS.
///
/// ```datalog
/// answers(S, G, P) :- store_part(S, G, _, _, _), service_port(G, P).                                             // pe.5
/// ```
pub fn front_end(platform: &Platform, service: Service, kind: Sym, part: Sym, plain_http: bool, private: bool) -> Span {
    let port = |low: u16, high: u16| Set::of(Proto::Tcp, (low, high), ANY_PORT);
    let ports = platform.ports_of(service, part);
    if ports.is_empty() {
        return Span { sure: Set::EMPTY, may: Set::tcp() };
    }
    let mut sure = ports.iter().fold(Set::EMPTY, |set, &p| set.or(port(p, p)));
    match service {
        Service::Storage if plain_http && part.as_str() != "file" => sure = sure.or(port(80, 80)),
        Service::Redis if plain_http => sure = sure.or(port(6379, 6379)),
        _ => {}
    }
    let may = match (service, private) {
        (Service::Sql, false) => sure.or(port(11000, 11999)),
        (Service::Sql, true) => sure.or(port(1433, u16::MAX)),
        // Clients that connect directly are sent on to the ports of the replicas.
        (Service::Cosmos, false) if sub_resource(part).as_str() == "sql" => sure.or(port(10000, 20000)),
        (Service::Cosmos, true) if sub_resource(part).as_str() == "sql" => sure.or(port(0, u16::MAX)),
        // An account whose kind is not told may be a premium one.
        (Service::Storage, _) if part.as_str() == "file" && matches!(kind.as_str(), "filestorage" | "") => sure.or(port(2049, 2049)),
        _ => sure,
    };
    Span { sure, may }
}

/// What the front end of a store of the input answers for the sub-resource `group`, by its own switches (M-16).
///
/// ```datalog
/// answers(S, G, P) :- store_switch(S, W, "yes"), switched_port(W, G, P, "yes").                                  // pe.8
/// ```
pub fn front_end_of(index: &Index, platform: &Platform, store: &Store, group: Sym, private: bool) -> Span {
    let plain_http = index.store_access.one(store.store).is_some_and(|access| access.plain_http);
    let part = base_part(group);
    let usual = front_end(platform, store.service, store.kind, part, plain_http, private);
    usual.or(switched_on(platform, index.store_switches.get(store.store), group))
}

/// What the switches of an account add for the sub-resource `group`.
pub fn switched_on(platform: &Platform, switches: &[StoreSwitch], group: Sym) -> Span {
    if switches.is_empty() {
        return Span::NONE;
    }
    let on = |switch: Switch| switches.iter().filter(|row| row.switch == switch).map(|row| row.on).max().unwrap_or_default();
    let part = base_part(group);
    let added = switched(platform, part, on);
    // Nobody says that a copy in another region takes part.
    if part == group { added } else { added.doubted() }
}

/// What an account whose switches are `on` answers besides its usual ports.
pub fn switched(platform: &Platform, part: Sym, on: impl Fn(Switch) -> Tri) -> Span {
    let rows = platform.switched_ports().iter().filter(|row| row.group == part);
    rows.fold(Span::NONE, |span, row| {
        let port = Set::of(Proto::Tcp, (row.port, row.port), ANY_PORT);
        match on(row.switch).and(row.answers) {
            Tri::Yes => span.or(Span::exactly(port)),
            Tri::Maybe => span.or(Span::exactly(port).doubted()),
            Tri::No => span,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::network::{IpConfig, IpConfigAddress};
    use crate::facts::private_access::{PrivateEndpointAddress, PrivateEndpointNic};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    // covers: PE-06
    #[test]
    fn the_interface_knows_the_address_best() {
        let pe = Sym::new("pe");
        let written = |source, address: &str| PrivateEndpointAddress {
            endpoint: pe,
            source,
            group: Sym::EMPTY,
            address: ip(address),
            fqdn: Sym::EMPTY,
        };
        let mut index: Index =
            [written(AddressSource::Static, "10.0.0.9").into(), written(AddressSource::CustomDns, "10.0.0.8").into()].into_iter().collect();
        assert_eq!(addresses(&index, pe, Sym::EMPTY), [ip("10.0.0.8")]);
        assert_eq!(owners(&index, ip("10.0.0.8")), [pe]);
        assert!(owners(&index, ip("10.0.0.9")).is_empty());
        index.insert(PrivateEndpointNic { endpoint: pe, nic: "n".into() }.into());
        index.insert(IpConfig { ip_config: "c".into(), nic: "n".into(), subnet: "s".into(), primary: true }.into());
        index.insert(IpConfigAddress { ip_config: "c".into(), address: ip("10.0.0.7") }.into());
        assert_eq!(addresses(&index, pe, "blob".into()), [ip("10.0.0.7")]);
        assert_eq!(owners(&index, ip("10.0.0.7")), [pe]);
    }

    // covers: M-16, PE-17, SE-12
    #[test]
    fn only_the_ports_of_the_service_answer() {
        let blob = front_end(Platform::builtin(), Service::Storage, "storagev2".into(), "blob".into(), false, false);
        assert_eq!(blob, Span::exactly(Set::of(Proto::Tcp, (443, 443), ANY_PORT)));
        let plain = front_end(Platform::builtin(), Service::Storage, "storagev2".into(), "blob".into(), true, false);
        assert!(plain.sure.meets(Set::of(Proto::Tcp, (80, 80), ANY_PORT)));
        let sql = front_end(Platform::builtin(), Service::Sql, Sym::EMPTY, "sqlserver".into(), false, false);
        assert_eq!((sql.sure.to_string(), sql.may.to_string()), ("tcp/1433".to_owned(), "tcp/1433, tcp/11000-11999".to_owned()));
        let of = |service, part: &str| front_end(Platform::builtin(), service, Sym::EMPTY, part.into(), false, false).sure.to_string();
        assert_eq!(of(Service::Cosmos, "sql.westus"), "tcp/443");
        assert_eq!(of(Service::Synapse, "sql"), "tcp/1433");
        assert_eq!(of(Service::EventHub, "namespace"), "tcp/443, tcp/5671-5672, tcp/9093");
        assert_eq!(of(Service::ServiceBus, "namespace"), "tcp/443, tcp/5671-5672");
        assert_eq!(of(Service::Web, "scm"), "tcp/80, tcp/443");
        assert_eq!(of(Service::Redis, "rediscache"), "tcp/6380");
        assert_eq!(unseen_target(Platform::builtin(), "".into(), "namespace".into()).sure.to_string(), "tcp/443, tcp/5671-5672");
        let account = "/subscriptions/sx/resourcegroups/r/providers/microsoft.documentdb/databaseaccounts/c";
        assert_eq!(unseen_target(Platform::builtin(), account.into(), "sql".into()).sure.to_string(), "tcp/443");
        assert_eq!(unseen_target(Platform::builtin(), "".into(), "sql".into()).sure, Set::EMPTY);
        let odd = front_end(Platform::builtin(), Service::Storage, Sym::EMPTY, "unheard-of".into(), false, false);
        assert_eq!((odd.sure, odd.may), (Set::EMPTY, Set::tcp()));
    }
}
