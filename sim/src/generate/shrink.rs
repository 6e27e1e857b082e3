//! Smaller workflows: every way to take one thing out of a tree, in a fixed order, so that a number names each.

use super::tree::{List, Shape, Step, Workflow};

/// Everything that can be made smaller in one move. Larger cuts come first.
pub fn smaller(workflow: &Workflow) -> Vec<Workflow> {
    let mut found = Vec::new();
    for steps in lists(&workflow.steps, true) {
        found.push(Workflow { steps, ..workflow.clone() });
    }
    if !workflow.finally.is_empty() {
        found.push(Workflow { finally: Vec::new(), ..workflow.clone() });
    }
    if workflow.timeout_seconds.is_some() {
        found.push(Workflow { timeout_seconds: None, ..workflow.clone() });
    }
    if workflow.max_parallel.is_some() {
        found.push(Workflow { max_parallel: None, ..workflow.clone() });
    }
    if workflow.on_cancel.is_some() {
        found.push(Workflow { on_cancel: None, ..workflow.clone() });
    }
    if workflow.rollback.is_some() {
        found.push(Workflow { rollback: None, ..workflow.clone() });
    }
    if workflow.autonomy.is_some() {
        found.push(Workflow { autonomy: None, ..workflow.clone() });
    }
    if workflow.concurrency.is_some() {
        found.push(Workflow { concurrency: None, ..workflow.clone() });
    }
    found
}

/// A list with one step less, with what a step holds in its place, or with a simpler step.
fn lists(list: &List, keeps_one: bool) -> Vec<List> {
    let mut found = Vec::new();
    for at in 0..list.steps.len() {
        if list.steps.len() > 1 || !keeps_one {
            let mut fewer = list.clone();
            fewer.steps.remove(at);
            found.push(fewer);
        }
        for inner in list.steps[at].lists() {
            let mut lifted = list.clone();
            lifted.steps.splice(at..=at, inner.steps.clone());
            found.push(List { graph: list.graph, ..lifted });
        }
        for step in steps(&list.steps[at]) {
            let mut simpler = list.clone();
            simpler.steps[at] = step;
            found.push(simpler);
        }
    }
    if list.graph {
        found.push(List { graph: false, ..list.clone() });
    }
    found.retain(|smaller| !smaller.steps.is_empty());
    found
}

fn steps(step: &Step) -> Vec<Step> {
    let mut found = Vec::new();
    for which in 0..step.lists().len() {
        for list in lists(step.lists()[which], true) {
            let mut simpler = step.clone();
            *simpler.lists_mut()[which] = list;
            found.push(simpler);
        }
    }
    if step.condition.is_some() {
        found.push(Step { condition: None, ..step.clone() });
    }
    if step.on_error.is_some() {
        found.push(Step { on_error: None, ..step.clone() });
    }
    if step.timeout_seconds.is_some() {
        found.push(Step { timeout_seconds: None, ..step.clone() });
    }
    found.extend(shapes(&step.shape).into_iter().map(|shape| Step { shape, ..step.clone() }));
    found
}

fn shapes(shape: &Shape) -> Vec<Shape> {
    match shape {
        Shape::Work(work) => {
            let mut plain = work.clone();
            let mut found = Vec::new();
            if !work.extras.is_empty() {
                plain.extras.clear();
                found.push(Shape::Work(plain.clone()));
            }
            let simplest = super::tree::Work { script: work.script, ..super::tree::Work::default() };
            if **work != simplest {
                found.push(Shape::Work(Box::new(simplest)));
            }
            if work.retry.is_some() {
                let mut without = work.clone();
                without.retry = None;
                without.retry_on = None;
                found.push(Shape::Work(without));
            }
            found
        }
        Shape::Parallel { join, fail_fast, branches } if branches.len() > 2 => (0..branches.len())
            .map(|at| {
                let mut fewer = branches.clone();
                fewer.remove(at);
                Shape::Parallel { join, fail_fast: *fail_fast, branches: fewer }
            })
            .collect(),
        Shape::Foreach { items, max_parallel, fail_fast, body } if *items > 1 => {
            let (max_parallel, fail_fast, body) = (*max_parallel, *fail_fast, body.clone());
            vec![Shape::Foreach { items: items - 1, max_parallel, fail_fast, body }]
        }
        Shape::While(rounds, body) if *rounds > 1 => vec![Shape::While(rounds - 1, body.clone())],
        Shape::Repeat(rounds, body) if *rounds > 1 => vec![Shape::Repeat(rounds - 1, body.clone())],
        Shape::RepeatUntil(round, body) if *round > 0 => vec![Shape::RepeatUntil(round - 1, body.clone())],
        Shape::Approval { .. }
        | Shape::Form
        | Shape::Sleep(_)
        | Shape::Until(_)
        | Shape::Listen(_)
        | Shape::Condition
        | Shape::Switch { .. }
        | Shape::Parallel { .. }
        | Shape::Foreach { .. }
        | Shape::While(..)
        | Shape::Repeat(..)
        | Shape::RepeatUntil(..)
        | Shape::Child(_) => Vec::new(),
    }
}
