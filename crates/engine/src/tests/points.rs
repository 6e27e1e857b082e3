//! Rollback points: when they are made, and what going on from one repeats.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::event::Event;
use skep_model::limits::ROLLBACK_POINTS_MAX;
use skep_model::plan::{Plan, Rollback};
use skep_model::rollback::{PointKind, Strategy};
use skep_model::status::Execution as Status;

use super::kit::{Harness, approve, cancel, checkpoint, flow_with, resume, roll_back};
use super::undo_kit::{step, undo_all};
use crate::{Rejection, State};

fn plan_of(yaml: &str, interval: u32, checkpoints: &str) -> Harness {
    flow_with(yaml, |plan: &mut Plan| {
        undo_all(plan);
        plan.rollback = Some(Rollback {
            strategy: Strategy::Checkpoint,
            checkpoint_interval: interval,
            escalation_target: String::new(),
        });
        for id in checkpoints.split_whitespace() {
            step(plan, id).checkpoint = true;
        }
    })
}

/// `1 step u2, 2 interval`.
fn made(harness: &Harness) -> String {
    let points = harness.events().filter_map(|event| match event {
        Event::PointMade { number, kind: PointKind::Step, path, .. } => {
            Some(format!("{number} step {}", path.as_deref().unwrap_or_default()))
        }
        Event::PointMade { number, kind, .. } => Some(format!("{number} {}", kind.as_str())),
        _ => None,
    });
    points.collect::<Vec<_>>().join(", ")
}

/// What was performed after the last return, in order.
fn after_return(harness: &Harness) -> String {
    let generation = harness.state.generation();
    let again = harness.performed.iter().filter(|task| task.generation == generation);
    again.map(|task| &*task.path).collect::<Vec<_>>().join(" ")
}

#[test]
fn points_come_after_so_many_steps_and_where_a_step_says_so() {
    let list =
        "{id: u1, uses: noop}, {id: u2, uses: noop}, {id: u3, uses: noop}, {id: u4, uses: noop}, {id: u5, uses: noop}";
    let yaml = format!("steps: [{list}]");
    assert_eq!(made(&plan_of(&yaml, 3, "").run()), "1 interval");
    assert_eq!(made(&plan_of(&yaml, 2, "").run()), "1 interval, 2 interval");
    assert_eq!(made(&plan_of(&yaml, 3, "u2").run()), "1 step u2");
    assert_eq!(made(&plan_of(&yaml, 100, "u2 u5").run()), "1 step u2", "the end needs none");
    let none = flow_with(&yaml, undo_all).run();
    assert_eq!(made(&none), "");
}

#[test]
fn no_point_is_made_while_work_that_was_done_waits_for_a_yes() {
    let yaml = "steps: [{id: p, parallel: {a: {steps: [{id: u1, uses: noop, approve: {when: after, message: ok}}]}, b: {steps: [{id: u2, uses: noop}, {id: h, uses: noop}]}}}]";
    let mut harness = plan_of(yaml, 1, "").hangs("h").run();
    assert_eq!((harness.order().as_str(), made(&harness).as_str()), ("u1 u2 h", ""));
    let refused = harness.try_tell(&checkpoint());
    assert!(matches!(&refused, Err(Rejection::WrongState { message, .. }) if message.contains("`u1`")), "{refused:?}");
    harness.tell(&approve(Some("u1")));
    assert_eq!(made(&harness), "1 interval", "what was due comes then");
}

#[test]
fn only_the_newest_and_the_start_are_kept() {
    let yaml = "steps: [{id: l, repeat: {times: 30}, steps: [{id: u, uses: noop}]}, {id: h, uses: noop}]";
    let harness = plan_of(yaml, 1, "").hangs("h").run();
    let numbers: Vec<u32> = harness.state.undo.points.made.iter().map(|point| point.number).collect();
    assert_eq!((numbers.len(), numbers[0], numbers[1]), (ROLLBACK_POINTS_MAX + 1, 0, 21));
}

#[test]
fn what_came_after_the_point_is_undone_and_done_again_in_a_new_generation() {
    let yaml = "steps: [{id: u1, uses: noop}, {id: u2, uses: noop}, {id: u3, uses: noop, with: {was: '${{ steps.u2.outputs.n }}'}}, {id: x, uses: noop}]";
    let mut harness = plan_of(yaml, 100, "u2").gives("u2", json!({"n": 5})).fails("x", Kind::Invalid).run();
    assert_eq!((harness.status(), harness.order().as_str()), (Status::Held, "u1 u2 u3 x u3.rollback"));
    harness.crash();
    harness.tell(&resume());
    harness.settle();
    assert_eq!(harness.status(), Status::Completed, "{}", harness.trace());
    assert_eq!(after_return(&harness), "u3 x");
    assert_eq!(harness.with("u3"), json!({"was": 5}));
    let keys: Vec<String> = harness.performed.iter().map(|task| task.idempotency_key()).collect();
    assert_eq!(keys[2..], ["e1/u3/g1", "e1/x/g1", "e1/u3.rollback/g1", "e1/u3/g2", "e1/x/g2"]);
    let tokens: std::collections::BTreeSet<_> = harness.performed.iter().map(|task| task.token.clone()).collect();
    assert_eq!(tokens.len(), harness.performed.len(), "every delivery has a token of its own");
}

