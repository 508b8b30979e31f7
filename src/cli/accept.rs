//! `watertight accept`: approve the pending snapshot.

use crate::cli::args::AcceptArgs;
use crate::cli::{Console, Fail, Outcome};
use crate::query::snapshot;
use crate::report::text::count;

/// Puts what is pending in place of what was approved.
///
/// # Errors
/// The folder is not there, or cannot be read or written.
pub fn run(args: &AcceptArgs, console: &mut Console) -> Result<Outcome, Fail> {
    if !args.snapshot.is_dir() {
        let message = format!("`{}` is no folder", args.snapshot.display());
        return Err(Fail::new("cli::snapshot", message).help("name the folder that `verify --snapshot` wrote to"));
    }
    let accepted = snapshot::accept(&args.snapshot).map_err(|why| Fail::new("cli::snapshot", why))?;
    console.note(&format!("approved: {}", count(accepted.len(), "check")));
    accepted.iter().for_each(|id| console.note(&format!("  {id}")));
    Ok(Outcome::Well)
}
