//! The wiring of networks: peerings, gateways and address spaces brought to whoever sees them.

use crate::facts::Fact;
use crate::facts::gap::{ChildType, PEERINGS};
use crate::facts::hub::*;
use crate::facts::manager::*;
use crate::facts::network::*;
use crate::model::{Handle, Prefix, Sym};
use crate::rules::derive::untold;
use crate::rules::gateway::{GATEWAY_SUBNET, ends, may_stand_in, parent_of};
use crate::rules::input::{Facts, column};
use crate::rules::network::{Around, AroundGateways, Spaces, assemble, assemble_gateways, grouped};
use crate::rules::part::{ByKey, Key, Part, Parts, Time, join, key, reduce};
use crate::rules::peering::claims;

/// A network as its subnets see it.
///
/// ```datalog
/// joined(V, W)   :- peering(P, V, W, "connected", _, _, _, _, _, _), peering(Q, W, V, "connected", _, _, _, _, _, _).  // peering.1
/// behind(G, P, S) :- connection(_, "ipsec", G, S, "yes", _), local_gateway_prefix(S, P).                            // gateway.1
/// ```
pub(super) fn networks<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
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

    // Whose peerings the input lists, and whose it does not though others are connected with them.
    let lists = facts.keyed(column!(ChildType.parent)).filter(|(_, part)| match part {
        Part::Fact(Fact::ChildType(row)) => row.kind.as_str() == PEERINGS,
        _ => false,
    });
    let listed = reduce(
        lists.concat(sides.clone()),
        "peering.6",
        Box::new(|vnet, group, output| {
            if !group.iter().any(is_nameless) {
                output.push((Part::Ref(vnet.0), 1));
            }
        }),
    );
    let nameless = sides.clone().filter(|(_, part)| is_nameless(part)).arrange_by_key_named("sides that do not say with whom");
    let nameless = join(&nameless, &sides_by_remote, seen_from);
    let listed_by_vnet = listed.clone().arrange_by_key_named("network with its peerings");
    let seen_listed = join(&listed_by_vnet, &sides_by_remote, |_, listed, side| match side {
        Part::Fact(Fact::Peering(side)) => Some((key(side.vnet), *listed)),
        _ => None,
    });
    let claims = reduce(facts.keyed(column!(Peering.remote)).concat(listed.clone()), "peering.5", Box::new(claims_on));
    let claims_by_claimant = claims.flat_map(|(vnet, part)| match part {
        Part::Ref(claimant) => Some((key(claimant), Part::Ref(vnet.0))),
        _ => None,
    });
    let claims_by_claimant = claims_by_claimant.arrange_by_key_named("claimed by claimant");
    let claimed_space = join(&own_by_vnet, &claims_by_claimant, |_, space, claimed| match (space, claimed) {
        (Part::Fact(space), Part::Ref(claimed)) => Some((key(*claimed), Part::Other(*space))),
        _ => None,
    });

    // The spaces around a network, once a network: those who look through it carry a handle.
    let seen_space = space.concat(claimed_space).distinct();
    let around = reduce(sides.clone().concat(recorded.clone()).concat(seen_space.clone()), "peering.4", Box::new(spaces_around));
    let around_by_vnet = around.arrange_by_key_named("spaces by vnet");
    let beyond = join(&around_by_vnet, &sides_by_remote, |_, spaces, side| match (spaces, side) {
        (Part::Beyond { .. }, Part::Fact(Fact::Peering(side))) if side.forwarded => Some((key(side.vnet), *spaces)),
        _ => None,
    });

    let claimed_beyond = join(&around_by_vnet, &claims_by_claimant, |_, spaces, claimed| match claimed {
        Part::Ref(claimed) => Some((key(*claimed), *spaces)),
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
    let claimed_gateways = join(&gateways_by_vnet, &claims_by_claimant, |vnet, offered, claimed| match (offered, claimed) {
        (Part::Gateways(offered), Part::Ref(claimed)) => Some((key(*claimed), Part::RemoteGateways(vnet.0, *offered))),
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
    let policies = policies.concat(unlisted_groups(facts)).concat(unlisted_connections(facts));
    let by_policy = join(&policies.arrange_by_key_named("group policy"), &anybody.arrange_by_key_named("any network"), to_referrer);
    let parts = own
        .concat(stood_in)
        .concat(facts.keyed(column!(Vnet.vnet)))
        .concat(sides)
        .concat(reciprocal)
        .concat(nameless.distinct())
        .concat(recorded)
        .concat(known.distinct())
        .concat(untold(facts, PEERINGS))
        .concat(listed)
        .concat(seen_listed.distinct())
        .concat(seen_space)
        .concat(beyond.concat(claimed_beyond).distinct())
        .concat(gateways)
        .concat(remote_gateways.concat(claimed_gateways).distinct())
        .concat(only_v6.distinct())
        .concat(clouds)
        .concat(touched.as_collection(|vnet, part| (*vnet, *part)))
        .concat(through.distinct())
        .concat(by_policy);
    reduce(
        parts,
        "route.0",
        Box::new(|vnet, group, output| output.push((Part::Network(Handle::new(assemble(vnet.0, &around_of(vnet.0, group)))), 1))),
    )
}

/// Under no key: what is meant for the members of a group that has none in the input. Any network may be one (M-03).
///
/// ```datalog
/// unlisted_group(G) :- connectivity_group(_, G, _, _, _), !group_member(G, _, _).
/// unlisted_group(G) :- admin_collection(_, _, G), !group_member(G, _, _).
/// unlisted_group(G) :- admin_rule_group(_, _, G), !group_member(G, _, _).
/// unlisted_group(G) :- routing_collection(_, G, _, _), !group_member(G, _, _).                 // manager.6
/// ```
fn unlisted_groups<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let parts = facts
        .keyed(column!(ConnectivityGroup.group))
        .concat(facts.keyed(column!(AdminCollection.group)))
        .concat(facts.keyed(column!(AdminRuleGroup.group)))
        .concat(facts.keyed(column!(RoutingCollection.group)))
        .concat(facts.keyed(column!(GroupMember.group)));
    let meant = reduce(
        parts,
        "manager.6",
        Box::new(|_, group, output| {
            if !group.iter().any(|part| matches!(part, Part::Fact(Fact::GroupMember(_)))) {
                output.extend(group.first().map(|part| (*part, 1)));
            }
        }),
    );
    meant.map(|(_, part)| (key(Sym::EMPTY), part))
}

/// Under no key: the hubs where nobody exported what is connected to any. Any network may be (M-03).
///
/// ```datalog
/// unlisted_hub(H) :- virtual_hub(H, _), !hub_connection(_, _, _, _, _).                           // hub.5
/// ```
fn unlisted_connections<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let hubs = facts.keyed(column!(VirtualHub.hub)).concat(facts.keyed(column!(HubConnection.hub)));
    reduce(
        hubs.map(|(_, part)| (key(Sym::EMPTY), part)),
        "hub.5",
        Box::new(|_, group, output| {
            if !group.iter().any(|part| matches!(part, Part::Fact(Fact::HubConnection(_)))) {
                output.extend(group.first().map(|part| (*part, 1)));
            }
        }),
    )
}

/// Whether a fact is about networks that the input does not tell.
fn touches_anybody(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::GroupPolicy(_)
            | Fact::ConnectivityGroup(_)
            | Fact::AdminCollection(_)
            | Fact::AdminRuleGroup(_)
            | Fact::RoutingCollection(_)
            | Fact::VirtualHub(_)
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

/// The networks whose sides of peerings with this one are connected, where its own are not in the input.
fn claims_on(vnet: &Key, group: &[Part], output: &mut Vec<(Part, isize)>) {
    if group.contains(&Part::Ref(vnet.0)) {
        return;
    }
    let mut claimants: Vec<Sym> = group.iter().filter_map(side_of).map(|side| side.vnet).collect();
    claimants.sort_unstable();
    claimants.dedup();
    output.extend(claimants.into_iter().map(|vnet| (Part::Ref(vnet), 1)));
}

fn side_of(part: &Part) -> Option<Peering> {
    match part {
        Part::Fact(Fact::Peering(side)) | Part::Other(Fact::Peering(side)) => Some(*side),
        _ => None,
    }
}

fn is_nameless(part: &Part) -> bool {
    side_of(part).is_some_and(|side| side.is_nameless())
}

fn spaces_around(vnet: &Key, group: &[Part], output: &mut Vec<(Part, isize)>) {
    let remotes = grouped(group.iter().filter_map(side_of).map(|side| (side.peering, side.remote)));
    let mut spaces: Vec<(Sym, Prefix)> = Vec::new();
    for part in group {
        match part {
            Part::Fact(Fact::PeeringPrefix(row)) => {
                spaces.extend(remotes.get(&row.peering).into_iter().flatten().map(|remote| (*remote, row.prefix)));
            }
            Part::Other(Fact::VnetPrefix(row)) => spaces.push((row.vnet, row.prefix)),
            _ => {}
        }
    }
    output.push((Part::Beyond { through: vnet.0, spaces: Handle::new(Spaces::of(spaces)) }, 1));
}

fn around_of(vnet: Sym, group: &[Part]) -> Around {
    let mut around = Around::default();
    let (others, own): (Vec<&Part>, Vec<&Part>) = group.iter().partition(|part| matches!(part, Part::Other(_)));
    let own: Vec<Peering> = own.into_iter().filter_map(side_of).collect();
    around.claims = claims(&own, group.contains(&Part::Ref(vnet)), others.into_iter().filter_map(side_of));
    for part in group {
        match part {
            Part::Fact(Fact::VnetPrefix(row)) => around.own.push(row.prefix),
            Part::Fact(Fact::Peering(row)) => around.sides.push(*row),
            Part::Other(Fact::Peering(row)) => around.reciprocal.push(*row),
            Part::Fact(Fact::PeeringPrefix(row)) => around.recorded.push(*row),
            Part::Fact(Fact::PeeringOnlyV6(row)) => around.only_v6.push(row.peering),
            Part::Fact(Fact::Vnet(_)) => around.in_input = true,
            Part::Fact(Fact::Unlisted(_)) => around.untold = true,
            Part::Other(Fact::Vnet(row)) => around.known.push(row.vnet),
            Part::Ref(listed) if !listed.is_empty() => around.listed.push(*listed),
            Part::Other(Fact::VnetPrefix(row)) => around.remote_space.push((row.vnet, row.prefix)),
            Part::Beyond { through, spaces } => around.beyond.push((*through, spaces.get())),
            Part::Gateways(offered) => around.gateway = (*offered.get()).clone(),
            Part::RemoteGateways(vnet, offered) => around.remote_gateways.push((*vnet, (*offered.get()).clone())),
            Part::Fact(Fact::Clouded(row)) if row.what.as_str() == "routes" => around.clouds.push(row.resource),
            Part::Fact(Fact::Clouded(row)) => around.filters_clouded |= row.what.as_str() == "filters",
            Part::Fact(fact) | Part::Other(fact) if touched_network(fact).is_some() || touches_anybody(fact) => {
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
    let looked = join(&facts.by("learned_routes", column!(LearnedRoutes.gateway)), &home, to_referrer);
    let learned = join(&facts.by("learned_route", column!(LearnedRoute.gateway)), &home, to_referrer);
    let servers = join(&facts.by("route_server by subnet", column!(RouteServer.subnet)), &subnets, |_, server, subnet| match subnet {
        Part::Fact(Fact::Subnet(subnet)) => Some((key(subnet.vnet), *server)),
        _ => None,
    });
    let connections = join(&facts.by("connection", column!(Connection.gateway)), &home, to_referrer);
    let peers = connections
        .clone()
        .concat(defaults.clone())
        .flat_map(|(vnet, part)| match part {
            Part::Fact(Fact::Connection(row)) => Some((key(row.peer), Part::Ref(vnet.0))),
            Part::Fact(Fact::GatewayDefaultSite(row)) => Some((key(row.site), Part::Ref(vnet.0))),
            _ => None,
        })
        .distinct()
        .arrange_by_key_named("vnet by connected peer");
    let behind = join(&facts.by("local_gateway_prefix", column!(LocalGatewayPrefix.site)), &peers, to_referrer);
    let sites = join(&facts.by("local_gateway", column!(LocalGateway.site)), &peers, to_referrer);
    let speakers = join(&facts.by("local_gateway_peer", column!(LocalGatewayPeer.site)), &peers, to_referrer);
    let learned = looked.concat(learned).concat(speakers);
    let missing = missing_gateways(facts, &subnets);
    let parts = gateways
        .concat(missing)
        .concat(servers)
        .concat(clients)
        .concat(defaults)
        .concat(connections)
        .concat(behind)
        .concat(sites)
        .concat(learned);
    reduce(
        parts,
        "gateway.1",
        Box::new(|_, group, output| {
            let mut around = AroundGateways::default();
            for part in group {
                match part {
                    Part::Fact(Fact::Gateway(row)) => around.gateways.push(*row),
                    Part::Ref(missing) => around.missing.push(*missing),
                    Part::Fact(Fact::Connection(row)) => around.connections.push(*row),
                    Part::Fact(Fact::RouteServer(row)) => around.route_servers.push(row.server),
                    Part::Fact(Fact::LocalGatewayPrefix(row)) => around.behind.push((row.site, row.prefix)),
                    Part::Fact(Fact::LocalGateway(row)) => {
                        around.known_sites.push(row.site);
                        around.bgp_peers.extend(row.bgp.then_some(row.site));
                    }
                    Part::Fact(Fact::GatewayDefaultSite(row)) => around.default_sites.push((row.gateway, row.site)),
                    Part::Fact(Fact::GatewayClientPool(row)) => around.clients.push((row.gateway, row.prefix)),
                    Part::Fact(Fact::LocalGatewayPeer(row)) => around.speaks_from.push((row.site, row.address)),
                    Part::Fact(Fact::LearnedRoutes(row)) => around.looked_at.push(row.gateway),
                    Part::Fact(Fact::LearnedRoute(row)) => around.learned.push(*row),
                    _ => {}
                }
            }
            output.push((Part::Gateways(Handle::new(assemble_gateways(&around))), 1));
        }),
    )
}

/// By network: the gateways that something names, that stand there or may, and that are not in the input.
///
/// ```datalog
/// named_gateway(G)      :- connection(_, _, G, _, _, _).
/// named_gateway(G)      :- connection(_, "vnet2vnet", _, G, _, _).
/// named_gateway(G)      :- gateway_subnet(G, _).
/// missing_gateway(G)    :- named_gateway(G), !gateway(G, _, _).                                                    // gateway.3
/// missing_gateway(G)    :- gateway(G, _, _), !gateway_subnet(G, _).
/// missing_gateway(G)    :- gateway_subnet(G, S), !subnet(S, _, _).
/// ```
fn missing_gateways<'s, T: Time>(facts: &Facts<'s, T>, subnets: &ByKey<'s, T>) -> Parts<'s, T> {
    let named = facts.keyed(column!(Connection.connection)).flat_map(|(_, part)| {
        let ends: Vec<_> = match part {
            Part::Fact(Fact::Connection(row)) => ends(&row).map(|(gateway, source)| (key(gateway), Part::Ref(source))).collect(),
            _ => Vec::new(),
        };
        ends
    });
    let placed = facts.keyed(column!(GatewaySubnet.gateway));
    let parts = named.distinct().concat(placed).concat(facts.keyed(column!(Gateway.gateway)));
    let missing = reduce(
        parts,
        "gateway.3",
        Box::new(|gateway, group, output| {
            let here = group.iter().any(|part| matches!(part, Part::Fact(Fact::Gateway(_))));
            // One with a place is missing there; one without may be anywhere, in the input or not.
            let places: Vec<&Part> = group.iter().filter(|part| matches!(part, Part::Fact(Fact::GatewaySubnet(_)))).collect();
            if places.is_empty() {
                let names = group.iter().filter(|part| matches!(part, Part::Ref(_))).copied();
                output.extend(names.chain(here.then_some(Part::Ref(gateway.0))).map(|part| (part, 1)));
            } else if !here {
                output.extend(places.into_iter().map(|part| (*part, 1)));
            }
            output.sort_unstable();
            output.dedup();
        }),
    );
    let placed = missing.clone().flat_map(|(_, part)| match part {
        Part::Fact(Fact::GatewaySubnet(row)) => Some((key(row.subnet), part)),
        _ => None,
    });
    let there = join(&placed.arrange_by_key_named("missing gateway by subnet"), subnets, |_, place, subnet| match (place, subnet) {
        (Part::Fact(Fact::GatewaySubnet(row)), Part::Fact(Fact::Subnet(subnet))) => Some((key(subnet.vnet), Part::Ref(row.gateway))),
        _ => None,
    });
    // One whose subnet was not exported has a place there, and whatever that says of its routes is not known.
    let lost = reduce(
        facts.keyed(column!(GatewaySubnet.subnet)).concat(facts.keyed(column!(Subnet.subnet))),
        "gateway.3",
        Box::new(|_, group, output| {
            if group.iter().any(|part| matches!(part, Part::Fact(Fact::Subnet(_)))) {
                return;
            }
            output.extend(group.iter().map(|part| (*part, 1)));
        }),
    );
    let lost = lost.flat_map(|(_, part)| match part {
        Part::Fact(Fact::GatewaySubnet(row)) => Some((key(parent_of(row.subnet)), Part::Ref(row.gateway))),
        _ => None,
    });
    let anywhere = missing.filter(|(_, part)| matches!(part, Part::Ref(_))).map(|(_, part)| (key(Sym::EMPTY), part));
    let rooms = facts.keyed(column!(Subnet.subnet)).map(|(_, part)| (key(Sym::EMPTY), part));
    let rooms = rooms.filter(|(_, part)| matches!(part, Part::Fact(Fact::Subnet(row)) if row.name.as_str() == GATEWAY_SUBNET));
    let anywhere = anywhere.arrange_by_key_named("missing gateway without a place");
    let perhaps = join(&anywhere, &rooms.arrange_by_key_named("room for a gateway"), |_, missing, room| match (missing, room) {
        (Part::Ref(source), Part::Fact(Fact::Subnet(subnet))) if may_stand_in(*source, subnet) => Some((key(subnet.vnet), *missing)),
        _ => None,
    });
    there.concat(perhaps).concat(lost).distinct()
}

/// A fact, brought to whoever refers to its key.
pub(super) fn to_referrer(_: &Key, fact: &Part, referrer: &Part) -> Option<(Key, Part)> {
    match referrer {
        Part::Ref(id) => Some((key(*id), *fact)),
        _ => None,
    }
}
