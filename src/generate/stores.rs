//! Stores with firewalls of all kinds, and private endpoints in all states of consent.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::dice::Dice;
use super::networks::Drawn;
use super::plan::{Net, Plan, slice};
use super::rows::{Rows, child, reference};

const ENDPOINT: &str = "Microsoft.Network/privateEndpoints";
const NIC: &str = "Microsoft.Network/networkInterfaces";

/// What a store is, and the words that come with it.
#[derive(Clone, Copy)]
struct Kind {
    resource: &'static str,
    /// Begins the name.
    short: &'static str,
    /// Sub-resource of private endpoints.
    group: &'static str,
    /// What follows the name in public.
    suffix: &'static str,
    /// The private zone.
    zone: &'static str,
}

const STORAGE: Kind = Kind {
    resource: "Microsoft.Storage/storageAccounts",
    short: "st",
    group: "blob",
    suffix: "blob.core.windows.net",
    zone: "privatelink.blob.core.windows.net",
};
const VAULT: Kind = Kind {
    resource: "Microsoft.KeyVault/vaults",
    short: "kv",
    group: "vault",
    suffix: "vault.azure.net",
    zone: "privatelink.vaultcore.azure.net",
};
const SQL: Kind = Kind {
    resource: "Microsoft.Sql/servers",
    short: "sql",
    group: "sqlServer",
    suffix: "database.windows.net",
    zone: "privatelink.database.windows.net",
};

/// The zones that the records of all stores fit in.
pub(super) const ZONES: [&str; 3] = [STORAGE.zone, VAULT.zone, SQL.zone];

fn name(kind: Kind, net: &Net, n: usize) -> String {
    format!("{}wt{:05}x{n:02}", kind.short, net.index)
}

/// The id that the `n`-th store of the network has if it is a storage account.
pub(super) fn account_id(net: &Net, n: usize) -> String {
    net.id(STORAGE.resource, &name(STORAGE, net, n))
}

/// Writes one store for ten subnets, its children and mostly a private endpoint.
pub(super) fn write<W: Write>(plan: &Plan, net: &Net, drawn: &Drawn, dice: &mut Dice, rows: &mut Rows<'_, W>) -> io::Result<()> {
    for n in 0..net.subnets.div_ceil(10) {
        let kind = dice.weighted(&[(60, STORAGE), (20, VAULT), (20, SQL)]);
        let name = name(kind, net, n);
        let home = n * 10 + 9;
        let consent = dice.weighted(&[(80, "Approved"), (8, "Pending"), (6, "Rejected"), (6, "Disconnected")]);
        let linked = home < net.subnets && dice.chance(70);
        let connections = if linked { json!([provider_side(net, kind, &name, consent)]) } else { json!([]) };
        store(net, drawn, kind, &name, connections, dice, rows)?;
        if linked {
            private_endpoint(plan, net, kind, &name, home, consent, dice, rows)?;
        }
    }
    Ok(())
}

fn state(consent: &str) -> Value {
    json!({ "status": consent, "description": "", "actionsRequired": "None" })
}

fn provider_side(net: &Net, kind: Kind, name: &str, consent: &str) -> Value {
    let properties = json!({
        "provisioningState": "Succeeded", "privateEndpoint": reference(net.id(ENDPOINT, &format!("pe-{name}"))),
        "privateLinkServiceConnectionState": state(consent),
    });
    child(&net.id(kind.resource, name), "privateEndpointConnections", &format!("pe-{name}.1"), properties)
}

