//! What a name resolves to, as `effective dns` prints it.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::explain::world::World;
use crate::rules::dns::{self, Ambiguity, Reach, Resolution, View};

/// The document `watertight.effective-dns/1`: `at` is the selector's own text, `name` the name that was asked for.
///
/// `reach` is as in [`dns::resolve`].
pub fn effective_dns(world: &World<'_>, reach: &dyn Fn(IpAddr) -> Reach, at: &str, view: &View, name: &str) -> Value {
    document(&dns::resolve(world.index, world.platform, reach, view, name), at, name)
}

/// The same for a resolution that is at hand.
pub fn document(resolution: &Resolution, at: &str, name: &str) -> Value {
    let addresses: Vec<String> = resolution.addresses.iter().map(ToString::to_string).collect();
    let mut document = json!({
        "schema": "watertight.effective-dns/1",
        "at": at,
        "name": name,
        "answer": resolution.answer.as_str(),
        "addresses": addresses,
        "chain": resolution.chain,
        "reason": resolution.reason,
    });
    if resolution.ambiguity != Ambiguity::None {
        document["ambiguous"] = true.into();
    }
    document
}
