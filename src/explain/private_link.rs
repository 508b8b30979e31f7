//! Private Link services: what stands behind a private endpoint that leads to somebody's own service (PLS-01 … PLS-17).
//!
//! The service gives packets an address of its own network, so all that happens behind it is the same for every consumer, whatever addresses they have
//! (PLS-04). The provider never opens a flow to a consumer (PLS-11).

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::point::places;
use crate::explain::walk::{Home, Target, Trail, Walk};
use crate::explain::way::{End, Kind, Step, Way};
use crate::explain::world::World;
use crate::facts::load_balancing::BalancerSku;
use crate::facts::private_link::{PrivateLinkNat, PrivateLinkService};
use crate::model::{Set, Span, Stage, Sym, Tri, Via};
use crate::rules::private_link;

/// One of the addresses that a service's packets come from: the place, and what is doubtful about it.
struct Nat {
    host: Host,
    doubts: Vec<Step>,
}

/// What a packet meets behind a private endpoint whose target is a Private Link service of the input: the steps of each way; `None` for any other target.
pub fn behind(world: &World<'_>, target: Sym, asked: Set, session: bool) -> Option<Vec<Vec<Step>>> {
    let service = private_link::service(world.index, target)?;
    Some(to(world, &service, &Target::Anyone, asked, session).into_iter().map(|way| way.steps).collect())
}

/// What consumers of a service get through to a machine that stands behind it (PLS-15, X-15).
pub fn pulled(world: &World<'_>, service: &PrivateLinkService, end: End) -> Span {
    let hosts = places(world, end).into_iter().flat_map(|(hosts, _)| hosts);
    hosts.fold(Span::NONE, |span, host| span.or(through(world, service, &Target::Host(host))))
}

/// What gets through a service to whom it is meant for.
pub fn through(world: &World<'_>, service: &PrivateLinkService, target: &Target) -> Span {
    let asked = Set::tcp_udp();
    to(world, service, target, asked, true).iter().fold(Span::NONE, |span, way| span.or(way.span())).within(asked)
}

/// The ways from a service on.
fn to(world: &World<'_>, service: &PrivateLinkService, target: &Target, asked: Set, session: bool) -> Vec<Way> {
    let mut head = vec![carried(service)];
    head.extend(unusable(world, service));
    let nats = nats(world, service);
    if nats.is_empty() {
        // What filters and rules say of packets depends on it (PLS-03).
        let text = format!("the addresses that {} gives to packets are not in the input", short(service.service));
        head.push(doubt(service, text, "W-MISSING"));
        return vec![Way { via: Via::PrivateLinkService, steps: head }];
    }
    let each: Vec<Vec<Way>> = nats.iter().map(|nat| from_nat(world, service, nat, target, asked, session)).collect();
    let sure = each.iter().map(|ways| ways.iter().fold(Set::EMPTY, |set, way| set.or(way.span().sure))).fold(Set::ALL, Set::and);
    let differ = each.iter().any(|ways| ways.iter().fold(Set::EMPTY, |set, way| set.or(way.span().sure)) != sure);
    if differ {
        // The service picks one of its addresses: a filter must let all of them in (decision 23).
        let text = format!("{} picks one of its addresses, and not all of them get through", short(service.service));
        head.push(Step { span: Span { sure, may: Set::ALL }, ..doubt(service, text, "W-UNSUPPORTED") });
    }
    let mut ways: Vec<Way> = each.into_iter().flatten().collect();
    ways.iter_mut().for_each(|way| {
        way.steps.splice(0..0, head.iter().cloned());
    });
    ways
}

/// TCP and UDP over IPv4, and nothing else (PLS-13).
fn carried(service: &PrivateLinkService) -> Step {
    let text = format!("Private Link service {} takes it and gives it an address of its own network", short(service.service));
    step(Stage::PrivateEndpoint, Span::exactly(Set::tcp_udp()), "pls.1", text)
        .by(service.service, "")
        .at_fact(service.service)
        .kind(Kind::Fact)
}

fn doubt(service: &PrivateLinkService, text: String, code: &'static str) -> Step {
    step(Stage::PrivateEndpoint, Span::UNKNOWN, "pls.2", text).by(service.service, "").kind(Kind::Assumption).code(code)
}

fn refusal(service: &PrivateLinkService, text: String, rule: &str) -> Step {
    step(Stage::PrivateEndpoint, Span::NONE, "pls.2", text).by(service.service, rule).at_fact(service.service).kind(Kind::Fact)
}

