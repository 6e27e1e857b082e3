//! The keys of a workflow.

use skep_model::Map;
use skep_model::decision::Autonomy;
use skep_model::ids::{is_step_id, slug};
use skep_model::plan::{OnCancel, Order};

use super::places;
use super::read::{Fields, Lowering};
use crate::codes;
use crate::diagnostic::{Hint, warning};
use crate::keys::{DEFAULTS, ERROR_HANDLING, Role, WORKFLOW};
use crate::tree::{Content, Node};
use crate::workflow::{Defaults, Workflow};
use serde_json::Value;

impl Lowering {
    /// The whole workflow.
    pub fn whole(&mut self, node: &Node) -> Option<Workflow> {
        let fields = self.fields(node, WORKFLOW, "a workflow")?;
        let mut workflow = Workflow { places: places::of(node), ..Workflow::default() };
        self.head(fields, &mut workflow);
        self.policies(fields, &mut workflow);
        self.data(fields, &mut workflow);
        workflow.order = self.order(fields);
        if let Some(field) = fields.get("steps") {
            workflow.steps = self.list(field.node, workflow.order, 1);
        }
        if let Some(field) = fields.get("finally") {
            workflow.finally = self.list(field.node, Order::Sequence, 1);
        }
        Some(workflow)
    }

    fn head(&mut self, fields: Fields<'_>, workflow: &mut Workflow) {
        workflow.id = self.workflow_id(fields);
        workflow.name = self.text(fields, "name").unwrap_or_default();
        workflow.description = self.text(fields, "description").unwrap_or_default();
        if workflow.description.trim().is_empty() {
            let place = fields.get("name").map_or(fields.place, |field| field.node.place);
            self.problems.push(
                warning(&codes::NO_DESCRIPTION, Some(place), "the workflow has no `description`")
                    .hint("add one sentence for people: `description: Builds and deploys.`"),
            );
        }
        workflow.version = self.version(fields);
        workflow.category = self.text(fields, "category");
        workflow.author = self.text(fields, "author");
        workflow.tags = self.texts(fields, "tags");
    }

    fn workflow_id(&mut self, fields: Fields<'_>) -> Option<String> {
        let id = self.text(fields, "id")?;
        if !is_step_id(&id) {
            let place = fields.get("id").map_or(fields.place, |field| field.node.place);
            let message =
                format!("the id `{id}` is not allowed: letters, digits, `_` and `-`, at most 64, no digit first");
            self.error(&codes::STEP_ID, place, message, format!("for example `id: {}`", suggestion(&id)));
        }
        Some(id)
    }

    fn version(&mut self, fields: Fields<'_>) -> Option<String> {
        let field = fields.get("version")?;
        if let Content::Float(_, text) = &field.node.content {
            self.problems.push(
                warning(
                    &codes::VERSION_NUMBER,
                    Some(field.node.place),
                    format!("`version: {text}` is a number, for other readers perhaps a shorter one"),
                )
                .hint(format!("put quotes around it: `version: \"{text}\"`")),
            );
        }
        self.text(fields, "version")
    }

    fn policies(&mut self, fields: Fields<'_>, workflow: &mut Workflow) {
        if let Some(field) = fields.get("defaults") {
            workflow.defaults = self.defaults(field.node);
        }
        workflow.concurrency = self.value(fields, "concurrency");
        workflow.rollback = self.value(fields, "rollback");
        workflow.autonomy = self.word(fields, "autonomy").and_then(Autonomy::parse);
        workflow.max_parallel = self.integer(fields, "max_parallel");
        workflow.timeout_ms = self.timeout(fields);
        match self.word(fields, "on_cancel") {
            Some("finally") => workflow.on_cancel = Some(OnCancel::Finally),
            Some("abandon") => workflow.on_cancel = Some(OnCancel::Abandon),
            Some(_) => workflow.on_cancel = Some(OnCancel::Rollback),
            None => {}
        }
        workflow.idempotency = self.value(fields, "idempotency");
        workflow.policy = self.text(fields, "policy");
    }

    fn defaults(&mut self, node: &Node) -> Defaults {
        let Some(fields) = self.fields(node, DEFAULTS, "`defaults`") else { return Defaults::default() };
        Defaults {
            timeout_ms: self.timeout(fields),
            retry: self.retry(fields),
            policy: self.text(fields, "policy"),
            shell: self.text(fields, "shell"),
            working_dir: self.text(fields, "working_dir"),
        }
    }

    fn data(&mut self, fields: Fields<'_>, workflow: &mut Workflow) {
        workflow.inputs = self.value_map(fields, "inputs");
        workflow.env = self.text_map(fields, "env");
        workflow.vars = self.value_map(fields, "vars");
        workflow.outputs = self.value_map(fields, "outputs");
        workflow.triggers = self.values(fields, "triggers");
        workflow.fallback_actions = self.values(fields, "fallback_actions");
        if let Some(field) = fields.get("error_handling")
            && let Some(inner) = self.fields(field.node, ERROR_HANDLING, "`error_handling`")
        {
            workflow.fallback_actions.extend(self.values(inner, "fallback_actions"));
        }
        workflow.annotations = self.annotations(fields, WORKFLOW);
    }

    /// The keys that only describe, those of `annotations` among them.
    pub fn annotations(&mut self, fields: Fields<'_>, table: &'static [crate::keys::Key]) -> Map<Value> {
        let mut notes = Map::new();
        for name in fields.written(table, Role::Note) {
            if name == "annotations" {
                notes.extend(self.value_map(fields, name));
            } else if let Some(value) = self.value(fields, name) {
                notes.insert(name.to_owned(), value);
            }
        }
        notes
    }
}

/// An allowed id near `text`.
pub fn suggestion(text: &str) -> String {
    let slug = slug(text);
    if slug.is_empty() { "my-id".to_owned() } else { slug }
}
