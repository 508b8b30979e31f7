//! `watertight verify`: all checks, a report, an exit code.

use crate::cli::args::{Format, Global, VerifyArgs};
use crate::cli::console::no_format;
use crate::cli::{Console, Fail, Outcome, estate};
use crate::facts::gap::Gap;
use crate::model::Sym;
use crate::query::{render, snapshot};

/// Runs the checks. A finding is exit code 1, also an unproven one: what must not be is not shown to be absent. With `--snapshot` only what
/// differs from the approved findings is. A check that cannot be evaluated is 2.
///
/// # Errors
/// The input, a check or the snapshot cannot be used.
pub fn run(args: &VerifyArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let format = global.format.unwrap_or(Format::Text);
    if !matches!(format, Format::Text | Format::Json | Format::Junit | Format::Markdown | Format::Sarif) {
        return Err(no_format("verify", format, "text, json, junit, markdown and sarif"));
    }
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let progress = console.progress("running the checks");
    let report = opened.verify(args.queries.as_deref(), estate::workers(global)).map_err(Fail::Text)?;
    drop(progress);
    let comparison = match &args.snapshot {
        Some(folder) => Some(snapshot::compare(folder, &report).map_err(|why| Fail::new("cli::snapshot", why))?),
        None => None,
    };
    let gaps: Vec<Gap> = opened.index.gaps.rows().copied().collect();
    let comparison = comparison.as_ref();
    let colour = console.look.colour;
    console.result(global, |out| {
        let text = match format {
            Format::Json => return render::to_json(&report, &gaps, comparison, out),
            Format::Junit => render::to_junit(&report),
            Format::Markdown => render::to_markdown(&report, comparison),
            Format::Sarif => {
                let origin = |id: &str| opened.place(Sym::new(id)).map(|place| (place.file, place.line.unwrap_or(1)));
                render::to_sarif(&report, &origin)
            }
            _ => render::to_text(&report, &gaps, comparison, colour),
        };
        out.write_all(text.as_bytes())
    })?;
    if let (Some(folder), Some(comparison)) = (&args.snapshot, comparison) {
        snapshot::write_pending(folder, comparison).map_err(|why| Fail::new("cli::snapshot", why))?;
    }
    let violated = comparison.map_or(report.violated(), snapshot::Comparison::unapproved);
    Ok(match (report.broken(), violated) {
        (true, _) => Outcome::Unusable,
        (false, true) => Outcome::Violation,
        (false, false) => Outcome::Well,
    })
}
