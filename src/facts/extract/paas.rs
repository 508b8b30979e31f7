//! Services whose firewall follows a common pattern (GEN-01 to GEN-05), and Data Lake Store of the first generation (SE-18).

use serde_json::Value;

use crate::facts::extract::device;
use crate::facts::extract::out::{Out, get, properties};
use crate::facts::extract::store::{access, bypass, default_allow, host_or, ip_rules, ordered, part, public_access, store, subnet_rules};
use crate::facts::gap::ChildType;
use crate::facts::store_facts::{PublicAccess, Service, StoreAccess, StoreIpRule, StoreSubnetRule};
use crate::model::{Sym, Tri};

fn kind(out: &mut Out<'_>) -> Sym {
    out.text(&out.resource.body, "kind").map_or(Sym::EMPTY, Sym::lower)
}

/// `microsoft.cognitiveservices/accounts`: a default action, addresses and subnets (GEN-01).
pub(super) fn cognitive<'a>(out: &mut Out<'a>, body: &'a Value) {
    device::elsewhere(out, body); // agents run in subnets of the owner's: `networkInjections`
    let kind = kind(out);
    store(out, Service::Cognitive, kind);
    let suffix = if kind.as_str() == "openai" { "openai.azure.com" } else { "cognitiveservices.azure.com" };
    let host = host_or(out, body, "endpoint", suffix);
    part(out, "account", host);
    let public = public_access(out, body);
    let acls = out.object(body, "networkAcls").unwrap_or(&Value::Null);
    let (default, trusted) = (default_allow(out, acls), bypass(out, acls, "bypass").unwrap_or(false));
    access(out, public, default, trusted);
    ip_rules(out, acls, "ipRules", &["value"]);
    subnet_rules(out, acls, "virtualNetworkRules", &["id"], |_| Some(Tri::Maybe));
}

/// `microsoft.search/searchservices`: a list of addresses; an empty one admits all (GEN-02).
pub(super) fn search<'a>(out: &mut Out<'a>, body: &'a Value) {
    store(out, Service::Search, Sym::EMPTY);
    let host = host_or(out, body, "endpoint", "search.windows.net");
    part(out, "searchservice", host);
    let public = public_access(out, body);
    let acls = out.object(body, "networkRuleSet").unwrap_or(&Value::Null);
    let trusted = bypass(out, acls, "bypass").unwrap_or(false);
    access(out, public, Tri::Maybe, trusted);
    ip_rules(out, acls, "ipRules", &["value"]);
}

/// `microsoft.eventgrid/topics` and `…/domains` (GEN-02).
pub(super) fn event_grid<'a>(out: &mut Out<'a>, body: &'a Value) {
    store(out, Service::EventGrid, Sym::EMPTY);
    let name = if out.resource.kind.as_str().ends_with("/domains") { "domain" } else { "topic" };
    let host = host_or(out, body, "endpoint", &format!("{}-1.eventgrid.azure.net", out.resource.location));
    part(out, name, host);
    let public = public_access(out, body);
    access(out, public, Tri::Maybe, false);
    ip_rules(out, body, "inboundIpRules", &["ipMask"]);
}

/// `microsoft.appconfiguration/configurationstores`: a switch and nothing else (GEN-02).
pub(super) fn app_configuration<'a>(out: &mut Out<'a>, body: &'a Value) {
    store(out, Service::AppConfig, Sym::EMPTY);
    let host = host_or(out, body, "endpoint", "azconfig.io");
    part(out, "configurationstores", host);
    let public = public_access(out, body);
    access(out, public, Tri::Yes, false);
}

/// `microsoft.cache/redis`: addresses as children (GEN-02), unless it stands in a subnet of its own (GEN-06).
pub(super) fn redis<'a>(out: &mut Out<'a>, body: &'a Value) {
    device::elsewhere(out, body);
    if out.text(body, "subnetId").is_some() {
        return out.gap("`properties.subnetId` is not modelled");
    }
    store(out, Service::Redis, Sym::EMPTY);
    let host = host_or(out, body, "hostName", "redis.cache.windows.net");
    part(out, "rediscache", host);
    let public = public_access(out, body);
    let plain_http = out.flag(body, "enableNonSslPort") == Some(true);
    let store = out.id();
    out.fact(StoreAccess { store, public, default_allow: Tri::Maybe, trusted: false, plain_http, outbound_restricted: false });
}

