//! The report of `verify` in every format.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::explain::way::Assumption;
use crate::facts::gap::Gap;
use crate::query::program::Severity;
use crate::query::snapshot::{Comparison, Move};
use crate::query::value::Value;
use crate::query::verify::{Because, CheckResult, Finding, Outcome, Report};

/// A cell as JSON: numbers and booleans as such, anything else as text.
pub fn cell(value: Value) -> Json {
    match value {
        Value::Number(number) => json!(number),
        Value::Bool(bool) => json!(bool),
        other => json!(other.to_string()),
    }
}

/// Writes `verify --format json`, ending in a line break. `comparison` is there with `--snapshot`. Findings are many: no more than one is JSON in memory.
///
/// # Errors
/// Those of `out`.
pub fn to_json(report: &Report, gaps: &[Gap], comparison: Option<&Comparison>, mut out: &mut dyn Write) -> io::Result<()> {
    let moves = comparison.map(|comparison| &comparison.moves);
    let moved = |row: &Move| json!({"check": row.check, "change": row.sign(), "row": row.line});
    let document = Document {
        schema: "watertight.verify/1",
        checks: Each(&report.checks, check_json),
        gaps: gaps_json(gaps),
        unapproved: moves.map(|moves| moves.iter().map(moved).collect()),
    };
    serde_json::to_writer(&mut out, &document)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    checks: Each<'r, CheckResult, CheckJson<'r>>,
    gaps: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    unapproved: Option<Json>,
}

#[derive(Serialize)]
struct CheckJson<'r> {
    id: &'r str,
    title: &'r str,
    severity: &'static str,
    result: &'static str,
    findings: Each<'r, Finding, Json>,
    #[serde(skip_serializing_if = "str::is_empty")]
    error: &'r str,
}

/// A list, each item of which is made when it is written.
struct Each<'r, T, J>(&'r [T], fn(&'r T) -> J);

impl<T, J: Serialize> Serialize for Each<'_, T, J> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

/// The gaps of an input, sorted, as every document lists them.
pub(super) fn gaps_json(gaps: &[Gap]) -> Json {
    let mut gaps: Vec<[&str; 3]> = gaps.iter().map(|gap| [gap.resource.as_str(), gap.kind.as_str(), gap.what.as_str()]).collect();
    gaps.sort_unstable();
    gaps.dedup();
    gaps.iter().map(|[resource, kind, what]| json!({"resource": resource, "type": kind, "what": what})).collect()
}

/// What an unproven row takes for granted.
pub(super) fn assumption_json(assumption: &Assumption) -> Json {
    json!({"code": assumption.code, "resource": assumption.resource.as_str(), "text": assumption.text})
}

fn check_json(check: &CheckResult) -> CheckJson<'_> {
    CheckJson {
        id: &check.id,
        title: &check.title,
        severity: check.severity.as_str(),
        result: check.outcome.as_str(),
        findings: Each(&check.findings, finding_json),
        error: &check.error,
    }
}

fn finding_json(finding: &Finding) -> Json {
    let witness: Map<String, Json> = finding.witness.iter().map(|(name, value)| (name.clone(), cell(*value))).collect();
    let mut out = json!({"witness": witness, "certainty": finding.certainty(), "message": finding.message});
    if !finding.because.is_empty() {
        out["because"] = finding.because.iter().map(|line| because_json(line)).collect();
    }
    if !finding.proven {
        out["assumptions"] = finding.assumptions.iter().map(assumption_json).collect();
    }
    out
}

fn because_json(because: &Because) -> Json {
    let mut out = json!({"stage": because.stage, "text": because.text});
    if !because.resource.is_empty() {
        out["resource"] = json!(because.resource.as_str());
    }
    if !because.file.is_empty() {
        out["source"] = json!({"file": because.file, "pointer": because.pointer});
    }
    out
}

/// Text with or without colour.
struct Paint(bool);

