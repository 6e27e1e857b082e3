//! `skep repair`: does what `skep verify` says that a repair would do, in rounds, until nothing is left that a program
//! can do.
//!
//! Needs the data directory for itself. Before anything changes, the database is copied into `repair-TIME/`; whatever
//! leaves its place goes there too. The only copy of anything is never removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use skep_definition::check::Level;
use skep_definition::load;
use skep_model::actor::Actor;
use skep_model::audit::EventType;
use skep_model::ids::{Hash, LocalId, slug};
use skep_model::payload::{BlobRef, NewBlob};
use skep_model::plan::PLAN_FORMAT;
use skep_model::time::Timestamp;
use skep_store::blobs::{Blobs, FolderBlobs};
use skep_store::check::{Finding, Mend};
use skep_store::sqlite::{Mender, recover};
use skep_store::{AsideRow, DataDir, OwnerLock, Reader, SqliteReader, logs};

use super::audit;
use super::check::startable;
use super::verify::{Rebuild, Trouble, Verified, verify};
use crate::config::Validation;
use crate::error::Error;
use crate::fold::{self, Programs};

/// Rounds of looking and mending: what is mended may show what lay behind it.
const ROUNDS_MAX: usize = 6;

/// What a repair did.
#[derive(Clone, Debug, Default)]
pub struct Repaired {
    /// Where copies and what was set aside lie; `None` if there was nothing to do.
    pub folder: Option<PathBuf>,
    /// What was done, in words.
    pub done: Vec<String>,
    /// What was wrong before.
    pub found: usize,
    /// What is still wrong.
    pub left: Verified,
}

/// Repairs a data directory that nobody owns now, for `actor`. `now` names the folder of the copies.
///
/// # Errors
/// Another process owns the directory; the copies cannot be made. Nothing was changed then.
pub fn repair(
    directory: &DataDir,
    now: Timestamp,
    actor: &Actor,
    progress: &mut dyn FnMut(&str),
) -> Result<Repaired, Error> {
    if !directory.root().is_dir() {
        return Ok(Repaired { left: verify(directory, progress), ..Repaired::default() });
    }
    let lock = OwnerLock::acquire(directory)?;
    let mut left = verify(directory, progress);
    let mut repaired = Repaired { found: left.findings.len(), ..Repaired::default() };
    if mends(&left.findings).is_empty() {
        return Ok(Repaired { left, ..repaired });
    }
    let folder = folder(directory, now)?;
    copy_database(directory, &folder)?;
    let mut work = Work { directory, folder: &folder, now, done: Vec::new(), tried: BTreeSet::new() };
    for _ in 0..ROUNDS_MAX {
        progress("mending");
        if !work.round(&left.findings) {
            break;
        }
        left = verify(directory, progress);
    }
    repaired.done = work.done;
    let facts = [("folder", folder.display().to_string()), ("done", repaired.done.len().to_string())];
    let entry = audit::entry_of(EventType::Repaired, actor, "repaired the data directory", &facts);
    if let Err(error) = audit::append(directory, &lock, entry) {
        repaired.done.push(format!("the repair could not be recorded in the audit: {error}"));
    }
    repaired.left = left;
    repaired.folder = Some(folder);
    Ok(repaired)
}

/// What can be done about the findings, in the order in which it is done.
fn mends(findings: &[Finding]) -> BTreeMap<Mend, &Finding> {
    let mendable = findings.iter().filter(|finding| !matches!(finding.mend, Mend::Nothing(_)));
    let mut mends = BTreeMap::new();
    for finding in mendable {
        mends.entry(finding.mend.clone()).or_insert(finding);
    }
    mends
}

fn folder(directory: &DataDir, now: Timestamp) -> Result<PathBuf, Error> {
    let moment = skep_definition::moment::print(now);
    let moment: String =
        moment.split('.').next().unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let mut folder = directory.root().join(format!("repair-{moment}"));
    let mut number = 1;
    while folder.exists() {
        number += 1;
        folder = directory.root().join(format!("repair-{moment}-{number}"));
    }
    fs::create_dir(&folder).map_err(file_error("creating the folder", &folder))?;
    Ok(folder)
}

fn file_error(attempt: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |cause| skep_store::data_dir::Error::File { attempt, path: path.to_owned(), cause }.into()
}

fn copy_database(directory: &DataDir, folder: &Path) -> Result<(), Error> {
    for name in ["skep.db", "skep.db-wal", "skep.db-shm"] {
        let source = directory.root().join(name);
        if source.is_file() {
            copy(&source, &folder.join(name))?;
        }
    }
    Ok(())
}

