//! Codes of types, of conditions that are decided, and of level strict.

use skep_model::code::Code;

/// An expression gives a value of the wrong type.
pub const TYPE_UNFIT: Code = Code {
    id: "SKEP-C070",
    title: "an expression gives a value of the wrong type",
    page: r#"What an expression can give follows from the declared types of inputs and from what steps give (`stdout` is a text, `exit_code` a number). No value that this one can give fits its place: an argument of another type, a condition that is no true or false, a `foreach` over no list, an operator between a text and a number.

**Why it happens:** An input was declared with another type than it is used with, or a step's output is text and looks like a number.

**What to do:** Declare the type that is meant, or change the value: `| int`, `| string`, `| split(',')`, `| fromjson`.

```yaml
inputs: {retries: {type: integer, default: 3}}
steps:
  - {id: again, repeat: {times: "${{ inputs.retries }}"}, steps: [{id: probe, run: ./probe.sh}]}
```
"#,
};
/// A comparison that always comes out the same.
pub const COMPARISON_DECIDED: Code = Code {
    id: "SKEP-C071",
    title: "a comparison that always comes out the same",
    page: r#"One side can never be the other one: the input has an `enum` without this value, the word is no status, or a number is compared with a text. The comparison says nothing, and the condition around it does not do what it looks like.

**Why it happens:** A slip of the pen (`prod` for `production`), a value that was renamed in one place, or quotes around a number.

**What to do:** Write one of the values that are possible; the hint lists them.

```yaml
inputs: {environment: {type: string, enum: [staging, production], default: staging}}
steps:
  - {id: tell, if: "${{ inputs.environment == 'production' }}", uses: log, with: {message: shipped}}
```
"#,
};
/// A command that destroys.
pub const DANGEROUS_COMMAND: Code = Code {
    id: "SKEP-C080",
    title: "a command that destroys",
    page: r#"Level strict. The script calls a command that deletes or erases and asks nobody: `rm -rf`, `sudo rm`, `mkfs`, `format`, `wipefs`, `dd of=/dev/..`, a redirection to a disk, or a database client that is told to `DROP` or `TRUNCATE`. Commands are found as the shell finds them: behind `sudo` and `xargs`, in `$(..)`, in `bash -c`, in here-documents. What is only printed is no command.

**Why it happens:** It may well be meant; one empty variable in its path makes it a catastrophe.

**What to do:** Name exact paths, guard variables (`"${DIR:?}"`), ask a person first, or write to a folder that is made for it.

```yaml
- {id: clean, run: 'rm -r "./build"', approve: before}
```
"#,
};
/// A statement that destroys.
pub const DANGEROUS_SQL: Code = Code {
    id: "SKEP-C081",
    title: "a statement that destroys",
    page: r#"Level strict. An `sql` action is told to `DROP TABLE`, `DROP DATABASE`, `DROP SCHEMA` or `TRUNCATE`. What stands in texts and comments of the statement does not count.

**Why it happens:** A clean-up was written for a test database.

**What to do:** Ask first, keep a copy, or say in `rollback` how it is undone.

```yaml
- id: clean
  uses: sql
  with: {database: app.db, query: "DELETE FROM sessions WHERE ended_at < ?1", params: ["2026-01-01"]}
```
"#,
};
/// A command changes every agent and nobody is asked.
pub const FAR_REACHING: Code = Code {
    id: "SKEP-C082",
    title: "a command changes every agent and nobody is asked",
    page: r#"Level strict. `hv-sync` and `hv-install` change all agents at once, and no step of the workflow asks a person.

**Why it happens:** The workflow was tried with one agent.

**What to do:** Add an approval before it.

```yaml
- {id: sync, uses: hv-sync, approve: before}
```
"#,
};
/// A high impact and nobody is asked.
pub const HIGH_IMPACT: Code = Code {
    id: "SKEP-C083",
    title: "a high impact and nobody is asked",
    page: r#"Level strict. The workflow is of the category security or infrastructure, has a parameter `critical`, is estimated to take more than 30 minutes, or has more than 10 steps that do work, and no step asks a person.

**Why it happens:** It grew, or the approval was forgotten.

**What to do:** Add a step with `approval`, or `approve: before` to the step that matters most.

```yaml
- {id: ask, approval: {message: "Roll out now?", assignee: operations@example.org}}
```
"#,
};
/// A secret stands in the definition.
pub const SECRET_WRITTEN: Code = Code {
    id: "SKEP-C084",
    title: "a secret stands in the definition",
    page: r#"Level strict. A key of a known format (AWS, GitHub, GitLab, Slack, Stripe, Google, npm, private keys, signed tokens, passwords in URLs), or a random-looking value under a name such as `password` or `api_key`. Definitions are kept for ever, shown and shared. The message shows the first characters only, and the line is not printed.

**Why it happens:** It was put there to try something.

**What to do:** Withdraw the secret, because it has been written down. Let the step read it from a file or a variable of the machine; credentials of `http` and `email` are named in config.toml.

```yaml
- {id: push, run: './push.sh --token-file /run/secrets/registry'}
```
"#,
};
/// Rollback is enabled and nothing can be undone.
pub const ROLLBACK_NONE: Code = Code {
    id: "SKEP-C085",
    title: "rollback is enabled and nothing can be undone",
    page: r#"Level strict. `rollback` is enabled for the workflow, and no step says how it is undone. A failure would undo nothing.

**Why it happens:** The compensations were never written.

**What to do:** Add `rollback` to the steps that change something, or `rollback: {enabled: false}` to the workflow.

```yaml
- {id: deploy, run: ./deploy.sh, rollback: {run: ./undeploy.sh}}
```
"#,
};
/// Less than half can be undone.
pub const ROLLBACK_LITTLE: Code = Code {
    id: "SKEP-C086",
    title: "less than half can be undone",
    page: r#"A suggestion of level strict. Less than half of the steps with side effects say how they are undone; the hint names the others. Steps that only read (`read_only: true`, actions that change nothing) do not count.

**Why it happens:** Compensations were written for the first steps only.

**What to do:** Add `rollback`, or say `read_only: true` or `irreversible: true` where that is so.

```yaml
- {id: deploy, run: ./deploy.sh, rollback: {run: ./undeploy.sh}}
- {id: look, run: ./status.sh, read_only: true}
```
"#,
};
/// How much can be undone.
pub const ROLLBACK_COVERAGE: Code = Code {
    id: "SKEP-C087",
    title: "how much can be undone",
    page: r#"A suggestion of level strict: how many of the steps with side effects say how they are undone, and which do not.

**Why it happens:** Not everything can be undone, and that is worth knowing beforehand.

**What to do:** Add `rollback` where it is possible.

```yaml
- {id: deploy, run: ./deploy.sh, rollback: {run: ./undeploy.sh}}
```
"#,
};
/// An interpreter is missing on this machine.
pub const INTERPRETER_MISSING: Code = Code {
    id: "SKEP-C090",
    title: "an interpreter is missing on this machine",
    page: r#"Level strict. The program that is to read the script is not in any folder of `PATH`. An error if the step runs for certain, else a warning.

**Why it happens:** The workflow was written on another machine.

**What to do:** Install it, name its path in `shell`, or set `PATH` in the step's `env`.

```yaml
- {id: count, shell: python, run: 'print(1 + 1)'}
```
"#,
};
/// A command is missing on this machine.
pub const COMMAND_MISSING: Code = Code {
    id: "SKEP-C091",
    title: "a command is missing on this machine",
    page: r#"Level strict. A script calls a program that is in no folder of `PATH`. Functions of the script, commands of the shell itself and programs that the script asks for first (`command -v`) are not meant.

**Why it happens:** The workflow was written on another machine.

**What to do:** Install it, or let the script ask whether it is there.

```yaml
- {id: parse, run: 'if command -v jq >/dev/null; then jq . data.json; else cat data.json; fi'}
```
"#,
};
/// A file is missing on this machine.
pub const FILE_MISSING: Code = Code {
    id: "SKEP-C092",
    title: "a file is missing on this machine",
    page: r#"Level strict. A script calls a program by an absolute path, or a step works in a folder, that does not exist here. Relative paths are not looked at: they begin in the execution's base directory.

**Why it happens:** The workflow was written on another machine, or an earlier step is to make it.

**What to do:** Mend the path. If an earlier step makes it, leave it as it is.

```yaml
- {id: report, run: /usr/local/bin/report, working_dir: /srv/reports}
```
"#,
};
/// Little memory is left.
pub const MEMORY_LOW: Code = Code {
    id: "SKEP-C093",
    title: "little memory is left",
    page: r#"Level strict. More than 90 % of the memory of this machine is in use; what starts now may be killed.

**Why it happens:** Something else needs it, or something leaks.

**What to do:** Wait, or run it on another machine. `skep list --status running` shows what runs here.

```yaml
max_parallel: 2
```
"#,
};
/// The processors are busy.
pub const CPU_BUSY: Code = Code {
    id: "SKEP-C094",
    title: "the processors are busy",
    page: r#"Level strict. Over the last minute more than 90 % of the processors had something to run (the load average by the number of processors).

**Why it happens:** Something else needs them.

**What to do:** Wait, or look at the timeouts: steps will be slow.

```yaml
- {id: build, run: make, timeout: 30m}
```
"#,
};
/// Little disk is left.
pub const DISK_FULL: Code = Code {
    id: "SKEP-C095",
    title: "little disk is left",
    page: r#"Level strict. More than 85 % of the disk that holds the state is in use (a warning), or more than 95 % (an error). Every result of a step is written down before the next step starts.

**Why it happens:** Logs, archives, or something else on the same disk.

**What to do:** Make room: `skep prune` archives and removes old executions, `[retention]` in config.toml says how old.

```toml
[retention]
archive_after = "7d"
```
"#,
};
