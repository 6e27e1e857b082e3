//! The top of a template.

use skep_model::problem::{Place, Problem};

use super::overlay::Overlay;
use super::step;
use crate::dialect::detect::Spelling;
use crate::dialect::make::{self, Fields, Report, entry, get};
use crate::dialect::{codes, keys};
use crate::tree::{Content, Entry, Node};

/// Seconds of `timeout_seconds` where a step has none.
const TIMEOUT_DEFAULT: &str = "5m";
/// `max_retries` where a step has none.
const RETRIES_DEFAULT: u32 = 3;
/// The step that asks before anything runs.
const APPROVAL_STEP: &str = "approve_start";

/// The canonical form of a template.
pub(crate) fn rewrite(root: Node) -> (Node, Vec<Problem>) {
    let mut report = Report::default();
    let mut fields = Fields::of(root, "a template", &mut report);
    let place = fields.place;
    let mut out = Vec::new();
    fields.pass(&["id", "name", "description", "version", "category", "author", "tags"], &mut out);
    let steps = fields.take("steps");
    let nodes: &[Node] = steps.as_ref().and_then(|entry| entry.value.as_list()).unwrap_or_default();
    let overlay = Overlay::collect(fields.take_value("parameters"), nodes, &mut report);
    out.extend(overlay.inputs().map(|inputs| entry("inputs", inputs)));
    out.extend(defaults(nodes, place));
    out.extend(rollback(&mut fields, &mut report));
    out.extend(estimated_duration(&mut fields, &mut report));
    fields.pass(keys::TEMPLATE_WORKFLOW_NOTES, &mut out);
    let gate = approval_place(&mut fields, &mut report).map(|place| Gate::new(place, &out, nodes));
    keys::refuse_rest(fields.rest(), keys::TEMPLATE_WORKFLOW, "a template", Spelling::TemplateJson, &mut report);
    if let Some(steps) = steps {
        out.push(entry("order", make::text("graph", steps.key_place)));
        out.push(rewrite_steps(steps, gate, &overlay, &mut report));
    }
    (make::map(out, place), report.problems)
}

/// `defaults` for what steps do not write themselves.
fn defaults(steps: &[Node], place: Place) -> Option<Entry> {
    let lacks = |key: &str| steps.iter().any(|step| step.as_map().is_some() && is_unset(get(step, key)));
    let mut entries = Vec::new();
    if lacks("timeout_seconds") {
        entries.push(entry("timeout", make::text(TIMEOUT_DEFAULT, place)));
    }
    if lacks("max_retries") {
        entries.push(entry("retry", step::retry(RETRIES_DEFAULT, place)));
    }
    (!entries.is_empty()).then(|| entry("defaults", make::map(entries, place)))
}

fn is_unset(value: Option<&Node>) -> bool {
    value.is_none_or(|node| node.content == Content::Null)
}

fn rollback(fields: &mut Fields, report: &mut Report) -> Option<Entry> {
    let enabled = fields.take_value("rollback_enabled")?;
    make::truth(&enabled, "`rollback_enabled`", report)?;
    let place = enabled.place;
    Some(entry("rollback", make::map(vec![entry("enabled", enabled)], place)))
}

fn estimated_duration(fields: &mut Fields, report: &mut Report) -> Option<Entry> {
    let seconds = fields.take_value("estimated_duration")?;
    let duration = make::seconds_as_duration(&seconds, "`estimated_duration`", report)?;
    Some(entry("estimated_duration", duration))
}

/// Where `approval_required: true` stands, if it does.
fn approval_place(fields: &mut Fields, report: &mut Report) -> Option<Place> {
    let required = fields.take_value("approval_required")?;
    make::truth(&required, "`approval_required`", report)?.then_some(required.place)
}

/// The step that asks before anything runs.
struct Gate {
    id: String,
    node: Node,
}

impl Gate {
    fn new(place: Place, head: &[Entry], steps: &[Node]) -> Self {
        let taken = |id: &str| steps.iter().any(|step| get(step, "id").and_then(Node::as_text) == Some(id));
        let mut id = APPROVAL_STEP.to_owned();
        let mut number = 1;
        while taken(&id) {
            number += 1;
            id = format!("{APPROVAL_STEP}_{number}");
        }
        let name = head.iter().find(|entry| entry.key == "name").and_then(|entry| entry.value.as_text());
        // A message is a template, so a name that looks like one must not become part of it.
        let message = match name.filter(|name| !name.contains("${{")) {
            Some(name) => format!("Start {name}?"),
            None => "Start this workflow?".to_owned(),
        };
        let why = "The template says approval_required: true, so nothing runs before a person has approved.";
        let approval = make::map(vec![entry("message", make::text(message, place))], place);
        let entries = vec![
            entry("id", make::text(&id, place)),
            entry("description", make::text(why, place)),
            entry("approval", approval),
        ];
        Self { id, node: make::map(entries, place) }
    }
}

fn rewrite_steps(steps: Entry, gate: Option<Gate>, overlay: &Overlay, report: &mut Report) -> Entry {
    let Entry { key, key_place, value } = steps;
    let place = value.place;
    let value = match value.content {
        Content::List(nodes) => {
            let gate_id = gate.as_ref().map(|gate| gate.id.clone());
            let mut out: Vec<Node> = gate.map(|gate| gate.node).into_iter().collect();
            out.extend(nodes.into_iter().map(|node| step::rewrite(node, gate_id.as_deref(), overlay, report)));
            make::list(out, place)
        }
        content @ (Content::Null | Content::Bool(_) | Content::Integer(_) | Content::Float(..) | Content::Text(_)) => {
            Node { content, place }
        }
        content @ Content::Map(_) => {
            report.error(
                codes::SHAPE,
                place,
                "`steps` of a template is a list, this is a mapping",
                "write a list of steps",
            );
            Node { content, place }
        }
    };
    Entry { key, key_place, value }
}
