//! What is done about a failed attempt of a step that does work, and why.
//!
//! | the definition says | done |
//! |---|---|
//! | `retry`, and an attempt is left | retry |
//! | `on_error` | that |
//! | nothing, no `autonomy` | abort: the list that it stands in fails |
//! | nothing, `autonomy: act` | what the table says |
//! | nothing, `autonomy: suggest` | a person is asked, with what the table says |
//! | nothing, `autonomy: off` | a person is asked |
//!
//! Each of them is journalled as [`Judged`], before what follows from it.

mod facts;
mod recognise;

use serde_json::Value;
use skep_model::Map;
use skep_model::decision::{Action, Alternative, Autonomy, Facts, Judged, Range, Rule, Rules};
use skep_model::error::{Failure, Kind};
use skep_model::event::{Event, Then};
use skep_model::ids::StepPath;
use skep_model::plan::{OnError, Retry, Step};
use skep_model::status::SkipReason;

use crate::codes;
use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::retry;
use crate::state::{InstanceId, Phase};

pub(crate) use recognise::Recogniser;

/// Alternatives that a decision lists: more of them tell nobody anything.
const ALTERNATIVES_MAX: usize = 8;

/// True if failures of the step are judged: it does something that can fail.
pub(crate) fn is_judged(step: &Step) -> bool {
    facts::dependency(&step.kind).is_some()
}

/// The attempt that failed now, from 1; 0: the step failed before its first one.
pub(crate) fn attempt(turn: &Deciding<'_>, id: InstanceId) -> u32 {
    let instance = turn.state.instance(id);
    // One that was refused before it began is an attempt too.
    instance.attempt + u32::from(matches!(instance.phase, Phase::AwaitingPermit { .. }))
}

/// What is decided about a step that fails while it is being stopped.
const STOPPING: (Action, &str, &str) = (Action::Abort, "stopping", "what it belongs to is being stopped");

fn is_stopping(turn: &Deciding<'_>, path: &StepPath) -> bool {
    turn.state.find(path).is_some_and(|id| turn.state.frame(turn.state.instance(id).frame).stopping)
}

/// Journals that `retry` repeats the attempt.
pub(crate) fn by_retry(turn: &mut Deciding<'_>, id: InstanceId, failure: &Failure) -> Result<(), Rejection> {
    let (attempt, path) = (attempt(turn, id), turn.state.instance(id).path.clone());
    let of = turn.step_of(id).0.retry.as_ref().map_or(0, |retry| retry.max_attempts);
    let reason = format!("`retry` repeats it: attempt {attempt} of {of} failed");
    record(turn, &path, attempt, failure, Action::Retry, "retry", reason)
}

/// Journals what the definition makes of a failure for good.
pub(crate) fn by_definition(turn: &mut Deciding<'_>, path: &StepPath, failure: &Failure) -> Result<(), Rejection> {
    let Some((_, index)) = turn.program.split_path(path) else { return Ok(()) };
    let step = turn.program.step(index);
    if !is_judged(step) {
        return Ok(());
    }
    let attempt = turn.state.find(path).map_or(0, |id| attempt(turn, id));
    let spent = match &step.retry {
        Some(retry) if attempt >= retry.max_attempts => format!("all {attempt} attempts failed, and "),
        Some(_) => format!("`retry` does not repeat {}, and ", failure.finest_kind().as_str()),
        None => String::new(),
    };
    let (action, rule, why) = match &step.on_error {
        OnError::Escalate(_) if is_stopping(turn, path) => STOPPING,
        OnError::Fail | OnError::Open => (Action::Abort, "default", "nothing is said about it, so its list fails"),
        OnError::Skip => (Action::Skip, "on_error", "`on_error: skip`"),
        OnError::Compensate { .. } => (Action::Abort, "on_error", "`on_error: compensate` undoes what was done"),
        OnError::Escalate(_) => (Action::Escalate, "on_error", "`on_error: escalate` asks a person"),
    };
    record(turn, path, attempt, failure, action, rule, format!("{spent}{why}"))
}

fn record(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    attempt: u32,
    failure: &Failure,
    action: Action,
    rule: &str,
    reason: String,
) -> Result<(), Rejection> {
    turn.emit(Event::Judged(Box::new(Judged {
        path: path.clone(),
        attempt,
        action,
        autonomy: None,
        rule: rule.to_owned(),
        reason,
        kind: failure.finest_kind(),
        facts: None,
        alternatives: Vec::new(),
    })))
}

