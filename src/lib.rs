//! t
pub mod cli;
pub mod config;
pub mod diag;
pub mod explain;
pub mod facts;
pub mod generate;
pub mod ingest;
pub mod model;
pub mod query;
pub mod report;
pub mod syntax;
