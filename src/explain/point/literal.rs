//! Flows from a literal address: whoever has it, else a machine that could be placed there, else a site, the internet, or somebody the input does not list.

use std::net::IpAddr;

use crate::explain::packet::{Host, StepExt, short, step};
use crate::explain::way::{Flow, Kind, Way};
use crate::explain::world::{World, site_ids};
use crate::model::{Span, Stage, Sym, Via, net};

use super::inbound::{closed, from_internet};
use super::judge::{Pairs, all_agree, one};
use super::onprem::from_site;
use super::{Sender, from_senders, is_used};

/// A literal source address (ADR-16). Several that have it must agree.
pub(super) fn from_ip(world: &World<'_>, flow: &Flow, ip: IpAddr) -> Pairs {
    let senders = holders(world, ip);
    if !senders.is_empty() {
        return all_agree(senders.into_iter().map(|sender| from_senders(world, flow, vec![sender])).collect());
    }
    let (sites, joined) = sites_with(world, ip);
    let mut pairs = match (joined.is_empty(), sites.first()) {
        (false, _) => all_agree(joined.into_iter().map(|site| from_site(world, flow, site, Some(ip))).collect()),
        (true, _) if net::is_public(ip) => from_internet(world, flow, Some(ip)),
        (true, Some(site)) => from_site(world, flow, *site, Some(ip)),
        (true, None) => one(closed("nobody in the input has the source address", Sym::EMPTY)),
    };
    pairs.groups.extend(unlisted(world, ip).into_iter().map(|way| vec![vec![way]]));
    pairs
}

/// The sites that have an address, and those of them that can send: one without a connection sends nothing (GW-02).
pub fn sites_with(world: &World<'_>, ip: IpAddr) -> (Vec<Sym>, Vec<Sym>) {
    let mut sites = site_ids(world.index);
    sites.retain(|site| world.site_prefixes(*site).iter().any(|prefix| prefix.contains(&ip)));
    let joins = |site: &&Sym| world.hub_site(**site).is_some() || !world.entrances(**site).is_empty();
    let joined = sites.iter().filter(joins).copied().collect();
    (sites, joined)
}

/// Who sends with a literal address: the configurations that have it, else the places in subnets that hold it, the reserved ones apart (ADR-04).
pub fn holders(world: &World<'_>, ip: IpAddr) -> Vec<Sender> {
    let mut configs: Vec<Sym> = world.index.ip_configs_by_address.get(ip).iter().map(|row| row.ip_config).collect();
    configs.retain(|config| world.is_endpoint_config(*config));
    configs.sort_by_key(|config| config.as_str());
    let hosts = configs.into_iter().flat_map(|config| world.hosts_of_config(config)).filter(|host| host.ip == ip);
    let mut found: Vec<Sender> = hosts.map(|host| (vec![host.clone()], is_used(world, host.nic))).collect();
    if found.is_empty() {
        let holding = world
            .index
            .subnet_prefixes
            .rows()
            .filter(|row| net::usable(&row.prefix).is_some_and(|(first, last)| row.prefix.contains(&ip) && first <= ip && ip <= last));
        let mut subnets: Vec<Sym> = holding.map(|row| row.subnet).collect();
        subnets.retain(|subnet| world.index.subnet.has(*subnet));
        subnets.sort_by_key(|subnet| subnet.as_str());
        subnets.dedup();
        found.extend(subnets.into_iter().map(|subnet| (vec![Host::imagined(world, subnet, ip)], true)));
    }
    found
}

/// Who may have the address without the input saying so: clients and networks behind gateways and hubs, what they learn, networks that were not exported,
/// and whoever somebody saw a route to (GW-01, GW-04, SND-04, RTE-07).
pub fn unlisted(world: &World<'_>, ip: IpAddr) -> Vec<Way> {
    let index = world.index;
    let mut found: Vec<(Sym, Stage, &'static str)> = Vec::new();
    for vnet in index.vnet.rows().map(|row| row.vnet) {
        let network = world.network(vnet);
        // On premises nobody can announce what is the network's own (GW-05).
        if network.own.iter().any(|own| own.contains(&ip)) {
            continue;
        }
        let learned = network.gateway.unknown_routes;
        if !learned.is_empty() {
            found.push((learned, Stage::Gateway, world.doubt_of_routes(learned)));
        }
        for (_, target, _) in network.gateway.routes.iter().filter(|(prefix, _, _)| prefix.contains(&ip)) {
            if index.gateway.has(*target) {
                found.push((*target, Stage::Gateway, "W-UNSUPPORTED"));
            } else if index.virtual_hub.has(*target) {
                found.push((*target, Stage::Gateway, "W-VWAN"));
            }
        }
        for peer in network.peers.iter().filter(|peer| peer.usable.hi() && !index.vnet.has(peer.vnet)) {
            let there = peer.open || peer.forwarded || peer.prefixes.iter().any(|(prefix, _)| prefix.contains(&ip));
            if there {
                found.push((peer.vnet, Stage::Route, "W-MISSING"));
            }
        }
    }
    let inside = index.vnet_prefixes.rows().any(|row| row.prefix.contains(&ip));
    for row in index.observed_route.rows().filter(|row| !inside && row.prefix.contains(&ip)) {
        if ["virtualnetworkgateway", "vnetpeering", "vnetglobalpeering", "connectedgroup"].contains(&row.hop.as_str())
            && row.source.as_str() != "user"
        {
            found.push((row.nic, Stage::Route, "W-UNSUPPORTED"));
        }
    }
    found.sort_by_key(|(resource, stage, code)| (resource.as_str(), *stage as u8, *code));
    found.dedup();
    let way = |(resource, stage, code): (Sym, Stage, &'static str)| {
        let text = format!("whether somebody behind {} has {ip}, and what filters its packets, is not in the input", short(resource));
        let unknown = step(stage, Span::UNKNOWN, "gateway.8", text).by(resource, "").kind(Kind::Assumption).code(code);
        Way { via: if stage == Stage::Gateway { Via::Gateway } else { Via::VnetLocal }, steps: vec![unknown] }
    };
    found.into_iter().map(way).collect()
}
