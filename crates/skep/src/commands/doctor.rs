//! `skep doctor`: is everything there that executions need?

use std::path::Path;
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::{Value, json};
use skep_api::local::{CallError, Client, failure_of};
use skep_node::service::{self, Reading};

use super::Outcome;
use crate::context::Context;
use crate::door::{Own, blocking};
use crate::{exit, output};

/// Interpreters that `run` steps commonly name.
const INTERPRETERS: [&str; 4] = ["bash", "sh", "python3", "node"];
/// Less free space than this is a warning, in bytes: one large log and one large value fit.
const FREE_BYTES_MIN: u64 = 512 * 1024 * 1024;
/// 2025-01-01 in microseconds: a clock before it is wrong, Skep is younger.
const CLOCK_US_MIN: i64 = 1_735_689_600_000_000;

/// Check that the data directory, the owner, the interpreters, the clock and the disk are in order
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep doctor --format json")]
pub struct Arguments {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Doubtful,
    Bad,
}

#[derive(Debug)]
struct Check {
    name: String,
    verdict: Verdict,
    says: String,
}

fn check(name: &str, verdict: Verdict, says: impl Into<String>) -> Check {
    Check { name: name.to_owned(), verdict, says: says.into() }
}

/// Runs the command: exits 1 if something is bad.
pub async fn run(context: &Context, _: &Arguments) -> Outcome {
    let root = context.directory.root();
    let mut checks = vec![writable(root)];
    checks.extend(owner(context).await);
    checks.push(store(context).await?);
    checks.push(audit(context).await?);
    checks.extend(INTERPRETERS.iter().map(|name| interpreter(name)));
    checks.push(clock(output::now().0));
    checks.push(disk(root));
    let healthy = checks.iter().all(|check| check.verdict != Verdict::Bad);
    let value = json!({ "healthy": healthy, "checks": checks.iter().map(value).collect::<Vec<_>>() });
    context.answer(&value, || text(&checks));
    Ok(if healthy { exit::OK } else { exit::FAILED })
}

/// The directory itself, or the nearest one above it that exists.
fn existing(root: &Path) -> &Path {
    root.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/"))
}

fn writable(root: &Path) -> Check {
    let place = existing(root);
    let says = format!("{}", root.display());
    match rustix::fs::access(place, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK) {
        Ok(()) if place == root => check("data directory", Verdict::Good, says),
        Ok(()) => check("data directory", Verdict::Good, format!("{says} (created when it is needed)")),
        Err(error) => check("data directory", Verdict::Bad, format!("{says}: not writable: {error}")),
    }
}

/// Who owns the directory; with nobody, whether this process could, which also starts the helper that forks scripts.
async fn owner(context: &Context) -> Vec<Check> {
    match Client::connect(&context.directory).await {
        Ok((_, pong)) => {
            let says = format!("process {} answers, version {}", pong.pid, pong.version);
            vec![check("owner", Verdict::Good, says), check("spawner", Verdict::Good, "held by the owner")]
        }
        Err(CallError::NoOwner(_)) if !context.directory.database().exists() => vec![
            check("owner", Verdict::Good, "nobody; the directory is not in use yet"),
            check("spawner", Verdict::Good, "starts with the first execution"),
        ],
        Err(CallError::NoOwner(_)) => match Own::serve(&context.directory).await {
            Ok(own) => {
                own.end().await;
                vec![
                    check("owner", Verdict::Good, "nobody now; this process could become it"),
                    check("spawner", Verdict::Good, "started and ended"),
                ]
            }
            Err(failure) => vec![check("owner", Verdict::Bad, failure.message)],
        },
        Err(error) => vec![check("owner", Verdict::Bad, error.to_string())],
    }
}

async fn store(context: &Context) -> Result<Check, skep_api::wire::Failure> {
    let directory = context.directory.clone();
    let opened = blocking(move || {
        let reading = Reading::open(&directory)?;
        reading.interrupted().map(|open| (open.len(), reading.note().map(ToOwned::to_owned)))
    });
    Ok(match opened.await? {
        Ok((open, None)) => check("store", Verdict::Good, format!("opens, {open} executions are not over")),
        Ok((_, Some(note))) => check("store", Verdict::Doubtful, note),
        Err(error) => check("store", Verdict::Bad, failure_of(&error).message),
    })
}

/// The whole chain.
async fn audit(context: &Context) -> Result<Check, skep_api::wire::Failure> {
    let directory = context.directory.clone();
    let verified = blocking(move || service::audit_verify(&directory)).await?;
    Ok(match verified {
        Err(error) => check("audit", Verdict::Bad, failure_of(&error).message),
        Ok(verified) => match &verified.chain.first_bad {
            Some(bad) => check("audit", Verdict::Bad, format!("{}: {}; see `skep audit verify`", bad.file, bad.why)),
            None => check("audit", Verdict::Good, format!("{} records verified", verified.chain.events_verified)),
        },
    })
}

fn interpreter(name: &str) -> Check {
    let mut command = Command::new(name);
    command.args(["-c", ""]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(_) => check(name, Verdict::Good, "found"),
        Err(error) => check(name, Verdict::Doubtful, format!("not found ({error}): steps cannot use it")),
    }
}

fn clock(now_us: i64) -> Check {
    match now_us >= CLOCK_US_MIN {
        true => check(
            "clock",
            Verdict::Good,
            output::short_moment(&skep_definition::moment::print(skep_model::time::Timestamp(now_us))),
        ),
        false => check("clock", Verdict::Bad, "it is before 2025: timers and logs would be wrong"),
    }
}

fn disk(root: &Path) -> Check {
    match rustix::fs::statvfs(existing(root)) {
        Ok(space) => {
            let free_bytes = space.f_bavail.saturating_mul(space.f_frsize);
            let verdict = if free_bytes < FREE_BYTES_MIN { Verdict::Doubtful } else { Verdict::Good };
            check("disk", verdict, format!("{} MiB free", free_bytes / (1024 * 1024)))
        }
        Err(error) => check("disk", Verdict::Doubtful, format!("its free space is not known: {error}")),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "ok",
        Verdict::Doubtful => "warning",
        Verdict::Bad => "error",
    }
}

fn value(check: &Check) -> Value {
    json!({ "name": check.name, "result": word(check.verdict), "message": check.says })
}

fn text(checks: &[Check]) -> String {
    let colour = |verdict| match verdict {
        Verdict::Good => output::Paint::Good,
        Verdict::Doubtful => output::Paint::Attention,
        Verdict::Bad => output::Paint::Bad,
    };
    let cells = |check: &Check| {
        vec![output::paint(colour(check.verdict), word(check.verdict)), check.name.clone(), check.says.clone()]
    };
    output::table(&["", "CHECK", "FOUND"], &checks.iter().map(cells).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_apart_from_what_is_doubtful() {
        assert_eq!(clock(0).verdict, Verdict::Bad);
        assert_eq!(clock(CLOCK_US_MIN).verdict, Verdict::Good);
        assert_eq!(interpreter("sh").verdict, Verdict::Good);
        assert_eq!(interpreter("no-such-interpreter-here").verdict, Verdict::Doubtful);
        let place = tempfile::tempdir().unwrap();
        assert!(writable(&place.path().join("a/b")).says.ends_with("(created when it is needed)"));
    }
}
