//! A session: load facts, edit them, read what is settled.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::bounds::{Bounds, is_strange};
use crate::engine::worker::{Change, Command, Workers, start};
use crate::facts::platform::Platform;
use crate::facts::service::Service;
use crate::facts::{Fact, Index};
use crate::model::{Handle, Prefix, Span, Sym, Tri, net};
use crate::rules::class::name;
use crate::rules::leak::{Leak, Node, Sink};
use crate::rules::part::{Link, Part, Visitor};

pub use crate::engine::worker::Output;

/// The signed rows of one side of one class.
type Rows = BTreeMap<(Handle<Prefix>, Link, Span), isize>;

/// A live estate. Dropping it ends its workers.
pub struct Session {
    index: Index,
    workers: Option<Workers>,
    sides: FxHashMap<(Output, Sym), Rows>,
    classes: FxHashMap<Sym, Sym>,
    members: FxHashMap<Sym, FxHashSet<Sym>>,
    bounds: Bounds,
    access: FxHashMap<Sym, Vec<Part>>,
}

/// A row of what leaks.
pub type Leaking = (Node, Leak);

/// What one edit changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What leaks now and did not, or at another distance; sorted by name.
    pub appeared: Vec<Leaking>,
    /// What leaked and does not any more.
    pub disappeared: Vec<Leaking>,
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
        let mut session = Session {
            index: Index::default(),
            workers: Some(workers),
            sides: FxHashMap::default(),
            classes: FxHashMap::default(),
            members: FxHashMap::default(),
            bounds: Bounds::default(),
            access: FxHashMap::default(),
        };
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
                self.bounds.strange -= usize::from(is_strange(&fact));
                edits.push((fact, -1));
            }
        }
        for fact in added {
            if self.index.insert(fact) {
                self.bounds.strange += usize::from(is_strange(&fact));
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
        let mut moved: FxHashSet<Sym> = FxHashSet::default();
        let mut joined: Vec<(Sym, Sym)> = Vec::new();
        let mut let_in: Vec<(Sym, Part)> = Vec::new();
        let mut flows: FxHashMap<Leaking, isize> = FxHashMap::default();
        for (output, node, part, diff) in changes {
            let key = node.0;
            match part {
                _ if output == Output::Access && diff > 0 => let_in.push((key, part)),
                _ if output == Output::Access => self.access.entry(key).or_default().retain(|other| *other != part),
                Part::Leak(leak) => *flows.entry((node, leak)).or_insert(0) += diff,
                Part::Row { block, link, span } => {
                    let rows = self.sides.entry((output, key)).or_default();
                    before.entry((output, key)).or_insert_with(|| rows.clone());
                    let count = rows.entry((block, link, span)).or_insert(0);
                    *count += diff;
                    if *count == 0 {
                        rows.remove(&(block, link, span));
                    }
                }
                Part::Class(class) if diff > 0 => joined.push((key, name(class))),
                Part::Class(class) => {
                    moved.insert(key);
                    self.classes.remove(&key);
                    self.members.entry(name(class)).or_default().remove(&key);
                }
                _ => {}
            }
        }
        for (config, class) in joined {
            moved.insert(config);
            self.classes.insert(config, class);
            self.members.entry(class).or_default().insert(config);
        }
        for (key, part) in let_in {
            self.access.entry(key).or_default().push(part);
        }
        self.access.retain(|_, parts| !parts.is_empty());
        self.members.retain(|_, members| !members.is_empty());
        let mut touched: Vec<(Output, Sym)> = moved.into_iter().map(|config| (Output::Class, config)).collect();
        for ((output, class), _) in before.into_iter().filter(|(key, before)| self.sides.get(key) != Some(before)) {
            touched.extend(self.members.get(&class).into_iter().flatten().map(|config| (output, *config)));
        }
        self.sides.retain(|_, rows| !rows.is_empty());
        touched.sort_by_key(|(output, key)| (key.as_str(), *output));
        let (mut appeared, mut disappeared) = (Vec::new(), Vec::new());
        for ((node, leak), count) in flows {
            let known = self.bounds.leaks.entry(node).or_default();
            if count > 0 {
                known.push(leak);
                appeared.push((node, leak));
            } else if count < 0 {
                known.retain(|other| *other != leak);
                disappeared.push((node, leak));
            }
        }
        self.bounds.leaks.retain(|_, leaks| !leaks.is_empty());
        by_name(&mut appeared);
        by_name(&mut disappeared);
        Settled { touched, appeared, disappeared }
    }

    /// What gets through from one address configuration to another by direct delivery or by what may end anywhere: the join of both sides
    /// at their addresses.
    pub fn pair(&self, from: Sym, to: Sym) -> Span {
        let address = |config: Sym| self.index.ip_config_address.one(config).map(|row| net::host(row.address));
        let vnet = |config: Sym| {
            let subnet = self.index.ip_config.one(config)?.subnet;
            self.index.subnet.one(subnet).map(|row| row.vnet)
        };
        if self.bounds.strange > 0 {
            return Span::UNKNOWN;
        }
        // Who has no known address may have any.
        let (Some(source), Some(destination)) = (address(from), address(to)) else { return Span::UNKNOWN };
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
        let rows = self.classes.get(&config).and_then(|class| self.sides.get(&(output, *class)));
        for ((block, link, span), count) in rows.into_iter().flatten() {
            if block.get().contains(&other) {
                *sums.entry((*link, *span)).or_insert(0) += count;
            }
        }
        sums.into_iter().filter(|(_, count)| *count > 0).map(|(row, _)| row).collect()
    }

    /// What leaks, sorted by name: for every place inside or outside the boundary and each kind of sink the least number of hops, surely and possibly.
    /// What [`Session::may_leak`] adds where nothing is modelled is not among it.
    pub fn leaks(&self) -> Vec<Leaking> {
        let mut rows: Vec<Leaking> = self.bounds.leaks.iter().flat_map(|(node, leaks)| leaks.iter().map(|leak| (*node, *leak))).collect();
        by_name(&mut rows);
        rows
    }

    /// A bound from below of the hops that data at `node` needs to a sink of the kind, where it may leave at all: `None` proves that it cannot.
    pub fn may_leak(&self, node: Node, sink: Sink) -> Option<u32> {
        self.bounds.may_leak(&self.index, node, sink)
    }

    /// A bound from above of the hops that data at `node` surely needs to a sink of the kind; `None` where no way is proven.
    pub fn surely_leaks(&self, node: Node, sink: Sink) -> Option<u32> {
        self.bounds.surely_leaks(node, sink)
    }

    /// What is settled of exfiltration.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// What is settled of exfiltration; the session and its workers end.
    pub fn into_bounds(mut self) -> Bounds {
        std::mem::take(&mut self.bounds)
    }

    /// Whether connections of private endpoints carry traffic (PE-10), by the connection; sorted by name.
    pub fn consents(&self) -> Vec<(Sym, Tri)> {
        let rows =
            self.access.values().flatten().filter_map(|part| if let Part::Consents(id, sure) = part { Some((*id, *sure)) } else { None });
        let mut rows: Vec<(Sym, Tri)> = rows.collect();
        rows.sort_by_key(|(connection, _)| connection.as_str());
        rows
    }

    /// Whether a store's firewall lets in a kind of source; `None` for a kind that no rule of it names.
    pub fn admits(&self, store: Sym, visitor: Visitor) -> Option<Tri> {
        self.access.get(&store)?.iter().find_map(|part| match part {
            Part::Admits(kind, admitted) if *kind == visitor => Some(*admitted),
            _ => None,
        })
    }

    /// Whether a service endpoint of the subnet covers the front ends of stores of a service in a region (SE-15).
    pub fn covers(&self, subnet: Sym, service: Service, region: Sym) -> Tri {
        let rows = self.access.get(&subnet).into_iter().flatten();
        let found = rows.filter_map(|part| match part {
            Part::Covers(of, at, covered) if (*of, *at) == (service, region) => Some(*covered),
            _ => None,
        });
        found.max().unwrap_or_default()
    }

    /// Whom stores let in and what service endpoints cover, for comparison; sorted by name.
    pub fn access(&self) -> Vec<(Sym, Part)> {
        let mut rows: Vec<(Sym, Part)> = self.access.iter().flat_map(|(id, parts)| parts.iter().map(|part| (*id, *part))).collect();
        rows.sort_by_key(|(id, part)| (id.as_str(), *part));
        rows
    }

    /// An edit that is taken back when what is returned is dropped: an epoch with it, and one without.
    ///
    /// # Errors
    /// Those of [`Session::edit`].
    pub fn branch(&mut self, added: impl IntoIterator<Item = Fact>, removed: impl IntoIterator<Item = Fact>) -> Result<Branch<'_>, String> {
        // What is there already does not come, and what is not there does not go: neither is taken back.
        let removed: Vec<Fact> = removed.into_iter().filter(|fact| self.index.holds(fact)).collect();
        let added: Vec<Fact> = added.into_iter().filter(|fact| !self.index.holds(fact) || removed.contains(fact)).collect();
        let settled = self.edit(added.iter().copied(), removed.iter().copied())?;
        Ok(Branch { session: self, settled, added, removed })
    }

    /// The class of every address configuration, for comparison: sorted by name. Class names mean the same in every session of a process.
    pub fn classes(&self) -> Vec<(Sym, Sym)> {
        let mut classes: Vec<(Sym, Sym)> = self.classes.iter().map(|(config, class)| (*config, *class)).collect();
        classes.sort_by_key(|(config, _)| config.as_str());
        classes
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

/// A session with an edit that is not meant to stay.
pub struct Branch<'a> {
    session: &'a mut Session,
    settled: Settled,
    added: Vec<Fact>,
    removed: Vec<Fact>,
}

impl Branch<'_> {
    /// What the edit changed.
    pub fn settled(&self) -> &Settled {
        &self.settled
    }

    /// The session with the edit.
    pub fn session(&self) -> &Session {
        self.session
    }
}

impl Drop for Branch<'_> {
    fn drop(&mut self) {
        // Only an ended worker makes an edit fail: then the session is of no more use, and says so at the next edit.
        let _ = self.session.edit(self.removed.iter().copied(), self.added.iter().copied());
    }
}

/// Sorts rows of leaks by the names in them.
fn by_name(rows: &mut [Leaking]) {
    rows.sort_by(|(a, left), (b, right)| (a.0.as_str(), a.1.as_str(), left).cmp(&(b.0.as_str(), b.1.as_str(), right)));
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
