//! HCL, as much of it as the export writes, parsed strictly by its specification.
//!
//! Not `hcl-rs`, which writes what is read here and which (0.20) undoes escapes before it looks for templates:
//! `"\u0024${a}"` is a dollar sign and an interpolation, and no escaped one.

use std::iter::Peekable;
use std::str::Chars;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// A number or one of `null`, `true`, `false`, which are the same in JSON.
    Constant(serde_json::Value),
    /// A quoted string.
    Template(Vec<Piece>),
    List(Vec<Expression>),
    Object(Vec<(Expression, Expression)>),
    Call(String, Vec<Expression>),
    /// `a.b.c`, or a single word.
    Reference(Vec<String>),
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    Slot(Expression),
}

/// An argument or a nested block.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Structure {
    Argument(String, Expression),
    Block { keyword: String, labels: Vec<String>, body: Vec<Structure> },
}

/// A whole file.
pub(super) fn file(text: &str) -> Result<Vec<Structure>, String> {
    let mut parser = Parser { rest: text.chars().peekable() };
    let body = parser.body(0);
    body.map_err(|what| {
        let rest: String = parser.rest.take(60).collect();
        format!("{what} before {rest:?}")
    })
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    /// Structures up to the closing brace, or to the end of the file at the outermost level.
    fn body(&mut self, depth: usize) -> Result<Vec<Structure>, String> {
        let mut body = Vec::new();
        loop {
            self.blank(true);
            match self.rest.peek() {
                None if depth == 0 => return Ok(body),
                Some('}') if depth > 0 => {
                    self.rest.next();
                    return Ok(body);
                }
                _ => {}
            }
            let word = self.word()?;
            self.blank(false);
            if self.take('=') {
                body.push(Structure::Argument(word, self.expression()?));
                self.line_end()?;
                continue;
            }
            let mut labels = Vec::new();
            while self.rest.peek() == Some(&'"') {
                match self.string()?.as_slice() {
                    [] => labels.push(String::new()),
                    [Piece::Literal(label)] => labels.push(label.clone()),
                    _ => return Err("a template as a label".to_owned()),
                }
                self.blank(false);
            }
            self.expect('{')?;
            body.push(Structure::Block { keyword: word, labels, body: self.body(depth + 1)? });
            self.line_end()?;
        }
    }

    fn expression(&mut self) -> Result<Expression, String> {
        self.blank(false);
        match self.rest.peek() {
            Some('"') => Ok(Expression::Template(self.string()?)),
            Some('[') => Ok(Expression::List(self.list('[', ']')?)),
            Some('{') => self.object(),
            Some(c) if c.is_ascii_digit() || *c == '-' => {
                let number = self.while_in(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
                let number = serde_json::from_str(&number).map_err(|_| format!("{number:?} is no number"))?;
                Ok(Expression::Constant(number))
            }
            _ => {
                let mut words = vec![self.word()?];
                if self.rest.peek() == Some(&'(') {
                    return Ok(Expression::Call(words.remove(0), self.list('(', ')')?));
                }
                while self.take('.') {
                    words.push(self.word()?);
                }
                Ok(match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    ["null"] => Expression::Constant(serde_json::Value::Null),
                    ["true"] => Expression::Constant(true.into()),
                    ["false"] => Expression::Constant(false.into()),
                    _ => Expression::Reference(words),
                })
            }
        }
    }

    fn list(&mut self, open: char, close: char) -> Result<Vec<Expression>, String> {
        self.expect(open)?;
        let mut items = Vec::new();
        loop {
            self.blank(true);
            if self.take(close) {
                return Ok(items);
            }
            items.push(self.expression()?);
            self.blank(true);
            if !self.take(',') {
                self.expect(close)?;
                return Ok(items);
            }
        }
    }

    fn object(&mut self) -> Result<Expression, String> {
        self.expect('{')?;
        let mut items = Vec::new();
        loop {
            self.blank(true);
            if self.take('}') {
                return Ok(Expression::Object(items));
            }
            let key = match self.rest.peek() {
                Some('"') => Expression::Template(self.string()?),
                _ => Expression::Template(vec![Piece::Literal(self.word()?)]),
            };
            self.blank(false);
            self.expect('=')?;
            items.push((key, self.expression()?));
            self.blank(false);
            self.take(',');
        }
    }

    /// A quoted string: a template of literals and interpolations.
    fn string(&mut self) -> Result<Vec<Piece>, String> {
        self.expect('"')?;
        let mut pieces = Vec::new();
        let mut literal = String::new();
        loop {
            let c = self.rest.next().ok_or("an open string")?;
            match c {
                '"' => break,
                '\n' | '\r' => return Err("a line break in a string".to_owned()),
                '\\' => literal.push(self.escape()?),
                '$' | '%' => {
                    let mut ahead = self.rest.clone();
                    match (ahead.next(), ahead.next()) {
                        // `$${` is a literal `${`.
                        (Some(again), Some('{')) if again == c => {
                            self.rest = ahead;
                            literal.push(c);
                            literal.push('{');
                        }
                        (Some('{'), _) if c == '$' => {
                            self.rest.next();
                            if !literal.is_empty() {
                                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                            }
                            pieces.push(Piece::Slot(self.expression()?));
                            self.blank(true);
                            self.expect('}')?;
                        }
                        (Some('{'), _) => return Err("a directive".to_owned()),
                        _ => literal.push(c),
                    }
                }
                _ => literal.push(c),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(pieces)
    }

    fn escape(&mut self) -> Result<char, String> {
        let escape = self.rest.next().ok_or("an open escape")?;
        let digits = match escape {
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            '"' | '\\' => return Ok(escape),
            'u' => 4,
            'U' => 8,
            other => return Err(format!("the escape {other:?}")),
        };
        let code: String = self.rest.by_ref().take(digits).collect();
        u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).ok_or_else(|| format!("the character {code:?}"))
    }

    fn word(&mut self) -> Result<String, String> {
        let word = self.while_in(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            Ok(word)
        } else {
            Err(format!("{word:?} as a word"))
        }
    }

    fn while_in(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut out = String::new();
        while let Some(c) = self.rest.next_if(|c| wanted(*c)) {
            out.push(c);
        }
        out
    }

    /// Skips blanks; comments and the ends of lines only where `lines` may end.
    fn blank(&mut self, lines: bool) {
        while let Some(c) = self.rest.next_if(|c| *c == ' ' || lines && (*c == '\n' || *c == '#')) {
            if c == '#' {
                self.while_in(|c| c != '\n');
            }
        }
    }

    fn line_end(&mut self) -> Result<(), String> {
        self.blank(false);
        match self.rest.peek() {
            None | Some('}') => Ok(()),
            _ => self.expect('\n'),
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(format!("no {wanted:?}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_evaluated_is_told_from_what_would_not() {
        let pieces = |text: &str| match file(&format!("a = \"{text}\"\n"))?.remove(0) {
            Structure::Argument(_, Expression::Template(pieces)) => Ok(pieces),
            other => Err(format!("{other:?}")),
        };
        let literal = |text: &str| Piece::Literal(text.to_owned());
        let slot = || Piece::Slot(Expression::Reference(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(pieces("$${a}%%{b}$$$ %"), Ok(vec![literal("${a}%{b}$$$ %")]));
        assert_eq!(pieces("\\u0024${a.b}$"), Ok(vec![literal("$"), slot(), literal("$")]));
        assert_eq!(pieces("$$${a}"), Ok(vec![literal("$${a}")]));
        assert_eq!(pieces("\\\"\\n\\U0001f600"), Ok(vec![literal("\"\n😀")]));
        for wrong in ["%{if a}", "${a", "a\nb", "\\x", "\\ud800", "a\" b = \"c"] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }
}
