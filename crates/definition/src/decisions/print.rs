//! A table as text that reads back as the same table.

use serde_json::{Map, Value, json};
use skep_model::decision::{Pattern, Range, Rule, Rules, When};
use skep_model::plan::Asking;

use crate::print::{self, Doc};
use crate::workflow;

/// The whole table as YAML. It holds everything that decides, so it reads back over an empty table only: read over the
/// built-in one, its `errors` stand twice, which changes nothing.
pub fn yaml(rules: &Rules) -> String {
    let mut entries = Vec::new();
    if !rules.errors.is_empty() {
        entries.push(("errors".to_owned(), Doc::Items(rules.errors.iter().map(pattern).map(Doc::Value).collect())));
    }
    entries.push(("rules".to_owned(), Doc::Items(rules.rules.iter().map(rule).map(Doc::Value).collect())));
    if let Some(retry) = &rules.retry {
        entries.push(("retry".to_owned(), Doc::Value(print::retry(&workflow::Retry::from(retry)))));
    }
    if rules.escalation != Asking::default() {
        let asking = workflow::Asking::from(&rules.escalation);
        entries.push(("escalation".to_owned(), Doc::Value(print::asking(&asking))));
    }
    print::doc(&Doc::Block(entries))
}

fn pattern(pattern: &Pattern) -> Value {
    let mut entries = Map::from_iter([("kind".to_owned(), json!(pattern.kind.as_str()))]);
    let mut add = |name: &str, is_there: bool, value: Value| {
        if is_there {
            entries.insert(name.to_owned(), value);
        }
    };
    add("text", pattern.text.is_some(), json!(pattern.text));
    add("exit_codes", !pattern.exit_codes.is_empty(), json!(pattern.exit_codes));
    add("statuses", !pattern.statuses.is_empty(), json!(pattern.statuses));
    Value::Object(entries)
}

fn rule(rule: &Rule) -> Value {
    let mut entries = Map::from_iter([("name".to_owned(), json!(rule.name))]);
    if rule.when != When::default() {
        entries.insert("when".to_owned(), when(&rule.when));
    }
    entries.insert("then".to_owned(), json!(rule.then.as_str()));
    Value::Object(entries)
}

fn when(when: &When) -> Value {
    let mut entries = Map::new();
    let mut words = |name: &str, words: Vec<&str>| {
        if !words.is_empty() {
            entries.insert(name.to_owned(), json!(words));
        }
    };
    words("priority", when.priority.iter().map(|weight| weight.as_str()).collect());
    words("class", when.class.iter().map(|class| class.as_str()).collect());
    words("kind", when.kind.iter().map(|kind| kind.as_str()).collect());
    let flags = [
        ("attempts_left", when.attempts_left),
        ("critical", when.critical),
        ("read_only", when.read_only),
        ("irreversible", when.irreversible),
    ];
    entries.extend(flags.into_iter().filter_map(|(name, flag)| Some((name.to_owned(), json!(flag?)))));
    let ranges = [("progress", when.progress), ("health", when.health)];
    entries.extend(ranges.into_iter().filter_map(|(name, inside)| Some((name.to_owned(), range(inside?)))));
    Value::Object(entries)
}

fn range(range: Range) -> Value {
    let bounds = [("above", range.above), ("below", range.below)];
    bounds.into_iter().filter_map(|(name, bound)| Some((name.to_owned(), json!(bound?)))).collect()
}
