//! Writing the operational rows, one statement each.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Params, params};
use skep_model::ids::LocalId;
use skep_model::limits::VALIDATIONS_KEPT_MAX;

use super::decode::to_integer;
use super::trouble::{is_constraint, trouble};
use crate::checksum;
use crate::error::{Committed, Error};
use crate::journal::{NewVersion, Row};
use crate::rows::{ChildRow, ExecutionChange, ExecutionRow, PermitRow, StartKeyRow, ValidationRow};

const INSERT_EXECUTION: &str = "INSERT INTO execution(local, id, workflow, workflow_path, version, plan_hash, \
    definition_hash, status, started_at, updated_at, ended_at, base_dir, waiting, error, actor, seq, checksum) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const UPDATE_EXECUTION: &str = "UPDATE execution SET status = ?2, updated_at = ?3, ended_at = ?4, waiting = ?5, \
    error = ?6, seq = ?7 WHERE local = ?1";
const INSERT_PLAN: &str = "INSERT INTO plan(hash, format, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
const INSERT_DEFINITION: &str = "INSERT INTO definition(hash, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const NEWEST_VERSION: &str = "SELECT newest, definition_hash FROM workflow JOIN workflow_version \
    ON workflow_version.path = workflow.path AND number = newest WHERE workflow.path = ?1";
const LIST_WORKFLOW: &str = "INSERT INTO workflow(path, newest, listed, checksum) VALUES (?1, ?2, 1, ?3) \
    ON CONFLICT(path) DO UPDATE SET newest = excluded.newest, listed = 1, checksum = excluded.checksum";
const INSERT_VERSION: &str = "INSERT INTO workflow_version(path, number, workflow, name, description, version, \
    definition_hash, added_at, actor, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const NEWEST_NUMBER: &str = "SELECT newest FROM workflow WHERE path = ?1";
const UNLIST_WORKFLOW: &str = "UPDATE workflow SET listed = 0, checksum = ?2 WHERE path = ?1";
const PUT_CHILD: &str = "INSERT OR REPLACE INTO child(token, execution, path, pid, started_ticks, boot_id, cgroup) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const DELETE_CHILD: &str = "DELETE FROM child WHERE token = ?1";
const PUT_PERMIT: &str = "INSERT OR REPLACE INTO permit(resource, execution, path, state, priority, since) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const DELETE_PERMIT: &str = "DELETE FROM permit WHERE resource = ?1 AND execution = ?2 AND path = ?3";
const PUT_BREAKER: &str = "INSERT OR REPLACE INTO breaker(name, state) VALUES (?1, ?2)";
const PUT_START_KEY: &str = "INSERT INTO start_key(workflow, key, execution, digest) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT DO NOTHING";
/// The number after the highest ever given, see the table `counter`.
const INSERT_ACT: &str = "INSERT INTO audit_act(id, at, entry) SELECT 1 + max((SELECT value FROM counter WHERE \
    name = 'act'), coalesce((SELECT max(id) FROM audit_act), 0)), ?1, ?2";

const PUT_VALIDATION: &str = "INSERT INTO validation(definition_hash, at, report) SELECT ?1, ?2, ?3 \
    WHERE EXISTS (SELECT 1 FROM definition WHERE hash = ?1)";
const FORGET_VALIDATIONS: &str = "DELETE FROM validation WHERE definition_hash = ?1 AND id NOT IN \
    (SELECT id FROM validation WHERE definition_hash = ?1 ORDER BY id DESC LIMIT ?2)";

/// Writes `row` of the group's write number `write` inside the open transaction.
pub(super) fn write_row(connection: &Connection, file: &Path, write: usize, row: &Row) -> Result<(), Error> {
    let rows = Rows { connection, file, write };
    match row {
        Row::ExecutionCreated(row) => rows.create_execution(row),
        Row::ExecutionChanged(change) => rows.change_execution(change),
        Row::Plan { hash, format, bytes } => {
            rows.run("storing a plan", INSERT_PLAN, params![hash.to_string(), format, bytes])
        }
        Row::Definition { hash, text } => {
            rows.run("storing a definition", INSERT_DEFINITION, params![hash.to_string(), text])
        }
        Row::WorkflowAdded(new) => rows.add_workflow(new),
        Row::WorkflowRemoved { path } => rows.remove_workflow(path),
        Row::Child(row) => rows.put_child(row),
        Row::ChildGone { token } => rows.run("forgetting a local process", DELETE_CHILD, params![token.as_str()]),
        Row::Snapshot(new) => rows.put_snapshot(new),
        Row::Idle(change) => rows.change_idle(change),
        Row::Permit(row) => rows.put_permit(row),
        Row::PermitGone { resource, execution, path } => {
            rows.run("giving back a place", DELETE_PERMIT, params![resource, execution.0, &**path])
        }
        Row::Breaker(row) => rows.run("recording a breaker", PUT_BREAKER, params![row.name, row.state]),
        Row::StartKey(row) => rows.put_start_key(row),
        Row::Validated(row) => rows.put_validation(row),
        Row::Retire(retire) => super::retire::write(connection, file, write, retire),
        Row::Act(act) => rows.run("recording an act", INSERT_ACT, params![act.at.0, act.entry]),
        Row::Access(change) => rows.change_access(change),
    }
}

pub(super) struct Rows<'a> {
    connection: &'a Connection,
    pub(super) file: &'a Path,
    pub(super) write: usize,
}

