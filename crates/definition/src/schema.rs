//! The JSON Schema (draft 2020-12) of the canonical spelling, for editors, from the table of keys.
//!
//! It accepts whatever `lower` accepts and refuses most of what it refuses: unknown keys, wrong types, a step
//! with no kind or two. What a schema cannot say (unique ids, `depends_on` without `order: graph`) is left to
//! `lower` and `check`.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::keys::{self, Key, Role, Type};

/// The tables that have a definition of their own in the schema.
const TABLES: &[(&str, &[Key])] = &[
    ("defaults", keys::DEFAULTS),
    ("workflow_rollback", keys::ROLLBACK),
    ("trigger", keys::TRIGGER),
    ("error_handling", keys::ERROR_HANDLING),
    ("step", keys::STEP),
    ("retry", keys::RETRY),
    ("on_error", keys::ON_ERROR),
    ("concurrency", keys::CONCURRENCY),
    ("circuit_breaker", keys::CIRCUIT_BREAKER),
    ("compensation", keys::COMPENSATION),
    ("verification", keys::VERIFICATION),
    ("idempotency", keys::IDEMPOTENCY),
    ("approval", keys::APPROVAL),
    ("approve", keys::GATE),
    ("escalation", keys::ESCALATION),
    ("wait", keys::WAIT),
    ("switch", keys::SWITCH),
    ("case", keys::CASE),
    ("branch", keys::BRANCH),
    ("repeat", keys::REPEAT),
    ("agent", keys::AGENT),
    ("ai", keys::AI),
    ("call", keys::CALL),
    ("input", keys::INPUT),
];

/// Tables whose values are kept as written, so that a template may stand for a number or a boolean.
const KEPT: &[&str] = &[
    "workflow_rollback",
    "trigger",
    "concurrency",
    "circuit_breaker",
    "compensation",
    "verification",
    "agent",
    "ai",
    "call",
    "input",
];

/// The schema of a workflow. Every property has a description and an example.
pub fn workflow() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Skep workflow",
        "description": "A workflow in the canonical spelling: YAML 1.2 or JSON.",
    });
    let mut definitions = Map::new();
    for (name, table) in TABLES {
        definitions.insert((*name).to_owned(), definition(name, table));
    }
    let steps = json!({"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}});
    definitions.insert("steps".to_owned(), steps);
    let root = schema.as_object_mut().expect("the head of the schema is an object");
    root.extend(mapping(keys::WORKFLOW, false));
    root.insert("$defs".to_owned(), Value::Object(definitions));
    schema
}

fn definition(name: &str, table: &'static [Key]) -> Value {
    let mut schema = mapping(table, KEPT.contains(&name));
    match name {
        "step" => step_rules(&mut schema),
        "wait" => _ = schema.insert("oneOf".to_owned(), each_alone(&["for", "until", "signal", "condition"])),
        "repeat" => _ = schema.insert("oneOf".to_owned(), each_alone(&["times", "until"])),
        _ => {}
    }
    Value::Object(schema)
}

/// A mapping with exactly the keys of a table.
fn mapping(table: &'static [Key], is_kept: bool) -> Map<String, Value> {
    let properties: Map<String, Value> =
        table.iter().map(|key| (key.name.to_owned(), property(key, is_kept || key.role == Role::Later))).collect();
    let required: Vec<&str> = table.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

fn property(key: &'static Key, is_kept: bool) -> Value {
    let mut schema = match of(&key.of, is_kept) {
        Value::Object(schema) => schema,
        other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
    };
    schema.insert("description".to_owned(), json!(key.doc));
    if let Some(example) = example(key) {
        schema.insert("examples".to_owned(), json!([example]));
    }
    Value::Object(schema)
}

/// The value of a key's example; none where it leaves steps out (`[..]`).
fn example(key: &Key) -> Option<Value> {
    let node = crate::tree::parse(key.example).ok().filter(|_| !key.example.contains("[..]"))?;
    Some(node.get(key.name)?.to_value())
}

fn of(of_key: &Type, is_kept: bool) -> Value {
    match of_key {
        Type::Text => json!({"type": ["string", "number", "boolean"]}),
        Type::Boolean => or_template(json!({"type": "boolean"}), is_kept),
        Type::Integer { min, max } => or_template(integer(*min, *max), is_kept),
        Type::Number => or_template(json!({"type": "number"}), is_kept),
        Type::Duration => json!({"type": "string", "pattern": DURATION_PATTERN}),
        Type::Words(words) => json!({"enum": words}),
        Type::Texts => json!({"anyOf": [of(&Type::Text, false), {"type": "array", "items": of(&Type::Text, false)}]}),
        Type::TextMap => {
            json!({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}})
        }
        Type::ValueMap => json!({"type": "object"}),
        Type::Values => json!({"type": "array"}),
        Type::Any => json!({}),
        Type::Object(table) => reference(table, is_kept),
        Type::Objects(table) => json!({"type": "array", "items": reference(table, is_kept)}),
        Type::ObjectMap(table) => {
            json!({"type": "object", "additionalProperties": {"anyOf": [{"type": "null"}, reference(table, is_kept)]}})
        }
        Type::Steps => json!({"$ref": "#/$defs/steps"}),
        Type::Branches => json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"anyOf": [{"$ref": "#/$defs/steps"}, {"$ref": "#/$defs/branch"}]},
        }),
        Type::Either(types) => json!({"anyOf": types.iter().map(|each| of(each, is_kept)).collect::<Vec<_>>()}),
    }
}

