//! Which interpreters are shells, and which words run other programs' text.

/// A family of shells with the same rules of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// bash: everything.
    Bash,
    /// sh, dash, ash, busybox, yash: what POSIX says, `sh` may also be bash.
    Posix,
    /// ksh, mksh, zsh: `test` and `[` evaluate arithmetic too.
    Korn,
}

/// The family of an interpreter named as in `shell:` (`bash`, `/bin/sh`, `bash -e`); `None` for all others.
pub(super) fn family(shell: &str) -> Option<Family> {
    match base_name(shell.split_whitespace().next().unwrap_or(shell)) {
        "bash" | "rbash" => Some(Family::Bash),
        "sh" | "dash" | "ash" | "busybox" | "yash" | "posh" => Some(Family::Posix),
        "ksh" | "ksh93" | "mksh" | "pdksh" | "oksh" | "zsh" => Some(Family::Korn),
        _ => None,
    }
}

/// The last part of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How a program takes program text as an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evaluator {
    /// `-c TEXT`, also joined with other letters: `-lc`.
    Shell,
    /// `-c TEXT` or `-cTEXT`.
    Python,
    /// `-e TEXT`, `-E`, `-p`, `-r`, `--eval`, also joined with other letters: `-ne`.
    Script,
}

/// The evaluator that a word of a command names.
pub(super) fn evaluator(word: &str) -> Option<Evaluator> {
    let name = base_name(word).trim_end_matches(|end: char| end.is_ascii_digit() || end == '.');
    match name {
        "su" | "runuser" | "fish" | "csh" | "tcsh" => Some(Evaluator::Shell),
        "python" | "pypy" => Some(Evaluator::Python),
        "perl" | "ruby" | "node" | "nodejs" | "bun" | "php" | "lua" | "osascript" => Some(Evaluator::Script),
        _ => family(word).map(|_| Evaluator::Shell),
    }
}

impl Evaluator {
    /// True if the word after `option` is program text.
    pub(super) fn takes_text_after(self, option: &str) -> bool {
        let letters = option.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        match self {
            Self::Shell => option == "--command" || letters.is_some_and(|letters| letters.contains('c')),
            Self::Python => letters.is_some_and(|letters| letters.ends_with('c')),
            Self::Script => {
                matches!(option, "--eval" | "--print" | "--run")
                    || letters.is_some_and(|letters| letters.ends_with(['e', 'E', 'p', 'r']))
            }
        }
    }

    /// True if a word that begins with `start` holds program text itself.
    pub(super) fn is_text_itself(self, start: &str) -> bool {
        match self {
            Self::Shell => start.starts_with("--command="),
            Self::Python => start.starts_with("-c"),
            Self::Script => start.starts_with("-e") || start.starts_with("-r") || start.starts_with("--eval="),
        }
    }
}

/// Words before a command that leave it the command.
pub(super) fn is_wrapper(word: &str) -> bool {
    matches!(
        base_name(word),
        "command"
            | "builtin"
            | "exec"
            | "time"
            | "nohup"
            | "env"
            | "sudo"
            | "doas"
            | "nice"
            | "setsid"
            | "noglob"
            | "nocorrect"
    )
}

/// Words whose commands do not begin where they seem to.
pub(super) fn is_unclear(word: &str, family: Family) -> bool {
    word == "coproc" || (word == "repeat" && family == Family::Korn)
}

/// Commands whose operands are names of variables, which the shell evaluates.
pub(super) fn takes_names(command: &str) -> bool {
    matches!(command, "read" | "mapfile" | "readarray" | "getopts")
}

/// Reserved words after which a command begins.
pub(super) fn is_opening(word: &str) -> bool {
    matches!(word, "if" | "then" | "else" | "elif" | "do" | "while" | "until" | "!" | "{" | "}" | "fi" | "done")
}
