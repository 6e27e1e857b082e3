//! What a workflow uses and a node does not have: before a start these are errors, in `validate` warnings.
//!
//! What only describes or observes is no part of this list; `notes` tells of it.

use serde_json::Value;
use skep_model::catalogue::{Catalogue, Feature};
use skep_model::problem::{Problem, Severity};
use skep_model::rollback::Strategy;

use super::codes;
use super::criteria;
use super::effects;
use super::expressions;
use super::report::{Finding, Report};
use super::slots;
use crate::lower::read::Lowering;
use crate::lower::settings::{Side, SideWork, Written};
use crate::outline::{Outline, StepEntry, pointer_part};
use crate::suggest;
use crate::workflow::{Approval, Kind, OnError, Wait, Workflow};

/// A part of a workflow that a node cannot execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotBuilt {
    /// What is missing.
    pub part: Part,
    /// The use of it: a warning; the caller turns it into an error before a start.
    pub problem: Problem,
}

/// What can be missing on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A part of the language.
    Feature(Feature),
    /// An action, by name.
    Action(String),
}

impl NotBuilt {
    /// The problem as an error, for a refusal before the start.
    #[must_use]
    pub fn into_error(self) -> Problem {
        Problem { severity: Severity::Error, ..self.problem }
    }
}

/// Lists every use of what `catalogue` lacks, in the order of the text.
pub fn not_built(workflow: &Workflow, catalogue: &Catalogue) -> Vec<NotBuilt> {
    let outline = Outline::of(workflow);
    missing(workflow, &outline, catalogue)
}

/// The same with an outline that is there already.
pub(crate) fn missing(workflow: &Workflow, outline: &Outline<'_>, catalogue: &Catalogue) -> Vec<NotBuilt> {
    let mut uses = Uses { workflow, catalogue, found: Vec::new() };
    uses.workflow_keys();
    if can_undo(outline) {
        uses.rollback_strategy();
    }
    for entry in &outline.steps {
        uses.step(entry);
    }
    uses.secrets(outline);
    let mut found = uses.found;
    found.sort_by_key(|missing| missing.problem.place.map(|place| place.start));
    found
}

/// Notes on what is kept and has no effect yet.
pub(crate) fn notes(workflow: &Workflow, outline: &Outline<'_>, report: &mut Report<'_>) {
    let mut note = |pointer: &str, what: &str| {
        let finding = Finding::warning(codes::NO_EFFECT_YET, format!("{what} has no effect yet"));
        report.add(pointer, finding.hint("it is kept and printed, and nothing acts on it in this version"));
    };
    if !workflow.triggers.is_empty() {
        note("/triggers", "`triggers`");
    }
    if is_used(workflow.rollback.as_ref()) && !can_undo(outline) {
        note("/rollback", "`rollback` without a compensation on any step");
    }
    for key in ["monitoring", "notification_settings"] {
        if is_used(workflow.annotations.get(key)) {
            note(&format!("/{key}"), &format!("`{key}`"));
        }
    }
    let assisted = outline.steps.iter().find(|entry| is_used(entry.step.later.get("ai_assisted")));
    if let Some(entry) = assisted {
        note(&format!("{}/ai_assisted", entry.pointer), "`ai_assisted` without a configured model");
    }
}

/// A step says how it is undone, or that a failure undoes the others.
fn can_undo(outline: &Outline<'_>) -> bool {
    outline.steps.iter().any(|entry| {
        is_used(entry.step.rollback.as_ref()) || matches!(entry.step.on_error, Some(OnError::Compensate { .. }))
    })
}

/// Written, and not switched off or empty.
pub(crate) fn is_used(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => !map.is_empty() && map.get("enabled") != Some(&Value::Bool(false)),
        Some(Value::Bool(true) | Value::Number(_) | Value::String(_)) => true,
    }
}

/// The feature behind a key of [`Step::later`](crate::workflow::Step::later). `ai_assisted` is none: without
/// a model such a step is a plain one.
fn feature_of_key(key: &str) -> Option<Feature> {
    Some(match key {
        "success_criteria" => Feature::SuccessCriteria,
        "validation_checks" => Feature::ValidationChecks,
        "required_capabilities" => Feature::Capabilities,
        "priority" => Feature::Priority,
        "concurrency" => Feature::Concurrency,
        "circuit_breaker" => Feature::CircuitBreaker,
        "on_unknown" | "verify" => Feature::Unknown,
        "network" => Feature::Network,
        "output_schema" => Feature::OutputSchema,
        "idempotency" => Feature::StepIdempotency,
        "image" => Feature::Image,
        "artifacts" => Feature::Artifacts,
        "schedule" => Feature::StepSchedule,
        _ => return None,
    })
}

