//! A snapshot and the turns after it give the same state as the whole journal.

use serde_json::json;

use super::kit::{Harness, flow};
use crate::state::Phase;
use crate::{BadSnapshot, SNAPSHOT_FORMAT, State, apply_turn};

/// Folds the journal; at every turn a snapshot is taken, read back, and must go on to the same end.
pub(super) fn check_every_turn(harness: &Harness) {
    let mut folded = State::default();
    for (at, turn) in harness.journal.iter().enumerate() {
        apply_turn(&mut folded, &harness.program, turn).expect("the journal fits");
        let mut restored = State::from_snapshot(&folded.to_snapshot(), &harness.program).expect("it was just written");
        assert!(restored == folded, "the snapshot of turn {} is another state\n{}", turn.seq, harness.trace());
        for turn in &harness.journal[at + 1..] {
            apply_turn(&mut restored, &harness.program, turn).expect("what fits the fold fits the snapshot");
        }
        assert!(restored == harness.state, "the snapshot of turn {} goes on otherwise", turn.seq);
    }
}

const NESTED: &str = "
steps:
  - {id: items, uses: set}
  - id: outer
    foreach: '${{ steps.items.outputs.list }}'
    max_parallel: 3
    steps:
      - id: inner
        repeat: {times: 2}
        steps: [{id: one, uses: noop}, {id: two, uses: noop, if: '${{ index == 1 }}'}]
      - {id: ask, approval: {message: ok, timeout: 1h}}
  - {id: last, uses: set, with: {value: '${{ steps.outer.outputs.results[69].outputs.ask.approved }}'}}
";

#[test]
fn every_turn_of_nested_loops_can_be_left_and_entered() {
    let list: Vec<f64> = (0..70).map(|number| f64::from(number) / 7.0).collect();
    let mut harness = flow(NESTED).gives("items", json!({"list": list})).start();
    harness.settle();
    while let Some(path) = super::random::asked(&harness).pop() {
        harness.tell(&super::kit::approve(Some(&path)));
        harness.settle();
    }
    assert_eq!(harness.status().as_str(), "completed", "{}", harness.trace());
    assert_eq!(harness.with("last"), json!({"value": true}));
    // Only some turns: the check is quadratic.
    harness.journal.truncate(120);
    harness.state = State::default();
    for turn in &harness.journal {
        apply_turn(&mut harness.state, &harness.program, turn).unwrap();
    }
    check_every_turn(&harness);
}

#[test]
fn a_snapshot_that_does_not_fit_is_refused() {
    let harness = flow("steps: [{id: a, uses: noop}]").start();
    let other = flow("steps: [{id: b, uses: noop}]");
    let good = harness.state.to_snapshot();
    let read = |bytes: &[u8]| State::from_snapshot(bytes, &harness.program);
    assert!(read(&good).is_ok_and(|state| state == harness.state));
    assert_eq!(State::from_snapshot(&good, &other.program).unwrap_err(), BadSnapshot::OtherPlan);
    let text = String::from_utf8(good.clone()).unwrap();
    let newer =
        text.replace(&format!("{{\"format\":{SNAPSHOT_FORMAT},"), &format!("{{\"format\":{},", SNAPSHOT_FORMAT + 1));
    let format = SNAPSHOT_FORMAT + 1;
    assert_eq!(read(newer.as_bytes()).unwrap_err(), BadSnapshot::OtherFormat { format, engine: 1 });
    let changed = text.replace(r#""attempt":1"#, r#""attempt":2"#);
    assert_ne!(changed, text);
    for damaged in [changed.as_bytes(), &good[..good.len() / 2], &good[1..], b"", b"\n", b"{}\n{}"] {
        let error = read(damaged).unwrap_err();
        assert!(matches!(error, BadSnapshot::Damaged(_)), "{error}");
    }
}

#[test]
fn a_loop_keeps_nothing_but_results() {
    let mut harness =
        flow("steps: [{id: l, repeat: {times: 300}, steps: [{id: a, uses: noop}, {id: b, uses: noop}]}]").start();
    let size = |harness: &Harness| {
        let state = &harness.state;
        (state.frames.ids().max(), state.instances.ids().max(), state.timers.len(), state.errors.len())
    };
    let first = size(&harness);
    for round in 0..299 {
        harness.succeed(&format!("l[{round}].a"), json!({"n": round}));
        harness.succeed(&format!("l[{round}].b"), json!({"n": round}));
    }
    let (frames, instances, ..) = size(&harness);
    assert!(frames <= first.0.map(|id| id + 1) && instances <= first.1.map(|id| id + 2), "{:?}", size(&harness));
    let looping = harness.state.find("l").map(|id| harness.state.instance(id));
    let Some(Phase::Looping(looping)) = looping.map(|instance| &instance.phase) else { panic!("it loops") };
    assert_eq!((looping.results.len(), looping.running.len()), (299, 1));
    let per_round = harness.state.to_snapshot().len() / 299;
    assert!(per_round < 120, "{per_round} bytes a round");
}
