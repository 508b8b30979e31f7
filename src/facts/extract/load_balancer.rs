//! Load balancers and their parts, inside the load balancer or exported as resources of their own.

use serde_json::Value;

use crate::facts::extract::instance;
use crate::facts::extract::out::{Out, get, names_nobody, properties};
use crate::facts::load_balancing::{
    BalancerProtocol, BalancerSku, GatewayChain, InboundNatRule, InboundNatRulePool, LoadBalancer, LoadBalancerAddress,
    LoadBalancerFrontend, LoadBalancerFrontendRange, LoadBalancerMemberDown, LoadBalancerPool, LoadBalancerProbe, LoadBalancerRegion,
    LoadBalancingRule, LoadBalancingRulePool, MEMBER, OutboundRule, OutboundRuleFrontend,
};
use crate::facts::network::IpConfigPool;
use crate::model::{Sym, ids};

/// Reads one part of a load balancer: its id, the load balancer's, its body.
type PartReader = for<'a> fn(&mut Out<'a>, Sym, Sym, &'a Value);

/// The lists of parts, with the segment of their ids.
const PARTS: &[(&str, &str, PartReader)] = &[
    ("frontendIPConfigurations", "frontendipconfigurations", frontend),
    ("backendAddressPools", "backendaddresspools", pool),
    ("loadBalancingRules", "loadbalancingrules", rule),
    ("probes", "probes", probe),
    ("inboundNatRules", "inboundnatrules", nat_rule),
    ("inboundNatPools", "inboundnatpools", nat_rule),
    ("outboundRules", "outboundrules", outbound_rule),
];

/// `microsoft.network/loadbalancers`.
pub(super) fn load_balancer<'a>(out: &mut Out<'a>, body: &'a Value) {
    let balancer = out.id();
    let (mut kind, mut global) = (BalancerSku::Basic, false);
    if let Some(sku) = out.object(&out.resource.body, "sku") {
        kind = out.word(sku, "name", BalancerSku::parse, BalancerSku::Unknown).unwrap_or(BalancerSku::Basic);
        global = out.text(sku, "tier").is_some_and(|tier| tier.eq_ignore_ascii_case("Global"));
    }
    out.fact(LoadBalancer { balancer, sku: kind, global });
    if kind == BalancerSku::Gateway {
        out.gap("what the appliances behind a gateway load balancer do is not modelled");
    }
    // Azure knows none without any part: its body was left out on the way.
    if PARTS.iter().all(|(list, ..)| get(body, list).is_none()) {
        out.lacks("frontendIPConfigurations");
    }
    for (list, segment, read) in PARTS {
        for (at, part) in out.objects(body, list).iter().enumerate() {
            let id = out.part_id(part, balancer, segment, at);
            read(out, id, balancer, properties(part));
        }
    }
}

/// A part as a resource of its own: `microsoft.network/loadbalancers/<segment>`.
pub(super) fn part<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (id, balancer) = (out.id(), out.parent());
    let segment = out.resource.kind.as_str().rsplit('/').next().unwrap_or_default();
    if let Some((_, _, read)) = PARTS.iter().find(|(_, known, _)| *known == segment) {
        read(out, id, balancer, body);
    }
}

/// `microsoft.network/loadbalancers/backendaddresspools/loadbalancerbackendaddresses`: one member by address, where a plan keeps it apart.
pub(super) fn own_address<'a>(out: &mut Out<'a>, body: &'a Value) {
    let pool = out.parent();
    member(out, pool, body, body);
}

fn frontend<'a>(out: &mut Out<'a>, frontend: Sym, balancer: Sym, body: &'a Value) {
    let subnet = out.link(body, "subnet").unwrap_or_default();
    let public_ip = out.named(body, "publicIPAddress").unwrap_or_default();
    // Azure knows no frontend without an address: it was left out on the way, and the load balancer may have any.
    if subnet.is_empty() && public_ip.is_empty() && get(body, "publicIPPrefix").is_none() {
        out.lacks(&format!("frontendIPConfigurations.{}", frontend.as_str().rsplit('/').next().unwrap_or_default()));
    }
    let address = out.address_of_family(body, "privateIPAddress", "privateIPAddressVersion");
    out.fact(LoadBalancerFrontend { frontend, balancer, subnet, address, public_ip });
    if let Some(public_ip_prefix) = out.binding(body, "publicIPPrefix") {
        out.fact(LoadBalancerFrontendRange { frontend, public_ip_prefix });
    }
    chain(out, frontend, body);
}

/// The gateway load balancer in front of a frontend or an address configuration (IN-11).
pub(super) fn chain<'a>(out: &mut Out<'a>, end: Sym, body: &'a Value) {
    if let Some(frontend) = out.binding(body, "gatewayLoadBalancer") {
        out.fact(GatewayChain { end, frontend });
    }
}

