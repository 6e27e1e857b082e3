//! The skeleton of a workflow: every step and every list in the order of the text, numbered, with pointers.
//!
//! `check`, `plan` and `draw` share it, so that they agree on numbers, places and nesting. It borrows the
//! workflow and must not judge it: what is wrong is `check`'s to say. Lists deeper than
//! [`NESTING_MAX`](skep_model::limits::NESTING_MAX) and steps past
//! [`STEPS_MAX`](skep_model::limits::STEPS_MAX) are left out and flagged, so that nobody recurses for ever.

use std::collections::{BTreeMap, HashMap};

use skep_model::limits::{NESTING_MAX, STEPS_MAX};
use skep_model::plan::Order;

use crate::workflow::{Kind, OnError, Step, Workflow};

/// Number of a step in the order of the text; also its index in the plan.
pub(crate) type StepNumber = usize;
/// Number of a list; also its index among the plan's blocks.
pub(crate) type ListNumber = usize;

/// The skeleton.
pub(crate) struct Outline<'w> {
    /// Every step; those of `finally` last.
    pub steps: Vec<StepEntry<'w>>,
    /// Every list; the first one is the workflow's `steps`.
    pub lists: Vec<List>,
    /// The first step with each id.
    pub by_id: HashMap<&'w str, StepNumber>,
    /// The list of `finally`, if it has steps.
    pub finally: Option<ListNumber>,
    /// The steps that run only as a compensation, each with the steps of its list whose `on_error` names it.
    pub compensators: BTreeMap<StepNumber, Vec<StepNumber>>,
    /// A limit that was met.
    pub exceeded: Option<Exceeded>,
}

/// A limit of size that a workflow exceeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// Too many steps.
    Steps,
    /// Too deep, at this pointer.
    Nesting(String),
}

/// A step in its place.
pub(crate) struct StepEntry<'w> {
    /// The step.
    pub step: &'w Step,
    /// JSON pointer in the canonical document.
    pub pointer: String,
    /// The list it stands in.
    pub list: ListNumber,
    /// Its position in that list, from 0.
    pub position: usize,
    /// The lists inside it, in the order of the text (a switch's `default` last).
    pub inner: Vec<ListNumber>,
}

/// A list of steps.
pub(crate) struct List {
    /// Sequence or graph.
    pub order: Order,
    /// What it is.
    pub role: Role,
    /// The step it belongs to.
    pub owner: Option<StepNumber>,
    /// Its steps.
    pub steps: Vec<StepNumber>,
    /// JSON pointer of the list.
    pub pointer: String,
}

/// What a list of steps is to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The workflow's `steps`.
    Root,
    /// The workflow's `finally`.
    Finally,
    /// A branch of a `parallel`, by number.
    Branch(usize),
    /// A case of a `switch`, by number.
    Case(usize),
    /// The `default` of a `switch`.
    Default,
    /// The body of a loop.
    Body,
}

