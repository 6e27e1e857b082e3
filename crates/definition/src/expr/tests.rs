//! Tables: expression, names, expected value or message.

use std::sync::Arc;

use serde_json::{Value, json};
use skep_model::ids::Hash;
use skep_model::payload::BlobRef;

use super::{Error, Names, Reference, Scope, ScopeError, StatusFlags, Template};

mod errors;
mod grammar;
mod hostile;
mod random;
mod templates;

/// A scope over one JSON object; counts what it is asked.
pub(crate) struct World {
    values: Value,
    asked: Vec<Vec<String>>,
    status: StatusFlags,
    needs: Option<(&'static str, BlobRef)>,
}

impl World {
    fn of(values: Value) -> Self {
        Self { values, asked: Vec::new(), status: StatusFlags::default(), needs: None }
    }
}

impl Scope for World {
    fn resolve(&mut self, reference: &Reference) -> Result<Value, ScopeError> {
        self.asked.push(reference.path.clone());
        if let Some((name, blob)) = self.needs
            && reference.path.contains(&name.to_owned())
        {
            return Err(ScopeError::NeedsBlob(blob));
        }
        let mut value = &self.values;
        for part in &reference.path {
            value = value.get(part).ok_or_else(|| ScopeError::Unknown {
                message: format!("there is no `{}`", reference.path.join(".")),
                hint: None,
            })?;
        }
        Ok(value.clone())
    }

    fn status(&self) -> StatusFlags {
        self.status
    }
}

fn world() -> World {
    World::of(json!({
        "inputs": {
            "n": 3, "big": 18_446_744_073_709_551_615_u64, "name": "web", "env": "production", "flag": true,
            "nothing": null, "hosts": ["a", "b", "c"], "float": 2.5, "empty": [], "numbers": [3, 1, 2],
            "map": {"z": 1, "a": {"b": [10, 20]}, "dash-key": 5, "null": null},
            "rows": [{"id": 2, "ok": true}, {"id": 1, "ok": false}], "text": "3", "my-input": "hyphen", "a": 10, "b": 4
        },
        "steps": {
            "build": {"status": "completed", "error": null,
                      "outputs": {"image": "app:1", "json": {"image": "app:1", "list": [{"k": 1}]}, "my-out": 7}},
            "my-step": {"status": "failed", "error": {"kind": "exit"}, "outputs": {"x": 1}}
        },
        "item": {"name": "n1"}, "index": 0, "json": {"image": "i"}, "stdout": "out"
    }))
}

fn names() -> Names {
    Names::new(["my-step", "my-input", "my-out", "my", "plain"])
}

fn compile(text: &str) -> Template {
    Template::compile(&Value::from(format!("${{{{ {text} }}}}")), &names())
        .unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

fn evaluate(text: &str) -> Result<Value, Error> {
    compile(text).evaluate(&mut world())
}

/// What an expression gives.
fn check(text: &str, expected: Value) {
    match evaluate(text) {
        Ok(value) => assert_eq!(value.to_string(), expected.to_string(), "{text}"),
        Err(error) => panic!("{text}: {error:?}"),
    }
}

fn shown(source: &str, error: &Error) -> String {
    let place = &source[error.offset..(error.offset + error.length).min(source.len())];
    let hint = error.hint.as_deref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    format!("{} at `{place}`: {}{hint}", error.code, error.message)
}

/// How a failing expression is shown, at compile time or when evaluated.
fn failure(text: &str) -> String {
    let source = format!("${{{{ {text} }}}}");
    let errors = match Template::compile(&Value::from(source.clone()), &names()) {
        Err(errors) => errors,
        Ok(template) => match template.evaluate(&mut world()) {
            Err(error) => vec![error],
            Ok(value) => panic!("{text} gave {value}"),
        },
    };
    errors.iter().map(|error| shown(&source, error)).collect::<Vec<_>>().join("\n")
}

fn blob() -> BlobRef {
    BlobRef { blob: Hash::of(b"x"), size_bytes: 1 }
}

#[test]
fn templates_are_shared_between_threads() {
    fn sendable<T: Send + Sync + Clone>(_: &T) {}
    let template = compile("inputs.n + 1");
    sendable(&template);
    let shared = Arc::new(template);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let template = shared.clone();
            std::thread::spawn(move || template.evaluate(&mut world()))
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().unwrap(), json!(4));
    }
}
