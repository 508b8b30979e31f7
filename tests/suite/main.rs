//! The one test binary.
mod ingest;
