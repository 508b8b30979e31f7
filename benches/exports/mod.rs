//! Exports of three estates: the hub-and-spoke one of `watertight generate`, a richer one on top of it, and one of private endpoints. Each is the
//! same on every machine: what is not generated from a fixed seed has fixed names and no chance.

mod private;
mod rich;
mod row;

pub use private::private;
pub use rich::rich;

use watertight::generate::{Options, Shape, write};

/// The Resource Graph export of a generated hub-and-spoke estate.
pub fn hub_spoke(subnets: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = Options { subnets: subnets as _, seed: 7, shape: Shape::HubSpoke };
    write(&options, &mut bytes).expect("a generated estate is written to memory");
    bytes
}
