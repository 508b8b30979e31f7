//! Load balancers: frontends, rules, pools and who is in them, and the rules for the way out.

use std::net::IpAddr;

use crate::model::{Sym, ids};

/// What a member is called of whom a load balancer says that there is one, and not who.
pub const MEMBER: &str = "backendIPConfiguration";

/// Whether the member of a pool, or the target of an inbound NAT rule, stands for one that is not told: any machine may be it (IN-06, SND-02).
pub fn is_nameless_member(ip_config: Sym) -> bool {
    ids::is_unknown(ip_config, &MEMBER.to_lowercase())
}

words! {
    /// The SKU of a load balancer; absent in Resource Graph means Basic (IN-03).
    BalancerSku { Basic = "basic", Standard = "standard", StandardV2 = "standardv2", Gateway = "gateway", Unknown = "unknown" }
}
words! {
    /// What a rule of a load balancer takes; `unknown` where the input does not say: perhaps anything (SND-02).
    BalancerProtocol { Tcp = "tcp", Udp = "udp", All = "all", Unknown = "unknown" }
}

relations! { LOAD_BALANCING_RELATIONS:
    /// `load_balancer(balancer, sku, global)`: a load balancer; `global` is `sku.tier = Global`, whose members are frontends of others (IN-06). From
    /// `microsoft.network/loadbalancers`.
    LoadBalancer load_balancer { balancer: Sym, sku: BalancerSku, global: bool }

    /// `load_balancer_frontend(frontend, balancer, subnet, address, public_ip)`: a frontend of `balancer`: internal, with `address` in `subnet` (ILB-01;
    /// empty where the address is dynamic), or public, with the public address resource (IN-04). At most one row a frontend.
    LoadBalancerFrontend load_balancer_frontend { frontend: Sym, balancer: Sym, subnet: Sym, address: Option<IpAddr>, public_ip: Sym }

    /// `load_balancer_frontend_range(frontend, public_ip_prefix)`: the frontend has the addresses of a public prefix, for the way out (OUT-05).
    LoadBalancerFrontendRange load_balancer_frontend_range { frontend: Sym, public_ip_prefix: Sym }

    /// `gateway_chain(end, frontend)`: what comes to and from `end`, a frontend or an address configuration, first passes the gateway load balancer
    /// that `frontend` belongs to (IN-11). From `properties.gatewayLoadBalancer.id`.
    GatewayChain gateway_chain { end: Sym, frontend: Sym }

    /// `load_balancer_pool(pool, balancer)`: a backend pool. Its members: `ip_config_pool`, `load_balancer_address`, `load_balancer_region`.
    LoadBalancerPool load_balancer_pool { pool: Sym, balancer: Sym }

    /// `load_balancer_address(pool, address, vnet)`: whoever has `address` in `vnet` (empty: the load balancer's own network) is a member (IN-06). From
    /// `loadBalancerBackendAddresses[].properties.ipAddress`.
    LoadBalancerAddress load_balancer_address { pool: Sym, address: IpAddr, vnet: Sym }

    /// `load_balancer_region(pool, frontend)`: the regional frontend is a member of a global load balancer's pool (IN-06).
    LoadBalancerRegion load_balancer_region { pool: Sym, frontend: Sym }

    /// `load_balancer_member_down(pool, member)`: `adminState = Down`; the member is called by its address configuration, frontend or address (IN-06).
    LoadBalancerMemberDown load_balancer_member_down { pool: Sym, member: Sym }

    /// `load_balancing_rule(rule, frontend, protocol, frontend_port, backend_port, floating, snat, probe)`: packets for `frontend_port` go to a member of
    /// the rule's pools at `backend_port`; port 0 with `all` is every port (IN-04, ILB-07). `floating` is `enableFloatingIP`; `snat` is false where
    /// `disableOutboundSnat` is set (OUT-05); `probe` is empty where there is none (ILB-08). At most one row a rule.
    LoadBalancingRule load_balancing_rule {
        rule: Sym, frontend: Sym, protocol: BalancerProtocol, frontend_port: u16, backend_port: u16, floating: bool, snat: bool, probe: Sym,
    }

    /// `load_balancing_rule_pool(rule, pool)`: one of the pools that the rule chooses from.
    LoadBalancingRulePool load_balancing_rule_pool { rule: Sym, pool: Sym }

    /// `load_balancer_probe(probe, port)`: the TCP port at which members are asked whether they are up (ILB-08).
    LoadBalancerProbe load_balancer_probe { probe: Sym, port: u16 }

    /// `inbound_nat_rule(rule, frontend, protocol, first_port, last_port, backend_port, floating)`: packets for these ports of the frontend go to
    /// `backend_port` of the address configurations with `ip_config_pool(…, rule)`, one port each (IN-05). From `inboundNatRules[]` and
    /// `inboundNatPools[]`.
    InboundNatRule inbound_nat_rule {
        rule: Sym, frontend: Sym, protocol: BalancerProtocol, first_port: u16, last_port: u16, backend_port: u16, floating: bool,
    }

    /// `inbound_nat_rule_pool(rule, pool)`: the members of the pool have one port each.
    InboundNatRulePool inbound_nat_rule_pool { rule: Sym, pool: Sym }

    /// `outbound_rule(rule, pool, protocol)`: members of the pool leave with the addresses of the rule's frontends (OUT-05).
    OutboundRule outbound_rule { rule: Sym, pool: Sym, protocol: BalancerProtocol }

    /// `outbound_rule_frontend(rule, frontend)`: one of the frontends of an outbound rule.
    OutboundRuleFrontend outbound_rule_frontend { rule: Sym, frontend: Sym }
}
