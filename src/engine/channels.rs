//! What stores move by themselves, with no machine in between: the features of a SQL server and the replication of objects.

use crate::engine::exfil::Edge;
use crate::explain::way::{Assumption, End};
use crate::explain::world::World;
use crate::facts::channels::ObjectReplication;
use crate::facts::store_facts::Service;
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Sym, Tri, Via};
use crate::rules::perimeter;

/// The part of an account whose objects are replicated.
const REPLICATED: &str = "blob";

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
    let https = Set::of(Proto::Tcp, (443, 443), ANY_PORT);
    match runs {
        Tri::No => None,
        Tri::Yes => Some(Edge { span: Span::exactly(https), sure_via: Via::Public, may_via: Via::Public, assumptions: Vec::new() }),
        Tri::Maybe => {
            let text = "whether the replication of its objects runs is not known".to_owned();
            let assumptions = vec![Assumption { code: "W-MISSING".to_owned(), resource: row.policy, text }];
            Some(Edge { span: Span::exactly(https).doubted(), sure_via: Via::Public, may_via: Via::Public, assumptions })
        }
    }
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
