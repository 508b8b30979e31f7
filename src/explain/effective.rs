//! Routes, rules and names at one place, in Azure's own shapes.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::config::Place;
use crate::explain::world::World;
use crate::model::Sym;

/// Not available.
pub fn routes(_world: &World, _place: Place, _dst: Option<IpAddr>) -> Value {
    json!({ "error": "not available in this build" })
}

/// Not available.
pub fn rules(_world: &World, _place: Place) -> Value {
    json!({ "error": "not available in this build" })
}

/// Not available.
pub fn dns(_world: &World, _place: Place, name: Sym) -> Value {
    json!({ "error": format!("`effective dns` of {name} is not available in this build") })
}
