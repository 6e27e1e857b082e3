//! Which kind of step an event begins, for the count of what was covered.

use skep_engine::Program;
use skep_model::event::Event;
use skep_model::plan::{self, Wait};
use skep_model::rollback::Part;

use crate::generate::Kind;

/// The kind of the step that `event` begins.
pub fn kind_of(program: &Program, event: &Event) -> Option<Kind> {
    let begins = matches!(
        event,
        Event::Scheduled { attempt: 1, .. }
            | Event::ChildAsked { attempt: 1, .. }
            | Event::ApprovalAsked { .. }
            | Event::FormAsked { .. }
            | Event::WaitBegan { .. }
            | Event::CaseTaken { .. }
            | Event::Forked { .. }
            | Event::LoopBegan { .. }
    );
    let path = event.path().filter(|_| begins)?;
    let (path, part) = Part::split(path);
    if part != Part::Step {
        return None;
    }
    let id = path.rfind("].").map_or(path, |at| &path[at + 2..]);
    let step = program.plan().step_by_id(id)?;
    Some(match &program.plan().steps[step as usize].kind {
        plan::Kind::Run { .. } => Kind::Script,
        plan::Kind::Uses { .. } => Kind::Action,
        plan::Kind::Approval(_) => Kind::Approval,
        plan::Kind::Input(_) => Kind::Form,
        plan::Kind::Wait(Wait::Duration { .. }) => Kind::Sleep,
        plan::Kind::Wait(Wait::Moment { .. }) => Kind::Until,
        plan::Kind::Wait(Wait::Signal { .. }) => Kind::Signal,
        plan::Kind::Wait(Wait::Condition { .. }) => Kind::Condition,
        plan::Kind::Switch { .. } => Kind::Switch,
        plan::Kind::Parallel { .. } => Kind::Parallel,
        plan::Kind::Foreach { .. } => Kind::Foreach,
        plan::Kind::While { .. } => Kind::While,
        plan::Kind::Repeat { times: Some(_), .. } => Kind::Repeat,
        plan::Kind::Repeat { times: None, .. } => Kind::RepeatUntil,
        plan::Kind::Workflow { .. } => Kind::Child,
        plan::Kind::Agent { .. } | plan::Kind::Ai { .. } => return None,
    })
}
