//! Tokens to a tree. After a mistake parsing goes on behind the next full stop, so one run reports every mistake.

use crate::syntax::ast::*;
use crate::syntax::error::QueryError;
use crate::syntax::lex::{Comment, Token, Tokens, lex};
use crate::syntax::source::{Source, Span};

/// The largest source that is read, in bytes. A person's program is far below it.
pub const LARGEST: usize = 4 << 20;
/// How many mistakes are reported for one source.
const MOST_ERRORS: usize = 30;

/// Reads one source; `position` is its place in the program's list. The tree holds what could be read.
pub fn parse(source: &Source, position: usize) -> (Tree, Vec<QueryError>) {
    if source.text.len() > LARGEST {
        let span = Span { source: position, start: 0, end: 0 };
        let error = QueryError::new("query::too_large", span, format!("this file has more than {LARGEST} bytes"))
            .help("facts belong into a folder of `<relation>.facts` files, which has no such limit");
        return (Tree::default(), vec![error]);
    }
    let (tokens, unreadable) = lex(&source.text, position);
    let mut errors = Vec::new();
    let mut parser = Parser { tokens, at: 0, text: &source.text, position, tree: Tree::default() };
    while parser.at < parser.tokens.tokens.len() && errors.len() < MOST_ERRORS {
        if let Err(error) = parser.item() {
            errors.push(error);
            parser.recover();
        }
    }
    // From the first unreadable line on, what the parser misses may stand in the text that could not be read.
    if let Some(first) = unreadable.first() {
        errors.retain(|error| source.text.get(error.span.end..first.span.start).is_some_and(|between| between.contains('\n')));
    }
    errors.extend(unreadable);
    errors.sort_by_key(|error: &QueryError| error.span);
    errors.truncate(MOST_ERRORS);
    (parser.tree, errors)
}

