//! `watertight verify`: all checks, a report, an exit code.

use crate::cli::args::{Format, Global, VerifyArgs};
use crate::cli::console::no_format;
use crate::cli::{Console, Fail, Outcome, estate};
use crate::facts::gap::Gap;
use crate::model::ids::normal_id;
use crate::query::{DEFAULT_BUDGET, Relations, render, snapshot, verify};

/// Runs the checks and prints the report. With a snapshot what moved is written beside it, to be approved.
///
/// # Errors
/// The input, a check or the snapshot cannot be used.
pub fn run(args: &VerifyArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let format = global.format.unwrap_or(Format::Text);
    if matches!(format, Format::Ndjson | Format::Csv | Format::Mermaid | Format::Dot) {
        return Err(no_format("verify", format, "text, json, junit, markdown and sarif"));
    }
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let progress = console.progress("running the checks");
    let relations = opened.relations();
    let checks = verify::checks(args.queries.as_deref(), &relations.declarations()).map_err(Fail::Text)?;
    let report = verify::run(&checks, &relations, DEFAULT_BUDGET);
    drop(progress);
    let problem = |why: String| Fail::new("cli::snapshot", why);
    let comparison = args.snapshot.as_deref().map(|folder| snapshot::compare(folder, &report)).transpose().map_err(problem)?;
    if let (Some(folder), Some(comparison)) = (&args.snapshot, &comparison) {
        snapshot::write_pending(folder, comparison).map_err(problem)?;
    }
    let mut gaps: Vec<Gap> = opened.index.gaps.rows().copied().collect();
    gaps.sort_by_key(|gap| (gap.resource.as_str(), gap.what.as_str()));
    let text = match format {
        Format::Json => render::to_json(&report, &gaps, comparison.as_ref()),
        Format::Junit => render::to_junit(&report),
        Format::Markdown => render::to_markdown(&report, comparison.as_ref()),
        Format::Sarif => {
            let origin = |id: &str| opened.place(normal_id(id)).and_then(|place| Some((place.file, place.line?)));
            render::to_sarif(&report, &origin)
        }
        _ => render::to_text(&report, &gaps, comparison.as_ref(), console.look.colour),
    };
    console.result(global, |out| out.write_all(text.as_bytes()))?;
    Ok(if report.broken() {
        Outcome::Unusable
    } else if report.violated() || comparison.is_some_and(|comparison| comparison.unapproved()) {
        Outcome::Violation
    } else {
        Outcome::Well
    })
}
