//! Load balancers as the walk asks for them: whose frontend an address is, what its rules take, and who is behind them.

use std::net::IpAddr;

use crate::explain::packet::Host;
use crate::explain::world::{Named, World};
use crate::facts::load_balancing::{
    BalancerProtocol, BalancerSku, InboundNatRule, LoadBalancerFrontend, LoadBalancerPool, is_nameless_member,
};
use crate::facts::network::{IpConfigPool, PublicSku};
use crate::model::{Prefix, Set, Sym, Tri, net};
use crate::rules::balancer::Takes;
use crate::rules::outbound::BalancerExit;

/// One rule of a frontend, and whom it hands packets to.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The load balancing rule or inbound NAT rule.
    pub rule: Sym,
    /// What it takes, and the port it goes on at.
    pub takes: Takes,
    /// Whether it is an inbound NAT rule: each port of it has one member (IN-05).
    pub nat: bool,
    /// Whether members get packets for the frontend's own address.
    pub floating: bool,
    /// Whether members are asked if they are up.
    pub probe: Probe,
    /// Who may get a packet, each once, sorted by name.
    pub backends: Vec<Backend>,
}

/// How a rule knows which of its members are up (ILB-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It does not ask: all of them are.
    None,
    /// By this TCP port.
    Port(u16),
    /// By a probe that is not in the input.
    Unknown(Sym),
}

/// One member of a pool, or the target of an inbound NAT rule (IN-05, IN-06).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its address configuration, address or frontend.
    pub name: Sym,
    /// What that is.
    pub what: Member,
    /// Whether an administrator has taken it out: it perhaps gets packets.
    pub down: bool,
    /// Whether the pool lists some instance that it stands for, and the profile does not name the pool: that one was made otherwise, perhaps (ADR-08).
    pub one_of_many: bool,
}

impl Backend {
    fn new(name: Sym, what: Member) -> Backend {
        Backend { name, what, down: false, one_of_many: false }
    }
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// A machine, at one of these places; nobody where there is none.
    Places(Vec<Host>),
    /// A frontend of another load balancer.
    Frontend(Sym),
    /// Something that is not in the input.
    Missing,
    /// Somebody of whom nothing is told: any machine may be it.
    Anybody,
}

