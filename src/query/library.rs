//! Folders of checks, and the declarations of the derived relations that every program can read.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::query::check::declaration;
use crate::query::relations::Declaration;
use crate::syntax::{LARGEST, Source, parse};

/// `queries/lib/derived.dl`
pub const DERIVED: &str = include_str!("../../queries/lib/derived.dl");

/// The derived relations, as `queries/lib/derived.dl` declares them.
pub fn derived() -> Vec<Declaration> {
    let (tree, errors) = parse(&Source { name: "queries/lib/derived.dl".to_owned(), text: DERIVED.to_owned() }, 0);
    debug_assert!(errors.is_empty(), "the embedded declarations parse: {errors:?}");
    tree.declarations.iter().filter_map(|written| declaration(written).ok()).collect()
}

/// The sources of a folder of checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// One check each, by path.
    pub checks: Vec<Source>,
    /// Helper rules that every check of the folder can use: the files under `lib/`.
    pub library: Vec<Source>,
}

/// Reads every `*.dl` of `dir` and the folders in it, by path. `Err` names what could not be read.
pub fn read_folder(dir: &Path) -> Result<Folder, String> {
    let mut folder = Folder::default();
    let mut open = vec![dir.to_owned()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(at) = open.pop() {
        let entries = fs::read_dir(&at).map_err(|why| format!("cannot read the folder `{}`: {why}", at.display()))?;
        for entry in entries {
            let entry = entry.map_err(|why| format!("cannot read the folder `{}`: {why}", at.display()))?;
            let path = entry.path();
            // A linked folder could lead back to where we are, so links to folders are not followed.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "dl") {
                files.push(path);
            }
        }
    }
    files.sort();
    for path in files {
        let unreadable = |why: &dyn std::fmt::Display| format!("cannot read `{}`: {why}", path.display());
        // A pipe or a device may never end.
        if !fs::metadata(&path).map_err(|why| unreadable(&why))?.is_file() {
            return Err(unreadable(&"it is no file"));
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&path).map_err(|why| unreadable(&why))?;
        // One byte more than a program may have shows that it is too large.
        file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(|why| unreadable(&why))?;
        let source = Source::new(path.display().to_string(), &bytes);
        let below = path.strip_prefix(dir).unwrap_or(&path);
        if below.starts_with("lib") { folder.library.push(source) } else { folder.checks.push(source) }
    }
    Ok(folder)
}
