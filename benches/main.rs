//! All benches in one binary: `cargo bench`, or `cargo bench -- what_if` for one group.

#![allow(missing_docs, reason = "criterion's macros write functions without any")]

mod estate;
mod ingest;
mod settle;
mod what_if;

criterion::criterion_main!(ingest::benches, settle::benches, what_if::benches);
