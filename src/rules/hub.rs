//! Virtual WAN: which prefixes a connected network learns from its hub, and where the hub sends a packet (VW-01 to VW-06).

use crate::facts::Index;
use crate::facts::gap::Resource;
use crate::facts::hub::{CONNECTIONS, HubConnection, PolicyKind};
use crate::model::{Prefix, Sym, Tri, ids};
use crate::rules::gateway::GatewayRoutes;

/// Where a hub sends a packet next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onward {
    /// The firewalls and the like on the way, in order.
    pub devices: Vec<Sym>,
    /// The network it ends in; empty for the internet.
    pub vnet: Sym,
    /// Whether that is certain.
    pub sure: Tri,
}

/// The table of a hub by which everybody sends who is not told another one.
const DEFAULT_TABLE: &str = "/hubroutetables/defaultroutetable";

/// The table of a hub that holds nothing.
const EMPTY_TABLE: &str = "/hubroutetables/noneroutetable";

/// Whether a table is the one that every hub has under the name.
fn is_called(table: Sym, name: &str) -> bool {
    table.as_str().ends_with(name)
}

/// The connections of all hubs of the WAN that `hub` belongs to.
fn wan_connections(index: &Index, hub: Sym) -> Vec<HubConnection> {
    let wan = index.virtual_hub.one(hub).map_or(Sym::EMPTY, |row| row.wan);
    let hubs = index.hubs_by_wan.get(wan).iter().map(|row| row.hub);
    let mut found: Vec<HubConnection> = hubs.flat_map(|hub| index.hub_connections.get(hub)).copied().collect();
    found.sort_by_key(|row| row.connection.as_str());
    found
}

/// Whether networks are joined in the WAN of the hub at all (VW-02).
fn joins_networks(index: &Index, hub: Sym) -> Tri {
    let wan = index.virtual_hub.one(hub).map_or(Sym::EMPTY, |row| row.wan);
    index.virtual_wan.one(wan).map_or(Tri::Maybe, |row| Tri::from_bool(row.standard))
}

/// Whether the prefixes of `other` are in the table: put there by name or by label; `default` labels every hub's default table (VW-02).
///
/// ```datalog
/// learns(C, D) :- hub_connection(C, _, _, _, T), hub_propagation(D, T).                          // hub.1
/// learns(C, D) :- hub_connection(C, _, _, _, T), hub_table_label(T, L), hub_label(D, L).         // hub.2
/// ```
fn is_in_table(index: &Index, other: &HubConnection, table: Sym) -> bool {
    let by_name = index.hub_propagations.get(other.connection).iter().any(|row| row.table == table);
    let is_default = is_called(table, DEFAULT_TABLE);
    let labelled =
        |label: Sym| index.hub_table_labels.get(table).iter().any(|row| row.label == label) || (is_default && label.as_str() == "default");
    by_name || index.hub_labels.get(other.connection).iter().any(|row| labelled(row.label))
}

/// Whether the input tells the static routes of a table: of the two that every hub has the one holds none, and the other is somewhere, so that a row of another
/// table says nothing of it (VW-03).
///
/// ```datalog
/// told(T) :- hub_table(T, _).                                                                    // hub.13
/// told(T) :- hub_connection(_, _, _, _, T), complete_type("microsoft.network/virtualhubs/hubroutetables"),
///            !resource(T, _, _, _, _, _, _).                                                     // hub.14
/// ```
///
/// The second is for default tables alone: one of another name that is not in the input is nobody's.
fn is_told(index: &Index, table: Sym) -> bool {
    let all = || index.complete_type.has(Sym::new("microsoft.network/virtualhubs/hubroutetables"));
    // One that is there and says nothing is not one without routes.
    let silent = || index.resource.has(table);
    index.hub_table.has(table) || is_called(table, EMPTY_TABLE) || is_called(table, DEFAULT_TABLE) && !silent() && all()
}

/// A hub of which nobody exported which networks are connected to it: any may be. The first by id; empty: there is none.
///
/// ```datalog
/// unlisted_hub(H) :- virtual_hub(H, _), !hub_connection(_, _, _, _, _).                           // hub.5
/// ```
pub fn unlisted(index: &Index) -> Sym {
    if !index.hub_connection.is_empty() || index.tells_of(Sym::new("microsoft.network/virtualhubs/hubvirtualnetworkconnections")) {
        return Sym::EMPTY;
    }
    index.virtual_hub.rows().map(|row| row.hub).min_by_key(|hub| hub.as_str()).unwrap_or_default()
}

