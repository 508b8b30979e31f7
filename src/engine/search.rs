//! The search of the graph of ways out: backwards from a sink, tier by tier, and of each tier only as much as the sources need.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::exfil::Graph;
use crate::explain::way::End;
use crate::facts::store_facts::Service;
use crate::model::{Set, Sym};
use crate::rules::leak::{Node, Sink};
use crate::rules::private_endpoint::group;

/// What is known of the ways through a graph.
#[derive(Default)]
pub(super) struct Search {
    trees: RefCell<Trees>,
    /// Every place inside where bytes can rest and go on.
    everyone: OnceCell<Level>,
    /// What is around a node, surely or at all: `None` where that is much.
    around: RefCell<FxHashMap<(End, bool), Around>>,
    /// To which resting places a node carries bytes itself, where those are few.
    next: RefCell<FxHashMap<(End, bool), Around>>,
}

/// The ways to one sink: tier by tier, the resting places whose shortest way has so many hops.
#[derive(Default)]
struct Tree {
    known: RefCell<FxHashMap<End, Known>>,
    tiers: RefCell<Vec<Rc<Tier>>>,
}

/// What was found of a resting place.
#[derive(Clone, Copy)]
enum Known {
    /// Its tier, and the next hop on a shortest way.
    At(usize, End),
    /// It is in no tier nearer than this one.
    Beyond(usize),
}

/// The resting places that are as far from a sink as each other: of 0 have an edge to it.
#[derive(Default)]
struct Tier {
    /// How many were asked about that are further away.
    strangers: Cell<usize>,
    /// Whether there is any.
    somebody: OnceCell<bool>,
    /// All of them, once so many were asked about that the others are worth it.
    whole: OnceCell<Level>,
}

impl Tree {
    fn tier(&self, depth: usize) -> Rc<Tier> {
        let mut tiers = self.tiers.borrow_mut();
        while tiers.len() <= depth {
            tiers.push(Rc::default());
        }
        tiers[depth].clone()
    }

    /// The next hop from a place on a shortest way, as far as that is known.
    fn next(&self, node: End) -> Option<End> {
        match self.known.borrow().get(&node)? {
            Known::At(_, next) => Some(*next),
            Known::Beyond(_) => None,
        }
    }
}

/// What is looked for: ways to a sink, over proven edges or over all.
struct Goal<'t> {
    sink: End,
    proven: bool,
    tree: &'t Tree,
}

/// A few resting places, or `None` where there are many.
type Around = Option<Rc<[End]>>;

/// How many places around a source are looked at one by one before the sink's side is.
const FEW: usize = 8;

/// Places further away than this are looked for tier by tier, not one through the other.
const NEAR: usize = 8;

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
type Trees = FxHashMap<(End, bool), Rc<Tree>>;

impl Graph<'_, '_> {
    /// A bound from below of the hops from one end to another outside the boundary; `None` proves that there is no way.
    fn least(&self, from: End, to: End) -> Option<usize> {
        let anything = Some(1);
        let to_theirs = matches!(to, End::External(_)) && self.world.leads_out();
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
        // Whose way out a load balancer takes that does not tell its members is in none of the rows, nor what rules do that could not be read.
        let complete = self.world.pool_of_anybody().is_empty() && self.world.index.unread.is_empty();
        self.bounds.filter(|_| complete && self.rests(node))?.surely_leaks(self::node(node)?, kind(to).filter(told)?)
    }

    /// The nodes of a shortest way. It is looked for from the sink's side: most sources leak at once or by one that does, and a sink that
    /// nobody reaches costs one look at each node.
    pub(super) fn shortest(&self, source: End, sink: End, proven: bool) -> Option<Vec<End>> {
        let least = self.least(source, sink)?;
        if least == 1 && self.ends_at(source, sink, proven) {
            return Some(vec![source, sink]);
        }
        let tree = self.search.trees.borrow_mut().entry((sink, proven)).or_default().clone();
        let goal = Goal { sink, proven, tree: &tree };
        let mut nodes = vec![source, self.first_hop(&goal, source, least)?];
        while let Some(at) = nodes.last().copied().filter(|node| *node != sink) {
            nodes.push(tree.next(at).expect("every place of a tree leads on"));
        }
        Some(nodes)
    }

    /// The next hop from a source that has no edge to the sink and is `least` hops away or more.
    fn first_hop(&self, goal: &Goal<'_>, source: End, least: usize) -> Option<End> {
        for depth in 0.. {
            // A resting place stands in the tree itself; anything else is looked for beside it.
            let near = || if least <= depth + 2 { self.onward(goal, source, depth) } else { None };
            if let Some(next) = goal.tree.next(source).or_else(near) {
                return Some(next);
            }
            if depth == 0 && self.is_cut_off(source, goal) || !self.is_somebody(goal, depth) {
                return None;
            }
        }
        None
    }

    /// The next hop from a resting place whose shortest way to the sink passes `wanted` others; `None` where it passes more or less.
    fn next_hop(&self, goal: &Goal<'_>, node: End, wanted: usize) -> Option<End> {
        let known = goal.tree.known.borrow().get(&node).copied();
        let from = match known {
            Some(Known::At(depth, next)) => return (depth == wanted).then_some(next),
            Some(Known::Beyond(depth)) => depth,
            None => 0,
        };
        for depth in from..=wanted {
            let found = self.next_at(goal, node, depth);
            let known = found.map_or(Known::Beyond(depth + 1), |next| Known::At(depth, next));
            goal.tree.known.borrow_mut().insert(node, known);
            if let Some(next) = found {
                return (depth == wanted).then_some(next);
            }
            let tier = goal.tree.tier(depth);
            tier.strangers.set(tier.strangers.get() + 1);
        }
        None
    }