/// `microsoft.dbforpostgresql/servers`, `microsoft.dbformysql/servers`, `microsoft.dbformariadb/servers` (GEN-03, SQL-08).
pub(super) fn single_server<'a>(out: &mut Out<'a>, body: &'a Value) {
    store(out, Service::Database, Sym::EMPTY);
    let (name, suffix) = database(out);
    let host = host_or(out, body, "fullyQualifiedDomainName", suffix);
    part(out, name, host);
    let public = public_access(out, body);
    access(out, public, Tri::No, false);
}

/// `microsoft.dbforpostgresql/flexibleservers` and `microsoft.dbformysql/flexibleservers` (GEN-03), unless it stands in a subnet of its own (GEN-06).
pub(super) fn flexible_server<'a>(out: &mut Out<'a>, body: &'a Value) {
    device::elsewhere(out, body);
    let network = out.object(body, "network").unwrap_or(&Value::Null);
    if out.text(network, "delegatedSubnetResourceId").is_some() {
        return out.gap("`properties.network.delegatedSubnetResourceId` is not modelled");
    }
    store(out, Service::Flexible, Sym::EMPTY);
    let (name, suffix) = database(out);
    let host = host_or(out, body, "fullyQualifiedDomainName", suffix);
    part(out, name, host);
    let public = public_access(out, network);
    access(out, public, Tri::No, false);
}

/// The sub-resource of a database server, and what follows its name.
fn database(out: &Out<'_>) -> (&'static str, &'static str) {
    let kind = out.resource.kind.as_str();
    if kind.starts_with("microsoft.dbforpostgresql/") {
        ("postgresqlserver", "postgres.database.azure.com")
    } else if kind.starts_with("microsoft.dbformysql/") {
        ("mysqlserver", "mysql.database.azure.com")
    } else {
        ("mariadbserver", "mariadb.database.azure.com")
    }
}

/// `microsoft.synapse/workspaces` (GEN-03).
pub(super) fn synapse<'a>(out: &mut Out<'a>, body: &'a Value) {
    store(out, Service::Synapse, Sym::EMPTY);
    let endpoints = out.object(body, "connectivityEndpoints").unwrap_or(&Value::Null);
    for (name, field, suffix) in [("sql", "sql", "sql.azuresynapse.net"), ("sqlondemand", "sqlOnDemand", "")] {
        let suffix = if suffix.is_empty() { "sql.azuresynapse.net" } else { suffix };
        let given = host_or(out, endpoints, field, suffix);
        let host = match given.as_str().split_once('.') {
            // Without the endpoint in the export its name follows the pattern `<name>-ondemand.sql…`.
            Some((first, rest)) if name == "sqlondemand" && get(endpoints, field).is_none() => {
                Sym::new(&format!("{first}-ondemand.{rest}"))
            }
            _ => given,
        };
        part(out, name, host);
    }
    out.gap("the endpoint `dev` is not modelled");
    let public = public_access(out, body);
    access(out, public, Tri::No, false);
}

/// `…/firewallrules` of the services whose rules are children: a first and a last address (GEN-02, GEN-03).
pub(super) fn firewall_rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, store) = (out.id(), out.parent());
    let from = out.address(body, "startIpAddress").or_else(|| out.address(body, "startIP"));
    let to = out.address(body, "endIpAddress").or_else(|| out.address(body, "endIP"));
    match from.zip(to).and_then(|(from, to)| ordered(from, to)) {
        Some((from, to)) => out.fact(StoreIpRule { rule, store, from, to }),
        None => out.gap("the rule has no range of addresses"),
    }
}

