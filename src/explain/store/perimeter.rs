//! The steps a network security perimeter adds to a way, at both of its ends.

use crate::explain::packet::{StepExt, short, step};
use crate::explain::store::steps;
use crate::explain::way::{Kind, Step};
use crate::explain::world::World;
use crate::facts::store_facts::{Service, Store};
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Stage, Sym, Tri};
use crate::rules::outbound_hosts;
use crate::rules::paas_firewall::Source;
use crate::rules::perimeter::{self, By, Callee, Decision};

/// Inside a perimeter storage speaks HTTPS and nothing else (NSP-10); `None` for any other store.
pub fn https_only(world: &World<'_>, store: &Store) -> Option<Step> {
    let (association, sure) = perimeter::member(world.index, store.store).filter(|_| store.service == Service::Storage)?;
    let https = Set::of(Proto::Tcp, (443, 443), ANY_PORT);
    let span = if sure == Tri::Yes { Span::exactly(https) } else { Span { sure: https, may: Set::ALL } };
    let text = format!("in perimeter {} the account speaks HTTPS only", short(association.perimeter));
    let only = step(Stage::Perimeter, span, "perimeter.7", text).by(association.perimeter, "https").at_fact(association.association);
    Some(only.kind(Kind::Default).code(if sure == Tri::Yes { "" } else { "W-UNSUPPORTED" }))
}

/// Whether the perimeter of the store admits what the packets show; `None` where no perimeter holds it.
pub fn entering(world: &World<'_>, store: &Store, part: Sym, source: &Source, sender: Sym) -> Option<Step> {
    let guard = world.guard(store.store, part)?;
    let decision = perimeter::admit(world.index, world.platform, &guard.firewall, source, sender)?;
    if let By::Own(own) = decision.by {
        return Some(super::firewall::own_firewall(world, store, part, &own, source));
    }
    Some(decided(world, store.store, &decision, "lets it in"))
}

/// What stands in the way of a resource that calls in its own name: its outbound list of hosts, and its perimeter (SQL-10, NSP-04).
pub fn leaving(world: &World<'_>, caller: Sym, callee: Callee<'_>) -> Vec<Step> {
    let mut out = Vec::new();
    if let Some((admitted, rule)) = outbound_hosts::listed(world.index, caller, callee) {
        let text = match admitted {
            Tri::Maybe if !outbound_hosts::restricted(world.index, caller).lo() => {
                "whether the server may contact listed hosts only is not known, and this is not surely one of them"
            }
            Tri::Yes => "an outbound firewall rule of the server lists the host",
            Tri::Maybe if rule.is_empty() => "the outbound firewall rules of the server are not in the input",
            Tri::Maybe => "the host is not in the input: an outbound firewall rule of the server may list it",
            Tri::No => "the server may contact listed hosts only, and this is none of them",
        };
        let listed = step(Stage::SqlFirewall, steps::span(admitted), "sql.2", text.to_owned());
        let listed = listed.by(caller, "restrictOutboundNetworkAccess=Enabled").at_fact(rule).kind(Kind::Fact);
        out.push(if admitted == Tri::Maybe { listed.code("W-MISSING") } else { listed });
    }
    let decision = perimeter::calls(world.index, caller, callee);
    if decision.by != By::Free {
        out.push(decided(world, caller, &decision, "lets it out"));
    }
    out
}

/// One decision of a perimeter about `member`, in words.
fn decided(world: &World<'_>, member: Sym, decision: &Decision, lets: &str) -> Step {
    let association = perimeter::member(world.index, member).map(|(association, _)| association);
    let home = association.map_or(member, |association| association.perimeter);
    let name = short(home);
    let said = match decision.admitted {
        Tri::Yes => lets.to_owned(),
        Tri::Maybe => format!("perhaps {lets}"),
        Tri::No => format!("never {lets}"),
    };
    let (text, rule, source, code) = match decision.by {
        By::Rule(rule) => (format!("access rule {} of perimeter {name} {said}", short(rule)), short(rule), rule, "W-UNSUPPORTED"),
        By::Member(_) => (format!("both are members of perimeter {name}, which {said}"), "member", Sym::EMPTY, "W-UNSUPPORTED"),
        By::Link(link) => (format!("link {} of perimeter {name} {said}", short(link)), short(link), link, "W-UNSUPPORTED"),
        By::NoRule => (format!("no access rule of perimeter {name} {lets}"), "accessRules", Sym::EMPTY, ""),
        By::Unlisted => (format!("the access rules of perimeter {name} are not in the input"), "accessRules", Sym::EMPTY, "W-MISSING"),
        By::Unread => (format!("an access rule of perimeter {name} could not be read"), "accessRules", Sym::EMPTY, "W-UNSUPPORTED"),
        By::Unsettled => {
            (format!("whether a perimeter decides about {} is not known", short(member)), "accessMode", Sym::EMPTY, "W-UNSUPPORTED")
        }
        By::Locked => (
            format!("{} is left to a perimeter, and is in none", short(member)),
            "publicNetworkAccess=SecuredByPerimeter",
            Sym::EMPTY,
            "W-UNSUPPORTED",
        ),
        By::Own(_) | By::Free => (format!("perimeter {name} {said}"), "", Sym::EMPTY, "W-UNSUPPORTED"),
    };
    let kind = if source.is_empty() { Kind::Absence } else { Kind::Fact };
    let kind = if decision.admitted == Tri::Maybe { Kind::Assumption } else { kind };
    let fact = if source.is_empty() { association.map_or(Sym::EMPTY, |association| association.association) } else { source };
    let decided = step(Stage::Perimeter, steps::span(decision.admitted), "perimeter.4", text).by(home, rule).at_fact(fact).kind(kind);
    decided.code(if decision.admitted == Tri::Maybe { code } else { "" })
}
