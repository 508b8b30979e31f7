//! A resource's own body that says less than the copy in its parent: what it leaves out, the copy tells (SND-02).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

use crate::ingest::children::key_of;
use crate::ingest::merge::Rivals;
use crate::ingest::{Input, Loaded, Resource, Source, contested};
use crate::model::Sym;

/// A resource of which a copy in its parent has properties that its own body lacks.
#[derive(Debug)]
pub(super) struct Thin {
    /// The resource.
    pub id: Sym,
    /// Where its own body stands, and where the copies do, the best one first.
    pub places: Vec<Source>,
}

/// Properties that say one thing: where a body sets one of them, it leaves out none.
const SAME: &[&[&str]] = &[
    &["addressPrefix", "addressPrefixes"],
    &["sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups"],
    &["destinationAddressPrefix", "destinationAddressPrefixes", "destinationApplicationSecurityGroups"],
    &["sourcePortRange", "sourcePortRanges"],
    &["destinationPortRange", "destinationPortRanges"],
];

/// References that every version of the API tells: a body that tells anything and leaves one out says that there is none.
const TOLD: &[&str] = &["networkSecurityGroup", "routeTable", "natGateway", "serviceEndpoints", "serviceEndpointPolicies"];

/// Reads the bodies again and completes the own ones. Copies that clash in what the own body leaves out, or with what it says by that, are returned: neither
/// counts.
pub(super) fn complete(loaded: &mut Loaded, thin: &[Thin], inputs: &[Input]) -> Vec<Rivals> {
    if thin.is_empty() {
        return Vec::new();
    }
    let places = thin.iter().flat_map(|thin| thin.places.iter().map(|place| (thin.id, place)));
    let bodies: FxHashMap<(Sym, Source), Resource> = contested::read_again(places, inputs);
    let mut clashing = Vec::new();
    for thin in thin {
        let bodies: Vec<&Resource> = thin.places.iter().filter_map(|place| bodies.get(&(thin.id, place.clone()))).collect();
        let Some((own, copies)) = bodies.split_first() else { continue };
        let Ok(at) = loaded.resources.binary_search_by_key(&thin.id.as_str(), |resource| resource.id.as_str()) else { continue };
        let said = of(own);
        // By lower-case name: how it is spelled, what it is, and the copy that tells it.
        let mut found: BTreeMap<String, (String, Value, &Source)> = BTreeMap::new();
        let mut rivals: Vec<(&Source, &Resource, Map<String, Value>)> = Vec::new();
        for copy in copies {
            let told = left_out(&said, &of(copy));
            if !said.is_empty() && told.iter().any(|(name, value)| is_reference(name, value)) {
                clashing.push(Rivals { id: thin.id, places: [own.source.clone(), copy.source.clone()], certain: true });
            }
            for (name, value) in told {
                let entry = found.entry(name.to_ascii_lowercase());
                let (_, other, giver) = entry.or_insert_with(|| (name.clone(), value.clone(), &copy.source));
                if *other != value {
                    rivals.push((*giver, *copy, Map::from_iter([(name, value)])));
                }
            }
        }
        if found.is_empty() {
            continue;
        }
        let mut body = own.body.clone();
        if let Some(Value::Object(properties)) = body.get_mut("properties") {
            for (name, value, _) in found.into_values() {
                let key = key_of(properties, &name).map_or(name.clone(), str::to_owned);
                properties.insert(key, value);
            }
        }
        let resource = &mut loaded.resources[at];
        resource.body = body;
        resource.extracted = None;
        // What the completed body says decides whether the difference matters: a copy alone may leave out what makes it count.
        for (giver, copy, told) in rivals {
            let other = Resource { body: json!({"properties": told}), ..copy.clone() };
            if contested::contradict(resource, &other) {
                clashing.push(Rivals { id: thin.id, places: [giver.clone(), copy.source.clone()], certain: true });
            }
        }
    }
    clashing
}

/// Whether a property names something by which traffic is filtered or led.
fn is_reference(name: &str, value: &Value) -> bool {
    TOLD.iter().any(|told| told.eq_ignore_ascii_case(name)) && value.as_array().is_none_or(|items| !items.is_empty())
}

fn of(resource: &Resource) -> Map<String, Value> {
    resource.body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// What the copy tells and the own body does not.
fn left_out(own: &Map<String, Value>, copy: &Map<String, Value>) -> Vec<(String, Value)> {
    let value = |name: &str| key_of(own, name).and_then(|key| own.get(key)).filter(|value| !value.is_null());
    let says = |name: &str| {
        value(name).is_some_and(|value| match value {
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        })
    };
    let is_said = |name: &str| match SAME.iter().find(|names| names.iter().any(|same| same.eq_ignore_ascii_case(name))) {
        Some(names) => value(name).is_some() || names.iter().any(|same| says(same)),
        None => value(name).is_some(),
    };
    let told = copy.iter().filter(|(name, value)| !value.is_null() && !is_said(name));
    told.map(|(name, value)| (name.clone(), value.clone())).collect()
}
