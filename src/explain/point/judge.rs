//! What the pairs of a flow prove together: the verdict, its reason and what it takes for granted.

use crate::explain::packet::{StepExt, step};
use crate::explain::way::{Answer, Assumption, Kind, Reason, Step, Way};
use crate::model::traffic::ANY_PORT;
use crate::model::{Set, Span, Stage, Sym, Verdict};

/// The ways between one pair of addresses, one of which a packet takes.
pub type Pair = Vec<Way>;

/// All pairs of a flow: `one of` groups, in each of which `all` pairs count.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// The groups.
    pub groups: Vec<Vec<Pair>>,
}

/// What of the asked traffic a flow's ways let through together: whoever sends chooses a group and a way, and knows nothing of source ports when it does.
pub fn span(pairs: &Pairs, asked: Set) -> Span {
    let mut total = Span::NONE;
    for group in pairs.groups.iter().filter(|group| !group.is_empty()) {
        let mut all = Span { sure: asked, may: Set::EMPTY };
        for pair in group {
            let one = pair.iter().fold(Span::NONE, |span, way| span.either(way.span().within(asked)));
            all = Span { sure: all.sure.and(one.sure), may: all.may.or(one.may) };
        }
        total = total.either(all);
    }
    total
}

/// A single way, as the pairs of a flow.
pub fn one(way: Way) -> Pairs {
    Pairs { groups: vec![vec![vec![way]]] }
}

/// One of several is true and nobody knows which: every one of them must let a flow through.
pub(super) fn all_agree(mut each: Vec<Pairs>, asked: Set) -> Pairs {
    if each.len() < 2 {
        return each.pop().unwrap_or_default();
    }
    let sure = each.iter().map(|pairs| span(pairs, asked).sure).fold(Set::ALL, Set::and);
    let mut all = Pairs { groups: each.into_iter().flat_map(|pairs| pairs.groups).collect() };
    let text = "several in the input have the address: name the interface instead".to_owned();
    let unsure = step(Stage::Route, Span { sure, may: Set::ALL }, "address.9", text).kind(Kind::Assumption).code("W-OVERLAP");
    all.groups.iter_mut().flatten().flatten().for_each(|way| way.steps.insert(0, unsure.clone()));
    all
}

/// The verdict over all pairs.
pub fn judge(pairs: &Pairs, asked: Set) -> Answer {
    let span = span(pairs, asked);
    let sure = whole_bands(asked, span.sure);
    let verdict = if span.may.is_empty() {
        Verdict::Denied
    } else if !sure.is_empty() {
        Verdict::Allowed
    } else {
        Verdict::Unproven
    };
    let traffic = match verdict {
        Verdict::Allowed => sure,
        Verdict::Unproven => span.may,
        Verdict::Denied => asked,
    };
    // With whatever source port it was asked for: what only some of them pass is not proven.
    let whole = traffic.bands().iter().fold(Set::EMPTY, |set, band| set.or(asked.and(Set::of(band.proto, band.dports, ANY_PORT))));
    let ways: Vec<&Way> = pairs.groups.iter().flatten().flatten().collect();
    let passes = |way: &&&Way| !whole_bands(asked, way.span().sure).is_empty();
    let open = |way: &&&Way| way.span().may.meets(asked);
    let deciding = match verdict {
        Verdict::Allowed => ways.iter().find(passes),
        // Of ways that all count, one that is refused leaves the rest unproven.
        Verdict::Unproven => ways
            .iter()
            .find(|way| open(way) && !passes(way))
            .or_else(|| ways.iter().find(|way| !open(way)))
            .or_else(|| ways.iter().find(open)),
        Verdict::Denied => ways.first(),
    };
    let steps = deciding.map_or(&[] as &[Step], |way| way.steps.as_slice());
    let reason = reason(verdict, steps, asked, whole);
    let mut assumptions: Vec<Assumption> = Vec::new();
    if verdict == Verdict::Unproven {
        let open = ways.iter().filter(|way| way.span().may.meets(asked));
        for unsure in open.flat_map(|way| &way.steps).filter(|s| !s.code.is_empty() && !whole.within(s.span.sure)) {
            assumptions.push(Assumption { code: unsure.code.to_owned(), resource: unsure.resource, text: unsure.text.clone() });
        }
        Assumption::tidy(&mut assumptions);
        if assumptions.is_empty() {
            assumptions.push(Assumption { code: "W-UNSUPPORTED".to_owned(), resource: reason.resource, text: reason.text.clone() });
        }
    }
    assumptions.extend(deciding.filter(|_| verdict != Verdict::Denied).into_iter().flat_map(|way| notes(way)));
    Assumption::tidy(&mut assumptions);
    Answer { verdict, via: deciding.map(|way| way.via), reason, assumptions, traffic, ways: ways.into_iter().cloned().collect() }
}

/// The labels of steps that refuse nothing and leave nothing open: remarks on the way, which an answer that lets something through carries (NSG-21, OUT-14).
const NOTES: [&str; 2] = ["filter.9", "outbound.9"];

/// What is to be noted on a way.
fn notes(way: &Way) -> impl Iterator<Item = Assumption> + '_ {
    let noted = way.steps.iter().filter(|step| NOTES.contains(&step.label));
    noted.map(|step| Assumption { code: step.code.to_owned(), resource: step.resource, text: step.text.clone() })
}

/// What ways that may let `traffic` through take for granted, sorted.
pub fn assumed<'w>(ways: impl Iterator<Item = &'w Way>, traffic: Set) -> Vec<Assumption> {
    let mut assumptions: Vec<Assumption> = Vec::new();
    for unsure in ways.flat_map(|way| &way.steps).filter(|step| !step.code.is_empty() && !step.span.sure.meets(traffic)) {
        assumptions.push(Assumption { code: unsure.code.to_owned(), resource: unsure.resource, text: unsure.text.clone() });
    }
    Assumption::tidy(&mut assumptions);
    assumptions
}

/// The bands of `asked` that surely pass for every source port that is asked for.
pub(super) fn whole_bands(asked: Set, sure: Set) -> Set {
    let mut out = Set::EMPTY;
    for band in asked.and(sure).bands() {
        let piece = band.sports.iter().fold(Set::EMPTY, |set, sports| set.or(Set::of(band.proto, band.dports, *sports)));
        let wanted = asked.and(Set::of(band.proto, band.dports, ANY_PORT));
        if wanted.within(piece) {
            out = out.or(piece);
        }
    }
    out
}

fn reason(verdict: Verdict, steps: &[Step], asked: Set, traffic: Set) -> Reason {
    let of = |step: &Step| Reason { stage: step.stage, resource: step.resource, rule: step.rule.clone(), text: step.text.clone() };
    let mut left = asked;
    for step in steps {
        let decides = match verdict {
            Verdict::Denied => {
                left = left.and(step.span.may);
                left.is_empty()
            }
            Verdict::Unproven => !traffic.within(step.span.sure),
            Verdict::Allowed => false,
        };
        if decides {
            return of(step);
        }
    }
    match steps.last() {
        Some(last) if verdict != Verdict::Allowed => of(last),
        last => Reason {
            stage: Stage::Delivered,
            resource: last.map_or(Sym::EMPTY, |last| last.resource),
            rule: String::new(),
            text: "every step of the way lets it through".to_owned(),
        },
    }
}
