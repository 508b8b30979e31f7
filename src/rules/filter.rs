//! Which traffic a network security group lets through: first match, in one sweep, under uncertainty.

use crate::facts::network::{Access, Direction, NsgRule, Protocol};
use crate::facts::platform::Platform;
use crate::facts::selector::Selector;
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Sym, Tri};
use crate::rules::route::Context;
use crate::rules::tag::{Party, names};

/// One rule, ready to be matched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The lowest comes first.
    pub priority: u32,
    /// Its resource; for a default rule its name.
    pub id: Sym,
    /// Whether it is one of the six every group ends with (NSG-04).
    pub default: bool,
    /// Allow or deny.
    pub allow: bool,
    /// The address field of the side the filter stands on: the destination inbound, the source outbound.
    pub own: Vec<Selector>,
    /// The address field of the other side.
    pub remote: Vec<Selector>,
    /// The traffic its protocol and port fields name.
    pub traffic: Span,
    /// The same where the source port is not the sender's own any more: such a field names it only perhaps.
    pub translated: Span,
    /// The same with the source port field read as `*` (NSG-13).
    pub any_source_port: Span,
}

/// The rules of one group in one direction, by priority, defaults last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Program {
    /// The group.
    pub nsg: Sym,
    /// Inbound or outbound.
    pub direction: Direction,
    /// By priority.
    pub rules: Vec<Rule>,
}

/// How the source port of the packets relates to the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourcePorts {
    /// As sent.
    Kept,
    /// Any port: something on the way translates.
    Translated,
    /// Not looked at: the packet goes to a private endpoint (NSG-13).
    Ignored,
}

/// What one rule does to the packets between two ends.
#[derive(Clone, Copy, Debug)]
pub struct Met<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The traffic it names there: surely, and perhaps.
    pub traffic: Span,
}

impl Rule {
    /// Compiles a rule of a person (NSG-07, NSG-08).
    pub fn new(rule: &NsgRule) -> Rule {
        let (own, remote) = match rule.direction {
            Direction::Inbound => (rule.destinations, rule.sources),
            Direction::Outbound => (rule.sources, rule.destinations),
        };
        Rule {
            priority: rule.priority,
            id: rule.rule,
            default: false,
            allow: rule.access == Access::Allow,
            own: own.items(),
            remote: remote.items(),
            traffic: traffic(rule, SourcePorts::Kept),
            translated: traffic(rule, SourcePorts::Translated),
            any_source_port: traffic(rule, SourcePorts::Ignored),
        }
    }

    /// What it names of the packets between `own` and `remote`; `None` where nothing.
    pub fn met(&self, own: Party<'_>, remote: Party<'_>, ports: SourcePorts, context: &Context, platform: &Platform) -> Option<Met<'_>> {
        let side = |selectors: &[Selector], party: Party<'_>| {
            let mut answer = Tri::No;
            for selector in selectors {
                answer = answer.or(names(*selector, party, context, platform));
                if answer == Tri::Yes {
                    break;
                }
            }
            answer
        };
        let mut named = side(&self.remote, remote);
        if named.hi() {
            named = named.and(side(&self.own, own));
        }
        let traffic = match ports {
            SourcePorts::Kept => self.traffic,
            SourcePorts::Translated => self.translated,
            SourcePorts::Ignored => self.any_source_port,
        };
        match named {
            Tri::No => None,
            Tri::Maybe => Some(Met { rule: self, traffic: traffic.doubted() }),
            Tri::Yes => Some(Met { rule: self, traffic }),
        }
    }
}

impl Program {
    /// Compiles the rules of `nsg` in one direction and adds the platform's default rules (NSG-03, NSG-04, NSG-07, NSG-08).
    pub fn new(nsg: Sym, direction: Direction, rules: &[NsgRule], platform: &Platform) -> Program {
        let mut compiled: Vec<Rule> = rules.iter().filter(|rule| rule.direction == direction).map(Rule::new).collect();
        for rule in platform.default_rules().iter().filter(|rule| rule.direction == direction) {
            let (own, remote) = match direction {
                Direction::Inbound => (rule.destination, rule.source),
                Direction::Outbound => (rule.source, rule.destination),
            };
            compiled.push(Rule {
                priority: rule.priority,
                id: rule.name,
                default: true,
                allow: rule.access == Access::Allow,
                own: own.items(),
                remote: remote.items(),
                traffic: Span::ALL,
                translated: Span::ALL,
                any_source_port: Span::ALL,
            });
        }
        compiled.sort_by(|a, b| (a.priority, a.id.as_str()).cmp(&(b.priority, b.id.as_str())));
        Program { nsg, direction, rules: compiled }
    }

