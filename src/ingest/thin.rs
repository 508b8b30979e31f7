//! A resource's own body that says less than the copy in its parent: what it leaves out, the copy tells (SND-02).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

use crate::diag::Diagnostic;
use crate::facts::extract::{Extracted, contested as contested_facts, extract};
use crate::ingest::children::{child_lists, key_of};
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
    // Of load balancers: who is behind a rule or in a pool, which ports a rule is for, where a frontend is.
    &["backendAddressPool", "backendAddressPools", "backendIPConfiguration"],
    &["backendIPConfigurations", "loadBalancerBackendAddresses"],
    &["frontendIPConfiguration", "frontendIPConfigurations"],
    &["frontendPort", "frontendPortRangeStart", "frontendPortRangeEnd"],
    &["subnet", "privateIPAddress", "publicIPAddress", "publicIPPrefix"],
];

/// References that every version of the API tells: a body that tells anything and leaves one out says that there is none.
const TOLD: &[&str] = &["networkSecurityGroup", "routeTable", "natGateway", "serviceEndpoints", "serviceEndpointPolicies"];

/// A child's own body as it was written, kept so that another copy in its parent can complete it anew.
#[derive(Clone, Debug)]
pub struct Own {
    /// The child, without its body.
    resource: Resource,
    /// The body, as JSON: that is a fraction of what its values take.
    text: Box<str>,
}

impl Own {
    /// What to keep of a resource: nothing where a parent's body cannot hold a copy of it.
    pub(super) fn of(resource: &Resource) -> Option<Box<Own>> {
        let kind = resource.kind.as_str();
        let (parent, segment) = kind.rsplit_once('/')?;
        if resource.embedded || !parent.contains('/') || !child_lists(parent).any(|(_, child)| child.eq_ignore_ascii_case(segment)) {
            return None;
        }
        let text = resource.body.to_string().into();
        let Resource { id, kind, name, location, subscription, tenant, group, inherits, rank, level, .. } = *resource;
        let (source, names) = (resource.source.clone(), resource.names.clone());
        let (body, embedded, extracted, own, parts) = (Value::Null, false, None, None, None);
        let resource = Resource {
            id,
            kind,
            name,
            location,
            subscription,
            tenant,
            group,
            body,
            source,
            embedded,
            inherits,
            extracted,
            own,
            parts,
            rank,
            names,
            level,
        };
        Some(Box::new(Own { resource, text }))
    }

    /// The child as its own body has it.
    pub(crate) fn alone(&self) -> Resource {
        // The text was made from a body.
        Resource { body: serde_json::from_str(&self.text).unwrap_or_default(), ..self.resource.clone() }
    }

    /// The child where its parent's body has this copy of it, as loading both makes it.
    pub(crate) fn beside(&self, copy: &Resource) -> Beside {
        let mut own = self.alone();
        own.location = if own.location.is_empty() { copy.location } else { own.location };
        own.tenant = if own.tenant.is_empty() { copy.tenant } else { own.tenant };
        own.parts = copy.parts.clone();
        if own.rank.is_bare() || copy.rank.is_bare() {
            let resource = if own.rank < copy.rank { own } else { copy.clone() };
            return Beside { extracted: extract(&resource), resource, contradiction: None, unused: false };
        }
        let (body, clashing) = completed(&own, &[copy]);
        let whole = Resource { body: body.unwrap_or_else(|| own.body.clone()), ..own.clone() };
        match clashing.first() {
            Some([mine, theirs]) => {
                let extracted = contested_facts([mine, theirs].map(|at| if *at == OWN { &own } else { copy }));
                let contradiction = Some(contested::contradiction(own.id, &own.source, &copy.source));
                Beside { extracted, resource: own, contradiction, unused: false }
            }
            None => Beside { extracted: extract(&whole), unused: contested::contradict(&whole, copy), resource: own, contradiction: None },
        }
    }
}

/// A child's own body beside a copy in its parent's.
#[derive(Debug)]
pub(crate) struct Beside {
    /// The body that counts.
    pub resource: Resource,
    /// What both together say.
    pub extracted: Extracted,
    /// That neither counts, where that is so: which of them is right nobody knows.
    pub contradiction: Option<Diagnostic>,
    /// Whether the copy says something else of the same, which does not count.
    pub unused: bool,
}

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
        let (body, clashes) = completed(own, copies);
        clashing.extend(clashes.into_iter().map(|places| Rivals {
            id: thin.id,
            places: places.map(|at| bodies[at].source.clone()),
            certain: true,
        }));
        if let Some(body) = body {
            loaded.resources[at].body = body;
            loaded.resources[at].extracted = None;
        }
    }
    clashing
}

/// The place of the own body among the bodies of a resource; its copies follow.
const OWN: usize = 0;

/// The own body with what the copies tell and it leaves out, where that is anything, and which two of the bodies clash.
fn completed(own: &Resource, copies: &[&Resource]) -> (Option<Value>, Vec<[usize; 2]>) {
    let said = of(own);
    let mut clashing = Vec::new();
    // By lower-case name: how it is spelled, what it is, and the copy that tells it.
    let mut found: BTreeMap<String, (String, Value, usize)> = BTreeMap::new();
    let mut rivals: Vec<(usize, usize, Map<String, Value>)> = Vec::new();
    for (at, copy) in (OWN + 1..).zip(copies) {
        let told = left_out(&said, &of(copy));
        if !said.is_empty() && told.iter().any(|(name, value)| is_reference(name, value)) {
            clashing.push([OWN, at]);
        }
        for (name, value) in told {
            let entry = found.entry(name.to_ascii_lowercase());
            let (_, other, giver) = entry.or_insert_with(|| (name.clone(), value.clone(), at));
            if *other != value {
                rivals.push((*giver, at, Map::from_iter([(name, value)])));
            }
        }
    }
    if found.is_empty() {
        return (None, clashing);
    }
    let mut body = own.body.clone();
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        for (name, value, _) in found.into_values() {
            let key = key_of(properties, &name).map_or(name.clone(), str::to_owned);
            properties.insert(key, value);
        }
    }
    // What the completed body says decides whether the difference matters: a copy alone may leave out what makes it count.
    if !rivals.is_empty() {
        let whole = Resource { body: body.clone(), ..own.clone() };
        for (giver, at, told) in rivals {
            if contested::contradict(&whole, &Resource { body: json!({"properties": told}), ..own.clone() }) {
                clashing.push([giver, at]);
            }
        }
    }
    (Some(body), clashing)
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
