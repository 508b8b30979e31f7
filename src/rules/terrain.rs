//! What the addresses of the world are to the machines of one context: in which of the two tags of a network they are, and where packets
//! for them go.
//!
//! Every prefix that a context mentions is looked at once, in the order of the prefix tree, and only those at which something changes are
//! kept. Security groups are compiled against these few.

use crate::model::{Prefix, Sym, Tri, net};
use crate::rules::part::Link;
use crate::rules::route::{Context, Entry, Hop, PLATFORM_ADDRESS};

/// The addresses of a block, but for those of longer blocks in the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ground {
    /// The block.
    pub block: Prefix,
    /// What holds of its addresses.
    pub is: Lie,
}

/// What holds of the addresses of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lie {
    /// Whether they are in the tag `VirtualNetwork` (NSG-20).
    pub network: Tri,
    /// Whether they are in the tag `Internet` (NSG-22).
    pub internet: Tri,
    /// The network or a peer of it has them.
    pub near: bool,
    /// Where a packet for them may go, each with whether it surely does: exactly one then.
    pub leaving: Vec<(Link, Tri)>,
    /// The networks in which a reply to them may be delivered.
    pub homes: Vec<Sym>,
    /// A reply surely goes where `homes` says.
    pub certain: bool,
    /// A reply may go to something that is not known.
    pub elsewhere: bool,
}

/// A context, by block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Terrain {
    /// The network.
    pub vnet: Sym,
    /// What filters there, or whether it exists, is not known.
    pub clouded: bool,
    /// A block comes before those inside it; the first of each family holds all others.
    pub grounds: Vec<Ground>,
}

/// What one mentioned prefix says of the addresses in it.
#[derive(Clone, Copy, Default)]
struct Marks {
    own: bool,
    tagged: Tri,
    peered: Tri,
    perhaps: bool,
    private: bool,
    platform: bool,
    near: bool,
    reserved: bool,
}

impl Marks {
    fn or(self, other: Marks) -> Marks {
        Marks {
            own: self.own | other.own,
            tagged: self.tagged.or(other.tagged),
            peered: self.peered.or(other.peered),
            perhaps: self.perhaps | other.perhaps,
            private: self.private | other.private,
            platform: self.platform | other.platform,
            near: self.near | other.near,
            reserved: self.reserved | other.reserved,
        }
    }
}

/// A prefix that holds the block that is looked at.
struct Frame {
    block: Prefix,
    marks: Marks,
    entries: Vec<Entry>,
    is: Lie,
}

impl Terrain {
    /// Reads a context.
    pub fn of(context: &Context) -> Terrain {
        let mut items = mentions(context);
        items.sort_by_key(|(prefix, _, _)| (prefix.addr().is_ipv6(), prefix.network(), prefix.prefix_len()));
        let mut grounds: Vec<Ground> = Vec::new();
        let mut stack: Vec<Frame> = Vec::new();
        let mut at = 0;
        while let Some((block, _, _)) = items.get(at).copied() {
            let end = at + items[at..].iter().take_while(|(prefix, _, _)| *prefix == block).count();
            while stack.last().is_some_and(|frame| !frame.block.contains(&block)) {
                stack.pop();
            }
            let parent = stack.last();
            let mut marks = parent.map_or(Marks::default(), |frame| frame.marks);
            let mut entries: Vec<Entry> = parent.map_or(Vec::new(), |frame| frame.entries.clone());
            let known = entries.len();
            for (_, mark, entry) in &items[at..end] {
                marks = marks.or(*mark);
                entries.extend(entry.iter().filter(|entry| entry.sure.hi()));
            }
            let mut is = Lie { near: marks.near, ..Lie::default() };
            match parent {
                Some(parent) if entries.len() == known && parent.marks.own == marks.own => {
                    is = Lie { near: marks.near, ..parent.is.clone() };
                }
                _ => routes(context, &entries, marks.own, &mut is),
            }
            (is.network, is.internet) = tags(context, marks, block);
            if parent.is_none_or(|parent| parent.is != is) {
                grounds.push(Ground { block, is: is.clone() });
            }
            stack.push(Frame { block, marks, entries, is });
            at = end;
        }
        let network = &context.network;
        Terrain { vnet: network.vnet, clouded: network.filters_clouded || !network.in_input, grounds }
    }

