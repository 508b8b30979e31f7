//! What the input holds of one store's firewall.

use crate::facts::Index;
use crate::facts::gap::UnreadRule;
use crate::facts::platform::Platform;
use crate::facts::selector::{Selector, UNKNOWN_TAG};
use crate::facts::store_facts::*;
use crate::model::{Sym, Tri};
use crate::rules::dns::names;
use crate::rules::paas_firewall::{Firewall, Listed, Lists, Unread};
use crate::rules::{consent, lead, perimeter, private_endpoint};

/// The rows of one store's firewall, as it stands before `part`.
pub fn firewall<'a>(index: &'a Index, platform: &'a Platform, store: Sym, part: Sym) -> Option<Firewall<'a>> {
    let row = *index.store.one(store)?;
    let lists = lists(index, &row);
    let rule_set = rule_set(index, store, part);
    let listed = rule_set.map_or(Vec::new(), |set| listed(index, platform, set.rule_set));
    Some(Firewall {
        store: row,
        tenant: index.resource.one(store).map_or(Sym::EMPTY, |r| r.tenant),
        access: index.store_access.one(store).copied(),
        ip_rules: index.store_ip_rules.get(store),
        ip_complete: lists.ip.is_empty() || complete(index, &row, lists.ip, List::Addresses),
        subnet_rules: index.store_subnet_rules.get(store),
        subnet_complete: lists.subnet.is_empty() || complete(index, &row, lists.subnet, List::Subnets),
        resource_rules: index.store_resource_rules.get(store),
        lists,
        rule_set,
        rule_set_complete: lists.set.is_empty() || complete(index, &row, lists.set, List::Set),
        listed,
        connected: connected(index, &row),
        perimeter: perimeter::membership_unknown(index),
        hidden: index.hidden_rules.has(Sym::new(row.service.as_str())),
        unread: unread(index.unread_rules.get(store)),
    })
}

/// What of a store's rules could not be read, by where it stands: a rule for subnets, or their list, stands below `virtualNetworkRules`.
fn unread(rows: &[UnreadRule]) -> Unread {
    let names_subnets = |row: &UnreadRule| row.what.as_str().split('.').any(|name| name.eq_ignore_ascii_case("virtualNetworkRules"));
    match rows {
        [] => Unread::None,
        rows if rows.iter().all(names_subnets) => Unread::Subnets,
        _ => Unread::Any,
    }
}

/// The child types in which the rules of a store stand.
fn lists(index: &Index, store: &Store) -> Lists {
    let own = index.resource.one(store.store).map(|row| row.kind);
    let of = |segment: &str| {
        let kind = own.unwrap_or_else(|| names::resource_kind(index, store));
        Sym::new(&format!("{kind}/{segment}"))
    };
    let none = Lists::default();
    match store.service {
        Service::Sql | Service::Database | Service::DataLake => {
            Lists { ip: of("firewallrules"), subnet: of("virtualnetworkrules"), ..none }
        }
        Service::Flexible | Service::Synapse | Service::Redis => Lists { ip: of("firewallrules"), ..none },
        Service::EventHub | Service::ServiceBus | Service::Relay => Lists { set: of("networkrulesets"), ..none },
        Service::Web => Lists { set: of("config"), ..none },
        _ => none,
    }
}

/// One of the kinds of children.
#[derive(Clone, Copy)]
enum List {
    Addresses,
    Subnets,
    Set,
}

