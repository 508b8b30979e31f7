//! The instances of scale sets: whom a name of one means, and which configuration stands for all of them (ADR-08).

use crate::facts::Index;
use crate::facts::load_balancing::InboundNatRule;
use crate::facts::network::MachineKind;
use crate::model::Sym;
use crate::model::ids::InstanceId;

use super::World;

/// An address configuration as a pool, a gateway or a public address names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The configuration in the input, else the name.
    pub ip_config: Sym,
    /// Whether one instance is named, and the configuration stands for all: it is perhaps not the one that is asked for.
    pub one_of_many: bool,
}

impl World<'_> {
    /// Whom somebody means who names an address configuration: itself, or those that stand for it where the input holds no more of the instance than the name.
    ///
    /// ```datalog
    /// means(I, I) :- ip_config(I, _, _, _).                                                          // address.15
    /// means(I, C) :- instance_config(I, C), ip_config(C, _, _, _), !ip_config(I, _, _, _).           // address.15
    /// ```
    pub fn meant(&self, name: Sym) -> Vec<Named> {
        let index = self.index;
        let itself = Named { ip_config: name, one_of_many: false };
        if index.ip_config.has(name) {
            return vec![itself];
        }
        let rows = index.instance_configs.get(name).iter().filter(|row| index.ip_config.has(row.ip_config));
        let found: Vec<Named> = rows.map(|row| Named { ip_config: row.ip_config, one_of_many: true }).collect();
        if found.is_empty() { vec![itself] } else { found }
    }

    /// Whether something stands for an instance of which the input holds no more than the name.
    pub fn instance_is_told(&self, name: Sym) -> bool {
        self.meant(name).iter().any(|named| named.one_of_many)
    }

    /// The names of the instances that an address configuration stands for.
    pub fn instances_of(&self, ip_config: Sym) -> impl Iterator<Item = Sym> + use<'_> {
        let index = self.index;
        let rows = index.instances_by_config.get(ip_config).iter().filter(move |_| !ip_config.is_empty());
        rows.map(|row| row.instance).filter(|instance| !index.ip_config.has(*instance))
    }

    /// The names under which others may mean an address configuration: its own, and those of the instances it stands for.
    pub fn names_of(&self, ip_config: Sym) -> impl Iterator<Item = Sym> {
        std::iter::once(ip_config).chain(self.instances_of(ip_config))
    }

    /// The pools that list an instance that the configuration stands for.
    pub fn pools_of_instances(&self, ip_config: Sym) -> Vec<Sym> {
        let mut pools: Vec<Sym> =
            self.instances_of(ip_config).flat_map(|name| self.index.ip_config_pools.get(name)).map(|row| row.pool).collect();
        pools.sort_unstable();
        pools.dedup();
        pools
    }

    /// Whether the NAT rule is one of those that Azure makes of a NAT pool which the profile of a scale set names, a rule for each instance (IN-05).
    pub fn is_made_from_pool(&self, rule: &InboundNatRule, profile: Sym) -> bool {
        let index = self.index;
        let named = |pool: Sym| index.ip_config_pools.get(profile).iter().any(|row| row.pool == pool);
        let holds = |pool: &InboundNatRule| pool.first_port <= rule.first_port && rule.last_port <= pool.last_port;
        index.inbound_nat_rules.get(rule.frontend).iter().any(|pool| pool.rule != rule.rule && holds(pool) && named(pool.rule))
    }

    /// Whether the address configuration stands for several machines: what one sends itself may get to another.
    pub fn stands_for_many(&self, ip_config: Sym) -> bool {
        let index = self.index;
        let machine = index.ip_config.one(ip_config).and_then(|config| index.nic_machine.one(config.nic)).map(|row| row.machine);
        let uniform = machine.and_then(|machine| index.machine.one(machine)).is_some_and(|row| row.kind == MachineKind::ScaleSet);
        uniform && !index.ip_config_address.has(ip_config)
    }
}

/// The machines that an id of a machine means: those of a flexible scale set, of which the input may hold no more than that they say so, else itself (ADR-08).
pub fn machines_of(index: &Index, machine: Sym) -> Vec<Sym> {
    let members = index.machines_by_scale_set.get(machine);
    let flexible = index.machine.one(machine).is_none_or(|row| row.kind == MachineKind::FlexibleScaleSet);
    if members.is_empty() || !flexible {
        return vec![machine];
    }
    let mut found: Vec<Sym> = members.iter().map(|row| row.machine).collect();
    Sym::sort(&mut found);
    found.dedup();
    found
}

/// Whether the id of a machine is that of a scale set, which the input holds or of which it holds machines.
pub fn is_scale_set(index: &Index, machine: Sym) -> bool {
    match index.machine.one(machine) {
        Some(row) => row.kind != MachineKind::Vm,
        None => index.machines_by_scale_set.has(machine),
    }
}

/// The interfaces of such machines.
pub fn nics_of(index: &Index, machine: Sym) -> impl Iterator<Item = Sym> {
    machines_of(index, machine).into_iter().flat_map(|machine| index.nics_by_machine.get(machine)).map(|row| row.nic)
}

/// Whether two interfaces of one machine are those of one guest: instances of a scale set are guests of their own.
pub fn share_guest(one: Sym, other: Sym) -> bool {
    let instance = |nic: Sym| InstanceId::of(nic.as_str()).map(|instance| instance.name);
    instance(one) == instance(other)
}
