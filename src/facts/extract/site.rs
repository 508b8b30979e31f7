//! Apps of App Service, their slots, and the access restrictions that are their child.

use serde_json::Value;

use crate::facts::channels::AppRoutesAll;
use crate::facts::extract::device;
use crate::facts::extract::out::{Out, get, is_set, whole};
use crate::facts::extract::store::{access, host, part, store};
use crate::facts::selector::{Selector, Selectors, UNKNOWN_TAG};
use crate::facts::store_facts::{PublicAccess, Service, StoreListRule, StoreRuleSet};
use crate::model::{Sym, Tri, net};

/// `microsoft.web/sites` and `…/slots` (APP-01).
pub(super) fn site<'a>(out: &mut Out<'a>, body: &'a Value) {
    device::elsewhere(out, body);
    if routes_all(out, body) {
        out.fact(AppRoutesAll { app: out.id() });
    }
    // An environment stands in a network of its own and has no firewall of the platform's (GEN-06).
    for environment in ["hostingEnvironmentProfile", "managedEnvironmentId"] {
        if out.binding(body, environment).is_some() || out.has_lost() {
            return out.gap(format!("`properties.{environment}` is not modelled"));
        }
    }
    let kind = out.text(&out.resource.body, "kind").map_or(Sym::EMPTY, Sym::lower);
    store(out, Service::Web, kind);
    let given = out.text(body, "defaultHostName").and_then(host);
    let main = given.unwrap_or_else(|| default_host(out.id()));
    part(out, "sites", main);
    let deployment = deployment_host(out, body, main);
    part(out, "scm", deployment);
    let public = public(out, body);
    // The lists stand in the configuration.
    access(out, public, Tri::Maybe, false);
    if let Some(config) = out.object(body, "siteConfig") {
        let store = out.id();
        for list in LISTS {
            if get(config, list.rules).is_some_and(Value::is_array) {
                restrictions(out, config, store, &list);
            }
        }
    }
}

/// Whether all that the app sends takes its subnet: the older switch, or the newer one beside it.
fn routes_all<'a>(out: &mut Out<'a>, body: &'a Value) -> bool {
    let newer = out.object(body, "outboundVnetRouting").and_then(|routing| {
        let all = out.flag(routing, "allTraffic");
        all.or_else(|| out.flag(routing, "applicationTraffic"))
    });
    newer.or_else(|| out.flag(body, "vnetRouteAllEnabled")) == Some(true)
}

/// `publicNetworkAccess`, which means something else where it is not set (APP-03).
fn public<'a>(out: &mut Out<'a>, body: &'a Value) -> PublicAccess {
    out.word(body, "publicNetworkAccess", PublicAccess::parse, PublicAccess::Unknown).unwrap_or(PublicAccess::Unset)
}

/// `<app>.azurewebsites.net`, for a slot `<app>-<slot>.azurewebsites.net`.
fn default_host(id: Sym) -> Sym {
    let mut names: Vec<&str> = id.as_str().rsplit('/').step_by(2).take(if id.as_str().contains("/slots/") { 2 } else { 1 }).collect();
    names.reverse();
    Sym::new(&format!("{}.azurewebsites.net", names.join("-")))
}

/// The host of the deployment site: as listed, else `scm` behind the first label.
fn deployment_host<'a>(out: &mut Out<'a>, body: &'a Value, main: Sym) -> Sym {
    for state in out.objects(body, "hostNameSslStates") {
        if out.text(state, "hostType").is_some_and(|kind| kind.eq_ignore_ascii_case("Repository"))
            && let Some(host) = out.text(state, "name").and_then(host)
        {
            return host;
        }
    }
    let (first, rest) = main.as_str().split_once('.').unwrap_or((main.as_str(), "azurewebsites.net"));
    Sym::new(&format!("{first}.scm.{rest}"))
}

/// A list of restrictions, and its default.
struct List {
    part: &'static str,
    rules: &'static str,
    default: &'static str,
}

const LISTS: [List; 2] = [
    List { part: "sites", rules: "ipSecurityRestrictions", default: "ipSecurityRestrictionsDefaultAction" },
    List { part: "scm", rules: "scmIpSecurityRestrictions", default: "scmIpSecurityRestrictionsDefaultAction" },
];

/// `microsoft.web/sites/config` and `…/slots/config`, of which `web` holds the restrictions (APP-01, APP-04).
pub(super) fn config<'a>(out: &mut Out<'a>, body: &'a Value) {
    if !out.id().as_str().ends_with("/config/web") {
        return;
    }
    let store = out.parent();
    for list in LISTS {
        restrictions(out, body, store, &list);
    }
}

