//! One input: decided, and later landed or lost.

use std::sync::Arc;

use skep_engine::{Program, Rejection, State};
use skep_model::actor::Actor;
use skep_model::effect::{Effect, Task, Work};
use skep_model::error::Failure;
use skep_model::ids::{LocalId, Token};
use skep_model::message::Message;
use skep_model::outcome::{Ended, Outcome};
use skep_model::plan::PLAN_FORMAT;
use skep_model::status::Execution as Status;
use skep_store::{ExecutionChange, ExecutionRow, IdleChange, Row};

use super::flight::Flight;
use super::permits::Request;
use super::start_keys;
use super::stored::Hashes;
use super::values::WithPending;
use super::{AtOnce, Creation, Delivered, Driver, Input, Receipt, Reply};
use crate::core::{Live, Refusal, first_row};
use crate::error::Error;
use crate::fold;
use crate::watch::Summary;

impl Driver {
    pub(super) fn take(&mut self, input: Input) {
        match input {
            Input::Create(creation, reply) => self.create(*creation, reply),
            Input::Message(local, message, Some(reply)) => self.tell(local, *message, reply),
            Input::Message(local, message, None)
                if *message == Message::Recovered && !skep_model::mutant!("recovered-twice") =>
            {
                self.recover_again(local);
            }
            Input::Message(local, message, None) => self.decide(local, *message, None),
            Input::Adopt(local, reply) => self.adopt(local, reply),
            Input::Acks(acks) => self.acknowledged(acks),
            Input::Outcome(execution, outcome) => self.outcome(&execution, *outcome),
            Input::Rows(rows, reply) => self.rows(rows, reply),
            Input::Waiting(task) => self.backlog.put_back(*task),
            Input::ChildEnded(parent, ended) => self.child_ended(&parent, *ended),
            Input::StartChild(child) => self.start_child(*child),
            Input::CancelChild(parent, path, child) => self.cancel_child(parent, &path, &child),
            Input::TellParent(local, parent) => self.tell_parent_of(local, *parent),
            Input::AskPermit(local, effect) => self.ask_permit_again(local, *effect),
            Input::Stop(patience) => self.stopping = Some(patience),
            Input::Leave(locals, reply) => {
                self.leave(locals);
                let _ = reply.send(());
            }
            Input::TakeIdle(reply) => drop(reply.send(self.take_idle())),
            Input::Snapshot(snapshot) => self.keep_snapshot(*snapshot),
        }
    }

    pub(super) fn create(&mut self, creation: Creation, reply: Reply) {
        let Some((creation, reply)) = self.first_of_its_key(creation, reply) else { return };
        let local = self.next_local;
        self.next_local = LocalId(local.0 + 1);
        let Creation { start, program, definition, workflow_path, key } = creation;
        let program = self.programs.keep(program);
        let (mut rows, stores) = self.sources(&program, &definition, (program.hash(), start.definition_hash));
        let row = ExecutionRow { workflow_path, ..first_row(local, &start, &program, self.now()) };
        let key_row = key.as_ref().map(|key| start_keys::row(&row.workflow, key, local));
        rows.push(Row::ExecutionCreated(row));
        rows.extend(key_row);
        self.core.open(Live::new(local, State::default(), program).created());
        self.locals.insert(start.execution.clone(), local);
        if !self.decide_with(local, Message::Start(Box::new(start)), Some(reply), rows) {
            self.starting.forget(local);
        } else if let Some(flight) = self.pending.last_mut() {
            flight.stores = stores;
        }
    }

    /// The rows of a plan and its text, unless the store has them, and what it will have with them.
    fn sources(&self, program: &Program, definition: &str, hashes: Hashes) -> (Vec<Row>, Option<Hashes>) {
        if self.stored.has(&hashes) {
            return (Vec::new(), None);
        }
        let (plan_hash, definition_hash) = hashes;
        let rows = vec![
            Row::Plan { hash: plan_hash, format: PLAN_FORMAT, bytes: program.plan().to_bytes() },
            Row::Definition { hash: definition_hash, text: definition.as_bytes().to_vec() },
        ];
        (rows, Some(hashes))
    }

