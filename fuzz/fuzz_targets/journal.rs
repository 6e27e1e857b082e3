//! Any bytes are a journal: events that decode are encoded back, and turns that do not fit are misfits, not crashes.
//!
//! Lines of JSON are turns as they stand. Other bytes choose events out of a table, so that the fold gets far.

#![no_main]

use std::collections::HashMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use skep_definition::{load, plan};
use skep_engine::{Program, State, apply_turn, outstanding};
use skep_model::actor::Actor;
use skep_model::error::{Failure, Kind};
use skep_model::event::{Event, Turn};
use skep_model::ids::{ExecutionId, Hash};
use skep_model::time::Timestamp;

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let workflow = load::load(skep_fuzz::WORKFLOW).workflow.expect("the workflow reads");
    let plan = plan::plan(&workflow, &skep_fuzz::catalogue()).expect("the workflow is right");
    Program::new(plan).expect("a checked plan compiles")
});

/// Paths of the workflow, with rounds that exist, that do not, and that nobody has.
const PATHS: [&str; 26] = [
    "work", "shown", "ask", "form", "pause", "nod", "each", "each[0].inner", "each[1].inner", "each[0].twice",
    "each[0].twice[0].deep", "each[0].twice[1].deep", "both", "left", "right", "choose", "yes", "otherwise", "loop",
    "loop[0].body", "report", "each[4000000000].inner", "inner", "each[0]", "nobody", "",
];
const STATUSES: [&str; 9] =
    ["pending", "running", "waiting", "completed", "failed", "skipped", "cancelled", "unknown", "rolled_back"];
const ENDS: [&str; 5] = ["completed", "failed", "cancelled", "running", "held"];

fuzz_target!(|bytes: &[u8]| {
    let mut state = State::default();
    let written = std::str::from_utf8(bytes).ok().filter(|text| text.starts_with('['));
    match written {
        Some(text) => {
            for line in text.lines() {
                let Ok(events) = serde_json::from_str::<Vec<Event>>(line) else { continue };
                let encoded = serde_json::to_string(&events).expect("events are plain data");
                let again: Vec<Event> = serde_json::from_str(&encoded).expect("what was encoded decodes");
                assert_eq!(again, events, "events read back the same");
                if !fold(&mut state, events) {
                    return;
                }
            }
        }
        None => {
            fold(&mut state, vec![started()]);
            for choice in bytes.chunks_exact(4) {
                if !fold(&mut state, event(choice).into_iter().collect()) {
                    return;
                }
            }
        }
    }
});

/// One turn; false if it did not fit, and the state is not to be used any more.
fn fold(state: &mut State, events: Vec<Event>) -> bool {
    let turn = Turn { seq: state.seq + 1, at: Timestamp(1_000_000), events };
    if apply_turn(state, &PROGRAM, &turn).is_err() {
        return false;
    }
    let _ = outstanding(state, &PROGRAM, &HashMap::new());
    let _ = (state.next_wake(), state.flows(), state.performing_count(), state.waiting_for());
    true
}

fn started() -> Event {
    let event = json!({
        "t": "started",
        "execution": ExecutionId::new("0190a1b2-0000-7000-8000-000000000000"),
        "plan_hash": PROGRAM.hash(), "definition_hash": Hash::of(b"text"), "inputs": {"hosts": ["a", "b"]},
        "base_dir": "/", "environment": {}, "actor": actor(), "event": null, "seed": 7,
    });
    serde_json::from_value(event).expect("a start reads")
}

fn actor() -> Actor {
    Actor::person("ada")
}

/// An event that four bytes choose; built as JSON, as a journal holds it.
fn event(choice: &[u8]) -> Option<Event> {
    let [kind, path, number, status] = choice else { return None };
    let path = PATHS[usize::from(*path) % PATHS.len()];
    let failure = Failure::new(Kind::Exit, "SKEP-T001", "failed on purpose".to_owned());
    let step_status = STATUSES[usize::from(*status) % STATUSES.len()];
    let end = ENDS[usize::from(*status) % ENDS.len()];
    let event = match kind % 33 {
        0 => json!({"t": "scheduled", "p": path, "a": number, "d": status, "args": {"v": {}}}),
        1 => json!({"t": "redelivered", "p": path, "d": number}),
        2 => json!({"t": "attempt_failed", "p": path, "f": failure, "at": number}),
        3 => json!({"t": "proposed", "p": path, "o": {}}),
        4 => json!({"t": "completed", "p": path, "o": {"x": {"v": number}}}),
        5 => json!({"t": "failed", "p": path, "f": failure}),
        6 => json!({"t": "skipped", "p": path, "r": "condition"}),
        7 => json!({"t": "stop_asked", "p": path, "then": {"failed": failure}}),
        8 => json!({"t": "stop_asked", "p": path}),
        9 => json!({"t": "cancelled", "p": path}),
        10 => json!({"t": "case_taken", "p": path, "c": number}),
        11 => json!({"t": "case_taken", "p": path, "c": null}),
        12 => json!({"t": "forked", "p": path}),
        13 => json!({"t": "branch_ended", "p": path, "b": number, "s": step_status}),
        14 => json!({"t": "loop_began", "p": path, "n": number}),
        15 => json!({"t": "loop_began", "p": path, "i": {"v": ["a", "b"]}, "n": 2}),
        16 => json!({"t": "iteration_began", "p": path, "i": number}),
        17 => json!({"t": "iteration_ended", "p": path, "i": number, "s": step_status}),
        18 => json!({"t": "approval_asked", "p": path, "message": "", "assignee": "", "until": number,
            "escalations": [[number, "ada"]]}),
        19 => json!({"t": "escalated", "p": path, "to": "ada"}),
        20 => json!({"t": "decided", "p": path, "approved": number % 2 == 0, "actor": actor()}),
        21 => json!({"t": "form_asked", "p": path, "message": "", "assignee": ""}),
        22 => json!({"t": "form_filled", "p": path, "actor": actor()}),
        23 => json!({"t": "wait_began", "p": path, "until": number}),
        24 => json!({"t": "wait_began", "p": path, "signal": "go"}),
        25 => json!({"t": "signal_kept", "name": "go", "payload": {"v": 1}, "actor": actor()}),
        26 => json!({"t": "signal_taken", "p": path, "name": "go", "actor": actor(), "kept": number % 2 == 0}),
        27 => json!({"t": "paused", "actor": actor()}),
        28 => json!({"t": "resumed", "actor": actor()}),
        29 => json!({"t": "cancel_asked", "actor": actor()}),
        30 => json!({"t": "held", "reason": failure}),
        31 => json!({"t": "finally_began", "s": end}),
        _ => json!({"t": "ended", "s": end}),
    };
    Some(serde_json::from_value(event).expect("the table is of events"))
}
