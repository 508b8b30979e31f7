//! Virtual WAN: hubs and what is connected to them.

use serde_json::Value;

use crate::facts::extract::out::{Out, get, is_set, properties};
use crate::facts::gap::{ChildType, Unread};
use crate::facts::hub::{
    CONNECTIONS, HubBranch, HubConnection, HubConnectionRoute, HubDoubt, HubGuard, HubLabel, HubPolicy, HubPropagation, HubRoute, HubTable,
    HubTableLabel, PolicyKind, RouteServer, VirtualHub, VirtualWan,
};
use crate::facts::network::{LocalGateway, LocalGatewayPrefix};
use crate::model::{Sym, net};

/// `microsoft.network/virtualwans`.
pub(super) fn wan<'a>(out: &mut Out<'a>, body: &'a Value) {
    let wan = out.id();
    let basic = out.text(body, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("Basic"));
    out.fact(VirtualWan { wan, standard: !basic });
}

/// `microsoft.network/virtualhubs`: a hub of a WAN, or a route server, which stands in a network (section 13).
pub(super) fn hub<'a>(out: &mut Out<'a>, body: &'a Value) {
    let id = out.id();
    if let Some(wan) = out.link(body, "virtualWan") {
        out.fact(VirtualHub { hub: id, wan });
        for name in ["azureFirewall", "securityPartnerProvider"] {
            if let Some(device) = out.binding(body, name) {
                out.fact(HubGuard { hub: id, device });
            }
        }
        for name in ["vpnGateway", "expressRouteGateway", "p2SVpnGateway"] {
            if let Some(branch) = out.binding(body, name) {
                out.fact(HubBranch { branch, hub: id });
            }
        }
        let table = out.object(body, "routeTable").is_some_and(|table| !out.items(table, "routes").is_empty());
        let tables = !out.items(body, "virtualHubRouteTableV2s").is_empty();
        for (list, set) in [("routeTable", table), ("virtualHubRouteTableV2s", tables)] {
            if set {
                out.gap(format!("`properties.{list}` is not modelled"));
                out.fact(HubDoubt { resource: id, hub: id });
            }
        }
        return;
    }
    for configuration in out.objects(body, "ipConfigurations") {
        if let Some(subnet) = out.link(properties(configuration), "subnet") {
            out.fact(RouteServer { server: id, subnet });
        }
    }
}

/// `microsoft.network/virtualhubs/hubvirtualnetworkconnections` (VW-01, VW-02).
pub(super) fn connection<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (connection, hub) = (out.id(), out.parent());
    let Some(vnet) = out.link(body, "remoteVirtualNetwork") else {
        // Any network may be the one.
        out.fact(Unread { resource: connection, what: Sym::new("properties.remoteVirtualNetwork") });
        return out.gap("`properties.remoteVirtualNetwork` is missing");
    };
    let default = Sym::new(&format!("{hub}/hubroutetables/defaultroutetable"));
    let internet = out.flag(body, "enableInternetSecurity").unwrap_or(false);
    let routing = out.object(body, "routingConfiguration");
    let table = routing.and_then(|routing| out.binding(routing, "associatedRouteTable")).unwrap_or(default);
    out.fact(HubConnection { connection, hub, vnet, internet, table });
    let told = |tables: &&Value| ["ids", "labels"].iter().any(|list| get(tables, list).is_some());
    match routing.and_then(|routing| out.object(routing, "propagatedRouteTables")).filter(told) {
        Some(tables) => {
            let (ids, labels) = (out.links(tables, "ids"), out.texts(tables, "labels"));
            // Of the two lists an empty one says that there is none in it, and a missing one beside it nothing.
            if ids.is_empty() && labels.is_empty() && ["ids", "labels"].iter().any(|list| get(tables, list).is_none()) {
                out.gap("`properties.routingConfiguration.propagatedRouteTables` lacks one of its lists, and the other is empty");
                out.fact(HubDoubt { resource: connection, hub });
            }
            for table in ids {
                out.fact(HubPropagation { connection, table });
            }
            for label in labels {
                out.fact(HubLabel { connection, label: Sym::lower(label) });
            }
        }
        None => {
            out.fact(HubPropagation { connection, table: default });
            out.fact(HubLabel { connection, label: Sym::new("default") });
        }
    }
    let Some(routing) = routing else { return };
    if let Some(routes) = out.object(routing, "vnetRoutes") {
        for route in out.objects(routes, "staticRoutes") {
            let Some(address) = out.address(route, "nextHopIpAddress") else { continue };
            for prefix in out.prefixes(route, "addressPrefixes") {
                out.fact(HubConnectionRoute { connection, prefix, address });
            }
        }
    }
    let maps = ["inboundRouteMap", "outboundRouteMap"];
    if maps.iter().any(|map| get(routing, map).is_some_and(is_set)) {
        out.fact(HubDoubt { resource: connection, hub });
        out.not_modelled(routing, "properties.routingConfiguration.", &maps);
    }
}

