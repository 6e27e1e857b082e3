//! One owner after the other: how a process begins on what the last one left, and how it ends.

use std::sync::Arc;

use skep_model::ids::{Hash, LocalId, Token};
use skep_model::time::Timestamp;
use skep_node::Watcher;
use skep_node::driver::{Driver, Input, Parts};
use skep_store::{Error, Journal as _, NewVersion, Reader, Row, SqliteJournal, SqliteReader, Write};

use super::World;
use super::ports::{SimClock, SimCommitter, SimMailbox, SimPerformer, lock};
use crate::check::{Invariant, Promise, Verdict, Violation, demand};
use crate::disk::{Fault, VFS};
use crate::report::{CrashPoint, Deed, Hit};
use crate::trace;

/// More open executions than a world has.
const OPEN_MAX: usize = 1_000;
/// So few that wait stay in memory, so that most of them leave it and come back.
const IDLE_MAX: usize = 2;
/// So few that even small executions have snapshots, and turns after them.
const SNAPSHOT_EVENTS: usize = 5;
/// So often an opening may fail by faults before something else must be wrong.
const OPENINGS_MAX: u32 = 20;

/// A living owner.
pub struct Owner {
    /// The real driver.
    pub driver: Driver,
    /// The real journal.
    pub journal: SqliteJournal,
    /// A reader of the world's own.
    pub reader: SqliteReader,
    /// Executions with commits that were not compared yet.
    pub dirty: Vec<LocalId>,
}

