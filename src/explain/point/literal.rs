//! Flows from a literal address: whoever has it, else a machine that could be placed there, else a site, the internet, or somebody the input does not list.

use std::net::IpAddr;

use crate::explain::packet::{Host, StepExt, short, step};
use crate::explain::way::{Flow, Kind, Way};
use crate::explain::world::{Stranger, World, site_ids};
use crate::model::{Span, Stage, Sym, Via, ids, net};

use super::inbound::{closed, from_internet};
use super::judge::{Pairs, all_agree, one};
use super::onprem::from_site;
use super::{Sender, from_senders, is_used};

/// A literal source address (ADR-16). Several that have it must agree.
pub(super) fn from_ip(world: &World<'_>, flow: &Flow, ip: IpAddr) -> Pairs {
    let senders = holders(world, ip);
    if !senders.is_empty() {
        let hidden = senders.iter().flat_map(|(hosts, _)| hosts).filter(|host| host.ip_config.is_empty()).map(|host| host.subnet);
        // An interface of a machine that nobody exported may stand in any subnet.
        let anywhere = !world.unseen_interface().is_empty();
        let hidden = hidden.filter(|subnet| anywhere || world.names_strangers(*subnet)).min_by_key(|subnet| subnet.as_str());
        let mut pairs = all_agree(senders.into_iter().map(|sender| from_senders(world, flow, vec![sender])).collect(), flow.traffic);
        if let Some(subnet) = hidden {
            doubt(&mut pairs, subnet, ip);
        }
        return pairs;
    }
    let (sites, joined) = sites_with(world, ip);
    let mut pairs = match (joined.is_empty(), sites.first()) {
        (false, _) => all_agree(joined.into_iter().map(|site| from_site(world, flow, site, Some(ip))).collect(), flow.traffic),
        (true, _) if net::is_public(ip) => from_internet(world, flow, Some(ip)),
        (true, Some(site)) => from_site(world, flow, *site, Some(ip)),
        (true, None) => one(closed("nobody in the input has the source address", Sym::EMPTY)),
    };
    pairs.groups.extend(unlisted(world, ip).into_iter().map(|way| vec![vec![way]]));
    pairs
}

/// Of an interface that its subnet or its machine names and the input does not hold nobody knows whether it has the address, and what filters its packets (ADR-06, SND-04).
fn doubt(pairs: &mut Pairs, subnet: Sym, ip: IpAddr) {
    let text = format!("an interface that is not in the input may stand in {} and have {ip}", short(subnet));
    let unknown = step(Stage::Route, Span::UNKNOWN, "address.7", text).by(subnet, "").kind(Kind::Assumption).code("W-MISSING");
    pairs.groups.iter_mut().flatten().flatten().for_each(|way| way.steps.insert(0, unknown.clone()));
    pairs.groups.push(vec![vec![Way { via: Via::VnetLocal, steps: vec![unknown] }]]);
}

/// An interface of which nothing is known but that it has the address: what else it holds decides how it leaves (OUT-07, SND-02).
pub(super) fn stands_in_for(world: &World<'_>, ip: IpAddr) -> Option<Sym> {
    let is_interface = |device: &Sym| ids::id_type(device.as_str()).as_deref() == Some("microsoft.network/networkinterfaces");
    let devices = world.index.devices_by_address.get(ip).iter().map(|row| row.device);
    devices.filter(is_interface).min_by_key(|device| device.as_str())
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
    Sym::sort(&mut configs);
    let hosts = configs.into_iter().flat_map(|config| world.hosts_of_config(config)).filter(|host| host.ip == ip);
    let mut found: Vec<Sender> = hosts.map(|host| (vec![host.clone()], is_used(world, host.nic))).collect();
    if found.is_empty() {
        let subnets = world.strangers().subnets_of(ip, world);
        for subnet in subnets {
            found.push((vec![Host::imagined(world, subnet, ip)], true));
            // Whose address is not known may have this one (ADR-06).
            found.extend(world.unaddressed_at(subnet, ip).into_iter().map(|host| (vec![host.clone()], is_used(world, host.nic))));
        }
    }
    found
}

/// Ways for those who may have the address without the input saying so.
pub fn unlisted(world: &World<'_>, ip: IpAddr) -> Vec<Way> {
    let way = |(resource, stage, code): Stranger| {
        let text = format!("whether somebody behind {} has {ip}, and what filters its packets, is not in the input", short(resource));
        let unknown = step(stage, Span::UNKNOWN, "gateway.8", text).by(resource, "").kind(Kind::Assumption).code(code);
        Way { via: if stage == Stage::Gateway { Via::Gateway } else { Via::VnetLocal }, steps: vec![unknown] }
    };
    world.strangers().at(ip).into_iter().map(way).collect()
}