/// A key as a part of a JSON pointer (RFC 6901).
pub(crate) fn pointer_part(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl<'w> Outline<'w> {
    /// Walks the whole workflow once.
    pub fn of(workflow: &'w Workflow) -> Self {
        let mut outline = Self {
            steps: Vec::new(),
            lists: Vec::new(),
            by_id: HashMap::new(),
            finally: None,
            compensators: BTreeMap::new(),
            exceeded: None,
        };
        let mut walk = Walk { outline: &mut outline, workflow, depth: 0 };
        walk.list(&workflow.steps, workflow.order, Role::Root, None, "/steps".to_owned());
        if !workflow.finally.is_empty() {
            let list = walk.list(&workflow.finally, Order::Sequence, Role::Finally, None, "/finally".to_owned());
            outline.finally = Some(list);
        }
        outline.compensators = compensators(&outline);
        outline
    }

    /// The step that the list of `step` belongs to.
    pub fn owner_of(&self, step: StepNumber) -> Option<StepNumber> {
        self.lists[self.steps[step].list].owner
    }

    /// The nearest loop around `step`, itself excluded.
    pub fn loop_around(&self, step: StepNumber) -> Option<StepNumber> {
        let mut list = &self.lists[self.steps[step].list];
        while let Some(owner) = list.owner {
            if list.role == Role::Body {
                return Some(owner);
            }
            list = &self.lists[self.steps[owner].list];
        }
        None
    }
}

/// Resolves every `compensation_step`.
fn compensators(outline: &Outline<'_>) -> BTreeMap<StepNumber, Vec<StepNumber>> {
    let mut compensators: BTreeMap<StepNumber, Vec<StepNumber>> = BTreeMap::new();
    for (number, entry) in outline.steps.iter().enumerate() {
        let Some(OnError::Compensate { step: Some(name) }) = &entry.step.on_error else { continue };
        let target = outline.by_id.get(name.as_str()).copied();
        let beside = target.filter(|target| *target != number && outline.steps[*target].list == entry.list);
        if let Some(target) = beside {
            compensators.entry(target).or_default().push(number);
        }
    }
    compensators
}

struct Walk<'o, 'w> {
    outline: &'o mut Outline<'w>,
    workflow: &'w Workflow,
    depth: usize,
}

impl<'w> Walk<'_, 'w> {
    fn list(
        &mut self,
        steps: &'w [Step],
        order: Order,
        role: Role,
        owner: Option<StepNumber>,
        pointer: String,
    ) -> ListNumber {
        let number = self.outline.lists.len();
        self.outline.lists.push(List { order, role, owner, steps: Vec::with_capacity(steps.len()), pointer });
        if self.depth >= NESTING_MAX {
            let pointer = self.outline.lists[number].pointer.clone();
            self.outline.exceeded.get_or_insert(Exceeded::Nesting(pointer));
            return number;
        }
        self.depth += 1;
        for (position, step) in steps.iter().enumerate() {
            self.step(step, number, position);
        }
        self.depth -= 1;
        number
    }

    fn step(&mut self, step: &'w Step, list: ListNumber, position: usize) {
        if self.outline.steps.len() >= STEPS_MAX {
            self.outline.exceeded.get_or_insert(Exceeded::Steps);
            return;
        }
        let number = self.outline.steps.len();
        let pointer = format!("{}/{position}", self.outline.lists[list].pointer);
        self.outline.steps.push(StepEntry { step, pointer: pointer.clone(), list, position, inner: Vec::new() });
        self.outline.lists[list].steps.push(number);
        self.outline.by_id.entry(step.id.as_str()).or_insert(number);
        let inner = self.inner_lists(step, number, &pointer);
        self.outline.steps[number].inner = inner;
    }

    fn inner_lists(&mut self, step: &'w Step, number: StepNumber, pointer: &str) -> Vec<ListNumber> {
        let owner = Some(number);
        match &step.kind {
            Kind::Switch { cases, default } => {
                let mut lists = Vec::with_capacity(cases.len() + 1);
                for (index, case) in cases.iter().enumerate() {
                    let at = format!("{pointer}/switch/cases/{index}/steps");
                    lists.push(self.list(&case.steps, case.order, Role::Case(index), owner, at));
                }
                if let Some(steps) = default {
                    let at = format!("{pointer}/switch/default");
                    lists.push(self.list(steps, Order::Sequence, Role::Default, owner, at));
                }
                lists
            }
            Kind::Parallel { branches, .. } => branches
                .iter()
                .enumerate()
                .map(|(index, branch)| {
                    let at = self.branch_pointer(pointer, &branch.name);
                    self.list(&branch.steps, branch.order, Role::Branch(index), owner, at)
                })
                .collect(),
            Kind::Foreach { steps, order, .. }
            | Kind::While { steps, order, .. }
            | Kind::Repeat { steps, order, .. } => {
                vec![self.list(steps, *order, Role::Body, owner, format!("{pointer}/steps"))]
            }
            Kind::Run { .. }
            | Kind::Uses { .. }
            | Kind::Agent(_)
            | Kind::Ai(_)
            | Kind::Workflow(_)
            | Kind::Approval(_)
            | Kind::Input { .. }
            | Kind::Wait(_) => Vec::new(),
        }
    }

    /// A branch is a list (`left: [..]`) or a mapping (`left: {order, steps}`): only the places tell.
    fn branch_pointer(&self, pointer: &str, name: &str) -> String {
        let short = format!("{pointer}/parallel/{}", pointer_part(name));
        let long = format!("{short}/steps");
        if self.workflow.places.0.contains_key(&long) { long } else { short }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Branch;

    fn step(id: &str, kind: Kind) -> Step {
        Step { id: id.to_owned(), kind, ..Step::default() }
    }

    fn repeat(steps: Vec<Step>) -> Kind {
        Kind::Repeat { times: Some(1.into()), until: None, max_iterations: None, order: Order::Sequence, steps }
    }

    #[test]
    fn steps_are_numbered_in_the_order_of_the_text() {
        let branch = |name: &str, id: &str| Branch {
            name: name.to_owned(),
            order: Order::Sequence,
            steps: vec![step(id, Kind::default())],
        };
        let branches = vec![branch("a/b", "x"), branch("right", "y")];
        let workflow = Workflow {
            steps: vec![
                step("both", Kind::Parallel { branches, join: None, fail_fast: None }),
                step("loop", repeat(vec![step("body", Kind::default())])),
            ],
            finally: vec![step("end", Kind::default())],
            ..Workflow::default()
        };
        let outline = Outline::of(&workflow);
        let pointers: Vec<&str> = outline.steps.iter().map(|entry| entry.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/steps/0",
                "/steps/0/parallel/a~1b/0",
                "/steps/0/parallel/right/0",
                "/steps/1",
                "/steps/1/steps/0",
                "/finally/0"
            ]
        );
        assert_eq!(outline.loop_around(outline.by_id["body"]), Some(outline.by_id["loop"]));
        assert_eq!(outline.loop_around(outline.by_id["x"]), None);
        assert_eq!(outline.lists[outline.finally.unwrap()].role, Role::Finally);
    }

    #[test]
    fn a_bottomless_workflow_is_flagged() {
        let mut steps = vec![step("leaf", Kind::default())];
        for depth in 0..NESTING_MAX {
            steps = vec![step(&format!("l{depth}"), repeat(steps))];
        }
        let workflow = Workflow { steps, ..Workflow::default() };
        assert!(matches!(Outline::of(&workflow).exceeded, Some(Exceeded::Nesting(_))));
    }
}
