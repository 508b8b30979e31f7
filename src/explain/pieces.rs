//! Which addresses of a range must be looked at one by one: one for each piece in which the whole estate looks the same.

use std::net::IpAddr;

use crate::explain::candidates::tags_of_service_endpoints;
use crate::explain::world::World;
use crate::facts::selector::Selector;
use crate::model::{Prefix, Sym, net};
use crate::rules::route::reserved;

/// One address of each piece that `cuts` make of `universe` of which `wanted` is true; a piece without any is left out.
pub fn of(universe: &[Prefix], cuts: &[Prefix], wanted: impl Fn(IpAddr) -> bool) -> Vec<IpAddr> {
    let mut out: Vec<IpAddr> = Vec::new();
    for block in universe {
        let inside = cuts.iter().filter(|cut| block.contains(*cut));
        let bounds: Vec<u128> =
            inside.flat_map(|cut| [net::number(cut.network()), net::number(cut.broadcast()).saturating_add(1)]).collect();
        out.extend(between(block.network(), block.broadcast(), bounds, &wanted));
    }
    out
}

/// One wanted address of each piece that `bounds`, the first numbers of pieces, make of `first..=last`.
fn between(first: IpAddr, last: IpAddr, bounds: Vec<u128>, wanted: &impl Fn(IpAddr) -> bool) -> Vec<IpAddr> {
    // Nearly always the first is free; a piece that is taken as a whole is looked through once.
    let free = |(low, high): (u128, u128)| (low..=high).take(LOOKED_AT).map(|n| net::address(n, first.is_ipv4())).find(|ip| wanted(*ip));
    spans(net::number(first), net::number(last), bounds).filter_map(free).collect()
}

/// The pieces that `bounds` make of `low..=high`, in order.
fn spans(low: u128, high: u128, mut bounds: Vec<u128>) -> impl Iterator<Item = (u128, u128)> {
    bounds.retain(|n| *n > low && *n <= high);
    bounds.push(low);
    bounds.sort_unstable();
    bounds.dedup();
    let ends: Vec<u128> = bounds.iter().skip(1).map(|next| next - 1).chain([high]).collect();
    bounds.into_iter().zip(ends)
}

/// Addresses looked at before a piece counts as taken: more than any subnet holds machines.
pub const LOOKED_AT: usize = 1 << 17;

/// Addresses looked at for one that is like another: more than any range of public addresses that is in use as a whole.
const NEAR: usize = 1 << 12;

/// Where anything in the estate begins or ends, in numbers, one list a family. Sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    v4: Vec<u128>,
    v6: Vec<u128>,
    /// The prefixes that are written out. Sorted.
    pub prefixes: Vec<Prefix>,
    /// The service tags that are named. Sorted.
    pub tags: Vec<Sym>,
}

impl Bounds {
    /// Everything that a rule, a route, a network, a site or a contract of the estate tells apart.
    pub fn of(world: &World<'_>) -> Bounds {
        let index = world.index;
        let mut prefixes: Vec<Prefix> = Vec::new();
        let mut add = |prefix: &Prefix| prefixes.push(*prefix);
        index.vnet_prefixes.rows().for_each(|row| add(&row.prefix));
        index.subnet_prefixes.rows().for_each(|row| add(&row.prefix));
        index.peering_prefixes.rows().for_each(|row| add(&row.prefix));
        index.local_gateway_prefixes.rows().for_each(|row| add(&row.prefix));
        index.learned_route.rows().for_each(|row| add(&row.prefix));
        index.site_prefixes.rows().for_each(|row| add(&row.prefix));
        index.public_ip_ranges.rows().for_each(|row| add(&row.prefix));
        index.gateway_client_pools.rows().for_each(|row| add(&row.prefix));
        index.appliance_allows.rows().for_each(|row| [row.from, row.to].iter().for_each(&mut add));
        index.private_endpoint.rows().for_each(|row| world.endpoint_addresses(row.endpoint).iter().for_each(|ip| add(&net::host(*ip))));
        index.routes.rows().filter_map(|route| route.hop_address).for_each(|hop| add(&net::host(hop)));
        index.observed_route.rows().for_each(|row| add(&row.prefix));
        reserved().for_each(|prefix| add(&prefix));
        let (further, mut tags) = world.firewalls_compare();
        further.iter().for_each(&mut add);
        index.hub_routes.rows().for_each(|row| add(&row.prefix));
        let rules = index.nsg_rules.rows().flat_map(|rule| [rule.sources, rule.destinations]);
        let rules = rules.chain(index.admin_rules.rows().flat_map(|rule| [rule.sources, rule.destinations]));
        for selector in rules.chain(index.routes.rows().map(|route| route.destination)).flat_map(|field| field.items()) {
            match selector {
                Selector::Prefix(prefix) => add(&prefix),
                Selector::Tag(tag) => tags.push(tag),
                Selector::Any | Selector::Asg(_) => {}
            }
        }
        let mut endpoints: Vec<Sym> = index.service_endpoints.rows().map(|row| row.subnet).collect();
        endpoints.dedup();
        tags.extend(endpoints.into_iter().flat_map(|subnet| tags_of_service_endpoints(world, subnet)));
        tags.sort_unstable();
        tags.dedup();
        prefixes.sort_unstable();
        prefixes.dedup();
        let mut bounds = Bounds { prefixes, tags, ..Bounds::default() };
        let tagged = bounds.tags.iter().flat_map(|tag| world.platform.tag(*tag).unwrap_or_default());
        for prefix in bounds.prefixes.iter().chain(tagged) {
            let list = if prefix.addr().is_ipv4() { &mut bounds.v4 } else { &mut bounds.v6 };
            list.extend([net::number(prefix.network()), net::number(prefix.broadcast()).saturating_add(1)]);
        }
        for list in [&mut bounds.v4, &mut bounds.v6] {
            list.sort_unstable();
            list.dedup();
        }
        bounds
    }

    /// The piece that `ip` lies in: nothing but whose they are tells its addresses apart.
    pub fn piece(&self, ip: IpAddr) -> Option<(u128, u128)> {
        let (list, number) = (if ip.is_ipv4() { &self.v4 } else { &self.v6 }, net::number(ip));
        let next = list.partition_point(|bound| *bound <= number);
        Some((*list.get(next.checked_sub(1)?)?, list.get(next)? - 1))
    }

    /// A wanted address near `ip` in its piece.
    pub fn like(&self, ip: IpAddr, wanted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
        let ((first, last), number) = (self.piece(ip)?, net::number(ip));
        let near = (number + 1..=last).chain((first..number).rev()).take(NEAR);
        near.map(|n| net::address(n, ip.is_ipv4())).find(|ip| wanted(*ip))
    }

    /// One wanted address of each piece of `first..=last`.
    pub fn pieces(&self, first: IpAddr, last: IpAddr, wanted: impl Fn(IpAddr) -> bool) -> Vec<IpAddr> {
        between(first, last, self.inside(first, last), &wanted)
    }

    /// The first and last number of each piece of `first..=last`.
    pub fn spans(&self, first: IpAddr, last: IpAddr) -> impl Iterator<Item = (u128, u128)> {
        spans(net::number(first), net::number(last), self.inside(first, last))
    }

    fn inside(&self, first: IpAddr, last: IpAddr) -> Vec<u128> {
        let list = if first.is_ipv4() { &self.v4 } else { &self.v6 };
        let from = list.partition_point(|n| *n <= net::number(first));
        let to = list.partition_point(|n| *n <= net::number(last));
        list[from..to].to_vec()
    }
}
