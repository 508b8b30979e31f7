//! One resource to facts: a file for each family of Azure resource types.
//!
//! An extractor sees one resource at a time; whatever depends on another one is a rule's business. What it does not understand is a gap
//! ([`crate::facts::gap`]), a value of the wrong type a diagnostic besides; nothing is dropped in silence.

mod application_gateway;
mod azure_firewall;
mod cloud;
mod connection;
mod cosmos;
mod declared;
mod device;
mod endpoint;
mod gateway;
mod host;
mod hub;
pub(crate) mod inert;
mod instance;
mod key_vault;
mod load_balancer;
mod machine;
mod manager;
mod messaging;
mod nic;
mod nsg;
mod observed;
mod out;
mod paas;
mod perimeter;
mod policy;
mod private_dns;
mod private_link;
mod public_ip;
mod registry;
mod resolver;
mod route_table;
mod site;
mod sql;
mod stated;
mod storage;
mod store;
mod types;
mod unread;
mod vnet;
mod withdrawn;

use serde_json::Value;

use crate::diag::Diagnostic;
use crate::facts::Fact;
use crate::facts::gap::{ChildType, Gap, PEERINGS, ROUTES, Resource as ResourceRow, SECURITY_RULES, Tag, Unlisted, UnreadRule};
use crate::facts::store_facts::PublicAccess;
use crate::ingest::{Resource, child_lists};
use crate::model::{Sym, Tri};

use out::{Out, get, is_set};
use types::{THERE_WITHOUT_BODY, UNKNOWN_WITHOUT_BODY, extractor, is_store};

pub use crate::facts::selector::UNKNOWN_TAG;
pub use inert::INERT;
pub use stated::KEPT;
pub use types::{MODELLED, is_modelled};

/// The facts of one resource, and what was wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Extracted {
    /// The facts; some may be there twice.
    pub facts: Vec<Fact>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether a fact depends on what the body does not say and a parent or another copy may: a tenant, the parts of a load balancer.
    pub unsettled: bool,
}

/// What a whole resource lacks where its type has no extractor.
pub const TYPE_NOT_MODELLED: &str = "this type is not modelled";

/// Writes down what `resource` says: exactly one `resource` row, its tags, the relations of its type, and gaps for the rest.
pub fn extract(resource: &Resource) -> Extracted {
    written_down(Out::new(resource))
}

/// The same for a resource whose `copies` contradict each other: as good as one that could not be read. What may be said of such a one, whatever it is, both say.
pub fn contested(copies: [&Resource; 2]) -> Extracted {
    let mut all = Extracted { facts: Vec::new(), diagnostics: Vec::new(), unsettled: false };
    let copies_of_it = copies.map(|resource| {
        let mut out = Out::new(resource);
        out.contest();
        written_down(out)
    });
    let doubts = observed::doubts([&copies_of_it[0].facts, &copies_of_it[1].facts]);
    for extracted in copies_of_it {
        all.facts.extend(extracted.facts);
        all.diagnostics.extend(extracted.diagnostics);
        all.unsettled |= extracted.unsettled;
    }
    all.facts.retain(|fact| !observed::is_learned(fact));
    all.facts.extend(doubts);
    let what = Sym::new("two copies contradict each other");
    all.facts.push(Fact::Gap(Gap { resource: copies[0].id, kind: copies[0].kind, what }));
    if let Some(holder) = unread::holder_of(copies[0]) {
        all.facts.push(Fact::UnreadRule(UnreadRule { holder, what }));
    }
    // One row is the resource's own.
    let row = |fact: &Fact| matches!(fact, Fact::Resource(_));
    let first = all.facts.iter().find(|fact| row(fact)).copied();
    all.facts.retain(|fact| !row(fact));
    all.facts.splice(0..0, first);
    all
}

/// The children of a store that say who is connected to it.
const CONNECTIONS: &str = "privateEndpointConnections";

