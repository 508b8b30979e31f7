//! Network managers: groups and their members, admin rules, connectivity, and what of it is in force.

use serde_json::Value;

use crate::facts::extract::nsg::selector;
use crate::facts::extract::out::{Out, get, whole};
use crate::facts::manager::{
    AdminAccess, AdminCollection, AdminConfiguration, AdminRule, AdminRuleGroup, Connectivity, ConnectivityGroup, ConnectivityHub, Field,
    GroupMember, GroupPolicy, IntentServices, LocalRouting, ManagerApplied, ManagerListing, ManagerPart, MembershipsListed, NetworkManager,
    RoutingCollection, RoutingRule, Topology,
};
use crate::facts::network::{Direction, HopKind, Protocol};
use crate::facts::selector::{PortList, Selector, Selectors, UNKNOWN_TAG};
use crate::model::traffic::parse_ports;
use crate::model::{Sym, ids};

/// `microsoft.network/networkmanagers`.
pub(super) fn manager<'a>(out: &mut Out<'a>, body: &'a Value) {
    let manager = out.id();
    let scopes = out.object(body, "networkManagerScopes");
    let high = scopes.is_some_and(|scopes| !out.items(scopes, "managementGroups").is_empty());
    out.fact(NetworkManager { manager, level: if high { 0 } else { 1 } });
}

/// `microsoft.network/networkmanagers/networkgroups`: its members stand in rows of their own.
pub(super) fn group<'a>(_: &mut Out<'a>, _: &'a Value) {}

/// `microsoft.network/networkmanagers/networkgroups/staticmembers` (AVN-12).
pub(super) fn static_member<'a>(out: &mut Out<'a>, body: &'a Value) {
    let group = out.parent();
    match out.id_text(body, "resourceId") {
        Some(member) => belongs(out, group, member),
        None => {
            out.gap("`properties.resourceId` is missing");
            let policy = out.id();
            out.fact(GroupPolicy { policy, group });
        }
    }
}

/// `microsoft.network/networkgroupmemberships`, an extension of the network or subnet it is about (AVN-12).
pub(super) fn memberships<'a>(out: &mut Out<'a>, body: &'a Value) {
    let Some(member) = extended(out) else { return out.gap("what the memberships are of is not known") };
    out.fact(MembershipsListed { resource: member });
    if get(body, "groupMemberships").is_none() {
        out.gap("`properties.groupMemberships` is missing");
        return belongs(out, Sym::EMPTY, member);
    }
    for membership in out.objects(body, "groupMemberships") {
        let group = out.id_text(membership, "networkGroupId").unwrap_or_else(|| {
            out.gap("a group of `properties.groupMemberships` is not named");
            Sym::EMPTY
        });
        belongs(out, group, member);
    }
}

fn belongs(out: &mut Out<'_>, group: Sym, member: Sym) {
    match ids::vnet_of_id(member.as_str()) {
        Some(vnet) => out.fact(GroupMember { group, member, vnet: Sym::new(vnet) }),
        None => out.gap(format!("`{member}` is neither a network nor a subnet")),
    }
}

/// The resource that this one extends.
fn extended(out: &Out<'_>) -> Option<Sym> {
    let (base, _) = out.resource.id.as_str().rsplit_once("/providers/")?;
    Some(Sym::new(base)).filter(|base| ids::vnet_of_id(base.as_str()).is_some())
}

/// `microsoft.network/effectivesecurityadminrules`: the configurations in force in a network (AVN-02).
pub(super) fn effective_rules<'a>(out: &mut Out<'a>, body: &'a Value) {
    effective(out, body, ManagerPart::Admin, "effectiveSecurityAdminConfigurations");
}

/// `microsoft.network/effectiveconnectivityconfigurations`.
pub(super) fn effective_connectivity<'a>(out: &mut Out<'a>, body: &'a Value) {
    effective(out, body, ManagerPart::Connectivity, "effectiveConnectivityConfigurations");
}

