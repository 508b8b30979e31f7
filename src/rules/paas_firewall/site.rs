//! The access restrictions of an app and of its deployment site.

use crate::facts::store_facts::PublicAccess;
use crate::model::net::{self, everything, public};
use crate::model::{Prefix, Sym, Tri};
use crate::rules::paas_firewall::{Decision, Firewall, Item, Listed, NO_MATCH, Origin, Source, as_public, same, settle};

/// The switch, which a private endpoint turns where nobody has set it; then the first rule that matches, else the default action (APP-01 … APP-07).
///
/// Rules for addresses never match what a service endpoint marks (FW-06, APP-06), rules for subnets only that. A rule with conditions on headers matches
/// perhaps. A list that is not in the input may hold anything (M-03), and so may one of which a rule could not be read.
///
/// ```datalog
/// ruled(S, P) :- store_rule_set(L, S, P, _, _, _), store_list_rule(_, L, _, _, _, _, _).
/// admits_at(S, P, "*") :- store_rule_set(_, S, P, _, "yes", _), !ruled(S, P), !closed(S).                        // site.1
/// ```
pub fn admit(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    let public = switch(access.public, firewall.rule_set.map_or(PublicAccess::Unset, |set| set.public));
    let (public, closed) = match public {
        PublicAccess::Unset => (PublicAccess::Enabled, firewall.connected),
        other => (other, Tri::No),
    };
    let matched = match firewall.rule_set {
        Some(set) => by_list(firewall, set.default_allow, &as_public(source)),
        None if firewall.rule_set_complete => Decision { admitted: Tri::Yes, item: Item::Default(Tri::Yes) },
        None => Decision { admitted: Tri::Maybe, item: Item::Missing { list: firewall.lists.set } },
    };
    let matched = match (firewall.unread.any(), matched.admitted) {
        (true, Tri::Yes | Tri::No) => Decision { admitted: Tri::Maybe, item: Item::Unread },
        _ => matched,
    };
    let matched = match closed {
        Tri::Yes => Decision { admitted: Tri::No, item: Item::PrivateEndpoint },
        Tri::Maybe if matched.admitted.hi() => Decision { admitted: Tri::Maybe, item: Item::PrivateEndpoint },
        _ => matched,
    };
    match settle(NO_MATCH, public, Tri::No, matched) {
        // A rule that denies decides too.
        Decision { admitted: Tri::No, item: Item::Default(_) } => matched,
        decision => decision,
    }
}

/// One switch on two objects: the configuration repeats what stands on the app.
fn switch(app: PublicAccess, config: PublicAccess) -> PublicAccess {
    match (app, config) {
        (one, PublicAccess::Unset) | (PublicAccess::Unset, one) => one,
        (one, other) if one == other => one,
        _ => PublicAccess::Unknown,
    }
}

fn by_list(firewall: &Firewall<'_>, default: Tri, source: &Source) -> Decision {
    match source {
        Source::ServiceEndpoint { subnet, tenant, .. } => by_subnet(firewall, default, *subnet, same(firewall, *tenant, *subnet)),
        Source::Public { addresses, certain, .. } => {
            let known = *certain && !addresses.is_empty();
            let space = if known { addresses.clone() } else { public(everything(Prefix::V4(ipnet::Ipv4Net::default()))) };
            let decision = walk(firewall, default, space).of_all();
            // An address that is not known may be of the other family.
            if !known && decision.admitted == Tri::No && walk(firewall, default, vec![public_v6()]).admits.hi() {
                return Decision { admitted: Tri::Maybe, ..decision };
            }
            decision
        }
        Source::AnyPublic { except, origin } => {
            let mut space = public(everything(Prefix::V4(ipnet::Ipv4Net::default())));
            space.push(public_v6());
            let walked = walk(firewall, default, net::subtract(&space, except));
            // Nobody chooses the address of a machine in Azure.
            if *origin == Origin::Azure { walked.of_all() } else { walked.of_any() }
        }
        Source::Caller { .. } | Source::SameRegionAzure => {
            walk(firewall, default, public(everything(Prefix::V4(ipnet::Ipv4Net::default())))).of_all()
        }
    }
}

