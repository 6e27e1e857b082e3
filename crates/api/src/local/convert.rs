//! Between the node's types and the wire: the only place that knows both spellings of failures and rows.

use skep_definition::{diagnostic, moment};
use skep_model::problem::{Problem, Severity};
use skep_node::service::{self, ExecutionSummary, WorkflowEntry};
use skep_node::{Error, ErrorClass};

use crate::local::desk::Desk;
use crate::wire::{Class, Failure, Report, Row, Settled, Validation, Workflow};

/// Exit code of a command that was given an invalid definition.
const EXIT_INVALID: u8 = 2;
/// What a text without a file is called in messages.
const UNNAMED: &str = "(definition)";

/// An error of the node as it travels.
pub fn failure_of(error: &Error) -> Failure {
    let class = match error.class() {
        ErrorClass::User => Class::User,
        ErrorClass::NotFound => Class::NotFound,
        ErrorClass::Conflict => Class::Conflict,
        ErrorClass::Transient => Class::Transient,
        ErrorClass::Corrupt => Class::Corrupt,
        ErrorClass::Full => Class::Full,
    };
    let mut failure = Failure::new(error.code().id, class, error.to_string(), error.hint());
    if let Error::InvalidDefinition { file, text, problems } = error {
        failure.exit = EXIT_INVALID;
        failure.report = Some(Box::new(report_of(problems, text, file.as_deref())));
    }
    failure
}

/// Problems of a definition as they travel: `text` is its source, `file` its name as the person gave it.
pub fn report_of(problems: &[Problem], text: &str, file: Option<&str>) -> Report {
    let file = file.unwrap_or(UNNAMED);
    let of = |severity: Severity| {
        let chosen = problems.iter().filter(|problem| problem.severity == severity);
        chosen.map(|problem| diagnostic::one_to_json(problem, file)).take(skep_model::limits::PROBLEMS_MAX).collect()
    };
    Report {
        valid: !problems.iter().any(|problem| problem.severity == Severity::Error),
        errors: of(Severity::Error),
        warnings: of(Severity::Warning),
        text: diagnostic::render(problems, text, file, true),
    }
}

/// What a validation found, as it travels: `text` is the definition's source, `file` its name.
pub fn validation_of(found: &service::Validation, text: &str, file: &str) -> Validation {
    let suggestions = found.problems.iter().filter(|problem| problem.severity == Severity::Suggestion);
    let suggestions = suggestions.map(|problem| diagnostic::one_to_json(problem, file));
    Validation {
        report: Report { valid: found.valid, ..report_of(&found.problems, text, Some(file)) },
        suggestions: suggestions.take(skep_model::limits::PROBLEMS_MAX).collect(),
        level: found.level.as_str().to_owned(),
        confidence: found.confidence,
        validation_time: found.validation_time,
        checks_performed: found.checks_performed.iter().map(|&name| name.to_owned()).collect(),
        metadata: found.metadata.clone(),
    }
}

/// `desk` knows whether anybody performs it.
pub(super) fn row_of(desk: &Desk, row: ExecutionSummary) -> Row {
    let interrupted = match desk {
        Desk::Owner(node, _) => node.watcher().is_left(row.local),
        Desk::Reader(_) => service::would_move(row.status, row.waiting.as_deref()),
    };
    Row {
        execution_id: row.id,
        workflow: row.workflow,
        version: row.version,
        status: row.status,
        started_at: moment::print(row.started_at),
        ended_at: row.ended_at.map(moment::print),
        waiting: row.waiting,
        error: row.error,
        actor: row.actor,
        is_child: row.is_child,
        interrupted,
    }
}

pub(super) fn workflow_of(entry: WorkflowEntry) -> Workflow {
    Workflow {
        path: entry.path,
        number: entry.number,
        id: entry.id,
        name: entry.name,
        description: entry.description,
        version: entry.version,
        definition_hash: entry.definition_hash.to_string(),
        added_at: moment::print(entry.added_at),
        actor: entry.actor,
    }
}

pub(super) fn settled_of(summary: skep_node::Summary) -> Settled {
    Settled { status: summary.status, waits_for_people: summary.waits_for_people }
}
