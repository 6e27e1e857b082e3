//! Which programs a script calls: behind `sudo` and `xargs`, in `$(..)`, in `bash -c ".."` and `eval`, in a
//! here-document for a shell, at the other end of `ssh`.
//!
//! This module must not know which of them are dangerous or missing. What is expanded at run time is not known: a
//! program whose name is, is left out.

use super::lexer::Lexer;
use super::said::{Said, Spoken};
use super::shells::{Evaluator, base_name, evaluator, family};

/// How deep scripts in scripts are read; deeper ones are no longer written by people.
const DEPTH_MAX: usize = 6;
/// Calls that are listed; a script of 1 MiB could have a hundred times as many.
const INVOCATIONS_MAX: usize = 5_000;

/// A call of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// As it is written: a name or a path.
    pub program: String,
    /// The words after it, without what is expanded in them.
    pub skeletons: Vec<String>,
    /// What it reads, as far as it is written down: here-documents, here-strings, what `echo` pipes to it.
    pub texts: Vec<String>,
    /// Behind `sudo` or `doas`.
    pub privileged: bool,
    /// On another machine.
    pub remote: bool,
    /// False if a variable decides which word names the program.
    pub certain: bool,
    /// Bytes of the outermost script.
    pub start: usize,
    pub end: usize,
}

impl Invocation {
    /// The program without its folder.
    pub fn name(&self) -> &str {
        base_name(&self.program)
    }
}

/// What a script calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    pub invocations: Vec<Invocation>,
    /// Functions and aliases that the script defines.
    pub functions: Vec<String>,
    /// Files that output goes to, each with its place.
    pub targets: Vec<(String, usize, usize)>,
    /// Words of the form `NAME=VALUE`, assignments and options, with their places; a value that is expanded is empty.
    pub assignments: Vec<(String, String, usize, usize)>,
    /// From this byte on it is not certain what is a command.
    pub unclear_from: usize,
}

/// Surveys a script for the interpreter `shell`; `None` if that is no shell.
pub(crate) fn survey(script: &str, shell: &str) -> Option<Survey> {
    family(shell)?;
    let mut survey = Survey { unclear_from: usize::MAX, ..Survey::default() };
    let mut walk = Walk { survey: &mut survey, shell: shell.to_owned() };
    walk.script(script, None, Context { depth: 0, privileged: false, remote: false, certain: true });
    Some(survey)
}

/// Where a command stands.
#[derive(Clone, Copy)]
struct Context {
    depth: usize,
    privileged: bool,
    remote: bool,
    certain: bool,
}

struct Walk<'a> {
    survey: &'a mut Survey,
    shell: String,
}

