//! The search of the graph of ways out: backwards from a sink, level by level, and of the last level only as much as its sources need.

use std::cell::{OnceCell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::engine::exfil::Graph;
use crate::explain::way::End;
use crate::facts::store_facts::Service;
use crate::model::Sym;
use crate::rules::leak::{Node, Sink};
use crate::rules::private_endpoint::group;

/// What is known of the ways through a graph.
#[derive(Default)]
pub(super) struct Search {
    trees: RefCell<Trees>,
    /// Every place inside where bytes can rest and go on.
    everyone: OnceCell<Level>,
    /// From which nodes bytes get to any of these, surely or at all.
    going: RefCell<FxHashMap<(End, bool), bool>>,
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

impl Graph<'_, '_> {
    /// A bound from below of the hops from one end to another outside the boundary; `None` proves that there is no way.
    fn least(&self, from: End, to: End) -> Option<usize> {
        let anything = Some(1);
        let to_theirs = matches!(to, End::External(_)) && !self.world.endpoints_outside().is_empty();
        if to_theirs || !self.residents.is_empty() || !self.fronts.followed || !self.world.index.unread.is_empty() {
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

    /// The nodes of a shortest way. It is looked for from the sink's side: most sources leak at once or by one that does, and a sink that
    /// nobody reaches costs one look at each node.
    pub(super) fn shortest(&self, source: End, sink: End, proven: bool) -> Option<Vec<End>> {
        let least = self.least(source, sink)?;
        if least == 1 && self.ends_at(source, sink, proven) {
            return Some(vec![source, sink]);
        }
        let tree = self.search.trees.borrow_mut().entry((sink, proven)).or_default().clone();
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
                if !self.goes_on(source, proven) {
                    return None;
                }
                self.grow(&mut tree.borrow_mut(), sink, proven);
                if tree.borrow().levels[depth].all.is_empty() {
                    return None;
                }
            }
            depth += 1;
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

    /// Whether bytes get from a node to any resting place.
    fn goes_on(&self, node: End, proven: bool) -> bool {
        let known = self.search.going.borrow().get(&(node, proven)).copied();
        known.unwrap_or_else(|| {
            let goes = self.nearest(node, self.everyone(), proven, |_| true).is_some();
            self.search.going.borrow_mut().insert((node, proven), goes);
            goes
        })
    }

    fn everyone(&self) -> &Level {
        self.search.everyone.get_or_init(|| self.level(self.inside().filter(|node| self.is_pivot(*node))))
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

    /// The first `member` of a level that `node` carries bytes to: of its own networks, then of those peered with them, then of all.
    fn nearest(&self, node: End, level: &Level, proven: bool, member: impl Fn(End) -> bool) -> Option<End> {
        let own = self.networks_of(node);
        let mut near: Vec<Sym> = own.iter().flat_map(|network| self.neighbours(*network)).collect();
        Sym::sort(&mut near);
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
            _ if resident || self.residents.holds(*next) || !index.unread.is_empty() => true,
            // Stores move bytes between them by features of servers, by replication and by what settings send alone.
            (End::Store(from, ..), End::Store(to, ..)) => {
                from == *to || calls(from) || calls(*to) || !index.object_replication.is_empty() || index.declared_copies.has(from)
            }
            (End::Store(..), _) => to_store.as_ref().is_none_or(|admitted| admitted.holds(*at)),
            (_, End::Store(store, part, instance)) => gates.to(*store, *part, *instance, proven).holds(place),
            (End::Machine(_) | End::Nic(_), _) if proven => {
                let led_on = || self.fronts.lead_to(node) || self.fronts.lead_to(*next);
                let flow = |from: End, to: End| self.flow(from, to);
                let routed = |from: End, to: IpAddr| gates.surely_leads(self.places.get(&from).copied(), to);
                gates.joined(place, *at) || led_on() && self.fronts.surely_join(self.world, node, *next, &routed, &flow)
            }
            _ => true,
        }
    }

    /// Whether a node carries bytes to the sink itself.
    fn ends_at(&self, node: End, sink: End, proven: bool) -> bool {
        let settled = proven && self.surely_leaks(node, sink) == Some(1);
        debug_assert!(!settled || self.carries(node, sink, true), "nothing carries from {node:?} to {sink:?}, though it is settled");
        settled || self.carries(node, sink, proven)
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
        Sym::sort(&mut networks);
        networks.dedup();
        networks.retain(|network| !network.is_empty());
        networks
    }

    fn neighbours(&self, network: Sym) -> Vec<Sym> {
        self.world.network(network).peers.iter().filter(|peer| peer.usable.hi()).map(|peer| peer.vnet).collect()
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
