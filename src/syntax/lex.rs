//! Text to tokens.

use std::net::{IpAddr, Ipv6Addr};

use crate::model::Prefix;
use crate::syntax::error::QueryError;
use crate::syntax::source::Span;

/// A token's kind and what it holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// `.decl`, `.violation`: the word after the dot.
    Directive(String),
    /// A word that does not start with a capital: a relation, column, type or function; `true` and `false`.
    Word(String),
    /// A word that starts with a capital.
    Variable(String),
    /// `_`, or a word that starts with it.
    Wild,
    /// `"…"` with its escapes resolved.
    Text(String),
    /// `443`.
    Number(u64),
    /// `10.0.0.4`, `fd00::1`.
    Address(IpAddr),
    /// `10.0.0.0/8`, host bits masked.
    Prefix(Prefix),
    /// Punctuation and operators, as written: `(` `)` `,` `.` `:-` `:` `!` `=` `!=` `<` `<=` `>` `>=`.
    Mark(&'static str),
}

impl Token {
    /// How a message names it.
    pub fn describe(&self) -> String {
        match self {
            Token::Directive(word) => format!("`.{word}`"),
            Token::Word(word) | Token::Variable(word) => format!("`{word}`"),
            Token::Wild => "`_`".to_owned(),
            Token::Text(_) => "a text".to_owned(),
            Token::Number(number) => format!("`{number}`"),
            Token::Address(address) => format!("`{address}`"),
            Token::Prefix(prefix) => format!("`{prefix}`"),
            Token::Mark(mark) => format!("`{mark}`"),
        }
    }
}

/// A comment, for the documentation of what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Without its slashes and blanks around it.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// What a source consists of.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// In order.
    pub tokens: Vec<(Token, Span)>,
    /// `//` comments, in order.
    pub comments: Vec<Comment>,
}

/// The marks, longest first where one begins another.
const MARKS: [&str; 13] = [":-", "!=", "<=", ">=", "(", ")", ",", ".", ":", "!", "=", "<", ">"];

/// After how many unreadable characters and texts the rest is not looked at.
const MOST_ERRORS: usize = 30;

/// Cuts `text` into tokens. Characters that begin no token are reported and skipped.
pub fn lex(text: &str, source: usize) -> (Tokens, Vec<QueryError>) {
    let mut lexer = Lexer { text, source, at: 0, out: Tokens::default(), errors: Vec::new() };
    while lexer.at < text.len() && lexer.errors.len() < MOST_ERRORS {
        lexer.next();
    }
    (lexer.out, lexer.errors)
}

