//! Flows from a site on premises: in at the gateway, or by the way out of its own.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use crate::explain::gateway_doubts::unlisted_step;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::walk::{Home, Target, Trail, Walk};
use crate::explain::way::{End, Flow, Kind, Way};
use crate::explain::world::World;
use crate::model::{Span, Stage, Sym, Via, net};
use crate::rules::filter::SourcePorts;
use crate::rules::outbound::PublicSource;

use super::inbound::internet_walk;
use super::judge::{Pairs, one};
use super::{destinations, no_address, nowhere, places};

/// From a site on premises: in at the gateway, then by the routes of the gateway's subnet; with `source` from that address of the site alone.
pub(super) fn from_site(world: &World<'_>, flow: &Flow, site: Sym, source: Option<IpAddr>) -> Pairs {
    if let End::Ip(ip) | End::Internet(Some(ip)) = flow.to
        && net::is_public(ip)
        && !world.index.vnet_prefixes.rows().any(|row| row.prefix.contains(&ip))
    {
        return from_site_outside(world, flow, site, ip);
    }
    let mut out = Pairs::default();
    let entrances = world.entrances(site);
    let nobody = matches!(flow.to, End::Machine(_) | End::Nic(_)) && places(world, flow.to).iter().all(|(hosts, _)| hosts.is_empty());
    for entrance in &entrances {
        if entrance.subnet.is_empty() {
            if nobody {
                continue;
            }
            let text = "in which subnet the gateway stands is not in the input".to_owned();
            let nowhere = step(Stage::Gateway, Span::UNKNOWN, "gateway.3", text).by(entrance.step.resource, "");
            let nowhere = nowhere.kind(Kind::Assumption).code("W-UNSUPPORTED");
            out.groups.push(vec![vec![Way { via: Via::Gateway, steps: vec![entrance.step.clone(), nowhere] }]]);
            continue;
        }
        let listed = source.map_or_else(|| site_representatives(world, site), |ip| vec![ip]).into_iter().map(|ip| (ip, true));
        let unlisted = if source.is_none() { world.unlisted_addresses(site).unwrap_or_default() } else { Rc::default() };
        for (source, known) in listed.chain(unlisted.iter().map(|ip| (*ip, false))) {
            let at = Host::imagined(world, entrance.subnet, source);
            for group in destinations(world, flow, &at) {
                let pairs = group.into_iter().map(|(ip, target)| {
                    if let Target::Host(host) = &target
                        && host.is_nowhere(world)
                    {
                        return vec![nowhere(host)];
                    }
                    let dst_asgs = match &target {
                        Target::Host(host) => world.asgs_of(host.ip_config),
                        _ => world.asgs_at(ip),
                    };
                    let packet = Packet { dst_asgs, ..Packet::new(Seen::At(source), Vec::new(), ip) };
                    let walk = Walk {
                        world,
                        asked: flow.traffic,
                        session: flow.session,
                        target,
                        home: Home::Site(site),
                        origin: Some(source),
                        sender: Sym::EMPTY,
                        sources: RefCell::default(),
                    };
                    let mut ways = Vec::new();
                    let mut entered = Trail { steps: vec![entrance.step.clone()], via: Some(Via::Gateway), ..Trail::default() };
                    entered.steps.extend(walk.advertised(entrance.subnet, &packet));
                    if !known {
                        entered.steps.push(unlisted_step(site));
                    }
                    walk.onward(&at, &packet, entered, &mut ways);
                    ways
                });
                out.groups.push(pairs.collect());
            }
        }
    }
    if let Some(branch) = world.hub_site(site) {
        out.groups.push(vec![vec![over_a_hub(branch)]]);
    }
    if out.groups.is_empty() {
        let unlisted = !entrances.is_empty() && (world.site_prefixes(site).is_empty() || world.unlisted_addresses(site).is_none());
        let (span, code, text) = if unlisted {
            (Span::UNKNOWN, "W-BGP-UNKNOWN", "which addresses the site has is not in the input")
        } else if entrances.is_empty() {
            (Span::NONE, "", "no connection of a gateway leads to the site")
        } else {
            return one(no_address(world, flow));
        };
        let kind = if unlisted { Kind::Assumption } else { Kind::Absence };
        let none = step(Stage::Gateway, span, "gateway.3", text.to_owned()).by(site, "").kind(kind).code(code);
        out = one(Way { via: Via::Gateway, steps: vec![none] });
    }
    out
}

/// How a site of a virtual WAN is connected, and where its packets come out of the hub, is not derived (GW-01, VW-01).
pub fn over_a_hub(site: Sym) -> Way {
    let text = format!("how site {} of the virtual WAN is connected to its hub is not modelled", short(site));
    let unknown = step(Stage::Gateway, Span::UNKNOWN, "hub.1", text).by(site, "").kind(Kind::Assumption).code("W-VWAN");
    Way { via: Via::Gateway, steps: vec![unknown] }
}

/// From a site to a public address: by the site's own way out, with the addresses a person stated for it.
fn from_site_outside(world: &World<'_>, flow: &Flow, site: Sym, ip: IpAddr) -> Pairs {
    let mut addresses = world.site_sources(site);
    addresses.retain(|prefix| prefix.addr().is_ipv4() == ip.is_ipv4());
    let source = if addresses.is_empty() { PublicSource::SomeAzure } else { PublicSource::OneOf(addresses) };
    let walk = internet_walk(world, flow, Target::Anyone);
    let packet = Packet { ports: SourcePorts::Translated, ..Packet::new(Seen::SomePublic, Vec::new(), ip) };
    let mut ways = Vec::new();
    walk.at_public_address(&packet, &source, Trail::default(), &mut ways);
    Pairs { groups: vec![vec![ways]] }
}

/// One address of each piece of the site's addresses that the estate tells apart.
pub fn site_representatives(world: &World<'_>, site: Sym) -> Vec<IpAddr> {
    let prefixes = world.site_prefixes(site);
    prefixes.iter().flat_map(|prefix| world.bounds().pieces(prefix.network(), prefix.broadcast(), |_| true)).collect()
}
