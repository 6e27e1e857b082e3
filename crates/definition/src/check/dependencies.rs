//! `depends_on`: names become edges, cycles are named, and "what has surely ended before" is answered.

use std::cell::OnceCell;

use super::codes;
use super::report::{Finding, Report};
use crate::outline::{List, ListNumber, Outline, StepNumber};
use crate::suggest;
use skep_model::plan::Order;

/// The edges of one list, by position in it.
pub(crate) struct Graph {
    /// `waits_for[p]`: the positions that `p` waits for, in the order of the text.
    pub waits_for: Vec<Vec<usize>>,
    /// Positions so that each comes after what it waits for; `None` if there is a cycle.
    sorted: Option<Vec<usize>>,
    /// Bit sets: what has ended before each position.
    before: OnceCell<Vec<Box<[u64]>>>,
}

impl Graph {
    fn of(waits_for: Vec<Vec<usize>>) -> Self {
        let (sorted, _) = sort(&waits_for);
        let sorted = (sorted.len() == waits_for.len()).then_some(sorted);
        Self { waits_for, sorted, before: OnceCell::new() }
    }

    /// Positions so that each comes after what it waits for; none if there is a cycle.
    pub fn in_order(&self) -> &[usize] {
        self.sorted.as_deref().unwrap_or_default()
    }

    /// True if `earlier` has ended whenever `later` starts. In a cycle everything counts as ended: the
    /// cycle is reported, and what would follow from it would only hide that.
    pub fn is_before(&self, earlier: usize, later: usize) -> bool {
        let Some(sorted) = &self.sorted else { return true };
        let before = self.before.get_or_init(|| closure(&self.waits_for, sorted));
        before[later][earlier / 64] & (1 << (earlier % 64)) != 0
    }
}

/// The transitive closure as bit sets: one pass in topological order, so that it costs edges times words.
fn closure(waits_for: &[Vec<usize>], sorted: &[usize]) -> Vec<Box<[u64]>> {
    let words = waits_for.len().div_ceil(64);
    let mut before = vec![vec![0_u64; words].into_boxed_slice(); waits_for.len()];
    for &position in sorted {
        let mut own = std::mem::take(&mut before[position]);
        for &dependency in &waits_for[position] {
            own[dependency / 64] |= 1 << (dependency % 64);
            for (word, other) in own.iter_mut().zip(&before[dependency]) {
                *word |= other;
            }
        }
        before[position] = own;
    }
    before
}

/// Kahn's algorithm: takes what waits for nothing, again and again. Also gives, for each position, how many
/// of its dependencies were never taken: all zero unless there is a cycle.
fn sort(waits_for: &[Vec<usize>]) -> (Vec<usize>, Vec<usize>) {
    let mut open: Vec<usize> = waits_for.iter().map(Vec::len).collect();
    let mut followers = vec![Vec::new(); waits_for.len()];
    for (position, dependencies) in waits_for.iter().enumerate() {
        for &dependency in dependencies {
            followers[dependency].push(position);
        }
    }
    let mut sorted: Vec<usize> = (0..waits_for.len()).filter(|position| open[*position] == 0).collect();
    let mut next = 0;
    while next < sorted.len() {
        for &follower in &followers[sorted[next]] {
            open[follower] -= 1;
            if open[follower] == 0 {
                sorted.push(follower);
            }
        }
        next += 1;
    }
    (sorted, open)
}

/// Checks every list and gives the edges of those that are graphs.
pub(crate) fn check(outline: &Outline<'_>, report: &mut Report<'_>) -> Vec<Option<Graph>> {
    outline
        .lists
        .iter()
        .enumerate()
        .map(|(number, list)| match list.order {
            Order::Sequence => {
                refuse_in_sequence(outline, list, report);
                None
            }
            Order::Graph => Some(graph(outline, number, report)),
        })
        .collect()
}

fn refuse_in_sequence(outline: &Outline<'_>, list: &List, report: &mut Report<'_>) {
    let first = list.steps.iter().find(|step| !outline.steps[**step].step.depends_on.is_empty());
    if let Some(&step) = first {
        let entry = &outline.steps[step];
        let finding = Finding::error(
            codes::DEPENDENCY_IN_SEQUENCE,
            format!("`{}` has `depends_on`, but its list runs one step after another", entry.step.id),
        );
        let hint = "say `order: graph` beside the list, or remove `depends_on` if the order of the text is meant";
        report.add(&format!("{}/depends_on", entry.pointer), finding.hint(hint));
    }
}

fn graph(outline: &Outline<'_>, number: ListNumber, report: &mut Report<'_>) -> Graph {
    let list = &outline.lists[number];
    let waits_for = list.steps.iter().map(|step| edges_of(outline, number, *step, report)).collect();
    let graph = Graph::of(waits_for);
    if graph.sorted.is_none() {
        report_cycles(outline, list, &graph.waits_for, report);
    }
    graph
}

