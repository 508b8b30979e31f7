//! One element of a document to resources: the envelope as REST writes it, children apart.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::diag::{Diagnostic, Severity};
use crate::facts::extract::{inert, is_modelled};
use crate::ingest::children::{child_lists, key_of};
use crate::ingest::merge::{self, Rank};
use crate::ingest::parts::{self, Parts};
use crate::ingest::sink::Sink;
use crate::ingest::{Resource, Source};
use crate::model::{Sym, ids};

/// The envelope; everything else in flattened output of the command line tool was in `properties`.
const ENVELOPE: &[&str] = &[
    "id",
    "name",
    "type",
    "location",
    "tags",
    "sku",
    "kind",
    "properties",
    "zones",
    "identity",
    "etag",
    "systemData",
    "plan",
    "managedBy",
    "extendedLocation",
    "resourceGroup",
    "apiVersion",
    "tenantId",
    "subscriptionId",
];

/// What PowerShell calls parts of the envelope.
const ALIASES: &[(&str, &str)] = &[
    ("ResourceId", "id"),
    ("RoleAssignmentId", "id"),
    ("ResourceType", "type"),
    ("ResourceName", "name"),
    ("ResourceGroupName", "resourceGroup"),
];

/// What `az resource list` says of a resource besides its envelope: no configuration.
const NO_CONFIGURATION: &[&str] = &["createdTime", "changedTime", "provisioningState"];

/// Where an element stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Its JSON pointer.
    pub pointer: &'a str,
    /// The resource whose body it is part of.
    pub parent: Option<&'a Parent>,
    /// Whether a body without `properties` may be flattened output of the command line tool.
    pub flat: bool,
    /// Where it has its `properties`, below the pointer.
    pub level: &'static str,
}

/// What a child takes from its parent.
pub(super) struct Parent {
    id: Sym,
    kind: Sym,
    location: Sym,
    tenant: Sym,
    /// The child's type segment, empty where the child states its type.
    segment: &'static str,
    /// The parts of the load balancer whose rule the child is.
    parts: Option<Arc<Parts>>,
}

impl Parent {
    /// Whether the child stands in a list of a load balancer.
    fn is_balancer(&self) -> bool {
        !self.segment.is_empty() && self.kind.as_str() == parts::BALANCER
    }
}

