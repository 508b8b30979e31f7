//! Load balancers and their parts, inside the load balancer or exported as resources of their own.

use serde_json::Value;

use crate::facts::Fact;
use crate::facts::extract::instance;
use crate::facts::extract::out::{Out, get, names_nobody, properties};
use crate::facts::gap::Unread;
use crate::facts::load_balancing::{
    BalancerProtocol, BalancerSku, GatewayChain, InboundNatRule, InboundNatRulePool, LoadBalancer, LoadBalancerAddress,
    LoadBalancerFrontend, LoadBalancerFrontendRange, LoadBalancerMemberDown, LoadBalancerPool, LoadBalancerProbe, LoadBalancerRegion,
    LoadBalancingRule, LoadBalancingRulePool, MEMBER, OutboundRule, OutboundRuleFrontend,
};
use crate::facts::network::IpConfigPool;
use crate::ingest::child_lists;
use crate::model::{Sym, ids};

/// The type itself.
pub(super) const BALANCER: &str = "microsoft.network/loadbalancers";

/// The types of its parts that something depends on which others name.
pub(super) const FRONTEND: &str = "microsoft.network/loadbalancers/frontendipconfigurations";
pub(super) const POOL: &str = "microsoft.network/loadbalancers/backendaddresspools";
pub(super) const PROBE: &str = "microsoft.network/loadbalancers/probes";

/// What is in the ids of inbound NAT pools.
const NAT_POOLS: &str = "/inboundnatpools/";

/// Reads one part of a load balancer: its id, the load balancer's, its body.
type PartReader = for<'a> fn(&mut Out<'a>, Sym, Sym, &'a Value);

/// The types of parts.
const PARTS: &[(&str, PartReader)] = &[
    (FRONTEND, frontend),
    (POOL, pool),
    ("microsoft.network/loadbalancers/loadbalancingrules", rule),
    (PROBE, probe),
    ("microsoft.network/loadbalancers/inboundnatrules", nat_rule),
    ("microsoft.network/loadbalancers/inboundnatpools", nat_rule),
    ("microsoft.network/loadbalancers/outboundrules", outbound_rule),
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
    if child_lists(BALANCER).all(|(list, _)| get(body, list).is_none()) {
        out.lacks("frontendIPConfigurations");
    }
}

/// A part: `microsoft.network/loadbalancers/<segment>`.
pub(super) fn part<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (id, balancer) = (out.id(), out.parent());
    let kind = out.resource.kind.as_str();
    if let Some((_, read)) = PARTS.iter().find(|(known, _)| *known == kind) {
        read(out, id, balancer, body);
    }
}

/// Leaves open what a rule does that could not be read, or of which copies contradict each other: it may be for any frontend and pool beside it, and take
/// anything. A load balancer of which that is so may have such a rule for anybody. Whether that leaves open all that it may have said: it does not where nobody
/// lists the parts beside a rule (SND-02).
pub(super) fn leave_open(out: &mut Out<'_>) -> bool {
    let (rule, kind) = (out.id(), out.resource.kind.as_str());
    if kind == BALANCER {
        let frontends = frontends_beside(out);
        if !frontends.is_empty() {
            open_rule(out, rule, &frontends, &[]);
        }
        return true;
    }
    let Some(open) = OPEN_RULES.iter().find(|(of, _)| *of == kind).map(|(_, open)| open) else { return false };
    let parts = out.parts();
    let (mut frontends, mut pools) = (frontends_beside(out), pools_beside(out));
    out.revise(|fact| {
        match fact {
            Fact::LoadBalancingRule(row) => frontends.push(row.frontend),
            Fact::InboundNatRule(row) => frontends.push(row.frontend),
            Fact::OutboundRuleFrontend(row) => frontends.push(row.frontend),
            Fact::LoadBalancingRulePool(row) => pools.push(row.pool),
            Fact::InboundNatRulePool(row) => pools.push(row.pool),
            Fact::OutboundRule(row) => pools.push(row.pool),
            _ => return true,
        }
        false
    });
    frontends.retain(|frontend| !frontend.is_empty());
    for list in [&mut frontends, &mut pools] {
        Sym::sort(list);
        list.dedup();
    }
    open(out, rule, &frontends, &pools);
    parts.is_some() && !frontends.is_empty()
}

