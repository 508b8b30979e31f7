//! One resource to facts: a file for each family of Azure resource types.
//!
//! An extractor sees one resource at a time; whatever depends on another one is a rule's business. What it does not understand is a gap
//! ([`crate::facts::gap`]), a value of the wrong type a diagnostic besides; nothing is dropped in silence.

mod cloud;
mod connection;
mod device;
mod endpoint;
mod gateway;
mod host;
pub(crate) mod inert;
mod key_vault;
mod machine;
mod nic;
mod nsg;
mod out;
mod policy;
mod private_dns;
mod public_ip;
mod resolver;
mod route_table;
mod sql;
mod storage;
mod store;
mod vnet;

use serde_json::Value;

use crate::diag::Diagnostic;
use crate::facts::Fact;
use crate::facts::gap::{ChildType, Resource as ResourceRow, Tag};
use crate::ingest::{Resource, child_lists};
use crate::model::Sym;

use out::{Out, get, is_set};

pub use crate::facts::selector::UNKNOWN_TAG;
pub use inert::INERT;

/// The facts of one resource, and what was wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Extracted {
    /// The facts; some may be there twice.
    pub facts: Vec<Fact>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a whole resource lacks where its type has no extractor.
pub const TYPE_NOT_MODELLED: &str = "this type is not modelled";

/// Writes down what `resource` says: exactly one `resource` row, its tags, the relations of its type, and gaps for the rest.
pub fn extract(resource: &Resource) -> Extracted {
    let mut out = Out::new(resource);
    out.fact(ResourceRow {
        id: resource.id,
        kind: resource.kind,
        name: resource.name,
        location: resource.location,
        subscription: resource.subscription,
        tenant: resource.tenant,
        group: resource.group,
    });
    tags(&mut out);
    let kind = resource.kind.as_str();
    let extractor = extractor(kind);
    match get(&resource.body, "properties") {
        Some(properties) if is_set(properties) || properties.is_object() => {
            // An empty list says that there is no child of the type, a missing one says nothing (M-03).
            for (list, segment) in child_lists(kind) {
                if get(properties, list).is_some_and(Value::is_array) {
                    out.fact(ChildType { parent: resource.id, kind: Sym::lower(&format!("{kind}/{segment}")) });
                }
            }
            host::hosts(&mut out, kind, properties);
            resolver::firewall_policy(&mut out, kind, properties);
            match extractor {
                Some(extractor) => extractor(&mut out, properties),
                None if inert::reason(kind).is_some() => {}
                None => {
                    out.gap(TYPE_NOT_MODELLED);
                    device::elsewhere(&mut out, properties);
                    cloud::cloud(&mut out, kind, properties);
                }
            }
        }
        _ if inert::reason(kind).is_some() => {}
        _ if extractor.is_none() => out.gap(TYPE_NOT_MODELLED),
        _ => out.gap("the export holds no `properties`"),
    }
    out.finish()
}

/// Whether resources of the type (lower case) are understood: they have an extractor.
pub fn is_modelled(kind: &str) -> bool {
    extractor(kind).is_some()
}

type Extractor = for<'a> fn(&mut Out<'a>, &'a Value);

/// The types (lower case) that are understood; `*` stands for the parent of a private endpoint connection.
pub const MODELLED: &[&str] = &[
    "*/privateendpointconnections",
    "microsoft.classicstorage/storageaccounts",
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces",
    "microsoft.keyvault/vaults",
    "microsoft.network/applicationgateways",
    "microsoft.network/applicationsecuritygroups",
    "microsoft.network/azurefirewalls",
    "microsoft.network/bastionhosts",
    "microsoft.network/connections",
    "microsoft.network/dnsforwardingrulesets",
    "microsoft.network/dnsforwardingrulesets/forwardingrules",
    "microsoft.network/dnsforwardingrulesets/virtualnetworklinks",
    "microsoft.network/dnsresolvers",
    "microsoft.network/dnsresolvers/inboundendpoints",
    "microsoft.network/dnsresolvers/outboundendpoints",
    "microsoft.network/dnszones",
    "microsoft.network/dnszones/a",
    "microsoft.network/dnszones/aaaa",
    "microsoft.network/dnszones/caa",
    "microsoft.network/dnszones/cname",
    "microsoft.network/dnszones/ds",
    "microsoft.network/dnszones/mx",
    "microsoft.network/dnszones/naptr",
    "microsoft.network/dnszones/ns",
    "microsoft.network/dnszones/ptr",
    "microsoft.network/dnszones/soa",
    "microsoft.network/dnszones/srv",
    "microsoft.network/dnszones/tlsa",
    "microsoft.network/dnszones/txt",
    "microsoft.network/loadbalancers",
    "microsoft.network/loadbalancers/backendaddresspools",
    "microsoft.network/loadbalancers/inboundnatrules",
    "microsoft.network/localnetworkgateways",
    "microsoft.network/natgateways",
    "microsoft.network/networkinterfaces",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/networksecuritygroups/defaultsecurityrules",
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/privatednszones",
    "microsoft.network/privatednszones/a",
    "microsoft.network/privatednszones/aaaa",
    "microsoft.network/privatednszones/cname",
    "microsoft.network/privatednszones/mx",
    "microsoft.network/privatednszones/ptr",
    "microsoft.network/privatednszones/soa",
    "microsoft.network/privatednszones/srv",
    "microsoft.network/privatednszones/txt",
    "microsoft.network/privatednszones/virtualnetworklinks",
    "microsoft.network/privateendpoints",
    "microsoft.network/privateendpoints/privatednszonegroups",
    "microsoft.network/privatelinkservices",
    "microsoft.network/publicipaddresses",
    "microsoft.network/publicipprefixes",
    "microsoft.network/routetables",
    "microsoft.network/routetables/routes",
    "microsoft.network/serviceendpointpolicies",
    "microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions",
    "microsoft.network/virtualhubs",
    "microsoft.network/virtualnetworkgateways",
    "microsoft.network/virtualnetworks",
    "microsoft.network/virtualnetworks/subnets",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings",
    "microsoft.sql/servers",
    "microsoft.sql/servers/firewallrules",
    "microsoft.sql/servers/ipv6firewallrules",
    "microsoft.sql/servers/outboundfirewallrules",
    "microsoft.sql/servers/virtualnetworkrules",
    "microsoft.storage/storageaccounts",
];

