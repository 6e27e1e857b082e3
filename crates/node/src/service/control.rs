//! Telling an execution something: cancel, pause, resume, signal, approve, reject, input.
//!
//! An owner that does not have the execution yet takes it on first: naming it is asking for that.

use serde_json::Value;
use skep_engine::Rejection;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::ids::{ExecutionId, LocalId, StepPath};
use skep_model::limits;
use skep_model::message::{Decision, Message};

use crate::core::Refusal;
use crate::error::Error;
use crate::owner::Node;
use crate::watch::Summary;

/// A decision of a person.
#[derive(Clone, Debug)]
pub struct Decide {
    /// Id, unique prefix or `@latest`.
    pub execution: String,
    /// Path of the step; `None` if only one waits.
    pub step: Option<String>,
    /// Who.
    pub actor: Actor,
    /// What they say.
    pub comment: Option<String>,
}

impl Node {
    /// Stops an execution; a second time forces it after a grace period.
    ///
    /// # Errors
    /// Unknown execution, one that is over, trouble with the store. The same holds for all that follow.
    pub fn cancel(&self, execution: &str, actor: Actor, reason: Option<String>) -> Result<ExecutionId, Error> {
        self.message(execution, Message::Cancel { actor, reason })
    }

    /// Lets running steps end and begins no new ones.
    ///
    /// # Errors
    /// As [`Node::cancel`]; one that is not running.
    pub fn pause(&self, execution: &str, actor: Actor) -> Result<ExecutionId, Error> {
        self.message(execution, Message::Pause { actor })
    }

    /// Lets whatever stopped go on; takes over an interrupted execution.
    ///
    /// # Errors
    /// As [`Node::cancel`].
    pub fn resume(&self, execution: &str, actor: Actor) -> Result<ExecutionId, Error> {
        let row = self.reading().find(execution)?;
        match self.message(row.id.as_str(), Message::Resume { actor }) {
            // Taken on again, it may come to its end before the message reaches it: that is what was asked for.
            Err(Error::Rejected(Rejection::Terminal(_)) | Error::Refused(Refusal::NotOpen))
                if !row.status.is_terminal() =>
            {
                Ok(row.id)
            }
            other => other,
        }
    }

    /// Sends an event from outside; it is kept if no step waits for it yet.
    ///
    /// # Errors
    /// As [`Node::cancel`]; a payload that is too large, too many kept signals.
    pub fn signal(&self, execution: &str, name: String, payload: Value, actor: Actor) -> Result<ExecutionId, Error> {
        check_size("the signal's payload", &payload)?;
        self.message(execution, Message::Signal { name, payload, actor })
    }

    /// Says yes.
    ///
    /// # Errors
    /// As [`Node::cancel`]; nothing waits for a decision, or several steps do.
    pub fn approve(&self, request: Decide) -> Result<ExecutionId, Error> {
        let (execution, decision) = decision(request);
        self.message(&execution, Message::Approve(decision))
    }

    /// Says no.
    ///
    /// # Errors
    /// As [`Node::approve`].
    pub fn reject(&self, request: Decide) -> Result<ExecutionId, Error> {
        let (execution, decision) = decision(request);
        self.message(&execution, Message::Reject(decision))
    }

    /// Fills in a form. `arguments` are texts that are read by the types of the form's fields.
    ///
    /// # Errors
    /// As [`Node::cancel`]; answers that do not fit the form, all of them listed.
    pub fn input(
        &self,
        execution: &str,
        step: Option<String>,
        values: Map<Value>,
        arguments: Vec<(String, String)>,
        actor: Actor,
    ) -> Result<ExecutionId, Error> {
        let values = self.form_values(execution, step.as_deref(), values, arguments)?;
        check_size("the answer", &serde_json::json!(values))?;
        self.message(execution, Message::Input { path: step.map(StepPath::from), values, actor })
    }

    /// What is known of an execution that this owner has taken on.
    ///
    /// # Errors
    /// Unknown execution, trouble with the store.
    pub fn settled(&self, execution: &ExecutionId) -> Result<Option<Summary>, Error> {
        let row = self.reading().find(execution.as_str())?;
        if let Some(summary) = self.watcher().summary(row.local) {
            return Ok(Some(summary));
        }
        // What is over is not remembered, and its row says so: read after the summary, else the end could come between.
        let status = self.reading().find(execution.as_str())?.status;
        Ok(status.is_terminal().then_some(Summary { status, waits_for_people: false }))
    }

    /// Its number in the store.
    ///
    /// # Errors
    /// Unknown execution, trouble with the store.
    pub fn local_of(&self, execution: &ExecutionId) -> Result<LocalId, Error> {
        self.reading().find(execution.as_str()).map(|row| row.local)
    }

    fn message(&self, execution: &str, message: Message) -> Result<ExecutionId, Error> {
        let row = self.reading().find(execution)?;
        if row.status.is_terminal() {
            return Err(Error::Rejected(Rejection::Terminal(row.status)));
        }
        self.tell(row.local, message)?;
        Ok(row.id)
    }

    /// Typed values from what was typed: by the fields of the form that waits.
    fn form_values(
        &self,
        execution: &str,
        step: Option<&str>,
        mut values: Map<Value>,
        arguments: Vec<(String, String)>,
    ) -> Result<Map<Value>, Error> {
        if arguments.is_empty() {
            return Ok(values);
        }
        let fields = self.reading().form_fields(execution, step)?;
        let mut problems = Vec::new();
        for (name, text) in arguments {
            let parsed = match fields.get(&name) {
                Some(field) => skep_definition::inputs::parse_argument(field, &text),
                None => Ok(Value::String(text)),
            };
            match parsed {
                Ok(value) => drop(values.insert(name, value)),
                Err(problem) => problems.push(format!("{name}: {}", problem.message)),
            }
        }
        if problems.is_empty() { Ok(values) } else { Err(Error::InvalidInputs { problems }) }
    }
}

fn decision(request: Decide) -> (String, Decision) {
    let Decide { execution, step, actor, comment } = request;
    (execution, Decision { path: step.map(StepPath::from), actor, comment })
}

fn check_size(what: &str, value: &Value) -> Result<(), Error> {
    let size = value.to_string().len();
    if size <= limits::MESSAGE_BYTES_MAX {
        return Ok(());
    }
    Err(Error::BadRequest {
        message: format!("{what} has {size} bytes, at most {} are taken", limits::MESSAGE_BYTES_MAX),
        hint: "put large data into a file and send its name".to_owned(),
    })
}