    /// The same, of a place that is in no nearer tier.
    fn next_at(&self, goal: &Goal<'_>, node: End, depth: usize) -> Option<End> {
        let near = || self.least(node, goal.sink).is_some_and(|least| least <= depth + 1);
        match depth {
            _ if node == goal.sink || !near() => None,
            0 => self.ends_at(node, goal.sink, goal.proven).then_some(goal.sink),
            _ => self.onward(goal, node, depth - 1),
        }
    }

    /// The first resting place of a tier that a node carries bytes to.
    fn onward(&self, goal: &Goal<'_>, node: End, depth: usize) -> Option<End> {
        let tier = goal.tree.tier(depth);
        let everyone = self.everyone();
        if tier.whole.get().is_none() && (depth > NEAR || tier.strangers.get() > everyone.all.len() / 8) {
            let members = everyone.all.iter().map(|(node, _)| *node).filter(|node| self.next_hop(goal, *node, depth).is_some());
            let _ = tier.whole.set(self.level(members));
        }
        match tier.whole.get() {
            Some(level) => self.nearest(node, level, goal.proven, |_| true),
            // Most find somebody soon, and the rest of the tier need not be known.
            None => self.nearest(node, everyone, goal.proven, |next| self.next_hop(goal, next, depth).is_some()),
        }
    }

    /// Whether some resting place belongs to a tier: where none does, none does to those further away.
    fn is_somebody(&self, goal: &Goal<'_>, depth: usize) -> bool {
        let is_here = |rest: &Rest| self.next_hop(goal, rest.0, depth).is_some();
        *goal.tree.tier(depth).somebody.get_or_init(|| self.everyone().all.iter().any(is_here))
    }

    /// Whether nothing around a source has an edge to the sink. What is around it is found once, whatever the sink; of a source that gets
    /// far the answer is no.
    fn is_cut_off(&self, source: End, goal: &Goal<'_>) -> bool {
        let around = self.around(source, goal.proven);
        around.is_some_and(|places| !places.iter().any(|place| self.ends_at(*place, goal.sink, goal.proven)))
    }

    /// The source and the resting places that bytes get to from it, where those are few.
    fn around(&self, source: End, proven: bool) -> Around {
        let known = self.search.around.borrow().get(&(source, proven)).cloned();
        known.unwrap_or_else(|| {
            let found = self.explore(source, proven);
            self.search.around.borrow_mut().insert((source, proven), found.clone());
            found
        })
    }

    fn explore(&self, source: End, proven: bool) -> Around {
        let mut found = vec![source];
        let mut seen: FxHashSet<End> = found.iter().copied().collect();
        let mut at = 0;
        while let Some(&node) = found.get(at) {
            at += 1;
            found.extend(self.next_of(node, proven)?.iter().copied().filter(|next| seen.insert(*next)));
            if found.len() > FEW {
                return None;
            }
        }
        Some(found.into())
    }

    /// The resting places that a node carries bytes to, where those are few.
    fn next_of(&self, node: End, proven: bool) -> Around {
        let known = self.search.next.borrow().get(&(node, proven)).cloned();
        known.unwrap_or_else(|| {
            let mut found: Vec<End> = Vec::new();
            let more = self.find(node, self.everyone(), proven, |next| {
                if !found.contains(&next) && self.carries(node, next, proven) {
                    found.push(next);
                }
                found.len() > FEW
            });
            let found = more.is_none().then(|| found.into());
            self.search.next.borrow_mut().insert((node, proven), found.clone());
            found
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
        self.find(node, level, proven, |next| member(next) && self.carries(node, next, proven))
    }

    /// The first of a level, in that order, that a quick look does not keep from `node` and that is `wanted`; some are asked about twice.
    fn find(&self, node: End, level: &Level, proven: bool, mut wanted: impl FnMut(End) -> bool) -> Option<End> {
        let own = self.networks_of(node);
        let mut near: Vec<Sym> = own.iter().flat_map(|network| self.neighbours(*network)).collect();
        Sym::sort(&mut near);
        near.dedup();
        let of = |network: &Sym| level.by_network.get(network).into_iter().flatten();
        let place = self.places.get(&node).copied();
        // The debug build looks at the others too, to see that none is missed.
        let stays = proven && place.is_some() && !self.gates().abroad(place) && !self.fronts.lead_to(node) && !cfg!(debug_assertions);
        let mut candidates = own.iter().chain(&near).flat_map(of).chain(if stays { &level.abroad } else { &level.all });
        let touches = self.touches(node, proven);
        let found = candidates.find(|rest| {
            let touched = rest.0 != node && touches(rest);
            let missed = || rest.0 != node && self.carries(node, rest.0, proven);
            debug_assert!(touched || !missed(), "a quick look misses how {node:?} gets to {:?}", rest.0);
            touched && wanted(rest.0)
        });
        found.map(|(next, _)| *next)
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
            (End::Store(..), _) => to_store.as_ref().is_none_or(|admitted| gates.admits(admitted, *at)),
            (_, End::Store(store, part, instance)) => gates.admits(&gates.to(*store, *part, *instance, proven), place),
            (End::Machine(_) | End::Nic(_) | End::Subnet(_), _) if proven => {
                let led_on = || self.fronts.lead_to(node) || self.fronts.lead_to(*next);
                let flow = |from: End, to: End, traffic: Set| self.flow_of(from, to, traffic);
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
        End::Machine(id) | End::Nic(id) | End::Subnet(id) => Some((id, Sym::EMPTY)),
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
