//! Bytes to resources: every format ends in one neutral [`Resource`]; no format leaks further.

use serde_json::Value;

use crate::model::Sym;

/// Where something stood in the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Source {
    /// The file as the person named it; `-` for standard input.
    pub file: Sym,
    /// A JSON pointer into it (RFC 6901), empty for the whole document.
    pub pointer: String,
}

/// One Azure resource, whatever file it came from. Children embedded in a parent's body are resources of their own.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The normalised id ([`crate::model::ids::normal_id`]).
    pub id: Sym,
    /// The type the id spells, in lower case.
    pub kind: Sym,
    /// The last segment of the id, as written.
    pub name: Sym,
    /// The region: lower case, blanks removed; empty where there is none. A child without one has its parent's.
    pub location: Sym,
    /// The subscription's GUID in lower case, empty where the id has none.
    pub subscription: Sym,
    /// The tenant's GUID in lower case, empty where the export does not say. A child has its parent's.
    pub tenant: Sym,
    /// The resource group in lower case, empty outside one.
    pub group: Sym,
    /// The envelope as REST spells it: `id`, `name`, `type`, `kind`, `sku`, `tags`, … and the nested `properties`, whatever the
    /// input looked like; without the children that became resources of their own.
    pub body: Value,
    /// Where the body stood.
    pub source: Source,
    /// Whether the body was part of its parent's.
    pub embedded: bool,
}
