//! The next hops that can be chosen for one address on one subnet, private endpoints and service endpoints included.

use std::net::IpAddr;

use crate::explain::world::World;
use crate::facts::network::{EndpointPolicies, NO_LOCATION};
use crate::model::{Prefix, Sym, Tri, net};
use crate::rules::endpoint_policy;
use crate::rules::observed::{BY_SERVICE_ENDPOINT, Sighting, TO_PRIVATE_ENDPOINT};
use crate::rules::route::{Context, Entry, Hop, Origin};

/// One next hop that may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// An entry of the effective routes.
    Route(Entry),
    /// The route of a private endpoint's own address, in the network (RTE-13, PE-20).
    Endpoint {
        /// The private endpoint.
        endpoint: Sym,
        /// The network it stands in.
        vnet: Sym,
    },
    /// The route of a service endpoint of the subnet (RTE-05).
    Service {
        /// The service, `microsoft.storage`.
        service: Sym,
        /// The service tag whose prefixes it covers.
        tag: Sym,
    },
}

/// The candidates, and whether the choice is certain: exactly one, surely there (CNV-05).
#[derive(Clone, Debug)]
pub struct Choice {
    /// Never empty.
    pub candidates: Vec<Candidate>,
    /// Exactly one, and surely there.
    pub certain: bool,
}

/// The candidates for `ip` on `subnet`.
pub fn choose(world: &World<'_>, subnet: Sym, ip: IpAddr) -> Choice {
    if !world.index.subnet.has(subnet) {
        return anywhere(subnet, ip);
    }
    let context = world.context(subnet);
    let entries = context.select_address(ip);
    let mut candidates: Vec<Candidate> = entries.iter().copied().map(Candidate::Route).collect();
    let mut certain = matches!(entries.as_slice(), [entry] if entry.sure.lo());
    let mut endpoints = endpoint_routes(world, &context, ip);
    let seen = || world.seen_route(subnet, TO_PRIVATE_ENDPOINT, |prefix| prefix.contains(&ip));
    if !endpoints.is_empty() && seen().is_lacking() {
        for (_, kept) in endpoints.iter_mut().filter(|(endpoint, _)| !lead_to(&entries, &context, endpoint)) {
            *kept = (*kept).min(Tri::Maybe);
        }
    }
    if let [(endpoint, Tri::Yes)] = endpoints[..] {
        return Choice { candidates: vec![endpoint], certain: true };
    }
    if !endpoints.is_empty() {
        // Of several that claim one address Azure knows one: which of them the input does not tell (CNV-05).
        if endpoints.iter().any(|(_, kept)| kept.lo()) {
            candidates.clear();
        }
        candidates.splice(0..0, endpoints.into_iter().map(|(endpoint, _)| endpoint));
        certain = false;
    }
    if let Some(service) = service_route(world, subnet, ip) {
        let known = context.unknown.is_empty();
        let beats = beats(&context, &entries, (subnet, ip), world, service);
        match (beats, world.seen_route(subnet, BY_SERVICE_ENDPOINT, |prefix| prefix.contains(&ip))) {
            _ if !known => {
                candidates.insert(0, service);
                certain = false;
            }
            // Which of the two counts somebody saw (RTE-07).
            (Tri::Yes, _) | (_, Sighting::Everywhere) => return Choice { candidates: vec![service], certain: true },
            (_, Sighting::Nowhere) => {}
            (_, Sighting::NotLooked | Sighting::Disputed) => {
                candidates.insert(0, service);
                certain = false;
            }
        }
    }
    if candidates.is_empty() {
        certain = true; // no route at all: dropped
    }
    Choice { candidates, certain }
}

/// Whether the routes that somebody saw without the one of the endpoint lead into its network all the same: where they do not, the two contradict each other
/// (RTE-07).
fn lead_to(entries: &[Entry], context: &Context, endpoint: &Candidate) -> bool {
    let Candidate::Endpoint { vnet, .. } = endpoint else { return true };
    let leads = |entry: &Entry| match entry.hop {
        Hop::Local => context.network.vnet == *vnet,
        Hop::Peering(peer) => peer == *vnet,
        _ => false,
    };
    !entries.is_empty() && entries.iter().all(leads)
}

/// What a subnet that is not in the input does with a packet: nobody knows (SND-03).
fn anywhere(subnet: Sym, ip: IpAddr) -> Choice {
    let prefix = crate::model::net::everything(crate::model::net::host(ip));
    let entry = Entry { prefix, origin: Origin::User, hop: Hop::Unknown, sure: Tri::Maybe, source: subnet, open: true };
    Choice { candidates: vec![Candidate::Route(entry)], certain: false }
}

/// The candidates for some public address of Azure that the input does not tell.
pub fn choose_some_public(world: &World<'_>, subnet: Sym) -> Choice {
    let entries = world.context(subnet).select(crate::rules::tag::some_public_within);
    let certain = matches!(entries.as_slice(), [entry] if entry.sure.lo());
    Choice { candidates: entries.into_iter().map(Candidate::Route).collect(), certain }
}