/// The space of public IPv6 addresses.
fn public_v6() -> Prefix {
    "2000::/3".parse().expect("a literal prefix")
}

/// The first rule for the subnet, for any subnet or for everybody; `native` is whether it is of the app's tenant (SE-20).
fn by_subnet(firewall: &Firewall<'_>, default: Tri, subnet: Sym, native: Tri) -> Decision {
    let mut found = Walked::default();
    for rule in &firewall.listed {
        let names = rule.rule.subnet == subnet && !subnet.is_empty();
        let matches = match () {
            () if rule.any => Tri::Yes,
            () if names || rule.rule.subnet.as_str() == "*" => native,
            () => Tri::No,
        };
        let matches = if rule.rule.sure { matches } else { matches.and(Tri::Maybe) };
        if matches.hi() {
            found.note(rule.rule.allow, matches, item(rule));
        }
        if matches == Tri::Yes {
            return found.of_all();
        }
    }
    found.note_default(default);
    found.of_all()
}

fn item(rule: &Listed<'_>) -> Item {
    Item::Listed { rule: rule.rule.rule, allow: rule.rule.allow }
}

/// What became of the addresses that went through a list.
#[derive(Default)]
struct Walked {
    /// Whether some of them are admitted.
    admits: Tri,
    /// Whether some of them are refused.
    refuses: Tri,
    /// What admits the first of them.
    by: Option<(Tri, Item)>,
    /// What refuses the first of them.
    against: Option<Item>,
}

impl Walked {
    fn note(&mut self, allow: bool, sure: Tri, item: Item) {
        if allow {
            self.admits = self.admits.or(sure);
            if self.by.is_none_or(|(before, _)| sure > before) {
                self.by = Some((sure, item));
            }
        } else {
            self.refuses = self.refuses.or(sure);
            self.against.get_or_insert(item);
        }
    }

    fn note_default(&mut self, default: Tri) {
        if default.hi() {
            self.note(true, default, Item::Default(default));
        }
        if default != Tri::Yes {
            self.note(false, default.negated(), Item::Default(default));
        }
    }

    /// Any of the addresses may be the one: all must be admitted.
    fn of_all(&self) -> Decision {
        let admitted = match (self.admits, self.refuses) {
            (Tri::No, _) => Tri::No,
            (_, Tri::No) => Tri::Yes,
            _ => Tri::Maybe,
        };
        self.decision(admitted)
    }

    /// The sender chooses among the addresses: one must be admitted.
    fn of_any(&self) -> Decision {
        self.decision(self.admits)
    }

    fn decision(&self, admitted: Tri) -> Decision {
        let item = if admitted.hi() { self.by.map(|(_, item)| item) } else { self.against };
        Decision { admitted, item: item.unwrap_or(Item::Default(Tri::No)) }
    }
}

/// Sends the addresses of `space` down the list.
fn walk(firewall: &Firewall<'_>, default: Tri, space: Vec<Prefix>) -> Walked {
    let mut found = Walked::default();
    // What surely comes as far as the rule, and what possibly does.
    let (mut sure, mut may) = (space.clone(), space);
    for rule in &firewall.listed {
        let named = |space: &[Prefix]| if rule.any { space.to_vec() } else { meet(space, rule) };
        let possible = if rule.unknown { may.clone() } else { named(&may) };
        if possible.is_empty() {
            continue;
        }
        let meets = rule.rule.sure && !named(&sure).is_empty();
        found.note(rule.rule.allow, if meets { Tri::Yes } else { Tri::Maybe }, item(rule));
        sure = if rule.unknown { Vec::new() } else { net::subtract(&sure, &possible) };
        if rule.rule.sure {
            may = net::subtract(&may, &named(&may));
        }
    }
    if !may.is_empty() {
        let mut rest = Walked::default();
        rest.note_default(default);
        let reached = if sure.is_empty() { Tri::Maybe } else { Tri::Yes };
        if let Some((admits, item)) = rest.by {
            found.note(true, admits.and(reached), item);
        }
        if let Some(item) = rest.against {
            found.note(false, rest.refuses.and(reached), item);
        }
    }
    found
}

