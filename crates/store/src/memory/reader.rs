//! The reading port in memory: walks, filters, takes.

use skep_model::ids::{ExecutionId, Hash, LocalId, Position};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use super::state::Memory;
use crate::access::{KeyRow, UserRow};
use crate::error::Error;
use crate::idle::{IdleChange, IdleRow};
use crate::reader::{
    ACCESS_ROWS_MAX, Filter, Found, JournalRow, LIBRARY_ROWS_MAX, ListPage, PAGE_BYTES_MAX, PAGE_ROWS_MAX,
    PREFIX_CANDIDATES_MAX, Reader, StatusCount, StoredPlan, StoredTurn,
};
use crate::retire::{ArchivedRow, AsideRow};
use crate::rows::{ActRow, BreakerRow, ChildRow, ExecutionRow, PermitRow, StartKeyRow, ValidationRow, WorkflowVersion};
use crate::snapshot::StoredSnapshot;

type Answer<T> = Result<T, Error>;

/// Up to `limit` rows, ending after the one that takes the page over its bytes.
fn page<T>(rows: impl Iterator<Item = T>, limit: usize, events: impl Fn(&T) -> usize) -> Vec<T> {
    let (mut taken, mut size_bytes) = (Vec::new(), 0);
    for row in rows.take(limit.min(PAGE_ROWS_MAX)) {
        size_bytes += events(&row);
        taken.push(row);
        if size_bytes > PAGE_BYTES_MAX {
            break;
        }
    }
    taken
}

impl Reader for Memory {
    fn execution(&self, id: &ExecutionId) -> Answer<Option<ExecutionRow>> {
        Ok(self.state().executions.values().find(|row| row.id == *id).cloned())
    }

    fn execution_by_local(&self, local: LocalId) -> Answer<Option<ExecutionRow>> {
        Ok(self.state().executions.get(&local).cloned())
    }

    fn execution_by_prefix(&self, prefix: &str) -> Answer<Found> {
        let state = self.state();
        let mut rows: Vec<&ExecutionRow> =
            state.executions.values().filter(|row| row.id.as_str().starts_with(prefix)).collect();
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        rows.truncate(PREFIX_CANDIDATES_MAX);
        Ok(match rows.as_slice() {
            [] => Found::None,
            [row] => Found::One(Box::new((*row).clone())),
            several => Found::Several(several.iter().map(|row| row.id.clone()).collect()),
        })
    }

    fn newest_execution(&self) -> Answer<Option<ExecutionRow>> {
        Ok(self.state().executions.values().next_back().cloned())
    }

    fn open_executions(&self, after: Option<LocalId>, limit: usize) -> Answer<Vec<ExecutionRow>> {
        let state = self.state();
        let open = state.executions.values().filter(|row| !row.status.is_terminal());
        let open = open.filter(|row| after.is_none_or(|after| row.local > after));
        Ok(open.take(limit.min(PAGE_ROWS_MAX)).cloned().collect())
    }

    fn list(&self, filter: &Filter, before: Option<LocalId>, limit: usize) -> Answer<ListPage> {
        let state = self.state();
        let limit = limit.min(PAGE_ROWS_MAX);
        let rows = state.executions.values().rev().filter(|row| filter.admits(row));
        let rows = rows.filter(|row| before.is_none_or(|before| row.local < before));
        Ok(ListPage::cut(rows.take(limit + 1).cloned().collect(), limit))
    }

    fn turns(&self, execution: LocalId, from_seq: u64, limit: usize) -> Answer<Vec<StoredTurn>> {
        let state = self.state();
        let turns = state.turns.iter().filter(|turn| turn.execution == execution && turn.seq >= from_seq);
        Ok(page(turns.cloned(), limit, |turn| turn.events.len()))
    }

    fn journal(&self, from: Position, limit: usize) -> Answer<Vec<JournalRow>> {
        let state = self.state();
        let turns = state.turns.iter().filter(|turn| turn.position >= from);
        let rows = turns.filter_map(|turn| {
            let row = state.executions.get(&turn.execution)?;
            Some(JournalRow { id: row.id.clone(), turn: turn.clone() })
        });
        Ok(page(rows, limit, |row| row.turn.events.len()))
    }

    fn plan(&self, hash: Hash) -> Answer<Option<StoredPlan>> {
        Ok(self.state().plans.get(&hash).cloned())
    }

    fn definition(&self, hash: Hash) -> Answer<Option<Vec<u8>>> {
        Ok(self.state().definitions.get(&hash).cloned())
    }

    fn workflows(&self) -> Answer<Vec<WorkflowVersion>> {
        let state = self.state();
        let listed = state.workflows.values().filter(|workflow| workflow.listed);
        Ok(listed.filter_map(|workflow| workflow.versions.last().cloned()).take(LIBRARY_ROWS_MAX).collect())
    }

    fn workflow_versions(&self, path: &str) -> Answer<Vec<WorkflowVersion>> {
        let state = self.state();
        let workflow = state.workflows.get(path).filter(|workflow| workflow.listed);
        let versions = workflow.into_iter().flat_map(|workflow| workflow.versions.iter().rev());
        Ok(versions.take(LIBRARY_ROWS_MAX).cloned().collect())
    }

    fn workflow(&self, path: &str, number: Option<u32>) -> Answer<Option<WorkflowVersion>> {
        let versions = self.workflow_versions(path)?;
        Ok(versions.into_iter().find(|version| number.is_none_or(|number| version.number == number)))
    }

    fn children(&self) -> Answer<Vec<ChildRow>> {
        Ok(self.state().children.values().cloned().collect())
    }

