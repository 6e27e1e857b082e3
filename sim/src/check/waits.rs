//! No timer fires early, and a signal that was kept is taken by the first wait for it.

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

pub(super) fn signals(journal: &mut Journal, event: &Event) -> Verdict {
    let taken = matches!(event, Event::SignalTaken { path, kept: true, .. } if Some(path) == journal.takes.as_ref());
    let due = journal.takes.take();
    demand(due.is_none() || taken, Invariant::SignalsAreKept, || format!("{due:?} finds its signal there already"))?;
    match event {
        Event::SignalKept { name, .. } => journal.signals.push(name.clone()),
        Event::WaitBegan { path, signal: Some(name), .. } if journal.signals.contains(name) => {
            journal.takes = Some(path.clone());
        }
        Event::SignalTaken { name, kept: true, .. } => {
            let at = journal.signals.iter().position(|kept| kept == name);
            demand(at.is_some(), Invariant::SignalsAreKept, || "no such signal was kept".to_owned())?;
            at.map(|at| journal.signals.remove(at));
        }
        _ => {}
    }
    Ok(())
}
