//! Words for moments, lengths of time and states.

use std::time::{SystemTime, UNIX_EPOCH};

use skep_definition::moment;
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;

use super::paint::{Paint, paint};

/// The wall clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A length of time as people say it: `340ms`, `1.2s`, `3m 05s`, `2h 10m`, `3d 4h`.
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..10 => format!("{}.{}s", seconds, milliseconds % 1_000 / 100),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// From `began` to `ended`, or to `now` if it has not ended.
pub fn since(began: Option<Timestamp>, ended: Option<Timestamp>, now: Timestamp) -> Option<String> {
    began.map(|began| duration(ended.unwrap_or(now).ms_since(began)))
}

/// A moment in UTC to the second: `2026-12-01 08:30:00Z`.
pub fn short_moment(text: &str) -> String {
    let (head, zone) = text.split_once('.').map_or((text.trim_end_matches('Z'), "Z"), |(head, _)| (head, "Z"));
    format!("{}{zone}", head.replacen('T', " ", 1))
}

pub(super) fn moment_words(at: Timestamp) -> String {
    short_moment(&moment::print(at))
}

/// A state in its colour.
pub fn status_words(status: Status) -> String {
    let colour = match status {
        Status::Completed => Paint::Good,
        Status::Failed | Status::RollbackFailed => Paint::Bad,
        Status::Pending | Status::Running => Paint::Active,
        Status::Paused | Status::Held | Status::Cancelling | Status::RollingBack => Paint::Attention,
        Status::Cancelled | Status::RolledBack => Paint::Faint,
    };
    paint(colour, &status.as_str().replace('_', " "))
}

/// The mark of a step's state.
pub(super) fn symbol(status: StepStatus) -> String {
    let (colour, mark) = match status {
        StepStatus::Pending => (Paint::Faint, "·"),
        StepStatus::Running => (Paint::Active, "▸"),
        StepStatus::Waiting => (Paint::Attention, "◆"),
        StepStatus::Completed => (Paint::Good, "✓"),
        StepStatus::Failed => (Paint::Bad, "✗"),
        StepStatus::Skipped => (Paint::Faint, "○"),
        StepStatus::Cancelled => (Paint::Attention, "■"),
        StepStatus::Unknown => (Paint::Bad, "?"),
        StepStatus::RolledBack => (Paint::Attention, "↩"),
    };
    paint(colour, mark)
}
