//! What bounds memory and restarts: eviction, snapshots, values stored together.

use std::sync::atomic::Ordering;

use serde_json::json;
use skep_model::ids::LocalId;
use skep_model::message::Message;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_store::{Journal, Reader, Row, StoredSnapshot, Write};

use super::world::{World, ada, message_to, signal};
use crate::Summary;
use crate::error::Error;

const LISTENS: &str =
    "steps: [{id: a, uses: set, with: {value: 1}}, {id: go, wait: {signal: go}}, {id: z, uses: noop}]";
const SLEEPS: &str = "steps: [{id: nap, wait: {for: 1m}}, {id: z, uses: noop}]";
const HANGS: &str = "steps: [{id: a, uses: log, with: {message: x}}, {id: z, uses: noop}]";

fn waits(world: &World, local: LocalId) -> Option<Summary> {
    world.watcher.summary(local)
}

#[test]
fn only_so_many_waiting_executions_stay_in_memory() {
    let mut world = World::new(2);
    let locals: Vec<LocalId> = (0..5).map(|_| world.start(LISTENS)).collect();
    let busy: Vec<LocalId> = (0..3).map(|_| world.start(HANGS)).collect();
    assert_eq!(world.in_memory(), 5, "two that wait and three that work");
    let expected = Summary { status: Status::Running, waits_for_people: true };
    assert!(locals.iter().all(|local| waits(&world, *local) == Some(expected)));
    assert!(world.driver.core.get(locals[3]).is_some(), "what was touched last stays");
    world.tell(locals[0], signal("go", json!(7))).unwrap().unwrap();
    assert_eq!((world.status(locals[0]), waits(&world, locals[0])), (Status::Completed, None));
    assert_eq!((world.status(locals[1]), world.in_memory()), (Status::Running, 5));
    let idle: Vec<LocalId> =
        world.outside.store.idle_executions(None, 10).unwrap().into_iter().map(|row| row.local).collect();
    assert_eq!((idle.as_slice(), world.outside.store.busy_executions(None, 10).unwrap()), (&locals[1..], busy));
}

#[test]
fn a_message_that_an_evicted_execution_refuses_does_not_keep_it() {
    let mut world = World::new(0);
    let local = world.start(LISTENS);
    assert_eq!(world.in_memory(), 0);
    let decision = skep_model::message::Decision { path: None, actor: ada(), comment: None };
    assert!(world.tell(local, Message::Approve(decision)).unwrap().is_err());
    assert_eq!((world.in_memory(), world.status(local)), (0, Status::Running));
    world.tell(local, Message::Pause { actor: ada() }).unwrap().unwrap();
    assert_eq!(waits(&world, local), Some(Summary { status: Status::Paused, waits_for_people: true }));
    world.tell(local, signal("go", json!(7))).unwrap().unwrap();
    assert_eq!((world.in_memory(), world.status(local)), (0, Status::Paused));
    world.tell(local, Message::Resume { actor: ada() }).unwrap().unwrap();
    assert_eq!(world.status(local), Status::Completed);
}

#[test]
fn timers_of_evicted_executions_fire() {
    let mut world = World::new(0);
    let locals: Vec<LocalId> = (0..600).map(|_| world.start(SLEEPS)).collect();
    assert_eq!((world.in_memory(), world.watcher.all_settled()), (0, false));
    assert_eq!(world.driver.core.due(Timestamp(i64::MAX)).len(), 256, "not all at once");
    world.pass_ms(59_999);
    assert_eq!(world.status(locals[0]), Status::Running);
    world.pass_ms(1);
    assert!(locals.iter().all(|local| world.status(*local) == Status::Completed));
    assert!(world.watcher.all_settled() && world.driver.core.next_wake().is_none());
}

#[test]
fn asking_a_condition_writes_nothing_and_fetches_the_execution_when_it_is_due() {
    let mut world = World::new(0);
    let local = world.start("steps: [{id: w, wait: {condition: '${{ 1 > 2 }}', every: 7s, timeout: 1m}}]");
    let rows = |world: &World| world.outside.store.idle_executions(None, 10).unwrap();
    let (before, turns) = (rows(&world), world.journal(local));
    assert_eq!((before.len(), world.in_memory()), (1, 0));
    for _ in 0..5 {
        world.pass_ms(7_000);
        assert_eq!((rows(&world), world.journal(local), world.in_memory()), (before.clone(), turns.clone(), 0));
    }
    // A new owner asks at once, and then with the same pauses.
    let mut world = world.crash();
    world.recover();
    assert_eq!((rows(&world), world.in_memory()), (before, 0));
    world.pass_ms(60_000);
    assert_eq!(world.status(local), Status::Failed);
}

