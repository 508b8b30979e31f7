//! Azure Firewalls, firewall policies, rule collection groups, IP groups.
//!
//! A rule is never left out: where a part is not understood, its sources become the unknown tag, so that it may match anything and surely matches
//! nothing; a collection whose place or action is not known stands before all others, allowing and denying.

use std::net::IpAddr;

use serde_json::Value;

use crate::facts::azure_firewall::*;
use crate::facts::extract::device::frontends;
use crate::facts::extract::nsg;
use crate::facts::extract::out::{Out, get, is_set, properties, whole};
use crate::facts::extract::store::range;
use crate::facts::network::{Access, Device, DeviceAddress, DeviceKind, Protocol};
use crate::facts::selector::{PortList, Selector, Selectors, UNKNOWN_TAG};
use crate::model::traffic::parse_ports;
use crate::model::{Prefix, Sym, net};

/// The rule collections of a firewall without a policy, and the pass that looks at each.
const CLASSIC: [(&str, FirewallPass); 3] = [
    ("natRuleCollections", FirewallPass::Nat),
    ("networkRuleCollections", FirewallPass::Network),
    ("applicationRuleCollections", FirewallPass::Application),
];

/// `microsoft.network/azurefirewalls` (AFW-01).
pub(super) fn firewall<'a>(out: &mut Out<'a>, body: &'a Value) {
    let firewall = out.id();
    frontends(out, body, DeviceKind::AzureFirewall, &["ipConfigurations"]);
    let management = out.object(body, "managementIpConfiguration").filter(|value| is_set(value));
    if let Some(subnet) = management.and_then(|value| out.link(properties(value), "subnet")) {
        out.fact(Device { device: firewall, kind: DeviceKind::AzureFirewall, subnet });
    }
    if let Some(addresses) = out.object(body, "hubIPAddresses") {
        if let Some(address) = out.address(addresses, "privateIPAddress") {
            out.fact(DeviceAddress { device: firewall, address, subnet: Sym::EMPTY });
        }
        for public in out.object(addresses, "publicIPs").map_or(&[][..], |public| out.objects(public, "addresses")) {
            if let Some(address) = out.address(public, "address") {
                out.fact(FirewallHubAddress { firewall, address });
            }
        }
    }
    let mut policy = out.binding(body, "firewallPolicy").unwrap_or_default();
    if policy.is_empty() && !CLASSIC.iter().any(|(list, _)| get(body, list).is_some()) {
        // One of the two it has: as good as a policy that was not exported.
        out.gap("a firewall without `firewallPolicy` and without rule collections of its own");
        policy = out.unknown("firewallPolicy");
    }
    let hub = out.link(body, "virtualHub").unwrap_or_default();
    out.fact(AzureFirewall { firewall, hub, policy, forced: management.is_some() });
    if policy.is_empty() {
        inspects(out, body, FirewallInspector::ThreatIntelligence, "threatIntelMode");
        classic_settings(out, body);
        for (list, pass) in CLASSIC {
            for (at, item) in out.objects(body, list).iter().enumerate() {
                let id = out.part_id(item, firewall, &list.to_ascii_lowercase(), at);
                collection(out, firewall, id, item, properties(item), Some(pass));
            }
        }
    }
}

/// What a firewall without a policy says in `additionalProperties`.
fn classic_settings<'a>(out: &mut Out<'a>, body: &'a Value) {
    let Some(map) = out.object(body, "additionalProperties").and_then(Value::as_object) else { return };
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        if !value.is_string() {
            out.lost(value, "a text");
        }
        let list = || value.as_str().unwrap_or("").split(',').map(str::trim).filter(|text| !text.is_empty());
        match key.to_ascii_lowercase().as_str() {
            "network.snat.privateranges" => list().for_each(|text| private_range(out, value, text)),
            "network.dns.enableproxy" if value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")) => {
                out.fact(FirewallDnsProxy { owner: out.id() });
            }
            "network.dns.servers" => list().enumerate().for_each(|(position, text)| dns_server(out, value, position, text)),
            "network.snat.autolearnprivateranges" if value.as_str().is_some_and(|text| !text.eq_ignore_ascii_case("disabled")) => {
                out.fact(FirewallLearnsRanges { owner: out.id() });
            }
            // What the names of rules lead to is asked of the servers above, with or without these.
            "network.dns.enableproxy" | "network.dns.requireproxyfornetworkrules" | "network.snat.autolearnprivateranges" => {}
            // Speed and logs.
            "network.ftp.allowactiveftp"
            | "network.adminstate"
            | "network.logging.enablefatflowlogging"
            | "network.routeserverinfo.routeserverid" => {}
            _ => out.gap(format!("`properties.additionalProperties.{key}` is not modelled")),
        }
    }
}

