//! One resource to facts: a file for each family of Azure resource types.
//!
//! An extractor sees one resource at a time; whatever depends on another one is a rule's business. What it does not understand is a gap
//! ([`crate::facts::gap`]), a value of the wrong type a diagnostic besides; nothing is dropped in silence.

mod application_gateway;
mod azure_firewall;
mod cloud;
mod connection;
mod cosmos;
mod declared;
mod device;
mod endpoint;
mod gateway;
mod host;
mod hub;
pub(crate) mod inert;
mod key_vault;
mod load_balancer;
mod machine;
mod manager;
mod messaging;
mod nic;
mod nsg;
mod observed;
mod out;
mod paas;
mod perimeter;
mod policy;
mod private_dns;
mod private_link;
mod public_ip;
mod registry;
mod resolver;
mod route_table;
mod site;
mod sql;
mod stated;
mod storage;
mod store;
mod unread;
mod vnet;
mod withdrawn;

use serde_json::Value;

use crate::diag::Diagnostic;
use crate::facts::Fact;
use crate::facts::gap::{ChildType, Gap, Resource as ResourceRow, Tag, UnreadRule};
use crate::facts::store_facts::{PublicAccess, Service};
use crate::ingest::{Resource, child_lists};
use crate::model::{Sym, Tri};

use out::{Out, get, is_set};

pub use crate::facts::selector::UNKNOWN_TAG;
pub use inert::INERT;
pub use stated::KEPT;

/// The facts of one resource, and what was wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Extracted {
    /// The facts; some may be there twice.
    pub facts: Vec<Fact>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether a fact depends on a tenant that the body does not say and a parent or another copy may.
    pub wants_tenant: bool,
}

/// What a whole resource lacks where its type has no extractor.
pub const TYPE_NOT_MODELLED: &str = "this type is not modelled";

/// Writes down what `resource` says: exactly one `resource` row, its tags, the relations of its type, and gaps for the rest.
pub fn extract(resource: &Resource) -> Extracted {
    written_down(Out::new(resource))
}

/// The same for a resource whose `copies` contradict each other: as good as one that could not be read. What may be said of such a one, whatever it is, both say.
pub fn contested(copies: [&Resource; 2]) -> Extracted {
    let mut all = Extracted { facts: Vec::new(), diagnostics: Vec::new(), wants_tenant: false };
    let copies_of_it = copies.map(|resource| {
        let mut out = Out::new(resource);
        out.contest();
        written_down(out)
    });
    let doubts = observed::doubts([&copies_of_it[0].facts, &copies_of_it[1].facts]);
    for extracted in copies_of_it {
        all.facts.extend(extracted.facts);
        all.diagnostics.extend(extracted.diagnostics);
        all.wants_tenant |= extracted.wants_tenant;
    }
    all.facts.retain(|fact| !observed::is_learned(fact));
    all.facts.extend(doubts);
    let what = Sym::new("two copies contradict each other");
    all.facts.push(Fact::Gap(Gap { resource: copies[0].id, kind: copies[0].kind, what }));
    if let Some(holder) = unread::holder_of(copies[0]) {
        all.facts.push(Fact::UnreadRule(UnreadRule { holder, what }));
    }
    // One row is the resource's own.
    let row = |fact: &Fact| matches!(fact, Fact::Resource(_));
    let first = all.facts.iter().find(|fact| row(fact)).copied();
    all.facts.retain(|fact| !row(fact));
    all.facts.splice(0..0, first);
    all
}