struct Lexer<'a> {
    text: &'a str,
    source: usize,
    at: usize,
    out: Tokens,
    errors: Vec<QueryError>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn span(&self, start: usize) -> Span {
        Span { source: self.source, start, end: self.at }
    }

    fn push(&mut self, start: usize, token: Token) {
        let span = self.span(start);
        self.out.tokens.push((token, span));
    }

    fn fail(&mut self, start: usize, message: impl Into<String>, help: &str) {
        let span = self.span(start);
        self.errors.push(QueryError::new("query::syntax", span, message).help(help));
    }

    /// Takes one token, comment or run of blanks; always moves on.
    fn next(&mut self) {
        let rest = self.rest();
        let start = self.at;
        let Some(first) = rest.chars().next() else { return };
        if first.is_whitespace() {
            self.at += first.len_utf8();
        } else if rest.starts_with("//") || first == '#' {
            let line = rest.split('\n').next().unwrap_or(rest);
            self.at += line.len();
            if first == '/' {
                let comment = Comment { text: line.trim_start_matches('/').trim().to_owned(), span: self.span(start) };
                self.out.comments.push(comment);
            }
        } else if first == '"' {
            self.text_literal();
        } else if let Some(token) = self.network() {
            self.push(start, token);
        } else if first.is_ascii_digit() {
            self.number();
        } else if first.is_ascii_alphabetic() || first == '_' {
            let word = word_at(rest);
            self.at += word.len();
            let token = match first {
                '_' => Token::Wild,
                'A'..='Z' => Token::Variable(word.to_owned()),
                _ => Token::Word(word.to_owned()),
            };
            self.push(start, token);
        } else if first == '.' && self.begins_directive() {
            let word = word_at(&rest[1..]);
            self.at += 1 + word.len();
            self.push(start, Token::Directive(word.to_owned()));
        } else if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
            self.at += mark.len();
            self.push(start, Token::Mark(mark));
        } else {
            self.at += first.len_utf8();
            let shown = if first.is_control() { first.escape_unicode().to_string() } else { first.to_string() };
            self.fail(start, format!("unexpected character `{shown}`"), "");
        }
    }

    /// A dot that follows a blank and precedes a letter begins a directive; any other ends a rule.
    fn begins_directive(&self) -> bool {
        let blank_before = self.text[..self.at].chars().next_back().is_none_or(char::is_whitespace);
        blank_before && self.rest()[1..].starts_with(|c: char| c.is_ascii_alphabetic())
    }

    fn text_literal(&mut self) {
        let start = self.at;
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + offset + 1;
                    self.push(start, Token::Text(value));
                    return;
                }
                '\n' => {
                    self.at = start + offset;
                    self.fail(start, "a text ends before the end of its line", "close it with `\"`; a line break inside is written `\\n`");
                    return;
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, kept @ ('"' | '\\'))) => value.push(kept),
                    other => {
                        self.at = start + other.map_or(offset + 1, |(at, c)| at + c.len_utf8());
                        self.fail(start + offset, "unknown escape in a text", "`\\n`, `\\t`, `\\\"` and `\\\\` are known");
                        return;
                    }
                },
                c => value.push(c),
            }
        }
        self.at = self.text.len();
        let end = (start + 1).min(self.text.len());
        let span = Span { source: self.source, start, end };
        self.errors.push(QueryError::new("query::syntax", span, "a text is never closed").help("close it with `\"`"));
    }

    /// An address or a prefix, or nothing.
    fn network(&mut self) -> Option<Token> {
        let rest = self.rest();
        let run = &rest[..rest.bytes().take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')).take(64).count()];
        // The dot that ends a rule may follow an address.
        let run = run.trim_end_matches('.');
        let address: IpAddr = if run.bytes().filter(|b| *b == b':').count() >= 2 {
            run.parse::<Ipv6Addr>().ok()?.into()
        } else if run.starts_with(|c: char| c.is_ascii_digit()) && run.contains('.') {
            run.parse().ok()?
        } else {
            return None;
        };
        let length: String = rest[run.len()..].strip_prefix('/').unwrap_or("").chars().take_while(char::is_ascii_digit).take(4).collect();
        if length.is_empty() {
            self.at += run.len();
            return Some(Token::Address(address));
        }
        let prefix = Prefix::new(address, length.parse().ok()?).ok()?;
        self.at += run.len() + 1 + length.len();
        Some(Token::Prefix(prefix.trunc()))
    }

    fn number(&mut self) {
        let start = self.at;
        let rest = self.rest();
        let digits = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
        self.at += digits.len();
        let tail = &self.rest()[..self.rest().bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()];
        let dotted = self.rest().starts_with('.') && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
        if !tail.is_empty() || dotted {
            let odd = self.rest().bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'_')).count();
            let odd = self.rest()[..odd].trim_end_matches('.').len();
            self.at += odd;
            self.fail(start, "this is no number, address or prefix", "numbers are written `443`, prefixes `10.0.0.0/8`, texts in `\"`");
        } else if let Ok(number) = digits.parse() {
            self.push(start, Token::Number(number));
        } else {
            self.fail(start, "this number is too large", "the largest is 18446744073709551615");
        }
    }
}

/// The letters, digits and underscores that `text` begins with.
fn word_at(text: &str) -> &str {
    &text[..text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()]
}
