//! What surrounds a step's work: compensation, verification, limits, checks of the result.
//!
//! Everything here was judged by `check`; what could not be read has refused the plan before.

use serde_json::Value;
use skep_model::Map;
use skep_model::plan::{self, Asking, Breaker, Compensation, Concurrency, OnError, Priority};

use super::kinds;
use super::lower::{is_work, wrapped};
use super::retry;
use crate::check::{SHELL_DEFAULT, ScriptOf, criteria};
use crate::lower::read::Lowering;
use crate::lower::settings::{self, SideWork, Written};
use crate::outline::Outline;
use crate::script::Placed;
use crate::tree::Node;
use crate::workflow::{self, Retry, Workflow};

/// So many failures open a breaker that names no number.
const BREAKER_FAILURES_DEFAULT: u32 = 5;
/// How long a breaker stays open that does not say it, in milliseconds.
const BREAKER_RESET_MS_DEFAULT: u64 = 60_000;

/// A rollback point after so many pieces of work, where the workflow names no number (seed 000: 3).
const CHECKPOINT_INTERVAL_DEFAULT: u32 = 3;

fn read<T>(workflow: &Workflow, value: &Value, read: impl FnOnce(&mut Lowering, &Node) -> Option<T>) -> Option<T> {
    Written { value, pointer: String::new(), places: &workflow.places }.read(read).0
}

/// `concurrency` of a workflow; without a `group` all its executions share the limit.
pub(super) fn of_workflow(workflow: &Workflow, id: &str) -> Option<Concurrency> {
    let settings = read(workflow, workflow.concurrency.as_ref()?, Lowering::concurrency)?;
    Some(concurrency(settings, id))
}

fn concurrency(settings: settings::Concurrency, group: &str) -> Concurrency {
    Concurrency {
        group: settings.group.unwrap_or_else(|| group.to_owned()),
        limit: settings.limit.unwrap_or(1),
        when_full: settings.when_full,
    }
}

/// `rollback` of the workflow, as far as it says something.
fn rollback_settings(workflow: &Workflow) -> settings::Rollback {
    let settings = workflow.rollback.as_ref().and_then(|value| read(workflow, value, Lowering::rollback_settings));
    settings.unwrap_or_default()
}

/// A failure is not undone by itself.
pub(super) fn keeps_effects(workflow: &Workflow) -> bool {
    rollback_settings(workflow).keeps_effects
}

/// How it is undone, if something of it can be.
pub(super) fn rollback(workflow: &Workflow, steps: &[plan::Step]) -> Option<plan::Rollback> {
    let undoes = |step: &plan::Step| {
        step.compensation.is_some() || step.compensation_only || matches!(step.kind, plan::Kind::Workflow { .. })
    };
    let settings = rollback_settings(workflow);
    steps.iter().any(undoes).then(|| plan::Rollback {
        strategy: settings.strategy.unwrap_or_default(),
        checkpoint_interval: settings.checkpoint_interval.unwrap_or(CHECKPOINT_INTERVAL_DEFAULT),
        escalation_target: settings.escalation_target.unwrap_or_default(),
    })
}

/// The text template of a start's idempotency key.
pub(super) fn idempotency_key(workflow: &Workflow) -> Option<String> {
    let value = workflow.idempotency.as_ref().filter(|value| !matches!(value, Value::Bool(_) | Value::Null))?;
    read(workflow, value, Lowering::idempotency_key)
}

/// Lowers what surrounds one step's work.
pub(super) struct Effects<'a> {
    pub workflow: &'a Workflow,
    pub workflow_id: &'a str,
    pub step: &'a workflow::Step,
    /// A script of the step, if it holds values.
    pub placed: &'a dyn Fn(ScriptOf) -> Option<&'a Placed>,
}

