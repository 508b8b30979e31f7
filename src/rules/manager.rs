//! What a network manager does to networks: who belongs to a group, what is in force where, and whom a configuration joins (AVN-02, AVN-12,
//! PEER-14 to PEER-16).

use crate::facts::Index;
use crate::facts::gap::Resource;
use crate::facts::manager::{ConnectivityGroup, Field, LocalRouting, ManagerPart, RoutingCollection, RoutingRule, Topology};
use crate::facts::network::{DeviceKind, Direction, Route};
use crate::model::{Prefix, Sym, Tri, ids, net};
use crate::rules::admin::{AdminProgram, Collection, Worded};
use crate::rules::peering::{Joint, Peer};
use crate::rules::route::ManagerRoutes;

/// Whether the network (or its subnet, where one is given) belongs to the group (AVN-12).
pub fn belongs(index: &Index, group: Sym, vnet: Sym, subnet: Sym) -> Tri {
    let stated = |member: Sym, group: Sym| !member.is_empty() && index.groups_by_member.get(member).iter().any(|row| row.group == group);
    if !group.is_empty() && (stated(vnet, group) || stated(subnet, group)) {
        return Tri::Yes;
    }
    let some = stated(vnet, Sym::EMPTY) || stated(subnet, Sym::EMPTY);
    if some || fills_unseen(index, group) { Tri::Maybe } else { Tri::No }
}

/// Whether the group may have members that the export does not list: a policy adds them, or neither they nor the group, or no members of
/// any group, are in the input (AVN-12, M-03).
fn fills_unseen(index: &Index, group: Sym) -> bool {
    // A group that is not named may be any.
    if group.is_empty() {
        return true;
    }
    if !index.memberships_listed.is_empty() {
        return false;
    }
    let by_policy = index.group_policies.has(group) || index.group_policies.has(Sym::EMPTY);
    by_policy || !index.group_members.has(group) && (lacks_members(index) || !index.resource.has(group))
}

/// Whether the members of groups were not exported: no row of any.
fn lacks_members(index: &Index) -> bool {
    index.group_members.is_empty() && !index.complete_type.has(Sym::new(STATIC_MEMBER))
}

/// The type of connectivity configurations.
const CONNECTIVITY: &str = "microsoft.network/networkmanagers/connectivityconfigurations";

/// The type of the rows that put a network or subnet into a group.
const STATIC_MEMBER: &str = "microsoft.network/networkmanagers/networkgroups/staticmembers";

/// Whether the configuration is in force in the network: what the export lists, else nobody knows (AVN-02).
pub fn in_force(index: &Index, vnet: Sym, what: ManagerPart, configuration: Sym) -> Tri {
    if index.manager_applied.get(vnet).iter().any(|row| row.what == what && row.configuration == configuration) {
        Tri::Yes
    } else if index.manager_listings.get(vnet).iter().any(|row| row.what == what) {
        Tri::No
    } else {
        Tri::Maybe
    }
}

/// Configurations of the kind that are in force in the network, sorted by id.
fn applied(index: &Index, vnet: Sym, what: ManagerPart) -> Vec<Sym> {
    let mut found: Vec<Sym> = index.manager_applied.get(vnet).iter().filter(|row| row.what == what).map(|row| row.configuration).collect();
    Sym::sort(&mut found);
    found
}

/// Whether the children of the type that `parent` has may be missing where the input holds not one of the type: unless somebody says that there are
/// none (M-03).
fn lacks_children(index: &Index, parent: Sym, kind: &str) -> bool {
    !index.tells_children_of(parent, Sym::new(kind))
}

const COLLECTIONS: &str = "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections";
const RULES: &str = "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules";

/// Admin rules whose collection, or its configuration, is not in the input: the configuration, and what is missing. Sorted, each once.
pub fn lost_rules(index: &Index) -> Vec<(Sym, Sym)> {
    let mut collections: Vec<Sym> = index.admin_rules.rows().map(|row| row.collection).collect();
    Sym::sort(&mut collections);
    collections.dedup();
    let mut lost = Vec::new();
    for collection in collections {
        let known = index.admin_collections.rows().find(|row| row.collection == collection);
        let above = || ids::parent_id(collection.as_str()).map_or(Sym::EMPTY, Sym::new);
        let configuration = known.map_or_else(above, |row| row.configuration);
        if !configuration.is_empty() && !index.admin_configuration.has(configuration) {
            lost.push((configuration, configuration));
        } else if known.is_none() && !index.resource.has(collection) {
            lost.push((configuration, collection));
        }
    }
    lost
}

