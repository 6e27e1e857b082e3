//! How an execution's parameters overlay those of the steps; the rule is on the module's page.

use std::collections::BTreeMap;

use skep_model::Map;
use skep_model::ids::is_step_id;
use skep_model::problem::Place;

use super::super::codes;
use crate::dialect::make::{self, Report, entry, get};
use crate::tree::{Content, Entry, Node};

/// A literal longer than this stays a plain value: an expression of it would be unreadable.
const LITERAL_BYTES_MAX: usize = 1024;
/// Names of steps in the description of an input.
const STEPS_NAMED_MAX: usize = 4;
/// Keys that make a declared parameter an input as written.
const INPUT_KEYWORDS: &[&str] = &[
    "type",
    "default",
    "required",
    "description",
    "enum",
    "label",
    "pattern",
    "format",
    "items",
    "properties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "additionalProperties",
];

/// What the steps' parameters become.
pub(super) struct Overlay {
    inputs: Map<Input>,
    place: Place,
}

struct Input {
    declaration: Node,
    key_place: Place,
    use_as: Use,
}

/// What stands in a step for its value.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    /// `${{ inputs.k }}`.
    Input,
    /// `${{ inputs.k if inputs.k != null else OWN_VALUE }}`.
    Fallback,
}

/// A key of the steps' parameters: its values, and the steps that have them.
type Named<'a> = Vec<(&'a Entry, String)>;

impl Overlay {
    /// Reads the template's declared parameters and all parameters of its steps.
    pub(super) fn collect(declared: Option<Node>, steps: &[Node], report: &mut Report) -> Self {
        let mut named = named_keys(steps);
        let place = declared.as_ref().map(|node| node.place);
        let mut inputs = Map::new();
        let declared = declared.map(|node| make::Fields::of(node, "`parameters`", report).rest()).unwrap_or_default();
        for Entry { key, key_place, value } in declared {
            let values = named.remove(&key).unwrap_or_default();
            let (declaration, applies) = declaration(value);
            if applies {
                warn_overlaid(&key, &declaration, &values, report);
            }
            let use_as = if applies { Use::Input } else { Use::Fallback };
            inputs.insert(key, Input { declaration, key_place, use_as });
        }
        // In the order in which the steps name them.
        let mut found: Vec<(String, Named<'_>)> = named.into_iter().collect();
        found.sort_by_key(|(_, values)| values.first().map_or(0, |(entry, _)| entry.key_place.start));
        for (key, values) in found {
            let input = undeclared(&values);
            inputs.insert(key, input);
        }
        let place = place.or_else(|| inputs.values().next().map(|input| input.key_place)).unwrap_or_default();
        Self { inputs, place }
    }

    /// The workflow's `inputs`, if there are any.
    pub(super) fn inputs(&self) -> Option<Node> {
        let entries = self.inputs.iter().map(|(name, input)| Entry {
            key: name.clone(),
            key_place: input.key_place,
            value: input.declaration.clone(),
        });
        (!self.inputs.is_empty()).then(|| make::map(entries.collect(), self.place))
    }

    /// A step's `with` for its `parameters`.
    pub(super) fn with(&self, parameters: Node) -> Node {
        let place = parameters.place;
        match parameters.content {
            Content::Map(entries) => make::map(entries.into_iter().map(|entry| self.overlaid(entry)).collect(), place),
            content @ (Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(..)
            | Content::Text(_)
            | Content::List(_)) => Node { content, place },
        }
    }

    fn overlaid(&self, entry: Entry) -> Entry {
        let Some(input) = self.inputs.get(&entry.key) else { return entry };
        let Some(literal) = literal(&entry.value) else { return entry };
        let Entry { key, key_place, value } = entry;
        let expression = match input.use_as {
            Use::Input => format!("${{{{ inputs.{key} }}}}"),
            Use::Fallback => format!("${{{{ inputs.{key} if inputs.{key} != null else {literal} }}}}"),
        };
        Entry { key, key_place, value: make::text(expression, value.place) }
    }
}

/// Every key that steps' parameters name and that can be overlaid.
fn named_keys(steps: &[Node]) -> BTreeMap<String, Named<'_>> {
    let mut named: BTreeMap<String, Named<'_>> = BTreeMap::new();
    for step in steps {
        let id = get(step, "id").or_else(|| get(step, "name")).and_then(Node::as_text).unwrap_or("a step");
        for entry in get(step, "parameters").and_then(Node::as_map).unwrap_or_default() {
            if is_step_id(&entry.key) && literal(&entry.value).is_some() {
                named.entry(entry.key.clone()).or_default().push((entry, id.to_owned()));
            }
        }
    }
    named
}

