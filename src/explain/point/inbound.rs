//! Flows from the internet: in by public addresses, load balancers and firewalls (IN-01 to IN-11).

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::outsiders;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::walk::{Home, Target, Trail, Walk};
use crate::explain::way::{End, Flow, Kind, Step, Way};
use crate::explain::world::{Outward, World};
use crate::facts::Index;
use crate::facts::network::PublicSku;
use crate::model::{Span, Stage, Sym, Tri, Via, net};
use crate::rules::outbound::PublicSource;

use super::judge::{Pair, Pairs, one};
use super::proxied::{clients, in_by_proxies};
use super::{has_unseen_interfaces, no_address, nowhere, places};

pub(super) fn from_internet(world: &World<'_>, flow: &Flow, source: Option<IpAddr>) -> Pairs {
    let index = world.index;
    let mut out = Pairs::default();
    match flow.to {
        End::Subnet(subnet) => {
            if !index.subnet_prefixes.has(subnet) {
                return one(no_address(world, flow));
            }
            out.groups.extend(in_to_slots(world, flow, source, subnet));
        }
        End::Machine(_) | End::Nic(_) => {
            for (hosts, _) in places(world, flow.to) {
                let Some(first) = hosts.first() else { continue };
                let config = first.ip_config;
                if first.is_nowhere(world) && leads_to_addresses(index) {
                    out.groups.push(vec![vec![nowhere(first)]]);
                }
                for row in index.ip_config_public_ip.get(config) {
                    out.groups.extend(in_by(world, flow, source, &hosts, row.public_ip));
                }
                for public_ip in world.unclaimed(config) {
                    let mut found = in_by(world, flow, source, &hosts, public_ip);
                    found.iter_mut().flatten().flatten().for_each(|way| way.steps.insert(0, says_alone(public_ip, config)));
                    out.groups.extend(found);
                }
                out.groups.extend(in_by_balancers(world, flow, source, &hosts));
                out.groups.extend(in_by_firewalls(world, flow, source, &hosts));
                out.groups.extend(in_by_proxies(world, flow, source, &hosts));
            }
        }
        End::Ip(ip) if net::is_public(ip) && is_private_space(world, ip) => return one(to_private_space(world, ip)),
        End::Ip(ip) | End::Internet(Some(ip)) if net::is_public(ip) => return to_public_literal(world, flow, source, ip),
        End::Internet(None) => {
            let text = "both ends are outside".to_owned();
            return one(Way { via: Via::Public, steps: vec![step(Stage::Delivered, Span::ALL, "outbound.3", text).kind(Kind::Default)] });
        }
        _ => return one(closed("the internet does not lead to a private address", end_id(flow.to))),
    }
    if out.groups.is_empty() {
        let missing = match flow.to {
            End::Machine(machine) => has_unseen_interfaces(index, machine),
            End::Nic(nic) => !index.nic.has(nic),
            _ => false,
        };
        return one(if missing { no_address(world, flow) } else { closed("it has no public address", end_id(flow.to)) });
    }
    out
}

/// Whether something in front of machines leads to addresses: a machine whose address is not known may have one of them (ADR-06).
fn leads_to_addresses(index: &Index) -> bool {
    let proxied = index.proxy_members.rows().any(|row| row.address.is_some());
    proxied || index.load_balancer_addresses.rows().next().is_some() || index.firewall_translation.rows().next().is_some()
}

