//! The wiring of exfiltration: places, stores and private endpoints to the doors they stand at, and from those to what leaks.

use std::net::IpAddr;
use std::sync::Arc;

use crate::facts::Fact;
use crate::facts::config::{BoundarySubscription, BoundaryTenant};
use crate::facts::gap::{ChildType, Resource, UnreadRule};
use crate::facts::network::*;
use crate::facts::platform::Platform;
use crate::facts::private_access::*;
use crate::facts::store_facts::*;
use crate::model::{Handle, Set, Sym, Tri};
use crate::rules::boundary::{Boundary, PERIMETERS};
use crate::rules::class::name;
use crate::rules::derive::Classes;
use crate::rules::derive_places::stands;
use crate::rules::input::{Facts, column};
use crate::rules::leak::{Door, Hook, Leak, Node, Nodes, Side, Sink, leaks};
use crate::rules::part::{ByKey, Gate, Link, Part, Parts, Time, join, key, reduce, reduce_arranged};
use crate::rules::side::reply;
use crate::rules::store_side::SQL_RULES;
use crate::rules::{egress, private_endpoint, store_side};

/// What is derived of exfiltration.
pub struct Leaks<'s, T: Time> {
    /// By node: what leaks from it, as [`Part::Leak`].
    pub leaks: Parts<'s, T>,
    /// By store, or whatever else private endpoints lead to: whom it lets in, as [`Part::Admits`] and [`Part::Consents`].
    pub stores: Parts<'s, T>,
}

/// Derives it.
pub fn derive_leaks<'s, T: Time>(
    facts: &Facts<'s, T>,
    classes: &Classes<'s, T>,
    out: &Parts<'s, T>,
    into: &Parts<'s, T>,
    platform: &Arc<Platform>,
) -> Leaks<'s, T> {
    let places = places(classes, out, into, platform);
    let estate =
        Estate { boundary: boundary(facts).arrange_by_key_named("boundary"), resources: facts.by("resource", column!(Resource.id)) };
    let stores = stores(facts, &estate, platform);
    let parts = places.concat(stores.clone());
    let hooks = parts.clone().flat_map(|(_, part)| match part {
        Part::Hook(node, hook) => Some((node, hook)),
        _ => None,
    });
    let escapes = parts.clone().flat_map(|(_, part)| match part {
        Part::Escape(node, sink, span) => {
            let found = [(true, span.sure), (false, span.may)];
            found.map(|(sure, set)| (!set.is_empty()).then_some((node, Leak { sink, sure, distance: 1 }))).into_iter().flatten().collect()
        }
        _ => Vec::new(),
    });
    let placed = placed(facts, classes, &estate);
    let of_kind = |wanted: bool| {
        placed.clone().flat_map(move |(_, part)| match part {
            Part::Node(node, interior) if interior == wanted => Some(node),
            _ => None,
        })
    };
    // What stands at a door and outside the boundary is a place to leave for.
    let outside = of_kind(false);
    let beyond = hooks.clone().semijoin(outside).map(|(_, hook)| (hook, Sink::Outside));
    let behind = parts.flat_map(|(_, part)| match part {
        Part::Outer(hook, sink) => Some((hook, sink)),
        _ => None,
    });
    let found = leaks(Nodes { hooks, interior: of_kind(true), direct: escapes, outside: beyond.concat(behind) });
    let stores = stores.filter(|(_, part)| matches!(part, Part::Admits(..) | Part::Consents(..)));
    Leaks { leaks: found.map(|(node, leak)| (node, Part::Leak(leak))), stores }
}

