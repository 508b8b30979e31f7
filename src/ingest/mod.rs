//! Bytes to resources: every format ends in one neutral [`Resource`]; no format leaks further.
//!
//! `files` finds and reads files, `document` recognises a document and streams its elements into `sink`, `lenient` blanks what strict JSON does not
//! allow, `spread` uses all processors, `element` turns one element into resources, `children` says which lists of a body hold resources, `parts` what those of load balancers hand on, `merge` makes one
//! resource of several copies, `thin` completes those that say less than another copy, `contested` finds those that contradict each other, `observed` names what
//! was seen at nobody.

mod children;
mod contested;
mod document;
mod element;
mod files;
mod lenient;
mod merge;
mod observed;
mod parts;
mod sink;
mod spread;
mod thin;

use std::sync::Arc;

use serde_json::Value;

use crate::diag::{Diagnostic, Severity};
use crate::facts::extract::Extracted;
use crate::facts::gap::Unread;
use crate::facts::{Fact, store};
use crate::model::Sym;

pub use children::child_lists;
pub(crate) use element::region;
pub use files::collect;
use merge::Rank;
pub use parts::Parts;
pub(crate) use spread::spread;
pub(crate) use thin::Beside;
pub use thin::Own;

/// Where something stood in the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Source {
    /// The file as the person named it; `-` for standard input.
    pub file: Sym,
    /// A JSON pointer into it (RFC 6901), empty for the whole document.
    pub pointer: String,
}

/// One Azure resource, whatever file it came from. Children embedded in a parent's body are resources of their own.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The normalised id ([`crate::model::ids::normal_id`]).
    pub id: Sym,
    /// The type the id spells, in lower case.
    pub kind: Sym,
    /// The last segment of the id, as written.
    pub name: Sym,
    /// The region: lower case, blanks removed; empty where there is none. A child without one has its parent's.
    pub location: Sym,
    /// The subscription's GUID in lower case, empty where the id has none.
    pub subscription: Sym,
    /// The tenant's GUID in lower case, empty where the export does not say. A child has its parent's.
    pub tenant: Sym,
    /// The resource group in lower case, empty outside one.
    pub group: Sym,
    /// The envelope as REST spells it: `id`, `name`, `type`, `kind`, `sku`, `tags`, … and the nested `properties`, whatever the
    /// input looked like; without the children that became resources of their own.
    pub body: Value,
    /// Where the body stood.
    pub source: Source,
    /// Whether the body was part of its parent's.
    pub embedded: bool,
    /// Whether its own body lacks a region, a tenant, so that those of the parent count.
    pub inherits: (bool, bool),
    /// What the body became where it was turned into facts as soon as it was read; the body is `null` then.
    pub extracted: Option<Extracted>,
    /// Its own body as it was written, where its parent's may hold a copy.
    pub own: Option<Box<Own>>,
    /// The frontends and pools of the load balancer that it is, or in whose body a copy of it stands where it is a rule of one.
    pub parts: Option<Arc<Parts>>,
    /// How good a copy of the resource it is.
    rank: Rank,
    /// What stands for the names of the properties that its body tells, sorted; of a resource that is nobody's child, nothing.
    names: Box<[u64]>,
    /// Where the file has what the body has under `/properties`.
    level: &'static str,
}

impl Resource {
    /// A pointer into the body as a pointer into what the file has in its place.
    pub(crate) fn written(&self, pointer: &str) -> String {
        match pointer.strip_prefix("/properties") {
            Some(rest) => format!("{}{rest}", self.level),
            None => pointer.to_owned(),
        }
    }
}

impl Resource {
    /// The types of the children that its body lists, be it none.
    fn lists(&self) -> Vec<Sym> {
        if let Some(extracted) = &self.extracted {
            return extracted.facts.iter().filter_map(|fact| if let Fact::ChildType(row) = fact { Some(row.kind) } else { None }).collect();
        }
        let kind = self.kind.as_str();
        let properties = self.body.get("properties").and_then(Value::as_object);
        let lists = child_lists(kind).filter(|(list, _)| properties.and_then(|all| children::key_of(all, list)).is_some());
        lists.map(|(_, segment)| Sym::lower(&format!("{kind}/{segment}"))).collect()
    }
}

/// What makes facts of a body as soon as it is read.
pub type Harvest = fn(&Resource) -> Extracted;

