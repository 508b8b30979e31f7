//! What is wrong in a program's text, and how a person sees it: code, sentence, the place underlined, what to do.

use std::fmt::Write as _;

use crate::syntax::source::{Source, Span};

/// How many characters of a long line are shown on each side of the underlined text.
const CONTEXT: usize = 60;
/// How many characters are underlined at most.
const UNDERLINE: usize = 100;

/// A mistake in a program, or a program that cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// The stable code: `query::unknown_relation`.
    pub code: &'static str,
    /// One lower-case clause without a full stop.
    pub message: String,
    /// The text it is about.
    pub span: Span,
    /// What is said beside the underline; may be empty.
    pub label: String,
    /// Something to do; may be empty.
    pub help: String,
}

impl QueryError {
    /// An error without label and help.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> QueryError {
        QueryError { code, message: message.into(), span, label: String::new(), help: String::new() }
    }

    /// The same with words beside the underline.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> QueryError {
        self.label = label.into();
        self
    }

    /// The same with something to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> QueryError {
        self.help = help.into();
        self
    }

    /// File, line and column (both from 1) of the mistake; `sources` is the program's list.
    pub fn place(&self, sources: &[Source]) -> (String, usize, usize) {
        match sources.get(self.span.source) {
            Some(source) => {
                let (line, column) = self.span.line_and_column(&source.text);
                (source.name.clone(), line, column)
            }
            None => (String::from("<unknown>"), 1, 1),
        }
    }

    /// The whole message with the place underlined, ending in a line break; `sources` is the program's list.
    pub fn render(&self, sources: &[Source]) -> String {
        let (file, line, column) = self.place(sources);
        let number = line.to_string();
        let margin = " ".repeat(number.len() + 2);
        let mut out = String::new();
        let _ = writeln!(out, "error[{}]: {}", self.code, self.message);
        let _ = writeln!(out, "{}--> {file}:{line}:{column}", " ".repeat(number.len() + 1));
        if let Some(source) = sources.get(self.span.source) {
            let (shown, before, length) = excerpt(&source.text, self.span, line, column);
            let _ = writeln!(out, "{margin}|");
            let _ = writeln!(out, " {number} | {shown}");
            let underline = format!("{margin}| {}{} {}", " ".repeat(before), "^".repeat(length), self.label);
            let _ = writeln!(out, "{}", underline.trim_end());
        }
        if !self.help.is_empty() {
            let _ = writeln!(out, "{margin}= help: {}", self.help);
        }
        out
    }
}

/// The line that `span` starts on, cut where it is long, with the underline's offset and length in characters.
fn excerpt(text: &str, span: Span, line: usize, column: usize) -> (String, usize, usize) {
    let full = text.split('\n').nth(line - 1).unwrap_or("");
    let underlined = text.get(span.start..span.end).and_then(|t| t.split('\n').next()).unwrap_or("");
    let length = underlined.trim_end().chars().count().clamp(1, UNDERLINE);
    let at = column - 1;
    let from = at.saturating_sub(CONTEXT);
    let mut shown = String::new();
    if from > 0 {
        shown.push('…');
    }
    // A tab or a control character would move the underline away from what it underlines.
    shown.extend(full.trim_end().chars().skip(from).take(at - from + length + CONTEXT).map(|c| if c.is_control() { ' ' } else { c }));
    if full.trim_end().chars().nth(at + length + CONTEXT).is_some() {
        shown.push('…');
    }
    (shown, at - from + usize::from(from > 0), length)
}
