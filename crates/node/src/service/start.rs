//! Starting an execution: text -> checked plan, inputs -> checked values, then the message Start.

use std::sync::Arc;

use serde_json::Value;
use skep_definition::check::codes::INPUT_MISSING;
use skep_definition::inputs;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::ids::{ExecutionId, LocalId};
use skep_model::message::{Choices, Start};
use skep_model::plan::{Input as DeclaredInput, Kind, Plan};
use skep_model::problem::{Problem, Severity};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::definitions::{Definition, Refused};
use super::library::WorkflowEntry;
use super::reading::Reading;
use super::start_key;
use crate::codes;
use crate::driver::{Answer, Creation, Input};
use crate::error::Error;
use crate::owner::Node;

/// Where a definition comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Its text.
    Text {
        /// YAML or JSON.
        text: String,
        /// Name of the file, for messages.
        file: Option<String>,
    },
    /// The library.
    Library {
        /// Path, or the end of one.
        name: String,
        /// Number of the version; the newest if `None`.
        version: Option<u32>,
    },
}

/// What to start.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The definition.
    pub source: Source,
    /// Inputs with their types.
    pub inputs: Map<Value>,
    /// Inputs as text, read by their declared types.
    pub arguments: Vec<(String, String)>,
    /// Where relative paths of steps begin, absolute; a folder of the execution if `None`.
    pub base_dir: Option<String>,
    /// What steps get of the caller's environment.
    pub environment: Map<String>,
    /// Who.
    pub actor: Actor,
    /// The same key again is the same execution; `None`: the workflow's own template, if it has one.
    pub idempotency_key: Option<String>,
    /// What brought it about; null for a start by hand.
    pub event: Value,
    /// What was chosen over the definition.
    pub choices: Choices,
}

/// An execution that has durably started.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its id.
    pub execution: ExecutionId,
    /// What a person should know about the definition.
    pub warnings: Vec<Problem>,
    /// The definition's text, for excerpts.
    pub text: Arc<str>,
    /// Its file, for messages.
    pub file: Option<String>,
    /// Nothing was started: this execution was, with the same key.
    pub existing: bool,
}

/// A definition's text and where it came from.
pub(super) struct Found {
    pub text: String,
    pub file: Option<String>,
    pub entry: Option<WorkflowEntry>,
}

/// A start on its way to the disk.
#[must_use = "nobody is told of a start that nobody waits for"]
pub struct Starting<'n> {
    node: &'n Node,
    started: Started,
    answer: oneshot::Receiver<Answer>,
    has_folder: bool,
}

impl Starting<'_> {
    /// Returns when the start is durable.
    ///
    /// # Errors
    /// Trouble with the store, a key that stands for another start. Nothing was started then.
    pub fn wait(self) -> Result<Started, Error> {
        let receipt = self.answer.blocking_recv().map_err(|_| Error::Ending)??;
        let mut started = self.started;
        if receipt.existing {
            started.existing = true;
            started.execution = self.node.existing(receipt.local, &started.execution, self.has_folder)?;
        }
        Ok(started)
    }
}

impl Node {
    /// Starts an execution and returns when its start is durable.
    ///
    /// # Errors
    /// [`Error::InvalidDefinition`], [`Error::InvalidInputs`], unknown workflow, trouble with the store. Nothing
    /// was started then.
    pub fn start(&self, request: StartRequest) -> Result<Started, Error> {
        self.begin(request)?.wait()
    }

