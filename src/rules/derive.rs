//! The wiring of the network half: facts to networks, effective routes, filters, places and the rows of both sides of a flow.

use std::sync::Arc;

use crate::facts::Fact;
use crate::facts::gap::{PEERINGS, ROUTES, SECURITY_RULES, Unlisted};
use crate::facts::network::*;
use crate::facts::platform::Platform;
use crate::facts::private_access::CompleteType;
use crate::facts::service::Service;
use crate::model::{Handle, Sym, Tri};
use crate::rules::class::{classify, name};
use crate::rules::derive_access::derive_covers;
use crate::rules::derive_leaks::{Leaks, derive_leaks};
use crate::rules::derive_networks::{networks, to_referrer};
use crate::rules::derive_places::places;
use crate::rules::filter::Program;
use crate::rules::input::{Facts, column};
use crate::rules::part::{ByKey, Key, Part, Parts, Programs, Reduction, Standing, Time, join, key, reduce, reduce_arranged, service_bit};
use crate::rules::route::{Context, Table};
use crate::rules::side;
use crate::rules::terrain::Terrain;

/// What is derived of the network half.
pub struct Derived<'s, T: Time> {
    /// By network: the network.
    pub networks: Parts<'s, T>,
    /// By network and route table: the effective routes.
    pub contexts: Parts<'s, T>,
    /// By security group: its filters.
    pub programs: Parts<'s, T>,
    /// By address configuration: its class.
    pub members: Parts<'s, T>,
    /// By class: what may leave, signed along the prefix tree.
    pub out: Parts<'s, T>,
    /// By class: what may enter, signed likewise.
    pub into: Parts<'s, T>,
    /// By node: how data can leave.
    pub leaks: Parts<'s, T>,
    /// By store: whom it lets in; by subnet: what its service endpoints cover.
    pub access: Parts<'s, T>,
}

/// Machines' places and their classes.
pub struct Classes<'s, T: Time> {
    /// By address configuration: the place.
    pub places: Parts<'s, T>,
    /// By address configuration: what its subnet says.
    pub standing: Parts<'s, T>,
    /// By address configuration: its class.
    pub members: Parts<'s, T>,
    /// By class: everything that decides about its members.
    pub groups: ByKey<'s, T>,
}

/// Derives it.
pub fn derive<'s, T: Time>(facts: &Facts<'s, T>, platform: &Arc<Platform>) -> Derived<'s, T> {
    let networks = networks(facts);
    let networks_by_vnet = networks.clone().arrange_by_key_named("network by vnet");
    let standings = standings(facts);
    let contexts = contexts(facts, &standings, &networks_by_vnet, platform);
    let programs = programs(facts, platform);
    let classes = classes(facts, &standings, &contexts, &programs);
    let groups = &classes.groups;
    let (for_out, for_in) = (platform.clone(), platform.clone());
    let out: Reduction = Box::new(move |_, parts, rows| side::out(parts, &for_out, rows));
    let into: Reduction = Box::new(move |_, parts, rows| side::into(parts, &for_in, rows));
    let (out, into) = (reduce_arranged(groups, "side.1", out), reduce_arranged(groups, "side.2", into));
    let Leaks { leaks, stores } = derive_leaks(facts, &classes, &out, &into, platform);
    let access = stores.concat(derive_covers(facts, platform));
    Derived { networks, contexts, programs, members: classes.members, out, into, leaks, access }
}

/// By subnet: what it says about those who stand in it.
fn standings<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let parts = facts
        .keyed(column!(Subnet.subnet))
        .concat(facts.keyed(column!(SubnetRouteTable.subnet)))
        .concat(facts.keyed(column!(SubnetNsg.subnet)))
        .concat(facts.keyed(column!(SubnetNatGateway.subnet)))
        .concat(facts.keyed(column!(SubnetDefaultOutbound.subnet)))
        .concat(facts.keyed(column!(SubnetDelegation.subnet)))
        .concat(facts.keyed(column!(SubnetServiceEndpoint.subnet)));
    reduce(
        parts,
        "address.1",
        Box::new(|_, group, output| {
            let mut standing = Standing { outbound: Tri::Yes, ..Standing::default() };
            for part in group {
                match part {
                    Part::Fact(Fact::Subnet(row)) => standing.vnet = row.vnet,
                    Part::Fact(Fact::SubnetRouteTable(row)) => standing.table = row.table,
                    Part::Fact(Fact::SubnetNsg(row)) => standing.nsg = row.nsg,
                    Part::Fact(Fact::SubnetNatGateway(_)) => standing.nat = true,
                    Part::Fact(Fact::SubnetDefaultOutbound(row)) => standing.outbound = row.allowed,
                    Part::Fact(Fact::SubnetDelegation(_)) => standing.delegated = true,
                    Part::Fact(Fact::SubnetServiceEndpoint(row)) => standing.services |= services_of(row.service),
                    _ => {}
                }
            }
            if !standing.vnet.is_empty() {
                output.push((Part::Standing(standing), 1));
            }
        }),
    )
}

