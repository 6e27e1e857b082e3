//! What the names of a workflow can be: inputs as declared, outputs as far as they are known, states.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use serde_json::Value;
use skep_model::Map;
use skep_model::status;

use super::judge::{Facts, Judge, Known, NODES_MAX};
use super::value::{Kinds, Possible};
use crate::check::slots::Scope;
use crate::expr::{Examined, Names, Reference, examine};
use crate::inputs;
use crate::outline::{Outline, StepNumber};
use crate::workflow::{Kind, Step, Workflow};

/// How many outputs and variables stand behind each other before nothing is worked out any more.
const DEPTH_MAX: u32 = 4;
/// Nodes that all expressions of a workflow may cost: a thousand steps with a condition each need a tenth of it.
const NODES_IN_ALL_MAX: u32 = 100_000;

/// What is known of a workflow's names.
pub(crate) struct Sources<'a, 'w> {
    workflow: &'w Workflow,
    outline: &'a Outline<'w>,
    pub names: Names,
    inputs: RefCell<HashMap<String, Possible>>,
    depth: Cell<u32>,
    nodes: Cell<u32>,
}

/// The same from one place.
pub(crate) struct Here<'a, 's, 'w> {
    sources: &'a Sources<'s, 'w>,
    scope: Scope,
}

impl<'a, 'w> Sources<'a, 'w> {
    pub fn new(workflow: &'w Workflow, outline: &'a Outline<'w>, names: Names) -> Self {
        Self {
            workflow,
            outline,
            names,
            inputs: RefCell::default(),
            depth: Cell::new(0),
            nodes: Cell::new(NODES_IN_ALL_MAX),
        }
    }

    /// Judges with what is known in `scope`; what it costs is taken from what all may cost.
    pub fn judged<T>(&self, scope: Scope, examined: &Examined, ask: impl FnOnce(&Judge<'_>) -> T) -> T {
        let here = Here { sources: self, scope };
        let may = NODES_MAX.min(self.nodes.get());
        let judge = Judge { references: &examined.references, known: &here, budget: Cell::new(may) };
        let answer = ask(&judge);
        let used = may - judge.budget.get();
        self.nodes.set(self.nodes.get().saturating_sub(used));
        answer
    }

    /// What a template gives: its own value, the value of its only expression, or a text.
    pub fn of_template(&self, scope: Scope, template: &Value) -> Possible {
        let Value::String(text) = template else {
            return match has_expression(template) {
                true => Possible::of_kinds(Kinds::of(template)),
                false => Possible::only(template.clone()),
            };
        };
        if !text.contains("${{") {
            return Possible::only(template.clone());
        }
        let examined = examine(text, &self.names, false);
        match examined.as_slice() {
            [only] if only.alone => self.judged(scope, only, |judge| judge.value(&only.expr, &Facts::new())),
            // One that cannot be read is reported as such.
            [] => Possible::anything(),
            _ => Possible::of_kinds(Kinds::TEXT),
        }
    }

    fn input(&self, name: &str) -> Possible {
        if let Some(known) = self.inputs.borrow().get(name) {
            return known.clone();
        }
        let found = self.workflow.inputs.get(name).map_or_else(Possible::anything, of_entry);
        self.inputs.borrow_mut().insert(name.to_owned(), found.clone());
        found
    }

    fn variable(&self, name: &str) -> Possible {
        let Some(template) = self.workflow.vars.get(name) else { return Possible::anything() };
        self.deeper(|| self.of_template(Scope::Workflow, template))
    }

    fn step(&self, id: &str, field: &str, output: Option<&str>) -> Possible {
        let Some(&number) = self.outline.by_id.get(id) else { return Possible::anything() };
        match (field, output) {
            ("status", None) => step_states(),
            ("outputs", Some(name)) => self.output(number, name).or_null(),
            _ => Possible::anything(),
        }
    }

    fn output(&self, number: StepNumber, name: &str) -> Possible {
        let step = self.outline.steps[number].step;
        match &step.outputs {
            Some(outputs) => match outputs.get(name) {
                Some(template) => self.deeper(|| self.of_template(Scope::OwnOutputs(number), template)),
                None => Possible::anything(),
            },
            None => own_output(step, name),
        }
    }

    fn deeper(&self, find: impl FnOnce() -> Possible) -> Possible {
        let depth = self.depth.get();
        if depth >= DEPTH_MAX {
            return Possible::anything();
        }
        self.depth.set(depth + 1);
        let found = find();
        self.depth.set(depth);
        found
    }

    /// The items of the nearest `foreach` around, where they are written down.
    fn item(&self, scope: Scope) -> Possible {
        let Some(step) = scope.step() else { return Possible::anything() };
        let own = matches!(scope, Scope::Rounds(_)).then_some(step);
        let around = std::iter::successors(self.outline.loop_around(step), |outer| self.outline.loop_around(*outer));
        let items = own.into_iter().chain(around).find_map(|outer| match &self.outline.steps[outer].step.kind {
            Kind::Foreach { items, .. } => Some(items),
            _ => None,
        });
        match items {
            Some(Value::Array(items)) if !items.iter().any(has_expression) => Possible::among(items.clone()),
            Some(_) | None => Possible::anything(),
        }
    }
}

impl Known for Here<'_, '_, '_> {
    fn known(&self, reference: &Reference) -> Possible {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        if let Scope::OwnOutputs(step) = self.scope
            && let [name] = path.as_slice()
            && matches!(self.sources.outline.steps[step].step.kind, Kind::Run { .. })
            && crate::outputs::OF_RUN.contains(name)
        {
            return own_output(self.sources.outline.steps[step].step, name);
        }
        if reference.dynamic {
            return Possible::anything();
        }
        match path.as_slice() {
            ["inputs", name] => self.sources.input(name),
            ["vars", name] => self.sources.variable(name),
            ["steps", id, field] => self.sources.step(id, field, None),
            ["steps", id, field, output] => self.sources.step(id, field, Some(output)),
            ["execution", "status"] => execution_states(),
            ["execution", "id" | "workflow"] => Possible::of_kinds(Kinds::TEXT),
            ["index"] => Possible::of_kinds(Kinds::NUMBER),
            ["item"] => self.sources.item(self.scope),
            _ => Possible::anything(),
        }
    }
}

