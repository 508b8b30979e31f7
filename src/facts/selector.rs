//! Lists inside one cell: what the address and port fields of a rule name.

use serde::{Deserialize, Serialize};

use crate::facts::catalog::Column;
use crate::model::traffic::{ANY_PORT, Ports, parse_ports, ports_text};
use crate::model::{Prefix, Sym, net};

/// Stands in an address field that the export spells in a way nobody understands: it may name anything, private space too.
pub const UNKNOWN_TAG: &str = "(unknown)";

/// One item of an address field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// `*`: any address of either family.
    Any,
    /// A prefix or an address.
    Prefix(Prefix),
    /// A service tag, in lower case.
    Tag(Sym),
    /// An application security group, by id.
    Asg(Sym),
}

impl Selector {
    fn text(self) -> String {
        match self {
            Selector::Any => "*".to_owned(),
            Selector::Prefix(prefix) => prefix.to_string(),
            Selector::Tag(tag) => tag.as_str().to_owned(),
            Selector::Asg(asg) => format!("asg:{asg}"),
        }
    }

    fn parse(text: &str) -> Selector {
        let text = text.trim();
        if text == "*" {
            Selector::Any
        } else if let Some(asg) = text.strip_prefix("asg:") {
            Selector::Asg(Sym::lower(asg))
        } else if let Some(prefix) = net::parse_prefix(text) {
            Selector::Prefix(prefix)
        } else {
            Selector::Tag(Sym::lower(text))
        }
    }
}

/// The address field of a rule: `*`, or prefixes, tags and `asg:<id>` separated by commas, sorted, each once.
///
/// An empty list names nothing: the rule matches no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Selectors(Sym);

impl Selectors {
    /// The canonical list of `items`.
    pub fn new(items: impl IntoIterator<Item = Selector>) -> Selectors {
        let mut texts: Vec<String> = items.into_iter().map(Selector::text).collect();
        texts.sort_unstable();
        texts.dedup();
        Selectors(Sym::new(&texts.join(",")))
    }

    /// `*` alone.
    pub fn any() -> Selectors {
        Selectors::new([Selector::Any])
    }

    /// The items, in the order of their text.
    pub fn items(self) -> Vec<Selector> {
        if self.0.is_empty() { Vec::new() } else { self.0.as_str().split(',').map(Selector::parse).collect() }
    }
}

impl Column for Selectors {
    const TYPE: &'static str = "symbol";
    fn write(&self) -> String {
        self.0.as_str().to_owned()
    }
    fn read(cell: &str) -> Option<Selectors> {
        Some(if cell.is_empty() { Selectors(Sym::EMPTY) } else { Selectors::new(cell.split(',').map(Selector::parse)) })
    }
}

/// The port field of a rule: `*`, or ports and ranges separated by commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PortList(Sym);

impl PortList {
    /// The canonical list of `ranges`.
    pub fn new(ranges: impl IntoIterator<Item = Ports>) -> PortList {
        let mut ranges: Vec<Ports> = ranges.into_iter().collect();
        ranges.sort_unstable();
        ranges.dedup();
        PortList(Sym::new(&ranges.into_iter().map(ports_text).collect::<Vec<_>>().join(",")))
    }

    /// `*` alone.
    pub fn any() -> PortList {
        PortList::new([ANY_PORT])
    }

    /// The ranges, sorted.
    pub fn items(self) -> Vec<Ports> {
        self.0.as_str().split(',').filter_map(parse_ports).collect()
    }
}

impl Column for PortList {
    const TYPE: &'static str = "symbol";
    fn write(&self) -> String {
        self.0.as_str().to_owned()
    }
    fn read(cell: &str) -> Option<PortList> {
        let ranges: Option<Vec<Ports>> = cell.split(',').filter(|c| !c.is_empty()).map(parse_ports).collect();
        ranges.map(PortList::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_canonical() {
        let one = Selectors::read("VirtualNetwork,10.0.0.5/8").unwrap();
        let other = Selectors::read("10.0.0.0/8,virtualnetwork").unwrap();
        assert_eq!(one, other);
        assert_eq!(one.items().len(), 2);
        assert_eq!(Selectors::read("").unwrap().items(), []);
        assert_eq!(PortList::read("8000-8100,443").unwrap().write(), "443,8000-8100");
        assert_eq!(PortList::read("x"), None);
    }
}