fn written_down(mut out: Out<'_>) -> Extracted {
    let resource = out.resource;
    out.fact(ResourceRow {
        id: resource.id,
        kind: resource.kind,
        name: resource.name,
        location: resource.location,
        subscription: resource.subscription,
        tenant: resource.tenant,
        group: resource.group,
    });
    envelope(&mut out);
    tags(&mut out);
    stated::properties(&mut out);
    let kind = resource.kind.as_str();
    let extractor = extractor(kind);
    match get(&resource.body, "properties") {
        Some(properties) if properties.is_object() => {
            // An empty list says that there is no child of the type, a missing one says nothing (M-03).
            for (list, segment) in child_lists(kind) {
                match get(properties, list) {
                    Some(Value::Array(items)) => {
                        out.fact(ChildType { parent: resource.id, kind: Sym::lower(&format!("{kind}/{segment}")) });
                        // Those that are resources were taken out; where one was none, that was said.
                        if !items.is_empty() {
                            out.lost_before(
                                &format!("properties.{list}"),
                                &format!("`properties.{list}` holds something that is no resource"),
                            );
                        }
                    }
                    Some(other) => out.lost(other, "a list"),
                    None => {}
                }
            }
            host::hosts(&mut out, kind, properties);
            match extractor {
                // Of a rule or route nothing is known but that it is there.
                Some(extractor) if out.is_contested() && UNKNOWN_WITHOUT_BODY.contains(&kind) => extractor(&mut out, &Value::Null),
                Some(extractor) => {
                    extractor(&mut out, properties);
                    if out.has_lost() {
                        unread::forget(&mut out, properties);
                    }
                    if out.is_contested() || out.is_cut() {
                        withdrawn::forget(&mut out, properties);
                    }
                }
                None if inert::reason(kind).is_some() => {}
                None => {
                    out.gap(TYPE_NOT_MODELLED);
                    store::switched_off(&mut out, properties);
                    device::elsewhere(&mut out, properties);
                    cloud::cloud(&mut out, kind, properties);
                }
            }
        }
        _ if inert::reason(kind).is_some() => {}
        _ if extractor.is_none() => out.gap(TYPE_NOT_MODELLED),
        other => {
            match other {
                // A store concerns whoever calls it: one with a body that is none is like one without.
                Some(other) if is_store(kind) => out.wrong(other, "an object"),
                Some(other) => out.lost(other, "an object"),
                None => out.gap("the export holds no `properties`"),
            }
            // Of a rule, route, connection, store or side of a peering without a body nothing is known but that it is there.
            let there = UNKNOWN_WITHOUT_BODY.contains(&kind) || THERE_WITHOUT_BODY.contains(&kind) || is_store(kind);
            if let (Some(extractor), true) = (extractor, there || kind.ends_with("/privateendpointconnections")) {
                extractor(&mut out, &Value::Null);
                // Whom the rules let in is not what a store or a set without rules does.
                out.revise(|fact| {
                    match fact {
                        Fact::StoreAccess(row) => (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe),
                        Fact::StoreRuleSet(row) => (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe),
                        _ => {}
                    }
                    true
                });
            }
            if out.has_lost() {
                unread::forget(&mut out, &Value::Null);
            }
        }
    }
    unread::rules(&mut out);
    out.finish()
}

/// Types that stand for anything where the body is missing: one that is left out would let through, or stop, what it decides.
const UNKNOWN_WITHOUT_BODY: &[&str] = &[
    "microsoft.network/connections",
    "microsoft.network/networkmanagers/routingconfigurations/rulecollections/rules",
    "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules",
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/routetables/routes",
    "microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions",
    "microsoft.network/virtualhubs/hubvirtualnetworkconnections",
    "microsoft.network/virtualhubs/routingintent",
];

/// Types that say without a body that one of them is there: whom it concerns, or what it lets through, is open. Copies of one that contradict each other
/// may leave open more.
const THERE_WITHOUT_BODY: &[&str] = &[
    "microsoft.eventhub/namespaces/networkrulesets",
    "microsoft.network/dnsforwardingrulesets/forwardingrules",
    "microsoft.network/dnsforwardingrulesets/virtualnetworklinks",
    "microsoft.network/networkgroupmemberships",
    "microsoft.network/networkmanagers/networkgroups/staticmembers",
    "microsoft.network/networkmanagers/routingconfigurations/rulecollections",
    "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections",
    "microsoft.network/networksecurityperimeters/resourceassociations",
    "microsoft.network/privateendpoints",
    "microsoft.network/privatednszones/a",
    "microsoft.network/privatednszones/aaaa",
    "microsoft.network/privatednszones/cname",
    "microsoft.network/privatednszones/virtualnetworklinks",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings",
    "microsoft.relay/namespaces/networkrulesets",
    "microsoft.servicebus/namespaces/networkrulesets",
    "microsoft.web/sites/config",
    "microsoft.web/sites/slots/config",
];

