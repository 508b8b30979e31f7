//! What takes requests at public addresses and opens flows of its own to machines: application gateways, and firewalls and load balancers of which the
//! input holds too little (IN-08, SND-01).

use std::net::IpAddr;

use crate::explain::packet::Host;
use crate::facts::network::{DeviceKind, ProxyRule};
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Sym, ids};
use crate::rules::dns::{self, Answer, Reach, View, names};

use super::World;

/// A device that takes flows at its addresses and opens others.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The device.
    pub device: Sym,
    /// Its public addresses; the empty one where it may have some that the input does not tell.
    pub public_ips: Vec<Sym>,
    /// The subnets it stands in, sorted.
    pub rooms: Vec<Sym>,
    /// To whom it passes on what; nothing where it may be anybody.
    rules: Vec<ProxyRule>,
    /// What it passes on.
    pub carries: Set,
}

/// That a proxy may pass on to a machine what it takes at one of its public addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The public address; empty: one that the input does not tell.
    pub public_ip: Sym,
    /// What it must be sent there.
    pub taken: Set,
    /// The address that it calls; `None` for the machine's own.
    pub called: Option<IpAddr>,
    /// What it sends there.
    pub sent: Set,
    /// Whatever it takes goes to the pool, and the machine is surely a member.
    pub certain: bool,
}

/// What takes flows at public addresses and opens others.
const TAKERS: [&str; 2] = ["microsoft.network/applicationgateways", "microsoft.network/azurefirewalls"];
const BALANCER: &str = "microsoft.network/loadbalancers";
const FRONTEND: &str = "microsoft.network/loadbalancers/frontendipconfigurations";

