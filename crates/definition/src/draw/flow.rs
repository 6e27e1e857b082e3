//! Who follows whom in one list of steps.

use skep_model::plan::Order;

use crate::outline::{List, Outline, StepNumber};

/// The arrows of one list.
pub(super) struct Flow {
    /// From a step to one that follows it.
    pub arrows: Vec<(StepNumber, StepNumber)>,
    /// The steps that begin.
    pub first: Vec<StepNumber>,
    /// The steps that nothing follows.
    pub last: Vec<StepNumber>,
    /// From a step to the one that compensates its failure.
    pub compensations: Vec<(StepNumber, StepNumber)>,
}

/// The flow of `list`; names under `depends_on` that are not in the list are left out.
pub(super) fn of(outline: &Outline<'_>, list: &List) -> Flow {
    let compensators = &outline.compensators;
    let is_passed_by = |step: &StepNumber| compensators.contains_key(step);
    let steps: Vec<StepNumber> = list.steps.iter().copied().filter(|step| !is_passed_by(step)).collect();
    let compensating = list.steps.iter().filter_map(|step| Some((*step, compensators.get(step)?)));
    let compensations =
        compensating.flat_map(|(step, failing)| failing.iter().map(move |failed| (*failed, step))).collect();
    match list.order {
        Order::Sequence => Flow {
            arrows: steps.windows(2).map(|pair| (pair[0], pair[1])).collect(),
            first: steps.first().copied().into_iter().collect(),
            last: steps.last().copied().into_iter().collect(),
            compensations,
        },
        Order::Graph => graph(outline, &steps, compensations),
    }
}

fn graph(outline: &Outline<'_>, steps: &[StepNumber], compensations: Vec<(StepNumber, StepNumber)>) -> Flow {
    let mut arrows = Vec::new();
    let mut first = Vec::new();
    let mut followed = std::collections::HashSet::new();
    for &step in steps {
        let entry = &outline.steps[step];
        let known = entry.step.depends_on.iter().filter_map(|name| outline.by_id.get(name.as_str()).copied());
        let before: Vec<StepNumber> = known.filter(|other| outline.steps[*other].list == entry.list).collect();
        if before.is_empty() {
            first.push(step);
        }
        followed.extend(before.iter().copied());
        arrows.extend(before.into_iter().map(|other| (other, step)));
    }
    let last = steps.iter().copied().filter(|step| !followed.contains(step)).collect();
    Flow { arrows, first, last, compensations }
}