impl Walk<'_> {
    /// Reads a script; `place` is where its text stands in the outermost one, if it is not that one itself.
    fn script(&mut self, text: &str, place: Option<(usize, usize)>, context: Context) {
        let Some(family) = family(&self.shell).filter(|_| context.depth < DEPTH_MAX) else { return };
        let mut lexer = Lexer::new(text, family);
        lexer.read();
        if context.depth == 0 {
            self.survey.unclear_from = lexer.unclear_from;
        }
        self.survey.functions.append(&mut lexer.functions);
        for (start, inner) in &lexer.substituted {
            let at = place.unwrap_or((*start, *start + inner.len() + 2));
            self.script(inner, Some(at), Context { depth: context.depth + 1, ..context });
        }
        for said in &lexer.said {
            let bounds = said.words.first().map_or(0, |first| first.start);
            let end = said.words.last().map_or(bounds, |last| last.end);
            let at = place.unwrap_or((bounds, end));
            let targets = said.targets.iter().map(|target| (target.clone(), at.0, at.1));
            self.survey.targets.extend(targets);
            let assigned = said.words.iter().filter_map(|word| {
                let (name, value) = word.text().split_once('=')?;
                let value = if word.literal.is_some() { value } else { "" };
                Some((name.to_owned(), value.to_owned(), at.0, at.1))
            });
            self.survey.assignments.extend(assigned);
            let texts = texts_of(said, &lexer.said);
            let words: Vec<Spoken> = said.words.iter().skip_while(|word| word.assigns).cloned().collect();
            self.command(&words, &texts, at, context);
        }
    }

    /// A command, and the one that it runs if it is a wrapper.
    fn command(&mut self, words: &[Spoken], texts: &[String], at: (usize, usize), context: Context) {
        let Some((program, arguments)) = words.split_first() else { return };
        if self.survey.invocations.len() >= INVOCATIONS_MAX || context.depth >= DEPTH_MAX {
            return;
        }
        let deeper = Context { depth: context.depth + 1, ..context };
        let Some(name) = program.literal.as_deref() else {
            // `$SUDO rm`: without a value the next word is the program.
            if program.skeleton.is_empty() && program.plain {
                self.command(arguments, texts, at, Context { certain: false, ..deeper });
            }
            return;
        };
        if name.is_empty() {
            return;
        }
        if name == "alias" {
            let defined = arguments.iter().filter_map(|word| word.text().split_once('='));
            self.survey.functions.extend(defined.map(|(name, _)| name.to_owned()));
        }
        self.survey.invocations.push(Invocation {
            program: name.to_owned(),
            skeletons: arguments.iter().map(|word| word.skeleton.clone()).collect(),
            texts: texts.to_vec(),
            privileged: context.privileged,
            remote: context.remote,
            certain: context.certain,
            start: at.0,
            end: at.1,
        });
        self.inside(base_name(name), arguments, texts, at, deeper);
    }

    /// What the command runs in its turn.
    fn inside(&mut self, name: &str, arguments: &[Spoken], texts: &[String], at: (usize, usize), context: Context) {
        let joined = |words: &[Spoken]| words.iter().map(Spoken::text).collect::<Vec<_>>().join(" ");
        match name {
            "eval" => self.script(&joined(arguments), Some(at), context),
            "trap" => {
                let text = arguments.iter().find(|word| !word.text().starts_with('-'));
                if let Some(text) = text {
                    self.script(text.text(), Some(at), context);
                }
            }
            "ssh" => {
                let command = operands_from(arguments, "bcDEeFIiJLlmOopQRSWw", 1);
                let remote = Context { remote: true, ..context };
                self.script(&joined(command), Some(at), remote);
                for text in texts {
                    self.script(text, Some(at), remote);
                }
            }
            "find" => self.found(arguments, at, context),
            _ => {
                if let Some((options, operands)) = wrapper(name) {
                    let privileged = context.privileged || matches!(name, "sudo" | "doas");
                    let rest = operands_from(arguments, options, operands);
                    let rest: &[Spoken] = &rest[rest.iter().take_while(|word| is_assignment(word.text())).count()..];
                    self.command(rest, &[], at, Context { privileged, ..context });
                }
                self.program_text(name, arguments, texts, at, context);
            }
        }
    }

    /// `-exec COMMAND ;`.
    fn found(&mut self, arguments: &[Spoken], at: (usize, usize), context: Context) {
        let is_exec = |word: &Spoken| matches!(word.text(), "-exec" | "-execdir" | "-ok" | "-okdir");
        for (index, _) in arguments.iter().enumerate().filter(|(_, word)| is_exec(word)) {
            let rest = &arguments[index + 1..];
            let end = rest.iter().position(|word| matches!(word.text(), ";" | "+")).unwrap_or(rest.len());
            self.command(&rest[..end], &[], at, context);
        }
    }

    /// `bash -c TEXT`, `su -c TEXT`, and what a shell without a file reads.
    fn program_text(
        &mut self,
        name: &str,
        arguments: &[Spoken],
        texts: &[String],
        at: (usize, usize),
        context: Context,
    ) {
        if evaluator(name) != Some(Evaluator::Shell) {
            return;
        }
        let option = arguments.iter().position(|word| Evaluator::Shell.takes_text_after(word.text()));
        if let Some(option) = option {
            if let Some(text) = arguments[option + 1..].iter().find(|word| !word.text().starts_with(['-', '+'])) {
                self.script(text.text(), Some(at), context);
            }
        } else if arguments.iter().all(|word| word.text().starts_with(['-', '+'])) {
            for text in texts {
                self.script(text, Some(at), context);
            }
        }
    }
}

/// Here-documents and here-strings, and the words that `echo` or `printf` pipes to the command.
fn texts_of(said: &Said, all: &[Said]) -> Vec<String> {
    let mut texts = said.texts.clone();
    let Some(from) = said.from.and_then(|from| all.get(from)) else { return texts };
    let name = from.words.first().and_then(|first| first.literal.as_deref()).map(base_name);
    match name {
        Some("echo" | "printf") => {
            let words = from.words[1..].iter().map(Spoken::text).filter(|word| !word.starts_with('-'));
            texts.push(words.collect::<Vec<_>>().join(" "));
        }
        Some("cat") => texts.extend(from.texts.iter().cloned()),
        Some(_) | None => {}
    }
    texts
}

/// A command that runs the command behind its options: the letters of its options that take a value, and how many
/// operands come before that command.
fn wrapper(name: &str) -> Option<(&'static str, usize)> {
    Some(match name {
        "sudo" => ("ugphCrtUDRT", 0),
        "doas" => ("uC", 0),
        "env" => ("uCS", 0),
        "nice" | "ionice" => ("ncp", 0),
        "timeout" => ("sk", 1),
        "nohup" | "setsid" | "builtin" | "time" => ("", 0),
        "exec" => ("a", 0),
        "command" => ("", 0),
        "stdbuf" => ("ioe", 0),
        "xargs" => ("IinPLldsEea", 0),
        "watch" => ("n", 0),
        "chroot" => ("", 1),
        "flock" => ("wE", 1),
        _ => return None,
    })
}

