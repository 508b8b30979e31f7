//! Private resolvers, forwarding rulesets, and firewalls that answer names for others.

use serde_json::Value;

use crate::facts::dns::{DnsInbound, DnsResolver, ForwardingRule, ForwardingRuleset, ForwardingTarget, RulesetLink};
use crate::facts::extract::device::elsewhere;
use crate::facts::extract::out::{Out, properties};
use crate::facts::extract::private_dns::name_of;
use crate::model::{Sym, Tri};

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
    for configuration in out.objects(body, "ipConfigurations") {
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
        // It may be for any name.
        return out.rule_gap(ruleset, "`properties.domainName` is missing");
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
    for (position, target) in (0..).zip(out.objects(body, "targetDnsServers")) {
        let port = out.port(target, "port").unwrap_or(53);
        if let Some(server) = out.address(target, "ipAddress") {
            out.fact(ForwardingTarget { rule, position, server, port });
        }
    }
}

/// `microsoft.network/dnsforwardingrulesets/virtualnetworklinks` (DNS-19).
pub(super) fn ruleset_link<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (link, ruleset) = (out.id(), out.parent());
    let usable = out.settled(body);
    let vnet = out.link(body, "virtualNetwork").unwrap_or_else(|| {
        out.gap("`properties.virtualNetwork` is missing");
        Sym::EMPTY
    });
    out.fact(RulesetLink { link, ruleset, vnet, usable });
}
