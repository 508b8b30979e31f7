//! Every way out to the internet, and the address the outside sees.

use crate::facts::network::PublicSku;
use crate::model::{Prefix, Proto, Set, Span, Stage, Sym, Tri};

/// The address that traffic leaves a network with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicSource {
    /// One of these: all of them are possible for every flow (decision on several addresses: a filter must admit all).
    OneOf(Vec<Prefix>),
    /// An address of Azure in the region that the input does not tell: default outbound access (OUT-07).
    SomeAzure,
}

/// How the packets of one address configuration leave for public addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method {
    /// What leaves this way.
    pub span: Span,
    /// What the far side sees.
    pub source: PublicSource,
    /// Where that is decided.
    pub stage: Stage,
    /// The resource that does it; empty for default outbound access.
    pub resource: Sym,
    /// A clause in plain words.
    pub text: &'static str,
    /// A code where the way is not certain.
    pub code: &'static str,
}

/// A NAT gateway: its id, its SKU where it is in the input, and its addresses (`None`: some are not known).
pub type Nat = (Sym, Option<PublicSku>, Option<Vec<Prefix>>);

/// What decides how an address configuration leaves its network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exits {
    /// The NAT gateway of the subnet.
    pub nat: Option<Nat>,
    /// The instance public address: its id and the address where it is known.
    pub instance: Option<(Sym, Option<Prefix>)>,
    /// Whether the instance public address leads through a gateway load balancer (IN-11), or is of an unknown family.
    pub chained: bool,
    /// Whether the instance public address alone says that it belongs here, or somebody else has it too: where it is not this one's, the next method applies.
    pub contested: bool,
    /// What outbound rules of load balancers do for it, by the rule.
    pub outbound_rules: Vec<BalancerExit>,
    /// What load balancing rules that also translate the way out do for it, by the rule.
    pub balancing_rules: Vec<BalancerExit>,
    /// A pool that holds it and is not in the input: its load balancer may translate; else empty.
    pub missing_pool: Sym,
    /// Whether default outbound access exists for it: the subnet has it, and no Standard address and no flexible scale set takes it away
    /// (OUT-07 to OUT-09).
    pub default_allowed: Tri,
    /// A public address or an interface of the machine that is not in the input, on which that depends; else empty.
    pub lost_address: Sym,
    /// Whether the packets are IPv6, which has explicit ways only (ADR-14).
    pub v6: bool,
}

/// What one rule of a load balancer does for the way out of a member (OUT-05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerExit {
    /// The outbound rule or load balancing rule.
    pub rule: Sym,
    /// What it translates.
    pub carries: Set,
    /// Whether it surely does.
    pub sure: bool,
    /// The addresses of its frontends; `None`: some are not known.
    pub addresses: Option<Vec<Prefix>>,
}