/// Whether what the input lacks of the child type does not exist (M-03, decisions 8 and 24).
fn complete(index: &Index, store: &Store, kind: Sym, list: List) -> bool {
    let alike = |other: Sym| index.store.one(other).is_some_and(|row| row.service == store.service);
    // The configurations of apps and those of slots are types of their own, and what an app repeats in its body is neither.
    let is_slot = |id: Sym| id.as_str().contains("/slots/");
    let configured = |set: &StoreRuleSet| {
        let id = set.rule_set.as_str();
        is_slot(set.store) == is_slot(store.store) && (!id.starts_with('/') || id.contains("/config/"))
    };
    let any_row = || match list {
        // The rows of one Data Lake store stand in its own body, which says nothing of another's.
        _ if store.service == Service::DataLake => false,
        List::Addresses => index.store_ip_rule.rows().any(|rule| alike(rule.store)),
        List::Subnets => index.store_subnet_rule.rows().any(|rule| alike(rule.store)),
        List::Set if store.service == Service::Web => index.store_rule_set.rows().any(|set| alike(set.store) && configured(set)),
        List::Set => index.store_rule_set.rows().any(|set| alike(set.store)),
    };
    // Of the configuration of an app only one child holds restrictions.
    let exported =
        || index.resources_by_kind.get(kind).iter().any(|row| store.service != Service::Web || row.id.as_str().ends_with("/config/web"));
    index.lists_children(store.store, kind) || exported() || any_row()
}

/// The switches for the part: those of a resource of their own before those that the store's body repeats.
fn rule_set(index: &Index, store: Sym, part: Sym) -> Option<StoreRuleSet> {
    let rows = index.store_rule_sets.get(store).iter().filter(|row| row.part.is_empty() || row.part == part);
    rows.min_by_key(|row| (!row.rule_set.as_str().contains("/config/"), row.rule_set.as_str())).copied()
}

/// The rules of an ordered list, in order.
fn listed<'a>(index: &'a Index, platform: &'a Platform, rule_set: Sym) -> Vec<Listed<'a>> {
    let mut rules: Vec<StoreListRule> = index.store_list_rules.get(rule_set).to_vec();
    rules.sort_by_key(|rule| (rule.position, rule.rule.as_str()));
    rules
        .into_iter()
        .map(|rule| {
            let mut found = Listed { rule, prefixes: Vec::new(), any: false, own: Vec::new(), unknown: false };
            for selector in rule.source.items() {
                match selector {
                    Selector::Any => found.any = true,
                    Selector::Prefix(prefix) => found.own.push(prefix),
                    Selector::Tag(tag) => match platform.tag(tag) {
                        Some(prefixes) if tag.as_str() != UNKNOWN_TAG => found.prefixes.push(prefixes),
                        _ => found.unknown = true,
                    },
                    Selector::Asg(_) => found.unknown = true,
                }
            }
            found
        })
        .collect()
}

/// Whether a private endpoint is connected, for the services whose public front end depends on it: surely where one is approved (APP-03, COS-07).
fn connected(index: &Index, store: &Store) -> Tri {
    if !matches!(store.service, Service::Cosmos | Service::Web) {
        return Tri::No;
    }
    let mut groups: Vec<Sym> =
        index.store_parts.get(store.store).iter().map(|part| private_endpoint::group(part.part, part.instance)).collect();
    groups.sort_unstable();
    groups.dedup();
    let approved = groups.iter().fold(Tri::No, |any, &group| {
        // Any connection counts, for whichever sub-resource; only one of an app with slots may be for another.
        let sure = store.service == Service::Cosmos || private_endpoint::only_group(index, store.store, group);
        any.or(consent::approved_for(index, store.store, group, sure))
    });
    // Only an approved one closes an account, for whichever protocol; one that a single view calls so may be (COS-06, COS-07).
    if store.service == Service::Cosmos {
        let listed = index.provider_connections_by_target.get(store.store).iter().map(|row| consent::says(row.state, row.settled));
        let named = index.private_endpoint_connections_by_target.get(store.store).iter().map(|row| consent::says(row.state, row.settled));
        return listed.chain(named).map(|says| says.and(Tri::Maybe)).fold(approved, Tri::or);
    }
    // What one that waits for consent does to an app is not documented. One that names a slot is the slot's.
    let of_slot = |group: Sym| group.as_str().starts_with("sites-");
    let any_here = index.private_endpoint_connections_by_target.get(store.store).iter().any(|connection| !of_slot(connection.group));
    let waiting = any_here || groups.iter().any(|&group| !lead::leads(index, store.store, group).is_empty());
    if waiting { approved.or(Tri::Maybe) } else { approved }
}
