//! How many there are of what Azure limits (SE-29, SEP-17, PLS-14). Which number is too many stands in `facts/service_limits.facts`.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::Index;
use crate::model::{Sym, ids};

/// So many of one thing at one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The name of the limit, as in `service_limit`.
    pub limit: &'static str,
    /// The type of resource that has the limit.
    pub kind: &'static str,
    /// The resource.
    pub resource: Sym,
    /// How many.
    pub count: u64,
}

const VNET: &str = "microsoft.network/virtualnetworks";
const SUBNET: &str = "microsoft.network/virtualnetworks/subnets";
const SUBSCRIPTION: &str = "microsoft.resources/subscriptions";
const SERVICE: &str = "microsoft.network/privatelinkservices";
const BALANCER: &str = "microsoft.network/loadbalancers";
const ENDPOINT: &str = "microsoft.network/privateendpoints";
const GROUP: &str = "microsoft.network/privateendpoints/privatednszonegroups";
const ZONE: &str = "microsoft.network/privatednszones";
const DEFINITION: &str = "microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions";

/// Every count that a limit exists for, in no order; where one resource has several under one name, the largest counts.
///
/// Each relation is read once: the work grows with the estate, not with its square.
pub fn counts(index: &Index) -> Vec<Count> {
    let mut out = Vec::new();
    firewalls(index, &mut out);
    private_endpoints(index, &mut out);
    private_link_services(index, &mut out);
    zones(index, &mut out);
    policies(index, &mut out);
    out
}

/// How often each resource is named.
fn tally(resources: impl Iterator<Item = Sym>) -> FxHashMap<Sym, u64> {
    let mut counts = FxHashMap::default();
    for resource in resources.filter(|resource| !resource.is_empty()) {
        *counts.entry(resource).or_default() += 1;
    }
    counts
}

/// How many different things each resource has.
fn distinct<T: std::hash::Hash + Eq>(pairs: impl Iterator<Item = (Sym, T)>) -> FxHashMap<Sym, u64> {
    let pairs: FxHashSet<(Sym, T)> = pairs.collect();
    tally(pairs.into_iter().map(|(resource, _)| resource))
}

fn put(out: &mut Vec<Count>, limit: &'static str, kind: &'static str, counts: FxHashMap<Sym, u64>) {
    out.extend(counts.into_iter().map(|(resource, count)| Count { limit, kind, resource, count }));
}

/// The resource types that limit the rules of their firewall; a type that is not here has no limit that is known.
const FIREWALLS: [&str; 8] = [
    "microsoft.cognitiveservices/accounts",
    "microsoft.containerregistry/registries",
    "microsoft.documentdb/databaseaccounts",
    "microsoft.eventhub/namespaces",
    "microsoft.keyvault/vaults",
    "microsoft.servicebus/namespaces",
    "microsoft.sql/servers",
    "microsoft.storage/storageaccounts",
];

/// Rules of stores (SE-29), and the places of stores that one network is tied to (L-091).
fn firewalls(index: &Index, out: &mut Vec<Count>) {
    let kind_of = |store: Sym| index.resource.one(store).and_then(|row| FIREWALLS.into_iter().find(|kind| row.kind.as_str() == *kind));
    let rules = [
        ("virtual-network-rules", distinct(index.store_subnet_rule.rows().map(|rule| (rule.store, rule.subnet)))),
        ("ip-rules", tally(index.store_ip_rule.rows().map(|rule| rule.store))),
    ];
    for (limit, counts) in rules {
        for (resource, count) in counts {
            if let Some(kind) = kind_of(resource) {
                out.push(Count { limit, kind, resource, count });
            }
        }
    }
    // By network and service: in how many subscriptions and regions stores admit a subnet of it.
    let mut tied: FxHashMap<Sym, FxHashMap<_, FxHashSet<(Sym, Sym)>>> = FxHashMap::default();
    for rule in index.store_subnet_rule.rows() {
        let (Some(store), Some(subnet)) = (index.store.one(rule.store), index.subnet.one(rule.subnet)) else { continue };
        let subscription = index.resource.one(rule.store).map_or(Sym::EMPTY, |row| row.subscription);
        tied.entry(subnet.vnet).or_default().entry(store.service).or_default().insert((subscription, store.location));
    }
    for (resource, services) in tied {
        let count = services.values().map(|places| places.len() as u64).max().unwrap_or(0);
        out.push(Count { limit: "store-places", kind: VNET, resource, count });
    }
}

