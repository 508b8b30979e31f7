//! A session: load facts, edit them, read what is settled.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::engine::worker::{Change, Command, Workers, start};
use crate::facts::platform::Platform;
use crate::facts::{Fact, Index};
use crate::model::{Handle, Prefix, Span, Sym, net};
use crate::rules::part::{Link, Part};

pub use crate::engine::worker::Output;

/// The signed rows of one side of one address configuration.
type Rows = BTreeMap<(Handle<Prefix>, Link, Span), isize>;

/// A live estate. Dropping it ends its workers.
pub struct Session {
    index: Index,
    workers: Option<Workers>,
    sides: FxHashMap<(Output, Sym), Rows>,
}

/// What one edit changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Address configurations whose rows changed, by side; sorted by name.
    pub touched: Vec<(Output, Sym)>,
}

impl Session {
    /// A session over `facts` with so many workers (at least one).
    ///
    /// # Errors
    /// Where the workers cannot be started.
    pub fn load(facts: impl IntoIterator<Item = Fact>, platform: &Arc<Platform>, workers: usize) -> Result<Session, String> {
        let workers = start(workers.max(1), platform)?;
        let mut session = Session { index: Index::default(), workers: Some(workers), sides: FxHashMap::default() };
        session.edit(facts, [])?;
        Ok(session)
    }

    /// The settled facts.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Adds and removes facts in one epoch, and waits until everything derived has settled. A fact that is there is not added again, one
    /// that is not there is not removed.
    ///
    /// # Errors
    /// Where a worker has ended: our bug, the message says what to attach.
    pub fn edit(&mut self, added: impl IntoIterator<Item = Fact>, removed: impl IntoIterator<Item = Fact>) -> Result<Settled, String> {
        let mut edits: Vec<(Fact, isize)> = Vec::new();
        for fact in removed {
            if self.index.remove(fact) {
                edits.push((fact, -1));
            }
        }
        for fact in added {
            if self.index.insert(fact) {
                edits.push((fact, 1));
            }
        }
        let gone = || "a worker ended: this is a bug in watertight; please attach the input and the command".to_owned();
        let workers = self.workers.as_ref().ok_or_else(gone)?;
        let edits = Arc::new(edits);
        for sender in &workers.commands {
            sender.send(Command::Edit(edits.clone())).map_err(|_| gone())?;
        }
        let mut changes: Vec<Change> = Vec::new();
        for _ in &workers.commands {
            changes.extend(workers.changes.recv().map_err(|_| gone())?);
        }
        Ok(self.settle(changes))
    }

    fn settle(&mut self, changes: Vec<Change>) -> Settled {
        let mut before: FxHashMap<(Output, Sym), Rows> = FxHashMap::default();
        for (output, key, part, diff) in changes {
            let Part::Row { block, link, span } = part else { continue };
            let rows = self.sides.entry((output, key)).or_default();
            before.entry((output, key)).or_insert_with(|| rows.clone());
            let count = rows.entry((block, link, span)).or_insert(0);
            *count += diff;
            if *count == 0 {
                rows.remove(&(block, link, span));
            }
        }
        let mut touched: Vec<(Output, Sym)> =
            before.into_iter().filter(|(key, before)| self.sides.get(key) != Some(before)).map(|(key, _)| key).collect();
        self.sides.retain(|_, rows| !rows.is_empty());
        touched.sort_by_key(|(output, key)| (key.as_str(), *output));
        Settled { touched }
    }

    /// What gets through from one address configuration to another by direct delivery or by what may end anywhere: the join of both sides
    /// at their addresses.
    pub fn pair(&self, from: Sym, to: Sym) -> Span {
        let address = |config: Sym| self.index.ip_config_address.one(config).map(|row| net::host(row.address));
        let vnet = |config: Sym| {
            let subnet = self.index.ip_config.one(config)?.subnet;
            self.index.subnet.one(subnet).map(|row| row.vnet)
        };
        let (Some(source), Some(destination)) = (address(from), address(to)) else { return Span::NONE };
        // A subnet that is not in the input: nothing is known of what stands in it.
        let (Some(here), Some(there)) = (vnet(from), vnet(to)) else { return Span::UNKNOWN };
        let out = self.at(Output::Out, from, destination);
        let into = self.at(Output::Into, to, source);
        let mut span = Span::NONE;
        for (link, leaves) in &out {
            let fits = |other: &Link| match (link, other) {
                (Link::Anywhere, Link::Anywhere) => true,
                (Link::Direct { to: target, .. }, Link::Direct { from, to }) => {
                    target == to && *to == there && (from.is_empty() || *from == here)
                }
                _ => false,
            };
            for (_, enters) in into.iter().filter(|(other, _)| fits(other)) {
                span = span.or(leaves.and(*enters));
            }
        }
        span
    }

    /// The rows of one side that count for an address.
    fn at(&self, output: Output, config: Sym, other: Prefix) -> Vec<(Link, Span)> {
        let mut sums: BTreeMap<(Link, Span), isize> = BTreeMap::new();
        for ((block, link, span), count) in self.sides.get(&(output, config)).into_iter().flatten() {
            if block.get().contains(&other) {
                *sums.entry((*link, *span)).or_insert(0) += count;
            }
        }
        sums.into_iter().filter(|(_, count)| *count > 0).map(|(row, _)| row).collect()
    }

    /// Every row of every side, for comparison: sorted by name.
    pub fn rows(&self) -> Vec<(Output, Sym, Prefix, Link, Span, isize)> {
        let mut rows: Vec<_> = self
            .sides
            .iter()
            .flat_map(|((output, key), rows)| {
                rows.iter().map(|((block, link, span), count)| (*output, *key, *block.get(), *link, *span, *count))
            })
            .collect();
        rows.sort_by(|a, b| (a.0, a.1.as_str(), a.2).cmp(&(b.0, b.1.as_str(), b.2)).then_with(|| (a.3, a.4).cmp(&(b.3, b.4))));
        rows
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(workers) = self.workers.take() {
            for sender in &workers.commands {
                let _ = sender.send(Command::Stop);
            }
            drop(workers.commands);
            drop(workers.guards); // waits for the threads
        }
    }
}
