//! `watertight facts`: the estate as facts, one file a relation.

use crate::cli::args::{FactsArgs, Global};
use crate::cli::{Console, Fail, Outcome, estate};
use crate::facts::store;
use crate::report::text::count;

/// Writes the folder of `--output`.
///
/// # Errors
/// No folder was named, the input cannot be used, or the folder cannot be written.
pub fn run(args: &FactsArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let Some(folder) = &global.output else {
        return Err(Fail::new("cli::output", "`facts` needs a folder to write to").help("add `-o DIR`"));
    };
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let facts = opened.index.facts();
    store::write_folder(folder, facts.iter().copied(), opened.estate.origins()).map_err(|error| Fail::file(folder, "write", &error))?;
    console.note(&format!("{} in {}", count(facts.len(), "fact"), folder.display()));
    Ok(Outcome::Well)
}