/// In to a machine that could be placed in a subnet: it has no public address, but something in front may pass on to the address that it gets (ADR-16).
/// Whether it gets that one is not known.
///
/// ```datalog
/// passed_on_to(A) :- load_balancer_address(_, A, _).
/// passed_on_to(A) :- proxy_member(_, A, _).
/// passed_on_to(A) :- firewall_translation(_, A, _, _).
/// perhaps_in(S, A) :- passed_on_to(A), subnet_prefix(S, P), within(A, P), !ip_config_address(_, A).   // inbound.13
/// ```
fn in_to_slots(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, subnet: Sym) -> Vec<Vec<Pair>> {
    let mut out = Vec::new();
    for slot in world.slots(subnet) {
        let text = format!("a machine placed in {} may have the address {}, and any other free one", short(subnet), slot.ip);
        let perhaps = step(Stage::Route, Span::UNKNOWN, "inbound.13", text).by(subnet, slot.ip.to_string()).kind(Kind::Assumption);
        let hosts = [slot];
        let mut found = in_by_balancers(world, flow, source, &hosts);
        found.extend(in_by_firewalls(world, flow, source, &hosts));
        found.extend(in_by_proxies(world, flow, source, &hosts));
        for way in found.iter_mut().flatten().flatten() {
            way.steps.push(perhaps.clone().code("W-MISSING"));
        }
        out.extend(found);
    }
    out
}

/// The doubt about an address that names a configuration which does not name it.
fn says_alone(public_ip: Sym, config: Sym) -> Step {
    let text = format!("public address {} says that it belongs to {}, which does not say so", short(public_ip), short(config));
    step(Stage::Nat, Span::UNKNOWN, "inbound.1", text).by(public_ip, "ipConfiguration").kind(Kind::Assumption).code("W-MISSING")
}

/// In by the public frontends of the load balancers that the places are behind (IN-04, IN-05). The ports asked for are those the machine sees: it is
/// the machine that the flow is to. A pool that is not in the input may be of any load balancer.
fn in_by_balancers(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, hosts: &[Host]) -> Vec<Vec<Pair>> {
    let mut out = Vec::new();
    let Some(first) = hosts.first() else { return out };
    let imagined = first.ip_config.is_empty();
    for frontend in if imagined { world.frontends_before_slot(first) } else { world.frontends_before(first) } {
        let public_ip = world.index.load_balancer_frontend.one(frontend).map_or(Sym::EMPTY, |row| row.public_ip);
        if public_ip.is_empty() {
            continue;
        }
        let to = |client: IpAddr, host: &Host| {
            let walk = internet_walk(world, flow, Target::Host(host.clone()));
            walk.in_by_frontend(frontend, host, &from_client(client, host.ip), &PublicSource::OneOf(vec![net::host(client)]))
        };
        let found = by_clients(world, source, hosts, public_ip, &to);
        out.extend(found.into_iter().filter(|group| group.iter().any(|pair| !pair.is_empty())));
    }
    let missing = if imagined { world.missing_pool_of_slot(first) } else { world.missing_pool(first) };
    if !missing.is_empty() {
        let text = format!("pool {} is not in the input: its load balancer perhaps passes it on", short(missing));
        let unknown = step(Stage::LoadBalancer, Span::UNKNOWN, "inbound.4", text).by(missing, "").kind(Kind::Assumption);
        out.push(vec![vec![Way { via: Via::LoadBalancer, steps: vec![unknown.code("W-MISSING")] }]]);
    }
    out
}

/// In by one public address of the places: one group for each client that makes a difference.
pub(super) fn in_by(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, hosts: &[Host], public_ip: Sym) -> Vec<Vec<Pair>> {
    let index = world.index;
    let sku = index.public_ip.one(public_ip).map_or(PublicSku::Unknown, |row| row.sku);
    let to = |client: IpAddr, host: &Host| {
        let walk = internet_walk(world, flow, Target::Host(host.clone()));
        let mut ways = Vec::new();
        let source = PublicSource::OneOf(vec![net::host(client)]);
        walk.public_in(host, public_ip, sku, &from_client(client, host.ip), &source, Trail::default(), &mut ways);
        ways
    };
    by_clients(world, source, hosts, public_ip, &to)
}

