//! Where data can leave, for every place at once: the shortest way of bytes to each kind of place outside the boundary (X-01 to X-16).
//!
//! Bytes go with a flow, and against it on a connection alone: what is sent by UDP brings nothing back. Edges are never listed: those who can send
//! through a *door* and those who can take what comes through it are hooked to the door from either side, signed as the rows they come from, so that
//! the counts of a pair of ends over all doors add up to more than nothing exactly where a flow gets through.

use std::collections::BTreeMap;

use differential_dataflow::operators::iterate::Variable;
use differential_dataflow::{Hashable, VecCollection};
use rustc_hash::FxHashMap;
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

/// Some kinds of places outside the boundary: a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Sinks(u32);

/// Every kind, in the order of their bits.
const KINDS: [Sink; 4 + Service::ALL.len()] = {
    let mut kinds = [Sink::Internet; 4 + Service::ALL.len()];
    kinds[1] = Sink::Site;
    kinds[2] = Sink::Outside;
    kinds[3] = Sink::Foreign;
    let mut at = 4;
    while at < kinds.len() {
        kinds[at] = Sink::External(Service::ALL[at - 4]);
        at += 1;
    }
    kinds
};

impl Sinks {
    const NONE: Sinks = Sinks(0);

    fn of(sink: Sink) -> Sinks {
        let at = match sink {
            Sink::Internet => 0,
            Sink::Site => 1,
            Sink::Outside => 2,
            Sink::Foreign => 3,
            Sink::External(service) => 4 + service as usize,
        };
        Sinks(1 << at)
    }

    fn places(self) -> impl Iterator<Item = usize> {
        (0..KINDS.len()).filter(move |at| self.0 >> at & 1 == 1)
    }

    fn add(&mut self, other: Sinks) {
        self.0 |= other.0;
    }

    fn minus(self, other: Sinks) -> Sinks {
        Sinks(self.0 & !other.0)
    }

    /// These where `holds`, else none.
    fn if_so(self, holds: bool) -> Sinks {
        if holds { self } else { Sinks::NONE }
    }
}

/// What leaks from a node at one distance: one row where there would be a row for each kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Wave {
    distance: u32,
    /// Where to surely.
    sure: Sinks,
    /// Where to at all.
    may: Sinks,
}

impl Wave {
    fn of(leak: &Leak) -> Wave {
        let sinks = Sinks::of(leak.sink);
        Wave { distance: leak.distance, sure: sinks.if_so(leak.sure), may: sinks.if_so(!leak.sure) }
    }

    fn is_none(self) -> bool {
        (self.sure, self.may) == (Sinks::NONE, Sinks::NONE)
    }

    fn leaks(self) -> impl Iterator<Item = Leak> {
        let distance = self.distance;
        let of = move |sinks: Sinks, sure| sinks.places().map(move |at| Leak { sink: KINDS[at], sure, distance });
        of(self.sure, true).chain(of(self.may, false))
    }
}

/// A node that leaks, seen from a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Draught {
    wave: Wave,
    /// What goes through to where it leaks surely.
    sure: Set,
    /// What goes through to where it leaks at all.
    may: Set,
}

impl Draught {
    /// Only as far as something goes through; equal ones are equal in every field.
    fn of(wave: &Wave, sure: Set, may: Set) -> Option<Draught> {
        let wave = Wave { sure: wave.sure.if_so(!sure.is_empty()), may: wave.may.if_so(!may.is_empty()), ..*wave };
        let set = |sinks: Sinks, set: Set| if sinks == Sinks::NONE { Set::EMPTY } else { set };
        (!wave.is_none()).then_some(Draught { wave, sure: set(wave.sure, sure), may: set(wave.may, may) })
    }

    /// What somebody at the door gets of it, a hop further.
    fn onward(&self, span: &Span) -> Option<Wave> {
        let Draught { wave, sure, may } = self;
        let (sure, may) = (wave.sure.if_so(sure.meets(span.sure)), wave.may.if_so(may.meets(span.may)));
        let next = Wave { distance: wave.distance + 1, sure, may };
        (!next.is_none()).then_some(next)
    }
}

