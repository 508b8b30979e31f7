//! What somebody saw on the platform: effective routes of an interface, learned ones of a gateway.

use std::net::IpAddr;

use serde_json::Value;

use crate::facts::Fact;
use crate::facts::extract::out::{Out, get};
use crate::facts::network::{LearnedRoute, LearnedRoutes, ObservedDoubt, ObservedRoute, ObservedRoutes};
use crate::model::{Sym, net};

/// What `az network nic show-effective-route-table` printed (RTE-07). A row of which something is missing, or that is neither in effect nor surely without,
/// may lead anywhere (SND-02); where not even its prefix is told, or there is no row at all, so may everything. What has another shape does not count: then the
/// routes are derived, and nothing is proven (SND-02).
pub(super) fn routes<'a>(out: &mut Out<'a>, body: &'a Value) {
    let nic = out.parent();
    let mut rows = Vec::new();
    let list = if get(body, "value").is_some() { "value" } else { "output" };
    let items = out.objects(body, list);
    let is_list = get(body, list).is_some_and(Value::is_array);
    let mut whole = !items.is_empty();
    let unknown = Sym::new("unknown");
    for route in items {
        let word = |text: Option<&str>| text.map(Sym::lower);
        let lost = out.lost_paths().len();
        let (source, state, hop) = (word(out.text(route, "source")), word(out.text(route, "state")), word(out.text(route, "nextHopType")));
        let addresses = out.addresses(route, "nextHopIpAddress");
        let read = out.lost_paths().len() == lost;
        out.stand_for_lost(lost);
        let prefixes = out.prefixes(route, "addressPrefix");
        let state = state.map_or("", |state| state.as_str());
        if state == "invalid" {
            continue;
        }
        whole &= !prefixes.is_empty();
        let (source, hop, addresses) = match (source, hop, state) {
            (Some(source), Some(hop), "active") if read => (source, hop, addresses),
            (.., state) => {
                out.gap(match state {
                    _ if !read => "an observed route could not be read whole: where it leads is not known".to_owned(),
                    "" | "active" => "an observed route lacks its source, state or next hop: where it leads is not known".to_owned(),
                    state => format!("an observed route has the unknown `state` `{state}`: where it leads is not known"),
                });
                (unknown, unknown, Vec::new())
            }
        };
        let addresses = if addresses.is_empty() { vec![None] } else { addresses.into_iter().map(Some).collect() };
        let all = prefixes.into_iter().flat_map(|prefix| addresses.iter().map(move |address| (prefix, *address)));
        rows.extend(all.map(|(prefix, address)| ObservedRoute { nic, prefix, source, hop, address }));
    }
    if !is_list || out.has_lost() {
        return out.gap("the observed routes are not understood: they are derived");
    }
    if !whole || rows.is_empty() {
        out.gap("not all of the observed routes are told: where the others lead is not known");
        return untold(out, nic);
    }
    out.fact(ObservedRoutes { nic });
    rows.into_iter().for_each(|row| out.fact(row));
}

/// Routes were seen at the interface, and where any of them leads is not known.
fn untold(out: &mut Out<'_>, nic: Sym) {
    let unknown = Sym::new("unknown");
    out.fact(ObservedRoutes { nic });
    for prefix in [IpAddr::from([0; 4]), IpAddr::from([0; 16])].map(|ip| net::everything(net::host(ip))) {
        out.fact(ObservedRoute { nic, prefix, source: unknown, hop: unknown, address: None });
    }
}

/// What `az network vnet-gateway list-learned-routes` printed (GW-04). The prefixes of the gateway's own network are no news; where not every other one is told, or
/// none at all, nothing is.
pub(super) fn learned<'a>(out: &mut Out<'a>, body: &'a Value) {
    let gateway = out.parent();
    let list = if get(body, "value").is_some() { "value" } else { "output" };
    let items = out.objects(body, list);
    let mut rows = Vec::new();
    let mut whole = !items.is_empty();
    for route in items {
        let origin = out.text(route, "origin").map_or(Sym::new("unknown"), Sym::lower);
        let prefix = out.text(route, "network").and_then(net::parse_prefix);
        let peer = out.address(route, "sourcePeer").or_else(|| out.address(route, "nextHop"));
        whole &= prefix.is_some();
        let told = prefix.filter(|_| origin.as_str() != "network");
        rows.extend(told.map(|prefix| LearnedRoute { gateway, prefix, origin, peer }));
    }
    if !whole || out.has_lost() || !get(body, list).is_some_and(Value::is_array) {
        return out.gap("not all of the learned routes are told: what the gateway learned is not known");
    }
    out.fact(LearnedRoutes { gateway });
    rows.into_iter().for_each(|row| out.fact(row));
}

/// Whether a fact is of what a gateway learned: of two copies that contradict each other neither counts.
pub(super) fn is_learned(fact: &Fact) -> bool {
    matches!(fact, Fact::LearnedRoutes(_) | Fact::LearnedRoute(_))
}

/// The doubts about what two copies of the same say: one of them is out of date, and nobody knows which.
pub(super) fn doubts(copies: [&[Fact]; 2]) -> Vec<Fact> {
    let mut found = Vec::new();
    for (mine, theirs) in [(copies[0], copies[1]), (copies[1], copies[0])] {
        for fact in mine.iter().filter(|fact| !theirs.contains(fact)) {
            let Fact::ObservedRoute(ObservedRoute { nic, prefix, source, hop, address }) = *fact else { continue };
            found.push(Fact::ObservedDoubt(ObservedDoubt { nic, prefix, source, hop, address }));
        }
    }
    found
}

/// What somebody saw and of which no kind is read but effective and learned routes.
pub(super) fn other<'a>(out: &mut Out<'a>, _body: &'a Value) {
    let kind = out.resource.name;
    out.gap(format!("an observed state of kind `{kind}` is not read"));
}
