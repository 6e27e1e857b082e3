//! Random workflows, outcomes, messages and crashes: the harness checks its invariants after every decision;
//! here it is added that every execution reaches its end once everything is answered.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;
use skep_model::decision::Autonomy;
use skep_model::error::Kind;
use skep_model::event::Event;
use skep_model::message::Message;
use skep_model::plan::{Asking, Compensation, Escalation, OnCancel, OnError, OnSilence, OnUnknown, Plan, Rollback};
use skep_model::rollback::Strategy as How;
use skep_model::status::Execution as Status;

use super::kit::{self, Harness, flow_with};
use super::undo_kit::{noop, retry};

/// A step without its id.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Work { retried: bool, skips: bool, always: bool },
    Gated(&'static str),
    Approval { timeout: bool, goes_on: bool },
    Sleep,
    Listen,
    Until(bool),
    Child { retried: bool, skips: bool },
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
        1 => any::<bool>().prop_map(Shape::Until),
        1 => any::<(bool, bool)>().prop_map(|(retried, skips)| Shape::Child { retried, skips }),
    ]
}

pub(super) fn shape() -> impl Strategy<Value = Shape> {
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
            Shape::Until(holds) => format!("wait: {{condition: '${{{{ {holds} }}}}', every: 7s, timeout: 20s}}"),
            Shape::Child { retried, skips } => {
                let retry = if *retried { ", retry: {max_attempts: 2, delay: 1s}" } else { "" };
                let skip = if *skips { ", on_error: skip" } else { "" };
                format!("workflow: {{name: other}}, timeout: 1m{retry}{skip}")
            }
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

pub(super) fn workflow(shapes: &[Shape], graph: bool, finally: bool) -> String {
    let mut writer = Writer { next: 0 };
    let order = if graph { "order: graph\n" } else { "" };
    let steps = writer.list(shapes, graph);
    let finally = if finally { "finally: [{id: f0, uses: noop}, {id: f1, uses: noop}]\n" } else { "" };
    format!("{order}timeout: 1h\nsteps: {steps}\n{finally}")
}

/// One thing that happens; numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
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
    Rollback,
    RollBack(u8, u8),
    Checkpoint,
    Undone,
    ChildEnds(u8, bool),
}

/// What is edited into a step: bits of one number.
#[derive(Clone, Copy, Debug)]
struct Extras(u16);

impl Extras {
    fn has(self, bit: u16) -> bool {
        self.0 >> bit & 1 == 1
    }
}

/// Gives steps compensations, verifications and answers to failures; `extras` is used again and again.
fn edit(plan: &mut Plan, extras: &[Extras], on_cancel: bool) {
    if on_cancel {
        plan.on_cancel = OnCancel::Rollback;
    }
    let first = extras.first().copied().unwrap_or(Extras(0));
    if !first.has(11) {
        let strategy = How::ALL[usize::from(first.0 >> 12 & 3)];
        let checkpoint_interval = 1 + u32::from(first.0 >> 14 & 1);
        plan.rollback = Some(Rollback { strategy, checkpoint_interval, escalation_target: String::new() });
    }
    let autonomy =
        [None, Some(Autonomy::Off), Some(Autonomy::Suggest), Some(Autonomy::Act)][usize::from(first.0 >> 9 & 3)];
    plan.autonomy = autonomy;
    let finally = plan.finally;
    let mut next = extras.iter().cycle();
    for step in plan.steps.iter_mut().filter(|step| Some(step.block) != finally) {
        let Some(extra) = next.next().copied() else { return };
        let escalates = extra.has(0) && extra.has(1) && step.on_error == OnError::Fail;
        if escalates {
            step.on_error = OnError::Escalate(asking(extra));
        } else if extra.has(1) && extra.has(2) && step.on_error == OnError::Fail {
            step.on_error = OnError::Compensate { step: None };
        }
        let decides = autonomy.is_some() && !extra.has(15) && crate::judge::is_judged(step);
        if decides && step.on_error == OnError::Fail {
            step.on_error = OnError::Open;
        }
        if extra.has(3) {
            let verify = extra.has(4).then(|| noop(json!({})));
            let mut work = noop(json!({"id": step.id}));
            work.retry = extra.has(5).then(|| retry(2));
            step.compensation = Some(Box::new(Compensation { work, verify }));
        }
        step.checkpoint = extra.has(11) && extra.has(12);
        step.critical = extra.has(13) && extra.has(14);
        if step.kind.is_work() {
            step.verify = extra.has(6).then(|| Box::new(noop(json!({}))));
            step.on_unknown = [None, Some(OnUnknown::Ask), Some(OnUnknown::Retry), Some(OnUnknown::Verify)]
                [usize::from(extra.0 >> 7 & 3)];
            step.read_only = extra.has(9) && extra.has(10);
        }
    }
}

