//! An execution that cannot be read parks alone: its list row says why, nothing else is concerned.

use skep_model::ids::LocalId;
use skep_model::status::Execution as Status;
use skep_store::{ExecutionChange, IdleChange, Row};

use super::Driver;
use crate::error::Error;

impl Driver {
    /// Writes into the list why an execution cannot go on, if what is stored of it is damaged.
    pub(super) fn park(&mut self, local: LocalId, error: &Error) {
        match error {
            Error::Damaged { .. } | Error::Store(skep_store::Error::DamagedTurn(_)) => {}
            _ => return,
        }
        let Ok(Some(row)) = self.reader.execution_by_local(local) else { return };
        let waiting = Some(format!("held: {error}"));
        if row.status.is_terminal() || (row.status == Status::Held && row.waiting == waiting) {
            return;
        }
        tracing::error!(execution = %row.id, "an execution is held, it cannot be read: {error}");
        let (error, updated_at) = (Some(error.to_string()), row.updated_at);
        let change =
            ExecutionChange { local, status: Status::Held, updated_at, ended_at: None, waiting, error, seq: row.seq };
        // The next owner has to find out whether it can be read then.
        let busy = IdleChange { local, idle: false, next_wake: None, for_people: false };
        self.keep_rows(vec![Row::ExecutionChanged(change), Row::Idle(busy)]);
    }
}
