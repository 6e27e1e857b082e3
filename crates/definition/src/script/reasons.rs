//! Why an expression cannot stand where it stands, and how to write it.

use super::codes;

/// A place where a value would not be expanded, or would be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    SingleQuotes,
    QuotedDocument,
    Arithmetic,
    Subscript,
    Declaration,
    IntegerVariable,
    VariableName,
    Evaluated,
    ProgramText,
    Trap,
    Pattern,
    Backticks,
    InnerQuotes,
    DocumentMark,
    Backslash,
    Unclear,
}

impl Reason {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::SingleQuotes => codes::SINGLE_QUOTES,
            Self::QuotedDocument => codes::QUOTED_DOCUMENT,
            Self::Arithmetic | Self::Subscript | Self::Declaration | Self::IntegerVariable | Self::VariableName => {
                codes::ARITHMETIC
            }
            Self::Evaluated | Self::ProgramText | Self::Trap => codes::EVALUATED,
            Self::Pattern => codes::PATTERN,
            Self::Backticks => codes::BACKTICKS,
            Self::InnerQuotes | Self::DocumentMark | Self::Backslash | Self::Unclear => codes::UNCLEAR,
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::SingleQuotes => "inside single quotes the shell expands nothing, so the value cannot stand here",
            Self::QuotedDocument => "inside a here-document with a quoted mark the shell expands nothing",
            Self::Arithmetic => "the shell would evaluate the value as arithmetic, which can run commands",
            Self::Subscript => {
                "the shell would evaluate the value as the subscript of an array, which can run commands"
            }
            Self::Declaration => "the shell would interpret the value as part of a declaration",
            Self::IntegerVariable => "the variable is declared as an integer, so the shell would evaluate the value",
            Self::VariableName => "the shell would take the value as the name of a variable, which can run commands",
            Self::Evaluated => "the shell would run the value as commands",
            Self::ProgramText => "the value would become part of a program's text",
            Self::Trap => "the shell would run the value as commands when the trap fires",
            Self::Pattern => "unquoted in a pattern, it is unclear whether the value is meant as text or as a pattern",
            Self::Backticks => "inside backticks the shell reads the text twice",
            Self::InnerQuotes => "quotes inside a quoted `${..}` mean different things in different shells",
            Self::DocumentMark => "the mark of a here-document is not expanded by the shell",
            Self::Backslash => "a backslash before it would stop the shell from expanding the value",
            Self::Unclear => "it is unclear where this stands, because a quote or bracket before it is never closed",
        }
    }

    /// How to write it; `expression` is the whole `${{ .. }}`.
    pub(super) fn hint(self, expression: &str) -> String {
        match self {
            Self::SingleQuotes => {
                format!(
                    "end the quotes around it: 'before '{expression}' after', or use double quotes: \"{expression}\""
                )
            }
            Self::QuotedDocument => {
                format!(
                    "set a variable before, `X={expression}`, and take the quotes off the mark; or read `$SKEP_INPUTS`"
                )
            }
            Self::Arithmetic | Self::Subscript | Self::IntegerVariable => format!(
                "compute in the expression, or check first: `N={expression}; case $N in ''|*[!0-9]*) exit 2;; esac`, then use N"
            ),
            Self::Declaration => format!("assign first, `X={expression}`, then declare: `declare -r X`"),
            Self::VariableName => "name the variable in the script itself".to_owned(),
            Self::Evaluated => format!("call the command itself with the value as an argument: `command {expression}`"),
            Self::ProgramText => {
                format!("hand it over as an argument: `bash -c 'echo \"$1\"' _ {expression}`; or through `env:`")
            }
            Self::Trap => format!("set a variable, `X={expression}`, and write `trap 'rm -- \"$X\"' EXIT`"),
            Self::Pattern => {
                format!("for the text itself write \"{expression}\"; for a pattern set `P={expression}` and write $P")
            }
            Self::Backticks => format!("write `$(command {expression})` instead of backticks"),
            Self::InnerQuotes => format!("leave the inner quotes out: \"${{VAR:-{expression}}}\""),
            Self::DocumentMark => "write the mark as plain text: `<<END`".to_owned(),
            Self::Backslash => format!("take the backslash away; for the characters themselves write `${expression}`"),
            Self::Unclear => "close the quote or bracket, or set a variable at the top of the script".to_owned(),
        }
    }
}
