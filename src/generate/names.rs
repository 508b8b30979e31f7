//! Private DNS zones, and the networks that are linked to them.

use std::io::{self, Write};

use serde_json::json;

use super::dice::Dice;
use super::plan::Plan;
use super::rows::{Rows, reference};
use super::stores::ZONES;

/// Chance for links lies beyond the streams of the networks.
const STREAM: u64 = 1 << 32;

/// Writes the zones of each group of networks, the row that shows their records are all there, and links for seven networks in ten.
pub(super) fn write<W: Write>(plan: &Plan, rows: &mut Rows<'_, W>) -> io::Result<()> {
    let global = [("location", json!("global"))];
    for keeper in plan.keepers() {
        for (n, zone) in ZONES.into_iter().enumerate() {
            let properties =
                json!({ "provisioningState": "Succeeded", "maxNumberOfRecordSets": 25000, "maxNumberOfVirtualNetworkLinks": 1000 });
            rows.push_with(keeper, "Microsoft.Network/privateDnsZones", zone, &global, properties)?;
            let record = json!({ "host": "azureprivatedns.net", "serialNumber": 1, "minimumTtl": 10 });
            let properties = json!({ "fqdn": format!("{zone}."), "ttl": 3600, "isAutoRegistered": false, "soaRecord": record });
            rows.push_with(keeper, "Microsoft.Network/privateDnsZones/SOA", &format!("{zone}/@"), &global, properties)?;
            for net in plan.nets.iter().filter(|net| net.group == keeper.group) {
                let mut dice = Dice::new(plan.seed, STREAM + (net.index * ZONES.len() + n) as u64);
                if !dice.chance(70) {
                    continue;
                }
                let mut properties = json!({
                    "provisioningState": "Succeeded", "registrationEnabled": false, "virtualNetworkLinkState": "Completed",
                    "virtualNetwork": reference(net.vnet_id()),
                });
                if dice.chance(5) {
                    properties["resolutionPolicy"] = "NxDomainRedirect".into();
                }
                let link = format!("{zone}/{}", net.name());
                rows.push_with(keeper, "Microsoft.Network/privateDnsZones/virtualNetworkLinks", &link, &global, properties)?;
            }
        }
    }
    Ok(())
}
