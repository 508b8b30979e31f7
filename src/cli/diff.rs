//! `watertight diff`: what differs between two estates.

use std::slice;

use crate::cli::args::{DiffArgs, Global};
use crate::cli::estate::{self, Edit};
use crate::cli::moved::moved;
use crate::cli::whatif::judge;
use crate::cli::{Console, Fail, Outcome};
use crate::config::Names;
use crate::report::listing::{self, Shape};

/// Prints the rows that differ; a new violation is exit code 1.
///
/// # Errors
/// One of the estates cannot be used.
pub fn run(args: &DiffArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let shape = global.shape("diff", Shape::Text)?;
    let old = estate::open(slice::from_ref(&args.old), global, console)?;
    let new = estate::open(slice::from_ref(&args.new), global, console)?;
    let rows = moved(old.side(), new.side(), &Edit::between(&old, &new), estate::workers(global))?;
    let names = Names::new(&new.index);
    let mut gaps = listing::gaps(&old.index);
    gaps.extend(listing::gaps(&new.index));
    gaps.sort();
    gaps.dedup();
    let look = console.look;
    console.result(global, |out| listing::write("diff", &rows, &gaps, shape, &names, look, out))?;
    Ok(judge(&rows))
}
