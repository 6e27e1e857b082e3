//! The owner's side of the follower: its thread, and what it is told.

use std::thread::JoinHandle;

use skep_model::actor::Actor;
use skep_model::audit::{Cursor, Entry};
use tokio::sync::{mpsc, oneshot, watch};

use super::entries;
use super::follower::{Follower, Request};
use crate::clock;
use crate::error::Error;

/// How much the thread steps back (`nice`): on a machine that is busy to the last it takes what the driver and the
/// writer leave, a tenth of a fair share at least, and catches up when they rest.
const NICENESS: i32 = 10;

/// The audit of an owner. Without one, where the configuration says so, nothing is recorded.
#[derive(Default)]
pub(crate) struct Audit {
    running: Option<Running>,
}

struct Running {
    requests: mpsc::UnboundedSender<Request>,
    thread: JoinHandle<()>,
}

impl Audit {
    /// Starts the thread.
    pub(crate) fn start(follower: Follower, beats: watch::Receiver<u64>) -> Result<Self, Error> {
        let (requests, receiver) = mpsc::unbounded_channel();
        let failed = |error: std::io::Error| Error::Runner(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("skep-audit".to_owned())
            .spawn(move || {
                step_back();
                runtime.block_on(follower.run(receiver, beats));
            })
            .map_err(failed)?;
        Ok(Self { running: Some(Running { requests, thread }) })
    }

    /// Records something that is in no journal.
    pub(crate) fn note(&self, entry: Entry) {
        if let Some(running) = &self.running {
            // It fails only when the thread has ended, and then it has said so.
            drop(running.requests.send(Request::Note(Box::new(entry))));
        }
    }

    /// Records that a caller was refused: who, and from where.
    pub(crate) fn refused(&self, actor: Actor, source: String) {
        self.note(entries::refusal(clock::now(), actor, source));
    }

    /// Waits until everything that is committed now has its records. Gives how far they go, `None` where nothing is
    /// recorded.
    ///
    /// # Errors
    /// They could not be written.
    pub(crate) fn pass(&self) -> Result<Option<Cursor>, Error> {
        let Some(running) = &self.running else { return Ok(None) };
        let (reply, answer) = oneshot::channel();
        running.requests.send(Request::Pass(reply)).map_err(|_| Error::Ending)?;
        answer.blocking_recv().map_err(|_| Error::Ending)?.map(Some)
    }

    /// Records what is committed and that the owner ends.
    pub(crate) fn close(&mut self) {
        if let Some(running) = &self.running {
            drop(running.requests.send(Request::Stop));
        }
        self.join();
    }

    fn join(&mut self) {
        let Some(Running { requests, thread }) = self.running.take() else { return };
        drop(requests);
        if thread.join().is_err() {
            tracing::error!("the audit's thread panicked");
        }
    }
}

/// Linux counts this per thread. A system that does not let it is no reason not to record.
fn step_back() {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!("the audit's thread keeps its priority: {error}");
    }
}

/// Without [`Audit::close`] nothing more is recorded, as after a crash; but nobody writes once the lock is gone.
impl Drop for Audit {
    fn drop(&mut self) {
        self.join();
    }
}