/// What changes the routes of the hub's WAN and is not modelled: it drops, replaces and adds any (VW-06).
///
/// ```datalog
/// changes(R, W) :- virtual_hub(H, W), hub_doubt(R, H).                                           // hub.11
/// ```
fn changes(index: &Index, hub: Sym) -> impl Iterator<Item = Sym> {
    let wan = index.virtual_hub.one(hub).map_or(Sym::EMPTY, |row| row.wan);
    let hubs = index.hubs_by_wan.get(wan).iter();
    hubs.flat_map(|row| index.hub_doubts.get(row.hub)).map(|row| row.resource)
}

/// Whether the hub surely learns of a connection, and tells it, what the rest of the input says: not where the connection has something that is not modelled
/// (VW-06).
///
/// ```datalog
/// changed(C) :- hub_connection(C, H, _, _, _), hub_doubt(C, H).                                  // hub.12
/// ```
fn unchanged(index: &Index, connection: &HubConnection) -> Tri {
    let changed = index.hub_doubts.get(connection.hub).iter().any(|row| row.resource == connection.connection);
    if changed { Tri::Maybe } else { Tri::Yes }
}

/// The gateways of a WAN for sites, circuits and clients, whose routes nobody exported: each but one that says that it has no connections. One that stands in
/// no hub of the input may stand in any (SND-04).
///
/// ```datalog
/// connected(B)   :- hub_branch(B, _), child_type(B, K), resource(C, K, _, _, _, _, _), parent_of(C, B).     // hub.15
/// unconnected(B) :- hub_branch(B, _), child_type(B, _), !connected(B).                                      // hub.16
/// branch(B, W)   :- virtual_hub(H, W), hub_branch(B, H), !unconnected(B).                                   // hub.17
/// branch(B, W)   :- virtual_hub(_, W), hub_branch(B, H), !virtual_hub(H, _), !unconnected(B).               // hub.18
/// ```
fn branches(index: &Index, wan: Sym) -> impl Iterator<Item = Sym> {
    let here = index.hubs_by_wan.get(wan).iter().flat_map(|row| index.hub_branches.get(row.hub));
    let perhaps_here = index.hub_branches.rows().filter(|row| !index.virtual_hub.has(row.hub));
    here.chain(perhaps_here).map(|row| row.branch).filter(|branch| !is_unconnected(index, *branch))
}

fn is_unconnected(index: &Index, branch: Sym) -> bool {
    let connects = |row: &Resource| ids::parent_id(row.id.as_str()) == Some(branch.as_str());
    let lists = index.child_type.get(branch).iter().filter(|list| CONNECTIONS.iter().any(|(_, kind)| *kind == list.kind.as_str()));
    lists.into_iter().any(|list| !index.resources_by_kind.get(list.kind).iter().any(connects))
}

/// What nobody can tell of the routes of a hub's WAN: something that is not modelled (VW-06). Empty: nothing.
fn doubt(index: &Index, hub: Sym) -> Sym {
    let wan = index.virtual_hub.one(hub).map_or(Sym::EMPTY, |row| row.wan);
    let mut found: Vec<Sym> = branches(index, wan).chain(changes(index, hub)).collect();
    let connections = index.hubs_by_wan.get(wan).iter().flat_map(|row| index.hub_connections.get(row.hub));
    found.extend(connections.filter(|row| !is_told(index, row.table)).map(|row| row.connection));
    // A hub that is not in the input may be one of the same WAN.
    found.extend(index.hub_connection.rows().map(|row| row.hub).filter(|hub| !index.virtual_hub.has(*hub)));
    Sym::sort(&mut found);
    found.first().copied().unwrap_or_default()
}

/// What stands in a hub, by either side's word.
///
/// ```datalog
/// stands_in(H, D) :- hub_guard(H, D).                                                            // hub.6
/// stands_in(H, D) :- azure_firewall(D, H, _, _).                                                 // hub.7
/// ```
fn guards(index: &Index, hub: Sym) -> impl Iterator<Item = Sym> {
    let named = index.hub_guards.get(hub).iter().map(|row| row.device);
    named.chain(index.azure_firewalls_by_hub.get(hub).iter().map(|row| row.firewall))
}

