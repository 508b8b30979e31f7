//! Sets of traffic: protocol × destination ports × source ports, canonical and interned.
//!
//! A [`Set`] is a handle; equal sets have equal handles, so rows that carry sets stay small and comparing them is
//! comparing numbers. The table is shared by all threads of the process and never shrinks; the memo of operations is
//! bounded. A handle means nothing outside the process: on the wire a set is its bands.

use std::cell::Cell;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{OnceLock, RwLock};

use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The protocols Azure's filters can tell apart. Only TCP and UDP have ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the protocols")]
pub enum Proto {
    Tcp,
    Udp,
    Icmp,
    Esp,
    Ah,
}

impl Proto {
    /// Every protocol.
    pub const ALL: [Proto; 5] = [Proto::Tcp, Proto::Udp, Proto::Icmp, Proto::Esp, Proto::Ah];

    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Proto::Tcp => "tcp",
            Proto::Udp => "udp",
            Proto::Icmp => "icmp",
            Proto::Esp => "esp",
            Proto::Ah => "ah",
        }
    }

    /// Reads the word, whatever its case; ICMP of both families is one protocol here.
    pub fn parse(text: &str) -> Option<Proto> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Some(Proto::Tcp),
            "udp" => Some(Proto::Udp),
            "icmp" | "icmpv6" | "icmpv4" => Some(Proto::Icmp),
            "esp" => Some(Proto::Esp),
            "ah" => Some(Proto::Ah),
            _ => None,
        }
    }

    /// Whether packets of this protocol carry ports.
    pub fn has_ports(self) -> bool {
        matches!(self, Proto::Tcp | Proto::Udp)
    }
}

/// An inclusive range of ports.
pub type Ports = (u16, u16);

/// Every port.
pub const ANY_PORT: Ports = (0, u16::MAX);

/// One band of a canonical set: all of `dports` with each of the source ranges.
///
/// A protocol without ports has the full ranges on both sides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Band {
    /// The protocol.
    pub proto: Proto,
    /// Destination ports, inclusive.
    pub dports: Ports,
    /// Source ports: sorted, disjoint, not adjacent, never empty.
    pub sports: Vec<Ports>,
}

/// A canonical, interned set of traffic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set(u32);

#[derive(Default)]
struct Table {
    by_bands: FxHashMap<&'static [Band], u32>,
    bands: Vec<&'static [Band]>,
    memo: FxHashMap<Operation, u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Op {
    And,
    Or,
    Minus,
}

/// Operations remembered before the memo is emptied: 16 bytes each.
const MEMO_LIMIT: usize = 1 << 20;

/// Operations that a thread has at hand without asking the others: a power of two.
const AT_HAND: usize = 1 << 12;

thread_local! {
    /// By a part of their hash the last operations of a thread, each with its result.
    static LAST: Vec<Cell<Option<(Operation, u32)>>> = vec![Cell::new(None); AT_HAND];
}

/// An operation on two sets, by their numbers.
type Operation = (Op, u32, u32);

fn table() -> &'static RwLock<Table> {
    static TABLE: OnceLock<RwLock<Table>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::default();
        assert_eq!(table.intern(Vec::new()), Set::EMPTY.0);
        assert_eq!(table.intern(Proto::ALL.map(full_band).to_vec()), Set::ALL.0);
        RwLock::new(table)
    })
}

fn full_band(proto: Proto) -> Band {
    Band { proto, dports: ANY_PORT, sports: vec![ANY_PORT] }
}

impl Table {
    fn intern(&mut self, bands: Vec<Band>) -> u32 {
        if let Some(&id) = self.by_bands.get(bands.as_slice()) {
            return id;
        }
        let id = u32::try_from(self.bands.len()).expect("fewer than 2^32 different sets");
        let kept: &'static [Band] = Box::leak(bands.into_boxed_slice());
        self.by_bands.insert(kept, id);
        self.bands.push(kept);
        id
    }
}

