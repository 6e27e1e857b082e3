//! Which executions only wait: what a new owner has to know of them without folding them.

use skep_model::ids::LocalId;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

/// What changes when an execution begins or ends to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleChange {
    /// Which execution.
    pub local: LocalId,
    /// Nothing is performed for it and it is not over.
    pub idle: bool,
    /// When it wakes by itself.
    pub next_wake: Option<Timestamp>,
    /// Only a person or a signal can move it.
    pub for_people: bool,
}

/// An execution that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleRow {
    /// Which execution.
    pub local: LocalId,
    /// As of the row's last change.
    pub status: Status,
    /// When it wakes by itself.
    pub next_wake: Option<Timestamp>,
    /// Only a person or a signal can move it.
    pub for_people: bool,
}
