//! What is done about failures, and why: the definition, the ladder of autonomy, the table, questions with an end.

use serde_json::{Value, json};
use skep_model::decision::{Action, Autonomy, Judged};
use skep_model::error::{Failure, Kind};
use skep_model::event::Event;
use skep_model::plan::{Plan, Rollback};
use skep_model::rollback::Strategy;
use skep_model::status::Execution as Status;

use super::kit::{Harness, approve, failure, flow, flow_with, pause, reject, resume};
use super::undo_kit::{asks, undo_all};

fn decisions(harness: &Harness) -> Vec<&Judged> {
    harness
        .events()
        .filter_map(|event| if let Event::Judged(judged) = event { Some(judged.as_ref()) } else { None })
        .collect()
}

/// `a#1 retry may-pass: why [other rules]`, one per line.
fn table(harness: &Harness) -> String {
    let line = |judged: &&Judged| {
        let others: Vec<String> = judged
            .alternatives
            .iter()
            .map(|other| {
                let not = other.not.as_ref().map(|not| format!(", but {not}")).unwrap_or_default();
                format!("{} {}{not}", other.rule, other.action.as_str())
            })
            .collect();
        let (path, attempt, action, rule) = (&judged.path, judged.attempt, judged.action.as_str(), &judged.rule);
        format!("{path}#{attempt} {action} {rule}: {} [{}]\n", judged.reason, others.join("; "))
    };
    decisions(harness).iter().map(line).collect()
}

fn acting(steps: &str) -> Harness {
    flow(&format!("autonomy: act\nsteps: {steps}"))
}

fn printed(kind: Kind, text: &str) -> Failure {
    let mut failure = failure(kind);
    failure.message = text.to_owned();
    failure
}

// ---- the definition ----------------------------------------------------------------------------------------------

