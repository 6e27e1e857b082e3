//! Public codes of the node.

use skep_model::code::Code;

pub use skep_engine::codes::ALL as ENGINE;
pub use skep_runner::codes::ALL as RUNNER_CODES;
pub use skep_store::codes::ALL as STORE;

/// A definition with problems was to be started.
pub const INVALID_DEFINITION: Code = Code {
    id: "SKEP-N001",
    title: "the definition has problems, nothing was started",
    page: "A workflow is checked before it starts, and everything that is wrong with it is listed at once, each problem \
with its own code: mistakes in the text, and what this build cannot execute yet (a kind of step, an action without a \
provider, a key that changes the result). Nothing is ever started half.\n\n`skep validate FILE` lists the same without \
starting anything.",
};

/// Inputs are missing or wrong.
pub const INVALID_INPUTS: Code = Code {
    id: "SKEP-N002",
    title: "the inputs do not fit the workflow",
    page: "Every input is checked against its declaration (`type`, `enum`, `pattern` ..) before anything starts; all \
problems are listed at once.\n\nGive inputs as `-i name=value`, as an option `--name=value`, or all at once from a JSON \
file with `-i @inputs.json`. `skep run FILE --dry-run` shows what they become.",
};

/// Unknown execution.
pub const NO_SUCH_EXECUTION: Code = Code {
    id: "SKEP-N003",
    title: "no such execution",
    page: "An execution is named by its id, by the first characters of it (as many as make it unique), or by `@latest`, \
the newest one. `skep list` shows them. Executions belong to a data directory: with another `--data-dir` there are \
others.",
};

/// Unknown workflow.
pub const NO_SUCH_WORKFLOW: Code = Code {
    id: "SKEP-N004",
    title: "no such workflow in the library",
    page: "A NAME is looked up in the library of the data directory: by its whole path, by the end of it, or with the \
middle left out (`automation/daily_review` finds `automation/code_maintenance/daily_review`). If several fit, they are \
listed and nothing starts.\n\nA file is recognised by its ending (`.yaml`, `.yml`, `.json`), by `./` or `/` at its \
beginning, or `-` for standard input. Add one to the library with `skep workflow add FILE`.",
};

/// The message does not fit the state.
pub const REFUSED: Code = Code {
    id: "SKEP-N005",
    title: "the execution cannot take this now",
    page: "What was asked does not fit the state that the execution is in: approving what nobody asks, pausing what is \
over. Nothing was changed. `skep status EXECUTION` shows the state and what is waited for.",
};

/// The runner does not start.
pub const RUNNER: Code = Code {
    id: "SKEP-N006",
    title: "the part that performs steps could not be started",
    page: "Scripts are forked by a small helper process of the same program. It could not be started: the program file \
may have been removed or replaced while it ran, or the system allows no more processes. `skep doctor` checks it.",
};

/// Stored data does not fit together.
pub const DAMAGED: Code = Code {
    id: "SKEP-N007",
    title: "what is stored does not fit together",
    page: "A plan, a turn or a value of an execution is missing or cannot be read, or was written by a newer version. \
The execution is set aside; others are not concerned. Nothing is repaired silently.",
};

/// The configuration is wrong.
pub const CONFIG: Code = Code {
    id: "SKEP-N008",
    title: "the configuration cannot be used",
    page: "`config.toml` in the data directory has a syntax error, an unknown key, or a value of the wrong type; the \
message names the place. `skep config show` prints every key that is known, its value and where it came from.",
};

/// The process is ending.
pub const ENDING: Code = Code {
    id: "SKEP-N009",
    title: "the owner is ending",
    page: "The process that owns the data directory was told to end and takes no more requests. Nothing was recorded of \
this one. Try again: the next command finds the next owner, or becomes it.",
};

/// The request makes no sense.
pub const BAD_REQUEST: Code = Code {
    id: "SKEP-N010",
    title: "the request makes no sense as it is",
    page: "The message says what does not fit and what would. Nothing was changed.",
};

/// There is no sandbox yet.
pub const UNCONFINED: Code = Code {
    id: "SKEP-N011",
    title: "scripts run without a sandbox",
    page: "This build has no sandbox: a step without a named policy runs as `policy: none`, with the rights of the user \
who owns the data directory. It is said once per execution. A policy that a definition names is refused before the \
start, because it could not be enforced.\n\nRun only workflows that you trust, or run Skep as a user who may do little.",
};

/// A child execution could not be started.
pub const CHILD_NOT_STARTED: Code = Code {
    id: "SKEP-N025",
    title: "a child execution could not be started",
    page: "A `workflow` step starts a workflow of the library as an execution of its own. Its name, its version and its \
inputs are looked at when the step begins; what does not fit is the step's failure, so `retry` and `on_error` apply. At \
most 8 executions stand below each other, so that a workflow that starts itself ends.\n\nA name that the library does not \
have when the parent is started is refused there. `skep workflow list` shows the library, `skep workflow show NAME` \
the inputs of one.",
};

/// A group that takes nobody more.
pub const GROUP_FULL: Code = Code {
    id: "SKEP-N030",
    title: "the group is full",
    page: "`concurrency: {group, limit}` lets so many executions, or steps, of a group run at a time. This one came when \
the group was full: with `when_full: fail` it fails then, and with `queue` it fails if 10,000 wait already.\n\n`skep \
list` shows who runs, `skep status EXECUTION` who has the places that a waiting one waits for. `when_full: queue` lets it \
wait for its turn, by priority and then in the order of arrival. A paused, held or interrupted execution keeps its \
place; `skep cancel` gives it back.",
};

