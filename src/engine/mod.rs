//! The live estate: facts in, settled relations out, kept up to date under edits.

mod channels;
pub mod exfil;
pub mod live;
mod worker;