/// A list of children: its key, the segment of their type, and each with its place in the list.
type Children = (String, &'static str, Vec<(usize, Value)>);

/// Adds the resource that `map` is, and its children, to the sink.
pub(super) fn accept(sink: &mut Sink, mut map: Map<String, Value>, place: Place<'_>) {
    let foreign = !(map.contains_key("id") && map.contains_key("properties"));
    let nested = if foreign { envelope_names(&mut map) } else { Vec::new() };
    let Some(id_text) = id_of(&map, place.parent) else {
        let what = match map.get("id") {
            Some(Value::String(id)) => format!("`{}` is no resource id", shortened(id)),
            _ => "an entry without `id`".to_owned(),
        };
        let mut said = Diagnostic::new("ingest::not_a_resource", Severity::Error, what)
            .at(sink.file.as_str(), place.pointer)
            .help("export whole resources: rows with `id`, `type` and `properties`");
        if is_missed(&map, place.parent) {
            said = said.note("whom it concerns is not known without it: nothing is proven of any flow");
            sink.nameless.push(place.pointer.to_owned());
        }
        sink.say(said);
        return;
    };
    if map.get("properties").is_some_and(Value::is_null) {
        map.shift_remove("properties");
    }
    // Rows of Resource Graph have a resource group too, but their subscription beside it.
    let flat = place.flat && (place.parent.is_some() || map.contains_key("resourceGroup") && !map.contains_key("subscriptionId"));
    let flattened = flat && !map.contains_key("properties") && unflatten(&mut map);
    if place.parent.is_some_and(Parent::is_balancer) {
        parts::fill(&mut map);
    }
    let id = ids::normal_id(&id_text);
    let parts = ids::id_parts(id.as_str());
    let kind = kind_of(id.as_str(), &map);
    let location = text(&map, "location").map_or(Sym::EMPTY, region);
    let tenant = text(&map, "tenantId").map_or(Sym::EMPTY, Sym::lower);
    let me = Parent {
        id,
        kind,
        location: match place.parent {
            Some(parent) if location.is_empty() => parent.location,
            _ => location,
        },
        tenant: match place.parent {
            Some(parent) if tenant.is_empty() => parent.tenant,
            _ => tenant,
        },
        segment: "",
        parts: None,
    };
    let mut rest: Vec<(String, Value)> = Vec::new();
    let mut children: Vec<Children> = Vec::new();
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        for (list, segment) in child_lists(kind.as_str()) {
            let Some(key) = key_of(properties, list).map(str::to_owned) else { continue };
            if let Some(Value::Array(items)) = properties.get_mut(&key)
                && !items.is_empty()
            {
                // The list stays, without what is a resource: an empty one says that the body names all children of the type.
                if kind.as_str() == parts::BALANCER {
                    items.iter_mut().enumerate().for_each(|(at, item)| parts::name_by_place(item, at));
                }
                let numbered = std::mem::take(items).into_iter().enumerate();
                let (found, left): (Vec<_>, Vec<_>) = numbered.partition(|(_, item)| is_named(item));
                items.extend(left.into_iter().map(|(at, item)| {
                    rest.push((format!("{key}/{at}"), item.clone()));
                    item
                }));
                children.push((key, segment, found));
            }
        }
    }
    let listed = (kind.as_str() == parts::BALANCER).then(|| Arc::new(parts_of(&me, &children)));
    let lacks = |key: &str| text(&map, key).is_none_or(str::is_empty);
    let inherits = (lacks("location"), lacks("tenantId"));
    let embedded = place.parent.is_some_and(|parent| !parent.segment.is_empty());
    let level = if flattened { "" } else { place.level };
    let body = Value::Object(map);
    sink.keep(Resource {
        id,
        kind,
        name: Sym::new(id_text.trim().trim_end_matches('/').rsplit('/').next().unwrap_or("")),
        location: me.location,
        subscription: Sym::new(parts.subscription),
        tenant: me.tenant,
        group: Sym::new(parts.group),
        rank: Rank::of(&body, embedded),
        names: if kind.as_str().matches('/').count() > 1 { merge::names(&body) } else { Box::default() },
        body,
        source: Source { file: sink.file, pointer: place.pointer.to_owned() },
        embedded,
        inherits,
        extracted: None,
        own: None,
        parts: listed.clone().or_else(|| place.parent.and_then(|parent| parent.parts.clone())),
        level,
    });
    for (tail, item) in rest {
        let (key, at) = tail.rsplit_once('/').unwrap_or_default();
        sink.not_a_resource(&item, &format!("{}{level}/{}/{at}", place.pointer, escaped(key)), id);
    }
    for (key, segment, items) in children {
        let parent = Parent { segment, parts: parts::for_list(&listed, segment), ..me };
        let flat = flattened || parent.is_balancer();
        for (at, item) in items {
            let pointer = format!("{}{level}/{}/{at}", place.pointer, escaped(&key));
            child(sink, item, Place { pointer: &pointer, parent: Some(&parent), flat, level: "/properties" });
        }
    }
    for (at, item) in nested.into_iter().enumerate() {
        let pointer = format!("{}/resources/{at}", place.pointer);
        child(sink, item, Place { pointer: &pointer, parent: Some(&me), flat: false, level: "/properties" });
    }
}

/// The frontends and pools among the children of a load balancer.
fn parts_of(balancer: &Parent, children: &[Children]) -> Parts {
    let of = |list: &str| -> Box<[Sym]> {
        let lists = children.iter().filter(|(_, segment, _)| *segment == list);
        lists.flat_map(|(_, segment, items)| items.iter().filter_map(|(_, item)| id_in_list(item, balancer, segment))).collect()
    };
    Parts { frontends: of(parts::FRONTENDS), pools: of(parts::POOLS) }
}