    /// Checks a start and hands it over; whether it became durable is said by [`Starting::wait`].
    ///
    /// # Errors
    /// [`Error::InvalidDefinition`], [`Error::InvalidInputs`], unknown workflow. Nothing was started then.
    pub fn begin(&self, request: StartRequest) -> Result<Starting<'_>, Error> {
        self.keeping.reserve.check(std::time::Instant::now())?;
        let found = self.found(request.source)?;
        let definition = self.definition(&found)?;
        let plan = definition.program.plan();
        let inputs = resolve_inputs(plan, &request.inputs, &request.arguments)?;
        let around = self.surroundings(&found, &definition, &inputs, &request.environment)?;
        let key = start_key::of_start(request.idempotency_key, plan, definition.hash, &inputs)?;
        let uuid = Uuid::now_v7();
        let execution = ExecutionId::new(uuid.to_string());
        let has_folder = request.base_dir.is_none();
        let start = Start {
            execution: execution.clone(),
            plan_hash: definition.program.hash(),
            definition_hash: definition.hash,
            inputs,
            base_dir: self.base_dir(request.base_dir, &execution)?.into(),
            environment: request.environment,
            actor: request.actor,
            event: request.event,
            parent: None,
            choices: request.choices,
            seed: u64::from_le_bytes(uuid.as_bytes()[8..].try_into().expect("a UUID has 16 bytes")),
        };
        let creation = Creation {
            start,
            program: Arc::clone(&definition.program),
            definition: Arc::clone(&definition.text),
            workflow_path: found.entry.map(|entry| entry.path),
            key,
        };
        let mut warnings = definition.warnings.clone();
        warnings.extend(around);
        warnings.extend(unconfined(plan));
        let (reply, answer) = oneshot::channel();
        self.send(Input::Create(Box::new(creation), reply))?;
        let text = Arc::clone(&definition.text);
        let started = Started { execution, warnings, text, file: found.file, existing: false };
        Ok(Starting { node: self, started, answer, has_folder })
    }

    fn found(&self, source: Source) -> Result<Found, Error> {
        match source {
            Source::Text { text, file } => Ok(Found { text, file, entry: None }),
            Source::Library { .. } => self.reading().definition_of(&source),
        }
    }

    fn definition(&self, found: &Found) -> Result<Arc<Definition>, Error> {
        let definition =
            self.definitions.checked(&found.text, self.catalogue(), self.validation.at_start()).map_err(|refused| {
                match refused {
                    Refused::Invalid(problems) => invalid(found, problems),
                    Refused::Broken(error) => error,
                }
            })?;
        if definition.program.plan().steps.iter().any(|step| matches!(step.kind, Kind::Workflow { .. })) {
            known_children(&self.reading(), found, definition.program.plan())?;
        }
        Ok(definition)
    }

    /// The execution that a key stands for; what was made for the one that did not begin is removed.
    fn existing(&self, local: LocalId, unused: &ExecutionId, has_folder: bool) -> Result<ExecutionId, Error> {
        if has_folder && let Ok(folder) = self.directory().work_of(unused) {
            // It is empty; if it cannot be removed it does no harm.
            drop(std::fs::remove_dir(folder));
        }
        let row = self.reading().reader().execution_by_local(local)?;
        row.map(|row| row.id).ok_or_else(|| Error::damaged(&local.0, "the execution of a key is missing"))
    }

    fn base_dir(&self, given: Option<String>, execution: &ExecutionId) -> Result<String, Error> {
        if let Some(given) = given {
            return absolute_folder(given);
        }
        let folder = self.directory().work_of(execution)?;
        std::fs::create_dir_all(&folder).map_err(|error| Error::BadRequest {
            message: format!("the folder {} could not be created: {error}", folder.display()),
            hint: "check the free space and the mode of the data directory".to_owned(),
        })?;
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Ok(folder.to_string_lossy().into_owned())
    }
}

/// Said once per execution as long as there is no sandbox.
fn unconfined(plan: &Plan) -> Option<Problem> {
    plan.steps.iter().any(|step| matches!(step.kind, Kind::Run { .. })).then(|| Problem {
        code: codes::UNCONFINED.id,
        severity: Severity::Warning,
        message: "scripts run without a sandbox, with all that you may do".to_owned(),
        place: None,
        hint: Some("run only workflows that you trust".to_owned()),
    })
}

