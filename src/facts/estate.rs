//! The facts of an estate as they are now: made from what was loaded, moved by changes, with the exact difference.

use std::collections::BTreeMap;
use std::ops::Bound;

use rustc_hash::FxHashMap;

use crate::diag::{Diagnostic, Severity};
use crate::facts::catalog::Fact;
use crate::facts::extract::{Extracted, extract, inert};
use crate::facts::gap::Resource as ResourceRow;
use crate::ingest::{Beside, Change, Loaded, Own, Resource, Source, spread};
use crate::model::{Sym, ids};

/// Resources whose bodies become facts at once.
const BLOCK: usize = 4096;

/// The live set of facts, and which resource says what.
#[derive(Debug, Default)]
pub struct Estate {
    /// By the text of the id: the resources below an id are its neighbours.
    entries: BTreeMap<&'static str, Entry>,
    /// How many resources say each fact: two may say the same. `None` until the first change asks.
    counts: Option<FxHashMap<Fact, u32>>,
    /// Facts that no resource says, as they were given.
    extra: Vec<Fact>,
}

/// What an estate holds of one resource.
#[derive(Debug)]
struct Entry {
    source: Source,
    embedded: bool,
    /// Whether the region, the tenant are the parent's.
    inherits: (bool, bool),
    /// Its own body, where its parent's may hold a copy.
    own: Option<Box<Own>>,
    /// The `resource` row first.
    facts: Box<[Fact]>,
}

impl Entry {
    fn row(&self) -> Option<ResourceRow> {
        self.facts.iter().find_map(|fact| if let Fact::Resource(row) = fact { Some(*row) } else { None })
    }
}

/// What a change did.
#[derive(Debug, Default)]
pub struct Delta {
    /// Facts that hold now and did not before, in no order.
    pub added: Vec<Fact>,
    /// Facts that held before and do not now, in no order.
    pub removed: Vec<Fact>,
    /// What was wrong with the change.
    pub diagnostics: Vec<Diagnostic>,
}

/// How many resources are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// All resources.
    pub resources: usize,
    /// Of them: modelled, without a gap.
    pub understood: usize,
    /// Of them: with at least one gap.
    pub with_gaps: usize,
    /// Of them: of a type that never matters.
    pub inert: usize,
}

impl Estate {
    /// The estate of what was loaded; every diagnostic of loading and extraction. Bodies are dropped as they become facts.
    pub fn from_loaded(loaded: Loaded) -> (Estate, Vec<Diagnostic>) {
        let Loaded { resources, facts, origins, diagnostics: mut said, .. } = loaded;
        let mut estate = Estate::default();
        estate.adopt(facts, origins);
        let mut resources = resources.into_iter();
        loop {
            let block: Vec<Resource> = resources.by_ref().take(BLOCK).collect();
            if block.is_empty() {
                break;
            }
            let waiting: Vec<&Resource> = block.iter().filter(|resource| resource.extracted.is_none()).collect();
            let extracted = spread(&waiting, |_, part| part.iter().map(|resource| extract(resource)).collect::<Vec<_>>());
            let mut extracted = extracted.into_iter().flatten();
            for mut resource in block {
                let Some(made) = resource.extracted.take().or_else(|| extracted.next()) else { continue };
                let (entry, mut diagnostics) = entry_of(&resource, made);
                said.append(&mut diagnostics);
                let id = resource.id.as_str();
                // Where a facts folder and an export hold the same resource, the export is right.
                estate.entries.insert(id, entry);
            }
        }
        (estate, said)
    }

