//! The wiring of the network half: facts to networks, effective routes, filters, places and the rows of both sides of a flow.

use std::sync::Arc;

use crate::facts::Fact;
use crate::facts::config::Appliance;
use crate::facts::hub::*;
use crate::facts::manager::*;
use crate::facts::network::*;
use crate::facts::platform::Platform;
use crate::facts::private_access::{PrivateEndpoint, PrivateEndpointAsg};
use crate::facts::service::Service;
use crate::model::{Handle, Sym, Tri};
use crate::rules::class::{classify, name};
use crate::rules::derive_access::derive_covers;
use crate::rules::derive_leaks::{Leaks, derive_leaks};
use crate::rules::filter::Program;
use crate::rules::input::{Facts, column};
use crate::rules::network::{Around, AroundGateways, assemble, assemble_gateways};
use crate::rules::part::{
    Body, ByKey, Key, Part, Parts, Place, Programs, Reduction, Standing, Time, join, key, reduce, reduce_arranged, service_bit,
};
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

/// A network as its subnets see it.
///
/// ```datalog
/// joined(V, W)   :- peering(P, V, W, "connected", _, _, _, _, _, _), peering(Q, W, V, "connected", _, _, _, _, _, _).  // peering.1
/// behind(G, P, S) :- connection(_, "ipsec", G, S, "yes", _), local_gateway_prefix(S, P).                            // gateway.1
/// ```
fn networks<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let own = facts.keyed(column!(VnetPrefix.vnet));
    let sides = facts.keyed(column!(Peering.vnet));
    let own_by_vnet = own.clone().arrange_by_key_named("vnet_prefix by vnet");
    let sides_by_remote = facts.by("peering by remote", column!(Peering.remote));
    let sides_by_id = facts.by("peering by id", column!(Peering.peering));
    let recorded_by_peering = facts.by("peering_prefix by peering", column!(PeeringPrefix.peering));
    let vnets = facts.by("vnet", column!(Vnet.vnet));

    let reciprocal = facts.keyed(column!(Peering.remote)).map(|(remote, part)| match part {
        Part::Fact(fact) => (remote, Part::Other(fact)),
        other => (remote, other),
    });
    let recorded = join(&recorded_by_peering, &sides_by_id, |_, prefix, side| match side {
        Part::Fact(Fact::Peering(side)) => Some((key(side.vnet), *prefix)),
        _ => None,
    });
    let only_v6 = facts.by("peering_only_v6", column!(PeeringOnlyV6.peering));
    let to_side: crate::rules::part::Joined = |_, only, side| match side {
        Part::Fact(Fact::Peering(side)) => Some((key(side.vnet), *only)),
        _ => None,
    };
    let to_other: crate::rules::part::Joined = |_, only, side| match side {
        Part::Fact(Fact::Peering(side)) => Some((key(side.remote), *only)),
        _ => None,
    };
    let only_v6 = join(&only_v6, &sides_by_id, to_side).concat(join(&only_v6, &sides_by_id, to_other));
    let known = join(&vnets, &sides_by_remote, seen_from);
    let space = join(&own_by_vnet, &sides_by_remote, seen_from);

    // The spaces around a network, once a network: those who look through it carry a handle.
    let around = reduce(sides.clone().concat(recorded.clone()).concat(space.clone()), "peering.4", Box::new(spaces_around));
    let around_by_vnet = around.arrange_by_key_named("spaces by vnet");
    let beyond = join(&around_by_vnet, &sides_by_remote, |_, spaces, side| match (spaces, side) {
        (Part::Beyond { .. }, Part::Fact(Fact::Peering(side))) if side.forwarded => Some((key(side.vnet), *spaces)),
        _ => None,
    });

    let gateways = gateways(facts);
    let gateways_by_vnet = gateways.clone().arrange_by_key_named("gateways by vnet");
    let remote_gateways = join(&gateways_by_vnet, &sides_by_remote, |vnet, offered, side| match (offered, side) {
        (Part::Gateways(offered), Part::Fact(Fact::Peering(side))) if side.use_remote_gateways => {
            Some((key(side.vnet), Part::RemoteGateways(vnet.0, *offered)))
        }
        _ => None,
    });
    // A network of which only subnets are in the input is one of which nothing else is known.
    let stood_in = facts.keyed(column!(Subnet.vnet)).map(|(vnet, _)| (vnet, Part::Ref(Sym::EMPTY))).distinct();
    let clouds = facts.keyed(column!(Clouded.vnet));
    // What managers and hubs do is derived for single points only: here the networks they touch, and those that look through one, are not derived.
    let touched = facts
        .keyed(column!(GroupMember.vnet))
        .concat(facts.keyed(column!(ManagerApplied.vnet)))
        .concat(facts.keyed(column!(ConnectivityHub.vnet)))
        .concat(facts.keyed(column!(HubConnection.vnet)))
        .arrange_by_key_named("what a manager or hub touches");
    let through = join(&touched, &sides_by_remote, seen_from);
    let policies = facts.keyed(column!(GroupPolicy.policy)).map(|(_, part)| (key(Sym::EMPTY), part));
    let anybody = facts.keyed(column!(Vnet.vnet)).map(|(vnet, _)| (key(Sym::EMPTY), Part::Ref(vnet.0)));
    let by_policy = join(&policies.arrange_by_key_named("group policy"), &anybody.arrange_by_key_named("any network"), to_referrer);
    let parts = own
        .concat(stood_in)
        .concat(facts.keyed(column!(Vnet.vnet)))
        .concat(sides)
        .concat(reciprocal)
        .concat(recorded)
        .concat(known.distinct())
        .concat(space.distinct())
        .concat(beyond.distinct())
        .concat(gateways)
        .concat(remote_gateways.distinct())
        .concat(only_v6.distinct())
        .concat(clouds)
        .concat(touched.as_collection(|vnet, part| (*vnet, *part)))
        .concat(through.distinct())
        .concat(by_policy);
    reduce(
        parts,
        "route.0",
        Box::new(|vnet, group, output| output.push((Part::Network(Handle::new(assemble(vnet.0, &around_of(group)))), 1))),
    )
}

