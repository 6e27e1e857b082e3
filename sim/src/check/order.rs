//! A step begins when what comes before it has ended, and `finally` when everything else has.

use skep_model::event::Event;
use skep_model::plan::Order;
use skep_model::rollback::Part;

use super::journal::{Doing, Journal};
use super::{Invariant, Verdict, demand};

pub(super) fn before(journal: &Journal, event: &Event) -> Verdict {
    if matches!(event, Event::FinallyBegan { .. }) {
        let active = journal.paths.iter().find(|(_, path)| !matches!(path.doing, Doing::Done(_)));
        return demand(active.is_none(), Invariant::Order, || format!("a step is still active: {active:?}"));
    }
    let Some(path) = event.path() else { return Ok(()) };
    if journal.paths.contains_key(path) || Part::split(path).1 != Part::Step {
        return Ok(());
    }
    let (index, step) = journal.step_of(path).expect("the rules of steps have looked it up");
    let block = &journal.plan().blocks[step.block as usize];
    let is_final = |other: u32| {
        let beside = journal.beside(path, other);
        let known = journal.paths.get(beside.as_str());
        (known.is_some(), known.is_none_or(|known| matches!(known.doing, Doing::Done(_))), beside)
    };
    let in_finally = journal.plan().finally == Some(step.block);
    demand(!in_finally || journal.finally, Invariant::Order, || "`finally` has not begun".to_owned())?;
    match block.order {
        Order::Sequence => {
            for before in block.steps.iter().take_while(|other| **other != index) {
                let (_, over, beside) = is_final(*before);
                demand(over, Invariant::Order, || format!("{beside} comes before it and is active"))?;
            }
        }
        Order::Graph => {
            for dependency in &step.depends_on {
                let (reached, over, beside) = is_final(*dependency);
                demand(reached && over, Invariant::Order, || format!("it depends on {beside}, which has not ended"))?;
            }
        }
    }
    Ok(())
}
