//! Every message in every state. A new message or state does not compile here until it has its row.

use serde_json::json;
use skep_model::error::Kind;
use skep_model::ids::{ExecutionId, Token};
use skep_model::message::{Message, Progress};
use skep_model::outcome::Ended;
use skep_model::status::Execution as Status;

use super::kit::{self, Harness, flow};
use crate::Rejection;

const YAML: &str = "steps: [{id: p, parallel: {w: [{id: a, uses: noop}], q: [{id: gate, approval: {message: ok?}}], \
    f: [{id: form, input: {n: {type: integer}}}], s: [{id: sig, wait: {signal: go}}], \
    c: [{id: c, workflow: {name: other}}]}}]\nfinally: [{id: f1, uses: noop}]";

/// An execution in this state in which `a` is performed and `c` has a child if that is possible; `None` if nothing leads there.
fn at(status: Status) -> Option<Harness> {
    let mut harness = if is_of_rollbacks(status) { undoing(UNDOING) } else { flow(YAML) };
    if status == Status::Pending {
        return Some(harness);
    }
    harness = harness.start();
    match status {
        Status::Pending | Status::Running => {}
        Status::Paused => harness.tell(&kit::pause()),
        Status::Held => (0..skep_model::limits::LOST_DELIVERIES_MAX).for_each(|_| harness.crash()),
        Status::Cancelling => harness.tell(&kit::cancel()),
        Status::Completed => complete(&mut harness),
        Status::Failed => {
            harness.fail("a", Kind::Invalid);
            harness.child_ended("c", Status::Cancelled, json!({}), None);
            harness.settle();
        }
        Status::Cancelled => {
            harness.tell(&kit::cancel());
            harness.child_ended("c", Status::Cancelled, json!({}), None);
            harness.settle();
        }
        Status::RollingBack | Status::RolledBack | Status::RollbackFailed => {
            let failing = if status == Status::RollbackFailed { "a.rollback" } else { "none" };
            harness = harness.fails("x", Kind::Invalid).fails(failing, Kind::Invalid);
            if status == Status::RollingBack {
                harness = harness.hangs("a.rollback");
            }
            harness.settle();
        }
    }
    assert_eq!(harness.status(), status, "{}", harness.trace());
    Some(harness)
}

/// `a` can be undone, and its compensation takes its place in the messages.
const UNDOING: &str = "steps: [{id: a, uses: noop}, {id: x, uses: noop}]";

fn is_of_rollbacks(status: Status) -> bool {
    matches!(status, Status::RollingBack | Status::RolledBack | Status::RollbackFailed)
}

fn undoing(yaml: &str) -> Harness {
    kit::flow_with(yaml, |plan| super::undo_kit::undoable(plan, "a"))
}

/// The path whose outcome is told.
fn performed(harness: &Harness) -> &'static str {
    if is_of_rollbacks(harness.status()) { "a.rollback" } else { "a" }
}

fn complete(harness: &mut Harness) {
    harness.tell(&kit::approve(None));
    harness.tell(&kit::input(json!({"n": 1})));
    harness.tell(&kit::signal("go", json!(1)));
    harness.child_ended("c", Status::Completed, json!({}), None);
    harness.settle();
}

/// The delivery of `a`, or one that nobody knows where it is not performed.
fn token(harness: &Harness) -> Token {
    let path = performed(harness);
    let known = harness.running.get(path).map(|task| task.token.clone());
    known.or_else(|| harness.stopping.get(path).cloned()).unwrap_or_else(|| Token::new("unknown"))
}

const MESSAGES: [&str; 19] = [
    "start",
    "outcome",
    "progress",
    "timer",
    "signal",
    "keep_signal",
    "approve",
    "reject",
    "input",
    "cancel",
    "pause",
    "resume",
    "recovered",
    "rollback",
    "rerun",
    "child_ended",
    "permit",
    "checkpoint",
    "undone",
];