impl Paint {
    fn with(&self, style: anstyle::Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn outcome(&self, outcome: Outcome, text: &str) -> String {
        let colour = match outcome {
            Outcome::Pass => anstyle::AnsiColor::Green,
            Outcome::Fail => anstyle::AnsiColor::Red,
            Outcome::Unproven => anstyle::AnsiColor::Yellow,
        };
        self.with(colour.on_default(), text)
    }
}

/// `verify` for people: the worst first, then what passes, then the counts.
pub fn to_text(report: &Report, gaps: &[Gap], comparison: Option<&Comparison>, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = String::new();
    for severity in Severity::ALL {
        let mut checks: Vec<&CheckResult> =
            report.checks.iter().filter(|check| check.severity == severity && check.outcome != Outcome::Pass).collect();
        if checks.is_empty() {
            continue;
        }
        checks.sort_by_key(|check| check.outcome == Outcome::Unproven);
        let _ = writeln!(out, "{}", paint.with(anstyle::Style::new().bold(), severity.as_str()));
        for check in checks {
            check_text(&mut out, check, &paint);
        }
        out.push('\n');
    }
    let passed: Vec<&str> = ids(report, Outcome::Pass);
    if !passed.is_empty() {
        let _ = writeln!(out, "{}", paint.outcome(Outcome::Pass, "passed"));
        for id in &passed {
            let _ = writeln!(out, "  {id}");
        }
        out.push('\n');
    }
    if let Some(comparison) = comparison {
        let _ = writeln!(out, "{}", comparison.to_text());
    }
    let _ = writeln!(
        out,
        "{} checks: {} failed, {} unproven, {} passed",
        report.checks.len(),
        ids(report, Outcome::Fail).len(),
        ids(report, Outcome::Unproven).len(),
        passed.len()
    );
    if !gaps.is_empty() {
        let _ = writeln!(out, "parts of the input that are not understood: {}", gaps.len());
    }
    out
}

fn ids(report: &Report, outcome: Outcome) -> Vec<&str> {
    report.checks.iter().filter(|check| check.outcome == outcome).map(|check| check.id.as_str()).collect()
}

fn check_text(out: &mut String, check: &CheckResult, paint: &Paint) {
    let word = paint.outcome(check.outcome, &format!("{:<8}", check.outcome.as_str()));
    let _ = writeln!(out, "  {word}  {}: {}", check.id, check.title);
    for finding in &check.findings {
        let text = clean(&finding.text);
        let note = if finding.proven { String::new() } else { paint.outcome(Outcome::Unproven, "  (unproven)") };
        let _ = writeln!(out, "            {text}{note}");
        for because in &finding.because {
            let _ = writeln!(out, "              {}", line_of(because));
        }
        for assumption in &finding.assumptions {
            let _ = writeln!(out, "              assumes {}: {}", assumption.code, clean(&assumption.text));
        }
    }
    for line in check.error.lines() {
        let _ = writeln!(out, "            {line}");
    }
    if !check.reference.is_empty() {
        let _ = writeln!(out, "            {}", check.reference);
    }
}

/// A name may hold anything, so it must not be able to draw on the terminal or begin a line.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `because  route: by system route …  networks.json:/data/3(120)`
fn line_of(because: &Because) -> String {
    let mut line = format!("because {}: {}", because.stage, clean(&because.text));
    if !because.file.is_empty() {
        let _ = write!(line, "  {}", clean(&because.file));
        if !because.pointer.is_empty() {
            let _ = write!(line, ":{}", clean(&because.pointer));
        }
        if let Some(number) = because.line {
            let _ = write!(line, "({number})");
        }
    }
    line
}

/// `verify --format junit`: a test case per check.
pub fn to_junit(report: &Report) -> String {
    let failed = report.checks.iter().filter(|check| check.outcome != Outcome::Pass).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites tests=\"{}\" failures=\"{failed}\">", report.checks.len());
    let _ = writeln!(out, "  <testsuite name=\"watertight verify\" tests=\"{}\" failures=\"{failed}\">", report.checks.len());
    for check in &report.checks {
        let _ = write!(out, "    <testcase classname=\"watertight.{}\" name=\"{}\"", check.severity.as_str(), xml(&check.id));
        if check.outcome == Outcome::Pass {
            let _ = writeln!(out, "/>");
            continue;
        }
        let kind = check.outcome.as_str();
        let _ = writeln!(out, ">\n      <failure type=\"{kind}\" message=\"{}\">", xml(&check.title));
        for finding in &check.findings {
            let _ = writeln!(out, "{}: {}", finding.certainty(), xml(&finding.message));
            for because in &finding.because {
                let _ = writeln!(out, "  {}", xml(&line_of(because)));
            }
        }
        let _ = writeln!(out, "{}</failure>\n    </testcase>", xml(&check.error));
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Text inside XML: what XML cannot hold becomes a blank.
fn xml(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// `verify --format markdown`: a table, and the findings of what does not pass.
pub fn to_markdown(report: &Report, comparison: Option<&Comparison>) -> String {
    let mut out = String::from("| Check | Severity | Result | Findings |\n|---|---|---|---|\n");
    for check in &report.checks {
        let (id, severity, result) = (&check.id, check.severity.as_str(), check.outcome.as_str());
        let _ = writeln!(out, "| `{id}` | {severity} | {result} | {} |", check.findings.len());
    }
    for check in report.checks.iter().filter(|check| check.outcome != Outcome::Pass) {
        let title = line(&check.title);
        let title = if check.reference.is_empty() { title } else { format!("[{title}]({})", check.reference) };
        let _ = writeln!(out, "\n### {title}\n\n`{}`, {}, {}\n", check.id, check.severity.as_str(), check.outcome.as_str());
        for finding in &check.findings {
            let _ = writeln!(out, "- {}{}", line(&finding.text), if finding.proven { "" } else { " (unproven)" });
            for because in &finding.because {
                let _ = writeln!(out, "  - {}", line(&line_of(because)));
            }
        }
        if !check.error.is_empty() {
            let _ = writeln!(out, "```\n{}```", check.error.replace("```", "` ` `"));
        }
    }
    if let Some(comparison) = comparison.filter(|comparison| comparison.unapproved()) {
        let _ = writeln!(out, "\n### Not approved\n\n```diff\n{}```", comparison.to_text().replace("```", "` ` `"));
    }
    out
}

/// Text in one line of Markdown: no line break ends a list, no tag begins.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().replace('<', "&lt;")
}

/// `verify --format sarif`. `origin` gives the file in which a resource stands and its line, where they are known.
pub fn to_sarif(report: &Report, origin: &dyn Fn(&str) -> Option<(String, usize)>) -> String {
    let level = |severity: Severity| match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    };
    let rule = |check: &CheckResult| {
        let mut rule = json!({
            "id": check.id,
            "shortDescription": {"text": check.title},
            "defaultConfiguration": {"level": level(check.severity)},
        });
        if !check.reference.is_empty() {
            rule["helpUri"] = json!(check.reference);
        }
        rule
    };
    let result = |at: usize, check: &CheckResult, finding: &Finding| {
        let ids = finding.witness.iter().filter_map(|(_, value)| value.as_symbol()).filter(|text| text.starts_with("/subscriptions/"));
        let ids: Vec<&str> = ids.collect();
        let logical: Vec<Json> = ids.iter().map(|id| json!({"fullyQualifiedName": id, "kind": "resource"})).collect();
        let mut location = Map::new();
        if let Some((file, line)) = ids.iter().find_map(|id| origin(id)) {
            let place = json!({"artifactLocation": {"uri": file}, "region": {"startLine": line.max(1)}});
            location.insert("physicalLocation".to_owned(), place);
        }
        if !logical.is_empty() {
            location.insert("logicalLocations".to_owned(), json!(logical));
        }
        let locations: Vec<Json> = if location.is_empty() { Vec::new() } else { vec![Json::Object(location)] };
        json!({
            "ruleId": check.id,
            "ruleIndex": at,
            "level": level(check.severity),
            "message": {"text": finding.message},
            "locations": locations,
            "properties": {"certainty": finding.certainty()},
        })
    };
    let results: Vec<Json> = report
        .checks
        .iter()
        .enumerate()
        .flat_map(|(at, check)| check.findings.iter().map(move |finding| (at, check, finding)))
        .map(|(at, check, finding)| result(at, check, finding))
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "watertight",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": report.checks.iter().map(rule).collect::<Vec<_>>(),
            }},
            "results": results,
        }],
    });
    format!("{document}\n")
}
