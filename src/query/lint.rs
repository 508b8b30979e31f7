//! Lints: checks for misconfigurations, each with an id of the rule book and a repair. They are one program, so that they share what they derive.
//!
//! A lint `L-033` is the violation `l033`; where it is worse in one case than in another, the other case is a violation of its own, `l033_visible`.
//! The first column of a violation is the resource that the finding is about; other columns that hold resource ids are what it is related to.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::explain::way::Assumption;
use crate::facts::gap::Gap;
use crate::query::program::{Program, Severity, Violation};
use crate::query::relations::{Declaration, Relations};
use crate::query::render;
use crate::query::shipped::LINTS;
use crate::query::value::Value;
use crate::query::verify::{self, Check, CheckError};
use crate::syntax::Source;

/// How many rows all lints together may look at: far more than an estate of ten thousand subnets needs.
const BUDGET: u64 = 2_000_000_000;

/// A case of a lint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// `L-033`
    pub id: String,
    /// How bad a finding is.
    pub severity: Severity,
    /// What is wrong, one line.
    pub title: String,
    /// What to do about it, a sentence.
    pub repair: String,
    /// The rules behind it.
    pub rules: String,
    /// A page that explains it; may be empty.
    pub reference: String,
}

impl Lint {
    /// The lint that a violation is a case of.
    fn of(violation: &Violation) -> Lint {
        let Violation { severity, title, repair, rules, reference, .. } = violation.clone();
        Lint { id: lint_id(&violation.id), severity, title, repair, rules, reference }
    }
}

/// `L-033` for `l033_visible`.
fn lint_id(violation: &str) -> String {
    let number: String = violation.chars().skip(1).take_while(char::is_ascii_digit).collect();
    format!("L-{number}")
}

/// A misconfiguration of one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The lint's id.
    pub id: String,
    /// The resource.
    pub resource: String,
    /// What is wrong with it, with ids.
    pub message: String,
    /// How bad it is.
    pub severity: Severity,
    /// Other resources that have part in it, sorted.
    pub related: Vec<String>,
    /// What to do about it.
    pub repair: String,
    /// Whether it is proven.
    pub proven: bool,
    /// The message with names as people write them.
    pub text: String,
    /// What an unproven finding takes for granted, sorted.
    pub assumptions: Vec<Assumption>,
}

/// The shipped lints as one compiled program, over the relations of `estate`.
///
/// # Errors
/// A file of `queries/lints/` does not compile: our mistake, which the tests find.
pub fn compile(estate: &[Declaration]) -> Result<Check, CheckError> {
    let sources: Vec<Source> = LINTS.iter().map(|(path, text)| Source { name: (*path).to_owned(), text: (*text).to_owned() }).collect();
    match Program::compile(&sources, estate) {
        Ok(program) => Ok(Check { sources, program }),
        Err(errors) => Err(CheckError { sources, errors }),
    }
}

/// Every case of every lint, by id, the worst first.
pub fn lints(check: &Check) -> Vec<Lint> {
    let mut lints: Vec<Lint> = check.program.violations.iter().map(Lint::of).collect();
    lints.sort_by(|a, b| (&a.id, a.severity, &a.title).cmp(&(&b.id, b.severity, &b.title)));
    lints
}

/// What the lints find, by id, resource and message.
///
/// # Errors
/// The program could not be evaluated: the message.
pub fn run(check: &Check, relations: &dyn Relations) -> Result<Vec<Finding>, String> {
    let report = verify::run(std::slice::from_ref(check), relations, BUDGET);
    let mut findings: BTreeSet<Finding> = BTreeSet::new();
    for result in report.checks {
        if !result.error.is_empty() {
            return Err(result.error);
        }
        let Some(violation) = check.program.violations.iter().find(|violation| violation.id == result.id) else { continue };
        let lint = Lint::of(violation);
        for finding in result.findings {
            let mut ids: Vec<String> = finding.witness.iter().map(|(_, value)| value.to_string()).collect();
            let resource = if ids.is_empty() { String::new() } else { ids.remove(0) };
            // A rule in a list of the resource's own body has a name like an id, but is none.
            let part = |id: &str| id.strip_prefix(&resource).is_some_and(|rest| rest.starts_with('/')) && !is_resource(relations, id);
            let mut related: Vec<String> = ids.into_iter().filter(|id| id.starts_with('/') && *id != resource && !part(id)).collect();
            related.sort();
            related.dedup();
            findings.insert(Finding {
                id: lint.id.clone(),
                resource,
                message: finding.message,
                severity: lint.severity,
                related,
                repair: lint.repair.clone(),
                proven: finding.proven,
                text: finding.text,
                assumptions: finding.assumptions,
            });
        }
    }
    Ok(findings.into_iter().collect())
}