/// The doors at which machines stand, and what leaves them in one hop.
fn places<'s, T: Time>(classes: &Classes<'s, T>, out: &Parts<'s, T>, into: &Parts<'s, T>, platform: &Arc<Platform>) -> Parts<'s, T> {
    let members = classes.members.clone().arrange_by_key_named("class by config");
    let places = classes.places.clone().arrange_by_key_named("place by config");
    let lodgers = join(&members, &places, |_, class, place| match class {
        Part::Class(class) => lodger(place).map(|lodger| (key(name(*class)), lodger)),
        _ => None,
    })
    .arrange_by_key_named("lodger by class");
    let receivers = join(&members, &places, |_, class, place| match class {
        Part::Class(class) => lodger(place).map(|lodger| (key(class.get().vnet), lodger)),
        _ => None,
    })
    .arrange_by_key_named("lodger by network");
    let for_outlooks = platform.clone();
    let outlooks =
        reduce_arranged(&classes.groups, "egress.1", Box::new(move |_, group, rows| egress::outlooks(group, &for_outlooks, rows)))
            .arrange_by_key_named("outlook by class");
    let (out, into) = (out.clone().arrange_by_key_named("out by class"), into.clone().arrange_by_key_named("into by class"));

    let to_config: crate::rules::part::Joined = |_, part, lodger| match (part, lodger) {
        (Part::Outlook(_) | Part::Near(_) | Part::Far(..) | Part::Any(_) | Part::Public(..), Part::Lodger { config, .. }) => {
            Some((key(*config), *part))
        }
        _ => None,
    };
    let around = classes
        .places
        .clone()
        .concat(classes.standing.clone())
        .concat(join(&outlooks, &lodgers, to_config))
        .concat(join(&out, &lodgers, to_config))
        .concat(join(&into, &lodgers, to_config));
    let for_hooks = platform.clone();
    let hooks = reduce(around, "egress.2", Box::new(move |_, group, rows| egress::hooks(group, &for_hooks, rows)));

    let senders = join(&outlooks, &lodgers, |_, near, lodger| match near {
        Part::Near(vnet) => Some((key(*vnet), *lodger)),
        _ => None,
    })
    .arrange_by_key_named("sender by network");
    let holding: crate::rules::part::Joined = |_, mark, lodger| match (mark, lodger) {
        (Part::Mark { to, block }, Part::Lodger { config, node, address, used }) if block.contains(address) => {
            Some(((*config, *to), Part::Block { node: *node, block: *block, used: *used }))
        }
        _ => None,
    };
    let from = join(&marks(&into, "block by receiving network"), &senders, holding).arrange_by_key_named("block of a sender");
    let to = join(&marks(&out, "block by network"), &receivers, holding).arrange_by_key_named("block of a receiver");
    let rows: crate::rules::part::Joined = |_, row, lodger| match (row, lodger) {
        (Part::Row { block, link: Link::Direct { from, to }, span }, Part::Lodger { config, .. }) => {
            let (link, span) = (Link::Direct { from: *from, to: *to }, span.within(Set::tcp_udp()));
            (!span.is_none()).then_some(((*config, *to), Part::Row { block: *block, link, span }))
        }
        _ => None,
    };
    let sends = join(&join(&out, &lodgers, rows).arrange_by_key_named("row of a sender"), &from, |_, row, block| match (row, block) {
        (Part::Row { block: to, link, span }, Part::Block { node, block, used }) => {
            let door = Door::Pair { from: Handle::new(*block), to: *to, link: *link };
            Some((*node, Part::Hook(*node, Hook { door, side: Side::Sends, span: if *used { *span } else { span.doubted() } })))
        }
        _ => None,
    });
    let takes = join(&join(&into, &lodgers, rows).arrange_by_key_named("row of a receiver"), &to, |_, row, block| match (row, block) {
        (Part::Row { block: from, link, span }, Part::Block { node, block, used }) => {
            let door = Door::Pair { from: *from, to: Handle::new(*block), link: *link };
            // Whether the guest answers by an interface that is perhaps not its first is not known (ADR-15).
            let span = if *used { *span } else { span.and(reply(Tri::Maybe)) };
            Some((*node, Part::Hook(*node, Hook { door, side: Side::Takes, span })))
        }
        _ => None,
    });
    // A receiver that does not see the sender's network names none: the sender stands at that door as well.
    let unseen = sends.clone().flat_map(|(node, part)| match part {
        Part::Hook(of, Hook { door: Door::Pair { from, to, link: Link::Direct { to: vnet, .. } }, side, span }) => {
            let link = Link::Direct { from: Sym::EMPTY, to: vnet };
            Some((node, Part::Hook(of, Hook { door: Door::Pair { from, to, link }, side, span })))
        }
        _ => None,
    });
    hooks.concat(sends).concat(unseen).concat(takes)
}

fn lodger(place: &Part) -> Option<Part> {
    let Part::Place(place) = place else { return None };
    let place = place.get();
    let address = place.address.filter(IpAddr::is_ipv4)?;
    Some(Part::Lodger { config: place.ip_config, node: place.node, address, used: place.used })
}

