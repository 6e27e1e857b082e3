//! The stable codes of the runner, with their pages.

use skep_model::code::Code;

pub(crate) const SPAWNER: &str = "SKEP-R001";
pub(crate) const INTERPRETER_MISSING: &str = "SKEP-R002";
pub(crate) const EXIT: &str = "SKEP-R003";
pub(crate) const SIGNAL: &str = "SKEP-R004";
pub(crate) const TIMEOUT: &str = "SKEP-R005";
pub(crate) const WORKING_DIR: &str = "SKEP-R006";
pub(crate) const UNUSABLE_TEXT: &str = "SKEP-R007";
pub(crate) const NO_PROCESS: &str = "SKEP-R008";
pub(crate) const INTERPRETER_UNUSABLE: &str = "SKEP-R009";
pub(crate) const UNKNOWN_ACTION: &str = "SKEP-R010";
pub(crate) const ARGUMENTS: &str = "SKEP-R011";
pub(crate) const PANIC: &str = "SKEP-R012";
pub(crate) const SCRATCH: &str = "SKEP-R013";
pub(crate) const SPAWNER_LOST: &str = "SKEP-R014";
pub(crate) const ACTION_TIMEOUT: &str = "SKEP-R015";
pub(crate) const NO_SANDBOX: &str = "SKEP-R016";
pub(crate) const FILE_MISSING: &str = "SKEP-R020";
pub(crate) const FILE_DENIED: &str = "SKEP-R021";
pub(crate) const FILE_UNUSABLE: &str = "SKEP-R022";
pub(crate) const FILE_TOO_LARGE: &str = "SKEP-R023";
pub(crate) const SQL: &str = "SKEP-R030";
pub(crate) const SQL_BUSY: &str = "SKEP-R031";
pub(crate) const SQL_TOO_LARGE: &str = "SKEP-R032";
pub(crate) const HTTP_NETWORK: &str = "SKEP-R040";
pub(crate) const HTTP_STATUS: &str = "SKEP-R041";
pub(crate) const HTTP_TOO_LARGE: &str = "SKEP-R042";
pub(crate) const HTTP_CREDENTIAL: &str = "SKEP-R043";
pub(crate) const HTTP_TLS: &str = "SKEP-R044";
pub(crate) const EMAIL_NOT_CONFIGURED: &str = "SKEP-R050";
pub(crate) const EMAIL_ADDRESS: &str = "SKEP-R051";
pub(crate) const EMAIL_REFUSED: &str = "SKEP-R052";

