//! Which addresses of the internet must be looked at one by one: one for each piece of it that the estate tells apart (IN-01).

use std::collections::BTreeSet;
use std::net::IpAddr;

use rustc_hash::FxHashSet;

use crate::explain::candidates::{tags_of_service_endpoints, takes_service_endpoint};
use crate::explain::filters;
use crate::explain::packet::Host;
use crate::explain::pieces;
use crate::explain::world::World;
use crate::model::{Prefix, Sym, net};

/// One address of the internet for each answer that anything in the estate can give. What belongs to the estate is left out.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    addresses: Vec<Outsider>,
}

#[derive(Clone, Copy, Debug)]
struct Outsider {
    ip: IpAddr,
    /// A front end of Azure may have the address.
    front_end: bool,
}

impl Pool {
    /// Of one family. Addresses that the same prefixes and the same named tags hold get the same answer: one of them is enough.
    pub fn of(world: &World<'_>, v6: bool) -> Pool {
        let everything: Prefix = if v6 { "::/0" } else { "0.0.0.0/0" }.parse().expect("a literal prefix");
        let ranges: Vec<Prefix> = world.index.public_ip_ranges.rows().map(|row| row.prefix).collect();
        let foreign = |ip: IpAddr| !world.index.public_ips_by_address.has(ip) && !ranges.iter().any(|range| range.contains(&ip));
        let front_ends = world.platform.front_ends();
        // The first address of a piece that nobody in the estate has, at a front end or elsewhere.
        let find = |(low, high): (u128, u128), front_end: bool| {
            let mut next = net::address(low, !v6);
            for _ in 0..pieces::LOOKED_AT {
                next = if front_end { front_ends.first_from(next)? } else { next };
                if net::number(next) > high {
                    return None;
                }
                let last = match front_ends.end_of(next).filter(|_| !front_end) {
                    None if foreign(next) => return Some(Outsider { ip: next, front_end }),
                    None => next,
                    Some(end) => end,
                };
                next = net::address(net::number(last).checked_add(1).filter(|n| *n <= high)?, !v6);
            }
            None
        };
        let bounds = world.bounds();
        let mut nested = Nested::of(&bounds.prefixes);
        let mut seen = FxHashSet::default();
        let mut addresses = Vec::new();
        for block in net::public(everything) {
            for span in bounds.spans(block.network(), block.broadcast()) {
                let innermost = nested.innermost(net::address(span.0, !v6));
                for outsider in [true, false].into_iter().filter_map(|front_end| find(span, front_end)) {
                    if seen.insert((innermost, tags_at(world, &bounds.tags, outsider.ip), outsider.front_end)) {
                        addresses.push(outsider);
                    }
                }
            }
        }
        Pool { addresses }
    }

    /// Those of them that `cuts` and `tags` tell apart.
    fn told_apart(&self, world: &World<'_>, cuts: &[Prefix], tags: &[Sym], wanted: impl Fn(&Outsider) -> bool) -> Vec<IpAddr> {
        let cuts: BTreeSet<Prefix> = cuts.iter().copied().filter(net::overlaps_public).collect();
        let cuts: Vec<Prefix> = cuts.into_iter().collect();
        let mut seen = FxHashSet::default();
        let different = |outsider: &&Outsider| {
            let inside: Vec<usize> = (0..cuts.len()).filter(|n| cuts[*n].contains(&outsider.ip)).collect();
            seen.insert((inside, tags_at(world, tags, outsider.ip)))
        };
        self.addresses.iter().filter(|outsider| wanted(outsider)).filter(different).map(|outsider| outsider.ip).collect()
    }
}

fn tags_at(world: &World<'_>, tags: &[Sym], ip: IpAddr) -> Vec<Sym> {
    let block = net::host(ip);
    tags.iter().copied().filter(|tag| world.platform.tag_ranges(*tag).is_some_and(|ranges| ranges.hold(&block))).collect()
}

/// Prefixes as they lie in each other, asked for ascending addresses of one family.
struct Nested<'a> {
    ahead: std::iter::Peekable<std::slice::Iter<'a, Prefix>>,
    open: Vec<&'a Prefix>,
}

impl<'a> Nested<'a> {
    /// Over a sorted list: what holds a prefix stands before it.
    fn of(sorted: &'a [Prefix]) -> Nested<'a> {
        Nested { ahead: sorted.iter().peekable(), open: Vec::new() }
    }

    /// The smallest prefix that holds `ip`: it names all that do.
    fn innermost(&mut self, ip: IpAddr) -> Option<Prefix> {
        while let Some(prefix) = self.ahead.next_if(|prefix| prefix.network() <= ip) {
            self.open.retain(|outer| outer.contains(prefix));
            self.open.push(prefix);
        }
        self.open.retain(|outer| outer.contains(&ip));
        self.open.last().map(|prefix| **prefix)
    }
}

/// The destinations on the internet that make a difference to what a packet of `from` meets; front ends of Azure are destinations of their own:
/// `external:…`.
pub fn destinations(world: &World<'_>, from: &Host) -> Vec<IpAddr> {
    let mut found = before(world, from, |outsider| !outsider.front_end);
    found.retain(|ip| !takes_service_endpoint(world, from.subnet, *ip));
    found
}

/// The same with the front ends: a public name may lead to any of them.
pub fn named_destinations(world: &World<'_>, from: &Host) -> Vec<IpAddr> {
    before(world, from, |_| true)
}

fn before(world: &World<'_>, from: &Host, wanted: impl Fn(&Outsider) -> bool) -> Vec<IpAddr> {
    let (mut cuts, mut tags) = filters::compared(world, from.nic, from.subnet);
    let (further, named) = world.transit();
    cuts.extend(further);
    tags.extend(named);
    world.pool(from.ip.is_ipv6()).told_apart(world, &cuts, &tags, wanted)
}

/// The sources on the internet that make a difference to a firewall they come in by.
pub fn before_firewalls(world: &World<'_>) -> Vec<IpAddr> {
    let (cuts, tags) = world.transit();
    world.pool(false).told_apart(world, cuts, tags, |_| true)
}

/// The sources on the internet that make a difference to the filters in front of a place.
pub fn sources(world: &World<'_>, nic: Sym, subnet: Sym, v6: bool) -> Vec<IpAddr> {
    let (cuts, mut tags) = filters::compared(world, nic, subnet);
    tags.extend(tags_of_service_endpoints(world, subnet)); // the reply to them leaves by it
    world.pool(v6).told_apart(world, &cuts, &tags, |_| true)
}
