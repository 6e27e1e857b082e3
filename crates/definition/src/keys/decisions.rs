//! Keys of the table of decisions: `decisions.yaml` in a node's data directory.

use super::Type::{Boolean, Number, Object, Objects, Text, Texts, Values, Words};
use super::step::RETRY;
use super::{Key, Type, key};

/// Keys of the file.
pub const DECISIONS: &[Key] = &[
    key(
        "errors",
        Objects(PATTERN),
        "What failures look like, before what is built in: the first that fits says the kind.",
        "errors: [{kind: network, text: \"proxy said no\"}]",
    ),
    key(
        "rules",
        Objects(RULE),
        "What is done, in place of what is built in: the first that holds and is possible.",
        "rules: [{name: ask, then: escalate}]",
    ),
    key(
        "retry",
        Object(RETRY),
        "How a step is tried again that has no `retry` of its own.",
        "retry: {max_attempts: 3, delay: 2s}",
    ),
    key("escalation", Object(ASKING), "Who is asked.", "escalation: {escalation_target: ops@example.org}"),
];

/// Keys of an entry of `errors`.
pub const PATTERN: &[Key] = &[
    key("kind", Text, "Then the failure is of this kind.", "kind: network").required(),
    key(
        "text",
        Text,
        "Regular expression, looked for in the message and the end of stderr.",
        "text: \"(?i)proxy said no\"",
    ),
    key("exit_codes", Values, "One of these exit codes.", "exit_codes: [75]"),
    key("statuses", Values, "One of these HTTP statuses.", "statuses: [409]"),
];

/// Keys of an entry of `rules`.
pub const RULE: &[Key] = &[
    key("name", Text, "Unique in the table.", "name: nearly-done").required(),
    key("when", Object(WHEN), "When it applies: everything that is given must hold.", "when: {priority: low}"),
    key("then", Words(&["continue", "retry", "skip", "abort", "escalate"]), "What is done.", "then: skip").required(),
];

/// Keys of `when`.
pub const WHEN: &[Key] = &[
    key("priority", Texts, "The step weighs as much as one of these.", "priority: [high, critical]"),
    key("class", Texts, "The failure is of one of these classes.", "class: transient"),
    key("kind", Texts, "It is, or looks like, one of these kinds.", "kind: [network, timeout]"),
    key("attempts_left", Boolean, "The step may be tried again.", "attempts_left: true"),
    key("progress", Object(RANGE), "Share of the workflow's steps that are over.", "progress: {above: 0.7}"),
    key("health", Object(RANGE), "How well things went in this execution so far.", "health: {below: 0.5}"),
    key("critical", Boolean, "The step is `critical: true`.", "critical: true"),
    key("read_only", Boolean, "The step is `read_only: true`.", "read_only: true"),
    key("irreversible", Boolean, "The step is `irreversible: true`.", "irreversible: false"),
];

/// Keys of a range.
pub const RANGE: &[Key] = &[
    key("above", Number, "More than this, 0 to 1.", "above: 0.7"),
    key("below", Number, "Less than this, 0 to 1.", "below: 0.5"),
];

/// Keys of `escalation`, and of `on_error: {strategy: escalate}`.
pub const ASKING: &[Key] = &[
    key("escalation_target", Text, "Who is asked.", "escalation_target: ops@example.org"),
    super::step::ESCALATE,
    key("timeout", Type::Duration, "Bound of the whole wait.", "timeout: 8h"),
    super::step::TIMEOUT_OF_WAIT,
    super::step::ON_SILENCE,
];
