//! Scale sets: machines of a flexible one, and what a name of one instance of a uniform one means (ADR-08).

use watertight::explain::way::End;
use watertight::facts::load_balancing::InboundNatRule;
use watertight::facts::network::{IpConfigPool, IpConfigProxyPool, MachineKind, PublicIpHolder};
use watertight::model::{Sym, Tri};

use super::egress::WayOut;
use super::packet::Addr;
use super::world::World;

/// The instance of a scale set that an interface is of, by its name; of a profile and of any other machine none.
pub fn guest_of(nic: Sym) -> Option<&'static str> {
    let parts: Vec<&'static str> = nic.as_str().split('/').collect();
    parts.windows(4).find(|four| four[0] == "virtualmachinescalesets" && four[2] == "virtualmachines").map(|four| four[3])
}

impl World<'_> {
    /// How many interfaces the guest behind one has, that one included.
    pub fn siblings(&self, nic: Sym) -> usize {
        let Some(machine) = self.machine_of(nic) else { return 0 };
        self.nic_machines.iter().filter(|row| row.machine == machine && guest_of(row.nic) == guest_of(nic)).count()
    }

    /// The machines of a flexible scale set (ADR-08).
    pub fn members_of_set(&self, set: Sym) -> Vec<End> {
        let row = self.machines.iter().find(|m| m.machine == set);
        if row.is_some_and(|row| row.kind != MachineKind::FlexibleScaleSet) {
            return Vec::new();
        }
        self.scale_sets.iter().filter(|s| s.scale_set == set).map(|s| End::Machine(s.machine)).collect()
    }

    /// What stands for the configuration of an instance of which nobody exported more than the name.
    pub fn profile_of(&self, name: Sym) -> Option<Sym> {
        let known = |config: Sym| self.configs.iter().any(|c| c.ip_config == config);
        let rows = self.instance_configs.iter().filter(|row| row.instance == name && known(row.ip_config));
        rows.map(|row| row.ip_config).min_by_key(|config| config.as_str()).filter(|_| !known(name))
    }

    /// Whether several machines, of which one is asked for, have the configuration.
    pub fn is_of_many(&self, config: Sym) -> bool {
        let nic = self.configs.iter().find(|c| c.ip_config == config).map(|c| c.nic);
        let machine = nic.and_then(|nic| self.machine_of(nic));
        let uniform = self.machines.iter().any(|m| Some(m.machine) == machine && m.kind == MachineKind::ScaleSet);
        uniform && self.addresses_of(config).is_empty()
    }

    /// The names of the instances that a configuration stands for.
    pub fn instances_of(&self, config: Sym) -> Vec<Sym> {
        let rows = self.instance_configs.iter().filter(|row| row.ip_config == config);
        rows.map(|row| row.instance).filter(|name| !self.configs.iter().any(|c| c.ip_config == *name)).collect()
    }

    /// The estate as that one instance sees it which has all that any instance has by name.
    pub fn as_named(&self, config: Sym) -> World<'_> {
        let names = self.instances_of(config);
        let mut more = self.clone();
        let pools = self.config_pools.iter().filter(|p| names.contains(&p.ip_config));
        more.config_pools.extend(pools.map(|p| IpConfigPool { ip_config: config, ..*p }));
        let proxied = self.config_proxy_pools.iter().filter(|p| names.contains(&p.ip_config));
        more.config_proxy_pools.extend(proxied.map(|p| IpConfigProxyPool { ip_config: config, ..*p }));
        let held = self.public_ip_holders.iter().filter(|h| names.contains(&h.holder));
        more.public_ip_holders.extend(held.map(|h| PublicIpHolder { holder: config, ..*h }));
        more.instance_configs = Default::default();
        more
    }

    /// Whether the NAT rule was made of a NAT pool that the configuration itself names: every instance has one (IN-05).
    pub fn comes_of_a_pool(&self, rule: Sym, config: Sym) -> bool {
        let within = |pool: &&InboundNatRule, rule: &InboundNatRule| {
            pool.rule != rule.rule
                && pool.frontend == rule.frontend
                && pool.first_port <= rule.first_port
                && rule.last_port <= pool.last_port
        };
        let named = |pool: Sym| self.config_pools.iter().any(|p| p.ip_config == config && p.pool == pool);
        let rules = self.nat_rules.iter().filter(|r| r.rule == rule);
        rules.into_iter().any(|rule| self.nat_rules.iter().filter(|pool| within(pool, rule)).any(|pool| named(pool.rule)))
    }
}

impl WayOut {
    /// One of the two, whoever knows which.
    pub fn or_else(self, other: WayOut) -> WayOut {
        let same = |a: &WayOut, b: &WayOut| (a.sure, a.stage, &a.rule, &a.sources) == (b.sure, b.stage, &b.rule, &b.sources);
        if same(&self, &other) {
            return self;
        }
        match (self.sure, other.sure) {
            (Tri::No, Tri::No) => self,
            (Tri::No, _) => WayOut { sure: Tri::Maybe, code: "W-MISSING", ..other },
            (_, Tri::No) => WayOut { sure: Tri::Maybe, code: "W-MISSING", ..self },
            _ => {
                let sources: Vec<Addr> = [self.sources, other.sources].concat();
                WayOut { sure: Tri::Maybe, code: "W-MISSING", sources, ..other }
            }
        }
    }
}
