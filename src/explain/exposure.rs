//! Who outside can pull data out of a store by itself (R-06, X-13).

use crate::explain::world::World;
use crate::facts::Index;
use crate::facts::private_access::Consent;
use crate::facts::store_facts::{Instance, PublicAccess, Service, StoreResourceRule};
use crate::model::{Sym, Tri, ids};
use crate::rules::paas_firewall::{self, Item, Origin, Source};
use crate::rules::{consent, lead, perimeter, private_endpoint};

/// A stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exposed {
    /// Somebody on the internet.
    Internet,
    /// A machine of any tenant in Azure.
    AnyAzure,
    /// A machine of any tenant in the storage account's own region.
    AnyAzureSameRegion,
    /// A subnet outside the boundary that a rule names.
    ForeignSubnet(Sym),
    /// A private endpoint outside the boundary, by the id its connection names.
    ForeignEndpoint(Sym),
    /// A resource outside the boundary that a resource instance rule names; or a subscription or perimeter that the store's perimeter lets in.
    ForeignResource(Sym),
    /// The services that Azure trusts.
    Trusted,
}

/// One stranger, whether it is let in, and the item that decides; never a sure no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Who.
    pub who: Exposed,
    /// Whether.
    pub admitted: Tri,
    /// What of the firewall decides; `None` for a private endpoint, which no firewall stops.
    pub item: Option<Item>,
}

/// Whom the part `part` of `store` lets in from outside the trust boundary (X-01), in a fixed order.
///
/// ```datalog
/// exposed(S, P, "internet", "proven") :- store_access(S, _, "yes", _, _, _), store_part(S, P, _, _, _), !closed(S). // exposure.1
/// exposed(S, P, E, "proven") :- provider_connection(_, S, E, "approved", true), store_part(S, P, _, _, _), !inside(E). // exposure.2
/// ```
pub fn exposure(world: &World<'_>, store: Sym, part: Sym) -> Vec<Exposure> {
    let index = world.index;
    let inside = |id: Sym| world.inside(id);
    let Some(guard) = world.guard(store, part) else { return Vec::new() };
    let firewall = &guard.firewall;
    let mut found = Vec::new();
    let mut add = |who: Exposed, admitted: Tri, item: Option<Item>| {
        let admitted = match who {
            Exposed::ForeignEndpoint(Sym::EMPTY) => admitted.min(Tri::Maybe),
            // Who is not in the input is perhaps one of ours.
            // A subnet without a service endpoint matches nothing until its owner switches one on (FW-07).
            Exposed::ForeignSubnet(id) if index.subnet.has(id) && index.service_endpoints.get(id).is_empty() => admitted.min(Tri::Maybe),
            // Of a subnet that its network has no longer the rule does not count, nor of one that was made again since (SE-25).
            Exposed::ForeignSubnet(id) if is_gone(index, id) => admitted.min(Tri::Maybe).min(world.outside(id)),
            Exposed::ForeignSubnet(id) | Exposed::ForeignEndpoint(id) | Exposed::ForeignResource(id) => admitted.min(world.outside(id)),
            Exposed::Internet | Exposed::AnyAzure | Exposed::AnyAzureSameRegion | Exposed::Trusted => admitted,
        };
        if admitted.hi() {
            found.push(Exposure { who, admitted, item });
        }
    };
    let mut ask = |who: Exposed, source: Source| {
        // Strangers come from nowhere in particular: whom a perimeter admits by its identity is looked at below.
        match perimeter::admit(index, world.platform, firewall, &source, Sym::EMPTY) {
            None => {
                let decision = guard.admit(&source);
                add(who, decision.admitted, Some(decision.item));
            }
            Some(decision) => {
                let item = if let perimeter::By::Own(own) = decision.by { own.item } else { Item::Perimeter };
                add(who, decision.admitted, Some(item));
            }
        }
    };

    let except = world.estate_addresses();
    ask(Exposed::Internet, Source::AnyPublic { except: except.clone(), origin: Origin::Internet });
    ask(Exposed::AnyAzure, Source::AnyPublic { except, origin: Origin::Azure });
    if firewall.store.service == Service::Storage {
        ask(Exposed::AnyAzureSameRegion, Source::SameRegionAzure);
    }

    let named = firewall.subnet_rules.iter().map(|rule| rule.subnet).chain(firewall.listed.iter().map(|rule| rule.rule.subnet));
    let mut subnets: Vec<Sym> = named.filter(|&subnet| !subnet.is_empty() && subnet.as_str() != "*" && !inside(subnet)).collect();
    Sym::sort(&mut subnets);
    subnets.dedup();
    for subnet in subnets {
        // Its owner can switch the service endpoint on; only a storage or vault rule admits another tenant's (SE-20).
        let tenant = index.resource.one(subnet).map_or(Sym::EMPTY, |r| r.tenant);
        let vnet = index.subnet.one(subnet).map_or(Sym::EMPTY, |s| s.vnet);
        ask(Exposed::ForeignSubnet(subnet), Source::ServiceEndpoint { subnet, vnet, tenant });
    }

    for (who, admitted) in foreign_endpoints(world, store, part) {
        add(Exposed::ForeignEndpoint(who), admitted, None);
    }

    let locked = firewall.access.is_none_or(|access| access.public == PublicAccess::SecuredByPerimeter);
    let mut resources: Vec<Sym> = firewall.resource_rules.iter().map(|rule| rule.resource).filter(|&id| !inside(id)).collect();
    Sym::sort(&mut resources);
    resources.dedup();
    let unsure = firewall.perimeter || firewall.access.is_some_and(|access| access.public == PublicAccess::Unknown);
    let alone = if unsure { Tri::Maybe } else { Tri::from_bool(!locked) };
    let passes = perimeter::passes_bypass(firewall, index).unwrap_or(alone);
    for resource in resources {
        // Of a rule that does not say whom it names nobody knows whether that is one of ours.
        let passes = if resource.is_empty() { passes.min(Tri::Maybe) } else { passes };
        let of_resource = firewall.resource_rules.iter().filter(|rule| rule.resource == resource);
        let passes = passes.min(of_resource.map(|rule| of_named_tenant(index, rule)).max().unwrap_or(Tri::No));
        add(Exposed::ForeignResource(resource), passes, Some(Item::Resource { resource }));
    }
    for (who, admitted) in perimeter::named(index, &inside, store) {
        add(Exposed::ForeignResource(who), admitted, Some(Item::Perimeter));
    }
    let bypass = firewall.access.is_some_and(|access| access.trusted) || firewall.rule_set.is_some_and(|set| set.trusted);
    if bypass && firewall.store.service != Service::Sql {
        add(Exposed::Trusted, passes.and(beyond_the_switch(firewall)), Some(Item::Trusted));
    }
    found
}

