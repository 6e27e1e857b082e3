//! Compensations run one at a time, in the reverse order of what was done, and only for what was done.

use skep_model::event::Event;
use skep_model::rollback::Part;
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
            let next = journal.stack.last().is_some_and(|top| **top == *step);
            let first = journal.first.as_ref().is_some_and(|first| Part::split(first).0 == step);
            demand(next || first, rule, || format!("{:?} comes first", journal.stack.last()))?;
        }
        Event::RolledBack { path } => {
            let top = journal.stack.pop();
            demand(top.as_ref() == Some(path), rule, || format!("{top:?} comes first"))?;
        }
        Event::UndoDropped { path } => {
            let is_first = journal.first.take().is_some_and(|first| first == *path);
            let top = if is_first { None } else { journal.stack.pop() };
            demand(is_first || top.as_ref() == Some(path), rule, || format!("{top:?} comes first"))?;
        }
        Event::RollbackEnded { status: Status::RolledBack, .. } => {
            demand(journal.stack.is_empty(), rule, || format!("{:?} is not undone", journal.stack))?;
        }
        _ => {}
    }
    Ok(())
}
