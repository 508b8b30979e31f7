//! What somebody saw on the platform: effective routes of an interface.

use serde_json::Value;

use crate::facts::extract::out::{Out, get};
use crate::facts::network::{ObservedRoute, ObservedRoutes};
use crate::model::Sym;

/// What `az network nic show-effective-route-table` printed (RTE-07). Where any of it is not understood none of it counts: then the routes are derived.
pub(super) fn routes<'a>(out: &mut Out<'a>, body: &'a Value) {
    let nic = out.parent();
    let mut rows = Vec::new();
    let list = if get(body, "value").is_some() { "value" } else { "output" };
    let items = out.objects(body, list);
    let mut whole = get(body, list).is_some_and(Value::is_array);
    for route in items {
        let word = |text: Option<&str>| text.map(Sym::lower);
        let (source, state, hop) = (word(out.text(route, "source")), word(out.text(route, "state")), word(out.text(route, "nextHopType")));
        let prefixes = out.prefixes(route, "addressPrefix");
        let addresses = out.addresses(route, "nextHopIpAddress");
        let (Some(source), Some(state), Some(hop), false) = (source, state, hop, prefixes.is_empty()) else {
            whole = false;
            continue;
        };
        let addresses = if addresses.is_empty() { vec![None] } else { addresses.into_iter().map(Some).collect() };
        if state.as_str() == "active" {
            let all = prefixes.into_iter().flat_map(|prefix| addresses.iter().map(move |address| (prefix, *address)));
            rows.extend(all.map(|(prefix, address)| ObservedRoute { nic, prefix, source, hop, address }));
        }
    }
    if !whole || rows.is_empty() || out.has_lost() {
        if let Some(none) = get(body, list).filter(|_| items.is_empty() && !out.has_lost()) {
            out.wrong(none, "a list of effective routes");
        }
        return out.gap("the observed routes are not understood: they are derived");
    }
    out.fact(ObservedRoutes { nic });
    rows.into_iter().for_each(|row| out.fact(row));
}
