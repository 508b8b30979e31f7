//! The services that have a public front end, and what differs between them.

use crate::model::Sym;

words! {
    /// The services whose front ends are derived. `database` stands for single servers of PostgreSQL, MySQL and MariaDB, `flexibleserver` for their successors,
    /// `paas` for the rest, of which only the switch for public access is understood (GEN-04, GEN-05).
    Service {
        Storage = "storage", KeyVault = "keyvault", Sql = "sql", Cosmos = "cosmos", EventHub = "eventhub", ServiceBus = "servicebus", Acr = "acr",
        Web = "web", Cognitive = "cognitive", DataLake = "datalake", Synapse = "synapse", Database = "database", Flexible = "flexibleserver",
        Search = "search", EventGrid = "eventgrid", AppConfig = "appconfig", Redis = "redis", Relay = "relay", Other = "paas",
    }
}

/// One line of what differs.
struct Traits {
    /// The service tag that holds the front ends; where none is known to, the cloud's.
    tag: &'static str,
    /// The service endpoint that covers them; empty where none does (SE-03).
    endpoint: &'static str,
    /// The resource types, the one that names follow first.
    kinds: &'static [&'static str],
    /// The sub-resources; the one that is meant where nothing else is said first.
    parts: &'static [&'static str],
}

impl Service {
    /// The services of which an attacker can have a store of his own that rules of the estate tell apart.
    pub const EXTERNAL: [Service; 9] = [
        Service::Storage,
        Service::KeyVault,
        Service::Sql,
        Service::Cosmos,
        Service::EventHub,
        Service::ServiceBus,
        Service::Acr,
        Service::Web,
        Service::Cognitive,
    ];

    /// Every service.
    pub const ALL: [Service; 19] = [
        Service::Storage,
        Service::KeyVault,
        Service::Sql,
        Service::Cosmos,
        Service::EventHub,
        Service::ServiceBus,
        Service::Acr,
        Service::Web,
        Service::Cognitive,
        Service::DataLake,
        Service::Synapse,
        Service::Database,
        Service::Flexible,
        Service::Search,
        Service::EventGrid,
        Service::AppConfig,
        Service::Redis,
        Service::Relay,
        Service::Other,
    ];

    fn traits(self) -> Traits {
        let of = |tag, endpoint, kinds, parts| Traits { tag, endpoint, kinds, parts };
        match self {
            Service::Storage => of(
                "storage",
                "microsoft.storage",
                &["microsoft.storage/storageaccounts"],
                &["blob", "file", "queue", "table", "dfs", "web"],
            ),
            Service::KeyVault => of("azurekeyvault", "microsoft.keyvault", &["microsoft.keyvault/vaults"], &["vault"]),
            Service::Sql => of("sql", "microsoft.sql", &["microsoft.sql/servers"], &["sqlserver"]),
            Service::Cosmos => of(
                "azurecosmosdb",
                "microsoft.azurecosmosdb",
                &["microsoft.documentdb/databaseaccounts"],
                &["sql", "mongodb", "cassandra", "gremlin", "table"],
            ),
            Service::EventHub => of("eventhub", "microsoft.eventhub", &["microsoft.eventhub/namespaces"], &["namespace"]),
            Service::ServiceBus => of("servicebus", "microsoft.servicebus", &["microsoft.servicebus/namespaces"], &["namespace"]),
            Service::Acr => {
                of("azurecontainerregistry", "microsoft.containerregistry", &["microsoft.containerregistry/registries"], &["registry"])
            }
            Service::Web => of("appservice", "microsoft.web", &["microsoft.web/sites"], &["sites", "scm"]),
            Service::Cognitive => {
                of("cognitiveservicesmanagement", "microsoft.cognitiveservices", &["microsoft.cognitiveservices/accounts"], &["account"])
            }
            // Its endpoint adds claims to tokens and carries no packets (SE-18).
            Service::DataLake => of("azurecloud", "", &["microsoft.datalakestore/accounts"], &["account"]),
            Service::Synapse => of("sql", "microsoft.sql", &["microsoft.synapse/workspaces"], &["sql", "sqlondemand"]),
            Service::Database => of(
                "sql",
                "microsoft.sql",
                &["microsoft.dbforpostgresql/servers", "microsoft.dbformysql/servers", "microsoft.dbformariadb/servers"],
                &["postgresqlserver", "mysqlserver", "mariadbserver"],
            ),
            Service::Flexible => of(
                "azurecloud",
                "",
                &["microsoft.dbforpostgresql/flexibleservers", "microsoft.dbformysql/flexibleservers"],
                &["postgresqlserver", "mysqlserver"],
            ),
            Service::Search => of("azurecloud", "", &["microsoft.search/searchservices"], &["searchservice"]),
            Service::EventGrid => {
                of("azureeventgrid", "", &["microsoft.eventgrid/topics", "microsoft.eventgrid/domains"], &["topic", "domain"])
            }
            Service::AppConfig => of("appconfiguration", "", &["microsoft.appconfiguration/configurationstores"], &["configurationstores"]),
            Service::Redis => of("azurecloud", "", &["microsoft.cache/redis"], &["rediscache"]),
            Service::Relay => of("azurecloud", "microsoft.servicebus", &["microsoft.relay/namespaces"], &["namespace"]),
            Service::Other => of(
                "azurecloud",
                "",
                &[
                    "microsoft.cache/redisenterprise",
                    "microsoft.devices/iothubs",
                    "microsoft.devices/provisioningservices",
                    "microsoft.keyvault/managedhsms",
                    "microsoft.signalrservice/signalr",
                    "microsoft.signalrservice/webpubsub",
                ],
                &["redisenterprise", "iothub", "iotdps", "managedhsm", "signalr", "webpubsub"],
            ),
        }
    }

