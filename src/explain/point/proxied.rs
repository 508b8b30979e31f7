//! Flows from the internet that something takes at a public address and passes on to a machine as a flow of its own (IN-08).
//!
//! Two flows follow each other: somebody must get through to a listener, and the proxy from its subnet to the machine. To whom of its pools it passes on
//! what, the request decides; that is proven only where the listener leads to one pool whatever the request.

use std::net::IpAddr;

use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::walk::{Target, Trail};
use crate::explain::way::{End, Flow, Kind, Step, Way};
use crate::explain::world::{Outward, Passage, Proxy, World};
use crate::model::{Set, Span, Stage, Sym, Via, net};
use crate::rules::azure_firewall::Named;
use crate::rules::outbound::PublicSource;

use super::inbound::{in_by, internet_walk, to_public_literal};
use super::judge::Pair;
use super::send;

/// The step that doubts what is passed on.
pub const PASSED_ON: &str = "inbound.12";

/// In by what takes requests at public addresses and passes them on to the places. The ports asked for are those the machine sees.
pub(super) fn in_by_proxies(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, hosts: &[Host]) -> Vec<Vec<Pair>> {
    let Some(first) = hosts.first() else { return Vec::new() };
    let mut out = Vec::new();
    for proxy in world.proxies() {
        for passage in world.passages(proxy, first) {
            let there = taken(world, flow, source, proxy, &passage);
            let pairs = hosts.iter().map(|host| {
                let mut ways = passed_on(world, flow, proxy, &passage, host);
                for way in &mut ways {
                    way.via = Via::Appliance;
                    way.steps.splice(0..0, there.steps.iter().cloned());
                }
                ways
            });
            out.push(pairs.collect());
        }
    }
    for &(balancer, public_ip) in world.hidden_balancers() {
        let mut found = in_by(world, flow, source, hosts, public_ip);
        let text = format!("load balancer {} is not in the input: it perhaps passes it on", short(balancer));
        let unknown = step(Stage::LoadBalancer, Span::UNKNOWN, "inbound.4", text).by(balancer, "").kind(Kind::Assumption);
        for way in found.iter_mut().flatten().flatten() {
            way.via = Via::LoadBalancer;
            way.steps.insert(0, unknown.clone().code("W-MISSING"));
        }
        out.extend(found);
    }
    out
}

/// Whether anybody gets through to where the proxy takes it: the way that lets most through, as one for every traffic.
fn taken(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, proxy: &Proxy, passage: &Passage) -> Way {
    let known = world.taken.borrow().get(&(proxy.device, passage.public_ip, passage.taken, source, flow.session)).cloned();
    if let Some(way) = known {
        return way;
    }
    let way = look(world, flow, source, proxy, passage);
    world.taken.borrow_mut().insert((proxy.device, passage.public_ip, passage.taken, source, flow.session), way.clone());
    way
}

fn look(world: &World<'_>, flow: &Flow, source: Option<IpAddr>, proxy: &Proxy, passage: &Passage) -> Way {
    let unseen = |text: String| {
        let unknown = step(Stage::Appliance, Span::UNKNOWN, "inbound.4", text).by(proxy.device, "").kind(Kind::Assumption);
        Way { via: Via::Appliance, steps: vec![unknown.code("W-MISSING")] }
    };
    if passage.public_ip.is_empty() {
        return unseen(format!("at which public address {} takes requests is not in the input", short(proxy.device)));
    }
    let index = world.index;
    let called = Flow { traffic: passage.taken, ..*flow };
    let ways: Vec<Way> = match index.public_ip_address.one(passage.public_ip) {
        Some(row) => {
            let pairs = to_public_literal(world, &Flow { to: End::Ip(row.address), ..called }, source, row.address);
            pairs.groups.into_iter().flatten().flatten().collect()
        }
        None if index.listeners.has(proxy.device) => {
            let walk = internet_walk(world, &called, Target::Anyone);
            let mut ways = Vec::new();
            for client in clients(world, source, proxy.device) {
                let packet = Packet::new(Seen::At(client), Vec::new(), family_of(client));
                let from = PublicSource::OneOf(vec![net::host(client)]);
                let trail = Trail { steps: world.one_of_two(passage.public_ip).into_iter().collect(), ..Trail::default() };
                walk.at_public_proxy(proxy.device, passage.public_ip, &packet, &from, trail, &mut ways);
            }
            ways
        }
        None => return unseen(format!("what {} takes at its public address is not in the input", short(proxy.device))),
    };
    let whole = ways.into_iter().map(|way| whole(way, passage.taken));
    let best = whole.max_by_key(|way| (!way.span().sure.is_empty(), !way.span().may.is_empty()));
    best.unwrap_or_else(|| unseen(format!("what {} takes at its public address is not in the input", short(proxy.device))))
}

