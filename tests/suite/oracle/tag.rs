//! What a service tag means on a subnet (NSG-20 to NSG-26).

use std::net::IpAddr;

use watertight::facts::network::{HopKind, Peering};
use watertight::facts::selector::Selector;
use watertight::model::net::is_public;
use watertight::model::{Prefix, Sym, Tri};

use super::address::service_tag;
use super::packet::Addr;
use super::world::World;

impl World<'_> {
    /// Whether an address is in a service tag as the subnet sees it (NSG-20 to NSG-26).
    pub fn in_tag(&self, tag: Sym, subnet: Sym, addr: Addr) -> Tri {
        match tag.as_str() {
            "virtualnetwork" | "virtual_network" => return self.in_virtual_network(subnet, addr),
            "internet" => return self.in_internet(subnet, addr),
            "azureloadbalancer" | "azure_loadbalancer" => return self.is_load_balancer(addr),
            "azureplatformdns" => return self.is_ip(addr, "168.63.129.16"),
            "azureplatformimds" => return self.is_ip(addr, "169.254.169.254"),
            _ => {}
        }
        if let Addr::Front(service, region) = addr {
            // A front end is in its own tags and in those of the cloud by what it is (M-14).
            let own = service_tag(service);
            if tag.as_str() == own || tag.as_str() == "azurecloud" {
                return Tri::Yes;
            }
            if let Some((global, of_region)) = tag.as_str().split_once('.')
                && (global == own || global == "azurecloud")
            {
                if of_region == region.as_str() {
                    return Tri::Yes;
                }
                // The same service in a region (M-14), which a tag may call by a name of its own (NSG-25).
                if let Some(named) = self.platform.tag_region(of_region) {
                    return if region.is_empty() { Tri::Maybe } else { Tri::from_bool(named == region) };
                }
            }
        }
        if let Some(prefixes) = self.platform.tag(tag) {
            return self.in_any(prefixes, addr);
        }
        // Not known: possibly any public address, or any of the service's where that is known (NSG-25).
        let possible = match tag.as_str().split_once('.').and_then(|(global, _)| self.platform.tag(Sym::new(global))) {
            Some(prefixes) => self.in_any(prefixes, addr),
            None => self.is_public_addr(addr),
        };
        possible.and(Tri::Maybe)
    }

    /// Membership in a list of prefixes. Parts of a front end's class in several prefixes can add up to all of it.
    fn in_any(&self, prefixes: &[Prefix], addr: Addr) -> Tri {
        if let Addr::Front(service, region) = addr
            && let Some(front) = self.front_prefixes(service, region)
        {
            let left = watertight::model::net::subtract(&front, prefixes);
            let touched = front.iter().any(|f| prefixes.iter().any(|p| p.contains(f) || f.contains(p)));
            return if left.is_empty() {
                Tri::Yes
            } else if touched {
                Tri::Maybe
            } else {
                Tri::No
            };
        }
        prefixes.iter().map(|&p| self.in_prefix(addr, p)).max().unwrap_or(Tri::No)
    }

    /// Whether an address is public.
    pub fn is_public_addr(&self, addr: Addr) -> Tri {
        match addr {
            Addr::Known(ip) => Tri::from_bool(is_public(ip)),
            Addr::SomePublic | Addr::Front(..) => Tri::Yes,
        }
    }

    fn is_ip(&self, addr: Addr, ip: &str) -> Tri {
        Tri::from_bool(addr == Addr::Known(ip.parse::<IpAddr>().expect("a literal address")))
    }

    pub fn is_load_balancer(&self, addr: Addr) -> Tri {
        self.is_ip(addr, "168.63.129.16").or(self.is_ip(addr, "fe80::1234:5678:9abc"))
    }

    /// `Internet` on the subnet (NSG-22): public, not of the own network, and not also in `VirtualNetwork`.
    pub fn in_internet(&self, subnet: Sym, addr: Addr) -> Tri {
        let own = match self.vnet_of(subnet) {
            Some(vnet) => self.space(vnet).iter().map(|&p| self.in_prefix(addr, p)).max().unwrap_or(Tri::No),
            None => Tri::Maybe,
        };
        let platform = self.is_ip(addr, "168.63.129.16");
        let outside = self.is_public_addr(addr).and(own.negated()).and(platform.negated());
        // Ranges that Azure's own lists of the tag lack, though the documents count them in.
        let unlisted = ["25.0.0.0/8", "198.18.0.0/15"].map(|text| text.parse::<Prefix>().expect("a literal prefix"));
        let doubted = matches!(addr, Addr::Known(ip) if unlisted.iter().any(|prefix| prefix.contains(&ip)));
        if doubted || self.in_virtual_network(subnet, addr).hi() { outside.and(Tri::Maybe) } else { outside }
    }

    /// Whether a user route, or a peering whose addresses are not in the tag, has or may have just the prefix.
    fn takes_the_place_of(&self, subnet: Sym, vnet: Sym, prefix: Prefix) -> bool {
        let by_user = self.user_routes(subnet).iter().any(|(route, _)| {
            route.destination.items().iter().any(|item| match item {
                Selector::Prefix(own) => *own == prefix,
                Selector::Tag(tag) => match self.platform.tag(*tag) {
                    Some(prefixes) => prefixes.contains(&prefix),
                    None => is_public(prefix.network()) && prefix.prefix_len() > 0,
                },
                Selector::Any | Selector::Asg(_) => false,
            })
        });
        let over = self.peerings.iter().filter(|p| p.vnet == vnet && !p.access && self.route_over(p, subnet).hi());
        let has = |p: &Peering| self.has_unknown_space(p) || self.remote_space(p).iter().any(|(space, _)| *space == prefix);
        let by_peer = over.into_iter().any(has);
        by_user || by_peer
    }

    /// `VirtualNetwork` on the subnet (NSG-20).
    pub fn in_virtual_network(&self, subnet: Sym, addr: Addr) -> Tri {
        let inside = |prefix: Prefix| self.in_prefix(addr, prefix);
        let Some(vnet) = self.vnet_of(subnet) else {
            // Whatever else is in it, what its own routes send to appliances is.
            let routes = self.user_routes(subnet);
            let away = routes.iter().filter(|(r, tag)| !tag && matches!(r.hop, HopKind::VirtualAppliance | HopKind::VirtualNetworkGateway));
            let items = away.flat_map(|(r, _)| r.destination.items());
            let sent = items.filter_map(|item| if let Selector::Prefix(prefix) = item { Some(inside(prefix)) } else { None });
            return sent.max().unwrap_or(Tri::No).or(Tri::Maybe);
        };
        let mut best = self.is_ip(addr, "168.63.129.16");
        for prefix in self.space(vnet) {
            best = best.or(inside(prefix));
        }
        for peering in self.peerings.iter().filter(|p| p.vnet == vnet) {
            let joined = self.route_over(peering, subnet);
            for (prefix, sure) in self.remote_space(peering) {
                if peering.access {
                    best = best.or(inside(prefix).and(sure).and(joined));
                }
            }
            if peering.forwarded && joined.hi() {
                // Peers of peers may count where forwarded traffic may enter.
                for next in self.peerings.iter().filter(|p| p.vnet == peering.remote && p.remote != vnet) {
                    for (prefix, _) in self.remote_space(next) {
                        best = best.or(inside(prefix).and(Tri::Maybe));
                    }
                }
            }
        }
        let propagated = self.gateway_routes_on(subnet);
        let seen = self.seen_at(subnet);
        for row in seen.iter().flatten().filter(|row| row.source.as_str() != "user") {
            match (row.source.as_str(), row.hop.as_str()) {
                ("virtualnetworkgateway", "virtualnetworkgateway") => {
                    best = best.or(inside(row.prefix).and(self.was_seen_everywhere(subnet, row)));
                }
                // Of a network that does not tell its space what was seen to be local is of it, and there may be more.
                ("default", "vnetlocal") if self.space(vnet).is_empty() => {
                    best = best.or(inside(row.prefix).and(self.was_seen_everywhere(subnet, row)));
                }
                ("default", "vnetlocal" | "internet" | "none" | "vnetpeering" | "vnetglobalpeering" | "connectedgroup") => {}
                ("default", "interfaceendpoint" | "virtualnetworkserviceendpoint") => {}
                _ => best = best.or(inside(row.prefix).and(Tri::Maybe)),
            }
        }
        for route in self.gateway_routes(vnet).into_iter().filter(|_| seen.is_none()) {
            // A route of the same prefix takes its place: then it is not in effect, and counts perhaps.
            let replaced = route.prefix.is_some_and(|prefix| self.takes_the_place_of(subnet, vnet, prefix));
            let sure = if propagated && !replaced && !self.names_unseen_table(subnet) { route.sure } else { Tri::Maybe };
            best = best.or(route.prefix.map_or(Tri::Maybe, inside).and(sure));
        }
        for (route, tag) in self.user_routes(subnet) {
            let counts = match route.hop {
                HopKind::VirtualAppliance | HopKind::VirtualNetworkGateway if !tag => Tri::Yes,
                HopKind::VirtualAppliance | HopKind::VirtualNetworkGateway => Tri::Maybe, // decision 12
                HopKind::VnetLocal | HopKind::None | HopKind::Unknown => Tri::Maybe,
                HopKind::Internet => Tri::No,
            };
            for item in route.destination.items() {
                let hit = match item {
                    Selector::Prefix(prefix) => inside(prefix),
                    Selector::Tag(tag) => self.in_tag(tag, subnet, addr),
                    Selector::Any | Selector::Asg(_) => Tri::No,
                };
                best = best.or(hit.and(counts).and(self.is_there(subnet, &route)));
            }
        }
        let open = self.peers_of_unknown_space(subnet).into_iter().any(|id| self.peerings.iter().any(|p| p.peering == id && p.access));
        let untold = seen.is_some() && self.space(vnet).is_empty();
        if open || untold || self.table_is_missing(subnet) { best.or(Tri::Maybe) } else { best }
    }
}
