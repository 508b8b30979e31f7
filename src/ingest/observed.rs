//! What a person saw on the platform of an interface that is not in the input: it is kept, and named (RTE-07).

use rustc_hash::FxHashSet;

use crate::facts::Fact;
use crate::facts::extract::extract;
use crate::facts::gap::Gap;
use crate::ingest::Loaded;
use crate::model::{Sym, ids};

/// The type of what is seen at an interface.
pub(super) const ROUTES: &str = "Microsoft.Network/networkInterfaces/observedRoutes";

/// The same, where it is of no kind that is read.
pub(super) const OTHERS: &str = "Microsoft.Network/networkInterfaces/observedStates";

/// Adds a gap to what was seen at an interface that nobody exported.
pub(super) fn name_lost_interfaces(loaded: &mut Loaded) {
    let kind = Sym::lower(ROUTES);
    let stated = loaded.facts.iter().filter_map(|fact| if let Fact::Nic(row) = fact { Some(row.nic.as_str()) } else { None });
    let stated: FxHashSet<&str> = stated.collect();
    let lost = |id: Sym| {
        let nic = ids::parent_id(id.as_str()).unwrap_or("");
        let exported = loaded.resources.binary_search_by_key(&nic, |resource| resource.id.as_str()).is_ok();
        !exported && !stated.contains(nic)
    };
    let seen = loaded.resources.iter().enumerate().filter(|(_, resource)| resource.kind == kind && lost(resource.id));
    for at in seen.map(|(at, _)| at).collect::<Vec<_>>() {
        let resource = &mut loaded.resources[at];
        let mut extracted = resource.extracted.take().unwrap_or_else(|| extract(resource));
        let what = Sym::new("the interface at which the routes were observed is not in the input: they count for nobody");
        extracted.facts.push(Gap { resource: resource.id, kind, what }.into());
        resource.extracted = Some(extracted);
    }
}
