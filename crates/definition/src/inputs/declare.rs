//! An entry of `inputs:` (or a form field) as written becomes a [`plan::Input`] with its JSON Schema.

use serde_json::{Map, Value, json};
use skep_model::plan;

use super::schema;
use crate::suggest;

/// Something wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Key of the entry that is wrong; empty: the entry as a whole.
    pub key: String,
    /// One sentence.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// Keys that describe an entry and constrain nothing.
const DESCRIBING: &[&str] = &[
    "title",
    "description",
    "label",
    "placeholder",
    "help",
    "help_text",
    "icon",
    "examples",
    "deprecated",
    "multiline",
    "group",
];

/// Keys that travel into the schema as they are.
const CONSTRAINING: &[&str] = &[
    "enum",
    "const",
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "items",
    "prefixItems",
    "contains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "anyOf",
    "oneOf",
    "allOf",
    "not",
];

/// Keys that are neither: read by `declare` itself.
const OWN: &[&str] = &["type", "required", "default", "choices"];

const TYPES: &[&str] = &[
    "string", "number", "integer", "boolean", "array", "object", "text", "choice", "date", "secret", "email", "url",
    "hostname",
];

/// Reads one entry. All faults at once.
///
/// `required` is a boolean; a list of names (as JSON Schema has it) is taken as the required properties of
/// an object. A bare text is its type (`host: string`), `null` is "anything".
pub fn declare(entry: &Value) -> Result<plan::Input, Vec<Fault>> {
    let entry = match entry {
        Value::Object(map) => map.clone(),
        Value::Null => Map::new(),
        Value::String(kind) => Map::from_iter([("type".to_owned(), json!(kind))]),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err(vec![fault("", "an input is declared by a mapping such as `{type: string, required: true}`")]);
        }
    };
    let mut faults = unknown_keys(&entry);
    let kind = read_type(&entry, &mut faults);
    let required = read_required(&entry, &mut faults);
    let schema = build_schema(&entry, &kind, &mut faults);
    if faults.is_empty()
        && let Err(message) = schema::compile(&schema)
    {
        faults.push(schema_fault(&entry, &message));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(plan::Input {
        kind,
        required,
        default: entry.get("default").filter(|value| !value.is_null()).cloned(),
        description: text_of(&entry, "description"),
        label: text_of(&entry, "label"),
        schema,
    })
}

fn fault(key: &str, message: impl Into<String>) -> Fault {
    Fault { key: key.to_owned(), message: message.into(), hint: None }
}

fn text_of(entry: &Map<String, Value>, key: &str) -> String {
    entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn known_keys() -> impl Iterator<Item = &'static str> + Clone {
    OWN.iter().chain(CONSTRAINING).chain(DESCRIBING).copied()
}

fn unknown_keys(entry: &Map<String, Value>) -> Vec<Fault> {
    let unknown = entry.keys().filter(|key| !known_keys().any(|known| known == key.as_str()));
    unknown
        .map(|key| Fault {
            key: key.clone(),
            message: format!("`{key}` is not a keyword of an input"),
            hint: suggest::meant_or_known(key, "the keywords of JSON Schema hold here, for example", known_keys()),
        })
        .collect()
}

/// The type's word; empty for "any" and for a list of types (which stays in the schema).
fn read_type(entry: &Map<String, Value>, faults: &mut Vec<Fault>) -> String {
    match entry.get("type") {
        None | Some(Value::Null | Value::Array(_)) => String::new(),
        Some(Value::String(kind)) if TYPES.contains(&kind.as_str()) => kind.clone(),
        Some(Value::String(kind)) => {
            faults.push(Fault {
                key: "type".to_owned(),
                message: format!("`{kind}` is not a type of an input"),
                hint: type_hint(kind),
            });
            String::new()
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            faults.push(fault("type", "`type` is a word such as `string`"));
            String::new()
        }
    }
}

fn type_hint(kind: &str) -> Option<String> {
    let usual = match kind.to_ascii_lowercase().as_str() {
        "int" | "long" => Some("integer"),
        "float" | "double" | "decimal" => Some("number"),
        "bool" => Some("boolean"),
        "list" | "sequence" | "tuple" => Some("array"),
        "map" | "dict" | "mapping" | "json" => Some("object"),
        "str" => Some("string"),
        "select" | "enum" => Some("choice"),
        "password" => Some("secret"),
        "uri" => Some("url"),
        _ => None,
    };
    match usual {
        Some(word) => Some(format!("did you mean `{word}`?")),
        None => suggest::did_you_mean(kind, TYPES.iter().copied())
            .or_else(|| Some(format!("the types: {}", TYPES.join(", ")))),
    }
}

fn read_required(entry: &Map<String, Value>, faults: &mut Vec<Fault>) -> bool {
    match entry.get("required") {
        None | Some(Value::Null | Value::Array(_)) => false,
        Some(Value::Bool(required)) => *required,
        Some(Value::String(_) | Value::Number(_) | Value::Object(_)) => {
            faults.push(fault("required", "`required` is `true` or `false`"));
            false
        }
    }
}

fn build_schema(entry: &Map<String, Value>, kind: &str, faults: &mut Vec<Fault>) -> Value {
    let mut schema = Map::new();
    match kind {
        "" => {
            if let Some(list @ Value::Array(_)) = entry.get("type") {
                schema.insert("type".to_owned(), list.clone());
            }
        }
        "choice" => {}
        "text" | "secret" => {
            schema.insert("type".to_owned(), json!("string"));
        }
        "date" | "email" | "hostname" | "url" => {
            schema.insert("type".to_owned(), json!("string"));
            schema.insert("format".to_owned(), json!(if kind == "url" { "uri" } else { kind }));
        }
        plain => {
            schema.insert("type".to_owned(), json!(plain));
        }
    }
    for key in CONSTRAINING {
        if let Some(value) = entry.get(*key) {
            schema.insert((*key).to_owned(), value.clone());
        }
    }
    if let Some(names @ Value::Array(_)) = entry.get("required") {
        schema.insert("required".to_owned(), names.clone());
    }
    read_choices(entry, kind, &mut schema, faults);
    Value::Object(schema)
}

fn read_choices(entry: &Map<String, Value>, kind: &str, schema: &mut Map<String, Value>, faults: &mut Vec<Fault>) {
    match entry.get("choices") {
        Some(Value::Array(choices)) if !choices.is_empty() => {
            schema.insert("enum".to_owned(), Value::Array(choices.clone()));
        }
        Some(_) => faults.push(fault("choices", "`choices` is a list of at least one value")),
        None if kind == "choice" && !schema.contains_key("enum") => faults.push(Fault {
            key: "type".to_owned(),
            message: "an input of type `choice` has no choices".to_owned(),
            hint: Some("write `choices: [first, second]`".to_owned()),
        }),
        None => {}
    }
}

/// A schema that does not compile: most often its pattern, so that is tried alone for a better place.
fn schema_fault(entry: &Map<String, Value>, message: &str) -> Fault {
    if let Some(pattern) = entry.get("pattern")
        && let Err(message) = schema::compile(&json!({"pattern": pattern}))
    {
        return Fault {
            key: "pattern".to_owned(),
            message: format!("the pattern cannot be used: {message}"),
            hint: Some("look-around and back-references are refused, because they can take for ever".to_owned()),
        };
    }
    let culprit = CONSTRAINING.iter().find(|key| {
        entry.get(**key).is_some_and(|value| schema::compile(&json!({ (**key).to_owned(): value })).is_err())
    });
    fault(culprit.copied().unwrap_or_default(), format!("this is not a valid JSON Schema: {message}"))
}
