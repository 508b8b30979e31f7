//! What a change moves: rows that appear and rows that go away.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::config::Names;
use crate::report::listing::Row;
use crate::report::rows::{ExfilRow, FindingRow, ReachRow, path_text, traffic_text};

/// Whether a row appears or goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Change {
    /// It appears.
    #[serde(rename = "+")]
    Added,
    /// It goes away.
    #[serde(rename = "-")]
    Removed,
}

impl Change {
    /// `+` or `-`.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Added => "+",
            Change::Removed => "-",
        }
    }
}

/// What a change can move, with the name of the relation it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "relation", rename_all = "lowercase")]
pub enum Moved {
    /// Who reaches what.
    Reach(ReachRow),
    /// Where data can leave.
    Exfil(ExfilRow),
    /// What a check says.
    Violation(FindingRow),
}

/// A row that a change adds or removes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// Added or removed.
    pub change: Change,
    /// The row.
    #[serde(flatten)]
    pub row: Moved,
}

/// By relation and row, what goes away before what appears.
impl Ord for ChangeRow {
    fn cmp(&self, other: &ChangeRow) -> Ordering {
        self.row.cmp(&other.row).then(other.change.cmp(&self.change))
    }
}

impl PartialOrd for ChangeRow {
    fn partial_cmp(&self, other: &ChangeRow) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The rows of `new` that `old` lacks and the other way round, sorted.
pub fn changes(old: Vec<Moved>, new: Vec<Moved>) -> Vec<ChangeRow> {
    let (mut old, mut new) = (old, new);
    old.sort();
    old.dedup();
    new.sort();
    new.dedup();
    let lacking = |rows: &[Moved], row: &Moved| rows.binary_search(row).is_err();
    let gone = old.iter().filter(|row| lacking(&new, row)).map(|row| ChangeRow { change: Change::Removed, row: row.clone() });
    let come = new.iter().filter(|row| lacking(&old, row)).map(|row| ChangeRow { change: Change::Added, row: row.clone() });
    let mut rows: Vec<ChangeRow> = gone.chain(come).collect();
    rows.sort();
    rows
}

impl Row for ChangeRow {
    const HEADER: &'static [&'static str] = &["change", "relation", "certainty", "what"];

    fn cells(&self, names: &Names) -> Vec<String> {
        let (relation, certainty, what) = match &self.row {
            Moved::Reach(row) => {
                let what =
                    format!("{} -> {} {} via {}", row.from.text(names), row.to.text(names), traffic_text(&row.traffic), row.via.as_str());
                ("reach", row.certainty, what)
            }
            Moved::Exfil(row) => ("exfil", row.certainty, path_text(&row.hops, names)),
            Moved::Violation(row) => ("violation", row.certainty, format!("{} {}: {}", row.severity.as_str(), row.check, row.text)),
        };
        vec![self.change.as_str().into(), relation.into(), certainty.as_str().into(), what]
    }
}
