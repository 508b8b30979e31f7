//! Why, and why not: one flow, evaluated on the settled facts, with every step of the way.

pub mod back;
pub mod candidates;
pub mod devices;
pub mod dns_reach;
pub mod effective;
pub mod effective_dns;
pub mod exposure;
pub mod filters;
pub mod outsiders;
pub mod packet;
pub mod pieces;
pub mod point;
pub mod reach;
pub mod services;
pub mod store;
pub mod stores;
pub mod transport;
pub mod walk;
pub mod way;
pub mod world;
