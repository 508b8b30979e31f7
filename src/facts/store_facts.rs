//! Stores: PaaS resources that hold data behind a public front end with a firewall of its own.

use std::net::IpAddr;

use crate::facts::selector::Selectors;
use crate::model::{Sym, Tri};

pub use crate::facts::service::Service;

words! {
    /// `publicNetworkAccess` (FW-03): absent is `enabled`, but for an app, where it is `unset` and a private endpoint decides (APP-03).
    PublicAccess { Enabled = "enabled", Disabled = "disabled", SecuredByPerimeter = "securedbyperimeter", Unset = "unset", Unknown = "unknown" }
}
words! {
    /// The front end of a store: its own region, or the paired one that can be read (M-07).
    Instance { Primary = "primary", Secondary = "secondary" }
}

words! {
    /// What an account is switched to besides its usual protocols (M-16): plain HTTP, SFTP, NFS 3.0; and a SQL server to contacting listed hosts only (SQL-10).
    Switch { Http = "http", Sftp = "sftp", Nfsv3 = "nfsv3", Outbound = "outbound" }
}

/// The host of a front end that has a name of its own which nobody can tell: it stands in no domain, as every front end does.
pub const UNTOLD_HOST: &str = "?";

relations! { STORE_RELATIONS:
    /// `store(store, service, kind, location)`: a PaaS resource with a front end; `kind` is the account kind in lower case, `classic` for one of the old
    /// deployment model, the tier of a namespace and the SKU of a registry.
    Store store { store: Sym, service: Service, kind: Sym, location: Sym }

    /// `store_part(store, part, instance, host, location)`: one endpoint of `store` (M-07): the sub-resource `part` (`blob`, `vault`, `sqlserver`, lower case),
    /// its public host name and its region; an empty host follows the pattern of the service, and one without a dot (`?`) is not known. A name that a store has besides, for one region, is a part of its own, `sql.westus`; the deployment site of an app is
    /// `scm`.
    StorePart store_part { store: Sym, part: Sym, instance: Instance, host: Sym, location: Sym }

    /// `store_region(store, region)`: the store is served from `region` too: what answers at its own name, that of no region, may stand there (DNS-36).
    StoreRegion store_region { store: Sym, region: Sym }

    /// `store_access(store, public, default_allow, trusted, plain_http, outbound_restricted)`: the switches of the firewall. `default_allow` is the default
    /// action (FW-10), `trusted` whether `bypass` names AzureServices (ST-08), `plain_http` whether port 80 answers too (M-16), `outbound_restricted` the
    /// outbound switch of a SQL server (SQL-10). Exactly one per store.
    StoreAccess store_access { store: Sym, public: PublicAccess, default_allow: Tri, trusted: bool, plain_http: bool, outbound_restricted: bool }

    /// `store_switch(store, switch, on)`: the account answers at the ports of `switch` too (M-16); `maybe` where the value could not be read. Without a row it
    /// does not, but at port 80, of which `store_access` tells. With `outbound` a SQL server may contact listed hosts only, of which `store_access` tells too (SQL-10).
    StoreSwitch store_switch { store: Sym, switch: Switch, on: Tri }

    /// `store_ip_rule(rule, store, from, to)`: the firewall admits public source addresses `from` to `to`, inclusive (FW-06). `rule` is the id of a child
    /// resource or the store's id and the position in its list.
    StoreIpRule store_ip_rule { rule: Sym, store: Sym, from: IpAddr, to: IpAddr }

    /// `store_subnet_rule(rule, store, subnet, effective)`: the firewall admits what a service endpoint of `subnet` marks as its own (FW-07, ST-12, SQL-05).
    StoreSubnetRule store_subnet_rule { rule: Sym, store: Sym, subnet: Sym, effective: Tri }

    /// `store_rule_set(rule_set, store, part, public, default_allow, trusted)`: switches that a child resource holds for `store`, or for one `part` of it: the
    /// network rule set of a namespace (MSG-01), the access restrictions of an app and of its deployment site (APP-01).
    StoreRuleSet store_rule_set { rule_set: Sym, store: Sym, part: Sym, public: PublicAccess, default_allow: Tri, trusted: bool }

    /// `store_list_rule(rule, rule_set, position, allow, source, subnet, sure)`: a rule of an ordered list, of which the first that matches decides (APP-04).
    /// It matches the public addresses of `source` or what a service endpoint of `subnet` marks (`*`: of any); where it is not `sure` it has conditions
    /// besides (APP-06).
    StoreListRule store_list_rule { rule: Sym, rule_set: Sym, position: u32, allow: bool, source: Selectors, subnet: Sym, sure: bool }

    /// `store_resource_rule(store, tenant, resource)`: the firewall admits the resource instance, whose id may hold `*` segments (ST-09).
    StoreResourceRule store_resource_rule { store: Sym, tenant: Sym, resource: Sym }

    /// `store_outbound_rule(rule, store, fqdn)`: a restricted SQL server may contact `fqdn` (SQL-10).
    StoreOutboundRule store_outbound_rule { rule: Sym, store: Sym, fqdn: Sym }
}

impl StoreResourceRule {
    /// A rule of the store that names somebody who cannot be told.
    pub fn nameless(store: Sym) -> StoreResourceRule {
        StoreResourceRule { store, tenant: Sym::EMPTY, resource: Sym::EMPTY }
    }
}
