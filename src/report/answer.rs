//! What one flow gets: the line that `check` prints and `explain` starts with.

use serde::Serialize;

use crate::explain::way::{Answer, Mode};
use crate::model::items::{self, Item};
use crate::model::{Proto, Verdict, Via};
use crate::report::rows::AssumptionRow;

/// The question, with the texts as they were asked; they are repeated in the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked<'a> {
    /// `copy` for a server-side copy.
    pub op: Option<&'a str>,
    /// The source's selector; absent only where a line could not be read.
    pub from: Option<&'a str>,
    /// The destination's selector.
    pub to: Option<&'a str>,
    /// The selector of who starts a copy.
    pub driver: Option<&'a str>,
    /// The protocol.
    pub proto: Option<Proto>,
    /// The destination port, where one was asked for.
    pub port: Option<u16>,
    /// The source port, where one was asked for.
    pub src_port: Option<u16>,
    /// Where it was given.
    pub mode: Option<Mode>,
    /// Where it was given.
    pub session: Option<bool>,
    /// What the person expects.
    pub expect: Option<Verdict>,
}

/// The deciding item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonRow {
    /// Where on the way; absent for an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<&'static str>,
    /// The resource that decides.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource: &'static str,
    /// The item inside it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// In plain words.
    pub text: String,
}

/// One line of answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the printed line")]
pub struct AnswerRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proto: Option<Proto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<bool>,
    /// `allowed`, `denied`, `unproven` or `error`.
    pub verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    pub reason: ReasonRow,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<AssumptionRow>,
    /// Which traffic the verdict is about, where no port was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Vec<Item>>,
}

/// The word of a mode.
pub fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Configured => "configured",
        Mode::Adversarial => "adversarial",
    }
}

impl<'a> AnswerRow<'a> {
    /// The line of an answer.
    pub fn new(asked: &Asked<'a>, answer: &Answer) -> AnswerRow<'a> {
        let ports = asked.proto.is_none_or(Proto::has_ports);
        AnswerRow {
            verdict: answer.verdict.as_str(),
            pass: asked.expect.map(|expect| expect == answer.verdict),
            via: answer.via,
            reason: ReasonRow {
                stage: Some(answer.reason.stage.as_str()),
                resource: answer.reason.resource.as_str(),
                rule: answer.reason.rule.clone(),
                text: answer.reason.text.clone(),
            },
            // What is allowed has remarks (NSG-21, OUT-14).
            assumptions: if answer.verdict == Verdict::Denied { Vec::new() } else { AssumptionRow::list(&answer.assumptions) },
            traffic: (asked.port.is_none() && ports).then(|| items::items(answer.traffic)),
            ..AnswerRow::error(asked, "")
        }
    }

    /// The line of a flow that could not be evaluated; an expectation fails then.
    pub fn error(asked: &Asked<'a>, text: &str) -> AnswerRow<'a> {
        AnswerRow {
            op: asked.op,
            from: asked.from,
            to: asked.to,
            driver: asked.driver,
            proto: asked.proto,
            port: asked.port,
            src_port: asked.src_port,
            mode: asked.mode.map(mode_word),
            session: asked.session,
            verdict: "error",
            pass: asked.expect.map(|_| false),
            via: None,
            reason: ReasonRow { stage: None, resource: "", rule: String::new(), text: text.to_owned() },
            assumptions: Vec::new(),
            traffic: None,
        }
    }

    /// The columns of text, CSV and Markdown.
    pub const HEADER: &'static [&'static str] = &["result", "verdict", "from", "to", "traffic", "via", "reason"];

    /// One text per column of [`AnswerRow::HEADER`].
    pub fn cells(&self) -> Vec<String> {
        let result = match self.pass {
            Some(true) => "pass",
            Some(false) => "fail",
            None => "",
        };
        let stage = self.reason.stage.map_or(String::new(), |stage| format!("{stage}: "));
        vec![
            result.to_owned(),
            self.verdict.to_owned(),
            self.from.unwrap_or_default().to_owned(),
            self.to.unwrap_or_default().to_owned(),
            flow_text(self.proto, self.port),
            self.via.map_or("", Via::as_str).to_owned(),
            format!("{stage}{}", self.reason.text),
        ]
    }
}

/// `tcp/443`, `icmp`, `tcp`.
pub fn flow_text(proto: Option<Proto>, port: Option<u16>) -> String {
    match (proto, port) {
        (None, _) => String::new(),
        (Some(proto), None) => proto.as_str().to_owned(),
        (Some(proto), Some(port)) => format!("{}/{port}", proto.as_str()),
    }
}
