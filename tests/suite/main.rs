//! The one test binary.

mod agreement;
mod coverage;
mod estates;
mod evaluators;
mod oracle;
mod scenario_format;
mod scenarios;
