//! Flows as people write them: the lines of `check --flows` and the options of `explain`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::config::{Names, Side};
use crate::explain::way::{End, Flow, Mode};
use crate::facts::platform::Platform;
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Sym, Verdict};
use crate::report::answer::Asked;

/// One line, as it was written. Keys that are not known are errors: a misspelt one would ask something else.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Line {
    op: Option<String>,
    from: Option<String>,
    to: Option<String>,
    driver: Option<String>,
    proto: Option<String>,
    port: Value,
    src_port: Value,
    mode: Option<String>,
    session: Option<bool>,
    expect: Option<String>,
}

/// A question: what was asked, and what it means or what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// `copy`, or nothing.
    pub op: Option<String>,
    /// The source's selector.
    pub from: Option<String>,
    /// The destination's selector.
    pub to: Option<String>,
    /// Who starts a copy.
    pub driver: Option<String>,
    /// The protocol.
    pub proto: Option<Proto>,
    /// The destination port.
    pub port: Option<u16>,
    /// The source port.
    pub src_port: Option<u16>,
    /// What the client does about names.
    pub mode: Option<Mode>,
    /// Whether TCP needs its way back.
    pub session: Option<bool>,
    /// What the person expects.
    pub expect: Option<Verdict>,
    /// What is wrong with the line itself.
    pub wrong: Option<String>,
}

impl Question {
    /// Reads one line. Never fails: what is wrong is kept, and what could be read is repeated in the answer.
    pub fn read(line: &[u8]) -> Question {
        match serde_json::from_slice::<Line>(line) {
            Ok(line) => Question::of(line),
            Err(error) => {
                let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
                let value = serde_json::from_slice::<Value>(line).unwrap_or(Value::Null);
                let why = error.to_string();
                let why = why.split(" at line ").next().unwrap_or(&why);
                let known = value.is_object();
                let wrong = if known { why.to_owned() } else { "the line is no JSON object".to_owned() };
                let port = |key: &str| value.get(key).and_then(Value::as_u64).and_then(|port| port.try_into().ok());
                Question {
                    op: text(&value, "op"),
                    from: text(&value, "from"),
                    to: text(&value, "to"),
                    driver: text(&value, "driver"),
                    proto: text(&value, "proto").and_then(|proto| Proto::parse(&proto)),
                    port: port("port"),
                    src_port: port("src_port"),
                    mode: None,
                    session: None,
                    expect: text(&value, "expect").and_then(|expect| verdict(&expect)),
                    wrong: Some(wrong),
                }
            }
        }
    }

    fn of(line: Line) -> Question {
        let mut wrong = None;
        let mut say = |text: String| {
            wrong.get_or_insert(text);
        };
        let mut port = |key: &str, value: &Value| match value {
            Value::Null => None,
            value => {
                let port = value.as_u64().and_then(|port| u16::try_from(port).ok());
                if port.is_none() {
                    say(format!("`{key}` is {value}, expected a number from 0 to 65535"));
                }
                port
            }
        };
        let (dst, src) = (port("port", &line.port), port("src_port", &line.src_port));
        let proto = match line.proto.as_deref() {
            None => Some(Proto::Tcp),
            Some(word) => {
                let proto = Proto::parse(word);
                if proto.is_none() {
                    say(format!("`proto` is `{word}`, expected tcp, udp, icmp, esp or ah"));
                }
                proto
            }
        };
        if let (Some(proto), true) = (proto, dst.is_some() || src.is_some())
            && !proto.has_ports()
        {
            say(format!("{} has no ports", proto.as_str()));
        }
        let mode = match line.mode.as_deref() {
            None => None,
            Some("configured") => Some(Mode::Configured),
            Some("adversarial") => Some(Mode::Adversarial),
            Some(word) => {
                say(format!("`mode` is `{word}`, expected configured or adversarial"));
                None
            }
        };
        let expect = line.expect.as_deref().and_then(|word| {
            let expect = verdict(word);
            if expect.is_none() {
                say(format!("`expect` is `{word}`, expected allowed, denied or unproven"));
            }
            expect
        });
        match line.op.as_deref() {
            None => {}
            Some("copy") => say("server-side copies are not modelled yet".to_owned()),
            Some(word) => say(format!("`op` is `{word}`, expected copy or nothing")),
        }
        if line.from.is_none() {
            say("`from` is missing".to_owned());
        }
        if line.to.is_none() {
            say("`to` is missing".to_owned());
        }
        // A copy has no protocol of its own, and a line that gave none repeats none.
        let proto = if line.op.is_some() && line.proto.is_none() { None } else { proto };
        Question {
            op: line.op,
            from: line.from,
            to: line.to,
            driver: line.driver,
            proto,
            port: dst,
            src_port: src,
            mode,
            session: line.session,
            expect,
            wrong,
        }
    }

