//! A virtual WAN beside the hub: a virtual hub and two networks with a machine each.

use serde_json::json;

use super::super::row::{SUBNET, VNET, child, reference};
use super::{Estate, Hub};

const HUB: &str = "Microsoft.Network/virtualHubs";
const TABLE: &str = "Microsoft.Network/virtualHubs/hubRouteTables";

/// The networks have the two halves of `100.127.<n>.0/24`, the hub has `100.126.<n>.0/24`.
pub(super) fn add(estate: &mut Estate, hub: &Hub, n: u8) {
    let home = &hub.home;
    let (wan, name) = (format!("wan-{n:02}"), format!("vhub-{n:02}"));
    estate.rows.push(home.row("Microsoft.Network/virtualWans", &wan, json!({ "type": "Standard", "allowBranchToBranchTraffic": true })));
    let properties = json!({
        "virtualWan": reference(&home.id("Microsoft.Network/virtualWans", &wan)), "addressPrefix": format!("100.126.{n}.0/24"),
        "sku": "Standard", "routingState": "Provisioned", "routeTable": { "routes": [] }, "virtualHubRouteTableV2s": [],
    });
    estate.rows.push(home.row(HUB, &name, properties));
    let table = format!("{name}/defaultRouteTable");
    estate.rows.push(home.row(TABLE, &table, json!({ "labels": ["default"], "routes": [] })));
    for (half, host) in [(0, 0), (1, 128)] {
        let net = format!("{wan}-{half}");
        let prefix = format!("100.127.{n}.{host}/25");
        let subnet = json!({ "addressPrefix": prefix, "serviceEndpoints": [] });
        estate.rows.push(home.vnet(&net, &prefix, vec![child(&home.id(VNET, &net), "subnets", "work", subnet)]));
        let place = (home.id(SUBNET, &format!("{net}/work")), format!("100.127.{n}.{}", host + 4));
        estate.rows.extend(home.machine(&format!("vm-{net}"), false, &[place]));
        let properties = json!({
            "remoteVirtualNetwork": reference(&home.id(VNET, &net)), "enableInternetSecurity": false,
            "routingConfiguration": {
                "associatedRouteTable": reference(&home.id(TABLE, &table)),
                "propagatedRouteTables": { "labels": ["default"], "ids": [reference(&home.id(TABLE, &table))] },
                "vnetRoutes": { "staticRoutes": [] },
            },
        });
        estate.rows.push(home.row(&format!("{HUB}/hubVirtualNetworkConnections"), &format!("{name}/cn-{net}"), properties));
    }
}
