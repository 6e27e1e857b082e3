//! Keys of a step and of the mappings that all kinds share.

use super::Type::{
    Any, Boolean, Branches, Duration, Either, Integer, Number, Object, ObjectMap, Objects, Steps, Text, TextMap, Texts,
    ValueMap, Values, Words,
};
use super::kinds::{AGENT, AI, APPROVAL, CALL, ESCALATION, GATE, INPUT, REPEAT, SWITCH, WAIT};
use super::{Key, key};

const LOOPS: &[&str] = &["foreach", "while", "repeat"];

/// Keys of a step.
pub const STEP: &[Key] = &[
    key("id", Text, "How everything else names it; from `name` if not written.", "id: build"),
    key("name", Text, "For people.", "name: Build the image"),
    key("description", Text, "For people.", "description: Builds and pushes."),
    key("run", Text, "A script in the interpreter of `shell`.", "run: make test").as_kind(),
    key("uses", Text, "A named action; its arguments stand in `with`.", "uses: http").as_kind(),
    key(
        "agent",
        Either(&[Text, Object(AGENT)]),
        "Work for a remote agent.",
        "agent: {capabilities: [database_ops], task: optimise tables}",
    )
    .as_kind(),
    key("ai", Either(&[Text, Object(AI)]), "A turn of a model.", "ai: {prompt: Which of these is urgent?}").as_kind(),
    key(
        "approval",
        Either(&[Text, Object(APPROVAL)]),
        "A person decides.",
        "approval: {message: Ship it?, timeout: 24h}",
    )
    .as_kind(),
    key(
        "input",
        ObjectMap(INPUT),
        "A person fills in a form.",
        "input: {branch: {type: choice, choices: [main, next]}}",
    )
    .as_kind(),
    key(
        "wait",
        Either(&[Text, Object(WAIT)]),
        "A length of time, a moment, a signal, a condition.",
        "wait: {for: 10m}",
    )
    .as_kind(),
    key(
        "switch",
        Object(SWITCH),
        "The first case that holds, else `default`.",
        "switch: {cases: [{when: \"${{ inputs.n > 2 }}\", steps: [..]}]}",
    )
    .as_kind(),
    key("parallel", Branches, "Named branches side by side.", "parallel: {left: [..], right: [..]}").as_kind(),
    key(
        "foreach",
        Either(&[Text, Values]),
        "The steps once per item: a template that gives a list, or a list.",
        "foreach: ${{ inputs.hosts }}",
    )
    .as_kind(),
    key(
        "while",
        Text,
        "The steps as long as the condition holds: a template.",
        "while: ${{ steps.probe.outputs.json.ready != true }}",
    )
    .as_kind(),
    key(
        "repeat",
        Either(&[Text, Object(REPEAT)]),
        "The steps a number of times, or until a condition holds.",
        "repeat: {times: 3}",
    )
    .as_kind(),
    key("workflow", Either(&[Text, Object(CALL)]), "A child execution.", "workflow: {name: other, inputs: {n: 1}}")
        .as_kind(),
    key("with", ValueMap, "Arguments of the action: templates.", "with: {url: \"https://example.org\"}")
        .only(&["uses", "agent"]),
    key("shell", Text, "Interpreter: bash, sh, python, node, or a program's name.", "shell: python").only(&["run"]),
    key("message", Text, "What stands above the form: a text template.", "message: Which branch?").only(&["input"]),
    key("assignee", Text, "Who fills it in: a text template.", "assignee: ada@example.org").only(&["input"]),
    key(
        "join",
        Either(&[Words(&["all", "any"]), Integer { min: 1, max: 10_000 }]),
        "How many branches have to succeed.",
        "join: any",
    )
    .only(&["parallel"]),
    key("fail_fast", Boolean, "A failing branch or item stops the others.", "fail_fast: false")
        .only(&["parallel", "foreach"]),
    key("max_parallel", Integer { min: 1, max: 10_000 }, "Items at a time.", "max_parallel: 4").only(&["foreach"]),
    key(
        "max_iterations",
        Integer { min: 1, max: skep_model::limits::ITERATIONS_MAX as i64 },
        "More rounds than this is a failure.",
        "max_iterations: 50",
    )
    .only(LOOPS),
    key(
        "order",
        Words(&["sequence", "graph"]),
        "Of the steps inside: one after another, or by `depends_on`.",
        "order: graph",
    )
    .only(LOOPS),
    key("steps", Steps, "What the loop repeats.", "steps: [{id: ping, run: ./ping.sh}]").only(LOOPS),
    key("depends_on", Texts, "Ids of the steps that end first; in lists with `order: graph`.", "depends_on: [build]"),
    key("if", Text, "Runs only if this holds.", "if: ${{ inputs.environment == 'production' }}"),
    key("timeout", Duration, "Bound of one attempt, of a wait, or of everything inside.", "timeout: 10m"),
    key(
        "timeout_seconds",
        Integer { min: 1, max: 315_360_000 },
        "The same as a number of seconds.",
        "timeout_seconds: 600",
    ),
    key("total_timeout", Duration, "Bound of all attempts together.", "total_timeout: 1h"),
    key("retry", Object(RETRY), "How failed attempts are repeated.", "retry: {max_attempts: 3, delay: 2s}"),
    key(
        "retries",
        Integer { min: 0, max: 1_000 },
        "Attempts after the first: short for `retry: {retries: n}`.",
        "retries: 3",
    ),
    key("max_retries", Integer { min: 0, max: 1_000 }, "The same as `retries`.", "max_retries: 3"),
    key(
        "on_error",
        Either(&[Words(&["retry", "compensate", "escalate", "skip", "fail"]), Object(ON_ERROR)]),
        "What a failure for good means.",
        "on_error: skip",
    ),
    key(
        "approve",
        Either(&[Words(&["before", "after"]), Object(GATE)]),
        "A person decides before it acts, or about its result.",
        "approve: before",
    ),
    key(
        "on_reject",
        Words(&["fail", "continue"]),
        "What a no means, with `approve` or `approval`.",
        "on_reject: continue",
    ),
    key(
        "rollback",
        Either(&[Text, Object(COMPENSATION)]),
        "How its effect is undone: a step in short form.",
        "rollback: {run: ./undeploy.sh}",
    ),
    key("irreversible", Boolean, "Cannot be undone.", "irreversible: true"),
    key("read_only", Boolean, "Changes nothing.", "read_only: true"),
    key("checkpoint", Boolean, "A rollback point follows it.", "checkpoint: true"),
    key("critical", Boolean, "A failure of it stops everything at once, to be undone.", "critical: true"),
    key("policy", Text, "What its sandbox allows.", "policy: standard"),
    key("env", TextMap, "Environment of the script: text templates.", "env: {TOKEN: \"${{ inputs.token }}\"}"),
    key("working_dir", Text, "Where the script runs: a text template.", "working_dir: src"),
    key(
        "outputs",
        ValueMap,
        "Named outputs: templates over `stdout, stderr, exit_code, json`.",
        "outputs: {image: \"${{ json.image }}\"}",
    ),
    key(
        "success_criteria",
        Texts,
        "Conditions that decide whether it succeeded, over its own outputs.",
        "success_criteria: [\"${{ json.count > 0 }}\"]",
    )
    .later(),
    key("validation_checks", Texts, "Expressions that check its result.", "validation_checks: [\"${{ json.ok }}\"]")
        .later(),
    key(
        "required_capabilities",
        Texts,
        "What the worker has to be able to do.",
        "required_capabilities: [database_ops]",
    )
    .later(),
    key("priority", Text, "critical, high, medium, low, or a number.", "priority: high").later(),
    key(
        "concurrency",
        Object(CONCURRENCY),
        "How many steps of a group run at a time.",
        "concurrency: {group: deploy, limit: 1}",
    )
    .later(),
    key(
        "circuit_breaker",
        Either(&[Boolean, Object(CIRCUIT_BREAKER)]),
        "Stops calling what keeps failing.",
        "circuit_breaker: {failures: 5, reset: 1m}",
    )
    .later(),
    key(
        "on_unknown",
        Words(&["retry", "verify", "ask"]),
        "If it cannot be told whether it was done.",
        "on_unknown: verify",
    )
    .later(),
    key(
        "verify",
        Either(&[Text, Object(VERIFICATION)]),
        "Tells whether it was done: a step in short form.",
        "verify: {run: ./is-deployed.sh}",
    )
    .later(),
    key("network", Texts, "What its sandbox may reach.", "network: [\"github.com:443\"]").later(),
    key("output_schema", Either(&[Boolean, ValueMap]), "JSON Schema of its result.", "output_schema: {type: object}")
        .later(),
    key(
        "idempotency",
        Either(&[Text, ValueMap]),
        "What makes two performances the same.",
        "idempotency: ${{ inputs.order }}",
    )
    .later(),
    key("image", Text, "Container image that it runs in.", "image: \"alpine:3\"").later(),
    key("artifacts", Either(&[Texts, ValueMap, Values]), "Files that are kept.", "artifacts: [dist/app]").later(),
    key("schedule", Either(&[Text, ValueMap]), "When it runs by itself.", "schedule: every-hour").later(),
    key("ai_assisted", Boolean, "A configured model proposes what it leaves open.", "ai_assisted: true").later(),
    key("title", Text, "For people.", "title: Choose a host").note(),
    key("help_text", Text, "For people.", "help_text: The name without the domain.").note(),
    key("icon", Text, "For people.", "icon: rocket").note(),
    key("tags", Any, "For search.", "tags: [deploy]").note(),
    key("estimated_duration", Any, "How long it takes, in seconds or as a length of time.", "estimated_duration: 60")
        .note(),
    key("parallel_group", Any, "Which steps people think of as one.", "parallel_group: analysis").note(),
    key("retry_count", Any, "As recorded in a template.", "retry_count: 0").note(),
    key("status", Any, "As recorded in a template.", "status: pending").note(),
    key("start_time", Any, "As recorded in a template.", "start_time: null").note(),
    key("end_time", Any, "As recorded in a template.", "end_time: null").note(),
    key("result", Any, "As recorded in a template.", "result: null").note(),
    key("error_message", Any, "As recorded in a template.", "error_message: null").note(),
    key("annotations", ValueMap, "Anything else that only describes.", "annotations: {owner: payments}").note(),
];

