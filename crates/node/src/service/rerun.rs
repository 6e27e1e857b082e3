//! Running a terminal execution again, as a whole or from one of its steps.

use serde_json::Value;
use skep_engine::Rejection;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::message::Message;

use super::start::resolve_inputs;
use crate::error::Error;
use crate::fold;
use crate::owner::Node;

/// What to run again.
#[derive(Clone, Debug)]
pub struct RerunRequest {
    /// Id, unique prefix or `@latest`.
    pub execution: String,
    /// The step of the main list from which it runs; all of it if `None`.
    pub from: Option<String>,
    /// Inputs that get other values, with their types.
    pub inputs: Map<Value>,
    /// The same as text, read by their declared types.
    pub arguments: Vec<(String, String)>,
    /// Who.
    pub actor: Actor,
}

impl Node {
    /// Runs a terminal execution again in a new generation and returns when that is durable.
    ///
    /// # Errors
    /// Unknown execution, one that is not over, a step that cannot be the beginning, inputs that do not fit, trouble
    /// with the store. Nothing was changed then.
    pub fn rerun(&self, request: RerunRequest) -> Result<ExecutionId, Error> {
        let RerunRequest { execution, from, inputs, arguments, actor } = request;
        let (row, inputs) = {
            let reading = self.reading();
            let row = reading.find(&execution)?;
            if !row.status.is_terminal() {
                let message = "only an execution that is over can be run again".to_owned();
                return Err(Error::Rejected(Rejection::WrongState { status: row.status, message }));
            }
            let changed = match inputs.is_empty() && arguments.is_empty() {
                true => None,
                false => {
                    let plan = fold::plan(reading.reader(), row.plan_hash)?;
                    let (view, _) = reading.view(row.id.as_str())?;
                    let names: Vec<String> =
                        inputs.keys().cloned().chain(arguments.iter().map(|(name, _)| name.clone())).collect();
                    let mut all = view.inputs;
                    all.extend(inputs);
                    let mut checked = resolve_inputs(&plan, &all, &arguments)?;
                    checked.retain(|name, _| names.contains(name));
                    Some(checked)
                }
            };
            (row, changed)
        };
        self.tell(row.local, Message::Rerun { actor, from: from.map(StepPath::from), inputs })?;
        Ok(row.id)
    }
}