fn private_endpoints(index: &Index, out: &mut Vec<Count>) {
    let vnet_of = |subnet: Sym| index.subnet.one(subnet).map_or(Sym::EMPTY, |row| row.vnet);
    let by_vnet = tally(index.private_endpoint.rows().map(|row| vnet_of(row.subnet)));
    let mut peered: FxHashMap<Sym, u64> = FxHashMap::default();
    for vnet in index.vnet.rows().map(|row| row.vnet) {
        let mut set: FxHashSet<Sym> = index.peerings_by_vnet.get(vnet).iter().map(|row| row.remote).collect();
        set.insert(vnet);
        peered.insert(vnet, set.iter().filter_map(|vnet| by_vnet.get(vnet)).sum());
    }
    put(out, "endpoints", VNET, by_vnet);
    put(out, "endpoints-of-peers", VNET, peered);
    let subscription = |id: Sym| index.resource.one(id).map_or("", |row| row.subscription.as_str());
    let subscriptions = index.private_endpoint.rows().map(|row| Sym::new(&format!("/subscriptions/{}", subscription(row.endpoint))));
    put(out, "endpoints", SUBSCRIPTION, tally(subscriptions));
}

fn private_link_services(index: &Index, out: &mut Vec<Count>) {
    let services: FxHashSet<Sym> = index.resources_by_kind.get(Sym::new(SERVICE)).iter().map(|row| row.id).collect();
    let own = index.private_endpoint_connection.rows().map(|row| (row.target, row.endpoint));
    let theirs = index.provider_connection.rows().map(|row| (row.target, row.endpoint));
    put(out, "endpoints", SERVICE, distinct(own.chain(theirs).filter(|(target, _)| services.contains(target))));
    let stated = |path: &'static str| {
        let rows = services.iter().flat_map(|service| index.properties.get(*service));
        rows.filter(move |row| row.path.as_str() == path)
    };
    let lists = [
        ("nat-addresses", "properties.ipConfigurations[].properties.subnet.id"),
        ("visible-subscriptions", "properties.visibility.subscriptions[]"),
        ("approved-subscriptions", "properties.autoApproval.subscriptions[]"),
    ];
    for (limit, path) in lists {
        put(out, limit, SERVICE, tally(stated(path).map(|row| row.resource)));
    }
    let frontends = stated("properties.loadBalancerFrontendIpConfigurations[].id");
    let balancers = frontends.filter_map(|row| Some((ids::parent_id(row.value.as_str()).map(Sym::new)?, row.resource)));
    put(out, "services", BALANCER, distinct(balancers));
    let subscription = |id: &Sym| index.resource.one(*id).map_or("", |row| row.subscription.as_str());
    put(out, "services", SUBSCRIPTION, tally(services.iter().map(|id| Sym::new(&format!("/subscriptions/{}", subscription(id))))));
}

/// Private DNS (L-093).
fn zones(index: &Index, out: &mut Vec<Count>) {
    let links = || index.zone_links_by_zone.rows();
    put(out, "zone-links", ZONE, tally(links().map(|row| row.zone)));
    put(out, "registration-links", ZONE, tally(links().filter(|row| row.registration).map(|row| row.zone)));
    put(out, "record-sets", ZONE, distinct(index.zone_record.rows().map(|row| (row.zone, row.record))));
    put(out, "zones", VNET, distinct(links().map(|row| (row.vnet, row.zone))));
    put(out, "registration-zones", VNET, distinct(links().filter(|row| row.registration).map(|row| (row.vnet, row.zone))));
    put(out, "zone-groups", ENDPOINT, distinct(index.zone_groups.rows().map(|row| (row.endpoint, row.group))));
    put(out, "zones", GROUP, distinct(index.zone_groups.rows().map(|row| (row.group, row.zone))));
}

/// Service endpoint policies (SEP-17).
fn policies(index: &Index, out: &mut Vec<Count>) {
    put(out, "policies", SUBNET, distinct(index.subnet_endpoint_policies.rows().map(|row| (row.subnet, row.policy))));
    let subscription = |id: Sym| index.resource.one(id).map_or("", |row| row.subscription.as_str());
    let subscriptions = index.endpoint_policy.rows().map(|row| Sym::new(&format!("/subscriptions/{}", subscription(row.policy))));
    put(out, "policies", SUBSCRIPTION, tally(subscriptions));
    let scopes = index.endpoint_policy_scopes.rows().filter(|row| !row.scope.is_empty());
    put(out, "resources", DEFINITION, distinct(scopes.map(|row| (row.definition, row.scope))));
}
