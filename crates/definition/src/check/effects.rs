//! What surrounds a step's work: how it is undone, what limits it, what its result must be.
//!
//! The settings themselves are read by `lower::settings`; this module says what they may be together and where.

use serde_json::Value;
use skep_model::plan::WhenFull;
use skep_model::problem::Problem;

use super::codes;
use super::criteria;
use super::report::{Finding, Report};
use super::structure::what_it_is;
use crate::inputs;
use crate::lower::read::Lowering;
use crate::lower::settings::{Side, Written};
use crate::outline::{Outline, Role, StepEntry, StepNumber};
use crate::suggest;
use crate::tree::Node;
use crate::workflow::{Kind, OnError, Workflow};

/// Checks the whole workflow.
pub(crate) fn check(workflow: &Workflow, outline: &Outline<'_>, report: &mut Report<'_>) {
    let mut checks = Checks { workflow, report };
    if let Some(value) = &workflow.rollback {
        checks.read("/rollback", value, Lowering::rollback_settings);
    }
    if let Some(value) = &workflow.concurrency {
        checks.read("/concurrency", value, Lowering::concurrency);
    }
    if let Some(value) = &workflow.idempotency {
        checks.read("/idempotency", value, Lowering::idempotency_key);
    }
    for entry in &outline.steps {
        checks.settings(entry);
        checks.misplaced(entry);
        checks.contradictions(entry);
        checks.results(entry);
        checks.child(entry);
    }
    compensation_steps(outline, report);
}

/// The compensation and the verifications of a step, each with its pointer.
pub(crate) fn sides(workflow: &Workflow, entry: &StepEntry<'_>) -> Vec<(String, Side)> {
    let read = |part: &str, value: &Value, read: fn(&mut Lowering, &Node) -> Option<Side>| {
        let pointer = format!("{}/{part}", entry.pointer);
        let written = Written { value, pointer: pointer.clone(), places: &workflow.places };
        written.read(read).0.map(|side| (pointer, side))
    };
    let verify = entry.step.later.get("verify");
    let verify = verify.and_then(|value| read("verify", value, Lowering::verification_side));
    let undo = entry.step.rollback.as_ref();
    let undo = undo.and_then(|value| read("rollback", value, Lowering::compensation_side));
    let inner = undo.as_ref().and_then(|(pointer, side)| {
        let verify = side.verify.as_deref()?;
        Some((format!("{pointer}/verify"), verify.clone()))
    });
    verify.into_iter().chain(undo).chain(inner).collect()
}

struct Checks<'a, 'r> {
    workflow: &'a Workflow,
    report: &'a mut Report<'r>,
}

impl Checks<'_, '_> {
    /// Reports what cannot be read.
    fn read<T>(
        &mut self,
        pointer: &str,
        value: &Value,
        read: impl FnOnce(&mut Lowering, &Node) -> Option<T>,
    ) -> Option<T> {
        let written = Written { value, pointer: pointer.to_owned(), places: &self.workflow.places };
        let (found, problems) = written.read(read);
        for Problem { code, severity, message, place, hint } in problems {
            self.report.add_at(place, Finding { code, severity, message, hint });
        }
        found
    }

    fn settings(&mut self, entry: &StepEntry<'_>) {
        let at = |part: &str| format!("{}/{part}", entry.pointer);
        let later = |key: &str| entry.step.later.get(key);
        if let Some(value) = &entry.step.rollback {
            self.read(&at("rollback"), value, Lowering::compensation_side);
        }
        if let Some(value) = later("verify") {
            self.read(&at("verify"), value, Lowering::verification_side);
        }
        if let Some(value) = later("circuit_breaker") {
            self.read(&at("circuit_breaker"), value, Lowering::breaker);
        }
        if let Some(value) = later("priority") {
            self.read(&at("priority"), value, Lowering::priority);
        }
        if let Some(value) = later("concurrency") {
            self.step_concurrency(entry, value);
        }
    }

