//! The variables of one rule: their numbers and types, and what each argument resolves to.

use rustc_hash::FxHashMap;

use crate::query::error::{self, QueryError};
use crate::query::function::{Body, Function, Param};
use crate::query::program::{Condition, Origin, Slot};
use crate::query::value::{Type, Value};
use crate::syntax::Span;
use crate::syntax::ast::{self, Constant, Literal, Op, Term};

/// What an atom names.
pub(super) enum Target {
    /// A relation.
    Relation(Origin),
    /// A function.
    Function(&'static Function),
}

/// The variables of one rule.
#[derive(Default)]
pub(super) struct Scope {
    numbers: FxHashMap<String, usize>,
    /// The variables' names, by number.
    pub(super) names: Vec<String>,
    /// Where each stands first.
    pub(super) first: Vec<Span>,
    kinds: Vec<Option<Type>>,
}

impl Scope {
    fn variable(&mut self, name: &ast::Name) -> usize {
        if let Some(number) = self.numbers.get(&name.text) {
            return *number;
        }
        let number = self.names.len();
        self.numbers.insert(name.text.clone(), number);
        self.names.push(name.text.clone());
        self.first.push(name.span);
        self.kinds.push(None);
        number
    }

    /// Takes the types of columns over to the variables that stand in them.
    pub(super) fn give(&mut self, terms: &[Term], columns: &[(String, Type)], errors: &mut Vec<QueryError>) {
        for (term, (_, kind)) in terms.iter().zip(columns) {
            let Term::Variable(name) = term else { continue };
            let variable = self.variable(name);
            match self.kinds[variable] {
                None => self.kinds[variable] = Some(*kind),
                Some(first) if first != *kind => errors.push(error::two_types(name.span, &name.text, first, *kind)),
                Some(_) => {}
            }
        }
    }

    /// Types of variables that only a comparison or a function gives a value to.
    pub(super) fn spread(&mut self, body: &[Literal], targets: &[Option<Target>]) {
        loop {
            let before = self.kinds.iter().filter(|kind| kind.is_some()).count();
            for (literal, target) in body.iter().zip(targets) {
                match (literal, target) {
                    (Literal::Compare { left, op: Op::Equal, right, .. }, _) => {
                        for (one, other) in [(left, right), (right, left)] {
                            let Term::Variable(name) = one else { continue };
                            let variable = self.variable(name);
                            if self.kinds[variable].is_none() {
                                self.kinds[variable] = self.kind(other);
                            }
                        }
                    }
                    (Literal::Atom { atom, negated: false }, Some(Target::Function(function))) => {
                        if let (Body::Gives(_), Some(Term::Variable(name)), Some((_, Param::Is(kind)))) =
                            (function.body, atom.terms.last(), function.params.last())
                        {
                            let variable = self.variable(name);
                            self.kinds[variable].get_or_insert(*kind);
                        }
                    }
                    _ => {}
                }
            }
            if self.kinds.iter().filter(|kind| kind.is_some()).count() == before {
                return;
            }
        }
    }

    fn kind(&mut self, term: &Term) -> Option<Type> {
        match term {
            Term::Variable(name) => {
                let variable = self.variable(name);
                self.kinds[variable]
            }
            Term::Wild(_) => None,
            Term::Constant(constant, _) => Some(natural(constant)),
        }
    }

    pub(super) fn rows(
        &mut self,
        negated: bool,
        from: Origin,
        atom: &ast::Atom,
        columns: &[(String, Type)],
    ) -> Result<Condition, QueryError> {
        let mut args = Vec::new();
        for (term, (column, kind)) in atom.terms.iter().zip(columns) {
            args.push(match term {
                Term::Variable(name) => Slot::Variable(self.variable(name)),
                Term::Wild(_) => Slot::Any,
                Term::Constant(constant, span) => Slot::Constant(fit(constant, *span, *kind, column)?),
            });
        }
        Ok(Condition::Rows { negated, from, args, span: atom.span })
    }

