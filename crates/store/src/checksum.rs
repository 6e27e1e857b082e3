//! Checksums of rows that nothing else vouches for: 64 bits of blake3, as SQLite's signed integer.
//!
//! A plan, a definition and a blob are known by their whole hash; a row of the journal, and what never changes in a
//! list row, by one of these. They find damage, they are no protection against people.

use skep_model::ids::LocalId;
use skep_model::time::Timestamp;

use crate::journal::NewVersion;
use crate::rows::{ExecutionRow, WorkflowVersion};

/// Of a row of the journal.
pub(crate) fn of_turn(execution: LocalId, seq: u64, at: Timestamp, events: &[u8]) -> i64 {
    let mut head = [0; 24];
    head[..8].copy_from_slice(&execution.0.to_le_bytes());
    head[8..16].copy_from_slice(&seq.to_le_bytes());
    head[16..].copy_from_slice(&at.0.to_le_bytes());
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head).update(events);
    shortened(&hasher)
}

/// Of what never changes in the list row of an execution.
pub(crate) fn of_execution(row: &ExecutionRow) -> i64 {
    let numbers = [row.local.0, row.started_at.0];
    let (plan, definition) = (row.plan_hash.to_string(), row.definition_hash.to_string());
    let texts = [
        Some(row.id.as_str()),
        Some(&row.workflow),
        row.workflow_path.as_deref(),
        Some(&row.version),
        Some(&plan),
        Some(&definition),
        row.base_dir.as_deref(),
        Some(&row.actor),
    ];
    of(&numbers, &texts)
}

/// Of a path of the library.
pub(crate) fn of_workflow(path: &str, newest: u32, listed: bool) -> i64 {
    of(&[i64::from(newest), i64::from(listed)], &[Some(path)])
}

/// Of version `number` in the library.
pub(crate) fn of_version(new: &NewVersion, number: u32) -> i64 {
    let hash = new.definition_hash.to_string();
    let texts = [&new.path, &new.workflow, &new.name, &new.description, &new.version, &hash, &new.actor];
    of(&[i64::from(number), new.added_at.0], &texts.map(|text| Some(text.as_str())))
}

/// Of a version as it was read.
pub(crate) fn of_stored_version(row: &WorkflowVersion) -> i64 {
    let new = NewVersion {
        path: row.path.clone(),
        workflow: row.workflow.clone(),
        name: row.name.clone(),
        description: row.description.clone(),
        version: row.version.clone(),
        definition_hash: row.definition_hash,
        added_at: row.added_at,
        actor: row.actor.clone(),
    };
    of_version(&new, row.number)
}

/// Lengths go before texts, so that no two lists of fields look the same.
fn of(numbers: &[i64], texts: &[Option<&str>]) -> i64 {
    let mut hasher = blake3::Hasher::new();
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
    for text in texts {
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        hasher.update(&length.to_le_bytes()).update(text.unwrap_or_default().as_bytes());
    }
    shortened(&hasher)
}

fn shortened(hasher: &blake3::Hasher) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    i64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_counts() {
        let base = of_turn(LocalId(1), 2, Timestamp(3), b"[]");
        assert_eq!(base, of_turn(LocalId(1), 2, Timestamp(3), b"[]"));
        for other in [
            of_turn(LocalId(2), 2, Timestamp(3), b"[]"),
            of_turn(LocalId(1), 3, Timestamp(3), b"[]"),
            of_turn(LocalId(1), 2, Timestamp(4), b"[]"),
            of_turn(LocalId(1), 2, Timestamp(3), b"[ ]"),
        ] {
            assert_ne!(base, other);
        }
        assert_ne!(of(&[], &[Some("a"), Some("bc")]), of(&[], &[Some("ab"), Some("c")]));
        assert_ne!(of(&[], &[None]), of(&[], &[Some("")]));
    }
}
