//! The live estate: facts in, settled relations out, kept up to date under edits.

pub mod blockers;
pub mod bounds;
mod channels;
pub mod exfil;
mod gates;
pub mod live;
mod strangers;
mod worker;
