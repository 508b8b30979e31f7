//! Private endpoints and the zones they keep their records in.

use serde_json::Value;

use crate::facts::dns::ZoneGroupRecord;
use crate::facts::extract::connection::consent;
use crate::facts::extract::out::{Out, get, is_set, properties};
use crate::facts::extract::private_dns::name_of;
use crate::facts::gap::Unread;
use crate::facts::private_access::{
    AddressSource, Consent, PrivateEndpoint, PrivateEndpointAddress, PrivateEndpointAsg, PrivateEndpointConnection, PrivateEndpointNic,
    ZoneGroup,
};
use crate::model::{Sym, ids};

/// `microsoft.network/privateendpoints` (PE-01, PE-02, PE-06).
pub(super) fn endpoint<'a>(out: &mut Out<'a>, body: &'a Value) {
    let endpoint = out.id();
    let subnet = out.link(body, "subnet").unwrap_or_default();
    if subnet.is_empty() {
        out.gap("`properties.subnet` is missing");
    }
    out.fact(PrivateEndpoint { endpoint, subnet, location: out.resource.location });
    let whole_settled = out.settled(body);
    let lists = [("privateLinkServiceConnections", false), ("manualPrivateLinkServiceConnections", true)];
    // Each has one connection: one that was exported without has it all the same (PE-01).
    if !out.has_lost() && lists.iter().all(|(list, _)| get(body, list).is_none_or(|list| !is_set(list))) {
        let what = Sym::new("properties.privateLinkServiceConnections");
        out.gap(format!("`{what}` is missing"));
        out.fact(Unread { resource: endpoint, what });
        let connection = Sym::new(&format!("{endpoint}/privatelinkserviceconnections"));
        let (target, group, state) = (Sym::EMPTY, Sym::EMPTY, Consent::Unknown);
        out.fact(PrivateEndpointConnection { connection, endpoint, target, group, manual: false, state, settled: false });
    }
    let mut seen: Vec<Sym> = Vec::new();
    for (list, manual) in lists {
        for (at, part) in out.objects(body, list).iter().enumerate() {
            let mut connection = out.part_id(part, endpoint, list, at);
            if seen.contains(&connection) {
                connection = Sym::lower(&format!("{endpoint}/{list}/{at}")); // each is one of its own, whatever it is called
            }
            seen.push(connection);
            let part = properties(part);
            let named = out.text(part, "privateLinkServiceId");
            let target = match named.filter(|text| is_alias(text) || ids::id_type(text).is_some()) {
                // An alias is no id and is compared as written (PLS-09).
                Some(text) if text.contains('/') => ids::normal_id(text),
                Some(alias) => Sym::new(alias),
                None => {
                    let what = format!("properties.{list}.{at}.privateLinkServiceId");
                    out.gap(format!("`{what}` is {}", if named.is_some() { "neither a resource id nor an alias" } else { "missing" }));
                    // What answers at the addresses of the endpoint may be anything.
                    out.fact(Unread { resource: endpoint, what: Sym::new(&what) });
                    Sym::EMPTY
                }
            };
            // Nothing is in a state of provisioning that is not deployed.
            let deployed = [body, part].into_iter().any(|at| get(at, "provisioningState").is_some());
            let state = consent(out, part, deployed);
            let settled = out.settled(part) && whole_settled;
            let mut groups: Vec<Sym> = out.texts(part, "groupIds").into_iter().map(Sym::lower).collect();
            if groups.is_empty() {
                groups.push(Sym::EMPTY);
            }
            for group in groups {
                out.fact(PrivateEndpointConnection { connection, endpoint, target, group, manual, state, settled });
            }
        }
    }
    for nic in out.links(body, "networkInterfaces") {
        out.fact(PrivateEndpointNic { endpoint, nic });
    }
    for config in out.objects(body, "customDnsConfigs") {
        let fqdn = out.text(config, "fqdn").map_or(Sym::EMPTY, name_of);
        for address in out.addresses(config, "ipAddresses") {
            out.fact(PrivateEndpointAddress { endpoint, source: AddressSource::CustomDns, group: Sym::EMPTY, address, fqdn });
        }
    }
    for config in out.objects(body, "ipConfigurations") {
        let config = properties(config);
        let group = out.text(config, "groupId").map_or(Sym::EMPTY, Sym::lower);
        if let Some(address) = out.address(config, "privateIPAddress") {
            out.fact(PrivateEndpointAddress { endpoint, source: AddressSource::Static, group, address, fqdn: Sym::EMPTY });
        }
    }
    for asg in out.links(body, "applicationSecurityGroups") {
        out.fact(PrivateEndpointAsg { endpoint, asg });
    }
}

/// Whether a text may be the alias of a Private Link service, which has a suffix of its own in each cloud (PLS-09).
fn is_alias(text: &str) -> bool {
    !text.contains('/') && text.to_ascii_lowercase().ends_with(".privatelinkservice")
}

/// `microsoft.network/privateendpoints/privatednszonegroups` (DNS-17).
pub(super) fn zone_group<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (group, endpoint) = (out.id(), out.parent());
    for (at, config) in out.objects(body, "privateDnsZoneConfigs").iter().enumerate() {
        match out.link(properties(config), "privateDnsZoneId") {
            Some(zone) => {
                out.fact(ZoneGroup { group, endpoint, zone });
                written(out, properties(config), group, zone);
            }
            None => out.gap(format!("`properties.privateDnsZoneConfigs.{at}.privateDnsZoneId` is missing")),
        }
    }
}

/// The records that the zone group wrote, where the export lists them (DNS-17).
fn written<'a>(out: &mut Out<'a>, config: &'a Value, group: Sym, zone: Sym) {
    for set in out.objects(config, "recordSets") {
        let Some(name) = out.text(set, "fqdn").map(name_of) else { continue };
        for address in out.addresses(set, "ipAddresses") {
            out.fact(ZoneGroupRecord { group, zone, name, address });
        }
    }
}
