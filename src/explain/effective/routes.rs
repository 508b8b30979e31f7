//! The effective routes of a place.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::explain::candidates::{Candidate, choose, covered_prefixes};
use crate::explain::effective::{missing, standing};
use crate::explain::packet::short;
use crate::explain::way::Place;
use crate::explain::world::World;
use crate::model::{Prefix, Sym, Tri, net};
use crate::rules::route::{Context, Entry, Hop, Origin};

/// The effective routes of a subnet or interface, as `az network nic show-effective-route-table` prints them (RTE-01, RTE-10); with `dst`
/// the chosen ones stand under `selected`. Where the subnet or its route table is not in the input no row is certain and `assumptions` names it.
pub fn routes(world: &World<'_>, place: Place, dst: Option<IpAddr>) -> Value {
    let (subnet, _) = standing(world, place);
    let context = world.context(subnet);
    let mut rows: Vec<Value> = listed(&context).map(|entry| route(world, &context, entry, state(&context, entry))).collect();
    rows.extend(endpoint_rows(world, &context));
    rows.extend(service_rows(world, subnet));
    let mut document = Map::new();
    if !subnet.is_empty() && !context.unknown.is_empty() {
        rows.iter_mut().for_each(|row| row["certainty"] = "unproven".into());
        let lacks =
            if world.index.unlisted.has(context.unknown) { "is in the input without its list `routes`" } else { "is not in the input" };
        let text = format!("{} {lacks}: which routes there are is not known", short(context.unknown));
        document.insert("assumptions".to_owned(), json!([missing(context.unknown, &text)]));
    }
    // Of what was seen only that is in doubt which not everybody saw.
    let seen = |entry: &&Entry| world.index.observed_routes.has(entry.source);
    if let Some(doubted) = context.entries.iter().filter(seen).find(|entry| entry.sure == Tri::Maybe && entry.hop != Hop::Unknown) {
        let text = "its interfaces were seen to have different routes";
        document.insert("assumptions".to_owned(), json!([missing(doubted.source, text)]));
    }
    document.insert("value".to_owned(), Value::Array(rows));
    if let Some(dst) = dst {
        let choice = choose(world, subnet, dst);
        let mut chosen: Vec<Value> = choice
            .candidates
            .iter()
            .map(|candidate| match candidate {
                Candidate::Route(entry) => route(world, &context, entry, "Active"),
                Candidate::Endpoint { endpoint, .. } => endpoint_row(*endpoint, dst, "Active"),
                Candidate::Service { service, tag } => {
                    let held = world.platform.tag(*tag).unwrap_or_default().iter().filter(|p| p.contains(&dst));
                    service_row(*service, held.max_by_key(|p| p.prefix_len()).into_iter())
                }
            })
            .collect();
        if chosen.is_empty() {
            let prefix = net::everything(net::host(dst));
            chosen.push(json!({"addressPrefix": [prefix.to_string()], "nextHopType": "None", "nextHopIpAddress": [], "source": "Default", "state": "Active"}));
        }
        document.insert("selected".to_owned(), Value::Array(chosen));
    }
    Value::Object(document)
}

/// The entries that Azure lists: the defaults of IPv6 only in a network that has such addresses.
fn listed(context: &Context) -> impl Iterator<Item = &Entry> {
    let v6 = context.network.own.iter().any(|own| own.addr().is_ipv6());
    context.entries.iter().filter(move |entry| v6 || entry.origin < Origin::SystemInternet || entry.prefix.addr().is_ipv4())
}

/// `Invalid` where a better route has the same prefix (RTE-10).
fn state(context: &Context, entry: &Entry) -> &'static str {
    // What the platform makes by itself inside networks goes before what gateways announce (RTE-09).
    let near = |entry: &Entry| entry.origin.is_preferred();
    let better = |other: &Entry| match (other.origin, entry.origin) {
        (Origin::Gateway, _) if near(entry) => false,
        (_, Origin::Gateway) if near(other) => true,
        (other, this) => other < this,
    };
    let beaten = context.entries.iter().any(|other| other.prefix == entry.prefix && better(other) && other.sure.lo() && !other.open);
    if beaten { "Invalid" } else { "Active" }
}

