//! Events that no engine wrote: a damaged journal is a misfit that parks one execution, never a crash of its owner.

use serde_json::{Value, json};
use skep_model::event::{Event, Turn};
use skep_model::time::Timestamp;

use super::kit::flow;
use crate::{Misfit, State, apply_turn};

const STEPS: &str = "
steps:
  - {id: work, run: 'true'}
  - {id: pause, wait: {for: 5s}}
  - {id: each, foreach: [a], steps: [{id: inner, run: 'true'}]}
";

/// What applying `events` after a start gives.
fn applied(events: &[Value], with_start: bool) -> Result<(), Misfit> {
    let sample = flow(STEPS).start();
    let started: Vec<Event> =
        sample.journal[0].events.iter().filter(|event| matches!(event, Event::Started(_))).cloned().collect();
    let mut all = if with_start { started } else { Vec::new() };
    all.extend(events.iter().map(|event| serde_json::from_value::<Event>(event.clone()).unwrap()));
    let turn = Turn { seq: 1, at: Timestamp(1), events: all };
    apply_turn(&mut State::default(), &sample.program, &turn)
}

#[test]
fn what_does_not_fit_is_said_and_not_done() {
    let scheduled = |path: &str| json!({"t": "scheduled", "p": path, "a": 1, "d": 1});
    for (events, with_start, expected) in [
        (vec![scheduled("work")], true, None),
        (vec![scheduled("work")], false, Some("the execution has not started")),
        (vec![json!({"t": "timed_out"})], false, Some("the execution has not started")),
        (vec![scheduled("pause")], true, Some("`pause` does no work that could be scheduled")),
        (vec![scheduled("each")], true, Some("`each` does no work that could be scheduled")),
        (vec![scheduled("nobody")], true, Some("`nobody` is no step of the plan that is running")),
        (vec![scheduled("each[0].inner")], true, Some("`each[0].inner` is no step of the plan that is running")),
        (
            vec![scheduled("work"), json!({"t": "completed", "p": "work"}), scheduled("work")],
            true,
            Some("`work` has ended already"),
        ),
        (vec![json!({"t": "loop_began", "p": "pause", "n": 1})], true, Some("`pause` is no loop")),
        (
            vec![json!({"t": "loop_began", "p": "each", "n": 1}), json!({"t": "iteration_began", "p": "each", "i": 7})],
            true,
            Some("round 7 of `each` begins, and 0 is the next one"),
        ),
        (
            vec![
                json!({"t": "loop_began", "p": "each", "n": 1}),
                json!({"t": "iteration_began", "p": "each", "i": 0}),
                scheduled("each[0].inner"),
                json!({"t": "iteration_ended", "p": "each", "i": 0, "s": "completed"}),
            ],
            true,
            Some("`each[0]` ends while steps of it go on"),
        ),
        (
            vec![json!({"t": "loop_began", "p": "each", "n": 1}), json!({"t": "loop_began", "p": "each", "n": 1})],
            true,
            Some("`each` has begun already"),
        ),
    ] {
        let found = applied(&events, with_start).err().map(|misfit| misfit.0);
        assert_eq!(found.as_deref(), expected, "{events:?}");
    }
}
