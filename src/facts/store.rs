//! Facts to files and back: `<relation>.facts`, a line a row, cells apart by tabs.
//!
//! In a cell `\t`, `\n`, `\r` and `\\` stand for tab, line break, carriage return and backslash. Lines are sorted as text, so that the same facts are the
//! same bytes. `origin.facts` keeps where each resource came from, `schema.dl` declares the relations. Blank lines and lines that start with `#` and a
//! blank are for people who write facts by hand.

use std::fs;
use std::io;
use std::path::Path;

use rustc_hash::FxHashMap;

use crate::diag::{Diagnostic, Severity};
use crate::facts::catalog::{Fact, RELATIONS};
use crate::facts::gap::Unread;
use crate::ingest::Source;
use crate::model::Sym;

/// The relation that keeps file and pointer of each resource; it is no fact of the estate.
const ORIGIN: &str = "origin";

/// The columns of `origin`.
const ORIGIN_COLUMNS: [&str; 3] = ["resource", "file", "pointer"];

/// Lines of one file that are called wrong before the rest is only counted.
const ENOUGH: usize = 50;

/// What one file holds.
#[derive(Clone, Debug, Default)]
pub struct ReadFacts {
    /// Its rows, in order.
    pub facts: Vec<Fact>,
    /// The rows of `origin.facts`.
    pub origins: Vec<(Sym, Source)>,
    /// Lines that are no rows.
    pub diagnostics: Vec<Diagnostic>,
}

/// The relation that a file called `name` holds: its name without `.facts`; `None` for other files.
pub fn relation_of_file(name: &str) -> Option<&str> {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.strip_suffix(".facts").filter(|relation| !relation.is_empty())
}

/// Reads the rows of `relation` from the bytes of the file called `name`. A line that is no row is a diagnostic with its place; the others are read.
pub fn read_file(relation: &str, name: &str, bytes: &[u8]) -> ReadFacts {
    let mut read = ReadFacts::default();
    if relation != ORIGIN && !RELATIONS.iter().any(|known| known.name == relation) {
        if !bytes.is_empty() {
            // Whatever its rows would have said may count.
            read.facts.push(Unread { resource: Sym::EMPTY, what: Sym::new(name) }.into());
        }
        read.diagnostics.push(
            Diagnostic::new("facts::unknown_relation", Severity::Error, format!("there is no relation `{relation}`"))
                .at(name, "")
                .help("`watertight schema` lists all relations"),
        );
        return read;
    }
    let mut bad = 0;
    for (number, line) in bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"# ") {
            continue;
        }
        let (column, message) = match std::str::from_utf8(line) {
            Ok(line) => match read_line(relation, line, &mut read) {
                Ok(()) => continue,
                Err((cell, message)) => {
                    (line.split('\t').take(cell.unwrap_or(0)).map(|cell| cell.chars().count() + 1).sum::<usize>() + 1, message)
                }
            },
            Err(error) => (String::from_utf8_lossy(&line[..error.valid_up_to()]).chars().count() + 1, "the line is not UTF-8".to_owned()),
        };
        bad += 1;
        if relation != ORIGIN {
            // A row that is missing may open as well as close.
            read.facts.push(Unread { resource: Sym::EMPTY, what: Sym::new(&format!("{name}:{}", number + 1)) }.into());
        }
        if bad > ENOUGH {
            continue;
        }
        let note = if relation == ORIGIN { "the line is not used" } else { "the line is not used, and nothing is proven without it" };
        read.diagnostics.push(
            Diagnostic::new("facts::bad_line", Severity::Error, message)
                .at(name, "")
                .on_line(Some((number + 1, column)))
                .note(note)
                .help(format!("the columns are {}", columns(relation))),
        );
    }
    if let Some(last) = read.diagnostics.last_mut().filter(|_| bad > ENOUGH) {
        last.note = Some(format!("{} more lines of the file are none", bad - ENOUGH));
    }
    read
}

fn read_line(relation: &str, line: &str, read: &mut ReadFacts) -> Result<(), (Option<usize>, String)> {
    let mut cells = Vec::new();
    for (at, cell) in line.split('\t').enumerate() {
        cells.push(unescape(cell).ok_or_else(|| (Some(at), format!("`{cell}` has a backslash that stands for nothing")))?);
    }
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    if relation == ORIGIN {
        let [resource, file, pointer] = cells[..] else {
            return Err((None, format!("{} cells, `{ORIGIN}` has 3 columns", cells.len())));
        };
        read.origins.push((Sym::new(resource), Source { file: Sym::new(file), pointer: pointer.to_owned() }));
        return Ok(());
    }
    match Fact::read(relation, &cells) {
        Some(Ok(fact)) => {
            read.facts.push(fact);
            Ok(())
        }
        Some(Err(error)) => Err((error.at, error.message)),
        None => Err((None, format!("there is no relation `{relation}`"))),
    }
}

fn columns(relation: &str) -> String {
    if relation == ORIGIN {
        return ORIGIN_COLUMNS.map(|name| format!("`{name}: symbol`")).join(", ");
    }
    let columns = RELATIONS.iter().find(|known| known.name == relation).map_or(&[][..], |known| known.columns);
    columns.iter().map(|(name, kind)| format!("`{name}: {kind}`")).collect::<Vec<_>>().join(", ")
}

