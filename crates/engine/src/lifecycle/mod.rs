//! One file per message: what it means in each state.
//!
//! | message \ state | pending | running | paused | held | cancelling | terminal |
//! |---|---|---|---|---|---|---|
//! | Start | begins | refused | refused | refused | refused | refused |
//! | Outcome | refused | recorded, flow goes on | recorded | recorded | recorded, flow goes on | refused |
//! | Progress | refused | noted | noted | noted | noted | refused |
//! | TimerFired | refused | due timers fire | nothing | nothing | due timers fire | nothing |
//! | Signal | refused | taken or kept | taken or kept | taken or kept | taken or kept | refused |
//! | Approve, Reject, Input | refused | decided, flow goes on | decided | decided | if it still waits | refused |
//! | Cancel | refused | cancelling | cancelling | cancelling | forced after the grace period | refused |
//! | Pause | refused | paused | nothing | refused | refused | refused |
//! | Resume | refused | nothing | running | running, work delivered again | nothing | refused |
//! | Recovered | nothing | work delivered again | work delivered again | nothing | stopped work ends | nothing |
//! | Permit | refused | who waits for it goes on | recorded | recorded | who waits for it goes on | refused |
//!
//! `rolling_back` has no message yet that leads to it. "Nothing" is accepted without an event.

mod cancel;
mod decision;
mod input;
mod outcome;
mod pause;
mod permit;
mod progress;
mod recovered;
mod resume;
mod signal;
mod start;
mod timer;

use skep_model::ids::StepPath;
use skep_model::message::Message;
use skep_model::status::Execution as Status;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::state::{Instance, InstanceId};

/// Hands a message to its file.
pub(crate) fn handle(turn: &mut Deciding<'_>, message: &Message) -> Result<(), Rejection> {
    check_state(turn.state.status, message)?;
    match message {
        Message::Start(start) => start::handle(turn, start),
        Message::Outcome(outcome) => outcome::handle(turn, outcome),
        Message::Progress(progress) => progress::handle(turn, progress),
        Message::TimerFired => timer::handle(turn),
        Message::Signal { name, payload, actor } => signal::handle(turn, name, payload, actor),
        Message::Approve(decision) => decision::handle(turn, decision, true),
        Message::Reject(decision) => decision::handle(turn, decision, false),
        Message::Input { path, values, actor } => input::handle(turn, path.as_ref(), values, actor),
        Message::Cancel { actor, reason } => cancel::handle(turn, actor, reason.as_deref()),
        Message::Pause { actor } => pause::handle(turn, actor),
        Message::Resume { actor } => resume::handle(turn, actor),
        Message::Recovered => recovered::handle(turn),
        Message::Permit { path, resource, answer } => permit::handle(turn, path.as_ref(), resource, answer),
    }
}

/// The rows of the table that are the same for every message.
fn check_state(status: Status, message: &Message) -> Result<(), Rejection> {
    let silent = matches!(message, Message::TimerFired | Message::Recovered);
    match status {
        Status::Pending if matches!(message, Message::Start(_) | Message::Recovered) => Ok(()),
        Status::Pending => Err(Rejection::NotStarted),
        _ if matches!(message, Message::Start(_)) => Err(Rejection::AlreadyStarted),
        terminal if terminal.is_terminal() && !silent => Err(Rejection::Terminal(terminal)),
        _ => Ok(()),
    }
}

/// The instance at `path`, or the only one that waits for `what`.
fn waiting_instance(
    turn: &Deciding<'_>,
    path: Option<&StepPath>,
    what: &'static str,
    waits: impl Fn(&Instance) -> bool,
) -> Result<InstanceId, Rejection> {
    if let Some(path) = path {
        let id = turn.state.find(path).ok_or_else(|| Rejection::UnknownStep { path: path.to_string() })?;
        let waiting = waits(turn.state.instance(id));
        return if waiting { Ok(id) } else { Err(Rejection::NotWaiting { path: path.to_string(), what }) };
    }
    let waiting: Vec<InstanceId> = turn.state.instances.ids().filter(|id| waits(turn.state.instance(*id))).collect();
    match waiting.as_slice() {
        [] => Err(Rejection::NothingWaiting { what }),
        [only] => Ok(*only),
        several => Err(Rejection::Ambiguous { what, paths: paths(turn, several) }),
    }
}

fn paths(turn: &Deciding<'_>, ids: &[InstanceId]) -> Vec<String> {
    let mut paths: Vec<String> = ids.iter().map(|id| turn.state.instance(*id).path.to_string()).collect();
    paths.sort();
    paths
}
