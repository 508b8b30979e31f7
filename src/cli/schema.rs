//! `watertight schema`: every relation, its columns and what it means.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::args::{Format, Global};
use crate::cli::console::no_format;
use crate::cli::{Console, Fail, Outcome};
use crate::facts::Relation;
use crate::facts::catalog::{PLATFORM, RELATIONS};

/// Prints the relations in the order of the documentation.
///
/// # Errors
/// The format is none of text, JSON and Markdown.
pub fn run(global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let write: fn(&mut dyn Write) -> io::Result<()> = match global.format {
        None | Some(Format::Text) => text,
        Some(Format::Json) => document,
        Some(Format::Markdown) => markdown,
        Some(other) => return Err(no_format("schema", other, "text, json and markdown")),
    };
    console.result(global, write)?;
    Ok(Outcome::Well)
}

/// The relations with the word for who says their rows.
fn relations() -> impl Iterator<Item = (&'static str, &'static Relation)> {
    let estate = RELATIONS.iter().map(|relation| ("estate", *relation));
    estate.chain(PLATFORM.iter().map(|relation| ("platform", *relation)))
}

/// The sentence without the head that repeats name and columns, on one line.
fn sentence(relation: &Relation) -> String {
    let text = relation.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split_once("`: ").map_or(text.clone(), |(_, sentence)| sentence.to_owned())
}

fn head(relation: &Relation) -> String {
    let columns: Vec<String> = relation.columns.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
    format!("{}({})", relation.name, columns.join(", "))
}

fn text(out: &mut dyn Write) -> io::Result<()> {
    for (_, relation) in relations() {
        writeln!(out, "{}\n    {}\n", head(relation), sentence(relation))?;
    }
    Ok(())
}

fn document(out: &mut dyn Write) -> io::Result<()> {
    let columns =
        |relation: &Relation| -> Vec<Value> { relation.columns.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect() };
    let rows: Vec<Value> = relations()
        .map(|(of, relation)| json!({ "name": relation.name, "of": of, "columns": columns(relation), "doc": sentence(relation) }))
        .collect();
    writeln!(out, "{:#}", json!({ "schema": "watertight.schema/1", "relations": rows }))
}

fn markdown(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Relations\n")?;
    for (of, relation) in relations() {
        writeln!(out, "## `{}`\n\n{}\n", relation.name, sentence(relation))?;
        if of == "platform" {
            writeln!(out, "True of Azure itself, not of an estate.\n")?;
        }
        writeln!(out, "| column | type |\n| --- | --- |")?;
        for (name, kind) in relation.columns {
            writeln!(out, "| `{name}` | {kind} |")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
