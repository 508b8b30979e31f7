//! Where data can leave, for every place at once: the shortest way of bytes to each kind of place outside the boundary (X-01 to X-16).
//!
//! Bytes go with a flow, and against it on a connection alone: what is sent by UDP brings nothing back. Edges are never listed: those who can send
//! through a *door* and those who can take what comes through it are hooked to the door from either side, signed as the rows they come from, so that
//! the counts of a pair of ends over all doors add up to more than nothing exactly where a flow gets through.

use differential_dataflow::operators::iterate::Variable;
use differential_dataflow::{Hashable, VecCollection};
use serde::{Deserialize, Serialize};
use timely::order::Product;

use crate::facts::store_facts::Service;
use crate::model::{Handle, Prefix, Set, Span, Sym};
use crate::rules::part::{Key, Link, Time};

/// A resting place of bytes: a machine (or an interface without one) and the empty id, or a store and the sub-resource that a private
/// endpoint would name.
pub type Node = Key;

/// A kind of place outside the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sink {
    /// The internet (X-10).
    Internet,
    /// The attacker's store of a service (X-10).
    External(Service),
    /// A site on premises (X-14).
    Site,
    /// A machine or a store of the input that is outside the boundary.
    Outside,
    /// Whatever is behind a private endpoint that leads outside the boundary.
    Foreign,
}

/// What flows can go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Door {
    /// From a block of addresses to a block of addresses.
    Pair {
        /// The sender's.
        from: Handle<Prefix>,
        /// The receiver's.
        to: Handle<Prefix>,
        /// How packets are delivered.
        link: Link,
    },
    /// From whoever hands packets to something whose behaviour is not known, to anybody.
    Anywhere,
    /// From anybody, to whom nobody knows where to find.
    Nowhere,
    /// From a network and those that see it, to a private endpoint in it.
    Network(Sym),
    /// From who comes to the front ends of a service, to a store that may let some of them in.
    FrontEnd(Service),
    /// From who comes to them by a way that is not known, to a store that may let anybody in at all.
    Unknown(Service),
    /// From who shows the identity of a subnet, to a store that lets it in.
    Subnet(Service, Sym),
    /// From who may send to public addresses, to a machine that has one.
    Public,
    /// Between the parts of one storage account, which may show the same objects.
    Account(Sym),
    /// From a server that calls in its own name (X-23), to a store that may let in such a call (R-07).
    Caller,
}

impl Door {
    /// Whether those who stand there are counted by signed rows.
    fn is_signed(self) -> bool {
        matches!(self, Door::Pair { .. })
    }
}

/// Which side of a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Who sends through it.
    Sends,
    /// Who takes what comes through it.
    Takes,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Sends => Side::Takes,
            Side::Takes => Side::Sends,
        }
    }
}

/// A node at a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hook {
    /// The door.
    pub door: Door,
    /// Which side of it.
    pub side: Side,
    /// What gets through on this side.
    pub span: Span,
}

/// That data at a node can leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Leak {
    /// Where to.
    pub sink: Sink,
    /// Whether that is proven.
    pub sure: bool,
    /// In how many hops at least.
    pub distance: u32,
}

/// A node that leaks, seen from a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Draught {
    leak: Leak,
    through: Set,
}

/// What a node that leaks means at a door: whoever sends to it gives it bytes, and from whom it sends to it takes them on a connection.
fn draught(hook: &Hook, leak: &Leak) -> Option<((Door, Side), Draught)> {
    let through = if leak.sure { hook.span.sure } else { hook.span.may };
    let through = if hook.side == Side::Sends { through.and(Set::tcp()) } else { through };
    (!through.is_empty()).then_some(((hook.door, hook.side.other()), Draught { leak: *leak, through }))
}

/// Who leaks behind a door to one kind of sink, surely or perhaps; one for each distance: what comes through at that distance and at no lesser one.
fn merge(draughts: &[(&(u32, Set), isize)], merged: &mut Vec<((u32, Set), isize)>) {
    let mut nearer = Set::EMPTY;
    let mut there = draughts.iter().filter(|(_, count)| *count > 0).map(|(draught, _)| **draught).peekable();
    // In order of the distance.
    while let Some((distance, mut through)) = there.next() {
        while let Some((_, more)) = there.next_if(|(next, _)| *next == distance) {
            through = through.or(more);
        }
        let new = through.minus(nearer);
        if !new.is_empty() {
            merged.push(((distance, new), 1));
        }
        nearer = nearer.or(through);
    }
}

