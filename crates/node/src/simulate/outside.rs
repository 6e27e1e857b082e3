//! What surrounds a simulated execution: the work, the people, the children and the signals that it meets.

use std::time::Duration;

use serde_json::Value;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::effect::{Child, Task};
use skep_model::error::Failure;
use skep_model::outcome::Ended;
use skep_model::plan::Input;
use skep_model::rollback;
use skep_model::status::Execution as Status;

/// Gives the outcomes. Every answer of the trait itself is the plain one: work succeeds at once, children complete,
/// nobody says anything.
pub trait Outside {
    /// What becomes of one delivery of a step's work, of its verification (`STEP.verify`) or its compensation
    /// (`STEP.rollback`). `None`: it is as it is without anybody's word, see [`crate::simulate`].
    ///
    /// A task that takes longer than its `timeout_ms` is ended there with a failure of kind timeout.
    fn work(&mut self, _task: &Task) -> Option<Performed> {
        None
    }

    /// What a person answers, and when; `None`: nobody ever does.
    fn person(&mut self, _question: &Question<'_>) -> Option<Said> {
        None
    }

    /// How a child execution ends.
    fn child(&mut self, _child: &Child) -> ChildGave {
        ChildGave::completed(Map::new())
    }

    /// The signal that comes because a wait for it begins; `None`: only those of [`Outside::signals`] do.
    fn awaited(&mut self, _path: &str, _signal: &str) -> Option<Sent> {
        None
    }

    /// The signals that come by themselves. Asked once, at the start.
    fn signals(&mut self) -> Vec<Sent> {
        Vec::new()
    }
}

/// The end of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Performed {
    /// How it ends.
    pub result: Ended,
    /// After how long.
    pub takes: Duration,
}

/// What a person is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question<'a> {
    /// The step; empty for the execution as a whole.
    pub path: &'a str,
    /// What for.
    pub about: AskedFor<'a>,
}

/// What a person can be asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AskedFor<'a> {
    /// A yes or a no.
    Decision,
    /// A form with these fields.
    Form(&'a Map<Input>),
    /// Whether its work was done, or whether it is tried again.
    Answer(rollback::Question),
    /// To undo the step by hand.
    Undo,
    /// Whether the execution goes on from its rollback point (no: it ends there).
    GoOn,
}

/// What a person says.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Who.
    pub by: Actor,
    /// What.
    pub word: Word,
    /// Counted from the question.
    pub after: Duration,
    /// What they add.
    pub comment: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// Yes.
    Yes,
    /// No.
    No,
    /// The fields of a form.
    Values(Map<Value>),
}

/// The end of a child execution.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildGave {
    /// Its final status.
    pub status: Status,
    /// What it gave.
    pub outputs: Map<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Something of it can be undone.
    pub can_be_undone: bool,
    /// Counted from its start.
    pub takes: Duration,
}

impl ChildGave {
    /// A child that completes at once.
    pub fn completed(outputs: Map<Value>) -> Self {
        Self { status: Status::Completed, outputs, failure: None, can_be_undone: false, takes: Duration::ZERO }
    }
}

/// A signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// Its name.
    pub name: String,
    /// What it carries.
    pub payload: Value,
    /// Who sends it.
    pub by: Actor,
    /// Counted from the start of the execution, or of the wait for it.
    pub after: Duration,
}