/// Whether the input holds the network of a subnet, and not the subnet.
pub fn is_gone(index: &Index, subnet: Sym) -> bool {
    let vnet = ids::parent_id(subnet.as_str()).map(Sym::new);
    !index.subnet.has(subnet) && vnet.is_some_and(|vnet| index.vnet.has(vnet))
}

/// Whether what a rule for a resource instance names is of the tenant that it names (ST-09): of what is not in the input the rule itself says it.
pub fn of_named_tenant(index: &Index, rule: &StoreResourceRule) -> Tri {
    match (rule.tenant, index.resource.one(rule.resource).map(|row| row.tenant)) {
        (Sym::EMPTY, _) | (_, Some(Sym::EMPTY)) => Tri::Maybe,
        (_, None) => Tri::Yes,
        (named, Some(told)) => Tri::from_bool(named == told),
    }
}

/// Whether the bypass counts: that of a vault, of storage and of a registry beats a closed switch (ST-08, KV-02, ACR-02), that of the others does not (MSG-02).
fn beyond_the_switch(firewall: &paas_firewall::Firewall<'_>) -> Tri {
    let switches = firewall.access.iter().map(|access| access.public).chain(firewall.rule_set.iter().map(|set| set.public));
    match firewall.store.service {
        Service::Storage | Service::KeyVault | Service::Acr => Tri::Yes,
        _ => Tri::from_bool(!switches.into_iter().any(|public| public == PublicAccess::Disabled)),
    }
}

/// The private endpoints outside the boundary whose connection may carry traffic (PE-37), in the order of their ids; a pending one is only latent (X-15). The
/// empty id stands for whoever is connected without the input telling of it (M-03).
fn foreign_endpoints(world: &World<'_>, store: Sym, part: Sym) -> Vec<(Sym, Tri)> {
    let each = connections(world, store, part).into_iter();
    let mut found: Vec<(Sym, Tri)> = each.map(|(endpoint, agreed, fits)| (endpoint, agreed.min(fits))).collect();
    found.sort_by_key(|(endpoint, admitted)| (endpoint.as_str(), std::cmp::Reverse(*admitted)));
    found.dedup_by_key(|(endpoint, _)| *endpoint);
    found
}

/// Whether a private endpoint outside the boundary is for the part, whatever became of its connection.
pub fn for_part(world: &World<'_>, store: Sym, part: Sym, endpoint: Sym) -> Tri {
    let of_it = connections(world, store, part).into_iter().filter(|(of, ..)| *of == endpoint);
    of_it.map(|(_, _, fits)| fits).max().unwrap_or(Tri::No)
}

/// The connections of private endpoints outside the boundary: the endpoint, whether its connection carries traffic, and whether it is for the part.
fn connections(world: &World<'_>, store: Sym, part: Sym) -> Vec<(Sym, Tri, Tri)> {
    let index = world.index;
    let mut found: Vec<(Sym, Tri, Tri)> = Vec::new();
    let [group, second] = [Instance::Primary, Instance::Secondary].map(|instance| private_endpoint::group(part, instance));
    let only_part = private_endpoint::only_group(index, store, group);
    for (at, group) in private_endpoint::anchors(store, group) {
        for connection in index.private_endpoint_connections_by_target.get(at).iter().filter(|row| !world.inside(row.endpoint)) {
            // What it does not say itself its other views may (PE-02, PE-03).
            let fits = |(named, certain): (Sym, bool)| match named {
                named if named == group || named == second => Tri::from_bool(certain).max(Tri::Maybe),
                Sym::EMPTY if !certain => Tri::Maybe,
                _ => Tri::No,
            };
            let fits = lead::groups(index, connection).into_iter().map(fits).max().unwrap_or(Tri::No);
            found.push((connection.endpoint, consent::of(index, connection).admitted, fits));
        }
        for connection in index.provider_connections_by_target.get(at) {
            let seen = index.private_endpoint_connections.get(connection.endpoint).iter().any(|c| c.target == at);
            if seen || world.inside(connection.endpoint) {
                continue;
            }
            // Which sub-resource it is for stands in the list, else on its other end, which nobody exported.
            let fits = lead::listed_for(index, connection, group, only_part && at == store);
            let fits = if at == store { fits.max(lead::listed_for(index, connection, second, false)) } else { fits };
            let agreed = match (connection.state, connection.settled) {
                (Consent::Approved, true) => Tri::Yes,
                (Consent::Approved | Consent::Unknown, _) | (_, false) => Tri::Maybe,
                (_, true) => Tri::No,
            };
            found.push((connection.endpoint, agreed, fits));
        }
        if consent::may_have_others(index, at) {
            found.push((Sym::EMPTY, Tri::Maybe, Tri::Maybe));
        }
    }
    found
}
