//! Why, and why not: one flow, evaluated on the settled facts, with every step of the way.

pub mod effective_dns;
pub mod exposure;
pub mod store;
pub mod transport;
pub mod way;
pub mod world;