/// The words from the first one that is no option on, past `operands` of these.
fn operands_from<'w>(words: &'w [Spoken], with_value: &str, operands: usize) -> &'w [Spoken] {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.text();
        if text == "--" {
            at += 1;
            break;
        }
        if !text.starts_with('-') || text == "-" {
            break;
        }
        let takes_next = !text.starts_with("--")
            && text.chars().last().is_some_and(|letter| with_value.contains(letter))
            && text.len() == 2;
        at += if takes_next { 2 } else { 1 };
    }
    let skipped = words.get(at..).unwrap_or_default();
    let assignments = skipped.iter().take_while(|word| is_assignment(word.text())).count();
    skipped.get(assignments + operands..).unwrap_or_default()
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| super::lexer::is_name(name))
}

/// Commands that a shell has in itself.
const BUILTINS: &[&str] = &[
    ".",
    ":",
    "[",
    "alias",
    "autoload",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "cd",
    "chdir",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disown",
    "echo",
    "emulate",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fc",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "integer",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "noglob",
    "popd",
    "print",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "select",
    "set",
    "setopt",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "time",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
    "whence",
];

/// True if every shell, or the one that is meant, has the command in itself. A reserved word in the place of a command
/// counts too: it belongs to syntax that the lexer did not see through.
pub(crate) fn is_builtin(name: &str) -> bool {
    let reserved = ["in", "do", "done", "then", "else", "elif", "fi", "esac", "function", "{", "}", "!", "[[", "]]"];
    BUILTINS.contains(&name) || reserved.contains(&name) || matches!(name, "if" | "while" | "until" | "for" | "case")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(script: &str) -> Vec<String> {
        let found = survey(script, "bash").unwrap();
        let shown = |call: &Invocation| {
            let marks = format!("{}{}", if call.privileged { "!" } else { "" }, if call.remote { "@" } else { "" });
            format!("{marks}{} {}", call.program, call.skeletons.join(" ")).trim_end().to_owned()
        };
        found.invocations.iter().map(shown).collect()
    }

    #[test]
    fn calls_are_found_wherever_they_stand() {
        for (script, expect) in [
            ("rm -rf x", &["rm -rf x"][..]),
            ("A=1 B=2 make -j4 && ./ship.sh || echo no", &["make -j4", "./ship.sh", "echo no"]),
            ("sudo -u root rm -r /srv", &["sudo -u root rm -r /srv", "!rm -r /srv"]),
            ("env A=1 nice -n 5 make", &["env A=1 nice -n 5 make", "nice -n 5 make", "make"]),
            ("timeout 5 curl x", &["timeout 5 curl x", "curl x"]),
            ("ls | xargs -n 1 rm -rf", &["ls", "xargs -n 1 rm -rf", "rm -rf"]),
            ("bash -c 'rm -rf x; ls'", &["bash -c rm -rf x; ls", "rm -rf x", "ls"]),
            ("x=$(rm -rf \"$A\")", &["rm -rf"]),
            ("x=`rm -rf y`", &["rm -rf y"]),
            ("echo \"rm -rf /\"", &["echo rm -rf /"]),
            ("echo 'rm -rf /' | sh", &["echo rm -rf /", "sh", "rm -rf /"]),
            ("find . -name '*.o' -exec rm -rf {} \\;", &["find . -name *.o -exec rm -rf {} ;", "rm -rf {}"]),
            ("ssh -p 22 web-1 'rm -rf /srv'", &["ssh -p 22 web-1 rm -rf /srv", "@rm -rf /srv"]),
            ("bash <<'EOF'\nrm -rf x\nEOF\n", &["bash", "rm -rf x"]),
            ("cat <<EOF\nrm -rf x\nEOF\n", &["cat"]),
            ("if grep -q x f; then git pull; fi", &["grep -q x f", "git pull"]),
            ("for f in a b; do wc \"$f\"; done", &["wc"]),
            ("case $x in a) ls;; esac", &["ls"]),
            ("f() { jq .; }\nf", &["jq .", "f"]),
            ("$SUDO x; \"$A\" y", &["x"]),
            ("# rm -rf x\n", &[]),
            ("trap 'rm -rf \"$T\"' EXIT", &["trap rm -rf \"$T\" EXIT", "rm -rf"]),
        ] {
            assert_eq!(calls(script), expect, "{script}");
        }
    }

    #[test]
    fn what_a_script_defines_and_writes_to_is_known() {
        let found = survey("f() { true; }\nfunction g { true; }\nalias h='ls'\necho x > /dev/sda\n", "bash").unwrap();
        assert_eq!(found.functions, ["f", "g", "h"]);
        assert_eq!(found.targets.iter().map(|(target, ..)| target.as_str()).collect::<Vec<_>>(), ["/dev/sda"]);
        assert!(survey("import os", "python").is_none());
        assert!(is_builtin("[") && is_builtin("cd") && !is_builtin("rm"));
    }

    #[test]
    fn documents_belong_to_their_command() {
        let found = survey("cat <<A; psql <<B\nfirst\nA\nDROP TABLE x;\nB\n", "bash").unwrap();
        let texts: Vec<&[String]> = found.invocations.iter().map(|call| call.texts.as_slice()).collect();
        assert_eq!(texts, [&["first\n".to_owned()][..], &["DROP TABLE x;\n".to_owned()]]);
    }
}
