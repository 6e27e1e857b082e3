//! The cursor, and words with their quotes. Expansions, here-documents and commands are its other files.

use std::collections::HashSet;

use super::documents::Document;
use super::reasons::Reason;
use super::said::Said;
use super::shells::Family;
use crate::expr::expression_end;

/// How deep quotes, expansions and groups stand inside each other; deeper scripts are attacks on the lexer.
const DEPTH_MAX: usize = 40;

/// What was found at one `${{`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spot {
    pub start: usize,
    pub end: usize,
    pub verdict: Verdict,
    /// The variable that it is assigned to.
    pub assigned: Option<String>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Place(Quoting),
    /// Placed, with a warning: it is the name of a command.
    CommandName(Quoting),
    /// Placed, with a warning: another interpreter reads it.
    Handed(Quoting),
    Refuse(Reason),
    Comment,
    /// `$${{`.
    Escape,
    NoShell,
    NeverClosed,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Outside of quotes: quotes are added.
    Bare,
    /// Inside double quotes or an unquoted here-document.
    Double,
}

/// A word as the shell sees it.
#[derive(Debug, Default)]
pub(super) struct Word {
    /// Its text after the removal of quotes; `None` if something in it is expanded.
    pub literal: Option<String>,
    /// The same without what is expanded: its text if all of that is empty.
    pub skeleton: String,
    /// No quotes and no backslashes in it: it can be a reserved word.
    pub plain: bool,
    /// Where it begins.
    pub start: usize,
    /// It is `NAME=..`.
    pub assigned: Option<String>,
    /// The spots inside it.
    pub spots: std::ops::Range<usize>,
}