    fn step_concurrency(&mut self, entry: &StepEntry<'_>, value: &Value) {
        let pointer = format!("{}/concurrency", entry.pointer);
        let Some(read) = self.read(&pointer, value, Lowering::concurrency) else { return };
        if read.when_full == WhenFull::CancelOld {
            let message = "`when_full: cancel_old` cancels an execution, and this is the limit of a step";
            let finding = Finding::error(codes::GROUP_INVALID, message);
            let hint = "write `queue`, `skip` or `fail` here, or move `concurrency` to the workflow";
            self.report.add(&format!("{pointer}/when_full"), finding.hint(hint));
        }
        if read.group.is_none_or(|group| group.trim().is_empty()) {
            let finding = Finding::error(codes::GROUP_INVALID, "`concurrency` of a step needs a `group`");
            let hint = format!("name who shares the limit: `group: {}`, for example", entry.step.id);
            self.report.add(&pointer, finding.hint(hint));
        }
    }

    /// Keys that would silently do nothing on this kind of step.
    fn misplaced(&mut self, entry: &StepEntry<'_>) {
        let step = entry.step;
        let works = matches!(step.kind, Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_));
        let calls = matches!(step.kind, Kind::Workflow(_));
        let is_written = |key: &str| match key {
            "rollback" => step.rollback.is_some(),
            other => super::built::is_used(step.later.get(other)),
        };
        for (key, on_calls) in [
            ("rollback", true),
            ("concurrency", true),
            ("verify", false),
            ("on_unknown", false),
            ("circuit_breaker", false),
            ("success_criteria", false),
            ("output_schema", false),
        ] {
            if !is_written(key) || works || (on_calls && calls) {
                continue;
            }
            let message = format!("`{key}` has no meaning on `{}`: {} does no work", step.id, what_it_is(&step.kind));
            let finding = Finding::error(codes::NOT_FOR_THIS_KIND, message);
            self.report.add(&format!("{}/{key}", entry.pointer), finding.hint("put it on the steps that do the work"));
        }
    }

    fn contradictions(&mut self, entry: &StepEntry<'_>) {
        let step = entry.step;
        if step.irreversible && step.rollback.is_some() {
            let message = format!("`{}` is `irreversible` and has a `rollback`", step.id);
            let finding = Finding::error(codes::CONTRADICTION, message);
            self.report.add(&format!("{}/irreversible", entry.pointer), finding.hint("remove one of the two"));
        }
        let Some(value) = step.later.get("on_unknown") else { return };
        let pointer = format!("{}/on_unknown", entry.pointer);
        let chosen = self.read(&pointer, value, Lowering::on_unknown);
        if chosen == Some(skep_model::plan::OnUnknown::Verify) && !step.later.contains_key("verify") {
            let message = format!("`on_unknown: verify` on `{}`, and the step has no `verify`", step.id);
            let finding = Finding::error(codes::CONTRADICTION, message);
            self.report
                .add(&pointer, finding.hint("add what tells whether it was done: `verify: {run: ./is-done.sh}`"));
        }
    }

    fn results(&mut self, entry: &StepEntry<'_>) {
        if let Some(schema @ Value::Object(_)) = entry.step.later.get("output_schema")
            && let Err(message) = inputs::compile(schema)
        {
            let message = format!("the `output_schema` of `{}` cannot be used: {message}", entry.step.id);
            self.report.add(
                &format!("{}/output_schema", entry.pointer),
                Finding::error(codes::SCHEMA_INVALID, message)
                    .hint("it is a JSON Schema (draft 2020-12) without references to the web"),
            );
        }
        let Some(criteria) = entry.step.later.get("success_criteria") else { return };
        let count = criteria.as_array().map_or(1, Vec::len);
        if criteria::written(criteria).count() < count {
            let message = format!("a success criterion of `{}` is no text with a condition", entry.step.id);
            self.report.add(
                &format!("{}/success_criteria", entry.pointer),
                Finding::error(codes::CRITERION_INVALID, message)
                    .hint("write conditions in quotes: `success_criteria: [\"${{ exit_code == 0 }}\"]`"),
            );
        }
    }

    /// Which workflow is called is known before the start.
    fn child(&mut self, entry: &StepEntry<'_>) {
        let Kind::Workflow(call) = &entry.step.kind else { return };
        for key in ["name", "version"] {
            let Some(Value::String(text)) = call.get(key) else { continue };
            let pointer = format!("{}/workflow/{key}", entry.pointer);
            if text.contains("${{") {
                let message = format!("the `{key}` of a child workflow holds no expression");
                let hint = "it is looked up before the start; choose between workflows with `switch`";
                self.report.add(&pointer, Finding::error(codes::CHILD_INVALID, message).hint(hint));
            } else if text.trim().is_empty() {
                let message = format!("the `{key}` of the child workflow is empty");
                self.report.add(&pointer, Finding::error(codes::CHILD_INVALID, message).hint("name a workflow"));
            }
        }
    }
}

