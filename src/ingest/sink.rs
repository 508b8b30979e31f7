//! What the documents of one file hold, collected: elements to resources, answers inside answers, diagnostics kept within bounds.

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::diag::{Diagnostic, Severity};
use crate::ingest::element::{self, Place};
use crate::ingest::{Harvest, Own, Resource, observed, spread};
use crate::model::{Sym, ids};

/// Diagnostics of one code that one file gives before the rest is only counted.
const ENOUGH: usize = 50;

/// Bytes of elements that are read at once; fewer than a hundredth of it are not worth several threads.
pub(super) const BATCH: usize = 8 << 20;

/// What one file holds.
pub(super) struct Read {
    /// Resources in their order, children behind their parent, ids several times where the file has them so.
    pub resources: Vec<Resource>,
    /// Deletions, each with the number of resources before it.
    pub deleted: Vec<(usize, Sym)>,
    /// Pointers of entries of which not even the id could be read.
    pub nameless: Vec<String>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the file is a list of service tags.
    pub service_tags: bool,
}

/// The parser's message in our form, without the position, which stands on a line of its own.
pub(super) fn expectation(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned()
}

/// Collects what the documents of one file hold.
#[derive(Default)]
pub(super) struct Sink {
    pub file: Sym,
    /// What makes facts of bodies, where that is wanted.
    pub harvest: Option<Harvest>,
    pub resources: Vec<Resource>,
    pub deleted: Vec<(usize, Sym)>,
    pub nameless: Vec<String>,
    pub diagnostics: Vec<Diagnostic>,
    pub said: FxHashMap<&'static str, usize>,
    pub service_tags: bool,
    /// The pointer of the list that is read, and how far it is read.
    pub list: String,
    pub index: Option<usize>,
    /// Which document of the file this is, from 0.
    pub number: usize,
}

impl Sink {
    /// A sink for the file called `name`.
    pub fn new(name: &str, harvest: Option<Harvest>) -> Sink {
        Sink { file: Sym::new(name), harvest, ..Sink::default() }
    }

    /// Keeps a resource: where that can be as facts, without its body.
    pub fn keep(&mut self, mut resource: Resource) {
        resource.own = Own::of(&resource);
        let ready = self.harvest.filter(|_| !resource.location.is_empty());
        if let Some(extracted) = ready.map(|harvest| harvest(&resource)).filter(|extracted| !extracted.unsettled) {
            resource.extracted = Some(extracted);
            resource.body = Value::Null;
        }
        self.resources.push(resource);
    }

    pub fn finish(mut self) -> Read {
        let mut more: Vec<(&str, usize)> = self.said.iter().filter(|(_, n)| **n > ENOUGH).map(|(code, n)| (*code, n - ENOUGH)).collect();
        more.sort_unstable();
        for (code, n) in more {
            if let Some(last) = self.diagnostics.iter_mut().rev().find(|d| d.code == code) {
                last.note = Some(format!("{n} more of this kind in the file are not listed"));
            }
        }
        Read {
            resources: self.resources,
            deleted: self.deleted,
            nameless: self.nameless,
            diagnostics: self.diagnostics,
            service_tags: self.service_tags,
        }
    }