impl World<'_> {
    /// The process ends at this point, and the next owner begins.
    pub(super) fn die(&mut self, point: CrashPoint, with_power: bool) -> Verdict {
        trace::line(|| format!("dies at {point:?}{}", if with_power { ", the power fails" } else { "" }));
        self.disk.crash(with_power);
        let recovering = self.recovering > 0;
        self.owner = None;
        self.promises.forget();
        self.books.lost();
        self.recovering = 0;
        {
            let mut machine = lock(&self.machine);
            machine.report.hit(Hit::Crash(point, with_power));
            if recovering && point != CrashPoint::InRecovery {
                machine.report.hit(Hit::Crash(CrashPoint::InRecovery, with_power));
            }
            machine.outside_died(with_power);
        }
        self.open()
    }

    /// Begins an owner, as often as the disk makes it necessary.
    pub(super) fn open(&mut self) -> Verdict {
        for _ in 0..OPENINGS_MAX {
            self.disk.begin_life();
            lock(&self.machine).begin_life();
            match self.try_open() {
                Ok(()) => {
                    self.count_struck();
                    return self.take_over();
                }
                Err(Opening::Wrong(violation)) => return Err(violation),
                Err(Opening::Disk(error)) => self.could_not_open(&error)?,
            }
        }
        Err(Violation::new(Invariant::StoreIsSound, "the store cannot be opened any more"))
    }

    fn could_not_open(&mut self, error: &Error) -> Verdict {
        trace::line(|| format!("could not open: {error}"));
        self.owner = None;
        let was_full = self.disk.is_full();
        let struck = self.count_struck();
        let excused = !struck.is_empty() || was_full;
        demand(excused, Invariant::StoreIsSound, || format!("the store cannot be opened: {error}"))?;
        if self.disk.is_dead() {
            let power = struck.contains(&Fault::PowerFails);
            lock(&self.machine).report.hit(Hit::Crash(CrashPoint::InRecovery, power));
        }
        self.disk.crash(false);
        self.disk.make_room();
        Ok(())
    }

    fn try_open(&mut self) -> Result<(), Opening> {
        let file = self.disk.database();
        let mut journal = SqliteJournal::open_through(VFS, &file)?;
        if !self.is_stocked {
            let library = vec![Write { turn: None, rows: self.library() }];
            journal.commit(&library)?;
            self.store.committed(&library)?;
            self.is_stocked = true;
        }
        let reader = SqliteReader::open_through(VFS, &file)?;
        let late = self.store.compare(&reader, false)??;
        for write in &late {
            self.book(write)?;
        }
        let blobs = Arc::clone(&self.blobs);
        let parts = Parts {
            reader: Box::new(SqliteReader::open_through(VFS, &file)?),
            blobs,
            watcher: Watcher::default(),
            clock: Box::new(SimClock(Arc::clone(&self.machine))),
            performer: Box::new(SimPerformer(Arc::clone(&self.machine))),
            committer: Box::new(SimCommitter(Arc::clone(&self.machine))),
            mailbox: Box::new(SimMailbox(Arc::clone(&self.machine))),
        };
        let mut driver = Driver::new(parts)?;
        driver.keep_idle(IDLE_MAX);
        driver.snapshot_after(SNAPSHOT_EVENTS);
        self.owner = Some(Owner { driver, journal, reader, dirty: Vec::new() });
        Ok(())
    }

    /// The definitions under their names, for children.
    fn library(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (number, (program, text)) in self.programs.iter().enumerate() {
            let definition_hash = Hash::of(text.as_bytes());
            let head = &program.plan().workflow;
            rows.push(Row::Definition { hash: definition_hash, text: text.clone().into_bytes() });
            rows.push(Row::WorkflowAdded(NewVersion {
                path: format!("sim/w{number}"),
                workflow: head.id.clone(),
                name: head.name.clone(),
                description: head.description.clone(),
                version: head.version.clone(),
                definition_hash,
                added_at: Timestamp(0),
                actor: "sim".to_owned(),
            }));
        }
        rows
    }

    /// What an owner does first: kills what still runs, then takes on what is open.
    fn take_over(&mut self) -> Verdict {
        let owner = self.owner.as_ref().expect("it was opened just now");
        let children = owner.reader.children();
        let open = owner.reader.open_executions(None, OPEN_MAX);
        let (Ok(children), Ok(open)) = (children, open) else {
            // A fault struck in between: the owner gives up, as a real one does.
            self.count_struck();
            self.disk.make_room();
            self.disk.arm(None);
            return self.die(CrashPoint::InRecovery, false);
        };
        let tokens: Vec<Token> = children.into_iter().map(|row| row.token).collect();
        {
            let mut machine = lock(&self.machine);
            machine.report.owners += 1;
            machine.outside.kill(&tokens);
            let left = machine.outside.running.keys().next().cloned();
            demand(left.is_none(), Invariant::ChildrenOnRecord, || format!("{left:?} runs and is not on record"))?;
        }
        if !tokens.is_empty() {
            let rows = tokens.into_iter().map(|token| Row::ChildGone { token }).collect();
            self.ask(Promise::Taken(Deed::Adopt), |reply| Input::Rows(rows, reply));
        }
        // A real one does not fold those that only wait.
        let (reply, _) = tokio::sync::oneshot::channel();
        lock(&self.machine).mail.push_back(Input::TakeIdle(reply));
        let is_calm = lock(&self.machine).outside.is_calm;
        for row in open {
            // An owner that was not asked for all takes the others on when they are named.
            if is_calm || self.random.percent(85) {
                self.recovering += 1;
                self.adopt(row.local);
            }
        }
        Ok(())
    }

    pub(super) fn adopt(&mut self, local: LocalId) {
        self.ask(Promise::Taken(Deed::Adopt), |reply| Input::Adopt(local, reply));
    }

    /// Counts the faults of the disk that struck.
    pub(super) fn count_struck(&mut self) -> Vec<Fault> {
        let struck = self.disk.take_struck();
        if !struck.is_empty() {
            trace::line(|| format!("struck by {struck:?}"));
        }
        let mut machine = lock(&self.machine);
        struck.iter().for_each(|fault| machine.report.hit(Hit::Disk(*fault)));
        struck
    }
}

/// Why an owner could not begin.
enum Opening {
    Disk(Error),
    Wrong(Violation),
}

impl From<Error> for Opening {
    fn from(error: Error) -> Self {
        match error {
            Error::Corrupt(_) => Self::Wrong(Violation::new(Invariant::StoreIsSound, error.to_string())),
            other => Self::Disk(other),
        }
    }
}

impl From<Violation> for Opening {
    fn from(violation: Violation) -> Self {
        Self::Wrong(violation)
    }
}
