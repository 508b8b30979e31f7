//! Evaluation: rule by rule, a nested loop over the rows that fit, in the planned order.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::query::error::{self, QueryError};
use crate::query::function::Body;
use crate::query::plan;
use crate::query::program::{Condition, Origin, Program, Rule, Slot};
use crate::query::relations::{Relations, Table};
use crate::query::value::Value;
use crate::syntax::ast::Op;

/// How many rows an evaluation looks at before it gives up, unless a person says otherwise.
pub const DEFAULT_BUDGET: u64 = 10_000_000;

/// A row of the estate that a derived row follows from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Premise {
    /// The relation.
    pub relation: String,
    /// The row.
    pub row: Vec<Value>,
}

/// What rows follow from, where that can be explained.
type Premises = FxHashMap<Vec<Value>, Vec<Premise>>;

/// The rows of every relation that a program declares.
#[derive(Clone, Debug)]
pub struct Answers {
    tables: Vec<Table>,
    premises: Vec<Premises>,
}

impl Answers {
    /// The rows of the relation at `position` of the program's declarations, sorted.
    pub fn rows(&self, position: usize) -> BTreeSet<Vec<Value>> {
        self.tables.get(position).map(|table| table.all().iter().cloned().collect()).unwrap_or_default()
    }

    /// What a row of the relation at `position` follows from: the rows of those relations that [`Relations::explains`], in the order they were asked
    /// for, of its first derivation.
    pub fn premises(&self, position: usize, row: &[Value]) -> &[Premise] {
        self.premises.get(position).and_then(|known| known.get(row)).map_or(&[], Vec::as_slice)
    }

    /// The rows of every output of `program`, each as relation and named columns, sorted by relation and row.
    pub fn listing<'a>(&self, program: &'a Program) -> Vec<(&'a str, Vec<(&'a str, Value)>)> {
        let mut outputs: Vec<usize> = program.outputs.clone();
        outputs.sort_by_key(|at| &program.declared[*at].name);
        outputs.dedup();
        let mut listing = Vec::new();
        for at in outputs {
            let declaration = &program.declared[at];
            let names = || declaration.columns.iter().map(|(name, _)| name.as_str());
            listing.extend(self.rows(at).into_iter().map(|row| (declaration.name.as_str(), names().zip(row).collect())));
        }
        listing
    }
}

/// Evaluates a program; at most `budget` rows are looked at.
pub fn evaluate(program: &Program, relations: &dyn Relations, budget: u64) -> Result<Answers, QueryError> {
    let relation_count = program.declared.len();
    let (tables, premises) = (vec![Table::default(); relation_count], vec![Premises::default(); relation_count]);
    let explained = program.estate.iter().map(|declaration| relations.explains(&declaration.name)).collect();
    let mut evaluation = Evaluation { program, relations, tables, premises, explained, trail: Vec::new(), left: budget, budget };
    for rule in &program.rules {
        let run = Run { rule, order: plan::order(program, rule) };
        let mut derived = Vec::new();
        evaluation.step(&run, 0, &mut vec![None; rule.variables], &mut derived)?;
        for (row, premises) in derived {
            if evaluation.tables[rule.head].insert(row.clone()) && !premises.is_empty() {
                evaluation.premises[rule.head].insert(row, premises);
            }
        }
    }
    Ok(Answers { tables: evaluation.tables, premises: evaluation.premises })
}

/// A row of a rule's head with what it follows from.
type Derived = (Vec<Value>, Vec<Premise>);

/// A rule and the order of its conditions.
struct Run<'a> {
    rule: &'a Rule,
    order: Vec<usize>,
}

struct Evaluation<'a> {
    program: &'a Program,
    relations: &'a dyn Relations,
    tables: Vec<Table>,
    premises: Vec<Premises>,
    /// Which relations of the estate can say why a row of theirs holds.
    explained: Vec<bool>,
    /// What the conditions so far rest on.
    trail: Vec<Premise>,
    left: u64,
    budget: u64,
}

