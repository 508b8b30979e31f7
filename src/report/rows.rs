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
use crate::facts::network::MachineKind;
use crate::facts::store_facts::{Instance, Service};
use crate::model::items::{self, Item};
use crate::model::{Prefix, Set, Sym, Via};
use crate::query::{self, Report};
use crate::report::listing::Row;

/// What kind of thing an end is: the words of the selectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the words of the selectors")]
pub enum EndKind {
    Subnet,
    Nic,
    Vm,
    Vmss,
    Pe,
    Storage,
    Keyvault,
    Sql,
    Cosmos,
    Eventhub,
    Servicebus,
    Acr,
    Web,
    Cognitive,
    Internet,
    Onprem,
    External,
    Ip,
    Fqdn,
    Resource,
}

impl EndKind {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            EndKind::Subnet => "subnet",
            EndKind::Nic => "nic",
            EndKind::Vm => "vm",
            EndKind::Vmss => "vmss",
            EndKind::Pe => "pe",
            EndKind::Storage => "storage",
            EndKind::Keyvault => "keyvault",
            EndKind::Sql => "sql",
            EndKind::Cosmos => "cosmos",
            EndKind::Eventhub => "eventhub",
            EndKind::Servicebus => "servicebus",
            EndKind::Acr => "acr",
            EndKind::Web => "web",
            EndKind::Cognitive => "cognitive",
            EndKind::Internet => "internet",
            EndKind::Onprem => "onprem",
            EndKind::External => "external",
            EndKind::Ip => "ip",
            EndKind::Fqdn => "fqdn",
            EndKind::Resource => "resource",
        }
    }

    fn of_service(service: Service) -> EndKind {
        match service {
            Service::Storage => EndKind::Storage,
            Service::KeyVault => EndKind::Keyvault,
            Service::Sql => EndKind::Sql,
            Service::Cosmos => EndKind::Cosmos,
            Service::EventHub => EndKind::Eventhub,
            Service::ServiceBus => EndKind::Servicebus,
            Service::Acr => EndKind::Acr,
            Service::Web => EndKind::Web,
            Service::Cognitive => EndKind::Cognitive,
            // What only an id names.
            _ => EndKind::Resource,
        }
    }
}

/// One end of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowEnd {
    /// What it is.
    pub kind: EndKind,
    /// The resource, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Sym>,
    /// A store's part, or the service of an external store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Sym>,
    /// Only for the second front end of a store: `secondary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Sym>,
    /// A site's name, an address or a host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Sym>,
    /// The addresses for which the row holds, where it does not hold for all of the end; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<Prefix>,
}

impl RowEnd {
    /// An end that is known by its kind alone.
    pub fn new(kind: EndKind) -> RowEnd {
        RowEnd { kind, id: None, part: None, instance: None, name: None, prefixes: Vec::new() }
    }

    /// A resource.
    pub fn resource(kind: EndKind, id: Sym) -> RowEnd {
        RowEnd { id: Some(id), ..RowEnd::new(kind) }
    }

    /// One endpoint of a store.
    pub fn store(service: Service, id: Sym, part: Sym, instance: Instance) -> RowEnd {
        let instance = (instance == Instance::Secondary).then(|| Sym::new("secondary"));
        RowEnd { part: Some(part), instance, ..RowEnd::resource(EndKind::of_service(service), id) }
    }

    /// A site on premises, by its name, for the addresses of `prefixes`; none of them stands for all.
    pub fn site(name: Sym, mut prefixes: Vec<Prefix>) -> RowEnd {
        prefixes.sort();
        RowEnd { name: Some(name), prefixes, ..RowEnd::new(EndKind::Onprem) }
    }

    /// Any store of the service outside the trust boundary.
    pub fn external(service: Service) -> RowEnd {
        RowEnd { part: Some(Sym::new(service.as_str())), ..RowEnd::new(EndKind::External) }
    }

