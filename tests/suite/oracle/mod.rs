//! The independent judge: one packet is walked through the facts, three-valued, with plain loops over plain lists.
//!
//! It shares no logic with the rules of the product, only the rows and the words of the answer. `world` holds the rows; `packet` the packet
//! and the outcome of a walk; `address` who owns an address; `filter` and `tag` security groups; `links` and `route` which next hop wins; `manager` network managers; `hub` virtual hubs;
//! `proxy` application gateways and bastions;
//! `walk` the way itself, `gateway` its part on premises, `balance` load balancers, `azure_firewall` what an Azure Firewall does with a packet, `deliver` its end and the way back; `egress` how the internet sees a machine;
//! `dns`, `endpoint`, `store`, `firewall` and `paas` names, private endpoints and the front ends of stores; `ends` and `stores_by_name` the quantifiers
//! of "one of" and "every"; `leak` the naive exfiltration.

pub mod address;
pub mod azure_firewall;
pub mod balance;
pub mod deliver;
pub mod dns;
pub mod egress;
pub mod endpoint;
pub mod ends;
pub mod filter;
pub mod firewall;
pub mod gateway;
pub mod hub;
pub mod leak;
pub mod links;
pub mod manager;
pub mod paas;
pub mod packet;
pub mod proxy;
pub mod route;
pub mod store;
pub mod stores_by_name;
pub mod tag;
pub mod walk;
pub mod world;

use std::collections::BTreeSet;

use watertight::explain::way::{End, Mode};
use watertight::facts::Fact;
use watertight::facts::platform::Platform;
use watertight::model::{Proto, Stage, Verdict, Via};

use self::world::World;

/// One flow, with one destination port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The source.
    pub from: End,
    /// The destination.
    pub to: End,
    /// The protocol.
    pub proto: Proto,
    /// The destination port; 0 for a protocol without ports.
    pub dport: u16,
    /// The source port; `None` asks for any of them: all must get through.
    pub sport: Option<u16>,
    /// What the client does about names.
    pub mode: Mode,
    /// Whether TCP needs its way back.
    pub session: bool,
}

/// What the oracle says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleAnswer {
    /// Allowed, denied or unproven.
    pub verdict: Verdict,
    /// Where it was decided.
    pub stage: Stage,
    /// How the ends are joined; `None` where the packet is lost before that shows.
    pub via: Option<Via>,
    /// The deciding item: the name of a rule, a route's prefix, a property.
    pub rule: String,
    /// Warning codes of an unproven answer.
    pub codes: BTreeSet<&'static str>,
    /// Every stage at which one of the ways was refused or doubted: another judge may name any of them.
    pub stages: BTreeSet<Stage>,
    /// How the ends are joined on each of the ways that may work.
    pub vias: BTreeSet<Via>,
}

/// Answers one flow from the facts.
pub fn answer(facts: &BTreeSet<Fact>, platform: &Platform, ask: &Ask) -> OracleAnswer {
    World::new(facts, platform).answer(ask)
}
