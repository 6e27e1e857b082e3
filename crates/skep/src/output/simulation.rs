//! What a simulation showed, in words.

use serde_json::Value;

use super::{Paint, paint};

/// Failure points that are shown; `--format json` has all of them.
const POINTS_SHOWN: usize = 12;
/// Names in a list.
const NAMES_SHOWN: usize = 8;

/// The page of `metadata.simulation`; empty if nothing was simulated.
pub fn page(simulation: &Value) -> String {
    if !simulation.is_object() {
        return String::new();
    }
    let lacking = names(&simulation["lacking_inputs"]);
    if !lacking.is_empty() {
        return format!("not simulated: no value fits {lacking}; give it with `-i NAME=VALUE`");
    }
    let mut lines = vec![head(simulation)];
    lines.extend(duration(&simulation["duration"]));
    let points = list(&simulation["failure_points"]);
    let serious: Vec<&Value> = points.iter().filter(|point| is_serious(point)).collect();
    lines.extend(serious.iter().take(POINTS_SHOWN).map(|point| failure_point(point)));
    if serious.len() > POINTS_SHOWN {
        lines.push(format!("  {} more: `--format json` lists them", serious.len() - POINTS_SHOWN));
    }
    let unforeseen: Vec<&str> = list(&simulation["not_foreseen"]).iter().map(|one| text(&one["step"])).collect();
    if !unforeseen.is_empty() {
        lines.push(format!(
            "not foreseen: what `{}` makes of results that nobody has seen yet",
            unforeseen.join("`, `")
        ));
    }
    lines.join("\n")
}

fn head(simulation: &Value) -> String {
    let (paths, points) = (list(&simulation["paths"]).len(), list(&simulation["failure_points"]).len());
    let based = match simulation["history"].as_u64() {
        None | Some(0) => "no earlier ones to go by".to_owned(),
        Some(1) => "1 earlier one to go by".to_owned(),
        Some(count) => format!("{count} earlier ones to go by"),
    };
    let executions = &simulation["executions"];
    format!("simulated {executions} executions ({based}): {paths} way(s) through, {points} thing(s) that can go wrong")
}

fn duration(duration: &Value) -> Option<String> {
    let takes = duration["text"].as_str()?;
    let guessed = names(&duration["guessed"]);
    Some(match guessed.as_str() {
        "" => format!("it takes {takes}"),
        guessed => format!("it takes {takes}; nobody has seen yet how long {guessed} take(s)"),
    })
}

/// It does not end well, or makes others fail.
fn is_serious(point: &Value) -> bool {
    text(&point["status"]) != "completed" || !list(&point["also_fail"]).is_empty()
}

fn failure_point(point: &Value) -> String {
    let step = paint(Paint::Strong, text(&point["step"]));
    let mut line = format!("  if {step} {}: {}", text(&point["case"]), text(&point["status"]));
    for (key, word) in [("rollback", "undone"), ("could_be_undone", "could be undone")] {
        let found = names(&point[key]);
        if !found.is_empty() {
            line.push_str(&format!("; {word}: {found}"));
        }
    }
    for (key, word) in [("cannot_be_undone", "cannot be undone"), ("also_fail", "then also fail(s)")] {
        let steps: Vec<Value> = list(&point[key]).iter().map(|one| one["step"].clone()).collect();
        let found = names(&Value::Array(steps));
        if !found.is_empty() {
            line.push_str(&format!("; {word}: {found}"));
        }
    }
    line
}

fn names(value: &Value) -> String {
    let all = list(value);
    let mut shown: Vec<String> = all.iter().take(NAMES_SHOWN).map(|name| format!("`{}`", text(name))).collect();
    if all.len() > NAMES_SHOWN {
        shown.push(format!("{} more", all.len() - NAMES_SHOWN));
    }
    shown.join(", ")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_page_names_what_ends_badly() {
        let point = |step: &str, status: &str| {
            json!({
                "step": step, "case": "fails", "status": status, "rollback": ["b", "a"], "could_be_undone": [],
                "cannot_be_undone": [{"step": "c", "reason": "no_rollback"}], "also_fail": [],
            })
        };
        let shown = page(&json!({
            "executions": 7, "history": 0, "paths": [1, 2], "lacking_inputs": [], "not_foreseen": [],
            "failure_points": [point("d", "rolled_back"), point("e", "completed")],
            "duration": {"text": "1s to 3s, half within 2s", "guessed": ["a"]},
        }));
        let step = paint(Paint::Strong, "d");
        assert_eq!(
            shown,
            format!(
                "simulated 7 executions (no earlier ones to go by): 2 way(s) through, 2 thing(s) that can go wrong\n\
             it takes 1s to 3s, half within 2s; nobody has seen yet how long `a` take(s)\n  \
             if {step} fails: rolled_back; undone: `b`, `a`; cannot be undone: `c`"
            )
        );
        assert_eq!(page(&Value::Null), "");
        assert!(page(&json!({"lacking_inputs": ["host"]})).starts_with("not simulated: no value fits `host`"));
    }
}
