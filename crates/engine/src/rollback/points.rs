//! Rollback points: the state as it was at some moments, so that an execution can go on from there.
//!
//! A point holds a copy of the state, which costs as much as the state is large; there is one after so many pieces of
//! work, they are bounded in number, and workflows of which nothing can be undone have none.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::limits::ROLLBACK_POINTS_MAX;
use skep_model::rollback::PointKind;
use skep_model::status::Execution as Status;

use crate::decide::Deciding;
use crate::rejection::Rejection;
use crate::rollback::Stage;
use crate::state::{Instance, State};

/// The points of an execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Points {
    /// The start first, then the newest ones in their order. Empty where the plan has none.
    pub made: Vec<Point>,
    /// Number of the next one.
    pub next: u32,
    /// Pieces of work that have completed since the last one.
    pub completed: u32,
    /// The step with `checkpoint: true` that has completed since.
    pub wanted: Option<StepPath>,
}

/// A rollback point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    /// From 0, the start.
    pub number: u32,
    /// Entries of the stack at that moment.
    pub depth: usize,
    /// The state at that moment, without points.
    pub past: Arc<State>,
}

impl Points {
    /// Adds the newest one; the oldest but the start goes when there are too many.
    pub fn add(&mut self, point: Point) {
        self.next = point.number + 1;
        self.completed = 0;
        self.wanted = None;
        self.made.push(point);
        if self.made.len() > ROLLBACK_POINTS_MAX + 1 {
            self.made.remove(1);
        }
    }

    /// The point with this number.
    pub fn find(&self, number: u32) -> Option<&Point> {
        self.made.iter().find(|point| point.number == number)
    }

    /// Those after this one are gone; it is as if it was made just now.
    pub fn go_back_to(&mut self, number: u32) {
        self.made.retain(|point| point.number <= number);
        self.completed = 0;
        self.wanted = None;
    }

    /// The newest one that something on the stack came after.
    pub fn latest_below(&self, depth: usize) -> Option<&Point> {
        self.made.iter().rev().find(|point| point.depth < depth)
    }
}

/// A step whose work was done and is on the stack, but that is not over before a person says yes. Going back to such a
/// moment would let it begin again, and do its work a second time, so no point is made before it is over.
pub(crate) fn awaits_verdict(state: &State) -> Option<&StepPath> {
    let open = |instance: &&Instance| instance.proposed && !instance.status.is_final();
    state.instances.iter().find(open).map(|instance| &instance.path)
}

/// Makes a point at the end of a turn in which one is due and may be.
pub(crate) fn make_due(turn: &mut Deciding<'_>) -> Result<(), Rejection> {
    let Some(settings) = &turn.program.plan().rollback else { return Ok(()) };
    let points = &turn.state.undo.points;
    let kind = match (&points.wanted, points.completed >= settings.checkpoint_interval) {
        (Some(_), _) => PointKind::Step,
        (None, true) => PointKind::Interval,
        (None, false) => return Ok(()),
    };
    let state = &turn.state;
    let runs = state.status == Status::Running && state.undo.stage == Stage::Idle;
    if !runs || state.ending.is_some() || state.finally.is_some() {
        return Ok(());
    }
    if awaits_verdict(state).is_some() {
        return Ok(());
    }
    let (number, path) = (points.next, points.wanted.clone());
    turn.emit(Event::PointMade { number, kind, path, actor: None, note: None })
}
