//! A workflow's own tests: `NAME.test.yaml` beside its definition, as data.
//!
//! This module reads; `node` runs them on the simulator.

mod read;
#[cfg(test)]
mod tests;

use serde_json::Value;
use skep_model::Map;
use skep_model::error::Kind;
use skep_model::problem::{Place, Problem};
use skep_model::status::Execution as Status;

pub use read::read;

/// The tests of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestFile {
    /// The definition, from where the file stands; `None`: the one beside it.
    pub workflow: Option<String>,
    /// In the order of the text.
    pub tests: Vec<Test>,
}

/// A test: what an execution meets, and what must come of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Test {
    /// Unique in the file.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What the execution is given.
    pub inputs: Map<Value>,
    /// Environment variables that there are.
    pub environment: Map<String>,
    /// How the work of steps ends.
    pub outcomes: Vec<Pin<Vec<Outcome>>>,
    /// What people say, each time that they are asked; the last answer stands for all later questions.
    pub answers: Vec<Pin<Vec<Answer>>>,
    /// The signals that come.
    pub signals: Vec<Sent>,
    /// What must come of it.
    pub expect: Expected,
}

/// What is fixed for a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin<T> {
    /// A path (`rollout[1].ping`, `deploy.rollback`), or the id of a step in a loop, for all its rounds.
    pub step: String,
    /// Where it stands.
    pub place: Place,
    /// What is fixed.
    pub what: T,
}

/// How a piece of work ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What a script prints.
    pub stdout: Option<String>,
    /// What a script prints beside it.
    pub stderr: Option<String>,
    /// How a script ends.
    pub exit_code: Option<u8>,
    /// What an action or a child gives; over what it gives by itself.
    pub outputs: Map<Value>,
    /// It fails so.
    pub fail: Option<Failing>,
    /// How a child execution ends.
    pub status: Option<Status>,
    /// After how long, in milliseconds.
    pub takes_ms: u64,
}

/// A failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// What kind.
    pub kind: Kind,
    /// What it says.
    pub message: Option<String>,
    /// What the other side answered.
    pub http_status: Option<u16>,
}

/// What a person says.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// A yes, a no, or the fields of a form.
    pub says: Says,
    /// Who.
    pub by: Option<String>,
    /// How long after the question, in milliseconds.
    pub after_ms: u64,
    /// What they add.
    pub comment: Option<String>,
}

/// The word of a person.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// Yes.
    Approve,
    /// No.
    Reject,
    /// The fields of a form.
    Values(Map<Value>),
}

/// A signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What it carries.
    pub payload: Value,
    /// Who sends it.
    pub by: Option<String>,
    /// How long after the start, in milliseconds.
    pub after_ms: u64,
}

/// What must come of it; what is not given is not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// How it ends.
    pub status: Option<Status>,
    /// All its outputs.
    pub outputs: Option<Map<Value>>,
    /// By step.
    pub steps: Vec<Pin<ExpectedStep>>,
    /// The steps that begin, in their order.
    pub path: Option<Vec<String>>,
    /// The steps that are undone, in their order.
    pub rollback: Option<Vec<String>>,
    /// Its error.
    pub error: Option<ExpectedError>,
    /// At least so many milliseconds.
    pub at_least_ms: Option<u64>,
    /// At most so many milliseconds.
    pub at_most_ms: Option<u64>,
}

/// What must come of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedStep {
    /// Its status word.
    pub status: Option<&'static str>,
    /// Attempts that it made.
    pub attempts: Option<u32>,
    /// Some of its outputs.
    pub outputs: Map<Value>,
}

/// What an error must say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedError {
    /// Its kind.
    pub kind: Option<Kind>,
    /// The step that failed.
    pub step: Option<String>,
    /// A part of its message.
    pub message: Option<String>,
}

/// A file that could not be read: everything that is wrong with it.
pub type Problems = Vec<Problem>;
