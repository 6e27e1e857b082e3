//! One group: commit it, and if a write of it is refused, do not let the others suffer.

use std::sync::Arc;

use skep_model::ids::Position;

use crate::error::Error;
use crate::journal::{Journal, Write};

/// The submitter's own number for a write; comes back with its [`Ack`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A write on its way to the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Comes back with the answer.
    pub ticket: Ticket,
    /// What to commit.
    pub write: Write,
}

/// The answer to a submission.
#[derive(Clone, Debug)]
pub struct Ack {
    /// Of the submission.
    pub ticket: Ticket,
    /// The position of its turn (`None` if it had none), or why nothing of it was committed. A group shares
    /// one error.
    pub result: Result<Option<Position>, Arc<Error>>,
}

/// What has been committed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions, each with one fsync.
    pub commits: u64,
    /// Turns.
    pub turns: u64,
    /// Operational rows.
    pub rows: u64,
    /// Bytes of events and row texts, as [`Write::size_bytes`] counts them.
    pub bytes: u64,
}

impl Stats {
    fn add(&mut self, group: &[Write]) {
        self.commits += 1;
        for write in group {
            self.turns += u64::from(write.turn.is_some());
            self.rows += write.rows.len() as u64;
            self.bytes += write.size_bytes() as u64;
        }
    }
}

/// Commits `group` and answers every submission of it, in no particular order. The outcome is the same as if
/// each were committed alone, in order, but it is one transaction: a refused write is taken out and the rest
/// is tried again. Trouble with the disk answers all that are left.
pub fn commit_group(journal: &mut dyn Journal, group: Vec<Submission>, stats: &mut Stats) -> Vec<Ack> {
    let mut acks = Vec::with_capacity(group.len());
    let (mut tickets, mut writes): (Vec<Ticket>, Vec<Write>) =
        group.into_iter().map(|submission| (submission.ticket, submission.write)).unzip();
    while !writes.is_empty() {
        let error = match journal.commit(&writes) {
            Ok(positions) => {
                stats.add(&writes);
                acks.extend(tickets.into_iter().zip(positions).map(|(ticket, at)| Ack { ticket, result: Ok(at) }));
                return acks;
            }
            Err(error) => error,
        };
        let culprit = error.culprit().filter(|culprit| *culprit < writes.len());
        let error = Arc::new(error);
        match culprit {
            Some(culprit) => {
                if skep_model::mutant!("refused-write-takes-the-next") && writes.len() > culprit + 1 {
                    writes.remove(culprit + 1);
                    acks.push(Ack { ticket: tickets.remove(culprit + 1), result: Ok(None) });
                }
                writes.remove(culprit);
                acks.push(Ack { ticket: tickets.remove(culprit), result: Err(error) });
            }
            None => {
                acks.extend(tickets.into_iter().map(|ticket| Ack { ticket, result: Err(Arc::clone(&error)) }));
                return acks;
            }
        }
    }
    acks
}
