//! The one test binary.

mod cli;
mod ingest;
mod selectors;
