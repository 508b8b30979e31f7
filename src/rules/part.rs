//! The one shape of row that groups are made of: a key, and a part of what the group is about.
//!
//! Few row shapes keep the build small: every pair of types under a join or a reduce is compiled anew.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::lattice::Lattice;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::implementations::{ValBuilder, ValSpine};
use timely::progress::Timestamp;

use std::net::IpAddr;

use crate::facts::Fact;
use crate::facts::private_access::PrivateEndpointConnection;
use crate::facts::store_facts::Service;
use crate::model::{Handle, Prefix, Span, Sym, Tri};
use crate::rules::boundary::Boundary;
use crate::rules::class::Class;
use crate::rules::egress::Outlook;
use crate::rules::filter::Program;
use crate::rules::gateway::GatewayRoutes;
use crate::rules::leak::{Hook, Leak, Node, Side, Sink};
use crate::rules::network::Spaces;
use crate::rules::paas_firewall::{Origin, Source};
use crate::rules::route::{Context, Network};
use crate::rules::terrain::Terrain;

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
    /// What a network sees through another.
    Beyond {
        /// The network in the middle.
        through: Sym,
        /// The spaces of its peers.
        spaces: Handle<Spaces>,
    },
    /// What the network's own gateways offer.
    Gateways(Handle<GatewayRoutes>),
    /// What a peer's gateways offer.
    RemoteGateways(Sym, Handle<GatewayRoutes>),
    /// The network, compiled.
    Network(Handle<Network>),
    /// The effective routes, compiled.
    Context(Handle<Context>),
    /// The same by block.
    Terrain(Handle<Terrain>),
    /// A security group, compiled.
    Programs(Sym, Handle<Programs>),
    /// Where a machine stands.
    Place(Handle<Place>),
    /// What its subnet says.
    Standing(Standing),
    /// Where something stands.
    Stands {
        /// The subnet, or its network; empty where that is not in the input.
        home: Sym,
        /// What stands there.
        guest: Sym,
    },
    /// The address configuration is a member of the application security group: surely, or perhaps.
    Member {
        /// The configuration.
        config: Sym,
        /// The group.
        asg: Sym,
        /// Whether.
        sure: Tri,
    },
    /// Its class.
    Class(Handle<Class>),
    /// The machine around an interface.
    Body(Handle<Body>),
    /// A member of a class, and where it answers.
    Lodger {
        /// The address configuration.
        config: Sym,
        /// The machine, or the interface without one.
        node: Node,
        /// Its address.
        address: IpAddr,
        /// Whether the guest surely sends by it (ADR-15).
        used: bool,
    },
    /// Rows for a block lead to the network, or come from one to it.
    Mark {
        /// The network.
        to: Sym,
        /// The block.
        block: Prefix,
    },
    /// A block that holds the address of a node.
    Block {
        /// The node.
        node: Node,
        /// The block.
        block: Prefix,
        /// Whether the guest surely sends by that address.
        used: bool,
    },
    /// What leaves for something unknown, or comes from it.
    Far(Side, Span),
    /// What may leave at all.
    Any(Span),
    /// By class: the same of public addresses alone, and what may enter it from them.
    Public(Side, Span),
    /// Members of the class stand in this network, or see it.
    Near(Sym),
    /// What members of the class can send to public addresses.
    Outlook(Outlook),
    /// What stands at a door.
    Hook(Node, Hook),
    /// What leaves a node in one hop.
    Escape(Node, Sink, Span),
    /// What stands outside, at a door.
    Outer(Hook, Sink),
    /// Data at the node can leave.
    Leak(Leak),
    /// A node, and whether bytes rest there.
    Node(Node, bool),
    /// A private endpoint's connection.
    Gate(Handle<Gate>),
    /// What holds of the estate as a whole.
    Boundary(Handle<Boundary>),
    /// Whether the connection of a private endpoint carries traffic (PE-10).
    Consents(Sym, Tri),
    /// Whether a store's firewall lets a kind of source in.
    Admits(Visitor, Tri),
    /// Whether a service endpoint of the subnet covers front ends of the service in the region (SE-15).
    Covers(Service, Sym, Tri),
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

/// What packets show a store of where they come from, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Visitor {
    /// The identity of a subnet; the empty one stands for any that no rule names.
    Subnet(Sym),
    /// The store's own region, without an address that a rule could name (ST-11).
    SameRegion,
    /// Some address of Azure, nobody knows which.
    Azure,
    /// Whatever address of Azure suits the sender best.
    AnyAzure,
    /// Whatever address of the internet suits the sender best.
    AnyInternet,
    /// Some address on premises.
    OnPremises,
}