fn effective<'a>(out: &mut Out<'a>, body: &'a Value, what: ManagerPart, list: &str) {
    let Some(vnet) = extended(out) else { return out.gap("what is in force where is not known") };
    let items = out.items(body, list);
    if get(body, list).is_none() {
        return out.gap(format!("`properties.{list}` is missing"));
    }
    let mut whole = true;
    for item in items {
        let configuration = match out.reference(item) {
            Some(snapshot) => Sym::new(snapshot.as_str().split("/snapshots/").next().unwrap_or_default()),
            // One that is not named is none that anybody has read.
            None => {
                out.gap(format!("a configuration of `properties.{list}` is not named"));
                whole = false;
                out.id()
            }
        };
        out.fact(ManagerApplied { vnet, what, configuration });
    }
    // One without a name may be any: which others are in force is not told then.
    if whole {
        out.fact(ManagerListing { vnet, what });
    }
}

/// `microsoft.network/networkmanagers/securityadminconfigurations` (AVN-01, AVN-07).
pub(super) fn admin_configuration<'a>(out: &mut Out<'a>, body: &'a Value) {
    let words = out.texts(body, "applyOnNetworkIntentPolicyBasedServices");
    let has = |word: &str| words.iter().any(|text| text.eq_ignore_ascii_case(word));
    let known = words.iter().all(|word| IntentServices::parse(word).is_some_and(|known| known != IntentServices::Unknown));
    let intent = match known {
        _ if has("All") => IntentServices::All,
        _ if has("AllowRulesOnly") => IntentServices::AllowRulesOnly,
        true => IntentServices::None,
        false => IntentServices::Unknown,
    };
    if intent == IntentServices::Unknown {
        out.gap("`applyOnNetworkIntentPolicyBasedServices` has an unknown value");
    }
    let (configuration, manager) = (out.id(), out.parent());
    out.fact(AdminConfiguration { configuration, manager, intent });
}

/// `microsoft.network/networkmanagers/securityadminconfigurations/rulecollections`.
pub(super) fn admin_collection<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (collection, configuration) = (out.id(), out.parent());
    for group in groups(out, body) {
        out.fact(AdminCollection { collection, configuration, group });
    }
}

/// `microsoft.network/networkmanagers/routingconfigurations/rulecollections` (RTE-24).
pub(super) fn routing_collection<'a>(out: &mut Out<'a>, body: &'a Value) {
    let collection = out.id();
    let drops = match get(body, "disableBgpRoutePropagation") {
        // A word in the answers of the platform, a flag in its documents.
        Some(Value::String(word)) => word.eq_ignore_ascii_case("true"),
        _ => out.flag(body, "disableBgpRoutePropagation").unwrap_or(false),
    };
    let local = out.word(body, "localRouteSetting", LocalRouting::parse, LocalRouting::Unknown).unwrap_or(LocalRouting::NotSpecified);
    for group in groups(out, body) {
        out.fact(RoutingCollection { collection, group, gateway_routes: !drops, local });
    }
}

/// `microsoft.network/networkmanagers/routingconfigurations/rulecollections/rules` (RTE-24).
pub(super) fn routing_rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, collection) = (out.id(), out.parent());
    let to = get(body, "destination");
    let named = to.and_then(|to| out.text(to, "destinationAddress")).and_then(selector);
    if named.is_none() {
        out.gap("`properties.destination` is missing or has an unknown value");
    }
    let destination = Selectors::new([named.unwrap_or(Selector::Tag(Sym::new(UNKNOWN_TAG)))]);
    let next = get(body, "nextHop");
    let kind = |word: &str| if word.eq_ignore_ascii_case("NoNextHop") { Some(HopKind::None) } else { HopKind::parse(word) };
    let hop = next.and_then(|next| out.word(next, "nextHopType", kind, HopKind::Unknown)).unwrap_or_else(|| {
        out.gap("`properties.nextHop` is missing");
        HopKind::Unknown
    });
    let hop_address = next.filter(|_| hop == HopKind::VirtualAppliance).and_then(|next| out.address(next, "nextHopAddress"));
    if hop == HopKind::VirtualAppliance && hop_address.is_none() {
        out.gap("the address of the appliance is not known");
    }
    out.fact(RoutingRule { rule, collection, destination, hop, hop_address });
}

