//! Where data can leave: the shortest way of bytes from a source across the trust boundary.
//!
//! Bytes move both ways on any connection that one end can open, so an edge between two machines, or a machine and a store, is a flow either
//! may open, in adversarial mode: names are no barrier (X-03, M-05). UDP carries them only the way it is sent. Interior nodes are inside the
//! boundary; sinks are outside.

use std::cell::{OnceCell, RefCell};
use std::num::NonZeroUsize;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::bounds::Bounds;
use crate::engine::channels;
use crate::engine::edges::between;
use crate::engine::fronts::Fronts;
use crate::engine::gates::Gates;
use crate::engine::pulls::Pulls;
use crate::engine::residents::Residents;
use crate::engine::search::Search;
use crate::engine::strangers::Strangers;
use crate::explain::impact::Impact;
use crate::explain::point::has_unseen_interfaces;
use crate::explain::shared::{Places, shared};
use crate::explain::stores::{self, Arrivals};
use crate::explain::way::{Assumption, End};
use crate::explain::world::{World, site_ids};
use crate::facts::network::MachineKind;
use crate::facts::private_access::Consent;
use crate::facts::store_facts::Service;
use crate::model::{Set, Span, Sym, Tri, Via};
use crate::rules::lead;
use crate::rules::private_link as links;

/// One way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Where the data is.
    pub from: End,
    /// Where it ends up.
    pub to: End,
    /// The flows, in the order the bytes take them.
    pub hops: Vec<Hop>,
    /// Whether every hop surely gets through.
    pub proven: bool,
    /// What an unproven one takes for granted, sorted.
    pub assumptions: Vec<Assumption>,
}

/// Which places a way out takes, without what carries the bytes between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The source first, the sink last.
    pub nodes: Vec<End>,
    /// Whether every hop surely gets through.
    pub proven: bool,
}

impl Route {
    /// Where the bytes end up.
    pub fn to(&self) -> Option<End> {
        self.nodes.last().copied()
    }

    /// How many flows carry them.
    pub fn length(&self) -> usize {
        self.nodes.len() - 1
    }
}

/// One step of a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where the bytes are.
    pub from: End,
    /// Where they go.
    pub to: End,
    /// How the two are joined.
    pub via: Via,
    /// The traffic that can carry them.
    pub traffic: Set,
}

/// What the edges of a graph carry, as far as somebody asked.
pub type Edges = FxHashMap<(End, End), Span>;

/// What was found on the other side of a change, and what may differ here.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// What the edges carry there.
    pub edges: &'k Edges,
    /// What the change can have moved.
    pub impact: &'k Impact,
}

/// Routes for which a thread makes a graph of its own.
const WORTH_A_GRAPH: usize = 32;

/// The graph of one estate; edges are evaluated when they are first asked for.
pub struct Graph<'w, 'a> {
    pub(super) world: &'w World<'a>,
    /// Machines, and subnets that services may have put theirs into; each with whether it is outside.
    machines: Vec<(End, Tri)>,
    pub(super) stores: Vec<(End, Tri)>,
    sites: Vec<End>,
    /// Private endpoints that lead outside, to something that is no store of the input.
    pub(super) endpoints: Vec<(Sym, End)>,
    /// Private endpoints that nobody says what they are connected to: data may end up behind each.
    pub(super) nameless: Vec<Sym>,
    pub(super) strangers: Strangers,
    pub(super) fronts: Fronts,
    pub(super) residents: Residents,
    /// What the edges carry that were looked at; how, and what that takes for granted, is found again where a way over one is told.
    edges: RefCell<Edges>,
    /// The same on the other side of a change, where this is one.
    before: Option<Known<'w>>,
    arrivals: Rc<Arrivals>,
    pub(super) search: Search,
    /// Who takes data out of the parts of stores, as far as that was asked.
    pub(super) pulls: RefCell<FxHashMap<(Sym, Sym), Pulls>>,
    /// Which machines may get to stores, by their places in `machines`.
    gates: OnceCell<Gates<'w, 'a>>,
    pub(super) places: FxHashMap<End, usize>,
    sinks: OnceCell<Vec<End>>,
    /// What the dataflow settled of the same facts, so that nobody is asked who cannot leak.
    pub(super) bounds: Option<&'w Bounds>,
    /// Threads to tell ways with.
    workers: NonZeroUsize,
}