impl Evaluation<'_> {
    /// Asks the condition at `depth` for every way to go on. As deep as the rule has conditions, which `check` bounds.
    fn step(&mut self, run: &Run<'_>, depth: usize, values: &mut Vec<Option<Value>>, out: &mut Vec<Derived>) -> Result<(), QueryError> {
        let Some(at) = run.order.get(depth) else {
            let row: Option<Vec<Value>> = run.rule.terms.iter().map(|slot| value(*slot, values)).collect();
            let mut premises: Vec<Premise> = Vec::new();
            for premise in &self.trail {
                if !premises.contains(premise) {
                    premises.push(premise.clone());
                }
            }
            out.push((row.expect("`check` refuses a head with a variable that has no value"), premises));
            return self.spend(run, 1);
        };
        match &run.rule.conditions[*at] {
            Condition::Rows { negated, from, args, span } => {
                let bound: Vec<Option<Value>> = args.iter().map(|slot| value(*slot, values)).collect();
                let rows = match from {
                    Origin::Own(own) => self.tables[*own].matching(&bound),
                    Origin::Estate(estate) => {
                        let name = &self.program.estate[*estate].name;
                        self.relations.rows(name, &bound).map_err(|why| error::relation(*span, name, &why))?
                    }
                };
                self.spend(run, rows.len() as u64 + 1)?;
                if *negated {
                    return if rows.is_empty() { self.step(run, depth + 1, values, out) } else { Ok(()) };
                }
                let start = self.trail.len();
                for row in rows {
                    match from {
                        Origin::Own(own) => self.trail.extend(self.premises[*own].get(&row).into_iter().flatten().cloned()),
                        Origin::Estate(estate) if self.explained[*estate] => {
                            self.trail.push(Premise { relation: self.program.estate[*estate].name.clone(), row: row.clone() });
                        }
                        Origin::Estate(_) => {}
                    }
                    self.with(run, depth, args, &row, values, out)?;
                    self.trail.truncate(start);
                }
                Ok(())
            }
            Condition::Compare { left, op, right } => match (value(*left, values), value(*right, values)) {
                (Some(one), Some(other)) if holds(one, *op, other) => self.step(run, depth + 1, values, out),
                (Some(_), Some(_)) => Ok(()),
                (Some(one), None) => self.with(run, depth, &[*right], &[one], values, out),
                (None, Some(other)) => self.with(run, depth, &[*left], &[other], values, out),
                (None, None) => Ok(()),
            },
            Condition::Call { negated, function, args } => {
                self.spend(run, 1)?;
                let inputs: Option<Vec<Value>> = args[..function.inputs()].iter().map(|slot| value(*slot, values)).collect();
                let inputs = inputs.expect("`check` refuses a function whose arguments have no value");
                match function.body {
                    Body::Tests(test) if test(&inputs) == *negated => Ok(()),
                    Body::Tests(_) => self.step(run, depth + 1, values, out),
                    Body::Gives(gives) => {
                        let result = args[function.inputs()];
                        let results = gives(&inputs);
                        self.spend(run, results.len() as u64)?;
                        if *negated {
                            let hit = results.iter().any(|found| value(result, values).is_none_or(|wanted| wanted == *found));
                            return if hit { Ok(()) } else { self.step(run, depth + 1, values, out) };
                        }
                        for found in results {
                            self.with(run, depth, &[result], &[found], values, out)?;
                        }
                        Ok(())
                    }
                }
            }
        }
    }

    /// Goes on with `row` in `args`, where it agrees with the values so far (a variable may stand twice in one atom).
    fn with(
        &mut self,
        run: &Run<'_>,
        depth: usize,
        args: &[Slot],
        row: &[Value],
        values: &mut Vec<Option<Value>>,
        out: &mut Vec<Derived>,
    ) -> Result<(), QueryError> {
        let mut new = Vec::new();
        let mut agrees = true;
        for (slot, cell) in args.iter().zip(row) {
            match slot {
                Slot::Variable(variable) => match values[*variable] {
                    Some(there) => agrees &= there == *cell,
                    None => {
                        values[*variable] = Some(*cell);
                        new.push(*variable);
                    }
                },
                Slot::Constant(constant) => agrees &= constant == cell,
                Slot::Any => {}
            }
        }
        let went = if agrees { self.step(run, depth + 1, values, out) } else { Ok(()) };
        for variable in new {
            values[variable] = None;
        }
        went
    }

    fn spend(&mut self, run: &Run<'_>, rows: u64) -> Result<(), QueryError> {
        match self.left.checked_sub(rows) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(error::budget(run.rule.span, self.budget)),
        }
    }
}

fn value(slot: Slot, values: &[Option<Value>]) -> Option<Value> {
    match slot {
        Slot::Variable(variable) => values[variable],
        Slot::Constant(constant) => Some(constant),
        Slot::Any => None,
    }
}

fn holds(left: Value, op: Op, right: Value) -> bool {
    let order = left.cmp(&right);
    match op {
        Op::Equal => order == Ordering::Equal,
        Op::NotEqual => order != Ordering::Equal,
        Op::Less => order == Ordering::Less,
        Op::AtMost => order != Ordering::Greater,
        Op::Greater => order == Ordering::Greater,
        Op::AtLeast => order != Ordering::Less,
    }
}
