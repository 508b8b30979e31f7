//! Forwarding rulesets: which names of a network are asked for elsewhere (DNS-08, DNS-18, DNS-19, DNS-23).

use crate::facts::dns::ForwardingRule;
use crate::model::{Sym, Tri};
use crate::rules::dns::names::under;
use crate::rules::dns::resolution::either;
use crate::rules::dns::server::{AZURE_RESOLVER, PORT};
use crate::rules::dns::{Answer, Context, Resolution, Resolver};

/// What the id of a ruleset holds.
const RULESETS: &str = "/microsoft.network/dnsforwardingrulesets/";

/// The child type that holds the rules of a ruleset.
const RULES: &str = "microsoft.network/dnsforwardingrulesets/forwardingrules";

/// The child type that links a ruleset to a network.
const LINKS: &str = "microsoft.network/dnsforwardingrulesets/virtualnetworklinks";

/// What the rulesets of a network say about a name.
#[derive(Default)]
struct Fitting {
    /// The rules for the longest suffix that has one surely in force, and those for longer ones.
    rules: Vec<ForwardingRule>,
    /// Whether one of them is surely in force.
    sure: bool,
    /// A ruleset that may hold other rules, or may not be linked.
    doubt: Option<Sym>,
}

impl Resolver<'_> {
    /// Past the linked zones: the longest rule, else the public name system.
    ///
    /// ```datalog
    /// forwards(V, D, S) :- ruleset_link(_, L, V, true), forwarding_rule(R, L, D, "yes"), forwarding_target(R, 0, S, _).  // ruleset.1
    /// ```
    pub(super) fn past_zones(&self, vnet: Sym, alias: bool, name: &str, depth: usize) -> Resolution {
        let fitting = self.fitting(vnet, name);
        let public = || self.public(Context::Azure { vnet, alias }, name, depth);
        let mut answers: Vec<Resolution> = fitting.rules.iter().map(|rule| self.forwarded(vnet, rule, name, depth)).collect();
        if let Some(ruleset) = fitting.doubt {
            answers.push(Resolution::new(Answer::Unknown, name, "a forwarding ruleset may send this name elsewhere").by(ruleset));
            answers.push(public());
            return either(name, answers, "the rules or links of a forwarding ruleset are not in the input");
        }
        if fitting.rules.is_empty() {
            return public();
        }
        if !fitting.sure {
            answers.push(public());
            return either(name, answers, "whether a forwarding rule for this name is in force is not in the input");
        }
        if alias {
            // Whether a rule sees a name that only a public alias led to is not documented (DNS-23).
            answers.push(public());
            return either(name, answers, "whether a forwarding rule applies to a name that only an alias leads to is not known");
        }
        either(name, answers, "forwarding rules for the same name send it to different servers")
    }

    /// What the first target of a rule answers, asked from the resolver that the rule belongs to (DNS-19, DNS-20).
    fn forwarded(&self, vnet: Sym, rule: &ForwardingRule, name: &str, depth: usize) -> Resolution {
        let unknown = |reason: &str| Resolution::new(Answer::Unknown, name, reason).by(rule.rule);
        let Some(target) = self.index.forwarding_targets.get(rule.rule).iter().min_by_key(|target| (target.position, target.server)) else {
            return unknown("the forwarding rule has no known target");
        };
        if target.server == AZURE_RESOLVER {
            return unknown("Azure's own resolver is no legal target of a forwarding rule");
        }
        if target.port != PORT {
            return unknown("the forwarding rule asks at another port than that of DNS");
        }
        let mut answer = self.ask(target.server, Some(vnet), name, depth + 1);
        if answer.decider.is_empty() {
            answer.decider = rule.rule;
        }
        answer
    }

    fn fitting(&self, vnet: Sym, name: &str) -> Fitting {
        let mut fitting = Fitting::default();
        let mut links: Vec<(Sym, bool)> =
            self.index.ruleset_links.get(vnet).iter().filter(|link| link.usable).map(|link| (link.ruleset, true)).collect();
        // One that does not say to which network it is may be to any.
        links.extend(self.index.ruleset_links.get(Sym::EMPTY).iter().filter(|link| link.usable).map(|link| (link.ruleset, false)));
        if !self.exported(LINKS) {
            // A ruleset whose links nobody exported may be linked here (M-03).
            links.extend(self.index.forwarding_ruleset.rows().map(|row| (row.ruleset, false)));
        }
        links.extend(self.rulesets_without_links().map(|ruleset| (ruleset, false)));
        links.sort_by_key(|(ruleset, sure)| (ruleset.as_str(), *sure));
        links.dedup();
        let reserved = self.platform.is_reserved(name);
        let applies = |rule: &ForwardingRule| match rule.domain.as_str() {
            "" => !reserved,
            domain => under(name, domain),
        };
        let mut found: Vec<(ForwardingRule, bool)> = Vec::new();
        for (ruleset, linked) in links {
            let rules = self.index.forwarding_rules.get(ruleset);
            let listed = match self.index.forwarding_ruleset.has(ruleset) {
                true => self.exported(RULES),
                false => self.index.complete_type.has(Sym::new(RULES)),
            };
            if rules.is_empty() && !listed || self.index.unread_rules.has(ruleset) {
                fitting.doubt.get_or_insert(ruleset);
            }
            let sure = linked && self.same_region(ruleset, vnet);
            found.extend(rules.iter().filter(|rule| rule.enabled != Tri::No && applies(rule)).map(|rule| (*rule, sure)));
        }
        // One that is only perhaps in force leaves the name to the next shorter one.
        let certain = |(rule, sure): &&(ForwardingRule, bool)| *sure && rule.enabled == Tri::Yes;
        let longest = found.iter().filter(certain).map(|(rule, _)| rule.domain.as_str().len()).max();
        found.retain(|(rule, _)| longest.is_none_or(|longest| rule.domain.as_str().len() >= longest));
        found.sort_by_key(|(rule, _)| rule.rule.as_str());
        found.dedup();
        fitting.sure = longest.is_some();
        fitting.rules = found.into_iter().map(|(rule, _)| rule).collect();
        fitting.rules.dedup();
        fitting
    }

    /// Rulesets that only their rules tell of: links of others say nothing of theirs.
    fn rulesets_without_links(&self) -> impl Iterator<Item = Sym> {
        let index = self.index;
        let unread = index.unread_rules.keys().filter(|holder| holder.as_str().contains(RULESETS));
        let known = |ruleset: Sym| index.forwarding_ruleset.has(ruleset) || index.ruleset_links_by_ruleset.has(ruleset);
        let complete = index.complete_type.has(Sym::new(LINKS));
        index.forwarding_rules.keys().chain(unread).filter(move |ruleset| !complete && !known(*ruleset))
    }

    /// Whether rows of a child type were exported: then one that is missing does not exist (decision 8).
    fn exported(&self, kind: &str) -> bool {
        self.index.tells_of(Sym::new(kind))
            || (kind == LINKS && !self.index.ruleset_links.is_empty())
            || (kind == RULES && !self.index.forwarding_rules.is_empty())
    }

    /// A ruleset serves networks of its own region (DNS-19); a link to another one cannot be deployed.
    fn same_region(&self, ruleset: Sym, vnet: Sym) -> bool {
        let ruleset = self.index.forwarding_ruleset.one(ruleset).map_or(Sym::EMPTY, |row| row.location);
        let vnet = self.index.vnet.one(vnet).map_or(Sym::EMPTY, |row| row.location);
        ruleset.is_empty() || vnet.is_empty() || ruleset == vnet
    }
}
