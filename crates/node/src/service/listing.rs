//! Lists of executions.

use skep_model::actor::Actor;
use skep_model::ids::LocalId;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;
use skep_store::{ExecutionRow, Filter};

use super::Reading;
use crate::error::Error;

/// Executions per page, at most.
const PAGE_MAX: usize = 1_000;

/// Which executions to list.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// In one of these states; empty: in any.
    pub statuses: Vec<Status>,
    /// Of this workflow: its id or its library path.
    pub workflow: Option<String>,
    /// Started at this moment or later.
    pub since: Option<Timestamp>,
    /// How many, at most.
    pub limit: usize,
    /// Without child executions.
    pub no_children: bool,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A page of executions, newest first.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The executions.
    pub rows: Vec<ExecutionSummary>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// One execution in a list.
#[derive(Clone, Debug)]
pub struct ExecutionSummary {
    /// Its number in the store.
    pub local: LocalId,
    /// Its id.
    pub id: String,
    /// Id of its workflow.
    pub workflow: String,
    /// Where its workflow stands in the library, if it was started from there.
    pub workflow_path: Option<String>,
    /// Version of its workflow, as written.
    pub version: String,
    /// Its state.
    pub status: Status,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it waits for, for people.
    pub waiting: Option<String>,
    /// Why it failed or is held.
    pub error: Option<String>,
    /// Who started it.
    pub actor: String,
    /// A step of another execution started it.
    pub is_child: bool,
}

impl From<ExecutionRow> for ExecutionSummary {
    fn from(row: ExecutionRow) -> Self {
        Self {
            local: row.local,
            id: row.id.to_string(),
            workflow: row.workflow,
            workflow_path: row.workflow_path,
            version: row.version,
            status: row.status,
            started_at: row.started_at,
            ended_at: row.ended_at,
            waiting: row.waiting,
            error: row.error,
            is_child: row.actor == Actor::Engine.label(),
            actor: row.actor,
        }
    }
}

impl Reading {
    /// One execution, by id, unique prefix or `@latest`; an archived one too.
    ///
    /// # Errors
    /// Unknown or ambiguous execution, trouble with the store.
    pub fn row(&self, execution: &str) -> Result<ExecutionSummary, Error> {
        self.locate(execution).map(|located| located.row.into())
    }

    /// A page of executions, newest first.
    ///
    /// # Errors
    /// A cursor that is none, trouble with the store.
    pub fn list(&self, query: &ListQuery) -> Result<Listing, Error> {
        let filter = Filter {
            statuses: query.statuses.clone(),
            workflow: query.workflow.clone(),
            started_since: query.since,
            not_by: query.no_children.then(|| Actor::Engine.label()),
        };
        let before = query.cursor.as_deref().map(cursor).transpose()?;
        let page = self.reader().list(&filter, before, query.limit.clamp(1, PAGE_MAX))?;
        let next = page.next.map(|local| local.0.to_string());
        Ok(Listing { rows: page.rows.into_iter().map(Into::into).collect(), next })
    }

    /// Executions that are not over: without a live owner they are interrupted.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn interrupted(&self) -> Result<Vec<ExecutionSummary>, Error> {
        let rows = self.reader().open_executions(None, PAGE_MAX)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

/// True if an execution would move by itself if somebody performed it: time, groups and next attempts come by
/// themselves, people and signals do not. `waiting` is what its row says that it waits for.
pub fn would_move(status: Status, waiting: Option<&str>) -> bool {
    match status {
        Status::Pending | Status::Running | Status::Cancelling | Status::RollingBack => {
            !waiting.is_some_and(is_for_people)
        }
        Status::Paused | Status::Held => false,
        Status::Completed | Status::Failed | Status::Cancelled | Status::RolledBack | Status::RollbackFailed => false,
    }
}

fn is_for_people(waiting: &str) -> bool {
    let words = ["decision: ", "form: ", "signal ", "held: "];
    waiting.split(", ").any(|part| words.iter().any(|word| part.starts_with(word)))
}

fn cursor(text: &str) -> Result<LocalId, Error> {
    text.parse().map(LocalId).map_err(|_| Error::BadRequest {
        message: format!("`{text}` is no cursor of a list"),
        hint: "use the `next` of the page before".to_owned(),
    })
}
