//! The one test binary.

mod evaluators;
mod oracle;
mod scenario_format;
mod scenarios;