/// One address of the internet for each answer that a device's subnets give.
pub(super) fn clients(world: &World<'_>, source: Option<IpAddr>, device: Sym) -> Vec<IpAddr> {
    if let Some(source) = source {
        return vec![source];
    }
    let rooms = world.index.device.get(device).iter().map(|row| row.subnet).filter(|room| !room.is_empty());
    let hosts = rooms.flat_map(|room| world.free_addresses(room).into_iter().map(move |ip| Host::imagined(world, room, ip)));
    let mut found: Vec<IpAddr> = hosts.flat_map(|host| world.outsiders(&host, Outward::From).to_vec()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Some address of the same family.
fn family_of(ip: IpAddr) -> IpAddr {
    net::address(0, ip.is_ipv4())
}

/// The way of which only counts whether anything of `asked` gets through, as one for every traffic.
fn whole(mut way: Way, asked: Set) -> Way {
    let (mut sure, mut may) = (asked, asked);
    for step in &mut way.steps {
        (sure, may) = (sure.and(step.span.sure), may.and(step.span.may));
        let all = |left: Set| if left.is_empty() { Set::EMPTY } else { Set::ALL };
        step.span = Span { sure: all(sure), may: all(may) };
    }
    way
}

/// The ways of what the proxy opens to the machine.
fn passed_on(world: &World<'_>, flow: &Flow, proxy: &Proxy, passage: &Passage, host: &Host) -> Vec<Way> {
    let opens = |sent: Set| -> Step {
        let text = format!("what {} takes it perhaps passes on: which request goes to whom is not derived", short(proxy.device));
        let span = Span { sure: Set::EMPTY, may: sent };
        let on = step(Stage::Appliance, span, PASSED_ON, text).by(proxy.device, "").at_fact(proxy.device).kind(Kind::Assumption);
        Step { taken: Some(passage.taken), ..on.code("W-L7") }
    };
    let doubt = opens(if passage.called.is_none() { passage.sent } else { proxy.carries });
    let rooms = proxy.rooms.iter().flat_map(|room| world.free_addresses(*room).into_iter().map(|ip| Host::imagined(world, *room, ip)));
    let to = passage.called.unwrap_or(host.ip);
    let rooms: Vec<Host> = rooms.filter(|room| room.ip.is_ipv4() == to.is_ipv4()).collect();
    if rooms.is_empty() {
        let text = format!("where {} stands is not in the input", short(proxy.device));
        let unknown = step(Stage::Appliance, Span::UNKNOWN, "inbound.6", text).by(proxy.device, "").kind(Kind::Assumption);
        return vec![Way { via: Via::Appliance, steps: vec![doubt, unknown.code("W-MISSING")] }];
    }
    let mut out: Vec<Vec<Way>> = Vec::new();
    for room in rooms {
        let target = Target::Host(host.clone());
        let found = match passage.called {
            None => send(world, &Flow { from: End::Subnet(room.subnet), ..*flow }, &room, to, target, Named::Unknown),
            Some(_) => {
                let called = Flow { from: End::Subnet(room.subnet), traffic: passage.sent, ..*flow };
                send(world, &called, &room, to, target, Named::Unknown).into_iter().map(|way| whole(way, passage.sent)).collect()
            }
        };
        out.push(found);
    }
    // At which address of its subnet it stands is not told: from each of them it must get there.
    let sure = out.iter().map(|ways| ways.iter().fold(Set::EMPTY, |sure, way| sure.or(way.span().sure)));
    let sure = sure.reduce(Set::and).unwrap_or(Set::EMPTY).and(passage.sent);
    let first = if passage.certain && !sure.is_empty() { passes(proxy, passage, sure) } else { doubt };
    let ways = out.into_iter().flatten().map(|mut way| {
        way.steps.insert(0, first.clone());
        way
    });
    ways.collect()
}

/// The step of a listener that leads to one pool, whatever the request (IN-08).
fn passes(proxy: &Proxy, passage: &Passage, sure: Set) -> Step {
    let text = format!("{} passes on to its pool whatever it takes there", short(proxy.device));
    let on = step(Stage::Appliance, Span { sure, may: passage.sent }, PASSED_ON, text).by(proxy.device, "").at_fact(proxy.device);
    let on = if sure == passage.sent { on.kind(Kind::Fact) } else { on.kind(Kind::Assumption).code("W-L7") };
    Step { taken: Some(passage.taken), ..on }
}