/// `microsoft.datalakestore/accounts`: ranges of addresses, and subnets whose tokens carry the claims of an endpoint (SE-18). A listing of accounts holds none
/// of it: a switch or a list that is not there is not known (M-03).
pub(super) fn data_lake<'a>(out: &mut Out<'a>, body: &'a Value) {
    let store_id = out.id();
    store(out, Service::DataLake, Sym::EMPTY);
    let host = host_or(out, body, "endpoint", "azuredatalakestore.net");
    part(out, "account", host);
    let word = |text: &str| match text.to_ascii_lowercase().as_str() {
        "enabled" => Some(Tri::Yes),
        "disabled" => Some(Tri::No),
        _ => None,
    };
    let on = out.word(body, "firewallState", word, Tri::Maybe).unwrap_or(Tri::Maybe);
    access(out, PublicAccess::Enabled, on.negated(), false);
    let azure = out.word(body, "firewallAllowAzureIps", word, Tri::Maybe).unwrap_or(Tri::Maybe);
    if azure.lo() {
        let zero = std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        out.fact(StoreIpRule { rule: Sym::new(&format!("{store_id}/firewallallowazureips")), store: store_id, from: zero, to: zero });
    }
    for (list, known) in [("firewallRules", azure != Tri::Maybe), ("virtualNetworkRules", true)] {
        if known && get(body, list).is_some_and(Value::is_array) {
            let kind = Sym::lower(&format!("{}/{list}", out.resource.kind));
            out.fact(ChildType { parent: store_id, kind });
        }
    }
    for (at, rule) in out.objects(body, "firewallRules").iter().enumerate() {
        let id = out.part_id(rule, store_id, "firewallrules", at);
        let range = properties(rule);
        let (from, to) = (out.address(range, "startIpAddress"), out.address(range, "endIpAddress"));
        match from.zip(to).and_then(|(from, to)| ordered(from, to)) {
            Some((from, to)) => out.fact(StoreIpRule { rule: id, store: store_id, from, to }),
            None => out.rule_gap(store_id, format!("`properties.firewallRules.{at}` is a rule without a range of addresses")),
        }
    }
    for (at, rule) in out.objects(body, "virtualNetworkRules").iter().enumerate() {
        let id = out.part_id(rule, store_id, "virtualnetworkrules", at);
        match out.link(properties(rule), "subnetId") {
            Some(subnet) => out.fact(StoreSubnetRule { rule: id, store: store_id, subnet, effective: Tri::Yes }),
            None => out.rule_gap(store_id, format!("`properties.virtualNetworkRules.{at}` is a rule without a subnet")),
        }
    }
}

/// The sub-resource of a type of which only the switch is understood, and what follows the name; empty where the export must say it.
const OTHERS: [(&str, &str, &str, &str); 6] = [
    ("microsoft.cache/redisenterprise", "redisenterprise", "hostName", ""),
    ("microsoft.devices/iothubs", "iothub", "hostName", "azure-devices.net"),
    ("microsoft.devices/provisioningservices", "iotdps", "serviceOperationsHostName", "azure-devices-provisioning.net"),
    ("microsoft.keyvault/managedhsms", "managedhsm", "hsmUri", "managedhsm.azure.net"),
    ("microsoft.signalrservice/signalr", "signalr", "hostName", "service.signalr.net"),
    ("microsoft.signalrservice/webpubsub", "webpubsub", "hostName", "webpubsub.azure.com"),
];

/// A service of which only the switch for public access is understood (GEN-04, GEN-05).
pub(super) fn other<'a>(out: &mut Out<'a>, body: &'a Value) {
    device::elsewhere(out, body);
    let Some((_, name, field, suffix)) = OTHERS.iter().find(|(kind, ..)| *kind == out.resource.kind.as_str()) else { return };
    store(out, Service::Other, Sym::EMPTY);
    let host = if suffix.is_empty() && get(body, field).is_none() { Sym::EMPTY } else { host_or(out, body, field, suffix) };
    part(out, name, host);
    let public = public_access(out, body);
    access(out, public, Tri::Maybe, false);
    out.gap("beyond `publicNetworkAccess` the rules of this type are not modelled");
}

/// `microsoft.datalakestore/accounts/virtualnetworkrules`: the same rule as a row of its own (SE-18).
pub(super) fn data_lake_subnet_rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, store) = (out.id(), out.parent());
    match out.link(body, "subnetId") {
        Some(subnet) => out.fact(StoreSubnetRule { rule, store, subnet, effective: Tri::Yes }),
        None => out.gap("`properties.subnetId` is missing"),
    }
}
