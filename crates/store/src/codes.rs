//! The stable codes of this crate with the pages that `skep explain` prints.

use skep_model::code::Code;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $title:literal, $page:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code { id: $id, title: $title, page: $page };)*
        /// Every code of this crate, in the order of the ids.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    /// A turn is not the next one.
    SEQUENCE_CONFLICT = "SKEP-T001", "A turn is not the next one of its execution",
    "Each turn of an execution carries a number that grows by one. A turn with another number was decided on \
     a state that is no longer the newest, or was sent twice, so the store refuses it and writes nothing of it.\n\n\
     Skep reads the execution again and decides again by itself. If you see this code, two processes drive the \
     same execution: check that only one owner (`skep serve` or a `skep run`) uses the data directory.";
    /// A row about nothing.
    UNKNOWN_EXECUTION = "SKEP-T002", "A write for an execution that does not exist",
    "A row of the store belongs to an execution, and the one that it names was never created. Nothing was \
     written.\n\nThis is a bug in Skep. Please report it with the output of `skep status`.";
    /// An id is taken.
    DUPLICATE_EXECUTION = "SKEP-T003", "The id of a new execution is taken",
    "A new execution must have an id and a local number that no other has. Nothing was written.\n\n\
     This is a bug in Skep, or the data directory was copied while it was in use. Make copies only while no \
     owner runs, then start again.";
    /// Disk full.
    DISK_FULL = "SKEP-T004", "The disk is full",
    "The store could not be written because its disk, or the user's quota, has no space left. The transaction \
     was rolled back: everything acknowledged before is safe, and nothing of this write is there.\n\n\
     Free space (`df -h DATA_DIR` shows how much there is). Large parts are `blobs/` and `logs/` of the data \
     directory; do not delete `skep.db-wal`, it holds committed work.";
    /// May not be written.
    READ_ONLY = "SKEP-T005", "The store is read-only",
    "The file `skep.db` or its folder may not be written by this user, or lies on a medium mounted read-only. \
     Nothing was changed.\n\nCheck with `ls -ld DATA_DIR` and `findmnt -T DATA_DIR`. Reading commands such as \
     `skep status` and `skep logs` work all the same.";
    /// Locked by another.
    LOCKED = "SKEP-T006", "The store is locked by another process",
    "Another process holds the database lock of `skep.db` for longer than the waiting time. Nothing was \
     written.\n\n`fuser DATA_DIR/skep.db` names the processes. Usually it is a database tool with an open \
     transaction: close it. Skep itself never holds the lock for long.";
    /// Damaged.
    CORRUPT = "SKEP-T007", "The store is damaged",
    "The file `skep.db` does not have the structure or the values that Skep wrote. Causes are a failing disk, \
     another program that wrote to it, or a copy made of `skep.db` without its `skep.db-wal`.\n\n\
     Stop every process of Skep, copy the whole data directory to a safe place, look for the disk's errors \
     (`dmesg`), then restore the newest backup.";
    /// System refused.
    UNREACHABLE = "SKEP-T008", "The store cannot be reached",
    "The system refused to open, read, write or sync a file of the store. The message says which file and what \
     the system answered.\n\nCheck that the data directory exists, that this user may enter it, and that its \
     disk works (`dmesg`). After a failed sync the owner ends, because only opening the store again tells what \
     is on the disk.";
    /// Two owners.
    FOREIGN_WRITER = "SKEP-T009", "Another process wrote to the store",
    "A data directory has one owner process, which holds `owner.lock`. The journal has rows that this owner did \
     not write, so another process ignored the lock, or the lock does not work on this file system (some network \
     file systems). Nothing of this write was committed.\n\nStop the other process and keep the data directory \
     on a local disk.";
    /// Anything else.
    OTHER = "SKEP-T010", "The store failed",
    "SQLite answered with an error that Skep has no better name for. The transaction was rolled back.\n\n\
     Try again. If it stays, report it with the whole message.";
    /// No store.
    NOT_FOUND = "SKEP-T011", "There is no store here",
    "The data directory has no `skep.db`, so nothing was ever run in it. Reading commands never create one.\n\n\
     Run a workflow first (`skep run FILE`), or name the data directory in which you ran it.";
    /// From the future.
    SCHEMA_TOO_NEW = "SKEP-T012", "The store was written by a newer version of Skep",
    "The tables have a schema number that this version does not know. Nothing was changed.\n\n\
     Use the newer version (`skep --version`), or another data directory. A store is never migrated backwards.";
    /// From the past.
    SCHEMA_TOO_OLD = "SKEP-T013", "The store must be brought up to date first",
    "A reading command found tables of an older version. Readers change nothing, so they cannot bring the \
     tables up to date.\n\nStart an owner once, for example `skep serve`, and stop it again.";
    /// Library too old.
    SQLITE_TOO_OLD = "SKEP-T014", "The SQLite library can lose commits",
    "SQLite 3.7.0 to 3.51.2 can lose committed transactions when its write-ahead log is reset at a bad moment, \
     so Skep refuses to start with it.\n\nRelease builds bundle a newer SQLite. Build with the bundled one.";
    /// Writer thread ended.
    WRITER_GONE = "SKEP-T015", "The writer of the store has ended",
    "The thread that writes the store was closed or panicked, so the owner can write nothing any more. What was \
     acknowledged is safe.\n\nStart the owner again: it recovers every open execution. If it panicked, please \
     report the message that it printed.";
    /// Directory owned by another process.
    OWNED = "SKEP-T016", "Another process owns the data directory",
    "A data directory has one owner: `skep serve`, or the `skep run` that found none. It holds a lock on \
     `owner.lock`, and the file's text is its process id.\n\nTalk to that owner with the usual commands, stop \
     it with `skep serve --stop`, or use another data directory. If the process is gone, the lock is gone too: \
     the file itself is never in the way and need not be deleted.";
    /// A file or folder.
    FILE = "SKEP-T017", "A file of the data directory cannot be used",
    "A folder, a log segment, a blob or the lock file could not be created, read, written or synced. The message \
     says which one, what was tried and what the system answered.\n\nCheck the free space, the owner and the \
     mode of the data directory.";
    /// Blob damaged.
    BLOB_DAMAGED = "SKEP-T018", "A blob does not have the content that its name says",
    "Large values lie in `blobs/`, each under the hash of its content. This one has other bytes now: the disk \
     failed or the file was edited.\n\nRestore the file from a backup; its name says what it must contain, so \
     any copy with the right hash is good. Storing the same value again also mends it.";
    /// Blob under a wrong name.
    BLOB_MISNAMED = "SKEP-T019", "A value was to be stored under a wrong hash",
    "A large value came with a hash or a length that its bytes do not have. Nothing was stored.\n\n\
     This is a bug in Skep. Please report it.";
    /// Not a folder name.
    BAD_EXECUTION_ID = "SKEP-T020", "An execution id cannot be a folder name",
    "The logs of an execution lie in a folder named after its id, so an id may have only letters, digits, `-` \
     and `_`. Nothing was read or written.\n\nUse an id from `skep list`.";
    /// A row of the journal.
    DAMAGED_TURN = "SKEP-T021", "A row of the journal is not as it was written",
    "Each row of the journal carries a checksum, and this one does not have it any more: the disk failed, or another \
     program wrote to `skep.db`. The one execution that the row belongs to is held; others are not concerned.\n\n\
     `skep verify` names everything that is damaged. Restore a backup (`skep backup` makes them), or stop the owner \
     and run `skep repair`: it sets the execution aside and keeps its rows in a file.";
    /// An archive file.
    ARCHIVE_DAMAGED = "SKEP-T022", "A file of the archive is not as it was written",
    "Executions that are over and old lie in `archive/`, one file each, and the last line of a file is the checksum of \
     the others. This file does not fit it, or was written by a newer version of Skep.\n\n\
     Restore the file from a backup. The lines themselves are JSON and can be read without Skep.";
    /// The destination of a copy.
    BACKUP = "SKEP-T023", "The copy could not be made",
    "`skep backup DEST` makes a new folder and never writes into one that exists. A copy that fails leaves nothing \
     behind.\n\nName a folder that does not exist, in one that does, on a disk with enough room: the copy takes about \
     as much as `du -sh DATA_DIR` says.";
    /// The key of the audit.
    AUDIT_KEY = "SKEP-T024", "The key of the audit is missing or cannot be used",
    "Every record of the audit carries a checksum that only the holder of the key can make. There are records here, and \
     the key that they were made with is gone, or its file holds something else. Skep makes no new one in its place: \
     that would hide what happened to the old records.\n\nPut the key's file back (`audit.key` in the data directory, \
     or what `[audit] key` in `config.toml` names), with its `.mark`, from a copy. If it is lost for good, move the \
     folder `audit/` and the mark away and keep them: the next owner begins a new log with a new key.";
    /// The name of a key or a user.
    NAME_TAKEN = "SKEP-T025", "The name of a key or a user is taken",
    "A name stands for one key, or one user, for ever: records of the audit name them, so the name of a revoked key or \
     a disabled user is not given to another one.\n\nChoose another name. `skep key list` and `skep user list` show \
     those that there are; a key that is replaced gets a number or a date: `ci-2`.";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn ids_count_up_and_pages_say_what_to_do() {
        for (index, code) in ALL.iter().enumerate() {
            assert_eq!(code.id, format!("SKEP-T{:03}", index + 1));
            assert!(code.title.len() < 80, "{}", code.id);
            assert!(code.page.contains("\n\n"), "{} has a second paragraph with the remedy", code.id);
            assert!(!code.page.contains("  "), "{} has a broken line", code.id);
        }
    }
}
