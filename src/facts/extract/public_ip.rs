//! Public addresses, public prefixes, NAT gateways.

use serde_json::Value;

use crate::facts::extract::instance;
use crate::facts::extract::out::{Out, get};
use crate::facts::network::{
    NatGateway, NatGatewayPublicIp, NatGatewayRange, PublicIp, PublicIpAddress, PublicIpFamily, PublicIpHolder, PublicIpRange,
    PublicIpUntold, PublicSku,
};
use crate::model::ids::{self, InstanceId};
use crate::model::{Sym, Tri, net};

/// `microsoft.network/publicipaddresses`, and those of the instances of a scale set.
pub(super) fn address<'a>(out: &mut Out<'a>, body: &'a Value) {
    let public_ip = out.id();
    let of_instance = InstanceId::of(public_ip.as_str()).is_some();
    // Resource Graph leaves the SKU out for Basic (IN-03).
    let sku = sku(out, if of_instance { PublicSku::Unknown } else { PublicSku::Basic });
    out.fact(PublicIp { public_ip, sku });
    if let Some(address) = out.address_of_family(body, "ipAddress", "publicIPAddressVersion") {
        out.fact(PublicIpAddress { public_ip, address });
    } else {
        family(out, body, public_ip);
        // Azure gives a static address out with the resource; only a dynamic one is not there until something uses it (IN-01).
        let parse = |word: &str| match word.to_ascii_lowercase().as_str() {
            "dynamic" => Some(true),
            "static" => Some(false),
            _ => None,
        };
        if !out.word(body, "publicIPAllocationMethod", parse, false).unwrap_or(false) {
            out.fact(PublicIpUntold { public_ip });
        }
    }
    // That of an instance of a scale set is below its configuration.
    let below = || ids::parent_id(public_ip.as_str()).filter(|_| of_instance).map(Sym::new);
    if let Some(holder) = out.link(body, "ipConfiguration").or_else(below) {
        instance::named(out, holder);
        out.fact(PublicIpHolder { public_ip, holder });
    }
}

/// Of which family an address is that is not known (ADR-14).
pub(super) fn family<'a>(out: &mut Out<'a>, body: &'a Value, public_ip: Sym) {
    let parse = |word: &str| match word.to_ascii_lowercase().as_str() {
        "ipv4" => Some(Tri::No),
        "ipv6" => Some(Tri::Yes),
        _ => None,
    };
    let v6 = out.word(body, "publicIPAddressVersion", parse, Tri::Maybe).unwrap_or(Tri::No);
    if v6.hi() {
        out.fact(PublicIpFamily { public_ip, v6 });
    }
}

/// `microsoft.network/publicipprefixes`.
pub(super) fn prefix<'a>(out: &mut Out<'a>, body: &'a Value) {
    let public_ip_prefix = out.id();
    match (out.text(body, "ipPrefix").map(net::parse_prefix), get(body, "ipPrefix")) {
        (Some(Some(prefix)), _) => out.fact(PublicIpRange { public_ip_prefix, prefix }),
        (Some(None), Some(value)) => out.wrong(value, "a prefix"),
        _ => out.gap("`properties.ipPrefix` is missing"),
    }
}

/// `microsoft.network/natgateways`.
pub(super) fn nat_gateway<'a>(out: &mut Out<'a>, body: &'a Value) {
    let gateway = out.id();
    let sku = sku(out, PublicSku::Standard);
    out.fact(NatGateway { gateway, sku });
    for list in ["publicIpAddresses", "publicIpAddressesV6"] {
        for public_ip in out.links(body, list) {
            out.fact(NatGatewayPublicIp { gateway, public_ip });
        }
    }
    for list in ["publicIpPrefixes", "publicIpPrefixesV6"] {
        for public_ip_prefix in out.links(body, list) {
            out.fact(NatGatewayRange { gateway, public_ip_prefix });
        }
    }
}

/// The SKU, `absent` where the body has none; one that cannot be read leaves open which it is, and nothing else.
fn sku(out: &mut Out<'_>, absent: PublicSku) -> PublicSku {
    let Some(sku) = get(&out.resource.body, "sku") else { return absent };
    match get(sku, "name") {
        Some(Value::String(_)) => out.word(sku, "name", PublicSku::parse, PublicSku::Unknown).unwrap_or(absent),
        None if sku.is_object() => absent,
        name => {
            out.wrong(name.unwrap_or(sku), "an object with a `name`");
            PublicSku::Unknown
        }
    }
}