/// The blocks that rows of any class name, by network.
fn marks<'s, T: Time>(rows: &ByKey<'s, T>, name: &str) -> ByKey<'s, T> {
    let marks = rows.clone().flat_map_ref(|_, part| match part {
        Part::Mark { to, .. } => Some((key(*to), *part)),
        _ => None,
    });
    marks.distinct().arrange_by_key_named(name)
}

/// What holds of the estate as a whole, under the empty key.
fn boundary<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let everything = key(Sym::EMPTY);
    let stated = facts.keyed(column!(BoundarySubscription.subscription)).concat(facts.keyed(column!(BoundaryTenant.tenant)));
    let resources = facts.keyed(column!(Resource.id));
    let seen = resources.clone().flat_map(|(_, part)| match part {
        Part::Fact(Fact::Resource(row)) => Some((key(Sym::EMPTY), Part::Ref(row.subscription))),
        _ => None,
    });
    let perimeters =
        resources.filter(|(_, part)| matches!(part, Part::Fact(Fact::Resource(row)) if PERIMETERS.contains(&row.kind.as_str())));
    let parts = stated.concat(perimeters).map(move |(_, part)| (everything, part)).concat(seen.distinct());
    reduce(
        parts,
        "boundary.1",
        Box::new(|_, group, output| {
            let mut boundary = Boundary::default();
            for part in group {
                match part {
                    Part::Fact(Fact::BoundarySubscription(row)) => boundary.subscriptions.push(row.subscription),
                    Part::Fact(Fact::BoundaryTenant(row)) => boundary.tenants.push(row.tenant),
                    Part::Fact(Fact::Resource(row)) if PERIMETERS.contains(&row.kind.as_str()) => boundary.perimeter = true,
                    // A list of which one row was exported was exported (decision 24).
                    Part::Fact(Fact::Resource(row)) => boundary.complete.push(row.kind),
                    Part::Fact(Fact::CompleteType(row)) => boundary.complete.push(row.kind),
                    Part::Ref(subscription) => boundary.seen.push(*subscription),
                    _ => {}
                }
            }
            output.push((Part::Boundary(Handle::new(boundary.sorted())), 1));
        }),
    )
}

/// What tells where the boundary runs.
struct Estate<'s, T: Time> {
    /// What holds of the estate as a whole, under the empty key.
    boundary: ByKey<'s, T>,
    /// The resources, by id.
    resources: ByKey<'s, T>,
}

/// What holds of the estate as a whole and of the resource itself, brought to each of `ids`.
fn known<'s, T: Time>(ids: Parts<'s, T>, estate: &Estate<'s, T>) -> Parts<'s, T> {
    let ids = ids.distinct();
    let everything = ids.clone().map(|(id, _)| (key(Sym::EMPTY), Part::Ref(id.0))).arrange_by_key_named("id");
    let whole = join(&estate.boundary, &everything, |_, boundary, id| match id {
        Part::Ref(id) => Some((key(*id), *boundary)),
        _ => None,
    });
    let ids = ids.arrange_by_key_named("id by itself");
    let resources = join(&estate.resources, &ids, |id, resource, _| Some((*id, *resource)));
    whole.concat(resources)
}

/// By the id of a machine, an interface or a store: its nodes, `true` where bytes can rest and go on, `false` outside the boundary.
fn placed<'s, T: Time>(facts: &Facts<'s, T>, classes: &Classes<'s, T>, estate: &Estate<'s, T>) -> Parts<'s, T> {
    let machines = classes.places.clone().flat_map(|(_, part)| match part {
        Part::Place(place) => {
            let place = place.get();
            Some((key(place.node.0), Part::Node(place.node, place.rests)))
        }
        _ => None,
    });
    let stores = facts.keyed(column!(StorePart.store)).flat_map(|(id, part)| match part {
        Part::Fact(Fact::StorePart(row)) => Some((id, Part::Node(store_node(&row), true))),
        _ => None,
    });
    let nodes = machines.concat(stores).distinct();
    let ids = nodes.clone().map(|(id, _)| (id, Part::Ref(Sym::EMPTY)));
    reduce(
        nodes.concat(known(ids, estate)),
        "boundary.2",
        Box::new(|id, group, output| {
            let resource = group.iter().find_map(|part| if let Part::Fact(Fact::Resource(row)) = part { Some(row) } else { None });
            let boundary = group.iter().find_map(|part| if let Part::Boundary(handle) = part { Some(handle.get()) } else { None });
            // A node is of the input, whether or not it has a row of its own.
            let inside = !boundary.unwrap_or_default().outside(id.0, Some(resource.map_or(Sym::EMPTY, |row| row.tenant))).lo();
            for part in group {
                match part {
                    Part::Node(node, _) if !inside => output.push((Part::Node(*node, false), 1)),
                    Part::Node(node, true) => output.push((Part::Node(*node, true), 1)),
                    _ => {}
                }
            }
            // The two forms that one machine has where only some of its interfaces are in the input fall together outside.
            output.sort_unstable();
            output.dedup();
        }),
    )
}