/// The input of a declared parameter, and whether it always has a value.
fn declaration(value: Node) -> (Node, bool) {
    let place = value.place;
    if let Some(entries) = value.as_map()
        && !entries.is_empty()
        && entries.iter().all(|entry| INPUT_KEYWORDS.contains(&entry.key.as_str()))
    {
        let required = get(&value, "required").is_some_and(|node| node.content == Content::Bool(true));
        let applies = required || get(&value, "default").is_some();
        return (value, applies);
    }
    if value.content == Content::Null {
        return (make::map(Vec::new(), place), false);
    }
    (with_default(value, None), true)
}

/// An input whose default is `value`.
fn with_default(value: Node, description: Option<String>) -> Node {
    let place = value.place;
    let kind = match value.content {
        Content::Bool(_) => Some("boolean"),
        Content::Integer(_) => Some("integer"),
        Content::Float(..) => Some("number"),
        Content::Text(_) => Some("string"),
        Content::List(_) => Some("array"),
        Content::Map(_) => Some("object"),
        Content::Null => None,
    };
    let mut entries: Vec<Entry> = kind.map(|kind| entry("type", make::text(kind, place))).into_iter().collect();
    entries.push(entry("default", value));
    entries.extend(description.map(|description| entry("description", make::text(description, place))));
    make::map(entries, place)
}

/// The input of a key that only steps name.
fn undeclared(values: &Named<'_>) -> Input {
    let (first, _) = values.first().expect("a key is listed because a step names it");
    let key_place = first.key_place;
    let description = describe(values);
    let same = values.iter().all(|(entry, _)| literal(&entry.value) == literal(&first.value));
    if same && first.value.content != Content::Null {
        let declaration = with_default(first.value.clone(), Some(description));
        return Input { declaration, key_place, use_as: Use::Input };
    }
    let declaration = make::map(vec![entry("description", make::text(description, key_place))], key_place);
    Input { declaration, key_place, use_as: Use::Fallback }
}

fn describe(values: &Named<'_>) -> String {
    let mut names: Vec<&str> = values.iter().map(|(_, step)| step.as_str()).take(STEPS_NAMED_MAX).collect();
    if values.len() > STEPS_NAMED_MAX {
        names.push("..");
    }
    format!("Overlays the parameter of {}", names.join(", "))
}

fn warn_overlaid(key: &str, declaration: &Node, values: &Named<'_>, report: &mut Report) {
    let default = get(declaration, "default").and_then(literal);
    for (entry, step) in values {
        let own = literal(&entry.value);
        if entry.value.content != Content::Null && own != default {
            let message =
                format!("the value of `{key}` in step `{step}` never applies: the template's own `parameters` give it");
            let hint = "remove the value of the step, or the default of the template";
            report.warning(codes::OVERLAID, entry.value.place, message, hint);
        }
    }
}

/// A value as a literal of the expression language, or `None` if it is an expression itself, holds
/// characters that a literal cannot hold, or is too long.
fn literal(node: &Node) -> Option<String> {
    let mut out = String::new();
    write_literal(node, &mut out)?;
    Some(out)
}

fn write_literal(node: &Node, out: &mut String) -> Option<()> {
    match &node.content {
        Content::Null => out.push_str("null"),
        Content::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Content::Integer(value) => out.push_str(&value.to_string()),
        Content::Float(value, _) => out.push_str(&finite(*value)?),
        Content::Text(value) => write_text(value, out)?,
        Content::List(nodes) => {
            out.push('[');
            for (index, node) in nodes.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_literal(node, out)?;
            }
            out.push(']');
        }
        Content::Map(entries) => {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_text(&entry.key, out)?;
                out.push_str(": ");
                write_literal(&entry.value, out)?;
            }
            // The space keeps two closing braces apart: `}}` ends an expression.
            out.push_str(" }");
        }
    }
    (out.len() <= LITERAL_BYTES_MAX).then_some(())
}

fn finite(value: f64) -> Option<String> {
    value.is_finite().then(|| format!("{value:?}"))
}

fn write_text(text: &str, out: &mut String) -> Option<()> {
    if text.contains("${{") || text.contains("}}") || text.len() > LITERAL_BYTES_MAX {
        return None;
    }
    out.push('\'');
    for character in text.chars() {
        match character {
            '\'' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other if other.is_control() => return None,
            other => out.push(other),
        }
    }
    out.push('\'');
    Some(())
}
