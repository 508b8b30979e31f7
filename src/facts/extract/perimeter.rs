//! Network security perimeters and their children (NSP-01).

use serde_json::Value;

use crate::facts::extract::out::{Out, get};
use crate::facts::network::Direction;
use crate::facts::perimeter::{
    AccessItem, AccessMode, LinkEnd, Perimeter, PerimeterAssociation, PerimeterLink, PerimeterLinkProfile, PerimeterRule,
};
use crate::model::ids::parent_id;
use crate::model::{Sym, Tri, net};

/// `microsoft.network/networksecurityperimeters`.
pub(super) fn perimeter<'a>(out: &mut Out<'a>, body: &'a Value) {
    let perimeter = out.id();
    let guid = out.text(body, "perimeterGuid").map_or(Sym::EMPTY, Sym::lower);
    out.fact(Perimeter { perimeter, guid });
}

/// `…/profiles`: only the place where rules hang.
pub(super) fn profile<'a>(_out: &mut Out<'a>, _body: &'a Value) {}

/// `…/resourceassociations`.
pub(super) fn association<'a>(out: &mut Out<'a>, body: &'a Value) {
    let association = out.id();
    let mut named = |name: &str| {
        out.link(body, name).unwrap_or_else(|| {
            out.gap(format!("`properties.{name}` is missing"));
            Sym::EMPTY
        })
    };
    let (resource, profile) = (named("privateLinkResource"), named("profile"));
    let word = |text: &str| if text.eq_ignore_ascii_case("Transition") { Some(AccessMode::Learning) } else { AccessMode::parse(text) };
    let mode = out.word(body, "accessMode", word, AccessMode::Unknown).unwrap_or(AccessMode::Unknown);
    let troubled = out.text(body, "hasProvisioningIssues").is_some_and(|word| word.eq_ignore_ascii_case("yes"));
    let settled = out.settled(body) && !troubled;
    let perimeter = out.parent();
    out.fact(PerimeterAssociation { association, perimeter, profile, resource, mode, settled });
}

/// `…/profiles/accessrules`: one row for each entry.
pub(super) fn access_rule<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule, profile) = (out.id(), out.parent());
    let Some(direction) = out.text(body, "direction").and_then(Direction::parse) else {
        return out.gap("`properties.direction` is neither Inbound nor Outbound");
    };
    let entry = |out: &mut Out<'a>, item: AccessItem, value: Sym| out.fact(PerimeterRule { rule, profile, direction, item, value });
    for prefix in out.texts(body, "addressPrefixes") {
        match net::parse_prefix(prefix) {
            Some(prefix) => entry(out, AccessItem::Prefix, Sym::new(&prefix.to_string())),
            None => out.gap(format!("the address prefix `{prefix}` of the rule is none")),
        }
    }
    for tag in out.texts(body, "serviceTags") {
        entry(out, AccessItem::Tag, Sym::lower(tag));
    }
    for host in out.texts(body, "fullyQualifiedDomainNames") {
        entry(out, AccessItem::Fqdn, Sym::lower(host.trim_end_matches('.')));
    }
    for subscription in out.links(body, "subscriptions") {
        let id = subscription.as_str();
        entry(out, AccessItem::Subscription, Sym::new(id.rsplit('/').next().unwrap_or(id)));
    }
    // Of a rule for nobody at all, whose lists were not all exported, the one with somebody in it is missing (M-03).
    let lists: &[&str] = match direction {
        Direction::Inbound => &["addressPrefixes", "serviceTags", "subscriptions", "networkSecurityPerimeters"],
        Direction::Outbound => &["fullyQualifiedDomainNames"],
    };
    let empty = |list: &&str| get(body, list).and_then(Value::as_array).is_none_or(Vec::is_empty);
    if lists.iter().all(empty) && lists.iter().any(|list| get(body, list).is_none()) {
        out.gap("the rule names nobody");
    }
    for perimeter in out.items(body, "networkSecurityPerimeters") {
        match out.reference(perimeter) {
            Some(other) => entry(out, AccessItem::Perimeter, other),
            None if get(perimeter, "perimeterGuid").is_none() => {}
            None => out.gap("a rule for a perimeter without an id is not modelled"),
        }
    }
}

/// `…/links` and `…/linkreferences`, which is the other end's view of the same.
pub(super) fn link<'a>(out: &mut Out<'a>, body: &'a Value) {
    let link = out.id();
    let id = out.link(body, "remotePerimeterResourceId").or_else(|| out.link(body, "autoApprovedRemotePerimeterResourceId"));
    let remote = id.or_else(|| out.text(body, "remotePerimeterGuid").map(Sym::lower)).unwrap_or_default();
    let settled = out.settled(body);
    let approved = match out.text(body, "status").map(str::to_ascii_lowercase).as_deref() {
        Some("approved") if settled => Tri::Yes,
        Some("pending" | "rejected" | "disconnected") if settled => Tri::No,
        Some("approved" | "pending" | "rejected" | "disconnected") | None => Tri::Maybe,
        Some(other) => {
            out.gap(format!("`status` has the unknown value `{other}`"));
            Tri::Maybe
        }
    };
    let perimeter = parent_id(link.as_str()).map_or(Sym::EMPTY, Sym::new);
    out.fact(PerimeterLink { link, perimeter, remote, approved });
    for (list, end, direction) in [
        ("localInboundProfiles", LinkEnd::Local, Direction::Inbound),
        ("localOutboundProfiles", LinkEnd::Local, Direction::Outbound),
        ("remoteInboundProfiles", LinkEnd::Remote, Direction::Inbound),
        ("remoteOutboundProfiles", LinkEnd::Remote, Direction::Outbound),
    ] {
        // A list that is not there lets everything through, an empty one nothing.
        if get(body, list).is_none() {
            out.fact(PerimeterLinkProfile { link, end, direction, profile: Sym::new("*") });
        }
        for profile in out.texts(body, list) {
            out.fact(PerimeterLinkProfile { link, end, direction, profile: Sym::lower(profile) });
        }
    }
}
