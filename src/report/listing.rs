//! A listing in every format: text, JSON, NDJSON, CSV, Markdown.

use std::io::{self, Write};

use serde::Serialize;

use crate::config::Names;
use crate::facts::Index;
use crate::report::text::{self, Look};

/// A row that can stand in a listing. Its JSON is its serde form.
pub trait Row: Serialize {
    /// The columns of text, CSV and Markdown.
    const HEADER: &'static [&'static str];
    /// One text per column; a column that is empty in every row is left out of text and Markdown.
    fn cells(&self, names: &Names) -> Vec<String>;
}

/// The formats of listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Aligned columns for people.
    Text,
    /// One document with `schema`, `rows` and `gaps`.
    Json,
    /// One row a line, nothing else.
    Ndjson,
    /// A header and one row a line (RFC 4180).
    Csv,
    /// A table for a pull request.
    Markdown,
}

/// Something in the input that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GapRow {
    /// The resource.
    pub resource: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is not understood, a clause.
    pub what: String,
}

/// The gaps of an estate, sorted.
pub fn gaps(index: &Index) -> Vec<GapRow> {
    let row = |gap: &crate::facts::gap::Gap| GapRow {
        resource: gap.resource.as_str().to_owned(),
        kind: gap.kind.as_str().to_owned(),
        what: gap.what.as_str().to_owned(),
    };
    let mut rows: Vec<GapRow> = index.gaps.rows().map(row).collect();
    rows.sort();
    rows.dedup();
    rows
}

/// Writes `rows`, which are sorted, with `command` as the schema's name.
///
/// # Errors
/// Those of `out`.
pub fn write<R: Row>(
    command: &str,
    rows: &[R],
    gaps: &[GapRow],
    shape: Shape,
    names: &Names,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match shape {
        Shape::Json => write_json(command, rows.iter().map(|row| to_json(row)), gaps, out),
        Shape::Ndjson => rows.iter().try_for_each(|row| writeln!(out, "{}", to_json(row))),
        Shape::Csv => {
            csv_line(R::HEADER.iter().copied(), out)?;
            rows.iter().try_for_each(|row| csv_line(row.cells(names).iter().map(String::as_str), out))
        }
        Shape::Markdown => markdown_table(R::HEADER, rows.iter().map(|row| row.cells(names)).collect(), gaps, out),
        Shape::Text => {
            text_table("rows", R::HEADER, rows.iter().map(|row| row.cells(names)).collect(), look, out)?;
            text_gaps(gaps, out)
        }
    }
}

/// Aligned columns; `nothing` names what there is none of.
///
/// # Errors
/// Those of `out`.
pub fn text_table(nothing: &str, header: &[&'static str], rows: Vec<Vec<String>>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "no {nothing}");
    }
    let (header, rows) = filled(header, rows);
    text::table(&header, &rows, look, out)
}

/// A table for a pull request, with the gaps below.
///
/// # Errors
/// Those of `out`.
pub fn markdown_table(header: &[&'static str], rows: Vec<Vec<String>>, gaps: &[GapRow], out: &mut dyn Write) -> io::Result<()> {
    let (header, rows) = filled(header, rows);
    markdown(&header, &rows, out)?;
    markdown_gaps(gaps, out)
}

/// A header and one row a line (RFC 4180).
///
/// # Errors
/// Those of `out`.
pub fn csv(header: &[&str], rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    csv_line(header.iter().copied(), out)?;
    rows.iter().try_for_each(|row| csv_line(row.iter().map(String::as_str), out))
}

/// One value on one line.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("rows have text keys and no fallible serialisers")
}

/// The document of a listing, one row a line, so that two of them can be compared line by line.
///
/// # Errors
/// Those of `out`.
pub fn write_json(command: &str, rows: impl Iterator<Item = String>, gaps: &[GapRow], out: &mut dyn Write) -> io::Result<()> {
    write_json_lists(command, vec![("rows", rows.collect()), ("gaps", gaps.iter().map(to_json).collect())], out)
}

/// A document of several lists, in their order, one item a line.
///
/// # Errors
/// Those of `out`.
pub fn write_json_lists(command: &str, lists: Vec<(&str, Vec<String>)>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"schema\":\"watertight.{command}/1\"")?;
    for (name, items) in lists {
        write!(out, ",\"{name}\":[")?;
        for (n, item) in items.iter().enumerate() {
            write!(out, "{}\n{item}", if n == 0 { "" } else { "," })?;
        }
        write!(out, "\n]")?;
    }
    writeln!(out, "}}")
}

/// The columns that some row fills.
fn filled(header: &[&'static str], rows: Vec<Vec<String>>) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let keep: Vec<bool> = (0..header.len()).map(|n| rows.iter().any(|row| row.get(n).is_some_and(|cell| !cell.is_empty()))).collect();
    let kept = |n: &usize| keep[*n] || rows.is_empty();
    let columns: Vec<usize> = (0..header.len()).filter(kept).collect();
    let rows = rows.iter().map(|row| columns.iter().map(|&n| row.get(n).cloned().unwrap_or_default()).collect()).collect();
    (columns.iter().map(|&n| header[n]).collect(), rows)
}

fn csv_line<'a>(cells: impl Iterator<Item = &'a str>, out: &mut dyn Write) -> io::Result<()> {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            out.write_all(b",")?;
        }
        if cell.contains([',', '"', '\n', '\r']) {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}

fn markdown(header: &[&str], rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "No rows.");
    }
    writeln!(out, "| {} |", header.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(header.len()))?;
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escape_markdown(cell)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

/// Text that stands for itself inside a cell of a Markdown table.
fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '`' | '<' | '[' | '\\' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

fn markdown_gaps(gaps: &[GapRow], out: &mut dyn Write) -> io::Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} not understood:\n", text::count(gaps.len(), "thing"))?;
    gaps.iter().try_for_each(|gap| writeln!(out, "- {}: {}", escape_markdown(&gap.resource), escape_markdown(&gap.what)))
}

/// What is not understood, below a text answer: nothing is dropped in silence.
///
/// # Errors
/// Those of `out`.
pub fn text_gaps(gaps: &[GapRow], out: &mut dyn Write) -> io::Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nnot understood ({}):", text::count(gaps.len(), "gap"))?;
    gaps.iter().try_for_each(|gap| writeln!(out, "  {}: {}", gap.resource, gap.what))
}
