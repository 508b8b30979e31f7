//! Facts to files.

use std::io;
use std::path::Path;

use crate::facts::Fact;
use crate::ingest::Source;
use crate::model::Sym;

/// Not available.
pub fn write_folder<'a>(
    _folder: &Path,
    _facts: impl IntoIterator<Item = Fact>,
    _origins: impl IntoIterator<Item = (Sym, &'a Source)>,
) -> io::Result<()> {
    Err(io::Error::other("not available in this build"))
}
