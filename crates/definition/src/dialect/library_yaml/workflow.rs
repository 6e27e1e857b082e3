//! The top of a library file.

use std::collections::BTreeSet;

use skep_model::problem::Problem;

use super::step;
use crate::dialect::detect::Spelling;
use crate::dialect::make::{self, Fields, Report, entry, get};
use crate::dialect::{codes, keys};
use crate::tree::{Entry, Node};

/// Names that `fallback_actions` gives: a failure may lead to them without a step of that name.
pub(super) type Fallbacks = BTreeSet<String>;

/// The canonical form of a library file.
pub(crate) fn rewrite(root: Node) -> (Node, Vec<Problem>) {
    let mut report = Report::default();
    let mut fields = Fields::of(root, "a library file", &mut report);
    let place = fields.place;
    let mut out = metadata(&mut fields, &mut report);
    fields.pass(&["ai_config", "triggers"], &mut out);
    fields.pass(keys::LIBRARY_WORKFLOW_EXTRAS, &mut out);
    let handling = fields.take("error_handling");
    let (retry, fallback_actions) = error_handling(handling, &mut report);
    out.extend(defaults(fields.take("defaults"), retry, &mut report));
    let fallbacks = fallback_names(fallback_actions.as_ref());
    out.extend(fallback_actions);
    fields.pass(&["monitoring"], &mut out);
    for key in ["steps", "finally"] {
        if let Some(Entry { key, key_place, value }) = fields.take(key) {
            let value = step::rewrite_list(value, &fallbacks, &mut report);
            out.push(Entry { key, key_place, value });
        }
    }
    refuse(fields.rest(), &mut report);
    (make::map(out, place), report.problems)
}

fn metadata(fields: &mut Fields, report: &mut Report) -> Vec<Entry> {
    let mut out = Vec::new();
    let Some(metadata) = fields.take_value("metadata") else {
        let message = "a library file has no `metadata`";
        report.error(codes::SHAPE, fields.place, message, "add `metadata:` with `name` and `description`");
        return out;
    };
    let mut metadata = Fields::of(metadata, "`metadata`", report);
    metadata.pass(keys::LIBRARY_METADATA, &mut out);
    keys::refuse_rest(metadata.rest(), keys::LIBRARY_METADATA, "`metadata`", Spelling::LibraryYaml, report);
    out
}

/// What is left at the top: a key of `metadata` gets a hint of its own.
fn refuse(rest: Vec<Entry>, report: &mut Report) {
    let (misplaced, unknown): (Vec<Entry>, Vec<Entry>) =
        rest.into_iter().partition(|entry| keys::LIBRARY_METADATA.contains(&entry.key.as_str()));
    for entry in misplaced {
        let message = format!("`{}` of a library file stands inside `metadata`", entry.key);
        report.error(codes::MIXED, entry.key_place, message, "move it there");
    }
    keys::refuse_rest(unknown, keys::LIBRARY_WORKFLOW, "a library file", Spelling::LibraryYaml, report);
}

/// The retry strategy and the entry `fallback_actions`.
fn error_handling(handling: Option<Entry>, report: &mut Report) -> (Option<Node>, Option<Entry>) {
    let Some(handling) = handling else { return (None, None) };
    let mut fields = Fields::of(handling.value, "`error_handling`", report);
    let retry = fields.take_value("retry_strategy");
    let fallback_actions = fields.take("fallback_actions");
    let known = &["retry_strategy", "fallback_actions"];
    keys::refuse_rest(fields.rest(), known, "`error_handling`", Spelling::LibraryYaml, report);
    (retry, fallback_actions)
}

fn defaults(written: Option<Entry>, retry: Option<Node>, report: &mut Report) -> Option<Entry> {
    let Some(retry) = retry else { return written };
    let retry = entry("retry", retry);
    let Some(written) = written else {
        let place = retry.key_place;
        return Some(entry("defaults", make::map(vec![retry], place)));
    };
    if get(&written.value, "retry").is_some() {
        let message = "`error_handling.retry_strategy` and `defaults.retry` both say how steps are repeated";
        report.error(codes::CONFLICT, retry.key_place, message, "keep one of them");
        return Some(written);
    }
    let place = written.value.place;
    let mut entries = Fields::of(written.value, "`defaults`", report).rest();
    entries.push(retry);
    Some(Entry { value: make::map(entries, place), ..written })
}

fn fallback_names(fallback_actions: Option<&Entry>) -> Fallbacks {
    let listed = fallback_actions.and_then(|entry| entry.value.as_list()).unwrap_or_default();
    let names = listed.iter().filter_map(|one| get(one, "action").unwrap_or(one).as_text());
    names.map(str::to_owned).collect()
}
