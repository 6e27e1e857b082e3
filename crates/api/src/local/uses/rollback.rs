//! Calls of undoing.

use serde_json::Value;
use skep_node::service::RollbackRequest;

use super::writes::done;
use crate::local::convert::failure_of;
use crate::local::desk::{Desk, Perform};
use crate::wire::{Checkpoint, Done, Failure, Rollback, RollbackPlan, RollbackPoints, RollbackStatus, Undone};

impl Perform for Rollback {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.rollback(RollbackRequest {
            execution: self.execution.clone(),
            strategy: self.strategy,
            to: self.to,
            actor: desk.person(),
            reason: self.reason.clone(),
        }))
    }
}

impl Perform for Checkpoint {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.checkpoint(&self.execution, desk.person(), self.note.clone()))
    }
}

impl Perform for Undone {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.undone(&self.execution, self.step.clone(), desk.person(), self.comment.clone()))
    }
}

impl Perform for RollbackPoints {
    fn perform(&self, desk: &Desk) -> Result<Value, Failure> {
        desk.reading().rollback_points(&self.execution).map_err(|error| failure_of(&error))
    }
}

impl Perform for RollbackPlan {
    fn perform(&self, desk: &Desk) -> Result<Value, Failure> {
        let planned = desk.reading().rollback_plan(&self.execution, self.strategy, self.to);
        planned.map_err(|error| failure_of(&error))
    }
}

impl Perform for RollbackStatus {
    fn perform(&self, desk: &Desk) -> Result<Value, Failure> {
        desk.reading().rollback_status(&self.execution).map_err(|error| failure_of(&error))
    }
}
