//! Rows to derived rows: what Azure makes of what the input says, one concept a file.
//!
//! Each rule is a small function over rows; `explain` calls it for one flow, the dataflow for all of them.

pub mod consent;
pub mod dns;
pub mod endpoint_policy;
pub mod paas_firewall;
pub mod private_endpoint;
pub mod service_endpoint;
