//! A tree becomes a program: names resolved, arity, types and safety checked, relations in an order in which each needs only earlier ones.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::query::error::{self, QueryError};
use crate::query::function;
use crate::query::program::{Condition, Origin, Piece, Program, Rule, Severity, Slot, Violation, bind, has_value};
use crate::query::relations::Declaration;
use crate::query::scope::{Scope, Target};
use crate::query::value::Type;
use crate::syntax::ast::{self, Literal, Op, Tree};
use crate::syntax::{Source, Span, parse};

/// How many conditions a rule may have: the joins of a rule are nested in each other.
const MOST_CONDITIONS: usize = 200;
/// How many columns a relation may have.
const MOST_COLUMNS: usize = 64;
/// How many names are compared with one that is not known.
const MOST_COMPARED: usize = 2_000;
/// How many mistakes are reported for one program.
const MOST_ERRORS: usize = 30;

impl Program {
    /// Reads and checks a program that may read the relations of `estate`.
    pub fn compile(sources: &[Source], estate: &[Declaration]) -> Result<Program, Vec<QueryError>> {
        let mut tree = Tree::default();
        let mut errors = Vec::new();
        for (position, source) in sources.iter().enumerate() {
            let (part, wrong) = parse(source, position);
            errors.extend(wrong);
            tree.declarations.extend(part.declarations);
            tree.violations.extend(part.violations);
            tree.outputs.extend(part.outputs);
            tree.rules.extend(part.rules);
        }
        // A rule that could not be read would show again as an unknown relation.
        if !errors.is_empty() {
            return Err(errors);
        }
        check(&tree, sources, estate)
    }
}

/// Resolves a declaration: its columns' types and the positions of `needs`.
pub fn declaration(tree: &ast::Declaration) -> Result<Declaration, QueryError> {
    let mut columns: Vec<(String, Type)> = Vec::new();
    if tree.columns.len() > MOST_COLUMNS {
        return Err(error::too_large(tree.name.span, &format!("`{}`", tree.name.text), MOST_COLUMNS));
    }
    for (name, kind) in &tree.columns {
        if columns.iter().any(|(other, _)| *other == name.text) {
            return Err(error::redeclared(name.span, &name.text, &format!("a column of `{}`", tree.name.text)));
        }
        columns.push((name.text.clone(), Type::parse(&kind.text).ok_or_else(|| error::unknown_type(kind.span, &kind.text))?));
    }
    let mut needs = Vec::new();
    for name in &tree.needs {
        let at = columns.iter().position(|(column, _)| *column == name.text);
        let shown = || QueryError::new("query::arity", name.span, format!("`{}` is no column of `{}`", name.text, tree.name.text));
        needs.push(at.ok_or_else(shown)?);
    }
    Ok(Declaration { name: tree.name.text.clone(), columns, needs, doc: tree.doc.clone() })
}

/// Checks a whole program; all mistakes are reported, in the order of the text.
pub fn check(tree: &Tree, sources: &[Source], estate: &[Declaration]) -> Result<Program, Vec<QueryError>> {
    let mut checker = Checker {
        known: estate.iter().enumerate().map(|(at, declaration)| (declaration.name.as_str(), at)).collect(),
        all: estate,
        own: FxHashMap::default(),
        read: FxHashMap::default(),
        broken: FxHashSet::default(),
        program: Program { declared: Vec::new(), estate: Vec::new(), rules: Vec::new(), violations: Vec::new(), outputs: Vec::new() },
        errors: Vec::new(),
    };
    checker.declare(tree);
    let mut rules = Vec::new();
    for rule in &tree.rules {
        if checker.errors.len() >= MOST_ERRORS {
            break;
        }
        rules.extend(checker.rule(rule));
    }
    checker.violations(tree, sources);
    checker.outputs(tree);
    if checker.errors.is_empty() {
        checker.order(rules);
    }
    let Checker { program, mut errors, .. } = checker;
    errors.sort_by_key(|error| error.span);
    errors.truncate(MOST_ERRORS);
    if errors.is_empty() { Ok(program) } else { Err(errors) }
}

