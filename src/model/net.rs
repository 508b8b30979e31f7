//! Addresses and prefixes: `ipnet` with the lenient reading that exports need.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};

/// An IPv4 or IPv6 prefix, host bits always zero.
pub type Prefix = IpNet;

/// Reads a prefix or a bare address (a /32 or /128); host bits are masked, as Azure does (NSG-08).
pub fn parse_prefix(text: &str) -> Option<Prefix> {
    let text = text.trim();
    if let Ok(net) = text.parse::<IpNet>() {
        return Some(net.trunc());
    }
    text.parse::<IpAddr>().ok().map(host)
}

/// The prefix that holds `ip` alone.
pub fn host(ip: IpAddr) -> Prefix {
    IpNet::new(ip, if ip.is_ipv4() { 32 } else { 128 }).expect("32 and 128 are lengths of their family")
}

/// Everything in the family of `like`.
pub fn everything(like: Prefix) -> Prefix {
    match like {
        IpNet::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpNet::V6(_) => IpNet::V6(Ipv6Net::default()),
    }
}

/// Whether the two prefixes share an address.
pub fn overlap(a: &Prefix, b: &Prefix) -> bool {
    a.contains(b) || b.contains(a)
}

/// Whether `ip` is in the ranges that are never public: PUB4 and PUB6 of rule NSG-22 are the rest.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !never_public(v4, 32),
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    }
}

/// Whether one of the ranges of [`NOT_PUBLIC_V4`] holds a prefix. Asked for every route of every packet: no prefixes are made for it.
fn never_public(base: Ipv4Addr, length: u8) -> bool {
    let bits = u32::from(base);
    NOT_PUBLIC_V4.iter().any(|(range, len)| *len <= length && (bits ^ u32::from_be_bytes(*range)) >> (32 - len) == 0)
}

/// Whether `ip` stands for many: multicast, or broadcast to everybody near (ADR-13).
pub fn is_many(ip: IpAddr) -> bool {
    ip.is_multicast() || matches!(ip, IpAddr::V4(v4) if v4.is_broadcast())
}

/// The IPv4 ranges that the tag `Internet` never holds (NSG-22).
const NOT_PUBLIC_V4: [([u8; 4], u8); 8] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
    ([224, 0, 0, 0], 3),
];

/// The IPv4 ranges that are not public, as prefixes.
pub fn not_public_v4() -> impl Iterator<Item = Prefix> {
    NOT_PUBLIC_V4
        .iter()
        .map(|(base, len)| IpNet::V4(Ipv4Net::new(Ipv4Addr::from(*base), *len).expect("lengths of the table are IPv4 lengths")))
}

/// Public IPv4 ranges that the tag `Internet` holds only perhaps: Azure's rule books count them in, its recorded expansions of the tag leave
/// them out (NSG-22).
const PERHAPS_INTERNET_V4: [([u8; 4], u8); 2] = [([25, 0, 0, 0], 8), ([198, 18, 0, 0], 15)];

/// The public IPv4 ranges that the tag `Internet` holds only perhaps.
pub fn perhaps_internet_v4() -> impl Iterator<Item = Prefix> {
    PERHAPS_INTERNET_V4
        .iter()
        .map(|(base, len)| IpNet::V4(Ipv4Net::new(Ipv4Addr::from(*base), *len).expect("lengths of the table are IPv4 lengths")))
}

/// The public addresses of the family of `like`, as prefixes: PUB4 or PUB6 of NSG-22.
pub fn public(like: Prefix) -> Vec<Prefix> {
    match like {
        IpNet::V4(_) => {
            static PUBLIC: OnceLock<Vec<Prefix>> = OnceLock::new();
            PUBLIC.get_or_init(|| subtract(&[everything(like)], &not_public_v4().collect::<Vec<_>>())).clone()
        }
        IpNet::V6(_) => vec![public_v6()],
    }
}

/// The public addresses of IPv6: PUB6 of NSG-22.
fn public_v6() -> Prefix {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3))
}

/// Whether the prefix holds any public address.
pub fn overlaps_public(prefix: &Prefix) -> bool {
    match prefix {
        // No prefix is covered by several of the ranges without lying in one of them.
        IpNet::V4(v4) => !never_public(v4.network(), v4.prefix_len()),
        IpNet::V6(_) => overlap(prefix, &public_v6()),
    }
}

/// Whether any prefix of a sorted list holds all of `prefix`.
pub fn held_by_any(sorted: &[Prefix], prefix: &Prefix) -> bool {
    let wider = |length| Prefix::new(prefix.network(), length).expect("no longer than the prefix").trunc();
    (0..=prefix.prefix_len()).any(|length| sorted.binary_search(&wider(length)).is_ok())
}

