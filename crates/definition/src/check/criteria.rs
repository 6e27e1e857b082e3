//! `success_criteria`: conditions, and the named checks that some spellings write among them.
//!
//! A criterion of nothing but words (`status_received`, `all agents responsive`) names a check that somebody else
//! defines. As a condition it would name an output that nobody gives, so it is never compiled, and `built` refuses it.

use serde_json::Value;

/// Words that make a condition of what is else only words.
const OPERATORS: [&str; 9] = ["and", "or", "not", "in", "is", "if", "else", "true", "false"];

/// The criteria as texts, each with its pointer below `success_criteria`.
pub(crate) fn written(criteria: &Value) -> impl Iterator<Item = (String, &str)> {
    let (alone, items) = match criteria {
        Value::String(text) => (Some(text.as_str()), [].as_slice()),
        Value::Array(items) => (None, items.as_slice()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => (None, [].as_slice()),
    };
    let listed = items.iter().enumerate();
    let listed = listed.filter_map(|(index, item)| item.as_str().map(|text| (format!("/{index}"), text)));
    alone.map(|text| (String::new(), text)).into_iter().chain(listed)
}

/// Names a check and says no condition.
pub(crate) fn is_named_check(criterion: &str) -> bool {
    let is_name = |word: &str| {
        word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
            && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
            && !OPERATORS.contains(&word)
    };
    !criterion.contains("${{") && criterion.split_whitespace().all(is_name)
}
