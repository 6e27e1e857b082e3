//! No timer fires early.

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::time::Timestamp;

use super::journal::{Doing, Journal};
use super::{Invariant, Verdict, demand};

pub(super) fn before(journal: &Journal, at: Timestamp, event: &Event) -> Verdict {
    let Some(path) = event.path() else { return Ok(()) };
    let Some(known) = journal.paths.get(path) else { return Ok(()) };
    let Doing::Wait { until, sleeps } = known.doing else { return Ok(()) };
    let ends_by_time = match event {
        Event::Completed { .. } => sleeps,
        Event::Decided { actor, .. } => *actor == Actor::Engine,
        _ => false,
    };
    let due = until.is_some_and(|until| at >= until);
    demand(!ends_by_time || due, Invariant::TimersKeepTime, || format!("it waits until {until:?}, and it is {at:?}"))
}