/// The ways out, by precedence; the first that applies is the only one (OUT-02).
///
/// ```datalog
/// leaves(I, G) :- ip_config(I, _, S, _), subnet_nat_gateway(S, G).                                        // outbound.1
/// leaves(I, A) :- ip_config_public_ip(I, A), ip_config(I, _, S, _), !subnet_nat_gateway(S, _).            // outbound.2
/// leaves(I, R) :- ip_config_pool(I, P), outbound_rule(R, P, _).                                           // outbound.3
/// ```
pub fn methods(exits: &Exits) -> Vec<Method> {
    let mut out = Vec::new();
    let mut rest = Span::ALL;
    if let Some((nat, sku, addresses)) = &exits.nat {
        let by_nat = |span, code| Method {
            span,
            source: addresses.clone().filter(|list| !list.is_empty()).map_or(PublicSource::SomeAzure, PublicSource::OneOf),
            stage: Stage::Nat,
            resource: *nat,
            text: "the NAT gateway of the subnet translates TCP and UDP",
            code,
        };
        let works = !exits.v6 || matches!(sku, Some(PublicSku::StandardV2 | PublicSku::Unknown) | None);
        match (sku, addresses) {
            (None, _) => out.push(by_nat(Span::exactly(Set::tcp_udp()).doubted(), "W-MISSING")),
            (Some(_), _) if !works => {}
            (Some(_), Some(list)) if list.is_empty() => {
                out.push(by_nat(Span::exactly(Set::tcp_udp()).doubted(), "W-UNSUPPORTED"));
            }
            (Some(PublicSku::Unknown), _) if exits.v6 => {
                out.push(by_nat(Span::exactly(Set::tcp_udp()).doubted(), "W-UNSUPPORTED"));
            }
            (Some(_), _) => {
                out.push(by_nat(Span::exactly(Set::tcp_udp()), ""));
                // What a NAT gateway does not translate perhaps falls to the instance address (OUT-03).
                rest = Span { sure: Set::EMPTY, may: Set::ALL.minus(Set::tcp_udp()) };
            }
        }
        if exits.instance.is_none() && rest.sure.is_empty() {
            return out;
        }
        if rest == Span::ALL && works {
            rest = rest.doubted();
        }
    }
    if let Some((public_ip, address)) = &exits.instance {
        let doubted = exits.chained || exits.contested;
        out.push(Method {
            span: if doubted { rest.doubted() } else { rest },
            source: address.map_or(PublicSource::SomeAzure, |address| PublicSource::OneOf(vec![address])),
            stage: Stage::Nat,
            resource: *public_ip,
            text: "the instance public address stands for it in the outside",
            code: if rest == Span::ALL && !doubted { "" } else { "W-UNSUPPORTED" },
        });
        if !exits.contested || !rest.may.meets(Set::tcp_udp()) {
            return out;
        }
        rest = rest.doubted();
    }
    if !exits.missing_pool.is_empty() {
        out.push(Method {
            span: Span::exactly(Set::tcp_udp()).doubted(),
            source: PublicSource::SomeAzure,
            stage: Stage::Nat,
            resource: exits.missing_pool,
            text: "the load balancer of its pool perhaps translates it",
            code: "W-MISSING",
        });
        return out;
    }
    for (rules, text) in [
        (&exits.outbound_rules, "an outbound rule of a load balancer translates it"),
        (&exits.balancing_rules, "a rule of a load balancer translates the way out of its members"),
    ] {
        out.extend(by_balancer(rules, rest, text));
        if !rules.is_empty() {
            // Whether a protocol that the first method leaves out falls to the next one is not documented.
            let carried = rules.iter().filter(|exit| exit.sure).fold(Set::EMPTY, |set, exit| set.or(exit.carries));
            rest = Span { sure: Set::EMPTY, may: rest.may.minus(carried) };
        }
    }
    let span = Span::exactly(Set::tcp_udp()).and(rest);
    if exits.default_allowed.hi() && !exits.v6 && !span.is_none() {
        out.push(Method {
            span: if exits.default_allowed.lo() { span } else { span.doubted() },
            source: PublicSource::SomeAzure,
            stage: Stage::Nat,
            resource: exits.lost_address,
            text: "default outbound access gives it some address of Azure",
            code: match (exits.default_allowed.lo(), exits.lost_address.is_empty()) {
                (true, _) => "",
                (false, true) => "W-DELEGATED",
                (false, false) => "W-MISSING",
            },
        });
    }
    out
}

/// The rules of one kind: where several carry a protocol, any of their addresses may be the source.
fn by_balancer(rules: &[BalancerExit], rest: Span, text: &'static str) -> Vec<Method> {
    let mut out: Vec<Method> = Vec::new();
    for proto in [Proto::Tcp, Proto::Udp].map(Set::of_proto) {
        let mine: Vec<&BalancerExit> = rules.iter().filter(|exit| exit.carries.meets(proto)).collect();
        let Some(first) = mine.first() else { continue };
        let all: Option<Vec<&Vec<Prefix>>> = mine.iter().map(|exit| exit.addresses.as_ref()).collect();
        let addresses = all.map(|lists| {
            let mut addresses: Vec<Prefix> = lists.into_iter().flatten().copied().collect();
            addresses.sort_unstable();
            addresses.dedup();
            addresses
        });
        let sure = mine.iter().all(|exit| exit.sure);
        let span = if sure { Span::exactly(proto) } else { Span::exactly(proto).doubted() };
        let method = Method {
            span: span.and(rest),
            source: addresses.map_or(PublicSource::SomeAzure, PublicSource::OneOf),
            stage: Stage::Nat,
            resource: first.rule,
            text,
            code: if sure && rest.sure.meets(proto) { "" } else { "W-UNSUPPORTED" },
        };
        match out.last_mut() {
            Some(last) if (last.resource, &last.source, last.code) == (method.resource, &method.source, method.code) => {
                last.span = last.span.or(method.span);
            }
            _ => out.push(method),
        }
    }
    out.retain(|method| !method.span.is_none());
    out
}

