//! Recognises a document by its content and streams its elements: one a thread at a time as a value, never the document as a whole.

use std::borrow::Cow;
use std::fmt;

use rustc_hash::FxHashMap;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::diag::{Diagnostic, Severity, line_of_offset};
use crate::ingest::sink::{BATCH, Read, Sink, column_names, expectation};
use crate::ingest::{Harvest, element, lenient};
use crate::model::Sym;

/// Reads one file.
pub(super) fn read(name: &str, bytes: &[u8], harvest: Option<Harvest>) -> Read {
    let bytes = lenient::utf8(bytes);
    let (text, broken_at) = match std::str::from_utf8(&bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let end = error.valid_up_to();
            (std::str::from_utf8(&bytes[..end]).unwrap_or(""), Some(end))
        }
    };
    let mut sink = Sink::new(name, harvest);
    let mut result = sink.documents(text);
    if result.is_err()
        && let Some(clean) = lenient::blanked(text)
    {
        sink = Sink::new(name, harvest);
        result = sink.documents(&clean);
    }
    // Also where what stands before the first such byte is whole: the rest was not read.
    let failed = match (result, broken_at) {
        (_, Some(at)) => Some((line_of_offset(&bytes, at), "the text is not UTF-8".to_owned())),
        (Err(error), None) => Some(((error.line(), error.column().max(1)), expectation(&error))),
        (Ok(()), None) => None,
    };
    if failed.is_none() && sink.number == 0 {
        sink.say(Diagnostic::new("ingest::empty_file", Severity::Warning, "the file is empty").at(name, ""));
    }
    if let Some((line, message)) = failed {
        let before = match sink.resources.len() {
            0 => "nothing of it was loaded".to_owned(),
            1 => "the resource before this place was loaded".to_owned(),
            many => format!("the {many} resources before this place were loaded"),
        };
        sink.say(
            Diagnostic::new("ingest::broken_json", Severity::Error, message)
                .at(name, &sink.pointer())
                .on_line(Some(line))
                .note(before)
                .help("the file may be cut off or no JSON: export it again"),
        );
    }
    sink.finish()
}

impl Sink {
    /// Reads every document of the text: one, or one a line.
    fn documents(&mut self, text: &str) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let mut first = 0..0;
        while reader.end().is_err() {
            self.list = if self.number == 0 { String::new() } else { format!("/{}", self.number) };
            self.index = None;
            Document { sink: self }.deserialize(&mut reader)?;
            self.number += 1;
            if self.number == 1 {
                first = 0..self.resources.len();
            }
        }
        if self.number > 1 {
            // Only now it shows that the first document was one of several.
            for resource in &mut self.resources[first] {
                resource.source.pointer.insert_str(0, "/0");
                for said in resource.extracted.iter_mut().flat_map(|extracted| &mut extracted.diagnostics) {
                    said.pointer.insert_str(0, "/0");
                }
            }
        }
        Ok(())
    }
}

