//! Functions: conditions that are computed instead of looked up.

use crate::facts::catalog::Column;
use crate::facts::selector::PortList;
use crate::model::{Sym, ids, net};
use crate::query::value::{Type, Value};

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// A value of the type.
    Is(Type),
    /// An address or a prefix.
    Net,
    /// Anything.
    Any,
}

impl Param {
    /// Whether a value of type `kind` will do.
    pub fn takes(self, kind: Type) -> bool {
        match self {
            Param::Is(wanted) => wanted == kind,
            Param::Net => matches!(kind, Type::Address | Type::Prefix),
            Param::Any => true,
        }
    }

    /// How a message names it.
    pub fn describe(self) -> String {
        match self {
            Param::Is(kind) => format!("`{kind}`"),
            Param::Net => "`address` or `prefix`".to_owned(),
            Param::Any => "anything".to_owned(),
        }
    }
}

/// How a function answers. Every argument but the last one of `Gives` is bound when it is asked.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// Whether it holds.
    Tests(fn(&[Value]) -> bool),
    /// The values of its last argument.
    Gives(fn(&[Value]) -> Vec<Value>),
}

/// A function that bodies can use.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// Name and kind of each argument.
    pub params: &'static [(&'static str, Param)],
    /// What it says.
    pub doc: &'static str,
    /// How it is computed.
    pub body: Body,
}

impl Function {
    /// How many arguments must be bound; the one after them, if any, is the result.
    pub fn inputs(&self) -> usize {
        match self.body {
            Body::Tests(_) => self.params.len(),
            Body::Gives(_) => self.params.len() - 1,
        }
    }

