//! The states of the execution, and what is not reached.

use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::plan::Plan;
use skep_model::status::{Execution as Status, SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use super::plans::*;
use crate::progress::Progress;
use crate::step::Inside;

fn pipeline() -> Plan {
    let pick = switch("pick", vec![vec![run("blue")], vec![run("green")]], Some(vec![run("grey")]));
    plan(vec![run("build"), pick, run("deploy")], vec![run("clean")])
}

fn check(events: Vec<Event>, expect: &[&str]) {
    assert_eq!(listing(&fold(&pipeline(), events)), expect.join("\n"));
}

fn in_green() -> Vec<Event> {
    let taken = Event::CaseTaken { path: "pick".into(), case: Some(1) };
    vec![started(), scheduled("build", 1), completed("build"), taken, scheduled("green", 1), completed("green")]
}

#[test]
fn before_the_start_every_planned_step_is_pending_in_plan_order() {
    check(
        Vec::new(),
        &[
            "build pending",
            "pick pending",
            "blue pending",
            "green pending",
            "grey pending",
            "deploy pending",
            "clean pending",
        ],
    );
}

#[test]
fn cases_not_taken_are_pending_until_the_end() {
    check(
        [in_green(), vec![completed("pick")]].concat(),
        &[
            "build completed",
            "pick completed",
            "blue pending",
            "green completed",
            "grey pending",
            "deploy pending",
            "clean pending",
        ],
    );
}

#[test]
fn what_a_failed_sequence_did_not_reach_is_skipped_at_the_end() {
    let events = vec![
        started(),
        scheduled("build", 1),
        failed("build"),
        Event::FinallyBegan { status: Status::Failed },
        scheduled("clean", 1),
        completed("clean"),
        ended(Status::Failed),
    ];
    check(
        events,
        &[
            "build failed",
            "pick skipped (not_reached)",
            "blue skipped (not_reached)",
            "green skipped (not_reached)",
            "grey skipped (not_reached)",
            "deploy skipped (not_reached)",
            "clean completed",
        ],
    );
}

#[test]
fn a_step_keeps_the_reason_that_its_event_gave() {
    let events =
        [in_green(), vec![completed("pick"), skipped("deploy", SkipReason::Condition), ended(Status::Completed)]];
    let execution = fold(&pipeline(), events.concat());
    let deploy = execution.step("deploy").unwrap();
    assert_eq!((deploy.reason, deploy.attempts, deploy.began_at), (Some(SkipReason::Condition), 0, None));
    assert_eq!(deploy.ended_at, Some(Timestamp(80)));
    let blue = execution.step("blue").unwrap();
    assert_eq!((blue.reason, blue.ended_at), (Some(SkipReason::NotReached), None));
    let names: Vec<&String> = blue.outputs.keys().collect();
    assert_eq!(names, ["stdout", "exit_code"], "null at every declared name");
    assert!(blue.outputs.values().all(|payload| payload.value.is_null()));
}

#[test]
fn a_cancelled_execution_skips_what_never_began() {
    let cancel = Event::CancelAsked { actor: ada(), reason: Some("wrong branch".to_owned()) };
    let stop = Event::StopAsked { path: "build".into(), then: Default::default() };
    let mut events = vec![started(), scheduled("build", 1), cancel, stop];
    let stopping = fold(&pipeline(), events.clone());
    assert_eq!((stopping.status, stopping.step("build").unwrap().stopping), (Status::Cancelling, true));
    events.extend([Event::Cancelled { path: "build".into() }, ended(Status::Cancelled)]);
    let execution = fold(&pipeline(), events);
    assert!(!execution.step("build").unwrap().stopping);
    assert_eq!(execution.cancel.as_ref().unwrap().reason.as_deref(), Some("wrong branch"));
    let counts = |status| execution.steps().iter().filter(|step| step.status == status).count();
    assert_eq!((counts(StepStatus::Cancelled), counts(StepStatus::Skipped)), (1, 6));
}

#[test]
fn a_forced_end_cancels_what_it_left() {
    let plan = plan(vec![parallel("both", vec![vec![run("left")], vec![approval("right")]])], vec![]);
    let events = vec![
        started(),
        Event::Forked { path: "both".into() },
        scheduled("left", 1),
        asked("right"),
        Event::CancelAsked { actor: ada(), reason: None },
        Event::ForceAsked { actor: ada(), at: Timestamp(99) },
        Event::Cancelled { path: "left".into() },
        ended(Status::Cancelled),
    ];
    let execution = fold(&plan, events);
    assert_eq!(listing(&execution), "both cancelled\nleft cancelled\nright cancelled");
    assert_eq!(execution.active().count(), 0);
    assert_eq!(execution.cancel.as_ref().unwrap().forced_at, Some(Timestamp(99)));
}

#[test]
fn the_execution_follows_its_events() {
    let reason = Failure::new(FailureKind::Bug, "SKEP-X009", "the owner died");
    let table = [
        (vec![], Status::Pending),
        (vec![started()], Status::Running),
        (vec![started(), Event::Paused { actor: ada() }], Status::Paused),
        (vec![started(), Event::Paused { actor: ada() }, Event::Resumed { actor: ada() }], Status::Running),
        (vec![started(), Event::Held { reason: reason.clone() }], Status::Held),
        (vec![started(), Event::TimedOut], Status::Running),
        (
            vec![
                started(),
                Event::CancelAsked { actor: ada(), reason: None },
                Event::Held { reason: reason.clone() },
                Event::Resumed { actor: ada() },
            ],
            Status::Cancelling,
        ),
        (vec![started(), ended(Status::Completed)], Status::Completed),
    ];
    for (events, expect) in table {
        let execution = fold(&pipeline(), events.clone());
        assert_eq!(execution.status, expect, "{events:?}");
        assert_eq!(execution.held.is_some(), expect == Status::Held);
        assert_eq!(execution.ended_at.is_some(), expect.is_terminal());
        assert_eq!(execution.strays, 0);
    }
}

#[test]
fn branches_remember_how_they_ended() {
    let plan = plan(vec![parallel("both", vec![vec![run("left")], vec![run("right")]])], vec![]);
    let ended = Event::BranchEnded { path: "both".into(), branch: 0, status: StepStatus::Completed };
    let execution = fold(&plan, vec![started(), Event::Forked { path: "both".into() }, ended]);
    assert_eq!(execution.step("both").unwrap().inside, Inside::Branches(vec![Some(StepStatus::Completed), None]));
}

#[test]
fn progress_counts_what_can_still_be_reached() {
    let execution = fold(&pipeline(), in_green());
    let Progress { done, total, running, waiting, figure } = execution.progress();
    // Done: build, green, and blue and grey, which were not taken. Open: deploy, clean.
    assert_eq!((done, total, running, waiting), (4, 6, 0, 0));
    assert!((figure - 4.0 / 6.0).abs() < 1e-9);
    let execution = fold(&pipeline(), vec![started(), scheduled("build", 1), failed("build"), ended(Status::Failed)]);
    let progress = execution.progress();
    assert_eq!((progress.done, progress.total, progress.figure), (6, 6, 1.0));
}

#[test]
fn an_event_about_an_unknown_step_is_counted() {
    let execution = fold(&pipeline(), vec![started(), completed("nowhere"), round_began("build", 0)]);
    assert_eq!(execution.strays, 2);
    assert_eq!(execution.step("build").unwrap().status, StepStatus::Pending);
}
