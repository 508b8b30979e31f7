//! `watertight verify`: all checks, a report, an exit code.

use crate::cli::args::{Global, VerifyArgs};
use crate::cli::{Console, Fail, Outcome};

/// Runs the checks.
///
/// # Errors
/// The engine is not part of this build.
pub fn run(_args: &VerifyArgs, _global: &Global, _console: &mut Console) -> Result<Outcome, Fail> {
    Err(Fail::new("cli::not_available", "`verify` is not available in this build"))
}