/// What the intent of a hub sends traffic of the kind through, and whether it surely does: a policy that does not say for which traffic it is may be for
/// this one, and where no intent was exported one may lead through anything that stands in the hub. Of what is not sure it is one or none.
///
/// ```datalog
/// sends_through(H, K, D) :- hub_policy(H, K, D).                                                 // hub.8
/// may_send_through(H, D) :- hub_policy(H, "unknown", D).                                         // hub.9
/// may_send_through(H, D) :- stands_in(H, D), !hub_policy(_, _, _).                               // hub.10
/// ```
fn policies(index: &Index, hub: Sym, kind: PolicyKind) -> Vec<(Sym, Tri)> {
    let of = |kind| index.hub_policies.get(hub).iter().filter(move |row| row.kind == kind).map(|row| row.next);
    if let Some(next) = of(kind).min_by_key(|next| next.as_str()) {
        return vec![(next, Tri::Yes)];
    }
    let mut perhaps: Vec<Sym> = of(PolicyKind::Unknown).collect();
    let exported = || !index.hub_policies.is_empty() || index.tells_of(Sym::new("microsoft.network/virtualhubs/routingintent"));
    if perhaps.is_empty() && !exported() {
        perhaps = guards(index, hub).collect();
    }
    Sym::sort(&mut perhaps);
    perhaps.dedup();
    perhaps.into_iter().map(|next| (next, Tri::Maybe)).collect()
}

fn is_everything(prefix: &Prefix) -> bool {
    prefix.prefix_len() == 0
}

/// What hubs give a network connected to them: gateway routes, all of which lead to the hub (VW-01).
pub fn offered(index: &Index, vnet: Sym) -> GatewayRoutes {
    let mut out = GatewayRoutes::default();
    let hub = unlisted(index);
    if !hub.is_empty() {
        (out.as_next_hop, out.unknown_routes) = (Tri::Maybe, hub);
    }
    for mine in index.hub_connections_by_vnet.get(vnet) {
        let hub = mine.hub;
        out.as_next_hop = Tri::Maybe;
        if !index.virtual_hub.has(hub) {
            out.unknown_routes = hub; // not in the input
            continue;
        }
        let joined = joins_networks(index, hub);
        let told = unchanged(index, mine);
        for other in wan_connections(index, hub).iter().filter(|other| other.vnet != vnet && joined.hi()) {
            if is_in_table(index, other, mine.table) {
                let sure = joined.and(told).and(unchanged(index, other));
                out.routes.extend(index.vnet_prefixes.get(other.vnet).iter().map(|row| (row.prefix, hub, sure)));
                if !index.vnet.has(other.vnet) || !index.vnet_prefixes.has(other.vnet) {
                    out.unknown_routes = other.connection;
                }
            }
        }
        // A default route goes to those connections only that ask for it (VW-04).
        let fixed = index.hub_routes.get(mine.table).iter().filter(|row| mine.internet || !is_everything(&row.prefix));
        out.routes.extend(fixed.map(|row| (row.prefix, hub, told)));
        let through = policies(index, hub, PolicyKind::Internet).into_iter().filter(|_| mine.internet);
        out.routes.extend(through.map(|(_, sure)| ("0.0.0.0/0".parse().expect("a literal prefix"), hub, told.and(sure))));
        let doubt = doubt(index, hub);
        if !doubt.is_empty() {
            out.unknown_routes = doubt;
        }
    }
    // A hub tells a network nothing that is equal to or inside its own space (VW-01).
    let own = index.vnet_prefixes.get(vnet);
    out.routes.retain(|(prefix, _, _)| !own.iter().any(|row| row.prefix.contains(prefix)));
    // Of what is said twice of one prefix the better counts.
    out.routes.sort_unstable_by_key(|(prefix, hub, sure)| (*prefix, *hub, std::cmp::Reverse(*sure)));
    out.routes.dedup_by_key(|(prefix, hub, _)| (*prefix, *hub));
    out
}

