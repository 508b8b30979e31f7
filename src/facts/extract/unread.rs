//! A resource of which a value could not be read: what depends on it is unproven (SND-02).
//!
//! Where a resource that was not exported leaves open all that the value may have said, it counts as one; a store that may admit anybody is open as well.
//! Everywhere else a row of `unread` says that nothing is proven: whom the resource concerns is just what could not be read.

use serde_json::Value;

use crate::facts::Fact;
use crate::facts::extract::out::Out;
use crate::facts::extract::withdrawn;
use crate::facts::gap::Unread;
use crate::facts::network::DeviceKind;
use crate::facts::store_facts::PublicAccess;
use crate::model::{Sym, Tri};

/// Types of which nothing needs to be taken back: a rule or route that is not understood may match anything, what answers at a proxy or a machine is open.
const OPEN: &[&str] = &[
    "microsoft.compute/virtualmachines",
    "microsoft.network/applicationgateways",
    "microsoft.network/bastionhosts",
    "microsoft.network/networksecurityperimeters/profiles/accessrules",
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/routetables/routes",
];

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
];

/// Takes back what the other facts of the resource would prove.
pub(super) fn forget<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (id, kind) = (out.id(), out.resource.kind);
    let kind = kind.as_str();
    let taken = withdrawn::of_named(kind);
    let proxy = withdrawn::is_proxy(kind);
    // A rule of a store that is not understood leaves open whom the store lets in.
    let rule = kind.ends_with("/firewallrules") || kind.ends_with("/virtualnetworkrules");
    let only_rules = out.lost_paths().iter().all(|path| RULES.iter().any(|rule| starts(path, rule)));
    let mut bounded = taken.is_some() || OPEN.contains(&kind) || rule;
    out.revise(|fact| {
        match fact {
            Fact::Device(row) if proxy => row.kind = DeviceKind::Other,
            Fact::StoreAccess(row) => {
                (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe);
                bounded |= only_rules;
            }
            // Of rules that are asked in turn one may have stood before the others.
            Fact::StoreRuleSet(row) if row.part.is_empty() => {
                (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe);
                bounded = true;
            }
            _ => {}
        }
        !taken.is_some_and(|taken| taken.contains(&fact.relation().name))
    });
    if !bounded {
        let what = out.lost_paths().iter().min().map_or(Sym::EMPTY, |path| Sym::new(path));
        out.fact(Unread { resource: id, what });
        out.note_unread();
    }
    if kind == "microsoft.compute/virtualmachines" {
        withdrawn::another_interface(out);
    }
    withdrawn::claim_if_standing(out, body);
}

fn starts(path: &str, rule: &str) -> bool {
    path.get(..rule.len()).is_some_and(|start| start.eq_ignore_ascii_case(rule))
}
