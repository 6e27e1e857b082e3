//! A dry run: everything that can be known before a start, and nothing executed.
//!
//! Inputs are resolved; each step shows what it would do, with values filled in where they follow from inputs,
//! `vars` and the environment alone, and as their expressions where they depend on what steps will give.

use serde_json::{Map as Object, Value, json};
use skep_definition::expr::{Names, Reference, Scope, ScopeError, StatusFlags, Template};
use skep_model::Map;
use skep_model::catalogue::Catalogue;
use skep_model::plan::{BlockIndex, Kind, Order, Plan, Step, Wait};
use skep_model::span::print_duration_ms;

use super::Reading;
use super::check::startable;
use super::start::{Found, Source, StartRequest, invalid, known_children, resolve_inputs};
use crate::config::Validation;
use crate::error::Error;

/// What a start would do: `{"workflow", "version", "inputs", "order", "steps": [..], "finally": [..],
/// "warnings": [text]}`; each step `{"id", "kind", "if"?, "depends_on"?, "does": {..}, "timeout"?, "retry"?,
/// "steps"? | "branches"? | "cases"?}`.
///
/// # Errors
/// The same as a start: what would be refused there is refused here.
pub fn dry_run(
    request: &StartRequest,
    reading: Option<&Reading>,
    catalogue: &Catalogue,
    validation: Validation,
) -> Result<Value, Error> {
    let found = match (reading, &request.source) {
        (Some(reading), source) => reading.definition_of(source)?,
        (None, Source::Text { text, file }) => Found { text: text.clone(), file: file.clone(), entry: None },
        (None, Source::Library { name, .. }) => {
            return Err(Error::NoSuchWorkflow { given: name.clone(), similar: Vec::new() });
        }
    };
    let checked =
        startable(&found.text, catalogue, validation.at_start()).map_err(|problems| invalid(&found, problems))?;
    let plan = checked.plan;
    if let Some(reading) = reading {
        known_children(reading, &found, &plan)?;
    }
    let inputs = resolve_inputs(&plan, &request.inputs, &request.arguments)?;
    let names = Names::of_plan(&plan);
    let show = Show { plan: &plan, names: &names, inputs: &inputs, environment: &request.environment };
    let warnings: Vec<&str> = checked.warnings.iter().map(|problem| problem.message.as_str()).collect();
    Ok(json!({
        "workflow": plan.workflow.id,
        "version": plan.workflow.version,
        "inputs": inputs,
        "order": order(plan.blocks[plan.root as usize].order),
        "steps": show.block(plan.root),
        "finally": plan.finally.map(|block| show.block(block)).unwrap_or_default(),
        "warnings": warnings,
    }))
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Sequence => "sequence",
        Order::Graph => "graph",
    }
}

struct Show<'a> {
    plan: &'a Plan,
    names: &'a Names,
    inputs: &'a Map<Value>,
    environment: &'a Map<String>,
}

