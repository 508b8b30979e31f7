//! The tree of a program, as written: nothing is resolved.

use std::net::IpAddr;

use crate::model::Prefix;
use crate::syntax::source::Span;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// What a program consists of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// `.decl` lines.
    pub declarations: Vec<Declaration>,
    /// `.violation` lines.
    pub violations: Vec<Violation>,
    /// `.output` lines.
    pub outputs: Vec<Name>,
    /// Rules; a fact is a rule without a body.
    pub rules: Vec<Rule>,
}

/// `.decl name(column: type, …) needs(column, …)`
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The relation.
    pub name: Name,
    /// Column names and types.
    pub columns: Vec<(Name, Name)>,
    /// One of these must be bound where the relation is read; empty: none need be.
    pub needs: Vec<Name>,
    /// The `//` comment directly above.
    pub doc: String,
}

/// `.violation name key=value … "message"`
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The relation whose rows are findings.
    pub name: Name,
    /// `severity=high title="…"`: key, value, where the value stands.
    pub attributes: Vec<(Name, String, Span)>,
    /// The message with its placeholders; absent where the line has none.
    pub message: Option<(String, Span)>,
}

/// `head :- body.`
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What is derived.
    pub head: Atom,
    /// What must hold; all of it.
    pub body: Vec<Literal>,
    /// From the head to the dot.
    pub span: Span,
}

/// `name(term, …)`
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// The relation or function.
    pub name: Name,
    /// Its arguments.
    pub terms: Vec<Term>,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

/// One condition of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `name(…)` or `!name(…)`.
    Atom {
        /// Whether it must not hold.
        negated: bool,
        /// What.
        atom: Atom,
    },
    /// `X < 5`
    Compare {
        /// The left side.
        left: Term,
        /// The operator.
        op: Op,
        /// The right side.
        right: Term,
        /// The whole.
        span: Span,
    },
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// A variable.
    Variable(Name),
    /// `_`
    Wild(Span),
    /// A constant.
    Constant(Constant, Span),
}

impl Term {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Term::Variable(name) => name.span,
            Term::Wild(span) | Term::Constant(_, span) => *span,
        }
    }
}

/// A constant as written; a text may yet become an address or a prefix, by the column it stands in.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// `"…"`
    Text(String),
    /// `443`
    Number(u64),
    /// `true`
    Bool(bool),
    /// `10.0.0.4`
    Address(IpAddr),
    /// `10.0.0.0/8`
    Prefix(Prefix),
}
