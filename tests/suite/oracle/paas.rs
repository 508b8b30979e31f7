//! The other services: their table, and their firewalls one by one (COS, MSG, ACR, APP, GEN, SE-18).

use std::collections::BTreeSet;
use std::net::IpAddr;

use watertight::facts::selector::Selector;
use watertight::facts::store_facts::{PublicAccess, Service, StoreListRule};
use watertight::model::net::is_public;
use watertight::model::{Stage, Sym, Tri};

use super::address::number;
use super::packet::Addr;
use super::store::Seen;
use super::walk::Wanted;
use super::world::World;

/// The resource type of a service, its tag, its service endpoint.
pub fn table(service: Service) -> (&'static str, &'static str, &'static str) {
    match service {
        Service::Storage => ("microsoft.storage/storageaccounts", "storage", "microsoft.storage"),
        Service::KeyVault => ("microsoft.keyvault/vaults", "azurekeyvault", "microsoft.keyvault"),
        Service::Sql => ("microsoft.sql/servers", "sql", "microsoft.sql"),
        Service::Cosmos => ("microsoft.documentdb/databaseaccounts", "azurecosmosdb", "microsoft.azurecosmosdb"),
        Service::EventHub => ("microsoft.eventhub/namespaces", "eventhub", "microsoft.eventhub"),
        Service::ServiceBus => ("microsoft.servicebus/namespaces", "servicebus", "microsoft.servicebus"),
        Service::Acr => ("microsoft.containerregistry/registries", "azurecontainerregistry", "microsoft.containerregistry"),
        Service::Web => ("microsoft.web/sites", "appservice", "microsoft.web"),
        Service::Cognitive => ("microsoft.cognitiveservices/accounts", "cognitiveservicesmanagement", "microsoft.cognitiveservices"),
        Service::Database => ("microsoft.dbforpostgresql/servers", "sql", "microsoft.sql"),
        Service::Synapse => ("microsoft.synapse/workspaces", "sql", "microsoft.sql"),
        Service::Flexible => ("microsoft.dbforpostgresql/flexibleservers", "azurecloud", "none"),
        Service::DataLake => ("microsoft.datalakestore/accounts", "azurecloud", "none"),
        Service::Search => ("microsoft.search/searchservices", "azurecloud", "none"),
        Service::EventGrid => ("microsoft.eventgrid/topics", "azureeventgrid", "none"),
        Service::AppConfig => ("microsoft.appconfiguration/configurationstores", "appconfiguration", "none"),
        Service::Redis => ("microsoft.cache/redis", "azurecloud", "none"),
        Service::Relay => ("microsoft.relay/namespaces", "azurecloud", "microsoft.servicebus"),
        Service::Other => ("microsoft.keyvault/managedhsms", "azurecloud", "none"),
    }
}

/// The stage of a service's firewall.
pub fn firewall_stage(service: Service) -> Stage {
    match service {
        Service::Storage => Stage::StorageFirewall,
        Service::KeyVault => Stage::KeyvaultFirewall,
        Service::Sql => Stage::SqlFirewall,
        Service::Cosmos => Stage::CosmosFirewall,
        Service::EventHub => Stage::EventhubFirewall,
        Service::ServiceBus => Stage::ServicebusFirewall,
        Service::Acr => Stage::AcrFirewall,
        Service::Web => Stage::WebFirewall,
        Service::Cognitive => Stage::CognitiveFirewall,
        _ => Stage::PaasFirewall,
    }
}

/// The ports at which the main endpoint of an attacker's store answers.
pub fn external_ports(service: Service) -> &'static [u16] {
    match service {
        // Whoever owns the account switches on SFTP (22) and NFS 3.0 (111, 2048).
        Service::Storage => &[22, 80, 111, 443, 445, 2048],
        Service::Sql => &[1433],
        Service::Cosmos => &[443, 10255, 10350],
        Service::EventHub => &[443, 5671, 5672, 9093],
        Service::ServiceBus => &[443, 5671, 5672],
        Service::Web => &[80, 443],
        _ => &[443],
    }
}

