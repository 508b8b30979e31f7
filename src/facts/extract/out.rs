//! Reading a body and writing facts: lookup without case, and a gap wherever a value is not what it should be.

use std::net::IpAddr;
use std::slice;
use std::sync::Arc;

use serde_json::Value;

use crate::diag::{Diagnostic, Severity};
use crate::facts::Fact;
use crate::facts::extract::Extracted;
use crate::facts::gap::{Gap, UnreadRule};
use crate::facts::network::UNTOLD_SERVER;
use crate::ingest::{Parts, Resource};
use crate::model::{Prefix, Sym, Tri, ids, net};

/// The member `name` of an object, whatever its case; `null` is absent.
pub(super) fn get<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let map = value.as_object()?;
    let found = map.get(name).or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
    found.filter(|value| !value.is_null())
}

/// The `properties` of a part of a body, or the part itself where the command line tool has flattened it.
pub(super) fn properties(value: &Value) -> &Value {
    get(value, "properties").filter(|p| p.is_object()).unwrap_or(value)
}

/// A whole number, however JSON writes it (`100.0` is 100), or a text that is one.
pub(super) fn whole<N: TryFrom<i64>>(value: &Value) -> Option<N> {
    let written =
        || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= f64::from(u32::MAX)).map(|number| number as i64);
    let number = value.as_i64().or_else(written).or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    number.and_then(|number| N::try_from(number).ok())
}

/// Whether a value says anything: not `null`, `false`, `""`, `[]` or `{}`.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Whether the list is there and empty.
pub(super) fn says_none(value: &Value, list: &str) -> bool {
    get(value, list).and_then(Value::as_array).is_some_and(Vec::is_empty)
}

/// What one resource becomes.
pub(super) struct Out<'a> {
    pub resource: &'a Resource,
    facts: Vec<Fact>,
    diagnostics: Vec<Diagnostic>,
    unsettled: bool,
    /// The paths of values that were dropped because they could not be read, and for which nothing stands.
    lost: Vec<String>,
    /// Another copy of the resource contradicts this one.
    contested: bool,
    /// It lacks what every resource of its type has.
    cut: bool,
    /// Gaps that a fact of the resource stands for.
    stood_for: Vec<Sym>,
}

/// Values of one resource that are called wrong before the rest is only mentioned.
const ENOUGH: usize = 50;

