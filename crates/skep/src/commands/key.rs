//! `skep key`: API keys.

use clap::{Args, Subcommand};
use serde_json::json;
use skep_api::wire::{self, Failure, Key};
use skep_definition::moment;
use skep_model::span::parse_duration_ms;
use skep_model::time::Timestamp;

use super::Outcome;
use super::grants::{Grants, words};
use super::workflow::ask;
use crate::context::Context;
use crate::{exit, output};

/// Manage API keys: what programs and agents show to be let in
///
/// A key has roles, each over all workflows or over some. Its secret is printed once, when it is made; Skep keeps a hash
/// of it and cannot show it again.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep key create ci --role operator --workflow 'deploy/*' --expires 90d")]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Make a key and print its secret, once
    ///
    /// Standard output has the secret and nothing else, so that it can be piped to where it is kept.
    #[command(
        after_help = "Examples:\n  skep key create ci --role operator --workflow 'deploy/*' --expires 90d\n  skep key create grafana --role viewer > grafana.key"
    )]
    Create(Create),
    /// List the keys, revoked and expired ones too
    #[command(after_help = "Example:\n  skep key list --format json")]
    List,
    /// Refuse a key from now on
    #[command(after_help = "Example:\n  skep key revoke ci")]
    Revoke {
        /// Its name
        name: String,
    },
}

#[derive(Args, Debug)]
struct Create {
    /// Its name, for ever: letters, digits, `_`, `-`
    name: String,
    #[command(flatten)]
    grants: Grants,
    /// From when on it is refused: 90d, 12h, or a moment such as 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_name = "WHEN", value_parser = parse_end)]
    expires: Option<Timestamp>,
}

fn parse_end(text: &str) -> Result<Timestamp, String> {
    let ahead = |ms: u64| {
        Timestamp(output::now().0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000)))
    };
    let end = moment::parse(text).or_else(|| parse_duration_ms(text).map(ahead));
    end.ok_or_else(|| "write a number and a unit (12h, 90d) or a moment (2027-01-01T00:00:00Z)".to_owned())
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    match arguments.verb {
        Verb::Create(create) => self::create(context, create).await?,
        Verb::List => {
            let found = ask(context, wire::ListKeys {}).await?;
            context.answer(&json!(found), || text(&found.keys));
        }
        Verb::Revoke { name } => {
            let revoked = ask(context, wire::RevokeKey { name }).await?;
            context.answer(&json!(revoked), || format!("revoked {}", revoked.name));
        }
    }
    Ok(exit::OK)
}

async fn create(context: &Context, create: Create) -> Result<(), Failure> {
    let expires_at_us = create.expires.map(|at| at.0);
    let call = wire::CreateKey { name: create.name, grants: create.grants.of_each(), expires_at_us };
    let created = ask(context, call).await?;
    context.answer(&json!(created), || created.secret.expose().to_owned());
    if !context.is_json() {
        let key = &created.key;
        let end =
            key.expires_at.as_deref().map_or_else(String::new, |at| format!(", until {}", output::short_moment(at)));
        output::note(&format!(
            "made the key {} ({}{end}). Keep its secret now: it is not shown again",
            key.name,
            words(&key.grants)
        ));
    }
    Ok(())
}

fn text(keys: &[Key]) -> String {
    if keys.is_empty() {
        return "there is no key; `skep key create NAME --role ROLE` makes one".to_owned();
    }
    let moment = |at: &Option<String>| at.as_deref().map_or_else(|| "-".to_owned(), output::short_moment);
    let cells = |key: &Key| {
        vec![
            key.name.clone(),
            format!("{}..", key.prefix),
            state(&key.state),
            output::short_moment(&key.created_at),
            key.created_by.clone(),
            moment(&key.expires_at),
            moment(&key.last_used_at),
            words(&key.grants),
        ]
    };
    let rows: Vec<Vec<String>> = keys.iter().map(cells).collect();
    output::table(&["NAME", "SECRET", "STATE", "CREATED", "BY", "EXPIRES", "LAST USED", "ROLES"], &rows)
}

fn state(word: &str) -> String {
    match word {
        "active" => output::paint(output::Paint::Good, word),
        other => output::paint(output::Paint::Faint, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_ahead_or_a_moment() {
        assert_eq!(parse_end("2027-01-01T00:00:00Z"), Ok(moment::parse("2027-01-01T00:00:00Z").unwrap()));
        let (before, end, after) = (output::now().0, parse_end("90d").unwrap().0, output::now().0);
        let days_us = 90 * 86_400 * 1_000_000;
        assert!((before + days_us - 1_000..=after + days_us).contains(&end));
        for bad in ["", "90", "soon", "-1d"] {
            assert!(parse_end(bad).is_err(), "{bad}");
        }
    }
}
