//! A rerun: what the view keeps, what it counts, and where the generation shows.

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::event::{Event, Turn};
use skep_model::ids::ExecutionId;
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;

use super::plans::*;
use crate::answer::answer;
use crate::execution::Execution;
use crate::timeline::Timeline;

fn turns(groups: Vec<Vec<Event>>) -> Vec<Turn> {
    let turn = |(at, events)| Turn { seq: at as u64 + 1, at: Timestamp(at as i64), events };
    groups.into_iter().enumerate().map(turn).collect()
}

fn rerun(kept: &[&str]) -> Event {
    Event::Rerun {
        actor: ada(),
        from: None,
        generation: 2,
        inputs: Map::from_iter([("env".to_owned(), json!("live"))]),
        kept: kept.iter().map(|path| (*path).into()).collect(),
    }
}

/// `build`, a loop of one round, `last`; all done, then run again with these kept.
fn again(kept: &[&str]) -> (Execution, Timeline) {
    let plan = plan(vec![run("build"), foreach("each", vec![run("inner")]), run("last")], vec![]);
    let history = turns(vec![
        vec![started(), scheduled("build", 1)],
        vec![gave("build", "stdout", json!("b")), loop_began("each", 1), round_began("each", 0)],
        vec![scheduled("each[0].inner", 1)],
        vec![completed("each[0].inner"), round_ended("each", 0, StepStatus::Completed), completed("each")],
        vec![scheduled("last", 1)],
        vec![failed("last"), ended(Status::Failed)],
        vec![rerun(kept), scheduled("last", 1)],
    ]);
    let (mut view, mut timeline) = (Execution::new(&plan), Timeline::new());
    for turn in &history {
        view.apply(turn);
        timeline.apply(turn);
    }
    assert_eq!(view.strays, 0);
    (view, timeline)
}

fn statuses(view: &Execution) -> String {
    let steps = view.steps();
    let words: Vec<String> = steps.iter().map(|step| format!("{}={}", step.path, step.status.as_str())).collect();
    words.join(" ")
}

#[test]
fn kept_steps_stay_with_their_rounds_and_the_others_begin_anew() {
    let (view, _) = again(&["build", "each"]);
    assert_eq!(statuses(&view), "build=completed each=completed each[0].inner=completed last=running");
    let progress = view.progress();
    assert_eq!((progress.done, progress.running, progress.total), (2, 1, 3));
    let (view, _) = again(&["build"]);
    assert_eq!(statuses(&view), "build=completed each=pending last=running");
    let progress = view.progress();
    assert_eq!((progress.done, progress.running, progress.total), (1, 1, 3));
    let (view, _) = again(&[]);
    assert_eq!(statuses(&view), "build=pending each=pending last=running");
    assert_eq!((view.status, view.ended_at, view.failure), (Status::Running, None, None));
    assert_eq!(view.inputs["env"], json!("live"));
}

#[test]
fn the_generation_shows_where_it_is_not_the_first() {
    let (view, timeline) = again(&["build"]);
    let answer = answer(&view, &mut |payload| payload.value.clone(), &|at| at.0.to_string());
    assert_eq!(answer["generation"], json!(2));
    assert_eq!(answer["steps"]["build"].get("generation"), None);
    assert_eq!(answer["steps"]["last"]["generation"], json!(2));
    let spans = &timeline.row("last").expect("it ran").spans;
    assert_eq!(spans.iter().map(|span| span.generation).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_step_shows_its_child_and_what_else_it_waits_for() {
    let plan = plan(vec![run("build"), run("last")], vec![]);
    let mut view = Execution::new(&plan);
    let asked = Event::ChildAsked { path: "build".into(), attempt: 1, child: ExecutionId::new("k1"), inputs: None };
    let waits =
        Event::WaitBegan { path: "last".into(), until: Some(Timestamp(9)), signal: None, every_ms: Some(10_000) };
    for turn in turns(vec![vec![started(), asked], vec![Event::Queued { path: "last".into() }]]) {
        view.apply(&turn);
    }
    let say = |view: &Execution| answer(view, &mut |payload| payload.value.clone(), &|at| at.0.to_string());
    let said = say(&view);
    assert_eq!(said["steps"]["build"]["child"], json!("k1"));
    let waits_for = |said: &Value| (said["waiting"][0]["for"].clone(), said["waiting"][0]["kind"].clone());
    assert_eq!(waits_for(&said), (json!("turn"), json!("slot")));
    view.apply(&Turn { seq: 3, at: Timestamp(3), events: vec![waits] });
    let later = say(&view);
    assert_eq!(waits_for(&later), (json!("condition"), json!("condition")));
    assert_eq!((&later["waiting"][0]["every_ms"], &later["waiting"][0]["until"]), (&json!(10_000), &json!("9")));
    assert_eq!((said.get("parent"), said.get("generation")), (None, None));
}
