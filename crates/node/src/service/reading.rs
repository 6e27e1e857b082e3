//! Reading a data directory: with an owner, beside one, or without one. Never writes.

use skep_model::actor::Actor;
use skep_model::ids::ExecutionId;
use skep_store::sqlite::Access;
use skep_store::{ArchivedRow, DataDir, ExecutionRow, Filter, Found, Memory, Reader, SqliteReader, archive};

use crate::config::{Config, Validation};
use crate::error::Error;

/// The name of the newest execution.
const LATEST: &str = "@latest";

/// Reads of a data directory.
pub struct Reading {
    reader: Box<dyn Reader>,
    directory: DataDir,
    note: Option<String>,
}

impl Reading {
    /// Opens a data directory for reading; one without a store reads as empty.
    ///
    /// # Errors
    /// Trouble with the store's file.
    pub fn open(directory: &DataDir) -> Result<Self, Error> {
        let directory = directory.clone();
        if !directory.database().exists() {
            return Ok(Self { reader: Box::new(Memory::new()), directory, note: None });
        }
        let reader = SqliteReader::open(&directory)?;
        let note = match reader.access() {
            Access::Live => None,
            Access::Immutable => Some("the data directory is read-only: this is what it held when it was opened"),
            Access::Copy => Some("the data directory is read-only: this reads a copy of it"),
        };
        Ok(Self { reader: Box::new(reader), directory, note: note.map(str::to_owned) })
    }

    /// How the owner of this directory validates.
    ///
    /// # Errors
    /// [`Error::Config`] with the place of the problem.
    pub fn validation_settings(&self) -> Result<Validation, Error> {
        Config::load(self.directory.root())?.validation()
    }

    /// What a person should know about what they read, if anything.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    pub(crate) fn reader(&self) -> &dyn Reader {
        &*self.reader
    }

    pub(super) fn directory(&self) -> &DataDir {
        &self.directory
    }

    /// The list row of an execution, by id, unique prefix or `@latest`.
    pub(crate) fn find(&self, given: &str) -> Result<ExecutionRow, Error> {
        let nothing = || Error::NoSuchExecution { given: given.to_owned() };
        if given == LATEST {
            // The newest that somebody started; its children come with it.
            let filter = Filter { not_by: Some(Actor::Engine.label()), ..Filter::default() };
            return self.reader.list(&filter, None, 1)?.rows.pop().ok_or_else(nothing);
        }
        match self.reader.execution_by_prefix(given)? {
            Found::One(row) => Ok(*row),
            Found::None => Err(self.archived(given)?.map_or_else(nothing, |row| Error::Archived {
                execution: row.id.to_string(),
                file: self.directory.archive().join(row.file),
            })),
            Found::Several(ids) => Err(Error::AmbiguousExecution {
                given: given.to_owned(),
                candidates: ids.iter().map(ExecutionId::to_string).collect(),
            }),
        }
    }

    /// The archived execution whose id begins so.
    fn archived(&self, given: &str) -> Result<Option<ArchivedRow>, Error> {
        if given.is_empty() {
            return Ok(None);
        }
        let mut rows = self.reader.archived(given)?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            _ => Err(Error::AmbiguousExecution {
                given: given.to_owned(),
                candidates: rows.iter().map(|row| row.id.to_string()).collect(),
            }),
        }
    }

    /// An execution for reading, wherever it lies: in the store, or in its file of the archive.
    pub(crate) fn locate(&self, given: &str) -> Result<Located<'_>, Error> {
        let archived = match self.find(given) {
            Ok(row) => return Ok(Located { row, source: Source::Store(&*self.reader) }),
            Err(Error::Archived { .. }) => self.archived(given)?,
            Err(error) => return Err(error),
        };
        let nothing = || Error::NoSuchExecution { given: given.to_owned() };
        let memory = archive::read(&self.directory, &archived.ok_or_else(nothing)?.file)?;
        let row = memory.newest_execution()?.ok_or_else(nothing)?;
        Ok(Located { row, source: Source::Archive(memory) })
    }
}

/// An execution and where it is read.
pub(crate) struct Located<'a> {
    pub row: ExecutionRow,
    source: Source<'a>,
}

enum Source<'a> {
    Store(&'a dyn Reader),
    Archive(Memory),
}

impl Located<'_> {
    pub fn reader(&self) -> &dyn Reader {
        match &self.source {
            Source::Store(reader) => *reader,
            Source::Archive(memory) => memory,
        }
    }
}
