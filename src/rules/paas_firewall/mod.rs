//! Whom a store's own firewall admits over its public front end.
//!
//! `storage`, `key_vault`, `sql`, `cosmos`, `messaging`, `registry`, `site` and `pattern` hold the order of each service, `ranges` compares addresses, `caller`
//! knows the platform's own callers, `rows` collects what the input holds. Traffic over a private endpoint never comes here: consent is its only gate (FW-01,
//! PE-28, ST-03, SQL-09, APP-02).

mod caller;
mod cosmos;
mod key_vault;
mod messaging;
mod pattern;
mod ranges;
mod registry;
mod rows;
mod site;
mod sql;
mod storage;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::facts::store_facts::*;
use crate::model::ids::id_parts;
use crate::model::{Prefix, Sym, Tri};

pub use rows::firewall;

/// Where a public source address belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Some customer's resource in Azure, of whatever tenant.
    Azure,
    /// Outside Azure.
    Internet,
    /// A site on premises, behind its translation.
    OnPrem,
}

/// What packets show a front end of where they come from (M-08).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The identity of a subnet, carried by its service endpoint (SE-08, SE-10).
    ServiceEndpoint {
        /// The subnet.
        subnet: Sym,
        /// Its network.
        vnet: Sym,
        /// Its tenant; empty where the input does not say.
        tenant: Sym,
    },
    /// A machine in Azure in the storage account's own region, without a service endpoint: it shows no address that a rule could name (ST-11).
    SameRegionAzure,
    /// A public address.
    Public {
        /// All of them are possible: a filter must admit all (decision 23).
        addresses: Vec<Prefix>,
        /// Whether the list is known to be complete; else any public address may be it (OUT-07).
        certain: bool,
        /// Where it belongs.
        origin: Origin,
    },
    /// Whatever public address serves the sender best, but for those in `except`: stands for everybody there (IN-01, R-06).
    AnyPublic {
        /// Addresses that belong to the estate.
        except: Arc<[Prefix]>,
        /// Where the sender is.
        origin: Origin,
    },
    /// A resource that calls in its own name (R-07).
    Caller {
        /// Its id.
        resource: Sym,
        /// Its type, lower case.
        kind: Sym,
        /// Its tenant; empty where the input does not say.
        tenant: Sym,
    },
}

/// What in the firewall decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// The switch for all public access (FW-03, FW-04, ST-06).
    PublicAccess(PublicAccess),
    /// The default action, `Maybe` where the input does not say (FW-10).
    Default(Tri),
    /// A rule for a subnet (FW-07).
    Subnet {
        /// The rule.
        rule: Sym,
        /// What it names.
        subnet: Sym,
    },
    /// A rule for a range of addresses (FW-06).
    Ip {
        /// The rule.
        rule: Sym,
        /// First address.
        from: IpAddr,
        /// Last address.
        to: IpAddr,
    },
    /// The rule that admits all of Azure (FW-09).
    AllAzure {
        /// The rule.
        rule: Sym,
    },
    /// A rule for a resource instance (ST-09).
    Resource {
        /// What it names.
        resource: Sym,
    },
    /// The bypass for services that Azure trusts (ST-08, KV-02).
    Trusted,
    /// The account is of the old deployment model, or its tier has no firewall (ST-14, MSG-04, ACR-01).
    NoFirewall,
    /// A list of rules is not in the input (M-03).
    Missing {
        /// The child type.
        list: Sym,
    },
    /// A network security perimeter in the input may decide instead (FW-02).
    Perimeter,
    /// A private endpoint closes the public front end, or may (APP-03, COS-07).
    PrivateEndpoint,
    /// A rule of an ordered list (APP-04).
    Listed {
        /// The rule.
        rule: Sym,
        /// Whether it allows.
        allow: bool,
    },
    /// What the service itself looks at besides the switch is not modelled (GEN-04).
    Unmodelled,
    /// Rules may stand where no export looks (SQL-07).
    Hidden,
    /// A rule could not be read.
    Unread,
    /// Nothing of the firewall is in the input.
    Unknown,
}

/// Whether the firewall admits a source, and what decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it does.
    pub admitted: Tri,
    /// What decides.
    pub item: Item,
}

