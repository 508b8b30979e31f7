//! The order in which a rule's conditions are asked: what filters as soon as it can, else the relation with most columns bound.

use crate::query::program::{Condition, Origin, Program, Rule, Slot, bind, has_value};
use crate::syntax::ast::Op;

/// The positions of the rule's conditions in the order to ask them. Every variable that a condition needs has a value before it; the
/// checks of `query::check` make sure that such an order exists.
pub fn order(program: &Program, rule: &Rule) -> Vec<usize> {
    let mut bound = vec![false; rule.variables];
    let mut left: Vec<usize> = (0..rule.conditions.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let filter = left.iter().position(|at| is_filter(&rule.conditions[*at], &bound));
        // Among equals the first of the text: the author's order is a hint.
        let most_bound = |left: &[usize]| {
            let scores =
                left.iter().enumerate().filter_map(|(at, condition)| Some((score(program, &rule.conditions[*condition], &bound)?, at)));
            scores.max_by_key(|(score, at)| (*score, usize::MAX - at)).map(|(_, at)| at)
        };
        let at = filter.or_else(|| most_bound(&left)).unwrap_or(0);
        let next = left.remove(at);
        match &rule.conditions[next] {
            Condition::Rows { negated: false, args, .. } | Condition::Call { negated: false, args, .. } => bind(args, &mut bound),
            Condition::Compare { left, right, .. } => bind(&[*left, *right], &mut bound),
            _ => {}
        }
        order.push(next);
    }
    order
}

/// Whether the condition can be asked now and gives at most few values.
fn is_filter(condition: &Condition, bound: &[bool]) -> bool {
    match condition {
        Condition::Rows { negated, args, .. } => *negated && args.iter().all(|arg| *arg == Slot::Any || has_value(*arg, bound)),
        Condition::Compare { left, op: Op::Equal, right } => has_value(*left, bound) || has_value(*right, bound),
        Condition::Compare { left, right, .. } => has_value(*left, bound) && has_value(*right, bound),
        Condition::Call { negated, function, args } => {
            let inputs = if *negated { args.len() } else { function.inputs() };
            args[..inputs].iter().all(|arg| has_value(*arg, bound) || (*negated && *arg == Slot::Any))
        }
    }
}

/// How many columns of the relation are bound; nothing where it cannot be asked yet.
fn score(program: &Program, condition: &Condition, bound: &[bool]) -> Option<usize> {
    let Condition::Rows { negated: false, from, args, .. } = condition else { return None };
    let needs: &[usize] = match from {
        Origin::Own(_) => &[],
        Origin::Estate(at) => &program.estate[*at].needs,
    };
    let ready = needs.is_empty() || needs.iter().any(|at| has_value(args[*at], bound));
    ready.then(|| args.iter().filter(|arg| has_value(**arg, bound)).count())
}