#[test]
fn an_execution_that_is_run_again_waits_and_leaves_the_memory_again() {
    let mut world = World::new(0);
    let local = world.start(LISTENS);
    world.tell(local, signal("go", json!(1))).unwrap().unwrap();
    assert_eq!((world.status(local), waits(&world, local)), (Status::Completed, None));
    let again = Message::Rerun { actor: ada(), from: None, inputs: None };
    world.tell(local, again).unwrap().unwrap();
    assert_eq!((world.status(local), world.in_memory()), (Status::Running, 0));
    assert_eq!(world.outside.store.execution_by_local(local).unwrap().unwrap().ended_at, None);
    let idle = world.outside.store.idle_executions(None, 10).unwrap();
    assert!(idle.len() == 1 && idle[0].local == local && idle[0].for_people, "{idle:?}");
    world.tell(local, signal("go", json!(2))).unwrap().unwrap();
    assert_eq!((world.status(local), waits(&world, local)), (Status::Completed, None));
    assert!(world.outside.store.idle_executions(None, 10).unwrap().is_empty());
}

#[test]
fn what_is_not_on_the_disk_is_not_evicted() {
    let mut world = World::new(0);
    let local = world.start("steps: [{id: a, wait: {signal: one}}, {id: b, wait: {signal: two}}]");
    world.hold(true);
    assert!(world.tell(local, signal("one", json!(1))).is_none());
    let decision = skep_model::message::Decision { path: None, actor: ada(), comment: None };
    assert!(world.tell(local, Message::Approve(decision)).unwrap().is_err(), "what is refused needs no commit");
    assert_eq!(world.in_memory(), 1, "its journal does not have the first signal yet");
    assert!(world.tell(local, signal("two", json!(1))).is_none());
    world.hold(false);
    assert_eq!((world.in_memory(), world.status(local)), (0, Status::Completed));
}

#[test]
fn a_restart_brings_only_what_is_performed_into_memory() {
    let mut world = World::new(10);
    let listening = world.start(LISTENS);
    let sleeping = world.start(SLEEPS);
    let working = world.start(HANGS);
    let mut world = world.crash();
    assert_eq!((world.recover(), world.in_memory()), (2, 1));
    assert_eq!(waits(&world, listening), Some(Summary { status: Status::Running, waits_for_people: true }));
    assert_eq!(waits(&world, sleeping), Some(Summary { status: Status::Running, waits_for_people: false }));
    assert!(world.journal(working).last().unwrap().contains("redelivered"));
    assert_eq!((world.journal(listening).len(), world.journal(sleeping).len()), (2, 1), "nothing happens to them");
    assert_eq!(world.driver.core.next_wake(), Some(Timestamp(61_000_000)));
    assert_eq!(world.recover(), 0, "they are there already");
    world.pass_ms(60_000);
    world.tell(listening, signal("go", json!(7))).unwrap().unwrap();
    assert_eq!([listening, sleeping].map(|local| world.status(local)), [Status::Completed; 2]);
}

#[test]
fn a_store_that_does_not_say_who_waits_is_mended_by_the_first_restart() {
    let mut world = World::new(10);
    let local = world.start(LISTENS);
    let unknown = Row::Idle(skep_store::IdleChange { local, idle: false, next_wake: None, for_people: false });
    world.outside.store.clone().commit(&[Write { turn: None, rows: vec![unknown] }]).unwrap();
    let mut world = world.crash();
    assert_eq!((world.recover(), world.in_memory()), (0, 1));
    let mut world = world.crash();
    assert_eq!((world.recover(), world.in_memory()), (1, 0));
}

const MIXED: &str = "
steps:
  - id: each
    foreach: '${{ [1, 2, 3] }}'
    max_parallel: 2
    steps:
      - {id: nap, wait: {for: 10s}}
      - {id: work, uses: set, with: {value: '${{ item }}'}}
      - {id: go, wait: {signal: go, timeout: 1m}}
  - {id: ask, approval: {message: ok, timeout: 1h, on_timeout: approve}}
  - {id: z, uses: set, with: {value: '${{ steps.each.outputs.results[2].outputs.work.value }}'}}
";