/// `microsoft.network/firewallpolicies`.
pub(super) fn policy<'a>(out: &mut Out<'a>, body: &'a Value) {
    let policy = out.id();
    let base = out.binding(body, "basePolicy").unwrap_or_default();
    let listed = get(body, "ruleCollectionGroups").is_some_and(Value::is_array);
    for (at, item) in out.items(body, "ruleCollectionGroups").iter().enumerate() {
        if get(item, "properties").is_some_and(Value::is_object) {
            let group = out.part_id(item, policy, "rulecollectiongroups", at);
            out.fact(FirewallPolicyGroup { policy, group });
            group_at(out, group, policy, properties(item));
        } else if let Some(group) = out.bound(item, "ruleCollectionGroup") {
            out.fact(FirewallPolicyGroup { policy, group });
        }
    }
    // The groups of the first API versions: rules of another form, in resources of another type.
    let old = get(body, "ruleGroups").is_some_and(is_set);
    if old {
        out.gap("`properties.ruleGroups` is not modelled");
        out.fact(FirewallPolicyGroup { policy, group: Sym::lower(&format!("{policy}/rulegroups")) });
    }
    out.fact(FirewallPolicy { policy, base, listed: listed || old });
    inspects(out, body, FirewallInspector::ThreatIntelligence, "threatIntelMode");
    if let Some(detection) = out.object(body, "intrusionDetection") {
        inspects(out, detection, FirewallInspector::IntrusionDetection, "mode");
    }
    if let Some(snat) = out.object(body, "snat") {
        for item in out.items(snat, "privateRanges") {
            match item.as_str() {
                Some(text) => private_range(out, item, text.trim()),
                None => out.wrong(item, "a prefix"),
            }
        }
        if out.text(snat, "autoLearnPrivateRanges").is_some_and(|word| !word.eq_ignore_ascii_case("Disabled")) {
            out.fact(FirewallLearnsRanges { owner: policy });
        }
    }
    if let Some(dns) = out.object(body, "dnsSettings") {
        if out.flag(dns, "enableProxy") == Some(true) {
            out.fact(FirewallDnsProxy { owner: policy });
        }
        for (position, item) in out.items(dns, "servers").iter().enumerate() {
            match item.as_str() {
                Some(text) => dns_server(out, item, position, text.trim()),
                None => out.wrong(item, "an address"),
            }
        }
    }
    if out.object(body, "explicitProxy").and_then(|proxy| get(proxy, "enableExplicitProxy")).is_some_and(is_set) {
        out.gap("`properties.explicitProxy` is not modelled");
    }
}

/// `microsoft.network/firewallpolicies/rulecollectiongroups`.
pub(super) fn group<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (group, policy) = (out.id(), out.parent());
    group_at(out, group, policy, body);
}

fn group_at<'a>(out: &mut Out<'a>, group: Sym, policy: Sym, body: &'a Value) {
    let priority = priority(out, body);
    if get(body, "ruleCollections").is_none() {
        // Its rules were not exported: as good as a group that was not.
        out.gap("a rule collection group without `ruleCollections`");
        return out.fact(FirewallPolicyGroup { policy, group });
    }
    out.fact(FirewallGroup { group, policy, priority: priority.unwrap_or(0) });
    for (at, item) in out.objects(body, "ruleCollections").iter().enumerate() {
        let id = out.part_id(item, group, "rulecollections", at);
        let kind = out.text(item, "ruleCollectionType").unwrap_or("");
        let nat = kind.eq_ignore_ascii_case("FirewallPolicyNatRuleCollection");
        let known = nat || kind.eq_ignore_ascii_case("FirewallPolicyFilterRuleCollection");
        if !known {
            out.gap(format!("`ruleCollectionType` has the unknown value `{kind}`"));
        }
        collection(out, group, id, item, item, nat.then_some(FirewallPass::Nat));
        if priority.is_none() || !known {
            // Nobody knows what it comes before, or what it does: it may open and close anything.
            out.fact(FirewallCollection { collection: id, owner: group, priority: 0, action: Access::Deny });
            out.fact(FirewallCollection { collection: id, owner: group, priority: 0, action: Access::Allow });
        }
    }
}

