//! Moments as people write them.

use skep_model::time::Timestamp;

/// Reads an RFC 3339 moment (`2026-12-01T00:00:00Z`, `2026-12-01T08:30:00+01:00`); `None` if it is none.
pub fn parse(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.trim().parse().ok()?;
    Some(Timestamp(moment.as_microsecond()))
}

/// Prints a moment in UTC, to the second where it is whole: `2026-12-01T00:00:00Z`.
pub fn print(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| format!("{} us", at.0), |moment| moment.to_string())
}
