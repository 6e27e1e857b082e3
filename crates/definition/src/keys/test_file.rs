//! Keys of a test file: `NAME.test.yaml` beside a definition.

use super::Type::{Any, Duration, Either, Integer, Object, Objects, Text, TextMap, Texts, ValueMap, Words};
use super::{Key, key};

/// Keys of the file.
pub const TEST_FILE: &[Key] = &[
    key(
        "workflow",
        Text,
        "The definition, from where the file stands; the one beside it if not written.",
        "workflow: ../release.yaml",
    ),
    key("tests", Objects(TEST), "What is tried.", "tests: [{name: completes, expect: {status: completed}}]").required(),
];

/// Keys of a test.
pub const TEST: &[Key] = &[
    key("name", Text, "Unique in the file.", "name: rolls back").required(),
    key("inputs", ValueMap, "What the execution is given.", "inputs: {env: staging}"),
    key("environment", TextMap, "Environment variables that there are.", "environment: {HOME: /home/ada}"),
    key(
        "outcomes",
        ValueMap,
        "By step: how its work ends; a list has an entry per attempt, the last one stands for all later.",
        "outcomes: {build: {stdout: \"ok\"}, deploy: [{fail: network}, {takes: 30s}]}",
    ),
    key("answers", ValueMap, "By step: what a person says.", "answers: {gate: approve}"),
    key("signals", Objects(SENT), "Signals that come.", "signals: [{name: paid, after: 5m}]"),
    key("expect", Object(EXPECT), "What must come of it.", "expect: {status: completed}").required(),
];

/// Keys of an outcome.
pub const OUTCOME: &[Key] = &[
    key("stdout", Text, "What a script prints.", "stdout: \"{\\\"n\\\": 1}\""),
    key("stderr", Text, "What a script prints beside it.", "stderr: no room"),
    key("exit_code", Integer { min: 0, max: 255 }, "How a script ends.", "exit_code: 3"),
    key("outputs", ValueMap, "What an action or a child gives.", "outputs: {status: 200}"),
    key("fail", Either(&[Text, Object(FAILING)]), "It fails so: a kind, or more.", "fail: network"),
    key("status", Words(STATUSES), "How a child execution ends.", "status: rolled_back"),
    key("takes", Duration, "After how long.", "takes: 30s"),
];

/// Keys of `fail`.
pub const FAILING: &[Key] = &[
    key("kind", Text, "What kind of failure.", "kind: network").required(),
    key("message", Text, "What it says.", "message: the host is down"),
    key("http_status", Integer { min: 100, max: 599 }, "What the other side answered.", "http_status: 503"),
];

/// Keys of an answer.
pub const ANSWER: &[Key] = &[
    key("say", Words(ANSWERS), "What is said.", "say: approve"),
    key("values", ValueMap, "The fields of a form.", "values: {amount: 3}"),
    key("by", Text, "Who says it.", "by: ada"),
    key("after", Duration, "How long after the question.", "after: 5m"),
    key("comment", Text, "What they add.", "comment: looks good"),
];

/// Keys of a signal.
pub const SENT: &[Key] = &[
    key("name", Text, "Its name.", "name: paid").required(),
    key("payload", Any, "What it carries.", "payload: {amount: 3}"),
    key("by", Text, "Who sends it.", "by: shop"),
    key("after", Duration, "How long after the start.", "after: 5m"),
];

/// Keys of `expect`.
pub const EXPECT: &[Key] = &[
    key(
        "status",
        Words(STATUSES),
        "How it ends, or how it stands when nothing moves it any more.",
        "status: completed",
    ),
    key("outputs", ValueMap, "Its outputs, all of them.", "outputs: {url: \"https://example.org\"}"),
    key("steps", ValueMap, "By step: its status, or more.", "steps: {deploy: failed}"),
    key("path", Texts, "The steps that begin, in their order.", "path: [build, deploy]"),
    key("rollback", Texts, "The steps that are undone, in their order.", "rollback: [deploy, build]"),
    key("error", Either(&[Text, Object(EXPECTED_ERROR)]), "A part of its error's message, or more.", "error: refused"),
    key("takes", Object(EXPECTED_TIME), "How long it takes.", "takes: {at_most: 5m}"),
];

/// Keys of an entry of `steps`.
pub const EXPECTED_STEP: &[Key] = &[
    key("status", Words(STEP_STATUSES), "How it ends.", "status: completed"),
    key("attempts", Integer { min: 0, max: 1_001 }, "How many it made.", "attempts: 2"),
    key("outputs", ValueMap, "Some of its outputs.", "outputs: {image: app}"),
];

/// Keys of `error`.
pub const EXPECTED_ERROR: &[Key] = &[
    key("kind", Text, "Its kind.", "kind: network"),
    key("step", Text, "The step that failed.", "step: deploy"),
    key("message", Text, "A part of its message.", "message: refused"),
];

/// Keys of `takes` of what is expected.
pub const EXPECTED_TIME: &[Key] =
    &[key("at_least", Duration, "Not less.", "at_least: 1m"), key("at_most", Duration, "Not more.", "at_most: 5m")];

/// What a person can say.
pub const ANSWERS: &[&str] = &["approve", "reject"];

const STATUSES: &[&str] =
    &["completed", "failed", "cancelled", "rolled_back", "rollback_failed", "running", "held", "rolling_back"];

/// How a step can stand.
pub const STEP_STATUSES: &[&str] =
    &["pending", "waiting", "running", "completed", "failed", "skipped", "cancelled", "unknown", "rolled_back"];
