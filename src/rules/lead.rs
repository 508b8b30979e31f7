//! Which private endpoint connections lead to a sub-resource, and how surely: what one view leaves out another may tell (PE-02, PE-11, M-03).

use rustc_hash::FxHashSet;

use crate::facts::Index;
use crate::facts::private_access::{Consent, PrivateEndpointConnection, ProviderConnection};
use crate::model::{Sym, Tri};
use crate::rules::private_endpoint::{anchors, group, only_group};
use crate::rules::private_link;

/// A connection that leads, or may lead, to the sub-resource that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    /// The connection, with the sub-resource that it is for; of one that only the provider lists, the provider's view.
    pub connection: PrivateEndpointConnection,
    /// Whether it is surely for that sub-resource.
    pub certain: bool,
}

/// The connections that lead, or may lead, to the sub-resource `wanted` of `target`, in the order of their ids (PE-01, PE-03): those of endpoints of the
/// input, and those that only the provider lists, whose endpoints were not exported (PE-37).
///
/// ```datalog
/// leads_to(E, T, G) :- private_endpoint_connection(_, E, T, G, _, _, _), G != "".                                // pe.1
/// unseen(E, T) :- provider_connection(_, T, E, _, _), !private_endpoint_connection(_, E, _, _, _, _, _).         // pe.6
/// ```
pub fn leads(index: &Index, target: Sym, wanted: Sym) -> Vec<Lead> {
    let mut found: Vec<Lead> = Vec::new();
    for (at, of) in anchors(target, wanted) {
        for row in index.private_endpoint_connections_by_target.get(at) {
            let fitting = groups(index, row).into_iter().filter(|(named, certain)| *named == of || named.is_empty() && !certain);
            found.extend(fitting.map(|(_, certain)| Lead { connection: PrivateEndpointConnection { group: of, ..*row }, certain }));
        }
        let alone = at == target && only_group(index, target, wanted);
        for row in unseen(index, at) {
            let fits = listed_for(index, row, of, alone);
            if fits.hi() {
                // An endpoint that is there and does not list the connection says something else.
                found.push(Lead { connection: as_listed(row, of), certain: fits.lo() && !index.private_endpoint.has(row.endpoint) });
            }
        }
    }
    found.sort_by_key(|lead| (lead.connection.endpoint.as_str(), lead.connection.connection.as_str()));
    found
}

/// The connections of a private endpoint with the sub-resources that they are for, in the order of their ids. Where no view tells one it may be any of the
/// target's; the empty one where nobody knows which those are.
pub fn of_endpoint(index: &Index, endpoint: Sym) -> Vec<Lead> {
    let mut found: Vec<Lead> = Vec::new();
    for row in index.private_endpoint_connections.get(endpoint) {
        let mut named = groups(index, row);
        let parts = index.store_parts.get(row.target);
        if named == [(Sym::EMPTY, false)] && !parts.is_empty() {
            named = parts.iter().map(|part| (group(part.part, part.instance), false)).collect();
        }
        let lead = |(group, certain)| Lead { connection: PrivateEndpointConnection { group, ..*row }, certain };
        found.extend(named.into_iter().map(lead));
    }
    found.sort_by_key(|lead| (lead.connection.connection.as_str(), lead.connection.group.as_str()));
    found.dedup();
    found
}

/// The connections that `target` lists of endpoints that the input does not hold.
pub fn unseen(index: &Index, target: Sym) -> impl Iterator<Item = &ProviderConnection> {
    let rows = index.provider_connections_by_target.get(target).iter();
    rows.filter(|row| is_unseen(index, row.endpoint))
}

/// The private endpoints that are there and of which nobody says what they are connected to, in the order of their ids (PE-01, M-03): one that was exported
/// without its connection or the target of that, and one of which the input has the interface alone.
pub fn nameless(index: &Index) -> Vec<Sym> {
    let there = index.private_endpoint.rows().map(|row| row.endpoint).chain(index.private_endpoint_nics.rows().map(|row| row.endpoint));
    let closed = |row: &PrivateEndpointConnection| matches!(row.state, Consent::Rejected | Consent::Disconnected);
    let listed: FxHashSet<Sym> = index.provider_connection.rows().map(|row| row.endpoint).collect();
    let mut found: Vec<Sym> = there
        .filter(|endpoint| match index.private_endpoint_connections.get(*endpoint) {
            [] => !listed.contains(endpoint),
            rows => rows.iter().any(|row| row.target.is_empty() && !closed(row)),
        })
        .collect();
    Sym::sort(&mut found);
    found.dedup();
    found
}

