//! Many checks over one estate: what each finds, and whether it passes.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::explain::way::Assumption;
use crate::model::Sym;
use crate::model::ids::{id_parts, id_type, parent_id};
use crate::query::error::{self, QueryError};
use crate::query::eval::{Premise, evaluate};
use crate::query::library::{self, Folder};
use crate::query::program::{Piece, Program, Severity};
use crate::query::relations::{Declaration, Relations};
use crate::query::shipped;
use crate::query::value::{Type, Value};
use crate::syntax::{Source, Span};

/// A check: a program with one violation, which has the name of its file.
#[derive(Clone, Debug)]
pub struct Check {
    /// The check's own file first, then the library's.
    pub sources: Vec<Source>,
    /// The compiled program; it has exactly one violation.
    pub program: Program,
}

impl Check {
    /// Compiles `sources`, of which the first is the check's own file. `Err` holds every mistake.
    pub fn compile(sources: Vec<Source>, estate: &[Declaration]) -> Result<Check, CheckError> {
        match compile(&sources, estate) {
            Ok(program) => Ok(Check { sources, program }),
            Err(errors) => Err(CheckError { sources, errors }),
        }
    }

    /// The check's id.
    pub fn id(&self) -> &str {
        self.program.violations.first().map_or("", |violation| violation.id.as_str())
    }
}

fn compile(sources: &[Source], estate: &[Declaration]) -> Result<Program, Vec<QueryError>> {
    let program = Program::compile(sources, estate)?;
    let name = sources.first().map_or("", |source| source.name.as_str());
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match program.violations.as_slice() {
        [] => {
            let wrong = error::violation(Span::default(), format!("`{stem}.dl` has no `.violation`"), "a check says what a finding means");
            Err(vec![wrong])
        }
        violations => match violations.iter().find(|violation| violation.id != stem) {
            Some(other) => Err(vec![error::file_name(other.span, &other.id, &stem)]),
            None => Ok(program),
        },
    }
}

/// A check that cannot run, with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckError {
    /// The check's sources.
    pub sources: Vec<Source>,
    /// What is wrong.
    pub errors: Vec<QueryError>,
}

impl CheckError {
    /// Every message, with the places underlined.
    pub fn render(&self) -> String {
        self.errors.iter().map(|error| error.render(&self.sources)).collect::<Vec<_>>().join("\n")
    }
}

/// The shipped checks, by id, over the relations of `estate`.
pub fn shipped(estate: &[Declaration]) -> Result<Vec<Check>, Vec<CheckError>> {
    all(shipped::CHECKS.iter().map(|(path, text)| Source { name: (*path).to_owned(), text: (*text).to_owned() }), &[], estate)
}

/// The checks of a person's folder, by id. An id that one of `known` has already is a mistake.
pub fn own(folder: Folder, known: &[Check], estate: &[Declaration]) -> Result<Vec<Check>, Vec<CheckError>> {
    let checks = all(folder.checks.into_iter(), &folder.library, estate)?;
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut errors = Vec::new();
    for check in known.iter().chain(&checks) {
        let file = check.sources.first().map_or("", |source| source.name.as_str());
        if let Some(other) = seen.insert(check.id(), file) {
            let span = check.program.violations.first().map_or(Span::default(), |violation| violation.span);
            let error = error::redeclared(span, check.id(), &format!("a check, in `{other}`"));
            errors.push(CheckError { sources: check.sources.clone(), errors: vec![error] });
        }
    }
    if errors.is_empty() { Ok(checks) } else { Err(errors) }
}

fn all(files: impl Iterator<Item = Source>, library: &[Source], estate: &[Declaration]) -> Result<Vec<Check>, Vec<CheckError>> {
    let (mut checks, mut errors) = (Vec::new(), Vec::new());
    for file in files {
        let sources: Vec<Source> = std::iter::once(file).chain(library.iter().cloned()).collect();
        match Check::compile(sources, estate) {
            Ok(check) => checks.push(check),
            Err(error) => errors.push(error),
        }
    }
    checks.sort_by(|a, b| a.id().cmp(b.id()));
    if errors.is_empty() { Ok(checks) } else { Err(errors) }
}

