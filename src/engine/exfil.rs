//! Where data can leave: the shortest way of bytes from a source across the trust boundary.
//!
//! Bytes move both ways on any flow that one end can open, so an edge between two machines, or a machine and a store, is a flow either
//! may open, in adversarial mode: names are no barrier (X-03, M-05). Interior nodes are inside the boundary; sinks are outside.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::bounds::Bounds;
use crate::engine::channels;
use crate::engine::edges::between;
use crate::engine::fronts::Fronts;
use crate::engine::gates::Gates;
use crate::engine::pulls::Pulls;
use crate::engine::residents::Residents;
use crate::engine::strangers::Strangers;
use crate::explain::stores::{self, Arrivals};
use crate::explain::way::{Assumption, End};
use crate::explain::world::{World, site_ids};
use crate::facts::private_access::Consent;
use crate::facts::store_facts::Service;
use crate::model::{Set, Span, Sym, Tri, Via};
use crate::rules::leak::{Node, Sink};
use crate::rules::private_endpoint::group;
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
#[derive(Clone, Debug)]
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

/// The ways to one sink, level by level: each resting place with its next hop on a shortest way.
#[derive(Debug, Default)]
struct Tree {
    next: FxHashMap<End, End>,
    /// The places whose shortest way has so many hops (from 1); the last is empty once all is known.
    levels: Vec<Level>,
    /// Of the level that comes after these: what was asked of places one by one, with the next hop of those that belong to it.
    asked: RefCell<FxHashMap<End, Option<End>>>,
}

impl Tree {
    /// The next hop from a place on a shortest way, as far as that is known.
    fn next(&self, node: End) -> Option<End> {
        self.next.get(&node).copied().or_else(|| self.asked.borrow().get(&node).copied().flatten())
    }
}

/// Resting places, by network and as a whole, each list in the order of the names.
#[derive(Debug, Default)]
struct Level {
    by_network: FxHashMap<Sym, Vec<Rest>>,
    all: Vec<Rest>,
    /// Those of all that machines of other networks may surely get to.
    abroad: Vec<Rest>,
}

/// A resting place, and which machine of the list it is.
type Rest = (End, Option<usize>);

/// Trees of ways by where they end, and whether only proven edges count.
type Trees = FxHashMap<(End, bool), Rc<RefCell<Tree>>>;

