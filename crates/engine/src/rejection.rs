//! Why a message was not accepted. A rejection changes nothing.

use skep_model::payload::BlobRef;
use skep_model::status::Execution as Status;

use crate::apply::Misfit;

/// Why a message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A blob has to be fetched first; then send the same message again.
    #[error("the value {} has to be fetched first", .0.blob.short())]
    NeedsBlob(BlobRef),
    /// The execution has started already.
    #[error("the execution has started already")]
    AlreadyStarted,
    /// Nothing was started yet.
    #[error("the execution has not started")]
    NotStarted,
    /// It is over.
    #[error("the execution is {}: it cannot change any more", .0.as_str())]
    Terminal(Status),
    /// The message does not fit this state.
    #[error("the execution is {}: {message}", status.as_str())]
    WrongState {
        /// The state.
        status: Status,
        /// What does not fit.
        message: String,
    },
    /// An outcome or a sign of life of a delivery that is not the outstanding one.
    #[error("`{path}` does not wait for this delivery any more")]
    Stale {
        /// The step.
        path: String,
    },
    /// No such step in this execution.
    #[error("no step `{path}` was reached in this execution")]
    UnknownStep {
        /// As given.
        path: String,
    },
    /// The step does not wait for that.
    #[error("`{path}` does not wait for {what}")]
    NotWaiting {
        /// The step.
        path: String,
        /// `a decision`, `a form`.
        what: &'static str,
    },
    /// Nothing waits for that.
    #[error("no step waits for {what}")]
    NothingWaiting {
        /// `a decision`, `a form`.
        what: &'static str,
    },
    /// Several steps wait; the message must name one.
    #[error("several steps wait for {what}: {}", paths.join(", "))]
    Ambiguous {
        /// `a decision`, `a form`.
        what: &'static str,
        /// Their paths.
        paths: Vec<String>,
    },
    /// A form's answers are wrong.
    #[error("the answers do not fit the form: {}", .0.join("; "))]
    BadInput(Vec<String>),
    /// Too many signals are kept already.
    #[error("{0} signals are kept already and no step took one")]
    TooManySignals(usize),
    /// Nothing of it can be undone, or all of it is.
    #[error("the execution is {}: it has nothing that can be undone", .0.as_str())]
    NothingToUndo(Status),
    /// There is no such rollback point, or none that anything came after.
    #[error("{}", no_point(*.number, .known))]
    NoPoint {
        /// The one that was asked for.
        number: Option<u32>,
        /// Those that there are.
        known: Vec<u32>,
    },
    /// It waits for what only a person can say.
    #[error("nobody knows whether {} was done, and the execution cannot go on before a person says so", paths.join(", "))]
    Unanswered {
        /// The steps that are asked about.
        paths: Vec<String>,
    },
    /// The engine met what cannot be: a bug, or a journal of another version.
    #[error("a broken invariant: {0}")]
    Broken(String),
    /// It cannot be run again from there.
    #[error("it cannot be run again: {0}")]
    BadRerun(String),
}

impl From<Misfit> for Rejection {
    fn from(misfit: Misfit) -> Self {
        Self::Broken(misfit.0)
    }
}

fn no_point(number: Option<u32>, known: &[u32]) -> String {
    let known: Vec<String> = known.iter().map(u32::to_string).collect();
    match number {
        Some(number) if known.is_empty() => format!("there is no rollback point {number}: it has none"),
        Some(number) => format!("there is no rollback point {number}; there are: {}", known.join(", ")),
        None => "there is no rollback point after which something was done that can be undone".to_owned(),
    }
}