/// Whether resources of the type (lower case) are stores.
fn is_store(kind: &str) -> bool {
    let others = ["microsoft.classicstorage/storageaccounts", "microsoft.web/sites/slots"];
    others.contains(&kind) || Service::ALL.iter().any(|service| service.kinds().contains(&kind))
}

/// Whether resources of the type (lower case) are understood: they have an extractor.
pub fn is_modelled(kind: &str) -> bool {
    extractor(kind).is_some()
}

type Extractor = for<'a> fn(&mut Out<'a>, &'a Value);

/// The types (lower case) that are understood; `*` stands for the parent of a private endpoint connection.
pub const MODELLED: &[&str] = &[
    "*/privateendpointconnections",
    "microsoft.appconfiguration/configurationstores",
    "microsoft.cache/redis",
    "microsoft.cache/redis/firewallrules",
    "microsoft.cache/redisenterprise",
    "microsoft.authorization/policydefinitions",
    "microsoft.classicstorage/storageaccounts",
    "microsoft.cognitiveservices/accounts",
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces",
    "microsoft.containerregistry/registries",
    "microsoft.containerregistry/registries/exportpipelines",
    "microsoft.containerregistry/registries/replications",
    "microsoft.datalakestore/accounts",
    "microsoft.datalakestore/accounts/firewallrules",
    "microsoft.datalakestore/accounts/virtualnetworkrules",
    "microsoft.dbformariadb/servers",
    "microsoft.dbformariadb/servers/firewallrules",
    "microsoft.dbformariadb/servers/virtualnetworkrules",
    "microsoft.dbformysql/flexibleservers",
    "microsoft.dbformysql/flexibleservers/firewallrules",
    "microsoft.dbformysql/servers",
    "microsoft.dbformysql/servers/firewallrules",
    "microsoft.dbformysql/servers/virtualnetworkrules",
    "microsoft.dbforpostgresql/flexibleservers",
    "microsoft.dbforpostgresql/flexibleservers/firewallrules",
    "microsoft.dbforpostgresql/servers",
    "microsoft.dbforpostgresql/servers/firewallrules",
    "microsoft.dbforpostgresql/servers/virtualnetworkrules",
    "microsoft.devices/iothubs",
    "microsoft.devices/provisioningservices",
    "microsoft.documentdb/databaseaccounts",
    "microsoft.eventgrid/domains",
    "microsoft.eventgrid/topics",
    "microsoft.eventhub/namespaces",
    "microsoft.eventhub/namespaces/eventhubs",
    "microsoft.eventhub/namespaces/networkrulesets",
    "microsoft.keyvault/managedhsms",
    "microsoft.insights/diagnosticsettings",
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
    "microsoft.network/effectiveconnectivityconfigurations",
    "microsoft.network/effectivesecurityadminrules",
    "microsoft.network/firewallpolicies",
    "microsoft.network/firewallpolicies/rulecollectiongroups",
    "microsoft.network/ipgroups",
    "microsoft.network/loadbalancers",
    "microsoft.network/loadbalancers/backendaddresspools",
    "microsoft.network/loadbalancers/backendaddresspools/loadbalancerbackendaddresses",
    "microsoft.network/loadbalancers/frontendipconfigurations",
    "microsoft.network/loadbalancers/inboundnatpools",
    "microsoft.network/loadbalancers/inboundnatrules",
    "microsoft.network/expressroutecircuits",
    "microsoft.network/expressroutecircuits/peerings",
    "microsoft.network/expressroutegateways",
    "microsoft.network/loadbalancers/loadbalancingrules",
    "microsoft.network/loadbalancers/outboundrules",
    "microsoft.network/loadbalancers/probes",
    "microsoft.network/localnetworkgateways",
    "microsoft.network/natgateways",
    "microsoft.network/networkgroupmemberships",
    "microsoft.network/networkinterfaces",
    "microsoft.network/networkinterfaces/observedroutes",
    "microsoft.network/networkinterfaces/observedstates",
    "microsoft.network/networkmanagers",
    "microsoft.network/networkmanagers/connectivityconfigurations",
    "microsoft.network/networkmanagers/networkgroups",
    "microsoft.network/networkmanagers/networkgroups/staticmembers",
    "microsoft.network/networkmanagers/routingconfigurations/rulecollections",
    "microsoft.network/networkmanagers/routingconfigurations/rulecollections/rules",
    "microsoft.network/networkmanagers/securityadminconfigurations",
    "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections",
    "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/networksecuritygroups/defaultsecurityrules",
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/networksecurityperimeters",
    "microsoft.network/networksecurityperimeters/linkreferences",
    "microsoft.network/networksecurityperimeters/links",
    "microsoft.network/networksecurityperimeters/profiles",
    "microsoft.network/networksecurityperimeters/profiles/accessrules",
    "microsoft.network/networksecurityperimeters/resourceassociations",
    "microsoft.network/p2svpngateways",
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
    "microsoft.network/virtualhubs/bgpconnections",
    "microsoft.network/virtualhubs/hubroutetables",
    "microsoft.network/virtualhubs/hubvirtualnetworkconnections",
    "microsoft.network/virtualhubs/routemaps",
    "microsoft.network/virtualhubs/routingintent",
    "microsoft.network/virtualnetworkgateways",
    "microsoft.network/virtualnetworkgateways/learnedroutes",
    "microsoft.network/virtualnetworks",
    "microsoft.network/virtualnetworks/subnets",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings",
    "microsoft.network/virtualwans",
    "microsoft.network/vpngateways",
    "microsoft.network/vpnsites",
    "microsoft.relay/namespaces",
    "microsoft.relay/namespaces/networkrulesets",
    "microsoft.search/searchservices",
    "microsoft.servicebus/namespaces",
    "microsoft.servicebus/namespaces/networkrulesets",
    "microsoft.signalrservice/signalr",
    "microsoft.signalrservice/webpubsub",
    "microsoft.sql/servers",
    "microsoft.sql/servers/firewallrules",
    "microsoft.sql/servers/ipv6firewallrules",
    "microsoft.sql/servers/outboundfirewallrules",
    "microsoft.sql/servers/virtualnetworkrules",
    "microsoft.storage/storageaccounts",
    "microsoft.storage/storageaccounts/objectreplicationpolicies",
    "microsoft.synapse/workspaces",
    "microsoft.synapse/workspaces/firewallrules",
    "microsoft.web/sites",
    "microsoft.web/sites/config",
    "microsoft.web/sites/slots",
    "microsoft.web/sites/slots/config",
];