    fn adopt(&mut self, local: LocalId, reply: Reply) {
        if self.has(local) {
            drop(reply.send(Ok(Receipt::of(local))));
            return;
        }
        match self.bring(local) {
            Err(error) => {
                self.park(local, &error);
                drop(reply.send(Err(error)));
            }
            Ok(()) => self.decide(local, Message::Recovered, Some(reply)),
        }
    }

    /// A message of somebody outside: an execution that this owner does not have is taken on first, in the same
    /// pass, so that nothing comes between.
    pub(super) fn tell(&mut self, local: LocalId, message: Message, reply: Reply) {
        if self.is_left(local) {
            return self.tell_left(local, message, reply);
        }
        if !self.has(local) {
            if let Err(error) = self.bring(local) {
                self.park(local, &error);
                drop(reply.send(Err(error)));
                return;
            }
            self.decide(local, Message::Recovered, None);
        }
        self.decide(local, message, Some(reply));
        let over = self.core.get(local).is_some_and(|live| live.state.status.is_terminal());
        // What is on its way to the disk may be its end, of which its parent is told when it is there.
        let on_its_way = self.in_flight().any(|flight| flight.local == local);
        if over && !on_its_way {
            self.close(local);
        }
    }

    pub(super) fn bring(&mut self, local: LocalId) -> Result<(), Error> {
        let live = fold::live(&*self.reader, &mut self.programs, local)?;
        self.locals.insert(live.state.execution(), local);
        self.core.open(live);
        self.no_longer_left(local);
        Ok(())
    }

    fn outcome(&mut self, execution: &skep_model::ids::ExecutionId, outcome: Outcome) {
        let delivered = self.delivered.remove(&outcome.token);
        let mut rows = Vec::new();
        if let Some(delivered) = delivered {
            self.performer.delivery_ended(&delivered.execution, &delivered.path, delivered.delivery);
            if delivered.has_child {
                self.backlog.child_ended();
            }
            rows.extend(delivered.has_child.then(|| Row::ChildGone { token: outcome.token.clone() }));
        }
        match self.locals.get(execution).copied() {
            Some(local) => drop(self.decide_with(local, Message::Outcome(Box::new(outcome)), None, rows)),
            // The execution was forced to its end; only the child's row is left of it.
            None => self.keep_rows(rows),
        }
    }

    fn rows(&mut self, rows: Vec<Row>, reply: Reply) {
        self.stored.note(&rows);
        let mut flight = Flight::of_rows(rows);
        flight.reply = Some(reply);
        self.pending.push(Box::new(flight));
    }

    pub(super) fn keep_rows(&mut self, rows: Vec<Row>) {
        if !rows.is_empty() {
            self.pending.push(Box::new(Flight::of_rows(rows)));
        }
    }

    pub(super) fn decide(&mut self, local: LocalId, message: Message, reply: Option<Reply>) {
        self.decide_with(local, message, reply, Vec::new());
    }

    /// Decides, with rows that belong to the message. False if it was refused.
    pub(super) fn decide_with(
        &mut self,
        local: LocalId,
        message: Message,
        mut reply: Option<Reply>,
        rows: Vec<Row>,
    ) -> bool {
        if !self.is_at_hand(local, &message, &mut reply) {
            self.keep_rows(rows);
            return false;
        }
        if message == Message::Recovered {
            self.unready.recovers(local);
        } else if !self.make_ready(local) {
            self.refused(local, &message, Refusal::NotReady, reply, rows);
            return false;
        }
        let now = self.now();
        let blobs = WithPending { stored: &*self.blobs, pending: &self.pending };
        let accepted = match self.core.handle(local, &message, now, &blobs) {
            Ok(accepted) => accepted,
            Err(refusal) => {
                self.refused(local, &message, refusal, reply, rows);
                return false;
            }
        };
        let mut write = accepted.write;
        // Rows of the message go before the turn's own, so that a list row exists before it changes.
        write.rows.splice(0..0, rows);
        let shared = self.gate_rows(local, &message, &accepted.effects, now);
        write.rows.extend(shared);
        // Without a turn of its own this could land although the turn before it is lost.
        let snapshot = if write.turn.is_some() { self.core.due_snapshot(local).map(Box::new) } else { None };
        self.core.launched(local);
        let live = self.core.get(local).expect("an execution that decided is in memory");
        let state = &live.state;
        let seq = state.seq;
        let summary = Summary { status: state.status, waits_for_people: self.waits_for_people(local) };
        let flight = Flight {
            local,
            has_turn: write.turn.is_some(),
            write,
            effects: accepted.effects,
            reply: early(local, reply),
            retry: (is_ours(&message) && !skep_model::mutant!("lost-turn-forgotten")).then_some(message),
            summary,
            seq,
            more: accepted.more,
            blobs: accepted.blobs,
            snapshot,
            ..Flight::of_rows(Vec::new())
        };
        self.pending.push(Box::new(flight));
        true
    }

