//! `skep prune`, and what an owner does by itself every hour: old executions leave for the archive, old archive files
//! and unused values are removed.
//!
//! The moment is an argument, so that tests need not wait. Everything is done in small steps through the writer, so
//! executions that run are not held up; whatever a crash interrupts is finished the next time.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use skep_model::actor::Actor;
use skep_model::audit::EventType;
use skep_model::ids::{ExecutionId, LocalId};
use skep_model::time::Timestamp;
use skep_store::keep::Keep;
use skep_store::{ArchivedRow, ExecutionRow, Reader, Retire, Row, SqliteReader, archive};

use crate::audit;
use crate::clock;
use crate::error::Error;
use crate::owner::Node;

/// Executions looked up at a time.
const EXECUTIONS_PER_PAGE: usize = 50;
/// Turns that leave the journal with one commit: a few milliseconds.
const TURNS_PER_COMMIT: u32 = 1_000;
/// What a dry run counts at most.
const COUNTED_MAX: usize = 10_000;

/// What left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Executions moved into the archive.
    pub archived: u64,
    /// Archive files removed.
    pub deleted: u64,
    /// Values removed.
    pub blobs: u64,
    /// Bytes of these values.
    pub blob_bytes: u64,
    /// Executions that could not be archived, with the reason; they stay as they are.
    pub failed: Vec<String>,
    /// True if nothing was done because somebody copies or checks the data directory now.
    pub busy: bool,
}

impl Node {
    /// Archives and cleans up what is old at `now`, for `actor`. With `dry_run` it is only counted. What the audit has
    /// not recorded yet is recorded before it leaves.
    ///
    /// # Errors
    /// Trouble with the store or the files; what was done until then stays done.
    pub fn prune(&self, now: Timestamp, dry_run: bool, actor: &Actor) -> Result<Pruned, Error> {
        let Some(_keep) = Keep::exclusive(self.directory())? else {
            return Ok(Pruned { busy: true, ..Pruned::default() });
        };
        let reader = SqliteReader::open(self.directory())?;
        let mut pruned = Pruned::default();
        if dry_run {
            self.count(&reader, now, &mut pruned)?;
        } else {
            self.finish_leaving(&reader)?;
            self.archive_old(&reader, now, &mut pruned)?;
            self.delete_old(&reader, now, &mut pruned)?;
            if pruned.archived > 0 {
                self.retire(Retire::Unused)?;
            }
            self.record_pruned(&pruned, actor)?;
        }
        if self.is_ending() {
            return Ok(pruned);
        }
        let then = UNIX_EPOCH + Duration::from_micros(u64::try_from(now.0).unwrap_or(0));
        // The wall clock may have been set back; a value is never taken for older than it is.
        let then = then.min(SystemTime::now());
        let collected = self.keeping.blobs.collect(then, dry_run, |marks| {
            reader.each_text(&mut |text| marks.keep_named_in(text)).map_err(Error::from)
        })?;
        (pruned.blobs, pruned.blob_bytes) = (collected.blobs, collected.bytes);
        Ok(pruned)
    }

    /// Lets a clean-up that is at work end after the execution that it is at.
    pub fn stop_pruning(&self) {
        self.keeping.ending.store(true, Ordering::Relaxed);
    }

    fn is_ending(&self) -> bool {
        self.keeping.ending.load(Ordering::Relaxed)
    }

    fn count(&self, reader: &SqliteReader, now: Timestamp, pruned: &mut Pruned) -> Result<(), Error> {
        if let Some(before) = self.keeping.retention.archive_before(now) {
            pruned.archived = reader.finished_before(before, COUNTED_MAX)?.len() as u64;
        }
        if let Some(before) = self.keeping.retention.delete_before(now) {
            pruned.deleted = reader.archived_before(before, COUNTED_MAX)?.len() as u64;
        }
        Ok(())
    }

    fn retire(&self, retire: Retire) -> Result<(), Error> {
        self.write_rows(vec![Row::Retire(retire)])
    }

