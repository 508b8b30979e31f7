//! One resource of several copies: list and show, parent's body and child's body, two exports of the same thing.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};
use serde_json::Value;

use crate::ingest::thin::Thin;
use crate::ingest::{Resource, Source};
use crate::model::{Sym, ids};

/// Two copies of a resource of which neither is known to be the better one.
#[derive(Debug)]
pub(super) struct Rivals {
    /// The resource.
    pub id: Sym,
    /// Where the copy stands that is kept, and where the other one does.
    pub places: [Source; 2],
    /// Whether they contradict each other whatever facts their bodies make: by what they leave out.
    pub certain: bool,
}

/// Every id once, sorted by its text, the copies that may contradict each other, and those that may leave something out. The best copy of each is kept whole;
/// what the envelope of the best copy lacks comes from the next, and then from the parent.
pub(super) fn merge(resources: Vec<Resource>) -> (Vec<Resource>, Vec<Rivals>, Vec<Thin>) {
    let children = Children::of_copies(&resources);
    let (mut rivals, mut thin) = (Vec::new(), Vec::new());
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
        let mut fuller: Vec<Source> = Vec::new();
        for other in others {
            let of_parent = other.rank.embedded && !other.rank.bare && !kept.rank.embedded;
            if of_parent && !other.names.iter().all(|name| kept.names.binary_search(name).is_ok()) {
                fuller.push(other.source.clone());
            }
            let equal_standing = !other.rank.bare && other.rank.embedded == kept.rank.embedded;
            let certain = equal_standing && children.differ(&kept, &other);
            if certain || (equal_standing && other.rank.content != kept.rank.content) {
                rivals.push(Rivals { id, places: [kept.source.clone(), other.source.clone()], certain });
            }
            // A body of its own that says nothing stands behind the copy as long as there is one.
            kept.own = kept.own.or(other.own);
            kept.parts = kept.parts.or(other.parts);
            if kept.location.is_empty() {
                kept.location = other.location;
            }
            if kept.tenant.is_empty() {
                kept.tenant = other.tenant;
            }
        }
        if !fuller.is_empty() {
            fuller.insert(0, kept.source.clone());
            thin.push(Thin { id, places: fuller });
        }
        best.insert(id, kept);
    }
    inherit(&mut best);
    let mut merged: Vec<Resource> = best.into_values().collect();
    merged.sort_by_cached_key(|resource| resource.id.as_str());
    rivals.sort_by_cached_key(|rivals: &Rivals| {
        let [kept, other] = &rivals.places;
        (rivals.id.as_str(), kept.file.as_str(), kept.pointer.clone(), other.file.as_str(), other.pointer.clone())
    });
    thin.sort_by_cached_key(|thin: &Thin| thin.id.as_str());
    (merged, rivals, thin)
}

/// The children that each copy of a resource lists, by the parent; only of parents that have several copies.
struct Children(FxHashMap<Sym, Vec<(Source, Sym)>>);

impl Children {
    fn of_copies(resources: &[Resource]) -> Children {
        let mut copies: FxHashMap<Sym, usize> = FxHashMap::default();
        for resource in resources {
            *copies.entry(resource.id).or_default() += 1;
        }
        let mut children: FxHashMap<Sym, Vec<(Source, Sym)>> = FxHashMap::default();
        if copies.len() < resources.len() {
            for resource in resources.iter().filter(|resource| resource.embedded) {
                let parent = ids::parent_id(resource.id.as_str()).map_or(Sym::EMPTY, Sym::new);
                if copies.get(&parent).is_some_and(|copies| *copies > 1) {
                    children.entry(parent).or_default().push((resource.source.clone(), resource.id));
                }
            }
        }
        Children(children)
    }

    /// Whether lists that both copies have name different children.
    fn differ(&self, a: &Resource, b: &Resource) -> bool {
        let Some(all) = self.0.get(&a.id) else { return false };
        let of = |copy: &Resource| -> BTreeSet<&'static str> {
            let start = format!("{}/", copy.source.pointer);
            let own = all.iter().filter(|(place, _)| place.file == copy.source.file && place.pointer.starts_with(&start));
            own.map(|(_, id)| id.as_str()).collect()
        };
        let (lists, of_a, of_b) = (a.lists(), of(a), of(b));
        let shared: Vec<Sym> = b.lists().into_iter().filter(|list| lists.contains(list)).collect();
        of_a.symmetric_difference(&of_b).any(|id| ids::id_type(id).is_some_and(|kind| shared.contains(&Sym::new(&kind))))
    }
}

/// The body of the kept copy with what the other one says of the same: a value that only one of them has is no contradiction, for exports leave out what others
/// show.
pub(super) fn overlay(kept: &Value, other: &Value) -> Value {
    match (kept, other) {
        (kept, Value::Null) => kept.clone(),
        (Value::Object(mine), Value::Object(theirs)) => {
            let find = |name: &str| theirs.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            let merged =
                mine.iter().map(|(name, value)| (name.clone(), find(name).map_or_else(|| value.clone(), |other| overlay(value, other))));
            Value::Object(merged.collect())
        }
        (Value::Array(mine), Value::Array(theirs)) if same_items(mine, theirs) => kept.clone(),
        // Items of the same names, in their order, are compared one by one.
        (Value::Array(mine), Value::Array(theirs))
            if mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(a, b)| a.is_object() && b.is_object()) =>
        {
            Value::Array(mine.iter().zip(theirs).map(|(a, b)| overlay(a, b)).collect())
        }
        (_, other) => other.clone(),
    }
}

/// Whether two lists hold the same in any order.
fn same_items(mine: &[Value], theirs: &[Value]) -> bool {
    let sorted = |items: &[Value]| {
        let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    mine.len() == theirs.len() && sorted(mine) == sorted(theirs)
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

/// What stands for the names of the properties that a body tells, whatever their case; sorted.
pub(super) fn names(body: &Value) -> Box<[u64]> {
    let properties = body.get("properties").and_then(Value::as_object);
    let told = properties.into_iter().flatten().filter(|(_, value)| !value.is_null());
    let each = told.map(|(name, _)| {
        let mut hasher = FxHasher::default();
        name.bytes().for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
        hasher.finish()
    });
    let mut names: Box<[u64]> = each.collect();
    names.sort_unstable();
    names
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
