//! The plan as a whole: head, inputs, blocks, steps.

use serde_json::Value;
use skep_model::catalogue::Catalogue;
use skep_model::ids::slug;
use skep_model::limits::PROBLEMS_MAX;
use skep_model::plan::{Block, Condition, ENGINE_SEMANTICS, Gate, GateWhen, Head, Input, PLAN_FORMAT, Plan, Step};
use skep_model::problem::{Problem, Severity};
use skep_model::{Map, plan};

use super::effects::{self, Effects};
use super::kinds::{self, Kinds};
use super::retry;
use crate::check::{self, Analysis, Level, Report, ScriptOf};
use crate::inputs;
use crate::outline::{Outline, StepNumber};
use crate::outputs;
use crate::script::Placed;
use crate::workflow::{self, Kind, Workflow};

/// The version of a workflow that names none.
const VERSION_DEFAULT: &str = "1.0.0";

/// Lowers a workflow. Step numbers are the order of the text, `finally` last.
///
/// What the node cannot execute is no error here: see [`check::not_built`]. Policies, named checks, strategies of a
/// rollback and the like have no place in this plan format; [`check::not_built`] lists them.
///
/// # Errors
/// Every error of [`Level::Basic`], at most [`PROBLEMS_MAX`], in the order of the text.
pub fn plan(workflow: &Workflow, catalogue: &Catalogue) -> Result<Plan, Vec<Problem>> {
    let outline = Outline::of(workflow);
    let mut report = Report::new(workflow);
    let analysis = check::basic(workflow, &outline, catalogue, &mut report);
    let mut errors = report.into_problems();
    errors.retain(|problem| problem.severity == Severity::Error);
    if !errors.is_empty() {
        errors.truncate(PROBLEMS_MAX);
        return Err(errors);
    }
    Ok(Lowering::new(workflow, catalogue, &outline, &analysis).plan())
}

/// Checks and lowers in one pass: all problems of `level`, warnings included, and the plan if none of them
/// is an error. Costs about half of [`check::check`] and [`plan`] after each other.
pub fn check_and_plan(workflow: &Workflow, catalogue: &Catalogue, level: Level) -> (Vec<Problem>, Option<Plan>) {
    let outline = Outline::of(workflow);
    let mut report = Report::new(workflow);
    let analysis = check::all(workflow, &outline, catalogue, level, &mut report);
    let problems = report.into_problems();
    let is_valid = problems.iter().all(|problem| problem.severity != Severity::Error);
    (problems, is_valid.then(|| Lowering::new(workflow, catalogue, &outline, &analysis).plan()))
}

/// Inputs or fields as declared; the checks have refused faulty ones.
pub(super) fn declare_all(entries: &Map<Value>) -> Map<Input> {
    entries.iter().filter_map(|(name, entry)| Some((name.clone(), inputs::declare(entry).ok()?))).collect()
}

/// A condition as a template: wrapped in `${{ }}` if it was written without.
pub(super) fn wrapped(condition: &str) -> String {
    if condition.contains("${{") { condition.to_owned() } else { format!("${{{{ {} }}}}", condition.trim()) }
}

struct Lowering<'a, 'w> {
    workflow: &'w Workflow,
    catalogue: &'a Catalogue,
    outline: &'a Outline<'w>,
    analysis: &'a Analysis,
}

impl<'a, 'w> Lowering<'a, 'w> {
    fn new(workflow: &'w Workflow, catalogue: &'a Catalogue, outline: &'a Outline<'w>, analysis: &'a Analysis) -> Self {
        Self { workflow, catalogue, outline, analysis }
    }

    fn plan(&self) -> Plan {
        let workflow = self.workflow;
        let head = head(workflow);
        let steps: Vec<Step> = (0..self.outline.steps.len()).map(|number| self.step(number, &head.id)).collect();
        Plan {
            plan_format: PLAN_FORMAT,
            engine_semantics: ENGINE_SEMANTICS,
            workflow: head.clone(),
            inputs: declare_all(&workflow.inputs),
            vars: workflow.vars.clone(),
            env: workflow.env.clone(),
            outputs: workflow.outputs.clone(),
            timeout_ms: workflow.timeout_ms,
            on_cancel: workflow.on_cancel.unwrap_or_default(),
            max_parallel: workflow.max_parallel,
            concurrency: effects::of_workflow(workflow, &head.id),
            idempotency_key: effects::idempotency_key(workflow),
            keeps_effects: effects::keeps_effects(workflow),
            rollback: effects::rollback(workflow, &steps),
            autonomy: workflow.autonomy,
            rules: self.catalogue.rules.clone(),
            root: 0,
            finally: self.outline.finally.map(kinds::index),
            blocks: self.blocks(),
            steps,
        }
    }

    fn blocks(&self) -> Vec<Block> {
        let lists = self.outline.lists.iter();
        lists
            .map(|list| Block {
                order: list.order,
                steps: list.steps.iter().copied().map(kinds::index).collect(),
                owner: list.owner.map(kinds::index),
            })
            .collect()
    }

