//! Network security perimeters: whom a member lets in over its public front end, and whom it may call itself (NSP-01 … NSP-14).
//!
//! Traffic over a private endpoint never comes here (NSP-05).

use crate::facts::Index;
use crate::facts::network::Direction;
use crate::facts::perimeter::{AccessItem, AccessMode, LinkEnd, PerimeterAssociation, PerimeterLink, PerimeterRule};
use crate::facts::platform::Platform;
use crate::facts::store_facts::{PublicAccess, StoreIpRule};
use crate::model::ids::{id_parts, id_type};
use crate::model::{Prefix, Sym, Tri, net};
use crate::rules::consent::kind_of;
use crate::rules::dns::names::under;
use crate::rules::paas_firewall::{self, Firewall, Origin, Source, by_address};

/// The types a perimeter can hold (NSP-02); an association of any other type does nothing.
const ONBOARDED: [&str; 12] = [
    "microsoft.cognitiveservices/accounts",
    "microsoft.documentdb/databaseaccounts",
    "microsoft.eventhub/namespaces",
    "microsoft.insights/actiongroups",
    "microsoft.insights/datacollectionendpoints",
    "microsoft.insights/scheduledqueryrules",
    "microsoft.keyvault/vaults",
    "microsoft.operationalinsights/workspaces",
    "microsoft.search/searchservices",
    "microsoft.servicebus/namespaces",
    "microsoft.sql/servers",
    "microsoft.storage/storageaccounts",
];

const PERIMETERS: &str = "microsoft.network/networksecurityperimeters";
const ASSOCIATIONS: &str = "microsoft.network/networksecurityperimeters/resourceassociations";
const ACCESS_RULES: &str = "microsoft.network/networksecurityperimeters/profiles/accessrules";

/// What in a perimeter decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// An access rule.
    Rule(Sym),
    /// Both ends are members of this perimeter (NSP-06).
    Member(Sym),
    /// Their perimeters are linked (NSP-13).
    Link(Sym),
    /// No access rule names the other end.
    NoRule,
    /// The access rules of the profile are not in the input (M-03).
    Unlisted,
    /// An access rule could not be read (SND-02).
    Unread,
    /// Whether the association is in force, or how, is not known.
    Unsettled,
    /// The perimeter leaves it to the store's own firewall (NSP-12).
    Own(paas_firewall::Decision),
    /// `publicNetworkAccess` leaves outbound calls to a perimeter, and there is none (NSP-04).
    Locked,
    /// Nothing limits whom it calls (NSP-04, NSP-11).
    Free,
}

/// Whether a perimeter lets something through, and what decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it does.
    pub admitted: Tri,
    /// What decides.
    pub by: By,
}

/// The association that makes `resource` a member of a perimeter, and whether it surely is the one in force (NSP-02).
pub fn member(index: &Index, resource: Sym) -> Option<(PerimeterAssociation, Tri)> {
    let kind = kind_of(index, resource).or_else(|| id_type(resource.as_str()).map(|kind| Sym::new(&kind)));
    if kind.is_some_and(|kind| !ONBOARDED.contains(&kind.as_str())) {
        return None;
    }
    let rows = index.perimeter_associations.get(resource);
    // One that does not say whom it makes a member may be for anybody.
    let nameless = index.perimeter_associations.get(Sym::EMPTY);
    let least = |rows: &[PerimeterAssociation]| rows.iter().min_by_key(|row| row.association.as_str()).copied();
    let first = least(rows).or_else(|| least(nameless))?;
    let sure = Tri::from_bool(rows.len() == 1 && first.settled && nameless.is_empty());
    Some((first, if sure == Tri::Yes { Tri::Yes } else { Tri::Maybe }))
}

/// Whether a perimeter of the input may hold a resource without the input telling: perimeters were exported, and not a single association (SND-02).
pub fn membership_unknown(index: &Index) -> bool {
    let any = !index.perimeter.is_empty() || index.resources_by_kind.has(Sym::new(PERIMETERS));
    let listed = !index.perimeter_association.is_empty() || index.tells_of(Sym::new(ASSOCIATIONS));
    any && !listed
}

