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
use crate::query::relations::Relations;
use crate::query::{DEFAULT_BUDGET, verify};
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
    if edit.is_empty() && same_platform {
        return Ok(Vec::new()); // the same facts have the same rows
    }
    let (impact, settled) = if same_platform {
        (Impact::between(old.touched(edit), new.touched(edit)), settle(old, new, edit, workers))
    } else {
        // Other service tags may move anything.
        (Impact::ANYTHING, old.settle(workers).and_then(|before| Ok([before, new.settle(workers)?])))
    };
    let [settled_before, settled_after] = settled.map_err(Fail::Text)?;
    let before = old.look(settled_before.as_ref(), None, workers)?;
    let known = Known { edges: &before.edges, impact: &impact };
    let after = new.look(settled_after.as_ref(), Some(known), workers)?;
    Ok(changes(old.rows(&before, &after, &impact, workers), new.rows(&after, &before, &impact, workers)))
}

/// What the dataflow settles of ways out on both sides, of which `edit` makes the second of the first.
fn settle(old: Side<'_>, new: Side<'_>, edit: &Edit, workers: NonZeroUsize) -> Result<[Option<Bounds>; 2], String> {
    let (platform, edit) = (Arc::new(old.platform.clone()), (edit.added.as_slice(), edit.removed.as_slice()));
    Bounds::of_both(old.index.facts(), new.index.facts(), edit, &platform, workers.get())
}

impl Side<'_> {
    fn world(&self) -> World<'_> {
        World::new(self.index, self.platform)
    }

    /// What the edit touches here.
    fn touched(&self, edit: &Edit) -> impact::Side {
        impact::Side::of(&self.world(), edit.removed.iter().chain(&edit.added))
    }

    /// What the dataflow settles of ways out here alone.
    fn settle(&self, workers: NonZeroUsize) -> Result<Option<Bounds>, String> {
        Bounds::of(self.index.facts(), &Arc::new(self.platform.clone()), workers.get())
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
        let relations = derived.relations();
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

    /// The rows of this side, but for those that the other has as well because the change cannot have moved them.
    fn rows(&self, mine: &Found, theirs: &Found, impact: &Impact, workers: NonZeroUsize) -> Vec<Moved> {
        let violations = mine.findings.iter().cloned().map(Moved::Violation);
        let told = self.told(&mine.routes, &theirs.routes, impact, workers);
        self.reached(impact, workers).into_iter().chain(told).chain(violations).collect()
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
