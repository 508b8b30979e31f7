//! Routes, rules and names at one place, in Azure's own shapes.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::explain::candidates::{Candidate, choose, covered_prefixes};
use crate::explain::effective_dns;
use crate::explain::packet::short;
use crate::explain::stores::resolve_at;
use crate::explain::way::Place;
use crate::explain::world::World;
use crate::facts::network::Direction;
use crate::facts::selector::Selector;
use crate::model::traffic::{ANY_PORT, Ports, ports_text};
use crate::model::{Prefix, Proto, Set, Sym, Tri, net};
use crate::rules::filter::Rule;
use crate::rules::route::{Context, Entry, Hop, Origin, PLATFORM_ADDRESS};

/// The subnet whose routes and rules count at a place, and its interface where it has one.
fn standing(world: &World<'_>, place: Place) -> (Sym, Sym) {
    match place {
        Place::Subnet(subnet) => (subnet, Sym::EMPTY),
        Place::Nic(nic) => (world.index.ip_configs_by_nic.one(nic).map_or(Sym::EMPTY, |config| config.subnet), nic),
        Place::Machine(machine) => {
            let nic = world.index.nics_by_machine.get(machine).iter().map(|row| row.nic);
            let primary = nic.clone().find(|nic| world.index.nic_primary.has(*nic));
            standing(world, Place::Nic(primary.or_else(|| nic.min_by_key(|nic| nic.as_str())).unwrap_or_default()))
        }
        Place::Vnet(_) | Place::Site(_) | Place::Internet => (Sym::EMPTY, Sym::EMPTY),
    }
}

/// The effective routes of a subnet or interface, as `az network nic show-effective-route-table` prints them (RTE-01, RTE-10); with `dst`
/// the chosen ones stand under `selected`.
pub fn routes(world: &World<'_>, place: Place, dst: Option<IpAddr>) -> Value {
    let (subnet, _) = standing(world, place);
    let context = world.context(subnet);
    let mut rows: Vec<Value> = context.entries.iter().map(|entry| route(world, &context, entry, state(&context, entry))).collect();
    rows.extend(endpoint_rows(world, &context));
    rows.extend(service_rows(world, subnet));
    let mut document = Map::new();
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

/// `Invalid` where a better route has the same prefix (RTE-10).
fn state(context: &Context, entry: &Entry) -> &'static str {
    let beaten =
        context.entries.iter().any(|other| other.prefix == entry.prefix && other.origin < entry.origin && other.sure.lo() && !other.open);
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
    found.into_iter().map(|(ip, endpoint)| endpoint_row(endpoint, ip, "Active")).collect()
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
    services.sort_by_key(|service| service.as_str());
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

/// The effective rules at a subnet or interface, as `az network nic list-effective-nsg` prints them, with what each tag stands for there
/// (NSG-20 to NSG-24).
pub fn rules(world: &World<'_>, place: Place) -> Value {
    let (subnet, nic) = standing(world, place);
    let context = world.context(subnet);
    let groups = [
        ("subnet", subnet, world.index.subnet_nsg.one(subnet).map(|row| row.nsg)),
        ("networkInterface", nic, world.index.nic_nsg.one(nic).map(|row| row.nsg)),
    ];
    let mut value = Vec::new();
    for (kind, of, nsg) in groups {
        let Some(nsg) = nsg else { continue };
        let mut rules = Vec::new();
        let mut tags: Vec<Sym> = Vec::new();
        for direction in [Direction::Inbound, Direction::Outbound] {
            let Some(program) = world.program(nsg, direction) else { continue };
            for rule in &program.rules {
                let named = rule.own.iter().chain(&rule.remote).filter_map(|selector| match selector {
                    Selector::Tag(tag) => Some(*tag),
                    _ => None,
                });
                tags.extend(named);
                rules.push(effective_rule(world, &context, rule, direction));
            }
        }
        tags.sort_by_key(|tag| tag.as_str());
        tags.dedup();
        let map: Map<String, Value> =
            tags.into_iter().map(|tag| (tag_name(tag).to_owned(), texts(&expand(world, &context, tag)))).collect();
        value.push(json!({
            "association": { kind: { "id": of.as_str() } },
            "networkSecurityGroup": { "id": nsg.as_str() },
            "effectiveSecurityRules": rules,
            "tagMap": map,
        }));
    }
    if value.is_empty() && !subnet.is_empty() {
        // No group filters here; what the tags of the default rules stand for is worth knowing all the same.
        let (kind, of) = if nic.is_empty() { ("subnet", subnet) } else { ("networkInterface", nic) };
        let tags = ["virtualnetwork", "internet", "azureloadbalancer"].map(Sym::new);
        let map: Map<String, Value> =
            tags.map(|tag| (tag_name(tag).to_owned(), texts(&expand(world, &context, tag)))).into_iter().collect();
        value.push(json!({ "association": { kind: { "id": of.as_str() } }, "effectiveSecurityRules": [], "tagMap": map }));
    }
    json!({ "value": value })
}

fn effective_rule(world: &World<'_>, context: &Context, rule: &Rule, direction: Direction) -> Value {
    let (sources, destinations) = match direction {
        Direction::Inbound => (&rule.remote, &rule.own),
        Direction::Outbound => (&rule.own, &rule.remote),
    };
    let name = if rule.default { format!("defaultSecurityRules/{}", rule.id) } else { format!("securityRules/{}", short(rule.id)) };
    let (sports, dports) = ports(rule.traffic.may);
    let mut row = json!({
        "name": name,
        "priority": rule.priority,
        "direction": if direction == Direction::Inbound { "Inbound" } else { "Outbound" },
        "access": if rule.allow { "Allow" } else { "Deny" },
        "protocol": protocol(rule.traffic.may),
        "sourcePortRanges": sports,
        "destinationPortRanges": dports,
        "sourceAddressPrefixes": sources.iter().map(|s| selector_text(*s)).collect::<Vec<_>>(),
        "destinationAddressPrefixes": destinations.iter().map(|s| selector_text(*s)).collect::<Vec<_>>(),
    });
    for (key, selectors) in [("expandedSourceAddressPrefix", sources), ("expandedDestinationAddressPrefix", destinations)] {
        let tags: Vec<Prefix> = selectors
            .iter()
            .filter_map(|selector| match selector {
                Selector::Tag(tag) => Some(expand(world, context, *tag)),
                _ => None,
            })
            .flatten()
            .collect();
        if selectors.iter().any(|selector| matches!(selector, Selector::Tag(_))) {
            row[key] = texts(&tags);
        }
    }
    row
}

fn selector_text(selector: Selector) -> String {
    match selector {
        Selector::Any => "0.0.0.0/0".to_owned(),
        Selector::Prefix(prefix) => prefix.to_string(),
        Selector::Tag(tag) => tag_name(tag).to_owned(),
        Selector::Asg(asg) => asg.to_string(),
    }
}

/// Azure's spelling of the tags every NSG uses.
fn tag_name(tag: Sym) -> &'static str {
    match tag.as_str() {
        "virtualnetwork" => "VirtualNetwork",
        "internet" => "Internet",
        "azureloadbalancer" => "AzureLoadBalancer",
        other => other,
    }
}