struct Parser<'a> {
    tokens: Tokens,
    at: usize,
    text: &'a str,
    position: usize,
    tree: Tree,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.tokens.get(self.at).map(|(token, _)| token)
    }

    /// Where the next token stands; behind the last one at the end.
    fn here(&self) -> Span {
        match self.tokens.tokens.get(self.at).or(self.tokens.tokens.last()) {
            Some((_, span)) if self.at < self.tokens.tokens.len() => *span,
            Some((_, span)) => Span { start: span.end, ..*span },
            None => Span { source: self.position, start: 0, end: 0 },
        }
    }

    /// Where the token before stands.
    fn before(&self) -> Span {
        self.at.checked_sub(1).and_then(|at| self.tokens.tokens.get(at)).map_or_else(|| self.here(), |(_, span)| *span)
    }

    fn expected(&self, what: &str) -> QueryError {
        let found = self.peek().map_or_else(|| "the end of the file".to_owned(), Token::describe);
        QueryError::new("query::syntax", self.here(), format!("expected {what}, found {found}"))
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.peek(), Some(Token::Mark(m)) if *m == mark)
    }

    fn take(&mut self, mark: &str) -> bool {
        let there = self.is(mark);
        self.at += usize::from(there);
        there
    }

    fn need(&mut self, mark: &str, what: &str) -> Result<(), QueryError> {
        if self.take(mark) { Ok(()) } else { Err(self.expected(&format!("`{mark}` {what}"))) }
    }

    fn word(&mut self, what: &str) -> Result<Name, QueryError> {
        let span = self.here();
        match self.peek() {
            Some(Token::Word(word)) => {
                let text = word.clone();
                self.at += 1;
                Ok(Name { text, span })
            }
            Some(Token::Variable(_)) => Err(self.expected(what).help("names begin with a small letter, variables with a capital")),
            _ => Err(self.expected(what)),
        }
    }

    /// Skips to behind the next full stop, or to the next directive.
    fn recover(&mut self) {
        while let Some(token) = self.peek() {
            if matches!(token, Token::Directive(_)) {
                return;
            }
            let end = *token == Token::Mark(".");
            self.at += 1;
            if end {
                return;
            }
        }
    }

    fn item(&mut self) -> Result<(), QueryError> {
        let span = self.here();
        let Some(Token::Directive(word)) = self.peek() else {
            let rule = self.rule()?;
            self.tree.rules.push(rule);
            return Ok(());
        };
        let word = word.clone();
        self.at += 1;
        match word.as_str() {
            "decl" => self.declaration(span)?,
            "violation" => self.violation()?,
            "output" => {
                let name = self.word("a relation's name")?;
                self.tree.outputs.push(name);
            }
            _ => {
                return Err(QueryError::new("query::syntax", span, format!("unknown directive `.{word}`"))
                    .help("`.decl`, `.violation` and `.output` are known; relations of the estate need no `.input`"));
            }
        }
        Ok(())
    }

    fn declaration(&mut self, start: Span) -> Result<(), QueryError> {
        let name = self.word("the relation's name")?;
        self.need("(", "and the columns")?;
        let mut columns = Vec::new();
        while !self.is(")") {
            let column = self.word("a column's name")?;
            self.need(":", "and the column's type")?;
            let kind = self.word("a type")?;
            columns.push((column, kind));
            if !self.take(",") {
                break;
            }
        }
        self.need(")", "or another column")?;
        let mut needs = Vec::new();
        if matches!(self.peek(), Some(Token::Word(word)) if word == "needs") {
            self.at += 1;
            self.need("(", "and the columns of which one must be bound")?;
            while !self.is(")") {
                needs.push(self.word("a column's name")?);
                if !self.take(",") {
                    break;
                }
            }
            self.need(")", "or another column")?;
        }
        let doc = doc_above(self.text, &self.tokens.comments, start);
        self.tree.declarations.push(Declaration { name, columns, needs, doc });
        Ok(())
    }

    fn violation(&mut self) -> Result<(), QueryError> {
        let name = self.word("the relation's name")?;
        let mut attributes = Vec::new();
        // `severity=…`: a word that is followed by `=`; anything else begins the next item.
        while matches!(self.peek(), Some(Token::Word(_))) && matches!(self.tokens.tokens.get(self.at + 1), Some((Token::Mark("="), _))) {
            let key = self.word("a key")?;
            self.at += 1;
            let span = self.here();
            let value = match self.peek() {
                Some(Token::Word(value) | Token::Text(value)) => value.clone(),
                _ => return Err(self.expected(&format!("a word or a text for `{}`", key.text))),
            };
            self.at += 1;
            attributes.push((key, value, span));
        }
        let span = self.here();
        let message = match self.peek() {
            Some(Token::Text(text)) => Some((text.clone(), span)),
            _ => None,
        };
        self.at += usize::from(message.is_some());
        self.tree.violations.push(Violation { name, attributes, message });
        Ok(())
    }

    fn rule(&mut self) -> Result<Rule, QueryError> {
        let head = self.atom("a rule or a directive")?;
        let mut body = Vec::new();
        if self.take(":-") {
            loop {
                body.push(self.literal()?);
                if !self.take(",") {
                    break;
                }
            }
            self.need(".", "at the end of the rule, or `,` and another condition")?;
        } else {
            self.need(".", "at the end of the fact, or `:-` and conditions")?;
        }
        let span = head.span.to(self.before());
        Ok(Rule { head, body, span })
    }

    fn literal(&mut self) -> Result<Literal, QueryError> {
        let start = self.here();
        if self.take("!") {
            let mut atom = self.atom("a relation or function after `!`")?;
            atom.span = start.to(atom.span);
            return Ok(Literal::Atom { negated: true, atom });
        }
        let constant = matches!(self.peek(), Some(Token::Word(word)) if word == "true" || word == "false");
        if matches!(self.peek(), Some(Token::Word(_))) && !constant {
            return Ok(Literal::Atom { negated: false, atom: self.atom("a condition")? });
        }
        let left = self.term("a condition")?;
        let op = match self.peek() {
            Some(Token::Mark("=")) => Op::Equal,
            Some(Token::Mark("!=")) => Op::NotEqual,
            Some(Token::Mark("<")) => Op::Less,
            Some(Token::Mark("<=")) => Op::AtMost,
            Some(Token::Mark(">")) => Op::Greater,
            Some(Token::Mark(">=")) => Op::AtLeast,
            _ => return Err(self.expected("a comparison")),
        };
        self.at += 1;
        let right = self.term("a variable or a constant")?;
        let span = left.span().to(right.span());
        Ok(Literal::Compare { left, op, right, span })
    }

    fn atom(&mut self, what: &str) -> Result<Atom, QueryError> {
        let name = self.word(what)?;
        self.need("(", "and the arguments")?;
        let mut terms = Vec::new();
        while !self.is(")") {
            terms.push(self.term("a variable, `_` or a constant")?);
            if !self.take(",") {
                break;
            }
        }
        self.need(")", "or `,` and another argument")?;
        let span = name.span.to(self.before());
        Ok(Atom { name, terms, span })
    }

    fn term(&mut self, what: &str) -> Result<Term, QueryError> {
        let span = self.here();
        let term = match self.peek() {
            Some(Token::Variable(text)) => Term::Variable(Name { text: text.clone(), span }),
            Some(Token::Wild) => Term::Wild(span),
            Some(Token::Text(text)) => Term::Constant(Constant::Text(text.clone()), span),
            Some(Token::Number(number)) => Term::Constant(Constant::Number(*number), span),
            Some(Token::Address(address)) => Term::Constant(Constant::Address(*address), span),
            Some(Token::Prefix(prefix)) => Term::Constant(Constant::Prefix(*prefix), span),
            Some(Token::Word(word)) if word == "true" || word == "false" => Term::Constant(Constant::Bool(word == "true"), span),
            Some(Token::Word(_)) => return Err(self.expected(what).help("variables begin with a capital, texts stand in `\"`")),
            _ => return Err(self.expected(what)),
        };
        self.at += 1;
        Ok(term)
    }
}

/// The `//` lines directly above `start`, joined by blanks.
fn doc_above(text: &str, comments: &[Comment], start: Span) -> String {
    let last = comments.partition_point(|comment| comment.span.start < start.start);
    let mut lines: Vec<&str> = Vec::new();
    let mut below = start.start;
    for comment in comments[..last].iter().rev() {
        let between = &text[comment.span.end..below];
        // The length first: a far comment is none of ours, and looking through all between would cost a long file dearly.
        if between.len() > 500 || !between.trim().is_empty() || between.matches('\n').count() != 1 {
            break;
        }
        lines.push(&comment.text);
        below = comment.span.start;
    }
    lines.reverse();
    lines.join(" ")
}