/// The network that a fact of a network manager or a virtual hub is about.
fn touched_network(fact: &Fact) -> Option<Key> {
    match fact {
        Fact::GroupMember(row) => Some(key(row.vnet)),
        Fact::ManagerApplied(row) => Some(key(row.vnet)),
        Fact::ConnectivityHub(row) => Some(key(row.vnet)),
        Fact::HubConnection(row) => Some(key(row.vnet)),
        _ => None,
    }
}

/// A fact about the remote network, brought to the network that sees it.
fn seen_from(_: &Key, fact: &Part, side: &Part) -> Option<(Key, Part)> {
    match (fact, side) {
        (Part::Fact(fact), Part::Fact(Fact::Peering(side))) => Some((key(side.vnet), Part::Other(*fact))),
        _ => None,
    }
}

fn spaces_around(vnet: &Key, group: &[Part], output: &mut Vec<(Part, isize)>) {
    let mut spaces = Vec::new();
    for part in group {
        let Part::Fact(Fact::Peering(side)) = part else { continue };
        for part in group {
            match part {
                Part::Fact(Fact::PeeringPrefix(row)) if row.peering == side.peering => spaces.push((side.remote, row.prefix)),
                _ => {}
            }
        }
    }
    for part in group {
        if let Part::Other(Fact::VnetPrefix(row)) = part {
            spaces.push((row.vnet, row.prefix));
        }
    }
    spaces.sort();
    spaces.dedup();
    output.push((Part::Beyond { through: vnet.0, spaces: Handle::new(spaces) }, 1));
}