/// Keys of `retry`.
pub const RETRY: &[Key] = &[
    key("max_attempts", Integer { min: 1, max: 1_001 }, "All attempts, the first included.", "max_attempts: 3"),
    key("max_retries", Integer { min: 0, max: 1_000 }, "Attempts after the first.", "max_retries: 2"),
    key("retries", Integer { min: 0, max: 1_000 }, "The same as `max_retries`.", "retries: 2"),
    key("delay", Duration, "Before the second attempt.", "delay: 2s"),
    key("max_delay", Duration, "Bound of the growing pause.", "max_delay: 1m"),
    key("backoff", Words(&["fixed", "linear", "exponential"]), "How the pause grows.", "backoff: exponential"),
    key("jitter", Boolean, "The pause is drawn between half and the whole of the computed one.", "jitter: false"),
    key(
        "on",
        Either(&[Text, Values]),
        "What is repeated: classes, kinds, exit codes, HTTP statuses.",
        "on: [network, 503]",
    ),
];

/// Keys of `on_error`.
pub const ON_ERROR: &[Key] = &[
    key("strategy", Words(&["retry", "compensate", "escalate", "skip", "fail"]), "What happens.", "strategy: skip")
        .required(),
    key("compensation_step", Text, "Id of a step that runs only as a compensation.", "compensation_step: undo"),
    key("escalation_target", Text, "Who is asked.", "escalation_target: ops@example.org"),
    ESCALATE,
    key("timeout", Duration, "Bound of the whole wait.", "timeout: 8h"),
    TIMEOUT_OF_WAIT,
    ON_SILENCE,
];

