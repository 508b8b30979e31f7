//! What stores move by themselves, with no machine in between: the features of a SQL server, the replication of objects, and what settings send (X-23 to
//!

use crate::engine::edges::{Edge, doubted, either};
use crate::explain::way::End;
use crate::explain::world::World;
use crate::facts::channels::{DeclaredCopy, ObjectReplication};
use crate::facts::store_facts::Service;
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Sym, Tri, Via, ids};
use crate::rules::perimeter;

/// The part of an account whose objects are replicated.
const REPLICATED: &str = "blob";

/// What is in doubt of a policy that is perhaps not in force, and of a setting.
const REPLICATION: &str = "whether the replication of its objects runs is not known";
const SETTING: &str = "whether the setting is in force is not known";

/// The standing copy of what is written to `source`, where it ends at `to`: an account of the input, or any outside. No firewall stops it.
pub(super) fn replicated(world: &World<'_>, source: Sym, part: Sym, to: End) -> Option<Edge> {
    if part.as_str() != REPLICATED {
        return None;
    }
    let mut rows: Vec<ObjectReplication> =
        world.index.object_replication.rows().filter(|row| account(world, row.source) == source).copied().collect();
    rows.sort_by_key(|row| row.policy.as_str());
    let ends_there = |row: &ObjectReplication| {
        let destination = account(world, row.destination);
        match to {
            End::Store(store, part, _) => store == destination && part.as_str() == REPLICATED,
            End::External(Service::Storage) => !world.index.store.has(destination) || !world.inside(destination),
            _ => false,
        }
    };
    let each = rows.into_iter().filter(ends_there).map(|row| (row, runs(world, &row)));
    let (row, runs) = each.max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.policy.as_str().cmp(a.policy.as_str())))?;
    runs.hi().then(|| sent(row.policy, runs.lo(), REPLICATION))
}

/// What a setting of the store sends to `to` by itself: surely where that is outside, and where it is inside as far as its firewall lets the
/// sender in, as `flow` from the first end to the second tells.
pub(super) fn declared(world: &World<'_>, from: End, to: End, flow: &dyn Fn(End, End) -> Option<Edge>) -> Option<Edge> {
    let End::Store(source, ..) = from else { return None };
    let mut rows: Vec<DeclaredCopy> = world.index.declared_copies.get(source).to_vec();
    rows.retain(|row| !world.index.store_export_off.has(row.source));
    rows.sort_by_key(|row| row.setting.as_str());
    let mut best = None;
    for row in rows {
        let destination = account(world, row.destination);
        let outside = !world.index.store.has(destination) || !world.inside(destination);
        let by_itself = || sent(row.setting, row.in_force.lo(), SETTING);
        let edge = match to {
            End::External(service) if outside => (service_of(world, destination) == Some(service)).then(by_itself),
            End::Unmodelled(sink) if sink == destination => Some(by_itself()),
            End::Store(store, part, _) if store == destination && outside && receives(part) => Some(by_itself()),
            End::Store(store, part, _) if store == destination && receives(part) => {
                // The capture calls in the name of its namespace, anything else in its own.
                let capture = world.index.store.one(source).is_some_and(|row| row.service == Service::EventHub);
                let sender = if capture && !row.setting.as_str().contains("/providers/microsoft.insights/") {
                    from
                } else {
                    End::Unmodelled(row.setting)
                };
                flow(sender, to)
                    .map(|edge| if row.in_force.lo() { edge } else { doubted(edge, "W-MISSING", row.setting, SETTING.to_owned()) })
            }
            _ => None,
        };
        best = either(best, edge);
    }
    best
}

/// Where settings send to that is outside and no store of a service that is told apart: sinks of their own.
pub(super) fn declared_sinks(world: &World<'_>) -> Vec<End> {
    let ours = |row: &&DeclaredCopy| world.index.store.has(row.source) && world.inside(row.source);
    let elsewhere = |id: Sym| !world.index.store.has(id) && !world.inside(id) && service_of(world, id).is_none();
    let mut sinks: Vec<Sym> =
        world.index.declared_copies.rows().filter(ours).map(|row| row.destination).filter(|id| elsewhere(*id)).collect();
    Sym::sort(&mut sinks);
    sinks.dedup();
    sinks.into_iter().map(End::Unmodelled).collect()
}

/// The parts that take what settings send.
fn receives(part: Sym) -> bool {
    matches!(part.as_str(), "blob" | "namespace")
}

/// The service of a destination that is told apart as a sink: of a store of the input, else by the type in its id; a plain name is an account's.
pub(super) fn service_of(world: &World<'_>, destination: Sym) -> Option<Service> {
    if let Some(row) = world.index.store.one(destination) {
        return Some(row.service).filter(|service| Service::EXTERNAL.contains(service));
    }
    let Some(kind) = ids::id_type(destination.as_str()) else { return (!destination.as_str().contains('/')).then_some(Service::Storage) };
    Service::EXTERNAL.into_iter().find(|service| service.kinds().contains(&kind.as_str()))
}

/// What a policy or setting sends by itself; where that is not sure, with what is in doubt.
fn sent(by: Sym, sure: bool, doubt: &str) -> Edge {
    let https = Span::exactly(Set::of(Proto::Tcp, (443, 443), ANY_PORT));
    let edge = Edge { span: https, sure_via: Via::Public, may_via: Via::Public, assumptions: Vec::new() };
    if sure { edge } else { doubted(edge, "W-MISSING", by, doubt.to_owned()) }
}

/// Whether a replication runs: both ends have it, the tenant may be left, and neither account is in a perimeter (X-24, NSP-10).
fn runs(world: &World<'_>, row: &ObjectReplication) -> Tri {
    let (source, destination) = (account(world, row.source), account(world, row.destination));
    let free = |store: Sym| match perimeter::member(world.index, store) {
        Some((_, Tri::Yes)) => Tri::No,
        Some(_) => Tri::Maybe,
        None if perimeter::membership_unknown(world.index) => Tri::Maybe,
        None => Tri::Yes,
    };
    let allowed = world.index.store_cross_tenant.one(source).map(|row| row.allowed);
    let crosses = match (world.same_tenant(source, destination), allowed) {
        (Tri::Yes, _) | (_, Some(true)) => Tri::Yes,
        (Tri::No, Some(false)) => Tri::No,
        (Tri::Maybe, Some(false)) | (_, None) => Tri::Maybe,
    };
    row.in_force.and(crosses).and(free(source)).and(free(destination))
}

/// The account of a policy's end: names of accounts are unique in the world.
fn account(world: &World<'_>, end: Sym) -> Sym {
    if world.index.store.has(end) || end.as_str().contains('/') {
        return end;
    }
    let bears = |id: Sym| id.as_str().rsplit('/').next() == Some(end.as_str());
    let named = world.index.store.rows().filter(|row| row.service == Service::Storage && bears(row.store)).map(|row| row.store);
    named.min_by_key(|id| id.as_str()).unwrap_or(end)
}
