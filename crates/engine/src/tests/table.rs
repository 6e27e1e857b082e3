//! Every message in every state. A new message or state does not compile here until it has its row.

use serde_json::json;
use skep_model::ids::Token;
use skep_model::message::{Message, Progress};
use skep_model::outcome::Ended;
use skep_model::status::Execution as Status;

use super::kit::{self, Harness, flow};
use crate::Rejection;

const YAML: &str = "steps: [{id: p, parallel: {w: [{id: a, uses: noop}], q: [{id: gate, approval: {message: ok?}}], \
    f: [{id: form, input: {n: {type: integer}}}], s: [{id: sig, wait: {signal: go}}]}}]\nfinally: [{id: f1, uses: noop}]";

/// An execution in this state in which `a` is performed if that is possible; `None` if nothing leads there.
fn at(status: Status) -> Option<Harness> {
    let mut harness = flow(YAML);
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
            harness.fail("a", skep_model::error::Kind::Invalid);
            harness.settle();
        }
        Status::Cancelled => {
            harness.tell(&kit::cancel());
            harness.settle();
        }
        Status::RollingBack | Status::RolledBack | Status::RollbackFailed => return None,
    }
    assert_eq!(harness.status(), status, "{}", harness.trace());
    Some(harness)
}

fn complete(harness: &mut Harness) {
    harness.tell(&kit::approve(None));
    harness.tell(&kit::input(json!({"n": 1})));
    harness.tell(&kit::signal("go", json!(1)));
    harness.settle();
}

/// The delivery of `a`, or one that nobody knows where it is not performed.
fn token(harness: &Harness) -> Token {
    let known = harness.running.get("a").map(|task| task.token.clone());
    known.or_else(|| harness.stopping.get("a").cloned()).unwrap_or_else(|| Token::new("unknown"))
}

const MESSAGES: [&str; 13] = [
    "start",
    "outcome",
    "progress",
    "timer",
    "signal",
    "approve",
    "reject",
    "input",
    "cancel",
    "pause",
    "resume",
    "recovered",
    "permit",
];

fn message(word: &str, harness: &Harness) -> Message {
    let progress = Progress { path: "a".into(), token: token(harness), note: String::new(), percent: None };
    let message = match word {
        "start" => kit::start_message(&harness.program, json!({})),
        "outcome" => kit::outcome_of("a", token(harness), Ended::Succeeded(skep_model::Map::new())),
        "progress" => Message::Progress(progress),
        "timer" => Message::TimerFired,
        "signal" => kit::signal("go", json!(1)),
        "approve" => kit::approve(Some("gate")),
        "reject" => kit::reject(Some("gate")),
        "input" => {
            Message::Input { path: Some("form".into()), values: kit::object(json!({"n": 1})), actor: kit::ada() }
        }
        "cancel" => kit::cancel(),
        "pause" => kit::pause(),
        "resume" => kit::resume(),
        "recovered" => Message::Recovered,
        "permit" => kit::stray_permit("a"),
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
        Message::Approve(_) => "approve",
        Message::Reject(_) => "reject",
        Message::Input { .. } => "input",
        Message::Cancel { .. } => "cancel",
        Message::Pause { .. } => "pause",
        Message::Resume { .. } => "resume",
        Message::Recovered => "recovered",
        Message::Permit { .. } => "permit",
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
        Rejection::Broken(_) => "broken",
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
    insta::assert_snapshot!(lines, @r"
    pending start: started, forked p, scheduled a, approval_asked gate, form_asked form, wait_began sig
    pending outcome: !not_started
    pending progress: !not_started
    pending timer: !not_started
    pending signal: !not_started
    pending approve: !not_started
    pending reject: !not_started
    pending input: !not_started
    pending cancel: !not_started
    pending pause: !not_started
    pending resume: !not_started
    pending recovered: nothing
    pending permit: !not_started
    running start: !already_started
    running outcome: completed a, branch_ended p
    running progress: nothing
    running timer: nothing
    running signal: signal_taken sig, completed sig, branch_ended p
    running approve: decided gate, completed gate, branch_ended p
    running reject: decided gate, skipped gate, branch_ended p, stop_asked p, stop_asked a, cancelled form, cancelled sig, branch_ended p, branch_ended p
    running input: form_filled form, completed form, branch_ended p
    running cancel: cancel_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, branch_ended p, branch_ended p, branch_ended p
    running pause: paused
    running resume: nothing
    running recovered: redelivered a
    running permit: !stale
    paused start: !already_started
    paused outcome: completed a
    paused progress: nothing
    paused timer: nothing
    paused signal: signal_taken sig, completed sig
    paused approve: decided gate, completed gate
    paused reject: decided gate, skipped gate
    paused input: form_filled form, completed form
    paused cancel: cancel_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, branch_ended p, branch_ended p, branch_ended p
    paused pause: nothing
    paused resume: resumed
    paused recovered: redelivered a
    paused permit: !stale
    held start: !already_started
    held outcome: completed a
    held progress: nothing
    held timer: nothing
    held signal: signal_taken sig, completed sig
    held approve: decided gate, completed gate
    held reject: decided gate, skipped gate
    held input: form_filled form, completed form
    held cancel: cancel_asked, stop_asked p, stop_asked a, cancelled gate, cancelled form, cancelled sig, branch_ended p, branch_ended p, branch_ended p
    held pause: !wrong_state
    held resume: resumed, redelivered a
    held recovered: nothing
    held permit: !stale
    cancelling start: !already_started
    cancelling outcome: completed a, branch_ended p, cancelled p, finally_began, scheduled f1
    cancelling progress: nothing
    cancelling timer: nothing
    cancelling signal: signal_kept
    cancelling approve: !not_waiting
    cancelling reject: !not_waiting
    cancelling input: !not_waiting
    cancelling cancel: force_asked
    cancelling pause: !wrong_state
    cancelling resume: nothing
    cancelling recovered: cancelled a, branch_ended p, cancelled p, finally_began, scheduled f1
    cancelling permit: !stale
    completed start: !already_started
    completed outcome: !terminal
    completed progress: !terminal
    completed timer: nothing
    completed signal: !terminal
    completed approve: !terminal
    completed reject: !terminal
    completed input: !terminal
    completed cancel: !terminal
    completed pause: !terminal
    completed resume: !terminal
    completed recovered: nothing
    completed permit: !terminal
    failed start: !already_started
    failed outcome: !terminal
    failed progress: !terminal
    failed timer: nothing
    failed signal: !terminal
    failed approve: !terminal
    failed reject: !terminal
    failed input: !terminal
    failed cancel: !terminal
    failed pause: !terminal
    failed resume: !terminal
    failed recovered: nothing
    failed permit: !terminal
    cancelled start: !already_started
    cancelled outcome: !terminal
    cancelled progress: !terminal
    cancelled timer: nothing
    cancelled signal: !terminal
    cancelled approve: !terminal
    cancelled reject: !terminal
    cancelled input: !terminal
    cancelled cancel: !terminal
    cancelled pause: !terminal
    cancelled resume: !terminal
    cancelled recovered: nothing
    cancelled permit: !terminal
    ");
}
