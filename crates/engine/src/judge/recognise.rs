//! What a failure looks like that only says that a process ended with an exit code.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use skep_model::Map;
use skep_model::decision::{Pattern, Rules};
use skep_model::error::{Failure, Kind};

/// Bytes at the end of stderr that are looked at: what went wrong stands there.
const STDERR_BYTES_MAX: usize = 8 * 1024;

static BUILTIN: LazyLock<Recogniser> = LazyLock::new(|| Recogniser::new(skep_definition::decisions::builtin()));

/// Patterns, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Recogniser(Vec<(Pattern, Option<Regex>)>);

impl Recogniser {
    /// The patterns of a table. One whose expression does not compile is left out; reading a table refuses it before.
    pub fn new(rules: &Rules) -> Self {
        let ready = |pattern: &Pattern| match &pattern.text {
            None => Some((pattern.clone(), None)),
            Some(text) => Some((pattern.clone(), Some(Regex::new(text).ok()?))),
        };
        Self(rules.errors.iter().filter_map(ready).collect())
    }

    /// Those of the built-in table.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// The kind that the first fitting pattern says. A failure whose kind is known is only looked at for its status.
    pub fn kind(&self, failure: &Failure, outputs: &Map<Value>) -> Option<Kind> {
        let stderr = outputs.get("stderr").and_then(Value::as_str).map_or("", tail);
        let fits = |(pattern, text): &&(Pattern, Option<Regex>)| {
            let given = !pattern.exit_codes.is_empty() || !pattern.statuses.is_empty() || text.is_some();
            let is_looked_at = failure.kind == Kind::Exit || !pattern.statuses.is_empty();
            let has_code = pattern.exit_codes.is_empty()
                || failure.exit_code.is_some_and(|code| pattern.exit_codes.contains(&code));
            let has_status = pattern.statuses.is_empty()
                || failure.http_status.is_some_and(|status| pattern.statuses.contains(&status));
            let says = |text: &Regex| text.is_match(stderr) || text.is_match(&failure.message);
            given && is_looked_at && has_code && has_status && text.as_ref().is_none_or(says)
        };
        let found = self.0.iter().find(fits).map(|(pattern, _)| pattern.kind);
        found.filter(|kind| *kind != failure.kind)
    }
}

/// The end of a text, from the beginning of a character on.
fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(STDERR_BYTES_MAX);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn exit(code: i32) -> Failure {
        let mut failure = Failure::new(Kind::Exit, "X", "bash ended with an exit code");
        failure.exit_code = Some(code);
        failure
    }

    fn builtin(failure: &Failure, stderr: &str) -> Option<&'static str> {
        let outputs = Map::from_iter([("stderr".to_owned(), json!(stderr))]);
        Recogniser::builtin().kind(failure, &outputs).map(Kind::as_str)
    }

    #[test]
    fn what_is_printed_or_the_exit_code_tells_the_kind() {
        for (code, stderr, expected) in [
            (7, "curl: (7) Failed to connect: Connection refused", Some("network")),
            (6, "curl: (6) Could not resolve host: example.invalid", Some("network")),
            (255, "ssh: connect to host db port 22: No route to host", Some("network")),
            (22, "curl: (22) The requested URL returned error: 429 Too Many Requests", Some("rate_limit")),
            (1, "ERROR 504: Gateway Time-out.", Some("unavailable")),
            (1, "Error: context deadline exceeded", Some("timeout")),
            (1, "cp: cannot create file: Permission denied", Some("permission")),
            (1, "write error: No space left on device", Some("resource_limit")),
            (2, "ls: cannot access 'x': No such file or directory", Some("not_found")),
            (124, "", Some("timeout")),
            (126, "", Some("permission")),
            (127, "", Some("not_found")),
            (75, "", Some("unavailable")),
            (1, "", None),
            (1, "3 tests failed", None),
            (3, "the timetable is out", None),
        ] {
            assert_eq!(builtin(&exit(code), stderr), expected, "{code} {stderr}");
        }
    }

    #[test]
    fn only_the_end_of_stderr_counts_and_a_known_kind_stays() {
        let long = format!("connection refused\n{}", "é".repeat(STDERR_BYTES_MAX));
        assert_eq!(builtin(&exit(1), &long), None);
        assert_eq!(builtin(&Failure::new(Kind::Invalid, "X", "connection refused"), "connection refused"), None);
    }

    #[test]
    fn a_status_of_ones_own_pattern_is_looked_at_for_every_kind() {
        let rules =
            skep_definition::decisions::read("errors: [{kind: unavailable, statuses: [409], text: busy}]").unwrap();
        let mut failure = Failure::new(Kind::Invalid, "X", "the other side is busy");
        failure.http_status = Some(409);
        assert_eq!(Recogniser::new(&rules).kind(&failure, &Map::new()), Some(Kind::Unavailable));
        failure.http_status = Some(410);
        assert_eq!(Recogniser::new(&rules).kind(&failure, &Map::new()), None);
    }
}
