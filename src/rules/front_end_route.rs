//! Which next hop wins for a destination of which the address is not known, such as a front end of Azure: routes by tag, and routes that hold it together.

use std::ops::RangeInclusive;

use crate::facts::platform::Platform;
use crate::model::{Prefix, Sym, Tri};
use crate::rules::route::{Context, Entry, Origin};
use crate::rules::tag::ServiceClass;

/// A route by a tag of which it is known whether a front end belongs to it.
struct ByTag {
    route: Sym,
    belongs: bool,
    /// Whether the route is surely there, for a tag that is in no list.
    unlisted: Option<Tri>,
}

/// A route by a tag that a front end belongs to, whichever of the tag's prefixes holds it.
struct Whole {
    /// How long these prefixes are: the shortest and the longest.
    lengths: RangeInclusive<u8>,
    /// The entry with the shortest prefix for each of its hops.
    entries: Vec<Entry>,
}

impl Whole {
    /// Whether a prefix of the one may be as long as one of the other.
    fn meets(&self, other: &Whole) -> bool {
        self.lengths.start() <= other.lengths.end() && other.lengths.start() <= self.lengths.end()
    }

    /// The entries as candidates; where the route is `contested`, another may win over it.
    fn candidates(&self, contested: bool) -> impl Iterator<Item = Entry> + '_ {
        let sure = if contested { Tri::Maybe } else { Tri::Yes };
        let open = contested && self.lengths.start() < self.lengths.end();
        self.entries.iter().map(move |entry| Entry { open: entry.open || open, sure: entry.sure.min(sure), ..*entry })
    }
}

impl Context {
    /// [`Self::select`] for a front end of Azure: a route by a tag that it surely belongs to holds it, whichever of the tag's prefixes does (M-14, RTE-15).
    ///
    /// ```datalog
    /// .decl belongs(class: symbol, tag: symbol)
    /// tag_hop(S, C, H) :- belongs(C, Tag), subnet_route_table(S, T), route(_, T, Tag, H, _).                          // route.13
    /// ```
    pub fn select_front_end(&self, class: &ServiceClass, platform: &Platform) -> Vec<Entry> {
        let told: Vec<ByTag> = self.by_tag.iter().filter_map(|route| by_tag(*route, class, platform)).collect();
        let covers = |prefix: &Prefix| class.within(prefix, platform);
        let plain = self.matching(covers, |entry| told.iter().any(|by| by.route == entry.source));
        let wholes: Vec<Whole> = told.iter().filter(|by| by.belongs).filter_map(|by| self.whole(by, covers)).collect();
        let by_tags = wholes.iter().enumerate().flat_map(|(at, whole)| {
            let beside = wholes.iter().enumerate().any(|(other, rival)| other != at && whole.meets(rival));
            let contested = beside || plain.iter().any(|entry| entry.sure.lo() && self.is_rival(entry, whole));
            whole.candidates(contested)
        });
        let matching = plain.iter().copied().chain(by_tags).collect();
        self.choose(matching)
    }

    /// What a route by a tag is to a front end that belongs to the tag; `None` where it has no prefix of the family (ADR-14).
    fn whole(&self, by: &ByTag, covers: impl Fn(&Prefix) -> Tri) -> Option<Whole> {
        let of = |entry: &&Entry| entry.source == by.route && entry.sure.hi() && entry.prefix.addr().is_ipv4();
        let mut entries: Vec<Entry> = self.entries.iter().filter(of).copied().collect();
        // Where the lists of the service and of the tag share no address, the name counts all the same: it may be any of the tag's.
        if entries.iter().any(|entry| covers(&entry.prefix).hi()) {
            entries.retain(|entry| covers(&entry.prefix).hi());
        }
        entries.sort_by_key(|entry| (entry.hop, entry.prefix.prefix_len(), *entry));
        let lengths = || entries.iter().map(|entry| entry.prefix.prefix_len());
        let listed = lengths().min()?..=lengths().max()?;
        entries.dedup_by_key(|entry| entry.hop);
        let Some(there) = by.unlisted else { return Some(Whole { lengths: listed, entries }) };
        // Nobody knows the prefixes of a tag that is in no list: they may be of any length, but hold less than everything.
        entries.iter_mut().for_each(|entry| (entry.sure, entry.open) = (there, !there.lo()));
        Some(Whole { lengths: 1..=32, entries })
    }

    /// Whether an explicit route may win against one by a tag, or lose: it is no shorter than the shortest of the tag's prefixes, and no longer than the longest.
    fn is_rival(&self, entry: &Entry, whole: &Whole) -> bool {
        let long = |part: &Entry| part.prefix.prefix_len() >= *whole.lengths.start();
        // What stands for several routes is as long as they are.
        let has_long_part = || self.unions.contains(entry) && self.entries.iter().any(|part| is_part(part, entry) && long(part));
        whole.lengths.contains(&entry.prefix.prefix_len()) || has_long_part()
    }

    /// The entries that hold a destination, but for those that `leave` says are looked at otherwise.
    pub(super) fn matching(&self, covers: impl Fn(&Prefix) -> Tri, leave: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let held = |entry: &Entry| {
            let sure = entry.sure.and(covers(&entry.prefix));
            (sure.hi() && !leave(entry)).then_some(Entry { sure, ..*entry })
        };
        let mut matching: Vec<Entry> = self.entries.iter().filter_map(held).collect();
        // Which of several holds the destination is not known, and does not matter where they lead to one place.
        let union = self.unions.iter().filter(|union| covers(&union.prefix).lo()).max_by_key(|union| union.prefix.prefix_len());
        if let Some(union) = union.filter(|union| !matching.iter().any(|e| is_part(e, union) && e.sure.lo())) {
            matching.retain(|e| !is_part(e, union));
            matching.push(*union);
        }
        matching
    }
}

/// What is known of a route by a tag, for a front end of the class; `None` where it may belong to the tag or not.
fn by_tag((route, tag, there): (Sym, Sym, Tri), class: &ServiceClass, platform: &Platform) -> Option<ByTag> {
    let belongs = class.belongs(tag, platform).filter(|belongs| *belongs != Tri::Maybe)?.lo();
    Some(ByTag { route, belongs, unlisted: platform.tag_ranges(tag).is_none().then_some(there) })
}

/// Whether a person surely stated the route, with this very prefix.
fn is_stated(entry: &Entry) -> bool {
    entry.origin == Origin::User && !entry.open
}

/// Whether the route is one of those that `union` stands for.
fn is_part(entry: &Entry, union: &Entry) -> bool {
    is_stated(entry) && entry.hop == union.hop && union.prefix.contains(&entry.prefix)
}

/// Prefixes that no route has and both halves of which have routes to one hop, or are such prefixes themselves.
pub(super) fn unions(entries: &[Entry]) -> Vec<Entry> {
    let stated: Vec<&Entry> = entries.iter().filter(|e| is_stated(e)).collect();
    let mut known: Vec<Entry> = stated.iter().filter(|e| e.sure.lo()).map(|e| **e).collect();
    let whole = known.len();
    let mut at = 0;
    while let Some(half) = known.get(at).copied() {
        at += 1;
        let Some(prefix) = half.prefix.supernet() else { continue };
        let other = known.iter().any(|e| e.hop == half.hop && e.prefix != half.prefix && e.prefix.supernet() == Some(prefix));
        let there = |e: &Entry| e.prefix == prefix && e.hop == half.hop;
        if other && !known.iter().any(there) && !stated.iter().any(|e| e.prefix == prefix) {
            known.push(Entry { prefix, ..half });
        }
    }
    known.split_off(whole)
}
