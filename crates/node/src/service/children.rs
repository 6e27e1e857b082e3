//! Workflows that steps start as child executions: found in the library, checked, and made ready to start.

use std::sync::Arc;

use skep_engine::Program;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::catalogue::Catalogue;
use skep_model::effect::Child;
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::ids::Hash;
use skep_model::limits;
use skep_model::message::{Choices, Parent, Start};
use skep_model::plan::{Kind, Plan};
use skep_model::problem::{Problem, Severity};
use skep_store::Reader;

use super::Reading;
use super::check::startable;
use super::library::{WorkflowEntry, resolve_in};
use super::start::resolve_inputs;
use crate::codes;
use crate::config::Validation;
use crate::driver::Creation;
use crate::error::{Class, Error};

/// A workflow of the library and its text: the newest version, the newest one that declares `version`, or the one
/// with that number.
pub(crate) fn find(reader: &dyn Reader, name: &str, version: Option<&str>) -> Result<(WorkflowEntry, String), Error> {
    let all = reader.workflows()?.into_iter().map(WorkflowEntry::from).collect();
    let newest = resolve_in(all, name)?;
    let entry = match version {
        None => newest,
        Some(version) => {
            let versions = reader.workflow_versions(&newest.path)?;
            let declared = versions.iter().find(|entry| entry.version == version);
            let numbered = || versions.iter().find(|entry| entry.number.to_string() == version);
            let found = declared.or_else(numbered).cloned().map(WorkflowEntry::from);
            found.ok_or_else(|| Error::BadRequest {
                message: format!("workflow `{}` has no version {version} in the library", newest.path),
                hint: format!("its newest is {} (number {})", newest.version, newest.number),
            })?
        }
    };
    let text = reader.definition(entry.definition_hash)?;
    let text = text.ok_or_else(|| Error::damaged(&entry.path, "its text is missing in the store"))?;
    Ok((entry, String::from_utf8_lossy(&text).into_owned()))
}

/// Everything that a child execution needs to start, or why it cannot.
pub(crate) fn creation(reader: &dyn Reader, catalogue: &Catalogue, child: &Child) -> Result<Creation, Box<Failure>> {
    if child.depth > limits::CHILD_DEPTH_MAX {
        let message = format!(
            "the child execution of step `{}` would be number {} below each other, at most {} are allowed",
            child.path,
            child.depth,
            limits::CHILD_DEPTH_MAX
        );
        let failure = Failure::new(FailureKind::Invalid, codes::CHILD_NOT_STARTED.id, message);
        return Err(Box::new(failure.with_hint("a workflow that starts itself needs a condition that ends it")));
    }
    prepare(reader, catalogue, child).map_err(|error| Box::new(failure_of(child, &error)))
}

fn prepare(reader: &dyn Reader, catalogue: &Catalogue, child: &Child) -> Result<Creation, Error> {
    let (entry, text) = find(reader, &child.workflow, child.version.as_deref())?;
    let checked = startable(&text, catalogue, Validation::default()).map_err(|problems| Error::InvalidDefinition {
        file: Some(entry.path.clone()),
        text: text.clone(),
        problems,
    })?;
    let given: Map<_> = match child.inputs.as_object() {
        Some(inputs) => inputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        None => {
            let problems = vec![format!("`inputs` of step `{}` is no object", child.path)];
            return Err(Error::InvalidInputs { problems });
        }
    };
    let inputs = resolve_inputs(&checked.plan, &given, &[])?;
    let program = Program::new(checked.plan).map_err(|bad| Error::damaged(&"the plan", bad))?;
    let definition_hash = Hash::of(text.as_bytes());
    let parent = Parent { execution: child.execution.clone(), path: child.path.clone(), depth: child.depth };
    let start = Start {
        execution: child.id.clone(),
        plan_hash: program.hash(),
        definition_hash,
        inputs,
        base_dir: child.base_dir.clone(),
        environment: child.environment.clone(),
        actor: Actor::Engine,
        event: serde_json::Value::Null,
        seed: seed_of(child),
        parent: Some(parent),
        choices: Choices::default(),
    };
    Ok(Creation {
        start,
        program: Arc::new(program),
        definition: text.into(),
        workflow_path: Some(entry.path),
        key: None,
    })
}

/// The same for the same child, so that a start that was lost and is made again is the same start.
fn seed_of(child: &Child) -> u64 {
    let digest = Hash::of(child.id.as_str().as_bytes());
    u64::from_le_bytes(digest.as_bytes()[..8].try_into().expect("a digest has 32 bytes"))
}

fn failure_of(child: &Child, error: &Error) -> Failure {
    let kind = match error.class() {
        Class::User => FailureKind::Invalid,
        Class::NotFound => FailureKind::NotFound,
        Class::Conflict | Class::Transient => FailureKind::Unavailable,
        Class::Full => FailureKind::ResourceLimit,
        Class::Corrupt => FailureKind::Bug,
    };
    let detail = match error {
        Error::InvalidDefinition { problems, .. } => {
            let first = problems.iter().find(|problem| problem.severity == Severity::Error);
            first.map(|problem| format!(" ({})", problem.message)).unwrap_or_default()
        }
        _ => String::new(),
    };
    let message = format!("workflow `{}` could not be started: {error}{detail}", child.workflow);
    Failure::new(kind, codes::CHILD_NOT_STARTED.id, message).with_hint(error.hint())
}

impl Reading {
    /// Steps of a plan whose workflow the library does not have, one problem each.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn missing_children(&self, plan: &Plan) -> Result<Vec<Problem>, Error> {
        let mut problems = Vec::new();
        for step in &plan.steps {
            let Kind::Workflow { name, version, .. } = &step.kind else { continue };
            match find(self.reader(), name, version.as_deref()) {
                Ok(_) => {}
                Err(error) if matches!(error.class(), Class::User | Class::NotFound) => {
                    problems.push(missing(&step.id, &error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(problems)
    }
}

/// What `validate` says of a definition beside a library: steps whose workflow that does not have (yet), as warnings.
/// Nothing for a text that has errors of its own.
///
/// # Errors
/// Trouble with the store.
pub fn library_warnings(text: &str, catalogue: &Catalogue, reading: &Reading) -> Result<Vec<Problem>, Error> {
    let Ok(checked) = startable(text, catalogue, Validation::default()) else { return Ok(Vec::new()) };
    let missing = reading.missing_children(&checked.plan)?;
    Ok(missing.into_iter().map(|problem| Problem { severity: Severity::Warning, ..problem }).collect())
}

fn missing(step: &str, error: &Error) -> Problem {
    Problem {
        code: codes::NO_SUCH_WORKFLOW.id,
        severity: Severity::Error,
        message: format!("step `{step}`: {error}"),
        place: None,
        hint: Some(format!("{}; `skep workflow add FILE` adds one", error.hint())),
    }
}
