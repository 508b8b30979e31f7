//! What an Azure Firewall lets through and where it translates: three passes over the rules of a policy and its parents (AFW-01 to AFW-09).
//!
//! The rules are compiled once a firewall; a packet is then matched rule by rule, three-valued, and the first match of a pass decides.

use std::net::IpAddr;

use crate::facts::Index;
use crate::facts::azure_firewall::*;
use crate::facts::network::{Access, Protocol};
use crate::facts::platform::Platform;
use crate::facts::selector::{PortList, Selector, UNKNOWN_TAG};
use crate::model::traffic::ANY_PORT;
use crate::model::{Prefix, Proto, Set, Span, Sym, Tri, net};
use crate::rules::filter::{Line, settle};
use crate::rules::route::Context;
use crate::rules::tag::{Party, Place, names, some_public_within};

/// What the sender of a packet calls its destination: the host name that a firewall reads in the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// Only the address is known.
    #[default]
    Unknown,
    /// This host, in lower case.
    Host(Sym),
    /// A host of the sender's own choice directly below this suffix, and none that anybody else has (X-10).
    Under(Sym),
}

/// What a name in a rule leads to when the firewall asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The addresses that are known.
    pub addresses: Vec<IpAddr>,
    /// Whether these are all, or may be none.
    pub certain: bool,
    /// Whether it leads to public addresses that nobody lists.
    pub public: bool,
}

/// A name that a rule compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// What it is.
    pub what: FirewallNameKind,
    /// The pattern, in lower case.
    pub pattern: Sym,
    /// What it leads to, in a network rule.
    pub held: Held,
}

/// One rule, ready to be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The pass that looks at it.
    pub pass: FirewallPass,
    /// The place of its collection among all of them; equal places stand side by side.
    pub order: u32,
    /// Its id.
    pub id: Sym,
    /// The resource whose body it stands in.
    pub source: Sym,
    /// Group, collection and rule, as a person names them.
    pub path: String,
    /// Allow or deny; translating is allowing.
    pub allow: bool,
    /// Whether it comes from a parent policy.
    pub inherited: bool,
    /// The addresses it names on both sides.
    pub sources: Vec<Selector>,
    /// As above.
    pub destinations: Vec<Selector>,
    /// The names it compares.
    pub names: Vec<Name>,
    /// The traffic its protocols and ports name.
    pub traffic: Span,
    /// An IP group that it names and that is not in the input; else empty.
    pub missing: Sym,
    /// Where it sends what it matches.
    pub translation: Option<FirewallTranslation>,
}

/// To whom a NAT rule sends what it matches (AFW-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whoever has the address.
    Address(IpAddr),
    /// Whoever the name leads to.
    Name(Sym),
    /// The input does not tell it.
    Untold,
}

impl Target {
    /// That of a translation.
    pub fn of(translation: &FirewallTranslation) -> Target {
        match (translation.address, translation.fqdn) {
            (Some(address), _) => Target::Address(address),
            (None, Sym::EMPTY) => Target::Untold,
            (None, name) => Target::Name(name),
        }
    }
}

/// A firewall, ready to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firewall {
    /// Its id.
    pub firewall: Sym,
    /// In the order it looks at them: pass, parents before children, priorities of groups, of collections, place in the list (AFW-02, AFW-03).
    pub rules: Vec<Rule>,
    /// The policies and groups it needs and that are not in the input.
    pub missing: Vec<Sym>,
    /// The policy, or the firewall itself, that drops what is recognised by its content or reputation (AFW-09), and by what.
    pub inspection: Option<(Sym, FirewallInspector)>,
    /// Destinations to which a network rule keeps the source (AFW-08).
    kept: Vec<Prefix>,
    /// The same as a parent policy says it, where the policy itself says nothing.
    kept_by_parent: Option<Vec<Prefix>>,
    /// Whether more of these are learned.
    learns: bool,
}

/// What a firewall sees of a packet.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The source.
    pub source: Party<'a>,
    /// The destination.
    pub destination: Party<'a>,
    /// What the sender calls the destination.
    pub name: Named,
    /// The firewall's own network.
    pub context: &'a Context,
    /// What is true of Azure.
    pub platform: &'a Platform,
}