/// The same things happen to executions whether they stay in memory or not, restarts included.
#[test]
fn eviction_changes_no_journal() {
    let run = |idle_max: usize, crashes: bool| {
        let mut world = World::new(idle_max);
        let locals: Vec<LocalId> = (0..4).map(|_| world.start(MIXED)).collect();
        for round in 0..30 {
            world.pass_ms(4_000);
            let local = locals[round % locals.len()];
            drop(world.tell(local, signal("go", json!(round))));
            if crashes && round % 7 == 3 {
                world = world.crash();
                world.recover();
            }
        }
        world.pass_ms(4_000_000);
        let ended = locals.iter().all(|local| world.status(*local).is_terminal());
        assert!(ended, "{:?}", locals.iter().map(|local| world.status(*local)).collect::<Vec<_>>());
        locals.iter().map(|local| world.journal(*local)).collect::<Vec<_>>()
    };
    let expected = run(1_000, false);
    assert!(expected.iter().all(|journal| journal.len() > 10), "{expected:#?}");
    for (idle_max, crashes) in [(0, false), (1, false), (2, true), (0, true)] {
        assert_eq!(run(idle_max, crashes), expected, "{idle_max} {crashes}");
    }
}

const LONG: &str = "
steps:
  - {id: l, repeat: {times: 400}, steps: [{id: a, uses: set, with: {value: '${{ index }}'}}]}
  - {id: go, wait: {signal: go}}
  - {id: z, uses: set, with: {value: '${{ steps.l.outputs.results[399].outputs.a.value }}'}}
";

/// An execution that has a snapshot and waits, the snapshot, and its last turn.
fn long() -> (World, LocalId, StoredSnapshot, u64) {
    let mut world = World::new(10);
    let local = world.start(LONG);
    let snapshot = world.outside.store.snapshot(local).unwrap().expect("it has many events");
    let seq = world.driver.core.get(local).unwrap().state.seq;
    (world, local, snapshot, seq)
}

