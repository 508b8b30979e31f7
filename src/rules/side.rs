//! The two sides of a flow between machines: what may leave towards, and enter from, each block of addresses.
//!
//! A side is a function of the other end's address, given by rows along the prefix tree: the row of the longest block that holds an
//! address counts. The rows are written as differences, each block's own rows and its parent's taken back, so that adding up the rows
//! of every block that holds an address leaves exactly the rows that count there. That sum is linear: the dataflow joins it without
//! looking for longest matches.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::network::Direction;
use crate::facts::platform::Platform;
use crate::facts::selector::{Selector, UNKNOWN_TAG};
use crate::model::traffic::ANY_PORT;
use crate::model::{Handle, Prefix, Set, Span, Sym, Tri, net};
use crate::rules::class::Class;
use crate::rules::filter::{Met, Program, Rule, first_match};
use crate::rules::leak::Side;
use crate::rules::part::{Link, Part, Programs};
use crate::rules::route::PLATFORM_ADDRESS;
use crate::rules::terrain::{Lie, Terrain};

/// What decides about a class.
pub struct Group {
    /// The class.
    pub class: Arc<Class>,
    /// Its context, by block.
    pub terrain: Arc<Terrain>,
    programs: Vec<(Sym, Arc<Programs>)>,
}

impl Group {
    /// Puts the parts together; `None` while one is missing.
    pub fn read(parts: &[Part]) -> Option<Group> {
        let (mut class, mut terrain, mut programs) = (None, None, Vec::new());
        for part in parts {
            match part {
                Part::Class(handle) => class = Some(handle.get()),
                Part::Terrain(handle) => terrain = Some(handle.get()),
                Part::Programs(nsg, handle) => programs.push((*nsg, handle.get())),
                _ => {}
            }
        }
        Some(Group { class: class?, terrain: terrain?, programs })
    }

    /// The filters of one direction; `None` for a group that is not in the input.
    fn filters(&self, direction: Direction) -> Vec<Option<&Program>> {
        let groups = self.class.nsgs.into_iter().filter(|nsg| !nsg.is_empty());
        groups
            .map(|nsg| {
                let found = self.programs.iter().find(|(id, _)| *id == nsg);
                found.map(|(_, programs)| match direction {
                    Direction::Inbound => &programs.inbound,
                    Direction::Outbound => &programs.outbound,
                })
            })
            .collect()
    }
}

/// The filters of one direction as a class meets them: the rules that may name it, and what is known of its own side of them.
pub struct Sieve<'a> {
    /// One list a group, by priority; `None` for a group that is not in the input.
    groups: Vec<Option<Vec<(&'a Rule, Tri)>>>,
    clouded: bool,
    v4: bool,
    /// Something on the way translates: the source port is not the sender's.
    translated: bool,
    platform: &'a Platform,
}