/// Whether the input holds the resource.
fn is_resource(relations: &dyn Relations, id: &str) -> bool {
    let mut bound = vec![None; 7];
    bound[0] = Some(Value::text(id));
    relations.rows("resource", &bound).is_ok_and(|rows| !rows.is_empty())
}

/// `lint --format json`, ending in a line break.
pub fn to_json(findings: &[Finding], gaps: &[Gap]) -> String {
    let mut out = Map::new();
    out.insert("schema".to_owned(), json!("watertight.lint/1"));
    out.insert("findings".to_owned(), findings.iter().map(finding_json).collect());
    out.insert("gaps".to_owned(), render::gaps_json(gaps));
    format!("{}\n", Json::Object(out))
}

/// `lint --format ndjson`: a finding a line.
pub fn to_ndjson(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{}\n", finding_json(finding))).collect()
}

fn finding_json(finding: &Finding) -> Json {
    let mut out = json!({
        "id": finding.id,
        "severity": finding.severity.as_str(),
        "resource": finding.resource,
        "message": finding.message,
        "related": finding.related,
        "repair": finding.repair,
        "certainty": if finding.proven { "proven" } else { "unproven" },
    });
    if !finding.proven {
        out["assumptions"] = finding.assumptions.iter().map(render::assumption_json).collect();
    }
    out
}

/// `lint` for people: the worst first, each lint once with its findings and its repair.
pub fn to_text(findings: &[Finding], lints: &[Lint], gaps: &[Gap], colour: bool) -> String {
    let paint = |style: anstyle::Style, text: &str| if colour { format!("{style}{text}{style:#}") } else { text.to_owned() };
    let mut out = String::new();
    let mut counts = Vec::new();
    for severity in Severity::ALL {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        if count == 0 {
            continue;
        }
        counts.push(format!("{count} {}", severity.as_str()));
        let _ = writeln!(out, "{}", paint(anstyle::Style::new().bold(), severity.as_str()));
        for lint in lints.iter().filter(|lint| lint.severity == severity) {
            let of_lint = |finding: &&Finding| finding.id == lint.id && finding.severity == severity && finding.repair == lint.repair;
            let found: Vec<&Finding> = findings.iter().filter(of_lint).collect();
            if found.is_empty() {
                continue;
            }
            let _ = writeln!(out, "  {}  {}", paint(level(severity), &lint.id), lint.title);
            for finding in found {
                let note = if finding.proven { "" } else { "  (unproven)" };
                let _ = writeln!(out, "    {}{note}", render::clean(&finding.text));
                for assumption in &finding.assumptions {
                    let _ = writeln!(out, "      {}: {}", render::clean(assumption.resource.as_str()), render::clean(&assumption.text));
                }
            }
            let _ = writeln!(out, "    = help: {}", lint.repair);
        }
        out.push('\n');
    }
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    let _ = writeln!(out, "{}{counts}", format_args!("{} finding{}", findings.len(), if findings.len() == 1 { "" } else { "s" }));
    if !gaps.is_empty() {
        let _ = writeln!(out, "parts of the input that are not understood: {}", gaps.len());
    }
    out
}

fn level(severity: Severity) -> anstyle::Style {
    match severity {
        Severity::Critical | Severity::High => anstyle::AnsiColor::Red.on_default(),
        Severity::Medium => anstyle::AnsiColor::Yellow.on_default(),
        Severity::Low | Severity::Info => anstyle::Style::new(),
    }
}
