//! The event of a rerun: what stays of the runs before, and what is forgotten.

use serde_json::Value;

use super::*;
use crate::apply::rollback::is_beside;

impl Fold<'_> {
    /// The main list begins anew with the results of `kept`; everything else of the state is as after a start.
    pub(super) fn rerun(&mut self, generation: u32, inputs: &Map<Value>, kept: &[StepPath]) -> Result<(), Misfit> {
        let start = self.state.start.as_mut().ok_or_else(|| Misfit("nothing was started yet".to_owned()))?;
        if !inputs.is_empty() {
            let start = Arc::make_mut(start);
            start.inputs.extend(inputs.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        self.state.reruns = generation.saturating_sub(1);
        self.forget_ending();
        if let Some(finally) = self.state.finally.take() {
            self.close_frame(finally, &mut Map::new());
        }
        self.forget_undoing(kept);
        match self.state.root {
            Some(root) if !kept.is_empty() => self.reopen_root(root, kept)?,
            Some(_) | None => self.open_root(),
        }
        let state = &mut *self.state;
        Arc::make_mut(&mut state.errors)
            .retain(|failure| failure.step.as_deref().is_some_and(|step| is_of(step, kept)));
        if let Some(timeout_ms) = self.program.plan().timeout_ms {
            state.timers.insert((self.at.plus_ms(timeout_ms), Timer::Execution));
        }
        self.become_(Status::Running)?;
        self.point_at_start();
        Ok(())
    }

    fn forget_ending(&mut self) {
        let state = &mut *self.state;
        state.failure = None;
        state.ending = None;
        state.tentative = None;
        state.held = None;
        state.lost_deliveries = 0;
        state.signals = Default::default();
        state.timers.clear();
        state.performing.clear();
        state.asking.clear();
        state.working.clear();
        state.children.clear();
        state.queued.clear();
        state.entry = Entry::Open;
    }

    /// What can be undone is what the kept steps did; how far an earlier rollback came is over.
    fn forget_undoing(&mut self, kept: &[StepPath]) {
        let beside: Vec<StepPath> = self
            .state
            .instances
            .iter()
            .filter(|instance| is_beside(self.program, instance))
            .map(|instance| instance.path.clone())
            .collect();
        for path in beside {
            self.forget(&path);
        }
        let undo = std::mem::take(&mut self.state.undo);
        let stays =
            |path: &StepPath| top_of(self.program, path).is_some_and(|top| kept.iter().any(|kept| **kept == *top));
        self.state.undo.kept = undo.kept.into_iter().filter(|entry| stays(&entry.path)).collect();
        self.state.undelivered = false;
    }

    fn open_root(&mut self) {
        let state = &mut *self.state;
        state.frames = Default::default();
        state.instances = Default::default();
        state.frame_by_place = Default::default();
        state.instance_by_path = Default::default();
        let root = self.open_frame(self.program.plan().root, Role::Root, None, None);
        self.state.root = Some(root);
    }

    /// Takes out what is not kept, and sets the list to where it then stands.
    fn reopen_root(&mut self, root: FrameId, kept: &[StepPath]) -> Result<(), Misfit> {
        let slots = self.state.frames.get(root).slots.clone();
        let mut left = vec![None; slots.len()];
        for (at, id) in slots.into_iter().enumerate().filter_map(|(at, id)| Some((at, id?))) {
            if kept.contains(&self.state.instances.get(id).path) {
                left[at] = Some(id);
            } else {
                self.forget_instance(id);
            }
        }
        if left.iter().flatten().count() != kept.len() {
            return Err(Misfit("a rerun keeps a step that was not reached".to_owned()));
        }
        let block = self.program.plan().root;
        let steps = self.program.block_steps(block);
        let position = &self.program.block(block).position;
        let is_left = |step: &StepIndex| position.get(step).is_some_and(|at| left[*at as usize].is_some());
        let graph = self.program.order(block) == Order::Graph;
        let missing: Vec<u32> = steps
            .iter()
            .filter(|_| graph)
            .map(|step| self.program.step(*step).depends_on.iter().filter(|on| !is_left(on)).count() as u32)
            .collect();
        let free = missing.iter().enumerate().filter(|(at, count)| **count == 0 && left[*at].is_none());
        let ready = free.map(|(at, _)| at as u32).collect();
        let next = left.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
        let frame = self.state.frames.get_mut(root);
        frame.slots = left;
        frame.position = next;
        frame.missing = missing;
        frame.ready = ready;
        frame.active = 0;
        frame.failure = None;
        frame.stopping = false;
        frame.ended = None;
        Ok(())
    }

    pub(super) fn forget_instance(&mut self, id: InstanceId) {
        let Some(instance) = self.state.instances.remove(id) else { return };
        self.state.instance_by_path.remove(&instance.path);
        for inner in child_frames(&instance.phase) {
            self.close_frame(inner, &mut Map::new());
        }
    }
}

/// The id of the step of the main list that a step is, or is inside of.
fn top_of<'p>(program: &'p Program, path: &str) -> Option<&'p str> {
    let plan = program.plan();
    let outermost = path.split('[').next().unwrap_or(path);
    let (_, mut index) = program.split_path(outermost)?;
    while let Some(owner) = plan.blocks[plan.steps[index as usize].block as usize].owner {
        index = owner;
    }
    Some(&plan.steps[index as usize].id)
}

/// True if `path` is one of these steps of the main list, or a step of a round of one.
fn is_of(path: &str, kept: &[StepPath]) -> bool {
    let outer = path.split('[').next().unwrap_or(path);
    kept.iter().any(|step| &**step == outer)
}
