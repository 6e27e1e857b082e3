//! Events of steps that do work.

use skep_model::ids::ExecutionId;

use super::*;
use crate::rollback::keep::{is_left_unsure_by_death, may_be_done};

impl Fold<'_> {
    pub(super) fn scheduled(
        &mut self,
        path: &StepPath,
        attempt: u32,
        delivery: u32,
        arguments: Option<&Payload>,
    ) -> Result<(), Misfit> {
        let (_, step, part) = self.program.split_part(path).ok_or_else(|| frames::no_step(path))?;
        if !crate::outstanding::is_work(self.program.step(step), part) {
            return Err(Misfit(format!("`{path}` does no work that could be scheduled")));
        }
        let id = self.reach(path)?;
        // A compensation that failed can be asked for again; a step that ended has ended.
        if !is_beside(self.program, self.state.instances.get(id)) {
            self.not_over(id, path)?;
        }
        self.leave_queue(id);
        if let Some(arguments) = arguments {
            self.note_payload(arguments);
        }
        self.set_phase(id, Phase::Performing, StepStatus::Running);
        self.state.performing.insert(id);
        self.restore_deadline(id);
        let instance = self.state.instances.get_mut(id);
        instance.attempt = attempt;
        instance.delivery = delivery;
        instance.token = KnownToken::default();
        if arguments.is_some() {
            instance.arguments = arguments.cloned();
        }
        if attempt == 1 {
            instance.system_failures = 0;
            self.take_kept_arguments(id);
        }
        Ok(())
    }

    pub(super) fn queued(&mut self, path: &StepPath) -> Result<(), Misfit> {
        let id = self.reach(path)?;
        let turn = self.state.seq + 1;
        // Its bound begins with its work: who waits for others to end has not taken any time.
        if let Some(deadline) = self.state.instances.get_mut(id).deadline.take() {
            self.state.timers.remove(&(deadline, Timer::Deadline(id)));
        }
        self.set_phase(id, Phase::Queued { turn }, StepStatus::Waiting);
        Ok(())
    }

    fn leave_queue(&mut self, id: InstanceId) {
        if matches!(self.state.instances.get(id).phase, Phase::Queued { .. }) {
            self.set_deadline(id);
        }
    }

    pub(super) fn child_asked(
        &mut self,
        path: &StepPath,
        attempt: u32,
        child: &ExecutionId,
        inputs: Option<&Payload>,
    ) -> Result<(), Misfit> {
        let id = self.reach(path)?;
        self.leave_queue(id);
        if let Some(inputs) = inputs {
            self.note_payload(inputs);
        }
        let bound_ms = self.program.step(self.state.instances.get(id).step).timeout_ms;
        let until = bound_ms.map(|bound_ms| self.at.plus_ms(bound_ms));
        self.set_phase(id, Phase::Child { id: child.clone(), until }, StepStatus::Running);
        let instance = self.state.instances.get_mut(id);
        instance.attempt = attempt;
        instance.delivery += 1;
        instance.child = Some(child.clone());
        if inputs.is_some() {
            instance.arguments = inputs.cloned();
        }
        Ok(())
    }

    pub(super) fn redelivered(&mut self, path: &StepPath, delivery: u32) -> Result<(), Misfit> {
        let id = self.going(path)?;
        if !skep_model::mutant!("delivery-not-counted") {
            self.state.instances.get_mut(id).delivery = delivery;
        }
        let instance = self.state.instances.get_mut(id);
        instance.unsure |= is_left_unsure_by_death(self.program.step(instance.step));
        // A recovery delivers all outstanding work; it counts once, with the first of it.
        if self.state.performing.first() == Some(id) {
            self.state.lost_deliveries += 1;
        }
        Ok(())
    }

    pub(super) fn attempt_failed(&mut self, path: &StepPath, failure: &Failure, at: Timestamp) -> Result<(), Misfit> {
        let id = self.going(path)?;
        self.answered(id);
        self.count_refusal(id);
        self.return_breaker(id);
        self.set_phase(id, Phase::Retrying { at }, StepStatus::Waiting);
        self.restore_deadline(id);
        let instance = self.state.instances.get_mut(id);
        // A child that was stopped because its time was over is tried again; the bound of the whole step stands.
        if instance.stop.take().is_some()
            && let Some(deadline) = instance.deadline
        {
            self.state.timers.insert((deadline, Timer::Deadline(id)));
        }
        let instance = self.state.instances.get_mut(id);
        if failure.class == skep_model::error::Class::System {
            instance.system_failures += 1;
        }
        instance.unsure |= may_be_done(self.program.step(instance.step), failure);
        instance.failure = Some(failure.clone());
        Ok(())
    }

    pub(super) fn proposed(&mut self, path: &StepPath, outputs: &Map<Payload>) -> Result<(), Misfit> {
        let id = self.going(path)?;
        self.answered(id);
        self.return_breaker(id);
        self.keep_outputs(id, outputs);
        self.state.instances.get_mut(id).proposed = true;
        self.set_phase(id, Phase::Ready, StepStatus::Waiting);
        Ok(())
    }

    pub(super) fn completed(&mut self, path: &StepPath, outputs: &Map<Payload>) -> Result<(), Misfit> {
        let id = self.end(path, StepStatus::Completed)?;
        self.state.instances.get_mut(id).failure = None;
        self.keep_outputs(id, outputs);
        self.count_for_point(id, path);
        Ok(())
    }

    pub(super) fn failed(
        &mut self,
        path: &StepPath,
        failure: &Failure,
        outputs: &Map<Payload>,
        handled: bool,
    ) -> Result<(), Misfit> {
        let id = self.end(path, StepStatus::Failed)?;
        self.keep_outputs(id, outputs);
        if handled {
            self.state.instances.get_mut(id).failure = Some(failure.clone());
            self.note_error(failure);
        } else {
            self.fail_frame(id, failure);
        }
        Ok(())
    }

    pub(super) fn skipped(
        &mut self,
        path: &StepPath,
        reason: SkipReason,
        failure: Option<&Failure>,
    ) -> Result<(), Misfit> {
        let id = self.end(path, StepStatus::Skipped)?;
        let instance = self.state.instances.get_mut(id);
        instance.reason = Some(reason);
        // What a step proposed before it was rejected is no result.
        instance.outputs = Map::new();
        match (reason, failure) {
            (SkipReason::Rejected, Some(failure)) => self.fail_frame(id, failure),
            (_, Some(failure)) => {
                self.state.instances.get_mut(id).failure = Some(failure.clone());
                self.note_error(failure);
            }
            (_, None) => {}
        }
        Ok(())
    }

    pub(super) fn fail_frame(&mut self, id: InstanceId, failure: &Failure) {
        let beside = is_beside(self.program, self.state.instances.get(id));
        let instance = self.state.instances.get_mut(id);
        instance.failure = Some(failure.clone());
        if beside {
            return self.note_error(failure);
        }
        instance.tainted = true;
        let frame = self.state.frames.get_mut(instance.frame);
        frame.failure.get_or_insert_with(|| failure.clone());
        self.note_error(failure);
    }

    pub(super) fn note_error(&mut self, failure: &Failure) {
        if self.state.errors.len() < ERRORS_KEPT_MAX && !self.state.errors.contains(failure) {
            Arc::make_mut(&mut self.state.errors).push(failure.clone());
        }
    }

    pub(super) fn stop_asked(&mut self, path: &StepPath, then: &Then) -> Result<(), Misfit> {
        let id = self.known(path)?;
        let instance = self.state.instances.get_mut(id);
        // A verification is not waited for: what it would say is found out when its step is undone.
        let step = instance.part == skep_model::rollback::Part::Step;
        instance.lingers = self.state.undo.gentle && instance.stop.is_none() && step;
        instance.stop = Some(then.clone());
        if let Some(deadline) = instance.deadline {
            self.state.timers.remove(&(deadline, Timer::Deadline(id)));
        }
        for frame in child_frames(&self.state.instances.get(id).phase) {
            self.state.frames.get_mut(frame).stopping = true;
        }
        // The bound of an attempt that is being stopped has nothing more to say.
        if let Phase::Child { id: child, until: Some(_) } = &self.state.instances.get(id).phase {
            let phase = Phase::Child { id: child.clone(), until: None };
            self.set_phase(id, phase, StepStatus::Running);
        }
        Ok(())
    }

    /// An outcome came: deliveries are no longer lost in a row.
    pub(super) fn answered(&mut self, id: InstanceId) {
        // A verification that comes through says nothing about the step that took its owner along.
        let verifies = self.state.instances.get(id).part == skep_model::rollback::Part::Verify;
        if self.state.performing.remove(id) && !verifies {
            self.state.lost_deliveries = 0;
        }
    }
}
