//! The vocabulary, no logic: ids, prefixes, sets of traffic, verdicts.

pub mod handle;
pub mod ids;
pub mod items;
pub mod net;
pub mod ranges;
pub mod traffic;
pub mod verdict;

pub use handle::Handle;
pub use ids::Sym;
pub use net::Prefix;
pub use ranges::Ranges;
pub use traffic::{Proto, Set, Span};
pub use verdict::{Stage, Tri, Verdict, Via};
