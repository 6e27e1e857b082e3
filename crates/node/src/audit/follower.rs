//! The thread that reads the journal behind everybody and seals records.
//!
//! | when | what |
//! |---|---|
//! | the owner begins | catches up with what its predecessor left, records the start |
//! | something was committed | a second later, one batch of all that came meanwhile |
//! | somebody asks ([`Request::Pass`]) | at once |
//! | the owner ends | the rest, and the end itself |
//!
//! A batch that fails (a full disk) is tried again every second; meanwhile nothing leaves the journal.

use std::time::Duration;

use skep_definition::moment;
use skep_model::audit::{Cursor, Entry, EventType, Severity};
use skep_model::event::Event;
use skep_model::ids::Position;
use skep_model::limits::AUDIT_REFUSALS_MAX;
use skep_store::audit::{Log, Place};
use skep_store::{JournalRow, Reader, Scan, SqliteReader};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::{entries, table};
use crate::clock;
use crate::error::Error;

/// From the first commit that is not recorded yet to the batch with its record: one batch a second costs nothing, and
/// who wants to see more asks.
const BATCH_PAUSE: Duration = Duration::from_secs(1);
/// Turns that one look at the journal covers: a few milliseconds, so that the write-ahead log can be reset between two.
const TURNS_PER_LOOK: usize = 10_000;
/// Acts that one look covers.
const ACTS_PER_LOOK: usize = 1_000;
/// Records after which they are sealed although there are more to come: a crash while catching up loses less work.
const RECORDS_PER_SEAL: u64 = 50_000;
/// Turns without records after which the head is written all the same, so that a restart does not look at them again.
const TURNS_PER_HEAD: i64 = 100_000;

/// What the thread is told.
pub(crate) enum Request {
    /// Record this.
    Note(Box<Entry>),
    /// Record everything that is committed by now, then answer.
    Pass(oneshot::Sender<Result<Cursor, Error>>),
    /// The same, then end.
    Stop,
}

/// Reads the journal and writes the log.
pub(crate) struct Follower {
    place: Place,
    log: Option<Log>,
    reader: SqliteReader,
    /// What has no row anywhere, until it is sealed.
    pending: Vec<Entry>,
    refused_more: u64,
    configuration: String,
    /// The cursor that the last head has.
    sealed_at: Cursor,
    is_failing: bool,
}

impl Follower {
    /// Opens the log. `configuration` is the hash of what the owner is configured with.
    ///
    /// # Errors
    /// Records without their key. A disk that is full or broken now is tried again later.
    pub(crate) fn open(place: Place, reader: SqliteReader, configuration: String) -> Result<Self, Error> {
        let (pending, refused_more, sealed_at) = (Vec::new(), 0, Cursor::default());
        let mut follower =
            Self { place, log: None, reader, pending, refused_more, configuration, sealed_at, is_failing: false };
        match follower.open_log() {
            Ok(()) => {}
            Err(Error::Audit(error @ skep_store::audit::Error::File(_))) => follower.complain(&error.into()),
            Err(error) => return Err(error),
        }
        let started =
            entries::of_owner(clock::now(), EventType::ServerStarted, "became the owner of the data directory");
        let started = started.with("configuration", follower.configuration.as_str());
        follower.pending.push(started.with("version", env!("CARGO_PKG_VERSION")));
        Ok(follower)
    }

    fn open_log(&mut self) -> Result<(), Error> {
        let (mut log, found) = Log::open(&self.place)?;
        let now = clock::now();
        if let Some(why) = &found.damage {
            tracing::error!("the audit was changed: {why}; `skep audit verify` says more");
        }
        self.pending.splice(0..0, entries::of_opening(now, &found));
        if let Some(before) = log.configuration().filter(|before| *before != self.configuration) {
            let changed = entries::of_owner(now, EventType::ConfigurationChanged, "config.toml is not what it was");
            self.pending.push(Entry {
                before: Some(before.into()),
                after: Some(self.configuration.as_str().into()),
                severity: Severity::Warning,
                ..changed
            });
        }
        let cursor = self.within_journal(log.cursor())?;
        log.note(cursor, Some(self.configuration.clone()));
        self.sealed_at = cursor;
        self.log = Some(log);
        Ok(())
    }

    /// A journal that is behind the audit was put in the place of another one: its next turns get numbers that the
    /// audit has seen already.
    fn within_journal(&mut self, cursor: Cursor) -> Result<Cursor, Error> {
        let (position, act) = (self.reader.last_position()?.0, self.reader.last_act()?);
        if cursor.position <= position && cursor.act <= act {
            return Ok(cursor);
        }
        let message = "the journal is behind what was recorded of it: another one was put in its place";
        let entry = entries::of_owner(clock::now(), EventType::JournalReplaced, message)
            .with("recorded_position", cursor.position)
            .with("journal_position", position);
        self.pending.push(Entry { severity: Severity::Critical, ..entry });
        let is_ahead = cursor.position > position;
        Ok(Cursor {
            position: cursor.position.min(position),
            events: if is_ahead { Cursor::ALL } else { cursor.events },
            act: cursor.act.min(act),
        })
    }

