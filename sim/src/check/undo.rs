//! Compensations run one at a time, in the reverse order of what was done, and only for what was done.

use skep_model::event::Event;
use skep_model::rollback::{Part, Strategy};
use skep_model::status::Execution as Status;

use super::journal::{Doing, Journal};
use super::{Invariant, Verdict, demand};

pub(super) fn before(journal: &mut Journal, event: &Event) -> Verdict {
    let rule = Invariant::CompensationOrder;
    match event {
        Event::UndoKept { path, .. } => {
            let twice = journal.stack.contains(path);
            demand(!twice, rule, || "it can be undone already".to_owned())?;
            journal.stack.push(path.clone());
        }
        Event::CompensationAsked { first, .. } => journal.first.clone_from(first),
        Event::RollbackBegan { .. } => {
            let active = journal.paths.iter().find(|(_, path)| path.doing == Doing::Work);
            demand(active.is_none(), rule, || format!("something still runs: {active:?}"))?;
        }
        Event::Scheduled { path, attempt: 1, .. } if Part::split(path).1 == Part::Rollback => {
            let (step, _) = Part::split(path);
            let first = journal.first.as_ref().is_some_and(|first| Part::split(first).0 == step);
            demand(journal.strategy != Strategy::Manual, rule, || "a person undoes it by hand".to_owned())?;
            if !first {
                next(journal, step)?;
            }
        }
        Event::RolledBack { path, actor, .. } => {
            let by_hand = journal.strategy == Strategy::Manual;
            demand(by_hand == actor.is_some(), rule, || format!("it is undone by {actor:?}"))?;
            let at = next(journal, path)?;
            journal.stack.remove(at);
        }
        Event::UndoDropped { path } => {
            let is_first = journal.first.take().is_some_and(|first| first == *path);
            if !is_first {
                let at = next(journal, path)?;
                journal.stack.remove(at);
            }
        }
        Event::RollbackEnded { status: Status::RolledBack, .. } => {
            let done = journal.stack.is_empty() && journal.failed.is_empty();
            demand(done, rule, || format!("{:?} is not undone", journal.stack))?;
        }
        _ => {}
    }
    Ok(())
}

/// The place of what is undone next: above it is only what could not be undone, or what that was built on.
fn next(journal: &Journal, path: &str) -> Result<usize, super::Violation> {
    let rule = Invariant::CompensationOrder;
    let found = journal.stack.iter().rposition(|kept| **kept == *path);
    let at = found.filter(|at| *at >= journal.floor);
    demand(at.is_some(), rule, || format!("it is not to be undone: {:?}", journal.stack))?;
    let at = at.unwrap_or_default();
    let above = &journal.stack[at + 1..];
    let last_failed = above.iter().rposition(|kept| journal.failed.contains(kept));
    let passed_over = last_failed.map_or(0, |last| last + 1);
    demand(passed_over == above.len(), rule, || format!("{:?} comes first", above.last()))?;
    demand(!journal.failed.iter().any(|failed| **failed == *path), rule, || "undoing it has failed".to_owned())?;
    Ok(at)
}
