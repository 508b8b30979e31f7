//! One resource of several copies: list and show, parent's body and child's body, two exports of the same thing.

use std::cmp::{Ordering, Reverse};

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::ingest::Resource;
use crate::model::{Sym, ids};

/// Every id once, sorted by its text. The best copy of each is kept whole; what the envelope of the best copy lacks comes from the next, and
/// then from the parent.
pub(super) fn merge(resources: Vec<Resource>) -> Vec<Resource> {
    let mut best: FxHashMap<Sym, Resource> = FxHashMap::default();
    let mut copies: FxHashMap<Sym, Vec<Resource>> = FxHashMap::default();
    best.reserve(resources.len());
    for resource in resources {
        match best.entry(resource.id) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(resource);
            }
            std::collections::hash_map::Entry::Occupied(entry) => copies.entry(*entry.key()).or_default().push(resource),
        }
    }
    for (id, mut others) in copies {
        others.extend(best.remove(&id));
        let mut ranked: Vec<_> = others.into_iter().map(|resource| (rank(&resource), resource)).collect();
        ranked.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| by_text(one, other)));
        let mut others = ranked.into_iter().map(|(_, resource)| resource);
        let Some(mut kept) = others.next() else { continue };
        for other in others {
            if kept.location.is_empty() {
                kept.location = other.location;
            }
            if kept.tenant.is_empty() {
                kept.tenant = other.tenant;
            }
        }
        best.insert(id, kept);
    }
    inherit(&mut best);
    let mut merged: Vec<Resource> = best.into_values().collect();
    merged.sort_by_cached_key(|resource| resource.id.as_str());
    merged
}

/// A child without region or tenant has its parent's, and that one its parent's.
fn inherit(resources: &mut FxHashMap<Sym, Resource>) {
    let mut found = Vec::new();
    for resource in resources.values().filter(|r| r.location.is_empty() || r.tenant.is_empty()) {
        let (mut location, mut tenant) = (resource.location, resource.tenant);
        let mut id = resource.id.as_str();
        while let Some(parent) = ids::parent_id(id) {
            if let Some(parent) = resources.get(&Sym::new(parent)) {
                location = if location.is_empty() { parent.location } else { location };
                tenant = if tenant.is_empty() { parent.tenant } else { tenant };
            }
            if !ids::id_type(parent).is_some_and(|kind| kind.contains('/')) {
                break;
            }
            id = parent;
        }
        if (location, tenant) != (resource.location, resource.tenant) {
            found.push((resource.id, location, tenant));
        }
    }
    for (id, location, tenant) in found {
        if let Some(resource) = resources.get_mut(&id) {
            resource.location = location;
            resource.tenant = tenant;
        }
    }
}

/// The better copy has the smaller rank: a body with properties before one without, the child's own body before the copy in its parent, more
/// values before fewer.
fn rank(resource: &Resource) -> (bool, bool, Reverse<usize>) {
    (resource.body.get("properties").is_none(), resource.embedded, Reverse(values(&resource.body)))
}

/// Settles a tie, so that the order of the input never does.
fn by_text(a: &Resource, b: &Resource) -> Ordering {
    a.body
        .to_string()
        .cmp(&b.body.to_string())
        .then_with(|| a.source.file.as_str().cmp(b.source.file.as_str()))
        .then_with(|| a.source.pointer.cmp(&b.source.pointer))
}

/// How many values are set.
fn values(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(map) => map.values().map(values).sum(),
        _ => 1,
    }
}
