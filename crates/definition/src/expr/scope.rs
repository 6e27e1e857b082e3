//! What an expression asks of its surroundings.

use serde_json::Value;
use skep_model::payload::BlobRef;

use super::syntax::Reference;

/// Names and their values, as the caller knows them.
pub trait Scope {
    /// The value of a path; called once per distinct path of a template, before anything is evaluated.
    ///
    /// # Errors
    /// [`ScopeError::Unknown`] if no such name exists (also where evaluation would not reach it: names are
    /// static facts), [`ScopeError::NeedsBlob`] if the value must be fetched first.
    fn resolve(&mut self, reference: &Reference) -> Result<Value, ScopeError>;

    /// What `success()`, `failure()` and `cancelled()` tell.
    fn status(&self) -> StatusFlags;
}

/// How the execution stands where the expression is evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusFlags {
    /// Something before has failed.
    pub failed: bool,
    /// The execution is being cancelled.
    pub cancelled: bool,
}

/// Why a path has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeError {
    /// No such name.
    Unknown {
        /// One sentence without a final full stop.
        message: String,
        /// What was meant, if it can be guessed.
        hint: Option<String>,
    },
    /// The value lies in the blob store.
    NeedsBlob(BlobRef),
}
