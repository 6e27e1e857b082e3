//! The thread that owns a journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::group::{Ack, Stats, Submission, commit_group};
use crate::error::Error;
use crate::journal::Journal;

/// Turns and rows of one transaction. At about 2 us each this keeps a commit near 10 ms, so that one burst
/// does not make everybody wait for long.
pub const GROUP_ROWS_MAX: usize = 4_096;
/// Bytes of one transaction, after which a new one begins: SQLite's WAL is checkpointed between
/// transactions, so a group must not grow the WAL by much more than its usual 4 MB.
pub const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Writes that may wait. Beyond, [`WriterThread::submit`] blocks: the disk is the bottleneck, and memory
/// must not pay for it.
pub const QUEUE_WRITES_MAX: usize = 65_536;

/// A running writer thread. Dropping it commits what was submitted and ends the thread.
pub struct WriterThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Box<dyn Journal>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// The thread waits for this: something was submitted, or it is to end.
    filled: Condvar,
    /// Submitters wait for this: the queue was taken, or the thread has ended.
    taken: Condvar,
}

struct Queue {
    waiting: Vec<Submission>,
    phase: Phase,
    stats: Stats,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// What waits is committed, nothing more is accepted.
    Closing,
    /// The thread has ended.
    Gone,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        self.queue().phase = phase;
        self.filled.notify_all();
        self.taken.notify_all();
    }

    /// The whole queue, or `None` when the thread is to end and nothing waits.
    fn take(&self) -> Option<Vec<Submission>> {
        let mut queue = self.queue();
        while queue.waiting.is_empty() {
            if queue.phase != Phase::Open {
                return None;
            }
            queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let waiting = std::mem::take(&mut queue.waiting);
        self.taken.notify_all();
        Some(waiting)
    }
}

impl WriterThread {
    /// Starts the thread. `acknowledge` is called on it once per group, after the group's commit; it must
    /// hand over quickly and never wait for a submitter.
    ///
    /// # Errors
    /// The system's, if it has no more threads.
    pub fn start(journal: Box<dyn Journal>, acknowledge: Box<dyn FnMut(Vec<Ack>) + Send>) -> std::io::Result<Self> {
        let queue = Queue { waiting: Vec::new(), phase: Phase::Open, stats: Stats::default() };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), filled: Condvar::new(), taken: Condvar::new() });
        let work = Work { shared: Arc::clone(&shared), acknowledge };
        let thread = std::thread::Builder::new().name("skep-writer".to_owned()).spawn(move || work.run(journal))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands `submissions` over in order; each is answered by one [`Ack`]. Blocks while
    /// [`QUEUE_WRITES_MAX`] writes wait.
    ///
    /// # Errors
    /// [`Error::WriterGone`] if the thread has ended; nothing of `submissions` was taken.
    pub fn submit(&self, submissions: impl IntoIterator<Item = Submission>) -> Result<(), Error> {
        let mut queue = self.shared.queue();
        while queue.phase == Phase::Open && queue.waiting.len() >= QUEUE_WRITES_MAX {
            queue = self.shared.taken.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.phase != Phase::Open {
            return Err(Error::WriterGone);
        }
        let was_empty = queue.waiting.is_empty();
        queue.waiting.extend(submissions);
        if was_empty && !queue.waiting.is_empty() {
            self.shared.filled.notify_one();
        }
        Ok(())
    }

    /// What has been committed so far.
    pub fn stats(&self) -> Stats {
        self.shared.queue().stats
    }

    /// Commits and acknowledges what was submitted, ends the thread and gives the journal back.
    ///
    /// # Errors
    /// [`Error::WriterGone`] if the thread had panicked.
    pub fn close(mut self) -> Result<Box<dyn Journal>, Error> {
        self.shared.enter(Phase::Closing);
        let thread = self.thread.take().expect("only close and drop take the thread");
        thread.join().map_err(|_| Error::WriterGone)
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.shared.enter(Phase::Closing);
        if let Some(thread) = self.thread.take() {
            // A panic was answered by its acks and printed by the panic hook; a drop cannot report it again.
            let _ = thread.join();
        }
    }
}

/// What the thread does.
struct Work {
    shared: Arc<Shared>,
    acknowledge: Box<dyn FnMut(Vec<Ack>) + Send>,
}

impl Drop for Work {
    /// Also when `acknowledge` panics: nobody may wait for a thread that has ended.
    fn drop(&mut self) {
        self.shared.enter(Phase::Gone);
    }
}

impl Work {
    fn run(mut self, mut journal: Box<dyn Journal>) -> Box<dyn Journal> {
        while let Some(waiting) = self.shared.take() {
            let mut waiting = waiting.into_iter().peekable();
            while waiting.peek().is_some() {
                self.commit(&mut *journal, next_group(&mut waiting), &mut waiting);
            }
        }
        journal
    }

    /// A panic of the journal leaves nobody without an answer: what was submitted is answered by it, then
    /// the thread ends.
    fn commit(
        &mut self,
        journal: &mut dyn Journal,
        group: Vec<Submission>,
        rest: &mut impl Iterator<Item = Submission>,
    ) {
        let mut tickets: Vec<_> = group.iter().map(|submission| submission.ticket).collect();
        let mut stats = self.shared.queue().stats;
        match catch_unwind(AssertUnwindSafe(|| commit_group(journal, group, &mut stats))) {
            Ok(acks) => {
                self.shared.queue().stats = stats;
                (self.acknowledge)(acks);
            }
            Err(panic) => {
                self.shared.enter(Phase::Gone);
                tickets.extend(rest.map(|submission| submission.ticket));
                tickets.extend(self.shared.queue().waiting.drain(..).map(|submission| submission.ticket));
                let gone = Arc::new(Error::WriterGone);
                let acks = tickets.into_iter().map(|ticket| Ack { ticket, result: Err(Arc::clone(&gone)) });
                (self.acknowledge)(acks.collect());
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// The first submissions that fit one transaction; one alone always fits.
fn next_group(waiting: &mut std::iter::Peekable<impl Iterator<Item = Submission>>) -> Vec<Submission> {
    let (mut group, mut rows, mut size_bytes) = (Vec::new(), 0, 0);
    while let Some(next) = waiting.peek() {
        rows += 1 + next.write.rows.len();
        size_bytes += next.write.size_bytes();
        if !group.is_empty() && (rows > GROUP_ROWS_MAX || size_bytes > GROUP_BYTES_MAX) {
            break;
        }
        group.extend(waiting.next());
    }
    group
}
