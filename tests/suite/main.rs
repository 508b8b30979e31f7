//! The one test binary.

mod agreement;
mod azure;
mod clauses;
mod cli;
mod coverage;
mod docs;
mod estates;
mod evaluators;
mod five_questions;
mod front_pages;
mod ingest;
mod layering;
mod lint;
mod listing;
mod observed;
mod oracle;
mod private_access;
mod queries;
mod reports;
mod scenario_format;
mod scenarios;
mod selectors;
mod sessions;
mod strangers;
mod verify;
mod ways_out;