    /// Adds a diagnostic, or counts it where there are enough of its kind.
    pub fn say(&mut self, diagnostic: Diagnostic) {
        let said = self.said.entry(diagnostic.code).or_default();
        *said += 1;
        if *said <= ENOUGH {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Says that a value stands where a resource was expected, in the body of `parent` or in none.
    pub fn not_a_resource(&mut self, value: &Value, pointer: &str, parent: Sym) {
        let what = match value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object without `id` or `name`",
        };
        self.say(
            Diagnostic::new("ingest::not_a_resource", Severity::Error, format!("{what} where a resource was expected"))
                .at(self.file.as_str(), pointer)
                .about(parent)
                .help("a resource is an object with `id`, `type` and `properties`"),
        );
    }

    /// The place that is read now.
    pub fn pointer(&self) -> String {
        match self.index {
            Some(index) => format!("{}/{index}", self.list),
            None => self.list.clone(),
        }
    }

    /// Elements of the list that is read, the first of them at `first`.
    pub fn batch(&mut self, first: usize, batch: &[&RawValue], bytes: usize, graph: bool) {
        if bytes < BATCH / 100 {
            return self.raws(first, batch, graph);
        }
        let (file, harvest, list) = (self.file, self.harvest, &self.list);
        let parts = spread(batch, |at, part| {
            let mut sink = Sink { file, harvest, list: list.clone(), ..Sink::default() };
            sink.raws(first + at, part, graph);
            sink
        });
        for part in parts {
            self.absorb(part);
        }
    }

    fn raws(&mut self, first: usize, raws: &[&RawValue], graph: bool) {
        for (at, raw) in raws.iter().enumerate() {
            let pointer = format!("{}/{}", self.list, first + at);
            match serde_json::from_str(raw.get()) {
                Ok(value) => self.element(value, &pointer, graph),
                // Its syntax was right as text; it is nested too deeply, or a number is none.
                Err(error) => self.say(
                    Diagnostic::new("ingest::broken_json", Severity::Error, expectation(&error))
                        .at(self.file.as_str(), &pointer)
                        .note("this entry was not loaded"),
                ),
            }
        }
    }

    /// Adds what another thread has read.
    fn absorb(&mut self, mut part: Sink) {
        let before = self.resources.len();
        self.resources.append(&mut part.resources);
        self.deleted.extend(part.deleted.into_iter().map(|(at, id)| (before + at, id)));
        self.nameless.append(&mut part.nameless);
        for diagnostic in part.diagnostics {
            self.say(diagnostic);
        }
        for (code, n) in part.said {
            // `say` has counted those that were kept.
            *self.said.entry(code).or_default() += n.saturating_sub(ENOUGH);
        }
    }

    /// One element of a list, or the one resource of a document.
    pub fn element(&mut self, value: Value, pointer: &str, graph: bool) {
        let Value::Object(map) = value else { return self.not_a_resource(&value, pointer, Sym::EMPTY) };
        if map.get("deleted") == Some(&Value::Bool(true))
            && let Some(id) = map.get("id").and_then(Value::as_str)
        {
            return self.deleted.push((self.resources.len(), ids::normal_id(id)));
        }
        if !map.contains_key("id") && map.contains_key("resource") && map.contains_key("output") {
            return self.observed(map, pointer);
        }
        if !map.contains_key("id") && !map.contains_key("properties") && is_answer(&map) {
            return self.answer(map, pointer);
        }
        element::accept(self, map, Place { pointer, parent: None, flat: !graph, level: "/properties" });
    }

    /// Something that a person saw on the platform: a resource below the one it was seen at (RTE-07, GW-04).
    fn observed(&mut self, mut map: Map<String, Value>, pointer: &str) {
        let kind = map.get("kind").and_then(Value::as_str).unwrap_or("").to_ascii_lowercase();
        let at = map.get("resource").and_then(Value::as_str).unwrap_or("").trim_end_matches('/').to_owned();
        let gateway = ids::id_type(&at).is_some_and(|kind| kind == "microsoft.network/virtualnetworkgateways");
        let interface = ids::id_type(&at).is_none_or(|kind| kind.ends_with("/networkinterfaces"));
        let read = match kind.as_str() {
            "effective-routes" if interface => Some(("observedRoutes/effective", observed::ROUTES)),
            "learned-routes" if gateway => Some(("learnedRoutes/bgp", observed::LEARNED)),
            _ => None,
        };
        let Some((below, of)) = read else {
            let what = match kind.as_str() {
                "" => "an observed state".to_owned(),
                "learned-routes" => "`learned-routes` of something else than a virtual network gateway".to_owned(),
                "effective-routes" => "`effective-routes` of something else than a network interface".to_owned(),
                kind => format!("an observed state of kind `{kind}`"),
            };
            self.unsupported_at(&what, pointer);
            let seen = Map::from_iter([
                ("id".to_owned(), format!("{at}/observedStates/{}", if kind.is_empty() { "unknown" } else { kind.as_str() }).into()),
                ("type".to_owned(), observed::OTHERS.into()),
            ]);
            if !at.is_empty() {
                element::accept(self, seen, Place { pointer, parent: None, flat: false, level: "" });
            }
            return;
        };
        let output = map.remove("output").unwrap_or_default();
        let level = if output.is_object() { "/output" } else { "" };
        let properties = if output.is_object() { output } else { Value::Object(Map::from_iter([("output".to_owned(), output)])) };
        let resource = Map::from_iter([
            ("id".to_owned(), format!("{at}/{below}").into()),
            ("type".to_owned(), of.into()),
            ("properties".to_owned(), properties),
        ]);
        element::accept(self, resource, Place { pointer, parent: None, flat: false, level });
    }

    /// A document inside another one: an answer in a recording or in an API example, a page in a list of pages.
    fn answer(&mut self, mut map: Map<String, Value>, pointer: &str) {
        for (key, of_graph) in [("value", false), ("data", true)] {
            match map.get_mut(key) {
                Some(Value::Array(items)) => {
                    for (at, item) in std::mem::take(items).into_iter().enumerate() {
                        self.element(item, &format!("{pointer}/{key}/{at}"), of_graph);
                    }
                    self.check_complete(&map, pointer);
                }
                Some(Value::Object(table)) if table.contains_key("columns") && table.contains_key("rows") => {
                    let names = column_names(table.get("columns"));
                    if let Some(Value::Array(rows)) = table.get_mut("rows") {
                        for (at, row) in std::mem::take(rows).into_iter().enumerate() {
                            self.row(&names, row, &format!("{pointer}/{key}/rows/{at}"));
                        }
                    }
                    self.check_complete(&map, pointer);
                }
                _ => {}
            }
        }
        match map.remove("response") {
            Some(Value::Object(response)) if is_answer(&response) => self.answer(response, &format!("{pointer}/response")),
            Some(Value::Array(items)) => {
                for (at, item) in items.into_iter().enumerate() {
                    self.element(item, &format!("{pointer}/response/{at}"), false);
                }
            }
            Some(other @ Value::Object(_)) => self.element(other, &format!("{pointer}/response"), false),
            _ => {}
        }
        if let Some(Value::Object(responses)) = map.remove("responses") {
            for (status, response) in responses {
                let Value::Object(mut response) = response else { continue };
                let pointer = format!("{pointer}/responses/{status}/body");
                match response.remove("body") {
                    Some(Value::Object(body)) if is_answer(&body) => self.answer(body, &pointer),
                    Some(Value::Array(items)) => {
                        for (at, item) in items.into_iter().enumerate() {
                            self.element(item, &format!("{pointer}/{at}"), false);
                        }
                    }
                    Some(body @ Value::Object(_)) => self.element(body, &pointer, false),
                    _ => {}
                }
            }
        }
    }

    /// A row of a Resource Graph table.
    pub fn row(&mut self, names: &[String], row: Value, pointer: &str) {
        let Value::Array(cells) = row else { return self.not_a_resource(&row, pointer, Sym::EMPTY) };
        let map: Map<String, Value> = names.iter().cloned().zip(cells).collect();
        self.element(Value::Object(map), pointer, true);
    }

    /// Warns where an answer says that there is more.
    pub fn check_complete(&mut self, envelope: &Map<String, Value>, pointer: &str) {
        let truncated = match envelope.get("resultTruncated") {
            Some(Value::String(word)) => word.eq_ignore_ascii_case("true"),
            Some(Value::Bool(yes)) => *yes,
            _ => false,
        };
        let more = ["$skipToken", "skip_token", "skipToken", "nextLink", "@odata.nextLink"]
            .iter()
            .any(|key| envelope.get(*key).and_then(Value::as_str).is_some_and(|token| !token.is_empty()));
        if truncated || more {
            self.say(
                Diagnostic::new("ingest::truncated", Severity::Warning, "the answer is one page of several or was cut off")
                    .at(self.file.as_str(), pointer)
                    .note("what is missing may be in another input; what is in none of them is unknown to every verdict")
                    .help("export all pages: `az graph query --first 1000 --skip-token …`"),
            );
        }
    }

    pub fn unsupported(&mut self, what: &str) {
        let pointer = self.list.clone();
        self.unsupported_at(what, &pointer);
    }

    fn unsupported_at(&mut self, what: &str, pointer: &str) {
        self.say(
            Diagnostic::new("ingest::unsupported_format", Severity::Error, format!("{what} is not read yet"))
                .at(self.file.as_str(), pointer)
                .note("nothing of it was loaded")
                .help("export the deployed state: Resource Graph, `az … -o json` or REST bodies"),
        );
    }
}

/// Whether the object is an answer that holds resources and no resource itself.
fn is_answer(map: &Map<String, Value>) -> bool {
    let has = |key: &str, test: fn(&Value) -> bool| map.get(key).is_some_and(test);
    has("value", Value::is_array)
        || has("data", |data| data.is_array() || data.get("rows").is_some())
        || has("response", |response| response.is_object() || response.is_array())
        || has("responses", Value::is_object)
}

pub(super) fn column_names(columns: Option<&Value>) -> Vec<String> {
    let columns = columns.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    columns.iter().map(|column| column.get("name").and_then(Value::as_str).unwrap_or("").to_owned()).collect()
}