/// Every check of the binary and, with `folder`, of a person's folder. `Err` is the text to show.
pub fn checks(folder: Option<&Path>, estate: &[Declaration]) -> Result<Vec<Check>, String> {
    let text = |errors: Vec<CheckError>| errors.iter().map(CheckError::render).collect::<Vec<_>>().join("\n");
    let mut checks = shipped(estate).map_err(text)?;
    if let Some(dir) = folder {
        let mine = own(library::read_folder(dir)?, &checks, estate).map_err(text)?;
        checks.extend(mine);
        checks.sort_by(|a, b| a.id().cmp(b.id()));
    }
    Ok(checks)
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No finding.
    Pass,
    /// A proven finding.
    Fail,
    /// Findings, none of them proven; or the check could not be evaluated.
    Unproven,
}

impl Outcome {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Unproven => "unproven",
        }
    }
}

/// One row of a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Column names and values, in the order of the declaration, without `certainty`.
    pub witness: Vec<(String, Value)>,
    /// Whether it is proven.
    pub proven: bool,
    /// The message with ids.
    pub message: String,
    /// The message with names as people write them.
    pub text: String,
    /// What an unproven finding takes for granted: the gaps of the resources it names. Sorted; [`Report::explain`] adds more.
    pub assumptions: Vec<Assumption>,
    /// The derived rows it follows from.
    pub premises: Vec<Premise>,
    /// Why it holds, in the order a person would follow it; empty until [`Report::explain`].
    pub because: Vec<Rc<Because>>,
}

/// A line of a finding's proof.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Because {
    /// Where on the way, or what it is about: a word.
    pub stage: String,
    /// In plain words.
    pub text: String,
    /// The resource that decides; empty where none does.
    pub resource: Sym,
    /// Where it stood in the input; empty where nowhere.
    pub file: String,
    /// A JSON pointer into the file.
    pub pointer: String,
    /// The line, from 1, where the file could be read again. Text only.
    pub line: Option<usize>,
}

/// Why a finding holds, and what it takes for granted.
pub type Explanation = (Vec<Because>, Vec<Assumption>);

impl Finding {
    /// `proven` or `unproven`.
    pub fn certainty(&self) -> &'static str {
        if self.proven { "proven" } else { "unproven" }
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// The check's id.
    pub id: String,
    /// One line.
    pub title: String,
    /// How bad a finding is.
    pub severity: Severity,
    /// A page that explains it; may be empty.
    pub reference: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Sorted by witness, each witness once.
    pub findings: Vec<Finding>,
    /// Why it could not be evaluated, as a rendered message; empty where it could.
    pub error: String,
}

/// What all checks found, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One per check.
    pub checks: Vec<CheckResult>,
}

impl Report {
    /// Whether some check does not pass: exit code 1. What must not be fails on `unproven` as well.
    pub fn violated(&self) -> bool {
        self.checks.iter().any(|check| check.outcome != Outcome::Pass)
    }

    /// Asks `why` for the proof of every finding.
    pub fn explain(&mut self, why: &dyn Fn(&Finding) -> Explanation) {
        // Most lines stand in the proofs of many findings.
        let mut lines: FxHashSet<Rc<Because>> = FxHashSet::default();
        for finding in self.checks.iter_mut().flat_map(|check| &mut check.findings) {
            let (because, more) = why(finding);
            let shared = |line: Because| match lines.get(&line) {
                Some(known) => known.clone(),
                None => {
                    let line = Rc::new(line);
                    lines.insert(line.clone());
                    line
                }
            };
            finding.because = because.into_iter().map(shared).collect();
            if !finding.proven {
                finding.assumptions.extend(more);
                Assumption::tidy(&mut finding.assumptions);
            }
        }
    }

    /// Whether some check could not be evaluated: exit code 2.
    pub fn broken(&self) -> bool {
        self.checks.iter().any(|check| !check.error.is_empty())
    }
}

/// Runs `checks` over `relations`; each may look at `budget` rows. A check that cannot be evaluated is `unproven` and says why.
pub fn run(checks: &[Check], relations: &dyn Relations, budget: u64) -> Report {
    let names = Names { relations };
    let mut report = Report { checks: checks.iter().flat_map(|check| results(check, &names, budget)).collect() };
    report.checks.sort_by(|a, b| a.id.cmp(&b.id));
    report
}

