//! A copy between two storage accounts that the accounts make themselves, once somebody has started it (X-20 … X-22).
//!
//! Whoever starts it must reach both accounts; the destination may limit where copies into it come from. The two legs and the limits are judged together:
//! the first that refuses is the reason.

use crate::explain::packet::{StepExt, short, step};
use crate::explain::point;
use crate::explain::store::steps::span;
use crate::explain::way::{Answer, Assumption, End, Flow, Kind, Step, Way};
use crate::explain::world::World;
use crate::facts::channels::CopyScope;
use crate::facts::store_facts::{Instance, PublicAccess, Service};
use crate::model::{Span, Stage, Sym, Tri, Verdict, Via};
use crate::rules::consent;

/// Ways of a copy that are listed: every way of one leg with every way of the other.
const LISTED: usize = 64;

/// Whether the copy goes through that `driver` starts: `flow` goes from the source to the destination and holds the traffic of both legs.
pub fn answer(world: &World<'_>, flow: &Flow, driver: End) -> Answer {
    let reading = leg(world, &Flow { from: driver, to: flow.from, ..*flow }, &[]);
    let writing = leg(world, &Flow { from: driver, ..*flow }, &limits(world, flow));
    joined(reading, writing)
}

/// One leg: the driver's own flow to an account, with what a copy needs besides on each way.
fn leg(world: &World<'_>, flow: &Flow, more: &[Step]) -> Answer {
    let mut pairs = point::told(world, flow);
    for way in pairs.groups.iter_mut().flatten().flatten() {
        way.steps.extend(supported(flow.to, way));
        way.steps.extend(more.iter().filter(|step| step.label != "copy.3" || way.via == Via::PrivateEndpoint).cloned());
    }
    point::judge(&point::doubted(world, flow, pairs), flow.traffic)
}

/// Copies are an operation of blobs and files; over a private endpoint the ones for `blob` and `file` carry it and no other does.
fn supported(to: End, way: &Way) -> Option<Step> {
    let End::Store(store, part, _) = to else { return None };
    let private = way.via == Via::PrivateEndpoint;
    let (passes, text) = match part.as_str() {
        "blob" | "file" => return None,
        "dfs" if !private => (Tri::Maybe, "whether a copy works over the `dfs` endpoint is not known".to_owned()),
        other if private => (Tri::No, format!("a private endpoint for `{other}` carries no copies: they need one for `blob` or `file`")),
        other => (Tri::No, format!("`{other}` knows no copies between accounts")),
    };
    let stage = if private { Stage::PrivateEndpoint } else { Stage::CopySource };
    let refused = step(stage, span(passes), "copy.1", text).by(store, part.as_str()).kind(Kind::Default);
    Some(if passes == Tri::Maybe { refused.kind(Kind::Assumption).code("W-UNSUPPORTED") } else { refused })
}

/// What the destination, and in the first years the source, ask of a copy.
fn limits(world: &World<'_>, flow: &Flow) -> Vec<Step> {
    let (End::Store(source, _, _), End::Store(destination, _, _)) = (flow.from, flow.to) else { return Vec::new() };
    let mut out = Vec::new();
    out.extend(protected_source(world, source));
    out.extend(scope(world, source, destination));
    if let End::Store(_, _, Instance::Secondary) = flow.to {
        let text = format!("the secondary endpoint of {} is there to read only", short(destination));
        out.push(step(Stage::CopyScope, Span::NONE, "copy.4", text).by(destination, "secondary").kind(Kind::Default));
    }
    out
}

/// In the first years a copy into an account over its private endpoint failed where the source's firewall was closed, whatever the driver reached.
fn protected_source(world: &World<'_>, source: Sym) -> Option<Step> {
    if !world.is_2019() {
        return None;
    }
    let access = world.index.store_access.one(source);
    let (open, rule) = match access {
        None => (Tri::Maybe, "networkAcls"),
        Some(access) => match (access.public, access.default_allow) {
            (PublicAccess::Disabled | PublicAccess::SecuredByPerimeter, _) => (Tri::No, "publicNetworkAccess=Disabled"),
            (PublicAccess::Unknown, _) => (Tri::Maybe, "publicNetworkAccess"),
            (PublicAccess::Enabled | PublicAccess::Unset, Tri::No) => (Tri::No, "defaultAction=Deny"),
            (PublicAccess::Enabled | PublicAccess::Unset, Tri::Maybe) => (Tri::Maybe, "defaultAction"),
            (PublicAccess::Enabled | PublicAccess::Unset, Tri::Yes) => return None,
        },
    };
    let text = format!("a copy over a private endpoint fails while the firewall of {} is closed", short(source));
    let protected = step(Stage::CopySource, span(open), "copy.3", text).by(source, rule).at_fact(source).kind(Kind::Fact);
    Some(if open == Tri::Maybe { protected.kind(Kind::Assumption).code("W-UNSUPPORTED") } else { protected })
}

