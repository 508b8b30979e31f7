//! What a person writes by hand: `watertight.toml` and selectors.
//!
//! `selector` reads a selector's text, `resolve` finds what it names in an estate, `toml` turns the file into facts.

mod nothing;
pub mod resolve;
mod scale_set;
pub mod selector;
mod short;
pub mod toml;

pub use resolve::{Names, Side, resolve_end, resolve_many, resolve_place};
pub use selector::{Pattern, SelectorError};
pub use toml::Config;
