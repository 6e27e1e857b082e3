//! The wall clock, read here and nowhere else in the node.

use skep_model::time::Timestamp;

/// Now, in UTC microseconds.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
