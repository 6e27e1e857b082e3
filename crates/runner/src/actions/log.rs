//! `log`: writes a message to the step's log.

use serde::Deserialize;
use serde_json::{Value, json};
use skep_model::Map;
use skep_model::catalogue::Action;

use super::context::{Now, Result};
use crate::sink::LogLine;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    message: Value,
    #[serde(default)]
    level: Level,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Debug,
    #[default]
    Info,
    Warning,
    Error,
}

impl Level {
    /// Put before the message; the usual level has none.
    fn prefix(self) -> &'static str {
        match self {
            Self::Debug => "debug: ",
            Self::Info => "",
            Self::Warning => "warning: ",
            Self::Error => "error: ",
        }
    }
}

pub(super) fn entry() -> Action {
    Action {
        summary: "Write a message to the step's log".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "message": {"description": "text; any other value is written as JSON"},
                "level": {"enum": ["debug", "info", "warning", "error"], "default": "info"},
            },
            "required": ["message"],
            "additionalProperties": false,
        }),
        outputs: vec!["message".to_owned()],
        read_only: true,
    }
}

pub(super) fn perform(mut now: Now<'_>) -> Result {
    let arguments: Arguments = now.arguments("log")?;
    let text = match &arguments.message {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let lines: Vec<LogLine> =
        text.lines().map(|line| LogLine::system(&format!("{}{line}", arguments.level.prefix()))).collect();
    now.sink.lines(now.task, &lines);
    Ok(Map::from_iter([("message".to_owned(), Value::String(text))]))
}
