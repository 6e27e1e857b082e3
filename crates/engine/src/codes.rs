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

/// Nobody can tell whether a step was done.
pub const UNKNOWN_OUTCOME: Code = Code {
    id: "SKEP-X020",
    title: "nobody can tell whether a step was done",
    page: "The step's work ended without an answer: a timeout, a crash, a broken connection, or the death of the process \
that owned the execution. What it changes cannot be undone or must not be done twice (`on_unknown: ask`, \
`irreversible: true`, or a rollback that has to know), so the execution is held.\n\nLook at the system that the step \
changes. Then say `skep approve EXECUTION --step PATH` if the work was done, `skep reject EXECUTION --step PATH` if it \
was not. A `verify` on the step lets Skep look by itself:\n\n```yaml\n- id: pay\n  run: pay invoice-7\n  verify: {run: \
paid invoice-7}\n```",
};

/// A failed step was handed to a person.
pub const ESCALATED: Code = Code {
    id: "SKEP-X021",
    title: "a step failed and a person is asked what to do",
    page: "The step says `on_error: {strategy: escalate}`, or the workflow's `autonomy` leaves the decision to a person. \
It failed and the execution is held.\n\n`skep approve EXECUTION --step PATH` tries it again with all its attempts, or \
does what is proposed (as does `skep resume EXECUTION`), `skep reject EXECUTION --step PATH` lets it fail, `skep cancel \
EXECUTION` ends the execution. `skep decisions EXECUTION` shows why a person is asked.",
};

/// A compensation failed for good.
pub const COMPENSATION_FAILED: Code = Code {
    id: "SKEP-X022",
    title: "a step could not be undone",
    page: "A compensation (`rollback` of a step), its `verify`, or the step that `on_error: compensate` names failed after \
all its attempts, or its arguments could not be worked out. The rollback stops there and the execution ends \
`rollback_failed`: what was done before that step is still done.\n\n`skep status EXECUTION` shows which steps are \
`rolled_back` and which are not; `skep logs EXECUTION --step PATH.rollback` shows what the compensation said. Give a \
compensation that may fail for a while a `retry`.",
};

/// A person stopped a rollback.
pub const ROLLBACK_STOPPED: Code = Code {
    id: "SKEP-X023",
    title: "a person stopped the rollback",
    page: "A cancel during a rollback lets the compensation that runs end and begins no other one; the execution is \
held.\n\n`skep resume EXECUTION` goes on undoing. A second `skep cancel EXECUTION` leaves the rest as it is: the \
execution ends `rollback_failed`.",
};

/// A success criterion does not hold.
pub const CRITERION: Code = Code {
    id: "SKEP-X040",
    title: "a success criterion of a step does not hold",
    page: "The step did its work, but one of its `success_criteria` is false, so the attempt failed with kind `criterion` \
(class business). The message quotes the criterion; the step's outputs are kept and shown by `skep status`.\n\nSuch a \
failure is repeated only if the step says so:\n\n```yaml\nretry: {max_attempts: 3, on: [criterion]}\n```",
};

/// Outputs do not fit the schema.
pub const OUTPUT_SCHEMA: Code = Code {
    id: "SKEP-X041",
    title: "the outputs of a step do not fit its schema",
    page: "The step did its work, but its outputs are not what `output_schema` asks for, so the attempt failed with kind \
`output_schema` (class business). The message names the first place that does not fit; the outputs are kept and shown \
by `skep status`.\n\nThe schema describes all outputs as one object. For a script that prints JSON, name them:\n\n\
```yaml\noutputs: {image: \"${{ json.image }}\"}\noutput_schema: {required: [image]}\n```",
};

/// A child execution did not complete.
pub const CHILD_FAILED: Code = Code {
    id: "SKEP-X042",
    title: "a child execution did not complete",
    page: "A `workflow` step waits for an execution of its own, the child, and that failed, was cancelled, or could not \
be started (no such workflow in the library, inputs that do not fit, more than 8 executions below each other). The \
message names the child's id; `skep status CHILD` and `skep logs CHILD` show what happened there.\n\nThe failure has \
the kind of the child's failure, so `retry` and `on_error` of the step apply as for any other. A retry starts a new child.",
};

/// A child execution took too long.
pub const CHILD_TIMEOUT: Code = Code {
    id: "SKEP-X043",
    title: "a child execution took longer than its step allows",
    page: "`timeout` of a `workflow` step bounds each of its attempts. The child was cancelled, its `finally` ran, and \
then the attempt failed with kind `timeout`.\n\nRaise `timeout` of the step, or give the child's own slow steps a bound, \
so that they fail alone.",
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

/// An execution stands at a rollback point.
pub const AT_POINT: Code = Code {
    id: skep_model::rollback::AT_POINT_CODE,
    title: "the execution stands at a rollback point",
    page: "A rollback with the strategy `checkpoint` has undone what came after the point, and now a person decides.\n\n\
`skep resume EXECUTION` goes on from the point: steps that had completed there keep their results, the others begin \
again in a new generation (with new idempotency keys). `skep rollback EXECUTION --strategy graceful` undoes the rest, \
`skep rollback EXECUTION --to POINT` goes back further, `skep cancel EXECUTION` ends it and leaves what was done before the point.",
};

/// An execution is undone by hand.
pub const MANUAL_ROLLBACK: Code = Code {
    id: "SKEP-X033",
    title: "the execution is undone by hand",
    page: "A rollback with the strategy `manual` executes nothing. `skep rollback plan EXECUTION` prints what each \
compensation would do, with the values that it would get, in the order in which they are to be done.\n\nAfter each step say \
`skep rollback done EXECUTION`: the next one is named then, and with the last one the execution is rolled back. Two \
`skep cancel EXECUTION` leave the rest as it is, and the execution ends `rollback_failed`.",
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
    UNKNOWN_OUTCOME,
    ESCALATED,
    COMPENSATION_FAILED,
    ROLLBACK_STOPPED,
    CRITERION,
    OUTPUT_SCHEMA,
    CHILD_FAILED,
    CHILD_TIMEOUT,
    BAD_SHARED_NAME,
    LEFT_OUT,
    AT_POINT,
    MANUAL_ROLLBACK,
];