    fn refused(&mut self, local: LocalId, message: &Message, refusal: Refusal, reply: Option<Reply>, rows: Vec<Row>) {
        self.keep_rows(rows);
        // A value that cannot be read now may be read later; a timer that is due fires again by itself.
        if matches!(refusal, Refusal::Blob { .. } | Refusal::NotReady) && is_ours(message) {
            self.refused_for_now(local, message);
        }
        if let (Refusal::Blob { .. }, Message::Permit { path, .. }) = (&refusal, message) {
            self.ask_permit_later(local, path.as_ref());
        }
        if let Refusal::Rejected(Rejection::Broken(problem)) = &refusal {
            self.set_aside(local, problem);
        }
        match reply {
            Some(reply) => drop(reply.send(Err(refusal.into()))),
            None => tracing::debug!(local = local.0, "a message was refused: {refusal}"),
        }
        self.let_rest(local);
    }

    fn refused_for_now(&mut self, local: LocalId, message: &Message) {
        if *message == Message::Recovered {
            self.unready.lost_recovery(local);
        }
        if *message != Message::TimerFired {
            self.try_again(local, Some(message.clone()));
        }
    }

    /// A broken invariant parks this one execution: its row says so, and it leaves the memory. The journal is
    /// as it was, so `skep resume` folds it again.
    fn set_aside(&mut self, local: LocalId, problem: &str) {
        tracing::error!(local = local.0, "an execution is set aside, its state does not fit: {problem}");
        let Some(live) = self.core.get(local) else { return };
        let change = ExecutionChange {
            local,
            status: Status::Held,
            updated_at: live.state.at,
            ended_at: None,
            waiting: Some(format!("held: {problem}")),
            error: Some(problem.to_owned()),
            seq: live.state.seq,
        };
        self.core.forget(local);
        let busy = IdleChange { local, idle: false, next_wake: None, for_people: false };
        self.keep_rows(vec![Row::ExecutionChanged(change), Row::Idle(busy)]);
        self.watcher.publish([(local, Summary { status: Status::Held, waits_for_people: true })]);
    }

    /// The turn is durable: now it may have effects.
    pub(super) fn landed(&mut self, flight: Box<Flight>) {
        let (has_turn, seq) = (flight.has_summary(), flight.seq);
        let Flight {
            local, effects, mut children, reply, summary, more, deferred, from_backlog, snapshot, stores, ..
        } = *flight;
        stores.into_iter().for_each(|hashes| self.stored.add(hashes));
        self.child_landed(local);
        for (at, effect) in effects.into_iter().enumerate() {
            match effect {
                Effect::Perform(task) if deferred.contains(&at) => self.backlog.push(*task),
                // Stopped between its turn in the backlog and this commit: the child exits without exec.
                Effect::Perform(task) if from_backlog && self.is_over(local, &task) => {
                    self.backlog.child_ended();
                    self.performer.discard(&task.token);
                    self.keep_rows(vec![Row::ChildGone { token: task.token }]);
                }
                Effect::Perform(task) => self.perform(local, task, children.remove(&at)),
                Effect::Abort { path, token } => self.abort(local, path, &token),
                Effect::StartChild(child) => self.start_child(*child),
                Effect::CancelChild { path, child } => self.cancel_child(local, &path, &child),
                Effect::AskPermit { path, resource, priority, since } => {
                    self.ask_permit(local, Request { path, resource, priority, since });
                }
                Effect::ReleasePermit { path, resource, .. } => self.release_permit(local, path, &resource),
            }
        }
        self.key_settled(local, None);
        if more {
            self.mailbox.send(Input::Message(local, Box::new(Message::TimerFired), None));
        }
        // A rerun may have been decided since, on what this turn ended; it may even have ended, and not be durable yet.
        let over = self.core.get(local).is_some_and(|live| live.state.status.is_terminal() && live.state.seq == seq);
        if summary.status.is_terminal() && !skep_model::mutant!("parent-not-told") {
            self.tell_parent(local);
        }
        if has_turn {
            self.core.landed(local);
        }
        if self.is_left(local) {
            self.put_away(local);
        } else if summary.status.is_terminal() && over {
            self.close(local);
        } else if has_turn {
            self.let_rest(local);
        }
        if let Some(state) = snapshot {
            self.make_snapshot(local, *state);
        }
        if let Some(reply) = reply {
            drop(reply.send(Ok(Receipt::of(local))));
        }
    }

