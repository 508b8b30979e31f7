//! Cases of the lints of `queries/lints/firewalls.dl`.

use super::Case;

pub(super) const CASES: &[Case] = &[
    // covers: L-060
    (
        "l060",
        r#"inside("d"). exposed("d", "blob", "internet", "proven"). consented("e", "c", "d", "blob", "approved", "proven")."#,
        r#"inside("d"). exposed("d", "blob", "any-azure", "proven"). consented("e", "c", "d", "blob", "approved", "proven")."#,
    ),
    (
        "l060",
        r#"inside("x"). property("x", "properties.publicNetworkAccess", "", "enabled"). consented("e", "c", "x", "account", "approved", "proven")."#,
        r#"inside("x"). property("x", "properties.publicNetworkAccess", "", "disabled"). consented("e", "c", "x", "account", "approved", "proven")."#,
    ),
    // covers: L-061
    (
        "l061",
        r#"sensitive("d"). exposed("d", "blob", "internet", "proven")."#,
        r#"sensitive("d"). exposed("d", "blob", "any-azure", "proven"). exposed("x", "blob", "internet", "proven")."#,
    ),
    // covers: L-062
    (
        "l062",
        r#"{cosmos} consented("e", "c", "db", "sql", "approved", "proven")."#,
        r#"{cosmos} consented("e", "c", "db", "sql", "approved", "proven"). property("db", "properties.ipRules[].ipAddressOrRange", "0", "192.0.2.1")."#,
    ),
    // covers: L-063
    (
        "l063",
        r#"inside("eh"). resource("eh/networkrulesets/default", "microsoft.eventhub/namespaces/networkrulesets", "default", "r", "s", "t", "g").
           property("eh/networkrulesets/default", "properties.defaultAction", "", "deny")."#,
        r#"inside("eh"). resource("eh/networkrulesets/default", "microsoft.eventhub/namespaces/networkrulesets", "default", "r", "s", "t", "g").
           property("eh/networkrulesets/default", "properties.defaultAction", "", "deny").
           property("eh/networkrulesets/default", "properties.ipRules[].ipMask", "0", "192.0.2.1")."#,
    ),
    (
        "l063",
        r#"inside("eh"). inside("sb"). resource("sb", "microsoft.servicebus/namespaces", "sb", "r", "s", "t", "g"). property("sb", "sku.name", "", "standard")."#,
        r#"inside("eh"). inside("sb"). resource("sb", "microsoft.servicebus/namespaces", "sb", "r", "s", "t", "g"). property("sb", "sku.name", "", "premium").
           resource("eh", "microsoft.eventhub/namespaces", "eh", "r", "s", "t", "g"). property("eh", "sku.name", "", "standard")."#,
    ),
    // covers: L-064
    (
        "l064",
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.ipSecurityRestrictions[].vnetSubnetResourceId", "0", "a").
           consented("e", "c", "w", "sites", "approved", "proven")."#,
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.ipSecurityRestrictions[].vnetSubnetResourceId", "0", "a")."#,
    ),
    (
        "l064",
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.scmIpSecurityRestrictions[].vnetSubnetResourceId", "0", "a").
           consented("e", "c", "w", "sites", "approved", "proven")."#,
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.scmIpSecurityRestrictions[].vnetSubnetResourceId", "0", "a").
           consented("e", "c", "w", "sites", "rejected", "proven")."#,
    ),
    (
        "l064_open",
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.ipSecurityRestrictions[].action", "0", "allow").
           property("w/config/web", "properties.siteConfig.ipSecurityRestrictionsDefaultAction", "", "allow")."#,
        r#"inside("w"). {app} property("w/config/web", "properties.siteConfig.ipSecurityRestrictions[].action", "0", "deny").
           property("w/config/web", "properties.siteConfig.ipSecurityRestrictionsDefaultAction", "", "allow")."#,
    ),
    // covers: L-065
    (
        "l065",
        r#"inside("q"). store("q", "sql", "v12.0", "r"). store_ip_rule("q/firewallrules/azure", "q", 0.0.0.0, 0.0.0.0)."#,
        r#"inside("q"). store("q", "sql", "v12.0", "r"). store_ip_rule("q/firewallrules/azure", "q", 0.0.0.0, 0.0.0.0).
           property("q", "properties.publicNetworkAccess", "", "disabled"). store_ip_rule("p/firewallrules/x", "p", 192.0.2.1, 192.0.2.1)."#,
    ),
    (
        "l065",
        r#"inside("pg"). property("pg/firewallrules/x", "properties.startIpAddress", "", "0.0.0.0"). property("pg/firewallrules/x", "properties.endIpAddress", "", "0.0.0.0")."#,
        r#"inside("pg"). property("pg/firewallrules/x", "properties.startIpAddress", "", "192.0.2.1"). property("pg/firewallrules/x", "properties.endIpAddress", "", "192.0.2.9")."#,
    ),
    (
        "l065",
        r#"{cosmos} property("db", "properties.ipRangeFilter", "", "192.0.2.1,0.0.0.0")."#,
        r#"{cosmos} property("db", "properties.ipRangeFilter", "", "192.0.2.1")."#,
    ),
    // covers: L-066
    (
        "l066",
        r#"{member} property("nsp/resourceassociations/x", "properties.accessMode", "", "learning")."#,
        r#"{member} property("nsp/resourceassociations/x", "properties.accessMode", "", "enforced")."#,
    ),
    (
        "l066_alone",
        r#"inside("d"). property("d", "properties.publicNetworkAccess", "", "securedbyperimeter")."#,
        r#"inside("d"). {member} property("d", "properties.publicNetworkAccess", "", "securedbyperimeter")."#,
    ),
    // covers: L-067
    ("l067", r#"{sensitive}"#, r#"{sensitive} property("d", "properties.allowedCopyScope", "", "aad")."#),
    (
        "l067_relied",
        r#"{sensitive} property("d", "properties.allowedCopyScope", "", "aad"). exposed("d", "blob", "internet", "proven")."#,
        r#"{sensitive} property("d", "properties.allowedCopyScope", "", "aad"). exposed("d", "blob", "trusted-services", "proven")."#,
    ),
    // covers: L-068
    (
        "l068",
        r#"{sensitive} store("d", "storage", "storagev2", "r"). exposed("d", "blob", "trusted-services", "proven")."#,
        r#"{sensitive} store("d", "storage", "classic", "r"). exposed("d", "blob", "trusted-services", "proven")."#,
    ),
    // covers: L-069
    (
        "l069",
        r#"inside("d"). property("d", "properties.publicNetworkAccess", "", "disabled"). property("d", "properties.networkAcls.defaultAction", "", "allow")."#,
        r#"inside("d"). property("d", "properties.publicNetworkAccess", "", "disabled"). property("d", "properties.networkAcls.defaultAction", "", "deny")."#,
    ),
    // covers: L-075
    (
        "l075",
        r#"inside("d"). store_ip_rule("r", "d", 10.0.0.0, 10.0.0.255)."#,
        r#"inside("d"). store_ip_rule("r", "d", 192.0.2.0, 192.0.2.255)."#,
    ),
    (
        "l075",
        r#"inside("d"). store_ip_rule("r", "d", 2001:db8::1, 2001:db8::1)."#,
        r#"inside("d"). store_ip_rule("d/ipv6rules/0", "d", 2001:db8::1, 2001:db8::1)."#,
    ),
    (
        "l075",
        r#"inside("d"). resource("d", "microsoft.storage/storageaccounts", "d", "r", "s", "t", "g"). property("d", "properties.networkAcls.ipRules[].value", "0", "192.0.2.1/32")."#,
        r#"inside("d"). resource("d", "microsoft.storage/storageaccounts", "d", "r", "s", "t", "g"). property("d", "properties.networkAcls.ipRules[].value", "0", "192.0.2.0/30")."#,
    ),
    // A restriction of an app.
    (
        "l075",
        r#"inside("w"). store_rule_set("w/config/web", "w", "sites", "unset", "no", false).
           store_list_rule("r", "w/config/web", 0, true, "10.0.0.0/8", "", true)."#,
        r#"inside("w"). store_rule_set("w/config/web", "w", "sites", "unset", "no", false).
           store_list_rule("r", "w/config/web", 0, true, "192.0.2.0/24", "", true). store_list_rule("s", "w/config/web", 1, true, "*", "", true)."#,
    ),
    // covers: L-079
    (
        "l079",
        r#"inside("q"). store("q", "sql", "v12.0", "r")."#,
        r#"inside("q"). store("q", "sql", "v12.0", "r"). property("q", "properties.publicNetworkAccess", "", "disabled"). store("d", "storage", "", "r")."#,
    ),
    // covers: L-086
    (
        "l086",
        r#"inside("d"). exposed("d", "blob", "internet", "proven"). property("d", "properties.networkAcls.defaultAction", "", "allow"). store_ip_rule("r", "d", 192.0.2.1, 192.0.2.1)."#,
        r#"inside("d"). property("d", "properties.networkAcls.defaultAction", "", "deny"). store_ip_rule("r", "d", 192.0.2.1, 192.0.2.1)."#,
    ),
    (
        "l086",
        r#"inside("d"). store_ip_rule("r", "d", 192.0.2.1, 192.0.2.1). store_ip_rule("q", "d", 192.0.2.0, 192.0.2.255)."#,
        r#"inside("d"). store_ip_rule("r", "d", 192.0.2.1, 192.0.2.1). store_ip_rule("q", "e", 192.0.2.0, 192.0.2.255). store_ip_rule("p", "d", 192.0.2.2, 192.0.2.255)."#,
    ),
    (
        "l086",
        r#"inside("eh"). resource("eh/rs/default", "microsoft.eventhub/namespaces/networkrulesets", "default", "r", "s", "t", "g").
           property("eh/rs/default", "properties.defaultAction", "", "allow"). property("eh/rs/default", "properties.ipRules[].ipMask", "0", "192.0.2.1")."#,
        r#"inside("eh"). resource("eh/rs/default", "microsoft.eventhub/namespaces/networkrulesets", "default", "r", "s", "t", "g").
           property("eh/rs/default", "properties.defaultAction", "", "allow")."#,
    ),
    (
        "l086",
        r#"{cosmos} property("db", "properties.isVirtualNetworkFilterEnabled", "", "false"). property("db", "properties.virtualNetworkRules[].id", "0", "a")."#,
        r#"{cosmos} property("db", "properties.isVirtualNetworkFilterEnabled", "", "true"). property("db", "properties.virtualNetworkRules[].id", "0", "a")."#,
    ),
    // covers: L-099
    (
        "l099",
        r#"gap("x", "microsoft.search/searchservices", "this type is not modelled")."#,
        r#"gap("v", "microsoft.network/virtualnetworks", "`summarizedGatewayPrefixes` is not modelled")."#,
    ),
    (
        "l099",
        r#"store("d", "storage", "storagev2", "r"). gap("d", "microsoft.storage/storageaccounts", "`customDomain` is not modelled")."#,
        r#"store("d", "storage", "storagev2", "r")."#,
    ),
];
