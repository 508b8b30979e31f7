//! Resources to relations: the public interface between what was exported and what is derived from it.
//!
//! `network`, `azure_firewall`, `load_balancing`, `manager`, `hub`, `private_access`, `store_facts`, `config` and `gap` declare the relations, `catalog` lists them, `extract` writes them, one file
//! an Azure resource type, `service` tells services apart, `index` keeps them findable, `store` writes them to files and reads them back, `platform` holds what is
//! true of Azure itself.

#[macro_use]
mod macros;

pub mod azure_firewall;
pub mod catalog;
pub mod config;
pub mod estate;
pub mod extract;
pub mod gap;
pub mod hub;
pub mod index;
pub mod load_balancing;
pub mod manager;
pub mod network;
pub mod platform;
pub mod private_access;
pub mod selector;
pub mod service;
pub mod store;
pub mod store_facts;

pub use catalog::{Fact, Relation};
pub use index::Index;
