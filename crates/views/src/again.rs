//! A rerun in the view: what is kept stays as it was, everything else is as before the first turn.

use std::collections::HashMap;
use std::sync::Arc;

use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::plan::StepIndex;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::execution::Execution;
use crate::progress::Tally;
use crate::step::{RoundSteps, Step};

impl Execution {
    pub(crate) fn rerun(&mut self, at: Timestamp, event: &Event) {
        let Event::Rerun { generation, inputs, kept, .. } = event else { return };
        self.generation = *generation;
        self.inputs.extend(inputs.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.status = Status::Running;
        self.ended_at = None;
        self.outputs.clear();
        self.failure = None;
        self.held = None;
        self.held_since = None;
        self.cancel = None;
        self.rollback = None;
        self.entry = None;
        let of_kept = |path: &StepPath| self.shape.is_of(path, kept);
        let stays: Vec<StepPath> = self.kept.iter().filter(|path| of_kept(path)).cloned().collect();
        self.kept = stays;
        self.active.clear();
        self.tally = Tally::default();
        let mut old = std::mem::take(&mut self.entries);
        let shape = Arc::clone(&self.shape);
        self.top = self.open_steps(&shape.top, "");
        let kept = kept.iter().filter_map(|path| shape.split(path));
        let kept: Vec<StepIndex> = kept.flat_map(|(_, step)| self.with_inside(step)).collect();
        for step in kept {
            self.restore(&shape.step(step).id, &mut old);
        }
        self.point_at_start(at);
    }

    /// A step and the steps inside it that are no rounds.
    fn with_inside(&self, step: StepIndex) -> Vec<StepIndex> {
        let shape = self.shape.step(step);
        let mut steps = vec![step];
        if !shape.is_loop {
            steps.extend(shape.blocks.iter().flat_map(|block| &self.shape.inside[*block as usize]));
        }
        steps
    }

    /// Puts an ended step back, with those of its rounds.
    fn restore(&mut self, path: &str, old: &mut HashMap<StepPath, Step>) {
        let Some(step) = old.remove(path) else { return };
        let rounds = step.rounds().into_iter().flat_map(|rounds| rounds.list.values());
        let members: Vec<StepPath> = rounds
            .filter_map(|round| match &round.steps {
                RoundSteps::Listed(members) => Some(members.clone()),
                RoundSteps::Collected(_) => None,
            })
            .flatten()
            .collect();
        if !self.entries.contains_key(path) {
            let prefix = &path[..path.len() - step.id().len()];
            drop(self.open_steps(&[step.index], prefix));
        }
        self.change(path, |entry| *entry = step);
        for member in members {
            self.restore(&member, old);
        }
    }
}
