//! The one test binary.

mod cli;
mod front_pages;
mod ingest;
mod listing;
mod private_access;
mod queries;
mod selectors;
mod verify;