    /// `name(argument, …)`
    pub fn signature(&self) -> String {
        format!("{}({})", self.name, self.params.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
    }
}

const TEXT: Param = Param::Is(Type::Symbol);
const NUMBER: Param = Param::Is(Type::Number);

/// Every function, by name.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "before",
        params: &[("text", TEXT), ("mark", TEXT), ("start", TEXT)],
        doc: "`start` is what stands in `text` before the first `mark`",
        body: Body::Gives(|args| text(args, 0).split_once(text(args, 1)).map(|(start, _)| symbol(start)).into_iter().collect()),
    },
    Function {
        name: "concat",
        params: &[("first", TEXT), ("second", TEXT), ("whole", TEXT)],
        doc: "`whole` is `first` followed by `second`",
        body: Body::Gives(|args| vec![symbol(&format!("{}{}", text(args, 0), text(args, 1)))]),
    },
    Function {
        name: "contains",
        params: &[("text", TEXT), ("part", TEXT)],
        doc: "`part` stands somewhere in `text`",
        body: Body::Tests(|args| text(args, 0).contains(text(args, 1))),
    },
    Function {
        name: "ends_with",
        params: &[("text", TEXT), ("end", TEXT)],
        doc: "`text` ends with `end`",
        body: Body::Tests(|args| text(args, 0).ends_with(text(args, 1))),
    },
    Function {
        name: "has_port",
        params: &[("ports", TEXT), ("port", NUMBER)],
        doc: "the list of ports and ranges (`22,8000-8100`, `*`) holds `port`",
        body: Body::Tests(|args| {
            let port = if let Some(Value::Number(port)) = args.get(1) { *port } else { u64::MAX };
            let list = PortList::read(text(args, 0)).map(PortList::items).unwrap_or_default();
            list.iter().any(|(low, high)| (u64::from(*low)..=u64::from(*high)).contains(&port))
        }),
    },
    Function {
        name: "item",
        params: &[("list", TEXT), ("item", TEXT)],
        doc: "`item` is one of the items of `list`, which commas separate",
        body: Body::Gives(|args| text(args, 0).split(',').filter(|item| !item.is_empty()).map(symbol).collect()),
    },
    Function {
        name: "lower",
        params: &[("text", TEXT), ("result", TEXT)],
        doc: "`result` is `text` in lower case",
        body: Body::Gives(|args| vec![Value::Symbol(Sym::lower(text(args, 0)))]),
    },
    Function {
        name: "name_of",
        params: &[("id", TEXT), ("name", TEXT)],
        doc: "`name` is the last segment of `id`",
        body: Body::Gives(|args| vec![symbol(ids::id_parts(text(args, 0)).name)]),
    },
    Function {
        name: "overlaps",
        params: &[("a", Param::Net), ("b", Param::Net)],
        doc: "`a` and `b` share an address",
        body: Body::Tests(|args| matches!(nets(args), Some((a, b)) if net::overlap(&a, &b))),
    },
    Function {
        name: "parent_of",
        params: &[("id", TEXT), ("parent", TEXT)],
        doc: "`parent` is the resource that `id` is a child of",
        body: Body::Gives(|args| ids::parent_id(text(args, 0)).map(symbol).into_iter().collect()),
    },
    Function {
        name: "prefix_of",
        params: &[("text", TEXT), ("prefix", Param::Is(Type::Prefix))],
        doc: "`text` writes the address or prefix `prefix`",
        body: Body::Gives(|args| net::parse_prefix(text(args, 0)).map(Value::Prefix).into_iter().collect()),
    },
    Function {
        name: "starts_with",
        params: &[("text", TEXT), ("start", TEXT)],
        doc: "`text` starts with `start`",
        body: Body::Tests(|args| text(args, 0).starts_with(text(args, 1))),
    },
    Function {
        name: "text_of",
        params: &[("value", Param::Any), ("text", TEXT)],
        doc: "`text` is how `value` is written: compares an address with a record's value",
        body: Body::Gives(|args| args.first().map(|value| symbol(&value.to_string())).into_iter().collect()),
    },
    Function {
        name: "type_of",
        params: &[("id", TEXT), ("kind", TEXT)],
        doc: "`kind` is the resource type that `id` spells, in lower case",
        body: Body::Gives(|args| ids::id_type(text(args, 0)).map(|kind| symbol(&kind)).into_iter().collect()),
    },
    Function {
        name: "weaker",
        params: &[("a", TEXT), ("b", TEXT), ("certainty", TEXT)],
        doc: "`certainty` is `proven` where both `a` and `b` are, else `unproven`",
        body: Body::Gives(|args| {
            let both = text(args, 0) == "proven" && text(args, 1) == "proven";
            vec![symbol(if both { "proven" } else { "unproven" })]
        }),
    },
    Function {
        name: "within",
        params: &[("inner", Param::Net), ("outer", Param::Net)],
        doc: "every address of `inner` belongs to `outer`",
        body: Body::Tests(|args| matches!(nets(args), Some((inner, outer)) if outer.contains(&inner))),
    },
    Function {
        name: "without_end",
        params: &[("text", TEXT), ("end", TEXT), ("rest", TEXT)],
        doc: "`text` is `rest` followed by `end`",
        body: Body::Gives(|args| text(args, 0).strip_suffix(text(args, 1)).map(symbol).into_iter().collect()),
    },
    Function {
        name: "without_start",
        params: &[("text", TEXT), ("start", TEXT), ("rest", TEXT)],
        doc: "`text` is `start` followed by `rest`",
        body: Body::Gives(|args| text(args, 0).strip_prefix(text(args, 1)).map(symbol).into_iter().collect()),
    },
];

/// The function called `name`.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

fn symbol(text: &str) -> Value {
    Value::Symbol(Sym::new(text))
}

/// The text at `at`; an absent address or prefix is the empty text, as everywhere.
fn text(args: &[Value], at: usize) -> &'static str {
    args.get(at).and_then(|value| value.as_symbol()).unwrap_or("")
}

/// The first two arguments as prefixes; nothing where one is absent.
fn nets(args: &[Value]) -> Option<(crate::model::Prefix, crate::model::Prefix)> {
    Some((args.first()?.as_net()?, args.get(1)?.as_net()?))
}