/// What `skep_model::span::parse_duration_ms` reads.
const DURATION_PATTERN: &str = r"^\s*([0-9]*\.?[0-9]+(ms|s|min|m|h|d|w)\s*)+$";

fn integer(min: i64, max: i64) -> Value {
    if max == i64::MAX {
        return json!({"type": "integer", "minimum": min});
    }
    json!({"type": "integer", "minimum": min, "maximum": max})
}

fn or_template(schema: Value, is_kept: bool) -> Value {
    if is_kept { json!({"anyOf": [schema, {"type": "string", "pattern": r"\$\{\{"}]}) } else { schema }
}

/// The definition of a table, or the mapping itself for the small ones without one.
fn reference(table: &'static [Key], is_kept: bool) -> Value {
    match TABLES.iter().find(|(_, known)| std::ptr::eq(known.as_ptr(), table.as_ptr())) {
        Some((name, _)) => json!({"$ref": format!("#/$defs/{name}")}),
        None => Value::Object(mapping(table, is_kept)),
    }
}

/// Exactly one of these keys.
fn each_alone(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"required": [name]})).collect()
}

/// One kind, an id or a name, and each key only on the kinds that it belongs to.
fn step_rules(schema: &mut Map<String, Value>) {
    let kinds: Vec<&str> = keys::step_kinds().map(|key| key.name).collect();
    schema.insert("oneOf".to_owned(), each_alone(&kinds));
    schema.insert("anyOf".to_owned(), each_alone(&["id", "name"]));
    let mut owners = Map::new();
    for key in keys::STEP.iter().filter(|key| !key.kinds.is_empty()) {
        owners.insert(key.name.to_owned(), json!({"anyOf": each_alone(key.kinds)}));
    }
    schema.insert("dependentSchemas".to_owned(), Value::Object(owners));
    let loops = keys::find(keys::STEP, "steps").map_or(&[] as &[&str], |key| key.kinds);
    let bodies: Map<String, Value> = loops.iter().map(|name| ((*name).to_owned(), json!(["steps"]))).collect();
    schema.insert("dependentRequired".to_owned(), Value::Object(bodies));
    // `approval:` with nothing behind it asks without further settings.
    let allow_nothing = schema.get_mut("properties").and_then(|all| all.pointer_mut("/approval/anyOf"));
    if let Some(Value::Array(forms)) = allow_nothing {
        forms.push(json!({"type": "null"}));
    }
}