/// The node of a store's part.
pub fn store_node(part: &StorePart) -> Node {
    (part.store, private_endpoint::group(part.part, part.instance))
}

/// The doors at which stores, and what private endpoints lead to, stand.
fn stores<'s, T: Time>(facts: &Facts<'s, T>, estate: &Estate<'s, T>, platform: &Arc<Platform>) -> Parts<'s, T> {
    let gates = gates(facts);
    let provider = facts.keyed(column!(ProviderConnection.target));
    let rules = facts.keyed(column!(StoreSubnetRule.store)).concat(facts.keyed(column!(StoreResourceRule.store)));
    let store = facts.keyed(column!(Store.store));
    let ids = store.clone().concat(gates.clone()).concat(provider.clone()).map(|(id, _)| (id, Part::Ref(Sym::EMPTY)));
    // Whether those that rules and connections name are inside stands on their own resources.
    let named = rules.clone().concat(gates.clone()).concat(provider.clone()).flat_map(|(id, part)| {
        let named = match part {
            Part::Fact(Fact::StoreSubnetRule(row)) => row.subnet,
            Part::Fact(Fact::StoreResourceRule(row)) => row.resource,
            Part::Fact(Fact::ProviderConnection(row)) => row.endpoint,
            Part::Gate(gate) => gate.get().connection.endpoint,
            _ => return None,
        };
        Some((key(named), Part::Ref(id.0)))
    });
    let named = named.distinct().arrange_by_key_named("store by what it names");
    let named = join(&estate.resources, &named, |_, resource, store| match (resource, store) {
        (Part::Fact(resource), Part::Ref(store)) => Some((key(*store), Part::Other(*resource))),
        _ => None,
    });
    let lists = facts.keyed(column!(ChildType.parent)).filter(|(_, part)| match part {
        Part::Fact(Fact::ChildType(row)) => {
            row.kind.as_str().ends_with("/privateendpointconnections") || SQL_RULES.contains(&row.kind.as_str())
        }
        _ => false,
    });
    let listed = join(
        &facts.by("provider_connection", column!(ProviderConnection.connection)),
        &facts.by("provider_connection_group", column!(ProviderConnectionGroup.connection)),
        |_, connection, group| match (connection, group) {
            (Part::Fact(Fact::ProviderConnection(row)), Part::Fact(group)) => Some((key(row.target), Part::Fact(*group))),
            _ => None,
        },
    );
    let parts = store
        .concat(listed)
        .concat(facts.keyed(column!(StorePart.store)))
        .concat(facts.keyed(column!(StoreAccess.store)))
        .concat(facts.keyed(column!(StoreSwitch.store)))
        .concat(facts.keyed(column!(StoreIpRule.store)))
        .concat(rules)
        .concat(lists)
        .concat(facts.keyed(column!(UnreadRule.holder)))
        .concat(gates)
        .concat(provider)
        .concat(named.distinct())
        .concat(known(ids, estate));
    let platform = platform.clone();
    reduce(parts, "store.1", Box::new(move |id, group, rows| store_side::hooks(id.0, group, &platform, rows)))
}