/// What the input holds of one store's firewall.
#[derive(Clone, Debug)]
pub struct Firewall<'a> {
    /// The store.
    pub store: Store,
    /// Its tenant; empty where the input does not say.
    pub tenant: Sym,
    /// Its switches; `None` where they are missing.
    pub access: Option<StoreAccess>,
    /// Rules for addresses.
    pub ip_rules: &'a [StoreIpRule],
    /// Whether the list of them is complete.
    pub ip_complete: bool,
    /// Rules for subnets.
    pub subnet_rules: &'a [StoreSubnetRule],
    /// Whether the list of them is complete.
    pub subnet_complete: bool,
    /// Rules for resource instances.
    pub resource_rules: &'a [StoreResourceRule],
    /// The child types that hold the two lists, for a service that keeps them in children.
    pub lists: Lists,
    /// The switches that a child resource holds, for a service that has such children; `None` where it is not in the input.
    pub rule_set: Option<StoreRuleSet>,
    /// Whether a child that is not in the input is known not to exist.
    pub rule_set_complete: bool,
    /// The ordered rules of an app, in order.
    pub listed: Vec<Listed<'a>>,
    /// Whether a private endpoint is connected to it; told only for services that close their public front end by it.
    pub connected: Tri,
    /// Whether a perimeter may hold the store and the input does not tell (FW-02).
    pub perimeter: bool,
    /// Whether its databases may hold rules of their own, which no export shows (SQL-07).
    pub hidden: bool,
    /// Which rules of the store could not be read.
    pub unread: Unread,
}

/// Which rules of a store could not be read. Rules only admit (FW-05), so what is refused without them is not proven (SND-02).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unread {
    /// All were.
    #[default]
    None,
    /// Rules for subnets alone: they admit nobody but what a service endpoint marks (FW-07).
    Subnets,
    /// One that may admit anybody.
    Any,
}

impl Unread {
    /// Whether there are such rules.
    pub fn any(self) -> bool {
        self != Unread::None
    }

    /// Whether one of them may admit the source.
    fn may_admit(self, source: &Source) -> bool {
        match self {
            Unread::None => false,
            Unread::Subnets => matches!(source, Source::ServiceEndpoint { .. }),
            Unread::Any => true,
        }
    }
}

/// The child types that hold rules; empty where the store itself does (M-03, decision 24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// Rules for addresses.
    pub ip: Sym,
    /// Rules for subnets.
    pub subnet: Sym,
    /// A set of both, with switches.
    pub set: Sym,
}

/// A rule of an ordered list, with what its tags stand for.
#[derive(Clone, Debug)]
pub struct Listed<'a> {
    /// The rule.
    pub rule: StoreListRule,
    /// Whether it names everybody.
    pub any: bool,
    /// The prefixes that it names.
    pub own: Vec<Prefix>,
    /// What its tags stand for.
    pub prefixes: Vec<&'a [Prefix]>,
    /// Whether it names addresses that nobody knows besides.
    pub unknown: bool,
}

/// Whether the firewall admits `source` over the public front end.
///
/// ```datalog
/// closed(S) :- store_access(S, "disabled", _, _, _, _).                                                          // firewall.1
/// closed(S) :- store_access(S, "securedbyperimeter", _, _, _, _).                                                // firewall.2
/// admits(S, "*") :- store_access(S, _, "yes", _, _, _), !closed(S).                                              // firewall.3
/// admits(S, N) :- store_subnet_rule(_, S, N, "yes"), !closed(S).                                                 // firewall.4
/// admits_address(S, F, T) :- store_ip_rule(_, S, F, T), !closed(S).                                              // firewall.5
/// ```
pub fn admit(firewall: &Firewall<'_>, source: &Source) -> Decision {
    if firewall.perimeter {
        return Decision { admitted: Tri::Maybe, item: Item::Perimeter };
    }
    let decision = match firewall.store.service {
        Service::Storage => storage::admit(firewall, source),
        Service::KeyVault => key_vault::admit(firewall, source),
        Service::Sql | Service::Synapse | Service::Database | Service::Flexible | Service::DataLake => sql::admit(firewall, source),
        Service::Cosmos => cosmos::admit(firewall, source),
        Service::EventHub | Service::ServiceBus => messaging::admit(firewall, source),
        Service::Acr => registry::admit(firewall, source),
        Service::Web => site::admit(firewall, source),
        Service::Cognitive | Service::Relay => pattern::default_action(firewall, source),
        Service::Search | Service::EventGrid | Service::AppConfig | Service::Redis => pattern::open_list(firewall, source),
        Service::Other => pattern::switch_only(firewall),
    };
    // A closed switch needs no rules, but those of a storage account for resources pass it (ST-09).
    let named = firewall.store.service == Service::Storage && matches!(source, Source::Caller { .. });
    let final_word = match decision.item {
        Item::PublicAccess(PublicAccess::Disabled) => !named,
        Item::PublicAccess(_) => true,
        _ => false,
    };
    if firewall.unread.may_admit(source) && decision.admitted == Tri::No && !final_word {
        return Decision { admitted: Tri::Maybe, item: Item::Unread };
    }
    decision
}

