//! The rows of listings, exactly as JSON prints them, with a total order by text.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::Names;
use crate::engine::blockers::Blocker;
use crate::engine::exfil;
use crate::explain::reach;
use crate::explain::way::{Assumption, End};
use crate::facts::Index;
use crate::model::items::{self, Item};
use crate::model::{Set, Via};
use crate::query::{self, Report};
use crate::report::ends::RowEnd;
use crate::report::listing::Row;

/// Whether a row is proven from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of the output")]
pub enum Certainty {
    Proven,
    Unproven,
}

impl Certainty {
    /// Proven or not.
    pub fn of(proven: bool) -> Certainty {
        if proven { Certainty::Proven } else { Certainty::Unproven }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Certainty::Proven => "proven",
            Certainty::Unproven => "unproven",
        }
    }
}

/// Something that is taken for granted, as JSON prints it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssumptionRow {
    /// A warning or reason code.
    pub code: String,
    /// The resource it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// In plain words.
    pub text: String,
}

impl AssumptionRow {
    /// `assumptions` sorted by text, each once.
    pub fn list(assumptions: &[Assumption]) -> Vec<AssumptionRow> {
        let mut rows: Vec<AssumptionRow> = assumptions
            .iter()
            .map(|a| AssumptionRow { code: a.code.clone(), resource: a.resource.as_str().to_owned(), text: a.text.clone() })
            .collect();
        rows.sort();
        rows.dedup();
        rows
    }
}

/// One leg of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hop {
    /// Where it starts.
    pub from: RowEnd,
    /// Where it ends.
    pub to: RowEnd,
    /// How the two are joined.
    pub via: Via,
    /// What gets through.
    pub traffic: Vec<Item>,
}

/// `from` reaches `to` with `traffic`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReachRow {
    /// The source.
    pub from: RowEnd,
    /// The destination.
    pub to: RowEnd,
    /// How the two are joined.
    pub via: Via,
    /// What gets through.
    pub traffic: Vec<Item>,
    /// Whether that is proven.
    pub certainty: Certainty,
    /// The legs of the way, only where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// What is taken for granted; empty where proven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<AssumptionRow>,
}

/// Data can move from `from` to `to` over the hops.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExfilRow {
    /// Where the data is.
    pub from: RowEnd,
    /// Where it ends up.
    pub to: RowEnd,
    /// The way.
    pub hops: Vec<Hop>,
    /// How many hops there are.
    pub length: usize,
    /// Whether every hop is proven.
    pub certainty: Certainty,
    /// How bad it is: who gets the data, over how many hops, and how sure that is.
    pub severity: Severity,
    /// What is taken for granted; empty where proven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<AssumptionRow>,
}

/// Shortest first, then proven first, then by text.
impl Ord for ExfilRow {
    fn cmp(&self, other: &ExfilRow) -> Ordering {
        let key = |row: &'_ ExfilRow| (row.length, row.certainty);
        key(self)
            .cmp(&key(other))
            .then_with(|| self.from.cmp(&other.from))
            .then_with(|| self.to.cmp(&other.to))
            .then_with(|| self.hops.cmp(&other.hops))
            .then_with(|| self.assumptions.cmp(&other.assumptions))
    }
}

impl PartialOrd for ExfilRow {
    fn partial_cmp(&self, other: &ExfilRow) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ReachRow {
    /// A row of the listing as it is printed.
    pub fn of(row: &reach::Row, index: &Index) -> ReachRow {
        let end = |end| RowEnd::of(end, index);
        let traffic = items::items(row.traffic);
        let sent = |leg: &reach::Leg| leg.traffic.map_or_else(|| traffic.clone(), items::items);
        let hop = |leg: &reach::Leg| Hop { from: end(leg.from), to: end(leg.to), via: leg.via, traffic: sent(leg) };
        ReachRow {
            from: end(row.from),
            to: end(row.to),
            via: row.via,
            hops: row.legs.iter().map(hop).collect(),
            certainty: Certainty::of(row.proven),
            assumptions: AssumptionRow::list(&row.assumptions),
            traffic,
        }
    }
}

impl ExfilRow {
    /// A path as it is printed.
    pub fn of(path: &exfil::Path, index: &Index) -> ExfilRow {
        let end = |end| RowEnd::of(end, index);
        let hop = |hop: &exfil::Hop| Hop { from: end(hop.from), to: end(hop.to), via: hop.via, traffic: items::items(hop.traffic) };
        ExfilRow {
            from: end(path.from),
            to: end(path.to),
            hops: path.hops.iter().map(hop).collect(),
            length: path.hops.len(),
            certainty: Certainty::of(path.proven),
            severity: Severity::of(path),
            assumptions: AssumptionRow::list(&path.assumptions),
        }
    }
}

/// What keeps data from getting out, at one place that it can get to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BlockedRow {
    /// Where the data is.
    pub from: RowEnd,
    /// Where it cannot get.
    pub to: RowEnd,
    /// The place inside from which the last step is refused.
    pub at: RowEnd,
    /// The first gate that refuses it.
    pub stage: &'static str,
    /// The resource that decides.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource: &'static str,
    /// The item inside it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// In plain words.
    pub text: String,
}