struct Checker<'a> {
    all: &'a [Declaration],
    known: FxHashMap<&'a str, usize>,
    own: FxHashMap<String, usize>,
    /// Positions in `all` of what is read, to positions in the program's list.
    read: FxHashMap<usize, usize>,
    /// Relations whose declaration is wrong: what uses them is not reported again.
    broken: FxHashSet<String>,
    program: Program,
    errors: Vec<QueryError>,
}

impl Checker<'_> {
    fn declare(&mut self, tree: &Tree) {
        let derived: FxHashSet<&str> = tree.rules.iter().map(|rule| rule.head.name.text.as_str()).collect();
        for written in &tree.declarations {
            let declaration = match declaration(written) {
                Ok(declaration) => declaration,
                Err(error) => {
                    self.errors.push(error);
                    self.broken.insert(written.name.text.clone());
                    continue;
                }
            };
            let (name, span) = (&written.name.text, written.name.span);
            if let Some(at) = self.known.get(name.as_str()) {
                // Saying again what the estate's relation looks like is harmless, and other Datalogs want it.
                if self.all[*at].columns != declaration.columns {
                    let by = format!("a relation of the estate: `{}`", error::signature(&self.all[*at]));
                    self.errors.push(error::redeclared(span, name, &by));
                }
            } else if function::find(name).is_some() {
                self.errors.push(error::redeclared(span, name, "a function"));
            } else if self.own.contains_key(name) {
                self.errors.push(error::redeclared(span, name, "declared"));
            } else {
                self.own.insert(name.clone(), self.program.declared.len());
                self.program.declared.push(declaration);
                if !derived.contains(name.as_str()) {
                    let wrong = QueryError::new("query::unknown_relation", span, format!("no rule derives `{name}`"));
                    self.errors.push(wrong.label("declared only").help(format!("write one: `{name}(…) :- ….`")));
                }
            }
        }
    }

    fn relation(&mut self, name: &ast::Name) -> Result<Origin, QueryError> {
        if let Some(own) = self.own.get(&name.text) {
            return Ok(Origin::Own(*own));
        }
        if let Some(&at) = self.known.get(name.text.as_str()) {
            let next = self.program.estate.len();
            let position = *self.read.entry(at).or_insert(next);
            if position == next {
                self.program.estate.push(self.all[at].clone());
            }
            return Ok(Origin::Estate(position));
        }
        let functions = function::FUNCTIONS.iter().map(|function| function.name);
        // Bounded, because every comparison takes a while and a program may declare any number of relations.
        let names = self.known.keys().copied().chain(functions).chain(self.own.keys().map(String::as_str)).take(MOST_COMPARED);
        let near = error::nearest(&name.text, names).map(|near| match (self.own.get(near), self.known.get(near), function::find(near)) {
            (Some(own), ..) => error::signature(&self.program.declared[*own]),
            (_, Some(at), _) => error::signature(&self.all[*at]),
            (.., Some(function)) => function.signature(),
            _ => near.to_owned(),
        });
        Err(error::unknown_relation(name.span, &name.text, near))
    }

    fn rule(&mut self, rule: &ast::Rule) -> Option<Rule> {
        let name = &rule.head.name;
        let head = match self.own.get(&name.text) {
            Some(head) => *head,
            None if self.broken.contains(&name.text) => return None,
            None if self.known.contains_key(name.text.as_str()) => {
                self.errors.push(error::redeclared(name.span, &name.text, "a relation of the estate, whose rows are given"));
                return None;
            }
            None => {
                self.errors.push(error::undeclared(name.span, &name.text));
                return None;
            }
        };
        if rule.body.len() > MOST_CONDITIONS {
            self.errors.push(error::too_large(name.span, "the body of this rule", MOST_CONDITIONS));
            return None;
        }
        let resolved = self.resolve(rule, head);
        match resolved {
            Ok(rule) => Some(rule),
            Err(wrong) => {
                self.errors.extend(wrong);
                None
            }
        }
    }

    fn resolve(&mut self, rule: &ast::Rule, head: usize) -> Result<Rule, Vec<QueryError>> {
        let mut errors = Vec::new();
        let mut scope = Scope::default();
        // Names and arity first, and the types that columns and results give.
        let mut targets: Vec<Option<Target>> = Vec::new();
        let uses_broken = |literal: &Literal| matches!(literal, Literal::Atom { atom, .. } if self.broken.contains(&atom.name.text));
        if rule.body.iter().any(uses_broken) {
            return Err(Vec::new());
        }
        for literal in &rule.body {
            let Literal::Atom { atom, .. } = literal else {
                targets.push(None);
                continue;
            };
            if errors.len() >= MOST_ERRORS {
                break;
            }
            let target = match function::find(&atom.name.text) {
                Some(function) => Ok(Target::Function(function)),
                None => self.relation(&atom.name).map(Target::Relation),
            };
            match target.and_then(|target| self.arity(atom, &target).map(|()| target)) {
                Ok(target) => {
                    if let Target::Relation(from) = target {
                        scope.give(&atom.terms, self.columns(from), &mut errors);
                    }
                    targets.push(Some(target));
                }
                Err(error) => {
                    errors.push(error);
                    targets.push(None);
                }
            }
        }
        if let Err(error) = self.arity(&rule.head, &Target::Relation(Origin::Own(head))) {
            errors.push(error);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        scope.spread(&rule.body, &targets);
        let mut conditions = Vec::new();
        for (literal, target) in rule.body.iter().zip(&targets) {
            let condition = match (literal, target) {
                (Literal::Compare { left, op, right, span }, _) => scope.compare(left, *op, right, *span),
                (Literal::Atom { negated, atom }, Some(Target::Function(function))) => scope.call(*negated, function, atom),
                (Literal::Atom { negated, atom }, Some(Target::Relation(from))) => scope.rows(*negated, *from, atom, self.columns(*from)),
                (Literal::Atom { .. }, None) => continue,
            };
            match condition {
                Ok(condition) => conditions.push(condition),
                Err(error) => errors.push(error),
            }
        }
        let mut terms = Vec::new();
        for (term, (column, kind)) in rule.head.terms.iter().zip(&self.program.declared[head].columns) {
            match scope.head_term(term, column, *kind) {
                Ok(slot) => terms.push(slot),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            let rule = Rule { head, terms, conditions, variables: scope.names.len(), span: rule.head.span };
            errors.extend(self.safety(&rule, &scope));
            if errors.is_empty() {
                return Ok(rule);
            }
        }
        Err(errors)
    }

    fn columns(&self, from: Origin) -> &[(String, Type)] {
        &self.declaration(from).columns
    }

    fn declaration(&self, from: Origin) -> &Declaration {
        match from {
            Origin::Own(at) => &self.program.declared[at],
            Origin::Estate(at) => &self.program.estate[at],
        }
    }

    fn arity(&self, atom: &ast::Atom, target: &Target) -> Result<(), QueryError> {
        let (signature, wanted) = match target {
            Target::Function(function) => (function.signature(), function.params.len()),
            Target::Relation(from) => (error::signature(self.declaration(*from)), self.columns(*from).len()),
        };
        if atom.terms.len() == wanted { Ok(()) } else { Err(error::arity(atom.span, &signature, wanted, atom.terms.len())) }
    }

    /// Whether every variable gets a value, and every relation that needs a bound column has one, in some order of the conditions.
    fn safety(&self, rule: &Rule, scope: &Scope) -> Vec<QueryError> {
        let mut errors = Vec::new();
        let mut bound = vec![false; rule.variables];
        let satisfied = |from: &Origin, args: &[Slot], bound: &[bool]| {
            let needs = &self.declaration(*from).needs;
            needs.is_empty() || needs.iter().any(|at| has_value(args[*at], bound))
        };
        let settle = |bound: &mut Vec<bool>| loop {
            let before = bound.iter().filter(|b| **b).count();
            for condition in &rule.conditions {
                match condition {
                    Condition::Rows { negated: false, from, args, .. } if satisfied(from, args, bound) => bind(args, bound),
                    Condition::Compare { left, op: Op::Equal, right } => {
                        if has_value(*left, bound) {
                            bind(&[*right], bound);
                        } else if has_value(*right, bound) {
                            bind(&[*left], bound);
                        }
                    }
                    Condition::Call { negated: false, function, args }
                        if args[..function.inputs()].iter().all(|arg| has_value(*arg, bound)) =>
                    {
                        bind(args, bound);
                    }
                    _ => {}
                }
            }
            if bound.iter().filter(|b| **b).count() == before {
                break;
            }
        };
        settle(&mut bound);
        for condition in &rule.conditions {
            if let Condition::Rows { negated, from, args, span } = condition
                && !satisfied(from, args, &bound)
                && !(*negated && args.iter().any(|arg| matches!(arg, Slot::Variable(v) if !bound[*v])))
            {
                errors.push(error::unbound(*span, self.declaration(*from)));
                // Its variables would be reported again as unsafe.
                bind(args, &mut bound);
                settle(&mut bound);
            }
        }
        let mut told = bound.clone();
        let mut tell = |slots: &[Slot], place: &str| {
            for slot in slots {
                if let Slot::Variable(variable) = slot
                    && !told[*variable]
                {
                    told[*variable] = true;
                    errors.push(error::unsafe_variable(scope.first[*variable], &scope.names[*variable], place));
                }
            }
        };
        for condition in &rule.conditions {
            match condition {
                Condition::Rows { args, .. } => tell(args, "behind `!`"),
                Condition::Compare { left, right, .. } => tell(&[*left, *right], "in a comparison"),
                Condition::Call { negated: true, args, .. } => tell(args, "behind `!`"),
                Condition::Call { function, args, .. } => tell(&args[..function.inputs()], "as an argument of a function"),
            }
        }
        tell(&rule.terms, "in the head");
        errors
    }

    /// Sorts the rules so that each relation is complete before it is read; finds relations that need themselves.
    fn order(&mut self, rules: Vec<Rule>) {
        let count = self.program.declared.len();
        let mut needs: Vec<Vec<(usize, Span)>> = vec![Vec::new(); count];
        for rule in &rules {
            for condition in &rule.conditions {
                if let Condition::Rows { from: Origin::Own(at), span, .. } = condition {
                    needs[rule.head].push((*at, *span));
                }
            }
        }
        // Depth first with a stack of our own: a program may chain as many relations as it likes.
        let mut rank = vec![usize::MAX; count];
        let mut next = 0;
        let mut open = vec![false; count];
        for start in 0..count {
            if rank[start] != usize::MAX {
                continue;
            }
            let mut stack = vec![(start, 0)];
            open[start] = true;
            while let Some((at, edge)) = stack.pop() {
                let Some((to, span)) = needs[at].get(edge).copied() else {
                    open[at] = false;
                    rank[at] = next;
                    next += 1;
                    continue;
                };
                stack.push((at, edge + 1));
                if open[to] {
                    let from = stack.iter().position(|(other, _)| *other == to).unwrap_or(0);
                    let shown = stack[from..].iter().take(8).map(|(other, _)| *other).chain([to]);
                    let cycle: Vec<String> = shown.map(|at| self.program.declared[at].name.clone()).collect();
                    self.errors.push(error::recursive(span, &cycle));
                    return;
                }
                if rank[to] == usize::MAX {
                    open[to] = true;
                    stack.push((to, 0));
                }
            }
        }
        self.program.rules = rules;
        self.program.rules.sort_by_key(|rule| rank[rule.head]);
    }

    fn outputs(&mut self, tree: &Tree) {
        for name in &tree.outputs {
            match self.own.get(&name.text) {
                Some(at) => self.program.outputs.push(*at),
                None => self.errors.push(error::undeclared(name.span, &name.text)),
            }
        }
        if tree.outputs.is_empty() {
            let atoms = tree.rules.iter().flat_map(|rule| &rule.body).filter_map(|literal| match literal {
                Literal::Atom { atom, .. } => Some(atom.name.text.as_str()),
                Literal::Compare { .. } => None,
            });
            let read: FxHashSet<&str> = atoms.collect();
            let declared = &self.program.declared;
            self.program.outputs = (0..declared.len()).filter(|at| !read.contains(declared[*at].name.as_str())).collect();
        }
    }

    fn violations(&mut self, tree: &Tree, sources: &[Source]) {
        for written in &tree.violations {
            match self.violation(written, sources) {
                Ok(violation) => self.program.violations.push(violation),
                Err(error) => self.errors.push(error),
            }
        }
    }

    fn violation(&self, written: &ast::Violation, sources: &[Source]) -> Result<Violation, QueryError> {
        let (id, span) = (&written.name.text, written.name.span);
        let relation = *self.own.get(id).ok_or_else(|| error::undeclared(span, id))?;
        if self.program.violations.iter().any(|other| other.relation == relation) {
            return Err(error::redeclared(span, id, "a violation"));
        }
        if !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') || id.len() > 100 {
            return Err(error::violation(
                span,
                format!("`{id}` is no id of a check"),
                "ids are small letters, digits and `_`, at most 100",
            ));
        }
        let (mut severity, mut title, mut reference) = (None, String::new(), String::new());
        let (mut repair, mut rules) = (String::new(), String::new());
        for (key, value, at) in &written.attributes {
            match key.text.as_str() {
                "severity" => severity = Some(read_severity(value, *at)?),
                "title" => title = value.clone(),
                "repair" => repair = value.clone(),
                "rules" => rules = value.clone(),
                "reference" if value.starts_with("https://") => reference = value.clone(),
                "reference" => {
                    return Err(error::violation(*at, "a reference is a page on the web".to_owned(), "write `reference=\"https://…\"`"));
                }
                other => {
                    let message = format!("unknown key `{other}`");
                    return Err(error::violation(key.span, message, "`severity`, `title`, `reference`, `repair` and `rules` are known"));
                }
            }
        }
        let severity = severity.ok_or_else(|| error::violation(span, format!("`{id}` has no severity"), SEVERITIES))?;
        if title.is_empty() {
            return Err(error::violation(span, format!("`{id}` has no title"), "write `title=\"…\"` behind the name"));
        }
        let missing = || error::violation(span, format!("`{id}` has no message"), "the line ends with the message: `\"…{column}…\"`");
        let (text, at) = written.message.as_ref().ok_or_else(missing)?;
        let declaration = &self.program.declared[relation];
        let message = pieces(text, declaration).map_err(|name| {
            // Escapes shift positions, so the placeholder is looked up in the text as written.
            let written = sources.get(at.source).and_then(|source| source.text.get(at.start..at.end)).unwrap_or("");
            let shown = written.find(&format!("{{{name}"));
            let span =
                shown.map_or(*at, |found| Span { start: at.start + found, end: (at.start + found + name.len() + 2).min(at.end), ..*at });
            error::unknown_placeholder(span, &name, declaration)
        })?;
        let certainty = declaration.columns.iter().position(|(name, kind)| name == "certainty" && *kind == Type::Symbol);
        Ok(Violation { relation, id: id.clone(), severity, title, reference, repair, rules, message, certainty, span })
    }
}

const SEVERITIES: &str = "write `severity=` and one of critical, high, medium, low, info";

fn read_severity(word: &str, span: Span) -> Result<Severity, QueryError> {
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
    found.ok_or_else(|| error::violation(span, format!("unknown severity `{word}`"), SEVERITIES))
}

/// Cuts a message at its placeholders; the error is the name of one that is no column.
fn pieces(message: &str, declaration: &Declaration) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = message;
    while let Some((text, tail)) = rest.split_once('{') {
        let (name, tail) = tail.split_once('}').ok_or_else(|| tail.to_owned())?;
        let column = declaration.columns.iter().position(|(column, _)| column == name).ok_or_else(|| name.to_owned())?;
        pieces.push(Piece::Text(text.to_owned()));
        pieces.push(Piece::Column(column));
        rest = tail;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}
