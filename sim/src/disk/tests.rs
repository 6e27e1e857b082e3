//! SQLite over the disk: what was acknowledged survives, what was not may vanish, nothing is ever corrupt.

use std::collections::BTreeSet;

use rusqlite::{Connection, OpenFlags};

use super::{Armed, Disk, Fault, VFS};
use crate::random::Random;

fn open(disk: &Disk) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(disk.database(), flags, VFS)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints often, so that they are in the middle of a failure too.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 5, |row| row.get::<_, i64>(0))?;
    connection.execute_batch("CREATE TABLE IF NOT EXISTS t(n INTEGER PRIMARY KEY, v BLOB)")?;
    Ok(connection)
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    connection.prepare("SELECT n FROM t ORDER BY n")?.query_map([], |row| row.get(0))?.collect()
}

/// Inserts rows with a fault on the way; gives the numbers that were acknowledged and the one that was tried last.
fn insert(connection: &Connection, disk: &Disk, next: &mut i64, count: usize, random: &mut Random) -> Vec<i64> {
    let mut acknowledged = Vec::new();
    for _ in 0..count {
        *next += 1;
        let size = random.below(6_000);
        match connection.execute("INSERT INTO t VALUES (?1, zeroblob(?2))", (*next, i64::try_from(size).unwrap())) {
            Ok(_) => acknowledged.push(*next),
            Err(_) if disk.is_dead() => break,
            Err(_) => disk.make_room(),
        }
    }
    acknowledged
}

#[test]
fn what_was_acknowledged_survives_every_fault_and_nothing_is_corrupt() {
    let mut struck = BTreeSet::new();
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let disk = Disk::new(seed);
        let (mut next, mut acknowledged) = (0, BTreeSet::new());
        for _ in 0..4 {
            disk.begin_life();
            let Ok(connection) = open(&disk) else {
                disk.crash(true);
                continue;
            };
            let reader = open(&disk).unwrap();
            disk.arm(Some(Armed { fault: random.pick(&Fault::ALL), after: random.below(30) as u32 }));
            acknowledged.extend(insert(&connection, &disk, &mut next, 12, &mut random));
            if !disk.is_dead() && !disk.is_full() && disk.armed().is_none() {
                assert!(rows(&reader).unwrap().iter().copied().collect::<BTreeSet<_>>().is_superset(&acknowledged));
            }
            disk.crash(random.percent(70));
            struck.extend(disk.take_struck());
        }
        disk.begin_life();
        let connection = open(&disk).unwrap();
        let checked: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(checked, "ok", "seed {seed}");
        let found: BTreeSet<i64> = rows(&connection).unwrap().into_iter().collect();
        assert!(found.is_superset(&acknowledged), "seed {seed}: {:?} is lost", acknowledged.difference(&found));
    }
    assert_eq!(struck.into_iter().collect::<Vec<_>>(), Fault::ALL, "every fault has struck");
}

#[test]
fn without_a_sync_an_acknowledged_row_can_be_lost() {
    let lost = (0..50).filter(|seed| {
        let disk = Disk::new(*seed);
        let connection = open(&disk).unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection.execute("INSERT INTO t VALUES (1, NULL)", []).unwrap();
        disk.crash(true);
        drop(connection);
        disk.begin_life();
        open(&disk).and_then(|connection| rows(&connection)).is_ok_and(|rows| rows.is_empty())
    });
    assert!(lost.count() > 0, "a loss of power must be able to lose something");
}

#[test]
fn a_dead_process_changes_nothing_when_it_closes() {
    let disk = Disk::new(1);
    let connection = open(&disk).unwrap();
    connection.execute("INSERT INTO t VALUES (1, NULL)", []).unwrap();
    disk.crash(false);
    disk.begin_life();
    let next = open(&disk).unwrap();
    next.execute("INSERT INTO t VALUES (2, NULL)", []).unwrap();
    drop(connection);
    assert_eq!(rows(&next).unwrap(), [1, 2]);
}
