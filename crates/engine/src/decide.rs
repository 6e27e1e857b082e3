//! `decide`: a message and the time go in, events and effects come out, or a typed rejection.
//!
//! It applies each event as it emits it, because what follows from an event depends on the state after it;
//! so a turn costs what it changes. A rejection leaves the state as it was. If the turn then cannot be
//! committed, the caller throws the state away and folds the journal again (ADR 0003).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Display;

use serde_json::Value;
use skep_definition::expr::{StatusFlags, Template};
use skep_model::Map;
use skep_model::effect::Effect;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::{Event, Turn};
use skep_model::ids::{StepPath, Token};
use skep_model::message::Message;
use skep_model::payload::{BlobRef, NewBlob};
use skep_model::plan::{OnError, Step, StepIndex};
use skep_model::status::{SkipReason, Step as StepStatus};
use skep_model::time::Timestamp;

use crate::apply::{Misfit, apply};
use crate::judge;
use crate::lifecycle;
use crate::payload::{Blobs, Fresh};
use crate::program::Program;
use crate::rejection::Rejection;
use crate::scope::{Place, Trouble};
use crate::state::{FrameId, InstanceId, State};

/// After so many events a turn ends and the flow goes on with the next message, so that a loop over
/// nothing but skipped steps cannot make one journal row of hundreds of thousands of events.
pub const EVENTS_PER_TURN: usize = 1_000;

/// What follows from a message.
#[derive(Debug)]
#[must_use]
pub struct Decision {
    /// What happened; without events there is nothing to commit.
    pub turn: Turn,
    /// What to do once the turn is durable.
    pub effects: Vec<Effect>,
    /// Blobs that must be durable before the turn is committed.
    pub blobs: Vec<NewBlob>,
    /// The turn was cut at [`EVENTS_PER_TURN`]: send [`Message::TimerFired`] at once.
    pub more: bool,
}

/// Decides on a message.
///
/// `now` must not be before the last turn's time. `blobs` gives the values of blobs that the state names.
///
/// # Errors
/// [`Rejection`]: the message does not fit the state (which is unchanged), or a blob has to be fetched first.
/// [`Rejection::Broken`] is a bug or a journal of another version: the state is not to be used any more.
pub fn decide(
    state: &mut State,
    program: &Program,
    message: &Message,
    now: Timestamp,
    blobs: &dyn Blobs,
) -> Result<Decision, Rejection> {
    // Only an execution with a blob that is not at hand can stop half-way, so only it pays for a copy.
    let backup = state.blobs.may_be_missing(blobs).then(|| state.clone());
    let result = decide_in_place(state, program, message, now.max(state.at), blobs);
    if let (Err(Rejection::NeedsBlob(_)), Some(backup)) = (&result, backup) {
        *state = backup;
    }
    result
}

fn decide_in_place(
    state: &mut State,
    program: &Program,
    message: &Message,
    now: Timestamp,
    blobs: &dyn Blobs,
) -> Result<Decision, Rejection> {
    let mut turn = Deciding::new(state, program, now, blobs);
    lifecycle::handle(&mut turn, message)?;
    turn.run()?;
    crate::rollback::points::make_due(&mut turn)?;
    let cut = turn.state.flows() && turn.events.len() >= EVENTS_PER_TURN;
    let more = !turn.dirty.is_empty() || (cut && (turn.ask_again || !turn.state.queued.is_empty()));
    let Deciding { events, effects, fresh, .. } = turn;
    let turn = Turn { seq: state.seq + 1, at: now, events };
    if !turn.events.is_empty() {
        state.seq = turn.seq;
        state.at = now;
    }
    Ok(Decision { turn, effects, blobs: fresh.into_inner().blobs, more })
}

/// A turn in the making.
pub(crate) struct Deciding<'a> {
    pub state: &'a mut State,
    pub program: &'a Program,
    pub now: Timestamp,
    pub blobs: &'a dyn Blobs,
    pub fresh: RefCell<Fresh>,
    pub events: Vec<Event>,
    pub effects: Vec<Effect>,
    /// Frames to look at, because something in them changed.
    pub dirty: VecDeque<FrameId>,
    /// A step has ended: conditions that are awaited may hold now.
    pub ask_again: bool,
    /// What does work is asked to stop and may end its work.
    pub gentle: bool,
}

