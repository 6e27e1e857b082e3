//! Which steps began, and which were undone, in that order: the same for turns that were simulated and for real ones.

use std::collections::HashSet;

use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::Plan;
use skep_model::rollback::Part;

use super::world::id_of;

/// The way that an execution took.
#[derive(Default)]
pub(crate) struct Trail {
    /// Steps in the order in which they began; those that were skipped did not.
    pub path: Vec<StepPath>,
    /// What stands in `path`.
    begun: HashSet<StepPath>,
    /// Steps whose compensations began, and steps that ran as compensations of others, in that order.
    pub rollback: Vec<StepPath>,
}

impl Trail {
    /// Notes which step or which compensation begins with `event`.
    pub fn note(&mut self, plan: &Plan, event: &Event) {
        let path = match event {
            Event::Scheduled { path, attempt: 1, .. } => match Part::split(path) {
                (step, Part::Rollback) => return self.rollback.push(step.into()),
                (_, Part::Verify | Part::RollbackVerify) => return,
                (_, Part::Step) if is_compensation(plan, path) => return self.rollback.push(path.clone()),
                (_, Part::Step) => path,
            },
            Event::ChildAsked { path, .. }
            | Event::ApprovalAsked { path, .. }
            | Event::FormAsked { path, .. }
            | Event::WaitBegan { path, .. }
            | Event::CaseTaken { path, .. }
            | Event::Forked { path }
            | Event::LoopBegan { path, .. } => path,
            _ => return,
        };
        if self.begun.insert(path.clone()) {
            self.path.push(path.clone());
        }
    }
}

fn is_compensation(plan: &Plan, path: &str) -> bool {
    let id = id_of(path);
    plan.steps.iter().any(|step| step.compensation_only && step.id == id)
}
