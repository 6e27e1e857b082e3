//! Attempts and deliveries count up, retries follow the plan, results are those that the world gave, and what is final
//! stays so.

use serde_json::Value;
use skep_definition::decisions::builtin;
use skep_model::event::Event;
use skep_model::ids::{StepPath, Token};
use skep_model::payload::Payload;
use skep_model::plan::{Kind, OnError, Retry};
use skep_model::rollback::{Part, Question};
use skep_model::status::Step as StepStatus;
use skep_model::time::Timestamp;

use super::journal::{Doing, Journal, Path};
use super::{Invariant, Verdict, demand};
use crate::world::Outside;

pub(super) fn before(journal: &Journal, at: Timestamp, event: &Event, outside: &Outside) -> Verdict {
    let Some(path) = event.path() else { return Ok(()) };
    let rule = Invariant::StepsFollowTheirRules;
    demand(journal.step_of(path).is_some(), rule, || "the plan has no such step".to_owned())?;
    let known = journal.paths.get(path);
    let final_ = matches!(known.map(|known| &known.doing), Some(Doing::Done(_)));
    let undone = known.is_some_and(|known| known.part != Part::Step);
    demand(!final_ || undone || !goes_on(event), Invariant::NoRecordedStepRunsAgain, || {
        format!("the step was final: {known:?}")
    })?;
    match event {
        Event::Scheduled { delivery, .. } if undone => {
            let counts = known.is_some_and(|known| *delivery == known.delivery + 1);
            demand(counts, rule, || format!("it does not count up: {known:?}"))
        }
        Event::Scheduled { attempt, delivery, .. } => scheduled(known, at, *attempt, *delivery),
        Event::Redelivered { delivery, .. } => {
            let fits = known.is_some_and(|k| k.doing == Doing::Work && !k.stopping && *delivery == k.delivery + 1);
            demand(fits, rule, || format!("nothing of it was lost: {known:?}"))
        }
        Event::AttemptFailed { failure, .. } => {
            let (retry, child) = retry_of(journal, path);
            let refused = known.is_some_and(|known| known.doing == Doing::Permit);
            let ran = refused || works(known) || known.is_some_and(|known| known.doing == Doing::Doubt || child);
            // One that was refused before it began is an attempt too.
            let attempts = known.map_or(0, |known| known.attempt + u32::from(refused));
            let left = retry.is_some_and(|retry| attempts < retry.max_attempts);
            demand(left && ran, rule, || format!("no attempt is left, or none ran: {known:?}"))?;
            let stopping = known.is_some_and(|known| known.stopping);
            demand(!stopping, Invariant::StopsStop, || format!("it was to stop: {failure:?}"))
        }
        Event::PermitAsked { .. } => match known.map(|known| &known.doing) {
            Some(Doing::Retry(due)) => {
                demand(at >= *due, Invariant::TimersKeepTime, || format!("it is due at {due:?}"))
            }
            _ => Ok(()),
        },
        Event::Proposed { .. } => {
            // A verification may have said that its work was done.
            let done = works(known) || known.is_some_and(|known| known.doing == Doing::Doubt);
            demand(done, rule, || format!("nobody works on it: {known:?}"))
        }
        Event::Failed { handled: true, .. } => {
            let open = journal.step_of(path).is_some_and(|(_, step)| step.on_error == OnError::Open);
            demand(open, rule, || "nobody may decide to go on without it".to_owned())
        }
        Event::Completed { outputs, .. } if works(known) => result(journal, path, known, outputs, outside),
        _ => Ok(()),
    }
}

/// Whether an event is one of a step that is not over.
fn goes_on(event: &Event) -> bool {
    matches!(
        event,
        Event::Scheduled { .. }
            | Event::Redelivered { .. }
            | Event::AttemptFailed { .. }
            | Event::Proposed { .. }
            | Event::Completed { .. }
            | Event::Failed { .. }
            | Event::Skipped { .. }
            | Event::Cancelled { .. }
            | Event::CaseTaken { .. }
            | Event::Forked { .. }
            | Event::LoopBegan { .. }
            | Event::IterationBegan { .. }
            | Event::ApprovalAsked { .. }
            | Event::FormAsked { .. }
            | Event::WaitBegan { .. }
            | Event::Queued { .. }
            | Event::ChildAsked { .. }
            | Event::PermitAsked { .. }
            | Event::PermitGranted { .. }
    )
}

/// How a task path is repeated, and whether it is a child execution.
fn retry_of<'a>(journal: &'a Journal, path: &str) -> (Option<&'a Retry>, bool) {
    let Some((_, step)) = journal.step_of(path) else { return (None, false) };
    let side = match Part::split(path).1 {
        Part::Step => {
            // Where the definition says nothing, the table of decisions may repeat it.
            let table = || builtin().retry.as_ref().filter(|_| step.on_error == OnError::Open);
            return (step.retry.as_ref().or_else(table), matches!(step.kind, Kind::Workflow { .. }));
        }
        // The step that runs first in a rollback is repeated as it says itself.
        Part::Rollback if step.compensation.is_none() => return (step.retry.as_ref(), false),
        Part::Verify => step.verify.as_deref(),
        Part::Rollback => step.compensation.as_ref().map(|compensation| &compensation.work),
        Part::RollbackVerify => step.compensation.as_ref().and_then(|compensation| compensation.verify.as_ref()),
    };
    (side.and_then(|side| side.retry.as_ref()), false)
}

