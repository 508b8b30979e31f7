//! The values that rows hold, and their types.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use crate::model::{Prefix, Sym, ids, net};
use crate::syntax::ast::Constant;

/// A column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Text: ids, names, words.
    Symbol,
    /// A whole number from 0.
    Number,
    /// `true` or `false`.
    Bool,
    /// An IPv4 or IPv6 address.
    Address,
    /// An IPv4 or IPv6 prefix.
    Prefix,
}

impl Type {
    /// Every type.
    pub const ALL: [Type; 5] = [Type::Symbol, Type::Number, Type::Bool, Type::Address, Type::Prefix];

    /// The word in a declaration.
    pub fn as_str(self) -> &'static str {
        match self {
            Type::Symbol => "symbol",
            Type::Number => "number",
            Type::Bool => "bool",
            Type::Address => "address",
            Type::Prefix => "prefix",
        }
    }

    /// Reads the word of a declaration.
    pub fn parse(word: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Reads a cell of a fact. An absent value, the empty cell, is the empty symbol whatever the column's type.
    pub fn read(self, cell: &str) -> Value {
        let value = match self {
            Type::Symbol => None,
            Type::Number => cell.parse().ok().map(Value::Number),
            Type::Bool => cell.parse().ok().map(Value::Bool),
            Type::Address => cell.parse().ok().map(Value::Address),
            Type::Prefix => net::parse_prefix(cell).map(Value::Prefix),
        };
        value.unwrap_or_else(|| Value::Symbol(Sym::new(cell)))
    }

    /// The constant as a value of this type, or nothing where it is none. An id is brought into the form that facts hold.
    pub fn constant(self, constant: &Constant) -> Option<Value> {
        match (self, constant) {
            (Type::Symbol, Constant::Text(text)) => Some(Value::text(text)),
            (Type::Number, Constant::Number(number)) => Some(Value::Number(*number)),
            (Type::Bool, Constant::Bool(bool)) => Some(Value::Bool(*bool)),
            (Type::Address, Constant::Address(address)) => Some(Value::Address(*address)),
            (Type::Prefix, Constant::Address(address)) => Some(Value::Prefix(net::host(*address))),
            (Type::Prefix, Constant::Prefix(prefix)) => Some(Value::Prefix(*prefix)),
            // Facts write an absent address or prefix as the empty cell.
            (Type::Address | Type::Prefix, Constant::Text(text)) if text.is_empty() => Some(Value::Symbol(Sym::EMPTY)),
            (Type::Address, Constant::Text(text)) => text.parse().ok().map(Value::Address),
            (Type::Prefix, Constant::Text(text)) => net::parse_prefix(text).map(Value::Prefix),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One cell of a row. Ordered as people read: text by its letters, numbers and addresses by size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Text.
    Symbol(Sym),
    /// A whole number.
    Number(u64),
    /// `true` or `false`.
    Bool(bool),
    /// An address.
    Address(IpAddr),
    /// A prefix.
    Prefix(Prefix),
}

impl Value {
    /// A symbol; resource ids are compared in lower case (M-01), so an id is brought into that form.
    pub fn text(text: &str) -> Value {
        // The beginning alone is no id: checks ask whether a text starts with it.
        let id = text.len() > 15 && text.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("/subscriptions/"));
        Value::Symbol(if id { ids::normal_id(text) } else { Sym::new(text) })
    }

    /// The text where this is a symbol.
    pub fn as_symbol(self) -> Option<&'static str> {
        match self {
            Value::Symbol(symbol) => Some(symbol.as_str()),
            _ => None,
        }
    }

    /// The addresses it stands for, where it is an address or a prefix.
    pub fn as_net(self) -> Option<Prefix> {
        match self {
            Value::Address(address) => Some(net::host(address)),
            Value::Prefix(prefix) => Some(prefix),
            _ => None,
        }
    }

    /// The type a constant of this value has.
    pub fn kind(self) -> Type {
        match self {
            Value::Symbol(_) => Type::Symbol,
            Value::Number(_) => Type::Number,
            Value::Bool(_) => Type::Bool,
            Value::Address(_) => Type::Address,
            Value::Prefix(_) => Type::Prefix,
        }
    }

    fn rank(self) -> u8 {
        match self {
            Value::Symbol(_) => 0,
            Value::Number(_) => 1,
            Value::Bool(_) => 2,
            Value::Address(_) => 3,
            Value::Prefix(_) => 4,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Symbol(a), Value::Symbol(b)) if a == b => Ordering::Equal,
            (Value::Symbol(a), Value::Symbol(b)) => a.as_str().cmp(b.as_str()),
            (Value::Number(a), Value::Number(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Address(a), Value::Address(b)) => a.cmp(b),
            (Value::Prefix(a), Value::Prefix(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Symbol(symbol) => f.write_str(symbol.as_str()),
            Value::Number(number) => number.fmt(f),
            Value::Bool(bool) => bool.fmt(f),
            Value::Address(address) => address.fmt(f),
            Value::Prefix(prefix) => prefix.fmt(f),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}
