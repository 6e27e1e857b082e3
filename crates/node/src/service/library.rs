//! The library: named definitions with versions, found by the end of their path.

use skep_definition::{Workflow, load};
use skep_model::actor::Actor;
use skep_model::audit::{Entry, EventType};
use skep_model::ids::{Hash, slug};
use skep_model::time::Timestamp;
use skep_store::{NewVersion, Row, WorkflowVersion};

use super::Reading;
use super::start::{Found, invalid};
use crate::audit;
use crate::clock;
use crate::error::Error;
use crate::owner::Node;

/// Candidates that an error names.
const CANDIDATES_MAX: usize = 10;

/// A workflow of the library.
#[derive(Clone, Debug)]
pub struct WorkflowEntry {
    /// `category/name`, or what it was added as.
    pub path: String,
    /// From 1, grows with each changed text.
    pub number: u32,
    /// Id of the workflow.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Its version, as written.
    pub version: String,
    /// Hash of its text.
    pub definition_hash: Hash,
    /// When it was added.
    pub added_at: Timestamp,
    /// By whom.
    pub actor: String,
}

impl From<WorkflowVersion> for WorkflowEntry {
    fn from(row: WorkflowVersion) -> Self {
        Self {
            path: row.path,
            number: row.number,
            id: row.workflow,
            name: row.name,
            description: row.description,
            version: row.version,
            definition_hash: row.definition_hash,
            added_at: row.added_at,
            actor: row.actor,
        }
    }
}

impl Node {
    /// Adds a definition, or a new version of it. The same text again gives the same version.
    ///
    /// # Errors
    /// [`Error::InvalidDefinition`], a path that is none, trouble with the store.
    pub fn add_workflow(
        &self,
        text: String,
        file: Option<String>,
        path: Option<String>,
        actor: Actor,
    ) -> Result<WorkflowEntry, Error> {
        let report = super::validate(&text, skep_definition::check::Level::Basic, self.catalogue());
        if !report.valid {
            return Err(invalid(&Found { text, file, entry: None }, report.problems));
        }
        let workflow = load::load(&text).workflow.expect("a valid definition has a workflow");
        let (id, default_path) = place_of(&workflow);
        let path = library_path(path.unwrap_or(default_path))?;
        let (now, definition_hash) = (clock::now(), Hash::of(text.as_bytes()));
        let new = NewVersion {
            path: path.clone(),
            workflow: id,
            name: workflow.name,
            description: workflow.description,
            version: workflow.version.unwrap_or_else(|| "1.0.0".to_owned()),
            definition_hash,
            added_at: now,
            actor: actor.label(),
        };
        let entry = audit::by_person(now, EventType::WorkflowAdded, &actor, format!("added the workflow {path}"));
        let entry = Entry { workflow: Some(path.clone()), after: Some(definition_hash.to_string().into()), ..entry };
        let definition = Row::Definition { hash: definition_hash, text: text.into_bytes() };
        let before = self.reading().reader().workflow(&path, None)?.map(|row| row.definition_hash.to_string().into());
        let entry = Entry { before, ..entry };
        self.write_rows(vec![definition, Row::WorkflowAdded(new), audit::act(now, &entry)])?;
        let entry = self.reading().reader().workflow(&path, None)?;
        entry.map(Into::into).ok_or_else(|| Error::damaged(&path, "it is missing right after it was added"))
    }

    /// Takes a workflow off the list; its versions and executions stay readable.
    ///
    /// # Errors
    /// Unknown or ambiguous name, trouble with the store.
    pub fn remove_workflow(&self, name: &str, actor: &Actor) -> Result<String, Error> {
        let (now, found) = (clock::now(), self.reading().resolve(name)?);
        let path = found.path;
        let entry = audit::by_person(now, EventType::WorkflowRemoved, actor, format!("removed the workflow {path}"));
        let before = Some(found.definition_hash.to_string().into());
        let entry = Entry { workflow: Some(path.clone()), before, ..entry };
        self.write_rows(vec![Row::WorkflowRemoved { path: path.clone() }, audit::act(now, &entry)])?;
        Ok(path)
    }
}

/// Where a definition comes to stand in the library if nobody says where; `None` if it cannot be read.
pub fn library_path_of(text: &str) -> Option<String> {
    load::load(text).workflow.map(|workflow| place_of(&workflow).1)
}

