//! From text to tests.

use std::collections::HashSet;

use skep_model::error::Kind;
use skep_model::limits::PROBLEMS_MAX;
use skep_model::problem::Severity;
use skep_model::status::Execution as Status;

use super::{
    Answer, Expected, ExpectedError, ExpectedStep, Failing, Outcome, Pin, Problems, Says, Sent, Test, TestFile,
};
use crate::codes;
use crate::keys::{
    ANSWER, ANSWERS, EXPECT, EXPECTED_ERROR, EXPECTED_STEP, EXPECTED_TIME, FAILING, OUTCOME, SENT, TEST, TEST_FILE,
};
use crate::lower::read::{Field, Fields, Lowering};
use crate::tree::{self, Node};

/// Reads a test file.
///
/// # Errors
/// Everything that is wrong with it, at most [`PROBLEMS_MAX`], each with its place.
pub fn read(text: &str) -> Result<TestFile, Problems> {
    let parsed = tree::parse_all(text);
    let mut problems = parsed.problems;
    let mut lowering = Lowering::default();
    let file = parsed.node.and_then(|node| lowering.test_file(&node));
    problems.extend(lowering.problems.finish());
    problems.sort_by_key(|problem| problem.place.map_or(usize::MAX, |place| place.start));
    let is_wrong = problems.iter().any(|problem| problem.severity == Severity::Error);
    problems.truncate(PROBLEMS_MAX);
    file.filter(|_| !is_wrong).ok_or(problems)
}

impl Lowering {
    fn test_file(&mut self, node: &Node) -> Option<TestFile> {
        let fields = self.fields(node, TEST_FILE, "a test file")?;
        let workflow = self.text(fields, "workflow");
        let tests = self.entries(fields, "tests", Self::test);
        let mut names = HashSet::new();
        for test in &tests {
            if !names.insert(&test.name) {
                let message = format!("two tests are called `{}`", test.name);
                self.conflict(test.place, message, "give one of them another name");
            }
        }
        Some(TestFile { workflow, tests })
    }

