//! All benches inside one process: `cargo bench --bench benches`, or `cargo bench --bench benches -- what_if` for one group.

#![allow(missing_docs, reason = "criterion's macros write functions without any")]

mod estate;
mod exports;
mod ingest;
mod settle;
mod what_if;

criterion::criterion_main!(ingest::benches, settle::benches, what_if::benches);