/// The shortest ways from each source to each sink: a proven one where there is one, else a possible one.
///
/// `from` and `to` are the ends a person named; without them every machine and store inside the boundary, and every sink.
pub fn paths(world: &World<'_>, from: Option<&[End]>, to: Option<&[End]>) -> Vec<Path> {
    Graph::new(world).paths(from, to)
}

impl<'w, 'a> Graph<'w, 'a> {
    /// The nodes of the graph, sorted by name.
    pub fn new(world: &'w World<'a>) -> Graph<'w, 'a> {
        let index = world.index;
        let mut ids: Vec<(Sym, End)> = Vec::new();
        for nic in index.nic.rows().filter(|nic| index.is_attached(nic.nic)) {
            match index.nic_machine.one(nic.nic) {
                Some(row) => ids.push((row.machine, End::Machine(row.machine))),
                None => ids.push((nic.nic, End::Nic(nic.nic))),
            }
        }
        // Every machine has an interface: where none is in the input, nobody knows what it sends and takes (SND-04).
        let untold = |machine: &Sym| has_unseen_interfaces(index, *machine);
        let listed = index.machine.rows().filter(|row| row.kind != MachineKind::FlexibleScaleSet).map(|row| row.machine);
        let named = index.nic_machine.rows().map(|row| row.machine);
        ids.extend(listed.chain(named).filter(untold).map(|machine| (machine, End::Machine(machine))));
        ids.extend(world.rooms_of_services().into_iter().filter(|subnet| world.ours(*subnet)).map(|subnet| (subnet, End::Subnet(subnet))));
        ids.sort_by_key(|(id, _)| id.as_str());
        ids.dedup();
        // What is in the input is outside perhaps where nothing tells its tenant: then it is a sink, and data may go on from there as well.
        let side = |id: Sym| if world.ours(id) { world.outside(id) } else { Tri::Yes };
        let machines: Vec<(End, Tri)> = ids.into_iter().map(|(id, end)| (end, side(id))).collect();
        let places = machines.iter().enumerate().map(|(place, (end, _))| (*end, place)).collect();
        let mut parts: Vec<_> = index.store_parts.rows().copied().collect();
        parts.sort_by_key(|row| (row.store.as_str(), row.part.as_str(), row.instance));
        let stores = parts.into_iter().map(|row| (End::Store(row.store, row.part, row.instance), side(row.store))).collect();
        let mut endpoints: Vec<(Sym, End)> = index
            .private_endpoint_connections
            .rows()
            .filter(|row| {
                !world.inside(links::target(index, row.target)) && row.state != Consent::Rejected && row.state != Consent::Disconnected
            })
            .filter(|row| !index.store.has(row.target) && !row.target.is_empty())
            .map(|row| (row.endpoint, End::Unmodelled(links::target(index, row.target))))
            .collect();
        endpoints.sort_by_key(|(endpoint, _)| endpoint.as_str());
        let sites = site_ids(index).into_iter().map(End::Site).collect();
        Graph {
            world,
            fronts: Fronts::new(world, machines.iter().map(|(end, _)| *end)),
            machines,
            stores,
            sites,
            endpoints,
            nameless: lead::nameless(index),
            strangers: Strangers::new(world),
            residents: Residents::new(world),
            edges: RefCell::default(),
            before: None,
            arrivals: Rc::default(),
            search: Search::default(),
            pulls: RefCell::default(),
            gates: OnceCell::new(),
            places,
            sinks: OnceCell::new(),
            bounds: None,
            workers: NonZeroUsize::MIN,
        }
    }

    /// The same graph, searched only where `bounds` of the same facts do not prove that there is no way.
    pub fn bounded_by(self, bounds: Option<&'w Bounds>) -> Graph<'w, 'a> {
        Graph { bounds, ..self }
    }

    /// The same graph, which asks again only of what a change can have moved.
    pub fn knowing(self, before: Option<Known<'w>>) -> Graph<'w, 'a> {
        Graph { before, ..self }
    }

    /// What was found of its edges.
    pub fn into_edges(self) -> Edges {
        self.edges.into_inner()
    }

    /// Whether a change can have moved what an edge carries.
    fn moves(&self, impact: &Impact, from: End, to: End) -> bool {
        // What stands in a subnet without an interface of its own sends by what filters there.
        impact.moves(self.world.index, from, to) || self.residents.holds(from) || self.residents.holds(to)
    }

