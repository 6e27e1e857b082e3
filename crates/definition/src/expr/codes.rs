//! Codes of expressions, with their pages.

use skep_model::code::Code;

/// The grammar is violated.
pub const SYNTAX: &str = "SKEP-E001";
/// `${{` without its end.
pub const OPEN: &str = "SKEP-E002";
/// No filter, method, test or function of that name.
pub const UNKNOWN_OPERATION: &str = "SKEP-E003";
/// Arguments that an operation does not take, or lacks.
pub const ARGUMENTS: &str = "SKEP-E004";
/// Too long, too deep, too many operands.
pub const SIZE: &str = "SKEP-E005";
/// A name that the workflow does not have.
pub const UNKNOWN_NAME: &str = "SKEP-E006";
/// A key or position that the value does not have.
pub const MISSING: &str = "SKEP-E007";
/// Null where a value is needed.
pub const NULL: &str = "SKEP-E008";
/// A value of the wrong kind.
pub const KIND: &str = "SKEP-E009";
/// A condition that is neither true nor false.
pub const CONDITION: &str = "SKEP-E010";
/// A number that cannot be.
pub const NUMBER: &str = "SKEP-E011";
/// More data or operations than one expression may handle.
pub const BUDGET: &str = "SKEP-E012";
/// A value that must be fetched first.
pub const NEEDS: &str = "SKEP-E013";

/// Every code of this module.
pub const ALL: &[Code] = &[
    Code {
        id: SYNTAX,
        title: "The expression is not written correctly",
        page: "\
An expression follows the grammar of Jinja expressions: names with `.name` or `['name']`, texts in quotes, \
`and`, `or`, `not`, `==`, `A if CONDITION else B`, filters after `|`. Operators of other languages (`&&`, `||`, `!`, `? :`) \
have words here.

Example: `${{ inputs.environment == 'production' and not inputs.dry_run }}`.",
    },
    Code {
        id: OPEN,
        title: "An expression is never closed",
        page: "\
`${{` begins an expression and `}}` ends it; here the end is missing.

To write the three characters themselves, put a `$` before them: `$${{` gives `${{`. A `$` directly before an expression \
is written as an expression too: `${{ '$' }}${{ inputs.price }}`.",
    },
    Code {
        id: UNKNOWN_OPERATION,
        title: "No filter, method, test or function has this name",
        page: "\
Operations are filters (`value | upper`), methods (`value.get('key')`), tests (`value is none`) and \
functions (`success()`). The hint names the nearest one, or how the name is used where it exists in another form.

Example: not `length(inputs.hosts)` but `inputs.hosts | length`.",
    },
    Code {
        id: ARGUMENTS,
        title: "An operation lacks an argument or does not take one",
        page: "\
The hint shows how the operation is written; arguments in brackets may be left out. Arguments can be \
given by position or by name.

Example: `inputs.rows | join(', ', attribute='id')`.",
    },
    Code {
        id: SIZE,
        title: "The expression is too long or nests too deeply",
        page: "\
An expression has at most 8 KiB, 20 levels of brackets, 32 of operations, and 256 operands or entries in one row. Larger ones are data, not \
decisions: put data into `vars` or an input, and compute in a step.

This limit also keeps a hostile definition from exhausting the machine that reads it.",
    },
    Code {
        id: UNKNOWN_NAME,
        title: "The workflow has no such name",
        page: "\
An expression can use `inputs`, `steps`, `vars`, `env`, `execution`, `item`, `index`, `event`, `errors` and, in a \
step's own `outputs`, `stdout`, `stderr`, `exit_code` and `json`. A name that does not exist is an error even where the \
expression would not reach it, because names are known before anything runs.

Example: `steps.bulid.outputs.image` where the step is called `build`.",
    },
    Code {
        id: MISSING,
        title: "A value has no such key or position",
        page: "\
Keys of JSON values are only known when the expression is evaluated. A missing one is an error, never an \
empty text.

If it may be missing, ask first: `'image' in json`, `json.image is defined`, or give a value for that case: \
`json.get('image', 'none')`, `json.image | default('none')`.",
    },
    Code {
        id: NULL,
        title: "Null where a value is needed",
        page: "\
Null has no keys and no text. The outputs of a skipped step are null, so is `json` of a step whose output is \
not JSON, and `error` of a step that did not fail.

Ask first, `steps.build.error is none`, or give a value for that case: `steps.build.outputs.image | default('none')`.",
    },
    Code {
        id: KIND,
        title: "A value of the wrong kind",
        page: "\
Kinds are never converted silently: a text and a number have no order and no sum, a list has no names.

Example: `inputs.count > 3` where `count` is a text is written `(inputs.count | int) > 3`; anything is joined as text with \
`~`: `'n=' ~ inputs.n`.",
    },
    Code {
        id: CONDITION,
        title: "A condition is neither true nor false",
        page: "\
`if`, `when`, `while` and `until` need a boolean. A text, a number, a list or null is not taken for one, because \
the text 'false' would count as true.

Write the comparison: `inputs.mode == 'fast'`, `inputs.n > 0`, `inputs.hosts | length > 0`, `x is not none`. The whole \
condition stands in one expression: `${{ a == 'x' }}`, not `${{ a }} == 'x'`.",
    },
    Code {
        id: NUMBER,
        title: "A number that cannot be",
        page: "\
A division by zero, a whole number beyond 64 bits, or a result that is not finite. Numbers never wrap around \
and never become infinite.

Example: `inputs.total // inputs.count if inputs.count != 0 else 0`.",
    },
    Code {
        id: BUDGET,
        title: "The expression asks for too much data or work",
        page: "\
One evaluation may handle 64 MiB of data, run 100,000 operations and give 16 MiB of text. A hostile or careless \
expression ends here instead of taking the memory of the engine.

Do the work in a step: its memory and time are its own, and its result is kept.",
    },
    Code {
        id: NEEDS,
        title: "A value must be fetched first",
        page: "\
The value lies in the blob store. This is no mistake of the definition: the engine fetches the value and evaluates \
the expression again. If you see this code in an answer, Skep has a fault; please report it with the definition.",
    },
];
