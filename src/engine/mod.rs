//! The live estate: facts in, settled relations out, kept up to date under edits.

mod account;
pub mod blockers;
pub mod bounds;
mod channels;
mod edges;
pub mod exfil;
mod fronts;
mod gates;
pub mod live;
mod pulls;
mod residents;
pub mod search;
mod strangers;
mod worker;
