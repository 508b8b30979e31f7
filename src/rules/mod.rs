//! Rows to derived rows: what Azure does, one concept a file, in the order a packet meets them.
//!
//! A concept is a pure function over the rows of one small group; the dataflow calls it in a `reduce` over such groups, and the
//! evaluation of single points calls it on rows it looked up. So both say the same by construction, and the naive walk in the tests
//! says it independently.

pub mod admin;
pub mod azure_firewall;
pub mod balancer;
pub mod between;
pub mod consent;
pub mod derive;
pub mod dns;
pub mod endpoint_policy;
pub mod filter;
pub mod gateway;
pub mod hub;
pub mod limits;
pub mod manager;
pub mod network;
pub mod outbound;
pub mod paas_firewall;
pub mod part;
pub mod peering;
pub mod private_endpoint;
pub mod route;
pub mod service_endpoint;
pub mod side;
pub mod tag;
