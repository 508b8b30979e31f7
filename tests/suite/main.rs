//! The one test binary.
mod queries;
