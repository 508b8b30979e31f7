//! The effective rules of a place.

use serde_json::{Map, Value, json};

use crate::explain::effective::{missing, standing};
use crate::explain::filters::why_unknown;
use crate::explain::packet::short;
use crate::explain::way::Place;
use crate::explain::world::World;
use crate::facts::network::Direction;
use crate::facts::selector::Selector;
use crate::model::traffic::{ANY_PORT, Ports, ports_text};
use crate::model::{Prefix, Proto, Set, Sym, net};
use crate::rules::filter::Rule;
use crate::rules::route::{Context, PLATFORM_ADDRESS};

/// The effective rules at a subnet or interface, as `az network nic list-effective-nsg` prints them, with what each tag stands for there
/// (NSG-20 to NSG-24). A group that is not in the input has no rules here, `"certainty": "unproven"`, and stands under `assumptions`.
pub fn rules(world: &World<'_>, place: Place) -> Value {
    let (subnet, nic) = standing(world, place);
    let context = world.context(subnet);
    let groups = [
        ("subnet", subnet, world.index.subnet_nsg.one(subnet).map(|row| row.nsg)),
        ("networkInterface", nic, world.index.nic_nsg.one(nic).map(|row| row.nsg)),
    ];
    let (mut value, mut assumptions) = (Vec::new(), Vec::new());
    for (kind, of, nsg) in groups {
        let Some(nsg) = nsg else { continue };
        let association = json!({ kind: { "id": of.as_str() } });
        if !world.is_group_of(nsg, subnet) {
            let text = format!("NSG {} is {}: the rules are not known", short(nsg), why_unknown(world, nsg));
            assumptions.push(missing(nsg, &text));
            value.push(json!({
                "association": association,
                "networkSecurityGroup": { "id": nsg.as_str() },
                "effectiveSecurityRules": [],
                "certainty": "unproven",
            }));
            continue;
        }
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
        Sym::sort(&mut tags);
        tags.dedup();
        let map: Map<String, Value> =
            tags.into_iter().map(|tag| (tag_name(tag).to_owned(), texts(&expand(world, &context, tag)))).collect();
        value.push(json!({
            "association": association,
            "networkSecurityGroup": { "id": nsg.as_str() },
            "effectiveSecurityRules": rules,
            "tagMap": map,
        }));
    }
    if !subnet.is_empty() && !world.index.subnet.has(subnet) {
        let text = format!("subnet {} is not in the input: whether a group filters there is not known", short(subnet));
        assumptions.push(missing(subnet, &text));
    }
    if value.is_empty() && !subnet.is_empty() {
        // No group filters here; what the tags of the default rules stand for is worth knowing all the same.
        let (kind, of) = if nic.is_empty() { ("subnet", subnet) } else { ("networkInterface", nic) };
        let tags = ["virtualnetwork", "internet", "azureloadbalancer"].map(Sym::new);
        let map: Map<String, Value> =
            tags.map(|tag| (tag_name(tag).to_owned(), texts(&expand(world, &context, tag)))).into_iter().collect();
        value.push(json!({ "association": { kind: { "id": of.as_str() } }, "effectiveSecurityRules": [], "tagMap": map }));
    }
    let mut document = Map::new();
    document.insert("value".to_owned(), Value::Array(value));
    if !assumptions.is_empty() {
        document.insert("assumptions".to_owned(), Value::Array(assumptions));
    }
    Value::Object(document)
}

fn effective_rule(world: &World<'_>, context: &Context, rule: &Rule, direction: Direction) -> Value {
    let (sources, destinations) = match direction {
        Direction::Inbound => (&rule.remote, &rule.own),
        Direction::Outbound => (&rule.own, &rule.remote),
    };
    let name = if rule.default { format!("defaultSecurityRules/{}", rule.id) } else { format!("securityRules/{}", short(rule.id)) };
    // Ports are a field of TCP and UDP; what a rule for any protocol does to others is not part of it (NSG-07).
    let with_ports = Set::tcp_udp().and(rule.traffic.may);
    let (sports, dports) = ports(if with_ports.is_empty() { rule.traffic.may } else { with_ports });
    let mut row = json!({
        "name": name,
        "priority": rule.priority,
        "direction": if direction == Direction::Inbound { "Inbound" } else { "Outbound" },
        "access": if rule.allow { "Allow" } else { "Deny" },
        "protocol": protocol(rule.traffic.may),
    });
    let prefixes = |selectors: &[Selector]| selectors.iter().map(|s| selector_text(*s)).collect::<Vec<_>>();
    let fields = [
        ("sourcePortRange", "sourcePortRanges", sports),
        ("destinationPortRange", "destinationPortRanges", dports),
        ("sourceAddressPrefix", "sourceAddressPrefixes", prefixes(sources)),
        ("destinationAddressPrefix", "destinationAddressPrefixes", prefixes(destinations)),
    ];
    for (one, many, values) in fields {
        // As Azure does: the singular field holds the first of several.
        if let Some(first) = values.first() {
            row[one] = first.as_str().into();
        }
        row[many] = values.into();
    }
    for (key, selectors) in [("expandedSourceAddressPrefix", sources), ("expandedDestinationAddressPrefix", destinations)] {
        if selectors.iter().any(|selector| matches!(selector, Selector::Tag(_))) {
            // What stands beside a tag is in the range as it is.
            let all = selectors.iter().flat_map(|selector| match selector {
                Selector::Tag(tag) => expand(world, context, *tag),
                Selector::Prefix(prefix) => vec![*prefix],
                Selector::Any => vec!["0.0.0.0/0".parse().expect("a literal prefix")],
                Selector::Asg(_) => Vec::new(),
            });
            row[key] = texts(&all.collect::<Vec<_>>());
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
    let text = |ports: Ports| match ports_text(ports) {
        _ if ports == ANY_PORT => "0-65535".to_owned(),
        range if range.contains('-') => range,
        port => format!("{port}-{port}"),
    };
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
        sure.sort_unstable();
        sure.dedup();
        sure
    };
    match tag.as_str() {
        "virtualnetwork" => network(),
        "internet" => {
            let everything: Prefix = "0.0.0.0/0".parse().expect("a literal prefix");
            let not: Vec<Prefix> = network().into_iter().chain(net::perhaps_internet_v4()).collect();
            net::subtract(&net::public(everything), &not)
        }
        "azureloadbalancer" => net::parse_prefix(PLATFORM_ADDRESS).into_iter().collect(),
        _ => world.platform.tag(tag).unwrap_or_default().to_vec(),
    }
}
