//! Application gateways: where they listen, and to whom they pass on what they take (IN-08).

use std::net::IpAddr;

use serde_json::Value;

use crate::facts::extract::device::{address_of, told};
use crate::facts::extract::instance;
use crate::facts::extract::out::{Out, get, is_set, properties};
use crate::facts::network::{Device, DeviceKind, IpConfigProxyPool, Listener, ProxyMember, ProxyPass, ProxyRule};
use crate::model::Sym;

/// `microsoft.network/applicationgateways`.
pub(super) fn application_gateway<'a>(out: &mut Out<'a>, body: &'a Value) {
    let device = out.id();
    let mut home = None;
    for configuration in out.objects(body, "gatewayIPConfigurations") {
        if let Some(subnet) = out.link(properties(configuration), "subnet") {
            out.fact(Device { device, kind: DeviceKind::ApplicationGateway, subnet });
            home = Some(subnet);
        }
    }
    for frontend in out.objects(body, "frontendIPConfigurations") {
        let frontend = properties(frontend);
        told(out, frontend, "frontendIPConfigurations");
        let subnet = out.link(frontend, "subnet").or(home).unwrap_or_default();
        address_of(out, frontend, subnet);
    }
    if home.is_none() {
        out.fact(Device { device, kind: DeviceKind::ApplicationGateway, subnet: Sym::EMPTY });
    }
    let heard = listeners(out, body);
    rules(out, body, &heard);
}

/// What a listener may say that takes every request. Anything else may refuse some of them: names of hosts, a firewall, certificates of clients.
const TAKES: [&str; 8] = [
    "frontendIPConfiguration",
    "frontendPort",
    "protocol",
    "sslCertificate",
    "customErrorConfigurations",
    "provisioningState",
    // The rules name it; REST answers repeat that here.
    "requestRoutingRules",
    "routingRules",
];

/// What a rule may say that passes on every request. Anything else may refuse some of them, or lead them elsewhere.
const PASSES: [&str; 9] = [
    "ruleType",
    "priority",
    "httpListener",
    "listener",
    "backendAddressPool",
    "backendHttpSettings",
    "backendSettings",
    "rewriteRuleSet",
    "provisioningState",
];

/// Whether a part sets nothing but what is named, and what every part has.
fn says_only(part: &Value, names: &[&str]) -> bool {
    let about = ["id", "name", "type", "etag", "resourceGroup"];
    let known = |key: &str| names.iter().chain(&about).any(|name| key.eq_ignore_ascii_case(name));
    part.as_object().is_some_and(|map| map.iter().all(|(key, value)| known(key) || !is_set(value)))
}

/// Where requests come to, as far as it is told: a public address or a private one, and a port.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Front {
    public_ip: Sym,
    address: Option<IpAddr>,
    port: u16,
}

/// A listener.
struct Heard {
    id: Sym,
    at: Front,
    /// It takes every request that comes there.
    everything: bool,
}

