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
use crate::watch::Slots;

/// Scripts at a time: enough to keep a machine busy with ones that wait for others, few enough that a fan-out of
/// thousands neither exhausts its processes nor starves it.
pub(crate) const SCRIPTS_AT_A_TIME: usize = 64;

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
    /// Shows who waits.
    slots: Slots,
}

impl Backlog {
    pub fn new(slots: Slots) -> Self {
        Self { slots, ..Self::default() }
    }

    pub fn free(&self) -> usize {
        SCRIPTS_AT_A_TIME.saturating_sub(self.children)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn push(&mut self, task: Task) {
        self.slots.wait(&task.execution, &task.path);
        self.last += 1;
        self.waiting.insert((Reverse(task.priority), self.last), task);
    }

    pub fn put_back(&mut self, task: Task) {
        self.slots.wait(&task.execution, &task.path);
        self.first -= 1;
        self.waiting.insert((Reverse(task.priority), self.first), task);
    }

    pub fn forget(&mut self, token: &Token) {
        self.drop_where(|task| task.token == *token);
    }

    pub fn forget_execution(&mut self, execution: &ExecutionId) {
        self.drop_where(|task| task.execution == *execution);
    }

    fn drop_where(&mut self, is_dropped: impl Fn(&Task) -> bool) {
        let Self { waiting, slots, .. } = self;
        waiting.retain(|_, task| {
            let dropped = is_dropped(task);
            if dropped {
                slots.leave(&task.execution, &task.path);
            }
            !dropped
        });
    }

    /// The one that is served next.
    pub fn pop(&mut self) -> Option<Task> {
        let (_, task) = self.waiting.pop_first()?;
        self.slots.leave(&task.execution, &task.path);
        Some(task)
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
            let Some(task) = self.backlog.pop() else { return };
            let local = self.locals.get(&task.execution).copied();
            if let Some(local) = local.filter(|_| self.is_awaited(&task)) {
                self.pending.push(Box::new(Flight::of_backlog(local, task)));
            }
        }
    }

    /// False if the script was answered or stopped while it waited.
    pub(super) fn is_awaited(&self, task: &Task) -> bool {
        let live = self.locals.get(&task.execution).and_then(|local| self.core.get(*local));
        live.is_some_and(|live| live.state.awaits(&task.path, &task.token))
    }
}

#[cfg(test)]
mod tests {
    use skep_model::effect::Work;
    use skep_model::ids::StepPath;

    use super::*;

    fn task(path: &str, priority: i32) -> Task {
        let (execution, path) = (ExecutionId::new("e"), StepPath::from(path));
        Task {
            token: Token::derive(&execution, &path, 1, 1),
            execution,
            path,
            generation: 1,
            attempt: 1,
            delivery: 1,
            timeout_ms: None,
            policy: "none".into(),
            work: Work::Action { name: "noop".into(), with: serde_json::Value::Null, base_dir: "/".into() },
            priority: Priority(priority),
        }
    }

    #[test]
    fn slots_are_given_by_priority_then_by_arrival_and_shown_while_they_are_waited_for() {
        let slots = Slots::default();
        let mut backlog = Backlog::new(slots.clone());
        for (path, priority) in [("a", 50), ("b", 50), ("low", 25), ("high", 75), ("gone", 99)] {
            backlog.push(task(path, priority));
        }
        backlog.put_back(task("again", 50));
        backlog.forget(&task("gone", 99).token);
        assert_eq!(slots.of(&ExecutionId::new("e")).len(), 5);
        let order: Vec<String> = std::iter::from_fn(|| backlog.pop()).map(|task| task.path.to_string()).collect();
        assert_eq!(order, ["high", "again", "a", "b", "low"]);
        assert!(slots.of(&ExecutionId::new("e")).is_empty());
    }
}
