//! What the firewalls of stores have in common.

use std::net::IpAddr;

use serde_json::Value;

use crate::facts::extract::out::{Out, get};
use crate::facts::store_facts::{
    Instance, PublicAccess, Service, Store, StoreAccess, StoreIpRule, StorePart, StoreResourceRule, StoreSubnetRule, UNTOLD_HOST,
};
use crate::model::{Sym, Tri, net};

/// The store itself; `kind` is what its service tells kinds apart by.
pub(super) fn store(out: &mut Out<'_>, service: Service, kind: Sym) {
    out.fact(Store { store: out.id(), service, kind, location: out.resource.location });
}

/// One endpoint at the store's own region.
pub(super) fn part(out: &mut Out<'_>, part: &str, host: Sym) {
    part_in(out, part, host, out.resource.location);
}

/// One endpoint at `location`.
pub(super) fn part_in(out: &mut Out<'_>, part: &str, host: Sym, location: Sym) {
    out.fact(StorePart { store: out.id(), part: Sym::new(part), instance: Instance::Primary, host, location });
}

/// The host of the URL in `field`, else the resource's name under `suffix`.
pub(super) fn host_or<'a>(out: &mut Out<'a>, body: &'a Value, field: &str, suffix: &str) -> Sym {
    host_in(out, body, field).unwrap_or_else(|| Sym::lower(&format!("{}.{suffix}", out.resource.name)))
}

/// The host of the URL in `field`; `None` where it is absent or empty, [`UNTOLD_HOST`] where there is something that names none.
pub(super) fn host_in<'a>(out: &mut Out<'a>, at: &'a Value, field: &str) -> Option<Sym> {
    let value = get(at, field)?;
    let Some(text) = value.as_str().map(str::trim) else {
        out.wrong(value, "a host name");
        return Some(Sym::new(UNTOLD_HOST));
    };
    if text.is_empty() {
        return None;
    }
    // The front end of a service stands in some domain.
    let found = host(text).filter(|found| found.as_str().contains('.'));
    if found.is_none() {
        out.gap(format!("`{field}` has the value `{text}`, which is no host name"));
    }
    Some(found.unwrap_or_else(|| Sym::new(UNTOLD_HOST)))
}

/// The switches of a service that has no others than these.
pub(super) fn access(out: &mut Out<'_>, public: PublicAccess, default_allow: Tri, trusted: bool) {
    out.fact(StoreAccess { store: out.id(), public, default_allow, trusted, plain_http: false, outbound_restricted: false });
}

/// The tiers of namespaces and registries.
const TIERS: [&str; 4] = ["basic", "classic", "premium", "standard"];

/// The tier of a namespace or registry, lower case; empty where the export does not say, contradicts itself or has a word that nobody knows.
pub(super) fn tier(out: &mut Out<'_>) -> Sym {
    let words: Vec<&str> = match get(&out.resource.body, "sku") {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(_) => {
            let sku = out.object(&out.resource.body, "sku").unwrap_or(&Value::Null);
            ["tier", "name"].into_iter().filter_map(|field| out.text(sku, field)).collect()
        }
        None => Vec::new(),
    };
    let words: Vec<Sym> = words.into_iter().map(Sym::lower).collect();
    if let Some(unknown) = words.iter().find(|word| !TIERS.contains(&word.as_str())) {
        out.gap(format!("`sku` has the unknown value `{unknown}`"));
        return Sym::EMPTY;
    }
    match words[..] {
        [tier, name] if tier != name => {
            out.gap(format!("`sku` says `{tier}` and `{name}`"));
            Sym::EMPTY
        }
        [tier, ..] => tier,
        [] => Sym::EMPTY,
    }
}

/// `publicNetworkAccess`; absent is enabled (FW-03).
pub(super) fn public_access<'a>(out: &mut Out<'a>, body: &'a Value) -> PublicAccess {
    out.word(body, "publicNetworkAccess", PublicAccess::parse, PublicAccess::Unknown).unwrap_or(PublicAccess::Enabled)
}

/// The switch of a service whose firewall is not modelled, where it closes the public front end: it does so for every type (GEN-05).
pub(super) fn switched_off(out: &mut Out<'_>, body: &Value) {
    let word = get(body, "publicNetworkAccess").and_then(Value::as_str).and_then(PublicAccess::parse);
    if let Some(public @ (PublicAccess::Disabled | PublicAccess::SecuredByPerimeter)) = word {
        access(out, public, Tri::Maybe, false);
    }
}

/// `defaultAction`; absent is Allow (FW-10).
pub(super) fn default_allow<'a>(out: &mut Out<'a>, acls: &'a Value) -> Tri {
    let word = |text: &str| match text.to_ascii_lowercase().as_str() {
        "allow" => Some(Tri::Yes),
        "deny" => Some(Tri::No),
        _ => None,
    };
    out.word(acls, "defaultAction", word, Tri::Maybe).unwrap_or(Tri::Yes)
}

