//! What the evaluation of one flow is made of: ways, and the steps on them.

use std::net::IpAddr;

use crate::facts::store_facts::{Instance, Service};
use crate::model::{Set, Span, Stage, Sym, Verdict, Via};

/// One end of a flow, as a selector names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// A virtual machine or scale set: one of its addresses (ADR-15).
    Machine(Sym),
    /// A network interface: one of its addresses.
    Nic(Sym),
    /// A machine that could be placed in the subnet, without rules of its own (ADR-16).
    Subnet(Sym),
    /// An address, literally.
    Ip(IpAddr),
    /// The internet: one of its addresses, or the given one (IN-01).
    Internet(Option<IpAddr>),
    /// A site on premises, by the id of its local network gateway or the name of its `[[onprem]]`.
    Site(Sym),
    /// One endpoint of a store (M-07).
    Store(Sym, Sym, Instance),
    /// A host name: the client's own view decides the address.
    Fqdn(Sym),
    /// A private endpoint's own address.
    PrivateEndpoint(Sym),
    /// Any store of the service outside the trust boundary, the attacker's.
    External(Service),
    /// Whoever stands in a network outside the boundary that is joined to ours: the network, a subscription whose requests are approved at once, or, empty,
    /// anybody whose request is.
    Network(Sym),
    /// A resource that is in the input but whose way to send or answer is not modelled.
    Unmodelled(Sym),
}

/// A point of view: where routes, rules or names are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A virtual network.
    Vnet(Sym),
    /// A subnet.
    Subnet(Sym),
    /// A network interface.
    Nic(Sym),
    /// A machine: its primary interface.
    Machine(Sym),
    /// A site on premises, as in [`End::Site`].
    Site(Sym),
    /// The public internet.
    Internet,
}

/// What the client does about names (M-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// Dials the name and obeys the answer.
    #[default]
    Configured,
    /// Dials any address it can route to, with any host name.
    Adversarial,
}

/// One flow to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The source.
    pub from: End,
    /// The destination.
    pub to: End,
    /// What is sent. With several destination ports in it one of them is asked for, with several source ports all of them must pass.
    pub traffic: Set,
    /// What the client does about names.
    pub mode: Mode,
    /// Whether TCP needs its way back (SES-01).
    pub session: bool,
}

/// What kind of premise a step is; the `kind` of a proof node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A rule of ours applied to what stands below it.
    Rule,
    /// Something the input says.
    Fact,
    /// Something Azure does without being told.
    Default,
    /// Something that is not there.
    Absence,
    /// Something taken for granted that the input does not tell.
    Assumption,
}

impl Kind {
    /// The word in a proof.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Rule => "rule",
            Kind::Fact => "fact",
            Kind::Default => "default",
            Kind::Absence => "absence",
            Kind::Assumption => "assumption",
        }
    }
}

/// One thing a packet meets on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where on the way.
    pub stage: Stage,
    /// What of the asked traffic this step alone lets through.
    pub span: Span,
    /// The resource that decides; empty where none does.
    pub resource: Sym,
    /// The deciding item inside it: a rule's name, a prefix, a property such as `defaultAction=Deny`; empty where none does.
    pub rule: String,
    /// The id of the fact's own resource, for its place in the input (a security rule, a route, a record); empty: as `resource`.
    pub source: Sym,
    /// A clause in plain words.
    pub text: String,
    /// What kind of premise it is.
    pub kind: Kind,
    /// The rule of ours that is applied: `filter.1`.
    pub label: &'static str,
    /// The warning code (`W-NVA`, …) or reason code of an answer that is not certain; empty where the step is certain.
    pub code: &'static str,
    /// What a proxy must be sent for it to open the flow that the way goes on with; `None` where the step is about the flow that was asked for.
    pub taken: Option<Set>,
}

/// One way the packet could take. All steps must let it through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// How the ends are joined on this way.
    pub via: Via,
    /// In the order a packet meets them.
    pub steps: Vec<Step>,
}

impl Way {
    /// What gets through all steps.
    pub fn span(&self) -> Span {
        self.steps.iter().fold(Span::ALL, |span, step| span.and(step.span))
    }
}

/// The ways of one flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// Each of them, in the order they were found.
    pub ways: Vec<Way>,
}

/// The item that decided an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Where.
    pub stage: Stage,
    /// The resource that decides; empty where none does.
    pub resource: Sym,
    /// The item inside it.
    pub rule: String,
    /// In plain words.
    pub text: String,
}

/// Something that an unproven answer takes for granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assumption {
    /// A warning or reason code.
    pub code: String,
    /// The resource it is about; empty where none.
    pub resource: Sym,
    /// In plain words.
    pub text: String,
}

impl Assumption {
    /// Sorts by what is printed, and leaves one of each.
    pub fn tidy(assumptions: &mut Vec<Assumption>) {
        assumptions.sort_by(|a, b| (&a.code, a.resource.as_str(), &a.text).cmp(&(&b.code, b.resource.as_str(), &b.text)));
        assumptions.dedup();
    }
}

/// The answer to one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Allowed, denied or unproven.
    pub verdict: Verdict,
    /// How the ends are joined, on the way that decides.
    pub via: Option<Via>,
    /// What decided.
    pub reason: Reason,
    /// Sorted; empty unless unproven.
    pub assumptions: Vec<Assumption>,
    /// What was asked for, or the part of it that surely (else possibly) gets through where several ports were asked for.
    pub traffic: Set,
    /// All ways, for the proof and the blockers.
    pub ways: Vec<Way>,
}
