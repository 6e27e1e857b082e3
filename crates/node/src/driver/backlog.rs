//! Slots for scripts: so many run at a time, the others wait here, by priority and then in the
//! order in which they were scheduled.
//!
//! A waiting script is durable like any outstanding work, but has no process yet. When a slot is free its child
//! is forked, its identity committed in a turn of rows only, and then it is released.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use skep_model::effect::Task;
use skep_model::ids::{ExecutionId, Token};
use skep_model::plan::Priority;

use super::Driver;
use super::flight::Flight;

/// Scripts at a time: enough to keep a machine busy with ones that wait for others, few enough that a fan-out of
/// thousands neither exhausts its processes nor starves it.
pub(super) const SCRIPTS_AT_A_TIME: usize = 64;

/// Scripts that run, and those that wait for a slot.
#[derive(Default)]
pub(super) struct Backlog {
    /// Children that were forked and have not ended.
    pub children: usize,
    /// By priority, then by arrival.
    waiting: BTreeMap<(Reverse<Priority>, i64), Task>,
    /// Number of the newest arrival at the end.
    last: i64,
    /// Number of the newest arrival at the front.
    first: i64,
}

impl Backlog {
    pub fn free(&self) -> usize {
        SCRIPTS_AT_A_TIME.saturating_sub(self.children)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn push(&mut self, task: Task) {
        self.last += 1;
        self.waiting.insert((Reverse(task.priority), self.last), task);
    }

    pub fn put_back(&mut self, task: Task) {
        self.first -= 1;
        self.waiting.insert((Reverse(task.priority), self.first), task);
    }

    pub fn forget(&mut self, token: &Token) {
        self.waiting.retain(|_, task| task.token != *token);
    }

    pub fn forget_execution(&mut self, execution: &ExecutionId) {
        self.waiting.retain(|_, task| task.execution != *execution);
    }

    pub fn child_ended(&mut self) {
        self.children = self.children.saturating_sub(1);
    }
}

impl Driver {
    /// Gives free slots to scripts that wait.
    pub(super) fn serve_backlog(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        for _ in 0..self.backlog.free() {
            let Some((_, task)) = self.backlog.waiting.pop_first() else { return };
            let local = self.locals.get(&task.execution).copied();
            if let Some(local) = local.filter(|_| self.is_awaited(&task)) {
                self.pending.push(Flight::of_backlog(local, task));
            }
        }
    }

    /// False if the script was answered or stopped while it waited.
    pub(super) fn is_awaited(&self, task: &Task) -> bool {
        let live = self.locals.get(&task.execution).and_then(|local| self.core.get(*local));
        live.is_some_and(|live| live.state.awaits(&task.path, &task.token))
    }
}
