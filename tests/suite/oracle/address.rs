//! Who owns an address, and which addresses stand for a range.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use watertight::facts::gap::Resource;
use watertight::facts::network::{DeviceKind, IpConfig, NicRole};
use watertight::facts::store_facts::Service;
use watertight::model::net::{is_public, not_public_v4};
use watertight::model::{Prefix, Sym, Tri};

use super::packet::Addr;
use super::world::{World, is_everything, same_family};

/// What answers at an address inside a network (ADR-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// An address configuration of a machine's interface, in its subnet.
    Config { config: Sym, nic: Sym, subnet: Sym },
    /// A configuration whose address is not known could have it (ADR-06).
    Perhaps,
    /// A private endpoint.
    Endpoint(Sym),
    /// An internal load balancer's frontend.
    Frontend(Sym),
    /// A device that is not derived.
    Device(DeviceKind),
    /// Nobody, in a subnet that has endpoints.
    Nobody,
    /// Nobody, in a subnet without any endpoint or managed by a service: one could be there (SND-07).
    EmptySubnet,
}

/// An address as a number, to count and compare.
pub fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn address(like: IpAddr, number: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(number as u32)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(number)),
    }
}

/// The private ranges and the rest that the tag `Internet` never holds.
pub fn is_private(ip: IpAddr) -> bool {
    !is_public(ip)
}

