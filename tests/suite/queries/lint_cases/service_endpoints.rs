//! Cases of the lints of `queries/lints/service_endpoints.dl`.

use super::Case;

pub(super) const CASES: &[Case] = &[
    // covers: L-070
    (
        "l070",
        r#"inside("d"). {by_subnet} {nat} store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1)."#,
        r#"inside("d"). {by_subnet} {nat} store_ip_rule("i", "d", 20.0.0.2, 20.0.0.2)."#,
    ),
    (
        "l070",
        r#"inside("d"). {nat} store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1). endpoint_covers("a", "d", "microsoft.storage", "maybe")."#,
        r#"inside("d"). {nat} store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1). endpoint_covers("a", "d", "microsoft.storage", "no")."#,
    ),
    // covers: L-071
    (
        "l071",
        r#"subnet_service_endpoint("a", "microsoft.storage", "*"). subnet_service_endpoint("a", "microsoft.storage.global", "*")."#,
        r#"subnet_service_endpoint("a", "microsoft.storage", "*"). subnet_service_endpoint("b", "microsoft.storage.global", "*")."#,
    ),
    // covers: L-072
    (
        "l072",
        r#"inside("q"). store("q", "sql", "v12.0", "r"). store_subnet_rule("x", "q", "/subscriptions/s2/vnets/v/subnets/a", "yes").
           resource("q", "k", "q", "r", "s1", "t1", "g"). resource("other", "k", "o", "r", "s2", "t2", "g")."#,
        r#"inside("q"). store("q", "storage", "storagev2", "r"). store_subnet_rule("x", "q", "/subscriptions/s2/vnets/v/subnets/a", "yes").
           resource("q", "k", "q", "r", "s1", "t1", "g"). resource("other", "k", "o", "r", "s2", "t2", "g")."#,
    ),
    // covers: L-073
    (
        "l073",
        r#"subnet_route_table("a", "t"). route("rt", "t", "0.0.0.0/0", "virtualappliance", 10.0.0.4). subnet_prefix("a", 10.1.1.0/24).
           subnet_service_endpoint("a", "microsoft.sql", "")."#,
        // The appliance's own subnet may have it.
        r#"subnet_route_table("a", "t"). route("rt", "t", "0.0.0.0/0", "virtualappliance", 10.1.1.4). subnet_prefix("a", 10.1.1.0/24).
           subnet_service_endpoint("a", "microsoft.sql", "")."#,
    ),
    // covers: L-074
    (
        "l074",
        r#"inside("d"). subnet("a", "v", "a"). store("d", "storage", "storagev2", "r"). store_subnet_rule("r", "d", "a", "yes"). endpoint_covers("a", "d", "", "no")."#,
        r#"inside("d"). {by_subnet}"#,
    ),
    (
        "l074_waits",
        r#"inside("q"). subnet("a", "v", "a"). store_subnet_rule("q/virtualnetworkrules/r", "q", "a", "yes"). endpoint_covers("a", "q", "", "no").
           property("q/virtualnetworkrules/r", "properties.ignoreMissingVnetServiceEndpoint", "", "true")."#,
        r#"inside("q"). subnet("a", "v", "a"). store_subnet_rule("q/virtualnetworkrules/r", "q", "a", "yes"). endpoint_covers("a", "q", "", "no").
           property("q/virtualnetworkrules/r", "properties.ignoreMissingVnetServiceEndpoint", "", "false")."#,
    ),
    (
        "l074_waits",
        r#"inside("kv"). subnet("a", "v", "a"). store_subnet_rule("kv/virtualnetworkrules/0", "kv", "a", "yes"). endpoint_covers("a", "kv", "", "no").
           property("kv", "properties.networkAcls.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint", "0", "true")."#,
        r#"inside("kv"). subnet("a", "v", "a"). store_subnet_rule("kv/virtualnetworkrules/1", "kv", "a", "yes"). endpoint_covers("a", "kv", "", "no").
           property("kv", "properties.networkAcls.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint", "0", "true")."#,
    ),
    (
        "l074_waits",
        r#"inside("n"). subnet("a", "v", "a"). store_subnet_rule("n/default/virtualnetworkrules/0", "n", "a", "yes"). endpoint_covers("a", "n", "", "no").
           property("n/default", "properties.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint", "0", "true")."#,
        r#"inside("n"). subnet("a", "v", "a"). store_subnet_rule("n/default/virtualnetworkrules/0", "n", "a", "yes"). endpoint_covers("a", "n", "", "no").
           property("n/default", "properties.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint", "0", "false")."#,
    ),
    // A restriction of an app.
    (
        "l074",
        r#"inside("w"). subnet("a", "v", "a"). store_rule_set("w/config/web", "w", "sites", "unset", "no", false).
           store_list_rule("r", "w/config/web", 0, true, "", "a", true). endpoint_covers("a", "w", "", "no")."#,
        r#"inside("w"). subnet("a", "v", "a"). store_rule_set("w/config/web", "w", "sites", "unset", "no", false).
           store_list_rule("r", "w/config/web", 0, true, "", "a", true). endpoint_covers("a", "w", "microsoft.web", "yes").
           store_list_rule("s", "w/config/web", 1, false, "", "b", true). subnet("b", "v", "b"). endpoint_covers("b", "w", "", "no")."#,
    ),
    // covers: L-076
    (
        "l076",
        r#"inside("d"). subnet("a", "v", "a"). store_subnet_rule("r", "d", "a", "no")."#,
        r#"inside("d"). {by_subnet} store_subnet_rule("r2", "d", "/subscriptions/sx/vnets/w/subnets/b", "yes")."#,
    ),
    (
        "l076",
        r#"inside("d"). vnet("/v", "r"). child_type("/v", "microsoft.network/virtualnetworks/subnets"). store_subnet_rule("r", "d", "/v/subnets/a", "yes")."#,
        r#"inside("d"). vnet("/v", "r"). child_type("/v", "microsoft.network/virtualnetworks/subnets"). store_subnet_rule("r", "d", "/v/subnets/a", "yes").
           subnet("/v/subnets/a", "/v", "a")."#,
    ),
    // covers: L-077
    (
        "l077",
        r#"{by_subnet} leaks_directly("a", "external:storage", "service-endpoint", "proven")."#,
        r#"{by_subnet} leaks_directly("a", "external:storage", "service-endpoint", "proven"). subnet_endpoint_policy("a", "sep")."#,
    ),
    (
        "l077",
        r#"{by_subnet} leaks_directly("a", "external:storage", "service-endpoint", "unproven")."#,
        r#"{by_subnet} leaks_directly("a", "external:storage", "public", "proven")."#,
    ),
    // covers: L-078
    (
        "l078",
        r#"subnet_service_endpoint("a", "microsoft.keyvault", "*"). store("kv", "keyvault", "", "r")."#,
        r#"subnet_service_endpoint("a", "microsoft.keyvault", "*"). store("kv", "keyvault", "", "r"). store_subnet_rule("r", "kv", "a", "yes")."#,
    ),
    (
        "l078_open",
        r#"subnet_service_endpoint("a", "microsoft.storage", "*"). store("d", "storage", "storagev2", "r"). inside("d"). exposed("d", "blob", "internet", "proven")."#,
        r#"subnet_service_endpoint("a", "microsoft.storage", "*"). store("d", "storage", "storagev2", "r"). inside("d").
           exposed("d", "blob", "internet", "proven"). store_subnet_rule("r", "e", "a", "yes"). store("e", "storage", "storagev2", "r")."#,
    ),
    // covers: L-087
    (
        "l087",
        r#"inside("d"). store("d", "storage", "storagev2", "eastus"). store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1). public_ip_address("pip", 20.0.0.1).
           resource("pip", "microsoft.network/publicipaddresses", "pip", "eastus", "s", "t", "g")."#,
        r#"inside("d"). store("d", "storage", "storagev2", "westeurope"). store_ip_rule("i", "d", 20.0.0.1, 20.0.0.1). public_ip_address("pip", 20.0.0.1).
           resource("pip", "microsoft.network/publicipaddresses", "pip", "eastus", "s", "t", "g")."#,
    ),
    (
        "l087",
        r#"inside("d"). store("d", "storage", "storagev2", "eastus"). store_ip_rule("i", "d", 20.0.0.9, 20.0.0.9). address_tag(20.0.0.9, "azurecloud.eastus")."#,
        r#"inside("d"). store("d", "storage", "storagev2", "eastus"). store_ip_rule("i", "d", 20.0.0.9, 20.0.0.9). address_tag(20.0.0.9, "azurecloud.westus")."#,
    ),
    // covers: L-088
    (
        "l088",
        r#"inside("q"). store("q", "sql", "v12.0", "westus"). store_subnet_rule("r", "q", "a", "yes"). endpoint_covers("a", "q", "microsoft.sql", "no")."#,
        r#"inside("q"). {by_subnet}"#,
    ),
    // covers: L-089
    (
        "l089",
        r#"{by_subnet} {site}"#,
        r#"{by_subnet} {site} store_ip_rule("i", "d", 203.0.113.10, 203.0.113.10). site_nat("hq", 203.0.113.10)."#,
    ),
    ("l089", r#"{by_subnet} {site} store_ip_rule("i", "d", 203.0.113.10, 203.0.113.10)."#, r#"{by_subnet}"#),
    // covers: L-095
    (
        "l095",
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "*", "*", "*", "internet", "*")."#,
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "*", "*", "*", "internet", "*").
           nsg_rule("g/0", "g", "outbound", 100, "allow", "tcp", "virtualnetwork", "*", "storage.eastus", "443")."#,
    ),
    (
        "l095",
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "tcp", "virtualnetwork", "*", "*", "400-500").
           nsg_rule("g/0", "g", "outbound", 120, "allow", "*", "*", "*", "storage", "*")."#,
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "udp", "*", "*", "internet", "*").
           nsg_rule("g/2", "g", "outbound", 120, "deny", "tcp", "*", "*", "internet", "80").
           nsg_rule("g/3", "g", "inbound", 130, "deny", "*", "*", "*", "internet", "*")."#,
    ),
    // The rule names the tag of the service itself.
    (
        "l095",
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "*", "*", "*", "storage", "*")."#,
        r#"{by_subnet} subnet_nsg("a", "g"). nsg_rule("g/1", "g", "outbound", 110, "deny", "*", "*", "*", "storage", "*").
           nsg_rule("g/0", "g", "outbound", 100, "allow", "tcp", "*", "*", "internet", "443").
           nsg_rule("g/2", "g", "outbound", 90, "deny", "*", "*", "*", "sql", "*")."#,
    ),
    // covers: L-096
    ("l096", r#"{egress} subnet("a", "v", "a")."#, r#"{egress} {policy} {scope}"#),
];