    /// What a selector names, as an end of a row.
    pub fn of(end: End, index: &Index) -> RowEnd {
        let named = |kind: EndKind, name: String| RowEnd { name: Some(Sym::new(&name)), ..RowEnd::new(kind) };
        match end {
            End::Machine(id) => {
                let vm = index.machine.one(id).is_none_or(|row| row.kind == MachineKind::Vm);
                RowEnd::resource(if vm { EndKind::Vm } else { EndKind::Vmss }, id)
            }
            End::Nic(id) => RowEnd::resource(EndKind::Nic, id),
            End::Subnet(id) => RowEnd::resource(EndKind::Subnet, id),
            End::Ip(ip) => named(EndKind::Ip, ip.to_string()),
            End::Internet(None) => RowEnd::new(EndKind::Internet),
            End::Internet(Some(ip)) => named(EndKind::Internet, ip.to_string()),
            End::Site(site) => {
                let name = if site.as_str().starts_with('/') { index.resource.one(site).map_or(site, |row| row.name) } else { site };
                RowEnd { id: site.as_str().starts_with('/').then_some(site), ..RowEnd::site(name, Vec::new()) }
            }
            End::Store(id, part, instance) => {
                RowEnd::store(index.store.one(id).map_or(Service::Storage, |row| row.service), id, part, instance)
            }
            End::Fqdn(name) => named(EndKind::Fqdn, name.as_str().to_owned()),
            End::PrivateEndpoint(id) => RowEnd::resource(EndKind::Pe, id),
            End::External(service) => RowEnd::external(service),
            End::Network(id) => {
                RowEnd { id: Some(id).filter(|id| !id.is_empty()), part: Some(Sym::new("network")), ..RowEnd::new(EndKind::External) }
            }
            End::Unmodelled(id) => RowEnd::resource(EndKind::Resource, id),
        }
    }

    /// The end as a person writes it, names as their owner wrote them.
    pub fn text(&self, names: &Names) -> String {
        let id = self.id.unwrap_or(Sym::EMPTY);
        let name = self.name.map_or("", Sym::as_str);
        let instance = if self.instance.is_some() { Instance::Secondary } else { Instance::Primary };
        let mut text = match self.kind {
            EndKind::Subnet => names.short(End::Subnet(id)),
            EndKind::Nic => names.short(End::Nic(id)),
            EndKind::Vm | EndKind::Vmss => names.short(End::Machine(id)),
            EndKind::Pe => names.short(End::PrivateEndpoint(id)),
            EndKind::Storage
            | EndKind::Keyvault
            | EndKind::Sql
            | EndKind::Cosmos
            | EndKind::Eventhub
            | EndKind::Servicebus
            | EndKind::Acr
            | EndKind::Web
            | EndKind::Cognitive => names.short(End::Store(id, self.part.unwrap_or(Sym::EMPTY), instance)),
            EndKind::External if !id.is_empty() => id.as_str().to_owned(),
            EndKind::External => format!("external:{}", self.part.map_or("", Sym::as_str)),
            EndKind::Internet if name.is_empty() => "internet".to_owned(),
            EndKind::Internet | EndKind::Onprem | EndKind::Ip | EndKind::Fqdn => format!("{}:{name}", self.kind.as_str()),
            EndKind::Resource => names.short(End::Unmodelled(id)),
        };
        if !self.prefixes.is_empty() {
            let prefixes: Vec<String> = self.prefixes.iter().map(Prefix::to_string).collect();
            text.push_str(&format!(" ({})", prefixes.join(", ")));
        }
        text
    }

    fn key(&self) -> impl Ord + '_ {
        let text = |sym: Option<Sym>| sym.map_or("", Sym::as_str);
        (self.kind.as_str(), text(self.id), text(self.part), text(self.instance), text(self.name), &self.prefixes)
    }
}

/// Handles order by first sight, so the order of rows is written out: by what is printed.
impl Ord for RowEnd {
    fn cmp(&self, other: &RowEnd) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for RowEnd {
    fn partial_cmp(&self, other: &RowEnd) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

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

fn traffic_text(items: &[Item]) -> String {
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
fn path_text(hops: &[Hop], names: &Names) -> String {
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