/// Writes down a rule of which nothing is known but which frontends and pools it may be for.
type OpenRule = fn(&mut Out<'_>, Sym, &[Sym], &[Sym]);

/// The types of rules.
const OPEN_RULES: &[(&str, OpenRule)] = &[
    ("microsoft.network/loadbalancers/loadbalancingrules", open_rule),
    ("microsoft.network/loadbalancers/inboundnatrules", open_nat_rule),
    ("microsoft.network/loadbalancers/inboundnatpools", open_nat_rule),
    ("microsoft.network/loadbalancers/outboundrules", open_outbound_rule),
];

fn open_rule(out: &mut Out<'_>, rule: Sym, frontends: &[Sym], pools: &[Sym]) {
    let (protocol, frontend_port, backend_port, floating, snat) = (BalancerProtocol::Unknown, 0, 0, false, true);
    for &frontend in frontends {
        out.fact(LoadBalancingRule { rule, frontend, protocol, frontend_port, backend_port, floating, snat, probe: Sym::EMPTY });
    }
    for pool in or_untold(out, pools) {
        out.fact(LoadBalancingRulePool { rule, pool });
    }
}

/// The pools, or one of which nobody tells who is in it.
fn or_untold(out: &Out<'_>, pools: &[Sym]) -> Vec<Sym> {
    if pools.is_empty() { vec![out.unknown("backendAddressPool")] } else { pools.to_vec() }
}

fn open_nat_rule(out: &mut Out<'_>, rule: Sym, frontends: &[Sym], pools: &[Sym]) {
    let (protocol, first_port, last_port, backend_port, floating) = (BalancerProtocol::Unknown, 0, u16::MAX, 0, false);
    for &frontend in frontends {
        out.fact(InboundNatRule { rule, frontend, protocol, first_port, last_port, backend_port, floating });
    }
    for &pool in pools {
        out.fact(InboundNatRulePool { rule, pool });
    }
    // Whom it is for may be what was lost; of an inbound NAT pool the scale sets say that they are in it.
    let told = out.facts().iter().any(|fact| matches!(fact, Fact::IpConfigPool(row) if row.pool == rule));
    if !told && !rule.as_str().contains(NAT_POOLS) {
        let ip_config = out.unknown(MEMBER);
        out.fact(IpConfigPool { ip_config, pool: rule });
    }
}

fn open_outbound_rule(out: &mut Out<'_>, rule: Sym, frontends: &[Sym], pools: &[Sym]) {
    for pool in or_untold(out, pools) {
        out.fact(OutboundRule { rule, pool, protocol: BalancerProtocol::Unknown });
    }
    // By one that is not in the input, perhaps.
    for &frontend in frontends.iter().chain([&Sym::EMPTY]) {
        out.fact(OutboundRuleFrontend { rule, frontend });
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
    // Azure knows no frontend without an address: it was left out on the way, and may be any.
    if subnet.is_empty() && public_ip.is_empty() && get(body, "publicIPPrefix").is_none() {
        out.cut("it names neither a subnet nor a public address".to_owned());
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
        pools.extend(pools_beside(out));
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
    let ranged = single.is_none() && first.is_some() && !rule.as_str().contains(NAT_POOLS);
    let left_out = ranged && target.is_none() && pools.is_empty();
    if left_out {
        out.gap(format!("rule `{rule}` names no target"));
    }
    if let Some(ip_config) = target.or_else(|| left_out.then(|| out.unknown(MEMBER))) {
        instance::named(out, ip_config);
        out.fact(IpConfigPool { ip_config, pool: rule });
    }
    if pools.is_empty() && !frontends.is_known() {
        pools = pools_beside(out);
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
                frontends = frontends_beside(out);
                frontends.push(Sym::EMPTY);
            }
        }
        // It may be for any pool of the load balancer, and by any of its frontends.
        None => {
            out.gap(format!("outbound rule `{rule}` names no backend pool"));
            for pool in pools_beside(out) {
                out.fact(OutboundRule { rule, pool, protocol: BalancerProtocol::Unknown });
            }
            if frontends.is_empty() {
                frontends = frontends_beside(out);
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
            let all = frontends_beside(out);
            // Where nobody lists those that it may be for, it may be for any.
            if all.is_empty() {
                out.fact(Unread { resource: rule, what: Sym::new("properties.frontendIPConfiguration") });
            }
            Frontends::Any(all)
        }
    }
}

/// The frontends that the load balancer lists beside the rule, as far as it is known.
fn frontends_beside(out: &mut Out<'_>) -> Vec<Sym> {
    out.parts().map_or_else(Vec::new, |parts| parts.frontends.to_vec())
}

/// The same of its backend pools.
fn pools_beside(out: &mut Out<'_>) -> Vec<Sym> {
    out.parts().map_or_else(Vec::new, |parts| parts.pools.to_vec())
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
