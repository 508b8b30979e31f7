//! Facts and derived relations side by side: what every program reads.

use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

use crate::query::library::derived;
use crate::query::relations::{Declaration, FactRelations, Relations};
use crate::query::value::Value;

/// The rows of a derived relation: at least those whose columns equal the bound ones. `Err` says why they cannot be listed.
pub type Derive<'a> = dyn Fn(&str, &[Option<Value>]) -> Result<Vec<Vec<Value>>, String> + 'a;

/// What was asked of a derived relation, and its answer.
type Asked = FxHashMap<(String, Vec<Option<Value>>), Vec<Vec<Value>>>;

/// The facts of an estate and what is derived from them. Each derived row is asked for once and kept, for checks ask alike.
pub struct EstateRelations<'a> {
    facts: FactRelations,
    derived: Vec<Declaration>,
    derive: Box<Derive<'a>>,
    asked: Mutex<Asked>,
}

impl<'a> EstateRelations<'a> {
    /// The relations of `facts`, and those of [`derived`], whose rows `derive` gives.
    pub fn new(facts: FactRelations, derive: Box<Derive<'a>>) -> EstateRelations<'a> {
        EstateRelations { facts, derived: derived(), derive, asked: Mutex::default() }
    }
}

impl Relations for EstateRelations<'_> {
    fn declarations(&self) -> Vec<Declaration> {
        self.facts.declarations().into_iter().chain(self.derived.iter().cloned()).collect()
    }

    fn rows(&self, relation: &str, bound: &[Option<Value>]) -> Result<Vec<Vec<Value>>, String> {
        let Some(declaration) = self.derived.iter().find(|declaration| declaration.name == relation) else {
            return self.facts.rows(relation, bound);
        };
        let question = (relation.to_owned(), bound.to_vec());
        if let Some(rows) = self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(&question) {
            return Ok(rows.clone());
        }
        let mut rows = (self.derive)(relation, bound)?;
        if let Some(row) = rows.iter().find(|row| row.len() != declaration.columns.len()) {
            return Err(format!("a row of `{relation}` has {} columns; this is a bug in watertight", row.len()));
        }
        rows.retain(|row| row.iter().zip(bound).all(|(cell, wanted)| wanted.is_none_or(|wanted| wanted == *cell)));
        rows.sort();
        rows.dedup();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(question, rows.clone());
        Ok(rows)
    }

    fn explains(&self, relation: &str) -> bool {
        self.derived.iter().any(|declaration| declaration.name == relation)
    }
}