impl<'a> Sieve<'a> {
    /// The filters of a class.
    pub fn new(group: &'a Group, direction: Direction, platform: &'a Platform) -> Sieve<'a> {
        let own = |rule: &Rule| {
            let named = rule.own.iter().map(|selector| names_own(*selector, group, platform)).max().unwrap_or(Tri::No);
            // Groups of applications in several networks make a rule that Azure refuses: two of them may be in two (NSG-09).
            let asgs = rule.own.iter().chain(&rule.remote).filter(|selector| matches!(selector, Selector::Asg(_))).count();
            if asgs > 1 { named.min(Tri::Maybe) } else { named }
        };
        let ready =
            |program: &'a Program| program.rules.iter().map(|rule| (rule, own(rule))).filter(|(_, named)| named.hi()).collect::<Vec<_>>();
        let groups = group.filters(direction).into_iter().map(|program| program.map(ready)).collect();
        Sieve { groups, clouded: group.terrain.clouded, v4: group.class.like.addr().is_ipv4(), translated: false, platform }
    }

    /// What they let through, where `remote` says whether an item of the other side's field names the other end.
    pub fn pass(&self, remote: impl Fn(Selector) -> Tri) -> Span {
        if self.clouded {
            return Span::UNKNOWN;
        }
        self.groups.iter().fold(Span::ALL, |span, rules| {
            let Some(rules) = rules else { return span.and(Span::UNKNOWN) };
            let met = rules.iter().filter_map(|(rule, own)| {
                let mut named = Tri::No;
                for selector in &rule.remote {
                    named = named.or(remote(*selector));
                    if named == Tri::Yes {
                        break;
                    }
                }
                let traffic = if self.translated { rule.translated } else { rule.traffic };
                match named.and(*own) {
                    Tri::No => None,
                    Tri::Maybe => Some(Met { rule, traffic: traffic.doubted() }),
                    Tri::Yes => Some(Met { rule, traffic }),
                }
            });
            span.and(first_match(met))
        })
    }

    /// The same where something on the way translates; `None` where that makes no difference.
    fn translated(self) -> Option<Sieve<'a>> {
        let differs = self.groups.iter().flatten().flatten().any(|(rule, _)| rule.translated != rule.traffic);
        differs.then_some(Sieve { translated: true, ..self })
    }

    /// The prefixes that the rules compare the other side with; of service tags those that lie near, where somebody may have an address.
    fn prefixes(&self, terrain: &Terrain) -> Vec<Prefix> {
        let mut found: Vec<Prefix> = Vec::new();
        let mut tags: Vec<Sym> = Vec::new();
        for selector in self.groups.iter().flatten().flatten().flat_map(|(rule, _)| &rule.remote) {
            match selector {
                Selector::Prefix(prefix) => found.push(*prefix),
                Selector::Tag(tag) => tags.push(*tag),
                Selector::Any | Selector::Asg(_) => {}
            }
        }
        tags.sort_unstable();
        tags.dedup();
        let public: Vec<Prefix> = terrain
            .grounds
            .iter()
            .filter(|ground| ground.is.near && net::overlaps_public(&ground.block))
            .map(|ground| ground.block)
            .collect();
        if !public.is_empty() {
            let listed = tags.iter().flat_map(|tag| self.platform.tag(*tag).unwrap_or_default());
            found.extend(listed.filter(|prefix| public.iter().any(|near| net::overlap(near, prefix))));
        }
        found.extend([PLATFORM_ADDRESS, IMDS, HEALTH_V6].iter().filter_map(|text| net::parse_prefix(text)));
        found.retain(|prefix| prefix.addr().is_ipv4() == self.v4);
        found
    }
}

const IMDS: &str = "169.254.169.254";
const HEALTH_V6: &str = "fe80::1234:5678:9abc";

/// Whether an item of the own side's field names the members of the class.
fn names_own(selector: Selector, group: &Group, platform: &Platform) -> Tri {
    let class = &group.class;
    match selector {
        Selector::Any => Tri::Yes,
        Selector::Prefix(prefix) => Tri::from_bool(class.inside.contains(&prefix)),
        Selector::Asg(asg) => class.asgs.iter().find(|(member, _)| *member == asg).map_or(Tri::No, |(_, sure)| *sure),
        Selector::Tag(tag) => match group.terrain.at(&class.like) {
            Some(ground) => tag_holds(tag, &class.like, &ground.is, platform),
            None => Tri::Maybe,
        },
    }
}

/// Whether an item of the other side's field names the addresses of a block. Which groups the other end belongs to is not part of its
/// address: a rule that names one names it perhaps.
fn names_remote(selector: Selector, block: &Prefix, is: &Lie, platform: &Platform) -> Tri {
    match selector {
        Selector::Any => Tri::Yes,
        Selector::Asg(_) => Tri::Maybe,
        Selector::Prefix(prefix) => Tri::from_bool(prefix.contains(block)),
        Selector::Tag(tag) => tag_holds(tag, block, is, platform),
    }
}

fn tag_holds(tag: Sym, block: &Prefix, is: &Lie, platform: &Platform) -> Tri {
    let is_in = |text: &str| net::parse_prefix(text).is_some_and(|address| address.contains(block));
    match tag.as_str() {
        UNKNOWN_TAG => Tri::Maybe,
        "virtualnetwork" | "virtual_network" => is.network,
        "internet" => is.internet,
        "azureloadbalancer" | "azure_loadbalancer" | "azureplatformdns" => Tri::from_bool(is_in(PLATFORM_ADDRESS) || is_in(HEALTH_V6)),
        "azureplatformimds" => Tri::from_bool(is_in(IMDS)),
        // Service tags hold public addresses; where nobody near has any they cut no block, and what they hold of one is not known.
        _ if !net::overlaps_public(block) => Tri::No,
        _ if !is.near => Tri::Maybe,
        _ => match platform.tag(tag) {
            Some(prefixes) if prefixes.iter().any(|prefix| prefix.contains(block)) => Tri::Yes,
            Some(prefixes) if !prefixes.iter().any(|prefix| block.contains(prefix)) => Tri::No,
            _ => Tri::Maybe,
        },
    }
}

