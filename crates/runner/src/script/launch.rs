//! What process a script takes.
//!
//! | `shell` | command |
//! |---|---|
//! | `bash` | `bash --noprofile --norc -eo pipefail -c TEXT` |
//! | `sh` | `sh -e -c TEXT` |
//! | `python` | `python3 FILE` |
//! | `node` | `node FILE` |
//! | any other | `INTERPRETER FILE` |
//!
//! A text over [`TEXT_BYTES_MAX`] goes through a file for shells too. The environment is exactly the script's, its
//! values and `SKEP_*`; nothing is inherited. A value over `SCRIPT_VALUE_BYTES_MAX`, or past
//! [`VALUES_BYTES_MAX`] of all, lies in a file, and a prelude on the first line sets an unexported variable.
//! `$SKEP_INPUTS` is written for every script, since any program that a script calls may want it.

use std::path::{Path, PathBuf};

use skep_model::effect::{Script, Task};
use skep_model::error::{Failure, Kind};
use skep_model::limits::SCRIPT_VALUE_BYTES_MAX;

use crate::codes;
use crate::spawner::{Order, find_program};

/// A text up to this size, in bytes, is an argument (Linux allows 128 KiB for one; the prelude needs room).
const TEXT_BYTES_MAX: usize = 100 * 1024;
/// Values up to this many bytes together are environment variables: arguments and environment share 2 MiB.
const VALUES_BYTES_MAX: usize = 512 * 1024;
/// Linux's bound of one `NAME=value` with its final NUL, in bytes.
const VARIABLE_BYTES_MAX: usize = 128 * 1024;

/// What a process can have as arguments and environment at the very most, in bytes: the kernel takes a quarter of the
/// stack's limit (2 MiB as a rule), but never more than this.
const ARGUMENTS_BYTES_MAX: usize = 6 * 1024 * 1024;

/// A script, ready to be handed to the spawner.
#[derive(Debug)]
pub(crate) struct Launch {
    /// What the spawner is asked.
    pub order: Order,
    /// The folder of this delivery, made just before the script is released.
    pub scratch: PathBuf,
    /// Its files: name and content.
    pub files: Vec<(String, String)>,
}

