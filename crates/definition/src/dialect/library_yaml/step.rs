//! The steps of a library file.

use skep_model::ids::{is_step_id, slug};
use skep_model::problem::Place;

use super::config;
use super::flow::{self, Flow, Stop, Word};
use super::workflow::Fallbacks;
use crate::dialect::detect::Spelling;
use crate::dialect::make::{self, Fields, Report, bare_expression, entry};
use crate::dialect::{codes, keys};
use crate::tree::{Content, Entry, Node};

/// `type` of a step.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Type {
    /// Does something.
    Action,
    /// Takes one of several ways.
    Decision,
    /// Branches side by side.
    Parallel,
    /// Repeats its steps.
    Loop,
}

/// A step whose parts were read and not yet put together.
struct Read {
    head: Vec<Entry>,
    kind: Type,
    config: Fields,
    ai_assisted: Option<Entry>,
    /// Something of it was refused.
    is_broken: bool,
}

/// The canonical form of a list of library steps. What is no list, or no mapping in it, stays as it is:
/// `lower` says what it should be.
pub(super) fn rewrite_list(node: Node, fallbacks: &Fallbacks, report: &mut Report) -> Node {
    let place = node.place;
    let nodes = match node.content {
        Content::List(nodes) => nodes,
        content @ (Content::Null
        | Content::Bool(_)
        | Content::Integer(_)
        | Content::Float(..)
        | Content::Text(_)
        | Content::Map(_)) => return Node { content, place },
    };
    let mut stops = Vec::new();
    let mut reads = Vec::new();
    for node in nodes {
        let (stop, read) = read(node, report);
        stops.push(stop);
        reads.push(read);
    }
    let flows = flow::flows(&stops, fallbacks, report);
    let together = reads.into_iter().zip(stops).zip(flows);
    let steps = together.map(|((read, stop), flow)| match read {
        Ok(read) => emit(read, &stop, flow, fallbacks, report),
        Err(node) => node,
    });
    make::list(steps.collect(), place)
}

fn read(node: Node, report: &mut Report) -> (Stop, Result<Read, Node>) {
    let place = node.place;
    if node.as_map().is_none() {
        let stop = Stop { id: String::new(), name: String::new(), success: None, failure: None, asks: false, place };
        return (stop, Err(node));
    }
    let problems_before = report.problems.len();
    let mut fields = Fields::of(node, "a step", report);
    let (id, name, mut head) = identity(&mut fields, report);
    fields.pass(&["description"], &mut head);
    let kind = step_type(&mut fields, report);
    let config = fields.take_value("config").unwrap_or_else(|| make::map(Vec::new(), place));
    let config = Fields::of(config, "`config`", report);
    let ai_assisted = fields.take("ai_assisted");
    let (success, failure) = conditions(fields.take_value("conditions"), report);
    keys::refuse_rest(fields.rest(), keys::LIBRARY_STEP, "a library step", Spelling::LibraryYaml, report);
    let has_transitions = success.is_some() || failure.is_some();
    let asks = kind == Type::Decision && has_transitions && config::only_asks(&config);
    let stop = Stop { id, name, success, failure, asks, place };
    let is_broken = report.problems.len() > problems_before;
    (stop, Ok(Read { head, kind, config, ai_assisted, is_broken }))
}

/// The id, the name, and the entries that say both.
fn identity(fields: &mut Fields, report: &mut Report) -> (String, String, Vec<Entry>) {
    let id = fields.take("id");
    let name = fields.take("name");
    let text =
        |entry: &Option<Entry>| entry.as_ref().and_then(|entry| make::scalar_text(&entry.value)).unwrap_or_default();
    let name_text = text(&name);
    if id.is_some() {
        let id_text = text(&id);
        let name_text = if name.is_some() { name_text } else { id_text.clone() };
        return (id_text, name_text, id.into_iter().chain(name).collect());
    }
    let Some(name) = name else {
        report.error(codes::SHAPE, fields.place, "a library step has no `name`", "add `name: ..`: transitions need it");
        return (String::new(), String::new(), Vec::new());
    };
    let id_text = if is_step_id(&name_text) { name_text.clone() } else { slug(&name_text) };
    let mut head = vec![entry("id", make::text(&id_text, name.value.place))];
    if id_text != name_text {
        head.push(name);
    }
    (id_text, name_text, head)
}

