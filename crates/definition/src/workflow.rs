//! The workflow as people write it, in its canonical spelling, as data: what all spellings and the builder
//! become, what is printed, drawn, checked and planned. Expressions are still text.
//!
//! Every field mirrors a key of definition.md. `None` and empty mean "not written": defaults are filled in
//! by `plan`, so that printing gives back what was meant and no more. Places of the source text live beside
//! the data, in [`Places`], under pointers such as `/steps/0/run`.

use std::collections::BTreeMap;

use serde_json::Value;
use skep_model::Map;
use skep_model::decision::Autonomy;
use skep_model::plan::{self, Backoff, Join, OnCancel, OnReject, OnSilence, OnTimeout, Order, RetryOn};
use skep_model::problem::Place;

/// Where things stand in the source: JSON pointer of the **canonical** document (`/steps/0/foreach`,
/// `/steps/2/steps/0/id`, `/finally/0/run`, `/inputs/hosts/default`) to place. Empty for the builder.
#[derive(Clone, Debug, Default)]
pub struct Places(pub BTreeMap<String, Place>);

impl Places {
    /// The place of `pointer`, or of the nearest thing around it that has one.
    pub fn find(&self, pointer: &str) -> Option<Place> {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.0.get(pointer) {
                return Some(*place);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

/// A workflow in the canonical model. Equality ignores places.
#[derive(Clone, Debug, Default)]
pub struct Workflow {
    /// Slug; from `name` if not written.
    pub id: Option<String>,
    /// Required.
    pub name: String,
    /// A missing one is a warning.
    pub description: String,
    /// `1.0.0` if not written.
    pub version: Option<String>,
    /// Any word.
    pub category: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// For search.
    pub tags: Vec<String>,
    /// Declared inputs: each entry as written, a JSON Schema vocabulary with `required` as a boolean.
    pub inputs: Map<Value>,
    /// `defaults: {timeout, retry, policy, ..}` for steps that do work.
    pub defaults: Defaults,
    /// `{group, limit, when_full}` as written.
    pub concurrency: Option<Value>,
    /// `{enabled, strategy, auto, checkpoint_interval}` as written.
    pub rollback: Option<Value>,
    /// Who decides about failures for which a step says nothing.
    pub autonomy: Option<Autonomy>,
    /// Steps of one execution at a time.
    pub max_parallel: Option<u32>,
    /// Of the whole execution, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// `finally` if not written.
    pub on_cancel: Option<OnCancel>,
    /// `idempotency` as written.
    pub idempotency: Option<Value>,
    /// A sandbox policy for all steps.
    pub policy: Option<String>,
    /// `env` of all scripts: text templates.
    pub env: Map<String>,
    /// Templates.
    pub vars: Map<Value>,
    /// Templates.
    pub outputs: Map<Value>,
    /// As written: a list of `{type, config}`.
    pub triggers: Vec<Value>,
    /// `error_handling` of seed 003: `fallback_actions` as written.
    pub fallback_actions: Vec<Value>,
    /// Keys that only describe or observe (`monitoring`, `notification_settings`, `estimated_duration`,
    /// `prerequisites`, `environment_requirements`, `ai_config` ..), kept as written.
    pub annotations: Map<Value>,
    /// `sequence` if not written.
    pub order: Order,
    /// The steps.
    pub steps: Vec<Step>,
    /// The steps that run at the end.
    pub finally: Vec<Step>,
    /// Where things stand.
    pub places: Places,
}

/// `defaults` of a workflow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// For steps that do work.
    pub timeout_ms: Option<u64>,
    /// For steps that do work.
    pub retry: Option<Retry>,
    /// For steps that do work.
    pub policy: Option<String>,
    /// Interpreter of `run`.
    pub shell: Option<String>,
    /// Text template.
    pub working_dir: Option<String>,
}

/// A step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// From `name` as a slug if not written (filled in by lowering; unique, or a problem was reported).
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Only in `order: graph`.
    pub depends_on: Vec<String>,
    /// `if`, as written (with or without `${{ }}`).
    pub condition: Option<String>,
    /// In milliseconds.
    pub timeout_ms: Option<u64>,
    /// In milliseconds.
    pub total_timeout_ms: Option<u64>,
    /// See [`Retry`].
    pub retry: Option<Retry>,
    /// See [`OnError`].
    pub on_error: Option<OnError>,
    /// See [`Gate`].
    pub approve: Option<Gate>,
    /// A compensation (a step in short form: `{run|uses.., verify, timeout, retry}`), as written.
    pub rollback: Option<Value>,
    /// Cannot be undone.
    pub irreversible: bool,
    /// Changes nothing.
    pub read_only: bool,
    /// A rollback point follows it.
    pub checkpoint: bool,
    /// A failure of it stops everything at once, to be undone.
    pub critical: bool,
    /// Name of a sandbox policy.
    pub policy: Option<String>,
    /// Text templates.
    pub env: Map<String>,
    /// Text template.
    pub working_dir: Option<String>,
    /// Named outputs: templates.
    pub outputs: Option<Map<Value>>,
    /// Keys whose execution is a [`Feature`](skep_model::catalogue::Feature) of its own, as written:
    /// `success_criteria, validation_checks, required_capabilities, priority, concurrency, circuit_breaker,
    /// on_unknown, verify, network, output_schema, idempotency, image, artifacts, schedule, ai_assisted`.
    pub later: Map<Value>,
    /// Keys that only describe (`help_text`, `icon`, `estimated_duration`, `parallel_group` ..), as written.
    pub annotations: Map<Value>,
    /// What it does.
    pub kind: Kind,
}

/// `retry`, as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retry {
    /// All attempts, the first included; 3 if not written.
    pub max_attempts: Option<u32>,
    /// In milliseconds; 1 s if not written.
    pub delay_ms: Option<u64>,
    /// In milliseconds.
    pub max_delay_ms: Option<u64>,
    /// Exponential if not written.
    pub backoff: Option<Backoff>,
    /// On if not written.
    pub jitter: Option<bool>,
    /// What is repeated.
    pub on: Vec<RetryOn>,
}

