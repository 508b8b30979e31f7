//! The wiring of the network half: facts to networks, effective routes, filters, places and the rows of both sides of a flow.

use std::sync::Arc;

use differential_dataflow::VecCollection;

use crate::facts::Fact;
use crate::facts::network::{Direction, NicRole, NsgRule};
use crate::facts::platform::Platform;
use crate::model::{Handle, Sym, Tri};
use crate::rules::filter::Program;
use crate::rules::network::{Around, AroundGateways, assemble, assemble_gateways};
use crate::rules::part::{ByKey, Key, Part, Parts, Place, Programs, Standing, Time, join, key, reduce};
use crate::rules::route::{Context, Table};
use crate::rules::side;

/// The facts of one relation by one of their columns.
fn by<'s, T: Time>(facts: &VecCollection<'s, T, Fact>, name: &str, column: fn(&Fact) -> Option<Key>) -> ByKey<'s, T> {
    keyed(facts, column).arrange_by_key_named(name)
}

fn keyed<'s, T: Time>(facts: &VecCollection<'s, T, Fact>, column: fn(&Fact) -> Option<Key>) -> Parts<'s, T> {
    facts.clone().flat_map(move |fact| column(&fact).map(|key| (key, Part::Fact(fact))))
}

/// A column of a relation, as a key.
macro_rules! column {
    ($row:ident . $column:ident) => {
        |fact: &Fact| match fact {
            Fact::$row(row) => Some(key(row.$column)),
            _ => None,
        }
    };
}

/// What is derived of the network half.
pub struct Derived<'s, T: Time> {
    /// By network: the network.
    pub networks: Parts<'s, T>,
    /// By network and route table: the effective routes.
    pub contexts: Parts<'s, T>,
    /// By security group: its filters.
    pub programs: Parts<'s, T>,
    /// By address configuration: what may leave, signed along the prefix tree.
    pub out: Parts<'s, T>,
    /// By address configuration: what may enter, signed likewise.
    pub into: Parts<'s, T>,
}

/// Derives it.
pub fn derive<'s, T: Time>(facts: &VecCollection<'s, T, Fact>, platform: &Arc<Platform>) -> Derived<'s, T> {
    let networks = networks(facts);
    let networks_by_vnet = networks.clone().arrange_by_key_named("network by vnet");
    let standings = standings(facts);
    let contexts = contexts(facts, &standings, &networks_by_vnet, platform);
    let programs = programs(facts, platform);
    let groups = classes(facts, &standings, &contexts, &programs);
    let (for_out, for_in) = (platform.clone(), platform.clone());
    let out = reduce(groups.clone(), "side.1", Box::new(move |_, group, rows| side::out(group, &for_out, rows)));
    let into = reduce(groups, "side.2", Box::new(move |_, group, rows| side::into(group, &for_in, rows)));
    Derived { networks, contexts, programs, out, into }
}