/// How an interpreter takes its text.
enum Interpreter {
    Shell { program: &'static str, options: &'static [&'static str] },
    File { program: String, name: &'static str },
}

impl Interpreter {
    fn named(shell: &str) -> Self {
        match shell {
            "bash" => Self::Shell { program: "bash", options: &["--noprofile", "--norc", "-eo", "pipefail"] },
            "sh" => Self::Shell { program: "sh", options: &["-e"] },
            "python" => Self::File { program: "python3".to_owned(), name: "script.py" },
            "node" => Self::File { program: "node".to_owned(), name: "script.js" },
            other => Self::File { program: other.to_owned(), name: "script" },
        }
    }

    fn program(&self) -> &str {
        match self {
            Self::Shell { program, .. } => program,
            Self::File { program, .. } => program,
        }
    }
}

impl Launch {
    /// The launch of `script`, with its scratch folder under `runtime_dir`. An error if its interpreter does not
    /// exist or a text cannot reach a process.
    pub fn of(task: &Task, script: &Script, runtime_dir: &Path) -> Result<Self, Failure> {
        check_texts(script)?;
        let scratch = runtime_dir.join(task.token.as_str());
        let interpreter = Interpreter::named(&script.shell);
        let program = program(&interpreter, script)?;
        let mut files = vec![(INPUTS_FILE.to_owned(), script.inputs.to_string())];
        let (small, large) = divide(script);
        let is_shell = matches!(interpreter, Interpreter::Shell { .. });
        if !large.is_empty() && !is_shell {
            return Err(too_large(script, large[0]));
        }
        let text = with_prelude(script, &large, &scratch)?;
        for name in large {
            files.push((format!("value-{name}"), script.values[name].clone()));
        }
        let argv = arguments(&interpreter, text, &scratch, &mut files);
        let environment = environment(task, script, &small, &scratch)?;
        check_total(&argv, &environment)?;
        let order = Order { program, directory: script.working_dir.clone(), argv, environment };
        Ok(Self { order, scratch, files })
    }
}

const INPUTS_FILE: &str = "inputs.json";

fn check_texts(script: &Script) -> Result<(), Failure> {
    let unusable = |what: &str, name: &str| {
        let message = format!("{what} {name:?} of the script holds a NUL character, which no process can be given");
        Failure::new(Kind::Invalid, codes::UNUSABLE_TEXT, message)
            .with_hint("remove the NUL, or read the value from the file $SKEP_INPUTS")
    };
    for (name, value) in script.values.iter().chain(&script.env) {
        if value.contains('\0') {
            return Err(unusable("the value", name));
        }
        if name.is_empty() || name.contains(['\0', '=']) {
            let message = format!("{name:?} cannot be the name of an environment variable");
            return Err(Failure::new(Kind::Invalid, codes::UNUSABLE_TEXT, message)
                .with_hint("a name has at least one character and neither `=` nor NUL"));
        }
    }
    for (what, text) in [("the text", &script.text), ("working_dir", &script.working_dir), ("shell", &script.shell)] {
        if text.contains('\0') {
            return Err(unusable("the field", what));
        }
    }
    Ok(())
}

fn program(interpreter: &Interpreter, script: &Script) -> Result<String, Failure> {
    let name = interpreter.program();
    let path = script.env.get("PATH").map(String::as_str);
    let found = find_program(name, path, Path::new(&script.working_dir));
    found.map(|program| program.to_string_lossy().into_owned()).ok_or_else(|| {
        let where_from = path.map_or_else(|| "the default search path".to_owned(), |path| format!("PATH={path}"));
        Failure::new(
            Kind::NotFound,
            codes::INTERPRETER_MISSING,
            format!("the interpreter `{name}` of the script was not found in {where_from}"),
        )
        .with_hint(format!(
            "install `{name}`, name its path in `shell`, or hand a PATH that has it with --pass-env or `env`"
        ))
    })
}

/// Names of the values that fit the environment, and of those that need a file.
fn divide(script: &Script) -> (Vec<&str>, Vec<&str>) {
    let mut total = 0;
    script.values.iter().map(|(name, value)| (name.as_str(), value.len())).fold(
        (Vec::new(), Vec::new()),
        |(mut small, mut large), (name, size)| {
            if size <= SCRIPT_VALUE_BYTES_MAX && total + size <= VALUES_BYTES_MAX {
                total += size;
                small.push(name);
            } else {
                large.push(name);
            }
            (small, large)
        },
    )
}

fn too_large(script: &Script, name: &str) -> Failure {
    let size = script.values[name].len();
    let message = format!("a value of {size} bytes is too large for the environment of a `{}` script", script.shell);
    Failure::new(Kind::Invalid, codes::UNUSABLE_TEXT, message)
        .with_hint("read it from the file $SKEP_INPUTS, or write it with the `file` action and pass the path")
}

/// The text with the assignments of its large values before it, on its first line so that line numbers in the
/// interpreter's messages stay true. A substitution drops final newlines, so a `.` guards them; `.` is never
/// part of a longer character, whatever the script's locale.
fn with_prelude(script: &Script, large: &[&str], scratch: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    for name in large {
        let cat = find_program("cat", None, Path::new("/")).ok_or_else(|| too_large(script, name))?;
        let file = quoted(&scratch.join(format!("value-{name}")).to_string_lossy());
        let cat = quoted(&cat.to_string_lossy());
        text.push_str(&format!("{name}=$({cat} {file} && printf .); {name}=${{{name}%.}}; "));
    }
    text.push_str(&script.text);
    Ok(text)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn arguments(
    interpreter: &Interpreter,
    text: String,
    scratch: &Path,
    files: &mut Vec<(String, String)>,
) -> Vec<String> {
    let mut argv = vec![interpreter.program().to_owned()];
    let file_name = match interpreter {
        Interpreter::Shell { options, .. } => {
            argv.extend(options.iter().map(|option| (*option).to_owned()));
            if text.len() <= TEXT_BYTES_MAX {
                argv.extend(["-c".to_owned(), text]);
                return argv;
            }
            "script.sh"
        }
        Interpreter::File { name, .. } => name,
    };
    argv.push(scratch.join(file_name).to_string_lossy().into_owned());
    files.push((file_name.to_owned(), text));
    argv
}

fn environment(task: &Task, script: &Script, small: &[&str], scratch: &Path) -> Result<Vec<String>, Failure> {
    let inputs = scratch.join(INPUTS_FILE);
    let inputs = inputs.to_string_lossy();
    let (attempt, key) = (task.attempt.to_string(), task.idempotency_key());
    let own = [
        ("SKEP_EXECUTION_ID", task.execution.as_str()),
        ("SKEP_STEP", &task.path),
        ("SKEP_ATTEMPT", &attempt),
        ("SKEP_IDEMPOTENCY_KEY", &key),
        (crate::kill::TOKEN_VARIABLE, task.token.as_str()),
        ("SKEP_INPUTS", &inputs),
    ];
    let is_free = |name: &str| !script.values.contains_key(name) && own.iter().all(|(taken, _)| *taken != name);
    let given =
        script.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(name, _)| is_free(name));
    let values = small.iter().map(|name| (*name, script.values[*name].as_str()));
    given.chain(values).chain(own).map(|(name, value)| variable(name, value)).collect()
}

fn variable(name: &str, value: &str) -> Result<String, Failure> {
    let line = format!("{name}={value}");
    if line.len() < VARIABLE_BYTES_MAX {
        return Ok(line);
    }
    let message = format!("the environment variable {name:?} has {} bytes and Linux allows 128 KiB", line.len());
    Err(Failure::new(Kind::Invalid, codes::UNUSABLE_TEXT, message)
        .with_hint("pass a path instead, or read the value from the file $SKEP_INPUTS"))
}

fn check_total(argv: &[String], environment: &[String]) -> Result<(), Failure> {
    let total: usize = argv.iter().chain(environment).map(|text| text.len() + 1).sum();
    if total <= ARGUMENTS_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the environment of the script has {total} bytes and Linux allows 6 MiB at the very most");
    Err(Failure::new(Kind::Invalid, codes::UNUSABLE_TEXT, message)
        .with_hint("read large values from the file $SKEP_INPUTS"))
}

#[cfg(test)]
mod tests;