/// In which of some shares of a door's draughts one is.
fn share(through: Set) -> u64 {
    through.hashed() % 32
}

/// What is known of the nodes, as collections.
pub struct Nodes<'s, T: Time> {
    /// Who is at which door. Signed.
    pub hooks: VecCollection<'s, T, (Node, Hook)>,
    /// Nodes inside the boundary at which bytes can rest and go on.
    pub interior: VecCollection<'s, T, Node>,
    /// What leaves by itself, in one hop.
    pub direct: VecCollection<'s, T, (Node, Leak)>,
    /// Doors behind which there is a place outside the boundary.
    pub outside: VecCollection<'s, T, (Hook, Sink)>,
}

/// Every node from which data can leave, with the shortest distance for each kind of place: surely, and possibly.
///
/// ```text
/// leaks(N, X, 1)     :- escapes(N, X).                                                                          // leak.1
/// leaks(N, X, D + 1) :- carries(N, M), interior(M), leaks(M, X, D).                                             // leak.2
/// ```
///
/// Backwards from the few kinds of places, so that a way is a walk down the distances; the least distance is kept inside the loop.
pub fn leaks<'s, T: Time>(nodes: Nodes<'s, T>) -> VecCollection<'s, T, (Node, Leak)> {
    let scope = nodes.hooks.scope();
    let by_node = nodes.hooks.clone().semijoin(nodes.interior).arrange_by_key_named("hook by node");
    let by_door = nodes.hooks.map(|(node, hook)| ((hook.door, hook.side), (node, hook.span))).arrange_by_key_named("hook by door");
    let behind = nodes
        .outside
        .flat_map(|(hook, sink)| [true, false].into_iter().filter_map(move |sure| draught(&hook, &Leak { sink, sure, distance: 0 })));
    let direct = nodes.direct;
    scope.iterative::<u64, _, _>(|inner| {
        let (by_node, by_door) = (by_node.enter(inner), by_door.enter(inner));
        let (behind, direct) = (behind.enter(inner), direct.enter(inner));
        let (variable, found) = Variable::new(inner, Product::new(Default::default(), 1));
        let draughts =
            found.arrange_by_key_named("leak by node").join_core(by_node, |_, leak: &Leak, hook: &Hook| draught(hook, leak)).concat(behind);
        // At a pair of blocks counts are signed and only add up beyond the door; at any other door who is there counts as one.
        let (pairs, others) =
            (draughts.clone().filter(|((door, _), _)| door.is_signed()), draughts.filter(|((door, _), _)| !door.is_signed()));
        // Behind a door of the internet there are thousands: they are merged share by share, so that a change touches one share and what the shares come to.
        let shared = |(at, Draught { leak, through }): ((Door, Side), Draught)| {
            ((at, leak.sink, leak.sure, share(through)), (leak.distance, through))
        };
        let shares = others.map(shared).reduce_named("draught by share", |_, draughts, merged| merge(draughts, merged));
        let nearest = shares
            .map(|((at, sink, sure, _), draught)| ((at, sink, sure), draught))
            .reduce_named("draught by door", |_, draughts, merged| merge(draughts, merged))
            .map(|((at, sink, sure), (distance, through))| (at, Draught { leak: Leak { sink, sure, distance }, through }));
        let draughts = nearest.concat(pairs);
        let draughts = draughts.arrange_by_key_named("draught by door");
        let next = draughts
            .join_core(by_door, |_, draught: &Draught, (node, span): &(Node, Span)| {
                let through = if draught.leak.sure { span.sure } else { span.may };
                let leak = Leak { distance: draught.leak.distance + 1, ..draught.leak };
                draught.through.meets(through).then_some((*node, leak)) // leak.2
            })
            .concat(direct)
            .reduce_named("leak.2", |_, leaks: &[(&Leak, isize)], nearest: &mut Vec<(Leak, isize)>| {
                // In order of sink, certainty and distance; counts of signed rows that add up to nothing are not there.
                for (leak, count) in leaks {
                    let known = nearest.last().is_some_and(|(last, _)| (last.sink, last.sure) == (leak.sink, leak.sure));
                    if *count > 0 && !known {
                        nearest.push((**leak, 1));
                    }
                }
            });
        variable.set(next.clone());
        next.leave(scope)
    })
}
