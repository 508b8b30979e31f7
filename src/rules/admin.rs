//! Security admin rules of network managers: which count on a subnet, and what they decide before the security groups (AVN-01 to AVN-11).

use crate::facts::manager::{AdminAccess, AdminRule, IntentServices};
use crate::facts::network::{Access, Direction, NsgRule};
use crate::facts::platform::Platform;
use crate::facts::selector::Selector;
use crate::model::{Prefix, Set, Span, Sym, Tri};
use crate::rules::filter::{Met, Rule, SourcePorts};
use crate::rules::route::Context;
use crate::rules::tag::Party;

/// What counts as one manager's word on a subnet.
#[derive(Clone, Debug)]
pub struct Collection {
    /// How high the scope of its manager is: the lowest number comes first (AVN-06).
    pub level: u16,
    /// Its manager.
    pub manager: Sym,
    /// Whether its rules are in force on the subnet.
    pub sure: Tri,
    /// Which of its rules count beside services that bring their own; `None` where no such service is in the network (AVN-07).
    pub intent: Option<IntentServices>,
    /// Its rules.
    pub rules: Vec<Worded>,
}

/// A rule, with the prefixes of the network groups that its two fields name, each with whether it surely belongs.
#[derive(Clone, Debug)]
pub struct Worded {
    /// The rule.
    pub rule: AdminRule,
    /// Of the source field.
    pub sources: Vec<(Prefix, Tri)>,
    /// Of the destination field.
    pub destinations: Vec<(Prefix, Tri)>,
}

/// A rule, ready to be matched.
#[derive(Clone, Debug)]
struct Compiled {
    level: u16,
    access: AdminAccess,
    /// Whether it counts.
    sure: Tri,
    rule: Rule,
    /// Prefixes of groups that perhaps belong, on the own and on the remote side.
    perhaps: (Vec<Prefix>, Vec<Prefix>),
}

/// The admin rules of one direction on a subnet, in the order they are asked.
#[derive(Clone, Debug, Default)]
pub struct AdminProgram {
    rules: Vec<Compiled>,
    /// A configuration in force whose rules are not in the input.
    pub missing: Sym,
}

/// What admin rules do to the packets between two ends (AVN-04).
#[derive(Clone, Debug)]
pub struct Said {
    /// What gets past the denials.
    pub passed: Span,
    /// What no security group is asked about.
    pub always: Span,
    /// The first rule that names the asked traffic: its id and priority, and its word.
    pub deciding: Option<(Sym, u32, AdminAccess)>,
}

impl AdminProgram {
    /// Compiles the collections that count on a subnet.
    pub fn new(collections: &[Collection], direction: Direction, missing: Sym) -> AdminProgram {
        let mut rules = Vec::new();
        // Of several managers with scopes of one height nobody knows which is asked first.
        let rivals = |level: u16, manager: Sym| collections.iter().any(|other| other.level == level && other.manager != manager);
        for collection in collections {
            let contested = rivals(collection.level, collection.manager);
            for Worded { rule: row, sources, destinations } in collection.rules.iter().filter(|worded| worded.rule.direction == direction) {
                let counts = match (collection.intent, row.access) {
                    (None | Some(IntentServices::All), _) => Tri::Yes,
                    (Some(IntentServices::AllowRulesOnly), AdminAccess::Allow | AdminAccess::AlwaysAllow) => Tri::Yes,
                    (Some(IntentServices::AllowRulesOnly), AdminAccess::Deny) | (Some(IntentServices::None), _) => Tri::No,
                    (Some(_), _) => Tri::Maybe,
                };
                let sure = collection.sure.and(counts).and(if contested { Tri::Maybe } else { Tri::Yes });
                if !sure.hi() {
                    continue;
                }
                let mut rule = Rule::new(&as_filter(row));
                let known = |named: &[(Prefix, Tri)]| {
                    named.iter().filter(|(_, sure)| sure.lo()).map(|(prefix, _)| Selector::Prefix(*prefix)).collect::<Vec<_>>()
                };
                let doubted =
                    |named: &[(Prefix, Tri)]| named.iter().filter(|(_, sure)| !sure.lo()).map(|(prefix, _)| *prefix).collect::<Vec<_>>();
                let (own, remote) = match direction {
                    Direction::Inbound => (destinations, sources),
                    Direction::Outbound => (sources, destinations),
                };
                rule.own.extend(known(own));
                rule.remote.extend(known(remote));
                let perhaps = (doubted(own), doubted(remote));
                rules.push(Compiled { level: collection.level, access: row.access, sure, rule, perhaps });
            }
        }
        rules.sort_by(|a, b| {
            let key = |c: &Compiled| (c.level, c.rule.priority, c.rule.id.as_str(), c.access);
            key(a).cmp(&key(b))
        });
        AdminProgram { rules, missing }
    }

