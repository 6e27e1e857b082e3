//! Random workflows, outcomes, messages and crashes: the harness checks its invariants after every decision;
//! here it is added that every execution reaches its end once everything is answered.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;
use skep_model::error::Kind;
use skep_model::message::Message;

use super::kit::{self, Harness, flow};

/// A step without its id.
#[derive(Clone, Debug)]
enum Shape {
    Work { retried: bool, skips: bool, always: bool },
    Gated(&'static str),
    Approval { timeout: bool, goes_on: bool },
    Sleep,
    Listen,
    Switch(bool, Vec<Shape>, Vec<Shape>),
    Parallel { join: &'static str, fail_fast: bool, left: Vec<Shape>, right: Vec<Shape> },
    Foreach { parallel: u8, fail_fast: bool, steps: Vec<Shape> },
    Repeat(Vec<Shape>),
    Graph(Vec<Shape>),
}

fn leaf() -> impl Strategy<Value = Shape> {
    prop_oneof![
        4 => any::<(bool, bool, bool)>().prop_map(|(retried, skips, always)| Shape::Work { retried, skips, always }),
        1 => prop_oneof![Just("before"), Just("after")].prop_map(Shape::Gated),
        1 => any::<(bool, bool)>().prop_map(|(timeout, goes_on)| Shape::Approval { timeout, goes_on }),
        1 => Just(Shape::Sleep),
        1 => Just(Shape::Listen),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4);
        let join = prop_oneof![Just("all"), Just("any"), Just("2")];
        prop_oneof![
            (any::<bool>(), list(), list()).prop_map(|(which, then, other)| Shape::Switch(which, then, other)),
            (join, any::<bool>(), list(), list()).prop_map(|(join, fail_fast, left, right)| Shape::Parallel {
                join,
                fail_fast,
                left,
                right
            }),
            (1..4_u8, any::<bool>(), list()).prop_map(|(parallel, fail_fast, steps)| Shape::Foreach {
                parallel,
                fail_fast,
                steps
            }),
            list().prop_map(Shape::Repeat),
            list().prop_map(Shape::Graph),
        ]
    })
}

/// Writes steps in flow style and gives them ids.
struct Writer {
    next: u32,
}

impl Writer {
    fn list(&mut self, shapes: &[Shape], graph: bool) -> String {
        let mut text = "[".to_owned();
        let mut before: Vec<String> = Vec::new();
        for shape in shapes {
            let id = format!("s{}", self.next);
            self.next += 1;
            // Every second one depends on the one before it, so that some are free.
            let depends = match before.last() {
                Some(last) if graph && before.len() % 2 == 1 => format!(", depends_on: [{last}]"),
                Some(_) | None => String::new(),
            };
            let body = self.body(shape);
            write!(text, "{{id: {id}{depends}, {body}}}, ").expect("a String takes all");
            before.push(id);
        }
        text.push(']');
        text
    }

    fn body(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::Work { retried, skips, always } => {
                let retry = if *retried { ", retry: {max_attempts: 2, delay: 1s}" } else { "" };
                let skip = if *skips { ", on_error: skip" } else { "" };
                let condition = if *always { ", if: '${{ always() }}'" } else { "" };
                format!("uses: noop{retry}{skip}{condition}")
            }
            Shape::Gated(when) => format!("uses: noop, approve: {when}"),
            Shape::Approval { timeout, goes_on } => {
                let timeout = if *timeout { ", timeout: 1m" } else { "" };
                format!("approval: {{message: ok{timeout}, on_reject: {}}}", if *goes_on { "continue" } else { "fail" })
            }
            Shape::Sleep => "wait: {for: 10s}".to_owned(),
            Shape::Listen => "wait: {signal: go, timeout: 1m}".to_owned(),
            Shape::Switch(which, then, other) => {
                let (then, other) = (self.list(then, false), self.list(other, false));
                format!("switch: {{cases: [{{when: '${{{{ {which} }}}}', steps: {then}}}], default: {other}}}")
            }
            Shape::Parallel { join, fail_fast, left, right } => {
                let (left, right) = (self.list(left, false), self.list(right, false));
                format!("join: {join}, fail_fast: {fail_fast}, parallel: {{l: {left}, r: {right}}}")
            }
            Shape::Foreach { parallel, fail_fast, steps } => {
                let steps = self.list(steps, false);
                format!(
                    "foreach: '${{{{ [1, 2, 3] }}}}', max_parallel: {parallel}, fail_fast: {fail_fast}, steps: {steps}"
                )
            }
            Shape::Repeat(steps) => format!("repeat: {{times: 2}}, steps: {}", self.list(steps, false)),
            Shape::Graph(steps) => format!("repeat: {{times: 1}}, order: graph, steps: {}", self.list(steps, true)),
        }
    }
}

