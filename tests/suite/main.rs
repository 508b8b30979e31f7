//! The one test binary.

mod cli;
mod ingest;
mod queries;
mod reports;
mod selectors;
