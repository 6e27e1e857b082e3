//! What is wrong with an expression, with its place.

use skep_model::payload::BlobRef;

use super::syntax::Span;

/// A problem of an expression, found while compiling or while evaluating.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Code such as `SKEP-E001`.
    pub code: &'static str,
    /// One sentence without a final full stop.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// Byte offset in the string of the template.
    pub offset: usize,
    /// Length in bytes.
    pub length: usize,
    /// Not a mistake: the value must be fetched from the blob store, then evaluate again.
    pub needs: Option<BlobRef>,
    /// JSON pointer to the string inside the template value; empty for a text.
    pub value_path: String,
}

/// A problem that does not know its place yet; operations make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

impl Trouble {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn at(self, span: Span) -> Error {
        Error {
            code: self.code,
            message: self.message,
            hint: self.hint,
            offset: span.start,
            length: span.end.saturating_sub(span.start),
            needs: None,
            value_path: String::new(),
        }
    }
}
