//! A set of addresses as sorted ranges: membership by binary search, where lists of prefixes would be walked.

use std::net::IpAddr;

use super::Prefix;
use super::net::number;

/// A set of addresses of both families.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ranges {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Ranges {
    /// Whether every address of `prefix` is in the set.
    pub fn hold(&self, prefix: &Prefix) -> bool {
        match bounds(prefix) {
            Bounds::V4(first, last) => around(&self.v4, first).is_some_and(|(_, end)| end >= last),
            Bounds::V6(first, last) => around(&self.v6, first).is_some_and(|(_, end)| end >= last),
        }
    }

    /// Whether any address of `prefix` is in the set.
    pub fn meet(&self, prefix: &Prefix) -> bool {
        match bounds(prefix) {
            Bounds::V4(first, last) => touch(&self.v4, first, last),
            Bounds::V6(first, last) => touch(&self.v6, first, last),
        }
    }

    /// Whether the set has addresses of the family of `prefix`, and all of them are in it.
    pub fn lie_in(&self, prefix: &Prefix) -> bool {
        match bounds(prefix) {
            Bounds::V4(first, last) => hull(&self.v4).is_some_and(|(low, high)| first <= low && high <= last),
            Bounds::V6(first, last) => hull(&self.v6).is_some_and(|(low, high)| first <= low && high <= last),
        }
    }

    /// The last address of the range that holds `ip`; `None` where `ip` is not in the set.
    pub fn end_of(&self, ip: IpAddr) -> Option<IpAddr> {
        match ip {
            IpAddr::V4(v4) => around(&self.v4, v4.into()).map(|(_, end)| IpAddr::V4(end.into())),
            IpAddr::V6(v6) => around(&self.v6, v6.into()).map(|(_, end)| IpAddr::V6(end.into())),
        }
    }

    /// The first address of the set from `ip` on, in its family.
    pub fn first_from(&self, ip: IpAddr) -> Option<IpAddr> {
        match ip {
            IpAddr::V4(v4) => from(&self.v4, v4.into()).map(|n| IpAddr::V4(n.into())),
            IpAddr::V6(v6) => from(&self.v6, v6.into()).map(|n| IpAddr::V6(n.into())),
        }
    }

    /// Which of the pieces that begin at each of [`starts`] hold an address of the set, counted from 1. Sorted.
    pub fn pieces(&self, starts: &[u32]) -> Vec<usize> {
        let piece = |n: u32| starts.partition_point(|start| *start <= n);
        let mut pieces: Vec<usize> = self.v4.iter().flat_map(|(first, last)| piece(*first)..=piece(*last)).collect();
        pieces.dedup();
        pieces
    }

    /// Whether the two sets share an address.
    pub fn overlap(&self, other: &Ranges) -> bool {
        share(&self.v4, &other.v4) || share(&self.v6, &other.v6)
    }
}

impl<'a> FromIterator<&'a Prefix> for Ranges {
    fn from_iter<I: IntoIterator<Item = &'a Prefix>>(prefixes: I) -> Ranges {
        let mut ranges = Ranges::default();
        for prefix in prefixes {
            match bounds(prefix) {
                Bounds::V4(first, last) => ranges.v4.push((first, last)),
                Bounds::V6(first, last) => ranges.v6.push((first, last)),
            }
        }
        join(&mut ranges.v4, |end| end.checked_add(1));
        join(&mut ranges.v6, |end| end.checked_add(1));
        ranges
    }
}

/// The first and last address of a prefix.
enum Bounds {
    V4(u32, u32),
    V6(u128, u128),
}

fn bounds(prefix: &Prefix) -> Bounds {
    match prefix {
        Prefix::V4(net) => Bounds::V4(net.network().into(), net.broadcast().into()),
        Prefix::V6(net) => Bounds::V6(number(IpAddr::V6(net.network())), number(IpAddr::V6(net.broadcast()))),
    }
}

