//! Keys of a workflow.

use super::Type::{
    Any, Boolean, Duration, Either, Integer, Object, ObjectMap, Objects, Steps, Text, TextMap, Texts, ValueMap, Values,
    Words,
};
use super::step::{CONCURRENCY, RETRY};
use super::{INPUT, Key, key};

/// Keys of a workflow.
pub const WORKFLOW: &[Key] = &[
    key("id", Text, "Its id; from `name` if not written.", "id: release"),
    key("name", Text, "What people call it.", "name: release").required(),
    key("description", Text, "What it does, in a sentence.", "description: Builds, asks, rolls out."),
    key("version", Text, "Its version; `1.0.0` if not written.", "version: 1.2.0"),
    key(
        "category",
        Text,
        "Any word to sort it by: automation, orchestration, pipeline, trigger ..",
        "category: orchestration",
    ),
    key("author", Text, "Who wrote it.", "author: ada@example.org"),
    key("tags", Texts, "Words for search.", "tags: [deploy]"),
    key(
        "inputs",
        ObjectMap(INPUT),
        "What a run is given: a JSON Schema vocabulary, one entry per input.",
        "inputs: {host: {type: string, required: true}}",
    ),
    key(
        "defaults",
        Object(DEFAULTS),
        "What steps that do work have unless they say otherwise.",
        "defaults: {timeout: 10m, retry: {max_attempts: 3}}",
    ),
    key(
        "concurrency",
        Object(CONCURRENCY),
        "How many executions of a group run at a time.",
        "concurrency: {group: release, limit: 1, when_full: queue}",
    ),
    key(
        "rollback",
        Either(&[Boolean, Object(ROLLBACK)]),
        "How its effects are undone.",
        "rollback: {enabled: true, strategy: graceful}",
    ),
    key(
        "autonomy",
        Words(&["off", "suggest", "act"]),
        "Who decides about failures for which a step has no `on_error`: a person, a person with a proposal, the table.",
        "autonomy: suggest",
    ),
    key("max_parallel", Integer { min: 1, max: 10_000 }, "Steps of one execution at a time.", "max_parallel: 3"),
    key("timeout", Duration, "Bound of the whole execution.", "timeout: 2h"),
    key(
        "timeout_seconds",
        Integer { min: 1, max: 315_360_000 },
        "The same as a number of seconds.",
        "timeout_seconds: 7200",
    ),
    key(
        "on_cancel",
        Words(&["finally", "rollback", "abandon"]),
        "What follows after a cancel has stopped the running work.",
        "on_cancel: finally",
    ),
    key(
        "idempotency",
        Either(&[Text, Object(IDEMPOTENCY)]),
        "What makes two starts the same: a text template over `inputs`.",
        "idempotency: ${{ inputs.order }}",
    ),
    key("policy", Text, "Sandbox policy of all steps.", "policy: standard"),
    key("env", TextMap, "Environment of all scripts: text templates.", "env: {LANG: C.UTF-8}"),
    key("vars", ValueMap, "Values with names: templates.", "vars: {image: \"app:${{ inputs.tag }}\"}"),
    key(
        "outputs",
        ValueMap,
        "What an execution gives back: templates.",
        "outputs: {url: \"${{ steps.deploy.outputs.url }}\"}",
    ),
    key(
        "triggers",
        Objects(TRIGGER),
        "What starts it by itself.",
        "triggers: [{type: schedule, config: {cron: \"0 3 * * *\"}}]",
    ),
    key(
        "fallback_actions",
        Values,
        "What runs when the execution is about to fail.",
        "fallback_actions: [{action: notify}]",
    ),
    key(
        "error_handling",
        Object(ERROR_HANDLING),
        "Where `fallback_actions` may stand, too.",
        "error_handling: {fallback_actions: [{action: notify}]}",
    ),
    key("order", Words(&["sequence", "graph"]), "One step after another, or by `depends_on`.", "order: graph"),
    key("steps", Steps, "What it does.", "steps: [{id: hello, run: echo hello}]").required(),
    key("finally", Steps, "What runs at the end, however it ended.", "finally: [{id: report, run: ./report.sh}]"),
    key("monitoring", Any, "Metrics and alerts.", "monitoring: {metrics: [duration]}").note(),
    key("notification_settings", Any, "Who is told.", "notification_settings: {on_failure: [ops]}").note(),
    key("estimated_duration", Any, "How long it takes, in seconds or as a length of time.", "estimated_duration: 1800")
        .note(),
    key("prerequisites", Any, "What has to be there before.", "prerequisites: [docker]").note(),
    key(
        "environment_requirements",
        Any,
        "What the environment has to offer.",
        "environment_requirements: {memory: 1GiB}",
    )
    .note(),
    key("ai_config", Any, "What a configured model may do.", "ai_config: {enabled: true}").note(),
    key("approval_required", Boolean, "As said in a template.", "approval_required: true").note(),
    key("rollback_enabled", Boolean, "As said in a template.", "rollback_enabled: true").note(),
    key(
        "trigger_conditions",
        Any,
        "When a template is suggested.",
        "trigger_conditions: [{type: keyword, value: outage}]",
    )
    .note(),
    key("parameters", Any, "As said in a template.", "parameters: {severity: critical}").note(),
    key("created_at", Any, "When it was written.", "created_at: 2026-01-01T00:00:00Z").note(),
    key("updated_at", Any, "When it was changed.", "updated_at: 2026-01-01T00:00:00Z").note(),
    key("success_rate", Any, "As measured elsewhere.", "success_rate: 0.94").note(),
    key("usage_count", Any, "As counted elsewhere.", "usage_count: 12").note(),
    key("last_used", Any, "As recorded elsewhere.", "last_used: 2026-01-01T00:00:00Z").note(),
    key("annotations", ValueMap, "Anything else that only describes.", "annotations: {team: payments}").note(),
];

