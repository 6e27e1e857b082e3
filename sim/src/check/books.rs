//! The books: every committed turn, folded as a new owner would, beside what the driver has in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use skep_engine::{Program, State, apply_turn};
use skep_model::event::{Event, Turn};
use skep_model::ids::{ExecutionId, Hash, LocalId};
use skep_model::plan::Plan;
use skep_model::status::Execution as Status;
use skep_node::core::Core;
use skep_store::{Row, Write};
use skep_views::execution::Execution;

use super::shared::Shared;
use super::{Deliveries, Invariant, Journal, Verdict, Violation, demand};
use crate::report::{Hit, Report};
use crate::trace;
use crate::world::{Outside, kind_of};

/// What was committed of one execution.
pub struct Account {
    /// The public id.
    pub id: ExecutionId,
    /// Its plan.
    pub program: Arc<Program>,
    /// The fold.
    pub state: State,
    /// The view that followed.
    pub view: Execution,
    /// The rules.
    pub journal: Journal,
    /// Every turn.
    pub turns: Vec<Turn>,
    /// Its list row's state.
    row: Status,
    /// Who has said something that is on record.
    actors: Vec<String>,
    /// A cancel was accepted once, also one of a rollback.
    stopped: bool,
}

/// Of all executions of a world.
#[derive(Default)]
pub struct Books {
    /// By number.
    pub accounts: BTreeMap<LocalId, Account>,
    programs: HashMap<Hash, Arc<Program>>,
    shared: Shared,
}

impl Books {
    /// True if an execution has durably started.
    pub fn has(&self, id: &ExecutionId) -> bool {
        self.accounts.values().any(|account| account.id == *id && !account.turns.is_empty())
    }

    /// True if the journal has an event of this actor.
    pub fn said(&self, local: LocalId, actor: &str) -> bool {
        self.accounts.get(&local).is_some_and(|account| account.actors.iter().any(|said| said == actor))
    }

    /// True if the execution is being cancelled or has ended.
    pub fn stopped(&self, local: LocalId) -> bool {
        self.accounts.get(&local).is_some_and(|account| account.stopped || account.state.status.is_terminal())
    }

    /// Executions that have ended.
    pub fn over(&self) -> Vec<LocalId> {
        let over = self.accounts.iter().filter(|(_, account)| account.state.status.is_terminal());
        over.map(|(local, _)| *local).collect()
    }

    /// An execution by its public id.
    pub fn by_id(&self, id: &ExecutionId) -> Option<LocalId> {
        self.accounts.iter().find(|(_, account)| account.id == *id).map(|(local, _)| *local)
    }

    /// Executions that have not ended.
    pub fn open(&self) -> Vec<LocalId> {
        let open = self.accounts.iter().filter(|(_, account)| !account.state.status.is_terminal());
        open.map(|(local, _)| *local).collect()
    }

    /// Takes what was committed.
    ///
    /// # Errors
    /// The first invariant that it breaks.
    pub fn commit(
        &mut self,
        write: &Write,
        outside: &Outside,
        deliveries: &mut Deliveries,
        report: &mut Report,
    ) -> Verdict {
        let Some(new) = &write.turn else { return write.rows.iter().try_for_each(|row| self.row(row)) };
        let events: Vec<Event> = serde_json::from_str(&new.events)
            .map_err(|error| Violation::new(Invariant::ReplayIsLive, format!("events cannot be read: {error}")))?;
        let turn = Turn { seq: new.seq, at: new.at, events };
        let is_over = |local| self.accounts.get(&local).is_none_or(|account| account.state.status.is_terminal());
        self.shared.granted(new.execution, &turn, is_over)?;
        write.rows.iter().try_for_each(|row| self.row(row))?;
        self.shared.counted(new.execution, &turn)?;
        let unknown = || Violation::new(Invariant::StoreIsWhatWasCommitted, "a turn of an unknown execution");
        let account = self.accounts.get_mut(&new.execution).ok_or_else(unknown)?;
        report.turns += 1;
        report.events += turn.events.len() as u64;
        report.executions += u64::from(turn.seq == 1);
        account.commit(turn, outside, deliveries, report)
    }

    /// A commit failed.
    pub fn lost(&mut self) {
        self.shared.lost();
    }

