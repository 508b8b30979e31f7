//! A host name as the destination: the client's own view decides the address, and what stands there the name (R-01, DNS-28, DNS-35, PE-30).

use std::net::IpAddr;

use crate::explain::outsiders;
use crate::explain::packet::{Host, StepExt, short, step};
use crate::explain::point::{Pair, Pairs, send};
use crate::explain::services::{From, FromPlace};
use crate::explain::store::{self, Target, public_ways, steps, ways};
use crate::explain::transport::{Client, Transport};
use crate::explain::walk::Target as Walked;
use crate::explain::way::{End, Flow, Kind, Mode, Step, Way};
use crate::explain::world::World;
use crate::facts::store_facts::StorePart;
use crate::model::{Set, Span, Stage, Sym, Tri, Via};
use crate::rules::azure_firewall::Named;
use crate::rules::dns::{self, Ambiguity, Answer, Resolution, names};
use crate::rules::{lead, private_link};

/// The ways to whatever the name leads to.
pub fn to_name(world: &World<'_>, flow: &Flow, transport: &FromPlace<'_, '_>, client: &Client, name: Sym) -> Pair {
    if let Some(part) = world.index.store_parts_by_host.one(name) {
        return ways(world, transport, client, &target(part), flow.mode, flow.traffic);
    }
    if flow.mode == Mode::Adversarial
        && let Some(part) = names::holder_of_private_name(world.index, world.platform, name.as_str()).and_then(|holder| holder.part)
    {
        return ways(world, transport, client, &target(&part), flow.mode, flow.traffic);
    }
    let resolution = resolution(world, transport, client, name);
    let chain = resolution.chain.join(" → ");
    let said = |span: Span, text: String| step(Stage::Dns, span, "dns.1", text).by(Sym::EMPTY, name.as_str());
    match resolution.answer {
        _ if resolution.ambiguity == Ambiguity::Zones => {
            let text = format!("two private zones of one name contradict each other about {name}: {}", resolution.reason);
            vec![Way { via: Via::Public, steps: vec![said(Span::UNKNOWN, text).kind(Kind::Assumption).code("DNS_UNKNOWN")] }]
        }
        Answer::NxDomain | Answer::NoData | Answer::ServFail => {
            let text = format!("{name} has no address: {} ({})", resolution.answer.as_str(), resolution.reason);
            vec![Way { via: Via::Public, steps: vec![said(Span::NONE, text)] }]
        }
        Answer::Unknown => {
            let text = format!("what {name} resolves to is not known: {}", resolution.reason);
            vec![Way { via: Via::Public, steps: vec![said(Span::UNKNOWN, text).kind(Kind::Assumption).code("DNS_UNKNOWN")] }]
        }
        Answer::Public if flow.mode == Mode::Configured && is_private_alias(world, name) => {
            let text = format!("{name} leads to a public front end, whose certificate is for the public name");
            vec![Way { via: Via::Public, steps: vec![said(Span::NONE, text)] }]
        }
        Answer::Public => match resolution.part {
            Some(part) => to_front_end(world, flow, transport, client, name, &part),
            None => to_unknown(world, flow, transport, name),
        },
        Answer::Addresses => {
            let mut out = Vec::new();
            for address in &resolution.addresses {
                let first = said(Span::ALL, format!("{name} resolves to {address} ({chain})")).kind(Kind::Fact);
                let mut found = match &transport.from {
                    From::Host(host) => send(world, flow, host, *address, Walked::Anyone, Named::Host(name)),
                    _ => below(crate::explain::point::told(world, &Flow { to: End::Ip(*address), ..*flow })),
                };
                if flow.mode == Mode::Configured {
                    found.iter_mut().for_each(|way| presented(world, way, name));
                }
                out.extend(behind(first, found));
            }
            out
        }
    }
}

fn target(part: &StorePart) -> Target {
    Target { store: part.store, part: part.part, instance: part.instance }
}

/// The public front end of a store of the input, by a name that need not be its own.
fn to_front_end(world: &World<'_>, flow: &Flow, transport: &FromPlace<'_, '_>, client: &Client, name: Sym, part: &StorePart) -> Pair {
    let text = format!("{name} leads to the public front end of {}", short(part.store));
    let first = step(Stage::Dns, Span::ALL, "dns.1", text).by(part.store, name.as_str()).kind(Kind::Fact);
    if flow.mode == Mode::Adversarial {
        // Names stop nobody: whatever leads to the store is open.
        return behind(first, ways(world, transport, client, &target(part), flow.mode, flow.traffic));
    }
    let own = names::host(world.index, world.platform, part).as_deref() == Some(name.as_str());
    let first = if own { first } else { first_doubted(first) };
    behind(first, public_ways(world, transport, client, &target(part), flow.traffic))
}

/// Whether a service takes a name that is not one of its own nobody exported: App Service does for its custom domains, most others have no certificate for it.
fn first_doubted(mut step: Step) -> Step {
    step.span = step.span.doubted();
    step.text.push_str("; whether it answers to this name is not known");
    step.kind(Kind::Assumption).code("NAME_TLS")
}