    /// The question as the answer repeats it.
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            op: self.op.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            driver: self.driver.as_deref(),
            proto: self.proto,
            port: self.port,
            src_port: self.src_port,
            mode: self.mode,
            session: self.session,
            expect: self.expect,
        }
    }
}

fn verdict(word: &str) -> Option<Verdict> {
    [Verdict::Allowed, Verdict::Denied, Verdict::Unproven].into_iter().find(|verdict| verdict.as_str() == word)
}

/// Turns questions into flows; each selector is looked up once.
pub struct Resolver<'a> {
    names: &'a Names<'a>,
    platform: &'a Platform,
    seen: [HashMap<String, Result<End, String>>; 2],
}

impl<'a> Resolver<'a> {
    /// Looks names up in `names`, ports of stores in `platform`.
    pub fn new(names: &'a Names<'a>, platform: &'a Platform) -> Resolver<'a> {
        Resolver { names, platform, seen: [HashMap::new(), HashMap::new()] }
    }

    /// The flow that is asked about.
    ///
    /// # Errors
    /// What is wrong, in plain words.
    pub fn flow(&mut self, question: &Question) -> Result<Flow, String> {
        if let Some(wrong) = &question.wrong {
            return Err(wrong.clone());
        }
        let from = self.end(question.from.as_deref().unwrap_or_default(), Side::From)?;
        let to = self.end(question.to.as_deref().unwrap_or_default(), Side::To)?;
        let proto = question.proto.unwrap_or(Proto::Tcp);
        let sports = question.src_port.map_or(ANY_PORT, |port| (port, port));
        let traffic = match question.port {
            Some(port) => Set::of(proto, (port, port), sports),
            None => {
                let own = self.own_ports(to, proto);
                if own.is_empty() {
                    Set::of(proto, ANY_PORT, sports)
                } else {
                    own.iter().fold(Set::EMPTY, |set, &port| set.or(Set::of(proto, (port, port), sports)))
                }
            }
        };
        Ok(Flow { from, to, traffic, mode: question.mode.unwrap_or_default(), session: question.session.unwrap_or(true) })
    }

    fn end(&mut self, text: &str, side: Side) -> Result<End, String> {
        let seen = &mut self.seen[usize::from(side == Side::To)];
        if let Some(known) = seen.get(text) {
            return known.clone();
        }
        let end = self.names.end(text, side).map_err(|error| error.to_string());
        seen.insert(text.to_owned(), end.clone());
        end
    }

    /// The TCP ports a store answers at (M-16).
    fn own_ports(&self, to: End, proto: Proto) -> &'a [u16] {
        let (service, part) = match to {
            End::Store(id, part, _) => match self.names.index().store.one(id) {
                Some(row) => (row.service, part),
                None => return &[],
            },
            End::External(service) => (service, service.parts().first().map_or(Sym::EMPTY, |part| Sym::new(part))),
            _ => return &[],
        };
        if proto == Proto::Tcp { self.platform.ports_of(service, part) } else { &[] }
    }
}
