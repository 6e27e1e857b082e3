//! Codes of dependencies and of names in expressions.

use skep_model::code::Code;

/// `depends_on` names a step that does not exist.
pub const DEPENDENCY_UNKNOWN: Code = Code {
    id: "SKEP-C001",
    title: "`depends_on` names a step that does not exist",
    page: r#"A name under `depends_on` is the id of no step of the workflow.

**Why it happens:** Ids are compared letter by letter, and a step without `id` gets the slug of its `name` (`Build image` becomes `build-image`).

**What to do:** Write the id of a step of the same list.

```yaml
order: graph
steps:
  - {id: build, run: make}
  - {id: test, run: make test, depends_on: [build]}
```
"#,
};
/// Steps wait for each other.
pub const DEPENDENCY_CYCLE: Code = Code {
    id: "SKEP-C002",
    title: "steps wait for each other",
    page: r#"Following `depends_on` leads back to the step where it began, so none of these steps could ever start.

**Why it happens:** Most often one of the edges points the wrong way: `depends_on` names what must end first, not what comes next.

**What to do:** Remove or turn around one edge of the cycle that the message names. What repeats is a loop: `while`, `repeat`, `foreach`.

```yaml
- {id: build, run: make}
- {id: test, run: make test, depends_on: [build]}
```
"#,
};
/// `depends_on` names a step of another list.
pub const DEPENDENCY_OUTSIDE: Code = Code {
    id: "SKEP-C003",
    title: "`depends_on` names a step of another list",
    page: r#"A step can wait for the steps that stand in its own list. What encloses the list has waited already, and what stands inside another step is waited for by naming that step.

**Why it happens:** The step moved into a branch, a case or a loop, or out of one, and its `depends_on` stayed as it was.

**What to do:** Put `depends_on` on the enclosing step, and name the step of that list.

```yaml
order: graph
steps:
  - {id: build, run: make}
  - id: rollout
    depends_on: [build]
    foreach: ${{ inputs.hosts }}
    steps: [{id: deploy, run: ./deploy.sh}]
```
"#,
};
/// `depends_on` in a list that runs one after another.
pub const DEPENDENCY_IN_SEQUENCE: Code = Code {
    id: "SKEP-C004",
    title: "`depends_on` in a list that runs one after another",
    page: r#"Steps run one after another unless their list says `order: graph`. In a graph, steps without `depends_on` start at once.

**Why it happens:** Without this rule a single `depends_on` would make the rest of the list parallel by accident.

**What to do:** Say `order: graph` beside `steps`, and give each step what it waits for; or remove `depends_on`, if the order of the text is meant.

```yaml
order: graph
steps:
  - {id: build, run: make}
  - {id: test, run: make test, depends_on: [build]}
```
"#,
};
/// Two steps have the same id.
pub const STEP_TWICE: Code = Code {
    id: "SKEP-C005",
    title: "two steps have the same id",
    page: r#"Ids are unique in a workflow, also across branches, cases, loops and `finally`: expressions, logs and `--step` name steps by id.

**Why it happens:** A step was copied, or two steps without `id` have names with the same slug.

**What to do:** Give one of them another id.

```yaml
- {id: test-unit, run: make test}
- {id: test-browser, run: make browser}
```
"#,
};
/// An expression names an input that is not declared.
pub const INPUT_UNKNOWN: Code = Code {
    id: "SKEP-C006",
    title: "an expression names an input that is not declared",
    page: r#"`inputs.NAME` is known only if `inputs:` of the workflow declares NAME.

**Why it happens:** A typing error, or the input was never declared.

**What to do:** Declare it, or write the name of one that is.

```yaml
inputs:
  host: {type: string, required: true}
steps:
  - {id: ping, run: 'ping -c1 "${{ inputs.host }}"'}
```
"#,
};
/// An expression names a step that does not exist.
pub const STEP_UNKNOWN: Code = Code {
    id: "SKEP-C007",
    title: "an expression names a step that does not exist",
    page: r#"`steps.ID` is known only if a step of the workflow has that id.

**Why it happens:** A typing error, or the step was renamed.

**What to do:** Write the id of a step.

```yaml
- {id: build, run: ./build.sh}
- {id: show, run: 'echo "${{ steps.build.outputs.stdout }}"'}
```
"#,
};
/// An expression names a step that cannot be seen from there.
pub const STEP_HIDDEN: Code = Code {
    id: "SKEP-C008",
    title: "an expression names a step that cannot be seen from there",
    page: r#"A list of steps sees what encloses it, not what stands beside it: a step inside a loop runs many times and is seen outside only through the loop's results; another branch runs at the same time; another case does not run at all.

**Why it happens:** The expression moved out of the loop, branch or case that it spoke about.

**What to do:** For a loop, use `steps.LOOP.outputs.results`: a list of `{status, outputs}` in item order, where `outputs` has the step's id as key. For branches and cases, use the value in a step after the construct.

```yaml
- id: each
  foreach: ${{ inputs.hosts }}
  steps: [{id: probe, run: ./probe.sh}]
- {id: show, uses: log, with: {message: "${{ steps.each.outputs.results[0].outputs.probe.stdout }}"}}
```
"#,
};
/// An expression names a step that has not ended by then.
pub const STEP_NOT_YET: Code = Code {
    id: "SKEP-C009",
    title: "an expression names a step that has not ended by then",
    page: r#"The step that is named runs later, at the same time, or only at the end, so it has no outputs when the expression is evaluated.

**Why it happens:** In a sequence, only what stands above has ended. In a graph, only what `depends_on` names, directly or through others.

**What to do:** Move the step up, or in a graph add it to `depends_on`.

```yaml
order: graph
steps:
  - {id: build, run: ./build.sh}
  - {id: ship, depends_on: [build], run: './ship.sh "${{ steps.build.outputs.stdout }}"'}
```
"#,
};
/// An expression names an output that the step does not have.
pub const OUTPUT_UNKNOWN: Code = Code {
    id: "SKEP-C010",
    title: "an expression names an output that the step does not have",
    page: r#"A script has the outputs `stdout`, `stderr`, `exit_code` and `json`; a step with `outputs:` has exactly the names written there; an approval has `approved`, `by`, `comment`; a form has its fields; a loop has `results`.

**Why it happens:** A typing error, or the step names its outputs and this one is not among them.

**What to do:** Write one of the names that the hint lists, or add the name under the step's `outputs`.

```yaml
- id: build
  run: ./build.sh
  outputs: {image: "${{ json.image }}"}
- {id: ship, run: './ship.sh "${{ steps.build.outputs.image }}"'}
```
"#,
};
/// An expression names a field that does not exist.
pub const FIELD_UNKNOWN: Code = Code {
    id: "SKEP-C011",
    title: "an expression names a field that does not exist",
    page: r#"A step has `outputs`, `status` and `error`; `execution` has `id`, `workflow`, `status` and `started_at`.

**Why it happens:** Most often `outputs` was left out: `steps.build.image` instead of `steps.build.outputs.image`.

**What to do:** Write one of these fields.

```yaml
if: ${{ steps.build.status == 'completed' }}
```
"#,
};
/// `item` or `index` outside a loop.
pub const ITEM_OUTSIDE_LOOP: Code = Code {
    id: "SKEP-C012",
    title: "`item` or `index` outside a loop",
    page: r#"`item` is the current item of the nearest `foreach`, `index` the number of the current round of the nearest loop, from 0.

**Why it happens:** The step stands outside the loop, or the loop is a `while` or `repeat`, which have no items.

**What to do:** Move the step into the loop; in `while` and `repeat` use `index`.

```yaml
- id: each
  foreach: ${{ inputs.hosts }}
  steps:
    - {id: ping, run: 'ping -c1 "${{ item }}"'}
```
"#,
};
/// A step's own result outside its `outputs`.
pub const OWN_OUTPUT_OUTSIDE: Code = Code {
    id: "SKEP-C013",
    title: "a step's own result outside its `outputs`",
    page: r#"`stdout`, `stderr`, `exit_code`, `json` and an action's own outputs can be named without `steps.ID.outputs` only under `outputs:` of that step: elsewhere it would not be clear whose they are.

**Why it happens:** The expression stands in another key or another step.

**What to do:** Write `steps.ID.outputs.NAME`.

```yaml
- {id: build, run: ./build.sh, outputs: {image: "${{ json.image }}"}}
- {id: show, run: 'echo "${{ steps.build.outputs.image }}"'}
```
"#,
};
/// An expression names a variable that is not declared.
pub const VARIABLE_UNKNOWN: Code = Code {
    id: "SKEP-C014",
    title: "an expression names a variable that is not declared",
    page: r#"`vars.NAME` is known only if `vars:` of the workflow declares NAME.

**Why it happens:** A typing error, or it was meant to be an input.

**What to do:** Declare it under `vars`, or write the name of one that is.

```yaml
vars: {registry: registry.example.org}
steps:
  - {id: pull, run: 'docker pull "${{ vars.registry }}/app"'}
```
"#,
};
/// An expression begins with a name that does not exist there.
pub const NAME_UNKNOWN: Code = Code {
    id: "SKEP-C015",
    title: "an expression begins with a name that does not exist there",
    page: r#"Expressions know `inputs`, `steps`, `item`, `index`, `event`, `execution`, `errors`, `secrets`, `vars` and `env`. Some places know fewer: `vars` and `env` of the workflow are evaluated without steps, for example.

**Why it happens:** A typing error, or a word that was meant as text and lacks its quotes.

**What to do:** Write one of the known names; put text in quotes.

```yaml
if: ${{ inputs.environment == 'production' }}
```
"#,
};
