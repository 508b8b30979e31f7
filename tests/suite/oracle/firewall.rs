//! The firewalls of stores (FW-03 to FW-10, ST-02, KV-02, SQL-02).

use watertight::facts::store_facts::{PublicAccess, Service};
use watertight::model::net::is_public;
use watertight::model::{Stage, Sym, Tri};

use super::address::number;
use super::paas::firewall_stage;
use super::packet::Addr;
use super::store::Seen;
use super::walk::Wanted;
use super::world::{World, name_of};

impl World<'_> {
    /// The perimeter of the store where it is in one, else its firewall (FW-02).
    pub fn admits(&self, wanted: Wanted, service: Service, seen: Seen, sender: Sym) -> (Tri, String, &'static str, Stage) {
        let (own, rule, code) = self.own_admits(wanted, service, seen);
        let stage = firewall_stage(service);
        match self.perimeter_admits(wanted, service, seen, sender) {
            Some((tri, true)) if tri == own => (tri, rule, code, stage),
            Some((tri, _)) => (tri, "accessRules".into(), "W-MISSING", Stage::Perimeter),
            None if self.members_are_unknown() => (Tri::Maybe, String::new(), "W-UNSUPPORTED", stage),
            None => (own, rule, code, stage),
        }
    }

    /// Whether the firewall alone admits it.
    pub fn own_firewall_admits(&self, wanted: Wanted, service: Service, seen: Seen) -> Tri {
        self.own_admits(wanted, service, seen).0
    }

    /// Whether trusted services and named resources pass (ST-08, ST-09, KV-02).
    pub fn bypass_admits(&self, store: Sym, seen: Seen) -> Tri {
        let Seen::Caller(caller) = seen else { return Tri::No };
        let resource = |id: Sym| self.resources.iter().find(|r| r.id == id);
        let tenant = |id: Sym| resource(id).map_or(Sym::EMPTY, |r| r.tenant);
        let trusted = self.accesses.iter().any(|a| a.store == store && a.trusted);
        let by_id = watertight::model::ids::id_type(caller.as_str()).unwrap_or_default();
        let kind = resource(caller).map_or(by_id.as_str(), |r| r.kind.as_str());
        let by_kind = match kind {
            "microsoft.recoveryservices/vaults" | "microsoft.eventhub/namespaces" | "microsoft.insights/diagnosticsettings" => Tri::Yes,
            "microsoft.compute/virtualmachines" | "microsoft.web/sites" | "microsoft.storage/storageaccounts" => Tri::No,
            _ => Tri::Maybe,
        };
        let native = if tenant(caller).is_empty() || tenant(store).is_empty() {
            Tri::Maybe
        } else {
            Tri::from_bool(tenant(caller) == tenant(store))
        };
        let rules = || self.resource_rules.iter().filter(|r| r.store == store);
        let listed = rules().any(|r| r.resource == caller && r.tenant == tenant(caller));
        // A rule that does not say for whom it is may be for this one.
        let perhaps = rules().any(|r| r.resource.is_empty() && (r.tenant.is_empty() || r.tenant == tenant(caller)));
        let of_service = self.service_of(store) != Some(Service::Sql);
        let by_trust = if trusted && of_service { by_kind.min(native) } else { Tri::No };
        by_trust.max(Tri::from_bool(listed)).max(if perhaps { Tri::Maybe } else { Tri::No })
    }

    /// The firewall of the store (FW-03 to FW-10, ST-02, KV-02, SQL-02).
    fn own_admits(&self, wanted: Wanted, service: Service, seen: Seen) -> (Tri, String, &'static str) {
        let store = wanted.store;
        if !matches!(service, Service::Storage | Service::KeyVault | Service::Sql) {
            return self.admits_elsewhere(wanted, service, seen);
        }
        if self.stores.iter().any(|s| s.store == store && s.kind.as_str() == "classic") {
            return (Tri::Yes, "classic".into(), ""); // ST-14
        }
        let Some(access) = self.accesses.iter().find(|a| a.store == store) else {
            return (Tri::Maybe, name_of(store), "W-MISSING");
        };
        let bypass = self.bypass_admits(store, seen);
        if bypass.hi() && access.public != PublicAccess::SecuredByPerimeter {
            // A switch that nobody understands may be the one that locks out even those.
            let unsure = access.public == PublicAccess::Unknown;
            return (if unsure { Tri::Maybe } else { bypass }, "bypass".into(), "FW_TRUSTED");
        }
        match access.public {
            PublicAccess::Enabled | PublicAccess::Unset => {}
            // A rule for resources passes the switch (ST-09): one that could not be read may be for this one.
            PublicAccess::Disabled if service == Service::Storage && matches!(seen, Seen::Caller(_)) && self.is_unread_for(store, seen) => {
                return (Tri::Maybe, "unread".into(), "FW_RESOURCE");
            }
            PublicAccess::Disabled => return (Tri::No, "publicNetworkAccess=Disabled".into(), ""),
            PublicAccess::SecuredByPerimeter => return (Tri::No, "publicNetworkAccess=SecuredByPerimeter".into(), ""), // NSP-03
            PublicAccess::Unknown => {
                return (Tri::Maybe, "publicNetworkAccess".into(), "W-UNSUPPORTED");
            }
        }
        let by_rule = match seen {
            Seen::Subnet(subnet) => self.subnet_rule_admits(store, service, subnet),
            Seen::Caller(_) => self.ip_rule_admits(store, service, Addr::SomePublic, true),
            Seen::SameRegion => Tri::No, // ST-11: neither IP rules nor network rules see it
            Seen::Public { addr, azure } => self.ip_rule_admits(store, service, addr, azure),
        };
        let unlisted = service == Service::Sql && !self.sql_rules_are_listed(store, seen);
        // What a database admits by itself nobody exported; it never sees a subnet (SQL-07).
        let hidden = service == Service::Sql && !matches!(seen, Seen::Subnet(_)) && !self.hidden_rules.is_empty();
        let unlisted = unlisted || hidden || self.is_unread_for(store, seen);
        // A server has no default action: without a rule nobody passes (SQL-02).
        let default = if service == Service::Sql { Tri::No } else { access.default_allow };
        let tri = default.or(by_rule).or(if unlisted { Tri::Maybe } else { Tri::No });
        let code = if unlisted { "unlisted-rules" } else { "unsure-rule" };
        (tri, "defaultAction=Deny".into(), code)
    }

    /// Whether a rule of the store, or of the profile, could not be read (SND-02).
    pub fn is_unread(&self, holder: Sym) -> bool {
        self.unread_rules.iter().any(|row| row.holder == holder)
    }

    /// Whether one that could not be read may admit such a source: rules for subnets see nothing but subnets (FW-07).
    pub fn is_unread_for(&self, holder: Sym, seen: Seen) -> bool {
        let of_subnets = |what: Sym| what.as_str().to_lowercase().contains("virtualnetworkrules");
        let rows = self.unread_rules.iter().filter(|row| row.holder == holder);
        rows.clone().any(|row| matches!(seen, Seen::Subnet(_)) || !of_subnets(row.what))
    }

    /// Whether there is anybody at all whom the firewall may admit.
    pub fn admits_anybody(&self, wanted: Wanted, service: Service) -> bool {
        let azure = Seen::Public { addr: Addr::SomePublic, azure: true };
        let lists = self.rule_sets.iter().filter(|s| s.store == wanted.store).map(|s| s.rule_set);
        let listed = lists.flat_map(|list| self.list_rules.iter().filter(move |r| r.rule_set == list)).map(|r| Seen::Subnet(r.subnet));
        let named = self.subnet_rules.iter().filter(|r| r.store == wanted.store).map(|r| Seen::Subnet(r.subnet)).chain(listed);
        let nobodys = Seen::Subnet(Sym::EMPTY);
        let outside = Seen::Public { addr: Addr::SomePublic, azure: false };
        let seen: Vec<Seen> = named.chain([azure, outside, Seen::SameRegion, nobodys]).collect();
        let senders = [Sym::EMPTY].into_iter().chain(self.subnets.iter().map(|s| s.subnet));
        senders.into_iter().any(|sender| seen.iter().any(|seen| self.admits(wanted, service, *seen, sender).0.hi()))
    }

    /// A rule for the subnet (FW-07).
    pub fn subnet_rule_admits(&self, store: Sym, service: Service, subnet: Sym) -> Tri {
        let tenant = |id: Sym| self.resources.iter().find(|r| r.id == id).map(|r| r.tenant).filter(|t| !t.is_empty());
        let network = self.vnet_of(subnet).and_then(tenant);
        let subscription = |id: Sym| watertight::model::ids::id_parts(id.as_str()).subscription.to_owned();
        // Only Storage and Key Vault take subnets of another tenant (SE-20); one subscription has one tenant.
        let native = match (network, tenant(store)) {
            _ if matches!(service, Service::Storage | Service::KeyVault) => Tri::Yes,
            (Some(a), Some(b)) => Tri::from_bool(a == b),
            _ if subscription(subnet) == subscription(store) => Tri::Yes,
            _ => Tri::Maybe,
        };
        let rules = self.subnet_rules.iter().filter(|r| r.store == store && r.subnet == subnet);
        rules.map(|r| r.effective.and(native)).max().unwrap_or(Tri::No)
    }

    /// IP rules see public addresses only; one that is not known matches none surely (decision 11).
    pub fn ip_rule_admits(&self, store: Sym, service: Service, addr: Addr, azure: bool) -> Tri {
        let mut best = Tri::No;
        for rule in self.ip_rules.iter().filter(|r| r.store == store) {
            use Service::{Cosmos, DataLake, Database, Flexible, Sql, Synapse};
            let knows_azure = matches!(service, Sql | Cosmos | Database | Flexible | Synapse | DataLake);
            let all_azure = knows_azure && rule.from == rule.to && number(rule.from) == 0;
            best = best.or(match addr {
                _ if all_azure => Tri::from_bool(azure), // FW-09
                Addr::Known(ip) => {
                    let family = ip.is_ipv4() == rule.from.is_ipv4();
                    // Rules of IPv6 are documented nowhere.
                    let most = if ip.is_ipv4() { Tri::Yes } else { Tri::Maybe };
                    Tri::from_bool(family && (number(rule.from)..=number(rule.to)).contains(&number(ip))).and(most)
                }
                // Some public address is in a range that holds any.
                Addr::SomePublic | Addr::Front(..) => Tri::from_bool(is_public(rule.from) || is_public(rule.to)).and(Tri::Maybe),
            });
        }
        best
    }

    /// Whether the kind of rules that decides about such a source was exported (decision 24).
    fn sql_rules_are_listed(&self, store: Sym, seen: Seen) -> bool {
        let of_sql = |s: Sym| self.service_of(s) == Some(Service::Sql);
        match seen {
            Seen::Subnet(_) => {
                self.subnet_rules.iter().any(|r| of_sql(r.store))
                    || self.children_are_listed(store, "microsoft.sql/servers/virtualnetworkrules")
            }
            Seen::SameRegion | Seen::Public { .. } | Seen::Caller(_) => {
                self.ip_rules.iter().any(|r| of_sql(r.store)) || self.children_are_listed(store, "microsoft.sql/servers/firewallrules")
            }
        }
    }
}
