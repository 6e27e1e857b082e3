//! `skep explain`: what an error code means.

use clap::Args;
use serde_json::{Value, json};
use skep_definition::suggest::nearest;
use skep_model::code::Code;

use super::Outcome;
use crate::context::{Context, bad_request};
use crate::{exit, output};

/// Explain an error code: what it means and how to mend it
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep explain SKEP-D001")]
pub struct Arguments {
    /// The code, such as SKEP-D001
    #[arg(required_unless_present = "all")]
    code: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with = "code")]
    all: bool,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let codes = all();
    match &arguments.code {
        None => context.answer(&codes.iter().map(value).collect(), || list(&codes)),
        Some(wanted) => {
            let code = find(&codes, wanted).ok_or_else(|| {
                let known = nearest(&wanted.to_uppercase(), codes.iter().map(|code| code.id));
                let hint = known.map_or_else(
                    || "`skep explain --all` lists them".to_owned(),
                    |known| format!("did you mean {known}? `skep explain --all` lists all codes"),
                );
                bad_request(&format!("no error code `{wanted}`"), &hint)
            })?;
            context.answer(&value(&code), || page(&code));
        }
    }
    Ok(exit::OK)
}

/// Every list of codes of this program.
fn lists() -> [&'static [Code]; 10] {
    [
        skep_definition::codes::ALL,
        skep_definition::dialect::CODES,
        skep_definition::builder::CODES,
        skep_definition::check::codes::ALL,
        skep_definition::script::codes::ALL,
        skep_definition::expr::codes::ALL,
        skep_node::codes::ENGINE,
        skep_node::codes::RUNNER_CODES,
        skep_node::codes::STORE,
        skep_node::codes::ALL,
    ]
}

/// Every code of this program, sorted.
pub fn all() -> Vec<Code> {
    let mut codes: Vec<Code> = lists().concat();
    codes.sort_by_key(|code| code.id);
    codes.dedup_by_key(|code| code.id);
    codes
}

/// `SKEP-D001`, `skep-d001` or `D001`.
fn find(codes: &[Code], wanted: &str) -> Option<Code> {
    let upper = wanted.to_uppercase();
    let id = if upper.starts_with("SKEP-") { upper } else { format!("SKEP-{upper}") };
    codes.iter().find(|code| code.id == id).copied()
}

fn value(code: &Code) -> Value {
    json!({ "code": code.id, "title": code.title, "page": code.page })
}

fn page(code: &Code) -> String {
    format!("{}: {}\n\n{}", output::paint(output::Paint::Strong, code.id), code.title, code.page)
}

fn list(codes: &[Code]) -> String {
    let rows: Vec<Vec<String>> = codes.iter().map(|code| vec![code.id.to_owned(), code.title.to_owned()]).collect();
    output::table(&["CODE", "MEANS"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_found_in_any_spelling() {
        let codes = all();
        assert_eq!(codes.len(), lists().iter().map(|list| list.len()).sum::<usize>());
        for wanted in ["SKEP-D001", "skep-d001", "d001"] {
            assert_eq!(find(&codes, wanted).map(|code| code.id), Some("SKEP-D001"), "{wanted}");
        }
        assert!(find(&codes, "SKEP-Z999").is_none());
    }
}
