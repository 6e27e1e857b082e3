//! The one owner of a data directory: lock, journal, runner, driver thread.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use skep_model::catalogue::Catalogue;
use skep_model::ids::{LocalId, Token};
use skep_model::message::Message;
use skep_runner::{Identity, Runner};
use skep_store::blobs::FolderBlobs;
use skep_store::keep::Keep;
use skep_store::{DataDir, OwnerLock, Reader, Row, SqliteJournal, SqliteReader, Stats, WriterThread};

use crate::audit::{Audit, Follower};
use crate::config::{Config, Validation};
use crate::driver::thread::{self, LocalPerformer, Queue, WallClock};
use crate::driver::{Driver, Input, Parts};
use crate::error::Error;
use crate::log_sink::LogSink;
use crate::recovery::Recovery;
use crate::retention::{Reserve, Retention};
use crate::service::{Callers, Definitions, Reading, Seen};
use crate::watch::Watcher;

/// How long a child may take to die when the owner ends.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// How long a draining owner waits for running steps: long enough for most, short enough for a service manager.
const DRAIN_PATIENCE: Duration = Duration::from_secs(20);
/// Rows that one look at the store fetches.
const OPEN_PER_PAGE: usize = 10_000;
/// Executions that are taken on together: what follows from the first of them waits behind the last, so that a restart
/// takes on what there is before it goes on with any of it.
const OPEN_AT_A_TIME: usize = 200_000;

/// What an owner is opened with.
pub struct Settings {
    /// The data directory; created if missing.
    pub data_dir: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// The program that is run as the spawner; this program if `None`.
    pub spawner: Option<PathBuf>,
}

/// What keeps the data directory within its bounds.
pub(crate) struct Keeping {
    pub blobs: Arc<FolderBlobs>,
    pub retention: Retention,
    pub reserve: Reserve,
    /// Set when the owner ends: a clean-up that is at work ends soon, too.
    pub ending: AtomicBool,
}

/// The owner of a data directory. Dropping it without [`Node::close`] leaves executions interrupted, as a
/// crash would.
pub struct Node {
    reading: Mutex<Reading>,
    inputs: Sender<Input>,
    watcher: Watcher,
    catalogue: Arc<Catalogue>,
    pub(crate) definitions: Definitions,
    pub(crate) validation: Validation,
    pub(crate) recovery: Recovery,
    pub(crate) seen: Seen,
    pub(crate) callers: Callers,
    driver: Option<JoinHandle<()>>,
    runner: Arc<Runner>,
    writer: Arc<WriterThread>,
    directory: DataDir,
    pub(crate) keeping: Keeping,
    pub(crate) audit: Audit,
    _lock: OwnerLock,
}