/// Some questions have a chain and an end.
fn asking(extra: Extras) -> Asking {
    let hop = |after_ms| Escalation { after_ms, to: "lead".to_owned() };
    match extra.has(2) {
        true => Asking {
            timeout_ms: Some(30_000),
            escalate: vec![hop(5_000), hop(5_000)],
            on_timeout: if extra.has(4) { OnSilence::Retry } else { OnSilence::Fail },
            ..Asking::default()
        },
        false => Asking::default(),
    }
}

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
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
        1 => Just(Move::Rollback),
        1 => any::<(u8, u8)>().prop_map(|(strategy, point)| Move::RollBack(strategy, point)),
        1 => Just(Move::Checkpoint),
        1 => Just(Move::Undone),
        3 => any::<(u8, bool)>().prop_map(|(which, well)| Move::ChildEnds(which, well)),
    ];
    prop::collection::vec(one, 0..60)
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
    let deciding = harness.state.instances.iter().filter(waits).map(|instance| instance.path.to_string());
    deciding.chain(harness.state.questions().keys().map(ToString::to_string)).collect()
}

pub(super) fn make(harness: &mut Harness, step: Move) {
    let active: Vec<String> = harness.running.keys().chain(harness.stopping.keys()).map(ToString::to_string).collect();
    match step {
        Move::Succeed(which) => pick(&active, which, |path| harness.succeed(path, json!({"n": which}))),
        Move::Fail(which, transient) => {
            let kinds = if transient { [Kind::Network, Kind::Exit] } else { [Kind::Crash, Kind::Invalid] };
            let kind = kinds[usize::from(which / 128)];
            pick(&active, which, |path| harness.fail(path, kind));
        }
        Move::Abort(which) => {
            let stopping: Vec<String> = harness.stopping.keys().map(ToString::to_string).collect();
            pick(&stopping, which, |path| harness.outcome(path, skep_model::outcome::Ended::Aborted));
        }
        Move::Decide(which, yes) => {
            pick(&asked(harness), which, |path| decide(harness, path, yes));
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
        Move::Rollback => drop(harness.try_tell(&kit::rollback())),
        Move::RollBack(strategy, point) => roll_back(harness, strategy, point),
        Move::Checkpoint => drop(harness.try_tell(&kit::checkpoint())),
        Move::Undone => drop(harness.try_tell(&kit::undone(None))),
        Move::ChildEnds(which, well) => {
            let waiting: Vec<String> = harness.children.keys().map(ToString::to_string).collect();
            pick(&waiting, which, |path| end_child(harness, path, well));
        }
    }
}

fn roll_back(harness: &mut Harness, strategy: u8, point: u8) {
    let strategy = How::ALL[usize::from(strategy) % How::ALL.len()];
    let made: Vec<u32> = harness.state.undo.points.made.iter().map(|point| point.number).collect();
    let to = made.get(usize::from(point) % made.len().max(1)).copied().filter(|_| strategy == How::Checkpoint);
    drop(harness.try_tell(&kit::roll_back(strategy, to)));
}

/// A yes to a step that cannot be tried again as a whole is refused; a no never is.
fn decide(harness: &mut Harness, path: &str, yes: bool) {
    let refused = yes && harness.try_tell(&kit::approve(Some(path))).is_err();
    if refused || !yes {
        harness.tell(&kit::reject(Some(path)));
    }
}

/// What was kept was undone or dropped, and nothing twice.
fn check_undone(harness: &Harness) {
    let count = |which: fn(&Event) -> bool| harness.events().filter(|event| which(event)).count();
    let kept = count(|event| matches!(event, Event::UndoKept { .. }));
    let left = harness.state.undo.kept.len();
    let off = count(|event| matches!(event, Event::RolledBack { .. } | Event::UndoDropped { .. }));
    assert_eq!(kept, left + off, "{}", harness.trace());
    if harness.status() == Status::RolledBack {
        assert_eq!(left, 0, "{}", harness.trace());
    }
}

fn end_child(harness: &mut Harness, path: &str, well: bool) {
    let (status, failure) = match well {
        true => (Status::Completed, None),
        false => (Status::Failed, Some(kit::failure(Kind::Network))),
    };
    harness.child_ended(path, status, json!({"n": 1}), failure);
}

/// The first or the last step of the main list that the flow does not pass by.
fn step_to_rerun_from(harness: &Harness, first: bool) -> Option<String> {
    let plan = harness.program.plan();
    let steps = plan.blocks[plan.root as usize].steps.iter().map(|step| &plan.steps[*step as usize]);
    let mut in_flow = steps.filter(|step| !step.compensation_only);
    let step = if first { in_flow.next() } else { in_flow.next_back() };
    step.map(|step| step.id.clone())
}

/// Whatever holds an execution is answered. At a point it is ended: going on may bring it there again, and again.
fn stand_no_longer(harness: &mut Harness) {
    let code = harness.state.held.as_ref().map(|reason| reason.code.clone()).unwrap_or_default();
    let message = match code.as_str() {
        code if code == crate::codes::MANUAL_ROLLBACK.id => kit::undone(None),
        code if code == crate::codes::AT_POINT.id => kit::cancel(),
        _ => kit::resume(),
    };
    drop(harness.try_tell(&message));
}

/// Answers everything, people and time included, until the end.
pub(super) fn finish(harness: &mut Harness) {
    for _ in 0..2_000 {
        if harness.status().is_terminal() {
            return;
        }
        stand_no_longer(harness);
        harness.grant_all();
        harness.settle();
        // One decision may take the question of another away.
        while let Some(path) = asked(harness).pop() {
            decide(harness, &path, true);
            harness.settle();
        }
        while let Some(path) = harness.children.keys().next().cloned() {
            end_child(harness, &path, true);
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
        extras in prop::collection::vec(any::<u16>().prop_map(Extras), 0..6), on_cancel: bool, undone: bool,
        limit in prop::option::of(1..4_u32), from_first: bool,
    ) {
        let text = workflow(&shapes, graph, finally);
        let mut harness = flow_with(&text, |plan| {
            edit(plan, &extras, on_cancel);
            plan.max_parallel = limit;
        })
        .start();
        harness.children_can_be_undone = undone;
        for step in moves {
            if !harness.status().is_terminal() || matches!(step, Move::Rollback) {
                make(&mut harness, step);
            }
        }
        finish(&mut harness);
        if undone && harness.try_tell(&kit::rollback()).is_ok() {
            finish(&mut harness);
        }
        check_undone(&harness);
        prop_assert!(harness.running.is_empty());
        let from = step_to_rerun_from(&harness, from_first);
        harness.tell(&kit::rerun(from.as_deref(), None));
        harness.crash();
        finish(&mut harness);
        harness.tell(&kit::rerun(None, None));
        finish(&mut harness);
        let returns = harness.events().filter(|event| matches!(event, Event::Returned { .. })).count();
        prop_assert_eq!(harness.state.generation() as usize, 3 + returns);
        prop_assert_eq!(harness.state.performing_count(), 0);
        super::snapshots::check_every_turn(&harness);
        harness.crash();
    }
}
