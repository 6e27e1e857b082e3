//! Nothing begins in an execution that stands still or in a list that stops, and the end says what happened.

use skep_model::event::Event;
use skep_model::rollback::Part;
use skep_model::status::{Execution as Status, Step as StepStatus};

use super::journal::{Doing, Journal};
use super::{Invariant, Verdict, demand};

/// The failure of an execution whose group was full and that did not want to wait: nothing of it began.
const LEFT_OUT: &str = "SKEP-X031";

pub(super) fn before(journal: &Journal, event: &Event) -> Verdict {
    // What is beside a step settles what has been, also where nothing new begins.
    let beside = event.path().is_some_and(|path| Part::split(path).1 != Part::Step);
    let doubted = event.path().and_then(|path| journal.paths.get(path)).is_some_and(|path| path.doing == Doing::Doubt);
    let begins = !beside
        && !doubted
        && matches!(
            event,
            Event::Scheduled { .. }
                | Event::CaseTaken { .. }
                | Event::Forked { .. }
                | Event::LoopBegan { .. }
                | Event::IterationBegan { .. }
                | Event::FinallyBegan { .. }
        );
    let stands = matches!(journal.status, Status::Paused | Status::Held | Status::Pending);
    demand(!(begins && stands), Invariant::StopsStop, || {
        format!("it begins while the execution is {:?}", journal.status)
    })?;
    let main =
        event.path().and_then(|path| journal.step_of(path)).is_some_and(|(_, step)| !in_finally(journal, step.block));
    let first = event.path().is_some_and(|path| !journal.paths.contains_key(path));
    // What is not reached any more may be skipped or fail; it does not begin.
    let stops = journal.cancelled || journal.asked;
    demand(!(begins && first && main && stops && !journal.finally), Invariant::StopsStop, || {
        "it begins although the execution is being cancelled".to_owned()
    })
}

fn in_finally(journal: &Journal, block: u32) -> bool {
    let mut block = block;
    loop {
        if journal.plan().finally == Some(block) {
            return true;
        }
        match journal.plan().blocks[block as usize].owner {
            Some(owner) => block = journal.plan().steps[owner as usize].block,
            None => return false,
        }
    }
}

pub(super) fn after(journal: &Journal, event: &Event) -> Verdict {
    let Event::Ended { status, failure, .. } = event else { return Ok(()) };
    let rule = Invariant::TerminalMeansTerminal;
    demand(status.is_terminal(), rule, || "it ends in a state that is no end".to_owned())?;
    let active = journal.paths.iter().find(|(_, path)| !matches!(path.doing, Doing::Done(_)));
    demand(active.is_none() || journal.forced || *status == Status::RollbackFailed, rule, || {
        format!("a step is still active: {active:?}")
    })?;
    let failed = journal.paths.iter().find(|(_, path)| {
        let step = &journal.plan().steps[path.step as usize];
        let block = step.block;
        let counts = block == journal.plan().root || journal.plan().finally == Some(block);
        counts && path.part == Part::Step && !path.handled && path.doing == Doing::Done(StepStatus::Failed)
    });
    match status {
        Status::Completed => {
            demand(!journal.cancelled && !journal.timed_out && failed.is_none(), rule, || {
                format!("it did not complete: {failed:?}")
            })?;
            demand(failure.is_none(), rule, || "it has a failure".to_owned())
        }
        Status::Cancelled => {
            let left_out = failure.as_ref().is_some_and(|failure| failure.code == LEFT_OUT);
            demand(journal.cancelled || journal.asked || journal.given_up || left_out, rule, || {
                "nobody cancelled it".to_owned()
            })
        }
        Status::Failed => demand(failure.is_some(), rule, || "it says nothing of why".to_owned()),
        Status::RolledBack | Status::RollbackFailed => Ok(()),
        Status::Pending
        | Status::Running
        | Status::Paused
        | Status::Held
        | Status::Cancelling
        | Status::RollingBack => demand(false, rule, || "it ends in a state that is no end".to_owned()),
    }
}