    /// Takes facts from a facts folder: a fact belongs to the resource its first cell names or lies below; others belong to none.
    fn adopt(&mut self, facts: Vec<Fact>, origins: Vec<(Sym, Source)>) {
        let mut origins: FxHashMap<Sym, Source> = origins.into_iter().collect();
        let mut groups: FxHashMap<Sym, Vec<Fact>> = FxHashMap::default();
        for fact in &facts {
            if let Fact::Resource(row) = fact {
                groups.insert(row.id, vec![*fact]);
            }
        }
        let mut others = Vec::new();
        for fact in facts {
            if matches!(fact, Fact::Resource(_)) {
                continue;
            }
            let first = fact.cells().into_iter().next().unwrap_or_default();
            let mut owner = Some(first.as_str());
            while let Some(id) = owner.filter(|id| id.starts_with('/')) {
                if groups.contains_key(&Sym::new(id)) {
                    break;
                }
                owner = id.rsplit_once('/').map(|(above, _)| above);
            }
            match owner.map(Sym::new).and_then(|id| groups.get_mut(&id)) {
                Some(group) => group.push(fact),
                None => others.push(fact),
            }
        }
        for (id, mut facts) in groups {
            facts[1..].sort_unstable();
            facts.dedup();
            let source = origins.remove(&id).unwrap_or_default();
            self.entries.insert(id.as_str(), Entry { source, embedded: false, inherits: (false, false), own: None, facts: facts.into() });
        }
        self.extra = others;
    }

