//! The store in memory and its writing side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_model::ids::{ExecutionId, Hash, LocalId, Position, StepPath, Token};
use skep_model::limits::VALIDATIONS_KEPT_MAX;

use super::access::Created;
use crate::access::{KeyRow, UserRow};
use crate::error::Error;
use crate::idle::IdleChange;
use crate::journal::{Journal, NewAct, NewTurn, NewVersion, Row, Write};
use crate::reader::{StoredPlan, StoredTurn};
use crate::retire::{ArchivedRow, Retire};
use crate::rows::{ActRow, ChildRow, ExecutionRow, PermitRow, StartKeyRow, ValidationRow, WorkflowVersion};
use crate::snapshot::StoredSnapshot;

/// A store in memory; both ports in one.
#[derive(Clone, Default)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

/// Everything that was committed.
#[derive(Default)]
pub(super) struct State {
    /// In the order of their positions.
    pub(super) turns: Vec<StoredTurn>,
    pub(super) executions: BTreeMap<LocalId, ExecutionRow>,
    pub(super) plans: BTreeMap<Hash, StoredPlan>,
    pub(super) definitions: BTreeMap<Hash, Vec<u8>>,
    pub(super) workflows: BTreeMap<String, Workflow>,
    pub(super) children: BTreeMap<Token, ChildRow>,
    pub(super) snapshots: BTreeMap<LocalId, StoredSnapshot>,
    pub(super) idle: BTreeMap<LocalId, IdleChange>,
    pub(super) permits: BTreeMap<(String, LocalId, StepPath), PermitRow>,
    pub(super) breakers: BTreeMap<String, String>,
    pub(super) start_keys: BTreeMap<(String, String), StartKeyRow>,
    /// Of each definition, the oldest first.
    pub(super) validations: BTreeMap<Hash, Vec<ValidationRow>>,
    pub(super) archived: BTreeMap<ExecutionId, ArchivedRow>,
    pub(super) keys: BTreeMap<String, KeyRow>,
    pub(super) users: BTreeMap<String, UserRow>,
    /// In the order of their numbers.
    pub(super) acts: Vec<ActRow>,
    last_act: i64,
    pub(super) last_position: i64,
    pub(super) last_local: i64,
    last_seq: BTreeMap<LocalId, u64>,
}

/// A path of the library.
pub(super) struct Workflow {
    pub(super) listed: bool,
    /// Version n is at index n - 1; never empty.
    pub(super) versions: Vec<WorkflowVersion>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Memory {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Option<Position>>, Error> {
        let mut state = self.state();
        state.check(group)?;
        Ok(group.iter().map(|write| state.apply(write)).collect())
    }
}

/// What a group has changed so far, of what its later writes are checked against.
struct Draft<'a> {
    state: &'a State,
    created: BTreeSet<LocalId>,
    retired: BTreeSet<LocalId>,
    ids: BTreeSet<&'a ExecutionId>,
    access: Created<'a>,
    last_seq: BTreeMap<LocalId, u64>,
}

