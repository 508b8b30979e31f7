//! What to say where a selector names nothing, or nothing that sends or answers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::config::Names;
use crate::config::selector::{Glob, Kind, Pattern, SelectorError, nearest};
use crate::explain::way::End;
use crate::model::ids::id_parts;

impl Names<'_> {
    pub(super) fn nothing(&self, text: &str, pattern: &Pattern) -> SelectorError {
        let error = |message: String| SelectorError::new(message);
        match pattern {
            Pattern::Named { kind, name, within, .. } => {
                let known: BTreeSet<&str> = self.by_name.keys().filter(|(k, _)| k == kind).map(|(_, name)| *name).collect();
                let near = if *kind == Kind::Subnet {
                    let network = within.as_ref().map(Glob::text);
                    let all = self.index.subnet.rows();
                    let near: Vec<_> =
                        all.filter(|row| network.is_some_and(|n| n == id_parts(row.vnet.as_str()).name)).map(|row| row.subnet).collect();
                    near.into_iter().map(|id| self.short(End::Subnet(id))).collect()
                } else {
                    nearest(name.text(), known.iter().copied())
                        .into_iter()
                        .map(|near| format!("{}:{near}", kind.as_str()))
                        .collect::<Vec<_>>()
                };
                suggest(error(format!("no {} is called `{}`", kind.noun(), text.split_once(':').map_or(text, |(_, name)| name))), near)
            }
            Pattern::Id(id) => {
                let name = id_parts(id.as_str()).name;
                let near = self
                    .index
                    .resource
                    .rows()
                    .filter(|row| id_parts(row.id.as_str()).name == name)
                    .map(|row| row.id.as_str().to_owned())
                    .collect();
                suggest(error(format!("`{text}` is not in the input")), near)
            }
            Pattern::Bare(name) => {
                if name.text().parse::<IpAddr>().is_ok() {
                    return error(format!("nothing is called `{text}`")).help(format!("write `ip:{text}` for the address"));
                }
                let known: BTreeSet<&str> = self.by_name.keys().map(|(_, name)| *name).collect();
                let near: BTreeSet<&str> = nearest(name.text(), known.into_iter()).into_iter().collect();
                let near = self
                    .by_name
                    .keys()
                    .filter(|(_, name)| near.contains(name))
                    .map(|(kind, name)| format!("{}:{name}", kind.as_str()))
                    .collect();
                let error = suggest(error(format!("nothing is called `{text}`")), near);
                if error.candidates.is_empty() && name.text().contains('.') {
                    error.help(format!("write `fqdn:{text}` for a host name"))
                } else {
                    error
                }
            }
            Pattern::Tag { .. } => error(format!("nothing that sends or answers carries `{text}`")),
            Pattern::Label(_) => error(format!("nothing in the input carries `{text}`")),
            Pattern::Ip(_) | Pattern::Internet(_) | Pattern::Fqdn(_) | Pattern::External(_) => error(format!("`{text}` names nothing")),
        }
    }
}

pub(super) fn suggest(mut error: SelectorError, near: Vec<String>) -> SelectorError {
    if !near.is_empty() {
        error.message.push_str(if near.len() == 1 { "; did you mean this" } else { "; did you mean one of these" });
    }
    error.candidates(near)
}

/// Namespaces of resources that neither send nor answer.
const PASSIVE_NAMESPACES: [&str; 8] = [
    "microsoft.authorization/",
    "microsoft.insights/",
    "microsoft.managedidentity/",
    "microsoft.resources/",
    "microsoft.security/",
    "microsoft.advisor/",
    "microsoft.policyinsights/",
    "microsoft.alertsmanagement/",
];

/// Types, with all their children, that configure others and are no ends of flows.
const PASSIVE_TYPES: [&str; 28] = [
    "microsoft.compute/availabilitysets",
    "microsoft.compute/diskencryptionsets",
    "microsoft.compute/disks",
    "microsoft.compute/galleries",
    "microsoft.compute/images",
    "microsoft.compute/proximityplacementgroups",
    "microsoft.compute/restorepointcollections",
    "microsoft.compute/snapshots",
    "microsoft.compute/sshpublickeys",
    "microsoft.keyvault/vaults",
    "microsoft.network/applicationsecuritygroups",
    "microsoft.network/connections",
    "microsoft.network/ddosprotectionplans",
    "microsoft.network/dnszones",
    "microsoft.network/firewallpolicies",
    "microsoft.network/ipgroups",
    "microsoft.network/natgateways",
    "microsoft.network/networkmanagers",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/networksecurityperimeters",
    "microsoft.network/networkwatchers",
    "microsoft.network/privatednszones",
    "microsoft.network/publicipaddresses",
    "microsoft.network/publicipprefixes",
    "microsoft.network/routetables",
    "microsoft.network/serviceendpointpolicies",
    "microsoft.network/virtualnetworks",
    "microsoft.storage/storageaccounts",
];

/// Whether resources of the type are no ends of flows. An unknown type is one: it may send.
pub(super) fn is_passive(kind: &str) -> bool {
    let under = |base: &str| kind == base || (kind.len() > base.len() && kind.starts_with(base) && kind.as_bytes()[base.len()] == b'/');
    PASSIVE_NAMESPACES.iter().any(|namespace| kind.starts_with(namespace)) || PASSIVE_TYPES.iter().any(|base| under(base))
}
