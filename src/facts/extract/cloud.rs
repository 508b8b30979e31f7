//! Types that are not modelled and still change what a network's routes, filters or names do: whatever depends on them is not proven.

use serde_json::Value;

use crate::facts::extract::out::Out;
use crate::facts::network::Clouded;
use crate::model::Sym;
use crate::model::ids::{normal_id, vnet_of_id};

/// The types, and what of a network they change (SND-02): DNS-34.
const CHANGES: [(&str, &[&str]); 1] = [("microsoft.network/dnsresolverpolicies/virtualnetworklinks", &["names"])];

/// Writes a `clouded` row for each network that the resource names, in its body or as what it extends.
pub(super) fn cloud(out: &mut Out<'_>, kind: &str, properties: &Value) {
    let resource = out.id();
    let Some((_, changes)) = CHANGES.iter().find(|(name, _)| *name == kind) else { return };
    let mut vnets: Vec<Sym> = vnet_of_id(resource.as_str()).map(Sym::new).into_iter().collect();
    if !is_empty(properties) || vnets.is_empty() {
        named(properties, &mut vnets);
    } else {
        return; // it says that nothing applies to the network
    }
    Sym::sort(&mut vnets);
    vnets.dedup();
    for vnet in vnets {
        for what in *changes {
            out.fact(Clouded { vnet, what: Sym::new(what), resource });
        }
    }
}

/// Whether all lists of an effective configuration are empty.
fn is_empty(properties: &Value) -> bool {
    let Some(object) = properties.as_object() else { return false };
    let mut lists = object.values().filter_map(Value::as_array).peekable();
    lists.peek().is_some() && lists.all(Vec::is_empty)
}

/// Every network that a text anywhere in the value is the id of.
fn named(value: &Value, vnets: &mut Vec<Sym>) {
    match value {
        Value::String(text) => vnets.extend(vnet_of_id(normal_id(text).as_str()).map(Sym::new)),
        Value::Array(items) => items.iter().for_each(|item| named(item, vnets)),
        Value::Object(fields) => fields.values().for_each(|field| named(field, vnets)),
        _ => {}
    }
}
