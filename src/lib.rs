//! Proves what can reach what in an Azure estate, and where data can leave it.
//!
//! The modules, in the order the data meets them:
//!
//! - [`ingest`]: bytes to resources, whatever format they came in.
//! - [`facts`]: resources to flat rows, the public interface between what was exported and what is derived.
//! - [`rules`]: rows to derived rows: what Azure does, one concept a file.
//! - [`engine`]: the live estate: facts in, settled relations out, kept up to date under edits.
//! - [`explain`]: one flow, with every step of every way.
//! - [`syntax`] and [`query`]: checks in Datalog over facts and derived relations.
//! - [`report`]: answers as people and programs read them.
//! - [`config`], [`generate`], [`cli`]: what a person states, synthetic estates, the command line.
//! - [`model`] and [`diag`]: the vocabulary and the messages that all of them share.

pub mod cli;
pub mod config;
pub mod diag;
pub mod engine;
pub mod explain;
pub mod facts;
pub mod generate;
pub mod ingest;
pub mod model;
pub mod query;
pub mod report;
pub mod rules;
pub mod syntax;
