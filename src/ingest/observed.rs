//! What a person saw on the platform of an interface or a gateway that is not in the input: it is kept, and named (RTE-07, GW-04).

use rustc_hash::FxHashSet;

use crate::facts::Fact;
use crate::facts::extract::extract;
use crate::facts::gap::Gap;
use crate::ingest::Loaded;
use crate::model::{Sym, ids};

/// The type of what is seen at an interface.
pub(super) const ROUTES: &str = "Microsoft.Network/networkInterfaces/observedRoutes";

/// The type of what is seen at an interface or elsewhere, of a kind that is not read.
pub(super) const OTHERS: &str = "Microsoft.Network/networkInterfaces/observedStates";

/// The type of what a gateway learned.
pub(super) const LEARNED: &str = "Microsoft.Network/virtualNetworkGateways/learnedRoutes";

/// Adds a gap to what was seen at an interface or a gateway that nobody exported.
pub(super) fn name_lost(loaded: &mut Loaded) {
    let kinds = [
        (Sym::lower(ROUTES), "the interface at which the routes were observed is not in the input: they count for nobody"),
        (Sym::lower(LEARNED), "the gateway that learned the routes is not in the input: they count for nobody"),
    ];
    let named = |fact: &Fact| match fact {
        Fact::Nic(row) => Some(row.nic.as_str()),
        Fact::Gateway(row) => Some(row.gateway.as_str()),
        _ => None,
    };
    let stated = loaded.facts.iter().filter_map(named);
    let stated: FxHashSet<&str> = stated.collect();
    let lost = |id: Sym| {
        let at = ids::parent_id(id.as_str()).unwrap_or("");
        let exported = loaded.resources.binary_search_by_key(&at, |resource| resource.id.as_str()).is_ok();
        !exported && !stated.contains(at)
    };
    let of = |kind: Sym| kinds.iter().find(|(of, _)| *of == kind).map(|(_, what)| *what);
    let seen = loaded.resources.iter().enumerate().filter_map(|(at, resource)| Some((at, resource.id, of(resource.kind)?)));
    for (at, _, what) in seen.filter(|(_, id, _)| lost(*id)).collect::<Vec<_>>() {
        let resource = &mut loaded.resources[at];
        let mut extracted = resource.extracted.take().unwrap_or_else(|| extract(resource));
        extracted.facts.push(Gap { resource: resource.id, kind: resource.kind, what: Sym::new(what) }.into());
        resource.extracted = Some(extracted);
    }
}
