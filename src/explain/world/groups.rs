//! Application security groups: who is in them, as far as their filters go (NSG-09).

use std::net::IpAddr;

use crate::model::{Sym, Tri};

use super::World;

impl World<'_> {
    /// Whether membership in a group counts surely: only where all its members are in one network (NSG-09). Of one that is not in the input nobody knows the
    /// network (SND-04).
    fn membership(&self, asg: Sym) -> Tri {
        *self.memberships.borrow_mut().entry(asg).or_insert_with(|| {
            let members = self.index.ip_configs_by_asg.get(asg).iter();
            let mut vnets = members.map(|row| self.vnet_of_config(row.ip_config));
            let first = vnets.next();
            if vnets.all(|vnet| Some(vnet) == first) { Tri::Yes } else { Tri::Maybe }
        })
    }

    /// The network of an address configuration; empty where it, or its subnet, is not in the input.
    fn vnet_of_config(&self, ip_config: Sym) -> Sym {
        self.index.ip_config.one(ip_config).map_or(Sym::EMPTY, |config| self.vnet_of(config.subnet))
    }

    /// The application security groups of an address configuration; membership counts surely only where all members of a group are in one
    /// network (NSG-09).
    pub fn asgs_of(&self, ip_config: Sym) -> Vec<(Sym, Tri)> {
        let mut asgs: Vec<(Sym, Tri)> =
            self.index.ip_config_asgs.get(ip_config).iter().map(|row| (row.asg, self.membership(row.asg))).collect();
        asgs.sort_unstable();
        asgs
    }

    /// The application security groups of an interface, which its filters go by: surely where all its configurations are members, else
    /// perhaps (NSG-09, decision on forwarded packets).
    pub fn asgs_of_nic(&self, nic: Sym) -> Vec<(Sym, Tri)> {
        let configs = self.index.ip_configs_by_nic.get(nic);
        let mut asgs: Vec<(Sym, Tri)> = configs.iter().flat_map(|config| self.asgs_of(config.ip_config)).collect();
        asgs.sort_unstable();
        asgs.dedup();
        let member = |asg: Sym, config: Sym| self.index.ip_config_asgs.get(config).iter().any(|row| row.asg == asg);
        for (asg, sure) in &mut asgs {
            if !configs.iter().all(|config| member(*asg, config.ip_config)) {
                *sure = Tri::Maybe;
            }
        }
        asgs
    }

    /// The application security groups of whoever has a literal address, for rules that name groups on the other side (NSG-09, NSG-13).
    pub fn asgs_at(&self, ip: IpAddr) -> Vec<(Sym, Tri)> {
        let index = self.index;
        // What the interface of a private endpoint says counts as far as the endpoint's own groups do.
        let of_endpoint = |config: Sym| index.ip_config.one(config).is_some_and(|row| index.private_endpoints_by_nic.has(row.nic));
        let known = index.ip_configs_by_address.get(ip).iter().map(|row| row.ip_config).filter(|config| !of_endpoint(*config));
        let known = known.flat_map(|config| self.asgs_of(config));
        let mut asgs: Vec<(Sym, Tri)> = known.collect();
        for (subnet, asg) in self.unaddressed_members() {
            if index.subnet_prefixes.get(*subnet).iter().any(|row| row.prefix.contains(&ip)) {
                asgs.push((*asg, Tri::Maybe));
            }
        }
        for endpoint in self.endpoints_by_address.get(&ip).into_iter().flatten() {
            asgs.extend(self.asgs_before_endpoint(*endpoint));
        }
        asgs.sort_by_key(|(asg, sure)| (*asg, std::cmp::Reverse(*sure)));
        asgs.dedup_by_key(|(asg, _)| *asg);
        asgs
    }

    /// The subnets in which a group has members whose addresses are not known.
    fn unaddressed_members(&self) -> &[(Sym, Sym)] {
        self.unaddressed_members.get_or_init(|| {
            let index = self.index;
            let rows = index.ip_config_asgs.rows().filter(|row| !index.ip_config_address.has(row.ip_config));
            let mut found: Vec<(Sym, Sym)> =
                rows.map(|row| (index.ip_config.one(row.ip_config).map_or(Sym::EMPTY, |config| config.subnet), row.asg)).collect();
            found.sort_unstable();
            found.dedup();
            found
        })
    }

    /// The networks that the members of a group live in.
    pub fn networks_of_asg(&self, asg: Sym) -> Vec<Sym> {
        let index = self.index;
        let mut vnets: Vec<Sym> = index.ip_configs_by_asg.get(asg).iter().map(|row| self.vnet_of_config(row.ip_config)).collect();
        let endpoints = index.private_endpoints_by_asg.get(asg).iter().filter_map(|member| index.private_endpoint.one(member.endpoint));
        vnets.extend(endpoints.map(|endpoint| self.vnet_of(endpoint.subnet)));
        vnets
    }

    /// The groups of a private endpoint as rules on the other side see them: none where the filters of its subnet do not count (NSG-13).
    pub fn asgs_before_endpoint(&self, endpoint: Sym) -> Vec<(Sym, Tri)> {
        let filtered = self.endpoint_filtered(endpoint);
        self.endpoint_asgs(endpoint).into_iter().map(|(asg, sure)| (asg, sure.and(filtered))).collect()
    }

    /// The application security groups of a private endpoint (PE-23), sorted: those it lists, and perhaps those that only its interface does (NSG-09).
    pub fn endpoint_asgs(&self, endpoint: Sym) -> Vec<(Sym, Tri)> {
        let index = self.index;
        let mut asgs: Vec<(Sym, Tri)> = index.private_endpoint_asgs.get(endpoint).iter().map(|row| (row.asg, Tri::Yes)).collect();
        let configs = index.private_endpoint_nics.get(endpoint).iter().flat_map(|row| index.ip_configs_by_nic.get(row.nic));
        let listed = configs.flat_map(|config| index.ip_config_asgs.get(config.ip_config)).map(|row| row.asg);
        for asg in listed {
            if !asgs.iter().any(|(known, _)| *known == asg) {
                asgs.push((asg, Tri::Maybe));
            }
        }
        asgs.sort_unstable();
        asgs
    }
}