/// Where the hub sends what `vnet` sends to an address, of which `holds` says whether a prefix has it; the choices, sorted. What perhaps has it perhaps takes it.
pub fn onward(index: &Index, vnet: Sym, hub: Sym, holds: &dyn Fn(&Prefix) -> Tri) -> Vec<Onward> {
    let mine = index.hub_connections.get(hub).iter().filter(|row| row.vnet == vnet).min_by_key(|row| row.connection.as_str());
    let Some(mine) = mine else { return Vec::new() };
    let joined = joins_networks(index, hub);
    // A static route of a table that is not told may take anything, and so may a longer route that something else of the WAN announces.
    let elsewhere = changes(index, hub).chain(Some(mine.table).filter(|table| !is_told(index, *table))).min_by_key(|found| found.as_str());
    let (mut perhaps, mut learned): (Vec<Onward>, Vec<(u8, HubConnection)>) = (Vec::new(), Vec::new());
    for other in wan_connections(index, hub).into_iter().filter(|other| other.vnet != vnet && joined.hi()) {
        if is_in_table(index, &other, mine.table) {
            let held = |with| index.vnet_prefixes.get(other.vnet).iter().map(|row| row.prefix).filter(move |prefix| holds(prefix) == with);
            learned.extend(held(Tri::Yes).map(|prefix| prefix.prefix_len()).max().map(|length| (length, other)));
            perhaps.extend(held(Tri::Maybe).next().map(|_| Onward { devices: Vec::new(), vnet: other.vnet, sure: Tri::Maybe }));
        }
    }
    let best = learned.iter().map(|(length, _)| *length).max();
    learned.retain(|(length, _)| Some(*length) == best);
    let routes = |with| index.hub_routes.get(mine.table).iter().filter(move |row| holds(&row.prefix) == with);
    perhaps.extend(routes(Tri::Maybe).map(|row| Onward { devices: vec![row.next], vnet: Sym::EMPTY, sure: Tri::Maybe }));
    let told = if elsewhere.is_none() && perhaps.is_empty() { Tri::Yes } else { Tri::Maybe };
    let fixed = routes(Tri::Yes).max_by_key(|row| (row.prefix.prefix_len(), std::cmp::Reverse(row.next.as_str())));
    let ambiguous = learned.len() > 1;
    let mut out = Vec::new();
    for (length, other) in &learned {
        // A static route wins over a learned one with the same prefix (VW-03).
        let before = fixed.filter(|row| row.prefix.prefix_len() >= *length).map(|row| row.next);
        let mut ways: Vec<(Vec<Sym>, Tri)> = vec![(before.into_iter().collect(), Tri::Yes)];
        let hubs = if other.hub == hub { vec![hub] } else { vec![hub, other.hub] };
        for through in hubs.into_iter().map(|hub| policies(index, hub, PolicyKind::Private)) {
            let past = |(devices, known): &(Vec<Sym>, Tri), (next, sure): &(Sym, Tri)| {
                let devices = [devices.as_slice(), &[*next]].concat();
                (devices, known.and(*sure))
            };
            let mut all: Vec<(Vec<Sym>, Tri)> = through.iter().flat_map(|next| ways.iter().map(move |way| past(way, next))).collect();
            let around = if through.is_empty() { Tri::Yes } else { Tri::Maybe };
            if !through.iter().any(|(_, sure)| sure.lo()) {
                all.extend(ways.into_iter().map(|(devices, known)| (devices, known.and(around))));
            }
            ways = all;
        }
        ways.extend(elsewhere.map(|other| (vec![other], Tri::Maybe)));
        let sure = joined.and(told).and(if ambiguous { Tri::Maybe } else { Tri::Yes });
        out.extend(ways.into_iter().map(|(mut devices, known)| {
            devices.dedup();
            Onward { devices, vnet: other.vnet, sure: sure.and(known) }
        }));
    }
    if out.is_empty() {
        let default = mine.internet && holds(&"0.0.0.0/0".parse().expect("a literal prefix")).lo();
        let next = match fixed {
            Some(row) => vec![(row.next, Tri::Yes)],
            None if default => policies(index, hub, PolicyKind::Internet),
            None => Vec::new(),
        };
        let next = if next.is_empty() { next } else { next.into_iter().chain(elsewhere.map(|other| (other, Tri::Maybe))).collect() };
        out.extend(next.into_iter().map(|(device, sure)| Onward { devices: vec![device], vnet: Sym::EMPTY, sure: sure.and(told) }));
    }
    out.extend(perhaps);
    out.sort_by_key(|onward| onward.vnet.as_str());
    out
}