/// A network as its subnets see it.
///
/// ```datalog
/// joined(V, W)   :- peering(P, V, W, "connected", _, _, _, _, _, _), peering(Q, W, V, "connected", _, _, _, _, _, _).  // peering.1
/// behind(G, P, S) :- connection(_, "ipsec", G, S, "yes", _), local_gateway_prefix(S, P).                            // gateway.1
/// ```
fn networks<'s, T: Time>(facts: &VecCollection<'s, T, Fact>) -> Parts<'s, T> {
    let own = keyed(facts, column!(VnetPrefix.vnet));
    let sides = keyed(facts, column!(Peering.vnet));
    let own_by_vnet = own.clone().arrange_by_key_named("vnet_prefix by vnet");
    let sides_by_remote = by(facts, "peering by remote", column!(Peering.remote));
    let sides_by_id = by(facts, "peering by id", column!(Peering.peering));
    let recorded_by_peering = by(facts, "peering_prefix by peering", column!(PeeringPrefix.peering));
    let vnets = by(facts, "vnet", column!(Vnet.vnet));

    let reciprocal = keyed(facts, column!(Peering.remote)).map(|(remote, part)| match part {
        Part::Fact(fact) => (remote, Part::Other(fact)),
        other => (remote, other),
    });
    let recorded = join(&recorded_by_peering, &sides_by_id, |_, prefix, side| match side {
        Part::Fact(Fact::Peering(side)) => Some((key(side.vnet), *prefix)),
        _ => None,
    });
    let only_v6 = by(facts, "peering_only_v6", column!(PeeringOnlyV6.peering));
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
    let clouds = keyed(facts, column!(Clouded.vnet));
    // What managers and hubs do is derived for single points only: here the networks they touch, and those that look through one, are not derived.
    let touched = by(facts, "what a manager or hub touches", touched_network);
    let through = join(&touched, &sides_by_remote, seen_from);
    let policies = keyed(facts, |fact| matches!(fact, Fact::GroupPolicy(_)).then(|| key(Sym::EMPTY)));
    let anybody = keyed(facts, column!(Vnet.vnet)).map(|(vnet, _)| (key(Sym::EMPTY), Part::Ref(vnet.0)));
    let by_policy = join(&policies.arrange_by_key_named("group policy"), &anybody.arrange_by_key_named("any network"), to_referrer);
    let parts = own
        .concat(keyed(facts, column!(Vnet.vnet)))
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
fn gateways<'s, T: Time>(facts: &VecCollection<'s, T, Fact>) -> Parts<'s, T> {
    let subnets = by(facts, "subnet", column!(Subnet.subnet));
    let standing = by(facts, "gateway_subnet by subnet", column!(GatewaySubnet.subnet));
    let home = join(&standing, &subnets, |_, gateway, subnet| match (gateway, subnet) {
        (Part::Fact(Fact::GatewaySubnet(row)), Part::Fact(Fact::Subnet(subnet))) => Some((key(row.gateway), Part::Ref(subnet.vnet))),
        _ => None,
    });
    let home = home.distinct().arrange_by_key_named("vnet by gateway");
    let gateways = join(&by(facts, "gateway", column!(Gateway.gateway)), &home, to_referrer);
    let clients = join(&by(facts, "gateway_client_pool", column!(GatewayClientPool.gateway)), &home, to_referrer);
    let defaults = join(&by(facts, "gateway_default_site", column!(GatewayDefaultSite.gateway)), &home, to_referrer);
    let servers = join(&by(facts, "route_server by subnet", column!(RouteServer.subnet)), &subnets, |_, server, subnet| match subnet {
        Part::Fact(Fact::Subnet(subnet)) => Some((key(subnet.vnet), *server)),
        _ => None,
    });
    let connections = join(&by(facts, "connection", column!(Connection.gateway)), &home, to_referrer);
    let peers = connections
        .clone()
        .flat_map(|(vnet, part)| match part {
            Part::Fact(Fact::Connection(row)) => Some((key(row.peer), Part::Ref(vnet.0))),
            _ => None,
        })
        .distinct()
        .arrange_by_key_named("vnet by connected peer");
    let behind = join(&by(facts, "local_gateway_prefix", column!(LocalGatewayPrefix.site)), &peers, to_referrer);
    let sites = join(&by(facts, "local_gateway", column!(LocalGateway.site)), &peers, to_referrer);
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
fn standings<'s, T: Time>(facts: &VecCollection<'s, T, Fact>) -> Parts<'s, T> {
    let parts = keyed(facts, column!(Subnet.subnet))
        .concat(keyed(facts, column!(SubnetRouteTable.subnet)))
        .concat(keyed(facts, column!(SubnetNsg.subnet)));
    reduce(
        parts,
        "address.1",
        Box::new(|_, group, output| {
            let mut standing = Standing { vnet: Sym::EMPTY, table: Sym::EMPTY, nsg: Sym::EMPTY };
            for part in group {
                match part {
                    Part::Fact(Fact::Subnet(row)) => standing.vnet = row.vnet,
                    Part::Fact(Fact::SubnetRouteTable(row)) => standing.table = row.table,
                    Part::Fact(Fact::SubnetNsg(row)) => standing.nsg = row.nsg,
                    _ => {}
                }
            }
            if !standing.vnet.is_empty() {
                output.push((Part::Standing(standing), 1));
            }
        }),
    )
}

/// By network and route table: the effective routes.
fn contexts<'s, T: Time>(
    facts: &VecCollection<'s, T, Fact>,
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
    let table = join(&by(facts, "route_table", column!(RouteTable.table)), &by_table, to_context);
    let overrides = join(&by(facts, "route_bgp_override by table", column!(RouteBgpOverride.table)), &by_table, to_context);
    let routes = join(&by(facts, "route by table", column!(Route.table)), &by_table, to_context);
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
            output.push((Part::Context(Handle::new(Context::new(network, &table, &platform))), 1));
        }),
    )
}

/// By security group: its filters.
fn programs<'s, T: Time>(facts: &VecCollection<'s, T, Fact>, platform: &Arc<Platform>) -> Parts<'s, T> {
    let platform = platform.clone();
    let parts = keyed(facts, column!(Nsg.nsg)).concat(keyed(facts, column!(NsgRule.nsg)));
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

