//! The parts of a load balancer: what its rules need to know of the lists they stand beside.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::model::Sym;

/// The type whose lists of parts these are.
pub(super) const BALANCER: &str = "microsoft.network/loadbalancers";

pub(super) const FRONTENDS: &str = "frontendIPConfigurations";
pub(super) const POOLS: &str = "backendAddressPools";

/// The lists whose entries are for frontends and pools of the load balancer.
const RULES: &[&str] = &["loadBalancingRules", "inboundNatRules", "inboundNatPools", "outboundRules"];

/// The frontends and backend pools that the body of a load balancer lists: one of its rules that does not say which it is for may be for any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The frontends, in the order of the list.
    pub frontends: Box<[Sym]>,
    /// The backend pools, in the order of the list.
    pub pools: Box<[Sym]>,
}

/// What the load balancer hands on to the entries of one of its lists.
pub(super) fn for_list(parts: &Option<Arc<Parts>>, segment: &str) -> Option<Arc<Parts>> {
    parts.clone().filter(|_| RULES.contains(&segment))
}

/// Gives a part without a name its place in the list for one; one that has a name which cannot be read has none.
pub(super) fn name_by_place(item: &mut Value, at: usize) {
    let Value::Object(map) = item else { return };
    let is_name = |key: &str| ["id", "ResourceId", "name", "ResourceName"].iter().any(|name| key.eq_ignore_ascii_case(name));
    if map.iter().all(|(key, value)| !is_name(key) || value.is_null()) {
        map.retain(|key, _| !is_name(key));
        map.insert("name".to_owned(), Value::String(at.to_string()));
    }
}

/// A part that says nothing but its name is whole: a pool that nobody is in yet has nothing to say.
pub(super) fn fill(map: &mut Map<String, Value>) {
    if !map.contains_key("properties") {
        map.insert("properties".to_owned(), Value::Object(Map::new()));
    }
}
