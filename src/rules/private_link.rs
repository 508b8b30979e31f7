//! Private Link services as targets: by their id or their alias, and who may connect to them.

use crate::facts::Index;
use crate::facts::private_link::PrivateLinkService;
use crate::model::{Sym, Tri};

/// The id of what a connection names: an alias stands for the service of the input that has it, one that nobody has stays as it is (PLS-09).
///
/// ```datalog
/// leads_to_service(E, S) :- private_endpoint_connection(_, E, S, _, _, _, _), private_link_service(S, _, _, _, _).  // pls.4
/// leads_to_service(E, S) :- private_endpoint_connection(_, E, A, _, _, _, _), private_link_service(S, A, _, _, _).  // pls.5
/// ```
pub fn target(index: &Index, named: Sym) -> Sym {
    if named.is_empty() || named.as_str().contains('/') {
        return named;
    }
    index.private_link_services_by_alias.one(Sym::lower(named.as_str())).map_or(named, |row| row.service)
}

/// The service that a connection names, where it is in the input.
pub fn service(index: &Index, named: Sym) -> Option<PrivateLinkService> {
    index.private_link_service.one(target(index, named)).copied()
}

/// Whether a request from `subscription` is approved at once: it may see the service and is on the list (PLS-06, PLS-08); the empty subscription stands for
/// anybody's.
pub fn approves(index: &Index, service: Sym, subscription: Sym) -> Tri {
    let holds = |listed: Sym| listed.as_str() == "*" || (!subscription.is_empty() && listed == subscription);
    let visible = index.private_link_visible.get(service).iter().any(|row| holds(row.subscription));
    let listed = index.private_link_auto_approvals.get(service).iter().any(|row| holds(row.subscription));
    Tri::from_bool(visible && listed)
}

/// Whose requests a service approves at once: subscriptions, sorted, and the empty one where it is anybody (PLS-15).
pub fn approved_at_once(index: &Index, service: Sym) -> Vec<Sym> {
    let rows = index.private_link_auto_approvals.get(service).iter();
    let mut found: Vec<Sym> = rows.map(|row| if row.subscription.as_str() == "*" { Sym::EMPTY } else { row.subscription }).collect();
    // Everybody is approved, but only the listed ones see it.
    if found.contains(&Sym::EMPTY) {
        let visible = index.private_link_visible.get(service).iter().map(|row| row.subscription);
        found.extend(visible.filter(|subscription| subscription.as_str() != "*"));
    }
    found.retain(|subscription| approves(index, service, *subscription) == Tri::Yes);
    Sym::sort(&mut found);
    found.dedup();
    found
}
