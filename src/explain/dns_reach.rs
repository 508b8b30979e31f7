//! Whether a client gets through to a DNS server (DNS-05, decision 4).

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::candidates::{Candidate, choose};
use crate::explain::packet::{Host, Packet, Seen};
use crate::explain::point::to_platform;
use crate::explain::services::From;
use crate::explain::walk::{Home, Target, Walk};
use crate::explain::way::Way;
use crate::explain::world::World;
use crate::model::traffic::{ANY_PORT, Ports};
use crate::model::{Proto, Set, Stage, Sym, net};
use crate::rules::dns::Reach;
use crate::rules::route::Hop;

/// The port of DNS.
const DNS_PORT: Ports = (53, 53);

/// Whether queries from a place get through to `server`.
pub fn reach(world: &World<'_>, from: &From, server: IpAddr) -> Reach {
    match from {
        From::Outside => Reach::Open,
        From::Host(host) => from_host(world, host, server),
        From::Site(entrances) => {
            let lost = || entrances.iter().all(|(host, _)| lost_by_route(world, host.subnet, server));
            if is_modelled(world, server) && lost() { Reach::Lost } else { Reach::Open }
        }
    }
}

/// The same for any machine in a network: the best that one of its subnets allows.
pub fn in_network(world: &World<'_>, vnet: Sym, server: IpAddr) -> Reach {
    let subnets = world.index.subnets_by_vnet.get(vnet).iter().map(|row| row.subnet);
    let places =
        subnets.filter_map(|subnet| Some(Host::imagined(world, subnet, world.index.subnet_prefixes.one(subnet)?.prefix.network())));
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

fn from_host(world: &World<'_>, host: &Host, server: IpAddr) -> Reach {
    let (udp, tcp) = (queries(Proto::Udp), queries(Proto::Tcp));
    // Azure's own resolver answers on the machine's host: only a rule that names its tag stands between (NSG-11).
    let platform = to_platform(world, udp.or(tcp), host, server);
    let modelled = platform.is_some() || is_modelled(world, server);
    if platform.is_none() && modelled && lost_by_route(world, host.subnet, server) {
        return Reach::Lost;
    }
    let ways = platform.map_or_else(|| ways(world, host, server, udp.or(tcp)), |way| vec![way]);
    let passes = |asked: Set| ways.is_empty() || ways.iter().any(|way| !filtered(way, asked).is_empty());
    match (passes(udp), passes(tcp)) {
        (true, _) => Reach::Open,
        (false, false) if modelled => Reach::Lost,
        // Some clients ask over TCP as well.
        _ => Reach::Unclear,
    }
}

fn is_modelled(world: &World<'_>, server: IpAddr) -> bool {
    world.index.vnet_prefixes.rows().any(|row| row.prefix.contains(&server))
}

fn lost_by_route(world: &World<'_>, subnet: Sym, server: IpAddr) -> bool {
    choose(world, subnet, server).candidates.iter().all(|candidate| match candidate {
        Candidate::Route(entry) => entry.hop == Hop::None || (entry.hop == Hop::Internet && !net::is_public(server)),
        _ => false,
    })
}

fn ways(world: &World<'_>, host: &Host, server: IpAddr, asked: Set) -> Vec<Way> {
    let packet = Packet::new(Seen::At(host.ip), world.asgs_of(host.ip_config), server);
    let walk = Walk {
        world,
        asked,
        session: false,
        target: Target::Anyone,
        home: Home::Network(host.vnet),
        origin: Some(host.ip),
        sources: RefCell::default(),
    };
    walk.from(host, &packet)
}

/// What filters on the way may let through of `asked`; whoever answers at its end is another question.
fn filtered(way: &Way, asked: Set) -> Set {
    let steps = way.steps.iter().filter(|step| matches!(step.stage, Stage::NsgOutbound | Stage::NsgInbound | Stage::AdminRule));
    steps.fold(asked, |set, step| set.and(step.span.may))
}

fn queries(proto: Proto) -> Set {
    Set::of(proto, DNS_PORT, ANY_PORT)
}
