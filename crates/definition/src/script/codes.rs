//! Codes of values in scripts, with their pages.

use skep_model::code::Code;

/// Inside `'..'` and `$'..'`.
pub const SINGLE_QUOTES: &str = "SKEP-S001";
/// Inside `<<'END'`.
pub const QUOTED_DOCUMENT: &str = "SKEP-S002";
/// Where the shell evaluates arithmetic, subscripts or names of variables.
pub const ARITHMETIC: &str = "SKEP-S003";
/// After `eval`, `-c`, `trap` and their like.
pub const EVALUATED: &str = "SKEP-S004";
/// Unquoted in a pattern.
pub const PATTERN: &str = "SKEP-S005";
/// In a script of an interpreter that is no shell.
pub const OTHER_INTERPRETER: &str = "SKEP-S006";
/// Inside backticks.
pub const BACKTICKS: &str = "SKEP-S007";
/// Where the state of the shell is not certain.
pub const UNCLEAR: &str = "SKEP-S008";
/// In a comment (warning).
pub const COMMENT: &str = "SKEP-S009";
/// As the name of a command (warning).
pub const COMMAND_NAME: &str = "SKEP-S010";
/// Handed to an interpreter (warning).
pub const HANDED_ON: &str = "SKEP-S011";
/// `${{` without its end.
pub const OPEN: &str = "SKEP-S012";

/// Every code of this module.
pub const ALL: &[Code] = &[
    Code {
        id: SINGLE_QUOTES,
        title: "An expression inside single quotes",
        page: "\
Inside single quotes the shell expands nothing, and a value is handed to a script only as a variable that the shell \
expands.

End the quotes around it, `'before '${{ inputs.x }}' after'`, or use double quotes: `\"before ${{ inputs.x }} after\"`. \
Bare, `${{ inputs.x }}` is always one word, whatever the value holds.",
    },
    Code {
        id: QUOTED_DOCUMENT,
        title: "An expression inside a here-document with a quoted mark",
        page: "\
With a quoted mark (`<<'END'`, `<<\"END\"`, `<<\\END`) the shell expands nothing in the document.

Take the quotes off the mark and write a backslash before each `$` that is meant literally, or set a variable before \
the document, or read the JSON file `$SKEP_INPUTS`.",
    },
    Code {
        id: ARITHMETIC,
        title: "An expression where the shell evaluates arithmetic or names",
        page: "\
In `$((..))`, `((..))`, `let`, array subscripts, `declare`, and beside `-eq -lt ..` in `[[ ]]` the shell does not \
take a value as it is: it evaluates it, and an array subscript inside a value can run commands.

Compute in the expression itself, `${{ inputs.n + 1 }}`, or check the value first: \
`N=${{ inputs.n }}; case $N in ''|*[!0-9]*) exit 2;; esac; echo $((N + 1))`. To compare, `[ ${{ inputs.n }} -eq 3 ]` is \
safe in bash and sh.",
    },
    Code {
        id: EVALUATED,
        title: "An expression that would be run as commands",
        page: "\
After `eval`, `trap`, `alias`, and after `-c` or `-e` of an interpreter, text is run as a program. A value there \
would be program text, which a value never becomes.

Hand it over as an argument: `bash -c 'echo \"$1\"' _ ${{ inputs.x }}`, `python3 -c 'import sys; print(sys.argv[1])' \
${{ inputs.x }}`; or through `env:`.",
    },
    Code {
        id: PATTERN,
        title: "An unquoted expression in a pattern",
        page: "\
In a pattern of `case`, beside `==`, `!=` or `=~` in `[[ ]]`, and in `${VAR#..}`, quotes decide whether a value is \
text or a pattern, so they must be written.

For the text itself: `\"${{ inputs.x }}\"`. For a pattern: `P=${{ inputs.x }}`, then `$P`.",
    },
    Code {
        id: OTHER_INTERPRETER,
        title: "An expression in a script that is not a shell's",
        page: "\
Only for shells it is known how a value is placed without becoming program text. Scripts of python, node and all \
other interpreters get values through `env:` or through the JSON file `$SKEP_INPUTS`.

Example: `env: {NAME: \"${{ inputs.name }}\"}` and `os.environ[\"NAME\"]`.",
    },
    Code {
        id: BACKTICKS,
        title: "An expression inside backticks",
        page: "\
The shell reads the text inside backticks twice and takes backslashes off between, so quotes there do not mean \
what they show.

Write `$(command ${{ inputs.x }})`, which can stand inside itself and inside quotes.",
    },
    Code {
        id: UNCLEAR,
        title: "It is unclear where an expression stands",
        page: "\
A quote, a bracket or a here-document before the expression is never closed, nests too deeply, or means different \
things in different shells. Skep places a value only where it is certain how the shell will read it.

Close it, or set variables at the top of the script, `X=${{ inputs.x }}`, and use `\"$X\"` below.",
    },
    Code {
        id: COMMENT,
        title: "An expression in a comment",
        page: "\
Comments are not read by the shell, so the expression is ignored: no variable is set for it, and the name in it is \
not checked.

Write `$${{` in comments, or take it out.",
    },
    Code {
        id: COMMAND_NAME,
        title: "A value decides which program runs",
        page: "\
The value is one word and is not evaluated, but it names the program. Whoever gives the value chooses among all \
programs of the machine.

If only some are meant, choose with `case`, or give the input an `enum`.",
    },
    Code {
        id: HANDED_ON,
        title: "Another program reads the value as commands",
        page: "\
`ssh` joins its arguments and lets the shell of the other machine read them; an interpreter that reads a \
here-document or a here-string takes it as its program. This shell cannot protect the value there.

Hand it over as data: `printf '%s' ${{ inputs.x }} | ssh host 'cat > file'`, or an argument after `bash -s --`.",
    },
    Code {
        id: OPEN,
        title: "An expression in a script is never closed",
        page: "\
`${{` begins an expression and `}}` ends it; here the end is missing.

To write the three characters themselves, put a `$` before them: `$${{` gives `${{`.",
    },
];
