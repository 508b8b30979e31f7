//! Interned values: what is compiled once and carried through rows as a number.
//!
//! Equal values have equal handles, whoever made them; a row that carries a handle changes when, and only when, the value does. The
//! tables are shared by all threads of the process and never shrink.

use std::any::{Any, TypeId};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock, RwLock};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that can be interned.
pub trait Interned: Eq + Hash + Send + Sync + fmt::Debug + 'static {}
impl<T: Eq + Hash + Send + Sync + fmt::Debug + 'static> Interned for T {}

/// The number of an interned value.
pub struct Handle<T> {
    id: u32,
    of: PhantomData<fn() -> T>,
}

struct Table<T> {
    by_value: FxHashMap<Arc<T>, u32>,
    values: Vec<Arc<T>>,
}

fn tables() -> &'static RwLock<FxHashMap<TypeId, Arc<dyn Any + Send + Sync>>> {
    static TABLES: OnceLock<RwLock<FxHashMap<TypeId, Arc<dyn Any + Send + Sync>>>> = OnceLock::new();
    TABLES.get_or_init(RwLock::default)
}

fn table<T: Interned>() -> Arc<RwLock<Table<T>>> {
    let found = tables().read().expect("no thread panics while it interns").get(&TypeId::of::<T>()).cloned();
    let table = found.unwrap_or_else(|| {
        let mut tables = tables().write().expect("no thread panics while it interns");
        let fresh =
            || Arc::new(RwLock::new(Table::<T> { by_value: FxHashMap::default(), values: Vec::new() })) as Arc<dyn Any + Send + Sync>;
        tables.entry(TypeId::of::<T>()).or_insert_with(fresh).clone()
    });
    table.downcast::<RwLock<Table<T>>>().expect("a table is kept under the type of its values")
}

impl<T: Interned> Handle<T> {
    /// Interns `value`.
    pub fn new(value: T) -> Handle<T> {
        let table = table::<T>();
        if let Some(&id) = table.read().expect("no thread panics while it interns").by_value.get(&value) {
            return Handle { id, of: PhantomData };
        }
        let mut table = table.write().expect("no thread panics while it interns");
        if let Some(&id) = table.by_value.get(&value) {
            return Handle { id, of: PhantomData };
        }
        let id = u32::try_from(table.values.len()).expect("fewer than 2^32 different values");
        let kept = Arc::new(value);
        table.values.push(kept.clone());
        table.by_value.insert(kept, id);
        Handle { id, of: PhantomData }
    }

    /// The number: the same for equal values, in this process.
    pub fn number(self) -> u32 {
        self.id
    }

    /// The value.
    pub fn get(self) -> Arc<T> {
        table::<T>().read().expect("no thread panics while it interns").values[self.id as usize].clone()
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Handle<T> {}
impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl<T> Eq for Handle<T> {}
impl<T> PartialOrd for Handle<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Handle<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id.cmp(&other.id)
    }
}
impl<T> Hash for Handle<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}
impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.id)
    }
}
// Rows travel between the threads of one process, where the number is enough; a cluster would send the value.
impl<T> Serialize for Handle<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.id)
    }
}
impl<'de, T> Deserialize<'de> for Handle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Handle { id: u32::deserialize(deserializer)?, of: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_of_one_type_share_a_handle() {
        assert_eq!(Handle::new(vec![1_u8]), Handle::new(vec![1_u8]));
        assert_ne!(Handle::new(vec![1_u8]), Handle::new(vec![2_u8]));
        assert_eq!(*Handle::new("text".to_owned()).get(), "text");
    }
}