/// `on_error`.
#[derive(Clone, Debug, PartialEq)]
pub enum OnError {
    /// The list fails: the default.
    Fail,
    /// The step counts as skipped.
    Skip,
    /// A compensation runs: the id of a step that runs only as one, if named.
    Compensate {
        /// `compensation_step`.
        step: Option<String>,
    },
    /// A person is asked.
    Escalate(Asking),
}

/// The keys of `on_error: {strategy: escalate}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asking {
    /// `escalation_target`: text template.
    pub target: Option<String>,
    /// `{after, to}`.
    pub escalate: Vec<(u64, String)>,
    /// Whole wait in milliseconds.
    pub timeout_ms: Option<u64>,
    /// `fail` if not written.
    pub on_timeout: Option<OnSilence>,
}

impl Asking {
    /// Of somebody by name, for ever.
    pub fn of(target: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..Self::default() }
    }
}

impl From<&plan::Retry> for Retry {
    fn from(retry: &plan::Retry) -> Self {
        Self {
            max_attempts: Some(retry.max_attempts),
            delay_ms: Some(retry.delay_ms),
            max_delay_ms: Some(retry.max_delay_ms),
            backoff: Some(retry.backoff),
            jitter: Some(retry.jitter),
            on: retry.on.clone(),
        }
    }
}

impl From<&plan::Asking> for Asking {
    fn from(asking: &plan::Asking) -> Self {
        Self {
            target: Some(asking.to.clone()).filter(|to| !to.is_empty()),
            escalate: asking.escalate.iter().map(|hop| (hop.after_ms, hop.to.clone())).collect(),
            timeout_ms: asking.timeout_ms,
            on_timeout: asking.timeout_ms.map(|_| asking.on_timeout),
        }
    }
}

/// `approve: before|after`, or the long form with the keys of an approval and `when`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Ask before it acts (else after).
    pub before: bool,
    /// What is asked; empty if the short form was written.
    pub approval: Approval,
}

