//! A packet on its way, and where it can stand.

use std::net::IpAddr;

use crate::explain::services::FrontEnd;
use crate::explain::way::{Kind, Step};
use crate::explain::world::World;
use crate::model::{Span, Stage, Sym, Tri};
use crate::rules::azure_firewall::Named;
use crate::rules::filter::SourcePorts;
use crate::rules::tag::{Party, Place};

/// A place that sends and answers: one address configuration, or a machine that could be placed in a subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its private address.
    pub ip: IpAddr,
    /// Its address configuration; empty for a machine that is only imagined.
    pub ip_config: Sym,
    /// Its interface; empty as above.
    pub nic: Sym,
    /// Its subnet.
    pub subnet: Sym,
    /// Its network.
    pub vnet: Sym,
}

impl Host {
    /// An imagined machine at `ip` in `subnet`, without rules of its own (ADR-16).
    pub fn imagined(world: &World<'_>, subnet: Sym, ip: IpAddr) -> Host {
        Host { ip, ip_config: Sym::EMPTY, nic: Sym::EMPTY, subnet, vnet: world.vnet_of(subnet) }
    }

    /// The same at the first address of the subnet's least range; `None` where the input tells none.
    pub fn first_in(world: &World<'_>, subnet: Sym) -> Option<Host> {
        let least = world.index.subnet_prefixes.get(subnet).iter().map(|row| row.prefix).min()?;
        Some(Host::imagined(world, subnet, least.network()))
    }

    /// Whether nothing is known of where it stands: it has no address in the input, nor is its subnet there with its range. Its address stands for none.
    pub fn is_nowhere(&self, world: &World<'_>) -> bool {
        self.ip.is_unspecified() && !self.ip_config.is_empty() && !world.is_subnet_known(self.subnet)
    }

    /// The machine behind the interface, else the interface itself, else the subnet: what a person would name.
    pub fn name(&self, world: &World<'_>) -> Sym {
        if self.nic.is_empty() {
            return self.subnet;
        }
        world.index.nic_machine.one(self.nic).map_or(self.nic, |row| row.machine)
    }
}

/// The source of a packet as filters see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// One address.
    At(IpAddr),
    /// Some public IPv4 address.
    SomePublic,
}

impl Seen {
    /// The place a filter compares.
    pub fn place(&self) -> Place<'static> {
        match self {
            Seen::At(ip) => Place::At(*ip),
            Seen::SomePublic => Place::SomePublic,
        }
    }
}

/// A packet: what its two address fields say, and who is behind them.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The source address.
    pub src: Seen,
    /// The security groups of the source address.
    pub src_asgs: Vec<(Sym, Tri)>,
    /// The destination address.
    pub dst: IpAddr,
    /// The security groups of the destination address.
    pub dst_asgs: Vec<(Sym, Tri)>,
    /// Whether its source port is the sender's own.
    pub ports: SourcePorts,
    /// The public front end it is for, in place of the address.
    pub service: Option<FrontEnd>,
    /// What the sender calls the destination.
    pub name: Named,
}

impl Packet {
    /// The source end.
    pub fn source(&self) -> Party<'_> {
        Party { place: self.src.place(), asgs: &self.src_asgs }
    }
    /// The destination end.
    pub fn destination(&self) -> Party<'_> {
        match &self.service {
            Some(front_end) => Party { place: Place::Service(&front_end.class), asgs: &[] },
            None => Party { place: Place::At(self.dst), asgs: &self.dst_asgs },
        }
    }
}

/// A step under construction: certain, deciding nothing in particular.
pub fn step(stage: Stage, span: Span, label: &'static str, text: String) -> Step {
    Step {
        stage,
        span,
        resource: Sym::EMPTY,
        rule: String::new(),
        source: Sym::EMPTY,
        text,
        kind: Kind::Rule,
        label,
        code: "",
        taken: None,
    }
}

/// Fluent details of a step.
pub trait StepExt {
    /// The resource that decides and the item inside it.
    fn by(self, resource: Sym, rule: impl Into<String>) -> Self;
    /// The resource whose place in the input is the fact's.
    fn at_fact(self, source: Sym) -> Self;
    /// The kind of premise.
    fn kind(self, kind: Kind) -> Self;
    /// The code of what is not certain.
    fn code(self, code: &'static str) -> Self;
}

impl StepExt for Step {
    fn by(mut self, resource: Sym, rule: impl Into<String>) -> Step {
        self.resource = resource;
        self.rule = rule.into();
        self
    }
    fn at_fact(mut self, source: Sym) -> Step {
        self.source = source;
        self
    }
    fn kind(mut self, kind: Kind) -> Step {
        self.kind = kind;
        self
    }
    fn code(mut self, code: &'static str) -> Step {
        self.code = code;
        self
    }
}

/// The last segment of an id: what people call a resource.
pub fn short(id: Sym) -> &'static str {
    id.as_str().rsplit('/').next().unwrap_or("")
}