struct Uses<'a> {
    workflow: &'a Workflow,
    catalogue: &'a Catalogue,
    found: Vec<NotBuilt>,
}

impl Uses<'_> {
    fn feature(&mut self, feature: Feature, pointer: &str, what: &str) {
        if self.catalogue.features.contains(&feature) {
            return;
        }
        self.push(
            Part::Feature(feature),
            pointer,
            Finding::warning(codes::NOT_BUILT, format!("{what} is not built yet")),
        );
    }

    fn push(&mut self, part: Part, pointer: &str, finding: Finding) {
        let Finding { code, severity, message, hint } = finding;
        let place = self.workflow.places.find(pointer);
        self.found.push(NotBuilt { part, problem: Problem { code, severity, message, place, hint } });
    }

    fn workflow_keys(&mut self) {
        let workflow = self.workflow;
        if is_used(workflow.concurrency.as_ref()) {
            self.feature(Feature::Concurrency, "/concurrency", "`concurrency`");
        }
        if workflow.max_parallel.is_some() {
            self.feature(Feature::MaxParallel, "/max_parallel", "`max_parallel` of a workflow");
        }
        if workflow.on_cancel == Some(skep_model::plan::OnCancel::Rollback) {
            self.feature(Feature::CancelRollback, "/on_cancel", "`on_cancel: rollback`");
        }
        if is_used(workflow.idempotency.as_ref()) {
            self.feature(Feature::Idempotency, "/idempotency", "`idempotency`");
        }
        if !workflow.fallback_actions.is_empty() {
            self.feature(Feature::FallbackActions, "/error_handling/fallback_actions", "`fallback_actions`");
        }
        self.policy(workflow.policy.as_deref(), "/policy");
        self.policy(workflow.defaults.policy.as_deref(), "/defaults/policy");
        for (name, input) in &workflow.inputs {
            self.secret_type(input, &format!("/inputs/{}", pointer_part(name)), "an input");
        }
    }

    /// The graceful strategy belongs to the rollback of a step; the others are features of their own.
    fn rollback_strategy(&mut self) {
        let Some(value) = &self.workflow.rollback else { return };
        let written = Written { value, pointer: "/rollback".to_owned(), places: &self.workflow.places };
        let settings = written.read(Lowering::rollback_settings).0.unwrap_or_default();
        if let Some(strategy) = settings.strategy.filter(|strategy| *strategy != Strategy::Graceful) {
            let what = format!("the rollback strategy `{}`", strategy.as_str());
            self.feature(Feature::RollbackStrategy, "/rollback/strategy", &what);
        }
        if settings.checkpoint_interval.is_some() {
            self.feature(Feature::RollbackStrategy, "/rollback/checkpoint_interval", "`checkpoint_interval`");
        }
    }

    fn policy(&mut self, policy: Option<&str>, pointer: &str) {
        if let Some(policy) = policy.filter(|policy| *policy != "none") {
            self.feature(Feature::Policy, pointer, &format!("the sandbox policy `{policy}`"));
        }
    }

    fn secret_type(&mut self, entry: &Value, pointer: &str, what: &str) {
        let kind = entry.as_str().or_else(|| entry.get("type").and_then(Value::as_str));
        if kind == Some("secret") {
            self.feature(Feature::Secrets, &format!("{pointer}/type"), &format!("{what} of type `secret`"));
        }
    }

    fn step(&mut self, entry: &StepEntry<'_>) {
        let step = entry.step;
        let at = |part: &str| format!("{}/{part}", entry.pointer);
        if is_used(step.rollback.as_ref()) {
            self.feature(Feature::Rollback, &at("rollback"), "`rollback` of a step");
        }
        for (pointer, side) in effects::sides(self.workflow, entry) {
            self.side(&pointer, &side);
        }
        self.named_checks(entry);
        match &step.on_error {
            None | Some(OnError::Fail | OnError::Skip) => {}
            Some(OnError::Compensate { .. }) => {
                self.feature(Feature::Compensate, &at("on_error"), "`on_error: compensate`");
            }
            Some(OnError::Escalate(_)) => self.feature(Feature::Escalate, &at("on_error"), "`on_error: escalate`"),
        }
        if step.irreversible {
            self.feature(Feature::Irreversible, &at("irreversible"), "`irreversible`");
        }
        if step.checkpoint {
            self.feature(Feature::Checkpoint, &at("checkpoint"), "`checkpoint`");
        }
        self.policy(step.policy.as_deref(), &at("policy"));
        if let Some(gate) = &step.approve {
            self.escalation(&gate.approval, &at("approve/escalate"));
        }
        for (key, value) in &step.later {
            if let Some(feature) = feature_of_key(key).filter(|_| is_used(Some(value))) {
                self.feature(feature, &at(key), &format!("`{key}`"));
            }
        }
        self.kind(entry);
    }

    fn side(&mut self, pointer: &str, side: &Side) {
        self.policy(side.policy.as_deref(), &format!("{pointer}/policy"));
        match &side.work {
            SideWork::Run { .. } => {}
            SideWork::Uses { action, .. } => self.action(action, &format!("{pointer}/uses")),
            SideWork::Agent => self.unplanned(Feature::Agent, &format!("{pointer}/agent"), "an `agent` beside a step"),
            SideWork::Ai => self.unplanned(Feature::Ai, &format!("{pointer}/ai"), "an `ai` turn beside a step"),
        }
    }

    /// What no plan has a place for, whatever the node can do.
    fn unplanned(&mut self, feature: Feature, pointer: &str, what: &str) {
        let finding = Finding::warning(codes::NOT_BUILT, format!("{what} is not built yet"));
        self.push(Part::Feature(feature), pointer, finding);
    }

    /// A named check must not count as passed because nobody makes it.
    fn named_checks(&mut self, entry: &StepEntry<'_>) {
        let Some(criteria) = entry.step.later.get("success_criteria") else { return };
        for (part, check) in criteria::written(criteria).filter(|(_, text)| criteria::is_named_check(text)) {
            let finding = Finding::warning(codes::NOT_BUILT, format!("the named check `{check}` is not built yet"));
            self.push(
                Part::Feature(Feature::ValidationChecks),
                &format!("{}/success_criteria{part}", entry.pointer),
                finding.hint("write a condition, for example `${{ exit_code == 0 }}`"),
            );
        }
    }

    fn kind(&mut self, entry: &StepEntry<'_>) {
        let at = |part: &str| format!("{}/{part}", entry.pointer);
        match &entry.step.kind {
            Kind::Agent(_) => self.feature(Feature::Agent, &at("agent"), "a step for an `agent`"),
            Kind::Ai(_) => self.feature(Feature::Ai, &at("ai"), "an `ai` step"),
            Kind::Workflow(_) => self.feature(Feature::ChildWorkflow, &at("workflow"), "a child `workflow`"),
            Kind::Wait(Wait::Condition { .. }) => {
                self.feature(Feature::WaitCondition, &at("wait/condition"), "`wait` for a condition");
            }
            Kind::Approval(approval) => self.escalation(approval, &at("approval/escalate")),
            Kind::Input { fields, .. } => {
                for (name, field) in fields {
                    self.secret_type(field, &at(&format!("input/{}", pointer_part(name))), "a field");
                }
            }
            Kind::Uses { action, .. } => self.action(action, &at("uses")),
            Kind::Run { .. }
            | Kind::Wait(Wait::Duration(_) | Wait::Moment(_) | Wait::Signal { .. })
            | Kind::Switch { .. }
            | Kind::Parallel { .. }
            | Kind::Foreach { .. }
            | Kind::While { .. }
            | Kind::Repeat { .. } => {}
        }
    }

    fn escalation(&mut self, approval: &Approval, pointer: &str) {
        if !approval.escalate.is_empty() {
            self.feature(Feature::Escalation, pointer, "`escalate`");
        }
    }

    fn action(&mut self, action: &str, pointer: &str) {
        if self.catalogue.actions.contains_key(action) {
            return;
        }
        let known = self.catalogue.actions.keys().map(String::as_str);
        let finding = Finding::warning(codes::ACTION_UNKNOWN, format!("this node has no action `{action}`"))
            .maybe_hint(suggest::meant_or_known(action, "the actions", known));
        self.push(Part::Action(action.to_owned()), pointer, finding);
    }

    fn secrets(&mut self, outline: &Outline<'_>) {
        if self.catalogue.features.contains(&Feature::Secrets) {
            return;
        }
        let names = expressions::known_names(self.workflow, outline, self.catalogue);
        let workflow = self.workflow;
        slots::each(workflow, outline, &mut |slot| {
            if !slot.text.contains("secrets") {
                return;
            }
            let compiled = expressions::compile(&slot, &names);
            let named = compiled
                .templates
                .iter()
                .flat_map(|(_, template)| template.references())
                .find(|reference| reference.path.first().is_some_and(|root| root == "secrets"));
            if let Some(reference) = named {
                self.feature(Feature::Secrets, &slot.pointer, &format!("`{}`", reference.path.join(".")));
            }
        });
    }
}