/// Whether the perimeter of `store` admits `source`; `None` where no perimeter holds the store and its own firewall decides alone.
///
/// `sender` is a resource of the subscription the packets come from, where the input tells: a machine may show its identity besides its address (NSP-08).
///
/// ```datalog
/// member_of(R, P) :- perimeter_association(_, P, _, R, _, true).                                                // perimeter.1
/// enforced(R) :- perimeter_association(_, _, _, R, "enforced", true).                                           // perimeter.2
/// admits_caller(R, C) :- member_of(R, P), member_of(C, P), R != C.                                              // perimeter.3
/// admits_prefix(R, V) :- perimeter_association(_, _, F, R, _, true), perimeter_rule(_, F, "inbound", "prefix", V). // perimeter.4
/// ```
pub fn admit(index: &Index, platform: &Platform, firewall: &Firewall<'_>, source: &Source, sender: Sym) -> Option<Decision> {
    let (association, sure) = member(index, firewall.store.store)?;
    let enforced = entering(index, platform, &association, source, sender);
    let decision = match association.mode {
        AccessMode::Enforced => enforced,
        AccessMode::Learning | AccessMode::Audit => learning(firewall, enforced, source),
        AccessMode::Unknown => agreed(enforced, learning(firewall, enforced, source)),
    };
    if sure == Tri::Yes {
        return Some(decision);
    }
    let without = paas_firewall::admit(&alone(firewall), source);
    Some(agreed(decision, Decision { admitted: without.admitted, by: By::Own(without) }))
}

/// Whether trusted services and named resources pass the perimeter of `store` as far as its own firewall lets them (NSP-07, NSP-14); `None` outside a
/// perimeter.
pub fn passes_bypass(firewall: &Firewall<'_>, index: &Index) -> Option<Tri> {
    let (association, sure) = member(index, firewall.store.store)?;
    let locked = firewall.access.is_none_or(|access| access.public == PublicAccess::SecuredByPerimeter);
    let inside = match association.mode {
        AccessMode::Enforced => Tri::No,
        AccessMode::Learning | AccessMode::Audit => {
            if locked {
                Tri::Maybe
            } else {
                Tri::Yes
            }
        }
        AccessMode::Unknown => Tri::Maybe,
    };
    let outside = Tri::from_bool(!locked);
    Some(if sure == Tri::Yes || inside == outside { inside } else { Tri::Maybe })
}

/// The subscriptions and perimeters outside the boundary that the perimeter of `store` lets in by their identity (X-13), in the order of their ids.
pub fn named(index: &Index, inside: &dyn Fn(Sym) -> bool, store: Sym) -> Vec<(Sym, Tri)> {
    let Some((association, sure)) = member(index, store) else { return Vec::new() };
    let mut found: Vec<Sym> = Vec::new();
    for rule in rules(index, association.profile, Direction::Inbound) {
        match rule.item {
            AccessItem::Subscription => found.push(Sym::new(&format!("/subscriptions/{}", rule.value))),
            AccessItem::Perimeter => found.push(rule.value),
            AccessItem::Prefix | AccessItem::Tag | AccessItem::Fqdn => {}
        }
    }
    for link in index.perimeter_link.rows().filter(|link| link.approved.hi()) {
        if link.perimeter == association.perimeter {
            found.push(link.remote);
        } else if link.remote == association.perimeter {
            found.push(link.perimeter);
        }
    }
    found.retain(|id| id.as_str().starts_with('/') && !inside(*id));
    Sym::sort(&mut found);
    found.dedup();
    found.into_iter().map(|id| (id, sure)).collect()
}

/// Two possible states of the configuration: certain only where they agree.
fn agreed(a: Decision, b: Decision) -> Decision {
    if a.admitted == b.admitted { a } else { Decision { admitted: Tri::Maybe, by: By::Unsettled } }
}

/// The firewall as it is without any perimeter.
fn alone<'a>(firewall: &Firewall<'a>) -> Firewall<'a> {
    Firewall { perimeter: false, ..firewall.clone() }
}

/// Learning: what the rules of the perimeter admit, and what the resource admits by itself (NSP-03, NSP-12).
fn learning(firewall: &Firewall<'_>, enforced: Decision, source: &Source) -> Decision {
    let mut own = alone(firewall);
    let locked = own.access.is_some_and(|access| access.public == PublicAccess::SecuredByPerimeter);
    if locked && let Some(access) = &mut own.access {
        access.public = PublicAccess::Disabled;
    }
    let mut own = paas_firewall::admit(&own, source);
    if locked {
        // Whether trusted services pass a locked resource in this mode is told differently in different places (NSP-14).
        own.admitted = own.admitted.min(Tri::Maybe);
    }
    if enforced.admitted > own.admitted || (locked && own.admitted == Tri::No) {
        return enforced;
    }
    Decision { admitted: own.admitted, by: By::Own(own) }
}