fn message(word: &str, harness: &Harness) -> Message {
    let progress =
        Progress { path: performed(harness).into(), token: token(harness), note: String::new(), percent: None };
    let message = match word {
        "start" => kit::start_message(&harness.program, json!({})),
        "outcome" => kit::outcome_of(performed(harness), token(harness), Ended::Succeeded(skep_model::Map::new())),
        "progress" => Message::Progress(progress),
        "timer" => Message::TimerFired,
        "signal" => kit::signal("go", json!(1)),
        "keep_signal" => kit::keep_signal("go", json!(1)),
        "approve" => kit::approve(Some("gate")),
        "reject" => kit::reject(Some("gate")),
        "input" => {
            Message::Input { path: Some("form".into()), values: kit::object(json!({"n": 1})), actor: kit::ada() }
        }
        "cancel" => kit::cancel(),
        "pause" => kit::pause(),
        "resume" => kit::resume(),
        "recovered" => Message::Recovered,
        "rollback" => kit::rollback(),
        "rerun" => kit::rerun(None, None),
        "child_ended" => Message::ChildEnded(Box::new(skep_model::message::ChildEnded {
            path: "c".into(),
            child: harness.children.get("c").map_or_else(|| ExecutionId::new("unknown"), |child| child.id.clone()),
            status: Status::Completed,
            outputs: skep_model::Map::new(),
            failure: None,
            can_be_undone: false,
        })),
        "permit" => kit::stray_permit("a"),
        "checkpoint" => kit::checkpoint(),
        "undone" => kit::undone(None),
        other => panic!("{other} is no message"),
    };
    assert_eq!(self::word(&message), word);
    message
}

fn word(message: &Message) -> &'static str {
    match message {
        Message::Start(_) => "start",
        Message::Outcome(_) => "outcome",
        Message::Progress(_) => "progress",
        Message::TimerFired => "timer",
        Message::Signal { .. } => "signal",
        Message::KeepSignal { .. } => "keep_signal",
        Message::Approve(_) => "approve",
        Message::Reject(_) => "reject",
        Message::Input { .. } => "input",
        Message::Cancel { .. } => "cancel",
        Message::Pause { .. } => "pause",
        Message::Resume { .. } => "resume",
        Message::Recovered => "recovered",
        Message::Rollback { .. } => "rollback",
        Message::Rerun { .. } => "rerun",
        Message::ChildEnded(_) => "child_ended",
        Message::Permit { .. } => "permit",
        Message::Checkpoint { .. } => "checkpoint",
        Message::Undone { .. } => "undone",
    }
}

fn kind(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NeedsBlob(_) => "needs_blob",
        Rejection::AlreadyStarted => "already_started",
        Rejection::NotStarted => "not_started",
        Rejection::Terminal(_) => "terminal",
        Rejection::WrongState { .. } => "wrong_state",
        Rejection::Stale { .. } => "stale",
        Rejection::UnknownStep { .. } => "unknown_step",
        Rejection::NotWaiting { .. } => "not_waiting",
        Rejection::NothingWaiting { .. } => "nothing_waiting",
        Rejection::Ambiguous { .. } => "ambiguous",
        Rejection::BadInput(_) => "bad_input",
        Rejection::TooManySignals(_) => "too_many_signals",
        Rejection::NothingToUndo(_) => "nothing_to_undo",
        Rejection::NoPoint { .. } => "no_point",
        Rejection::Unanswered { .. } => "unanswered",
        Rejection::Broken(_) => "broken",
        Rejection::BadRerun(_) => "bad_rerun",
    }
}

/// What became of it: the events, `nothing`, or `!` and the kind of the rejection.
fn told(harness: &mut Harness, word: &str) -> String {
    let (message, turns) = (message(word, harness), harness.journal.len());
    match harness.try_tell(&message) {
        Err(rejection) => format!("!{}", kind(&rejection)),
        Ok(()) if harness.journal.len() == turns => "nothing".to_owned(),
        Ok(()) => harness.last_turn(),
    }
}

