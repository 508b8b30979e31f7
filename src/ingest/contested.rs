//! Copies of one resource that contradict each other: which of them is right nobody knows, so the resource counts as one that could not be read (SND-02).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Diagnostic, Severity};
use crate::facts::Fact;
use crate::facts::extract::{contested, extract};
use crate::ingest::merge::{Rivals, overlay};
use crate::ingest::{Input, Loaded, Resource, Source, document};
use crate::model::Sym;

/// Reads the copies again whose contents differ. Where the difference is in something that decides, the resource's facts become those of one that could not be
/// read, and a diagnostic names both places.
pub(super) fn settle(loaded: &mut Loaded, rivals: &[Rivals], inputs: &[Input]) {
    if rivals.is_empty() {
        return;
    }
    let bodies = read_again(rivals.iter().flat_map(|rivals| rivals.places.iter().map(|place| (rivals.id, place))), inputs);
    let mut done: FxHashSet<Sym> = FxHashSet::default();
    for rivals in rivals {
        let body = |place: &Source| bodies.get(&(rivals.id, place.clone()));
        let [kept, other] = &rivals.places;
        let (Some(mine), Some(theirs)) = (body(kept), body(other)) else { continue };
        if done.contains(&rivals.id) || !(rivals.certain || contradict(mine, theirs)) {
            continue;
        }
        done.insert(rivals.id);
        let Ok(at) = loaded.resources.binary_search_by_key(&rivals.id.as_str(), |resource| resource.id.as_str()) else { continue };
        let resource = &mut loaded.resources[at];
        let settled = |copy: &Resource| Resource {
            location: resource.location,
            tenant: resource.tenant,
            name: resource.name,
            parts: copy.parts.clone().or_else(|| resource.parts.clone()),
            ..copy.clone()
        };
        let extracted = contested([&settled(mine), &settled(theirs)]);
        resource.extracted = Some(extracted);
        loaded.diagnostics.push(contradiction(rivals.id, kept, other));
    }
}

/// Says of a resource where the two copies of it stand that contradict each other.
pub(super) fn contradiction(id: Sym, kept: &Source, other: &Source) -> Diagnostic {
    Diagnostic::new("ingest::contradicting_copies", Severity::Warning, "two copies of the resource contradict each other")
        .at(kept.file.as_str(), &kept.pointer)
        .about(id)
        .note(format!("the other copy is `{}` in `{}`; what depends on the resource is unproven", place(other), other.file))
        .help("leave the copy out that is out of date")
}

fn place(source: &Source) -> &str {
    if source.pointer.is_empty() { "/" } else { &source.pointer }
}

/// Whether what one copy says of the same things would make other facts.
pub(super) fn contradict(mine: &Resource, theirs: &Resource) -> bool {
    let facts = |resource: &Resource| {
        let mut facts: Vec<Fact> = extract(resource).facts;
        facts.sort_unstable();
        facts.dedup();
        facts
    };
    facts(mine) != facts(&Resource { body: overlay(&mine.body, &theirs.body), ..mine.clone() })
}

/// The bodies that stand at these places, by id and place.
pub(super) fn read_again<'a>(places: impl Iterator<Item = (Sym, &'a Source)>, inputs: &[Input]) -> FxHashMap<(Sym, Source), Resource> {
    let wanted: FxHashSet<(Sym, &Source)> = places.collect();
    let files: FxHashSet<&str> = wanted.iter().map(|(_, place)| place.file.as_str()).collect();
    let mut bodies = FxHashMap::default();
    for input in inputs.iter().filter(|input| files.contains(input.name.as_str())) {
        for resource in document::read(&input.name, &input.bytes, None).resources {
            if wanted.contains(&(resource.id, &resource.source)) {
                bodies.insert((resource.id, resource.source.clone()), resource);
            }
        }
    }
    bodies
}
