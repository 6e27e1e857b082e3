//! Snapshots, and which executions wait.

use skep_model::ids::LocalId;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use super::Fixture;
use super::cases::commit;
use super::samples::{change, created, idle, snapshot, write};
use crate::idle::IdleRow;
use crate::journal::Row;

pub(super) fn a_snapshot_lives_as_long_as_its_execution(store: &mut dyn Fixture) {
    commit(store, &[created(1), created(2)]);
    assert_eq!(store.reader().snapshot(LocalId(1)).unwrap(), None);
    commit(store, &[write(snapshot(1, 5)), write(snapshot(2, 7)), write(snapshot(1, 6))]);
    store.reopen();
    let stored = |store: &mut dyn Fixture, local| store.reader().snapshot(LocalId(local)).unwrap().map(Row::Snapshot);
    assert_eq!(stored(store, 1), Some(snapshot(1, 6)));
    commit(store, &[write(change(1, Status::Running, 7)), write(change(2, Status::Running, 7))]);
    assert_eq!(stored(store, 1), Some(snapshot(1, 6)));
    // The end takes it away, and one that comes too late is not kept.
    commit(store, &[write(change(1, Status::Completed, 8)), write(snapshot(1, 7))]);
    assert_eq!(stored(store, 1), None);
    commit(store, &[write(snapshot(1, 8))]);
    assert_eq!((stored(store, 1), stored(store, 2)), (None, Some(snapshot(2, 7))));
    // A rerun opens it again: it has snapshots until it ends anew.
    commit(store, &[write(change(1, Status::Running, 9)), write(snapshot(1, 9))]);
    assert_eq!(stored(store, 1), Some(snapshot(1, 9)));
    commit(store, &[write(change(1, Status::Failed, 10))]);
    assert_eq!(stored(store, 1), None);
}

pub(super) fn idle_and_busy_executions_are_told_apart(store: &mut dyn Fixture) {
    commit(store, &(1..=6).map(created).collect::<Vec<_>>());
    let waiting = [idle(2, true, Some(50)), idle(3, true, None), idle(4, true, Some(40)), idle(6, true, None)];
    commit(store, &waiting.map(write));
    commit(store, &[write(change(3, Status::Paused, 1)), write(idle(6, false, None))]);
    commit(store, &[write(change(5, Status::Failed, 1))]);
    store.reopen();
    let reader = store.reader();
    let row = |local, status, wake: Option<i64>| IdleRow {
        local: LocalId(local),
        status,
        next_wake: wake.map(Timestamp),
        for_people: wake.is_some(),
    };
    let all = [row(2, Status::Pending, Some(50)), row(3, Status::Paused, None), row(4, Status::Pending, Some(40))];
    assert_eq!(reader.idle_executions(None, 10).unwrap(), all);
    assert_eq!(reader.idle_executions(Some(LocalId(2)), 1).unwrap(), [all[1]]);
    assert_eq!(reader.idle_executions(Some(LocalId(4)), 10).unwrap(), []);
    assert_eq!(reader.busy_executions(None, 10).unwrap(), [LocalId(1), LocalId(6)]);
    assert_eq!(reader.busy_executions(None, 1).unwrap(), [LocalId(1)]);
    assert_eq!(reader.busy_executions(Some(LocalId(1)), 10).unwrap(), [LocalId(6)]);
}