    /// Whether no rule can decide anything.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.missing.is_empty()
    }

    /// Every prefix that a rule compares addresses with, and every service tag.
    pub fn compared(&self, prefixes: &mut Vec<Prefix>, tags: &mut Vec<Sym>) {
        for compiled in &self.rules {
            prefixes.extend(compiled.perhaps.0.iter().chain(&compiled.perhaps.1));
            for selector in compiled.rule.own.iter().chain(&compiled.rule.remote) {
                match selector {
                    Selector::Prefix(prefix) => prefixes.push(*prefix),
                    Selector::Tag(tag) => tags.push(*tag),
                    Selector::Any | Selector::Asg(_) => {}
                }
            }
        }
    }

    /// What the rules do to packets between `own` and `remote`: the first match decides (AVN-04); several of one priority stand side by side
    /// (AVN-06, CNV-04).
    ///
    /// ```datalog
    /// .decl admin_names(network: symbol, flow: symbol, rule: symbol, priority: number, word: symbol)
    /// outranked(V, F, P) :- admin_names(V, F, _, P, _), admin_names(V, F, _, Q, _), Q < P.
    /// refused(V, F)      :- admin_names(V, F, _, P, "deny"), !outranked(V, F, P).           // admin.1
    /// ```
    pub fn ask(&self, own: Party<'_>, remote: Party<'_>, ports: SourcePorts, context: &Context, platform: &Platform, asked: Set) -> Said {
        let (mut deny, mut always) = (Span::NONE, Span::NONE);
        let mut deciding = None;
        let (mut settled, mut touched) = (Set::EMPTY, Set::EMPTY);
        let mut from = 0;
        while let Some(first) = self.rules.get(from) {
            let same = |c: &Compiled| (c.level, c.rule.priority) == (first.level, first.rule.priority);
            let to = from + self.rules[from..].iter().take_while(|c| same(c)).count();
            let met: Vec<(AdminAccess, Span, &Rule)> = self.rules[from..to]
                .iter()
                .filter_map(|c| c.names(own, remote, ports, context, platform).map(|span| (c.access, span, &c.rule)))
                .collect();
            for (access, span, rule) in &met {
                if deciding.is_none() && span.may.minus(settled).meets(asked) {
                    deciding = Some((rule.id, rule.priority, *access));
                }
                // Another rule of the same priority may come first, if it says something else.
                let rivals = met.iter().filter(|(other, _, _)| other != access).fold(Set::EMPTY, |set, (_, span, _)| set.or(span.may));
                let won = Span { sure: span.sure.minus(touched.or(rivals)), may: span.may.minus(settled) };
                match access {
                    AdminAccess::Deny => deny = deny.or(won),
                    AdminAccess::AlwaysAllow => always = always.or(won),
                    AdminAccess::Allow => {}
                    AdminAccess::Unknown => {
                        deny = deny.or(won.doubted());
                        always = always.or(won.doubted());
                    }
                }
            }
            for (_, span, _) in &met {
                settled = settled.or(span.sure);
                touched = touched.or(span.may);
            }
            from = to;
        }
        if !self.missing.is_empty() {
            // Rules that nobody can read may say anything, before or after the others.
            deny = Span { sure: Set::EMPTY, may: Set::ALL };
            always = Span { sure: Set::EMPTY, may: Set::ALL };
        }
        let passed = Span { sure: Set::ALL.minus(deny.may), may: Set::ALL.minus(deny.sure) };
        Said { passed, always, deciding }
    }
}

impl Compiled {
    /// The traffic that the rule names between two ends.
    fn names(&self, own: Party<'_>, remote: Party<'_>, ports: SourcePorts, context: &Context, platform: &Platform) -> Option<Span> {
        let mut wider = self.rule.clone();
        let sure = self.rule.met(own, remote, ports, context, platform).map(|met: Met<'_>| met.traffic);
        wider.own.extend(self.perhaps.0.iter().map(|prefix| Selector::Prefix(*prefix)));
        wider.remote.extend(self.perhaps.1.iter().map(|prefix| Selector::Prefix(*prefix)));
        let may = wider.met(own, remote, ports, context, platform).map(|met| met.traffic.may)?;
        let sure = sure.map_or(Set::EMPTY, |span| span.sure);
        Some(Span { sure: if self.sure.lo() { sure } else { Set::EMPTY }, may })
    }
}

/// The fields of an admin rule are those of a security rule (AVN-03).
fn as_filter(row: &AdminRule) -> NsgRule {
    NsgRule {
        rule: row.rule,
        nsg: row.collection,
        direction: row.direction,
        priority: row.priority,
        access: if row.access == AdminAccess::Deny { Access::Deny } else { Access::Allow },
        protocol: row.protocol,
        sources: row.sources,
        source_ports: row.source_ports,
        destinations: row.destinations,
        destination_ports: row.destination_ports,
    }
}