/// The addresses of `space` that the rule names by prefixes and known tags.
fn meet(space: &[Prefix], rule: &Listed<'_>) -> Vec<Prefix> {
    let named = rule.own.iter().chain(rule.prefixes.iter().copied().flatten());
    let mut found = Vec::new();
    for prefix in named {
        for part in space {
            if prefix.contains(part) {
                found.push(*part);
            } else if part.contains(prefix) {
                found.push(*prefix);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fixture::*;
    use super::super::{Decision, Firewall, Item, Listed, Origin, Source, Unread, admit};
    use crate::facts::store_facts::{PublicAccess, Service, StoreListRule, StoreRuleSet};
    use crate::model::{Sym, Tri, net};

    fn app(default_allow: Tri, rules: &[(bool, &str, bool)]) -> Firewall<'static> {
        let mut firewall = with(&store(Service::Web), |a| (a.public, a.default_allow) = (PublicAccess::Unset, Tri::Maybe));
        let store = firewall.store.store;
        let public = PublicAccess::Unset;
        firewall.rule_set = Some(StoreRuleSet { rule_set: "l".into(), store, part: "sites".into(), public, default_allow, trusted: false });
        firewall.listed = rules
            .iter()
            .enumerate()
            .map(|(at, (allow, source, sure))| {
                let prefix = net::parse_prefix(source);
                let subnet = if prefix.is_some() || *source == "any" || *source == "tag" { Sym::EMPTY } else { Sym::new(source) };
                let rule = StoreListRule {
                    rule: Sym::new(&format!("r{at}")),
                    rule_set: "l".into(),
                    position: at as u32,
                    allow: *allow,
                    source: crate::facts::selector::Selectors::any(),
                    subnet,
                    sure: *sure,
                };
                Listed { rule, any: *source == "any", own: prefix.into_iter().collect(), prefixes: vec![], unknown: *source == "tag" }
            })
            .collect();
        firewall
    }

    fn everybody(origin: Origin) -> Source {
        Source::AnyPublic { except: Arc::default(), origin }
    }

    // covers: APP-04, APP-05
    #[test]
    fn the_first_rule_that_matches_decides() {
        let rules = [(false, "198.51.100.0/24", true)];
        let refused = admit(&app(Tri::No, &rules), &internet("198.51.100.7"));
        assert_eq!(refused, Decision { admitted: Tri::No, item: Item::Listed { rule: "r0".into(), allow: false } });
        assert_eq!(admit(&app(Tri::No, &rules), &internet("192.0.2.9")).item, Item::Default(Tri::No));
        assert_eq!(admit(&app(Tri::Yes, &rules), &internet("192.0.2.9")).admitted, Tri::Yes);
        assert_eq!(admit(&app(Tri::Yes, &[]), &internet("192.0.2.9")).admitted, Tri::Yes);
        let ordered = [(true, "198.51.100.7", true), (false, "198.51.100.0/24", true), (true, "any", true)];
        let app = app(Tri::No, &ordered);
        for (source, admitted) in [("198.51.100.7", Tri::Yes), ("198.51.100.8", Tri::No), ("192.0.2.9", Tri::Yes)] {
            assert_eq!(admit(&app, &internet(source)).admitted, admitted, "{source}");
        }
        assert_eq!(admit(&app, &everybody(Origin::Internet)).admitted, Tri::Yes, "one address is enough");
        assert_eq!(admit(&app, &everybody(Origin::Azure)).admitted, Tri::Maybe, "nobody chooses his address there");
        assert_eq!(admit(&app, &Source::SameRegionAzure).admitted, Tri::Maybe);
    }

    // covers: APP-06
    #[test]
    fn rules_for_subnets_and_conditions() {
        let named = app(Tri::No, &[(true, "a", true)]);
        assert_eq!(admit(&named, &endpoint("a", "t1")).admitted, Tri::Yes);
        assert_eq!(admit(&named, &endpoint("a", "tx")).admitted, Tri::No);
        assert_eq!(admit(&named, &endpoint("b", "t1")).admitted, Tri::No);
        assert_eq!(admit(&named, &internet("192.0.2.9")).admitted, Tri::No);
        assert_eq!(admit(&app(Tri::No, &[(true, "*", true)]), &endpoint("b", "t1")).admitted, Tri::Yes, "of any network");
        assert_eq!(admit(&app(Tri::No, &[(true, "0.0.0.0/0", true)]), &endpoint("b", "t1")).admitted, Tri::No);
        let header = app(Tri::No, &[(true, "any", false)]);
        for source in [endpoint("b", "t1"), internet("192.0.2.9"), everybody(Origin::Internet)] {
            assert_eq!(admit(&header, &source).admitted, Tri::Maybe, "{source:?}");
        }
        let unless = app(Tri::Yes, &[(false, "192.0.2.0/24", false)]);
        assert_eq!(admit(&unless, &internet("192.0.2.9")).admitted, Tri::Maybe);
        assert_eq!(admit(&unless, &internet("198.51.100.7")).admitted, Tri::Yes);
        let tag = app(Tri::No, &[(true, "tag", true)]);
        assert_eq!(admit(&tag, &internet("192.0.2.9")).admitted, Tri::Maybe, "a tag that nobody knows");
        let closed = app(Tri::No, &[(false, "any", true), (true, "tag", true)]);
        assert_eq!(admit(&closed, &internet("192.0.2.9")).admitted, Tri::No);
    }

    // covers: APP-01, APP-03, FW-03
    #[test]
    fn an_unset_switch_is_the_private_endpoints() {
        let mut open = app(Tri::Yes, &[]);
        assert_eq!(admit(&open, &internet("192.0.2.9")).admitted, Tri::Yes);
        open.connected = Tri::Yes;
        assert_eq!(admit(&open, &internet("192.0.2.9")), Decision { admitted: Tri::No, item: Item::PrivateEndpoint });
        open.connected = Tri::Maybe;
        assert_eq!(admit(&open, &internet("192.0.2.9")).admitted, Tri::Maybe);
        let on = with(&open, |a| a.public = PublicAccess::Enabled);
        assert_eq!(admit(&on, &internet("192.0.2.9")).admitted, Tri::Yes);
        let mut two = on.clone();
        if let Some(set) = &mut two.rule_set {
            set.public = PublicAccess::Disabled;
        }
        assert_eq!(admit(&two, &internet("192.0.2.9")).admitted, Tri::Maybe, "the two objects disagree");
        let off = with(&open, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &endpoint("a", "t1")).item, Item::PublicAccess(PublicAccess::Disabled));
    }

    // covers: M-03, SND-02
    #[test]
    fn a_list_that_nobody_exported_or_read_may_say_anything() {
        let mut missing = app(Tri::Yes, &[]);
        missing.rule_set = None;
        assert_eq!(admit(&missing, &internet("192.0.2.9")).admitted, Tri::Yes);
        missing.rule_set_complete = false;
        assert_eq!(admit(&missing, &internet("192.0.2.9")).admitted, Tri::Maybe);
        for default in [Tri::Yes, Tri::No] {
            let mut unread = app(default, &[]);
            unread.unread = Unread::Any;
            assert_eq!(admit(&unread, &internet("192.0.2.9")).item, Item::Unread);
        }
    }
}
