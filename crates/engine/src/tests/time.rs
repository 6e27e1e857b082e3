//! Waits, retries and bounds.

use serde_json::json;
use skep_model::error::{Failure, Kind};
use skep_model::message::Message;

use super::kit::{Harness, failure, flow, signal};

fn wait(rest: &str) -> Harness {
    flow(&format!("steps: [{{id: w, wait: {rest}}}, {{id: z, uses: noop}}]")).run()
}

#[test]
fn a_wait_ends_at_its_time() {
    let mut harness = wait("{for: 10m}");
    assert_eq!(harness.state.next_wake(), Some(harness.now.plus_ms(600_000)));
    harness.pass_ms(599_999);
    assert_eq!(harness.order(), "");
    harness.crash();
    harness.pass_ms(1);
    assert_eq!(harness.summary(), "completed: w=completed z=completed");
    let past = wait("{until: 1970-01-01T00:00:01Z}");
    assert_eq!(past.summary(), "completed: w=completed z=completed");
    let mut moment = wait("{until: 1970-01-01T01:00:00Z}");
    moment.pass_ms(3_600_000);
    assert_eq!(moment.summary(), "completed: w=completed z=completed");
}

#[test]
fn a_wait_for_what_is_no_time_fails() {
    let yaml = "inputs: {d: {type: string}}\nsteps: [{id: w, wait: {for: '${{ inputs.d }}'}}]";
    let mut harness = flow(yaml).start_with(json!({"d": "soon"}));
    harness.settle();
    assert_eq!(harness.state.failure.as_ref().map(|failure| failure.code.as_str()), Some("SKEP-X005"));
}

#[test]
fn a_signal_is_taken_kept_or_missed() {
    let yaml = "steps: [{id: a, uses: noop}, {id: w, wait: {signal: go, timeout: 1h}}]\noutputs: {p: '${{ steps.w.outputs.payload }}', by: '${{ steps.w.outputs.by }}'}";
    let mut waiting = flow(yaml).run();
    waiting.tell(&signal("other", json!(0)));
    waiting.tell(&signal("go", json!({"n": 1})));
    assert_eq!(waiting.outputs(), json!({"p": {"n": 1}, "by": "ada"}));
    let mut before = flow(yaml).start();
    before.tell(&signal("go", json!(1)));
    before.tell(&signal("go", json!(2)));
    before.settle();
    assert_eq!(before.outputs(), json!({"p": 1, "by": "ada"}));
    let mut late = flow(yaml).run();
    late.pass_ms(3_600_000);
    assert_eq!(late.summary(), "failed: a=completed w=failed");
}

#[test]
fn only_so_many_signals_are_kept() {
    let mut harness = flow("steps: [{id: a, uses: noop}]").start();
    for _ in 0..skep_model::limits::SIGNALS_KEPT_MAX {
        harness.tell(&signal("go", json!(null)));
    }
    let told = harness.try_tell(&signal("go", json!(null)));
    assert!(matches!(told, Err(crate::Rejection::TooManySignals(100))), "{told:?}");
}

fn retried(retry: &str, failures: &[Failure]) -> Harness {
    let yaml = format!("steps: [{{id: a, uses: noop, retry: {{{retry}}}}}]");
    failures.iter().fold(flow(&yaml), |flow, failure| flow.fails_with("a", failure.clone())).run()
}

/// Pauses between attempts in milliseconds, then how it ended.
fn pauses(retry: &str, failures: &[Failure]) -> (Vec<u64>, String) {
    let mut harness = retried(retry, failures);
    let mut pauses = Vec::new();
    while let Some(wake) = harness.state.next_wake() {
        let pause = wake.ms_since(harness.now);
        assert!(pauses.len() < 10, "it never ends");
        pauses.push(pause);
        if pause > 1 {
            harness.pass_ms(pause - 1);
            harness.pass_ms(1);
        } else {
            harness.pass_ms(pause);
        }
    }
    let keys: Vec<String> = harness.performed.iter().map(|task| task.idempotency_key()).collect();
    assert!(keys.iter().all(|key| *key == "e1/a/g1"));
    (pauses, harness.summary())
}