/// One group for each client of a public address that makes a difference to the filters in front of the places.
fn by_clients(
    world: &World<'_>,
    source: Option<IpAddr>,
    hosts: &[Host],
    public_ip: Sym,
    to: &dyn Fn(IpAddr, &Host) -> Pair,
) -> Vec<Vec<Pair>> {
    let mut out = Vec::new();
    let inside = hosts.first().map(|host| host.ip.is_ipv6());
    let rivals = world.one_of_two(public_ip);
    for v6 in [false, true] {
        let fits = world.is_of_family(public_ip, v6, inside);
        if !fits.hi() {
            continue;
        }
        let clients = match (source, hosts.first()) {
            (Some(ip), _) => vec![ip],
            (None, Some(host)) => world.outsiders(&Host { ip: family(v6), ..host.clone() }, Outward::From).to_vec(),
            (None, None) => Vec::new(),
        };
        for client in clients.into_iter().filter(|client| client.is_ipv6() == v6) {
            let mut group: Vec<Pair> = hosts.iter().map(|host| to(client, host)).collect();
            if let Some(doubt) = &rivals {
                group.iter_mut().flatten().for_each(|way| way.steps.insert(0, doubt.clone()));
            }
            if fits == Tri::Maybe {
                group.iter_mut().flatten().for_each(|way| way.steps.insert(0, of_some_family(public_ip)));
            }
            out.push(group);
        }
    }
    out
}

/// The doubt about an address of which nobody knows the family (ADR-14).
fn of_some_family(public_ip: Sym) -> Step {
    let text = format!("public address {} is not known, nor of which family it is", short(public_ip));
    let unknown = step(Stage::Nat, Span::UNKNOWN, "inbound.1", text).by(public_ip, "publicIPAddressVersion");
    unknown.kind(Kind::Assumption).code("W-MISSING")
}

/// In by the NAT rules of Azure Firewalls that lead to the places (IN-11). The ports asked for are those the machine sees.
fn in_by_firewalls(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, hosts: &[Host]) -> Vec<Vec<Pair>> {
    let mut firewalls: Vec<Sym> = world.index.azure_firewall.rows().map(|row| row.firewall).collect();
    firewalls.retain(|firewall| hosts.iter().all(|host| world.firewall_may_lead_to(*firewall, host.ip)));
    Sym::sort(&mut firewalls);
    let mut out = Vec::new();
    for firewall in firewalls {
        let to =
            |client: IpAddr, host: &Host| internet_walk(world, flow, Target::Host(host.clone())).in_by_firewall(firewall, host, client);
        let clients = match source {
            Some(ip) => vec![ip],
            None => outsiders::before_firewalls(world),
        };
        let addresses = world.index.device_public_ips.get(firewall).iter();
        let rivals = addresses.filter_map(|row| world.one_of_two(row.public_ip)).min_by_key(|step| step.text.clone());
        for client in clients.into_iter().filter(IpAddr::is_ipv4) {
            let mut pairs: Vec<Pair> = hosts.iter().map(|host| to(client, host)).collect();
            if let Some(doubt) = &rivals {
                pairs.iter_mut().flatten().for_each(|way| way.steps.insert(0, doubt.clone()));
            }
            if pairs.iter().all(|ways| !ways.is_empty()) {
                out.push(pairs);
            }
        }
    }
    out
}

/// Any address of a family.
fn family(v6: bool) -> IpAddr {
    net::address(0, !v6)
}

pub(super) fn internet_walk<'w, 'a>(world: &'w World<'a>, flow: &Flow, target: Target) -> Walk<'w, 'a> {
    Walk {
        world,
        asked: flow.traffic,
        session: flow.session,
        target,
        home: Home::Internet,
        origin: None,
        sender: Sym::EMPTY,
        sources: RefCell::default(),
    }
}

fn from_client(client: IpAddr, dst: IpAddr) -> Packet {
    Packet::new(Seen::At(client), Vec::new(), dst)
}

