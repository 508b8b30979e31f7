//! What a service endpoint of a subnet covers.

use crate::facts::Index;
use crate::facts::network::{NO_LOCATION, SubnetServiceEndpoint};
use crate::facts::platform::Platform;
use crate::facts::store_facts::Service;
use crate::model::{Sym, Tri};
use crate::rules::endpoint_policy;

/// The region that a regional storage endpoint covers besides its own (SE-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partner {
    /// The region is paired with this one.
    Region(Sym),
    /// The region has no pair.
    None,
    /// Nothing is known about the region.
    Unknown,
}

/// Whether traffic of a subnet to a store in some region takes a service endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Whether it does.
    pub covered: Tri,
    /// The service endpoint that covers it, else one that is for the service but for other regions; empty where the subnet has none.
    pub service: Sym,
}

/// Whether one of a subnet's service endpoints covers front ends of `service` in `region`.
///
/// Each subnet and each service by itself (SE-02, SE-21). Listed locations decide; without a list the storage endpoint covers the network's region and its
/// pair, the global one everything, SQL the network's own region, others everything (SE-15, SE-16, SE-19); a list that has SQL cover another region than the
/// network's own proves nothing of it. An attached endpoint policy makes the storage
/// endpoint global (SEP-04): `policy` is whether one is attached that counts. Only TCP takes it (SE-12); that is for the front end to say.
///
/// ```datalog
/// covers(S, "storage", R) :- subnet_service_endpoint(S, "microsoft.storage", R), store_part(_, _, _, _, R).       // se.1
/// covers(S, "storage", R) :- subnet_service_endpoint(S, "microsoft.storage", ""), subnet(S, V, _), vnet(V, R).    // se.2
/// covers(S, "storage", R) :- subnet_service_endpoint(S, "microsoft.storage", ""), subnet(S, V, _), vnet(V, H), region_pair(H, R). // se.3
/// covers(S, "storage", R) :- subnet_service_endpoint(S, "microsoft.storage.global", _), store_part(_, _, _, _, R). // se.4
/// covers(S, "storage", R) :- subnet_service_endpoint(S, "microsoft.storage", _), subnet_endpoint_policy(S, _), store_part(_, _, _, _, R). // se.5
/// covers(S, "sql", R) :- subnet_service_endpoint(S, "microsoft.sql", ""), subnet(S, V, _), vnet(V, R).            // se.6
/// covers(S, "keyvault", R) :- subnet_service_endpoint(S, "microsoft.keyvault", _), store_part(_, _, _, _, R).     // se.7
/// covers(S, "cosmos", R) :- subnet_service_endpoint(S, "microsoft.azurecosmosdb", _), store_part(_, _, _, _, R).  // se.8
/// ```
pub fn covers(
    endpoints: &[SubnetServiceEndpoint],
    service: Service,
    region: Sym,
    vnet_region: Sym,
    partner: Partner,
    policy: Tri,
) -> Coverage {
    let mut best = Coverage { covered: Tri::No, service: Sym::EMPTY };
    let same = |a: Sym, b: Sym| if a.is_empty() || b.is_empty() { Tri::Maybe } else { Tri::from_bool(a == b) };
    for endpoint in endpoints {
        let emptied = endpoint.location.as_str() == NO_LOCATION;
        let location = if emptied { Sym::EMPTY } else { endpoint.location };
        let listed = if location.as_str() == "*" { Tri::Yes } else { same(location, region) };
        if !service.has_endpoint(endpoint.service.as_str()) {
            continue;
        }
        let covered = match service {
            Service::Storage if endpoint.service.as_str() == "microsoft.storage.global" => Tri::Yes,
            Service::Storage => policy.or(if location.is_empty() {
                same(vnet_region, region).or(match partner {
                    Partner::Region(pair) => same(pair, region),
                    Partner::None => Tri::No,
                    Partner::Unknown => Tri::Maybe,
                })
            } else {
                listed
            }),
            // Whether its front ends are among those of Service Bus is not documented.
            Service::Relay => Tri::Maybe,
            // That it lists a region where the network is not contradicts the network's own (SE-16).
            _ if !location.is_empty() && service.is_regional() => listed.and(same(vnet_region, region).or(Tri::Maybe)),
            _ if !location.is_empty() => listed,
            _ if service.is_regional() => same(vnet_region, region),
            _ => Tri::Yes,
        };
        let covered = if emptied { covered.and(Tri::Maybe) } else { covered };
        if best.service.is_empty() || covered > best.covered {
            best = Coverage { covered, service: endpoint.service };
        }
    }
    best
}

/// Whether tokens that are asked for in `subnet` carry its identity to a store of `service` in `region`: only Data Lake Store of the first generation looks
/// for it, in the network's own region (SE-18).
pub fn claims(index: &Index, subnet: Sym, service: Service, region: Sym) -> Tri {
    let on = index.service_endpoints.get(subnet).iter().any(|row| row.service.as_str() == "microsoft.azureactivedirectory");
    if service != Service::DataLake || !on {
        return Tri::No;
    }
    let home = index.subnet.one(subnet).and_then(|s| index.vnet.one(s.vnet)).map_or(Sym::EMPTY, |v| v.location);
    if home.is_empty() || region.is_empty() { Tri::Maybe } else { Tri::from_bool(home == region) }
}

