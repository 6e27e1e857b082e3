//! What doubts, questions and undoing do to the view. Work beside a step has no entry of its own: it shows on the
//! step that it belongs to.

use skep_model::error::Failure;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::rollback::{AT_POINT_CODE, Part, Question, RollbackCause, Strategy};
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;

use crate::execution::{Execution, Rollback};
use crate::step::{Step, Undoing, Waiting};

impl Execution {
    /// True for events about a verification or a compensation.
    pub(crate) fn is_beside_the_flow(&self, event: &Event) -> bool {
        event.path().is_some_and(|path| Part::split(path).1 != Part::Step)
    }

    pub(crate) fn apply_beside(&mut self, event: &Event) {
        let Some(path) = event.path() else { return };
        let (step, part) = Part::split(path);
        if part == Part::Verify {
            return;
        }
        let check = part == Part::RollbackVerify;
        self.change_listed(step, |step| undo(step, event, check));
    }

    /// Steps of rounds past the bound are undone without being listed.
    fn change_listed(&mut self, path: &str, change: impl FnOnce(&mut Step)) {
        if self.step(path).is_some() {
            self.change(path, change);
        }
    }

    /// What runs ends, or is being stopped.
    pub(crate) fn rollback_asked(&mut self) {
        self.status = Status::Running;
        self.held = None;
    }

    pub(crate) fn rollback_began(
        &mut self,
        at: Timestamp,
        cause: RollbackCause,
        (strategy, to): (Strategy, Option<u32>),
    ) {
        self.status = Status::RollingBack;
        self.held = None;
        self.ended_at = None;
        let before = self.rollback.take();
        let (undone, done) = before.map(|before| (before.undone, before.done)).unwrap_or_default();
        let (status, failed) = (Status::RollingBack, Vec::new());
        self.rollback = Some(Rollback {
            cause,
            status,
            undone,
            strategy,
            to,
            began_at: at,
            ended_at: None,
            done,
            failed,
            asked: None,
        });
    }

    pub(crate) fn rollback_ended(&mut self, at: Timestamp, status: Status) {
        self.status = Status::RollingBack;
        self.held = None;
        if let Some(rollback) = &mut self.rollback {
            rollback.status = status;
            rollback.ended_at = Some(at);
        }
    }

    /// A hold at its point is the end of a rollback; a resume leaves it behind.
    pub(crate) fn stand_still(&mut self, at: Timestamp, reason: &Failure) {
        let undoing = self.rollback.as_mut().filter(|rollback| rollback.status == Status::RollingBack);
        if let Some(rollback) = undoing.filter(|rollback| rollback.to.is_some() && reason.code == AT_POINT_CODE) {
            rollback.ended_at = Some(at);
        }
    }

    pub(crate) fn undo_failed(&mut self, path: &StepPath, failure: &Failure) {
        if let Some(rollback) = &mut self.rollback {
            rollback.failed.push((path.clone(), failure.clone()));
        }
    }

    pub(crate) fn rolled_back(&mut self, path: &StepPath) {
        self.not_kept(path);
        if let Some(rollback) = &mut self.rollback {
            rollback.undone += 1;
            rollback.done.push(path.clone());
        }
        self.change_listed(path, |step| step.status = StepStatus::RolledBack);
    }

    /// What is on top of the stack needs no undoing.
    pub(crate) fn undo_dropped(&mut self, path: &StepPath) {
        // The step that runs before the stack was never put on it.
        if !self.runs_first(path) {
            self.not_kept(path);
        }
        self.take_question_back();
    }

    fn not_kept(&mut self, path: &StepPath) {
        if let Some(at) = self.kept.iter().rposition(|kept| kept == path) {
            self.kept.remove(at);
        }
    }

    fn runs_first(&self, path: &str) -> bool {
        self.shape.split(path).is_some_and(|(_, index)| self.shape.step(index).compensation_only)
    }

    // ---- questions ---------------------------------------------------------------------------------------

    pub(crate) fn doubted(&mut self, path: &StepPath, failure: Option<&Failure>) {
        self.change(path, |step| {
            step.status = StepStatus::Unknown;
            step.waiting = None;
            step.failure = failure.cloned();
        });
    }

    pub(crate) fn question_asked(&mut self, at: Timestamp, path: &StepPath, event: &Event) {
        let Event::QuestionAsked { about, to, failure, suggestion, until, .. } = event else { return };
        let (about, failure) = (*about, failure.as_ref());
        let (to, suggestion, until) = (to.clone(), *suggestion, *until);
        let waiting = Waiting::Answer { about, to, failure: failure.cloned(), suggestion, until };
        let undoing = self.rollback.as_mut().filter(|rollback| rollback.status == Status::RollingBack);
        let in_rollback = undoing.map(|rollback| rollback.asked = Some(path.clone())).is_some();
        self.change_listed(path, |step| {
            if in_rollback {
                step.status_before_question = Some(step.status);
            }
            step.status = match about {
                Question::Unknown => StepStatus::Unknown,
                Question::Escalated => StepStatus::Waiting,
            };
            step.began_at.get_or_insert(at);
            step.waiting = Some(waiting);
            if about == Question::Escalated {
                step.failure = failure.cloned();
            }
        });
    }

    pub(crate) fn question_answered(&mut self, path: &StepPath) {
        self.change_listed(path, |step| step.waiting = None);
    }

    /// The question that a rollback asks is answered, or withdrawn.
    pub(crate) fn take_question_back(&mut self) {
        let Some(path) = self.rollback.as_mut().and_then(|rollback| rollback.asked.take()) else { return };
        self.change_listed(&path, |step| {
            step.waiting = None;
            if let Some(status) = step.status_before_question.take() {
                step.status = status;
            }
        });
    }
}

/// What an event about its compensation says about a step; `check`: about the verification of the compensation.
fn undo(step: &mut Step, event: &Event, check: bool) {
    let undoing = step.rollback.get_or_insert(Undoing { status: StepStatus::Pending, attempts: 0, failure: None });
    match event {
        Event::Scheduled { attempt, .. } => {
            undoing.status = StepStatus::Running;
            if !check {
                undoing.attempts = *attempt;
            }
        }
        Event::AttemptFailed { failure, .. } => {
            undoing.status = StepStatus::Waiting;
            undoing.failure = Some(failure.clone());
        }
        Event::Completed { .. } => {
            undoing.status = StepStatus::Completed;
            undoing.failure = None;
        }
        Event::Failed { failure, .. } => {
            undoing.status = StepStatus::Failed;
            undoing.failure = Some(failure.clone());
        }
        Event::Cancelled { .. } => undoing.status = StepStatus::Cancelled,
        // Nothing else happens to work beside a step.
        _ => {}
    }
}
