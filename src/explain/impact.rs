//! What a change can move of who gets to what: a bound from above, so that a what-if need not ask about pairs of ends that cannot have moved.
//!
//! Some changes stay where they are made. The rules of a group decide what passes the interfaces it filters, the firewall of a store what gets to that store, a
//! consent what gets over that endpoint, a name what a client looks up. So the pairs that may move have an end there, unless what is there also stands in the way
//! of others: an appliance, a member of a load balancer that routes lead to, a DNS server. Of every other change nothing is claimed.

use std::collections::BTreeSet;
use std::net::IpAddr;

use rustc_hash::FxHashSet;

use crate::explain::pieces::Bounds;
use crate::explain::reach::{external, sites};
use crate::explain::way::End;
use crate::explain::world::World;
use crate::facts::network::IpConfig;
use crate::facts::{Fact, Index};
use crate::model::{Sym, net};
use crate::rules::route::platform_address;
use crate::rules::{private_endpoint, private_link};

/// One side of a change: what it touches there, and what the addresses outside depend on.
#[derive(Debug)]
pub struct Side {
    /// The ends inside of which one is in every pair that may move; `None`: any pair may.
    touched: Option<FxHashSet<End>>,
    /// What is outside and stands for many addresses.
    outside: Vec<End>,
    /// What the estate tells apart of it.
    bounds: Bounds,
    /// The regional tags that its rules name.
    regions: Vec<(Sym, Sym)>,
    /// Whether private endpoints lead out of the boundary.
    led_out: bool,
}

impl Side {
    /// The side whose facts `world` holds, of a change of these facts.
    pub fn of<'f>(world: &World<'_>, changed: impl IntoIterator<Item = &'f Fact>) -> Side {
        let index = world.index;
        let mut touched = Touched { index, hops: hops(index), ends: FxHashSet::default() };
        let local = changed.into_iter().try_for_each(|fact| touched.by(fact));
        Side {
            touched: local.map(|()| touched.ends),
            outside: sites(index).into_iter().chain(external()).chain([End::Internet(None)]).collect(),
            bounds: world.bounds().clone(),
            regions: world.regions_of_rules().to_vec(),
            led_out: world.leads_out(),
        }
    }
}

/// What a change can move, by the facts of both sides.
#[derive(Debug)]
pub struct Impact {
    /// The ends of which one is in every pair that may move; `None`: any pair may.
    ends: Option<FxHashSet<End>>,
}

impl Impact {
    /// A change that may move anything.
    pub const ANYTHING: Impact = Impact { ends: None };

    /// The impact of a change with these sides.
    pub fn between(old: Side, new: Side) -> Impact {
        // Which of the addresses outside are looked at depends on every rule there is: where both sides tell the same apart, they are the same.
        let same = old.bounds == new.bounds && old.regions == new.regions && !old.led_out && !new.led_out;
        let outside = old.outside.into_iter().chain(new.outside).filter(|_| !same);
        let ends = old.touched.zip(new.touched).map(|(old, new)| old.into_iter().chain(new).chain(outside).collect());
        Impact { ends }
    }

    /// The ends of which one is in every pair that may move; `None`: any pair may. Ends are those that [`reach::rows`](crate::explain::reach::rows) lists.
    pub fn ends(&self) -> Option<&FxHashSet<End>> {
        self.ends.as_ref()
    }

    /// Whether what gets from one end to another may differ between the sides, whose interfaces and machines are those of `index`.
    pub fn moves(&self, index: &Index, from: End, to: End) -> bool {
        let Some(ends) = &self.ends else { return true };
        let moved = |end: End| match end {
            End::Machine(machine) => index.nics_by_machine.get(machine).iter().any(|row| ends.contains(&End::Nic(row.nic))),
            End::Nic(_) | End::Store(..) | End::External(_) | End::Internet(None) | End::Site(_) => ends.contains(&end),
            _ => true,
        };
        moved(from) || moved(to)
    }
}

struct Touched<'i> {
    index: &'i Index,
    /// Every address that a route names as its next hop.
    hops: BTreeSet<IpAddr>,
    ends: FxHashSet<End>,
}