    /// Works until it is told to stop.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>, mut beats: watch::Receiver<u64>) {
        let mut due = Some(Instant::now());
        loop {
            let wake = due;
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request::Note(entry)) => {
                        self.take(*entry);
                        due = due.or(Some(Instant::now() + BATCH_PAUSE));
                    }
                    Some(Request::Pass(reply)) => drop(reply.send(self.pass())),
                    Some(Request::Stop) => break,
                    None => return,
                },
                changed = beats.changed(), if due.is_none() => match changed {
                    Ok(()) => due = Some(Instant::now() + BATCH_PAUSE),
                    // The owner is gone; what it wants to say comes as a request.
                    Err(_) => due = Some(Instant::now() + BATCH_PAUSE),
                },
                () = until(wake), if wake.is_some() => {
                    // What is committed from here on is for the next batch.
                    beats.mark_unchanged();
                    due = self.pass().is_err().then(|| Instant::now() + BATCH_PAUSE);
                }
            }
        }
        self.pending.push(entries::of_owner(clock::now(), EventType::ServerStopped, "the owner ends"));
        drop(self.pass());
    }

    fn take(&mut self, entry: Entry) {
        match self.pending.len() < AUDIT_REFUSALS_MAX {
            true => self.pending.push(entry),
            false => self.refused_more += 1,
        }
    }

    /// Records everything that is committed by now. After an error the log is opened anew the next time.
    pub(crate) fn pass(&mut self) -> Result<Cursor, Error> {
        let passed = self.try_pass();
        match &passed {
            Ok(_) => self.is_failing = false,
            Err(error) => {
                self.log = None;
                self.complain(error);
            }
        }
        passed
    }

    /// Once, until it works again.
    fn complain(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::error!("the audit cannot be written, it is tried again: {error}");
        }
    }

    fn try_pass(&mut self) -> Result<Cursor, Error> {
        if self.log.is_none() {
            self.open_log()?;
        }
        let Some(mut log) = self.log.take() else { return Err(Error::Ending) };
        let target = self.reader.last_position()?.0;
        let first = log.sequence();
        let mut sealed = first;
        while log.cursor().next().0 <= target {
            let (from, done) = log.cursor().next();
            let scan = self.reader.scan(Position(from), TURNS_PER_LOOK, &table::is_wanted)?;
            let Some(last) = scan.last else { break };
            turns(&mut log, &scan, done)?;
            log.note(Cursor { position: last.0, events: Cursor::ALL, ..log.cursor() }, None);
            if log.sequence() - sealed > RECORDS_PER_SEAL {
                log.seal()?;
                sealed = log.sequence();
            }
        }
        self.acts(&mut log)?;
        if self.refused_more > 0 {
            log.append(None, entries::refusals(clock::now(), self.refused_more), log.cursor())?;
        }
        for entry in &self.pending {
            log.append(None, entry.clone(), log.cursor())?;
        }
        let cursor = log.cursor();
        if log.sequence() > first || cursor.position - self.sealed_at.position > TURNS_PER_HEAD {
            log.seal()?;
            self.sealed_at = cursor;
        }
        self.pending.clear();
        self.refused_more = 0;
        self.log = Some(log);
        Ok(cursor)
    }

    fn acts(&self, log: &mut Log) -> Result<(), Error> {
        loop {
            let acts = self.reader.acts(log.cursor().act, ACTS_PER_LOOK)?;
            for act in &acts {
                let entry = serde_json::from_str(&act.entry).unwrap_or_else(|error| {
                    let message = format!("act {} cannot be read: {error}", act.id);
                    entries::of_owner(act.at, EventType::SystemError, message)
                });
                let cursor = Cursor { act: act.id, ..log.cursor() };
                log.append(Some(format!("act-{}", act.id)), entry, cursor)?;
            }
            if acts.len() < ACTS_PER_LOOK {
                return Ok(());
            }
        }
    }
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

/// Appends the records of the turns that were found. `done` events of the first turn that was looked at have theirs.
fn turns(log: &mut Log, scan: &Scan, done: u32) -> Result<(), Error> {
    let (from, _) = log.cursor().next();
    for (row, workflow) in &scan.wanted {
        let skipped = if row.turn.position.0 == from { done } else { 0 };
        turn(log, row, workflow.as_deref(), skipped)?;
    }
    for (position, problem) in &scan.damaged {
        let message = format!("turn {} of the journal cannot be read: {problem}", position.0);
        let entry = entries::of_owner(clock::now(), EventType::SystemError, message);
        log.append(None, Entry { severity: Severity::Error, ..entry }, log.cursor())?;
    }
    Ok(())
}

fn turn(log: &mut Log, row: &JournalRow, workflow: Option<&str>, skipped: u32) -> Result<(), Error> {
    let position = row.turn.position.0;
    let events: Vec<Event> = match serde_json::from_str(&row.turn.events) {
        Ok(events) => events,
        Err(error) => {
            let message = format!("turn {position} of the journal cannot be read: {error}");
            let entry = entries::of_owner(clock::now(), EventType::SystemError, message);
            return Ok(log.append(None, Entry { severity: Severity::Error, ..entry }, log.cursor())?);
        }
    };
    let timestamp = moment::print(row.turn.at);
    for (number, event) in (1_u32..).zip(&events).filter(|(number, _)| *number > skipped) {
        if let Some(mut entry) = table::entry_of(event) {
            entry.timestamp.clone_from(&timestamp);
            entry.execution_id = Some(row.id.to_string());
            entry.workflow = workflow.map(str::to_owned);
            let cursor = Cursor { position, events: number, ..log.cursor() };
            log.append(Some(format!("turn-{position}-{number}")), entry, cursor)?;
        }
    }
    Ok(())
}