/// `allowedCopyScope` of the destination: sources of its own tenant, or with a private endpoint in a network where it has one too.
fn scope(world: &World<'_>, source: Sym, destination: Sym) -> Option<Step> {
    let row = world.index.store_copy_scope.one(destination)?;
    let (passes, text) = match row.scope {
        CopyScope::Aad => (world.same_tenant(source, destination), "copies come from accounts of its own tenant only"),
        CopyScope::PrivateLink => {
            (share_network(world, source, destination), "copies come from accounts with a private endpoint in one of its networks only")
        }
        CopyScope::Unknown => (Tri::Maybe, "where copies may come from is not known"),
    };
    let rule = format!("allowedCopyScope={}", if row.scope == CopyScope::Aad { "AAD" } else { "PrivateLink" });
    let scope = step(Stage::CopyScope, span(passes), "copy.2", format!("{}: {text}", short(destination)));
    let scope = scope.by(destination, rule).at_fact(destination).kind(Kind::Fact);
    Some(if passes == Tri::Maybe { scope.kind(Kind::Assumption).code("W-MISSING") } else { scope })
}

/// Whether both accounts have an approved private endpoint in one network.
fn share_network(world: &World<'_>, a: Sym, b: Sym) -> Tri {
    let (ours, theirs) = (networks(world, a), networks(world, b));
    let unknown = |all: &[(Sym, Tri)]| all.iter().any(|(vnet, sure)| vnet.is_empty() && sure.hi());
    let mut best = Tri::No;
    for (vnet, sure) in ours.iter().filter(|(vnet, _)| !vnet.is_empty()) {
        for (_, also) in theirs.iter().filter(|(other, _)| other == vnet) {
            best = best.or(sure.and(*also));
        }
    }
    let open = |all: &[(Sym, Tri)]| all.iter().any(|(_, sure)| sure.hi());
    if (unknown(&ours) && open(&theirs)) || (unknown(&theirs) && open(&ours)) { best.or(Tri::Maybe) } else { best }
}

/// The networks in which an account has private endpoints, and whether they are surely approved; the empty one for an endpoint that is not in the input.
fn networks(world: &World<'_>, store: Sym) -> Vec<(Sym, Tri)> {
    let index = world.index;
    let mut found: Vec<(Sym, Tri)> = Vec::new();
    for connection in index.private_endpoint_connections_by_target.get(store) {
        let vnet = index.private_endpoint.one(connection.endpoint).map_or(Sym::EMPTY, |row| world.vnet_of(row.subnet));
        found.push((vnet, consent::of(index, connection).admitted));
    }
    for connection in index.provider_connections_by_target.get(store).iter().filter(|row| !index.private_endpoint.has(row.endpoint)) {
        found.push((Sym::EMPTY, consent::says(connection.state, connection.settled)));
    }
    if consent::provider(index, store) == consent::Provider::Unlisted {
        found.push((Sym::EMPTY, Tri::Maybe)); // its own list is not in the input (M-03)
    }
    found
}

/// Both legs must go through: the first that does not is the reason, and every pair of ways is a way of the copy.
fn joined(reading: Answer, writing: Answer) -> Answer {
    let refused = |answer: &Answer| answer.verdict == Verdict::Denied;
    let open = |answer: &Answer| answer.verdict == Verdict::Allowed;
    let verdict = match () {
        () if refused(&reading) || refused(&writing) => Verdict::Denied,
        () if open(&reading) && open(&writing) => Verdict::Allowed,
        () => Verdict::Unproven,
    };
    let first = match verdict {
        Verdict::Denied => refused(&reading),
        Verdict::Allowed => false,
        Verdict::Unproven => !open(&reading),
    };
    let mut ways: Vec<Way> = Vec::new();
    for read in &reading.ways {
        for write in &writing.ways {
            if ways.len() < LISTED {
                ways.push(Way { via: write.via, steps: read.steps.iter().chain(&write.steps).cloned().collect() });
            }
        }
    }
    let mut assumptions: Vec<Assumption> = match verdict {
        Verdict::Unproven => reading.assumptions.iter().chain(&writing.assumptions).cloned().collect(),
        _ => Vec::new(),
    };
    Assumption::tidy(&mut assumptions);
    let traffic = writing.traffic;
    let decides = if first { reading } else { writing };
    Answer { verdict, via: decides.via, reason: decides.reason, assumptions, traffic, ways }
}

/// Whether a copy can be asked for between the two ends: two endpoints of storage accounts, or one into any account outside.
///
/// # Errors
/// In plain words why not.
pub fn possible(world: &World<'_>, flow: &Flow) -> Result<(), String> {
    let storage = |end: End| match end {
        End::Store(store, _, _) => world.index.store.one(store).is_some_and(|row| row.service == Service::Storage),
        End::External(service) => service == Service::Storage,
        _ => false,
    };
    match (storage(flow.from), storage(flow.to)) {
        (true, true) => Ok(()),
        (false, _) => Err("a copy starts at one endpoint of a storage account".to_owned()),
        (true, false) => Err("a copy ends at one endpoint of a storage account".to_owned()),
    }
}
