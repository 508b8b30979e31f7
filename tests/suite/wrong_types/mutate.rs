//! One value of a body in place of another.

use std::fmt;

use serde_json::{Value, json};

/// A value of another type at one place.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// A JSON pointer into the list of bodies.
    pub pointer: String,
    pub value: Value,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.value, self.pointer)
    }
}

impl Mutation {
    pub fn applied(&self, bodies: &[Value]) -> Vec<Value> {
        let mut bodies = Value::Array(bodies.to_vec());
        *bodies.pointer_mut(&self.pointer).unwrap() = self.value.clone();
        let Value::Array(bodies) = bodies else { unreachable!() };
        bodies
    }

    /// Azure writes `null` for what is not set, so that it says the same as a property that is not there. An item of a list is never `null`.
    pub fn is_absence(&self) -> bool {
        let item = self.pointer.rsplit('/').next().is_some_and(|last| last.parse::<usize>().is_ok());
        self.value.is_null() && !item
    }

    /// Whether a message at `pointer` is about this place: there, below it, or at the object that it is part of.
    pub fn is_near(&self, pointer: &str) -> bool {
        let above = self.pointer.rsplit_once('/').map_or("", |(above, _)| above);
        pointer == above || pointer.strip_prefix(&self.pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// What stands in for a value.
fn others() -> [Value; 7] {
    [json!("nonsense"), json!(7), json!([]), json!({}), json!(null), json!([null]), json!(true)]
}

fn same_type(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

/// Ports are written as numbers and as texts, switches as truth values and as texts.
fn same_meaning(pointer: &str, value: &Value, other: &Value) -> bool {
    let word = |words: [&str; 2]| value.as_str().is_some_and(|text| words.contains(&text));
    other.is_boolean() && word(["True", "False"]) || other.is_number() && pointer.to_lowercase().contains("portrange")
}

/// The keys of the envelope that are changed besides `properties`.
const ENVELOPE: &[&str] = &["type", "name", "location", "tags", "sku", "kind", "properties", "output"];

/// Every value of the bodies, each replaced by values of other types.
pub fn mutations(bodies: &[Value]) -> Vec<Mutation> {
    let mut found = Vec::new();
    for (at, body) in bodies.iter().enumerate() {
        let Value::Object(map) = body else { continue };
        for (key, value) in map.iter().filter(|(key, _)| ENVELOPE.contains(&key.as_str())) {
            walk(value, &format!("/{at}/{key}"), &mut found);
        }
    }
    found
}

fn walk(value: &Value, pointer: &str, found: &mut Vec<Mutation>) {
    for other in others() {
        // A list with nothing in it is a list, but one with `null` in it is none that Azure writes.
        if same_meaning(pointer, value, &other) {
            continue;
        }
        if !same_type(&other, value) || other == json!([null]) {
            found.push(Mutation { pointer: pointer.to_owned(), value: other });
        }
    }
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{at}"), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                walk(item, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}