/// What one rule does to the packets between two ends.
#[derive(Clone, Copy, Debug)]
pub struct Met<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The traffic it names there.
    pub traffic: Span,
}

/// The policies of a firewall from its own up to the topmost; without one none.
fn chain(index: &Index, own: Sym) -> (Vec<Sym>, Vec<Sym>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let mut policy = own;
    while !policy.is_empty() && !found.contains(&policy) {
        let Some(row) = index.firewall_policy.one(policy) else {
            missing.push(policy);
            break;
        };
        found.push(policy);
        policy = row.base;
    }
    (found, missing)
}

/// How far up the policy of a collection stands, then the numbers of its group and of itself: the topmost policy comes first (AFW-03).
type Rank = (std::cmp::Reverse<usize>, u32, u32);

/// The child type that holds the rules of a policy.
const GROUPS: &str = "microsoft.network/firewallpolicies/rulecollectiongroups";

/// The rule collection groups of a policy, and what of them is not in the input (AFW-01).
fn groups(index: &Index, policy: Sym) -> (Vec<FirewallGroup>, Vec<Sym>) {
    let mut ids: Vec<Sym> = index.firewall_policy_groups.get(policy).iter().map(|row| row.group).collect();
    ids.extend(index.firewall_groups.get(policy).iter().map(|row| row.group));
    Sym::sort(&mut ids);
    ids.dedup();
    let missing = ids.iter().copied().filter(|id| !index.firewall_group.has(*id));
    let mut missing: Vec<Sym> = missing.collect();
    let listed = index.firewall_policy.one(policy).is_some_and(|row| row.listed);
    let kind = Sym::new(GROUPS);
    if !listed && index.firewall_group.is_empty() && !index.complete_type.has(kind) {
        missing.push(policy); // no list, and no group anywhere: nobody exported them
    }
    (ids.iter().filter_map(|id| index.firewall_group.one(*id)).copied().collect(), missing)
}