/// The id that an entry of a list of children will have.
fn id_in_list(item: &Value, parent: &Parent, segment: &'static str) -> Option<Sym> {
    let texts = item.as_object()?.iter().filter(|(_, value)| value.is_string());
    let mut texts: Map<String, Value> = texts.map(|(key, value)| (key.clone(), value.clone())).collect();
    envelope_names(&mut texts);
    let parent = Parent { segment, parts: None, ..*parent };
    id_of(&texts, Some(&parent)).map(|id| ids::normal_id(&id))
}

fn child(sink: &mut Sink, item: Value, place: Place<'_>) {
    match item {
        Value::Object(map) => accept(sink, map, place),
        other => sink.not_a_resource(&other, place.pointer, place.parent.map_or(Sym::EMPTY, |parent| parent.id)),
    }
}

/// Whether the export lacks the resource's configuration: never guessed, reported.
pub(super) fn bare(resource: &Resource) -> Option<Diagnostic> {
    if !resource.rank.is_bare() || inert::reason(resource.kind.as_str()).is_some() {
        return None;
    }
    Some(
        Diagnostic::new("ingest::not_a_resource", Severity::Warning, "a resource without `properties`")
            .at(resource.source.file.as_str(), &resource.source.pointer)
            .about(resource.id)
            .note("nothing is known of it but its name")
            .help("export whole rows: Resource Graph without `project`, `az resource show` and not `az resource list`"),
    )
}

/// Gives the envelope the names REST uses, whatever their case or PowerShell's word; PowerShell's list of sub-resources apart.
fn envelope_names(map: &mut Map<String, Value>) -> Vec<Value> {
    let powershell = ALIASES.iter().any(|(alias, _)| map.contains_key(*alias)) || map.contains_key("Properties");
    let mut renamed = Map::with_capacity(map.len());
    let mut nested = Vec::new();
    let mut aliases = Vec::new();
    for (key, value) in std::mem::take(map) {
        if let Some((_, name)) = ALIASES.iter().find(|(alias, _)| *alias == key) {
            // Where PowerShell gives both, its `Id` is the one that may be malformed.
            aliases.push((*name, key == "ResourceId", value));
        } else if powershell && key == "resources" && value.is_array() {
            if let Value::Array(items) = value {
                nested = items;
            }
        } else if let Some(name) = ENVELOPE.iter().find(|name| name.eq_ignore_ascii_case(&key)) {
            renamed.insert((*name).to_owned(), value);
        } else {
            renamed.insert(key, value);
        }
    }
    for (name, better, value) in aliases {
        if better && value.as_str().is_some_and(is_id) || renamed.get(name).is_none_or(Value::is_null) {
            renamed.insert(name.to_owned(), value);
        }
    }
    *map = renamed;
    nested
}

/// The id as written, or made from the parent's.
fn id_of(map: &Map<String, Value>, parent: Option<&Parent>) -> Option<String> {
    let given = text(map, "id").map(str::trim).filter(|id| !id.is_empty());
    let Some(parent) = parent else {
        let given = given?;
        if is_id(given) && (ids::id_type(given).is_some() || !is_missed(map, None)) {
            return Some(given.to_owned());
        }
        // PowerShell's subscription has its GUID for an id.
        let subscription = text(map, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("Microsoft.Subscription"));
        return (subscription && !given.contains('/')).then(|| format!("/subscriptions/{given}"));
    };
    if let Some(given) = given.filter(|id| is_id(id))
        && (parent.segment.is_empty() || is_below(given, parent.id.as_str()))
    {
        return Some(given.to_owned());
    }
    let name = text(map, "name").and_then(|name| name.rsplit('/').next()).filter(|name| !name.is_empty());
    let segment = match parent.segment {
        "" => text(map, "type").and_then(|kind| {
            let (before, last) = kind.rsplit_once('/')?;
            before.eq_ignore_ascii_case(parent.kind.as_str()).then_some(last)
        }),
        segment => Some(segment),
    };
    match (segment, name) {
        (Some(segment), Some(name)) => Some(format!("{}/{segment}/{name}", parent.id)),
        _ => given.filter(|id| is_id(id)).map(str::to_owned),
    }
}