impl Effects<'_> {
    fn later<T>(&self, key: &str, how: impl FnOnce(&mut Lowering, &Node) -> Option<T>) -> Option<T> {
        read(self.workflow, self.step.later.get(key)?, how)
    }

    /// `rollback`; `None` also for work that no plan has a place for, which `not_built` refuses.
    pub fn compensation(&self) -> Option<Box<Compensation>> {
        let side = read(self.workflow, self.step.rollback.as_ref()?, Lowering::compensation_side)?;
        let verify = side.verify.as_deref().and_then(|verify| self.side(verify, ScriptOf::RollbackVerify));
        Some(Box::new(Compensation { work: self.side(&side, ScriptOf::Rollback)?, verify }))
    }

    /// `verify`.
    pub fn verify(&self) -> Option<Box<plan::Side>> {
        let side = self.later("verify", Lowering::verification_side)?;
        self.side(&side, ScriptOf::Verify).map(Box::new)
    }

    fn side(&self, side: &settings::Side, of: ScriptOf) -> Option<plan::Side> {
        let defaults = &self.workflow.defaults;
        let kind = match &side.work {
            SideWork::Run { script, shell } => {
                let shell = shell.as_deref().or(defaults.shell.as_deref()).unwrap_or(SHELL_DEFAULT);
                kinds::script(script, shell, (self.placed)(of))
            }
            SideWork::Uses { action, with } => {
                plan::Kind::Uses { action: action.as_str().into(), with: kinds::object(with) }
            }
            SideWork::Agent | SideWork::Ai => return None,
        };
        // What the step's own work needed, its undoing and its verification need, too.
        let mut env: Map<String> = self.step.env.clone();
        env.extend(side.env.clone());
        let is_run = matches!(kind, plan::Kind::Run { .. });
        let inherited = defaults.working_dir.as_ref().filter(|_| is_run);
        Some(plan::Side {
            kind,
            env,
            working_dir: side.working_dir.as_ref().or(self.step.working_dir.as_ref()).or(inherited).cloned(),
            timeout_ms: side.timeout_ms.or(defaults.timeout_ms),
            retry: self.retry_of(side, of),
        })
    }

    /// Undoing is work like any other. A verification answers with its failure, so that it is repeated only where its
    /// own `retry` says so.
    fn retry_of(&self, side: &settings::Side, of: ScriptOf) -> Option<plan::Retry> {
        let defaults = self.workflow.defaults.retry.as_ref().filter(|_| of == ScriptOf::Rollback);
        let own = side.retry.as_ref().or(defaults)?;
        Some(retry::lower(own, defaults.unwrap_or(&Retry::default())))
    }

    /// `concurrency`.
    pub fn concurrency(&self) -> Option<Concurrency> {
        self.later("concurrency", Lowering::concurrency).map(|settings| concurrency(settings, &self.step.id))
    }

    /// `circuit_breaker`, unless it is switched off.
    pub fn breaker(&self) -> Option<Breaker> {
        let breaker = self.later("circuit_breaker", Lowering::breaker)?;
        Some(Breaker {
            name: breaker.name.unwrap_or_else(|| format!("{}/{}", self.workflow_id, self.step.id)),
            failures: breaker.failures.unwrap_or(BREAKER_FAILURES_DEFAULT),
            threshold: breaker.threshold,
            window_ms: breaker.window_ms,
            reset_ms: breaker.reset_ms.unwrap_or(BREAKER_RESET_MS_DEFAULT),
        })
    }

    /// `priority`.
    pub fn priority(&self) -> Priority {
        self.later("priority", Lowering::priority).unwrap_or_default()
    }

    /// `on_unknown`.
    pub fn on_unknown(&self) -> Option<plan::OnUnknown> {
        self.later("on_unknown", Lowering::on_unknown)
    }

    /// `success_criteria` that are conditions; named checks are refused before a start.
    pub fn criteria(&self) -> Vec<String> {
        let Some(written) = self.step.later.get("success_criteria") else { return Vec::new() };
        let conditions = criteria::written(written).filter(|(_, text)| !criteria::is_named_check(text));
        conditions.map(|(_, text)| wrapped(text)).collect()
    }

    /// `output_schema`; `true` and `false` say nothing about a result.
    pub fn output_schema(&self) -> Option<Value> {
        self.step.later.get("output_schema").filter(|schema| schema.is_object()).cloned()
    }

    /// `on_error`; a step that does work and says nothing leaves it to the workflow's `autonomy`, if it has one.
    pub fn on_error(&self, outline: &Outline<'_>) -> OnError {
        match &self.step.on_error {
            None if self.workflow.autonomy.is_some() && self.is_judged() => OnError::Open,
            None | Some(workflow::OnError::Fail) => OnError::Fail,
            Some(workflow::OnError::Skip) => OnError::Skip,
            Some(workflow::OnError::Compensate { step }) => {
                let step = step.as_deref().and_then(|name| outline.by_id.get(name)).copied().map(kinds::index);
                OnError::Compensate { step }
            }
            Some(workflow::OnError::Escalate(asking)) => OnError::Escalate(of_asking(asking)),
        }
    }

    fn is_judged(&self) -> bool {
        is_work(self.step) || matches!(self.step.kind, workflow::Kind::Workflow(_))
    }
}

/// Who is asked, in order of time.
pub(crate) fn of_asking(asking: &workflow::Asking) -> Asking {
    Asking {
        to: asking.target.clone().unwrap_or_default(),
        escalate: kinds::escalations(&asking.escalate),
        timeout_ms: asking.timeout_ms,
        on_timeout: asking.on_timeout.unwrap_or_default(),
    }
}
