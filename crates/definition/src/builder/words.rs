//! The words of seed 002: what the calls of [`WorkflowBuilder`](super::WorkflowBuilder) take.
//!
//! Plain data with chained setters. This file must not decide anything: `lower.rs` does.

use serde_json::Value;
use skep_model::Map;
use skep_model::plan::Backoff;

use crate::workflow::Kind;

/// What a step does and under which terms. An agent's name alone is a step as well:
/// `"business-analyst".into()`.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSpec {
    pub(super) kind: Kind,
    pub(super) description: Option<String>,
    pub(super) timeout_ms: Option<u64>,
    pub(super) retries: Option<u32>,
    pub(super) dependencies: Option<Vec<String>>,
    pub(super) schedule: Option<String>,
    pub(super) on_error: Option<OnError>,
    pub(super) outputs: Option<Map<Value>>,
}

impl StepSpec {
    /// A step of any kind that files have.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            description: None,
            timeout_ms: None,
            retries: None,
            dependencies: None,
            schedule: None,
            on_error: None,
            outputs: None,
        }
    }

    /// Work for the agent with this name.
    pub fn agent(name: impl Into<String>) -> Self {
        Self::of(agent_kind(name.into()))
    }

    /// A script for `bash`.
    pub fn run(script: impl Into<String>) -> Self {
        Self::of(Kind::Run { script: script.into(), shell: None })
    }

    /// A named action with its arguments (a template).
    pub fn uses(action: impl Into<String>, with: Map<Value>) -> Self {
        Self::of(Kind::Uses { action: action.into(), with })
    }

    /// What it is for, for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Bound of one attempt in **milliseconds**, as in the seed.
    pub fn timeout(mut self, milliseconds: u64) -> Self {
        self.timeout_ms = Some(milliseconds);
        self
    }

    /// So many more attempts after the first.
    pub fn retries(mut self, more: u32) -> Self {
        self.retries = Some(more);
        self
    }

    /// The steps of the same list that must end first. An empty list is a dependency on nothing: the step
    /// starts at once.
    pub fn dependencies<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.dependencies = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// When the step repeats (`every-hour`). Kept and printed.
    pub fn schedule(mut self, words: impl Into<String>) -> Self {
        self.schedule = Some(words.into());
        self
    }

    /// What a failure means.
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.on_error = Some(on_error);
        self
    }

    /// Adds a named output: a template over the raw outputs (`${{ json.found }}`).
    pub fn output(mut self, name: impl Into<String>, template: impl Into<Value>) -> Self {
        self.outputs.get_or_insert_default().insert(name.into(), template.into());
        self
    }
}

pub(super) fn agent_kind(name: String) -> Kind {
    Kind::Agent(serde_json::json!({ "name": name }))
}

impl From<&str> for StepSpec {
    fn from(agent: &str) -> Self {
        Self::agent(agent)
    }
}

impl From<String> for StepSpec {
    fn from(agent: String) -> Self {
        Self::agent(agent)
    }
}

impl From<Kind> for StepSpec {
    fn from(kind: Kind) -> Self {
        Self::of(kind)
    }
}

/// `onError` of the seed.
#[derive(Clone, Debug, PartialEq)]
pub enum OnError {
    /// `strategy: retry`.
    Retry {
        /// So many more attempts after the first.
        max_retries: u32,
        /// How the pause grows; exponential if not given.
        backoff_strategy: Option<Backoff>,
    },
    /// `strategy: compensate`.
    Compensate {
        /// The step that undoes; it runs only for that.
        compensation_step: String,
    },
    /// `strategy: escalate`.
    Escalate {
        /// Who is asked.
        escalation_target: String,
    },
    /// `strategy: skip`.
    Skip,
}

impl OnError {
    /// `{strategy: retry, maxRetries}`.
    pub fn retry(max_retries: u32) -> Self {
        Self::Retry { max_retries, backoff_strategy: None }
    }