impl Show<'_> {
    fn block(&self, block: BlockIndex) -> Vec<Value> {
        let steps = &self.plan.blocks[block as usize].steps;
        steps.iter().map(|step| self.step(&self.plan.steps[*step as usize])).collect()
    }

    fn step(&self, step: &Step) -> Value {
        let mut entry = Object::new();
        entry.insert("id".to_owned(), json!(step.id));
        entry.insert("kind".to_owned(), json!(step.kind.word()));
        if let Some(condition) = &step.condition {
            entry.insert("if".to_owned(), self.value(&json!(condition.expression)));
        }
        if !step.depends_on.is_empty() {
            let ids: Vec<&str> = step.depends_on.iter().map(|at| self.plan.steps[*at as usize].id.as_str()).collect();
            entry.insert("depends_on".to_owned(), json!(ids));
        }
        entry.extend(self.kind(&step.kind));
        if let Some(timeout_ms) = step.timeout_ms {
            entry.insert("timeout".to_owned(), json!(print_duration_ms(timeout_ms)));
        }
        if let Some(retry) = &step.retry {
            entry.insert("attempts_max".to_owned(), json!(retry.max_attempts));
        }
        Value::Object(entry)
    }

    fn kind(&self, kind: &Kind) -> Object<String, Value> {
        let shown = match kind {
            Kind::Run { shell, script, values } => {
                let values: Object<String, Value> =
                    values.iter().map(|(name, text)| (name.clone(), self.value(&json!(text)))).collect();
                json!({"shell": shell, "script": script, "values": values})
            }
            Kind::Uses { action, with } => json!({"uses": action, "with": self.value(with)}),
            Kind::Approval(approval) => {
                json!({"message": self.value(&json!(approval.message)), "assignee": self.value(&json!(approval.assignee))})
            }
            Kind::Input(form) => json!({"fields": form.fields.keys().collect::<Vec<_>>()}),
            Kind::Wait(wait) => json!({"wait": self.wait(wait)}),
            Kind::Switch { cases, default } => {
                let cases: Vec<Value> = cases
                    .iter()
                    .map(|case| json!({"when": self.value(&json!(case.when)), "steps": self.block(case.block)}))
                    .collect();
                json!({"cases": cases, "default": default.map(|block| self.block(block))})
            }
            Kind::Parallel { branches, join, .. } => {
                let branches: Object<String, Value> =
                    branches.iter().map(|branch| (branch.name.clone(), json!(self.block(branch.block)))).collect();
                json!({"branches": branches, "join": join})
            }
            Kind::Foreach { items, max_parallel, block, .. } => {
                json!({"items": self.value(items), "max_parallel": max_parallel, "steps": self.block(*block)})
            }
            Kind::While { condition, max_iterations, block } => {
                json!({"while": condition, "max_iterations": max_iterations, "steps": self.block(*block)})
            }
            Kind::Repeat { times, until, max_iterations, block } => {
                let times = times.as_ref().map(|times| self.value(times));
                json!({"times": times, "until": until, "max_iterations": max_iterations, "steps": self.block(*block)})
            }
            Kind::Agent { config } | Kind::Ai { config } => json!({"config": config}),
            Kind::Workflow { name, version, inputs } => {
                json!({"workflow": name, "version": version, "inputs": self.value(inputs)})
            }
        };
        match shown {
            Value::Object(object) => object,
            other => Object::from_iter([("does".to_owned(), other)]),
        }
    }

    fn wait(&self, wait: &Wait) -> Value {
        match wait {
            Wait::Duration { duration: text } | Wait::Moment { until: text } | Wait::Signal { name: text, .. } => {
                self.value(&json!(text))
            }
            Wait::Condition { condition, .. } => json!(condition),
        }
    }

    /// The value of a template if it follows from what is known now, else the template as written.
    fn value(&self, template: &Value) -> Value {
        let compiled = Template::compile(template, self.names);
        let evaluated = compiled.ok().and_then(|compiled| compiled.evaluate(&mut Known { show: self }).ok());
        evaluated.unwrap_or_else(|| template.clone())
    }
}

/// What is known before a start.
struct Known<'a> {
    show: &'a Show<'a>,
}

impl Scope for Known<'_> {
    fn resolve(&mut self, reference: &Reference) -> Result<Value, ScopeError> {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        let found = match path.as_slice() {
            ["inputs"] => Some(json!(self.show.inputs)),
            ["inputs", name] => self.show.inputs.get(*name).cloned(),
            ["vars", name] => self.show.plan.vars.get(*name).map(|template| self.show.value(template)),
            ["env", name] => self.show.environment.get(*name).map(|text| json!(text)),
            _ => None,
        };
        found.ok_or_else(|| ScopeError::Unknown { message: "known only later".to_owned(), hint: None })
    }

    fn status(&self) -> StatusFlags {
        StatusFlags::default()
    }
}
