//! JSON Schema validators as Skep uses them: draft 2020-12, formats on, linear patterns, nothing fetched.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

/// Compiled size of one pattern in bytes. A counted repetition of a counted repetition ends here.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// Compiles a schema. `Err` is one sentence that says what is wrong with it.
pub fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX))
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| error.to_string())
}