/// The services that a service endpoint of a name is for.
fn services_of(endpoint: Sym) -> u32 {
    Service::ALL.iter().filter(|service| service.has_endpoint(endpoint.as_str())).fold(0, |bits, service| bits | service_bit(*service))
}

/// By network and route table: the effective routes.
fn contexts<'s, T: Time>(
    facts: &Facts<'s, T>,
    standings: &Parts<'s, T>,
    networks: &ByKey<'s, T>,
    platform: &Arc<Platform>,
) -> Parts<'s, T> {
    let wanted = standings.clone().flat_map(|(_, part)| match part {
        Part::Standing(standing) => Some((standing.vnet, standing.table)),
        _ => None,
    });
    let wanted = wanted.distinct();
    let by_vnet = wanted.clone().map(|(vnet, table)| (key(vnet), Part::Ref(table))).arrange_by_key_named("table by vnet");
    let by_table = wanted.map(|(vnet, table)| (key(table), Part::Ref(vnet))).arrange_by_key_named("vnet by table");
    let network = join(networks, &by_vnet, |vnet, network, table| match table {
        Part::Ref(table) => Some(((vnet.0, *table), *network)),
        _ => None,
    });
    let to_context: crate::rules::part::Joined = |table, fact, vnet| match vnet {
        Part::Ref(vnet) => Some(((*vnet, table.0), *fact)),
        _ => None,
    };
    let untold = join(&untold(facts, ROUTES).arrange_by_key_named("table without its routes"), &by_table, to_context);
    let table = join(&facts.by("route_table", column!(RouteTable.table)), &by_table, to_context);
    let overrides = join(&facts.by("route_bgp_override by table", column!(RouteBgpOverride.table)), &by_table, to_context);
    let routes = join(&facts.by("route by table", column!(Route.table)), &by_table, to_context);
    let platform = platform.clone();
    reduce(
        network.concat(table).concat(untold).concat(routes).concat(overrides),
        "route.3",
        Box::new(move |(_, table), group, output| {
            let mut network = None;
            let mut known = None;
            let mut listed = true;
            let mut routes = Vec::new();
            let mut overrides = Vec::new();
            for part in group {
                match part {
                    Part::Network(handle) => network = Some(handle.get()),
                    Part::Fact(Fact::RouteTable(row)) => known = Some(row.gateway_routes),
                    Part::Fact(Fact::Route(row)) => routes.push(*row),
                    Part::Fact(Fact::Unlisted(_)) => listed = false,
                    Part::Fact(Fact::RouteBgpOverride(row)) => overrides.push((row.route, row.wins)),
                    _ => {}
                }
            }
            let Some(network) = network else { return };
            routes.sort_unstable();
            let table = match known.filter(|_| listed) {
                _ if table.is_empty() => Table::None,
                Some(gateway_routes) => Table::Known { table: *table, gateway_routes, routes, overrides },
                None => Table::Missing(*table),
            };
            let context = Context::new(network, &table, &platform);
            output.push((Part::Terrain(Handle::new(Terrain::of(&context))), 1));
            output.push((Part::Context(Handle::new(context)), 1));
        }),
    )
}

/// By group, table or network: that it lacks the list of its children, where the input has none of the type (M-03).
///
/// ```datalog
/// lacking(P, K) :- unlisted(P, K), !complete_type(K).                                                    // filter.10
/// untold(P) :- lacking(P, "networksecuritygroups/securityrules"), !nsg_rule(_, _, _, _, _, _, _, _, _, _).  // filter.10
/// untold(P) :- lacking(P, "routetables/routes"), !route(_, _, _, _, _).                                  // filter.10
/// untold(P) :- lacking(P, "virtualnetworks/virtualnetworkpeerings"), !peering(_, _, _, _, _, _, _, _, _, _).  // filter.10
/// ```
pub(super) fn untold<'s, T: Time>(facts: &Facts<'s, T>, kind: &'static str) -> Parts<'s, T> {
    let told = match kind {
        ROUTES => facts.keyed(column!(Route.route)),
        PEERINGS => facts.keyed(column!(Peering.peering)),
        _ => facts.keyed(column!(NsgRule.rule)),
    };
    let told = told.map(|_| (key(Sym::EMPTY), Part::Ref(Sym::EMPTY))).distinct();
    let of_kind = move |(of, part): (Key, Part)| (of.0.as_str() == kind).then_some((key(Sym::EMPTY), part));
    let complete = facts.keyed(column!(CompleteType.kind)).flat_map(of_kind);
    let lacking = facts.keyed(column!(Unlisted.kind)).flat_map(of_kind);
    let untold = reduce(
        told.concat(complete).concat(lacking),
        "filter.10",
        Box::new(|_, group, output| {
            if group.iter().all(|part| matches!(part, Part::Fact(Fact::Unlisted(_)))) {
                output.extend(group.iter().map(|part| (*part, 1)));
            }
        }),
    );
    untold.flat_map(|(_, part)| match part {
        Part::Fact(Fact::Unlisted(row)) => Some((key(row.parent), part)),
        _ => None,
    })
}

