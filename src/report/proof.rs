//! Why an answer is what it is: the proof tree as JSON and as text, and what stands in the way.

use std::io::{self, Write};

use serde::Serialize;

use crate::config::Names;
use crate::explain::way::{Answer, Flow, Kind, Step, Way};
use crate::model::{Set, Sym, Verdict};
use crate::report::answer::{AnswerRow, Asked, ReasonRow, flow_text};
use crate::report::listing::{GapRow, text_gaps, to_json};
use crate::report::text::{Look, cut};

/// Where a fact stood in the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file as the person named it.
    pub file: String,
    /// A JSON pointer into it.
    pub pointer: String,
    /// The line, from 1, where the file could be read again. Text only.
    #[serde(skip)]
    pub line: Option<usize>,
}

/// Ways that text shows; JSON has all of them.
const SHOWN: usize = 8;

/// The items in their order, each once.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.fold(Vec::new(), |mut kept, item| {
        if !kept.contains(&item) {
            kept.push(item);
        }
        kept
    })
}

/// One node of a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// `rule`, `fact`, `default`, `absence` or `assumption`.
    pub kind: &'static str,
    /// The rule of ours that is applied.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub label: &'static str,
    /// In plain words.
    pub text: String,
    /// The resource it is about.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource: &'static str,
    /// The item inside the resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// Where it stood in the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Place>,
    /// What it follows from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub premises: Vec<Node>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    answer: AnswerRow<'a>,
    proof: Node,
    blockers: Vec<Vec<ReasonRow>>,
    gaps: &'a [GapRow],
}

/// An answer with all that is needed to explain it.
pub struct Explanation<'a> {
    /// The question as it was asked.
    pub asked: &'a Asked<'a>,
    /// The flow that was evaluated.
    pub flow: &'a Flow,
    /// What came out.
    pub answer: &'a Answer,
    /// Where the facts of a resource stood in the input.
    pub place: &'a dyn Fn(Sym) -> Option<Place>,
    /// The names of the estate.
    pub names: &'a Names<'a>,
    /// What is not understood in the whole input.
    pub gaps: &'a [GapRow],
}

