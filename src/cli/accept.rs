//! `watertight accept`: approve the pending snapshot.

use crate::cli::args::{AcceptArgs, Global};
use crate::cli::{Console, Fail, Outcome};
use crate::query::snapshot;
use crate::report::text::count;

/// Puts the pending snapshot in place of the approved one, and says which checks moved.
///
/// # Errors
/// The folder is not there, or a file in it cannot be changed.
pub fn run(args: &AcceptArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let ids = snapshot::accept(&args.snapshot).map_err(|why| Fail::new("cli::snapshot", why))?;
    console.result(global, |out| ids.iter().try_for_each(|id| writeln!(out, "{id}")))?;
    console.note(&format!("{} approved", count(ids.len(), "check")));
    Ok(Outcome::Well)
}