/// A key as a segment of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Whether an entry of a list of children is a resource: one that says which.
fn is_named(item: &Value) -> bool {
    let Value::Object(map) = item else { return false };
    map.iter().any(|(key, value)| {
        let Value::String(text) = value else { return false };
        let is = |names: [&str; 2]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        is(["name", "ResourceName"]) && !text.is_empty() && !text.ends_with('/') || is(["id", "ResourceId"]) && is_id(text.trim())
    })
}

/// Whether an entry without a readable id would have told something: it says itself that it is of a type that is understood, or stands where such are listed.
fn is_missed(map: &Map<String, Value>, parent: Option<&Parent>) -> bool {
    let listed = parent.filter(|parent| !parent.segment.is_empty()).map(|parent| format!("{}/{}", parent.kind, parent.segment));
    let stated = text(map, "type").map(str::to_owned).filter(|kind| !kind.is_empty());
    let spelled = || text(map, "id").and_then(ids::id_type);
    listed.or(stated).or_else(spelled).is_some_and(|kind| is_modelled(&kind.to_ascii_lowercase()))
}

/// Whether the text can be the id of a resource. One that ends in a type that is understood lacks the name; other odd ones are ids of nothing we know.
fn is_id(text: &str) -> bool {
    let segments: Vec<&str> = text.trim_matches('/').split('/').collect();
    let starts = |with: &str| segments[0].eq_ignore_ascii_case(with);
    let whole = segments.len() > 1 && segments.iter().all(|segment| !segment.trim().is_empty());
    let lacks_name = || segments.len() % 2 == 1 && ids::id_type(text.trim_end_matches('/')).is_some_and(|kind| is_modelled(&kind));
    whole && (starts("subscriptions") || starts("providers")) && !lacks_name()
}

fn is_below(id: &str, parent: &str) -> bool {
    let id = id.trim_start_matches('/');
    let parent = parent.trim_start_matches('/');
    id.len() > parent.len() && id.as_bytes()[parent.len()] == b'/' && id.as_bytes()[..parent.len()].eq_ignore_ascii_case(parent.as_bytes())
}

/// The type that the id spells (it is right where `type` differs), with the words of Resource Graph for what has no provider.
fn kind_of(id: &str, map: &Map<String, Value>) -> Sym {
    if let Some(kind) = ids::id_type(id) {
        return Sym::new(&kind);
    }
    let mut segments = id.split('/').skip(1);
    match (segments.next(), segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some("subscriptions"), Some(_), None, ..) => Sym::new("microsoft.resources/subscriptions"),
        (Some("subscriptions"), Some(_), Some("resourcegroups"), Some(_), None) => {
            Sym::new("microsoft.resources/subscriptions/resourcegroups")
        }
        _ => text(map, "type").map_or(Sym::EMPTY, Sym::lower),
    }
}

/// Puts back into `properties` what the command line tool moved out of it; whether there was anything.
fn unflatten(map: &mut Map<String, Value>) -> bool {
    let is_envelope = |key: &str| ENVELOPE.contains(&key);
    if !map.keys().any(|key| !is_envelope(key) && !NO_CONFIGURATION.contains(&key.as_str())) {
        return false;
    }
    let mut properties = Map::with_capacity(map.len());
    let mut envelope = Map::new();
    for (key, value) in std::mem::take(map) {
        if is_envelope(&key) {
            envelope.insert(key, value)
        } else {
            properties.insert(key, value)
        };
    }
    envelope.insert("properties".to_owned(), Value::Object(properties));
    *map = envelope;
    true
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}

/// A region as it is compared: lower case, blanks removed (M-01).
pub(crate) fn region(name: &str) -> Sym {
    if name.contains(' ') { Sym::lower(&name.replace(' ', "")) } else { Sym::lower(name) }
}

pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(80).chain(['…']).collect() }
}
