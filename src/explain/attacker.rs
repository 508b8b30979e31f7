//! Where the attacker's stores may stand and what they may be called, as far as anything in the estate makes a difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::explain::transport::{Client, ServiceClass};
use crate::explain::world::World;
use crate::facts::azure_firewall::FirewallPass;
use crate::facts::selector::Selector;
use crate::facts::store_facts::Service;
use crate::model::{Sym, Tri};
use crate::rules::azure_firewall::{Named, called_host, names_host};
use crate::rules::dns::names;
use crate::rules::{outbound_hosts, service_endpoint};

/// A front end that a store of the attacker's may stand behind.
#[derive(Clone, Copy, Debug)]
pub struct Attacker {
    /// What the client calls it.
    pub name: Named,
    /// Its service and region.
    pub class: ServiceClass,
    /// Whether a service endpoint of the client's subnet covers it.
    pub covered: Tri,
    /// Whether the attacker surely may have it; of a host that somebody else named nobody knows.
    pub certain: bool,
}

/// Stands for a region that nothing in the estate mentions.
const ELSEWHERE: &str = "elsewhere";

/// The front ends that make a difference to a client.
pub fn attackers(world: &World<'_>, client: &Client, service: Service) -> Vec<Attacker> {
    let mut found = Vec::new();
    for region in regions(world, client, service) {
        let class = ServiceClass { service, tag: service.tag(), region };
        let covered = service_endpoint::of(world.index, world.platform, client.subnet, service, region).covered;
        let each = called(world, service).into_iter();
        found.extend(each.map(|(name, certain)| Attacker { name, class, covered, certain }));
    }
    found
}

/// What the attacker may call a store, as far as any firewall compares names: a host of its own below each suffix of the service, surely; a host that an
/// application rule names and that is none of ours, perhaps.
fn called(world: &World<'_>, service: Service) -> Vec<(Named, bool)> {
    if world.index.firewall_rule_names.is_empty() {
        return vec![(Named::Unknown, true)];
    }
    let suffixes = suffixes(world, service);
    if suffixes.is_empty() {
        return vec![(Named::Unknown, true)];
    }
    let below = |host: &Sym| suffixes.iter().any(|suffix| host.as_str().strip_suffix(suffix).is_some_and(|first| first.ends_with('.')));
    let named = world.hosts_of_rules().iter().filter(|host| below(host)).map(|host| (Named::Host(*host), false));
    suffixes.iter().map(|suffix| (Named::Under(Sym::new(suffix)), true)).chain(named).collect()
}

/// What the host names of a service end in, sorted.
pub fn suffixes<'w>(world: &World<'w>, service: Service) -> Vec<&'w str> {
    let zones = world.platform.zones().iter().filter(|zone| service.kinds().contains(&zone.kind.as_str()));
    let mut suffixes: Vec<&str> = zones.map(|zone| zone.suffix.as_str().rsplit('}').next().unwrap_or("").trim_start_matches('.')).collect();
    suffixes.sort_unstable();
    suffixes.dedup();
    suffixes
}

