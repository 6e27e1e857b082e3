//! Tokens of an expression. The only place that knows how a name with hyphens is told from a subtraction.

use std::borrow::Cow;

use skep_model::limits::EXPRESSION_BYTES_MAX;

use super::codes;
use super::error::{Error, Trouble};
use super::names::Names;
use super::syntax::Span;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Name(String),
    Text(String),
    Integer(u64),
    Float(f64),
    Sign(&'static str),
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    pub token: Token,
    pub span: Span,
}

/// Where an expression ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// At the `}}` that closes it.
    Braces,
    /// At the end of the text.
    End,
}

/// Longest first, so that the first match is the right one.
const SIGNS: [&str; 25] = [
    "**", "//", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "|", "~", "+", "-", "*", "/", "%",
    "<", ">", "=",
];

/// What people bring from other languages, with what is meant here.
const FOREIGN: [(&str, &str); 6] =
    [("===", "=="), ("!==", "!="), ("&&", "and"), ("||", "or"), ("??", "| default(..)"), ("!", "not")];

/// Reads the expression that starts at byte `start` of `text`; gives its tokens and the byte where it ends
/// (before the `}}`).
pub(crate) fn tokens(text: &str, start: usize, until: Until, names: &Names) -> Result<(Vec<Placed>, usize), Error> {
    let mut lexer = Lexer { text, at: start, start, tokens: Vec::new(), names, braces: 0 };
    loop {
        lexer.skip_blanks();
        lexer.check_length()?;
        let rest = lexer.rest();
        if until == Until::Braces && lexer.braces == 0 && rest.starts_with("}}") || rest.is_empty() {
            break;
        }
        lexer.next()?;
    }
    lexer.check_length()?;
    if until == Until::Braces && lexer.rest().is_empty() {
        let opening = Span { start: start.saturating_sub(3), end: start };
        let trouble = Trouble::new(codes::OPEN, "this `${{` is never closed");
        return Err(trouble
            .hint("end the expression with `}}`, or write `$${{` for the characters themselves")
            .at(opening));
    }
    Ok((lexer.tokens, lexer.at))
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    start: usize,
    tokens: Vec<Placed>,
    names: &'a Names,
    braces: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn check_length(&self) -> Result<(), Error> {
        if self.at - self.start <= EXPRESSION_BYTES_MAX {
            return Ok(());
        }
        let span = Span { start: self.start, end: self.at };
        Err(Trouble::new(codes::SIZE, format!("an expression is longer than {EXPRESSION_BYTES_MAX} bytes"))
            .hint("compute parts of it in `vars`, or in a step")
            .at(span))
    }

    fn push(&mut self, token: Token, length: usize) {
        let span = Span { start: self.at, end: self.at + length };
        self.at = span.end;
        self.tokens.push(Placed { token, span });
    }

    fn fail<T>(&self, message: impl Into<String>, hint: Option<&str>, length: usize) -> Result<T, Error> {
        let trouble = Trouble { code: codes::SYNTAX, message: message.into(), hint: hint.map(str::to_owned) };
        Err(trouble.at(Span { start: self.at, end: self.at + length }))
    }

    fn next(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        let first = rest.chars().next().expect("the caller saw that something is left");
        if first.is_ascii_alphabetic() || first == '_' {
            self.name();
            return Ok(());
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if first == '\'' || first == '"' {
            return self.quoted(first);
        }
        if let Some((foreign, meant)) = FOREIGN.iter().find(|(foreign, _)| self.is_foreign(foreign)) {
            return self.fail(
                format!("`{foreign}` is not an operator"),
                Some(&format!("write `{meant}`")),
                foreign.len(),
            );
        }
        match SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            Some(sign) => {
                self.count_braces(sign);
                self.push(Token::Sign(sign), sign.len());
                Ok(())
            }
            None => self.unexpected(first),
        }
    }

    fn is_foreign(&self, foreign: &str) -> bool {
        self.rest().starts_with(foreign) && !(foreign == "!" && self.rest().starts_with("!="))
    }

    fn unexpected(&self, first: char) -> Result<(), Error> {
        let hint = if first.is_alphabetic() {
            Some("a name with letters beyond ASCII is written as text: `inputs['größe']`")
        } else {
            None
        };
        self.fail(format!("`{first}` means nothing in an expression"), hint, first.len_utf8())
    }

    fn count_braces(&mut self, sign: &str) {
        match sign {
            "{" => self.braces += 1,
            "}" => self.braces = self.braces.saturating_sub(1),
            _ => {}
        }
    }

    fn name(&mut self) {
        let rest = self.rest();
        let after_dot = matches!(self.tokens.last(), Some(Placed { token: Token::Sign("."), .. }));
        let known = if after_dot { self.names.longest_at(rest).map(str::len) } else { None };
        let length = known.unwrap_or_else(|| {
            rest.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_').unwrap_or(rest.len())
        });
        self.push(Token::Name(rest[..length].to_owned()), length);
    }

    fn number(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        let digits = |from: usize| from + rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(0);
        let mut end = whole;
        if rest[end..].starts_with('.') && rest[end + 1..].starts_with(|next: char| next.is_ascii_digit()) {
            end = digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(end + 1 + sign);
            end = if exponent > end + 1 + sign { exponent } else { end };
        }
        if rest[end..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_') {
            return self.fail("a name does not begin with a digit", Some("write it as text: `['1st']`"), end + 1);
        }
        let written = &rest[..end];
        let token = if end == whole { written.parse().ok().map(Token::Integer) } else { finite(written) };
        match token {
            Some(token) => {
                self.push(token, end);
                Ok(())
            }
            None => self.fail(format!("the number `{written}` is too large"), None, end),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<(), Error> {
        let inner = &self.rest()[1..];
        let mut escaped = false;
        for (index, character) in inner.char_indices() {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == quote {
                let value = self.unescape(&inner[..index])?.into_owned();
                self.push(Token::Text(value), index + 2);
                return Ok(());
            }
        }
        self.fail("this text is never closed", Some("end it with the same quote"), 1)
    }

    fn unescape(&self, text: &'a str) -> Result<Cow<'a, str>, Error> {
        if !text.contains('\\') {
            return Ok(Cow::Borrowed(text));
        }
        let mut plain = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character != '\\' {
                plain.push(character);
                continue;
            }
            match rest.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some('u') => match unicode(rest.as_str()) {
                    Some((character, length)) => {
                        plain.push(character);
                        rest = rest.as_str()[length..].chars();
                    }
                    None => {
                        return self.fail("`\\u` wants four hexadecimal digits of a character", None, text.len() + 2);
                    }
                },
                Some(same @ ('\\' | '\'' | '"' | '/')) => plain.push(same),
                Some(other) => {
                    let hint = "known are \\n \\t \\r \\\\ \\' \\\" and \\uXXXX; a backslash itself is \\\\";
                    return self.fail(format!("`\\{other}` means nothing in a text"), Some(hint), text.len() + 2);
                }
                None => {}
            }
        }
        Ok(Cow::Owned(plain))
    }
}

fn finite(written: &str) -> Option<Token> {
    written.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Float)
}

/// `XXXX`, or a surrogate pair `XXXX\uXXXX`, at the start of `text`: the character and the bytes it takes.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits = text.get(from..from + 4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    let second = text.get(4..6).filter(|mark| *mark == "\\u").and_then(|_| unit(6))?;
    let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    let high = first.checked_sub(0xD800).filter(|high| *high < 0x400)?;
    Some((char::from_u32(0x10000 + (high << 10) + low)?, 10))
}
