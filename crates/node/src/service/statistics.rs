//! What executions came to, in all and per workflow, folded from their list rows.

use std::collections::BTreeMap;

use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use super::{ExecutionSummary, ListQuery, Reading};
use crate::error::Error;

/// Executions that one look at the store fetches.
const PAGE: usize = 1_000;
/// 24 hours in microseconds.
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// What the executions of one workflow came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Executions accepted.
    pub executions: u64,
    /// Of those, completed.
    pub completed: u64,
    /// Of those, over in any other way.
    pub not_completed: u64,
    /// When the newest was accepted.
    pub last_used: Option<Timestamp>,
    /// How long completed ones took, in milliseconds, in no order.
    pub durations_ms: Vec<u64>,
}

impl Usage {
    /// Share of those that are over and completed; `None` while none is over.
    pub fn success_rate(&self) -> Option<f64> {
        let over = self.completed + self.not_completed;
        (over > 0).then(|| self.completed as f64 / over as f64)
    }

    /// The duration that half of the completed executions stayed below, in milliseconds.
    pub fn median_ms(&self) -> Option<u64> {
        let mut durations = self.durations_ms.clone();
        durations.sort_unstable();
        durations.get(durations.len() / 2).copied()
    }

    fn add(&mut self, row: &ExecutionSummary) {
        self.executions += 1;
        self.last_used = self.last_used.max(Some(row.started_at));
        match row.status {
            Status::Completed => {
                self.completed += 1;
                let took_us = row.ended_at.map_or(0, |ended_at| ended_at.0 - row.started_at.0);
                self.durations_ms.push(u64::try_from(took_us / 1_000).unwrap_or(0));
            }
            Status::Failed | Status::Cancelled | Status::RolledBack | Status::RollbackFailed => self.not_completed += 1,
            Status::Pending
            | Status::Running
            | Status::Paused
            | Status::Held
            | Status::Cancelling
            | Status::RollingBack => {}
        }
    }
}

/// What all executions came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// All of them, children included.
    pub all: Usage,
    /// By state, those that occur.
    pub by_status: BTreeMap<&'static str, u64>,
    /// Not over.
    pub active: u64,
    /// Accepted within the last 24 hours.
    pub recent: u64,
    /// By workflow: the path in the library that it was started from, else its id.
    pub by_workflow: BTreeMap<String, Usage>,
}

impl Reading {
    /// What the executions in the store came to; archived ones do not count.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn statistics(&self, now: Timestamp) -> Result<Statistics, Error> {
        let mut statistics = Statistics::default();
        let mut query = ListQuery { limit: PAGE, ..ListQuery::default() };
        loop {
            let page = self.list(&query)?;
            for row in &page.rows {
                statistics.all.add(row);
                *statistics.by_status.entry(row.status.as_str()).or_default() += 1;
                statistics.active += u64::from(!row.status.is_terminal());
                statistics.recent += u64::from(now.0 - row.started_at.0 <= DAY_US);
                let name = row.workflow_path.as_ref().unwrap_or(&row.workflow);
                statistics.by_workflow.entry(name.clone()).or_default().add(row);
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                return Ok(statistics);
            }
        }
    }
}
