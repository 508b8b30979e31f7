//! The public names that services of many types say they answer at (DNS-37).

use serde_json::Value;

use crate::facts::dns::ServiceHost;
use crate::facts::extract::out::{Out, get};
use crate::facts::extract::store::host;
use crate::model::Sym;

/// Where a type writes its names: type, sub-resource, path in `properties`; a path through a list names all of its items.
///
/// Stores have their main names in `store_part`; some of those here are the same, others stand beside them.
const PATHS: &[(&str, &str, &[&str])] = &[
    ("microsoft.apimanagement/service", "gateway", &["gatewayUrl"]),
    ("microsoft.appconfiguration/configurationstores", "configurationstores", &["endpoint"]),
    ("microsoft.batch/batchaccounts", "batchaccount", &["accountEndpoint"]),
    ("microsoft.batch/batchaccounts", "nodemanagement", &["nodeManagementEndpoint"]),
    ("microsoft.cache/redis", "rediscache", &["hostName"]),
    ("microsoft.cache/redisenterprise", "redisenterprise", &["hostName"]),
    ("microsoft.cognitiveservices/accounts", "account", &["endpoint"]),
    ("microsoft.containerregistry/registries", "registry", &["loginServer"]),
    ("microsoft.containerregistry/registries", "registry", &["dataEndpointHostNames"]),
    ("microsoft.containerservice/managedclusters", "management", &["fqdn"]),
    ("microsoft.databricks/workspaces", "databricks_ui_api", &["workspaceUrl"]),
    ("microsoft.dbformariadb/servers", "mariadbserver", &["fullyQualifiedDomainName"]),
    ("microsoft.dbformysql/flexibleservers", "mysqlserver", &["fullyQualifiedDomainName"]),
    ("microsoft.dbformysql/servers", "mysqlserver", &["fullyQualifiedDomainName"]),
    ("microsoft.dbforpostgresql/flexibleservers", "postgresqlserver", &["fullyQualifiedDomainName"]),
    ("microsoft.dbforpostgresql/servers", "postgresqlserver", &["fullyQualifiedDomainName"]),
    ("microsoft.devices/iothubs", "iothub", &["hostName"]),
    ("microsoft.devices/provisioningservices", "iotdps", &["serviceOperationsHostName"]),
    ("microsoft.documentdb/databaseaccounts", "sql", &["documentEndpoint"]),
    ("microsoft.documentdb/databaseaccounts", "sql", &["locations", "documentEndpoint"]),
    ("microsoft.documentdb/databaseaccounts", "sql", &["readLocations", "documentEndpoint"]),
    ("microsoft.documentdb/databaseaccounts", "sql", &["writeLocations", "documentEndpoint"]),
    ("microsoft.eventgrid/domains", "domain", &["endpoint"]),
    ("microsoft.eventgrid/topics", "topic", &["endpoint"]),
    ("microsoft.eventhub/namespaces", "namespace", &["serviceBusEndpoint"]),
    ("microsoft.keyvault/managedhsms", "managedhsm", &["hsmUri"]),
    ("microsoft.kusto/clusters", "cluster", &["uri"]),
    ("microsoft.relay/namespaces", "namespace", &["serviceBusEndpoint"]),
    ("microsoft.search/searchservices", "searchservice", &["endpoint"]),
    ("microsoft.servicebus/namespaces", "namespace", &["serviceBusEndpoint"]),
    ("microsoft.signalrservice/signalr", "signalr", &["hostName"]),
    ("microsoft.signalrservice/webpubsub", "webpubsub", &["hostName"]),
    ("microsoft.sql/managedinstances", "managedinstance", &["fullyQualifiedDomainName"]),
    ("microsoft.synapse/workspaces", "dev", &["connectivityEndpoints", "dev"]),
    ("microsoft.synapse/workspaces", "sql", &["connectivityEndpoints", "sql"]),
    ("microsoft.synapse/workspaces", "sqlondemand", &["connectivityEndpoints", "sqlOnDemand"]),
    ("microsoft.web/sites", "sites", &["defaultHostName"]),
    ("microsoft.web/sites", "sites", &["hostNameSslStates", "name"]),
    ("microsoft.web/sites/slots", "sites", &["defaultHostName"]),
    ("microsoft.web/sites/slots", "sites", &["hostNameSslStates", "name"]),
    ("microsoft.web/staticsites", "staticsites", &["defaultHostname"]),
];

/// Writes a row for each name that a resource of the type `kind` says it has.
pub(super) fn hosts(out: &mut Out<'_>, kind: &str, properties: &Value) {
    let resource = out.id();
    let mut found: Vec<(Sym, Sym)> = Vec::new();
    for (_, group, path) in PATHS.iter().filter(|(of, _, _)| *of == kind) {
        at(properties, path, &mut |text| found.extend(host(text).map(|host| (Sym::new(group), host))));
    }
    found.sort_by_key(|(group, host)| (group.as_str(), host.as_str()));
    found.dedup();
    for (group, host) in found {
        out.fact(ServiceHost { resource, group, host });
    }
}

/// Every text at the end of `path`, through lists on the way.
fn at<'a>(value: &'a Value, path: &[&str], take: &mut dyn FnMut(&'a str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| at(item, path, take)),
        Value::String(text) if path.is_empty() => take(text),
        Value::Object(_) => {
            if let Some((first, rest)) = path.split_first()
                && let Some(next) = get(value, first)
            {
                at(next, rest, take);
            }
        }
        _ => {}
    }
}