/// What the perimeter itself admits: other members, members of linked perimeters, and what an inbound rule names (NSP-06, NSP-08, NSP-09, NSP-13).
fn entering(index: &Index, platform: &Platform, association: &PerimeterAssociation, source: &Source, sender: Sym) -> Decision {
    let mut best = Decision { admitted: Tri::No, by: By::NoRule };
    let mut take = |admitted: Tri, by: By| {
        if admitted > best.admitted {
            best = Decision { admitted, by };
        }
    };
    let caller = match source {
        Source::Caller { resource, .. } => member(index, *resource),
        _ => None,
    };
    if let Some((other, sure)) = &caller {
        let (admitted, by) = joined(index, other, association);
        take(admitted.and(*sure), by);
    }
    let rules = rules(index, association.profile, Direction::Inbound);
    let (by_prefix, unknown_tag) = ranges(&rules, platform);
    let addressed = addressed(index, source);
    let (admitted, rule) = by_address(&by_prefix, &addressed);
    take(admitted, By::Rule(rule.unwrap_or_default()));
    if let Some(rule) = unknown_tag
        && matches!(addressed, Source::Public { .. } | Source::AnyPublic { .. } | Source::Caller { .. })
    {
        take(Tri::Maybe, By::Rule(rule));
    }
    for rule in &rules {
        let admitted = match rule.item {
            AccessItem::Subscription => by_subscription(source, sender, rule.value),
            AccessItem::Perimeter => match &caller {
                Some((other, sure)) => Tri::from_bool(other.perimeter == rule.value).and(*sure),
                None => Tri::No,
            },
            AccessItem::Prefix | AccessItem::Tag | AccessItem::Fqdn => Tri::No,
        };
        take(admitted, By::Rule(rule.rule));
    }
    doubted(index, association.profile, best)
}

/// Whether a rule for a subscription admits the source: surely a resource that calls in its own name, perhaps a machine, which may show its identity.
fn by_subscription(source: &Source, sender: Sym, subscription: Sym) -> Tri {
    let is = |id: Sym| id_parts(id.as_str()).subscription == subscription.as_str();
    match source {
        Source::Caller { resource, .. } => Tri::from_bool(is(*resource)),
        Source::ServiceEndpoint { subnet, .. } => Tri::from_bool(is(*subnet)).and(Tri::Maybe),
        _ if !sender.is_empty() => Tri::from_bool(is(sender)).and(Tri::Maybe),
        Source::Public { origin: Origin::Azure, .. } | Source::SameRegionAzure => Tri::Maybe,
        // Strangers are nobody in particular: the subscriptions that rules name are looked at one by one.
        Source::Public { .. } | Source::AnyPublic { .. } => Tri::No,
    }
}

/// What a rule for addresses compares: behind a service endpoint nothing, unless the subnet has an address for the purpose (NSP-08, SE-30).
fn addressed(index: &Index, source: &Source) -> Source {
    let subnet = match source {
        Source::ServiceEndpoint { subnet, .. } => subnet,
        // What a perimeter sees of a machine in the account's own region nobody says: perhaps an address.
        Source::SameRegionAzure => return Source::Public { addresses: Vec::new(), certain: false, origin: Origin::Azure },
        _ => return source.clone(),
    };
    let mut addresses: Vec<Prefix> = Vec::new();
    let mut certain = true;
    for identifier in index.subnet_network_identifiers.get(*subnet) {
        match index.public_ip_address.one(identifier.public_ip) {
            Some(row) => addresses.push(net::host(row.address)),
            None => certain = false,
        }
    }
    match index.subnet_network_identifiers.has(*subnet) {
        true => Source::Public { addresses, certain, origin: Origin::Azure },
        false => source.clone(),
    }
}

/// The rows of one direction, in the order in which one of them is named.
fn rules(index: &Index, profile: Sym, direction: Direction) -> Vec<PerimeterRule> {
    let mut rules: Vec<PerimeterRule> =
        index.perimeter_rules.get(profile).iter().filter(|rule| rule.direction == direction).copied().collect();
    rules.sort_by_key(|rule| (rule.rule.as_str(), rule.value.as_str()));
    rules
}

