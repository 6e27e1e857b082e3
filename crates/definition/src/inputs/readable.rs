//! What is wrong with a value, in words: JSON Schema errors for people.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::suggest;

/// Characters of a value that are shown in a message.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// One sentence and a hint for a validation error; the sentence does not name where the value stands.
pub fn readable(error: &ValidationError<'_>) -> (String, Option<String>) {
    let value = shown(error.instance());
    match error.kind() {
        ValidationErrorKind::Type { kind } => (type_message(kind, error.instance()), None),
        ValidationErrorKind::Enum { options } => enum_message(&value, error.instance(), options),
        ValidationErrorKind::Pattern { pattern } => (format!("{value} does not match the pattern `{pattern}`"), None),
        ValidationErrorKind::Format { format } => (format!("{value} is not {}", format_in_words(format)), None),
        ValidationErrorKind::Required { property } => (format!("{} is missing", shown_name(property)), None),
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let names = suggest::list_names(unexpected.iter().map(String::as_str));
            (format!("{names} is not known here"), None)
        }
        ValidationErrorKind::Minimum { limit } => (format!("{value} is less than {limit}"), None),
        ValidationErrorKind::Maximum { limit } => (format!("{value} is more than {limit}"), None),
        ValidationErrorKind::ExclusiveMinimum { limit } => (format!("{value} is not more than {limit}"), None),
        ValidationErrorKind::ExclusiveMaximum { limit } => (format!("{value} is not less than {limit}"), None),
        ValidationErrorKind::MinLength { limit } => (format!("{value} has fewer than {limit} characters"), None),
        ValidationErrorKind::MaxLength { limit } => (format!("{value} has more than {limit} characters"), None),
        ValidationErrorKind::MinItems { limit } => (format!("the list has fewer than {limit} items"), None),
        ValidationErrorKind::MaxItems { limit } => (format!("the list has more than {limit} items"), None),
        ValidationErrorKind::UniqueItems => ("the list names an item twice".to_owned(), None),
        // The crate's own words serve for the rare rest; its kinds are not ours to match without a default.
        _ => (error.to_string(), None),
    }
}

/// JSON text of a value, cut for a message.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARACTERS_MAX {
        return text;
    }
    let cut: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    format!("{cut}…")
}

fn shown_name(property: &Value) -> String {
    format!("`{}`", property.as_str().unwrap_or_default())
}

fn type_message(expected: &TypeKind, value: &Value) -> String {
    let expected = match expected {
        TypeKind::Single(kind) => with_article(&kind.to_string()),
        TypeKind::Multiple(kinds) => {
            let words: Vec<String> = kinds.iter().map(|kind| with_article(&kind.to_string())).collect();
            words.join(" or ")
        }
    };
    format!("{} is {}, not {expected}", shown(value), with_article(type_word(value)))
}

fn with_article(word: &str) -> String {
    let word = if word == "null" { return "null".to_owned() } else { word };
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

fn type_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn enum_message(shown: &str, value: &Value, options: &Value) -> (String, Option<String>) {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let words: Vec<String> =
        options.iter().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned)).collect();
    let names = || words.iter().map(String::as_str);
    let hint = value.as_str().and_then(|word| suggest::did_you_mean(word, names()));
    (format!("{shown} is none of {}", suggest::list_names(names())), hint)
}

fn format_in_words(format: &str) -> String {
    match format {
        "date" => "a date such as 2026-12-01".to_owned(),
        "date-time" => "a moment such as 2026-12-01T08:00:00Z".to_owned(),
        "email" => "an email address".to_owned(),
        "hostname" => "a host name".to_owned(),
        "uri" => "a URL such as https://example.org".to_owned(),
        "uuid" => "a UUID".to_owned(),
        "ipv4" => "an IPv4 address".to_owned(),
        "ipv6" => "an IPv6 address".to_owned(),
        other => format!("a valid {other}"),
    }
}
