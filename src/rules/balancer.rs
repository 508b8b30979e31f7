//! What a rule of a load balancer takes at its frontend, and what it makes of it.

use crate::facts::load_balancing::{BalancerProtocol, InboundNatRule, LoadBalancingRule};
use crate::model::traffic::{ANY_PORT, Ports};
use crate::model::{Proto, Set, Span};

/// The traffic a rule takes, and the port it goes on at: a translation of destination ports (IN-04, IN-05, ILB-02).
///
/// ```datalog
/// takes(F, R, T) :- load_balancing_rule(R, F, T, _, _, _, _, _).     // balancer.1
/// takes(F, R, T) :- inbound_nat_rule(R, F, T, _, _, _, _).           // balancer.2
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    protocol: BalancerProtocol,
    ports: Ports,
    /// The port at the members.
    backend: Backend,
    /// Whether the input says for certain what it takes.
    sure: bool,
}

/// The port that members get a packet at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backend {
    /// The one it came to.
    Same,
    /// This one.
    Port(u16),
    /// The input does not say which.
    Any,
}

impl Backend {
    fn of(port: u16, known: bool) -> Backend {
        match port {
            0 if known => Backend::Same,
            0 => Backend::Any,
            port => Backend::Port(port),
        }
    }
}

impl Takes {
    /// Of a load balancing rule. Port 0 stands for every port; only an internal frontend may have such a rule (ILB-07).
    pub fn rule(rule: &LoadBalancingRule, internal: bool) -> Takes {
        let known = rule.protocol != BalancerProtocol::Unknown;
        let every = rule.frontend_port == 0 || !known;
        Takes {
            protocol: rule.protocol,
            ports: if every { ANY_PORT } else { (rule.frontend_port, rule.frontend_port) },
            backend: if every && known { Backend::Same } else { Backend::of(rule.backend_port, known) },
            sure: known && (internal || !every),
        }
    }

    /// Of an inbound NAT rule.
    pub fn nat(rule: &InboundNatRule) -> Takes {
        let known = rule.protocol != BalancerProtocol::Unknown;
        Takes {
            protocol: rule.protocol,
            ports: if known { (rule.first_port, rule.last_port) } else { ANY_PORT },
            backend: Backend::of(rule.backend_port, known),
            sure: known,
        }
    }

    /// How many ports of the frontend it has.
    pub fn width(&self) -> usize {
        usize::from(self.ports.1.saturating_sub(self.ports.0)) + 1
    }

    /// The first `count` of its ports, for every protocol it takes.
    pub fn first_ports(&self, count: usize) -> Set {
        let Some(more) = count.min(self.width()).checked_sub(1) else { return Set::EMPTY };
        let last = u16::try_from(more).map_or(self.ports.1, |more| self.ports.0.saturating_add(more));
        self.of((self.ports.0, last)).may
    }

    /// Whether it takes every TCP and UDP port and leaves them as they are: an HA ports rule (ILB-07).
    pub fn is_every_port(&self) -> bool {
        self.ports == ANY_PORT && self.backend == Backend::Same && matches!(self.protocol, BalancerProtocol::All)
    }

