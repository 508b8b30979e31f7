//! A program that stands: every name is a number, every constant a value, every column has its type.

use crate::query::function::Function;
use crate::query::relations::Declaration;
use crate::query::value::Value;
use crate::syntax::Span;
use crate::syntax::ast::Op;

/// A program that can be evaluated.
#[derive(Clone, Debug)]
pub struct Program {
    /// The relations it declares.
    pub declared: Vec<Declaration>,
    /// The relations of the estate that it reads.
    pub estate: Vec<Declaration>,
    /// Its rules, in an order in which each reads only relations that are complete.
    pub rules: Vec<Rule>,
    /// What it judges.
    pub violations: Vec<Violation>,
    /// The relations it answers with, by position in `declared`.
    pub outputs: Vec<usize>,
}

/// A resolved rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The relation it derives, by position in `declared`.
    pub head: usize,
    /// The columns of what it derives.
    pub terms: Vec<Slot>,
    /// What must hold, in the order of the text.
    pub conditions: Vec<Condition>,
    /// How many variables there are.
    pub variables: usize,
    /// Where it stands.
    pub span: Span,
}

/// A resolved argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A variable, by its number in the rule.
    Variable(usize),
    /// A value.
    Constant(Value),
    /// Whatever.
    Any,
}

/// Where a relation's rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program, by position in `declared`.
    Own(usize),
    /// The estate, by position in `estate`.
    Estate(usize),
}

/// A resolved condition.
#[derive(Clone, Debug)]
pub enum Condition {
    /// The relation holds such a row, or (`negated`) holds none.
    Rows {
        /// Whether it must hold none.
        negated: bool,
        /// Which relation.
        from: Origin,
        /// One per column.
        args: Vec<Slot>,
        /// Where it stands.
        span: Span,
    },
    /// The comparison holds.
    Compare {
        /// The left side.
        left: Slot,
        /// The operator.
        op: Op,
        /// The right side.
        right: Slot,
    },
    /// The function holds, or (`negated`) does not.
    Call {
        /// Whether it must not hold.
        negated: bool,
        /// Which function.
        function: &'static Function,
        /// One per parameter.
        args: Vec<Slot>,
    },
}

/// How bad a finding is. Ordered from the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the words of the output")]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
    Info,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Severity; 5] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Info => "info",
        }
    }
}

/// A relation whose rows are findings.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The relation, by position in `declared`.
    pub relation: usize,
    /// Its name, which is the check's id.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// A page that explains it; empty where none is given.
    pub reference: String,
    /// What to do about a finding, a sentence; empty where none is given.
    pub repair: String,
    /// The rules behind it (`PE-10, PE-11`); empty where none are named.
    pub rules: String,
    /// The message's pieces.
    pub message: Vec<Piece>,
    /// The column that says how sure a finding is.
    pub certainty: Option<usize>,
    /// Where the name stands.
    pub span: Span,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// The value of a column, by position.
    Column(usize),
}

/// Whether the argument has a value, given which variables have one.
pub(super) fn has_value(slot: Slot, bound: &[bool]) -> bool {
    match slot {
        Slot::Variable(variable) => bound[variable],
        Slot::Constant(_) => true,
        Slot::Any => false,
    }
}

/// Gives the variables among the arguments a value.
pub(super) fn bind(slots: &[Slot], bound: &mut [bool]) {
    for slot in slots {
        if let Slot::Variable(variable) = slot {
            bound[*variable] = true;
        }
    }
}