impl BlockedRow {
    /// What was found, sorted, each once.
    pub fn list(blockers: Vec<Blocker>, index: &Index) -> Vec<BlockedRow> {
        let end = |end| RowEnd::of(end, index);
        let row = |blocker: Blocker| BlockedRow {
            from: end(blocker.from),
            to: end(blocker.to),
            at: end(blocker.at),
            stage: blocker.stage.as_str(),
            resource: blocker.resource.as_str(),
            rule: blocker.rule,
            text: blocker.text,
        };
        let mut rows: Vec<BlockedRow> = blockers.into_iter().map(row).collect();
        rows.sort();
        rows.dedup();
        rows
    }
}

impl Row for BlockedRow {
    const HEADER: &'static [&'static str] = &["from", "to", "at", "blocked by", "resource", "why"];

    fn cells(&self, names: &Names) -> Vec<String> {
        let resource = self.resource.rsplit('/').next().unwrap_or_default().to_owned();
        let ends = [self.from.text(names), self.to.text(names), self.at.text(names)];
        ends.into_iter().chain([self.stage.to_owned(), resource, self.text.clone()]).collect()
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of the output")]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
    Info,
}

impl Severity {
    /// Of a way out: strangers are worse than a site of ours, data that anybody takes at one hop is the worst; a long way and a doubtful one are each
    /// one step better.
    pub fn of(path: &exfil::Path) -> Severity {
        let at_once = path.proven && path.hops.len() == 1 && matches!(path.from, End::Store(..));
        let sink = match path.to {
            End::Site(_) => 2,
            _ if at_once => 0,
            _ => 1,
        };
        let level = sink + usize::from(path.hops.len() > 2) + usize::from(!path.proven);
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low][level.min(3)]
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Info => "info",
        }
    }
}

/// One hit of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRow {
    /// The check that hit.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// The columns of the check's declaration, in their order, ids in lower case.
    pub witness: Map<String, Value>,
    /// Whether it is proven.
    pub certainty: Certainty,
    /// In plain words, with ids.
    pub message: String,
    /// The same with names as people write them; text only.
    #[serde(skip)]
    pub text: String,
    /// What is taken for granted; empty where proven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<AssumptionRow>,
}

impl FindingRow {
    /// The findings of a report, sorted.
    pub fn list(report: &Report) -> Vec<FindingRow> {
        let mut rows: Vec<FindingRow> = Vec::new();
        for check in &report.checks {
            let severity = match check.severity {
                query::Severity::Critical => Severity::Critical,
                query::Severity::High => Severity::High,
                query::Severity::Medium => Severity::Medium,
                query::Severity::Low => Severity::Low,
                query::Severity::Info => Severity::Info,
            };
            rows.extend(check.findings.iter().map(|finding| FindingRow {
                check: check.id.clone(),
                severity,
                witness: finding.witness.iter().map(|(name, value)| (name.clone(), query::render::cell(*value))).collect(),
                certainty: Certainty::of(finding.proven),
                message: finding.message.clone(),
                text: finding.text.clone(),
                assumptions: AssumptionRow::list(&finding.assumptions),
            }));
        }
        rows.sort();
        rows
    }
}

impl Ord for FindingRow {
    fn cmp(&self, other: &FindingRow) -> Ordering {
        let text = |row: &FindingRow| Value::Object(row.witness.clone()).to_string();
        (&self.check, self.severity, self.certainty, &self.message)
            .cmp(&(&other.check, other.severity, other.certainty, &other.message))
            .then_with(|| text(self).cmp(&text(other)))
            .then_with(|| self.assumptions.cmp(&other.assumptions))
    }
}

impl PartialOrd for FindingRow {
    fn partial_cmp(&self, other: &FindingRow) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

pub(super) fn traffic_text(items: &[Item]) -> String {
    let text = |item: &Item| {
        let mut text = item.proto.as_str().to_owned();
        if let Some(ports) = &item.ports {
            text.push_str(&format!("/{ports}"));
        }
        if let Some(ports) = &item.source_ports {
            text.push_str(&format!(" from {ports}"));
        }
        text
    };
    if items == items::items(Set::ALL) { "any".to_owned() } else { items.iter().map(text).collect::<Vec<_>>().join(", ") }
}

/// `a -[via]-> b -[via]-> c`.
pub(super) fn path_text(hops: &[Hop], names: &Names) -> String {
    let mut text = String::new();
    for (n, hop) in hops.iter().enumerate() {
        if n == 0 {
            text.push_str(&hop.from.text(names));
        }
        text.push_str(&format!(" -[{}]-> {}", hop.via.as_str(), hop.to.text(names)));
    }
    text
}

impl Row for ReachRow {
    const HEADER: &'static [&'static str] = &["from", "to", "via", "traffic", "certainty", "path"];

    fn cells(&self, names: &Names) -> Vec<String> {
        let hops = path_text(&self.hops, names);
        vec![
            self.from.text(names),
            self.to.text(names),
            self.via.as_str().into(),
            traffic_text(&self.traffic),
            self.certainty.as_str().into(),
            hops,
        ]
    }
}

impl Row for ExfilRow {
    const HEADER: &'static [&'static str] = &["from", "to", "length", "certainty", "severity", "path"];

    fn cells(&self, names: &Names) -> Vec<String> {
        let hops = path_text(&self.hops, names);
        vec![
            self.from.text(names),
            self.to.text(names),
            self.length.to_string(),
            self.certainty.as_str().into(),
            self.severity.as_str().into(),
            hops,
        ]
    }
}

impl Row for FindingRow {
    const HEADER: &'static [&'static str] = &["check", "severity", "certainty", "message"];

    fn cells(&self, _names: &Names) -> Vec<String> {
        vec![self.check.clone(), self.severity.as_str().into(), self.certainty.as_str().into(), self.message.clone()]
    }
}