/// The admin rules of one direction on a subnet (AVN-01, AVN-02, AVN-06 to AVN-08). `lost` are [`lost_rules`]: for whom those are meant nobody knows.
pub fn admin_program(index: &Index, vnet: Sym, subnet: Sym, direction: Direction, lost: &[(Sym, Sym)]) -> AdminProgram {
    if index.admin_configuration.is_empty() && index.manager_applied.is_empty() && lost.is_empty() || is_exempt(index, subnet) {
        return AdminProgram::default();
    }
    let intent_services = has_intent_services(index, vnet);
    let mut configurations: Vec<_> = index.admin_configuration.rows().collect();
    configurations.sort_by_key(|row| row.configuration.as_str());
    let mut collections = Vec::new();
    let mut bare = None;
    for configuration in configurations {
        let here = in_force(index, vnet, ManagerPart::Admin, configuration.configuration);
        if !here.hi() {
            continue;
        }
        let rows = index.admin_collections.get(configuration.configuration);
        if index.admin_collections.is_empty() && lacks_children(index, configuration.configuration, COLLECTIONS) {
            bare = bare.or(Some(configuration.configuration));
        }
        let member = |group: Sym| belongs(index, group, vnet, subnet);
        // Of a network in which it is in force and which no row says to be a member, a policy made a member: what is in force says more than a row that is
        // not there (AVN-02).
        let by_policy = here.lo() && !rows.iter().any(|row| in_vnet(index, row.group, vnet));
        let mut ids: Vec<Sym> = rows.iter().map(|row| row.collection).collect();
        Sym::sort(&mut ids);
        ids.dedup();
        for id in ids {
            let groups = rows.iter().filter(|row| row.collection == id).map(|row| member(row.group));
            let sure = groups.max().unwrap_or(Tri::No).max(if by_policy { Tri::Maybe } else { Tri::No }).and(here);
            if !sure.hi() {
                continue;
            }
            let mut rules: Vec<_> = index.admin_rules.get(id).to_vec();
            if index.admin_rules.is_empty() && lacks_children(index, id, RULES) {
                bare = bare.or(Some(id));
            }
            rules.sort_by_key(|rule| (rule.rule.as_str(), rule.direction));
            collections.push(Collection {
                level: index.network_manager.one(configuration.manager).map_or(1, |row| row.level),
                manager: configuration.manager,
                sure,
                intent: intent_services.then_some(configuration.intent),
                rules: rules
                    .into_iter()
                    .map(|rule| Worded {
                        rule,
                        sources: group_space(index, rule.rule, Field::Source),
                        destinations: group_space(index, rule.rule, Field::Destination),
                    })
                    .collect(),
            });
        }
    }
    let unread = applied(index, vnet, ManagerPart::Admin).into_iter().find(|id| !index.admin_configuration.has(*id));
    // Of a configuration without a name the network may have any, unless it is listed to have none.
    let somewhere = |configuration: Sym| match configuration.is_empty() {
        true => {
            !index.manager_listings.get(vnet).iter().any(|row| row.what == ManagerPart::Admin)
                || !applied(index, vnet, ManagerPart::Admin).is_empty()
        }
        false => in_force(index, vnet, ManagerPart::Admin, configuration).hi(),
    };
    let unread = unread.or_else(|| lost.iter().find(|(configuration, _)| somewhere(*configuration)).map(|(_, missing)| *missing));
    let unread = unread.or(bare);
    AdminProgram::new(&collections, direction, unread.unwrap_or_default())
}

/// Whether some row puts the network or one of its subnets into the group.
fn in_vnet(index: &Index, group: Sym, vnet: Sym) -> bool {
    index.groups_by_vnet.get(vnet).iter().any(|row| row.group == group)
}