/// Whether the input has no connection of the private endpoint's own.
pub fn is_unseen(index: &Index, endpoint: Sym) -> bool {
    endpoint.is_empty() || !index.private_endpoint_connections.has(endpoint)
}

/// Whether a connection of which only the provider's view is known is for the sub-resource `group`; `alone` says that the target has no other.
pub fn listed_for(index: &Index, row: &ProviderConnection, group: Sym, alone: bool) -> Tri {
    let named: Vec<Sym> = index.provider_connection_groups.get(row.connection).iter().map(|row| row.group).collect();
    match () {
        () if !named.is_empty() && !named.contains(&group) => Tri::No,
        () if alone || named == [group] => Tri::Yes,
        () => Tri::Maybe,
    }
}

fn as_listed(row: &ProviderConnection, group: Sym) -> PrivateEndpointConnection {
    PrivateEndpointConnection {
        connection: row.connection,
        endpoint: row.endpoint,
        target: row.target,
        group,
        manual: false,
        state: row.state,
        settled: row.settled,
    }
}

/// The sub-resources that a connection is for, and whether surely: what it says itself, unless the provider's list says another; else what the other views of
/// it say, the interface, the addresses asked for and the provider's list (PE-02, PE-06, PE-11). The empty one where nobody tells, surely only for a Private
/// Link service, which has none.
pub fn groups(index: &Index, row: &PrivateEndpointConnection) -> Vec<(Sym, bool)> {
    if has_none(index, row.target) {
        return vec![(row.group, true)];
    }
    if !row.group.is_empty() {
        let others = listed_groups(index, row);
        if others.is_empty() || others.contains(&row.group) {
            return vec![(row.group, true)];
        }
        return std::iter::once(row.group).chain(others).map(|group| (group, false)).collect();
    }
    let mut named: Vec<Sym> = Vec::new();
    for nic in index.private_endpoint_nics.get(row.endpoint) {
        let configs = index.ip_configs_by_nic.get(nic.nic).iter();
        named.extend(configs.flat_map(|config| index.ip_config_links.get(config.ip_config)).map(|link| link.group));
    }
    named.extend(index.private_endpoint_addresses.get(row.endpoint).iter().map(|address| address.group));
    named.extend(listed_groups(index, row));
    named.retain(|group| !group.is_empty());
    Sym::sort(&mut named);
    named.dedup();
    // Of several connections nobody tells which one an address is for.
    let alone = index.private_endpoint_connections.get(row.endpoint).iter().all(|other| other.connection == row.connection);
    match named.len() {
        0 => vec![(Sym::EMPTY, false)],
        1 => vec![(named[0], alone)],
        _ => named.into_iter().map(|group| (group, false)).collect(),
    }
}

/// The sub-resources that the provider lists the connections of an endpoint for, sorted.
fn listed_groups(index: &Index, row: &PrivateEndpointConnection) -> Vec<Sym> {
    let listed = index.provider_connections_by_target.get(private_link::target(index, row.target)).iter();
    let listed = listed.filter(|listed| listed.endpoint == row.endpoint);
    let mut named: Vec<Sym> =
        listed.flat_map(|listed| index.provider_connection_groups.get(listed.connection)).map(|named| named.group).collect();
    Sym::sort(&mut named);
    named.dedup();
    named
}

/// Whether a connection of an endpoint's own names a sub-resource: where it is not surely for that one, the provider names another.
pub fn is_contested(index: &Index, connection: &PrivateEndpointConnection) -> bool {
    let mut own = index.private_endpoint_connections.get(connection.endpoint).iter();
    own.any(|own| own.connection == connection.connection && !own.group.is_empty())
}

/// Whether what a connection names has no sub-resources: a Private Link service, by its id or its alias.
fn has_none(index: &Index, target: Sym) -> bool {
    let id = target.as_str();
    !index.store.has(target) && (!id.contains('/') || id.contains("/microsoft.network/privatelinkservices/"))
        || private_link::service(index, target).is_some()
}