/// The sub-resource that private endpoints name for a part.
pub fn main_part(part: Sym) -> Sym {
    match part.as_str() {
        "scm" => Sym::new("sites"),
        text => Sym::new(text.split('.').next().unwrap_or(text)),
    }
}

impl World<'_> {
    /// The firewall of a store of one of the other services; the classic three have their own.
    pub fn admits_elsewhere(&self, wanted: Wanted, service: Service, seen: Seen) -> (Tri, String, &'static str) {
        let store = wanted.store;
        let said = |tri: Tri| (tri, "firewall".to_owned(), "unsure-rule");
        let Some(access) = self.accesses.iter().find(|a| a.store == store) else { return (Tri::Maybe, "missing".into(), "W-MISSING") };
        let tier = self.stores.iter().find(|s| s.store == store).map_or("", |s| s.kind.as_str());
        let bare = match service {
            Service::EventHub => tier == "basic",
            Service::ServiceBus => tier == "basic" || tier == "standard",
            Service::Acr => matches!(tier, "basic" | "classic" | "standard"),
            _ => false,
        };
        if bare && service == Service::Acr && access.public != PublicAccess::Enabled {
            return said(Tri::Maybe); // ACR-01 and GEN-05 contradict each other
        }
        if bare {
            return said(Tri::Yes); // MSG-04, ACR-01
        }
        let tiered = matches!(service, Service::EventHub | Service::ServiceBus | Service::Acr);
        let sets: Vec<_> = self.rule_sets.iter().filter(|s| s.store == store && (s.part.is_empty() || s.part == wanted.part)).collect();
        let mut open = Tri::Yes;
        for public in sets.iter().map(|s| s.public).chain([access.public]) {
            open = open.and(match public {
                PublicAccess::Enabled | PublicAccess::Unset => Tri::Yes,
                PublicAccess::Disabled | PublicAccess::SecuredByPerimeter => Tri::No,
                PublicAccess::Unknown => Tri::Maybe,
            });
        }
        let by_rule = match seen {
            Seen::Subnet(subnet) => self.subnet_rule_admits(store, service, subnet),
            Seen::SameRegion | Seen::Caller(_) => self.ip_rule_admits(store, service, Addr::SomePublic, true),
            Seen::Public { addr, azure } => self.ip_rule_admits(store, service, addr, azure),
        };
        let no_rules = !self.ip_rules.iter().any(|r| r.store == store) && !self.subnet_rules.iter().any(|r| r.store == store);
        let unread = self.is_unread(store);
        let no_ips = !self.ip_rules.iter().any(|r| r.store == store);
        // Whom the account names passes with its bypass; which trusted services do is documented for few.
        let by_bypass = || {
            let listed = |caller: Sym| self.resource_rules.iter().any(|r| r.store == store && r.resource == caller);
            match seen {
                Seen::Caller(caller) if access.trusted && listed(caller) => self.bypass_admits(store, seen),
                Seen::Caller(_) if access.trusted => self.bypass_admits(store, seen).and(Tri::Maybe),
                _ => Tri::No,
            }
        };
        let rules = match service {
            Service::Cosmos if access.default_allow.hi() => {
                // COS-06, COS-07
                if self.has_endpoint_connected(store).hi() { Tri::Maybe } else { access.default_allow.or(by_rule).or(by_bypass()) }
            }
            Service::Cosmos => by_rule.or(by_bypass()),
            Service::EventHub | Service::ServiceBus | Service::Relay => match sets.first() {
                Some(set) if no_rules && service != Service::Relay => set.default_allow.or(if unread { Tri::Maybe } else { Tri::Yes }), // MSG-02
                Some(set) => set.default_allow.or(by_rule),
                None if self.sets_are_listed(store, service) => Tri::Yes,
                None => Tri::Maybe,
            },
            Service::Acr | Service::Cognitive => access.default_allow.or(by_rule),
            Service::Search | Service::EventGrid | Service::AppConfig => {
                if no_ips && unread {
                    Tri::Maybe
                } else if no_ips {
                    Tri::Yes
                } else {
                    by_rule
                }
            }
            Service::Redis if no_ips => {
                if self.ranges_are_listed(store, service) && !unread {
                    Tri::Yes
                } else {
                    Tri::Maybe
                }
            }
            Service::Redis => by_rule,
            Service::DataLake => {
                let list = if matches!(seen, Seen::Subnet(_)) { "virtualnetworkrules" } else { "firewallrules" };
                let listed = self.children_are_listed(store, &format!("{}/{list}", table(service).0));
                access.default_allow.or(by_rule).or(if listed { Tri::No } else { Tri::Maybe })
            }
            Service::Database | Service::Flexible | Service::Synapse => match seen {
                Seen::Subnet(_) if service == Service::Database && !self.subnets_are_listed(store, service) => by_rule.or(Tri::Maybe),
                Seen::Subnet(_) => by_rule,
                _ if !self.ranges_are_listed(store, service) => by_rule.or(Tri::Maybe),
                _ => by_rule,
            },
            Service::Web => {
                let unset = access.public == PublicAccess::Unset && sets.iter().all(|s| s.public == PublicAccess::Unset);
                let closed = if unset { self.has_endpoint_connected(store) } else { Tri::No }; // APP-03
                let listed = match sets.first() {
                    _ if unread => Tri::Maybe, // the rules are asked in turn, and one of them is missing
                    Some(set) => self.list_admits(set.rule_set, set.default_allow, seen),
                    None if self.sets_are_listed(store, service) => Tri::Yes,
                    None => Tri::Maybe,
                };
                listed.and(closed.negated())
            }
            _ => Tri::Maybe, // GEN-04
        };
        // Rules only admit: what the others refuse, the one that could not be read may let in (FW-05, SND-02).
        let rules = if self.is_unread_for(store, seen) { rules.or(Tri::Maybe) } else { rules };
        // What lets trusted services in may let this one in, where nobody can read whom (SND-02).
        let listens = matches!(service, Service::Acr | Service::Cognitive | Service::Search);
        let nameless =
            matches!(seen, Seen::Caller(_)) && listens && self.resource_rules.iter().any(|r| r.store == store && r.resource.is_empty());
        let locked = access.public == PublicAccess::SecuredByPerimeter;
        let tri = open.and(rules).or(if nameless && !locked { Tri::Maybe } else { Tri::No });
        let known = ["basic", "premium", "standard"].contains(&tier) || service == Service::Acr && tier == "classic";
        said(if tiered && !known && tri != Tri::Yes { Tri::Maybe } else { tri })
    }

    /// Whether an approved private endpoint leads to any part of the store; one that waits may count too. What an account itself lists counts by itself.
    fn has_endpoint_connected(&self, store: Sym) -> Tri {
        let mut best = if self.connections_are_listed(store) { Tri::No } else { Tri::Maybe };
        for link in self.links.iter().filter(|l| l.target == store) {
            // One that waits in every view closes no account; what it does to an app nobody documents (COS-06).
            let refused = link.settled && matches!(link.state.as_str(), "pending" | "rejected" | "disconnected");
            let waiting = if self.service_of(store) == Some(Service::Cosmos) && refused { Tri::No } else { Tri::Maybe };
            best = best.or(self.consent(*link)).or(waiting);
        }
        let cosmos = self.service_of(store) == Some(Service::Cosmos);
        let listed = |endpoint: Sym| !cosmos && self.links.iter().any(|l| l.endpoint == endpoint);
        for row in self.provider_links.iter().filter(|p| p.target == store && !listed(p.endpoint)) {
            let unseen = match row.state.as_str() {
                "approved" | "unknown" if !row.settled => Tri::Maybe,
                "approved" if self.may_be_of_one_that_waits(row) => Tri::Maybe,
                "approved" => Tri::Yes,
                "unknown" => Tri::Maybe,
                _ if !row.settled => Tri::Maybe,
                _ => Tri::No,
            };
            best = best.or(unseen);
        }
        best
    }

    fn sets_are_listed(&self, store: Sym, service: Service) -> bool {
        let segment = if service == Service::Web { "config" } else { "networkrulesets" };
        // The configuration of an app says nothing of whether those of slots were exported, nor the other way round.
        let slot = |id: Sym| service == Service::Web && id.as_str().contains("/slots/");
        let kind = if slot(store) { "microsoft.web/sites/slots".to_owned() } else { table(service).0.to_owned() };
        self.rule_sets.iter().any(|s| self.service_of(s.store) == Some(service) && slot(s.store) == slot(store))
            || self.children_are_listed(store, &format!("{kind}/{segment}"))
    }

    fn ranges_are_listed(&self, store: Sym, service: Service) -> bool {
        self.ip_rules.iter().any(|r| self.service_of(r.store) == Some(service))
            || self.children_are_listed(store, &format!("{}/firewallrules", table(service).0))
    }

    fn subnets_are_listed(&self, store: Sym, service: Service) -> bool {
        self.subnet_rules.iter().any(|r| self.service_of(r.store) == Some(service))
            || self.children_are_listed(store, &format!("{}/virtualnetworkrules", table(service).0))
    }

    /// The first rule of the list that matches (APP-04 to APP-06).
    fn list_admits(&self, list: Sym, default: Tri, seen: Seen) -> Tri {
        let mut rules: Vec<StoreListRule> = self.list_rules.iter().filter(|r| r.rule_set == list).copied().collect();
        rules.sort_by_key(|r| r.position);
        match seen {
            Seen::Subnet(subnet) => self.first_match(&rules, default, None, Some(subnet)),
            Seen::Public { addr: Addr::Known(ip), .. } => self.first_match(&rules, default, Some(ip), None),
            // Some address that nobody knows: what holds at every place where the rules tell addresses apart.
            _ => {
                let all: BTreeSet<Tri> =
                    self.places(&rules).into_iter().map(|ip| self.first_match(&rules, default, Some(ip), None)).collect();
                // Nobody says of which family it is; a rule for all of the other says nothing of it.
                let other = self.first_match(&rules, default, Some("2620::1".parse().expect("literal")), None);
                match all.into_iter().collect::<Vec<_>>()[..] {
                    [Tri::No] => other.and(Tri::Maybe),
                    [one] => one,
                    _ => Tri::Maybe,
                }
            }
        }
    }

    fn first_match(&self, rules: &[StoreListRule], default: Tri, ip: Option<IpAddr>, subnet: Option<Sym>) -> Tri {
        let Some((rule, rest)) = rules.split_first() else { return default };
        let mut matches = Tri::No;
        for item in rule.source.items() {
            matches = matches.or(match (item, ip) {
                (Selector::Any, _) => Tri::Yes,
                (Selector::Prefix(prefix), Some(ip)) => Tri::from_bool(prefix.contains(&ip)),
                (Selector::Tag(tag), Some(ip)) => {
                    self.platform.tag(tag).map_or(Tri::Maybe, |all| Tri::from_bool(all.iter().any(|p| p.contains(&ip))))
                }
                _ => Tri::No,
            });
        }
        if let Some(subnet) = subnet
            && (rule.subnet == subnet || rule.subnet.as_str() == "*")
        {
            matches = Tri::Yes;
        }
        let says = Tri::from_bool(rule.allow);
        match matches {
            Tri::No => self.first_match(rest, default, ip, subnet),
            Tri::Yes if rule.sure => says,
            _ => {
                let otherwise = self.first_match(rest, default, ip, subnet);
                if otherwise == says { says } else { Tri::Maybe }
            }
        }
    }

    /// Public addresses on both sides of every edge of the rules.
    fn places(&self, rules: &[StoreListRule]) -> Vec<IpAddr> {
        let mut all: Vec<IpAddr> = vec!["20.0.0.1".parse().expect("literal"), "198.51.100.7".parse().expect("literal")];
        for item in rules.iter().flat_map(|r| r.source.items()) {
            let prefixes = match item {
                Selector::Prefix(prefix) => vec![prefix],
                Selector::Tag(tag) => self.platform.tag(tag).unwrap_or(&[]).to_vec(),
                _ => Vec::new(),
            };
            for prefix in prefixes.into_iter().filter(|p| p.network().is_ipv4()) {
                let (low, high) = (number(prefix.network()), number(prefix.broadcast()));
                let edges = [low.saturating_sub(1), low, high, high.saturating_add(1).min(u128::from(u32::MAX))];
                all.extend(edges.map(|n| watertight::model::net::address(n, true)));
            }
        }
        all.retain(|ip| is_public(*ip));
        all
    }
}