impl Firewall {
    /// Compiles the rules of a firewall. `resolve` says what a name leads to when the firewall asks for it.
    ///
    /// ```datalog
    /// below(P, Q) :- firewall_policy(P, Q, _), firewall_policy(Q, _, _).                                   // azure_firewall.1
    /// looks_at(F, C) :- azure_firewall(F, _, P, _), firewall_group(G, P, _), firewall_collection(C, G, _, _).      // azure_firewall.2
    /// looks_at(F, C) :- azure_firewall(F, _, P, _), below(P, Q), firewall_group(G, Q, _), firewall_collection(C, G, _, _). // azure_firewall.3
    /// looks_at(F, C) :- firewall_collection(C, F, _, _), azure_firewall(F, _, "", _).                      // azure_firewall.4
    /// ```
    pub fn new(index: &Index, firewall: Sym, resolve: &dyn Fn(&str) -> Held) -> Firewall {
        let own = index.azure_firewall.one(firewall).map_or(Sym::EMPTY, |row| row.policy);
        let mut out = Firewall { firewall, ..Firewall::default() };
        let (policies, missing) = chain(index, own);
        out.missing = missing;
        // The place of each collection: how far up the policy stands, then the numbers.
        let mut places: Vec<(Rank, FirewallCollection, String)> = Vec::new();
        for (depth, policy) in policies.iter().enumerate() {
            let (groups, missing) = groups(index, *policy);
            out.missing.extend(missing);
            for group in groups {
                let prefix = format!("{}/", last(group.group));
                let collections = index.firewall_collections.get(group.group).iter();
                places.extend(collections.map(|c| ((std::cmp::Reverse(depth), group.priority, c.priority), *c, prefix.clone())));
            }
        }
        if own.is_empty() {
            let collections = index.firewall_collections.get(firewall).iter();
            places.extend(collections.map(|c| ((std::cmp::Reverse(0), 0, c.priority), *c, String::new())));
        }
        places.sort_by(|a, b| (a.0, a.1.collection.as_str(), a.1.action).cmp(&(b.0, b.1.collection.as_str(), b.1.action)));
        let mut order = 0;
        for (n, (place, collection, prefix)) in places.iter().enumerate() {
            order += u32::from(n > 0 && places[n - 1].0 != *place);
            let inherited = place.0.0 > 0;
            // A collection of which nobody knows what it does, or what it comes before, stands here with both actions.
            let same = index.firewall_collections.get(collection.owner).iter().filter(|other| other.collection == collection.collection);
            let unsure = same.count() > 1;
            for row in index.firewall_rules.get(collection.collection) {
                let translates = row.pass == FirewallPass::Nat;
                if translates && unsure && collection.action == Access::Deny {
                    continue; // the other one says it
                }
                let path = format!("{prefix}{}/{}", last(collection.collection), last(row.rule));
                let mut rule = compile(index, row, resolve);
                rule.order = order;
                rule.source = collection.owner;
                rule.path = path;
                rule.allow = collection.action == Access::Allow;
                rule.inherited = inherited;
                if translates && unsure {
                    rule.traffic = rule.traffic.doubted();
                }
                out.rules.push(rule);
            }
        }
        let position = |rule: &Rule| index.firewall_rule.one(rule.id).map_or(0, |row| row.position);
        out.rules.sort_by(|a, b| (a.pass, a.order, position(a), a.id.as_str()).cmp(&(b.pass, b.order, position(b), b.id.as_str())));
        let owners = if own.is_empty() { vec![firewall] } else { policies };
        // A child policy can only be stricter than its parent.
        let inspections = owners.iter().flat_map(|owner| index.firewall_inspections.get(*owner));
        out.inspection = inspections.map(|row| (row.owner, row.what)).min_by_key(|(owner, what)| (owner.as_str(), *what));
        let ranges = |owner: Sym| index.firewall_private_ranges.get(owner).iter().map(|row| row.prefix).collect::<Vec<Prefix>>();
        let mut stated = owners.iter().map(|owner| ranges(*owner));
        out.kept = stated.next().unwrap_or_default();
        if out.kept.is_empty() {
            out.kept_by_parent = stated.find(|ranges| !ranges.is_empty());
            out.kept = DEFAULT_RANGES.iter().filter_map(|text| net::parse_prefix(text)).collect();
        }
        out.learns = owners.iter().any(|owner| index.firewall_learns_ranges.has(*owner));
        out
    }

    /// Whether what a network rule lets through to `place` keeps its source (AFW-08).
    pub fn keeps_source(&self, place: Place<'_>, platform: &Platform) -> Tri {
        let within = |prefixes: &[Prefix]| {
            let one = |prefix: &Prefix| match place {
                Place::At(ip) => Tri::from_bool(prefix.contains(&ip)),
                Place::In(block) => Tri::from_bool(prefix.contains(block)),
                Place::Service(class) => class.within(prefix, platform),
                Place::SomePublic => some_public_within(prefix),
                Place::Part(ip, _) => Tri::from_bool(prefix.contains(&ip)),
            };
            prefixes.iter().map(one).max().unwrap_or(Tri::No)
        };
        let kept = within(&self.kept);
        match &self.kept_by_parent {
            Some(parent) if within(parent) != kept => Tri::Maybe,
            _ if self.learns => kept.max(Tri::Maybe),
            _ => kept,
        }
    }

    /// The rules of a pass that may name the packets, in order.
    pub fn met<'a>(&'a self, pass: FirewallPass, seen: &Seen<'_>) -> Vec<Met<'a>> {
        let rules = self.rules.iter().filter(|rule| rule.pass == pass);
        let met = rules.map(|rule| match rule.names_packets(seen) {
            Tri::No => Met { rule, traffic: Span::NONE },
            Tri::Maybe => Met { rule, traffic: rule.traffic.doubted() },
            Tri::Yes => Met { rule, traffic: rule.traffic },
        });
        met.filter(|met| !met.traffic.may.is_empty()).collect()
    }

