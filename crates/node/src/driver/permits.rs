//! Between the engine's requests for what executions share and the [`Gates`](crate::gates::Gates).
//!
//! A request is answered once its turn is durable, and the answer is a message with a turn of its own; the rows of
//! both travel in their turns. A place is free for the next one once the turn that gives it back is durable. An
//! attempt's verdict on a breaker is counted when its turn is decided, because the row has to travel with it; if that
//! turn is lost, the breaker is what the store says. What is decided while a row is on its way rests on that row, so it
//! carries the breaker's row too, changed or not: else it would land without it when the other is lost.

use skep_model::actor::Actor;
use skep_model::effect::Effect;
use skep_model::ids::{LocalId, StepPath};
use skep_model::message::Message;
use skep_model::permit::{Answer, Resource, Verdict};
use skep_model::plan::{Breaker, Concurrency, Priority};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_store::{BreakerRow, PermitRow, PermitState, Reader, Row};

use super::flight::Flight;
use super::{Driver, Input};
use crate::core::Live;
use crate::gates::groups::{Moves, row_path};
use crate::gates::{Gates, Holder, group_key};

/// A request as the engine made it.
pub(super) struct Request {
    pub path: Option<StepPath>,
    pub resource: Resource,
    pub priority: Priority,
    pub since: Timestamp,
}

/// The gates that a new owner begins with, and the rows of places that nobody has any more.
pub(super) fn rebuild(reader: &dyn Reader) -> Result<(Gates, Vec<Row>), skep_store::Error> {
    let permits = reader.permits()?;
    let mut open = std::collections::HashMap::new();
    let breakers = reader.breakers()?;
    let probes = breakers.iter().filter_map(crate::gates::probing);
    for local in permits.iter().map(|row| row.execution).chain(probes) {
        if let std::collections::hash_map::Entry::Vacant(entry) = open.entry(local) {
            let execution = reader.execution_by_local(local)?;
            entry.insert(execution.is_some_and(|execution| !execution.status.is_terminal()));
        }
    }
    let is_open = |local: LocalId| open.get(&local).copied().unwrap_or(false);
    let (gates, stale) = Gates::rebuild(permits, breakers, is_open);
    let gone = |row: PermitRow| Row::PermitGone { resource: row.resource, execution: row.execution, path: row.path };
    Ok((gates, stale.into_iter().map(gone).collect()))
}

fn place_gone(name: &str, who: &Holder) -> Row {
    Row::PermitGone { resource: group_key(name, who.path.is_some()), execution: who.local, path: row_path(who) }
}

fn place(group: &Concurrency, who: &Holder, state: PermitState, priority: Priority, since: Timestamp) -> Row {
    Row::Permit(PermitRow {
        resource: group_key(&group.group, who.path.is_some()),
        execution: who.local,
        path: row_path(who),
        state,
        priority: priority.0,
        since,
    })
}

impl Driver {
    /// The rows of shared things that belong to a turn: what its message granted, what its effects ask for and give
    /// back.
    pub(super) fn gate_rows(
        &mut self,
        local: LocalId,
        message: &Message,
        effects: &[Effect],
        now: Timestamp,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Message::Permit { path, resource: Resource::Group(group), answer: Answer::Granted { .. } } = message {
            let who = Holder { local, path: path.clone() };
            rows.push(place(group, &who, PermitState::Held, Priority::default(), now));
        }
        for effect in effects {
            match effect {
                Effect::AskPermit { path, resource: Resource::Group(group), priority, since } => {
                    let who = Holder { local, path: path.clone() };
                    if !self.gates.groups.holds(&group.group, &who) {
                        rows.push(place(group, &who, PermitState::Waiting, *priority, *since));
                    }
                }
                Effect::ReleasePermit { path, resource: Resource::Group(group), .. } => {
                    rows.push(place_gone(&group.group, &Holder { local, path: path.clone() }));
                }
                Effect::ReleasePermit { path, resource: Resource::Breaker(breaker), verdict } => {
                    let who = Holder { local, path: path.clone() };
                    let row = self.gates.attempt_ended(breaker, &who, *verdict, now);
                    rows.extend(self.breaker_row(&breaker.name, row));
                }
                Effect::AskPermit { resource: Resource::Breaker(_), .. }
                | Effect::Perform(_)
                | Effect::StartChild(_)
                | Effect::CancelChild { .. }
                | Effect::Abort { .. } => {}
            }
        }
        rows
    }

    /// A request is durable: it is answered, or waits in line.
    pub(super) fn ask_permit(&mut self, local: LocalId, request: Request) {
        // An owner that is ending begins nothing; the next one is asked again.
        if self.stopping.is_some() {
            return;
        }
        // Asked twice and answered once: a second answer would be refused, and the place taken back that it has.
        let awaits = |live: &Live| live.state.awaits_permit_at(request.path.as_ref(), &request.resource);
        if !self.core.get(local).is_some_and(awaits) {
            return;
        }
        let who = Holder { local, path: request.path };
        match request.resource {
            Resource::Group(group) => {
                let moves = self.gates.groups.ask(&group, who, request.priority, request.since);
                self.follow(moves);
            }
            Resource::Breaker(breaker) => self.ask_breaker(&breaker, who),
        }
    }