impl World<'_> {
    /// The internal frontends that have `address` in `vnet`, sorted by name (ADR-11, ILB-01).
    pub fn frontends_at(&self, address: IpAddr, vnet: Sym) -> Vec<Sym> {
        let rows = self.index.load_balancer_frontends_by_address.get(Some(address)).iter();
        sorted(rows.filter(|row| self.vnet_of(row.subnet) == vnet).map(|row| row.frontend).collect())
    }

    /// The frontends of a public address, sorted by name (IN-04).
    pub fn frontends_of_public_ip(&self, public_ip: Sym) -> Vec<Sym> {
        sorted(self.index.load_balancer_frontends_by_public_ip.get(public_ip).iter().map(|row| row.frontend).collect())
    }

    /// The SKU of the load balancer that `frontend` belongs to.
    pub fn balancer_sku(&self, frontend: Sym) -> BalancerSku {
        let row = self.index.load_balancer_frontend.one(frontend);
        row.and_then(|row| self.index.load_balancer.one(row.balancer)).map_or(BalancerSku::Unknown, |balancer| balancer.sku)
    }

    /// Whether what comes by a public frontend is closed until a group opens it: as a public address of this kind (IN-03).
    pub fn public_frontend_sku(&self, frontend: Sym) -> PublicSku {
        let public_ip = self.index.load_balancer_frontend.one(frontend).map_or(Sym::EMPTY, |row| row.public_ip);
        let address = self.index.public_ip.one(public_ip).map_or(PublicSku::Unknown, |row| row.sku);
        match (self.balancer_sku(frontend), address) {
            (BalancerSku::Standard | BalancerSku::StandardV2 | BalancerSku::Gateway, _)
            | (_, PublicSku::Standard | PublicSku::StandardV2) => PublicSku::Standard,
            (BalancerSku::Basic, _) => PublicSku::Basic,
            (BalancerSku::Unknown, _) => PublicSku::Unknown,
        }
    }

    /// The backends of a frontend: one branch for each of its rules, sorted by the rule's name (IN-04 to IN-06, ILB-02).
    pub fn branches(&self, frontend: Sym) -> Vec<Branch> {
        let index = self.index;
        let Some(row) = index.load_balancer_frontend.one(frontend) else { return Vec::new() };
        let mut out = Vec::new();
        for rule in index.load_balancing_rules.get(frontend) {
            let pools = index.load_balancing_rule_pools.get(rule.rule).iter().map(|row| row.pool).collect();
            let probe = match index.load_balancer_probe.one(rule.probe) {
                _ if rule.probe.is_empty() => Probe::None,
                Some(probe) => Probe::Port(probe.port),
                None => Probe::Unknown(rule.probe),
            };
            let mut backends = or_missing(rule.rule, rule.protocol, self.members(row, pools));
            backends.extend(self.unseen_member());
            let takes = Takes::rule(rule, !row.subnet.is_empty());
            out.push(Branch { rule: rule.rule, takes, nat: false, floating: rule.floating, probe, backends });
        }
        for rule in index.inbound_nat_rules.get(frontend).iter().filter(|rule| self.counts(rule)) {
            let mut pools: Vec<Sym> = index.inbound_nat_rule_pools.get(rule.rule).iter().map(|row| row.pool).collect();
            // The targets of a rule refer to it as members do to their pool.
            pools.push(rule.rule);
            let pooled = pools.len() > 1;
            let mut backends = or_missing(rule.rule, rule.protocol, self.members(row, pools));
            for backend in backends.iter_mut().filter(|backend| backend.one_of_many) {
                backend.one_of_many = !self.is_made_from_pool(rule, backend.name);
            }
            // One machine is the target of a rule without a pool.
            backends.extend(self.unseen_member().filter(|_| pooled || backends.is_empty()));
            out.push(Branch { rule: rule.rule, takes: Takes::nat(rule), nat: true, floating: rule.floating, probe: Probe::None, backends });
        }
        out.sort_by_key(|branch| (branch.rule.as_str(), branch.nat));
        out
    }

    /// An interface that is not in the input and may be in any pool.
    fn unseen_member(&self) -> Option<Backend> {
        let name = Some(self.unseen_interface()).filter(|id| !id.is_empty())?;
        Some(Backend::new(name, Member::Missing))
    }

    /// Whether the row is the rule's own: one that says nothing counts only where no other row of the same rule does.
    fn counts(&self, row: &InboundNatRule) -> bool {
        let known = |row: &InboundNatRule| row.protocol != BalancerProtocol::Unknown;
        known(row) || !self.index.inbound_nat_rule.get(row.rule).iter().any(known)
    }

    /// The members of pools that a rule of the frontend chooses from (IN-06).
    fn members(&self, frontend: &LoadBalancerFrontend, pools: Vec<Sym>) -> Vec<Backend> {
        let index = self.index;
        let mut out: Vec<Backend> = Vec::new();
        for pool in sorted(pools) {
            let down = |member: Sym| index.load_balancer_members_down.get(pool).iter().any(|row| row.member == member);
            out.extend(self.listed_members(pool, &down));
            for row in index.load_balancer_addresses.get(pool) {
                let name = Sym::new(&row.address.to_string());
                out.push(Backend { down: down(name), ..Backend::new(name, self.member_at(row.address, row.vnet, frontend)) });
            }
            for row in index.load_balancer_regions.get(pool) {
                let known = index.load_balancer_frontend.has(row.frontend);
                let what = if known { Member::Frontend(row.frontend) } else { Member::Missing };
                out.push(Backend { down: down(row.frontend), ..Backend::new(row.frontend, what) });
            }
            if !self.is_listed(pool) {
                out.push(Backend::new(pool, Member::Anybody));
            }
        }
        out.sort_by_key(|backend| (backend.name.as_str(), backend.one_of_many, backend.down));
        // The same machine may be listed by its configuration and by its address.
        let mut each: Vec<Backend> = Vec::new();
        for backend in out {
            if matches!(backend.what, Member::Missing | Member::Anybody) || !each.iter().any(|known| known.what == backend.what) {
                each.push(backend);
            }
        }
        each
    }

    /// The members that a pool lists by their address configurations, or that name it.
    fn listed_members(&self, pool: Sym, down: &dyn Fn(Sym) -> bool) -> Vec<Backend> {
        let index = self.index;
        let meant =
            |row: &IpConfigPool| self.meant(row.ip_config).into_iter().map(|named| (named, down(row.ip_config))).collect::<Vec<_>>();
        let mut listed: Vec<(Named, bool)> = index.ip_configs_by_pool.get(pool).iter().flat_map(meant).collect();
        // The instances of a scale set come down to one: what is surer of it counts.
        listed.sort_by_key(|(named, down)| (named.ip_config.as_str(), named.one_of_many, *down));
        listed.dedup_by_key(|(named, _)| named.ip_config);
        let member = |(named, down): (Named, bool)| {
            let name = named.ip_config;
            if is_nameless_member(name) {
                return Backend::new(name, Member::Anybody);
            }
            let known = index.ip_config.one(name).is_some_and(|config| index.nic.has(config.nic));
            let places = if self.is_endpoint_config(name) { self.hosts_of_config(name) } else { Vec::new() };
            let what = if known { Member::Places(places) } else { Member::Missing };
            Backend { name, what, down, one_of_many: named.one_of_many }
        };
        listed.into_iter().map(member).collect()
    }

    /// Whoever has an address that a pool lists.
    fn member_at(&self, address: IpAddr, vnet: Sym, frontend: &LoadBalancerFrontend) -> Member {
        let vnet = if vnet.is_empty() { self.vnet_of(frontend.subnet) } else { vnet };
        let vnet = if vnet.is_empty() { self.only_network_with(address) } else { vnet };
        if !self.index.vnet.has(vnet) {
            return Member::Missing;
        }
        let owners = self.owners(address, vnet);
        match owners.perhaps {
            _ if !owners.hosts.is_empty() => Member::Places(owners.hosts),
            None if owners.is_nobody() => Member::Places(Vec::new()),
            _ => Member::Missing,
        }
    }

    /// The network in which a machine has the address; empty where there are none or several.
    fn only_network_with(&self, address: IpAddr) -> Sym {
        let configs = self.index.ip_configs_by_address.get(address).iter().filter_map(|row| self.index.ip_config.one(row.ip_config));
        let vnets = sorted(configs.map(|config| self.vnet_of(config.subnet)).collect());
        if let [vnet] = vnets[..] { vnet } else { Sym::EMPTY }
    }

    /// The pools that hold a place, by its configuration and by its address, and that perhaps do, because they hold an instance that its configuration stands
    /// for; and the inbound NAT rules that lead to it.
    fn pools_of(&self, host: &Host) -> Vec<Sym> {
        sorted(self.sure_pools_of(host).into_iter().chain(self.pools_of_instances(host.ip_config)).collect())
    }

    /// Those that surely hold it.
    fn sure_pools_of(&self, host: &Host) -> Vec<Sym> {
        let index = self.index;
        if host.ip_config.is_empty() {
            return Vec::new(); // a machine that is only imagined is in no pool
        }
        let own = index.ip_config_pools.get(host.ip_config).iter().map(|row| row.pool);
        sorted(own.chain(self.pools_listing(host)).collect())
    }

    /// The pools that list the address of a place.
    fn pools_listing(&self, host: &Host) -> impl Iterator<Item = Sym> {
        let (ip, vnet) = (host.ip, host.vnet);
        let listing = self.index.load_balancer_pools_by_address.get(ip).iter();
        listing.filter(move |row| row.vnet.is_empty() || row.vnet == vnet).map(|row| row.pool)
    }

    /// Whether the input holds a pool, or an inbound NAT rule, which stands for the pool of its targets.
    fn is_listed(&self, pool: Sym) -> bool {
        self.index.load_balancer_pool.has(pool) || self.index.inbound_nat_rule.has(pool)
    }

    /// The pools and inbound NAT rules of which the input does not tell who all is in them, sorted: a rule names one that is not there, or somebody is listed who
    /// is not told. Any machine may be in them (IN-06, SND-02).
    ///
    /// ```datalog
    /// untold(P) :- load_balancing_rule_pool(_, P), !load_balancer_pool(P, _).                              // balancer.8
    /// untold(P) :- inbound_nat_rule_pool(_, P), !load_balancer_pool(P, _).                                 // balancer.9
    /// untold(P) :- outbound_rule(_, P, _), !load_balancer_pool(P, _).                                      // balancer.10
    /// ```
    pub fn untold_pools(&self) -> &[Sym] {
        let index = self.index;
        self.untold_pools.get_or_init(|| {
            let by_rule = index.load_balancing_rule_pools.rows().map(|row| row.pool);
            let by_nat = index.inbound_nat_rule_pools.rows().map(|row| row.pool);
            let outbound = index.outbound_rules.rows().map(|row| row.pool);
            let missing = by_rule.chain(by_nat).chain(outbound).filter(|pool| !self.is_listed(*pool));
            let nameless = index.ip_config_pools.rows().filter(|row| is_nameless_member(row.ip_config)).map(|row| row.pool);
            sorted(missing.chain(nameless).collect())
        })
    }

    /// The frontends with a rule that leads to the place, or perhaps does, sorted by name.
    pub fn frontends_before(&self, host: &Host) -> Vec<Sym> {
        self.frontends_of_pools(self.pools_of(host).into_iter().chain(self.untold_pools().iter().copied()))
    }

    /// The same of a machine that could be placed at an address of a pool (ADR-16, IN-06).
    pub fn frontends_before_slot(&self, slot: &Host) -> Vec<Sym> {
        self.frontends_of_pools(self.pools_listing(slot).chain(self.untold_pools().iter().copied()))
    }

    /// Whether a rule of the frontend may hand packets to any machine.
    pub fn leads_to_anybody(&self, frontend: Sym) -> bool {
        let anybody = |branch: &Branch| branch.backends.iter().any(|backend| backend.what == Member::Anybody);
        !self.untold_pools().is_empty() && self.branches(frontend).iter().any(anybody)
    }

    /// The first pool by name that lists the address of the place and is not in the input; empty: none.
    pub fn missing_pool_of_slot(&self, slot: &Host) -> Sym {
        sorted(self.pools_listing(slot).collect()).into_iter().find(|pool| self.is_missing_pool(*pool)).unwrap_or_default()
    }

    fn frontends_of_pools(&self, pools: impl Iterator<Item = Sym>) -> Vec<Sym> {
        let index = self.index;
        let mut frontends = Vec::new();
        for pool in pools {
            let rules = index.load_balancing_rules_by_pool.get(pool).iter().flat_map(|row| index.load_balancing_rule.get(row.rule));
            frontends.extend(rules.map(|rule| rule.frontend));
            let rules = index.inbound_nat_rules_by_pool.get(pool).iter().map(|row| row.rule).chain([pool]);
            let rules = rules.flat_map(|rule| index.inbound_nat_rule.get(rule)).filter(|rule| self.counts(rule));
            frontends.extend(rules.map(|rule| rule.frontend));
        }
        sorted(frontends)
    }

    /// The addresses of the frontends that lead to the place, sorted.
    pub fn addresses_before(&self, host: &Host) -> Vec<IpAddr> {
        let rows = self.frontends_before(host).into_iter().filter_map(|frontend| self.index.load_balancer_frontend.one(frontend));
        let public = |public_ip: Sym| self.index.public_ip_address.one(public_ip).map(|row| row.address);
        let mut addresses: Vec<IpAddr> = rows.filter_map(|row| row.address.or_else(|| public(row.public_ip))).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// Every machine behind a frontend, also behind the regional ones of a global one.
    pub fn hosts_behind(&self, frontend: Sym) -> Vec<Host> {
        let places = |frontend: Sym| self.branches(frontend).into_iter().flat_map(|branch| branch.backends);
        let mut hosts = Vec::new();
        for backend in places(frontend) {
            match backend.what {
                Member::Places(found) => hosts.extend(found),
                Member::Frontend(regional) => hosts.extend(places(regional).flat_map(|backend| match backend.what {
                    Member::Places(found) => found,
                    _ => Vec::new(),
                })),
                Member::Missing | Member::Anybody => {}
            }
        }
        hosts
    }

    /// A pool of the place that is not in the input: its load balancer may do anything for the way out. Empty: none.
    pub fn missing_pool(&self, host: &Host) -> Sym {
        self.pools_of(host).into_iter().find(|pool| self.is_missing_pool(*pool)).unwrap_or_default()
    }

    /// What perhaps translates the way out of any machine: a pool of which the input does not tell who all is in it, else a load balancer of which it holds no
    /// more than that it is there (OUT-05, OUT-06). The first by id; empty: nothing.
    pub fn pool_of_anybody(&self) -> Sym {
        let index = self.index;
        let untold = || self.untold_pools().iter().copied().find(|pool| !index.inbound_nat_rule.has(*pool));
        let hidden = || self.hidden_balancers().iter().map(|(id, _)| *id).find(|id| index.resource.has(*id));
        *self.pool_of_anybody.get_or_init(|| untold().or_else(hidden).unwrap_or_default())
    }

    /// Whether neither a pool nor a NAT rule of this id is in the input; nor is the pool of a load balancer without a frontend, which Azure does not know
    /// (ILB-01): those were left out on the way, and may be any.
    pub fn is_missing_pool(&self, pool: Sym) -> bool {
        let index = self.index;
        let whole = |balancer: Sym| index.load_balancer_frontends_by_balancer.has(balancer);
        !index.load_balancer_pool.get(pool).iter().any(|row| whole(row.balancer)) && !index.inbound_nat_rule.has(pool)
    }

    /// What outbound rules do for a place, and what rules that translate as well do (OUT-05).
    pub fn balancer_exits(&self, host: &Host, v6: bool) -> (Vec<BalancerExit>, Vec<BalancerExit>) {
        let index = self.index;
        let (mut by_outbound, mut by_rule) = (Vec::new(), Vec::new());
        let certain = self.sure_pools_of(host);
        for pool in self.pools_of(host) {
            let member = certain.contains(&pool);
            for rule in index.outbound_rules.get(pool) {
                let frontends = index.outbound_rule_frontends.get(rule.rule).iter().map(|row| row.frontend).collect();
                let carries = match rule.protocol {
                    BalancerProtocol::Tcp => Set::tcp(),
                    BalancerProtocol::Udp => Set::tcp_udp().minus(Set::tcp()),
                    BalancerProtocol::All | BalancerProtocol::Unknown => Set::tcp_udp(),
                };
                by_outbound.extend(self.exit_by(rule.rule, frontends, carries, member && rule.protocol != BalancerProtocol::Unknown, v6));
            }
            for row in index.load_balancing_rules_by_pool.get(pool) {
                for rule in index.load_balancing_rule.get(row.rule).iter().filter(|rule| rule.snat) {
                    let sure = member && rule.protocol != BalancerProtocol::Unknown;
                    by_rule.extend(self.exit_by(rule.rule, vec![rule.frontend], Set::tcp_udp(), sure, v6));
                }
            }
        }
        for list in [&mut by_outbound, &mut by_rule] {
            list.sort_by_key(|exit| exit.rule.as_str());
            list.dedup();
        }
        (by_outbound, by_rule)
    }

    /// The way out by the addresses of public frontends; nothing where all are internal (ILB-06) or of the other family.
    fn exit_by(&self, rule: Sym, frontends: Vec<Sym>, carries: Set, sure: bool, v6: bool) -> Option<BalancerExit> {
        let index = self.index;
        let (mut addresses, mut known, mut perhaps, mut sure, mut public) = (Vec::new(), true, false, sure, false);
        for frontend in sorted(frontends) {
            let Some(row) = index.load_balancer_frontend.one(frontend) else {
                (perhaps, public) = (true, true);
                continue;
            };
            sure &= !index.gateway_chain.has(frontend);
            if !row.public_ip.is_empty() {
                public = true;
                match index.public_ip_address.one(row.public_ip) {
                    Some(found) => {
                        let told = self.rivals(row.public_ip).is_none();
                        (sure, known) = (sure && told, known && told);
                        addresses.push(net::host(found.address));
                    }
                    None => match self.is_of_family(row.public_ip, v6, None) {
                        Tri::Yes => known = false,
                        Tri::Maybe => perhaps = true,
                        Tri::No => {}
                    },
                }
            }
            for range in index.load_balancer_frontend_ranges.get(frontend) {
                public = true;
                let found = index.public_ip_ranges.get(range.public_ip_prefix);
                perhaps |= found.is_empty();
                addresses.extend(found.iter().map(|row| row.prefix));
            }
        }
        addresses.retain(|prefix: &Prefix| prefix.addr().is_ipv6() == v6);
        addresses.sort_unstable();
        // Without one that surely is of the family nobody knows whether it translates at all.
        sure &= !perhaps || !known || !addresses.is_empty();
        let some = !addresses.is_empty() || !known || perhaps;
        known &= !perhaps;
        (public && some).then_some(BalancerExit { rule, carries, sure, addresses: known.then_some(addresses) })
    }

    /// Whether being in a pool takes default outbound access away: a Standard load balancer's pool does, unless it lists members by address (OUT-06).
    pub fn barred_by_balancer(&self, host: &Host) -> Tri {
        let index = self.index;
        let own = index.ip_config_pools.get(host.ip_config).iter().map(|row| row.pool);
        let certain = own.filter_map(|pool| index.load_balancer_pool.one(pool)).map(|pool| self.bars(pool)).max().unwrap_or(Tri::No);
        let of_instances = self.pools_of_instances(host.ip_config).into_iter().filter_map(|pool| index.load_balancer_pool.one(pool));
        of_instances.map(|pool| self.bars(pool).and(Tri::Maybe)).fold(certain, Tri::max)
    }

    /// Whether the pool takes it from whoever is surely in it.
    fn bars(&self, pool: &LoadBalancerPool) -> Tri {
        let index = self.index;
        match index.load_balancer.one(pool.balancer).map(|balancer| balancer.sku) {
            Some(BalancerSku::Basic) => Tri::No,
            Some(BalancerSku::Standard) => {
                let frontends = index.load_balancer_frontends_by_balancer.get(pool.balancer);
                let internal = frontends.iter().any(|frontend| !frontend.subnet.is_empty());
                // What a rule is for of which nobody knows what it takes, is not known either.
                let known = |protocol: BalancerProtocol| protocol != BalancerProtocol::Unknown;
                let mut rules = index.load_balancing_rules_by_pool.get(pool.pool).iter().map(|row| row.rule);
                let used = rules.any(|rule| index.load_balancing_rule.get(rule).iter().any(|row| known(row.protocol)))
                    || index.outbound_rules.get(pool.pool).iter().any(|row| known(row.protocol));
                if internal || used { Tri::Yes } else { Tri::Maybe }
            }
            Some(BalancerSku::StandardV2 | BalancerSku::Gateway | BalancerSku::Unknown) | None => Tri::Maybe,
        }
    }
}

/// Those behind a rule; where nobody is, and nothing is known of the rule, somebody that the input does not hold.
fn or_missing(rule: Sym, protocol: BalancerProtocol, backends: Vec<Backend>) -> Vec<Backend> {
    if backends.is_empty() && protocol == BalancerProtocol::Unknown {
        return vec![Backend::new(rule, Member::Missing)];
    }
    backends
}

/// Each once, sorted by text.
fn sorted(mut ids: Vec<Sym>) -> Vec<Sym> {
    Sym::sort(&mut ids);
    ids.dedup();
    ids
}
