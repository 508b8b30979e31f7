//! Who has an address, and which addresses somebody may have (ADR-03 to ADR-07, SND-07).

use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::explain::packet::Host;
use crate::facts::Index;
use crate::facts::network::{DeviceKind, IpConfig, NicRole};
use crate::facts::private_access::AddressSource;
use crate::model::ids::{self, InstanceId};
use crate::model::{Sym, Tri, net};
use crate::rules::private_endpoint;

use super::World;

/// Who has an address in a network.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    /// Machines, sorted by configuration.
    pub hosts: Vec<Host>,
    /// Interfaces without a machine: they answer nothing, but may be a next hop.
    pub detached: Vec<Host>,
    /// Private endpoints.
    pub endpoints: Vec<Sym>,
    /// Frontends of internal load balancers.
    pub frontends: Vec<Sym>,
    /// Devices whose own behaviour is not modelled.
    pub devices: Vec<(Sym, DeviceKind)>,
    /// Where it is not known whether somebody has the address (SND-07).
    pub perhaps: Option<Perhaps>,
}

/// Why an address without a known owner may have one after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Perhaps {
    /// The subnet it lies in, or who may have it.
    pub subnet: Sym,
    /// In plain words.
    pub why: &'static str,
    /// The warning code.
    pub code: &'static str,
    /// Nothing at all stands in the subnet: whoever could be placed there has no rules of its own (ADR-16).
    pub placeable: bool,
}

impl Owners {
    /// Whether no owner is known.
    pub fn is_nobody(&self) -> bool {
        self.hosts.is_empty() && self.endpoints.is_empty() && self.frontends.is_empty() && self.devices.is_empty()
    }
}

