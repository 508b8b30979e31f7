//! Whether a client gets through to a DNS server (DNS-05, decision 4).

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::packet::{Host, Packet, Seen};
use crate::explain::point::to_platform;
use crate::explain::services::From;
use crate::explain::walk::{Home, Target, Trail, Walk};
use crate::explain::way::{Step, Way};
use crate::explain::world::{Owners, World};
use crate::model::traffic::{ANY_PORT, Ports};
use crate::model::{Proto, Set, Span, Sym, Via};
use crate::rules::dns::Reach;

/// The port of DNS.
const DNS_PORT: Ports = (53, 53);

/// Whether queries from a place get through to `server`; `site` is whose packets come in where the place is a site's.
pub fn reach(world: &World<'_>, from: &From, site: Sym, server: IpAddr) -> Reach {
    match from {
        From::Outside => Reach::Open,
        From::Host(host) => from_host(world, host, server),
        // What else a site sends is its own matter.
        From::Site(_) if !is_modelled(world, server) => Reach::Open,
        From::Site(entrances) => from_site(world, site, entrances, server),
    }
}

/// The same for any machine in a network: the best that one of its subnets allows.
pub fn in_network(world: &World<'_>, vnet: Sym, server: IpAddr) -> Reach {
    let subnets = world.index.subnets_by_vnet.get(vnet).iter().map(|row| row.subnet);
    let places = subnets.filter_map(|subnet| Host::first_in(world, subnet));
    let mut best = None;
    for host in places {
        match from_host(world, &host, server) {
            Reach::Open => return Reach::Open,
            Reach::Unclear => best = Some(Reach::Unclear),
            Reach::Lost => best = best.or(Some(Reach::Lost)),
        }
    }
    best.unwrap_or(Reach::Open)
}

/// The point evaluation of a query. A server in a modelled network that it surely does not get to is lost; of another one nobody knows who else leads there.
fn from_host(world: &World<'_>, host: &Host, server: IpAddr) -> Reach {
    let asked = queries(Proto::Udp).or(queries(Proto::Tcp));
    // Azure's own resolver answers on the machine's host: only a rule that names its tag stands between (NSG-11).
    if let Some(way) = to_platform(world, asked, host, server) {
        return judged(way.span(), true);
    }
    if host.ip.is_ipv4() != server.is_ipv4() {
        return Reach::Unclear; // it may have an address of the other family
    }
    let packet = Packet { dst_asgs: world.asgs_at(server), ..Packet::new(Seen::At(host.ip), world.asgs_of(host.ip_config), server) };
    let ways = walk(world, asked, Home::Network(host.vnet), host.ip).from(host, &packet);
    judged(together(&ways), is_modelled(world, server))
}

/// The same from a site, in at any of its gateways.
fn from_site(world: &World<'_>, site: Sym, entrances: &[(Host, Step)], server: IpAddr) -> Reach {
    let asked = queries(Proto::Udp).or(queries(Proto::Tcp));
    let mut ways = Vec::new();
    for (host, connection) in entrances.iter().filter(|(host, _)| host.ip.is_ipv4() == server.is_ipv4()) {
        let packet = Packet { dst_asgs: world.asgs_at(server), ..Packet::new(Seen::At(host.ip), Vec::new(), server) };
        let walk = walk(world, asked, Home::Site(site), host.ip);
        let mut entered = Trail { steps: vec![connection.clone()], via: Some(Via::Gateway), ..Trail::default() };
        entered.steps.extend(walk.advertised(host.subnet, &packet));
        walk.onward(host, &packet, entered, &mut ways);
    }
    if ways.is_empty() && (!entrances.is_empty() || world.hub_site(site).is_some()) {
        return Reach::Unclear;
    }
    judged(together(&ways), true)
}

fn walk<'w, 'a>(world: &'w World<'a>, asked: Set, home: Home, origin: IpAddr) -> Walk<'w, 'a> {
    Walk {
        world,
        asked,
        session: false,
        target: Target::Server,
        home,
        origin: Some(origin),
        sender: Sym::EMPTY,
        sources: RefCell::default(),
    }
}

/// What some way lets through.
fn together(ways: &[Way]) -> Span {
    ways.iter().fold(Span::NONE, |span, way| span.or(way.span()))
}

fn judged(span: Span, modelled: bool) -> Reach {
    let (udp, tcp) = (queries(Proto::Udp), queries(Proto::Tcp));
    if udp.within(span.sure) {
        return Reach::Open;
    }
    // Some clients ask over TCP as well.
    let lost = !span.may.meets(udp) && !span.may.meets(tcp);
    if lost && modelled { Reach::Lost } else { Reach::Unclear }
}

fn is_modelled(world: &World<'_>, server: IpAddr) -> bool {
    world.index.vnet_prefixes.rows().any(|row| row.prefix.contains(&server))
}

fn queries(proto: Proto) -> Set {
    Set::of(proto, DNS_PORT, ANY_PORT)
}

impl Walk<'_, '_> {
    /// A query in the network of its server, where the input has no machine that answers it: a resolver's inbound endpoint, a firewall, or one that a person
    /// describes. Only filters stand before it then. Whether the packet is settled.
    pub fn at_server(&self, owners: &Owners, vnet: Sym, packet: &Packet, trail: &Trail, via: Via, ways: &mut Vec<Way>) -> bool {
        let known = owners.hosts.len() + owners.endpoints.len() + owners.frontends.len() + owners.detached.len();
        let proxies = owners.devices.iter().filter_map(|(device, _)| self.answers_names(*device));
        let firewall = proxies.last();
        let elsewhere = owners.devices.iter().any(|(device, kind)| self.is_proxy(*kind) || self.world.index.azure_firewall.has(*device));
        if known > 0 || elsewhere && firewall.is_none() {
            return false;
        }
        if let Some(answered) = firewall {
            ways.push(trail.clone().and(answered).end(Via::AzureFirewall));
            return true;
        }
        match self.world.subnet_with(vnet, packet.dst) {
            Some(subnet) => self.arrive(&Host::imagined(self.world, subnet, packet.dst), packet, trail.clone(), via, ways),
            None => ways.push(trail.clone().end(via)),
        }
        true
    }
}
