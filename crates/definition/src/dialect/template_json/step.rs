//! A step of a template.

use skep_model::problem::Place;

use super::overlay::Overlay;
use crate::dialect::detect::Spelling;
use crate::dialect::make::{self, Fields, Report, entry};
use crate::dialect::{codes, keys};
use crate::tree::{Content, Entry, Node};

/// The canonical form of a step; `gate` is the step that every root step depends on.
pub(super) fn rewrite(node: Node, gate: Option<&str>, overlay: &Overlay, report: &mut Report) -> Node {
    if node.as_map().is_none() {
        return node;
    }
    let mut fields = Fields::of(node, "a step", report);
    let place = fields.place;
    let mut out = Vec::new();
    fields.pass(&["id", "name", "description"], &mut out);
    out.extend(dependencies(&mut fields, gate, place));
    out.extend(action(&mut fields, overlay, report));
    if let Some(seconds) = fields.take_value("timeout_seconds") {
        let duration = make::seconds_as_duration(&seconds, "`timeout_seconds`", report);
        out.extend(duration.map(|duration| entry("timeout", duration)));
    }
    if let Some(retries) = fields.take_value("max_retries") {
        let more = make::count(&retries, "`max_retries`", report);
        out.extend(more.map(|more| entry("retry", retry(more, retries.place))));
    }
    out.extend(rollback(&mut fields, report));
    fields.pass(&["required_capabilities", "validation_checks", "success_criteria"], &mut out);
    fields.pass(keys::TEMPLATE_STEP_NOTES, &mut out);
    keys::refuse_rest(fields.rest(), keys::TEMPLATE_STEP, "a template's step", Spelling::TemplateJson, report);
    make::map(out, place)
}

/// `more` attempts after the first, with pauses of 1, 2, 4 .. seconds.
pub(super) fn retry(more: u32, place: Place) -> Node {
    let attempts = i64::from(more) + 1;
    let mut entries = vec![entry("max_attempts", make::integer(attempts, place))];
    if more > 0 {
        entries.push(entry("delay", make::text("1s", place)));
        entries.push(entry("backoff", make::text("exponential", place)));
        entries.push(entry("jitter", make::boolean(false, place)));
    }
    make::map(entries, place)
}

fn dependencies(fields: &mut Fields, gate: Option<&str>, place: Place) -> Option<Entry> {
    let written = fields.take("depends_on");
    let is_root = written.as_ref().is_none_or(|entry| entry.value.as_list().is_some_and(<[Node]>::is_empty));
    match gate {
        Some(gate) if is_root => Some(entry("depends_on", make::list(vec![make::text(gate, place)], place))),
        Some(_) | None => written,
    }
}

fn action(fields: &mut Fields, overlay: &Overlay, report: &mut Report) -> Vec<Entry> {
    let command = fields.take("command");
    let parameters = fields.take("parameters");
    let Some(command) = command else {
        let has_other_kind = keys::canonical_kinds().any(|kind| fields.has(kind));
        if !has_other_kind {
            let message = "a template's step has no `command`";
            report.error(
                codes::SHAPE,
                fields.place,
                message,
                "name what it does, for example `\"command\": \"hv-status\"`",
            );
        }
        return vec![make::placeholder(fields.place)];
    };
    let mut out = vec![Entry { key: "uses".to_owned(), ..command }];
    out.extend(parameters.map(|parameters| Entry {
        key: "with".to_owned(),
        value: overlay.with(parameters.value),
        ..parameters
    }));
    out
}

fn rollback(fields: &mut Fields, report: &mut Report) -> Option<Entry> {
    let command = fields.take("rollback_command");
    let parameters = fields.take("rollback_parameters").filter(|entry| entry.value.content != Content::Map(Vec::new()));
    let Some(command) = command else {
        if let Some(parameters) = parameters {
            let message = "`rollback_parameters` without a `rollback_command`";
            report.error(
                codes::CONFLICT,
                parameters.key_place,
                message,
                "add `rollback_command`, or remove the parameters",
            );
        }
        return None;
    };
    let place = command.value.place;
    let mut entries = vec![Entry { key: "uses".to_owned(), ..command }];
    entries.extend(parameters.map(|parameters| Entry { key: "with".to_owned(), ..parameters }));
    Some(entry("rollback", make::map(entries, place)))
}