fn edges_of(outline: &Outline<'_>, list: ListNumber, step: StepNumber, report: &mut Report<'_>) -> Vec<usize> {
    let entry = &outline.steps[step];
    let mut edges = Vec::with_capacity(entry.step.depends_on.len());
    for (index, name) in entry.step.depends_on.iter().enumerate() {
        let target = outline.by_id.get(name.as_str()).copied();
        match target {
            Some(target) if outline.steps[target].list == list => {
                let position = outline.steps[target].position;
                if !edges.contains(&position) {
                    edges.push(position);
                }
            }
            Some(_) | None => {
                let finding = match target {
                    Some(target) => outside(outline, step, target),
                    None => unknown(outline, list, step, name),
                };
                report.add(&format!("{}/depends_on/{index}", entry.pointer), finding);
            }
        }
    }
    edges
}

fn unknown(outline: &Outline<'_>, list: ListNumber, step: StepNumber, name: &str) -> Finding {
    let beside = outline.lists[list].steps.iter().filter(|other| **other != step);
    let names = beside.map(|other| outline.steps[*other].step.id.as_str());
    let message = format!("`{}` depends on `{name}`, and no step has this id", outline.steps[step].step.id);
    Finding::error(codes::DEPENDENCY_UNKNOWN, message).maybe_hint(suggest::meant_or_known(
        name,
        "the other steps of this list",
        names,
    ))
}

fn outside(outline: &Outline<'_>, step: StepNumber, target: StepNumber) -> Finding {
    let (own, other) = (outline.steps[step].step.id.as_str(), outline.steps[target].step.id.as_str());
    let finding = Finding::error(
        codes::DEPENDENCY_OUTSIDE,
        format!("`{own}` depends on `{other}`, which stands in another list of steps"),
    );
    let around = std::iter::successors(Some(target), |inner| outline.owner_of(*inner))
        .find(|outer| *outer != target && outline.steps[*outer].list == outline.steps[step].list);
    match around {
        Some(around) if around != step => {
            let around = &outline.steps[around].step.id;
            finding.hint(format!("`{other}` is inside `{around}`: depend on `{around}`"))
        }
        Some(_) | None => match outline.owner_of(step) {
            Some(owner) if outline.steps[owner].list == outline.steps[target].list => {
                let owner = &outline.steps[owner].step.id;
                finding.hint(format!("write `depends_on: [{other}]` on `{owner}`, which encloses `{own}`"))
            }
            Some(_) | None => finding.hint("a step waits for steps of its own list only"),
        },
    }
}

/// Walks along the edges of what sorting left over; each walk that bites its own tail is one cycle.
fn report_cycles(outline: &Outline<'_>, list: &List, waits_for: &[Vec<usize>], report: &mut Report<'_>) {
    let (_, open) = sort(waits_for);
    let left_over: Vec<bool> = open.into_iter().map(|count| count > 0).collect();
    let mut seen = vec![false; waits_for.len()];
    for start in 0..waits_for.len() {
        let mut path: Vec<usize> = Vec::new();
        let mut on_path = std::collections::HashMap::new();
        let mut at = start;
        while left_over[at] && !seen[at] {
            seen[at] = true;
            on_path.insert(at, path.len());
            path.push(at);
            let next = waits_for[at].iter().copied().find(|dependency| left_over[*dependency]);
            at = next.expect("what sorting left over waits for something that is left over");
        }
        if let Some(&begin) = on_path.get(&at) {
            let cycle: Vec<StepNumber> = path[begin..].iter().map(|position| list.steps[*position]).collect();
            report_cycle(outline, &cycle, report);
        }
    }
}

fn report_cycle(outline: &Outline<'_>, cycle: &[StepNumber], report: &mut Report<'_>) {
    let id = |step: &StepNumber| outline.steps[*step].step.id.as_str();
    let first = &outline.steps[cycle[0]];
    let finding = if let [only] = cycle {
        Finding::error(codes::DEPENDENCY_CYCLE, format!("`{}` depends on itself", id(only)))
            .hint("remove it from its own `depends_on`")
    } else {
        let ids: Vec<String> = cycle.iter().chain(&cycle[..1]).map(|step| format!("`{}`", id(step))).collect();
        Finding::error(codes::DEPENDENCY_CYCLE, format!("these steps wait for each other: {}", ids.join(" waits for ")))
            .hint("remove one of these dependencies; what repeats is a loop (`while`, `repeat`, `foreach`)")
    };
    report.add(&format!("{}/depends_on", first.pointer), finding);
}