    /// The ground under an address.
    pub fn at(&self, address: &Prefix) -> Option<&Ground> {
        self.grounds.iter().rev().find(|ground| ground.block.contains(address))
    }
}

/// Everything that the context tells apart.
fn mentions(context: &Context) -> Vec<(Prefix, Marks, Option<Entry>)> {
    let network = &context.network;
    let marked = |prefix: &Prefix, marks: Marks| (*prefix, marks, None);
    let mut items: Vec<(Prefix, Marks, Option<Entry>)> = Vec::new();
    items.extend(["0.0.0.0/0", "::/0"].map(|text| (text.parse().expect("a literal prefix"), Marks::default(), None)));
    items.extend(network.own.iter().map(|p| marked(p, Marks { own: true, near: true, ..Marks::default() })));
    for peer in &network.peers {
        let peered = |sure: Tri| if peer.own_access { peer.usable.and(sure) } else { Tri::No };
        let near = peer.usable.hi();
        items.extend(peer.prefixes.iter().map(|(p, sure)| marked(p, Marks { peered: peered(*sure), near, ..Marks::default() })));
    }
    items.extend(context.tag_sure.iter().map(|p| marked(p, Marks { tagged: Tri::Yes, ..Marks::default() })));
    let perhaps = context.tag_maybe.iter().chain(&network.beyond);
    items.extend(perhaps.map(|p| marked(p, Marks { perhaps: true, ..Marks::default() })));
    items.extend(net::not_public_v4().map(|p| marked(&p, Marks { private: true, ..Marks::default() })));
    // Where nobody near has such an address no packet of a machine goes there.
    let neighbours = || network.peers.iter().flat_map(|peer| peer.prefixes.iter().map(|(prefix, _)| prefix));
    let reserved = net::perhaps_internet_v4().filter(|range| neighbours().any(|prefix| net::overlap(range, prefix)));
    items.extend(reserved.map(|p| marked(&p, Marks { reserved: true, ..Marks::default() })));
    items.extend(net::parse_prefix(PLATFORM_ADDRESS).map(|p| marked(&p, Marks { platform: true, ..Marks::default() })));
    items.extend(context.entries.iter().map(|entry| (entry.prefix, Marks::default(), Some(*entry))));
    items
}

/// The two tags, as [`Context::in_virtual_network`] and [`Context::in_internet`] say.
fn tags(context: &Context, marks: Marks, block: Prefix) -> (Tri, Tri) {
    let network = if marks.own || marks.tagged.lo() || marks.platform {
        Tri::Yes
    } else if marks.peered == Tri::No && (marks.perhaps || !context.unknown.is_empty()) {
        Tri::Maybe
    } else {
        marks.peered
    };
    // Of IPv6 only 2000::/3 is public; a block that holds it holds public addresses too.
    let private = marks.private || (block.addr().is_ipv6() && !net::overlaps_public(&block));
    let listed = if marks.reserved { Tri::Maybe } else { Tri::Yes };
    let internet = if private || marks.own || marks.platform { Tri::No } else { network.negated().max(Tri::Maybe).min(listed) };
    (network, internet)
}

/// Where packets and replies go, by the routes that match.
fn routes(context: &Context, matching: &[Entry], own: bool, is: &mut Lie) {
    let chosen = context.choose(matching.to_vec());
    let certain = matches!(chosen.as_slice(), [entry] if entry.sure.lo());
    let from = context.network.vnet;
    for entry in &chosen {
        let sure = Tri::Maybe.or(Tri::from_bool(certain));
        match entry.hop {
            Hop::Local => {
                is.leaving.push((Link::Direct { from, to: from }, if own { sure } else { Tri::Maybe }));
                is.homes.push(from);
            }
            Hop::Peering(to) => {
                let peer = context.network.peers.iter().find(|peer| peer.vnet == to && peer.usable.hi());
                if let Some(peer) = peer {
                    let through = if peer.usable.lo() && peer.access { sure } else { Tri::Maybe };
                    is.leaving.push((Link::Direct { from, to }, through));
                }
                is.homes.push(to);
            }
            Hop::Appliance(_) | Hop::Unknown | Hop::Gateway => {
                is.leaving.push((Link::Anywhere, Tri::Maybe));
                is.elsewhere = true;
            }
            Hop::Internet | Hop::None => {}
        }
    }
    is.certain = certain;
    is.leaving.sort_unstable();
    is.leaving.dedup();
    is.homes.sort_unstable();
    is.homes.dedup();
}