impl Set {
    /// No traffic.
    pub const EMPTY: Set = Set(0);
    /// All traffic.
    pub const ALL: Set = Set(1);

    /// All traffic of one protocol.
    pub fn of_proto(proto: Proto) -> Set {
        Set::from_bands(vec![full_band(proto)])
    }

    /// TCP and UDP, every port: what private endpoints pass (PE-17) and NAT gateways translate (OUT-03).
    pub fn tcp_udp() -> Set {
        static SET: OnceLock<Set> = OnceLock::new();
        *SET.get_or_init(|| Set::of_proto(Proto::Tcp).or(Set::of_proto(Proto::Udp)))
    }

    /// All TCP.
    pub fn tcp() -> Set {
        static SET: OnceLock<Set> = OnceLock::new();
        *SET.get_or_init(|| Set::of_proto(Proto::Tcp))
    }

    /// One box. Ports are ignored for a protocol without ports.
    pub fn of(proto: Proto, dports: Ports, sports: Ports) -> Set {
        if !proto.has_ports() {
            return Set::of_proto(proto);
        }
        if dports.0 > dports.1 || sports.0 > sports.1 {
            return Set::EMPTY;
        }
        Set::from_bands(vec![Band { proto, dports, sports: vec![sports] }])
    }

    fn from_bands(bands: Vec<Band>) -> Set {
        table(); // EMPTY and ALL come first
        Set(table().write().expect("no thread panics while it interns").intern(bands))
    }

    /// The bands, sorted by protocol and destination port.
    pub fn bands(self) -> &'static [Band] {
        table().read().expect("no thread panics while it interns").bands[self.0 as usize]
    }

    /// Whether there is no traffic in it.
    pub fn is_empty(self) -> bool {
        self == Set::EMPTY
    }

    /// What is in both.
    pub fn and(self, other: Set) -> Set {
        match (self, other) {
            (Set::EMPTY, _) | (_, Set::EMPTY) => Set::EMPTY,
            (Set::ALL, set) | (set, Set::ALL) => set,
            (a, b) if a == b => a,
            (a, b) => a.min(b).apply(Op::And, a.max(b)),
        }
    }

    /// What is in either.
    pub fn or(self, other: Set) -> Set {
        match (self, other) {
            (Set::EMPTY, set) | (set, Set::EMPTY) => set,
            (Set::ALL, _) | (_, Set::ALL) => Set::ALL,
            (a, b) if a == b => a,
            (a, b) => a.min(b).apply(Op::Or, a.max(b)),
        }
    }

    /// What is in the first and not in the second.
    pub fn minus(self, other: Set) -> Set {
        match (self, other) {
            (Set::EMPTY, _) | (_, Set::ALL) => Set::EMPTY,
            (set, Set::EMPTY) => set,
            (a, b) if a == b => Set::EMPTY,
            (a, b) => a.apply(Op::Minus, b),
        }
    }

    /// What one who chooses between both can send: whoever chooses knows the destination port and not the source port, so at a destination port the source
    /// ports of both do not add up. The greater of them counts, and of two that both have some of their own the first.
    pub fn either(self, other: Set) -> Set {
        let left = self.minus(other);
        let clash = left.bands().iter().fold(Set::EMPTY, |set, band| set.or(Set::of(band.proto, band.dports, ANY_PORT)));
        self.or(other.minus(clash))
    }

    /// Whether all of it is in `other`.
    pub fn within(self, other: Set) -> bool {
        self.minus(other).is_empty()
    }

    /// Whether the two share traffic.
    pub fn meets(self, other: Set) -> bool {
        !self.and(other).is_empty()
    }

    fn apply(self, op: Op, other: Set) -> Set {
        let key = (op, self.0, other.0);
        let place = FxBuildHasher.hash_one(key) as usize % AT_HAND;
        LAST.with(|last| match last[place].get() {
            Some((known, id)) if known == key => Set(id),
            _ => {
                let found = self.combine_with(op, other);
                last[place].set(Some((key, found.0)));
                found
            }
        })
    }

    fn combine_with(self, op: Op, other: Set) -> Set {
        let key = (op, self.0, other.0);
        if let Some(&id) = table().read().expect("no thread panics while it interns").memo.get(&key) {
            return Set(id);
        }
        let bands = combine(op, self.bands(), other.bands());
        let mut table = table().write().expect("no thread panics while it interns");
        let id = table.intern(bands);
        if table.memo.len() >= MEMO_LIMIT {
            table.memo.clear();
        }
        table.memo.insert(key, id);
        Set(id)
    }
}

