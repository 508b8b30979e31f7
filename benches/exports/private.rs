//! An estate of private endpoints: many networks that all know the names of many stores.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::row::{Home, NIC, SUBNET, VNET, after, child, export, peering, reference};

const ENDPOINT: &str = "Microsoft.Network/privateEndpoints";
const ZONE: &str = "Microsoft.Network/privateDnsZones";
const REGION: &str = "westeurope";
/// The hub; its upper half is for private endpoints, with two addresses each.
const HUB: (Ipv4Addr, u8) = (Ipv4Addr::new(10, 0, 0, 0), 16);
const ENDPOINTS: (Ipv4Addr, u8) = (Ipv4Addr::new(10, 0, 128, 0), 17);
/// Spokes are cut from here, a /26 each.
const SPOKES: Ipv4Addr = Ipv4Addr::new(10, 128, 0, 0);
/// The states of a connection, in turn.
const STATES: [&str; 3] = ["Approved", "Pending", "Rejected"];

/// A service, and the words that come with its private endpoints.
struct Service {
    resource: &'static str,
    /// Begins the name.
    short: &'static str,
    /// The sub-resource.
    group: &'static str,
    /// What follows the name in public.
    suffix: &'static str,
    zone: &'static str,
}

const SERVICES: [Service; 8] = [
    Service {
        resource: "Microsoft.Storage/storageAccounts",
        short: "st",
        group: "blob",
        suffix: "blob.core.windows.net",
        zone: "privatelink.blob.core.windows.net",
    },
    Service {
        resource: "Microsoft.KeyVault/vaults",
        short: "kv",
        group: "vault",
        suffix: "vault.azure.net",
        zone: "privatelink.vaultcore.azure.net",
    },
    Service {
        resource: "Microsoft.Sql/servers",
        short: "sql",
        group: "sqlServer",
        suffix: "database.windows.net",
        zone: "privatelink.database.windows.net",
    },
    Service {
        resource: "Microsoft.DocumentDB/databaseAccounts",
        short: "cosmos",
        group: "Sql",
        suffix: "documents.azure.com",
        zone: "privatelink.documents.azure.com",
    },
    Service {
        resource: "Microsoft.EventHub/namespaces",
        short: "evh",
        group: "namespace",
        suffix: "servicebus.windows.net",
        zone: "privatelink.servicebus.windows.net",
    },
    Service {
        resource: "Microsoft.ServiceBus/namespaces",
        short: "sbus",
        group: "namespace",
        suffix: "servicebus.windows.net",
        zone: "privatelink.servicebus.windows.net",
    },
    Service {
        resource: "Microsoft.ContainerRegistry/registries",
        short: "cr",
        group: "registry",
        suffix: "azurecr.io",
        zone: "privatelink.azurecr.io",
    },
    Service {
        resource: "Microsoft.Web/sites",
        short: "app",
        group: "sites",
        suffix: "azurewebsites.net",
        zone: "privatelink.azurewebsites.net",
    },
];

/// The Resource Graph export of one hub, so many spokes (a /26 with one subnet and one machine) and so many stores of eight services in turn, each with
/// a private endpoint in the hub: approved, pending, rejected in turn. Every name has its record, and every spoke is linked to every zone, so that what a
/// spoke can ask for grows as endpoints × spokes. Every second spoke has no way to the internet of its own.
///
/// Beyond 500 spokes the hub has more peerings than Azure grants, beyond 1,000 endpoints more endpoints: what is asked is how the work grows.
///
/// # Panics
/// Beyond 16,000 endpoints, for which the hub has no addresses.
pub fn private(endpoints: u32) -> Vec<u8> {
    assert!(endpoints <= 16_000, "the hub has addresses for 16,000 endpoints");
    let hub = home("hub");
    let mut rows = Vec::new();
    let mut peerings = Vec::new();
    let mut spokes = Vec::new();
    for n in 0..endpoints {
        let name = format!("spoke-{n:05}");
        let home = home(&name);
        let id = home.id(VNET, &name);
        let base = after(SPOKES, n * 64);
        let prefix = format!("{base}/26");
        peerings.push(peering(&hub.id(VNET, "hub"), &id, &format!("to-{name}"), &prefix));
        let subnet = json!({ "addressPrefix": prefix, "serviceEndpoints": [], "defaultOutboundAccess": n % 2 == 1 });
        let mut spoke = home.vnet(&name, &prefix, vec![child(&id, "subnets", "work", subnet)]);
        spoke["properties"]["virtualNetworkPeerings"] = json!([peering(&id, &hub.id(VNET, "hub"), "to-hub", &space(HUB))]);
        rows.push(spoke);
        let place = (home.id(SUBNET, &format!("{name}/work")), after(base, 4).to_string());
        rows.extend(home.machine(&format!("vm-{n:05}"), false, &[place]));
        spokes.push((name, id));
    }
    let subnet = json!({ "addressPrefix": space(ENDPOINTS), "serviceEndpoints": [], "privateEndpointNetworkPolicies": "Disabled" });
    let mut network = hub.vnet("hub", &space(HUB), vec![child(&hub.id(VNET, "hub"), "subnets", "endpoints", subnet)]);
    network["properties"]["virtualNetworkPeerings"] = peerings.into();
    rows.push(network);
    for n in 0..endpoints {
        let service = &SERVICES[n as usize % SERVICES.len()];
        store(&hub, service, n, &mut rows);
        private_endpoint(&hub, service, n, &mut rows);
    }
    zones(&hub, &spokes, &mut rows);
    export(&rows)
}

