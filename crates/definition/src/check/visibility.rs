//! Which steps an expression may name.
//!
//! ```text
//! climb from the named step towards the root until its list is one that the speaker stands in, too:
//!   loops left on the way hide it | same ancestor: beside or around it | else: the order of that list decides
//! ```
//! This module knows order and nesting only; it must not look at expressions or outputs.

use super::dependencies::Graph;
use crate::outline::{ListNumber, Outline, Role, StepNumber};
use skep_model::plan::Order;

/// From where a name is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Before the step acts.
    Before(StepNumber),
    /// The condition of a loop: as before it, and the last round of its body.
    Rounds(StepNumber),
    /// After the step has ended: its `outputs`, its compensation. What is inside it has ended, too.
    After(StepNumber),
    /// When the whole execution has ended.
    End,
}

/// Why a step cannot be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// It is the speaker itself.
    Itself,
    /// It encloses the speaker.
    Around,
    /// It is inside this loop, and the speaker is not.
    InsideLoop(StepNumber),
    /// It is in another branch of this `parallel`.
    OtherBranch(StepNumber),
    /// It is in another case of this `switch`.
    OtherCase(StepNumber),
    /// It runs after the speaker.
    Later,
    /// Neither waits for the other; these two steps of one list decide: (the speaker's, the named one's).
    Unordered(StepNumber, StepNumber),
    /// It is in `finally`, and the speaker is not.
    AtTheEnd,
}

/// Answers for one workflow.
pub(crate) struct Visibility<'o, 'w> {
    outline: &'o Outline<'w>,
    graphs: &'o [Option<Graph>],
}

/// How the named step was reached.
struct Climb {
    /// The ancestor (or the step itself) in the list where the climb ended.
    top: StepNumber,
    /// Roles of the lists that were left, with their owners, innermost first.
    left: Vec<(Role, StepNumber)>,
}

impl Climb {
    fn outermost_loop(&self) -> Option<StepNumber> {
        self.left.iter().rev().find(|(role, _)| *role == Role::Body).map(|(_, owner)| *owner)
    }
}

impl<'o, 'w> Visibility<'o, 'w> {
    /// `graphs` belong to the lists of `outline`.
    pub fn new(outline: &'o Outline<'w>, graphs: &'o [Option<Graph>]) -> Self {
        Self { outline, graphs }
    }

    /// Ok if `target` may be named from `view`. Costs the depth of both, never the number of steps.
    pub fn see(&self, view: View, target: StepNumber) -> Result<(), Hidden> {
        let from = match view {
            View::Before(from) | View::Rounds(from) | View::After(from) => from,
            View::End => {
                let climb = self.climb(target, &[]);
                return climb.outermost_loop().map_or(Ok(()), |owner| Err(Hidden::InsideLoop(owner)));
            }
        };
        if from == target {
            return if matches!(view, View::After(_)) { Ok(()) } else { Err(Hidden::Itself) };
        }
        let chain: Vec<(ListNumber, StepNumber)> =
            std::iter::successors(Some(from), |step| self.outline.owner_of(*step))
                .map(|step| (self.outline.steps[step].list, step))
                .collect();
        let climb = self.climb(target, &chain);
        let list = self.outline.steps[climb.top].list;
        match chain.iter().find(|(own, _)| *own == list) {
            Some((_, own)) if *own == climb.top => self.see_near(view, from, *own, &climb),
            Some((_, own)) => {
                self.see_in_order(list, *own, climb.top)?;
                climb.outermost_loop().map_or(Ok(()), |owner| Err(Hidden::InsideLoop(owner)))
            }
            // Different roots: one of the two is in `finally`.
            None if self.outline.lists[list].role == Role::Finally => Err(Hidden::AtTheEnd),
            None => climb.outermost_loop().map_or(Ok(()), |owner| Err(Hidden::InsideLoop(owner))),
        }
    }

    fn climb(&self, target: StepNumber, chain: &[(ListNumber, StepNumber)]) -> Climb {
        let mut climb = Climb { top: target, left: Vec::new() };
        loop {
            let number = self.outline.steps[climb.top].list;
            let list = &self.outline.lists[number];
            match list.owner {
                Some(owner) if !chain.iter().any(|(own, _)| *own == number) => {
                    climb.left.push((list.role, owner));
                    climb.top = owner;
                }
                Some(_) | None => return climb,
            }
        }
    }

    /// The climb ended at an ancestor of the speaker (or at the speaker).
    fn see_near(&self, view: View, from: StepNumber, own: StepNumber, climb: &Climb) -> Result<(), Hidden> {
        let Some((role, _)) = climb.left.last() else { return Err(Hidden::Around) };
        if own != from {
            return Err(match role {
                Role::Case(_) | Role::Default => Hidden::OtherCase(own),
                Role::Branch(_) | Role::Body | Role::Root | Role::Finally => Hidden::OtherBranch(own),
            });
        }
        let deeper = &climb.left[..climb.left.len() - 1];
        let hiding_deeper = deeper.iter().rev().find(|(role, _)| *role == Role::Body).map(|(_, owner)| *owner);
        match (view, hiding_deeper) {
            (View::Before(_), _) => Err(Hidden::Later),
            (View::Rounds(_) | View::End, None) => Ok(()),
            (View::After(_), None) if *role != Role::Body => Ok(()),
            (View::After(_), None) => Err(Hidden::InsideLoop(own)),
            (View::Rounds(_) | View::After(_) | View::End, Some(owner)) => Err(Hidden::InsideLoop(owner)),
        }
    }

    fn see_in_order(&self, list: ListNumber, own: StepNumber, other: StepNumber) -> Result<(), Hidden> {
        let (own_at, other_at) = (self.outline.steps[own].position, self.outline.steps[other].position);
        match (&self.outline.lists[list].order, &self.graphs[list]) {
            (Order::Graph, Some(graph)) if graph.is_before(other_at, own_at) => Ok(()),
            (Order::Graph, Some(graph)) if graph.is_before(own_at, other_at) => Err(Hidden::Later),
            (Order::Graph, _) => Err(Hidden::Unordered(own, other)),
            (Order::Sequence, _) if other_at < own_at => Ok(()),
            (Order::Sequence, _) => Err(Hidden::Later),
        }
    }
}
