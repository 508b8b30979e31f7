//! Rows as Azure Resource Graph returns them.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";

/// Where resources live: subscription, resource group, region.
#[derive(Clone)]
pub struct Home {
    pub subscription: String,
    pub group: String,
    pub location: String,
}

impl Home {
    /// The home of what a row describes.
    pub fn of(row: &Value) -> Home {
        let text = |column: &str| row[column].as_str().expect("a column of every row").to_owned();
        Home { subscription: text("subscriptionId"), group: text("resourceGroup"), location: text("location") }
    }

    /// The id of a resource that lives here; `name` with the parents' names before it (`server/rule`).
    pub fn id(&self, kind: &str, name: &str) -> String {
        let (namespace, types) = kind.split_once('/').expect("a type has a namespace");
        let path: String = types.split('/').zip(name.split('/')).map(|(kind, name)| format!("/{kind}/{name}")).collect();
        format!("/subscriptions/{}/resourceGroups/{}/providers/{namespace}{path}", self.subscription, self.group)
    }

    /// The row of a resource that lives here.
    pub fn row(&self, kind: &str, name: &str, properties: Value) -> Value {
        self.row_with(kind, name, json!({}), properties)
    }

    /// The same with columns beside the usual ones, such as `sku`.
    pub fn row_with(&self, kind: &str, name: &str, columns: Value, properties: Value) -> Value {
        self.row_at(&self.id(kind, name), kind, name, columns, properties)
    }

    /// The row of an extension of the resource with the id `of`, called `default`.
    pub fn extension(&self, of: &str, kind: &str, properties: Value) -> Value {
        self.row_at(&format!("{of}/providers/{kind}/default"), kind, "default", json!({}), properties)
    }

    fn row_at(&self, id: &str, kind: &str, name: &str, columns: Value, mut properties: Value) -> Value {
        properties["provisioningState"] = "Succeeded".into();
        let mut row = json!({
            "id": id, "name": name.rsplit('/').next(), "type": kind.to_lowercase(), "tenantId": TENANT, "kind": "",
            "location": self.location, "resourceGroup": self.group, "subscriptionId": self.subscription, "sku": null, "tags": null,
        });
        for (column, value) in columns.as_object().expect("columns by name") {
            row[column] = value.clone();
        }
        row["properties"] = properties;
        row
    }

    /// A Standard public address.
    pub fn public_ip(&self, name: &str, address: &str) -> Value {
        let properties = json!({ "ipAddress": address, "publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static" });
        self.row_with(PUBLIC_IP, name, standard(), properties)
    }

    /// A virtual network without peerings.
    pub fn vnet(&self, name: &str, prefix: &str, subnets: Vec<Value>) -> Value {
        let properties = json!({
            "addressSpace": { "addressPrefixes": [prefix] }, "dhcpOptions": { "dnsServers": [] }, "subnets": subnets,
            "virtualNetworkPeerings": [],
        });
        self.row(VNET, name, properties)
    }

    /// A machine and its interfaces `nic-<machine>-<n>`, each with its subnet's id and its address.
    pub fn machine(&self, name: &str, forwards: bool, places: &[(String, String)]) -> Vec<Value> {
        let nic = |n: usize| format!("nic-{name}-{n}");
        let interfaces: Vec<Value> =
            (0..places.len()).map(|n| json!({ "id": self.id(NIC, &nic(n)), "properties": { "primary": n == 0 } })).collect();
        let properties =
            json!({ "hardwareProfile": { "vmSize": "Standard_D2s_v5" }, "networkProfile": { "networkInterfaces": interfaces } });
        let mut rows = vec![self.row(MACHINE, name, properties)];
        for (n, (subnet, address)) in places.iter().enumerate() {
            let configuration = json!({
                "privateIPAddress": address, "privateIPAllocationMethod": "Static", "privateIPAddressVersion": "IPv4", "primary": true,
                "subnet": reference(subnet),
            });
            let properties = json!({
                "enableIPForwarding": forwards, "primary": n == 0, "virtualMachine": reference(&self.id(MACHINE, name)),
                "ipConfigurations": [child(&self.id(NIC, &nic(n)), "ipConfigurations", "ipconfig1", configuration)],
            });
            rows.push(self.row(NIC, &nic(n), properties));
        }
        rows
    }
}

pub const VNET: &str = "Microsoft.Network/virtualNetworks";
pub const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
pub const NIC: &str = "Microsoft.Network/networkInterfaces";
pub const MACHINE: &str = "Microsoft.Compute/virtualMachines";
pub const PUBLIC_IP: &str = "Microsoft.Network/publicIPAddresses";

/// The column of the SKU `Standard`.
pub fn standard() -> Value {
    json!({ "sku": { "name": "Standard", "tier": "Regional" } })
}

/// `{"id": …}`.
pub fn reference(id: &str) -> Value {
    json!({ "id": id })
}

/// An embedded child: `name` and `properties` under `parent`'s id.
pub fn child(parent: &str, kind: &str, name: &str, mut properties: Value) -> Value {
    properties["provisioningState"] = "Succeeded".into();
    json!({ "id": format!("{parent}/{kind}/{name}"), "name": name, "properties": properties })
}

/// One side of a peering that both sides know of.
pub fn peering(own: &str, remote: &str, name: &str, prefix: &str) -> Value {
    let space = json!({ "addressPrefixes": [prefix] });
    let properties = json!({
        "peeringState": "Connected", "peeringSyncLevel": "FullyInSync", "remoteVirtualNetwork": reference(remote),
        "allowVirtualNetworkAccess": true, "allowForwardedTraffic": true, "allowGatewayTransit": false, "useRemoteGateways": false,
        "peerCompleteVnets": true, "remoteAddressSpace": space, "remoteVirtualNetworkAddressSpace": space,
    });
    child(own, "virtualNetworkPeerings", name, properties)
}

/// The address that comes so many after `base`.
pub fn after(base: Ipv4Addr, by: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(base) + by)
}

/// The export: an array with one row a line.
pub fn export(rows: &[Value]) -> Vec<u8> {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    format!("[\n{}\n]\n", lines.join(",\n")).into_bytes()
}