impl State {
    /// Refuses the whole group before anything is changed.
    fn check(&self, group: &[Write]) -> Result<(), Error> {
        let mut draft = Draft {
            state: self,
            created: BTreeSet::new(),
            retired: BTreeSet::new(),
            ids: BTreeSet::new(),
            access: Created::default(),
            last_seq: BTreeMap::new(),
        };
        for (index, write) in group.iter().enumerate() {
            for row in &write.rows {
                draft.check_row(index, row)?;
            }
            if let Some(turn) = &write.turn {
                draft.check_turn(index, turn)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, write: &Write) -> Option<Position> {
        for row in &write.rows {
            self.apply_row(row);
        }
        write.turn.as_ref().map(|turn| self.append(turn))
    }

    fn append(&mut self, turn: &NewTurn) -> Position {
        self.last_position += 1;
        let position = Position(self.last_position);
        self.last_seq.insert(turn.execution, turn.seq);
        self.turns.push(StoredTurn {
            position,
            execution: turn.execution,
            seq: turn.seq,
            at: turn.at,
            events: turn.events.clone(),
        });
        position
    }

    fn apply_row(&mut self, row: &Row) {
        match row {
            Row::ExecutionCreated(row) => {
                self.last_local = self.last_local.max(row.local.0);
                self.executions.insert(row.local, row.clone());
            }
            Row::ExecutionChanged(change) => {
                let row = self.executions.get_mut(&change.local).expect("the group was checked");
                let ends = row.ended_at.is_none() && change.ended_at.is_some();
                change.apply_to(row);
                if ends {
                    self.snapshots.remove(&change.local);
                }
            }
            Row::Plan { hash, format, bytes } => {
                self.plans.entry(*hash).or_insert_with(|| StoredPlan { format: *format, bytes: bytes.clone() });
            }
            Row::Definition { hash, text } => {
                self.definitions.entry(*hash).or_insert_with(|| text.clone());
            }
            Row::WorkflowAdded(new) => self.add_workflow(new),
            Row::WorkflowRemoved { path } => {
                if let Some(workflow) = self.workflows.get_mut(path) {
                    workflow.listed = false;
                }
            }
            Row::Child(row) => {
                self.children.insert(row.token.clone(), row.clone());
            }
            Row::ChildGone { token } => {
                self.children.remove(token);
            }
            Row::Snapshot(new) => {
                if self.executions[&new.execution].ended_at.is_none() {
                    self.snapshots.insert(new.execution, new.clone());
                }
            }
            Row::Idle(change) => {
                self.idle.insert(change.local, change.clone());
            }
            Row::Permit(row) => {
                let place = (row.resource.clone(), row.execution, row.path.clone());
                self.permits.insert(place, row.clone());
            }
            Row::PermitGone { resource, execution, path } => {
                self.permits.remove(&(resource.clone(), *execution, path.clone()));
            }
            Row::Breaker(row) => {
                self.breakers.insert(row.name.clone(), row.state.clone());
            }
            Row::StartKey(row) => {
                let key = (row.workflow.clone(), row.key.clone());
                self.start_keys.entry(key).or_insert_with(|| row.clone());
            }
            Row::Validated(row) => self.validated(row),
            Row::Retire(retire) => self.retire(retire),
            Row::Act(act) => self.add_act(act),
            Row::Access(change) => self.change_access(change),
        }
    }

    fn validated(&mut self, row: &ValidationRow) {
        if self.definitions.contains_key(&row.definition_hash) {
            let kept = self.validations.entry(row.definition_hash).or_default();
            kept.push(row.clone());
            kept.drain(..kept.len().saturating_sub(VALIDATIONS_KEPT_MAX as usize));
        }
    }

    fn add_act(&mut self, act: &NewAct) {
        self.last_act += 1;
        self.acts.push(ActRow { id: self.last_act, at: act.at, entry: act.entry.clone() });
    }

    fn retire(&mut self, retire: &Retire) {
        match retire {
            Retire::Archived(row) => {
                self.children.retain(|_, child| child.execution != row.local);
                self.permits.retain(|_, permit| permit.execution != row.local);
                self.start_keys.retain(|_, key| key.execution != row.local);
                self.snapshots.remove(&row.local);
                self.idle.remove(&row.local);
                self.executions.remove(&row.local);
                self.archived.insert(row.id.clone(), row.clone());
            }
            Retire::Turns { execution, limit } => {
                if !self.archived.values().any(|row| row.local == *execution) {
                    return;
                }
                let mut left = *limit;
                self.turns.retain(|turn| {
                    let goes = turn.execution == *execution && left > 0;
                    left -= u32::from(goes);
                    !goes
                });
            }
            Retire::Unused => self.retire_unused(),
            Retire::Gone { id } => drop(self.archived.remove(id)),
            Retire::Acts { through } => self.acts.retain(|act| act.id > *through),
        }
    }

    fn retire_unused(&mut self) {
        let rows: Vec<&ExecutionRow> = self.executions.values().collect();
        self.plans.retain(|hash, _| rows.iter().any(|row| row.plan_hash == *hash));
        let versions: Vec<&WorkflowVersion> = self.workflows.values().flat_map(|it| &it.versions).collect();
        self.definitions.retain(|hash, _| {
            rows.iter().any(|row| row.definition_hash == *hash)
                || versions.iter().any(|version| version.definition_hash == *hash)
        });
        let definitions = &self.definitions;
        self.validations.retain(|hash, _| definitions.contains_key(hash));
    }

    fn add_workflow(&mut self, new: &NewVersion) {
        let empty = || Workflow { listed: true, versions: Vec::new() };
        let workflow = self.workflows.entry(new.path.clone()).or_insert_with(empty);
        workflow.listed = true;
        if workflow.versions.last().is_some_and(|newest| newest.definition_hash == new.definition_hash) {
            return;
        }
        workflow.versions.push(WorkflowVersion {
            path: new.path.clone(),
            number: u32::try_from(workflow.versions.len() + 1).expect("a library has fewer than 2^32 versions"),
            workflow: new.workflow.clone(),
            name: new.name.clone(),
            description: new.description.clone(),
            version: new.version.clone(),
            definition_hash: new.definition_hash,
            added_at: new.added_at,
            actor: new.actor.clone(),
        });
    }
}

impl<'a> Draft<'a> {
    fn knows(&self, execution: LocalId) -> bool {
        !self.retired.contains(&execution)
            && (self.created.contains(&execution) || self.state.executions.contains_key(&execution))
    }

    fn must_know(&self, write: usize, execution: LocalId) -> Result<(), Error> {
        if self.knows(execution) { Ok(()) } else { Err(Error::UnknownExecution { write, execution }) }
    }

    fn check_row(&mut self, write: usize, row: &'a Row) -> Result<(), Error> {
        match row {
            Row::ExecutionCreated(row) => {
                let taken = self.ids.contains(&row.id) || self.state.executions.values().any(|old| old.id == row.id);
                if taken || self.knows(row.local) {
                    return Err(Error::DuplicateExecution { write, execution: row.local, id: row.id.clone() });
                }
                self.created.insert(row.local);
                self.ids.insert(&row.id);
                Ok(())
            }
            Row::ExecutionChanged(change) => self.must_know(write, change.local),
            Row::Child(row) => self.must_know(write, row.execution),
            Row::Snapshot(new) => self.must_know(write, new.execution),
            Row::Idle(change) => self.must_know(write, change.local),
            Row::Permit(row) => self.must_know(write, row.execution),
            Row::StartKey(row) => self.must_know(write, row.execution),
            Row::Access(change) => self.access.check(self.state, write, change),
            Row::Retire(Retire::Archived(row)) => {
                self.must_know(write, row.local)?;
                self.retired.insert(row.local);
                Ok(())
            }
            Row::Retire(Retire::Turns { .. } | Retire::Unused | Retire::Gone { .. } | Retire::Acts { .. })
            | Row::Act(_)
            | Row::Plan { .. }
            | Row::Definition { .. }
            | Row::WorkflowAdded(_)
            | Row::WorkflowRemoved { .. }
            | Row::PermitGone { .. }
            | Row::Breaker(_)
            | Row::Validated(_)
            | Row::ChildGone { .. } => Ok(()),
        }
    }

    fn check_turn(&mut self, write: usize, turn: &NewTurn) -> Result<(), Error> {
        let execution = turn.execution;
        self.must_know(write, execution)?;
        let last = self.last_seq.get(&execution).or_else(|| self.state.last_seq.get(&execution));
        let expected = last.map_or(1, |last| last + 1);
        if turn.seq != expected {
            return Err(Error::SequenceConflict { write, execution, expected, got: turn.seq });
        }
        self.last_seq.insert(execution, turn.seq);
        Ok(())
    }
}