/// The ways out of an Azure Firewall (OUT-13): the NAT gateway of its subnet, else any of its own addresses (`None`: some are not known). What a NAT
/// gateway does not carry perhaps leaves with these.
///
/// ```datalog
/// leaves(F, G) :- device_address(F, _, S), subnet_nat_gateway(S, G).                                      // outbound.7
/// leaves(F, A) :- device_public_ip(F, A), device_address(F, _, S), !subnet_nat_gateway(S, _).             // outbound.8
/// ```
pub fn firewall_methods(nat: Option<Nat>, own: Option<(Sym, Option<Vec<Prefix>>)>) -> Vec<Method> {
    let behind_nat = nat.is_some();
    let mut out = methods(&Exits { nat, ..Exits::default() });
    let whole = Set::tcp_udp().or(Set::of_proto(Proto::Icmp));
    let left = if behind_nat { Span { sure: Set::EMPTY, may: whole.minus(Set::tcp_udp()) } } else { Span::exactly(whole) };
    if let Some((firewall, addresses)) = own {
        out.push(Method {
            span: left,
            source: addresses.map_or(PublicSource::SomeAzure, PublicSource::OneOf),
            stage: Stage::Nat,
            resource: firewall,
            text: "the firewall puts one of its public addresses in place of the source",
            code: if behind_nat { "W-UNSUPPORTED" } else { "" },
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Exits {
        Exits { default_allowed: Tri::Yes, ..Exits::default() }
    }

    fn nat(sku: PublicSku) -> Option<(Sym, Option<PublicSku>, Option<Vec<Prefix>>)> {
        Some((Sym::new("nat"), Some(sku), Some(vec!["20.0.0.9/32".parse().unwrap()])))
    }

    /// covers: OUT-02, OUT-03, OUT-04
    #[test]
    fn a_nat_gateway_comes_before_the_instance_address() {
        let exits = Exits { nat: nat(PublicSku::Standard), instance: Some((Sym::new("pip"), None)), ..plain() };
        let ways = methods(&exits);
        assert_eq!(ways[0].resource, Sym::new("nat"));
        assert_eq!(ways[0].span, Span::exactly(Set::tcp_udp()));
        assert!(ways[1].span.sure.is_empty(), "icmp may fall to the instance address");
    }

    /// covers: OUT-03, OUT-10, ADR-14
    #[test]
    fn a_standard_nat_gateway_translates_no_icmp_and_no_ipv6() {
        let exits = Exits { nat: nat(PublicSku::Standard), ..plain() };
        assert_eq!(methods(&exits).iter().fold(Set::EMPTY, |s, m| s.or(m.span.may)), Set::tcp_udp());
        assert_eq!(methods(&Exits { v6: true, ..exits.clone() }), []);
        assert_eq!(methods(&Exits { v6: true, nat: nat(PublicSku::StandardV2), ..plain() }).len(), 1);
    }

    /// covers: OUT-07, OUT-08, OUT-10
    #[test]
    fn default_outbound_access_is_for_tcp_and_udp_and_can_be_taken_away() {
        assert_eq!(methods(&plain())[0].span, Span::exactly(Set::tcp_udp()));
        assert_eq!(methods(&Exits { default_allowed: Tri::No, ..plain() }), []);
        assert!(methods(&Exits { default_allowed: Tri::Maybe, ..plain() })[0].span.sure.is_empty());
    }

    /// covers: OUT-02, OUT-05
    #[test]
    fn outbound_rules_come_before_rules_that_also_translate() {
        let exit = |rule, carries, address: &str| BalancerExit {
            rule: Sym::new(rule),
            carries,
            sure: true,
            addresses: Some(vec![address.parse().unwrap()]),
        };
        let both = Exits {
            outbound_rules: vec![exit("out", Set::tcp_udp(), "20.0.0.5/32")],
            balancing_rules: vec![exit("in", Set::tcp_udp(), "20.0.0.6/32")],
            ..plain()
        };
        assert_eq!(methods(&both).iter().map(|way| way.resource.as_str()).collect::<Vec<_>>(), ["out"]);
        assert_eq!(methods(&both)[0].span, Span::exactly(Set::tcp_udp()));
        // A rule for TCP alone leaves UDP open to doubt.
        let tcp = Exits { outbound_rules: vec![exit("out", Set::tcp(), "20.0.0.5/32")], ..both };
        let ways = methods(&tcp);
        assert_eq!(ways[0].span, Span::exactly(Set::tcp()));
        assert!(ways[1].span.sure.is_empty() && ways[1].span.may == Set::of_proto(Proto::Udp), "{ways:?}");
    }
}