/// One rule collection; its rules are all looked at in `pass`, or each in the one it says.
fn collection<'a>(out: &mut Out<'a>, owner: Sym, collection: Sym, item: &'a Value, body: &'a Value, pass: Option<FirewallPass>) {
    let place = priority(out, body);
    let action = out.object(body, "action").and_then(|action| out.text(action, "type")).unwrap_or("");
    let translates = pass == Some(FirewallPass::Nat);
    let action = match action.to_ascii_lowercase().as_str() {
        "dnat" if translates => Some(Access::Allow),
        "allow" if !translates => Some(Access::Allow),
        "deny" if !translates => Some(Access::Deny),
        other => {
            out.gap(format!("`action.type` has the unknown value `{other}`"));
            None
        }
    };
    let actions = match (place, action) {
        (Some(_), Some(action)) => vec![action],
        _ => vec![Access::Allow, Access::Deny],
    };
    for action in actions {
        out.fact(FirewallCollection { collection, owner, priority: place.unwrap_or(0), action });
    }
    let mut names: Vec<String> = Vec::new();
    for (at, rule) in out.objects(body, "rules").iter().enumerate() {
        if let Some(name) = get(rule, "name").filter(|name| !name.is_string()) {
            out.wrong(name, "a text");
        }
        let name = get(rule, "name").and_then(Value::as_str).unwrap_or("").to_lowercase();
        let name = if name.is_empty() || names.contains(&name) { at.to_string() } else { name };
        let id = Sym::lower(&format!("{collection}/rules/{name}"));
        names.push(name);
        one_rule(out, id, collection, at, rule, pass);
    }
    if get(body, "rules").is_none() && item.is_object() {
        // They were not exported, and may be about anything.
        out.gap("a rule collection without `rules`");
        for pass in pass.map_or(vec![FirewallPass::Network, FirewallPass::Application], |pass| vec![pass]) {
            one_rule(out, Sym::lower(&format!("{collection}/rules/{pass:?}")), collection, 0, &Value::Null, Some(pass));
        }
    }
}

fn priority<'a>(out: &mut Out<'a>, body: &'a Value) -> Option<u32> {
    match get(body, "priority") {
        Some(value) => whole(value).or_else(|| {
            out.wrong(value, "a number");
            None
        }),
        None => {
            out.gap("`priority` is missing");
            None
        }
    }
}

