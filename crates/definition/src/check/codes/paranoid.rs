//! Codes of level paranoid.

use skep_model::code::Code;

/// A machine cannot be reached.
pub const HOST_UNREACHABLE: Code = Code {
    id: "SKEP-C100",
    title: "a machine cannot be reached",
    page: r#"Level paranoid. A step talks to a host that is written down, in an `http` action or in a script that calls `curl` or `wget`, and no TCP connection to it could be made within a second. Nothing was sent. Hosts that an expression or a variable makes are not known beforehand.

**Why it happens:** The name is wrong, the service is down, or a firewall or a proxy stands between.

**What to do:** Check the name and the port from this machine. If the step is to fail then and that is all right, say so with `on_error: skip`.

```yaml
- {id: notify, uses: http, with: {url: "https://hooks.example.org/deploys"}, on_error: skip}
```
"#,
};
/// The machine has been busy for long.
pub const LOAD_HIGH: Code = Code {
    id: "SKEP-C101",
    title: "the machine has been busy for long",
    page: r#"Level paranoid. Over the last 5 minutes more processes wanted to run than there are processors (the load average). `metadata.machine` has the figures.

**Why it happens:** Something else works here, and not only for a moment.

**What to do:** Wait, or run it on another machine. Timeouts that fit an idle machine may not fit this one.

```yaml
- {id: build, run: make, timeout: 30m}
```
"#,
};
/// Few more processes can be started.
pub const PROCESSES_MANY: Code = Code {
    id: "SKEP-C102",
    title: "few more processes can be started",
    page: r#"Level paranoid. More than 80 % of the processes and threads that this machine admits are there. A script needs at least one, and fails if it gets none.

**Why it happens:** Something starts processes and does not end them, or the limit is low (`kernel.threads-max`, `kernel.pid_max`).

**What to do:** Find out who has them (`ps -eLf | wc -l`), or raise the limit.

```yaml
max_parallel: 2
```
"#,
};
/// A step fails often.
pub const OFTEN_FAILS: Code = Code {
    id: "SKEP-C103",
    title: "a step fails often",
    page: r#"Level paranoid. In the executions of this workflow that are over, the step failed in more than half of the cases (a warning) or in more than a fifth (a suggestion), retries included. Counted are at most the newest 200 executions, and only those whose step was the same as now; at least five.

**Why it happens:** What it works with is not reliable, its timeout is too short, or it has no `retry`.

**What to do:** `skep history --workflow NAME` and `skep logs EXECUTION --step STEP` show the failures.

```yaml
- {id: fetch, run: ./fetch.sh, retry: {max_attempts: 3, delay: 10s}}
```
"#,
};
/// A step is never reached in any simulated execution.
pub const NEVER_REACHED: Code = Code {
    id: "SKEP-C104",
    title: "no simulated execution reaches a step",
    page: r#"Level paranoid. The workflow was simulated with its inputs, their variations, each step failing and each answer, and the step began in none of these executions. A warning if everything on the way to it was known; a suggestion if that depends on what steps give and nobody knows yet.

**Why it happens:** Its condition does not hold for any value that comes up, or a step before it always ends the execution.

**What to do:** Look at its `if`, and at the conditions around it. `metadata.simulation.paths` shows the paths that were taken.

```yaml
inputs: {replicas: {type: integer, default: 2}}
steps:
  - {id: half, uses: set, with: {count: "${{ inputs.replicas // 2 }}"}}
  - {id: warn, if: "${{ steps.half.outputs.count < 1 }}", uses: log, with: {message: "too few"}}
```
"#,
};
/// A simulated execution stands still for ever.
pub const DEAD_END: Code = Code {
    id: "SKEP-C105",
    title: "a simulated execution stands still for ever",
    page: r#"Level paranoid. In a simulated execution everybody answered and every signal came, and still it stood: nothing ran, no timer was due, and what it waited for could no longer happen. The message says in which case.

**Why it happens:** A `wait: {condition}` without a timeout waits for a step that has failed or was skipped, or is held by a failure that nobody mends.

**What to do:** Give the wait a `timeout`, or let its condition hold after a failure, too.

```yaml
- {id: settled, wait: {condition: "${{ steps.build.status in ['completed', 'failed'] }}", timeout: 1h}}
```
"#,
};
/// A wait has no end if nobody answers.
pub const WAITS_FOR_EVER: Code = Code {
    id: "SKEP-C106",
    title: "a wait has no end if nobody answers",
    page: r#"A suggestion of level paranoid. The step waits for a person or a signal and has no timeout. If nobody answers, the execution stays as it is for ever; it costs nothing, but nobody may notice.

**Why it happens:** It is often meant so.

**What to do:** Add a `timeout`, and `escalate` to tell somebody else before it.

```yaml
- id: ask
  approval: {message: "Roll out?", timeout: 2d, escalate: [{after: 1d, to: operations@example.org}]}
```
"#,
};
/// A simulated execution fails although nothing went wrong.
pub const FAILS_BY_ITSELF: Code = Code {
    id: "SKEP-C107",
    title: "a simulated execution fails although nothing goes wrong",
    page: r#"Level paranoid. Every script and action succeeded and everybody said yes, and a step still failed: an expression of it could not be evaluated, or a loop met its limit, with values that were known (inputs, what `set` gives, what the step gave in earlier executions). Inputs that were not given have their default, or a value that fits their declaration.

**Why it happens:** A division by zero, a missing key, a `foreach` over what is no list, for some value that the declarations admit.

**What to do:** The message names the step, what went wrong and the inputs. Narrow the declaration of the input (`minimum`, `enum`), or ask first in the expression.

```yaml
inputs: {share: {type: integer, minimum: 1, default: 2}}
steps:
  - {id: count, uses: set, with: {each: "${{ 100 // inputs.share }}"}}
```
"#,
};
/// A simulated execution does not end.
pub const NEVER_ENDS: Code = Code {
    id: "SKEP-C108",
    title: "a simulated execution does not end",
    page: r#"Level paranoid. A simulated execution took more than 20,000 messages, or more than ten years of its time, and was left there.

**Why it happens:** A loop goes on while its condition holds, and nothing in it changes the condition; or a wait ends in the far future.

**What to do:** Bound it with `max_iterations` or a `timeout`, and let something in the loop change what its condition reads.

```yaml
- {id: poll, while: "${{ index < 20 }}", max_iterations: 20, steps: [{id: look, run: ./look.sh}]}
```
"#,
};
