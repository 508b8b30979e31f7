//! Network security groups, their rules, application security groups.

use serde_json::Value;

use crate::facts::extract::out::{Out, get, properties, whole};
use crate::facts::network::{Access, Asg, Direction, Nsg, NsgRule, Protocol};
use crate::facts::selector::{PortList, Selector, Selectors, UNKNOWN_TAG};
use crate::model::traffic::{ANY_PORT, Ports, parse_ports};
use crate::model::{Sym, net};

/// The default rules of every group (NSG-04): direction, priority, access, source, destination.
const DEFAULTS: [(Direction, u32, Access, &str, &str); 6] = [
    (Direction::Inbound, 65000, Access::Allow, "virtualnetwork", "virtualnetwork"),
    (Direction::Inbound, 65001, Access::Allow, "azureloadbalancer", "*"),
    (Direction::Inbound, 65500, Access::Deny, "*", "*"),
    (Direction::Outbound, 65000, Access::Allow, "virtualnetwork", "virtualnetwork"),
    (Direction::Outbound, 65001, Access::Allow, "*", "internet"),
    (Direction::Outbound, 65500, Access::Deny, "*", "*"),
];

/// `microsoft.network/networksecuritygroups`.
pub(super) fn nsg<'a>(out: &mut Out<'a>, body: &'a Value) {
    let nsg = out.id();
    out.fact(Nsg { nsg });
    // They are the platform's, whatever stands there: a list that cannot be read leaves nothing open (NSG-04).
    match get(body, "defaultSecurityRules") {
        None => {}
        Some(Value::Array(rules)) => {
            for rule in rules {
                check_default(out, properties(rule), get(rule, "name").and_then(Value::as_str).unwrap_or("?"));
            }
        }
        Some(other) => out.wrong(other, "a list"),
    }
}

/// `microsoft.network/networksecuritygroups/defaultsecurityrules`: platform truth, looked at only for changed copies.
pub(super) fn default_rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let name = out.resource.name;
    check_default(out, body, name.as_str());
}

/// Says so where a default rule is not what the platform makes it (NSG-04).
fn check_default<'a>(out: &mut Out<'a>, rule: &'a Value, name: &str) {
    let same = || {
        let word = |name: &str| get(rule, name).and_then(Value::as_str).unwrap_or("").to_ascii_lowercase();
        let direction = Direction::parse(&word("direction"))?;
        let priority = get(rule, "priority").and_then(whole::<u32>)?;
        let (_, _, access, source, destination) = DEFAULTS.iter().find(|d| d.0 == direction && d.1 == priority)?;
        let any = |text: &str| text == "*" || text == "0-65535";
        let as_made = Access::parse(&word("access")) == Some(*access)
            && word("sourceAddressPrefix") == *source
            && word("destinationAddressPrefix") == *destination
            && matches!(word("protocol").as_str(), "*" | "all")
            && any(&word("sourcePortRange"))
            && any(&word("destinationPortRange"));
        as_made.then_some(())
    };
    if same().is_none() {
        out.gap(format!("the default rule `{name}` is not as the platform makes it and is ignored"));
    }
}

/// `microsoft.network/applicationsecuritygroups`.
pub(super) fn asg<'a>(out: &mut Out<'a>, _body: &'a Value) {
    let asg = out.id();
    out.fact(Asg { asg });
}

/// `microsoft.network/networksecuritygroups/securityrules` (NSG-03, NSG-07, NSG-08).
///
/// A rule is never left out: where a part is not understood, its sources become the unknown tag, so that it may match anything and surely matches
/// nothing; where not even its place is known, it stands before all others, in both directions, allowing and denying.
pub(super) fn rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, nsg) = (out.id(), out.parent());
    let mut doubt = false;
    let directions = match required(out, body, "direction", Direction::parse) {
        Some(direction) => vec![direction],
        None => vec![Direction::Inbound, Direction::Outbound],
    };
    let accesses = match required(out, body, "access", Access::parse) {
        Some(access) => vec![access],
        None => vec![Access::Allow, Access::Deny],
    };
    doubt |= directions.len() + accesses.len() > 2;
    let priority = match get(body, "priority") {
        Some(value) => whole(value).or_else(|| {
            out.wrong(value, "a number");
            None
        }),
        None => {
            out.gap("`properties.priority` is missing");
            None
        }
    };
    let accesses = if priority.is_none() { vec![Access::Allow, Access::Deny] } else { accesses };
    doubt |= priority.is_none();
    let protocol = required(out, body, "protocol", protocol);
    doubt |= protocol.is_none();
    let mut sources = addresses(out, body, "sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups");
    let destinations =
        addresses(out, body, "destinationAddressPrefix", "destinationAddressPrefixes", "destinationApplicationSecurityGroups");
    // Ports mean nothing to the others (NSG-07).
    let with_ports = matches!(protocol, None | Some(Protocol::Any | Protocol::Tcp | Protocol::Udp));
    let source_ports = ports(out, body, "sourcePortRange", "sourcePortRanges", with_ports, &mut doubt);
    let destination_ports = ports(out, body, "destinationPortRange", "destinationPortRanges", with_ports, &mut doubt);
    if doubt {
        sources = Selectors::new([Selector::Tag(Sym::new(UNKNOWN_TAG))]);
    }
    for &direction in &directions {
        for &access in &accesses {
            out.fact(NsgRule {
                rule,
                nsg,
                direction,
                priority: priority.unwrap_or(0),
                access,
                protocol: protocol.unwrap_or(Protocol::Any),
                sources,
                source_ports,
                destinations,
                destination_ports,
            });
        }
    }
}

