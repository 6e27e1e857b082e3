//! Use cases that only read.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skep_model::event::Turn;
use skep_model::status::Execution as StatusWord;

use super::call::{Call, Needs};

/// Where an execution stands, with all its steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// Also rounds of loops past the bound of an answer.
    #[serde(default)]
    pub all_iterations: bool,
}

impl Call for Status {
    const NAME: &'static str = "status";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Value;
}

/// The list entry of one execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
}

impl Call for Execution {
    const NAME: &'static str = "execution";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Row;
}

/// An execution in a list. Moments are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub execution_id: String,
    /// Id or library path of its workflow.
    pub workflow: String,
    /// The version that the definition declares; empty if none.
    pub version: String,
    /// Its state.
    pub status: StatusWord,
    /// When it was accepted.
    pub started_at: String,
    /// When it became terminal.
    pub ended_at: Option<String>,
    /// What it waits for, in words.
    pub waiting: Option<String>,
    /// Why it failed or is held, in words.
    pub error: Option<String>,
    /// Who started it.
    pub actor: String,
    /// A step of another execution started it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_child: bool,
    /// Nobody performs it, and it would move if somebody did, or was left alone by its owner.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// Executions, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Only in these states; all if empty.
    #[serde(default)]
    pub statuses: Vec<StatusWord>,
    /// Only of this workflow.
    #[serde(default)]
    pub workflow: Option<String>,
    /// Only those accepted at or after this instant, in microseconds since 1970 UTC.
    #[serde(default)]
    pub since_us: Option<i64>,
    /// At most this many.
    pub limit: usize,
    /// Where the page before ended.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Without child executions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_children: bool,
}

impl Call for List {
    const NAME: &'static str = "list";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Executions;
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executions {
    /// Newest first.
    pub executions: Vec<Row>,
    /// Give it as `cursor` to go on; `None` at the end.
    pub next: Option<String>,
}

/// Executions that are not terminal, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupted {}

impl Call for Interrupted {
    const NAME: &'static str = "open";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Vec<Row>;
}

/// What an owner knows of an execution that it performs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Its state.
    pub status: StatusWord,
    /// Only a person or a signal can move it.
    pub waits_for_people: bool,
}

impl Settled {
    /// True if nothing will happen by itself any more.
    pub fn is_settled(self) -> bool {
        self.status.is_terminal() || self.waits_for_people
    }
}

/// The turns of an execution from a sequence number on, as soon as there are any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Follow {
    /// A whole id.
    pub execution: String,
    /// The first turn that is wanted, from 1.
    pub from_seq: u64,
    /// What the last answer said; an answer that says the same and has no turns is kept back.
    #[serde(default)]
    pub known: Option<Settled>,
    /// How long it may be kept back.
    #[serde(default)]
    pub wait_ms: u64,
}

/// Turns, and where the execution stands after them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    /// In order.
    pub turns: Vec<Turn>,
    /// `None` if nobody performs it now.
    pub settled: Option<Settled>,
    /// Its state in the list.
    pub status: StatusWord,
}

impl Call for Follow {
    const NAME: &'static str = "follow";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Followed;

    fn wait_ms(&self) -> u64 {
        self.wait_ms
    }

    fn is_news(&self, answer: &Followed) -> bool {
        !answer.turns.is_empty() || answer.settled != self.known || answer.settled.is_none()
    }
}

/// A place in a log. The default is its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCursor {
    /// Number of the segment; 0 before the first.
    pub segment: u32,
    /// Bytes of it that were read.
    pub offset_bytes: u64,
}

/// What the steps of an execution printed, from a place on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// Only of this step and what is inside it.
    #[serde(default)]
    pub step: Option<String>,
    /// From where.
    #[serde(default)]
    pub cursor: LogCursor,
    /// How long an empty answer may be kept back.
    #[serde(default)]
    pub wait_ms: u64,
}

/// One printed line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Path of the step.
    pub step: String,
    /// Which delivery of it, from 1.
    pub delivery: u32,
    /// `stdout`, `stderr`, or `skep` for what Skep says about the step.
    pub stream: String,
    /// Without its newline; what is not UTF-8 as U+FFFD.
    pub text: String,
}

/// A page of lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLines {
    /// In the order of printing.
    pub lines: Vec<LogLine>,
    /// Where to go on.
    pub cursor: LogCursor,
    /// All that was printed before the call was read.
    pub at_end: bool,
    /// The execution's state before the lines were read: if it is terminal and `at_end` holds, no more will come.
    pub status: StatusWord,
}

impl Call for Logs {
    const NAME: &'static str = "logs";
    const NEEDS: Needs = Needs::Reading;
    type Answer = LogLines;

    fn wait_ms(&self) -> u64 {
        self.wait_ms
    }

    fn is_news(&self, answer: &LogLines) -> bool {
        !answer.lines.is_empty() || !answer.at_end || answer.status.is_terminal()
    }
}

/// The history of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// Also the state after this event, from 1.
    #[serde(default)]
    pub at: Option<u64>,
}

impl Call for Replay {
    const NAME: &'static str = "replay";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Events;
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// From 1, over the whole execution.
    pub number: u64,
    /// Its turn, from 1.
    pub seq: u64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// As the journal has it.
    pub event: Value,
    /// For people.
    pub description: String,
}

/// A history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Events {
    /// In order.
    pub events: Vec<Event>,
    /// The state that was asked for.
    pub state: Option<Value>,
}
