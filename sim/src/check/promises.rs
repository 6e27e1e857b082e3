//! Answers: whoever was told yes finds it on the disk, and nobody is left without an answer.

use skep_model::ids::{ExecutionId, LocalId};
use skep_node::driver::Answer;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;

use super::{Books, Invariant, Verdict, demand};
use crate::report::{Deed, Hit, Report};

/// What a yes means.
#[derive(Clone, Debug)]
pub enum Promise {
    /// The execution is there.
    Started(ExecutionId),
    /// The journal has an event of this actor.
    Said(LocalId, String, Deed),
    /// The execution does not run on as if nothing had happened.
    Stopped(LocalId, Deed),
    /// Nothing that the journal shows.
    Taken(Deed),
}

/// Requests without an answer yet.
#[derive(Default)]
pub struct Promises {
    open: Vec<(Receiver<Answer>, Promise)>,
}

impl Promises {
    /// Somebody asks.
    pub fn ask(&mut self, answer: Receiver<Answer>, promise: Promise) {
        self.open.push((answer, promise));
    }

    /// The owner is gone, and nobody answers any more.
    pub fn forget(&mut self) {
        self.open.clear();
    }

    /// True if everybody has an answer.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes answers that have come.
    ///
    /// # Errors
    /// A yes that the books do not have, or an answer that will never come.
    pub fn look(&mut self, books: &Books, report: &mut Report) -> Verdict {
        let mut waiting = Vec::new();
        for (mut answer, promise) in std::mem::take(&mut self.open) {
            match answer.try_recv() {
                Ok(Ok(_)) => kept(&promise, books, report)?,
                Ok(Err(_)) => {}
                Err(TryRecvError::Empty) => waiting.push((answer, promise)),
                Err(TryRecvError::Closed) => {
                    demand(false, Invariant::EverybodyIsAnswered, || format!("{promise:?} was dropped"))?;
                }
            }
        }
        self.open = waiting;
        Ok(())
    }
}

fn kept(promise: &Promise, books: &Books, report: &mut Report) -> Verdict {
    let (holds, deed) = match promise {
        Promise::Started(id) => (books.has(id), Deed::Start),
        Promise::Said(local, actor, deed) => (books.said(*local, actor), *deed),
        Promise::Stopped(local, deed) => (books.stopped(*local), *deed),
        Promise::Taken(deed) => (true, *deed),
    };
    report.hit(Hit::Deed(deed));
    demand(holds, Invariant::AcknowledgedIsDurable, || format!("{promise:?} was answered with yes"))
}
