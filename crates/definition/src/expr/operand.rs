//! Operands: names and their accesses, literals, lists, objects, functions.

use serde_json::Value;

use super::codes;
use super::error::{Error, Trouble};
use super::lexer::Token;
use super::operations::Form;
use super::parser::{Parser, named, shown};
use super::syntax::{Access, Expr, ExprKind, Key, KeyKind, Missing, Reference, Span, Status, path_length_max};

/// Words that are no names.
const RESERVED: [&str; 15] =
    ["and", "or", "not", "if", "else", "in", "is", "true", "false", "null", "none", "True", "False", "Null", "None"];

/// What a chain of accesses hangs on while it is read.
enum Open {
    /// A name and its keys.
    Path(String, Vec<Key>),
    /// Any other value and its keys.
    Value(Expr, Vec<Key>),
}

impl Parser<'_, '_> {
    pub(super) fn postfix(&mut self) -> Result<Expr, Error> {
        let start = self.here();
        let mut open = self.primary()?;
        loop {
            if self.take_sign(".") {
                let (name, span) = self.attribute()?;
                if self.take_sign("(") {
                    let base = self.close(open, start, false)?;
                    let operation = named(&name, Form::Method, span)?;
                    let arguments = self.arguments(operation, 1)?;
                    open = Open::Value(self.call(operation, Some(base), arguments, start)?, Vec::new());
                } else {
                    self.push_key(&mut open, KeyKind::Name(name), span, start);
                }
            } else if self.take_sign("[") {
                open = self.subscript(open, start)?;
            } else {
                return self.close(open, start, false);
            }
        }
    }

    fn attribute(&mut self) -> Result<(String, Span), Error> {
        let span = self.here();
        match self.peek().cloned() {
            Some(Token::Name(name)) => {
                self.at += 1;
                Ok((name, span))
            }
            Some(Token::Integer(_) | Token::Float(_)) => {
                self.fail("a position is written in brackets", Some("write `[0]` instead of `.0`"))
            }
            Some(Token::Text(_) | Token::Sign(_)) | None => self.fail("a name is missing after the `.`", None),
        }
    }

    fn push_key(&self, open: &mut Open, at: KeyKind, span: Span, start: Span) {
        let subject_end = self.tokens[..self.at]
            .iter()
            .rev()
            .find(|placed| placed.span.start < span.start && !matches!(placed.token, Token::Sign("." | "[" | "-")))
            .map_or(span.start, |placed| placed.span.end);
        let subject = self.text[start.start..subject_end.max(start.start)].trim();
        let key = Key { at, span, subject: subject.into() };
        match open {
            Open::Path(_, keys) | Open::Value(_, keys) => keys.push(key),
        }
    }

    fn subscript(&mut self, mut open: Open, start: Span) -> Result<Open, Error> {
        if let Some((key, span)) = self.literal_key() {
            self.push_key(&mut open, key, span, start);
            self.at += 1;
            return Ok(open);
        }
        let base = Box::new(self.close(open, start, true)?);
        let from = if matches!(self.peek(), Some(Token::Sign(":"))) { None } else { Some(Box::new(self.ternary()?)) };
        let kind = if self.take_sign(":") {
            let open_end = matches!(self.peek(), Some(Token::Sign("]")));
            let to = if open_end { None } else { Some(Box::new(self.ternary()?)) };
            ExprKind::Slice { base, from, to }
        } else {
            let index = from.expect("without a colon something stands in the brackets");
            ExprKind::Index(base, index)
        };
        self.expect("]", "after an index")?;
        Ok(Open::Value(self.make(kind, start)?, Vec::new()))
    }

    /// `'name'`, `0` or `-1` directly before a `]`; leaves the `]` to be taken.
    fn literal_key(&mut self) -> Option<(KeyKind, Span)> {
        let span = self.here();
        let negative = usize::from(matches!(self.peek(), Some(Token::Sign("-"))));
        let closing = self.tokens.get(self.at + negative + 1).map(|placed| &placed.token);
        if closing != Some(&Token::Sign("]")) {
            return None;
        }
        let last = &self.tokens[self.at + negative];
        let key = match &last.token {
            Token::Text(name) if negative == 0 => KeyKind::Name(name.clone()),
            Token::Integer(position) => {
                let position = i64::try_from(*position).ok()?;
                KeyKind::Position(if negative == 1 { -position } else { position })
            }
            Token::Text(_) | Token::Name(_) | Token::Float(_) | Token::Sign(_) => return None,
        };
        let span = span.to(last.span);
        self.at += negative + 1;
        Some((key, span))
    }

