//! Snapshots of states: the copy is taken with the turn, made into text aside once the turn is durable, and written
//! as a row of its own. What gets lost on this way costs the next restart some folding, nothing else.

use skep_engine::{SNAPSHOT_FORMAT, State};
use skep_model::ids::LocalId;
use skep_store::{Row, StoredSnapshot};

use super::{Driver, Input};

impl Driver {
    /// The turn after which the state was so has landed.
    pub(super) fn make_snapshot(&self, local: LocalId, state: State) {
        self.mailbox.aside(Box::new(move || {
            let bytes = state.to_snapshot();
            let snapshot = StoredSnapshot { execution: local, seq: state.seq, format: SNAPSHOT_FORMAT, bytes };
            Input::Snapshot(Box::new(snapshot))
        }));
    }

    /// It was made. The execution may have gone on, left the memory or ended meanwhile; the store sorts that out.
    pub(super) fn keep_snapshot(&mut self, snapshot: StoredSnapshot) {
        self.core.snapshot_made(snapshot.execution, snapshot.bytes.len());
        self.keep_rows(vec![Row::Snapshot(snapshot)]);
    }
}
