//! What came before what: undoing a step that failed leaves alone what it may have built on.

use skep_model::plan::{BlockIndex, Kind, Order, Plan, StepIndex};

use crate::program::Program;

/// A step or one of the steps around it, with the round that leads on to the next one.
struct Place<'p> {
    step: StepIndex,
    round: Option<&'p str>,
}

/// True if the step at `earlier` may have been a condition of the one at `later`: it stands before it in a sequence, the
/// later one depends on it in a graph, or both are in one step whose parts follow each other.
pub(crate) fn comes_before(program: &Program, earlier: &str, later: &str) -> bool {
    let (Some(earlier), Some(later)) = (places(program, earlier), places(program, later)) else { return true };
    let plan = program.plan();
    for (a, b) in earlier.iter().zip(&later) {
        let (block_a, block_b) = (plan.steps[a.step as usize].block, plan.steps[b.step as usize].block);
        if block_a != block_b {
            // Branches of one step; cases never both.
            return false;
        }
        if a.step != b.step {
            return precedes(program, block_a, a.step, b.step);
        }
        if a.round != b.round {
            // Rounds over a list stand beside each other, others follow each other.
            return !matches!(plan.steps[a.step as usize].kind, Kind::Foreach { .. });
        }
    }
    // One is inside of the other, or they are the same.
    true
}

/// From the outermost step to the one at `path`.
fn places<'p>(program: &Program, path: &'p str) -> Option<Vec<Place<'p>>> {
    let (_, index) = program.split_path(path)?;
    let plan = program.plan();
    let mut rounds: Vec<&str> = path.split('[').skip(1).filter_map(|rest| rest.split(']').next()).collect();
    let mut places = vec![Place { step: index, round: None }];
    let mut owner = owner(plan, index);
    while let Some(step) = owner {
        let round = if plan.steps[step as usize].kind.is_loop() { Some(rounds.pop()?) } else { None };
        places.push(Place { step, round });
        owner = self::owner(plan, step);
    }
    places.reverse();
    Some(places)
}

fn owner(plan: &Plan, step: StepIndex) -> Option<StepIndex> {
    plan.blocks[plan.steps[step as usize].block as usize].owner
}

fn precedes(program: &Program, block: BlockIndex, earlier: StepIndex, later: StepIndex) -> bool {
    let position = &program.block(block).position;
    match program.order(block) {
        Order::Sequence => position[&earlier] < position[&later],
        Order::Graph => depends(program, block, later, earlier),
    }
}

/// True if `step` depends on `on`, directly or through others.
fn depends(program: &Program, block: BlockIndex, step: StepIndex, on: StepIndex) -> bool {
    let mut seen = vec![false; program.block_steps(block).len()];
    let mut left = vec![step];
    while let Some(step) = left.pop() {
        for dependency in &program.step(step).depends_on {
            if *dependency == on {
                return true;
            }
            let at = program.block(block).position[dependency] as usize;
            if !std::mem::replace(&mut seen[at], true) {
                left.push(*dependency);
            }
        }
    }
    false
}
