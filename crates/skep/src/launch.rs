//! What a start takes from the caller's surroundings: the definition's text, the directory, the environment.

use std::io::Read;
use std::path::Path;

use skep_api::local::failure_of;
use skep_api::wire::{Class, Failure, Source};
use skep_model::Map;
use skep_model::limits::DEFINITION_BYTES_MAX;

use crate::context::bad_request;

/// Variables of the caller that every execution gets; those that begin with `LC_` too.
const PASSED: [&str; 5] = ["PATH", "HOME", "USER", "LANG", "TZ"];
/// Bytes read of a file or of standard input: more than any definition, input or payload may have.
const READ_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// True if `text` names a file: by its ending, by `./` or `/` at its beginning, or as `-` for standard input.
pub fn is_file(text: &str) -> bool {
    let ending = [".yaml", ".yml", ".json"].iter().any(|ending| text.ends_with(ending));
    ending || text == "-" || text.starts_with("./") || text.starts_with('/')
}

/// The definition that `workflow` names: a file's text, or an entry of the library.
///
/// # Errors
/// A file that cannot be read.
pub fn source(workflow: &str) -> Result<Source, Failure> {
    if !is_file(workflow) {
        return Ok(Source::Library { name: workflow.to_owned(), version: None });
    }
    Ok(Source::Text { text: read_definition(workflow)?, file: Some(file_label(workflow)) })
}

/// What a file is called in messages.
pub fn file_label(file: &str) -> String {
    if file == "-" { "(standard input)".to_owned() } else { file.to_owned() }
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// A file that is not there, too large, or not UTF-8.
pub fn read_text(file: &str) -> Result<String, Failure> {
    let bytes = read_bytes(file)?;
    String::from_utf8(bytes).map_err(|error| unreadable(file, &error.utf8_error()))
}

fn unreadable(file: &str, error: &dyn std::fmt::Display) -> Failure {
    let message = format!("reading {} failed: {error}", file_label(file));
    let hint = format!("it must be UTF-8 text of at most {READ_BYTES_MAX} bytes");
    Failure::new("SKEP-N010", Class::User, message, hint)
}

fn read_bytes(file: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => std::io::stdin().lock().take(READ_BYTES_MAX + 1).read_to_end(&mut bytes),
        path => std::fs::File::open(path).and_then(|opened| opened.take(READ_BYTES_MAX + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|error| unreadable(file, &error))?;
    if bytes.len() as u64 > READ_BYTES_MAX {
        return Err(unreadable(file, &"it is too large"));
    }
    Ok(bytes)
}

/// Reads a definition. One that is no text, or over the limit, is refused here, before it is sent anywhere, with
/// the same report as any other bad definition.
///
/// # Errors
/// A file that is not there; a definition that is not UTF-8 or too large.
pub fn read_definition(file: &str) -> Result<String, Failure> {
    let bytes = read_bytes(file)?;
    match String::from_utf8(bytes) {
        Ok(text) if text.len() <= DEFINITION_BYTES_MAX => Ok(text),
        Ok(text) => Err(bad_definition(file, text.as_bytes())),
        Err(broken) => Err(bad_definition(file, broken.as_bytes())),
    }
}

fn bad_definition(file: &str, bytes: &[u8]) -> Failure {
    let problems = skep_definition::load::load_bytes(bytes).problems;
    let text = String::from_utf8_lossy(bytes).into_owned();
    failure_of(&skep_node::Error::InvalidDefinition { file: Some(file_label(file)), text, problems })
}

/// The base directory: `--workdir`, else the current one for a file, else none for a name.
///
/// # Errors
/// A directory that is not there.
pub fn base_dir(workdir: Option<&Path>, workflow: &str) -> Result<Option<String>, Failure> {
    let directory = match workdir {
        Some(directory) => directory,
        None if is_file(workflow) => Path::new("."),
        None => return Ok(None),
    };
    let shown = directory.display();
    let absolute = directory.canonicalize().map_err(|error| {
        bad_request(&format!("the working directory {shown} cannot be used: {error}"), "name one with `--workdir DIR`")
    })?;
    let text = absolute.to_str().map(ToOwned::to_owned);
    let text = text.ok_or_else(|| bad_request(&format!("the working directory {shown} is not UTF-8"), "rename it"))?;
    Ok(Some(text))
}

/// What of the caller's environment the execution gets: the usual few, and those that `--pass-env` names.
///
/// # Errors
/// A named variable that is not set.
pub fn environment(
    variables: impl Iterator<Item = (String, String)>,
    named: &[String],
) -> Result<Map<String>, Failure> {
    let is_passed = |name: &str| PASSED.contains(&name) || name.starts_with("LC_") || named.iter().any(|n| n == name);
    let mut passed: Map<String> = variables.filter(|(name, _)| is_passed(name)).collect();
    passed.sort_unstable_keys();
    match named.iter().find(|name| !passed.contains_key(*name)) {
        Some(name) => {
            Err(bad_request(&format!("`--pass-env {name}`: the variable is not set"), "set it, or leave it out"))
        }
        None => Ok(passed),
    }
}

/// The variables of this process that are UTF-8; others cannot be handed on.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_names_are_told_apart() {
        for (text, file) in [
            ("a.yaml", true),
            ("dir/a.yml", true),
            ("a.json", true),
            ("./a", true),
            ("/a", true),
            ("-", true),
            ("a", false),
            ("dir/a", false),
            ("a.yaml.bak", false),
            ("../a", false),
        ] {
            assert_eq!(is_file(text), file, "{text}");
        }
    }

    #[test]
    fn only_the_usual_and_the_named_variables_are_passed() {
        let variables = || [("PATH", "/bin"), ("LC_ALL", "C"), ("TOKEN", "x"), ("OTHER", "y")];
        let owned = || variables().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let names = |named: &[&str]| {
            let named: Vec<String> = named.iter().map(ToString::to_string).collect();
            environment(owned(), &named).map(|passed| passed.keys().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(&[]).unwrap(), "LC_ALL PATH");
        assert_eq!(names(&["TOKEN"]).unwrap(), "LC_ALL PATH TOKEN");
        assert_eq!(names(&["NOPE"]).unwrap_err().message, "`--pass-env NOPE`: the variable is not set");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read_text("./no-such-file.yaml").unwrap_err();
        assert!(error.message.starts_with("reading ./no-such-file.yaml failed: "), "{error}");
    }

    #[test]
    fn a_name_has_no_base_directory_unless_one_is_given() {
        assert_eq!(base_dir(None, "deploy").unwrap(), None);
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(base_dir(None, "a.yaml").unwrap().as_deref(), here.to_str());
        assert_eq!(base_dir(Some(Path::new("/")), "deploy").unwrap().as_deref(), Some("/"));
    }
}
