//! What stands in the way of packets, or has an address in a subnet, and whose own behaviour is not derived.

use std::net::IpAddr;

use serde_json::Value;

use crate::facts::extract::hub;
use crate::facts::extract::out::{Out, get, properties};
use crate::facts::extract::private_link;
use crate::facts::network::{Device, DeviceAddress, DeviceKind, DevicePublicIp, Listener};
use crate::model::{Sym, ids};

/// `microsoft.network/bastionhosts`.
pub(super) fn bastion<'a>(out: &mut Out<'a>, body: &'a Value) {
    frontends(out, body, DeviceKind::Bastion, &["ipConfigurations"]);
    let device = out.id();
    for configuration in out.objects(body, "ipConfigurations") {
        if let Some(public_ip) = out.named(properties(configuration), "publicIPAddress") {
            out.fact(Listener { device, public_ip, address: None, port: 443 });
        }
    }
    out.not_modelled(body, "properties.", &["virtualNetwork"]);
}

/// `microsoft.network/virtualhubs`: hubs of a virtual WAN, and route servers.
pub(super) fn virtual_hub<'a>(out: &mut Out<'a>, body: &'a Value) {
    let device = out.id();
    frontends(out, body, DeviceKind::VirtualHub, &["ipConfigurations"]);
    let configurations = out.objects(body, "ipConfigurations");
    let subnet = configurations.first().and_then(|first| out.link(properties(first), "subnet")).unwrap_or_default();
    for address in out.addresses(body, "virtualRouterIps") {
        out.fact(DeviceAddress { device, address, subnet });
    }
    hub::hub(out, body);
}

/// `microsoft.network/privatelinkservices`: the addresses its traffic comes from (PLS-02).
pub(super) fn private_link_service<'a>(out: &mut Out<'a>, body: &'a Value) {
    frontends(out, body, DeviceKind::PrivateLinkService, &["ipConfigurations"]);
    private_link::service(out, body);
}

/// A device with one row a subnet it stands in (one with none where it stands in none), and the addresses of its configurations.
pub(super) fn frontends<'a>(out: &mut Out<'a>, body: &'a Value, kind: DeviceKind, lists: &[&str]) {
    let device = out.id();
    let mut subnets = Vec::new();
    for list in lists {
        for configuration in out.objects(body, list) {
            let configuration = properties(configuration);
            if matches!(kind, DeviceKind::AzureFirewall | DeviceKind::Bastion) {
                told(out, configuration, list);
            }
            let subnet = out.link(configuration, "subnet");
            subnets.extend(subnet);
            address_of(out, configuration, subnet.unwrap_or_default());
        }
    }
    if subnets.is_empty() {
        subnets.push(Sym::EMPTY);
    }
    for subnet in subnets {
        out.fact(Device { device, kind, subnet });
    }
}

/// A configuration that Azure gives an address, of which the export holds no more than that it is there: the device may have any (SND-01).
pub(super) fn told<'a>(out: &mut Out<'a>, configuration: &'a Value, list: &str) {
    if ["subnet", "publicIPAddress", "privateIPAddress"].iter().all(|key| get(configuration, key).is_none()) {
        out.lacks(list);
    }
}

pub(super) fn address_of<'a>(out: &mut Out<'a>, configuration: &'a Value, subnet: Sym) {
    let device = out.id();
    if let Some(address) = out.address(configuration, "privateIPAddress") {
        out.fact(DeviceAddress { device, address, subnet });
    }
    if let Some(public_ip) = out.named(configuration, "publicIPAddress") {
        out.fact(DevicePublicIp { device, public_ip });
    }
}

/// Lists that name subnets a resource admits or mirrors, and does not stand in.
const NOT_ITS_PLACE: &[&str] = &[
    "virtualNetworkRules",
    "networkAcls",
    "networkRuleSet",
    "networkRuleSets",
    "networkRuleCollections",
    "ipSecurityRestrictions",
    "scmIpSecurityRestrictions",
    "privateEndpointConnections",
    "privateEndpoints",
    "accessRules",
    "routingConfiguration",
];

/// A resource of a type that is not modelled: the subnets it stands in and its private addresses there, so that they are nobody else's.
pub(super) fn elsewhere<'a>(out: &mut Out<'a>, body: &'a Value) {
    let mut found = Found::default();
    found.walk(body, "");
    let kind = out.resource.kind.as_str();
    // A subnet of an app that cannot be read is one that is not in the input (APP-07, SND-02).
    let integrated = get(body, INTEGRATION).filter(|value| kind.starts_with("microsoft.web/") && value.as_str() != Some(""));
    if let Some(value) = integrated.filter(|value| !value.as_str().is_some_and(is_subnet)) {
        out.wrong(value, "the id of a subnet");
        found.subnets.push(out.unknown(INTEGRATION));
    }
    // A workflow in an integration service environment stands in the subnets of that (SE-22).
    if out.binding(body, ENVIRONMENT).is_some() {
        found.subnets.push(out.unknown(ENVIRONMENT));
    }
    found.subnets.sort_unstable();
    found.subnets.dedup();
    let device = out.id();
    // What a child says of where it stands it says of its parent, too, but for rules about others, slots and parts of networks.
    let segment = kind.rsplit('/').next().unwrap_or_default();
    let of_others = segment == "slots" || NOT_ITS_PLACE.iter().any(|not| not.eq_ignore_ascii_case(segment));
    let apart = of_others || kind.starts_with("microsoft.network/");
    let parent = Some(out.parent()).filter(|parent| !apart && ids::id_type(parent.as_str()).is_some());
    for &subnet in &found.subnets {
        for device in [Some(device), parent].into_iter().flatten() {
            out.fact(Device { device, kind: DeviceKind::Other, subnet });
        }
    }
    if let [subnet] = found.subnets[..] {
        for address in found.addresses {
            out.fact(DeviceAddress { device, address, subnet });
        }
    }
}

/// The property by which an app sends from a subnet.
const INTEGRATION: &str = "virtualNetworkSubnetId";

/// The property by which a workflow runs in an environment of its owner's.
const ENVIRONMENT: &str = "integrationServiceEnvironment";

fn is_subnet(text: &str) -> bool {
    text.len() > 40 && ids::id_type(text).as_deref() == Some("microsoft.network/virtualnetworks/subnets")
}

#[derive(Default)]
struct Found {
    subnets: Vec<Sym>,
    addresses: Vec<IpAddr>,
}

impl Found {
    fn walk(&mut self, value: &Value, key: &str) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if !NOT_ITS_PLACE.iter().any(|not| not.eq_ignore_ascii_case(key)) {
                        self.walk(value, key);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, key)),
            Value::String(text) => {
                let is_address =
                    ["privateIPAddress", "privateIPAddresses", "staticIp", "staticIPAddress"].iter().any(|k| k.eq_ignore_ascii_case(key));
                if is_address && let Ok(address) = text.parse() {
                    self.addresses.push(address);
                } else if is_subnet(text) {
                    self.subnets.push(ids::normal_id(text));
                }
            }
            _ => {}
        }
    }
}