fn route(world: &World<'_>, context: &Context, entry: &Entry, state: &str) -> Value {
    let hop = match entry.hop {
        Hop::Local => "VnetLocal",
        Hop::Peering(_) if entry.origin == Origin::SystemGroup => "ConnectedGroup",
        Hop::Peering(remote) => {
            let region = |vnet: Sym| world.index.vnet.one(vnet).map(|row| row.location);
            match (region(context.network.vnet), region(remote)) {
                (Some(here), Some(there)) if here != there => "VNetGlobalPeering",
                _ => "VNetPeering",
            }
        }
        Hop::Appliance(_) => "VirtualAppliance",
        Hop::Gateway => "VirtualNetworkGateway",
        Hop::Internet => "Internet",
        Hop::None => "None",
        Hop::Unknown => "Unknown",
    };
    let address: Vec<String> = match entry.hop {
        Hop::Appliance(ip) => vec![ip.to_string()],
        _ => Vec::new(),
    };
    let source = if entry.origin.is_user() {
        "User"
    } else if entry.origin == Origin::Gateway {
        "VirtualNetworkGateway"
    } else {
        "Default"
    };
    let mut row = json!({
        "addressPrefix": [entry.prefix.to_string()],
        "nextHopType": hop,
        "nextHopIpAddress": address,
        "source": source,
        "state": state,
    });
    if entry.origin.is_user() {
        row["name"] = short(entry.source).into();
    }
    if entry.sure == Tri::Maybe {
        row["certainty"] = "unproven".into();
    }
    row
}

/// The routes of private endpoints in the network and its peers (PE-20).
fn endpoint_rows(world: &World<'_>, context: &Context) -> Vec<Value> {
    let network = &context.network;
    let mut vnets = vec![network.vnet];
    vnets.extend(network.peers.iter().filter(|peer| peer.usable.hi()).map(|peer| peer.vnet));
    let mut found: Vec<(IpAddr, Sym)> = Vec::new();
    for vnet in vnets {
        for subnet in world.index.subnets_by_vnet.get(vnet) {
            for endpoint in world.index.private_endpoints_by_subnet.get(subnet.subnet) {
                if world.consent(endpoint.endpoint).hi() {
                    found.extend(world.endpoint_addresses(endpoint.endpoint).into_iter().map(|ip| (ip, endpoint.endpoint)));
                }
            }
        }
    }
    found.sort_by_key(|(ip, endpoint)| (*ip, endpoint.as_str()));
    // A route of a person for just the address goes before it (RTE-08, RTE-13).
    let beaten = |ip: IpAddr| context.entries.iter().any(|e| e.origin.is_user() && e.prefix == net::host(ip) && e.sure.lo() && !e.open);
    found.into_iter().map(|(ip, endpoint)| endpoint_row(endpoint, ip, if beaten(ip) { "Invalid" } else { "Active" })).collect()
}

fn endpoint_row(endpoint: Sym, ip: IpAddr, state: &str) -> Value {
    json!({
        "addressPrefix": [net::host(ip).to_string()],
        "nextHopType": "InterfaceEndpoint",
        "nextHopIpAddress": [],
        "source": "Default",
        "state": state,
        "name": short(endpoint),
    })
}

/// The routes of the subnet's service endpoints (RTE-05).
fn service_rows(world: &World<'_>, subnet: Sym) -> Vec<Value> {
    let mut services: Vec<Sym> = world.index.service_endpoints.get(subnet).iter().map(|row| row.service).collect();
    Sym::sort(&mut services);
    services.dedup();
    services
        .into_iter()
        .map(|service| {
            let tag = world.platform.service_tag_of_endpoint(service);
            let prefixes = tag.map_or(Vec::new(), |tag| covered_prefixes(world, subnet, service, tag));
            service_row(service, prefixes.iter())
        })
        .collect()
}

fn service_row<'p>(service: Sym, prefixes: impl Iterator<Item = &'p Prefix>) -> Value {
    json!({
        "addressPrefix": prefixes.map(ToString::to_string).collect::<Vec<_>>(),
        "nextHopType": "VirtualNetworkServiceEndpoint",
        "nextHopIpAddress": [],
        "source": "Default",
        "state": "Active",
        "name": service.as_str(),
    })
}