/// A whole document.
struct Document<'s> {
    sink: &'s mut Sink,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resources or a resource")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        elements(self.sink, items, false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let sink = self.sink;
        let start = sink.list.clone();
        let mut streamed = false;
        let mut rest: Vec<(String, &'de RawValue)> = Vec::new();
        let mut values = Map::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "value" || key == "data" {
                sink.list = format!("{start}/{key}");
                match map.next_value_seed(List { sink, graph: key == "data" })? {
                    None => streamed = true,
                    Some(value) => {
                        values.insert(key.into_owned(), value);
                    }
                }
                sink.list.clone_from(&start);
                sink.index = None;
            } else {
                rest.push((key.into_owned(), map.next_value()?));
            }
        }
        conclude(sink, streamed, rest, values, &start);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(&Value::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(&Value::from(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(&Value::from(value));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(&Value::from(value));
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.scalar(&Value::String(String::new()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(&Value::Null);
        Ok(())
    }
}

impl Document<'_> {
    fn scalar(self, value: &Value) {
        let pointer = self.sink.list.clone();
        self.sink.not_a_resource(value, &pointer, Sym::EMPTY);
    }
}

/// The elements of a list: read as text, then as values in batches, by each thread one at a time.
fn elements<'de, A: SeqAccess<'de>>(sink: &mut Sink, mut items: A, graph: bool) -> Result<(), A::Error> {
    let mut batch: Vec<&'de RawValue> = Vec::new();
    let mut bytes = 0;
    let mut index = 0;
    loop {
        sink.index = Some(index);
        let next = items.next_element::<&'de RawValue>();
        if let Ok(Some(raw)) = next {
            batch.push(raw);
            bytes += raw.get().len();
            index += 1;
        }
        // What stands before a break is loaded too.
        if bytes >= BATCH || !matches!(next, Ok(Some(_))) {
            sink.batch(index - batch.len(), &batch, bytes, graph);
            batch.clear();
            bytes = 0;
        }
        match next {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => return Err(error),
        }
    }
    sink.index = None;
    Ok(())
}

/// What stands under `value` or `data`: a list or a table is read at once (`None`), anything else is returned.
struct List<'s> {
    sink: &'s mut Sink,
    graph: bool,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Option<Value>;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Option<Value>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resources")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Option<Value>, A::Error> {
        elements(self.sink, items, self.graph).map(|()| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let mut names = None;
        let mut early: Option<&'de RawValue> = None;
        let mut other = Map::new();
        let mut table = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "columns" if self.graph => names = Some(column_names(Some(&map.next_value()?))),
                "rows" if self.graph => {
                    table = true;
                    match &names {
                        Some(names) => map.next_value_seed(Rows { sink: self.sink, names })?,
                        None => early = Some(map.next_value()?),
                    }
                }
                _ => {
                    other.insert(key, map.next_value()?);
                }
            }
        }
        if let (Some(rows), Some(names)) = (early, &names) {
            let mut reader = serde_json::Deserializer::from_str(rows.get());
            Rows { sink: self.sink, names }.deserialize(&mut reader).map_err(serde::de::Error::custom)?;
        }
        Ok(if table { None } else { Some(Value::Object(other)) })
    }

    fn visit_bool<E>(self, value: bool) -> Result<Option<Value>, E> {
        Ok(Some(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Option<Value>, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Option<Value>, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Option<Value>, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Option<Value>, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_unit<E>(self) -> Result<Option<Value>, E> {
        Ok(Some(Value::Null))
    }
}

/// The rows of a Resource Graph table.
struct Rows<'s> {
    sink: &'s mut Sink,
    names: &'s [String],
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rows of a table")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let list = self.sink.list.clone();
        self.sink.list = format!("{list}/rows");
        let mut index = 0;
        loop {
            self.sink.index = Some(index);
            let Some(row) = rows.next_element::<Value>()? else { break };
            let pointer = self.sink.pointer();
            self.sink.row(self.names, row, &pointer);
            index += 1;
        }
        self.sink.index = None;
        self.sink.list = list;
        Ok(())
    }
}

/// Decides what an object at the top of a document was, once all its keys are known.
fn conclude(sink: &mut Sink, streamed: bool, rest: Vec<(String, &RawValue)>, mut values: Map<String, Value>, pointer: &str) {
    let raw = |key: &str| rest.iter().find(|(k, _)| k == key).map(|(_, raw)| raw.get());
    let has = |key: &str| raw(key).is_some();
    if streamed {
        let flags = ["resultTruncated", "$skipToken", "skip_token", "skipToken", "nextLink", "@odata.nextLink"];
        let envelope: Map<String, Value> =
            flags.iter().filter_map(|key| Some(((*key).to_owned(), serde_json::from_str(raw(key)?).ok()?))).collect();
        return sink.check_complete(&envelope, pointer);
    }
    let schema = raw("$schema").unwrap_or("").to_ascii_lowercase();
    let members =
        |key: &str| -> FxHashMap<Cow<'_, str>, IgnoredAny> { raw(key).and_then(|r| serde_json::from_str(r).ok()).unwrap_or_default() };
    if schema.contains("deploymenttemplate") {
        return sink.unsupported("an ARM template");
    }
    if schema.contains("deploymentparameters") {
        return sink.unsupported("an ARM parameters file");
    }
    if has("predictedResources") {
        return sink.unsupported("output of `bicep snapshot`");
    }
    if has("format_version") || has("planned_values") || has("resource_changes") || has("root_module") {
        return sink.unsupported("a Terraform plan or state");
    }
    if has("lineage") && has("resources") {
        return sink.unsupported("a raw Terraform state file");
    }
    if !has("id") && (has("changes") || has("status") && members("properties").contains_key("changes")) {
        return sink.unsupported("an answer of what-if");
    }
    if has("values") && has("cloud") {
        sink.service_tags = true;
        return;
    }
    if has("error") && !has("id") {
        return sink.say(
            Diagnostic::new("ingest::not_a_resource", Severity::Error, "an error answer of Azure where resources were expected")
                .at(sink.file.as_str(), pointer)
                .note(element::shortened(raw("error").unwrap_or(""))),
        );
    }
    for (key, raw) in rest {
        // The text was parsed once already; only its nesting can be too deep for a value.
        match serde_json::from_str(raw.get()) {
            Ok(value) => {
                values.insert(key, value);
            }
            Err(error) => sink.say(
                Diagnostic::new("ingest::broken_json", Severity::Error, expectation(&error))
                    .at(sink.file.as_str(), &format!("{pointer}/{key}")),
            ),
        }
    }
    sink.element(Value::Object(values), pointer, false);
}