    /// The entries of a list of mappings that could be read.
    fn entries<T>(&mut self, fields: Fields<'_>, name: &str, read: fn(&mut Self, &Node) -> Option<T>) -> Vec<T> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        let Some(items) = field.node.as_list() else {
            self.wrong_type(field);
            return Vec::new();
        };
        items.iter().filter_map(|item| read(self, item)).collect()
    }

    fn test(&mut self, node: &Node) -> Option<Test> {
        let fields = self.fields(node, TEST, "a test")?;
        let expect = fields.get("expect").and_then(|field| self.expect(field.node));
        Some(Test {
            name: self.text(fields, "name").unwrap_or_default(),
            place: node.place,
            inputs: self.value_map(fields, "inputs"),
            environment: self.text_map(fields, "environment"),
            outcomes: self.pins(fields, "outcomes", |lowering, node| lowering.several(node, Self::outcome)),
            answers: self.pins(fields, "answers", |lowering, node| lowering.several(node, Self::answer)),
            signals: self.entries(fields, "signals", Self::sent),
            expect: expect?,
        })
    }

    /// A mapping from steps to what is fixed for each.
    fn pins<T>(&mut self, fields: Fields<'_>, name: &str, read: impl Fn(&mut Self, &Node) -> Option<T>) -> Vec<Pin<T>> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        let Some(entries) = field.node.as_map() else {
            self.wrong_type(field);
            return Vec::new();
        };
        let pin = |lowering: &mut Self, entry: &tree::Entry| {
            let what = read(lowering, &entry.value)?;
            Some(Pin { step: entry.key.clone(), place: entry.key_place, what })
        };
        entries.iter().filter_map(|entry| pin(self, entry)).collect()
    }

    /// One, or a list with one per time.
    fn several<T>(&mut self, node: &Node, read: fn(&mut Self, &Node) -> Option<T>) -> Option<Vec<T>> {
        match node.as_list() {
            Some([]) => {
                let message = "the list is empty";
                self.error(&codes::WRONG_TYPE, node.place, message, "give one entry per attempt, or remove the key");
                None
            }
            Some(items) => Some(items.iter().filter_map(|item| read(self, item)).collect()),
            None => Some(vec![read(self, node)?]),
        }
    }

    fn outcome(&mut self, node: &Node) -> Option<Outcome> {
        let fields = self.fields(node, OUTCOME, "an outcome")?;
        let outcome = Outcome {
            stdout: self.text(fields, "stdout"),
            stderr: self.text(fields, "stderr"),
            exit_code: self.integer(fields, "exit_code").and_then(|code| u8::try_from(code).ok()),
            outputs: self.value_map(fields, "outputs"),
            fail: fields.get("fail").and_then(|field| self.failing(field)),
            status: self.word(fields, "status").and_then(Status::parse),
            takes_ms: self.duration(fields, "takes").unwrap_or_default(),
        };
        if let (Some(field), true) = (fields.get("fail"), fields.has("exit_code") || fields.has("outputs")) {
            let message = "`fail` says how it ends, and so does another key";
            self.conflict(field.key_place, message, "keep `fail`, or describe it with `exit_code` and `stderr`");
        }
        Some(outcome)
    }

    fn failing(&mut self, field: Field<'_>) -> Option<Failing> {
        if field.node.as_map().is_none() {
            let kind = self.kind_of_failure(field.node)?;
            return Some(Failing { kind, message: None, http_status: None });
        }
        let fields = self.fields(field.node, FAILING, "`fail`")?;
        let kind = fields.get("kind").and_then(|field| self.kind_of_failure(field.node));
        Some(Failing {
            message: self.text(fields, "message"),
            http_status: self.integer(fields, "http_status").and_then(|status| u16::try_from(status).ok()),
            kind: kind?,
        })
    }

    fn kind_of_failure(&mut self, node: &Node) -> Option<Kind> {
        self.one_of(node, "kind", &Kind::ALL.map(Kind::as_str), Kind::parse)
    }

    fn answer(&mut self, node: &Node) -> Option<Answer> {
        if node.as_map().is_none() {
            let says = says(self.word_of(node, "say", ANSWERS)?);
            return Some(Answer { says, by: None, after_ms: 0, comment: None });
        }
        let fields = self.fields(node, ANSWER, "an answer")?;
        let word = self.word(fields, "say");
        let says = match (word, fields.get("values")) {
            (Some(word), None) => says(word),
            (None, Some(_)) => Says::Values(self.value_map(fields, "values")),
            (Some(_), Some(field)) => {
                self.conflict(field.key_place, "a form is filled in, not approved", "remove `say`");
                return None;
            }
            (None, None) => {
                if !fields.has("say") {
                    let hint = "add `say: approve`, `say: reject`, or `values` for a form";
                    self.error(&codes::MISSING_KEY, node.place, "this answer says nothing", hint);
                }
                return None;
            }
        };
        Some(Answer {
            says,
            by: self.text(fields, "by"),
            after_ms: self.duration(fields, "after").unwrap_or_default(),
            comment: self.text(fields, "comment"),
        })
    }

    fn sent(&mut self, node: &Node) -> Option<Sent> {
        let fields = self.fields(node, SENT, "a signal")?;
        Some(Sent {
            name: self.text(fields, "name")?,
            place: node.place,
            payload: self.value(fields, "payload").unwrap_or_default(),
            by: self.text(fields, "by"),
            after_ms: self.duration(fields, "after").unwrap_or_default(),
        })
    }

    fn expect(&mut self, node: &Node) -> Option<Expected> {
        let fields = self.fields(node, EXPECT, "`expect`")?;
        if fields.entries.is_empty() {
            let hint = "say at least `status: completed`";
            self.error(&codes::MISSING_KEY, node.place, "a test that expects nothing cannot fail", hint);
        }
        let takes = fields.get("takes").and_then(|field| self.fields(field.node, EXPECTED_TIME, "`takes`"));
        let list = |lowering: &mut Self, name: &str| fields.has(name).then(|| lowering.texts(fields, name));
        Some(Expected {
            status: self.word(fields, "status").and_then(Status::parse),
            outputs: fields.has("outputs").then(|| self.value_map(fields, "outputs")),
            steps: self.pins(fields, "steps", Self::expected_step),
            path: list(self, "path"),
            rollback: list(self, "rollback"),
            error: fields.get("error").and_then(|field| self.expected_error(field)),
            at_least_ms: takes.and_then(|takes| self.duration(takes, "at_least")),
            at_most_ms: takes.and_then(|takes| self.duration(takes, "at_most")),
        })
    }

    fn expected_step(&mut self, node: &Node) -> Option<ExpectedStep> {
        if node.as_map().is_none() {
            let words = crate::keys::STEP_STATUSES;
            return Some(ExpectedStep {
                status: Some(self.word_of(node, "status", words)?),
                ..ExpectedStep::default()
            });
        }
        let fields = self.fields(node, EXPECTED_STEP, "an expected step")?;
        Some(ExpectedStep {
            status: self.word(fields, "status"),
            attempts: self.integer(fields, "attempts"),
            outputs: self.value_map(fields, "outputs"),
        })
    }

    fn expected_error(&mut self, field: Field<'_>) -> Option<ExpectedError> {
        if let Some(message) = field.node.scalar_text() {
            return Some(ExpectedError { message: Some(message), ..ExpectedError::default() });
        }
        let fields = self.fields(field.node, EXPECTED_ERROR, "`error`")?;
        Some(ExpectedError {
            kind: fields.get("kind").and_then(|field| self.kind_of_failure(field.node)),
            step: self.text(fields, "step"),
            message: self.text(fields, "message"),
        })
    }
}

fn says(word: &str) -> Says {
    if word == "approve" { Says::Approve } else { Says::Reject }
}
