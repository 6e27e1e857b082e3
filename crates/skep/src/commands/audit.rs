//! `skep audit`: who did what, and whether anybody changed the record of it.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use skep_api::local::{Client, failure_of};
use skep_api::wire::{self, Failure};
use skep_definition::moment;
use skep_model::actor::Actor;
use skep_model::audit::{EventType, Record, Severity};
use skep_model::span::parse_duration_ms;
use skep_model::time::Timestamp;
use skep_node::service::{self, AuditBad, AuditQuery, AuditVerified};

use super::Outcome;
use super::list::LIMIT_DEFAULT;
use crate::context::{Context, bad_request};
use crate::door::blocking;
use crate::{exit, output};

/// Show who did what, and check that nobody changed the record of it
///
/// Works beside a running owner and without one, and changes nothing.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep audit verify")]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List records, newest first
    #[command(after_help = "Example:\n  skep audit list --severity warning --since 7d")]
    List(List),
    /// Check every record, its place in the chain, and that none is missing
    ///
    /// Exits 1 if anything was changed.
    #[command(after_help = "Example:\n  skep audit verify --format json")]
    Verify,
    /// Write records as JSON Lines, oldest first, each as it stands in the log
    #[command(after_help = "Example:\n  skep audit export --since 30d -o audit.jsonl")]
    Export(Export),
}

#[derive(Args, Debug)]
struct List {
    /// Only from this moment on, or so long ago: 2026-12-01T00:00:00Z, 12h, 7d
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    since: Option<Timestamp>,
    /// Only of this kind; may be given several times
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    event_type: Vec<EventType>,
    /// Only of this execution: an id, or the beginning of one
    #[arg(long, value_name = "EXECUTION")]
    execution: Option<String>,
    /// Only by this one: a user name, `engine`, `key:NAME`, `agent:NAME`, `trigger:NAME`
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only at least so bad: info, warning, error, critical
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    severity: Option<Severity>,
    /// At most this many
    #[arg(long, default_value_t = LIMIT_DEFAULT, value_name = "COUNT")]
    limit: usize,
}

#[derive(Args, Debug)]
struct Export {
    /// Only from this moment on, or so long ago: 2026-12-01T00:00:00Z, 12h, 7d
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    since: Option<Timestamp>,
    /// Only before this moment, or so long ago
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    until: Option<Timestamp>,
    /// The file to make; it must not exist [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn parse_when(text: &str) -> Result<Timestamp, String> {
    let ago = |ms: u64| {
        Timestamp(output::now().0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000)))
    };
    let when = moment::parse(text).or_else(|| parse_duration_ms(text).map(ago));
    when.ok_or_else(|| "write a moment (2026-12-01T00:00:00Z) or a number and a unit (12h, 7d)".to_owned())
}

fn parse_type(text: &str) -> Result<EventType, String> {
    let known = || EventType::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    EventType::parse(text).ok_or_else(|| format!("no such type; known are {}", known()))
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| "no such severity; known are info, warning, error, critical".to_owned())
}

/// Runs the command: `verify` exits 1 if anything was changed.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    pass(context).await;
    match arguments.verb {
        Verb::List(list) => self::list(context, list).await,
        Verb::Verify => verify(context).await,
        Verb::Export(export) => self::export(context, export).await,
    }
}

/// Lets an owner, if there is one, record what it has committed by now. One that cannot must not keep people from
/// reading, and neither must a store that cannot be opened.
async fn pass(context: &Context) {
    if let Ok((client, _)) = Client::connect(&context.directory).await
        && let Err(error) = client.call(&wire::PassAudit {}).await
    {
        output::note(&format!("the newest records may be missing: {error}"));
    }
}

async fn list(context: &Context, list: List) -> Outcome {
    let query = AuditQuery {
        since: list.since,
        until: None,
        event_types: list.event_type,
        execution: list.execution,
        actor: list.actor,
        severity: list.severity,
        limit: list.limit,
    };
    let directory = context.directory.clone();
    let records =
        blocking(move || service::audit_list(&directory, &query)).await?.map_err(|error| failure_of(&error))?;
    context.answer(&json!({ "records": records }), || table(&records));
    Ok(exit::OK)
}

fn table(records: &[Record]) -> String {
    if records.is_empty() {
        return "no records".to_owned();
    }
    let rows: Vec<Vec<String>> = records.iter().map(cells).collect();
    output::table(&["RECORD", "WHEN", "SEVERITY", "TYPE", "WHO", "ON", "WHAT"], &rows)
}

fn cells(record: &Record) -> Vec<String> {
    let entry = &record.entry;
    let on = [&entry.workflow, &entry.step, &entry.execution_id].into_iter().flatten();
    let paint = match entry.severity {
        Severity::Info => output::Paint::Faint,
        Severity::Warning => output::Paint::Attention,
        Severity::Error | Severity::Critical => output::Paint::Bad,
    };
    vec![
        record.sequence.to_string(),
        output::short_moment(&entry.timestamp),
        output::paint(paint, entry.severity.as_str()),
        entry.event_type.as_str().to_owned(),
        who(&entry.actor),
        on.cloned().collect::<Vec<_>>().join(" "),
        entry.message.replace('\n', " "),
    ]
}

