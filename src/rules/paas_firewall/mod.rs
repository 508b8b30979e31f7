//! Whom a store's own firewall admits over its public front end.
//!
//! `storage`, `key_vault` and `sql` hold the order of each service, `ranges` compares addresses, `caller` knows the platform's own callers. Traffic over a
//! private endpoint never comes here: consent is its only gate (FW-01, PE-28, ST-03, SQL-09).

mod caller;
mod key_vault;
mod ranges;
mod sql;
mod storage;

use std::net::IpAddr;

use crate::facts::Index;
use crate::facts::store_facts::*;
use crate::model::ids::{id_parts, parent_id};
use crate::model::{Prefix, Sym, Tri};
use crate::rules::perimeter;

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
        except: Vec<Prefix>,
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
    /// The account is of the old deployment model and has no firewall (ST-14).
    NoFirewall,
    /// A list of rules is not in the input (M-03).
    Missing {
        /// The child type.
        list: Sym,
    },
    /// A network security perimeter in the input may decide instead (FW-02).
    Perimeter,
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
    /// Whether a perimeter may hold the store and the input does not tell (FW-02).
    pub perimeter: bool,
    /// Whether a rule of the store could not be read. Rules only admit (FW-05), so what is refused without it is not proven (SND-02).
    pub unread: bool,
}

/// The child types of a SQL server that hold its rules (decision 24).
const SQL_IP_RULES: &str = "microsoft.sql/servers/firewallrules";
const SQL_SUBNET_RULES: &str = "microsoft.sql/servers/virtualnetworkrules";

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
        Service::Sql => sql::admit(firewall, source),
    };
    // A closed switch needs no rules.
    if firewall.unread && decision.admitted == Tri::No && !matches!(decision.item, Item::PublicAccess(_)) {
        return Decision { admitted: Tri::Maybe, item: Item::Unread };
    }
    decision
}

/// The common end of every order: a bypass beats the switch, the switch beats the default action, that beats the rules, and the rest is denied.
fn settle(bypass: Decision, public: PublicAccess, default: Tri, matched: Decision) -> Decision {
    let open = match public {
        PublicAccess::Enabled => Tri::Yes,
        PublicAccess::Disabled | PublicAccess::SecuredByPerimeter => Tri::No,
        PublicAccess::Unknown => Tri::Maybe,
    };
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
        (admitted, Some(rule)) => Decision { admitted, item: Item::Ip { rule: rule.rule, from: rule.from, to: rule.to } },
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

/// [`admit`] on the rows of the index; `None` where the input has no such store.
pub fn of(index: &Index, store: Sym, source: &Source) -> Option<Decision> {
    firewall(index, store).map(|firewall| admit(&firewall, source))
}

/// The rows of one store's firewall.
pub fn firewall(index: &Index, store: Sym) -> Option<Firewall<'_>> {
    let row = *index.store.one(store)?;
    let (ip_complete, subnet_complete) = match row.service {
        Service::Sql => (complete(index, store, SQL_IP_RULES), complete(index, store, SQL_SUBNET_RULES)),
        Service::Storage | Service::KeyVault => (true, true),
    };
    let gap_in_rules = |what: Sym| what.as_str().to_lowercase().contains("rule") || what.as_str().contains("networkAcls");
    let children = [SQL_IP_RULES, SQL_SUBNET_RULES].iter().flat_map(|kind| index.resources_by_kind.get(Sym::new(kind)));
    let unread = index.gaps.get(store).iter().any(|gap| gap_in_rules(gap.what))
        || children
            .filter(|_| row.service == Service::Sql)
            .any(|rule| parent_id(rule.id.as_str()) == Some(store.as_str()) && index.gaps.has(rule.id));
    Some(Firewall {
        store: row,
        tenant: index.resource.one(store).map_or(Sym::EMPTY, |r| r.tenant),
        access: index.store_access.one(store).copied(),
        ip_rules: index.store_ip_rules.get(store),
        ip_complete,
        subnet_rules: index.store_subnet_rules.get(store),
        subnet_complete,
        resource_rules: index.store_resource_rules.get(store),
        perimeter: perimeter::membership_unknown(index),
        unread,
    })
}

/// Whether what the input lacks of the child type does not exist (M-03, decisions 8 and 24).
fn complete(index: &Index, store: Sym, kind: &str) -> bool {
    let sql = |store: Sym| index.store.one(store).is_some_and(|s| s.service == Service::Sql);
    let any_row = || match kind {
        SQL_IP_RULES => index.store_ip_rule.rows().any(|rule| sql(rule.store)),
        _ => index.store_subnet_rule.rows().any(|rule| sql(rule.store)),
    };
    let kind_sym = Sym::new(kind);
    index.child_type.get(store).iter().any(|c| c.kind == kind_sym)
        || index.complete_type.has(kind_sym)
        || index.resources_by_kind.has(kind_sym)
        || any_row()
}

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
            perimeter: false,
            unread: false,
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
        firewall.unread = true;
        assert_eq!(admit(&firewall, &internet("198.51.100.7")), Decision { admitted: Tri::Maybe, item: Item::Unread });
        let off = with(&firewall, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &internet("198.51.100.7")).admitted, Tri::No);
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
