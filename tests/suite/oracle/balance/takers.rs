//! Which rules of a frontend take a packet, and who is in their pools.

use std::net::IpAddr;

use watertight::facts::load_balancing::{BalancerProtocol, BalancerSku, InboundNatRule, LoadBalancerFrontend, LoadBalancingRule};
use watertight::facts::network::PublicSku;
use watertight::model::{Proto, Sym, Tri};

use crate::oracle::address::Owner;
use crate::oracle::balance::{Member, Taker, What};
use crate::oracle::packet::Packet;
use crate::oracle::world::World;

impl World<'_> {
    pub fn front(&self, frontend: Sym) -> Option<&LoadBalancerFrontend> {
        self.fronts.iter().find(|f| f.frontend == frontend)
    }

    /// The internal frontend at an address of a network.
    pub fn frontend_at(&self, vnet: Sym, ip: IpAddr) -> Option<Sym> {
        self.fronts.iter().find(|f| f.address == Some(ip) && self.vnet_of(f.subnet) == Some(vnet)).map(|f| f.frontend)
    }

    pub(super) fn sku_of(&self, frontend: Sym) -> BalancerSku {
        let balancer = self.front(frontend).map(|f| f.balancer);
        self.balancers.iter().find(|b| Some(b.balancer) == balancer).map_or(BalancerSku::Unknown, |b| b.sku)
    }

    pub(super) fn is_global(&self, frontend: Sym) -> bool {
        let balancer = self.front(frontend).map(|f| f.balancer);
        self.balancers.iter().any(|b| Some(b.balancer) == balancer && b.global)
    }

    /// Whether a public frontend is closed while no group opens it (IN-03).
    pub(super) fn closed_by_default(&self, frontend: Sym) -> Tri {
        let public = self.front(frontend).map(|f| f.public_ip);
        let address = self.public_ips.iter().find(|p| Some(p.public_ip) == public).map_or(PublicSku::Unknown, |p| p.sku);
        match self.sku_of(frontend) {
            BalancerSku::Standard | BalancerSku::StandardV2 | BalancerSku::Gateway => Tri::Yes,
            _ if matches!(address, PublicSku::Standard | PublicSku::StandardV2) => Tri::Yes,
            BalancerSku::Basic => Tri::No,
            BalancerSku::Unknown => Tri::Maybe, // its own may be Standard, whatever that of the address is
        }
    }

    /// Whether a load balancing rule takes the packet.
    pub(super) fn takes(&self, rule: &LoadBalancingRule, packet: &Packet, internal: bool) -> Tri {
        match rule.protocol {
            BalancerProtocol::Unknown => return Tri::Maybe,
            BalancerProtocol::Tcp if packet.proto != Proto::Tcp => return Tri::No,
            BalancerProtocol::Udp if packet.proto != Proto::Udp => return Tri::No,
            _ => {}
        }
        match rule.frontend_port {
            0 if internal => Tri::Yes,
            0 => Tri::Maybe,
            port => Tri::from_bool(port == packet.dport),
        }
    }

    pub(super) fn nat_takes(&self, rule: &InboundNatRule, packet: &Packet) -> Tri {
        match rule.protocol {
            BalancerProtocol::Unknown => return Tri::Maybe,
            BalancerProtocol::Tcp if packet.proto != Proto::Tcp => return Tri::No,
            BalancerProtocol::Udp if packet.proto != Proto::Udp => return Tri::No,
            _ => {}
        }
        Tri::from_bool((rule.first_port..=rule.last_port).contains(&packet.dport))
    }

    /// Every rule of a frontend that may carry the protocol, with the port that members get; 0: the same as at the frontend.
    pub(super) fn all_rules(&self, frontend: Sym, proto: Proto) -> Vec<Taker> {
        let carries = |p: BalancerProtocol| match p {
            BalancerProtocol::Tcp => proto == Proto::Tcp,
            BalancerProtocol::Udp => proto == Proto::Udp,
            BalancerProtocol::All | BalancerProtocol::Unknown => proto.has_ports(),
        };
        let mut all = Vec::new();
        for r in self.balancing_rules.iter().filter(|r| r.frontend == frontend && carries(r.protocol)) {
            let every = r.frontend_port == 0 || r.protocol == BalancerProtocol::Unknown;
            let told = r.protocol != BalancerProtocol::Unknown;
            let port = match (every, r.backend_port) {
                (true, _) if told => 0,
                (true, port) => port,
                (false, 0) => r.frontend_port,
                (false, port) => port,
            };
            let pools = self.rule_pools.iter().filter(|p| p.rule == r.rule).map(|p| p.pool).collect();
            all.push(Taker { rule: r.rule, sure: true, port, floating: r.floating, probe: r.probe, pools, width: 0 });
        }
        for r in self.nat_rules.iter().filter(|r| r.frontend == frontend && carries(r.protocol)) {
            let mut pools: Vec<Sym> = self.nat_rule_pools.iter().filter(|p| p.rule == r.rule).map(|p| p.pool).collect();
            pools.push(r.rule);
            let width = match r.protocol {
                BalancerProtocol::Unknown => 65536,
                _ => u32::from(r.last_port.saturating_sub(r.first_port)) + 1,
            };
            all.push(Taker { rule: r.rule, sure: true, port: r.backend_port, floating: r.floating, probe: Sym::EMPTY, pools, width });
        }
        all
    }

    /// Whether the input says at which ports members get what a rule takes.
    pub(super) fn knows_ports(&self, rule: Sym) -> bool {
        let balancing = self.balancing_rules.iter().filter(|r| r.rule == rule).map(|r| r.protocol);
        let nat = self.nat_rules.iter().filter(|r| r.rule == rule).map(|r| r.protocol);
        balancing.chain(nat).all(|protocol| protocol != BalancerProtocol::Unknown)
    }

    /// One port for every part of the range that some rule of a group or of a manager tells apart.
    pub(super) fn told_apart(&self) -> Vec<u16> {
        let groups = self.nsg_rules.iter().flat_map(|r| r.destination_ports.items());
        let managers = self.admin_rules.iter().flat_map(|r| r.destination_ports.items());
        let mut ports: Vec<u16> = groups.chain(managers).flat_map(|(low, high)| [low, high.saturating_add(1)]).chain([0]).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Whether the input says what a rule takes; a rule for every port is one of an internal frontend.
    pub(super) fn knows(&self, rule: Sym, internal: bool) -> bool {
        let balancing = self.balancing_rules.iter().filter(|r| r.rule == rule);
        let nat = self.nat_rules.iter().filter(|r| r.rule == rule);
        balancing.into_iter().all(|r| r.protocol != BalancerProtocol::Unknown && (internal || r.frontend_port != 0))
            && nat.into_iter().all(|r| r.protocol != BalancerProtocol::Unknown)
    }

    /// Whether a rule without a port of its own for members takes the port.
    pub(super) fn in_ports(&self, rule: Sym, port: u16) -> bool {
        let unknown = |p: BalancerProtocol| p == BalancerProtocol::Unknown;
        self.balancing_rules.iter().any(|r| r.rule == rule && (r.frontend_port == 0 || unknown(r.protocol) || r.frontend_port == port))
            || self.nat_rules.iter().any(|r| r.rule == rule && (unknown(r.protocol) || (r.first_port..=r.last_port).contains(&port)))
    }

    /// The rules that take the packet. Two at once cannot be: then none of them is sure, but a NAT rule for fewer ports comes first.
    pub(super) fn takers(&self, frontend: Sym, packet: &Packet) -> Vec<Taker> {
        let internal = self.front(frontend).is_some_and(|f| !f.subnet.is_empty());
        let mut found: Vec<(Taker, Tri)> = Vec::new();
        for mut taker in self.all_rules(frontend, packet.proto) {
            let tri = match self.balancing_rules.iter().find(|r| r.rule == taker.rule && taker.width == 0) {
                Some(rule) => self.takes(rule, packet, internal),
                None => self.nat_rules.iter().find(|r| r.rule == taker.rule).map_or(Tri::No, |rule| self.nat_takes(rule, packet)),
            };
            if taker.port == 0 && self.knows_ports(taker.rule) {
                taker.port = packet.dport;
            }
            if tri.hi() {
                found.push((taker, tri));
            }
        }
        let mut out = Vec::new();
        for (taker, tri) in &found {
            let (mut sure, mut there) = (tri.lo(), true);
            if let Some(nat) = self.nat_rules.iter().find(|r| r.rule == taker.rule && taker.width > 0) {
                // The members have one port each, from the first on (IN-05).
                let members = self.members_behind(frontend, taker.rule, &taker.pools).len();
                let first = if nat.protocol == BalancerProtocol::Unknown { 0 } else { nat.first_port };
                sure &= usize::from(packet.dport.saturating_sub(first)) < members;
            }
            for (other, theirs) in found.iter().filter(|(other, _)| other.rule != taker.rule) {
                match (taker.width, other.width) {
                    (1.., 1..) if taker.width < other.width => {}
                    (1.., 1..) if other.width < taker.width => {
                        there &= !theirs.lo();
                        sure = false;
                    }
                    _ => sure = false,
                }
            }
            if there {
                out.push(Taker { sure, ..taker.clone() });
            }
        }
        out
    }

    /// Whether all members of all rules of a frontend are known, and none of them forwards.
    pub fn hands_to_nobody_who_forwards(&self, frontend: Sym) -> bool {
        let still = |member: &Member| match member.what {
            What::Config { nic, .. } => !self.nic(nic).is_some_and(|nic| nic.forwarding),
            What::Nobody => true,
            What::Frontend(_) | What::Missing | What::Anybody => false,
        };
        let balancing = self.balancing_rules.iter().filter(|r| r.frontend == frontend).map(|r| (r.rule, None));
        let nat = self.nat_rules.iter().filter(|r| r.frontend == frontend).map(|r| (r.rule, Some(r.rule)));
        let all_still = |(rule, own): (Sym, Option<Sym>)| {
            let balanced = self.rule_pools.iter().filter(|p| p.rule == rule).map(|p| p.pool);
            let pooled = self.nat_rule_pools.iter().filter(|p| p.rule == rule).map(|p| p.pool);
            let pools: Vec<Sym> = balanced.chain(pooled).chain(own).collect();
            self.members_behind(frontend, rule, &pools).iter().all(still)
        };
        let known = matches!(self.sku_of(frontend), BalancerSku::Basic | BalancerSku::Standard);
        known && !self.chains.iter().any(|c| c.end == frontend) && balancing.chain(nat).all(all_still)
    }

    /// The members of a rule; one that says nothing has some, even where nobody says who.
    pub(super) fn members_behind(&self, frontend: Sym, rule: Sym, pools: &[Sym]) -> Vec<Member> {
        let mut all = self.members_of(frontend, pools);
        let mut silent = self.balancing_rules.iter().filter(|r| r.rule == rule).map(|r| r.protocol);
        let mut silent_nat = self.nat_rules.iter().filter(|r| r.rule == rule).map(|r| r.protocol);
        let unknown = |p: BalancerProtocol| p == BalancerProtocol::Unknown;
        if all.is_empty() && (silent.any(unknown) || silent_nat.any(unknown)) {
            all.push(Member { what: What::Missing, down: false, of_some: false });
        }
        for member in &mut all {
            if let What::Config { config, .. } = member.what {
                member.of_some &= !self.comes_of_a_pool(rule, config);
            }
        }
        // A NAT rule that names no pool has one target.
        let open =
            all.is_empty() || self.balancing_rules.iter().any(|r| r.rule == rule) || self.nat_rule_pools.iter().any(|p| p.rule == rule);
        if self.an_interface_is_hidden() && open {
            all.push(Member { what: What::Missing, down: false, of_some: false });
        }
        all
    }

    pub(super) fn members_of(&self, frontend: Sym, pools: &[Sym]) -> Vec<Member> {
        let mut all: Vec<Member> = Vec::new();
        let mut add_one = |what: What, down: bool, of_some: bool| match all.iter_mut().find(|m| m.what == what) {
            Some(known) if !matches!(what, What::Missing | What::Anybody) => {
                // What is surer of it counts.
                if (of_some, down) < (known.of_some, known.down) && known.of_some {
                    (known.of_some, known.down) = (of_some, down);
                }
            }
            _ => all.push(Member { what, down, of_some }),
        };
        for &pool in pools {
            let down = |name: &str| self.members_down.iter().any(|d| d.pool == pool && d.member.as_str() == name);
            for p in self.config_pools.iter().filter(|p| p.pool == pool) {
                let profile = self.profile_of(p.ip_config);
                let config = self.configs.iter().find(|c| c.ip_config == profile.unwrap_or(p.ip_config));
                let what = match config.filter(|c| self.nic(c.nic).is_some()) {
                    None if says_not_who(p.ip_config) => What::Anybody,
                    None => What::Missing,
                    Some(c) if self.is_attached(c.nic) => What::Config { config: c.ip_config, nic: c.nic, subnet: c.subnet },
                    Some(_) => What::Nobody,
                };
                add_one(what, down(p.ip_config.as_str()), profile.is_some());
            }
            let mut add = |what: What, down: bool| add_one(what, down, false);
            for a in self.pool_addresses.iter().filter(|a| a.pool == pool) {
                add(self.whoever_has(a.address, a.vnet, frontend), down(&a.address.to_string()));
            }
            for r in self.pool_regions.iter().filter(|r| r.pool == pool) {
                let known = self.front(r.frontend).is_some();
                add(if known { What::Frontend(r.frontend) } else { What::Missing }, down(r.frontend.as_str()));
            }
            if !self.lists_pool(pool) {
                add(What::Anybody, false);
            }
        }
        all
    }

    fn lists_pool(&self, pool: Sym) -> bool {
        self.pools.iter().any(|p| p.pool == pool) || self.nat_rules.iter().any(|r| r.rule == pool)
    }

    /// The pools and NAT rules that any machine may be in: a rule names one that nobody exported, or a member does not say who it is.
    pub(super) fn pools_of_anybody(&self) -> Vec<Sym> {
        let mut named: Vec<Sym> = self.rule_pools.iter().map(|p| p.pool).collect();
        named.extend(self.nat_rule_pools.iter().map(|p| p.pool));
        named.extend(self.outbound_rules.iter().map(|r| r.pool));
        named.retain(|pool| !self.lists_pool(*pool));
        named.extend(self.config_pools.iter().filter(|p| says_not_who(p.ip_config)).map(|p| p.pool));
        named
    }

    pub(super) fn whoever_has(&self, ip: IpAddr, vnet: Sym, frontend: Sym) -> What {
        let own = self.front(frontend).and_then(|f| self.vnet_of(f.subnet));
        let mut homes: Vec<Sym> = self
            .config_addresses
            .iter()
            .filter(|a| a.address == ip)
            .filter_map(|a| self.configs.iter().find(|c| c.ip_config == a.ip_config))
            .filter_map(|c| self.vnet_of(c.subnet))
            .collect();
        homes.sort();
        homes.dedup();
        let only = if homes.len() == 1 { homes.first().copied() } else { None };
        let Some(vnet) = Some(vnet).filter(|v| !v.is_empty()).or(own).or(only).filter(|&v| self.has_vnet(v)) else { return What::Missing };
        match self.owner(vnet, ip) {
            Owner::Config { config, nic, subnet } => What::Config { config, nic, subnet },
            Owner::Nobody => What::Nobody,
            _ => What::Missing,
        }
    }

    /// Whether the network of the subnet is not in the input, or its range is not.
    pub(super) fn is_untold(&self, subnet: Sym) -> bool {
        self.vnet_of(subnet).is_none() || self.subnet_space(subnet).is_empty()
    }

    pub(super) fn member_places(&self, config: Sym, subnet: Sym) -> Vec<IpAddr> {
        let places = self.possible_addresses(config, subnet);
        if places.is_empty() && self.is_untold(subnet) { vec![IpAddr::from([0, 0, 0, 0])] } else { places }
    }

    /// The pools and NAT rules that lead to a configuration.
    pub(super) fn pools_with(&self, config: Sym) -> Vec<Sym> {
        let vnet = self.configs.iter().find(|c| c.ip_config == config).and_then(|c| self.vnet_of(c.subnet));
        let mine = self.addresses_of(config);
        let mut all: Vec<Sym> = self.config_pools.iter().filter(|p| p.ip_config == config).map(|p| p.pool).collect();
        all.extend(
            self.pool_addresses.iter().filter(|a| mine.contains(&a.address) && (a.vnet.is_empty() || Some(a.vnet) == vnet)).map(|a| a.pool),
        );
        all
    }
}

/// Whether what stands for a member is all that was read of it.
fn says_not_who(ip_config: Sym) -> bool {
    ip_config.as_str().ends_with("/unknown-backendipconfiguration")
}