/// Whether `prefix` holds all of any prefix of a sorted list.
pub fn holds_any(prefix: &Prefix, sorted: &[Prefix]) -> bool {
    sorted.get(sorted.partition_point(|other| other < prefix)).is_some_and(|other| prefix.contains(other))
}

/// `from` without `what`, as a sorted list of disjoint prefixes.
pub fn subtract(from: &[Prefix], what: &[Prefix]) -> Vec<Prefix> {
    let mut left = Vec::new();
    let mut work: Vec<Prefix> = Prefix::aggregate(&from.to_vec());
    while let Some(prefix) = work.pop() {
        if what.iter().any(|w| w.contains(&prefix)) {
            continue;
        }
        if what.iter().any(|w| prefix.contains(w)) {
            let len = prefix.prefix_len() + 1;
            work.extend(prefix.subnets(len).expect("a prefix that holds another can be halved"));
        } else {
            left.push(prefix);
        }
    }
    left.sort_unstable();
    left
}

/// The prefixes that hold exactly `from` to `to`; none where the two are of different families or in the wrong order.
pub fn range(from: IpAddr, to: IpAddr) -> Vec<Prefix> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) if from <= to => Ipv4Subnets::new(from, to, 0).map(IpNet::V4).collect(),
        (IpAddr::V6(from), IpAddr::V6(to)) if from <= to => Ipv6Subnets::new(from, to, 0).map(IpNet::V6).collect(),
        _ => Vec::new(),
    }
}

/// The addresses an endpoint can have in one subnet prefix: all but the first four and the last (ADR-04).
///
/// As inclusive bounds; `None` where the prefix is too small to hold any.
pub fn usable(prefix: &Prefix) -> Option<(IpAddr, IpAddr)> {
    match prefix {
        IpNet::V4(net) => {
            let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
            (last - first >= 5).then(|| (IpAddr::V4((first + 4).into()), IpAddr::V4((last - 1).into())))
        }
        IpNet::V6(net) => {
            let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
            (last - first >= 5).then(|| (IpAddr::V6((first + 4).into()), IpAddr::V6((last - 1).into())))
        }
    }
}

/// Whether an endpoint in a subnet with this prefix can have the address (ADR-04).
pub fn is_usable(prefix: &Prefix, ip: IpAddr) -> bool {
    usable(prefix).is_some_and(|(first, last)| first <= ip && ip <= last)
}

/// The address as a number.
pub fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// The address with a number; of IPv4 the low 32 bits count.
pub fn address(n: u128, v4: bool) -> IpAddr {
    if v4 { IpAddr::V4((n as u32).into()) } else { IpAddr::V6(n.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_masked_and_bare_addresses_are_hosts() {
        assert_eq!(parse_prefix("10.1.2.3/16").unwrap().to_string(), "10.1.0.0/16");
        assert_eq!(parse_prefix("10.1.2.3").unwrap().to_string(), "10.1.2.3/32");
        assert_eq!(parse_prefix("1234"), None);
    }

    #[test]
    fn a_sorted_list_is_searched_for_what_holds_and_what_is_held() {
        let mut list: Vec<Prefix> = ["10.1.0.0/16", "10.0.0.0/24", "2001:db8::/32"].map(|text| text.parse().unwrap()).to_vec();
        list.sort_unstable();
        for asked in ["10.1.2.0/24", "10.1.0.0/16", "10.0.0.0/16", "10.0.0.0/8", "10.2.0.0/16", "2001:db8::1/128", "2000::/3"] {
            let asked: Prefix = asked.parse().unwrap();
            assert_eq!(held_by_any(&list, &asked), list.iter().any(|p| p.contains(&asked)), "{asked}");
            assert_eq!(holds_any(&asked, &list), list.iter().any(|p| asked.contains(p)), "{asked}");
        }
    }

    #[test]
    fn private_ranges_are_not_public() {
        for ip in ["10.0.0.1", "172.31.0.100", "192.168.1.1", "100.64.0.1", "169.254.169.254", "168.63.129.16"] {
            assert_eq!(is_public(ip.parse().unwrap()), ip == "168.63.129.16", "{ip}");
        }
    }

    #[test]
    fn public_space_leaves_out_the_private_ranges() {
        let all: Prefix = "0.0.0.0/0".parse().unwrap();
        let public = public(all);
        assert!(public.iter().any(|p| p.contains(&"8.8.8.8".parse::<IpAddr>().unwrap())));
        assert!(!public.iter().any(|p| p.contains(&"10.1.1.1".parse::<IpAddr>().unwrap())));
    }
}