fn store<W: Write>(
    net: &Net,
    drawn: &Drawn,
    kind: Kind,
    name: &str,
    connections: Value,
    dice: &mut Dice,
    rows: &mut Rows<'_, W>,
) -> io::Result<()> {
    let public = if dice.chance(80) { "Enabled" } else { "Disabled" };
    let (mut subnets, mut addresses) = (Vec::new(), Vec::new());
    for _ in 0..dice.below(4) {
        let subnet = &drawn.subnets[dice.below(drawn.subnets.len())];
        subnets.push(net.subnet_id(&subnet.name));
    }
    subnets.sort_unstable();
    subnets.dedup();
    for _ in 0..dice.below(3) {
        addresses.push(format!("203.0.113.{}", dice.below(256)));
    }
    match kind.group {
        "blob" => {
            let mut rules: Vec<Value> = subnets.iter().map(|id| json!({ "id": id, "action": "Allow", "state": "Succeeded" })).collect();
            if dice.chance(10) {
                rules.push(json!({ "id": net.subnet_id("gone"), "action": "Allow", "state": "NetworkSourceDeleted" }));
            }
            let action = if dice.chance(30) { "Allow" } else { "Deny" };
            let columns = [("kind", json!("StorageV2")), ("sku", json!({ "name": "Standard_LRS", "tier": "Standard" }))];
            let endpoints: serde_json::Map<String, Value> = ["blob", "dfs", "file", "queue", "table"]
                .into_iter()
                .map(|part| (part.to_owned(), format!("https://{name}.{part}.core.windows.net/").into()))
                .collect();
            let properties = json!({
                "provisioningState": "Succeeded", "primaryLocation": net.location, "primaryEndpoints": endpoints,
                "supportsHttpsTrafficOnly": !dice.chance(5), "allowBlobPublicAccess": false, "publicNetworkAccess": public,
                "networkAcls": { "defaultAction": action, "bypass": dice.pick(&["AzureServices", "None", "Logging, Metrics"]),
                    "ipRules": addresses.iter().map(|ip| json!({ "value": ip, "action": "Allow" })).collect::<Vec<_>>(),
                    "virtualNetworkRules": rules, "resourceAccessRules": [] },
                "privateEndpointConnections": connections,
            });
            rows.push_with(net, kind.resource, name, &columns, properties)
        }
        "vault" => {
            let mut properties = json!({
                "provisioningState": "Succeeded", "tenantId": super::plan::TENANT, "sku": { "family": "A", "name": "standard" },
                "vaultUri": format!("https://{name}.{}/", kind.suffix), "publicNetworkAccess": public,
                "privateEndpointConnections": connections,
            });
            // A vault without the block is open to every network.
            if !dice.chance(20) {
                properties["networkAcls"] = json!({
                    "defaultAction": if dice.chance(20) { "Allow" } else { "Deny" }, "bypass": dice.pick(&["AzureServices", "None"]),
                    "ipRules": addresses.iter().map(|ip| json!({ "value": format!("{ip}/32") })).collect::<Vec<_>>(),
                    // Key Vault gives subnet ids back in lower case.
                    "virtualNetworkRules": subnets.iter().map(|id| json!({ "id": id.to_lowercase(), "ignoreMissingVnetServiceEndpoint": false }))
                        .collect::<Vec<_>>(),
                });
            }
            rows.push(net, kind.resource, name, properties)
        }
        _ => {
            let properties = json!({
                "state": "Ready", "version": "12.0", "fullyQualifiedDomainName": format!("{name}.{}", kind.suffix), "publicNetworkAccess": public,
                "restrictOutboundNetworkAccess": if dice.chance(20) { "Enabled" } else { "Disabled" }, "privateEndpointConnections": connections,
            });
            rows.push_with(net, kind.resource, name, &[("kind", json!("v12.0"))], properties)?;
            if dice.chance(30) {
                addresses.push("0.0.0.0".to_owned());
            }
            addresses.sort_unstable();
            addresses.dedup();
            for (n, ip) in addresses.iter().enumerate() {
                let rule = format!("{name}/rule-{n}");
                let properties = json!({ "startIpAddress": ip, "endIpAddress": ip });
                rows.push(net, "Microsoft.Sql/servers/firewallRules", &rule, properties)?;
            }
            for (n, subnet) in subnets.iter().enumerate() {
                let properties = json!({ "virtualNetworkSubnetId": subnet, "ignoreMissingVnetServiceEndpoint": true, "state": "Ready" });
                rows.push(net, "Microsoft.Sql/servers/virtualNetworkRules", &format!("{name}/vnet-{n}"), properties)?;
            }
            Ok(())
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the endpoint, its interface, its zone group and its record are one thing to draw")]
fn private_endpoint<W: Write>(
    plan: &Plan,
    net: &Net,
    kind: Kind,
    name: &str,
    home: usize,
    consent: &str,
    dice: &mut Dice,
    rows: &mut Rows<'_, W>,
) -> io::Result<()> {
    let endpoint = format!("pe-{name}");
    let id = net.id(ENDPOINT, &endpoint);
    let nic = format!("{endpoint}.nic");
    let subnet = reference(net.subnet_id(&net.subnet_name(home)));
    let address = slice(net.slot(home), 32, 4).addr().to_string();
    let fqdn = format!("{name}.{}", kind.suffix);
    let link = json!({
        "provisioningState": "Succeeded", "privateLinkServiceId": net.id(kind.resource, name), "groupIds": [kind.group],
        "privateLinkServiceConnectionState": state(consent),
    });
    // A zone group keeps the record, and empties `customDnsConfigs`; others wrote the record by hand, or nobody did.
    let zone_group = consent == "Approved" && dice.chance(75);
    let configs = if zone_group { json!([]) } else { json!([{ "fqdn": fqdn, "ipAddresses": [address] }]) };
    let properties = json!({
        "provisioningState": "Succeeded", "subnet": subnet, "networkInterfaces": [reference(net.id(NIC, &nic))],
        "privateLinkServiceConnections": [child(&id, "privateLinkServiceConnections", &endpoint, link)],
        "manualPrivateLinkServiceConnections": [], "customDnsConfigs": configs, "ipConfigurations": [],
    });
    rows.push(net, ENDPOINT, &endpoint, properties)?;

    let config = json!({
        "provisioningState": "Succeeded", "privateIPAddress": address, "privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4",
        "primary": true, "subnet": subnet,
        "privateLinkConnectionProperties": { "groupId": kind.group, "requiredMemberName": kind.group, "fqdns": [fqdn] },
    });
    let properties = json!({
        "provisioningState": "Succeeded", "enableIPForwarding": false, "privateEndpoint": reference(id.clone()),
        "ipConfigurations": [child(&net.id(NIC, &nic), "ipConfigurations", "privateEndpointIpConfig", config)],
    });
    rows.push(net, NIC, &nic, properties)?;

    let keeper = plan.keeper(net);
    if zone_group {
        let zone = keeper.id("Microsoft.Network/privateDnsZones", kind.zone);
        let properties = json!({
            "provisioningState": "Succeeded",
            "privateDnsZoneConfigs": [{ "name": kind.zone.replace('.', "-"), "properties": { "privateDnsZoneId": zone } }],
        });
        rows.push(net, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups", &format!("{endpoint}/default"), properties)?;
    }
    if zone_group || dice.chance(50) {
        let properties = json!({
            "fqdn": format!("{name}.{}.", kind.zone), "ttl": 10, "isAutoRegistered": false, "aRecords": [{ "ipv4Address": address }],
        });
        let record = format!("{}/{name}", kind.zone);
        rows.push_with(keeper, "Microsoft.Network/privateDnsZones/A", &record, &[("location", json!("global"))], properties)?;
    }
    Ok(())
}
