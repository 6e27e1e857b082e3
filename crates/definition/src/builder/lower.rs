//! The builder: collects the calls, then makes the workflow of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as Object, Value};
use skep_model::ids::{is_step_id, slug};
use skep_model::limits::PROBLEMS_MAX;
use skep_model::plan::{OnReject, OnTimeout, Order};
use skep_model::problem::{Problem, Severity};

use super::codes;
use super::context::{self, Seen};
use super::words::{ConditionalBranch, EventTrigger, HumanTask, OnError, ParallelBranch, StepSpec, Steps, agent_kind};
use crate::workflow::{self, Approval, Branch, Case, Kind, Retry, Step, Wait, Workflow};

/// The name of a workflow to which nobody gave one.
const DEFAULT_NAME: &str = "workflow";

/// Builds a [`Workflow`], see the module's page.
#[derive(Clone, Debug, Default)]
pub struct WorkflowBuilder {
    name: Option<String>,
    description: String,
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
enum Item {
    Step(String, Box<StepSpec>),
    Parallel(Vec<ParallelBranch>),
    Conditional(ConditionalBranch),
    Human(String, HumanTask),
    Trigger(String, EventTrigger),
}

impl WorkflowBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// The workflow's name; `workflow` if never called.
    pub fn set_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What it is for.
    pub fn set_description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Adds a step: an agent's name, or a [`StepSpec`].
    pub fn add_step(mut self, name: impl Into<String>, spec: impl Into<StepSpec>) -> Self {
        self.items.push(Item::Step(name.into(), Box::new(spec.into())));
        self
    }

    /// Adds branches that run side by side and are joined before the next step.
    pub fn add_parallel_branch(mut self, branches: impl IntoIterator<Item = ParallelBranch>) -> Self {
        self.items.push(Item::Parallel(branches.into_iter().collect()));
        self
    }

    /// Adds two branches of which the condition takes one.
    pub fn add_conditional_branch(mut self, branch: ConditionalBranch) -> Self {
        self.items.push(Item::Conditional(branch));
        self
    }

    /// Adds a decision of a person; `context.approved` is the answer.
    pub fn add_human_task(mut self, name: impl Into<String>, task: HumanTask) -> Self {
        self.items.push(Item::Human(name.into(), task));
        self
    }

    /// Before the first step: what starts the workflow. Later: an event to wait for.
    pub fn add_event_trigger(mut self, event: impl Into<String>, trigger: EventTrigger) -> Self {
        self.items.push(Item::Trigger(event.into(), trigger));
        self
    }

    /// The workflow, or every problem of what was added (without places: there is no text).
    pub fn build(self) -> Result<Workflow, Vec<Problem>> {
        let mut lowering = Lowering::default();
        let mut workflow = Workflow {
            name: self.name.unwrap_or_else(|| DEFAULT_NAME.to_owned()),
            description: self.description,
            ..Workflow::default()
        };
        lowering.reserve_names(&self.items);
        let first_step = self.items.iter().position(|item| !matches!(item, Item::Trigger(..)));
        let (triggers, items) = split_triggers(self.items, first_step);
        let mut list = Vec::new();
        for (event, trigger) in triggers {
            workflow.triggers.push(leading_trigger(&event, &trigger));
            list.extend(trigger.action.map(|action| lowering.agent_step(action)));
        }
        for item in items {
            lowering.item(item, &mut list);
        }
        if list.is_empty() {
            let hint = "call `add_step` at least once";
            lowering.problem(codes::NAMES, "the workflow has no steps".to_owned(), hint);
        }
        (workflow.order, workflow.steps) = lowering.finish_list(list);
        if lowering.problems.is_empty() { Ok(workflow) } else { Err(lowering.problems) }
    }
}

type Triggers = Vec<(String, EventTrigger)>;

/// The triggers before the first step, and the rest.
fn split_triggers(items: Vec<Item>, first_step: Option<usize>) -> (Triggers, Vec<Item>) {
    let count = first_step.unwrap_or(items.len());
    let mut triggers = Vec::new();
    let mut rest = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Item::Trigger(event, trigger) if index < count => triggers.push((event, trigger)),
            other @ (Item::Step(..)
            | Item::Parallel(_)
            | Item::Conditional(_)
            | Item::Human(..)
            | Item::Trigger(..)) => {
                rest.push(other);
            }
        }
    }
    (triggers, rest)
}

