//! Error codes of the spellings of the seeds.

use skep_model::code::Code;

/// A key that the spelling does not have.
pub(super) const UNKNOWN_KEY: &str = "SKEP-D101";
/// A key of another spelling.
pub(super) const MIXED: &str = "SKEP-D102";
/// A value of the wrong shape.
pub(super) const SHAPE: &str = "SKEP-D103";
/// A transition backwards.
pub(super) const BACKWARDS: &str = "SKEP-D104";
/// A transition to a step that is not there.
pub(super) const UNKNOWN_TARGET: &str = "SKEP-D105";
/// Two things that say different things about one.
pub(super) const CONFLICT: &str = "SKEP-D106";
/// `config` does not say what its type needs.
pub(super) const CONFIG: &str = "SKEP-D107";
/// A value that never applies.
pub(super) const OVERLAID: &str = "SKEP-D108";
/// A step that no path reaches.
pub(super) const UNREACHABLE: &str = "SKEP-D109";

/// Every code of this module with its page.
pub const ALL: &[Code] = &[
    Code {
        id: UNKNOWN_KEY,
        title: "A key that this spelling does not have",
        page: "\
Skep reads three spellings: the canonical one, JSON templates (steps with `command` and `parameters`) and \
library files (`metadata`, steps with `type` and `config`). Which one a file uses is seen from its shape. In a \
template or a library file there is a key that this spelling does not have; it would have no effect, so it is \
refused instead of being ignored.

The message names the key that was probably meant. `skep convert FILE` writes a file in the canonical spelling, \
which has all keys.",
    },
    Code {
        id: MIXED,
        title: "Two spellings in one file",
        page: "\
One file uses one spelling. The message names a key, the spelling it belongs to and the spelling of the file, \
for example `run` (canonical) in a step of a JSON template, or `command` (template) in a step of a library file.

Write the whole file in one spelling. In a template `command` and `parameters` stand for `uses` and `with`; in \
a library file the canonical keys of a step go into its `config`:

    - name: build
      type: action
      config: {run: make}",
    },
    Code {
        id: SHAPE,
        title: "A value has the wrong shape for this spelling",
        page: "\
A key of a template or a library file holds something that cannot be read: `timeout_seconds` that is not a \
number above 0, `max_retries` that is not a whole number from 0, `approval_required` that is not true or false, \
`metadata`, `config`, `conditions` or `parameters` that is not a mapping, a step type other than action, \
decision, parallel and loop. The message says what was expected.",
    },
    Code {
        id: BACKWARDS,
        title: "A transition leads backwards",
        page: "\
`conditions.success` and `conditions.failure` of a library file lead to a later step of the same list. A way \
back would be a loop without a limit, so loops are written as what they are:

    - name: until_it_works
      type: loop
      config:
        while: ${{ steps.probe.outputs.json.ready != true }}
        max_iterations: 50
        steps:
          - {name: probe, type: action, config: {run: ./probe.sh}}

To repeat a single step that fails, use `retry` in its `config`.",
    },
    Code {
        id: UNKNOWN_TARGET,
        title: "A transition leads to a step that is not there",
        page: "\
`conditions.success` and `conditions.failure` of a library file name a later step of the same list, or are the \
word `next_step`. No step of the list has the name. `conditions.failure` may also name an action of \
`error_handling.fallback_actions`: then the failure is not handled by a step, and the fallback runs because the \
execution is about to fail.

Correct the name (the message names the nearest one), add the step, or list the name under `fallback_actions`.",
    },
    Code {
        id: CONFLICT,
        title: "Two keys say different things about the same",
        page: "\
In a template or a library file two keys give two answers to one question: `rollback_parameters` without a \
`rollback_command`, `conditions.failure` beside `config.on_error`, `error_handling.retry_strategy` beside \
`defaults.retry`, a `name` inside `config`, two ways to say what a loop runs over. Keep one of them.",
    },
    Code {
        id: CONFIG,
        title: "The config of a library step does not say what its type needs",
        page: "\
What `config` holds depends on the step's `type`:

    action    run | uses + with | agent | ai | approval | wait .., and the common keys
    decision  {condition, then: [steps], else: [steps]}, or {value, cases: {..}, default: [..]};
              {condition} alone, when `conditions` says where a yes and a no lead
    parallel  {branches: [{name, steps}], join}
    loop      {over | items | while | until | times, steps, max_parallel}",
    },
    Code {
        id: OVERLAID,
        title: "A step's parameter never applies",
        page: "\
In a JSON template the parameters of an execution overlay those of the steps, and the template's own \
`parameters` give their defaults. Where the template declares a parameter with a default (or as required) and \
a step has another value under the same key, the step's value is never used. This is a warning.

Remove the value of the step, or the default of the template.",
    },
    Code {
        id: UNREACHABLE,
        title: "No transition leads to a step of a library file",
        page: "\
The steps of a library file follow each other unless `conditions` say otherwise: `success: deploy` leads to \
`deploy` and past everything between. A step that every path leads past never runs. This is a warning; the step \
becomes `if: ${{ false }}`.

Name the step in `conditions` of a step before it, write `next_step` there, or remove it.",
    },
];
