//! What is printed: rows, answers and explanations, in every format.
//!
//! `rows` are the lines of listings, `listing` renders them, `answer` is what one flow gets, `proof` says why; `traffic` and `text` hold what they share.

pub mod answer;
pub mod changes;
pub mod ends;
pub mod listing;
pub mod proof;
pub mod rows;
pub mod text;