fn home(name: &str) -> Home {
    Home { subscription: "bbbbbbbb-0000-4000-8000-000000000001".to_owned(), group: format!("rg-{name}"), location: REGION.to_owned() }
}

fn space((base, length): (Ipv4Addr, u8)) -> String {
    format!("{base}/{length}")
}

fn store_name(service: &Service, n: u32) -> String {
    format!("{}pe{n:05}", service.short)
}

fn state(n: u32) -> &'static str {
    STATES[n as usize % STATES.len()]
}

fn consent(n: u32) -> Value {
    json!({ "status": state(n), "description": "", "actionsRequired": "None" })
}

/// A store that is closed in public: by its switch, or by a firewall with one address in it.
fn store(hub: &Home, service: &Service, n: u32, rows: &mut Vec<Value>) {
    let name = store_name(service, n);
    let host = format!("{name}.{}", service.suffix);
    let public = if (n / SERVICES.len() as u32).is_multiple_of(2) { "Disabled" } else { "Enabled" };
    let asked =
        json!({ "privateEndpoint": reference(&hub.id(ENDPOINT, &format!("pe-{name}"))), "privateLinkServiceConnectionState": consent(n) });
    let connection = child(&hub.id(service.resource, &name), "privateEndpointConnections", &format!("pe-{name}.1"), asked);
    let mut properties = json!({ "publicNetworkAccess": public, "privateEndpointConnections": [connection] });
    let mut columns = json!({});
    let mut children = Vec::new();
    let address = "203.0.113.7";
    let closed = json!({ "defaultAction": "Deny", "bypass": "None", "virtualNetworkRules": [], "ipRules": [{ "value": address, "action": "Allow" }] });
    match service.short {
        "st" => {
            columns = json!({ "kind": "StorageV2", "sku": { "name": "Standard_LRS", "tier": "Standard" } });
            properties["primaryEndpoints"] = json!({ "blob": format!("https://{host}/") });
            properties["primaryLocation"] = REGION.into();
            properties["supportsHttpsTrafficOnly"] = true.into();
            properties["networkAcls"] = closed;
        }
        "kv" => {
            properties["vaultUri"] = format!("https://{host}/").into();
            properties["networkAcls"] = closed;
        }
        "sql" => {
            columns = json!({ "kind": "v12.0" });
            properties["fullyQualifiedDomainName"] = host.into();
            properties["restrictOutboundNetworkAccess"] = "Disabled".into();
            let rule = json!({ "startIpAddress": address, "endIpAddress": address });
            children.push(hub.row("Microsoft.Sql/servers/firewallRules", &format!("{name}/office"), rule));
        }
        "cosmos" => {
            columns = json!({ "kind": "GlobalDocumentDB" });
            properties["documentEndpoint"] = format!("https://{host}:443/").into();
            properties["locations"] =
                json!([{ "locationName": REGION, "documentEndpoint": format!("https://{name}-{REGION}.{}:443/", service.suffix) }]);
            properties["ipRules"] = json!([{ "ipAddressOrRange": address }]);
            properties["isVirtualNetworkFilterEnabled"] = false.into();
        }
        "evh" | "sbus" => {
            columns = json!({ "sku": { "name": "Premium", "tier": "Premium" } });
            properties["serviceBusEndpoint"] = format!("https://{host}:443/").into();
            let rules = json!({
                "publicNetworkAccess": public, "defaultAction": "Deny", "trustedServiceAccessEnabled": false, "virtualNetworkRules": [],
                "ipRules": [{ "ipMask": address, "action": "Allow" }],
            });
            children.push(hub.row(&format!("{}/networkRuleSets", service.resource), &format!("{name}/default"), rules));
        }
        "cr" => {
            columns = json!({ "sku": { "name": "Premium", "tier": "Premium" } });
            properties["loginServer"] = host.into();
            properties["networkRuleBypassOptions"] = "None".into();
            properties["networkRuleSet"] = json!({ "defaultAction": "Deny", "ipRules": [{ "value": address, "action": "Allow" }] });
        }
        _ => {
            columns = json!({ "kind": "app,linux" });
            properties["defaultHostName"] = host.into();
            properties["hostNameSslStates"] = json!([{ "name": format!("{name}.scm.{}", service.suffix), "hostType": "Repository" }]);
            let rules = json!({
                "ipSecurityRestrictions": [{ "ipAddress": format!("{address}/32"), "action": "Allow", "priority": 100, "name": "office" }],
                "ipSecurityRestrictionsDefaultAction": "Deny", "scmIpSecurityRestrictionsUseMain": true,
            });
            children.push(hub.row("Microsoft.Web/sites/config", &format!("{name}/web"), rules));
        }
    }
    rows.push(hub.row_with(service.resource, &name, columns, properties));
    rows.extend(children);
}