fn around_of(group: &[Part]) -> Around {
    let mut around = Around::default();
    for part in group {
        match part {
            Part::Fact(Fact::VnetPrefix(row)) => around.own.push(row.prefix),
            Part::Fact(Fact::Peering(row)) => around.sides.push(*row),
            Part::Other(Fact::Peering(row)) => around.reciprocal.push(*row),
            Part::Fact(Fact::PeeringPrefix(row)) => around.recorded.push(*row),
            Part::Fact(Fact::PeeringOnlyV6(row)) => around.only_v6.push(row.peering),
            Part::Fact(Fact::Vnet(_)) => around.in_input = true,
            Part::Other(Fact::Vnet(row)) => around.known.push(row.vnet),
            Part::Other(Fact::VnetPrefix(row)) => around.remote_space.push((row.vnet, row.prefix)),
            Part::Beyond { through, spaces } => {
                around.beyond.extend(spaces.get().iter().map(|(of, prefix)| (*through, *of, *prefix)));
            }
            Part::Gateways(offered) => around.gateway = (*offered.get()).clone(),
            Part::RemoteGateways(vnet, offered) => around.remote_gateways.push((*vnet, (*offered.get()).clone())),
            Part::Fact(Fact::Clouded(row)) if row.what.as_str() == "routes" => around.clouds.push(row.resource),
            Part::Fact(Fact::Clouded(row)) => around.filters_clouded |= row.what.as_str() == "filters",
            Part::Fact(fact) | Part::Other(fact) if touched_network(fact).is_some() || matches!(fact, Fact::GroupPolicy(_)) => {
                around.clouds.push(fact.cells().first().map_or(Sym::EMPTY, |cell| Sym::new(cell)));
                around.filters_clouded = true;
            }
            _ => {}
        }
    }
    around
}

/// By network: what its gateways offer.
fn gateways<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let subnets = facts.by("subnet", column!(Subnet.subnet));
    let standing = facts.by("gateway_subnet by subnet", column!(GatewaySubnet.subnet));
    let home = join(&standing, &subnets, |_, gateway, subnet| match (gateway, subnet) {
        (Part::Fact(Fact::GatewaySubnet(row)), Part::Fact(Fact::Subnet(subnet))) => Some((key(row.gateway), Part::Ref(subnet.vnet))),
        _ => None,
    });
    let home = home.distinct().arrange_by_key_named("vnet by gateway");
    let gateways = join(&facts.by("gateway", column!(Gateway.gateway)), &home, to_referrer);
    let clients = join(&facts.by("gateway_client_pool", column!(GatewayClientPool.gateway)), &home, to_referrer);
    let defaults = join(&facts.by("gateway_default_site", column!(GatewayDefaultSite.gateway)), &home, to_referrer);
    let servers = join(&facts.by("route_server by subnet", column!(RouteServer.subnet)), &subnets, |_, server, subnet| match subnet {
        Part::Fact(Fact::Subnet(subnet)) => Some((key(subnet.vnet), *server)),
        _ => None,
    });
    let connections = join(&facts.by("connection", column!(Connection.gateway)), &home, to_referrer);
    let peers = connections
        .clone()
        .flat_map(|(vnet, part)| match part {
            Part::Fact(Fact::Connection(row)) => Some((key(row.peer), Part::Ref(vnet.0))),
            _ => None,
        })
        .distinct()
        .arrange_by_key_named("vnet by connected peer");
    let behind = join(&facts.by("local_gateway_prefix", column!(LocalGatewayPrefix.site)), &peers, to_referrer);
    let sites = join(&facts.by("local_gateway", column!(LocalGateway.site)), &peers, to_referrer);
    let parts = gateways.concat(servers).concat(clients).concat(defaults).concat(connections).concat(behind).concat(sites);
    reduce(
        parts,
        "gateway.1",
        Box::new(|_, group, output| {
            let mut around = AroundGateways::default();
            for part in group {
                match part {
                    Part::Fact(Fact::Gateway(row)) => around.gateways.push(*row),
                    Part::Fact(Fact::Connection(row)) => around.connections.push(*row),
                    Part::Fact(Fact::RouteServer(row)) => around.route_servers.push(row.server),
                    Part::Fact(Fact::LocalGatewayPrefix(row)) => around.behind.push((row.site, row.prefix)),
                    Part::Fact(Fact::LocalGateway(row)) if row.bgp => around.bgp_peers.push(row.site),
                    Part::Fact(Fact::GatewayDefaultSite(row)) => around.default_sites.push((row.gateway, row.site)),
                    Part::Fact(Fact::GatewayClientPool(row)) => around.clients.push((row.gateway, row.prefix)),
                    _ => {}
                }
            }
            output.push((Part::Gateways(Handle::new(assemble_gateways(&around))), 1));
        }),
    )
}