impl<'a> Out<'a> {
    pub fn new(resource: &'a Resource) -> Out<'a> {
        Out {
            resource,
            facts: Vec::new(),
            diagnostics: Vec::new(),
            unsettled: false,
            lost: Vec::new(),
            contested: false,
            cut: false,
            stood_for: Vec::new(),
        }
    }

    pub fn finish(self) -> Extracted {
        Extracted { facts: self.facts, diagnostics: self.diagnostics, unsettled: self.unsettled }
    }

    /// The resource's tenant. Bodies become facts before all of them are read, and one without a tenant may yet get its parent's: it is looked at again then.
    pub fn tenant(&mut self) -> Sym {
        self.unsettled |= self.resource.tenant.is_empty();
        self.resource.tenant
    }

    /// The parts of the load balancer that the resource is, or is a rule of. A rule by itself may yet get those of a load balancer that lists it, and is looked
    /// at again then.
    pub fn parts(&mut self) -> Option<Arc<Parts>> {
        self.unsettled |= self.resource.parts.is_none();
        self.resource.parts.clone()
    }

    /// The resource's id.
    pub fn id(&self) -> Sym {
        self.resource.id
    }

    /// The id of the resource it is a child of.
    pub fn parent(&self) -> Sym {
        ids::parent_id(self.resource.id.as_str()).map_or(Sym::EMPTY, Sym::new)
    }

    pub fn fact(&mut self, fact: impl Into<Fact>) {
        self.facts.push(fact.into());
    }

    /// Whether a value could not be read and nothing stands for it.
    pub fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Says of all that was wrong that nothing is proven while it is.
    pub fn note_unread(&mut self) {
        for said in self.diagnostics.iter_mut().filter(|said| said.code == "extract::wrong_type") {
            said.note = Some("whom it concerns is not known without it: nothing is proven of any flow".to_owned());
        }
    }

    /// Counts a value as lost that a diagnostic names already.
    pub fn lost_before(&mut self, path: &str, what: &str) {
        self.gap(what);
        self.lost.push(path.to_owned());
    }

    /// The paths of those values.
    pub fn lost_paths(&self) -> &[String] {
        &self.lost
    }

    /// Says that a fact stands for the values that were lost after the first `lost`.
    pub fn stand_for_lost(&mut self, lost: usize) {
        self.lost.truncate(lost);
    }

    /// Something that every resource of the type has is not in the export: as good as one that was not exported.
    pub fn lacks(&mut self, what: &str) {
        self.cut(format!("`properties.{what}` is missing"));
    }

    /// [`Self::lacks`] for what has no path of its own.
    pub fn cut(&mut self, gap: String) {
        self.cut = true;
        self.gap(gap);
    }

    /// Whether it lacks such a thing.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Another copy of the resource contradicts this one: no value of it counts.
    pub fn contest(&mut self) {
        self.contested = true;
    }

    /// Whether another copy of the resource contradicts this one.
    pub fn is_contested(&self) -> bool {
        self.contested
    }

    /// Changes the facts so far; those for which `keep` says no go.
    pub fn revise(&mut self, keep: impl FnMut(&mut Fact) -> bool) {
        self.facts.retain_mut(keep);
    }

    /// [`Self::wrong`] for a value for which nothing stands.
    pub fn lost(&mut self, value: &Value, expected: &str) {
        if self.lost.len() >= ENOUGH {
            return;
        }
        let path = self.path_of(value).join(".");
        if self.lost.contains(&path) {
            return; // two readers met the same value
        }
        self.wrong(value, expected);
        self.lost.push(path);
    }

    /// The way from the body to the value.
    fn path_of(&self, value: &Value) -> Vec<String> {
        let mut path = Vec::new();
        find(&self.resource.body, value, &mut path);
        path
    }

    /// Says that something is not understood.
    pub fn gap(&mut self, what: impl AsRef<str>) {
        self.fact(Gap { resource: self.resource.id, kind: self.resource.kind, what: Sym::new(what.as_ref()) });
    }

    /// Says that a rule by which `holder` lets in is not understood.
    pub fn rule_gap(&mut self, holder: Sym, what: impl AsRef<str>) {
        self.gap(what.as_ref());
        self.fact(UnreadRule { holder, what: Sym::new(what.as_ref()) });
    }

    /// [`Self::wrong`] for a value of a rule by which `holder` lets in.
    pub fn wrong_rule(&mut self, holder: Sym, value: &Value, expected: &str) {
        let what = Sym::new(&self.path_of(value).join("."));
        self.wrong(value, expected);
        self.fact(UnreadRule { holder, what });
    }

    /// The first gap so far, by its text, for which no fact stands.
    pub fn first_gap(&self) -> Option<Sym> {
        let gaps = self.facts.iter().filter_map(|fact| if let Fact::Gap(gap) = fact { Some(gap.what) } else { None });
        let gaps = gaps.filter(|what| !self.stood_for.contains(what));
        gaps.min_by_key(|what| what.as_str())
    }

    /// Says that a fact tells all that the gaps after the first `facts` facts leave open.
    pub fn stand_for_gaps(&mut self, facts: usize) {
        let gaps = self.facts[facts..].iter().filter_map(|fact| if let Fact::Gap(gap) = fact { Some(gap.what) } else { None });
        self.stood_for.extend(gaps);
    }

    /// The facts so far.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// A gap for each of `names` that is set on `at`; `prefix` is the path to `at`, `properties.`.
    pub fn not_modelled(&mut self, at: &Value, prefix: &str, names: &[&str]) {
        for name in names {
            if get(at, name).is_some_and(is_set) {
                self.gap(format!("`{prefix}{name}` is not modelled"));
            }
        }
    }

    /// Says that `value`, which is part of the body, is not what was expected: a diagnostic and a gap.
    pub fn wrong(&mut self, value: &Value, expected: &str) {
        if self.diagnostics.len() >= ENOUGH {
            if let Some(last) = self.diagnostics.last_mut() {
                last.note = Some("there are more of them in this resource".to_owned());
            }
            return;
        }
        let path = self.path_of(value);
        let pointer: String = path.iter().map(|segment| format!("/{}", segment.replace('~', "~0").replace('/', "~1"))).collect();
        let shown = match value {
            Value::String(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            other => format!("`{other}`"),
        };
        self.gap(format!("`{}` is not {expected}", path.join(".")));
        let source = &self.resource.source;
        self.diagnostics.push(
            Diagnostic::new("extract::wrong_type", Severity::Error, format!("expected {expected}, found {shown}"))
                .at(source.file.as_str(), &format!("{}{}", source.pointer, self.resource.written(&pointer)))
                .about(self.resource.id)
                .note("the rest of the resource is used; what depends on this value is unproven"),
        );
    }

    /// A text; the empty text is absent.
    pub fn text(&mut self, at: &'a Value, name: &str) -> Option<&'a str> {
        match get(at, name)? {
            Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            other => {
                self.lost(other, "a text");
                None
            }
        }
    }

    /// A truth value; `"True"` and `"false"` are taken too.
    pub fn flag(&mut self, at: &'a Value, name: &str) -> Option<bool> {
        let value = get(at, name)?;
        truth(value).unwrap_or_else(|| {
            self.lost(value, "true or false");
            None
        })
    }

    /// The same of the first of `names` that is there, where something stands for a value that is none: maybe. Where there is none, `absent`.
    pub fn switch(&mut self, at: &'a Value, names: &[&str], absent: Tri) -> Tri {
        let Some(value) = names.iter().find_map(|name| get(at, name)) else { return absent };
        match truth(value) {
            Some(on) => on.map_or(absent, Tri::from_bool),
            None => {
                self.wrong(value, "true or false");
                Tri::Maybe
            }
        }
    }

    /// The member `name` of `at`, which is an object.
    pub fn object(&mut self, at: &'a Value, name: &str) -> Option<&'a Value> {
        let value = get(at, name)?;
        if !value.is_object() {
            self.lost(value, "an object");
            return None;
        }
        Some(value)
    }

    /// A port, as a number or as a text; the empty text is absent.
    pub fn port(&mut self, at: &'a Value, name: &str) -> Option<u16> {
        let value = get(at, name)?;
        let port = whole(value);
        if port.is_none() && value.as_str() != Some("") {
            self.lost(value, "a port");
        }
        port
    }

    /// The items of a list; a missing list is empty. No list of Azure's holds `null`.
    pub fn items(&mut self, at: &'a Value, name: &str) -> &'a [Value] {
        match get(at, name) {
            None => &[],
            Some(Value::Array(items)) => {
                items.iter().filter(|item| item.is_null()).for_each(|item| self.lost(item, "a value"));
                items
            }
            Some(other) => {
                self.lost(other, "a list");
                &[]
            }
        }
    }

    /// The items of a list of objects, each with its `properties` where it has any.
    pub fn objects(&mut self, at: &'a Value, name: &str) -> &'a [Value] {
        let items = self.items(at, name);
        items.iter().filter(|item| !item.is_object() && !item.is_null()).for_each(|item| self.lost(item, "an object"));
        let bodies = items.iter().filter_map(|item| get(item, "properties"));
        bodies.filter(|body| !body.is_object()).for_each(|body| self.lost(body, "an object"));
        items
    }

    /// The texts of a list, empty ones left out.
    pub fn texts(&mut self, at: &'a Value, name: &str) -> Vec<&'a str> {
        let mut texts = Vec::new();
        for item in self.items(at, name) {
            match item {
                Value::String(text) if text.trim().is_empty() => {}
                Value::String(text) => texts.push(text.trim()),
                Value::Null => {}
                other => self.lost(other, "a text"),
            }
        }
        texts
    }

    /// A word of a fixed list; a word that is not on it is a gap and `unknown`.
    pub fn word<T>(&mut self, at: &'a Value, name: &str, parse: fn(&str) -> Option<T>, unknown: T) -> Option<T> {
        if let Some(other) = get(at, name).filter(|value| !value.is_string()) {
            self.wrong(other, "a word");
            return Some(unknown);
        }
        let text = self.text(at, name)?;
        Some(parse(text).unwrap_or_else(|| {
            self.gap(format!("`{name}` has the unknown value `{text}`"));
            unknown
        }))
    }

    /// The id that the text `name` is.
    pub fn id_text(&mut self, at: &'a Value, name: &str) -> Option<Sym> {
        self.text(at, name)?;
        self.link(at, name)
    }

    /// The id in a reference: `{"id": …}` or the bare text.
    pub fn link(&mut self, at: &'a Value, name: &str) -> Option<Sym> {
        let value = get(at, name)?;
        self.reference(value)
    }

    /// The same where an empty reference says that there is something of which the id was left out.
    pub fn named(&mut self, at: &'a Value, name: &str) -> Option<Sym> {
        let value = get(at, name)?;
        if names_nobody(value) {
            self.lost(value, "a reference with `id`");
            return None;
        }
        self.reference(value)
    }

    /// The id of what filters or routes here. A reference whose id nobody knows yet leads to something that is not in the input, and is no absent one
    /// (SND-06).
    pub fn binding(&mut self, at: &'a Value, name: &str) -> Option<Sym> {
        let value = get(at, name)?;
        self.bound(value, name)
    }

    /// The security group that filters here. Azure lets none of another subscription do so: one that is named all the same is none that the input holds (NSG-15).
    pub fn security_group(&mut self, at: &'a Value) -> Option<Sym> {
        let name = "networkSecurityGroup";
        let group = self.binding(at, name)?;
        let [own, theirs] = [self.resource.id, group].map(|id| ids::id_parts(id.as_str()).subscription);
        if own.is_empty() || theirs.is_empty() || own == theirs {
            return Some(group);
        }
        self.gap(format!("`{name}` is of another subscription, where no group can be that filters here"));
        Some(self.unknown(name))
    }

    /// What stands for something that is named and not told.
    pub fn unknown(&self, name: &str) -> Sym {
        ids::unknown(self.resource.id, name)
    }

    /// [`Self::binding`] for a list of references.
    pub fn bindings(&mut self, at: &'a Value, name: &str) -> Vec<Sym> {
        self.items(at, name).iter().filter_map(|item| self.bound(item, name)).collect()
    }

    /// [`Self::binding`] for one reference. What cannot be read as one is to somebody as well.
    pub fn bound(&mut self, value: &'a Value, name: &str) -> Option<Sym> {
        let text = if value.is_object() { get(value, "id") } else { Some(value) };
        let unreadable = |text: &&Value| text.as_str().is_none_or(|text| !text.trim().is_empty() && !text.contains('/'));
        if let Some(text) = text.filter(unreadable).filter(|_| !value.is_null()) {
            self.wrong(text, if value.is_object() { "a resource id" } else { "a reference with `id`" });
            return Some(self.unknown(name));
        }
        if names_nobody(value) {
            self.wrong(value, "a reference with `id`");
            return Some(self.unknown(name));
        }
        self.reference(value)
    }

    /// The ids in a list of references. Each stands for somebody, with an id or without.
    pub fn links(&mut self, at: &'a Value, name: &str) -> Vec<Sym> {
        let mut found = Vec::new();
        for item in self.items(at, name) {
            if names_nobody(item) {
                self.lost(item, "a reference with `id`");
                continue;
            }
            found.extend(self.reference(item));
        }
        found
    }

    /// The id in one reference.
    pub fn reference(&mut self, value: &'a Value) -> Option<Sym> {
        match value {
            Value::Null => None,
            Value::String(id) => self.id_in(value, id),
            Value::Object(map) if map.is_empty() => None,
            Value::Object(_) => match get(value, "id") {
                Some(text @ Value::String(id)) => self.id_in(text, id),
                None => {
                    self.lost(value, "a reference with `id`");
                    None
                }
                Some(other) => {
                    self.lost(other, "a resource id");
                    None
                }
            },
            other => {
                self.lost(other, "a reference with `id`");
                None
            }
        }
    }

    /// The id that a text is; the empty text is none.
    fn id_in(&mut self, value: &Value, text: &str) -> Option<Sym> {
        if text.trim().is_empty() {
            return None;
        }
        if !text.contains('/') {
            self.lost(value, "a resource id");
            return None;
        }
        Some(ids::normal_id(text))
    }

    /// An address.
    pub fn address(&mut self, at: &'a Value, name: &str) -> Option<IpAddr> {
        let text = self.text(at, name)?;
        let address = text.parse().ok();
        if address.is_none()
            && let Some(value) = get(at, name)
        {
            self.lost(value, "an address");
        }
        address
    }

    /// The same with what `family` says of it: where the two contradict each other, one of them is wrong and nobody knows which (ADR-14).
    pub fn address_of_family(&mut self, at: &'a Value, name: &str, family: &str) -> Option<IpAddr> {
        let address = self.address(at, name)?;
        let six = match self.text(at, family).unwrap_or("") {
            word if word.eq_ignore_ascii_case("IPv6") => true,
            word if word.eq_ignore_ascii_case("IPv4") => false,
            _ => return Some(address),
        };
        if let Some(value) = get(at, family).filter(|_| six != address.is_ipv6()) {
            self.lost(value, "the family of the address");
        }
        Some(address)
    }

    /// The addresses of a list.
    pub fn addresses(&mut self, at: &'a Value, name: &str) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        for item in self.items(at, name) {
            match item.as_str().map(str::trim) {
                Some("") => {}
                Some(text) if text.parse::<IpAddr>().is_ok() => addresses.extend(text.parse::<IpAddr>()),
                _ => self.lost(item, "an address"),
            }
        }
        addresses
    }

    /// The DNS servers of a list. One that cannot be read is there all the same, as [`UNTOLD_SERVER`]: what clients learn of it is not known (SND-02).
    pub fn servers(&mut self, at: &'a Value, name: &str) -> Vec<IpAddr> {
        let items = match get(at, name) {
            None => &[],
            Some(Value::Array(items)) => items.as_slice(),
            Some(other) => slice::from_ref(other),
        };
        let listed = get(at, name).is_some_and(Value::is_array);
        let mut servers = Vec::new();
        for item in items {
            match item.as_str().map(str::trim) {
                Some("") if listed => {}
                Some(text) if listed && text.parse::<IpAddr>().is_ok() => servers.extend(text.parse::<IpAddr>()),
                _ => {
                    self.wrong(item, if listed { "an address" } else { "a list" });
                    servers.push(UNTOLD_SERVER);
                }
            }
        }
        servers
    }

    /// The prefixes of a list.
    pub fn prefixes(&mut self, at: &'a Value, name: &str) -> Vec<Prefix> {
        let mut prefixes = Vec::new();
        for item in self.items(at, name) {
            match item.as_str() {
                Some("") => {}
                Some(text) if net::parse_prefix(text).is_some() => prefixes.extend(net::parse_prefix(text)),
                _ => self.lost(item, "a prefix"),
            }
        }
        prefixes
    }

    /// The id of a part of the body: its own, or `parent`'s followed by `segment` and its name, or else its place in the list.
    pub fn part_id(&mut self, part: &'a Value, parent: Sym, segment: &str, at: usize) -> Sym {
        let id = self.text(part, "id").filter(|id| id.contains('/'));
        if let Some(id) = id {
            return ids::normal_id(id);
        }
        match self.text(part, "name") {
            Some(name) => Sym::lower(&format!("{parent}/{segment}/{name}")),
            None => Sym::lower(&format!("{parent}/{segment}/{at}")),
        }
    }

    /// Whether `provisioningState` says that the value is in force: Succeeded, Ready or absent.
    pub fn settled(&mut self, at: &'a Value) -> bool {
        let state = self.text(at, "provisioningState");
        state.is_none_or(|state| state.eq_ignore_ascii_case("Succeeded") || state.eq_ignore_ascii_case("Ready"))
    }
}

/// The way from `root` to the very value `wanted`.
fn find(root: &Value, wanted: &Value, path: &mut Vec<String>) -> bool {
    if std::ptr::eq(root, wanted) {
        return true;
    }
    let mut step = |name: String, child: &Value| {
        path.push(name);
        let found = find(child, wanted, path);
        if !found {
            path.pop();
        }
        found
    };
    match root {
        Value::Array(items) => items.iter().enumerate().any(|(at, item)| step(at.to_string(), item)),
        Value::Object(map) => map.iter().any(|(key, item)| step(key.clone(), item)),
        _ => false,
    }
}

/// The truth value that `"True"` and `false` alike say, none for the empty text; `None` where it is something else.
fn truth(value: &Value) -> Option<Option<bool>> {
    match value {
        Value::Bool(yes) => Some(Some(*yes)),
        Value::String(text) if text.is_empty() => Some(None),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(Some(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(Some(false)),
        _ => None,
    }
}

/// Whether a reference is there and says not whom it means: an object without an id, or with a blank one.
pub(super) fn names_nobody(value: &Value) -> bool {
    let blank = |id: &Value| id.as_str().is_some_and(|text| text.trim().is_empty());
    value.is_object() && get(value, "id").is_none_or(blank)
}