impl Touched<'_> {
    /// Adds what one fact can move; `None` where that may be anything.
    fn by(&mut self, fact: &Fact) -> Option<()> {
        match fact {
            // Nothing of what gets through depends on them.
            Fact::Tag(_) | Fact::Property(_) | Fact::Label(_) => Some(()),
            // What was not understood of a record makes it doubtful (M-03).
            Fact::Gap(_) => self.names(),
            Fact::UnreadRule(row) if self.index.store.has(row.holder) => self.store(row.holder),
            // Any store may be a member of a perimeter, or be looked up by a ruleset.
            Fact::UnreadRule(_) => self.names(),
            Fact::Nsg(row) => self.group(row.nsg),
            // A rule of one group tells that of another that lists none there is none (M-03).
            Fact::NsgRule(_) if !self.index.unlisted.is_empty() => None,
            Fact::NsgRule(row) => self.group(row.nsg),
            Fact::SubnetNsg(row) => self.subnet(row.subnet),
            Fact::NicNsg(row) => self.interface(row.nic),
            Fact::StoreAccess(row) => self.store(row.store),
            Fact::StoreSwitch(row) => self.store(row.store),
            Fact::StoreIpRule(row) => self.store(row.store),
            Fact::StoreSubnetRule(row) => self.store(row.store),
            // One of another store tells that such children were exported (M-03).
            Fact::StoreRuleSet(_) => self.stores(),
            Fact::StoreResourceRule(row) => self.store(row.store),
            Fact::StoreOutboundRule(row) => self.store(row.store),
            Fact::StoreCopyScope(row) => self.store(row.store),
            Fact::StoreCrossTenant(row) => self.store(row.store),
            Fact::StoreExportOff(row) => self.store(row.store),
            Fact::PrivateEndpointConnection(row) => self.consent(row.endpoint, row.target, row.group),
            Fact::ProviderConnection(row) => self.consent(row.endpoint, row.target, Sym::EMPTY),
            Fact::ZoneSize(_) | Fact::ZoneLink(_) | Fact::ZoneRecord(_) | Fact::ZoneGroup(_) | Fact::ZoneGroupRecord(_) => self.names(),
            // Connections are children of a store as well, and names hang together by them.
            Fact::ChildType(row) if self.index.store.has(row.parent) => self.names(),
            Fact::ChildType(row) if self.index.nsg.has(row.parent) => Some(()),
            _ => None,
        }
    }

    /// What a network security group filters.
    fn group(&mut self, nsg: Sym) -> Option<()> {
        let index = self.index;
        index.subnets_by_nsg.get(nsg).iter().try_for_each(|row| self.subnet(row.subnet))?;
        index.nics_by_nsg.get(nsg).iter().try_for_each(|row| self.interface(row.nic))
    }

    /// What stands in a subnet whose filter changes.
    fn subnet(&mut self, subnet: Sym) -> Option<()> {
        let index = self.index;
        let devices = index.devices_by_subnet.has(subnet) || index.device_addresses.rows().any(|row| row.subnet == subnet);
        let gateways = index.gateways_by_subnet.has(subnet) || index.load_balancer_frontends_by_subnet.has(subnet);
        let answers =
            index.dns_inbound.rows().any(|row| row.subnet == subnet) || index.private_link_nat.rows().any(|row| row.subnet == subnet);
        if devices || gateways || answers {
            return None;
        }
        for endpoint in index.private_endpoints_by_subnet.get(subnet) {
            for connection in index.private_endpoint_connections.get(endpoint.endpoint) {
                self.parts(private_link::target(index, connection.target));
            }
        }
        // A DNS server that is only described may stand here.
        if !self.dns_servers_are_azure() {
            self.names()?;
        }
        index.ip_configs_by_subnet.get(subnet).iter().try_for_each(|config| self.interface(config.nic))
    }

    /// An interface whose filter changes.
    fn interface(&mut self, nic: Sym) -> Option<()> {
        let index = self.index;
        let configs = index.ip_configs_by_nic.get(nic);
        let addresses: Vec<IpAddr> =
            configs.iter().flat_map(|config| index.ip_config_address.get(config.ip_config)).map(|row| row.address).collect();
        // Who has no known address may have any.
        let addressed = addresses.len() == configs.len();
        let forwards = index.nic.one(nic).is_none_or(|row| row.forwarding) || index.appliance.has(nic);
        let is_hop = addresses.iter().any(|ip| self.hops.contains(ip)) || !addressed && !self.hops.is_empty();
        let listed = |config: &IpConfig| {
            let instances = index.instances_by_config.get(config.ip_config).iter().map(|row| row.instance);
            instances.chain([config.ip_config]).any(|name| index.ip_config_pools.has(name))
        };
        let pooled = configs.iter().any(|config| listed(config) || index.ip_config_links.has(config.ip_config))
            || addresses.iter().any(|ip| index.load_balancer_pools_by_address.has(*ip))
            || !addressed && !index.load_balancer_addresses.is_empty();
        let leads = || index.load_balancer_frontend.rows().any(|row| row.address.is_none_or(|ip| self.hops.contains(&ip)));
        let is_behind_hop = pooled && (!self.hops.is_empty() && leads() || !index.gateway_chain.is_empty());
        // Next hops that are no addresses, and names that a firewall looks up for others.
        let unclear = !index.hub_routes.is_empty() || !index.firewall_dns_proxy.is_empty();
        if forwards || is_hop || is_behind_hop || unclear {
            return None;
        }
        // Who asks a DNS server for names may get to it or not.
        if !self.dns_servers_are_azure() {
            self.names()?;
        }
        self.ends.insert(End::Nic(nic));
        Some(())
    }

    fn dns_servers_are_azure(&self) -> bool {
        let index = self.index;
        let own = index.vnet_dns.rows().map(|row| row.server).chain(index.nic_dns.rows().map(|row| row.server));
        let own = own.chain(index.firewall_dns_servers.rows().map(|row| row.server));
        own.into_iter().all(|server| net::host(server) == platform_address())
            && index.forwarding_targets.is_empty()
            && index.dns_server.is_empty()
    }

    /// What gets to a store.
    fn store(&mut self, store: Sym) -> Option<()> {
        self.parts(store);
        Some(())
    }

    fn parts(&mut self, store: Sym) {
        self.ends.extend(self.index.store_parts.get(store).iter().map(|row| End::Store(row.store, row.part, row.instance)));
    }

    /// What gets over a private endpoint.
    fn consent(&mut self, endpoint: Sym, target: Sym, group: Sym) -> Option<()> {
        let index = self.index;
        let store = private_link::target(index, target);
        let taken =
            |ip: &IpAddr| self.hops.contains(ip) || index.ip_configs_by_address.get(*ip).iter().any(|row| self.is_machine(row.ip_config));
        if !index.store.has(store) || private_endpoint::addresses(index, endpoint, group).iter().any(taken) {
            return None;
        }
        // What a name resolves to, and which endpoint is for it, may hang together for several stores.
        self.names()
    }

    fn is_machine(&self, config: Sym) -> bool {
        self.index.ip_config.one(config).is_none_or(|row| self.index.is_attached(row.nic))
    }

    /// What clients look up: every store. Firewalls look names up too.
    fn names(&mut self) -> Option<()> {
        let index = self.index;
        if !index.azure_firewall.is_empty() {
            return None;
        }
        self.stores()
    }

    fn stores(&mut self) -> Option<()> {
        self.ends.extend(self.index.store_parts.rows().map(|row| End::Store(row.store, row.part, row.instance)));
        Some(())
    }
}

fn hops(index: &Index) -> BTreeSet<IpAddr> {
    let routes = index.routes.rows().filter_map(|row| row.hop_address);
    let seen = index.observed_route.rows().filter_map(|row| row.address);
    let managed = index.routing_rules.rows().filter_map(|row| row.hop_address);
    routes.chain(seen).chain(managed).chain(index.hub_connection_routes.rows().map(|row| row.address)).collect()
}