fn pool<'a>(out: &mut Out<'a>, pool: Sym, balancer: Sym, body: &'a Value) {
    out.fact(LoadBalancerPool { pool, balancer });
    for ip_config in out.links(body, "backendIPConfigurations") {
        instance::named(out, ip_config);
        out.fact(IpConfigPool { ip_config, pool });
    }
    for address in out.objects(body, "loadBalancerBackendAddresses") {
        member(out, pool, properties(address), body);
    }
}

/// One member: an address configuration, a frontend in a region, or an address (IN-06).
fn member<'a>(out: &mut Out<'a>, pool: Sym, body: &'a Value, pool_body: &'a Value) {
    let member = if let Some(ip_config) = out.link(body, "networkInterfaceIPConfiguration") {
        instance::named(out, ip_config);
        out.fact(IpConfigPool { ip_config, pool });
        ip_config
    } else if let Some(frontend) = out.link(body, "loadBalancerFrontendIPConfiguration") {
        out.fact(LoadBalancerRegion { pool, frontend });
        frontend
    } else if let Some(address) = out.address(body, "ipAddress") {
        let of_subnet = |subnet: Sym| ids::parent_id(subnet.as_str()).map_or(Sym::EMPTY, Sym::new);
        let own = out.link(body, "virtualNetwork").or_else(|| out.link(body, "subnet").map(of_subnet));
        let vnet = own.or_else(|| out.link(pool_body, "virtualNetwork")).unwrap_or_default();
        out.fact(LoadBalancerAddress { pool, address, vnet });
        Sym::new(&address.to_string())
    } else {
        out.gap(format!("a member of pool `{pool}` does not say who it is"));
        let ip_config = out.unknown(MEMBER);
        out.fact(IpConfigPool { ip_config, pool });
        ip_config
    };
    match out.text(body, "adminState") {
        Some(state) if state.eq_ignore_ascii_case("Down") => out.fact(LoadBalancerMemberDown { pool, member }),
        Some(state) if !["Up", "None", "Drain"].iter().any(|known| known.eq_ignore_ascii_case(state)) => {
            out.gap(format!("`adminState` has the unknown value `{state}`"));
            out.fact(LoadBalancerMemberDown { pool, member });
        }
        _ => {}
    }
}

fn rule<'a>(out: &mut Out<'a>, rule: Sym, _: Sym, body: &'a Value) {
    let frontends = frontends_of(out, body, rule);
    let (frontend_port, backend_port) = (out.port(body, "frontendPort"), out.port(body, "backendPort"));
    // One that says nothing of pools, not even that it has none, may be for any of the load balancer's.
    let pools_told = get(body, "backendAddressPools").is_some() || get(body, "backendAddressPool").is_some_and(|pool| !names_nobody(pool));
    if !pools_told {
        out.gap(format!("rule `{rule}` names no backend pool"));
    }
    let told = frontends.is_known() && pools_told;
    let protocol = protocol(out, body, told && frontend_port.is_some() && backend_port.is_some());
    let floating = out.flag(body, "enableFloatingIP").unwrap_or(false);
    let snat = !out.flag(body, "disableOutboundSnat").unwrap_or(false);
    let probe = out.binding(body, "probe").unwrap_or_default();
    let (frontend_port, backend_port) = (frontend_port.unwrap_or(0), backend_port.unwrap_or(0));
    for frontend in frontends.each() {
        out.fact(LoadBalancingRule { rule, frontend, protocol, frontend_port, backend_port, floating, snat, probe });
    }
    let mut pools = out.links(body, "backendAddressPools");
    pools.extend(out.binding(body, "backendAddressPool"));
    if !pools_told || pools.is_empty() && !told {
        pools.extend(siblings(out, "backendAddressPools", "backendaddresspools"));
        // Those of the load balancer are not told here either.
        if pools.is_empty() {
            pools.push(out.unknown("backendAddressPool"));
        }
    }
    for pool in pools {
        out.fact(LoadBalancingRulePool { rule, pool });
    }
}

fn probe<'a>(out: &mut Out<'a>, probe: Sym, _: Sym, body: &'a Value) {
    if let Some(port) = out.port(body, "port") {
        out.fact(LoadBalancerProbe { probe, port });
    }
}

