//! `skep audit`: reading and checking the audit. The files tell everything, so no owner is needed; one that runs is asked
//! first to record what is committed ([`Node::pass_audit`]).

use std::ops::ControlFlow;

use skep_definition::moment;
use skep_model::actor::Actor;
use skep_model::audit::{Entry, EventType, Record, Severity};
use skep_model::time::Timestamp;
use skep_store::audit::{self, Log, Verified};
use skep_store::{DataDir, OwnerLock, Reader, SqliteReader};

use crate::audit::by_person;
use crate::clock;
use crate::config::Config;
use crate::error::Error;
use crate::owner::Node;

/// Which records to list. The default is all of them.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// At this moment or later.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Of one of these kinds; empty: of any.
    pub event_types: Vec<EventType>,
    /// Of the execution whose id begins so.
    pub execution: Option<String>,
    /// By whom: a label such as `ada` or `engine`.
    pub actor: Option<String>,
    /// At least so bad.
    pub severity: Option<Severity>,
    /// At most so many.
    pub limit: usize,
}

impl AuditQuery {
    fn admits(&self, entry: &Entry) -> bool {
        let execution = self.execution.as_deref();
        let of_execution = |prefix: &str| entry.execution_id.as_deref().is_some_and(|id| id.starts_with(prefix));
        (self.event_types.is_empty() || self.event_types.contains(&entry.event_type))
            && self.severity.is_none_or(|least| entry.severity >= least)
            && self.actor.as_ref().is_none_or(|actor| entry.actor.label() == *actor)
            && execution.is_none_or(of_execution)
            && self.is_in_time(entry)
    }

    fn is_in_time(&self, entry: &Entry) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let Some(at) = moment::parse(&entry.timestamp) else { return false };
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

/// What a check of the audit found.
#[derive(Clone, Debug, Default)]
pub struct AuditVerified {
    /// The chain, record by record.
    pub chain: Verified,
    /// What a person should know although it is in order.
    pub notes: Vec<String>,
}

/// The newest records that `query` admits, newest first.
///
/// # Errors
/// A configuration that cannot be used, trouble with the files.
pub fn audit_list(directory: &DataDir, query: &AuditQuery) -> Result<Vec<Record>, Error> {
    let place = Config::load(directory.root())?.audit_place(directory);
    let mut records = Vec::new();
    let mut take = |record: &Record, _: &str| {
        if records.len() >= query.limit {
            return ControlFlow::Break(());
        }
        if query.admits(&record.entry) {
            records.push(record.clone());
        }
        ControlFlow::Continue(())
    };
    audit::newest_first(&place, &mut take)?;
    Ok(records)
}

/// Calls `each` with the line of every record that `query` admits, oldest first, until it breaks.
///
/// # Errors
/// A configuration that cannot be used, trouble with the files.
pub fn audit_export(
    directory: &DataDir,
    query: &AuditQuery,
    each: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<(), Error> {
    let place = Config::load(directory.root())?.audit_place(directory);
    audit::oldest_first(&place, &mut |record, line| match query.admits(&record.entry) {
        true => each(line),
        false => ControlFlow::Continue(()),
    })?;
    Ok(())
}

/// Checks every record of the audit, and changes nothing.
///
/// # Errors
/// A configuration that cannot be used: where the key is cannot be told then.
pub fn audit_verify(directory: &DataDir) -> Result<AuditVerified, Error> {
    let config = Config::load(directory.root())?;
    let chain = audit::verify(&config.audit_place(directory));
    let mut verified = AuditVerified { chain, notes: Vec::new() };
    if config.audit(directory).is_none() {
        verified.notes.push("`audit.enabled` is false in config.toml: nothing is recorded now".to_owned());
    }
    if verified.chain.unfinished_bytes > 0 {
        let bytes = verified.chain.unfinished_bytes;
        verified.notes.push(format!("{bytes} bytes at the end are no record yet: a crash, or the owner is writing"));
    }
    if verified.chain.is_whole() && verified.chain.segments == 0 && has_turns(directory) {
        verified
            .notes
            .push("the journal has turns and the audit has no records: no owner has recorded here".to_owned());
    }
    Ok(verified)
}

fn has_turns(directory: &DataDir) -> bool {
    SqliteReader::open(directory).and_then(|reader| reader.last_position()).is_ok_and(|position| position.0 > 0)
}

/// Records what `actor` did to a data directory that nobody owns now.
///
/// # Errors
/// [`Error::Owned`] if somebody does: they have to record it. Trouble with the files.
pub fn record_directly(
    directory: &DataDir,
    kind: EventType,
    actor: &Actor,
    message: &str,
    details: &[(&str, String)],
) -> Result<(), Error> {
    let lock = OwnerLock::acquire(directory)?;
    append(directory, &lock, entry_of(kind, actor, message, details))
}

/// Appends a record as the owner that the caller is.
pub(super) fn append(directory: &DataDir, _lock: &OwnerLock, entry: Entry) -> Result<(), Error> {
    let Some(place) = Config::load(directory.root())?.audit(directory) else { return Ok(()) };
    let (mut log, found) = Log::open(&place)?;
    for entry in crate::audit::of_opening(clock::now(), &found) {
        log.append(None, entry, log.cursor())?;
    }
    log.append(None, entry, log.cursor())?;
    Ok(log.seal()?)
}

pub(super) fn entry_of(kind: EventType, actor: &Actor, message: &str, details: &[(&str, String)]) -> Entry {
    let entry = by_person(clock::now(), kind, actor, message);
    details.iter().fold(entry, |entry, (name, value)| entry.with(name, value.as_str()))
}

impl Node {
    /// Records everything that is committed by now in the audit.
    ///
    /// # Errors
    /// The audit cannot be written.
    pub fn pass_audit(&self) -> Result<(), Error> {
        self.audit.pass().map(drop)
    }

    /// Records what `actor` did with the data directory outside of any execution.
    ///
    /// # Errors
    /// The audit cannot be written.
    pub fn record(
        &self,
        kind: EventType,
        actor: &Actor,
        message: &str,
        details: &[(&str, String)],
    ) -> Result<(), Error> {
        let entry = entry_of(kind, actor, message, details);
        self.write_rows(vec![crate::audit::act(clock::now(), &entry)])?;
        self.pass_audit()
    }

    /// Records that a caller was refused at the door: who, and from where.
    pub fn record_refusal(&self, actor: Actor, source: String) {
        self.audit.refused(actor, source);
    }
}