/// The prefixes of the network groups that a field of a rule names (AVN-03).
fn group_space(index: &Index, rule: Sym, field: Field) -> Vec<(Prefix, Tri)> {
    let mut space = Vec::new();
    for row in index.admin_rule_groups.get(rule).iter().filter(|row| row.field == field) {
        for member in index.group_members.get(row.group) {
            if member.member == member.vnet {
                space.extend(index.vnet_prefixes.get(member.vnet).iter().map(|row| (row.prefix, Tri::Yes)));
            } else {
                space.extend(index.subnet_prefixes.get(member.member).iter().map(|row| (row.prefix, Tri::Yes)));
            }
        }
        if fills_unseen(index, row.group) {
            space.extend(["0.0.0.0/0", "::/0"].map(|all| (all.parse().expect("a literal prefix"), Tri::Maybe)));
        }
    }
    space.sort_unstable();
    space.dedup();
    space
}

/// Subnets of gateways, firewalls and the like, where admin rules do not count (AVN-08).
fn is_exempt(index: &Index, subnet: Sym) -> bool {
    const NAMES: [&str; 5] =
        ["gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "azurebastionsubnet", "routeserversubnet"];
    let named = index.subnet.one(subnet).is_some_and(|row| NAMES.contains(&row.name.as_str()));
    let hosts = index.devices_by_subnet.get(subnet).iter().any(|device| {
        matches!(device.kind, DeviceKind::ApplicationGateway | DeviceKind::AzureFirewall | DeviceKind::Bastion | DeviceKind::VirtualHub)
    });
    named || hosts || index.gateways_by_subnet.has(subnet)
}

/// Whether the network holds services that bring their own rules (AVN-07).
fn has_intent_services(index: &Index, vnet: Sym) -> bool {
    let services = |subnet: Sym| index.subnet_delegations.get(subnet).iter().map(|row| row.service.as_str());
    let brings = |service: &str| matches!(service, "microsoft.sql/managedinstances" | "microsoft.databricks/workspaces");
    index.subnets_by_vnet.get(vnet).iter().any(|row| services(row.subnet).any(brings))
}

/// A configuration in force in the network that is not in the input, or a collection of routes that is meant for it and has none there: nobody
/// knows its routes (PEER-16, RTE-24). Empty: none.
pub fn unread_routes(index: &Index, vnet: Sym) -> Sym {
    let connectivity = applied(index, vnet, ManagerPart::Connectivity).into_iter().find(|id| !index.connectivity.has(*id));
    let collections = routing(index, vnet);
    let unread = collections.iter().map(|row| row.collection).find(|id| !index.routing_rules.has(*id));
    let lost = |row: &&Resource| !index.connectivity.has(row.id) && in_force(index, vnet, ManagerPart::Connectivity, row.id).hi();
    let bodyless = index.resources_by_kind.get(Sym::new(CONNECTIVITY)).iter().filter(lost).map(|row| row.id).min_by_key(|id| id.as_str());
    connectivity.or(bodyless).or(unread).unwrap_or_default()
}

/// The collections of routes that are meant for the network, or for subnets of it, sorted by id.
fn routing(index: &Index, vnet: Sym) -> Vec<&RoutingCollection> {
    let meant = |row: &&RoutingCollection| in_vnet(index, row.group, vnet) || fills_unseen(index, row.group);
    let mut collections: Vec<_> = index.routing_collections_by_group.rows().filter(meant).collect();
    collections.sort_by_key(|row| (row.collection.as_str(), row.group.as_str()));
    collections
}

/// What network managers may add to the route tables of the network (RTE-24). Whether a routing configuration is deployed stands in no export
/// of the platform: all of it is possible, none of it sure.
///
/// ```datalog
/// perhaps_route(V, P, H) :- group_member(G, _, V), routing_collection(C, G, _, _), routing_rule(_, C, P, H, _). // manager.5
/// ```
pub fn routes(index: &Index, vnet: Sym) -> ManagerRoutes {
    let mut found = ManagerRoutes::default();
    for collection in routing(index, vnet) {
        let route = |rule: &RoutingRule| {
            let RoutingRule { rule, collection, destination, hop, hop_address } = *rule;
            Route { route: rule, table: collection, destination, hop, hop_address }
        };
        found.routes.extend(index.routing_rules.get(collection.collection).iter().map(route));
        found.drops_gateway_routes |= !collection.gateway_routes;
        if collection.local != LocalRouting::NotSpecified && found.stays_local.is_empty() {
            found.stays_local = collection.collection;
        }
    }
    found.routes.sort_unstable();
    found.routes.dedup();
    found
}

/// One network in one configuration.
struct Member {
    vnet: Sym,
    groups: Vec<(Sym, Tri)>,
    hub: bool,
    here: Tri,
}

impl Member {
    fn of(index: &Index, configuration: Sym, groups: &[ConnectivityGroup], vnet: Sym) -> Member {
        let here = in_force(index, vnet, ManagerPart::Connectivity, configuration);
        let hub = index.connectivity_hubs.get(configuration).iter().any(|row| row.vnet == vnet);
        let mut found: Vec<(Sym, Tri)> = groups.iter().map(|row| (row.group, belongs(index, row.group, vnet, Sym::EMPTY))).collect();
        let seen = found.iter().any(|(_, sure)| sure.hi()) || hub;
        if !seen && here.lo() {
            found.iter_mut().for_each(|(_, sure)| *sure = Tri::Maybe); // a policy made it a member
        }
        found.retain(|(_, sure)| sure.hi());
        Member { vnet, groups: found, hub, here }
    }

    fn sure_of(&self, group: Sym) -> Tri {
        self.groups.iter().find(|(id, _)| *id == group).map_or(Tri::No, |(_, sure)| *sure)
    }
}

/// The networks that configurations in force join with `vnet` (PEER-14 to PEER-16).
///
/// ```datalog
/// grouped(V, W) :- connectivity_group(C, G, true, _, _), group_member(G, V, V), group_member(G, W, W),
///                  manager_applied(V, "connectivity", C), manager_applied(W, "connectivity", C).             // manager.1
/// ```
pub fn links(index: &Index, vnet: Sym) -> Vec<Peer> {
    let mut peers = Vec::new();
    let mut configurations: Vec<_> = index.connectivity.rows().copied().collect();
    configurations.sort_by_key(|row| row.configuration.as_str());
    for configuration in configurations {
        let id = configuration.configuration;
        let groups = index.connectivity_groups.get(id);
        let me = Member::of(index, id, groups, vnet);
        if !me.here.hi() || (me.groups.is_empty() && !me.hub) {
            continue;
        }
        let others = members(index, id, groups);
        for other in others.iter().filter(|other| other.vnet != vnet) {
            let group = grouped(index, configuration.topology, configuration.global, groups, &me, other);
            if group.hi() {
                peers.push(group_peer(index, id, groups, &me, other, &others, group));
            }
            let spoke = spoke_of(configuration.topology, &me, other);
            if spoke.hi() {
                let gateway = me.groups.iter().any(|(id, _)| groups.iter().any(|row| row.group == *id && row.hub_gateway));
                let prefixes = index.vnet_prefixes.get(other.vnet).iter().map(|row| (row.prefix, Tri::Yes)).collect();
                peers.push(Peer {
                    remote_gateway: other.hub && gateway,
                    forwarded: true,
                    open: !index.vnet_prefixes.has(other.vnet),
                    ..Peer::by_manager(other.vnet, id, Joint::Peering, spoke, prefixes)
                });
            }
        }
    }
    peers
}

/// Everybody who is or may be in a configuration, sorted by id.
fn members(index: &Index, configuration: Sym, groups: &[ConnectivityGroup]) -> Vec<Member> {
    let mut vnets: Vec<Sym> = index.connectivity_hubs.get(configuration).iter().map(|row| row.vnet).collect();
    let stated = groups.iter().flat_map(|row| index.group_members.get(row.group)).filter(|row| row.member == row.vnet);
    vnets.extend(stated.map(|row| row.vnet));
    vnets.extend(index.manager_applied_by_configuration.get(configuration).iter().map(|row| row.vnet));
    if groups.iter().any(|row| fills_unseen(index, row.group)) {
        vnets.extend(index.vnet.rows().map(|row| row.vnet));
    }
    Sym::sort(&mut vnets);
    vnets.dedup();
    vnets.into_iter().map(|vnet| Member::of(index, configuration, groups, vnet)).collect()
}

/// Whether two members are in one connected group: of one network group, in one region unless the group is global (PEER-14).
fn grouped(index: &Index, topology: Topology, global: bool, groups: &[ConnectivityGroup], me: &Member, other: &Member) -> Tri {
    let region = |vnet: Sym| index.vnet.one(vnet).map(|row| row.location).filter(|location| !location.is_empty());
    let near = match (region(me.vnet), region(other.vnet)) {
        (Some(here), Some(there)) => Tri::from_bool(here == there),
        _ => Tri::Maybe,
    };
    let mut best = Tri::No;
    for row in groups {
        let direct = match topology {
            Topology::Mesh => Tri::Yes,
            Topology::HubAndSpoke => Tri::from_bool(row.direct),
            Topology::Unknown => Tri::Maybe,
        };
        let far = match (row.global, global) {
            (true, true) => Tri::Yes,
            (true, false) if topology == Topology::HubAndSpoke => Tri::Yes,
            (false, false) => Tri::No,
            _ => Tri::Maybe,
        };
        let together = me.sure_of(row.group).and(other.sure_of(row.group)).and(direct).and(near.or(far));
        best = best.or(together);
        // Whether the groups of one mesh are also joined with each other is not documented.
        if topology == Topology::Mesh && me.sure_of(row.group).hi() && !other.groups.is_empty() {
            best = best.or(near.or(far).and(Tri::Maybe));
        }
    }
    best.and(me.here).and(other.here)
}

/// Whether one is the hub of the other (PEER-14).
fn spoke_of(topology: Topology, me: &Member, other: &Member) -> Tri {
    let (hub, spoke) = match (me.hub, other.hub) {
        (true, false) => (me, other),
        (false, true) => (other, me),
        _ => return Tri::No,
    };
    let star = match topology {
        Topology::HubAndSpoke => Tri::Yes,
        Topology::Unknown => Tri::Maybe,
        Topology::Mesh => Tri::No,
    };
    let member = spoke.groups.iter().map(|(_, sure)| *sure).max().unwrap_or(Tri::No);
    star.and(member).and(spoke.here).and(hub.here.max(Tri::Maybe))
}

/// A member as another sees it: addresses that several members have are taken out of the group (PEER-15).
fn group_peer(
    index: &Index,
    configuration: Sym,
    groups: &[ConnectivityGroup],
    me: &Member,
    other: &Member,
    all: &[Member],
    usable: Tri,
) -> Peer {
    let space = |vnet: Sym| index.vnet_prefixes.get(vnet).iter().map(|row| row.prefix);
    let with = |a: &Member, b: &Member| groups.iter().map(|row| a.sure_of(row.group).and(b.sure_of(row.group))).max().unwrap_or(Tri::No);
    // Whether another member has addresses of the prefix: all of them, or some.
    let taken = |prefix: &Prefix, of: &Member| {
        let rivals = all.iter().filter(|third| third.vnet != of.vnet);
        rivals
            .map(|third| {
                let there = with(of, third).and(third.here);
                let whole = space(third.vnet).any(|p| p.contains(prefix));
                // One of unknown addresses may have them.
                let part = !index.vnet_prefixes.has(third.vnet) || space(third.vnet).any(|p| net::overlap(&p, prefix));
                if whole {
                    there
                } else if part {
                    there.and(Tri::Maybe)
                } else {
                    Tri::No
                }
            })
            .max()
            .unwrap_or(Tri::No)
    };
    let prefixes = space(other.vnet).map(|prefix| (prefix, taken(&prefix, other).negated())).filter(|(_, sure)| sure.hi()).collect();
    let clean = !space(me.vnet).any(|prefix| taken(&prefix, me).hi());
    let usable = if clean { usable } else { usable.and(Tri::Maybe) };
    Peer { open: !index.vnet_prefixes.has(other.vnet), ..Peer::by_manager(other.vnet, configuration, Joint::Group, usable, prefixes) }
}