    /// `{strategy: retry, maxRetries, backoffStrategy}`.
    pub fn retry_with(max_retries: u32, backoff_strategy: Backoff) -> Self {
        Self::Retry { max_retries, backoff_strategy: Some(backoff_strategy) }
    }

    /// `{strategy: compensate, compensationStep}`.
    pub fn compensate(step: impl Into<String>) -> Self {
        Self::Compensate { compensation_step: step.into() }
    }

    /// `{strategy: escalate, escalationTarget}`.
    pub fn escalate(target: impl Into<String>) -> Self {
        Self::Escalate { escalation_target: target.into() }
    }
}

/// Steps with their names, in order.
pub(super) type Steps = Vec<(String, StepSpec)>;

fn named<N: Into<String>, S: Into<StepSpec>>(steps: impl IntoIterator<Item = (N, S)>) -> Steps {
    steps.into_iter().map(|(name, spec)| (name.into(), spec.into())).collect()
}

/// One branch of `add_parallel_branch`.
#[derive(Clone, Debug, PartialEq)]
pub struct ParallelBranch {
    pub(super) name: String,
    pub(super) steps: Steps,
}

impl ParallelBranch {
    /// A branch with its steps, in order.
    pub fn new<N: Into<String>, S: Into<StepSpec>>(
        name: impl Into<String>,
        steps: impl IntoIterator<Item = (N, S)>,
    ) -> Self {
        Self { name: name.into(), steps: named(steps) }
    }
}

/// What `add_conditional_branch` takes.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionalBranch {
    pub(super) condition: String,
    pub(super) true_branch: Steps,
    pub(super) false_branch: Steps,
}

impl ConditionalBranch {
    /// A condition: an expression in which `context.X` is the newest output X of an earlier step.
    pub fn new(condition: impl Into<String>) -> Self {
        Self { condition: condition.into(), true_branch: Vec::new(), false_branch: Vec::new() }
    }

    /// The steps if it holds.
    pub fn true_branch<N: Into<String>, S: Into<StepSpec>>(mut self, steps: impl IntoIterator<Item = (N, S)>) -> Self {
        self.true_branch = named(steps);
        self
    }

    /// The steps if it does not.
    pub fn false_branch<N: Into<String>, S: Into<StepSpec>>(mut self, steps: impl IntoIterator<Item = (N, S)>) -> Self {
        self.false_branch = named(steps);
        self
    }
}

/// What `add_human_task` takes: a person decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HumanTask {
    pub(super) message: Option<String>,
    pub(super) assignee: Option<String>,
    pub(super) timeout_ms: Option<u64>,
    pub(super) escalation: Option<(u64, String)>,
}

impl HumanTask {
    /// A task for anybody, without an end.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is asked (a template).
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.message = Some(text.into());
        self
    }

    /// Who decides.
    pub fn assignee(mut self, person: impl Into<String>) -> Self {
        self.assignee = Some(person.into());
        self
    }

    /// How long the assignee has, in milliseconds.
    pub fn timeout(mut self, milliseconds: u64) -> Self {
        self.timeout_ms = Some(milliseconds);
        self
    }

    /// Who is asked after the assignee's time, and how many milliseconds that person has.
    pub fn escalation(mut self, timeout_ms: u64, escalate_to: impl Into<String>) -> Self {
        self.escalation = Some((timeout_ms, escalate_to.into()));
        self
    }
}

/// What `add_event_trigger` takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventTrigger {
    pub(super) source: String,
    pub(super) condition: Option<String>,
    pub(super) action: Option<String>,
}

impl EventTrigger {
    /// Events of this source (`zendesk`).
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), condition: None, action: None }
    }

    /// Which of them: an expression over `event`.
    pub fn condition(mut self, expression: impl Into<String>) -> Self {
        self.condition = Some(expression.into());
        self
    }

    /// An agent step of this name follows the event.
    pub fn action(mut self, name: impl Into<String>) -> Self {
        self.action = Some(name.into());
        self
    }
}