    fn row(&mut self, row: &Row) -> Verdict {
        match row {
            Row::Plan { hash, bytes, .. } if !self.programs.contains_key(hash) => {
                let bad = |what: String| Violation::new(Invariant::ReplayIsLive, what);
                let plan: Plan = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
                let program = Program::new(plan).map_err(|error| bad(error.to_string()))?;
                self.programs.insert(*hash, Arc::new(program));
            }
            Row::ExecutionCreated(row) => {
                let program = Arc::clone(self.programs.get(&row.plan_hash).expect("the plan's row comes first"));
                let account = Account {
                    id: row.id.clone(),
                    state: State::default(),
                    view: Execution::new(program.plan()),
                    journal: Journal::new(row.id.clone(), Arc::clone(&program)),
                    program,
                    turns: Vec::new(),
                    row: row.status,
                    actors: Vec::new(),
                    stopped: false,
                };
                self.accounts.insert(row.local, account);
            }
            Row::Breaker(row) => self.shared.row(row),
            Row::ExecutionChanged(change) => {
                if let Some(account) = self.accounts.get_mut(&change.local) {
                    account.row = change.status;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The states in memory are the folds, where nothing is on its way to the disk.
    ///
    /// # Errors
    /// [`Invariant::ReplayIsLive`].
    pub fn compare(&self, core: &Core, locals: &[LocalId]) -> Verdict {
        for local in locals {
            let (Some(account), Some(live)) = (self.accounts.get(local), core.get(*local)) else { continue };
            if live.state.seq != account.state.seq {
                continue;
            }
            demand(live.state == account.state, Invariant::ReplayIsLive, || {
                format!(
                    "{} after turn {}:\nlive {:?}\nfold {:?}",
                    account.id, live.state.seq, live.state, account.state
                )
            })?;
        }
        Ok(())
    }

    /// Everything once more from the first turn.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn audit(&self) -> Verdict {
        self.accounts.values().try_for_each(Account::audit)
    }
}

impl Account {
    fn commit(&mut self, turn: Turn, outside: &Outside, deliveries: &mut Deliveries, report: &mut Report) -> Verdict {
        trace::line(|| format!("  {} {}: {:?}", self.id, turn.seq, turn.events));
        self.journal.commit(&turn, outside)?;
        let folded = apply_turn(&mut self.state, &self.program, &turn);
        folded.map_err(|misfit| Violation::new(Invariant::ReplayIsLive, format!("{}: {misfit}", self.id)))?;
        self.view.apply(&turn);
        for event in &turn.events {
            deliveries.note(&self.id, event);
            self.actors.extend(actor(event));
            self.stopped |= matches!(
                event,
                Event::CancelAsked { .. }
                    | Event::RollbackStopAsked { .. }
                    | Event::RollbackEnded { status: Status::Cancelled, .. }
            );
            self.stopped |= matches!(event, Event::CompensationAsked { .. } | Event::ForceAsked { .. });
            if let Some(kind) = kind_of(&self.program, event) {
                report.hit(Hit::Kind(kind));
            }
        }
        self.turns.push(turn);
        let (row, state) = (self.row, self.state.status);
        demand(row == state, Invariant::RowsAgree, || {
            format!("{}: the row says {row:?}, the fold {state:?}", self.id)
        })?;
        let stands = |status: Status| status.is_terminal() || matches!(status, Status::Paused | Status::Held);
        let agree = self.journal.status == state || !(stands(self.journal.status) || stands(state));
        demand(agree, Invariant::ReplayIsLive, || {
            format!("{}: the events say {:?}, the fold {state:?}", self.id, self.journal.status)
        })?;
        let strays = self.view.strays;
        demand(strays == 0 && self.view.status == state, Invariant::ViewsAgree, || {
            format!("{}: the view says {:?}, the fold {state:?}, {strays} strays", self.id, self.view.status)
        })
    }

    fn audit(&self) -> Verdict {
        let mut state = State::default();
        let mut view = Execution::new(self.program.plan());
        for turn in &self.turns {
            let folded = apply_turn(&mut state, &self.program, turn);
            folded.map_err(|misfit| Violation::new(Invariant::ReplayIsLive, format!("{}: {misfit}", self.id)))?;
            view.apply(turn);
        }
        demand(state == self.state, Invariant::ReplayIsLive, || format!("{}: the fold differs from itself", self.id))?;
        demand(view == self.view, Invariant::ViewsAgree, || format!("{}: the rebuilt view differs", self.id))
    }
}

/// Who an event is by.
fn actor(event: &Event) -> Option<String> {
    match event {
        Event::Decided { actor, .. }
        | Event::FormFilled { actor, .. }
        | Event::SignalKept { actor, .. }
        | Event::SignalTaken { actor, .. }
        | Event::Paused { actor }
        | Event::Resumed { actor }
        | Event::CancelAsked { actor, .. }
        | Event::ForceAsked { actor, .. }
        | Event::Answered { actor, .. }
        | Event::RollbackStopAsked { actor, .. }
        | Event::RollbackAsked { actor, .. }
        | Event::Returned { actor, .. }
        | Event::Rerun { actor, .. } => Some(actor.label()),
        Event::RollbackBegan { actor, .. } | Event::RolledBack { actor, .. } | Event::PointMade { actor, .. } => {
            actor.as_ref().map(|actor| actor.label())
        }
        _ => None,
    }
}