/// Puts behind each private endpoint that a way leads to what its service makes of the name (PE-29, PE-30).
///
/// A service of one's own behind a Private Link service answers to any.
fn presented(world: &World<'_>, way: &mut Way, name: Sym) {
    let Some(at) = way.steps.iter().position(|step| step.label == "endpoint.1") else { return };
    let endpoint = way.steps[at].resource;
    let takes = |lead: lead::Lead| {
        let service = private_link::service(world.index, lead.connection.target).is_some();
        if service || lead.connection.group.is_empty() && lead.certain {
            return Tri::Yes;
        }
        let own = names::hosts(world.index, world.platform, &lead.connection).iter().any(|host| host == name.as_str());
        match own {
            true if lead.certain => Tri::Yes,
            false if is_private_alias(world, name) => Tri::No,
            _ => Tri::Maybe,
        }
    };
    let text = format!("what stands behind private endpoint {} is called otherwise", short(endpoint));
    let refused =
        step(Stage::PrivateEndpoint, Span::NONE, "endpoint.2", text).by(endpoint, name.as_str()).at_fact(endpoint).kind(Kind::Fact);
    match lead::of_endpoint(world.index, endpoint).into_iter().map(takes).max().unwrap_or(Tri::Maybe) {
        Tri::Yes => {}
        Tri::No => way.steps.insert(at + 1, refused),
        Tri::Maybe => way.steps.insert(at + 1, first_doubted(Step { span: Span::ALL, ..refused })),
    }
}

/// Puts the same before the end of each way to a private endpoint by its bare address, which is no name that a service has a certificate for (PE-30).
pub fn by_address(world: &World<'_>, address: IpAddr, pairs: &mut Pairs) {
    for way in pairs.groups.iter_mut().flatten().flatten() {
        let Some(met) = way.steps.iter().find(|step| step.label == "endpoint.1") else { continue };
        let endpoint = met.resource;
        let takes = |lead: lead::Lead| match private_link::service(world.index, lead.connection.target) {
            Some(_) => Tri::Yes,
            None if lead.connection.group.is_empty() => Tri::from_bool(lead.certain).or(Tri::Maybe),
            None => Tri::No,
        };
        let takes = lead::of_endpoint(world.index, endpoint).into_iter().map(takes).max().unwrap_or(Tri::Maybe);
        if takes == Tri::Yes {
            continue;
        }
        let text = format!("what stands behind private endpoint {} wants to be called by its name", short(endpoint));
        let refused = step(Stage::PrivateEndpoint, steps::span(takes), "endpoint.2", text).by(endpoint, address.to_string());
        let refused = refused.at_fact(endpoint).kind(if takes == Tri::No { Kind::Fact } else { Kind::Assumption }).code("NAME_TLS");
        let end = way.steps.iter().rposition(|step| step.stage == Stage::Delivered).unwrap_or(way.steps.len());
        way.steps.insert(end, refused);
    }
}

/// Whether the name is one that private endpoints give a service, which no client should use: no certificate is for it.
fn is_private_alias(world: &World<'_>, name: Sym) -> bool {
    name.as_str().split('.').any(|label| label == "privatelink") && names::of_azure(world.platform, name.as_str())
}

/// A public name whose address nobody lists.
fn to_unknown(world: &World<'_>, flow: &Flow, transport: &FromPlace<'_, '_>, name: Sym) -> Pair {
    let text = format!("{name} is a public name whose address is not known");
    let first = step(Stage::Dns, Span::UNKNOWN, "dns.1", text).by(Sym::EMPTY, name.as_str()).kind(Kind::Assumption).code("DNS_UNKNOWN");
    if let From::Host(host) = &transport.from {
        return to_public_name(world, flow, host, name, first);
    }
    behind(first, below(crate::explain::point::told(world, &Flow { to: End::Internet(None), ..*flow })))
}

/// Whether what has the name may be a service of Azure whose firewall nobody exported: to a configured client any is, to an adversarial one, who has stores of
/// its own there, only one that a resource of the input is called by (DNS-35, GEN-05).
fn is_perhaps_ours(world: &World<'_>, mode: Mode, name: Sym) -> bool {
    let named = || !names::holders(world.index, world.platform, name.as_str()).is_empty();
    names::of_azure(world.platform, name.as_str()) && (mode == Mode::Configured || named())
}

/// It may be any public address, so only what passes to all of them is sure.
fn to_public_name(world: &World<'_>, flow: &Flow, host: &Host, name: Sym, first: Step) -> Pair {
    let addresses = outsiders::named_destinations(world, host);
    let each: Vec<Pair> = addresses.into_iter().map(|ip| send(world, flow, host, ip, Walked::Internet, Named::Host(name))).collect();
    let passes = |ways: &Pair| ways.iter().fold(Set::EMPTY, |set, way| set.or(way.span().sure));
    let sure = each.iter().map(passes).reduce(Set::and).filter(|_| !is_perhaps_ours(world, flow.mode, name)).unwrap_or(Set::EMPTY);
    behind(Step { span: Span { sure, may: Set::ALL }, ..first }, each.into_iter().flatten().collect())
}

fn below(pairs: Pairs) -> Pair {
    pairs.groups.into_iter().flatten().flatten().collect()
}

fn behind(first: Step, mut ways: Pair) -> Pair {
    ways.iter_mut().for_each(|way| way.steps.insert(0, first.clone()));
    ways
}

fn resolution(world: &World<'_>, transport: &dyn Transport, client: &Client, name: Sym) -> Resolution {
    let reach = |server| transport.dns_server(client, server);
    dns::resolve(world.index, world.platform, &reach, &store::view(client), name.as_str())
}
