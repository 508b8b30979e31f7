//! t
pub mod model; pub mod facts; pub mod ingest; pub mod explain;
