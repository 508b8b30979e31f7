//! The one shape of row that groups are made of: a key, and a part of what the group is about.
//!
//! Few row shapes keep the build small: every pair of types under a join or a reduce is compiled anew.

use differential_dataflow::VecCollection;
use differential_dataflow::lattice::Lattice;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::implementations::ValSpine;
use timely::progress::Timestamp;

use crate::facts::Fact;
use crate::model::{Handle, Prefix, Span, Sym, Tri};
use crate::rules::filter::Program;
use crate::rules::gateway::GatewayRoutes;
use crate::rules::route::{Context, Network};

/// What a group is keyed by; the second half is empty where one id is enough.
pub type Key = (Sym, Sym);

/// The key of one id.
pub fn key(id: Sym) -> Key {
    (id, Sym::EMPTY)
}

/// The filters of one security group, compiled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Programs {
    /// Inbound rules.
    pub inbound: Program,
    /// Outbound rules.
    pub outbound: Program,
}

/// How a packet goes from the routes of its source's subnet to the network of its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Link {
    /// Delivered in `to`, for a source in `from`; an empty `from` stands for a source in any network.
    Direct {
        /// The network of the source.
        from: Sym,
        /// The network of the destination.
        to: Sym,
    },
    /// Handed to something whose behaviour is not known: it may end anywhere.
    Anywhere,
}

/// A part of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Part {
    /// A fact of the group's own key.
    Fact(Fact),
    /// A fact about something the key refers to.
    Other(Fact),
    /// The key refers to this, or is asked for by it.
    Ref(Sym),
    /// A prefix of another network, seen through a third.
    Beyond {
        /// The network in the middle.
        through: Sym,
        /// The spaces of its peers.
        spaces: Handle<Vec<(Sym, Prefix)>>,
    },
    /// What the network's own gateways offer.
    Gateways(Handle<GatewayRoutes>),
    /// What a peer's gateways offer.
    RemoteGateways(Sym, Handle<GatewayRoutes>),
    /// The network, compiled.
    Network(Handle<Network>),
    /// The effective routes, compiled.
    Context(Handle<Context>),
    /// A security group, compiled.
    Programs(Sym, Handle<Programs>),
    /// Where a machine stands.
    Place(Handle<Place>),
    /// What its subnet says.
    Standing(Standing),
    /// It is a member of the application security group: surely, or perhaps.
    Member(Sym, Tri),
    /// A row of what may leave towards, or enter from, the addresses of a block, where no longer block of the same group says otherwise.
    Row {
        /// The block of the other side.
        block: Handle<Prefix>,
        /// How the two sides are joined.
        link: Link,
        /// What gets through on this side.
        span: Span,
    },
}

/// One address configuration of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The configuration.
    pub ip_config: Sym,
    /// Its interface.
    pub nic: Sym,
    /// Its subnet.
    pub subnet: Sym,
    /// The group of its interface; empty without one.
    pub nsg: Sym,
    /// Its address.
    pub address: std::net::IpAddr,
}

/// What a subnet says about those who stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Standing {
    /// The network.
    pub vnet: Sym,
    /// The route table; empty without one.
    pub table: Sym,
    /// The security group; empty without one.
    pub nsg: Sym,
}

/// A collection of parts.
pub type Parts<'s, T> = VecCollection<'s, T, (Key, Part), isize>;
/// The same, arranged by key.
pub type ByKey<'s, T> = Arranged<'s, TraceAgent<ValSpine<Key, Part, T, isize>>>;

/// A time of the dataflow.
pub trait Time: Timestamp + Lattice {}
impl<T: Timestamp + Lattice> Time for T {}

/// What a join makes of two parts with the same key.
pub type Joined = fn(&Key, &Part, &Part) -> Option<(Key, Part)>;

/// Joins two arrangements; a function pointer, so that all joins share one instance.
pub fn join<'s, T: Time>(left: &ByKey<'s, T>, right: &ByKey<'s, T>, logic: Joined) -> Parts<'s, T> {
    left.clone().join_core(right.clone(), logic)
}

/// What a reduction makes of a group: its parts without their counts, in order, and where the output goes.
pub type Reduction = Box<dyn Fn(&Key, &[Part], &mut Vec<(Part, isize)>)>;

/// Reduces groups of a set of parts.
pub fn reduce<'s, T: Time>(parts: Parts<'s, T>, name: &str, logic: Reduction) -> Parts<'s, T> {
    let mut group: Vec<Part> = Vec::new();
    parts.reduce_named(name, move |key, input, output| {
        group.clear();
        group.extend(input.iter().map(|(part, _)| **part));
        logic(key, &group, output);
    })
}