#[test]
fn attempts_are_repeated_as_written() {
    let check = |retry: &str, kind: Kind, times: usize, expect: &[u64], end: &str| {
        let given = pauses(retry, &vec![failure(kind); times]);
        assert_eq!(given, (expect.to_vec(), format!("{end}: a={end}")), "{retry} {kind:?}");
    };
    let base = "jitter: false, delay: 1s, max_attempts: 4";
    check(&format!("{base}, backoff: fixed"), Kind::Network, 3, &[1_000; 3], "completed");
    check(&format!("{base}, backoff: linear"), Kind::Network, 3, &[1_000, 2_000, 3_000], "completed");
    check(&format!("{base}, backoff: exponential"), Kind::Network, 4, &[1_000, 2_000, 4_000], "failed");
    check(&format!("{base}, backoff: exponential, max_delay: 2s"), Kind::Exit, 3, &[1_000, 2_000, 2_000], "completed");
    check(base, Kind::Invalid, 1, &[], "failed");
    check(base, Kind::Rejected, 1, &[], "failed");
    check(&format!("{base}, backoff: fixed"), Kind::Crash, 4, &[1_000], "failed");
    check(&format!("{base}, backoff: fixed, on: [invalid]"), Kind::Invalid, 1, &[1_000], "completed");
    check(&format!("{base}, backoff: fixed, on: [permanent]"), Kind::NotFound, 1, &[1_000], "completed");
    check(&format!("{base}, on: [permanent]"), Kind::Network, 1, &[], "failed");
}

#[test]
fn retry_after_and_jitter_bound_the_pause() {
    let mut slow = failure(Kind::RateLimit);
    slow.retry_after_ms = Some(60_000);
    assert_eq!(pauses("jitter: false, delay: 1s, max_attempts: 2", &[slow]).0, [60_000]);
    let (drawn, _) = pauses("jitter: true, delay: 1s, backoff: fixed, max_attempts: 5", &vec![failure(Kind::Exit); 4]);
    assert!(drawn.iter().all(|pause| (500..=1_000).contains(pause)), "{drawn:?}");
}

#[test]
fn total_timeout_bounds_attempts_and_pauses() {
    let yaml = "steps: [{id: a, uses: noop, total_timeout: 10s, retry: {max_attempts: 9, delay: 8s, jitter: false, backoff: fixed}}]";
    let mut pausing = flow(yaml).fails("a", Kind::Network).fails("a", Kind::Network).run();
    pausing.pass_ms(8_000);
    pausing.pass_ms(2_000);
    assert_eq!(pausing.summary(), "failed: a=failed");
    let mut working = flow(yaml).hangs("a").run();
    working.now = working.now.plus_ms(10_000);
    working.tell(&Message::TimerFired);
    assert_eq!(working.last_turn(), "stop_asked a");
    working.settle();
    assert_eq!(working.summary(), "failed: a=failed");
    assert_eq!(working.state.failure.as_ref().map(|failure| failure.code.as_str()), Some("SKEP-X002"));
}

#[test]
fn a_structured_step_has_a_bound_of_its_own() {
    let yaml = "steps: [{id: p, timeout: 1m, on_error: skip, parallel: {l: [{id: a, uses: noop}], r: [{id: b, wait: {for: 1h}}]}}, {id: z, uses: noop}]";
    let mut harness = flow(yaml).hangs("a").run();
    harness.pass_ms(60_000);
    assert_eq!(harness.summary(), "completed: b=cancelled a=cancelled p=skipped(on_error) z=completed");
}

#[test]
fn the_execution_has_a_bound_and_still_cleans_up() {
    let yaml = "timeout: 1m\nsteps: [{id: a, uses: noop}, {id: z, uses: noop}]\nfinally: [{id: f, uses: noop}]";
    let mut harness = flow(yaml).hangs("a").run();
    harness.pass_ms(60_000);
    assert_eq!(harness.summary(), "failed: a=cancelled f=completed");
    assert_eq!(harness.state.failure.as_ref().map(|failure| failure.code.as_str()), Some("SKEP-X001"));
}

#[test]
fn exit_codes_and_http_statuses_name_what_is_repeated() {
    let exit = |code: i32| {
        let mut failed = failure(Kind::Exit);
        failed.exit_code = Some(code);
        failed
    };
    let http = |status: u16| {
        let mut failed = failure(Kind::Invalid);
        failed.http_status = Some(status);
        failed
    };
    let check = |on: &str, failure: Failure, expect: &str| {
        let (_, end) = pauses(&format!("jitter: false, delay: 1s, max_attempts: 2, on: [{on}]"), &[failure]);
        assert_eq!(end, expect, "{on}");
    };
    check("75", exit(75), "completed: a=completed");
    check("75", exit(1), "failed: a=failed");
    check("409", http(409), "completed: a=completed");
    check("409", http(400), "failed: a=failed");
}
