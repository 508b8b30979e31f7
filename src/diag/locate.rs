//! From a JSON pointer to line and column, by reading the bytes once more.

/// Line and column (from 1) of what `pointer` names in the JSON text `bytes`.
///
/// Lenient where ingest is: names are compared without case, a missing `properties` level is skipped (flattened output of the command
/// line tool), comments are blank. In a file of several documents the first number is the document. Where the rest of the
/// pointer is not found, the place of what was found last is given; `None` where nothing was.
pub fn locate(bytes: &[u8], pointer: &str) -> Option<(usize, usize)> {
    let mut cursor = Cursor { bytes, at: if bytes.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 } };
    cursor.blank();
    let mut segments: Vec<String> = pointer.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~")).collect();
    segments.reverse();
    if cursor.peek() != Some(b'[')
        && let Some(document) = segments.last().and_then(|s| s.parse::<usize>().ok())
    {
        segments.pop();
        for _ in 0..document {
            cursor.skip_value();
            cursor.blank();
        }
    }
    cursor.peek()?;
    while let Some(segment) = segments.pop() {
        let before = cursor.at;
        if !cursor.enter(&segment) {
            cursor.at = before;
            if !segment.eq_ignore_ascii_case("properties") {
                break;
            }
        }
    }
    Some(line_of_offset(bytes, cursor.at))
}

/// Line and column (from 1, in characters) of a byte offset.
pub fn line_of_offset(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset.min(bytes.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    // Bytes of the form 10xxxxxx continue a character.
    (line, before[start..].iter().filter(|&&b| b & 0xc0 != 0x80).count() + 1)
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
    use super::locate;

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