/// Keys of `defaults`.
pub const DEFAULTS: &[Key] = &[
    key("timeout", Duration, "Bound of one attempt.", "timeout: 10m"),
    key(
        "timeout_seconds",
        Integer { min: 1, max: 315_360_000 },
        "The same as a number of seconds.",
        "timeout_seconds: 600",
    ),
    key("retry", Object(RETRY), "How failed attempts are repeated.", "retry: {max_attempts: 3, delay: 2s}"),
    key("policy", Text, "Sandbox policy.", "policy: standard"),
    key("shell", Text, "Interpreter of `run`.", "shell: bash"),
    key("working_dir", Text, "Where scripts run: a text template.", "working_dir: src"),
];

/// Keys of a workflow's `rollback`.
pub const ROLLBACK: &[Key] = &[
    key("enabled", Boolean, "Whether effects are undone at all.", "enabled: true"),
    key("strategy", Text, "graceful, immediate, checkpoint or manual.", "strategy: graceful"),
    key("auto", Boolean, "Whether a failure begins it.", "auto: true"),
    key(
        "checkpoint_interval",
        Integer { min: 1, max: 10_000 },
        "A rollback point after so many steps.",
        "checkpoint_interval: 3",
    ),
    key(
        "escalation_target",
        Text,
        "Who is told that a step could not be undone.",
        "escalation_target: ops@example.org",
    ),
];

/// Keys of a workflow's `idempotency`.
pub const IDEMPOTENCY: &[Key] =
    &[key("key", Text, "Starts with the same one are one execution.", "key: ${{ inputs.order }}").required()];

/// Keys of a trigger.
pub const TRIGGER: &[Key] = &[
    key("type", Text, "schedule, event, condition, webhook, manual ..", "type: schedule").required(),
    key("config", ValueMap, "What the type wants.", "config: {cron: \"0 3 * * *\"}"),
    key("name", Text, "For people.", "name: nightly"),
    key("description", Text, "For people.", "description: Every night."),
    key("enabled", Boolean, "Off without being removed.", "enabled: false"),
    key("inputs", ValueMap, "Inputs of the executions that it starts.", "inputs: {full: true}"),
];

/// Keys of `error_handling`.
pub const ERROR_HANDLING: &[Key] = &[key(
    "fallback_actions",
    Values,
    "What runs when the execution is about to fail.",
    "fallback_actions: [{action: notify}]",
)];
