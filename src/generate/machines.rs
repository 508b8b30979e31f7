//! Virtual machines, their interfaces, and the disks that nobody asks for.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::dice::Dice;
use super::networks::{APPLICATIONS, Drawn, public_ip};
use super::plan::Net;
use super::rows::{Rows, child, reference};

const NIC: &str = "Microsoft.Network/networkInterfaces";

/// Writes one or two machines a subnet.
pub(super) fn write<W: Write>(net: &Net, drawn: &Drawn, dice: &mut Dice, rows: &mut Rows<'_, W>) -> io::Result<()> {
    let mut addresses = 1;
    for (n, subnet) in drawn.subnets.iter().enumerate().filter(|(_, subnet)| !subnet.for_endpoints && !subnet.delegated) {
        for machine in 0..dice.between(1, 2) {
            let name = format!("{}-{n:03}-{machine}", net.name());
            let nic = format!("nic-{name}");
            let mut config = json!({
                "provisioningState": "Succeeded", "privateIPAddress": net.address(n, 4 + machine as u32).to_string(),
                "privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4", "primary": true,
                "subnet": reference(net.subnet_id(&subnet.name)),
            });
            if dice.chance(8) {
                addresses += 1;
                let pip = format!("pip-{name}");
                public_ip(net, &pip, dice.pick(&["Basic", "Standard"]), addresses, rows)?;
                config["publicIPAddress"] = reference(net.id("Microsoft.Network/publicIPAddresses", &pip));
            }
            if dice.chance(40) {
                let asg = format!("asg-{}-{}", net.name(), dice.pick(&APPLICATIONS));
                config["applicationSecurityGroups"] = json!([reference(net.id("Microsoft.Network/applicationSecurityGroups", &asg))]);
            }
            let mut properties = json!({
                "provisioningState": "Succeeded", "enableIPForwarding": false, "primary": true,
                "ipConfigurations": [child(&net.id(NIC, &nic), "ipConfigurations", "ipconfig1", config)],
            });
            if drawn.nic_filter && dice.chance(20) {
                let filter = format!("nsg-nic-{}", net.name());
                properties["networkSecurityGroup"] = reference(net.id("Microsoft.Network/networkSecurityGroups", &filter));
            }
            let attached = !dice.chance(5);
            if attached {
                properties["virtualMachine"] = reference(net.id("Microsoft.Compute/virtualMachines", &format!("vm-{name}")));
            }
            rows.push(net, NIC, &nic, properties)?;
            if attached {
                self::machine(net, &format!("vm-{name}"), &nic, rows)?;
            }
        }
    }
    Ok(())
}

/// Writes a machine with one interface and its disk.
pub(super) fn machine<W: Write>(net: &Net, name: &str, nic: &str, rows: &mut Rows<'_, W>) -> io::Result<()> {
    let disk = format!("{name}-os");
    let mut interface: Value = reference(net.id(NIC, nic));
    interface["properties"] = json!({ "primary": true });
    let properties = json!({
        "provisioningState": "Succeeded", "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
        "storageProfile": { "osDisk": { "osType": "Linux", "createOption": "FromImage",
            "managedDisk": reference(net.id("Microsoft.Compute/disks", &disk)) } },
        "networkProfile": { "networkInterfaces": [interface] },
    });
    rows.push(net, "Microsoft.Compute/virtualMachines", name, properties)?;
    let properties =
        json!({ "provisioningState": "Succeeded", "diskSizeGB": 64, "diskState": "Attached", "networkAccessPolicy": "AllowAll" });
    rows.push(net, "Microsoft.Compute/disks", &disk, properties)
}
