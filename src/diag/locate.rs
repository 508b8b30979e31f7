//! From a JSON pointer to line and column, by reading the bytes once more.

use std::collections::HashMap;

/// A JSON text in which many places are looked for: where the elements of its outermost arrays begin is found out once.
pub struct Text<B> {
    bytes: B,
    /// Offsets of the elements of an array, by the pointer of the array; of the documents, by the empty one.
    elements: HashMap<String, Vec<usize>>,
    /// Offsets of the first byte of each line.
    lines: Vec<usize>,
}

impl<B: AsRef<[u8]>> Text<B> {
    /// Over the bytes of a file.
    pub fn new(bytes: B) -> Text<B> {
        let breaks = bytes.as_ref().iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Text { bytes, elements: HashMap::new(), lines }
    }

    /// Line and column (from 1) of what `pointer` names.
    ///
    /// Lenient where ingest is: names are compared without case, a missing `properties` level is skipped (flattened output of the command
    /// line tool), comments are blank. In a file of several documents the first number is the document. Where the rest of the
    /// pointer is not found, the place of what was found last is given; `None` where nothing was.
    pub fn locate(&mut self, pointer: &str) -> Option<(usize, usize)> {
        let bytes = self.bytes.as_ref();
        let mut cursor = Cursor { bytes, at: if bytes.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 } };
        cursor.blank();
        let mut segments: Vec<String> = pointer.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~")).collect();
        segments.reverse();
        if cursor.peek() != Some(b'[')
            && let Some(document) = segments.last().and_then(|s| s.parse::<usize>().ok())
        {
            segments.pop();
            let documents = self.elements.entry(String::new()).or_insert_with(|| cursor.documents());
            cursor.at = documents.get(document).copied().unwrap_or(bytes.len());
        }
        cursor.peek()?;
        let mut passed = String::new();
        let mut arrays = 0;
        while let Some(segment) = segments.pop() {
            let before = cursor.at;
            passed.push('/');
            let index = segment.parse::<usize>().ok().filter(|_| arrays == 0 && cursor.peek() == Some(b'['));
            let found = match index {
                // Files are long at their outermost array: an element further in is near.
                Some(index) => {
                    arrays += 1;
                    let elements = self.elements.entry(passed.clone()).or_insert_with(|| cursor.elements());
                    cursor.at = elements.get(index).copied().unwrap_or(before);
                    index < elements.len()
                }
                None => cursor.enter(&segment),
            };
            passed.push_str(&segment);
            if !found {
                cursor.at = before;
                if !segment.eq_ignore_ascii_case("properties") {
                    break;
                }
            }
        }
        Some(self.line_of(cursor.at))
    }

    fn line_of(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        (line, characters(&self.bytes.as_ref()[start..offset]) + 1)
    }
}

/// Bytes of the form 10xxxxxx continue a character.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b & 0xc0 != 0x80).count()
}

/// Line and column (from 1, in characters) of a byte offset.
pub fn line_of_offset(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset.min(bytes.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    (line, characters(&before[start..]) + 1)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips blanks and comments.
    fn blank(&mut self) {
        while let Some(byte) = self.peek() {
            match (byte, self.bytes.get(self.at + 1)) {
                (b' ' | b'\t' | b'\r' | b'\n', _) => self.at += 1,
                (b'/', Some(b'/')) => {
                    while self.peek().is_some_and(|b| b != b'\n') {
                        self.at += 1;
                    }
                }
                (b'/', Some(b'*')) => {
                    let end = self.bytes[self.at..].windows(2).position(|w| w == b"*/");
                    self.at = end.map_or(self.bytes.len(), |end| self.at + end + 2);
                }
                _ => break,
            }
        }
    }

    /// Skips a string, the cursor on its opening quote; the raw text between the quotes.
    fn string(&mut self) -> &[u8] {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        let end = self.at.min(self.bytes.len());
        self.at = (self.at + 1).min(self.bytes.len());
        &self.bytes[start..end]
    }

    /// Skips any value, without recursion: nesting in a broken file has no limit.
    fn skip_value(&mut self) {
        let mut depth = 0usize;
        loop {
            self.blank();
            match self.peek() {
                None => return,
                Some(b'"') => {
                    self.string();
                }
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                Some(b'}' | b']') => {
                    if depth == 0 {
                        return;
                    }
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') => {
                    if depth == 0 {
                        return;
                    }
                    self.at += 1;
                    continue;
                }
                Some(_) => {
                    while self.peek().is_some_and(|b| !matches!(b, b',' | b':' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Where the documents from here on begin.
    fn documents(&self) -> Vec<usize> {
        let mut cursor = Cursor { ..*self };
        let mut starts = Vec::new();
        while cursor.peek().is_some() {
            let before = cursor.at;
            starts.push(before);
            cursor.skip_value();
            cursor.blank();
            if cursor.at == before {
                break;
            }
        }
        starts
    }

    /// Where the elements of the array here begin.
    fn elements(&self) -> Vec<usize> {
        let mut cursor = Cursor { at: self.at + 1, ..*self };
        let mut starts = Vec::new();
        loop {
            cursor.blank();
            if cursor.peek().is_none_or(|b| b == b']') {
                return starts;
            }
            starts.push(cursor.at);
            if !cursor.next_member() {
                return starts;
            }
        }
    }

    /// Moves from the start of a value to the start of its member `segment`.
    fn enter(&mut self, segment: &str) -> bool {
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                loop {
                    self.blank();
                    if self.peek() != Some(b'"') {
                        return false;
                    }
                    let key = self.string().eq_ignore_ascii_case(segment.as_bytes());
                    self.blank();
                    if self.peek() == Some(b':') {
                        self.at += 1;
                    }
                    self.blank();
                    if key {
                        return self.peek().is_some();
                    }
                    if !self.next_member() {
                        return false;
                    }
                }
            }
            Some(b'[') => {
                let Ok(wanted) = segment.parse::<usize>() else { return false };
                self.at += 1;
                for _ in 0..wanted {
                    if !self.next_member() {
                        return false;
                    }
                }
                self.blank();
                self.peek().is_some_and(|b| b != b']')
            }
            _ => false,
        }
    }

    /// Skips the value at the cursor and the comma behind it.
    fn next_member(&mut self) -> bool {
        let before = self.at;
        self.skip_value();
        self.blank();
        if self.peek() == Some(b',') {
            self.at += 1;
        }
        self.at > before && self.peek().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    fn locate(text: &[u8], pointer: &str) -> Option<(usize, usize)> {
        Text::new(text).locate(pointer)
    }

    #[test]
    fn a_pointer_is_found_in_any_form() {
        let text = b"{ // list\n \"value\": [\n  {\"id\": \"a\"},\n  {\"Id\": \"b\", \"x\": [1,\n   {\"y\": 2}]}\n ]\n}";
        assert_eq!(locate(text, ""), Some((1, 1)));
        assert_eq!(locate(text, "/value/1"), Some((4, 3)));
        assert_eq!(locate(text, "/value/1/properties/X/1/y"), Some((5, 10)));
        assert_eq!(locate(text, "/value/7"), Some((2, 11)));
        assert_eq!(locate(b"{}\n{\"a\":1}", "/1/a"), Some((2, 6)));
    }

    #[test]
    fn broken_text_does_no_harm() {
        for text in ["", "[", "{\"a", "{\"a\":", "[1,", "]]]]", "{\"a\\", "/*", "{\"a\" 1}"] {
            locate(text.as_bytes(), "/a/0/b");
            locate(text.as_bytes(), "/0");
        }
        locate(&vec![b'['; 1_000_000], "/0/0/0");
    }
}