#[test]
fn what_the_definition_decides_is_journalled_with_its_reason() {
    let yaml = "steps: [{id: a, uses: noop, retry: {max_attempts: 2, delay: 1s, jitter: false}, on_error: skip}, {id: b, uses: noop}]";
    let mut harness = flow(yaml).fails("a", Kind::Exit).fails("a", Kind::Exit).fails("b", Kind::Invalid).run();
    harness.pass_ms(1_000);
    assert_eq!(harness.summary(), "failed: a=skipped(on_error) b=failed");
    insta::assert_snapshot!(table(&harness), @r"
    a#1 retry retry: `retry` repeats it: attempt 1 of 2 failed []
    a#2 skip on_error: all 2 attempts failed, and `on_error: skip` []
    b#1 abort default: nothing is said about it, so its list fails []
    ");
    let kinds: Vec<&str> = decisions(&harness).iter().map(|judged| judged.kind.as_str()).collect();
    assert_eq!(kinds, ["exit", "exit", "invalid"]);
}

#[test]
fn containers_approvals_and_waits_are_not_judged() {
    let yaml = "steps: [{id: p, parallel: {l: [{id: a, uses: noop}]}}]";
    let harness = flow(yaml).fails("a", Kind::Invalid).run();
    assert_eq!(decisions(&harness).iter().map(|judged| judged.path.to_string()).collect::<Vec<_>>(), ["a"]);
    let mut harness = flow("autonomy: act\nsteps: [{id: g, approval: {timeout: 1h, on_timeout: fail}}]").run();
    harness.pass_ms(3_600_000);
    assert_eq!((harness.summary().as_str(), decisions(&harness).len()), ("failed: g=failed", 0));
}

#[test]
fn what_a_failure_looks_like_can_be_repeated_by_its_name() {
    let yaml = "steps: [{id: a, uses: noop, retry: {max_attempts: 2, delay: 1s, jitter: false, on: [network]}}]";
    let mut harness = flow(yaml).fails_with("a", printed(Kind::Exit, "curl: (7) connection refused")).run();
    harness.pass_ms(1_000);
    assert_eq!(harness.summary(), "completed: a=completed");
    assert_eq!(decisions(&harness)[0].kind, Kind::Network);
    let harness = flow(yaml).fails_with("a", printed(Kind::Exit, "3 tests failed")).run();
    assert_eq!(harness.summary(), "failed: a=failed");
}

// ---- the table ---------------------------------------------------------------------------------------------------

#[test]
fn the_table_of_seed_004_row_by_row() {
    let check = |settings: &str, kind: Kind, expect: (Action, &str)| {
        let harness =
            acting(&format!("[{{id: a, uses: noop{settings}}}, {{id: z, uses: noop}}]")).fails("a", kind).run();
        let judged = decisions(&harness)[0];
        assert_eq!((judged.action, judged.rule.as_str()), expect, "{settings} {kind:?}");
        assert_eq!(judged.autonomy, Some(Autonomy::Act));
    };
    check(", critical: true", Kind::Network, (Action::Abort, "critical-step"));
    check("", Kind::Sandbox, (Action::Abort, "unsafe"));
    check(", priority: high", Kind::Invalid, (Action::Retry, "important"));
    check(", priority: critical", Kind::Exit, (Action::Retry, "important"));
    check(", read_only: true", Kind::Timeout, (Action::Retry, "may-pass"));
    check("", Kind::RateLimit, (Action::Retry, "may-pass"));
    check(", priority: low", Kind::Network, (Action::Retry, "may-pass"));
    check("", Kind::Invalid, (Action::Skip, "poor-health"));
    check(", priority: high, retry: {max_attempts: 1}", Kind::Exit, (Action::Escalate, "ask"));
}

#[test]
fn progress_and_health_are_real() {
    let before: Vec<String> = (0..9).map(|index| format!("{{id: s{index}, uses: noop}}")).collect();
    let steps =
        |settings: &str| format!("[{}, {{id: a, uses: noop{settings}}}, {{id: z, uses: noop}}]", before.join(", "));
    let low = acting(&steps(", priority: low")).fails("a", Kind::Exit).run();
    assert_eq!(low.summary().rsplit(' ').take(2).collect::<Vec<_>>(), ["z=completed", "a=skipped(on_error)"]);
    let facts = decisions(&low)[0].facts.expect("the table looked at facts");
    assert!(
        (facts.progress - 9.0 / 11.0).abs() < 1e-9 && (facts.health - (9.0 / 11.0 + 0.9) / 2.0).abs() < 1e-9,
        "{facts:?}"
    );
    let medium = acting(&steps("")).fails("a", Kind::Exit).run();
    insta::assert_snapshot!(table(&medium), @"a#1 continue medium: its priority is medium [ask escalate]");
    assert!(medium.summary().ends_with(" a=failed z=completed") && medium.status() == Status::Completed);
}

#[test]
fn the_table_tries_again_as_often_as_it_says_and_goes_on_then() {
    let mut harness = acting("[{id: a, uses: noop}, {id: z, uses: noop}]");
    for _ in 0..3 {
        harness = harness.fails("a", Kind::RateLimit);
    }
    let mut harness = harness.run();
    harness.crash();
    harness.pass_ms(1_000);
    harness.pass_ms(2_000);
    insta::assert_snapshot!(table(&harness), @r"
    a#1 retry may-pass: the failure is of kind rate_limit, 2 attempts are left [poor-health skip; medium continue; ask escalate]
    a#2 retry may-pass: the failure is of kind rate_limit, 1 attempt is left [poor-health skip; medium continue; ask escalate]
    a#3 skip poor-health: its priority is medium, health is 0.35 [medium continue; ask escalate]
    ");
    assert_eq!(harness.summary(), "completed: a=skipped(on_error) z=completed");
}

#[test]
fn continue_leaves_out_what_needs_the_step_and_nothing_else() {
    let yaml = "autonomy: act\norder: graph\nsteps: [{id: a, uses: noop}, {id: b, uses: noop, depends_on: [a]}, {id: c, uses: noop}]";
    let rules = "rules: [{name: on, then: continue}]";
    let harness = ruled(yaml, rules).fails("a", Kind::Exit).run();
    assert_eq!(harness.status(), Status::Completed, "{}", harness.trace());
    assert_eq!(
        ["a", "b", "c"].map(|path| harness.ended(path).unwrap()),
        ["failed", "skipped(dependency)", "completed"]
    );
}

/// A flow whose node has this table.
fn ruled(yaml: &str, rules: &str) -> Harness {
    let rules = skep_definition::decisions::read(rules).expect("the table is right");
    flow_with(yaml, move |plan: &mut Plan| plan.rules = Some(Box::new(rules.clone())))
}

#[test]
fn a_table_of_ones_own_decides_by_every_condition() {
    let check = |when: &str, settings: &str, applies: bool| {
        let yaml = format!("autonomy: act\nsteps: [{{id: a, uses: noop{settings}}}]");
        let rules = format!("rules: [{{name: mine, when: {when}, then: skip}}, {{name: else, then: abort}}]");
        let harness = ruled(&yaml, &rules).fails("a", Kind::NotFound).run();
        let expect = if applies { "mine" } else { "else" };
        assert_eq!(decisions(&harness)[0].rule, expect, "{when} {settings}");
    };
    check("{priority: [low, high]}", ", priority: high", true);
    check("{priority: [low, high]}", "", false);
    check("{class: permanent}", "", true);
    check("{class: [system, business]}", "", false);
    check("{kind: [not_found]}", "", true);
    check("{kind: exit}", "", false);
    check("{attempts_left: true}", "", true);
    check("{attempts_left: true}", ", retry: {max_attempts: 3}", false);
    check("{progress: {below: 0.1}}", "", true);
    check("{progress: {above: 0.1}}", "", false);
    check("{health: {above: 0.4, below: 0.5}}", "", true);
    check("{health: {above: 0.5}}", "", false);
    check("{critical: true}", ", critical: true", true);
    check("{critical: true}", "", false);
    check("{read_only: false}", "", true);
    check("{irreversible: true}", ", irreversible: true", true);
    check("{kind: not_found, critical: true}", "", false);
}

#[test]
fn an_action_that_is_not_possible_is_passed_over_and_named() {
    let rules = "rules: [{name: again, then: retry}, {name: else, then: abort}]\nretry: {max_attempts: 2, delay: 1s}";
    let yaml = "autonomy: act\nsteps: [{id: a, uses: noop, total_timeout: 5s}]";
    let mut late = ruled(yaml, rules).hangs("a").run();
    late.pass_ms(5_000);
    insta::assert_snapshot!(table(&late), @"a#1 abort else: no rule before it applies [again retry, but its time is over]");
    assert_eq!(late.summary(), "failed: a=failed");
    let early =
        ruled("autonomy: act\nvars: {x: 1}\nsteps: [{id: a, uses: noop, with: {v: '${{ [1][vars.x] }}'}}]", rules)
            .run();
    insta::assert_snapshot!(table(&early), @"a#0 abort else: no rule before it applies [again retry, but it had not begun]");
    let mut spent = ruled(yaml, rules).fails("a", Kind::Exit).fails("a", Kind::Exit).run();
    spent.pass_ms(1_000);
    assert_eq!(decisions(&spent)[1].alternatives[0].not.as_deref(), Some("no attempts are left"));
}

#[test]
fn an_abort_of_a_critical_step_is_undone_at_once() {
    let yaml = "autonomy: act\nsteps: [{id: u, uses: noop}, {id: a, uses: noop, critical: true}]";
    let harness = flow_with(yaml, |plan| undo_for(plan, "")).fails("a", Kind::Exit).run();
    assert_eq!((harness.status(), harness.order().as_str()), (Status::RolledBack, "u a u.rollback"));
}

/// Steps called `u..` can be undone; `target` is told what cannot.
fn undo_for(plan: &mut Plan, target: &str) {
    undo_all(plan);
    plan.rollback =
        Some(Rollback { strategy: Strategy::Graceful, checkpoint_interval: 3, escalation_target: target.to_owned() });
}

#[test]
fn a_failing_step_beside_one_that_failed_is_not_judged_by_the_table() {
    let yaml = "autonomy: act\nsteps: [{id: p, parallel: {l: [{id: a, uses: noop, on_error: fail}], r: [{id: b, uses: noop}]}}]";
    let mut harness = flow(yaml).hangs("b").fails("a", Kind::Exit).run();
    assert_eq!(harness.status(), Status::Failed, "{}", harness.trace());
    let mut harness2 = flow(yaml).hangs("b").hangs("a").run();
    harness2.fail("a", Kind::Exit);
    harness2.fail("b", Kind::Exit);
    harness2.settle();
    harness.settle();
    assert_eq!(harness2.summary(), "failed: a=failed b=cancelled p=failed");
}

// ---- the ladder --------------------------------------------------------------------------------------------------

fn on_rung(rung: &str, settings: &str) -> Harness {
    flow(&format!("autonomy: {rung}\nsteps: [{{id: a, uses: noop{settings}}}, {{id: z, uses: noop}}]"))
}

#[test]
fn without_autonomy_a_person_decides() {
    let held = || {
        let mut harness = on_rung("off", "").fails("a", Kind::Exit).run();
        assert_eq!(harness.status(), Status::Held);
        harness.crash();
        harness
    };
    insta::assert_snapshot!(table(&held()), @"a#1 escalate off: `autonomy: off`: a person decides []");
    let (mut yes, mut no) = (held(), held());
    yes.tell(&approve(None));
    yes.settle();
    assert_eq!(yes.summary(), "completed: a=completed z=completed");
    no.tell(&reject(None));
    assert_eq!(no.summary(), "failed: a=failed");
}

#[test]
fn a_proposal_is_done_with_a_yes_and_fails_with_a_no() {
    for (settings, kind, action, summary) in [
        ("", Kind::Invalid, "skip", "completed: a=skipped(on_error) z=completed"),
        (", priority: high", Kind::Invalid, "retry", "completed: a=completed z=completed"),
        (", priority: critical, retry: {max_attempts: 1}", Kind::Exit, "", "completed: a=completed z=completed"),
    ] {
        for message in [approve(Some("a")), resume()] {
            let mut harness = on_rung("suggest", settings).fails("a", kind).run();
            let held = harness.state.held.clone().expect("it is held");
            assert_eq!(held.message.contains(&format!("(proposed: {action})")), !action.is_empty(), "{held:?}");
            harness.crash();
            harness.tell(&message);
            harness.settle();
            assert_eq!(harness.summary(), summary, "{settings}\n{}", harness.trace());
        }
        let mut harness = on_rung("suggest", settings).fails("a", kind).run();
        harness.tell(&reject(None));
        assert_eq!(harness.summary(), "failed: a=failed");
    }
}

#[test]
fn what_may_have_been_done_is_undone_also_after_a_proposal() {
    let rules = "rules: [{name: on, then: continue}]";
    for rung in ["act", "suggest"] {
        let yaml = format!("autonomy: {rung}\nsteps: [{{id: ua, uses: noop}}, {{id: z, uses: noop, on_error: fail}}]");
        let rules = skep_definition::decisions::read(rules).unwrap();
        let mut harness = flow_with(&yaml, move |plan| {
            undo_all(plan);
            plan.rules = Some(Box::new(rules.clone()));
        })
        .fails("ua", Kind::Timeout)
        .fails("z", Kind::Exit)
        .run();
        if rung == "suggest" {
            harness.tell(&resume());
            harness.settle();
        }
        assert!(harness.order().starts_with("ua z"), "{rung} {}", harness.trace());
        assert!(
            harness.events().any(|event| matches!(event, Event::UndoKept { path, .. } if &**path == "ua")),
            "{rung} {}",
            harness.trace()
        );
    }
}

#[test]
fn a_step_in_doubt_is_asked_about_first_and_judged_then() {
    let mut harness = flow_with("autonomy: act\nsteps: [{id: a, uses: noop}]", |plan| asks(plan, "a"))
        .fails("a", Kind::Timeout)
        .run();
    assert_eq!((harness.status(), decisions(&harness).len()), (Status::Held, 0));
    harness.tell(&reject(None));
    assert_eq!(decisions(&harness)[0].rule, "may-pass");
    harness.pass_ms(1_000);
    assert_eq!(harness.summary(), "completed: a=completed");
}

// ---- questions with an end ---------------------------------------------------------------------------------------

const HOUR: u64 = 3_600_000;

fn asking(rest: &str) -> Harness {
    let on_error = format!("{{strategy: escalate, escalation_target: ops{rest}}}");
    flow(&format!("steps: [{{id: a, uses: noop, on_error: {on_error}}}, {{id: z, uses: noop}}]"))
        .fails("a", Kind::Exit)
        .run()
}

fn told(harness: &Harness) -> Vec<Value> {
    harness
        .events()
        .filter(|event| matches!(event, Event::Escalated { .. }))
        .map(|event| json!(event)["to"].clone())
        .collect()
}

#[test]
fn a_question_climbs_its_chain_while_the_execution_is_held() {
    let mut harness = asking(", escalate: [{after: 2h, to: boss}, {after: 1h, to: lead}], timeout: 4h");
    assert_eq!(harness.state.next_wake().map(|at| at.0), Some(harness.now.plus_ms(HOUR).0));
    harness.pass_ms(HOUR - 1);
    assert!(told(&harness).is_empty());
    harness.pass_ms(1);
    harness.crash();
    harness.pass_ms(HOUR);
    assert_eq!(told(&harness), ["lead", "boss"]);
    assert!(harness.state.held.as_ref().is_some_and(|held| held.message.contains("`a` failed and boss is asked")));
    harness.pass_ms(2 * HOUR);
    assert_eq!(harness.summary(), "failed: a=failed");
    let answered = harness.events().find(|event| matches!(event, Event::Answered { .. })).map(|event| json!(event));
    assert_eq!(answered.map(|event| event["actor"].clone()), Some(json!({"kind": "engine"})));
}

#[test]
fn the_end_of_the_wait_may_try_again() {
    let mut harness = asking(", timeout: 1h, on_timeout: retry");
    harness.pass_ms(HOUR);
    assert_eq!(harness.summary(), "completed: a=completed z=completed");
}

#[test]
fn an_answer_ends_the_chain_and_a_pause_stops_it() {
    let mut harness = asking(", escalate: [{after: 1h, to: lead}], timeout: 2h");
    harness.tell(&approve(None));
    harness.settle();
    harness.pass_ms(5 * HOUR);
    assert_eq!((told(&harness).len(), harness.status()), (0, Status::Completed));
    let mut paused = flow("steps: [{id: a, uses: noop, on_error: {strategy: escalate, timeout: 1h}}]").hangs("a").run();
    paused.tell(&pause());
    paused.fail("a", Kind::Exit);
    assert_eq!(paused.state.next_wake(), None);
    paused.pass_ms(2 * HOUR);
    assert_eq!(paused.status(), Status::Paused);
    paused.tell(&resume());
    paused.settle();
    assert_eq!(paused.status(), Status::Completed);
}

#[test]
fn the_tables_own_chain_is_climbed() {
    let rules = "rules: [{name: ask, then: escalate}]\nescalation: {escalation_target: ops, escalate: [{after: 1h, to: boss}], timeout: 2h}";
    let mut harness = ruled("autonomy: act\nsteps: [{id: a, uses: noop}]", rules).fails("a", Kind::Exit).run();
    harness.pass_ms(HOUR);
    assert_eq!(told(&harness), ["boss"]);
    harness.pass_ms(HOUR);
    assert_eq!(harness.summary(), "failed: a=failed");
}

#[test]
fn what_could_not_be_undone_is_escalated() {
    let yaml = "steps: [{id: u, uses: noop}, {id: z, uses: noop}]";
    let mut harness = flow_with(yaml, |plan| undo_for(plan, "oncall"))
        .fails("z", Kind::Exit)
        .fails("u.rollback", Kind::Invalid)
        .run();
    assert_eq!((harness.status(), told(&harness)), (Status::RollbackFailed, vec![json!("oncall")]));
    harness.crash();
}
