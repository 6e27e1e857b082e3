//! SQLite's result codes as our [`Error`].

use std::path::Path;

use rusqlite::ErrorCode;

use super::decode::DamagedTurn;
use crate::error::{Committed, Error, Trouble};

/// Wraps an error of `attempt` on `file`; made for `map_err`.
pub(super) fn trouble(
    attempt: &'static str,
    file: &Path,
    committed: Committed,
) -> impl FnOnce(rusqlite::Error) -> Error {
    move |error| {
        let variant = variant(&error);
        variant(Trouble { attempt, file: file.to_owned(), committed, cause: Box::new(error) })
    }
}

fn variant(error: &rusqlite::Error) -> fn(Trouble) -> Error {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, cause) if cause.is::<DamagedTurn>() => Error::DamagedTurn,
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnType(..) => Error::Corrupt,
        other => match other.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::DiskFull,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Error::Locked
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Corrupt,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::NoLargeFileSupport) => Error::Io,
            _ => Error::Other,
        },
    }
}

/// What a failed COMMIT left behind. Frames are written in order and the one that marks the commit comes
/// last, so a write that found no space or no permission left nothing that counts; after a failed sync the
/// whole transaction may be in the file.
pub(super) fn after_commit(error: &rusqlite::Error) -> Committed {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt) | None => Committed::Unknown,
        Some(_) => Committed::Nothing,
    }
}

/// True if a row was refused by a uniqueness or reference rule.
pub(super) fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}
