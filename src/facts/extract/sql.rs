//! Logical SQL servers and the rules that are their children.

use serde_json::Value;

use crate::facts::extract::out::Out;
use crate::facts::extract::store::{host_or, ordered, public_access};
use crate::facts::store_facts::{
    Instance, Service, Store, StoreAccess, StoreIpRule, StoreOutboundRule, StorePart, StoreSubnetRule, StoreSwitch, Switch,
};
use crate::model::{Sym, Tri};

/// `microsoft.sql/servers` (SQL-01, SQL-10).
pub(super) fn server<'a>(out: &mut Out<'a>, body: &'a Value) {
    let store = out.id();
    let location = out.resource.location;
    let kind = out.text(&out.resource.body, "kind").map_or(Sym::EMPTY, Sym::lower);
    out.fact(Store { store, service: Service::Sql, kind, location });
    let host = host_or(out, body, "fullyQualifiedDomainName", "database.windows.net");
    out.fact(StorePart { store, part: Sym::new("sqlserver"), instance: Instance::Primary, host, location });
    let public = public_access(out, body);
    let restricted = |text: &str| match text.to_ascii_lowercase().as_str() {
        "enabled" => Some(Tri::Yes),
        "disabled" => Some(Tri::No),
        _ => None,
    };
    let absent = if body.is_null() { Tri::Maybe } else { Tri::No };
    let restricted = out.word(body, "restrictOutboundNetworkAccess", restricted, Tri::Maybe).unwrap_or(absent);
    let outbound_restricted = restricted == Tri::Yes;
    if restricted == Tri::Maybe {
        out.fact(StoreSwitch { store, switch: Switch::Outbound, on: restricted });
    }
    // What no rule names is refused (FW-10).
    out.fact(StoreAccess { store, public, default_allow: Tri::No, trusted: false, plain_http: false, outbound_restricted });
}

/// `microsoft.sql/servers/firewallrules` and `…/ipv6firewallrules` (SQL-03).
pub(super) fn firewall_rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, store) = (out.id(), out.parent());
    let from = out.address(body, "startIpAddress").or_else(|| out.address(body, "startIPv6Address"));
    let to = out.address(body, "endIpAddress").or_else(|| out.address(body, "endIPv6Address"));
    match from.zip(to).and_then(|(from, to)| ordered(from, to)) {
        Some((from, to)) => out.fact(StoreIpRule { rule, store, from, to }),
        None => out.gap("the rule has no range of addresses"),
    }
}

/// `microsoft.sql/servers/virtualnetworkrules` (SQL-05).
pub(super) fn subnet_rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, store) = (out.id(), out.parent());
    let Some(subnet) = out.link(body, "virtualNetworkSubnetId") else {
        return out.gap("`properties.virtualNetworkSubnetId` is missing");
    };
    let state = |text: &str| match text.to_ascii_lowercase().as_str() {
        "ready" | "inprogress" => Some(Tri::Yes),
        "initializing" | "unknown" => Some(Tri::Maybe),
        "failed" | "deleting" => Some(Tri::No),
        _ => None,
    };
    let before = out.facts().len();
    let effective = out.word(body, "state", state, Tri::Maybe).unwrap_or(Tri::Yes);
    // A state that is not known leaves open whether the subnet is let in, and nobody else (FW-07).
    out.stand_for_gaps(before);
    out.fact(StoreSubnetRule { rule, store, subnet, effective });
}

/// `microsoft.sql/servers/outboundfirewallrules`: the name is the host (SQL-10).
pub(super) fn outbound_rule<'a>(out: &mut Out<'a>, _body: &'a Value) {
    let (rule, store) = (out.id(), out.parent());
    out.fact(StoreOutboundRule { rule, store, fqdn: Sym::lower(out.resource.name.as_str()) });
}
