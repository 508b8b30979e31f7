//! The two sides of a flow between machines: what may leave towards, and enter from, each block of addresses.
//!
//! A side is a function of the other end's address, given by rows along the prefix tree: the row of the longest block that holds an
//! address counts. The rows are written as differences, each block's own rows and its parent's taken back, so that adding up the rows
//! of every block that holds an address leaves exactly the rows that count there. That sum is linear: the dataflow joins it without
//! looking for longest matches.

use std::sync::Arc;

use crate::facts::network::Direction;
use crate::facts::platform::Platform;
use crate::facts::selector::Selector;
use crate::model::{Handle, Prefix, Set, Span, Sym, Tri, net};
use crate::rules::filter::{Program, SourcePorts, first_match};
use crate::rules::part::{Link, Part, Place, Programs, Standing};
use crate::rules::route::{Context, Entry, Hop, PLATFORM_ADDRESS};
use crate::rules::tag::{Party, Place as At};

/// What decides about one place.
struct Group {
    place: Arc<Place>,
    standing: Standing,
    context: Arc<Context>,
    programs: Vec<(Sym, Arc<Programs>)>,
    asgs: Vec<(Sym, Tri)>,
}

impl Group {
    fn read(parts: &[Part]) -> Option<Group> {
        let (mut place, mut standing, mut context, mut programs, mut asgs) = (None, None, None, Vec::new(), Vec::new());
        for part in parts {
            match part {
                Part::Place(handle) => place = Some(handle.get()),
                Part::Standing(row) => standing = Some(*row),
                Part::Context(handle) => context = Some(handle.get()),
                Part::Programs(nsg, handle) => programs.push((*nsg, handle.get())),
                Part::Member(asg, sure) => asgs.push((*asg, *sure)),
                _ => {}
            }
        }
        Some(Group { place: place?, standing: standing?, context: context?, programs, asgs })
    }

    /// The filters of one direction; `None` for a group that is not in the input.
    fn filters(&self, direction: Direction) -> Vec<Option<&Program>> {
        [self.place.nsg, self.standing.nsg]
            .into_iter()
            .filter(|nsg| !nsg.is_empty())
            .map(|nsg| {
                let found = self.programs.iter().find(|(id, _)| *id == nsg);
                found.map(|(_, programs)| match direction {
                    Direction::Inbound => &programs.inbound,
                    Direction::Outbound => &programs.outbound,
                })
            })
            .collect()
    }

    /// What the filters let through between the place and the addresses of `block`.
    fn filtered(&self, direction: Direction, block: &Prefix, platform: &Platform) -> Span {
        if self.context.network.filters_clouded || !self.context.network.in_input {
            return Span::UNKNOWN;
        }
        // Which groups the other end belongs to is not part of its address: a rule that names one names it perhaps.
        let named: Vec<(Sym, Tri)> = self
            .filters(direction)
            .into_iter()
            .flatten()
            .flat_map(|program| program.rules.iter().flat_map(|rule| &rule.remote))
            .filter_map(|selector| match selector {
                Selector::Asg(asg) => Some((*asg, Tri::Maybe)),
                _ => None,
            })
            .collect();
        let own = Party { place: At::At(self.place.address), asgs: &self.asgs };
        let remote = Party { place: At::In(block), asgs: &named };
        self.filters(direction).into_iter().fold(Span::ALL, |span, filter| match filter {
            None => span.and(Span::UNKNOWN),
            Some(program) => span.and(first_match(program.met(own, remote, SourcePorts::Kept, &self.context, platform))),
        })
    }

    /// The blocks in which an answer of this side can differ, sorted so that a block comes before those inside it.
    fn blocks(&self, direction: Direction) -> Vec<Prefix> {
        let family = net::host(self.place.address);
        let mut blocks = vec![net::everything(family)];
        blocks.extend(self.context.cuts());
        blocks.extend(net::not_public_v4());
        blocks.extend(net::parse_prefix(PLATFORM_ADDRESS));
        for program in self.filters(direction).into_iter().flatten() {
            for selector in program.rules.iter().flat_map(|rule| &rule.remote) {
                if let Selector::Prefix(prefix) = selector {
                    blocks.push(*prefix);
                }
            }
        }
        blocks.retain(|block| block.addr().is_ipv4() == family.addr().is_ipv4());
        blocks.sort_by_key(|block| (block.network(), block.prefix_len()));
        blocks.dedup();
        blocks
    }
}