/// What can be said of a declared input or field.
fn of_entry(entry: &Value) -> Possible {
    let Ok(input) = inputs::declare(entry) else { return Possible::anything() };
    let given = Possible::of_schema(&input.schema);
    let is_always_there = input.required || input.default.is_some();
    if is_always_there { given } else { given.or_null() }
}

/// What a step's kind gives by itself under this name.
fn own_output(step: &Step, name: &str) -> Possible {
    let kinds = match (&step.kind, name) {
        (Kind::Run { .. }, "stdout" | "stderr") => Kinds::TEXT,
        (Kind::Run { .. }, "exit_code") => Kinds::NUMBER.or(Kinds::NULL),
        (Kind::Approval(_), "approved") => Kinds::BOOLEAN.or(Kinds::NULL),
        (Kind::Foreach { .. } | Kind::While { .. } | Kind::Repeat { .. }, "results") => Kinds::LIST,
        (Kind::Input { fields, .. }, name) => return field(fields, name),
        _ => Kinds::ANY,
    };
    Possible::of_kinds(kinds)
}

fn field(fields: &Map<Value>, name: &str) -> Possible {
    fields.get(name).map_or_else(Possible::anything, of_entry)
}

fn step_states() -> Possible {
    use status::Step as State;
    let all = [
        State::Pending,
        State::Running,
        State::Waiting,
        State::Completed,
        State::Failed,
        State::Skipped,
        State::Cancelled,
        State::Unknown,
        State::RolledBack,
    ];
    Possible::among(all.iter().map(|state| Value::from(state.as_str())).collect())
}

fn execution_states() -> Possible {
    Possible::among(status::Execution::ALL.iter().map(|state| Value::from(state.as_str())).collect())
}

/// True if an expression stands in it.
pub(crate) fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${{"),
        Value::Array(items) => items.iter().any(has_expression),
        Value::Object(map) => map.values().any(has_expression),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