#[test]
fn a_long_execution_comes_back_from_its_snapshot() {
    let (world, local, snapshot, seq) = long();
    let (whole, _) = world.folded(local, seq);
    assert!(snapshot.seq > 1 && snapshot.seq < seq, "{} of {seq}", snapshot.seq);
    assert!(world.brought(local).state == whole);
    // Only what came after it is folded.
    let tail = world.brought(local).history();
    let events = world.journal(local).into_iter().map(|turn| turn.matches("\"t\":").count());
    let expected: usize = events.skip(snapshot.seq as usize).sum();
    assert_eq!((tail.events, tail.snapshot_bytes), (expected, snapshot.bytes.len()));
    let mut world = world.crash();
    world.recover();
    world.tell(local, signal("go", json!(1))).unwrap().unwrap();
    assert_eq!(world.status(local), Status::Completed);
    assert!(world.journal(local).iter().any(|turn| turn.contains(r#""p":"z","o":{"value":{"v":399}}"#)));
    assert_eq!(world.outside.store.snapshot(local).unwrap(), None, "the end takes it away");
}

#[test]
fn a_snapshot_of_any_turn_gives_the_whole_fold() {
    let (world, local, _, seq) = long();
    let (whole, program) = world.folded(local, seq);
    for at in (1..=seq).step_by(37).chain([seq]) {
        let bytes = world.folded(local, at).0.to_snapshot();
        put(&world, StoredSnapshot { execution: local, seq: at, format: 1, bytes });
        assert!(world.brought(local).state == whole, "turn {at}");
    }
    assert_eq!(program.hash(), world.brought(local).program.hash());
}

fn put(world: &World, snapshot: StoredSnapshot) {
    world.outside.store.clone().commit(&[Write { turn: None, rows: vec![Row::Snapshot(snapshot)] }]).unwrap();
}

#[test]
fn a_snapshot_that_does_not_fit_is_left_alone() {
    let (mut world, local, good, seq) = long();
    let (whole, _) = world.folded(local, seq);
    let events = |world: &World| world.brought(local).history().events;
    let short = events(&world);
    let other = world.start(LISTENS);
    let mut damaged = good.bytes.clone();
    damaged[good.bytes.len() / 2] ^= 1;
    let foreign = world.driver.core.get(other).unwrap().state.to_snapshot();
    let (mut ahead, mut otherwise) = (whole.clone(), world.folded(local, good.seq).0);
    ahead.seq += 5;
    otherwise.at = otherwise.at.plus_ms(1);
    let bad = [
        StoredSnapshot { seq: ahead.seq, bytes: ahead.to_snapshot(), ..good.clone() },
        StoredSnapshot { bytes: otherwise.to_snapshot(), ..good.clone() },
        StoredSnapshot { bytes: damaged, ..good.clone() },
        StoredSnapshot { bytes: Vec::new(), ..good.clone() },
        StoredSnapshot { bytes: foreign, ..good.clone() },
        StoredSnapshot { format: good.format + 1, ..good.clone() },
        StoredSnapshot { seq: good.seq + 1, ..good.clone() },
        StoredSnapshot { seq: seq + 1, ..good.clone() },
    ];
    for snapshot in bad {
        put(&world, snapshot);
        assert!(world.brought(local).state == whole);
        assert!(events(&world) > short, "the whole journal is folded");
    }
    put(&world, good);
    assert_eq!(events(&world), short);
}

/// A turn of 1,000 events, and more of them.
const CUT: &str = "
steps:
  - {id: go, wait: {signal: go}}
  - {id: l, repeat: {times: 2000}, steps: [{id: a, wait: {for: 0s}}]}
  - {id: on, wait: {signal: on}}
";

#[test]
fn an_execution_whose_turn_was_cut_does_not_wait() {
    let mut world = World::new(0);
    let local = world.start(CUT);
    world.hold(true);
    assert!(world.tell(local, signal("go", json!(1))).is_none());
    let mut world = world.commit_and_crash();
    assert_eq!(world.outside.store.turns(local, 1, 10).unwrap().len(), 2);
    assert_eq!(world.recover(), 0);
    assert!(world.journal(local).len() > 4, "it has gone on");
    let expected = Summary { status: Status::Running, waits_for_people: true };
    assert_eq!((waits(&world, local), world.in_memory()), (Some(expected), 0));
}

/// The copy is of a turn that may still be lost; what is written is only what was committed.
#[test]
fn no_snapshot_is_written_of_a_turn_that_is_not_committed() {
    let mut world = World::new(10);
    let local = world.start(CUT);
    world.hold(true);
    assert!(world.tell(local, signal("go", json!(1))).is_none());
    assert!(world.driver.core.get(local).unwrap().history().making);
    assert_eq!(world.outside.store.snapshot(local).unwrap(), None);
    world.hold(false);
    let snapshot = world.outside.store.snapshot(local).unwrap().unwrap();
    let (state, program) = world.folded(local, snapshot.seq);
    assert!(skep_engine::State::from_snapshot(&snapshot.bytes, &program).unwrap() == state);
}

const LARGE: &str = "steps: [{id: go, wait: {signal: go}}, {id: ask, approval: {message: ok}}, \
    {id: z, uses: set, with: {size: '${{ steps.go.outputs.payload | length }}'}}]";

#[test]
fn a_value_of_this_pass_is_at_hand_before_it_is_stored() {
    let mut world = World::new(10);
    let local = world.start(LARGE);
    let approve = Message::Approve(skep_model::message::Decision { path: None, actor: ada(), comment: None });
    let (first, mut one) = message_to(local, signal("go", json!("x".repeat(50_000))));
    let (second, mut two) = message_to(local, approve);
    world.give(vec![first, second]);
    assert_eq!((one.try_recv().unwrap().is_ok(), two.try_recv().unwrap().is_ok()), (true, true));
    assert_eq!(world.status(local), Status::Completed);
    assert!(world.journal(local).iter().any(|turn| turn.contains("50000")));
}

#[test]
fn a_value_that_cannot_be_stored_undoes_its_turn_and_those_after_it() {
    let mut world = World::new(10);
    let (local, other) = (world.start(LARGE), world.start(LISTENS));
    world.outside.blobs.broken.store(true, Ordering::Relaxed);
    let approve = Message::Approve(skep_model::message::Decision { path: None, actor: ada(), comment: None });
    let (first, mut one) = message_to(local, signal("go", json!("x".repeat(50_000))));
    let (second, mut two) = message_to(local, approve);
    let (third, mut three) = message_to(other, signal("go", json!(1)));
    world.give(vec![first, second, third]);
    for answer in [one.try_recv().unwrap(), two.try_recv().unwrap()] {
        assert!(matches!(answer, Err(Error::Unstored(_))), "{answer:?}");
    }
    assert!(three.try_recv().unwrap().is_ok(), "others do not suffer");
    assert_eq!(
        (world.status(local), world.journal(local).len(), world.status(other)),
        (Status::Running, 1, Status::Completed)
    );
    world.outside.blobs.broken.store(false, Ordering::Relaxed);
    world.tell(local, signal("go", json!("x".repeat(50_000)))).unwrap().unwrap();
    assert_eq!(world.journal(local).len(), 2);
}