    /// Makes the node of what was read so far; `dynamic` says that an unknown key follows.
    fn close(&mut self, open: Open, start: Span, dynamic: bool) -> Result<Expr, Error> {
        let (base, keys) = match open {
            Open::Value(base, keys) => (base, keys),
            Open::Path(root, keys) => self.reference(root, keys, start, dynamic)?,
        };
        if keys.is_empty() {
            return Ok(base);
        }
        let access = Access { base, keys: keys.into(), missing: Missing::Error };
        self.make(ExprKind::Access(Box::new(access)), start)
    }

    fn reference(
        &mut self,
        root: String,
        mut keys: Vec<Key>,
        start: Span,
        dynamic: bool,
    ) -> Result<(Expr, Vec<Key>), Error> {
        let mut path = vec![root];
        let mut end = start;
        let mut taken = 0;
        while let Some(Key { at: KeyKind::Name(name), span, .. }) = keys.get(taken) {
            if path.len() >= path_length_max(&path) {
                break;
            }
            path.push(name.clone());
            end = *span;
            taken += 1;
        }
        let short = path.len() < path_length_max(&path);
        let dynamic = short && (dynamic || taken < keys.len());
        keys.drain(..taken);
        let reference = Reference { path, offset: start.start, dynamic };
        self.found.references.push((reference, end.end - start.start));
        let kind = ExprKind::Reference(self.found.references.len() - 1);
        Ok((Expr { kind, span: start.to(end), height: 1 }, keys))
    }

    fn primary(&mut self) -> Result<Open, Error> {
        let start = self.here();
        let Some(token) = self.peek().cloned() else {
            return self.fail("the expression ends where a value is missing", None);
        };
        self.at += 1;
        let kind = match token {
            Token::Text(text) => ExprKind::Literal(Value::String(text)),
            Token::Integer(number) => ExprKind::Literal(number.into()),
            Token::Float(number) => ExprKind::Literal(number.into()),
            Token::Sign("(") => {
                let inner = self.ternary()?;
                self.expect(")", "after the inner expression")?;
                return Ok(Open::Value(inner, Vec::new()));
            }
            Token::Sign("[") => ExprKind::List(self.items("]", Self::ternary)?),
            Token::Sign("{") => ExprKind::Map(self.items("}", Self::entry)?),
            Token::Name(name) => return self.name(name, start),
            Token::Sign(_) => {
                self.at -= 1;
                return self.fail(format!("{} stands where a value is missing", shown(&token)), None);
            }
        };
        Ok(Open::Value(self.make(kind, start)?, Vec::new()))
    }

    fn items<T>(&mut self, closing: &str, item: impl Fn(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        while !self.take_sign(closing) {
            if !items.is_empty() {
                self.expect(",", "between entries")?;
                if self.take_sign(closing) {
                    break;
                }
            }
            self.check_count(items.len())?;
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn entry(&mut self) -> Result<(Expr, Expr), Error> {
        let key = self.ternary()?;
        if matches!(key.kind, ExprKind::Reference(_)) && matches!(self.peek(), Some(Token::Sign(":" | "}" | ","))) {
            let written = &self.text[key.span.start..key.span.end];
            let hint = format!("write `'{written}': ..`, or `({written}) ~ ''` for the value of that name");
            return Err(Trouble::new(codes::SYNTAX, "a key is a text in quotes").hint(hint).at(key.span));
        }
        self.expect(":", "after a key")?;
        Ok((key, self.ternary()?))
    }

    fn name(&mut self, name: String, start: Span) -> Result<Open, Error> {
        let literal = match name.as_str() {
            "true" | "True" => Some(Value::Bool(true)),
            "false" | "False" => Some(Value::Bool(false)),
            "null" | "none" | "None" | "Null" => Some(Value::Null),
            _ => None,
        };
        if let Some(value) = literal {
            return Ok(Open::Value(self.make(ExprKind::Literal(value), start)?, Vec::new()));
        }
        if RESERVED.contains(&name.as_str()) {
            self.at -= 1;
            return self.fail(format!("`{name}` stands where a value is missing"), None);
        }
        if self.take_sign("(") {
            return Ok(Open::Value(self.function(&name, start)?, Vec::new()));
        }
        Ok(Open::Path(name, Vec::new()))
    }

    fn function(&mut self, name: &str, start: Span) -> Result<Expr, Error> {
        if let Some(status) = Status::named(name) {
            self.expect(")", &format!("after `{name}(`: it takes no arguments"))?;
            self.found.status_aware = true;
            return self.make(ExprKind::Status(status), start);
        }
        let operation = named(name, Form::Function, start)?;
        let arguments = self.arguments(operation, 0)?;
        self.call(operation, None, arguments, start)
    }
}
