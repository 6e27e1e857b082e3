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
    let mut sample = flow(STEPS);
    sample.start(json!({}));
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
    ] {
        let found = applied(&events, with_start).err().map(|misfit| misfit.0);
        assert_eq!(found.as_deref(), expected, "{events:?}");
    }
}