    fn step(&self, number: StepNumber, workflow_id: &str) -> Step {
        let entry = &self.outline.steps[number];
        let step = entry.step;
        let kinds =
            Kinds { workflow: self.workflow, step, inner: &entry.inner, placed: self.placed(number, ScriptOf::Step) };
        let placed = |of| self.placed(number, of);
        let effects = Effects { workflow: self.workflow, workflow_id, step, placed: &placed };
        Step {
            name: step.name.clone().unwrap_or_default(),
            depends_on: self.depends_on(number),
            condition: step.condition.as_deref().map(|condition| self.condition(number, condition)),
            timeout_ms: self.timeout_ms(step),
            total_timeout_ms: step.total_timeout_ms,
            retry: self.retry(step),
            on_error: match effects.on_error(self.outline) {
                // What runs only as a compensation has no list that could go on without it.
                plan::OnError::Open if self.outline.compensators.contains_key(&number) => plan::OnError::Fail,
                on_error => on_error,
            },
            approve: step.approve.as_ref().map(gate),
            outputs: step.outputs.clone(),
            env: step.env.clone(),
            working_dir: self.working_dir(step),
            read_only: step.read_only || self.is_read_only_action(step),
            compensation: effects.compensation(),
            compensation_only: self.outline.compensators.contains_key(&number),
            irreversible: step.irreversible,
            checkpoint: step.checkpoint,
            critical: step.critical,
            on_unknown: effects.on_unknown(),
            verify: effects.verify(),
            success_criteria: effects.criteria(),
            output_schema: effects.output_schema(),
            concurrency: effects.concurrency(),
            circuit_breaker: effects.breaker(),
            priority: effects.priority(),
            output_names: self.output_names(step),
            ..Step::new(step.id.clone(), kinds::index(entry.list), kinds.lower())
        }
    }

    fn placed(&self, number: StepNumber, of: ScriptOf) -> Option<&Placed> {
        self.analysis.understood.placed.get(&(number, of))
    }

    fn depends_on(&self, number: StepNumber) -> Vec<plan::StepIndex> {
        let entry = &self.outline.steps[number];
        let Some(graph) = &self.analysis.graphs[entry.list] else { return Vec::new() };
        let siblings = &self.outline.lists[entry.list].steps;
        graph.waits_for[entry.position].iter().map(|position| kinds::index(siblings[*position])).collect()
    }

    fn condition(&self, number: StepNumber, condition: &str) -> Condition {
        let status_aware = self.analysis.understood.status_aware.contains(&number);
        Condition { expression: wrapped(condition), status_aware }
    }

    /// Questions and waits carry their own end (see `kinds`); a second one on the step would race with it.
    fn timeout_ms(&self, step: &workflow::Step) -> Option<u64> {
        match &step.kind {
            Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_) => {
                step.timeout_ms.or(self.workflow.defaults.timeout_ms)
            }
            Kind::Approval(_)
            | Kind::Input { .. }
            | Kind::Wait(workflow::Wait::Signal { .. } | workflow::Wait::Condition { .. }) => None,
            Kind::Wait(workflow::Wait::Duration(_) | workflow::Wait::Moment(_))
            | Kind::Workflow(_)
            | Kind::Switch { .. }
            | Kind::Parallel { .. }
            | Kind::Foreach { .. }
            | Kind::While { .. }
            | Kind::Repeat { .. } => step.timeout_ms,
        }
    }

    fn retry(&self, step: &workflow::Step) -> Option<plan::Retry> {
        let defaults = self.workflow.defaults.retry.as_ref().filter(|_| is_work(step));
        match (&step.retry, defaults) {
            (None, None) => None,
            (Some(only), None) | (None, Some(only)) => Some(retry::lower(only, &workflow::Retry::default())),
            (Some(own), Some(defaults)) => Some(retry::lower(own, defaults)),
        }
    }

    fn working_dir(&self, step: &workflow::Step) -> Option<String> {
        let default = self.workflow.defaults.working_dir.as_ref().filter(|_| matches!(step.kind, Kind::Run { .. }));
        step.working_dir.as_ref().or(default).cloned()
    }

    fn is_read_only_action(&self, step: &workflow::Step) -> bool {
        match &step.kind {
            Kind::Uses { action, .. } => self.catalogue.actions.get(action).is_some_and(|action| action.read_only),
            Kind::Run { .. }
            | Kind::Agent(_)
            | Kind::Ai(_)
            | Kind::Workflow(_)
            | Kind::Approval(_)
            | Kind::Input { .. }
            | Kind::Wait(_)
            | Kind::Switch { .. }
            | Kind::Parallel { .. }
            | Kind::Foreach { .. }
            | Kind::While { .. }
            | Kind::Repeat { .. } => false,
        }
    }

    fn output_names(&self, step: &workflow::Step) -> Vec<String> {
        outputs::visible(step, self.catalogue).known().iter().map(|name| (*name).to_owned()).collect()
    }
}

pub(super) fn is_work(step: &workflow::Step) -> bool {
    matches!(step.kind, Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_))
}

fn head(workflow: &Workflow) -> Head {
    Head {
        id: workflow.id.clone().unwrap_or_else(|| slug(&workflow.name)),
        name: workflow.name.clone(),
        description: workflow.description.clone(),
        version: workflow.version.clone().unwrap_or_else(|| VERSION_DEFAULT.to_owned()),
        category: workflow.category.clone().unwrap_or_default(),
        tags: workflow.tags.clone(),
    }
}

fn gate(gate: &workflow::Gate) -> Gate {
    Gate {
        when: if gate.before { GateWhen::Before } else { GateWhen::After },
        approval: kinds::approval(&gate.approval, None),
    }
}
