//! What the lexer keeps of each command: its words, and the texts that are handed to it.

use super::lexer::Word;

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spoken {
    /// Its text without quotes; `None` if something in it is expanded.
    pub literal: Option<String>,
    /// The same without what is expanded.
    pub skeleton: String,
    /// It is `NAME=..`, where such a word may be an assignment.
    pub assigns: bool,
    /// No quotes in it.
    pub plain: bool,
    /// Bytes of the script.
    pub start: usize,
    pub end: usize,
}

impl Spoken {
    pub(super) fn of(word: &Word, end: usize) -> Self {
        let (literal, skeleton) = (word.literal.clone(), word.skeleton.clone());
        Self { literal, skeleton, assigns: word.assigned.is_some(), plain: word.plain, start: word.start, end }
    }

    /// What is known of it.
    pub(super) fn text(&self) -> &str {
        self.literal.as_deref().unwrap_or(&self.skeleton)
    }
}

/// A command as it was said, wrappers and all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub words: Vec<Spoken>,
    /// Here-documents and here-strings; what is expanded in the latter is left out.
    pub texts: Vec<String>,
    /// Files that its output goes to.
    pub targets: Vec<String>,
    /// The number of the command whose output it reads.
    pub from: Option<usize>,
}
