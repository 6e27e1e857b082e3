//! Brings the tables up to date: numbered migrations, each recorded in the table `migration`.
//!
//! A migration that was released is never changed; a new one is appended. Numbers are the same for every
//! database.

use std::cmp::Ordering;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::trouble::trouble;
use crate::error::{Committed, Error};

/// One step forward.
pub(super) struct Migration {
    /// From 1, without gaps.
    pub(super) number: u32,
    /// For people who look into the table.
    pub(super) name: &'static str,
    /// Statements.
    pub(super) sql: &'static str,
}

/// All of them, in order.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "first", sql: include_str!("../../migrations/sqlite/0001_first.sql") },
    Migration { number: 2, name: "shared", sql: include_str!("../../migrations/sqlite/0002_shared.sql") },
    Migration { number: 3, name: "checks", sql: include_str!("../../migrations/sqlite/0003_checks.sql") },
    Migration { number: 4, name: "bounds", sql: include_str!("../../migrations/sqlite/0004_bounds.sql") },
    Migration { number: 5, name: "audit", sql: include_str!("../../migrations/sqlite/0005_audit.sql") },
    Migration { number: 6, name: "validations", sql: include_str!("../../migrations/sqlite/0006_validations.sql") },
    Migration { number: 7, name: "access", sql: include_str!("../../migrations/sqlite/0007_access.sql") },
];

const CREATE_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS migration(number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT";

/// The number of the newest migration.
pub(super) fn known(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |migration| migration.number)
}

/// The schema number of the store, 0 if it has no tables yet.
pub(super) fn found(connection: &Connection) -> rusqlite::Result<u32> {
    let table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migration'";
    if connection.query_row(table, [], |row| row.get::<_, u32>(0))? == 0 {
        return Ok(0);
    }
    connection.query_row("SELECT coalesce(max(number), 0) FROM migration", [], |row| row.get(0))
}

/// Applies what is missing, in one transaction. A store that is up to date is not written.
pub(super) fn migrate(connection: &mut Connection, file: &Path, migrations: &[Migration]) -> Result<(), Error> {
    let failed = || trouble("bringing the tables up to date", file, Committed::Nothing);
    let known = known(migrations);
    match found(connection).map_err(failed())?.cmp(&known) {
        Ordering::Equal => return Ok(()),
        Ordering::Greater => return Err(too_new(file, found(connection).map_err(failed())?, known)),
        Ordering::Less => {}
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
    transaction.execute(CREATE_TABLE, []).map_err(failed())?;
    // Asked again under the lock: another process may have been faster.
    let found = found(&transaction).map_err(failed())?;
    if found > known {
        return Err(too_new(file, found, known));
    }
    for migration in migrations.iter().filter(|migration| migration.number > found) {
        transaction.execute_batch(migration.sql).map_err(failed())?;
        transaction
            .execute("INSERT INTO migration VALUES (?1, ?2)", (migration.number, migration.name))
            .map_err(failed())?;
    }
    transaction.commit().map_err(failed())
}

fn too_new(file: &Path, found: u32, known: u32) -> Error {
    Error::SchemaTooNew { file: file.to_owned(), found, known }
}