/// A fact, brought to whoever refers to its key.
fn to_referrer(_: &Key, fact: &Part, referrer: &Part) -> Option<(Key, Part)> {
    match referrer {
        Part::Ref(id) => Some((key(*id), *fact)),
        _ => None,
    }
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
    let table = join(&facts.by("route_table", column!(RouteTable.table)), &by_table, to_context);
    let overrides = join(&facts.by("route_bgp_override by table", column!(RouteBgpOverride.table)), &by_table, to_context);
    let routes = join(&facts.by("route by table", column!(Route.table)), &by_table, to_context);
    let platform = platform.clone();
    reduce(
        network.concat(table).concat(routes).concat(overrides),
        "route.3",
        Box::new(move |(_, table), group, output| {
            let mut network = None;
            let mut known = None;
            let mut routes = Vec::new();
            let mut overrides = Vec::new();
            for part in group {
                match part {
                    Part::Network(handle) => network = Some(handle.get()),
                    Part::Fact(Fact::RouteTable(row)) => known = Some(row.gateway_routes),
                    Part::Fact(Fact::Route(row)) => routes.push(*row),
                    Part::Fact(Fact::RouteBgpOverride(row)) => overrides.push((row.route, row.wins)),
                    _ => {}
                }
            }
            let Some(network) = network else { return };
            routes.sort();
            let table = match known {
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

/// By security group: its filters.
fn programs<'s, T: Time>(facts: &Facts<'s, T>, platform: &Arc<Platform>) -> Parts<'s, T> {
    let platform = platform.clone();
    let parts = facts.keyed(column!(Nsg.nsg)).concat(facts.keyed(column!(NsgRule.nsg)));
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

/// By application security group: whether being a member counts surely: only where all members of a group are in one network (NSG-09).
///
/// ```datalog
/// spread(G, V) :- ip_config_asg(I, G), ip_config(I, _, S, _), subnet(S, V, _).                  // address.3
/// spread(G, V) :- private_endpoint_asg(E, G), private_endpoint(E, S, _), subnet(S, V, _).       // address.4
/// ```
fn certainty<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let configs = facts.by("ip_config by id", column!(IpConfig.ip_config));
    let groups = facts.by("ip_config_asg by config", column!(IpConfigAsg.ip_config));
    let machines = join(&groups, &configs, |_, group, config| match (group, config) {
        (Part::Fact(Fact::IpConfigAsg(group)), Part::Fact(Fact::IpConfig(config))) => Some((key(config.subnet), Part::Ref(group.asg))),
        _ => None,
    });
    let endpoints = facts.by("private_endpoint by id", column!(PrivateEndpoint.endpoint));
    let groups = facts.by("private_endpoint_asg by endpoint", column!(PrivateEndpointAsg.endpoint));
    let endpoints = join(&groups, &endpoints, |_, group, endpoint| match (group, endpoint) {
        (Part::Fact(Fact::PrivateEndpointAsg(group)), Part::Fact(Fact::PrivateEndpoint(endpoint))) => {
            Some((key(endpoint.subnet), Part::Ref(group.asg)))
        }
        _ => None,
    });
    let by_subnet = machines.concat(endpoints).distinct().arrange_by_key_named("asg by subnet");
    let spread = join(&facts.by("subnet for asg", column!(Subnet.subnet)), &by_subnet, |_, subnet, group| match (subnet, group) {
        (Part::Fact(Fact::Subnet(subnet)), Part::Ref(group)) => Some((key(*group), Part::Ref(subnet.vnet))),
        _ => None,
    });
    reduce(
        spread.distinct(),
        "address.3",
        Box::new(|group, vnets, output| {
            let sure = if vnets.len() == 1 { Tri::Yes } else { Tri::Maybe };
            output.push((Part::Member { config: Sym::EMPTY, asg: group.0, sure }, 1));
        }),
    )
}

/// By address configuration: the place of each one of a machine's interfaces.
///
/// ```datalog
/// place(I, N, S, A) :- ip_config(I, N, S, _), nic(N, "machine", _), ip_config_address(I, A).   // address.2
/// ```
fn places<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let configs = facts.by("ip_config for its interface", column!(IpConfig.ip_config));
    let to_nic: crate::rules::part::Joined = |_, part, config| match config {
        Part::Fact(Fact::IpConfig(config)) => Some((key(config.nic), *part)),
        _ => None,
    };
    let addresses = join(&facts.by("ip_config_address", column!(IpConfigAddress.ip_config)), &configs, to_nic);
    let members = facts.by("ip_config_asg by asg", column!(IpConfigAsg.asg));
    let members = join(&members, &certainty(facts).arrange_by_key_named("asg"), |_, member, certainty| match (member, certainty) {
        (Part::Fact(Fact::IpConfigAsg(member)), Part::Member { asg, sure, .. }) => {
            Some((key(member.ip_config), Part::Member { config: member.ip_config, asg: *asg, sure: *sure }))
        }
        _ => None,
    });
    let members = join(&members.arrange_by_key_named("member by config"), &configs, to_nic);
    let public = join(&facts.by("ip_config_public_ip", column!(IpConfigPublicIp.ip_config)), &configs, to_nic);
    let v6 = join(
        &facts.by("public_ip_address", column!(PublicIpAddress.public_ip)),
        &facts.by("ip_config by public_ip", column!(IpConfigPublicIp.public_ip)),
        |_, address, config| match (address, config) {
            (Part::Fact(Fact::PublicIpAddress(address)), Part::Fact(Fact::IpConfigPublicIp(config))) if address.address.is_ipv6() => {
                Some((key(config.ip_config), Part::Other(Fact::IpConfigPublicIp(*config))))
            }
            _ => None,
        },
    );
    let v6 = join(&v6.arrange_by_key_named("public address of IPv6"), &configs, to_nic);
    let pools = join(&facts.by("ip_config_pool", column!(IpConfigPool.ip_config)), &configs, to_nic);
    let parts = facts
        .keyed(column!(IpConfig.nic))
        .concat(facts.keyed(column!(Nic.nic)))
        .concat(facts.keyed(column!(NicNsg.nic)))
        .concat(facts.keyed(column!(NicPrimary.nic)))
        .concat(facts.keyed(column!(Appliance.nic)))
        .concat(bodies(facts))
        .concat(addresses)
        .concat(public)
        .concat(v6)
        .concat(pools)
        .concat(members);
    let places = reduce(parts, "address.2", Box::new(|nic, group, output| places_of(nic.0, group, output)));
    places.flat_map(|(_, part)| match part {
        Part::Place(place) => Some((key(place.get().ip_config), part)),
        _ => None,
    })
}

/// By interface: the machine around it.
///
/// ```datalog
/// beside(N, O) :- nic_machine(N, M), nic_machine(O, M), N != O.                                  // address.5
/// ```
fn bodies<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let machine_by_nic = facts.by("nic_machine by nic", column!(NicMachine.nic));
    let to_machine: crate::rules::part::Joined = |_, fact, machine| match (fact, machine) {
        (Part::Fact(fact), Part::Fact(Fact::NicMachine(row))) => Some((key(row.machine), Part::Other(*fact))),
        _ => None,
    };
    let parts = facts
        .keyed(column!(NicMachine.machine))
        .concat(facts.keyed(column!(Machine.machine)))
        .concat(facts.keyed(column!(MachineScaleSet.machine)))
        .concat(join(&facts.by("nic of a machine", column!(Nic.nic)), &machine_by_nic, to_machine))
        .concat(join(&facts.by("appliance of a machine", column!(Appliance.nic)), &machine_by_nic, to_machine));
    let bodies = reduce(
        parts,
        "address.5",
        Box::new(|machine, group, output| {
            let has = |wanted: fn(&Part) -> bool| group.iter().filter(|part| wanted(part)).count();
            let nics = has(|part| matches!(part, Part::Fact(Fact::NicMachine(_))));
            let body = Body {
                machine: machine.0,
                sole: nics == 1,
                flexible: has(|part| match part {
                    Part::Fact(Fact::Machine(row)) => row.kind == MachineKind::FlexibleScaleSet,
                    Part::Fact(Fact::MachineScaleSet(_)) => true,
                    _ => false,
                }) > 0,
                missing: has(|part| matches!(part, Part::Other(Fact::Nic(_)))) < nics,
                stated: has(|part| matches!(part, Part::Other(Fact::Appliance(_)))) > 0,
            };
            output.push((Part::Body(Handle::new(body)), 1));
        }),
    );
    join(
        &bodies.arrange_by_key_named("machine"),
        &facts.by("nic_machine by machine", column!(NicMachine.machine)),
        |_, body, nic| match nic {
            Part::Fact(Fact::NicMachine(row)) => Some((key(row.nic), *body)),
            _ => None,
        },
    )
}

fn places_of(nic: Sym, group: &[Part], output: &mut Vec<(Part, isize)>) {
    if !group.iter().any(|part| matches!(part, Part::Fact(Fact::Nic(row)) if row.role == NicRole::Machine)) {
        return;
    }
    let nsg = group.iter().find_map(|part| if let Part::Fact(Fact::NicNsg(row)) = part { Some(row.nsg) } else { None });
    let mut configs: Vec<IpConfig> =
        group.iter().filter_map(|part| if let Part::Fact(Fact::IpConfig(row)) = part { Some(*row) } else { None }).collect();
    // The filters of an interface go by all of its configurations: what only some are members of counts perhaps (NSG-09).
    let mut asgs: Vec<(Sym, Tri)> = Vec::new();
    for part in group {
        let Part::Member { asg, sure, .. } = part else { continue };
        let of = |config: Sym| group.iter().any(|part| matches!(part, Part::Member { config: c, asg: a, .. } if *c == config && a == asg));
        asgs.push((*asg, if configs.iter().all(|config| of(config.ip_config)) { *sure } else { Tri::Maybe }));
    }
    asgs.sort();
    asgs.dedup();
    let body = group.iter().find_map(|part| if let Part::Body(body) = part { Some(body.get()) } else { None });
    let has = |wanted: &dyn Fn(&Part) -> bool| group.iter().any(wanted);
    let primary = has(&|part| matches!(part, Part::Fact(Fact::NicPrimary(_))));
    let stated = has(&|part| matches!(part, Part::Fact(Fact::Appliance(_))));
    let public_nic = has(&|part| matches!(part, Part::Fact(Fact::IpConfigPublicIp(_))));
    if configs.is_empty() && body.as_ref().is_some_and(|body| body.missing) {
        // The machine has other interfaces, of which nothing is known.
        configs.push(IpConfig { ip_config: nic, nic, subnet: Sym::EMPTY, primary: true });
    }
    for config in configs {
        let id = config.ip_config;
        let public = has(&|part| matches!(part, Part::Fact(Fact::IpConfigPublicIp(row)) if row.ip_config == id));
        let public_v6 = has(&|part| matches!(part, Part::Other(Fact::IpConfigPublicIp(row)) if row.ip_config == id));
        let address = group.iter().find_map(|part| match part {
            Part::Fact(Fact::IpConfigAddress(row)) if row.ip_config == config.ip_config => Some(row.address),
            _ => None,
        });
        let nsg = nsg.unwrap_or_default();
        let place = Place {
            ip_config: config.ip_config,
            nic,
            subnet: config.subnet,
            nsg,
            address,
            asgs: asgs.clone(),
            node: key(body.as_ref().map_or(nic, |body| body.machine)),
            used: body.as_ref().is_none_or(|body| body.sole || primary),
            rests: body.as_ref().map_or(!stated, |body| !body.stated),
            missing: body.as_ref().is_some_and(|body| body.missing),
            flexible: body.as_ref().is_some_and(|body| body.flexible),
            public: if public_v6 { Tri::Maybe } else { Tri::from_bool(public) },
            public_nic,
            pooled: has(&|part| matches!(part, Part::Fact(Fact::IpConfigPool(row)) if row.ip_config == id)),
        };
        output.push((Part::Place(Handle::new(place)), 1));
    }
}