/// What a node that leaks means at a door: whoever sends to it gives it bytes, and from whom it sends to it takes them on a connection.
fn draught(hook: &Hook, wave: &Wave) -> Option<((Door, Side), Draught)> {
    let through = if hook.side == Side::Sends { hook.span.within(Set::tcp()) } else { hook.span };
    Draught::of(wave, through.sure, through.may).map(|draught| ((hook.door, hook.side.other()), draught))
}

/// Who leaks behind a door; for each kind of place one for each distance: what comes through at that distance and at no lesser one.
fn merge(draughts: &[(&Draught, isize)], merged: &mut Vec<(Draught, isize)>) {
    let there: Vec<&Draught> = draughts.iter().filter(|(_, count)| *count > 0).map(|(draught, _)| *draught).collect();
    let (mut nearer_surely, mut nearer) = ([Set::EMPTY; KINDS.len()], [Set::EMPTY; KINDS.len()]);
    // In order of the distance.
    for alike in there.chunk_by(|a, b| a.wave.distance == b.wave.distance) {
        let distance = alike[0].wave.distance;
        for (set, sure) in not_nearer(alike.iter().map(|draught| (draught.sure, draught.wave.sure)), &mut nearer_surely) {
            merged.extend(Draught::of(&Wave { distance, sure, may: Sinks::NONE }, set, Set::EMPTY).map(|draught| (draught, 1)));
        }
        for (set, may) in not_nearer(alike.iter().map(|draught| (draught.may, draught.wave.may)), &mut nearer) {
            merged.extend(Draught::of(&Wave { distance, sure: Sinks::NONE, may }, Set::EMPTY, set).map(|draught| (draught, 1)));
        }
    }
}

/// What comes through at one distance to each kind of place and not at a lesser one, kinds with the same together; adds it to what came nearer.
fn not_nearer(draughts: impl Iterator<Item = (Set, Sinks)>, nearer: &mut [Set; KINDS.len()]) -> BTreeMap<Set, Sinks> {
    let mut kinds: FxHashMap<Set, Sinks> = FxHashMap::default();
    draughts.for_each(|(set, sinks)| kinds.entry(set).or_insert(Sinks::NONE).add(sinks));
    let mut here = [Set::EMPTY; KINDS.len()];
    for (set, sinks) in kinds {
        sinks.places().for_each(|at| here[at] = here[at].or(set));
    }
    let mut new: BTreeMap<Set, Sinks> = BTreeMap::new();
    for (at, set) in here.into_iter().enumerate().filter(|(_, set)| !set.is_empty()) {
        new.entry(set.minus(nearer[at])).or_insert(Sinks::NONE).add(Sinks(1 << at));
        nearer[at] = nearer[at].or(set);
    }
    new
}

/// What leaks from a node: each kind of place at its least distance.
fn nearest_of(waves: &[(&Wave, isize)], nearest: &mut Vec<(Wave, isize)>) {
    let (mut sure, mut may) = (Sinks::NONE, Sinks::NONE);
    // Counts of signed rows that add up to nothing are not there.
    let there: Vec<&Wave> = waves.iter().filter(|(_, count)| *count > 0).map(|(wave, _)| *wave).collect();
    // In order of the distance.
    for alike in there.chunk_by(|a, b| a.distance == b.distance) {
        let mut all = Wave { sure: Sinks::NONE, may: Sinks::NONE, ..*alike[0] };
        for wave in alike {
            all.sure.add(wave.sure);
            all.may.add(wave.may);
        }
        let new = Wave { sure: all.sure.minus(sure), may: all.may.minus(may), ..all };
        sure.add(new.sure);
        may.add(new.may);
        nearest.extend((!new.is_none()).then_some((new, 1)));
    }
}

