//! From paths to bytes.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Severity};
use crate::ingest::Input;

/// Reads the files, folders and `-` (standard input) of `paths`, in order; a folder's files sorted by name, folders inside it included.
///
/// Of a folder the files `*.json`, `*.jsonl`, `*.ndjson` are taken; of one that holds `*.facts` files only those. Hidden files and folders are passed over, and
/// so are `node_modules`, links to folders, and pipes and devices, which may never end. A folder with more than [`MOST`] entries below it is no export: nothing of it is
/// read.
pub fn collect(paths: &[PathBuf], stdin: &mut dyn Read) -> (Vec<Input>, Vec<Diagnostic>) {
    collect_most(paths, stdin, MOST)
}

/// Files and folders below one folder that are looked at.
const MOST: usize = 200_000;

/// Folders of programs, in which no export stands.
const NOT_OURS: &[&str] = &["node_modules"];

/// Folders of the operating system, whose files are no files.
const SYSTEM: &[&str] = &["/dev", "/proc", "/sys"];

fn collect_most(paths: &[PathBuf], stdin: &mut dyn Read, most: usize) -> (Vec<Input>, Vec<Diagnostic>) {
    let mut found = Found { most, ..Found::default() };
    for path in paths {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            match stdin.read_to_end(&mut bytes) {
                Ok(_) => found.inputs.push(Input { name: "-".to_owned(), bytes }),
                Err(error) => found.unreadable("-", &error),
            }
        } else if path.is_dir() {
            found.entries = 0;
            let mut files = Vec::new();
            let whole = found.folder(path, &mut files);
            if !whole {
                found.diagnostics.push(
                    Diagnostic::new(
                        "ingest::large_folder",
                        Severity::Error,
                        format!("the folder holds more than {most} files and folders"),
                    )
                    .at(&name_of(path), "")
                    .note("nothing of it was read")
                    .help("name the folder that holds the export, or the files"),
                );
                continue;
            }
            let before = found.inputs.len();
            files.iter().for_each(|file| found.file(file));
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
    /// Entries of the folder so far, and how many there may be.
    entries: usize,
    most: usize,
}

impl Found {
    /// Lists the files to read in `files`; whether there were not too many to look at.
    fn folder(&mut self, folder: &Path, files: &mut Vec<PathBuf>) -> bool {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.unreadable(&name_of(folder), &error);
                return true;
            }
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            self.entries += 1;
            if self.entries > self.most {
                return false;
            }
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
            if is_folder && (path.is_symlink() || is_elsewhere(&path)) {
                skipped.push(path);
            } else if is_folder {
                if !facts && !self.folder(&path, files) {
                    return false;
                }
            } else if has_ending(&path, if facts { &["facts"] } else { &["json", "jsonl", "ndjson"] }) {
                // A link that leads nowhere is said when it is read.
                if path.is_file() || !path.exists() { files.push(path) } else { skipped.push(path) }
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
                    .help("name a file or folder itself to have it read"),
            );
        }
        true
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

/// Whether the folder is one of programs or of the operating system.
fn is_elsewhere(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    NOT_OURS.contains(&name) || SYSTEM.iter().any(|system| folder == Path::new(system))
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| endings.iter().any(|ending| e.eq_ignore_ascii_case(ending)))
}

/// The path as the person wrote it, with `/` on every system.
fn name_of(path: &Path) -> String {
    let name = path.to_string_lossy().into_owned();
    if std::path::MAIN_SEPARATOR == '/' { name } else { name.replace(std::path::MAIN_SEPARATOR, "/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_too_much_in_it_is_refused_before_anything_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..4 {
            std::fs::write(folder.path().join(format!("{n}.json")), "[]").unwrap();
        }
        let read = |most| collect_most(&[folder.path().to_owned()], &mut std::io::empty(), most);
        assert_eq!(read(4).0.len(), 4);
        let (inputs, said) = read(3);
        assert!(inputs.is_empty());
        assert_eq!((said.len(), said[0].code, said[0].severity), (1, "ingest::large_folder", Severity::Error));
    }
}
