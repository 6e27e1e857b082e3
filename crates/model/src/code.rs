//! Stable error codes. Each crate lists its own; `skep explain CODE` finds them all.

/// A public error code with the page that `skep explain` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable for ever, for example `SKEP-D001`.
    ///
    /// Letters: D definition, E expression, S script values, C checks, X execution, R runner, T store, N node and CLI.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// What it means, why it happens, how to mend it, with an example; Markdown paragraphs.
    pub page: &'static str,
}