impl<'a> Deciding<'a> {
    fn new(state: &'a mut State, program: &'a Program, now: Timestamp, blobs: &'a dyn Blobs) -> Self {
        let fresh = RefCell::new(Fresh::default());
        let (events, effects, dirty) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { state, program, now, blobs, fresh, events, effects, dirty, ask_again: false, gentle: false }
    }

    /// Applies an event, records it, and remembers which frames it concerns.
    pub fn emit(&mut self, event: Event) -> Result<(), Rejection> {
        let released = crate::permits::released_by(self.state, self.program, &event);
        apply(self.state, self.program, &event, self.now)?;
        self.effects.extend(released);
        self.note_dirty(&event);
        self.events.push(event);
        Ok(())
    }

    fn note_dirty(&mut self, event: &Event) {
        match event {
            Event::Completed { path, .. }
            | Event::Failed { path, .. }
            | Event::Skipped { path, .. }
            | Event::Cancelled { path } => {
                let frame = self.state.find(path).map(|id| self.state.instance(id).frame);
                self.dirty.extend(frame);
                self.ask_again = true;
            }
            Event::CaseTaken { path, .. } | Event::Forked { path } => self.mark_children(path),
            Event::IterationBegan { path, .. } => self.mark_newest_round(path),
            Event::Started(_) | Event::Rerun { .. } => self.dirty.extend(self.state.root),
            Event::Returned { .. } => self.mark_all(),
            Event::FinallyBegan { .. } => self.dirty.extend(self.state.finally),
            _ => {}
        }
    }

    fn mark_children(&mut self, path: &StepPath) {
        if let Some(id) = self.state.find(path) {
            self.dirty.extend(crate::apply::child_frames(&self.state.instance(id).phase));
        }
    }

    fn mark_newest_round(&mut self, path: &StepPath) {
        let Some(id) = self.state.find(path) else { return };
        if let crate::state::Phase::Looping(looping) = &self.state.instance(id).phase {
            self.dirty.extend(looping.running.values().next_back());
        }
    }

    /// Looks at every frame again: after a pause, a recovery, a turn that was cut.
    pub fn mark_all(&mut self) {
        self.dirty.extend(self.state.frames.ids());
    }

