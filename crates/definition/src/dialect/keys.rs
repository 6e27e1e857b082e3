//! The keys of the three spellings, as far as the rewriting needs them, and what is said about others.

use super::codes;
use super::detect::Spelling;
use super::make::Report;
use crate::keys::{Role, STEP};
use crate::tree::Entry;

/// The keys of which each says what a canonical step does.
pub(super) fn canonical_kinds() -> impl Iterator<Item = &'static str> {
    STEP.iter().filter(|key| key.role == Role::Kind).map(|key| key.name)
}

/// The keys that canonical steps of every kind share, `id` and `name` not among them.
pub(super) fn canonical_common() -> impl Iterator<Item = &'static str> {
    let shared = STEP.iter().filter(|key| key.role != Role::Kind && key.kinds.is_empty());
    shared.map(|key| key.name).filter(|name| !["id", "name"].contains(name))
}

/// Workflow keys that a library file may use beside its own, as in the canonical spelling.
pub(super) const LIBRARY_WORKFLOW_EXTRAS: &[&str] = &[
    "inputs",
    "outputs",
    "env",
    "vars",
    "concurrency",
    "rollback",
    "max_parallel",
    "timeout",
    "on_cancel",
    "policy",
    "idempotency",
];

/// Keys at the top of a template that only describe or observe.
pub(super) const TEMPLATE_WORKFLOW_NOTES: &[&str] = &[
    "trigger_conditions",
    "notification_settings",
    "prerequisites",
    "environment_requirements",
    "created_at",
    "updated_at",
    "success_rate",
    "usage_count",
    "last_used",
];

/// Keys at the top of a template.
pub(super) const TEMPLATE_WORKFLOW: &[&str] = &[
    "id",
    "name",
    "description",
    "category",
    "version",
    "author",
    "tags",
    "steps",
    "estimated_duration",
    "parameters",
    "approval_required",
    "rollback_enabled",
    "trigger_conditions",
    "notification_settings",
    "prerequisites",
    "environment_requirements",
    "created_at",
    "updated_at",
    "success_rate",
    "usage_count",
    "last_used",
];

/// Keys of a template's step that only describe, or tell of a past run.
pub(super) const TEMPLATE_STEP_NOTES: &[&str] =
    &["parallel_group", "retry_count", "status", "start_time", "end_time", "result", "error_message"];

/// Keys of a template's step.
pub(super) const TEMPLATE_STEP: &[&str] = &[
    "id",
    "name",
    "description",
    "command",
    "parameters",
    "required_capabilities",
    "timeout_seconds",
    "retry_count",
    "max_retries",
    "depends_on",
    "parallel_group",
    "rollback_command",
    "rollback_parameters",
    "validation_checks",
    "success_criteria",
    "status",
    "start_time",
    "end_time",
    "result",
    "error_message",
];

/// Keys of which one at the top tells a template.
pub(super) const TEMPLATE_WORKFLOW_TELLS: &[&str] =
    &["approval_required", "rollback_enabled", "trigger_conditions", "parameters", "usage_count", "success_rate"];

/// Keys of which one in a step tells a template.
pub(super) const TEMPLATE_STEP_TELLS: &[&str] =
    &["command", "parameters", "timeout_seconds", "max_retries", "rollback_command", "rollback_parameters"];

/// Keys at the top of a library file.
pub(super) const LIBRARY_WORKFLOW: &[&str] = &[
    "metadata",
    "ai_config",
    "triggers",
    "steps",
    "error_handling",
    "monitoring",
    "finally",
    "defaults",
    "inputs",
    "outputs",
    "env",
    "vars",
    "concurrency",
    "rollback",
    "max_parallel",
    "timeout",
    "on_cancel",
    "policy",
    "idempotency",
];

/// Keys of `metadata`.
pub(super) const LIBRARY_METADATA: &[&str] = &["id", "name", "description", "version", "category", "author", "tags"];

/// Keys of a library step.
pub(super) const LIBRARY_STEP: &[&str] = &["id", "name", "description", "type", "ai_assisted", "config", "conditions"];

/// Keys of which one in a step tells a library file.
pub(super) const LIBRARY_STEP_TELLS: &[&str] = &["config", "conditions"];

/// Step types of a library file.
pub(super) const LIBRARY_TYPES: &[&str] = &["action", "decision", "parallel", "loop"];

/// Reports what is left of a mapping after its known keys were taken out.
pub(super) fn refuse_rest(rest: Vec<Entry>, known: &[&str], what: &str, spelling: Spelling, report: &mut Report) {
    for entry in rest {
        if known.contains(&entry.key.as_str()) {
            continue; // Written, with nothing as its value.
        }
        let key = &entry.key;
        if let Some(other) = other_spelling(key, spelling) {
            let (theirs, ours) = (other.name(), spelling.name());
            let message = format!("`{key}` belongs to the {theirs} spelling, this file is in the {ours} spelling");
            report.error(codes::MIXED, entry.key_place, message, "write the whole file in one spelling");
            continue;
        }
        let hint = match crate::suggest::nearest(key, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known keys: {}", known.join(", ")),
        };
        report.error(codes::UNKNOWN_KEY, entry.key_place, format!("{what} has no key `{key}`"), &hint);
    }
}

/// The spelling other than `spelling` that alone has `key`.
fn other_spelling(key: &str, spelling: Spelling) -> Option<Spelling> {
    let owner = if TEMPLATE_STEP_TELLS.contains(&key) || TEMPLATE_WORKFLOW_TELLS.contains(&key) {
        Spelling::TemplateJson
    } else if LIBRARY_STEP_TELLS.contains(&key) || ["metadata", "error_handling", "ai_assisted"].contains(&key) {
        Spelling::LibraryYaml
    } else if STEP.iter().any(|canonical| canonical.name == key) {
        Spelling::Canonical
    } else {
        return None;
    };
    (owner != spelling).then_some(owner)
}