/// The names that a private endpoint answers for: the record below the zone, the public name, which of its addresses.
fn names(service: &Service, n: u32) -> Vec<(String, String, u32)> {
    let name = store_name(service, n);
    let public = |name: &str| format!("{name}.{}", service.suffix);
    let mut names = vec![(name.clone(), public(&name), 0)];
    match service.short {
        "cosmos" => names.push((format!("{name}-{REGION}"), public(&format!("{name}-{REGION}")), 1)),
        "cr" => names.push((format!("{name}.{REGION}.data"), public(&format!("{name}.{REGION}.data")), 1)),
        "app" => names.push((format!("{name}.scm"), public(&format!("{name}.scm")), 0)),
        _ => {}
    }
    names
}

/// The endpoint, its interface, the group that keeps its records, and the records.
fn private_endpoint(hub: &Home, service: &Service, n: u32, rows: &mut Vec<Value>) {
    let store = store_name(service, n);
    let (endpoint, nic) = (format!("pe-{store}"), format!("pe-{store}.nic"));
    let id = hub.id(ENDPOINT, &endpoint);
    let subnet = reference(&hub.id(SUBNET, "hub/endpoints"));
    let link = json!({
        "privateLinkServiceId": hub.id(service.resource, &store), "groupIds": [service.group], "privateLinkServiceConnectionState": consent(n),
    });
    let zone = hub.id(ZONE, service.zone);
    let properties = json!({
        "subnet": subnet, "networkInterfaces": [reference(&hub.id(NIC, &nic))], "manualPrivateLinkServiceConnections": [],
        "privateLinkServiceConnections": [child(&id, "privateLinkServiceConnections", &endpoint, link)],
        "customDnsConfigs": [], "ipConfigurations": [],
    });
    rows.push(hub.row(ENDPOINT, &endpoint, properties));

    let names = names(service, n);
    let address = |which: u32| after(ENDPOINTS.0, 4 + n * 2 + which).to_string();
    let mut configurations = Vec::new();
    for which in 0..=names.iter().map(|(_, _, which)| *which).max().unwrap_or(0) {
        let fqdns: Vec<&str> = names.iter().filter(|(_, _, at)| *at == which).map(|(_, public, _)| public.as_str()).collect();
        let configuration = json!({
            "privateIPAddress": address(which), "privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4",
            "primary": which == 0, "subnet": subnet,
            "privateLinkConnectionProperties": { "groupId": service.group, "requiredMemberName": format!("{}{which}", service.group), "fqdns": fqdns },
        });
        configurations.push(child(&hub.id(NIC, &nic), "ipConfigurations", &format!("privateEndpointIpConfig{which}"), configuration));
    }
    let properties = json!({ "enableIPForwarding": false, "privateEndpoint": reference(&id), "ipConfigurations": configurations });
    rows.push(hub.row(NIC, &nic, properties));

    let configs = json!([{ "name": service.zone.replace('.', "-"), "properties": { "privateDnsZoneId": zone } }]);
    let group = json!({ "privateDnsZoneConfigs": configs });
    rows.push(hub.row("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", &format!("{endpoint}/default"), group));
    for (record, _, which) in names {
        let properties = json!({
            "fqdn": format!("{record}.{}.", service.zone), "ttl": 10, "isAutoRegistered": false,
            "aRecords": [{ "ipv4Address": address(which) }],
        });
        rows.push(global(hub, &format!("{ZONE}/A"), &format!("{}/{record}", service.zone), properties));
    }
}

/// The zones, the row that shows that their records are all there, and a link to every spoke.
fn zones(hub: &Home, spokes: &[(String, String)], rows: &mut Vec<Value>) {
    let mut zones: Vec<&str> = SERVICES.iter().map(|service| service.zone).collect();
    zones.dedup();
    for zone in zones {
        rows.push(global(hub, ZONE, zone, json!({ "maxNumberOfRecordSets": 25000 })));
        let properties =
            json!({ "fqdn": format!("{zone}."), "ttl": 3600, "soaRecord": { "host": "azureprivatedns.net", "serialNumber": 1 } });
        rows.push(global(hub, &format!("{ZONE}/SOA"), &format!("{zone}/@"), properties));
        for (name, id) in spokes {
            let properties =
                json!({ "registrationEnabled": false, "virtualNetworkLinkState": "Completed", "virtualNetwork": reference(id) });
            rows.push(global(hub, &format!("{ZONE}/virtualNetworkLinks"), &format!("{zone}/{name}"), properties));
        }
    }
}

fn global(hub: &Home, kind: &str, name: &str, properties: Value) -> Value {
    hub.row_with(kind, name, json!({ "location": "global" }), properties)
}
