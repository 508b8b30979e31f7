//! Where data can leave: paths over machines and stores, across the trust boundary.

use crate::explain::way::{Assumption, End};
use crate::explain::world::World;
use crate::model::{Set, Via};

/// One leg of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where it starts.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// How the two are joined.
    pub via: Via,
    /// What gets through.
    pub traffic: Set,
}

/// A way for data from one end to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Where the data is.
    pub from: End,
    /// Where it ends up.
    pub to: End,
    /// The legs, in their order.
    pub hops: Vec<Hop>,
    /// Whether every leg is proven.
    pub proven: bool,
    /// What is taken for granted; empty where proven.
    pub assumptions: Vec<Assumption>,
}

/// The paths from `from` (everywhere inside) to `to` (whatever is outside).
pub fn paths(_world: &World<'_>, _from: Option<&[End]>, _to: Option<&[End]>) -> Vec<Path> {
    Vec::new()
}