fn extractor(kind: &str) -> Option<Extractor> {
    Some(match kind {
        "microsoft.network/virtualnetworks" => vnet::vnet,
        "microsoft.network/virtualnetworks/subnets" => vnet::subnet,
        "microsoft.network/virtualnetworks/virtualnetworkpeerings" => vnet::peering,
        "microsoft.network/networkinterfaces" | "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces" => nic::nic,
        "microsoft.compute/virtualmachines" => machine::machine,
        "microsoft.compute/virtualmachinescalesets" => machine::scale_set,
        "microsoft.network/publicipaddresses" => public_ip::address,
        "microsoft.network/publicipprefixes" => public_ip::prefix,
        "microsoft.network/natgateways" => public_ip::nat_gateway,
        "microsoft.network/networksecuritygroups" => nsg::nsg,
        "microsoft.network/networksecuritygroups/securityrules" => nsg::rule,
        "microsoft.network/networksecuritygroups/defaultsecurityrules" => nsg::default_rule,
        "microsoft.network/applicationsecuritygroups" => nsg::asg,
        "microsoft.network/routetables" => route_table::table,
        "microsoft.network/routetables/routes" => route_table::route,
        "microsoft.network/virtualnetworkgateways" => gateway::gateway,
        "microsoft.network/connections" => gateway::connection,
        "microsoft.network/localnetworkgateways" => gateway::local_gateway,
        "microsoft.network/loadbalancers" => device::load_balancer,
        "microsoft.network/loadbalancers/backendaddresspools" => device::own_pool,
        "microsoft.network/loadbalancers/inboundnatrules" => device::own_nat_rule,
        "microsoft.network/azurefirewalls" => device::azure_firewall,
        "microsoft.network/applicationgateways" => device::application_gateway,
        "microsoft.network/bastionhosts" => device::bastion,
        "microsoft.network/virtualhubs" => device::virtual_hub,
        "microsoft.network/privatelinkservices" => device::private_link_service,
        "microsoft.network/privateendpoints" => endpoint::endpoint,
        "microsoft.network/privateendpoints/privatednszonegroups" => endpoint::zone_group,
        "microsoft.network/dnsresolvers" => resolver::resolver,
        "microsoft.network/dnsresolvers/inboundendpoints" => resolver::inbound,
        "microsoft.network/dnsresolvers/outboundendpoints" => resolver::outbound,
        "microsoft.network/dnsforwardingrulesets" => resolver::ruleset,
        "microsoft.network/dnsforwardingrulesets/forwardingrules" => resolver::rule,
        "microsoft.network/dnsforwardingrulesets/virtualnetworklinks" => resolver::ruleset_link,
        "microsoft.network/dnszones" => private_dns::public_zone,
        "microsoft.network/privatednszones" => private_dns::zone,
        "microsoft.network/privatednszones/virtualnetworklinks" => private_dns::link,
        "microsoft.network/serviceendpointpolicies" => policy::policy,
        "microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions" => policy::definition,
        "microsoft.storage/storageaccounts" => storage::account,
        "microsoft.classicstorage/storageaccounts" => storage::classic,
        "microsoft.keyvault/vaults" => key_vault::vault,
        "microsoft.sql/servers" => sql::server,
        "microsoft.sql/servers/firewallrules" | "microsoft.sql/servers/ipv6firewallrules" => sql::firewall_rule,
        "microsoft.sql/servers/virtualnetworkrules" => sql::subnet_rule,
        "microsoft.sql/servers/outboundfirewallrules" => sql::outbound_rule,
        _ if kind.ends_with("/privateendpointconnections") => connection::provider,
        _ => match kind.rsplit_once('/')? {
            ("microsoft.network/privatednszones", "a" | "aaaa" | "cname" | "mx" | "ptr" | "soa" | "srv" | "txt")
            | (
                "microsoft.network/dnszones",
                "a" | "aaaa" | "caa" | "cname" | "ds" | "mx" | "naptr" | "ns" | "ptr" | "soa" | "srv" | "tlsa" | "txt",
            ) => private_dns::record,
            _ => return None,
        },
    })
}

fn tags(out: &mut Out<'_>) {
    let Some(Value::Object(tags)) = get(&out.resource.body, "tags") else { return };
    let resource = out.id();
    for (key, value) in tags {
        let value = match value {
            Value::String(text) => Sym::new(text),
            Value::Null => Sym::EMPTY,
            other => Sym::new(&other.to_string()),
        };
        out.fact(Tag { resource, key: Sym::lower(key), value });
    }
}

#[cfg(test)]
mod tests;
