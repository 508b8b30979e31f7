//! One resource of several copies: list and show, parent's body and child's body, two exports of the same thing.

use std::cmp::{Ordering, Reverse};
use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};
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
        others.sort_by(by_place);
        let mut others = others.into_iter();
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

/// How good a copy of a resource is. The better one is smaller: a body with properties before one without, the child's own body before the copy in its
/// parent, more values before fewer. What is in them settles a tie, so that the order of the input never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    bare: bool,
    embedded: bool,
    values: Reverse<usize>,
    content: u64,
}

impl Rank {
    /// The rank of a body.
    pub fn of(body: &Value, embedded: bool) -> Rank {
        let mut content = FxHasher::default();
        let values = values(body, &mut content);
        Rank { bare: body.get("properties").is_none(), embedded, values: Reverse(values), content: content.finish() }
    }

    /// Whether the body has no `properties`.
    pub fn is_bare(self) -> bool {
        self.bare
    }
}

fn by_place(a: &Resource, b: &Resource) -> Ordering {
    let place = |resource: &Resource| (resource.source.file.as_str(), resource.source.pointer.clone());
    a.rank.cmp(&b.rank).then_with(|| place(a).cmp(&place(b)))
}

/// How many values are set; what they are goes into `content`.
fn values(value: &Value, content: &mut FxHasher) -> usize {
    match value {
        Value::Null => 0,
        Value::Bool(yes) => {
            content.write_u8(u8::from(*yes));
            1
        }
        Value::Number(number) => {
            content.write_u64(number.as_f64().unwrap_or(0.0).to_bits());
            1
        }
        Value::String(text) => {
            content.write(text.as_bytes());
            1
        }
        Value::Array(items) => {
            content.write_usize(items.len());
            items.iter().map(|item| values(item, content)).sum()
        }
        Value::Object(map) => {
            let mut found = 0;
            for (key, value) in map {
                content.write(key.as_bytes());
                found += values(value, content);
            }
            found
        }
    }
}
