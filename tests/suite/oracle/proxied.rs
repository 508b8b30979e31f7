//! What is taken at a public address and passed on to a machine as a flow of its own, naively (IN-08).

use std::net::IpAddr;

use watertight::facts::network::{Device, DeviceKind, IpConfig, ProxyRule};
use watertight::model::{Proto, Stage, Sym, Verdict, Via, ids};

use super::Ask;
use super::dns::{Answer, View};
use super::ends::Start;
use super::filter::Place;
use super::packet::{Addr, Outcome, all_of, any_of};
use super::walk::Target;
use super::world::{World, name_of};

const GATEWAY: &str = "microsoft.network/applicationgateways";
const FIREWALL: &str = "microsoft.network/azurefirewalls";
const BALANCER: &str = "microsoft.network/loadbalancers";

/// One thing that may happen to a request: taken at a port (0: any), sent to the machine itself or to an address in front of it, at a port (0: any); and whether
/// it happens to every request that comes there.
type Course = (u16, Option<IpAddr>, u16, bool);

/// The ends of names that only Azure gives away.
const AZURE: [&str; 5] = [".windows.net", ".azure.net", ".azure.com", ".azurewebsites.net", ".azurecr.io"];

impl World<'_> {
    pub fn in_by_proxies(&self, start: Start, client: IpAddr, config: &IpConfig, ask: &Ask) -> Vec<Outcome> {
        let mut ways = Vec::new();
        for (device, public_ip) in self.request_takers() {
            for course in self.courses(device, public_ip, config) {
                let there = self.taken_at(device, public_ip, course.0, start, client, ask);
                if there.verdict == Verdict::Denied {
                    ways.push(there);
                    continue;
                }
                // The gateway stands at one of the addresses of its subnet, and nobody says at which.
                let always = course.3 && self.sent_on(device, course, config, ask, true).verdict == Verdict::Allowed;
                let on = self.sent_on(device, course, config, ask, false);
                let mut on = if always { on } else { on.doubted(Stage::Appliance, name_of(device), "W-L7") };
                if always && there.verdict != Verdict::Allowed {
                    on = on.doubted(Stage::Appliance, name_of(device), "W-L7");
                }
                on.stages.extend(there.stages);
                ways.push(on.joined_if_open(Via::Appliance));
            }
        }
        let mut named: Vec<&str> = Vec::new();
        for holder in &self.public_ip_holders {
            let of = ids::parent_id(holder.holder.as_str()).unwrap_or_default();
            let unseen = self.is_of(of, BALANCER) && !self.balancers.iter().any(|b| b.balancer.as_str() == of);
            // Where the load balancer is seen, its frontend may not be.
            let lost = !unseen && self.hidden_frontends().any(|id| id == holder.holder);
            let (id, unseen) = if lost { (holder.holder.as_str(), true) } else { (of, unseen) };
            if !unseen || !self.public_ips.iter().any(|p| p.public_ip == holder.public_ip) {
                continue;
            }
            named.push(id);
            let known = self.public_addresses_of(holder.public_ip);
            if known.first().map_or(client.is_ipv4(), |a| a.is_ipv4() == client.is_ipv4()) {
                let packet = self.packet(start, Addr::SomePublic, None, ask);
                let walk = self.walker(start, Target::Config(config.ip_config), ask);
                let arrived = walk.arrive_at_instance(holder.public_ip, config.ip_config, packet);
                ways.push(arrived.doubted(Stage::LoadBalancer, name_of(Sym::new(id)), "W-MISSING").joined_if_open(Via::LoadBalancer));
            }
        }
        // One that no address names may have any.
        let unseen = self.resources.iter().filter(|r| r.kind.as_str() == BALANCER).map(|r| r.id);
        let unseen = unseen.filter(|id| !self.balancers.iter().any(|b| b.balancer == *id)).chain(self.hidden_frontends());
        for id in unseen.filter(|id| !named.contains(&id.as_str())) {
            let nowhere = Sym::new("an-address-of-nobody");
            if self.has_family(nowhere, client.is_ipv4(), self.inside_v4(config.ip_config)).hi() {
                let packet = self.packet(start, Addr::SomePublic, None, ask);
                let walk = self.walker(start, Target::Config(config.ip_config), ask);
                let arrived = walk.arrive_at_instance(nowhere, config.ip_config, packet);
                ways.push(arrived.doubted(Stage::LoadBalancer, name_of(id), "W-MISSING").joined_if_open(Via::LoadBalancer));
            }
        }
        ways
    }

    /// Frontends of which the input holds no more than that they are there.
    pub fn hidden_frontends(&self) -> impl Iterator<Item = Sym> {
        let rows = self.resources.iter().filter(|r| r.kind.as_str() == "microsoft.network/loadbalancers/frontendipconfigurations");
        rows.map(|r| r.id).filter(|id| self.front(*id).is_none())
    }

    fn is_of(&self, id: &str, kind: &str) -> bool {
        ids::id_type(id).is_some_and(|of| of == kind)
    }

    /// Whether everything is told of an application gateway.
    fn is_told(&self, device: Sym) -> bool {
        let mut rows = self.devices.iter().filter(|d| d.device == device).peekable();
        rows.peek().is_some() && rows.all(|d| d.kind == DeviceKind::ApplicationGateway)
    }

    /// Whether it is an application gateway, or may be something that takes requests as well: of which not everything could be read.
    pub fn takes_requests(&self, device: &Device) -> bool {
        let id = device.device.as_str();
        let hidden = (self.is_of(id, GATEWAY) || self.is_of(id, FIREWALL)) && !self.is_firewall(device.device);
        device.kind == DeviceKind::ApplicationGateway || hidden
    }

    /// What takes requests, with each of its public addresses; the empty one where it may have some.
    fn request_takers(&self) -> Vec<(Sym, Sym)> {
        let claims = |device: Sym| self.device_public_ips.iter().filter(move |d| d.device == device).map(|d| d.public_ip);
        let mut all = Vec::new();
        for holder in &self.public_ip_holders {
            let id = ids::parent_id(holder.holder.as_str()).unwrap_or_default();
            let takes = self.is_of(id, GATEWAY) || self.is_of(id, FIREWALL);
            if takes && !claims(Sym::new(id)).any(|own| own == holder.public_ip) {
                all.push((Sym::new(id), holder.public_ip));
            }
        }
        let named = all.clone();
        for row in &self.devices {
            if !self.takes_requests(row) {
                continue;
            }
            all.extend(claims(row.device).map(|own| (row.device, own)));
            if !self.is_told(row.device) && claims(row.device).next().is_none() && !named.iter().any(|(of, _)| *of == row.device) {
                all.push((row.device, Sym::EMPTY));
            }
        }
        all.sort();
        all.dedup();
        all
    }

    fn courses(&self, device: Sym, public_ip: Sym, config: &IpConfig) -> Vec<Course> {
        let rules: Vec<&ProxyRule> = self.proxy_rules.iter().filter(|r| r.device == device).collect();
        if rules.is_empty() || !self.is_told(device) {
            return vec![(0, None, 0, false)];
        }
        let here = rules.into_iter().filter(|r| r.public_ip == public_ip || (r.public_ip.is_empty() && r.address.is_none()));
        let each = here.flat_map(|rule| {
            let mut called = Vec::new();
            let names = self.instances_of(config.ip_config);
            let is_it = |name: Sym| name == config.ip_config || names.contains(&name);
            let listed = self.config_proxy_pools.iter().any(|m| is_it(m.ip_config) && m.pool == rule.pool);
            if rule.pool.is_empty() || listed {
                called.push(None);
            }
            for member in self.proxy_members.iter().filter(|m| m.pool == rule.pool && !rule.pool.is_empty()) {
                match member.address {
                    Some(address) => called.extend(self.met_at(address, config)),
                    None if member.host.is_empty() => called.push(None),
                    None => match self.name_at(device, member.host.as_str()) {
                        Some(addresses) => called.extend(addresses.into_iter().filter_map(|address| self.met_at(address, config))),
                        None => called.push(None),
                    },
                }
            }
            let of = |p: &watertight::facts::network::ProxyPass| {
                (p.device, p.public_ip, p.address, p.port, p.pool) == (rule.device, rule.public_ip, rule.address, rule.port, rule.pool)
            };
            let mine = |ip: IpAddr| self.config_addresses.iter().any(|a| a.ip_config == config.ip_config && a.address == ip);
            let addressed = self.proxy_members.iter().any(|m| m.pool == rule.pool && m.address.is_some_and(mine));
            let has_one = self.config_addresses.iter().any(|a| a.ip_config == config.ip_config);
            let always = self.proxy_passes.iter().any(of) && (listed && has_one || addressed);
            called.into_iter().map(move |called| (rule.port, called, rule.backend_port, always && called.is_none()))
        });
        each.collect()
    }

    /// What a name leads to in the network of the device.
    fn name_at(&self, device: Sym, name: &str) -> Option<Vec<IpAddr>> {
        let room = self.rooms_of(device).into_iter().find(|room| self.vnet_of(*room).is_some())?;
        let place = Place { subnet: room, nic: None, endpoint: None };
        let ip = self.free_addresses(room).first().copied()?;
        match self.resolve(View::Inside { place, config: Some(Sym::EMPTY), ip }, name) {
            Answer::Addresses(addresses) => Some(addresses),
            // Who publishes a name is not known, unless it is of one of Azure's services.
            Answer::Public(None) | Answer::Unknown("name") if AZURE.iter().any(|suffix| name.ends_with(suffix)) => Some(Vec::new()),
            Answer::Public(None) | Answer::Unknown(_) | Answer::Nothing("servfail") => None,
            Answer::Public(Some(_)) | Answer::Nothing(_) => Some(Vec::new()),
        }
    }

    /// How whoever calls the address gets to the machine.
    fn met_at(&self, address: IpAddr, config: &IpConfig) -> Option<Option<IpAddr>> {
        let own: Vec<IpAddr> = self.config_addresses.iter().filter(|a| a.ip_config == config.ip_config).map(|a| a.address).collect();
        if own.contains(&address) || own.is_empty() && self.subnet_space(config.subnet).iter().any(|p| p.contains(&address)) {
            return Some(None);
        }
        let claimed = self.config_public_ips.iter().filter(|p| p.ip_config == config.ip_config).map(|p| p.public_ip);
        let public = claimed.chain(self.unclaimed_by(config.ip_config)).flat_map(|public_ip| self.public_addresses_of(public_ip));
        let fronts = self.frontends_before(config.ip_config).into_iter().filter_map(|frontend| self.front(frontend));
        let fronts = fronts.filter_map(|f| f.address.or_else(|| self.public_addresses_of(f.public_ip).first().copied()));
        public.chain(fronts).any(|ip| ip == address).then_some(Some(address))
    }

    fn rooms_of(&self, device: Sym) -> Vec<Sym> {
        let mut rooms: Vec<Sym> = self.devices.iter().filter(|d| d.device == device).map(|d| d.subnet).collect();
        rooms.extend(self.device_addresses.iter().filter(|a| a.device == device).map(|a| a.subnet));
        rooms.retain(|room| !room.is_empty());
        Sym::sort(&mut rooms);
        rooms.dedup();
        rooms
    }

    /// Whether the client gets a request to the port of the public address.
    fn taken_at(&self, device: Sym, public_ip: Sym, port: u16, start: Start, client: IpAddr, ask: &Ask) -> Outcome {
        let unknown = || Outcome::unproven(Stage::Appliance, name_of(device), "W-MISSING");
        let listens: Vec<u16> = self.listeners.iter().filter(|l| l.device == device).map(|l| l.port).collect();
        let known = self.public_addresses_of(public_ip);
        if public_ip.is_empty() || known.is_empty() && listens.is_empty() {
            return unknown();
        }
        let ports = if port == 0 { listens.into_iter().chain([1]).collect() } else { vec![port] };
        let mut each = Vec::new();
        for dport in ports {
            let ask = Ask { proto: Proto::Tcp, dport, sport: None, ..*ask };
            let Some(&ip) = known.first() else {
                let packet = self.packet(start, Addr::SomePublic, None, &ask);
                let walk = self.walker(start, Target::Address, &ask);
                each.push(walk.at_proxy(device, &|l| l.public_ip == public_ip, packet, Via::Public));
                continue;
            };
            if ip.is_ipv4() == client.is_ipv4() {
                each.push(self.to_address(start, Target::Address, ip, &ask));
            }
        }
        any_of(each)
    }

    /// Whether what the device sends on arrives at the machine, from some address of its subnet or from `every` one.
    fn sent_on(&self, device: Sym, (_, called, port, _): Course, config: &IpConfig, ask: &Ask, every: bool) -> Outcome {
        let requests = !self.is_of(device.as_str(), FIREWALL);
        let fits = called.is_some() || port == 0 || port == ask.dport;
        if requests && ask.proto != Proto::Tcp || !fits || !matches!(ask.proto, Proto::Tcp | Proto::Udp) {
            return Outcome::denied(Stage::Appliance, name_of(device));
        }
        let mut ports = vec![port];
        if port == 0 {
            ports = self.balancing_rules.iter().map(|r| r.frontend_port).chain(self.nat_rules.iter().map(|r| r.first_port)).collect();
            ports.push(ask.dport);
        }
        let targets = called.map_or_else(|| self.possible_addresses(config.ip_config, config.subnet), |address| vec![address]);
        let mut all = Vec::new();
        for to in targets {
            let mut each = Vec::new();
            for room in self.rooms_of(device) {
                let place = Place { subnet: room, nic: None, endpoint: None };
                for ip in self.free_addresses(room).into_iter().filter(|ip| ip.is_ipv4() == to.is_ipv4()) {
                    let from = Start::Inside { place, config: Some(Sym::EMPTY), ip };
                    let target = Target::Config(config.ip_config);
                    for &dport in if called.is_some() { &ports[..] } else { std::slice::from_ref(&ask.dport) } {
                        let ask = Ask { dport, sport: None, ..*ask };
                        each.push(self.walk(from, target, Addr::Known(to), Some(config.ip_config), &ask));
                    }
                }
            }
            all.push(match each.is_empty() {
                true => Outcome::unproven(Stage::Appliance, name_of(device), "W-MISSING"),
                false if every => all_of(each),
                false => any_of(each),
            });
        }
        all_of(all)
    }
}
