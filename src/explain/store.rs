//! placeholder
use crate::explain::{point::Pairs, way::Flow, world::World};
/// placeholder
pub fn pairs(_w: &World<'_>, _f: &Flow) -> Option<Pairs> {
    None
}