pub(super) const ESCALATE: Key =
    key("escalate", Objects(ESCALATION), "Who is told later.", "escalate: [{after: 1h, to: director@example.org}]");
pub(super) const TIMEOUT_OF_WAIT: Key = key(
    "timeout_seconds",
    Integer { min: 1, max: 315_360_000 },
    "The same as a number of seconds.",
    "timeout_seconds: 28800",
);
pub(super) const ON_SILENCE: Key =
    key("on_timeout", Words(&["fail", "retry"]), "What it means if nobody answers in time.", "on_timeout: retry");

/// Keys of `concurrency`.
pub const CONCURRENCY: &[Key] = &[
    key("group", Text, "Who shares the limit: a text template.", "group: release"),
    key("limit", Integer { min: 1, max: 10_000 }, "How many at a time.", "limit: 1"),
    key(
        "when_full",
        Words(&["queue", "skip", "cancel_old", "fail"]),
        "What happens to the next one.",
        "when_full: queue",
    ),
];

/// Keys of `circuit_breaker`.
pub const CIRCUIT_BREAKER: &[Key] = &[
    key("name", Text, "Who shares it.", "name: github"),
    key("enabled", Boolean, "Off without being removed.", "enabled: false"),
    key(
        "failures",
        Integer { min: 1, max: 10_000 },
        "Failures that open it: in a row, or within `window`.",
        "failures: 5",
    ),
    key("threshold", Number, "Share of failures, 0 to 1, that opens it; needs `window`.", "threshold: 0.5"),
    key("window", Duration, "Over which they are counted.", "window: 10m"),
    key("reset", Duration, "After which it is tried again.", "reset: 1m"),
];

