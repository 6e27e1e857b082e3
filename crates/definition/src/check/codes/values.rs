//! Codes of values, sizes, inputs and of what a node cannot execute.

use skep_model::code::Code;

/// An input or a form field is declared wrongly.
pub const INPUT_INVALID: Code = Code {
    id: "SKEP-C016",
    title: "an input or a form field is declared wrongly",
    page: r#"An entry under `inputs` (or a field of `input`) is a JSON Schema with `required` as a boolean, and the form types `text choice date secret email url hostname` beside the usual ones.

**Why it happens:** An unknown keyword or type, a `choice` without choices, a pattern that cannot be used (patterns are linear-time: no look-around, no back-references).

**What to do:** Mend the key that the message names.

```yaml
inputs:
  environment: {type: string, enum: [staging, production], default: staging}
```
"#,
};
/// A default does not match its own declaration.
pub const DEFAULT_INVALID: Code = Code {
    id: "SKEP-C017",
    title: "a default does not match its own declaration",
    page: r#"The default would be refused if somebody gave it.

**Why it happens:** The type, the choices or the pattern changed and the default stayed as it was.

**What to do:** Change the default or the declaration.

```yaml
inputs:
  retries: {type: integer, minimum: 0, default: 3}
```
"#,
};
/// An input is required and has a default.
pub const REQUIRED_WITH_DEFAULT: Code = Code {
    id: "SKEP-C018",
    title: "an input is required and has a default",
    page: r#"An input with a default is never missing, so `required: true` has no effect.

**Why it happens:** One of the two was left over.

**What to do:** Remove `required` or `default`.

```yaml
inputs:
  ref: {type: string, default: main}
```
"#,
};
/// `join` asks for a number of branches that cannot be.
pub const JOIN_INVALID: Code = Code {
    id: "SKEP-C019",
    title: "`join` asks for a number of branches that cannot be",
    page: r#"`join: N` waits until N branches have succeeded: at least 1, at most as many as there are.

**Why it happens:** Branches were removed, or `0` was meant as "do not wait", which does not exist: what goes on by itself is a child execution.

**What to do:** Write a number from 1 to the number of branches, `all` or `any`.

```yaml
- id: both
  join: 1
  parallel: {left: [{id: l, run: ./l.sh}], right: [{id: r, run: ./r.sh}]}
```
"#,
};
/// A key has no meaning for this kind of step.
pub const NOT_FOR_THIS_KIND: Code = Code {
    id: "SKEP-C020",
    title: "a key has no meaning for this kind of step",
    page: r#"`retry`, `approve`, `rollback`, `verify`, `on_unknown`, `circuit_breaker`, `concurrency`, `success_criteria` and `output_schema` belong to steps that do work: `run`, `uses`, `agent`, `ai` (and `retry`, `rollback`, `concurrency` to `workflow`). A `parallel`, a loop, a `switch`, a wait or a question has no attempt of its own.

**Why it happens:** The key was written on the construct instead of on the steps inside.

**What to do:** Move it to the steps that do the work.

```yaml
- id: each
  foreach: ${{ inputs.hosts }}
  steps:
    - {id: deploy, run: ./deploy.sh, retry: {max_attempts: 3}}
```
"#,
};
/// A loop's numbers cannot be.
pub const LOOP_INVALID: Code = Code {
    id: "SKEP-C021",
    title: "a loop's numbers cannot be",
    page: r#"A loop runs at least once at a time and has a limit of rounds between 1 and 100,000; `repeat` has either `times` or `until`.

**Why it happens:** A zero, a number over the limit, or both (or none) of `times` and `until`.

**What to do:** Write a number inside the limits; process more items in batches.

```yaml
- {id: poll, repeat: {until: "${{ steps.probe.outputs.exit_code == 0 }}"}, max_iterations: 50, steps: [{id: probe, run: ./probe.sh}]}
```
"#,
};
/// A wait's times contradict each other.
pub const WAIT_INVALID: Code = Code {
    id: "SKEP-C022",
    title: "a wait's times contradict each other",
    page: r#"An escalation at or after the end of the wait could never happen, and a wait can have one end only.

**Why it happens:** `timeout` is the end of the whole wait, `after` counts from its start. An approval's `timeout` stands inside `approval` or on the step, not both.

**What to do:** Let the escalation come earlier or the wait last longer; write one `timeout`.

```yaml
approval: {message: "Ship?", timeout: 24h, escalate: [{after: 8h, to: director@example.org}]}
```
"#,
};
/// Something that needs content is empty.
pub const EMPTY: Code = Code {
    id: "SKEP-C023",
    title: "something that needs content is empty",
    page: r#"A workflow, a branch, a case, a loop needs at least one step, a form at least one field, a `switch` at least one case, a `parallel` at least one branch.

**Why it happens:** Often wrong indentation: the steps stand beside the key instead of under it.

**What to do:** Add a step, or remove the construct. `uses: noop` does nothing and succeeds.

```yaml
- {id: each, foreach: "${{ inputs.hosts }}", steps: [{id: ping, run: ./ping.sh}]}
```
"#,
};
/// The workflow exceeds a limit of size.
pub const TOO_LARGE: Code = Code {
    id: "SKEP-C024",
    title: "the workflow exceeds a limit of size",
    page: r#"A workflow has at most 10,000 steps, and its lists nest at most 32 deep.

**Why it happens:** Such definitions are generated.

**What to do:** Loop over data with `foreach` instead of writing a step per item; move parts into workflows of their own.

```yaml
- {id: each, foreach: "${{ inputs.hosts }}", steps: [{id: ping, run: './ping.sh "${{ item }}"'}]}
```
"#,
};
/// A value written in the definition cannot be used.
pub const VALUE_INVALID: Code = Code {
    id: "SKEP-C025",
    title: "a value written in the definition cannot be used",
    page: r#"A duration is a number with a unit (`300ms 10s 5m 8h 3d`), a moment is RFC 3339 (`2026-12-01T08:00:00Z`), the items of `foreach` are a list, `times` is a whole number, `every` is at least one second.

**Why it happens:** A unit is missing or the type is another one.

**What to do:** Write it in that form.

```yaml
- {id: pause, wait: {for: 10m}}
```
"#,
};
/// No action has this name.
pub const ACTION_UNKNOWN: Code = Code {
    id: "SKEP-C030",
    title: "no action has this name",
    page: r#"`uses` names an action that this node does not have. `validate` warns, because another node may have it; nothing starts with it here.

**Why it happens:** A typing error, or what provides the action (a hive, an MCP server) is not configured.

**What to do:** Write the name of an action that exists, or configure its provider.

```yaml
- {id: hook, uses: http, with: {method: POST, url: "https://example.org/hook"}}
```
"#,
};
/// `with` does not fit the action.
pub const ARGUMENT_INVALID: Code = Code {
    id: "SKEP-C031",
    title: "`with` does not fit the action",
    page: r#"The arguments under `with` are checked against the action's schema. What an expression will give is not checked before it is evaluated.

**Why it happens:** A missing or unknown argument, or a value of another type.

**What to do:** Mend the argument that the message names.

```yaml
- {id: hook, uses: http, with: {method: POST, url: "https://example.org/hook"}}
```
"#,
};
/// A timeout of zero.
pub const TIMEOUT_ZERO: Code = Code {
    id: "SKEP-C032",
    title: "a timeout of zero",
    page: r#"A step with a timeout of zero could never succeed.

**Why it happens:** Zero was meant as "none".

**What to do:** Remove the key for no limit, or write a duration such as `5m`.

```yaml
- {id: build, run: make, timeout: 10m}
```
"#,
};
/// An unusual timeout.
pub const TIMEOUT_UNUSUAL: Code = Code {
    id: "SKEP-C033",
    title: "an unusual timeout",
    page: r#"The timeout of one attempt is under 10 seconds or over an hour.

**Why it happens:** Often a wrong unit: `timeout: 300ms` where five minutes were meant.

**What to do:** Leave it if it is meant.

```yaml
- {id: build, run: make, timeout: 10m}
```
"#,
};
/// No attempt at all.
pub const RETRY_ZERO: Code = Code {
    id: "SKEP-C034",
    title: "no attempt at all",
    page: r#"`max_attempts` counts the first attempt too, so zero means that the step never runs.

**Why it happens:** Zero was meant as "no retries": that is 1.

**What to do:** Write 1 or more, or remove `retry`.

```yaml
retry: {max_attempts: 3, delay: 2s}
```
"#,
};
/// Very many attempts.
pub const RETRY_MANY: Code = Code {
    id: "SKEP-C035",
    title: "very many attempts",
    page: r#"More than 10 attempts. With an exponential pause the last ones are hours apart.

**Why it happens:** Waiting for something is better said with `wait` or `repeat: {until: ..}`.

**What to do:** Leave it if it is meant.

```yaml
retry: {max_attempts: 5, delay: 10s, max_delay: 5m}
```
"#,
};
/// A condition that is always the same.
pub const CONDITION_CONSTANT: Code = Code {
    id: "SKEP-C036",
    title: "a condition that is always the same",
    page: r#"The condition comes out the same whatever happens: it is written as `true` or `false`, it contradicts itself (`n > 5 and n < 3`), or it asks for a value that its input cannot have. So the step always or never runs, the case is always or never taken, the loop never runs or never ends by itself.

**Why it happens:** It was switched off for a test, the expression lost its `${{ }}`, or one side of an `and` was changed and the other was not.

**What to do:** Write a condition, or remove the step. An endless loop needs `max_iterations`.

```yaml
if: ${{ inputs.environment == 'production' }}
```
"#,
};
/// An input that nothing uses.
pub const INPUT_UNUSED: Code = Code {
    id: "SKEP-C037",
    title: "an input that nothing uses",
    page: r#"No expression names this input, so giving it changes nothing.

**Why it happens:** A left-over, or the script meant to read it: a script sees an input only where an expression places it, or in the file `$SKEP_INPUTS`.

**What to do:** Use it or remove it.

```yaml
- {id: greet, run: 'echo "${{ inputs.name }}"'}
```
"#,
};
/// A step or case that can never run.
pub const UNREACHABLE: Code = Code {
    id: "SKEP-C038",
    title: "a step or case that can never run",
    page: r#"What stands before it always decides: a case after one that is always taken or holds whenever this one would, a step that waits for one that never runs, the body of a loop over nothing.

**Why it happens:** The order of the cases, or a condition that was switched off for a test.

**What to do:** Change the order, or remove it.

```yaml
switch:
  cases: [{when: "${{ inputs.n > 10 }}", steps: [{id: many, uses: noop}]}]
  default: [{id: few, uses: noop}]
```
"#,
};
/// This node cannot execute a part of the definition yet.
pub const NOT_BUILT: Code = Code {
    id: "SKEP-C040",
    title: "this node cannot execute a part of the definition yet",
    page: r#"The definition is right, but it uses a part of the language that this node does not execute. It can be checked, printed and drawn; it is refused before it starts, because leaving the part out would change the result.

**Why it happens:** The part is not built in this version, or its provider is not configured.

**What to do:** Remove the part, use another one, or run it on a node that has it.

```yaml
- {id: build, run: make, on_error: {strategy: skip}}
```
"#,
};
/// A part of the definition has no effect yet.
pub const NO_EFFECT_YET: Code = Code {
    id: "SKEP-C041",
    title: "a part of the definition has no effect yet",
    page: r#"The part describes or observes; it is kept and printed, and nothing acts on it in this version. The execution's result is the same without it.

**Why it happens:** The definition was written for more than this version does.

**What to do:** Nothing needs to be done.

```yaml
triggers:
  - {type: schedule, config: {cron: "0 3 * * *"}}
```
"#,
};
/// A required input was not given.
pub const INPUT_MISSING: Code = Code {
    id: "SKEP-C050",
    title: "a required input was not given",
    page: r#"The workflow declares the input as required and without a default.

**Why it happens:** It was forgotten, or given under another name.

**What to do:** Give it with `-i NAME=VALUE`, or declare a default.

```sh
skep run deploy -i host=web-1
```
"#,
};
/// An input was given that the workflow does not declare.
pub const INPUT_NOT_DECLARED: Code = Code {
    id: "SKEP-C051",
    title: "an input was given that the workflow does not declare",
    page: r#"Values that nothing reads are refused, because they are almost always typing errors.

**Why it happens:** A typing error, or the workflow changed.

**What to do:** Use one of the names that the hint lists.

```sh
skep run deploy -i host=web-1
```
"#,
};
/// A value does not fit the input.
pub const INPUT_VALUE: Code = Code {
    id: "SKEP-C052",
    title: "a value does not fit the input",
    page: r#"The value that was given does not match the input's declared type, choices or pattern.

**Why it happens:** Lists can be written with commas (`-i hosts=web-1,web-2`) or as JSON, objects as JSON, booleans as `true` and `false`.

**What to do:** Give a value of the declared type.

```sh
skep run deploy -i replicas=3 -i hosts=web-1,web-2
```
"#,
};
