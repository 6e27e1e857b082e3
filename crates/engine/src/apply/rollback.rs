//! Events of doubts, questions, and undoing.

use skep_model::decision::Action;
use skep_model::rollback::{Part, Question, RollbackCause, Strategy};

use super::*;
use crate::rollback::keep::may_be_done;
use crate::rollback::{AskedBy, Kept, Stage, Stays, Target, comes_before};
use crate::state::Questioned;

/// True if an instance stands beside the flow: in no slot of its frame, so that nothing waits for it.
pub(crate) fn is_beside(program: &Program, instance: &Instance) -> bool {
    instance.part != Part::Step || program.step(instance.step).compensation_only
}

/// Who is asked, until when, and what is proposed.
pub(super) struct Asked<'e> {
    pub to: &'e str,
    pub suggestion: Option<Action>,
    pub until: Option<Timestamp>,
    pub escalations: &'e [(Timestamp, String)],
}

impl Fold<'_> {
    // ---- work beside steps -------------------------------------------------------------------------------

    /// The instance of work beside a step, made when it is performed for the first time.
    pub(super) fn reach_beside(
        &mut self,
        path: &StepPath,
        (step_path, step, part): (&str, StepIndex, Part),
    ) -> Result<InstanceId, Misfit> {
        let unknown = || Misfit(format!("`{path}` is nothing that the plan performs"));
        if part == Part::Verify && !self.state.undo.is_busy() && self.state.find(step_path).is_none() {
            return Err(unknown());
        }
        let frame = self.state.root.ok_or_else(unknown)?;
        Ok(self.new_instance(frame, step, path, part))
    }

    pub(super) fn new_instance(&mut self, frame: FrameId, step: StepIndex, path: &StepPath, part: Part) -> InstanceId {
        let id = self.state.instances.insert(Instance {
            step,
            frame,
            path: path.clone(),
            status: StepStatus::Pending,
            phase: Phase::Over,
            attempt: 0,
            delivery: 0,
            system_failures: 0,
            arguments: None,
            outputs: Map::new(),
            failure: None,
            reason: None,
            stop: None,
            lingers: false,
            tainted: false,
            deadline: None,
            part,
            generation: self.state.generation(),
            child: None,
            granted: Vec::new(),
            proposed: false,
            unsure: false,
            token: KnownToken::default(),
        });
        self.state.instance_by_path.insert(path.clone(), id);
        id
    }

    /// What is performed for the stack gets its arguments from there.
    pub(super) fn take_kept_arguments(&mut self, id: InstanceId) {
        if !self.state.undo.is_busy() || !is_beside(self.program, self.state.instances.get(id)) {
            return;
        }
        let Some(kept) = self.state.undo.next_kept() else { return };
        let instance = self.state.instances.get_mut(id);
        instance.stop = None;
        instance.arguments = match instance.part {
            Part::Step | Part::Rollback => kept.arguments.clone(),
            Part::RollbackVerify => kept.check.clone(),
            Part::Verify => kept.verify.clone(),
        };
    }

    pub(super) fn forget(&mut self, path: &str) {
        if let Some(id) = self.state.instance_by_path.remove(path) {
            self.set_phase(id, Phase::Over, StepStatus::Cancelled);
            self.state.performing.remove(id);
            self.state.instances.remove(id);
        }
    }

    // ---- doubts and questions ----------------------------------------------------------------------------

    pub(super) fn doubted(&mut self, path: &StepPath, failure: Option<&Failure>) -> Result<(), Misfit> {
        let id = self.known(path)?;
        match failure {
            Some(_) => self.answered(id),
            // Its owner died: that counts once per recovery, with the first of what was outstanding.
            None => {
                if self.state.performing.first() == Some(id) {
                    self.state.lost_deliveries += 1;
                }
                self.state.performing.remove(id);
            }
        }
        self.suspend_deadline(id);
        self.set_phase(id, Phase::Doubtful { failure: failure.cloned(), asked: false }, StepStatus::Unknown);
        if let Some(failure) = failure {
            self.state.instances.get_mut(id).failure = Some(failure.clone());
        }
        Ok(())
    }

    pub(super) fn question_asked(
        &mut self,
        path: &StepPath,
        about: Question,
        failure: Option<&Failure>,
        asked: Asked<'_>,
    ) -> Result<(), Misfit> {
        if self.state.undo.is_busy() {
            self.state.undo.asked = true;
            return Ok(());
        }
        let id = self.reach(path)?;
        self.answered(id);
        self.suspend_deadline(id);
        let instance = self.state.instances.get_mut(id);
        instance.unsure |= failure.is_some_and(|failure| may_be_done(self.program.step(instance.step), failure));
        match about {
            Question::Unknown => {
                let failure = match &self.state.instances.get(id).phase {
                    Phase::Doubtful { failure, .. } => failure.clone(),
                    _ => return Err(Misfit(format!("`{path}` is not in doubt"))),
                };
                self.set_phase(id, Phase::Doubtful { failure, asked: true }, StepStatus::Unknown);
            }
            Question::Escalated => {
                let failure = failure.cloned().ok_or_else(|| Misfit(format!("`{path}` did not fail")))?;
                self.state.instances.get_mut(id).failure = Some(failure.clone());
                self.return_breaker(id);
                self.question(id, failure, asked);
            }
        }
        Ok(())
    }

    /// What a step holds stays readable behind the question, and comes back with the answer.
    fn question(&mut self, id: InstanceId, failure: Failure, asked: Asked<'_>) {
        let held = child_frames(&self.state.instances.get(id).phase);
        for frame in &held {
            self.state.frames.get_mut(*frame).ended.get_or_insert(StepStatus::Failed);
        }
        let phase = self.state.instances.get(id).phase.clone();
        let keeps = !held.is_empty() || matches!(phase, Phase::Looping(_));
        let question = Questioned {
            failure,
            to: asked.to.to_owned(),
            suggestion: asked.suggestion,
            until: asked.until,
            escalations: asked.escalations.iter().cloned().collect(),
            inside: if keeps { phase } else { Phase::Over },
        };
        self.set_phase(id, Phase::Questioned(Box::new(question)), StepStatus::Waiting);
    }

    pub(super) fn question_answered(&mut self, path: &StepPath, approved: bool) -> Result<(), Misfit> {
        if std::mem::take(&mut self.state.undo.asked) {
            return Ok(());
        }
        let id = self.known(path)?;
        let at = self.at;
        let instance = self.state.instances.get_mut(id);
        let again = match (&instance.phase, approved) {
            (Phase::Questioned(question), true) if question.yes() == Action::Retry => {
                instance.attempt = 0;
                instance.system_failures = 0;
                instance.stop = None;
                true
            }
            (Phase::Doubtful { failure: None, .. }, false) => {
                // The same attempt is delivered once more.
                instance.attempt = instance.attempt.saturating_sub(1);
                true
            }
            _ => false,
        };
        if instance.stop.is_none() {
            // The time that people take does not count.
            instance.deadline = None;
            self.set_deadline(id);
        }
        if again {
            self.set_phase(id, Phase::Retrying { at }, StepStatus::Waiting);
        }
        Ok(())
    }

    fn suspend_deadline(&mut self, id: InstanceId) {
        if let Some(deadline) = self.state.instances.get(id).deadline {
            self.state.timers.remove(&(deadline, Timer::Deadline(id)));
        }
    }

    /// The bound of a step that goes on after a verification counts on.
    pub(super) fn restore_deadline(&mut self, id: InstanceId) {
        if let Some(deadline) = self.state.instances.get(id).deadline {
            self.state.timers.insert((deadline, Timer::Deadline(id)));
        }
    }

    // ---- the stack ---------------------------------------------------------------------------------------

    pub(super) fn undo_kept(&mut self, path: &StepPath, kept: Option<Kept>) -> Result<(), Misfit> {
        self.known(path)?;
        let mut kept = kept.ok_or_else(|| Misfit(format!("nothing of `{path}` is kept")))?;
        for payload in [&kept.arguments, &kept.check, &kept.verify].into_iter().flatten() {
            self.note_payload(payload);
        }
        let verify = self.state.find(&Part::Verify.of(path));
        kept.verify_deliveries = verify.map_or(0, |id| self.state.instances.get(id).delivery);
        self.state.undo.kept.push(kept);
        Ok(())
    }

    pub(super) fn compensation_asked(&mut self, path: &StepPath, first: Option<Kept>) -> Result<(), Misfit> {
        let id = self.known(path)?;
        self.state.undo.origin = self.state.instances.get(id).failure.clone();
        if let Some(arguments) = first.as_ref().and_then(|first| first.arguments.as_ref()) {
            self.note_payload(arguments);
        }
        self.state.undo.first = first;
        self.state.ending.get_or_insert(Ending::Compensating);
        self.stop_root();
        Ok(())
    }

    /// Somebody wants it undone: it stops as if a step had failed that says `compensate`.
    pub(super) fn rollback_asked(
        &mut self,
        by: AskedBy,
        (strategy, to): (Strategy, Option<u32>),
        until: Option<Timestamp>,
    ) -> Result<(), Misfit> {
        let target = self.target(to)?;
        self.state.undo.strategy = strategy;
        self.state.undo.target = target;
        self.state.undo.asked_by = Some(by);
        self.state.ending = Some(Ending::Asked);
        self.state.held = None;
        self.state.undelivered = false;
        if let Some(until) = until {
            self.state.timers.insert((until, Timer::Grace));
            self.state.undo.gentle = true;
        }
        self.stop_root();
        self.become_(Status::Running)
    }

    pub(super) fn grace_over(&mut self) -> Result<(), Misfit> {
        self.state.timers.retain(|(_, timer)| *timer != Timer::Grace);
        self.state.undo.gentle = false;
        Ok(())
    }

    fn target(&self, to: Option<u32>) -> Result<Option<Target>, Misfit> {
        let Some(number) = to else { return Ok(None) };
        let point = self.state.undo.points.find(number).ok_or_else(|| no_point(number))?;
        Ok(Some(Target { point: number, depth: point.depth }))
    }

    pub(super) fn rollback_began(
        &mut self,
        cause: RollbackCause,
        failure: Option<&Failure>,
        (strategy, to): (Strategy, Option<u32>),
    ) -> Result<(), Misfit> {
        let target = self.target(to)?;
        let again = self.state.status.is_terminal();
        let further = self.state.undo.stage == Stage::AtPoint;
        let undo = &mut self.state.undo;
        undo.strategy = strategy;
        undo.target = target;
        undo.asked_by = None;
        undo.gentle = false;
        undo.kept.iter_mut().for_each(|kept| kept.stays = None);
        undo.cause = Some(cause);
        undo.stage = Stage::Busy;
        undo.asked = false;
        // A cancel may have come while what ran was being stopped for the rollback.
        undo.stopped = undo.stopped.take().filter(|_| !again);
        undo.failure = None;
        undo.again = again || (further && undo.again);
        undo.origin = undo.origin.take().or_else(|| failure.cloned());
        let first = undo.first.take();
        undo.kept.extend(first);
        self.state.held = None;
        self.state.timers.retain(|(_, timer)| !matches!(timer, Timer::Execution | Timer::Force | Timer::Grace));
        if let Some(root) = self.state.root {
            self.state.frames.get_mut(root).ended.get_or_insert(StepStatus::Completed);
        }
        if again {
            self.quiesce();
        }
        self.become_(Status::RollingBack)
    }

    /// What a forced end left waiting waits no more.
    fn quiesce(&mut self) {
        self.state.timers.clear();
        let open: Vec<InstanceId> = self.state.instances.ids().collect();
        for id in open {
            let instance = self.state.instances.get_mut(id);
            if !instance.status.is_final() && child_frames(&instance.phase).is_empty() {
                instance.phase = Phase::Over;
                instance.status = StepStatus::Cancelled;
            }
        }
    }

    pub(super) fn rolled_back(&mut self, path: &StepPath) -> Result<(), Misfit> {
        self.undo_dropped(path)?;
        self.forget(&Part::Rollback.of(path));
        self.forget(&Part::RollbackVerify.of(path));
        if let Some(id) = self.state.find(path) {
            self.state.instances.get_mut(id).status = StepStatus::RolledBack;
        }
        Ok(())
    }

    pub(super) fn undo_dropped(&mut self, path: &StepPath) -> Result<(), Misfit> {
        let at = self.undone_next(path)?;
        self.state.undo.kept.remove(at);
        self.forget(&Part::Verify.of(path));
        Ok(())
    }

    pub(super) fn undo_confirmed(&mut self, path: &StepPath) -> Result<(), Misfit> {
        let at = self.undone_next(path)?;
        self.state.undo.kept[at].unsure = false;
        Ok(())
    }

    fn undone_next(&self, path: &StepPath) -> Result<usize, Misfit> {
        let undo = &self.state.undo;
        let next = undo.next().filter(|at| undo.kept[*at].path == *path);
        next.ok_or_else(|| Misfit(format!("`{path}` is not what is undone next")))
    }

    /// It stays, and so does what it may have built on.
    pub(super) fn undo_failed(&mut self, path: &StepPath, failure: &Failure) -> Result<(), Misfit> {
        let at = self.undone_next(path)?;
        // What runs before the stack is a condition of all of it.
        let first = self.program.split_path(path).is_some_and(|(_, step)| self.program.step(step).compensation_only);
        let (below, rest) = self.state.undo.kept.split_at_mut(at);
        rest[0].stays = Some(Stays::Failed(failure.clone()));
        for kept in below.iter_mut().filter(|kept| kept.stays.is_none()) {
            if first || comes_before(self.program, &kept.path, path) {
                kept.stays = Some(Stays::Below);
            }
        }
        Ok(())
    }

    pub(super) fn rollback_stop_asked(&mut self, by: String) -> Result<(), Misfit> {
        self.state.undo.stopped = Some(by);
        self.state.undo.asked = false;
        Ok(())
    }

    pub(super) fn rollback_ended(&mut self, status: Status, failure: Option<&Failure>) -> Result<(), Misfit> {
        self.state.undo.stage = Stage::Over(status);
        self.state.undo.failure = failure.cloned();
        self.state.held = None;
        self.state.undelivered = false;
        self.become_(Status::RollingBack)
    }
}

/// A point that is not there, or not any more.
pub(super) fn no_point(number: u32) -> Misfit {
    Misfit(format!("there is no rollback point {number}"))
}