fn copy(source: &Path, target: &Path) -> Result<(), Error> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(file_error("creating the folder", parent))?;
    }
    fs::copy(source, target).map_err(file_error("copying", source))?;
    fs::File::open(target).and_then(|file| file.sync_all()).map_err(file_error("syncing", target))
}

struct Work<'a> {
    directory: &'a DataDir,
    folder: &'a Path,
    now: Timestamp,
    done: Vec<String>,
    /// What was tried in an earlier round is not tried again, but for what may have become possible.
    tried: BTreeSet<Mend>,
}

impl Work<'_> {
    /// True if something was done.
    fn round(&mut self, findings: &[Finding]) -> bool {
        let mends = mends(findings);
        // A store that must be recovered tells little else that can be trusted.
        let is_broken = mends.contains_key(&Mend::Recover) && !self.tried.contains(&Mend::Recover);
        let chosen = mends.into_iter().filter(|(mend, _)| !is_broken || *mend == Mend::Recover);
        let mut any = false;
        for (mend, finding) in chosen {
            let is_again = !self.tried.insert(mend.clone());
            if is_again && !matches!(mend, Mend::Row(_) | Mend::Counters) {
                continue;
            }
            match self.mend(&mend, finding) {
                Ok(words) => {
                    any = true;
                    self.done.push(words);
                }
                Err(error) => self.done.push(format!("{}: not mended: {error}", finding.place)),
            }
        }
        any
    }

    fn mend(&self, mend: &Mend, finding: &Finding) -> Result<String, Error> {
        let mender = || Mender::open(self.directory);
        match mend {
            Mend::Recover => self.recover(),
            Mend::Reindex => match mender()?.reindex() {
                Ok(()) => Ok("built the indexes anew".to_owned()),
                // A row that is there twice fits no index.
                Err(_) => self.recover(),
            },
            Mend::SetAside(local) => self.set_aside(*local, &finding.problem, false),
            Mend::Hold(local) => self.set_aside(*local, &finding.problem, true),
            Mend::Row(local) => self.row(*local),
            Mend::Plan(hash) => self.plan(*hash),
            Mend::Library(path) => self.library(path),
            Mend::Counters => mender()?.count().map(|()| "counted anew".to_owned()).map_err(Error::from),
            Mend::Snapshots => {
                mender()?.drop_snapshots().map(|()| "dropped the snapshots".to_owned()).map_err(Error::from)
            }
            Mend::Blob(hash) => self.blob(*hash),
            Mend::Log(path) => self.log(path),
            Mend::Child => {
                mender()?.drop_lost_children()?;
                Ok("dropped rows of processes without an execution".to_owned())
            }
            Mend::Nothing(words) => Ok((*words).to_owned()),
        }
    }

    fn recover(&self) -> Result<String, Error> {
        let recovered = recover(self.directory, self.folder)?;
        let mender = Mender::open(self.directory)?;
        mender.drop_snapshots()?;
        mender.forget_idle()?;
        let rows: Vec<String> = recovered.rows.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
        let mut words = format!("copied what can be read into a new store: {}", rows.join(", "));
        if recovered.rejected > 0 {
            words.push_str(&format!("; {} rows did not fit and are in rejected.jsonl", recovered.rejected));
        }
        if !recovered.lost.is_empty() {
            words.push_str(&format!("; lost: {}", recovered.lost.join(", ")));
        }
        Ok(words)
    }

    fn set_aside(&self, local: LocalId, reason: &str, keeps_turns: bool) -> Result<String, Error> {
        let row = AsideRow { execution: local, reason: reason.to_owned(), file: None, at: self.now };
        let mender = Mender::open(self.directory)?;
        let path = mender.set_aside(&row, keeps_turns, self.directory.root(), self.folder)?;
        let what = if keeps_turns { "held" } else { "set aside" };
        Ok(format!("{what} execution number {}: {reason}; its rows are in {}", local.0, path.display()))
    }

    /// The list row from the journal. What no event has (the path in the library) is taken from the old row.
    fn row(&self, local: LocalId) -> Result<String, Error> {
        let reader = SqliteReader::open(self.directory)?;
        let old = reader.execution_by_local(local).ok().flatten();
        let mut programs = Programs::default();
        let mut rebuild: Option<Rebuild> = None;
        fold::each_turn(&reader, local, 1, |turn| {
            let rebuild = match &mut rebuild {
                Some(rebuild) => rebuild,
                None => {
                    let plan = turn.events.iter().find_map(|event| match event {
                        skep_model::event::Event::Started(start) => Some(start.plan_hash),
                        _ => None,
                    });
                    let plan = plan.ok_or_else(|| Error::damaged(&local.0, "its first turn does not start it"))?;
                    rebuild.insert(Rebuild::new(&reader, &mut programs, plan)?)
                }
            };
            rebuild.apply(turn).map_err(|trouble| match trouble {
                Trouble::Newer(problem) | Trouble::Misfit(problem) => Error::damaged(&local.0, problem),
            })
        })?;
        let rebuild = rebuild.ok_or_else(|| Error::damaged(&local.0, "it has no turns"))?;
        drop(programs);
        let mut row = rebuild.finish().row;
        row.local = local;
        if let Some(old) = old {
            row.workflow_path = old.workflow_path;
        }
        Mender::open(self.directory)?.put_execution(&row)?;
        Ok(format!("made the row of execution {} from the journal: {}", row.id, row.status.as_str()))
    }

    /// A plan from its definition; the same text gives the same bytes. Without that, whoever needs it is held.
    fn plan(&self, hash: Hash) -> Result<String, Error> {
        let mender = Mender::open(self.directory)?;
        let reader = SqliteReader::open(self.directory)?;
        let executions = mender.executions_of(hash)?;
        let catalogue = crate::catalogue::build();
        // It was accepted once; what is looked at more closely today does not change its plan.
        let basic = Validation { level: Level::Basic, ..Validation::default() };
        for row in &executions {
            let Ok(Some(text)) = reader.definition(row.definition_hash) else { continue };
            let Ok(text) = String::from_utf8(text) else { continue };
            let Ok(found) = startable(&text, &catalogue, basic) else { continue };
            if found.plan.hash() == hash {
                mender.put_plan(hash, PLAN_FORMAT, &found.plan.to_bytes())?;
                return Ok(format!("made the plan {} from its definition", hash.short()));
            }
        }
        drop(reader);
        let path = mender.drop_plan(hash, self.folder)?;
        for row in &executions {
            self.set_aside(row.local, &format!("its plan {} is lost", hash.short()), true)?;
        }
        Ok(format!(
            "moved the plan {} to {}; {} executions need it and are held",
            hash.short(),
            path.display(),
            executions.len()
        ))
    }

    fn library(&self, path: &str) -> Result<String, Error> {
        let mender = Mender::open(self.directory)?;
        let reader = SqliteReader::open(self.directory)?;
        for mut version in mender.versions(path)? {
            let Ok(Some(text)) = reader.definition(version.definition_hash) else { continue };
            let text = String::from_utf8_lossy(&text).into_owned();
            let Some(workflow) = load::load(&text).workflow else { continue };
            version.workflow = workflow.id.clone().unwrap_or_else(|| slug(&workflow.name));
            version.name = workflow.name;
            version.description = workflow.description;
            version.version = workflow.version.unwrap_or_else(|| "1.0.0".to_owned());
            mender.put_version(&version)?;
        }
        mender.put_workflow(path)?;
        Ok(format!("made the rows of {path} in the library from their definitions"))
    }

    /// A value from another file that holds it, such as one that was exchanged with it.
    fn blob(&self, hash: Hash) -> Result<String, Error> {
        let blobs = FolderBlobs::new(self.directory);
        let kept = self.folder.join("blobs");
        for (name, content, path) in blobs.damaged()? {
            let target = kept.join(content.to_string());
            if !target.exists() {
                copy(&path, &target)?;
            }
            tracing::debug!("the blob {name} is kept as {}", target.display());
        }
        let source = kept.join(hash.to_string());
        let bytes = fs::read(&source).map_err(|_| Error::damaged(&hash, "no other file holds this value"))?;
        blobs.put(&NewBlob { reference: BlobRef { blob: hash, size_bytes: bytes.len() as u64 }, bytes })?;
        Ok(format!("copied the blob {hash} from a file with another name"))
    }

    fn log(&self, path: &str) -> Result<String, Error> {
        let file = self.directory.root().join(path);
        copy(&file, &self.folder.join(path))?;
        let (good, bad) = logs::bad_lines(&file)?;
        fs::write(&file, good).map_err(file_error("writing", &file))?;
        Ok(format!("took {bad} lines that cannot be read out of {path}"))
    }
}