/// Where the pieces begin that `prefixes` make of the IPv4 addresses: each prefix holds a piece as a whole, or nothing of it. The first begins at 0. Sorted.
pub fn starts(prefixes: impl IntoIterator<Item = Prefix>) -> Vec<u32> {
    let of_v4 = prefixes.into_iter().filter_map(|prefix| if let Prefix::V4(v4) = prefix { Some(v4) } else { None });
    let ends = of_v4.flat_map(|v4| [Some(u32::from(v4.network())), u32::from(v4.broadcast()).checked_add(1)]);
    let mut starts: Vec<u32> = ends.flatten().chain([0]).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Sorts ranges and makes one of those that touch.
fn join<N: Ord + Copy>(ranges: &mut Vec<(N, N)>, next: impl Fn(N) -> Option<N>) {
    ranges.sort_unstable();
    let mut joined: Vec<(N, N)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges.drain(..) {
        match joined.last_mut() {
            Some((_, end)) if next(*end).is_none_or(|next| first <= next) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    *ranges = joined;
}

/// The range that holds `n`.
fn around<N: Ord + Copy>(ranges: &[(N, N)], n: N) -> Option<(N, N)> {
    let at = ranges.partition_point(|(first, _)| *first <= n);
    ranges[..at].last().copied().filter(|(_, last)| *last >= n)
}

/// The first number in any of the ranges from `n` on.
fn from<N: Ord + Copy>(ranges: &[(N, N)], n: N) -> Option<N> {
    let at = ranges.partition_point(|(_, end)| *end < n);
    ranges.get(at).map(|(start, _)| n.max(*start))
}

fn touch<N: Ord + Copy>(ranges: &[(N, N)], first: N, last: N) -> bool {
    let at = ranges.partition_point(|(_, end)| *end < first);
    ranges.get(at).is_some_and(|(start, _)| *start <= last)
}

fn hull<N: Ord + Copy>(ranges: &[(N, N)]) -> Option<(N, N)> {
    Some((ranges.first()?.0, ranges.last()?.1))
}

fn share<N: Ord + Copy>(a: &[(N, N)], b: &[(N, N)]) -> bool {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    few.iter().any(|(first, last)| touch(many, *first, *last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn neighbours_hold_together_what_neither_holds() {
        let halves: Ranges = [prefix("10.0.0.0/25"), prefix("10.0.0.128/25"), prefix("::/1")].iter().collect();
        assert!(halves.hold(&prefix("10.0.0.0/24")));
        assert!(!halves.hold(&prefix("10.0.0.0/23")));
        assert!(halves.meet(&prefix("10.0.0.0/8")) && !halves.meet(&prefix("10.0.1.0/24")));
        assert!(halves.lie_in(&prefix("10.0.0.0/8")) && !halves.lie_in(&prefix("10.0.0.0/25")));
        assert!(halves.hold(&prefix("::/1")) && !halves.hold(&prefix("::/0")));
        assert!(!Ranges::default().lie_in(&prefix("0.0.0.0/0")), "of an empty set nothing is said");
    }

    #[test]
    fn pieces_are_those_with_an_address() {
        let set: Ranges = [prefix("10.0.0.0/30"), prefix("10.0.0.8/29")].iter().collect();
        let cuts = starts([prefix("10.0.0.0/31"), prefix("10.0.0.4/30"), prefix("10.0.0.8/30"), prefix("10.0.0.8/29"), prefix("::/1")]);
        let start = |last: u8| u32::from(std::net::Ipv4Addr::new(10, 0, 0, last));
        assert_eq!(cuts, [0, start(0), start(2), start(4), start(8), start(12), start(16)]);
        assert_eq!(set.pieces(&cuts), [2, 3, 5, 6]);
        assert_eq!(set.pieces(&starts([prefix("10.0.0.4/32"), prefix("255.255.255.255/32")])), [1, 3]);
        assert_eq!(set.pieces(&starts([])), [1]);
    }

    fn small() -> impl Strategy<Value = Vec<Prefix>> {
        let one = (0u32..64, 26u8..=32).prop_map(|(low, len)| Prefix::V4(ipnet::Ipv4Net::new(low.into(), len).unwrap()).trunc());
        proptest::collection::vec(one, 0..6)
    }

    proptest! {
        #[test]
        fn ranges_say_what_walking_the_addresses_says(a in small(), b in small(), asked in small()) {
            let within = |list: &[Prefix], n: u32| list.iter().any(|p| p.contains(&IpAddr::V4(n.into())));
            let (left, right): (Ranges, Ranges) = (a.iter().collect(), b.iter().collect());
            for n in 0..64u32 {
                let next = (n..64).find(|n| within(&a, *n)).map(|n| IpAddr::V4(n.into()));
                prop_assert_eq!(left.first_from(IpAddr::V4(n.into())), next);
                prop_assert_eq!(left.end_of(IpAddr::V4(n.into())).is_some(), within(&a, n));
            }
            prop_assert_eq!(left.overlap(&right), (0..64).any(|n| within(&a, n) && within(&b, n)));
            for prefix in asked {
                let inside: Vec<bool> = (0..64).filter(|n| within(&[prefix], *n)).map(|n| within(&a, n)).collect();
                prop_assert_eq!(left.hold(&prefix), inside.iter().all(|held| *held));
                prop_assert_eq!(left.meet(&prefix), inside.iter().any(|held| *held));
                let total = (0..64).filter(|n| within(&a, *n)).count();
                prop_assert_eq!(left.lie_in(&prefix), total > 0 && inside.iter().filter(|held| **held).count() == total);
            }
        }
    }
}