#[test]
fn rounds_before_the_point_stay() {
    let yaml = "steps: [{id: l, foreach: '${{ [1, 2, 3] }}', steps: [{id: u1, uses: noop}, {id: u2, uses: noop}]}, {id: x, uses: noop}]";
    let mut harness = plan_of(yaml, 3, "").fails("x", Kind::Invalid).run();
    // Points after l[1].u1 and l[2].u2, the latter with nothing after it that could be undone.
    assert_eq!(made(&harness), "1 interval, 2 interval");
    assert_eq!(
        harness.order(),
        "l[0].u1 l[0].u2 l[1].u1 l[1].u2 l[2].u1 l[2].u2 x l[2].u2.rollback l[2].u1.rollback l[1].u2.rollback"
    );
    harness.tell(&resume());
    harness.settle();
    assert_eq!(harness.status(), Status::Completed, "{}", harness.trace());
    assert_eq!(after_return(&harness), "l[1].u2 l[2].u1 l[2].u2 x");
}

#[test]
fn what_ran_beside_the_point_begins_again() {
    let yaml = "order: graph\nsteps: [{id: u1, uses: noop}, {id: u2, uses: noop}, {id: u3, uses: noop, depends_on: [u1, u2]}, {id: g, approval: {message: ok?}, depends_on: [u1]}]";
    let mut harness = plan_of(yaml, 100, "u1").hangs("u2").run();
    assert_eq!(made(&harness), "1 step u1");
    harness.succeed("u2", json!({}));
    harness.settle();
    harness.tell(&roll_back(Strategy::Checkpoint, Some(1)));
    harness.settle();
    assert_eq!((harness.status(), harness.order().as_str()), (Status::Held, "u1 u2 u3 u3.rollback u2.rollback"));
    harness.tell(&resume());
    harness.settle();
    harness.tell(&approve(None));
    harness.settle();
    assert_eq!(
        (harness.status(), after_return(&harness).as_str()),
        (Status::Completed, "u2 u3"),
        "{}",
        harness.trace()
    );
}

#[test]
fn one_can_go_back_further_or_end_it_there() {
    let yaml = "steps: [{id: u1, uses: noop}, {id: u2, uses: noop}, {id: u3, uses: noop}, {id: x, uses: noop}]\nfinally: [{id: f, uses: noop}]";
    let run = || plan_of(yaml, 1, "").fails("x", Kind::Invalid).run();
    let mut harness = run();
    assert_eq!((harness.status(), harness.ended("u3").as_deref()), (Status::Held, Some("rolled_back")));
    harness.tell(&roll_back(Strategy::Checkpoint, Some(0)));
    harness.settle();
    assert_eq!((harness.status(), harness.ended("u1").as_deref()), (Status::Held, Some("rolled_back")));
    harness.tell(&resume());
    harness.settle();
    assert_eq!((harness.status(), after_return(&harness).as_str()), (Status::Completed, "u1 u2 u3 x f"));

    let mut rest = run();
    rest.tell(&roll_back(Strategy::Graceful, None));
    rest.settle();
    assert_eq!((rest.status(), rest.ended("u1").as_deref()), (Status::RolledBack, Some("rolled_back")));

    let mut over = run();
    over.tell(&cancel());
    over.settle();
    assert_eq!((over.status(), over.ended("f").as_deref()), (Status::Cancelled, Some("completed")));
    over.tell(&roll_back(Strategy::Graceful, None));
    over.settle();
    assert_eq!(over.status(), Status::RolledBack, "what was left can be undone later");
}

#[test]
fn one_that_is_over_can_go_on_from_a_point() {
    let yaml =
        "steps: [{id: u1, uses: noop}, {id: u2, uses: noop}, {id: u3, uses: noop}]\nfinally: [{id: f, uses: noop}]";
    let mut harness = plan_of(yaml, 1, "").run();
    assert_eq!(harness.status(), Status::Completed);
    harness.tell(&roll_back(Strategy::Checkpoint, None));
    harness.settle();
    assert_eq!((harness.status(), harness.ended("u3").as_deref()), (Status::Held, Some("rolled_back")));
    assert_eq!(made(&harness), "1 interval, 2 interval", "none is made at the end, or while it is undone");
    harness.tell(&resume());
    harness.settle();
    assert_eq!((harness.status(), after_return(&harness).as_str()), (Status::Completed, "u3 f"), "{}", harness.trace());
}

#[test]
fn a_person_makes_one_where_something_can_be_undone() {
    let yaml = "steps: [{id: u1, uses: noop}, {id: h, uses: noop}]";
    let mut harness = plan_of(yaml, 100, "").hangs("h").run();
    harness.tell(&checkpoint());
    assert_eq!(made(&harness), "1 asked");
    harness.tell(&cancel());
    let late = harness.try_tell(&checkpoint());
    assert!(matches!(late, Err(Rejection::WrongState { .. })), "{late:?}");
    let mut without = flow_with(yaml, |_| {}).hangs("h").run();
    let none = without.try_tell(&checkpoint());
    assert!(matches!(none, Err(Rejection::WrongState { .. })), "{none:?}");
}

#[test]
fn a_snapshot_keeps_the_points() {
    let yaml = "steps: [{id: u1, uses: noop}, {id: u2, uses: noop}, {id: x, uses: noop}]";
    let mut harness = plan_of(yaml, 1, "").fails("x", Kind::Invalid).run();
    let bytes = harness.state.to_snapshot();
    let read = State::from_snapshot(&bytes, &harness.program).expect("it was just written");
    assert!(read == harness.state);
    harness.state = read;
    harness.tell(&resume());
    harness.settle();
    assert_eq!((harness.status(), after_return(&harness).as_str()), (Status::Completed, "u2 x"), "{}", harness.trace());
}
