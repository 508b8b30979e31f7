//! t
pub mod diag;
pub mod explain;
pub mod facts;
pub mod ingest;
pub mod model;