fn written_down(mut out: Out<'_>) -> Extracted {
    let resource = out.resource;
    out.fact(ResourceRow {
        id: resource.id,
        kind: resource.kind,
        name: resource.name,
        location: resource.location,
        subscription: resource.subscription,
        tenant: resource.tenant,
        group: resource.group,
    });
    envelope(&mut out);
    tags(&mut out);
    stated::properties(&mut out);
    let kind = resource.kind.as_str();
    let extractor = extractor(kind);
    match get(&resource.body, "properties") {
        Some(properties) if properties.is_object() => {
            // An empty list says that there is no child of the type, a missing one says nothing (M-03).
            for (list, segment) in child_lists(kind) {
                let unread = |value: &&Value| value.as_array().is_none_or(|items| !items.is_empty());
                if segment.eq_ignore_ascii_case(CONNECTIONS)
                    && is_store(kind)
                    && let Some(value) = get(properties, list).filter(unread)
                {
                    unread::connections(&mut out, list, value);
                    continue;
                }
                match get(properties, list) {
                    Some(Value::Array(items)) => {
                        out.fact(ChildType { parent: resource.id, kind: Sym::lower(&format!("{kind}/{segment}")) });
                        // Those that are resources were taken out; where one was none, that was said.
                        if !items.is_empty() {
                            out.lost_before(
                                &format!("properties.{list}"),
                                &format!("`properties.{list}` holds something that is no resource"),
                            );
                        }
                    }
                    Some(other) => out.lost(other, "a list"),
                    None => {
                        let kind = Sym::lower(&format!("{kind}/{segment}"));
                        if [SECURITY_RULES, ROUTES, PEERINGS].contains(&kind.as_str()) {
                            out.fact(Unlisted { parent: resource.id, kind });
                        }
                    }
                }
            }
            host::hosts(&mut out, kind, properties);
            match extractor {
                // Of a rule or route nothing is known but that it is there.
                Some(extractor) if out.is_contested() && UNKNOWN_WITHOUT_BODY.contains(&kind) => extractor(&mut out, &Value::Null),
                Some(extractor) => {
                    extractor(&mut out, properties);
                    if out.has_lost() {
                        unread::forget(&mut out, properties);
                    }
                    if out.is_contested() || out.is_cut() {
                        withdrawn::forget(&mut out, properties);
                    }
                }
                None if inert::reason(kind).is_some() => {}
                None => {
                    out.gap(TYPE_NOT_MODELLED);
                    store::switched_off(&mut out, properties);
                    device::elsewhere(&mut out, properties);
                    hub::guard(&mut out, properties);
                    cloud::cloud(&mut out, kind, properties);
                }
            }
        }
        _ if inert::reason(kind).is_some() => {}
        _ if extractor.is_none() => out.gap(TYPE_NOT_MODELLED),
        other => {
            match other {
                // A store concerns whoever calls it: one with a body that is none is like one without.
                Some(other) if is_store(kind) => out.wrong(other, "an object"),
                Some(other) => out.lost(other, "an object"),
                None => out.gap("the export holds no `properties`"),
            }
            // Of a rule, route, connection, store or side of a peering without a body nothing is known but that it is there.
            let there = UNKNOWN_WITHOUT_BODY.contains(&kind) || THERE_WITHOUT_BODY.contains(&kind) || is_store(kind);
            if let (Some(extractor), true) = (extractor, there || kind.ends_with("/privateendpointconnections")) {
                extractor(&mut out, &Value::Null);
                // Whom the rules let in is not what a store or a set without rules does.
                out.revise(|fact| {
                    match fact {
                        Fact::StoreAccess(row) => (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe),
                        Fact::StoreRuleSet(row) => (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe),
                        _ => {}
                    }
                    true
                });
            }
            if out.has_lost() {
                unread::forget(&mut out, &Value::Null);
            }
        }
    }
    unread::rules(&mut out);
    out.finish()
}

/// Says where the envelope holds something else than texts and tags. The type and the name are in the id as well, and without its region a resource is still one.
fn envelope(out: &mut Out<'_>) {
    let resource = out.resource;
    for name in ["type", "name", "location"] {
        if let Some(value) = get(&resource.body, name).filter(|value| !value.is_string()) {
            out.wrong(value, "a text");
        }
    }
    if let Some(value) = get(&resource.body, "tags").filter(|value| !value.is_object() && is_set(value)) {
        out.wrong(value, "an object");
    }
}

fn tags(out: &mut Out<'_>) {
    let Some(Value::Object(tags)) = get(&out.resource.body, "tags") else { return };
    let resource = out.id();
    for (key, value) in tags {
        let value = match value {
            Value::String(text) => Sym::new(text),
            Value::Null => Sym::EMPTY,
            other => Sym::new(&other.to_string()),
        };
        out.fact(Tag { resource, key: Sym::lower(key), value });
    }
}

#[cfg(test)]
mod absent_device_tests;
#[cfg(test)]
mod absent_tests;
#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod instance_tests;
#[cfg(test)]
mod load_balancer_tests;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unreadable_tests;
