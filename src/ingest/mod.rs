//! Bytes to resources: every format ends in one neutral [`Resource`]; no format leaks further.

use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;

use crate::diag::{Diagnostic, Severity};
use crate::facts::Fact;
use crate::model::Sym;

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
}

/// One file, or standard input.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name as the person gave it.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What all inputs together hold.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Every resource once.
    pub resources: Vec<Resource>,
    /// Facts from facts folders.
    pub facts: Vec<Fact>,
    /// Where the resources of facts folders came from.
    pub origins: Vec<(Sym, Source)>,
    /// A service tag list found among the inputs.
    pub service_tags: Option<(String, Vec<u8>)>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// One entry of a change file.
#[derive(Clone, Debug)]
pub enum Change {
    /// The resource is added, or replaces the one with its id.
    Put(Resource),
    /// The resource is gone, and its children with it.
    Delete(Sym),
}

/// Stand-in: files, and files of folders.
pub fn collect(paths: &[PathBuf], _stdin: &mut dyn Read) -> (Vec<Input>, Vec<Diagnostic>) {
    let mut inputs = Vec::new();
    let mut diagnostics = Vec::new();
    let mut paths: Vec<PathBuf> = paths.to_vec();
    while let Some(path) = paths.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            paths.extend(entries.flatten().map(|entry| entry.path()));
            continue;
        }
        let name = path.display().to_string();
        match std::fs::read(&path) {
            Ok(bytes) => inputs.push(Input { name, bytes }),
            Err(error) => diagnostics.push(Diagnostic::new("ingest::file", Severity::Error, error.to_string()).at(&name, "")),
        }
    }
    (inputs, diagnostics)
}

/// Stand-in: `<relation>.facts` files only.
pub fn read(inputs: Vec<Input>) -> Loaded {
    let mut loaded = Loaded::default();
    for input in inputs {
        let relation = input.name.rsplit('/').next().unwrap_or_default().trim_end_matches(".facts").to_owned();
        for line in String::from_utf8_lossy(&input.bytes).lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            if let Some(Ok(fact)) = Fact::read(&relation, &cells) {
                loaded.facts.push(fact);
            }
        }
    }
    loaded
}

/// Not available.
pub fn read_change(_input: &Input) -> (Vec<Change>, Vec<Diagnostic>) {
    (Vec::new(), Vec::new())
}