/// An inbound NAT rule, or an inbound NAT pool of a scale set: `backendPort` of one target, or of one for each port (IN-05).
fn nat_rule<'a>(out: &mut Out<'a>, rule: Sym, _: Sym, body: &'a Value) {
    let frontends = frontends_of(out, body, rule);
    let single = out.port(body, "frontendPort").filter(|port| *port != 0);
    let (first, last) = match single {
        Some(_) => (single, single),
        None => (out.port(body, "frontendPortRangeStart"), out.port(body, "frontendPortRangeEnd")),
    };
    let backend = out.port(body, "backendPort");
    let protocol = protocol(out, body, frontends.is_known() && first.is_some() && last.is_some() && backend.is_some());
    let floating = out.flag(body, "enableFloatingIP").unwrap_or(false);
    let (first_port, last_port, backend_port) = (first.unwrap_or(0), last.unwrap_or(u16::MAX), backend.unwrap_or(0));
    for frontend in frontends.each() {
        out.fact(InboundNatRule { rule, frontend, protocol, first_port, last_port, backend_port, floating });
    }
    let target = out.binding(body, MEMBER);
    let mut pools: Vec<Sym> = out.binding(body, "backendAddressPool").into_iter().collect();
    // One for a single port may have no target yet; one for several has a pool. Of an inbound NAT pool the scale sets say that they are in it.
    let ranged = single.is_none() && first.is_some() && !rule.as_str().contains("/inboundnatpools/");
    let left_out = ranged && target.is_none() && pools.is_empty();
    if left_out {
        out.gap(format!("rule `{rule}` names no target"));
    }
    if let Some(ip_config) = target.or_else(|| left_out.then(|| out.unknown(MEMBER))) {
        instance::named(out, ip_config);
        out.fact(IpConfigPool { ip_config, pool: rule });
    }
    if pools.is_empty() && !frontends.is_known() {
        pools = siblings(out, "backendAddressPools", "backendaddresspools");
    }
    for pool in pools {
        out.fact(InboundNatRulePool { rule, pool });
    }
}

fn outbound_rule<'a>(out: &mut Out<'a>, rule: Sym, _: Sym, body: &'a Value) {
    let mut frontends = out.links(body, "frontendIPConfigurations");
    frontends.extend(out.link(body, "frontendIPConfiguration"));
    match out.link(body, "backendAddressPool") {
        Some(pool) => {
            let protocol = protocol(out, body, !frontends.is_empty());
            out.fact(OutboundRule { rule, pool, protocol });
            // Without its frontends it leaves by any of the load balancer's, or by one that is not in the input.
            if frontends.is_empty() {
                out.gap(format!("outbound rule `{rule}` names no frontend"));
                frontends = siblings(out, "frontendIPConfigurations", "frontendipconfigurations");
                frontends.push(Sym::EMPTY);
            }
        }
        // It may be for any pool of the load balancer, and by any of its frontends.
        None => {
            out.gap(format!("outbound rule `{rule}` names no backend pool"));
            for pool in siblings(out, "backendAddressPools", "backendaddresspools") {
                out.fact(OutboundRule { rule, pool, protocol: BalancerProtocol::Unknown });
            }
            if frontends.is_empty() {
                frontends = siblings(out, "frontendIPConfigurations", "frontendipconfigurations");
            }
        }
    }
    for frontend in frontends {
        out.fact(OutboundRuleFrontend { rule, frontend });
    }
}

/// The frontends that a rule may be for.
enum Frontends {
    /// The one that it names.
    Known(Sym),
    /// It names none, and may be for any of the load balancer's: what it takes is not known either (SND-02).
    Any(Vec<Sym>),
}

impl Frontends {
    fn is_known(&self) -> bool {
        matches!(self, Frontends::Known(_))
    }

    fn each(&self) -> Vec<Sym> {
        match self {
            Frontends::Known(frontend) => vec![*frontend],
            Frontends::Any(all) if all.is_empty() => vec![Sym::EMPTY],
            Frontends::Any(all) => all.clone(),
        }
    }
}

fn frontends_of<'a>(out: &mut Out<'a>, body: &'a Value, rule: Sym) -> Frontends {
    match out.link(body, "frontendIPConfiguration") {
        Some(frontend) => Frontends::Known(frontend),
        None => {
            out.gap(format!("rule `{rule}` names no frontend"));
            Frontends::Any(siblings(out, "frontendIPConfigurations", "frontendipconfigurations"))
        }
    }
}

/// The parts of one list of the load balancer that the resource is; none where it is a part itself.
fn siblings(out: &mut Out<'_>, list: &str, segment: &str) -> Vec<Sym> {
    let (balancer, resource) = (out.id(), out.resource);
    if resource.kind.as_str() != "microsoft.network/loadbalancers" {
        return Vec::new();
    }
    let body = properties(&resource.body);
    out.objects(body, list).iter().enumerate().map(|(at, part)| out.part_id(part, balancer, segment, at)).collect()
}

/// The protocol; without all its ports a rule perhaps takes anything (SND-02).
fn protocol<'a>(out: &mut Out<'a>, body: &'a Value, with_ports: bool) -> BalancerProtocol {
    let word = out.word(body, "protocol", BalancerProtocol::parse, BalancerProtocol::Unknown);
    let known = word.unwrap_or(BalancerProtocol::Unknown);
    if with_ports && known != BalancerProtocol::Unknown {
        return known;
    }
    if word.is_some_and(|word| word != BalancerProtocol::Unknown) {
        out.gap("a rule of the load balancer lacks a port");
    } else if word.is_none() {
        out.gap("a rule of the load balancer lacks its protocol");
    }
    BalancerProtocol::Unknown
}
