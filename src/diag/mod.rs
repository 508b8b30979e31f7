//! Messages for people: what is wrong, where, and what to do about it. `locate` finds the line of a JSON pointer.

mod locate;

use std::fmt::Write as _;

use crate::model::Sym;

pub use locate::{Text, line_of_offset};

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something of the input could not be used at all.
    Error,
    /// The answer may depend on what is reported.
    Warning,
    /// Worth knowing, changes nothing.
    Info,
}

impl Severity {
    /// The word in front of the code.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// One problem with one place of the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Area and noun, `ingest::broken_json`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// One lower-case clause without a full stop.
    pub message: String,
    /// The file as the person named it, `-` for standard input; empty where there is none.
    pub file: String,
    /// A JSON pointer into the file (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// Line and column, both from 1, where they are known.
    pub line: Option<(usize, usize)>,
    /// The resource it is about, empty where there is none.
    pub resource: Sym,
    /// What follows from it.
    pub note: Option<String>,
    /// Something to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without a place.
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity,
            message: message.into(),
            file: String::new(),
            pointer: String::new(),
            line: None,
            resource: Sym::EMPTY,
            note: None,
            help: None,
        }
    }

    /// The same, about `pointer` in `file`.
    pub fn at(mut self, file: &str, pointer: &str) -> Diagnostic {
        self.file = file.to_owned();
        self.pointer = pointer.to_owned();
        self
    }

    /// The same, with line and column.
    pub fn on_line(mut self, line: Option<(usize, usize)>) -> Diagnostic {
        self.line = line;
        self
    }

    /// The same, about the resource `id`.
    pub fn about(mut self, id: Sym) -> Diagnostic {
        self.resource = id;
        self
    }

    /// The same, with what follows from it.
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.note = Some(note.into());
        self
    }

    /// The same, with something to do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The text for a person, several lines, with a final line break; `colour` adds terminal colours.
    ///
    /// Without a line the place is shown as `file#/pointer`; [`locate`] finds the line from the file's bytes.
    pub fn render(&self, colour: bool) -> String {
        let (bold, red, blue, reset) = match (colour, self.severity) {
            (false, _) => ("", "", "", ""),
            (true, Severity::Error) => ("\x1b[1m", "\x1b[1;31m", "\x1b[1;34m", "\x1b[0m"),
            (true, Severity::Warning) => ("\x1b[1m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[0m"),
            (true, Severity::Info) => ("\x1b[1m", "\x1b[1;36m", "\x1b[1;34m", "\x1b[0m"),
        };
        let mut text = format!("{red}{}[{}]{reset}{bold}: {}{reset}\n", self.severity.as_str(), self.code, visible(&self.message));
        if !self.file.is_empty() {
            let place = match self.line {
                Some((line, column)) => format!("{}:{line}:{column}", self.file),
                None if self.pointer.is_empty() => self.file.clone(),
                None => format!("{}#{}", self.file, self.pointer),
            };
            let _ = writeln!(text, "{blue}  -->{reset} {}", visible(&place));
        }
        if !self.resource.is_empty() {
            let _ = writeln!(text, "{blue}   ={reset} resource: {}", visible(self.resource.as_str()));
        }
        for (word, said) in [("note", &self.note), ("help", &self.help)] {
            if let Some(said) = said {
                let _ = writeln!(text, "{blue}   ={reset} {word}: {}", visible(said));
            }
        }
        text
    }
}

/// Names from the input must not be able to steer a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_code_place_and_help() {
        let message =
            Diagnostic::new("ingest::broken_json", Severity::Error, "expected `,` or `]`").at("a.json", "/3").help("export it again");
        assert_eq!(message.render(false), "error[ingest::broken_json]: expected `,` or `]`\n  --> a.json#/3\n   = help: export it again\n");
        let message = message.on_line(Some((4, 2)));
        assert!(message.render(false).contains("  --> a.json:4:2\n"));
        assert!(message.render(true).contains("\x1b[1;31merror"));
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert!(!Diagnostic::new("x::y", Severity::Info, "a\x1b[2Jb").render(false).contains('\x1b'));
    }
}
