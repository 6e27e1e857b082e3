//! `$(..)`, `${..}`, `$((..))`, backticks, subscripts.

use super::commands::End;
use super::lexer::{Lexer, Quoting, Word, is_name};
use super::reasons::Reason;

/// What the word of a `${NAME OP word}` is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    /// `:-`, `-`, `:=`, `=`, `:?`, `?`, `:+`, `+`: a word.
    Word,
    /// `#`, `%`, `/`, `^`, `,` and their doubles: a pattern.
    Pattern,
    /// `:OFFSET:LENGTH`.
    Arithmetic,
}

impl Lexer<'_> {
    /// At a `$`.
    pub(super) fn expansion(&mut self, quoting: Quoting) {
        if self.dollar_of_ours(quoting) {
            return;
        }
        if self.starts_with("$((") {
            self.at += 1;
            self.arithmetic();
        } else if self.starts_with("$(") {
            self.at += 2;
            self.substitution();
        } else if self.starts_with("${") {
            self.parameter(quoting);
        } else if self.starts_with("$[") {
            self.at += 1;
            self.bracketed(b'[', b']', Reason::Arithmetic);
        } else {
            self.at += 1;
            self.plain_name();
        }
    }

    /// The name after a `$`: letters and digits, or one of the characters of special parameters (`$$`, `$#`).
    fn plain_name(&mut self) {
        let name = self.rest().bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        if name > 0 {
            self.at += if self.rest().starts_with(|first: char| first.is_ascii_digit()) { 1 } else { name };
        } else if matches!(self.byte(), Some(b'$' | b'#' | b'!' | b'?' | b'*' | b'@' | b'-')) {
            self.at += 1;
        }
    }

    /// Commands up to `)`, with rules of their own for words.
    pub(super) fn substitution(&mut self) {
        let assigned = self.assigned.take();
        self.forbidding_bare(None, |this| this.nested(|this| this.list(End::Bracket)));
        self.assigned = assigned;
    }

    /// `((..))`, the cursor at its first bracket. It might also be a subshell in a substitution: values are refused
    /// in both, so that only the end must be right.
    pub(super) fn arithmetic(&mut self) {
        self.bracketed(b'(', b')', Reason::Arithmetic);
    }

    /// Brackets that count, quotes that hide them; every value inside is refused.
    pub(super) fn bracketed(&mut self, open: u8, close: u8, reason: Reason) {
        let start = self.at;
        let mut depth = 0_usize;
        self.forbidding(Some(reason), |this| {
            this.nested(|this| {
                while let Some(byte) = this.byte() {
                    match byte {
                        b'\'' | b'"' | b'\\' | b'$' | b'`' => this.quoted_part(byte),
                        _ => {
                            depth += usize::from(byte == open);
                            depth -= usize::from(byte == close);
                            this.step();
                        }
                    }
                    if depth == 0 {
                        return;
                    }
                }
            });
        });
        if depth > 0 {
            self.unclear(start);
        }
    }

    /// A quote, a backslash or an expansion, outside of quotes.
    fn quoted_part(&mut self, byte: u8) {
        match byte {
            b'"' => self.double(None),
            b'\'' => self.skip_single(),
            b'\\' => self.escape(),
            b'`' => self.backticks(),
            _ if self.starts_with("$'") => {
                self.at += 1;
                self.dollar_single();
            }
            _ => self.expansion(Quoting::Bare),
        }
    }

    /// `` `..` ``: read twice by the shell, so values are refused.
    pub(super) fn backticks(&mut self) {
        let start = self.at;
        self.at += 1;
        let mut closed = false;
        self.forbidding(Some(Reason::Backticks), |this| {
            while let Some(byte) = this.byte() {
                if this.dollar_of_ours(Quoting::Bare) {
                    continue;
                }
                if byte == b'\\' {
                    this.escape();
                    continue;
                }
                this.step();
                if byte == b'`' {
                    closed = true;
                    return;
                }
            }
        });
        if closed {
            self.substituted.push((start, self.text[start + 1..self.at - 1].replace("\\`", "`")));
        } else {
            self.unclear(start);
        }
    }

    /// `${..}`.
    fn parameter(&mut self, quoting: Quoting) {
        let start = self.at;
        self.at += 2;
        if matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'|')) {
            // `${ command; }` of newer shells.
            self.unclear(start);
        }
        let mut closed = false;
        self.nested(|this| {
            this.forbidding(Some(Reason::VariableName), |this| this.parameter_name());
            if this.byte() == Some(b'[') {
                this.bracketed(b'[', b']', Reason::Subscript);
            }
            let operand = this.operand();
            closed = match operand {
                Operand::Word => this.operand_word(quoting),
                Operand::Pattern => {
                    let mut closed = false;
                    this.forbidding_bare(Some(Reason::Pattern), |this| closed = this.operand_word(Quoting::Bare));
                    closed
                }
                Operand::Arithmetic => {
                    let mut closed = false;
                    this.forbidding(Some(Reason::Arithmetic), |this| closed = this.operand_word(quoting));
                    closed
                }
            };
        });
        if !closed {
            self.unclear(start);
        }
    }

    /// `#NAME`, `!NAME`, `NAME`, `@`, up to a subscript or the operator.
    fn parameter_name(&mut self) {
        if matches!(self.byte(), Some(b'#' | b'!')) && !self.rest()[1..].starts_with('}') {
            self.at += 1;
        }
        if self.dollar_of_ours(Quoting::Bare) {
            return;
        }
        let name = self.rest().bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        self.at += name;
        if name == 0 && matches!(self.byte(), Some(b'@' | b'*' | b'?' | b'$' | b'!' | b'-' | b'#')) {
            self.at += 1;
        }
    }

    fn operand(&mut self) -> Operand {
        let rest = self.rest().as_bytes();
        match (rest.first(), rest.get(1)) {
            (Some(b':'), Some(b'-' | b'=' | b'?' | b'+')) => {
                self.at += 2;
                Operand::Word
            }
            (Some(b'-' | b'=' | b'?' | b'+'), _) => {
                self.at += 1;
                Operand::Word
            }
            (Some(b':'), _) => Operand::Arithmetic,
            (Some(b'}'), _) | (None, _) => Operand::Word,
            (Some(_), _) => Operand::Pattern,
        }
    }

    /// The operand up to `}`; false if it never comes.
    fn operand_word(&mut self, quoting: Quoting) -> bool {
        while let Some(byte) = self.byte() {
            match (byte, quoting) {
                (b'}', _) => {
                    self.at += 1;
                    return true;
                }
                (b'$' | b'`', Quoting::Double) => self.in_quotes(),
                (b'\\', Quoting::Double) => self.escape(),
                (b'"', Quoting::Double) => self.forbidding(Some(Reason::InnerQuotes), |this| this.double(None)),
                (b'\'' | b'"' | b'\\' | b'$' | b'`', Quoting::Bare) => self.quoted_part(byte),
                _ => self.step(),
            }
        }
        false
    }

    /// `NAME[..]` at the begin of an assignment; the cursor at the bracket.
    pub(super) fn subscript(&mut self, word: &mut Word) {
        let start = self.at;
        self.bracketed(b'[', b']', Reason::Subscript);
        super::lexer::push(word, &self.text[start..self.at]);
    }

    /// `( element [key]=element .. )` of an array, the cursor at its bracket.
    pub(super) fn array(&mut self) {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.byte() {
            match byte {
                b')' => {
                    self.at += 1;
                    return;
                }
                b'#' => self.comment(),
                b'\n' => self.newline(),
                b'[' => self.bracketed(b'[', b']', Reason::Subscript),
                _ if super::lexer::is_end_of_word(byte) && !matches!(byte, b'<' | b'>') => self.at += 1,
                _ => self.element(byte),
            }
        }
        self.unclear(start);
    }

    fn element(&mut self, byte: u8) {
        let assigned = self.assigned.clone();
        if matches!(byte, b'<' | b'>') {
            self.at += 1;
            if self.byte() == Some(b'(') {
                self.at += 1;
                self.substitution();
            }
        } else {
            self.nested(|this| drop(this.word(false)));
        }
        self.assigned = assigned;
    }

    /// `@(a|b)` and its like inside a word, the cursor at the bracket.
    pub(super) fn pattern_group(&mut self) {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'\'' | b'"' | b'\\' | b'$' | b'`' => self.quoted_part(byte),
                _ => {
                    depth += usize::from(byte == b'(');
                    depth -= usize::from(byte == b')');
                    self.step();
                }
            }
            if depth == 0 {
                return;
            }
        }
        self.unclear(start);
    }
}

/// The name that `declare -i NAME[=value]` makes an integer.
pub(super) fn declared_name(word: &str) -> Option<&str> {
    let name = word.split(['=', '[', '+']).next().unwrap_or(word);
    is_name(name).then_some(name)
}
