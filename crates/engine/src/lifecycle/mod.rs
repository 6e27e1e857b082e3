//! One file per message: what it means in each state.
//!
//! | message \ state | pending | running | paused | held | cancelling | rolling_back | terminal |
//! |---|---|---|---|---|---|---|---|
//! | Start | begins | refused | refused | refused | refused | refused | refused |
//! | Outcome | refused | recorded, flow goes on | recorded | recorded | recorded, flow goes on | recorded, the next compensation | refused |
//! | Progress | refused | noted | noted | noted | noted | noted | refused |
//! | TimerFired | refused | due timers fire | nothing | nothing | due timers fire | due timers fire | nothing |
//! | Signal | refused | taken or kept | taken or kept | taken or kept | taken or kept | kept | refused |
//! | KeepSignal | refused | kept | kept | kept | kept | kept | refused |
//! | Approve, Reject | refused | decided, flow goes on | decided | decided or answered; the last answer ends the hold | if it still waits | in `finally`, if it waits | refused |
//! | Input | refused | decided, flow goes on | decided | decided | if it still waits | in `finally`, if it waits | refused |
//! | Cancel | refused | cancelling | cancelling | cancelling; in a rollback see below | forced after the grace period | held after the compensation that runs | refused |
//! | Pause | refused | paused | nothing | refused | refused | refused | refused |
//! | Resume | refused | nothing | running | goes on, lost work delivered again, failed steps again; at a rollback point runs on from there; refused while it is asked whether a step was done | nothing | nothing | refused |
//! | Recovered | nothing | work delivered again, or doubted | work delivered again | work delivered again; nothing if lost deliveries hold it | stopped work ends | work delivered again | nothing |
//! | Rollback | refused | stops, then rolling_back | stops, then rolling_back | stops, then rolling_back; at a point undoes more; refused in a rollback | refused | refused | rolling_back; refused if nothing is left to undo |
//! | Checkpoint | refused | a rollback point | a rollback point | a rollback point; refused in a rollback | refused | refused | refused |
//! | Undone | refused | refused | refused | in a manual rollback: the next one | refused | refused | refused |
//! | Rerun | refused | refused | refused | refused | refused | refused | running, a new generation |
//! | ChildEnded | refused | recorded, flow goes on | recorded | recorded | recorded, flow goes on | recorded | refused |
//! | Permit | refused | who waits for it goes on | recorded | recorded | who waits for it goes on | who waits for it goes on | refused |
//!
//! Cancel of an execution that is held at a rollback point ends it, and what was done before stays. Cancel of one that
//! is held in a rollback: the first stops the rollback (held, for that reason), the second
//! ends it as `rollback_failed`. Cancel while `finally` runs after a rollback forces the end after the grace period.
//! "Nothing" is accepted without an event.

mod cancel;
mod checkpoint;
mod child_ended;
mod decision;
mod input;
pub(crate) mod outcome;
mod pause;
mod permit;
mod progress;
mod recovered;
mod rerun;
pub(crate) mod resume;
mod rollback;
mod signal;
mod start;
pub(crate) mod timer;
mod undone;

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
        Message::KeepSignal { name, payload, actor } => signal::keep(turn, name, payload, actor),
        Message::Approve(decision) => decision::handle(turn, decision, true),
        Message::Reject(decision) => decision::handle(turn, decision, false),
        Message::Input { path, values, actor } => input::handle(turn, path.as_ref(), values, actor),
        Message::Cancel { actor, reason } => cancel::handle(turn, actor, reason.as_deref()),
        Message::Pause { actor } => pause::handle(turn, actor),
        Message::Resume { actor } => resume::handle(turn, actor),
        Message::Recovered => recovered::handle(turn),
        Message::Rollback { actor, reason, strategy, to } => {
            rollback::handle(turn, actor, reason.as_deref(), *strategy, *to)
        }
        Message::Checkpoint { actor, note } => checkpoint::handle(turn, actor, note.as_deref()),
        Message::Undone { actor, path, comment } => undone::handle(turn, actor, path.as_ref(), comment.as_deref()),
        Message::Rerun { actor, from, inputs } => rerun::handle(turn, actor, from.as_ref(), inputs.as_ref()),
        Message::ChildEnded(ended) => child_ended::handle(turn, ended),
        Message::Permit { path, resource, answer } => permit::handle(turn, path.as_ref(), resource, answer),
    }
}

/// The rows of the table that are the same for every message.
fn check_state(status: Status, message: &Message) -> Result<(), Rejection> {
    let silent = matches!(message, Message::TimerFired | Message::Recovered | Message::Rollback { .. });
    match status {
        Status::Pending if matches!(message, Message::Start(_) | Message::Recovered) => Ok(()),
        Status::Pending => Err(Rejection::NotStarted),
        _ if matches!(message, Message::Start(_)) => Err(Rejection::AlreadyStarted),
        _ if matches!(message, Message::Rerun { .. }) => Ok(()),
        terminal
            if terminal.is_terminal()
                && skep_model::mutant!("signal-after-the-end")
                && matches!(message, Message::Signal { .. }) =>
        {
            Ok(())
        }
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