impl World<'_> {
    /// One address of `low..=high` for every part of the range in which the whole estate looks the same.
    pub fn representatives(&self, low: IpAddr, high: IpAddr) -> Vec<IpAddr> {
        let (first, last) = (number(low), number(high));
        let mut starts = vec![first];
        for &prefix in self.mentioned_prefixes() {
            if same_family(prefix, low) {
                starts.push(number(prefix.network()));
                starts.push(number(prefix.broadcast()).saturating_add(1));
            }
        }
        starts.retain(|n| (first..=last).contains(n));
        starts.sort_unstable();
        starts.dedup();
        starts.into_iter().map(|n| address(low, n)).collect()
    }

    /// The representatives of a list of prefixes.
    pub fn representatives_of(&self, prefixes: &[Prefix]) -> Vec<IpAddr> {
        prefixes.iter().flat_map(|p| self.representatives(p.network(), p.broadcast())).collect()
    }

    /// The addresses an endpoint in `subnet` could have (ADR-04), without those that somebody has.
    pub fn free_addresses(&self, subnet: Sym) -> Vec<IpAddr> {
        let mut free = Vec::new();
        for prefix in self.subnet_space(subnet) {
            if let Some((low, high)) = watertight::model::net::usable(&prefix) {
                free.extend(self.representatives(low, high));
            }
        }
        free.retain(|&ip| self.is_free(subnet, ip));
        free
    }

    /// Whether nobody is known to have the address.
    pub fn is_nobodys(&self, vnet: Sym, ip: IpAddr) -> bool {
        !matches!(self.owner(vnet, ip), Owner::Config { .. } | Owner::Endpoint(_) | Owner::Frontend(_) | Owner::Device(_))
    }

    /// Whether a machine could be placed in the subnet at the address.
    pub fn is_free(&self, subnet: Sym, ip: IpAddr) -> bool {
        let usable = |prefix: &Prefix| {
            let range = watertight::model::net::usable(prefix);
            prefix.contains(&ip) && range.is_some_and(|(low, high)| low <= ip && ip <= high)
        };
        // Of a subnet whose network nobody told only those in it are known to be there.
        let in_it = || {
            let config = |c: &IpConfig| c.subnet == subnet && self.is_attached(c.nic) && self.addresses_of(c.ip_config).contains(&ip);
            let endpoint = |e: Sym| self.endpoint_ips(e).iter().any(|&(_, at)| at == ip);
            self.configs.iter().any(config)
                || self.fronts.iter().any(|f| f.subnet == subnet && f.address == Some(ip))
                || self.device_addresses.iter().any(|a| a.subnet == subnet && a.address == ip)
                || self.endpoints.iter().any(|e| e.subnet == subnet && endpoint(e.endpoint))
        };
        let nobodys = self.vnet_of(subnet).map_or_else(|| !in_it(), |vnet| self.is_nobodys(vnet, ip));
        self.subnet_space(subnet).iter().any(usable) && nobodys
    }

    /// Whether the interface has the address: perhaps one of which nobody knows the address has it.
    pub fn has(&self, nic: Sym, to: Addr) -> Tri {
        let Addr::Known(ip) = to else { return Tri::No };
        let each = self.configs.iter().filter(|c| c.nic == nic).map(|c| {
            let listed = self.addresses_of(c.ip_config);
            let fits = if listed.is_empty() && self.is_free(c.subnet, ip) { Tri::Maybe } else { Tri::No };
            if listed.contains(&ip) { Tri::Yes } else { fits }
        });
        each.max().unwrap_or(Tri::No)
    }

    /// Whether the configuration has the address, or could have it.
    pub fn may_have(&self, config: Sym, ip: IpAddr) -> bool {
        let own = self.addresses_of(config);
        own.is_empty() || own.contains(&ip)
    }

    /// The addresses of an address configuration: its own, or any that it could have.
    pub fn possible_addresses(&self, config: Sym, subnet: Sym) -> Vec<IpAddr> {
        let own = self.addresses_of(config);
        if own.is_empty() && self.vnet_of(subnet).is_none() {
            return Vec::new(); // its subnet is not in the input
        }
        if !own.is_empty() {
            return own;
        }
        let listed = self.pool_addresses.iter().map(|row| row.address).filter(|ip| self.is_free(subnet, *ip));
        let mut places: Vec<IpAddr> = self.free_addresses(subnet).into_iter().chain(listed).collect();
        places.sort();
        places.dedup();
        places
    }

    /// The public addresses of one family that belong to nothing in the estate (IN-01).
    pub fn internet_addresses(&self, v4: bool) -> Vec<IpAddr> {
        let all = if v4 {
            self.representatives(IpAddr::V4(Ipv4Addr::new(1, 0, 0, 0)), IpAddr::V4(Ipv4Addr::new(223, 255, 255, 255)))
        } else {
            let (low, high) = ("2000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
            self.representatives(low.parse().expect("literal"), high.parse().expect("literal"))
        };
        // The starts of the public parts are wanted too: the end of each private range.
        let mut all = all;
        if v4 {
            all.extend(
                not_public_v4().filter_map(|p| number(p.broadcast()).checked_add(1)).map(|n| address(IpAddr::V4(Ipv4Addr::UNSPECIFIED), n)),
            );
        }
        all.retain(|&ip| is_public(ip) && !self.owns_public(ip));
        all.sort();
        all.dedup();
        all
    }

    /// Whether a public address resource of the estate has the address.
    pub fn owns_public(&self, ip: IpAddr) -> bool {
        self.public_ip_addresses.iter().any(|a| a.address == ip) || self.public_ip_ranges.iter().any(|r| r.prefix.contains(&ip))
    }

    /// The private endpoints that have the address.
    pub fn endpoints_at(&self, vnet: Sym, ip: IpAddr) -> Option<Sym> {
        self.endpoints
            .iter()
            .find(|e| self.vnet_of(e.subnet) == Some(vnet) && self.endpoint_ips(e.endpoint).iter().any(|&(_, a)| a == ip))
            .map(|e| e.endpoint)
    }

    /// Who has `ip` in `vnet` (ADR-11).
    pub fn owner(&self, vnet: Sym, ip: IpAddr) -> Owner {
        let here = |subnet: Sym| self.vnet_of(subnet) == Some(vnet);
        for a in self.config_addresses.iter().filter(|a| a.address == ip) {
            for c in self.configs.iter().filter(|c| c.ip_config == a.ip_config && here(c.subnet)) {
                if self.is_attached(c.nic) {
                    return Owner::Config { config: c.ip_config, nic: c.nic, subnet: c.subnet };
                }
            }
        }
        if let Some(endpoint) = self.endpoints_at(vnet, ip) {
            return Owner::Endpoint(endpoint);
        }
        if let Some(frontend) = self.frontend_at(vnet, ip) {
            return Owner::Frontend(frontend);
        }
        if let Some(device) = self.device_at(vnet, ip) {
            return Owner::Device(device);
        }
        let homeless = |config: Sym| self.configs.iter().any(|c| c.ip_config == config && self.vnet_of(c.subnet).is_none());
        if self.config_addresses.iter().any(|a| a.address == ip && homeless(a.ip_config)) {
            return Owner::Perhaps; // in a subnet that nobody exported
        }
        if self.fronts.iter().any(|f| f.address == Some(ip) && !f.subnet.is_empty() && self.vnet_of(f.subnet).is_none()) {
            return Owner::Perhaps;
        }
        let Some(subnet) = self.subnet_at(vnet, ip) else {
            return if self.hides_a_subnet(vnet) { Owner::Perhaps } else { Owner::Nobody };
        };
        let ranges: Vec<Prefix> = self.subnets.iter().filter(|s| s.vnet == vnet).flat_map(|s| self.subnet_space(s.subnet)).collect();
        if ranges.iter().filter(|range| range.contains(&ip)).all(|range| is_azures(range, ip)) {
            return Owner::Nobody; // ADR-04
        }
        let dynamic = |c: &&watertight::facts::network::IpConfig| c.subnet == subnet && self.addresses_of(c.ip_config).is_empty();
        if self.configs.iter().filter(dynamic).any(|c| self.is_attached(c.nic)) {
            return Owner::Perhaps;
        }
        if self.subnet_configs.iter().any(|row| row.subnet == subnet && self.is_unseen(row.ip_config)) {
            return Owner::Perhaps; // the subnet itself says so
        }
        let gateway = self.gateway_subnets.iter().any(|g| g.subnet == subnet);
        let device = self.devices.iter().any(|d| d.subnet == subnet);
        if gateway || device || self.delegations.iter().any(|d| d.subnet == subnet) {
            return Owner::Perhaps; // whose filters count there is not documented (ADR-09, NSG-12)
        }
        let fronts: Vec<_> = self.fronts.iter().filter(|f| f.subnet == subnet).collect();
        if fronts.iter().any(|f| f.address.is_none()) {
            return Owner::Perhaps;
        }
        // The load balancer of a pool that nobody exported has its address somewhere in the network of its members.
        for member in &self.config_pools {
            let listed = self.knows_pool(member.pool);
            let config = self.profile_of(member.ip_config).unwrap_or(member.ip_config);
            if !listed && self.configs.iter().any(|c| c.ip_config == config && here(c.subnet)) {
                return Owner::Perhaps;
            }
        }
        if self.somebody_is_half_seen() {
            return Owner::Perhaps; // SND-04
        }
        let inhabited =
            !fronts.is_empty() || self.configs.iter().any(|c| c.subnet == subnet) || self.endpoints.iter().any(|e| e.subnet == subnet);
        if inhabited && self.a_hidden_endpoint_fits(vnet) {
            return Owner::Perhaps;
        }
        if inhabited { Owner::Nobody } else { Owner::EmptySubnet }
    }

    /// Whether the network has a subnet of which nobody exported the range, or of which only those know who stand in it.
    pub fn hides_a_subnet(&self, vnet: Sym) -> bool {
        let known = |subnet: Sym| self.subnets.iter().any(|s| s.subnet == subnet);
        let within = |subnet: Sym| subnet.as_str().starts_with(&format!("{vnet}/subnets/"));
        // A row of a subnet without its body tells of no range; nor does a network without its list of subnets.
        let kind = "microsoft.network/virtualnetworks/subnets";
        let bare = self.resources.iter().filter(|r| r.kind.as_str() == kind).map(|r| r.id);
        let mut named = self.configs.iter().map(|c| c.subnet).chain(self.endpoints.iter().map(|e| e.subnet)).chain(bare);
        let row = self.resources.iter().any(|r| r.id == vnet && r.kind.as_str() == "microsoft.network/virtualnetworks");
        let listed = self.child_types.iter().any(|c| c.parent == vnet && c.kind.as_str() == kind);
        let unlisted = row && !listed && !self.subnets.iter().any(|s| s.vnet == vnet);
        unlisted
            || named.any(|subnet| !known(subnet) && within(subnet))
            || self.subnets.iter().any(|s| s.vnet == vnet && self.subnet_space(s.subnet).is_empty())
    }

    /// Whether an address configuration that a subnet names is that of something nobody exported.
    pub fn is_unseen(&self, config: Sym) -> bool {
        let parts: Vec<&str> = config.as_str().split('/').collect();
        let holder = parts[..parts.len().saturating_sub(2)].join("/");
        let has = |id: &str| self.resources.iter().any(|r| r.id.as_str() == id) || self.machines.iter().any(|m| m.machine.as_str() == id);
        let interface = self.nics.iter().any(|n| n.nic.as_str() == holder) || self.endpoint_nics.iter().any(|n| n.nic.as_str() == holder);
        let listed = self.configs.iter().any(|c| c.ip_config == config);
        let in_set = holder.find("/virtualmachines/").is_some_and(|at| has(&holder[..at]));
        let itself = has(config.as_str()) || self.endpoints.iter().any(|e| e.endpoint == config);
        !(listed || interface || has(&holder) || in_set || itself)
    }

    /// Whether a public address may be the literal one: one that something names and nobody exported, or one of its family that does not tell its address.
    pub fn has_lost_public_ip(&self, ip: IpAddr) -> bool {
        self.names_lost_public_ip() || self.public_ips_untold.iter().any(|row| self.has_family(row.public_ip, ip.is_ipv4(), None).hi())
    }

    /// Whether something names a public address that nobody exported.
    fn names_lost_public_ip(&self) -> bool {
        let named = self.config_public_ips.iter().map(|row| row.public_ip);
        let named = named.chain(self.fronts.iter().map(|row| row.public_ip)).chain(self.device_public_ips.iter().map(|row| row.public_ip));
        let named = named.chain(self.nat_public_ips.iter().map(|row| row.public_ip));
        let ranges = self.nat_ranges.iter().any(|n| !self.public_ip_ranges.iter().any(|row| row.public_ip_prefix == n.public_ip_prefix));
        ranges || named.filter(|name| !name.is_empty()).any(|name| !self.public_ips.iter().any(|row| row.public_ip == name))
    }

    /// Whether something that has addresses in a network was exported by its name alone, or an interface only named by its machine.
    fn somebody_is_half_seen(&self) -> bool {
        self.resources.iter().any(|r| !self.is_known_body(r)) || self.an_interface_is_hidden()
    }

    /// Whether more than its name was exported of what takes addresses.
    fn is_known_body(&self, r: &Resource) -> bool {
        match r.kind.as_str() {
            "microsoft.network/loadbalancers" => self.balancers.iter().any(|b| b.balancer == r.id),
            "microsoft.network/loadbalancers/frontendipconfigurations" => self.front(r.id).is_some(),
            "microsoft.network/networkinterfaces" => self.nic(r.id).is_some(),
            "microsoft.network/azurefirewalls" => self.is_firewall(r.id),
            "microsoft.network/applicationgateways" | "microsoft.network/bastionhosts" => {
                self.devices.iter().any(|d| d.device == r.id && d.kind != DeviceKind::Other)
            }
            _ => true,
        }
    }

    /// Something that takes public addresses and of which the input holds nothing but that it is there, or a pool whose load balancer it does not hold; nameless
    /// where it is an interface that somebody has.
    pub fn half_seen_holder(&self) -> Option<Sym> {
        let mut half: Vec<Sym> = self.resources.iter().filter(|r| !self.is_known_body(r)).map(|r| r.id).collect();
        Sym::sort(&mut half);
        let known = |pool: Sym| self.knows_pool(pool);
        let mut pools: Vec<Sym> = self.config_pools.iter().map(|c| c.pool).filter(|pool| !known(*pool)).collect();
        Sym::sort(&mut pools);
        let hidden = self.an_interface_is_hidden() || self.subnet_configs.iter().any(|row| self.is_unseen(row.ip_config));
        half.into_iter().chain(pools).next().or(hidden.then_some(Sym::EMPTY))
    }

    /// A device, or an interface that belongs to a platform service, at the address.
    fn device_at(&self, vnet: Sym, ip: IpAddr) -> Option<DeviceKind> {
        let here = |subnet: Sym| self.vnet_of(subnet) == Some(vnet);
        for a in self.device_addresses.iter().filter(|a| a.address == ip) {
            let kind = self.devices.iter().find(|d| d.device == a.device).map_or(DeviceKind::Other, |d| d.kind);
            if here(a.subnet) {
                return Some(kind);
            }
        }
        for a in self.config_addresses.iter().filter(|a| a.address == ip) {
            for c in self.configs.iter().filter(|c| c.ip_config == a.ip_config && here(c.subnet)) {
                match self.nic(c.nic).map(|n| n.role) {
                    Some(NicRole::PrivateLinkService) => return Some(DeviceKind::PrivateLinkService),
                    Some(NicRole::Platform) | None => return Some(DeviceKind::Other),
                    // Its private endpoint was not exported.
                    Some(NicRole::PrivateEndpoint) if !self.has_endpoint_of(c.nic) => return Some(DeviceKind::Other),
                    // A detached interface is no endpoint, a private endpoint's is found through the endpoint.
                    Some(NicRole::Detached | NicRole::Machine | NicRole::PrivateEndpoint) => {}
                }
            }
        }
        None
    }

    /// Whether the private endpoint of the interface is in the input.
    fn has_endpoint_of(&self, nic: Sym) -> bool {
        let mut own = self.endpoint_nics.iter().filter(|row| row.nic == nic);
        own.any(|row| self.endpoints.iter().any(|e| e.endpoint == row.endpoint))
    }

    /// The subnet of the network that holds the address.
    pub fn subnet_at(&self, vnet: Sym, ip: IpAddr) -> Option<Sym> {
        self.subnets.iter().find(|s| s.vnet == vnet && self.subnet_space(s.subnet).iter().any(|p| p.contains(&ip))).map(|s| s.subnet)
    }

    /// Whether an address is in a prefix, for addresses that are known only as one of many (M-14).
    pub fn in_prefix(&self, addr: Addr, prefix: Prefix) -> Tri {
        let v4 = prefix.network().is_ipv4();
        match addr {
            Addr::Known(ip) => Tri::from_bool(prefix.contains(&ip)),
            _ if !v4 => Tri::No,
            _ if is_everything(prefix) => Tri::Yes,
            Addr::SomePublic => Tri::from_bool(!not_public_v4().any(|private| private.contains(&prefix))).and(Tri::Maybe),
            Addr::Front(service, region) => match self.front_prefixes(service, region) {
                Some(front) if front.iter().all(|f| prefix.contains(f)) => Tri::Yes,
                Some(front) if !front.iter().any(|f| prefix.contains(f) || f.contains(&prefix)) => Tri::No,
                Some(_) => Tri::Maybe,
                None => Tri::from_bool(!not_public_v4().any(|private| private.contains(&prefix))).and(Tri::Maybe),
            },
        }
    }

    /// The IPv4 prefixes of a service's front ends in a region, or of the whole service where the region's tag is not known.
    pub fn front_prefixes(&self, service: Service, region: Sym) -> Option<Vec<Prefix>> {
        let tag = format!("{}.{}", service_tag(service), region);
        let known = self.platform.tag(Sym::new(&tag)).or_else(|| self.platform.tag(Sym::new(service_tag(service))))?;
        let prefixes: Vec<Prefix> = known.iter().copied().filter(|p| p.network().is_ipv4()).collect();
        (!prefixes.is_empty()).then_some(prefixes)
    }
}

/// Every public IPv4 address.
pub fn public_v4() -> Vec<Prefix> {
    let all: Prefix = "0.0.0.0/0".parse().expect("literal");
    watertight::model::net::subtract(&[all], &not_public_v4().collect::<Vec<_>>())
}

/// The service tag of a service's front ends.
pub fn service_tag(service: Service) -> &'static str {
    super::paas::table(service).1
}

/// Whether the address is one of the four first or the last of a range that has others.
fn is_azures(range: &Prefix, ip: IpAddr) -> bool {
    let (first, last, asked) = (number(range.network()), number(range.broadcast()), number(ip));
    last - first >= 5 && (asked < first + 4 || asked == last)
}
