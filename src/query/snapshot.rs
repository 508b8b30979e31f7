//! What a person has approved: a folder of small text files, one a check, compared with what is found now.
//!
//! `<id>.snap` is approved, `<id>.snap.new` waits for approval. A file begins with the check's id and severity, so that a check that finds
//! nothing has a file too and its disappearance shows; then comes one finding a line: certainty and `column=value`, separated by tabs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::query::verify::{CheckResult, Report};

/// The first line of a pending file whose check is gone.
const GONE: &str = "# this check is gone";

/// A row that is found but not approved, or approved but no longer found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// The check's id.
    pub check: String,
    /// The line of the file.
    pub line: String,
    /// Whether it is found now.
    pub added: bool,
}

impl Move {
    /// `+` or `-`
    pub fn sign(&self) -> &'static str {
        if self.added { "+" } else { "-" }
    }
}

/// A report beside what is approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Every row that moved, by check and text; a row that changed is a `-` and a `+`.
    pub moves: Vec<Move>,
    /// Text to write to `<id>.snap.new`, by id; only where something moved.
    pending: BTreeMap<String, String>,
}

impl Comparison {
    /// Whether something moved: exit code 1.
    pub fn unapproved(&self) -> bool {
        !self.moves.is_empty()
    }

    /// The rows that moved, check by check, each with `+` or `-`; one sentence where none did.
    pub fn to_text(&self) -> String {
        if self.moves.is_empty() {
            return "nothing moved since the approved snapshot\n".to_owned();
        }
        let mut out = String::from("not approved:\n");
        let mut last = "";
        for row in &self.moves {
            if row.check != last {
                let _ = writeln!(out, "  {}", row.check);
                last = &row.check;
            }
            let _ = writeln!(out, "{} {}", row.sign(), row.line.replace('\t', "  "));
        }
        out.push_str("`watertight accept --snapshot DIR` approves this\n");
        out
    }
}

/// The file of one check.
fn file(check: &CheckResult) -> String {
    let mut lines = BTreeSet::new();
    for finding in &check.findings {
        let mut line = finding.certainty().to_owned();
        for (name, value) in &finding.witness {
            let _ = write!(line, "\t{name}={}", escape(&value.to_string()));
        }
        lines.insert(line);
    }
    if !check.error.is_empty() {
        lines.insert("unproven\tthe check could not be evaluated".to_owned());
    }
    let mut out = format!("# {} {}\n", check.id, check.severity.as_str());
    for line in lines {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// A value without the characters that separate values and lines.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

/// Compares `report` with the approved files of `dir`; a folder that is not there holds none. Nothing is written.
pub fn compare(dir: &Path, report: &Report) -> Result<Comparison, String> {
    let mut approved = read(dir, ".snap")?;
    let mut comparison = Comparison::default();
    for check in &report.checks {
        let (now, before) = (file(check), approved.remove(&check.id).unwrap_or_default());
        comparison.add(&check.id, &before, &now, now.clone());
    }
    for (id, before) in approved {
        comparison.add(&id, &before, "", format!("{GONE}\n"));
    }
    comparison.moves.sort();
    Ok(comparison)
}

impl Comparison {
    fn add(&mut self, id: &str, before: &str, now: &str, pending: String) {
        let lines = |text: &str| text.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect::<BTreeSet<_>>();
        let (old, new) = (lines(before), lines(now));
        let row = |line: &String, added| Move { check: id.to_owned(), line: line.clone(), added };
        let start = self.moves.len();
        self.moves.extend(old.difference(&new).map(|line| row(line, false)));
        self.moves.extend(new.difference(&old).map(|line| row(line, true)));
        if self.moves.len() > start {
            self.pending.insert(id.to_owned(), pending);
        }
    }
}

/// Writes the pending files into `dir`, which is created where it is missing, and removes those that are no longer pending.
pub fn write_pending(dir: &Path, comparison: &Comparison) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|why| format!("cannot create `{}`: {why}", dir.display()))?;
    for (id, text) in &comparison.pending {
        let path = dir.join(format!("{id}.snap.new"));
        fs::write(&path, text).map_err(|why| format!("cannot write `{}`: {why}", path.display()))?;
    }
    for id in read(dir, ".snap.new")?.keys().filter(|id| !comparison.pending.contains_key(*id)) {
        remove(&dir.join(format!("{id}.snap.new")))?;
    }
    Ok(())
}

/// Approves what is pending in `dir`; the ids of the checks whose files changed, sorted. Nothing pending is no error.
pub fn accept(dir: &Path) -> Result<Vec<String>, String> {
    if !dir.is_dir() {
        return Err(format!("there is no folder `{}`", dir.display()));
    }
    let pending = read(dir, ".snap.new")?;
    for (id, text) in &pending {
        let (new, approved) = (dir.join(format!("{id}.snap.new")), dir.join(format!("{id}.snap")));
        if text.trim_end() == GONE {
            remove(&approved)?;
            remove(&new)?;
        } else {
            fs::rename(&new, &approved).map_err(|why| format!("cannot rename `{}`: {why}", new.display()))?;
        }
    }
    Ok(pending.into_keys().collect())
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != ErrorKind::NotFound => Err(format!("cannot remove `{}`: {why}", path.display())),
        _ => Ok(()),
    }
}

/// The files of `dir` whose names end with `suffix`, by what stands before it. Line ends are those of the machine that wrote them.
fn read(dir: &Path, suffix: &str) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(files),
        Err(why) => return Err(format!("cannot read the folder `{}`: {why}", dir.display())),
    };
    for entry in entries {
        let entry = entry.map_err(|why| format!("cannot read the folder `{}`: {why}", dir.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(id) = name.strip_suffix(suffix) {
            let bytes = fs::read(entry.path()).map_err(|why| format!("cannot read `{}`: {why}", entry.path().display()))?;
            files.insert(id.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(files)
}
