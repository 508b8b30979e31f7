//! From paths to bytes.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Severity};
use crate::ingest::Input;

/// Reads the files, folders and `-` (standard input) of `paths`, in order; a folder's files sorted by name, folders inside it included.
///
/// Of a folder the files `*.json`, `*.jsonl`, `*.ndjson` are taken; of one that holds `*.facts` files only those.
pub fn collect(paths: &[PathBuf], stdin: &mut dyn Read) -> (Vec<Input>, Vec<Diagnostic>) {
    let mut found = Found::default();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            match stdin.read_to_end(&mut bytes) {
                Ok(_) => found.inputs.push(Input { name: "-".to_owned(), bytes }),
                Err(error) => found.unreadable("-", &error),
            }
        } else if path.is_dir() {
            let before = found.inputs.len();
            found.folder(path);
            if found.inputs.len() == before {
                found.diagnostics.push(
                    Diagnostic::new("ingest::empty_folder", Severity::Warning, "the folder holds no file to read")
                        .at(&name_of(path), "")
                        .help("files of a folder are read when they end in `.json`, `.jsonl`, `.ndjson` or `.facts`"),
                );
            }
        } else {
            found.file(path);
        }
    }
    (found.inputs, found.diagnostics)
}

#[derive(Default)]
struct Found {
    inputs: Vec<Input>,
    diagnostics: Vec<Diagnostic>,
}

impl Found {
    fn folder(&mut self, folder: &Path) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&name_of(folder), &error),
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) if !entry.file_name().as_encoded_bytes().starts_with(b".") => paths.push(entry.path()),
                Ok(_) => {}
                Err(error) => self.unreadable(&name_of(folder), &error),
            }
        }
        paths.sort();
        let facts = paths.iter().any(|path| has_ending(path, &["facts"]));
        let mut skipped = Vec::new();
        for path in paths {
            // A link to a folder may lead back to where it stands; a link to a file cannot.
            let is_folder = path.is_dir();
            if is_folder && path.is_symlink() {
                skipped.push(path);
            } else if is_folder {
                if !facts {
                    self.folder(&path);
                }
            } else if has_ending(&path, if facts { &["facts"] } else { &["json", "jsonl", "ndjson"] }) {
                self.file(&path);
            } else if !has_ending(&path, &["dl", "toml", "md", "txt", "json"]) {
                skipped.push(path);
            }
        }
        if !skipped.is_empty() {
            let names: Vec<String> = skipped.iter().take(5).map(|path| format!("`{}`", name_of(path))).collect();
            let more = if skipped.len() > 5 { format!(" and {} more", skipped.len() - 5) } else { String::new() };
            self.diagnostics.push(
                Diagnostic::new("ingest::skipped_file", Severity::Info, format!("not read: {}{more}", names.join(", ")))
                    .at(&name_of(folder), "")
                    .help("name a file itself to have it read whatever its ending"),
            );
        }
    }

    fn file(&mut self, path: &Path) {
        match std::fs::read(path) {
            Ok(bytes) => self.inputs.push(Input { name: name_of(path), bytes }),
            Err(error) => self.unreadable(&name_of(path), &error),
        }
    }

    fn unreadable(&mut self, name: &str, error: &std::io::Error) {
        self.diagnostics.push(Diagnostic::new("ingest::unreadable_file", Severity::Error, format!("cannot be read: {error}")).at(name, ""));
    }
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| endings.iter().any(|ending| e.eq_ignore_ascii_case(ending)))
}

/// The path as the person wrote it, with `/` on every system.
fn name_of(path: &Path) -> String {
    let name = path.to_string_lossy().into_owned();
    if std::path::MAIN_SEPARATOR == '/' { name } else { name.replace(std::path::MAIN_SEPARATOR, "/") }
}
