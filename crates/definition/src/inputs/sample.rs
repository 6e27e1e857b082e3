//! Values that fit a JSON Schema: for those who try a workflow out without anybody's inputs.

use serde_json::{Map, Value, json};

use super::schema;

/// Values of one schema.
const SAMPLES_MAX: usize = 16;
/// Schemas in schemas; deeper ones have no samples.
const DEPTH_MAX: usize = 8;
/// Texts that usual patterns and formats admit.
const TEXTS: [&str; 14] = [
    "text",
    "a",
    "1",
    "main",
    "example.org",
    "2030-01-31",
    "2030-01-31T12:00:00Z",
    "12:00:00Z",
    "someone@example.org",
    "https://example.org/",
    "1.0.0",
    "v1.0.0",
    "A1",
    "00000000-0000-4000-8000-000000000000",
];

/// Different values that match `schema`, the plainest first: every value of an `enum`, both booleans, ends of ranges. At
/// most 16; none if no value was found, as for an unusual `pattern`.
pub fn samples(schema: &Value) -> Vec<Value> {
    let Ok(validator) = schema::compile(schema) else { return Vec::new() };
    let mut found = Vec::new();
    for value in candidates(schema, DEPTH_MAX) {
        if found.len() < SAMPLES_MAX && validator.is_valid(&value) && !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

fn candidates(schema: &Value, depth: usize) -> Vec<Value> {
    let Some(schema) = schema.as_object() else { return vec![json!("text"), json!(1), Value::Null] };
    let mut found = Vec::new();
    for key in ["const", "default"] {
        found.extend(schema.get(key).cloned());
    }
    for key in ["enum", "examples"] {
        found.extend(schema.get(key).and_then(Value::as_array).into_iter().flatten().cloned());
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ if schema.contains_key("properties") => vec!["object"],
        _ if schema.contains_key("items") => vec!["array"],
        _ => vec!["string", "integer", "boolean", "array", "object", "null"],
    };
    found.extend(types.into_iter().flat_map(|kind| of_type(kind, schema, depth)));
    for key in ["anyOf", "oneOf", "allOf"] {
        let choices = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        found.extend(choices.filter(|_| depth > 0).flat_map(|choice| candidates(choice, depth - 1)));
    }
    found
}

fn of_type(kind: &str, schema: &Map<String, Value>, depth: usize) -> Vec<Value> {
    match kind {
        "boolean" => vec![json!(true), json!(false)],
        "null" => vec![Value::Null],
        "integer" | "number" => numbers(schema),
        "string" => texts(schema),
        "array" => arrays(schema, depth),
        "object" => objects(schema, depth),
        _ => Vec::new(),
    }
}

fn numbers(schema: &Map<String, Value>) -> Vec<Value> {
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number());
    let step = bound("multipleOf").cloned();
    let mut found: Vec<Value> = ["minimum", "maximum"].into_iter().filter_map(|key| bound(key).cloned()).collect();
    let inner = |key: &str, by: f64| bound(key).and_then(Value::as_f64).map(|bound| whole_or_not(bound + by));
    found.extend(inner("exclusiveMinimum", 1.0));
    found.extend(inner("exclusiveMaximum", -1.0));
    found.extend(inner("exclusiveMinimum", 0.001));
    found.extend(step);
    found.extend([json!(1), json!(0), json!(2), json!(0.5), json!(-1), json!(10)]);
    found
}

fn whole_or_not(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}

fn texts(schema: &Map<String, Value>) -> Vec<Value> {
    let length = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let (least, most) = (length("minLength").unwrap_or(0), length("maxLength"));
    let mut found: Vec<Value> = TEXTS.iter().map(|text| json!(text)).collect();
    if least > 0 && least <= 10_000 {
        found.push(json!("x".repeat(least)));
    }
    if most.is_some_and(|most| most < 4) {
        found.push(json!("x".repeat(most.unwrap_or_default())));
    }
    found
}

fn arrays(schema: &Map<String, Value>, depth: usize) -> Vec<Value> {
    if depth == 0 {
        return vec![json!([])];
    }
    let items = schema.get("items").map_or_else(|| vec![json!("text")], |items| candidates(items, depth - 1));
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).clamp(1, 100) as usize;
    let of_first: Vec<Value> = items.iter().take(1).cycle().take(least).cloned().collect();
    let different: Vec<Value> = items.iter().take(least.max(2)).cloned().collect();
    vec![json!(of_first), json!(different), json!([])]
}

fn objects(schema: &Map<String, Value>, depth: usize) -> Vec<Value> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|_| depth > 0) else {
        return vec![json!({})];
    };
    let mut of_each: Vec<(&String, Vec<Value>)> = Vec::new();
    for (name, property) in properties {
        let values: Vec<Value> = match schema::compile(property) {
            Ok(validator) => candidates(property, depth - 1).into_iter().filter(|it| validator.is_valid(it)).collect(),
            Err(_) => Vec::new(),
        };
        of_each.push((name, values));
    }
    let variations = of_each.iter().map(|(_, values)| values.len()).max().unwrap_or(0).clamp(1, SAMPLES_MAX);
    let object = |round: usize| {
        let entries = of_each.iter().filter(|(_, values)| !values.is_empty());
        entries.map(|(name, values)| ((*name).clone(), values[round % values.len()].clone())).collect::<Map<_, _>>()
    };
    (0..variations).map(|round| Value::Object(object(round))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_fit_and_cover_what_is_listed() {
        for (schema, first, count) in [
            (json!({"enum": ["a", "b", "c"]}), json!("a"), 3),
            (json!({"type": "boolean"}), json!(true), 2),
            (json!({"type": "integer", "minimum": 3, "maximum": 4}), json!(3), 2),
            (json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}), json!(0.001), 2),
            (json!({"type": "string", "format": "email"}), json!("someone@example.org"), 1),
            (json!({"type": "string", "minLength": 60}), json!("x".repeat(60)), 1),
            (json!({"type": "string", "pattern": "^v[0-9]+[.]"}), json!("v1.0.0"), 1),
            (json!({"type": "string", "pattern": "^zz9$"}), Value::Null, 0),
            (json!({"type": "array", "items": {"type": "integer"}, "minItems": 2}), json!([1, 1]), 2),
            (
                json!({"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]}),
                json!({"on": true}),
                2,
            ),
        ] {
            let found = samples(&schema);
            assert_eq!((found.first().cloned().unwrap_or_default(), found.len()), (first, count), "{schema} {found:?}");
        }
    }

    #[test]
    fn hostile_schemas_have_few_samples() {
        let mut schema = json!({"type": "string"});
        for _ in 0..50 {
            schema = json!({"anyOf": [schema.clone(), {"type": "array", "items": schema}]});
            if schema.to_string().len() > 10_000 {
                break;
            }
        }
        assert!(samples(&schema).len() <= SAMPLES_MAX);
        assert_eq!(samples(&json!({"type": 5})), Vec::<Value>::new());
    }
}