impl World<'_> {
    /// Application gateways and firewalls that do not say themselves that they have the public addresses which name them: they are not in the input,
    /// or without a body. Each with such an address.
    pub fn takers_named(&self) -> Vec<(Sym, Sym)> {
        let says = |device: Sym, public_ip: Sym| self.index.device_public_ips.get(device).iter().any(|row| row.public_ip == public_ip);
        self.holders().filter(|(device, public_ip)| is_taker(*device) && !says(*device, *public_ip)).collect()
    }

    /// What public addresses say who has them, each with the address.
    fn holders(&self) -> impl Iterator<Item = (Sym, Sym)> {
        self.index.public_ip_holder.rows().filter_map(|row| Some((Sym::new(ids::parent_id(row.holder.as_str())?), row.public_ip)))
    }

    /// The load balancers of which the input holds no more than that they are there, if that, each with a public address that names it, or with one that is not
    /// told where none does, sorted: anybody may be in a pool of theirs (IN-06). A frontend of which that is so counts as
    /// one.
    pub fn hidden_balancers(&self) -> &[(Sym, Sym)] {
        let index = self.index;
        self.hidden_balancers.get_or_init(|| {
            let is_balancer = |id: Sym| ids::id_type(id.as_str()).is_some_and(|kind| kind == BALANCER);
            let is_hidden_frontend =
                |id: Sym| index.resource.one(id).is_some_and(|row| row.kind.as_str() == FRONTEND) && !index.load_balancer_frontend.has(id);
            let mut found: Vec<(Sym, Sym)> = self
                .holders()
                .filter(|(id, public_ip)| is_balancer(*id) && !index.load_balancer.has(*id) && index.public_ip.has(*public_ip))
                .collect();
            let by_frontend = index.public_ip_holder.rows().map(|row| (row.holder, row.public_ip));
            found.extend(by_frontend.filter(|(id, public_ip)| is_hidden_frontend(*id) && index.public_ip.has(*public_ip)));
            let of_kind = |kind: &str| index.resources_by_kind.get(Sym::new(kind)).iter().map(|row| row.id);
            let balancers = of_kind(BALANCER).filter(|id| !index.load_balancer.has(*id));
            let unnamed = balancers.chain(of_kind(FRONTEND).filter(|id| !index.load_balancer_frontend.has(*id)));
            let unnamed = unnamed.filter(|id| !found.iter().any(|(named, _)| named == id));
            let unnamed: Vec<(Sym, Sym)> = unnamed.map(|id| (id, ids::unknown(id, "publicIPAddress"))).collect();
            found.extend(unnamed);
            found.sort_by_key(|(id, public_ip)| (id.as_str(), public_ip.as_str()));
            found
        })
    }

    /// What takes requests at public addresses and passes them on, sorted by id.
    pub fn proxies(&self) -> &[Proxy] {
        self.proxies.get_or_init(|| {
            let index = self.index;
            let named = self.takers_named();
            let hidden = |device: Sym| is_taker(device) && !index.azure_firewall.has(device);
            let rows = index.device.rows();
            let takes = |kind| kind == DeviceKind::ApplicationGateway;
            let mut devices: Vec<Sym> = rows.filter(|row| takes(row.kind) || hidden(row.device)).map(|row| row.device).collect();
            devices.extend(named.iter().map(|(device, _)| *device));
            Sym::sort(&mut devices);
            devices.dedup();
            devices.into_iter().map(|device| self.proxy(device, &named)).collect()
        })
    }

    fn proxy(&self, device: Sym, named: &[(Sym, Sym)]) -> Proxy {
        let index = self.index;
        let rows = index.device.get(device);
        let told = !rows.is_empty() && rows.iter().all(|row| row.kind == DeviceKind::ApplicationGateway);
        let own = index.device_public_ips.get(device).iter().map(|row| row.public_ip);
        let mut public_ips: Vec<Sym> = own.chain(named.iter().filter(|(of, _)| *of == device).map(|(_, public_ip)| *public_ip)).collect();
        if public_ips.is_empty() && !told {
            public_ips.push(Sym::EMPTY);
        }
        let mut rooms: Vec<Sym> = rows.iter().map(|row| row.subnet).collect();
        rooms.extend(index.device_addresses.get(device).iter().map(|row| row.subnet));
        rooms.retain(|subnet| !subnet.is_empty());
        for list in [&mut public_ips, &mut rooms] {
            Sym::sort(list);
            list.dedup();
        }
        let rules = if told { index.proxy_rules.get(device).to_vec() } else { Vec::new() };
        let requests = ids::id_type(device.as_str()).is_none_or(|kind| kind != TAKERS[1]);
        Proxy { device, public_ips, rooms, rules, carries: if requests { Set::tcp() } else { Set::tcp_udp() } }
    }

    /// How the proxy may come to pass on to the machine at `host` what it takes at its public addresses.
    pub fn passages(&self, proxy: &Proxy, host: &Host) -> Vec<Passage> {
        let mut found: Vec<Passage> = Vec::new();
        let mut add = |passage: Passage| match found.iter_mut().find(|known| {
            (known.public_ip, known.called, known.sent, known.certain) == (passage.public_ip, passage.called, passage.sent, passage.certain)
        }) {
            Some(known) => known.taken = known.taken.or(passage.taken),
            None => found.push(passage),
        };
        for &public_ip in &proxy.public_ips {
            if proxy.rules.is_empty() {
                add(Passage { public_ip, taken: proxy.carries, called: None, sent: proxy.carries, certain: false });
            }
            let here = |rule: &&ProxyRule| rule.public_ip == public_ip || rule.public_ip.is_empty() && rule.address.is_none();
            for rule in proxy.rules.iter().filter(here) {
                for called in self.called(proxy, rule.pool, host) {
                    let certain = called.is_none() && self.passes_to(rule, host);
                    add(Passage { public_ip, taken: at_port(rule.port), called, sent: at_port(rule.backend_port), certain });
                }
            }
        }
        found.sort_by_key(|passage| (passage.public_ip.as_str(), passage.called, passage.sent.to_string()));
        found
    }

    /// Whether whatever comes to the listener of the rule goes to a pool of which the machine at `host` is surely a member.
    fn passes_to(&self, rule: &ProxyRule, host: &Host) -> bool {
        let index = self.index;
        let at =
            |(public_ip, address, port, pool)| (public_ip, address, port, pool) == (rule.public_ip, rule.address, rule.port, rule.pool);
        let passes = index.proxy_passes.get(rule.device).iter().any(|row| at((row.public_ip, row.address, row.port, row.pool)));
        let told = index.ip_config_address.get(host.ip_config).iter().any(|row| row.address == host.ip);
        let listed = index.ip_config_proxy_pools.get(host.ip_config).iter().any(|row| row.pool == rule.pool);
        let addressed = index.proxy_members.get(rule.pool).iter().any(|row| row.address == Some(host.ip));
        passes && told && (listed || addressed)
    }

    /// Whether the device may pass on to the machine at `host` what it takes, wherever it takes it. Of what is no proxy nothing is known.
    pub fn may_pass_to(&self, device: Sym, host: &Host) -> bool {
        let proxy = self.proxies().iter().find(|proxy| proxy.device == device);
        proxy.is_none_or(|proxy| proxy.rules.is_empty() || proxy.rules.iter().any(|rule| !self.called(proxy, rule.pool, host).is_empty()))
    }

    /// The addresses by which the proxy reaches the machine as a member of the pool: `None` for the machine's own.
    fn called(&self, proxy: &Proxy, pool: Sym, host: &Host) -> Vec<Option<IpAddr>> {
        let index = self.index;
        let names = || self.names_of(host.ip_config).flat_map(|name| index.ip_config_proxy_pools.get(name));
        let listed = names().any(|row| row.pool == pool);
        if pool.is_empty() || listed && !host.ip_config.is_empty() {
            return vec![None];
        }
        let mut found = Vec::new();
        for member in index.proxy_members.get(pool) {
            match (member.address, member.host.as_str()) {
                (Some(address), _) => found.extend(self.by_address(address, host)),
                (None, "") => found.push(None),
                (None, name) => match self.called_by_name(proxy, name) {
                    None => found.push(None),
                    Some(addresses) => found.extend(addresses.into_iter().filter_map(|address| self.by_address(address, host))),
                },
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How whoever calls the address gets to the machine; nothing where it does not.
    fn by_address(&self, address: IpAddr, host: &Host) -> Option<Option<IpAddr>> {
        let index = self.index;
        let dynamic = !host.ip_config.is_empty() && !index.ip_config_address.has(host.ip_config);
        let perhaps = || index.subnet_prefixes.get(host.subnet).iter().any(|row| row.prefix.contains(&address));
        if address == host.ip || dynamic && perhaps() {
            return Some(None);
        }
        let claimed = index.ip_config_public_ip.get(host.ip_config).iter().map(|row| row.public_ip);
        let held = self.names_of(host.ip_config).flat_map(|name| index.public_ips_by_holder.get(name)).map(|row| row.public_ip);
        let public =
            claimed.chain(held.filter(|_| !host.ip_config.is_empty())).filter_map(|public_ip| index.public_ip_address.one(public_ip));
        let before = || self.addresses_before(host).contains(&address);
        (public.map(|row| row.address).any(|ip| ip == address) || before()).then_some(Some(address))
    }

    /// What a name leads to where the proxy stands; `None` where that is not known.
    fn called_by_name(&self, proxy: &Proxy, name: &str) -> Option<Vec<IpAddr>> {
        let vnet = proxy.rooms.iter().map(|room| self.vnet_of(*room)).find(|vnet| !vnet.is_empty())?;
        let view = View::Vnet { vnet, nic: Sym::EMPTY };
        let found = dns::resolve(self.index, self.platform, &|_| Reach::Open, &view, name);
        let name = names::normal(name);
        // A name of one of Azure's services leads to its front end; any other public name to whoever published it, which may be one of the machines.
        let of_azure = || names::of_azure(self.platform, &name) || !names::holders(self.index, self.platform, &name).is_empty();
        let own_servers = || self.index.vnet_dns.has(vnet);
        let settled = match found.answer {
            Answer::Addresses | Answer::NxDomain | Answer::NoData => true,
            Answer::Public => of_azure(),
            Answer::Unknown => found.decider.is_empty() && !own_servers() && of_azure(),
            Answer::ServFail => false,
        };
        settled.then_some(found.addresses)
    }
}

fn is_taker(device: Sym) -> bool {
    ids::id_type(device.as_str()).is_some_and(|kind| TAKERS.contains(&kind.as_str()))
}

/// TCP to the port, or to any where it is not told.
fn at_port(port: u16) -> Set {
    if port == 0 { Set::tcp() } else { Set::of(Proto::Tcp, (port, port), ANY_PORT) }
}