    /// An expression's place in `frame`.
    pub fn place(&self, frame: FrameId) -> Place<'_> {
        Place {
            state: self.state,
            program: self.program,
            blobs: self.blobs,
            fresh: &self.fresh,
            frame: Some(frame),
            index: None,
            own: None,
            without_result: None,
            flags: self.flags(frame),
            vars_depth: 0,
        }
    }

    /// A typed value of a template in `frame`; the outer error ends the turn, the inner one fails the step.
    pub fn value(
        &self,
        frame: FrameId,
        template: &Template,
        what: &dyn Display,
    ) -> Result<Result<Value, Failure>, Rejection> {
        split(self.place(frame).evaluate(template, what))
    }

    /// The same for a loop's own condition, where `index` is given.
    pub fn value_in_round(
        &self,
        frame: FrameId,
        index: u32,
        template: &Template,
        what: &dyn Display,
    ) -> Result<Result<Value, Failure>, Rejection> {
        let mut place = self.place(frame);
        place.index = Some(index);
        split(place.evaluate(template, what))
    }

    /// The text of a template in `frame`.
    pub fn text(
        &self,
        frame: FrameId,
        template: &Template,
        what: &dyn Display,
    ) -> Result<Result<String, Failure>, Rejection> {
        split(self.place(frame).text(template, what))
    }

    /// What `success()`, `failure()` and `cancelled()` say in `frame`, for a step without dependencies.
    pub fn flags(&self, frame: FrameId) -> StatusFlags {
        let mut failed = false;
        let mut next = Some(frame);
        while let Some(id) = next {
            let frame = self.state.frame(id);
            failed |= frame.failure.is_some();
            next = frame.owner.map(|owner| self.state.instance(owner).frame);
        }
        failed |= self.failed_before_finally();
        let cancelled = matches!(self.state.ending, Some(crate::state::Ending::Cancelled(_)));
        StatusFlags { failed, cancelled }
    }

    /// In `finally`: the main list failed, whatever was undone since.
    pub fn failed_before_finally(&self) -> bool {
        use skep_model::status::Execution as Status;
        match self.state.tentative {
            Some(Status::Failed) => true,
            Some(Status::RolledBack | Status::RollbackFailed) => self.state.undo.origin.is_some(),
            Some(_) | None => false,
        }
    }

    /// A step failed for good: what its `on_error` makes of it.
    pub fn fail(&mut self, path: &StepPath, failure: Failure, outputs: Map<Value>) -> Result<(), Rejection> {
        let failure = failure.at_step(path);
        let (_, step) = self.program.split_path(path).ok_or_else(|| Misfit(format!("`{path}` is no step")))?;
        let on_error = &self.program.step(step).on_error;
        if *on_error == OnError::Open {
            return judge::open(self, path, failure, outputs);
        }
        judge::by_definition(self, path, &failure)?;
        if matches!(on_error, OnError::Escalate(_)) && crate::unknown::escalate(self, path, &failure, None)? {
            return Ok(());
        }
        match on_error {
            OnError::Fail | OnError::Open | OnError::Escalate(_) => {
                let outputs = self.store_map(outputs);
                let critical = self.is_critical(path, &failure);
                self.emit(Event::Failed { path: path.clone(), failure, outputs, handled: false })?;
                if critical { crate::rollback::keep::ask_critical(self, path) } else { Ok(()) }
            }
            OnError::Compensate { step: first } => {
                let outputs = self.store_map(outputs);
                self.emit(Event::Failed { path: path.clone(), failure, outputs, handled: false })?;
                crate::rollback::keep::ask(self, path, *first)
            }
            OnError::Skip => {
                self.emit(Event::Skipped { path: path.clone(), reason: SkipReason::OnError, failure: Some(failure) })
            }
        }
    }

    /// True if what was done is undone at once because this step failed so.
    pub fn is_critical(&self, path: &StepPath, failure: &Failure) -> bool {
        let step = self.program.split_path(path).map(|(_, step)| self.program.step(step));
        failure.kind == FailureKind::Sandbox || step.is_some_and(|step| step.critical)
    }

    /// A step succeeded with these outputs.
    pub fn complete(&mut self, path: &StepPath, outputs: Map<Value>) -> Result<(), Rejection> {
        let outputs = self.store_map(outputs);
        self.emit(Event::Completed { path: path.clone(), outputs })?;
        self.keep_done(path, None)
    }

    /// Values as payloads; the large ones become blobs.
    pub fn store_map(&mut self, values: Map<Value>) -> Map<skep_model::payload::Payload> {
        let inline_bytes = self.state.inline_bytes;
        let fresh = self.fresh.get_mut();
        values.into_iter().map(|(name, value)| (name, crate::payload::store(value, inline_bytes, fresh))).collect()
    }

    pub fn store(&mut self, value: Value) -> skep_model::payload::Payload {
        crate::payload::store(value, self.state.inline_bytes, self.fresh.get_mut())
    }

    /// The task of an instance that was just scheduled or is to be delivered again.
    pub fn perform(&mut self, id: InstanceId) -> Result<(), Rejection> {
        let task = crate::outstanding::task(self.state, self.program, id, &|hash| {
            self.fresh.borrow().values.get(hash).cloned().or_else(|| self.blobs.get(hash))
        });
        self.effects.push(Effect::Perform(Box::new(task.map_err(Rejection::NeedsBlob)?)));
        Ok(())
    }

    /// The child execution that an instance has just asked for, or is to be asked for again.
    pub fn ask_child(&mut self, id: InstanceId) -> Result<(), Rejection> {
        let effect = crate::outstanding::child(self.state, self.program, id, &|hash| {
            self.fresh.borrow().values.get(hash).cloned().or_else(|| self.blobs.get(hash))
        });
        self.effects.extend(effect.map_err(Rejection::NeedsBlob)?);
        Ok(())
    }

    pub fn token_of(&self, id: InstanceId) -> Token {
        self.state.token(self.state.instance(id))
    }

    pub fn step_of(&self, id: InstanceId) -> (&'a Step, StepIndex) {
        let index = self.state.instance(id).step;
        (self.program.step(index), index)
    }

    pub fn is_final(&self, id: InstanceId) -> bool {
        let status: StepStatus = self.state.instance(id).status;
        status.is_final()
    }
}

pub(crate) fn split<T>(result: Result<T, Trouble>) -> Result<Result<T, Failure>, Rejection> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Trouble::Wrong(failure)) => Ok(Err(*failure)),
        Err(Trouble::Needs(reference)) => Err(Rejection::NeedsBlob(reference)),
    }
}

/// Lets `?` turn a missing blob into the end of the turn.
impl From<BlobRef> for Rejection {
    fn from(reference: BlobRef) -> Self {
        Self::NeedsBlob(reference)
    }
}
