//! The keys that steps of all kinds share.

use std::collections::hash_map::Entry;

use serde_json::Value;
use skep_model::Map;
use skep_model::ids::{is_step_id, slug};

use super::read::{Field, Fields, Lowering};
use super::whole::suggestion;
use crate::codes;
use crate::keys::{self, Role, STEP};
use crate::tree::Node;
use crate::workflow::{Kind, Step};

impl Lowering {
    /// A step of a list at `depth`; `None` if it is no mapping.
    pub fn step(&mut self, node: &Node, depth: usize) -> Option<Step> {
        let fields = self.fields(node, STEP, "a step")?;
        let kind_field = self.kind_field(fields);
        if let Some(field) = kind_field {
            self.refuse_misplaced(fields, field.key.name);
        }
        let (id, name) = self.id_and_name(fields);
        let mut step = Step { id, name, ..Step::default() };
        self.flow(fields, &mut step);
        self.effects(fields, &mut step);
        step.later = self.later(fields);
        step.annotations = self.annotations(fields, STEP);
        if let Some(field) = kind_field {
            step.kind = self.kind(field, fields, depth).unwrap_or_default();
        }
        self.check_wait_of(fields, &step);
        Some(step)
    }

    /// The one key that says what the step does.
    fn kind_field<'n>(&mut self, fields: Fields<'n>) -> Option<Field<'n>> {
        let written: Vec<Field<'n>> = fields
            .entries
            .iter()
            .filter_map(|entry| {
                let key = keys::find(STEP, &entry.key).filter(|key| key.role == Role::Kind)?;
                Some(Field { key, key_place: entry.key_place, node: &entry.value })
            })
            .collect();
        match written.as_slice() {
            [one] => return Some(*one),
            [] if fields.misspells(|meant| meant.role == Role::Kind) => {}
            [] => {
                let names: Vec<&str> = keys::step_kinds().map(|key| key.name).collect();
                let place = fields.entries.first().map_or(fields.place, |entry| entry.key_place);
                let hint = format!("add one of `{}`", names.join("`, `"));
                self.error(&codes::STEP_KIND, place, "this step says nowhere what it does", hint);
            }
            [_, second, ..] => {
                let names: Vec<&str> = written.iter().map(|field| field.key.name).collect();
                let message = format!("a step does one thing, this one has `{}`", names.join("` and `"));
                self.error(&codes::STEP_KIND, second.key_place, message, "make a step of each");
            }
        }
        None
    }

    fn refuse_misplaced(&mut self, fields: Fields<'_>, kind: &'static str) {
        for entry in fields.entries.iter().filter(|entry| !entry.value.is_null()) {
            let Some(key) = keys::find(STEP, &entry.key) else { continue };
            if !key.kinds.is_empty() && !key.kinds.contains(&kind) {
                let message = format!("`{}` does nothing on a step with `{kind}`", key.name);
                let hint = format!("it belongs to steps with `{}`; remove it here", key.kinds.join("`, `"));
                self.error(&codes::MISPLACED_KEY, entry.key_place, message, hint);
            }
        }
    }

    fn id_and_name(&mut self, fields: Fields<'_>) -> (String, Option<String>) {
        let name = self.text(fields, "name");
        let (id, field) = match (self.text(fields, "id"), &name) {
            (Some(id), _) => (id, fields.get("id")),
            (None, Some(name)) => (slug(name), fields.get("name")),
            (None, None) => {
                let place = fields.entries.first().map_or(fields.place, |entry| entry.key_place);
                self.error(
                    &codes::STEP_ID,
                    place,
                    "this step has neither `id` nor `name`",
                    "add `id: build`, for example",
                );
                return (String::new(), None);
            }
        };
        if let Some(field) = field {
            self.check_id(&id, field);
        }
        (id, name)
    }

    fn check_id(&mut self, id: &str, field: Field<'_>) {
        if !is_step_id(id) {
            let message = match field.key.name {
                "name" => "no id can be made of this `name`".to_owned(),
                _ => format!("the id `{id}` is not allowed: letters, digits, `_` and `-`, at most 64, no digit first"),
            };
            self.error(&codes::STEP_ID, field.node.place, message, format!("for example `id: {}`", suggestion(id)));
            return;
        }
        match self.ids.entry(id.to_owned()) {
            Entry::Vacant(free) => _ = free.insert(field.node.place),
            Entry::Occupied(taken) => {
                let first = *taken.get();
                let from = if field.key.name == "name" { " (from its `name`)" } else { "" };
                let message =
                    format!("the id `{id}`{from} is taken by the step at line {}, column {}", first.line, first.column);
                let hint = "ids are unique in the whole workflow; give one of the two another `id`";
                self.error(&codes::DUPLICATE_STEP_ID, field.node.place, message, hint);
            }
        }
    }

    fn flow(&mut self, fields: Fields<'_>, step: &mut Step) {
        step.description = self.text(fields, "description");
        step.depends_on = self.texts(fields, "depends_on");
        step.condition = self.text(fields, "if");
        step.timeout_ms = self.timeout(fields);
        step.total_timeout_ms = self.duration(fields, "total_timeout");
        step.retry = self.retry(fields);
        self.on_error(fields, step);
        step.approve = self.gate(fields);
    }

    fn effects(&mut self, fields: Fields<'_>, step: &mut Step) {
        step.rollback = self.compensation(fields);
        step.irreversible = self.boolean(fields, "irreversible").unwrap_or_default();
        step.read_only = self.boolean(fields, "read_only").unwrap_or_default();
        step.checkpoint = self.boolean(fields, "checkpoint").unwrap_or_default();
        step.critical = self.boolean(fields, "critical").unwrap_or_default();
        step.policy = self.text(fields, "policy");
        step.env = self.text_map(fields, "env");
        step.working_dir = self.text(fields, "working_dir");
        step.outputs = fields.get("outputs").map(|_| self.value_map(fields, "outputs"));
    }

    /// A compensation as written; a text is a script.
    fn compensation(&mut self, fields: Fields<'_>) -> Option<Value> {
        let value = self.value(fields, "rollback")?;
        Some(match value {
            Value::Object(_) => value,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                serde_json::json!({ "run": value })
            }
        })
    }

    fn later(&mut self, fields: Fields<'_>) -> Map<Value> {
        let names = fields.written(STEP, Role::Later);
        names.into_iter().filter_map(|name| Some((name.to_owned(), self.value(fields, name)?))).collect()
    }

    /// The bound of a wait may stand on the step or inside, not both; escalations end before it.
    fn check_wait_of(&mut self, fields: Fields<'_>, step: &Step) {
        let inside = match &step.kind {
            Kind::Approval(approval) => approval.timeout_ms,
            Kind::Wait(wait) => wait.timeout_ms(),
            Kind::Run { .. }
            | Kind::Uses { .. }
            | Kind::Agent(_)
            | Kind::Ai(_)
            | Kind::Workflow(_)
            | Kind::Input { .. }
            | Kind::Switch { .. }
            | Kind::Parallel { .. }
            | Kind::Foreach { .. }
            | Kind::While { .. }
            | Kind::Repeat { .. } => None,
        };
        if let (Some(_), Some(field)) = (inside, fields.get("timeout").or(fields.get("timeout_seconds"))) {
            let message = "the end of the wait is said twice: on the step and inside";
            self.conflict(field.key_place, message, "keep one; the inner one would win");
        }
        if let (Kind::Approval(approval), Some(field)) = (&step.kind, fields.get("approval")) {
            let node = field.node.get("escalate").unwrap_or(field.node);
            self.check_escalation(&approval.escalate, inside.or(step.timeout_ms), node);
        }
    }
}