/// `approval`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Approval {
    /// Text template.
    pub message: Option<String>,
    /// Text template.
    pub assignee: Option<String>,
    /// Whole wait in milliseconds.
    pub timeout_ms: Option<u64>,
    /// `{after, to}`.
    pub escalate: Vec<(u64, String)>,
    /// `reject` if not written.
    pub on_timeout: Option<OnTimeout>,
    /// `fail` if not written.
    pub on_reject: Option<OnReject>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `run`.
    Run {
        /// The script as written.
        script: String,
        /// `bash` if not written.
        shell: Option<String>,
    },
    /// `uses` and `with`.
    Uses {
        /// Name of the action.
        action: String,
        /// Template of its arguments (an object).
        with: Map<Value>,
    },
    /// `agent`: by name or by capabilities; as written, always an object
    /// (`agent: NAME` lowers to `{name: NAME}`), with `with` inside.
    Agent(Value),
    /// `ai`, as written, always an object (`ai: PROMPT` lowers to `{prompt: PROMPT}`).
    Ai(Value),
    /// `workflow`, as written, always an object (`workflow: NAME` lowers to `{name: NAME}`).
    Workflow(Value),
    /// `approval`.
    Approval(Approval),
    /// `input`: fields as written, and the step's `message` and `assignee` keys if any.
    Input {
        /// Field name to its definition, as written.
        fields: Map<Value>,
        /// Text template.
        message: Option<String>,
        /// Text template.
        assignee: Option<String>,
    },
    /// `wait`.
    Wait(Wait),
    /// `switch`.
    Switch {
        /// Tried in order.
        cases: Vec<Case>,
        /// If none holds.
        default: Option<Vec<Step>>,
    },
    /// `parallel` and `join`.
    Parallel {
        /// In the order of the text.
        branches: Vec<Branch>,
        /// `all` if not written.
        join: Option<Join>,
        /// True if not written.
        fail_fast: Option<bool>,
    },
    /// `foreach`, `max_parallel`, `steps`.
    Foreach {
        /// Template that gives a list (or a list as written).
        items: Value,
        /// 1 if not written.
        max_parallel: Option<u32>,
        /// True if not written.
        fail_fast: Option<bool>,
        /// The limit of loops if not written.
        max_iterations: Option<u32>,
        /// Order of the body.
        order: Order,
        /// The body.
        steps: Vec<Step>,
    },
    /// `while`, `max_iterations`, `steps`.
    While {
        /// Template.
        condition: String,
        /// See limits.
        max_iterations: Option<u32>,
        /// Order of the body.
        order: Order,
        /// The body.
        steps: Vec<Step>,
    },
    /// `repeat: {times}` or `repeat: {until}`.
    Repeat {
        /// Template or integer.
        times: Option<Value>,
        /// Template.
        until: Option<String>,
        /// See limits.
        max_iterations: Option<u32>,
        /// Order of the body.
        order: Order,
        /// The body.
        steps: Vec<Step>,
    },
}

impl Default for Kind {
    fn default() -> Self {
        Self::Uses { action: "noop".to_owned(), with: Map::new() }
    }
}

/// `wait`.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// `{for: 10m}`: text template.
    Duration(String),
    /// `{until: ..}`: text template.
    Moment(String),
    /// `{signal: NAME, timeout}`: text template.
    Signal {
        /// Name.
        name: String,
        /// In milliseconds.
        timeout_ms: Option<u64>,
    },
    /// `{condition, every, timeout}`.
    Condition {
        /// Template.
        condition: String,
        /// In milliseconds; 30 s if not written.
        every_ms: Option<u64>,
        /// In milliseconds.
        timeout_ms: Option<u64>,
    },
}

/// A case of a `switch`.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Template.
    pub when: String,
    /// Order of its steps.
    pub order: Order,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A branch of a `parallel`: `NAME: [steps]`, or `NAME: {order, steps}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Order of its steps.
    pub order: Order,
    /// Its steps.
    pub steps: Vec<Step>,
}

impl PartialEq for Workflow {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            id,
            name,
            description,
            version,
            category,
            author,
            tags,
            inputs,
            defaults,
            concurrency,
            rollback,
            autonomy,
            max_parallel,
            timeout_ms,
            on_cancel,
            idempotency,
            policy,
            env,
            vars,
            outputs,
            triggers,
            fallback_actions,
            annotations,
            order,
            steps,
            finally,
            places: _,
        } = self;
        *id == other.id
            && *name == other.name
            && *description == other.description
            && *version == other.version
            && *category == other.category
            && *author == other.author
            && *tags == other.tags
            && *inputs == other.inputs
            && *defaults == other.defaults
            && *concurrency == other.concurrency
            && *rollback == other.rollback
            && *autonomy == other.autonomy
            && *max_parallel == other.max_parallel
            && *timeout_ms == other.timeout_ms
            && *on_cancel == other.on_cancel
            && *idempotency == other.idempotency
            && *policy == other.policy
            && *env == other.env
            && *vars == other.vars
            && *outputs == other.outputs
            && *triggers == other.triggers
            && *fallback_actions == other.fallback_actions
            && *annotations == other.annotations
            && *order == other.order
            && *steps == other.steps
            && *finally == other.finally
    }
}