impl Node {
    /// Becomes the owner: takes the lock, opens the journal, stops what a dead owner left running.
    ///
    /// # Errors
    /// [`Error::Owned`] if another process owns the directory, trouble with the store or the runner.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let (validation, recovery) = (settings.config.validation()?, settings.config.recovery()?);
        let directory = DataDir::create(&settings.data_dir)?;
        let lock = OwnerLock::acquire(&directory)?;
        let journal = SqliteJournal::open(&directory)?;
        let reader = SqliteReader::open(&directory)?;
        let folder_blobs = Arc::new(FolderBlobs::new(&directory));
        folder_blobs.remove_unfinished()?;
        Keep::prepare(&directory)?;
        let keeping = keeping(&settings.config, &directory, Arc::clone(&folder_blobs))?;
        let watcher = Watcher::default();
        let follower = open_follower(&settings.config, &directory)?;
        let logs = Arc::new(LogSink::new(&directory, watcher.clone()));
        let (sender, inputs) = channel();
        let left = sweep(&reader)?;
        let runner = start_runner(&settings, &directory, &logs, sender.clone())?;
        let acknowledge = sender.clone();
        let answer = Box::new(move |acks| drop(acknowledge.send(Input::Acks(acks))));
        let writer =
            WriterThread::start(Box::new(journal), answer).map_err(|error| Error::Runner(error.to_string()))?;
        let (runner, writer) = (Arc::new(runner), Arc::new(writer));
        let parts = Parts {
            reader: Box::new(reader),
            blobs: folder_blobs,
            watcher: watcher.clone(),
            clock: Box::new(WallClock),
            performer: Box::new(LocalPerformer::new(Arc::clone(&runner), logs)),
            committer: Box::new(Arc::clone(&writer)),
            mailbox: Box::new(Queue::new(sender.clone()).map_err(|error| Error::Runner(error.to_string()))?),
        };
        let catalogue = Arc::new(crate::catalogue::with_rules(&settings.config));
        let mut driver = Driver::new(parts)?;
        driver.use_catalogue(Arc::clone(&catalogue));
        let driver = std::thread::Builder::new()
            .name("skep-driver".to_owned())
            .spawn(move || thread::run(driver, &inputs))
            .map_err(|error| Error::Runner(error.to_string()))?;
        let audit = follower.map(|follower| Audit::start(follower, watcher.beats())).transpose()?.unwrap_or_default();
        let node = Self {
            reading: Mutex::new(Reading::open(&directory)?),
            inputs: sender,
            watcher,
            catalogue,
            definitions: Definitions::default(),
            validation,
            recovery,
            seen: Seen::default(),
            callers: Callers::default(),
            driver: Some(driver),
            runner,
            writer,
            directory,
            keeping,
            audit,
            _lock: lock,
        };
        node.forget_children(left)?;
        Ok(node)
    }

    /// Takes on every execution that is not terminal, as `skep serve` does. Gives their number. Those that only
    /// wait are not folded: that comes when something happens to them.
    ///
    /// # Errors
    /// Trouble with the store. An execution that cannot be folded is reported and left alone.
    pub fn recover_all(&self) -> Result<usize, Error> {
        self.take_on_all_but(&HashSet::new())
    }

    pub(crate) fn take_on_all_but(&self, left: &HashSet<LocalId>) -> Result<usize, Error> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.inputs.send(Input::TakeIdle(reply)).map_err(|_| Error::Ending)?;
        let mut count = answer.blocking_recv().map_err(|_| Error::Ending)??;
        let (mut after, mut busy) = (None, Vec::new());
        loop {
            let page = self.reading().reader().busy_executions(after, OPEN_PER_PAGE)?;
            after = page.last().copied().or(after);
            let is_last = page.is_empty();
            busy.extend(page.into_iter().filter(|local| !left.contains(local)));
            if is_last || busy.len() >= OPEN_AT_A_TIME {
                count += self.adopt_all(&busy)?;
                busy.clear();
            }
            if is_last {
                return Ok(count);
            }
        }
    }

    /// Takes on several executions, whose turns share commits; gives the number of those that could be.
    fn adopt_all(&self, locals: &[LocalId]) -> Result<usize, Error> {
        let mut answers = Vec::with_capacity(locals.len());
        for local in locals {
            let (reply, answer) = tokio::sync::oneshot::channel();
            self.inputs.send(Input::Adopt(*local, reply)).map_err(|_| Error::Ending)?;
            answers.push((local, answer));
        }
        let mut count = 0;
        for (local, answer) in answers {
            match answer.blocking_recv().map_err(|_| Error::Ending)? {
                Ok(_) => count += 1,
                Err(error) => tracing::error!(local = local.0, "an execution is not recovered: {error}"),
            }
        }
        Ok(count)
    }

    /// Tells an open execution something and waits until the turn is durable.
    pub(crate) fn tell(&self, local: LocalId, message: Message) -> Result<(), Error> {
        self.ask(|reply| Input::Message(local, Box::new(message), Some(reply))).map(drop)
    }

    pub(crate) fn write_rows(&self, rows: Vec<Row>) -> Result<(), Error> {
        self.ask(|reply| Input::Rows(rows, reply)).map(drop)
    }

    pub(crate) fn ask(
        &self,
        input: impl FnOnce(crate::driver::Reply) -> Input,
    ) -> Result<crate::driver::Receipt, Error> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.send(input(reply))?;
        // Callers are plain threads or blocking tasks, never the async threads that keep the socket alive.
        answer.blocking_recv().map_err(|_| Error::Ending)?
    }

    pub(crate) fn send(&self, input: Input) -> Result<(), Error> {
        self.inputs.send(input).map_err(|_| Error::Ending)
    }

    /// Reads of the same directory.
    pub fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Summaries and heartbeats of what it performs.
    pub fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    /// What it can execute.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// What was committed so far.
    pub fn stats(&self) -> Stats {
        self.writer.stats()
    }

    /// Its data directory.
    pub fn directory(&self) -> &DataDir {
        &self.directory
    }

    /// Ends at once: makes durable what was decided, stops what runs. Executions that are not terminal stay open
    /// and are taken on by the next owner. Says what was committed in its time.
    pub fn close(self) -> Stats {
        self.end_within(Duration::ZERO)
    }

    /// Ends as [`Node::close`] does, but gives what runs some time to end by itself; nothing new begins.
    pub fn drain(self) -> Stats {
        self.end_within(DRAIN_PATIENCE)
    }

    fn end_within(mut self, patience: Duration) -> Stats {
        drop(self.inputs.send(Input::Stop(patience)));
        if self.driver.take().is_some_and(|driver| driver.join().is_err()) {
            tracing::error!("the driver thread panicked");
        }
        let stats = self.writer.stats();
        // The driver's thread has ended, so nobody else has them any more.
        let writer = Arc::into_inner(self.writer).map(WriterThread::close);
        match writer {
            Some(Ok(_)) | None => {}
            Some(Err(error)) => tracing::error!("the writer did not end well: {error}"),
        }
        self.audit.close();
        if let Some(runner) = Arc::into_inner(self.runner) {
            runner.shutdown(SHUTDOWN_GRACE);
        }
        stats
    }

    fn forget_children(&self, tokens: Vec<Token>) -> Result<(), Error> {
        if tokens.is_empty() {
            return Ok(());
        }
        self.write_rows(tokens.into_iter().map(|token| Row::ChildGone { token }).collect())
    }
}

