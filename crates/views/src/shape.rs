//! What a plan says about entries: which steps stand in which round, and what lies inside which list.
//!
//! Made once per view. It must not know anything that happened.

use std::collections::HashMap;

use skep_model::Map;
use skep_model::ids::StepPath;
use skep_model::payload::Payload;
use skep_model::plan::{BlockIndex, Kind, Plan, StepIndex};

/// The parts of a plan that the folds ask for.
#[derive(Debug, PartialEq)]
pub(crate) struct Shape {
    pub steps: Vec<StepShape>,
    by_id: HashMap<String, StepIndex>,
    /// Steps that no loop encloses, in plan order.
    pub top: Vec<StepIndex>,
    /// Per block: all steps in it and in the blocks below, but not in the rounds of loops below.
    pub inside: Vec<Vec<StepIndex>>,
    pub root: BlockIndex,
    /// There are rollback points.
    pub has_points: bool,
}

/// One planned step.
#[derive(Debug, PartialEq)]
pub(crate) struct StepShape {
    pub id: String,
    pub kind: &'static str,
    pub is_loop: bool,
    pub is_approval: bool,
    /// The lists inside it; of a switch the cases, then the default.
    pub blocks: Vec<BlockIndex>,
    pub case_count: usize,
    /// Of a loop: the steps that one round has, in plan order, without those of loops below.
    pub body: Vec<StepIndex>,
    /// Of a loop: how many steps that do something one round is expected to have.
    pub round_size: u64,
    /// It runs only before a rollback.
    pub compensation_only: bool,
    output_names: Vec<String>,
    /// Attempts that it has at most.
    pub attempts_max: u32,
}

impl Shape {
    pub fn of(plan: &Plan) -> Self {
        let mut steps: Vec<StepShape> = plan.steps.iter().map(step_shape).collect();
        let mut top = Vec::new();
        for index in 0..plan.steps.len() as StepIndex {
            match plan.loops_around(index).last() {
                Some(around) => steps[*around as usize].body.push(index),
                None => top.push(index),
            }
        }
        for index in 0..steps.len() {
            steps[index].round_size = round_size(&steps, index);
        }
        let by_id = steps.iter().enumerate().map(|(at, step)| (step.id.clone(), at as StepIndex)).collect();
        let inside = (0..plan.blocks.len()).map(|block| inside(plan, block)).collect();
        Self { steps, by_id, top, inside, root: plan.root, has_points: plan.rollback.is_some() }
    }

    pub fn step(&self, index: StepIndex) -> &StepShape {
        &self.steps[index as usize]
    }

    /// True if the step at `path` is one of these steps of the main list, or inside of one.
    pub fn is_of(&self, path: &str, tops: &[StepPath]) -> bool {
        let outer = path.split('[').next().unwrap_or(path);
        tops.iter().any(|top| {
            let inside = self.by_id.get(&**top).map(|step| &self.step(*step).blocks);
            let within = |blocks: &Vec<BlockIndex>| {
                let found = self.by_id.get(outer);
                found.is_some_and(|step| blocks.iter().any(|block| self.inside[*block as usize].contains(step)))
            };
            **top == *outer || inside.is_some_and(within)
        })
    }

    /// The prefix of the round that a path lies in, and its step.
    pub fn split<'p>(&self, path: &'p str) -> Option<(&'p str, StepIndex)> {
        let at = path.rfind("].").map_or(0, |at| at + 2);
        self.by_id.get(&path[at..]).map(|step| (&path[..at], *step))
    }
}

impl StepShape {
    /// It does something itself; the others hold such steps.
    pub fn is_leaf(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Its outputs when it did not run.
    pub fn null_outputs(&self) -> Map<Payload> {
        self.output_names.iter().map(|name| (name.clone(), Payload::default())).collect()
    }

    /// The list that a switch took; `None` if there is none.
    pub fn case_block(&self, case: Option<u32>) -> Option<BlockIndex> {
        self.blocks.get(case.map_or(self.case_count, |case| case as usize)).copied()
    }
}

fn step_shape(step: &skep_model::plan::Step) -> StepShape {
    StepShape {
        id: step.id.clone(),
        kind: step.kind.word(),
        is_loop: step.kind.is_loop(),
        is_approval: matches!(step.kind, Kind::Approval(_)),
        blocks: step.kind.blocks(),
        case_count: if let Kind::Switch { cases, .. } = &step.kind { cases.len() } else { 0 },
        body: Vec::new(),
        round_size: 0,
        compensation_only: step.compensation_only,
        output_names: step.output_names.clone(),
        attempts_max: step.retry.as_ref().map_or(1, |retry| retry.max_attempts),
    }
}

fn round_size(steps: &[StepShape], index: usize) -> u64 {
    let members = steps[index].body.iter().map(|member| *member as usize);
    members.map(|member| u64::from(steps[member].is_leaf()) + round_size(steps, member)).sum()
}

fn inside(plan: &Plan, block: usize) -> Vec<StepIndex> {
    let mut found = Vec::new();
    let mut open = vec![block];
    while let Some(block) = open.pop() {
        for index in &plan.blocks[block].steps {
            found.push(*index);
            let kind = &plan.steps[*index as usize].kind;
            if !kind.is_loop() {
                open.extend(kind.blocks().into_iter().map(|block| block as usize));
            }
        }
    }
    found
}
