//! How a machine gets out, and with which address (OUT-01 to OUT-14).

use std::net::IpAddr;

use watertight::facts::network::{MachineKind, PublicSku};
use watertight::model::{Stage, Sym, Tri};

use super::filter::Place;
use super::packet::{Addr, Outcome, Packet, all_of};
use super::walk::Walk;
use super::world::{World, name_of};

/// A way out: how sure it is, and the addresses it may show.
#[derive(Clone, Debug)]
pub struct WayOut {
    pub sure: Tri,
    pub stage: Stage,
    pub rule: String,
    pub code: &'static str,
    pub sources: Vec<Addr>,
    /// Another method, which does not carry the packet, perhaps comes first: then it is lost there.
    pub perhaps_lost: bool,
}

impl WayOut {
    pub fn by(rule: String, sources: Vec<Addr>) -> WayOut {
        WayOut { sure: Tri::Yes, stage: Stage::Nat, rule, code: "", sources, perhaps_lost: false }
    }
    pub fn maybe(stage: Stage, rule: String, code: &'static str, mut sources: Vec<Addr>) -> WayOut {
        if sources.is_empty() {
            sources.push(Addr::SomePublic);
        }
        WayOut { sure: Tri::Maybe, stage, rule, code, sources, perhaps_lost: false }
    }
    pub fn none(rule: &str) -> WayOut {
        WayOut { sure: Tri::No, stage: Stage::Nat, rule: rule.to_owned(), code: "", sources: Vec::new(), perhaps_lost: false }
    }
}

impl Walk<'_, '_> {
    /// Translates the source and goes on with each address that the far side may see: all must get through (decision 23).
    pub fn with_egress(&self, at: Place, packet: &Packet, rest: impl Fn(Addr) -> Outcome) -> Outcome {
        let out = self.world.way_out(at, packet);
        if out.sure == Tri::No {
            return Outcome::denied(out.stage, out.rule);
        }
        let outcome = all_of(out.sources.iter().map(|&source| rest(source)).collect());
        let outcome = if out.perhaps_lost { outcome.beside(out.stage) } else { outcome };
        if out.sure == Tri::Maybe { outcome.doubted(out.stage, out.rule, out.code) } else { outcome }
    }
}

