//! The resources of an estate and the facts that follow from them.

use std::collections::HashMap;

use crate::diag::Diagnostic;
use crate::facts::Fact;
use crate::ingest::{Change, Loaded, Source};
use crate::model::Sym;

/// What a change does to the facts.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// Facts that appear.
    pub added: Vec<Fact>,
    /// Facts that go.
    pub removed: Vec<Fact>,
    /// What was wrong with the change.
    pub diagnostics: Vec<Diagnostic>,
}

/// An estate.
#[derive(Debug, Default)]
pub struct Estate {
    facts: Vec<Fact>,
    origins: HashMap<Sym, Source>,
}

impl Estate {
    /// The facts of what was loaded.
    pub fn from_loaded(loaded: Loaded) -> (Estate, Vec<Diagnostic>) {
        (Estate { facts: loaded.facts, origins: loaded.origins.into_iter().collect() }, Vec::new())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Every fact.
    pub fn facts(&self) -> impl Iterator<Item = Fact> {
        self.facts.iter().copied()
    }

    /// Where a resource stood.
    pub fn origin(&self, id: Sym) -> Option<&Source> {
        self.origins.get(&id)
    }

    /// Where each resource stood.
    pub fn origins(&self) -> impl Iterator<Item = (Sym, &Source)> {
        self.origins.iter().map(|(id, source)| (*id, source))
    }

    /// Not available.
    pub fn apply(&mut self, _changes: Vec<Change>) -> Delta {
        Delta::default()
    }
}
