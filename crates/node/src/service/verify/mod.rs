//! `skep verify`: every page, row, hash, fold and file of a data directory, looked at and not changed.
//!
//! Works beside a live owner (one state of the store, nothing is removed meanwhile) and without one. What is wrong is
//! listed, never an error: garbage must not keep the rest from being looked at. Snapshots, where a store has them,
//! are discardable; one that does not fit is found by the references of its table.

mod executions;
mod files;

use std::path::PathBuf;

use skep_store::check::{Finding, Mend};
use skep_store::keep::Keep;
use skep_store::{DataDir, SqliteReader};

pub(super) use executions::{Executions, Rebuild, Trouble};

/// What a person can do where a file cannot be opened.
const PERMISSION: Mend = Mend::Nothing("make it readable and writable for this user");
const NEWER: Mend = Mend::Nothing("use the newer version of Skep");

/// What a check looked at and found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Executions that were folded.
    pub executions: u64,
    /// Their turns.
    pub turns: u64,
    /// Files of the archive.
    pub archived: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What a person should know although it is in order, such as executions that were set aside.
    pub notes: Vec<String>,
}

/// Checks a data directory. `progress` hears what is looked at now.
pub fn verify(directory: &DataDir, progress: &mut dyn FnMut(&str)) -> Verified {
    let _keep = Keep::shared(directory);
    let mut verified = Verified::default();
    if !directory.root().is_dir() {
        let place = directory.root().display().to_string();
        let mend = Mend::Nothing("name the right data directory");
        verified.findings.push(Finding::new("directory", place, "there is no such directory", mend));
        return verified;
    }
    progress("blobs");
    let damaged = files::damaged_blobs(directory, &mut verified.findings);
    progress("database");
    if let Some(reader) = open(directory, &mut verified.findings) {
        tables(directory, &reader, damaged, &mut verified, progress);
        progress("archive");
        files::archive(directory, &reader, &mut verified);
    }
    progress("logs");
    files::logs(directory, &mut verified.findings);
    progress("audit");
    files::audit(directory, &mut verified);
    verified
}

fn tables(
    directory: &DataDir,
    reader: &SqliteReader,
    damaged: Vec<(skep_model::ids::Hash, PathBuf)>,
    verified: &mut Verified,
    progress: &mut dyn FnMut(&str),
) {
    if let Err(error) = reader.freeze() {
        verified.findings.push(Finding::new("database", "skep.db", error, Mend::Recover));
        return;
    }
    let findings = &mut verified.findings;
    reader.inspect_pages(findings);
    progress("journal");
    let journal = reader.inspect_journal(findings);
    let listed = reader.inspect_list(findings);
    let plans = reader.inspect_texts(findings);
    reader.inspect_library(findings);
    reader.inspect_counters(findings);
    progress("executions");
    Executions::new(directory, reader, plans, damaged).check(&journal, &listed, verified);
}

/// Opens the store, or says why not.
fn open(directory: &DataDir, findings: &mut Vec<Finding>) -> Option<SqliteReader> {
    use skep_store::Error;
    let file = directory.database();
    let opened = SqliteReader::open(directory);
    let mend = match &opened {
        Ok(_) => None,
        Err(Error::NotFound { .. }) if !file.exists() && !has_content(directory) => return None,
        Err(Error::NotFound { .. } | Error::Corrupt(_) | Error::Other(_)) => Some(Mend::Recover),
        Err(Error::SchemaTooNew { .. }) => Some(NEWER),
        Err(Error::SchemaTooOld { .. }) => {
            Some(Mend::Nothing("start `skep serve` once: it brings the store up to date"))
        }
        // A truncated file is answered with an error of the system.
        Err(Error::Io(_)) if std::fs::File::open(&file).is_ok() => Some(Mend::Recover),
        Err(_) => Some(PERMISSION),
    };
    match (opened, mend) {
        (Ok(reader), _) => Some(reader),
        (Err(error), mend) => {
            findings.push(Finding::new("database", "skep.db", error, mend.unwrap_or(PERMISSION)));
            None
        }
    }
}

/// True if something was once run here.
fn has_content(directory: &DataDir) -> bool {
    let filled = |folder: PathBuf| std::fs::read_dir(folder).is_ok_and(|mut listing| listing.next().is_some());
    filled(directory.blobs()) || filled(directory.logs()) || filled(directory.archive())
}
