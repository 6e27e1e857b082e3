//! What the names of an expression mean at a place in a running execution.
//!
//! `steps.ID` is the step in the nearest enclosing list: inside a loop this iteration's, outside the loop's
//! own entry. The definition's checks have made sure that names exist; this still never answers a name
//! that it does not know.

use std::cell::RefCell;
use std::fmt::Display;
use std::sync::Arc;

use serde_json::{Value, json};
use skep_definition::expr::{Error, Reference, Scope, ScopeError, StatusFlags, Template};
use skep_model::Map;
use skep_model::error::Failure;
use skep_model::ids::Hash;
use skep_model::payload::BlobRef;
use skep_model::plan::{Kind, StepIndex};
use skep_model::status::{Execution as Status, Step as StepStatus};

use crate::payload::{Blobs, Fresh, load, load_map};
use crate::program::Program;
use crate::state::{Ending, Frame, FrameId, Instance, Looping, Phase, RoundResult, State};

/// How deep `vars` may name `vars`.
const VARS_DEPTH_MAX: u32 = 8;

/// A place from which expressions are evaluated.
pub(crate) struct Place<'a> {
    pub state: &'a State,
    pub program: &'a Program,
    pub blobs: &'a dyn Blobs,
    pub fresh: &'a RefCell<Fresh>,
    /// The list of steps it is in.
    pub frame: Option<FrameId>,
    /// What `index` is in a loop's own condition, which is asked outside its rounds too.
    pub index: Option<u32>,
    /// The raw outputs of the step itself, in its own `outputs`.
    pub own: Option<&'a Map<Value>>,
    /// A step whose outputs must not be asked for, because nobody knows whether it has any.
    pub without_result: Option<StepIndex>,
    /// What `success()` and its kin say.
    pub flags: StatusFlags,
    pub vars_depth: u32,
}

/// An expression gave nothing.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It is wrong for these values.
    Wrong(Box<Failure>),
    /// A blob has to be fetched first.
    Needs(BlobRef),
}

impl Place<'_> {
    /// The value of a template here; a failure is of kind invalid and names `what` (`if of step x`).
    pub fn evaluate(&mut self, template: &Template, what: &dyn Display) -> Result<Value, Trouble> {
        template.evaluate(self).map_err(|error| trouble(error, what))
    }

    /// The text of a text template here.
    pub fn text(&mut self, template: &Template, what: &dyn Display) -> Result<String, Trouble> {
        match self.evaluate(template, what)? {
            Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }

    fn blob(&self, hash: &Hash) -> Option<Arc<Value>> {
        self.fresh.borrow().values.get(hash).cloned().or_else(|| self.blobs.get(hash))
    }

    fn steps(&self, path: &[String]) -> Result<Value, ScopeError> {
        let Some(id) = path.first() else { return self.all_steps() };
        let step = self.program.step_by_id(id).ok_or_else(|| self.unknown_step(id))?;
        let object = StepObject { place: self, step, instance: self.instance_of(step) };
        object.part(&path[1..])
    }

    fn all_steps(&self) -> Result<Value, ScopeError> {
        let mut object = serde_json::Map::new();
        for (index, step) in self.program.plan().steps.iter().enumerate() {
            let index = index as StepIndex;
            if self.program.step_program(index).depth <= self.depth() {
                let entry = StepObject { place: self, step: index, instance: self.instance_of(index) };
                object.insert(step.id.clone(), entry.part(&[])?);
            }
        }
        Ok(Value::Object(object))
    }

    fn depth(&self) -> usize {
        self.frame().map_or(0, |frame| frame.loops.len())
    }

    fn frame(&self) -> Option<&Frame> {
        self.frame.map(|frame| self.state.frame(frame))
    }

    fn instance_of(&self, step: StepIndex) -> Option<&Instance> {
        let depth = self.program.step_program(step).depth;
        let frame = self.frame()?;
        let prefix = frame.prefixes.get(depth)?;
        let id = &self.program.step(step).id;
        let found = if prefix.is_empty() { self.state.find(id) } else { self.state.find(&format!("{prefix}{id}")) };
        found.map(|instance| self.state.instance(instance))
    }

    fn unknown_step(&self, id: &str) -> ScopeError {
        ScopeError::Unknown { message: format!("no step is called `{id}`"), hint: None }
    }

    fn round(&self) -> Result<(&Frame, StepIndex, u32), ScopeError> {
        let frame = self.frame().ok_or_else(outside_loop)?;
        let (step, index) = frame.loops.last().copied().ok_or_else(outside_loop)?;
        Ok((frame, step, index))
    }

    fn item(&self) -> Result<Value, ScopeError> {
        let frame = self.frame().ok_or_else(outside_loop)?;
        for (depth, (step, index)) in frame.loops.iter().enumerate().rev() {
            if matches!(self.program.step(*step).kind, Kind::Foreach { .. }) {
                return self.item_of(frame, depth, *step, *index);
            }
        }
        Err(outside_loop())
    }

    fn item_of(&self, frame: &Frame, depth: usize, step: StepIndex, index: u32) -> Result<Value, ScopeError> {
        let path = format!("{}{}", frame.prefixes[depth], self.program.step(step).id);
        let instance = self.state.find(&path).map(|id| self.state.instance(id)).ok_or_else(outside_loop)?;
        let Phase::Looping(looping) = &instance.phase else { return Err(outside_loop()) };
        let items = looping.items.as_ref().ok_or_else(outside_loop)?;
        if let Some(list) = items.as_inline() {
            return Ok(list.get(index as usize).cloned().unwrap_or(Value::Null));
        }
        let reference = items.as_blob().ok_or_else(outside_loop)?;
        let list = self.blob(&reference.blob).ok_or(ScopeError::NeedsBlob(reference))?;
        Ok(list.get(index as usize).cloned().unwrap_or(Value::Null))
    }

    fn execution(&self) -> Value {
        let head = &self.program.plan().workflow;
        let status = self.state.tentative.unwrap_or(match self.state.ending {
            Some(Ending::Cancelled(_)) => Status::Cancelled,
            Some(Ending::Asked) => Status::RollingBack,
            Some(Ending::TimedOut | Ending::Compensating) => Status::Failed,
            None => Status::Running,
        });
        json!({
            "id": self.state.execution().as_str(),
            "workflow": head.id,
            "version": head.version,
            "status": status.as_str(),
            "started_at": self.state.started_at.0 / 1_000_000,
        })
    }

    fn environment(&self) -> Value {
        let start = self.state.start.as_ref().expect("expressions are evaluated after the start");
        json!(start.environment)
    }

    fn vars(&self, path: &[String]) -> Result<Value, ScopeError> {
        let mut inner = Place { vars_depth: self.vars_depth + 1, own: None, flags: self.flags, ..*self };
        if self.vars_depth >= VARS_DEPTH_MAX {
            return Err(unknown("`vars` name each other in a circle"));
        }
        let Some(name) = path.first() else {
            let mut object = serde_json::Map::new();
            for (name, template) in &self.program.vars {
                object.insert(name.clone(), inner.var(name, template)?);
            }
            return Ok(Value::Object(object));
        };
        let template =
            self.program.vars.get(name).ok_or_else(|| unknown(&format!("no `vars` entry is called `{name}`")))?;
        inner.var(name, template)
    }

    fn var(&mut self, name: &str, template: &Template) -> Result<Value, ScopeError> {
        template.evaluate(self).map_err(|error| match error.needs {
            Some(reference) => ScopeError::NeedsBlob(reference),
            None => ScopeError::Unknown { message: format!("`vars.{name}`: {}", error.message), hint: error.hint },
        })
    }
}

