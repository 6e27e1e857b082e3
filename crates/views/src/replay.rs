//! Looking at an execution as it was: after any of its events, and event by event.
//!
//! Events are numbered from 1 over all turns. Nothing is performed here: a replay reads.

use skep_model::event::Turn;
use skep_model::ids::StepPath;
use skep_model::plan::Plan;
use skep_model::time::Timestamp;

use crate::describe::describe;
use crate::execution::Execution;

/// One event in the history of an execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Number of the event, from 1 over all turns.
    pub number: u64,
    /// Number of its turn.
    pub seq: u64,
    /// When the turn was decided.
    pub at: Timestamp,
    /// The step it is about, if one.
    pub path: Option<StepPath>,
    /// What happened, in one line.
    pub text: String,
}

/// The view after event number `event`; 0 is before the first, a number past the end gives the newest view.
/// `turns` begin with the first one. In the middle of a turn `Execution::seq` still names the turn before.
pub fn state_at(plan: &Plan, turns: &[Turn], event: u64) -> Execution {
    let mut execution = Execution::new(plan);
    for turn in turns {
        let missing = usize::try_from(event.saturating_sub(execution.events)).unwrap_or(usize::MAX);
        if missing == 0 {
            return execution;
        }
        if missing >= turn.events.len() {
            execution.apply(turn);
            continue;
        }
        for event in &turn.events[..missing] {
            execution.apply_event(turn.at, event);
        }
        return execution;
    }
    execution
}

/// Folds one more turn into `execution` and describes each of its events; nothing for a turn that it has already.
/// `time` gives the text of a moment.
pub fn follow(execution: &mut Execution, turn: &Turn, time: &dyn Fn(Timestamp) -> String) -> Vec<Line> {
    if turn.seq <= execution.seq {
        return Vec::new();
    }
    let mut lines = Vec::with_capacity(turn.events.len());
    for event in &turn.events {
        let text = describe(event, execution, time);
        execution.apply_event(turn.at, event);
        let number = execution.events;
        lines.push(Line { number, seq: turn.seq, at: turn.at, path: event.path().cloned(), text });
    }
    execution.seq = turn.seq;
    lines
}

/// The whole history, a line per event.
pub fn lines(plan: &Plan, turns: &[Turn], time: &dyn Fn(Timestamp) -> String) -> Vec<Line> {
    let mut execution = Execution::new(plan);
    turns.iter().flat_map(|turn| follow(&mut execution, turn, time)).collect()
}