/// The rules of one list in the order in which they are asked: by priority, then as listed (APP-04).
fn restrictions<'a>(out: &mut Out<'a>, config: &'a Value, store: Sym, list: &List) {
    let use_main = list.part == "scm" && out.flag(config, "scmIpSecurityRestrictionsUseMain") == Some(true);
    let from = if use_main { &LISTS[0] } else { list };
    let rule_set = Sym::lower(&format!("{}/{}", out.id(), list.rules));
    let mut rules: Vec<(i64, &'a Value)> = Vec::new();
    for rule in out.objects(config, from.rules).iter().filter(|rule| rule.is_object()) {
        let priority = get(rule, "priority").map(|value| {
            whole(value).unwrap_or_else(|| {
                out.lost(value, "a number");
                0
            })
        });
        let priority = priority.unwrap_or(i64::from(i32::MAX));
        rules.push((priority, rule));
    }
    rules.sort_by_key(|(priority, _)| *priority);
    let word = |text: &str| match text.to_ascii_lowercase().as_str() {
        "allow" => Some(Tri::Yes),
        "deny" => Some(Tri::No),
        _ => None,
    };
    // APP-05: without a default action the first rule closes the rest.
    let default_allow = out.word(config, from.default, word, Tri::Maybe).unwrap_or(Tri::from_bool(rules.is_empty()));
    // Azure prints the list with every configuration: one that is not there was left out on the way, and may hold anything (M-03).
    let told = config.as_object().is_none_or(|config| config.keys().any(|key| key.eq_ignore_ascii_case(from.rules)));
    let default_allow = if told { default_allow } else { Tri::Maybe };
    if !told {
        out.gap(format!("`properties.{}` is missing", from.rules));
    }
    let public = public(out, config);
    out.fact(StoreRuleSet { rule_set, store, part: Sym::new(list.part), public, default_allow, trusted: false });
    for (position, (_, rule)) in (0..).zip(rules) {
        restriction(out, rule, store, rule_set, position);
    }
}

/// One rule (APP-06). One that cannot be read may match anybody; one that does not say whether it allows may do either.
fn restriction<'a>(out: &mut Out<'a>, body: &'a Value, store: Sym, rule_set: Sym, position: u32) {
    let name = out.text(body, "name").map_or(String::new(), |name| format!("-{name}"));
    let rule = Sym::lower(&format!("{rule_set}/{position}{name}"));
    let action = out.text(body, "action").unwrap_or_default();
    let mut sure = !out.object(body, "headers").is_some_and(is_set);
    let allow = match action.to_ascii_lowercase().as_str() {
        "allow" => true,
        "deny" => false,
        other => {
            let what = if other.is_empty() { "without an action".to_owned() } else { format!("with the action `{other}`") };
            out.gap(format!("an access restriction rule {what} is not modelled"));
            sure = false;
            true
        }
    };
    let subnet = out.link(body, "vnetSubnetResourceId").unwrap_or_default();
    let tag = out.text(body, "tag").unwrap_or("Default").to_ascii_lowercase();
    let address = out.text(body, "ipAddress");
    let any_network = address.is_some_and(|text| text.eq_ignore_ascii_case("AnyVnets"));
    let mut source = Vec::new();
    if !["default", "servicetag", "xffproxy"].contains(&tag.as_str()) {
        // What its address is compared with nobody knows.
        out.rule_gap(store, format!("an access restriction rule with the tag `{tag}` is not modelled"));
        source.push(Selector::Tag(Sym::new(UNKNOWN_TAG)));
        sure = false;
    } else if tag == "xffproxy" {
        // It compares a header that a proxy writes.
        source.push(Selector::Any);
        sure = false;
    } else if !any_network {
        for item in address.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty()) {
            source.push(match net::parse_prefix(item) {
                _ if item.eq_ignore_ascii_case("Any") => Selector::Any,
                Some(prefix) => Selector::Prefix(prefix),
                None if tag == "servicetag" => Selector::Tag(Sym::lower(item)),
                None => {
                    out.rule_gap(store, format!("an access restriction rule for `{item}` is not modelled"));
                    Selector::Tag(Sym::new(UNKNOWN_TAG))
                }
            });
        }
    }
    let subnet = if any_network { Sym::new("*") } else { subnet };
    if source.is_empty() && subnet.is_empty() {
        out.rule_gap(store, "an access restriction rule names nobody");
    }
    let row = StoreListRule { rule, rule_set, position, allow, source: Selectors::new(source), subnet, sure };
    out.fact(row);
    if !["allow", "deny"].iter().any(|word| action.eq_ignore_ascii_case(word)) {
        out.fact(StoreListRule { rule: Sym::new(&format!("{rule}?")), allow: false, ..row });
    }
}