fn extractor(kind: &str) -> Option<Extractor> {
    Some(match kind {
        "microsoft.network/virtualnetworks" => vnet::vnet,
        "microsoft.network/virtualnetworks/subnets" => vnet::subnet,
        "microsoft.network/virtualnetworks/virtualnetworkpeerings" => vnet::peering,
        "microsoft.network/networkinterfaces" | "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces" => nic::nic,
        "microsoft.compute/virtualmachines" => machine::machine,
        "microsoft.compute/virtualmachinescalesets" => machine::scale_set,
        "microsoft.network/networkinterfaces/observedroutes" => observed::routes,
        "microsoft.network/networkinterfaces/observedstates" => observed::other,
        "microsoft.network/virtualnetworkgateways/learnedroutes" => observed::learned,
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
        "microsoft.network/expressroutecircuits" => gateway::circuit,
        "microsoft.network/expressroutecircuits/peerings" => gateway::circuit_peering,
        "microsoft.network/localnetworkgateways" => gateway::local_gateway,
        "microsoft.network/loadbalancers" => load_balancer::load_balancer,
        "microsoft.network/loadbalancers/frontendipconfigurations"
        | "microsoft.network/loadbalancers/backendaddresspools"
        | "microsoft.network/loadbalancers/loadbalancingrules"
        | "microsoft.network/loadbalancers/probes"
        | "microsoft.network/loadbalancers/inboundnatrules"
        | "microsoft.network/loadbalancers/inboundnatpools"
        | "microsoft.network/loadbalancers/outboundrules" => load_balancer::part,
        "microsoft.network/loadbalancers/backendaddresspools/loadbalancerbackendaddresses" => load_balancer::own_address,
        "microsoft.network/networkmanagers" => manager::manager,
        "microsoft.network/networkmanagers/networkgroups" => manager::group,
        "microsoft.network/networkmanagers/networkgroups/staticmembers" => manager::static_member,
        "microsoft.network/networkgroupmemberships" => manager::memberships,
        "microsoft.network/effectivesecurityadminrules" => manager::effective_rules,
        "microsoft.network/effectiveconnectivityconfigurations" => manager::effective_connectivity,
        "microsoft.network/networkmanagers/securityadminconfigurations" => manager::admin_configuration,
        "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections" => manager::admin_collection,
        "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules" => manager::admin_rule,
        "microsoft.network/networkmanagers/routingconfigurations/rulecollections" => manager::routing_collection,
        "microsoft.network/networkmanagers/routingconfigurations/rulecollections/rules" => manager::routing_rule,
        "microsoft.network/networkmanagers/connectivityconfigurations" => manager::connectivity,
        "microsoft.authorization/policydefinitions" => manager::policy,
        "microsoft.network/azurefirewalls" => azure_firewall::firewall,
        "microsoft.network/firewallpolicies" => azure_firewall::policy,
        "microsoft.network/firewallpolicies/rulecollectiongroups" => azure_firewall::group,
        "microsoft.network/ipgroups" => azure_firewall::ip_group,
        "microsoft.network/applicationgateways" => application_gateway::application_gateway,
        "microsoft.network/bastionhosts" => device::bastion,
        "microsoft.network/virtualhubs" => device::virtual_hub,
        "microsoft.network/virtualwans" => hub::wan,
        "microsoft.network/virtualhubs/hubvirtualnetworkconnections" => hub::connection,
        "microsoft.network/virtualhubs/hubroutetables" => hub::table,
        "microsoft.network/virtualhubs/routingintent" => hub::intent,
        "microsoft.network/virtualhubs/bgpconnections" | "microsoft.network/virtualhubs/routemaps" => hub::doubt,
        "microsoft.network/vpngateways" | "microsoft.network/expressroutegateways" | "microsoft.network/p2svpngateways" => hub::branch,
        "microsoft.network/vpnsites" => hub::site,
        "microsoft.network/privatelinkservices" => device::private_link_service,
        "microsoft.network/networksecurityperimeters" => perimeter::perimeter,
        "microsoft.network/networksecurityperimeters/profiles" => perimeter::profile,
        "microsoft.network/networksecurityperimeters/profiles/accessrules" => perimeter::access_rule,
        "microsoft.network/networksecurityperimeters/resourceassociations" => perimeter::association,
        "microsoft.network/networksecurityperimeters/links" | "microsoft.network/networksecurityperimeters/linkreferences" => {
            perimeter::link
        }
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
        "microsoft.storage/storageaccounts/objectreplicationpolicies" => storage::replication,
        "microsoft.classicstorage/storageaccounts" => storage::classic,
        "microsoft.keyvault/vaults" => key_vault::vault,
        "microsoft.sql/servers" => sql::server,
        "microsoft.sql/servers/firewallrules" | "microsoft.sql/servers/ipv6firewallrules" => sql::firewall_rule,
        "microsoft.sql/servers/virtualnetworkrules" => sql::subnet_rule,
        "microsoft.sql/servers/outboundfirewallrules" => sql::outbound_rule,
        "microsoft.appconfiguration/configurationstores" => paas::app_configuration,
        "microsoft.cache/redis" => paas::redis,
        "microsoft.cache/redis/firewallrules"
        | "microsoft.dbformariadb/servers/firewallrules"
        | "microsoft.dbformysql/flexibleservers/firewallrules"
        | "microsoft.dbformysql/servers/firewallrules"
        | "microsoft.dbforpostgresql/flexibleservers/firewallrules"
        | "microsoft.dbforpostgresql/servers/firewallrules"
        | "microsoft.synapse/workspaces/firewallrules" => paas::firewall_rule,
        "microsoft.cache/redisenterprise"
        | "microsoft.devices/iothubs"
        | "microsoft.devices/provisioningservices"
        | "microsoft.keyvault/managedhsms"
        | "microsoft.signalrservice/signalr"
        | "microsoft.signalrservice/webpubsub" => paas::other,
        "microsoft.cognitiveservices/accounts" => paas::cognitive,
        "microsoft.containerregistry/registries" => registry::registry,
        "microsoft.containerregistry/registries/exportpipelines" => declared::export_pipeline,
        "microsoft.containerregistry/registries/replications" => registry::replication,
        "microsoft.eventhub/namespaces/eventhubs" => declared::event_hub,
        "microsoft.insights/diagnosticsettings" => declared::diagnostic_setting,
        "microsoft.datalakestore/accounts" => paas::data_lake,
        "microsoft.datalakestore/accounts/firewallrules" => paas::firewall_rule,
        "microsoft.datalakestore/accounts/virtualnetworkrules" => paas::data_lake_subnet_rule,
        "microsoft.dbformariadb/servers" | "microsoft.dbformysql/servers" | "microsoft.dbforpostgresql/servers" => paas::single_server,
        "microsoft.dbformariadb/servers/virtualnetworkrules"
        | "microsoft.dbformysql/servers/virtualnetworkrules"
        | "microsoft.dbforpostgresql/servers/virtualnetworkrules" => sql::subnet_rule,
        "microsoft.dbformysql/flexibleservers" | "microsoft.dbforpostgresql/flexibleservers" => paas::flexible_server,
        "microsoft.documentdb/databaseaccounts" => cosmos::account,
        "microsoft.eventgrid/domains" | "microsoft.eventgrid/topics" => paas::event_grid,
        "microsoft.eventhub/namespaces" => messaging::event_hubs,
        "microsoft.eventhub/namespaces/networkrulesets"
        | "microsoft.relay/namespaces/networkrulesets"
        | "microsoft.servicebus/namespaces/networkrulesets" => messaging::rule_set,
        "microsoft.relay/namespaces" => messaging::relay,
        "microsoft.search/searchservices" => paas::search,
        "microsoft.servicebus/namespaces" => messaging::service_bus,
        "microsoft.synapse/workspaces" => paas::synapse,
        "microsoft.web/sites" | "microsoft.web/sites/slots" => site::site,
        "microsoft.web/sites/config" | "microsoft.web/sites/slots/config" => site::config,
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

/// Says where the envelope holds something else than texts and tags. The type and the name are in the id as well, and without its region a resource is still one.
fn envelope(out: &mut Out<'_>) {
    let resource = out.resource;
    for name in ["type", "name", "location"] {
        if let Some(value) = get(&resource.body, name).filter(|value| !value.is_string()) {
            out.wrong(value, "a text");
        }
    }
    if let Some(value) = get(&resource.body, "tags").filter(|value| !value.is_object() && is_set(value)) {
        out.wrong(value, "an object");
    }
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
mod absent_tests;
#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unreadable_tests;