impl Explanation<'_> {
    /// One JSON document.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let document = Document {
            schema: "watertight.explain/1",
            answer: AnswerRow::new(self.asked, self.answer),
            proof: self.proof(),
            blockers: distinct(self.blockers().into_iter().map(|steps| steps.into_iter().map(reason).collect())),
            gaps: self.gaps,
        };
        writeln!(out, "{}", to_json(&document))
    }

    /// The proof: the way that gets through, or every way with what decides it.
    pub fn proof(&self) -> Node {
        let verdict = self.answer.verdict;
        let ways = self.shown();
        let premises = match (verdict, ways.as_slice()) {
            (Verdict::Allowed, [way, ..]) => way.steps.iter().map(|step| self.node(step)).collect(),
            (_, ways) => distinct(ways.iter().map(|way| Node {
                kind: Kind::Rule.as_str(),
                label: "way.1",
                text: format!("{} by way of {}", outcome(way, self.flow.traffic), way.via.as_str()),
                resource: "",
                rule: String::new(),
                source: None,
                premises: self.blocking(way).into_iter().map(|step| self.node(step)).collect(),
            })),
        };
        Node {
            kind: Kind::Rule.as_str(),
            label: label(verdict),
            text: format!("{}: {}", verdict.as_str(), self.answer.reason.text),
            resource: self.answer.reason.resource.as_str(),
            rule: self.answer.reason.rule.clone(),
            source: None,
            premises,
        }
    }

    fn node(&self, step: &Step) -> Node {
        Node {
            kind: step.kind.as_str(),
            label: step.label,
            text: step.text.clone(),
            resource: step.resource.as_str(),
            rule: step.rule.clone(),
            source: self.source(step),
            premises: Vec::new(),
        }
    }

    fn source(&self, step: &Step) -> Option<Place> {
        let id = if step.source.is_empty() { step.resource } else { step.source };
        if id.is_empty() || matches!(step.kind, Kind::Default | Kind::Assumption) { None } else { (self.place)(id) }
    }

    /// For a flow that is not surely delivered one list a way: all steps on it that refuse, or that are not certain.
    pub fn blockers(&self) -> Vec<Vec<&Step>> {
        if self.answer.verdict == Verdict::Allowed {
            return Vec::new();
        }
        self.answer.ways.iter().map(|way| self.blocking(way)).filter(|steps| !steps.is_empty()).collect()
    }

    fn blocking<'w>(&self, way: &'w Way) -> Vec<&'w Step> {
        let asked = self.flow.traffic;
        let possible = way.span().may.and(asked);
        let pick = |test: &dyn Fn(&Step) -> bool| way.steps.iter().filter(|step| test(step)).collect::<Vec<_>>();
        if !possible.is_empty() {
            return pick(&|step| !possible.within(step.span.sure));
        }
        let refuses = |step: &Step| !step.span.may.meets(asked);
        let rest = way.steps.iter().filter(|step| !refuses(step)).fold(asked, |left, step| left.and(step.span.may));
        // Where the others leave nothing together, opening those that refuse everything is not enough.
        if rest.is_empty() { pick(&|step| !asked.within(step.span.may)) } else { pick(&refuses) }
    }

    /// The ways worth showing: the one that decides an `allowed`, else all.
    fn shown(&self) -> Vec<&Way> {
        let asked = self.flow.traffic;
        if self.answer.verdict == Verdict::Allowed {
            let through = self.answer.ways.iter().filter(|way| way.span().sure.meets(asked));
            let same = |way: &&Way| self.answer.via == Some(way.via);
            return through.clone().find(same).or_else(|| through.clone().next()).into_iter().collect();
        }
        self.answer.ways.iter().collect()
    }

    /// The tree for a person.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn text(&self, look: Look, out: &mut dyn Write) -> io::Result<()> {
        let verdict = self.answer.verdict;
        let mut lines: Vec<Line> = Vec::new();
        // A subnet or a machine with many addresses has a way for each of them, most of them alike.
        let all = self.shown();
        let ways = &all[..all.len().min(SHOWN)];
        let several = all.len() > 1;
        for (n, way) in ways.iter().enumerate() {
            let last = n + 1 == ways.len();
            let branch = if several {
                let text = format!("way {} of {} by {}: {}", n + 1, all.len(), way.via.as_str(), outcome(way, self.flow.traffic));
                lines.push(Line { tree: if last { "└─ " } else { "├─ " }.to_owned(), text, ..Line::default() });
                if last { "   " } else { "│  " }
            } else {
                ""
            };
            self.steps(way, branch, &mut lines);
        }
        let end = |selector: Option<&str>, end| {
            if selector.is_some_and(|s| s.starts_with('/')) { self.names.short(end) } else { selector.unwrap_or_default().to_owned() }
        };
        let head = Line {
            head: verdict.as_str(),
            text: format!(
                "{} -> {} {}",
                end(self.asked.from, self.flow.from),
                end(self.asked.to, self.flow.to),
                flow_text(self.asked.proto, self.asked.port)
            ),
            source: self.answer.via.map_or(String::new(), |via| format!("via {}", via.as_str())),
            label: label(verdict),
            ..Line::default()
        };
        lines.insert(0, head);
        layout(&lines, look, out)?;
        self.epilogue(out)?;
        text_gaps(self.gaps, out)
    }

    /// The steps of one way: all of them, for a refused one up to the first that refuses.
    fn steps(&self, way: &Way, branch: &str, lines: &mut Vec<Line>) {
        let blocking = self.blocking(way);
        let mut left = self.flow.traffic;
        let stop = way.steps.iter().position(|step| {
            left = left.and(step.span.may);
            left.is_empty()
        });
        let shown = &way.steps[..stop.map_or(way.steps.len(), |at| at + 1)];
        for (n, step) in shown.iter().enumerate() {
            let tree = format!("{branch}{}", if n + 1 == shown.len() { "└─ " } else { "├─ " });
            let unsure = stop.is_none() && blocking.iter().any(|b| std::ptr::eq(*b, step));
            let mark = if stop == Some(n) {
                "refused: "
            } else if unsure && self.answer.verdict != Verdict::Allowed {
                "not certain: "
            } else {
                ""
            };
            let source = match (self.source(step), step.kind) {
                (Some(place), _) => place.text(),
                (None, Kind::Default) => "Azure default".to_owned(),
                (None, Kind::Absence) => "absence".to_owned(),
                (None, Kind::Assumption) => "assumption".to_owned(),
                (None, Kind::Rule | Kind::Fact) => String::new(),
            };
            lines.push(Line {
                head: "",
                tree,
                stage: step.stage.as_str(),
                text: format!("{mark}{}", step.text),
                source,
                label: step.label,
            });
        }
    }

    fn epilogue(&self, out: &mut dyn Write) -> io::Result<()> {
        let blockers = self.blockers();
        if self.answer.verdict == Verdict::Denied && !blockers.is_empty() {
            writeln!(out, "\nto open it, change all of one line:")?;
            let lines =
                distinct(blockers.iter().map(|steps| steps.iter().map(|step| blocker_text(step)).collect::<Vec<_>>().join(" and ")));
            lines.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        }
        if self.answer.verdict != Verdict::Denied && !self.answer.assumptions.is_empty() {
            writeln!(out, "\n{}:", if self.answer.verdict == Verdict::Unproven { "not in the input" } else { "to note" })?;
            for assumption in &self.answer.assumptions {
                let about = if assumption.resource.is_empty() { String::new() } else { format!(" ({})", assumption.resource) };
                writeln!(out, "  {}: {}{about}", assumption.code, assumption.text)?;
            }
        }
        Ok(())
    }
}