/// The groups that a collection is for; one that is not named, or a list that is not there, is the empty id.
fn groups<'a>(out: &mut Out<'a>, body: &'a Value) -> Vec<Sym> {
    const LISTS: [&str; 2] = ["appliesToGroups", "appliesTo"];
    if LISTS.iter().all(|list| get(body, list).is_none()) {
        out.gap("`properties.appliesToGroups` is missing");
        return vec![Sym::EMPTY];
    }
    let items = LISTS.into_iter().flat_map(|list| out.objects(body, list)).collect::<Vec<_>>();
    let mut group = |item| {
        out.id_text(item, "networkGroupId").unwrap_or_else(|| {
            out.gap("a group of `properties.appliesToGroups` is not named");
            Sym::EMPTY
        })
    };
    items.into_iter().map(&mut group).collect()
}

/// `microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules` (AVN-03, AVN-11).
pub(super) fn admin_rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, collection) = (out.id(), out.parent());
    let direction = out.text(body, "direction").and_then(Direction::parse);
    let priority = get(body, "priority").and_then(|value| {
        let number = whole(value);
        if number.is_none() {
            out.wrong(value, "a number");
        }
        number
    });
    let access = out.word(body, "access", AdminAccess::parse, AdminAccess::Unknown).unwrap_or(AdminAccess::Unknown);
    let protocol = match out.text(body, "protocol") {
        None => Some(Protocol::Any),
        Some(word) if word.eq_ignore_ascii_case("any") => Some(Protocol::Any),
        Some(word) => Protocol::parse(word),
    };
    let sources = addresses(out, body, rule, "sources", Field::Source);
    let destinations = addresses(out, body, rule, "destinations", Field::Destination);
    let (source_ports, destination_ports) = (ports(out, body, "sourcePortRanges"), ports(out, body, "destinationPortRanges"));
    let understood =
        direction.is_some() && protocol.is_some() && priority.is_some() && source_ports.is_some() && destination_ports.is_some();
    if !understood {
        out.gap("the rule has a field that is missing or has an unknown value");
    }
    // What nobody can read may say anything about anything, in both directions.
    let directions = direction.map_or(vec![Direction::Inbound, Direction::Outbound], |one| vec![one]);
    for direction in directions {
        out.fact(AdminRule {
            rule,
            collection,
            direction,
            priority: priority.unwrap_or(0),
            access: if understood { access } else { AdminAccess::Unknown },
            protocol: protocol.unwrap_or(Protocol::Any),
            sources,
            source_ports: source_ports.unwrap_or(PortList::any()),
            destinations,
            destination_ports: destination_ports.unwrap_or(PortList::any()),
        });
    }
}

/// The addresses that a field names; its groups become rows of their own, an empty field names everything (AVN-03).
fn addresses<'a>(out: &mut Out<'a>, body: &'a Value, rule: Sym, list: &str, field: Field) -> Selectors {
    let items = out.objects(body, list);
    if items.is_empty() {
        return Selectors::any();
    }
    let mut named = Vec::new();
    for item in items {
        let kind = out.text(item, "addressPrefixType").unwrap_or("IPPrefix");
        let Some(text) = out.text(item, "addressPrefix") else {
            out.gap(format!("an address of `{list}` is not named"));
            named.push(Selector::Tag(Sym::new(UNKNOWN_TAG)));
            continue;
        };
        if kind.eq_ignore_ascii_case("NetworkGroup") {
            out.fact(AdminRuleGroup { rule, field, group: ids::normal_id(text) });
            continue;
        }
        let known = ["IPPrefix", "ServiceTag"].iter().any(|word| kind.eq_ignore_ascii_case(word));
        if !known {
            out.gap(format!("`{list}` has an address of the unknown type `{kind}`"));
        }
        named.push(selector(text).filter(|_| known).unwrap_or_else(|| {
            out.gap(format!("`{list}` has the unknown value `{text}`"));
            Selector::Tag(Sym::new(UNKNOWN_TAG))
        }));
    }
    Selectors::new(named)
}