    /// True if durably nobody waits for the task any more: a turn on its way that stops it may still be lost.
    fn is_over(&self, local: LocalId, task: &Task) -> bool {
        self.core.get(local).is_some() && self.is_quiet(local) && !self.is_awaited(task)
    }

    pub(super) fn close(&mut self, local: LocalId) {
        if let Some(live) = self.core.get(local) {
            let execution = live.state.execution();
            self.locals.remove(&execution);
            self.backlog.forget_execution(&execution);
            self.performer.execution_ended(&execution);
        }
        self.unready.forget(local);
        self.core.forget(local);
    }

    fn perform(&mut self, local: LocalId, task: Box<Task>, child: Option<Result<(), Box<Failure>>>) {
        // An owner that is ending begins nothing; the fold has it, and the next owner delivers it.
        if self.stopping.is_some() {
            return self.performer.discard(&task.token);
        }
        let has_child = match child {
            Some(Err(failure)) => {
                let result = Ended::Failed { failure: *failure, outputs: skep_model::Map::new() };
                return self.answer_for(&task, result);
            }
            Some(Ok(())) => true,
            None => false,
        };
        if let Work::UndoChild { child } = &task.work {
            let child = child.clone();
            return self.undo_child(*task, &child);
        }
        let (token, delivery) = (task.token.clone(), task.delivery);
        let delivered =
            Delivered { execution: task.execution.clone(), path: Arc::clone(&task.path), delivery, has_child };
        match self.performer.perform(task) {
            Some(outcome) => self.at_once.push_back(AtOnce { local, delivery, outcome }),
            None => drop(self.delivered.insert(token, delivered)),
        }
    }

    /// As [`Driver::outcome`], of a delivery that nobody could stop.
    pub(super) fn done_at_once(&mut self, done: AtOnce) {
        let AtOnce { local, delivery, outcome } = done;
        if let Some(start) = self.core.get(local).and_then(|live| live.state.start.as_ref()) {
            self.performer.delivery_ended(&start.execution, &outcome.path, delivery);
        }
        self.decide(local, Message::Outcome(Box::new(outcome)), None);
    }

    pub(super) fn answer_for(&self, task: &Task, result: Ended) {
        let now = self.clock.now();
        let outcome =
            Outcome { path: task.path.clone(), token: task.token.clone(), began_at: now, ended_at: now, result };
        self.mailbox.send(Input::Outcome(task.execution.clone(), Box::new(outcome)));
    }

    /// Stops a delivery. One that the runner does not have (it ended, or belonged to an owner that died) is
    /// answered here, so that every effect has an outcome.
    fn abort(&mut self, local: LocalId, path: skep_model::ids::StepPath, token: &Token) {
        self.backlog.forget(token);
        self.forget_undoing(token);
        if self.delivered.contains_key(token) {
            return self.performer.abort(token);
        }
        // It may be out of memory for the moment, to be folded again.
        let live = self.core.get(local).map(|live| live.state.execution());
        let known = || self.locals.iter().find(|(_, known)| **known == local).map(|(id, _)| id.clone());
        let Some(execution) = live.or_else(known) else { return };
        let now = self.clock.now();
        let outcome = Outcome { path, token: token.clone(), began_at: now, ended_at: now, result: Ended::Aborted };
        self.mailbox.send(Input::Outcome(execution, Box::new(outcome)));
    }

