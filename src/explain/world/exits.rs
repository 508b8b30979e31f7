//! How a place leaves for public addresses.

use std::net::IpAddr;

use rustc_hash::FxHashSet;

use crate::explain::packet::Host;
use crate::facts::gap::Resource;
use crate::facts::network::{DeviceKind, MachineKind, PublicSku};
use crate::model::{Prefix, Sym, Tri, net};
use crate::rules::outbound::{Exits, Method, Nat, methods};

use super::World;

impl World<'_> {
    /// How the packets of a place leave for public addresses (OUT-02).
    pub fn exits(&self, at: &Host, v6: bool) -> Vec<Method> {
        let index = self.index;
        if index.azure_firewall.has(at.nic) {
            return self.firewall_exits(at, v6);
        }
        let nat = self.nat_of(at.subnet, v6);
        // One of the other family is no way out for this packet.
        let of_family = |public_ip: Sym| {
            let address = index.public_ip_address.one(public_ip).map(|row| net::host(row.address));
            let fits = self.is_of_family(public_ip, v6, Some(at.ip.is_ipv6()));
            fits.hi().then_some((public_ip, address, fits == Tri::Maybe))
        };
        let claimed = index.ip_config_public_ip.get(at.ip_config).iter().filter_map(|row| of_family(row.public_ip));
        let claimed = claimed.min_by_key(|(public_ip, ..)| public_ip.as_str());
        // Which address the instances of a scale set have is not known of all.
        let of_many = self.stands_for_many(at.ip_config);
        let untold = |(public_ip, address, unsure)| (public_ip, if of_many { None } else { address }, unsure);
        let held = || self.unclaimed(at.ip_config).into_iter().find_map(of_family).map(untold);
        let (instance, held_alone) = if claimed.is_some() { (claimed, false) } else { (held(), true) };
        let contested = held_alone || instance.is_some_and(|(public_ip, ..)| self.rivals(public_ip).is_some());
        let doubted = instance.is_some_and(|(_, _, unsure)| unsure);
        let instance = instance.map(|(public_ip, address, _)| (public_ip, address));
        let machine = index.nic_machine.one(at.nic).map(|row| row.machine);
        // Whether a Standard address hangs on the interface: of an address without a known kind nobody can tell.
        let standard_address = |nic: Sym| {
            let configs = index.ip_configs_by_nic.get(nic).iter();
            let is_standard = |public_ip: Sym| match index.public_ip.one(public_ip).map(|ip| ip.sku) {
                Some(PublicSku::Basic) => Tri::No,
                Some(PublicSku::Standard | PublicSku::StandardV2) => Tri::Yes,
                Some(PublicSku::Unknown) | None => Tri::Maybe,
            };
            // What hangs on an interface that is not in the input nobody knows.
            let mut best = if index.nic.has(nic) { Tri::No } else { Tri::Maybe };
            for config in configs {
                let claimed = index.ip_config_public_ip.get(config.ip_config).iter().map(|row| is_standard(row.public_ip));
                let held = self.unclaimed(config.ip_config).into_iter().map(|public_ip| is_standard(public_ip).and(Tri::Maybe));
                best = claimed.chain(held).fold(best, Tri::or);
            }
            best
        };
        let barred = machine.map_or(Tri::No, |machine| {
            let flexible = index.machine_scale_set.has(machine)
                || index.machine.one(machine).is_some_and(|row| row.kind == MachineKind::FlexibleScaleSet);
            let nics = index.nics_by_machine.get(machine).iter();
            // Of a machine that is not in the input nobody knows what it is, and what other interfaces it has.
            let told = if index.machine.has(machine) { Tri::No } else { Tri::Maybe };
            nics.map(|row| standard_address(row.nic)).max().unwrap_or(Tri::No).or(Tri::from_bool(flexible)).or(told)
        });
        let lost = barred == Tri::Maybe && machine.is_some();
        let lost = machine.filter(|_| lost).map_or(Sym::EMPTY, |machine| self.lost_public_ip_of(machine));
        let barred = barred.or(self.barred_by_balancer(at));
        let mut allowed = index.subnet_default_outbound.one(at.subnet).map_or(Tri::Yes, |row| row.allowed).and(barred.negated());
        if index.subnet_delegations.has(at.subnet) {
            allowed = Tri::Maybe;
        }
        let (outbound_rules, balancing_rules) = self.balancer_exits(at, v6);
        // A machine that is only imagined is in no pool.
        let anybody = Some(self.pool_of_anybody()).filter(|_| !at.ip_config.is_empty());
        let missing_pool = Some(self.missing_pool(at)).filter(|pool| !pool.is_empty()).or(anybody).unwrap_or_default();
        let chained = index.gateway_chain.has(at.ip_config) || doubted;
        methods(&Exits {
            nat,
            instance,
            chained,
            contested,
            outbound_rules,
            balancing_rules,
            missing_pool,
            default_allowed: allowed,
            lost_address: lost,
            v6,
        })
    }

    /// The first public address by name that interfaces of the machine name and that is not in the input, else such an interface, else the machine itself;
    /// empty: none.
    fn lost_public_ip_of(&self, machine: Sym) -> Sym {
        let index = self.index;
        let nics = index.nics_by_machine.get(machine).iter();
        let configs = nics.flat_map(|row| index.ip_configs_by_nic.get(row.nic));
        let named = configs.flat_map(|config| index.ip_config_public_ip.get(config.ip_config)).map(|row| row.public_ip);
        let lost = named.filter(|public_ip| !index.public_ip.has(*public_ip)).min_by_key(|public_ip| public_ip.as_str());
        let nics = || index.nics_by_machine.get(machine).iter().map(|row| row.nic);
        let lost = lost.or_else(|| nics().filter(|nic| !index.nic.has(*nic)).min_by_key(|nic| nic.as_str()));
        lost.or_else(|| Some(machine).filter(|machine| !index.machine.has(*machine))).unwrap_or_default()
    }

    /// A public address that may be `ip`, which nobody is known to have: one that something names and that is not in the input, or may be in a prefix that is
    /// not, else one of which the input does not tell the address. The first by name; empty: none.
    pub fn lost_public_ip(&self, ip: IpAddr) -> Sym {
        let index = self.index;
        *self.lost_public_ips[usize::from(ip.is_ipv6())].get_or_init(|| {
            let of_configs = index.ip_config_public_ip.rows().map(|row| row.public_ip);
            let of_frontends = index.load_balancer_frontend.rows().map(|row| row.public_ip);
            let of_devices = index.device_public_ips.rows().map(|row| row.public_ip);
            let of_nat = index.nat_gateway_public_ips.rows().map(|row| row.public_ip);
            let named = of_configs.chain(of_frontends).chain(of_devices).chain(of_nat);
            let lost = named.filter(|public_ip| !public_ip.is_empty() && !index.public_ip.has(*public_ip));
            let ranges = index.nat_gateway_ranges.rows().map(|row| row.public_ip_prefix);
            let lost = lost.chain(ranges.filter(|range| !index.public_ip_ranges.has(*range)));
            let untold = || {
                let rows = index.public_ip_untold.rows().map(|row| row.public_ip);
                rows.filter(|public_ip| self.is_of_family(*public_ip, ip.is_ipv6(), None).hi()).min_by_key(|public_ip| public_ip.as_str())
            };
            lost.min_by_key(|public_ip| public_ip.as_str()).or_else(untold).unwrap_or_default()
        })
    }

    /// Why nobody knows what address a lost public address is.
    pub fn why_lost(&self, public_ip: Sym) -> &'static str {
        if self.index.public_ip.has(public_ip) { "does not tell its address" } else { "is not in the input" }
    }

    /// Who may have any public address that nobody is known to have: something that takes public addresses and of which the export holds less than
    /// that, else a load balancer that only its members name, else an interface that only its machine or its subnet names (SND-01, SND-04). The first by id;
    /// empty: nobody.
    pub fn hidden_holder(&self) -> Sym {
        let index = self.index;
        *self.hidden_holder.get_or_init(|| {
            let cut = Some(self.half_seen()).filter(|id| !id.is_empty());
            let pools = index.ip_config_pools.rows().map(|row| row.pool).filter(|pool| self.is_missing_pool(*pool));
            let interface = || Some(self.unseen_interface()).filter(|id| !id.is_empty()).or_else(|| self.named_stranger());
            cut.or_else(|| pools.min_by_key(|pool| pool.as_str())).or_else(interface).unwrap_or_default()
        })
    }

    /// Something that takes addresses and of which the input holds no more than that it is there: it may have any that nobody is known to have (ADR-11,
    /// SND-04). The first by id; empty: nothing.
    pub fn half_seen(&self) -> Sym {
        let index = self.index;
        *self.half_seen.get_or_init(|| {
            let proxy = |id: Sym| index.device.get(id).iter().any(|row| row.kind != DeviceKind::Other);
            let is_hidden = |row: &&Resource| match row.kind.as_str() {
                "microsoft.network/applicationgateways" | "microsoft.network/bastionhosts" => !proxy(row.id),
                "microsoft.network/azurefirewalls" => !index.azure_firewall.has(row.id),
                "microsoft.network/loadbalancers" => !index.load_balancer.has(row.id),
                "microsoft.network/loadbalancers/frontendipconfigurations" => !index.load_balancer_frontend.has(row.id),
                "microsoft.network/networkinterfaces" => !index.nic.has(row.id),
                _ => false,
            };
            index.resource.rows().filter(is_hidden).map(|row| row.id).min_by_key(|id| id.as_str()).unwrap_or_default()
        })
    }

    /// The public addresses that say they belong to an address configuration which does not say so: one of the two is out of date. Of those that belong to
    /// instances which it stands for, one of each kind. Sorted by id.
    pub fn unclaimed(&self, ip_config: Sym) -> Vec<Sym> {
        let index = self.index;
        let of_itself = |public_ip: Sym| index.public_ip_holder.get(public_ip).iter().any(|row| row.holder == ip_config);
        let kind = |public_ip: Sym| (index.public_ip.one(public_ip).map(|row| row.sku), self.is_of_family(public_ip, true, None));
        let mut kinds: FxHashSet<(Option<PublicSku>, Tri)> = FxHashSet::default();
        let mut found = self.all_unclaimed(ip_config);
        found.retain(|public_ip| of_itself(*public_ip) || kinds.insert(kind(*public_ip)));
        found
    }

    /// [`Self::unclaimed`] with every address of every instance: where it matters which of them is dialled. Sorted by id.
    pub fn all_unclaimed(&self, ip_config: Sym) -> Vec<Sym> {
        let index = self.index;
        let claimed = |public_ip: Sym| index.ip_config_public_ip.get(ip_config).iter().any(|row| row.public_ip == public_ip);
        let names = self.names_of(ip_config).filter(|name| !name.is_empty());
        let held = names.flat_map(|name| index.public_ips_by_holder.get(name)).map(|row| row.public_ip);
        let mut found: Vec<Sym> = held.filter(|public_ip| !claimed(*public_ip)).collect();
        Sym::sort(&mut found);
        found
    }

    /// The NAT gateway of a subnet, with its addresses of one family.
    pub fn nat_of(&self, subnet: Sym, v6: bool) -> Option<Nat> {
        let row = self.index.subnet_nat_gateway.one(subnet)?;
        let sku = self.index.nat_gateway.one(row.gateway).map(|gateway| gateway.sku);
        Some((row.gateway, sku, self.nat_addresses(row.gateway, sku, v6)))
    }

    /// The addresses of a NAT gateway of one family; `None` where some of them are not in the input. Without one that surely is of the family, none: those
    /// that perhaps are leave open whether it has any (OUT-03).
    fn nat_addresses(&self, gateway: Sym, sku: Option<PublicSku>, v6: bool) -> Option<Vec<Prefix>> {
        let index = self.index;
        // A Standard one takes addresses of IPv4 alone.
        let of = (sku == Some(PublicSku::Standard)).then_some(false);
        let mut addresses = Vec::new();
        let (mut unknown, mut perhaps) = (false, false);
        let mut untold = |fits: Tri| {
            unknown |= fits == Tri::Yes;
            perhaps |= fits == Tri::Maybe;
        };
        for row in index.nat_gateway_public_ips.get(gateway) {
            match index.public_ip_address.one(row.public_ip) {
                Some(known) => {
                    untold(Tri::from_bool(self.rivals(row.public_ip).is_some()));
                    addresses.push(net::host(known.address));
                }
                None => untold(self.is_of_family(row.public_ip, v6, of)),
            }
        }
        for row in index.nat_gateway_ranges.get(gateway) {
            let ranges = index.public_ip_ranges.get(row.public_ip_prefix);
            if ranges.is_empty() {
                untold(of.map_or(Tri::Maybe, |family| Tri::from_bool(family == v6)));
            }
            addresses.extend(ranges.iter().map(|range| range.prefix));
        }
        addresses.retain(|prefix: &Prefix| prefix.addr().is_ipv6() == v6);
        addresses.sort_unstable();
        // One that is not in the input itself may have more.
        perhaps |= !index.nat_gateway.has(gateway);
        let open = unknown || (perhaps && !addresses.is_empty());
        (!open).then_some(addresses)
    }

    /// Whether a public address is one of IPv6, or of IPv4: by itself, else by what its resource says, IPv4 where it says nothing. One that is not in the input
    /// is of IPv4 where `of`, whether what it hangs on is of IPv6, says so; elsewhere nobody knows (ADR-14).
    pub fn is_of_family(&self, public_ip: Sym, v6: bool, of: Option<bool>) -> Tri {
        let index = self.index;
        let six = if let Some(row) = index.public_ip_address.one(public_ip) {
            Tri::from_bool(row.address.is_ipv6())
        } else if let Some(row) = index.public_ip_family.one(public_ip) {
            row.v6
        } else {
            match of {
                // Azure makes it one of IPv4 where nothing is said, and does not let that hang on anything of IPv6.
                Some(true) => Tri::Maybe,
                Some(false) => Tri::No,
                None if index.public_ip.has(public_ip) => Tri::No,
                None => Tri::Maybe,
            }
        };
        if v6 { six } else { six.negated() }
    }
}