#[test]
fn every_message_in_every_state() {
    let mut lines = String::new();
    for status in Status::ALL {
        for word in MESSAGES {
            let Some(mut harness) = at(status) else { continue };
            let told = told(&mut harness, word);
            lines.push_str(&format!("{} {word}: {told}\n", status.as_str()));
        }
    }
    insta::assert_snapshot!(lines, @"
    pending start: started, forked p, scheduled a, approval_asked gate, form_asked form, wait_began sig, child_asked c
    pending outcome: !not_started
    pending progress: !not_started
    pending timer: !not_started
    pending signal: !not_started
    pending keep_signal: !not_started
    pending approve: !not_started
    pending reject: !not_started
    pending input: !not_started
    pending cancel: !not_started
    pending pause: !not_started
    pending resume: !not_started
    pending recovered: nothing
    pending rollback: !not_started
    pending rerun: !not_started
    pending child_ended: !not_started
    pending permit: !not_started
    pending checkpoint: !not_started
    pending undone: !not_started
    running start: !already_started
    running outcome: completed a, branch_ended p
    running progress: nothing
    running timer: nothing
    running signal: signal_taken sig, completed sig, branch_ended p
    running keep_signal: signal_kept
    running approve: decided gate, completed gate, branch_ended p
    running reject: decided gate, skipped gate, branch_ended p, stop_asked p, stop_asked a, cancelled form, cancelled sig, stop_asked c, branch_ended p, branch_ended p
    running input: form_filled form, completed form, branch_ended p
    running cancel: cancel_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, stop_asked c, branch_ended p, branch_ended p, branch_ended p
    running pause: paused
    running resume: nothing
    running recovered: redelivered a
    running rollback: rollback_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, stop_asked c, branch_ended p, branch_ended p, branch_ended p
    running rerun: !wrong_state
    running child_ended: completed c, branch_ended p
    running permit: !stale
    running checkpoint: point_made
    running undone: !wrong_state
    paused start: !already_started
    paused outcome: completed a
    paused progress: nothing
    paused timer: nothing
    paused signal: signal_taken sig, completed sig
    paused keep_signal: signal_kept
    paused approve: decided gate, completed gate
    paused reject: decided gate, skipped gate
    paused input: form_filled form, completed form
    paused cancel: cancel_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, stop_asked c, branch_ended p, branch_ended p, branch_ended p
    paused pause: nothing
    paused resume: resumed
    paused recovered: redelivered a
    paused rollback: rollback_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, stop_asked c, branch_ended p, branch_ended p, branch_ended p
    paused rerun: !wrong_state
    paused child_ended: completed c
    paused permit: !stale
    paused checkpoint: point_made
    paused undone: !wrong_state
    held start: !already_started
    held outcome: completed a
    held progress: nothing
    held timer: nothing
    held signal: signal_taken sig, completed sig
    held keep_signal: signal_kept
    held approve: decided gate, completed gate
    held reject: decided gate, skipped gate
    held input: form_filled form, completed form
    held cancel: cancel_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, stop_asked c, cancelled a, branch_ended p, branch_ended p, branch_ended p, branch_ended p
    held pause: !wrong_state
    held resume: resumed, redelivered a
    held recovered: nothing
    held rollback: rollback_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, stop_asked c, cancelled a, branch_ended p, branch_ended p, branch_ended p, branch_ended p
    held rerun: !wrong_state
    held child_ended: completed c
    held permit: !stale
    held checkpoint: point_made
    held undone: !wrong_state
    cancelling start: !already_started
    cancelling outcome: completed a, branch_ended p
    cancelling progress: nothing
    cancelling timer: nothing
    cancelling signal: signal_kept
    cancelling keep_signal: signal_kept
    cancelling approve: !not_waiting
    cancelling reject: !not_waiting
    cancelling input: !not_waiting
    cancelling cancel: force_asked
    cancelling pause: !wrong_state
    cancelling resume: nothing
    cancelling recovered: cancelled a, branch_ended p
    cancelling rollback: !wrong_state
    cancelling rerun: !wrong_state
    cancelling child_ended: completed c, branch_ended p
    cancelling permit: !stale
    cancelling checkpoint: !wrong_state
    cancelling undone: !wrong_state
    rolling_back start: !already_started
    rolling_back outcome: completed a.rollback, rolled_back a, rollback_ended, ended
    rolling_back progress: nothing
    rolling_back timer: nothing
    rolling_back signal: signal_kept
    rolling_back keep_signal: signal_kept
    rolling_back approve: !unknown_step
    rolling_back reject: !unknown_step
    rolling_back input: !unknown_step
    rolling_back cancel: rollback_stop_asked
    rolling_back pause: !wrong_state
    rolling_back resume: nothing
    rolling_back recovered: redelivered a.rollback
    rolling_back rollback: !wrong_state
    rolling_back rerun: !wrong_state
    rolling_back child_ended: !stale
    rolling_back permit: !stale
    rolling_back checkpoint: !wrong_state
    rolling_back undone: !wrong_state
    completed start: !already_started
    completed outcome: !terminal
    completed progress: !terminal
    completed timer: nothing
    completed signal: !terminal
    completed keep_signal: !terminal
    completed approve: !terminal
    completed reject: !terminal
    completed input: !terminal
    completed cancel: !terminal
    completed pause: !terminal
    completed resume: !terminal
    completed recovered: nothing
    completed rollback: !nothing_to_undo
    completed rerun: rerun, forked p, scheduled a, approval_asked gate, form_asked form, wait_began sig, child_asked c
    completed child_ended: !terminal
    completed permit: !terminal
    completed checkpoint: !terminal
    completed undone: !terminal
    failed start: !already_started
    failed outcome: !terminal
    failed progress: !terminal
    failed timer: nothing
    failed signal: !terminal
    failed keep_signal: !terminal
    failed approve: !terminal
    failed reject: !terminal
    failed input: !terminal
    failed cancel: !terminal
    failed pause: !terminal
    failed resume: !terminal
    failed recovered: nothing
    failed rollback: !nothing_to_undo
    failed rerun: rerun, forked p, scheduled a, approval_asked gate, form_asked form, wait_began sig, child_asked c
    failed child_ended: !terminal
    failed permit: !terminal
    failed checkpoint: !terminal
    failed undone: !terminal
    cancelled start: !already_started
    cancelled outcome: !terminal
    cancelled progress: !terminal
    cancelled timer: nothing
    cancelled signal: !terminal
    cancelled keep_signal: !terminal
    cancelled approve: !terminal
    cancelled reject: !terminal
    cancelled input: !terminal
    cancelled cancel: !terminal
    cancelled pause: !terminal
    cancelled resume: !terminal
    cancelled recovered: nothing
    cancelled rollback: !nothing_to_undo
    cancelled rerun: rerun, forked p, scheduled a, approval_asked gate, form_asked form, wait_began sig, child_asked c
    cancelled child_ended: !terminal
    cancelled permit: !terminal
    cancelled checkpoint: !terminal
    cancelled undone: !terminal
    rolled_back start: !already_started
    rolled_back outcome: !terminal
    rolled_back progress: !terminal
    rolled_back timer: nothing
    rolled_back signal: !terminal
    rolled_back keep_signal: !terminal
    rolled_back approve: !terminal
    rolled_back reject: !terminal
    rolled_back input: !terminal
    rolled_back cancel: !terminal
    rolled_back pause: !terminal
    rolled_back resume: !terminal
    rolled_back recovered: nothing
    rolled_back rollback: !nothing_to_undo
    rolled_back rerun: rerun, scheduled a
    rolled_back child_ended: !terminal
    rolled_back permit: !terminal
    rolled_back checkpoint: !terminal
    rolled_back undone: !terminal
    rollback_failed start: !already_started
    rollback_failed outcome: !terminal
    rollback_failed progress: !terminal
    rollback_failed timer: nothing
    rollback_failed signal: !terminal
    rollback_failed keep_signal: !terminal
    rollback_failed approve: !terminal
    rollback_failed reject: !terminal
    rollback_failed input: !terminal
    rollback_failed cancel: !terminal
    rollback_failed pause: !terminal
    rollback_failed resume: !terminal
    rollback_failed recovered: nothing
    rollback_failed rollback: rollback_began, scheduled a.rollback
    rollback_failed rerun: rerun, scheduled a
    rollback_failed child_ended: !terminal
    rollback_failed permit: !terminal
    rollback_failed checkpoint: !terminal
    rollback_failed undone: !terminal
    ");
}