    /// The turn was not committed: the execution is folded again, and what nobody else would repeat is tried again.
    pub(super) fn lost(&mut self, flight: Box<Flight>, error: &Arc<skep_store::Error>) {
        tracing::error!(local = flight.local.0, "a turn could not be committed: {error}");
        for token in flight.parked() {
            if skep_model::mutant!("child-released-without-commit") {
                let task = flight.effects.iter().find_map(|effect| match effect {
                    Effect::Perform(task) if task.token == token => Some(task.as_ref().clone()),
                    _ => None,
                });
                task.into_iter().for_each(|task| drop(self.performer.perform(Box::new(task))));
                continue;
            }
            self.backlog.child_ended();
            self.performer.discard(&token);
        }
        self.child_lost(flight.local);
        self.restore_breakers(&flight);
        self.key_settled(flight.local, Some(error));
        if flight.has_summary() && !flight.has_turn {
            // Nothing of the state is lost with it, so nothing is decided again; later turns may have been committed.
            self.ask_again(flight.local, &flight.effects);
        } else if flight.has_summary() {
            if flight.retry == Some(Message::Recovered) {
                self.unready.lost_recovery(flight.local);
            }
            self.give_up_pending(flight.local, error);
            self.refold_when_quiet(flight.local);
            self.try_again(flight.local, flight.retry);
        }
        if flight.from_backlog {
            self.wait_again(flight.effects);
        }
        if let Some(reply) = flight.reply {
            if skep_model::mutant!("lost-is-acknowledged") {
                return drop(reply.send(Ok(Receipt::of(flight.local))));
            }
            drop(reply.send(Err(Error::Commit(Arc::clone(error)))));
        }
    }

    pub(super) fn refold(&mut self, local: LocalId) {
        self.core.forget(local);
        self.unready.has_state(local);
        if self.is_left(local) {
            return;
        }
        match fold::live(&*self.reader, &mut self.programs, local) {
            Ok(live) => {
                // An answer that came while it was out of memory was not taken; asking twice is no harm.
                for effect in skep_engine::permits_awaited(&live.state, &live.program) {
                    self.mailbox.send(Input::AskPermit(local, Box::new(effect)));
                }
                self.core.open(live);
            }
            Err(Error::NoSuchExecution { .. }) => {}
            Err(error) => {
                tracing::error!(local = local.0, "an execution cannot be folded again: {error}");
                if error.class() == crate::error::Class::Corrupt {
                    return self.park(local, &error);
                }
                self.unready.lost_state(local);
                self.try_again(local, Some(Message::TimerFired));
            }
        }
    }

    pub(super) fn try_again(&self, local: LocalId, message: Option<Message>) {
        if let Some(message) = message {
            self.mailbox.send_later(Input::Message(local, Box::new(message), None));
        }
    }

    /// Scripts whose children could not be recorded wait for a slot again.
    fn wait_again(&self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Perform(task) = effect {
                self.mailbox.send_later(Input::Waiting(task));
            }
        }
    }
}

/// The reply, which waits for the commit (and does not with a planted bug).
fn early(local: LocalId, reply: Option<Reply>) -> Option<Reply> {
    if skep_model::mutant!("acknowledged-early") {
        reply.map(|reply| reply.send(Ok(Receipt::of(local))));
        return None;
    }
    reply
}

/// True if nobody outside would send the message again.
fn is_ours(message: &Message) -> bool {
    match message {
        Message::Outcome(_) | Message::TimerFired | Message::Recovered | Message::ChildEnded(_) => true,
        // Asked for again instead: meanwhile the place may be another's, the breaker open.
        Message::Permit { .. } => false,
        // A parent cancels its children once, and undoes them once.
        Message::Cancel { actor, .. } | Message::Rollback { actor, .. } => *actor == Actor::Engine,
        Message::Start(_)
        | Message::Progress(_)
        | Message::Signal { .. }
        | Message::KeepSignal { .. }
        | Message::Approve(_)
        | Message::Reject(_)
        | Message::Input { .. }
        | Message::Pause { .. }
        | Message::Resume { .. }
        | Message::Rerun { .. }
        | Message::Checkpoint { .. }
        | Message::Undone { .. } => false,
    }
}
