//! Which addresses of the internet must be looked at one by one: one for each piece of it that the estate tells apart (IN-01).

use std::net::IpAddr;

use crate::explain::candidates::takes_service_endpoint;
use crate::explain::filters;
use crate::explain::packet::Host;
use crate::explain::pieces;
use crate::explain::world::World;
use crate::model::{Prefix, Sym, net};

/// The destinations on the internet that make a difference to what a packet of `from` meets; front ends of Azure are destinations of their own:
/// `external:…`.
pub fn destinations(world: &World<'_>, from: &Host) -> Vec<IpAddr> {
    let mut cuts = Vec::new();
    filters::cuts(world, from.nic, from.subnet, &mut cuts);
    cuts.extend(world.transit_cuts());
    let front_end = |ip: IpAddr| {
        takes_service_endpoint(world, from.subnet, ip)
            || world.platform.tags_holding(ip).iter().any(|tag| !tag.as_str().starts_with("azurecloud"))
    };
    let mut named = filters::named_tags(world, from.nic, from.subnet);
    named.extend(world.transit_tags());
    let v6 = from.ip.is_ipv6();
    different(world, &cuts, &named, v6, |ip| world.platform.tags_holding(ip)).into_iter().filter(|ip| !front_end(*ip)).collect()
}

/// The sources on the internet that make a difference to the filters in front of a place.
pub fn sources(world: &World<'_>, nic: Sym, subnet: Sym, v6: bool) -> Vec<IpAddr> {
    let mut cuts = Vec::new();
    filters::cuts(world, nic, subnet, &mut cuts);
    let named = filters::named_tags(world, nic, subnet);
    different(world, &cuts, &named, v6, |_| ())
}

/// Addresses that the same prefixes, the same named tags and the same of what `also` tells hold get the same answer: one of them is enough.
fn different<S: Eq + std::hash::Hash>(
    world: &World<'_>,
    cuts: &[Prefix],
    named: &[Sym],
    v6: bool,
    also: impl Fn(IpAddr) -> S,
) -> Vec<IpAddr> {
    let tag_has = |tag: &Sym, prefix: &Prefix| world.platform.tag(*tag).is_some_and(|prefixes| prefixes.binary_search(prefix).is_ok());
    let mut explicit: Vec<Prefix> = cuts.iter().copied().filter(|cut| !named.iter().any(|tag| tag_has(tag, cut))).collect();
    explicit.sort_unstable();
    explicit.dedup();
    let mut seen = rustc_hash::FxHashSet::default();
    let mut addresses = representatives(world, cuts, v6);
    addresses.retain(|ip| {
        let prefixes: Vec<usize> = (0..explicit.len()).filter(|n| explicit[*n].contains(ip)).collect();
        let block = net::host(*ip);
        let tags: Vec<Sym> =
            named.iter().copied().filter(|tag| world.platform.tag_ranges(*tag).is_some_and(|ranges| ranges.hold(&block))).collect();
        seen.insert((prefixes, tags, also(*ip)))
    });
    addresses
}

/// One address of each piece that `cuts` make of public space, what belongs to the estate left out.
fn representatives(world: &World<'_>, cuts: &[Prefix], v6: bool) -> Vec<IpAddr> {
    let everything: Prefix = if v6 { "2000::/3" } else { "0.0.0.0/0" }.parse().expect("a literal prefix");
    let universe = if v6 { vec![everything] } else { net::public(everything) };
    let ranges: Vec<Prefix> = world.index.public_ip_ranges.rows().map(|row| row.prefix).collect();
    let mut cuts = cuts.to_vec();
    cuts.extend(&ranges);
    let foreign = |ip: IpAddr| !world.index.public_ips_by_address.has(ip) && !ranges.iter().any(|range| range.contains(&ip));
    pieces::of(&universe, &cuts, foreign)
}
