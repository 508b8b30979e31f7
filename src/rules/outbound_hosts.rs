//! The hosts that a logical SQL server may contact by itself (SQL-10).

use crate::facts::Index;
use crate::facts::store_facts::{Service, Switch};
use crate::model::{Sym, Tri};
use crate::rules::perimeter::{Callee, permits};

/// The child type that holds the list.
const RULES: &str = "microsoft.sql/servers/outboundfirewallrules";

/// Whether the list of `caller` lets it contact `callee`, and the rule that does; `None` for a resource that is not restricted to a list.
///
/// ```datalog
/// restricted(S) :- store(S, "sql", _, _), store_access(S, _, _, _, _, true).                                    // sql.2
/// may_contact(S, H) :- restricted(S), store_outbound_rule(_, S, H).                                             // sql.3
/// ```
pub fn listed(index: &Index, caller: Sym, callee: Callee<'_>) -> Option<(Tri, Sym)> {
    let server = index.store.one(caller)?;
    let restricted = restricted(index, caller);
    if restricted == Tri::No {
        return None;
    }
    let mut rules = index.store_outbound_rules.get(server.store).to_vec();
    rules.sort_by_key(|rule| rule.rule.as_str());
    let unlisted = if complete(index, server.store) { Tri::No } else { Tri::Maybe };
    let mut best = (unlisted, Sym::EMPTY);
    for rule in rules {
        let admitted = permits(index, rule.fqdn.as_str(), callee);
        best = if admitted > best.0 { (admitted, rule.rule) } else { best };
    }
    Some((best.0.or(if restricted.lo() { Tri::No } else { Tri::Maybe }), best.1))
}

/// Whether `caller` is a server that may contact listed hosts only.
pub fn restricted(index: &Index, caller: Sym) -> Tri {
    let server = index.store.one(caller).is_some_and(|store| store.service == Service::Sql);
    let access = index.store_access.one(caller).is_some_and(|access| access.outbound_restricted);
    let switch = index.store_switches.get(caller).iter().filter(|row| row.switch == Switch::Outbound);
    Tri::from_bool(server).and(Tri::from_bool(access).or(switch.map(|row| row.on).max().unwrap_or(Tri::No)))
}

/// Whether the list of a server is in the input (M-03).
fn complete(index: &Index, server: Sym) -> bool {
    !index.store_outbound_rules.is_empty() || index.tells_children_of(server, Sym::new(RULES))
}