fn one_rule<'a>(out: &mut Out<'a>, rule: Sym, collection: Sym, at: usize, body: &'a Value, pass: Option<FirewallPass>) {
    let mut doubt = false;
    let kind = out.text(body, "ruleType").unwrap_or("").to_ascii_lowercase();
    let told = match kind.as_str() {
        "networkrule" => Some(FirewallPass::Network),
        "applicationrule" => Some(FirewallPass::Application),
        "natrule" => Some(FirewallPass::Nat),
        _ => None,
    };
    // The rules of a firewall without a policy say it by the list they stand in.
    if told.is_none() && (pass.is_none() || !kind.is_empty()) {
        out.gap(format!("`ruleType` has the unknown value `{kind}`"));
        doubt = true;
    }
    let pass = pass.or(told).unwrap_or(FirewallPass::Network);
    traffic(out, rule, body, pass, &mut doubt);
    let mut sources = addresses(out, body, "sourceAddresses", false);
    let source_groups = ip_groups(out, rule, body, "sourceIpGroups", FirewallSide::Source);
    doubt |= sources.is_empty() && source_groups == 0;
    let mut destinations = addresses(out, body, "destinationAddresses", true);
    let destination_groups = ip_groups(out, rule, body, "destinationIpGroups", FirewallSide::Destination);
    let mut named = 0;
    for (list, what) in [
        ("destinationFqdns", FirewallNameKind::Fqdn),
        ("targetFqdns", FirewallNameKind::Fqdn),
        ("fqdnTags", FirewallNameKind::FqdnTag),
        ("webCategories", FirewallNameKind::WebCategory),
        ("targetUrls", FirewallNameKind::Url),
    ] {
        for name in out.texts(body, list) {
            named += 1;
            out.fact(FirewallRuleName { rule, what, name: Sym::lower(name.trim_end_matches('.')) });
        }
    }
    doubt |= match pass {
        FirewallPass::Application => named == 0,
        FirewallPass::Network | FirewallPass::Nat => destinations.is_empty() && destination_groups + named == 0,
    };
    if pass == FirewallPass::Application && destinations.is_empty() && destination_groups == 0 {
        destinations.push(Selector::Any); // AFW-05: the address does not count
    }
    if pass == FirewallPass::Nat {
        translation(out, rule, body);
    }
    if doubt {
        out.gap(format!("a part of rule `{}` is not understood", rule.as_str().rsplit('/').next().unwrap_or("")));
        sources = vec![Selector::Tag(Sym::new(UNKNOWN_TAG))];
        if destinations.is_empty() {
            destinations = sources.clone();
        }
    }
    let position = u32::try_from(at).unwrap_or(u32::MAX);
    let (sources, destinations) = (Selectors::new(sources), Selectors::new(destinations));
    out.fact(FirewallRule { rule, collection, pass, position, sources, destinations });
}

/// The protocols and ports of a rule (AFW-04, AFW-05).
fn traffic<'a>(out: &mut Out<'a>, rule: Sym, body: &'a Value, pass: FirewallPass, doubt: &mut bool) {
    let mut any = false;
    if pass == FirewallPass::Application {
        for item in out.objects(body, "protocols") {
            let kind = out.text(item, "protocolType").unwrap_or("").to_ascii_lowercase();
            let usual = match kind.as_str() {
                "http" => 80,
                "https" => 443,
                "mssql" => 1433,
                _ => {
                    out.gap(format!("`protocolType` has the unknown value `{kind}`"));
                    *doubt = true;
                    continue;
                }
            };
            let port = out.port(item, "port").unwrap_or(usual);
            any = true;
            out.fact(FirewallRuleTraffic { rule, protocol: Protocol::Tcp, ports: PortList::new([(port, port)]) });
        }
    } else {
        let mut ports = Vec::new();
        for text in out.texts(body, "destinationPorts") {
            match parse_ports(text) {
                Some(range) => ports.push(range),
                None => {
                    out.gap(format!("`{text}` is not a port or a range of ports"));
                    *doubt = true;
                }
            }
        }
        let list = if get(body, "ipProtocols").is_some() { "ipProtocols" } else { "protocols" };
        // ICMP has no ports, and rules for it alone may list none.
        let protocols = out.texts(body, list);
        *doubt |= ports.is_empty() && !protocols.iter().all(|text| text.eq_ignore_ascii_case("ICMP"));
        let ports = if ports.is_empty() { PortList::any() } else { PortList::new(ports) };
        for text in protocols {
            match Protocol::parse(if text.eq_ignore_ascii_case("Any") { "*" } else { text }) {
                Some(protocol) => {
                    any = true;
                    out.fact(FirewallRuleTraffic { rule, protocol, ports });
                }
                None => {
                    out.gap(format!("a rule has the unknown protocol `{text}`"));
                    *doubt = true;
                }
            }
        }
    }
    if !any || *doubt {
        *doubt = true;
        out.fact(FirewallRuleTraffic { rule, protocol: Protocol::Any, ports: PortList::any() });
    }
}