/// By address configuration of a machine: where it stands and everything that decides what may leave and enter.
fn classes<'s, T: Time>(
    facts: &VecCollection<'s, T, Fact>,
    standings: &Parts<'s, T>,
    contexts: &Parts<'s, T>,
    programs: &Parts<'s, T>,
) -> Parts<'s, T> {
    let places = places(facts);
    let places_by_subnet = places
        .clone()
        .flat_map(|(_, part)| match part {
            Part::Place(place) => Some((key(place.get().subnet), part)),
            _ => None,
        })
        .arrange_by_key_named("place by subnet");
    let standings_by_subnet = standings.clone().arrange_by_key_named("standing by subnet");
    let standing = join(&standings_by_subnet, &places_by_subnet, to_place);
    let by_context = join(&standings_by_subnet, &places_by_subnet, |_, standing, place| match (standing, place) {
        (Part::Standing(standing), Part::Place(place)) => Some(((standing.vnet, standing.table), Part::Ref(place.get().ip_config))),
        _ => None,
    })
    .arrange_by_key_named("place by context");
    let context = join(&contexts.clone().arrange_by_key_named("context"), &by_context, to_referrer);
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
    let filters = join(&programs.clone().arrange_by_key_named("programs"), &by_nsg, to_referrer);
    places.concat(standing).concat(context).concat(filters).concat(memberships(facts))
}

/// By address configuration: the application security groups it belongs to, each with whether that counts surely: only where all members of
/// a group are in one network (NSG-09).
///
/// ```datalog
/// spread(G, V) :- ip_config_asg(I, G), ip_config(I, _, S, _), subnet(S, V, _).      // address.3
/// ```
fn memberships<'s, T: Time>(facts: &VecCollection<'s, T, Fact>) -> Parts<'s, T> {
    let configs = by(facts, "ip_config by id", column!(IpConfig.ip_config));
    let groups = by(facts, "ip_config_asg by config", column!(IpConfigAsg.ip_config));
    let by_subnet = join(&groups, &configs, |_, group, config| match (group, config) {
        (Part::Fact(Fact::IpConfigAsg(group)), Part::Fact(Fact::IpConfig(config))) => Some((key(config.subnet), Part::Ref(group.asg))),
        _ => None,
    });
    let by_subnet = by_subnet.distinct().arrange_by_key_named("asg by subnet");
    let spread = join(&by(facts, "subnet for asg", column!(Subnet.subnet)), &by_subnet, |_, subnet, group| match (subnet, group) {
        (Part::Fact(Fact::Subnet(subnet)), Part::Ref(group)) => Some((key(*group), Part::Ref(subnet.vnet))),
        _ => None,
    });
    let certainty = reduce(
        spread.distinct(),
        "address.3",
        Box::new(|group, vnets, output| {
            let sure = if vnets.len() == 1 { Tri::Yes } else { Tri::Maybe };
            output.push((Part::Member(group.0, sure), 1));
        }),
    );
    let members = by(facts, "ip_config_asg by asg", column!(IpConfigAsg.asg));
    join(&members, &certainty.arrange_by_key_named("asg"), |_, member, certainty| match member {
        Part::Fact(Fact::IpConfigAsg(member)) => Some((key(member.ip_config), *certainty)),
        _ => None,
    })
}

/// A part of a subnet, brought to the places in it.
fn to_place(_: &Key, part: &Part, place: &Part) -> Option<(Key, Part)> {
    match place {
        Part::Place(place) => Some((key(place.get().ip_config), *part)),
        _ => None,
    }
}

/// By address configuration: the place, for machines with a known address.
///
/// ```datalog
/// place(I, N, S, A) :- ip_config(I, N, S, _), nic(N, "machine", _), ip_config_address(I, A).   // address.2
/// ```
fn places<'s, T: Time>(facts: &VecCollection<'s, T, Fact>) -> Parts<'s, T> {
    let configs_by_nic = by(facts, "ip_config by nic", column!(IpConfig.nic));
    let of_nic: crate::rules::part::Joined = |_, fact, config| match config {
        Part::Fact(Fact::IpConfig(config)) => Some((key(config.ip_config), *fact)),
        _ => None,
    };
    let nics = join(&by(facts, "nic", column!(Nic.nic)), &configs_by_nic, of_nic);
    let filters = join(&by(facts, "nic_nsg", column!(NicNsg.nic)), &configs_by_nic, of_nic);
    let parts =
        keyed(facts, column!(IpConfig.ip_config)).concat(keyed(facts, column!(IpConfigAddress.ip_config))).concat(nics).concat(filters);
    reduce(
        parts,
        "address.2",
        Box::new(|_, group, output| {
            let (mut config, mut machine, mut nsg, mut address) = (None, false, Sym::EMPTY, None);
            for part in group {
                match part {
                    Part::Fact(Fact::IpConfig(row)) => config = Some(*row),
                    Part::Fact(Fact::Nic(row)) => machine |= row.role == NicRole::Machine,
                    Part::Fact(Fact::NicNsg(row)) => nsg = row.nsg,
                    Part::Fact(Fact::IpConfigAddress(row)) => address = Some(row.address),
                    _ => {}
                }
            }
            if let (Some(config), Some(address), true) = (config, address, machine) {
                let place = Place { ip_config: config.ip_config, nic: config.nic, subnet: config.subnet, nsg, address };
                output.push((Part::Place(Handle::new(place)), 1));
            }
        }),
    )
}