fn leading_trigger(event: &str, trigger: &EventTrigger) -> Value {
    let mut config = Object::new();
    config.insert("source".to_owned(), trigger.source.clone().into());
    config.insert("event".to_owned(), event.into());
    if let Some(condition) = &trigger.condition {
        config.insert("condition".to_owned(), wrap(condition).into());
    }
    serde_json::json!({ "type": "event", "config": config })
}

/// `expression` inside `${{ }}`, unless it already is.
fn wrap(expression: &str) -> String {
    let trimmed = expression.trim();
    if trimmed.starts_with("${{") { trimmed.to_owned() } else { format!("${{{{ {trimmed} }}}}") }
}

/// A step and the dependencies that were written on it, by name.
type Listed = (Step, Option<Vec<String>>);

#[derive(Default)]
struct Lowering {
    /// Ids that people gave; generated ones avoid them.
    reserved: BTreeSet<String>,
    /// Ids in use.
    taken: BTreeSet<String>,
    /// Steps so far, for `context.X`.
    seen: Vec<Seen>,
    /// Compensations that steps name, by id.
    compensations: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

fn id_of(name: &str) -> String {
    if is_step_id(name) { name.to_owned() } else { slug(name) }
}

impl Lowering {
    fn problem(&mut self, code: &'static str, message: String, hint: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            let hint = Some(hint.to_owned());
            self.problems.push(Problem { code, severity: Severity::Error, message, place: None, hint });
        }
    }

    fn reserve_names(&mut self, items: &[Item]) {
        for item in items {
            let names: Vec<&String> = match item {
                Item::Step(name, _) | Item::Human(name, _) => vec![name],
                Item::Trigger(_, trigger) => trigger.action.iter().collect(),
                Item::Parallel(branches) => {
                    branches.iter().flat_map(|one| one.steps.iter().map(|(name, _)| name)).collect()
                }
                Item::Conditional(one) => {
                    one.true_branch.iter().chain(&one.false_branch).map(|(name, _)| name).collect()
                }
            };
            self.reserved.extend(names.into_iter().map(|name| id_of(name)));
        }
    }

    /// A step with the id that `name` gives.
    fn named_step(&mut self, name: &str, kind: Kind) -> Step {
        let id = id_of(name);
        if id.is_empty() {
            let message = format!("the step name {name:?} has no letter or digit to make an id of");
            self.problem(codes::NAMES, message, "give it a name such as `check-input`");
        } else if !self.taken.insert(id.clone()) {
            let message = format!("two steps have the id `{id}`");
            self.problem(codes::NAMES, message, "ids are unique in a workflow, its branches included: rename one");
        }
        let name = (id != name).then(|| name.to_owned());
        Step { id, name, kind, ..Step::default() }
    }

    /// A step with an id of our own making: `stem`, `stem-2` ..
    fn generated_step(&mut self, stem: &str, kind: Kind) -> Step {
        let mut id = stem.to_owned();
        let mut number = 1;
        while self.reserved.contains(&id) || self.taken.contains(&id) {
            number += 1;
            id = format!("{stem}-{number}");
        }
        self.taken.insert(id.clone());
        Step { id, kind, ..Step::default() }
    }