/// `on_error: {strategy: compensate, compensation_step: X}`: what X may be.
fn compensation_steps(outline: &Outline<'_>, report: &mut Report<'_>) {
    for (number, entry) in outline.steps.iter().enumerate() {
        let Some(OnError::Compensate { step }) = &entry.step.on_error else { continue };
        let in_finally = std::iter::successors(Some(number), |step| outline.owner_of(*step))
            .any(|step| outline.lists[outline.steps[step].list].role == Role::Finally);
        if in_finally {
            let message = format!("`{}` runs in `finally`, after everything has been undone", entry.step.id);
            let finding = Finding::error(codes::COMPENSATION_STEP_INVALID, message);
            report.add(&format!("{}/on_error", entry.pointer), finding.hint("use `on_error: skip` or `retry` here"));
        }
        if let Some(name) = step {
            named(number, name, outline, report);
        }
    }
    for (target, failing) in &outline.compensators {
        only_compensates(*target, failing[0], outline, report);
    }
}

/// The step that `number` names.
fn named(number: StepNumber, name: &str, outline: &Outline<'_>, report: &mut Report<'_>) {
    let entry = &outline.steps[number];
    let pointer = format!("{}/on_error/compensation_step", entry.pointer);
    let id = &entry.step.id;
    let Some(&target) = outline.by_id.get(name) else {
        let beside = outline.lists[entry.list].steps.iter().filter(|other| **other != number);
        let ids = beside.map(|other| outline.steps[*other].step.id.as_str());
        let message = format!("`{id}` is compensated by `{name}`, and no step has this id");
        let hint = suggest::meant_or_known(name, "the steps beside it", ids);
        report.add(&pointer, Finding::error(codes::STEP_UNKNOWN, message).maybe_hint(hint));
        return;
    };
    let other = &outline.steps[target];
    let (message, hint) = if target == number {
        (format!("`{id}` names itself as its compensation"), "name another step, or give it a `rollback`".to_owned())
    } else if other.list != entry.list {
        let message = format!("`{id}` is compensated by `{name}`, which stands in another list of steps");
        (message, format!("move `{name}` beside `{id}`"))
    } else {
        return;
    };
    report.add(&pointer, Finding::error(codes::COMPENSATION_STEP_INVALID, message).hint(hint));
}

/// `target` runs only as a compensation: nothing may make it a part of the usual flow.
fn only_compensates(target: StepNumber, failing: StepNumber, outline: &Outline<'_>, report: &mut Report<'_>) {
    let entry = &outline.steps[target];
    let step = entry.step;
    let (id, named_by) = (&step.id, &outline.steps[failing].step.id);
    let mut refuse = |pointer: String, message: String, hint: String| {
        report.add(&pointer, Finding::error(codes::COMPENSATION_STEP_INVALID, message).hint(hint));
    };
    if !matches!(step.kind, Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_)) {
        let message =
            format!("`{id}` is the compensation of `{named_by}`, and {} does no work", what_it_is(&step.kind));
        refuse(entry.pointer.clone(), message, "let it be a step with `run` or `uses`".to_owned());
    }
    let written = [
        ("depends_on", !step.depends_on.is_empty()),
        ("if", step.condition.is_some()),
        ("approve", step.approve.is_some()),
        ("on_error", step.on_error.as_ref().is_some_and(|on_error| *on_error != OnError::Fail)),
        ("rollback", step.rollback.is_some()),
    ];
    for (key, _) in written.into_iter().filter(|(_, is_written)| *is_written) {
        let message = format!("`{id}` runs only when `{named_by}` has failed, so it has no `{key}`");
        let hint = format!("remove `{key}`, or give the compensation a step of its own");
        refuse(format!("{}/{key}", entry.pointer), message, hint);
    }
    for other in &outline.lists[entry.list].steps {
        let other = &outline.steps[*other];
        if let Some(position) = other.step.depends_on.iter().position(|name| name == id) {
            let message =
                format!("`{}` depends on `{id}`, which runs only when `{named_by}` has failed", other.step.id);
            let hint = format!("remove `{id}` from its `depends_on`");
            refuse(format!("{}/depends_on/{position}", other.pointer), message, hint);
        }
    }
}
