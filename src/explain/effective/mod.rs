//! Routes, rules and names at one place, in Azure's own shapes.

mod routes;
mod rules;

pub use routes::routes;
pub use rules::rules;

use serde_json::{Value, json};

use crate::explain::effective_dns;
use crate::explain::point::first_unread;
use crate::explain::stores::resolve_at;
use crate::explain::way::Place;
use crate::explain::world::World;
use crate::model::Sym;
use crate::rules::dns::{Answer, Resolution};

/// The subnet whose routes and rules count at a place, and its interface where it has one.
fn standing(world: &World<'_>, place: Place) -> (Sym, Sym) {
    match place {
        Place::Subnet(subnet) => (subnet, Sym::EMPTY),
        Place::Nic(nic) => (world.index.ip_configs_by_nic.one(nic).map_or(Sym::EMPTY, |config| config.subnet), nic),
        Place::Machine(machine) => {
            let nics = world.index.nics_by_machine.get(machine).iter().map(|row| row.nic);
            let first = nics.min_by_key(|nic| (!world.index.nic_primary.has(*nic), nic.as_str()));
            standing(world, Place::Nic(first.unwrap_or_default()))
        }
        Place::Vnet(_) | Place::Site(_) | Place::Internet => (Sym::EMPTY, Sym::EMPTY),
    }
}

/// What makes an answer uncertain: something that is named and not in the input (SND-03, SND-04).
fn missing(resource: Sym, text: &str) -> Value {
    json!({ "code": "W-MISSING", "resource": resource.as_str(), "text": text })
}

/// What a name resolves to at a place: not known while something could not be read that may change it, with the addresses that are told without it.
pub fn dns(world: &World<'_>, place: Place, name: Sym) -> Value {
    let mut found = resolve_at(world, place, name);
    if let Some((_, reason)) = first_unread(world.index, &|_| true) {
        found = Resolution { answer: Answer::Unknown, reason, ..found };
    }
    effective_dns::document(&found, "", name.as_str())
}