    /// The NAT rules that take packets for one of the firewall's own addresses, with what each of them takes: the first in the list that matches does
    /// (AFW-06). Whether those of a parent policy count is not settled.
    pub fn translations<'a>(&'a self, seen: &Seen<'_>) -> Vec<Met<'a>> {
        let mut out = Vec::new();
        let mut before = Span::NONE;
        for mut met in self.met(FirewallPass::Nat, seen) {
            if met.rule.inherited {
                met.traffic = met.traffic.doubted();
            }
            let whole = met.traffic;
            met.traffic = Span { sure: whole.sure.minus(before.may), may: whole.may.minus(before.sure) };
            before = before.or(whole);
            if !met.traffic.may.is_empty() {
                out.push(met);
            }
        }
        out
    }
}

/// Private ranges where nobody states others (AFW-08).
const DEFAULT_RANGES: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/// What the network pass and, behind it, the application pass let through (AFW-02): the second sees only what no rule of the first matched.
///
/// ```datalog
/// .decl network_match(firewall: symbol, traffic: symbol, collection: symbol, priority: number)
/// .decl application_match(firewall: symbol, traffic: symbol, collection: symbol, priority: number)
/// taken(F, K)  :- network_match(F, K, _, _).
/// passes(F, K) :- network_match(F, K, C, P), firewall_collection(C, _, _, "allow"), !beaten(F, K, P).           // azure_firewall.5
/// passes(F, K) :- application_match(F, K, C, P), !taken(F, K), firewall_collection(C, _, _, "allow"), !beaten(F, K, P). // azure_firewall.6
/// ```
pub fn passes(network: &[Met<'_>], application: &[Met<'_>]) -> (Span, Span) {
    let taken = network.iter().fold(Span::NONE, |span, met| span.or(met.traffic));
    let left = Span { sure: Set::ALL.minus(taken.may), may: Set::ALL.minus(taken.sure) };
    (first_match(network, true), first_match(application, true).and(left))
}

/// What the first match allows, or with `allow` false denies.
pub fn first_match(met: &[Met<'_>], allow: bool) -> Span {
    settle(met.iter().map(|met| Line { priority: met.rule.order, allow: met.rule.allow == allow, traffic: met.traffic }))
}

/// The rule that settles the asked traffic: the first that allows it where it surely passes, that denies it where it does not; else the first that
/// leaves it open.
pub fn deciding<'a>(met: &[Met<'a>], span: Span, asked: Set) -> Option<&'a Rule> {
    let names = |met: &&Met<'_>| met.traffic.may.meets(asked);
    let found = if asked.within(span.sure) {
        met.iter().find(|met| met.rule.allow && met.traffic.sure.meets(asked))
    } else if !asked.meets(span.may) {
        met.iter().filter(names).find(|met| !met.rule.allow)
    } else {
        met.iter().filter(names).find(|met| !asked.within(met.traffic.sure)).or_else(|| met.iter().find(names))
    };
    found.map(|met| met.rule)
}

impl Rule {
    /// Whether its address and name fields name the packets (AFW-04, AFW-05).
    fn names_packets(&self, seen: &Seen<'_>) -> Tri {
        let side = |selectors: &[Selector], party: Party<'_>| {
            selectors.iter().map(|selector| names(*selector, party, seen.context, seen.platform)).max().unwrap_or(Tri::No)
        };
        let source = side(&self.sources, seen.source);
        if !source.hi() {
            return Tri::No;
        }
        let address = side(&self.destinations, seen.destination);
        let named = |compare: &dyn Fn(&Name) -> Tri| self.names.iter().map(compare).max().unwrap_or(Tri::No);
        let destination = match self.pass {
            // Whether addresses beside the names of an application rule narrow it is not settled.
            FirewallPass::Application => named(&|name| name.called(seen.name)).min(address.max(Tri::Maybe)),
            FirewallPass::Network | FirewallPass::Nat => address.or(named(&|name| name.held_at(seen.destination.place))),
        };
        // A field that nobody could read may name anything.
        let unread = self.names.is_empty() && self.pass == FirewallPass::Application;
        source.and(if unread { destination.max(Tri::Maybe) } else { destination })
    }
}

