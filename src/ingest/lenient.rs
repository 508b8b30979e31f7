//! What people and tools write and strict JSON does not allow: byte order marks, UTF-16, comments, trailing commas, line breaks in strings.

use std::borrow::Cow;

/// The bytes as UTF-8 without a byte order mark. UTF-16 is what redirecting in Windows PowerShell writes.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => Cow::Borrowed(bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into_bytes()
}

/// The text with comments, trailing commas and line breaks inside strings made blank, byte for byte, so that every position stays;
/// `None` where there is nothing of the kind.
pub(super) fn blanked(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    let mut comma = None;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                comma = None;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    match bytes[at] {
                        b'\\' => at += 1,
                        b'\n' | b'\r' | b'\t' => {
                            bytes[at] = b' ';
                            changed = true;
                        }
                        _ => {}
                    }
                    at += 1;
                }
                at += 1;
            }
            b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => {
                let block = bytes[at + 1] == b'*';
                let end = if block {
                    bytes[at + 2..].windows(2).position(|w| w == b"*/").map_or(bytes.len(), |end| at + 2 + end + 2)
                } else {
                    bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |end| at + end)
                };
                for byte in &mut bytes[at..end] {
                    if *byte != b'\n' && *byte != b'\r' {
                        *byte = b' ';
                    }
                }
                changed = true;
                at = end;
            }
            b',' => {
                comma = Some(at);
                at += 1;
            }
            b']' | b'}' => {
                if let Some(comma) = comma.take() {
                    bytes[comma] = b' ';
                    changed = true;
                }
                at += 1;
            }
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            _ => {
                comma = None;
                at += 1;
            }
        }
    }
    if changed { String::from_utf8(bytes).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_become_blanks_in_place() {
        let text = "{\"a\": 1, // one\n \"u\": \"http://x\", /* é */ \"b\": [1, 2,],}";
        let clean = blanked(text).unwrap();
        assert_eq!(clean.len(), text.len());
        let value: serde_json::Value = serde_json::from_str(&clean).unwrap();
        assert_eq!(value, serde_json::json!({"a": 1, "u": "http://x", "b": [1, 2]}));
        assert_eq!(blanked("{\"a\": \"b\\\"//\"}"), None);
    }

    #[test]
    fn utf16_is_read() {
        let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain("[é]".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(utf8(&bytes), "[é]".as_bytes());
    }
}