/// The ranges of a port field, `*` where it is empty; `None` where a range cannot be read.
fn ports<'a>(out: &mut Out<'a>, body: &'a Value, list: &str) -> Option<PortList> {
    let texts = out.texts(body, list);
    if texts.is_empty() {
        return Some(PortList::any());
    }
    texts.into_iter().map(parse_ports).collect::<Option<Vec<_>>>().map(PortList::new)
}

/// `microsoft.network/networkmanagers/connectivityconfigurations` (PEER-14).
pub(super) fn connectivity<'a>(out: &mut Out<'a>, body: &'a Value) {
    let configuration = out.id();
    let topology = out.word(body, "connectivityTopology", Topology::parse, Topology::Unknown).unwrap_or(Topology::Unknown);
    let global = out.flag(body, "isGlobal").unwrap_or(false);
    out.fact(Connectivity { configuration, topology, global });
    for hub in out.objects(body, "hubs") {
        if let Some(vnet) = out.id_text(hub, "resourceId") {
            out.fact(ConnectivityHub { configuration, vnet });
        }
    }
    // For whom it is nobody knows then, nor how it joins them.
    let anybody = ConnectivityGroup { configuration, group: Sym::EMPTY, direct: true, hub_gateway: true, global: true };
    if get(body, "appliesToGroups").is_none() {
        out.gap("`properties.appliesToGroups` is missing");
        out.fact(anybody);
    }
    for item in out.objects(body, "appliesToGroups") {
        let Some(group) = out.id_text(item, "networkGroupId") else {
            out.gap("a group of `properties.appliesToGroups` is not named");
            out.fact(anybody);
            continue;
        };
        let direct = out.text(item, "groupConnectivity").is_some_and(|word| word.eq_ignore_ascii_case("DirectlyConnected"));
        let (hub_gateway, global) = (out.flag(item, "useHubGateway"), out.flag(item, "isGlobal"));
        let (hub_gateway, global) = (hub_gateway.unwrap_or(false), global.unwrap_or(false));
        out.fact(ConnectivityGroup { configuration, group, direct, hub_gateway, global });
    }
}

/// `microsoft.authorization/policydefinitions`: of all policies only those that fill network groups matter here.
pub(super) fn policy<'a>(out: &mut Out<'a>, body: &'a Value) {
    let policy = out.id();
    // Policies of this mode have no other effect, whatever a parameter calls it.
    let fills = out.text(body, "mode").is_some_and(|mode| mode.eq_ignore_ascii_case("Microsoft.Network.Data"));
    let Some(then) = out.object(body, "policyRule").and_then(|rule| out.object(rule, "then")) else {
        if fills {
            out.gap("`properties.policyRule` is missing");
            out.fact(GroupPolicy { policy, group: Sym::EMPTY });
        }
        return;
    };
    let effect = out.text(then, "effect").unwrap_or_default();
    let open = fills && (effect.is_empty() || effect.starts_with('['));
    if !open && !effect.eq_ignore_ascii_case("addToNetworkGroup") {
        return;
    }
    let group = out.object(then, "details").and_then(|details| out.text(details, "networkGroupId"));
    let group = group.filter(|id| id.starts_with('/')).map_or(Sym::EMPTY, ids::normal_id);
    out.fact(GroupPolicy { policy, group });
}