pub(super) fn to_public_literal(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, ip: IpAddr) -> Pairs {
    let walk = internet_walk(world, flow, Target::Anyone);
    // One family at a time: nobody sends to an address of the other (ADR-14).
    if source.is_some_and(|source| source.is_ipv6() != ip.is_ipv6()) {
        return one(closed("its addresses are of the other family", Sym::EMPTY));
    }
    let somebody = if ip.is_ipv6() { IpAddr::from([0x2a00, 0, 0, 0, 0, 0, 0, 7]) } else { IpAddr::from([198, 51, 100, 7]) };
    let mut sources = vec![source.unwrap_or(somebody)];
    if source.is_none() {
        for row in world.index.public_ips_by_address.get(ip) {
            for config in world.index.ip_configs_by_public_ip.get(row.public_ip) {
                for host in world.hosts_of_config(config.ip_config) {
                    sources.extend(world.outsiders(&host, Outward::From).iter());
                }
            }
            for frontend in world.frontends_of_public_ip(row.public_ip) {
                for host in world.hosts_behind(frontend) {
                    sources.extend(world.outsiders(&host, Outward::From).iter());
                }
            }
            if world.index.devices_by_public_ip.get(row.public_ip).iter().any(|row| world.index.azure_firewall.has(row.device)) {
                sources.extend(outsiders::before_firewalls(world));
            }
            for device in world.index.devices_by_public_ip.get(row.public_ip).iter().map(|row| row.device) {
                if world.index.listeners.has(device) {
                    sources.extend(clients(world, None, device));
                }
            }
        }
        sources.retain(|source| source.is_ipv6() == ip.is_ipv6());
        sources.sort_unstable();
        sources.dedup();
    }
    let mut out = Pairs::default();
    for client in sources {
        let mut ways = Vec::new();
        let packet = from_client(client, ip);
        walk.at_public_address(&packet, &PublicSource::OneOf(vec![net::host(client)]), Trail::default(), &mut ways);
        out.groups.push(vec![ways]);
    }
    out
}

/// Whether a public address is in the space of a network, private to it, and of nothing of the input that the internet leads to (ADR-02).
fn is_private_space(world: &World<'_>, ip: IpAddr) -> bool {
    let index = world.index;
    let met = ours(world, ip).is_some() || index.firewalls_by_hub_address.has(ip);
    !met && index.vnet_prefixes.rows().any(|row| row.prefix.contains(&ip))
}

/// Towards such an address; a public address of the estate that is not known may be the same.
fn to_private_space(world: &World<'_>, ip: IpAddr) -> Way {
    let lost = world.lost_public_ip(ip);
    if !lost.is_empty() {
        let text = format!("public address {} {}: it may be {ip}", short(lost), world.why_lost(lost));
        let unknown = step(Stage::Route, Span::UNKNOWN, "inbound.3", text).by(lost, "").kind(Kind::Absence).code("W-MISSING");
        return Way { via: Via::Public, steps: vec![unknown] };
    }
    let of = world.index.vnet_prefixes.rows().filter(|row| row.prefix.contains(&ip)).map(|row| row.vnet);
    let vnet = of.min_by_key(|vnet| vnet.as_str()).unwrap_or_default();
    closed("the address is in the space of a network, private to it: the internet does not lead there", vnet)
}

/// Why an address that a public address or prefix of the input has sends nothing from the internet (IN-01): its holder is a source of its own.
pub(super) fn ours(world: &World<'_>, ip: IpAddr) -> Option<Way> {
    let address = world.index.public_ips_by_address.get(ip).iter().map(|row| row.public_ip);
    let ranges = world.index.public_ip_ranges.rows().filter(|row| row.prefix.contains(&ip)).map(|row| row.public_ip_prefix);
    let holder = address.chain(ranges).min_by_key(|holder| holder.as_str())?;
    Some(closed("the source address belongs to the estate: nobody on the internet has it", holder))
}

pub(super) fn closed(why: &str, resource: Sym) -> Way {
    let nobody = step(Stage::Route, Span::NONE, "inbound.3", why.to_owned()).by(resource, "no-endpoint");
    Way { via: Via::Public, steps: vec![nobody.kind(Kind::Absence)] }
}

fn end_id(end: End) -> Sym {
    match end {
        End::Machine(id) | End::Nic(id) | End::Subnet(id) | End::Site(id) | End::PrivateEndpoint(id) | End::Unmodelled(id) => id,
        End::Store(id, _, _) => id,
        _ => Sym::EMPTY,
    }
}