    /// In the audit, if anything left; acts that have their records leave too.
    fn record_pruned(&self, pruned: &Pruned, actor: &Actor) -> Result<(), Error> {
        let Some(cursor) = self.audit.pass()? else { return Ok(()) };
        let mut rows = Vec::new();
        if !self.reading().reader().acts(0, 1)?.is_empty() {
            rows.push(Row::Retire(Retire::Acts { through: cursor.act }));
        }
        if pruned.archived + pruned.deleted > 0 {
            let now = clock::now();
            let entry = audit::by_person(now, EventType::Pruned, actor, "old executions left the store")
                .with("archived", pruned.archived)
                .with("deleted", pruned.deleted)
                .with("not_archived", pruned.failed.len());
            rows.push(audit::act(now, &entry));
        }
        if rows.is_empty() { Ok(()) } else { self.write_rows(rows) }
    }

    /// What an owner that died had begun.
    fn finish_leaving(&self, reader: &SqliteReader) -> Result<(), Error> {
        loop {
            let page = reader.leaving(EXECUTIONS_PER_PAGE)?;
            if page.is_empty() || self.is_ending() {
                return Ok(());
            }
            for row in page {
                self.drop_turns(reader, row.local)?;
                self.drop_logs(&row.id)?;
            }
        }
    }

    fn archive_old(&self, reader: &SqliteReader, now: Timestamp, pruned: &mut Pruned) -> Result<(), Error> {
        let Some(before) = self.keeping.retention.archive_before(now) else { return Ok(()) };
        let mut failed: Vec<LocalId> = Vec::new();
        loop {
            let page = reader.finished_before(before, EXECUTIONS_PER_PAGE + failed.len())?;
            let page: Vec<_> = page.into_iter().filter(|row| !failed.contains(&row.local)).collect();
            if page.is_empty() || self.is_ending() {
                return Ok(());
            }
            // All turns of these are committed, so they all have their records after this.
            self.audit.pass()?;
            for row in page {
                match self.archive(reader, &row, now) {
                    Ok(()) => pruned.archived += 1,
                    Err(error) => {
                        tracing::error!(execution = %row.id, "not archived: {error}");
                        failed.push(row.local);
                        pruned.failed.push(format!("{}: {error}", row.id));
                    }
                }
            }
        }
    }

    fn archive(&self, reader: &SqliteReader, row: &ExecutionRow, now: Timestamp) -> Result<(), Error> {
        let written = archive::write(self.directory(), reader, row)?;
        // What was written must be readable before the original goes.
        archive::read(self.directory(), &written.file)?;
        self.retire(Retire::Archived(ArchivedRow {
            id: row.id.clone(),
            local: row.local,
            file: written.file,
            turns: written.turns,
            ended_at: row.ended_at.unwrap_or(row.updated_at),
            archived_at: now,
        }))?;
        self.drop_turns(reader, row.local)?;
        self.drop_logs(&row.id)
    }

    fn drop_turns(&self, reader: &SqliteReader, execution: LocalId) -> Result<(), Error> {
        while !reader.has_no_turns(execution)? {
            self.retire(Retire::Turns { execution, limit: TURNS_PER_COMMIT })?;
        }
        Ok(())
    }

    fn drop_logs(&self, execution: &ExecutionId) -> Result<(), Error> {
        remove_if_there(&self.directory().logs_of(execution)?, |path| std::fs::remove_dir_all(path))
    }

    fn delete_old(&self, reader: &SqliteReader, now: Timestamp, pruned: &mut Pruned) -> Result<(), Error> {
        let Some(before) = self.keeping.retention.delete_before(now) else { return Ok(()) };
        loop {
            let page = reader.archived_before(before, EXECUTIONS_PER_PAGE)?;
            if page.is_empty() || self.is_ending() {
                return Ok(());
            }
            for row in page {
                // The file first: a row without a file is met again, a file without a row never.
                remove_if_there(&self.directory().archive().join(&row.file), |path| std::fs::remove_file(path))?;
                self.retire(Retire::Gone { id: row.id })?;
                pruned.deleted += 1;
            }
        }
    }
}

fn remove_if_there(
    path: &std::path::Path,
    remove: impl FnOnce(&std::path::Path) -> std::io::Result<()>,
) -> Result<(), Error> {
    match remove(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(skep_store::data_dir::Error::File { attempt: "removing", path: path.to_owned(), cause }.into())
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