/// The graph of one estate; edges are evaluated when they are first asked for.
pub struct Graph<'w, 'a> {
    pub(super) world: &'w World<'a>,
    /// Each with whether it is outside.
    machines: Vec<(End, Tri)>,
    pub(super) stores: Vec<(End, Tri)>,
    sites: Vec<End>,
    /// Private endpoints that lead outside, to something that is no store of the input.
    pub(super) endpoints: Vec<(Sym, End)>,
    pub(super) strangers: Strangers,
    pub(super) fronts: Fronts,
    pub(super) residents: Residents,
    /// What the edges carry that were looked at; how, and what that takes for granted, is found again where a way over one is told.
    edges: RefCell<FxHashMap<(End, End), Span>>,
    arrivals: Rc<Arrivals>,
    trees: RefCell<Trees>,
    /// Every place inside where bytes can rest and go on.
    everyone: OnceCell<Level>,
    /// Who takes data out of the parts of stores, as far as that was asked.
    pub(super) pulls: RefCell<FxHashMap<(Sym, Sym), Pulls>>,
    /// Which machines may get to stores, by their places in `machines`.
    gates: OnceCell<Gates<'w, 'a>>,
    places: FxHashMap<End, usize>,
    sinks: OnceCell<Vec<End>>,
    /// What the dataflow settled of the same facts, so that nobody is asked who cannot leak.
    bounds: Option<&'w Bounds>,
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
            .filter(|row| !index.store.has(row.target))
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
            strangers: Strangers::new(world),
            residents: Residents::new(world),
            edges: RefCell::default(),
            arrivals: Rc::default(),
            trees: RefCell::default(),
            everyone: OnceCell::new(),
            pulls: RefCell::default(),
            gates: OnceCell::new(),
            places,
            sinks: OnceCell::new(),
            bounds: None,
        }
    }

    /// The same graph, searched only where `bounds` of the same facts do not prove that there is no way.
    pub fn bounded_by(self, bounds: Option<&'w Bounds>) -> Graph<'w, 'a> {
        Graph { bounds, ..self }
    }

    /// A bound from below of the hops from one end to another outside the boundary; `None` proves that there is no way.
    fn least(&self, from: End, to: End) -> Option<usize> {
        let anything = Some(1);
        let to_theirs = matches!(to, End::External(_)) && !self.world.endpoints_outside().is_empty();
        if to_theirs || !self.residents.is_empty() || !self.fronts.followed {
            return anything; // what passes over them is in none of the rows
        }
        // Of an end that is no resting place, such as one interface of a machine, the bounds say nothing.
        let bounds = self.bounds.filter(|_| self.rests(from));
        let (Some(bounds), Some(node), Some(sink)) = (bounds, node(from), kind(to)) else { return anything };
        bounds.may_leak(self.world.index, node, sink).map(|hops| hops as usize)
    }

    /// In how many hops data at a node surely gets to an end outside the boundary; `None` where the bounds do not tell.
    fn surely_leaks(&self, node: End, to: End) -> Option<u32> {
        // Which site it is, or which foreign resource, the rows do not tell.
        let told = |sink: &Sink| matches!(sink, Sink::Internet | Sink::External(_));
        self.bounds.filter(|_| self.rests(node))?.surely_leaks(self::node(node)?, kind(to).filter(told)?)
    }

    /// Whether bytes can rest at a node and go on from there. What a person states of an appliance says what passes it: flows through it
    /// are walked, it is no resting place besides.
    fn is_pivot(&self, node: End) -> bool {
        let index = self.world.index;
        match node {
            End::Machine(machine) => !index.nics_by_machine.get(machine).iter().any(|row| index.appliance.has(row.nic)),
            End::Nic(nic) => !index.appliance.has(nic),
            _ => true,
        }
    }

    /// Whether an end is one of the nodes of the graph.
    fn rests(&self, end: End) -> bool {
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
        sources.into_iter().flat_map(|source| self.routes(source, to)).map(|route| self.path(&route)).collect()
    }

    /// The shortest ways from one source to each sink, told by [`Graph::path`].
    pub fn routes(&self, source: End, to: Option<&[End]>) -> Vec<Route> {
        let sinks = to.unwrap_or_else(|| self.sinks());
        let route = |sink: End, proven: bool| self.shortest(source, sink, proven).map(|nodes| Route { nodes, proven });
        let others = sinks.iter().filter(|sink| **sink != source);
        let sure = |sink: End| self.perhaps_ours(sink).is_none();
        others.filter_map(|sink| sure(*sink).then(|| route(*sink, true)).flatten().or_else(|| route(*sink, false))).collect()
    }

    /// The resource that an end of the input is, where it is only perhaps outside.
    fn perhaps_ours(&self, end: End) -> Option<Sym> {
        let (End::Machine(id) | End::Nic(id) | End::Store(id, ..)) = end else { return None };
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
        sinks.extend(self.strangers.sinks());
        sinks.extend(channels::declared_sinks(self.world));
        sinks.extend(self.pullers());
        let mut seen = FxHashSet::default();
        sinks.retain(|sink| seen.insert(*sink));
        sinks
    }

    /// The nodes of a shortest way. It is looked for from the sink's side: most sources leak at once or by one that does, and a sink that
    /// nobody reaches costs one look at each node.
    fn shortest(&self, source: End, sink: End, proven: bool) -> Option<Vec<End>> {
        let least = self.least(source, sink)?;
        if least == 1 && self.ends_at(source, sink, proven) {
            return Some(vec![source, sink]);
        }
        let tree = self.trees.borrow_mut().entry((sink, proven)).or_default().clone();
        let mut depth = 0;
        let first = loop {
            // A resting place stands in the tree itself; anything else is looked for beside it.
            if let Some(next) = tree.borrow().next(source) {
                break next;
            }
            let near = least <= depth + 2;
            let found = match tree.borrow().levels.get(depth) {
                Some(level) if level.all.is_empty() => return None,
                Some(level) => near.then(|| self.nearest(source, level, proven, |_| true)).flatten(),
                // Most sources find somebody soon, and the rest of the level need not be known.
                None => near
                    .then(|| self.nearest(source, self.everyone(), proven, |node| self.belongs(&tree.borrow(), node, sink, proven)))
                    .flatten(),
            };
            if let Some(next) = found {
                break next;
            }
            if tree.borrow().levels.len() == depth {
                self.grow(&mut tree.borrow_mut(), sink, proven);
            } else {
                depth += 1;
            }
        };
        let tree = tree.borrow();
        let mut nodes = vec![source, first];
        while let Some(at) = nodes.last().copied().filter(|node| *node != sink) {
            nodes.push(tree.next(at).expect("every place of a tree leads on"));
        }
        Some(nodes)
    }

    /// Finds the resting places inside the boundary that are one hop further from the sink than those known so far.
    fn grow(&self, tree: &mut Tree, sink: End, proven: bool) {
        let everyone = self.everyone().all.iter().map(|(node, _)| *node);
        let level = self.level(everyone.filter(|node| self.belongs(tree, *node, sink, proven)));
        let asked = tree.asked.take();
        tree.next.extend(asked.into_iter().filter_map(|(node, next)| Some((node, next?))));
        tree.levels.push(level);
    }

    /// Whether a resting place is one hop further from the sink than the levels of the tree.
    fn belongs(&self, tree: &Tree, node: End, sink: End, proven: bool) -> bool {
        if let Some(known) = tree.asked.borrow().get(&node) {
            return known.is_some();
        }
        let near = |node: End| self.least(node, sink).is_some_and(|least| least <= tree.levels.len() + 1);
        let next = (node != sink && !tree.next.contains_key(&node) && near(node)).then(|| match tree.levels.last() {
            None => self.ends_at(node, sink, proven).then_some(sink),
            Some(last) => self.nearest(node, last, proven, |_| true),
        });
        let next = next.flatten();
        tree.asked.borrow_mut().insert(node, next);
        next.is_some()
    }

    fn everyone(&self) -> &Level {
        self.everyone.get_or_init(|| self.level(self.inside().filter(|node| self.is_pivot(*node))))
    }

    /// Resting places, told apart by what they are looked up by.
    fn level(&self, nodes: impl Iterator<Item = End>) -> Level {
        let mut level = Level::default();
        for node in nodes {
            let rest = (node, self.places.get(&node).copied());
            level.all.push(rest);
            if self.gates().abroad(rest.1) || self.fronts.lead_to(node) {
                level.abroad.push(rest);
            }
            for network in self.networks_of(node) {
                level.by_network.entry(network).or_default().push(rest);
            }
        }
        level
    }

    /// The first of a level's `members` that `node` carries bytes to: of its own networks, then of those peered with them, then of all.
    fn nearest(&self, node: End, level: &Level, proven: bool, member: impl Fn(End) -> bool) -> Option<End> {
        let own = self.networks_of(node);
        let mut near: Vec<Sym> = own.iter().flat_map(|network| self.neighbours(*network)).collect();
        near.sort_by_key(|network| network.as_str());
        near.dedup();
        let of = |network: &Sym| level.by_network.get(network).into_iter().flatten();
        let place = self.places.get(&node).copied();
        // The debug build looks at the others too, to see that none is missed.
        let stays = proven && place.is_some() && !self.gates().abroad(place) && !self.fronts.lead_to(node) && !cfg!(debug_assertions);
        let candidates = own.iter().chain(&near).flat_map(of).chain(if stays { &level.abroad } else { &level.all });
        let touches = self.touches(node, proven);
        let others = candidates.filter(|(next, _)| *next != node);
        let touched = others.filter(|rest| {
            let touched = touches(rest);
            let missed = || member(rest.0) && self.carries(node, rest.0, proven);
            debug_assert!(touched || !missed(), "a quick look misses how {node:?} gets to {:?}", rest.0);
            touched
        });
        touched.map(|(next, _)| *next).find(|next| member(*next) && self.carries(node, *next, proven))
    }

    /// A quick look whether bytes may get from `node` to a resting place in one hop; no is sure.
    fn touches(&self, node: End, proven: bool) -> impl Fn(&Rest) -> bool + '_ {
        let index = self.world.index;
        let gates = self.gates();
        let to_store = match node {
            End::Store(store, part, instance) => Some(gates.to(store, part, instance, proven)),
            _ => None,
        };
        let calls = |store: Sym| index.store.one(store).is_some_and(|row| row.service == Service::Sql);
        let place = self.places.get(&node).copied();
        let resident = self.residents.holds(node);
        move |(next, at)| match (node, next) {
            _ if resident || self.residents.holds(*next) => true,
            // Stores move bytes between them by features of servers, by replication and by what settings send alone.
            (End::Store(from, ..), End::Store(to, ..)) => {
                from == *to || calls(from) || calls(*to) || !index.object_replication.is_empty() || index.declared_copies.has(from)
            }
            (End::Store(..), _) => to_store.as_ref().is_none_or(|admitted| admitted.holds(*at)),
            (_, End::Store(store, part, instance)) => gates.to(*store, *part, *instance, proven).holds(place),
            (End::Machine(_) | End::Nic(_), _) if proven => {
                let led_on = || self.fronts.lead_to(node) || self.fronts.lead_to(*next);
                let flow = |from: End, to: End| self.flow(from, to);
                gates.joined(place, *at) || led_on() && self.fronts.surely_join(self.world, node, *next, &flow)
            }
            _ => true,
        }
    }

    fn gates(&self) -> &Gates<'w, 'a> {
        self.gates.get_or_init(|| Gates::new(self.world, self.machines.iter().map(|(end, _)| *end), self.arrivals.clone()))
    }

    /// The networks that a machine stands in, or that a store lets in; sorted by name.
    fn networks_of(&self, node: End) -> Vec<Sym> {
        let index = self.world.index;
        let of_nic = |nic: Sym| index.ip_configs_by_nic.get(nic).iter().map(|config| self.world.vnet_of(config.subnet));
        let mut networks: Vec<Sym> = match node {
            End::Machine(machine) => index.nics_by_machine.get(machine).iter().flat_map(|row| of_nic(row.nic)).collect(),
            End::Nic(nic) => of_nic(nic).collect(),
            End::Subnet(subnet) => vec![self.world.vnet_of(subnet)],
            End::Store(store, ..) => {
                let admitted = index.store_subnet_rules.get(store).iter().map(|rule| rule.subnet);
                let endpoints = index.private_endpoint_connections_by_target.get(store).iter();
                let endpoints = endpoints.filter_map(|row| index.private_endpoint.one(row.endpoint)).map(|row| row.subnet);
                admitted.chain(endpoints).map(|subnet| self.world.vnet_of(subnet)).collect()
            }
            node => self.residents.subnets(self.world, node).into_iter().map(|subnet| self.world.vnet_of(subnet)).collect(),
        };
        networks.sort_by_key(|network| network.as_str());
        networks.dedup();
        networks.retain(|network| !network.is_empty());
        networks
    }

    fn neighbours(&self, network: Sym) -> Vec<Sym> {
        self.world.network(network).peers.iter().filter(|peer| peer.usable.hi()).map(|peer| peer.vnet).collect()
    }

    /// Whether a node carries bytes to the sink itself.
    fn ends_at(&self, node: End, sink: End, proven: bool) -> bool {
        let settled = proven && self.surely_leaks(node, sink) == Some(1);
        debug_assert!(!settled || self.carries(node, sink, true), "nothing carries from {node:?} to {sink:?}, though it is settled");
        settled || self.carries(node, sink, proven)
    }

    fn carries(&self, from: End, to: End, proven: bool) -> bool {
        // A store opens no flow to a machine: that is the machine's own, but for apps, which a flow towards them doubts.
        let key = match (from, to) {
            (End::Store(..), End::Machine(_) | End::Nic(_)) if self.app(from).is_none() => (to, from),
            key => key,
        };
        let known = self.edges.borrow().get(&key).copied();
        let span = known.unwrap_or_else(|| {
            let quick = match (from, to) {
                _ if self.app(to).is_some() || self.residents.holds(from) || self.residents.holds(to) => None,
                (_, End::External(_)) => stores::carried_outside(self.world, &between(from, to), &self.arrivals),
                (End::Store(..), _) => stores::carried(self.world, &between(to, from), &self.arrivals),
                _ => stores::carried(self.world, &between(from, to), &self.arrivals),
            };
            let span =
                quick.map(|span| span.within(Set::tcp_udp())).unwrap_or_else(|| self.edge(from, to).map_or(Span::NONE, |edge| edge.span));
            let span = if self.world.index.unread.is_empty() { span } else { span.doubted() };
            self.edges.borrow_mut().insert(key, span);
            span
        });
        !if proven { span.sure } else { span.may }.is_empty()
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
            }
            hops.push(Hop { from: pair[0], to: pair[1], via, traffic });
        }
        if let Some(id) = nodes.last().and_then(|sink| self.perhaps_ours(*sink)) {
            assumptions.push(Assumption { code: "W-MISSING".to_owned(), resource: id, text: self.world.perhaps_outside(id) });
        }
        assumptions.sort_by(|a: &Assumption, b| (&a.code, a.resource.as_str(), &a.text).cmp(&(&b.code, b.resource.as_str(), &b.text)));
        assumptions.dedup();
        Path { from: nodes[0], to: nodes[nodes.len() - 1], hops, proven, assumptions }
    }
}

/// The node of the session that an end is.
pub fn node(end: End) -> Option<Node> {
    match end {
        End::Machine(id) | End::Nic(id) => Some((id, Sym::EMPTY)),
        End::Store(store, part, instance) => Some((store, group(part, instance))),
        _ => None,
    }
}

/// The kind of sink that an end outside the boundary is; `None` where the session tells nothing of it.
pub fn kind(end: End) -> Option<Sink> {
    match end {
        End::Internet(None) => Some(Sink::Internet),
        End::External(service) => Some(Sink::External(service)),
        End::Site(_) => Some(Sink::Site),
        End::Unmodelled(_) => Some(Sink::Foreign),
        _ => None,
    }
}