impl Rows<'_> {
    pub(super) fn execute(&self, sql: &str, values: impl Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }

    pub(super) fn run(&self, attempt: &'static str, sql: &str, values: impl Params) -> Result<(), Error> {
        self.execute(sql, values).map(|_| ()).map_err(trouble(attempt, self.file, Committed::Nothing))
    }

    pub(super) fn unknown(&self, execution: LocalId) -> Error {
        Error::UnknownExecution { write: self.write, execution }
    }

    fn create_execution(&self, row: &ExecutionRow) -> Result<(), Error> {
        let values = params![
            row.local.0,
            row.id.as_str(),
            row.workflow,
            row.workflow_path,
            row.version,
            row.plan_hash.to_string(),
            row.definition_hash.to_string(),
            row.status.as_str(),
            row.started_at.0,
            row.updated_at.0,
            row.ended_at.map(|at| at.0),
            row.base_dir,
            row.waiting,
            row.error,
            row.actor,
            to_integer(row.seq),
            checksum::of_execution(row),
        ];
        self.execute(INSERT_EXECUTION, values).map(|_| ()).map_err(|error| {
            if is_constraint(&error) {
                Error::DuplicateExecution { write: self.write, execution: row.local, id: row.id.clone() }
            } else {
                trouble("creating an execution", self.file, Committed::Nothing)(error)
            }
        })
    }

    fn change_execution(&self, change: &ExecutionChange) -> Result<(), Error> {
        let values = params![
            change.local.0,
            change.status.as_str(),
            change.updated_at.0,
            change.ended_at.map(|at| at.0),
            change.waiting,
            change.error,
            to_integer(change.seq),
        ];
        let failed = trouble("changing an execution's row", self.file, Committed::Nothing);
        match self.execute(UPDATE_EXECUTION, values).map_err(failed)? {
            0 => Err(self.unknown(change.local)),
            _ => Ok(()),
        }
    }

    fn add_workflow(&self, new: &NewVersion) -> Result<(), Error> {
        let attempt = "adding a workflow";
        let newest = self.newest_version(new).map_err(trouble(attempt, self.file, Committed::Nothing))?;
        let hash = new.definition_hash.to_string();
        let (number, same) = match newest {
            Some((number, stored)) if stored == hash => (number, true),
            Some((number, _)) => (number + 1, false),
            None => (1, false),
        };
        self.run(attempt, LIST_WORKFLOW, params![new.path, number, checksum::of_workflow(&new.path, number, true)])?;
        if same {
            return Ok(());
        }
        let values = params![
            new.path,
            number,
            new.workflow,
            new.name,
            new.description,
            new.version,
            hash,
            new.added_at.0,
            new.actor,
            checksum::of_version(new, number),
        ];
        self.run(attempt, INSERT_VERSION, values)
    }

    fn remove_workflow(&self, path: &str) -> Result<(), Error> {
        let attempt = "removing a workflow";
        let newest = self.connection.query_row(NEWEST_NUMBER, [path], |row| row.get::<_, u32>(0)).optional();
        match newest.map_err(trouble(attempt, self.file, Committed::Nothing))? {
            None => Ok(()),
            Some(newest) => {
                let checksum = checksum::of_workflow(path, newest, false);
                self.run(attempt, UNLIST_WORKFLOW, params![path, checksum])
            }
        }
    }

    fn newest_version(&self, new: &NewVersion) -> rusqlite::Result<Option<(u32, String)>> {
        let mut statement = self.connection.prepare_cached(NEWEST_VERSION)?;
        statement.query_row([&new.path], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    fn put_permit(&self, row: &PermitRow) -> Result<(), Error> {
        let (state, path) = (row.state.as_str(), &*row.path);
        let values = params![row.resource, row.execution.0, path, state, row.priority, row.since.0];
        self.of_execution("recording a place in a group", row.execution, PUT_PERMIT, values)
    }

    fn exists(&self, execution: LocalId) -> rusqlite::Result<bool> {
        self.connection.prepare_cached("SELECT 1 FROM execution WHERE local = ?1")?.exists([execution.0])
    }

    fn put_start_key(&self, row: &StartKeyRow) -> Result<(), Error> {
        let attempt = "recording the key of a start";
        // A key that is taken touches nothing, so the reference would not be looked at.
        let known = self.exists(row.execution).map_err(trouble(attempt, self.file, Committed::Nothing))?;
        if !known {
            return Err(self.unknown(row.execution));
        }
        let values = params![row.workflow, row.key, row.execution.0, row.digest.to_string()];
        self.run(attempt, PUT_START_KEY, values)
    }

    fn put_validation(&self, row: &ValidationRow) -> Result<(), Error> {
        let (attempt, hash) = ("recording a validation", row.definition_hash.to_string());
        self.run(attempt, PUT_VALIDATION, params![hash, row.at.0, row.report])?;
        self.run(attempt, FORGET_VALIDATIONS, params![hash, VALIDATIONS_KEPT_MAX])
    }

    /// Writes a row that names an execution, which has to exist.
    fn of_execution(
        &self,
        attempt: &'static str,
        execution: LocalId,
        sql: &str,
        values: impl Params,
    ) -> Result<(), Error> {
        self.execute(sql, values).map(|_| ()).map_err(|error| {
            if is_constraint(&error) {
                self.unknown(execution)
            } else {
                trouble(attempt, self.file, Committed::Nothing)(error)
            }
        })
    }

    fn put_child(&self, row: &ChildRow) -> Result<(), Error> {
        let values = params![
            row.token.as_str(),
            row.execution.0,
            &*row.path,
            row.pid,
            to_integer(row.started_ticks),
            row.boot_id,
            row.cgroup,
        ];
        self.execute(PUT_CHILD, values).map(|_| ()).map_err(|error| {
            if is_constraint(&error) {
                self.unknown(row.execution)
            } else {
                trouble("recording a local process", self.file, Committed::Nothing)(error)
            }
        })
    }
}