fn required<'a, T>(out: &mut Out<'a>, body: &'a Value, name: &str, parse: fn(&str) -> Option<T>) -> Option<T> {
    let Some(text) = out.text(body, name) else {
        out.gap(format!("`properties.{name}` is missing"));
        return None;
    };
    let parsed = parse(text);
    if parsed.is_none() {
        out.gap(format!("`properties.{name}` has the unknown value `{text}`"));
    }
    parsed
}

fn protocol(text: &str) -> Option<Protocol> {
    if text.eq_ignore_ascii_case("All") || text.eq_ignore_ascii_case("Any") { Some(Protocol::Any) } else { Protocol::parse(text) }
}

/// The union of the singular and the plural field and the application security groups (NSG-08). Azure takes no rule that names nothing: where all are
/// empty or missing, what it named was lost on the way.
fn addresses<'a>(out: &mut Out<'a>, body: &'a Value, one: &str, many: &str, groups: &str) -> Selectors {
    let mut items: Vec<Selector> = out.links(body, groups).into_iter().map(Selector::Asg).collect();
    let is_list = |name: &str| get(body, name).is_none_or(Value::is_array);
    // Whatever cannot be read named somebody.
    let read = get(body, groups).and_then(Value::as_array).map_or(0, Vec::len);
    if !is_list(many) || !is_list(groups) || read != items.len() {
        items.push(Selector::Tag(Sym::new(UNKNOWN_TAG)));
    }
    let fields = get(body, one).into_iter().chain(out.items(body, many));
    for value in fields {
        let Value::String(text) = value else {
            if !value.is_null() {
                out.wrong(value, "an address, a prefix or a service tag");
            }
            items.push(Selector::Tag(Sym::new(UNKNOWN_TAG)));
            continue;
        };
        for text in text.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            items.push(selector(text).unwrap_or_else(|| {
                out.wrong(value, "an address, a prefix or a service tag");
                Selector::Tag(Sym::new(UNKNOWN_TAG))
            }));
        }
    }
    if items.is_empty() {
        out.gap(format!("`properties.{one}` is missing"));
        items.push(Selector::Tag(Sym::new(UNKNOWN_TAG)));
    }
    Selectors::new(items)
}

/// One address of a rule or a route; `None` where the text can be neither prefix nor tag.
pub(super) fn selector(text: &str) -> Option<Selector> {
    if text == "*" || text.eq_ignore_ascii_case("any") {
        return Some(Selector::Any);
    }
    if let Some(prefix) = net::parse_prefix(text) {
        return Some(Selector::Prefix(prefix));
    }
    let looks_like_tag = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    // The old spellings of NSG-26.
    let tag = match text.to_ascii_lowercase().as_str() {
        "virtual_network" => Sym::new("virtualnetwork"),
        "azure_loadbalancer" => Sym::new("azureloadbalancer"),
        other => Sym::new(other),
    };
    looks_like_tag.then_some(Selector::Tag(tag))
}

fn ports<'a>(out: &mut Out<'a>, body: &'a Value, one: &str, many: &str, wanted: bool, doubt: &mut bool) -> PortList {
    let mut ranges: Vec<Ports> = Vec::new();
    *doubt |= !get(body, many).is_none_or(Value::is_array);
    let fields = get(body, one).into_iter().chain(out.items(body, many));
    for value in fields {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null => {
                ranges.push(ANY_PORT);
                *doubt = true;
                continue;
            }
            _ => "?".to_owned(),
        };
        for text in text.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let port = if text.eq_ignore_ascii_case("any") { Some(ANY_PORT) } else { parse_ports(text) };
            match port {
                Some(range) => ranges.push(range),
                None => {
                    out.wrong(value, "a port or a range of ports");
                    ranges.push(ANY_PORT);
                    *doubt = true;
                }
            }
        }
    }
    if ranges.is_empty() {
        if wanted {
            out.gap(format!("`properties.{one}` is missing"));
            *doubt = true;
        }
        return PortList::any();
    }
    PortList::new(ranges)
}
