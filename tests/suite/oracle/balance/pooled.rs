//! What being in a pool means for a member: what comes in by its frontends, and its way out.

use std::net::IpAddr;

use watertight::explain::way::Mode;
use watertight::facts::load_balancing::{BalancerProtocol, BalancerSku};
use watertight::model::{Proto, Stage, Sym, Tri};

use crate::oracle::Ask;
use crate::oracle::egress::WayOut;
use crate::oracle::ends::Start;
use crate::oracle::packet::{Addr, Outcome, Packet};
use crate::oracle::walk::Target;
use crate::oracle::world::{World, name_of};

impl World<'_> {
    /// Of a NAT rule that was exported twice, the row that says nothing says nothing.
    pub fn forget_empty_nat_rules(&mut self) {
        let told: Vec<Sym> = self.nat_rules.iter().filter(|r| r.protocol != BalancerProtocol::Unknown).map(|r| r.rule).collect();
        self.nat_rules.retain(|r| r.protocol != BalancerProtocol::Unknown || !told.contains(&r.rule));
    }

    /// The frontends with a rule that leads to a configuration.
    pub fn frontends_before(&self, config: Sym) -> Vec<Sym> {
        let mut pools = self.pools_with(config);
        let of_instances = self.instances_of(config);
        pools.extend(self.config_pools.iter().filter(|p| of_instances.contains(&p.ip_config)).map(|p| p.pool));
        pools.extend(self.pools_of_anybody());
        let mut all: Vec<Sym> = Vec::new();
        for r in &self.balancing_rules {
            if self.rule_pools.iter().any(|p| p.rule == r.rule && pools.contains(&p.pool)) {
                all.push(r.frontend);
            }
        }
        for r in &self.nat_rules {
            if pools.contains(&r.rule) || self.nat_rule_pools.iter().any(|p| p.rule == r.rule && pools.contains(&p.pool)) {
                all.push(r.frontend);
            }
        }
        Sym::sort(&mut all);
        all.dedup();
        all.retain(|&f| self.front(f).is_some());
        all
    }

    /// Whether a configuration is in a pool that the input does not hold.
    pub fn in_missing_pool(&self, config: Sym) -> bool {
        let of_instances = self.instances_of(config);
        let some = self.config_pools.iter().filter(|p| of_instances.contains(&p.ip_config)).map(|p| p.pool);
        self.pools_with(config).into_iter().chain(some).any(|pool| !self.knows_pool(pool))
    }

    /// Whether the input tells of a pool or NAT rule, and by which frontends its load balancer is met: every one has some.
    pub fn knows_pool(&self, pool: Sym) -> bool {
        let fronted = |balancer: Sym| self.fronts.iter().any(|f| f.balancer == balancer);
        self.pools.iter().any(|p| p.pool == pool && fronted(p.balancer)) || self.nat_rules.iter().any(|r| r.rule == pool)
    }

    /// Whether the address of a configuration is one of IPv4, where it is known.
    pub fn inside_v4(&self, config: Sym) -> Option<bool> {
        let own = self.addresses_of(config);
        let of = self.configs.iter().find(|c| c.ip_config == config).map_or(Sym::EMPTY, |c| c.subnet);
        own.first().or(self.possible_addresses(config, of).first()).map(IpAddr::is_ipv4)
    }

    /// The ways from the internet to a configuration by public frontends.
    pub fn in_by_frontends(&self, start: Start, client: IpAddr, config: Sym, ask: &Ask) -> Vec<Outcome> {
        let mut ways = Vec::new();
        for frontend in self.frontends_before(config) {
            let public = self.front(frontend).map_or(Sym::EMPTY, |f| f.public_ip);
            if public.is_empty() {
                continue;
            }
            let known = self.public_addresses_of(public);
            let fits = match known.first() {
                Some(first) => Tri::from_bool(first.is_ipv4() == client.is_ipv4()),
                None => self.has_family(public, client.is_ipv4(), self.inside_v4(config)),
            };
            if fits.hi() {
                let packet = self.packet(start, Addr::SomePublic, None, ask);
                let outcome = self.walker(start, Target::Config(config), ask).in_by_frontend(frontend, config, packet);
                let doubted = fits == Tri::Maybe || self.is_of_two(public);
                ways.push(if doubted { outcome.doubted(Stage::Nat, name_of(public), "W-MISSING") } else { outcome });
            }
        }
        if self.in_missing_pool(config) {
            ways.push(Outcome::unproven(Stage::LoadBalancer, name_of(config), "W-MISSING"));
        }
        ways
    }

    /// Who dials any address also dials the frontends in front of a machine.
    pub fn by_frontends(&self, start: Start, config: Sym, ask: &Ask) -> Vec<Outcome> {
        if ask.mode != Mode::Adversarial {
            return Vec::new();
        }
        let mut addresses: Vec<IpAddr> = Vec::new();
        for frontend in self.frontends_before(config) {
            let Some(front) = self.front(frontend) else { continue };
            addresses.extend(front.address.or_else(|| self.public_addresses_of(front.public_ip).first().copied()));
        }
        addresses.sort();
        addresses.dedup();
        addresses.retain(|ip| start.family_of(*ip));
        addresses.into_iter().map(|ip| self.walk(start, Target::Config(config), Addr::Known(ip), Some(config), ask)).collect()
    }

    /// The way out by load balancers: outbound rules, then rules that also translate (OUT-05); and whether an earlier one leaves this to doubt.
    pub fn balancer_way_out(&self, config: Sym, packet: &Packet) -> (Option<WayOut>, bool) {
        let v4 = packet.is_v4();
        let hidden = self
            .resources
            .iter()
            .any(|r| r.kind.as_str() == "microsoft.network/loadbalancers" && !self.balancers.iter().any(|b| b.balancer == r.id))
            || self.hidden_frontends().next().is_some();
        let open = |pool: &Sym| !self.nat_rules.iter().any(|r| r.rule == *pool);
        if self.in_missing_pool(config) || hidden || self.pools_of_anybody().iter().any(open) {
            return (Some(WayOut::maybe(Stage::Nat, name_of(config), "W-MISSING", Vec::new())), false);
        }
        let mut pools = self.pools_with(config);
        if let (Addr::Known(ip), true) = (packet.src, self.addresses_of(config).is_empty()) {
            // Whoever has an address that a pool lists is its member.
            pools.extend(self.pool_addresses.iter().filter(|row| row.address == ip).map(|row| row.pool));
        }
        let mut doubt = false;
        let mut explicit: Vec<(Vec<Addr>, bool, bool)> = Vec::new();
        for rule in self.outbound_rules.iter().filter(|r| pools.contains(&r.pool)) {
            let frontends: Vec<Sym> = self.outbound_fronts.iter().filter(|f| f.rule == rule.rule).map(|f| f.frontend).collect();
            if let Some((sources, clean)) = self.front_sources(&frontends, v4) {
                let carries = match rule.protocol {
                    BalancerProtocol::Tcp => packet.proto == Proto::Tcp,
                    BalancerProtocol::Udp => packet.proto == Proto::Udp,
                    _ => true,
                };
                explicit.push((sources, clean && rule.protocol != BalancerProtocol::Unknown, carries));
            }
        }
        let mut implicit: Vec<(Vec<Addr>, bool, bool)> = Vec::new();
        for rule in self.balancing_rules.iter().filter(|r| r.snat) {
            let mine = self.rule_pools.iter().any(|p| p.rule == rule.rule && pools.contains(&p.pool));
            if let Some((sources, clean)) = self.front_sources(&[rule.frontend], v4).filter(|_| mine) {
                implicit.push((sources, clean && rule.protocol != BalancerProtocol::Unknown, true));
            }
        }
        for kind in [explicit, implicit] {
            let carrying: Vec<_> = kind.iter().filter(|(_, _, carries)| *carries).collect();
            if !carrying.is_empty() {
                let sources: Vec<Addr> = carrying.iter().flat_map(|(sources, _, _)| sources.clone()).collect();
                let sure = !doubt && carrying.iter().all(|(_, clean, _)| *clean);
                let rule = "load balancer".to_owned();
                let way = if sure { WayOut::by(rule, sources) } else { WayOut::maybe(Stage::Nat, rule, "W-UNSUPPORTED", sources) };
                return (Some(way), doubt);
            }
            doubt |= !kind.is_empty();
        }
        (None, doubt)
    }

    /// The public addresses of frontends, and whether nothing else stands in their way; nothing where all are internal (ILB-06).
    fn front_sources(&self, frontends: &[Sym], v4: bool) -> Option<(Vec<Addr>, bool)> {
        let (mut sources, mut unknown, mut perhaps, mut clean) = (Vec::new(), false, false, true);
        for &frontend in frontends {
            clean &= !self.chains.iter().any(|c| c.end == frontend);
            let Some(front) = self.front(frontend) else {
                perhaps = true;
                continue;
            };
            let known = self.public_addresses_of(front.public_ip);
            if !front.public_ip.is_empty() && self.is_of_two(front.public_ip) {
                (unknown, clean) = (true, false);
            }
            if known.is_empty() && !front.public_ip.is_empty() {
                let fits = self.has_family(front.public_ip, v4, None);
                unknown |= fits == Tri::Yes;
                perhaps |= fits == Tri::Maybe;
            }
            sources.extend(known.into_iter().take(1).filter(|a| a.is_ipv4() == v4).map(Addr::Known));
            for range in self.front_ranges.iter().filter(|r| r.frontend == frontend) {
                let found: Vec<_> = self.public_ip_ranges.iter().filter(|p| p.public_ip_prefix == range.public_ip_prefix).collect();
                perhaps |= found.is_empty();
                for p in found.iter().filter(|p| p.prefix.network().is_ipv4() == v4) {
                    sources.extend(self.representatives(p.prefix.network(), p.prefix.broadcast()).into_iter().map(Addr::Known));
                }
            }
        }
        clean &= !perhaps || unknown || !sources.is_empty();
        if unknown || perhaps {
            sources.push(Addr::SomePublic);
        }
        (!sources.is_empty()).then_some((sources, clean))
    }

    /// Whether being in a pool takes default outbound access away (OUT-06).
    pub fn barred_by_pool(&self, config: Sym) -> Tri {
        let mut best = Tri::No;
        for p in self.config_pools.iter().filter(|p| p.ip_config == config) {
            let Some(pool) = self.pools.iter().find(|row| row.pool == p.pool) else { continue };
            best = best.or(match self.balancers.iter().find(|b| b.balancer == pool.balancer).map(|b| b.sku) {
                Some(BalancerSku::Basic) => Tri::No,
                Some(BalancerSku::Standard) => {
                    let internal = self.fronts.iter().any(|f| f.balancer == pool.balancer && !f.subnet.is_empty());
                    let says = |protocol| protocol != BalancerProtocol::Unknown;
                    let named = |r: Sym| self.balancing_rules.iter().any(|b| b.rule == r && says(b.protocol));
                    let used = self.rule_pools.iter().any(|r| r.pool == p.pool && named(r.rule))
                        || self.outbound_rules.iter().any(|r| r.pool == p.pool && says(r.protocol));
                    if internal || used { Tri::Yes } else { Tri::Maybe }
                }
                _ => Tri::Maybe,
            });
        }
        best
    }
}