/// The common end of every order: a bypass beats the switch, the switch beats the default action, that beats the rules, and the rest is denied.
fn settle(bypass: Decision, public: PublicAccess, default: Tri, matched: Decision) -> Decision {
    let open = match public {
        PublicAccess::Enabled | PublicAccess::Unset => Tri::Yes,
        PublicAccess::Disabled | PublicAccess::SecuredByPerimeter => Tri::No,
        PublicAccess::Unknown => Tri::Maybe,
    };
    // What the switch says may be that only a perimeter lets in (NSP-03).
    let most = if public == PublicAccess::Unknown { Tri::Maybe } else { Tri::Yes };
    let bypass = Decision { admitted: bypass.admitted.min(most), ..bypass };
    let admitted = bypass.admitted.or(open.and(default.or(matched.admitted)));
    let item = if admitted.hi() && admitted == bypass.admitted {
        bypass.item
    } else if open == Tri::No || (admitted == Tri::Maybe && open == Tri::Maybe) {
        Item::PublicAccess(public)
    } else if admitted.hi() && admitted == matched.admitted && default != Tri::Yes {
        matched.item
    } else {
        Item::Default(default)
    };
    Decision { admitted, item }
}

/// Nothing matches.
const NO_MATCH: Decision = Decision { admitted: Tri::No, item: Item::Default(Tri::No) };

/// The rule for the source's subnet (FW-07, ST-12, SQL-05): `same_tenant` where the service admits no other tenant's (SE-20).
fn subnet_rule(firewall: &Firewall<'_>, subnet: Sym, tenant: Sym, same_tenant: bool) -> Decision {
    let mut best = NO_MATCH;
    for rule in firewall.subnet_rules.iter().filter(|rule| rule.subnet == subnet) {
        let allowed = if same_tenant { same(firewall, tenant, subnet) } else { Tri::Yes };
        let admitted = rule.effective.and(allowed);
        if admitted > best.admitted {
            best = Decision { admitted, item: Item::Subnet { rule: rule.rule, subnet } };
        }
    }
    best
}

/// Whether `tenant` (of the resource `id`) is the store's: equal, or one subscription, else not known where the input does not say.
fn same(firewall: &Firewall<'_>, tenant: Sym, id: Sym) -> Tri {
    if !tenant.is_empty() && !firewall.tenant.is_empty() {
        return Tri::from_bool(tenant == firewall.tenant);
    }
    let (theirs, ours) = (id_parts(id.as_str()).subscription, id_parts(firewall.store.store.as_str()).subscription);
    // Ids without a subscription are a person's own facts, which tell no tenants apart.
    if theirs == ours { Tri::Yes } else { Tri::Maybe }
}

/// What the rules for addresses say of a public source.
fn ip_rule(firewall: &Firewall<'_>, source: &Source) -> Decision {
    match matching(firewall.ip_rules, source) {
        (admitted, Some(rule)) => {
            // The lists are documented for IPv4 alone: whether a rule of IPv6 counts at all is not known (ST-07, FW-08).
            let admitted = if rule.from.is_ipv6() { admitted.and(Tri::Maybe) } else { admitted };
            Decision { admitted, item: Item::Ip { rule: rule.rule, from: rule.from, to: rule.to } }
        }
        (_, None) => NO_MATCH,
    }
}

/// Whether the ranges of `rules` hold the source's address (FW-06), and the rule that does: for other lists of addresses than a store's own.
pub fn by_address(rules: &[StoreIpRule], source: &Source) -> (Tri, Option<Sym>) {
    let (admitted, rule) = matching(rules, source);
    (admitted, rule.map(|rule| rule.rule))
}

fn matching<'a>(rules: &'a [StoreIpRule], source: &Source) -> (Tri, Option<&'a StoreIpRule>) {
    match source {
        Source::Public { addresses, certain, .. } => ranges::hold(rules, addresses, *certain),
        Source::AnyPublic { except, origin: Origin::Azure } => match ranges::hold_some(rules, except) {
            // Nobody chooses the address of a machine in Azure: a rule for some addresses may or may not be for one there.
            (Tri::Yes, _) => ranges::hold(rules, &[], false),
            none => none,
        },
        Source::AnyPublic { except, .. } => ranges::hold_some(rules, except),
        Source::Caller { .. } => ranges::hold(rules, &[], false),
        Source::ServiceEndpoint { .. } | Source::SameRegionAzure => (Tri::No, None),
    }
}