    /// Every fact, in no order; a fact that two resources say comes twice.
    pub fn said(&self) -> impl Iterator<Item = Fact> + '_ {
        self.entries.values().flat_map(|entry| entry.facts.iter()).chain(&self.extra).copied()
    }

    /// Every fact once, in no order.
    pub fn facts(&self) -> impl Iterator<Item = Fact> + '_ {
        let mut facts: Vec<Fact> = self.said().collect();
        facts.sort_unstable();
        facts.dedup();
        facts.into_iter()
    }

    /// Whether there is no fact.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.extra.is_empty()
    }

    /// Where the resource stood in the input, or the nearest resource above it.
    pub fn origin(&self, id: Sym) -> Option<&Source> {
        let mut id = id.as_str();
        loop {
            if let Some(entry) = self.entries.get(id).filter(|entry| !entry.source.file.is_empty()) {
                return Some(&entry.source);
            }
            id = id.rsplit_once('/')?.0;
        }
    }

    /// Where each resource stood, sorted by the text of its id; resources without a known place are left out.
    pub fn origins(&self) -> impl Iterator<Item = (Sym, &Source)> {
        self.entries.iter().filter(|(_, entry)| !entry.source.file.is_empty()).map(|(id, entry)| (Sym::new(id), &entry.source))
    }

    /// How many resources there are and how many of them are understood.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for entry in self.entries.values() {
            counts.resources += 1;
            if entry.facts.iter().any(|fact| matches!(fact, Fact::Gap(_))) {
                counts.with_gaps += 1;
            } else if entry.row().is_some_and(|row| inert::reason(row.kind.as_str()).is_some()) {
                counts.inert += 1;
            } else {
                counts.understood += 1;
            }
        }
        counts
    }

    /// Applies the changes in their order and says exactly what is different afterwards.
    ///
    /// A resource replaces the one with its id, with all that came in its body: children that the new body does not list are gone, whether it has the list or
    /// not. Children that came as entries of their own stay until an entry of their own changes them. Deleting a resource deletes all below it.
    pub fn apply(&mut self, changes: Vec<Change>) -> Delta {
        let mut delta = Delta::default();
        if self.counts.is_none() {
            let mut counts: FxHashMap<Fact, u32> = FxHashMap::default();
            self.said().for_each(|fact| *counts.entry(fact).or_default() += 1);
            self.counts = Some(counts);
        }
        let mut before: FxHashMap<Fact, bool> = FxHashMap::default();
        for change in changes {
            match change {
                Change::Put(resource) => self.put(resource, &mut before, &mut delta.diagnostics),
                Change::Delete(id) => {
                    let all = self.below(id);
                    if all.is_empty() && !self.entries.contains_key(id.as_str()) {
                        let unknown =
                            Diagnostic::new("change::unknown_resource", Severity::Warning, "a resource that is not there is deleted")
                                .about(id);
                        delta.diagnostics.push(match self.holder_of(id) {
                            Some(holder) => unknown
                                .note(format!("it is a part of `{holder}` and stays there"))
                                .help("put that resource as a whole, without the part"),
                            None => unknown,
                        });
                    }
                    for id in all.into_iter().chain([id.as_str()]) {
                        self.remove(id, &mut before);
                    }
                }
            }
        }
        for (fact, was) in before {
            match (was, self.holds(&fact)) {
                (false, true) => delta.added.push(fact),
                (true, false) => delta.removed.push(fact),
                _ => {}
            }
        }
        delta
    }

    fn put(&mut self, mut resource: Resource, before: &mut FxHashMap<Fact, bool>, diagnostics: &mut Vec<Diagnostic>) {
        self.settle_envelope(&mut resource);
        let id = resource.id.as_str();
        if resource.embedded
            && let Some(old) = self.entries.get(id).filter(|old| old.own.is_some() || !old.embedded)
        {
            let own = old.own.clone();
            return diagnostics.extend(self.put_copy(&resource, own, before));
        }
        let (entry, said) = entry_of(&resource, extract(&resource));
        diagnostics.extend(said);
        self.replace(id, entry, before);
        // An embedded child that is still in the list comes back as the next change, and so does a copy that completes a child's own body.
        for child in self.below(resource.id).into_iter().filter(|child| ids::parent_id(child) == Some(id)) {
            let Some(entry) = self.entries.get(child) else { continue };
            match entry.own.clone() {
                Some(own) => {
                    let mut alone = own.alone();
                    self.settle_envelope(&mut alone);
                    let extracted = extract(&alone);
                    self.put_own(own, alone, extracted, before);
                }
                None if entry.embedded => self.remove(child, before),
                None => {}
            }
        }
        self.pass_down(&resource, before);
    }

    /// A copy in a parent's body of a resource that has an entry of its own: it tells what that one leaves out, and no more.
    fn put_copy(&mut self, copy: &Resource, own: Option<Box<Own>>, before: &mut FxHashMap<Fact, bool>) -> Vec<Diagnostic> {
        let stays = || {
            Diagnostic::new("change::own_entry_stays", Severity::Warning, "the copy in the parent's body is not used")
                .at(copy.source.file.as_str(), &copy.source.pointer)
                .about(copy.id)
                .note("the resource has an entry of its own in the input, and that one counts")
                .help("change it by an entry of its own")
        };
        let Some(own) = own else {
            // Of facts alone it is not known what they leave out.
            let (told, _) = entry_of(copy, extract(copy));
            let same = self.entries.get(copy.id.as_str()).is_some_and(|kept| kept.facts == told.facts);
            return if same { Vec::new() } else { vec![stays()] };
        };
        let Beside { resource, extracted, contradiction, unused } = own.beside(copy);
        let mut said = self.put_own(own, resource, extracted, before);
        said.extend(contradiction.or_else(|| unused.then(stays)));
        said
    }

    /// What a resource with a body of its own says now.
    fn put_own(
        &mut self,
        own: Box<Own>,
        mut resource: Resource,
        extracted: Extracted,
        before: &mut FxHashMap<Fact, bool>,
    ) -> Vec<Diagnostic> {
        resource.own = Some(own);
        let (entry, said) = entry_of(&resource, extracted);
        self.replace(resource.id.as_str(), entry, before);
        said
    }

    /// A resource without region or tenant has those of the one above.
    fn settle_envelope(&self, resource: &mut Resource) {
        if let Some(row) = self.above(resource.id.as_str()) {
            resource.location = if resource.location.is_empty() { row.location } else { resource.location };
            resource.tenant = if resource.tenant.is_empty() { row.tenant } else { resource.tenant };
        }
    }

    fn replace(&mut self, id: &'static str, entry: Entry, before: &mut FxHashMap<Fact, bool>) {
        self.remove(id, before);
        self.remember(&entry.facts, before);
        self.entries.insert(id, entry);
    }

    /// Children without region or tenant have those of the resource that was put.
    fn pass_down(&mut self, parent: &Resource, before: &mut FxHashMap<Fact, bool>) {
        for child in self.below(parent.id) {
            let Some(entry) = self.entries.get(child).filter(|entry| entry.inherits != (false, false)) else { continue };
            let Some(mut row) = entry.row() else { continue };
            let old = Fact::Resource(row);
            if entry.inherits.0 {
                row.location = parent.location;
            }
            if entry.inherits.1 {
                row.tenant = parent.tenant;
            }
            let new = Fact::Resource(row);
            if new != old {
                self.forget(&[old], before);
                self.remember(&[new], before);
                if let Some(place) = self.entries.get_mut(child).and_then(|entry| entry.facts.iter_mut().find(|fact| **fact == old)) {
                    *place = new;
                }
            }
        }
    }

    /// The nearest resource above `id`, where its body tells of something by that id.
    fn holder_of(&self, id: Sym) -> Option<Sym> {
        let holder = self.above(id.as_str())?.id;
        let tells = |fact: &Fact| fact.cells().iter().any(|cell| cell == id.as_str());
        self.entries.get(holder.as_str()).filter(|entry| entry.facts.iter().any(tells)).map(|_| holder)
    }

    /// The row of the nearest resource above `id`.
    fn above(&self, mut id: &str) -> Option<ResourceRow> {
        while let Some(parent) = ids::parent_id(id) {
            if !ids::id_type(parent).is_some_and(|kind| kind.contains('/')) {
                return None;
            }
            if let Some(entry) = self.entries.get(parent) {
                return entry.row();
            }
            id = parent;
        }
        None
    }

    /// The ids below `id`.
    fn below(&self, id: Sym) -> Vec<&'static str> {
        let start = format!("{id}/");
        let from = (Bound::Included(start.as_str()), Bound::Unbounded);
        self.entries.range::<str, _>(from).map(|(id, _)| *id).take_while(|id| id.starts_with(&start)).collect()
    }

    fn remove(&mut self, id: &str, before: &mut FxHashMap<Fact, bool>) {
        if let Some(entry) = self.entries.remove(id) {
            self.forget(&entry.facts, before);
        }
    }

    /// Whether some resource says the fact, as far as that is counted.
    fn holds(&self, fact: &Fact) -> bool {
        self.counts.as_ref().is_some_and(|counts| counts.contains_key(fact))
    }

    fn remember(&mut self, facts: &[Fact], before: &mut FxHashMap<Fact, bool>) {
        for fact in facts {
            before.entry(*fact).or_insert_with(|| self.holds(fact));
        }
        let Some(counts) = &mut self.counts else { return };
        for fact in facts {
            *counts.entry(*fact).or_default() += 1;
        }
    }

    fn forget(&mut self, facts: &[Fact], before: &mut FxHashMap<Fact, bool>) {
        for fact in facts {
            before.entry(*fact).or_insert_with(|| self.holds(fact));
        }
        let Some(counts) = &mut self.counts else { return };
        for fact in facts {
            if let Some(count) = counts.get_mut(fact) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(fact);
                }
            }
        }
    }
}

/// The entry of a resource that became these facts: each of them once, the `resource` row first.
fn entry_of(resource: &Resource, extracted: Extracted) -> (Entry, Vec<Diagnostic>) {
    let mut facts = extracted.facts;
    if let Some((first, rest)) = facts.split_first_mut() {
        if let Fact::Resource(row) = first {
            // The tenant may have turned out to be the parent's after the body was read.
            row.tenant = resource.tenant;
        }
        rest.sort_unstable();
    }
    facts.dedup();
    let entry = Entry {
        source: resource.source.clone(),
        embedded: resource.embedded,
        inherits: resource.inherits,
        own: resource.own.clone(),
        facts: facts.into(),
    };
    (entry, extracted.diagnostics)
}
