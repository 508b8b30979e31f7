//! `watertight completions`: for a person's shell.

use clap::CommandFactory;

use crate::cli::args::{Args, CompletionsArgs, Global};
use crate::cli::{Console, Fail, Outcome};

/// Prints the script.
///
/// # Errors
/// Nobody reads, or the file cannot be written.
pub fn run(args: &CompletionsArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "watertight", &mut script);
    console.result(global, |out| out.write_all(&script))?;
    Ok(Outcome::Well)
}