fn absolute_folder(given: String) -> Result<String, Error> {
    let path = std::path::Path::new(&given);
    let problem = match (path.is_absolute(), path.is_dir()) {
        (true, true) => return Ok(given),
        (false, _) => "is not absolute",
        (true, false) => "is no folder",
    };
    Err(Error::BadRequest {
        message: format!("the working directory {given} {problem}"),
        hint: "give an existing folder with `--workdir`".to_owned(),
    })
}

/// Refuses a plan with a step whose workflow the library does not have.
pub(super) fn known_children(reading: &Reading, found: &Found, plan: &Plan) -> Result<(), Error> {
    let missing = reading.missing_children(plan)?;
    if missing.is_empty() { Ok(()) } else { Err(invalid(found, missing)) }
}

pub(super) fn invalid(found: &Found, problems: Vec<Problem>) -> Error {
    Error::InvalidDefinition { file: found.file.clone(), text: found.text.clone(), problems }
}

/// Inputs as the workflow declares them: texts read, defaults filled in, everything checked.
pub(super) fn resolve_inputs(
    plan: &Plan,
    given: &Map<Value>,
    arguments: &[(String, String)],
) -> Result<Map<Value>, Error> {
    let mut values = given.clone();
    let mut problems = Vec::new();
    for (name, text) in arguments {
        match parse(plan.inputs.get(name), text) {
            Ok(value) => drop(values.insert(name.clone(), value)),
            Err(problem) => problems.push(format!("{name}: {problem}")),
        }
    }
    if !problems.is_empty() {
        return Err(Error::InvalidInputs { problems });
    }
    inputs::resolve(&plan.inputs, &values).map_err(|problems| Error::InvalidInputs {
        problems: problems
            .into_iter()
            .map(|problem| match problem.hint {
                Some(hint) => format!("{} ({hint})", problem.message),
                None => problem.message,
            })
            .collect(),
    })
}

/// Some inputs as the workflow declares them, for a look at it: what is missing is no problem.
pub(super) fn read_arguments(plan: &Plan, arguments: &[(String, String)]) -> Result<Map<Value>, Vec<Problem>> {
    let mut values = Map::new();
    let mut problems = Vec::new();
    for (name, text) in arguments {
        match plan.inputs.get(name).map(|declared| inputs::parse_argument(declared, text)) {
            Some(Ok(value)) => drop(values.insert(name.clone(), value)),
            Some(Err(problem)) => problems.push(problem),
            // An unknown name is reported with all other problems.
            None => drop(values.insert(name.clone(), Value::String(text.clone()))),
        }
    }
    let resolved = inputs::resolve(&plan.inputs, &values).err().unwrap_or_default();
    problems.extend(resolved.into_iter().filter(|problem| problem.code != INPUT_MISSING.id));
    let problem = |problem: inputs::InputProblem| Problem {
        code: problem.code,
        severity: Severity::Error,
        message: problem.message,
        place: None,
        hint: problem.hint,
    };
    if problems.is_empty() { Ok(values) } else { Err(problems.into_iter().map(problem).collect()) }
}

fn parse(declared: Option<&DeclaredInput>, text: &str) -> Result<Value, String> {
    match declared {
        Some(declared) => inputs::parse_argument(declared, text).map_err(|problem| problem.message),
        // An unknown name is reported with all other problems.
        None => Ok(Value::String(text.to_owned())),
    }
}

impl Reading {
    /// The definition that a source names.
    pub(super) fn definition_of(&self, source: &Source) -> Result<Found, Error> {
        match source {
            Source::Text { text, file } => Ok(Found { text: text.clone(), file: file.clone(), entry: None }),
            Source::Library { name, version } => {
                let (entry, text) = self.workflow(name, *version)?;
                Ok(Found { text, file: Some(entry.path.clone()), entry: Some(entry) })
            }
        }
    }
}
