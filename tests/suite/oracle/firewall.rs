//! The firewalls of stores (FW-03 to FW-10, ST-02, KV-02, SQL-02).

use watertight::facts::store_facts::{PublicAccess, Service};
use watertight::model::{Sym, Tri};

use super::address::number;
use super::packet::Addr;
use super::store::Seen;
use super::walk::Wanted;
use super::world::{World, name_of};

impl World<'_> {
    /// The firewall of the store (FW-03 to FW-10, ST-02, KV-02, SQL-02).
    pub fn admits(&self, wanted: Wanted, service: Service, seen: Seen) -> (Tri, String, &'static str) {
        let store = wanted.store;
        if self.stores.iter().any(|s| s.store == store && s.kind.as_str() == "classic") {
            return (Tri::Yes, "classic".into(), ""); // ST-14
        }
        let Some(access) = self.accesses.iter().find(|a| a.store == store) else {
            return (Tri::Maybe, name_of(store), "W-MISSING");
        };
        match access.public {
            PublicAccess::Enabled => {}
            PublicAccess::Disabled => return (Tri::No, "publicNetworkAccess=Disabled".into(), ""),
            PublicAccess::SecuredByPerimeter | PublicAccess::Unknown => {
                return (Tri::Maybe, "publicNetworkAccess".into(), "W-UNSUPPORTED");
            }
        }
        let by_rule = match seen {
            Seen::Subnet(subnet) => self.subnet_rule_admits(store, service, subnet),
            Seen::SameRegion => Tri::No, // ST-11: neither IP rules nor network rules see it
            Seen::Public { addr, azure } => self.ip_rule_admits(store, service, addr, azure),
        };
        let unlisted = service == Service::Sql && !self.sql_rules_are_listed(store, seen);
        let tri = access.default_allow.or(by_rule).or(if unlisted { Tri::Maybe } else { Tri::No });
        let code = if unlisted { "unlisted-rules" } else { "unsure-rule" };
        (tri, "defaultAction=Deny".into(), code)
    }

    fn subnet_rule_admits(&self, store: Sym, service: Service, subnet: Sym) -> Tri {
        let tenant = |id: Sym| self.resources.iter().find(|r| r.id == id).map(|r| r.tenant).filter(|t| !t.is_empty());
        let network = self.vnet_of(subnet).and_then(tenant);
        // Only Storage and Key Vault take subnets of another tenant (SE-20).
        let foreign = service == Service::Sql && matches!((network, tenant(store)), (Some(a), Some(b)) if a != b);
        if foreign {
            return Tri::No;
        }
        self.subnet_rules.iter().filter(|r| r.store == store && r.subnet == subnet).map(|r| r.effective).max().unwrap_or(Tri::No)
    }

    /// IP rules see public addresses only; one that is not known matches none surely (decision 11).
    fn ip_rule_admits(&self, store: Sym, service: Service, addr: Addr, azure: bool) -> Tri {
        let mut best = Tri::No;
        for rule in self.ip_rules.iter().filter(|r| r.store == store) {
            let all_azure = service == Service::Sql && rule.from == rule.to && number(rule.from) == 0;
            best = best.or(match addr {
                _ if all_azure => Tri::from_bool(azure), // FW-09
                Addr::Known(ip) => {
                    let family = ip.is_ipv4() == rule.from.is_ipv4();
                    Tri::from_bool(family && (number(rule.from)..=number(rule.to)).contains(&number(ip)))
                }
                Addr::SomePublic | Addr::Front(..) => Tri::Maybe,
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
            Seen::SameRegion | Seen::Public { .. } => {
                self.ip_rules.iter().any(|r| of_sql(r.store)) || self.children_are_listed(store, "microsoft.sql/servers/firewallrules")
            }
        }
    }
}