    /// The rules that may name packets between `own` and `remote`, with the traffic they name there.
    pub fn met<'a>(
        &'a self,
        own: Party<'a>,
        remote: Party<'a>,
        ports: SourcePorts,
        context: &'a Context,
        platform: &'a Platform,
    ) -> impl Iterator<Item = Met<'a>> + 'a {
        self.rules.iter().filter_map(move |rule| rule.met(own, remote, ports, context, platform))
    }
}

/// The traffic that surely and possibly gets through rules in this order: the first match decides (CNV-04).
///
/// Rules of one priority are taken as standing side by side: input that Azure would refuse (NSG-03).
///
/// ```datalog
/// .decl packet(flow: symbol, from: address, to: address)
/// meets(G, F, R, P) :- packet(F, A, B), nsg_rule(R, G, _, P, _, _, Sources, _, Targets, _),
///                      item(Sources, S), names(S, A), item(Targets, T), names(T, B).
/// beaten(G, F, P)   :- meets(G, F, _, P), meets(G, F, _, Q), Q < P.
/// decides(G, F, R)  :- meets(G, F, R, P), !beaten(G, F, P).                            // filter.1
/// ```
pub fn first_match<'a>(met: impl IntoIterator<Item = Met<'a>>) -> Span {
    settle(met.into_iter().map(|met| Line { priority: met.rule.priority, allow: met.rule.allow, traffic: met.traffic }))
}

/// One rule of a list as first match sees it.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The lowest comes first; equal ones stand side by side.
    pub priority: u32,
    /// Allow or deny.
    pub allow: bool,
    /// What it names: surely, and perhaps.
    pub traffic: Span,
}

/// [`first_match`] over any list that is sorted by priority.
pub fn settle(lines: impl IntoIterator<Item = Line>) -> Span {
    let mut passed = Span::NONE;
    let (mut surely_denied, mut perhaps_denied) = (Set::EMPTY, Set::EMPTY);
    let mut lines = lines.into_iter().peekable();
    while let Some(first) = lines.next() {
        let priority = first.priority;
        if !first.allow && lines.peek().is_none_or(|next| next.priority != priority) {
            // The common case, one rule of this priority, needs no list.
            surely_denied = surely_denied.or(first.traffic.sure);
            perhaps_denied = perhaps_denied.or(first.traffic.may);
        } else {
            let mut group = vec![first];
            while let Some(next) = lines.next_if(|next| next.priority == priority) {
                group.push(next);
            }
            let denied = group.iter().filter(|line| !line.allow).fold(Span::NONE, |span, line| span.or(line.traffic));
            for line in group.iter().filter(|line| line.allow) {
                passed.may = passed.may.or(line.traffic.may.minus(surely_denied));
                passed.sure = passed.sure.or(line.traffic.sure.minus(perhaps_denied.or(denied.may)));
            }
            surely_denied = surely_denied.or(denied.sure);
            perhaps_denied = perhaps_denied.or(denied.may);
        }
        if passed.sure.or(surely_denied) == Set::ALL {
            break;
        }
    }
    passed
}

/// What the protocol and port fields of a rule name (NSG-07, NSG-08).
fn traffic(rule: &NsgRule, source_ports: SourcePorts) -> Span {
    let (dports, sports) = (rule.destination_ports.items(), rule.source_ports.items());
    let any_source = sports == [ANY_PORT];
    let boxes = |proto: Proto, sports: &[(u16, u16)]| {
        let mut set = Set::EMPTY;
        for dport in &dports {
            for sport in sports {
                set = set.or(Set::of(proto, *dport, *sport));
            }
        }
        set
    };
    let of = |proto: Proto| match source_ports {
        _ if any_source => Span::exactly(boxes(proto, &sports)),
        SourcePorts::Kept => Span::exactly(boxes(proto, &sports)),
        SourcePorts::Translated => Span { sure: Set::EMPTY, may: boxes(proto, &[ANY_PORT]) },
        SourcePorts::Ignored => Span::exactly(boxes(proto, &[ANY_PORT])),
    };
    let whole = |proto: Proto| Span::exactly(Set::of_proto(proto));
    match rule.protocol {
        Protocol::Tcp => of(Proto::Tcp),
        Protocol::Udp => of(Proto::Udp),
        Protocol::Icmp => whole(Proto::Icmp),
        Protocol::Esp => whole(Proto::Esp),
        Protocol::Ah => whole(Proto::Ah),
        Protocol::Any => {
            let portless = whole(Proto::Icmp).or(whole(Proto::Esp)).or(whole(Proto::Ah));
            let any_port = dports == [ANY_PORT] && any_source;
            of(Proto::Tcp).or(of(Proto::Udp)).or(if any_port { portless } else { portless.doubted() })
        }
    }
}