impl Scope for Place<'_> {
    fn resolve(&mut self, reference: &Reference) -> Result<Value, ScopeError> {
        let (root, rest) = reference.path.split_first().ok_or_else(|| unknown("an empty name"))?;
        let start = self.state.start.as_ref().expect("expressions are evaluated after the start");
        if let Some(value) = self.own.and_then(|own| own.get(root)) {
            return field(value.clone(), root, rest);
        }
        match root.as_str() {
            "inputs" => input(&start.inputs, rest),
            "steps" => self.steps(rest),
            "item" => field(self.item()?, root, rest),
            "index" => match self.index {
                Some(index) => Ok(json!(index)),
                None => self.round().map(|(_, _, index)| json!(index)),
            },
            "event" => field(start.event.clone(), root, rest),
            "execution" => field(self.execution(), root, rest),
            "errors" => field(json!(self.state.errors), root, rest),
            "vars" => self.vars(rest),
            "env" => field(self.environment(), root, rest),
            other => Err(unknown(&format!("the name `{other}` means nothing here"))),
        }
    }

    fn status(&self) -> StatusFlags {
        self.flags
    }
}

/// `steps.ID` and its parts.
struct StepObject<'a> {
    place: &'a Place<'a>,
    step: StepIndex,
    instance: Option<&'a Instance>,
}

