//! What differs between the two sides of a change: who reaches what, where data can leave, what the checks find. Nothing is asked again, or told, that the
//! change cannot have moved.

use std::num::NonZeroUsize;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::cli::Fail;
use crate::cli::estate::{Ask, Edit, reach_rows};
use crate::engine::bounds::Bounds;
use crate::engine::exfil::{Edges, Graph, Known, Route};
use crate::explain::impact::{self, Impact};
use crate::explain::world::World;
use crate::facts::Index;
use crate::facts::platform::Platform;
use crate::query::derived::Derived;
use crate::query::verify;
use crate::query::{DEFAULT_BUDGET, EstateRelations, FactRelations, relations::Relations};
use crate::report::changes::{ChangeRow, Moved, changes};
use crate::report::rows::{ExfilRow, FindingRow};

/// One side.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its facts.
    pub index: &'a Index,
    /// What is true of Azure there.
    pub platform: &'static Platform,
}

/// What was found on a side.
struct Found {
    findings: Vec<FindingRow>,
    routes: Vec<Route>,
    edges: Edges,
}

/// The rows that go away and appear with `edit`, which makes `new` of `old`; sorted.
///
/// # Errors
/// A shipped check could not be evaluated, or the session ended.
pub fn moved(old: Side<'_>, new: Side<'_>, edit: &Edit, workers: NonZeroUsize) -> Result<Vec<ChangeRow>, Fail> {
    let same_platform = std::ptr::eq(old.platform, new.platform);
    // The same facts have the same rows.
    if edit.is_empty() && same_platform {
        return Ok(Vec::new());
    }
    // Other service tags may move anything.
    let impact = if same_platform { Impact::between(old.touched(edit), new.touched(edit)) } else { Impact::ANYTHING };
    let [settled, settles] = settle(old, new, edit, workers).map_err(Fail::Text)?;
    let before = old.look(settled.as_ref(), None, workers)?;
    let known = Known { edges: &before.edges, impact: &impact };
    let after = new.look(settles.as_ref(), Some(known), workers)?;
    let mut rows = [old.reached(&impact, workers), new.reached(&impact, workers)];
    rows[0].extend(old.told(&before.routes, &after.routes, &impact, workers));
    rows[1].extend(new.told(&after.routes, &before.routes, &impact, workers));
    let [mut old, mut new] = rows;
    old.extend(before.findings.into_iter().map(Moved::Violation));
    new.extend(after.findings.into_iter().map(Moved::Violation));
    Ok(changes(old, new))
}

/// What the dataflow settles of ways out on both sides.
fn settle(old: Side<'_>, new: Side<'_>, edit: &Edit, workers: NonZeroUsize) -> Result<[Option<Bounds>; 2], String> {
    let (facts, platform) = ((old.index.facts(), new.index.facts()), Arc::new(old.platform.clone()));
    if std::ptr::eq(old.platform, new.platform) {
        return Bounds::of_both(facts.0, facts.1, (&edit.added, &edit.removed), &platform, workers.get());
    }
    let other = Arc::new(new.platform.clone());
    Ok([Bounds::of(facts.0, &platform, workers.get())?, Bounds::of(facts.1, &other, workers.get())?])
}

impl Side<'_> {
    fn world(&self) -> World<'_> {
        World::new(self.index, self.platform)
    }

    /// What the edit touches here.
    fn touched(&self, edit: &Edit) -> impact::Side {
        impact::Side::of(&self.world(), edit.removed.iter().chain(&edit.added))
    }

    /// The findings and the ways out, those looked for again that may differ from what is `known` of the other side.
    fn look(&self, bounds: Option<&Bounds>, known: Option<Known<'_>>, workers: NonZeroUsize) -> Result<Found, Fail> {
        let world = self.world();
        let derived = Derived::new(&world, workers).bounded_by(bounds).knowing(known);
        let findings = self.findings(&derived)?;
        let (routes, edges) = derived.ways_out();
        Ok(Found { findings, routes, edges })
    }

    /// What the shipped checks find.
    fn findings(&self, derived: &Derived<'_>) -> Result<Vec<FindingRow>, Fail> {
        let relations = EstateRelations::new(FactRelations::new(self.index), Box::new(|relation, bound| derived.rows(relation, bound)));
        let unusable = |why: String| Fail::new("cli::checks", why);
        let checks = verify::checks(None, &relations.declarations()).map_err(unusable)?;
        let mut report = verify::run(&checks, &relations, DEFAULT_BUDGET);
        if let Some(broken) = report.checks.iter().find(|check| !check.error.is_empty()) {
            return Err(unusable(format!("`{}` could not be evaluated: {}", broken.id, broken.error)));
        }
        let assumptions = |finding: &verify::Finding| {
            finding.premises.iter().flat_map(|premise| derived.proof(&premise.relation, &premise.row).assumptions).collect()
        };
        report.explain(&|finding| (Vec::new(), assumptions(finding)));
        Ok(FindingRow::list(&report))
    }

    /// Who reaches what, but for rows that the change cannot have moved.
    fn reached(&self, impact: &Impact, workers: NonZeroUsize) -> Vec<Moved> {
        let ask = Ask { touching: impact.ends().cloned(), ..Ask::all(workers) };
        reach_rows(self.index, self.platform, &ask).into_iter().map(Moved::Reach).collect()
    }

    /// The rows of ways out, but for those that both sides have and the change cannot have moved.
    fn told(&self, mine: &[Route], theirs: &[Route], impact: &Impact, workers: NonZeroUsize) -> Vec<Moved> {
        let world = self.world();
        let graph = Graph::new(&world).on(workers);
        let theirs: FxHashSet<&Route> = theirs.iter().collect();
        let routes: Vec<Route> = mine.iter().filter(|route| !theirs.contains(route) || graph.tells_anew(impact, route)).cloned().collect();
        graph.told(&routes).iter().map(|path| Moved::Exfil(ExfilRow::of(path, self.index))).collect()
    }
}
