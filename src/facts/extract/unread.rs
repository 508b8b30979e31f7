//! A resource of which a value could not be read: what depends on it is unproven (SND-02).
//!
//! Where a resource that was not exported leaves open all that the value may have said, it counts as one; a store that may admit anybody is open as well.
//! Everywhere else a row of `unread` says that nothing is proven: whom the resource concerns is just what could not be read.

use serde_json::Value;

use crate::facts::Fact;
use crate::facts::extract::out::Out;
use crate::facts::extract::{load_balancer, policy, withdrawn};
use crate::facts::gap::{Unread, UnreadRule};
use crate::facts::network::DeviceKind;
use crate::facts::private_access::{Consent, EndpointPolicyScope, ProviderConnection};
use crate::facts::store_facts::{PublicAccess, StoreResourceRule};
use crate::ingest::Resource;
use crate::model::{Sym, Tri, ids};

/// Types of which nothing needs to be taken back: a rule or route that is not understood may match anything, what answers at a proxy or a machine is open.
const OPEN: &[&str] = &[
    "microsoft.compute/virtualmachines",
    withdrawn::INSTANCE,
    "microsoft.network/applicationgateways",
    "microsoft.network/bastionhosts",
    ACCESS_RULES,
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/routetables/routes",
];

const ACCESS_RULES: &str = "microsoft.network/networksecurityperimeters/profiles/accessrules";

const DEFINITIONS: &str = "microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions";

/// What the rules of a store are called in its body; anything else says where it is and what it is.
const RULES: &[&str] = &[
    "properties.publicNetworkAccess",
    "properties.networkAcls",
    "properties.networkRuleSet",
    "properties.ipRules",
    "properties.ipRangeFilter",
    "properties.virtualNetworkRules",
    "properties.isVirtualNetworkFilterEnabled",
    "properties.inboundIpRules",
    "properties.networkAclBypassResourceIds",
];

/// Those of them that name resources.
const CALLERS: &[&str] = &[
    "properties.networkAcls.resourceAccessRules",
    "properties.networkRuleSet.resourceAccessRules",
    "properties.networkAclBypassResourceIds",
];

/// What says in a store's body that services of Azure pass.
const BYPASS: &[&str] = &["properties.networkAcls.bypass", "properties.networkRuleSet.bypass"];

/// Lists of rules for addresses and subnets, of stores whose default action stands beside them: they only ever let in (FW-05), whatever else could be read. Where
/// there is no such action an entry decides whether there is a firewall at all.
const LISTS: &[(&str, &[&str])] = &[
    ("microsoft.cognitiveservices/accounts", &["properties.networkAcls.ipRules", "properties.networkAcls.virtualNetworkRules"]),
    ("microsoft.containerregistry/registries", &["properties.networkRuleSet.ipRules", "properties.networkRuleSet.virtualNetworkRules"]),
    ("microsoft.keyvault/vaults", &["properties.networkAcls.ipRules", "properties.networkAcls.virtualNetworkRules"]),
    (
        "microsoft.storage/storageaccounts",
        &[
            "properties.networkAcls.ipRules",
            "properties.networkAcls.virtualNetworkRules",
            "properties.networkRuleSet.ipRules",
            "properties.networkRuleSet.virtualNetworkRules",
        ],
    ),
];

/// The pools of a load balancer in its body.
const POOLS: &str = "properties.backendAddressPools";