fn step_type(fields: &mut Fields, report: &mut Report) -> Type {
    let Some(word) = fields.take_value("type") else { return Type::Action };
    match word.as_text() {
        Some("action") => Type::Action,
        Some("decision") => Type::Decision,
        Some("parallel") => Type::Parallel,
        Some("loop") => Type::Loop,
        other => {
            let written = other.unwrap_or(make::describe(&word));
            let hint = match crate::suggest::nearest(written, keys::LIBRARY_TYPES.iter().copied()) {
                Some(meant) if !written.contains('|') => format!("did you mean `{meant}`?"),
                Some(_) | None => "write one of action, decision, parallel, loop".to_owned(),
            };
            report.error(codes::SHAPE, word.place, format!("there is no step type `{written}`"), &hint);
            Type::Action
        }
    }
}

fn conditions(node: Option<Node>, report: &mut Report) -> (Option<Word>, Option<Word>) {
    let Some(node) = node else { return (None, None) };
    let mut fields = Fields::of(node, "`conditions`", report);
    let mut word = |key: &str| {
        let value = fields.take_value(key)?;
        let text = value.as_text().map(str::to_owned);
        if text.is_none() {
            let message = format!("`conditions.{key}` is the name of a step, this is {}", make::describe(&value));
            report.error(codes::SHAPE, value.place, message, "write the name of a later step, or `next_step`");
        }
        Some(Word { text: text?, place: value.place })
    };
    let words = (word("success"), word("failure"));
    keys::refuse_rest(fields.rest(), &["success", "failure"], "`conditions`", Spelling::LibraryYaml, report);
    words
}

fn emit(read: Read, stop: &Stop, flow: Flow, fallbacks: &Fallbacks, report: &mut Report) -> Node {
    let Read { head: mut out, kind, mut config, ai_assisted, is_broken } = read;
    for key in ["id", "name"] {
        if let Some(entry) = config.take(key) {
            let message = format!("`config` of step `{}` has a `{key}`, which the step itself gives", stop.name);
            report.error(codes::CONFLICT, entry.key_place, message, "remove it from `config`");
        }
    }
    let place = stop.place;
    out.extend(condition(config.take("if"), flow.condition, stop, report));
    if flow.is_handled {
        if let Some(own) = config.take("on_error") {
            let message = format!("step `{}` has `config.on_error` beside `conditions.failure`", stop.name);
            report.error(codes::CONFLICT, own.key_place, message, "keep one: both say what a failure means");
        }
        let at = stop.failure.as_ref().map_or(place, |word| word.place);
        let skip = make::map(vec![entry("strategy", make::text("skip", at))], at);
        out.push(entry("on_error", skip));
    }
    match kind {
        Type::Action => {
            if is_broken && !keys::canonical_kinds().any(|kind| config.has(kind)) {
                out.push(make::placeholder(place));
            }
            out.extend(config.rest());
        }
        Type::Decision if stop.asks => config::question(config, &mut out, report),
        Type::Decision => config::decision(config, fallbacks, &mut out, report),
        Type::Parallel => config::parallel(config, fallbacks, &mut out, report),
        Type::Loop => config::repetition(config, fallbacks, &mut out, report),
    }
    out.extend(ai_assisted);
    make::map(out, place)
}

/// `if` of the step: its own, what the transitions say, or both.
fn condition(own: Option<Entry>, flow: Option<String>, stop: &Stop, report: &mut Report) -> Option<Entry> {
    let Some(flow) = flow else { return own };
    let Some(own) = own else {
        return Some(entry("if", make::text(format!("${{{{ {flow} }}}}"), stop.place)));
    };
    let written = make::scalar_text(&own.value);
    let Some(expression) = written.as_deref().and_then(bare_expression) else {
        let message = format!("`if` of step `{}` is not one expression, and transitions lead to the step", stop.name);
        report.error(codes::CONFLICT, own.value.place, message, "write `if: ${{ .. }}` with one expression");
        return Some(own);
    };
    let both: String = format!("${{{{ ({flow}) and ({expression}) }}}}");
    let place: Place = own.value.place;
    Some(Entry { value: make::text(both, place), ..own })
}