/// In which of some shares of a door's draughts one is.
fn share(draught: &Draught) -> u64 {
    (draught.sure, draught.may).hashed() % 32
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
    let behind = nodes.outside.flat_map(|(hook, sink)| {
        let sinks = Sinks::of(sink);
        draught(&hook, &Wave { distance: 0, sure: sinks, may: sinks })
    });
    let direct = nodes.direct.map(|(node, leak)| (node, Wave::of(&leak)));
    let waves = scope.iterative::<u64, _, _>(|inner| {
        let (by_node, by_door) = (by_node.enter(inner), by_door.enter(inner));
        let (behind, direct) = (behind.enter(inner), direct.enter(inner));
        let (variable, found) = Variable::new(inner, Product::new(Default::default(), 1));
        let draughts =
            found.arrange_by_key_named("leak by node").join_core(by_node, |_, wave: &Wave, hook: &Hook| draught(hook, wave)).concat(behind);
        // At a pair of blocks counts are signed and only add up beyond the door; at any other door who is there counts as one.
        let (pairs, others) =
            (draughts.clone().filter(|((door, _), _)| door.is_signed()), draughts.filter(|((door, _), _)| !door.is_signed()));
        // Behind a door of the internet there are thousands: they are merged share by share, so that a change touches one share and what the shares come to.
        let nearest = others
            .map(|(at, draught)| ((at, share(&draught)), draught))
            .reduce_named("draught by share", |_, draughts, merged| merge(draughts, merged))
            .map(|((at, _), draught)| (at, draught))
            .reduce_named("draught by door", |_, draughts, merged| merge(draughts, merged));
        let draughts = nearest.concat(pairs).arrange_by_key_named("draught by door");
        let next = draughts
            .join_core(by_door, |_, draught: &Draught, (node, span): &(Node, Span)| draught.onward(span).map(|wave| (*node, wave))) // leak.2
            .concat(direct)
            .reduce_named("leak.2", |_, waves, nearest| nearest_of(waves, nearest));
        variable.set(next.clone());
        next.leave(scope)
    });
    waves.flat_map(|(node, wave)| wave.leaks().map(move |leak| (node, leak)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Proto;
    use crate::model::traffic::ANY_PORT;

    #[test]
    fn every_kind_of_place_has_a_bit_of_its_own() {
        for (at, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(Sinks::of(kind).places().collect::<Vec<_>>(), [at], "{kind:?}");
        }
    }

    #[test]
    fn behind_a_door_what_came_nearer_is_told_once_and_what_comes_further_besides() {
        let leak = |sink, sure, distance| Wave::of(&Leak { sink, sure, distance });
        let (low, all) = (Set::of(Proto::Tcp, (0, 99), ANY_PORT), Set::tcp());
        let near = Draught::of(&leak(Sink::Internet, false, 1), Set::EMPTY, low).expect("something goes through");
        let far = Draught::of(&leak(Sink::Internet, false, 2), Set::EMPTY, all).expect("something goes through");
        let site = Draught::of(&leak(Sink::Site, false, 2), Set::EMPTY, all).expect("something goes through");
        let mut merged = Vec::new();
        merge(&[(&near, 2), (&far, 1), (&site, 1)], &mut merged);
        let rest = Draught { may: all.minus(low), ..far };
        let found: Vec<Draught> = merged.into_iter().map(|(draught, _)| draught).collect();
        assert_eq!(found.len(), 3);
        assert!([near, rest, site].iter().all(|draught| found.contains(draught)), "{found:?}");
        let mut once = Vec::new();
        merge(&[(&near, 1), (&far, -1)], &mut once);
        assert_eq!(once, [(near, 1)]);
    }

    #[test]
    fn what_does_not_get_through_goes_no_further() {
        let surely = Wave::of(&Leak { sink: Sink::Internet, sure: true, distance: 0 });
        let draught = Draught::of(&surely, Set::tcp(), Set::tcp()).expect("something goes through");
        assert_eq!(draught.onward(&Span::exactly(Set::tcp())), Some(Wave { distance: 1, ..surely }));
        assert_eq!(draught.onward(&Span::UNKNOWN), None);
        assert_eq!(Draught::of(&surely, Set::EMPTY, Set::tcp()), None);
    }
}