/// An open circuit breaker.
pub const BREAKER_OPEN: Code = Code {
    id: "SKEP-N031",
    title: "a circuit breaker is open, nothing was called",
    page: "The other side of a step with `circuit_breaker` failed too often, in this or in other executions, so it is \
left alone for a while: attempts fail at once with kind `unavailable` and nothing is called. When the time is over, \
exactly one attempt is let through; if it succeeds, all are again, else the wait begins anew.\n\nLook whether the other \
side works. A step with `retry` comes back when the next call is due:\n\n```yaml\ncircuit_breaker: {failures: 5, \
reset: 1m}\nretry: {max_attempts: 5}\n```",
};

/// A key that stands for another start.
pub const START_KEY_TAKEN: Code = Code {
    id: "SKEP-N032",
    title: "the idempotency key was given to another start",
    page: "A start with an idempotency key happens once: the same key of the same workflow, with the same definition and \
the same inputs, answers with the execution that has it. Here the definition or the inputs are not the same, so it is \
not the same start, and nothing was started.\n\nGive another key to start anew. Keys are kept as long as their \
execution.",
};

/// The execution is in the archive.
pub const ARCHIVED: Code = Code {
    id: "SKEP-N040",
    title: "the execution is archived",
    page: "Executions that are over for longer than `[retention] archive_after` (30 days unless configured) are moved into \
files under `archive/YEAR/MONTH/` of the data directory, one per execution: list row, plan, definition and every turn, \
as JSON lines with a checksum. Their logs and large values are removed.\n\n`skep status ID` and `skep replay ID` read \
such a file. Nothing can change the execution any more; run the workflow again with `skep run`.",
};

/// Too little free space.
pub const DISK_RESERVE: Code = Code {
    id: "SKEP-N041",
    title: "the disk is nearly full, nothing new is started",
    page: "Less space is free on the disk of the data directory than `disk_reserve` in `config.toml` says (256 MiB unless \
configured). Executions that run go on with what is left; a new one is refused before anything of it is recorded.\n\n\
Free space: `df -h DATA_DIR` shows how much there is, `skep prune` archives old executions and removes what nobody needs, \
shorter times in `[retention]` make it remove more. Starts work again by themselves.",
};

/// A failure that a test wants.
pub const TEST_FAILS: Code = Code {
    id: "SKEP-N050",
    title: "a step fails because its test says so",
    page: "`skep test` runs a workflow without executing anything: how the work of a step ends stands in the test file, \
under `outcomes`. This failure is one of those (`fail: network`).",
};

/// A test names what the workflow does not have.
pub const TEST_STEP: Code = Code {
    id: "SKEP-N051",
    title: "a test names a step that the workflow does not have",
    page: "`outcomes`, `answers` and `expect.steps` of a test name steps by their path: `build`, `rollout[1].ping` for one \
round of a loop, `deploy.rollback` and `deploy.verify` for the work beside a step. The id alone of a step in a loop stands \
for all its rounds.\n\nIt was probably renamed in the workflow: write the new name into the test.",
};

/// A key or a user that is named and is not there.
pub const NO_SUCH_CALLER: Code = Code {
    id: "SKEP-N060",
    title: "there is no such key or user",
    page: "`skep key list` shows the API keys and `skep user list` the users, revoked and disabled ones included. Names \
are written as they were made: large and small letters differ.",
};

/// A caller who is not recognised.
pub const NOT_RECOGNISED: Code = Code {
    id: "SKEP-N061",
    title: "the API key or the password is not accepted",
    page: "The secret belongs to no key, the key expired or was revoked, or name and password do not fit, or the user is \
disabled. The message says which, as far as the caller may know it.\n\n`skep key list` shows how each key stands. A secret \
is shown once, when its key is made, and cannot be read again: who lost it makes another key with `skep key create NAME \
--role ROLE` and revokes the old one. `your-api-key` in documentation stands for a key of your own.",
};

/// A caller who may not do this.
pub const NOT_ALLOWED: Code = Code {
    id: "SKEP-N062",
    title: "the caller may not do this",
    page: "Keys and users have roles, each over some workflows or all of them (`**`). The message says which role the caller \
has and which one it would need. What concerns no workflow in particular, such as keys, needs a role over all of them.\n\n\
`skep key list` and `skep user list` show roles. Make another key with the role that is needed: the roles of a key do not \
change.",
};

/// All of them.
pub const ALL: &[Code] = &[
    INVALID_DEFINITION,
    INVALID_INPUTS,
    NO_SUCH_EXECUTION,
    NO_SUCH_WORKFLOW,
    REFUSED,
    RUNNER,
    DAMAGED,
    CONFIG,
    ENDING,
    BAD_REQUEST,
    UNCONFINED,
    CHILD_NOT_STARTED,
    GROUP_FULL,
    BREAKER_OPEN,
    START_KEY_TAKEN,
    ARCHIVED,
    DISK_RESERVE,
    TEST_FAILS,
    TEST_STEP,
    NO_SUCH_CALLER,
    NOT_RECOGNISED,
    NOT_ALLOWED,
];
