//! The independent judge: one packet is walked through the facts, three-valued, with plain loops over plain lists.
//!
//! It shares no logic with the rules of the product, only the rows and the words of the answer. `world` holds the rows; `packet` the packet
//! and the outcome of a walk; `address` who owns an address; `filter` and `tag` security groups; `links` and `route` which next hop wins; `manager` network managers,
//! `routing` their routes; `hub` virtual hubs;
//! `proxy` application gateways and bastions; `proxied` what they pass on;
//! `walk` the way itself, `gateway` its part on premises, `balance` load balancers, `azure_firewall` what an Azure Firewall does with a packet, `deliver` its end and the way back; `egress` how the internet sees a machine;
//! `dns`, `endpoint`, `hidden`, `store`, `firewall` and `paas` names, private endpoints and the front ends of stores; `ends` and `stores_by_name` the quantifiers
//! of "one of" and "every"; `perimeter`, `private_link` and `callers` what PaaS resources may do in their own name; `leak` the naive exfiltration.

pub mod address;
pub mod azure_firewall;
pub mod balance;
pub mod callers;
pub mod deliver;
pub mod dns;
pub mod egress;
pub mod endpoint;
pub mod ends;
pub mod filter;
pub mod firewall;
pub mod gateway;
pub mod hidden;
pub mod hub;
mod instances;
mod leads;
pub mod leak;
pub mod links;
pub mod manager;
pub mod paas;
pub mod packet;
pub mod perimeter;
pub mod private_link;
pub mod proxied;
pub mod proxy;
pub mod route;
pub mod routing;
pub mod store;
pub mod stores_by_name;
pub mod tag;
pub mod walk;
pub mod world;

use std::collections::BTreeSet;

use watertight::explain::way::{End, Mode};
use watertight::facts::Fact;
use watertight::facts::platform::Platform;
use watertight::model::{Proto, Stage, Sym, Verdict, Via};

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

impl Ask {
    /// Whether neither end is a service of the input, an endpoint or a literal address.
    fn is_by_addresses_of_machines(&self) -> bool {
        let sends = match self.from {
            End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Site(_) | End::Internet(_) => true,
            End::Ip(_) | End::Store(..) | End::Fqdn(_) | End::PrivateEndpoint(_) => false,
            End::External(_) | End::Network(_) | End::Unmodelled(_) => false,
        };
        let takes = match self.to {
            End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Site(_) | End::Internet(None) => true,
            End::External(_) => true,
            End::Internet(Some(_)) | End::Ip(_) | End::Store(..) | End::Fqdn(_) | End::PrivateEndpoint(_) => false,
            End::Network(_) | End::Unmodelled(_) => false,
        };
        sends && takes
    }
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

impl OracleAnswer {
    /// Nothing is proven where a value could not be read, but for one of a private endpoint: its address is no machine's.
    fn doubted_by(mut self, facts: &BTreeSet<Fact>, ask: &Ask) -> OracleAnswer {
        let endpoint = |id: Sym| facts.iter().any(|fact| matches!(fact, Fact::PrivateEndpoint(row) if row.endpoint == id));
        // To who dials whatever leads to a machine it may be one more way, and closes none.
        let adds = ask.mode == Mode::Adversarial && self.verdict == Verdict::Denied;
        let matters = |id: Sym| !endpoint(id) || !ask.is_by_addresses_of_machines() || adds;
        if facts.iter().any(|fact| matches!(fact, Fact::Unread(row) if matters(row.resource))) {
            (self.verdict, self.stage, self.rule) = (Verdict::Unproven, Stage::Route, String::new());
            self.codes.insert("W-MISSING");
            self.stages.insert(Stage::Route);
        }
        self
    }
}

/// Answers one flow from the facts.
pub fn answer(facts: &BTreeSet<Fact>, platform: &Platform, ask: &Ask) -> OracleAnswer {
    let world = World::new(facts, platform);
    let without = world.answer(ask);
    // Whether a manager's routes are deployed stands nowhere: what holds with and without them is so (RTE-24).
    let with = world.routing_collections.iter().map(|collection| {
        let facts = world.with_routes_of(facts, collection);
        World::new(&facts, platform).answer(ask)
    });
    with.fold(without, OracleAnswer::or).doubted_by(facts, ask)
}

impl OracleAnswer {
    /// The answer where it is not known which of two worlds is the real one.
    fn or(self, other: OracleAnswer) -> OracleAnswer {
        if self.verdict == other.verdict {
            return self;
        }
        let mut both = if self.verdict == Verdict::Unproven { self.clone() } else { other.clone() };
        both.verdict = Verdict::Unproven;
        both.stages = self.stages.union(&other.stages).copied().chain([Stage::Route]).collect();
        both.vias = self.vias.union(&other.vias).copied().collect();
        both.codes = self.codes.union(&other.codes).copied().chain(["W-AVNM-DYN"]).collect();
        both
    }
}
