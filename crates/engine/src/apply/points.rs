//! Events of rollback points: they are made, and the execution goes back to one.

use super::*;
use crate::apply::rollback::{is_beside, no_point};
use crate::rollback::{Point, Points};

impl Fold<'_> {
    /// The start is a point, too; those of a run before are gone.
    pub(super) fn point_at_start(&mut self) {
        if self.program.plan().rollback.is_some() {
            self.state.undo.points = Points::default();
            self.add_point(0);
        }
    }

    pub(super) fn point_made(&mut self, number: u32) -> Result<(), Misfit> {
        if number != self.state.undo.points.next {
            return Err(no_point(number));
        }
        self.add_point(number);
        Ok(())
    }

    fn add_point(&mut self, number: u32) {
        let state = &mut *self.state;
        let mut points = std::mem::take(&mut state.undo.points);
        // What follows from the rest is not kept twice.
        let index = (std::mem::take(&mut state.frame_by_place), std::mem::take(&mut state.instance_by_path));
        let asked = std::mem::take(&mut state.asked);
        points.add(Point { number, depth: state.undo.kept.len(), past: Arc::new(state.clone()) });
        state.undo.points = points;
        (state.frame_by_place, state.instance_by_path) = index;
        state.asked = asked;
    }

    /// Counts a piece of work that has completed.
    pub(super) fn count_for_point(&mut self, id: InstanceId, path: &StepPath) {
        let instance = self.state.instances.get(id);
        let step = self.program.step(instance.step);
        if self.program.plan().rollback.is_none() || is_beside(self.program, instance) {
            return;
        }
        let points = &mut self.state.undo.points;
        points.completed += u32::from(step.kind.is_work() || matches!(step.kind, Kind::Workflow { .. }));
        if step.checkpoint {
            points.wanted = Some(path.clone());
        }
    }

    /// The state is what it was at the point; what had not ended there has not begun.
    pub(super) fn returned(&mut self, number: u32, generation: u32) -> Result<(), Misfit> {
        let present = &mut *self.state;
        let past = present.undo.points.find(number).map(|point| Arc::clone(&point.past));
        let past = past.ok_or_else(|| no_point(number))?;
        let left_ms = present_time_left(&past);
        let mut state = State::clone(&past);
        state.undo.points = std::mem::take(&mut present.undo.points);
        state.undo.points.go_back_to(number);
        state.signals = std::mem::take(&mut present.signals);
        state.blobs = std::mem::take(&mut present.blobs);
        state.entry = std::mem::take(&mut present.entry);
        (state.seq, state.at, state.inline_bytes) = (present.seq, present.at, present.inline_bytes);
        state.reruns = generation.saturating_sub(1);
        state.index();
        *self.state = state;
        self.begin_nothing();
        self.restart_bounds(left_ms);
        self.become_(Status::Running)
    }

    /// Takes out what did something, was waiting, or was asked about: it begins again.
    fn begin_nothing(&mut self) {
        let state = &mut *self.state;
        (state.held, state.undelivered, state.lost_deliveries) = (None, false, 0);
        let begun = |instance: &Instance| !instance.status.is_final() && !holds_others(&instance.phase);
        let leaves: Vec<InstanceId> = state.instances.ids().filter(|id| begun(state.instances.get(*id))).collect();
        for id in leaves {
            self.take_out(id);
        }
        let state = &mut *self.state;
        state.performing.clear();
        state.asking.clear();
        state.working.clear();
        state.children.clear();
        state.queued.clear();
    }

    fn take_out(&mut self, id: InstanceId) {
        let Some(instance) = self.state.instances.try_get(id).cloned() else { return };
        let frame = instance.frame;
        if !is_beside(self.program, &instance) {
            let block = self.state.frames.get(frame).block;
            let at = self.program.block(block).position[&instance.step];
            let graph = self.program.order(block) == Order::Graph;
            let frame = self.state.frames.get_mut(frame);
            frame.slots[at as usize] = None;
            frame.active -= 1;
            if graph {
                frame.ready.insert(at);
            } else {
                frame.position = at as usize;
            }
        }
        self.forget(&skep_model::rollback::Part::Verify.of(&instance.path));
        self.forget_instance(id);
    }

    /// Bounds of what goes on have the time left that they had; the timers of what begins again are gone.
    fn restart_bounds(&mut self, left_ms: Option<u64>) {
        self.state.timers.clear();
        if let Some(left_ms) = left_ms {
            self.state.timers.insert((self.at.plus_ms(left_ms), Timer::Execution));
        }
        let open: Vec<InstanceId> = self.state.instances.ids().collect();
        for id in open {
            let instance = self.state.instances.get_mut(id);
            instance.granted = Vec::new();
            if !instance.status.is_final() && instance.deadline.take().is_some() {
                self.set_deadline(id);
            }
        }
    }
}

/// A step that runs as long as others inside of it do.
fn holds_others(phase: &Phase) -> bool {
    matches!(phase, Phase::Choosing { .. } | Phase::Forking { .. } | Phase::Looping(_))
}

/// What was left of the execution's time at that moment.
fn present_time_left(past: &State) -> Option<u64> {
    let bound = past.timers.iter().find(|(_, timer)| *timer == Timer::Execution);
    // The time of the turn that made the point is not in its state yet; the turn before it is as good.
    bound.map(|(at, _)| u64::try_from(at.0 - past.at.0).unwrap_or(0) / 1_000)
}
