//! Every message about a program that parses but cannot stand, and the codes they have.

use crate::query::function::Param;
use crate::query::relations::Declaration;
use crate::query::value::Type;
pub use crate::syntax::QueryError;
use crate::syntax::Span;

/// Every code that a program can be refused with. Each has a file in `tests/diagnostics/`, but for those that need more than a file.
pub const CODES: &[&str] = &[
    "query::syntax",
    "query::unknown_relation",
    "query::unknown_type",
    "query::arity",
    "query::type",
    "query::unsafe_variable",
    "query::unbound",
    "query::recursive",
    "query::redeclared",
    "query::violation",
    "query::unknown_placeholder",
    "query::file_name",
    "query::too_large",
    "query::budget",
    "query::relation",
];

/// `name(column, …)`
pub fn signature(declaration: &Declaration) -> String {
    format!("{}({})", declaration.name, declaration.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
}

/// Neither a relation nor a function has this name.
pub fn unknown_relation(span: Span, name: &str, near: Option<String>) -> QueryError {
    let help = match near {
        Some(near) => format!("did you mean `{near}`? `watertight schema` lists all relations"),
        None => format!("`watertight schema` lists all relations; your own needs `.decl {name}(…)`"),
    };
    QueryError::new("query::unknown_relation", span, format!("unknown relation `{name}`")).label("not a relation").help(help)
}

/// A rule derives rows of something without a declaration.
pub fn undeclared(span: Span, name: &str) -> QueryError {
    QueryError::new("query::unknown_relation", span, format!("relation `{name}` is derived but not declared"))
        .label("no `.decl`")
        .help(format!("say what its columns are: `.decl {name}(column: symbol, …)`"))
}

/// A column's type does not exist.
pub fn unknown_type(span: Span, word: &str) -> QueryError {
    QueryError::new("query::unknown_type", span, format!("unknown type `{word}`"))
        .label("not a type")
        .help("`symbol`, `number`, `bool`, `address` and `prefix` are types")
}

/// Too many or too few arguments.
pub fn arity(span: Span, signature: &str, wanted: usize, found: usize) -> QueryError {
    QueryError::new("query::arity", span, format!("`{signature}` takes {wanted} arguments, found {found}"))
        .label(format!("{found} instead of {wanted}"))
        .help("`_` stands for a column that does not matter")
}

/// A constant or a variable in a place for values of another type.
pub fn wrong_type(span: Span, found: &str, place: &str, wanted: &str) -> QueryError {
    QueryError::new("query::type", span, format!("{found} cannot stand in {place}, which holds {wanted}"))
        .label(format!("expected {wanted}"))
}

/// One variable in places of two types.
pub fn two_types(span: Span, variable: &str, first: Type, second: Type) -> QueryError {
    let help = match (first, second) {
        (Type::Address, Type::Prefix) | (Type::Prefix, Type::Address) => "`within(inner, outer)` compares an address with a prefix",
        _ => "`text_of(value, text)` gives the text of any value",
    };
    QueryError::new("query::type", span, format!("`{variable}` is of type `{first}` and is used as `{second}`"))
        .label(format!("expected `{first}`"))
        .help(help)
}

/// The two sides of a comparison differ in type.
pub fn incomparable(span: Span, left: Type, right: Type) -> QueryError {
    QueryError::new("query::type", span, format!("a `{left}` cannot be compared with a `{right}`"))
        .label("two types")
        .help("`within(inner, outer)` compares networks, `text_of(value, text)` gives the text of any value")
}

/// A function's argument of the wrong type.
pub fn wrong_argument(span: Span, name: &str, wanted: Param, found: Type) -> QueryError {
    QueryError::new("query::type", span, format!("argument `{name}` must be {}, found a `{found}`", wanted.describe()))
        .label(format!("expected {}", wanted.describe()))
}

/// A variable that no condition gives a value to.
pub fn unsafe_variable(span: Span, variable: &str, place: &str) -> QueryError {
    QueryError::new("query::unsafe_variable", span, format!("nothing gives `{variable}` a value"))
        .label(format!("used {place} only"))
        .help(format!("name `{variable}` in a condition without `!`, or write `_` where its value does not matter"))
}

/// `_` where a value is needed.
pub fn no_value(span: Span, place: &str) -> QueryError {
    QueryError::new("query::unsafe_variable", span, format!("`_` has no value, and {place} needs one"))
        .label("a value is needed")
        .help("name a variable that a condition without `!` gives a value to")
}

/// A relation that answers only where one of some columns is bound.
pub fn unbound(span: Span, declaration: &Declaration) -> QueryError {
    let columns: Vec<String> = declaration.needs.iter().map(|at| format!("`{}`", declaration.columns[*at].0)).collect();
    QueryError::new("query::unbound", span, format!("`{}` cannot be listed as a whole", signature(declaration)))
        .label("every end is free")
        .help(format!("give {} a value: a constant, or a variable of another condition", columns.join(" or ")))
}

/// A relation that depends on itself.
pub fn recursive(span: Span, cycle: &[String]) -> QueryError {
    let way: Vec<String> = cycle.iter().map(|name| format!("`{name}`")).collect();
    QueryError::new("query::recursive", span, format!("{} depends on itself", way.first().map_or("it", String::as_str)))
        .label(way.join(" needs "))
        .help("rules cannot be recursive yet; `reaches`, `leaks` and their like already follow every path")
}

/// A name that is taken.
pub fn redeclared(span: Span, name: &str, by: &str) -> QueryError {
    QueryError::new("query::redeclared", span, format!("`{name}` is already {by}"))
        .label("the name is taken")
        .help("choose another name; relations of the estate can be read without a declaration")
}

/// Something about a `.violation` line.
pub fn violation(span: Span, message: String, help: &str) -> QueryError {
    QueryError::new("query::violation", span, message).help(help)
}

/// A placeholder that is no column.
pub fn unknown_placeholder(span: Span, name: &str, declaration: &Declaration) -> QueryError {
    QueryError::new("query::unknown_placeholder", span, format!("`{{{name}}}` is no column of `{}`", signature(declaration)))
        .label("unknown placeholder")
        .help("what stands in braces is a column of the violation's `.decl`")
}

/// A check that is not called like its file.
pub fn file_name(span: Span, id: &str, stem: &str) -> QueryError {
    QueryError::new("query::file_name", span, format!("violation `{id}` stands in `{stem}.dl`"))
        .label("not the file's name")
        .help(format!("one check a file, and both have one name: call the file `{id}.dl`"))
}

/// More than a program may have.
pub fn too_large(span: Span, what: &str, most: usize) -> QueryError {
    QueryError::new("query::too_large", span, format!("{what} has more than {most}")).help("split it into several rules")
}

/// Evaluation looked at too many rows.
pub fn budget(span: Span, budget: u64) -> QueryError {
    QueryError::new("query::budget", span, format!("this rule made the evaluation look at more than {budget} rows"))
        .label("given up here")
        .help("name constants or share variables between conditions, so that each of them narrows the next")
}

/// A relation could not give its rows.
pub fn relation(span: Span, name: &str, why: &str) -> QueryError {
    QueryError::new("query::relation", span, format!("`{name}` cannot be read here: {why}")).label("asked for here")
}

/// The known name that is nearest to `name`, if any is near.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer names are no typing mistakes, and comparing them would be slow.
    let length = name.chars().count();
    if length > 64 {
        return None;
    }
    let limit = (length / 3).max(2);
    let near = known.map(|other| (distance(name, other), other)).filter(|(far, _)| *far <= limit);
    let starts = |other: &str| other.starts_with(name) || name.starts_with(other);
    near.min_by_key(|(far, other)| (*far - usize::from(starts(other) && *far > 0), *other)).map(|(_, other)| other)
}

/// How many letters must be put in, left out or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(65).collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.chars().enumerate() {
        let mut left = row + 1;
        let mut diagonal = above[0];
        above[0] = left;
        for (column, y) in b.iter().enumerate() {
            let best = (diagonal + usize::from(x != *y)).min(left + 1).min(above[column + 1] + 1);
            diagonal = above[column + 1];
            above[column + 1] = best;
            left = best;
        }
    }
    above[b.len()]
}
