//! t
pub mod explain;
pub mod facts;
pub mod ingest;
pub mod model;
pub mod query;
pub mod syntax;