/// Whether the bypass in `field` lets trusted services in (ST-08, KV-02); `None` where it is absent. A word that nobody knows may let somebody in, and whom is not
/// known (SND-02).
pub(super) fn bypass<'a>(out: &mut Out<'a>, acls: &'a Value, field: &str) -> Option<bool> {
    let words = out.text(acls, field)?.split(',').map(str::trim).filter(|word| !word.is_empty());
    let is = |word: &str, known: &str| word.eq_ignore_ascii_case(known);
    for unknown in words.clone().filter(|word| !["None", "Logging", "Metrics", "AzureServices"].iter().any(|known| is(word, known))) {
        out.gap(format!("`{field}` has the unknown value `{unknown}`"));
        out.fact(StoreResourceRule::nameless(out.id()));
    }
    Some(words.clone().any(|word| is(word, "AzureServices")))
}

/// The address rules of `list` (FW-06): an address, a prefix or `from-to`, in one of `fields`.
pub(super) fn ip_rules<'a>(out: &mut Out<'a>, acls: &'a Value, list: &str, fields: &[&str]) {
    let store = out.id();
    ip_rules_of(out, store, acls, list, fields);
}

/// The same for a list that a child of `store` holds.
pub(super) fn ip_rules_of<'a>(out: &mut Out<'a>, store: Sym, acls: &'a Value, list: &str, fields: &[&str]) {
    let holder = out.id();
    for (at, item) in out.objects(acls, list).iter().enumerate().filter(|(_, item)| item.is_object()) {
        if !allows(out, store, item) {
            continue;
        }
        let Some(value) = fields.iter().find_map(|field| get(item, field)) else {
            out.wrong_rule(store, item, "a rule with an address");
            continue;
        };
        match value.as_str().and_then(range) {
            Some((from, to)) => {
                let rule = Sym::lower(&format!("{holder}/{list}/{at}"));
                out.fact(StoreIpRule { rule, store, from, to });
            }
            None => out.wrong_rule(store, value, "an address, a prefix or a range"),
        }
    }
}

/// The network rules of `list` (FW-07): the subnet in one of `fields`, and how a rule's `state` counts.
pub(super) fn subnet_rules<'a>(out: &mut Out<'a>, acls: &'a Value, list: &str, fields: &[&str], state: fn(&str) -> Option<Tri>) {
    let store = out.id();
    subnet_rules_of(out, store, acls, list, fields, state);
}

/// The same for a list that a child of `store` holds.
pub(super) fn subnet_rules_of<'a>(
    out: &mut Out<'a>,
    store: Sym,
    acls: &'a Value,
    list: &str,
    fields: &[&str],
    state: fn(&str) -> Option<Tri>,
) {
    let holder = out.id();
    for (at, item) in out.objects(acls, list).iter().enumerate().filter(|(_, item)| item.is_object()) {
        if !allows(out, store, item) {
            continue;
        }
        let Some(subnet) = fields.iter().find_map(|field| out.link(item, field)) else {
            out.wrong_rule(store, item, "a rule with the id of a subnet");
            continue;
        };
        let effective = out.word(item, "state", state, Tri::Maybe).unwrap_or(Tri::Yes);
        let rule = Sym::lower(&format!("{holder}/{list}/{at}"));
        out.fact(StoreSubnetRule { rule, store, subnet, effective });
    }
}

/// Rules only ever allow (FW-05); one that says something else is a gap.
fn allows<'a>(out: &mut Out<'a>, store: Sym, rule: &'a Value) -> bool {
    match out.text(rule, "action") {
        Some(action) if !action.eq_ignore_ascii_case("Allow") => {
            out.rule_gap(store, format!("a rule with the action `{action}` is not modelled"));
            false
        }
        _ => true,
    }
}

/// First and last address of an address, a prefix or `from-to`.
pub(super) fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Some(prefix) = net::parse_prefix(text) {
        return Some((prefix.network(), prefix.broadcast()));
    }
    let (from, to) = text.split_once('-')?;
    ordered(from.trim().parse().ok()?, to.trim().parse().ok()?)
}

/// The pair where it is a range of one family.
pub(super) fn ordered(from: IpAddr, to: IpAddr) -> Option<(IpAddr, IpAddr)> {
    (from.is_ipv4() == to.is_ipv4() && from <= to).then_some((from, to))
}

/// The host of a URL, in lower case.
pub(super) fn host(url: &str) -> Option<Sym> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next().unwrap_or("").trim_end_matches('.');
    (!host.is_empty()).then(|| Sym::lower(host))
}
