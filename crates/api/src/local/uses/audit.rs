//! Calls about the audit: what only the owner can do for it.

use skep_model::audit::EventType;

use crate::local::convert::failure_of;
use crate::local::desk::{Desk, Perform};
use crate::wire::{BackupMade, Failure, PassAudit, Recorded};

impl Perform for PassAudit {
    fn perform(&self, desk: &Desk) -> Result<Recorded, Failure> {
        match desk {
            Desk::Owner(node, _) => node.pass_audit().map_err(|error| failure_of(&error))?,
            // Nobody commits anything, and the next owner records what the last one left.
            Desk::Reader(_) => {}
        }
        Ok(Recorded {})
    }
}

impl Perform for BackupMade {
    fn perform(&self, desk: &Desk) -> Result<Recorded, Failure> {
        let facts = [("destination", self.destination.clone())];
        let recorded = desk.node()?.record(EventType::BackupMade, &desk.person(), "copied the data directory", &facts);
        recorded.map(|()| Recorded {}).map_err(|error| failure_of(&error))
    }
}