impl Visitor {
    /// The source as a firewall sees it.
    pub fn source(self) -> Source {
        let some = |origin| Source::Public { addresses: Vec::new(), certain: false, origin };
        let any = |origin| Source::AnyPublic { except: Arc::default(), origin };
        match self {
            Visitor::Subnet(subnet) => Source::ServiceEndpoint { subnet, vnet: Sym::EMPTY, tenant: Sym::EMPTY },
            Visitor::SameRegion => Source::SameRegionAzure,
            Visitor::Azure => some(Origin::Azure),
            Visitor::AnyAzure => any(Origin::Azure),
            Visitor::AnyInternet => any(Origin::Internet),
            Visitor::OnPremises => some(Origin::OnPrem),
        }
    }
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
    /// Its address; `None` where the input does not tell it.
    pub address: Option<IpAddr>,
    /// The application security groups of the interface, each with whether that counts surely (NSG-09). Sorted.
    pub asgs: Vec<(Sym, Tri)>,
    /// The machine, or the interface without one.
    pub node: Node,
    /// Whether the guest surely sends by the interface (ADR-15).
    pub used: bool,
    /// Whether bytes rest at the machine: it is no appliance whose behaviour is stated.
    pub rests: bool,
    /// Something of the machine is not in the input.
    pub missing: bool,
    /// It stands for whatever a service has in the subnet that is delegated to it, which the input does not tell (ADR-09).
    pub service: bool,
    /// The machine is of a flexible scale set (OUT-07).
    pub flexible: bool,
    /// The configuration has an instance public address; surely of IPv4 where `Yes`.
    pub public: Tri,
    /// Some configuration of the interface has one.
    pub public_nic: bool,
    /// It is a member of a load balancer's pool.
    pub pooled: bool,
}

/// What holds of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Body {
    /// The machine.
    pub machine: Sym,
    /// It has no other interface.
    pub sole: bool,
    /// It belongs to a flexible scale set.
    pub flexible: bool,
    /// It is in the input itself.
    pub listed: bool,
    /// One of its interfaces is not in the input.
    pub missing: bool,
    /// What passes one of its interfaces is stated.
    pub stated: bool,
}

/// A private endpoint's connection, with where the endpoint stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gate {
    /// The consumer's row.
    pub connection: PrivateEndpointConnection,
    /// The network of the endpoint, and another one where its interface says so; empty where one is not known.
    pub vnets: Vec<Sym>,
    /// Its addresses for the sub-resource (PE-06).
    pub addresses: Vec<IpAddr>,
}

/// What a subnet says about those who stand in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Standing {
    /// The network.
    pub vnet: Sym,
    /// The route table; empty without one.
    pub table: Sym,
    /// The security group; empty without one.
    pub nsg: Sym,
    /// What leaves for the internet takes a NAT gateway.
    pub nat: bool,
    /// Default outbound access exists (OUT-07).
    pub outbound: Tri,
    /// The subnet is delegated to a service.
    pub delegated: bool,
    /// The services that a service endpoint of the subnet is for, a bit each by [`service_bit`].
    pub services: u32,
}

/// The bit of a service in [`Standing::services`].
pub fn service_bit(service: Service) -> u32 {
    1 << Service::ALL.iter().position(|other| *other == service).unwrap_or(0)
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
    reduce_arranged(&parts.arrange_by_key_named(name), name, logic)
}

/// The same, for parts that several reductions read.
pub fn reduce_arranged<'s, T: Time>(parts: &ByKey<'s, T>, name: &str, logic: Reduction) -> Parts<'s, T> {
    let mut group: Vec<Part> = Vec::new();
    let reduced = parts.clone().reduce_abelian::<_, ValBuilder<Key, Part, T, isize>, ValSpine<Key, Part, T, isize>, _, _>(
        name,
        move |key, input, output| {
            group.clear();
            group.extend(input.iter().map(|(part, _)| **part));
            logic(key, &group, output);
        },
        |updates, key, changes| {
            updates.clear();
            updates.extend(changes.drain(..).map(|(part, time, diff)| ((*key, part), time, diff)));
        },
    );
    reduced.as_collection(|key, part| (*key, *part))
}