fn results(check: &Check, names: &Names<'_>, budget: u64) -> Vec<CheckResult> {
    let answers = evaluate(&check.program, names.relations, budget);
    let mut results = Vec::new();
    // Where a value of the input could not be read, nothing that a flow decides is proven (SND-02).
    let unread = names.relations.rows("unread", &[None, None]).is_ok_and(|rows| !rows.is_empty());
    for violation in &check.program.violations {
        let columns = &check.program.declared[violation.relation].columns;
        let (rows, error) = match &answers {
            Ok(answers) => (answers.rows(violation.relation), String::new()),
            Err(error) => (Default::default(), error.render(&check.sources)),
        };
        // One witness may hold for a proven and for an unproven reason: then it is proven.
        let mut certainty: BTreeMap<Vec<Value>, (bool, Vec<Value>)> = BTreeMap::new();
        for row in rows {
            let proven = violation.certainty.is_none_or(|at| row[at].as_symbol() == Some("proven") && !unread);
            let witness = row.iter().enumerate().filter(|(at, _)| Some(*at) != violation.certainty).map(|(_, value)| *value).collect();
            let entry = certainty.entry(witness).or_insert((proven, row.clone()));
            if proven {
                *entry = (true, row);
            }
        }
        let shown: Vec<&(String, Type)> =
            columns.iter().enumerate().filter(|(at, _)| Some(*at) != violation.certainty).map(|(_, column)| column).collect();
        let finding = |(witness, (proven, row)): (Vec<Value>, (bool, Vec<Value>))| Finding {
            assumptions: if proven { Vec::new() } else { names.gaps(&witness) },
            premises: answers.as_ref().map_or(Vec::new(), |answers| answers.premises(violation.relation, &row).to_vec()),
            because: Vec::new(),
            witness: shown.iter().zip(witness).map(|((name, _), value)| (name.clone(), value)).collect(),
            proven,
            message: fill(&violation.message, &row, |value| value.to_string()),
            text: fill(&violation.message, &row, |value| names.short(value)),
        };
        let findings: Vec<Finding> = certainty.into_iter().map(finding).collect();
        let outcome = match () {
            () if findings.iter().any(|finding| finding.proven) => Outcome::Fail,
            () if !findings.is_empty() || !error.is_empty() => Outcome::Unproven,
            () if unread && violation.certainty.is_some() => Outcome::Unproven,
            () => Outcome::Pass,
        };
        results.push(CheckResult {
            id: violation.id.clone(),
            title: violation.title.clone(),
            severity: violation.severity,
            reference: violation.reference.clone(),
            outcome,
            findings,
            error,
        });
    }
    results
}

fn fill(message: &[Piece], row: &[Value], show: impl Fn(Value) -> String) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Column(at) => show(row[*at]),
    };
    message.iter().map(piece).collect()
}

/// What the estate says about the resources of a finding.
struct Names<'a> {
    relations: &'a dyn Relations,
}

impl Names<'_> {
    /// `hub/web` for a subnet's id, `corpdata` for an account's; any other value as it is.
    fn short(&self, value: Value) -> String {
        let Some(id) = value.as_symbol().filter(|text| text.starts_with("/subscriptions/")) else { return value.to_string() };
        let Some(kind) = id_type(id) else { return id_parts(id).name.to_owned() };
        // One name per level below the namespace: `virtualnetworks/subnets` has two.
        let mut names = Vec::new();
        let mut at = Some(id);
        for _ in 0..kind.matches('/').count() {
            let Some(level) = at else { break };
            names.push(self.written(level));
            at = parent_id(level);
        }
        names.reverse();
        names.join("/")
    }

    /// What is not understood of the resources that a witness names.
    fn gaps(&self, witness: &[Value]) -> Vec<Assumption> {
        let resources = witness.iter().filter(|value| value.as_symbol().is_some_and(|text| !text.is_empty()));
        let rows = resources.flat_map(|value| self.relations.rows("gap", &[Some(*value), None, None]).unwrap_or_default());
        let assumption = |row: Vec<Value>| match row.as_slice() {
            [Value::Symbol(resource), _, what] => {
                Some(Assumption { code: "W-UNSUPPORTED".to_owned(), resource: *resource, text: what.to_string() })
            }
            _ => None,
        };
        let mut found: Vec<Assumption> = rows.filter_map(assumption).collect();
        found.sort_by(|a, b| (a.resource.as_str(), &a.text).cmp(&(b.resource.as_str(), &b.text)));
        found.dedup();
        found
    }

    /// The last segment as the export writes it.
    fn written(&self, id: &str) -> String {
        let mut bound = vec![None; 7];
        bound[0] = Some(Value::text(id));
        let rows = self.relations.rows("resource", &bound).unwrap_or_default();
        let name = rows.first().and_then(|row| row.get(2)).and_then(|name| name.as_symbol()).filter(|name| !name.is_empty());
        name.unwrap_or(id_parts(id).name).to_owned()
    }
}
