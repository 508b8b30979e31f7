//! `watertight whatif`: what a change adds and removes.

use crate::cli::args::{Global, WhatifArgs};
use crate::cli::estate;
use crate::cli::{Console, Fail, Outcome};
use crate::config::Names;
use crate::report::listing::{self, Shape};
use crate::report::rows::{Change, ChangeRow, Moved, changes};

/// Prints the rows that move; a new violation is exit code 1.
///
/// # Errors
/// The input or a change file cannot be used.
pub fn run(args: &WhatifArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let shape = global.shape("whatif", Shape::Text)?;
    let mut opened = estate::open(&args.inputs.inputs, global, console)?;
    let workers = estate::workers(global);
    let old = opened.all(workers)?;
    opened.change(&args.change, console)?;
    let rows = changes(old, opened.all(workers)?);
    let names = Names::new(&opened.index);
    let look = console.look;
    console.result(global, |out| listing::write("whatif", &rows, &listing::gaps(&opened.index), shape, &names, look, out))?;
    Ok(judge(&rows))
}

/// A violation that the change brings is one.
pub fn judge(rows: &[ChangeRow]) -> Outcome {
    let new = |row: &ChangeRow| row.change == Change::Added && matches!(row.row, Moved::Violation(_));
    if rows.iter().any(new) { Outcome::Violation } else { Outcome::Well }
}