/// Writes `facts` and `origins` into `folder`, which is made where it does not exist: a file for every relation, be it empty, and `schema.dl`.
pub fn write_folder<'a>(
    folder: &Path,
    facts: impl IntoIterator<Item = Fact>,
    origins: impl IntoIterator<Item = (Sym, &'a Source)>,
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut rows: FxHashMap<&str, Vec<Fact>> = FxHashMap::default();
    for fact in facts {
        rows.entry(fact.relation().name).or_default().push(fact);
    }
    // The text of one relation at a time: that of all of them is larger than the input.
    for relation in RELATIONS {
        let rows = rows.remove(relation.name).unwrap_or_default();
        let lines = rows.iter().map(|fact| line(fact.cells().iter().map(String::as_str))).collect();
        fs::write(folder.join(format!("{}.facts", relation.name)), sorted(lines))?;
    }
    let origins = origins.into_iter().map(|(id, source)| line([id.as_str(), source.file.as_str(), source.pointer.as_str()].into_iter()));
    fs::write(folder.join(format!("{ORIGIN}.facts")), sorted(origins.collect()))?;
    fs::write(folder.join("schema.dl"), schema())
}

/// The declarations of all relations, each under its sentence.
pub fn schema() -> String {
    let mut text = String::new();
    for relation in RELATIONS {
        for doc in relation.doc.trim().lines() {
            text.push_str("//");
            text.push_str(doc.trim_end());
            text.push('\n');
        }
        let columns: Vec<String> = relation.columns.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
        text.push_str(&format!(".decl {}({})\n\n", relation.name, columns.join(", ")));
    }
    let columns: Vec<String> = ORIGIN_COLUMNS.iter().map(|name| format!("{name}: symbol")).collect();
    text.push_str("// `origin(resource, file, pointer)`: where the resource stood in the input, as a JSON pointer into the file.\n");
    text.push_str(&format!(".decl {ORIGIN}({})\n", columns.join(", ")));
    text
}

fn sorted(mut lines: Vec<String>) -> String {
    lines.sort_unstable();
    lines.dedup();
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// One line without its break. A line that would be taken for a remark is kept apart from one by an escape.
fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let text = cells.map(escape).collect::<Vec<_>>().join("\t");
    if text.starts_with("# ") { format!("\\{text}") } else { text }
}

fn escape(cell: &str) -> String {
    if !cell.contains(['\t', '\n', '\r', '\\']) {
        return cell.to_owned();
    }
    cell.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescape(cell: &str) -> Option<String> {
    if !cell.contains('\\') {
        return Some(cell.to_owned());
    }
    let mut text = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                '#' => '#',
                _ => return None,
            },
            c => c,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named_and_the_others_are_read() {
        let read = read_file("subnet_prefix", "f/subnet_prefix.facts", b"# mine\n/s\t10.0.0.0/24\n/s\tten\n\n/s\n/s\t10.0.1.0/24\r\n");
        let rows = |name: &str| read.facts.iter().filter(|fact| fact.relation().name == name).count();
        assert_eq!((rows("subnet_prefix"), rows("unread")), (2, 2));
        let places: Vec<_> = read.diagnostics.iter().map(|d| d.line).collect();
        assert_eq!(places, [Some((3, 4)), Some((5, 1))]);
        assert!(read.diagnostics[0].message.contains("`prefix`"), "{:?}", read.diagnostics[0]);
        let bytes = read_file("subnet_prefix", "subnet_prefix.facts", b"/s\t10.0.0.0/24\n\xff\t10.0.1.0/24\n");
        assert_eq!((bytes.facts.len(), bytes.diagnostics[0].line), (2, Some((2, 1))));
        let many = read_file("subnet_prefix", "subnet_prefix.facts", "x\n".repeat(10_000).as_bytes());
        assert_eq!(many.diagnostics.len(), ENOUGH);
        assert_eq!(many.diagnostics.last().and_then(|said| said.note.as_deref()), Some("9950 more lines of the file are none"));
        assert_eq!(read_file("nothing", "nothing.facts", b"").diagnostics[0].code, "facts::unknown_relation");
    }

    #[test]
    fn cells_come_back_as_they_were() {
        for cell in ["", "a", "a\tb", "a\\tb", "\\", "a\nb\r", "# x", "#"] {
            let line = line([cell, "x"].into_iter());
            assert!(!line.contains('\n') && !line.starts_with("# "), "{line:?}");
            let cells: Vec<_> = line.split('\t').map(|cell| unescape(cell).unwrap()).collect();
            assert_eq!(cells, [cell, "x"]);
        }
        assert_eq!(unescape("\\x"), None);
    }

    #[test]
    fn the_file_name_is_the_relation() {
        assert_eq!(relation_of_file("facts/vnet.facts"), Some("vnet"));
        assert_eq!(relation_of_file("vnet.json"), None);
        assert!(schema().contains(".decl subnet_nsg(subnet: symbol, nsg: symbol)"));
    }
}
