//! Bounds of parallel work and of rounds hold after every event.

use skep_model::event::Event;
use skep_model::plan::Kind;
use skep_model::rollback::Part;

use super::journal::Journal;
use super::{Invariant, Verdict, demand};

pub(super) fn after(journal: &Journal, event: &Event) -> Verdict {
    match event {
        Event::Scheduled { path, .. } if Part::split(path).1 == Part::Step => {
            let (working, bound) = (journal.working(), journal.plan().max_parallel);
            let holds = bound.is_none_or(|bound| working <= bound as usize);
            demand(holds, Invariant::Limits, || format!("{working} steps work, {bound:?} may"))
        }
        Event::IterationBegan { path, index } => {
            let (_, step) = journal.step_of(path).expect("the rules of steps have looked it up");
            let (at_a_time, rounds) = match &step.kind {
                Kind::Foreach { max_parallel, max_iterations, .. } => (*max_parallel, *max_iterations),
                Kind::While { max_iterations, .. } | Kind::Repeat { max_iterations, .. } => (1, *max_iterations),
                _ => return demand(false, Invariant::Limits, || "it is no loop".to_owned()),
            };
            let running = journal.rounds.get(path).map_or(0, Vec::len);
            demand(running <= at_a_time as usize && *index < rounds, Invariant::Limits, || {
                format!("{running} rounds run, {at_a_time} may; round {index} of {rounds}")
            })
        }
        _ => Ok(()),
    }
}
