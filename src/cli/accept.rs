//! `watertight accept`: approve the pending snapshot.

use crate::cli::args::AcceptArgs;
use crate::cli::{Console, Fail, Outcome};

/// Puts the pending snapshot in place of the approved one.
///
/// # Errors
/// The engine is not part of this build.
pub fn run(_args: &AcceptArgs, _console: &mut Console) -> Result<Outcome, Fail> {
    Err(Fail::new("cli::not_available", "`accept` is not available in this build"))
}