    /// The tag that holds the front ends of the service (M-14).
    pub fn tag(self) -> Sym {
        Sym::new(self.traits().tag)
    }

    /// Whether the service endpoint `name` (lower case) is one for the service (SE-02, SE-03).
    pub fn has_endpoint(self, name: &str) -> bool {
        (!name.is_empty() && self.traits().endpoint == name) || (self == Service::Storage && name == "microsoft.storage.global")
    }

    /// Whether a service endpoint for it that lists no regions covers the network's own alone (SE-15, SE-16).
    pub fn is_regional(self) -> bool {
        self.traits().endpoint == "microsoft.sql"
    }

    /// The resource types of its stores, the one that names follow first.
    pub fn kinds(self) -> &'static [&'static str] {
        self.traits().kinds
    }

    /// The sub-resources of its stores.
    pub fn parts(self) -> &'static [&'static str] {
        self.traits().parts
    }

    /// Which of a store's `parts` is meant where only the store is named: an app rather than its deployment site, the account's own protocol. `None` where
    /// no one comes before the others.
    pub fn principal(self, parts: &[Sym]) -> Option<Sym> {
        let has = |wanted: &str| parts.iter().copied().find(|part| part.as_str() == wanted);
        match self {
            Service::Cosmos => {
                let own: Vec<Sym> = ["mongodb", "cassandra", "gremlin", "table"].into_iter().filter_map(has).collect();
                if let [one] = own[..] { Some(one) } else { has("sql").filter(|_| own.is_empty()) }
            }
            Service::Web | Service::Acr => has(self.parts()[0]),
            _ => None,
        }
    }

    /// Whether its firewall has a property `defaultAction`; of the others the rules themselves say whether there is a firewall, or a switch of another name.
    pub fn has_default_action(self) -> bool {
        use Service::{Acr, Cognitive, EventHub, KeyVault, Relay, ServiceBus, Storage, Web};
        matches!(self, Storage | KeyVault | Cognitive | Acr | EventHub | ServiceBus | Relay | Web)
    }

    /// Whether the address 0.0.0.0 in a rule stands for all of Azure (FW-09, GEN-03).
    pub fn knows_all_of_azure(self) -> bool {
        matches!(self, Service::Sql | Service::Cosmos | Service::Database | Service::Flexible | Service::Synapse | Service::DataLake)
    }

    /// Whether a subnet of another tenant may be named by a rule (SE-20).
    pub fn admits_other_tenants(self) -> bool {
        matches!(self, Service::Storage | Service::KeyVault)
    }
}

/// The sub-resource that an endpoint of a store belongs to: `sql` for `sql.westus`, `sites` for `scm`, the deployment site of an app.
pub fn sub_resource(part: Sym) -> Sym {
    match part.as_str().split_once('.') {
        Some((main, _)) => Sym::new(main),
        None if part.as_str() == "scm" => Sym::new("sites"),
        None => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: X-10, SE-03
    #[test]
    fn every_sink_has_a_tag_and_an_endpoint_of_its_own() {
        for service in Service::EXTERNAL {
            assert_ne!(service.tag().as_str(), "azurecloud", "{service:?}");
            let own = Service::EXTERNAL.iter().filter(|other| other.has_endpoint(service.traits().endpoint)).count();
            assert_eq!(own, 1, "{service:?}");
        }
    }

    #[test]
    fn the_principal_part_is_the_one_people_mean() {
        let of = |service: Service, parts: &[&str]| {
            let parts: Vec<Sym> = parts.iter().map(|part| Sym::new(part)).collect();
            service.principal(&parts).map(Sym::as_str)
        };
        assert_eq!(of(Service::Web, &["scm", "sites"]), Some("sites"));
        assert_eq!(of(Service::Cosmos, &["sql", "sql.westus"]), Some("sql"));
        assert_eq!(of(Service::Cosmos, &["mongodb", "sql"]), Some("mongodb"));
        assert_eq!(of(Service::Cosmos, &["gremlin", "table", "sql"]), None);
        assert_eq!(of(Service::Storage, &["blob", "file"]), None);
    }
}
