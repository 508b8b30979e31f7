//! Private and public DNS zones, their links and record sets.

use std::net::IpAddr;

use serde_json::Value;

use crate::facts::dns::PublicDnsZone;
use crate::facts::extract::out::{Out, get, is_set, says_none, whole};
use crate::facts::private_access::{PrivateDnsZone, RecordType, ZoneLink, ZoneRecord, ZoneSize};
use crate::model::Sym;

/// A DNS name as it is compared: lower case, no trailing dot.
pub(super) fn name_of(text: &str) -> Sym {
    Sym::lower(text.trim().trim_end_matches('.'))
}

/// `microsoft.network/privatednszones`.
pub(super) fn zone<'a>(out: &mut Out<'a>, body: &'a Value) {
    let zone = out.id();
    out.fact(PrivateDnsZone { zone, name: name_of(out.resource.name.as_str()) });
    size(out, body);
}

/// How much of the zone there is.
fn size(out: &mut Out<'_>, body: &Value) {
    let zone = out.id();
    let mut count = |name: &str| {
        let value = get(body, name)?;
        let number = whole::<u32>(value);
        if number.is_none() {
            out.wrong(value, "a number");
        }
        number
    };
    let (records, links) = (count("numberOfRecordSets").unwrap_or(0), count("numberOfVirtualNetworkLinks").unwrap_or(0));
    if records > 0 || links > 0 {
        out.fact(ZoneSize { zone, records, links });
    }
}

/// `microsoft.network/dnszones` (DNS-34).
pub(super) fn public_zone<'a>(out: &mut Out<'a>, body: &'a Value) {
    let zone = out.id();
    out.fact(PublicDnsZone { zone, name: name_of(out.resource.name.as_str()) });
    size(out, body);
}

/// `microsoft.network/privatednszones/virtualnetworklinks` (DNS-10, DNS-11, DNS-13).
pub(super) fn link<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (link, zone) = (out.id(), out.parent());
    let vnet = out.link(body, "virtualNetwork").unwrap_or_else(|| {
        out.gap("`properties.virtualNetwork` is missing");
        Sym::EMPTY
    });
    let completed = out.text(body, "virtualNetworkLinkState").is_none_or(|state| state.eq_ignore_ascii_case("Completed"));
    let usable = completed && out.text(body, "provisioningState").is_none_or(|state| state.eq_ignore_ascii_case("Succeeded"));
    let registration = out.flag(body, "registrationEnabled").unwrap_or(false);
    let redirects: &[bool] = match out.text(body, "resolutionPolicy") {
        None => &[false],
        Some(policy) if policy.eq_ignore_ascii_case("Default") => &[false],
        Some(policy) if policy.eq_ignore_ascii_case("NxDomainRedirect") => &[true],
        Some(policy) => {
            // It may do the one or the other (SND-02).
            out.gap(format!("`resolutionPolicy` has the unknown value `{policy}`"));
            &[false, true]
        }
    };
    for redirect in redirects {
        out.fact(ZoneLink { link, zone, vnet, usable, registration, redirect: *redirect });
    }
}

/// `microsoft.network/privatednszones/{a,aaaa,cname,…}` and the same of public zones: one row a value, and one with no value where the type is not followed,
/// so that the name is known to exist. A record set of a public zone that stands for a resource has that resource's id as its value.
pub(super) fn record<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (record, zone) = (out.id(), out.parent());
    let name = Sym::lower(out.resource.name.as_str());
    let kind = RecordType::parse(out.resource.kind.as_str().rsplit('/').next().unwrap_or("")).unwrap_or(RecordType::Other);
    let mut values = Vec::new();
    match kind {
        RecordType::A => addresses(out, body, "aRecords", "ipv4Address", &mut values),
        RecordType::Aaaa => addresses(out, body, "aaaaRecords", "ipv6Address", &mut values),
        RecordType::Cname => {
            if let Some(target) = out.object(body, "cnameRecord").and_then(|cname| out.text(cname, "cname")) {
                values.push(name_of(target));
            }
        }
        RecordType::Soa | RecordType::Ns | RecordType::Other => {}
    }
    if let Some(target) = get(body, "targetResource").filter(|target| is_set(target)) {
        values.extend(out.reference(target));
    }
    if matches!(kind, RecordType::Soa | RecordType::Ns) {
        return out.fact(ZoneRecord { record, zone, name, kind, value: Sym::EMPTY });
    }
    if values.is_empty() {
        // An empty list says that there is no address, a missing one says nothing (M-03).
        let none = match kind {
            RecordType::A => says_none(body, "aRecords"),
            RecordType::Aaaa => says_none(body, "aaaaRecords"),
            _ => true,
        };
        if !none {
            out.gap("the addresses of the record are missing");
        }
        let kind = if none { RecordType::Other } else { kind };
        out.fact(ZoneRecord { record, zone, name, kind, value: Sym::EMPTY });
    }
    for value in values {
        out.fact(ZoneRecord { record, zone, name, kind, value });
    }
}

fn addresses<'a>(out: &mut Out<'a>, body: &'a Value, list: &str, field: &str, values: &mut Vec<Sym>) {
    for item in out.objects(body, list).iter().filter(|item| is_set(item)) {
        let address: Option<IpAddr> = out.address(item, field);
        values.extend(address.map(|address| Sym::new(&address.to_string())));
    }
}
