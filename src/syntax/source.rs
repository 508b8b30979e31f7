//! Where something stands in the text of a program.

/// One file of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file as the person named it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// A file read from bytes; what is no UTF-8 becomes a replacement character, which the lexer then points at.
    pub fn new(name: impl Into<String>, bytes: &[u8]) -> Source {
        Source { name: name.into(), text: String::from_utf8_lossy(bytes).into_owned() }
    }
}

/// A piece of one source: byte offsets, `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Which source, by its position in the program's list.
    pub source: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// From the start of `self` to the end of `other`, which stands later in the same source.
    pub fn to(self, other: Span) -> Span {
        Span { end: other.end.max(self.end), ..self }
    }

    /// Line and column of the start, both from 1; a column is a character.
    pub fn line_and_column(self, text: &str) -> (usize, usize) {
        let before = &text.as_bytes()[..self.start.min(text.len())];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        (line, String::from_utf8_lossy(&before[line_start..]).chars().count() + 1)
    }
}