/// What one block of the merged tree is.
struct Block<'a> {
    block: Prefix,
    is: &'a Lie,
    span: Span,
}

/// The blocks in which an answer of a side can differ, each before those inside it, with what the filters let through there.
fn blocks<'a>(group: &'a Group, sieve: &Sieve<'a>) -> Vec<Block<'a>> {
    let platform = sieve.platform;
    let prefixes: FxHashSet<Prefix> = sieve.prefixes(&group.terrain).into_iter().collect();
    let mut items: Vec<(Prefix, Option<&Lie>)> = prefixes.iter().map(|prefix| (*prefix, None)).collect();
    let grounds = group.terrain.grounds.iter().filter(|ground| ground.block.addr().is_ipv4() == sieve.v4);
    items.extend(grounds.map(|ground| (ground.block, Some(&ground.is))));
    items.sort_by_key(|(block, is)| (block.network(), block.prefix_len(), is.is_none()));
    items.dedup_by_key(|(block, _)| *block);
    // Where the nearest named prefix and the two tags are the same, so is the answer, but for the tags of services in public space.
    let mut known: FxHashMap<(usize, Tri, Tri), Span> = FxHashMap::default();
    let mut stack: Vec<(Prefix, &Lie, usize)> = Vec::new();
    let mut out = Vec::with_capacity(items.len());
    for (n, (block, is)) in items.iter().enumerate() {
        while stack.last().is_some_and(|(parent, _, _)| !parent.contains(block)) {
            stack.pop();
        }
        let Some(is) = is.or(stack.last().map(|(_, is, _)| *is)) else { continue };
        let nearest = if prefixes.contains(block) { n } else { stack.last().map_or(n, |(_, _, nearest)| *nearest) };
        let find = || sieve.pass(|selector| names_remote(selector, block, is, platform));
        let span = if net::overlaps_public(block) { find() } else { *known.entry((nearest, is.network, is.internet)).or_insert_with(find) };
        out.push(Block { block: *block, is, span });
        stack.push((*block, is, nearest));
    }
    out
}

/// The rows of what may leave members of a class.
///
/// ```datalog
/// leaves(C, P, H) :- hop(C, P, H), decides(C, P, "allow").      // side.1
/// ```
pub fn out(parts: &[Part], platform: &Platform, rows: &mut Vec<(Part, isize)>) {
    let Some(group) = Group::read(parts) else { return };
    let blocks = blocks(&group, &Sieve::new(&group, Direction::Outbound, platform));
    signed(&blocks, rows, |block, value| {
        if block.span.is_none() {
            return;
        }
        value.extend(block.is.leaving.iter().map(|(link, sure)| (*link, if sure.lo() { block.span } else { block.span.doubted() })));
    });
    let far = blocks.iter().filter(|block| block.is.leaving.iter().any(|(link, _)| *link == Link::Anywhere));
    let total = |blocks: &mut dyn Iterator<Item = &Block<'_>>| blocks.fold(Span::NONE, |span, block| span.or(block.span.doubted()));
    rows.push((Part::Far(Side::Sends, any_port(total(&mut far.into_iter()))), 1));
    rows.push((Part::Any(total(&mut blocks.iter())), 1));
    rows.push((Part::Public(Side::Sends, total(&mut blocks.iter().filter(is_public))), 1));
    mark(rows);
}

