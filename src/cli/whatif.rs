//! `watertight whatif`: what a change adds and removes.

use crate::cli::args::{Global, WhatifArgs};
use crate::cli::estate;
use crate::cli::moved::{Side, moved};
use crate::cli::{Console, Fail, Outcome};
use crate::config::Names;
use crate::report::changes::{Change, ChangeRow, Moved};
use crate::report::listing::{self, Shape};
use crate::report::rows::FindingRow;

/// Prints the rows that move; a new violation is exit code 1.
///
/// # Errors
/// The input or a change file cannot be used.
pub fn run(args: &WhatifArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let shape = global.shape("whatif", Shape::Text)?;
    let mut opened = estate::open(&args.inputs.inputs, global, console)?;
    let before = opened.index.clone();
    let edit = opened.change(&args.change, console)?;
    let old = Side { index: &before, platform: opened.platform };
    let rows = moved(old, opened.side(), &edit, estate::workers(global))?;
    let names = Names::new(&opened.index);
    let look = console.look;
    console.result(global, |out| listing::write("whatif", &rows, &listing::gaps(&opened.index), shape, &names, look, out))?;
    Ok(judge(&rows))
}

/// A violation that the change brings, or proves, is one; one that is only less certain than before is not new.
pub fn judge(rows: &[ChangeRow]) -> Outcome {
    let violation = |row: &ChangeRow, change: Change| match &row.row {
        Moved::Violation(finding) if row.change == change => Some(finding.clone()),
        _ => None,
    };
    let gone: Vec<FindingRow> = rows.iter().filter_map(|row| violation(row, Change::Removed)).collect();
    let was_there =
        |new: &FindingRow| gone.iter().any(|old| old.check == new.check && old.witness == new.witness && old.certainty <= new.certainty);
    let new = rows.iter().filter_map(|row| violation(row, Change::Added)).any(|row| !was_there(&row));
    if new { Outcome::Violation } else { Outcome::Well }
}