/// The addresses, ranges and, among destinations, service tags of a list.
fn addresses<'a>(out: &mut Out<'a>, body: &'a Value, list: &str, tags: bool) -> Vec<Selector> {
    let mut items = Vec::new();
    for value in out.items(body, list) {
        let Some(text) = value.as_str().map(str::trim) else {
            out.wrong(value, "an address, a prefix or a range");
            items.push(Selector::Tag(Sym::new(UNKNOWN_TAG)));
            continue;
        };
        for text in text.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            match nsg::selector(text).filter(|selector| tags || !matches!(selector, Selector::Tag(_))) {
                Some(selector) => items.push(selector),
                None => match range(text) {
                    Some((from, to)) => items.extend(net::range(from, to).into_iter().map(Selector::Prefix)),
                    None => {
                        out.wrong(value, "an address, a prefix or a range");
                        items.push(Selector::Tag(Sym::new(UNKNOWN_TAG)));
                    }
                },
            }
        }
    }
    items
}

fn ip_groups<'a>(out: &mut Out<'a>, rule: Sym, body: &'a Value, list: &str, side: FirewallSide) -> usize {
    let groups = out.links(body, list);
    for &group in &groups {
        out.fact(FirewallRuleIpGroup { rule, side, group });
    }
    groups.len()
}

/// Where a NAT rule sends what it matches (AFW-06).
fn translation<'a>(out: &mut Out<'a>, rule: Sym, body: &'a Value) {
    let address = out.text(body, "translatedAddress").and_then(|text| text.parse::<IpAddr>().ok());
    let fqdn = out.text(body, "translatedFqdn").map_or(Sym::EMPTY, Sym::lower);
    let any_port = get(body, "translatedPort").is_some_and(|value| value.as_str() == Some("*"));
    let port = if any_port { None } else { out.port(body, "translatedPort") };
    if port.is_none() && !any_port && (address.is_some() || !fqdn.is_empty()) {
        out.lost_before("translatedPort", "a NAT rule without `translatedPort`");
    }
    if address.is_none() && fqdn.is_empty() {
        out.gap("a NAT rule without `translatedAddress` that is an address");
    }
    out.fact(FirewallTranslation { rule, address, fqdn, port });
}

/// `microsoft.network/ipgroups`.
pub(super) fn ip_group<'a>(out: &mut Out<'a>, body: &'a Value) {
    let group = out.id();
    if get(body, "ipAddresses").is_none() {
        return out.gap("`properties.ipAddresses` is missing"); // whose addresses it stands for nobody knows
    }
    out.fact(IpGroup { group });
    for item in out.items(body, "ipAddresses") {
        match item.as_str().map(str::trim).and_then(range) {
            Some((from, to)) => net::range(from, to).into_iter().for_each(|prefix| out.fact(IpGroupPrefix { group, prefix })),
            None if !is_set(item) => {}
            None => out.wrong(item, "an address, a prefix or a range"),
        }
    }
}

/// Whether what it recognises is dropped: every mode but `Alert` and `Off` may (AFW-09).
fn inspects<'a>(out: &mut Out<'a>, body: &'a Value, what: FirewallInspector, field: &str) {
    let mode = out.text(body, field).unwrap_or("Off");
    if !["Alert", "Off"].iter().any(|harmless| harmless.eq_ignore_ascii_case(mode)) {
        let owner = out.id();
        out.fact(FirewallInspection { owner, what });
    }
}

/// The ranges that `IANAPrivateRanges` stands for.
const IANA: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

fn private_range<'a>(out: &mut Out<'a>, value: &'a Value, text: &str) {
    let owner = out.id();
    let prefixes: Vec<Prefix> = match text {
        _ if text.eq_ignore_ascii_case("IANAPrivateRanges") => IANA.iter().filter_map(|text| net::parse_prefix(text)).collect(),
        _ => range(text).map_or(Vec::new(), |(from, to)| net::range(from, to)),
    };
    if prefixes.is_empty() {
        out.wrong(value, "a prefix");
        out.fact(FirewallLearnsRanges { owner }); // it may be any
    }
    prefixes.into_iter().for_each(|prefix| out.fact(FirewallPrivateRange { owner, prefix }));
}

fn dns_server<'a>(out: &mut Out<'a>, value: &'a Value, position: usize, text: &str) {
    match (text.parse(), u16::try_from(position)) {
        (Ok(server), Ok(position)) => {
            let owner = out.id();
            out.fact(FirewallDnsServer { owner, position, server });
        }
        _ => out.wrong(value, "an address"),
    }
}
