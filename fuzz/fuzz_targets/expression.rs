//! Any text is a template: an error with its place, or a value or an error when it is evaluated.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use skep_definition::expr::{Names, Reference, Scope, ScopeError, StatusFlags, Template};

static WORLD: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "inputs": {"n": 3, "name": "web", "hosts": ["a", "b"], "float": 2.5, "map": {"a": {"b": [1]}}, "my-input": 1},
        "steps": {"a": {"outputs": {"stdout": "1\n2", "json": null}, "status": "completed"}},
        "item": "x", "index": 0, "true": true,
    })
});
static NAMES: LazyLock<Names> = LazyLock::new(|| Names::new(["my-input"]));

struct World;

impl Scope for World {
    fn resolve(&mut self, reference: &Reference) -> Result<Value, ScopeError> {
        let mut value = &*WORLD;
        for part in &reference.path {
            let unknown = || ScopeError::Unknown { message: format!("there is no `{part}`"), hint: None };
            value = value.get(part).ok_or_else(unknown)?;
        }
        Ok(value.clone())
    }

    fn status(&self) -> StatusFlags {
        StatusFlags::default()
    }
}

fuzz_target!(|text: &str| {
    for compiled in [Template::compile_text(text, &NAMES), Template::compile_condition(text, &NAMES)] {
        match compiled {
            Ok(template) => {
                let (once, again) = (template.evaluate(&mut World), template.evaluate(&mut World));
                assert_eq!(once.ok(), again.ok(), "evaluating twice gives the same");
            }
            Err(errors) => assert!(!errors.is_empty(), "a refusal says why"),
        }
    }
});
