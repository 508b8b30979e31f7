//! Addresses against the ranges of rules.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use crate::facts::store_facts::StoreIpRule;
use crate::model::net::{self, everything, not_public_v4, public};
use crate::model::{Prefix, Tri};

/// Family and number: comparable, and never equal across families.
fn key(ip: IpAddr) -> (bool, u128) {
    match ip {
        IpAddr::V4(v4) => (false, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (true, u128::from(v6)),
    }
}

/// Whether the union of `rules` holds all of `prefix`.
fn holds_all(rules: &[StoreIpRule], prefix: &Prefix) -> bool {
    let (family, mut next) = key(prefix.network());
    let last = key(prefix.broadcast()).1;
    let mut ranges: Vec<(u128, u128)> =
        rules.iter().filter(|r| key(r.from).0 == family && key(r.to).0 == family).map(|r| (key(r.from).1, key(r.to).1)).collect();
    ranges.sort_unstable();
    for (from, to) in ranges {
        if from > next {
            return false;
        }
        if to >= last {
            return true;
        }
        if to >= next {
            next = to + 1;
        }
    }
    false
}

/// Whether `rule` shares an address with `prefix`.
fn meets(rule: &StoreIpRule, prefix: &Prefix) -> bool {
    let (low, high) = (key(prefix.network()), key(prefix.broadcast()));
    key(rule.from) <= high && key(rule.to) >= low && key(rule.from).0 == low.0
}

/// The rules in the order in which one is named.
fn sorted(rules: &[StoreIpRule]) -> Vec<&StoreIpRule> {
    let mut rules: Vec<&StoreIpRule> = rules.iter().collect();
    rules.sort_by_key(|r| (key(r.from), key(r.to), r.rule.as_str()));
    rules
}

/// Whether the rules hold the source address, which is one of `addresses` or, where that list is not `certain`, any public one; and a rule that does.
///
/// Yes only where they hold all that is possible, no only where they hold nothing of it (decisions 11 and 23).
pub fn hold<'a>(rules: &'a [StoreIpRule], addresses: &[Prefix], certain: bool) -> (Tri, Option<&'a StoreIpRule>) {
    let certain = certain && !addresses.is_empty();
    let anywhere = public(everything(Prefix::V4(ipnet::Ipv4Net::default())));
    let possible: &[Prefix] = if certain { addresses } else { &anywhere };
    let touched = sorted(rules).into_iter().find(|rule| {
        // An address that is not known may be of either family.
        possible.iter().any(|prefix| meets(rule, prefix)) || (!certain && rule.to.is_ipv6())
    });
    let Some(rule) = touched else { return (Tri::No, None) };
    let all = possible.iter().all(|prefix| holds_all(rules, prefix));
    (if all { Tri::Yes } else { Tri::Maybe }, Some(rule))
}

/// Whether the rules hold some public address that is not in `except`, and a rule that does.
pub fn hold_some<'a>(rules: &'a [StoreIpRule], except: &[Prefix]) -> (Tri, Option<&'a StoreIpRule>) {
    let found = sorted(rules).into_iter().find(|rule| {
        let near = except.iter().filter(|prefix| meets(rule, prefix)).copied();
        let not: Vec<Prefix> = not_public_v4().chain(near).collect();
        let prefixes: Vec<Prefix> = match (rule.from, rule.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => Ipv4Subnets::new(from, to, 0).map(IpNet::V4).collect(),
            (IpAddr::V6(from), IpAddr::V6(to)) => Ipv6Subnets::new(from, to, 0).map(IpNet::V6).collect(),
            _ => Vec::new(),
        };
        // IPv6: the space of public addresses is one prefix, so the outside of it is cut off by intersection.
        let space: Prefix = "2000::/3".parse().expect("a literal prefix");
        let inside = prefixes.into_iter().filter_map(|p| match p {
            IpNet::V4(_) => Some(p),
            IpNet::V6(_) if space.contains(&p) => Some(p),
            IpNet::V6(_) if p.contains(&space) => Some(space),
            IpNet::V6(_) => None,
        });
        !net::subtract(&inside.collect::<Vec<_>>(), &not).is_empty()
    });
    (Tri::from_bool(found.is_some()), found)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::ips;
    use super::*;

    fn prefixes(texts: &[&str]) -> Vec<Prefix> {
        texts.iter().map(|t| net::parse_prefix(t).unwrap()).collect()
    }

    // covers: FW-06, SQL-03
    #[test]
    fn all_that_is_possible_must_be_in_the_rules() {
        let rules = ips(&[("20.0.0.0", "20.0.0.3"), ("20.0.0.4", "20.0.0.7")]);
        assert_eq!(hold(rules, &prefixes(&["20.0.0.0/29"]), true).0, Tri::Yes, "two rules together");
        assert_eq!(hold(rules, &prefixes(&["20.0.0.1", "20.0.1.1"]), true).0, Tri::Maybe);
        assert_eq!(hold(rules, &prefixes(&["20.0.1.1"]), true).0, Tri::No);
        assert_eq!(hold(rules, &prefixes(&["20.0.0.1"]), false).0, Tri::Maybe, "any address may be it");
        assert_eq!(hold(ips(&[]), &[], false).0, Tri::No);
        assert_eq!(hold(ips(&[("0.0.0.0", "255.255.255.255")]), &[], false).0, Tri::Yes);
        assert_eq!(hold(ips(&[("10.0.0.0", "10.255.255.255")]), &[], false).0, Tri::No, "a private range is dead");
        assert_eq!(hold(ips(&[("255.255.255.255", "255.255.255.255")]), &prefixes(&["0.0.0.0/0"]), true).0, Tri::Maybe);
    }

    // covers: FW-06, FW-08, R-06
    #[test]
    fn everybody_means_somebody_outside_the_estate() {
        assert_eq!(hold_some(ips(&[("20.0.0.1", "20.0.0.2")]), &prefixes(&["20.0.0.1"])).0, Tri::Yes);
        assert_eq!(hold_some(ips(&[("20.0.0.1", "20.0.0.1")]), &prefixes(&["20.0.0.1"])).0, Tri::No);
        assert_eq!(hold_some(ips(&[("192.168.0.0", "192.168.255.255")]), &[]).0, Tri::No);
        assert_eq!(hold_some(ips(&[("2001:db8::1", "2001:db8::1")]), &[]).0, Tri::Yes);
        assert_eq!(hold_some(ips(&[("fd00::1", "fd00::1")]), &[]).0, Tri::No);
    }
}
