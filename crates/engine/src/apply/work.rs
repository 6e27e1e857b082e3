//! Events of steps that do work.

use super::*;

impl Fold<'_> {
    pub(super) fn scheduled(
        &mut self,
        path: &StepPath,
        attempt: u32,
        delivery: u32,
        arguments: Option<&Payload>,
    ) -> Result<(), Misfit> {
        let id = self.reach(path)?;
        if let Some(arguments) = arguments {
            self.note_payload(arguments);
        }
        self.set_phase(id, Phase::Performing, StepStatus::Running);
        self.state.performing.insert(id);
        let instance = self.state.instances.get_mut(id);
        instance.attempt = attempt;
        instance.delivery = delivery;
        if arguments.is_some() {
            instance.arguments = arguments.cloned();
        }
        Ok(())
    }

    pub(super) fn redelivered(&mut self, path: &StepPath, delivery: u32) -> Result<(), Misfit> {
        let id = self.known(path)?;
        self.state.instances.get_mut(id).delivery = delivery;
        // A recovery delivers all outstanding work; it counts once, with the first of it.
        if self.state.performing.first() == Some(&id) {
            self.state.lost_deliveries += 1;
        }
        Ok(())
    }

    pub(super) fn attempt_failed(&mut self, path: &StepPath, failure: &Failure, at: Timestamp) -> Result<(), Misfit> {
        let id = self.known(path)?;
        self.answered(id);
        self.set_phase(id, Phase::Retrying { at }, StepStatus::Waiting);
        let instance = self.state.instances.get_mut(id);
        if failure.class == skep_model::error::Class::System {
            instance.system_failures += 1;
        }
        instance.failure = Some(failure.clone());
        Ok(())
    }

    pub(super) fn proposed(&mut self, path: &StepPath, outputs: &Map<Payload>) -> Result<(), Misfit> {
        let id = self.known(path)?;
        self.answered(id);
        self.keep_outputs(id, outputs);
        self.set_phase(id, Phase::Ready, StepStatus::Waiting);
        Ok(())
    }

    pub(super) fn completed(&mut self, path: &StepPath, outputs: &Map<Payload>) -> Result<(), Misfit> {
        let id = self.end(path, StepStatus::Completed)?;
        self.state.instances.get_mut(id).failure = None;
        self.keep_outputs(id, outputs);
        Ok(())
    }

    pub(super) fn failed(&mut self, path: &StepPath, failure: &Failure, outputs: &Map<Payload>) -> Result<(), Misfit> {
        let id = self.end(path, StepStatus::Failed)?;
        self.keep_outputs(id, outputs);
        self.fail_frame(id, failure);
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
        let instance = self.state.instances.get_mut(id);
        instance.failure = Some(failure.clone());
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
        instance.stop = Some(then.clone());
        if let Some(deadline) = instance.deadline {
            self.state.timers.remove(&(deadline, Timer::Deadline(id)));
        }
        for frame in child_frames(&self.state.instances.get(id).phase) {
            self.state.frames.get_mut(frame).stopping = true;
        }
        Ok(())
    }

    /// An outcome came: deliveries are no longer lost in a row.
    pub(super) fn answered(&mut self, id: InstanceId) {
        if self.state.performing.remove(&id) {
            self.state.lost_deliveries = 0;
        }
    }
}
