//! The wall clock: outcomes and log lines carry when things happened. Nothing here decides by it.

use std::time::{SystemTime, UNIX_EPOCH};

use skep_model::time::Timestamp;

/// The wall clock now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