/// Where an application gateway listens: each listener at a front address and a port (IN-08).
fn listeners<'a>(out: &mut Out<'a>, body: &'a Value) -> Vec<Heard> {
    let device = out.id();
    let mut fronts = Vec::new();
    for (at, frontend) in out.objects(body, "frontendIPConfigurations").iter().enumerate() {
        let id = out.part_id(frontend, device, "frontendipconfigurations", at);
        let frontend = properties(frontend);
        fronts.push((id, out.named(frontend, "publicIPAddress").unwrap_or_default(), out.address(frontend, "privateIPAddress")));
    }
    let mut ports = Vec::new();
    for (at, port) in out.objects(body, "frontendPorts").iter().enumerate() {
        let id = out.part_id(port, device, "frontendports", at);
        let number = out.port(properties(port), "port");
        ports.push((id, number.unwrap_or(0)));
    }
    let lists = ["httpListeners", "listeners"];
    if lists.iter().all(|list| get(body, list).is_none()) {
        out.fact(Listener { device, public_ip: Sym::EMPTY, address: None, port: 0 });
        out.gap("`properties.httpListeners` is missing: where it listens is not known");
    }
    let mut heard = Vec::new();
    for (list, segment) in lists.into_iter().zip(["httplisteners", "listeners"]) {
        for (at, listener) in out.objects(body, list).iter().enumerate() {
            let id = out.part_id(listener, device, segment, at);
            let listener = properties(listener);
            let (front, port) = (out.link(listener, "frontendIPConfiguration"), out.link(listener, "frontendPort"));
            let front = fronts.iter().find(|(id, ..)| Some(*id) == front);
            let port = ports.iter().find(|(id, _)| Some(*id) == port).map_or(0, |(_, port)| *port);
            let at = front.map_or_else(Front::default, |(_, public_ip, address)| Front { public_ip: *public_ip, address: *address, port });
            out.fact(Listener { device, public_ip: at.public_ip, address: at.address, port: at.port });
            heard.push(Heard { id, at, everything: says_only(listener, &TAKES) });
            if front.is_none() || port == 0 {
                out.gap("where a listener listens is not known");
            }
        }
    }
    heard
}

/// The rules: what comes to a listener goes to a member of a pool, at the port that its settings name. Which of several it is, a request decides.
fn rules<'a>(out: &mut Out<'a>, body: &'a Value, heard: &[Heard]) {
    let device = out.id();
    let pools = pools(out, body);
    let settings = settings(out, body);
    let maps = path_maps(out, body);
    let open = passes_everything(out, body);
    let mut taken: Vec<Option<Sym>> = Vec::new();
    let mut passes = Vec::new();
    let mut add = |out: &mut Out<'a>, listener: Option<Sym>, to: Goal, basic: bool| {
        let heard_by = heard.iter().find(|heard| Some(heard.id) == listener);
        let at = heard_by.map_or_else(Front::default, |heard| heard.at);
        let Front { public_ip, address, port } = at;
        let pool = to.pool.filter(|pool| pools.contains(pool)).unwrap_or_default();
        let backend_port = settings.iter().find(|(id, _)| Some(*id) == to.settings).map_or(0, |(_, port)| *port);
        if pool.is_empty() || backend_port == 0 {
            out.gap("to whom a rule passes on what it takes is not known");
        }
        out.fact(ProxyRule { device, public_ip, address, port, pool, backend_port });
        let alone = heard.iter().filter(|heard| heard.at == at).count() == 1;
        let whole = heard_by.is_some_and(|heard| heard.everything) && port > 0 && backend_port > 0 && !pool.is_empty();
        if basic && open && alone && whole {
            passes.push((listener, ProxyPass { device, public_ip, address, port, pool }));
        }
    };
    for list in ["requestRoutingRules", "routingRules"] {
        for rule in out.objects(body, list) {
            let rule = properties(rule);
            let listener = out.link(rule, "httpListener").or_else(|| out.link(rule, "listener"));
            let own = goal(out, rule, ["backendAddressPool", "backendHttpSettings", "redirectConfiguration"]);
            taken.push(listener);
            match out.link(rule, "urlPathMap") {
                None => {
                    let kind = out.text(rule, "ruleType").is_none_or(|kind| kind.eq_ignore_ascii_case("Basic"));
                    let basic = kind && says_only(rule, &PASSES);
                    own.into_iter().for_each(|to| add(out, listener, to, basic));
                }
                Some(map) => match maps.iter().find(|(id, _)| *id == map) {
                    Some((_, goals)) => goals.iter().for_each(|to| add(out, listener, *to, false)),
                    None => add(out, listener, Goal::default(), false),
                },
            }
        }
    }
    // Of two rules of one listener a request decides.
    passes.retain(|(listener, _)| taken.iter().filter(|other| *other == listener).count() == 1);
    passes.into_iter().for_each(|(_, pass)| out.fact(pass));
}

