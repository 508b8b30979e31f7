//! A person's Datalog, and the shipped checks, which are written in the same.
//!
//! Text goes through stages, each with a type of its own: [`crate::syntax`] gives a tree, [`check`] resolves it (relations, arity,
//! types, safety, no recursion), [`plan`] orders the conditions of each rule, [`eval`] evaluates over any [`Relations`]. [`verify`] runs
//! many checks and judges, [`render`] prints the report, [`snapshot`] compares it with what a person has approved.

pub mod check;
pub mod derived;
mod derived_checks;
mod derived_names;
pub mod derived_proof;
pub mod error;
pub mod estate;
pub mod eval;
pub mod function;
pub mod library;
pub mod lint;
pub mod plan;
pub mod program;
pub mod relations;
pub mod render;
mod scope;
pub mod shipped;
pub mod snapshot;
pub mod value;
pub mod verify;

pub use error::QueryError;
pub use estate::EstateRelations;
pub use eval::{Answers, DEFAULT_BUDGET, evaluate};
pub use program::{Program, Severity, Violation};
pub use relations::{Declaration, FactRelations, Relations};
pub use value::{Type, Value};
pub use verify::{Check, Report};
