//! Application gateways: where they listen, and to whom they pass on what they take (IN-08).

use std::net::IpAddr;

use serde_json::Value;

use crate::facts::extract::device::{address_of, told};
use crate::facts::extract::out::{Out, get, properties};
use crate::facts::network::{Device, DeviceKind, IpConfigProxyPool, Listener, ProxyMember, ProxyRule};
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

/// A listener: its id, then its public address, its private one and its port, as far as they are told.
type Heard = (Sym, Sym, Option<IpAddr>, u16);

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
            let (public_ip, address, port) = match front {
                Some((_, public_ip, address)) => (*public_ip, *address, port),
                None => (Sym::EMPTY, None, 0),
            };
            out.fact(Listener { device, public_ip, address, port });
            heard.push((id, public_ip, address, port));
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
    let add = |out: &mut Out<'a>, listener: Option<Sym>, to: Goal| {
        let at = heard.iter().find(|(id, ..)| Some(*id) == listener);
        let (public_ip, address, port) = at.map_or((Sym::EMPTY, None, 0), |(_, public_ip, address, port)| (*public_ip, *address, *port));
        let pool = to.pool.filter(|pool| pools.contains(pool)).unwrap_or_default();
        let backend_port = settings.iter().find(|(id, _)| Some(*id) == to.settings).map_or(0, |(_, port)| *port);
        if pool.is_empty() || backend_port == 0 {
            out.gap("to whom a rule passes on what it takes is not known");
        }
        out.fact(ProxyRule { device, public_ip, address, port, pool, backend_port });
    };
    for list in ["requestRoutingRules", "routingRules"] {
        for rule in out.objects(body, list) {
            let rule = properties(rule);
            let listener = out.link(rule, "httpListener").or_else(|| out.link(rule, "listener"));
            let own = goal(out, rule, ["backendAddressPool", "backendHttpSettings", "redirectConfiguration"]);
            match out.link(rule, "urlPathMap") {
                None => own.into_iter().for_each(|to| add(out, listener, to)),
                Some(map) => match maps.iter().find(|(id, _)| *id == map) {
                    Some((_, goals)) => goals.iter().for_each(|to| add(out, listener, *to)),
                    None => add(out, listener, Goal::default()),
                },
            }
        }
    }
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