impl Name {
    /// Whether an application rule with this name matches a request for `name`.
    fn called(&self, name: Named) -> Tri {
        let Some(pattern) = called_host(self.what, self.pattern) else { return Tri::Maybe };
        let matches = match name {
            Named::Unknown => Tri::Maybe,
            Named::Host(host) => Tri::from_bool(glob(pattern, host.as_str())),
            Named::Under(suffix) => glob_below(pattern, suffix.as_str()),
        };
        if self.what == FirewallNameKind::Url { matches.min(Tri::Maybe) } else { matches }
    }

    /// Whether a network rule with this name matches a packet to `place`: known private addresses are compared, public ones are open (AFW-04).
    fn held_at(&self, place: Place<'_>) -> Tri {
        let held = &self.held;
        let open = Tri::from_bool(held.public || !held.certain).min(Tri::Maybe);
        match place {
            Place::At(ip) if held.addresses.contains(&ip) => {
                if held.certain {
                    Tri::Yes
                } else {
                    Tri::Maybe
                }
            }
            Place::At(ip) if !net::is_public(ip) => Tri::from_bool(!held.certain).min(Tri::Maybe),
            Place::In(block) if !net::overlaps_public(block) && held.certain && held.addresses.is_empty() => Tri::No,
            Place::In(_) => Tri::Maybe,
            Place::At(_) | Place::Service(_) | Place::SomePublic | Place::Part(..) => open,
        }
    }
}

/// The hosts that a name of an application rule describes, `*` for any characters; `None` where it lists them by what they are.
pub fn called_host(what: FirewallNameKind, pattern: Sym) -> Option<&'static str> {
    let pattern = pattern.as_str();
    match what {
        FirewallNameKind::FqdnTag | FirewallNameKind::WebCategory => None,
        FirewallNameKind::Url => pattern.split_once("://").map_or(pattern, |(_, rest)| rest).split(['/', ':']).next(),
        FirewallNameKind::Fqdn => Some(pattern),
    }
}

/// Whether a name of an application rule may describe the host.
pub fn names_host(what: FirewallNameKind, pattern: Sym, host: &str) -> bool {
    called_host(what, pattern).is_none_or(|pattern| glob(pattern, host))
}

/// Whether `text` is what `pattern` describes; `*` stands for any characters.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => {
            let Some(text) = text.strip_prefix(before) else { return false };
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| glob(rest, &text[at..]))
        }
    }
}

/// Whether `pattern` describes a host that a stranger has directly below `suffix`: surely where it describes all of them.
fn glob_below(pattern: &str, suffix: &str) -> Tri {
    let below = format!(".{suffix}");
    let Some((_, tail)) = pattern.rsplit_once('*') else { return Tri::No };
    if below.ends_with(tail) && pattern.len() == tail.len() + 1 {
        Tri::Yes
    } else if below.ends_with(tail) || tail.ends_with(&below) {
        Tri::Maybe
    } else {
        Tri::No
    }
}

fn compile(index: &Index, row: &FirewallRule, resolve: &dyn Fn(&str) -> Held) -> Rule {
    let mut missing = Sym::EMPTY;
    let mut side = |list: Vec<Selector>, side: FirewallSide| {
        let mut selectors: Vec<Selector> = list.into_iter().map(known_tag).collect();
        for named in index.firewall_rule_ip_groups.get(row.rule).iter().filter(|named| named.side == side) {
            if index.ip_group.has(named.group) {
                selectors.extend(index.ip_group_prefixes.get(named.group).iter().map(|row| Selector::Prefix(row.prefix)));
            } else {
                selectors.push(Selector::Tag(Sym::new(UNKNOWN_TAG)));
                missing = [missing, named.group].into_iter().max_by_key(|id| id.as_str()).unwrap_or_default();
            }
        }
        selectors
    };
    let sources = side(row.sources.items(), FirewallSide::Source);
    let destinations = side(row.destinations.items(), FirewallSide::Destination);
    let mut names: Vec<Name> = index
        .firewall_rule_names
        .get(row.rule)
        .iter()
        .map(|name| {
            let held = if row.pass == FirewallPass::Application { Held::default() } else { resolve(name.name.as_str()) };
            Name { what: name.what, pattern: name.name, held }
        })
        .collect();
    names.sort_by_key(|name| (name.what, name.pattern.as_str()));
    let rows = index.firewall_rule_traffic.get(row.rule).iter();
    let untold = FirewallTranslation { rule: row.rule, address: None, fqdn: Sym::EMPTY, port: None };
    Rule {
        pass: row.pass,
        order: 0,
        id: row.rule,
        source: Sym::EMPTY,
        path: String::new(),
        allow: false,
        inherited: false,
        sources,
        destinations,
        names,
        traffic: rows.fold(Span::NONE, |span, row| span.or(traffic(row.protocol, row.ports))),
        missing,
        translation: (row.pass == FirewallPass::Nat).then(|| index.firewall_translation.one(row.rule).copied().unwrap_or(untold)),
    }
}