    fn permits(&self) -> Answer<Vec<PermitRow>> {
        let mut rows: Vec<PermitRow> = self.state().permits.values().cloned().collect();
        rows.sort_by_key(|row| {
            let place = (row.state.as_str(), std::cmp::Reverse(row.priority), row.since, row.execution);
            (row.resource.clone(), place, row.path.clone())
        });
        Ok(rows)
    }

    fn permits_of(&self, resource: &str) -> Answer<Vec<PermitRow>> {
        Ok(self.permits()?.into_iter().filter(|row| row.resource == resource).collect())
    }

    fn breakers(&self) -> Answer<Vec<BreakerRow>> {
        let state = self.state();
        let rows = state.breakers.iter().map(|(name, state)| BreakerRow { name: name.clone(), state: state.clone() });
        Ok(rows.collect())
    }

    fn validations(&self, definition: Hash) -> Answer<Vec<ValidationRow>> {
        Ok(self.state().validations.get(&definition).into_iter().flatten().rev().cloned().collect())
    }

    fn start_key(&self, workflow: &str, key: &str) -> Answer<Option<StartKeyRow>> {
        Ok(self.state().start_keys.get(&(workflow.to_owned(), key.to_owned())).cloned())
    }

    fn last_at(&self) -> Answer<Option<Timestamp>> {
        Ok(self.state().turns.last().map(|turn| turn.at))
    }

    fn last_position(&self) -> Answer<Position> {
        Ok(Position(self.state().last_position))
    }

    fn next_local_id(&self) -> Answer<LocalId> {
        Ok(LocalId(self.state().last_local + 1))
    }

    fn counts(&self) -> Answer<Vec<StatusCount>> {
        let state = self.state();
        let executions = |status| state.executions.values().filter(|row| row.status == status).count() as u64;
        Ok(Status::ALL.into_iter().map(|status| StatusCount { status, executions: executions(status) }).collect())
    }

    fn snapshot(&self, execution: LocalId) -> Answer<Option<StoredSnapshot>> {
        Ok(self.state().snapshots.get(&execution).cloned())
    }

    fn idle_executions(&self, after: Option<LocalId>, limit: usize) -> Answer<Vec<IdleRow>> {
        let state = self.state();
        let idle = state.idle.values().filter(|change| change.idle && after.is_none_or(|after| change.local > after));
        let row = |change: &IdleChange| {
            let status = state.executions[&change.local].status;
            IdleRow { local: change.local, status, next_wake: change.next_wake, for_people: change.for_people }
        };
        Ok(idle.map(row).take(limit.min(PAGE_ROWS_MAX)).collect())
    }

    fn busy_executions(&self, after: Option<LocalId>, limit: usize) -> Answer<Vec<LocalId>> {
        let state = self.state();
        let open = state.executions.values().filter(|row| !row.status.is_terminal()).map(|row| row.local);
        let busy = open.filter(|local| !state.idle.get(local).is_some_and(|change| change.idle));
        Ok(busy.filter(|local| after.is_none_or(|after| *local > after)).take(limit.min(PAGE_ROWS_MAX)).collect())
    }

    fn finished_before(&self, before: Timestamp, limit: usize) -> Answer<Vec<ExecutionRow>> {
        let state = self.state();
        let over = state.executions.values().filter(|row| row.status.is_terminal());
        let over = over.filter(|row| row.ended_at.is_some_and(|at| at < before));
        Ok(over.take(limit.min(PAGE_ROWS_MAX)).cloned().collect())
    }

    fn archived(&self, prefix: &str) -> Answer<Vec<ArchivedRow>> {
        let state = self.state();
        let rows = state.archived.values().filter(|row| row.id.as_str().starts_with(prefix));
        Ok(rows.take(PREFIX_CANDIDATES_MAX).cloned().collect())
    }

    fn archived_before(&self, before: Timestamp, limit: usize) -> Answer<Vec<ArchivedRow>> {
        let state = self.state();
        Ok(state.archived.values().filter(|row| row.ended_at < before).take(limit).cloned().collect())
    }

    fn leaving(&self, limit: usize) -> Answer<Vec<ArchivedRow>> {
        let state = self.state();
        let has_turns = |row: &&ArchivedRow| state.turns.iter().any(|turn| turn.execution == row.local);
        Ok(state.archived.values().filter(has_turns).take(limit).cloned().collect())
    }

    fn acts(&self, after: i64, limit: usize) -> Answer<Vec<ActRow>> {
        let state = self.state();
        let rows = state.acts.iter().filter(|row| row.id > after);
        Ok(rows.take(limit.min(PAGE_ROWS_MAX)).cloned().collect())
    }

    fn keys(&self) -> Answer<Vec<KeyRow>> {
        Ok(self.state().keys.values().take(ACCESS_ROWS_MAX).cloned().collect())
    }

    fn key(&self, name: &str) -> Answer<Option<KeyRow>> {
        Ok(self.state().keys.get(name).cloned())
    }

    fn key_by_hash(&self, hash: Hash) -> Answer<Option<KeyRow>> {
        Ok(self.state().keys.values().find(|row| row.hash == hash).cloned())
    }

    fn users(&self) -> Answer<Vec<UserRow>> {
        Ok(self.state().users.values().take(ACCESS_ROWS_MAX).cloned().collect())
    }

    fn user(&self, name: &str) -> Answer<Option<UserRow>> {
        Ok(self.state().users.get(name).cloned())
    }

    fn aside(&self, _execution: LocalId) -> Answer<Option<AsideRow>> {
        Ok(None)
    }
}
