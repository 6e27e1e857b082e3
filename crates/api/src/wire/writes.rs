//! Use cases that change something.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skep_model::Map;
use skep_model::rollback::Strategy;

use super::call::{Call, Needs};
use super::failure::Report;

/// Where a definition comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The text itself.
    Text {
        /// At most 1 MiB.
        text: String,
        /// Its name for messages.
        file: Option<String>,
    },
    /// One of the library.
    Library {
        /// A path, or the end of one.
        name: String,
        /// From 1; the newest if `None`.
        version: Option<u32>,
    },
}

/// Starts a new execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// What.
    pub source: Source,
    /// Typed inputs.
    #[serde(default)]
    pub inputs: Map<Value>,
    /// Inputs as text, read by their declared types.
    #[serde(default)]
    pub arguments: Vec<(String, String)>,
    /// Where relative paths begin, absolute; `None` for a folder of the execution in the data directory.
    #[serde(default)]
    pub base_dir: Option<String>,
    /// The environment that steps get.
    #[serde(default)]
    pub environment: Map<String>,
    /// The same key again is the same execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// How it is undone, over what the definition says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_strategy: Option<Strategy>,
    /// The caller says yes to every approval of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auto_approve: bool,
    /// What brought it about: `event` of its expressions.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub event: Value,
}

/// An execution that has durably started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Its id.
    pub execution_id: String,
    /// Warnings about its definition, if there are any.
    pub warnings: Option<Report>,
    /// Nothing was started: this execution was, with the same key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existing: bool,
}

/// Says what a start would do, without doing it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DryRun {
    /// The start.
    pub start: Start,
}

/// Stops an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancel {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Lets an execution begin no new step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pause {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
}

/// Lets an execution go on, whatever stopped it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
}

/// Sends an event to an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// The name that a `wait: {signal: NAME}` waits for.
    pub name: String,
    /// Any JSON.
    #[serde(default)]
    pub payload: Value,
}

/// Says yes where an execution asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approve {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// The step's path; `None` if only one asks.
    #[serde(default)]
    pub step: Option<String>,
    /// For the record.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Says no where an execution asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reject {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// The step's path; `None` if only one asks.
    #[serde(default)]
    pub step: Option<String>,
    /// For the record.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Fills in a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// The step's path; `None` if only one asks.
    #[serde(default)]
    pub step: Option<String>,
    /// Typed answers by field.
    #[serde(default)]
    pub values: Map<Value>,
    /// Answers as text, read by the field's type.
    #[serde(default)]
    pub arguments: Vec<(String, String)>,
}

/// Runs a terminal execution again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rerun {
    /// An id, the beginning of one, or `@latest`.
    pub execution: String,
    /// The step of the main list from which it runs; `None`: from the start.
    #[serde(default)]
    pub from: Option<String>,
    /// Typed inputs that get other values.
    #[serde(default)]
    pub inputs: Map<Value>,
    /// The same as text, read by their declared types.
    #[serde(default)]
    pub arguments: Vec<(String, String)>,
}

/// It is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The whole id of the execution.
    pub execution_id: String,
}

/// Asks whether an owner is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ping {}

/// It is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pong {
    /// Version of its program.
    pub version: String,
    /// Its process id.
    pub pid: u32,
}

/// Asks the owner to end when what it answers now is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {}

/// It will.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopping {
    /// Its process id.
    pub pid: u32,
}

macro_rules! calls {
    ($($request:ident $name:literal $needs:ident -> $answer:ty;)*) => {
        $(impl Call for $request {
            const NAME: &'static str = $name;
            const NEEDS: Needs = Needs::$needs;
            type Answer = $answer;
        })*
    };
}
pub(super) use calls;

calls! {
    Start "start" Owner -> Started;
    DryRun "dry-run" Reading -> Value;
    Cancel "cancel" Owner -> Done;
    Pause "pause" Owner -> Done;
    Resume "resume" Owner -> Done;
    Signal "signal" Owner -> Done;
    Approve "approve" Owner -> Done;
    Reject "reject" Owner -> Done;
    Input "input" Owner -> Done;
    Ping "ping" Owner -> Pong;
    Stop "stop" Owner -> Stopping;
    Rerun "rerun" Owner -> Done;
}