/// `ada`; with what the system said of the caller: `ada (uid 1000, pid 4711)`.
fn who(actor: &Actor) -> String {
    let (uid, pid) = match actor {
        Actor::Person { uid, pid, .. } => (*uid, *pid),
        Actor::Key { .. } | Actor::Agent { .. } | Actor::Engine | Actor::Trigger { .. } => (None, None),
    };
    let known = [("uid", uid), ("pid", pid)].into_iter().filter_map(|(name, it)| Some(format!("{name} {}", it?)));
    let known = known.collect::<Vec<_>>().join(", ");
    if known.is_empty() { actor.label() } else { format!("{} ({known})", actor.label()) }
}

async fn verify(context: &Context) -> Outcome {
    let directory = context.directory.clone();
    let verified = blocking(move || service::audit_verify(&directory)).await?.map_err(|error| failure_of(&error))?;
    context.answer(&value(&verified), || text(&verified));
    Ok(if verified.chain.is_whole() { exit::OK } else { exit::FAILED })
}

/// `{"status", "events_verified", "events_failed", "first_bad": {file, line, sequence, why}, "segments", "notes"}`.
fn value(verified: &AuditVerified) -> Value {
    let chain = &verified.chain;
    json!({
        "status": status(verified),
        "events_verified": chain.events_verified,
        "events_failed": chain.events_failed,
        "first_bad": chain.first_bad.as_ref().map(|AuditBad { file, line, sequence, why }| {
            json!({ "file": file, "line": line, "sequence": sequence, "why": why })
        }),
        "segments": chain.segments,
        "notes": verified.notes,
    })
}

fn status(verified: &AuditVerified) -> &'static str {
    if verified.chain.is_whole() { "verified" } else { "failed" }
}

fn text(verified: &AuditVerified) -> String {
    let chain = &verified.chain;
    let mut text = String::new();
    if let Some(AuditBad { file, line, sequence, why }) = &chain.first_bad {
        let line = line.map_or_else(String::new, |line| format!(":{line}"));
        let record = sequence.map_or_else(String::new, |sequence| format!(" (record {sequence})"));
        let place = output::paint(output::Paint::Bad, &format!("{file}{line}"));
        text.push_str(&format!("{place}{record}: {why}\n"));
    }
    for note in &verified.notes {
        text.push_str(&format!("{} {note}\n", output::paint(output::Paint::Attention, "note:")));
    }
    text.push_str(&format!(
        "{}: {} records verified, {} failed, {} segments",
        status(verified),
        chain.events_verified,
        chain.events_failed,
        chain.segments
    ));
    text
}

async fn export(context: &Context, export: Export) -> Outcome {
    let Export { since, until, output } = export;
    let query = AuditQuery { since, until, ..AuditQuery::default() };
    let directory = context.directory.clone();
    let target = output.clone();
    let written = blocking(move || match &target {
        Some(path) => export_to(&directory, &query, path),
        None => print_all(&directory, &query),
    });
    let records = written.await??;
    if let Some(path) = output {
        context.answer(&json!({ "file": path, "records": records }), || {
            format!("wrote {records} records to {}", path.display())
        });
    }
    Ok(exit::OK)
}

fn print_all(directory: &skep_node::DataDir, query: &AuditQuery) -> Result<u64, Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    // Whoever reads may have enough.
    let (records, _) = write_all(directory, query, &mut out)?;
    Ok(records)
}

fn export_to(directory: &skep_node::DataDir, query: &AuditQuery, path: &Path) -> Result<u64, Failure> {
    let refused = |error: std::io::Error| {
        let hint = "name a file that does not exist yet, in a folder that this user may write to";
        bad_request(&format!("writing {} failed: {error}", path.display()), hint)
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(refused)?;
    let mut out = BufWriter::new(file);
    let (records, written) = write_all(directory, query, &mut out)?;
    written.and_then(|()| out.flush()).map_err(refused)?;
    Ok(records)
}

/// How many records were written, and how the last one went.
fn write_all(
    directory: &skep_node::DataDir,
    query: &AuditQuery,
    out: &mut dyn Write,
) -> Result<(u64, std::io::Result<()>), Failure> {
    let (mut records, mut written) = (0, Ok(()));
    let read = service::audit_export(directory, query, &mut |line| {
        written = writeln!(out, "{line}");
        match written {
            Ok(()) => {
                records += 1;
                ControlFlow::Continue(())
            }
            Err(_) => ControlFlow::Break(()),
        }
    });
    read.map_err(|error| failure_of(&error))?;
    Ok((records, written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_lengths_of_time_are_read() {
        assert_eq!(parse_when("2026-12-01T00:00:00Z"), Ok(Timestamp(1_796_083_200_000_000)));
        let day_ago = parse_when("1d").unwrap();
        assert!((output::now().0 - day_ago.0 - 86_400_000_000).abs() < 60_000_000);
        assert!(parse_when("soon").is_err() && parse_type("nope").is_err() && parse_severity("bad").is_err());
    }

    #[test]
    fn the_first_bad_record_is_named() {
        let mut verified = AuditVerified::default();
        verified.chain.events_verified = 7;
        assert_eq!(text(&verified), "verified: 7 records verified, 0 failed, 0 segments");
        let bad =
            AuditBad { file: "000001.jsonl".into(), line: Some(3), sequence: Some(3), why: "it was changed".into() };
        (verified.chain.first_bad, verified.chain.events_failed) = (Some(bad), 1);
        assert!(text(&verified).contains("000001.jsonl:3") && text(&verified).contains("(record 3): it was changed"));
        assert_eq!(value(&verified)["first_bad"]["why"], "it was changed");
    }
}
