//! Codes of undoing, limits across executions, and checks of results.

use skep_model::code::Code;

/// A step cannot be the compensation of another one.
pub const COMPENSATION_STEP_INVALID: Code = Code {
    id: "SKEP-C060",
    title: "a step cannot be the compensation of another one",
    page: r#"`compensation_step` names a step that runs only when the other one has failed; the flow passes it by. So it stands in the same list, does work (`run` or `uses`), waits for nothing, and nothing waits for it.

**Why it happens:** The step is also a part of the usual flow: it has `depends_on`, an `if`, an `on_error` of its own, or a transition leads to it. Or `on_error: compensate` stands in `finally`, which runs after everything has been undone.

**What to do:** Give the compensation a step of its own beside the one that fails, with nothing but its work. What undoes one step belongs into that step's `rollback`.

```yaml
- {id: switch_over, run: ./switch.sh, on_error: {strategy: compensate, compensation_step: switch_back}}
- {id: switch_back, run: ./switch.sh --back}
```
"#,
};
/// Two keys of a step contradict each other.
pub const CONTRADICTION: Code = Code {
    id: "SKEP-C061",
    title: "two keys of a step contradict each other",
    page: r#"`irreversible: true` says that nothing undoes the step, `rollback` says how to undo it. `on_unknown: verify` asks the step's `verify`, so there has to be one.

**Why it happens:** One of the two keys was left over, or is still missing.

**What to do:** Remove one, or add what is missing.

```yaml
- {id: pay, run: ./pay.sh, on_unknown: verify, verify: {run: ./is-paid.sh}}
```
"#,
};
/// `output_schema` is no JSON Schema.
pub const SCHEMA_INVALID: Code = Code {
    id: "SKEP-C062",
    title: "`output_schema` is no JSON Schema",
    page: r#"The schema (draft 2020-12) describes the step's outputs as one object. It is compiled before the start and without a network, so it refers to nothing outside; patterns are linear-time (no look-around, no back-references).

**Why it happens:** A keyword has a value of the wrong type, or `$ref` names a page on the web.

**What to do:** Mend the keyword that the message names; write what is referred to under `$defs`.

```yaml
- id: probe
  run: ./probe.sh
  outputs: {ready: "${{ json.ready }}"}
  output_schema: {type: object, required: [ready], properties: {ready: {type: boolean}}}
```
"#,
};
/// A concurrency group cannot be as written.
pub const GROUP_INVALID: Code = Code {
    id: "SKEP-C063",
    title: "a concurrency group cannot be as written",
    page: r#"`concurrency` lets only so many run at a time. `cancel_old` cancels a whole execution, so it belongs to the `concurrency` of a workflow. On a step a group needs a name, because a limit without one would be shared by nobody.

**Why it happens:** A workflow's `concurrency` was copied to a step.

**What to do:** Write `queue`, `skip` or `fail` on a step, and name the group.

```yaml
- {id: migrate, run: ./migrate.sh, concurrency: {group: database, limit: 1, when_full: queue}}
```
"#,
};
/// A child workflow cannot be called as written.
pub const CHILD_INVALID: Code = Code {
    id: "SKEP-C064",
    title: "a child workflow cannot be called as written",
    page: r#"Which workflow a step calls is known before the start: `name` and `version` hold no expression, so that a missing workflow is found at once and not half-way.

**Why it happens:** The name was meant to come from an input.

**What to do:** Choose with `switch`, one case per workflow. The child's `inputs` may hold expressions.

```yaml
- id: notify
  workflow: {name: maintenance/notify, inputs: {severity: "${{ inputs.severity }}"}}
```
"#,
};
/// A success criterion is no condition.
pub const CRITERION_INVALID: Code = Code {
    id: "SKEP-C065",
    title: "a success criterion is no condition",
    page: r#"A criterion is a text with a condition over the step's own outputs and everything that the step sees.

**Why it happens:** The list holds a number, or YAML read `true` without quotes.

**What to do:** Write a condition.

```yaml
- {id: count, run: ./count.sh, success_criteria: ["${{ json.count > 0 }}"]}
```
"#,
};
