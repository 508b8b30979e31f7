//! Why, and why not: one flow, evaluated on the settled facts, with every step of the way.

pub mod effective;
pub mod point;
pub mod way;
pub mod world;