/// The hosts that a SQL server restricted to a list may contact and that belong to no store of the input nor to a service that is told apart, sorted: whoever
/// answers there is outside.
pub fn hosts_elsewhere(world: &World<'_>, server: Sym) -> Vec<Sym> {
    let index = world.index;
    if !outbound_hosts::restricted(index, server).hi() {
        return Vec::new();
    }
    let told_apart: Vec<&str> = Service::EXTERNAL.into_iter().flat_map(|service| suffixes(world, service)).collect();
    let under = |host: &str, of: &str| host.strip_suffix(of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let elsewhere = |host: &Sym| {
        let name = host.as_str().trim_start_matches("*.");
        let known = told_apart.iter().any(|of| under(name, of) || under(of, name));
        name.contains('.') && !known && !index.store_parts_by_host.has(*host) && !is_ours(world, name)
    };
    let mut found: Vec<Sym> = index.store_outbound_rules.get(server).iter().map(|rule| rule.fqdn).filter(elsewhere).collect();
    Sym::sort(&mut found);
    found.dedup();
    found
}

/// Whether a host name is another one of a store inside the boundary: that of its private endpoints, and whatever begins with the name of an account, which
/// nobody else has (DNS-14, PE-04).
pub fn is_ours(world: &World<'_>, host: &str) -> bool {
    let index = world.index;
    let public = Sym::new(&host.replacen(".privatelink.", ".", 1));
    if index.store_parts_by_host.get(public).iter().any(|part| world.inside(part.store)) {
        return true;
    }
    let Some((first, rest)) = host.split_once('.') else { return false };
    let name = first.strip_suffix("-secondary").unwrap_or(first);
    let bears = |id: Sym| id.as_str().rsplit('/').next() == Some(name) && world.inside(id);
    rest.ends_with("core.windows.net") && index.store.rows().any(|row| row.service == Service::Storage && bears(row.store))
}

/// The regions the attacker may choose from: the client's, its pair, those of the estate, those that a rule of it names, any other.
fn regions(world: &World<'_>, client: &Client, service: Service) -> Vec<Sym> {
    let own = world.index.vnet.one(client.vnet).map_or(Sym::EMPTY, |row| row.location);
    let mut regions = vec![own];
    regions.extend(world.platform.region_pair(own));
    let tag = service.tag();
    let named = world.regions_of_rules().iter().filter(|(base, _)| *base == tag || base.as_str() == "azurecloud");
    regions.extend(named.map(|(_, region)| *region));
    regions.extend(world.index.service_endpoints.get(client.subnet).iter().map(|row| row.location));
    regions.extend(world.regions());
    regions.retain(|region| !region.is_empty() && region.as_str() != "*");
    let named = if regions.len() > 1 { 1 } else { 0 };
    Sym::sort(&mut regions[named..]);
    regions.push(Sym::new(ELSEWHERE));
    let mut seen = Vec::new();
    regions.retain(|region| {
        let new = !seen.contains(region);
        seen.push(*region);
        new
    });
    regions
}

/// The regional tags that anything in the estate which filters names as a destination, wherever it stands on the way: the service's tag and the region.
pub(super) fn regions_of_rules(world: &World<'_>) -> Vec<(Sym, Sym)> {
    let index = world.index;
    let groups = index.nsg_rule.rows().map(|row| row.destinations);
    let managed = index.admin_rules.rows().map(|row| row.destinations);
    let firewalls = index.firewall_rule.rows().map(|row| row.destinations);
    let mut found = BTreeSet::new();
    for destinations in groups.chain(managed).chain(firewalls) {
        for selector in destinations.items() {
            if let Selector::Tag(tag) = selector
                && let Some((base, name)) = tag.as_str().split_once('.')
                && let Some(region) = world.platform.tag_region(name)
            {
                found.insert((base, region.as_str()));
            }
        }
    }
    found.into_iter().map(|(base, region)| (Sym::new(base), Sym::new(region))).collect()
}

/// The hosts that application rules name one by one and that are no store inside the boundary, sorted: of those below one suffix that the same rules name, one.
pub(super) fn hosts_of_rules(world: &World<'_>) -> Vec<Sym> {
    let index = world.index;
    let applies = |rule: Sym| index.firewall_rule.one(rule).is_some_and(|row| row.pass == FirewallPass::Application);
    let rows: Vec<_> = index.firewall_rule_names.rows().filter(|row| applies(row.rule)).collect();
    let hosts: BTreeSet<&str> = rows.iter().filter_map(|row| called_host(row.what, row.name)).filter(|host| !host.contains('*')).collect();
    let inside = index.store_parts.rows().filter(|part| !world.outside(part.store).hi());
    let ours: BTreeSet<String> = inside.filter_map(|part| names::host(index, world.platform, part)).collect();
    let mut alike: BTreeMap<(&str, Vec<&str>), &str> = BTreeMap::new();
    for host in hosts.into_iter().filter(|host| !ours.contains(*host)) {
        let naming: BTreeSet<&str> = rows.iter().filter(|row| names_host(row.what, row.name, host)).map(|row| row.rule.as_str()).collect();
        let suffix = host.split_once('.').map_or("", |(_, suffix)| suffix);
        alike.entry((suffix, naming.into_iter().collect())).or_insert(host);
    }
    let mut found: Vec<Sym> = alike.into_values().map(Sym::new).collect();
    Sym::sort(&mut found);
    found
}
