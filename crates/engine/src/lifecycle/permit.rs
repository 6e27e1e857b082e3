//! Permit: the node's answer to what a step, or the execution, waits for in line. One that nobody waits for any more
//! is stale, and the node takes it back.

use skep_model::Map;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::permit::{Answer, Resource};
use skep_model::status::{Execution as Status, SkipReason};

use crate::codes;
use crate::decide::Deciding;
use crate::permits;
use crate::rejection::Rejection;
use crate::state::{Entry, Phase};
use crate::steps::approval;

pub(super) fn handle(
    turn: &mut Deciding<'_>,
    path: Option<&StepPath>,
    resource: &Resource,
    answer: &Answer,
) -> Result<(), Rejection> {
    match path {
        Some(path) => to_step(turn, path, resource, answer),
        None => to_execution(turn, resource, answer),
    }
}

fn to_step(turn: &mut Deciding<'_>, path: &StepPath, asked: &Resource, answer: &Answer) -> Result<(), Rejection> {
    let stale = || Rejection::Stale { path: path.to_string() };
    let id = turn.state.find(path).ok_or_else(stale)?;
    match &turn.state.instance(id).phase {
        Phase::AwaitingPermit { resource, .. } if **resource == *asked => {}
        _ => return Err(stale()),
    }
    match answer {
        Answer::Granted { probe } => {
            turn.emit(Event::PermitGranted { path: Some(path.clone()), probe: *probe })?;
            approval::begin_ready(turn, id)
        }
        Answer::Refused(failure) => super::outcome::failed(turn, id, failure.clone(), Map::new()),
        Answer::Skipped => {
            let reason = SkipReason::Concurrency;
            turn.emit(Event::Skipped { path: path.clone(), reason, failure: None })
        }
    }
}

fn to_execution(turn: &mut Deciding<'_>, asked: &Resource, answer: &Answer) -> Result<(), Rejection> {
    match &turn.state.entry {
        Entry::Queued { resource, .. } if resource == asked => {}
        _ => return Err(Rejection::Stale { path: "the execution".to_owned() }),
    }
    match answer {
        Answer::Granted { probe } => {
            turn.emit(Event::PermitGranted { path: None, probe: *probe })?;
            turn.mark_all();
            Ok(())
        }
        Answer::Refused(failure) => permits::end(turn, Status::Failed, failure.clone()),
        Answer::Skipped => {
            let message = format!("the group `{}` is full, and `when_full` is `skip`", asked.name());
            let failure = Failure::new(FailureKind::ResourceLimit, codes::LEFT_OUT.id, message)
                .with_hint("`when_full: queue` lets it wait for its turn");
            permits::end(turn, Status::Cancelled, failure)
        }
    }
}
