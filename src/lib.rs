//! t
pub mod engine;
pub mod explain;
pub mod facts;
pub mod generate;
pub mod ingest;
pub mod model;
pub mod rules;
