//! Calls about orphans.

use skep_definition::moment;
use skep_node::service::{self, Verdict};

use crate::local::convert::failure_of;
use crate::local::desk::{Desk, Perform};
use crate::wire::{Failure, Orphan, Orphans, Recover};

impl Perform for Orphans {
    fn perform(&self, desk: &Desk) -> Result<Vec<Orphan>, Failure> {
        let is_owned = |local| match desk {
            Desk::Owner(node, _) => node.watcher().summary(local).is_some(),
            Desk::Reader(_) => false,
        };
        let orphans = desk.reading().orphans(skep_node::clock::now(), &is_owned);
        orphans.map(|orphans| orphans.into_iter().map(orphan_of).collect()).map_err(|error| failure_of(&error))
    }
}

impl Perform for Recover {
    fn perform(&self, desk: &Desk) -> Result<Vec<Orphan>, Failure> {
        let orphans = desk.node()?.recover(skep_node::clock::now());
        orphans.map(|orphans| orphans.into_iter().map(orphan_of).collect()).map_err(|error| failure_of(&error))
    }
}

fn orphan_of(orphan: service::Orphan) -> Orphan {
    let decision = match orphan.verdict {
        Verdict::Resume => "resume",
        Verdict::Leave => "leave",
    };
    Orphan {
        execution_id: orphan.id,
        workflow: orphan.workflow,
        status: orphan.status,
        updated_at: moment::print(orphan.updated_at),
        progress: orphan.progress,
        decision: decision.to_owned(),
        reason: orphan.reason,
    }
}