pub(super) struct Lexer<'a> {
    pub text: &'a str,
    pub at: usize,
    /// Where the text ends: the end of the script or of a here-document's body.
    pub limit: usize,
    pub family: Family,
    pub spots: Vec<Spot>,
    /// Refuses everything inside, however nested.
    pub forbidden: Option<Reason>,
    /// Refuses what is not in quotes, in this word.
    pub bare_forbidden: Option<Reason>,
    /// The command gives its words and documents to another interpreter.
    pub handed: bool,
    /// The variable that the current word assigns.
    pub assigned: Option<String>,
    pub pending: Vec<Document>,
    pub integers: HashSet<String>,
    /// From here on nothing is certain.
    pub unclear_from: usize,
    /// The commands in the order in which they end.
    pub said: Vec<Said>,
    /// Names that the script gives to functions and aliases.
    pub functions: Vec<String>,
    /// Texts in backticks.
    pub substituted: Vec<(usize, String)>,
    depth: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, family: Family) -> Self {
        Self {
            text,
            at: 0,
            limit: text.len(),
            family,
            spots: Vec::new(),
            forbidden: None,
            bare_forbidden: None,
            handed: false,
            assigned: None,
            pending: Vec::new(),
            integers: HashSet::new(),
            unclear_from: usize::MAX,
            said: Vec::new(),
            functions: Vec::new(),
            substituted: Vec::new(),
            depth: 0,
        }
    }

    /// Reads the whole script.
    pub(super) fn read(&mut self) {
        while self.at < self.limit {
            self.list(super::commands::End::Script);
        }
    }

    /// Reads the whole script; gives its expressions.
    pub(super) fn spots(mut self) -> Vec<Spot> {
        self.read();
        for spot in &mut self.spots {
            let placed = matches!(spot.verdict, Verdict::Place(_) | Verdict::CommandName(_) | Verdict::Handed(_));
            if placed && spot.start >= self.unclear_from {
                spot.verdict = Verdict::Refuse(Reason::Unclear);
            } else if placed && spot.assigned.as_ref().is_some_and(|name| self.integers.contains(name)) {
                spot.verdict = Verdict::Refuse(Reason::IntegerVariable);
            }
        }
        self.spots
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..self.limit]
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    pub(super) fn starts_with(&self, what: &str) -> bool {
        self.rest().starts_with(what)
    }

    /// One character on.
    pub(super) fn step(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    pub(super) fn unclear(&mut self, from: usize) {
        self.unclear_from = self.unclear_from.min(from);
    }

    /// Guards the recursion: too deep, and all that follows is unclear.
    pub(super) fn nested(&mut self, read: impl FnOnce(&mut Self)) {
        if self.depth >= DEPTH_MAX {
            self.unclear(self.at);
            self.find_the_rest();
            return;
        }
        self.depth += 1;
        read(self);
        self.depth -= 1;
    }

    /// Records all that is left as unclear, without reading it.
    fn find_the_rest(&mut self) {
        while self.at < self.limit {
            if !self.dollar_of_ours(Quoting::Bare) {
                self.step();
            }
        }
    }

    /// Reads inside with another rule for everything.
    pub(super) fn forbidding(&mut self, reason: Option<Reason>, read: impl FnOnce(&mut Self)) {
        let before = self.forbidden;
        self.forbidden = before.or(reason);
        read(self);
        self.forbidden = before;
    }

    /// Reads inside with another rule for what is not in quotes.
    pub(super) fn forbidding_bare(&mut self, reason: Option<Reason>, read: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.bare_forbidden, reason);
        read(self);
        self.bare_forbidden = before;
    }

    /// At `$${{` or `${{`: takes it and answers true.
    pub(super) fn dollar_of_ours(&mut self, quoting: Quoting) -> bool {
        let start = self.at;
        if self.starts_with("$${{") {
            self.at += 4;
            self.spots.push(Spot { start, end: self.at, verdict: Verdict::Escape, assigned: None });
            return true;
        }
        if !self.starts_with("${{") {
            return false;
        }
        let Some(end) = expression_end(&self.text[..self.limit], start + 3) else {
            self.at += 3;
            self.spots.push(Spot { start, end: self.at, verdict: Verdict::NeverClosed, assigned: None });
            return true;
        };
        self.at = end;
        let verdict = match (self.forbidden, quoting, self.bare_forbidden) {
            (Some(reason), _, _) | (None, Quoting::Bare, Some(reason)) => Verdict::Refuse(reason),
            (None, _, _) if self.handed => Verdict::Handed(quoting),
            (None, _, _) => Verdict::Place(quoting),
        };
        self.spots.push(Spot { start, end, verdict, assigned: self.assigned.clone() });
        true
    }

    /// Reads a word; `assignable` where `NAME=` and `NAME[..]=` begin an assignment.
    pub(super) fn word(&mut self, assignable: bool) -> Word {
        let first = self.spots.len();
        let mut word = Word { literal: Some(String::new()), plain: true, start: self.at, ..Word::default() };
        while let Some(byte) = self.byte() {
            if is_end_of_word(byte) && !self.word_goes_on(byte, &word) {
                break;
            }
            self.part(byte, &mut word, assignable);
        }
        self.assigned = None;
        word.spots = first..self.spots.len();
        word
    }

    fn word_goes_on(&self, byte: u8, word: &Word) -> bool {
        let before = self.text[..self.at].bytes().next_back();
        let extended = matches!(before, Some(b'@' | b'!' | b'?' | b'*' | b'+')) && self.family != Family::Posix;
        match byte {
            b'<' | b'>' => self.rest()[1..].starts_with('(') && before == Some(b'='),
            b'(' => {
                (word.assigned.is_some() && before == Some(b'=')) || extended && word.literal.as_deref() != Some("!")
            }
            _ => false,
        }
    }

    fn part(&mut self, byte: u8, word: &mut Word, assignable: bool) {
        match byte {
            b'\'' => self.single(word),
            b'"' => {
                word.plain = false;
                self.double(Some(word));
            }
            b'\\' => self.backslash(word),
            b'$' => self.dollar(word),
            b'`' => {
                word.literal = None;
                self.backticks();
            }
            b'(' if word.assigned.is_some() && self.text[..self.at].ends_with('=') => self.array(),
            b'(' => self.forbidding_bare(Some(Reason::Pattern), |this| this.pattern_group()),
            b'<' | b'>' => {
                self.at += 2;
                self.nested(|this| this.list(super::commands::End::Bracket));
            }
            b'[' if assignable && word.plain && word.literal.as_deref().is_some_and(is_name) => self.subscript(word),
            b'=' if word.assigned.is_none() => self.equals(word),
            _ => {
                let start = self.at;
                self.step();
                push(word, &self.text[start..self.at]);
            }
        }
    }

    fn equals(&mut self, word: &mut Word) {
        let before = word.literal.as_deref().unwrap_or_default();
        let name = before.strip_suffix('+').unwrap_or(before).split('[').next().unwrap_or_default();
        if word.plain && is_name(name) {
            word.assigned = Some(name.to_owned());
            self.assigned = word.assigned.clone();
        }
        push(word, "=");
        self.at += 1;
    }

    /// A backslash and the character that it makes plain.
    pub(super) fn escape(&mut self) {
        self.at += 1;
        if self.starts_with("${{") {
            self.forbidding(Some(Reason::Backslash), |this| {
                this.dollar_of_ours(Quoting::Bare);
            });
        } else {
            self.step();
        }
    }

    fn backslash(&mut self, word: &mut Word) {
        word.plain = false;
        let start = self.at + 1;
        self.escape();
        if !self.text[start..self.at].starts_with('\n') {
            push(word, &self.text[start..self.at]);
        }
    }

    /// `'..'`.
    fn single(&mut self, word: &mut Word) {
        word.plain = false;
        let start = self.at + 1;
        self.skip_single();
        push(word, self.text[start..self.at].trim_end_matches('\''));
    }

    /// `'..'`: nothing but the next quote ends it. An expression inside may hold quotes of its own; it is refused.
    pub(super) fn skip_single(&mut self) {
        let start = self.at;
        self.at += 1;
        self.quoted_until(start, false);
    }

    /// `$'..'`, the cursor at its quote: a backslash takes the next character, not in every shell called `sh`.
    pub(super) fn dollar_single(&mut self) {
        let start = self.at;
        self.at += 1;
        if self.family == Family::Posix && self.rest().split('\'').next().is_some_and(|part| part.ends_with('\\')) {
            self.unclear(start);
        }
        self.quoted_until(start, true);
    }

    /// Up to the closing single quote, which a backslash can hide if `escapes`.
    fn quoted_until(&mut self, start: usize, escapes: bool) {
        let mut closed = false;
        self.forbidding(Some(Reason::SingleQuotes), |this| {
            while let Some(byte) = this.byte() {
                if this.dollar_of_ours(Quoting::Double) {
                    continue;
                }
                if byte == b'\\' && escapes {
                    this.escape();
                    continue;
                }
                this.step();
                if byte == b'\'' {
                    closed = true;
                    return;
                }
            }
        });
        if !closed {
            self.unclear(start);
        }
    }

    fn dollar(&mut self, word: &mut Word) {
        if self.starts_with("$${{") {
            push(word, "${{");
            self.dollar_of_ours(Quoting::Bare);
        } else if self.starts_with("$'") {
            word.plain = false;
            word.literal = None;
            self.at += 1;
            self.dollar_single();
        } else {
            word.literal = None;
            self.expansion(Quoting::Bare);
        }
    }

    /// `".."`.
    pub(super) fn double(&mut self, mut word: Option<&mut Word>) {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'$' | b'`' => {
                    if let Some(word) = word.as_deref_mut() {
                        word.literal = None;
                    }
                    self.in_quotes();
                }
                _ => {
                    let from = self.at + usize::from(byte == b'\\');
                    if byte == b'\\' {
                        self.escape()
                    } else {
                        self.step()
                    }
                    if let Some(word) = word.as_deref_mut() {
                        push(word, &self.text[from..self.at]);
                    }
                }
            }
        }
        self.unclear(start);
    }

    /// At `$` or a backtick inside double quotes or a here-document.
    pub(super) fn in_quotes(&mut self) {
        if self.starts_with("`") { self.backticks() } else { self.expansion(Quoting::Double) }
    }
}

pub(super) fn push(word: &mut Word, text: &str) {
    word.skeleton.push_str(text);
    if let Some(literal) = &mut word.literal {
        literal.push_str(text);
    }
}

pub(super) fn is_end_of_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')')
}

pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