/// Tags that mean something on a subnet only are none that a firewall knows: nobody can tell what they name there.
fn known_tag(selector: Selector) -> Selector {
    match selector {
        Selector::Tag(tag) if ["virtualnetwork", "internet", "azureloadbalancer"].contains(&tag.as_str()) => {
            Selector::Tag(Sym::new(UNKNOWN_TAG))
        }
        other => other,
    }
}

/// What one protocol with its ports names (AFW-04): ICMP has none, `Any` with ports is TCP and UDP.
fn traffic(protocol: Protocol, ports: PortList) -> Span {
    let ports = ports.items();
    let of = |proto: Proto| Span::exactly(ports.iter().fold(Set::EMPTY, |set, range| set.or(Set::of(proto, *range, ANY_PORT))));
    let whole = |proto: Proto| Span::exactly(Set::of_proto(proto));
    match protocol {
        Protocol::Tcp => of(Proto::Tcp),
        Protocol::Udp => of(Proto::Udp),
        Protocol::Icmp => whole(Proto::Icmp),
        Protocol::Esp => whole(Proto::Esp),
        Protocol::Ah => whole(Proto::Ah),
        Protocol::Any if ports == [ANY_PORT] => {
            let rest = whole(Proto::Esp).or(whole(Proto::Ah)).doubted();
            Span::exactly(Set::tcp_udp()).or(whole(Proto::Icmp)).or(rest)
        }
        Protocol::Any => of(Proto::Tcp).or(of(Proto::Udp)),
    }
}

fn last(id: Sym) -> &'static str {
    id.as_str().rsplit('/').next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// covers: AFW-05
    #[test]
    fn a_pattern_describes_hosts_and_what_a_stranger_may_own() {
        assert!(glob("*.blob.core.windows.net", "a1.blob.core.windows.net"));
        assert!(!glob("*.example.com", "example.com") && glob("*", "anything") && glob("a*c*e", "abcde") && !glob("a*c", "abd"));
        let storage = "blob.core.windows.net";
        assert_eq!(glob_below("*", storage), Tri::Yes);
        assert_eq!(glob_below("*.windows.net", storage), Tri::Yes);
        assert_eq!(glob_below("corp*.blob.core.windows.net", storage), Tri::Maybe);
        assert_eq!(glob_below("corp.blob.core.windows.net", storage), Tri::No);
        assert_eq!(glob_below("*.file.core.windows.net", storage), Tri::No);
        assert_eq!(glob_below("*x.blob.core.windows.net", storage), Tri::Maybe);
    }

    /// covers: AFW-04
    #[test]
    fn any_protocol_with_ports_is_tcp_and_udp() {
        let some = traffic(Protocol::Any, PortList::new([(53, 53)]));
        assert_eq!(some, Span::exactly(Set::of(Proto::Tcp, (53, 53), ANY_PORT).or(Set::of(Proto::Udp, (53, 53), ANY_PORT))));
        let every = traffic(Protocol::Any, PortList::any());
        assert!(Set::of_proto(Proto::Icmp).within(every.sure));
        assert!(!Set::of_proto(Proto::Esp).meets(every.sure) && Set::of_proto(Proto::Esp).within(every.may));
        assert_eq!(traffic(Protocol::Icmp, PortList::new([(53, 53)])), Span::exactly(Set::of_proto(Proto::Icmp)));
    }
}