/// The rules for addresses as ranges, and one for a tag that nobody can resolve.
fn ranges(rules: &[PerimeterRule], platform: &Platform) -> (Vec<StoreIpRule>, Option<Sym>) {
    let mut out = Vec::new();
    let mut unknown = None;
    for rule in rules {
        let prefixes: Vec<Prefix> = match rule.item {
            AccessItem::Prefix => net::parse_prefix(rule.value.as_str()).into_iter().collect(),
            AccessItem::Tag if rule.value.as_str() == "internet" => net::parse_prefix("0.0.0.0/0").into_iter().collect(),
            AccessItem::Tag => match platform.tag(rule.value) {
                Some(prefixes) => prefixes.to_vec(),
                None => {
                    unknown = unknown.or(Some(rule.rule));
                    Vec::new()
                }
            },
            AccessItem::Subscription | AccessItem::Fqdn | AccessItem::Perimeter => Vec::new(),
        };
        let range = |prefix: Prefix| StoreIpRule { rule: rule.rule, store: rule.profile, from: prefix.network(), to: prefix.broadcast() };
        out.extend(prefixes.into_iter().map(range));
    }
    (out, unknown)
}

/// A refusal proves nothing where rules of the profile are not in the input, or could not be read (M-03).
fn doubted(index: &Index, profile: Sym, decision: Decision) -> Decision {
    if decision.admitted != Tri::No {
        return decision;
    }
    let listed = !index.perimeter_rule.is_empty() || index.tells_children_of(profile, Sym::new(ACCESS_RULES));
    match (listed && !profile.is_empty(), index.unread_rules.has(profile)) {
        (false, _) => Decision { admitted: Tri::Maybe, by: By::Unlisted },
        (true, true) => Decision { admitted: Tri::Maybe, by: By::Unread },
        (true, false) => decision,
    }
}

/// Whether two members talk because of where they are: in one perimeter, or in linked ones (NSP-06, NSP-13).
fn joined(index: &Index, from: &PerimeterAssociation, to: &PerimeterAssociation) -> (Tri, By) {
    if from.perimeter == to.perimeter {
        return (Tri::Yes, By::Member(to.perimeter));
    }
    let mut views: Vec<(PerimeterLink, Tri)> = Vec::new();
    for link in index.perimeter_link.rows() {
        let (out, into) = if link.perimeter == from.perimeter {
            (LinkEnd::Local, LinkEnd::Remote)
        } else if link.perimeter == to.perimeter {
            (LinkEnd::Remote, LinkEnd::Local)
        } else {
            continue;
        };
        let far = if link.perimeter == from.perimeter { to.perimeter } else { from.perimeter };
        let names = names(index, link.remote, far);
        if names == Tri::No {
            continue;
        }
        let lets = |end: LinkEnd, direction: Direction, profile: Sym| {
            let name = id_parts(profile.as_str()).name;
            let rows = index.perimeter_link_profiles.get(link.link).iter().filter(|row| row.end == end && row.direction == direction);
            rows.clone().any(|row| row.profile.as_str() == "*" || row.profile.as_str() == name)
        };
        let open = lets(out, Direction::Outbound, from.profile) && lets(into, Direction::Inbound, to.profile);
        let admitted = if link.approved == Tri::No { Tri::No } else { link.approved.and(Tri::from_bool(open)).and(names) };
        views.push((*link, admitted));
    }
    views.sort_by_key(|(link, _)| link.link.as_str());
    let Some((first, admitted)) = views.first().copied() else { return (Tri::No, By::NoRule) };
    let refused = views.iter().any(|(link, _)| link.approved == Tri::No);
    let same = views.iter().all(|(_, other)| *other == admitted);
    (
        if refused {
            Tri::No
        } else if same {
            admitted
        } else {
            Tri::Maybe
        },
        By::Link(first.link),
    )
}

/// Whether a link's far end is `perimeter`: by its id, or by its guid.
fn names(index: &Index, remote: Sym, perimeter: Sym) -> Tri {
    let guid = index.perimeter.one(perimeter).map_or(Sym::EMPTY, |row| row.guid);
    if remote == perimeter || (!remote.is_empty() && remote == guid) {
        Tri::Yes
    } else if remote.is_empty() || (guid.is_empty() && !remote.as_str().starts_with('/')) {
        Tri::Maybe
    } else {
        Tri::No
    }
}

