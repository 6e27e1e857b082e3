//! `skep backup`: a copy of the data directory, while its owner runs.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use skep_api::local::{Client, failure_of, person};
use skep_api::wire;
use skep_model::audit::EventType;
use skep_node::service::{self, BackupAmount, BackupPart, BackupSummary};

use super::Outcome;
use crate::context::{Context, bad_request};
use crate::door::blocking;
use crate::{exit, output};

/// Copy the data directory into a new folder, also while an owner runs and writes
///
/// The copy is a data directory itself: restore it by using it, with `--data-dir` or SKEP_DATA_DIR. Base directories of
/// executions that were started by name (`work/`) are not copied.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep backup /var/backups/skep-monday")]
pub struct Arguments {
    /// The folder to make; it must not exist
    destination: PathBuf,
}

/// Runs the command: exits 1 if values are missing that the journal names.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let destination = std::path::absolute(&arguments.destination).map_err(|error| {
        bad_request(&format!("the folder {}: {error}", arguments.destination.display()), "name another")
    })?;
    let (directory, target) = (context.directory.clone(), destination.clone());
    let copied = blocking(move || {
        let spinner = output::Spinner::new();
        skep_node::service::backup(&directory, &target, &mut |part, amount| spinner.say(&progress(part, amount)))
    });
    let summary = copied.await?.map_err(|error| failure_of(&error))?;
    record(context, &destination).await;
    let value = json!({
        "destination": destination,
        "executions": summary.executions,
        "position": summary.position,
        "database": value(summary.database),
        "blobs": value(summary.blobs),
        "logs": value(summary.logs),
        "archive": value(summary.archive),
        "audit": value(summary.audit),
        "bytes": bytes(&summary),
        "missing_blobs": summary.missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    context.answer(&value, || {
        format!(
            "copied to {}: {} executions, {} blobs, {} log files, {} archive files, {}",
            destination.display(),
            summary.executions,
            summary.blobs.files,
            summary.logs.files,
            summary.archive.files,
            size(bytes(&summary))
        )
    });
    if summary.missing.is_empty() {
        return Ok(exit::OK);
    }
    output::note(&format!(
        "the journal names {} values that are missing here too; `skep verify` says whose they are",
        summary.missing.len()
    ));
    Ok(exit::FAILED)
}

/// The audit of the original says who copied it: through its owner, or by this process where there is none.
async fn record(context: &Context, destination: &Path) {
    let destination = destination.display().to_string();
    let recorded = match Client::connect(&context.directory).await {
        Ok((client, _)) => {
            client.call(&wire::BackupMade { destination }).await.map(drop).map_err(|error| error.to_string())
        }
        Err(_) => directly(context, destination).await,
    };
    if let Err(problem) = recorded {
        output::note(&format!("the audit does not say that this copy was made: {problem}"));
    }
}

async fn directly(context: &Context, destination: String) -> Result<(), String> {
    let directory = context.directory.clone();
    let recorded = blocking(move || {
        let facts = [("destination", destination)];
        service::record_directly(&directory, EventType::BackupMade, &person(), "copied the data directory", &facts)
    });
    match recorded.await {
        Ok(recorded) => recorded.map_err(|error| error.to_string()),
        Err(failure) => Err(failure.message),
    }
}

fn bytes(summary: &BackupSummary) -> u64 {
    let parts = [summary.database, summary.blobs, summary.logs, summary.archive, summary.audit];
    parts.iter().map(|part| part.bytes).sum()
}

fn value(amount: BackupAmount) -> Value {
    json!({ "files": amount.files, "bytes": amount.bytes })
}

fn progress(part: BackupPart, amount: BackupAmount) -> String {
    let what = match part {
        BackupPart::Database => "database",
        BackupPart::Blobs => "blobs",
        BackupPart::Logs => "logs",
        BackupPart::Archive => "archive",
        BackupPart::Audit => "audit",
    };
    format!("{what}: {} files, {}", amount.files, size(amount.bytes))
}

/// `312 bytes`, `4.1 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const MIB: f64 = 1024.0 * 1024.0;
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        _ => format!("{:.1} MiB", bytes as f64 / MIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_as_people_say_them() {
        assert_eq!((size(312), size(4_300_000)), ("312 bytes".to_owned(), "4.1 MiB".to_owned()));
    }
}
