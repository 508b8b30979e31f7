//! What programs read: relations with declared columns, findable by whichever columns are bound.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::catalog::{Fact, PLATFORM, RELATIONS};
use crate::facts::index::Index;
use crate::facts::platform::Platform;
use crate::query::value::{Type, Value};

/// A relation's name, columns and meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The name.
    pub name: String,
    /// Column names and types.
    pub columns: Vec<(String, Type)>,
    /// One of these columns (by position) must be bound where the relation is read; empty: none need be.
    pub needs: Vec<usize>,
    /// What a row says.
    pub doc: String,
}

/// Relations that a program can read.
pub trait Relations {
    /// Every relation there is.
    fn declarations(&self) -> Vec<Declaration>;

    /// The rows of `relation` whose columns equal the bound ones; `bound` has one entry per column. The order means nothing and no row
    /// comes twice. `Err` says why the rows cannot be listed, such as which column must be bound.
    fn rows(&self, relation: &str, bound: &[Option<Value>]) -> Result<Vec<Vec<Value>>, String>;

    /// Whether rows of `relation` are derived and can be explained: then a finding remembers those it follows from.
    fn explains(&self, _relation: &str) -> bool {
        false
    }
}

/// Row positions by the values of the bound columns.
type Positions = FxHashMap<Vec<Value>, Vec<u32>>;

/// A set of rows, indexed by whichever columns were asked for.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<Value>>,
    known: FxHashSet<Vec<Value>>,
    /// By the columns that are bound, as a bit each; made when first asked for and dropped when a row is added.
    indexes: FxHashMap<u64, Positions>,
}

impl Table {
    /// The table of `rows`, each once.
    pub fn new(rows: impl IntoIterator<Item = Vec<Value>>) -> Table {
        let mut table = Table::default();
        for row in rows {
            table.insert(row);
        }
        table
    }

    /// Adds a row; whether it is new.
    pub fn insert(&mut self, row: Vec<Value>) -> bool {
        let new = self.known.insert(row.clone());
        if new {
            self.indexes.clear();
            self.rows.push(row);
        }
        new
    }

    /// Every row, in the order of insertion.
    pub fn all(&self) -> &[Vec<Value>] {
        &self.rows
    }

    /// The rows whose columns equal the bound ones.
    pub fn matching(&mut self, bound: &[Option<Value>]) -> Vec<Vec<Value>> {
        if bound.iter().all(Option::is_none) {
            return self.rows.clone();
        }
        // Columns beyond the 64th take no part in the index and are compared row by row.
        let indexed = &bound[..bound.len().min(64)];
        let mask = indexed.iter().enumerate().fold(0u64, |mask, (at, value)| mask | (u64::from(value.is_some()) << at));
        let rows = &self.rows;
        let index = self.indexes.entry(mask).or_insert_with(|| {
            let mut index = Positions::default();
            for (position, row) in rows.iter().enumerate() {
                let key = row.iter().take(64).enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, value)| *value).collect();
                index.entry(key).or_default().push(u32::try_from(position).expect("the budget keeps tables below 2^32 rows"));
            }
            index
        });
        let key: Vec<Value> = indexed.iter().flatten().copied().collect();
        let found = index.get(&key).map_or(&[] as &[u32], Vec::as_slice);
        let fits = |row: &&Vec<Value>| row.iter().zip(bound).skip(64).all(|(cell, value)| value.is_none_or(|value| value == *cell));
        found.iter().map(|at| &rows[*at as usize]).filter(fits).cloned().collect()
    }
}

/// The facts of an estate and what is true of Azure as relations: every relation of the catalog. Rows are converted and indexed when first asked for.
pub struct FactRelations {
    facts: Mutex<FxHashMap<&'static str, Vec<Fact>>>,
    truth: FxHashMap<&'static str, Vec<Vec<String>>>,
    tables: Mutex<FxHashMap<String, Arc<Mutex<Table>>>>,
}

impl FactRelations {
    /// The relations of `index` as it is now.
    pub fn new(index: &Index) -> FactRelations {
        let mut facts: FxHashMap<&'static str, Vec<Fact>> = FxHashMap::default();
        for fact in index.facts() {
            facts.entry(fact.relation().name).or_default().push(fact);
        }
        let mut truth: FxHashMap<&'static str, Vec<Vec<String>>> = FxHashMap::default();
        for (relation, cells) in Platform::builtin().cells() {
            truth.entry(relation).or_default().push(cells);
        }
        FactRelations { facts: Mutex::new(facts), truth, tables: Mutex::default() }
    }

    fn table(&self, relation: &str) -> Option<Arc<Mutex<Table>>> {
        let mut tables = lock(&self.tables);
        if let Some(table) = tables.get(relation) {
            return Some(Arc::clone(table));
        }
        let entry = RELATIONS.iter().chain(readable()).find(|entry| entry.name == relation)?;
        let facts = lock(&self.facts).remove(relation).unwrap_or_default();
        let kinds: Vec<Type> = entry.columns.iter().map(|(_, kind)| catalog_type(kind)).collect();
        let truth = self.truth.get(relation).into_iter().flatten().cloned();
        let cells = facts.iter().map(Fact::cells).chain(truth);
        let rows = cells.map(|cells| cells.iter().zip(&kinds).map(|(cell, kind)| kind.read(cell)).collect());
        let table = Arc::new(Mutex::new(Table::new(rows)));
        tables.insert(relation.to_owned(), Arc::clone(&table));
        Some(table)
    }
}

impl Relations for FactRelations {
    fn declarations(&self) -> Vec<Declaration> {
        catalog()
    }

    fn rows(&self, relation: &str, bound: &[Option<Value>]) -> Result<Vec<Vec<Value>>, String> {
        let table = self.table(relation).ok_or_else(|| format!("there is no relation `{relation}`"))?;
        Ok(lock(&table).matching(bound))
    }
}

/// The declarations of every relation of the catalog.
pub fn catalog() -> Vec<Declaration> {
    let declaration = |entry: &&crate::facts::Relation| Declaration {
        name: entry.name.to_owned(),
        columns: entry.columns.iter().map(|(name, kind)| ((*name).to_owned(), catalog_type(kind))).collect(),
        needs: Vec::new(),
        doc: entry.doc.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned(),
    };
    RELATIONS.iter().chain(readable()).map(declaration).collect()
}

/// The relations of platform truth that programs read: service tags have too many rows to list.
fn readable() -> impl Iterator<Item = &'static &'static crate::facts::Relation> {
    PLATFORM.iter().filter(|relation| relation.name != "service_tag")
}

/// The type that the catalog spells; it spells only these five.
fn catalog_type(word: &str) -> Type {
    Type::parse(word).unwrap_or(Type::Symbol)
}

/// A table is whole between two calls, so a panic elsewhere does not make it unusable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
