//! Stores: PaaS resources that hold data behind a public front end with a firewall of its own.

use std::net::IpAddr;

use crate::model::{Sym, Tri};

words! {
    /// The services whose front ends are derived.
    Service { Storage = "storage", KeyVault = "keyvault", Sql = "sql" }
}
words! {
    /// `publicNetworkAccess` (FW-03): absent is `enabled`.
    PublicAccess { Enabled = "enabled", Disabled = "disabled", SecuredByPerimeter = "securedbyperimeter", Unknown = "unknown" }
}
words! {
    /// The front end of a store: its own region, or the paired one that can be read (M-07).
    Instance { Primary = "primary", Secondary = "secondary" }
}

relations! { STORE_RELATIONS:
    /// `store(store, service, kind, location)`: a PaaS resource with a front end; `kind` is the account kind in lower case, `classic` for one of the old
    /// deployment model.
    Store store { store: Sym, service: Service, kind: Sym, location: Sym }

    /// `store_part(store, part, instance, host, location)`: one endpoint of `store` (M-07): the sub-resource `part` (`blob`, `vault`, `sqlserver`, lower case),
    /// its public host name and its region.
    StorePart store_part { store: Sym, part: Sym, instance: Instance, host: Sym, location: Sym }

    /// `store_access(store, public, default_allow, trusted, plain_http, outbound_restricted)`: the switches of the firewall. `default_allow` is the default
    /// action (FW-10), `trusted` whether `bypass` names AzureServices (ST-08), `plain_http` whether port 80 answers too (M-16), `outbound_restricted` the
    /// outbound switch of a SQL server (SQL-10). Exactly one per store.
    StoreAccess store_access { store: Sym, public: PublicAccess, default_allow: Tri, trusted: bool, plain_http: bool, outbound_restricted: bool }

    /// `store_ip_rule(rule, store, from, to)`: the firewall admits public source addresses `from` to `to`, inclusive (FW-06). `rule` is the id of a child
    /// resource or the store's id and the position in its list.
    StoreIpRule store_ip_rule { rule: Sym, store: Sym, from: IpAddr, to: IpAddr }

    /// `store_subnet_rule(rule, store, subnet, effective)`: the firewall admits what a service endpoint of `subnet` marks as its own (FW-07, ST-12, SQL-05).
    StoreSubnetRule store_subnet_rule { rule: Sym, store: Sym, subnet: Sym, effective: Tri }

    /// `store_resource_rule(store, tenant, resource)`: the firewall admits the resource instance, whose id may hold `*` segments (ST-09).
    StoreResourceRule store_resource_rule { store: Sym, tenant: Sym, resource: Sym }

    /// `store_outbound_rule(rule, store, fqdn)`: a restricted SQL server may contact `fqdn` (SQL-10).
    StoreOutboundRule store_outbound_rule { rule: Sym, store: Sym, fqdn: Sym }
}