/// A step failed for which the definition says nothing: the workflow's autonomy and the table decide.
pub(crate) fn open(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    failure: Failure,
    outputs: Map<Value>,
) -> Result<(), Rejection> {
    let case = Case::of(turn, path, &failure)?;
    let autonomy = turn.program.plan().autonomy.unwrap_or(Autonomy::Off);
    let judged = case.judge(autonomy);
    let action = judged.action;
    let stops = case.is_stopping;
    turn.emit(Event::Judged(Box::new(judged)))?;
    match (autonomy, action) {
        _ if stops => fail(turn, path, failure, outputs),
        (Autonomy::Act, Action::Escalate) | (Autonomy::Off, _) => ask(turn, path, failure, None),
        (Autonomy::Act, action) => take(turn, path, action, failure, outputs),
        (Autonomy::Suggest, Action::Abort | Action::Escalate) => ask(turn, path, failure, None),
        (Autonomy::Suggest, action) => ask(turn, path, failure, Some(action)),
    }
}

fn ask(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    failure: Failure,
    suggestion: Option<Action>,
) -> Result<(), Rejection> {
    if crate::unknown::escalate(turn, path, &failure, suggestion)? {
        return Ok(());
    }
    fail(turn, path, failure, Map::new())
}

/// Does what was decided about a step that failed.
fn take(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    action: Action,
    failure: Failure,
    outputs: Map<Value>,
) -> Result<(), Rejection> {
    match action {
        Action::Retry => {
            let id = turn.state.find(path).ok_or_else(|| Rejection::Broken(format!("`{path}` was not reached")))?;
            let attempt = attempt(turn, id);
            let retry = turn.program.rules().retry.clone().unwrap_or_else(|| unreachable!("an attempt is left"));
            let retry_at = turn.now.plus_ms(retry::pause_after(&retry, &failure, attempt, turn.state.seed(), path));
            turn.emit(Event::AttemptFailed { path: path.clone(), failure, retry_at })
        }
        Action::Continue | Action::Skip => without(turn, path, action, failure, outputs),
        Action::Abort | Action::Escalate => fail(turn, path, failure, outputs),
    }
}

/// It goes on without the step.
pub(crate) fn without(
    turn: &mut Deciding<'_>,
    path: &StepPath,
    action: Action,
    failure: Failure,
    outputs: Map<Value>,
) -> Result<(), Rejection> {
    if action == Action::Skip {
        let reason = SkipReason::OnError;
        return turn.emit(Event::Skipped { path: path.clone(), reason, failure: Some(failure) });
    }
    let outputs = turn.store_map(outputs);
    turn.emit(Event::Failed { path: path.clone(), failure, outputs, handled: true })
}

fn fail(turn: &mut Deciding<'_>, path: &StepPath, failure: Failure, outputs: Map<Value>) -> Result<(), Rejection> {
    let outputs = turn.store_map(outputs);
    let critical = turn.is_critical(path, &failure);
    turn.emit(Event::Failed { path: path.clone(), failure, outputs, handled: false })?;
    if critical { crate::rollback::keep::ask_critical(turn, path) } else { Ok(()) }
}

/// A failure with everything that is looked at to judge it.
struct Case<'a> {
    path: &'a StepPath,
    step: &'a Step,
    rules: &'a Rules,
    attempt: u32,
    /// Its kind as precisely as it is known, and the kind that was reported.
    kinds: [Kind; 2],
    facts: Facts,
    /// Why it cannot be tried again, if so.
    no_retry: Option<&'static str>,
    is_stopping: bool,
}

impl<'a> Case<'a> {
    fn of(turn: &Deciding<'a>, path: &'a StepPath, failure: &Failure) -> Result<Self, Rejection> {
        let no_step = || Rejection::Broken(format!("`{path}` is no step"));
        let step = turn.program.step(turn.program.split_path(path).ok_or_else(no_step)?.1);
        let rules = turn.program.rules();
        let id = turn.state.find(path);
        let attempt = id.map_or(0, |id| attempt(turn, id));
        let no_retry = no_retry(turn, step, rules.retry.as_ref(), id, attempt);
        let most = rules.retry.as_ref().map_or(0, |retry| retry.max_attempts);
        let attempts_left = if no_retry.is_some() { 0 } else { most - attempt };
        let is_stopping = is_stopping(turn, path);
        let facts = facts::facts(turn.state, turn.program, step, id, attempts_left);
        let kinds = [failure.finest_kind(), failure.kind];
        Ok(Self { path, step, rules, attempt, kinds, facts, no_retry, is_stopping })
    }

    /// The decision of this rung.
    fn judge(&self, autonomy: Autonomy) -> Judged {
        let (action, rule, reason, alternatives) = match autonomy {
            _ if self.is_stopping => (STOPPING.0, STOPPING.1.to_owned(), STOPPING.2.to_owned(), Vec::new()),
            Autonomy::Off => {
                (Action::Escalate, "off".to_owned(), "`autonomy: off`: a person decides".to_owned(), Vec::new())
            }
            Autonomy::Suggest | Autonomy::Act => self.by_table(),
        };
        Judged {
            path: self.path.clone(),
            attempt: self.attempt,
            action,
            autonomy: Some(autonomy),
            rule,
            reason,
            kind: self.kinds[0],
            facts: Some(self.facts),
            alternatives,
        }
    }