/// The addresses of a private endpoint: of its interface, else what the endpoint itself says, best source first (PE-06).
pub fn endpoint_addresses(index: &Index, endpoint: Sym) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = index
        .private_endpoint_nics
        .get(endpoint)
        .iter()
        .flat_map(|row| index.ip_configs_by_nic.get(row.nic))
        .flat_map(|config| index.ip_config_address.get(config.ip_config))
        .map(|row| row.address)
        .collect();
    for source in [AddressSource::CustomDns, AddressSource::Static] {
        if found.is_empty() {
            found =
                index.private_endpoint_addresses.get(endpoint).iter().filter(|row| row.source == source).map(|row| row.address).collect();
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

impl World<'_> {
    /// Whether any private endpoint has the address.
    pub fn is_endpoint_address(&self, address: IpAddr) -> bool {
        self.endpoints_by_address.contains_key(&address)
    }

    /// The private endpoints that hold `address` in `vnet`, sorted by id.
    pub fn endpoints_at(&self, address: IpAddr, vnet: Sym) -> Vec<Sym> {
        let mut found: Vec<Sym> = self
            .endpoints_by_address
            .get(&address)
            .into_iter()
            .flatten()
            .copied()
            .filter(|e| self.index.private_endpoint.one(*e).is_some_and(|row| self.vnet_of(row.subnet) == vnet))
            .collect();
        Sym::sort(&mut found);
        found
    }

    /// The private endpoints with `address` in a subnet that is not in the input: that of `vnet`, or nobody knows of which network; and those of which only the
    /// interface says that they stand there (SND-02). Sorted by id.
    pub fn endpoints_perhaps_at(&self, address: IpAddr, vnet: Sym) -> Vec<Sym> {
        let all = self.endpoints_by_address.get(&address).into_iter().flatten().copied();
        let homeless = |endpoint: Sym| {
            let subnet = self.index.private_endpoint.one(endpoint).map_or(Sym::EMPTY, |row| row.subnet);
            !self.index.subnet.has(subnet) && self.may_be_of(subnet, vnet)
        };
        let by_nic = |endpoint: Sym| {
            let own = self.index.private_endpoint.one(endpoint).map_or(Sym::EMPTY, |row| row.subnet);
            self.vnet_of(own) != vnet && self.other_subnets_of(endpoint).any(|subnet| self.may_be_of(subnet, vnet))
        };
        let mut found: Vec<Sym> = all.filter(|endpoint| homeless(*endpoint) || by_nic(*endpoint)).collect();
        Sym::sort(&mut found);
        found
    }

    /// Whether the subnet is one of `vnet`, or is not in the input and may be.
    fn may_be_of(&self, subnet: Sym, vnet: Sym) -> bool {
        match self.index.subnet.has(subnet) {
            true => self.vnet_of(subnet) == vnet,
            false => ids::vnet_of_id(subnet.as_str()).is_none_or(|home| home == vnet.as_str()),
        }
    }

    /// The private endpoints of which the input does not tell an address, with their subnets. Sorted by id.
    pub fn untold_endpoints(&self) -> &[(Sym, Sym)] {
        self.untold_endpoints.get_or_init(|| {
            let rows = self.index.private_endpoint.rows();
            let untold = rows.filter(|row| private_endpoint::has_untold_address(self.index, row.endpoint, Sym::EMPTY));
            let mut found: Vec<(Sym, Sym)> = untold.map(|row| (row.endpoint, row.subnet)).collect();
            found.sort_by_key(|(endpoint, _)| endpoint.as_str());
            found
        })
    }

    /// The private endpoints that may have `address` in `vnet`: nobody is known to have it, and the input does not tell an address of theirs (ADR-06, PE-06).
    /// Sorted by id.
    pub fn endpoints_with_untold_address(&self, address: IpAddr, vnet: Sym) -> Vec<Sym> {
        let index = self.index;
        let holds = |subnet: Sym| {
            if !index.subnet.has(subnet) {
                let own = &self.network(vnet).own;
                let inside = own.is_empty() || own.iter().any(|own| own.contains(&address));
                return inside && self.may_be_of(subnet, vnet);
            }
            let mut ranges = index.subnet_prefixes.get(subnet).iter();
            self.vnet_of(subnet) == vnet && (ranges.len() == 0 || ranges.any(|row| net::is_usable(&row.prefix, address)))
        };
        let found: Vec<Sym> = self.untold_endpoints().iter().filter(|(_, subnet)| holds(*subnet)).map(|(endpoint, _)| *endpoint).collect();
        if found.is_empty() || self.known_owners(address, vnet).is_nobody() { found } else { Vec::new() }
    }

    /// The addresses of a private endpoint (PE-06), sorted.
    pub fn endpoint_addresses(&self, endpoint: Sym) -> Vec<IpAddr> {
        endpoint_addresses(self.index, endpoint)
    }

    /// Who has `ip` in `vnet` (ADR-11), and where nobody is known to, whether somebody may.
    pub fn owners(&self, ip: IpAddr, vnet: Sym) -> Owners {
        let mut owners = self.known_owners(ip, vnet);
        if owners.is_nobody() {
            owners.perhaps = self.perhaps_owned(ip, vnet);
        }
        owners
    }

    pub(super) fn known_owners(&self, ip: IpAddr, vnet: Sym) -> Owners {
        let index = self.index;
        let (endpoints, frontends) = (self.endpoints_at(ip, vnet), self.frontends_at(ip, vnet));
        let mut owners = Owners { endpoints, frontends, ..Owners::default() };
        for row in index.ip_configs_by_address.get(ip) {
            let Some(config) = index.ip_config.one(row.ip_config) else { continue };
            if self.vnet_of(config.subnet) != vnet {
                continue;
            }
            let host = Host { ip, ip_config: config.ip_config, nic: config.nic, subnet: config.subnet, vnet };
            match index.nic.one(config.nic).map(|nic| nic.role) {
                Some(NicRole::Machine | NicRole::Detached) if index.is_attached(config.nic) => owners.hosts.push(host),
                Some(NicRole::Machine | NicRole::Detached) => owners.detached.push(host),
                Some(NicRole::PrivateEndpoint) => {
                    if owners.endpoints.is_empty() {
                        owners.devices.push((config.nic, DeviceKind::Other)); // an endpoint that is not in the input
                    }
                }
                Some(NicRole::PrivateLinkService) => owners.devices.push((config.nic, DeviceKind::PrivateLinkService)),
                Some(NicRole::Platform) | None => owners.devices.push((config.nic, DeviceKind::Other)),
            }
        }
        for row in index.devices_by_address.get(ip) {
            if self.vnet_of(row.subnet) == vnet {
                let kind = index.device.one(row.device).map_or(DeviceKind::Other, |device| device.kind);
                owners.devices.push((row.device, kind));
            }
        }
        owners.hosts.sort_by_key(|host| host.ip_config.as_str());
        owners.devices.sort_by_key(|(device, _)| device.as_str());
        owners.devices.dedup();
        owners
    }

    /// Whether the interface has the address; perhaps where the input does not tell one of its addresses and nobody else has this one (ADR-06).
    pub fn has_address(&self, nic: Sym, ip: IpAddr) -> Tri {
        let index = self.index;
        let configs = || index.ip_configs_by_nic.get(nic).iter();
        let addresses = |config: &IpConfig| index.ip_config_address.get(config.ip_config);
        if configs().any(|config| addresses(config).iter().any(|row| row.address == ip)) {
            return Tri::Yes;
        }
        let holds = |subnet: Sym| index.subnet_prefixes.get(subnet).iter().any(|row| row.prefix.contains(&ip));
        let open = |config: &&IpConfig| addresses(config).is_empty() && holds(config.subnet);
        let free = |config: &IpConfig| self.known_owners(ip, self.vnet_of(config.subnet)).is_nobody();
        if configs().find(open).is_some_and(free) { Tri::Maybe } else { Tri::No }
    }

    /// Whether an address without a known owner may have one after all (ADR-06, ADR-09, ADR-16, SND-07).
    fn perhaps_owned(&self, ip: IpAddr, vnet: Sym) -> Option<Perhaps> {
        let index = self.index;
        let elsewhere = index.ip_configs_by_address.get(ip).iter().filter_map(|row| index.ip_config.one(row.ip_config));
        let homeless = elsewhere.filter(|config| !index.subnet.has(config.subnet)).map(|config| config.subnet);
        if let Some(subnet) = homeless.min_by_key(|subnet| subnet.as_str()) {
            let why = "an interface in a subnet that is not in the input has it";
            return Some(Perhaps { subnet, why, code: "W-MISSING", placeable: false });
        }
        let fronts = index.load_balancer_frontends_by_address.get(Some(ip)).iter().map(|row| row.subnet);
        let homeless = fronts.filter(|subnet| !subnet.is_empty() && !index.subnet.has(*subnet));
        if let Some(subnet) = homeless.min_by_key(|subnet| subnet.as_str()) {
            let why = "a load balancer in a subnet that is not in the input has it";
            return Some(Perhaps { subnet, why, code: "W-MISSING", placeable: false });
        }
        let Some(subnet) = self.subnet_with(vnet, ip) else {
            let why = "a subnet of the network, or its range, is not in the input";
            let unseen = self.unseen_subnets().get(&vnet).copied();
            return unseen.map(|subnet| Perhaps { subnet, why, code: "W-MISSING", placeable: false });
        };
        if self.is_reserved(vnet, ip) {
            return None;
        }
        let dynamic = index
            .ip_configs_by_subnet
            .get(subnet)
            .iter()
            .any(|config| !index.ip_config_address.has(config.ip_config) && index.is_attached(config.nic));
        let because = |why, code| Some(Perhaps { subnet, why, code, placeable: false });
        let frontends = index.load_balancer_frontends_by_subnet.get(subnet);
        let inhabited = index.ip_configs_by_subnet.has(subnet) || index.private_endpoints_by_subnet.has(subnet) || !frontends.is_empty();
        if index.subnet_delegations.has(subnet) {
            because("the subnet is delegated to a service", "W-DELEGATED")
        } else if index.devices_by_subnet.has(subnet) || index.gateways_by_subnet.has(subnet) {
            because("instances of a device stand in the subnet", "W-UNSUPPORTED")
        } else if dynamic {
            because("a machine in the subnet has an address that the input does not tell", "W-MISSING")
        } else if frontends.iter().any(|frontend| frontend.address.is_none()) {
            because("a load balancer in the subnet has an address that the input does not tell", "W-MISSING")
        } else if self.names_strangers(subnet) {
            because("the subnet names an interface that is not in the input", "W-MISSING")
        } else if self.behind_missing_balancers().contains(&vnet) {
            because("a load balancer of the network is not in the input", "W-MISSING")
        } else if let Some(subnet) = self.unseen_owner() {
            Some(Perhaps { subnet, why: "of who may have it the input holds only the name", code: "W-MISSING", placeable: false })
        } else if !inhabited {
            Some(Perhaps { subnet, why: "nothing in the input stands in the subnet", code: "W-MISSING", placeable: true })
        } else if self.unseen_endpoint_in(vnet).is_some() {
            because("a private endpoint that is not in the input may have it", "W-MISSING")
        } else {
            None
        }
    }

    /// Something of which the input holds no more than that it is there, and that has addresses in some subnet: it may have any that nobody is known to have
    /// (SND-04).
    fn unseen_owner(&self) -> Option<Sym> {
        [self.half_seen(), self.unseen_interface()].into_iter().find(|id| !id.is_empty())
    }

    /// The subnet of the network with the address; of several, which Azure does not make, the first by id.
    pub fn subnet_with(&self, vnet: Sym, ip: IpAddr) -> Option<Sym> {
        let index = self.index;
        let subnets = index.subnets_by_vnet.get(vnet).iter().map(|row| row.subnet);
        let holding = subnets.filter(|subnet| index.subnet_prefixes.get(*subnet).iter().any(|row| row.prefix.contains(&ip)));
        holding.min_by_key(|subnet| subnet.as_str())
    }

    /// Whether the address belongs to Azure in every subnet of the network that holds it: nobody can get it (ADR-04).
    fn is_reserved(&self, vnet: Sym, ip: IpAddr) -> bool {
        let index = self.index;
        let subnets = index.subnets_by_vnet.get(vnet).iter();
        let mut holding = subnets.flat_map(|row| index.subnet_prefixes.get(row.subnet)).filter(|row| row.prefix.contains(&ip));
        holding.all(|row| net::usable(&row.prefix).is_some_and(|(first, last)| !(first..=last).contains(&ip)))
    }

    /// Whether the subnet says that something stands in it that is not in the input (SND-04).
    pub fn names_strangers(&self, subnet: Sym) -> bool {
        self.index.subnet_ip_configs.get(subnet).iter().any(|row| self.is_stranger(row.ip_config))
    }

    /// An address configuration that a subnet names, of something that is not in the input; the first by id.
    pub fn named_stranger(&self) -> Option<Sym> {
        let named = self.index.subnet_ip_configs.rows().map(|row| row.ip_config);
        named.filter(|config| self.is_stranger(*config)).min_by_key(|config| config.as_str())
    }

    fn is_stranger(&self, config: Sym) -> bool {
        let index = self.index;
        let known = |id: Sym| {
            let endpoint = index.private_endpoint.has(id) || index.private_endpoints_by_nic.has(id);
            endpoint || index.resource.has(id) || index.nic.has(id)
        };
        let holder = ids::parent_id(config.as_str()).map_or(Sym::EMPTY, Sym::new);
        // The interfaces of a scale set stand in its own body.
        let set = InstanceId::of(holder.as_str()).map(|instance| Sym::new(instance.scale_set));
        let set = set.is_some_and(|set| index.resource.has(set) || index.machine.has(set));
        !index.ip_config.has(config) && !known(config) && !known(holder) && !set
    }

    /// By network one of its subnets, the first by id, that somebody names and that is not in the input, or of which the range is not (SND-07); the network
    /// itself where it does not list its subnets.
    pub fn unseen_subnets(&self) -> &FxHashMap<Sym, Sym> {
        let index = self.index;
        self.unseen_subnets.get_or_init(|| {
            let configs = index.ip_config.rows().map(|row| row.subnet);
            let named = configs.chain(index.private_endpoint.rows().map(|row| row.subnet)).filter(|subnet| !index.subnet.has(*subnet));
            let named = named.filter_map(|subnet| Some((Sym::new(ids::vnet_of_id(subnet.as_str())?), subnet)));
            let rangeless = index.subnet.rows().filter(|row| !index.subnet_prefixes.has(row.subnet)).map(|row| (row.vnet, row.subnet));
            let mut found: FxHashMap<Sym, Sym> = FxHashMap::default();
            let kind = Sym::new("microsoft.network/virtualnetworks/subnets");
            let bare = index.resources_by_kind.get(kind).iter().map(|row| row.id).filter(|subnet| !index.subnet.has(*subnet));
            let bare = bare.filter_map(|subnet| Some((Sym::new(ids::vnet_of_id(subnet.as_str())?), subnet)));
            let lists = |vnet: Sym| index.child_type.get(vnet).iter().any(|row| row.kind == kind);
            let unlisted = index.resources_by_kind.get(Sym::new("microsoft.network/virtualnetworks")).iter().map(|row| row.id);
            let unlisted = unlisted.filter(|vnet| !lists(*vnet) && !index.subnets_by_vnet.has(*vnet)).map(|vnet| (vnet, vnet));
            for (vnet, subnet) in named.chain(rangeless).chain(bare).chain(unlisted) {
                let first = found.entry(vnet).or_insert(subnet);
                if subnet.as_str() < first.as_str() {
                    *first = subnet;
                }
            }
            found
        })
    }

    /// The networks in which somebody is a member of a pool that is not in the input: its load balancer may have any address there.
    fn behind_missing_balancers(&self) -> &FxHashSet<Sym> {
        let index = self.index;
        self.missing_balancers.get_or_init(|| {
            let missing = index.ip_config_pools.rows().filter(|row| self.is_missing_pool(row.pool));
            let members = missing.flat_map(|row| self.meant(row.ip_config)).filter_map(|named| index.ip_config.one(named.ip_config));
            members.map(|config| self.vnet_of(config.subnet)).collect()
        })
    }

    /// The places behind an interface.
    pub fn hosts_of_nic(&self, nic: Sym) -> Vec<Host> {
        let mut configs: Vec<Sym> = self.index.ip_configs_by_nic.get(nic).iter().map(|config| config.ip_config).collect();
        Sym::sort(&mut configs);
        configs.into_iter().flat_map(|config| self.hosts_of_config(config)).collect()
    }

    /// The place behind an address configuration; where its address is not known, one for each address that makes a difference (ADR-06).
    pub fn hosts_of_config(&self, ip_config: Sym) -> Vec<Host> {
        let Some(config) = self.index.ip_config.one(ip_config) else { return Vec::new() };
        let host = |ip| Host { ip, ip_config, nic: config.nic, subnet: config.subnet, vnet: self.vnet_of(config.subnet) };
        let known = self.index.ip_config_address.get(ip_config);
        if known.is_empty() && !self.is_subnet_known(config.subnet) {
            return vec![host(IpAddr::from([0, 0, 0, 0]))]; // nowhere, until its subnet is known
        }
        if known.is_empty() {
            // What a pool lists and nobody has may be its address: then it is a member.
            let listed = self.index.load_balancer_addresses.rows().map(|row| row.address).filter(|ip| self.is_free(config.subnet, *ip));
            let mut places: Vec<IpAddr> = self.free_addresses(config.subnet).into_iter().chain(listed).collect();
            places.sort_unstable();
            places.dedup();
            return places.into_iter().map(host).collect();
        }
        known.iter().map(|row| host(row.address)).collect()
    }

    /// Whether the input holds the subnet and its range.
    pub fn is_subnet_known(&self, subnet: Sym) -> bool {
        self.index.subnet.has(subnet) && self.index.subnet_prefixes.has(subnet)
    }

    /// Whether it is a usable address of the subnet that nobody has.
    fn is_free(&self, subnet: Sym, ip: IpAddr) -> bool {
        let ranges = self.index.subnet_prefixes.get(subnet).iter().filter_map(|row| net::usable(&row.prefix));
        let within = |(first, last): (IpAddr, IpAddr)| ip.is_ipv4() == first.is_ipv4() && (first..=last).contains(&ip);
        ranges.into_iter().any(within) && self.known_owners(ip, self.vnet_of(subnet)).is_nobody()
    }

    /// The usable addresses of a subnet that nobody has (ADR-04, ADR-06): one for each piece in which every address gets the same answers.
    pub fn free_addresses(&self, subnet: Sym) -> Vec<IpAddr> {
        let vnet = self.vnet_of(subnet);
        let free = |ip: IpAddr| self.known_owners(ip, vnet).is_nobody();
        let ranges = self.index.subnet_prefixes.get(subnet).iter().filter_map(|row| net::usable(&row.prefix));
        ranges.flat_map(|(first, last)| self.bounds().pieces(first, last, free)).collect()
    }

    /// Each address configuration of a machine in the subnet whose address is not known, as if it had this one (ADR-06); sorted by id.
    pub fn unaddressed_at(&self, subnet: Sym, ip: IpAddr) -> Vec<Host> {
        let index = self.index;
        let rows = index.ip_configs_by_subnet.get(subnet).iter();
        let dynamic = rows.filter(|row| !index.ip_config_address.has(row.ip_config) && index.is_attached(row.nic));
        let host = |row: &IpConfig| Host { ip, ip_config: row.ip_config, nic: row.nic, subnet, vnet: self.vnet_of(subnet) };
        let mut found: Vec<Host> = dynamic.map(host).collect();
        found.sort_by_key(|host| host.ip_config.as_str());
        found
    }

    /// Whether a machine sends and answers with the address configuration (ADR-07).
    pub fn is_endpoint_config(&self, ip_config: Sym) -> bool {
        self.index.ip_config.one(ip_config).is_some_and(|config| self.index.is_attached(config.nic))
    }
}
