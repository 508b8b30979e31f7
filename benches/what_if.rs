//! Edits of the live session, each beside the same estate from nothing: in one run, so that their ratio counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::estate;
use criterion::{BenchmarkId, Criterion, criterion_group};
use watertight::engine::live::Session;
use watertight::facts::Fact;
use watertight::facts::azure_firewall::FirewallCollection;
use watertight::facts::network::{Access, Peering, PeeringState};
use watertight::facts::private_access::{Consent, PrivateEndpointConnection, ProviderConnection};

/// A kind of edit: facts that stand for others.
struct Kind {
    name: &'static str,
    edits: Vec<(Vec<Fact>, Vec<Fact>)>,
}

/// Edits of every kind that there is something for, from all over the estate.
fn kinds(facts: &[Fact]) -> Vec<Kind> {
    let spread = |mut edits: Vec<(Vec<Fact>, Vec<Fact>)>| {
        let step = (edits.len() / 100).max(1);
        edits = edits.into_iter().step_by(step).take(100).collect();
        edits
    };
    let swapped =
        |change: &dyn Fn(&Fact) -> Option<Fact>| spread(facts.iter().filter_map(|fact| Some((vec![*fact], vec![change(fact)?]))).collect());
    let rules = swapped(&|fact| if let Fact::NsgRule(rule) = fact { Some(estate::flipped(*rule).into()) } else { None });
    let consents = swapped(&|fact| match fact {
        Fact::PrivateEndpointConnection(row) => {
            let state = if row.state == Consent::Approved { Consent::Pending } else { Consent::Approved };
            Some(PrivateEndpointConnection { state, ..*row }.into())
        }
        _ => None,
    });
    let agreed = swapped_together(facts);
    let collections = swapped(&|fact| match fact {
        Fact::FirewallCollection(row) => {
            let action = if row.action == Access::Allow { Access::Deny } else { Access::Allow };
            Some(FirewallCollection { action, ..*row }.into())
        }
        _ => None,
    });
    let peerings = swapped(&|fact| match fact {
        Fact::Peering(row) => {
            let connected = row.state == PeeringState::Connected;
            let state = if connected { PeeringState::Disconnected } else { PeeringState::Connected };
            Some(Peering { state, ..*row }.into())
        }
        _ => None,
    });
    let links = spread(facts.iter().filter(|fact| matches!(fact, Fact::ZoneLink(_))).map(|fact| (vec![*fact], vec![])).collect());
    let kinds = [
        Kind { name: "one security rule", edits: rules },
        Kind { name: "one consent", edits: consents },
        Kind { name: "one consent, as both sides see it", edits: spread(agreed) },
        Kind { name: "one DNS link", edits: links },
        Kind { name: "one side of a peering", edits: peerings },
        Kind { name: "one firewall collection", edits: collections },
    ];
    kinds.into_iter().filter(|kind| !kind.edits.is_empty()).collect()
}

/// Consents that both sides change: what opens a way, or closes one.
fn swapped_together(facts: &[Fact]) -> Vec<(Vec<Fact>, Vec<Fact>)> {
    let other = |state| if state == Consent::Approved { Consent::Pending } else { Consent::Approved };
    let sides: BTreeMap<&str, ProviderConnection> = facts
        .iter()
        .filter_map(|fact| if let Fact::ProviderConnection(row) = fact { Some((row.endpoint.as_str(), *row)) } else { None })
        .collect();
    let both = facts.iter().filter_map(|fact| {
        let Fact::PrivateEndpointConnection(row) = fact else { return None };
        let side = *sides.get(row.endpoint.as_str())?;
        let (ours, theirs) =
            (PrivateEndpointConnection { state: other(row.state), ..*row }, ProviderConnection { state: other(row.state), ..side });
        Some((vec![*fact, side.into()], vec![ours.into(), theirs.into()]))
    });
    both.collect()
}

fn what_if(criterion: &mut Criterion) {
    let platform = estate::platform();
    println!("| estate | size | edit | p50 | p95 | max | from nothing | ratio |\n|---|--:|---|--:|--:|--:|--:|--:|");
    for (of, size) in estate::KINDS.iter().flat_map(|of| estate::sizes().into_iter().map(move |size| (of, size))) {
        let (facts, name) = (of.facts(size), of.name);
        let load = || {
            let start = Instant::now();
            let session = Session::load(facts.iter().copied(), &platform, 1).expect("a session");
            (session, start.elapsed())
        };
        let (mut session, scratch) = load();
        for kind in kinds(&facts) {
            agree(&mut session, &facts, &kind);
            let mut times: Vec<Duration> = Vec::new();
            for (old, new) in &kind.edits {
                for (gone, come) in [(old, new), (new, old)] {
                    let start = Instant::now();
                    session.edit(come.iter().copied(), gone.iter().copied()).expect("an edit");
                    times.push(start.elapsed());
                }
            }
            times.sort();
            let at =
                |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default();
            let ratio = scratch.as_secs_f64() / at(50).as_secs_f64().max(1e-9);
            println!(
                "| {name} | {size} | {} | {:.2?} | {:.2?} | {:.2?} | {scratch:.2?} | {ratio:.0} |",
                kind.name,
                at(50),
                at(95),
                at(100)
            );
        }
        let (fresh, _) = load();
        assert_eq!((session.rows(), session.leaks()), (fresh.rows(), fresh.leaks()), "the edits left what a load from nothing settles");
        println!("| {name} | {size} | peak memory of the process so far | {} MB | | | | |", estate::peak_memory());
        let mut at = 0;
        let kind = kinds(&facts).into_iter().find(|kind| kind.name == of.edit).expect("every estate has edits of its kind");
        let mut group = criterion.benchmark_group("what_if");
        group.sample_size(10);
        group.bench_function(BenchmarkId::new(format!("{name}: {} and back", kind.name), size), |bencher| {
            bencher.iter(|| {
                at = (at + 7919) % kind.edits.len();
                let (old, new) = &kind.edits[at];
                session.edit(new.iter().copied(), old.iter().copied()).expect("an edit");
                session.edit(old.iter().copied(), new.iter().copied()).expect("an edit");
            });
        });
        group.finish();
    }
}

/// After one edit of the kind the session holds what a load from nothing holds: checked before anything is timed.
fn agree(session: &mut Session, facts: &[Fact], kind: &Kind) {
    let Some((old, new)) = kind.edits.first() else { return };
    let changed = facts.iter().copied().filter(|fact| !old.contains(fact)).chain(new.iter().copied());
    let fresh = Session::load(changed, &estate::platform(), 1).expect("a session");
    let branch = session.branch(new.iter().copied(), old.iter().copied()).expect("a branch");
    let live = branch.session();
    assert_eq!((live.rows(), live.leaks(), live.access()), (fresh.rows(), fresh.leaks(), fresh.access()), "{}", kind.name);
}

criterion_group!(benches, what_if);