/// By security group: its filters.
fn programs<'s, T: Time>(facts: &Facts<'s, T>, platform: &Arc<Platform>) -> Parts<'s, T> {
    let platform = platform.clone();
    let parts = facts.keyed(column!(Nsg.nsg)).concat(facts.keyed(column!(NsgRule.nsg))).concat(untold(facts, SECURITY_RULES));
    reduce(
        parts,
        "filter.0",
        Box::new(move |nsg, group, output| {
            let rules: Vec<NsgRule> = group
                .iter()
                .filter_map(|part| match part {
                    Part::Fact(Fact::NsgRule(rule)) => Some(*rule),
                    _ => None,
                })
                .collect();
            if !group.iter().any(|part| matches!(part, Part::Fact(Fact::Nsg(_)))) {
                return; // rules of a group that is not in the input
            }
            if group.iter().any(|part| matches!(part, Part::Fact(Fact::Unlisted(_)))) {
                return;
            }
            let compile = |direction| Program::new(nsg.0, direction, &rules, &platform);
            let programs = Programs { inbound: compile(Direction::Inbound), outbound: compile(Direction::Outbound) };
            output.push((Part::Programs(nsg.0, Handle::new(programs)), 1));
        }),
    )
}

/// By class: everything that decides what may leave and enter its members; and the class of each place.
fn classes<'s, T: Time>(
    facts: &Facts<'s, T>,
    standings: &Parts<'s, T>,
    contexts: &Parts<'s, T>,
    programs: &Parts<'s, T>,
) -> Classes<'s, T> {
    let places = places(facts);
    let places_by_subnet = places
        .clone()
        .flat_map(|(_, part)| match part {
            Part::Place(place) => Some((key(place.get().subnet), part)),
            _ => None,
        })
        .arrange_by_key_named("place by subnet");
    let standings_by_subnet = standings.clone().arrange_by_key_named("standing by subnet");
    let programs = programs.clone().arrange_by_key_named("programs");
    let standing = join(&standings_by_subnet, &places_by_subnet, |_, standing, place| match place {
        Part::Place(place) => Some((key(place.get().ip_config), *standing)),
        _ => None,
    });
    let by_subnet_nsg = join(&standings_by_subnet, &places_by_subnet, |_, standing, place| match (standing, place) {
        (Part::Standing(standing), Part::Place(place)) if !standing.nsg.is_empty() => {
            Some((key(standing.nsg), Part::Ref(place.get().ip_config)))
        }
        _ => None,
    });
    let by_nic_nsg = places.clone().flat_map(|(_, part)| match part {
        Part::Place(place) if !place.get().nsg.is_empty() => Some((key(place.get().nsg), Part::Ref(place.get().ip_config))),
        _ => None,
    });
    let by_nsg = by_subnet_nsg.concat(by_nic_nsg).distinct().arrange_by_key_named("place by nsg");
    let filters = join(&programs, &by_nsg, to_referrer);
    let members = reduce(
        places.clone().concat(standing.clone()).concat(filters),
        "class.1",
        Box::new(|_, group, output| output.extend(classify(group).map(|class| (Part::Class(class), 1)))),
    );

    let known = members.clone().flat_map(|(_, part)| match part {
        Part::Class(class) => Some((key(name(class)), part)),
        _ => None,
    });
    let known = known.distinct();
    let by_context = known.clone().flat_map(|(id, part)| match part {
        Part::Class(class) => Some(((class.get().vnet, class.get().table), Part::Ref(id.0))),
        _ => None,
    });
    let by_context = by_context.arrange_by_key_named("class by context");
    let context = join(&contexts.clone().arrange_by_key_named("context"), &by_context, to_referrer);
    let by_nsg = known.clone().flat_map(|(id, part)| {
        let nsgs = match part {
            Part::Class(class) => class.get().nsgs,
            _ => [Sym::EMPTY; 2],
        };
        nsgs.into_iter().filter(|nsg| !nsg.is_empty()).map(move |nsg| (key(nsg), Part::Ref(id.0)))
    });
    let filters = join(&programs, &by_nsg.distinct().arrange_by_key_named("class by nsg"), to_referrer);
    let groups = known.concat(context).concat(filters).arrange_by_key_named("class");
    Classes { places, standing, members, groups }
}
