//! The one test binary.

mod cli;
mod front_pages;
mod ingest;
mod private_access;
mod queries;
mod reports;
mod selectors;
