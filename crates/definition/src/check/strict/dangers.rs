//! Commands that destroy, by the words of the shell: `cat` is not `at`, and `echo "rm -rf /"` only prints.

use serde_json::Value;
use skep_model::Map;

use super::scripts::{Script, Scripts};
use super::sql;
use crate::check::codes;
use crate::check::report::{Finding, Report};
use crate::outline::{Outline, pointer_part};
use crate::script::Invocation;
use crate::workflow::Kind;

/// Clients of databases whose arguments and input are SQL.
const SQL_CLIENTS: [&str; 12] = [
    "psql",
    "mysql",
    "mariadb",
    "sqlite3",
    "sqlcmd",
    "duckdb",
    "cockroach",
    "clickhouse-client",
    "sqlplus",
    "isql",
    "usql",
    "pgcli",
];
/// Devices that are no disk.
const HARMLESS_DEVICES: [&str; 9] = ["null", "zero", "full", "random", "urandom", "stdin", "stdout", "stderr", "tty"];

/// Checks every script and every `sql` action.
pub(super) fn check(outline: &Outline<'_>, scripts: &Scripts<'_>, report: &mut Report<'_>) {
    for script in &scripts.0 {
        in_script(script, report);
    }
    for entry in &outline.steps {
        if let Kind::Uses { action, with } = &entry.step.kind
            && action == "sql"
        {
            in_arguments(&format!("{}/with", entry.pointer), with, report);
        }
    }
}

fn in_script(script: &Script<'_>, report: &mut Report<'_>) {
    let Some(survey) = &script.survey else { return };
    let mut last = None;
    let calls = survey.invocations.iter().filter_map(|call| Some((danger(call)?, call.start, call.end)));
    let writes = survey.targets.iter().filter(|(target, ..)| is_disk(target));
    let writes = writes.map(|(target, start, end)| (format!("writes to the device {target}"), *start, *end));
    for (what, start, end) in calls.chain(writes) {
        // `sudo rm -rf` is one danger, not two.
        if last == Some(start) {
            continue;
        }
        last = Some(start);
        let finding = Finding::warning(codes::DANGEROUS_COMMAND, what);
        let hint = "make sure that it can only hit what is meant, ask first (`approve: before`), or name exact paths";
        report.add_in_script(&script.pointer, &script.text, start, end.saturating_sub(start), finding.hint(hint));
    }
}

/// What is dangerous about a call.
fn danger(call: &Invocation) -> Option<String> {
    let name = call.name();
    let removes = name == "rm" && is_recursive(call) && has_option(call, 'f', "--force");
    if removes {
        return Some("`rm -rf` deletes whole folders without asking".to_owned());
    }
    match name {
        "rm" if call.privileged => Some("`sudo rm` deletes with all rights".to_owned()),
        "format" => Some("`format` erases a disk".to_owned()),
        "wipefs" => Some("`wipefs` erases the file system of a disk".to_owned()),
        "dd" => {
            let target = call.skeletons.iter().find_map(|word| word.strip_prefix("of="))?;
            is_disk(target).then(|| format!("`dd` writes to the device {target}"))
        }
        _ if name == "mkfs" || name.starts_with("mkfs.") => Some(format!("`{name}` erases a disk")),
        _ if SQL_CLIENTS.contains(&name) => {
            let texts =
                call.skeletons.iter().map(|word| statement_of(word)).chain(call.texts.iter().map(String::as_str));
            let statement = texts.into_iter().find_map(sql::destroys)?;
            Some(format!("`{name}` is told to `{statement}`"))
        }
        _ => None,
    }
}

/// `-eSTATEMENT`, `--command=STATEMENT`: what is behind the option.
fn statement_of(word: &str) -> &str {
    let options = ["--command=", "--execute=", "--query=", "-e", "-c", "-Q"];
    options.iter().find_map(|option| word.strip_prefix(option)).unwrap_or(word)
}

fn is_recursive(call: &Invocation) -> bool {
    has_option(call, 'r', "--recursive") || has_option(call, 'R', "--recursive")
}

fn has_option(call: &Invocation, letter: char, long: &str) -> bool {
    let options = call.skeletons.iter().take_while(|word| *word != "--");
    options.into_iter().any(|word| {
        let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        word == long || letters.is_some_and(|letters| letters.contains(letter))
    })
}

fn is_disk(target: &str) -> bool {
    let Some(device) = target.strip_prefix("/dev/") else { return false };
    let first = device.split('/').next().unwrap_or(device);
    !HARMLESS_DEVICES.contains(&first) && !matches!(first, "fd" | "shm" | "pts" | "tcp" | "udp" | "")
}

fn in_arguments(pointer: &str, with: &Map<Value>, report: &mut Report<'_>) {
    let mut found = |pointer: &str, text: &str| {
        if let Some(statement) = sql::destroys(text) {
            let finding =
                Finding::warning(codes::DANGEROUS_SQL, format!("`{statement}` deletes what cannot be undone"));
            let hint = "ask first (`approve: before`), keep a copy, or say how it is undone in `rollback`";
            report.add(pointer, finding.hint(hint));
        }
    };
    for (name, value) in with {
        texts(&format!("{pointer}/{}", pointer_part(name)), value, &mut found);
    }
}

/// Every text of a value with its pointer.
pub(super) fn texts(pointer: &str, value: &Value, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(pointer, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(&format!("{pointer}/{index}"), item, visit);
            }
        }
        Value::Object(map) => {
            for (name, inner) in map {
                texts(&format!("{pointer}/{}", pointer_part(name)), inner, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
