//! Public codes of the engine.

use skep_model::code::Code;

/// The execution's `timeout` is over.
pub const EXECUTION_TIMEOUT: Code = Code {
    id: "SKEP-X001",
    title: "the execution took longer than its timeout",
    page: "The workflow says `timeout: ..` and the execution was not done by then. What ran was stopped, `finally` ran, \
and the execution failed.\n\nLook with `skep status EXECUTION` for the step that took the time. Raise `timeout` of the \
workflow, or give the slow step a `timeout` and a `retry` of its own, so that it fails alone:\n\n```yaml\ntimeout: 2h\n```",
};

/// A step's bound over all attempts is over.
pub const STEP_TIMEOUT: Code = Code {
    id: "SKEP-X002",
    title: "a step took longer than it was given in all",
    page: "`total_timeout` of a step bounds all its attempts and the pauses between them; `timeout` of a step that holds \
others (`parallel`, a loop, `switch`) bounds everything inside. The work was stopped and the step failed with kind \
`timeout`.\n\nRaise the bound, or make the inside faster (`max_parallel` of a loop).",
};

/// Nobody acted in time.
pub const WAIT_TIMEOUT: Code = Code {
    id: "SKEP-X003",
    title: "what a step waited for did not come in time",
    page: "An approval with `on_timeout: fail`, a form or a `wait: {signal: ..}` has a `timeout`, and nobody answered \
before its end.\n\nRaise the `timeout`, name an `assignee`, add `escalate: [{after: 2h, to: ..}]`, or let the flow go on \
with `on_error: skip`.",
};

/// A person said no.
pub const REJECTED: Code = Code {
    id: "SKEP-X004",
    title: "a person rejected a step",
    page: "The step is skipped and the execution fails, because `on_reject` is `fail` (the default). To go on another \
way instead, write `on_reject: continue` and ask `steps.ID.outputs.approved` in a `switch`:\n\n```yaml\n- id: gate\n  \
approval: {message: \"Ship?\", on_reject: continue}\n- id: choose\n  switch:\n    cases: [{when: \"${{ \
steps.gate.outputs.approved }}\", steps: [..]}]\n    default: [..]\n```",
};

/// A `wait` got what it cannot read.
pub const BAD_WAIT: Code = Code {
    id: "SKEP-X005",
    title: "a wait got a text that is no duration and no moment",
    page: "`wait: {for: ..}` wants a duration such as `90s`, `10m`, `1h30m`, `3d`; `wait: {until: ..}` wants a moment \
such as `2026-12-01T00:00:00Z`. The text came out of an expression, so it could only be read when the step began.",
};

/// A loop got something else than a list or a count.
pub const NOT_A_LIST: Code = Code {
    id: "SKEP-X006",
    title: "a loop did not get a list or a count",
    page: "`foreach` wants a list, `repeat: {times: ..}` a whole number of at least 0. A script's output is text; its \
JSON is in `steps.ID.outputs.json`:\n\n```yaml\n- id: hosts\n  run: printf '[\"a\", \"b\"]'\n- id: each\n  foreach: ${{ \
steps.hosts.outputs.json }}\n  steps: [..]\n```",
};

/// A loop wants more rounds than it may make.
pub const TOO_MANY_ROUNDS: Code = Code {
    id: "SKEP-X007",
    title: "a loop wants more rounds than it may make",
    page: "Every loop has a bound: `max_iterations` of the step, 1,000 for `while` and `repeat: {until: ..}` where it is \
not written, 100,000 at most. A condition that never changes would otherwise run for ever.\n\nRaise `max_iterations`, or \
look why the condition still asks for more.",
};

/// The owner keeps dying.
pub const LOST_DELIVERIES: Code = Code {
    id: "SKEP-X008",
    title: "the owner died again and again while it performed a step",
    page: "A step was delivered ten times in a row and each time the process that owned the execution died before the \
step's outcome came. The execution is held instead of trying for ever: the step may be what kills the owner (memory, \
disk), or the machine is sick.\n\nLook at the system's log, then `skep resume EXECUTION` to try again or `skep cancel \
EXECUTION`.",
};

/// A plan of another build.
pub const NOT_BUILT: Code = Code {
    id: "SKEP-X009",
    title: "this build does not execute this kind of step",
    page: "The plan holds a kind of step that this build parses and draws but does not execute. A start is refused \
before anything runs; this came up half-way because the plan was made by another build. Use that build, or take the \
step out.",
};

/// The name of a group or a breaker cannot be used.
pub const BAD_SHARED_NAME: Code = Code {
    id: "SKEP-X030",
    title: "the name of a group or a circuit breaker is empty or too long",
    page: "`concurrency: {group: ..}` and `circuit_breaker: {name: ..}` name what executions share. The name came out \
of an expression and has no character, or more than 256 bytes.\n\nUse something short that says what is shared, such as \
a host or a customer:\n\n```yaml\nconcurrency: {group: \"deploy-${{ inputs.environment }}\", limit: 1}\n```",
};

/// An execution whose group was full.
pub const LEFT_OUT: Code = Code {
    id: "SKEP-X031",
    title: "the execution was left out because its group is full",
    page: "The workflow says `concurrency: {.., when_full: skip}`, and as many executions of the group as its limit \
allows were running. Nothing of it began.\n\n`skep list` shows who runs. `when_full: queue` (the default) lets \
executions wait for their turn instead, `fail` makes it an error, and `cancel_old` cancels the oldest.",
};

/// All of them.
pub const ALL: &[Code] = &[
    EXECUTION_TIMEOUT,
    STEP_TIMEOUT,
    WAIT_TIMEOUT,
    REJECTED,
    BAD_WAIT,
    NOT_A_LIST,
    TOO_MANY_ROUNDS,
    LOST_DELIVERIES,
    NOT_BUILT,
    BAD_SHARED_NAME,
    LEFT_OUT,
];