/// The id of a workflow, and `category/id`.
fn place_of(workflow: &Workflow) -> (String, String) {
    let id = workflow.id.clone().unwrap_or_else(|| slug(&workflow.name));
    let category = workflow.category.as_deref().map(slug).filter(|category| !category.is_empty());
    let path = category.map_or_else(|| id.clone(), |category| format!("{category}/{id}"));
    (id, path)
}

fn library_path(path: String) -> Result<String, Error> {
    let good = |part: &str| {
        let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        !part.is_empty() && part.len() <= 64 && !part.starts_with('.') && part.chars().all(ok)
    };
    if path.len() <= 256 && path.split('/').all(good) {
        return Ok(path);
    }
    Err(Error::BadRequest {
        message: format!("`{path}` cannot be a path in the library"),
        hint: "use words of letters, digits, `_`, `-` and `.`, joined by `/`: `operations/backup`".to_owned(),
    })
}

impl Reading {
    /// The workflows of the library, newest version of each.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn workflows(&self) -> Result<Vec<WorkflowEntry>, Error> {
        Ok(self.reader().workflows()?.into_iter().map(Into::into).collect())
    }

    /// A workflow and its text: the newest version, or the given one.
    ///
    /// # Errors
    /// Unknown or ambiguous name, unknown version, trouble with the store.
    pub fn workflow(&self, name: &str, version: Option<u32>) -> Result<(WorkflowEntry, String), Error> {
        let newest = self.resolve(name)?;
        let entry = match version {
            None => newest,
            Some(number) => {
                let found = self.reader().workflow(&newest.path, Some(number))?;
                found.map(WorkflowEntry::from).ok_or_else(|| Error::BadRequest {
                    message: format!("`{}` has no version {number}", newest.path),
                    hint: format!("its newest is {}", newest.number),
                })?
            }
        };
        let text = self.reader().definition(entry.definition_hash)?;
        let text = text.ok_or_else(|| Error::damaged(&entry.path, "its text is missing in the store"))?;
        Ok((entry, String::from_utf8_lossy(&text).into_owned()))
    }

    /// All versions of a workflow, newest first.
    ///
    /// # Errors
    /// Unknown or ambiguous name, trouble with the store.
    pub fn workflow_versions(&self, name: &str) -> Result<Vec<WorkflowEntry>, Error> {
        let path = self.resolve(name)?.path;
        Ok(self.reader().workflow_versions(&path)?.into_iter().map(Into::into).collect())
    }

    /// The workflow that a name means: its whole path, else the end of it, else with the middle left out.
    fn resolve(&self, name: &str) -> Result<WorkflowEntry, Error> {
        resolve_in(self.workflows()?, name)
    }
}

/// The one of `all` that a name means.
pub(super) fn resolve_in(all: Vec<WorkflowEntry>, name: &str) -> Result<WorkflowEntry, Error> {
    let wanted: Vec<&str> = name.trim_matches('/').split('/').collect();
    let by = |fits: &dyn Fn(&[&str], &[&str]) -> bool| -> Vec<&WorkflowEntry> {
        all.iter().filter(|entry| fits(&entry.path.split('/').collect::<Vec<_>>(), &wanted)).collect()
    };
    for fits in [is_path, is_end, has_middle_left_out] {
        match by(&fits).as_slice() {
            [] => {}
            [one] => return Ok((*one).clone()),
            several => return Err(ambiguous(name, several)),
        }
    }
    let paths: Vec<&str> = all.iter().map(|entry| entry.path.as_str()).collect();
    let similar = skep_definition::suggest::nearest(name, paths.iter().copied());
    let similar = similar.map(|path| format!("`{path}`")).into_iter().collect();
    Err(Error::NoSuchWorkflow { given: name.to_owned(), similar })
}

fn is_path(path: &[&str], wanted: &[&str]) -> bool {
    path == wanted
}

fn is_end(path: &[&str], wanted: &[&str]) -> bool {
    path.ends_with(wanted)
}

/// `automation/daily_review` names `automation/code_maintenance/daily_review`.
fn has_middle_left_out(path: &[&str], wanted: &[&str]) -> bool {
    let mut rest = path.iter();
    path.last() == wanted.last() && wanted.iter().all(|part| rest.any(|other| other == part))
}

fn ambiguous(name: &str, several: &[&WorkflowEntry]) -> Error {
    let candidates = several.iter().take(CANDIDATES_MAX).map(|entry| entry.path.clone()).collect();
    Error::AmbiguousWorkflow { given: name.to_owned(), candidates }
}