/// The rules for addresses, with the one that stands for all of Azure, of any tenant (FW-09).
fn addresses(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let by_address = ip_rule(firewall, source);
    let zero = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    // To the others it is the plain address, which nobody has (FW-06).
    if !firewall.store.service.knows_all_of_azure() {
        return by_address;
    }
    let all_azure = firewall.ip_rules.iter().filter(|r| r.from == zero && r.to == zero).min_by_key(|r| r.rule.as_str());
    let from_azure = match source {
        Source::Public { origin, .. } | Source::AnyPublic { origin, .. } => *origin == Origin::Azure,
        Source::Caller { .. } | Source::SameRegionAzure => true,
        Source::ServiceEndpoint { .. } => false,
    };
    match all_azure {
        Some(rule) if from_azure && by_address.admitted != Tri::Yes => {
            Decision { admitted: Tri::Yes, item: Item::AllAzure { rule: rule.rule } }
        }
        _ => by_address,
    }
}

/// Somewhere in Azure, at an address that nobody knows: how the front ends of all services but storage see whoever is in their own region (KV-04).
fn as_public(source: &Source) -> Source {
    match source {
        Source::SameRegionAzure => Source::Public { addresses: Vec::new(), certain: false, origin: Origin::Azure },
        other => other.clone(),
    }
}

/// The rules for subnets to what a service endpoint marks, the rules for addresses to everything else.
fn by_rules(firewall: &Firewall<'_>, source: &Source) -> Decision {
    match source {
        Source::ServiceEndpoint { subnet, tenant, .. } => {
            subnet_rule(firewall, *subnet, *tenant, !firewall.store.service.admits_other_tenants())
        }
        other => addresses(firewall, &as_public(other)),
    }
}

/// Whether the bypass for trusted services admits the source; never anybody but a resource that calls in its own name (R-07).
fn by_trust(firewall: &Firewall<'_>, trusted: bool, source: &Source) -> Decision {
    let Source::Caller { resource, kind, tenant } = source else { return NO_MATCH };
    let unread = by_unread(firewall, *resource, *tenant);
    if !trusted {
        return unread;
    }
    better(Decision { admitted: caller::trusted(*kind, same(firewall, *tenant, *resource)), item: Item::Trusted }, unread)
}

/// Whether something that nobody can read admits a resource that calls in its own name: a rule that does not say for whom it is, a bypass with a word nobody
/// knows (M-03, SND-02).
fn by_unread(firewall: &Firewall<'_>, resource: Sym, tenant: Sym) -> Decision {
    let nameless = firewall.resource_rules.iter().filter(|rule| rule.resource.is_empty());
    let admitted = nameless.map(|rule| caller::named(rule, resource, tenant)).max().unwrap_or(Tri::No);
    Decision { admitted, item: Item::Resource { resource: Sym::EMPTY } }
}

/// The better of two.
fn better(one: Decision, other: Decision) -> Decision {
    if other.admitted > one.admitted { other } else { one }
}

/// Between a firewall that counts and none at all: for a tier that nobody knows.
fn doubted(decision: Decision) -> Decision {
    match decision.admitted {
        Tri::Yes => decision,
        _ => Decision { admitted: Tri::Maybe, item: Item::Unknown },
    }
}

/// A tier without a firewall.
const NO_FIREWALL: Decision = Decision { admitted: Tri::Yes, item: Item::NoFirewall };

#[cfg(test)]
pub(super) mod fixture {
    use super::*;