/// The route of a private endpoint at `ip`, and whether it stays beside the user's routes (RTE-13, PE-20, PE-21); several where endpoints of one network claim
/// the address.
///
/// ```datalog
/// routed(E) :- consents(C), private_endpoint_connection(C, E, _, _, _, _, _).
/// endpoint_route(V, A) :- routed(E), private_endpoint(E, S, _), subnet(S, V, _), endpoint_address(E, A).                    // route.5
/// endpoint_route(V, A) :- joined(V, W), routed(E), private_endpoint(E, S, _), subnet(S, W, _), endpoint_address(E, A).      // route.6
/// ```
fn endpoint_routes(world: &World<'_>, context: &Context, ip: IpAddr) -> Vec<(Candidate, Tri)> {
    if !world.is_endpoint_address(ip) {
        return Vec::new();
    }
    let network = &context.network;
    let here = (network.vnet, Tri::Yes);
    let peers = network.peers.iter().map(|peer| (peer.vnet, peer.usable));
    let mut found: Vec<(Sym, Candidate, Tri, Tri)> = Vec::new();
    for (vnet, joined) in std::iter::once(here).chain(peers).filter(|(_, joined)| joined.hi()) {
        let known = world.endpoints_at(ip, vnet).into_iter().map(|endpoint| (endpoint, Tri::Yes));
        for (endpoint, stands) in known.chain(world.endpoints_perhaps_at(ip, vnet).into_iter().map(|endpoint| (endpoint, Tri::Maybe))) {
            let there = joined.and(stands).and(world.consent(endpoint));
            if !there.hi() {
                continue;
            }
            let kept = there.and(stays(world, context, endpoint, vnet, ip));
            if kept.hi() {
                found.push((vnet, Candidate::Endpoint { endpoint, vnet }, kept, stands));
            }
        }
    }
    // The first of those that surely stand, in the packet's own network before the others.
    let Some((best, _, most, _)) = found.iter().rev().max_by_key(|(_, _, kept, _)| *kept).copied() else { return Vec::new() };
    let claims = |vnet: Sym, stands: Tri| vnet == best && (stands.lo() || !most.lo());
    let claiming = found.into_iter().filter(|(vnet, _, _, stands)| claims(*vnet, *stands));
    claiming.map(|(_, candidate, kept, _)| (candidate, kept)).collect()
}

/// Whether the endpoint's own route stays: a user's route for exactly the address always wins; one at least as long as the prefix of the
/// endpoint's network wins where route policies apply to the endpoint's subnet.
fn stays(world: &World<'_>, context: &Context, endpoint: Sym, vnet: Sym, ip: IpAddr) -> Tri {
    let users = || context.entries.iter().filter(|e| e.origin.is_user() && e.prefix.contains(&ip));
    // One of which nobody knows what it is for may be for exactly this address.
    let exactly = users().filter(|e| e.open || e.prefix.prefix_len() == e.prefix.max_prefix_len()).map(|e| e.sure).max().unwrap_or(Tri::No);
    let home = world.network(vnet).own.iter().filter(|own| own.contains(&ip)).map(|own| own.prefix_len()).max();
    // Of a network without its address space nobody knows how long a route must be.
    let unknown = home.is_none();
    let home = home.unwrap_or(0);
    let local = users().any(|e| e.hop == Hop::Local && e.prefix.prefix_len() >= home);
    let long_enough = users().filter(|e| e.open || e.prefix.prefix_len() >= home).map(|e| e.sure).max().unwrap_or(Tri::No);
    let subnet = world.index.private_endpoint.one(endpoint).map_or(Sym::EMPTY, |row| row.subnet);
    let mut policy = match world.endpoint_policies(subnet) {
        Some(EndpointPolicies::Enabled | EndpointPolicies::RouteTable) => Tri::Yes,
        Some(EndpointPolicies::Unknown) => Tri::Maybe,
        _ => Tri::No,
    };
    if local && !world.index.vnet_basic_endpoint_policies.has(vnet) {
        policy = policy.min(Tri::Maybe); // the address route goes, but the local route may not take its place (RTE-14)
    }
    let long_enough = if unknown { long_enough.min(Tri::Maybe) } else { long_enough };
    let stays = exactly.or(long_enough.and(policy)).negated();
    // A route table that is not in the input may hold the address itself.
    if context.unknown.is_empty() { stays } else { stays.min(Tri::Maybe) }
}

/// Whether a service endpoint of the subnet covers the address.
pub fn takes_service_endpoint(world: &World<'_>, subnet: Sym, ip: IpAddr) -> bool {
    service_route(world, subnet, ip).is_some()
}