    fn ask_breaker(&mut self, breaker: &Breaker, who: Holder) {
        // A paused execution would keep the only probe; it asks again when it goes on.
        if !self.core.get(who.local).is_some_and(|live| live.state.flows()) {
            return;
        }
        let now = self.now();
        let (answer, row) = self.gates.ask_breaker(breaker, &who, now);
        let rows = self.breaker_row(&breaker.name, row).into_iter().collect();
        let granted = matches!(answer, Answer::Granted { .. });
        let message = Message::Permit { path: who.path.clone(), resource: Resource::Breaker(breaker.clone()), answer };
        if !self.decide_with(who.local, message, None, rows) && granted {
            let row = self.gates.attempt_ended(breaker, &who, Verdict::Nothing, now);
            self.keep_rows(row.map(Row::Breaker).into_iter().collect());
        }
    }

    /// The row of a breaker that goes with what was decided on it: if that changed it, or if the store does not have yet
    /// what it was decided on.
    fn breaker_row(&self, name: &str, changed: Option<BreakerRow>) -> Option<Row> {
        let is_on_its_way = || self.in_flight().any(|flight| flight.breakers().any(|row| row.name == name));
        let row = changed.or_else(|| is_on_its_way().then(|| self.gates.breaker_row(name)).flatten());
        row.map(Row::Breaker)
    }

    /// A request whose commit was lost, or whose answer could not be taken.
    pub(super) fn ask_permit_again(&mut self, local: LocalId, effect: Effect) {
        if let Effect::AskPermit { path, resource, priority, since } = effect {
            self.ask_permit(local, Request { path, resource, priority, since });
        }
    }

    /// An answer could not be taken now; one that is not ready asks by itself when it is.
    pub(super) fn ask_permit_later(&mut self, local: LocalId, path: Option<&StepPath>) {
        let Some(live) = self.core.get(local) else { return };
        for effect in skep_engine::permits_awaited(&live.state, &live.program) {
            if matches!(&effect, Effect::AskPermit { path: asking, .. } if asking.as_ref() == path) {
                self.mailbox.send_later(Input::AskPermit(local, Box::new(effect)));
            }
        }
    }

    /// A place was given back, or the line was left.
    pub(super) fn release_permit(&mut self, local: LocalId, path: Option<StepPath>, resource: &Resource) {
        // It was given back and asked for again before the former was durable, and the answer to either gave it the
        // place that it has.
        let has = |live: &Live| live.state.has_permit_at(path.as_ref(), resource);
        if self.core.get(local).is_some_and(has) {
            return;
        }
        match resource {
            Resource::Group(group) => {
                let moves = self.gates.groups.release(&group.group, &Holder { local, path });
                self.follow(moves);
            }
            // Counted with its turn.
            Resource::Breaker(_) => {}
        }
    }

    fn follow(&mut self, moves: Moves) {
        for local in moves.cancelled {
            self.make_room(local);
        }
        for (who, group, answer) in moves.answers {
            self.answer_group(who, group, answer);
        }
    }

    fn answer_group(&mut self, who: Holder, group: Concurrency, answer: Answer) {
        // An owner that is ending lets nobody in: its memory ends with it, and the next one is asked again.
        if self.stopping.is_some() {
            return;
        }
        let granted = matches!(answer, Answer::Granted { .. });
        let resource = Resource::Group(group.clone());
        let message = Message::Permit { path: who.path.clone(), resource, answer };
        // One that is not ready asks again when it is; an answer that came later would be one without a place.
        let takes = self.has(who.local) && self.make_ready(who.local);
        let taken = takes && self.decide_with(who.local, message, None, Vec::new());
        if !taken && granted {
            self.keep_rows(vec![place_gone(&group.group, &who)]);
            let moves = self.gates.groups.release(&group.group, &who);
            self.follow(moves);
        }
    }

    /// Cancels an execution whose place a newer one takes. One that nobody performs is taken on for that.
    fn make_room(&mut self, local: LocalId) {
        if self.is_left(local) {
            tracing::warn!(local = local.0, "an execution that nobody performs keeps its place until it goes on");
            return;
        }
        if let Err(error) = self.have(local) {
            tracing::error!(local = local.0, "an execution cannot be cancelled to make room: {error}");
            return;
        }
        let status = self.core.get(local).map(|live| live.state.status);
        if status.is_some_and(|status| !status.is_terminal() && status != Status::Cancelling) {
            let reason = Some("a newer execution of its group takes its place".to_owned());
            self.decide(local, Message::Cancel { actor: Actor::Engine, reason }, None);
        }
    }

    /// A turn was lost: the breakers that it counted on are what the newest turn on its way makes of them, or what the
    /// store says.
    pub(super) fn restore_breakers(&mut self, lost: &Flight) {
        let names: Vec<String> = lost.breakers().map(|row| row.name.clone()).collect();
        if names.is_empty() {
            return;
        }
        let stored = match self.reader.breakers() {
            Ok(rows) => rows,
            Err(error) => return tracing::error!("breakers cannot be read again: {error}"),
        };
        let on_their_way = self.flights.iter().chain(self.pending.iter().map(Box::as_ref));
        let rows: Vec<&BreakerRow> = stored.iter().chain(on_their_way.flat_map(Flight::breakers)).collect();
        for name in &names {
            self.gates.restore(name, rows.iter().rev().find(|row| row.name == *name).copied());
        }
    }
}
