//! Located problems of a definition, as people and programs see them.

use serde::{Deserialize, Serialize};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The definition is wrong; nothing starts.
    Error,
    /// It works, or cannot be executed by this node yet; a person should look.
    Warning,
    /// It works and is right; something would make it better.
    Suggestion,
}

/// A place in a definition's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// Byte offset of the start in the text.
    pub start: usize,
    /// Byte offset of the end (exclusive) in the text.
    pub end: usize,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Code such as `SKEP-D001`.
    pub code: &'static str,
    /// Error, warning or suggestion.
    pub severity: Severity,
    /// What is wrong, in one sentence without a final full stop.
    pub message: String,
    /// Where; `None` for definitions that were built in code.
    pub place: Option<Place>,
    /// How to mend it.
    pub hint: Option<String>,
}