/// Whether the gateway as a whole refuses no request: it runs, and has no firewall of its own.
fn passes_everything<'a>(out: &mut Out<'a>, body: &'a Value) -> bool {
    let guarded = ["firewallPolicy", "webApplicationFirewallConfiguration"].iter().any(|name| get(body, name).is_some_and(is_set));
    let tier = out.object(body, "sku").and_then(|sku| out.text(sku, "tier"));
    let guarded = guarded || tier.is_some_and(|tier| tier.to_ascii_lowercase().starts_with("waf"));
    let runs = out.text(body, "operationalState").is_none_or(|state| state.eq_ignore_ascii_case("Running"));
    runs && !guarded && !out.has_lost()
}

/// Where a rule leads: a pool, at the port of its settings.
#[derive(Clone, Copy, Default)]
struct Goal {
    pool: Option<Sym>,
    settings: Option<Sym>,
}

/// Where one part of the rules leads; nowhere where it sends the client to another address.
fn goal<'a>(out: &mut Out<'a>, body: &'a Value, [pool, settings, redirect]: [&str; 3]) -> Option<Goal> {
    let settings = out.link(body, settings).or_else(|| out.link(body, "backendSettings"));
    let to = Goal { pool: out.link(body, pool), settings };
    (to.pool.is_some() || get(body, redirect).is_none()).then_some(to)
}

/// The pools that the gateway says something of, with a fact for each member that it names.
fn pools<'a>(out: &mut Out<'a>, body: &'a Value) -> Vec<Sym> {
    let device = out.id();
    let mut found = Vec::new();
    for (at, pool) in out.objects(body, "backendAddressPools").iter().enumerate() {
        let id = out.part_id(pool, device, "backendaddresspools", at);
        let body = properties(pool);
        found.push(id);
        let configurations = out.links(body, "backendIPConfigurations");
        // A template tells its members at their interfaces alone: a list that is not there leaves them open.
        if get(body, "backendAddresses").is_none() && configurations.is_empty() {
            out.fact(ProxyMember { pool: id, address: None, host: Sym::EMPTY });
        }
        for ip_config in configurations {
            instance::named(out, ip_config);
            out.fact(IpConfigProxyPool { ip_config, pool: id });
        }
        for member in out.objects(body, "backendAddresses") {
            // Either field takes addresses and names.
            for named in [out.text(member, "ipAddress"), out.text(member, "fqdn")].into_iter().flatten() {
                let address = named.parse().ok();
                let host = if address.is_some() { Sym::EMPTY } else { Sym::lower(named) };
                out.fact(ProxyMember { pool: id, address, host });
            }
        }
    }
    found
}

/// The ports of the settings, by id.
fn settings<'a>(out: &mut Out<'a>, body: &'a Value) -> Vec<(Sym, u16)> {
    let device = out.id();
    let mut found = Vec::new();
    for list in ["backendHttpSettingsCollection", "backendSettingsCollection"] {
        for (at, settings) in out.objects(body, list).iter().enumerate() {
            let id = out.part_id(settings, device, &list.to_ascii_lowercase(), at);
            found.push((id, out.port(properties(settings), "port").unwrap_or(0)));
        }
    }
    found
}

/// Where the path maps lead, by id: their default, and each of their rules.
fn path_maps<'a>(out: &mut Out<'a>, body: &'a Value) -> Vec<(Sym, Vec<Goal>)> {
    let device = out.id();
    let mut found = Vec::new();
    for (at, map) in out.objects(body, "urlPathMaps").iter().enumerate() {
        let id = out.part_id(map, device, "urlpathmaps", at);
        let map = properties(map);
        let mut goals = Vec::new();
        goals.extend(goal(out, map, ["defaultBackendAddressPool", "defaultBackendHttpSettings", "defaultRedirectConfiguration"]));
        for rule in out.objects(map, "pathRules") {
            goals.extend(goal(out, properties(rule), ["backendAddressPool", "backendHttpSettings", "redirectConfiguration"]));
        }
        found.push((id, goals));
    }
    found
}