/// Every code of the runner, in order.
pub const ALL: &[Code] = &[
    Code {
        id: SPAWNER,
        title: "The helper process that starts scripts does not work",
        page: r#"Scripts are started by a small helper, a mode of the skep binary itself. It could not be started, or
it died twice in a row, so the script was not begun.

Usual reasons: no memory or no free process (`ulimit -u`), no free descriptor (`ulimit -n`), or the
skep binary was removed while the owner ran. Mend that and run the step again; nothing was done.
"#,
    },
    Code {
        id: INTERPRETER_MISSING,
        title: "The interpreter of a script was not found",
        page: r#"`shell` names a program that does not exist in the PATH that the step gets, or whose first line
(`#!`) names one that does not exist.

Steps get the PATH of whoever started the execution, as it was then. Install the interpreter, write
its path (`shell: /opt/tools/bin/ruby`), or set PATH in `env`.
"#,
    },
    Code {
        id: EXIT,
        title: "A script exited with a non-zero code",
        page: r#"The script ended by itself and said that it failed. The message holds the last lines of its standard
error; all of it is in the log: `skep logs EXECUTION --step PATH`.

`bash` scripts run with `-e` and `pipefail`: the first command that fails ends the script. Where a
failure is fine write `command || true`. Code 126 means that a command may not be executed, 127 that
it was not found, above 128 usually that a command died by signal CODE - 128.

It is retried only if the step has `retry`; `retry: {on: [75]}` retries this code alone.
"#,
    },
    Code {
        id: SIGNAL,
        title: "A script was killed by a signal",
        page: r#"The main process of the script died by a signal that Skep did not send. Signal 9 is usually the
kernel when memory ran out (`dmesg` says so), 11 and 6 are faults of the program, 15 is somebody who
asked it to end.

The step fails with kind `crash`, which is retried at most once.
"#,
    },
    Code {
        id: TIMEOUT,
        title: "A script took longer than its timeout",
        page: r#"The attempt was stopped after its `timeout`: every process that it started got SIGTERM and, half a
second later, SIGKILL, also those that had left its session. What it had printed until then is in
the outputs and the log.

A larger `timeout` on the step helps if the work is just long; `timeout` is for one attempt,
`total_timeout` for all of them.
"#,
    },
    Code {
        id: WORKING_DIR,
        title: "A script cannot start in its working directory",
        page: r#"`working_dir` does not exist, is no folder, or may not be entered. A relative one begins at the
execution's base directory: `--workdir`, else the folder of whoever started it.

Make it in an earlier step (`mkdir -p`) or correct the path. Nothing of the script ran.
"#,
    },
    Code {
        id: UNUSABLE_TEXT,
        title: "A text cannot reach a process",
        page: r#"Arguments and environment variables of a process end at a NUL character and have limits: 128 KiB for
one, about 2 MiB for all. A value with a NUL, a variable that is too long or a name with `=` is
refused before the script starts.

Read large or binary-like values from the JSON file that `$SKEP_INPUTS` names, or pass a path.
"#,
    },
    Code {
        id: NO_PROCESS,
        title: "No process could be made",
        page: r#"The machine refused a new process or descriptor for the script: the limit of processes of this user
(`ulimit -u`), of open files (`ulimit -n`) or memory is reached.

Raise the limit or run fewer steps at a time with `max_parallel`. Nothing of the script ran.
"#,
    },
    Code {
        id: INTERPRETER_UNUSABLE,
        title: "An interpreter cannot be executed",
        page: r#"The program that `shell` names exists but the kernel refuses it: it is not executable (`chmod +x`),
lies on a file system mounted `noexec`, or has neither a known format nor a first line `#!`.
"#,
    },
    Code {
        id: UNKNOWN_ACTION,
        title: "This node has no such action",
        page: r#"`uses` names an action that this node does not have. The hint lists those that it has; `skep
validate FILE` finds this before a start.
"#,
    },
    Code {
        id: ARGUMENTS,
        title: "An action does not take these arguments",
        page: r#"A name or a type under `with` is not what the action takes, after the expressions were evaluated.
The message says which. For example:

    uses: http
    with: {method: POST, url: "https://example.org/hook", json: {a: 1}}

`json`, `form` and `body` exclude each other; `file` needs `operation` and `path`; `sql` needs
`database` and either `query` or `statements`; `email` needs `to`, `subject` and `text` or `html`.
"#,
    },
    Code {
        id: PANIC,
        title: "Skep failed while it performed a step",
        page: r#"Something that Skep holds for impossible happened. The step fails with kind `bug`; the node and the
other executions go on. The log of the owner has the place. Please report it.
"#,
    },
    Code {
        id: SCRATCH,
        title: "The scratch folder of a script cannot be written",
        page: r#"Each script gets a folder of its own for `$SKEP_INPUTS`, long texts and large values, below the
owner's runtime folder. It could not be made or filled: no space, no permission, or a read-only file
system. Nothing of the script ran.
"#,
    },
    Code {
        id: SPAWNER_LOST,
        title: "The helper process died while a script ran",
        page: r#"The helper that starts scripts died, so nobody can tell how this script ended. What still ran of it
was killed. The step fails with kind `crash`; the next script starts a new helper.

If nobody killed it, the machine ran out of memory: see `dmesg`.
"#,
    },
    Code {
        id: ACTION_TIMEOUT,
        title: "An action took longer than its timeout",
        page: r#"The action was stopped at the step's `timeout` (for `http` also its own, 30 s if none is given). A
request may have reached the server: it carries `Idempotency-Key`, so that a server that knows such
keys does the work once.
"#,
    },
    Code {
        id: NO_SANDBOX,
        title: "The step asks for a sandbox that this node does not have",
        page: r#"The step names a `policy`, and running it without would give it more than it asked for. Use `policy:
none` if it may run as the node's user.
"#,
    },
    Code {
        id: FILE_MISSING,
        title: "A file or folder does not exist",
        page: r#"The path of a `file` action does not exist. Relative paths begin at the execution's base directory.
`delete` accepts a missing path with `missing_ok: true`; `exists` never fails.
"#,
    },
    Code {
        id: FILE_DENIED,
        title: "A file may not be used",
        page: r#"The user of the node may not do this with the file or its folder, or the file system is read-only.
Writing needs the right to create files in the folder, since a new file is put in place of the old
one.
"#,
    },
    Code {
        id: FILE_UNUSABLE,
        title: "A path is not what the operation needs",
        page: r#"There is something else at the path: a folder where a file is needed or the reverse, a folder that
is not empty (`recursive: true`), a file that is no UTF-8 text (`encoding: base64`), or a target
that exists while `overwrite` is false.
"#,
    },
    Code {
        id: FILE_TOO_LARGE,
        title: "A file is too large, or the disk is full",
        page: r#"`read` returns at most 16 MiB and `list` at most 10,000 names, because both become outputs of a
step. Pass the path on instead. When writing it means that the disk or the quota is full; the old
content is still there.
"#,
    },
    Code {
        id: SQL,
        title: "A database refuses a statement",
        page: r#"SQLite did not open the file or did not take a statement; its own words are in the message. A list
of `statements` is one transaction, so none of it was kept.

Values belong in `params`, never in the text: `query: "select * from users where name = ?1"` with
`params: ["${{ inputs.name }}"]`.
"#,
    },
    Code {
        id: SQL_BUSY,
        title: "A database is busy",
        page: r#"Another program was writing for more than 5 seconds. The kind is `unavailable`, so a `retry` on the
step waits and tries again. Nothing was changed.
"#,
    },
    Code {
        id: SQL_TOO_LARGE,
        title: "The result of a query is too large",
        page: r#"A query returns at most 10,000 rows and 16 MiB. Add a LIMIT, select fewer columns, or aggregate in
the query.
"#,
    },
    Code {
        id: HTTP_NETWORK,
        title: "A request got no response",
        page: r#"The host name was not found, the connection was refused or broke, or the server's certificate is not
trusted; the innermost reason is in the message. The kind is `network`, which `retry` retries.
Proxies named in the environment are not used.

A private certificate authority goes into `ca_file`.
"#,
    },
    Code {
        id: HTTP_STATUS,
        title: "A server answered with a status that was not expected",
        page: r#"The kind follows from the status: 401 and 403 `permission`, 404 `not_found`, 408 `timeout`, 429
`rate_limit` (Retry-After is the least pause), 5xx `unavailable`, others `invalid`. `retry: {on:
[503]}` takes statuses too.

Without `expected_status`, 200 to 299 is success: `expected_status: [200, 404]` or `"200-399"`
allows others.
"#,
    },
    Code {
        id: HTTP_TOO_LARGE,
        title: "A response is too large",
        page: r#"The body is larger than `max_bytes` (16 MiB if not given). Raise it, or fetch the file in a script
and pass its path on.
"#,
    },
    Code {
        id: HTTP_CREDENTIAL,
        title: "There is no such HTTP credential",
        page: r#"`auth` names a credential in the configuration of the owner (the process that performs the steps),
never one in a definition. Add it there, with its secret in the owner's environment, and start the
owner again.
"#,
    },
    Code {
        id: HTTP_TLS,
        title: "Encryption cannot be set up",
        page: r#"The machine has no certificate authorities installed (package `ca-certificates`), or `ca_file` is
missing or holds no certificate in PEM form.
"#,
    },
    Code {
        id: EMAIL_NOT_CONFIGURED,
        title: "The owner has no mail server",
        page: r#"The action `email` sends through the mail server in the configuration of the owner, and there is
none. Nothing was sent. Add `smtp` with host, port and tls, and the password in the owner's
environment.
"#,
    },
    Code {
        id: EMAIL_ADDRESS,
        title: "A text is not a mail address",
        page: r#"Write `name@example.org` or `A Name <name@example.org>`; several addresses are a list, not one text with
commas. Nothing was sent.
"#,
    },
    Code {
        id: EMAIL_REFUSED,
        title: "The mail server did not take a message",
        page: r#"The server could not be reached, refused the login, or refused the message; its words are in the
message. Temporary refusals have kind `unavailable` and are retried, lasting ones have kind
`invalid` or `permission`. The message keeps its Message-ID over all attempts.
"#,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_their_pages_say_something() {
        for (index, code) in ALL.iter().enumerate() {
            assert!(code.id.starts_with("SKEP-R") && code.id.len() == 9, "{}", code.id);
            assert!(code.page.len() > 100 && !code.title.ends_with('.'), "{}", code.id);
            assert!(ALL[..index].iter().all(|earlier| earlier.id < code.id), "{}", code.id);
        }
    }
}