fn label(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "answer.1",
        Verdict::Denied => "answer.2",
        Verdict::Unproven => "answer.3",
    }
}

fn outcome(way: &Way, asked: Set) -> &'static str {
    let span = way.span().within(asked);
    if span.is_none() {
        "refused"
    } else if span.sure.is_empty() {
        "not certain"
    } else {
        "open"
    }
}

fn reason(step: &Step) -> ReasonRow {
    ReasonRow { stage: Some(step.stage.as_str()), resource: step.resource.as_str(), rule: step.rule.clone(), text: step.text.clone() }
}

fn blocker_text(step: &Step) -> String {
    // An item that is a resource of its own is named like one.
    let short =
        |text: &'_ str| if text.starts_with('/') { text.rsplit('/').next().unwrap_or_default().to_owned() } else { text.to_owned() };
    let (name, rule) = (short(step.resource.as_str()), short(&step.rule));
    let item = match (name.as_str(), rule.as_str()) {
        ("", _) => step.text.clone(),
        (name, rule) if rule.is_empty() || rule == name => name.to_owned(),
        (name, rule) => format!("{rule} of {name}"),
    };
    format!("{} ({item})", step.stage.as_str())
}

impl Place {
    /// `file:/pointer(line)`, or what is known of it.
    fn text(&self) -> String {
        let line = self.line.map_or(String::new(), |line| format!("({line})"));
        match (self.file.as_str(), self.pointer.as_str()) {
            (file, "") => format!("{file}{line}"),
            (file, pointer) => format!("{file}:{pointer}{line}"),
        }
    }
}

#[derive(Default)]
struct Line {
    /// The verdict, on the first line.
    head: &'static str,
    tree: String,
    stage: &'static str,
    text: String,
    source: String,
    label: &'static str,
}

/// Three columns: tree with text, source, label. What does not fit is cut in the text, never in the label.
fn layout(lines: &[Line], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let stage = lines.iter().map(|line| line.stage.len()).max().unwrap_or(0).max(8);
    let left = |line: &Line| match (line.head, line.stage) {
        ("", "") => format!("{}{}", line.tree, line.text),
        ("", word) => format!("{}{word:stage$} {}", line.tree, line.text),
        (head, _) => format!("{head:width$} {}", line.text, width = stage + 3),
    };
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let mut text_width = width(&mut lines.iter().map(|line| left(line).chars().count()));
    let source_width = width(&mut lines.iter().map(|line| line.source.chars().count()));
    let label_width = width(&mut lines.iter().map(|line| line.label.len()));
    if let Some(limit) = look.width {
        text_width = text_width.min(limit.saturating_sub(source_width + label_width + 4)).max(40);
    }
    for line in lines {
        let mut text = cut(&left(line), text_width);
        let blank = text_width - text.chars().count();
        if !line.head.is_empty() {
            let painted = look.paint(line.head, line.head);
            text = text.replacen(line.head, &painted, 1);
        }
        let rest = format!("{:source_width$}  {}", line.source, line.label);
        writeln!(out, "{}", format!("{text}{:blank$}  {rest}", "").trim_end())?;
    }
    Ok(())
}