/// Keys of a step's `rollback`.
pub const COMPENSATION: &[Key] = &[
    key("run", Text, "A script.", "run: ./undo.sh"),
    key("uses", Text, "A named action.", "uses: http"),
    key("with", ValueMap, "Arguments of the action.", "with: {url: \"https://example.org\"}"),
    key("shell", Text, "Interpreter of `run`.", "shell: bash"),
    SIDE_AGENT,
    SIDE_ENV,
    SIDE_WORKING_DIR,
    key(
        "verify",
        Either(&[Text, Object(VERIFICATION)]),
        "Tells whether it worked: a step in short form.",
        "verify: {run: ./is-gone.sh}",
    ),
    SIDE_TIMEOUT,
    SIDE_TIMEOUT_SECONDS,
    SIDE_RETRY,
    SIDE_POLICY,
    SIDE_AI,
];

/// Keys of `verify`.
pub const VERIFICATION: &[Key] = &[
    key("run", Text, "A script.", "run: ./is-deployed.sh"),
    key("uses", Text, "A named action.", "uses: http"),
    key("with", ValueMap, "Arguments of the action.", "with: {url: \"https://example.org\"}"),
    key("shell", Text, "Interpreter of `run`.", "shell: bash"),
    SIDE_AGENT,
    SIDE_ENV,
    SIDE_WORKING_DIR,
    SIDE_TIMEOUT,
    SIDE_TIMEOUT_SECONDS,
    SIDE_RETRY,
    SIDE_POLICY,
    SIDE_AI,
];

const SIDE_AGENT: Key = key("agent", Any, "Work for a remote agent.", "agent: {task: undo}");
const SIDE_AI: Key = key("ai", Any, "A turn of a model.", "ai: {prompt: Undo it.}");
const SIDE_ENV: Key = key("env", TextMap, "Environment of the script, beside the step's.", "env: {LANG: C}");
const SIDE_WORKING_DIR: Key = key("working_dir", Text, "Where the script runs.", "working_dir: src");
const SIDE_TIMEOUT: Key = key("timeout", Duration, "Bound of one attempt.", "timeout: 1m");
const SIDE_TIMEOUT_SECONDS: Key = key(
    "timeout_seconds",
    Integer { min: 1, max: 315_360_000 },
    "The same as a number of seconds.",
    "timeout_seconds: 60",
);
const SIDE_RETRY: Key = key("retry", Object(RETRY), "How failed attempts are repeated.", "retry: {max_attempts: 3}");
const SIDE_POLICY: Key = key("policy", Text, "What its sandbox allows.", "policy: standard");