/// One sweep over destination ports a protocol; source ranges are combined in each elementary interval.
fn combine(op: Op, a: &[Band], b: &[Band]) -> Vec<Band> {
    let mut out: Vec<Band> = Vec::new();
    for proto in Proto::ALL {
        let of = |bands: &'_ [Band]| bands.iter().filter(|band| band.proto == proto).cloned().collect::<Vec<_>>();
        let (a, b) = (of(a), of(b));
        let mut cuts: Vec<u32> = a.iter().chain(&b).flat_map(|band| [u32::from(band.dports.0), u32::from(band.dports.1) + 1]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        for cut in cuts.windows(2) {
            let dports = (cut[0] as u16, (cut[1] - 1) as u16);
            let at = |bands: &[Band]| {
                bands
                    .iter()
                    .find(|band| band.dports.0 <= dports.0 && dports.1 <= band.dports.1)
                    .map_or(Vec::new(), |band| band.sports.clone())
            };
            let sports = combine_ports(op, &at(&a), &at(&b));
            if sports.is_empty() {
                continue;
            }
            match out.last_mut() {
                Some(last) if last.proto == proto && u32::from(last.dports.1) + 1 == u32::from(dports.0) && last.sports == sports => {
                    last.dports.1 = dports.1;
                }
                _ => out.push(Band { proto, dports, sports }),
            }
        }
    }
    out
}

fn combine_ports(op: Op, a: &[Ports], b: &[Ports]) -> Vec<Ports> {
    let mut cuts: Vec<u32> = a.iter().chain(b).flat_map(|p| [u32::from(p.0), u32::from(p.1) + 1]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut out: Vec<Ports> = Vec::new();
    for cut in cuts.windows(2) {
        let range = (cut[0] as u16, (cut[1] - 1) as u16);
        let inside = |ports: &[Ports]| ports.iter().any(|p| p.0 <= range.0 && range.1 <= p.1);
        let keep = match op {
            Op::And => inside(a) && inside(b),
            Op::Or => inside(a) || inside(b),
            Op::Minus => inside(a) && !inside(b),
        };
        if !keep {
            continue;
        }
        match out.last_mut() {
            Some(last) if u32::from(last.1) + 1 == u32::from(range.0) => last.1 = range.1,
            _ => out.push(range),
        }
    }
    out
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

/// `tcp/443, udp/*`: a band each; source ports only where they are restricted.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Set::ALL {
            return f.write_str("any");
        }
        for (n, band) in self.bands().iter().enumerate() {
            if n > 0 {
                f.write_str(", ")?;
            }
            f.write_str(band.proto.as_str())?;
            if band.proto.has_ports() {
                write!(f, "/{}", ports_text(band.dports))?;
            }
            if band.sports != [ANY_PORT] {
                write!(f, " from {}", band.sports.iter().map(|&p| ports_text(p)).collect::<Vec<_>>().join(","))?;
            }
        }
        Ok(())
    }
}

/// `443`, `8000-8100` or `*`.
pub fn ports_text(ports: Ports) -> String {
    match ports {
        ANY_PORT => "*".to_owned(),
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low}-{high}"),
    }
}

