//! Private resolvers, forwarding rulesets, and firewalls that answer names for others.

use std::net::IpAddr;

use serde_json::Value;

use crate::facts::dns::{
    DnsInbound, DnsProxy, DnsProxyPolicy, DnsProxyServer, DnsResolver, ForwardingRule, ForwardingRuleset, ForwardingTarget, RulesetLink,
};
use crate::facts::extract::device::elsewhere;
use crate::facts::extract::out::{Out, get, is_set, properties};
use crate::facts::extract::private_dns::name_of;
use crate::model::Tri;

/// `microsoft.network/dnsresolvers`.
pub(super) fn resolver<'a>(out: &mut Out<'a>, body: &'a Value) {
    let resolver = out.id();
    match out.link(body, "virtualNetwork") {
        Some(vnet) => out.fact(DnsResolver { resolver, vnet }),
        None => out.gap("`properties.virtualNetwork` is missing"),
    }
}

/// `microsoft.network/dnsresolvers/inboundendpoints` (DNS-20, DNS-33).
pub(super) fn inbound<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (endpoint, resolver) = (out.id(), out.parent());
    let settled = out.settled(body);
    for configuration in out.items(body, "ipConfigurations") {
        let configuration = properties(configuration);
        let subnet = out.link(configuration, "subnet").unwrap_or_default();
        if let Some(address) = out.address(configuration, "privateIpAddress") {
            out.fact(DnsInbound { endpoint, resolver, subnet, address, settled });
        }
    }
    elsewhere(out, body);
}

/// `microsoft.network/dnsresolvers/outboundendpoints`: what a ruleset sends leaves here.
pub(super) fn outbound<'a>(out: &mut Out<'a>, body: &'a Value) {
    elsewhere(out, body);
}

/// `microsoft.network/dnsforwardingrulesets`.
pub(super) fn ruleset<'a>(out: &mut Out<'a>, _body: &'a Value) {
    let ruleset = out.id();
    out.fact(ForwardingRuleset { ruleset, location: out.resource.location });
}

/// `microsoft.network/dnsforwardingrulesets/forwardingrules` (DNS-19).
pub(super) fn rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, ruleset) = (out.id(), out.parent());
    let Some(domain) = out.text(body, "domainName").map(name_of) else {
        return out.gap("`properties.domainName` is missing");
    };
    let enabled = match out.text(body, "forwardingRuleState") {
        Some(state) if state.eq_ignore_ascii_case("Enabled") => Tri::Yes,
        Some(state) if state.eq_ignore_ascii_case("Disabled") => Tri::No,
        Some(state) => {
            out.gap(format!("`forwardingRuleState` has the unknown value `{state}`"));
            Tri::Maybe
        }
        None => Tri::Yes,
    };
    out.fact(ForwardingRule { rule, ruleset, domain, enabled });
    for (position, target) in (0..).zip(out.items(body, "targetDnsServers")) {
        let port = get(target, "port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()).unwrap_or(53);
        if let Some(server) = out.address(target, "ipAddress") {
            out.fact(ForwardingTarget { rule, position, server, port });
        }
    }
}

/// `microsoft.network/dnsforwardingrulesets/virtualnetworklinks` (DNS-19).
pub(super) fn ruleset_link<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (link, ruleset) = (out.id(), out.parent());
    let usable = out.settled(body);
    match out.link(body, "virtualNetwork") {
        Some(vnet) => out.fact(RulesetLink { link, ruleset, vnet, usable }),
        None => out.gap("`properties.virtualNetwork` is missing"),
    }
}

/// What a resource of the type `kind` says of names where it is a firewall policy (DNS-20).
pub(super) fn firewall_policy<'a>(out: &mut Out<'a>, kind: &str, body: &'a Value) {
    if kind != "microsoft.network/firewallpolicies" {
        return;
    }
    let owner = out.id();
    let Some(settings) = get(body, "dnsSettings").filter(|settings| is_set(settings)) else { return };
    let enabled = out.flag(settings, "enableProxy").unwrap_or(false);
    out.fact(DnsProxy { owner, enabled });
    for (position, server) in (0..).zip(out.addresses(settings, "servers")) {
        out.fact(DnsProxyServer { owner, position, server });
    }
}

/// What an Azure Firewall says of names: its policy, or settings among its additional properties where it has none (DNS-20).
pub(super) fn firewall<'a>(out: &mut Out<'a>, body: &'a Value) {
    let owner = out.id();
    if let Some(policy) = out.link(body, "firewallPolicy") {
        return out.fact(DnsProxyPolicy { firewall: owner, policy });
    }
    let more = get(body, "additionalProperties");
    let enabled = more.and_then(|more| out.flag(more, "Network.DNS.EnableProxy")).unwrap_or(false);
    out.fact(DnsProxy { owner, enabled });
    let servers = more.and_then(|more| out.text(more, "Network.DNS.Servers")).unwrap_or("");
    let servers = servers.split(',').map(str::trim).filter(|server| !server.is_empty());
    let mut position = 0;
    for server in servers.map(str::parse::<IpAddr>) {
        match server {
            Ok(server) => out.fact(DnsProxyServer { owner, position, server }),
            Err(_) => out.gap("`additionalProperties.Network.DNS.Servers` is not a list of addresses"),
        }
        position += 1;
    }
}
