//! Network security groups: the part of an estate that is never regular.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::dice::Dice;
use super::networks::{APPLICATIONS, Drawn, Filter};
use super::plan::{Net, Plan, slice};
use super::rows::{Rows, child, reference};

const KIND: &str = "Microsoft.Network/networkSecurityGroups";
const PORTS: [&str; 12] = ["22", "53", "80", "443", "1433", "3306", "3389", "5432", "6379", "8080", "8443", "9092"];
const RANGES: [&str; 6] = ["8000-8100", "1024-65535", "49152-65535", "5000-5010", "9000-9999", "0-1023"];
const TAGS: [(usize, &str); 6] =
    [(40, "VirtualNetwork"), (30, "Internet"), (12, "Storage"), (6, "AzureLoadBalancer"), (6, "Sql"), (6, "AzureCloud")];

/// Writes the groups of one network: one for each subnet that has its own, one that is shared, one for interfaces.
pub(super) fn write<W: Write>(plan: &Plan, net: &Net, drawn: &Drawn, dice: &mut Dice, rows: &mut Rows<'_, W>) -> io::Result<()> {
    for (n, subnet) in drawn.subnets.iter().enumerate().filter(|(_, subnet)| subnet.filter == Filter::Own) {
        let count = dice.between(14, 24);
        group(plan, net, &format!("nsg-{}-{}", net.name(), subnet.name), Some(n), count, dice, rows)?;
    }
    if drawn.subnets.iter().any(|subnet| subnet.filter == Filter::Shared) {
        let count = dice.between(14, 24);
        group(plan, net, &format!("nsg-{}", net.name()), None, count, dice, rows)?;
    }
    if drawn.nic_filter && !net.is_hub {
        group(plan, net, &format!("nsg-nic-{}", net.name()), None, 10, dice, rows)?;
    }
    Ok(())
}

fn group<W: Write>(
    plan: &Plan,
    net: &Net,
    name: &str,
    subnet: Option<usize>,
    count: usize,
    dice: &mut Dice,
    rows: &mut Rows<'_, W>,
) -> io::Result<()> {
    let id = net.id(KIND, name);
    // Six groups in ten open single doors in front of a closing rule; the others close single doors in front of the defaults.
    let deny_heavy = dice.chance(60);
    let mut rules = Vec::with_capacity(count + 1);
    for n in 0..count {
        let direction = if dice.chance(60) { "Inbound" } else { "Outbound" };
        let allow = dice.chance(if deny_heavy { 75 } else { 55 });
        let mut rule = json!({
            "provisioningState": "Succeeded", "priority": 100 + n * 10, "direction": direction, "access": if allow { "Allow" } else { "Deny" },
            "protocol": dice.weighted(&[(75, "Tcp"), (10, "Udp"), (12, "*"), (3, "Icmp")]), "sourcePortRange": "*",
        });
        let (near, far) = if direction == "Inbound" { ("destination", "source") } else { ("source", "destination") };
        near_side(net, subnet, near, &mut rule, dice);
        far_side(plan, net, far, &mut rule, dice);
        destination_ports(&mut rule, dice);
        if n == 0 {
            rule["sourcePortRange"] = dice.pick(&RANGES).into();
        }
        rules.push(child(&id, "securityRules", &format!("rule-{n:02}"), rule));
    }
    if deny_heavy {
        let properties = json!({
            "provisioningState": "Succeeded", "priority": 4000, "direction": "Inbound", "access": "Deny", "protocol": "*",
            "sourceAddressPrefix": dice.pick(&["VirtualNetwork", "*"]), "sourcePortRange": "*",
            "destinationAddressPrefix": "*", "destinationPortRange": "*",
        });
        rules.push(child(&id, "securityRules", "deny-rest", properties));
    }
    rows.push(net, KIND, name, json!({ "provisioningState": "Succeeded", "securityRules": rules }))
}

/// The side the group stands on: mostly everything, sometimes the subnet, a part of it, or an application.
fn near_side(net: &Net, subnet: Option<usize>, side: &str, rule: &mut Value, dice: &mut Dice) {
    let prefix = subnet.map_or(net.space, |n| net.slot(n));
    match dice.below(10) {
        0..6 => rule[format!("{side}AddressPrefix")] = "*".into(),
        6 | 7 => rule[format!("{side}AddressPrefix")] = prefix.to_string().into(),
        8 => rule[format!("{side}AddressPrefix")] = slice(prefix, 25, dice.below(2)).to_string().into(),
        _ => application(net, side, rule, dice),
    }
}

/// The other side: prefixes of all sizes, tags, applications, everything.
fn far_side(plan: &Plan, net: &Net, side: &str, rule: &mut Value, dice: &mut Dice) {
    let prefix = |dice: &mut Dice| {
        let other = &plan.nets[dice.below(plan.nets.len())];
        let n = dice.below(other.subnets.max(1));
        match dice.below(10) {
            0..2 => slice(other.space, 16, 0).trunc(),
            2..5 => slice(other.space, 20, 0).trunc(),
            5..8 => other.slot(n),
            _ => slice(other.slot(n), 25, dice.below(2)),
        }
        .to_string()
    };
    match dice.below(100) {
        0..45 => rule[format!("{side}AddressPrefix")] = prefix(dice).into(),
        45..55 => rule[format!("{side}AddressPrefixes")] = (0..dice.between(2, 4)).map(|_| prefix(dice)).collect(),
        55..80 => rule[format!("{side}AddressPrefix")] = dice.weighted(&TAGS).into(),
        80..88 => application(net, side, rule, dice),
        _ => rule[format!("{side}AddressPrefix")] = "*".into(),
    }
}

fn application(net: &Net, side: &str, rule: &mut Value, dice: &mut Dice) {
    let asg = format!("asg-{}-{}", net.name(), dice.pick(&APPLICATIONS));
    rule[format!("{side}ApplicationSecurityGroups")] = json!([reference(net.id("Microsoft.Network/applicationSecurityGroups", &asg))]);
}

fn destination_ports(rule: &mut Value, dice: &mut Dice) {
    match dice.below(10) {
        0..5 => rule["destinationPortRange"] = dice.pick(&PORTS).into(),
        5 | 6 => rule["destinationPortRange"] = dice.pick(&RANGES).into(),
        7 => rule["destinationPortRanges"] = json!([dice.pick(&PORTS), dice.pick(&PORTS), dice.pick(&RANGES)]),
        _ => rule["destinationPortRange"] = "*".into(),
    }
}