/// Why a service cannot work as it is configured, or may not.
fn unusable(world: &World<'_>, service: &PrivateLinkService) -> Vec<Step> {
    let index = world.index;
    let mut out = Vec::new();
    let name = short(service.service);
    if !service.settled {
        out.push(doubt(service, format!("Private Link service {name} is still being changed"), "W-UNSUPPORTED"));
    }
    let rows = index.private_link_nats.get(service.service);
    let mut subnets: Vec<Sym> = rows.iter().map(|row| row.subnet).collect();
    Sym::sort(&mut subnets);
    subnets.dedup();
    for subnet in subnets {
        if !index.subnet.has(subnet) {
            let which = if subnet.is_empty() { "a subnet".to_owned() } else { format!("subnet {}", short(subnet)) };
            out.push(doubt(service, format!("{which} of {name} is not in the input"), "W-MISSING"));
            continue;
        }
        match index.subnet_private_link_open.one(subnet).map_or(Tri::No, |row| row.open) {
            Tri::Yes => {}
            Tri::Maybe => {
                let text = format!("whether subnet {} lets a Private Link service take its addresses is not known", short(subnet));
                out.push(Step { resource: subnet, ..doubt(service, text, "W-UNSUPPORTED") });
            }
            Tri::No => {
                let text = format!("subnet {} does not let a Private Link service take its addresses", short(subnet));
                let closed = refusal(service, text, "privateLinkServiceNetworkPolicies=Enabled");
                out.push(Step { resource: subnet, ..closed });
            }
        }
    }
    match service.destination {
        Some(_) if rows.len() == 1 => {
            out.push(refusal(service, format!("{name} leads to an address and needs two of its own for that"), "ipConfigurations"));
        }
        Some(address) if world.is_endpoint_address(address) => {
            out.push(refusal(service, format!("{name} leads to {address}, which is a private endpoint's"), "destinationIPAddress"));
        }
        _ => {}
    }
    out
}

/// The addresses its packets come from, sorted; one for each that makes a difference where the input does not tell it.
fn nats(world: &World<'_>, service: &PrivateLinkService) -> Vec<Nat> {
    let mut rows: Vec<PrivateLinkNat> = world.index.private_link_nats.get(service.service).to_vec();
    rows.sort_by_key(|row| row.config.as_str());
    let mut out = Vec::new();
    for row in rows {
        match row.address {
            Some(address) => out.push(Nat { host: Host::imagined(world, row.subnet, address), doubts: Vec::new() }),
            None => {
                let text = format!("address {} of {} is not in the input", short(row.config), short(service.service));
                for address in world.free_addresses(row.subnet) {
                    let doubts = vec![doubt(service, text.clone(), "W-MISSING")];
                    out.push(Nat { host: Host::imagined(world, row.subnet, address), doubts });
                }
            }
        }
    }
    out
}

/// The ways of packets with one of its addresses: to the frontends of its load balancer, or to the address that Direct Connect names.
fn from_nat(world: &World<'_>, service: &PrivateLinkService, nat: &Nat, target: &Target, asked: Set, session: bool) -> Vec<Way> {
    if !world.index.subnet.has(nat.host.subnet) {
        // Nobody knows from which network it goes on: that its subnet is missing is said by the service (PLS-05, SND-04).
        return vec![Way { via: Via::PrivateLinkService, steps: nat.doubts.clone() }];
    }
    let walk = Walk {
        world,
        asked,
        session,
        target: target.clone(),
        home: Home::Network(nat.host.vnet),
        origin: Some(nat.host.ip),
        sender: Sym::EMPTY,
        sources: RefCell::default(),
    };
    let trail = Trail { steps: nat.doubts.clone(), ..Trail::default() };
    let packet = |dst: IpAddr| Packet { dst_asgs: world.asgs_at(dst), ..Packet::new(Seen::At(nat.host.ip), Vec::new(), dst) };
    let mut ways = Vec::new();
    if let Some(destination) = service.destination {
        walk.onward(&nat.host, &packet(destination), trail.clone(), &mut ways); // as routed from its own subnet (PLS-16)
    }
    let mut frontends: Vec<Sym> = world.index.private_link_frontends.get(service.service).iter().map(|row| row.frontend).collect();
    if service.destination.is_none() && frontends.is_empty() {
        // Azure makes none that leads nowhere (PLS-01, PLS-16).
        let text = format!("what {} stands in front of is not in the input", short(service.service));
        ways.push(trail.clone().and(doubt(service, text, "W-MISSING")).end(Via::PrivateLinkService));
    }
    Sym::sort(&mut frontends);
    for frontend in frontends {
        let Some(row) = world.index.load_balancer_frontend.one(frontend) else {
            let text = format!("frontend {} of {} is not in the input", short(frontend), short(service.service));
            ways.push(
                trail.clone().and(Step { stage: Stage::LoadBalancer, ..doubt(service, text, "W-MISSING") }).end(Via::PrivateLinkService),
            );
            continue;
        };
        let text = format!("{} hands it to frontend {} as {}", short(service.service), short(frontend), nat.host.ip);
        let mut handed = step(Stage::LoadBalancer, Span::ALL, "pls.3", text).by(frontend, "").at_fact(service.service).kind(Kind::Fact);
        match world.balancer_sku(frontend) {
            BalancerSku::Standard => {}
            BalancerSku::Basic | BalancerSku::Gateway => {
                let text = format!("a Private Link service needs a Standard load balancer, and {} is none", short(row.balancer));
                handed = Step { span: Span::NONE, text, rule: "sku".to_owned(), ..handed };
            }
            BalancerSku::StandardV2 | BalancerSku::Unknown => handed = handed.kind(Kind::Assumption).code("W-UNSUPPORTED"),
        }
        if handed.kind == Kind::Assumption {
            handed.span = Span::UNKNOWN;
        }
        let subnet = if row.subnet.is_empty() { nat.host.subnet } else { row.subnet };
        let dst = row.address.unwrap_or(nat.host.ip);
        walk.to_frontend(frontend, world.vnet_of(subnet), &packet(dst), trail.clone().and(handed), &mut ways);
    }
    ways
}