impl StepObject<'_> {
    fn part(&self, path: &[String]) -> Result<Value, ScopeError> {
        let Some(name) = path.first() else {
            return Ok(json!({
                "status": self.status().as_str(), "outputs": self.outputs()?, "error": self.error(), "attempts": self.attempts(),
            }));
        };
        match name.as_str() {
            "status" => Ok(json!(self.status().as_str())),
            "error" => field(self.error(), "error", &path[1..]),
            "attempts" => Ok(json!(self.attempts())),
            "outputs" => match path.get(1) {
                None => self.outputs(),
                Some(output) => self.output(output).and_then(|value| field(value, output, &path[2..])),
            },
            other => Err(ScopeError::Unknown {
                message: format!("a step has no `{other}`"),
                hint: Some("a step has `outputs`, `status`, `error` and `attempts`".to_owned()),
            }),
        }
    }

    fn status(&self) -> StepStatus {
        self.instance.map_or(StepStatus::Pending, |instance| instance.status)
    }

    fn attempts(&self) -> u32 {
        self.instance.map_or(0, |instance| instance.attempt)
    }

    fn error(&self) -> Value {
        self.instance.and_then(|instance| instance.failure.as_ref()).map_or(Value::Null, |failure| json!(failure))
    }

    fn outputs(&self) -> Result<Value, ScopeError> {
        let Some(instance) = self.instance else { return Ok(self.nothing()) };
        if let Phase::Looping(looping) = &instance.phase {
            return Ok(json!({ "results": self.results(looping)? }));
        }
        if instance.outputs.is_empty() && instance.status != StepStatus::Completed {
            return Ok(self.nothing());
        }
        load_map(&instance.outputs, &|hash| self.place.blob(hash)).map_err(ScopeError::NeedsBlob)
    }

    fn nothing(&self) -> Value {
        nulls(&self.place.program.step(self.step).output_names)
    }

    fn output(&self, name: &str) -> Result<Value, ScopeError> {
        let Some(instance) = self.instance else { return Ok(Value::Null) };
        if let (Phase::Looping(looping), "results") = (&instance.phase, name) {
            return self.results(looping);
        }
        match instance.outputs.get(name) {
            Some(payload) => load(payload, &|hash| self.place.blob(hash)).map_err(ScopeError::NeedsBlob),
            None if self.place.without_result == Some(self.step) => {
                Err(unknown(&format!("nobody knows what `{}` gave, because it ended without a result", instance.path)))
            }
            None if instance.status != StepStatus::Completed => Ok(Value::Null),
            // Declared, and this time not given: a rejected step that goes on has only the decision.
            None if self.place.program.step(self.step).output_names.iter().any(|known| known == name) => {
                Ok(Value::Null)
            }
            None => Err(self.no_output(name, instance)),
        }
    }

    fn no_output(&self, name: &str, instance: &Instance) -> ScopeError {
        let names: Vec<&str> = instance.outputs.keys().map(String::as_str).collect();
        ScopeError::Unknown {
            message: format!("step `{}` has no output `{name}`", instance.path),
            hint: Some(format!("it has: {}", names.join(", "))),
        }
    }

    fn results(&self, looping: &Looping) -> Result<Value, ScopeError> {
        let mut list = Vec::with_capacity(looping.results.len());
        for result in looping.results.iter() {
            list.push(result.map_or(Ok(Value::Null), |result| self.result(&result))?);
        }
        Ok(Value::Array(list))
    }

    /// Every step of the round that is no loop, in the order of the plan; null where it gave nothing.
    fn result(&self, result: &RoundResult) -> Result<Value, ScopeError> {
        let mut outputs = serde_json::Map::new();
        for index in self.place.program.body(self.step) {
            let step = self.place.program.step(*index);
            let value = match result.outputs.get(&step.id).filter(|payloads| !payloads.is_empty()) {
                Some(payloads) => load_map(payloads, &|hash| self.place.blob(hash)).map_err(ScopeError::NeedsBlob)?,
                None => nulls(&step.output_names),
            };
            outputs.insert(step.id.clone(), value);
        }
        Ok(json!({ "status": result.status.as_str(), "outputs": outputs }))
    }
}

fn nulls(names: &[String]) -> Value {
    Value::Object(names.iter().map(|name| (name.clone(), Value::Null)).collect())
}

fn input(inputs: &Map<Value>, rest: &[String]) -> Result<Value, ScopeError> {
    match rest.first().and_then(|name| inputs.get(name)) {
        Some(value) => field(value.clone(), &rest[0], &rest[1..]),
        None => field(json!(inputs), "inputs", rest),
    }
}

fn field(value: Value, name: &str, rest: &[String]) -> Result<Value, ScopeError> {
    let Some(key) = rest.first() else { return Ok(value) };
    let found = match &value {
        Value::Object(map) => map.get(key).cloned(),
        _ => None,
    };
    let inner = found.ok_or_else(|| missing_field(&value, name, key))?;
    field(inner, key, &rest[1..])
}

fn missing_field(value: &Value, name: &str, key: &str) -> ScopeError {
    match value {
        Value::Object(map) => {
            let names: Vec<&str> = map.keys().take(20).map(String::as_str).collect();
            let hint =
                if names.is_empty() { "it is empty".to_owned() } else { format!("it has: {}", names.join(", ")) };
            ScopeError::Unknown { message: format!("`{name}` has no `{key}`"), hint: Some(hint) }
        }
        Value::Null => unknown(&format!("`{name}` is null, so it has no `{key}`")),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            unknown(&format!("`{name}` is no object, so it has no `{key}`"))
        }
    }
}

fn outside_loop() -> ScopeError {
    unknown("`item` and `index` exist only inside a loop (`item` inside a `foreach`)")
}

fn unknown(message: &str) -> ScopeError {
    ScopeError::Unknown { message: message.to_owned(), hint: None }
}

fn trouble(error: Error, what: &dyn Display) -> Trouble {
    if let Some(reference) = error.needs {
        return Trouble::Needs(reference);
    }
    let message = format!("{what}: {}", error.message);
    let failure = Failure::new(skep_model::error::Kind::Invalid, error.code, message);
    Trouble::Wrong(Box::new(match error.hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }))
}