fn workflow(shapes: &[Shape], graph: bool, finally: bool) -> String {
    let mut writer = Writer { next: 0 };
    let order = if graph { "order: graph\n" } else { "" };
    let steps = writer.list(shapes, graph);
    let finally = if finally { "finally: [{id: f0, uses: noop}, {id: f1, uses: noop}]\n" } else { "" };
    format!("{order}timeout: 1h\nsteps: {steps}\n{finally}")
}

/// One thing that happens; numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Move {
    Succeed(u8),
    Fail(u8, bool),
    Abort(u8),
    Decide(u8, bool),
    Signal,
    Pass(u16),
    Pause,
    Resume,
    Cancel,
    Crash,
    Nudge,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        8 => any::<u8>().prop_map(Move::Succeed),
        3 => any::<(u8, bool)>().prop_map(|(which, transient)| Move::Fail(which, transient)),
        2 => any::<u8>().prop_map(Move::Abort),
        3 => any::<(u8, bool)>().prop_map(|(which, yes)| Move::Decide(which, yes)),
        1 => Just(Move::Signal),
        2 => (0..30_000_u16).prop_map(Move::Pass),
        1 => Just(Move::Pause),
        1 => Just(Move::Resume),
        1 => Just(Move::Cancel),
        2 => Just(Move::Crash),
        1 => Just(Move::Nudge),
    ];
    prop::collection::vec(one, 0..40)
}

/// Does something with one of these, if there is one.
fn pick(items: &[String], which: u8, act: impl FnOnce(&str)) {
    if !items.is_empty() {
        act(&items[which as usize % items.len()]);
    }
}

/// Paths of steps that wait for a person.
pub(super) fn asked(harness: &Harness) -> Vec<String> {
    let waits = |instance: &&crate::state::Instance| matches!(instance.phase, crate::state::Phase::Deciding { .. });
    harness.state.instances.iter().filter(waits).map(|instance| instance.path.to_string()).collect()
}

fn make(harness: &mut Harness, step: Move) {
    let active: Vec<String> = harness.running.keys().chain(harness.stopping.keys()).map(ToString::to_string).collect();
    match step {
        Move::Succeed(which) => pick(&active, which, |path| harness.succeed(path, json!({"n": which}))),
        Move::Fail(which, transient) => {
            let kind = if transient { Kind::Network } else { Kind::Crash };
            pick(&active, which, |path| harness.fail(path, kind));
        }
        Move::Abort(which) => {
            let stopping: Vec<String> = harness.stopping.keys().map(ToString::to_string).collect();
            pick(&stopping, which, |path| harness.outcome(path, skep_model::outcome::Ended::Aborted));
        }
        Move::Decide(which, yes) => {
            let message = if yes { kit::approve } else { kit::reject };
            pick(&asked(harness), which, |path| harness.tell(&message(Some(path))));
        }
        Move::Signal => drop(harness.try_tell(&kit::signal("go", json!(1)))),
        Move::Pass(milliseconds) => {
            harness.now = harness.now.plus_ms(u64::from(milliseconds));
            harness.tell(&Message::TimerFired);
        }
        Move::Pause => drop(harness.try_tell(&kit::pause())),
        Move::Resume => drop(harness.try_tell(&kit::resume())),
        Move::Cancel => drop(harness.try_tell(&kit::cancel())),
        Move::Crash => harness.crash(),
        Move::Nudge => harness.tell(&Message::TimerFired),
    }
}

/// Answers everything, people and time included, until the end.
fn finish(harness: &mut Harness) {
    for _ in 0..500 {
        if harness.status().is_terminal() {
            return;
        }
        drop(harness.try_tell(&kit::resume()));
        harness.settle();
        // One decision may take the question of another away.
        while let Some(path) = asked(harness).pop() {
            harness.tell(&kit::approve(Some(&path)));
            harness.settle();
        }
        if let Some(wake) = harness.state.next_wake() {
            harness.now = harness.now.max(wake);
            harness.tell(&Message::TimerFired);
        }
    }
    panic!("it never ends: {:?}\n{}", harness.state.waiting_for(), harness.trace());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_execution_holds_the_invariants_and_ends(
        shapes in prop::collection::vec(shape(), 1..4), graph: bool, finally: bool, moves in moves(),
    ) {
        let mut harness = flow(&workflow(&shapes, graph, finally)).start();
        for step in moves {
            if !harness.status().is_terminal() {
                make(&mut harness, step);
            }
        }
        finish(&mut harness);
        prop_assert!(harness.running.is_empty());
        prop_assert_eq!(harness.state.performing_count(), 0);
        super::snapshots::check_every_turn(&harness);
        harness.crash();
    }
}