    fn by_table(&self) -> (Action, String, String, Vec<Alternative>) {
        let holding: Vec<(&Rule, String)> =
            self.rules.rules.iter().filter_map(|rule| Some((rule, self.why(rule)?))).collect();
        let is_possible = |rule: &Rule| rule.then != Action::Retry || self.no_retry.is_none();
        let chosen = holding.iter().find(|(rule, _)| is_possible(rule));
        let others = holding.iter().filter(|(rule, _)| chosen.is_none_or(|(taken, _)| taken.name != rule.name));
        let alternatives = others
            .take(ALTERNATIVES_MAX)
            .map(|(rule, _)| Alternative {
                rule: rule.name.clone(),
                action: rule.then,
                not: self.no_retry.filter(|_| !is_possible(rule)).map(str::to_owned),
            })
            .collect();
        match chosen {
            Some((rule, why)) => (rule.then, rule.name.clone(), why.clone(), alternatives),
            None => (Action::Escalate, "none".to_owned(), "no rule of the table applies".to_owned(), alternatives),
        }
    }

    /// What of the facts makes a rule hold, for people; `None` if it does not hold.
    fn why(&self, rule: &Rule) -> Option<String> {
        let (when, facts) = (&rule.when, &self.facts);
        let mut reasons: Vec<String> = Vec::new();
        let mut all = true;
        let mut ask = |is_asked: bool, holds: bool, reason: String| {
            all &= !is_asked || holds;
            if is_asked {
                reasons.push(reason);
            }
        };
        let kind = self.kinds.into_iter().find(|kind| when.kind.contains(kind));
        let weight = facts.priority.as_str();
        ask(!when.priority.is_empty(), when.priority.contains(&facts.priority), format!("its priority is {weight}"));
        let class = self.kinds[0].class();
        ask(!when.class.is_empty(), when.class.contains(&class), format!("the failure is {}", class.as_str()));
        let said = kind.unwrap_or(self.kinds[0]).as_str();
        ask(!when.kind.is_empty(), kind.is_some(), format!("the failure is of kind {said}"));
        let left = facts.attempts_left;
        let attempts = if left == 1 { "1 attempt is left".to_owned() } else { format!("{left} attempts are left") };
        ask(when.attempts_left.is_some(), when.attempts_left == Some(left > 0), attempts);
        let mut range = |inside: Option<Range>, share: f64, what: &str| {
            ask(inside.is_some(), inside.is_some_and(|inside| inside.holds(share)), format!("{what} is {share:.2}"));
        };
        range(when.progress, facts.progress, "progress");
        range(when.health, facts.health, "health");
        for (asked, is_so, what) in [
            (when.critical, self.step.critical, "critical"),
            (when.read_only, self.step.read_only, "read_only"),
            (when.irreversible, self.step.irreversible, "irreversible"),
        ] {
            ask(
                asked.is_some(),
                asked == Some(is_so),
                format!("the step is {}{what}", if is_so { "" } else { "not " }),
            );
        }
        all.then(|| if reasons.is_empty() { "no rule before it applies".to_owned() } else { reasons.join(", ") })
    }
}

/// Why a step cannot be tried again by the table, if so.
fn no_retry(
    turn: &Deciding<'_>,
    step: &Step,
    retry: Option<&Retry>,
    id: Option<InstanceId>,
    attempt: u32,
) -> Option<&'static str> {
    let Some(instance) = id.map(|id| turn.state.instance(id)) else { return Some("it had not begun") };
    match retry {
        _ if instance.proposed => Some("its work is done"),
        _ if instance.stop.as_ref().is_some_and(|then| !is_childs_bound(then)) => Some("its time is over"),
        _ if step.retry.is_some() => Some("its own `retry` has said no"),
        _ if !may_repeat(&instance.phase) => Some("it had not begun"),
        None => Some("the table has no `retry`"),
        Some(retry) if attempt >= retry.max_attempts => Some("no attempts are left"),
        Some(_) => None,
    }
}

/// The bound of an attempt with a child, which is stopped before the attempt has failed.
fn is_childs_bound(then: &Then) -> bool {
    matches!(then, Then::Failed(failure) if failure.code == codes::CHILD_TIMEOUT.id)
}

/// True in the phases in which an attempt ends.
fn may_repeat(phase: &Phase) -> bool {
    match phase {
        Phase::Performing | Phase::Child { .. } | Phase::AwaitingPermit { .. } | Phase::Doubtful { .. } => true,
        Phase::Over
        | Phase::Ready
        | Phase::Retrying { .. }
        | Phase::Deciding { .. }
        | Phase::Filling { .. }
        | Phase::Sleeping { .. }
        | Phase::Listening { .. }
        | Phase::Choosing { .. }
        | Phase::Forking { .. }
        | Phase::Looping(_)
        | Phase::Questioned(_)
        | Phase::Asking { .. }
        | Phase::Queued { .. } => false,
    }
}
