//! Problems as SARIF 2.1.0, for tools that show them beside the code (GitHub code scanning and its like).
//!
//! One run, one rule per code that occurs, each with its page as help. What has no place stands at the first line,
//! because those tools want one.

use serde_json::{Value, json};
use skep_api::wire::Validation;
use skep_model::code::Code;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The log of one validation; `codes` are the pages of all codes.
pub fn sarif(found: &Validation, codes: &[Code]) -> Value {
    let lists = [("error", &found.report.errors), ("warning", &found.report.warnings), ("note", &found.suggestions)];
    let problems: Vec<(&str, &Value)> =
        lists.iter().flat_map(|(level, list)| list.iter().map(move |problem| (*level, problem))).collect();
    let mut used: Vec<(&str, &str)> = problems.iter().map(|(level, problem)| (text(problem, "code"), *level)).collect();
    used.sort_unstable();
    used.dedup_by_key(|(code, _)| *code);
    let results: Vec<Value> = problems.iter().map(|(level, problem)| result(level, problem, &used)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "skep",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": used.iter().map(|(code, level)| rule(code, level, codes)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn text<'a>(problem: &'a Value, key: &str) -> &'a str {
    problem[key].as_str().unwrap_or_default()
}

fn rule(code: &str, level: &str, codes: &[Code]) -> Value {
    let known = codes.iter().find(|known| known.id == code);
    let (title, page) = known.map_or((code, code), |known| (known.title, known.page));
    json!({
        "id": code,
        "name": code,
        "shortDescription": {"text": title},
        "fullDescription": {"text": page.split("\n\n").next().unwrap_or(page)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": level},
    })
}

fn result(level: &str, problem: &Value, used: &[(&str, &str)]) -> Value {
    let code = text(problem, "code");
    let message = match problem["hint"].as_str() {
        Some(hint) => format!("{} ({hint})", text(problem, "message")),
        None => text(problem, "message").to_owned(),
    };
    let mut region = json!({"startLine": problem["line"].as_u64().unwrap_or(1)});
    if let Some(column) = problem["column"].as_u64() {
        region["startColumn"] = json!(column);
    }
    json!({
        "ruleId": code,
        "ruleIndex": used.iter().position(|(other, _)| *other == code),
        "level": level,
        "message": {"text": message},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(text(problem, "file"))},
            "region": region,
        }}],
    })
}

/// A path as a relative reference of a URI.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let path = path.strip_prefix("./").unwrap_or(path);
    path.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use skep_api::wire::Report;

    use super::*;

    #[test]
    fn what_is_uploaded_has_what_is_needed() {
        let problem = |code: &str, line: Value| json!({"code": code, "message": "m", "file": "./a b.yaml", "line": line, "column": line, "hint": "h"});
        let report = Report {
            valid: false,
            errors: vec![problem("SKEP-D001", json!(3)), problem("SKEP-D001", json!(4))],
            warnings: vec![problem("SKEP-C036", Value::Null)],
            text: String::new(),
        };
        let found = Validation {
            report,
            suggestions: vec![problem("SKEP-C087", json!(1))],
            level: "strict".to_owned(),
            confidence: 0.5,
            validation_time: 0.1,
            checks_performed: Vec::new(),
            metadata: Value::Null,
        };
        let log = sarif(&found, &crate::commands::explain::all());
        assert_eq!((&log["version"], &log["$schema"]), (&json!("2.1.0"), &json!(SCHEMA)));
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(
            rules.iter().map(|rule| text(rule, "id")).collect::<Vec<_>>(),
            ["SKEP-C036", "SKEP-C087", "SKEP-D001"]
        );
        assert!(rules.iter().all(|rule| !text(&rule["help"], "markdown").is_empty()));
        let results = run["results"].as_array().unwrap();
        assert_eq!(
            results.iter().map(|result| text(result, "level")).collect::<Vec<_>>(),
            ["error", "error", "warning", "note"]
        );
        assert_eq!(
            results.iter().map(|result| result["ruleIndex"].as_u64()).collect::<Vec<_>>(),
            [Some(2), Some(2), Some(0), Some(1)]
        );
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
        assert_eq!(place["region"], json!({"startLine": 3, "startColumn": 3}));
        assert_eq!(results[2]["locations"][0]["physicalLocation"]["region"], json!({"startLine": 1}));
        assert_eq!(results[0]["message"]["text"], "m (h)");
    }
}