    pub(super) fn compare(&mut self, left: &Term, op: Op, right: &Term, span: Span) -> Result<Condition, QueryError> {
        for term in [left, right] {
            if let Term::Wild(at) = term {
                return Err(error::no_value(*at, "a comparison"));
            }
        }
        // A text beside an address is an address as written in a fact; constants bend to variables.
        let mut sides = [Slot::Any; 2];
        for (at, (one, other)) in [(left, right), (right, left)].into_iter().enumerate() {
            sides[at] = match one {
                Term::Variable(name) => Slot::Variable(self.variable(name)),
                Term::Wild(_) => Slot::Any,
                Term::Constant(constant, _) => {
                    let wanted = if matches!(other, Term::Variable(_)) { self.kind(other) } else { None };
                    let wanted = wanted.unwrap_or(natural(constant));
                    let value = wanted.constant(constant).ok_or_else(|| error::incomparable(span, wanted, natural(constant)))?;
                    Slot::Constant(value)
                }
            };
        }
        if let (Term::Variable(_), Term::Variable(_)) | (Term::Constant(..), Term::Constant(..)) = (left, right)
            && let (Some(one), Some(other)) = (self.kind(left), self.kind(right))
            && one != other
        {
            return Err(error::incomparable(span, one, other));
        }
        Ok(Condition::Compare { left: sides[0], op, right: sides[1] })
    }

    pub(super) fn call(&mut self, negated: bool, function: &'static Function, atom: &ast::Atom) -> Result<Condition, QueryError> {
        let mut args = Vec::new();
        for (at, (term, (name, param))) in atom.terms.iter().zip(function.params).enumerate() {
            args.push(match term {
                Term::Wild(_) if at >= function.inputs() => Slot::Any,
                Term::Wild(span) => return Err(error::no_value(*span, "an argument of a function")),
                Term::Variable(variable) => {
                    let number = self.variable(variable);
                    if let Some(kind) = self.kinds[number]
                        && !param.takes(kind)
                    {
                        return Err(error::wrong_argument(variable.span, name, *param, kind));
                    }
                    Slot::Variable(number)
                }
                Term::Constant(constant, span) => {
                    let value = match param {
                        Param::Is(kind) => kind.constant(constant),
                        Param::Net => Type::Prefix.constant(constant),
                        Param::Any => natural(constant).constant(constant),
                    };
                    Slot::Constant(value.ok_or_else(|| error::wrong_argument(*span, name, *param, natural(constant)))?)
                }
            });
        }
        Ok(Condition::Call { negated, function, args })
    }

    pub(super) fn head_term(&mut self, term: &Term, column: &str, kind: Type) -> Result<Slot, QueryError> {
        match term {
            Term::Wild(span) => Err(error::no_value(*span, "a head")),
            Term::Constant(constant, span) => Ok(Slot::Constant(fit(constant, *span, kind, column)?)),
            Term::Variable(name) => {
                let variable = self.variable(name);
                match self.kinds[variable] {
                    Some(found) if found != kind => Err(error::two_types(name.span, &name.text, found, kind)),
                    _ => Ok(Slot::Variable(variable)),
                }
            }
        }
    }
}

/// The type a constant has by itself.
fn natural(constant: &Constant) -> Type {
    match constant {
        Constant::Text(_) => Type::Symbol,
        Constant::Number(_) => Type::Number,
        Constant::Bool(_) => Type::Bool,
        Constant::Address(_) => Type::Address,
        Constant::Prefix(_) => Type::Prefix,
    }
}

/// The constant as a value of its column.
fn fit(constant: &Constant, span: Span, kind: Type, column: &str) -> Result<Value, QueryError> {
    let shown = || {
        let found = match constant {
            Constant::Text(_) => "this text".to_owned(),
            Constant::Number(number) => format!("`{number}`"),
            Constant::Bool(bool) => format!("`{bool}`"),
            Constant::Address(address) => format!("`{address}`"),
            Constant::Prefix(prefix) => format!("`{prefix}`"),
        };
        error::wrong_type(span, &found, &format!("column `{column}`"), &format!("`{kind}`"))
    };
    kind.constant(constant).ok_or_else(shown)
}
