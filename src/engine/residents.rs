//! Resources inside the boundary whose behaviour is not modelled: where bytes get to them they may rest, and go on.
//!
//! One may stand in subnets, take flows over private endpoints, and run code of its owner in networks of Azure's own. What it does with what it is given
//! is nowhere in the input, so no way over one is proven.

use rustc_hash::FxHashMap;

use crate::engine::edges::{Edge, doubted, either};
use crate::engine::fronts::FlowOf;
use crate::engine::strangers::Strangers;
use crate::explain::callers;
use crate::explain::packet::short;
use crate::explain::way::End;
use crate::explain::world::World;
use crate::facts::private_access::Consent;
use crate::facts::store_facts::PublicAccess;
use crate::model::{Set, Span, Sym, Via};
use crate::rules::private_link as links;

/// One of them.
#[derive(Clone, Debug, Default)]
struct Resident {
    /// The subnets it stands in.
    subnets: Vec<Sym>,
    /// The private endpoints that lead to it.
    endpoints: Vec<Sym>,
    /// It may send to the internet without passing a subnet.
    free: bool,
    /// It may have a public front end, beside the private endpoints, at which it lets anybody in (GEN-04).
    public: bool,
}

/// All of them.
pub(super) struct Residents {
    of: FxHashMap<Sym, Resident>,
    nodes: Vec<End>,
}

impl Residents {
    /// Those of an estate.
    pub(super) fn new(world: &World<'_>) -> Residents {
        let index = world.index;
        let mut of: FxHashMap<Sym, Resident> = FxHashMap::default();
        for id in callers::standing(index).filter(|id| world.ours(*id)) {
            of.entry(id).or_default().subnets = callers::subnets(index, id);
        }
        for row in index.private_endpoint_connections.rows() {
            let target = links::target(index, row.target);
            let modelled = index.store.has(target) || index.private_link_service.has(target);
            let closed = matches!(row.state, Consent::Rejected | Consent::Disconnected);
            if !modelled && !closed && !target.is_empty() && world.inside(target) {
                of.entry(target).or_default().endpoints.push(row.endpoint);
            }
        }
        for id in callers::running(index, world.platform).filter(|id| world.ours(*id)) {
            let resident = of.entry(id).or_default();
            // One that stands in a subnet sends by it what it sends to the internet; an app does so only where it is told to.
            let app = index.store.has(id);
            resident.free = resident.subnets.is_empty() || app && !index.app_routes_all.has(id);
        }
        for (id, resident) in &mut of {
            let closed = |public: PublicAccess| matches!(public, PublicAccess::Disabled | PublicAccess::SecuredByPerimeter);
            let off = index.store_access.one(*id).is_some_and(|row| closed(row.public));
            // What stands in networks of ours has a front end of its own there.
            let in_network = id.as_str().contains("/microsoft.network/");
            resident.public = !resident.endpoints.is_empty() && !index.store.has(*id) && !off && !in_network;
            Sym::sort(&mut resident.endpoints);
            resident.endpoints.dedup();
        }
        let mut nodes: Vec<Sym> = of.keys().copied().filter(|id| !index.store.has(*id)).collect();
        Sym::sort(&mut nodes);
        Residents { of, nodes: nodes.into_iter().map(End::Unmodelled).collect() }
    }

    /// Those that are no stores, as nodes of the graph, in the order of their ids.
    pub(super) fn nodes(&self) -> &[End] {
        &self.nodes
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Whether the end is one of them.
    pub(super) fn holds(&self, end: End) -> bool {
        self.get(end).is_some()
    }

    /// Whether the end is one of them that stands in subnets or behind private endpoints: flows of others come and go for it.
    pub(super) fn is_placed(&self, end: End) -> bool {
        self.get(end).is_some_and(|(_, resident)| !resident.subnets.is_empty() || !resident.endpoints.is_empty())
    }

    fn get(&self, end: End) -> Option<(Sym, &Resident)> {
        let (End::Unmodelled(id) | End::Store(id, ..)) = end else { return None };
        self.of.get(&id).map(|resident| (id, resident))
    }

    /// The subnets and the subnets' like of a resident: where it stands, and where the endpoints to it do.
    pub(super) fn subnets(&self, world: &World<'_>, end: End) -> Vec<Sym> {
        let Some((_, resident)) = self.get(end) else { return Vec::new() };
        let endpoints = resident.endpoints.iter().filter_map(|endpoint| world.index.private_endpoint.one(*endpoint)).map(|row| row.subnet);
        resident.subnets.iter().copied().chain(endpoints).collect()
    }

    /// What may get from one node to another because one of them is a resident.
    pub(super) fn edge(&self, world: &World<'_>, strangers: &Strangers, from: End, to: End, flow: &FlowOf<'_>) -> Option<Edge> {
        let (ours, theirs) = (self.get(from), self.get(to));
        let (id, _) = ours.or(theirs)?;
        let mut best = None;
        // Bytes go with any flow, and against it on a connection alone.
        for (a, b, traffic) in [(from, to, Set::tcp_udp()), (to, from, Set::tcp())] {
            for sender in self.sends(a) {
                for receiver in self.takes(b) {
                    best = either(best, flow(sender, receiver, traffic));
                }
                if let End::Network(_) = b {
                    best = either(best, strangers.edge(world, sender, b, flow));
                }
            }
            if let (Some((id, _)), End::Store(..)) = (self.get(a), b) {
                best = either(best, flow(End::Unmodelled(id), b, traffic)); // in its own name
            }
        }
        if let (Some((_, resident)), End::Internet(None) | End::External(_)) = (ours, to)
            && resident.free
        {
            let open = Span::exactly(Set::tcp_udp());
            best = either(best, Some(Edge { span: open, sure_via: Via::Public, may_via: Via::Public, assumptions: Vec::new() }));
        }
        if let (Some((_, resident)), End::Internet(None)) = (ours, to)
            && resident.public
        {
            let open = Span::exactly(Set::tcp());
            best = either(best, Some(Edge { span: open, sure_via: Via::Public, may_via: Via::Public, assumptions: Vec::new() }));
        }
        let text = format!("what {} does with what it is given is not modelled", short(id));
        best.map(|edge| doubted(edge, "W-UNSUPPORTED", id, text))
    }

    /// As whom a node opens flows.
    fn sends(&self, node: End) -> Vec<End> {
        match (self.get(node), node) {
            (Some((_, resident)), _) => resident.subnets.iter().copied().map(End::Subnet).collect(),
            (None, End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Site(_)) => vec![node],
            _ => Vec::new(),
        }
    }

    /// As whom a node takes them; a store also for what it is.
    fn takes(&self, node: End) -> Vec<End> {
        let own = self.get(node).map(|(_, resident)| resident);
        let itself = (own.is_none() && !matches!(node, End::Network(_))) || matches!(node, End::Store(..));
        let subnets = own.into_iter().flat_map(|resident| resident.subnets.iter().copied().map(End::Subnet));
        let endpoints = own.into_iter().flat_map(|resident| resident.endpoints.iter().copied().map(End::PrivateEndpoint));
        let front = own.filter(|resident| resident.public).map(|_| End::Internet(None));
        subnets.chain(endpoints).chain(front).chain(itself.then_some(node)).collect()
    }
}
