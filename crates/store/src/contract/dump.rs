//! Everything that a reader can say, as one text: two stores are equal if their dumps are.

use std::fmt::Write;

use skep_model::ids::{Hash, LocalId, Position};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::error::Error;
use crate::reader::{Filter, Reader};

/// The whole store, and some questions whose answers take filters and limits.
pub(super) fn dump(reader: &dyn Reader, hashes: &[Hash], paths: &[&str]) -> Result<String, Error> {
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn std::fmt::Debug| writeln!(text, "{name}: {value:?}").expect("texts grow");
    line("journal", &reader.journal(Position(1), 1_000)?);
    line("middle of the journal", &reader.journal(Position(4), 3)?);
    line("last", &(reader.last_at()?, reader.last_position()?, reader.next_local_id()?, reader.counts()?));
    line("newest", &reader.newest_execution()?);
    line("open", &(reader.open_executions(None, 1_000)?, reader.open_executions(Some(LocalId(2)), 2)?));
    for filter in filters() {
        line("list", &(&filter, reader.list(&filter, None, 2)?, reader.list(&filter, Some(LocalId(4)), 100)?));
    }
    for local in 0..8 {
        line("turns", &(reader.turns(LocalId(local), 1, 1_000)?, reader.turns(LocalId(local), 2, 1)?));
        if let Some(row) = reader.execution_by_local(LocalId(local))? {
            line("by id", &(reader.execution(&row.id)?, reader.execution_by_prefix(row.id.as_str())?));
        }
    }
    line("by prefix", &(reader.execution_by_prefix("id")?, reader.execution_by_prefix("none")?));
    for hash in hashes {
        line("hash", &(hash, reader.plan(*hash)?, reader.definition(*hash)?, reader.validations(*hash)?));
    }
    line("workflows", &reader.workflows()?);
    for path in paths {
        line("path", &(reader.workflow_versions(path)?, reader.workflow(path, None)?, reader.workflow(path, Some(2))?));
    }
    line("children", &reader.children()?);
    for local in 0..8 {
        line("snapshot", &reader.snapshot(LocalId(local))?);
    }
    line("idle", &(reader.idle_executions(None, 1_000)?, reader.idle_executions(Some(LocalId(2)), 2)?));
    line("busy", &(reader.busy_executions(None, 1_000)?, reader.busy_executions(Some(LocalId(2)), 2)?));
    line("permits", &(reader.permits()?, reader.permits_of("one")?));
    line("breakers", &reader.breakers()?);
    line("start keys", &(reader.start_key("release", "one")?, reader.start_key("release", "two")?));
    line("keys", &(reader.keys()?, reader.key("one")?));
    line("users", &(reader.users()?, reader.user("one")?));
    for hash in hashes {
        line("key", &reader.key_by_hash(*hash)?);
    }
    Ok(text)
}

fn filters() -> Vec<Filter> {
    let of = |statuses: &[Status], workflow: Option<&str>, since: Option<i64>| Filter {
        statuses: statuses.to_vec(),
        workflow: workflow.map(str::to_owned),
        started_since: since.map(Timestamp),
        not_by: None,
    };
    vec![
        of(&[], None, None),
        of(&[Status::Running, Status::Failed], None, None),
        of(&[], Some("a/y"), None),
        of(&[Status::Pending], Some("release"), Some(200)),
        of(&[], None, Some(300)),
    ]
}