fn works(known: Option<&Path>) -> bool {
    known.is_some_and(|known| known.doing == Doing::Work)
}

fn scheduled(known: Option<&Path>, at: Timestamp, attempt: u32, delivery: u32) -> Verdict {
    let (attempts, deliveries) = known.map_or((0, 0), |known| (known.attempt, known.delivery));
    let rule = Invariant::StepsFollowTheirRules;
    // After a doubt the same attempt may be delivered again.
    let same = known.is_some_and(|known| known.doing == Doing::Doubt) && attempt == attempts;
    demand((attempt == attempts + 1 || same) && delivery == deliveries + 1, rule, || {
        format!("it does not count up: {known:?}")
    })?;
    match known.map(|known| &known.doing) {
        Some(Doing::Retry(due)) => demand(at >= *due, Invariant::TimersKeepTime, || format!("it is due at {due:?}")),
        Some(Doing::Doubt | Doing::Permit) => Ok(()),
        Some(Doing::Work) => demand(false, rule, || "it runs already".to_owned()),
        Some(Doing::Wait { .. } | Doing::Hold | Doing::Done(_)) | None => {
            demand(attempts == 0, rule, || format!("no attempt of it has failed: {known:?}"))
        }
    }
}

/// What is recorded as the result of work is what the world said of this delivery.
fn result(
    journal: &Journal,
    path: &StepPath,
    known: Option<&Path>,
    outputs: &skep_model::Map<Payload>,
    outside: &Outside,
) -> Verdict {
    let Some(known) = known else { return Ok(()) };
    let token = Token::derive(&journal.execution, path, known.generation, known.delivery);
    let (_, step) = journal.step_of(path).expect("it was looked up before");
    // A child is undone by the node; what its own steps did is checked with them.
    if matches!(step.kind, Kind::Workflow { .. }) && step.compensation.is_none() {
        return Ok(());
    }
    let Some(said) = outside.succeeded.get(&token) else {
        return demand(false, Invariant::ResultsAreTheWorlds, || "the world never said that it succeeded".to_owned());
    };
    let plain = step.outputs.is_none() && known.part == Part::Step;
    let differs = said.iter().find(|(name, value)| {
        plain && outputs.get(*name).is_some_and(|payload| payload.as_inline().is_some_and(|inline| inline != *value))
    });
    let missing = said.keys().find(|name| plain && !outputs.contains_key(*name));
    demand(differs.is_none() && missing.is_none(), Invariant::ResultsAreTheWorlds, || {
        format!("the world said {}", Value::from_iter(said.clone()))
    })
}

pub(super) fn apply(entry: &mut Path, event: &Event) {
    // Whoever is tried again by a person begins with its first attempt.
    if matches!(event, Event::QuestionAsked { about: Question::Escalated, .. }) {
        entry.attempt = 0;
    }
    if let Event::Failed { handled, .. } = event {
        entry.handled = *handled;
    }
    entry.doing = match event {
        Event::Scheduled { attempt, delivery, .. } => {
            (entry.attempt, entry.delivery) = (*attempt, *delivery);
            // What is beside a step begins anew each time that it is asked for.
            entry.stopping &= entry.part == Part::Step;
            Doing::Work
        }
        Event::Redelivered { delivery, .. } => {
            entry.delivery = *delivery;
            Doing::Work
        }
        Event::AttemptFailed { retry_at, .. } => {
            entry.attempt += u32::from(entry.doing == Doing::Permit);
            Doing::Retry(*retry_at)
        }
        Event::PermitAsked { .. } => Doing::Permit,
        Event::Completed { .. } => Doing::Done(StepStatus::Completed),
        Event::Failed { .. } => Doing::Done(StepStatus::Failed),
        Event::Skipped { .. } => Doing::Done(StepStatus::Skipped),
        Event::Cancelled { .. } => Doing::Done(StepStatus::Cancelled),
        Event::ApprovalAsked { until, .. } | Event::FormAsked { until, .. } => {
            Doing::Wait { until: *until, sleeps: false }
        }
        Event::WaitBegan { until, signal, every_ms, .. } => {
            Doing::Wait { until: *until, sleeps: signal.is_none() && every_ms.is_none() }
        }
        // A later attempt may find no place, and begins when there is one.
        Event::Queued { .. } if entry.attempt > 0 => Doing::Permit,
        Event::Proposed { .. } | Event::Queued { .. } => Doing::Hold,
        Event::ChildAsked { attempt, .. } => {
            entry.attempt = *attempt;
            Doing::Hold
        }
        Event::Doubted { .. } | Event::QuestionAsked { .. } if !matches!(entry.doing, Doing::Done(_)) => Doing::Doubt,
        // It is tried again, as if nobody had stopped it.
        Event::Answered { approved: true, .. } => {
            entry.stopping = false;
            entry.doing.clone()
        }
        Event::StopAsked { .. } => {
            entry.stopping = true;
            entry.doing.clone()
        }
        _ => entry.doing.clone(),
    };
}