    fn protocols(&self) -> &'static [Proto] {
        match self.protocol {
            BalancerProtocol::Tcp => &[Proto::Tcp],
            BalancerProtocol::Udp => &[Proto::Udp],
            BalancerProtocol::All | BalancerProtocol::Unknown => &[Proto::Tcp, Proto::Udp],
        }
    }

    fn of(&self, ports: Ports) -> Span {
        let all = self.protocols().iter().fold(Set::EMPTY, |set, proto| set.or(Set::of(*proto, ports, ANY_PORT)));
        if self.sure { Span::exactly(all) } else { Span::exactly(all).doubted() }
    }

    /// What it takes, as the client sends it.
    pub fn at_frontend(&self) -> Span {
        self.of(self.ports)
    }

    /// The same, as a member gets it.
    pub fn at_member(&self) -> Span {
        self.of(match self.backend {
            Backend::Same => self.ports,
            Backend::Port(port) => (port, port),
            Backend::Any => ANY_PORT,
        })
    }

    /// What the members get of `sent`.
    pub fn handed(&self, sent: Set) -> Set {
        let taken = sent.and(self.at_frontend().may);
        let ports = match self.backend {
            Backend::Same => return taken,
            Backend::Port(port) => (port, port),
            Backend::Any => ANY_PORT,
        };
        let bands = taken.bands().iter().flat_map(|band| band.sports.iter().map(|sports| Set::of(band.proto, ports, *sports)));
        bands.fold(Set::EMPTY, Set::or)
    }

    /// What of the client's traffic becomes `got` at the members.
    pub fn sent(&self, got: Span) -> Span {
        Span { sure: self.sent_set(got.sure), may: self.sent_set(got.may) }
    }

    fn sent_set(&self, got: Set) -> Set {
        let taken = self.at_frontend().may;
        let (first, last) = match self.backend {
            Backend::Same => return got.and(taken),
            Backend::Port(port) => (port, port),
            Backend::Any => ANY_PORT,
        };
        let bands = got.bands().iter().filter(|band| band.proto.has_ports() && band.dports.0 <= last && first <= band.dports.1);
        let back = bands.flat_map(|band| band.sports.iter().map(|sports| Set::of(band.proto, self.ports, *sports)));
        back.fold(Set::EMPTY, Set::or).and(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sym;

    fn rule(protocol: BalancerProtocol, frontend_port: u16, backend_port: u16) -> LoadBalancingRule {
        let (rule, frontend, probe) = (Sym::new("r"), Sym::new("f"), Sym::EMPTY);
        LoadBalancingRule { rule, frontend, protocol, frontend_port, backend_port, floating: false, snat: true, probe }
    }

    fn tcp(port: u16) -> Set {
        Set::of(Proto::Tcp, (port, port), ANY_PORT)
    }

    /// covers: IN-04, ILB-02
    #[test]
    fn ports_are_translated_there_and_back() {
        let takes = Takes::rule(&rule(BalancerProtocol::Tcp, 80, 8080), true);
        assert_eq!(takes.at_frontend(), Span::exactly(tcp(80)));
        assert_eq!(takes.handed(Set::tcp_udp()), tcp(8080));
        assert_eq!(takes.sent(Span::exactly(tcp(8080).or(tcp(80)))), Span::exactly(tcp(80)));
        assert_eq!(takes.sent(Span::exactly(tcp(80))), Span::NONE);
        let from_some = Set::of(Proto::Tcp, (8080, 8080), (1000, 2000));
        assert_eq!(takes.sent(Span::exactly(from_some)).sure, Set::of(Proto::Tcp, (80, 80), (1000, 2000)));
    }

    /// covers: ILB-07
    #[test]
    fn ha_ports_take_every_port_of_tcp_and_udp() {
        let takes = Takes::rule(&rule(BalancerProtocol::All, 0, 0), true);
        assert!(takes.is_every_port());
        assert_eq!(takes.at_frontend(), Span::exactly(Set::tcp_udp()));
        assert_eq!(takes.handed(tcp(443)), tcp(443));
        assert!(Takes::rule(&rule(BalancerProtocol::All, 0, 0), false).at_frontend().sure.is_empty(), "no public frontend has them");
    }

    /// covers: SND-02, IN-05
    #[test]
    fn members_get_what_nobody_tells_at_any_port() {
        let takes = Takes::rule(&rule(BalancerProtocol::Unknown, 0, 0), true);
        assert_eq!(takes.handed(tcp(80)), Set::of(Proto::Tcp, ANY_PORT, ANY_PORT));
        assert_eq!(takes.sent(Span::exactly(tcp(22))).may, Set::of(Proto::Tcp, ANY_PORT, ANY_PORT));
        let takes = Takes::rule(&rule(BalancerProtocol::Unknown, 0, 8080), true);
        assert_eq!(takes.handed(tcp(80)), tcp(8080));
        assert_eq!(takes.sent(Span::exactly(tcp(22))), Span::NONE);
    }

    /// covers: SND-02
    #[test]
    fn an_unknown_protocol_takes_anything_perhaps() {
        let takes = Takes::rule(&rule(BalancerProtocol::Unknown, 0, 0), true);
        assert_eq!(takes.at_frontend(), Span::exactly(Set::tcp_udp()).doubted());
    }
}