    pub fn store(service: Service) -> Firewall<'static> {
        let store = Sym::new("/subscriptions/s1/resourcegroups/r/providers/x/y/a1");
        Firewall {
            store: Store { store, service, kind: "storagev2".into(), location: "eastus".into() },
            tenant: "t1".into(),
            access: Some(StoreAccess {
                store,
                public: PublicAccess::Enabled,
                default_allow: Tri::No,
                trusted: false,
                plain_http: false,
                outbound_restricted: false,
            }),
            ip_rules: &[],
            ip_complete: true,
            subnet_rules: &[],
            subnet_complete: true,
            resource_rules: &[],
            lists: Lists::default(),
            rule_set: None,
            rule_set_complete: true,
            listed: Vec::new(),
            connected: Tri::No,
            perimeter: false,
            hidden: false,
            unread: Unread::None,
        }
    }

    pub fn with(firewall: &Firewall<'static>, change: impl Fn(&mut StoreAccess)) -> Firewall<'static> {
        let mut firewall = firewall.clone();
        if let Some(access) = &mut firewall.access {
            change(access);
        }
        firewall
    }

    pub fn ips(rules: &[(&str, &str)]) -> &'static [StoreIpRule] {
        let row = |(from, to): &(&str, &str)| StoreIpRule {
            rule: Sym::new(&format!("rule/{from}")),
            store: "a1".into(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        Box::leak(rules.iter().map(row).collect::<Vec<_>>().into_boxed_slice())
    }

    pub fn subnets(rules: &[(&str, Tri)]) -> &'static [StoreSubnetRule] {
        let row = |(subnet, effective): &(&str, Tri)| StoreSubnetRule {
            rule: Sym::new(&format!("rule/{subnet}")),
            store: "a1".into(),
            subnet: (*subnet).into(),
            effective: *effective,
        };
        Box::leak(rules.iter().map(row).collect::<Vec<_>>().into_boxed_slice())
    }

    pub fn internet(address: &str) -> Source {
        Source::Public { addresses: vec![crate::model::net::parse_prefix(address).unwrap()], certain: true, origin: Origin::Internet }
    }

    pub fn azure(address: &str) -> Source {
        Source::Public { addresses: vec![crate::model::net::parse_prefix(address).unwrap()], certain: true, origin: Origin::Azure }
    }

    pub fn endpoint(subnet: &str, tenant: &str) -> Source {
        Source::ServiceEndpoint { subnet: subnet.into(), vnet: "v".into(), tenant: tenant.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::*;
    use super::*;

    // covers: FW-02, SND-02
    #[test]
    fn a_perimeter_in_the_input_leaves_the_firewall_open_to_doubt() {
        for allow in [Tri::Yes, Tri::No] {
            let mut firewall = with(&store(Service::Storage), |a| a.default_allow = allow);
            firewall.perimeter = true;
            assert_eq!(admit(&firewall, &internet("198.51.100.7")), Decision { admitted: Tri::Maybe, item: Item::Perimeter });
        }
    }

    // covers: FW-05, SND-02
    #[test]
    fn a_rule_that_nobody_can_read_may_admit_but_not_past_a_closed_switch() {
        let mut firewall = store(Service::Storage);
        firewall.unread = Unread::Any;
        assert_eq!(admit(&firewall, &internet("198.51.100.7")), Decision { admitted: Tri::Maybe, item: Item::Unread });
        let off = with(&firewall, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &internet("198.51.100.7")).admitted, Tri::No);
        firewall.unread = Unread::Subnets;
        assert_eq!(admit(&firewall, &internet("198.51.100.7")).admitted, Tri::No, "it admits a subnet");
        assert_eq!(admit(&firewall, &endpoint("a", "t1")).item, Item::Unread);
    }

    // covers: ST-07, FW-08
    #[test]
    fn an_address_rule_of_ipv6_proves_nothing() {
        let mut firewall = store(Service::Storage);
        firewall.ip_rules = ips(&[("20.0.0.1", "20.0.0.1"), ("2600:1f00::1", "2600:1f00::1")]);
        assert_eq!(admit(&firewall, &internet("20.0.0.1")).admitted, Tri::Yes);
        assert_eq!(admit(&firewall, &internet("2600:1f00::1")).admitted, Tri::Maybe);
        assert_eq!(admit(&firewall, &internet("2600:1f00::2")).admitted, Tri::No);
    }

    // covers: FW-03, FW-10
    #[test]
    fn what_the_switches_leave_open_is_maybe() {
        for service in [Service::Storage, Service::KeyVault] {
            let unknown = with(&store(service), |a| (a.public, a.default_allow) = (PublicAccess::Unknown, Tri::Yes));
            assert_eq!(admit(&unknown, &internet("198.51.100.7")).item, Item::PublicAccess(PublicAccess::Unknown));
            let default = with(&store(service), |a| a.default_allow = Tri::Maybe);
            assert_eq!(admit(&default, &internet("198.51.100.7")), Decision { admitted: Tri::Maybe, item: Item::Default(Tri::Maybe) });
            let mut nothing = store(service);
            nothing.access = None;
            assert_eq!(admit(&nothing, &internet("198.51.100.7")).admitted, Tri::Maybe);
        }
    }
}
