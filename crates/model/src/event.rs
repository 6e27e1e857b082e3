//! What happened: the journal's content. Folding these is the only way state comes to be.
//!
//! One turn is one journal row: a JSON array of these. Tags and names are short because row length is throughput, and
//! are never reused. A crash "before" is before the commit of its turn: the message is sent again; "after": it is known.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::decision::{Action, Judged};
use crate::error::Failure;
use crate::ids::{ExecutionId, StepPath};
use crate::message::Start;
use crate::payload::Payload;
use crate::permit::Resource;
use crate::rollback::{PointKind, Question, RollbackCause, Strategy};
use crate::status::{Execution as ExecutionStatus, SkipReason, Step as StepStatus};
use crate::time::Timestamp;
use crate::{Map, Value};

mod about;
mod then;
mod turn;

pub use then::Then;
pub use turn::Turn;

/// Something that happened in one execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Event {
    /// Pending -> running. Crash before: the caller got no id, nothing exists.
    Started(Box<Start>),
    /// A script or an action is to be done: step -> running. After a crash it is outstanding and
    /// is delivered again under the same key, with the arguments recorded here.
    Scheduled {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// From 1.
        #[serde(rename = "a")]
        attempt: u32,
        /// From 1, over all attempts.
        #[serde(rename = "d")]
        delivery: u32,
        /// Of the first attempt, valid for all: scripts `{"values": {}, "env": {}, "working_dir": ""}`, actions `with`.
        #[serde(rename = "args", default, skip_serializing_if = "Option::is_none")]
        arguments: Option<Payload>,
    },
    /// A new owner delivers an outstanding attempt again. Lost deliveries in a row are counted.
    Redelivered {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// The new delivery.
        #[serde(rename = "d")]
        delivery: u32,
    },
    /// An attempt failed and will be repeated: step -> waiting until `retry_at`, a durable timer.
    AttemptFailed {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Why.
        #[serde(rename = "f")]
        failure: Failure,
        /// When the next attempt begins.
        #[serde(rename = "at")]
        retry_at: Timestamp,
    },
    /// It was decided what is done about a failed attempt. The state stays as it is.
    Judged(Box<Judged>),
    /// A step with `approve: after` has its result: it waits for a decision with these outputs.
    Proposed {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Its outputs.
        #[serde(rename = "o")]
        outputs: Map<Payload>,
    },
    /// Step -> completed. Never undone by a later event but a rollback; never performed again.
    Completed {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Its outputs. Empty for loops: theirs follow from their iterations.
        #[serde(rename = "o", default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
        outputs: Map<Payload>,
    },
    /// Step -> failed, for good.
    Failed {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Why.
        #[serde(rename = "f")]
        failure: Failure,
        /// What outputs there are all the same (a script's streams).
        #[serde(rename = "o", default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
        outputs: Map<Payload>,
        /// It was decided to go on without the step: the list that it stands in does not fail.
        #[serde(rename = "h", default, skip_serializing_if = "std::ops::Not::not")]
        handled: bool,
    },
    /// Step -> skipped.
    Skipped {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Why.
        #[serde(rename = "r")]
        reason: SkipReason,
        /// With `on_error`: what failed. With `rejected`: who and what they said, as a failure.
        #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// A running step is to stop: its work is being aborted, or what runs inside it is. When all of it has
    /// ended, the step ends as `then` says. After a crash nothing of it is performed again.
    StopAsked {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// What the step becomes.
        #[serde(default, skip_serializing_if = "Then::is_cancelled")]
        then: Then,
    },
    /// Step -> cancelled.
    Cancelled {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
    },
    /// A `switch` took a case (from 0) or its default (`None`): step -> running.
    CaseTaken {
        /// The switch.
        #[serde(rename = "p")]
        path: StepPath,
        /// Index of the case.
        #[serde(rename = "c")]
        case: Option<u32>,
    },
    /// The branches of a `parallel` began: step -> running.
    Forked {
        /// The parallel.
        #[serde(rename = "p")]
        path: StepPath,
    },
    /// A branch of a `parallel` ended.
    BranchEnded {
        /// The parallel.
        #[serde(rename = "p")]
        path: StepPath,
        /// From 0.
        #[serde(rename = "b")]
        branch: u32,
        /// Completed, failed or cancelled.
        #[serde(rename = "s")]
        status: StepStatus,
    },
    /// A loop began: step -> running.
    LoopBegan {
        /// The loop.
        #[serde(rename = "p")]
        path: StepPath,
        /// The list of a `foreach`.
        #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
        items: Option<Payload>,
        /// The number of rounds, where it is known now.
        #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
    },
    /// Iteration `index` of a loop began.
    IterationBegan {
        /// The loop.
        #[serde(rename = "p")]
        path: StepPath,
        /// From 0.
        #[serde(rename = "i")]
        index: u32,
    },
    /// Iteration `index` of a loop ended; its result is collected, its steps leave the state.
    IterationEnded {
        /// The loop.
        #[serde(rename = "p")]
        path: StepPath,
        /// From 0.
        #[serde(rename = "i")]
        index: u32,
        /// Completed, failed or cancelled.
        #[serde(rename = "s")]
        status: StepStatus,
    },
    /// A person is asked to decide: step -> waiting.
    ApprovalAsked {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// What they are asked.
        message: String,
        /// Who should decide; empty: anybody who may.
        assignee: String,
        /// End of the wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Who is told when, in order of time.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        escalations: Vec<(Timestamp, String)>,
    },
    /// Nobody decided or answered in time, or undoing the step failed for good: the next person is told.
    Escalated {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Who.
        to: String,
    },
    /// A decision was made; what follows from it stands in the same turn.
    Decided {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Yes or no.
        approved: bool,
        /// A person, or the engine when the wait ended.
        actor: Actor,
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// A person is asked to fill in a form: step -> waiting.
    FormAsked {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Shown above the form.
        message: String,
        /// Who should; empty: anybody who may.
        assignee: String,
        /// End of the wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A form was filled in; the answers are the outputs of the `Completed` in the same turn.
    FormFilled {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Who.
        actor: Actor,
    },
    /// A `wait` began: step -> waiting.
    WaitBegan {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// When it ends (duration, moment) or gives up (signal).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// The signal that ends it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<String>,
        /// A condition ends it, asked again after so many milliseconds; `until` is then its timeout. Askings that
        /// find it false leave no event: when the next one is due follows from the turn's time and this pause.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        every_ms: Option<u64>,
    },
    /// A signal came before its wait and is kept.
    SignalKept {
        /// Its name.
        name: String,
        /// Its payload.
        payload: Payload,
        /// Who sent it.
        actor: Actor,
    },
    /// A waiting step took a signal; the payload is an output of the `Completed` in the same turn.
    SignalTaken {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// The signal.
        name: String,
        /// Who sent it.
        actor: Actor,
        /// It was one that had been kept (the oldest of that name).
        kept: bool,
    },
    /// Running -> paused: no new step begins, running ones end.
    Paused {
        /// Who.
        actor: Actor,
    },
    /// Paused or held -> running (or cancelling, or rolling_back, if that had begun).
    Resumed {
        /// Who.
        actor: Actor,
    },
    /// -> cancelling: what runs is being stopped.
    CancelAsked {
        /// Who.
        actor: Actor,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A second cancel came: the execution ends at `at`, whatever still runs (a durable timer).
    ForceAsked {
        /// Who.
        actor: Actor,
        /// When.
        at: Timestamp,
    },
    /// The time of the whole execution is over: what runs is being stopped, then `finally`, then failed.
    TimedOut,
    /// -> held: a person is needed.
    Held {
        /// Why.
        reason: Failure,
    },
    /// The main list has ended and `finally` begins.
    FinallyBegan {
        /// What the execution would end as.
        #[serde(rename = "s")]
        status: ExecutionStatus,
    },
    /// Terminal. Nothing follows but a rerun or a rollback that a person asks for.
    Ended {
        /// Completed, failed, cancelled, rolled_back or rollback_failed.
        #[serde(rename = "s")]
        status: ExecutionStatus,
        /// Outputs of the execution.
        #[serde(rename = "o", default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
        outputs: Map<Payload>,
        /// Why it failed: the first failure that nothing handled.
        #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// The work of a step with a compensation was done, or may have been (`unsure`): what undoing it takes is put
    /// on the stack, evaluated in the step's place. Crash before: the step's own end was not recorded either.
    UndoKept {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Resolved arguments of the compensation, as in `Scheduled`.
        #[serde(rename = "args", default, skip_serializing_if = "Option::is_none")]
        arguments: Option<Payload>,
        /// Resolved arguments of the compensation's own verification.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check: Option<Box<Payload>>,
        /// Resolved arguments of the step's `verify`; only for an unsure one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verify: Option<Box<Payload>>,
        /// Why the arguments could not be evaluated: a rollback that comes here fails with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Failure>,
        /// Nobody knows whether the work was done.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unsure: bool,
    },
    /// A step with `on_error: compensate` failed: what runs is being stopped, then a rollback begins.
    CompensationAsked {
        /// The step that failed.
        #[serde(rename = "p")]
        path: StepPath,
        /// The step that runs before the stack is undone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<StepPath>,
        /// Its resolved arguments, as in `Scheduled`.
        #[serde(rename = "args", default, skip_serializing_if = "Option::is_none")]
        arguments: Option<Payload>,
        /// Why they could not be evaluated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Failure>,
    },
    /// -> rolling_back: nothing runs any more and the stack is undone from its top. Also after `Ended`, when a
    /// person asks for it. After a crash the compensation that is outstanding is delivered again.
    RollbackBegan {
        /// Who or what began it.
        cause: RollbackCause,
        /// The person, if one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<Actor>,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Why the execution failed, if it did.
        #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// How.
        #[serde(default, skip_serializing_if = "Strategy::is_graceful")]
        strategy: Strategy,
        /// The rollback point at which it stands still.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<u32>,
    },
    /// An execution that is not over is to be undone: no step begins, what runs is stopped or may end until `until`,
    /// then a rollback begins. After a crash nothing that ran is performed again.
    RollbackAsked {
        /// Who.
        actor: Actor,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// How.
        strategy: Strategy,
        /// The rollback point at which it will stand still.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<u32>,
        /// What runs until then is stopped (a durable timer); `None`: it is stopped now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// What may end until then has had its time: it is being stopped.
    GraceOver,
    /// There is a rollback point: the state as it is at the end of this turn. One at the start needs no event.
    PointMade {
        /// From 1 in each run of the execution; 0 is the start.
        #[serde(rename = "n")]
        number: u32,
        /// Why.
        #[serde(rename = "k")]
        kind: PointKind,
        /// The step that completed.
        #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
        path: Option<StepPath>,
        /// Who asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<Actor>,
        /// What for, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Held -> running: the state is what it was at a rollback point; what had not ended there begins again.
    Returned {
        /// Who.
        actor: Actor,
        /// The point.
        #[serde(rename = "n")]
        number: u32,
        /// Of what begins from now on.
        generation: u32,
        /// Steps that are as if they had not begun.
        again: Vec<StepPath>,
    },
    /// A step was undone: step -> rolled_back, and off the stack.
    RolledBack {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Who undid it by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<Actor>,
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Undoing a step failed for good. It and what it came after stay on the stack; the others are undone.
    UndoFailed {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Why.
        #[serde(rename = "f")]
        failure: Failure,
    },
    /// The unsure step on top of the stack turned out to have done its work: it will be undone.
    UndoConfirmed {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
    },
    /// What is on top of the stack needs no undoing: its work was not done, or it was the step that runs first.
    UndoDropped {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
    },
    /// A cancel during a rollback: no compensation begins after the one that runs.
    RollbackStopAsked {
        /// Who.
        actor: Actor,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The rollback is over; `finally` follows, or the end.
    RollbackEnded {
        /// Rolled_back or rollback_failed.
        #[serde(rename = "s")]
        status: ExecutionStatus,
        /// What failed.
        #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// It cannot be told whether the work of a step was done: step -> unknown. Its verification or a question
    /// follows in the same turn.
    Doubted {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// How the attempt ended; `None`: its owner died.
        #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// A person has to say what became of a step, or what is to become of it. Stays open over crashes.
    QuestionAsked {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// What is asked.
        about: Question,
        /// Who should answer; empty: anybody who may.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        to: String,
        /// What went wrong.
        #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// What the table of decisions proposes: a yes means this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suggestion: Option<Action>,
        /// End of the wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Who is told when.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        escalations: Vec<(Timestamp, String)>,
    },
    /// The question about a step was answered; what follows from it stands in the same turn.
    Answered {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// Yes: it was done, or: try it again.
        approved: bool,
        /// Who.
        actor: Actor,
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// A step may begin, but as many steps of the execution do work as its `max_parallel` allows: step -> waiting.
    /// It begins when its turn comes; its arguments are evaluated then.
    Queued {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
    },
    /// A child execution is to be started: step -> running. After a crash it is asked for again; whoever starts it
    /// finds by the id that it is there already.
    ChildAsked {
        /// The step.
        #[serde(rename = "p")]
        path: StepPath,
        /// From 1: a retry has a child of its own.
        #[serde(rename = "a")]
        attempt: u32,
        /// The child's id, derived from the execution, the path, the generation and the attempt.
        #[serde(rename = "c")]
        child: ExecutionId,
        /// Its inputs, recorded with the first attempt and valid for all.
        #[serde(rename = "args", default, skip_serializing_if = "Option::is_none")]
        inputs: Option<Payload>,
    },
    /// A terminal execution runs again: -> running, in a new generation. Nothing of what ran before is undone.
    Rerun {
        /// Who asked for it.
        actor: Actor,
        /// The step of the main list from which it runs; `None`: from the start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<StepPath>,
        /// From 2; part of the idempotency key of every step that runs again.
        generation: u32,
        /// Inputs with other values than before.
        #[serde(default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
        inputs: Map<Value>,
        /// Steps of the main list whose results stay, with the generation that they had. All others are forgotten.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<StepPath>,
    },
    /// A step, or the execution before its first step, asked for something that executions share: step -> waiting.
    /// After a crash the new owner asks again; asking twice is asking once.
    PermitAsked {
        /// The step; `None`: the execution.
        #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
        path: Option<StepPath>,
        /// What.
        #[serde(rename = "r")]
        resource: Resource,
    },
    /// It got it; what follows stands in the same turn, or comes when the execution goes on. A crash before: the
    /// node answers again when it is asked again.
    PermitGranted {
        /// The step; `None`: the execution.
        #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
        path: Option<StepPath>,
        /// The attempt is a half-open breaker's probe.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        probe: bool,
    },
}