/// The service endpoint of `subnet` whose published prefixes hold `ip`.
fn service_route(world: &World<'_>, subnet: Sym, ip: IpAddr) -> Option<Candidate> {
    if !net::is_public(ip) {
        return None;
    }
    let mut services: Vec<Sym> = world.index.service_endpoints.get(subnet).iter().map(|row| row.service).collect();
    Sym::sort(&mut services);
    services.dedup();
    services.into_iter().find_map(|service| {
        let tag = world.platform.service_tag_of_endpoint(service)?;
        let address = net::host(ip);
        let holds = |tag: Sym| world.platform.tag_ranges(tag).is_some_and(|ranges| ranges.hold(&address));
        covered_tags(world, subnet, service, tag).into_iter().any(holds).then_some(Candidate::Service { service, tag })
    })
}

/// A service endpoint of `subnet` of which nobody knows which addresses it covers: the list of service tags lacks its service, so that `ip` may be one
/// (RTE-05, NSG-25).
pub fn perhaps_service(world: &World<'_>, subnet: Sym, ip: IpAddr) -> Option<Sym> {
    // A public address of the estate is that of something else.
    if !net::is_public(ip) || world.index.public_ips_by_address.has(ip) {
        return None;
    }
    let known = |service: Sym| world.platform.service_tag_of_endpoint(service).is_some_and(|tag| world.platform.tag(tag).is_some());
    let services = world.index.service_endpoints.get(subnet).iter().map(|row| row.service);
    services.filter(|service| !known(*service)).min_by_key(|service| service.as_str())
}

/// The tags whose prefixes the service endpoints of the subnet cover.
pub fn tags_of_service_endpoints(world: &World<'_>, subnet: Sym) -> Vec<Sym> {
    let services = world.index.service_endpoints.get(subnet).iter().map(|row| row.service);
    let listed = services.filter_map(|service| Some((service, world.platform.service_tag_of_endpoint(service)?)));
    listed.flat_map(|(service, tag)| covered_tags(world, subnet, service, tag)).collect()
}

/// The published prefixes that a service endpoint of the subnet covers.
pub fn covered_prefixes(world: &World<'_>, subnet: Sym, service: Sym, tag: Sym) -> Vec<Prefix> {
    let tags = covered_tags(world, subnet, service, tag).into_iter();
    tags.flat_map(|tag| world.platform.tag(tag).unwrap_or_default()).copied().collect()
}

/// The tags whose prefixes a service endpoint of the subnet covers: those of its regions, or the service's (SE-15, SEP-04).
fn covered_tags(world: &World<'_>, subnet: Sym, service: Sym, tag: Sym) -> Vec<Sym> {
    let listed = world.index.service_endpoints.get(subnet).iter().filter(|row| row.service == service).map(|row| row.location);
    let mut regions: Vec<Sym> = listed.filter(|location| !location.is_empty() && location.as_str() != NO_LOCATION).collect();
    let own = world.region_of_subnet(subnet);
    if regions.is_empty() {
        match service.as_str() {
            "microsoft.storage" => regions.extend(std::iter::once(own).chain(world.platform.region_pair(own))),
            "microsoft.sql" => regions.push(own),
            _ => regions.push(Sym::new("*")),
        }
    }
    let everywhere = regions.iter().any(|region| region.as_str() == "*")
        || (service.as_str() == "microsoft.storage" && endpoint_policy::widens(world.index, subnet).hi());
    let regional: Vec<Sym> = regions.iter().filter_map(|region| world.platform.regional_tag(tag, *region)).collect();
    // Lists without regional tags say nothing of regions: then the whole service counts.
    if everywhere || regional.is_empty() { vec![tag] } else { regional }
}

/// Whether the service endpoint's route surely wins: a user's route at least as long, to anything but the internet, makes it doubtful, and so does
/// what a gateway announces of the same prefix (RTE-12); what nobody knows of does not (RTE-09, SE-06).
fn beats(context: &Context, entries: &[Entry], (subnet, ip): (Sym, IpAddr), world: &World<'_>, route: Candidate) -> Tri {
    let Candidate::Service { service, tag } = route else { return Tri::No };
    // Whether it has any route is not known of one that lists no location (SE-15).
    let mut listed = world.index.service_endpoints.get(subnet).iter().filter(|row| row.service == service);
    if listed.all(|row| row.location.as_str() == NO_LOCATION) {
        return Tri::Maybe;
    }
    let longest = world.platform.tag(tag).unwrap_or_default().iter().filter(|p| p.contains(&ip)).map(|p| p.prefix_len()).max().unwrap_or(0);
    let diverts = |e: &Entry| e.origin.is_user() && (e.open || e.prefix.prefix_len() >= longest) && e.hop != Hop::Internet;
    // Longer ones lose to it; which others there are does not matter (RTE-09).
    let same = |e: &Entry| e.origin == Origin::Gateway && e.sure.hi() && e.prefix.prefix_len() == longest && e.prefix.contains(&ip);
    let announced = context.entries.iter().any(same);
    let contested = announced || entries.iter().any(diverts);
    if contested { Tri::Maybe } else { Tri::Yes }
}