    /// Whether a change can have moved what is told of a route.
    pub fn tells_anew(&self, impact: &Impact, route: &Route) -> bool {
        route.nodes.windows(2).any(|hop| self.moves(impact, hop[0], hop[1]))
    }

    /// The same graph; ways are told on so many threads, which never shows in them.
    pub fn on(self, workers: NonZeroUsize) -> Graph<'w, 'a> {
        Graph { workers, ..self }
    }

    /// Whether bytes can rest at a node and go on from there. What a person states of an appliance says what passes it: flows through it
    /// are walked, it is no resting place besides.
    pub(super) fn is_pivot(&self, node: End) -> bool {
        let index = self.world.index;
        match node {
            End::Machine(machine) => !index.nics_by_machine.get(machine).iter().any(|row| index.appliance.has(row.nic)),
            End::Nic(nic) => !index.appliance.has(nic),
            _ => true,
        }
    }

    /// Whether an end is one of the nodes of the graph.
    pub(super) fn rests(&self, end: End) -> bool {
        match end {
            End::Store(store, part, instance) => {
                self.world.index.store_parts.get(store).iter().any(|row| (row.part, row.instance) == (part, instance))
            }
            end => self.places.contains_key(&end),
        }
    }

    /// Every node inside the boundary: what is looked at where nobody names a source.
    pub fn inside(&self) -> impl Iterator<Item = End> + '_ {
        let told = self.machines.iter().chain(&self.stores).filter(|(_, outside)| !outside.lo()).map(|(end, _)| *end);
        told.chain(self.residents.nodes().iter().copied())
    }

    /// The shortest ways from each source to each sink, as [`paths`] lists them.
    pub fn paths(&self, from: Option<&[End]>, to: Option<&[End]>) -> Vec<Path> {
        let sources: Vec<End> = match from {
            Some(ends) => ends.to_vec(),
            None => self.inside().collect(),
        };
        let routes: Vec<Route> = sources.into_iter().flat_map(|source| self.routes(source, to)).collect();
        self.told(&routes)
    }

    /// What carries the bytes along each route. Telling is shared out over threads, each with a graph of its own; searching is not, as each way is found by
    /// what others found.
    pub fn told(&self, routes: &[Route]) -> Vec<Path> {
        let tell = |graph: &Graph<'_, '_>, places: &Places| places.each().map(|at| (at, graph.path(&routes[at]))).collect();
        let (index, platform) = (self.world.index, self.world.platform);
        let beside = |places: &Places| {
            let world = World::new(index, platform);
            tell(&Graph::new(&world), places)
        };
        let worth = NonZeroUsize::new(routes.len() / WORTH_A_GRAPH).unwrap_or(NonZeroUsize::MIN);
        shared(routes.len(), self.workers.min(worth), |places| tell(self, places), beside)
    }

    /// The shortest ways from one source to each sink, told by [`Graph::path`].
    pub fn routes(&self, source: End, to: Option<&[End]>) -> Vec<Route> {
        let sinks = to.unwrap_or_else(|| self.sinks());
        let route = |sink: End, proven: bool| self.shortest(source, sink, proven).map(|nodes| Route { nodes, proven });
        let others = sinks.iter().filter(|sink| **sink != source);
        // What is perhaps outside itself leaks only perhaps.
        let ours = self.perhaps_ours(source).is_none();
        let sure = |sink: End| ours && self.perhaps_ours(sink).is_none();
        others.filter_map(|sink| sure(*sink).then(|| route(*sink, true)).flatten().or_else(|| route(*sink, false))).collect()
    }

    /// The resource that an end of the input is, where it is only perhaps outside.
    fn perhaps_ours(&self, end: End) -> Option<Sym> {
        let (End::Machine(id) | End::Nic(id) | End::Subnet(id) | End::Store(id, ..)) = end else { return None };
        (self.world.outside(id) == Tri::Maybe).then_some(id)
    }

    /// The source and every place inside that its data may get to, in the order of the search.
    pub fn reached(&self, source: End) -> Vec<End> {
        let mut reached = vec![source];
        let mut next = 0;
        while let Some(&at) = reached.get(next) {
            next += 1;
            let more: Vec<End> = self.inside().filter(|node| !reached.contains(node) && self.carries(at, *node, false)).collect();
            reached.extend(more.into_iter().filter(|node| self.is_pivot(*node)));
        }
        reached
    }

    /// Everything outside that data can end up in.
    pub fn sinks(&self) -> &[End] {
        self.sinks.get_or_init(|| self.all_sinks())
    }

    fn all_sinks(&self) -> Vec<End> {
        let mut sinks: Vec<End> = Service::EXTERNAL.map(End::External).into();
        sinks.push(End::Internet(None));
        sinks.extend(&self.sites);
        sinks.extend(self.machines.iter().chain(&self.stores).filter(|(_, outside)| outside.hi()).map(|(end, _)| *end));
        let mut foreign: Vec<End> = self.endpoints.iter().map(|(_, target)| *target).collect();
        foreign.dedup();
        sinks.extend(foreign);
        sinks.extend(self.nameless.iter().map(|endpoint| End::PrivateEndpoint(*endpoint)));
        sinks.extend(self.strangers.sinks());
        sinks.extend(channels::declared_sinks(self.world));
        sinks.extend(self.pullers());
        let mut seen = FxHashSet::default();
        sinks.retain(|sink| seen.insert(*sink));
        sinks
    }

    pub(super) fn gates(&self) -> &Gates<'w, 'a> {
        self.gates.get_or_init(|| Gates::new(self.world, self.machines.iter().map(|(end, _)| *end), self.arrivals.clone()))
    }

    pub(super) fn carries(&self, from: End, to: End, proven: bool) -> bool {
        if proven && self.may_keep(to) {
            return false;
        }
        // A store opens no flow to a machine: that is the machine's own, but for apps, which a flow towards them doubts.
        let key = match (from, to) {
            (End::Store(..), End::Machine(_) | End::Nic(_)) if self.app(from).is_none() => (to, from),
            key => key,
        };
        let known = self.edges.borrow().get(&key).copied();
        let span = known.unwrap_or_else(|| {
            let before =
                self.before.filter(|before| !self.moves(before.impact, from, to)).and_then(|before| before.edges.get(&key).copied());
            debug_assert!(before.is_none_or(|span| span == self.look(from, to)), "from {from:?} to {to:?} has moved");
            let span = before.unwrap_or_else(|| self.look(from, to));
            self.edges.borrow_mut().insert(key, span);
            span
        });
        // What a machine takes out of a store it takes by a connection.
        let span = if matches!((from, to), (End::Store(..), End::Machine(_) | End::Nic(_))) { span.within(Set::tcp()) } else { span };
        !if proven { span.sure } else { span.may }.is_empty()
    }

    /// What an edge carries.
    fn look(&self, from: End, to: End) -> Span {
        let quick = match (from, to) {
            // What could not be read may let through what nothing else does.
            _ if !self.world.index.unread.is_empty() => None,
            _ if self.residents.is_placed(from) || self.residents.is_placed(to) => None,
            (_, End::External(_)) => stores::carried_outside(self.world, &between(from, to), &self.arrivals),
            (End::Store(..), _) => stores::carried(self.world, &between(to, from), &self.arrivals),
            _ => stores::carried(self.world, &between(from, to), &self.arrivals),
        };
        let quick = quick.map(|span| if self.may_keep(to) { span.doubted() } else { span }.within(Set::tcp_udp()));
        quick.unwrap_or_else(|| self.edge(from, to).map_or(Span::NONE, |edge| edge.span))
    }

    /// What carries the bytes along a route, and what that takes for granted.
    pub fn path(&self, route: &Route) -> Path {
        let (nodes, proven) = (&route.nodes, route.proven);
        let mut assumptions = Vec::new();
        let mut hops = Vec::new();
        for pair in nodes.windows(2) {
            let Some(edge) = self.edge(pair[0], pair[1]) else { continue };
            let sure = !edge.span.sure.is_empty();
            let (via, traffic) = if sure { (edge.sure_via, edge.span.sure) } else { (edge.may_via, edge.span.may) };
            if !sure {
                assumptions.extend(edge.assumptions.iter().cloned());
                debug_assert!(!edge.assumptions.is_empty(), "nothing is taken for granted from {:?} to {:?}", pair[0], pair[1]);
            }
            hops.push(Hop { from: pair[0], to: pair[1], via, traffic });
        }
        for id in nodes.first().into_iter().chain(nodes.last()).filter_map(|end| self.perhaps_ours(*end)) {
            assumptions.push(Assumption { code: "W-MISSING".to_owned(), resource: id, text: self.world.perhaps_outside(id) });
        }
        Assumption::tidy(&mut assumptions);
        Path { from: nodes[0], to: nodes[nodes.len() - 1], hops, proven, assumptions }
    }
}