    fn remember(&mut self, step: &Step) {
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let outputs = match (&step.outputs, &step.kind) {
            (Some(outputs), _) => Some(outputs.keys().cloned().collect()),
            (None, Kind::Run { .. }) => names(&["stdout", "stderr", "exit_code", "json"]),
            (None, Kind::Approval(_)) => names(&["approved", "by", "comment"]),
            (None, Kind::Input { fields, .. }) => Some(fields.keys().cloned().collect()),
            (None, Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_) | Kind::Workflow(_)) => None,
            (None, Kind::Wait(Wait::Signal { .. })) => names(&["payload", "by"]),
            (None, Kind::Foreach { .. } | Kind::While { .. } | Kind::Repeat { .. }) => names(&["results"]),
            (None, Kind::Wait(_) | Kind::Switch { .. } | Kind::Parallel { .. }) => names(&[]),
        };
        self.seen.push(Seen { id: step.id.clone(), outputs });
    }

    fn agent_step(&mut self, name: String) -> Listed {
        let step = self.named_step(&name, agent_kind(name.clone()));
        self.remember(&step);
        (step, None)
    }

    fn item(&mut self, item: Item, list: &mut Vec<Listed>) {
        match item {
            Item::Step(name, spec) => list.push(self.step(&name, *spec)),
            Item::Parallel(branches) => list.push(self.parallel(branches)),
            Item::Conditional(branch) => list.push(self.conditional(branch)),
            Item::Human(name, task) => list.push(self.human(&name, task)),
            Item::Trigger(event, trigger) => self.later_trigger(&event, trigger, list),
        }
    }

    fn step(&mut self, name: &str, spec: StepSpec) -> Listed {
        let mut step = self.named_step(name, spec.kind);
        step.description = spec.description;
        step.timeout_ms = spec.timeout_ms;
        step.outputs = spec.outputs;
        step.retry = spec.retries.map(more_attempts);
        step.later.extend(spec.schedule.map(|words| ("schedule".to_owned(), Value::String(words))));
        if let Some(on_error) = spec.on_error {
            self.on_error(&mut step, on_error);
        }
        self.remember(&step);
        (step, spec.dependencies)
    }

    fn on_error(&mut self, step: &mut Step, on_error: OnError) {
        match on_error {
            OnError::Retry { max_retries, backoff_strategy } => {
                if step.retry.is_some() {
                    let message = format!("step `{}` has both `retries` and the error strategy `retry`", step.id);
                    self.problem(codes::CONFLICT, message, "keep one of them: both say how often it is repeated");
                }
                step.retry = Some(Retry { backoff: backoff_strategy, ..more_attempts(max_retries) });
            }
            OnError::Compensate { compensation_step } => {
                let id = id_of(&compensation_step);
                self.compensations.insert(id.clone(), compensation_step);
                step.on_error = Some(workflow::OnError::Compensate { step: Some(id) });
            }
            OnError::Escalate { escalation_target } => {
                step.on_error = Some(workflow::OnError::Escalate(workflow::Asking::of(escalation_target)));
            }
            OnError::Skip => step.on_error = Some(workflow::OnError::Skip),
        }
    }

    fn branch_steps(&mut self, steps: Steps) -> (Order, Vec<Step>) {
        let list = steps.into_iter().map(|(name, spec)| self.step(&name, spec)).collect();
        self.finish_list(list)
    }

    fn parallel(&mut self, given: Vec<ParallelBranch>) -> Listed {
        let mut branches = Vec::new();
        for branch in given {
            let (order, steps) = self.branch_steps(branch.steps);
            branches.push(Branch { name: branch.name, order, steps });
        }
        let step = self.generated_step("parallel", Kind::Parallel { branches, join: None, fail_fast: None });
        self.remember(&step);
        (step, None)
    }

    fn conditional(&mut self, branch: ConditionalBranch) -> Listed {
        let when = self.condition(&branch.condition);
        let (order, steps) = self.branch_steps(branch.true_branch);
        let (default_order, default) = self.branch_steps(branch.false_branch);
        if default_order == Order::Graph {
            let message = "the false branch of a conditional branch cannot have `dependencies`".to_owned();
            self.problem(codes::CONFLICT, message, "turn the condition round, or add the steps in order without them");
        }
        let default = (!default.is_empty()).then_some(default);
        let step = self.generated_step("branch", Kind::Switch { cases: vec![Case { when, order, steps }], default });
        self.remember(&step);
        (step, None)
    }

    fn condition(&mut self, condition: &str) -> String {
        match context::resolve(condition, &self.seen) {
            Ok(expression) => wrap(&expression),
            Err(name) => {
                let message = if name.is_empty() {
                    format!("`context` without `.NAME` in the condition `{condition}`")
                } else {
                    format!("no step before the condition `{condition}` can have an output `{name}`")
                };
                self.problem(codes::CONTEXT, message, "name an output of an earlier step: `context.NAME`");
                wrap(condition)
            }
        }
    }

    fn human(&mut self, name: &str, task: HumanTask) -> Listed {
        let mut approval = Approval {
            message: task.message,
            assignee: task.assignee,
            timeout_ms: task.timeout_ms,
            escalate: Vec::new(),
            on_timeout: Some(OnTimeout::Reject),
            on_reject: Some(OnReject::Continue),
        };
        if let Some((more_ms, to)) = task.escalation {
            match task.timeout_ms {
                Some(after_ms) if more_ms > 0 => {
                    approval.escalate = vec![(after_ms, to)];
                    approval.timeout_ms = Some(after_ms.saturating_add(more_ms));
                }
                Some(_) => self.escalation_problem(name, "comes at the end of the wait"),
                None => self.escalation_problem(name, "has no moment to begin: the task has no timeout"),
            }
        }
        let step = self.named_step(name, Kind::Approval(approval));
        self.remember(&step);
        (step, None)
    }

    fn escalation_problem(&mut self, name: &str, why: &str) {
        let hint = "`timeout` is the assignee's time, `escalation` gives the next person so many milliseconds more";
        self.problem(codes::ESCALATION, format!("the escalation of the human task `{name}` {why}"), hint);
    }

    fn later_trigger(&mut self, event: &str, trigger: EventTrigger, list: &mut Vec<Listed>) {
        if trigger.condition.is_some() {
            let message = format!("the event trigger `{event}` stands after the first step and has a condition");
            self.problem(
                codes::CONFLICT,
                message,
                "put a conditional branch behind it, or the trigger before the first step",
            );
        }
        let name = format!("{}.{event}", trigger.source);
        let stem = Some(slug(event)).filter(|stem| !stem.is_empty()).unwrap_or_else(|| "event".to_owned());
        let step = self.generated_step(&stem, Kind::Wait(Wait::Signal { name, timeout_ms: None }));
        self.remember(&step);
        list.push((step, None));
        list.extend(trigger.action.map(|action| self.agent_step(action)));
    }

    /// The order of a list, and its steps with their dependencies as ids.
    fn finish_list(&mut self, mut list: Vec<Listed>) -> (Order, Vec<Step>) {
        self.add_missing_compensations(&mut list);
        if list.iter().all(|(_, dependencies)| dependencies.is_none()) {
            return (Order::Sequence, list.into_iter().map(|(step, _)| step).collect());
        }
        let ids: Vec<String> = list.iter().map(|(step, _)| step.id.clone()).collect();
        // A compensation runs when its step has failed, and never as the next one.
        let compensations: BTreeSet<String> =
            list.iter().filter_map(|(step, _)| compensation_of(step).map(str::to_owned)).collect();
        let mut before: Option<String> = None;
        let mut steps = Vec::new();
        for (mut step, dependencies) in list {
            let is_compensation = compensations.contains(&step.id);
            step.depends_on = match dependencies {
                Some(names) => names.iter().map(|name| self.dependency(&step.id, name, &ids)).collect(),
                None => before.iter().filter(|_| !is_compensation).cloned().collect(),
            };
            if !is_compensation {
                before = Some(step.id.clone());
            }
            steps.push(step);
        }
        (Order::Graph, steps)
    }

    fn dependency(&mut self, step: &str, name: &str, ids: &[String]) -> String {
        let id = id_of(name);
        if !ids.contains(&id) {
            let message = format!("step `{step}` depends on `{name}`, which its list does not have");
            self.problem(codes::DEPENDENCY, message, &format!("the steps of this list: {}", ids.join(", ")));
        }
        id
    }

    /// Steps for the compensations that steps of `list` name and nobody adds: they stand beside those.
    fn add_missing_compensations(&mut self, list: &mut Vec<Listed>) {
        let named: Vec<String> = list.iter().filter_map(|(step, _)| compensation_of(step).map(str::to_owned)).collect();
        for id in named {
            let is_given = self.taken.contains(&id) || self.reserved.contains(&id);
            if let Some(name) = self.compensations.get(&id).filter(|_| !is_given).cloned() {
                list.push(self.agent_step(name));
            }
        }
    }
}

/// The step that the `on_error` of a step names.
fn compensation_of(step: &Step) -> Option<&str> {
    match &step.on_error {
        Some(workflow::OnError::Compensate { step }) => step.as_deref(),
        None | Some(workflow::OnError::Fail | workflow::OnError::Skip | workflow::OnError::Escalate(_)) => None,
    }
}

fn more_attempts(retries: u32) -> Retry {
    Retry { max_attempts: Some(retries.saturating_add(1)), ..Retry::default() }
}
