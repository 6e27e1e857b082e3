//! What reaches the driver thread.

use std::sync::Arc;

use skep_engine::Program;
use skep_model::effect::{Child, Effect, Task};
use skep_model::ids::{ExecutionId, LocalId, StepPath};
use skep_model::message::{ChildEnded, Message, Parent, Start};
use skep_model::outcome::Outcome;
use skep_store::Ack;

use super::StartKey;
use crate::error::Error;

/// Something for the driver to do.
pub enum Input {
    /// Start a new execution.
    Create(Box<Creation>, Reply),
    /// Tell an execution something.
    Message(LocalId, Box<Message>, Option<Reply>),
    /// Take over an execution that has no live owner; nothing happens if this one has it.
    Adopt(LocalId, Reply),
    /// What the writer committed, or could not.
    Acks(Vec<Ack>),
    /// What became of an effect.
    Outcome(ExecutionId, Box<Outcome>),
    /// Operational rows without a turn (the library).
    Rows(Vec<skep_store::Row>, Reply),
    /// A script that waits for a slot, again.
    Waiting(Box<Task>),
    /// A child execution is terminal, or could not be started: its parent is to be told.
    ChildEnded(ExecutionId, Box<ChildEnded>),
    /// A child execution is to be started, again.
    StartChild(Box<Child>),
    /// The child that the step at this path of an execution asked for is to be cancelled, again.
    CancelChild(LocalId, StepPath, ExecutionId),
    /// A child execution is terminal, and its parent is to be told, again.
    TellParent(LocalId, Box<Parent>),
    /// Ask for something that executions share, again ([`Effect::AskPermit`]).
    AskPermit(LocalId, Box<Effect>),
    /// End: no new work begins; what runs may take so long to end by itself.
    Stop(std::time::Duration),
    /// Leave these alone until somebody wants them to go on.
    Leave(Vec<LocalId>, tokio::sync::oneshot::Sender<()>),
    /// Take on every execution that only waits; the answer is their number.
    TakeIdle(tokio::sync::oneshot::Sender<Result<usize, Error>>),
    /// A snapshot was made.
    Snapshot(Box<skep_store::StoredSnapshot>),
}

/// Everything that a new execution needs.
pub struct Creation {
    /// The first message.
    pub start: Start,
    /// Its plan, compiled.
    pub program: Arc<Program>,
    /// The source text.
    pub definition: Arc<str>,
    /// Where it lies in the library, if it came from there.
    pub workflow_path: Option<String>,
    /// Its key, if it has one.
    pub key: Option<StartKey>,
}

/// The answer to a request, after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The execution's number in the store.
    pub local: LocalId,
    /// A start with a key that was taken: this is the execution that has it.
    pub existing: bool,
}

impl Receipt {
    pub(crate) fn of(local: LocalId) -> Self {
        Self { local, existing: false }
    }
}

/// What became of a request.
pub type Answer = Result<Receipt, Error>;
/// Where the answer to a request goes.
pub type Reply = tokio::sync::oneshot::Sender<Answer>;