/// One file, or standard input.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name as the person gave it, `-` for standard input; a name that ends in `.facts` is a file of facts.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What all inputs together hold.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Every resource once, sorted by the text of its id.
    pub resources: Vec<Resource>,
    /// Facts from facts folders, in the order of the files, and that an entry could not be read of which not even the id is known.
    pub facts: Vec<Fact>,
    /// Where the resources of facts folders came from.
    pub origins: Vec<(Sym, Source)>,
    /// A service tag list found among the inputs: its name and its bytes.
    pub service_tags: Option<(String, Vec<u8>)>,
    /// What was wrong, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
}

/// One entry of a change file.
#[expect(clippy::large_enum_variant, reason = "a change file holds few of them")]
#[derive(Clone, Debug)]
pub enum Change {
    /// The resource is added, or replaces the one with its id.
    Put(Resource),
    /// The resource is gone, and its children with it.
    Delete(Sym),
}

/// Reads every input. Never fails: what cannot be used is a diagnostic, everything else loads.
///
/// The result does not depend on the order of the inputs, but for the order of the diagnostics.
pub fn read(inputs: Vec<Input>) -> Loaded {
    read_all(inputs, None)
}

/// The same with bodies turned into facts one by one, so that no more than one a thread is held. The few whose region, or a tenant they need, may yet be the parent's keep theirs.
pub fn read_as_facts(inputs: Vec<Input>, harvest: Harvest) -> Loaded {
    read_all(inputs, Some(harvest))
}

fn read_all(inputs: Vec<Input>, harvest: Option<Harvest>) -> Loaded {
    let mut loaded = Loaded::default();
    let mut resources = Vec::new();
    let mut again: Vec<Input> = Vec::new();
    for input in inputs {
        if let Some(relation) = store::relation_of_file(&input.name) {
            let relation = relation.to_owned();
            let mut read = store::read_file(&relation, &input.name, &input.bytes);
            loaded.facts.append(&mut read.facts);
            loaded.origins.append(&mut read.origins);
            loaded.diagnostics.append(&mut read.diagnostics);
            continue;
        }
        let mut read = document::read(&input.name, &input.bytes, harvest);
        resources.append(&mut read.resources);
        let unread = |pointer: &String| Unread { resource: Sym::EMPTY, what: Sym::new(&format!("{}{pointer}", input.name)) };
        loaded.facts.extend(read.nameless.iter().map(unread).map(Fact::from));
        loaded.diagnostics.append(&mut read.diagnostics);
        for (_, id) in read.deleted {
            loaded.diagnostics.push(
                Diagnostic::new("ingest::not_a_resource", Severity::Error, "a deletion among resources")
                    .at(&input.name, "")
                    .about(id)
                    .help("entries with `\"deleted\": true` belong in a change file"),
            );
        }
        if read.service_tags {
            keep_service_tags(&mut loaded, input);
        } else {
            again.push(input);
        }
    }
    let (merged, mut rivals, thin) = merge::merge(resources);
    loaded.resources = merged;
    rivals.extend(thin::complete(&mut loaded, &thin, &again));
    contested::settle(&mut loaded, &rivals, &again);
    observed::name_lost(&mut loaded);
    loaded.diagnostics.extend(loaded.resources.iter().filter_map(element::bare));
    loaded
}

/// Of several lists the one whose name comes last: the weekly files carry their date in the name.
fn keep_service_tags(loaded: &mut Loaded, input: Input) {
    if let Some((kept, _)) = &loaded.service_tags {
        let (used, unused) = if *kept < input.name { (&input.name, kept) } else { (kept, &input.name) };
        loaded.diagnostics.push(
            Diagnostic::new("ingest::several_service_tags", Severity::Warning, format!("`{unused}` is not used, `{used}` is"))
                .at(unused, "")
                .help("name one list with `--service-tags`"),
        );
    }
    if loaded.service_tags.as_ref().is_none_or(|(kept, _)| *kept < input.name) {
        loaded.service_tags = Some((input.name, input.bytes));
    }
}

/// Reads a change file: a JSON array of whole resources and of `{"id": …, "deleted": true}`, in its order.
///
/// Children embedded in a resource follow it as entries of their own.
pub fn read_change(input: &Input) -> (Vec<Change>, Vec<Diagnostic>) {
    let read = document::read(&input.name, &input.bytes, None);
    let mut diagnostics = read.diagnostics;
    diagnostics.extend(read.resources.iter().filter_map(element::bare));
    let mut deleted = read.deleted.into_iter().peekable();
    let mut changes = Vec::new();
    for (at, resource) in read.resources.into_iter().enumerate() {
        while let Some((_, id)) = deleted.next_if(|(before, _)| *before <= at) {
            changes.push(Change::Delete(id));
        }
        changes.push(Change::Put(resource));
    }
    changes.extend(deleted.map(|(_, id)| Change::Delete(id)));
    (changes, diagnostics)
}