impl World<'_> {
    /// The first method that applies, which excludes the others (OUT-02).
    pub fn way_out(&self, at: Place, packet: &Packet) -> WayOut {
        if let Some(firewall) = at.nic.filter(|nic| self.is_firewall(*nic)) {
            return self.firewall_way_out(firewall, at.subnet, packet);
        }
        let v4 = packet.is_v4();
        let ports = packet.proto.has_ports();
        let claimed = self.instance_address(at, packet.src_config, v4);
        // An address may name an interface that does not name it.
        let of_two = |config: Sym| self.config_public_ips.iter().any(|p| p.ip_config == config && self.is_of_two(p.public_ip));
        let alone = claimed.is_none() || self.sending_config(at, packet.src_config).is_some_and(of_two);
        let contested = alone || self.is_of_some_family(at, packet.src_config, v4);
        let instance = claimed.or_else(|| self.address_that_names(at, packet.src_config, v4));
        if let Some(nat) = self.subnet_nats.iter().find(|n| n.subnet == at.subnet).map(|n| n.gateway) {
            let name = name_of(nat);
            let Some(row) = self.nats.iter().find(|n| n.gateway == nat) else {
                let nobody_else = !ports && instance.is_none();
                let unseen = || WayOut::maybe(Stage::Nat, name.clone(), "W-MISSING", Vec::new());
                return if nobody_else { WayOut::none(&name) } else { WayOut { perhaps_lost: !ports, ..unseen() } };
            };
            if !ports {
                // No protocol but TCP and UDP passes it; whether an instance address takes over is not documented (OUT-03).
                return if instance.is_some() {
                    WayOut { perhaps_lost: true, ..WayOut::maybe(Stage::Nat, name, "nat-icmp", instance.unwrap_or_default()) }
                } else {
                    WayOut::none(&name)
                };
            }
            let carries = v4 || matches!(row.sku, PublicSku::StandardV2 | PublicSku::Unknown);
            if carries {
                let sources = self.nat_sources(nat, v4);
                if sources.is_empty() || (!v4 && row.sku == PublicSku::Unknown) {
                    return WayOut::maybe(Stage::Nat, name, "nat-without-address", sources);
                }
                return WayOut::by(name, sources);
            }
        }
        let chained = self.sending_config(at, packet.src_config).is_some_and(|config| self.chains.iter().any(|c| c.end == config));
        let chained = chained || contested;
        if let Some(sources) = instance.clone().filter(|_| chained) {
            let perhaps = WayOut::maybe(Stage::Nat, "instance address".to_owned(), "W-NVA", sources); // IN-11
            // It may be somebody else's.
            return if alone { perhaps.or_else(self.way_out_without_address(at, packet)) } else { perhaps };
        }
        if let Some(sources) = instance {
            return WayOut::by("instance address".to_owned(), sources);
        }
        self.way_out_without_address(at, packet)
    }

    /// By a load balancer, else by default. Of a configuration that stands for the instances of a scale set, pools may list some of them.
    fn way_out_without_address(&self, at: Place, packet: &Packet) -> WayOut {
        let of_all = self.way_out_of_members(at, packet);
        match self.sending_config(at, packet.src_config).filter(|config| !self.instances_of(*config).is_empty()) {
            Some(config) => of_all.or_else(self.as_named(config).way_out_of_members(at, packet)),
            None => of_all,
        }
    }

    fn way_out_of_members(&self, at: Place, packet: &Packet) -> WayOut {
        let (v4, ports) = (packet.is_v4(), packet.proto.has_ports());
        let sender = self.sending_config(at, packet.src_config);
        let (balanced, doubt) = sender.filter(|_| ports).map_or((None, false), |config| self.balancer_way_out(config, packet));
        if let Some(way) = balanced {
            return WayOut { perhaps_lost: doubt, ..way };
        }
        if !ports || !v4 {
            return WayOut::none("defaultOutboundAccess");
        }
        let barred = sender.map_or(Tri::No, |config| self.barred_by_pool(config));
        match self.default_outbound_of(at, barred) {
            way if doubt && way.sure == Tri::Yes => WayOut { sure: Tri::Maybe, code: "W-UNSUPPORTED", ..way },
            way => way,
        }
    }

    fn default_outbound_of(&self, at: Place, barred: Tri) -> WayOut {
        let allowed = self.default_outbound.iter().find(|d| d.subnet == at.subnet).map_or(Tri::Yes, |d| d.allowed);
        let machine = at.nic.and_then(|nic| self.machine_of(nic));
        let flexible = machine.is_some_and(|m| {
            self.scale_sets.iter().any(|s| s.machine == m)
                || self.machines.iter().any(|row| row.machine == m && row.kind == MachineKind::FlexibleScaleSet)
        });
        let standard = machine.map_or(Tri::No, |m| self.has_standard_address(m));
        // What a machine is that nobody exported, and what else hangs on it, is not known.
        let exported = machine.is_none_or(|m| self.machines.iter().any(|row| row.machine == m));
        let standard = if exported { standard } else { standard.or(Tri::Maybe) };
        let delegated = self.delegations.iter().any(|d| d.subnet == at.subnet);
        let sure = allowed.and(Tri::from_bool(!flexible)).and(standard.negated()).and(barred.negated());
        match sure {
            // What has a way out of a delegated subnet is the service's to say (OUT-09).
            Tri::Yes if !delegated => WayOut::by("defaultOutboundAccess".to_owned(), vec![Addr::SomePublic]),
            Tri::No if !delegated => WayOut::none("defaultOutboundAccess"),
            _ => WayOut::maybe(Stage::Nat, "defaultOutboundAccess".to_owned(), "unsure-outbound", vec![Addr::SomePublic]),
        }
    }

    /// Whether a Standard public address hangs on any interface of the machine (OUT-07).
    fn has_standard_address(&self, machine: Sym) -> Tri {
        let mut best = Tri::No;
        for m in self.nic_machines.iter().filter(|m| m.machine == machine) {
            if self.nic(m.nic).is_none() {
                best = best.or(Tri::Maybe);
            }
            for c in self.configs.iter().filter(|c| c.nic == m.nic) {
                for p in self.config_public_ips.iter().filter(|p| p.ip_config == c.ip_config) {
                    best = best.or(match self.public_ips.iter().find(|row| row.public_ip == p.public_ip).map(|row| row.sku) {
                        Some(PublicSku::Standard | PublicSku::StandardV2) => Tri::Yes,
                        Some(PublicSku::Basic) => Tri::No,
                        Some(PublicSku::Unknown) | None => Tri::Maybe,
                    });
                }
            }
        }
        let held = self.nic_machines.iter().filter(|m| m.machine == machine).flat_map(|m| self.configs.iter().filter(|c| c.nic == m.nic));
        let basic = |p: Sym| self.public_ips.iter().any(|row| row.public_ip == p && row.sku == PublicSku::Basic);
        let perhaps = held.flat_map(|c| self.unclaimed_by(c.ip_config)).any(|p| !basic(p));
        if perhaps { best.or(Tri::Maybe) } else { best }
    }

    /// The configuration that sends: the one whose address the packet carries, else the interface's primary one.
    fn sending_config(&self, at: Place, config: Option<Sym>) -> Option<Sym> {
        let of_nic = |c: Sym| self.configs.iter().any(|row| row.ip_config == c && Some(row.nic) == at.nic);
        config.filter(|&c| of_nic(c)).or_else(|| {
            let mut configs: Vec<_> = self.configs.iter().filter(|c| Some(c.nic) == at.nic).collect();
            configs.sort_by_key(|c| !c.primary);
            configs.first().map(|c| c.ip_config)
        })
    }

    /// The instance public address of the sending configuration; an address of the other family does not count (OUT-04).
    fn instance_address(&self, at: Place, config: Option<Sym>, v4: bool) -> Option<Vec<Addr>> {
        let config = self.sending_config(at, config)?;
        let mut sources = Vec::new();
        let mut unknown = false;
        for p in self.config_public_ips.iter().filter(|p| p.ip_config == config) {
            let known: Vec<IpAddr> = self.public_addresses_of(p.public_ip);
            unknown |= known.is_empty() && self.has_family(p.public_ip, v4, Some(v4)).hi();
            sources.extend(known.into_iter().filter(|a| a.is_ipv4() == v4).map(Addr::Known));
        }
        if unknown {
            sources.push(Addr::SomePublic);
        }
        (!sources.is_empty()).then_some(sources)
    }

    /// Public addresses that say they belong to the configuration, which does not say so, or to some instance that it stands for.
    pub fn unclaimed_by(&self, config: Sym) -> Vec<Sym> {
        let says = |p: Sym| self.config_public_ips.iter().any(|c| c.ip_config == config && c.public_ip == p);
        let names = self.instances_of(config);
        let held = self.public_ip_holders.iter().filter(|h| h.holder == config || names.contains(&h.holder));
        held.filter(|h| !says(h.public_ip)).map(|h| h.public_ip).collect()
    }

    /// Who says that the public address is theirs.
    fn claimants(&self, public_ip: Sym) -> Vec<Sym> {
        let mut all: Vec<Sym> = self.config_public_ips.iter().filter(|c| c.public_ip == public_ip).map(|c| c.ip_config).collect();
        all.extend(self.fronts.iter().filter(|f| f.public_ip == public_ip).map(|f| f.frontend));
        all.extend(self.device_public_ips.iter().filter(|d| d.public_ip == public_ip).map(|d| d.device));
        all.extend(self.nat_public_ips.iter().filter(|n| n.public_ip == public_ip).map(|n| n.gateway));
        all.sort();
        all.dedup();
        all
    }

    /// Whom the public address names, who does not name it.
    pub fn holder_that_is_silent(&self, public_ip: Sym) -> Option<Sym> {
        let claimants = self.claimants(public_ip);
        let speaks = |holder: Sym| claimants.iter().any(|c| holder == *c || holder.as_str().starts_with(&format!("{}/", c.as_str())));
        self.public_ip_holders.iter().filter(|h| h.public_ip == public_ip).map(|h| h.holder).find(|holder| !speaks(*holder))
    }

    /// Whether two have the public address, by what is said: one of the two is out of date (IN-02).
    pub fn is_of_two(&self, public_ip: Sym) -> bool {
        let claimants = self.claimants(public_ip).len();
        claimants > 1 || (claimants == 1 && self.holder_that_is_silent(public_ip).is_some())
    }

    fn address_that_names(&self, at: Place, config: Option<Sym>, v4: bool) -> Option<Vec<Addr>> {
        let mut sources = Vec::new();
        for p in self.unclaimed_by(self.sending_config(at, config)?) {
            let known = self.public_addresses_of(p);
            if known.is_empty() && self.has_family(p, v4, Some(v4)).hi() {
                sources.push(Addr::SomePublic);
            }
            // Who has which of a scale set's is not told of all.
            let many = self.sending_config(at, config).is_some_and(|config| self.is_of_many(config));
            let own = known.into_iter().filter(|a| a.is_ipv4() == v4);
            sources.extend(own.map(|ip| if many { Addr::SomePublic } else { Addr::Known(ip) }));
        }
        (!sources.is_empty()).then_some(sources)
    }

    /// Whether nobody knows of which family the instance public address is, which is not known itself (ADR-14).
    fn is_of_some_family(&self, at: Place, config: Option<Sym>, v4: bool) -> bool {
        let Some(config) = self.sending_config(at, config) else { return false };
        let mut own = self.config_public_ips.iter().filter(|p| p.ip_config == config);
        own.any(|p| self.has_family(p.public_ip, v4, Some(v4)) == Tri::Maybe)
    }

    /// The addresses of a NAT gateway, of one family; none where it is not certain that it has one.
    pub fn nat_sources(&self, nat: Sym, v4: bool) -> Vec<Addr> {
        let only_v4 = self.nats.iter().any(|n| n.gateway == nat && n.sku == PublicSku::Standard);
        let inside = only_v4.then_some(true);
        let mut perhaps = false;
        let mut sources = Vec::new();
        for p in self.nat_public_ips.iter().filter(|p| p.gateway == nat) {
            let known = self.public_addresses_of(p.public_ip);
            let fits = self.has_family(p.public_ip, v4, inside);
            if (known.is_empty() && fits == Tri::Yes) || (!known.is_empty() && self.is_of_two(p.public_ip)) {
                sources.push(Addr::SomePublic);
            }
            perhaps |= known.is_empty() && fits == Tri::Maybe;
            sources.extend(known.into_iter().filter(|a| a.is_ipv4() == v4).map(Addr::Known));
        }
        for r in self.nat_ranges.iter().filter(|r| r.gateway == nat) {
            let ranges: Vec<_> = self.public_ip_ranges.iter().filter(|p| p.public_ip_prefix == r.public_ip_prefix).collect();
            if ranges.is_empty() && only_v4 && v4 {
                sources.push(Addr::SomePublic);
            }
            perhaps |= ranges.is_empty() && !only_v4;
            for range in ranges.iter().filter(|p| p.prefix.network().is_ipv4() == v4) {
                sources.extend(self.representatives(range.prefix.network(), range.prefix.broadcast()).into_iter().map(Addr::Known));
            }
        }
        if perhaps && !sources.is_empty() {
            sources.push(Addr::SomePublic);
        }
        sources
    }
}