/// `microsoft.network/virtualhubs/hubroutetables` (VW-02, VW-03).
pub(super) fn table<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (table, hub) = (out.id(), out.parent());
    out.fact(HubTable { table, hub });
    for label in out.texts(body, "labels") {
        out.fact(HubTableLabel { table, label: Sym::lower(label) });
    }
    for route in out.objects(body, "routes") {
        let next = out.id_text(route, "nextHop").unwrap_or_default();
        for text in out.texts(route, "destinations") {
            match net::parse_prefix(text) {
                Some(prefix) if !next.is_empty() => out.fact(HubRoute { table, prefix, next }),
                _ => {
                    out.gap(format!("the route to `{text}` is not modelled"));
                    out.fact(HubDoubt { resource: table, hub });
                }
            }
        }
    }
}

/// `microsoft.network/virtualhubs/routingintent` (VW-04).
pub(super) fn intent<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (intent, hub) = (out.id(), out.parent());
    // Through what nobody knows what may be sent goes through something that is not in the input.
    if get(body, "routingPolicies").is_none() {
        out.gap("`properties.routingPolicies` is missing");
        out.fact(HubDoubt { resource: intent, hub });
        out.fact(HubPolicy { hub, kind: PolicyKind::Unknown, next: intent });
    }
    for policy in out.objects(body, "routingPolicies") {
        let named = out.id_text(policy, "nextHop");
        let next = named.unwrap_or(intent);
        let words = out.texts(policy, "destinations");
        if words.is_empty() {
            out.fact(HubPolicy { hub, kind: PolicyKind::Unknown, next });
        }
        if named.is_none() || words.is_empty() {
            out.gap("a routing policy without destinations or a next hop is not modelled");
            out.fact(HubDoubt { resource: intent, hub });
        }
        for word in words {
            let kind = match word {
                _ if word.eq_ignore_ascii_case("Internet") => PolicyKind::Internet,
                _ if word.eq_ignore_ascii_case("PrivateTraffic") => PolicyKind::Private,
                _ => {
                    out.gap(format!("`{word}` as a destination of a routing policy is not modelled"));
                    out.fact(HubDoubt { resource: intent, hub });
                    out.fact(HubPolicy { hub, kind: PolicyKind::Unknown, next });
                    continue;
                }
            };
            out.fact(HubPolicy { hub, kind, next });
        }
    }
}

/// What is of a type that is not modelled and names its hub: appliances, security providers (VW-04).
pub(super) fn guard<'a>(out: &mut Out<'a>, body: &'a Value) {
    let device = out.id();
    if let Some(hub) = out.link(body, "virtualHub") {
        out.fact(HubGuard { hub, device });
    }
}

/// `microsoft.network/vpngateways`, `…/expressroutegateways`, `…/p2svpngateways`: a hub's gateways for branches.
pub(super) fn branch<'a>(out: &mut Out<'a>, body: &'a Value) {
    let branch = out.id();
    let hub = out.link(body, "virtualHub");
    if hub.is_none() {
        out.gap("the hub of the gateway is not known");
    }
    out.fact(HubBranch { branch, hub: hub.unwrap_or_default() });
    let own = |(_, kind): &&(&str, &str)| kind.rsplit_once('/').is_some_and(|(of, _)| of == out.resource.kind.as_str());
    if let Some((list, kind)) = CONNECTIONS.iter().find(own) {
        let connections = out.items(body, list);
        // Of two copies that contradict each other the other one may list some.
        if connections.is_empty() && get(body, list).is_some_and(Value::is_array) && !out.is_contested() {
            out.fact(ChildType { parent: branch, kind: Sym::new(kind) });
        }
    }
    out.gap("what a hub's gateway for branches announces is not modelled");
}

/// `microsoft.network/vpnsites`: a site on premises (GW-01).
pub(super) fn site<'a>(out: &mut Out<'a>, body: &'a Value) {
    let site = out.id();
    let bgp = out.object(body, "bgpProperties").is_some_and(is_set);
    out.fact(LocalGateway { site, bgp });
    if let Some(space) = out.object(body, "addressSpace") {
        for prefix in out.prefixes(space, "addressPrefixes") {
            out.fact(LocalGatewayPrefix { site, prefix });
        }
    }
    out.gap("how a VPN site is connected to its hub is not modelled");
}

/// What changes the routes of a hub in ways that are not modelled: route maps, peers, appliances (VW-06).
pub(super) fn doubt<'a>(out: &mut Out<'a>, body: &'a Value) {
    let resource = out.id();
    let hub = out.link(body, "virtualHub").unwrap_or_else(|| out.parent());
    out.fact(HubDoubt { resource, hub });
    out.gap("what it does to the routes of the hub is not modelled");
}