/// Takes back what the other facts of the resource would prove.
pub(super) fn forget<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (id, kind) = (out.id(), out.resource.kind);
    let kind = kind.as_str();
    let taken = withdrawn::of_named(kind);
    let proxy = withdrawn::is_proxy(kind);
    let only_rules = out.lost_paths().iter().all(|path| RULES.iter().any(|rule| starts(path, rule)));
    // A rule for resources that call in their own name admits nobody else (ST-09, COS-02).
    let of_caller = |path: &String| CALLERS.iter().chain(BYPASS).any(|rule| starts(path, rule));
    let lists = LISTS.iter().find(|(of, _)| *of == kind).map_or::<&[&str], _>(&[], |(_, lists)| lists);
    let in_list = |path: &String| lists.iter().any(|list| starts(path, list));
    let only_admitting = out.lost_paths().iter().all(|path| of_caller(path) || in_list(path));
    let some_caller = only_admitting && out.lost_paths().iter().any(of_caller);
    let some_bypass = out.lost_paths().iter().any(|path| BYPASS.iter().any(|rule| starts(path, rule)));
    let rules: Vec<Sym> = out.lost_paths().iter().filter(|path| only_admitting && in_list(path)).map(|path| Sym::new(path)).collect();
    // Whether rules for subnets count, beside whatever else filters (COS-03).
    let only_filter = out.lost_paths().iter().all(|path| starts(path, "properties.isVirtualNetworkFilterEnabled"));
    // Who is in a pool finds a way out, or loses one, without saying so itself (IN-06, OUT-05).
    let pools = kind == load_balancer::POOL || out.lost_paths().iter().any(|path| starts(path, POOLS));
    // Whether a machine is in a scale set decides whether it has the default way out (OUT-07).
    let scaled = out.lost_paths().iter().any(|path| starts(path, "properties.virtualMachineScaleSet"));
    // A rule that is not understood leaves open whom its store lets in.
    let mut bounded = !pools && !scaled && (taken.is_some() || OPEN.contains(&kind) || holder_of(out.resource).is_some());
    out.revise(|fact| {
        match fact {
            Fact::Device(row) if proxy => row.kind = DeviceKind::Other,
            Fact::StoreAccess(row) if only_admitting => {
                row.trusted &= !some_bypass; // whoever it lets in is nobody by name
                bounded = true;
            }
            Fact::StoreAccess(_) if only_filter => bounded = true,
            Fact::StoreSubnetRule(row) if only_filter => row.effective = row.effective.and(Tri::Maybe),
            Fact::StoreAccess(row) => {
                (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe);
                bounded |= only_rules;
            }
            Fact::StoreRuleSet(row) => {
                (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe);
                bounded = true;
            }
            _ => {}
        }
        !taken.is_some_and(|taken| taken.contains(&fact.relation().name))
    });
    if some_caller {
        out.fact(StoreResourceRule::nameless(id));
    }
    for what in rules {
        out.fact(UnreadRule { holder: id, what });
    }
    // What a definition of an endpoint policy lists is about storage, and may be anything there (SEP-02, SEP-05).
    if kind == DEFINITIONS {
        out.fact(EndpointPolicyScope { definition: id, policy: out.parent(), service: Sym::EMPTY, scope: Sym::new(policy::UNTOLD) });
        bounded = true;
    }
    bounded |= load_balancer::leave_open(out) && !pools;
    if !bounded {
        let what = out.lost_paths().iter().min().map_or(Sym::EMPTY, |path| Sym::new(path));
        out.fact(Unread { resource: id, what });
        out.note_unread();
    }
    if ["microsoft.compute/virtualmachines", withdrawn::INSTANCE].contains(&kind) {
        withdrawn::another_interface(out);
    }
    withdrawn::claim_if_standing(out, body);
}

/// A list of the private endpoints that are connected to a store, or an entry of it, that could not be read: it concerns this store alone, and any endpoint may be
/// in it, in whatever state (PE-11). Entries that are resources were taken out.
pub(super) fn connections<'a>(out: &mut Out<'a>, list: &str, value: &'a Value) {
    match value.is_array() {
        true => out.gap(format!("`properties.{list}` holds something that is no resource")),
        false => out.wrong(value, "a list"),
    }
    let target = out.id();
    let connection = Sym::new(&format!("{target}/privateendpointconnections"));
    out.fact(ProviderConnection { connection, target, endpoint: Sym::EMPTY, state: Consent::Unknown, settled: false });
}

/// The store or profile whose rule the resource is, for the types that are one rule each.
pub(super) fn holder_of(resource: &Resource) -> Option<Sym> {
    let kind = resource.kind.as_str();
    let of_store = ["/firewallrules", "/ipv6firewallrules", "/virtualnetworkrules"].iter().any(|segment| kind.ends_with(segment));
    let rule = of_store || kind == ACCESS_RULES;
    let parent = ids::parent_id(resource.id.as_str()).map(Sym::new);
    parent.filter(|_| rule)
}

/// Says of a store, or of the profile of a perimeter, that something is not known of whom it lets in: where the resource is one of its rules and anything of it
/// was not understood, or holds switches that are not known.
pub(super) fn rules(out: &mut Out<'_>) {
    let mut found: Vec<UnreadRule> = Vec::new();
    if let (Some(holder), Some(what)) = (holder_of(out.resource), out.first_gap()) {
        found.push(UnreadRule { holder, what });
    }
    let what = Sym::new("properties.publicNetworkAccess");
    found.extend(out.facts().iter().filter_map(|fact| match fact {
        Fact::StoreAccess(row) if row.public == PublicAccess::Unknown => Some(UnreadRule { holder: row.store, what }),
        Fact::StoreRuleSet(row) if row.public == PublicAccess::Unknown => Some(UnreadRule { holder: row.store, what }),
        _ => None,
    }));
    found.into_iter().for_each(|row| out.fact(row));
}

fn starts(path: &str, rule: &str) -> bool {
    path.get(..rule.len()).is_some_and(|start| start.eq_ignore_ascii_case(rule))
}