fn protocol(traffic: Set) -> &'static str {
    let has = |proto: Proto| traffic.meets(Set::of_proto(proto));
    let all = Proto::ALL.into_iter().all(has);
    match Proto::ALL.into_iter().find(|proto| has(*proto)) {
        _ if all => "All",
        Some(Proto::Tcp) => "Tcp",
        Some(Proto::Udp) => "Udp",
        Some(Proto::Icmp) => "Icmp",
        Some(Proto::Esp) => "Esp",
        Some(Proto::Ah) => "Ah",
        None => "All",
    }
}

fn ports(traffic: Set) -> (Vec<String>, Vec<String>) {
    let text = |ports: Ports| if ports == ANY_PORT { "0-65535".to_owned() } else { ports_text(ports) };
    let mut sports: Vec<Ports> = traffic.bands().iter().flat_map(|band| band.sports.clone()).collect();
    let mut dports: Vec<Ports> = traffic.bands().iter().map(|band| band.dports).collect();
    sports.sort_unstable();
    sports.dedup();
    dports.sort_unstable();
    dports.dedup();
    (sports.into_iter().map(text).collect(), dports.into_iter().map(text).collect())
}

fn texts(prefixes: &[Prefix]) -> Value {
    Value::Array(prefixes.iter().map(|prefix| Value::String(prefix.to_string())).collect())
}

/// What a tag surely stands for at a subnet with this context.
fn expand(world: &World<'_>, context: &Context, tag: Sym) -> Vec<Prefix> {
    let network = || {
        let mut sure: Vec<Prefix> = context.network.own.clone();
        sure.extend(net::parse_prefix(PLATFORM_ADDRESS));
        sure.extend(&context.tag_sure);
        for peer in context.network.peers.iter().filter(|peer| peer.own_access && peer.usable.lo()) {
            sure.extend(peer.prefixes.iter().filter(|(_, there)| there.lo()).map(|(prefix, _)| *prefix));
        }
        sure.sort();
        sure.dedup();
        sure
    };
    match tag.as_str() {
        "virtualnetwork" => network(),
        "internet" => {
            let everything: Prefix = "0.0.0.0/0".parse().expect("a literal prefix");
            net::subtract(&net::public(everything), &network())
        }
        "azureloadbalancer" => net::parse_prefix(PLATFORM_ADDRESS).into_iter().collect(),
        _ => world.platform.tag(tag).unwrap_or_default().to_vec(),
    }
}

/// What a name resolves to at a place.
pub fn dns(world: &World<'_>, place: Place, name: Sym) -> Value {
    effective_dns::document(&resolve_at(world, place, name), "", name.as_str())
}
