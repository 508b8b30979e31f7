//! `watertight lint`: misconfigurations, with what to do about each.

use crate::cli::args::{Format, Global, LintArgs};
use crate::cli::console::no_format;
use crate::cli::{Console, Fail, Outcome, estate};
use crate::facts::gap::Gap;
use crate::query::lint;

/// Prints what the lints find. It only answers: a finding is no failure.
///
/// # Errors
/// The input cannot be used.
pub fn run(args: &LintArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let format = global.format.unwrap_or(Format::Text);
    if !matches!(format, Format::Text | Format::Json | Format::Ndjson) {
        return Err(no_format("lint", format, "text, json and ndjson"));
    }
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let progress = console.progress("looking for misconfigurations");
    let (lints, findings) = opened.lint(estate::workers(global)).map_err(Fail::Text)?;
    drop(progress);
    let gaps: Vec<Gap> = opened.index.gaps.rows().copied().collect();
    let text = match format {
        Format::Json => lint::to_json(&findings, &gaps),
        Format::Ndjson => lint::to_ndjson(&findings),
        _ => lint::to_text(&findings, &lints, &gaps, console.look.colour),
    };
    console.result(global, |out| out.write_all(text.as_bytes()))?;
    Ok(Outcome::Well)
}
