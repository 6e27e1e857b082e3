//! Undoing in words: points, what a rollback would do, how one stands.

use std::fmt::Write;

use serde_json::Value;

use super::{Paint, paint, short_moment, table};

/// The points of an execution.
pub fn points(answer: &Value) -> String {
    let points = list(&answer["points"]);
    if points.is_empty() {
        return "no rollback points: nothing of this workflow can be undone".to_owned();
    }
    let cells = |point: &Value| {
        let why = match (point["step"].as_str(), point["note"].as_str()) {
            (Some(step), _) => step.to_owned(),
            (None, Some(note)) => note.replace('\n', " "),
            (None, None) => String::new(),
        };
        vec![
            point["point"].to_string(),
            short_moment(text(&point["at"])),
            text(&point["kind"]).to_owned(),
            point["completed"].to_string(),
            point["undoes"].to_string(),
            why,
        ]
    };
    let rows: Vec<Vec<String>> = points.iter().map(cells).collect();
    table(&["POINT", "MADE", "KIND", "COMPLETED", "UNDOES", ""], &rows)
}

/// What a rollback would do, or what a person has to do.
pub fn plan(answer: &Value) -> String {
    let far = answer["to"].as_u64().map(|to| format!(", back to rollback point {to}")).unwrap_or_default();
    let mut page = format!("strategy {}{far}\n", text(&answer["strategy"]));
    let steps = list(&answer["steps"]);
    if steps.is_empty() {
        page.push_str("\nnothing is undone\n");
    }
    for (at, step) in steps.iter().enumerate() {
        let _ = write!(page, "\n{:>3}. {}{}\n", at + 1, paint(Paint::Strong, text(&step["step"])), remarks(step));
        for line in does(&step["does"]) {
            let _ = writeln!(page, "     {line}");
        }
    }
    let left = list(&answer["cannot_be_undone"]);
    if !left.is_empty() {
        page.push_str("\ncannot be undone:\n");
    }
    for step in left {
        let why = if step["reason"] == "irreversible" { "irreversible" } else { "has no rollback" };
        let _ = writeln!(page, "     {} ({why})", paint(Paint::Bad, text(&step["step"])));
    }
    page.trim_end().to_owned()
}

/// How a rollback stands.
pub fn status(answer: &Value) -> String {
    let rollback = &answer["rollback"];
    if rollback.is_null() {
        return "no rollback began".to_owned();
    }
    let far = rollback["to"].as_u64().map(|to| format!(" to point {to}")).unwrap_or_default();
    let strategy = text(&rollback["strategy"]);
    let mut page = format!(
        "{} ({strategy}{far}, because of: {})\n",
        in_words(text(&rollback["status"])),
        text(&rollback["cause"])
    );
    let mut line = |what: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(page, "{what:<9}{value}");
        }
    };
    line("began", short_moment(text(&rollback["start_time"])));
    line("ended", rollback["end_time"].as_str().map(short_moment).unwrap_or_default());
    line("undone", paths(&rollback["undone"]));
    line("left", paths(&rollback["left"]));
    line("next", text(&rollback["next"]).to_owned());
    for error in list(&rollback["errors"]) {
        let message = text(&error["error"]["message"]);
        line("failed", format!("{}: {}", text(&error["step"]), paint(Paint::Bad, message)));
    }
    page.trim_end().to_owned()
}

fn in_words(status: &str) -> &str {
    match status {
        "at_point" => "undone back to its point",
        "manual_ready" => "waits for a person",
        other => other,
    }
}

fn paths(value: &Value) -> String {
    list(value).iter().map(text).collect::<Vec<_>>().join(", ")
}

fn remarks(step: &Value) -> String {
    let mut remarks = Vec::new();
    if step["unsure"] == true {
        remarks.push("only if it was done, which is not known".to_owned());
    }
    if step["verified"] == true {
        remarks.push("verified afterwards".to_owned());
    }
    if step["left_because_of_another"] == true {
        remarks.push("left, because something after it could not be undone".to_owned());
    }
    for key in ["problem", "error"] {
        if let Some(message) = step[key]["message"].as_str() {
            remarks.push(paint(Paint::Bad, message));
        }
    }
    if remarks.is_empty() { String::new() } else { format!("  ({})", remarks.join("; ")) }
}

/// What is to be done, line by line, so that a person can do it.
fn does(does: &Value) -> Vec<String> {
    if let Some(script) = does["run"].as_str() {
        let mut lines = vec![format!("cd {}", text(&does["working_dir"]))];
        let values = does["values"].as_object().into_iter().flatten();
        lines.extend(values.map(|(name, value)| format!("{name}={}", quoted(text(value)))));
        lines.extend(script.lines().map(str::to_owned));
        return lines;
    }
    if let Some(action) = does["uses"].as_str() {
        let mut lines = vec![format!("uses: {action}")];
        let with = skep_definition::print::value_to_yaml(&does["with"]);
        lines.extend(with.lines().map(|line| format!("  {line}")));
        return lines;
    }
    does["child"].as_str().map(|child| format!("skep rollback {child}")).into_iter().collect()
}

/// As a shell reads it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
