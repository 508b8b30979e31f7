//! One grammar for facts, clauses and queries: text to tokens ([`lex`]) to a tree ([`parse`]), and the form of a message that points
//! at the text ([`error`]).
//!
//! Nothing here knows a relation or a type by name; that is the next stage, `query::check`. The grammar does not nest, so no input
//! can exhaust the stack.

pub mod ast;
pub mod error;
pub mod lex;
pub mod parse;
pub mod source;

pub use error::QueryError;
pub use parse::{LARGEST, parse};
pub use source::{Source, Span};