/// What will read the journal for the audit, unless the configuration wants none.
fn keeping(config: &Config, directory: &DataDir, blobs: Arc<FolderBlobs>) -> Result<Keeping, Error> {
    let reserve = Reserve::new(directory.root(), config.disk_reserve_bytes()?);
    Ok(Keeping { blobs, retention: config.retention()?, reserve, ending: AtomicBool::new(false) })
}

fn open_follower(config: &Config, directory: &DataDir) -> Result<Option<Follower>, Error> {
    let Some(place) = config.audit(directory) else { return Ok(None) };
    Follower::open(place, SqliteReader::open(directory)?, config.fingerprint()).map(Some)
}

fn start_runner(
    settings: &Settings,
    directory: &DataDir,
    logs: &Arc<LogSink>,
    sender: Sender<Input>,
) -> Result<Runner, Error> {
    let config = settings.config.runner(directory.root().join("run"), settings.spawner.clone())?;
    let sink: Arc<LogSink> = Arc::clone(logs);
    let done = Box::new(move |execution, outcome| drop(sender.send(Input::Outcome(execution, Box::new(outcome)))));
    Runner::start(config, sink, done).map_err(|error| Error::Runner(error.to_string()))
}

/// Stops what a dead owner's steps left running, before anything is performed again.
fn sweep(reader: &dyn Reader) -> Result<Vec<Token>, Error> {
    let children = reader.children()?;
    let identities: Vec<(Token, Identity)> = children
        .into_iter()
        .map(|row| {
            let identity = Identity {
                pid: u32::try_from(row.pid).unwrap_or(0),
                started_ticks: row.started_ticks,
                boot_id: row.boot_id,
            };
            (row.token, identity)
        })
        .collect();
    if !identities.is_empty() {
        Runner::sweep(&identities);
    }
    Ok(identities.into_iter().map(|(token, _)| token).collect())
}