/// Reads `443`, `8000-8100` or `*`.
pub fn parse_ports(text: &str) -> Option<Ports> {
    let text = text.trim();
    if text == "*" || text.eq_ignore_ascii_case("any") {
        return Some(ANY_PORT);
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    (low <= high).then_some((low, high))
}

impl Serialize for Set {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bands().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Set {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Set, D::Error> {
        Ok(Set::from_bands(Vec::deserialize(deserializer)?))
    }
}

/// A pair of sets with `sure ⊆ may`: what surely gets through, and what may (the specs' lo and hi, CNV-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Surely passes.
    pub sure: Set,
    /// Passes surely or possibly.
    pub may: Set,
}

impl Span {
    /// Nothing passes.
    pub const NONE: Span = Span { sure: Set::EMPTY, may: Set::EMPTY };
    /// Everything passes.
    pub const ALL: Span = Span { sure: Set::ALL, may: Set::ALL };
    /// Everything may pass, nothing surely.
    pub const UNKNOWN: Span = Span { sure: Set::EMPTY, may: Set::ALL };

    /// Exactly `set`.
    pub fn exactly(set: Set) -> Span {
        Span { sure: set, may: set }
    }

    /// Both must pass.
    pub fn and(self, other: Span) -> Span {
        Span { sure: self.sure.and(other.sure), may: self.may.and(other.may) }
    }

    /// Either may pass.
    pub fn or(self, other: Span) -> Span {
        Span { sure: self.sure.or(other.sure), may: self.may.or(other.may) }
    }

    /// One of them, for whoever sends to choose.
    pub fn either(self, other: Span) -> Span {
        Span { sure: self.sure.either(other.sure), may: self.may.or(other.may) }
    }

    /// The part inside `set`.
    pub fn within(self, set: Set) -> Span {
        Span { sure: self.sure.and(set), may: self.may.and(set) }
    }

    /// What was sure becomes possible.
    pub fn doubted(self) -> Span {
        Span { sure: Set::EMPTY, may: self.may }
    }

    /// Whether nothing can pass.
    pub fn is_none(self) -> bool {
        self.may.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_have_equal_handles_however_they_were_made() {
        let low = Set::of(Proto::Tcp, (0, 99), ANY_PORT);
        let high = Set::of(Proto::Tcp, (100, u16::MAX), ANY_PORT);
        assert_eq!(low.or(high), Set::of_proto(Proto::Tcp));
        assert_eq!(Set::ALL.minus(Set::of_proto(Proto::Tcp)).or(high).or(low), Set::ALL);
    }

    #[test]
    fn source_ports_cut_a_band_in_two() {
        let set = Set::tcp().minus(Set::of(Proto::Tcp, (80, 80), (1000, 2000)));
        assert_eq!(set.to_string(), "tcp/0-79, tcp/80 from 0-999,2001-65535, tcp/81-65535");
        assert!(!set.meets(Set::of(Proto::Tcp, (80, 80), (1500, 1500))));
        assert!(set.meets(Set::of(Proto::Tcp, (80, 80), (1, 1))));
    }

    #[test]
    fn source_ports_of_a_choice_do_not_add_up() {
        let low = Set::of(Proto::Tcp, (80, 90), (0, 999));
        let high = Set::of(Proto::Tcp, (85, 95), (1000, u16::MAX));
        assert_eq!(low.either(high).to_string(), "tcp/80-90 from 0-999, tcp/91-95 from 1000-65535");
        assert_eq!(low.either(Set::tcp()), Set::tcp());
        assert_eq!(Set::tcp().either(low), Set::tcp());
        assert_eq!(low.either(Set::EMPTY), low);
    }

    #[test]
    fn a_protocol_without_ports_ignores_them() {
        assert_eq!(Set::of(Proto::Icmp, (5, 5), (7, 7)), Set::of_proto(Proto::Icmp));
    }
}