/// The rows of what may enter members of a class: what its filters let in, and for TCP the way back by its own routes.
///
/// ```datalog
/// enters(D, P, V) :- decides(D, P, "allow"), hop(D, P, V).      // side.2
/// ```
pub fn into(parts: &[Part], platform: &Platform, rows: &mut Vec<(Part, isize)>) {
    let Some(group) = Group::read(parts) else { return };
    let sieve = Sieve::new(&group, Direction::Inbound, platform);
    let here = blocks(&group, &sieve);
    let to = group.terrain.vnet;
    // Whoever sends by a way that is not derived, or from a network that this one does not see: from anywhere, by any port, and nothing is
    // sure.
    let total = |blocks: &[Block<'_>]| blocks.iter().fold(Span::NONE, |span, block| span.or(block.span.doubted()));
    let translated = sieve.translated().map(|sieve| blocks(&group, &sieve)).unwrap_or_default();
    let from_afar = any_port(total(&here).or(total(&translated)));
    let public = here.iter().chain(&translated).filter(is_public).fold(Span::NONE, |span, block| span.or(block.span.doubted()));
    let blocks = here;
    signed(&blocks, rows, |block, value| {
        if !from_afar.is_none() {
            value.push((Link::Anywhere, from_afar));
        }
        let unseen = Link::Direct { from: Sym::EMPTY, to };
        if !block.is.near {
            if !from_afar.is_none() {
                value.push((unseen, from_afar));
            }
            return;
        }
        if block.span.is_none() {
            return;
        }
        // A source in a network to which no reply of ours leads.
        let elsewhere = block.is.elsewhere;
        value.push((unseen, block.span.and(reply(if elsewhere { Tri::Maybe } else { Tri::No }))));
        let sure = if block.is.certain && !elsewhere { Tri::Yes } else { Tri::Maybe };
        value.extend(block.is.homes.iter().map(|from| (Link::Direct { from: *from, to }, block.span.and(reply(sure)))));
    });
    rows.push((Part::Far(Side::Takes, from_afar), 1));
    rows.push((Part::Public(Side::Takes, any_port(public)), 1));
    mark(rows);
}

/// Whether a block has public addresses.
fn is_public(block: &&Block<'_>) -> bool {
    net::overlaps_public(&block.block)
}

/// The same from any source port.
fn any_port(span: Span) -> Span {
    let any = |set: Set| set.bands().iter().fold(Set::EMPTY, |set, band| set.or(Set::of(band.proto, band.dports, ANY_PORT)));
    Span { sure: any(span.sure), may: any(span.may) }
}

/// What a way back lets stand: all of it, all but the certainty of TCP, or all but TCP (SES-01).
pub fn reply(sure: Tri) -> Span {
    let rest = Set::ALL.minus(Set::tcp());
    match sure {
        Tri::Yes => Span::ALL,
        Tri::Maybe => Span { sure: rest, may: Set::ALL },
        Tri::No => Span::exactly(rest),
    }
}

/// Names the blocks of direct rows, each once a network: rows themselves are signed, and what is signed can be counted only when it is joined.
fn mark(rows: &mut Vec<(Part, isize)>) {
    let direct = rows.iter().filter_map(|(part, _)| match part {
        Part::Row { block, link: Link::Direct { to, .. }, .. } => Some((*to, *block)),
        _ => None,
    });
    let mut marks: Vec<(Sym, Handle<Prefix>)> = direct.collect();
    marks.sort_unstable();
    marks.dedup();
    rows.extend(marks.into_iter().map(|(to, block)| (Part::Mark { to, block: *block.get() }, 1)));
}

/// Writes a function of blocks as differences along the tree they form.
fn signed(blocks: &[Block<'_>], rows: &mut Vec<(Part, isize)>, value: impl Fn(&Block<'_>, &mut Vec<(Link, Span)>)) {
    let mut parents: Vec<(Prefix, Vec<(Link, Span)>)> = Vec::new();
    for block in blocks {
        while parents.last().is_some_and(|(parent, _)| !parent.contains(&block.block)) {
            parents.pop();
        }
        let mut own = Vec::new();
        value(block, &mut own);
        own.retain(|(_, span)| !span.is_none());
        own.sort_unstable();
        own.dedup();
        let before: &[(Link, Span)] = parents.last().map_or(&[], |(_, value)| value);
        if own != before {
            let handle = Handle::new(block.block);
            let row = |(link, span): &(Link, Span)| Part::Row { block: handle, link: *link, span: *span };
            rows.extend(own.iter().filter(|v| !before.contains(v)).map(|v| (row(v), 1)));
            rows.extend(before.iter().filter(|v| !own.contains(v)).map(|v| (row(v), -1)));
        }
        parents.push((block.block, own));
    }
}
