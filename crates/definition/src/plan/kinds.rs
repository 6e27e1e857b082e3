//! What a step does, kind by kind.

use serde_json::Value;
use skep_model::Map;
use skep_model::limits::{ITERATIONS_DEFAULT, ITERATIONS_MAX};
use skep_model::plan::{self, Escalation, Form, Join};

use super::lower::{declare_all, wrapped};
use crate::check::SHELL_DEFAULT;
use crate::outline::ListNumber;
use crate::script::Placed;
use crate::workflow::{Approval, Kind, Step, Wait, Workflow};

/// Pause between two askings of a `wait: {condition}` that names none, in milliseconds.
const EVERY_MS_DEFAULT: u64 = 30_000;

/// A number of the outline as an index of the plan.
pub(super) fn index(number: usize) -> u32 {
    u32::try_from(number).expect("the limit of steps keeps every number of a list or a step small")
}

/// Lowers the kind of one step.
pub(super) struct Kinds<'a> {
    pub workflow: &'a Workflow,
    pub step: &'a Step,
    /// The lists inside the step, in the order of the outline.
    pub inner: &'a [ListNumber],
    /// The step's script, if it holds values.
    pub placed: Option<&'a Placed>,
}

impl Kinds<'_> {
    pub fn lower(&self) -> plan::Kind {
        match &self.step.kind {
            Kind::Run { script, shell } => self.run(script, shell.as_deref()),
            Kind::Uses { action, with } => plan::Kind::Uses { action: action.as_str().into(), with: object(with) },
            Kind::Agent(config) => plan::Kind::Agent { config: config.clone() },
            Kind::Ai(config) => plan::Kind::Ai { config: config.clone() },
            Kind::Workflow(call) => child(call),
            Kind::Approval(asked) => plan::Kind::Approval(approval(asked, self.step.timeout_ms)),
            Kind::Input { fields, message, assignee } => plan::Kind::Input(Form {
                fields: declare_all(fields),
                message: message.clone().unwrap_or_default(),
                assignee: assignee.clone().unwrap_or_default(),
                timeout_ms: self.step.timeout_ms,
            }),
            Kind::Wait(wait) => plan::Kind::Wait(self.wait(wait)),
            Kind::Switch { cases, default } => {
                let whens = cases.iter().map(|case| wrapped(&case.when));
                plan::Kind::Switch {
                    cases: whens.zip(self.inner).map(|(when, list)| plan::Case { when, block: index(*list) }).collect(),
                    default: default.as_ref().map(|_| self.block(cases.len())),
                }
            }
            Kind::Parallel { branches, join, fail_fast } => {
                let names = branches.iter().map(|branch| branch.name.clone());
                plan::Kind::Parallel {
                    branches: names
                        .zip(self.inner)
                        .map(|(name, list)| plan::Branch { name, block: index(*list) })
                        .collect(),
                    join: join.unwrap_or(Join::All),
                    fail_fast: fail_fast.unwrap_or(true),
                }
            }
            Kind::Foreach { items, max_parallel, fail_fast, max_iterations, .. } => plan::Kind::Foreach {
                items: items.clone(),
                max_parallel: max_parallel.unwrap_or(1),
                fail_fast: fail_fast.unwrap_or(true),
                max_iterations: max_iterations.unwrap_or(ITERATIONS_MAX),
                block: self.block(0),
            },
            Kind::While { condition, max_iterations, .. } => plan::Kind::While {
                condition: wrapped(condition),
                max_iterations: max_iterations.unwrap_or(ITERATIONS_DEFAULT),
                block: self.block(0),
            },
            Kind::Repeat { times, until, max_iterations, .. } => {
                // A counted loop has its own end; only an open one needs the low default.
                let limit = if times.is_some() { ITERATIONS_MAX } else { ITERATIONS_DEFAULT };
                plan::Kind::Repeat {
                    times: times.clone(),
                    until: until.as_deref().map(wrapped),
                    max_iterations: max_iterations.unwrap_or(limit),
                    block: self.block(0),
                }
            }
        }
    }

    fn block(&self, position: usize) -> plan::BlockIndex {
        index(self.inner[position])
    }

    fn run(&self, text: &str, shell: Option<&str>) -> plan::Kind {
        let shell = shell.or(self.workflow.defaults.shell.as_deref()).unwrap_or(SHELL_DEFAULT);
        script(text, shell, self.placed)
    }

    fn wait(&self, wait: &Wait) -> plan::Wait {
        let end_ms = self.step.timeout_ms;
        match wait {
            Wait::Duration(duration) => plan::Wait::Duration { duration: duration.clone() },
            Wait::Moment(until) => plan::Wait::Moment { until: until.clone() },
            Wait::Signal { name, timeout_ms } => {
                plan::Wait::Signal { name: name.clone(), timeout_ms: timeout_ms.or(end_ms) }
            }
            Wait::Condition { condition, every_ms, timeout_ms } => plan::Wait::Condition {
                condition: wrapped(condition),
                every_ms: every_ms.unwrap_or(EVERY_MS_DEFAULT),
                timeout_ms: timeout_ms.or(end_ms),
            },
        }
    }
}

/// An approval whose wait ends after its own `timeout`, else after `end_ms`.
pub(super) fn approval(asked: &Approval, end_ms: Option<u64>) -> plan::Approval {
    plan::Approval {
        message: asked.message.clone().unwrap_or_default(),
        assignee: asked.assignee.clone().unwrap_or_default(),
        timeout_ms: asked.timeout_ms.or(end_ms),
        escalate: escalations(&asked.escalate),
        on_timeout: asked.on_timeout.unwrap_or_default(),
        on_reject: asked.on_reject.unwrap_or_default(),
    }
}

fn child(call: &Value) -> plan::Kind {
    plan::Kind::Workflow {
        name: call["name"].as_str().unwrap_or_default().to_owned(),
        version: call["version"].as_str().map(str::to_owned),
        inputs: call.get("inputs").cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new())),
    }
}

/// A script with its values in place.
pub(super) fn script(text: &str, shell: &str, placed: Option<&Placed>) -> plan::Kind {
    let (script, values) = match placed {
        Some(placed) => (placed.text.clone(), placed.values.clone()),
        None => (text.to_owned(), Map::new()),
    };
    plan::Kind::Run { shell: shell.to_owned(), script, values }
}

pub(super) fn object(map: &Map<Value>) -> Value {
    Value::Object(map.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Who is told when, in order of time.
pub(super) fn escalations(written: &[(u64, String)]) -> Vec<Escalation> {
    let mut chain: Vec<Escalation> =
        written.iter().map(|(after_ms, to)| Escalation { after_ms: *after_ms, to: to.clone() }).collect();
    chain.sort_by_key(|escalation| escalation.after_ms);
    chain
}
