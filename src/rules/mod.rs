//! Rows to derived rows: what Azure does, one concept a file, in the order a packet meets them.
//!
//! A concept is a pure function over the rows of one small group; the dataflow calls it in a `reduce` over such groups, and the
//! evaluation of single points calls it on rows it looked up. So both say the same by construction, and the naive walk in the tests
//! says it independently.

pub mod admin;
pub mod azure_firewall;
pub mod balancer;
pub mod between;
pub mod boundary;
pub mod class;
pub mod consent;
pub mod derive;
pub mod derive_access;
pub mod derive_leaks;
mod derive_networks;
mod derive_places;
pub mod dns;
pub mod egress;
pub mod endpoint_policy;
pub mod filter;
mod front_end_route;
pub mod gateway;
pub mod hub;
pub mod input;
pub mod lead;
pub mod leak;
pub mod limits;
pub mod manager;
pub mod network;
pub mod observed;
pub mod outbound;
pub mod outbound_hosts;
pub mod paas_firewall;
pub mod part;
pub mod peering;
pub mod perimeter;
pub mod private_endpoint;
pub mod private_link;
pub mod route;
pub mod service_endpoint;
pub mod side;
pub mod store_side;
pub mod tag;
pub mod terrain;