/// By target: the connections of private endpoints, with where these stand.
///
/// ```datalog
/// leads_to(E, T, G) :- private_endpoint_connection(_, E, T, G, _, _, _).                                        // gate.1
/// stands_in(E, V)   :- private_endpoint(E, S, _), subnet(S, V, _).                                              // gate.2
/// stands_in(E, V)   :- private_endpoint_nic(E, N), ip_config(_, N, S, _), subnet(S, V, _).                      // gate.2
/// ```
fn gates<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let (nics, by_nic) =
        (facts.by("private_endpoint_nic", column!(PrivateEndpointNic.nic)), facts.by("ip_config by nic", column!(IpConfig.nic)));
    let by_interface = join(&nics, &by_nic, |_, nic, config| match (nic, config) {
        (Part::Fact(Fact::PrivateEndpointNic(row)), Part::Fact(Fact::IpConfig(config))) => {
            Some((key(config.subnet), Part::Ref(row.endpoint)))
        }
        _ => None,
    });
    let by_itself = facts.keyed(column!(PrivateEndpoint.subnet)).flat_map(|(subnet, part)| match part {
        Part::Fact(Fact::PrivateEndpoint(row)) => Some((subnet, Part::Ref(row.endpoint))),
        _ => None,
    });
    let guests = by_interface.concat(by_itself).distinct();
    // Of a subnet that is not in the input nobody knows the network.
    let networks = stands(guests.concat(facts.keyed(column!(Subnet.subnet))), "gate.2", |part| match part {
        Part::Fact(Fact::Subnet(row)) => Some(row.vnet),
        _ => None,
    })
    .flat_map(|(vnet, part)| match part {
        Part::Ref(endpoint) => Some((key(endpoint), Part::Ref(vnet.0))),
        _ => None,
    });
    let configs = join(&nics, &by_nic, |_, nic, config| match (nic, config) {
        (Part::Fact(Fact::PrivateEndpointNic(row)), Part::Fact(Fact::IpConfig(config))) => {
            Some((key(config.ip_config), Part::Ref(row.endpoint)))
        }
        _ => None,
    })
    .arrange_by_key_named("endpoint by config");
    let to_endpoint: crate::rules::part::Joined = |_, fact, endpoint| match (fact, endpoint) {
        (Part::Fact(fact), Part::Ref(endpoint)) => Some((key(*endpoint), Part::Other(*fact))),
        _ => None,
    };
    let addresses = join(&facts.by("address of an endpoint", column!(IpConfigAddress.ip_config)), &configs, to_endpoint);
    let links = join(&facts.by("link of an endpoint", column!(IpConfigLink.ip_config)), &configs, to_endpoint);
    let parts = facts
        .keyed(column!(PrivateEndpointConnection.endpoint))
        .concat(facts.keyed(column!(PrivateEndpointAddress.endpoint)))
        .concat(facts.keyed(column!(PrivateEndpoint.endpoint)))
        .concat(networks)
        .concat(addresses)
        .concat(links);
    let gates = reduce(
        parts,
        "gate.1",
        Box::new(|_, group, output| {
            let networks = group.iter().filter_map(|part| if let Part::Ref(vnet) = part { Some(*vnet) } else { None });
            let unseen = !group.iter().any(|part| matches!(part, Part::Fact(Fact::PrivateEndpoint(_))));
            let mut vnets: Vec<Sym> = networks.chain(unseen.then_some(Sym::EMPTY)).collect();
            vnets.sort_unstable();
            vnets.dedup();
            for part in group {
                if let Part::Fact(Fact::PrivateEndpointConnection(row)) = part {
                    let gate = Gate { connection: *row, vnets: vnets.clone(), addresses: addresses_of(group, row.group) };
                    output.push((Part::Gate(Handle::new(gate)), 1));
                }
            }
        }),
    );
    gates.flat_map(|(_, part)| match part {
        Part::Gate(gate) => Some((key(gate.get().connection.target), part)),
        _ => None,
    })
}

/// The addresses of an endpoint for a sub-resource, best source first (PE-06).
fn addresses_of(group: &[Part], wanted: Sym) -> Vec<IpAddr> {
    let fits = |of: Sym| wanted.is_empty() || of.is_empty() || of == wanted;
    let links = |config: Sym| {
        group.iter().filter_map(move |part| match part {
            Part::Other(Fact::IpConfigLink(row)) if row.ip_config == config => Some(row.group),
            _ => None,
        })
    };
    let mut found: Vec<IpAddr> = Vec::new();
    for part in group {
        if let Part::Other(Fact::IpConfigAddress(row)) = part
            && (links(row.ip_config).next().is_none() || links(row.ip_config).any(fits))
        {
            found.push(row.address);
        }
    }
    for source in [AddressSource::CustomDns, AddressSource::Static] {
        if found.is_empty() {
            found.extend(group.iter().filter_map(|part| match part {
                Part::Fact(Fact::PrivateEndpointAddress(row)) if row.source == source && fits(row.group) => Some(row.address),
                _ => None,
            }));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
