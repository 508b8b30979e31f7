//! The live estate: facts in, settled relations out, kept up to date under edits.

pub mod blockers;
mod channels;
pub mod exfil;
pub mod live;
mod strangers;
mod worker;