/// What is known of the pair of `region`: a region that neither has a pair nor a storage tag of its own is not known at all.
pub fn partner(platform: &Platform, region: Sym) -> Partner {
    match platform.region_pair(region) {
        Some(pair) => Partner::Region(pair),
        None if platform.tag(Sym::new(&format!("storage.{region}"))).is_some() => Partner::None,
        None => Partner::Unknown,
    }
}

/// [`covers`] on the rows of the index.
pub fn of(index: &Index, platform: &Platform, subnet: Sym, service: Service, region: Sym) -> Coverage {
    let endpoints = index.service_endpoints.get(subnet);
    if endpoints.is_empty() {
        return Coverage { covered: Tri::No, service: Sym::EMPTY };
    }
    let vnet = index.subnet.one(subnet).and_then(|s| index.vnet.one(s.vnet));
    let home = vnet.map_or(Sym::EMPTY, |v| v.location);
    covers(endpoints, service, region, home, partner(platform, home), endpoint_policy::widens(index, subnet))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(service: &str, locations: &[&str]) -> Vec<SubnetServiceEndpoint> {
        let row = |location: &&str| SubnetServiceEndpoint { subnet: "s".into(), service: service.into(), location: (*location).into() };
        locations.iter().map(row).collect()
    }

    fn covered(endpoints: &[SubnetServiceEndpoint], service: Service, region: &str) -> Tri {
        covers(endpoints, service, region.into(), "eastus".into(), Partner::Region("westus".into()), Tri::No).covered
    }

    // covers: SE-01, SE-02, SE-03, SE-15, SE-16, SE-17, SE-19, SE-21
    #[test]
    fn each_service_has_its_own_reach() {
        let storage = on("microsoft.storage", &[""]);
        assert_eq!(covered(&storage, Service::Storage, "eastus"), Tri::Yes);
        assert_eq!(covered(&storage, Service::Storage, "westus"), Tri::Yes, "the pair");
        assert_eq!(covered(&storage, Service::Storage, "westeurope"), Tri::No);
        assert_eq!(covered(&storage, Service::KeyVault, "eastus"), Tri::No, "another service gains nothing");
        assert_eq!(covered(&on("microsoft.storage", &["eastus", "westus"]), Service::Storage, "westus"), Tri::Yes);
        assert_eq!(covered(&on("microsoft.storage", &["*"]), Service::Storage, "westeurope"), Tri::Yes);
        assert_eq!(covered(&on("microsoft.storage.global", &[""]), Service::Storage, "westeurope"), Tri::Yes);
        assert_eq!(covered(&on("microsoft.sql", &[""]), Service::Sql, "westus"), Tri::No);
        assert_eq!(covered(&on("microsoft.sql", &[""]), Service::Sql, "eastus"), Tri::Yes);
        for listed in ["westus", "*"] {
            assert_eq!(covered(&on("microsoft.sql", &[listed]), Service::Sql, "westus"), Tri::Maybe, "the network is in eastus");
        }
        assert_eq!(covered(&on("microsoft.sql", &["*"]), Service::Sql, "eastus"), Tri::Yes);
        assert_eq!(covered(&on("microsoft.sql", &["eastus"]), Service::Sql, "westus"), Tri::No);
        assert_eq!(covered(&on("microsoft.keyvault", &[""]), Service::KeyVault, "westeurope"), Tri::Yes);
        assert_eq!(covered(&[], Service::Storage, "eastus"), Tri::No);
        for (name, service) in [
            ("microsoft.azurecosmosdb", Service::Cosmos),
            ("microsoft.eventhub", Service::EventHub),
            ("microsoft.servicebus", Service::ServiceBus),
            ("microsoft.containerregistry", Service::Acr),
            ("microsoft.web", Service::Web),
            ("microsoft.cognitiveservices", Service::Cognitive),
        ] {
            assert_eq!(covered(&on(name, &[""]), service, "westeurope"), Tri::Yes, "{name}");
            assert_eq!(covered(&on(name, &["eastus"]), service, "westeurope"), Tri::No, "{name}");
            assert_eq!(covered(&on("microsoft.sql", &["*"]), service, "eastus"), Tri::No, "{name}");
        }
        assert_eq!(covered(&on("microsoft.sql", &[""]), Service::Database, "eastus"), Tri::Yes, "SQL-08");
        assert_eq!(covered(&on("microsoft.sql", &[""]), Service::Flexible, "eastus"), Tri::No);
    }

    // covers: SEP-04
    #[test]
    fn a_policy_makes_the_storage_endpoint_global() {
        let storage = on("microsoft.storage", &["eastus", "westus"]);
        let far = |policy| covers(&storage, Service::Storage, "westeurope".into(), "eastus".into(), Partner::None, policy).covered;
        assert_eq!([far(Tri::No), far(Tri::Maybe), far(Tri::Yes)], [Tri::No, Tri::Maybe, Tri::Yes]);
    }

    // covers: SE-15
    #[test]
    fn a_region_nobody_knows_proves_nothing() {
        let storage = on("microsoft.storage", &[""]);
        assert_eq!(covered(&storage, Service::Storage, ""), Tri::Maybe);
        let odd = covers(
            &storage,
            Service::Storage,
            "eastus".into(),
            "moonbase".into(),
            partner(Platform::builtin(), "moonbase".into()),
            Tri::No,
        );
        assert_eq!(odd.covered, Tri::Maybe);
        assert_eq!(partner(Platform::builtin(), "polandcentral".into()), Partner::None);
    }
}
