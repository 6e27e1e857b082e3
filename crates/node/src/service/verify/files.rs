//! Files beside the database: blobs, logs, the archive.

use std::fs;
use std::path::{Path, PathBuf};

use skep_model::ids::Hash;
use skep_store::blobs::FolderBlobs;
use skep_store::check::{Finding, Mend};
use skep_store::{DataDir, Reader, SqliteReader, archive as archived, logs as segments};

use super::{PERMISSION, Verified};
use crate::fold::{self, Programs};
use crate::service;

const RESTORE: Mend = Mend::Nothing("restore the file from a backup");

/// Values whose content has not the hash of their name.
pub(super) fn damaged_blobs(directory: &DataDir, findings: &mut Vec<Finding>) -> Vec<(Hash, PathBuf)> {
    match FolderBlobs::new(directory).damaged() {
        Ok(damaged) => {
            let found = damaged.iter().map(|(name, _, path)| {
                let problem = "its content has another hash";
                Finding::new("blob", relative(directory, path), problem, Mend::Blob(*name))
            });
            findings.extend(found);
            damaged.into_iter().map(|(name, _, path)| (name, path)).collect()
        }
        Err(error) => {
            findings.push(Finding::new("blob", "blobs", error, PERMISSION));
            Vec::new()
        }
    }
}

pub(super) fn relative(directory: &DataDir, path: &Path) -> String {
    path.strip_prefix(directory.root()).unwrap_or(path).display().to_string()
}

/// Every line of every log is a record, and no segment is missing between two.
pub(super) fn logs(directory: &DataDir, findings: &mut Vec<Finding>) {
    let listing = match fs::read_dir(directory.logs()) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => return findings.push(Finding::new("log", "logs", error, PERMISSION)),
    };
    for folder in listing.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match segments::segments(&folder) {
            Err(error) => findings.push(Finding::new("log", relative(directory, &folder), error, PERMISSION).of(name)),
            Ok(numbered) => {
                for (expected, (number, path)) in (1..).zip(&numbered) {
                    findings.extend(segment(directory, expected, *number, path).map(|finding| finding.of(&name)));
                }
            }
        }
    }
}

fn segment(directory: &DataDir, expected: u32, number: u32, path: &Path) -> Option<Finding> {
    let place = relative(directory, path);
    match segments::bad_lines(path) {
        Err(error) => Some(Finding::new("log", place, error, PERMISSION)),
        Ok((_, 0)) if number == expected => None,
        Ok((_, 0)) => {
            let mend = Mend::Nothing("nothing: what counts of a step's output is in the journal");
            Some(Finding::new("log-missing", place, format!("segment {expected} before it is missing"), mend))
        }
        Ok((_, bad)) => {
            let problem = format!("{bad} lines cannot be read");
            Some(Finding::new("log", place.clone(), problem, Mend::Log(place)))
        }
    }
}

/// Every file that the list of the archive names is whole and folds.
pub(super) fn archive(directory: &DataDir, reader: &SqliteReader, verified: &mut Verified) {
    let files = match reader.archive_files() {
        Ok(files) => files,
        Err(error) => return verified.findings.push(Finding::new("pages", "archived", error, Mend::Recover)),
    };
    for (id, file) in files {
        verified.archived += 1;
        let problem = archived::read(directory, &file).map_err(|error| error.to_string()).and_then(|memory| {
            let row = memory.newest_execution().map_err(|error| error.to_string())?;
            let row = row.ok_or_else(|| "it has no execution".to_owned())?;
            fold::live(&memory, &mut Programs::default(), row.local).map_err(|error| error.to_string())?;
            if row.id.as_str() == id { Ok(()) } else { Err(format!("it is execution {}", row.id)) }
        });
        if let Err(problem) = problem {
            verified.findings.push(Finding::new("archive", format!("archive/{file}"), problem, RESTORE).of(id));
        }
    }
}

/// Every record of the audit hangs on the one before it. Nothing can mend it: that is its purpose.
pub(super) fn audit(directory: &DataDir, verified: &mut Verified) {
    const KEEP: Mend =
        Mend::Nothing("nothing: keep the files and find out who changed them; `skep audit verify` says more");
    match service::audit_verify(directory) {
        Err(error) => verified.findings.push(Finding::new("audit", "config.toml", error, PERMISSION)),
        Ok(found) => {
            if let Some(bad) = &found.chain.first_bad {
                let line = bad.line.map_or_else(String::new, |line| format!(":{line}"));
                let place = format!("audit/{}{line}", bad.file);
                verified.findings.push(Finding::new("audit", place, &bad.why, KEEP));
            }
            verified.notes.extend(found.notes);
        }
    }
}
