//! Resources that are no machines as the sources of flows to stores: what they call in their own name, and what may come from where they stand (R-07, APP-07,
//! SE-22).

use crate::explain::packet::{StepExt, short, step};
use crate::explain::point::{self, Pairs, is_public_only};
use crate::explain::services::{From, FromPlace};
use crate::explain::store::{self, Target, caller_ways};
use crate::explain::stores;
use crate::explain::transport::{Client, ClientKind};
use crate::explain::way::{End, Flow, Kind, Step};
use crate::explain::world::World;
use crate::facts::Index;
use crate::facts::network::DeviceKind;
use crate::facts::platform::Platform;
use crate::facts::store_facts::Service;
use crate::model::{Span, Stage, Sym};
use crate::rules::azure_firewall::Named;

/// The resources that stand in a subnet and whose own behaviour is not derived; one in several subnets as often (SE-22).
pub fn standing(index: &Index) -> impl Iterator<Item = Sym> {
    index.device.rows().filter(|row| row.kind == DeviceKind::Other && !row.subnet.is_empty()).map(|row| row.device)
}

/// The resources that run code of their owner's.
pub fn running(index: &Index, platform: &Platform) -> impl Iterator<Item = Sym> {
    index.resource.rows().filter(|row| platform.runs_code(row.kind)).map(|row| row.id)
}

/// The resources besides machines that open flows of their own: what stands in a subnet, what runs code of its owner's, apps, and servers that call others
/// . What other stores do by themselves is no flow of theirs. What a service has in a subnet that is delegated to it is no resource of the input,
/// and nobody could ask for it but by that subnet.
pub fn all(index: &Index, platform: &Platform) -> Vec<End> {
    let calls = index.store.rows().filter(|row| matches!(row.service, Service::Web | Service::Sql)).map(|row| row.store);
    let mut all: Vec<Sym> = standing(index).chain(running(index, platform)).chain(calls).collect();
    all.sort_unstable();
    all.dedup();
    let parts = |id: Sym| index.store_parts.get(id).iter().map(|row| End::Store(row.store, row.part, row.instance)).collect();
    all.into_iter().flat_map(|id| if index.store.has(id) { parts(id) } else { vec![End::Unmodelled(id)] }).collect()
}

/// The subnets that a resource stands in, in the order of their ids.
pub fn subnets(index: &Index, resource: Sym) -> Vec<Sym> {
    let mut found: Vec<Sym> = index.device.get(resource).iter().map(|row| row.subnet).filter(|subnet| !subnet.is_empty()).collect();
    Sym::sort(&mut found);
    found.dedup();
    found
}

/// The pairs of a flow from a resource to a store: its own call; whatever reaches the store from a subnet it stands in; and where nobody tells in which networks
/// it stands, or it may have private endpoints of its own in networks of Azure's, whatever reaches the store at all.
pub fn pairs(world: &World<'_>, flow: &Flow, resource: Sym, target: &Target) -> Pairs {
    let index = world.index;
    let mut groups = vec![vec![caller_ways(world, resource, target)]];
    let places = subnets(index, resource);
    // What the input only mentions is somebody else's, in networks of theirs.
    let there = !places.is_empty() || index.resource.has(resource) || index.store.has(resource) || index.device.has(resource);
    if !there || is_public_only(world, resource) {
        return Pairs { groups };
    }
    for &subnet in &places {
        let Some(mut placed) = stores::pairs(world, &Flow { from: End::Subnet(subnet), ..*flow }) else { continue };
        let doubt = doubt(resource, format!("what {} sends from subnet {} is not modelled", short(resource), short(subnet)));
        placed.groups.iter_mut().flatten().flatten().for_each(|way| way.steps.insert(0, doubt.clone()));
        groups.extend(placed.groups);
    }
    let kind = index.resource.one(resource).map_or(Sym::EMPTY, |row| row.kind);
    let service = index.store.one(resource).map(|row| row.service);
    // Where no address is left for a machine in its place, nobody is there to ask.
    let is_full = |subnet: &Sym| {
        let free = point::places(world, End::Subnet(*subnet)).into_iter().flat_map(|(hosts, _)| hosts).next();
        free.is_none() && index.subnet_prefixes.has(*subnet)
    };
    let full = places.iter().find(|subnet| is_full(subnet));
    // An app of which only the name was exported may stand in a subnet as well as not.
    let unseen = service == Some(Service::Web) && !index.store_access.has(resource);
    let untold = unseen || service.is_none() && !world.platform.is_placeless(kind);
    let everywhere = full.is_some() || places.is_empty() && untold;
    let managed = service != Some(Service::Web) && (service.is_some() || world.platform.runs_code(kind));
    if everywhere || managed {
        let outside = Client::nowhere(ClientKind::Machine, Named::Unknown);
        let transport = FromPlace { world, from: From::Outside, session: flow.session };
        let mut ways = store::ways_from_anywhere(world, &transport, &outside, target, flow.traffic, everywhere);
        let text = match full {
            Some(subnet) => format!("what {} sends from subnet {} is not modelled", short(resource), short(*subnet)),
            None => format!("in which networks {} stands is not in the input", short(resource)),
        };
        let doubt = doubt(resource, text);
        ways.iter_mut().for_each(|way| way.steps.insert(0, doubt.clone()));
        groups.extend((!ways.is_empty()).then(|| vec![ways]));
    }
    Pairs { groups }
}

fn doubt(resource: Sym, text: String) -> Step {
    step(Stage::Route, Span::UNKNOWN, "reach.9", text).by(resource, "").kind(Kind::Assumption).code("W-UNSUPPORTED")
}