/// The rows of what may leave a place.
///
/// ```datalog
/// leaves(C, P, H) :- hop(C, P, H), decides(C, P, "allow").      // side.1
/// ```
pub fn out(parts: &[Part], platform: &Platform, rows: &mut Vec<(Part, isize)>) {
    let Some(group) = Group::read(parts) else { return };
    signed(&group.blocks(Direction::Outbound), rows, |block| {
        let span = group.filtered(Direction::Outbound, block, platform);
        if span.is_none() {
            return Vec::new();
        }
        let entries = group.context.select(|prefix| Tri::from_bool(prefix.contains(block)));
        let certain = matches!(entries.as_slice(), [entry] if entry.sure.lo());
        let mut found: Vec<(Link, Span)> =
            entries.iter().filter_map(|entry| leaving(&group, entry, if certain { span } else { span.doubted() })).collect();
        found.sort();
        found.dedup();
        found
    });
}

/// Where an entry leads, for what leaves by it.
fn leaving(group: &Group, entry: &Entry, span: Span) -> Option<(Link, Span)> {
    let from = group.standing.vnet;
    match entry.hop {
        Hop::Local => Some((Link::Direct { from, to: from }, span)),
        Hop::Peering(to) => {
            let peer = group.context.network.peers.iter().find(|peer| peer.vnet == to && peer.usable.hi())?;
            let sure = peer.usable.lo() && peer.access;
            Some((Link::Direct { from, to }, if sure { span } else { span.doubted() }))
        }
        Hop::Appliance(_) | Hop::Unknown => Some((Link::Anywhere, span.doubted())),
        Hop::Gateway if !group.context.network.gateway.unknown_routes.is_empty() => Some((Link::Anywhere, span.doubted())),
        Hop::Gateway | Hop::Internet | Hop::None => None,
    }
}

/// The rows of what may enter a place: what its filters let in, and for TCP the way back by its own routes.
///
/// ```datalog
/// enters(D, P, V) :- decides(D, P, "allow"), hop(D, P, V).      // side.2
/// ```
pub fn into(parts: &[Part], platform: &Platform, rows: &mut Vec<(Part, isize)>) {
    let Some(group) = Group::read(parts) else { return };
    let to = group.standing.vnet;
    signed(&group.blocks(Direction::Inbound), rows, |block| {
        let span = group.filtered(Direction::Inbound, block, platform);
        if span.is_none() {
            return Vec::new();
        }
        let replies = group.context.select(|prefix| Tri::from_bool(prefix.contains(block)));
        let certain = matches!(replies.as_slice(), [entry] if entry.sure.lo());
        let elsewhere = replies.iter().any(|entry| matches!(entry.hop, Hop::Appliance(_) | Hop::Unknown | Hop::Gateway));
        let home = |entry: &Entry| match entry.hop {
            Hop::Local => Some(to),
            Hop::Peering(peer) => Some(peer),
            _ => None,
        };
        // A source anywhere: nothing is known of where its replies must go.
        let anywhere = span.and(reply(if elsewhere { Tri::Maybe } else { Tri::No }));
        let mut found = vec![(Link::Direct { from: Sym::EMPTY, to }, anywhere)];
        for from in replies.iter().filter_map(home) {
            let sure = if certain && !elsewhere { Tri::Yes } else { Tri::Maybe };
            found.push((Link::Direct { from, to }, span.and(reply(sure))));
        }
        found.sort();
        found.dedup();
        found
    });
    for everything in ["0.0.0.0/0", "::/0"] {
        let block: Prefix = everything.parse().expect("a literal prefix");
        if block.addr().is_ipv4() == group.place.address.is_ipv4() {
            rows.push((Part::Row { block: Handle::new(block), link: Link::Anywhere, span: Span::UNKNOWN }, 1));
        }
    }
}

/// What a way back lets stand: all of it, all but the certainty of TCP, or all but TCP (SES-01).
fn reply(sure: Tri) -> Span {
    let rest = Set::ALL.minus(Set::tcp());
    match sure {
        Tri::Yes => Span::ALL,
        Tri::Maybe => Span { sure: rest, may: Set::ALL },
        Tri::No => Span::exactly(rest),
    }
}

/// Writes a function of blocks as differences along the tree they form.
///
/// `blocks` are sorted, each before those inside it, the first holds all others.
fn signed(blocks: &[Prefix], rows: &mut Vec<(Part, isize)>, value: impl Fn(&Prefix) -> Vec<(Link, Span)>) {
    let mut parents: Vec<(Prefix, Vec<(Link, Span)>)> = Vec::new();
    for block in blocks {
        while parents.last().is_some_and(|(parent, _)| !parent.contains(block)) {
            parents.pop();
        }
        let own = value(block);
        let handle = Handle::new(*block);
        let row = |(link, span): &(Link, Span)| Part::Row { block: handle, link: *link, span: *span };
        let before: &[(Link, Span)] = parents.last().map_or(&[], |(_, value)| value);
        rows.extend(own.iter().filter(|v| !before.contains(v)).map(|v| (row(v), 1)));
        rows.extend(before.iter().filter(|v| !own.contains(v)).map(|v| (row(v), -1)));
        parents.push((*block, own));
    }
}