/// Whom a resource calls.
#[derive(Clone, Copy)]
pub enum Callee<'a> {
    /// A resource of the input, by its id and one of its host names, where that is known.
    Resource(Sym, Option<&'a str>),
    /// Some resource outside whose host names end in one of the first, and of whose the second says that nobody outside has them.
    Outside(&'a [&'a str], &'a dyn Fn(&str) -> bool),
}

/// Whether `caller` may call `callee`, as far as its perimeter and its own switch say (NSP-04, NSP-06, NSP-11, NSP-13).
///
/// ```datalog
/// confined(R) :- enforced(R).                                                                                   // perimeter.5
/// may_call_host(R, V) :- perimeter_association(_, _, F, R, _, true), perimeter_rule(_, F, "outbound", "fqdn", V). // perimeter.6
/// ```
pub fn calls(index: &Index, caller: Sym, callee: Callee<'_>) -> Decision {
    let free = Decision { admitted: Tri::Yes, by: By::Free };
    if kind_of(index, caller).is_some_and(|kind| kind.as_str() == "microsoft.keyvault/vaults") {
        return free; // it calls nobody by itself, and its outbound rules are inert (NSP-11)
    }
    let public = index.store_access.one(caller).map(|access| access.public);
    let alone = match public {
        Some(PublicAccess::SecuredByPerimeter) => Decision { admitted: Tri::No, by: By::Locked },
        Some(PublicAccess::Unknown) => Decision { admitted: Tri::Maybe, by: By::Locked },
        Some(PublicAccess::Enabled | PublicAccess::Unset | PublicAccess::Disabled) | None => free,
    };
    let Some((association, sure)) = member(index, caller) else {
        let doubtful = membership_unknown(index);
        return if doubtful { agreed(alone, Decision { admitted: Tri::Maybe, by: By::Unsettled }) } else { alone };
    };
    let confined = leaving(index, &association, callee);
    let learning = if alone.admitted == Tri::Yes { free } else { confined };
    let decision = match association.mode {
        AccessMode::Enforced => confined,
        AccessMode::Learning | AccessMode::Audit => learning,
        AccessMode::Unknown => agreed(confined, learning),
    };
    if sure == Tri::Yes { decision } else { agreed(decision, alone) }
}

/// What an enforced perimeter lets its member call.
fn leaving(index: &Index, association: &PerimeterAssociation, callee: Callee<'_>) -> Decision {
    let mut best = Decision { admitted: Tri::No, by: By::NoRule };
    if let Callee::Resource(resource, _) = callee
        && let Some((other, sure)) = member(index, resource)
    {
        let (admitted, by) = joined(index, association, &other);
        best = if admitted.hi() { Decision { admitted: admitted.and(sure), by } } else { best };
    }
    for rule in rules(index, association.profile, Direction::Outbound) {
        let admitted = match rule.item {
            AccessItem::Fqdn => permits(index, rule.value.as_str(), callee),
            _ => Tri::No,
        };
        if admitted > best.admitted {
            best = Decision { admitted, by: By::Rule(rule.rule) };
        }
    }
    doubted(index, association.profile, best)
}

/// Whether a host name that a rule lists, `*.` before it standing for everything below, lets the callee be called.
pub fn permits(index: &Index, pattern: &str, callee: Callee<'_>) -> Tri {
    match callee {
        Callee::Resource(_, None) => {
            if pattern == "*" {
                Tri::Yes
            } else {
                Tri::Maybe
            }
        }
        Callee::Resource(_, Some(host)) => Tri::from_bool(match pattern.strip_prefix("*.") {
            Some(suffix) => under(host, suffix) && host != suffix,
            None => pattern == "*" || pattern == host,
        }),
        Callee::Outside(suffixes, ours) => Tri::from_bool(match pattern.strip_prefix("*.") {
            Some(suffix) => suffixes.iter().any(|of| under(of, suffix) || under(suffix, of)),
            // A store of the input that bears the name is looked at by itself.
            None if pattern == "*" => true,
            None => suffixes.iter().any(|of| under(pattern, of)) && !index.store_parts_by_host.has(Sym::new(pattern)) && !ours(pattern),
        }),
    }
}
